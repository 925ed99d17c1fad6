"""What nobody knows, and what each simulated future assumes about it.

Every unknown is a figure with a range. By the prior a future draws a value for each from the triangular distribution
with the figure's value as its mode; by the posterior it takes a point of `flowsim.scenario.posterior`. A scenario that
overrides a figure without a range fixes it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

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
SCRAMBLINGS: Final = 16
"""Independent scramblings of Sobol's points that futures take turns in, where they are drawn that way."""
DRAWS: Final = ("independent", "sobol")
"""How futures draw their unknowns: each by itself, or in turn from scrambled Sobol points."""
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
    of_seed = np.uint64(draws.output(STREAM, seed))
    key = np.uint64(draws.output(of_seed, future))
    return {name: float(draws.unit(np.uint64(draws.output(key, i)))) for i, name in enumerate(UNKNOWNS)} | {
        POINT: point_quantile(seed, future)
    }


def point_quantile(seed: int, future: int) -> float:
    """The number that says which point of the posterior a future takes, among its `quantiles`."""
    point = draws.output(np.uint64(draws.output(POINT_STREAM, seed)), future)
    return float(draws.unit(np.uint64(point)))


def sobol(seed: int, scrambling: int, count: int) -> np.ndarray:
    """The first points of one scrambling of Sobol's sequence: (count, d) uniform numbers, in the order of `UNKNOWNS`
    and then `POINT`; each point by itself is uniform, together they fill the cube evenly.

    Left matrix scrambling with a digital shift, from `scipy.stats.qmc` (A. B. Owen, "Scrambled net variance for
    integrals of smooth functions", Annals of Statistics 25(4), 1997, p. 1541: the variance of a mean over one
    scrambling falls faster than 1/n where the integrand is smooth, and is never much above that of n draws).
    """
    return _sobol(seed, scrambling, 1 << max(count - 1, 1).bit_length())[:count]


@lru_cache(maxsize=4 * SCRAMBLINGS)
def _sobol(seed: int, scrambling: int, count: int) -> np.ndarray:
    from scipy.stats import qmc

    generator = np.random.default_rng([seed, scrambling, 0x736F626F])
    points = qmc.Sobol(len(UNKNOWNS) + 1, scramble=True, rng=generator).random(count)
    return np.clip(np.asarray(points), 0.0, np.nextafter(1.0, 0.0))


def quantiles_in_turn(seed: int, future: int) -> dict[str, float]:
    """As `quantiles`, from scrambled Sobol points: future ``i`` has point ``i // R`` of scrambling ``i % R``, with R =
    `SCRAMBLINGS`."""
    place, scrambling = divmod(future, SCRAMBLINGS)
    row = _sobol(seed, scrambling, max(64, 1 << place.bit_length()))[place]
    return dict(zip((*UNKNOWNS, POINT), row.tolist(), strict=True))


def values(scenario: Scenario, uniforms: Mapping[str, float], ordered: bool = False) -> dict[str, float]:
    """The value of each uncertain figure at these quantiles (see `quantiles`).

    ``ordered``: take the point of the posterior from the list in which neighbours resemble each other, as evenly
    spread uniforms want it, and not from the list as it is.
    """
    result = {}
    for key in drawn(scenario):
        figure = scenario.book.figure(key)
        low, high = figure.low or 0.0, figure.high or 0.0
        result[key] = triangular(low, figure.at(), high, uniforms[key])
    if scenario.settings["unknowns"] == "posterior":
        from flowsim.scenario import posterior  # which builds on this module

        result |= posterior.point(scenario, uniforms[POINT], ordered)
    return result


def population(scenario: Scenario, seed: int, sets: int, count: int) -> tuple[dict[str, Any], bool]:
    """Values that stand for all that futures can draw: an array per unknown, in the order of `values`.

    Where all unknowns come from the posterior, that is its points (N,), every one of them: the flag is True. Else
    ``sets`` independent scramblings of ``count`` Sobol points, (sets, count), with other numbers than any future has.
    """
    from flowsim.scenario import posterior

    names = list(values(scenario, quantiles(seed, 0)))
    points = posterior.all_points(scenario)
    if names and set(names) <= points.keys():
        return {name: points[name] for name in names}, True
    uniforms = np.stack([sobol(seed, SCRAMBLINGS + r, count) for r in range(sets)])
    made: dict[str, np.ndarray] = {}
    at = dict(zip((*UNKNOWNS, POINT), np.moveaxis(uniforms, 2, 0), strict=True))
    for name in names:
        if name in points:
            rows = np.minimum((at[POINT] * len(points[name])).astype(int), len(points[name]) - 1)
            made[name] = points[name][rows]
        else:
            figure = scenario.book.figure(name)
            shape = figure.low or 0.0, figure.at(), figure.high or 0.0
            made[name] = np.vectorize(triangular)(*shape, at[name])
    return made, False
