"""Scenario -> network document -> `Network`: the region in the engines' terms.

Stations stand in the order in which residents meet them, so that the luck of a resident at a later station does not
depend on which earlier ones were passed (see `flowsim.model.draws`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from flowsim.errors import InputError
from flowsim.model.document import PLAIN
from flowsim.model.network import Network
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
    if type(value) in PLAIN:
        return value
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
        names the scenario and the place.

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
        with np.errstate(all="ignore"):  # what is no number is refused below
            document = Compiler(scenario, drawn or {}).document()
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        place = f"scenario {scenario.name}"
        found, expected = f"figures that cannot go together ({error})", "figures within their ranges"
        raise InputError(place, found, expected, "scenario.together") from None
    return Network.from_dict(document, f"scenario {scenario.name}")
