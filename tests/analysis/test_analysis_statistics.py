"""Intervals against published numbers, and how often they hold the truth.

Coverage tests: the seed is fixed; an interval that keeps its level would fail a test with probability below 0.001 over
seeds (a band of 3.3 standard errors around the level; one-sided where theory says *at least*).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from flowsim.analysis import answers, comparison
from flowsim.analysis.statistics import (
    Estimate,
    cluster,
    mean_interval,
    mean_intervals,
    paired_difference,
    precision_reached,
    quantile_interval,
    wilson,
)
from flowsim.errors import InputError
from flowsim.plan.years import YEARS

RARELY = 3.3  # standard errors: exceeded on one side with probability 0.0005


def ends(estimate: Estimate) -> tuple[float, float]:
    return estimate.low, estimate.high


# ---------------------------------------------------------------- against published numbers


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    # R. G. Newcombe, Statistics in Medicine 17, 1998, p. 857, table I, method 3 (Wilson's score interval)
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_as_published(hits: int, n: int, low: float, high: float) -> None:
    found = wilson(hits, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=6e-5)
    assert (found.value, found.n) == (hits / n, n)


def test_wilson_at_the_ends_is_exact() -> None:
    assert wilson(0, 10).low == 0.0
    assert wilson(10, 10).high == 1.0
    assert wilson(3, 10).low == pytest.approx(1 - wilson(7, 10).high, rel=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
def test_wilson_as_scipy(level: float) -> None:
    for hits, n in ((0, 1), (1, 1), (3, 7), (500, 1000)):
        expected = stats.binomtest(hits, n).proportion_ci(level, method="wilson")
        assert ends(wilson(hits, n, level)) == pytest.approx(tuple(expected), abs=1e-12)


def test_mean_interval_as_scipy() -> None:
    values = np.random.default_rng(1).gamma(2.0, 3.0, 17)
    found = mean_interval(values, 0.9)
    expected = stats.t.interval(0.9, 16, values.mean(), stats.sem(values))
    assert ends(found) == pytest.approx(tuple(expected), rel=1e-12)
    assert found.half_width == pytest.approx((expected[1] - expected[0]) / 2, rel=1e-12)


def test_what_cannot_be_below_nothing_has_an_interval_that_is_not() -> None:
    """Counts of two futures: the interval of Student's t reaches far below 0, where no mean of counts can be."""
    counts = np.array([[0.0, 5.0, math.nan], [3.0, 5.0, 2.0], [0.0, 5.0, 0.0]])
    whole, cut = mean_interval(counts[:, 0]), mean_interval(counts[:, 0], least=0.0)
    assert whole.low < 0.0
    assert (cut.value, cut.low, cut.high) == (whole.value, 0.0, whole.high)
    assert mean_interval([5.0, 7.0, 6.0], least=0.0) == mean_interval([5.0, 7.0, 6.0])
    means, lows, highs = mean_intervals(counts, least=0.0)
    assert lows.tolist() == [0.0, 5.0, 0.0]
    assert [means[0], highs[0], highs[2]] == [whole.value, whole.high, mean_interval(counts[:, 2]).high]
    assert mean_interval([5.0], least=0.0).low == mean_intervals(counts[:1], least=0.0)[1][0] == -math.inf


def test_an_end_at_nothing_costs_no_coverage() -> None:
    """The interval that is cut holds the mean of Poisson counts in the very cases in which the whole one does."""
    rng = np.random.default_rng(5)
    counts = rng.poisson(0.7, (4000, 5)).astype(float)
    held = {
        least: [e.low <= 0.7 <= e.high for e in (mean_interval(row, least=least) for row in counts)]
        for least in (-math.inf, 0.0)
    }
    assert held[0.0] == held[-math.inf]
    assert any(mean_interval(row).low < 0.0 for row in counts)


def test_counts_by_year_are_not_below_nothing_and_euros_may_be() -> None:
    """What a comparison of two futures says of lists that are nearly empty, and of a network that costs more."""
    two = np.array([[0.0], [3.0]]) * np.ones(len(YEARS))
    measured = {"plan": {"overdue": two, "mean_wait": two, "net_effect": -two}}
    table = comparison.by_year(measured, comparison.without_luck(measured, "plan", None)).set_index("measure")
    whole = mean_interval([0.0, 3.0])
    for measure in ("overdue", "mean_wait"):
        assert table.loc[measure, "mean_low"].eq(0.0).all()
        assert table.loc[measure, "mean_high"].to_numpy() == pytest.approx(whole.high)
    assert table.loc["net_effect", "mean_low"].to_numpy() == pytest.approx(-whole.high)
    assert table.loc["net_effect", "mean_high"].to_numpy() == pytest.approx(-whole.low)
    for measure, values in answers.by_year(measured).groupby("measure"):
        assert (values["mean_low"] < 0.0).any() == (measure == "net_effect")


def test_mean_of_few_observations() -> None:
    one = mean_interval([5.0, math.nan])
    assert (one.value, one.low, one.high, one.n) == (5.0, -math.inf, math.inf, 1)
    none = mean_interval([math.nan])
    assert none.n == 0
    assert math.isnan(none.value)
    assert ends(mean_interval([2.0, 2.0, 2.0])) == (2.0, 2.0)


def test_a_paired_difference_is_the_interval_of_the_differences() -> None:
    before, after = [1.0, 5.0, 9.0, math.nan], [2.0, 7.0, 12.0, 3.0]
    assert paired_difference(before, after) == mean_interval([1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="same length"):
        paired_difference([1.0], [1.0, 2.0])


def test_interval_of_a_median_by_counting() -> None:
    """Of 10 observations, from the 2nd to the 9th: missed with chance 2 (1 + 10) / 2**10 = 0.021; the 3rd: 0.109."""
    found = quantile_interval(np.arange(1.0, 11.0), 0.5)
    assert (found.value, found.low, found.high) == (5.5, 2.0, 9.0)
    assert quantile_interval(np.arange(1.0, 101.0), 0.5, 0.95).low == 40.0
    assert quantile_interval(np.arange(1.0, 101.0), 0.5, 0.95).high == 61.0


def test_quantile_of_too_few_observations_has_no_end() -> None:
    assert ends(quantile_interval([1.0, 2.0, 3.0, 4.0, 5.0], 0.5)) == (-math.inf, math.inf)
    assert quantile_interval(np.arange(30.0), 0.9).high == math.inf
    assert quantile_interval(np.arange(30.0), 0.9).low > 0.0
    assert math.isnan(quantile_interval([], 0.5).value)


def test_variance_by_hand() -> None:
    """Three sets of two: means 1, 3, 8; mean square between 2 * 13 = 26, within (2 + 2 + 8) / 3 = 4."""
    found = cluster([[0.0, 2.0], [2.0, 4.0], [6.0, 10.0]])
    assert found.estimate.value == 4.0
    assert (found.within, found.between) == (4.0, 11.0)
    assert found.share_between == 11.0 / 15.0
    assert found.design_effect == 1.0 + 11.0 / 15.0
    assert ends(found.estimate) == ends(mean_interval([1.0, 3.0, 8.0]))
    assert (found.sets, found.per_set, found.estimate.n) == (3, 2, 6)


def test_variance_between_is_never_negative() -> None:
    found = cluster([[0.0, 4.0], [4.0, 0.0], [1.0, 3.0]])
    assert found.between == 0.0
    assert (found.share_between, found.design_effect) == (0.0, 1.0)


def test_outcomes_that_are_all_equal_count_one_per_set() -> None:
    found = cluster(np.zeros((30, 50)))
    assert ends(found.estimate)[0] == 0.0
    assert wilson(0, 30).high < found.estimate.high < 1.1 * wilson(0, 30).high  # t instead of normal
    assert math.isnan(found.share_between)
    assert math.isnan(found.design_effect)


def test_outcomes_that_only_differ_between_sets_count_one_per_set() -> None:
    rows = np.repeat([[0.0], [1.0], [0.0], [1.0], [1.0]] * 20, 40, axis=1)
    found = cluster(rows)
    assert found.within == 0.0
    assert found.design_effect == 40.0
    assert found.estimate.half_width == pytest.approx(wilson(60, 100).half_width, rel=0.02)


def test_one_replication_per_set_cannot_tell_chance_from_parameters() -> None:
    found = cluster(np.array([[1.0], [0.0], [0.0], [1.0], [1.0]] * 10))
    assert math.isnan(found.between)
    assert math.isnan(found.share_between)
    assert found.estimate.half_width == pytest.approx(wilson(30, 50).half_width, rel=0.05)


def test_one_parameter_set_says_nothing_of_the_parameters() -> None:
    found = cluster([[0.0, 1.0, 1.0]])
    assert ends(found.estimate) == (0.0, 1.0)
    assert ends(cluster([[3.0, 4.0, 8.0]]).estimate) == (-math.inf, math.inf)


# ---------------------------------------------------------------- how often they hold the truth


def held(intervals: list[Estimate], truth: float) -> tuple[float, float]:
    """Share of the intervals that hold the truth, and its standard error."""
    share = float(np.mean([one.low <= truth <= one.high for one in intervals]))
    return share, math.sqrt(0.95 * 0.05 / len(intervals))


def test_mean_intervals_hold_the_mean_as_often_as_they_say() -> None:
    samples = np.random.default_rng(20).normal(3.0, 2.0, (4000, 8))
    share, error = held([mean_interval(sample) for sample in samples], 3.0)
    assert abs(share - 0.95) < RARELY * error


def test_wilson_holds_the_probability_about_as_often_as_it_says() -> None:
    """Exact coverage, no sampling: it swings around the level (Brown, Cai and DasGupta 2001), here for n = 50."""
    found = [wilson(hits, 50) for hits in range(51)]
    covered = np.array([[one.low <= p <= one.high for one in found] for p in np.linspace(0.05, 0.95, 181)])
    mass = np.array([stats.binom.pmf(np.arange(51), 50, p) for p in np.linspace(0.05, 0.95, 181)])
    coverage = (covered * mass).sum(axis=1)
    assert coverage.min() > 0.92
    assert coverage.max() < 0.985
    assert abs(coverage.mean() - 0.95) < 0.005


@pytest.mark.parametrize(("n", "probability"), [(40, 0.5), (100, 0.9), (25, 0.25)])
def test_quantile_intervals_hold_the_quantile_at_least_as_often_as_they_say(n: int, probability: float) -> None:
    truth = float(stats.expon.ppf(probability))
    samples = np.random.default_rng(21).exponential(1.0, (3000, n))
    share, error = held([quantile_interval(sample, probability) for sample in samples], truth)
    assert share > 0.95 - RARELY * error
    assert share < 0.99  # and they are no wider than the steps between order statistics make them


def two_levels(rng: np.random.Generator, sets: int, per_set: int, a: float, b: float) -> np.ndarray:
    chance = rng.beta(a, b, (sets, 1))
    return (rng.random((sets, per_set)) < chance).astype(float)


@pytest.mark.parametrize(
    ("a", "b", "sets", "per_set"),
    [(0.3, 0.7, 50, 20), (2.0, 2.0, 60, 10), (0.2, 1.8, 100, 10), (1e6, 3e6, 40, 25)],
)
def test_two_level_intervals_hold_the_probability(a: float, b: float, sets: int, per_set: int) -> None:
    """From almost all variance in the parameters (beta 0.3, 0.7) to none (beta 1e6, 3e6)."""
    rng = np.random.default_rng(22)
    found = [cluster(two_levels(rng, sets, per_set, a, b)).estimate for _ in range(1500)]
    share, error = held(found, a / (a + b))
    assert share > 0.94 - RARELY * error  # at most one per cent short of the level
    assert share < 0.99


def test_intervals_that_forget_the_parameters_are_far_too_short() -> None:
    """What the two levels are for: the same outcomes, taken as independent, miss the truth one time in three."""
    rng = np.random.default_rng(23)
    naive = []
    for _ in range(800):
        outcomes = two_levels(rng, 50, 20, 0.3, 0.7)
        naive.append(wilson(int(outcomes.sum()), outcomes.size))
    assert held(naive, 0.3)[0] < 0.65


def test_variance_components_come_back() -> None:
    """Unbiased (Searle et al., chapter 3): means over 400 designs within 3.3 standard errors of the truth."""
    rng = np.random.default_rng(24)
    parts = []
    for _ in range(400):
        truth = rng.normal(0.0, 3.0, (30, 1))
        found = cluster(truth + rng.normal(0.0, 2.0, (30, 6)))
        parts.append((found.between, found.within))
    array = np.array(parts)
    errors = array.std(axis=0, ddof=1) / 20.0
    assert (np.abs(array.mean(axis=0) - [9.0, 4.0]) < RARELY * errors).all()


def test_sequential_stopping_keeps_most_of_the_coverage() -> None:
    """Stopping once the interval is short enough costs a little coverage (Chow and Robbins: none in the limit)."""
    rng = np.random.default_rng(25)
    stopped = []
    for _ in range(600):
        values = rng.normal(0.0, 1.0, 400)
        for n in range(10, 401, 5):
            estimate = mean_interval(values[:n])
            if precision_reached(estimate, 0.25):
                break
        assert estimate.half_width <= 0.25
        stopped.append(estimate)
    share, error = held(stopped, 0.0)
    assert share > 0.92 - RARELY * error
    assert 40 < np.mean([one.n for one in stopped]) < 80  # (1.96 / 0.25)**2 = 61


def test_precision_is_not_reached_by_accident() -> None:
    assert not precision_reached(Estimate(0.0, 0.0, 0.0, 9), 0.1)
    assert precision_reached(Estimate(0.0, -0.1, 0.1, 10), 0.1)
    assert not precision_reached(Estimate(0.0, -0.11, 0.1, 10), 0.1)
    assert not precision_reached(Estimate(math.nan, math.nan, math.nan, 100), 0.1)
    assert not precision_reached(Estimate(0.0, -math.inf, math.inf, 100), 0.1)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("call", "where"),
    [
        (lambda: wilson(5, 4), "successes, n"),
        (lambda: wilson(0, 0), "successes, n"),
        (lambda: wilson(-1, 4), "successes, n"),
        (lambda: wilson(1.5, 4), "successes, n"),  # type: ignore[arg-type]
        (lambda: wilson(1, 4, 1.0), "level"),
        (lambda: mean_interval([1.0, 2.0], 0.0), "level"),
        (lambda: mean_interval([1.0], math.nan), "level"),
        (lambda: mean_interval([[1.0, 2.0]]), "values"),  # type: ignore[list-item]
        (lambda: quantile_interval([1.0, 2.0], 1.0), "probability"),
        (lambda: cluster([1.0, 2.0]), "values"),
        (lambda: cluster(np.empty((0, 3))), "values"),
        (lambda: cluster([[1.0, math.nan]]), "values"),
        (lambda: cluster([[0.5, 1.0]], probability=True), "values"),
        (lambda: precision_reached(Estimate(0.0, 0.0, 0.0, 20), 0.0), "half_width"),
    ],
)
def test_bad_input_is_refused(call: Any, where: str) -> None:
    with pytest.raises(InputError, match=f"^{where}: found"):
        call()


@pytest.mark.parametrize("count", [1, 2, 9])
def test_intervals_of_many_columns_are_those_of_each(count: int) -> None:
    values = np.random.default_rng(4).normal(size=(count, 5))
    values[0, 3] = np.nan
    mean, low, high = mean_intervals(values, 0.9)
    for i in range(5):
        one = mean_interval(values[:, i], 0.9)
        assert [mean[i], low[i], high[i]] == pytest.approx([one.value, one.low, one.high], nan_ok=True)
