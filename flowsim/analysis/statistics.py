"""Estimates with intervals, from independent replications and from a two-level design.

Only `scipy.special` is used (quantiles of Student's t, the normal and the binomial): `scipy.stats` costs start-up time.

References
----------
.. [1] E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22, 1927, p. 209.
.. [2] L. D. Brown, T. T. Cai and A. DasGupta, "Interval estimation for a binomial proportion", Statistical Science
   16(2), 2001, p. 101: why Wilson's interval and not the textbook one.
.. [3] A. M. Law, Simulation Modeling and Analysis, 5th ed., 2015, sections 9.4.1 (t interval over replications) and
   10.2.1 (paired t).
.. [4] G. J. Hahn and W. Q. Meeker, Statistical Intervals, 1991, chapter 5: intervals for a quantile without a
   distribution.
.. [5] S. R. Searle, G. Casella and C. E. McCulloch, Variance Components, 1992, chapter 3: the one-way classification.
.. [6] L. Kish, Survey Sampling, 1965, chapter 5: the design effect 1 + (R - 1) rho of clusters of size R.
.. [7] E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with small expected number of positive
   counts estimated from survey data", Survey Methodology 24(2), 1998, p. 193: effective sample size, t quantiles.
.. [8] Y. S. Chow and H. Robbins, "On the asymptotic theory of fixed-width sequential confidence intervals for the
   mean", Annals of Mathematical Statistics 36(2), 1965, p. 457.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flowsim.errors import InputError

Numbers = Sequence[float] | np.ndarray


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with the ends of its interval, and the number of observations ``n`` that it rests on.

    NaN where there is no observation; infinite ends where there are too few to say anything.
    """

    value: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half the length of the interval."""
        return (self.high - self.low) / 2


@dataclass(frozen=True, slots=True)
class Clusters:
    """Mean of M parameter sets with R replications each, and where its variance comes from.

    Attributes
    ----------
    estimate : the mean (a probability, when the outcomes are 0 and 1), with an interval that counts both sources.
    between : variance between parameter sets of their true means: not knowing the parameters.
    within : variance within a parameter set: chance.
    sets, per_set : M and R.
    """

    estimate: Estimate
    between: float
    within: float
    sets: int
    per_set: int

    @property
    def share_between(self) -> float:
        """Share of the variance of an outcome that lies in the parameters (intraclass correlation); NaN: unknown."""
        total = self.between + self.within
        return self.between / total if total > 0.0 else math.nan

    @property
    def design_effect(self) -> float:
        """Variance of the mean, divided by what as many independent outcomes would give ([6]_); NaN when unknown."""
        return 1.0 + (self.per_set - 1) * self.share_between


def _level(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise InputError("level", repr(level), "a number between 0 and 1, such as 0.95")
    return float(level)


def _values(values: Any) -> np.ndarray:
    """Observations as float64, those that do not exist (NaN) left out."""
    array = np.asarray(values, np.float64)
    if array.ndim != 1:
        raise InputError("values", f"an array of {array.ndim} dimensions", "one row of numbers")
    return array[~np.isnan(array)]


def student(level: float, degrees: int) -> float:
    """Quantile of Student's t for a two-sided interval; infinite without degrees of freedom."""
    from scipy.special import stdtrit

    return float(stdtrit(degrees, 0.5 + _level(level) / 2)) if degrees > 0 else math.inf


def normal(level: float) -> float:
    """Quantile of the normal distribution for a two-sided interval."""
    from scipy.special import ndtri

    return float(ndtri(0.5 + _level(level) / 2))


def _wilson(share: float, size: float, z: float) -> tuple[float, float]:
    if math.isinf(z):
        return 0.0, 1.0
    centre = (share + z * z / (2 * size)) / (1 + z * z / size)
    reach = z / (1 + z * z / size) * math.sqrt(share * (1 - share) / size + z * z / (4 * size * size))
    # At 0 and 1 the ends are exact; rounding would leave them a hair inside.
    low = 0.0 if share == 0.0 else max(0.0, centre - reach)
    high = 1.0 if share == 1.0 else min(1.0, centre + reach)
    return low, high


def share_interval(share: float, size: float, level: float = 0.95) -> tuple[float, float]:
    """Wilson's interval of a share that rests on an effective number of trials, which need not be whole ([7]_).

    Raises
    ------
    InputError : a share outside 0 to 1, or no trials.
    """
    if not (0.0 <= share <= 1.0 and size > 0.0):
        raise InputError("share, size", f"{share!r}, {size!r}", "a share from 0 to 1 of more than 0 trials")
    return _wilson(share, size, student(level, max(int(size) - 1, 0)))


def wilson(successes: int, n: int, level: float = 0.95) -> Estimate:
    """A probability from ``successes`` in ``n`` independent trials, with Wilson's score interval ([1]_, [2]_).

    Raises
    ------
    InputError : fewer trials than successes, negative or broken numbers, no trials.
    """
    try:
        hits, trials = operator.index(successes), operator.index(n)
    except TypeError:
        raise InputError("successes, n", f"{successes!r}, {n!r}", "whole numbers") from None
    if not 0 <= hits <= trials or trials == 0:
        raise InputError("successes, n", f"{hits}, {trials}", "0 <= successes <= n and n at least 1")
    return Estimate(hits / trials, *_wilson(hits / trials, trials, normal(level)), trials)


def mean_interval(values: Numbers, level: float = 0.95, least: float = -math.inf) -> Estimate:
    """Mean of independent observations with Student's t interval ([3]_). NaN observations are left out.

    One observation gives an interval without ends; none gives NaN.

    Parameters
    ----------
    least : what no observation can be below, such as 0 for counts and times. The true mean is not below it either, so a
        lower end that would be is put there: the interval holds the mean as often as before.
    """
    array = _values(values)
    count = len(array)
    if count == 0:
        _level(level)
        return Estimate(math.nan, math.nan, math.nan, 0)
    mean = float(array.mean())
    if count == 1:
        _level(level)
        return Estimate(mean, -math.inf, math.inf, 1)
    reach = student(level, count - 1) * float(array.std(ddof=1)) / math.sqrt(count)
    return Estimate(mean, max(least, mean - reach), mean + reach, count)


def mean_intervals(
    values: np.ndarray, level: float = 0.95, least: float = -math.inf
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """As `mean_interval` for each column of (n, m) observations, n above 0: means, lower and upper ends, (m,) each."""
    count = len(values)
    _level(level)
    mean = values.mean(axis=0)
    reach = np.full(len(mean), math.inf)
    if count > 1:
        reach = student(level, count - 1) * values.std(axis=0, ddof=1) / math.sqrt(count)
    low, high = mean - reach, mean + reach
    if count > 1:
        low = np.maximum(low, least)
    for column in np.flatnonzero(np.isnan(values).any(axis=0)):
        one = mean_interval(values[:, column], level, least)
        mean[column], low[column], high[column] = one.value, one.low, one.high
    return mean, low, high


def paired_difference(first: Numbers, second: Numbers, level: float = 0.95) -> Estimate:
    """Mean of ``second - first`` over pairs (replications on common random numbers), with Student's t interval ([3]_).

    Pairs of which one does not exist (NaN) are left out.

    Raises
    ------
    InputError : rows of different length.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise InputError("first, second", f"shapes {a.shape} and {b.shape}", "two rows of the same length")
    return mean_interval(b - a, level)


def quantile_interval(values: Numbers, probability: float, level: float = 0.95) -> Estimate:
    """A quantile with an interval between order statistics ([4]_): no assumption about the distribution.

    The interval holds the quantile with at least the level asked for, each tail at most (1 - level) / 2. An end is
    infinite where there are too few observations. The value is the sample quantile (linear interpolation).
    """
    from scipy.special import bdtr

    if not 0.0 < probability < 1.0:
        raise InputError("probability", repr(probability), "a number between 0 and 1")
    tail = (1.0 - _level(level)) / 2
    array = np.sort(_values(values))
    count = len(array)
    if count == 0:
        return Estimate(math.nan, math.nan, math.nan, 0)
    at_most = bdtr(np.arange(count + 1), count, probability)  # P(at most i of n observations below the quantile)
    # X(l) is above the quantile when at most l - 1 are below it; X(u) is below it when at least u are.
    lower = int(np.count_nonzero(at_most[:count] <= tail))  # the largest l with P(at most l - 1) <= tail
    upper = int(np.argmax(at_most >= 1.0 - tail)) + 1  # the smallest u with P(at least u) <= tail
    low = float(array[lower - 1]) if lower >= 1 else -math.inf
    high = float(array[upper - 1]) if upper <= count else math.inf
    return Estimate(float(np.quantile(array, probability)), low, high, count)


def cluster(values: Numbers, level: float = 0.95, probability: bool | None = None) -> Clusters:
    """Mean over a two-level design: (M, R) outcomes of M parameter sets with R replications each.

    The variance is split by the analysis of variance of the balanced one-way random model ([5]_): *within* is the mean
    square within sets, *between* is (mean square between - within) / R, at least 0.

    The interval of a mean is Student's t over the M means of the sets. That of a probability (outcomes 0 and 1) is
    Wilson's with n replaced by n / design effect ([6]_) and the normal quantile by Student's with M - 1 degrees of
    freedom ([7]_); when all outcomes are equal, so that no correlation can be seen, each set counts as one trial.

    Parameters
    ----------
    probability : whether the outcomes are 0 and 1; None: look.

    Raises
    ------
    InputError : not a rectangle of numbers, or a probability of other numbers than 0 and 1.
    """
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or array.size == 0 or not np.isfinite(array).all():
        raise InputError("values", f"an array of shape {array.shape}", "finite numbers, one row per parameter set")
    sets, per_set = array.shape
    binary = bool(np.isin(array, (0.0, 1.0)).all())
    if probability and not binary:
        raise InputError("values", "numbers other than 0 and 1", "0 and 1, for a probability")
    means = array.mean(axis=1)
    mean = float(array.mean())
    mean_square = per_set * float(means.var(ddof=1)) if sets > 1 else math.nan
    within = float(((array - means[:, None]) ** 2).sum()) / (sets * (per_set - 1)) if per_set > 1 else math.nan
    if per_set == 1:  # chance and parameters cannot be told apart
        between, within = math.nan, math.nan
    elif sets == 1:
        between = math.nan
    else:
        between = max(0.0, (mean_square - within) / per_set)
    over_sets = mean_interval(means, level)
    low, high = over_sets.low, over_sets.high
    if binary if probability is None else probability:
        size: float = sets
        if per_set > 1 and sets > 1 and 0.0 < mean < 1.0:
            size = sets * per_set / (1.0 + (per_set - 1) * between / (between + within))
        low, high = _wilson(mean, size, student(level, sets - 1))
    return Clusters(Estimate(mean, low, high, array.size), between, within, sets, per_set)


def precision_reached(estimate: Estimate, half_width: float, least: int = 10) -> bool:
    """Whether to stop adding observations: the interval is at most ``2 * half_width`` long, on ``least`` or more.

    The rule of Chow and Robbins [8]_: the coverage tends to the level as ``half_width`` gets small. ``least`` guards
    against stopping on a few observations that happen to lie together.
    """
    if not half_width > 0.0:
        raise InputError("half_width", repr(half_width), "a number above 0")
    return estimate.n >= least and estimate.half_width <= half_width
