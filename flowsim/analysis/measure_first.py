"""Which number to measure first: ranked from the futures of an answer alone, without another simulation.

The decision here is to foretell whether the lists are cleared. For a forecast by probability, scored by the square of
its error (Brier [1]_), knowing an unknown is worth the variance of the probability given it: that unknown's own share
of the variance. For a forecast by yes or no, it is worth the share of futures in which the call becomes right instead
of wrong. Both are expected values of perfect partial information (`flowsim.analysis.information`), of two stated
losses; what a number is worth in euros for the decision to continue, extend or stop is told by `flowsim sensitivity`.

References
----------
.. [1] G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather Review 78(1), 1950,
   p. 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.effects import MainEffects, main_effects, ranks
from flowsim.analysis.framed import framed
from flowsim.analysis.information import DRAWS, SEED, evppi
from flowsim.analysis.statistics import Estimate

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = {
    "case": "str",
    "unknown": "str",
    **dict.fromkeys(("share", "share_low", "share_high", "calls", "calls_low", "calls_high"), "float64"),
    "futures": "int64",
}
LEAST_OF_EITHER: Final = 8
"""Futures with the lists cleared, and futures without, that it takes to rank unknowns."""


def measure_first(answer: Any) -> pd.DataFrame:
    """Per case with a network, its unknowns, the most informative first; a case that is nearly sure is left out.

    ``share`` : share of the variance of whether the lists are cleared that goes when the unknown is known; ``calls`` :
    share of futures in which a call of yes or no becomes right; each with its 95% interval.
    """
    rows: list[dict[str, Any]] = []
    for name, case in answer.cases.items():
        if name != "none" and case.drawn:
            values = {key: np.array([drawn[key] for drawn in case.drawn]) for key in case.drawn[0]}
            rows += [{"case": name, **row} for row in ranked(values, case.cleared)]
    return framed(rows, COLUMNS)


def ranked(values: Mapping[str, np.ndarray], cleared: np.ndarray) -> list[dict[str, Any]]:
    """The rows of `measure_first` for one case, from what each future drew and whether it cleared; none when too few
    futures tell."""
    cleared = np.asarray(cleared, bool)
    names = tuple(values)
    enough = min(cleared.sum(), (~cleared).sum()) >= LEAST_OF_EITHER and len(cleared) >= 2 * len(names) + 8
    if not names or not enough:
        return []
    u = ranks(np.stack([values[name] for name in names], axis=1))
    outcome = cleared.astype(float)
    yes_or_no = main_effects(names, u, np.stack([outcome, 1.0 - outcome], axis=1))
    rows = []
    for i, name in enumerate(names):
        share = _share(yes_or_no, i, float(outcome.var()))
        calls = evppi(yes_or_no, i)
        rows.append(
            {
                "unknown": name,
                "share": share.value,
                "share_low": share.low,
                "share_high": share.high,
                "calls": calls.value,
                "calls_low": calls.low,
                "calls_high": calls.high,
                "futures": len(cleared),
            }
        )
    return sorted(rows, key=lambda row: -row["share"])


def _share(effects: MainEffects, unknown: int, variance: float, level: float = 0.95) -> Estimate:
    """An unknown's own share of the variance, corrected for what chance adds to squares of coefficients."""
    found = float((effects.of(unknown)[1:, 0] ** 2).sum()) / variance
    drawn = (effects.posterior(unknown, DRAWS, SEED)[:, 1:, 0] ** 2).sum(axis=1) / variance
    bias = float(drawn.mean()) - found
    low, high = np.quantile(drawn, (0.5 - level / 2, 0.5 + level / 2)) - 2.0 * bias
    value = min(max(0.0, found - bias), 1.0)
    low = low if effects.doubt(unknown) <= 1.0 - level else 0.0
    return Estimate(value, max(0.0, min(float(low), value)), min(max(value, float(high)), 1.0), effects.n)
