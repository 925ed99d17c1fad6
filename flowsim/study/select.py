"""Which scenario is best? Ranking and selection with KN++ of sim-tools, on common random numbers.

References
----------
.. [1] S.-H. Kim and B. L. Nelson, "On the asymptotic validity of fully sequential selection procedures for steady-state
   simulation", Operations Research 54(3), 2006, p. 475: KN++, which renews its variances as it goes.
.. [2] S.-H. Kim and B. L. Nelson, "A fully sequential procedure for indifference-zone selection in simulation", ACM
   TOMACS 11(3), 2001, p. 251: with variances of paired differences and Bonferroni's rule, common random numbers are
   allowed (section 3.1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from flowsim.errors import InputError, extra

ALPHA: Final = 0.05
FIRST_STAGE: Final = 32
"""Observations of every scenario before the first one is dropped."""
MOST: Final = 4_000

Observe = Callable[[int, int], float]
"""The outcome of a scenario (by its place) in a future."""


@dataclass(frozen=True)
class Selection:
    """What was chosen.

    Attributes
    ----------
    kept : places of the scenarios that were not dropped; one: it is the best.
    futures : observations of every scenario. means : of its observations.
    decided : whether one was left before ``most`` futures were used up.
    """

    kept: tuple[int, ...]
    futures: tuple[int, ...]
    means: tuple[float, ...]
    decided: bool


class _UsedUp(Exception):
    """No more futures are allowed."""


class _Futures:
    """The simulation as sim-tools calls it: one observation of a design at a time, told to the observer."""

    def __init__(self, observe: Observe, designs: int, most: int) -> None:
        self.observe, self.most = observe, most
        self.taken: list[list[float]] = [[] for _ in range(designs)]
        self.observer: Any = None

    def register_observer(self, observer: Any) -> None:
        self.observer = observer

    def simulate(self, design: int) -> None:
        mine = self.taken[design]
        if len(mine) >= self.most:
            raise _UsedUp
        mine.append(float(self.observe(int(design), len(mine))))
        self.observer.feedback(self, design, mine[-1])


def select_best(
    observe: Observe, count: int, indifference: float, largest: bool, alpha: float = ALPHA, most: int = MOST
) -> Selection:
    """Drop scenarios until one is left (KN++, [1]_).

    With probability at least 1 - ``alpha``, as the indifference gets small, the best is chosen when it is better than
    every other by ``indifference`` or more; which of scenarios that lie closer together is chosen does not matter by
    assumption.

    Parameters
    ----------
    observe : called for each remaining scenario with 0, 1, 2, ...; the same future for all of them.
    count : scenarios. largest : whether more is better.
    most : futures at most; then the scenarios that are left are returned, undecided.

    Raises
    ------
    InputError : sim-tools is not installed.
    """
    try:
        from sim_tools.ovs.indifference_zone import KNPlusPlus  # type: ignore[import-untyped]
    except ImportError:
        raise InputError("--best", "no sim-tools", extra("research")) from None

    class Paired(KNPlusPlus):  # type: ignore[misc]  # sim-tools has no types
        """KN++ for common random numbers: the variance of differences, and a distance that is never negative.

        sim-tools adds up the variances of the two designs, which wastes what pairing gains, and lets the distance go
        below zero: two designs with equal means, as outcomes of 0 and 1 often have, then drop each other, none is left
        and it never ends.
        """

        def _elimination_distance(self, design_i: int, design_j: int) -> float:
            a, b = (np.array(model.taken[design][: self._n]) for design in (design_i, design_j))
            variance = float(np.var(a - b, ddof=1))
            distance = (self._delta / (2 * self._n)) * (self._h_squared * variance / self._delta**2 - self._n)
            if distance > 0.0:
                return float(distance)
            # At the end of the procedure exactly one of the two goes: the worse, of equal ones the later. The means of
            # sim-tools are running ones, which rounding can set apart, so they are not asked.
            better = float(a.sum() - b.sum()) * self._negate
            return -math.inf if better < 0.0 or (better == 0.0 and design_i > design_j) else math.inf

    model = _Futures(observe, count, most)
    # sim-tools shares alpha out as for independent designs; this alpha makes it Bonferroni's alpha / (k - 1) ([2]_).
    shared = 1.0 - (1.0 - alpha / (count - 1)) ** (count - 1)
    procedure = Paired(
        model, n_designs=count, delta=indifference, alpha=shared, n_0=FIRST_STAGE, obj="max" if largest else "min"
    )
    decided = True
    try:
        kept: Sequence[int] = procedure.solve()
    except _UsedUp:
        kept, decided = procedure._contenders, False
    return Selection(
        kept=tuple(int(design) for design in kept),
        futures=tuple(len(mine) for mine in model.taken),
        means=tuple(float(np.mean(mine)) for mine in model.taken),
        decided=decided,
    )
