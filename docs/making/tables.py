"""Tables of the site, from `flowsim/plan` and from the kept results; every number in them is worked out here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np

from flowsim.analysis.statistics import Estimate, mean_interval, paired_difference, wilson
from flowsim.plan.figures import Figure
from flowsim.scenario.load import Scenario, default
from flowsim.scenario.unknowns import FIXED_BY_DEFAULT, drawn
from making import evidence
from making.markdown import code, number, percent, prose, signed, table

FALSE_ALARMS: Final = 0.05
"""Chance that any interval of a table misses, at most (Bonferroni)."""


@lru_cache(maxsize=1)
def scenario() -> Scenario:
    """The plan as it stands."""
    return default()


# ---------------------------------------------------------------- what made it


def made(part: str) -> str:
    """What made a part, for below its tables."""
    content = evidence.read(part)
    about = content["made"]
    return (
        f"*{content['futures']} futures, seed {about['seed']}, common random numbers. Made by `{about['command']}` "
        f"with flowsim {about['flowsim']} (sources `{about['sources']}`), kept in `docs/results/{part}.json`; a test "
        "repeats a part of it and demands the same numbers.*\n"
    )


# ---------------------------------------------------------------- assumptions


@dataclass(frozen=True)
class Effect:
    """What an assumption does to the answer, from the low to the high end of its range."""

    figure: Figure
    overdue: Estimate
    waiting: Estimate
    wait: Estimate
    cleared: tuple[Estimate, Estimate]
    low: np.ndarray
    high: np.ndarray

    @property
    def nothing(self) -> bool:
        """Whether both ends gave the same to the last person: it does nothing in this scenario."""
        return self.overdue.value == self.waiting.value == 0.0 == self.overdue.half_width == self.waiting.half_width


@lru_cache(maxsize=1)
def effects() -> tuple[Effect, ...]:
    """Every assumption with its effect, the largest first."""
    runs = evidence.read("assumptions")["runs"]
    keys = list(dict.fromkeys(name.rpartition(" ")[0] for name in runs if name != evidence.PLAN))
    level = 1.0 - FALSE_ALARMS / len(keys)
    found = []
    for key in keys:
        if not all(f"{key} {end}" in runs for end in evidence.ENDS):
            continue  # one end cannot be: `refused`
        low, high = (runs[f"{key} {end}"] for end in evidence.ENDS)

        def difference(measure: str, low: Any = low, high: Any = high) -> Estimate:
            return paired_difference(low[measure], high[measure], level)

        cleared = tuple(wilson(sum(end["cleared"]), len(end["cleared"])) for end in (low, high))
        found.append(
            Effect(
                scenario().book[key],
                difference("overdue"),
                difference("waiting"),
                difference("wait"),
                (cleared[0], cleared[1]),
                np.array(low["overdue"]),
                np.array(high["overdue"]),
            )
        )
    return tuple(sorted(found, key=lambda one: -abs(one.overdue.value)))


def plan_run() -> dict[str, list[float]]:
    """Outcomes of the plan itself, with every unknown as drawn."""
    run: dict[str, list[float]] = evidence.read("assumptions")["runs"][evidence.PLAN]
    return run


def kind_of(figure: Figure) -> str:
    """How futures treat a figure."""
    if figure.key in drawn(scenario()):
        return "drawn"
    return "lever" if figure.key in FIXED_BY_DEFAULT or "levers" in _heading(figure.key) else "fixed"


@lru_cache(maxsize=1)
def _headings() -> dict[str, str]:
    """Under which heading of ``assumptions.toml`` a figure stands."""
    from flowsim.plan.figures import region_directory

    heading, found = "", {}
    text = (region_directory(scenario().region) / "assumptions.toml").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line.startswith("# ---"):
            heading = line.strip("# -")
        elif line.startswith("["):
            found[f"assumptions.{line.strip('[]')}"] = heading
    return found


def _heading(key: str) -> str:
    return _headings().get(key, "")


def value_of(figure: Figure) -> str:
    """Its value, or its values by year."""
    if not figure.dated:
        return number(figure.at())
    return ", ".join(f"{day.year}: {number(value)}" for day, value in figure.values)


def assumptions_table() -> str:
    """The assumptions that the model reads, with ranges and what they do."""
    rows = []
    for one in effects():
        figure = one.figure
        change = "nothing, to the last person" if one.nothing else signed(one.overdue)
        low, high = (percent(end.value) for end in one.cleared)
        rows.append(
            [
                f"{code(figure.key)}<br>{prose(figure.unit)}",
                f"{value_of(figure)}<br>({number(figure.low or 0.0)} to {number(figure.high or 0.0)})",
                kind_of(figure),
                change,
                "" if one.nothing else signed(one.wait, 1),
                f"{low} → {high}",
            ]
        )
    head = ["assumption", "value (range)", "how", "overdue, end of 2029", "mean wait 2029, weeks", "cleared"]
    return table(head, rows)


def refused() -> str:
    """Ends of ranges at which no region can be in balance."""
    kept = evidence.read("assumptions")["refused"]
    rows = []
    for name, why in kept.items():
        key, _, end = name.rpartition(" ")
        figure = scenario().book[key]
        rows.append([code(key), f"{end}: {number((figure.low if end == 'low' else figure.high) or 0.0)}", prose(why)])
    if not rows:
        return "None.\n"
    return table(["assumption", "end of its range", "flowsim says"], rows)


def assumptions_summary() -> str:
    """What follows from the table, in words."""
    run = plan_run()
    base = mean_interval(run["overdue"])
    every = effects()
    clear = [one for one in every if one.overdue.low > 0 or one.overdue.high < 0]
    still = [one for one in every if one.nothing]
    levers = [one for one in every if kind_of(one.figure) == "lever"]
    unknown = [one for one in every if one not in levers]
    between = f"{number(base.low, 0)} to {number(base.high, 0)}"
    cleared = percent(float(np.mean(run["cleared"])))
    return (
        f"In the plan as it stands, under its `net` reading, {number(base.value, 0)} residents are overdue at the end "
        f"of 2029 ({between}, the 95% interval of the mean over {base.n} futures), and {cleared} of the futures clear. "
        f"Of {len(every)} assumptions that the model reads, {len(clear)} move that number visibly, {len(still)} not at "
        "all.\n\n"
        f"- **What nobody knows**, from the low to the high end of its range, moves it most by {_largest(unknown)}. "
        f"{_turning(unknown)}\n"
        f"- **What can be done or can happen** (levers, as wide as they are thinkable): {_largest(levers)}. "
        f"{_turning(levers)}\n"
    )


def _largest(some: Sequence[Effect]) -> str:
    sign = {True: "more", False: "fewer"}
    return ", ".join(
        f"{code(one.figure.key)} ({number(abs(one.overdue.value), 0)} {sign[one.overdue.value > 0]})"
        for one in some[:4]
    )


def _turning(some: Sequence[Effect]) -> str:
    """Which of these make clearing more likely than not at one end of their range."""
    names = [code(one.figure.key) for one in some if max(end.value for end in one.cleared) > 0.5]
    if not names:
        return "None of them, alone, makes clearing more likely than not."
    return f"Clearing becomes more likely than not at one end of {' and of '.join(names)}."


def assumptions_why() -> str:
    """Where every assumption comes from, in the order of the region's files."""
    known = {one.figure.key for one in effects()}
    rows = [_why(figure) for key, figure in scenario().book.items() if key in known]
    return table(["assumption", "kind", "why this value and this range", "source"], rows)


def _why(figure: Figure) -> list[str]:
    source = str(figure.source)
    if figure.source.document == "flowsim":
        source = f"model, section {figure.source.section}"
    return [code(figure.key), figure.kind, prose(figure.note) or "–", prose(source)]


def assumptions_idle() -> str:
    """Figures with a range that the plan as it stands does not read."""
    known = {one.figure.key for one in effects()}
    rows = [
        [
            code(key),
            value_of(figure),
            f"{number(figure.low or 0.0)} to {number(figure.high or 0.0)}",
            prose(figure.unit),
        ]
        for key, figure in scenario().book.items()
        if figure.kind == "assumed" and key not in known
    ]
    return table(["figure", "value", "range", "unit"], rows, right=(1, 2))


# ---------------------------------------------------------------- does it move as one would expect?

DIRECTIONS: Final = {
    "assumptions.demand_growth": (1, "more demand, more overdue"),
    "assumptions.prevention_factor": (1, "less prevention, more overdue"),
    "assumptions.induced_demand": (1, "GPs refer sooner: more overdue"),
    "assumptions.list_size": (1, "a longer list to begin with, a longer list at the end"),
    "assumptions.staff_growth": (-1, "more staff, fewer overdue"),
    "assumptions.more_absence": (1, "more absence, fewer places, more overdue"),
    "assumptions.extra_places_basic": (-1, "more places, fewer overdue"),
    "assumptions.extra_places_specialist": (-1, "more places, fewer overdue"),
    "assumptions.would_have_entered": (-1, "the more of those reached would have entered ggz, the fewer overdue"),
    "assumptions.renege_to_gp": (1, "who gives up and goes back to the GP comes back"),
}
"""What anybody would say beforehand of the number overdue when an assumption goes up."""


def directions_table() -> str:
    """Expected and found signs."""
    found = {one.figure.key: one for one in effects()}
    rows = []
    for key, (sign, words) in DIRECTIONS.items():
        one = found[key].overdue
        seen = "as expected" if sign * one.low > 0 and sign * one.high > 0 else "not seen"
        if sign * one.low < 0 and sign * one.high < 0:
            seen = "the other way"
        rows.append([code(key), words, signed(one), seen])
    return table(["assumption, from low to high", "expected", "overdue, end of 2029", "found"], rows)


EXTREMES: Final = {
    "diversion_0": "diverting nobody, top-down, is the same as no network, to the last person",
    "diversion_60": "diverting 60% of the treatment hours clears the lists in every future",
    "demand_shrinks": "demand that falls by 10% a year clears the lists in every future",
    "demand_soars": "demand that grows by 10% a year clears them in none, and leaves more overdue than the plan does",
    "staff_grows": "staff that grows by 10% a year clears the lists in every future",
    "staff_leaves": "staff that shrinks by 10% a year clears them in none, and leaves more overdue than the plan does",
    "more_places": "a fifth more places from the first day leaves no more overdue than the plan does, in every future",
    "nobody_helped": "functions that keep nobody out of ggz who would have come, and still cost hours, leave more "
    "overdue than no network, on average",
}
"""What must come of each extreme (`making.evidence.extremes`)."""


def extremes_hold() -> dict[str, bool]:
    """Whether each expectation came true."""
    runs = evidence.read("extremes")["runs"]
    plan, none = (np.array(runs[name]["overdue"]) for name in (evidence.PLAN, "none"))

    def overdue(name: str) -> np.ndarray:
        return np.array(runs[name]["overdue"])

    def cleared(name: str) -> np.ndarray:
        return np.array(runs[name]["cleared"], bool)

    return {
        "diversion_0": runs["diversion_0"] == runs["none"],
        "diversion_60": bool(cleared("diversion_60").all()),
        "demand_shrinks": bool(cleared("demand_shrinks").all()),
        "demand_soars": not cleared("demand_soars").any() and bool((overdue("demand_soars") > plan).all()),
        "staff_grows": bool(cleared("staff_grows").all()),
        "staff_leaves": not cleared("staff_leaves").any() and bool((overdue("staff_leaves") > plan).all()),
        "more_places": bool((overdue("more_places") <= plan).all()),
        "nobody_helped": paired_difference(none, overdue("nobody_helped")).low > 0,
    }


def extremes_table() -> str:
    """Every extreme: what was expected, what came."""
    runs = evidence.read("extremes")["runs"]
    rows = [
        [
            EXTREMES[name],
            number(float(np.mean(runs[name]["overdue"])), 0),
            percent(float(np.mean(runs[name]["cleared"]))),
            "yes" if holds else "**no**",
        ]
        for name, holds in extremes_hold().items()
    ]
    for name, words in ((evidence.PLAN, "the plan, for comparison"), ("none", "no network, for comparison")):
        cleared = percent(float(np.mean(runs[name]["cleared"])))
        rows.append([words, number(float(np.mean(runs[name]["overdue"])), 0), cleared, ""])
    return table(["what must happen", "overdue, end of 2029", "futures that clear", "happens"], rows, right=(1, 2))


def extremes_why() -> str:
    """What is behind the futures that a large diversion does not clear."""
    run = evidence.read("extremes")["runs"]["diversion_60"]
    rest = [i for i, cleared in enumerate(run["cleared"]) if not cleared]
    if not rest:
        return ""
    overdue, smi = sum(run["overdue"][i] for i in rest), sum(run["overdue_smi"][i] for i in rest)
    return (
        f"The expectation about diverting 60% was too simple. In {len(rest)} of {len(run['cleared'])} futures the "
        f"lists do not clear: {number(smi)} of the {number(overdue)} residents who are overdue at the end wait for the "
        "programme for severe mental illness. The functions do not serve that programme, and its list has luck of its "
        "own: no diversion clears it.\n"
    )


# ---------------------------------------------------------------- the first day


def first_day_table() -> str:
    """Calibration target by target."""
    rows = []
    for one in evidence.read("first-day")["rows"]:
        mean, low, high, q05, q95 = (one[name] for name in ("simulated", "low", "high", "q05", "q95"))
        decimals = 0 if abs(one["value"]) >= 100 else 1 if abs(one["value"]) >= 1 else 2
        rows.append(
            [
                prose(one["target"].replace("_", " ")),
                prose(one["unit"]),
                number(one["value"], decimals),
                f"{number(mean, decimals)} ({number(low, decimals)} to {number(high, decimals)})",
                f"{number(q05, decimals)} to {number(q95, decimals)}",
                "yes" if one["stands"] else "**no**",
                prose(one["source"].partition(" (http")[0]),
            ]
        )
    head = ["target", "unit", "should be", "mean (95% interval)", "90% of the futures", "stands", "source"]
    return table(head, rows, right=(2,))


def first_day_summary() -> str:
    """How many stand, and which do not."""
    rows = evidence.read("first-day")["rows"]
    fallen = [one["target"].replace("_", " ") for one in rows if not one["stands"]]
    words = f"{len(rows) - len(fallen)} of {len(rows)} targets stand."
    return words + (f" Not: {', '.join(fallen)}.\n" if fallen else "\n")


def first_day_drift() -> str:
    """Targets that stand, of which the mean over futures is nevertheless known to lie elsewhere."""
    rows = [one for one in evidence.read("first-day")["rows"] if one["stands"]]
    off = [one for one in rows if not one["low"] <= one["value"] <= one["high"]]
    if not off:
        return "Of no target that stands does the interval of the mean leave out the value.\n"
    words = ", ".join(
        f"{one['target'].replace('_', ' ')} ({number(one['simulated'])} for {number(one['value'])})" for one in off
    )
    return f"Of these the mean over futures is known well enough to say that it lies elsewhere: {words}.\n"


# ---------------------------------------------------------------- residents one by one

STORIES: Final = {
    "diverted": "Had a conversation, and did not go to ggz",
    "treated": "Waited, was treated, and left",
    "gave_up": "Gave up waiting",
}


def traces() -> str:
    """The course of three residents, event by event."""
    made_of = evidence.read("face")["traces"]
    parts = []
    for kind, title in STORIES.items():
        rows = [
            [number(one["day"], 2), code(one["kind"]), one["station"].replace("_", " "), one["class"].replace("_", " ")]
            for one in made_of[kind]
        ]
        parts.append(f"**{title}**\n\n" + table(["day", "event", "station", "municipality/need/diagnosis"], rows, (0,)))
    return "\n".join(parts)


# ---------------------------------------------------------------- figures and the plan


def figures() -> str:
    """Every figure of the region, by file."""
    parts, theme, rows = [], "", []
    head = ["figure", "value", "unit", "kind", "source"]

    def close() -> None:
        if rows:
            parts.append(f"## {theme.replace('_', ' ').capitalize()}\n\n" + table(head, rows, (1,)))

    for key, figure in scenario().book.items():
        file, _, name = key.partition(".")
        if file != theme:
            close()
            theme, rows = file, []
        value = value_of(figure)
        if figure.low is not None and figure.high is not None:
            value += f" ({number(figure.low)} to {number(figure.high)})"
        source = str(figure.source).partition(" (http")[0]
        rows.append([code(name), value, prose(figure.unit), figure.kind, prose(source)])
    close()
    return "\n".join(parts)


def figures_count() -> str:
    """How many figures of which kind."""
    kinds = [figure.kind for figure in scenario().book.values()]
    counts = ", ".join(f"{kinds.count(kind)} {kind}" for kind in ("published", "derived", "assumed"))
    return f"{len(kinds)} figures: {counts}.\n"


def plan_checks() -> str:
    """The cells of the plan that do not add up, by section."""
    from flowsim.plan.business_case import check_plan
    from flowsim.present.plan_table import render_plan

    found = json.loads(render_plan(check_plan(scenario().book), "en", "json"))
    counts = found["counts"]
    words = (
        f"{sum(counts.values())} printed cells recomputed: {counts['exact']} exact, {counts['rounding']} within "
        f"rounding, {counts['inconsistent']} that do not add up. Those are here; `flowsim plan --lang en` prints them "
        "all.\n\n"
    )
    rows = [
        [
            one["section"],
            prose(one["row_text"]),
            prose(str(one["column"])),
            _printed(one["printed"], one["unit"]),
            _printed(one["recomputed"], one["unit"]),
            prose(one["cause_text"]),
        ]
        for one in found["checks"]
        if one["verdict"] == "inconsistent"
    ]
    return words + table(["section", "row", "column", "plan", "recomputed", "cause"], rows, (3, 4))


def _printed(value: Any, unit: str) -> str:
    if not isinstance(value, int | float):
        return prose(str(value))
    if unit == "fraction":
        return f"{number(100.0 * value, 2)}%"
    return number(value, 0 if unit in ("EUR", "persons") else None)


# ---------------------------------------------------------------- stations


def stations() -> Iterator[Sequence[str]]:
    """A row per station of the compiled network, at the values of the figures."""
    from flowsim.scenario.compile import compile_scenario

    for station in compile_scenario(scenario()).document["stations"]:
        servers = station["servers"]
        at_start = servers if not isinstance(servers, list) else servers[0][1]
        discipline = "urgent first, then FIFO" if station.get("discipline") == "priority" else "FIFO"
        limits = []
        if station.get("quota"):
            limits.append("weekly or monthly quota")
        if "queue_limit" in station:
            limits.append(f"queue of at most {station['queue_limit']}")
        if "patience" in station:
            limits.append(f"patience {station['patience']['distribution']}")
        yield [
            code(station["name"]),
            "no limit"
            if at_start == "inf"
            else f"{number(at_start)}{' on a schedule' if isinstance(servers, list) else ''}",
            _distribution(station["service"]),
            discipline,
            ", ".join(limits) or "–",
        ]


def stations_table() -> str:
    """The stations of the compiled network."""
    head = ["station", "servers on the first day", "service, days", "queue", "limits"]
    return table(head, stations())


def _distribution(given: dict[str, Any]) -> str:
    mean = given["mean"] if "mean" in given else (given["low"] + given["high"]) / 2
    words = f"{given['distribution']}, mean {number(mean)}"
    return words + (f", cv {number(given['cv'])}" if "cv" in given else "")


def run_length() -> str:
    """Sizes of the compiled network."""
    from flowsim.scenario.compile import compile_scenario

    network = compile_scenario(scenario())
    document = network.document
    return (
        f"The network has {len(document['stations'])} stations, {len(network.class_names)} patient classes, "
        f"{len(document['arrivals'])} streams of arrivals and {len(document['routes'])} routes. A run covers "
        f"{number(network.horizon)} days, with a snapshot every {number(network.snapshot_every)} days and a warm-up of "
        f"{number(network.warm_up)}; about {number(round(network.expected_arrivals, -3))} residents arrive in it.\n"
    )


# ---------------------------------------------------------------- verification


def verification_summary() -> str:
    """Comparisons and misses per kind, counted in the table that ``flowsim verify`` wrote."""
    from pathlib import Path

    text = (Path(__file__).resolve().parent.parent / "verification-table.md").read_text(encoding="utf-8")
    rows, total = [], [0, 0]
    for part in text.split("\n## ")[1:]:
        title, _, body = part.partition("\n")
        agrees, misses = body.count("| agrees"), body.count("| misses")
        if agrees + misses:
            rows.append([prose(title), number(agrees), number(misses)])
            total = [total[0] + agrees, total[1] + misses]
    rows.append(["**all**", f"**{number(total[0])}**", f"**{number(total[1])}**"])
    return table(["kind of known result", "agree", "miss"], rows, (1, 2))


# ---------------------------------------------------------------- system


def system() -> str:
    """What made the kept results, and what is needed."""
    about = evidence.read("assumptions")["made"]
    return f"The results on these pages were made with Python {about['python']} on {about['machine']}.\n"
