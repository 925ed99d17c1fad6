"""A lever on a scenario: futures simulated at its levels, remembered, and paid for out of a budget."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import Final

import numpy as np

from flowsim.analysis.clearing import Future
from flowsim.analysis.goal import Goal
from flowsim.analysis.rootfinding import BudgetSpent
from flowsim.scenario import unknowns
from flowsim.scenario.load import Scenario
from flowsim.study.futures import Balances, Case
from flowsim.study.levers import Lever
from flowsim.study.replicate import run_in_two

CASES: Final = 24
"""Networks at hand in a search."""

Progress = Callable[[str, int, int], None]
"""Called with the name of a search, the futures simulated so far in all, and the budget."""


class Purse:
    """Futures that may still be simulated."""

    def __init__(self, budget: int, progress: Progress | None) -> None:
        self.budget, self.spent, self.progress = budget, 0, progress
        self.until = budget

    @property
    def left(self) -> int:
        """What the search at hand may still use."""
        return self.until - self.spent

    def take(self, number: int) -> None:
        """Take so many out of the purse."""
        if number > self.left:
            raise BudgetSpent
        self.spent += number


@dataclass
class Bench:
    """A scenario with one lever on it: simulates futures at its levels and remembers what they gave.

    Levels are numbered from ``lever.low`` (0) to ``lever.high`` (``cells``).
    """

    name: str
    scenario: Scenario
    lever: Lever
    goal: Goal
    cells: int
    seed: int
    balances: Balances
    purse: Purse
    threads: int | None
    values: dict[int, np.ndarray] = field(default_factory=dict)
    overdue: dict[int, np.ndarray] = field(default_factory=dict)
    cases: OrderedDict[tuple[int, bool], Case] = field(default_factory=OrderedDict)

    def level(self, number: int) -> float:
        """The lever's level, in its own unit."""
        return round(self.lever.low + (self.lever.high - self.lever.low) * number / self.cells, 10)

    def run(self, number: int, futures: np.ndarray) -> np.ndarray:
        """What these futures give at a level (`Goal.values`), simulated where it is not there yet: (m,)."""
        size = int(futures.max(initial=-1)) + 1
        row = self.values.get(number, np.empty(0))
        if len(row) < size:
            row = np.concatenate([row, np.full(size - len(row), np.nan)])
            self.values[number] = row
        missing = futures[np.isnan(row[futures])]
        if len(missing):
            row[missing] = self._simulated(number, [int(i) for i in missing])
        return np.asarray(row[futures])

    def complete(self, number: int) -> np.ndarray:
        """The values of the first futures of a level, as far as they are all there."""
        row = self.values.get(number, np.empty(0))
        gaps = np.flatnonzero(np.isnan(row))
        return row[: gaps[0]] if len(gaps) else row

    def _simulated(self, number: int, futures: list[int]) -> np.ndarray:
        self.purse.take(len(futures) * (2 if self.goal.needs_base else 1))
        case = self.case(number)
        done = self._futures(case, futures)
        drawn = [unknowns.values(case.scenario, unknowns.quantiles(self.seed, i)) for i in futures]
        base = None
        if self.goal.needs_base:
            base = copy.copy(self.case(number, without=True))
            base.futures = self._futures(base, futures)
        left = np.array([one.by_programme[-1, :, 1] for one in done], np.float64)
        known = self.overdue.get(number)
        self.overdue[number] = np.zeros((0, left.shape[1])) if known is None else known
        room = max(futures) + 1 - len(self.overdue[number])
        if room > 0:
            self.overdue[number] = np.pad(self.overdue[number], ((0, room), (0, 0)), constant_values=np.nan)
        self.overdue[number][futures] = left
        return self.goal.values(case, done, drawn, base)

    def _futures(self, case: Case, numbers: Sequence[int]) -> list[Future]:
        before = self.purse.spent - len(numbers)

        def tell(done: int) -> None:
            if self.purse.progress is not None:
                self.purse.progress(self.name, max(0, before) + done, self.purse.budget)

        jobs = (partial(case.job, i, self.seed, self.balances) for i in numbers)
        with closing(run_in_two(jobs, case.reduce, self.threads, tell)) as results:
            return list(results)

    def case(self, number: int, without: bool = False) -> Case:
        """The case of a level; ``without`` a network."""
        key = number, without
        if key not in self.cases:
            while len(self.cases) >= CASES:
                self.cases.popitem(last=False)
            scenario = self.lever.turn(self.scenario, self.level(number))
            if without:
                scenario = scenario.with_settings(scenario.name, network="none")
            self.cases[key] = Case(f"{self.name}: {self.lever.name} = {self.level(number):g}", scenario)
        self.cases.move_to_end(key)
        return self.cases[key]
