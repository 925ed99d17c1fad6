"""The options of a steering group after the pilot year (TP 5.1): continue, extend, stop; and what measuring gives.

All options are one scenario with figures that differ from the first day after the pilot year on. Until then they are
the same futures, to the last resident.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from flowsim.errors import InputError
from flowsim.plan.years import YEARS
from flowsim.scenario import unknowns
from flowsim.scenario.flows import FUNCTIONS
from flowsim.scenario.load import Scenario
from flowsim.scenario.schema import Override
from flowsim.scenario.unknowns import triangular

CONTINUE: Final = "continue"
EXTEND: Final = "extend"
STOP: Final = "stop"
PILOT: Final = "functions.pilot_year"
OPTIONS: Final = (CONTINUE, EXTEND, STOP)
LEVELS_OF_CARE: Final = ("basic", "specialist")
WEEK_OF_WAITING: Final = "assumptions.week_of_waiting"
EXTENSION: Final = "assumptions.extension_places"
REGISTRATION: Final = "measurement.registration"


def options(scenario: Scenario, extension: Scenario | None = None) -> dict[str, Scenario]:
    """Continue: the scenario. Stop: its functions end with the pilot year. Extend: more treatment places from then on.

    Parameters
    ----------
    extension : another extension than `EXTENSION` of extra places, such as more conversations or fewer.

    Raises
    ------
    InputError : a scenario whose network is not made of functions (its costs are not known), or whose pilot year is
        none of the five; an extension of another region or that differs in more than what happens after the first day.
    """
    for one in (scenario, *([extension] if extension else [])):
        network = one.settings["network"]
        if network != "functions":
            found = f"network = {network!r}"
            raise InputError(f"scenario {one.name}", found, 'network = "functions": only its costs are known')
    pilot = int(scenario.book.value(PILOT))
    if pilot not in YEARS:
        expected = f"a year from {YEARS[0]} to {YEARS[-1]}: the options begin after it"
        raise InputError(f"scenario {scenario.name}: {PILOT}", str(pilot), expected)
    ends = {
        f"functions.{name}": Override(
            value={str(pilot): scenario.book.value(f"functions.{name}", pilot), str(pilot + 1): 0.0},
            because="the network stops after the pilot year",
        )
        for name in FUNCTIONS
    }
    if extension is None:
        extension = _more_places(scenario, pilot)
    elif extension.region != scenario.region:
        raise InputError("extension", f"the region {extension.region!r}", f"the scenario's, {scenario.region!r}")
    elif _ranges(extension) != _ranges(scenario):
        raise InputError("extension", "other unknowns than the scenario's", "the same figures with the same ranges")
    return {CONTINUE: scenario, EXTEND: extension, STOP: scenario.with_overrides(ends, STOP)}


def _more_places(scenario: Scenario, pilot: int) -> Scenario:
    share = scenario.book.value(EXTENSION)
    more = {}
    for level in LEVELS_OF_CARE:
        key = f"assumptions.extra_places_{level}"
        figure = scenario.book.figure(key)
        years = [year for year in figure.years if year > pilot] or [pilot + 1]
        values = {str(pilot): figure.at(pilot), **{str(year): figure.at(year) + share for year in (pilot + 1, *years)}}
        more[key] = Override(value=values, because=f"{share:.0%} more places after the pilot year")
    return scenario.with_overrides(more, EXTEND)


def _ranges(scenario: Scenario) -> dict[str, tuple[float, float | None, float | None]]:
    figures = {key: scenario.book.figure(key) for key in unknowns.drawn(scenario)}
    return {key: (figure.at(), figure.low, figure.high) for key, figure in figures.items()}


KINDS: Final = {
    "assumptions.list_size": "relative",
    "assumptions.reneging_share": "share",
    "assumptions.patience_shape": "relative",
    "assumptions.demand_growth": "absolute",
    "public.duration_basic": "relative",
    "public.duration_basic_cv": "relative",
    "public.basic_share": "share",
    "assumptions.specialist_cv": "relative",
    "assumptions.return_share": "share",
    "assumptions.programme_wait_spread": "absolute",
    "assumptions.worsening": "share",
    "assumptions.multi_domain_share_specialist": "share",
    "assumptions.personality_share": "share",
    "assumptions.trauma_share": "share",
    "assumptions.smi_wait": "relative",
}
"""How an unknown is measured: a ``share`` of so many counted, or with a ``relative`` or ``absolute`` standard error."""


def measured_by(scenario: Scenario, unknown: str) -> str | None:
    """The figure that says how well a quarter measures an unknown; None: nobody has said how it could be measured."""
    key = f"measurement.{unknown.rpartition('.')[2]}"
    return key if unknown in KINDS and key in scenario.book else None


def measurement(scenario: Scenario, unknown: str) -> Callable[[np.ndarray, np.random.Generator], np.ndarray] | None:
    """Simulates a quarter's measurement of an unknown: its quantiles (m,) -> measured values (m,); None: see
    `measured_by`."""
    key = measured_by(scenario, unknown)
    if key is None:
        return None
    error, figure = scenario.book.value(key), scenario.book.figure(unknown)
    low, high = figure.low or 0.0, figure.high or 0.0
    kind = KINDS[unknown]

    def measure(u: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        true = np.array([triangular(low, figure.at(), high, float(x)) for x in u])
        if kind == "share":
            return np.asarray(rng.binomial(round(error), np.clip(true, 0.0, 1.0)) / round(error))
        spread = error * np.abs(true) if kind == "relative" else error
        return np.asarray(true + spread * rng.standard_normal(len(true)))

    return measure
