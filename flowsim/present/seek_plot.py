"""Figures of goal seeking: the outcome along a lever, the frontier of two levers, the decision map."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.present.plots import COLOURS, FAINT, INK, OTHER, STYLE, put_title
from flowsim.present.seek import (
    error_words,
    factor_name,
    factor_words,
    goal_words,
    level_words,
    lever_name,
    measure_name,
    value_words,
)
from flowsim.present.texts import text
from flowsim.present.wording import case_name, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from flowsim.study.decision_map import DecisionMap, Factor
    from flowsim.study.seek import Seek, Sought

LINES: Final = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Probabilities that have a contour."""
MET: Final = "#0072B2"
MISSED: Final = "#D55E00"


def figures(found: Seek, lang: str) -> dict[str, Figure]:
    """``lever``: the outcome along the lever, a panel per reading; with two levers ``frontier``."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        if len(found.levers) > 1:
            return {"frontier": _frontier(found, lang)}
        return {"lever": _along(found, lang)}


def maps(found: DecisionMap, lang: str) -> dict[str, Figure]:
    """``map_<unknown>``: a figure per map."""
    import matplotlib

    with matplotlib.rc_context(STYLE):
        return {f"map_{one.name.rpartition('.')[2]}": _map(found, one, lang) for one in found.factors}


def _heading(figure: Figure, question: str, goal: str) -> None:
    put_title(figure, f"{question} {goal[0].upper()}{goal[1:]}.")


def _below(figure: Figure, *notes: str) -> None:
    width = int(11.5 * figure.get_figwidth())
    words = "\n".join(textwrap.fill(note, width) for note in notes)
    figure.supxlabel(words, x=0.01, ha="left", fontsize=10, color=FAINT)


def _along(found: Seek, lang: str) -> Figure:
    from matplotlib.figure import Figure

    count = len(found.sought)
    figure = Figure(figsize=(9.0 if count == 1 else 5.0 * count, 6.2), layout="constrained")
    panels = figure.subplots(1, count, sharey=True, squeeze=False)[0]
    table = found.tables["points"]
    for axes, one in zip(panels, found.sought, strict=True):
        colour = COLOURS.get(one.case, OTHER)
        mine = table[table["case"] == one.case].sort_values("level") if len(table) else table
        _points(axes, one, mine, found, colour, lang)
        if count > 1:
            axes.set_title(case_name(lang, one.case), loc="left", color=colour, fontweight="bold")
        axes.set_xlabel(
            "\n".join(textwrap.wrap(lever_name(found.levers[0], found.scenario, lang), 60 if count == 1 else 36))
        )
    goal = found.goal
    name = text(lang, "seek.short.probability") if goal.probability else measure_name(goal.measure or "", lang)
    panels[0].set_ylabel(name)
    _below(figure, text(lang, "seek.plot.pilot"))
    _heading(figure, text(lang, "seek.plot.title"), goal_words(goal, lang))
    return figure


def _points(axes: Axes, one: Sought, table: Any, found: Seek, colour: str, lang: str) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    lever, goal, root = one.bench.lever, found.goal, one.root
    axes.axhline(goal.value, color=INK, linewidth=1.2, linestyle=(0, (5, 2)))
    axes.annotate(
        text(lang, "seek.plot.target", value=value_words(goal, goal.value, lang)),
        (0.0 if one.rising == goal.at_least else 1.0, goal.value),
        xycoords=("axes fraction", "data"),
        xytext=(5 if one.rising == goal.at_least else -5, 5),
        textcoords="offset points",
        ha="left" if one.rising == goal.at_least else "right",
    )
    low, high = one.interval
    if root is not None and (low is not None or high is not None):
        ends = lever.low if low is None else low, lever.high if high is None else high
        axes.axvspan(*ends, color=colour, alpha=0.12, linewidth=0)
    whole = 0 if root is None else root.n
    for row in table.to_dict("records"):
        dark = row["futures"] >= whole
        reach = [[max(0.0, row["value"] - row["low"])], [max(0.0, row["high"] - row["value"])]]
        axes.errorbar(
            row["level"],
            row["value"],
            yerr=reach,
            color=colour,
            marker="o",
            markersize=6,
            capsize=3,
            linewidth=1.6,
            alpha=1.0 if dark else 0.35,
        )
    if root is not None and root.at is not None:
        level = one.level(root.at) or 0.0
        axes.axvline(level, color=colour, linewidth=1.6)
        right = level > lever.low + 0.7 * (lever.high - lever.low)
        axes.annotate(
            level_words(lever, level, found.scenario, lang),
            (level, 0.02),
            xycoords=("data", "axes fraction"),
            xytext=(-6 if right else 6, 4),
            textcoords="offset points",
            ha="right" if right else "left",
            color=colour,
            fontweight="bold",
            fontsize=12,
        )
    axes.set_xlim(lever.low - 0.02 * (lever.high - lever.low), lever.high + 0.02 * (lever.high - lever.low))
    axes.xaxis.set_major_locator(MaxNLocator(6 if found.levers[0].shown != "months" else 4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: _tick(lever, x, found, lang)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: value_words(goal, y, lang)))
    if goal.probability:
        axes.set_ylim(-0.03, 1.03)
    else:
        axes.set_ylim(bottom=min(0.0, axes.get_ylim()[0]))
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)


def _tick(lever: Any, level: float, found: Seek | DecisionMap, lang: str) -> str:
    if lever.shown == "months" and (level < 0 or level != round(level)):
        return ""
    return _short(level_words(lever, round(level, 9), found.scenario, lang))


def _short(words: str) -> str:
    """Per cents without zeros after the point; in other numbers a point may be one of thousands."""
    return re.sub(r"([.,]\d*?)0+(?=%$)", lambda found: "" if len(found[1]) == 1 else found[1], words)


def _halo() -> Any:
    """White around letters, so that they can be read on lines."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=3, foreground="white")]


def _frontier(found: Seek, lang: str) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    first, second = found.levers
    figure = Figure(figsize=(9.0, 6.6), layout="constrained")
    axes = figure.subplots()
    top, bottom = first.high, first.low
    reached: list[tuple[float, float]] = []
    for one in found.sought:
        x = float(one.second or 0.0)
        low, high = one.interval
        if one.root is None:
            continue
        ends = (bottom if low is None else low, top if high is None else high)
        if one.root.at is None:
            axes.plot(
                [x], [top if one.rising else bottom], marker="x", markersize=11, markeredgewidth=2.5, color=MISSED
            )
            continue
        level = one.level(one.root.at) or 0.0
        reached.append((x, level))
        axes.plot([x, x], ends, color=INK, linewidth=1.6)
        for end, place, marker in ((low, bottom, "v"), (high, top, "^")):
            if end is None and place != level:
                axes.plot([x], [place], marker=marker, markersize=8, color=INK)
        axes.plot([x], [level], marker="o", markersize=8, color=INK)
    if len(reached) > 1:
        across, up = (np.array(values) for values in zip(*reached, strict=True))
        more = found.sought[0].rising
        axes.plot(across, up, color=INK, linewidth=2)
        for edge, met in ((top, more), (bottom, not more)):
            axes.fill_between(across, up, edge, color=MET if met else MISSED, alpha=0.12, linewidth=0)
        middle = float(across[0] + across[-1]) / 2.0
        here = float(np.interp(middle, across, up))
        for edge, met in ((top, more), (bottom, not more)):
            place = here + 0.6 * (edge - here)
            if abs(edge - here) > 0.1 * (top - bottom):
                word = text(lang, "seek.plot.frontier_met" if met else "seek.plot.frontier_missed")
                axes.annotate(
                    word, (middle, place), ha="center", va="center", color=MET if met else MISSED, fontsize=13
                )
    upward = len(reached) < 2 or reached[-1][1] >= reached[0][1]  # names stand on the side that the line leaves free
    for x, level in reached:
        label = axes.annotate(
            level_words(first, level, found.scenario, lang),
            (x, level),
            xytext=(-8 if upward else 8, 5),
            textcoords="offset points",
            ha="right" if upward else "left",
            fontweight="bold",
        )
        label.set_path_effects(_halo())
    margin = 0.11 * (second.high - second.low)
    axes.set_xlim(second.low - margin, second.high + margin)
    axes.set_ylim(bottom - 0.04 * (top - bottom), top + 0.06 * (top - bottom))
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_locator(MaxNLocator(7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _tick(second, v, found, lang)))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda v, _: _tick(first, v, found, lang)))
    axes.set_xlabel(lever_name(second, found.scenario, lang))
    axes.set_ylabel(textwrap.fill(lever_name(first, found.scenario, lang), 50))
    _below(figure, text(lang, "seek.plot.frontier_note"))
    _heading(figure, text(lang, "seek.plot.frontier_title"), goal_words(found.goal, lang))
    return figure


def _map(found: DecisionMap, factor: Factor, lang: str) -> Figure:
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    from flowsim.study.decision_map import EACH, GRID

    lever, goal = found.lever, found.goal
    figure = Figure(figsize=(9.6, 7.4), layout="constrained")
    axes = figure.subplots()
    x, y = np.linspace(lever.low, lever.high, 2 * GRID), np.linspace(factor.low, factor.high, 2 * GRID)
    at = np.array([(a, b) for b in y for a in x])
    p = found.predicted(factor, at)[0].reshape(len(y), len(x))
    axes.contourf(x, y, p, levels=np.linspace(0.0, 1.0, 21), cmap="RdYlBu", alpha=0.75)
    lines = sorted({*LINES, goal.value})
    drawn = axes.contour(
        x, y, p, levels=lines, colors=INK, linewidths=[2.8 if line == goal.value else 1.0 for line in lines]
    )
    labels = axes.clabel(drawn, fmt=lambda value: percent(lang, float(value)), fontsize=11)
    halo = _halo()
    for label in labels:
        label.set_path_effects(halo)
    for a, b, met in found.checks.get(factor.name, ()):
        axes.plot([a], [b], marker="o", markersize=7, color="white", markeredgecolor=INK, clip_on=False, zorder=5)
        right = a > lever.low + 0.93 * (lever.high - lever.low)
        label = axes.annotate(
            percent(lang, met / EACH),
            (a, b),
            xytext=(-7 if right else 7, 0),
            textcoords="offset points",
            ha="right" if right else "left",
            va="center",
            fontsize=10,
            color="#3b3b3b",
            fontstyle="italic",
            zorder=6,
        )
        label.set_path_effects(halo)
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.yaxis.set_major_locator(MaxNLocator(7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda v, _: _tick(lever, v, found, lang)))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda v, _: _short(factor_words(factor, round(v, 9), found.scenario, lang)))
    )
    axes.set_xlabel(lever_name(lever, found.scenario, lang))
    axes.set_ylabel(factor_name(factor, lang))
    _below(
        figure,
        text(lang, "seek.plot.map_note", each=EACH),
        error_words(found, factor, lang, "seek.plot.map_error"),
    )
    _heading(figure, text(lang, "seek.plot.map_title"), goal_words(goal, lang))
    return figure
