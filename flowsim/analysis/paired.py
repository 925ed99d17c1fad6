"""Comparing scenarios on common random numbers: paired proportions, simultaneous intervals, what pairing gains.

References
----------
.. [1] R. G. Newcombe, "Improved confidence intervals for the difference between binomial proportions based on paired
   data", Statistics in Medicine 17, 1998, p. 2635: method 10, square-and-add on Wilson's intervals.
.. [2] T. Hothorn, F. Bretz and P. Westfall, "Simultaneous inference in general parametric models", Biometrical Journal
   50(3), 2008, p. 346: one critical value for all differences, the quantile of the largest |t|.
.. [3] A. M. Law, Simulation Modeling and Analysis, 5th ed., 2015, sections 10.2.1 (paired t), 10.3.1 (Bonferroni) and
   11.2 (common random numbers).
.. [4] G. Y. Zou and A. Donner, "Construction of confidence limits about effect measures: a general approach",
   Statistics in Medicine 27, 2008, p. 1693.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from flowsim.analysis.statistics import Estimate, student, wilson
from flowsim.errors import InputError

DRAWS: Final = 20_000
"""Draws of the largest |t| from which its quantile is read: for 95%, good to about 0.02."""
SEED: Final = 20_250_101
BLOCK: Final = 1_000


def paired_proportions(first: np.ndarray, second: np.ndarray, level: float = 0.95) -> Estimate:
    """Probability in ``second`` less that in ``first``, over pairs of outcomes (n,) bool; Newcombe's interval ([1]_).

    It holds its level also near 0 and 1, where most futures agree and a t interval does not.

    Raises
    ------
    InputError : rows of different length, or none.
    """
    a, b = np.asarray(first, bool), np.asarray(second, bool)
    if a.shape != b.shape or a.ndim != 1 or not len(a):
        raise InputError("first, second", f"shapes {a.shape} and {b.shape}", "two rows of the same length, not empty")
    n = len(a)
    both, only_b, only_a = int((a & b).sum()), int((~a & b).sum()), int((a & ~b).sum())
    neither = n - both - only_a - only_b
    p_b, p_a = wilson(both + only_b, n, level), wilson(both + only_a, n, level)
    product = (both + only_b) * (only_a + neither) * (both + only_a) * (only_b + neither)
    phi = 0.0
    if product > 0:
        agreement = both * neither - only_b * only_a
        corrected = max(agreement - n / 2, 0.0) if agreement > 0 else float(agreement)
        phi = corrected / math.sqrt(product)
    difference = p_b.value - p_a.value
    down = _joined(p_b.value - p_b.low, p_a.high - p_a.value, phi)
    up = _joined(p_b.high - p_b.value, p_a.value - p_a.low, phi)
    return Estimate(difference, max(difference - down, -1.0), min(difference + up, 1.0), n)


def dependent_difference(first: Estimate, second: Estimate, correlation: float) -> Estimate:
    """``second`` less ``first``, from intervals of each and the correlation of the two estimates; square-and-add, as
    Newcombe's ([1]_), for estimates of any kind ([4]_)."""
    down = _joined(second.value - second.low, first.high - first.value, correlation)
    up = _joined(second.high - second.value, first.value - first.low, correlation)
    difference = second.value - first.value
    return Estimate(difference, max(difference - down, -1.0), min(difference + up, 1.0), min(first.n, second.n))


def _joined(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one * one - 2.0 * phi * one * other + other * other, 0.0))


def largest_t(differences: np.ndarray, level: float = 0.95) -> float:
    """Critical value c: all |t| of the columns stay below it at once with probability ``level`` ([2]_).

    The t statistics of paired differences hang together as the differences do. Their largest is drawn from the
    multivariate t distribution with the correlations found, with a fixed seed; never above what Bonferroni's rule gives
    ([3]_), which holds for any correlation.

    Parameters
    ----------
    differences : (n, m), a row per future, a column per comparison. Columns without any spread do not count.
    """
    n = len(differences)
    spread = differences[:, np.ptp(differences, axis=0) > 0.0] if n > 1 else differences[:, :0]
    m = spread.shape[1]
    if n < 2:
        return math.inf
    if m == 0:
        return student(level, n - 1)
    bonferroni = student(1.0 - (1.0 - level) / m, n - 1)
    if m == 1:
        return bonferroni
    standard = (spread - spread.mean(axis=0)) / spread.std(axis=0, ddof=1) / math.sqrt(n - 1)
    # Z = X'g / sqrt(n - 1) has the correlations of X: no matrix to factor, however many comparisons there are.
    generator = np.random.default_rng(SEED)
    largest = np.empty(DRAWS)
    for start in range(0, DRAWS, BLOCK):
        z = np.abs(generator.standard_normal((BLOCK, n)) @ standard).max(axis=1)
        largest[start : start + BLOCK] = z / np.sqrt(generator.chisquare(n - 1, BLOCK) / (n - 1))
    return float(min(np.quantile(largest, level, method="higher"), bonferroni))


def simultaneous(
    differences: np.ndarray, level: float = 0.95, extra: np.ndarray | float = 0.0
) -> tuple[list[Estimate], float]:
    """Mean of every column with intervals that hold all together with probability ``level``, and their critical value.

    Parameters
    ----------
    differences : (n, m) paired differences; a column that is zero throughout has an interval of no length.
    extra : (m,) variance of the means that the rows do not show (`flowsim.analysis.controls`).
    """
    n = len(differences)
    critical = largest_t(differences, level)
    means = differences.mean(axis=0)
    errors = np.full(len(means), math.inf)
    if n > 1:
        errors = np.sqrt(differences.var(axis=0, ddof=1) / n + extra)
    reach = [critical * error if error > 0.0 else 0.0 for error in errors]
    return [Estimate(float(x), float(x) - r, float(x) + r, n) for x, r in zip(means, reach, strict=True)], critical


def variance_gain(first: np.ndarray, second: np.ndarray) -> float:
    """Variance of the difference had the runs been independent, over that of the paired difference ([3]_).

    So many times as many independent runs would give an interval as short. Infinite when the pairs differ by a
    constant; NaN where nothing varies or there is one pair.
    """
    if len(first) < 2:
        return math.nan
    independent = float(np.var(first, ddof=1) + np.var(second, ddof=1))
    paired = float(np.var(second - first, ddof=1))
    if paired > 0.0:
        return independent / paired
    return math.inf if independent > 0.0 else math.nan
