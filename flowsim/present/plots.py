"""Tables -> figures: waiting over time, how much must be diverted, what it hangs on.

Matplotlib's objects only (`matplotlib.figure.Figure`): no window, no global state. Colours are those of Okabe and Ito
("Color Universal Design", 2008), which people with colour blindness can tell apart.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis import verdict
from flowsim.present.answer import LAST_YEAR
from flowsim.present.texts import format_number, text
from flowsim.present.wording import case_name, percent, unknown_name
from flowsim.scenario.region import load_region

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from flowsim.study.answer import Answer

COLOURS: Final = {
    "none": "#595959",
    "headcount": "#0072B2",
    "capacity": "#009E73",
    "net": "#D55E00",
    "diversion": "#CC79A7",
}
SCENARIOS: Final = (COLOURS["headcount"], COLOURS["net"], COLOURS["capacity"], COLOURS["diversion"])
"""Of scenarios A to D side by side, on the page and on paper."""
FORECASTS: Final = {"old": "#A08030", "new": "#7B5EA7"}
"""Of the forecasts without and with the counts of a quarter: no colour of a reading or of a scenario. Ochre and violet
are told apart by who does not see red or green; the one without is dashed as well."""
EFFECTS: Final = {"more": "#B0389B", "fewer": "#50730B"}
"""Of what makes more and what makes fewer people wait too long. Purple and moss stand for nothing else, nor for good
and bad; who does not see red or green tells them apart too, and from grey: not shown."""
OTHER: Final = "#56B4E9"
INK: Final = "#222222"
FAINT: Final = "#767676"
STYLE: Final[Any] = {  # matplotlib types its keys one by one
    "font.family": "DejaVu Sans",
    "font.size": 11,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "flowsim",
    "savefig.dpi": 150,
}
MEASURES: Final = ("waiting", "overdue")


def save_plots(
    folder: Path,
    answer: Answer,
    tables: Mapping[str, pd.DataFrame],
    lang: str,
    kinds: Sequence[str] = ("png", "svg"),
) -> list[Path]:
    """Write every plot that the tables allow, as files of these kinds; the same tables give the same bytes."""
    return save_figures(folder, plots(answer, tables, lang), kinds)


def save_figures(folder: Path, figures: Mapping[str, Figure], kinds: Sequence[str] = ("png", "svg")) -> list[Path]:
    """Write figures by name, as files of these kinds; the same figures give the same bytes."""
    made = []
    for name, content in drawn(figures, kinds).items():
        made.append(folder / name)
        made[-1].write_bytes(content)
    return made


def drawn(figures: Mapping[str, Figure], kinds: Sequence[str] = ("png", "svg")) -> dict[str, bytes]:
    """Figures by name as files of these kinds: content by the name of the file."""
    import matplotlib

    made = {}
    with matplotlib.rc_context(STYLE):
        for name, figure in figures.items():
            figure.draw_without_rendering()
            figure.set_layout_engine("none")  # laid out once: every file gets the same
            for kind in kinds:
                metadata = {"Date": None} if kind == "svg" else {"Software": "flowsim"}
                stream = io.BytesIO()
                figure.savefig(stream, format=kind, metadata=metadata, facecolor="white")
                made[f"{name}.{kind}"] = stream.getvalue()
    return made


def plots(
    answer: Answer, tables: Mapping[str, pd.DataFrame], lang: str, but: Collection[str] = ()
) -> dict[str, Figure]:
    """Every figure that the tables allow, by name: ``waiting``, ``unknowns`` and, with a curve, ``diversion``; ``but``:
    not these.

    Examples
    --------
    >>> import flowsim
    >>> answer = flowsim.answer(half_width=0.5, most=3, curve=False)
    >>> sorted(flowsim.plots(answer, answer.tables, "en"))
    ['unknowns', 'waiting']
    """
    import matplotlib

    scenario = answer.scenario
    with matplotlib.rc_context(STYLE):
        start = load_region(scenario.region).start
        made = {}
        if "waiting" not in but:
            made["waiting"] = fan(tables, start, scenario.book.value("assumptions.cleared_share"), lang)
        if len(tables["unknowns"]) and "unknowns" not in but:
            codes = verdict.verdicts(answer)
            made["unknowns"] = ranking(tables, list(dict.fromkeys((codes["leading"], codes["undecided"]))), lang)
        if "curve" in tables and "diversion" not in but:
            made["diversion"] = curve(tables["curve"], scenario.book.value("functions.diversion"), lang)
    return made


def put_title(figure: Figure, words: str) -> None:
    """The title, at the left above everything, in as many lines as the width asks for."""
    size, weight = 15, "bold"
    words = broken(words, 0.98 * figure.get_figwidth(), size, weight)
    figure.suptitle(words, x=0.01, ha="left", fontsize=size, fontweight=weight)


def broken(words: str, inches: float, size: float, weight: str = "normal") -> str:
    """Text in lines no wider than ``inches``, as measured in the font; a longer word is not broken."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=STYLE["font.family"], size=size, weight=weight)
    lines: list[str] = []
    for word in words.split():
        longer = f"{lines[-1]} {word}" if lines else word
        width, _, _ = text_to_path.get_text_width_height_descent(longer, font, False)
        if lines and width <= 72.0 * inches:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def years_below(axes: Axes, lang: str, start: dt.date) -> None:
    """A year under the middle of each year, ticks at their beginnings."""
    from matplotlib.dates import YearLocator, date2num
    from matplotlib.ticker import FixedFormatter, FixedLocator, FuncFormatter

    axes.xaxis.set_major_locator(YearLocator())  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: ""))
    years = range(start.year, LAST_YEAR + 1)
    middles = [float(date2num(dt.date(year, 7, 1))) for year in years]  # type: ignore[no-untyped-call]
    axes.xaxis.set_minor_locator(FixedLocator(middles))
    axes.xaxis.set_minor_formatter(FixedFormatter([str(year) for year in years]))
    axes.tick_params(axis="x", which="minor", length=0, pad=4, labelsize=10)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda y, _: format_number(lang, y)))


# ---------------------------------------------------------------- waiting over time


def fan(tables: Mapping[str, pd.DataFrame], start: dt.date, share: float, lang: str) -> Figure:
    """People waiting and overdue by week: a panel per case, median, half and 90% of the futures.

    Parameters
    ----------
    tables : ``fan`` and ``summary`` of `flowsim.analysis.answers`. start : day zero.
    share : of those overdue on the first day, up to which the lists count as cleared.
    """
    from matplotlib.figure import Figure

    table, summary = tables["fan"], tables["summary"].set_index("case")
    cases = list(summary.index)
    figure = Figure(figsize=(2.7 * len(cases) + 2.9, 7.2), layout="constrained")
    panels = figure.subplots(2, len(cases), sharex=True, sharey="row", squeeze=False)
    for column, case in enumerate(cases):
        for row, measure in enumerate(MEASURES):
            axes = panels[row, column]
            found = table[(table["case"] == case) & (table["measure"] == measure)].sort_values("day")
            colour = COLOURS.get(case, OTHER)
            dates = [start + dt.timedelta(days=float(day)) for day in found["day"]]
            axes.fill_between(dates, found["q05"], found["q95"], color=colour, alpha=0.2, linewidth=0)
            axes.fill_between(dates, found["q25"], found["q75"], color=colour, alpha=0.4, linewidth=0)
            axes.plot(dates, found["q50"], color=colour, linewidth=2.2)
            axes.axvline(dt.date(LAST_YEAR + 1, 1, 1), color=FAINT, linewidth=1, linestyle=(0, (2, 2)))
            axes.grid(axis="y", color="#dddddd", linewidth=0.7)
            axes.set_axisbelow(True)
            axes.margins(x=0)
            years_below(axes, lang, start)
            if measure == "overdue":
                limit = share * float(found["q50"].iloc[0])
                axes.axhline(limit, color=INK, linewidth=1.2, linestyle=(0, (5, 2)))
                if column == 0:
                    words = text(lang, "answer.plot.fan.threshold", n=format_number(lang, limit))
                    _note(axes, words, (start + dt.timedelta(days=60), limit))
            if case == cases[-1]:
                _bands(axes, found, lang)
        panels[0, column].set_title(case_name(lang, case), loc="left", pad=26, fontsize=13, fontweight="bold")
        note_above(panels[0, column], _probability(summary.loc[case], lang), COLOURS.get(case, OTHER), size=11)
    for row, measure in enumerate(MEASURES):
        panels[row, 0].set_ylabel(text(lang, f"answer.plot.fan.{measure}"), fontsize=12)
        panels[row, 0].set_ylim(bottom=0)
    panels[0, 0].annotate(
        text(lang, "answer.plot.fan.deadline", year=LAST_YEAR),
        (dt.date(LAST_YEAR + 1, 1, 1), 0.02),
        xycoords=("data", "axes fraction"),
        xytext=(-4, 0),
        textcoords="offset points",
        ha="right",
        fontsize=9,
        color=FAINT,
    )
    put_title(figure, text(lang, "answer.plot.fan.title", year=LAST_YEAR))
    return figure


def _probability(row: Any, lang: str) -> str:
    p, low, high = (percent(lang, row[name]) for name in ("cleared", "cleared_low", "cleared_high"))
    return text(lang, "answer.plot.fan.probability", p=p, low=low, high=high)


def note_above(axes: Axes, words: str, colour: str, side: str = "left", size: int = 10) -> None:
    """Words just above the axes, at one of its ends."""
    axes.annotate(
        words,
        (0.0 if side == "left" else 1.0, 1.0),
        xycoords="axes fraction",
        xytext=(0, 6),
        textcoords="offset points",
        ha=side,
        fontsize=size,
        color=colour,
    )


def _note(axes: Axes, words: str, at: tuple[Any, float]) -> None:
    axes.annotate(words, at, xytext=(0, 4), textcoords="offset points", fontsize=9, color=INK)


def _bands(axes: Axes, found: pd.DataFrame, lang: str) -> None:
    """Names of the line and the bands, to the right of their ends, at least one line of text apart."""
    last = found.iloc[-1]
    top = axes.get_ylim()[1]
    ends = {
        "median": last["q50"],
        "half": 0.3 * last["q50"] + 0.7 * last["q75"],
        "most": 0.3 * last["q75"] + 0.7 * last["q95"],
    }
    heights = apart([float(value) for value in ends.values()], 0.075 * top)
    for (name, end), height in zip(ends.items(), heights, strict=True):
        axes.annotate(
            text(lang, f"answer.plot.fan.{name}"),
            (1.0, float(end)),
            xycoords=("axes fraction", "data"),
            xytext=(1.06, height),
            textcoords=("axes fraction", "data"),
            va="center",
            fontsize=10,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": FAINT, "linewidth": 0.8, "shrinkA": 1, "shrinkB": 0},
        )


def apart(heights: Sequence[float], least: float) -> list[float]:
    """Rising heights moved up so far that neighbours are ``least`` apart."""
    moved: list[float] = []
    for height in heights:
        moved.append(height if not moved else max(height, moved[-1] + least))
    return moved


# ---------------------------------------------------------------- how much must be diverted


def curve(table: pd.DataFrame, plan: float, lang: str) -> Figure:
    """Probability of clearing by diverted share, with intervals; ``plan``: the share that the plan promises."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4, 5.4), layout="constrained")
    axes = figure.subplots()
    draw_curve(axes, table, plan, lang)
    axes.set_xlabel(f"{text(lang, 'answer.plot.curve.x')}\n({text(lang, 'answer.plot.curve.interval')})")
    axes.set_ylabel(text(lang, "answer.plot.curve.y", year=LAST_YEAR))
    put_title(figure, text(lang, "answer.plot.curve.title"))
    return figure


def draw_curve(axes: Axes, table: pd.DataFrame, plan: float, lang: str, size: float = 1.0) -> None:
    """Draw `curve` without its words around; ``size`` of letters and lines, 1 on a screen."""
    from matplotlib.ticker import FuncFormatter

    shares, values = table["diversion"].to_numpy(), table["cleared"].to_numpy()
    reach = [values - table["cleared_low"].to_numpy(), table["cleared_high"].to_numpy() - values]
    axes.axhline(verdict.EVEN, color=FAINT, linewidth=size, linestyle=(0, (2, 2)))
    axes.annotate(
        text(lang, "answer.plot.curve.even"),
        (0.0, verdict.EVEN),
        xycoords=("axes fraction", "data"),
        xytext=(6 * size, 5 * size),
        textcoords="offset points",
        fontsize=10 * size,
        color=FAINT,
    )
    axes.axvline(plan, color=COLOURS["net"], linewidth=1.5 * size, linestyle=(0, (5, 2)))
    axes.annotate(
        text(lang, "answer.plot.curve.plan", share=percent(lang, plan)),
        (plan, 1.0),
        xycoords=("data", "axes fraction"),
        xytext=(6 * size, -12 * size),
        textcoords="offset points",
        color=COLOURS["net"],
        fontsize=11 * size,
    )
    axes.errorbar(
        shares,
        values,
        yerr=reach,
        color=COLOURS["headcount"],
        marker="o",
        markersize=7 * size,
        linewidth=2 * size,
        capsize=4 * size,
    )
    for share, value in zip(shares, values, strict=True):
        axes.annotate(
            percent(lang, value),
            (share, value),
            xytext=(-8 * size, 5 * size),
            textcoords="offset points",
            ha="right",
            color=COLOURS["headcount"],
            fontweight="bold",
        )
    axes.set_ylim(-0.02, 1.02)
    axes.set_xlim(-0.025, float(shares.max()) + 0.01)
    axes.set_xticks(shares)
    per_cent = FuncFormatter(lambda value, _: percent(lang, round(value, 6)))
    axes.xaxis.set_major_formatter(per_cent)
    axes.yaxis.set_major_formatter(per_cent)
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)


# ---------------------------------------------------------------- what it hangs on


def ranking(tables: Mapping[str, pd.DataFrame], cases: Sequence[str], lang: str) -> Figure:
    """Rank correlation of every unknown with the number overdue at the end, strongest first; a panel per case.

    The order is that of the first case. Beside each bar: probability of clearing among the futures with the lowest and
    with the highest third of the unknown's values.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    table = tables["unknowns"]
    order = list(table[table["case"] == cases[0]]["unknown"])
    size = 5.4 + 4.6 * len(cases), 1.9 + 0.36 * len(order)
    figure = Figure(figsize=size, layout=ConstrainedLayoutEngine(w_pad=0.12))  # else the longest name touches the edge
    panels = figure.subplots(1, len(cases), sharey=True, squeeze=False)[0]
    for axes, case in zip(panels, cases, strict=True):
        found = table[table["case"] == case].set_index("unknown").loc[order]
        _bars(axes, found, lang)
        axes.set_title(case_name(lang, case), loc="left", pad=26, fontsize=13, fontweight="bold")
    panels[0].set_yticks(range(len(order)), [unknown_name(lang, key) for key in order])
    panels[0].set_ylim(len(order) - 0.4, -0.6)
    axis = text(lang, "answer.plot.unknowns.x", year=LAST_YEAR)
    figure.supxlabel(f"{axis}\n{text(lang, 'answer.plot.unknowns.interval')}", fontsize=11)
    put_title(figure, text(lang, "answer.plot.unknowns.title"))
    return figure


def _bars(axes: Axes, found: pd.DataFrame, lang: str) -> None:
    """Bars with intervals; grey where the interval holds zero."""
    for place, row in enumerate(found.to_dict("records")):
        r, low, high = (float(row[name]) for name in ("correlation", "correlation_low", "correlation_high"))
        unclear = verdict.strength(r, low, high) == "unclear"
        colour = "#bbbbbb" if unclear else EFFECTS["more" if r > 0.0 else "fewer"]
        axes.barh(place, r, height=0.62, color=colour)
        axes.errorbar(r, place, xerr=[[r - low], [high - r]], color=INK, linewidth=1.2, capsize=2.5)
        ends = [percent(lang, float(row[name])) for name in ("cleared_low", "cleared_high")]
        axes.annotate(
            f"{ends[0]} → {ends[1]}",
            (1.02, place),
            xycoords=("axes fraction", "data"),
            va="center",
            fontsize=10,
            annotation_clip=False,
        )
    axes.axvline(0.0, color=INK, linewidth=1)
    axes.set_xlim(-1.0, 1.0)
    axes.set_xticks([-1.0, -0.5, 0.0, 0.5, 1.0], [format_number(lang, x, 1) for x in (-1.0, -0.5, 0.0, 0.5, 1.0)])
    axes.grid(axis="x", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)
    note_above(axes, text(lang, "answer.plot.unknowns.better"), EFFECTS["fewer"])
    note_above(axes, text(lang, "answer.plot.unknowns.worse"), EFFECTS["more"], side="right")
    axes.annotate(
        text(lang, "answer.plot.unknowns.chances"),
        (1.02, 1.0),
        xycoords="axes fraction",
        xytext=(0, 6),
        textcoords="offset points",
        fontsize=10,
        annotation_clip=False,
    )
