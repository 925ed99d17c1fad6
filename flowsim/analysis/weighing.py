"""Futures weighed by what was counted: a likelihood with stated errors, weights, and estimates from them.

A count y is what a future shows, x, and an error: log(y + c) = log(x + c) + e, with e normal and c small. Each quantity
has errors of its own: one part is the same in all quarters, one part is new each quarter, and a part for rounding and
chance. How large they are is itself uncertain; the likelihood is the mean over `SCALES` equally probable values in
their ranges. Under this model
of errors the weighed futures are exact draws of what is to come given the counts [1]_: a future is weighed by its own
course, so that the list as it stands carries on into what follows.

A future may be drawn from other distributions of the unknowns than the prior, when the counts say where to look. Its
weight is then prior over the mixture of all distributions used (deterministic mixture [2]_), with the prior among them,
so that no weight can grow without bound [3]_. Proposals are fitted as the runs come in [4]_.

References
----------
.. [1] R. D. Wilkinson, "Approximate Bayesian computation (ABC) gives exact results under the assumption of model
   error", Statistical Applications in Genetics and Molecular Biology 12(2), 2013, p. 129, theorem 1.
.. [2] A. Owen and Y. Zhou, "Safe and effective importance sampling", JASA 95, 2000, p. 135.
.. [3] T. Hesterberg, "Weighted average importance sampling and defensive mixture distributions", Technometrics 37(2),
   1995, p. 185.
.. [4] J.-M. Cornuet, J.-M. Marin, A. Mira and C. P. Robert, "Adaptive multiple importance sampling", Scandinavian
   Journal of Statistics 39(4), 2012, p. 798.
.. [5] A. B. Owen, Monte Carlo theory, methods and examples, 2013, section 9.2: self-normalised importance sampling,
   its variance (eq. 9.8) and the effective sample size (eq. 9.13).
.. [6] A. Vehtari, D. Simpson, A. Gelman, Y. Yao and J. Gabry, "Pareto smoothed importance sampling", JMLR 25(72), 2024:
   the shape k of the largest weights, and the limit 0.7.
.. [7] J. Zhang and M. A. Stephens, "A new and efficient estimation method for the generalized Pareto distribution",
   Technometrics 51(3), 2009, p. 316.
.. [8] C. C. Holmes and S. G. Walker, "Assigning a value to a power likelihood in a general Bayesian model", Biometrika
   104(2), 2017, p. 497.
.. [9] G. Evensen, "The ensemble Kalman filter: theoretical formulation and practical implementation", Ocean Dynamics
   53, 2003, p. 343, section 3.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from flowsim.analysis.statistics import Estimate, share_interval, student

SCALES: Final = 7
"""Points at which the range of the errors is looked at: the middles of as many equally probable parts."""
LEVEL: Final = 0.95
CLEAR: Final = 3.0
"""Standard errors that a slope must lie from zero to take part in a proposal."""
WIDER: Final = 1.1
"""Factor on the covariance of a proposal, where the counts narrow it."""
FARTHEST: Final = 4.0
"""A proposal lies no farther from the middle of the prior than this, in standard deviations."""
K_LIMIT: Final = 0.7
"""Pareto k above which an estimate from weights cannot be trusted ([6]_, section 3.2)."""


@dataclass(frozen=True)
class Counts:
    """A quantity as it was counted in T quarters, beside what n futures show of it.

    Attributes
    ----------
    code : of the quantity. observed : (T,). values, size, chance : (n, T), see `flowsim.analysis.monitoring.Series`.
    own, shared : (`SCALES`,) relative standard deviations: each quarter anew, and the same in all quarters.
    offset : what is added before a logarithm is taken.
    """

    code: str
    observed: np.ndarray
    values: np.ndarray
    size: np.ndarray
    chance: np.ndarray
    own: np.ndarray
    shared: np.ndarray
    offset: float

    def without(self, t: int) -> Counts:
        """The same, one quarter left out."""
        kept = np.delete(np.arange(len(self.observed)), t)
        changed = {name: getattr(self, name)[:, kept] for name in ("values", "size", "chance")}
        return replace(self, observed=self.observed[kept], **changed)

    @property
    def residual(self) -> np.ndarray:
        """Log of what was counted over what a future shows: (n, T)."""
        return np.asarray(np.log((self.observed + self.offset) / (self.values + self.offset)))

    def variances(self) -> tuple[np.ndarray, np.ndarray]:
        """Variance of each quarter's own error, standard deviation of the shared one: both (`SCALES`, n, T)."""
        scale = self.values + self.offset
        own = (self.own[:, None, None] * (self.size / scale)) ** 2 + self.chance / scale**2
        return own, self.shared[:, None, None] * (self.values / scale)


def log_likelihood(counts: Counts) -> np.ndarray:
    """Log density of what was counted, per scale and future: (`SCALES`, n); 0 when nothing was.

    The covariance is D + s s', with D diagonal; its inverse and determinant follow from Sherman and Morrison.
    """
    if not len(counts.observed):
        return np.zeros((len(counts.own), len(counts.values)))
    d, s = counts.variances()
    r = counts.residual
    inner = 1.0 + (s**2 / d).sum(axis=2)
    square = (r**2 / d).sum(axis=2) - ((s * r / d).sum(axis=2)) ** 2 / inner
    log = -0.5 * (np.log(d).sum(axis=2) + np.log(inner) + square + len(counts.observed) * math.log(2.0 * math.pi))
    return np.asarray(np.where(np.isnan(log), -np.inf, log))


def over_scales(log: np.ndarray) -> np.ndarray:
    """Log of the mean likelihood over the scales: (`SCALES`, n) -> (n,)."""
    most = log.max(axis=0)
    safe = np.where(np.isfinite(most), most, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(np.log(np.exp(log - safe).mean(axis=0)) + safe)


def normalised(log_weights: np.ndarray) -> np.ndarray:
    """Weights that add up to 1; all equal when every one is zero."""
    most = log_weights.max()
    if not np.isfinite(most):
        return np.full(len(log_weights), 1.0 / len(log_weights))
    weights = np.exp(log_weights - most)
    return np.asarray(weights / weights.sum())


def effective(weights: np.ndarray) -> float:
    """Effective sample size of weights that add up to 1 ([5]_)."""
    return float(1.0 / np.sum(weights**2))


def tempered(log_prior: np.ndarray, log_like: np.ndarray, enough: float) -> tuple[float, np.ndarray]:
    """The largest power of the likelihood, at most 1, that leaves an effective sample size of ``enough``, and the
    weights at that power ([8]_): as if all errors were 1 / sqrt(power) times as large.

    Parameters
    ----------
    log_prior, log_like : (n,) log prior weights and log likelihoods; a likelihood of 0 is -inf.
    """
    made = normalised(log_prior + log_like)
    if effective(made) >= enough:
        return 1.0, made
    low, high = 0.0, 1.0
    for _ in range(40):
        power = 0.5 * (low + high)
        made = normalised(log_prior + np.where(np.isfinite(log_like), power * log_like, -np.inf))
        low, high = (power, high) if effective(made) >= enough else (low, power)
    return low, normalised(log_prior + np.where(np.isfinite(log_like), low * log_like, -np.inf))


# ---------------------------------------------------------------- estimates


def weighed_mean(values: np.ndarray, weights: np.ndarray) -> Estimate:
    """Self-normalised mean with its interval ([5]_, eq. 9.8), Student's t at the effective sample size."""
    mean = float(weights @ values)
    size = effective(weights)
    reach = student(LEVEL, max(int(size) - 1, 0)) * math.sqrt(float(np.sum((weights * (values - mean)) ** 2)))
    return Estimate(mean, mean - reach, mean + reach, int(size))


def weighed_probability(happened: np.ndarray, weights: np.ndarray) -> Estimate:
    """Probability with Wilson's interval at the effective sample size: n is replaced by it, and the normal quantile by
    Student's (`flowsim.analysis.statistics`, [7] there)."""
    share = min(max(float(weights @ happened.astype(float)), 0.0), 1.0)
    if not happened.any():
        share = 0.0
    elif happened.all():
        share = 1.0
    size = effective(weights)
    low, high = share_interval(share, size, LEVEL)
    return Estimate(share, low, high, int(size))


def weighed_difference(values: np.ndarray, first: np.ndarray, second: np.ndarray) -> Estimate:
    """Mean under the second weights less that under the first, over the same futures (the variance of the difference of
    two self-normalised means, by the delta method)."""
    a, b = float(first @ values), float(second @ values)
    size = min(effective(first), effective(second))
    spread = math.sqrt(float(np.sum((second * (values - b) - first * (values - a)) ** 2)))
    reach = student(LEVEL, max(int(size) - 1, 0)) * spread
    return Estimate(b - a, b - a - reach, b - a + reach, int(size))


def weighed_quantiles(values: np.ndarray, weights: np.ndarray, probabilities: Sequence[float]) -> np.ndarray:
    """Quantiles of weighed values: where the running sum of weights passes (smallest such value)."""
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    places = np.searchsorted(below, np.asarray(probabilities) * below[-1], side="left")
    return np.asarray(values[order][np.minimum(places, len(values) - 1)])


def pareto_k(weights: np.ndarray) -> float:
    """Shape of the generalised Pareto distribution of the largest weights ([6]_), fitted as in [7]_; NaN: too few.

    Above `K_LIMIT` a few futures decide, and more of them would change the outcome.
    """
    n = len(weights)
    tail = int(min(0.2 * n, 3.0 * math.sqrt(n)))
    if tail < 5:
        return math.nan
    ordered = np.sort(weights)
    excess = ordered[n - tail :] - ordered[n - tail - 1]
    excess = np.sort(excess[excess > 0.0])
    m = len(excess)
    if m < 5:
        return -math.inf if ordered[-1] <= 2.0 / n else math.nan
    guesses = 30 + int(math.sqrt(m))
    quarter = excess[int(m / 4 + 0.5) - 1]
    theta = 1.0 / excess[-1] + (1.0 - np.sqrt(guesses / (np.arange(1, guesses + 1) - 0.5))) / (3.0 * quarter)
    with np.errstate(divide="ignore", invalid="ignore"):
        k = np.log1p(-theta[:, None] * excess).mean(axis=1)
        log = m * (np.log(-theta / k) - k - 1.0)
    log = np.where(np.isfinite(log), log, -np.inf)
    best = float(np.sum(normalised(log) * theta))
    shape = float(np.log1p(-best * excess).mean())
    return (m * shape + 10.0 * 0.5) / (m + 10.0)  # the weak prior of [6]_, appendix C


# ---------------------------------------------------------------- does it fit?


def surprise(counts: Counts, t: int, weights: np.ndarray, others: bool = False) -> float:
    """Two-sided tail probability of one count under weighed futures, its error included.

    Parameters
    ----------
    weights : (`SCALES`, n), over scales of the errors and futures together; they add up to 1.
    others : whether the other quarters of the quantity are known: then they tell what the shared error is.
    """
    from scipy.special import ndtr

    d, s = counts.variances()
    r = counts.residual
    known = np.delete(np.arange(len(counts.observed)), t) if others else np.array([], int)
    precision = 1.0 + (s[:, :, known] ** 2 / d[:, :, known]).sum(axis=2)
    shared = (s[:, :, known] * r[:, known] / d[:, :, known]).sum(axis=2) / precision
    spread = np.sqrt(d[:, :, t] + s[:, :, t] ** 2 / precision)
    share = float(np.sum(weights * ndtr((r[:, t] - s[:, :, t] * shared) / spread)))
    return 2.0 * min(share, 1.0 - share)


# ---------------------------------------------------------------- where to draw the next futures


@dataclass(frozen=True)
class Proposal:
    """A normal distribution of the unknowns, each as the normal score of its uniform number; the prior is standard."""

    mean: np.ndarray
    root: np.ndarray
    """Cholesky root of the covariance."""

    def draw(self, z: np.ndarray) -> np.ndarray:
        """Scores from standard normal ones: the same luck, moved to where the counts point."""
        return np.asarray(self.mean + self.root @ z)

    def log_density(self, scores: np.ndarray) -> np.ndarray:
        """(n, d) -> (n,)."""
        from scipy.linalg import solve_triangular

        if not len(self.mean):
            return np.zeros(len(scores))
        z = solve_triangular(self.root, (scores - self.mean).T, lower=True)
        fixed = float(np.log(np.diag(self.root)).sum()) + 0.5 * len(self.mean) * math.log(2.0 * math.pi)
        return np.asarray(-0.5 * (z**2).sum(axis=0) - fixed)


def prior(dimensions: int) -> Proposal:
    """The prior as a proposal."""
    return Proposal(np.zeros(dimensions), np.eye(dimensions))


def aimed(scores: np.ndarray, counts: Sequence[Counts]) -> Proposal:
    """A proposal where futures that resemble the counts are likely.

    What futures show is taken to be linear in the scores, with normal chance: then the scores given the counts are
    normal too, with a mean and covariance that follow from the regression (the update of the ensemble Kalman filter
    [9]_). Only slopes that are clearly not zero take part, and the covariance is widened: the weights make up for what
    the line misses, not for what the proposal never draws.
    """
    shown = np.concatenate([np.log(one.values + one.offset) for one in counts], axis=1)
    wanted = np.concatenate([np.log(one.observed + one.offset) for one in counts])
    n, d = scores.shape
    design = np.column_stack([np.ones(n), scores])
    solved, *_ = np.linalg.lstsq(design, shown, rcond=None)
    left = shown - design @ solved
    degrees = max(n - d - 1, 1)
    scatter = left.T @ left / degrees
    inverse = np.linalg.pinv(design.T @ design)
    error = np.sqrt(np.outer(np.diag(inverse)[1:], np.diag(scatter)))
    slopes = np.where(np.abs(solved[1:]) > CLEAR * error, solved[1:], 0.0)
    noise = scatter + _errors(counts)
    gain = np.linalg.solve(noise, slopes.T).T  # (d, T)
    covariance = np.linalg.inv(np.eye(d) + gain @ slopes.T)
    mean = covariance @ gain @ (wanted - solved[0])
    size = max(1.0, float(np.sqrt(mean @ mean)) / FARTHEST)
    return Proposal(mean / size, np.linalg.cholesky(WIDER * covariance + (1.0 - WIDER) * covariance @ covariance))


def _errors(counts: Sequence[Counts]) -> np.ndarray:
    """Covariance of the errors of all counts, at the middle of their ranges and the mean of what futures show."""
    total = sum(len(one.observed) for one in counts)
    made = np.zeros((total, total))
    start = 0
    for one in counts:
        d, s = one.variances()
        here = slice(start, start + len(one.observed))
        shared = s[SCALES // 2].mean(axis=0)
        made[here, here] = np.diag(d[SCALES // 2].mean(axis=0)) + np.outer(shared, shared)
        start = here.stop
    return made


def log_mixture(scores: np.ndarray, proposals: Sequence[Proposal], numbers: Mapping[int, int]) -> np.ndarray:
    """Log density of the mixture that futures were drawn from ([2]_): ``numbers``, how many came from each proposal."""
    total = sum(numbers.values())
    parts = [math.log(count / total) + proposals[i].log_density(scores) for i, count in numbers.items() if count]
    return np.asarray(np.logaddexp.reduce(np.array(parts), axis=0))
