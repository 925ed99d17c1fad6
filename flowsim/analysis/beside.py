"""Contenders side by side: scenarios, or the cases of one scenario, in the same simulated futures.

Future ``i`` has the same unknowns and the same residents in each, so that differences are taken future by future.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.statistics import Estimate, mean_interval, paired_difference
from flowsim.plan.years import YEARS

if TYPE_CHECKING:
    import pandas as pd

MEASURES: Final = ("waiting", "overdue")


@dataclass(frozen=True)
class Contender:
    """One of those that are compared.

    Attributes
    ----------
    name : for people. case : ``none``, a reading or ``diversion``.
    futures : the rows of table ``futures`` (`flowsim.analysis.answers.futures`) of that case.
    fan : those of table ``fan``. cleared : probability that the lists are cleared in time.
    """

    name: str
    case: str
    futures: pd.DataFrame
    fan: pd.DataFrame
    cleared: Estimate


def contender(name: str, case: str, tables: Any, cleared: Estimate) -> Contender:
    """A case of an answer as a contender, from the answer's tables."""
    futures, fan = tables["futures"], tables["fan"]
    return Contender(name, case, futures[futures["case"] == case], fan[fan["case"] == case], cleared)


def side_by_side(contenders: Sequence[Contender], year: int = YEARS[-1]) -> pd.DataFrame:
    """Each contender at the end of a year, and its paired difference from the first.

    Per contender, in order: ``futures``; for each of `MEASURES` the ``mean`` with the 95% interval of the mean, ``q05``
    and ``q95`` over futures, ``difference`` from the first with the 95% interval of paired differences (NaN for the
    first itself) and ``pairs``, the number of futures that both have.
    """
    import pandas as pd

    rows = []
    first = contenders[0].futures.set_index("future")
    for one in contenders:
        own = one.futures.set_index("future")
        shared = own.index.intersection(first.index)
        row: dict[str, Any] = {"name": one.name, "case": one.case, "futures": len(own), "pairs": len(shared)}
        for measure in MEASURES:
            column = f"{measure}_{year}"
            values = own[column].to_numpy(float)
            mean = mean_interval(values, least=0.0)
            low, high = np.quantile(values, (0.05, 0.95))
            change = paired_difference(
                first.loc[shared, column].to_numpy(float), own.loc[shared, column].to_numpy(float)
            )
            ends = (change.value, change.low, change.high) if one is not contenders[0] else (np.nan,) * 3
            row |= {
                f"{measure}_mean": mean.value,
                f"{measure}_mean_low": mean.low,
                f"{measure}_mean_high": mean.high,
                f"{measure}_q05": low,
                f"{measure}_q95": high,
                f"{measure}_difference": ends[0],
                f"{measure}_difference_low": ends[1],
                f"{measure}_difference_high": ends[2],
            }
        rows.append(row)
    return pd.DataFrame(rows)
