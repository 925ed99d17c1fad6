"""What a scenario changes, in words: the name of each figure, and its values before and after, by year."""

from __future__ import annotations

import math
from itertools import groupby
from typing import TYPE_CHECKING, Final

from flowsim.plan.figures import Figure
from flowsim.present.figures import figure_name, unit_words
from flowsim.present.said import PERCENT, YEAR, Said, Told
from flowsim.present.texts import LANGUAGES, fewest_decimals, format_number, text, texts
from flowsim.present.wording import because_in

if TYPE_CHECKING:
    from flowsim.scenario.load import Change, Scenario

SMALL: Final = 0.1
"""A number below this has three decimals where it needs them, else two."""


def figure_value(lang: str, value: float, unit: str) -> str:
    """A figure's value with as many decimals as it needs, at most two (a small one: three); fractions in per cents."""
    if math.isnan(value):
        return "-"
    if unit.partition(" ")[0] == YEAR:
        return Said(f"{value:.0f}", Told(value, YEAR))
    factor, sign = (100.0, "%") if unit.startswith("fraction") else (1.0, "")
    shown = round(factor * value, 6)
    most = 2 if abs(shown) >= SMALL else 3
    written = format_number(lang, shown, fewest_decimals(shown, most))
    if not sign:
        return written
    return Said(written + sign, Told(value, PERCENT, fewest_decimals(shown, most)))


def changed_name(lang: str, key: str, scenario: Scenario) -> str:
    """The name of what a scenario changes, a figure or a setting; else the figure's unit; its code where that has no
    words."""
    found = figure_name(lang, key, scenario.region) or texts(lang).get(f"answer.setting.{key}")
    if found is None and key in scenario.book:
        found = unit_words(lang, scenario.book[key].unit)
    return found or text(lang, "answer.used.unnamed", code=key)


def figure_values(lang: str, figure: Figure) -> str:
    """A figure's value; by year where it differs by year: ``2026: 300, 2027: 450``."""
    if len(figure.values) == 1:  # a constant, or one that does not change
        return figure_value(lang, figure.values[0][1], figure.unit)
    return ", ".join(
        text(lang, "answer.used.in_year", year=day.year, value=figure_value(lang, value, figure.unit))
        for day, value in figure.values
    )


def _changed_to(lang: str, change: Change) -> str:
    """Its value after a change; one that steps away from what it was, once: by the year of that step."""
    before, after = change.before, change.after
    if len(before.values) == 1 and len(after.values) == 2 and after.values[0][1] == before.values[0][1]:
        day, value = after.values[1]
        return text(lang, "answer.used.from_year", value=figure_value(lang, value, after.unit), year=day.year)
    return figure_values(lang, after)


def set_in_app(because: str) -> bool:
    """Whether a reason is the app's own, in any language: that somebody turned a lever says no more than the change."""
    beginnings = (texts(lang)["app.because"].partition("{")[0] for lang in LANGUAGES)
    return any(because.startswith(one) for one in beginnings)


def changes(lang: str, scenario: Scenario) -> list[str]:
    """The figures that the scenario changes; those that follow each other for one reason are in one sentence."""
    lines = []
    reasons = groupby(scenario.changes, key=lambda change: "" if set_in_app(change.because) else change.because)
    for because, group in reasons:
        told = []
        for change in group:
            after = change.after
            value = _changed_to(lang, change)
            if after.low is not None and after.high is not None:
                low, high = (figure_value(lang, end, after.unit) for end in (after.low, after.high))
                value = text(lang, "answer.used.between", value=value, low=low, high=high)
            named, before = changed_name(lang, change.key, scenario), figure_values(lang, change.before)
            told.append(text(lang, "answer.used.goes", name=named, before=before, value=value))
        what = "; ".join(told)
        key = "answer.used.change" if because else "answer.used.set"
        said = text(lang, key, what=what, **({"because": because_in(lang, because)} if because else {}))
        lines.append(said if said.endswith((".", "!", "?")) else f"{said}.")
    return lines
