"""Figures of the site, drawn from the kept results in a light and a dark form. The same results give the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from flowsim.analysis.statistics import paired_difference
from flowsim.present.plots import STYLE
from making import evidence, tables
from making.markdown import number

SHADES: Final[dict[str, dict[str, str]]] = {
    "light": {"ink": "#222222", "faint": "#6b6b6b", "grid": "#dddddd", "paper": "#ffffff", "box": "#f2f4f7"},
    "dark": {"ink": "#e6e6e6", "faint": "#a8a8a8", "grid": "#3c4043", "paper": "#14181e", "box": "#222832"},
}
COLOURS: Final = {"balance": "#009E73", "none": "#8c8c8c", "plan": "#D55E00", "low": "#56B4E9", "high": "#E69F00"}
TITLES: Final = {"balance": "A region in balance", "none": "Without the network", "plan": "The plan"}
YEARS: Final = (2025, 2026, 2027, 2028, 2029)
SHOWN: Final = 18
"""Assumptions in the picture: those that move the answer most."""


def draw_all(folder: Path) -> None:
    """Every figure, in both shades, as ``<name>-<shade>.svg``."""
    for shade, colours in SHADES.items():
        style = STYLE | {
            "text.color": colours["ink"],
            "axes.labelcolor": colours["ink"],
            "axes.edgecolor": colours["faint"],
            "axes.facecolor": "none",
            "xtick.color": colours["ink"],
            "ytick.color": colours["ink"],
        }
        for name, draw in FIGURES.items():
            with matplotlib.rc_context(style):
                draw(colours).savefig(folder / f"{name}-{shade}.svg", metadata={"Date": None}, transparent=True)


# ---------------------------------------------------------------- what each assumption does


def effects(colours: dict[str, str]) -> Figure:
    """A bar per assumption: overdue at the end of 2029 at both ends of its range, against the plan as drawn."""
    every = tables.effects()[:SHOWN]
    base = tables.plan_run()["overdue"]
    figure = Figure(figsize=(8.4, 0.42 * len(every) + 1.2), layout="constrained")
    axes = figure.subplots()
    for row, one in enumerate(every):
        for end, values in (("low", one.low), ("high", one.high)):
            found = paired_difference(base, values)
            axes.barh(row, found.value, height=0.62, color=COLOURS[end], label=end if row == 0 else None)
            axes.plot([found.low, found.high], [row, row], color=colours["ink"], linewidth=1.1)
    axes.axvline(0.0, color=colours["ink"], linewidth=0.8)
    axes.set_yticks(range(len(every)), [_short(one.figure) for one in every], fontsize=9)
    axes.invert_yaxis()
    axes.grid(axis="x", color=colours["grid"], linewidth=0.7)
    axes.set_axisbelow(True)
    axes.set_xlabel("change in the number overdue at the end of 2029 (lines: 95%)")
    axes.legend(frameon=False, loc="lower right", title="figure fixed at its")
    return figure


def _short(figure: Any) -> str:
    name = figure.key.partition(".")[2].replace("_", " ")
    return f"{name}  {number(figure.low)} to {number(figure.high)}"


# ---------------------------------------------------------------- lists over time


def lists(colours: dict[str, str]) -> Figure:
    """Waiting and overdue over time in three cases: bands, median, and single futures."""
    cases = evidence.read("face")["cases"]
    figure = Figure(figsize=(10.5, 5.6), layout="constrained")
    panels = figure.subplots(2, len(cases), sharex=True, sharey="row")
    for column, (name, case) in enumerate(cases.items()):
        years = YEARS[0] + np.array(case["days"]) / 365.25
        for row, measure in enumerate(("waiting", "overdue")):
            axes = panels[row, column]
            q05, q25, q50, q75, q95 = case[measure]["bands"]
            axes.fill_between(years, q05, q95, color=COLOURS[name], alpha=0.18, linewidth=0)
            axes.fill_between(years, q25, q75, color=COLOURS[name], alpha=0.3, linewidth=0)
            for one in case[measure]["shown"]:
                axes.plot(years, one, color=colours["faint"], linewidth=0.45, alpha=0.8)
            axes.plot(years, q50, color=COLOURS[name], linewidth=2.2)
            _plain(axes, colours)
            axes.margins(x=0)
            axes.set_xticks([2025, 2027, 2029])
        panels[0, column].set_title(TITLES[name], loc="left", fontweight="bold")
    for row in panels[:, 0]:  # the panels of a row share it
        row.set_ylim(bottom=0)
    panels[0, 0].set_ylabel("residents waiting")
    panels[1, 0].set_ylabel("residents overdue")
    return figure


def flows(colours: dict[str, str]) -> Figure:
    """People a month of thirty days: referred, started, gave up (means over futures)."""
    cases = evidence.read("face")["cases"]
    figure = Figure(figsize=(10.5, 3.5), layout="constrained")
    panels = figure.subplots(1, len(cases), sharey=True)
    looks = {"referred": ("-", 0), "started treatment": ("--", 1), "gave up": (":", 3)}
    for axes, (name, case) in zip(panels, cases.items(), strict=True):
        months = np.array(case["months"])
        firsts = np.arange(f"{YEARS[0]}-01", f"{YEARS[-1] + 1}-02", dtype="datetime64[M]").astype("datetime64[D]")
        months *= 30.0 / np.diff(firsts).astype(float)[:, None]
        years = YEARS[0] + (np.arange(len(months)) + 0.5) / 12
        for words, (dash, column) in looks.items():
            axes.plot(years, months[:, column], linestyle=dash, color=COLOURS[name], linewidth=1.8, label=words)
        axes.set_title(TITLES[name], loc="left", fontweight="bold")
        axes.set_ylim(bottom=0)
        axes.set_xticks([2025, 2027, 2029])
        _plain(axes, colours)
    panels[0].set_ylabel("residents in 30 days")
    panels[0].legend(frameon=False, fontsize=9, loc="center left")
    return figure


def waits(colours: dict[str, str]) -> Figure:
    """Mean wait of those who start, by programme, first and last year of a region in balance; published waits."""
    case = evidence.read("face")["cases"]["balance"]
    low, middle, high = (np.array(one) for one in case["programme_waits"])
    names = [name.replace("_", " ") for name in case["programmes"]]
    figure = Figure(figsize=(8.4, 0.42 * len(names) + 1.2), layout="constrained")
    axes = figure.subplots()
    for year, offset, colour in ((0, -0.16, COLOURS["low"]), (-1, 0.16, COLOURS["plan"])):
        for row in range(len(names)):
            axes.plot([low[year, row], high[year, row]], [row + offset] * 2, color=colour, linewidth=2.4)
        rows = np.arange(len(names)) + offset
        axes.plot(middle[year], rows, "o", color=colour, markersize=5, label=f"simulated, {YEARS[year]} (5, 50, 95%)")
    book = tables.scenario().book
    label: str | None = "published, mean of the group"
    for row, group in enumerate(case["groups"]):
        if f"waiting.{group}" in book:
            published = book.value(f"waiting.{group}")
            axes.plot([published] * 2, [row - 0.4, row + 0.4], color=colours["ink"], linewidth=1.8, label=label)
            label = None
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(left=0)
    axes.set_xlabel("mean wait from referral to start of treatment, weeks")
    axes.legend(frameon=False, fontsize=9, loc="lower right")
    _plain(axes, colours, "x")
    return figure


FUNCTIONS: Final = {
    "consultations": ("functions.consultations", 0),
    "conversations": ("functions.conversations", 1),
    "case conferences": ("functions.case_conferences", 2),
    "list cases": ("functions.transfers", 3),
}


def volumes(colours: dict[str, str]) -> Figure:
    """Residents reached a year by each function, beside the plan's volumes."""
    book = tables.scenario().book
    found = np.array(evidence.read("face")["cases"]["plan"]["volumes"])
    figure = Figure(figsize=(10.5, 2.9), layout="constrained")
    panels = figure.subplots(1, len(FUNCTIONS), sharey=True)
    for axes, (words, (key, column)) in zip(panels, FUNCTIONS.items(), strict=True):
        axes.bar(YEARS, found[:, column], color=COLOURS["plan"], width=0.65, label="simulated, mean")
        planned = [book.value(key, year) for year in YEARS]
        axes.plot(
            YEARS, planned, "_", color=colours["ink"], markersize=22, markeredgewidth=2, label="the plan's volume"
        )
        axes.set_title(words, loc="left", fontweight="bold")
        axes.set_xticks([2025, 2027, 2029])
        _plain(axes, colours)
    panels[0].set_ylabel("residents a year")
    panels[0].legend(frameon=False, fontsize=8.5, loc="upper left")
    return figure


def _plain(axes: Axes, colours: dict[str, str], axis: str = "y") -> None:
    axes.grid(axis=axis, color=colours["grid"], linewidth=0.7)  # type: ignore[arg-type]
    axes.set_axisbelow(True)


# ---------------------------------------------------------------- the network

PLACES: Final = {
    "outside": (0.0, 2.0, 1.15, "residents with\na question"),
    "supra_regional": (0.0, 3.6, 1.15, "outside the\nregion"),
    "support_point": (0.0, 0.2, 1.15, "support points"),
    "gp": (1.75, 2.0, 0.6, "GP"),
    "gp_mental_health": (1.75, 3.6, 0.9, "poh-ggz"),
    "self_help": (1.75, -0.5, 0.9, "self-help"),
    "social_domain": (3.9, -0.5, 1.5, "social domain\n(by municipality)"),
    "collegial_consultation": (3.9, 2.55, 1.5, "consultation"),
    "exploratory_conversation": (3.9, 2.0, 1.5, "conversation"),
    "case_conference": (3.9, 1.45, 1.5, "case conference"),
    "ggz": (6.5, 2.0, 1.35, "ggz:\nlists, then\ntreatment"),
    "waiting_list_management": (6.5, 3.6, 1.35, "list management"),
    "crisis": (8.3, 0.2, 1.2, "crisis service"),
    "between_episodes": (8.3, 2.0, 1.2, "between\nepisodes"),
}
"""Where the parts of the network stand in the picture, and how wide; the arrows follow from the compiled network."""
FUNCTIONS_OF_NETWORK: Final = ("collegial_consultation", "exploratory_conversation", "case_conference")
FRAME: Final = (3.9, 2.0, 1.85, 1.75)
"""Around the functions: middle, width, height."""
KINDS: Final[dict[str, tuple[Any, str, float]]] = {
    "next": ("-", "goes on", 0.0),
    "full": ((0, (4, 2)), "no room: goes on", -0.9),
    "renege": ((0, (1, 1.5)), "gives up waiting", -0.52),
    "visit": ((0, (6, 2, 1, 2)), "is seen while waiting", 0.4),
}
"""Line, meaning and bend of an arrow."""
BENDS: Final = {
    ("gp", "ggz", "next"): 0.46,
    ("between_episodes", "functions", "next"): 0.36,
    ("ggz", "functions", "next"): 0.2,
    ("ggz", "gp", "visit"): 0.56,
    ("ggz", "gp", "renege"): -0.7,
    ("ggz", "self_help", "visit"): -0.06,
    ("ggz", "self_help", "renege"): -0.2,
}
"""Arrows that must go around something."""


def edges() -> set[tuple[str, str, str]]:
    """(from, to, kind) between the parts of the compiled network; leaving it is left out."""
    from flowsim.scenario.compile import compile_scenario
    from flowsim.scenario.region import load_region

    scenario = tables.scenario()
    document = compile_scenario(scenario).document
    programmes = {one.name for one in load_region(scenario.region).programmes}
    pools = {pool["name"]: pool["stations"][0] for pool in document["pools"]}

    def part(name: str) -> str:
        station = name.partition(":")[0]
        station = pools.get(station, station)
        if station in programmes:
            return "ggz"
        return next((one for one in ("social_domain", "support_point") if station.startswith(one)), station)

    def ends(to: Any) -> list[str]:
        return list(to) if isinstance(to, dict) else [way["to"] for way in to]

    found = {("outside", part(stream["station"]), "next") for stream in document["arrivals"]}
    for route in document["routes"]:
        kind = "full" if route.get("on") == "full" else "next"
        found |= {(part(route["from"]), part(to), kind) for to in ends(route["to"])}
    for station in document["stations"]:
        found |= {(part(station["name"]), part(to), "renege") for to in station.get("on_renege", {})}
        for clock in station.get("while_waiting", []):
            seen = clock.get("visit") or clock.get("review_at")
            if seen:
                found.add((part(station["name"]), part(seen), "visit"))
    inside = {(a, b, kind) for a, b, kind in found if {a, b} <= set(FUNCTIONS_OF_NETWORK)}
    outside = {(_outer(a), _outer(b), "next" if kind == "full" else kind) for a, b, kind in found - inside}
    return {(a, b, kind) for a, b, kind in inside | outside if b not in ("exit", "stay") and a != b}


def _outer(part: str) -> str:
    return "functions" if part in FUNCTIONS_OF_NETWORK else part


def diagram(colours: dict[str, str]) -> Figure:
    """The parts of the network and the ways between them."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

    figure = Figure(figsize=(10.5, 5.6), layout="constrained")
    axes = figure.subplots()
    axes.set_xlim(-0.75, 9.05)
    axes.set_ylim(-1.05, 4.6)
    axes.set_axis_off()
    hue = {"next": colours["ink"], "full": COLOURS["high"], "renege": COLOURS["plan"], "visit": COLOURS["low"]}

    def box(x: float, y: float, width: float, height: float, edge: str, face: str, line: Any = "-") -> Any:
        made = FancyBboxPatch(
            (x - width / 2, y - height / 2),
            width,
            height,
            boxstyle="round,pad=0.03",
            facecolor=face,
            edgecolor=edge,
            linestyle=line,
        )
        return axes.add_patch(made)

    frame = box(*FRAME, colours["faint"], "none", (0, (4, 2)))
    x, y, _, height = FRAME
    axes.annotate(
        "functions of the network", (x, y + height / 2 + 0.1), ha="center", fontsize=9, color=colours["faint"]
    )
    boxes = {"functions": frame}
    for name, (x, y, width, words) in PLACES.items():
        edge = COLOURS["plan"] if name == "ggz" else colours["faint"]
        boxes[name] = box(x, y, width, 0.17 + 0.2 * (1 + words.count("\n")), edge, colours["box"])
        axes.annotate(
            words, (x, y), ha="center", va="center", fontsize=9.5, fontweight="bold" if name == "ggz" else None
        )
    middle = {name: (x, y) for name, (x, y, _, _) in PLACES.items()} | {"functions": FRAME[:2]}
    for a, b, kind in sorted(edges()):
        dash, _, bend = KINDS[kind]
        both = (b, a, kind) in edges()
        arrow = FancyArrowPatch(
            middle[a],
            middle[b],
            patchA=boxes[a],
            patchB=boxes[b],
            shrinkA=1,
            shrinkB=2,
            arrowstyle="-|>",
            mutation_scale=11,
            connectionstyle=f"arc3,rad={BENDS.get((a, b, kind), bend or (0.12 if both else 0.0))}",
            color=hue[kind],
            linestyle=dash,
            linewidth=1.2,
        )
        axes.add_patch(arrow)
    handles = [Line2D([], [], color=hue[kind], linestyle=dash, label=words) for kind, (dash, words, _) in KINDS.items()]
    axes.legend(handles=handles, frameon=False, loc="upper right", ncols=4, fontsize=9, borderaxespad=0.0)
    return figure


FIGURES: Final[dict[str, Callable[[dict[str, str]], Figure]]] = {
    "diagram": diagram,
    "effects": effects,
    "lists": lists,
    "flows": flows,
    "waits": waits,
    "volumes": volumes,
}
"""Name -> what draws it, in the colours of a shade."""
