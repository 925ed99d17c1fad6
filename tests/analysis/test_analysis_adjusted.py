"""A probability adjusted for the values drawn: unbiased, its intervals honest, from fewer futures."""

from __future__ import annotations

import numpy as np
import pytest

from flowsim.analysis import adjusted
from flowsim.analysis.adjusted import PER_UNKNOWN, adjusted_probability, adjusted_together, in_turn
from flowsim.analysis.statistics import wilson
from flowsim.errors import InputError

BATCHES = 400
FUTURES = 300
UNKNOWNS = 4


def batches(strength: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Outcomes (B, n) and unknowns (B, n, p) whose chance rises with the first unknown, a population, and the truth."""
    rng = np.random.default_rng(seed)
    truth = 0.5  # by symmetry of the unknowns and of the chance
    unknowns = rng.uniform(-1.0, 1.0, (BATCHES, FUTURES, UNKNOWNS))
    chance = 0.5 + strength * np.sign(unknowns[..., 0]) * np.abs(unknowns[..., 0]) ** 0.5  # no logistic curve
    population = rng.uniform(-1.0, 1.0, (4096, UNKNOWNS))
    return rng.uniform(size=chance.shape) < chance, unknowns, population, truth


@pytest.mark.parametrize(("strength", "least_gain"), [(0.0, 0.93), (0.48, 1.6)])
def test_unbiased_with_honest_intervals(strength: float, least_gain: float) -> None:
    """Over 400 batches: the mean is right within 4 standard errors (false alarm 6e-5), and the 95% interval holds the
    truth in 91.6% to 98.4% of them (binomial, 3.1 standard errors: false alarm 0.2%). Where the unknowns decide, the
    variance falls as it should; where they say nothing, the futures lost to fitting are few."""
    outcomes, unknowns, population, truth = batches(strength, 11)
    made = [adjusted_probability(y, x, population) for y, x in zip(outcomes, unknowns, strict=True)]
    values = np.array([one.value for one in made])
    assert abs(values.mean() - truth) < 4 * values.std(ddof=1) / np.sqrt(BATCHES)
    covered = np.mean([one.low <= truth <= one.high for one in made])
    assert 0.916 <= covered <= 0.984
    plain = outcomes.mean(axis=1)
    assert plain.var(ddof=1) / values.var(ddof=1) > least_gain


def test_the_interval_shrinks_with_the_variance() -> None:
    outcomes, unknowns, population, _ = batches(0.48, 3)
    adjusted = adjusted_probability(outcomes[0], unknowns[0], population)
    plain = wilson(int(outcomes[0].sum()), FUTURES)
    assert adjusted.n == FUTURES
    assert adjusted.half_width < 0.85 * plain.half_width


def test_rare_outcomes_keep_the_plain_share() -> None:
    _, unknowns, population, _ = batches(0.0, 5)
    few = PER_UNKNOWN * UNKNOWNS - 1
    outcome = np.arange(FUTURES) < few
    assert adjusted_probability(outcome, unknowns[0], population) == wilson(few, FUTURES)
    assert adjusted_probability(~outcome, unknowns[0], population) == wilson(FUTURES - few, FUTURES)


def test_unknowns_that_do_not_vary_are_left_out() -> None:
    outcomes, unknowns, population, _ = batches(0.48, 7)
    wide = np.concatenate([unknowns[0], np.full((FUTURES, 2), 3.0)], axis=1)
    everywhere = np.concatenate([population, np.full((len(population), 2), 3.0)], axis=1)
    assert adjusted_probability(outcomes[0], wide, everywhere) == adjusted_probability(
        outcomes[0], unknowns[0], population
    )


def test_without_covariates_it_is_the_plain_share() -> None:
    outcomes = np.arange(40).reshape(2, 20) % 3 == 0
    plain = [wilson(int(one.sum()), 20) for one in outcomes]
    for population in (np.empty((0, 0)), np.empty((30, 0)), np.empty((2, 15, 0))):
        assert adjusted_together(outcomes, np.empty((20, 0)), population) == plain


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="covariates"):
        adjusted_probability(np.ones(3, bool), np.zeros((4, 2)), np.zeros((10, 2)))
    with pytest.raises(InputError, match="covariates"):
        adjusted_probability(np.ones(3, bool), np.zeros((3, 2)), np.zeros((10, 5)))


POINTS = 2048


def drawn_from_a_list(centre: float, slope: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Outcomes (B, n) and scores (B, n, 1) of futures that take a point of a list (N, 1) each, as a posterior's; the
    chance is a steep curve of the score. And the probability over the list."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(POINTS, 1))
    chance = 1.0 / (1.0 + np.exp(-(centre + slope * scores[:, 0])))
    which = rng.integers(POINTS, size=(BATCHES, FUTURES))
    return rng.uniform(size=which.shape) < chance[which], scores[which], scores, float(chance.mean())


def held(outcomes: np.ndarray, scores: np.ndarray, population: np.ndarray, truth: float) -> tuple[float, float, float]:
    """(bias in standard errors, coverage, gain) over batches, adjusted over the whole list."""
    made = [adjusted_probability(y, x, population, whole=True) for y, x in zip(outcomes, scores, strict=True)]
    values = np.array([one.value for one in made])
    bias = (values.mean() - truth) / (values.std(ddof=1) / np.sqrt(len(values)))
    covered = float(np.mean([one.low <= truth <= one.high for one in made]))
    return bias, covered, outcomes.mean(axis=1).var(ddof=1) / values.var(ddof=1)


def test_a_good_twin_gains_and_stays_honest() -> None:
    """As above: 4 standard errors (false alarm 6e-5) and 91.6% to 98.4% of 400 intervals (0.2%). The outcome is steep
    in the score: a share of 0.57 of its variance lies there, so the gain is at most 2.3."""
    bias, covered, gain = held(*drawn_from_a_list(-0.7, 4.0, 21))
    assert abs(bias) < 4.0
    assert 0.916 <= covered <= 0.984
    assert gain > 1.7


@pytest.mark.parametrize("kind", ["noise", "wrong way round", "constant but for one"])
def test_a_bad_twin_costs_next_to_nothing_and_stays_honest(kind: str) -> None:
    """Whatever the scores are, as long as they follow from the values drawn (same limits and rates as above)."""
    outcomes, scores, population, truth = drawn_from_a_list(-0.7, 4.0, 23)
    rng = np.random.default_rng(1)
    where = {value: i for i, value in enumerate(population[:, 0].tolist())}
    bad = {
        "noise": rng.normal(size=POINTS),
        "wrong way round": -(np.abs(population[:, 0]) ** 3),
        "constant but for one": (np.arange(POINTS) == 7).astype(float),
    }[kind][:, None]
    rows = np.vectorize(where.__getitem__)(scores[..., 0])
    bias, covered, gain = held(outcomes, bad[rows], bad, truth)
    assert abs(bias) < 4.0
    assert 0.916 <= covered <= 0.984
    assert gain > 0.93


def test_rare_outcomes_have_honest_intervals_with_one_score() -> None:
    """About 2.5% clear, so 7 in 300: some batches have too few for a model, and keep the plain interval. At least 93%
    of 400 intervals hold the truth (binomial at 95%: false alarm 4%; here they are wide), none is empty."""
    outcomes, scores, population, truth = drawn_from_a_list(-6.0, 2.0, 25)
    assert 0.01 < truth < 0.04
    bias, covered, _ = held(outcomes, scores, population, truth)
    assert abs(bias) < 4.0
    assert covered >= 0.93
    nobody = adjusted_probability(np.zeros(FUTURES, bool), scores[0], population, whole=True)
    assert nobody == wilson(0, FUTURES)


def test_a_list_has_no_sampling_error_and_sets_have_what_they_show() -> None:
    outcomes, scores, population, _ = drawn_from_a_list(-0.7, 4.0, 27)
    sample, whole = (adjusted_probability(outcomes[0], scores[0], population[:300], whole=w) for w in (False, True))
    assert whole.half_width < sample.half_width
    sets = population[:2000].reshape(8, 250, 1)
    between = adjusted_probability(outcomes[0], scores[0], sets)
    assert whole.half_width < between.half_width < sample.half_width


def test_outcomes_together_have_one_model_and_each_its_own_probability() -> None:
    """Four thresholds of the same futures; the rarest by itself would be too rare for the model. Over 200 batches each
    is right within 4 standard errors (false alarm 2.4e-4 for the four); the variance of the commonest falls."""
    rng = np.random.default_rng(29)
    population = rng.normal(size=(POINTS, 6))
    shifts = np.array([-3.0, -1.5, 0.0, 1.0])
    chance = 1.0 / (1.0 + np.exp(-(shifts[:, None] + 3.0 * population[:, 0])))
    found, plain = [], []
    for _ in range(200):
        which = rng.integers(POINTS, size=60)
        y = rng.uniform(size=60) < chance[:, which]
        found.append([one.value for one in adjusted_together(y, population[which], population, whole=True)])
        plain.append(y.mean(axis=1))
    values = np.array(found)
    error = (values.mean(axis=0) - chance.mean(axis=1)) / (values.std(axis=0, ddof=1) / np.sqrt(len(values)))
    assert np.abs(error).max() < 4.0
    assert np.array(plain)[:, 2].var() / values[:, 2].var() > 1.3


def test_futures_that_take_turns_in_scrambled_sets_have_honest_intervals() -> None:
    """200 times 16 scramblings of 8 points in four dimensions, of a chance that is smooth and steep in the first: right
    within 4 standard errors (6e-5), 90% to 99.5% of the intervals hold the truth (3.2 standard errors: 0.2%), and the
    variance is well below that of as many independent futures."""
    from scipy.stats import qmc

    rng = np.random.default_rng(31)
    made = []
    for _ in range(200):
        sets = np.stack([qmc.Sobol(4, rng=rng).random(8) for _ in range(16)], axis=1)  # (8, 16, 4): in turn
        chance = 1.0 / (1.0 + np.exp(-12.0 * (sets[..., 0] - 0.5)))
        made.append(in_turn((rng.uniform(size=(8, 16)) < chance).ravel(), 16))
    values = np.array([one.value for one in made])
    assert abs(values.mean() - 0.5) < 4 * values.std(ddof=1) / np.sqrt(200)
    assert 0.90 <= np.mean([one.low <= 0.5 <= one.high for one in made]) <= 0.995
    assert values.var(ddof=1) < 0.6 * 0.25 / 128


def test_sets_that_agree_or_are_too_few_keep_the_plain_interval() -> None:
    assert in_turn(np.zeros(64, bool), 16) == wilson(0, 64)
    assert in_turn(np.arange(20) < 7, 16) == wilson(7, 20)


@pytest.mark.parametrize("strength", [0.0, 1.0, 6.0])
def test_the_regression_is_the_most_likely_one(strength: float) -> None:
    """Where the slope of the penalised likelihood is zero, to rounding: Newton's method has arrived."""
    luck = np.random.default_rng(5)
    design = luck.standard_normal((400, 3))
    base = np.array([[0.5], [1.5]]) - strength * design[:, 0]
    outcomes = luck.random((2, 400)) < 1.0 / (1.0 + np.exp(base))
    constants, slopes = adjusted.logistic(design, outcomes)
    chance = 1.0 / (1.0 + np.exp(-(constants[:, None] + design @ slopes)))
    missed = outcomes - chance
    assert missed.sum(axis=1) == pytest.approx(np.zeros(2), abs=1e-6)
    assert missed.sum(axis=0) @ design == pytest.approx(adjusted.RIDGE * slopes, abs=1e-6)
