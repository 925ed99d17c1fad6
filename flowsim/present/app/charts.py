"""Charts of the app, in Plotly: the same meanings and colours as the plots of `flowsim.present.plots`.

Fonts, axes and backgrounds follow the visitor's theme. The colours of what is drawn keep a contrast of 3 to 1 with both
a white and a dark page, so that they need not differ. No text of a visitor gets into a chart: scenarios have letters.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from flowsim.present import plots
from flowsim.present.answer import LAST_YEAR
from flowsim.present.texts import format_number, text
from flowsim.present.wording import month

if TYPE_CHECKING:
    import pandas as pd

GREY: Final = "#808080"
COLOURS: Final = {**plots.COLOURS, "none": GREY}
SCENARIOS: Final = plots.SCENARIOS
MANY: Final = 3
"""Fans on one chart from which their bands are paler: they lie on each other."""
DASHES: Final = ("solid", "dash", "dot", "dashdot")
CONFIG: Final[dict[str, Any]] = {"displayModeBar": False, "scrollZoom": False, "doubleClick": False, "showTips": False}
STATIC: Final[dict[str, Any]] = {**CONFIG, "staticPlot": True}
LINE: Final = "rgba(128,128,128,0.35)"
INK: Final = "#7f7f7e"
"""Stands for the colour of text: style.css puts that of the theme in its place, at once when the theme changes."""


@dataclass(frozen=True)
class Fan:
    """One fan: its table (``day``, quantiles ``q05`` ... ``q95``), colour, dash and the label at its end."""

    table: pd.DataFrame
    colour: str
    dash: str
    label: str


def clear(colour: str, share: float) -> str:
    """A colour that lets through what is behind it."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{share})"


def fans(fans: Sequence[Fan], start: dt.date, limit: float | None, lang: str, height: int = 380) -> Any:
    """People over time: median, half and 90% of the futures, all on one axis; ``limit``: what counts as cleared."""
    import plotly.graph_objects as go

    figure = go.Figure()
    last = dt.date(LAST_YEAR + 1, 1, 1)
    ends: list[tuple[float, Fan]] = []
    lines: list[dict[str, Any]] = []  # drawn above all bands, so that each keeps its colour
    paler = 1.0 if len(fans) < MANY else 0.6
    for fan in fans:
        found = fan.table.sort_values("day")
        dates = [start + dt.timedelta(days=float(day)) for day in found["day"]]
        shown = [i for i, date in enumerate(dates) if date <= last]
        x = [dates[i] for i in shown]
        y = {name: found[name].iloc[shown].tolist() for name in ("q05", "q25", "q50", "q75", "q95")}
        for low, high, share in (("q05", "q95", 0.13), ("q25", "q75", 0.28)):
            for name, fill in ((low, None), (high, "tonexty")):
                figure.add_scatter(
                    x=x,
                    y=y[name],
                    mode="lines",
                    line={"width": 0},
                    fill=fill,
                    fillcolor=clear(fan.colour, paler * share),
                    hoverinfo="skip",
                    showlegend=False,
                )
        words = [
            text(
                lang,
                "app.chart.hover",
                label=fan.label,
                month=month(lang, date),
                **{name: format_number(lang, y[name][i]) for name in ("q05", "q50", "q95")},
            )
            for i, date in enumerate(x)
        ]
        lines.append(
            {
                "x": x,
                "y": y["q50"],
                "mode": "lines",
                "line": {"width": 3, "color": fan.colour, "dash": fan.dash},
                "hovertext": words,
                "hoverinfo": "text",
                "showlegend": False,
            }
        )
        ends.append((y["q50"][-1], fan))
    for line in lines:
        figure.add_scatter(**line)
    top = max(float(fan.table["q95"].max()) for fan in fans)
    _labels(figure, ends, last, top)
    if limit is not None:
        figure.add_hline(y=limit, line={"width": 1.5, "dash": "longdash", "color": GREY})
        note = text(lang, "answer.plot.fan.threshold", n=format_number(lang, limit))
        figure.add_annotation(
            x=start,
            y=limit,
            text=note,
            xanchor="left",
            yanchor="bottom",
            showarrow=False,
            font={"size": 13, "color": INK},
        )
    figure.update_xaxes(
        range=[start, last + dt.timedelta(days=20)],
        dtick="M12",
        tickformat="%Y",
        ticklabelmode="period",
        gridcolor=LINE,
        fixedrange=True,
    )
    figure.update_yaxes(
        range=[0, 1.05 * top], gridcolor=LINE, zeroline=True, zerolinecolor=LINE, fixedrange=True, tickformat=",.0f"
    )
    return laid_out(figure, lang, height, right=20 + 11 * max(len(fan.label) for fan in fans))


def counted(figure: Any, points: Sequence[tuple[dt.date, float]], words: Sequence[str], warning: str = "") -> Any:
    """Counts as points on a chart of `fans`; ``words``: of each, shown on hover; ``warning``: above all."""
    figure.add_scatter(
        x=[date for date, _ in points],
        y=[value for _, value in points],
        mode="markers",
        marker={"size": 10, "color": INK},
        hovertext=list(words),
        hoverinfo="text",
        showlegend=False,
    )
    low, high = figure.layout.yaxis.range
    figure.update_yaxes(range=[low, max([high, *(1.08 * value for _, value in points)])])
    if warning:
        figure.add_annotation(
            x=0.02,
            y=0.98,
            xref="paper",
            yref="paper",
            xanchor="left",
            yanchor="top",
            text=f"<b>{warning}</b>",
            showarrow=False,
            font={"size": 15, "color": INK},
        )
    return figure


def _labels(figure: Any, ends: list[tuple[float, Fan]], last: dt.date, top: float) -> None:
    """Labels at the ends of the lines, far enough apart to be read."""
    ends.sort(key=lambda end: end[0])
    heights = plots.apart([height for height, _ in ends], 0.09 * top)
    for place, (_, fan) in zip(heights, ends, strict=True):
        figure.add_annotation(
            x=last,
            y=place,
            text=f"<b>{fan.label}</b>",
            xanchor="left",
            xshift=6,
            showarrow=False,
            font={"size": 19, "color": fan.colour},  # large enough for a contrast of 3 to 1
        )


def laid_out(figure: Any, lang: str, height: int, right: int = 10) -> Any:
    """The figure with the margins, letters and signs of all charts; ``height`` and the margin ``right`` in pixels."""
    return figure.update_layout(
        height=height,
        margin={"l": 8, "r": right, "t": 10, "b": 8},
        separators=",." if lang == "nl" else ".,",
        hovermode="closest",
        font={"size": 14},
        dragmode=False,
    )


def through(
    nodes: Sequence[tuple[str, str, float, float]], links: Sequence[tuple[int, int, float]], lang: str
) -> list[str]:
    """The label of each node, with how many residents go through it."""
    totals = [
        max(sum(n for a, _, n in links if a == i), sum(n for _, b, n in links if b == i)) for i in range(len(nodes))
    ]
    return [f"{label} {format_number(lang, total)}" for (label, *_), total in zip(nodes, totals, strict=True)]


def sankey(
    nodes: Sequence[tuple[str, str, float, float]],
    links: Sequence[tuple[int, int, float]],
    lang: str,
    unit: str,
    numbered: bool = False,
) -> Any:
    """Flows between nodes. ``nodes``: (label, colour, x, y); ``links``: (from, to, residents); ``numbered``: with
    the numbers of the nodes in place of their labels, for a narrow page."""
    import plotly.graph_objects as go

    labels = through(nodes, links, lang)
    figure = go.Figure(
        go.Sankey(
            arrangement="snap",
            textfont={"color": INK, "size": 13},
            node={
                "label": [str(number) for number in range(1, len(nodes) + 1)] if numbered else labels,
                "customdata": labels,
                "color": [colour for _, colour, _, _ in nodes],
                "x": [x for _, _, x, _ in nodes],
                "y": [y for _, _, _, y in nodes],
                "pad": 16,
                "thickness": 16,
                "line": {"width": 0},
                "hovertemplate": "%{customdata}<extra></extra>",
            },
            link={
                "source": [a for a, _, _ in links],
                "target": [b for _, b, _ in links],
                "value": [n for _, _, n in links],
                "color": [clear(nodes[b][1], 0.35) for _, b, _ in links],
                "customdata": [f"{nodes[a][0]} → {nodes[b][0]}: {format_number(lang, n)} {unit}" for a, b, n in links],
                "hovertemplate": "%{customdata}<extra></extra>",
            },
        )
    )
    return laid_out(figure, lang, 580).update_layout(margin={"b": 30, "t": 20})
