"""Plots of a calibration: unknowns before and after, targets, and pairs that the data cannot tell apart."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.present.calibrate import narrower, shown_name
from flowsim.present.plots import COLOURS, FAINT, INK, STYLE, put_title
from flowsim.present.texts import format_number, text
from flowsim.present.wording import percent, unknown_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from flowsim.study.posterior import Calibrated

BEFORE: Final = "#8c8c8c"
AFTER: Final = COLOURS["headcount"]
BINS: Final = 24
PAIRS: Final = 4


def plots(found: Calibrated, tables: Mapping[str, pd.DataFrame], lang: str) -> dict[str, Figure]:
    """Every figure by name: ``unknowns``, ``targets`` and, when there are such, ``pairs``."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        made = {"unknowns": marginals(found, tables, lang), "targets": fit(tables["targets"], lang)}
        if tables["pairs"]["together"].any():
            made["pairs"] = together(found, tables["pairs"], lang)
        return made


def marginals(found: Calibrated, tables: Mapping[str, pd.DataFrame], lang: str) -> Figure:
    """A panel per unknown: weighted histograms of prior and posterior."""
    from matplotlib.figure import Figure

    rows = tables["unknowns"].to_dict("records")
    values = found.library.values
    columns = 4
    figure = Figure(figsize=(13.0, 2.35 * math.ceil(len(rows) / columns) + 1.0), layout="constrained")
    panels = figure.subplots(math.ceil(len(rows) / columns), columns, squeeze=False).ravel()
    for j, (axes, row) in enumerate(zip(panels, rows, strict=False)):
        low, _, high = found.library.prior.shapes[row["unknown"]]
        edges = np.linspace(low, high, BINS + 1)
        for weights, colour, filled in ((found.prior_weights, BEFORE, True), (found.weights, AFTER, False)):
            height, _ = np.histogram(values[:, j], edges, weights=weights, density=True)
            axes.stairs(height, edges, color=colour, fill=filled, alpha=0.35 if filled else 1.0, linewidth=2.0)
        name = textwrap.fill(unknown_name(lang, row["unknown"]), 34)
        axes.set_title(name, fontsize=10, loc="left")
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.set_xlim(low, high)
        _ticks(axes, lang, found.library.scenario.book.figure(row["unknown"]).unit, low, high)
        if narrower(row):
            share = text(lang, "calibrate.plot.unknowns.learnt", share=percent(lang, row["contraction"]))
            axes.annotate(share, (0.98, 0.95), xycoords="axes fraction", ha="right", va="top", fontsize=9, color=AFTER)
    for axes in panels[len(rows) :]:
        axes.set_axis_off()
    _legend(figure, lang, "unknowns")
    put_title(figure, text(lang, "calibrate.plot.unknowns.title"))
    return figure


def _ticks(axes: Axes, lang: str, unit: str, low: float, high: float) -> None:
    places = [low, 0.5 * (low + high), high]
    factor, sign = (100.0, "%") if unit.startswith("fraction") else (1.0, "")
    size = factor * (high - low)
    decimals = 0 if size >= 10 else 1 if size >= 2 else 2
    axes.set_xticks(places, [format_number(lang, factor * x, decimals) + sign for x in places], fontsize=9)
    first, *_, last = axes.get_xticklabels()
    first.set_horizontalalignment("left")
    last.set_horizontalalignment("right")


def _legend(figure: Figure, lang: str, plot: str) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Patch(color=BEFORE, alpha=0.35, label=text(lang, f"calibrate.plot.{plot}.before")),
        Line2D([], [], color=AFTER, linewidth=2.0, label=text(lang, f"calibrate.plot.{plot}.after")),
    ]
    figure.legend(handles=handles, loc="outside lower right", ncols=2, frameon=False, fontsize=11)


def fit(targets: pd.DataFrame, lang: str) -> Figure:
    """Simulated years by prior and posterior, as distances from what was observed in its standard deviations."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    rows = targets.to_dict("records")
    figure = Figure(figsize=(11.5, 0.42 * len(rows) + 2.2), layout=ConstrainedLayoutEngine(w_pad=0.15))
    axes = figure.subplots()
    for place, row in enumerate(reversed(rows)):
        deviation = math.hypot(row["error"], row["discrepancy"])
        for name, colour, shift, width in (("prior", BEFORE, 0.16, 5.0), ("posterior", AFTER, -0.16, 3.0)):
            low, middle, high = ((row[f"{name}_{x}"] - row["observed"]) / deviation for x in ("q05", "q50", "q95"))
            axes.plot([low, high], [place + shift] * 2, color=colour, linewidth=width, alpha=0.8, solid_capstyle="butt")
            axes.plot(middle, place + shift, "o", color=colour, markersize=6, markeredgecolor="white")
        if row["at_least"]:
            axes.annotate(
                "→ " + text(lang, "calibrate.plot.targets.bound"),
                (0.0, place),
                xytext=(3, -16),
                textcoords="offset points",
                fontsize=9,
                color=FAINT,
            )
    axes.axvline(0.0, color=INK, linewidth=1.2)
    for end in (-3.0, 3.0):
        axes.axvline(end, color=FAINT, linewidth=1, linestyle=(0, (3, 3)))
    reach = max(3.4, *(abs(x) * 1.05 for x in axes.get_xlim()))
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-0.7, len(rows) - 0.3)
    axes.set_yticks(range(len(rows)), [shown_name(lang, row) for row in reversed(rows)])
    axes.tick_params(axis="y", length=0)
    ticks = [x for x in range(-12, 13, 1 if reach < 5 else 2) if abs(x) <= reach]
    axes.set_xticks(ticks, [format_number(lang, x) for x in ticks])
    axes.grid(axis="y", color="#eeeeee", linewidth=0.8)
    axes.set_axisbelow(True)
    shown = f"*: {text(lang, 'calibrate.plot.targets.shown')}"
    axes.set_xlabel(f"{text(lang, 'calibrate.plot.targets.x')}   ({shown})")
    _legend(figure, lang, "targets")
    put_title(figure, text(lang, "calibrate.plot.targets.title"))
    return figure


def together(found: Calibrated, pairs: pd.DataFrame, lang: str) -> Figure:
    """The strongest pairs: points of the posterior."""
    from matplotlib.figure import Figure

    rows = pairs[pairs["together"]].head(PAIRS).to_dict("records")
    posterior = found.posterior()
    figure = Figure(figsize=(5.2 * len(rows) + 1.6, 5.6), layout="constrained")
    panels = figure.subplots(1, len(rows), squeeze=False)[0]
    for axes, row in zip(panels, rows, strict=True):
        for which, put in (("unknown", axes.set_xlabel), ("other", axes.set_ylabel)):
            put(textwrap.fill(unknown_name(lang, row[which]), 40))
        x, y = (posterior.points[:, posterior.names.index(row[which])] for which in ("unknown", "other"))
        axes.plot(x, y, ".", color=AFTER, markersize=4, alpha=0.35)
        for which, axis in (("unknown", axes.xaxis), ("other", axes.yaxis)):
            unit = found.library.scenario.book.figure(row[which]).unit
            axis.set_major_formatter(_formatter(lang, unit))
        r = format_number(lang, row["correlation"], 2)
        axes.set_title(text(lang, "calibrate.plot.pairs.correlation", r=r), loc="left")
    put_title(figure, text(lang, "calibrate.plot.pairs.title"))
    return figure


def _formatter(lang: str, unit: str) -> Any:
    from matplotlib.ticker import FuncFormatter

    share = unit.startswith("fraction")

    def shown(x: float, _: Any) -> str:
        value = 100.0 * x if share else x
        decimals = 0 if abs(value - round(value)) < 1e-9 else 1
        return format_number(lang, value, decimals) + ("%" if share else "")

    return FuncFormatter(shown)
