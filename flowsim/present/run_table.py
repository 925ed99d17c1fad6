"""The outcome of a run as a person reads it: a row per station, means with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from flowsim.present.texts import format_number, text

MEASURES: Final = {"arrivals": 0, "starts": 0, "completions": 0, "reneged": 0, "mean_wait": 2, "mean_queue": 2}
"""The measures shown, and their decimals; utilisation comes last, in per cent."""


def summary_rows(summary: Sequence[Mapping[str, Any]], lang: str) -> tuple[list[str], list[list[str]]]:
    """Header and rows from `Output.summary_rows`: mean, and half the length of the interval where there is one."""
    header = [text(lang, f"cli.column.{name}") for name in ("station", *MEASURES, "utilisation")]
    rows = []
    for station, measures in groupby(summary, lambda row: str(row["station"])):
        found = {row["measure"]: row for row in measures}
        cells = [_shown(found[name], 1.0, decimals, lang) for name, decimals in MEASURES.items()]
        rows.append([station, *cells, _shown(found["utilisation"], 100.0, 1, lang, "%")])
    return header, rows


def _shown(row: Mapping[str, Any], factor: float, decimals: int, lang: str, unit: str = "") -> str:
    mean, half = factor * row["mean"], factor * (row["high"] - row["low"]) / 2
    if math.isnan(mean):
        return "-"
    written = format_number(lang, mean, decimals) + unit
    return written if not math.isfinite(half) else f"{written} ± {format_number(lang, half, decimals)}"
