"""What was sought, for a person and for a program."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis.goal import Goal
from flowsim.analysis.measures import BY_YEAR, known
from flowsim.present.console import print_table
from flowsim.present.figures import figure_name, provider_name, unit_words
from flowsim.present.progress import StudyProgress
from flowsim.present.texts import format_number, text, texts
from flowsim.present.wording import case_name, month, percent, scenario_title, unknown_name
from flowsim.scenario.load import Scenario
from flowsim.scenario.region import load_region
from flowsim.study.levers import FULL, PILOT, VOLUMES, Lever, start_date

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.decision_map import DecisionMap, Factor
    from flowsim.study.seek import Seek, Sought

WEEK: Final = 7.0
SHOWN: Final = 0.1
"""Programmes with less of those who still wait than this are not named."""


class SeekProgress(StudyProgress):
    """Progress of a search or a map; see `StudyProgress`."""

    LINE = "seek.run.line"

    def label(self, name: str) -> str:
        """The name of a search, or of a part of a map."""
        if name in ("map", "held_out"):
            return text(self.lang, f"seek.run.{name}")
        case, colon, rest = name.partition(": ")
        return text(self.lang, "seek.run.search", case=case_name(self.lang, case) + colon + rest)


# ---------------------------------------------------------------- words


def goal_words(goal: Goal, lang: str) -> str:
    """The goal as a clause."""
    value = value_words(goal, goal.value, lang)
    bound = text(lang, "seek.goal.at_least" if goal.at_least else "seek.goal.at_most", value=value)
    if goal.promise is not None:
        return text(lang, "seek.goal.promise", promise=goal.promise.id, bound=bound)
    assert goal.measure is not None
    if goal.event is not None:
        op, number = goal.event
        shown = text(
            lang,
            "seek.goal.at_least" if op == ">=" else "seek.goal.at_most",
            value=measured(goal.measure, number, lang),
        )
        return text(lang, "seek.goal.event", bound=bound, limit=shown, measure=measure_name(goal.measure, lang))
    if goal.probability:
        return text(lang, "seek.goal.cleared", bound=bound)
    return text(lang, "seek.goal.mean", bound=bound, measure=measure_name(goal.measure, lang))


def measure_name(measure: str, lang: str) -> str:
    """A measure of a future in words."""
    name, _, year = measure.rpartition("_")
    here = texts(lang)
    if name in BY_YEAR and f"seek.measure.{name}" in here:
        return text(lang, f"seek.measure.{name}", year=year)
    return here.get(f"seek.measure.{measure}", text(lang, "seek.measure.other", name=measure))


def measured(measure: str, value: float, lang: str) -> str:
    """A value of a measure; waits in weeks."""
    unit = known()[measure][0]
    if unit == "days" and measure != "cleared_day":
        return format_number(lang, value / WEEK, 1)
    return format_number(lang, value, 2 if unit == "fraction" else 0 if abs(value) >= 20 else 1)


def value_words(goal: Goal, value: float, lang: str) -> str:
    """A probability, or a value of the goal's measure."""
    if goal.probability or goal.measure is None:
        tenths = round(1000.0 * value) % 10 and value in (goal.value,)
        return format_number(lang, 100.0 * value, 1) + "%" if tenths else percent(lang, value)
    return measured(goal.measure, value, lang)


def lever_name(lever: Lever, scenario: Scenario, lang: str) -> str:
    """A lever in words."""
    here, book = texts(lang), scenario.book
    years = {"year": int(book.value(FULL)), "from": int(book.value(PILOT)) + 1}
    if lever.name in VOLUMES or f"seek.lever.{lever.name}" in here:
        return here[f"seek.lever.{lever.name}"].format(**years)
    if lever.name.startswith("places_"):
        return here["seek.lever.programme"].format(programme=programme_name(lever.name[7:], scenario, lang), **years)
    named = figure_name(lang, lever.name, scenario.region)
    if named is not None:
        return named
    kind, unit = "multiple" if lever.shown == "multiple" else "path", book.figure(lever.name).unit
    return text(lang, f"seek.lever.{kind}", path=lever.name, unit=unit_words(lang, unit) or unit)


def programme_name(name: str, scenario: Scenario, lang: str) -> str:
    """A programme: its provider, and the group that it treats in words."""
    one = next(one for one in load_region(scenario.region).programmes if one.name == name)
    return f"{provider_name(lang, one.provider)} ({text(lang, f'seek.group.{one.group}')})"


def level_words(lever: Lever, level: float, scenario: Scenario, lang: str) -> str:
    """A level of a lever."""
    match lever.shown:
        case "share":
            return format_number(lang, 100.0 * level, 1) + "%"
        case "volume":
            return format_number(lang, level)
        case "months":
            return text(lang, "seek.level.start", month=month(lang, start_date(scenario, level)))
        case "multiple":
            return text(lang, "seek.level.multiple", number=format_number(lang, level, 2))
    figure = scenario.book.figure(lever.name)
    if "fraction" in figure.unit.split():
        return format_number(lang, 100.0 * level, 2 if lever.high - lever.low < 0.1 else 1) + "%"
    span = lever.high - lever.low
    return format_number(lang, level, max(0, 2 - math.floor(math.log10(span))) if span < 100 else 0)


def factor_words(factor: Factor, value: float, scenario: Scenario, lang: str) -> str:
    """A value of an unknown on a map."""
    figure = scenario.book.figure(factor.path)
    span = factor.high - factor.low
    if "fraction" in figure.unit.split():
        return format_number(lang, 100.0 * value, 1 if math.isclose(1000.0 * value, round(1000.0 * value)) else 2) + "%"
    return format_number(lang, value, 0 if span >= 20 else 2)


def factor_name(factor: Factor, lang: str) -> str:
    """An unknown on a map, in words."""
    return texts(lang).get(f"seek.factor.{factor.name}", unknown_name(lang, factor.path))


# ---------------------------------------------------------------- a search


def lines(found: Seek, lang: str) -> list[str]:
    """What stands above the results: goal, levers, scenario."""
    first = found.levers[0]
    low, high = (level_words(first, end, found.scenario, lang) for end in (first.low, first.high))
    made = [
        text(lang, "seek.head.goal", goal=goal_words(found.goal, lang)),
        text(lang, "seek.head.lever", lever=lever_name(first, found.scenario, lang), low=low, high=high),
    ]
    if len(found.levers) > 1:
        made.append(text(lang, "seek.head.second", lever=lever_name(found.levers[1], found.scenario, lang)))
    made.append(text(lang, "seek.head.scenario", title=scenario_title(lang, found.scenario)))
    if found.interrupted:
        made.append(text(lang, "seek.head.interrupted"))
    return made


def sentences(one: Sought, found: Seek, lang: str) -> list[str]:
    """What one search found, in sentences."""
    root = one.root
    if root is None or one.shown is None:
        return [text(lang, "seek.result.unfinished")]
    lever = one.bench.lever
    where = level_words(lever, one.level(one.shown) or 0.0, found.scenario, lang)
    side = "more" if one.rising else "less"
    if root.state == "not_reached":
        sure = root.low is not None and root.low >= max(root.tried)
        made = [text(lang, "seek.result.not_reached" if sure else "seek.result.not_shown", best=where)]
    elif root.state == "already":
        made = [text(lang, f"seek.result.already_{side}", level=where)]
    else:
        kind = "start" if lever.shown == "months" else side
        made = [text(lang, f"seek.result.found_{kind}", level=where)]
    if root.state == "found" or (root.state == "not_reached" and root.low != one.shown):
        made.append(interval_sentence(one, found.scenario, lang))
    estimate = one.at(one.shown)
    value, low, high = (value_words(found.goal, x, lang) for x in (estimate.value, estimate.low, estimate.high))
    key = "seek.result.value_probability" if found.goal.probability else "seek.result.value_mean"
    made.append(text(lang, key, value=value, low=low, high=high, n=root.n))
    return [" ".join(made), *notes(one, found, lang)]


def interval_sentence(one: Sought, scenario: Scenario, lang: str) -> str:
    """The lever's interval in words; open ends are said to be open."""
    low, high = (None if end is None else level_words(one.bench.lever, end, scenario, lang) for end in one.interval)
    if low is None and high is None:
        return text(lang, "seek.result.interval_open")
    if low is None:
        return text(lang, "seek.result.interval_below", high=high)
    if high is None:
        return text(lang, "seek.result.interval_above", low=low)
    return text(lang, "seek.result.interval", low=low, high=high)


def notes(one: Sought, found: Seek, lang: str) -> list[str]:
    """What a reader must know beside the result."""
    root = one.root
    assert root is not None
    made = []
    still = [(name, share) for name, _, share in one.held_back() if share >= SHOWN]
    if still:
        parts = [
            text(
                lang,
                "seek.note.held_back_one",
                share=percent(lang, share),
                programme=programme_name(name, found.scenario, lang),
            )
            for name, share in still
        ]
        made.append(text(lang, "seek.note.held_back", list=", ".join(parts)))
    if root.reversals:
        made.append(text(lang, "seek.note.went_back", count=root.reversals, n=root.n))
    if root.bends:
        made.append(text(lang, "seek.note.bends"))
    if not root.precise and root.state == "found":
        lever = found.levers[0]
        half = found.half_width
        shown = (
            f"{format_number(lang, half, 1)}"
            if lever.shown == "months"
            else level_words(lever, half, found.scenario, lang)
        )
        made.append(text(lang, "seek.note.wide", half=shown))
    return made


def print_found(found: Seek, lang: str) -> None:
    """The whole result of a search."""
    print("\n".join(lines(found, lang)))
    print()
    if len(found.sought) == 1 and len(found.levers) == 1:
        print("\n".join(sentences(found.sought[0], found, lang)))
        return
    frontier = len(found.levers) > 1
    columns = ("second" if frontier else "case", "level", "interval", "value", "futures")
    header = [text(lang, f"seek.table.{name}") for name in columns]
    title = text(lang, "seek.table.title_frontier" if frontier else "seek.table.title_readings")
    print_table(header, [_row(one, found, lang) for one in found.sought], title=title)
    for note in dict.fromkeys(
        note for one in found.sought if one.root for note in notes(one, found, lang)[-1:] if one.root.bends
    ):
        print(note)


def _row(one: Sought, found: Seek, lang: str) -> list[str]:
    lever, root = one.bench.lever, one.root
    name = case_name(lang, one.case)
    if one.second is not None:
        name = level_words(found.levers[1], one.second, found.scenario, lang)
    if root is None or one.shown is None:
        return [name, text(lang, "seek.table.unfinished"), "", "", ""]
    level = level_words(lever, one.level(one.shown) or 0.0, found.scenario, lang)
    if root.state != "found":
        level = f"{text(lang, f'seek.table.{root.state}')} ({level})"
    value = one.at(one.shown)
    return [
        name,
        level,
        _interval(one, found, lang),
        f"{value_words(found.goal, value.value, lang)} "
        f"({value_words(found.goal, value.low, lang)} - {value_words(found.goal, value.high, lang)})",
        format_number(lang, root.n),
    ]


def _interval(one: Sought, found: Seek, lang: str) -> str:
    low, high = (
        None if end is None else level_words(one.bench.lever, end, found.scenario, lang) for end in one.interval
    )
    if low is None and high is None:
        return text(lang, "seek.table.open")
    if low is None or high is None:
        words = ("or_later", "or_earlier") if one.bench.lever.shown == "months" else ("or_more", "or_less")
        return f"{low or high} {text(lang, f'seek.table.{words[0] if high is None else words[1]}')}"
    return f"{low} - {high}"


def as_json(found: Seek, tables: Mapping[str, pd.DataFrame], written: Mapping[str, Any]) -> dict[str, Any]:
    """A search as JSON knows it."""
    return {
        "target": found.goal.text,
        "levers": [one.name for one in found.levers],
        "scenario": found.scenario.name,
        "reached": found.reached,
        "interrupted": found.interrupted,
        "seed": found.seed,
        "half_width": found.half_width,
        "futures": found.spent,
        "found": tables["found"].to_dict("records"),
        "held_back": tables["held_back"].to_dict("records"),
        **written,
    }


# ---------------------------------------------------------------- a map


def map_rows(found: DecisionMap, factor: Factor, lang: str) -> list[list[str]]:
    """For the ends of an unknown's range and its own value: from which level of the lever the map meets the goal."""
    import numpy as np

    rows = []
    levels = np.linspace(found.lever.low, found.lever.high, 201)
    for value in sorted({factor.low, factor.mode, factor.high}):
        p = found.predicted(factor, np.column_stack([levels, np.full(len(levels), value)]))[0]
        met = p >= found.goal.value if found.goal.at_least else p <= found.goal.value
        level = text(lang, "seek.map.never")
        if met.any():
            level = level_words(found.lever, float(levels[int(np.argmax(met))]), found.scenario, lang)
        rows.append([factor_words(factor, value, found.scenario, lang), level])
    return rows


def error_words(found: DecisionMap, factor: Factor, lang: str, key: str) -> str:
    """How far off a map is; ``key`` : of the sentence, and ``<where>.no_error``'s when that was not measured."""
    check = found.check(factor)
    if check is None:
        return text(lang, key.replace("error", "no_error"))
    return text(
        lang,
        key,
        points=check.points,
        each=check.each,
        inside=check.inside,
        error=format_number(lang, 100.0 * check.error, 1),
        worst=format_number(lang, 100.0 * check.worst, 1),
    )


def print_map(found: DecisionMap, lang: str) -> None:
    """The maps in words."""
    lever, scenario = found.lever, found.scenario
    low, high = (level_words(lever, end, scenario, lang) for end in (lever.low, lever.high))
    print(text(lang, "seek.map.question"))
    print(text(lang, "seek.map.lever", lever=lever_name(lever, scenario, lang), low=low, high=high))
    print(text(lang, "seek.head.scenario", title=scenario_title(lang, scenario)))
    if found.interrupted:
        print(text(lang, "seek.head.interrupted"))
    header = [text(lang, "seek.map.column_factor"), text(lang, "seek.map.column_level")]
    goal = goal_words(found.goal, lang)
    title = text(lang, "seek.map.title_table", goal=goal[0].upper() + goal[1:])
    for factor in found.factors:
        ends = {end: factor_words(factor, getattr(factor, end), scenario, lang) for end in ("low", "high")}
        print("\n" + text(lang, "seek.map.factor", factor=factor_name(factor, lang), **ends))
        print_table(header, map_rows(found, factor, lang), title=title)
        print(error_words(found, factor, lang, "seek.map.error"))


def map_json(found: DecisionMap, tables: Mapping[str, pd.DataFrame], written: Mapping[str, Any]) -> dict[str, Any]:
    """Maps as JSON knows them; the grids are in their tables."""
    return {
        "target": found.goal.text,
        "lever": found.lever.name,
        "scenario": found.scenario.name,
        "map": [one.name for one in found.factors],
        "interrupted": found.interrupted,
        "seed": found.seed,
        "futures": found.spent,
        "error": tables["error"].to_dict("records"),
        "held_out": tables["held_out"].to_dict("records"),
        **written,
    }
