"""Weighing simulated years by what was observed: likelihood, weights, what was learnt, what cannot be told apart.

A run of the simulator gives quantities ``s``; what was observed is taken to be ``s`` plus an error whose distribution
is stated: observation and model discrepancy, normal, with a correlation inside a group. The probability of the
observation, given the run, then weighs the run, and the weighted runs are draws from the exact posterior under that
error [1]_: there is no tolerance to choose and nothing to adjust by regression. Runs of several waves, each with a
proposal fitted to the waves before, are weighed together by the balance heuristic [2]_ [3]_. Weights, their effective
number and weighed quantiles: `flowsim.analysis.weighing`.

.. [1] R. D. Wilkinson, "Approximate Bayesian computation (ABC) gives exact results under the assumption of model
   error", Statistical Applications in Genetics and Molecular Biology 12(2), 2013, p. 129,
   doi:10.1515/sagmb-2013-0010.
.. [2] J.-M. Cornuet, J.-M. Marin, A. Mira and C. P. Robert, "Adaptive multiple importance sampling", Scandinavian
   Journal of Statistics 39(4), 2012, p. 798, doi:10.1111/j.1467-9469.2011.00756.x.
.. [3] A. B. Owen, Monte Carlo theory, methods and examples, 2013, chapters 9 and 10 (effective sample size: eq. 9.13).
.. [4] I. Vernon, M. Goldstein and R. G. Bower, "Galaxy formation: a Bayesian uncertainty analysis", Bayesian Analysis
   5(4), 2010, p. 619, doi:10.1214/10-BA524: implausibility, and 3 as its limit (Pukelsheim's three sigma rule).
.. [5] S. Talts and others, "Validating Bayesian inference algorithms with simulation-based calibration", 2018,
   arXiv:1804.06788.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from flowsim.analysis.weighing import effective, normalised
from flowsim.plan.observed import Observation

IMPLAUSIBLE: Final = 3.0
"""Limit of the implausibility [4]_."""
DIGITS: Final = 3
WIDER: Final = 1.5
"""Variance of a proposal, relative to that of what it is fitted to: tails that are too light cost more than ones too
heavy."""


@dataclass(frozen=True)
class ErrorModel:
    """Distribution of what is observed, given what was simulated.

    Attributes
    ----------
    covariance : (T, T) of observation and discrepancy. bounds : (T,) targets that are lower bounds.
    """

    covariance: np.ndarray
    bounds: np.ndarray

    @classmethod
    def of(cls, targets: Sequence[Observation], correlation: dict[str, float], scale: float = 1.0) -> ErrorModel:
        """``scale`` : of the discrepancies, to see what hangs on them."""
        gap = np.array([one.discrepancy for one in targets]) * scale
        count = len(targets)
        covariance = np.diag([one.error**2 for one in targets]).astype(float)
        for i in range(count):
            for j in range(count):
                same = targets[i].shares and targets[i].shares == targets[j].shares
                covariance[i, j] += gap[i] * gap[j] * (1.0 if i == j else correlation[targets[i].shares] if same else 0)
        return cls(covariance, np.array([one.at_least for one in targets], bool))

    @property
    def deviation(self) -> np.ndarray:
        """(T,) standard deviations."""
        return np.sqrt(np.diag(self.covariance))

    def log_likelihood(self, simulated: np.ndarray, observed: np.ndarray) -> np.ndarray:
        """Log of the probability (density) of what was observed, but for a constant: (n, T), (T,) -> (n,).

        For a lower bound ``observed`` is 1 when it was said to hold and 0 when not, and the probability is that of the
        bound lying below the simulated value plus error; ``simulated`` holds value less bound.
        """
        return self._log_likelihood(self.whitened(simulated), self.whitened(observed[None])[0], simulated, observed)

    def whitened(self, values: np.ndarray) -> np.ndarray:
        """Values of the targets that are no bounds, in units in which errors are independent: (n, T) -> (n, t)."""
        plain = ~self.bounds
        lower = np.linalg.cholesky(self.covariance[np.ix_(plain, plain)])
        return values[:, plain] @ np.linalg.inv(lower).T

    def _log_likelihood(
        self, white: np.ndarray, white_observed: np.ndarray, simulated: np.ndarray, observed: np.ndarray
    ) -> np.ndarray:
        from scipy.special import log_ndtr

        gaps = white - white_observed
        made = -0.5 * np.einsum("ij,ij->i", gaps, gaps)
        for t in np.flatnonzero(self.bounds):
            z = simulated[:, t] / self.deviation[t]
            made = made + log_ndtr(z if observed[t] else -z)
        return made  # type: ignore[no-any-return]

    def sample(self, simulated: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """What would be observed of simulated quantities: (n, T) -> (n, T)."""
        lower = np.linalg.cholesky(self.covariance)
        made = simulated + random.standard_normal(simulated.shape) @ lower.T
        made[:, self.bounds] = made[:, self.bounds] >= 0.0
        return made


def observed_values(targets: Sequence[Observation], values: np.ndarray) -> np.ndarray:
    """Values as the error model takes them: a lower bound becomes 1, for it was said to hold."""
    return np.where([one.at_least for one in targets], 1.0, values)


def against_bounds(targets: Sequence[Observation], values: np.ndarray, simulated: np.ndarray) -> np.ndarray:
    """Simulated quantities as the error model takes them: less the bound, where the target is one."""
    return simulated - np.where([one.at_least for one in targets], values, 0.0)


# ---------------------------------------------------------------- proposals


@dataclass(frozen=True)
class Proposal:
    """Independent beta distributions of the prior's quantiles, (D,) each; ones: the prior itself."""

    a: np.ndarray
    b: np.ndarray

    @classmethod
    def prior(cls, dimensions: int) -> Proposal:
        return cls(np.ones(dimensions), np.ones(dimensions))

    @classmethod
    def fitted(cls, quantiles: np.ndarray, weights: np.ndarray) -> Proposal:
        """By moments, with a variance that is `WIDER`; never with a density that is infinite at an end.

        Rounded, so that the last bits of a sum, which differ by machine, do not change where the next wave looks.
        """
        mean = np.clip(weights @ quantiles, 0.01, 0.99)
        variance = np.clip(WIDER * (weights @ (quantiles - mean) ** 2), 1e-6, None)
        size = np.maximum(mean * (1.0 - mean) / variance - 1.0, 0.0)
        a, b = (np.maximum(part, 1.0).round(DIGITS) for part in (mean * size, (1.0 - mean) * size))
        return cls(a, b)

    def at(self, uniforms: np.ndarray) -> np.ndarray:
        """Quantiles of the prior: (n, D) uniform numbers -> (n, D)."""
        from scipy.special import betaincinv

        return np.clip(betaincinv(self.a, self.b, uniforms), 1e-9, 1.0 - 1e-9)

    def log_density(self, quantiles: np.ndarray) -> np.ndarray:
        """(n, D) -> (n,)."""
        from scipy.special import betaln, xlog1py, xlogy

        parts = xlogy(self.a - 1.0, quantiles) + xlog1py(self.b - 1.0, -quantiles) - betaln(self.a, self.b)
        return parts.sum(axis=1)  # type: ignore[no-any-return]


def balance(quantiles: np.ndarray, proposals: Sequence[Proposal], counts: Sequence[int]) -> np.ndarray:
    """Log of prior over mixture of proposals ([2]_): what turns a likelihood into a weight. (n, D) -> (n,)."""
    parts = [np.log(count / sum(counts)) + q.log_density(quantiles) for q, count in zip(proposals, counts, strict=True)]
    return -np.logaddexp.reduce(np.array(parts), axis=0)  # type: ignore[no-any-return]


def resampled(weights: np.ndarray, count: int, start: float) -> np.ndarray:
    """Systematic resampling (Kitagawa 1996): rows, (count,), each as often as its weight asks; ``start`` in [0, 1)."""
    places = (np.arange(count) + start) / count
    return np.minimum(np.searchsorted(np.cumsum(weights), places), len(weights) - 1)


# ---------------------------------------------------------------- what was learnt


def contraction(prior_variance: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """1 less posterior over prior variance, per unknown: 0 nothing was learnt, 1 all."""
    mean = weights @ values
    return 1.0 - (weights @ (values - mean) ** 2) / prior_variance  # type: ignore[no-any-return]


def rank_correlations(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted rank correlations of all pairs of columns: (n, D) -> (D, D)."""
    ranks = np.empty_like(values)
    for j in range(values.shape[1]):
        order = np.argsort(values[:, j], kind="stable")
        ranks[order, j] = np.cumsum(weights[order]) - 0.5 * weights[order]
    centred = ranks - weights @ ranks
    covariance = (centred * weights[:, None]).T @ centred
    spread = np.sqrt(np.diag(covariance))
    return covariance / np.outer(spread, spread)  # type: ignore[no-any-return]


def implausibility(mean: np.ndarray, variance: np.ndarray, observed: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Distance of what was observed from what is simulated, in standard deviations of all errors together ([4]_)."""
    return np.abs(observed - mean) / np.sqrt(deviation**2 + variance)  # type: ignore[no-any-return]


# ---------------------------------------------------------------- simulation-based calibration


def ranks(
    values: np.ndarray,
    simulated: np.ndarray,
    errors: ErrorModel,
    random: np.random.Generator,
    used: ErrorModel | None = None,
    datasets: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Simulation-based calibration ([5]_) on a table of runs: where each known truth lies in its posterior.

    Each run in turn is the truth: what would be observed of it is drawn, and the other runs are weighed by that. The
    truth's place in the weighted distribution of each unknown is uniform on (0, 1) when all is right.

    Parameters
    ----------
    values, simulated : (n, D) unknowns, drawn from the prior, and (n, T) what came of them, bounds taken off.
    errors : of what is observed. used : what the weights are reckoned with, to see that a wrong one shows.
    datasets : how many of the runs are truths; None: all.

    Returns
    -------
    (m, D) places, and (m,) effective numbers of draws.
    """
    count = len(values) if datasets is None else datasets
    truths = errors.sample(simulated[:count], random)
    places, sizes = np.empty((count, values.shape[1])), np.empty(count)
    believed = used or errors
    white, white_truths = believed.whitened(simulated), believed.whitened(truths)
    for i in range(count):
        logs = believed._log_likelihood(white, white_truths[i], simulated, truths[i])
        logs[i] = -np.inf
        weights = normalised(logs)
        sizes[i] = effective(weights)
        places[i] = weights @ (values < values[i])
    return places, sizes


def flatness(places: np.ndarray, bins: int) -> tuple[np.ndarray, np.ndarray]:
    """Counts of places by bin, (D, bins), and the p-value per unknown of Pearson's test that they are flat, (D,)."""
    from scipy.special import chdtrc

    counts = np.array([np.histogram(column, bins, (0.0, 1.0))[0] for column in places.T])
    expected = len(places) / bins
    statistic = ((counts - expected) ** 2 / expected).sum(axis=1)
    return counts, chdtrc(bins - 1, statistic)


def band(datasets: int, bins: int, level: float) -> tuple[int, int]:
    """Within which a flat histogram's bin lies with this probability (binomial)."""
    from scipy.stats import binom

    low, high = (int(binom.ppf(q, datasets, 1.0 / bins)) for q in ((1.0 - level) / 2, (1.0 + level) / 2))
    return low, high
