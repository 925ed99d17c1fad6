"""Control variates: unbiased whatever the shape, the gain that theory promises, intervals that keep their level."""

from __future__ import annotations

import numpy as np
import pytest

from flowsim.analysis.adjusted import adjusted_probability
from flowsim.analysis.comparison import _adjusted
from flowsim.analysis.controls import PER_CONTROL, Controlled, controlled
from flowsim.analysis.paired import dependent_difference, paired_proportions, simultaneous
from flowsim.analysis.statistics import Estimate
from flowsim.errors import InputError

CHANCE = 0.001
"""Of a test that fails although all is well (each of the tests that draw)."""


def drawn(rng: np.random.Generator, n: int, p: int = 6) -> np.ndarray:
    """Skewed, and two of them hang together."""
    x = rng.gamma(2.0, size=(n, p))
    x[:, 1] += 0.5 * x[:, 0]
    return x


def outcome(x: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """A bent function, skewed noise: not what a straight line fits."""
    return np.asarray(3.0 * x[:, 0] - x[:, 2] ** 2 + np.maximum(x[:, 3] - 2.0, 0.0) * 4.0 + noise)


def test_it_is_unbiased_and_its_intervals_hold_the_mean() -> None:
    """600 batches of 40 futures; the mean is known from a million draws. The mean of the estimates lies within 3.3
    standard errors (chance 0.001); intervals of 95% hold it in 600 batches at least 552 times (binomial, chance
    0.001 for a coverage of 95%; 0.93 would miss one time in two)."""
    rng = np.random.default_rng(20_270_101)
    many = drawn(rng, 1_000_000)
    truth = float(outcome(many, np.zeros(len(many))).mean())
    found, held, plain = [], 0, []
    for _ in range(600):
        x, noise = drawn(rng, 40), rng.exponential(3.0, 40) - 3.0
        y = outcome(x, noise)
        made = controlled(y[:, None], x, many[rng.integers(0, len(many), 4096)])
        (one,), _ = simultaneous(made.values, 0.95, made.extra)
        found.append(one.value)
        plain.append(y.mean())
        held += one.low <= truth <= one.high
    estimates = np.array(found)
    error = estimates.std(ddof=1) / np.sqrt(len(estimates))
    assert abs(estimates.mean() - truth) < 3.3 * error
    assert held >= 552
    assert np.var(plain) / np.var(found) > 1.5


def test_the_gain_is_that_of_theory_for_a_straight_line() -> None:
    """y = x1 + x2 + e with equal variances: one third of the variance is left, so the gain is 3 (Lavenberg and Welch);
    each control fitted costs about 1/n of it. With 2,000 futures the standard error of the gain is about 0.13."""
    rng = np.random.default_rng(5)
    x = rng.standard_normal((2_000, 3))
    y = x[:, 0] + x[:, 1] + rng.standard_normal(2_000)
    made = controlled(y[:, None], x, rng.standard_normal((400_000, 3)))
    assert made.gain[0] == pytest.approx(3.0, abs=0.45)


def test_controls_that_say_nothing_cost_a_little_and_the_gain_says_so() -> None:
    rng = np.random.default_rng(6)
    x = rng.standard_normal((60, 10))
    made = controlled(rng.standard_normal((60, 1)), x, rng.standard_normal((4096, 10)))
    assert 0.4 < made.gain[0] < 1.0


def test_differences_of_controlled_means_are_controlled_means_of_differences() -> None:
    rng = np.random.default_rng(7)
    x, other = rng.standard_normal((64, 4)), rng.standard_normal((500, 4))
    a, b = rng.standard_normal((2, 64, 3)) + x[:, :3]
    whole = controlled(b - a, x, other).values
    assert np.allclose(whole, controlled(b, x, other).values - controlled(a, x, other).values)


def test_too_few_futures_or_nothing_that_varies_leave_outcomes_as_they_are() -> None:
    rng = np.random.default_rng(8)
    y, x = rng.standard_normal((20, 2)), rng.standard_normal((20, 10))
    few: Controlled = controlled(y, x, rng.standard_normal((100, 10)))
    assert len(y) < PER_CONTROL * 11
    assert few.values is y
    assert few.gain.tolist() == [1.0, 1.0]
    assert controlled(y, np.ones((20, 3)), np.ones((100, 3))).values is y
    still = controlled(np.column_stack([y[:, 0], np.full(20, 5.0)]), x[:, :2], rng.standard_normal((100, 2)))
    assert np.isnan(still.gain[1])
    assert still.values[:, 1] == pytest.approx(np.full(20, 5.0))


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="controls"):
        controlled(np.zeros((4, 1)), np.zeros((3, 2)), np.zeros((9, 2)))
    with pytest.raises(InputError, match="columns as population"):
        controlled(np.zeros((4, 1)), np.zeros((4, 2)), np.zeros((9, 3)))


def test_square_and_add_is_newcombes_interval_when_the_correlation_is_his() -> None:
    """On independent pairs the corrected correlation of method 10 is 0 when the table is even."""
    first = np.tile([True, True, False, False], 25)
    second = np.tile([True, False, True, False], 25)
    expected = paired_proportions(first, second)
    from flowsim.analysis.statistics import wilson

    found = dependent_difference(wilson(50, 100), wilson(50, 100), 0.0)
    assert (found.value, found.low, found.high) == pytest.approx((expected.value, expected.low, expected.high))
    sure = Estimate(0.5, 0.5, 0.5, 10)
    assert dependent_difference(sure, sure, 1.0) == Estimate(0.0, 0.0, 0.0, 10)


class Simulated:
    """As much of a case as a difference of probabilities needs."""

    def __init__(self, cleared: np.ndarray, x: np.ndarray, population: np.ndarray) -> None:
        self.cleared, self.x, self.population = cleared, x, population
        self.drawn = [dict(enumerate(row)) for row in x]

    def probability(self, seed: int, level: float) -> Estimate:
        return adjusted_probability(self.cleared, self.x, self.population, level)


def test_the_difference_of_adjusted_probabilities_is_held_by_its_interval() -> None:
    """300 batches of 200 pairs that share values and most of their luck; the truth from two million. Held at least 272
    times (binomial, chance 0.001 for a coverage of 95%), and unbiased within 3.3 standard errors (chance 0.001)."""
    rng = np.random.default_rng(1)

    def pairs(generator: np.random.Generator, n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        x = generator.standard_normal((n, 5))
        luck, own = generator.logistic(size=n), 0.4 * generator.logistic(size=n)
        score = 1.2 * x[:, 0] - 0.7 * x[:, 1] - 0.4
        return x, score + luck > 0.0, score + 0.8 + luck + own > 0.0

    _, a, b = pairs(rng, 2_000_000)
    truth = b.mean() - a.mean()
    found, held = [], 0
    for i in range(300):
        generator = np.random.default_rng(1000 + i)
        x, first, second = pairs(generator, 200)
        population = generator.standard_normal((4096, 5))
        cases = [Simulated(cleared, x, population) for cleared in (first, second)]
        one = _adjusted(cases[0], cases[1], 1, 0.95, (x, population))
        assert one is not None
        found.append(one.value)
        held += one.low <= truth <= one.high
    estimates = np.array(found)
    assert held >= 272
    assert abs(estimates.mean() - truth) < 3.3 * estimates.std(ddof=1) / np.sqrt(len(estimates))
