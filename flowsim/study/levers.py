"""The levers that can be sought: what people call them, the figures that they turn, how far, and which way helps.

Any figure of the region can be a lever too, by its path, as a factor of a sweep can.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from flowsim.errors import InputError
from flowsim.scenario.flows import EXTRA_PLACES
from flowsim.scenario.load import DIVERSION, Scenario
from flowsim.scenario.region import load_region
from flowsim.scenario.schema import Override
from flowsim.study.experiment import SETTINGS, changed, simulated

BECAUSE: Final = "the lever that is sought"
PILOT: Final = "functions.pilot_year"
FULL: Final = "functions.full_operation_year"
VOLUMES: Final = ("consultations", "conversations", "case_conferences", "transfers")
FOLLOWS_START: Final = (*(f"functions.{name}" for name in (*VOLUMES, "support_point_users")), "functions.ramp")
"""Yearly figures that move along when the network starts later."""
MOST_DIVERTED: Final = 0.6
"""Share diverted up to which is searched; a search may be given another range, up to what scenarios allow (0.9)."""
MOST_PLACES: Final = 0.5
MOST_VOLUME: Final = 4.0
"""Times the plan's volume."""
LATEST: Final = 36
"""Months by which the start can be put off: what starts later does not get anywhere within five years."""
_GIVEN: Final = re.compile(r"(?P<name>[^=\s]+)\s*(?:=\s*(?P<low>[^:]+):(?P<high>[^:]+))?\s*")


@dataclass(frozen=True)
class Lever:
    """Something that can be turned, and what it does to a scenario.

    Attributes
    ----------
    name : what people call it, or the path of a figure.
    shown : how its levels are written: ``share``, ``volume`` (cases a year at full operation), ``months``,
        ``multiple`` (of a figure by year) or ``figure``.
    low, high : the range in which it is sought.
    helps : 1: more of it helps; -1: less of it helps; 0: nobody said, look.
    turn : (scenario, level) -> the scenario with the lever at that level.
    plan : its level in the scenario as it stands; None where it stands elsewhere (another setting).
    """

    name: str
    shown: str
    low: float
    high: float
    helps: int
    turn: Callable[[Scenario, float], Scenario]
    plan: float | None = None

    @property
    def top_down(self) -> bool:
        """Whether it makes a scenario top-down, in which the readings of the plan are no question."""
        return self.name == "diversion"


def names(scenario: Scenario) -> tuple[str, ...]:
    """The levers that have a name of their own."""
    programmes = [one.name for one in load_region(scenario.region).programmes]
    places = [f"places_{one}" for one in ("basic", "specialist", *programmes)]
    return ("diversion", *VOLUMES, "start", "places", *(one for one in places if _figure_of(one) in scenario.book))


def lever(scenario: Scenario, given: str, where: str = "lever") -> Lever:
    """A lever by name or path, with its range: ``diversion``, ``places=0:0.3``, ``assumptions.demand_growth``.

    Raises
    ------
    InputError : an unknown lever, a range that cannot be, or a lever on which nothing hangs in this scenario.
    """
    matched = _GIVEN.fullmatch(given) if isinstance(given, str) else None
    if matched is None:
        raise InputError(where, repr(given), "a name or path, and a range if you like: diversion=0:0.4")
    name = matched["name"]
    bounds = None
    if matched["low"] is not None:
        bounds = _number(matched["low"], where, given), _number(matched["high"], where, given)
        if not bounds[0] < bounds[1]:
            raise InputError(where, repr(given), "a range whose first number is the lower one")
    made = _named(scenario, name, bounds, where) if name in names(scenario) else _by_path(scenario, name, bounds, where)
    _check(scenario, made, where)
    return made


def _number(text: str, where: str, given: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise InputError(where, repr(given), "numbers in the range, such as diversion=0:0.4")
    return number


# ---------------------------------------------------------------- by name


def _named(scenario: Scenario, name: str, bounds: tuple[float, float] | None, where: str) -> Lever:
    book = scenario.book
    if name == "diversion":
        plan = book.value(DIVERSION) if scenario.settings["network"] == "diversion" else None
        return Lever(name, "share", *(bounds or (0.0, MOST_DIVERTED)), 1, _divert, plan)
    if name in VOLUMES:
        full = book.value(f"functions.{name}", int(book.value(FULL)))
        if full <= 0.0:  # its levels are so many times the volumes of the scenario
            raise InputError(where, f"{name}, of which the scenario has none", "a lever that does something")

        def turn(scenario: Scenario, level: float) -> Scenario:
            return changed(scenario, f"functions.{name}", True, level / full, name)

        return Lever(name, "volume", *(bounds or (0.0, MOST_VOLUME * full)), 1, turn, full)
    if name == "start":
        return Lever(name, "months", *(bounds or (0.0, float(LATEST))), -1, delayed, 0.0)
    keys = [_figure_of(one) for one in (("places_basic", "places_specialist") if name == "places" else (name,))]

    def places(scenario: Scenario, level: float) -> Scenario:
        first = int(scenario.book.value(PILOT)) + 1
        values = {}
        for key in keys:
            known = {str(day.year): x for day, x in scenario.book.figure(key).values if day.year < first}
            values[key] = Override(value={**known, str(first): level}, because=BECAUSE)
        return scenario.with_overrides(values, name)

    return Lever(name, "share", *(bounds or (0.0, MOST_PLACES)), 1, places, book.value(keys[0], int(book.value(FULL))))


def _figure_of(name: str) -> str:
    return EXTRA_PLACES + name.removeprefix("places_")


def _divert(scenario: Scenario, level: float) -> Scenario:
    override = Override(value=level, because=BECAUSE)
    return scenario.with_settings(scenario.name, network="diversion").with_overrides({DIVERSION: override}, "diversion")


def delayed(scenario: Scenario, months: float) -> Scenario:
    """The scenario with the network starting so many months later: each year has the volumes of those months before.

    Whole years are as the app's: nothing before the start. Part of a year takes from two years in proportion.
    """
    whole, part = divmod(months / 12.0, 1.0)
    years, book = int(whole), scenario.book
    overrides: dict[str, Override] = {}
    for key in FOLLOWS_START:
        figure = book.figure(key)
        first, last = figure.years[0], figure.years[-1] + years + 1

        def at(year: int, key: str = key, first: int = first) -> float:
            return book.value(key, year) if year >= first else 0.0

        values = {str(y): (1.0 - part) * at(y - years) + part * at(y - years - 1) for y in range(first, last + 1)}
        overrides[key] = Override(value=values, because=BECAUSE)
    overrides[PILOT] = Override(value=book.value(PILOT) + years, because=BECAUSE)
    overrides[FULL] = Override(value=book.value(FULL) + years + (part > 0.0), because=BECAUSE)
    return scenario.with_overrides(overrides, "start")


def start_date(scenario: Scenario, months: float) -> dt.date:
    """The day on which the network starts when it is so many months later; in the middle of the pilot year (KPI 6)."""
    whole = round(months)
    year, month = divmod(6 + whole, 12)
    return dt.date(int(scenario.book.value(PILOT)) + year, month + 1, 1)


# ---------------------------------------------------------------- by path


def _by_path(scenario: Scenario, path: str, bounds: tuple[float, float] | None, where: str) -> Lever:
    if path.startswith(SETTINGS):
        raise InputError(
            where, f"{path!r}, which has no more or less", "a figure, or one of " + _listed(scenario, path)
        )
    try:
        figure = scenario.book.figure(path)
    except InputError as error:
        known = f"{_listed(scenario, path)}, or a figure's path ({error.expected})"
        raise InputError(where, repr(path), known) from None
    if bounds is None and (figure.dated or figure.low is None or figure.high is None):
        what = "multiples of its values by year" if figure.dated else "its own range is not known"
        raise InputError(where, f"{path} without a range ({what})", f"a range, such as {path}=0:2")
    low, high = bounds or (figure.low or 0.0, figure.high or 0.0)

    def turn(scenario: Scenario, level: float) -> Scenario:
        return changed(scenario, path, figure.dated, level, where)

    plan = 1.0 if figure.dated else figure.at()
    return Lever(path, "multiple" if figure.dated else "figure", low, high, 0, turn, plan)


def _listed(scenario: Scenario, given: str) -> str:
    """The levers that there are; of the places by programme those alone, to who asked for one."""
    known = names(scenario)
    of_programmes = [one for one in known if one.startswith("places_")]
    if given.startswith("places_"):
        return "places, " + ", ".join(of_programmes)
    return ", ".join(one for one in known if one not in of_programmes) + ", places_<programme>"


def _check(scenario: Scenario, made: Lever, where: str) -> None:
    """Refuse levels that cannot be, and a lever on which nothing that is simulated hangs."""
    if made.name == "diversion" and made.high > 0.9:
        raise InputError(where, f"a diversion of {made.high:g}", "at most 0.9")
    if made.shown == "months" and (made.low < 0.0 or made.high > LATEST):
        raise InputError(where, f"a start {made.low:g} to {made.high:g} months later", f"months from 0 to {LATEST}")
    ends: list[Any] = []
    for level in (made.low, made.high):
        try:
            turned = made.turn(scenario, level)
        except InputError as error:
            raise InputError(f"{where}: {made.name} = {level:g}", error.found, error.expected) from None
        ends.append(simulated(turned, f"{where}: {made.name} = {level:g}"))
    if ends[0] == ends[1]:
        network = scenario.settings["network"]
        raise InputError(
            where, f"{made.name}, on which nothing hangs with network = {network!r}", "a lever that does something"
        )
