"""A probability adjusted for the values drawn: unbiased, its intervals honest, from fewer futures."""

from __future__ import annotations

import numpy as np
import pytest

from flowsim.analysis import adjusted
from flowsim.analysis.adjusted import PER_UNKNOWN, adjusted_probability
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


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="unknowns"):
        adjusted_probability(np.ones(3, bool), np.zeros((4, 2)), np.zeros((10, 2)))
    with pytest.raises(InputError, match="unknowns"):
        adjusted_probability(np.ones(3, bool), np.zeros((3, 2)), np.zeros((10, 5)))


@pytest.mark.parametrize("strength", [0.0, 1.0, 6.0])
def test_the_regression_is_the_most_likely_one(strength: float) -> None:
    """Where the slope of the penalised likelihood is zero, to rounding: Newton's method has arrived."""
    luck = np.random.default_rng(5)
    design = np.column_stack([np.ones(400), luck.standard_normal((400, 3))])
    outcome = (luck.random(400) < 1.0 / (1.0 + np.exp(0.5 - strength * design[:, 1]))).astype(float)
    weights = adjusted._logistic(design, outcome)
    chance = 1.0 / (1.0 + np.exp(-design @ weights))
    ridge = np.array([0.0, adjusted.RIDGE, adjusted.RIDGE, adjusted.RIDGE])
    assert design.T @ (outcome - chance) == pytest.approx(ridge * weights, abs=1e-6)
