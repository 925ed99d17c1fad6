"""What it is worth to know a number before a decision: perfect, partial and sample information.

A decision takes the option with the highest expected net benefit. Knowing an unknown is worth what the expectation of
the best option gains from it (EVPPI, [1]_); a measurement of it, what the best option gains given what is measured
(EVSI, [3]_). Expectations given an unknown are regressions on it ([2]_), here of all unknowns together, which leaves
less noise than one at a time and is the same, as the unknowns are independent.

References
----------
.. [1] A. E. Ades, G. Lu and K. Claxton, "Expected value of sample information calculations in medical decision
   modeling", Medical Decision Making 24(2), 2004, p. 207: EVPI, EVPPI, EVSI.
.. [2] M. Strong, J. E. Oakley and A. Brennan, "Estimating multiparameter partial expected value of perfect information
   from a probabilistic sensitivity analysis sample: a nonparametric regression approach", Medical Decision Making
   34(3), 2014, p. 311, doi:10.1177/0272989X13505910; standard error and upward bias by draws from the posterior of
   the regression: its appendix.
.. [3] M. Strong, J. E. Oakley, A. Brennan and P. Breeze, "Estimating the expected value of sample information using
   the probabilistic sensitivity analysis sample: a fast, nonparametric regression-based method", Medical Decision
   Making 35(5), 2015, p. 570, doi:10.1177/0272989X15575286; compared with others in A. Heath et al., "Calculating the
   expected value of sample information in practice", Medical Decision Making 40(3), 2020, p. 314.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from flowsim.analysis.effects import MainEffects, Surface, legendre, main_effects, ranks, refit
from flowsim.analysis.statistics import Estimate

DRAWS: Final = 400
"""Draws from the posterior of a regression, for its interval."""
GRID: Final = 512
"""Equally likely values of an unknown over which expectations are taken."""
SAMPLES: Final = 4096
"""Measurements that are simulated, a multiple of `GRID`."""
SUMMARY_DEGREE: Final = 5
BOOTSTRAPS: Final = 100
POINTS: Final = 2048
SEED: Final = 20250101

Measure = Callable[[np.ndarray, np.random.Generator], np.ndarray]
"""Simulates what a measurement of an unknown gives: quantiles of the unknown (m,) -> measured values (m,)."""


def gain(benefit: np.ndarray) -> np.ndarray:
    """Mean of the best less the best of the means: (..., m, D) -> (...), over m equally likely states."""
    return np.asarray(benefit.max(axis=-1).mean(axis=-1) - benefit.mean(axis=-2).max(axis=-1))


def clairvoyance(benefit: np.ndarray) -> float:
    """What it would be worth to know each future whole, chance included: no measurement gives more. (n, D)."""
    return float(gain(np.asarray(benefit, float)))


def evppi(effects: MainEffects, unknown: int, level: float = 0.95, seed: int = SEED) -> Estimate:
    """Expected value of knowing one unknown exactly, with the interval of its regression; at least 0.

    The estimate is corrected for its upward bias ([2]_, appendix).
    """
    u = (np.arange(GRID) + 0.5) / GRID
    return _worth(effects, unknown, legendre(u, effects.degree), level, seed)


def evsi(effects: MainEffects, unknown: int, measure: Measure, level: float = 0.95, seed: int = SEED) -> Estimate:
    """Expected value of one measurement of an unknown, by regression on what is measured ([3]_).

    The measurement is simulated `SAMPLES` times over the unknown's range; the expectation of each polynomial of the
    unknown, given the measured value, is a regression on the polynomials of its rank.
    """
    rng = np.random.default_rng(seed)
    u = np.tile((np.arange(GRID) + 0.5) / GRID, SAMPLES // GRID)
    measured = legendre(ranks(measure(u, rng)[:, None])[:, 0], SUMMARY_DEGREE)
    seen = np.hstack([np.ones((len(u), 1)), measured])
    basis = legendre(u, effects.degree)
    expected = seen @ np.linalg.lstsq(seen, basis, rcond=None)[0]
    return _worth(effects, unknown, expected, level, seed)


def evsi_of_summary(summary: np.ndarray, benefit: np.ndarray, level: float = 0.95, seed: int = SEED) -> Estimate:
    """Expected value of a measured summary that the futures themselves hold, such as a count in their first year
    ([3]_): (n,), and (n, D) net benefits."""
    summary = np.asarray(summary, float)
    if len(summary) < 12 or summary.std() == 0.0:
        return Estimate(0.0, 0.0, 0.0, len(summary))
    effects = main_effects(("summary",), ranks(summary[:, None]), benefit)
    return evppi(effects, 0, level, seed)


def _worth(effects: MainEffects, unknown: int, basis: np.ndarray, level: float, seed: int) -> Estimate:
    """Gain of knowing what ``basis`` (m, degree) of an unknown is expected to be."""
    states = np.hstack([np.ones((len(basis), 1)), basis])
    found = float(gain(states @ effects.of(unknown)))
    drawn = _gains(states, effects.posterior(unknown, DRAWS, seed))
    bias = float(drawn.mean()) - found
    low, high = np.quantile(drawn, (0.5 - level / 2, 0.5 + level / 2)) - 2.0 * bias
    # Where options tie, the correction leaves some of the bias; then the lower end is 0 unless a test says otherwise.
    low = low if effects.doubt(unknown) <= 1.0 - level else 0.0
    return _estimate(found - bias, float(low), float(high), effects.n, float(np.abs(effects.of(unknown)).max()))


def _gains(states: np.ndarray, coefficients: np.ndarray) -> np.ndarray:
    """`gain` of (m, p) states under each of (draws, p, D) coefficients: an option at a time, which is ten times as fast
    as all of them in one array."""
    best: np.ndarray | None = None
    means = []
    for k in range(coefficients.shape[2]):
        benefit = coefficients[:, :, k] @ states.T
        means.append(benefit.mean(axis=1))
        best = benefit if best is None else np.maximum(best, benefit, out=best)
    assert best is not None
    return np.asarray(best.mean(axis=1) - np.max(means, axis=0))


def evpi(fitted: Surface, u: np.ndarray, benefit: np.ndarray, level: float = 0.95, seed: int = SEED) -> Estimate:
    """Expected value of knowing all unknowns exactly (chance stays unknown), by a surface of the net benefits.

    ``u``, ``benefit`` : the (n, d) quantiles and (n, D) net benefits that it was fitted to; the interval is that of
    `BOOTSTRAPS` samples of them, moved by their mean excess.
    """
    from scipy.stats import qmc

    points = qmc.Sobol(len(fitted.names), scramble=True, seed=np.random.default_rng(seed)).random(POINTS)
    found = float(gain(fitted.predict(points)))
    rng = np.random.default_rng(seed)
    again = np.array(
        [
            float(gain(refit(fitted, u, benefit, rng.integers(0, len(u), len(u))).predict(points)))
            for _ in range(BOOTSTRAPS)
        ]
    )
    bias = float(again.mean()) - found
    low, high = np.quantile(again, (0.5 - level / 2, 0.5 + level / 2)) - 2.0 * bias
    return _estimate(found - bias, float(low), float(high), len(u), float(np.abs(benefit).max()))


def _estimate(value: float, low: float, high: float, n: int, scale: float) -> Estimate:
    """An estimate that is at least 0, with the dust of rounding swept out: what is small beside ``scale`` is 0."""
    value, low, high = (0.0 if one < 1e-9 * scale else one for one in (value, low, high))
    return Estimate(value, min(low, value), max(value, high), n)
