"""Stochastic root finding on functions whose root is known: coverage, the states, the budget, interruption."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binom, logistic

from flowsim.analysis import rootfinding
from flowsim.analysis.rootfinding import FIRST, PILOT, BudgetSpent, Root, critical, search
from flowsim.analysis.statistics import Estimate

CELLS = 128
MIDDLE, SCALE = 60.0, 12.0
FUTURES = 4000
Scores = Callable[[int, np.ndarray], np.ndarray]


def thresholds(seed: int, q: float, sign: float = 1.0) -> Scores:
    """Each future meets the goal from a position of its own on: a logistic number."""
    at = np.random.default_rng(seed).logistic(MIDDLE, SCALE, FUTURES)
    return lambda position, futures: (sign * at[futures] <= sign * position) - q


def rising(seed: int) -> Scores:
    """A skewed number per future, whose mean rises with the position through 0 at `MIDDLE`."""
    noise = 3.0 * (np.random.default_rng(seed).exponential(1.0, FUTURES) - 1.0)
    return lambda position, futures: (position - MIDDLE) / 10.0 + noise[futures]


class Purse:
    def __init__(self, scores: Scores, left: int) -> None:
        self.scores, self.left = scores, left

    def __call__(self, position: int, futures: np.ndarray) -> np.ndarray:
        if len(futures) > self.left:
            raise BudgetSpent
        self.left -= len(futures)
        return self.scores(position, futures)


def found(scores: Scores, q: float | None, half_width: float = 4.0, budget: int = 2400) -> Root:
    purse = Purse(scores, budget)
    root, interrupted = search(purse, CELLS, half_width, q, lambda: purse.left)
    assert root is not None
    assert not interrupted
    return root


def holds(root: Root, true: float) -> bool:
    return (root.low is None or root.low <= true) and (root.high is None or true <= root.high)


@pytest.mark.parametrize("q", [0.9, 0.5, 0.1, None])
def test_the_interval_holds_the_root_as_often_as_it_says(q: float | None) -> None:
    """200 searches with fixed seeds that stop by themselves or by the budget. A right interval (95%) is rejected with
    a chance below 0.3%: fewer than 180 of 200 hits."""
    true = MIDDLE if q is None else float(logistic.ppf(q, MIDDLE, SCALE))
    roots = [found(rising(seed) if q is None else thresholds(seed, q), q) for seed in range(200)]
    assert binom.cdf(179, 200, 0.95) < 0.003
    assert sum(holds(root, true) for root in roots) >= 180
    assert all(root.state == "found" for root in roots)
    assert np.mean([root.at for root in roots]) == pytest.approx(true, abs=2.5)


def test_more_precision_takes_more_futures_and_a_known_root_is_found_exactly() -> None:
    coarse, fine = (found(thresholds(3, 0.5), 0.5, half, 20_000) for half in (12.0, 4.0))
    assert coarse.precise
    assert fine.precise
    assert fine.n > coarse.n
    sharp = found(lambda position, futures: np.where(position >= 37, 0.1, -0.9) + 0.0 * futures, 0.9)
    assert (sharp.state, sharp.low, sharp.at, sharp.high, sharp.reversals, sharp.bends) == ("found", 36, 37, 37, 0, ())


def test_a_goal_that_is_met_everywhere_or_nowhere_is_said_to_be() -> None:
    everywhere = found(lambda position, futures: np.full(len(futures), 0.1), 0.9)
    assert (everywhere.state, everywhere.at, everywhere.low, everywhere.high) == ("already", 0, None, 0)
    nowhere = found(lambda position, futures: np.full(len(futures), -0.9), 0.9)
    assert (nowhere.state, nowhere.at, nowhere.low, nowhere.high) == ("not_reached", None, CELLS, None)
    barely = found(thresholds(1, 0.9), 0.9)
    assert barely.state == "found"
    plateau = np.random.default_rng(5).random(FUTURES) < 0.9  # a tenth never meets it: no position is sure to do
    at = np.random.default_rng(6).logistic(MIDDLE, SCALE, FUTURES)
    root = found(lambda position, futures: (plateau[futures] & (at[futures] <= position)) - 0.9, 0.9)
    assert root.high is None
    assert root.low is not None


def test_futures_that_go_back_are_judged_as_they_are_and_counted() -> None:
    """A fifth of the futures forgets at some positions; the root of the mean is known and must be held as often."""
    q = 0.5

    def forgetful(seed: int) -> Scores:
        rng = np.random.default_rng(seed)
        at, salt = rng.logistic(MIDDLE, SCALE, FUTURES), rng.random((CELLS + 1, FUTURES)) < 0.05
        return lambda position, futures: ((at[futures] <= position) & ~salt[position, futures]) - q

    true = float(logistic.ppf(q / 0.95, MIDDLE, SCALE))
    roots = [found(forgetful(seed), q) for seed in range(100)]
    hits = sum(holds(root, true) for root in roots)
    assert hits >= 88  # a 95% interval has fewer with a chance below 0.5%
    assert all(root.reversals > 0 for root in roots)


def test_a_hump_is_searched_up_to_its_top() -> None:
    at = np.random.default_rng(2).logistic(20.0, 3.0, FUTURES)
    root = found(lambda position, futures: ((at[futures] <= position) & (position < 100)) - 0.7, 0.7)
    assert root.state == "found"
    assert root.at is not None
    assert root.at < 40


def test_the_budget_is_kept_and_an_interruption_keeps_the_last_search() -> None:
    purse = Purse(thresholds(1, 0.9), 5 * PILOT - 1)
    assert search(purse, CELLS, 1.0, 0.9, lambda: purse.left) == (None, False)
    calls = []

    def stopped(position: int, futures: np.ndarray) -> np.ndarray:
        calls.append(int(futures.max(initial=0)))
        if calls[-1] >= 4 * FIRST[1]:
            raise KeyboardInterrupt
        return thresholds(1, 0.9)(position, futures)

    root, interrupted = search(stopped, CELLS, 0.5, 0.9)
    assert interrupted
    assert root is not None
    assert root.n == FIRST[1]


def test_critical_numbers_are_those_of_the_binomial_test() -> None:
    for n, q in ((64, 0.9), (100, 0.5), (5, 0.1)):
        few, many = critical(n, q)
        assert binom.cdf(few, n, q) <= 0.025 < binom.cdf(few + 1, n, q)
        assert binom.sf(many - 1, n, q) <= 0.025 < binom.sf(many - 2, n, q)


@pytest.mark.parametrize(
    ("low", "at", "high", "slope"),
    [
        (2, 4, 6, 1.5), (2, 6, None, 1.5), (None, 4, 6, 1.0), (2, 4, 5, 2.0),  # 5 was not simulated
        (4, 4, 4, 0.0), (None, 4, None, 0.0), (None, None, None, 0.0), (6, 8, None, 0.0),  # none that falls
    ],
)  # fmt: skip
def test_slope_around_the_root(low: int | None, at: int | None, high: int | None, slope: float) -> None:
    """From the lowest to the highest of the three that were simulated, per position."""
    means = {2: -3.0, 4: 1.0, 6: 3.0, 8: 2.0}
    path = SimpleNamespace(known={k: {rootfinding.ROOT: mean} for k, mean in means.items()})
    found = SimpleNamespace(low=low, at=at, high=high)
    assert rootfinding._slope(path, found) == slope  # type: ignore[arg-type]


def test_where_the_steps_are_looked_for_on_more_futures() -> None:
    def guesses(low: int | None, at: int | None, high: int | None) -> tuple[int, int, int]:
        return rootfinding._guesses(SimpleNamespace(low=low, at=at, high=high), 0.5, 100)  # type: ignore[arg-type]

    assert guesses(20, 40, 80) == (30, 40, 60)
    assert guesses(None, 40, 80) == (0, 40, 60)
    assert guesses(20, 40, None) == (30, 40, 100)
    assert guesses(20, None, None) == (100, 100, 100)


def test_what_is_known_already_is_not_looked_for_again() -> None:
    """The nearest positions on both sides of the step, when both are known; beyond the end nothing counts."""

    def nobody(position: int, sure: bool = False) -> None:
        raise AssertionError(f"looked at {position}")

    def bracket(known: dict[int, float], last: int) -> tuple[int, int | None]:
        path = SimpleNamespace(known={k: (score,) for k, score in known.items()}, slope=None, at=nobody)
        return rootfinding.Path._bracket(path, 0, 3, last, 1)  # type: ignore[arg-type]

    assert bracket({1: -2.0, 2: -1.0, 6: 1.0, 8: 2.0}, 9) == (2, 6)
    assert bracket({1: -2.0, 2: -1.0, 4: 0.0, 8: -2.0}, 9) == (
        2,
        4,
    )  # exactly 0 is met; what goes back later is passed by
    assert bracket({0: 1.0, 4: 2.0}, 9) == (-1, 0)
    assert bracket({2: -1.0, 5: -1.0, 7: 3.0}, 5) == (5, None)


def test_a_top_before_the_end_is_better_beyond_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of five positions one is held against the end; four could have been: each has a quarter of 5%."""
    asked: list[float] = []
    lows = [0.1, -0.1]

    def difference(end: str, best: str, level: float) -> Estimate:
        assert (end, best) == ("whole 8", "whole 4")
        asked.append(level)
        return Estimate(1.0, lows[len(asked) - 1], 2.0, 64)

    monkeypatch.setattr(rootfinding, "paired_difference", difference)
    known = SimpleNamespace(whole=lambda k, n: f"whole {k}")
    means = {0: 0.0, 2: 1.0, 4: 3.0, 6: 1.0, 8: 2.0}
    assert rootfinding._top(known, list(means), means) == 4  # type: ignore[arg-type]
    assert rootfinding._top(known, list(means), means) == 8  # type: ignore[arg-type]
    assert asked == pytest.approx([1.0 - 0.05 / 4] * 2)
    assert rootfinding._top(known, list(means), means | {8: 3.0}) == 8  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("missed", "at", "high", "low", "state"),
    [
        (None, None, None, 20, "not_reached"), (0, 0, 0, None, "already"), (1, 5, 9, 0, "found"), (2, 5, 9, 1, "found"),
        (0, 3, None, None, "found"),
    ],
)  # fmt: skip
def test_what_the_three_steps_say(
    missed: int | None, at: int | None, high: int | None, low: int | None, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lower end lies one before the first that is not missed beyond doubt; before 0 there is none."""
    steps = {rootfinding.MISSED: missed, rootfinding.ROOT: at, rootfinding.MET: high}
    monkeypatch.setattr(rootfinding, "_shape", lambda path, tried: (0, ()))
    path = SimpleNamespace(
        slope=1.0, probability=None, sure={0, 4}, n=64, known={0: {rootfinding.ROOT: 1.0}, 4: {rootfinding.ROOT: 2.0}},
        first=lambda which, guess, last, step, tolerance: steps[which],
    )  # fmt: skip
    found = rootfinding._searched(path, (0, 0, 0), 20, 10.0)  # type: ignore[arg-type]
    assert (found.state, found.at, found.low, found.high, found.best) == (state, at, low, high, 4)
