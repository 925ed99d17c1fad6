"""Weights, estimates and proposals against independent computations; every test has a fixed seed and a stated rate."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from flowsim.analysis import weighing as w
from flowsim.analysis.statistics import share_interval, wilson
from flowsim.errors import InputError

RATE = 1e-3
"""Probability with which a statistical test here fails although all is well; each has a fixed seed."""


def made(n: int = 40, t: int = 3, seed: int = 0, offset: float = 5.0) -> w.Counts:
    generator = np.random.default_rng(seed)
    values = generator.uniform(50.0, 900.0, (n, t))
    observed = generator.uniform(100.0, 800.0, t)
    own, shared = np.linspace(0.04, 0.12, w.SCALES), np.linspace(0.05, 0.2, w.SCALES)
    return w.Counts("waiting", observed, values, 1.1 * values, np.full_like(values, 2.0), own, shared, offset)


def test_the_likelihood_is_that_of_the_multivariate_normal() -> None:
    counts = made()
    log = w.log_likelihood(counts)
    for k in (0, w.SCALES - 1):
        for i in (0, 7, 39):
            x = counts.values[i] + 5.0
            own = np.diag((counts.own[k] * counts.size[i] / x) ** 2 + 2.0 / x**2)
            one = counts.shared[k] * counts.values[i] / x
            expected = stats.multivariate_normal(np.log(x), own + np.outer(one, one)).logpdf(
                np.log(counts.observed + 5.0)
            )
            assert log[k, i] == pytest.approx(expected, rel=1e-9)
    mean = np.log(np.exp(log).mean(axis=0))
    assert w.over_scales(log) == pytest.approx(mean)


def test_without_counts_nothing_is_weighed() -> None:
    counts = made(t=1).without(0)
    assert (w.log_likelihood(counts) == 0.0).all()
    nothing = np.full((w.SCALES, 4), -np.inf)
    assert np.isneginf(w.over_scales(nothing)).all()
    assert w.normalised(np.full(4, -np.inf)) == pytest.approx([0.25] * 4)


def counted(generator: np.random.Generator, x: np.ndarray, own: np.ndarray, shared: np.ndarray) -> np.ndarray:
    """Counts of a future, written anew from docs/updating.md: how careful, one error for all quarters, one for each."""
    k = generator.integers(len(own))
    c = 5.0
    relative = x / (x + c)
    error = shared[k] * relative * generator.standard_normal()
    error = error + own[k] * relative * generator.standard_normal(len(x))
    error = error + np.sqrt(2.0) / (x + c) * generator.standard_normal(len(x))
    return np.asarray((x + c) * np.exp(error) - c)


def ranks(careless: float, seed: int = 5, number: int = 300) -> np.ndarray:
    """Where the true unknown lies among weighed futures; ``careless`` multiplies the errors that are believed."""
    generator = np.random.default_rng(seed)
    n, t = 400, 4
    unknown = generator.uniform(size=n)
    values = 300.0 + 600.0 * unknown[:, None] + 40.0 * generator.standard_normal((n, t)).cumsum(axis=1)
    own, shared = np.linspace(0.04, 0.12, w.SCALES), np.linspace(0.05, 0.2, w.SCALES)
    found = []
    for _ in range(number):
        truth = int(generator.integers(n))
        observed = counted(generator, values[truth], own, shared)
        chance = np.full_like(values, 2.0)
        counts = w.Counts("waiting", observed, values, values, chance, careless * own, careless * shared, 5.0)
        weights = w.normalised(w.over_scales(w.log_likelihood(counts)))
        below = float(weights[unknown < unknown[truth]].sum())
        found.append(below + generator.uniform() * weights[truth])
    return np.array(found)


def test_simulation_based_calibration() -> None:
    """The truth is drawn from the futures themselves, so its (randomised) rank among the weighed futures is exactly
    uniform: Talts and others, "Validating Bayesian inference algorithms with simulation-based calibration", 2018."""
    assert stats.kstest(ranks(1.0), "uniform").pvalue > RATE


@pytest.mark.parametrize("careless", [0.3, 3.0])
def test_calibration_sees_errors_that_are_wrong(careless: float) -> None:
    assert stats.kstest(ranks(careless), "uniform").pvalue < 1e-4


def test_intervals_hold_their_level() -> None:
    """Standard normal futures, a count y = x + e: what is to come is known exactly. 95% intervals in 400 repeats."""
    generator = np.random.default_rng(2)
    held = {"mean": 0, "probability": 0, "difference": 0}
    repeats, y, variance = 400, 1.0, 0.5
    exact = y / (1.0 + variance)
    spread = np.sqrt(variance / (1.0 + variance))
    happens = float(stats.norm.sf(0.5, exact, spread))
    for _ in range(repeats):
        x = generator.standard_normal(300)
        weights = w.normalised(-0.5 * (y - x) ** 2 / variance)
        even = np.full(300, 1.0 / 300)
        mean, p = w.weighed_mean(x, weights), w.weighed_probability(x > 0.5, weights)
        change = w.weighed_difference(x, even, weights)
        held["mean"] += mean.low <= exact <= mean.high
        held["probability"] += p.low <= happens <= p.high
        held["difference"] += change.low <= exact <= change.high
    least, most = stats.binom.ppf([RATE / 6, 1.0 - RATE / 6], repeats, 0.95)
    for name, times in held.items():
        assert times >= least, name
        assert name == "probability" or times <= most + 10, name


def test_equal_weights_give_what_counting_gives() -> None:
    values = np.random.default_rng(1).normal(size=101)
    even = np.full(101, 1.0 / 101)
    assert w.effective(even) == pytest.approx(101.0)
    assert w.weighed_mean(values, even).value == pytest.approx(values.mean())
    assert w.weighed_quantiles(values, even, (0.05, 0.5, 0.95)) == pytest.approx(
        np.quantile(values, (0.05, 0.5, 0.95), method="inverted_cdf")
    )
    found, exact = w.weighed_probability(values > 0.0, even), wilson(int((values > 0.0).sum()), 101)
    assert found.value == pytest.approx(exact.value)
    assert found.low == pytest.approx(exact.low, abs=3e-3)  # Student's quantile for the normal one
    never = w.weighed_probability(np.zeros(101, bool), even)
    assert (never.value, never.low) == (0.0, 0.0)
    assert 0.02 < never.high < 0.06


@pytest.mark.parametrize(("share", "size"), [(-0.1, 10.0), (1.1, 10.0), (0.5, 0.0), (float("nan"), 5.0)])
def test_a_share_that_cannot_be_is_refused(share: float, size: float) -> None:
    with pytest.raises(InputError, match="share, size"):
        share_interval(share, size)


def test_tempering_leaves_enough_futures_and_no_more() -> None:
    log = -0.5 * np.random.default_rng(3).normal(0.0, 20.0, 500) ** 2
    power, weights = w.tempered(np.zeros(500), log, 60.0)
    assert 0.0 < power < 1.0
    assert w.effective(weights) == pytest.approx(60.0, rel=0.01)
    assert w.tempered(np.zeros(500), 1e-3 * log, 60.0)[0] == 1.0
    some = np.where(np.arange(500) < 100, log, -np.inf)
    assert (w.tempered(np.zeros(500), some, 60.0)[1][100:] == 0.0).all()


def test_pareto_k_knows_tails() -> None:
    """Weights with Pareto tails of a known shape: k is found within 0.2 (over 5 standard errors for 4,000 weights)."""
    generator = np.random.default_rng(4)
    for shape in (0.3, 0.9):
        weights = w.normalised(np.log(stats.genpareto.rvs(shape, size=4000, random_state=generator) + 1.0))
        assert w.pareto_k(weights) == pytest.approx(shape, abs=0.2)
    assert not w.pareto_k(np.full(400, 1.0 / 400)) > w.K_LIMIT
    assert np.isnan(w.pareto_k(np.full(10, 0.1)))


def test_surprise_against_drawn_counts() -> None:
    """The tail probability of a count against counts drawn from the same futures and errors: 40,000 of them."""
    counts = made(n=30, t=2, seed=9)
    even = np.full((w.SCALES, 30), 1.0 / (30 * w.SCALES))
    generator = np.random.default_rng(6)
    k, i = generator.integers(w.SCALES, size=40_000), generator.integers(30, size=40_000)
    d, s = counts.variances()
    z = np.log(counts.values[i, 0] + 5.0) + np.sqrt(d[k, i, 0] + s[k, i, 0] ** 2) * generator.standard_normal(40_000)
    below = float((z < np.log(counts.observed[0] + 5.0)).mean())
    assert w.surprise(counts, 0, even) == pytest.approx(2.0 * min(below, 1.0 - below), abs=0.015)


def test_other_quarters_tell_the_shared_error() -> None:
    """A list that is counted 15% too long in every quarter is no surprise; one that is so only once, is."""
    values = np.full((1, 6), 800.0)
    own, shared = np.full(w.SCALES, 0.02), np.full(w.SCALES, 0.15)
    even = np.full((w.SCALES, 1), 1.0 / w.SCALES)

    def last(observed: list[float]) -> float:
        counts = w.Counts("waiting", np.array(observed), values, values, np.ones_like(values), own, shared, 5.0)
        return w.surprise(counts, 5, even, others=True)

    assert last([920.0] * 6) > 0.5
    assert last([*[800.0] * 5, 920.0]) < 1e-4


def test_a_proposal_finds_the_counts_and_the_weights_make_up_for_it() -> None:
    """Two unknowns of twenty decide what is counted. The posterior of the linear normal case is known; the weighed
    futures of prior and proposal together give it, from far more effective futures than the prior alone."""
    generator = np.random.default_rng(8)
    d, n = 20, 300
    slope = np.zeros(d)
    slope[:2] = 0.3, -0.2
    own, shared = np.full(w.SCALES, 0.05), np.full(w.SCALES, 1e-6)

    def shown(scores: np.ndarray) -> np.ndarray:
        return np.asarray(np.exp(6.5 + scores @ slope + 0.02 * generator.standard_normal(len(scores)))[:, None])

    def counts(x: np.ndarray) -> w.Counts:
        return w.Counts("waiting", np.array([1300.0]), x, x, np.zeros_like(x), own, shared, 0.0)

    first = generator.standard_normal((n, d))
    x = shown(first)
    proposal = w.aimed(first, [counts(x)])
    second = np.array([proposal.draw(z) for z in generator.standard_normal((n, d))])
    scores, both = np.concatenate([first, second]), np.concatenate([x, shown(second)])
    proposals = [w.prior(d), proposal]
    log_prior = proposals[0].log_density(scores) - w.log_mixture(scores, proposals, {0: n, 1: n})
    weights = w.normalised(log_prior + w.over_scales(w.log_likelihood(counts(both))))
    noise = 0.05**2 + 0.02**2
    exact = slope * (np.log(1300.0) - 6.5) / (slope @ slope + noise)
    alone = w.normalised(w.over_scales(w.log_likelihood(counts(x))))
    assert w.effective(weights) > 5.0 * w.effective(alone)
    assert (proposal.mean[2:] == 0.0).sum() >= 16
    for j in range(2):
        found = w.weighed_mean(scores[:, j], weights)
        assert abs(found.value - exact[j]) < 3.5 * found.half_width / 1.96  # fails for one seed in a thousand
    before = w.normalised(log_prior)
    assert abs(w.weighed_mean(scores[:, 0], before).value) < 0.25  # the prior's mean, from the mixture


def test_nothing_unknown_is_a_prior_too() -> None:
    assert (w.prior(0).log_density(np.zeros((3, 0))) == 0.0).all()


def test_few_different_weights_have_no_tail_unless_one_is_large() -> None:
    """Fewer than five above the others: harmless when the largest is near the mean, else nothing can be said."""
    weights = np.full(100, 1.0)
    weights[:3] = 1.5
    assert w.pareto_k(weights / weights.sum()) == -np.inf
    weights[:3] = 40.0
    assert np.isnan(w.pareto_k(weights / weights.sum()))


def test_density_of_a_proposal_is_the_normal_one() -> None:
    rng = np.random.default_rng(21)
    root = np.linalg.cholesky(np.array([[2.0, 0.3, 0.1], [0.3, 0.5, 0.2], [0.1, 0.2, 1.5]]))
    proposal, at = w.Proposal(np.array([1.0, -2.0, 0.5]), root), rng.normal(size=(9, 3))
    law = stats.multivariate_normal(proposal.mean, root @ root.T)
    assert proposal.log_density(at) == pytest.approx(law.logpdf(at))
    assert w.prior(3).log_density(at) == pytest.approx(stats.norm.logpdf(at).sum(axis=1))
    both = w.log_mixture(at, [w.prior(3), proposal], {0: 30, 1: 10})
    assert np.exp(both) == pytest.approx(0.75 * np.exp(w.prior(3).log_density(at)) + 0.25 * np.exp(law.logpdf(at)))


@pytest.mark.parametrize("offset", [0.0, 5.0, 40.0])
def test_a_proposal_is_aimed_at_what_was_counted(offset: float) -> None:
    """Futures show exp(4 + 0.4 x) less what is added before the logarithm; the count is that of x = 1.2."""
    rng = np.random.default_rng(22)
    x = rng.normal(size=(400, 1))
    values = np.exp(4.0 + 0.4 * x + rng.normal(0.0, 0.01, x.shape)) - offset
    observed = np.array([np.exp(4.0 + 0.4 * 1.2) - offset])
    small = np.full(w.SCALES, 0.01)
    counts = w.Counts("waiting", observed, values, values, np.zeros_like(values), small, 0.0 * small, offset)
    assert w.aimed(x, [counts]).mean == pytest.approx([1.2], abs=0.02)
