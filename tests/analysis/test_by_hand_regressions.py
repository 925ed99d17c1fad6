"""Fits and what follows from them, against plain least squares, exact polynomials and sums over a handful of rows."""

from __future__ import annotations

import math
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from scipy import optimize, special, stats

from flowsim.analysis import adjusted as ad
from flowsim.analysis import controls as co
from flowsim.analysis import effects as ef
from flowsim.analysis import emulator as em
from flowsim.analysis import information as inf
from flowsim.analysis import measure_first
from flowsim.analysis import posterior as p
from flowsim.analysis.statistics import Estimate, share_interval, wilson
from flowsim.errors import InputError
from flowsim.plan.observed import Observation


def numbers(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


def shifted(u: np.ndarray, degree: int) -> np.ndarray:
    """Orthonormal Legendre polynomials on (0, 1), from their explicit formulas."""
    x = 2.0 * u - 1.0
    made = [math.sqrt(3) * x, math.sqrt(5) * (3 * x**2 - 1) / 2, math.sqrt(7) * (5 * x**3 - 3 * x) / 2]
    return np.stack(made[:degree], axis=-1)


# ---------------------------------------------------------------- main effects and surfaces


def test_ranks_by_hand() -> None:
    assert ef.ranks(np.array([[3.0], [1.0], [1.0], [9.0]]))[:, 0].tolist() == [0.625, 0.25, 0.25, 0.875]


def test_polynomials_by_their_formulas() -> None:
    u = np.array([0.0, 0.2, 0.5, 0.9, 1.0])
    for degree in (1, 2, 3):
        assert ef.legendre(u, degree) == pytest.approx(shifted(u, degree))


def fitted(n: int = 40, d: int = 2, degree: int = 3) -> tuple[ef.MainEffects, np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(n + d)
    u = rng.random((n, d))
    y = np.column_stack([3.0 + 2.0 * u[:, 0] ** 2, 1.0 - u[:, -1]]) + rng.normal(0.0, 0.3, (n, 2))
    design = np.hstack([np.ones((n, 1)), *(shifted(u[:, i], degree) for i in range(d))])
    return ef.main_effects(tuple("abcdef"[:d]), u, y), u, y, design


def test_main_effects_are_least_squares() -> None:
    found, _, y, design = fitted()
    solved = np.linalg.solve(design.T @ design, design.T @ y)
    left = y - design @ solved
    assert (found.names, found.degree, found.n) == (("a", "b"), 3, 40)
    assert found.coefficients == pytest.approx(solved)
    assert found.inverse == pytest.approx(np.linalg.inv(design.T @ design))
    assert found.residual == pytest.approx(left.T @ left / (40 - 7))
    assert (found.places(0), found.places(1)) == ([0, 1, 2, 3], [0, 4, 5, 6])
    assert found.of(1) == pytest.approx(solved[[0, 4, 5, 6]])


@pytest.mark.parametrize(("n", "degree"), [(21, 3), (20, 2), (15, 2), (14, 1), (7, 1)])
def test_the_degree_follows_the_number_of_futures(n: int, degree: int) -> None:
    """Three futures to a column, of which two unknowns have 1 + 2 * degree."""
    u = np.random.default_rng(n).random((n, 2))
    assert ef.main_effects(("a", "b"), u, u).degree == degree
    assert ef.main_effects(("a", "b"), u, u, 1).degree == 1


def test_too_few_futures_for_lines() -> None:
    u = np.random.default_rng(1).random((5, 2))
    with pytest.raises(InputError, match="futures: found 5 of them; expected more than 5, for 2 unknowns"):
        ef.main_effects(("a", "b"), u, u)
    u = np.random.default_rng(1).random((6, 2))
    assert ef.main_effects(("a", "b"), u, u).degree == 1
    with pytest.raises(InputError, match="futures: found 13 of them; expected at least 14, for 2 unknowns"):
        ef.surface(("a", "b"), np.zeros((13, 2)), np.zeros((13, 1)))


def test_doubt_is_the_smallest_of_the_f_tests() -> None:
    found, u, y, design = fitted()
    for unknown in (0, 1):
        own = found.places(unknown)[1:]
        doubts = []
        for contrast in ([1.0, 0.0], [0.0, 1.0], [-1.0, 1.0]):
            z = y @ contrast
            rest = np.delete(design, own, axis=1)
            whole = ((z - design @ np.linalg.lstsq(design, z, rcond=None)[0]) ** 2).sum()
            less = ((z - rest @ np.linalg.lstsq(rest, z, rcond=None)[0]) ** 2).sum()
            doubts.append(stats.f.sf((less - whole) / 3 / (whole / 33), 3, 33))
        assert found.doubt(unknown) == pytest.approx(min(1.0, 3 * min(doubts)), rel=1e-6)
    still = ef.main_effects(("a", "b"), u, np.zeros((40, 2)))
    assert still.doubt(0) == 1.0


def test_posterior_has_the_mean_and_the_covariance_of_the_fit() -> None:
    found, *_ = fitted()
    drawn = found.posterior(1, 4000, 5)
    assert drawn.shape == (4000, 4, 2)
    assert drawn.mean(axis=0) == pytest.approx(found.of(1), abs=0.03)
    places = found.places(1)
    for i in range(4):
        for k in range(2):
            expected = found.inverse[places[i], places[i]] * found.residual[k, k]
            assert drawn[:, i, k].var() == pytest.approx(expected, rel=0.12)  # 5 standard errors
    together = np.cov(drawn[:, 1, 0], drawn[:, 1, 1])[0, 1]
    assert together == pytest.approx(found.inverse[places[1], places[1]] * found.residual[0, 1], abs=1e-3)
    assert (found.posterior(1, 3, 5) == drawn[:3]).all()
    root = ef._root(np.array([[2.0, 1.0], [1.0, 0.5]]))  # singular
    assert root @ root == pytest.approx(np.array([[2.0, 1.0], [1.0, 0.5]]))
    assert root == pytest.approx(root.T)


def test_columns_of_a_surface_in_their_order() -> None:
    u = np.random.default_rng(2).random((5, 3))
    lines = shifted(u, 1)[:, :, 0]
    expected = [np.ones(5)]
    for i in range(3):
        expected += list(shifted(u[:, i], 2).T)
    expected += [lines[:, i] * lines[:, j] for i, j in combinations(range(3), 2)]
    assert ef.columns(u, 2) == pytest.approx(np.stack(expected, axis=1))
    assert ef.columns(u[:, :1], 2) == pytest.approx(np.stack(expected[:3], axis=1))


def test_sobol_indices_are_parts_of_the_squares() -> None:
    coefficients = np.array([[9.0, 1.0], [1.0, 0.0], [2.0, 0.0], [0.0, 0.0], [3.0, 0.0], [4.0, 0.0], [0.0, 0.0],
                             [5.0, 0.0], [6.0, 0.0], [7.0, 0.0]])  # fmt: skip
    made = ef.Surface(("a", "b", "c"), 2, coefficients, np.zeros(2), 1.0)
    first, whole = made.indices()
    total = 1 + 4 + 9 + 16 + 25 + 36 + 49
    assert first[:, 0] == pytest.approx(np.array([5, 9, 16]) / total)
    assert whole[:, 0] == pytest.approx(np.array([5 + 25 + 36, 9 + 25 + 49, 16 + 36 + 49]) / total)
    assert np.isnan(first[:, 1]).all()
    u = np.random.default_rng(1).random((4, 3))
    assert made.predict(u) == pytest.approx(ef.columns(u, 2) @ coefficients)


def ridge(design: np.ndarray, y: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Least squares with a row of its own for each penalty."""
    rows = np.vstack([design, np.diag(np.sqrt(held * len(design)))])
    return np.asarray(np.linalg.lstsq(rows, np.vstack([y, np.zeros((len(held), y.shape[1]))]), rcond=None)[0])


@pytest.mark.parametrize("grouped", [False, True])
def test_a_surface_is_chosen_by_what_it_foretells(grouped: bool) -> None:
    rng = np.random.default_rng(4)
    n, d = 90, 2
    u = rng.random((n, d))
    y = (u[:, :1] - 0.5) * (u[:, 1:] - 0.5) * 4.0 + u[:, :1] + rng.normal(0.0, 0.4, (n, 1))
    groups = np.arange(n) // 3 + 7 if grouped else None
    found = ef.surface(("a", "b"), u, y, groups, seed=3)
    design = np.hstack([np.ones((n, 1)), shifted(u[:, 0], 3), shifted(u[:, 1], 3)])
    design = np.column_stack([design, shifted(u[:, 0], 1)[:, 0] * shifted(u[:, 1], 1)[:, 0]])
    labels = np.arange(n) if groups is None else groups - 7
    fold = np.random.default_rng(3).permutation(labels.max() + 1)[labels] % 10
    told = {}
    for penalty in (0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0):
        held = np.array([0.0] + [1e-4] * 6 + [penalty])
        errors = np.empty(n)
        for k in range(10):
            out = fold == k
            errors[out] = (y[out] - design[out] @ ridge(design[~out], y[~out], held))[:, 0]
        told[penalty] = 1.0 - (errors**2).mean() / y.var()
    best = max(told, key=lambda one: told[one])
    assert found.penalty == best
    assert found.held_out == pytest.approx([told[best]])
    held = np.array([0.0] + [1e-4] * 6 + [best])
    assert found.coefficients == pytest.approx(ridge(design, y, held))
    rows = rng.integers(0, n, 70)
    again = ef.refit(found, u, y, rows)
    assert again.coefficients == pytest.approx(ridge(design[rows], y[rows], held))
    assert (again.penalty, again.degree) == (best, 3)


def test_a_surface_of_few_futures_is_of_lower_degree() -> None:
    u = np.random.default_rng(6).random((21, 2))
    assert ef.surface(("a", "b"), u, u).degree == 3
    assert ef.surface(("a", "b"), u[:20], u[:20]).degree == 2
    assert ef.surface(("a", "b"), u[:15], u[:15]).degree == 2
    assert ef.surface(("a", "b"), u[:14], u[:14]).degree == 1


# ---------------------------------------------------------------- the emulator


def test_basis_of_two_coordinates() -> None:
    x, y = 0.5, -2.0
    expected = [1.0, x, y, x * x, x * y, y * y, x**3, x * x * y, x * y * y, y**3]
    assert em.basis(np.array([[x, y]])).tolist() == [expected]


def plane(n: int = 60, seed: int = 12, width: float = 3.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    points = rng.uniform([10.0, 0.0], [30.0, 4.0], (n, 2))
    return points, rng.random(n) < special.expit((points[:, 0] - 20.0) / width)


def penalised(made: np.ndarray, y: np.ndarray, penalty: float) -> np.ndarray:
    shrink = np.full(made.shape[1], penalty)
    shrink[0] = 1e-3

    def loss(b: np.ndarray) -> float:
        eta = made @ b
        return float((np.logaddexp(0.0, eta) - y * eta).sum() + 0.5 * (shrink * b * b).sum())

    def slope(b: np.ndarray) -> np.ndarray:
        return np.asarray(made.T @ (special.expit(made @ b) - y) + shrink * b)

    return np.asarray(optimize.minimize(loss, np.zeros(made.shape[1]), jac=slope, tol=1e-12, method="BFGS").x)


CHOSEN = {(12, 3.0): 3.0, (5, 0.5): 0.03, (6, 0.05): 0.03, (7, 40.0): 0.3, (8, 10.0): 30.0}
"""Penalties that these planes ask for: the noisier, the larger."""


@pytest.mark.parametrize(("seed", "width"), CHOSEN)
def test_the_emulator_is_a_penalised_logistic_regression(seed: int, width: float) -> None:
    points, met = plane(60, seed, width)
    low, high = np.array([10.0, 0.0]), np.array([30.0, 4.0])
    found = em.fit(points, met, low, high)
    unit = np.column_stack([(points[:, 0] - 20.0) / 10.0, (points[:, 1] - 2.0) / 2.0])
    made, y = em.basis(unit), met.astype(float)
    losses = []
    for penalty in (0.03, 0.3, 3.0, 30.0):
        loss = 0.0
        for k in range(5):
            out = np.arange(60) % 5 == k
            chance = special.expit(made[out] @ penalised(made[~out], y[~out], penalty))
            loss -= stats.bernoulli.logpmf(y[out].astype(int), np.clip(chance, 1e-9, 1 - 1e-9)).sum()
        losses.append(loss)
    assert found.penalty == (0.03, 0.3, 3.0, 30.0)[int(np.argmin(losses))] == CHOSEN[seed, width]
    b = penalised(made, y, found.penalty)
    assert found.coefficients == pytest.approx(b, rel=1e-3, abs=1e-3)
    chance = special.expit(made @ found.coefficients)
    hessian = (made.T * (chance * (1 - chance))) @ made + np.diag([1e-3] + [found.penalty] * 9)
    assert found.covariance == pytest.approx(np.linalg.inv(hessian))
    assert found.n == 60
    assert found.probability(points[:4]) == pytest.approx(chance[:4])


def test_an_average_over_points_and_its_delta_method() -> None:
    points, met = plane()
    found = em.fit(points, met, np.array([10.0, 0.0]), np.array([30.0, 4.0]))
    asked = points[:6].reshape(2, 3, 2)
    mean, low, high = found.averaged(asked, 0.9)
    for i in range(2):
        made = em.basis(found._unit(asked[i]))
        chance = special.expit(made @ found.coefficients)
        slope = np.mean([row * q * (1 - q) for row, q in zip(made, chance, strict=True)], axis=0)
        average = chance.mean()
        error = math.sqrt(slope @ found.covariance @ slope) / (average * (1 - average))
        middle, reach = special.logit(average), stats.norm.ppf(0.95) * error
        assert (mean[i], low[i], high[i]) == pytest.approx(
            (average, special.expit(middle - reach), special.expit(middle + reach))
        )
    assert found.averaged(asked)[1][0] < low[0]  # 95% unless asked otherwise
    assert found.averaged(asked)[1] == pytest.approx(found.averaged(asked, 0.95)[1])


def test_when_all_are_alike_the_surface_is_finite() -> None:
    points, _met = plane(30)
    found = em.fit(points, np.ones(30), np.array([10.0, 0.0]), np.array([30.0, 4.0]))
    assert np.isfinite(found.coefficients).all()
    assert found.probability(points).min() > 0.98


def test_held_out_by_hand() -> None:
    found = em.held_out(np.array([0.5, 0.2, 0.9]), np.array([2, 2, 10]), 10)
    apart = [0.3, 0.0, -0.1]
    chance = (0.16 + 0.16 + 0.0) / 3 / 9
    square = (0.09 + 0.0 + 0.01) / 3
    assert (found.points, found.each) == (3, 10)
    assert (found.error, found.raw) == pytest.approx((math.sqrt(square - chance), math.sqrt(square)))
    assert (found.worst, found.bias) == pytest.approx((0.3, sum(apart) / 3))
    ends = [wilson(k, 10) for k in (2, 2, 10)]
    assert found.inside == sum(one.low <= q <= one.high for one, q in zip(ends, (0.5, 0.2, 0.9), strict=True))
    assert em.held_out(np.array([0.2]), np.array([2]), 10).error == 0.0
    edge = wilson(3, 10)
    assert em.held_out(np.array([edge.low, edge.high]), np.array([3, 3]), 10).inside == 2


# ---------------------------------------------------------------- what knowing is worth


def exact_effects(coefficients: list[list[float]], scale: float = 0.0) -> ef.MainEffects:
    """Effects that are known: no doubt about any coefficient where ``scale`` is 0."""
    made = np.array(coefficients)
    k = len(made)
    return ef.MainEffects(("a",), k - 1, made, np.eye(k) / 100.0, scale * np.eye(made.shape[1]), 100)


def test_gain_by_hand() -> None:
    benefit = np.array([[1.0, 4.0], [3.0, 0.0], [2.0, 0.5]])
    assert inf.gain(benefit) == pytest.approx((4 + 3 + 2) / 3 - 2.0)
    assert inf.clairvoyance(benefit) == pytest.approx(1.0)
    assert inf.gain(np.stack([benefit, benefit[:, ::-1]])) == pytest.approx([1.0, 1.0])


def test_knowing_a_straight_line_is_worth_its_triangle() -> None:
    """Option two is better by 4 (u - 1/2) - 1/2: it wins above 5/8, by a triangle of 3/8 * 3/2 / 2."""
    line = 4.0 / (2.0 * math.sqrt(3.0))
    found = inf.evppi(exact_effects([[0.0, -0.5], [0.0, line]]), 0)
    assert found.value == pytest.approx(3 / 8 * 1.5 / 2, rel=1e-5)
    assert found.high == pytest.approx(found.value)
    assert found.n == 100


def test_a_regression_that_is_unsure_is_corrected_for_what_it_gains_by_chance() -> None:
    effects = exact_effects([[0.0, 0.05], [0.0, 0.1], [0.0, 0.0]], 1.0)
    u = (np.arange(512) + 0.5) / 512
    states = np.hstack([np.ones((512, 1)), shifted(u, 2)])
    found = inf.gain(states @ effects.of(0))
    drawn = np.array([inf.gain(states @ one) for one in effects.posterior(0, 400, 20250101)])
    bias = drawn.mean() - found
    low, high = np.quantile(drawn, (0.05, 0.95)) - 2 * bias
    got = inf.evppi(effects, 0, 0.9)
    assert effects.doubt(0) > 0.1
    assert got.value == pytest.approx(max(0.0, found - bias))
    assert got.low == 0.0
    assert got.high == pytest.approx(max(got.value, high))
    sure = exact_effects([[0.0, 0.05], [0.0, 1.0], [0.0, 0.0]], 1.0)
    drawn = np.array([inf.gain(states @ one) for one in sure.posterior(0, 400, 20250101)])
    found = inf.gain(states @ sure.of(0))
    low, high = np.quantile(drawn, (0.05, 0.95)) - 2 * (drawn.mean() - found)
    got = inf.evppi(sure, 0, 0.9)
    assert sure.doubt(0) < 0.1
    assert numbers(got) == pytest.approx((2 * found - drawn.mean(), low, high))
    assert numbers(inf.evppi(sure, 0)) == pytest.approx(numbers(inf.evppi(sure, 0, 0.95, 20250101)))


def test_gains_an_option_at_a_time() -> None:
    rng = np.random.default_rng(2)
    states, coefficients = rng.normal(size=(7, 3)), rng.normal(size=(5, 3, 4))
    assert inf._gains(states, coefficients) == pytest.approx([float(inf.gain(states @ one)) for one in coefficients])


def test_a_measurement_that_tells_all_or_nothing() -> None:
    effects = exact_effects([[0.0, -0.2], [0.0, 1.0], [0.0, 0.3]])
    all_of_it = inf.evsi(effects, 0, lambda u, rng: np.exp(3.0 * u))
    assert all_of_it.value == pytest.approx(inf.evppi(effects, 0).value, rel=1e-3)
    nothing = inf.evsi(effects, 0, lambda u, rng: rng.random(len(u)))
    assert nothing.value < 0.02 * all_of_it.value
    half = inf.evsi(effects, 0, lambda u, rng: u + rng.normal(0.0, 0.3, len(u)))
    rng = np.random.default_rng(20250101)
    u = np.tile((np.arange(512) + 0.5) / 512, 8)
    rank = (stats.rankdata(u + rng.normal(0.0, 0.3, len(u))) - 0.5) / len(u)
    seen = np.vander(rank, 6)  # the same space as the polynomials up to the fifth
    expected = seen @ np.linalg.lstsq(seen, shifted(u, 2), rcond=None)[0]
    states = np.hstack([np.ones((len(u), 1)), expected])
    assert half.value == pytest.approx(inf.gain(states @ effects.of(0)), rel=1e-6)


def test_a_summary_of_few_or_of_one_value_is_worth_nothing() -> None:
    rng = np.random.default_rng(3)
    summary, benefit = rng.normal(size=12), rng.normal(size=(12, 2))
    assert numbers(inf.evsi_of_summary(summary[:11], benefit[:11])) == (0.0, 0.0, 0.0)
    assert inf.evsi_of_summary(summary[:11], benefit[:11]).n == 11
    assert numbers(inf.evsi_of_summary(np.full(12, 7.0), benefit)) == (0.0, 0.0, 0.0)
    summary = np.arange(12.0)
    benefit = np.column_stack([np.zeros(12), summary - 5.0])
    rank = (np.arange(12) + 0.5) / 12
    effects = ef.main_effects(("summary",), rank[:, None], benefit)
    found = inf.evsi_of_summary(summary, benefit)
    assert numbers(found) == pytest.approx(numbers(inf.evppi(effects, 0)))
    assert found.value > 1.0


def test_perfect_information_is_taken_over_the_whole_surface() -> None:
    """Option two is better by 4 (u - 1/2) - 1/2, whatever the other unknown is."""
    line = 4.0 / (2.0 * math.sqrt(3.0))
    rng = np.random.default_rng(9)
    u = rng.random((200, 2))
    benefit = np.column_stack([np.zeros(200), 4.0 * (u[:, 0] - 0.5) - 0.5])
    made = ef.surface(("a", "b"), u, benefit)
    assert made.coefficients[1, 1] == pytest.approx(line, rel=1e-3)
    found = inf.evpi(made, u, benefit)
    assert found.value == pytest.approx(3 / 8 * 1.5 / 2, rel=0.01)
    assert found.low <= found.value <= found.high
    assert found.high - found.low < 0.01
    assert found.n == 200


def test_dust_is_swept_out() -> None:
    assert numbers(inf._estimate(0.9e-9, -1.0, 1.1e-9, 5, 1.0)) == (0.0, 0.0, 1.1e-9)
    assert numbers(inf._estimate(2.0, 3.0, 1.0, 5, 1.0)) == (2.0, 2.0, 2.0)
    assert numbers(inf._estimate(1e-9, 0.0, 1.0, 5, 1.0)) == (1e-9, 0.0, 1.0)


def test_share_of_the_variance_of_an_unknown() -> None:
    effects = exact_effects([[5.0], [0.3], [0.4]], 0.0)
    assert numbers(measure_first._share(effects, 0, 0.5)) == pytest.approx((0.5, 0.0, 0.5))  # no spread, no test
    unsure = exact_effects([[5.0], [0.3], [0.4]], 1.0)
    drawn = (unsure.posterior(0, measure_first.DRAWS, measure_first.SEED)[:, 1:, 0] ** 2).sum(axis=1) / 0.5
    bias = drawn.mean() - 0.5
    low, high = np.quantile(drawn, (0.025, 0.975)) - 2 * bias
    assert numbers(measure_first._share(unsure, 0, 0.5)) == pytest.approx((0.5 - bias, max(low, 0.0), min(high, 1.0)))
    assert numbers(measure_first._share(effects, 0, 0.2)) == (1.0, 0.0, 1.0)


# ---------------------------------------------------------------- probabilities that are adjusted


def newton(design: np.ndarray, outcomes: np.ndarray) -> np.ndarray:
    """Constants and slopes by a general optimiser."""
    count, p_ = len(outcomes), design.shape[1]

    def loss(b: np.ndarray) -> float:
        eta = b[:count, None] + design @ b[count:]
        return float((np.logaddexp(0.0, eta) - outcomes * eta).sum() + 0.5 * 2.0 * (b[count:] ** 2).sum())

    return np.asarray(optimize.minimize(loss, np.zeros(count + p_), tol=1e-12, method="BFGS").x)


def test_logistic_is_the_optimum() -> None:
    rng = np.random.default_rng(7)
    x = rng.normal(size=(60, 2))
    y = np.array([x[:, 0] + rng.normal(size=60) > 0.3, x[:, 0] - x[:, 1] + rng.normal(size=60) > 0.0])
    constants, slopes = ad.logistic(x, y)
    assert np.concatenate([constants, slopes]) == pytest.approx(newton(x, y.astype(float)), abs=2e-5)
    assert ad.chance_at(np.array([0.0, 2.0, 99.0, -99.0])) == pytest.approx(
        [0.5, 1 / (1 + math.exp(-2)), special.expit(30.0), special.expit(-30.0)], rel=1e-12
    )


@pytest.mark.parametrize("kind", ["sample", "whole", "sets"])
def test_an_adjusted_probability_by_hand(kind: str) -> None:
    """Prediction over the population plus what it missed, each future predicted without itself."""
    rng = np.random.default_rng(11)
    n, sets = 80, 5
    x, population = rng.normal(size=(n, 2)), rng.normal(size=(200, 2))
    y = x[:, 0] + 0.7 * rng.normal(size=n) > 0.2
    given = population.reshape(sets, 40, 2) if kind == "sets" else population
    found = ad.adjusted_probability(y, x, given, whole=kind == "whole")
    centre, scale = population.mean(axis=0), population.std(axis=0)
    design, others = (x - centre) / scale, (population - centre) / scale
    missed, predicted = np.empty(n), np.zeros(200)
    for k in range(10):
        out = np.arange(n) % 10 == k
        b = newton(design[~out], y[None, ~out].astype(float))
        missed[out] = y[out] - special.expit(b[0] + design[out] @ b[1:])
        predicted += special.expit(b[0] + others @ b[1:]) / 10.0
    share = predicted.mean() + missed.mean()
    variance = missed.var(ddof=1) / n
    if kind == "sets":
        variance += predicted.reshape(sets, 40).mean(axis=1).var(ddof=1) / sets
    elif kind == "sample":
        variance += predicted.var(ddof=1) / 200
    expected = (share, *share_interval(share, share * (1 - share) / variance))
    assert numbers(found) == pytest.approx(expected, abs=1e-5)
    assert found.n == n


def test_two_outcomes_share_a_model() -> None:
    rng = np.random.default_rng(13)
    x = rng.normal(size=(80, 1))
    y = np.array([x[:, 0] + rng.normal(size=80) > 0.0, np.arange(80) < 3, x[:, 0] + rng.normal(size=80) > 1.0])
    found = ad.adjusted_together(y, x, x)
    assert numbers(found[1]) == numbers(wilson(3, 80))  # fewer than 2 * 3 of the rarer kind
    assert numbers(found[0]) == pytest.approx(numbers(ad.adjusted_together(y[[0, 2]], x, x)[0]))
    assert numbers(found[0]) != pytest.approx(numbers(wilson(int(y[0].sum()), 80)))


def test_when_nothing_is_adjusted() -> None:
    y = np.arange(40) % 2 == 0
    x = np.linspace(0.0, 1.0, 40)[:, None]
    plain = numbers(wilson(20, 40))
    assert numbers(ad.adjusted_probability(y, np.ones((40, 1)), np.ones((9, 1)))) == plain
    assert numbers(ad.adjusted_probability(y, x, np.zeros((0, 1)))) == plain
    many = np.random.default_rng(1).normal(size=(40, 7))
    assert numbers(ad.adjusted_probability(y, many, many)) == plain  # 20 is fewer than 3 times 7
    assert numbers(ad.adjusted_probability(y, many[:, :6], many[:, :6])) != plain
    for bad in (x[:39], x[:, 0], np.hstack([x, x])):
        with pytest.raises(InputError, match=r"covariates: found .* outcomes; expected a row per outcome, columns as"):
            ad.adjusted_probability(y, bad, x)
    with pytest.raises(InputError, match=r"outcome: found an array of shape \(2, 20\); expected one row of outcomes"):
        ad.adjusted_probability(y.reshape(2, 20), x, x)


@pytest.mark.parametrize(
    ("hits", "n", "unknowns", "few"), [(6, 20, 2, False), (5, 20, 2, True), (14, 20, 2, False), (15, 20, 2, True)]
)
def test_too_few_of_one_kind(hits: int, n: int, unknowns: int, few: bool) -> None:
    assert ad.too_few(np.arange(n) < hits, unknowns) == few


def test_points_that_take_turns() -> None:
    y = np.array([1, 0, 1, 1, 0, 0, 1], bool)  # sets of 3: means 1, 0, 1/2; the last one is left out
    means = np.array([1.0, 0.0, 0.5])
    reach = stats.t.ppf(0.975, 2) * means.std(ddof=1) / math.sqrt(3)
    found = ad.in_turn(y, 3)
    assert numbers(found) == pytest.approx((0.5, max(0.0, 0.5 - reach), min(1.0, 0.5 + reach)))
    assert found.n == 7
    assert numbers(ad.in_turn(y[:5], 3)) == numbers(wilson(3, 5))
    assert numbers(ad.in_turn(np.array([1, 1, 0, 0], bool), 2)) == numbers(wilson(2, 4))  # equal means
    assert ad.in_turn(np.array([1, 0, 1, 1], bool), 2, 0.5).half_width == pytest.approx(0.25)


def test_controls_by_hand() -> None:
    rng = np.random.default_rng(17)
    x, population = rng.normal(size=(40, 2)), rng.normal(size=(300, 2))
    y = np.column_stack([3.0 + 2.0 * x[:, 0] + rng.normal(size=40), np.full(40, 4.0)])
    found = co.controlled(y, x, population)
    centre = population.mean(axis=0)
    expected, slopes = np.empty(40), np.zeros(2)
    for k in range(10):
        out = np.arange(40) % 10 == k
        line = np.linalg.lstsq(np.column_stack([np.ones(36), x[~out] - centre]), y[~out, 0], rcond=None)[0]
        expected[out] = y[out, 0] - (x[out] - centre) @ line[1:]
        slopes += line[1:] / 10
    assert found.values[:, 0] == pytest.approx(expected)
    assert found.extra[0] == pytest.approx(((population - centre) @ slopes).var(ddof=1) / 300)
    gain = y[:, 0].var(ddof=1) / 40 / (expected.var(ddof=1) / 40 + found.extra[0])
    assert found.gain[0] == pytest.approx(gain)
    assert math.isnan(found.gain[1])
    few = co.controlled(y[:5], x[:5], population)
    assert (few.values == y[:5]).all()
    assert (few.extra.tolist(), few.gain[0]) == ([0.0, 0.0], 1.0)
    assert math.isnan(few.gain[1])  # what never varies gains nothing
    assert not (co.controlled(y[:6], x[:6], population).values == y[:6]).all()
    assert (co.controlled(y, x, population[:1]).values == y).all()
    assert np.isnan(co.controlled(y[:0], x[:0], population).gain).all()
    for bad in (x[:39], x[:, :1], x[:, 0]):
        with pytest.raises(InputError, match=r"controls: found .* outcomes; expected a row per outcome"):
            co.controlled(y, bad, population)


# ---------------------------------------------------------------- the posterior


def target(name: str, error: float, gap: float, **more: Any) -> Observation:
    return Observation(name, "figure." + name, name, error, gap, "because", **more)


def test_error_model_by_hand() -> None:
    targets = [target("a", 3.0, 4.0, shares="g"), target("b", 1.0, 2.0, shares="g"), target("c", 2.0, 1.0),
               target("d", 0.5, 0.0, at_least=True)]  # fmt: skip
    made = p.ErrorModel.of(targets, {"g": 0.5})
    expected = np.diag([25.0, 5.0, 5.0, 0.25])
    expected[0, 1] = expected[1, 0] = 0.5 * 4.0 * 2.0
    assert made.covariance == pytest.approx(expected)
    assert made.bounds.tolist() == [False, False, False, True]
    assert made.deviation == pytest.approx([5.0, math.sqrt(5), math.sqrt(5), 0.5])
    twice = p.ErrorModel.of(targets, {"g": 0.5}, 2.0)
    assert twice.covariance[0].tolist() == [9.0 + 64.0, 16.0, 0.0, 0.0]
    simulated = np.array([[1.0, 2.0, 3.0, 0.4], [0.0, 0.0, 0.0, -0.6]])
    for held in (1.0, 0.0):
        observed = np.array([2.0, 1.0, 5.0, held])
        log = made.log_likelihood(simulated, observed)
        for i in range(2):
            gap = (simulated[i] - observed)[:3]
            z = simulated[i, 3] / 0.5
            chance = stats.norm.logcdf(z if held else -z)
            assert log[i] == pytest.approx(-0.5 * gap @ np.linalg.inv(expected[:3, :3]) @ gap + chance)
    assert p.observed_values(targets, np.array([7.0, 8.0, 9.0, 10.0])).tolist() == [7.0, 8.0, 9.0, 1.0]
    assert p.against_bounds(targets, np.array([7.0, 8.0, 9.0, 10.0]), np.array([[1.0, 1.0, 1.0, 12.0]])).tolist() == [
        [1.0, 1.0, 1.0, 2.0]
    ]


def test_sampled_observations_have_the_errors_of_the_model() -> None:
    made = p.ErrorModel(np.array([[4.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 0.25]]), np.array([False, False, True]))
    drawn = made.sample(np.tile([10.0, 5.0, 0.3], (40_000, 1)), np.random.default_rng(3))
    assert drawn[:, :2].mean(axis=0) == pytest.approx([10.0, 5.0], abs=0.05)
    assert np.cov(drawn[:, :2].T) == pytest.approx(np.array([[4.0, 1.0], [1.0, 1.0]]), abs=0.1)
    assert set(drawn[:, 2]) == {0.0, 1.0}
    assert drawn[:, 2].mean() == pytest.approx(stats.norm.cdf(0.6), abs=0.012)
    at_the_bound = p.ErrorModel(np.array([[1e-30]]), np.array([True]))
    assert at_the_bound.sample(np.array([[0.0 + 1e-9], [-1e-9]]), np.random.default_rng(1)).tolist() == [[1.0], [0.0]]


def test_a_proposal_is_fitted_by_moments() -> None:
    quantiles = np.array([[0.2, 0.5, 0.0], [0.4, 0.5, 1.0], [0.9, 0.5, 1.0]])
    weights = np.array([0.5, 0.25, 0.25])
    found = p.Proposal.fitted(quantiles, weights)
    mean = 0.425
    variance = 1.5 * (0.5 * 0.225**2 + 0.25 * 0.025**2 + 0.25 * 0.475**2)
    size = mean * (1 - mean) / variance - 1
    assert (found.a[0], found.b[0]) == (round(max(mean * size, 1.0), 3), round(max((1 - mean) * size, 1.0), 3))
    size = 0.25 / 1e-6 - 1
    assert (found.a[1], found.b[1]) == (round(size / 2, 3), round(size / 2, 3))
    assert (found.a[2], found.b[2]) == (1.0, 1.0)  # no density is infinite at an end
    narrow = p.Proposal.fitted(np.array([[0.3], [0.35], [0.4]]), np.full(3, 1 / 3))
    size = 0.35 * 0.65 / (1.5 * 0.05**2 * 2 / 3) - 1
    assert (narrow.a[0], narrow.b[0]) == (round(0.35 * size, 3), round(0.65 * size, 3))
    end = p.Proposal.fitted(np.array([[0.0], [0.001]]), np.array([0.5, 0.5]))
    variance = 1.5 * (0.5 * 0.01**2 + 0.5 * 0.009**2)
    assert end.b[0] == pytest.approx(max(1.0, round(0.99 * (0.01 * 0.99 / variance - 1), 3)))


def test_a_proposal_is_a_beta_distribution() -> None:
    made = p.Proposal(np.array([2.0, 1.0]), np.array([3.0, 1.0]))
    u = np.array([[0.1, 0.2], [0.9, 0.7]])
    law = stats.beta(2.0, 3.0)
    assert made.at(u) == pytest.approx(np.column_stack([law.ppf([0.1, 0.9]), [0.2, 0.7]]))
    assert made.log_density(u) == pytest.approx(law.logpdf(u[:, 0]))
    assert made.at(np.array([[0.0, 1.0]])).tolist() == [[1e-9, 1.0 - 1e-9]]
    prior = p.Proposal.prior(2)
    assert (prior.a.tolist(), prior.b.tolist()) == ([1.0, 1.0], [1.0, 1.0])
    mixture = 0.25 + 0.75 * law.pdf(u[:, 0])
    assert p.balance(u, [prior, made], [10, 30]) == pytest.approx(-np.log(mixture))


def test_systematic_resampling_by_hand() -> None:
    weights = np.array([0.5, 0.1, 0.4])
    assert p.resampled(weights, 4, 0.0).tolist() == [0, 0, 0, 2]
    assert p.resampled(weights, 4, 0.9).tolist() == [0, 0, 2, 2]
    assert p.resampled(weights, 10, 0.5).tolist() == [0] * 5 + [1] + [2] * 4
    assert p.resampled(np.array([0.5, 0.5 - 1e-9]), 1, 1.0 - 1e-12).tolist() == [1]


def test_what_was_learnt_by_hand() -> None:
    values, weights = np.array([[1.0, 5.0], [2.0, 1.0], [4.0, 3.0]]), np.array([0.5, 0.25, 0.25])
    mean = 2.0
    spread = 0.5 * 1.0 + 0.0 + 0.25 * 4.0
    assert p.contraction(np.array([3.0, 4.0]), values, weights)[0] == pytest.approx(1.0 - spread / 3.0)
    assert mean == weights @ values[:, 0]
    ranks = np.array([[0.25, 0.75], [0.625, 0.125], [0.875, 0.375]])
    centred = ranks - weights @ ranks
    covariance = (weights * centred[:, 0]) @ centred[:, 1]
    sizes = [math.sqrt(weights @ centred[:, j] ** 2) for j in range(2)]
    found = p.rank_correlations(values, weights)
    assert found[0, 1] == found[1, 0] == pytest.approx(covariance / sizes[0] / sizes[1])
    assert np.diag(found) == pytest.approx([1.0, 1.0])
    assert p.implausibility(np.array([1.0]), np.array([9.0]), np.array([11.0]), np.array([4.0])) == pytest.approx([2.0])
    assert p.implausibility(np.array([11.0]), np.array([9.0]), np.array([1.0]), np.array([4.0])) == pytest.approx([2.0])


def test_places_of_truths_by_hand() -> None:
    """Each run is the truth once, and does not weigh itself."""
    rng = np.random.default_rng(4)
    values = rng.normal(size=(6, 2))
    simulated = values[:, :1] * 2.0
    errors = p.ErrorModel(np.array([[1.0]]), np.array([False]))
    places, sizes = p.ranks(values, simulated, errors, np.random.default_rng(8), datasets=4)
    truths = errors.sample(simulated[:4], np.random.default_rng(8))
    for i in range(4):
        weights = np.exp(-0.5 * (simulated[:, 0] - truths[i, 0]) ** 2)
        weights[i] = 0.0
        weights /= weights.sum()
        assert places[i] == pytest.approx([weights[values[:, j] < values[i, j]].sum() for j in range(2)])
        assert sizes[i] == pytest.approx(1.0 / (weights**2).sum())
    assert len(p.ranks(values, simulated, errors, np.random.default_rng(8))[0]) == 6
    wrong = p.ErrorModel(np.array([[100.0]]), np.array([False]))
    other, _ = p.ranks(values, simulated, errors, np.random.default_rng(8), used=wrong, datasets=4)
    assert not np.allclose(other, places)


def test_flatness_is_pearsons_test() -> None:
    places = np.array([[0.1, 0.1], [0.3, 0.2], [0.6, 0.15], [0.9, 0.05], [1.0, 0.0], [0.0, 0.3]])
    counts, doubts = p.flatness(places, 4)
    assert counts.tolist() == [[2, 1, 1, 2], [5, 1, 0, 0]]
    for row, doubt in zip(counts, doubts, strict=True):
        assert doubt == pytest.approx(stats.chisquare(row).pvalue)
    assert p.band(200, 10, 0.9) == (int(stats.binom.ppf(0.05, 200, 0.1)), int(stats.binom.ppf(0.95, 200, 0.1)))


def test_what_candidates_are_worth_by_hand() -> None:
    """By the model of the futures so far, on scores in units of the population's spread: the standard deviation of
    what is expected at a candidate, 1 where that is even. As sets of the population, or all of it in a row."""
    scores = np.array([1.0, 3.0, 7.0, 9.0, 3.0, 7.0])[:, None]
    outcome = np.array([0, 0, 1, 1, 1, 0], bool)
    population = np.array([0.0, 4.0, 6.0, 10.0])[:, None]
    spread = np.sqrt((25.0 + 1.0 + 1.0 + 25.0) / 4.0)
    (constant,), (slope,) = ad.logistic((scores - 5.0) / spread, outcome[None])
    at = np.array([[5.0], [2.0], [9.0]])
    chance = 1.0 / (1.0 + np.exp(-(constant + slope * (at[:, 0] - 5.0) / spread)))
    expected = 2.0 * np.sqrt(chance * (1.0 - chance))
    assert expected[0] == pytest.approx(1.0)
    for everybody in (population, population.reshape(2, 2, 1)):
        assert ad.worth_simulating(outcome, scores, everybody, at) == pytest.approx(expected)
    assert ad.worth_simulating(outcome, scores, population, np.array([[99.0]])).tolist() == [0.1]


def test_what_was_chosen_cannot_lift_a_probability_above_one() -> None:
    """One that counts for ten thousand was cleared against all odds."""
    scores = np.linspace(-3.0, 3.0, 40)[:, None]
    y = scores[:, 0] > 0.1
    y[0] = True
    order = np.r_[1:40, 0]
    made = ad.adjusted_probability(
        y[order], scores[order], scores, whole=True, selection=ad.Selection(39, np.array([1e-4]), 1)
    )
    assert (made.value, made.high) == (1.0, 1.0)
