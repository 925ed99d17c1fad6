"""What the columns of the tables of a sensitivity study mean: table, column, unit, meaning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pandas as pd

COLUMNS: Final = {
    "week": (
        "",
        "which value of a week of waiting: low, value or high of its range, or turn: where the best option changes",
    ),
    "euros_per_week": ("EUR", "what a resident-week of waiting that does not happen is worth"),
    "option": ("", "continue, extend or stop after the pilot year"),
    "euros": ("EUR", "extra cost against stopping, all years together"),
    "weeks_won": ("resident-weeks", "waiting that does not happen, against stopping"),
    "net_benefit": ("EUR", "value of the weeks won less the extra cost"),
    "best_share": ("fraction of futures", "in which the option has the largest net benefit, chance included"),
    "best": ("", "whether it is (or which option is) the best in expectation"),
    "futures": ("futures", "that the row rests on"),
    "unknown": ("", "key of the unknown"),
    "evppi": ("EUR", "expected value of knowing the unknown exactly before deciding"),
    "evsi": ("EUR", "expected value of one measured quarter before deciding"),
    "measured_by": ("", "figure that says how well a quarter measures it; empty: not stated"),
    "evpi": ("EUR", "expected value of knowing all unknowns exactly, chance staying unknown"),
    "clairvoyance": ("EUR", "expected value of knowing each future whole, chance included: an upper bound"),
    "held_out_continue": ("fraction of variance", "of net benefits left out of the fit that the surface foretells"),
    "held_out_extend": ("fraction of variance", "of net benefits left out of the fit that the surface foretells"),
    "monitor": ("", "what the registration of the pilot year's last quarter shows"),
    "outcome": ("", "cleared (0 or 1), overdue_2029 (residents) or mean_wait_2029 (days)"),
    "mu_star": ("of the outcome", "mean absolute effect from the lowest to the highest level"),
    "mu": ("of the outcome", "mean effect from the lowest to the highest level"),
    "sigma": ("of the outcome", "standard deviation of the effects"),
    "input": ("", "unknown, group of unknowns (others) or chance"),
    "first": ("fraction of variance", "first-order Sobol index"),
    "total": ("fraction of variance", "total Sobol index"),
    "runs": ("runs", "that the row rests on"),
    "method": ("", "runs: the design itself, chance an input; surface: of the mean over chance, by a fitted surface"),
    "held_out": (
        "fraction of variance",
        "of runs left out of the fit that the surface foretells; the rest is error or chance",
    ),
    "chance": ("fraction of variance", "total Sobol index of chance"),
    "promise": ("", "cleared, or fewer_overdue: fewer overdue at the end than on the first day"),
    "fails": ("fraction of futures", "in which the promise fails"),
    "side": ("", "what the region is one of: where the promise fails, or (where it mostly fails) where it holds"),
    "found": ("", "whether there is a region"),
    "density": ("fraction of futures", "in the region that have that side"),
    "coverage": ("fraction of futures", "with that side that lie in the region"),
    "outside": ("fraction of futures", "outside the region that have that side"),
    "mass": ("fraction of futures", "that lie in the region"),
    "p": ("", "quasi-p-value of the limit"),
    "box": ("", "number of the box, widest first"),
    "limits": ("", "unknowns that the box limits"),
    "held_out_mass": ("fraction of futures", "of the half that the box was not found on, that lie in it"),
    "held_out_coverage": ("fraction of futures", "coverage on the half that the box was not found on"),
    "held_out_density": ("fraction of futures", "density on the half that the box was not found on"),
    "chosen": ("", "whether it is the box that is reported"),
    "future": ("", "number of the future: the same unknowns and residents in every option"),
    "cleared": ("", "whether the lists are cleared in time"),
}
OF_TABLES: Final = {
    ("regions", "low"): ("of the unknown", "lower limit; minus infinity: none"),
    ("regions", "high"): ("of the unknown", "upper limit; infinity: none"),
}
ENDS: Final = {
    "_low": "lower end of the 95% interval of: ",
    "_high": "upper end of the 95% interval of: ",
    "_q05": "5% of the futures lie below; of: ",
    "_q95": "5% of the futures lie above; of: ",
}


def dictionary(tables: Mapping[str, pd.DataFrame]) -> list[dict[str, str]]:
    """A row for every column of every table. KeyError: a column that nobody has described."""
    return [
        {"table": name, "column": str(column), "unit": unit, "meaning": meaning}
        for name, table in tables.items()
        for column, unit, meaning in _described(name, table)
    ]


def _described(name: str, table: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    for column in map(str, table.columns):
        if (name, column) in OF_TABLES:
            yield column, *OF_TABLES[name, column]
        elif column in COLUMNS:
            yield column, *COLUMNS[column]
        elif "." in column:
            yield column, "of the figure", f"value of the unknown {column} in the future"
        else:
            end = next(end for end in ENDS if column.endswith(end))
            unit, meaning = COLUMNS[column.removesuffix(end)]
            yield column, unit, ENDS[end] + meaning
