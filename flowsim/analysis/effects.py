"""How an outcome follows from the unknowns, from a sample of simulated futures: polynomials in their quantiles.

The unknowns are drawn independently, so in orthonormal polynomials of their quantiles every coefficient squared is a
part of the variance ([2]_), and the part that belongs to one unknown alone is the mean of the outcome given that
unknown ([1]_). `MainEffects` holds those parts with their posterior; `Surface` has products of two unknowns as well and
predicts the mean over chance at any values.

References
----------
.. [1] I. M. Sobol', "Global sensitivity indices for nonlinear mathematical models and their Monte Carlo estimates",
   Mathematics and Computers in Simulation 55, 2001, p. 271, sections 2 and 3.
.. [2] B. Sudret, "Global sensitivity analysis using polynomial chaos expansions", Reliability Engineering and System
   Safety 93(7), 2008, p. 964, eq. 39 to 42.
.. [3] A. Gelman et al., Bayesian Data Analysis, 3rd ed., 2013, section 14.2: the posterior of a linear regression.
.. [4] T. Hastie, R. Tibshirani and J. Friedman, The Elements of Statistical Learning, 2nd ed., 2009, sections 3.4.1
   (ridge regression), 7.10 (cross-validation).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np

from flowsim.errors import InputError

DEGREE: Final = 3
ROWS_PER_COLUMN: Final = 3
"""Futures for every column of the main effects; with fewer, the degree is lowered."""
PENALTIES: Final = (0.001, 0.01, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Of products of two unknowns, relative to the number of futures."""
FOLDS: Final = 10


def ranks(values: np.ndarray) -> np.ndarray:
    """Quantiles in (0, 1) of each column's own values: (n, d) -> (n, d); equal values get their mean rank."""
    from scipy.stats import rankdata

    array = np.asarray(values, float)
    return np.asarray((rankdata(array, axis=0) - 0.5) / len(array))


def legendre(u: np.ndarray, degree: int) -> np.ndarray:
    """Legendre polynomials 1 to ``degree``, orthonormal for a uniform ``u`` in (0, 1): (n,) -> (n, degree)."""
    x = 2.0 * np.asarray(u, float) - 1.0
    columns = np.polynomial.legendre.legvander(x, degree)[:, 1:]
    return np.asarray(columns * np.sqrt(2.0 * np.arange(1, degree + 1) + 1.0))


@dataclass(frozen=True)
class MainEffects:
    """Outcomes as a sum of functions of one unknown each, by least squares, with the posterior of the coefficients.

    Attributes
    ----------
    names : of the d unknowns. degree : of the polynomial of each.
    coefficients : (1 + d * degree, D), the mean first. inverse : (X'X)^-1. residual : (D, D) covariance per future.
    n : futures.
    """

    names: tuple[str, ...]
    degree: int
    coefficients: np.ndarray
    inverse: np.ndarray
    residual: np.ndarray
    n: int

    def places(self, unknown: int) -> list[int]:
        """Places of the mean and of an unknown's own coefficients."""
        first = 1 + unknown * self.degree
        return [0, *range(first, first + self.degree)]

    def of(self, unknown: int) -> np.ndarray:
        """(1 + degree, D): the mean, and an unknown's own coefficients."""
        return np.asarray(self.coefficients[self.places(unknown)])

    def doubt(self, unknown: int) -> float:
        """P-value of the hypothesis that no outcome hangs on an unknown: F-tests of its coefficients, an outcome and a
        difference of two outcomes at a time, by Bonferroni's rule."""
        from scipy.special import fdtrc

        own = self.places(unknown)[1:]
        b, count = self.coefficients[own], self.coefficients.shape[1]
        precision = np.linalg.pinv(self.inverse[np.ix_(own, own)])
        contrasts = [np.eye(count)[i] for i in range(count)]
        contrasts += [np.eye(count)[i] - np.eye(count)[j] for i in range(count) for j in range(i)]
        left, doubts = self.n - len(self.coefficients), []
        for contrast in contrasts:
            variance, effect = float(contrast @ self.residual @ contrast), b @ contrast
            if variance > 1e-12 * float(np.abs(self.residual).max()):
                ratio = float(effect @ precision @ effect) / len(own) / variance
                doubts.append(float(fdtrc(len(own), left, ratio)))
        return min(1.0, len(doubts) * min(doubts)) if doubts else 1.0

    def posterior(self, unknown: int, draws: int, seed: int) -> np.ndarray:
        """(draws, 1 + degree, D): draws of `of` from its normal posterior ([3]_)."""
        places = self.places(unknown)
        rows = _root(self.inverse[np.ix_(places, places)])
        columns = _root(self.residual)
        z = np.random.default_rng(seed).standard_normal((draws, len(places), len(columns)))
        return np.asarray(self.of(unknown) + rows @ z @ columns)


def main_effects(names: tuple[str, ...], u: np.ndarray, outcomes: np.ndarray, degree: int = DEGREE) -> MainEffects:
    """Fit `MainEffects`.

    Parameters
    ----------
    u : (n, d) quantiles of the unknowns, independent of each other. outcomes : (n, D).
    degree : at most; lower where there are fewer than `ROWS_PER_COLUMN` futures to a column.

    Raises
    ------
    InputError : too few futures for straight lines.
    """
    u, outcomes = np.asarray(u, float), np.asarray(outcomes, float)
    n, d = u.shape
    while degree > 1 and n < ROWS_PER_COLUMN * (1 + d * degree):
        degree -= 1
    if n < 2 + d * degree + d:
        raise InputError("futures", f"{n} of them", f"more than {2 * d + 1}, for {d} unknowns")
    design = np.hstack([np.ones((n, 1)), *(legendre(u[:, i], degree) for i in range(d))])
    inverse = np.linalg.pinv(design.T @ design)
    coefficients = inverse @ design.T @ outcomes
    left = outcomes - design @ coefficients
    residual = left.T @ left / (n - design.shape[1])
    return MainEffects(names, degree, coefficients, inverse, residual, n)


def _root(matrix: np.ndarray) -> np.ndarray:
    """Symmetric square root of a covariance, which may be singular."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T)


@dataclass(frozen=True)
class Surface:
    """The mean of outcomes over chance, as a polynomial in quantiles: each unknown alone, and products of two.

    Attributes
    ----------
    degree : of an unknown alone. coefficients : (1 + d * degree + d (d - 1) / 2, D), in the order of `columns`.
    held_out : (D,) share of the variance of futures left out of the fit that it foretells; chance is part of the rest.
    penalty : chosen by that share.
    """

    names: tuple[str, ...]
    degree: int
    coefficients: np.ndarray
    held_out: np.ndarray
    penalty: float

    def predict(self, u: np.ndarray) -> np.ndarray:
        """(m, d) quantiles -> (m, D) means over chance."""
        return np.asarray(columns(u, self.degree) @ self.coefficients)

    def indices(self) -> tuple[np.ndarray, np.ndarray]:
        """First-order and total Sobol index of each unknown for each outcome: (d, D) twice ([2]_); NaN: no variance."""
        d = len(self.names)
        squares = self.coefficients**2
        total = squares[1:].sum(axis=0)
        alone = np.array([squares[1 + i * self.degree : 1 + (i + 1) * self.degree].sum(axis=0) for i in range(d)])
        whole = alone.copy()
        for place, (i, j) in enumerate(combinations(range(d), 2), 1 + d * self.degree):
            whole[i] += squares[place]
            whole[j] += squares[place]
        with np.errstate(divide="ignore", invalid="ignore"):
            return alone / total, whole / total


def columns(u: np.ndarray, degree: int) -> np.ndarray:
    """The columns of a `Surface`: one, each unknown alone, products of two straight lines in lexical order."""
    u = np.asarray(u, float)
    parts = [legendre(u[:, i], degree) for i in range(u.shape[1])]
    lines = np.stack([part[:, 0] for part in parts], axis=1)
    first, second = zip(*combinations(range(u.shape[1]), 2), strict=True) if u.shape[1] > 1 else ((), ())
    products = lines[:, list(first)] * lines[:, list(second)]
    return np.hstack([np.ones((len(u), 1)), *parts, products])


def surface(
    names: tuple[str, ...], u: np.ndarray, outcomes: np.ndarray, groups: np.ndarray | None = None, seed: int = 0
) -> Surface:
    """Fit a `Surface` by ridge regression ([4]_): products are held back, as strongly as foretells held-out rows best.

    Parameters
    ----------
    u : (n, d) quantiles. outcomes : (n, D).
    groups : (n,) rows with the same number are left out together (points of one design row); None: each by itself.
    seed : of the order in which groups are left out.

    Raises
    ------
    InputError : fewer than 2 d + 10 rows.
    """
    u, outcomes = np.asarray(u, float), np.asarray(outcomes, float)
    n, d = u.shape
    if n < 2 * d + FOLDS:
        raise InputError("futures", f"{n} of them", f"at least {2 * d + FOLDS}, for {d} unknowns")
    degree = DEGREE
    while degree > 1 and n < ROWS_PER_COLUMN * (1 + d * degree):
        degree -= 1
    design = columns(u, degree)
    weights = np.full(design.shape[1], 1e-4)
    weights[0] = 0.0
    products = np.arange(design.shape[1]) > d * degree
    labels = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
    fold = np.random.default_rng(seed).permutation(int(labels.max()) + 1)[labels] % FOLDS
    best: tuple[float, float, np.ndarray] | None = None
    spread = np.maximum(((outcomes - outcomes.mean(axis=0)) ** 2).mean(axis=0), 1e-300)
    for penalty in PENALTIES:
        held = np.where(products, penalty, weights)
        errors = np.empty_like(outcomes)
        for k in range(FOLDS):
            out = fold == k
            errors[out] = outcomes[out] - design[out] @ _ridge(design[~out], outcomes[~out], held)
        explained = 1.0 - (errors**2).mean(axis=0) / spread
        if best is None or explained.mean() > best[0]:
            best = (float(explained.mean()), penalty, explained)
    assert best is not None
    _, penalty, explained = best
    coefficients = _ridge(design, outcomes, np.where(products, penalty, weights))
    return Surface(names, degree, coefficients, explained, penalty)


def refit(fitted: Surface, u: np.ndarray, outcomes: np.ndarray, rows: np.ndarray) -> Surface:
    """The same surface on other rows (a bootstrap sample), with the same penalty."""
    design = columns(np.asarray(u, float)[rows], fitted.degree)
    held = np.full(design.shape[1], 1e-4)
    held[0] = 0.0
    held[1 + len(fitted.names) * fitted.degree :] = fitted.penalty
    coefficients = _ridge(design, np.asarray(outcomes, float)[rows], held)
    return Surface(fitted.names, fitted.degree, coefficients, fitted.held_out, fitted.penalty)


def _ridge(design: np.ndarray, outcomes: np.ndarray, penalties: np.ndarray) -> np.ndarray:
    """Coefficients with these penalties, relative to the number of rows."""
    gram = design.T @ design + np.diag(penalties * len(design))
    return np.asarray(np.linalg.solve(gram, design.T @ outcomes))
