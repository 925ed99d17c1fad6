"""A probability from fewer futures: adjusted for how the drawn values of the unknowns happen to have fallen.

Part of what makes one batch of futures differ from the next is known: the values that were drawn for the unknowns, and
what a fluid twin makes of them (`flowsim.engines.fluid`). A model of the outcome given those covariates, averaged
over all that could have been drawn and not only over what was simulated, takes that part out; what the model misses is
added back from the futures themselves, so that the estimate is unbiased however poor the model, or the twin, is (the
model-assisted estimator [1]_). Each future is predicted by a model that was fitted without it (cross-fitting [2]_),
else the model would take credit for chance.

No more can be taken out than there is: when a share r of the variance of the outcome lies in the unknowns, a perfect
model leaves 1 - r of it. What is left is luck, and most of that is in futures that may go either way. Where the model
is nearly sure, few futures need to be simulated at all: each is with a probability in proportion to the standard
deviation that the model gives it (Neyman's allocation [5]_, by Poisson sampling [6]_), and what the model misses
in one counts for all that it stands for.

References
----------
.. [1] C.-E. Särndal, B. Swensson and J. Wretman, Model Assisted Survey Sampling, 1992, chapter 6; as a control variate:
   P. Glasserman, Monte Carlo Methods in Financial Engineering, 2003, section 4.1.
.. [2] V. Chernozhukov et al., "Double/debiased machine learning", The Econometrics Journal 21(1), 2018, p. C1,
   definition 3.1.
.. [3] E. L. Korn and B. I. Graubard, Survey Methodology 24(2), 1998, p. 193: Wilson's interval on an effective size.
.. [4] P. L'Ecuyer and C. Lemieux, "Recent advances in randomized quasi-Monte Carlo methods", in Modeling Uncertainty,
   2002, section 2.2: intervals from independent randomisations.
.. [5] J. Neyman, "On the two different aspects of the representative method", Journal of the Royal Statistical Society
   97(4), 1934, p. 558.
.. [6] Särndal, Swensson and Wretman 1992, section 3.5; its estimator, corrected by a model: section 6.3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from flowsim.analysis.statistics import Estimate, mean_interval, share_interval, wilson
from flowsim.errors import InputError

FOLDS: Final = 10
PER_UNKNOWN: Final = 3
"""Outcomes of the rarer kind needed for each covariate before a model is fitted; below that the plain share is used."""
LEAST: Final = 2
"""Times `PER_UNKNOWN`, of the rarer kind, for an outcome to be adjusted together with others."""
RIDGE: Final = 2.0
ROUNDS: Final = 25
SELDOM: Final = 0.1
"""Least probability that a future is simulated: however sure the model is, one in ten says whether it is right."""


@dataclass(frozen=True)
class Selection:
    """Futures of which some were chosen among candidates.

    Attributes
    ----------
    first : futures that were all simulated; the outcomes begin with those.
    probability : (n - first,) of each other future, the probability with which it was to be simulated.
    candidates : those others, and all that were passed over.
    """

    first: int
    probability: np.ndarray
    candidates: int


def adjusted_probability(
    outcome: np.ndarray,
    covariates: np.ndarray,
    population: np.ndarray,
    level: float = 0.95,
    whole: bool = False,
    selection: Selection | None = None,
) -> Estimate:
    """Probability of an outcome, adjusted for the values drawn.

    Parameters
    ----------
    outcome : (n,) bool, per future. covariates : (n, p), the values drawn for it, or scores that follow from them.
    population : (N, p), the same of others, drawn in the same way, which need not be simulated; or (R, M, p): R sets
        of them that were made independently of each other, such as scrambled Sobol points.
    whole : the population is not a sample: the futures take their values from it, each row as likely as the next.
    selection : which candidates the futures are, when not all were simulated; None: all were.

    Returns
    -------
    Estimate with Wilson's interval on the effective number of futures [3]_: as many independent ones as would give the
    same variance. ``n`` is the number simulated. With few outcomes of one kind (`PER_UNKNOWN`) it is the plain share
    with Wilson's interval.

    Raises
    ------
    InputError : arrays that do not fit each other; a selection whose model has too few outcomes of one kind.
    """
    y = np.asarray(outcome, bool)
    if y.ndim != 1:
        raise InputError("outcome", f"an array of shape {y.shape}", "one row of outcomes")
    return adjusted_together(y[None], covariates, population, level, whole, selection)[0]


def adjusted_together(
    outcomes: np.ndarray,
    covariates: np.ndarray,
    population: np.ndarray,
    level: float = 0.95,
    whole: bool = False,
    selection: Selection | None = None,
) -> list[Estimate]:
    """As `adjusted_probability`, for K outcomes of the same futures, such as cleared at K diverted shares: one model
    for all, each with a constant of its own, so that together they have enough to fit it.

    Parameters
    ----------
    outcomes : (K, n) bool. The others: see `adjusted_probability`.
    """
    y = np.asarray(outcomes, bool)
    x, others = np.asarray(covariates, float), np.asarray(population, float)
    fit = y.ndim == 2 and x.ndim == 2 and len(x) == y.shape[1] and others.ndim in (2, 3)
    if not fit or others.shape[-1] != x.shape[1]:
        raise InputError("covariates", f"{x.shape} for {y.shape} outcomes", "a row per outcome, columns as population")
    n = y.shape[1]
    sets = others.shape[0] if others.ndim == 3 else 1
    others = others.reshape(int(np.prod(others.shape[:-1])), x.shape[1])
    standard = _standardised(others)
    everywhere, design = standard(others), standard(x)
    made = [wilson(int(one.sum()), n, level) for one in y]
    some = [j for j, one in enumerate(y) if not too_few(one, LEAST)]
    if not design.shape[1] or not some or too_few(y[some], design.shape[1]):
        if selection is not None:
            raise InputError("selection", "outcomes of one kind too rare for a model", "futures that are all simulated")
        return made
    y = y[some]
    count = len(some)
    fold = np.arange(n) % FOLDS
    missed = np.empty((count, n))
    predicted = np.zeros((count, len(others)))
    of_all = logistic(design, y)
    for k in range(FOLDS):
        mine = fold == k
        constants, slopes = logistic(design[~mine], y[:, ~mine], of_all)
        missed[:, mine] = y[:, mine] - chance_at(constants[:, None] + design[mine] @ slopes)
        at = np.einsum("np,p->n", everywhere, slopes)  # and not @, whose threads wait for each other on a busy machine
        predicted += chance_at(constants[:, None] + at) * (mine.sum() / n)
    for j, place in enumerate(some):
        error, variance = _mean_missed(missed[j], selection)
        share = float(np.clip(predicted[j].mean() + error, 0.0, 1.0))
        if sets > 1:
            variance += float(predicted[j].reshape(sets, -1).mean(axis=1).var(ddof=1)) / sets
        elif not whole:
            variance += float(predicted[j].var(ddof=1)) / len(others)
        size = share * (1.0 - share) / variance if 0.0 < share < 1.0 else n
        made[place] = Estimate(share, *share_interval(share, size, level), n)
    return made


def _standardised(population: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """A function that gives covariates (n, p) as standard scores by a population (N, p), without those that do not vary
    there."""
    spread = population.std(axis=0) if len(population) else np.zeros(population.shape[1])
    varies = spread > 0.0
    centre = population[:, varies].mean(axis=0) if varies.any() else 0.0
    return lambda covariates: (covariates[:, varies] - centre) / spread[varies]


def _mean_missed(missed: np.ndarray, selection: Selection | None) -> tuple[float, float]:
    """Mean of what a model missed in each of n futures, and the variance of that mean."""
    n = len(missed)
    if selection is None:
        return float(missed.mean()), float(missed.var(ddof=1)) / n
    p, first = np.asarray(selection.probability, float), selection.first
    passed = selection.candidates - len(p)
    if first + len(p) != n or not ((p > 0.0) & (p <= 1.0)).all() or passed < 0:
        found = f"{first} and {p.shape} probabilities among {selection.candidates} for {n} outcomes"
        raise InputError(
            "selection", found, "a probability above 0, at most 1, for each outcome, and no fewer candidates"
        )
    of_all = np.r_[missed[:first], missed[first:] / p, np.zeros(passed)]
    return float(of_all.mean()), float(of_all.var(ddof=1)) / len(of_all)


def worth_simulating(outcome: np.ndarray, scores: np.ndarray, population: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Probability with which a candidate is to be simulated: in proportion to the standard deviation of its outcome, 1
    where that is as likely as not, and `SELDOM` at least.

    Parameters
    ----------
    outcome : (n,) bool, of futures so far. scores : (n, p), of those. population : (N, p). at : (m, p), of candidates.

    Returns
    -------
    (m,)
    """
    standard = _standardised(population.reshape(-1, population.shape[-1]))
    constants, slopes = logistic(standard(scores), np.asarray(outcome, bool)[None])
    chance = chance_at(constants[0] + standard(at) @ slopes)
    return np.clip(2.0 * np.sqrt(chance * (1.0 - chance)), SELDOM, 1.0)


def in_turn(outcome: np.ndarray, sets: int, level: float = 0.95) -> Estimate:
    """Probability of an outcome from futures that take turns in randomised quasi-Monte Carlo sets of points, each set
    randomised by itself: Student's t over the means of the sets ([4]_).

    Parameters
    ----------
    outcome : (n,) bool; future i belongs to set ``i % sets``. Futures beyond a whole number of rounds are left out.

    Returns
    -------
    Estimate; Wilson's interval where all means are equal, as there is no variance to be seen, or with fewer than two
    rounds.
    """
    y = np.asarray(outcome, bool)
    rounds = len(y) // sets
    if rounds < 2:
        return wilson(int(y.sum()), len(y), level)
    means = y[: rounds * sets].reshape(rounds, sets).mean(axis=0)
    if means.std() == 0.0:
        return wilson(int(y.sum()), len(y), level)
    made = mean_interval(means, level)
    return Estimate(made.value, max(made.low, 0.0), min(made.high, 1.0), len(y))


def too_few(outcome: np.ndarray, unknowns: int) -> bool:
    """Whether outcomes of one kind are too rare for a model with this number of unknowns."""
    hits = int(outcome.sum())
    return min(hits, outcome.size - hits) < PER_UNKNOWN * unknowns


def chance_at(score: np.ndarray) -> np.ndarray:
    """The logistic curve."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(score, -30.0, 30.0))))


def logistic(
    design: np.ndarray, outcomes: np.ndarray, near: tuple[np.ndarray, np.ndarray] | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Constants (K,) and slopes (p,) of a logistic regression of (K, n) outcomes on the same (n, p) covariates, with a
    light ridge on the slopes, by Newton's method. ``near``: where to begin; None: at zero."""
    count, p = len(outcomes), design.shape[1]
    weights = np.zeros(count + p) if near is None else np.concatenate(near)
    ridge = np.r_[np.zeros(count), np.full(p, RIDGE)]
    for _ in range(ROUNDS):
        chance = chance_at(weights[:count, None] + design @ weights[count:])
        spread = np.maximum(chance * (1.0 - chance), 1e-9)
        curvature = np.diag(ridge + 1e-9)
        curvature[:count, :count] += np.diag(spread.sum(axis=1))
        curvature[:count, count:] += spread @ design
        curvature[count:, :count] = curvature[:count, count:].T
        curvature[count:, count:] += (design.T * spread.sum(axis=0)) @ design
        over = outcomes - chance
        step = np.linalg.solve(curvature, np.r_[over.sum(axis=1), over.sum(axis=0) @ design] - ridge * weights)
        weights += step
        if np.abs(step).max() < 1e-9:
            break
    return weights[:count], weights[count:]
