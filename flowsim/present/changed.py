"""What a scenario changes, in words: the name of each figure, and its values before and after, by year."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Final

from flowsim.plan.figures import Figure
from flowsim.present.figures import figure_name, unit_words
from flowsim.present.texts import fewest_decimals, format_number, text, texts
from flowsim.present.wording import because_in

if TYPE_CHECKING:
    from flowsim.scenario.load import Scenario

YEAR: Final = "year"
"""How the unit of a figure that is a year begins: it has no sign for thousands."""
SMALL: Final = 0.1
"""A number below this has three decimals where it needs them, else two."""


def figure_value(lang: str, value: float, unit: str) -> str:
    """A figure's value with as many decimals as it needs, at most two (a small one: three); fractions in per cents."""
    if math.isnan(value):
        return "-"
    if unit.partition(" ")[0] == YEAR:
        return f"{value:.0f}"
    factor, sign = (100.0, "%") if unit.startswith("fraction") else (1.0, "")
    shown = round(factor * value, 6)
    most = 2 if abs(shown) >= SMALL else 3
    return format_number(lang, shown, fewest_decimals(shown, most)) + sign


def changed_name(lang: str, key: str, scenario: Scenario) -> str:
    """The name of what a scenario changes, a figure or a setting; else the figure's unit; its code where that has no
    words."""
    found = figure_name(lang, key, scenario.region) or texts(lang).get(f"answer.setting.{key}")
    if found is None and key in scenario.book:
        found = unit_words(lang, scenario.book[key].unit)
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
            named, before = changed_name(lang, change.key, scenario), figure_values(lang, change.before)
            told.append(text(lang, "answer.used.goes", name=named, before=before, value=value))
        said = text(lang, "answer.used.change", what="; ".join(told), because=because_in(lang, because))
        lines.append(said if said.endswith((".", "!", "?")) else f"{said}.")
    return lines
