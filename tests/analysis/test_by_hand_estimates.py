"""Estimates from a handful of numbers, each worked out anew: plain sums, and quantiles from tables of scipy.stats."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from flowsim.analysis import adjusted, controls, information, paired, sensitivity, verdict
from flowsim.analysis import statistics as s
from flowsim.analysis import weighing as w
from flowsim.analysis.statistics import Estimate
from flowsim.errors import InputError

T975 = {n: float(stats.t.ppf(0.975, n)) for n in range(1, 60)}
Z975 = float(stats.norm.ppf(0.975))


def numbers(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def score_interval(share: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's interval as the roots of (share - p)² = z² p (1 - p) / n."""
    roots = np.roots([1.0 + z * z / n, -(2.0 * share + z * z / n), share * share])
    return float(roots.min()), float(roots.max())


@pytest.mark.parametrize(
    "function",
    [
        s.share_interval, s.wilson, s.mean_interval, s.paired_difference, s.quantile_interval, s.cluster,
        paired.paired_proportions, paired.largest_t, paired.simultaneous, adjusted.adjusted_probability,
        adjusted.adjusted_together, adjusted.in_turn, information.evppi, information.evsi, information.evpi,
        information.evsi_of_summary, sensitivity.morris, sensitivity.sobol, controls.controlled,
    ],
)  # fmt: skip
def test_an_interval_is_a_95_percent_interval_unless_asked_otherwise(function: Any) -> None:
    parameters = inspect.signature(function).parameters
    assert "level" not in parameters or parameters["level"].default == 0.95


def test_half_a_width() -> None:
    assert Estimate(2.0, 1.0, 4.0, 3).half_width == 1.5


@pytest.mark.parametrize("level", [1e-9, 0.3, 0.9999])
def test_levels_between_0_and_1_are_levels(level: float) -> None:
    assert s.normal(level) == pytest.approx(stats.norm.ppf(0.5 + level / 2))
    assert s.student(level, 1) == pytest.approx(stats.t.ppf(0.5 + level / 2, 1))
    assert s.student(level, 7) == pytest.approx(stats.t.ppf(0.5 + level / 2, 7))
    assert s.student(level, 0) == math.inf


@pytest.mark.parametrize("level", [0.0, 1.0, -0.5, 1.5])
def test_others_are_none(level: float) -> None:
    for call in (s.normal, lambda x: s.student(x, 3), lambda x: s.mean_interval([], x), lambda x: s.wilson(1, 2, x)):
        with pytest.raises(InputError, match=r"^level: found .*; expected a number between 0 and 1, such as 0.95"):
            call(level)


def test_values_are_one_row() -> None:
    with pytest.raises(InputError, match=r"found an array of 2 dimensions; expected one row of numbers"):
        s.mean_interval(np.zeros((2, 2)))
    with pytest.raises(InputError, match=r"found an array of 0 dimensions"):
        s.mean_interval(np.array(3.0))


@pytest.mark.parametrize(("share", "size", "degrees"), [(0.3, 12.7, 11), (0.5, 2.0, 1), (0.9, 30.0, 29)])
def test_interval_of_a_share_on_an_effective_number(share: float, size: float, degrees: int) -> None:
    assert s.share_interval(share, size) == pytest.approx(score_interval(share, size, T975[degrees]))


def test_a_share_of_fewer_than_two_trials_may_be_anything() -> None:
    assert s.share_interval(0.4, 1.9) == (0.0, 1.0)
    assert s.share_interval(0.0, 0.5) == (0.0, 1.0)
    low, high = s.share_interval(1.0, 9.0)
    assert (low, high) == (pytest.approx(score_interval(1.0, 9.0, T975[8])[0]), 1.0)
    low, high = s.share_interval(0.0, 9.0)
    assert (low, high) == (0.0, pytest.approx(score_interval(0.0, 9.0, T975[8])[1]))


@pytest.mark.parametrize(("hits", "n"), [(1, 3), (7, 9), (0, 4), (4, 4), (1, 1)])
def test_wilson_by_its_equation(hits: int, n: int) -> None:
    found = s.wilson(hits, n)
    assert numbers(found) == pytest.approx((hits / n, *score_interval(hits / n, n, Z975)), abs=1e-12)
    assert found.n == n


def test_what_wilson_refuses_it_names() -> None:
    with pytest.raises(InputError, match=r"successes, n: found 1.5, 3; expected whole numbers"):
        s.wilson(1.5, 3)  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"found 4, 3; expected 0 <= successes <= n and n at least 1"):
        s.wilson(4, 3)


def test_mean_by_hand() -> None:
    found = s.mean_interval([1.0, 2.0, math.nan, 6.0])  # mean 3, variance (4 + 1 + 9) / 2 = 7
    reach = T975[2] * math.sqrt(7.0 / 3.0)
    assert numbers(found) == pytest.approx((3.0, 3.0 - reach, 3.0 + reach))
    assert found.n == 3
    assert s.mean_interval([1.0, 2.0]).half_width == pytest.approx(T975[1] * 0.5)


def test_a_difference_is_second_less_first() -> None:
    found = s.paired_difference([1.0, 1.0, 1.0], [2.0, 3.0, 7.0])
    assert numbers(found) == pytest.approx(numbers(s.mean_interval([1.0, 2.0, 6.0])))
    with pytest.raises(InputError, match=r"found shapes \(2,\) and \(3,\)"):
        s.paired_difference([1.0, 1.0], [1.0, 1.0, 1.0])
    with pytest.raises(InputError, match=r"found shapes \(1, 1\) and \(1, 1\)"):
        s.paired_difference(np.ones((1, 1)), np.ones((1, 1)))


@pytest.mark.parametrize(("n", "q"), [(12, 0.5), (40, 0.25), (40, 0.9), (7, 0.5), (6, 0.5), (5, 0.5), (100, 0.03)])
def test_ends_of_a_quantile_by_trying_them_all(n: int, q: float) -> None:
    """The l-th smallest is above the quantile when at most l - 1 are below it; the u-th below it when u or more are."""
    found = s.quantile_interval(np.arange(1.0, n + 1.0)[::-1], q)
    lowers = [k for k in range(1, n + 1) if stats.binom.cdf(k - 1, n, q) <= 0.025]
    uppers = [k for k in range(1, n + 1) if stats.binom.sf(k - 1, n, q) <= 0.025]
    assert found.low == max(lowers, default=-math.inf)
    assert found.high == min(uppers, default=math.inf)
    assert found.value == pytest.approx(1.0 + q * (n - 1))
    assert found.n == n


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_a_quantile_lies_inside(probability: float) -> None:
    with pytest.raises(InputError, match=r"probability: found .*; expected a number between 0 and 1"):
        s.quantile_interval([1.0], probability)
    none = s.quantile_interval([], 0.5)
    assert none.n == 0
    assert np.isnan(numbers(none)).all()


def test_two_levels_of_yes_and_no_by_hand() -> None:
    """Three sets of four: means 1/4, 3/4, 1; mean 2/3. Between 4 (25/144 + 1/144 + 16/144) / 2 = 7/12, within
    (3/4 + 3/4 + 0) / 9 = 1/6; so (7/12 - 1/6) / 4 = 5/48 lies between sets."""
    found = s.cluster([[1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]])
    assert (found.within, found.between) == pytest.approx((1 / 6, 5 / 48))
    assert found.share_between == pytest.approx(5 / 13)
    assert found.design_effect == pytest.approx(1.0 + 3 * 5 / 13)
    expected = score_interval(2 / 3, 12 / (1.0 + 15 / 13), T975[2])
    assert numbers(found.estimate) == pytest.approx((2 / 3, *expected))
    assert (found.sets, found.per_set, found.estimate.n) == (3, 4, 12)
    as_mean = s.cluster([[1, 0, 0, 0], [1, 1, 1, 0], [1, 1, 1, 1]], probability=False).estimate
    assert numbers(as_mean) == pytest.approx(numbers(s.mean_interval([0.25, 0.75, 1.0])))


def test_two_levels_at_their_edges() -> None:
    one_each = s.cluster([[1.0], [0.0], [1.0]])
    assert numbers(one_each.estimate) == pytest.approx((2 / 3, *score_interval(2 / 3, 3, T975[2])))
    assert np.isnan([one_each.between, one_each.within, one_each.design_effect]).all()
    one_set = s.cluster([[2.0, 4.0, 6.0]])
    assert (one_set.within, one_set.estimate.value) == (4.0, 4.0)
    assert math.isnan(one_set.between)
    two = s.cluster([[1.0, 0.0], [1.0, 1.0]])
    assert two.estimate.value == 0.75
    assert (two.within, two.between) == pytest.approx((0.25, 0.0))
    assert numbers(two.estimate)[1:] == pytest.approx(score_interval(0.75, 4.0, T975[1]))
    always = s.cluster(np.ones((5, 3)))
    assert numbers(always.estimate) == pytest.approx((1.0, *score_interval(1.0, 5, T975[4])))
    with pytest.raises(InputError, match="found numbers other than 0 and 1; expected 0 and 1, for a probability"):
        s.cluster([[2.0]], probability=True)
    with pytest.raises(InputError, match=r"found an array of shape \(1, 2\); expected finite numbers"):
        s.cluster([[1.0, math.inf]])


def test_precision_is_reached_at_its_edge() -> None:
    assert s.precision_reached(Estimate(0.0, -1.0, 1.0, 10), 1.0)
    assert not s.precision_reached(Estimate(0.0, -1.0, 1.0, 9), 1.0)
    assert s.precision_reached(Estimate(0.0, -1.0, 1.0, 3), 1.0, least=3)
    assert not s.precision_reached(Estimate(0.0, -1.0, 1.0, 3), 0.99, least=3)
    with pytest.raises(InputError, match=r"half_width: found -1.0; expected a number above 0"):
        s.precision_reached(Estimate(0.0, -1.0, 1.0, 10), -1.0)


# ---------------------------------------------------------------- weights


def test_weighed_estimates_by_hand() -> None:
    """Weights 1/2, 1/4, 1/4: effectively 1 / (1/4 + 1/16 + 1/16) = 8/3 futures, so one degree of freedom."""
    weights, values = np.array([0.5, 0.25, 0.25]), np.array([2.0, 4.0, 8.0])
    assert w.effective(weights) == pytest.approx(8 / 3)
    found = w.weighed_mean(values, weights)  # mean 4; 1/4 * 4 + 0 + 1/16 * 16 = 2
    reach = T975[1] * math.sqrt(2.0)
    assert numbers(found) == pytest.approx((4.0, 4.0 - reach, 4.0 + reach))
    assert found.n == 2
    share = w.weighed_probability(np.array([True, False, True]), weights)
    assert numbers(share) == pytest.approx((0.75, *score_interval(0.75, 8 / 3, T975[1])))
    assert share.n == 2
    assert w.weighed_probability(np.ones(3, bool), weights).value == 1.0
    assert w.weighed_probability(np.zeros(3, bool), weights).value == 0.0


def test_a_weighed_difference_by_hand() -> None:
    first, second = np.array([0.25, 0.25, 0.5]), np.array([0.5, 0.25, 0.25])
    values = np.array([2.0, 4.0, 8.0])
    found = w.weighed_difference(values, first, second)  # means 5.5 and 4
    parts = [0.5 * -2.0 - 0.25 * -3.5, 0.0 - 0.25 * -1.5, 0.25 * 4.0 - 0.5 * 2.5]
    reach = T975[1] * math.sqrt(sum(x * x for x in parts))
    assert numbers(found) == pytest.approx((-1.5, -1.5 - reach, -1.5 + reach))
    assert found.n == 2
    sharp = w.weighed_difference(values, np.array([1.0, 0.0, 0.0]), second)
    assert (sharp.value, sharp.low, sharp.high, sharp.n) == (2.0, -math.inf, math.inf, 1)


def test_weighed_quantiles_pass_at_the_running_sum() -> None:
    values, weights = np.array([30.0, 10.0, 20.0]), np.array([0.25, 0.25, 0.5])
    found = w.weighed_quantiles(values, weights, (0.0, 0.25, 0.26, 0.75, 0.76, 1.0))
    assert found.tolist() == [10.0, 10.0, 20.0, 20.0, 30.0, 30.0]
    assert w.weighed_quantiles(np.array([5.0]), np.array([0.1]), (0.5,)).tolist() == [5.0]
    eight = w.weighed_quantiles(values, 8.0 * weights, (0.25, 0.5, 0.75, 1.0))  # they add up to something else
    assert eight.tolist() == [10.0, 20.0, 20.0, 30.0]
    assert w.weighed_quantiles(values, weights, (2.0,)).tolist() == [30.0]


def test_weights_from_their_logarithms() -> None:
    assert w.normalised(np.log([1.0, 3.0, 4.0]) - 900.0) == pytest.approx([0.125, 0.375, 0.5])
    assert w.normalised(np.full(5, -np.inf)).tolist() == [0.2] * 5
    assert w.over_scales(np.log([[1.0, 8.0], [3.0, 0.5]])) == pytest.approx(np.log([2.0, 4.25]))
    assert w.over_scales(np.full((2, 1), -1000.0)) == pytest.approx([-1000.0])
    assert w.effective(np.array([0.25, 0.25, 0.5])) == pytest.approx(16 / 6)


def test_a_likelihood_keeps_its_power_where_enough_is_left() -> None:
    log = np.log([1.0, 1.0, 2.0])
    power, weights = w.tempered(np.zeros(3), log, 16 / 6 - 1e-9)
    assert power == 1.0
    assert weights == pytest.approx([0.25, 0.25, 0.5])
    power, weights = w.tempered(np.zeros(3), log, 2.9)
    assert w.effective(weights) == pytest.approx(2.9, abs=1e-9)
    assert weights == pytest.approx(w.normalised(power * log))
    assert 0.0 < power < 1.0
    prior = np.log([0.5, 0.25, 0.25])
    power, weights = w.tempered(prior, np.array([0.0, -np.inf, 3.0]), 1.9)
    assert weights[1] == 0.0
    assert weights == pytest.approx(w.normalised(prior + np.array([0.0, -np.inf, 3.0 * power])))


def counts(observed: list[float], values: list[list[float]], offset: float = 1.0) -> w.Counts:
    shown, size = np.array(values), 2.0 * np.array(values)
    own, shared = 0.01 * np.arange(1, w.SCALES + 1), 0.02 * np.arange(1, w.SCALES + 1)
    return w.Counts("waiting", np.array(observed), shown, size, 3.0 * np.ones_like(shown), own, shared, offset)


def test_errors_of_a_count_by_hand() -> None:
    made = counts([11.0, 23.0], [[9.0, 19.0], [4.0, 39.0]])
    assert made.residual == pytest.approx(np.log([[1.2, 1.2], [2.4, 0.6]]))
    own, shared = made.variances()
    assert own[1, 0] == pytest.approx([(0.02 * 18 / 10) ** 2 + 3 / 100, (0.02 * 38 / 20) ** 2 + 3 / 400])
    assert shared[2, 1] == pytest.approx([0.06 * 4 / 5, 0.06 * 39 / 40])
    one = made.without(0)
    assert (one.observed.tolist(), one.values.tolist(), one.size.tolist()) == (
        [23.0],
        [[19.0], [39.0]],
        [[38.0], [78.0]],
    )
    assert one.chance.shape == (2, 1)


def test_likelihood_of_two_counts_by_the_normal_density() -> None:
    made = counts([11.0, 23.0], [[9.0, 19.0], [4.0, 39.0]])
    own, shared = made.variances()
    log = w.log_likelihood(made)
    assert log.shape == (w.SCALES, 2)
    for k in range(w.SCALES):
        for i in range(2):
            covariance = np.diag(own[k, i]) + np.outer(shared[k, i], shared[k, i])
            assert log[k, i] == pytest.approx(
                stats.multivariate_normal([0.0, 0.0], covariance).logpdf(made.residual[i])
            )
    nothing = w.log_likelihood(made.without(0).without(0))
    assert nothing.shape == (w.SCALES, 2)
    assert not nothing.any()


def test_a_likelihood_that_is_no_number_is_none() -> None:
    made = counts([11.0], [[9.0], [math.nan]])
    log = w.log_likelihood(made)
    assert np.isneginf(log[:, 1]).all()
    assert np.isfinite(log[:, 0]).all()


@pytest.mark.parametrize("others", [False, True])
def test_surprise_by_the_conditional_normal(others: bool) -> None:
    """Given the other quarters, a residual is normal with the mean and variance of the joint normal law."""
    made = counts([11.0, 23.0, 18.0], [[9.0, 19.0, 15.0], [12.0, 21.0, 16.0]])
    own, shared = made.variances()
    r, t = made.residual, 1
    weights = np.arange(1.0, 1.0 + w.SCALES * 2).reshape(w.SCALES, 2)
    weights /= weights.sum()
    share = 0.0
    for k in range(w.SCALES):
        for i in range(2):
            covariance = np.diag(own[k, i]) + np.outer(shared[k, i], shared[k, i])
            mean, variance = 0.0, covariance[t, t]
            if others:
                rest = [0, 2]
                gain = covariance[t, rest] @ np.linalg.inv(covariance[np.ix_(rest, rest)])
                mean, variance = gain @ r[i, rest], variance - gain @ covariance[rest, t]
            share += weights[k, i] * stats.norm.cdf((r[i, t] - mean) / math.sqrt(variance))
    assert w.surprise(made, t, weights, others) == pytest.approx(2.0 * min(share, 1.0 - share))


def test_aim_is_the_update_of_a_linear_regression() -> None:
    """Two counts, three unknowns of which one does nothing: regression, then the normal update, written out."""
    rng = np.random.default_rng(5)
    scores = rng.normal(size=(60, 3))
    line = np.array([[0.3, 0.1], [0.0, -0.4], [0.0, 0.0]])
    values = np.exp(3.0 + scores @ line + rng.normal(0.0, 0.05, (60, 2))) - 1.0
    made = [
        counts([30.0], values[:, :1].tolist()),
        counts([12.0], values[:, 1:].tolist()),
    ]  # fmt: skip
    shown = np.log(values + 1.0)
    design = np.column_stack([np.ones(60), scores])
    solved = np.linalg.solve(design.T @ design, design.T @ shown)
    left = shown - design @ solved
    scatter = left.T @ left / (60 - 3 - 1)
    error = np.sqrt(np.outer(np.diag(np.linalg.inv(design.T @ design))[1:], np.diag(scatter)))
    slopes = solved[1:].copy()
    slopes[np.abs(slopes) <= 3.0 * error] = 0.0
    assert (slopes != 0.0).sum() == 3
    middle = w.SCALES // 2
    errors = np.zeros((2, 2))
    for t, one in enumerate(made):
        own, shared = one.variances()
        errors[t, t] = own[middle].mean() + shared[middle].mean() ** 2
    covariance = np.linalg.inv(np.eye(3) + slopes @ np.linalg.inv(scatter + errors) @ slopes.T)
    mean = covariance @ slopes @ np.linalg.inv(scatter + errors) @ (np.log([31.0, 13.0]) - solved[0])
    mean = mean / max(1.0, float(np.linalg.norm(mean)) / 4.0)
    found = w.aimed(scores, made)
    assert found.mean == pytest.approx(mean)
    assert found.root @ found.root.T == pytest.approx(1.1 * covariance - 0.1 * covariance @ covariance)
    far = w.aimed(scores, [counts([3e6], values[:, :1].tolist())])
    assert np.linalg.norm(far.mean) == pytest.approx(4.0)


def test_errors_of_several_counts_stand_in_blocks() -> None:
    two = counts([11.0, 23.0], [[9.0, 19.0], [12.0, 21.0]])
    one = counts([5.0], [[4.0], [6.0]])
    found = w._errors([two, one])
    for made, place in ((two, slice(0, 2)), (one, slice(2, 3))):
        own, shared = made.variances()
        mean = shared[w.SCALES // 2].mean(axis=0)
        assert found[place, place] == pytest.approx(np.diag(own[w.SCALES // 2].mean(axis=0)) + np.outer(mean, mean))
    assert not found[:2, 2].any()
    assert not found[2, :2].any()


def test_a_drawn_score_is_moved_and_stretched() -> None:
    proposal = w.Proposal(np.array([1.0, 2.0]), np.array([[2.0, 0.0], [1.0, 3.0]]))
    assert proposal.draw(np.array([1.0, -1.0])).tolist() == [3.0, 0.0]
    mixed = w.log_mixture(np.zeros((1, 2)), [w.prior(2), proposal], {0: 3, 1: 0})
    assert mixed == pytest.approx(w.prior(2).log_density(np.zeros((1, 2))))


def zhang_stephens(excess: np.ndarray) -> float:
    """Shape of the generalised Pareto distribution, from the paper's formulas (Technometrics 51(3), 2009, p. 318)."""
    x = np.sort(excess)
    n = len(x)
    m = 30 + int(math.sqrt(n))
    q = x[math.floor(n / 4 + 0.5) - 1]
    thetas = [1 / x[-1] + (1 - math.sqrt(m / (j - 0.5))) / (3 * q) for j in range(1, m + 1)]

    def log_like(theta: float) -> float:
        k = -np.mean(np.log(1 - theta * x))
        return float(n * (math.log(theta / k) + k - 1))

    logs = [log_like(theta) for theta in thetas]
    weights = [1 / sum(math.exp(other - one) for other in logs) for one in logs]
    theta = sum(weight * one for weight, one in zip(weights, thetas, strict=True))
    return float(np.mean(np.log(1 - theta * x)))


@pytest.mark.parametrize(("n", "tail"), [(36, 7), (400, 60), (100, 20), (225, 45), (900, 90)])
def test_pareto_k_by_the_formulas_of_its_paper(n: int, tail: int) -> None:
    """The tail: a fifth of the weights, or three times the root of their number; then drawn towards a half."""
    assert tail == int(min(0.2 * n, 3 * math.sqrt(n)))
    weights = np.random.default_rng(n).pareto(2.0, n) + 1.0
    weights /= weights.sum()
    ordered = np.sort(weights)
    expected = (tail * zhang_stephens(ordered[-tail:] - ordered[-tail - 1]) + 5.0) / (tail + 10.0)
    assert w.pareto_k(weights) == pytest.approx(expected, rel=1e-6)


def test_pareto_k_needs_a_tail_of_five() -> None:
    weights = np.random.default_rng(3).pareto(2.0, 25) + 1.0
    assert math.isfinite(w.pareto_k(weights / weights.sum()))  # a fifth of 25 is 5
    weights = weights[:24]
    assert math.isnan(w.pareto_k(weights / weights.sum()))
    even = np.full(100, 0.01)
    even[:2], even[2] = 0.005, 0.02  # none above the rest but one, of exactly twice the mean
    assert w.pareto_k(even) == -math.inf


# ---------------------------------------------------------------- pairs


def test_paired_proportions_by_hand() -> None:
    """Twenty pairs: 8 both, 5 second only, 2 first only, 5 neither. Newcombe's method 10, written out."""
    first = np.array([1] * 8 + [0] * 5 + [1] * 2 + [0] * 5, bool)
    second = np.array([1] * 8 + [1] * 5 + [0] * 2 + [0] * 5, bool)
    found = paired.paired_proportions(first, second)
    l2, u2 = score_interval(13 / 20, 20, Z975)
    l1, u1 = score_interval(10 / 20, 20, Z975)
    phi = max(8 * 5 - 5 * 2 - 20 / 2, 0.0) / math.sqrt(13 * 7 * 10 * 10)
    down = math.sqrt((0.65 - l2) ** 2 - 2 * phi * (0.65 - l2) * (u1 - 0.5) + (u1 - 0.5) ** 2)
    up = math.sqrt((u2 - 0.65) ** 2 - 2 * phi * (u2 - 0.65) * (0.5 - l1) + (0.5 - l1) ** 2)
    assert numbers(found) == pytest.approx((0.15, 0.15 - down, 0.15 + up))
    assert found.n == 20


def test_pairs_that_disagree_have_a_negative_correlation() -> None:
    first, second = np.array([1, 1, 1, 0, 0, 1], bool), np.array([0, 0, 1, 1, 1, 0], bool)
    found = paired.paired_proportions(first, second)  # both 1, second only 2, first only 3, neither 0
    l2, u2 = score_interval(0.5, 6, Z975)
    l1, u1 = score_interval(4 / 6, 6, Z975)
    phi = (1 * 0 - 2 * 3) / math.sqrt(3 * 3 * 4 * 2)
    down = math.sqrt((0.5 - l2) ** 2 - 2 * phi * (0.5 - l2) * (u1 - 4 / 6) + (u1 - 4 / 6) ** 2)
    up = math.sqrt((u2 - 0.5) ** 2 - 2 * phi * (u2 - 0.5) * (4 / 6 - l1) + (4 / 6 - l1) ** 2)
    assert numbers(found) == pytest.approx((-1 / 6, -1 / 6 - down, -1 / 6 + up))
    small = paired.paired_proportions(np.array([1, 0, 0], bool), np.array([1, 0, 1], bool))
    l2, u2 = score_interval(2 / 3, 3, Z975)  # 1 * 1 - 1 * 0 is less than 3 / 2: no correlation is counted
    l1, u1 = score_interval(1 / 3, 3, Z975)
    assert small.low == pytest.approx(1 / 3 - math.hypot(2 / 3 - l2, u1 - 1 / 3))
    assert small.high == pytest.approx(min(1.0, 1 / 3 + math.hypot(u2 - 2 / 3, 1 / 3 - l1)))


def test_pairs_at_the_ends() -> None:
    opposite = paired.paired_proportions(np.zeros(2, bool), np.ones(2, bool))
    assert (opposite.value, opposite.high) == (1.0, 1.0)
    opposite = paired.paired_proportions(np.ones(2, bool), np.zeros(2, bool))
    assert (opposite.value, opposite.low) == (-1.0, -1.0)
    for a, b in ((np.ones(2), np.ones(3)), (np.ones((1, 1)), np.ones((1, 1))), (np.ones(0), np.ones(0))):
        with pytest.raises(InputError, match="two rows of the same length, not empty"):
            paired.paired_proportions(a, b)


def test_difference_of_dependent_estimates_by_hand() -> None:
    found = paired.dependent_difference(Estimate(0.3, 0.2, 0.5, 40), Estimate(0.6, 0.5, 0.9, 30), 0.5)
    down = math.sqrt(0.1**2 - 2 * 0.5 * 0.1 * 0.2 + 0.2**2)
    up = math.sqrt(0.3**2 - 2 * 0.5 * 0.3 * 0.1 + 0.1**2)
    assert numbers(found) == pytest.approx((0.3, 0.3 - down, 0.3 + up))
    assert found.n == 30
    wide = paired.dependent_difference(Estimate(0.9, 0.0, 1.5, 4), Estimate(0.1, -0.5, 1.0, 5), 0.0)
    assert (wide.low, wide.n) == (-1.0, 4)
    wide = paired.dependent_difference(Estimate(0.1, -0.5, 1.0, 4), Estimate(0.9, 0.0, 1.5, 5), 0.0)
    assert wide.high == 1.0
    same = paired.dependent_difference(Estimate(0.5, 0.4, 0.6, 4), Estimate(0.5, 0.4, 0.6, 5), 1.0)
    assert numbers(same) == pytest.approx((0.0, 0.0, 0.0), abs=1e-8)


def test_critical_value_of_one_column_and_of_none() -> None:
    rows = np.array([[1.0, 5.0], [2.0, 5.0], [4.0, 5.0]])
    assert paired.largest_t(rows) == pytest.approx(T975[2])
    assert paired.largest_t(rows[:, 1:]) == pytest.approx(T975[2])
    assert paired.largest_t(rows[:1]) == math.inf
    assert paired.largest_t(np.hstack([rows[:, :1]] * 3)[:2]) <= stats.t.ppf(1.0 - 0.05 / 6, 1)


def test_critical_value_of_columns_that_go_together_is_that_of_one() -> None:
    """Equal columns have one |t|; the drawn quantile of 20,000 lies within 0.1 of the exact one (5 standard errors)."""
    one = np.random.default_rng(8).normal(size=(20, 1))
    assert paired.largest_t(np.hstack([one, 2.0 * one, -one])) == pytest.approx(T975[19], abs=0.1)
    apart = np.random.default_rng(9).normal(size=(500, 2))
    exact = stats.norm.ppf(0.5 + math.sqrt(0.95) / 2)  # two independent |z|
    assert paired.largest_t(apart) == pytest.approx(exact, abs=0.05)
    assert paired.largest_t(apart, 0.8) == pytest.approx(stats.norm.ppf(0.5 + math.sqrt(0.8) / 2), abs=0.04)


def test_simultaneous_intervals_by_hand() -> None:
    rows = np.array([[1.0, 0.0], [3.0, 0.0], [5.0, 0.0]])
    found, critical = paired.simultaneous(rows)
    assert critical == pytest.approx(T975[2])
    assert numbers(found[0]) == pytest.approx(
        (3.0, 3.0 - critical * 2 / math.sqrt(3), 3.0 + critical * 2 / math.sqrt(3))
    )
    assert numbers(found[1]) == (0.0, 0.0, 0.0)
    assert [one.n for one in found] == [3, 3]
    more, critical = paired.simultaneous(rows, extra=np.array([1.0, 0.25]))
    assert more[0].half_width == pytest.approx(critical * math.sqrt(4 / 3 + 1.0))
    assert more[1].half_width == pytest.approx(critical * 0.5)
    single, critical = paired.simultaneous(rows[:1])
    assert critical == math.inf
    assert numbers(single[0]) == (1.0, -math.inf, math.inf)


def test_what_pairing_gains_by_hand() -> None:
    first, second = np.array([1.0, 3.0, 8.0]), np.array([2.0, 6.0, 10.0])
    assert paired.variance_gain(first, second) == pytest.approx((13.0 + 16.0) / 1.0)  # differences 1, 3, 2
    assert paired.variance_gain(first, first + 2.0) == math.inf
    assert math.isnan(paired.variance_gain(np.ones(3), np.ones(3)))
    assert math.isnan(paired.variance_gain(first[:1], second[:1]))
    assert paired.variance_gain(first / 100.0, first / 100.0 + 1.0) == math.inf
    assert paired.variance_gain(first[:2], second[:2]) == pytest.approx((2.0 + 8.0) / 2.0)


# ---------------------------------------------------------------- verdicts


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [
        (0.9, 1.0, "yes"), (0.0, 0.1, "no"), (0.0, 0.11, "unlikely"), (0.89, 1.0, "likely"), (0.5, 0.9, "uncertain"),
        (0.51, 0.9, "likely"), (0.2, 0.5, "uncertain"), (0.2, 0.49, "unlikely"), (0.0, 0.0, "no"), (1.0, 1.0, "yes"),
    ],
)  # fmt: skip
def test_codes_at_their_edges(low: float, high: float, code: str) -> None:
    assert verdict.chance(low, high) == code


@pytest.mark.parametrize(("low", "high"), [(-0.1, 0.5), (0.5, 1.1), (0.6, 0.5), (math.nan, 0.5)])
def test_ends_that_are_no_probabilities(low: float, high: float) -> None:
    with pytest.raises(InputError, match=r"interval of a probability: found .* to .*; expected 0 <= low <= high <= 1"):
        verdict.chance(low, high)


@pytest.mark.parametrize(
    ("r", "low", "high", "code"),
    [
        (0.5, 0.4, 0.6, "strong"), (-0.5, -0.6, -0.4, "strong"), (0.49, 0.4, 0.6, "moderate"),
        (0.3, 0.1, 0.6, "moderate"), (0.29, 0.1, 0.6, "weak"), (0.9, 0.0, 1.0, "unclear"), (-0.9, -1.0, 0.0, "unclear"),
    ],
)  # fmt: skip
def test_strength_at_its_edges(r: float, low: float, high: float, code: str) -> None:
    assert verdict.strength(r, low, high) == code
