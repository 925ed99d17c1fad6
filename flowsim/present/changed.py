"""What a scenario changes, in words: the name of each figure, and its values before and after, by year."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Final

from flowsim.plan.figures import Figure
from flowsim.present.texts import fewest_decimals, format_number, text, texts
from flowsim.present.wording import unknown_name

if TYPE_CHECKING:
    from flowsim.scenario.load import Scenario

YEAR: Final = "year"
"""Unit of a figure that is a year: it has no sign for thousands."""


def figure_value(lang: str, value: float, unit: str) -> str:
    """A figure's value with as many decimals as it needs, at most two; fractions in per cents."""
    if math.isnan(value):
        return "-"
    if unit == YEAR:
        return f"{value:.0f}"
    factor, sign = (100.0, "%") if unit.startswith("fraction") else (1.0, "")
    shown = round(factor * value, 6)
    return format_number(lang, shown, fewest_decimals(shown, 2)) + sign


def changed_name(lang: str, key: str) -> str:
    """The name of what a scenario changes, a figure or a setting; its code where there is no name."""
    named = unknown_name(lang, key)
    if named != key:
        return named
    known = texts(lang)
    found = known.get(f"answer.figure.{key}") or known.get(f"answer.setting.{key}")
    return found or text(lang, "answer.used.unnamed", code=key)


def figure_values(lang: str, figure: Figure) -> str:
    """A figure's value; by year where it differs by year: ``2026: 300, 2027: 450``."""
    if not figure.dated:
        return figure_value(lang, figure.at(), figure.unit)
    return ", ".join(
        text(lang, "answer.used.in_year", year=day.year, value=figure_value(lang, value, figure.unit))
        for day, value in figure.values
    )


def changes(lang: str, scenario: Scenario) -> list[str]:
    """The figures that the scenario changes; those that follow each other for one reason are in one sentence."""
    lines = []
    for because, group in groupby(scenario.changes, key=lambda change: change.because):
        told = []
        for change in group:
            after = change.after
            value = figure_values(lang, after)
            if after.low is not None and after.high is not None:
                low, high = (figure_value(lang, end, after.unit) for end in (after.low, after.high))
                value = text(lang, "answer.used.between", value=value, low=low, high=high)
            named, before = changed_name(lang, change.key), figure_values(lang, change.before)
            told.append(text(lang, "answer.used.goes", name=named, before=before, value=value))
        said = text(lang, "answer.used.change", what="; ".join(told), because=because)
        lines.append(said if said.endswith((".", "!", "?")) else f"{said}.")
    return lines
