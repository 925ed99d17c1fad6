"""Waiting over time in every scenario, on one axis."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from flowsim.present.plots import COLOURS, MEASURES, OTHER, STYLE, apart, put_title, years_below
from flowsim.present.texts import text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PALETTE: Final = (
    *(COLOURS[name] for name in ("none", "headcount", "net", "capacity", "diversion")),
    OTHER,
    "#E69F00",
    "#F0E442",
)
"""By place of the scenario; from the ninth on they come back with another line."""
LINES: Final = ("solid", (0, (5, 2)), (0, (1, 1)))
LABEL_GAP: Final = 0.055
"""Least distance between two labels, as a part of the height."""


def overlay(tables: Mapping[str, pd.DataFrame], start: dt.date, lang: str) -> dict[str, Figure]:
    """``waiting``: people waiting and overdue by week, median and 90% of the futures, a colour per scenario.

    Parameters
    ----------
    tables : ``fan`` and ``summary`` of a comparison. start : day zero.
    """
    import matplotlib
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    cases = list(tables["summary"]["case"])
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.5, 9.0), layout=ConstrainedLayoutEngine(w_pad=0.12))
        panels = figure.subplots(len(MEASURES), 1, sharex=True)
        for axes, measure in zip(panels, MEASURES, strict=True):
            _lines(axes, tables["fan"], cases, measure, start)
            axes.set_ylabel(text(lang, f"answer.plot.fan.{measure}"), fontsize=12)
            axes.grid(axis="y", color="#dddddd", linewidth=0.7)
            axes.set_axisbelow(True)
            axes.margins(x=0)
            axes.set_ylim(bottom=0)
            years_below(axes, lang, start)
        for axes, measure in zip(panels, MEASURES, strict=True):
            _labels(axes, tables["fan"], cases, measure)
        panels[-1].set_xlabel(text(lang, "compare.plot.bands"), labelpad=16)
        put_title(figure, text(lang, "compare.plot.title"))
    return {"waiting": figure}


def _of(table: pd.DataFrame, case: str, measure: str) -> pd.DataFrame:
    return table[(table["case"] == case) & (table["measure"] == measure)].sort_values("day")


def _lines(axes: Any, table: pd.DataFrame, cases: list[str], measure: str, start: dt.date) -> None:
    for k, case in enumerate(cases):
        found, colour = _of(table, case, measure), PALETTE[k % len(PALETTE)]
        dates = [start + dt.timedelta(days=float(day)) for day in found["day"]]
        axes.fill_between(dates, found["q05"], found["q95"], color=colour, alpha=0.13, linewidth=0)
        style = LINES[k // len(PALETTE) % len(LINES)]
        axes.plot(dates, found["q50"], color=colour, linewidth=2.2, linestyle=style)


def _labels(axes: Axes, table: pd.DataFrame, cases: list[str], measure: str) -> None:
    """The scenarios' names at the right, each beside the end of its line and in its colour."""
    ends = {case: float(_of(table, case, measure)["q50"].iloc[-1]) for case in cases}
    order = sorted(cases, key=lambda case: ends[case])
    heights = apart([ends[case] for case in order], LABEL_GAP * axes.get_ylim()[1])
    for case, height in zip(order, heights, strict=True):
        axes.annotate(
            case,
            (1.0, ends[case]),
            xycoords=("axes fraction", "data"),
            xytext=(1.02, height),
            textcoords=("axes fraction", "data"),
            va="center",
            fontsize=11,
            color=PALETTE[cases.index(case) % len(PALETTE)],
            annotation_clip=False,
        )
