"""The queues of one replication as a moving picture: an icon per so many residents, waiting or in treatment.

Drawn by vidigi (https://github.com/Bergam0t/vidigi) with plotly from the event log. A sample of the residents is
followed, every n-th in order of arrival, so that an icon stands for n residents wherever it is.
"""

from __future__ import annotations

import datetime as dt
import itertools
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.errors import InputError, extra
from flowsim.model import events
from flowsim.model.network import COMPANION_SHIFT, Network
from flowsim.present.texts import format_number, text, texts
from flowsim.present.wording import month

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from flowsim.scenario.region import Region

EVERY: Final = 28.0
"""Days between pictures."""
MOST_PICTURES: Final = 130
ICONS: Final = 350
"""Icons on the screen together, at most about this many."""
SCALES: Final = (1, 2, 5, 10, 20, 25, 50, 100, 200, 500, 1000)
MOST_STAGES: Final = 12
AWAY: Final = ("between_episodes", "supra_regional")
"""Stations of people who are not in the region's care: they are not drawn there."""
TAKEN_TOGETHER: Final = {
    "collegial_consultation": "functions",
    "exploratory_conversation": "functions",
    "case_conference": "functions",
    "waiting_list_management": "functions",
}
WAITING: Final = "waiting"
IN_SERVICE: Final = "in_service"
ACROSS: Final = 30
"""Icons in a row; above them the next row."""
GAP: Final = 9
ROW: Final = 14
COLUMNS: Final = {WAITING: 520.0, IN_SERVICE: 860.0}
"""Where the queue of a stage begins (it grows to the left)."""
COLOURS: Final = ("#0b6e99", "#d9822b", "#8a2b5b", "#3a7d44", "#555555", "#b8860b", "#6a5acd", "#a52a2a")


def check_installed(where: str) -> None:
    """InputError when vidigi is not there; ``where`` is what asked for it."""
    try:
        import vidigi.animation  # noqa: F401
    except ImportError:
        raise InputError(where, "no vidigi", extra("research")) from None


def animation(
    log: np.ndarray,
    network: Network,
    start: dt.date,
    lang: str = "nl",
    region: Region | None = None,
    per_icon: int | None = None,
    every: float = EVERY,
) -> go.Figure:
    """The moving picture of one replication.

    Parameters
    ----------
    log : (N,) `flowsim.model.events.EVENT`, as ``simulate(..., log=True).logs[0]`` has it. Times in days.
    start : the date of time zero. lang : ``nl`` or ``en``.
    region : says which stations are basic and which are specialist ggz; None: every station is a stage of its own.
    per_icon : how many residents an icon stands for; None: as many as fits the screen.
    every : days between pictures.

    Returns
    -------
    A plotly figure with a frame per picture, a play button and a slider. The title states the scale.

    Raises
    ------
    InputError : no vidigi, an argument that cannot be used, or nobody to draw.

    Examples
    --------
    >>> import datetime as dt
    >>> import flowsim
    >>> desk = {"name": "desk", "servers": 1, "service": {"distribution": "exponential", "mean": 5.0}}
    >>> arrivals = [{"class": "a", "station": "desk", "rate": 0.2}]
    >>> network = flowsim.Network.from_dict(
    ...     {"horizon": 60.0, "classes": ["a"], "stations": [desk], "arrivals": arrivals}
    ... )
    >>> found = flowsim.simulate(network, seed=1, log=True)
    >>> figure = flowsim.animation(found.logs[0], network, dt.date(2025, 1, 1), lang="en")
    >>> len(figure.frames) > 1
    True
    """
    check_installed("animation")
    texts(lang)
    whole = isinstance(per_icon, (int, np.integer)) and not isinstance(per_icon, bool)
    if per_icon is not None and not (whole and per_icon >= 1):
        raise InputError("per_icon", repr(per_icon), "a whole number from 1, or None")
    if isinstance(every, bool) or not isinstance(every, (int, float, np.number)) or not every > 0.0:
        raise InputError("every", repr(every), "a number of days above 0")
    start = _checked(log, network, start, region)
    every = max(1.0, every, np.ceil(network.horizon / MOST_PICTURES))
    times = np.arange(0.0, network.horizon, np.floor(every))
    stays = _stays(log, network, region, times)
    if not len(stays["case"]):
        raise InputError("animation", "nobody who waits or is in service in a picture", "a log with residents")
    scale = per_icon or _scale(stays)
    rows = _sampled(stays, scale)
    stages = _stages(rows, stays["stage_names"])
    return _drawn(rows, stages, times, start, lang, scale)


def _checked(log: Any, network: Any, start: Any, region: Any) -> dt.date:
    """The date of time zero, without a time of day; InputError for arguments of another kind."""
    from flowsim.scenario.region import Region

    if not isinstance(log, np.ndarray) or log.dtype != events.EVENT:
        expected = "the log of one replication, as simulate(..., log=True).logs[0] has it"
        raise InputError("log", f"a {type(log).__name__}", expected)
    if not isinstance(network, Network):
        raise InputError("network", f"a {type(network).__name__}", "the flowsim.Network that was simulated")
    if not isinstance(start, dt.date):
        raise InputError("start", repr(start)[:60], "a date, such as datetime.date(2025, 1, 1)")
    if region is not None and not isinstance(region, Region):
        raise InputError("region", repr(region)[:60], "a region, as flowsim.load_region gives it, or None")
    return start.date() if isinstance(start, dt.datetime) else start


def as_page(figure: go.Figure, lang: str) -> str:
    """A web page that needs nothing from elsewhere: plotly's own code is in it."""
    page: str = figure.to_html(include_plotlyjs=True, full_html=True, auto_play=False, config={"displaylogo": False})
    title = text(lang, "animation.page")
    head = f'<html lang="{lang}">\n<head><title>{title}</title>'
    return page.replace("<html>\n<head>", head, 1)


def _stage(station: str, region: Region | None) -> str:
    if region is not None:
        for programme in region.programmes:
            if station == programme.name:
                return "smi" if programme.group == "smi" else programme.level
    for together in ("social_domain", "support_point"):
        if station.startswith(together):
            return together
    return TAKEN_TOGETHER.get(station, station)


def _stays(log: np.ndarray, network: Network, region: Region | None, times: np.ndarray) -> dict[str, Any]:
    """Where residents are at the moments of the pictures: stays that a picture falls in, by resident and time.

    Returns
    -------
    Arrays of one length: case, begin, end (days), stage, service (bool), need; stage_names and need_names of the codes.
    """
    residents = (log["resident"] >= 0) & (log["resident"] < 1 << COMPANION_SHIFT)
    begins = (events.ARRIVE, events.WAITING_AT_START, events.TRANSFER, events.START, events.IN_SERVICE_AT_START)
    wanted = log[residents & np.isin(log["kind"], (*begins, events.EXIT))]
    wanted = wanted[np.argsort(wanted["resident"], kind="stable")]
    last = np.append(wanted["resident"][1:] != wanted["resident"][:-1], True)
    begin = np.maximum(wanted["time"], 0.0)
    end = np.where(last, np.inf, np.append(begin[1:], np.inf))
    names = [_stage(name, region) for name in network.station_names]
    known = list(dict.fromkeys(names))
    away = np.array([name in AWAY for name in network.station_names])
    needs = [name.split("/")[1] if name.count("/") == 2 else "" for name in network.class_names]
    need_names = list(dict.fromkeys(needs))
    stays = np.searchsorted(times, begin, side="left") < np.searchsorted(times, end, side="left")
    seen = stays & (wanted["kind"] != events.EXIT) & ~away[wanted["station"]]
    found = wanted[seen]
    return {
        "case": found["resident"],
        "begin": begin[seen],
        "end": end[seen],
        "stage": np.array([known.index(name) for name in names])[found["station"]],
        "service": np.isin(found["kind"], (events.START, events.IN_SERVICE_AT_START)),
        "need": np.array([need_names.index(need) for need in needs])[found["patient_class"]],
        "stage_names": known,
        "need_names": need_names,
    }


def _scale(stays: dict[str, Any]) -> int:
    """Residents per icon, so that the icons of the fullest picture fit."""
    moments = np.concatenate([stays["begin"], stays["end"]])
    steps = np.concatenate([np.ones(len(stays["begin"])), -np.ones(len(stays["end"]))])
    most = int(np.cumsum(steps[np.argsort(moments, kind="stable")]).max())
    return next((scale for scale in SCALES if most / scale <= ICONS), SCALES[-1])


def _sampled(stays: dict[str, Any], scale: int) -> pd.DataFrame:
    """Every ``scale``-th resident, in order of where and when they first appear."""
    import pandas as pd

    frame = pd.DataFrame({name: stays[name] for name in ("case", "begin", "end", "stage", "service", "need")})
    frame["need"] = np.asarray(stays["need_names"], dtype=object)[frame["need"].to_numpy()]
    first = frame.drop_duplicates("case").sort_values(["service", "stage", "begin", "case"], kind="stable")
    chosen = first["case"].to_numpy()[scale // 2 :: scale]
    return frame[frame["case"].isin(chosen)].reset_index(drop=True)


def _stages(rows: pd.DataFrame, names: list[str]) -> list[tuple[int, str]]:
    """The stages to draw, in the order of the network: the fullest, when there are too many."""
    counts = rows["stage"].value_counts()
    kept = sorted(counts.index[:MOST_STAGES].tolist())
    return [(code, names[code]) for code in kept]


def _drawn(
    rows: pd.DataFrame, stages: list[tuple[int, str]], times: np.ndarray, start: dt.date, lang: str, scale: int
) -> go.Figure:
    import pandas as pd
    from vidigi.animation import animate_activity_log

    rows = rows[rows["stage"].isin([code for code, _ in stages])]
    known = texts(lang)
    labels = {code: known.get(f"animation.stage.{name}", name.replace("_", " ")) for code, name in stages}
    deep: dict[int, int] = {}
    for code, service in itertools.product(labels, (False, True)):
        some = rows[(rows["stage"] == code) & (rows["service"] == service)]
        present = [int(((some["begin"] <= t) & (some["end"] > t)).sum()) for t in times]
        deep[code] = max(deep.get(code, 1), -(-max(present) // ACROSS))
    positions, y = [], 0.0
    for code, _ in reversed(stages):
        for service, column in ((False, WAITING), (True, IN_SERVICE)):
            positions.append({"event": f"{code}:{int(service)}", "x": COLUMNS[column], "y": y, "label": ""})
        y += deep[code] * ROW + 34.0
    figure = _quietly(
        animate_activity_log,
        event_log=_vidigi_log(rows),
        event_position_df=pd.DataFrame(positions),
        simulation_time_unit="days",
        every_x_time_units=int(times[1] - times[0]) if len(times) > 1 else 1,
        limit_duration=int(times[-1]),
        start_date=start.isoformat(),
        time_display_units="%Y-%m-%d",
        wrap_queues_at=ACROSS,
        step_snapshot_max=10_000,
        gap_between_entities=GAP,
        gap_between_queue_rows=ROW,
        entity_icon_size=11,
        custom_entity_icon_list=["●"],
        entity_colour_by="need" if rows["need"].any() else None,
        entity_colour_map=dict(zip(sorted(rows["need"].unique()), COLOURS, strict=False)),
        display_stage_labels=False,
        override_x_max=int(COLUMNS[IN_SERVICE]) + 40,
        override_y_max=int(y) + 30,
        plotly_height=max(420, int(y * 1.15) + 190),
        frame_duration=300,
        frame_transition_duration=200,
        spawn_in_from_arrival=False,
        hover_text_entity=None,
    )
    return _worded(figure, positions, labels, times, start, lang, scale)


def _quietly(draw: Any, **options: Any) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about performance, and people who are still there at the end
        return draw(**options)


def _vidigi_log(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows as vidigi wants them: an entity that comes, stays at events, and departs. Who is away for a while and
    comes back is another entity."""
    import pandas as pd

    again = (rows["case"] != rows["case"].shift()) | (rows["begin"] != rows["end"].shift())
    entity = again.cumsum()
    stays = pd.DataFrame(
        {
            "entity_id": entity,
            "event_type": "queue",
            "event": rows["stage"].astype(str) + ":" + rows["service"].astype(int).astype(str),
            "time": rows["begin"],
            "need": rows["need"],
        }
    )
    ends = {"event_type": "arrival_departure", "need": rows["need"]}
    come = pd.DataFrame({"entity_id": entity, "event": "arrival", "time": rows["begin"], **ends})[again]
    leave = pd.DataFrame({"entity_id": entity, "event": "depart", "time": rows["end"], **ends})
    leave = leave[~entity.duplicated(keep="last") & np.isfinite(rows["end"])]
    made: pd.DataFrame = pd.concat([come, stays, leave])
    return made.sort_values(["entity_id", "time"], kind="stable").reset_index(drop=True)


def _worded(
    figure: Any,
    positions: list[dict[str, Any]],
    labels: dict[int, str],
    times: np.ndarray,
    start: dt.date,
    lang: str,
    scale: int,
) -> go.Figure:
    """Title with the scale, names of the stages, headings of the columns, months under the slider, in the language."""
    known = texts(lang)
    for place in positions:
        code, service = place["event"].split(":")
        if service == "0":
            figure.add_annotation(
                x=0,
                y=place["y"],
                text=labels[int(code)],
                showarrow=False,
                xanchor="left",
                yanchor="middle",
                font_size=13,
            )
    top = max(place["y"] for place in positions)
    for column, x in COLUMNS.items():
        heading = text(lang, f"animation.column.{column}")
        figure.add_annotation(
            x=x, y=1.0, yref="paper", text=f"<b>{heading}</b>", showarrow=False, xanchor="right", yanchor="bottom"
        )
    needs = {trace.name: trace.textfont.color for trace in figure.data if trace.name}
    for trace in (*figure.data, *(trace for frame in figure.frames for trace in frame.data)):
        trace.showlegend = False
    for need, colour in needs.items():  # vidigi's own marks are nearly transparent in a legend
        named = known.get(f"animation.need.{need}", need)
        mark = {"color": colour, "size": 11}  # a group each: plotly puts those without a group in one column
        figure.add_scatter(x=[None], y=[None], mode="markers", name=named, legendgroup=f"{need} ", marker=mark)
    key = "one" if scale == 1 else "many"
    figure.update_layout(
        title={"text": text(lang, f"animation.title.{key}", scale=format_number(lang, scale)), "font": {"size": 17}},
        margin={"t": 90, "l": 20, "r": 20},
        showlegend=bool(needs),
        legend={"title": {"text": text(lang, "animation.legend")}, "orientation": "h", "y": -0.02, "yanchor": "top"},
        plot_bgcolor="white",
        font={"family": "system-ui, sans-serif"},
        yaxis={"range": [-30, top + 60]},
    )
    if figure.layout.sliders:
        slider = figure.layout.sliders[0]
        slider.currentvalue = {"prefix": "", "font": {"size": 15}}
        for step in slider.steps:
            step.label = month(lang, dt.date.fromisoformat(str(step.label)[:10]))
    return figure
