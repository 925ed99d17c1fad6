"""What every outcome means: a fold over events.

The compiled engine calls these functions as things happen; `replay` calls them for a log. Both must give the same
numbers, so an outcome has one meaning. Times in the network's unit; K stations, C classes, J + 1 snapshots at
0, every, 2 every, ..., M periods, L waiting lists, B bins of waits.

A *waiting spell* is a stay in one queue; a *wait* runs from referral to start and may span the queues of one list.
Snapshots show the state after all events up to and including that time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from flowsim.model import events
from flowsim.model import network as n
from flowsim.model.compiling import compiled, inlined_step, step
from flowsim.model.memory import Addresses, opened, table
from flowsim.model.tables import CODE, NUMBER

WAIT_BINS: Final = 256

CELL_TALLY: Final = np.dtype(
    [
        ("arrivals", "i8"),
        ("starts", "i8"),
        ("completions", "i8"),
        ("exits", "i8"),
        ("wait", "f8"),
        ("queue_time", "f8"),
        ("service_time", "f8"),
        ("reneged", "i8"),
        ("balked", "i8"),
        ("transferred", "i8"),
        ("reviewed", "i8"),
        ("wait_reneged", "f8"),
    ]
)
"""Per station and class, after the warm-up: numbers; sums of the waits of those who started or reneged; time spent
waiting and in service within (warm_up, horizon). ``transferred``: came from another queue of the list, with the wait
so far."""
SNAPSHOT: Final = np.dtype([("waiting", "i4"), ("in_service", "i4"), ("overdue", "i4")])
PERIOD: Final = np.dtype(
    [
        ("arrivals", "i4"),
        ("starts", "i4"),
        ("completions", "i4"),
        ("reneged", "i4"),
        ("balked", "i4"),
        ("reviewed", "i4"),
        ("transferred", "i4"),
        ("exits", "i4"),
        ("wait", "f8"),
    ]
)
STARTED_BY_WAIT: Final = np.dtype([("count", "u4")])
TURN: Final = np.dtype([("turns", "f8"), ("period", "i8"), ("counts", "i8"), ("snapshot", "i8")])
"""Where the fold is in time, one row. ``period`` that holds the present (M after the last edge); ``counts``: whether it
holds it; first ``snapshot`` at or after the present (J + 1 after the last); the two stay so until ``turns``."""

_cell = table("tally_cells", CELL_TALLY, columns="class_count")
_at = table("snapshots", SNAPSHOT, columns="station_count")
_periods = table("periods", PERIOD, columns="station_count")
_turns = table("turn", TURN)
_waits = table("waits", STARTED_BY_WAIT)
_edges = table("edges", NUMBER)
_lists = table("lists", CODE)


def snapshot_times(network: n.Network) -> np.ndarray:
    """Times of the snapshots: (J + 1,) float64, the horizon included when it is a multiple."""
    count = math.floor(network.horizon / network.snapshot_every * (1 + 1e-12))
    return np.arange(count + 1) * network.snapshot_every


def arrays(network: n.Network) -> dict[str, np.ndarray]:
    """The arrays of a tally in which nothing has happened yet, by name.

    tally_cells (K, C) `CELL_TALLY`; snapshots (J + 2, K) `SNAPSHOT`, as differences until `outcome`; periods (M, K)
    `PERIOD`; waits (M, L, B), numbers started by wait; edges (M + 1,); lists (K,); turn (1,) `TURN`.
    """
    stations, periods = len(network.stations), len(network.periods) - 1
    return {
        "tally_cells": np.zeros((stations, len(network.class_names)), CELL_TALLY),
        "snapshots": np.zeros((len(snapshot_times(network)) + 1, stations), SNAPSHOT),
        "periods": np.zeros((periods, stations), PERIOD),
        "waits": np.zeros((periods, max(1, len(network.list_names)), WAIT_BINS), STARTED_BY_WAIT),
        "edges": network.periods,
        "lists": np.ascontiguousarray(network.stations["list"]),
        "turn": np.array([(-math.inf, 0, 0, 0)], TURN),
    }


def settings(network: n.Network) -> dict[str, tuple[str, Any]]:
    """The settings that the fold reads."""
    return {
        "warm_up": ("f8", network.warm_up),
        "every": ("f8", network.snapshot_every),
        "norm": ("f8", network.waiting_norm),
        "wait_bin": ("f8", network.wait_bin),
        "snapshot_count": ("i8", len(snapshot_times(network))),
        "period_count": ("i8", len(network.periods) - 1),
        "list_count": ("i8", max(1, len(network.list_names))),
    }


@inlined_step
def _period(w: Any, k: Any) -> Any:
    return _periods(w, _turns(w, 0).period, k)


@step
def _turn(w: Any, now: Any) -> Any:
    """Move on to the period and the snapshot of ``now``."""
    t = _turns(w, 0)
    period = t.period
    snapshot = t.snapshot
    while period < w.period_count and now >= _edges(w, period + 1).value:
        period += 1
    while snapshot < w.snapshot_count and snapshot * w.every < now:
        snapshot += 1
    turns = np.inf
    if period < w.period_count:
        turns = _edges(w, period).value
        if now >= turns:
            turns = _edges(w, period + 1).value
    if snapshot < w.snapshot_count:
        turns = min(turns, snapshot * w.every)
    t.period = period
    t.snapshot = snapshot
    t.counts = period < w.period_count and now >= _edges(w, 0).value
    t.turns = turns


@inlined_step
def advance(w: Any, now: Any) -> Any:
    """Tell the fold what time it is, before anything that happens then."""
    if now >= _turns(w, 0).turns:
        _turn(w, now)


@step
def _snapshot(w: Any, now: Any) -> Any:
    """First snapshot at or after ``now``; the row after the last one when there is none."""
    every = w.every
    last = w.snapshot_count
    if now <= 0.0:
        return 0
    j = np.int64(now / every)
    if j >= last:
        j = last
    while j < last and j * every < now:
        j += 1
    while j > 0 and (j - 1) * every >= now:
        j -= 1
    return j


@inlined_step
def _overlap(w: Any, start: Any, end: Any) -> Any:
    """Length of (start, end) within (warm_up, horizon)."""
    return max(0.0, min(end, w.horizon) - max(start, w.warm_up))


@inlined_step
def arrived(w: Any, k: Any, c: Any, now: Any) -> Any:
    """A resident comes to a station, from outside or from another station."""
    if now >= w.warm_up:
        _cell(w, k, c).arrivals += 1
    if _turns(w, 0).counts:
        _period(w, k).arrivals += 1


@inlined_step
def transferred(w: Any, k: Any, c: Any, now: Any) -> Any:
    """A resident comes from another queue of the same waiting list, and keeps the wait so far."""
    if now >= w.warm_up:
        _cell(w, k, c).transferred += 1
    if _turns(w, 0).counts:
        _period(w, k).transferred += 1


@inlined_step
def queued(w: Any, k: Any) -> Any:
    """A waiting spell begins."""
    _at(w, _turns(w, 0).snapshot, k).waiting += 1


@step
def waited(w: Any, k: Any, c: Any, since: Any, joined: Any, end: Any) -> Any:
    """A waiting spell ends, now or (for who still waits then) at the horizon."""
    until = _turns(w, 0).snapshot
    _at(w, until, k).waiting -= 1
    if end <= joined:
        return
    _cell(w, k, c).queue_time += _overlap(w, joined, end)
    if _lists(w, k).value >= 0:
        due = max(joined, since + w.norm)
        if due < end:
            # Overdue means beyond the norm: at the very moment of the norm somebody is not overdue yet.
            j = _snapshot(w, due)
            if j < until and j * w.every == since + w.norm:
                j += 1
            _at(w, j, k).overdue += 1
            _at(w, until, k).overdue -= 1


@inlined_step
def serving(w: Any, k: Any) -> Any:
    """A spell in service begins."""
    _at(w, _turns(w, 0).snapshot, k).in_service += 1


@step
def started(w: Any, k: Any, c: Any, wait: Any, now: Any) -> Any:
    """A service begins, ``wait`` after referral."""
    serving(w, k)
    if now >= w.warm_up:
        _cell(w, k, c).starts += 1
        _cell(w, k, c).wait += wait
    if _turns(w, 0).counts:
        _period(w, k).starts += 1
        _period(w, k).wait += wait
        which = np.int64(_lists(w, k).value)
        if which >= 0:
            b = np.int64(min(wait / w.wait_bin, WAIT_BINS - 1.0))
            _waits(w, (_turns(w, 0).period * w.list_count + which) * WAIT_BINS + b).count += np.uint32(1)


@inlined_step
def served(w: Any, k: Any, c: Any, start: Any, end: Any) -> Any:
    """A spell in service ends (or the horizon comes)."""
    _cell(w, k, c).service_time += _overlap(w, start, end)
    _at(w, _turns(w, 0).snapshot, k).in_service -= 1


@inlined_step
def completed(w: Any, k: Any, c: Any, start: Any, now: Any) -> Any:
    """A service is complete."""
    served(w, k, c, start, now)
    if now >= w.warm_up:
        _cell(w, k, c).completions += 1
    if _turns(w, 0).counts:
        _period(w, k).completions += 1


@inlined_step
def reneged(w: Any, k: Any, c: Any, wait: Any, now: Any) -> Any:
    """A resident gives up waiting; the spell itself goes to `waited`."""
    if now >= w.warm_up:
        _cell(w, k, c).reneged += 1
        _cell(w, k, c).wait_reneged += wait
    if _turns(w, 0).counts:
        _period(w, k).reneged += 1


@inlined_step
def balked(w: Any, k: Any, c: Any, now: Any) -> Any:
    """A resident finds a full queue, or a station that closes."""
    if now >= w.warm_up:
        _cell(w, k, c).balked += 1
    if _turns(w, 0).counts:
        _period(w, k).balked += 1


@inlined_step
def reviewed(w: Any, k: Any, c: Any, now: Any) -> Any:
    """A desk looks at somebody who waits elsewhere; counted at the desk."""
    if now >= w.warm_up:
        _cell(w, k, c).reviewed += 1
    if _turns(w, 0).counts:
        _period(w, k).reviewed += 1


@inlined_step
def left(w: Any, k: Any, c: Any, now: Any) -> Any:
    """A resident leaves the network from station ``k``."""
    if now >= w.warm_up:
        _cell(w, k, c).exits += 1
    if _turns(w, 0).counts:
        _period(w, k).exits += 1


FOLLOWED: Final = np.dtype(
    [("since", "f8"), ("joined", "f8"), ("station", "i4"), ("patient_class", "i4"), ("state", "i4"), ("pad", "i4")]
)
AWAY: Final = 0
WAITING: Final = 1
SERVING: Final = 2


@compiled
def _replay(w: Any, log: Any, who: Any, followed: Any) -> Any:
    w = opened(w)
    for i in range(len(log)):
        e = log[i]
        r = who[i]
        k, c, now = e.station, e.patient_class, e.time
        advance(w, now)
        f = followed[r]
        waiting = f.state == WAITING
        if e.kind == events.WAITING_AT_START:
            queued(w, k)
            followed[r].since = now
            followed[r].joined = now
            followed[r].state = WAITING
        elif e.kind == events.IN_SERVICE_AT_START:
            serving(w, k)
            followed[r].joined = now
            followed[r].state = SERVING
        elif e.kind == events.ARRIVE or e.kind == events.TRANSFER:
            if waiting:
                waited(w, f.station, f.patient_class, f.since, f.joined, now)
            if e.kind == events.ARRIVE:
                arrived(w, k, c, now)
                followed[r].since = now
            else:
                transferred(w, k, c, now)
            queued(w, k)
            followed[r].joined = now
            followed[r].state = WAITING
        elif e.kind == events.START:
            waited(w, f.station, f.patient_class, f.since, f.joined, now)
            started(w, k, c, now - f.since, now)
            followed[r].joined = now
            followed[r].state = SERVING
        elif e.kind == events.COMPLETE:
            completed(w, k, c, f.joined, now)
            followed[r].state = AWAY
        elif e.kind == events.RENEGE:
            waited(w, k, c, f.since, f.joined, now)
            reneged(w, k, c, now - f.since, now)
            followed[r].state = AWAY
        elif e.kind == events.BALK:
            if waiting:
                waited(w, k, c, f.since, f.joined, now)
            balked(w, k, c, now)
            followed[r].state = AWAY
        elif e.kind == events.CHANGE:
            waited(w, f.station, f.patient_class, f.since, f.joined, now)
            queued(w, k)
            followed[r].joined = now
        elif e.kind == events.REVIEW:
            reviewed(w, k, c, now)
            continue  # the resident stays where he is
        elif e.kind == events.EXIT:
            if waiting:
                waited(w, k, f.patient_class, f.since, f.joined, now)
            left(w, k, c, now)
            followed[r].state = AWAY
        else:
            continue
        followed[r].station = k
        followed[r].patient_class = c


@compiled
def close(w: Any, followed: Any) -> Any:
    """The horizon comes: count the spells of those who are still there (``followed``, by number)."""
    w = opened(w)
    _turns(w, 0).snapshot = w.snapshot_count
    for r in range(len(followed)):
        f = followed[r]
        if f.state == WAITING:
            waited(w, f.station, f.patient_class, f.since, f.joined, w.horizon)
        elif f.state == SERVING:
            served(w, f.station, f.patient_class, f.joined, w.horizon)


def outcome(tally: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The outcome arrays by name: cells (K, C), snapshots (J + 1, K), periods (M, K), waits (M, L, B).

    The snapshots become numbers of people present. Call it once, after `close`.
    """
    snapshots = tally["snapshots"]
    for name in SNAPSHOT.names or ():
        snapshots[name] = np.cumsum(snapshots[name], axis=0)
    return {
        "cells": tally["tally_cells"],
        "snapshots": snapshots[:-1],
        "periods": tally["periods"],
        "waits": tally["waits"]["count"],
    }


def replay(network: n.Network, log: np.ndarray) -> dict[str, np.ndarray]:
    """The outcome arrays of a log, an array of `flowsim.model.events.EVENT` in the order of the event rule."""
    shape = {"station_count": ("i8", len(network.stations)), "class_count": ("i8", len(network.class_names))}
    horizon = {"horizon": ("f8", network.horizon)}
    tally = Addresses(arrays(network), shape | horizon | settings(network))
    _, who = np.unique(log["resident"], return_inverse=True)
    followed = np.zeros(int(who.max(initial=-1)) + 1, FOLLOWED)
    _replay(tally.record[0], log, who.astype(np.int64), followed)
    close(tally.record[0], followed)
    return outcome(tally.arrays)
