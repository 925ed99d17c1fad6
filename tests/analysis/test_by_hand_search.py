"""The search for a root against looking everywhere, and against what it may cost."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from flowsim.analysis import rootfinding as rf
from flowsim.analysis.statistics import mean_interval

CELLS = 96


def table(seed: int, q: float | None) -> np.ndarray:
    """Scores of 3,000 futures at every position: none of them ever goes back."""
    rng = np.random.default_rng(seed)
    if q is None:
        return (np.arange(CELLS + 1)[:, None] - 40.0) / 8.0 + rng.normal(0.0, 3.0, 3000)
    return (rng.logistic(40.0, 9.0, 3000) <= np.arange(CELLS + 1)[:, None]) - q


def everywhere(scores: np.ndarray, q: float | None) -> tuple[int | None, int | None, int | None]:
    """Low end, root and high end, by judging every position on all its futures."""
    n = scores.shape[1]
    missed, met = [], []
    for row in scores:
        if q is None:
            one = mean_interval(row)
            missed.append(one.high < 0.0)
            met.append(one.low >= 0.0)
        else:
            hits = int((row > 0.0).sum())
            missed.append(stats.binom.cdf(hits, n, q) <= 0.025)
            met.append(stats.binom.sf(hits - 1, n, q) <= 0.025)
    above = np.flatnonzero(scores.mean(axis=1) >= -1e-12)
    return (
        int(np.flatnonzero(missed)[-1]) if any(missed) else None,
        int(above[0]) if len(above) else None,
        int(np.flatnonzero(met)[0]) if any(met) else None,
    )


SEARCHES = [(seed, q, half) for q in (0.9, 0.5, 0.2, None) for seed, half in ((1, 3.0), (2, 2.0), (3, 5.0))]


@pytest.mark.parametrize(("seed", "q", "half"), SEARCHES)
def test_the_interval_is_that_of_looking_everywhere(seed: int, q: float | None, half: float) -> None:
    scores = table(seed, q)
    root, interrupted = rf.search(lambda k, futures: scores[k, futures], CELLS, half, q, most=3000)
    assert root is not None
    assert not interrupted
    assert root.state == "found"
    low, at, high = everywhere(scores[:, : root.n], q)
    assert (root.low, root.at, root.high) == (low, at, high)
    assert root.low is not None
    assert root.high is not None
    assert root.precise == (root.high - root.low <= 2.0 * half)
    assert {root.low, root.at, root.high} <= set(root.tried)
    assert root.best == max(root.tried, key=lambda k: scores[k, : root.n].mean())
    assert (root.reversals, root.bends) == (0, ())


COSTS = {
    (1, 0.9, 3.0): 6317, (2, 0.9, 2.0): 9277, (3, 0.9, 5.0): 1338,
    (1, 0.5, 3.0): 2095, (2, 0.5, 2.0): 3526, (3, 0.5, 5.0): 586,
    (1, 0.2, 3.0): 1463, (2, 0.2, 2.0): 4257, (3, 0.2, 5.0): 865,
    (1, None, 3.0): 3392, (2, None, 2.0): 5424, (3, None, 5.0): 1664,
}  # fmt: skip
"""Simulations that these searches take, as they were counted once: what is found cannot tell a search that looks in
needless places, but whoever waits for it can. A search that was made better has other numbers."""


@pytest.mark.parametrize(("seed", "q", "half"), SEARCHES)
def test_what_a_search_costs(seed: int, q: float | None, half: float) -> None:
    scores, asked = table(seed, q), []

    def counted(k: int, futures: np.ndarray) -> np.ndarray:
        asked.append(len(futures))
        return np.asarray(scores[k, futures])

    rf.search(counted, CELLS, half, q, most=3000)
    assert sum(asked) == COSTS[seed, q, half]


def test_the_last_search_is_told_and_the_budget_decides_how_it_begins() -> None:
    scores = table(1, 0.5)
    told: list[rf.Root] = []
    root, _ = rf.search(lambda k, futures: scores[k, futures], CELLS, 4.0, 0.5, told=told.append)
    assert told[-1] == root
    assert told[0].n == 64
    assert [one.n for one in told] == sorted({one.n for one in told})
    for budget, n in ((64 * 8, 64), (64 * 8 - 1, 32)):
        told.clear()
        rf.search(lambda k, futures: scores[k, futures], CELLS, 4.0, 0.5, lambda b=budget: b, told=told.append)
        assert told[0].n == n
    mean = table(1, None)
    for budget, n in ((64 * 14, 64), (64 * 14 - 1, 32)):
        told.clear()
        rf.search(lambda k, futures: mean[k, futures], CELLS, 4.0, None, lambda b=budget: b, told=told.append)
        assert told[0].n == n


def found(**changes: Any) -> rf.Root:
    made: dict[str, Any] = {
        "state": "found", "at": 40, "low": 30, "high": 50, "best": 50, "n": 64, "tried": (30, 40, 50), "reversals": 0,
        "bends": (), "precise": False,
    }  # fmt: skip
    return rf.Root(**(made | changes))


@pytest.mark.parametrize(
    ("changes", "q", "half", "left", "most", "more"),
    [
        ({"precise": True}, 0.5, 4.0, math.inf, 10**6, None),
        ({}, 0.5, 10.0, math.inf, 10**6, 96),  # 1.1 times would do: one and a half times, in steps of 16
        ({}, 0.5, 5.0, math.inf, 10**6, 272),  # 1.1 * (10 / 5)² = 4.4 times: 281
        ({}, 0.5, 1.0, math.inf, 10**6, 320),  # no more than five times
        ({"low": None}, 0.5, 9.0, math.inf, 10**6, 320),
        ({"high": None}, 0.5, 9.0, math.inf, 10**6, 320),
        ({}, 0.5, 1.0, 5 * 200.0, 10**6, 192),
        ({}, None, 1.0, 9 * 200.0, 10**6, 192),
        ({}, 0.5, 1.0, math.inf, 100, 96),
        ({}, 0.5, 1.0, math.inf, 80, 80),  # a quarter more is worth it
        ({}, 0.5, 1.0, math.inf, 79, None),
        ({"state": "not_reached", "low": 50, "at": None, "high": None, "n": 256}, 0.5, 1.0, math.inf, 10**6, None),
        ({"state": "not_reached", "low": 40, "at": None, "high": None, "n": 256}, 0.5, 1.0, math.inf, 10**6, 1280),
        ({"state": "not_reached", "low": 50, "at": None, "high": None, "n": 255}, 0.5, 1.0, math.inf, 10**6, 1264),
        ({"low": 50, "n": 256}, 0.5, 1.0, math.inf, 10**6, 384),
    ],
)
def test_how_many_futures_come_next(
    changes: dict[str, Any], q: float | None, half: float, left: float, most: int, more: int | None
) -> None:
    root = found(**changes)
    path = SimpleNamespace(n=root.n, probability=q)
    assert rf._more(root, path, half, left, most) == more  # type: ignore[arg-type]


def test_scores_are_asked_once() -> None:
    asked: list[tuple[int, list[int]]] = []

    def scores(k: int, futures: np.ndarray) -> np.ndarray:
        asked.append((k, futures.tolist()))
        return futures + 100.0 * k

    known = rf.Known(scores, False)
    assert np.isnan(known.row(3, 2)).all()
    known.simulate(3, np.array([1, 4]))
    assert known.whole(3, 3).tolist() == [300.0, 301.0, 302.0]
    assert known.whole(3, 2).tolist() == [300.0, 301.0]
    assert known.row(3, 6).tolist()[:5] == [300.0, 301.0, 302.0, pytest.approx(math.nan, nan_ok=True), 304.0]
    known.simulate(3, np.array([], int))
    assert asked == [(3, [1, 4]), (3, [0, 2])]
    assert known.implied(5, 2).tolist() == [500.0, 501.0]


def test_who_met_the_goal_lower_down_is_not_simulated() -> None:
    asked: list[tuple[int, list[int]]] = []
    turns = np.array([2, 5, 9, 0, 99])

    def scores(k: int, futures: np.ndarray) -> np.ndarray:
        asked.append((k, futures.tolist()))
        return np.where(turns[futures] <= k, 0.25, -0.75)

    known = rf.Known(scores, True)
    assert known.whole(2, 5).tolist() == [0.25, -0.75, -0.75, 0.25, -0.75]
    assert known.implied(6, 5).tolist() == [0.25, 0.25, -0.75, 0.25, -0.75]
    assert known.implied(4, 5).tolist() == [0.25, -0.75, -0.75, 0.25, -0.75]
    assert asked == [(2, [0, 1, 2, 3, 4]), (6, [1, 2, 4]), (4, [1])]
    first, last = known.turns(5)
    assert first.tolist() == [2.0, 6.0, math.inf, 2.0, math.inf]
    assert last.tolist() == [-math.inf, 4.0, 6.0, -math.inf, 6.0]
    assert known.two == (0.25, -0.75)
    assert rf.Known(scores, True).two == (0.0, 0.0)


def test_a_future_that_goes_back_is_simulated_where_it_is_not_known() -> None:
    known = rf.Known(lambda k, futures: np.full(len(futures), -0.5 if k == 6 else 0.5), True)
    known.whole(2, 1)
    known.whole(6, 1)
    assert known.implied(4, 1).tolist() == [0.5]  # met at 2, missed at 6: says nothing of 4
    assert known.rows[4].tolist() == [0.5]
    first, last = known.turns(1)
    assert (first[0], last[0]) == (2.0, 6.0)


def test_judged_by_hand() -> None:
    """Of 20 with an even chance: up to 5 are too few (2.07%), 15 or more too many."""
    assert rf.critical(20, 0.5) == (5, 15)
    assert rf.critical(3, 0.5) == (-1, 4)
    assert rf.critical(6, 0.5) == (0, 6)
    assert rf.critical(5, 0.5) == (-1, 6)
    for hits in (5, 6, 14, 15):
        scores = np.where(np.arange(20) < hits, 0.5, -0.5)
        missed, mean, met = rf.judged(scores, 0.5)
        assert missed == pytest.approx((hits - 6) / 20)
        assert mean == pytest.approx((hits - 10) / 20)
        assert met == pytest.approx((hits - 15) / 20)
    assert rf.judged(np.array([0.1] * 9 + [-0.9]), 0.9)[rf.ROOT] >= 0.0  # dust of rounding is no miss
    low, mean, high = rf.judged(np.array([1.0, 2.0, 6.0]), None)
    one = mean_interval([1.0, 2.0, 6.0])
    assert (high, mean, low) == (one.low, 3.0, one.high)


def steps(scores: list[float], sure_ones: bool = False) -> tuple[rf.Path, list[int]]:
    """A path over made-up mean scores, and the positions that were looked at."""
    looked: list[int] = []

    def one(k: int, futures: np.ndarray) -> np.ndarray:
        looked.append(k)
        return np.full(len(futures), scores[k])

    return rf.Path(rf.Known(one, False), None, 4), looked


@pytest.mark.parametrize("first", [0, 1, 7, 19, 20, None])
@pytest.mark.parametrize("guess", [0, 7, 12, 20])
def test_the_first_position_is_found_from_any_guess(first: int | None, guess: int) -> None:
    scores = [(k - (99 if first is None else first)) + 0.5 for k in range(21)]
    path, _ = steps(scores)
    assert path.first(rf.ROOT, guess, 20) == first
    assert path.first(rf.MISSED, guess, 20) == first
    if first is not None and first > 0:
        assert path.first(rf.ROOT, guess, first - 1) is None


def test_a_tolerance_saves_steps_and_stays_near() -> None:
    scores = [k - 36.5 for k in range(65)]
    path, looked = steps(scores)
    at = path.first(rf.ROOT, 0, 64, step=4, tolerance=4)
    assert at is not None
    assert 37 <= at <= 40
    exact, more = steps(scores)
    assert exact.first(rf.ROOT, 0, 64, step=4) == 37
    assert len(looked) <= len(more)
    missed, _ = steps(scores)
    below = missed.first(rf.MISSED, 0, 64, step=4, tolerance=4)
    assert below is not None
    assert 34 <= below <= 37


def test_the_secant_of_a_straight_line_needs_no_halving() -> None:
    path, looked = steps([(k - 36.5) / 10 for k in range(65)])
    path.at(0)
    path.at(64)
    assert path._narrowed(rf.ROOT, 0, 64) == (64, 36)
    assert looked == [0, 64, 36]
    assert path._narrowed(rf.ROOT, 36, 64) == (37, 36)
    assert looked == [0, 64, 36, 37]
    curved, looked = steps([-1000.0] * 40 + [1.0] * 25)
    curved.at(0)
    curved.at(64)
    assert curved._narrowed(rf.ROOT, 0, 64) == (63, 32)
    assert looked == [0, 64, 63, 32]
    start, looked = steps([-1.0] * 5 + [3.0] * 5)
    start.at(8)
    assert start._narrowed(rf.ROOT, -1, 8) == (8, 3)
    assert looked == [8, 1, 3]


def test_neighbours_that_are_worse_are_told() -> None:
    """The later one worse by 1 of every future: beyond doubt; equal ones are not."""
    noise = np.random.default_rng(1).normal(size=40)
    means = {0: 0.0, 4: 3.0, 8: 2.0, 9: 2.0}
    jitter = {k: 0.01 * np.random.default_rng(k).normal(size=40) for k in means}
    known = rf.Known(lambda k, futures: (means[k] + noise + jitter[k])[futures], False)
    path = rf.Path(known, None, 40)
    assert rf._shape(path, (0, 4, 8, 9)) == (0, ((4, 8),))
    turns = np.array([1, 1, 3])

    def forgetful(k: int, futures: np.ndarray) -> np.ndarray:
        return np.where((turns[futures] <= k) & ~((futures == 0) & (k == 4)), 0.5, -0.5)

    binary = rf.Path(rf.Known(forgetful, True), 0.5, 3)
    for k in (0, 2, 4):
        binary.at(k, sure=True)
    assert rf._shape(binary, (0, 2, 4))[0] == 1
