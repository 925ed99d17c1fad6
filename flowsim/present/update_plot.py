"""The list without and with the counts, and the counts themselves, on one axis for each measure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from flowsim.analysis.monitoring import Quarter
from flowsim.plan.years import YEARS
from flowsim.present.plots import FAINT, FORECASTS, INK, MEASURES, STYLE, note_above, put_title, years_below
from flowsim.present.texts import text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

LINES: Final = {"old": "--", "new": "-"}


def forecast_plot(tables: Mapping[str, pd.DataFrame], start: dt.date, lang: str, made_up: bool) -> dict[str, Figure]:
    """``forecast``: people waiting and overdue by week, median and 90% of the futures, and what was counted.

    Parameters
    ----------
    tables : ``fan`` and ``counts`` of an update. start : day zero. made_up : the plot says so.
    """
    import matplotlib
    from matplotlib.figure import Figure

    fan, counts = tables["fan"], tables["counts"]
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(10.5, 8.5), layout="constrained")
        panels = figure.subplots(len(MEASURES), 1, sharex=True)
        for axes, measure in zip(panels, MEASURES, strict=True):
            for when, colour in FORECASTS.items():
                found = fan[(fan["measure"] == measure) & (fan["forecast"] == when)].sort_values("day")
                dates = [start + dt.timedelta(days=float(day)) for day in found["day"]]
                axes.fill_between(dates, found["q05"], found["q95"], color=colour, alpha=0.2, linewidth=0)
                label = text(lang, f"update.plot.{when}")
                axes.plot(dates, found["q50"], color=colour, linewidth=2.2, linestyle=LINES[when], label=label)
            mine = counts[counts["quantity"] == measure]
            if len(mine):
                days = [Quarter.of(label).ends for label in mine["quarter"]]
                label = text(lang, "update.plot.counted")
                axes.plot(days, mine["counted"], "o", color=INK, markersize=6, linestyle="none", label=label)
            axes.axvline(dt.date(YEARS[-1] + 1, 1, 1), color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
            axes.set_ylabel(text(lang, f"answer.plot.fan.{measure}"), fontsize=12)
            axes.grid(axis="y", color="#dddddd", linewidth=0.7)
            axes.set_axisbelow(True)
            axes.margins(x=0)
            axes.set_ylim(bottom=0)
            axes.legend(loc="lower left", frameon=False, ncols=3)
            years_below(axes, lang, start)
        panels[-1].set_xlabel(text(lang, "update.plot.bands"), labelpad=16)
        put_title(figure, text(lang, "update.plot.title"))
        if made_up:
            note_above(panels[0], text(lang, "update.plot.made_up"), INK, side="right", size=13)
    return {"forecast": figure}
