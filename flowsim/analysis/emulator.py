"""An emulator of a probability: a smooth surface through yes and no, and how far off it is where it was not fitted.

Each simulated future gives one 0 or 1 at one point of the plane (or of a space of a few dimensions). The surface is a
logistic regression on all products of powers up to a degree, shrunk by a ridge penalty that cross-validation chooses
[1]_, [2]_. It is judged on points of its own, each simulated many times [3]_.

References
----------
.. [1] P. McCullagh and J. A. Nelder, Generalized Linear Models, 2nd ed., 1989, section 4.4: the fit by iteratively
   reweighted least squares.
.. [2] S. le Cessie and J. C. van Houwelingen, "Ridge estimators in logistic regression", Applied Statistics 41(1),
   1992, p. 191.
.. [3] L. S. Bastos and A. O'Hagan, "Diagnostics for Gaussian process emulators", Technometrics 51(4), 2009, p. 425:
   judging an emulator by validation points.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import combinations_with_replacement
from typing import Final

import numpy as np

from flowsim.analysis.statistics import normal, wilson

DEGREE: Final = 3
PENALTIES: Final = (0.03, 0.3, 3.0, 30.0)
"""Ridge penalties that cross-validation chooses from."""
FOLDS: Final = 5
STEPS: Final = 50


@dataclass(frozen=True, eq=False)
class Emulator:
    """A fitted surface.

    Attributes
    ----------
    low, high : (d,) ends of each coordinate. coefficients : (k,). covariance : (k, k), by Laplace's approximation.
    penalty : the ridge penalty that cross-validation chose. n : observations.
    """

    low: np.ndarray
    high: np.ndarray
    coefficients: np.ndarray
    covariance: np.ndarray
    penalty: float
    n: int

    def probability(self, points: np.ndarray) -> np.ndarray:
        """The probability at points (m, d): (m,)."""
        return _chance(basis(self._unit(points)) @ self.coefficients)

    def averaged(self, points: np.ndarray, level: float = 0.95) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Mean probability over the second axis of points (m, s, d), with the ends of an interval (delta method).

        The interval holds the doubt of the fit; not that the surface may have another shape.
        """
        m, s, d = points.shape
        made = basis(self._unit(points.reshape(m * s, d)))
        p = _chance(made @ self.coefficients)
        slope = (made * (p * (1.0 - p))[:, None]).reshape(m, s, -1).mean(axis=1)
        mean = p.reshape(m, s).mean(axis=1)
        inside = np.clip(mean, 1e-9, 1.0 - 1e-9)
        error = np.sqrt(np.einsum("mk,kl,ml->m", slope, self.covariance, slope)) / (inside * (1.0 - inside))
        middle, reach = np.log(inside / (1.0 - inside)), normal(level) * error
        return mean, _chance(middle - reach), _chance(middle + reach)

    def _unit(self, points: np.ndarray) -> np.ndarray:
        return np.asarray(2.0 * (points - self.low) / (self.high - self.low) - 1.0)


def basis(unit: np.ndarray) -> np.ndarray:
    """Products of powers up to `DEGREE` of coordinates from -1 to 1: (m, d) -> (m, k), the first of them 1."""
    m, d = unit.shape
    columns = [np.ones(m)]
    for degree in range(1, DEGREE + 1):
        for chosen in combinations_with_replacement(range(d), degree):
            columns.append(np.prod(unit[:, list(chosen)], axis=1))
    return np.stack(columns, axis=1)


def fit(points: np.ndarray, met: np.ndarray, low: np.ndarray, high: np.ndarray) -> Emulator:
    """Fit a surface to 0 and 1 (m,) at points (m, d); the folds of the cross-validation are every fifth point."""
    low, high = np.asarray(low, float), np.asarray(high, float)
    made = basis(2.0 * (np.asarray(points, float) - low) / (high - low) - 1.0)
    y = np.asarray(met, float)
    fold = np.arange(len(y)) % FOLDS
    losses = []
    for penalty in PENALTIES:
        loss = 0.0
        for k in range(FOLDS):
            chance = _chance(made[fold == k] @ _ridge(made[fold != k], y[fold != k], penalty)[0])
            inside, out = np.clip(chance, 1e-9, 1.0 - 1e-9), y[fold == k]
            loss -= float((out * np.log(inside) + (1.0 - out) * np.log(1.0 - inside)).sum())
        losses.append(loss)
    penalty = PENALTIES[int(np.argmin(losses))]
    coefficients, covariance = _ridge(made, y, penalty)
    return Emulator(low, high, coefficients, covariance, penalty, len(y))


def _chance(logit: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    return np.asarray(expit(logit))


def _ridge(made: np.ndarray, y: np.ndarray, penalty: float) -> tuple[np.ndarray, np.ndarray]:
    """Penalised coefficients by Newton's method, halving a step that goes too far; and their covariance."""
    k = made.shape[1]
    shrink = np.full(k, penalty)
    shrink[0] = 1e-3  # the mean is not shrunk; when all are alike it stays finite
    b = np.zeros(k)

    def loss(b: np.ndarray) -> float:
        eta = made @ b
        return float((np.logaddexp(0.0, eta) - y * eta).sum() + 0.5 * (shrink * b * b).sum())

    here = loss(b)
    for _ in range(STEPS):
        p = _chance(made @ b)
        hessian = (made * (p * (1.0 - p))[:, None]).T @ made + np.diag(shrink)
        step = np.linalg.solve(hessian, made.T @ (y - p) - shrink * b)
        size = 1.0
        while size > 1e-6 and loss(b + size * step) > here:
            size /= 2.0
        b = b + size * step
        before, here = here, loss(b)
        if before - here < 1e-9:
            break
    p = _chance(made @ b)
    hessian = (made * (p * (1.0 - p))[:, None]).T @ made + np.diag(shrink)
    return b, np.asarray(np.linalg.inv(hessian))


@dataclass(frozen=True)
class HeldOut:
    """How far the surface is off at points that it was not fitted to.

    Attributes
    ----------
    points, each : points, and futures simulated at each of them.
    error : root mean square of prediction minus probability, with the chance in the simulated shares taken out;
    raw : the same with it left in. worst : the largest difference with a simulated share. bias : the mean difference.
    inside : points whose 95% interval (Wilson) holds the prediction.
    """

    points: int
    each: int
    error: float
    raw: float
    worst: float
    bias: float
    inside: int


def held_out(predicted: np.ndarray, successes: np.ndarray, each: int) -> HeldOut:
    """Hold predictions (m,) against ``successes`` (m,) in ``each`` futures."""
    shares = successes / each
    apart = predicted - shares
    chance = float((shares * (1.0 - shares)).mean()) / (each - 1)
    square = float((apart**2).mean())
    ends = [wilson(int(k), each) for k in successes]
    inside = sum(e.low <= p <= e.high for e, p in zip(ends, predicted, strict=True))
    return HeldOut(
        points=len(predicted),
        each=each,
        error=math.sqrt(max(0.0, square - chance)),
        raw=math.sqrt(square),
        worst=float(np.abs(apart).max()),
        bias=float(apart.mean()),
        inside=inside,
    )
