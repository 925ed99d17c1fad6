"""Weighing runs by what was observed: against results that are known without it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_ndtr
from scipy.stats import beta, multivariate_normal, truncnorm

from flowsim.analysis import posterior, weighing
from flowsim.analysis.posterior import ErrorModel, Proposal
from flowsim.plan.observed import Observation


def target(name: str, error: float, discrepancy: float = 0.0, shares: str = "", at_least: bool = False) -> Observation:
    return Observation(name, name, name, error, discrepancy, "a test", shares=shares, at_least=at_least)


def test_the_likelihood_is_that_of_correlated_normal_errors() -> None:
    targets = [target("a", 1.0), target("b", 3.0, 4.0, "n"), target("c", 0.0, 2.0, "n")]
    errors = ErrorModel.of(targets, {"n": 0.5})
    assert errors.covariance == pytest.approx(np.array([[1, 0, 0], [0, 25, 4], [0, 4, 4]]))
    simulated = np.random.default_rng(1).normal(size=(5, 3))
    observed = np.array([0.5, -1.0, 2.0])
    known = multivariate_normal(observed, errors.covariance).logpdf(simulated)
    found = errors.log_likelihood(simulated, observed)
    assert found - found[0] == pytest.approx(known - known[0])
    doubled = ErrorModel.of(targets, {"n": 0.5}, scale=2.0)
    assert doubled.covariance[1] == pytest.approx([0, 9 + 64, 16])


def test_a_lower_bound_weighs_by_the_chance_that_it_lies_below() -> None:
    errors = ErrorModel.of([target("a", 2.0, at_least=True)], {})
    over = np.array([[-4.0], [0.0], [6.0]])
    assert errors.log_likelihood(over, np.array([1.0])) == pytest.approx(log_ndtr([-2.0, 0.0, 3.0]))
    assert errors.log_likelihood(over, np.array([0.0])) == pytest.approx(log_ndtr([2.0, 0.0, -3.0]))
    said = errors.sample(np.full((20_000, 1), 1.0), np.random.default_rng(2))
    # chance 0.6915; 4 standard errors of 20,000: false alarm 6e-5
    assert abs(said.mean() - 0.6915) < 4 * (0.6915 * 0.3085 / 20_000) ** 0.5


def test_three_waves_find_a_posterior_that_is_known() -> None:
    """Two unknowns, flat on (0, 1); the first is observed as 0.3 give or take 0.05, the second not at all."""
    random = np.random.default_rng(3)
    proposals, counts, points = [Proposal.prior(2)], [500], random.random((500, 2))
    for size in (500, 3000):
        logs = -0.5 * ((points[:, 0] - 0.3) / 0.05) ** 2 + posterior.balance(points, proposals, counts)
        proposals.append(Proposal.fitted(points, weighing.tempered(np.zeros(len(points)), logs, 0.1 * len(points))[1]))
        points = np.concatenate([points, proposals[-1].at(random.random((size, 2)))])
        counts.append(size)
    assert proposals[-1].a[1] == pytest.approx(1.0, abs=0.3)  # nothing to be seen of the second
    logs = -0.5 * ((points[:, 0] - 0.3) / 0.05) ** 2 + posterior.balance(points, proposals, counts)
    weights = weighing.normalised(logs)
    known = truncnorm(-6.0, 14.0, 0.3, 0.05)
    size = weighing.effective(weights)
    assert size > 1500  # the prior alone would give a twelfth of that
    mean = weights @ points
    spread = (weights @ (points - mean) ** 2) ** 0.5
    # 4.5 standard errors each: false alarm below 1e-5
    assert mean[0] == pytest.approx(known.mean(), abs=4.5 * known.std() / size**0.5)
    assert spread[0] == pytest.approx(known.std(), abs=4.5 * known.std() / (2 * size) ** 0.5)
    assert mean[1] == pytest.approx(0.5, abs=4.5 * (1 / 12 / size) ** 0.5)
    learnt = posterior.contraction(np.full(2, 1 / 12), points, weights)
    assert learnt[0] == pytest.approx(1.0 - 12 * known.var(), abs=0.01)
    assert abs(learnt[1]) < 4.5 * (2 / size) ** 0.5


def test_the_density_of_a_proposal_is_that_of_its_points() -> None:
    proposal = Proposal(np.array([2.5, 1.0]), np.array([4.0, 1.0]))
    at = proposal.at(np.array([[0.2, 0.4], [0.9, 0.1]]))
    assert at[:, 0] == pytest.approx(beta(2.5, 4.0).ppf([0.2, 0.9]))
    assert at[:, 1] == pytest.approx([0.4, 0.1])
    assert proposal.log_density(at) == pytest.approx(beta(2.5, 4.0).logpdf(at[:, 0]))


def test_a_fitted_proposal_is_wider_and_never_infinite() -> None:
    points = np.random.default_rng(4).beta(8.0, 5.0, (4000, 1))
    weights = np.full(4000, 1 / 4000)
    a, b = (float(x[0]) for x in (Proposal.fitted(points, weights).a, Proposal.fitted(points, weights).b))
    assert beta(a, b).mean() == pytest.approx(points.mean(), abs=1e-3)
    assert beta(a, b).var() == pytest.approx(posterior.WIDER * points.var(), rel=1e-3)
    edge = Proposal.fitted(points * 0.001, weights)
    assert edge.a[0] >= 1.0
    assert edge.b[0] >= 1.0


def test_tempering_leaves_enough_and_changes_nothing_that_has_enough() -> None:
    logs = np.linspace(0.0, -300.0, 1000)
    assert weighing.effective(weighing.normalised(logs)) < 10
    assert weighing.effective(weighing.tempered(np.zeros(1000), logs, 100)[1]) == pytest.approx(100, rel=0.01)
    assert weighing.tempered(np.zeros(1000), logs, 2)[1] == pytest.approx(weighing.normalised(logs))


def test_resampling_takes_each_row_as_often_as_it_weighs() -> None:
    weights = np.array([0.5, 0.25, 0.0, 0.25])
    rows = posterior.resampled(weights, 400, 0.5)
    assert np.bincount(rows, minlength=4).tolist() == [200, 100, 0, 100]
    assert weighing.effective(weights) == pytest.approx(1 / (0.25 + 2 * 0.0625))


def test_weighted_quantiles_and_rank_correlations() -> None:
    values = np.array([3.0, 1.0, 2.0])
    assert weighing.weighed_quantiles(values, np.array([0.2, 0.7, 0.1]), (0.1, 0.75, 0.95)).tolist() == [1.0, 2.0, 3.0]
    random = np.random.default_rng(5)
    x = random.normal(size=(4000, 3))
    x[:, 1] = np.exp(x[:, 0])  # the same ranks
    found = posterior.rank_correlations(x, np.full(4000, 1 / 4000))
    assert found[0, 1] == pytest.approx(1.0)
    assert abs(found[0, 2]) < 4.5 / 4000**0.5  # false alarm below 1e-5


def toy(seed: int, count: int = 300) -> tuple[np.ndarray, np.ndarray]:
    """Three unknowns; two are seen in the sum, one on its own; the simulator has luck too."""
    random = np.random.default_rng(seed)
    values = random.normal(size=(count, 3))
    simulated = np.stack([values[:, 0] + values[:, 1], values[:, 2]], axis=1)
    return values, simulated + 0.2 * random.normal(size=(count, 2))


def test_places_of_known_truths_are_flat_and_wrong_errors_show() -> None:
    """False alarms: 1% by Bonferroni over the unknowns, and fewer, for the truths are the table's own rows."""
    errors = ErrorModel(np.diag([0.5, 0.5]) ** 2, np.zeros(2, bool))
    wrong = ErrorModel(errors.covariance / 9.0, errors.bounds)
    values, simulated = toy(6)
    places, sizes = posterior.ranks(values, simulated, errors, np.random.default_rng(7))
    assert sizes.min() > 1
    assert (posterior.flatness(places, 10)[1] > 0.01 / 3).all()
    places, _ = posterior.ranks(values, simulated, errors, np.random.default_rng(7), used=wrong)
    assert posterior.flatness(places, 10)[1][2] < 1e-6


def test_what_is_said_of_false_alarms_holds() -> None:
    """Twenty toys at 5%: 4 or more alarms have chance 1.6% when each has its 5%; seeds are fixed."""
    errors = ErrorModel(np.diag([0.5, 0.5]) ** 2, np.zeros(2, bool))
    alarms = 0
    for seed in range(20):
        values, simulated = toy(100 + seed)
        places, _ = posterior.ranks(values, simulated, errors, np.random.default_rng(seed))
        alarms += bool((posterior.flatness(places, 10)[1] < 0.05 / 3).any())
    assert alarms <= 3


def test_the_band_holds_a_flat_histogram() -> None:
    low, high = posterior.band(1000, 20, 0.99)
    assert low < 50 < high
    counts = np.random.default_rng(8).multinomial(1000, [0.05] * 20, 2000)
    outside = np.mean((counts < low) | (counts > high))
    assert outside < 0.0115  # 1% at most, discrete; 40,000 bins, false alarm below 1%


def test_a_place_behind_the_last_weight_is_that_of_the_last_row() -> None:
    """Weights whose sum lies below 1 by rounding."""
    assert posterior.resampled(np.array([0.5, 0.5 - 1e-9]), 1, 1.0 - 1e-12).tolist() == [1]
    assert posterior.resampled(np.array([0.25, 0.75]), 4, 0.5).tolist() == [0, 1, 1, 1]


@pytest.mark.parametrize("place", [0.9999, 0.0001, 0.6, 0.985])
def test_a_proposal_stays_off_the_ends(place: float) -> None:
    """The mean of the quantiles is taken as 0.01 at least and 0.99 at most; so neither density is infinite."""
    fitted = Proposal.fitted(np.array([[place - 1e-5], [place + 1e-5]]), np.array([0.25, 0.75]))
    mean = min(max(place + 0.5e-5, 0.01), 0.99)
    variance = posterior.WIDER * (0.25 * (place - 1e-5 - mean) ** 2 + 0.75 * (place + 1e-5 - mean) ** 2)
    size = mean * (1.0 - mean) / max(variance, 1e-6) - 1.0
    assert fitted.a[0] == pytest.approx(max(mean * size, 1.0), abs=1e-3)
    assert fitted.b[0] == pytest.approx(max((1.0 - mean) * size, 1.0), abs=1e-3)
