"""The report's figures, drawn at the size in which they are printed; as SVG, the same bytes from the same tables.

The words in a figure are labels only: its title, unit and source stand in the report's own text, where a screen reader
finds them.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis import verdict
from flowsim.analysis.beside import MEASURES, Contender
from flowsim.present.answer import LAST_YEAR
from flowsim.present.plots import COLOURS, EFFECTS, INK, OTHER, SCENARIOS, STYLE, draw_curve
from flowsim.present.report.blocks import LETTERS
from flowsim.present.texts import format_number, text
from flowsim.present.wording import case_name, percent, unknown_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH: Final = 6.69
"""Inches between the margins of the page."""
PRINTED: Final[Any] = {
    **STYLE,
    "font.size": 8,
    "axes.titlesize": 8,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "svg.fonttype": "path",
}
GRID: Final = "#dddddd"
LINES: Final = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (4, 1.2, 1, 1.2)), (0, (7, 2)))
"""So that lines can be told apart without colour."""
KEPT: Final = 8
"""Unknowns in the ranking."""


def svg(draw: Callable[[], Figure]) -> str:
    """A figure as SVG."""
    import matplotlib

    with matplotlib.rc_context(PRINTED):
        figure = draw()
        stream = io.BytesIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    return stream.getvalue().decode()


def empty_figure(height: float) -> Figure:
    """A figure as wide as the text; ``height`` in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(WIDTH, height), layout="constrained")


def _numbers(lang: str) -> Any:
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: signed(lang, value))


def signed(lang: str, value: float) -> str:
    """A whole number with a real minus sign."""
    shown = format_number(lang, abs(value))
    return shown if value >= 0.0 or shown == "0" else f"−{shown}"


def _quiet(axes: Axes, side: str = "y") -> None:
    axes.grid(axis=side, color=GRID, linewidth=0.5)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


# ---------------------------------------------------------------- a probability as dots


def dots(rows: Sequence[Mapping[str, Any]], lang: str) -> Figure:
    """A hundred dots per case: full up to the probability, half up to the end of its interval.

    Parameters
    ----------
    rows : of table ``summary``, in the order of the panels.
    """
    figure = empty_figure(2.15)
    panels = figure.subplots(1, max(4, len(rows)), squeeze=False)[0]
    for axes, row in zip(panels, rows, strict=False):
        colour = COLOURS.get(row["case"], OTHER)
        full, half = round(100 * row["cleared"]), round(100 * row["cleared_high"])
        places = [(number % 10, 9 - number // 10) for number in range(100)]
        style: dict[str, Any] = {"linestyle": "none", "marker": "o", "markersize": 5.6}
        edged = {**style, "color": colour, "markeredgecolor": colour, "markeredgewidth": 0.8}
        axes.plot(*_columns(places[:full]), **edged)
        axes.plot(*_columns(places[full:half]), fillstyle="bottom", markerfacecoloralt="white", **edged)
        axes.plot(*_columns(places[half:]), color="white", markeredgecolor="#a0a0a0", markeredgewidth=0.6, **style)
        axes.set_title(case_name(lang, row["case"]), loc="left", fontsize=9, fontweight="bold", color=INK, pad=24)
        chance = percent(lang, row["cleared"])
        axes.annotate(
            chance, (-0.45, 9.9), fontsize=15, fontweight="bold", color=colour, va="bottom", annotation_clip=False
        )
        axes.set_xlim(-0.6, 9.6)
        axes.set_ylim(-0.6, 9.6)
        axes.set_aspect("equal", anchor="S")  # room for the words above
    for axes in panels:
        axes.set_axis_off()
    return figure


def _columns(places: Sequence[tuple[int, int]]) -> tuple[list[int], list[int]]:
    return [x for x, _ in places], [y for _, y in places]


# ---------------------------------------------------------------- waiting over time


def fans(tables: Mapping[str, pd.DataFrame], cases: Sequence[str], start: dt.date, share: float, lang: str) -> Figure:
    """People waiting and overdue by week, a column per case: median, half and 90% of the futures."""
    table = tables["fan"]
    figure = empty_figure(3.45)
    panels = figure.subplots(2, len(cases), sharex=True, sharey="row", squeeze=False)
    for column, case in enumerate(cases):
        for row, measure in enumerate(MEASURES):
            axes = panels[row, column]
            found = table[(table["case"] == case) & (table["measure"] == measure)].sort_values("day")
            colour = COLOURS.get(case, OTHER)
            when = _band(axes, found, start, colour)
            axes.plot(when, found["q50"], color=colour, linewidth=1.6)
            _calendar(axes, start)
            _quiet(axes)
            axes.yaxis.set_major_formatter(_numbers(lang))
            if measure == "overdue":
                limit = share * float(found["q50"].iloc[0])
                axes.axhline(limit, color=INK, linewidth=0.9, linestyle=(0, (4, 2)))
        panels[0, column].set_title(case_name(lang, case), loc="left", fontweight="bold", fontsize=9)
    limit = share * float(table[(table["case"] == cases[0]) & (table["measure"] == "overdue")]["q50"].iloc[0])
    for row, measure in enumerate(MEASURES):
        panels[row, 0].set_ylabel(text(lang, f"answer.plot.fan.{measure}"))
        panels[row, 0].set_ylim(bottom=0)
    words = text(lang, "answer.plot.fan.threshold", n=format_number(lang, limit))
    panels[1, 0].annotate(
        words, (0.03, limit), xycoords=("axes fraction", "data"), xytext=(0, 2), textcoords="offset points", fontsize=7
    )
    return figure


def _band(axes: Axes, found: pd.DataFrame, start: dt.date, colour: str, alone: bool = True) -> list[dt.date]:
    when = [start + dt.timedelta(days=float(day)) for day in found["day"]]
    axes.fill_between(when, found["q05"], found["q95"], color=colour, alpha=0.18 if alone else 0.11, linewidth=0)  # type: ignore[arg-type]
    if alone:
        axes.fill_between(when, found["q25"], found["q75"], color=colour, alpha=0.4, linewidth=0)  # type: ignore[arg-type]
    return when


def _calendar(axes: Axes, start: dt.date) -> None:
    """Two figures of a year under the middle of that year, up to the last year."""
    from matplotlib.dates import date2num
    from matplotlib.ticker import FixedFormatter, FixedLocator

    years = range(start.year, LAST_YEAR + 1)
    edges = [float(date2num(dt.date(year, 1, 1))) for year in (*years, LAST_YEAR + 1)]  # type: ignore[no-untyped-call]
    middles = [float(date2num(dt.date(year, 7, 1))) for year in years]  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(FixedLocator(edges))
    axes.xaxis.set_major_formatter(FixedFormatter([""] * len(edges)))
    axes.xaxis.set_minor_locator(FixedLocator(middles))
    axes.xaxis.set_minor_formatter(FixedFormatter([f"’{year % 100}" for year in years]))
    axes.tick_params(axis="x", which="minor", length=0, pad=3, labelsize=7.5)
    axes.set_xlim(edges[0], edges[-1])


# ---------------------------------------------------------------- contenders on one axis


def looks(contenders: Sequence[Contender], scenarios: bool) -> list[tuple[str, Any]]:
    """Colour and dash of each: scenarios have those of their letter, as in the app; cases have their own colour."""
    made: list[tuple[str, Any]] = []
    for number, one in enumerate(contenders):
        if scenarios and len(one.name) == 1:
            letter = LETTERS.index(one.name)
            made.append((SCENARIOS[letter % len(SCENARIOS)], LINES[letter % len(SCENARIOS)]))
        else:
            line = LINES[-1] if scenarios else LINES[number % len(LINES)]
            made.append((COLOURS.get(one.case, OTHER), line))
    return made


def together(
    contenders: Sequence[Contender], labels: Sequence[str], looks: Sequence[tuple[str, Any]], start: dt.date, lang: str
) -> Figure:
    """Contenders on the same axes, waiting and overdue: medians with their names at the end, 90% of the futures."""
    figure = empty_figure(2.55)
    panels = figure.subplots(1, 2)
    for axes, measure in zip(panels, MEASURES, strict=True):
        ends = []
        for one, (colour, line) in zip(contenders, looks, strict=True):
            found = one.fan[one.fan["measure"] == measure].sort_values("day")
            found = found[found["day"] <= (dt.date(LAST_YEAR, 12, 31) - start).days]
            when = _band(axes, found, start, colour, alone=False)
            axes.plot(when, found["q50"], color=colour, linewidth=1.6, linestyle=line)
            ends.append(float(found["q50"].iloc[-1]))
        _calendar(axes, start)
        _quiet(axes)
        axes.yaxis.set_major_formatter(_numbers(lang))
        axes.set_ylim(bottom=0)
        axes.set_title(text(lang, f"answer.plot.fan.{measure}"), loc="left", fontweight="bold")
        _names(axes, ends, labels, [colour for colour, _ in looks])
    return figure


def _names(axes: Axes, ends: Sequence[float], labels: Sequence[str], colours: Sequence[str]) -> None:
    """A name at the end of each line, moved apart where they would touch."""
    top = axes.get_ylim()[1]
    order = sorted(range(len(ends)), key=lambda i: ends[i])
    height, last = 0.0, -1.0
    for i in order:
        height = max(ends[i], last + 0.085 * top)
        last = height
        axes.annotate(
            labels[i],
            (1.0, ends[i]),
            xycoords=("axes fraction", "data"),
            xytext=(1.05, height),
            textcoords=("axes fraction", "data"),
            va="center",
            fontsize=7.5,
            fontweight="bold",
            color=INK,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colours[i], "linewidth": 1.2, "shrinkA": 1, "shrinkB": 0}
            | {"relpos": (0.0, 0.5)},  # to the side of the name: a line to its middle runs through the name below
        )


# ---------------------------------------------------------------- euros


def euros(table: pd.DataFrame, printed: Mapping[str, Mapping[int, float]], colour: str, lang: str) -> Figure:
    """The yearly result under both boundaries: bars with the 95% interval of the mean; diamonds: as the plan prints.

    Parameters
    ----------
    table : table ``euros`` of one case. printed : line -> year -> euros of the plan's own table.
    """
    figure = empty_figure(2.35)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, line in zip(panels, ("net_effect", "net_of_social_domain"), strict=True):
        found = table[table["line"] == line].sort_values("year")
        years, mean = found["year"].to_numpy(), found["mean"].to_numpy() / 1000.0
        reach = [mean - found["mean_low"].to_numpy() / 1000.0, found["mean_high"].to_numpy() / 1000.0 - mean]
        axes.bar(years, mean, width=0.62, color=colour, alpha=0.85)
        axes.errorbar(years, mean, yerr=reach, fmt="none", color=INK, linewidth=0.9, capsize=2.5)
        shown = printed[line]
        axes.plot(
            list(shown),
            [value / 1000.0 for value in shown.values()],
            "D",
            color="white",
            markersize=4.5,
            markeredgecolor=INK,
        )
        for year, value in zip(years, mean, strict=True):  # above bar, diamond and axis
            axes.annotate(
                signed(lang, value),
                (year, max(value, shown.get(int(year), 0.0) / 1000.0, 0.0)),
                xytext=(0, 4),
                textcoords="offset points",
                ha="center",
                fontsize=7.5,
            )
        if shown:
            latest = max(shown)
            axes.annotate(
                text(lang, "report.plot.euros.plan"),
                (latest, shown[latest] / 1000.0),
                xytext=(6, 0),
                textcoords="offset points",
                va="center",
                fontsize=7.5,
            )
        axes.axhline(0.0, color=INK, linewidth=0.8)
        axes.set_xticks(years, [str(year) for year in years])
        axes.tick_params(axis="x", length=0)
        axes.margins(y=0.18)
        _quiet(axes)
        axes.yaxis.set_major_formatter(_numbers(lang))
        axes.set_title(text(lang, f"report.plot.euros.{line}"), loc="left", fontweight="bold")
    panels[0].set_ylabel(text(lang, "report.plot.euros.y"))
    return figure


# ---------------------------------------------------------------- what it hangs on


def ranking(table: pd.DataFrame, cases: Sequence[str], lang: str) -> Figure:
    """Rank correlation of the strongest unknowns with the number overdue at the end; a panel per case."""
    order = list(table[table["case"] == cases[0]]["unknown"])[:KEPT]
    figure = empty_figure(0.75 + 0.235 * len(order))
    panels = figure.subplots(1, len(cases), sharey=True, squeeze=False)[0]
    for axes, case in zip(panels, cases, strict=True):
        found = table[table["case"] == case].set_index("unknown").loc[order]
        for place, row in enumerate(found.to_dict("records")):
            r, low, high = (float(row[name]) for name in ("correlation", "correlation_low", "correlation_high"))
            unclear = verdict.strength(r, low, high) == "unclear"
            colour = "#bbbbbb" if unclear else EFFECTS["more" if r > 0.0 else "fewer"]
            axes.barh(place, r, height=0.6, color=colour, hatch="" if unclear or r < 0.0 else "////", edgecolor="white")
            axes.errorbar(r, place, xerr=[[r - low], [high - r]], color=INK, linewidth=0.9, capsize=2)
        axes.axvline(0.0, color=INK, linewidth=0.8)
        axes.set_xlim(-1.0, 1.0)
        axes.set_xticks([-1.0, -0.5, 0.0, 0.5, 1.0], [format_number(lang, x, 1) for x in (-1.0, -0.5, 0.0, 0.5, 1.0)])
        _quiet(axes, "x")
        axes.tick_params(axis="y", length=0)
        axes.set_title(case_name(lang, case), loc="left", fontweight="bold")
        for end, side in ((0.0, "fewer"), (1.0, "more")):
            axes.annotate(
                text(lang, f"report.plot.ranking.{side}"),
                (end, 0.0),
                xycoords="axes fraction",
                xytext=(0, -17),
                textcoords="offset points",
                ha="left" if end == 0.0 else "right",
                va="top",
                fontsize=7.5,
                annotation_clip=False,
            )
    panels[0].set_yticks(range(len(order)), [unknown_name(lang, key) for key in order])
    panels[0].set_ylim(len(order) - 0.4, -0.6)
    return figure


def curve(table: pd.DataFrame, plan: float, lang: str) -> Figure:
    """Probability of clearing by diverted share, with intervals; ``plan``: the share that the plan promises."""
    figure = empty_figure(1.95)
    axes = figure.subplots()
    draw_curve(axes, table, plan, lang, size=0.72)
    axes.set_yticks([0.0, 0.25, 0.5, 0.75, 1.0])
    axes.set_xlabel(text(lang, "answer.plot.curve.x"))
    axes.set_ylabel(text(lang, "report.plot.curve.y"))
    return figure
