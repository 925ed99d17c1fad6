"""The route of residents in one year, with and without the network: bands as wide as the number of people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from flowsim.present.plots import COLOURS, FAINT, INK, OTHER
from flowsim.present.report.charts import empty_figure
from flowsim.present.texts import format_number, text
from flowsim.present.wording import case_name

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FUNCTIONS: Final = ("consultations", "conversations", "case_conferences")
"""The functions of the network that can change where a resident goes."""
GAP: Final = 0.055
"""Between bands, as part of the height."""
LEFT, MIDDLE, RIGHT = 0.0, 0.42, 0.8
BAND: Final = {"ggz": COLOURS["net"], "other": COLOURS["headcount"], "start": COLOURS["net"], "gave_up": FAINT}


def flows(tables: Mapping[str, pd.DataFrame], case: str, year: int) -> dict[str, float]:
    """Residents a year in each part of the route: means over the futures.

    ``referred`` = ``starts`` + ``reneged`` + what the list grows by. ``waiting`` and ``before``: on the list at the end
    of this year and of the year before.
    """
    years, volumes = tables["years"], tables["volumes"]
    of_year = years[(years["case"] == case) & (years["year"] == year)].set_index("measure")["mean"]
    found = volumes[(volumes["case"] == case) & (volumes["year"] == year)].set_index("volume")["mean"]
    before = years[(years["case"] == case) & (years["year"] == year - 1) & (years["measure"] == "waiting")]["mean"]
    return {
        **{name: float(of_year[name]) for name in ("referred", "starts", "reneged", "waiting")},
        **{name: float(found[name]) for name in (*FUNCTIONS, "social_domain", "self_help", "support_point_users")},
        "before": float(before.iloc[0]),
    }


def route(routes: Sequence[tuple[str, Mapping[str, float]]], lang: str) -> Figure:
    """A panel per case, on one scale: from the GP to self-help, support, social domain and ggz, and on from there."""
    figure = empty_figure(2.25 * len(routes))
    panels = figure.subplots(len(routes), 1, squeeze=False)[:, 0]
    most = max(sum(_first(flow).values()) for _, flow in routes)
    base = routes[0][1] if len(routes) > 1 else None
    for axes, (case, flow) in zip(panels, routes, strict=True):
        _panel(axes, case, flow, most, base if flow is not base else None, lang)
    return figure


def _first(flow: Mapping[str, float]) -> dict[str, float]:
    """Where people go from the GP, from the top down."""
    names = {
        "self_help": "self_help",
        "support_point": "support_point_users",
        "social_domain": "social_domain",
        "ggz": "referred",
    }
    return {name: flow[key] for name, key in names.items() if flow[key] > 0.5}


def _panel(
    axes: Axes, case: str, flow: Mapping[str, float], most: float, base: Mapping[str, float] | None, lang: str
) -> None:
    def word(key: str, **values: Any) -> str:
        return text(lang, f"report.plot.route.{key}", **values)

    def people(number: float) -> str:
        return format_number(lang, number)

    scale = (1.0 - 4 * GAP) / most
    first = _first(flow)
    axes.set_xlim(-0.16, 1.12)
    axes.set_ylim(-0.03, 1.06)
    axes.set_axis_off()
    axes.set_title(case_name(lang, case), loc="left", fontweight="bold", fontsize=9, color=COLOURS.get(case, OTHER))
    height = scale * sum(first.values())
    source = 0.5 + height / 2
    _block(axes, LEFT, source, height, INK)
    axes.annotate(word("gp"), (LEFT - 0.02, 0.5), ha="right", va="center", fontsize=8, fontweight="bold")
    top = 1.0
    was = _first(base) if base is not None else {}
    for name, number in first.items():
        thick = scale * number
        colour = BAND["ggz"] if name == "ggz" else BAND["other"]
        _ribbon(axes, (LEFT + 0.015, source), (MIDDLE, top), thick, colour)
        _block(axes, MIDDLE, top, thick, colour)
        words = word(name, n=people(number))
        if base is not None:
            words += f" ({_signed(number - was.get(name, 0.0), lang)})"
        if name != "ggz":
            axes.annotate(words, (MIDDLE + 0.03, top - thick / 2), va="center", fontsize=8)
        else:
            _beyond(axes, flow, base, top, scale, words, lang)
        source -= thick
        top -= thick + GAP
    reached = {name: flow[name] for name in FUNCTIONS}
    if sum(reached.values()) > 0.5:
        words = word("functions", **{name: people(number) for name, number in reached.items()})
        axes.annotate(
            words,
            ((LEFT + MIDDLE) / 2, 0.5),
            ha="center",
            va="center",
            fontsize=7.5,
            bbox={"boxstyle": "round,pad=0.5", "facecolor": "white", "edgecolor": INK, "linewidth": 1.0},
        )


def _beyond(
    axes: Axes,
    flow: Mapping[str, float],
    base: Mapping[str, float] | None,
    top: float,
    scale: float,
    words: str,
    lang: str,
) -> None:
    """From the waiting list on: treatment starts, or somebody gives up."""

    def of(key: str, measure: str) -> str:
        made = text(lang, f"report.plot.route.{key}", n=format_number(lang, flow[measure]))
        return made if base is None else f"{made}\n({_signed(flow[measure] - base[measure], lang)})"

    starts, gave_up = scale * flow["starts"], scale * flow["reneged"]
    _ribbon(axes, (MIDDLE + 0.015, top), (RIGHT, top + 0.06), starts, BAND["start"])
    _block(axes, RIGHT, top + 0.06, starts, BAND["start"])
    axes.annotate(of("starts", "starts"), (RIGHT + 0.03, top + 0.06 - starts / 2), va="center", fontsize=8)
    low = top - starts - 0.03
    _ribbon(axes, (MIDDLE + 0.015, top - starts), (RIGHT, low), gave_up, BAND["gave_up"])
    _block(axes, RIGHT, low, gave_up, BAND["gave_up"])
    axes.annotate(of("reneged", "reneged"), (RIGHT + 0.03, low - gave_up / 2), va="center", fontsize=8)
    counts = {name: format_number(lang, flow[name]) for name in ("before", "waiting")}
    listed = text(lang, "report.plot.route.list", **counts)
    axes.annotate(
        f"{words}\n{listed}",
        (MIDDLE + 0.035, top - starts / 2),
        va="center",
        fontsize=8,
        bbox={"boxstyle": "round,pad=0.35", "facecolor": "white", "edgecolor": BAND["ggz"], "linewidth": 0.8},
    )


def _signed(difference: float, lang: str) -> str:
    sign = "+" if difference >= 0.0 else "−"
    return f"{sign}{format_number(lang, abs(difference))}"


def _block(axes: Axes, x: float, top: float, height: float, colour: str) -> None:
    from matplotlib.patches import Rectangle

    axes.add_patch(Rectangle((x, top - height), 0.015, height, facecolor=colour, edgecolor="none"))


def _ribbon(axes: Axes, start: tuple[float, float], end: tuple[float, float], thick: float, colour: str) -> None:
    """A band between the tops of two blocks, of one thickness."""
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    (x0, y0), (x1, y1) = start, end
    bend = (x0 + x1) / 2
    vertices = [
        (x0, y0),
        (bend, y0),
        (bend, y1),
        (x1, y1),
        (x1, y1 - thick),
        (bend, y1 - thick),
        (bend, y0 - thick),
        (x0, y0 - thick),
        (x0, y0),
    ]
    codes = [Path.MOVETO, *[Path.CURVE4] * 3, Path.LINETO, *[Path.CURVE4] * 3, Path.CLOSEPOLY]
    axes.add_patch(PathPatch(Path(vertices, codes), facecolor=colour, alpha=0.3, linewidth=0))
