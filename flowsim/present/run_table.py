"""The outcome of a run as a person reads it: a row per station, means with their intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from flowsim.present.texts import format_number, text

if TYPE_CHECKING:
    import pandas as pd

MEASURES: Final = {"arrivals": 0, "starts": 0, "completions": 0, "reneged": 0, "mean_wait": 2, "mean_queue": 2}
"""The measures shown, and their decimals; utilisation comes last, in per cent."""


def summary_rows(summary: pd.DataFrame, lang: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows from `Output.summary`: mean, and half the length of the interval where there is one."""
    header = [text(lang, f"cli.column.{name}") for name in ("station", *MEASURES, "utilisation")]
    rows = []
    for station, measures in summary.groupby("station", sort=False):
        found = measures.set_index("measure")
        cells = [_shown(found.loc[name], 1.0, decimals, lang) for name, decimals in MEASURES.items()]
        rows.append([str(station), *cells, _shown(found.loc["utilisation"], 100.0, 1, lang, "%")])
    return header, rows


def _shown(row: Any, factor: float, decimals: int, lang: str, unit: str = "") -> str:
    mean, half = factor * row["mean"], factor * (row["high"] - row["low"]) / 2
    if math.isnan(mean):
        return "-"
    written = format_number(lang, mean, decimals) + unit
    return written if not math.isfinite(half) else f"{written} ± {format_number(lang, half, decimals)}"
