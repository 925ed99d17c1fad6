"""Scenario -> network document -> `Network`: the region in the engines' terms.

Stations stand in the order in which residents meet them, so that the luck of a resident at a later station does not
depend on which earlier ones were passed (see `flowsim.model.draws`).
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from typing import Any

import numpy as np

from flowsim.errors import InputError, written
from flowsim.model.document import PLAIN
from flowsim.model.network import Network
from flowsim.plan.figures import FigureBook, to_write
from flowsim.scenario.baseline import WEEK
from flowsim.scenario.load import Scenario
from flowsim.scenario.routes import Routes
from flowsim.scenario.stations import Stations


class Compiler(Stations, Routes):
    """Writes the network document of one scenario for one set of values of the unknowns."""

    def document(self) -> dict[str, Any]:
        """The network document, in days from the region's first day."""
        made: dict[str, Any] = _plain(
            {
                "title": self.scenario.title,
                "horizon": self.horizon,
                "snapshot_every": WEEK,
                "periods": self.months(),
                "waiting_norm": self.norm(),
                "wait_bin": WEEK,
                "classes": self.classes,
                "stations": self.stations(),
                "pools": self.pools(),
                "arrivals": self.arrivals(),
                "routes": self.routes(),
                "stop_rules": self.stop_rules(),
            }
        )
        return made


def _plain(value: Any) -> Any:
    """The numbers of one future as Python's."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key: item if type(item) in PLAIN else _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([item if type(item) in PLAIN else _plain(item) for item in value])
    return value


def compile_scenario(scenario: Scenario, drawn: Mapping[str, float] | None = None) -> Network:
    """The network of a scenario, for given values of the unknowns (left out: the figures' own values).

    Raises
    ------
    InputError : what is no scenario, a drawn figure that it does not have, values that cannot go together; the message
        names the scenario and the place, or the file and the figure in it that cannot be used.

    Examples
    --------
    >>> import flowsim
    >>> network = flowsim.compile_scenario(flowsim.load_scenario())
    >>> network.station_names[:2]
    ('gp', 'gp_mental_health')
    """
    if not isinstance(scenario, Scenario):
        raise InputError("scenario", repr(scenario)[:60], "a scenario, as flowsim.load_scenario gives it")
    if drawn is not None and not isinstance(drawn, Mapping):
        raise InputError("drawn", repr(drawn)[:60], "values by the keys of their figures, or None")
    for key in drawn or ():
        if key not in scenario.book:
            expected = "the key of a figure, such as assumptions.demand_growth"
            raise InputError("drawn", f"{key!r}, a figure that the region does not have", expected)
    try:
        return _compiled(scenario, drawn or {})
    except InputError as error:
        if error.code.startswith("scenario.unknown_figure"):  # that the model asks for: a region that stands alone
            key = str(error.values["name"])
            expected = f"{to_write(key)}; or figures_from in region.toml"
            raise InputError(f"{error.where}: {key}", "nothing", expected, error.code, **error.values) from None
        if drawn:
            raise
        raise _at_the_figure(scenario, error) from None


def _compiled(scenario: Scenario, drawn: Mapping[str, float]) -> Network:
    try:
        with np.errstate(all="ignore"):  # what is no number is refused below
            document = Compiler(scenario, drawn).document()
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        place = f"scenario {scenario.name}"
        found, expected = f"figures that cannot go together ({error})", "figures within their ranges"
        raise InputError(place, found, expected, "scenario.together") from None
    return Network.from_dict(document, f"scenario {scenario.name}")


def _at_the_figure(scenario: Scenario, error: InputError) -> InputError:
    """The same refusal at a figure that whoever wrote the scenario changed: the one that the message names; else the
    first without whose change there is a network, or with whose change alone there is none. No such figure: as it is.
    """
    changed = {change.key: change for change in scenario.changes}  # the innermost file's
    prefix = f"scenario {scenario.name}"
    place = error.where.removeprefix(f"{prefix}: ").removeprefix(prefix)
    named = changed.get(place.removeprefix("figures."))
    if named is not None:
        return error.at(f"{named.file}: {place}")
    key = next((key for key in changed if _refusal(scenario, {key}) is None), "")
    if not key:
        for key in changed:
            if alone := _refusal(scenario, changed.keys() - {key}):
                error, place = alone, alone.where.removeprefix(f"{prefix}: ").removeprefix(prefix)
                break
        else:
            return error
    change = changed[key]
    values = {day.year: int(value) if value.is_integer() else value for day, value in change.after.values}
    found = f"{place}: found {error.found}; expected {error.expected}" if place else error.found
    return InputError(
        f"{change.file}: figures.{key}",
        written(values if change.after.dated else next(iter(values.values()))),
        f"a value that the model can use (with this one, {found})",
        "scenario.together",
    )


def _refusal(scenario: Scenario, without: Set[str]) -> InputError | None:
    """Why there is no network when these figures are as the region has them; None: there is one."""
    stated = {change.key: change.before for change in reversed(scenario.changes)}
    book = {**scenario.book, **{key: stated[key] for key in without}}
    kept = tuple(change for change in scenario.changes if change.key not in without)
    try:
        _compiled(replace(scenario, book=FigureBook(scenario.book.region, book), changes=kept), {})
    except InputError as error:
        return error
    return None
