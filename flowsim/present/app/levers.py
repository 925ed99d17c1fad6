"""The levers of the app: what each one turns in a scenario file, and how far.

A lever reads its value from the document of a scenario file and writes it there; the figures' values, sources and
ranges are those of the region. A document without changes is the plan.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from flowsim.errors import InputError
from flowsim.plan.figures import Figure, FigureBook
from flowsim.scenario.schema import DEFAULTS

Document = dict[str, Any]
"""A scenario file's content, as TOML gives it."""
Value = float | str

PILOT: Final = "functions.pilot_year"
FULL: Final = "functions.full_operation_year"
FOLLOWS_START: Final = (
    "functions.consultations",
    "functions.conversations",
    "functions.transfers",
    "functions.case_conferences",
    "functions.support_point_users",
    "functions.ramp",
)
"""Yearly figures that move along when the network starts in another year."""
LATEST_START: Final = 2
"""Years by which the start can be put off: the ramp must fit into the five years."""
AROUND: Final = (0.0, 2.0)
"""Range of a lever whose figure has none: from none of it to twice the plan's."""
DECIMALS: Final = 10


@dataclass(frozen=True)
class Lever:
    """Something that a visitor can turn.

    Attributes
    ----------
    name : its code; the words are ``app.lever.<name>``.
    group : under which heading it stands.
    figure : key of the figure that it overrides; empty for a setting.
    kind : ``choice`` (a setting), ``number`` (one value), ``yearly`` (the value at full operation; earlier years in
        proportion), ``from_year`` (a step in a later year), ``start`` (years of delay).
    setting : name of the setting. choices : its values that are offered.
    shown : ``percent``, ``number``, ``years`` or ``choice``. step : of the slider, in the figure's unit.
    needs : (setting, value) without which the lever does nothing.
    own : a choice of flowsim's where the plan leaves the question open. plan_counts : what the plan itself does there.
    first : it matters most and is always in sight; the others of its group are closed below it.
    """

    name: str
    group: str
    kind: str
    figure: str = ""
    setting: str = ""
    choices: tuple[str, ...] = ()
    shown: str = "number"
    step: float = 1.0
    needs: tuple[str, str] | None = None
    own: bool = False
    plan_counts: str = ""
    first: bool = False

    # ---- what it can be -----------------------------------------------------------------------------------------

    def source(self, book: FigureBook) -> Figure | None:
        """The figure behind it, with its citation; None for a setting."""
        return book.figure(self.figure) if self.figure else None

    def of_plan(self, book: FigureBook) -> bool:
        """Whether its value is the plan's, not an assumption of flowsim's."""
        figure = self.source(book)
        return not self.own if figure is None else figure.kind != "assumed"

    def plan(self, book: FigureBook) -> Value:
        """Its value in the plan; where the plan has none, what flowsim assumes."""
        match self.kind:
            case "choice":
                return str(DEFAULTS[self.setting])
            case "yearly":
                return book.value(self.figure, int(book.value(FULL)))
            case "from_year" | "start":
                return 0.0
            case _:
                return book.value(self.figure)

    def range(self, book: FigureBook) -> tuple[float, float]:
        """Least and most that the slider allows."""
        if self.kind == "start":
            return 0.0, float(LATEST_START)
        figure = book.figure(self.figure)
        if figure.low is not None and figure.high is not None:
            return figure.low, figure.high
        plan = float(self.plan(book))
        return AROUND[0] * plan, AROUND[1] * plan

    def stops(self, book: FigureBook, value: float) -> list[float]:
        """Where the slider can stand: every step from the least to the most, the plan's value and this one."""
        low, high = self.range(book)
        steps = round((high - low) / self.step)
        found = {round(low + i * self.step, DECIMALS) for i in range(steps + 1)} | {round(high, DECIMALS)}
        found |= {round(float(self.plan(book)), DECIMALS), round(value, DECIMALS)}
        return sorted(stop for stop in found if low - 1e-9 <= stop <= high + 1e-9)

    def applies(self, document: Mapping[str, Any]) -> bool:
        """Whether it does something in this scenario."""
        return self.needs is None or setting_of(document, self.needs[0]) == self.needs[1]

    def turned(self, document: Mapping[str, Any], book: FigureBook) -> bool:
        """Whether a document says something else than the plan or the default."""
        value, plan = self.get(document, book), self.plan(book)
        if value is None or isinstance(value, str):
            return value != plan
        return not math.isclose(value, float(plan), abs_tol=1e-9)

    # ---- reading and writing a document ---------------------------------------------------------------------------

    def get(self, document: Mapping[str, Any], book: FigureBook) -> Value | None:
        """Its value in a document; None where the document says something that the lever cannot."""
        if self.kind == "choice":
            return setting_of(document, self.setting)
        if self.kind == "start":
            return _delay(document, book)
        override = document.get("figures", {}).get(self.figure)
        if override is None:
            return self.plan(book)
        value = override["value"]
        if self.kind == "number":
            return None if isinstance(value, Mapping) else float(value)
        if not isinstance(value, Mapping):
            return None
        found = float(value[max(value)])
        return found if _same(value, self._values(found, document, book)) else None

    def set(self, document: Document, value: Value, book: FigureBook, because: str) -> Document:
        """A document in which the lever stands at ``value``; the plan's value takes the override away.

        Raises
        ------
        InputError : a value outside the lever's range or choices.
        """
        value = self.checked(value, book)
        changed = deepcopy(document)
        if self.kind == "choice":
            changed.setdefault("settings", {})[self.setting] = value
            if value == DEFAULTS[self.setting]:
                del changed["settings"][self.setting]
            return _tidy(changed)
        if self.kind == "start":
            return _tidy(_delayed(changed, int(value), book, because))
        number = float(value)
        figures = changed.setdefault("figures", {})
        figures.pop(self.figure, None)
        new = number if self.kind == "number" else self._values(number, document, book)
        at_plan = math.isclose(number, float(self.plan(book)), abs_tol=1e-9)
        if not at_plan or (self.kind == "yearly" and _delay(document, book)):
            figures[self.figure] = {"value": new, "because": because}
        return _tidy(changed)

    def checked(self, value: Value, book: FigureBook) -> Value:
        """The value, when the lever can stand there."""
        if self.kind == "choice":
            if value not in self.choices:
                expected, offered = "one of " + ", ".join(self.choices), list(self.choices)
                raise InputError(
                    f"lever {self.name}", repr(value), expected, "scenario.choice", value=value, choices=offered
                )
            return value
        low, high = self.range(book)
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if not low - 1e-9 <= number <= high + 1e-9:
            expected, ends = f"a number from {low:g} to {high:g}", {"least": low, "most": high}
            raise InputError(f"lever {self.name}", repr(value), expected, "scenario.between", value=value, **ends)
        if self.kind == "start" and number != int(number):
            raise InputError(
                f"lever {self.name}", repr(value), "a whole number of years", "scenario.whole", value=value
            )
        return round(number, DECIMALS)

    def _values(self, value: float, document: Mapping[str, Any], book: FigureBook) -> dict[str, float]:
        """Values by year that belong to the lever's one value."""
        if self.kind == "from_year":
            first = book.figure(self.figure).years[0]
            return {str(first): 0.0, str(from_year(document, book)): value}
        plan = float(self.plan(book))
        scale = value / plan if plan else 0.0
        return _shifted(book.figure(self.figure), int(_delay(document, book) or 0.0), scale)


LEVERS: Final = (
    Lever(
        "network",
        "network",
        "choice",
        setting="network",
        choices=("functions", "diversion", "none"),
        shown="choice",
        first=True,
    ),
    Lever(
        "diversion",
        "network",
        "number",
        "functions.diversion",
        shown="percent",
        step=0.01,
        needs=("network", "diversion"),
        first=True,
    ),
    Lever(
        "conversations",
        "network",
        "yearly",
        "functions.conversations",
        step=10.0,
        needs=("network", "functions"),
        first=True,
    ),
    Lever(
        "reading",
        "network",
        "choice",
        setting="reading",
        choices=("headcount", "capacity", "net"),
        shown="choice",
        needs=("network", "functions"),
        own=True,
        plan_counts="headcount",
    ),
    Lever(
        "would_have_entered",
        "network",
        "number",
        "assumptions.would_have_entered",
        shown="percent",
        step=0.05,
        needs=("network", "functions"),
    ),
    Lever("start", "network", "start", PILOT, shown="years"),
    Lever(
        "places_specialist",
        "care",
        "from_year",
        "assumptions.extra_places_specialist",
        shown="percent",
        step=0.01,
        first=True,
    ),
    Lever("places_basic", "care", "from_year", "assumptions.extra_places_basic", shown="percent", step=0.01),
    Lever("staff_growth", "care", "number", "assumptions.staff_growth", shown="percent", step=0.0025),
    Lever(
        "demand_growth",
        "around",
        "number",
        "assumptions.demand_growth",
        shown="percent",
        step=0.0025,
        first=True,
    ),
    Lever(
        "social_domain",
        "around",
        "choice",
        setting="social_domain",
        choices=("unlimited", "limited"),
        shown="choice",
        own=True,
    ),
    Lever(
        "social_domain_fte",
        "around",
        "number",
        "impact.extra_fte_substitution",
        step=0.1,
        needs=("social_domain", "limited"),
    ),
    Lever("support_point_users", "around", "yearly", "functions.support_point_users", step=10.0),
    Lever(
        "support_point_relapse",
        "around",
        "number",
        "functions.support_point_relapse_reduction",
        shown="percent",
        step=0.01,
    ),
)
Reason = Callable[[Lever], str]
"""The words of ``because`` for a lever."""
GROUPS: Final = ("network", "care", "around")
BY_NAME: Final = {lever.name: lever for lever in LEVERS}


def setting_of(document: Mapping[str, Any], name: str) -> str:
    """A setting in a document, or its default."""
    return str(document.get("settings", {}).get(name, DEFAULTS[name]))


def from_year(document: Mapping[str, Any], book: FigureBook) -> int:
    """The year from which extra places are there: the year after the pilot year."""
    return int(book.value(PILOT)) + 1


def _tidy(document: Document) -> Document:
    """Without empty tables."""
    return {key: value for key, value in document.items() if value not in ({}, None)}


def _same(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    if found.keys() != expected.keys():
        return False
    return all(math.isclose(float(found[year]), float(expected[year]), abs_tol=1e-6) for year in expected)


def _shifted(figure: Figure, delay: int, scale: float = 1.0) -> dict[str, float]:
    """A yearly figure that starts ``delay`` years later: nothing before, in proportion to the plan's years."""
    values = {str(figure.years[0] + i): 0.0 for i in range(delay)}
    return values | {str(year + delay): round(figure.at(year) * scale, DECIMALS) for year in figure.years}


def _delay(document: Mapping[str, Any], book: FigureBook) -> float | None:
    """Years by which the network starts later; None where the years do not belong together."""
    figures = document.get("figures", {})
    if PILOT not in figures:
        return 0.0
    value = figures[PILOT]["value"]
    if isinstance(value, Mapping):
        return None
    delay = float(value) - book.value(PILOT)
    known = delay == int(delay) and 0.0 <= delay <= LATEST_START
    wanted = {FULL, *FOLLOWS_START}
    return delay if known and (delay == 0.0 or wanted <= figures.keys()) else None


def _delayed(document: Document, delay: int, book: FigureBook, because: str) -> Document:
    """The document with the network starting ``delay`` years later; levers of yearly figures keep their value."""
    yearly = {lever: lever.get(document, book) for lever in LEVERS if lever.kind == "yearly"}
    figures = document.setdefault("figures", {})
    reasons = {key: figures[key]["because"] for key in FOLLOWS_START if key in figures}
    scales = {
        lever.figure: float(value) / float(lever.plan(book)) for lever, value in yearly.items() if value is not None
    }
    for key in (PILOT, FULL, *FOLLOWS_START):
        figures.pop(key, None)
    if delay:
        for key in (PILOT, FULL):
            figures[key] = {"value": book.value(key) + delay, "because": because}
    for key in FOLLOWS_START:
        scale = scales.get(key, 1.0)
        if delay or not math.isclose(scale, 1.0, abs_tol=1e-9):
            values = _shifted(book.figure(key), delay, scale)
            figures[key] = {"value": values, "because": because if delay else reasons.get(key, because)}
    return document


def values(document: Mapping[str, Any], book: FigureBook) -> dict[str, Value | None]:
    """The value of every lever in a document, by name."""
    return {lever.name: lever.get(document, book) for lever in LEVERS}


def document_of(title: str, turned: Mapping[str, Value], book: FigureBook, because: Reason) -> Document:
    """A document with these levers turned; the start first, for yearly figures follow it.

    Raises
    ------
    InputError : an unknown lever, a value outside its range.
    """
    for name in turned:
        if name not in BY_NAME:
            raise InputError("lever", repr(name), "one of " + ", ".join(BY_NAME))
    document: Document = {"title": title}
    for lever in sorted((BY_NAME[name] for name in turned), key=lambda lever: lever.kind != "start"):
        document = lever.set(document, turned[lever.name], book, because(lever))
    return document
