"""What the fold over events counts, against the plainest count there is: who is where at a moment, asked of everybody.

Logs are made up: people who wander between three stations, on a grid of half days, so that many things happen at
the very moment of a snapshot, an edge of a period, the end of the warm-up or the norm.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from flowsim.model import events as e
from flowsim.model import tally
from flowsim.model.network import Network

HORIZON, WARM_UP, EVERY, NORM, BIN = 20.0, 4.0, 3.0, 2.5, 1.5
EDGES = [2.0, 7.5, 9.0, 18.0]
STATIONS, CLASSES = 3, 2
LISTED = {0: 0, 2: 1}
"""Station -> waiting list; the other has none."""


def network(**changes: Any) -> Network:
    """Three stations, two of them with a list; class b has the longer name of the two."""
    lists = {0: {"waiting_list": "ggz"}, 2: {"waiting_list": "other"}}
    service = {"distribution": "exponential", "mean": 1.0}
    stations = [{"name": f"s{k}", "servers": 1, "service": service} | lists.get(k, {}) for k in range(STATIONS)]
    return Network.from_dict(
        {
            "horizon": HORIZON,
            "warm_up": WARM_UP,
            "snapshot_every": EVERY,
            "periods": EDGES,
            "waiting_norm": NORM,
            "wait_bin": BIN,
            "classes": ["a", "b"],
            "stations": stations,
            "arrivals": [{"class": c, "station": f"s{k}", "rate": 1.0} for k in range(STATIONS) for c in "ab"],
        }
        | changes
    )


@dataclass
class Told:
    """What happened, by person: lines of the log, spells (state, station, class, since, from, to), and happenings."""

    lines: list[tuple[float, int, int, int, int]] = field(default_factory=list)
    spells: list[tuple[str, int, int, float, float, float]] = field(default_factory=list)
    happened: list[tuple[str, int, int, float, float]] = field(default_factory=list)  # what, station, class, time, wait


def wander(number: int, luck: random.Random, told: Told) -> None:
    """One person's way: waits, is served, changes class, is sent on, gives up, leaves."""

    def line(time: float, kind: int) -> None:
        told.lines.append((time, number, kind, k, c))

    def happen(what: str, wait: float = 0.0) -> None:
        told.happened.append((what, k, c, now, wait))

    k, c = luck.randrange(STATIONS), luck.randrange(CLASSES)
    now, how = 0.0, luck.random()
    since = joined = now
    if how < 0.25:
        since = joined = -luck.randrange(8) / 2
        state = "waiting"
        line(since, e.WAITING_AT_START)
    elif how < 0.4:
        state = "served"
        line(now, e.IN_SERVICE_AT_START)
    else:
        now = luck.randrange(int(2 * HORIZON)) / 2
        since = joined = now
        state = "waiting"
        line(now, e.ARRIVE)
        happen("arrivals")
    while True:
        later = now + luck.choice([0.0, 0.5, 0.5, 1.0, 1.5, 3.0, 6.0])
        if later >= HORIZON:
            told.spells.append((state, k, c, since, joined, HORIZON))
            return
        now = later
        if state == "served":
            told.spells.append((state, k, c, since, joined, now))
            line(now, e.COMPLETE)
            happen("completions")
            if luck.random() < 0.5:
                line(now, e.EXIT)
                happen("exits")
                return
            k = luck.randrange(STATIONS)
            line(now, e.ARRIVE)
            happen("arrivals")
            since = joined = now
            state = "waiting"
            continue
        what = luck.choice(
            ["start"] * 4 + ["renege", "balk", "change", "review", "transfer", "sent", "leave", "ticket"]
        )
        if what in ("review", "ticket"):  # nothing changes for who waits
            line(now, e.REVIEW if what == "review" else luck.choice([e.TICKET, e.DROP]))
            if what == "review":
                happen("reviewed")
            continue
        told.spells.append((state, k, c, since, joined, now))
        joined = now
        if what == "start":
            line(now, e.START)
            happen("starts", now - since)
            state = "served"
        elif what == "change":
            c = 1 - c
            line(now, e.CHANGE)
        elif what in ("transfer", "sent"):
            k = (k + 1) % STATIONS
            line(now, e.TRANSFER if what == "transfer" else e.ARRIVE)
            happen("transferred" if what == "transfer" else "arrivals")
            since = since if what == "transfer" else now
        else:
            if what == "renege":
                line(now, e.RENEGE)
                happen("reneged", now - since)
            elif what == "balk":
                line(now, e.BALK)
                happen("balked")
            line(now, e.EXIT)
            happen("exits")
            return


def story(seed: int) -> tuple[Told, np.ndarray]:
    """What sixty people did, and the log of it in the order of time."""
    luck, told = random.Random(seed), Told()
    for number in range(60):
        wander(number, luck, told)
    ordered = sorted(told.lines, key=lambda one: max(one[0], 0.0))  # who is there at the start comes first
    log = np.zeros(len(ordered), e.EVENT)
    for i, (time, number, kind, k, c) in enumerate(ordered):
        log[i] = (time, number, kind, k, c, 0)
    return told, log


SEEDS = range(6)


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_per_station_and_class(seed: int) -> None:
    told, log = story(seed)
    cells = tally.replay(network(), log)["cells"]
    counted: dict[tuple[str, int, int], float] = {}
    for what, k, c, time, wait in told.happened:
        if time >= WARM_UP:
            counted[what, k, c] = counted.get((what, k, c), 0) + 1
            if what in ("starts", "reneged"):
                name = {"starts": "wait", "reneged": "wait_reneged"}[what]
                counted[name, k, c] = counted.get((name, k, c), 0) + wait
    for state, k, c, _, begin, end in told.spells:
        name = {"waiting": "queue_time", "served": "service_time"}[state]
        counted[name, k, c] = counted.get((name, k, c), 0) + max(0.0, end - max(begin, WARM_UP))
    for name in tally.CELL_TALLY.names or ():
        for k in range(STATIONS):
            for c in range(CLASSES):
                assert cells[name][k, c] == pytest.approx(counted.get((name, k, c), 0)), (name, k, c)


@pytest.mark.parametrize("seed", SEEDS)
def test_numbers_per_period(seed: int) -> None:
    """A period holds what happens from its first moment up to the next one's; what lies outside is in none."""
    told, log = story(seed)
    found = tally.replay(network(), log)
    expected = np.zeros((len(EDGES) - 1, STATIONS), tally.PERIOD)
    waits = np.zeros_like(found["waits"])
    outside = 0
    for what, k, _, time, wait in told.happened:
        period = bisect_right(EDGES, time) - 1
        if not 0 <= period < len(EDGES) - 1:
            outside += 1
            continue
        expected[what][period, k] += 1
        if what == "starts":
            expected["wait"][period, k] += wait
            if k in LISTED:
                waits[period, LISTED[k], int(wait / BIN)] += 1
    assert outside > 0
    for name in tally.PERIOD.names or ():
        np.testing.assert_allclose(found["periods"][name], expected[name], err_msg=name)
    np.testing.assert_array_equal(found["waits"], waits)


@pytest.mark.parametrize("seed", SEEDS)
def test_who_is_there_at_a_snapshot(seed: int) -> None:
    """After all that happens at the moment; overdue: longer than the norm, not at its very moment, and on a list."""
    told, log = story(seed)
    found = tally.replay(network(), log)["snapshots"]
    times = [0.0, 3.0, 6.0, 9.0, 12.0, 15.0, 18.0]
    assert tally.snapshot_times(network()).tolist() == times
    at_the_norm = 0
    for j, time in enumerate(times):
        for k in range(STATIONS):
            here = [one for one in told.spells if one[1] == k and one[4] <= time < one[5]]
            waiting = [one for one in here if one[0] == "waiting"]
            late = [one for one in waiting if time > one[3] + NORM and k in LISTED]
            at_the_norm += sum(time == one[3] + NORM for one in waiting)
            assert found["waiting"][j, k] == len(waiting), (time, k)
            assert found["in_service"][j, k] == len(here) - len(waiting), (time, k)
            assert found["overdue"][j, k] == len(late), (time, k)
    assert at_the_norm > 0


def test_a_horizon_that_is_a_multiple_is_a_snapshot() -> None:
    times = tally.snapshot_times(network(snapshot_every=0.1))
    assert len(times) == 201
    assert times[-1] == pytest.approx(HORIZON)
    lines = [(19.0, 1, e.ARRIVE, 0, 0), (19.5, 2, e.ARRIVE, 0, 0), (19.5, 2, e.START, 0, 0)]
    log = np.zeros(3, e.EVENT)
    for i, one in enumerate(lines):
        log[i] = (*one, 0)
    last = tally.replay(network(snapshot_every=5.0), log)["snapshots"][-1, 0]
    assert (last["waiting"], last["in_service"], last["overdue"]) == (1, 1, 0)


def test_a_wait_beyond_the_last_bin_is_in_the_last_bin() -> None:
    lines = [(0.0, 1, e.ARRIVE, 0, 0), (8.0, 1, e.START, 0, 0), (0.0, 2, e.ARRIVE, 0, 0), (8.0, 2, e.START, 0, 0)]
    log = np.zeros(4, e.EVENT)
    for i, one in enumerate(sorted(lines)):
        log[i] = (*one, 0)
    waits = tally.replay(network(wait_bin=8.0 / 300), log)["waits"]
    assert waits[1, 0, tally.WAIT_BINS - 1] == 2
    assert waits.sum() == 2
    assert tally.WAIT_BINS == 256


def test_nothing_happened() -> None:
    found = tally.replay(network(), np.zeros(0, e.EVENT))
    assert all(not one.tobytes().strip(b"\0") for one in found.values())
