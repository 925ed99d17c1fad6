"""Design points: a full grid, a Latin hypercube, a Sobol sequence, or one factor at a time.

The points of a grid, a Sobol sequence and a one-at-a-time design are made as they are asked for; a Latin hypercube is
a permutation of all of its points and is held as one array (8 bytes a point and factor).

References
----------
.. [1] M. D. McKay, R. J. Beckman and W. J. Conover, "A comparison of three methods for selecting values of input
   variables in the analysis of output from a computer code", Technometrics 21(2), 1979, p. 239.
.. [2] I. M. Sobol', "On the distribution of points in a cube and the approximate evaluation of integrals", USSR
   Computational Mathematics and Mathematical Physics 7(4), 1967, p. 86; scrambled as A. B. Owen, "Scrambling Sobol'
   and Niederreiter-Xing points", Journal of Complexity 14(4), 1998, p. 466. Points by `scipy.stats.qmc`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from flowsim.errors import InputError
from flowsim.scenario.unknowns import triangular

SAMPLED: Final = ("latin_hypercube", "sobol")
MOST_HYPERCUBE: Final = 1_000_000
MOST_POINTS: Final = 2**31 - 1
CHUNK: Final = 1024
"""Points of a Sobol sequence that are made together; a power of two."""
TAILS: Final = (0.05, 0.95)
"""Quantiles of a posterior that stand for its ends, one at a time."""

Point = tuple[Any, ...]
"""A level for each factor: a number, or the value of a setting."""


@dataclass(frozen=True)
class Factor:
    """What is varied.

    Attributes
    ----------
    path : a figure's key, or ``settings.<name>``.
    base : its level in the base scenario: a number, 1.0 for multiples, or the value of a setting.
    values : the levels; or
    range : the ends, every value as likely as any other, unless
    mode : is given: then triangular, as futures draw unknowns.
    steps : number of levels of a range. multiple : levels are multiples of the figure's own values.
    """

    path: str
    base: Any
    values: tuple[Any, ...] = ()
    range: tuple[float, float] | None = None
    mode: float | None = None
    steps: int | None = None
    multiple: bool = False

    def at(self, u: float) -> Any:
        """The level at quantile ``u``, from 0 to 1 (exclusive)."""
        if self.range is None:
            return self.values[min(int(u * len(self.values)), len(self.values) - 1)]
        low, high = self.range
        if self.mode is None:
            return low + u * (high - low)
        return triangular(low, self.mode, high, u)

    def levels(self) -> tuple[Any, ...]:
        """The values; of a range, ``steps`` of them at equal distances, ends included; of a posterior, the middles of
        ``steps`` equally likely parts."""
        if self.range is None:
            return self.values
        if self.steps is None:
            return self.ends()
        if self.mode is None:
            return tuple(float(x) for x in np.linspace(*self.range, self.steps))
        return tuple(self.at((i + 0.5) / self.steps) for i in range(self.steps))

    def ends(self) -> tuple[Any, ...]:
        """The lowest and highest level; of a posterior its 5% and 95% quantiles; of a setting every value."""
        if self.range is None:
            return self.values if isinstance(self.base, (str, bool)) else tuple({min(self.values), max(self.values)})
        return self.range if self.mode is None else tuple(self.at(u) for u in TAILS)


class Design:
    """The points of an experiment, by number.

    Parameters
    ----------
    kind : ``grid`` (the last factor varies fastest), ``latin_hypercube``, ``sobol``, or ``one_at_a_time`` (point 0 is
        the base; then each factor's levels, one by one).
    points : how many, of a Latin hypercube or a Sobol sequence (a power of two).
    seed : of those two.

    Raises
    ------
    InputError : more points than can be counted.
    """

    def __init__(self, kind: str, factors: tuple[Factor, ...], points: int | None = None, seed: int = 0) -> None:
        self.kind = kind
        self.factors = factors
        self.seed = seed
        self.steps = [factor.levels() for factor in factors] if kind not in SAMPLED else []
        if kind == "grid":
            self.count = math.prod(map(len, self.steps))
        elif kind == "one_at_a_time":
            self.singles = [
                (i, level)
                for i, (factor, levels) in enumerate(zip(factors, self.steps, strict=True))
                for level in levels
                if level != factor.base
            ]
            self.count = 1 + len(self.singles)
        else:
            self.count = points or 0
        if self.count > MOST_POINTS:
            raise InputError("design", f"{self.count:,} points", f"at most {MOST_POINTS:,}")
        self._sobol: Any = None
        self._chunk: tuple[int, np.ndarray] = (-1, np.empty((0, 0)))
        self._hypercube: np.ndarray | None = None

    def __len__(self) -> int:
        return self.count

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.kind, self.factors, self.count if self.kind in SAMPLED else None, self.seed)

    def point(self, number: int) -> Point:
        """The level of each factor at a point."""
        if self.kind == "grid":
            places = np.unravel_index(number, [len(levels) for levels in self.steps])
            return tuple(levels[int(place)] for levels, place in zip(self.steps, places, strict=True))
        if self.kind == "one_at_a_time":
            levels = [factor.base for factor in self.factors]
            if number > 0:
                which, level = self.singles[number - 1]
                levels[which] = level
            return tuple(levels)
        u = self._unit(number)
        return tuple(factor.at(float(x)) for factor, x in zip(self.factors, u, strict=True))

    def _unit(self, number: int) -> np.ndarray:
        """A point in the unit cube."""
        from scipy.stats import qmc

        width = len(self.factors)
        if self.kind == "latin_hypercube":
            if self._hypercube is None:
                sampler = qmc.LatinHypercube(width, seed=np.random.default_rng(self.seed))
                self._hypercube = sampler.random(self.count)
            return np.asarray(self._hypercube[number])
        size = min(CHUNK, self.count)
        chunk, place = divmod(number, size)
        if self._chunk[0] != chunk:
            at = 0 if self._sobol is None else self._sobol.num_generated
            if self._sobol is None or chunk * size < at:
                self._sobol, at = qmc.Sobol(width, scramble=True, seed=np.random.default_rng(self.seed)), 0
            if chunk * size > at:
                self._sobol.fast_forward(chunk * size - at)
            self._chunk = (chunk, self._sobol.random(size))
        return np.asarray(self._chunk[1][place])
