"""What nobody knows, and what each simulated future assumes about it.

Every unknown is a figure with a range. By the prior a future draws a value for each from the triangular distribution
with the figure's value as its mode; by the posterior it takes a point of `flowsim.scenario.posterior`. A scenario that
overrides a figure without a range fixes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

import numpy as np

from flowsim.model import draws
from flowsim.scenario.load import Scenario

UNKNOWNS: Final = (
    "assumptions.list_size",
    "assumptions.reneging_share",
    "assumptions.patience_shape",
    "assumptions.demand_growth",
    "public.duration_basic",
    "public.duration_basic_cv",
    "assumptions.specialist_cv",
    "public.basic_share",
    "assumptions.return_share",
    "assumptions.programme_wait_spread",
    "assumptions.worsening",
    "assumptions.multi_domain_share_specialist",
    "assumptions.personality_share",
    "assumptions.trauma_share",
    "assumptions.smi_wait",
    "assumptions.would_have_entered",
    "assumptions.staff_growth",
)
"""Figures that futures draw, when they have a range in the scenario. New ones go to the end: places are addresses."""
STREAM: Final = np.uint64(0x70617261)
"""Root of the draws of unknowns, apart from those of residents."""
POINT: Final = "posterior"
"""Name of the uniform number that says which point of the posterior a future takes."""
POINT_STREAM: Final = np.uint64(0x706F7374)
"""Root of those numbers."""
FIXED_BY_DEFAULT: Final = frozenset({"assumptions.would_have_entered", "assumptions.staff_growth"})
"""Levers: they have a range to say what is thinkable, and stay at their value unless a scenario gives them a range."""


def drawn(scenario: Scenario) -> tuple[str, ...]:
    """The figures that are uncertain in this scenario."""
    changed = {change.key for change in scenario.changes}
    names = []
    for key in UNKNOWNS:
        figure = scenario.book.figure(key)
        if figure.low is None or figure.high is None or figure.low == figure.high:
            continue
        if key not in FIXED_BY_DEFAULT or key in changed:
            names.append(key)
    return tuple(names)


def triangular(low: float, mode: float, high: float, u: float) -> float:
    """Quantile ``u`` of the triangular distribution (Johnson and Kotz 1999, eq. 2)."""
    split = (mode - low) / (high - low)
    if u < split:
        return low + math.sqrt(u * (high - low) * (mode - low))
    return high - math.sqrt((1.0 - u) * (high - low) * (high - mode))


def quantiles(seed: int, future: int) -> dict[str, float]:
    """A uniform number per unknown for one future, addressed by seed, future and the unknown's place; and one for its
    point of the posterior."""
    point = draws.output(np.uint64(draws.output(POINT_STREAM, seed)), future)
    of_seed = np.uint64(draws.output(STREAM, seed))
    key = np.uint64(draws.output(of_seed, future))
    return {name: float(draws.unit(np.uint64(draws.output(key, i)))) for i, name in enumerate(UNKNOWNS)} | {
        POINT: float(draws.unit(np.uint64(point)))
    }


def values(scenario: Scenario, uniforms: Mapping[str, float]) -> dict[str, float]:
    """The value of each uncertain figure at these quantiles (see `quantiles`)."""
    result = {}
    for key in drawn(scenario):
        figure = scenario.book.figure(key)
        low, high = figure.low or 0.0, figure.high or 0.0
        result[key] = triangular(low, figure.at(), high, uniforms[key])
    if scenario.settings["unknowns"] == "posterior":
        from flowsim.scenario import posterior  # which builds on this module

        result |= posterior.point(scenario, uniforms[POINT])
    return result
