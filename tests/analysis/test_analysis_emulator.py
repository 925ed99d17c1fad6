"""The emulator on a surface that is known, and its held-out error on cases worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from flowsim.analysis.emulator import fit, held_out

LOW, HIGH = np.array([0.0, -1.0]), np.array([0.6, 3.0])


def surface(points: np.ndarray) -> np.ndarray:
    return np.asarray(expit(12.0 * (points[:, 0] - 0.25) - 0.8 * points[:, 1]))


def drawn(seed: int, number: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    points = rng.uniform(LOW, HIGH, (number, 2))
    return points, (rng.random(number) < surface(points)).astype(float)


def test_a_known_surface_comes_back_and_its_interval_holds_it() -> None:
    """Fixed seed. The error of 1,024 points is about 3 percentage points; with 16 times as many about a quarter."""
    grid = np.array([(a, b) for a in np.linspace(0, 0.6, 9) for b in np.linspace(-1, 3, 9)])
    few, many = (fit(*drawn(1, number), LOW, HIGH) for number in (1024, 16 * 1024))
    errors = [float(np.sqrt(np.mean((one.probability(grid) - surface(grid)) ** 2))) for one in (few, many)]
    assert errors[0] < 0.05
    assert errors[1] < 0.02
    mean, low, high = few.averaged(grid[:, None, :])
    assert mean == pytest.approx(few.probability(grid))
    inside = (low <= surface(grid)) & (surface(grid) <= high)
    assert inside.mean() > 0.8  # pointwise 95%, of points that hang together


def test_averaging_over_points_is_the_mean_of_their_probabilities() -> None:
    one = fit(*drawn(2, 512), LOW, HIGH)
    points = np.random.default_rng(3).uniform(LOW, HIGH, (4, 7, 2))
    mean, low, high = one.averaged(points)
    assert mean == pytest.approx(one.probability(points.reshape(28, 2)).reshape(4, 7).mean(axis=1))
    assert ((low < mean) & (mean < high)).all()


def test_outcomes_that_are_all_alike_give_a_flat_surface() -> None:
    points, _ = drawn(4, 256)
    assert fit(points, np.zeros(256), LOW, HIGH).probability(points).max() < 0.05
    assert fit(points, np.ones(256), LOW, HIGH).probability(points).min() > 0.95


def test_the_held_out_error_takes_chance_out() -> None:
    exact = held_out(np.array([0.5, 0.25]), np.array([32, 16]), 64)
    assert (exact.error, exact.raw, exact.worst, exact.bias, exact.inside) == (0.0, 0.0, 0.0, 0.0, 2)
    wrong = held_out(np.array([0.9, 0.9]), np.array([0, 0]), 64)
    assert wrong.error == pytest.approx(0.9)
    assert wrong.inside == 0
    rng = np.random.default_rng(7)  # predictions that are right: what is left is chance
    p = rng.uniform(0.1, 0.9, 400)
    right = held_out(p, rng.binomial(64, p), 64)
    assert right.raw == pytest.approx(np.sqrt(np.mean(p * (1 - p)) / 64), rel=0.1)
    assert right.error < 0.02
    assert right.inside / 400 >= 0.92  # 95% is below it with a chance under 0.5%
