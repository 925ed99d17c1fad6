"""The first day as it is told: one number for each thing, whichever page or reading it stands beside.

A future has the same first day in every case, but cases are not simulated in equally many futures. All that is told of
the first day is therefore taken from the case with the most futures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from flowsim.present.texts import text
from flowsim.present.wording import percent

if TYPE_CHECKING:
    import pandas as pd

Tables = Mapping[str, "pd.DataFrame"]
LIST_SIZE: Final = "assumptions.list_size"
"""The unknown that says how many wait on the first day; people are whole, so that the lists differ a little from it."""
OVERDUE_SHARE: Final = "overdue_share"
"""The target of the first day that bears on how far to trust an answer."""


class Spread(NamedTuple):
    """Mean over the futures, and where 90% of them lie."""

    mean: float
    q05: float
    q95: float


def widest(tables: Tables) -> str:
    """The case with the most futures, the first of them where several have as many."""
    rows = tables["summary"].to_dict("records")
    return str(max(rows, key=lambda row: row["futures"])["case"])


def first_day(tables: Tables, measure: str) -> Spread:
    """Those who wait (``waiting``) or wait too long (``overdue``) on the first day."""
    case, lists, fan = widest(tables), tables["programmes"], tables["fan"]
    day = fan[(fan["case"] == case) & (fan["measure"] == measure) & (fan["day"] == 0.0)].iloc[0]
    mean = lists[(lists["case"] == case) & (lists["year"] == lists["year"].min())][measure].sum()
    return Spread(float(mean), float(day["q05"]), float(day["q95"]))


def overdue_share(tables: Tables) -> float:
    """Part of those who wait on the first day who wait too long: the two numbers of `first_day`, divided."""
    return first_day(tables, "overdue").mean / max(first_day(tables, "waiting").mean, 1.0)


def missed_share(tables: Tables) -> dict[Any, Any] | None:
    """The row of the calibration for that part, when the published one lies outside what the futures show."""
    if "calibration" not in tables:
        return None
    rows = tables["calibration"]
    found = rows[(rows["target"] == OVERDUE_SHARE) & ~rows["stands"].astype(bool)].to_dict("records")
    return found[0] if found else None


def in_futures(tables: Tables, key: str) -> Spread | None:
    """The values of an unknown in the futures; None where they draw none."""
    if key == LIST_SIZE:
        return first_day(tables, "waiting")
    found = tables["futures"]
    if key not in found:
        return None
    values = found[found["case"] == widest(tables)][key].dropna()
    if not len(values):
        return None
    return Spread(float(values.mean()), *(float(values.quantile(q)) for q in (0.05, 0.95)))


def shares_told(tables: Tables, row: Mapping[Any, Any], lang: str) -> dict[str, str]:
    """That part in the model and as published, as both are told wherever they stand."""
    return {"simulated": percent(lang, overdue_share(tables)), "value": percent(lang, row["value"])}


def told_beside(tables: Tables, year: int, lang: str) -> tuple[str, ...]:
    """What stands beside the verdict when the lists begin with another part overdue than was published: a sentence."""
    row = missed_share(tables)
    if row is None:
        return ()
    way = "fewer" if overdue_share(tables) < row["value"] else "more"
    return (text(lang, f"answer.start.beside_{way}", year=year, **shares_told(tables, row, lang)),)


def rounded(value: float, spread: Spread, unit: str) -> float:
    """A value with as many decimals as its spread has a use for: about two digits of it."""
    factor = 100.0 if unit.startswith("fraction") else 1.0
    wide = factor * (spread.q95 - spread.q05)
    decimals = 0 if wide >= 10.0 else 1 if wide >= 1.0 else 2
    return round(factor * value, decimals) / factor
