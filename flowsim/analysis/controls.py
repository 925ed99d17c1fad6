"""Means with control variates: the drawn values of the unknowns, whose means are known.

Part of what makes one batch of futures differ from the next is how the values of the unknowns happened to fall. Their
means are known, so that part can be taken out: a straight line through outcome and unknowns, at the known means
instead of those of the batch [1]_. Each future is set right by a line that was fitted without it (cross-fitting [2]_),
so that the estimate is unbiased, whatever the shape of the outcome, and the gain is measured on what was not fitted: it
may be below 1, and then the plain mean is the better one.

References
----------
.. [1] S. S. Lavenberg and P. D. Welch, "A perspective on the use of control variables to increase the efficiency of
   Monte Carlo simulations", Management Science 27(3), 1981, p. 322; A. M. Law, Simulation Modeling and Analysis, 5th
   ed., 2015, section 11.4.
.. [2] V. Chernozhukov et al., "Double/debiased machine learning", The Econometrics Journal 21(1), 2018, p. C1,
   definition 3.1; for control variates: A. N. Avramidis and J. R. Wilson, "A splitting scheme for control variates",
   Operations Research Letters 14(4), 1993, p. 187.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from flowsim.errors import InputError

FOLDS: Final = 10
PER_CONTROL: Final = 2
"""Futures needed for each control, and for the constant, before a line is fitted."""
WORTH: Final = 1.1
"""Gain from which controls are used: a smaller one may be chance."""


@dataclass(frozen=True)
class Controlled:
    """Outcomes with the controls taken out.

    Attributes
    ----------
    values : (n, m), per future; their mean over the futures is the estimate.
    extra : (m,) variance of that mean that ``values`` do not show: the mean of the controls is itself taken over a
        large but finite number of drawn values.
    gain : (m,) variance of the plain mean over that of the estimate; NaN where the outcome does not vary.
    """

    values: np.ndarray
    extra: np.ndarray
    gain: np.ndarray


def controlled(values: np.ndarray, controls: np.ndarray, population: np.ndarray) -> Controlled:
    """Take the controls out of outcomes.

    It is linear: the controlled values of a difference are the difference of the controlled values.

    Parameters
    ----------
    values : (n, m), a row per future. controls : (n, p), its drawn values.
    population : (N, p), values drawn in the same way for other futures, which need not be simulated.

    Returns
    -------
    Controlled ; the outcomes themselves, with gain 1, where there are too few futures (`PER_CONTROL`) or no control
    varies.

    Raises
    ------
    InputError : arrays that do not fit each other.
    """
    y = np.asarray(values, np.float64)
    x, others = np.asarray(controls, np.float64), np.asarray(population, np.float64)
    if y.ndim != 2 or x.ndim != 2 or len(x) != len(y) or others.ndim != 2 or others.shape[1] != x.shape[1]:
        raise InputError("controls", f"{x.shape} for {y.shape} outcomes", "a row per outcome, columns as population")
    n, m = y.shape
    varies = others.std(axis=0) > 0.0 if len(others) > 1 else np.zeros(x.shape[1], bool)
    if not varies.any() or n < PER_CONTROL * (int(varies.sum()) + 1):
        return Controlled(y, np.zeros(m), np.where(np.ptp(y, axis=0) > 0.0, 1.0, np.nan) if n else np.full(m, np.nan))
    centre, scale = others[:, varies].mean(axis=0), others[:, varies].std(axis=0)
    design = np.column_stack([np.ones(n), (x[:, varies] - centre) / scale])
    everywhere = (others[:, varies] - centre) / scale
    fold = np.arange(n) % FOLDS
    made = np.empty_like(y)
    slopes = np.zeros((design.shape[1] - 1, m))
    for k in range(FOLDS):
        mine = fold == k
        line = np.linalg.lstsq(design[~mine], y[~mine], rcond=None)[0]
        made[mine] = y[mine] - design[mine, 1:] @ line[1:]  # at the known means the line gives its constant alone
        slopes += line[1:] * (mine.sum() / n)
    extra = (everywhere @ slopes).var(axis=0, ddof=1) / len(others)
    plain, now = y.var(axis=0, ddof=1) / n, made.var(axis=0, ddof=1) / n + extra
    still = np.ptp(y, axis=0) <= 1e-9 * np.abs(y).max(axis=0)
    gain = np.where(still, np.nan, plain / np.where(now > 0.0, now, np.nan))
    return Controlled(made, extra, gain)
