"""Pictures of a sensitivity study: what numbers are worth, what outcomes hang on, options by the value of a week,
regions that were tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.present.plots import COLOURS, FAINT, INK, OTHER, STYLE, put_title
from flowsim.present.sensitivity import USELESS, Page
from flowsim.present.texts import format_number
from flowsim.scenario.options import CONTINUE, EXTEND, OPTIONS, STOP

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from flowsim.study.sensitivity import Sensitivity

OF_OPTIONS: Final = {CONTINUE: COLOURS["headcount"], EXTEND: COLOURS["capacity"], STOP: COLOURS["none"]}
THOUSAND: Final = 1e3
MILLION: Final = 1e6
SHOWN: Final = 8
"""Unknowns that are drawn."""


def sensitivity_plots(study: Sensitivity, tables: Mapping[str, pd.DataFrame], lang: str) -> dict[str, Figure]:
    """``information``, ``options`` and, where they were run or found, ``sobol`` and ``boxes``."""
    import matplotlib

    page = Page(study, tables, lang)
    with matplotlib.rc_context(STYLE):
        made = {"information": information(page), "options": options(page)}
        if "sobol" in tables and len(tables["surface"]) and (tables["surface"]["held_out"] >= USELESS).any():
            made["sobol"] = sobol(page)
        if "boxes" in tables:
            made["boxes"] = boxes(page)
    return made


def information(page: Page) -> Figure:
    """Bars of EVPPI and EVSI per unknown, with intervals."""
    from matplotlib.figure import Figure

    rows = page.of("information", week=page.week)[:SHOWN]
    figure = Figure(figsize=(10.0, 1.9 + 0.55 * len(rows)), layout=_layout())
    axes = figure.subplots()
    kinds = (("evppi", COLOURS["headcount"], "exact", -0.19), ("evsi", OTHER, "quarter", 0.19))
    for name, colour, label, shift in kinds:
        places = np.arange(len(rows)) + shift
        values, low, high = (np.array([row[name + end] for row in rows]) / THOUSAND for end in ("", "_low", "_high"))
        axes.barh(places, values, height=0.36, color=colour, label=page.t(f"plot.{label}"))
        reach = np.nan_to_num(np.stack([values - low, high - values]))
        axes.errorbar(np.nan_to_num(values), places, xerr=reach, fmt="none", ecolor=INK, elinewidth=1.2, capsize=2.5)
    axes.set_yticks(range(len(rows)), [page.name(row["unknown"]) for row in rows])
    axes.set_ylim(len(rows) - 0.45, -0.55)
    axes.set_xlim(left=0.0)
    week = page.euros(rows[0]["euros_per_week"])
    axes.set_xlabel(_wrapped(page.t("plot.information_x", week=week), 62))
    _numbers(axes.xaxis, page.lang)
    axes.legend(loc="lower right", frameon=False)
    _grid(axes, "x")
    put_title(figure, page.t("plot.information"))
    return figure


def sobol(page: Page) -> Figure:
    """Total indices of the mean over chance, a panel per outcome; the order is that of the first."""
    from matplotlib.figure import Figure

    fits = page.tables["surface"]
    outcomes = list(fits[fits["held_out"] >= USELESS]["outcome"])
    found = {
        outcome: {row["input"]: row for row in page.of("sobol", outcome=outcome, method="surface")}
        for outcome in outcomes
    }
    weight = {key: max(found[outcome][key]["total"] for outcome in outcomes) for key in found[outcomes[0]]}
    order = sorted(weight, key=lambda key: -weight[key])[:SHOWN]
    figure = Figure(figsize=(4.2 + 3.6 * len(outcomes), 2.2 + 0.4 * len(order)), layout=_layout())
    panels = figure.subplots(1, len(outcomes), sharey=True, squeeze=False)[0]
    for axes, outcome in zip(panels, outcomes, strict=True):
        rows = [found[outcome][key] for key in order]
        values, low, high = (np.array([row[f"total{end}"] for row in rows]) for end in ("", "_low", "_high"))
        axes.barh(range(len(order)), values, height=0.6, color=COLOURS["net"])
        reach = [values - low, high - values]
        axes.errorbar(values, range(len(order)), xerr=reach, fmt="none", ecolor=INK, elinewidth=1.2, capsize=2.5)
        axes.set_xlim(0.0, 1.0)
        axes.set_xticks([0.0, 0.5, 1.0], [format_number(page.lang, x, 1) for x in (0.0, 0.5, 1.0)])
        _grid(axes, "x")
        words = page.t(f"outcome.{outcome}")
        axes.set_title(_wrapped(words, 28), loc="left", fontsize=12, fontweight="bold")
    panels[0].set_yticks(range(len(order)), [page.name(key) for key in order])
    panels[0].set_ylim(len(order) - 0.4, -0.6)
    figure.supxlabel(page.t("plot.sobol_x"), fontsize=11)
    put_title(figure, page.t("plot.sobol"))
    return figure


def options(page: Page) -> Figure:
    """Net benefit of every option against stopping, by the value of a week, with 90% of the futures."""
    from matplotlib.figure import Figure

    value, low, high = page.study.week
    at = np.linspace(0.0 if low == high else low, max(high, 1.0), 60)
    futures = page.tables["futures"]
    figure = Figure(figsize=(9.0, 5.4), layout=_layout())
    axes = figure.subplots()
    for name in OPTIONS:
        mine = futures[futures["option"] == name]
        won, cost = mine["weeks_won"].to_numpy(), mine["euros"].to_numpy()
        benefit = (at[:, None] * won - cost) / MILLION
        axes.plot(at, benefit.mean(axis=1), color=OF_OPTIONS[name], linewidth=2.2)
        band = np.quantile(benefit, (0.05, 0.95), axis=1)
        axes.fill_between(at, *band, color=OF_OPTIONS[name], alpha=0.18, linewidth=0)
        axes.annotate(
            page.t(f"option.{name}"),
            (at[-1], benefit[-1].mean()),
            xytext=(6, 0),
            textcoords="offset points",
            va="center",
            color=OF_OPTIONS[name],
            fontsize=11,
            annotation_clip=False,
        )
    axes.axvline(value, color=FAINT, linewidth=1, linestyle=(0, (5, 2)))
    for turn in page.turns():
        axes.axvline(turn, color=FAINT, linewidth=1, linestyle=(0, (1, 2)))
    axes.margins(x=0)
    axes.set_xlabel(page.t("plot.options_x"))
    axes.set_ylabel(page.t("plot.options_y"))
    _numbers(axes.yaxis, page.lang)
    _grid(axes, "y")
    put_title(figure, page.t("plot.options"))
    return figure


def boxes(page: Page) -> Figure:
    """Coverage against density of every box that was tried, on the half it was found on and on the other half."""
    from matplotlib.figure import Figure

    table = page.tables["boxes"]
    names = list(dict.fromkeys(table["promise"]))
    figure = Figure(figsize=(5.8 * len(names) + 1.0, 5.4), layout=_layout())
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names, strict=True):
        mine = table[table["promise"] == name]
        for prefix, colour, label in (("", COLOURS["headcount"], "found"), ("held_out_", COLOURS["net"], "held_out")):
            axes.plot(
                mine[f"{prefix}coverage"],
                mine[f"{prefix}density"],
                color=colour,
                marker="o",
                markersize=5,
                linewidth=1,
                label=page.t(f"plot.{label}"),
            )
        chosen = mine[mine["chosen"]].iloc[0]
        for prefix in ("", "held_out_"):
            place = (chosen[f"{prefix}coverage"], chosen[f"{prefix}density"])
            axes.plot(*place, marker="o", markersize=13, fillstyle="none", color=INK)
        axes.annotate(
            page.t("plot.chosen"),
            (chosen["coverage"], chosen["density"]),
            xytext=(10, 10),
            textcoords="offset points",
        )
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.03)
        ticks = [0.0, 0.5, 1.0]
        axes.set_xticks(ticks, [format_number(page.lang, x, 1) for x in ticks])
        axes.set_yticks(ticks, [format_number(page.lang, x, 1) for x in ticks])
        axes.set_xlabel(page.t("plot.coverage"))
        axes.set_ylabel(page.t("plot.density"))
        axes.set_title(_wrapped(page.t(f"promise.{name}"), 50), loc="left", fontsize=12, fontweight="bold")
        axes.legend(loc="lower left", frameon=False)
        _grid(axes, "both")
    put_title(figure, page.t("plot.boxes"))
    return figure


def _layout() -> Any:
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return ConstrainedLayoutEngine(w_pad=0.15)


def _wrapped(words: str, width: int) -> str:
    import textwrap

    return textwrap.fill(words[:1].upper() + words[1:], width)


def _grid(axes: Any, which: str) -> None:
    axes.grid(axis=which, color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)


def _numbers(axis: Any, lang: str) -> None:
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(FuncFormatter(lambda x, _: format_number(lang, x)))
