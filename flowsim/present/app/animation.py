"""The waiting lists week by week as a Plotly animation: a play button, a pause button and a slider.

It stands still until somebody presses play, whatever their settings for motion are.
"""

from __future__ import annotations

from typing import Any, Final

from flowsim.present.app.charts import COLOURS, GREY, INK, LINE, laid_out
from flowsim.present.app.facts import written
from flowsim.present.app.queues import Queues
from flowsim.present.texts import format_number, text

WITHIN, TOO_LONG = COLOURS["headcount"], COLOURS["net"]
WEEK_MS: Final = 90
"""Milliseconds that a week is shown."""


def animated(shown: Queues, beside: Queues | None, first: int, lang: str) -> Any:
    """A bar per group: who waits within the norm, and who waits too long; ``beside``: a mark for another course.

    Parameters
    ----------
    first : number of the week at which it stands still.
    """
    import plotly.graph_objects as go

    def data(week: int) -> list[Any]:
        now = shown.mean[week]
        total = now[:, 0]
        made = [
            go.Bar(
                y=names,
                x=within,
                orientation="h",
                marker={"color": colour, "pattern": {"shape": shape, "fillmode": "overlay", "fgcolor": "#ffffff"}},
                hovertext=[f"{name}: {label} {format_number(lang, n)}" for name, n in zip(names, within, strict=True)],
                hoverinfo="text",
            )
            for within, colour, shape, label in (
                (total - now[:, 1], WITHIN, "", text(lang, "app.queues.within")),
                (now[:, 1], TOO_LONG, "/", text(lang, "app.queues.too_long")),
            )
        ]
        if beside is not None:
            made.append(
                go.Scatter(
                    y=names,
                    x=beside.mean[week][:, 0],
                    mode="markers",
                    marker={"symbol": "line-ns", "size": 26, "line": {"width": 4, "color": GREY}},
                    hovertext=[
                        f"{name}: {text(lang, 'app.queues.beside')} {format_number(lang, n)}"
                        for name, n in zip(names, beside.mean[week][:, 0], strict=True)
                    ],
                    hoverinfo="text",
                )
            )
        return made

    names = [text(lang, f"app.queues.group.{group}") for group in shown.groups]
    labels = [written(date, lang) for date in shown.dates]
    frames = [go.Frame(data=data(week), name=labels[week]) for week in range(len(labels))]
    figure = go.Figure(data=data(first), frames=frames)
    now = {"mode": "immediate", "transition": {"duration": 0}}
    play = [None, {"frame": {"duration": WEEK_MS, "redraw": False}, "fromcurrent": True, **now}]
    pause = [[None], {"frame": {"duration": 0, "redraw": False}, **now}]
    button = {"method": "animate"}
    figure.update_layout(
        barmode="stack",
        showlegend=False,
        updatemenus=[
            {
                "type": "buttons",
                "direction": "left",
                "showactive": False,
                "x": 0.0,
                "y": -0.16,
                "xanchor": "left",
                "yanchor": "top",
                "pad": {"t": 6},
                "bgcolor": "rgba(128,128,128,0.12)",
                "bordercolor": GREY,
                "font": {"color": INK, "size": 14},
                "buttons": [
                    {**button, "label": "▶ " + text(lang, "app.queues.play"), "args": play},
                    {**button, "label": "❚❚ " + text(lang, "app.queues.pause"), "args": pause},
                ],
            }
        ],
        sliders=[
            {
                "active": first,
                "x": 0.0,
                "y": -0.34,
                "len": 1.0,
                "ticklen": 0,
                "minorticklen": 0,
                "bordercolor": GREY,
                "bgcolor": GREY,
                "font": {"color": "rgba(0,0,0,0)", "size": 1},
                "currentvalue": {
                    "prefix": text(lang, "app.queues.week") + " ",
                    "font": {"color": INK, "size": 16},
                },
                "steps": [
                    {**button, "label": label, "args": [[label], {"frame": {"duration": 0, "redraw": False}, **now}]}
                    for label in labels
                ],
            }
        ],
    )
    most = max(float(one.mean[:, :, 0].max()) for one in (shown, beside) if one is not None)
    figure.update_xaxes(range=[0, 1.08 * most], gridcolor=LINE, fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, automargin=True)
    return laid_out(figure, lang, 520).update_layout(margin={"b": 150, "r": 16})
