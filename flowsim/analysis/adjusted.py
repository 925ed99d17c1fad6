"""A probability from fewer futures: adjusted for how the drawn values of the unknowns happen to have fallen.

Part of what makes one batch of futures differ from the next is known: the values that were drawn for the unknowns. A
model of the outcome given those values, averaged over many more drawn values than were simulated, takes that part out;
what the model misses is added back from the futures themselves, so that the estimate is unbiased however poor the model
is (the model-assisted estimator [1]_). Each future is predicted by a model that was fitted without it (cross-fitting
[2]_), else the model would take credit for chance.

References
----------
.. [1] C.-E. Särndal, B. Swensson and J. Wretman, Model Assisted Survey Sampling, 1992, chapter 6; as a control variate:
   P. Glasserman, Monte Carlo Methods in Financial Engineering, 2003, section 4.1.
.. [2] V. Chernozhukov et al., "Double/debiased machine learning", The Econometrics Journal 21(1), 2018, p. C1,
   definition 3.1.
.. [3] E. L. Korn and B. I. Graubard, Survey Methodology 24(2), 1998, p. 193: Wilson's interval on an effective size.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from flowsim.analysis.statistics import Estimate, share_interval, wilson
from flowsim.errors import InputError

FOLDS: Final = 10
PER_UNKNOWN: Final = 3
"""Outcomes of the rarer kind needed for each unknown before a model is fitted; below that the plain share is used."""
RIDGE: Final = 2.0
ROUNDS: Final = 25


def adjusted_probability(
    outcome: np.ndarray, unknowns: np.ndarray, population: np.ndarray, level: float = 0.95
) -> Estimate:
    """Probability of an outcome, adjusted for the values drawn.

    Parameters
    ----------
    outcome : (n,) bool, per future. unknowns : (n, p), the values drawn for it. population : (N, p), values drawn in
        the same way for other futures, which need not be simulated.

    Returns
    -------
    Estimate with Wilson's interval on the effective number of futures [3]_: as many independent ones as would give the
    same variance. ``n`` is the number simulated. With few outcomes of one kind (`PER_UNKNOWN`) it is the plain share
    with Wilson's interval.

    Raises
    ------
    InputError : arrays that do not fit each other.
    """
    y = np.asarray(outcome, bool)
    x, others = np.asarray(unknowns, float), np.asarray(population, float)
    if y.ndim != 1 or x.shape[:1] != y.shape or x.ndim != 2 or others.shape[1:] != x.shape[1:]:
        raise InputError("unknowns", f"{x.shape} for {y.shape} outcomes", "a row per outcome, columns as population")
    n, hits = len(y), int(y.sum())
    varies = others.std(axis=0) > 0.0 if len(others) else np.zeros(x.shape[1], bool)
    if not varies.any() or too_few(y, int(varies.sum())):
        return wilson(hits, n, level)
    centre, scale = others[:, varies].mean(axis=0), others[:, varies].std(axis=0)
    design = np.column_stack([np.ones(n), (x[:, varies] - centre) / scale])
    everywhere = np.column_stack([np.ones(len(others)), (others[:, varies] - centre) / scale])
    fold = np.arange(n) % FOLDS
    missed = np.empty(n)
    predicted = np.zeros(len(others))
    for k in range(FOLDS):
        mine = fold == k
        weights = _logistic(design[~mine], y[~mine])
        missed[mine] = y[mine] - _chance(design[mine] @ weights)
        predicted += _chance(everywhere @ weights) * (mine.sum() / n)
    share = float(np.clip(predicted.mean() + missed.mean(), 0.0, 1.0))
    variance = missed.var(ddof=1) / n + predicted.var(ddof=1) / len(others)
    size = share * (1.0 - share) / variance if 0.0 < share < 1.0 else n
    return Estimate(share, *share_interval(share, size, level), n)


def too_few(outcome: np.ndarray, unknowns: int) -> bool:
    """Whether outcomes of one kind are too rare for a model with this number of unknowns."""
    hits = int(outcome.sum())
    return min(hits, len(outcome) - hits) < PER_UNKNOWN * unknowns


def _chance(score: np.ndarray) -> np.ndarray:
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(score, -30.0, 30.0))))


def _logistic(design: np.ndarray, outcome: np.ndarray) -> np.ndarray:
    """Weights of a logistic regression with a light ridge (not on the constant), by Newton's method."""
    weights = np.zeros(design.shape[1])
    ridge = np.full(design.shape[1], RIDGE)
    ridge[0] = 0.0
    for _ in range(ROUNDS):
        chance = _chance(design @ weights)
        curvature = (design.T * np.maximum(chance * (1.0 - chance), 1e-9)) @ design + np.diag(ridge + 1e-9)
        step = np.linalg.solve(curvature, design.T @ (outcome - chance) - ridge * weights)
        weights += step
        if np.abs(step).max() < 1e-9:
            break
    return weights
