"""What every outcome means: a fold over events.

The compiled engine calls these functions as things happen; `replay` calls them for a log. Both must give the same
numbers, so an outcome has one meaning. Times in the network's unit; K stations, C classes, J + 1 snapshots at
0, every, 2 every, ..., M periods, L waiting lists, B bins of waits.

A *waiting spell* is a stay in one queue; a *wait* runs from referral to start and may span the queues of one list.
Snapshots show the state after all events up to and including that time.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from flowsim.model import events
from flowsim.model import network as n
from flowsim.model.compiling import compiled, inlined_step, step
from flowsim.model.memory import Addresses, Block, Shape, table
from flowsim.model.overdue import CHANGE, changes, first_overdue, lists
from flowsim.model.tables import NUMBER, rule_stations, stop_rules

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
_NUMBERS = ("arrivals", "starts", "completions", "reneged", "balked", "reviewed", "transferred", "exits")
PERIOD: Final = np.dtype([*((name, "i4") for name in _NUMBERS), ("wait", "f8")])
STARTED_BY_WAIT: Final = np.dtype([("count", "u4")])
COUNTER: Final = np.dtype(
    [
        ("arrivals", "u4"),
        ("starts", "u4"),
        ("completions", "u4"),
        ("exits", "u4"),
        ("reneged", "u4"),
        ("balked", "u4"),
        ("transferred", "u4"),
        ("reviewed", "u4"),
        ("wait", "f8"),
        ("wait_reneged", "f8"),
        ("queue_time", "f8"),
        ("service_time", "f8"),
    ]
)
"""What is counted as things happen, from time zero on, per station and class: one cache line. What happened in a period
or after the warm-up is the difference of two moments, so that counting asks for no dates."""
PRESENT: Final = np.dtype([("waiting", "i4"), ("in_service", "i4")])
TURN: Final = np.dtype(
    [("turns", "f8"), ("edge", "i8"), ("snapshot", "i8"), ("warmed_up", "i8"), ("waits", "i8")],
)
"""Where the fold is in time, one row: the next ``edge`` of a period and the next ``snapshot`` (first at or after the
present) to be kept; whether the counters at the end of the warm-up are; where the present period's ``waits`` begin
(an unread row outside all periods). All stay so until ``turns``."""

HELD: Final = np.dtype([("held", "i8")])

_counter = table("counters", COUNTER, columns="class_count")
_warm = table("at_warm_up", COUNTER, columns="class_count")
_present = table("present", PRESENT)
_snapshots = table("snapshots", SNAPSHOT, columns="station_count")
_sums = table("sums", PERIOD, columns="station_count")
_turns = table("turn", TURN)
_waits = table("waits", STARTED_BY_WAIT)
_held = table("held", HELD)
_edges = table("edges", NUMBER)
_ONE = np.uint32(1)


def snapshot_times(network: n.Network) -> np.ndarray:
    """Times of the snapshots: (J + 1,) float64, the horizon included when it is a multiple."""
    return np.arange(_snapshot_count(network)) * network.snapshot_every


def _snapshot_count(network: n.Network) -> int:
    return math.floor(network.horizon / network.snapshot_every * (1 + 1e-12)) + 1


def shapes(network: n.Network) -> dict[str, tuple[Shape, np.dtype]]:
    """Shape and type of the arrays that a tally fills; all zero while nothing has happened yet.

    counters and at_warm_up (K, C) `COUNTER`; present (K,) `PRESENT`; snapshots (J + 1, K) `SNAPSHOT`; overdue
    (J + 2, K), as differences until `outcome`; sums (M + 1, K) `PERIOD`, cumulated at each edge; waits (M + 1, L, B),
    numbers started by wait, the last row unread; turn (1,) `TURN`; held (S,), whether each stop rule held.
    """
    stations, edges, snapshots = len(network.stations), len(network.periods), _snapshot_count(network)
    cells = (stations, len(network.class_names))
    return {
        "counters": (cells, COUNTER),
        "at_warm_up": (cells, COUNTER),
        "present": ((stations,), PRESENT),
        "snapshots": ((snapshots, stations), SNAPSHOT),
        "overdue": ((snapshots + 1, stations), CHANGE),
        "sums": ((edges, stations), PERIOD),
        "waits": ((edges, max(1, len(network.list_names)), WAIT_BINS), STARTED_BY_WAIT),
        "turn": ((1,), TURN),
        "held": ((len(network.stop_rules),), HELD),
    }


def fixed(network: n.Network) -> dict[str, np.ndarray]:
    """What a tally reads beside the arrays that it fills, whose ``turns`` is to be -inf: edges (M + 1,), lists (K,),
    and the network's stop rules."""
    own = {"edges": network.periods, "lists": np.ascontiguousarray(network.stations["list"])}
    return own | {name: getattr(network, name) for name in ("stop_rules", "rule_stations")}


def settings(network: n.Network) -> dict[str, tuple[str, Any]]:
    """The settings that the fold reads."""
    return {
        "warm_up": ("f8", network.warm_up),
        "every": ("f8", network.snapshot_every),
        "norm": ("f8", network.waiting_norm),
        "wait_bin": ("f8", network.wait_bin),
        "snapshot_count": ("i8", _snapshot_count(network)),
        "period_count": ("i8", len(network.periods) - 1),
        "list_count": ("i8", max(1, len(network.list_names))),
        "rule_count": ("i8", len(network.stop_rules)),
    }


@step
def _keep_sums(w: Any, edge: Any) -> Any:
    """Keep the counters of each station as they are at an edge of a period, over all classes."""
    for k in range(w.station_count):
        kept = _sums(w, edge, k)
        for c in range(w.class_count):
            counter = _counter(w, k, c)
            kept.arrivals += counter.arrivals
            kept.starts += counter.starts
            kept.completions += counter.completions
            kept.reneged += counter.reneged
            kept.balked += counter.balked
            kept.reviewed += counter.reviewed
            kept.transferred += counter.transferred
            kept.exits += counter.exits
            kept.wait += counter.wait


@step
def _keep_warm_up(w: Any) -> Any:
    """Keep the counters as they are at the end of the warm-up; the times spent know it by themselves."""
    for k in range(w.station_count):
        for c in range(w.class_count):
            counter = _counter(w, k, c)
            kept = _warm(w, k, c)
            kept.arrivals = counter.arrivals
            kept.starts = counter.starts
            kept.completions = counter.completions
            kept.exits = counter.exits
            kept.reneged = counter.reneged
            kept.balked = counter.balked
            kept.transferred = counter.transferred
            kept.reviewed = counter.reviewed
            kept.wait = counter.wait
            kept.wait_reneged = counter.wait_reneged


@step
def _keep_snapshot(w: Any, j: Any) -> Any:
    """Keep who is present."""
    for k in range(w.station_count):
        _snapshots(w, j, k).waiting = _present(w, k).waiting
        _snapshots(w, j, k).in_service = _present(w, k).in_service


@step
def _turn(w: Any, now: Any) -> Any:
    """Keep what was, up to ``now``: a period ends before what happens at its edge, a snapshot shows that too."""
    t = _turns(w, 0)
    edge = t.edge
    snapshot = t.snapshot
    while edge <= w.period_count and now >= _edges(w, edge).value:
        _keep_sums(w, edge)
        edge += 1
    if t.warmed_up == 0 and now >= w.warm_up:
        _keep_warm_up(w)
        t.warmed_up = 1
    while snapshot < w.snapshot_count and snapshot * w.every < now:
        _keep_snapshot(w, snapshot)
        snapshot += 1
    turns = np.inf
    if edge <= w.period_count:
        turns = _edges(w, edge).value
    if t.warmed_up == 0:
        turns = min(turns, w.warm_up)
    if snapshot < w.snapshot_count:
        turns = min(turns, np.nextafter(snapshot * w.every, np.inf))
    t.edge = edge
    t.snapshot = snapshot
    row = edge - 1 if 0 < edge <= w.period_count else w.period_count
    t.waits = row * w.list_count * WAIT_BINS
    t.turns = turns


@inlined_step
def advance(w: Any, now: Any) -> Any:
    """Tell the fold what time it is, before anything that happens then."""
    if now >= _turns(w, 0).turns:
        _turn(w, now)


@inlined_step
def _overlap(w: Any, start: Any, end: Any) -> Any:
    """Length of (start, end) after the warm-up; nothing ends after the horizon."""
    return max(0.0, end - max(start, w.warm_up))


@inlined_step
def arrived(w: Any, k: Any, c: Any) -> Any:
    """A resident comes to a station, from outside or from another station."""
    _counter(w, k, c).arrivals += _ONE


@inlined_step
def transferred(w: Any, k: Any, c: Any) -> Any:
    """A resident comes from another queue of the same waiting list, and keeps the wait so far."""
    _counter(w, k, c).transferred += _ONE


@inlined_step
def queued(w: Any, k: Any) -> Any:
    """A waiting spell begins."""
    _present(w, k).waiting += 1


@step
def waited(w: Any, k: Any, c: Any, since: Any, joined: Any, end: Any) -> Any:
    """A waiting spell ends, now or (for who still waits then) at the horizon."""
    _present(w, k).waiting -= 1
    if end <= joined:
        return
    _counter(w, k, c).queue_time += _overlap(w, joined, end)
    if lists(w, k).value >= 0:
        due = max(joined, since + w.norm)
        if due < end:
            until = _turns(w, 0).snapshot
            changes(w, first_overdue(w, due, since, until), k).overdue += 1
            changes(w, until, k).overdue -= 1


@inlined_step
def serving(w: Any, k: Any) -> Any:
    """A spell in service begins."""
    _present(w, k).in_service += 1


@inlined_step
def started(w: Any, k: Any, c: Any, wait: Any) -> Any:
    """A service begins, ``wait`` after referral."""
    serving(w, k)
    counter = _counter(w, k, c)
    counter.starts += _ONE
    counter.wait += wait
    which = np.int64(lists(w, k).value)
    if which >= 0:
        b = np.int64(min(wait / w.wait_bin, WAIT_BINS - 1.0))
        _waits(w, _turns(w, 0).waits + which * WAIT_BINS + b).count += _ONE


@inlined_step
def served(w: Any, k: Any, c: Any, start: Any, end: Any) -> Any:
    """A spell in service ends (or the horizon comes)."""
    _counter(w, k, c).service_time += _overlap(w, start, end)
    _present(w, k).in_service -= 1


@inlined_step
def completed(w: Any, k: Any, c: Any, start: Any, now: Any) -> Any:
    """A service is complete."""
    served(w, k, c, start, now)
    _counter(w, k, c).completions += _ONE


@inlined_step
def reneged(w: Any, k: Any, c: Any, wait: Any) -> Any:
    """A resident gives up waiting; the spell itself goes to `waited`."""
    counter = _counter(w, k, c)
    counter.reneged += _ONE
    counter.wait_reneged += wait


@inlined_step
def balked(w: Any, k: Any, c: Any) -> Any:
    """A resident finds a full queue, or a station that closes."""
    _counter(w, k, c).balked += _ONE


@inlined_step
def reviewed(w: Any, k: Any, c: Any) -> Any:
    """A desk looks at somebody who waits elsewhere; counted at the desk."""
    _counter(w, k, c).reviewed += _ONE


@inlined_step
def left(w: Any, k: Any, c: Any) -> Any:
    """A resident leaves the network from station ``k``."""
    _counter(w, k, c).exits += _ONE


@step
def closed(w: Any, k: Any, now: Any) -> Any:
    """A stop rule of this moment closes a station. Which one it is does not matter, unless two of them at one moment
    close the same station: then both are taken to hold."""
    for i in range(w.rule_count):
        rule = stop_rules(w, i)
        if rule.at == now:
            for j in range(rule.close_first, rule.close_first + rule.close_count):
                if rule_stations(w, j).value == k:
                    _held(w, i).held = 1


FOLLOWED: Final = np.dtype(
    [("since", "f8"), ("joined", "f8"), ("station", "i4"), ("patient_class", "i4"), ("state", "i4"), ("pad", "i4")]
)
AWAY: Final = 0
WAITING: Final = 1
SERVING: Final = 2


@compiled
def _replay(w: Any, log: Any, who: Any, followed: Any) -> Any:
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
                arrived(w, k, c)
                followed[r].since = now
            else:
                transferred(w, k, c)
            queued(w, k)
            followed[r].joined = now
            followed[r].state = WAITING
        elif e.kind == events.START:
            waited(w, f.station, f.patient_class, f.since, f.joined, now)
            started(w, k, c, now - f.since)
            followed[r].joined = now
            followed[r].state = SERVING
        elif e.kind == events.COMPLETE:
            completed(w, k, c, f.joined, now)
            followed[r].state = AWAY
        elif e.kind == events.RENEGE:
            waited(w, k, c, f.since, f.joined, now)
            reneged(w, k, c, now - f.since)
            followed[r].state = AWAY
        elif e.kind == events.BALK:
            if waiting:
                waited(w, k, c, f.since, f.joined, now)
            balked(w, k, c)
            followed[r].state = AWAY
        elif e.kind == events.CHANGE:
            waited(w, f.station, f.patient_class, f.since, f.joined, now)
            queued(w, k)
            followed[r].joined = now
        elif e.kind == events.REVIEW:
            reviewed(w, k, c)
            continue  # the resident stays where he is
        elif e.kind == events.CLOSE:
            closed(w, k, now)
            continue
        elif e.kind == events.EXIT:
            if waiting:
                waited(w, k, f.patient_class, f.since, f.joined, now)
            left(w, k, c)
            followed[r].state = AWAY
        else:
            continue
        followed[r].station = k
        followed[r].patient_class = c


@step
def close_periods(w: Any) -> Any:
    """The horizon comes: keep what the edges, the warm-up and the snapshots still to come would have kept."""
    t = _turns(w, 0)
    for edge in range(t.edge, w.period_count + 1):
        _keep_sums(w, edge)
    if t.warmed_up == 0:
        _keep_warm_up(w)
    for j in range(t.snapshot, w.snapshot_count):
        _keep_snapshot(w, j)
    t.snapshot = w.snapshot_count


@compiled
def _close(w: Any, followed: Any) -> Any:
    """The horizon comes: count the spells of those who are still there (``followed``, by number)."""
    close_periods(w)
    for r in range(len(followed)):
        f = followed[r]
        if f.state == WAITING:
            waited(w, f.station, f.patient_class, f.since, f.joined, w.horizon)
        elif f.state == SERVING:
            served(w, f.station, f.patient_class, f.joined, w.horizon)


@compiled
def _sum_up(w: Any, cells: Any, snapshots: Any, periods: Any) -> Any:
    for k in range(w.station_count):
        for c in range(w.class_count):
            counter, before, cell = _counter(w, k, c), _warm(w, k, c), cells[k, c]
            cell.arrivals = counter.arrivals - before.arrivals
            cell.starts = counter.starts - before.starts
            cell.completions = counter.completions - before.completions
            cell.exits = counter.exits - before.exits
            cell.reneged = counter.reneged - before.reneged
            cell.balked = counter.balked - before.balked
            cell.transferred = counter.transferred - before.transferred
            cell.reviewed = counter.reviewed - before.reviewed
            cell.wait = counter.wait - before.wait
            cell.wait_reneged = counter.wait_reneged - before.wait_reneged
            cell.queue_time = counter.queue_time  # they know the warm-up by themselves
            cell.service_time = counter.service_time
        overdue = 0
        for j in range(w.snapshot_count):
            overdue += changes(w, j, k).overdue
            shown = snapshots[j, k]
            shown.waiting = _snapshots(w, j, k).waiting
            shown.in_service = _snapshots(w, j, k).in_service
            shown.overdue = overdue
        for m in range(w.period_count):
            then, now, period = _sums(w, m, k), _sums(w, m + 1, k), periods[m, k]
            period.arrivals = now.arrivals - then.arrivals
            period.starts = now.starts - then.starts
            period.completions = now.completions - then.completions
            period.reneged = now.reneged - then.reneged
            period.balked = now.balked - then.balked
            period.reviewed = now.reviewed - then.reviewed
            period.transferred = now.transferred - then.transferred
            period.exits = now.exits - then.exits
            period.wait = now.wait - then.wait


def outcome(world: Addresses) -> dict[str, np.ndarray]:
    """The outcome arrays by name: cells (K, C) `CELL_TALLY`, snapshots (J + 1, K) `SNAPSHOT`, periods (M, K) `PERIOD`,
    waits (M, L, B), held (S,): whether each stop rule held. To be called when the last spell is counted; ``world``
    holds the arrays of a tally."""
    edges, stations = world["sums"].shape
    found = {
        "cells": np.empty(world["counters"].shape, CELL_TALLY),
        "snapshots": np.empty(world["snapshots"].shape, SNAPSHOT),
        "periods": np.empty((edges - 1, stations), PERIOD),
    }
    _sum_up(world, *found.values())
    return {**found, "waits": world["waits"]["count"][:-1].copy(), "held": world["held"]["held"] > 0}


def replay(network: n.Network, log: np.ndarray) -> dict[str, np.ndarray]:
    """The outcome arrays of a log, an array of `flowsim.model.events.EVENT` in the order of the event rule."""
    shape = {"station_count": ("i8", len(network.stations)), "class_count": ("i8", len(network.class_names))}
    horizon = {"horizon": ("f8", network.horizon)}
    filled, _ = Block().arrays(shapes(network), {})
    filled["turn"]["turns"] = -math.inf
    tally = Addresses(filled | fixed(network), shape | horizon | settings(network))
    _, who = np.unique(log["resident"], return_inverse=True)
    followed = np.zeros(int(who.max(initial=-1)) + 1, FOLLOWED)
    _replay(tally, log, who.astype(np.int64), followed)
    _close(tally, followed)
    return outcome(tally)
