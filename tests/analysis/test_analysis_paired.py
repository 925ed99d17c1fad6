"""Paired comparisons: published values, coverage by simulation with a stated rate, exact zeros."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binom, norm

from flowsim.analysis import paired
from flowsim.analysis.paired import largest_t, paired_proportions, simultaneous, variance_gain
from flowsim.analysis.statistics import student
from flowsim.errors import InputError

FALSE_ALARM = 1e-4
"""Of every test by simulation here, had its seed not been fixed."""


def pairs(both: int, only_second: int, only_first: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    cells = ((True, True, both), (False, True, only_second), (True, False, only_first), (False, False, neither))
    rows = [(a, b) for a, b, count in cells for _ in range(count)]
    first, second = np.array(rows, bool).T
    return first, second


@pytest.mark.parametrize(
    ("cells", "low", "high"),
    [  # Newcombe, Statistics in Medicine 17, 1998, p. 2635: method 10
        ((36, 12, 2, 0), 0.0569, 0.3404),
        ((0, 54, 0, 0), 0.9061, 1.0),
        ((54, 0, 0, 0), -0.0664, 0.0664),
    ],
)
def test_newcombes_interval(cells: tuple[int, int, int, int], low: float, high: float) -> None:
    estimate = paired_proportions(*pairs(*cells))
    assert estimate.value == pytest.approx((cells[1] - cells[2]) / sum(cells))
    assert (estimate.low, estimate.high) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


def test_the_interval_of_proportions_turns_round_with_the_pair() -> None:
    first, second = pairs(20, 9, 3, 30)
    there, back = paired_proportions(first, second), paired_proportions(second, first)
    assert (there.value, there.low, there.high) == pytest.approx((-back.value, -back.high, -back.low))


def wilsons(successes: int, n: int) -> tuple[float, float, float]:
    """A share and the ends of its 95% interval."""
    z, p = float(norm.ppf(0.975)), successes / n
    middle, half = p + z * z / (2 * n), z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    return p, (middle - half) / (1 + z * z / n), (middle + half) / (1 + z * z / n)


@pytest.mark.parametrize(
    "cells", [(5, 4, 3, 4), (4, 4, 4, 4), (3, 6, 5, 2), (9, 3, 1, 9), (1, 1, 0, 1), (12, 0, 0, 3), (0, 5, 7, 0)]
)
def test_newcombes_interval_by_hand(cells: tuple[int, int, int, int]) -> None:
    """With phi corrected for continuity: less half of the pairs, never below 0 by that; as it is where negative."""
    both, only_second, only_first, neither = cells
    n = sum(cells)
    p2, low2, high2 = wilsons(both + only_second, n)
    p1, low1, high1 = wilsons(both + only_first, n)
    product = (both + only_second) * (only_first + neither) * (both + only_first) * (only_second + neither)
    agreement = both * neither - only_second * only_first
    if agreement > 0:
        agreement = max(agreement - n / 2, 0)
    phi = agreement / math.sqrt(product) if product else 0.0
    down, up = p2 - low2, high2 - p2
    down_1, up_1 = p1 - low1, high1 - p1
    found = paired_proportions(*pairs(*cells))
    assert found.value == pytest.approx(p2 - p1)
    assert found.low == pytest.approx(p2 - p1 - math.sqrt(down**2 - 2 * phi * down * up_1 + up_1**2))
    assert found.high == pytest.approx(p2 - p1 + math.sqrt(up**2 - 2 * phi * up * down_1 + down_1**2))


def test_the_same_outcomes_differ_by_exactly_nothing() -> None:
    outcomes, _ = pairs(20, 0, 10, 5)
    estimate = paired_proportions(outcomes, outcomes)
    assert estimate.value == 0.0
    assert estimate.low <= 0.0 <= estimate.high


def test_paired_proportions_hold_their_level() -> None:
    """Pairs of which one outcome is rare, as clearing is; the share covered against its binomial band around 95%.

    The interval is approximate: what is refused is less than 93%, at the stated rate.
    """
    generator = np.random.default_rng(11)
    runs, n, truth = 1500, 64, 0.12 - 0.03
    covered = 0
    for _ in range(runs):
        u = generator.random(n)
        second = u < 0.12
        first = (u < 0.02) | (u > 0.99)  # 3%, two thirds of them together with the second
        estimate = paired_proportions(first, second)
        covered += estimate.low <= truth <= estimate.high
    assert covered >= binom.ppf(FALSE_ALARM, runs, 0.93)


def test_pairs_of_different_length_are_refused() -> None:
    with pytest.raises(InputError, match="two rows of the same length"):
        paired_proportions(np.ones(3, bool), np.ones(4, bool))


def synthetic(generator: np.random.Generator, n: int, common: float) -> np.ndarray:
    """Twelve differences that hang together as years and outcomes do, mean zero, scales far apart."""
    shared = generator.standard_normal((n, 1))
    own = generator.standard_normal((n, 12))
    scales = np.logspace(-1, 4, 12)
    return np.asarray((math.sqrt(common) * shared + math.sqrt(1.0 - common) * own) * scales)


@pytest.mark.parametrize("common", [0.0, 0.9])
def test_simultaneous_intervals_hold_together_at_their_level(common: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Coverage of all twelve at once against its binomial band around 95%, both ways, at the stated rate."""
    monkeypatch.setattr(paired, "DRAWS", 4000)  # of each of 400 quantiles
    generator = np.random.default_rng(12)
    runs = 400
    covered = 0
    for _ in range(runs):
        estimates, _ = simultaneous(synthetic(generator, 24, common))
        covered += all(one.low <= 0.0 <= one.high for one in estimates)
    low, high = binom.ppf((FALSE_ALARM / 2, 1 - FALSE_ALARM / 2), runs, 0.95)
    assert low <= covered <= high


def test_intervals_one_by_one_do_not_hold_together() -> None:
    """What the simultaneous intervals are for: with Student's quantile, twelve at once hold far less often."""
    generator = np.random.default_rng(13)
    runs, critical, covered = 200, student(0.95, 23), 0
    for _ in range(runs):
        values = synthetic(generator, 24, 0.0)
        t = np.abs(values.mean(axis=0)) / values.std(axis=0, ddof=1) * math.sqrt(24)
        covered += bool((t <= critical).all())
    assert covered < 0.75 * runs


def test_the_critical_value_lies_between_one_comparison_and_bonferroni() -> None:
    values = synthetic(np.random.default_rng(14), 30, 0.9)
    one, all_of_them = largest_t(values[:, :1]), largest_t(values)
    assert one == pytest.approx(student(0.95, 29))
    assert one < all_of_them < student(1.0 - 0.05 / 12, 29)
    assert all_of_them == largest_t(values)  # a seed of its own


def test_a_column_without_spread_has_an_interval_without_length() -> None:
    values = np.zeros((20, 3))
    values[:, 1] = np.random.default_rng(15).standard_normal(20)
    values[:, 2] = 7.0
    (zero, some, seven), critical = simultaneous(values)
    assert (zero.value, zero.low, zero.high) == (0.0, 0.0, 0.0)
    assert (seven.low, seven.high) == (7.0, 7.0)
    assert some.half_width == pytest.approx(student(0.95, 19) * values[:, 1].std(ddof=1) / math.sqrt(20))
    assert critical == pytest.approx(student(0.95, 19))


def test_the_gain_of_pairing() -> None:
    generator = np.random.default_rng(16)
    first = generator.standard_normal(50_000)
    second = 0.8 * first + 0.6 * generator.standard_normal(50_000)  # correlation 0.8: 2 / (2 - 1.6)
    assert variance_gain(first, second) == pytest.approx(5.0, rel=0.03)
    assert variance_gain(first, first + 3.0) > 1e12
    assert math.isnan(variance_gain(np.ones(5), np.zeros(5)))
    assert math.isnan(variance_gain(np.ones(1), np.zeros(1)))


@pytest.mark.parametrize("n", [4, 8, 30])
def test_the_largest_of_the_same_t_twice_is_students(n: int) -> None:
    """Two columns that are one and the same: the critical value has n - 1 degrees of freedom."""
    values = np.random.default_rng(n).standard_normal((n, 1))
    both = np.hstack([values, 3.0 * values])
    assert largest_t(both) == pytest.approx(student(0.95, n - 1), rel=0.03)  # drawn 20,000 times
