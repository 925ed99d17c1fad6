"""Running an experiment block by block, on this machine's threads; `flowsim.study.cluster` does it on other machines.

A block is a row of replications that are run, sent and written together. What is in it follows from the experiment
alone, and so does what comes out of it: not from the number of threads or machines, nor from which blocks are already
there. Future ``i`` has the same unknowns and the same luck at every point, so points can be compared in pairs.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np

from flowsim.analysis.measures import PROBABILITY, measured
from flowsim.analysis.statistics import mean_interval, precision_reached, wilson
from flowsim.errors import InputError
from flowsim.model.network import Network
from flowsim.scenario import unknowns
from flowsim.scenario.schema import Override
from flowsim.study.design import Factor, Point
from flowsim.study.experiment import BECAUSE, Experiment
from flowsim.study.futures import Balances, Case
from flowsim.study.replicate import Outcome, run_in_two

BATCH: Final = 32
"""Futures that are added to a point together until its interval is short enough."""
CASES: Final = 16
"""Networks that are kept at hand; points that differ in unknowns only share one."""
BALANCES: Final = 4096
"""First days that are kept at hand."""

Columns = dict[str, np.ndarray]
"""What a block leaves: ``point``, ``future`` and each outcome, one row per replication."""


@dataclass(frozen=True)
class Block:
    """Block ``number`` holds replications ``first`` to ``last`` (exclusive) of all points after each other; or, when
    futures are added until they are precise, points ``first`` to ``last``."""

    number: int
    first: int
    last: int


class Blocks(Sequence[Block]):
    """The blocks of an experiment, in order; made as they are asked for."""

    def __init__(self, experiment: Experiment) -> None:
        self.futures = experiment.futures
        if experiment.futures is None:
            self.size = max(1, experiment.block // experiment.least)
            self.total = len(experiment.design)
        else:
            self.size = experiment.block
            self.total = len(experiment.design) * experiment.futures

    def __len__(self) -> int:
        return -(-self.total // self.size)

    def __getitem__(self, number: Any) -> Any:
        if not 0 <= number < len(self):
            raise IndexError(number)
        return Block(number, number * self.size, min(self.total, (number + 1) * self.size))

    def points(self, block: Block) -> range:
        """Numbers of the points that a block touches."""
        if self.futures is None:
            return range(block.first, block.last)
        return range(block.first // self.futures, (block.last - 1) // self.futures + 1)


class Runner:
    """Runs blocks of one experiment; keeps networks and first days at hand, a bounded number of them."""

    def __init__(self, experiment: Experiment) -> None:
        self.experiment = experiment
        self.cases: OrderedDict[tuple[Any, ...], Case] = OrderedDict()
        self.lock = threading.Lock()
        self.balances = Balances(experiment.seed)
        self.current = threading.local()

    def run(
        self,
        block: Block,
        points: Mapping[int, Point],
        threads: int | None = 1,
        progress: Callable[[int], None] | None = None,
    ) -> Columns:
        """The rows of a block; ``points``: those that it touches, by number. ``progress``: called with the
        replications done in this block.

        Raises
        ------
        InputError : figures that cannot go together at a point; the message names the point.
        """
        futures = self.experiment.futures
        if futures is not None:
            runs = [divmod(run, futures) for run in range(block.first, block.last)]
            return self._columns(runs, self.rows(runs, points, threads, progress))
        runs, rows = [], []
        for number in range(block.first, block.last):
            done = len(runs)
            count: Callable[[int], None] | None = None
            if progress is not None:
                count = partial(_shifted, progress, done)
            for future, row in enumerate(self._until_precise(number, points, threads, count)):
                runs.append((number, future))
                rows.append(row)
        return self._columns(runs, rows)

    def _columns(self, runs: Sequence[tuple[int, int]], rows: Sequence[tuple[float, ...]]) -> Columns:
        number, future = np.array(runs, np.int32).T
        values = np.array(rows, np.float64).T
        return {"point": number, "future": future, **dict(zip(self.experiment.outcomes, values, strict=True))}

    def rows(
        self,
        runs: Sequence[tuple[int, int]],
        points: Mapping[int, Point],
        threads: int | None,
        progress: Callable[[int], None] | None = None,
    ) -> list[tuple[float, ...]]:
        """The outcomes of these (point, future), in order."""
        jobs = (partial(self._job, number, points[number], future) for number, future in runs)
        with closing(run_in_two(jobs, _Measuring(self), threads, progress)) as done:
            return list(done)

    def _until_precise(
        self, number: int, points: Mapping[int, Point], threads: int | None, progress: Callable[[int], None] | None
    ) -> list[tuple[float, ...]]:
        """Batches of futures until the interval of the first outcome is short enough; the same on any threads."""
        experiment, rows = self.experiment, list[tuple[float, ...]]()
        while len(rows) < experiment.most:
            done = len(rows)
            count = min(BATCH if done else experiment.least, experiment.most - done)
            runs = [(number, future) for future in range(done, done + count)]
            rows += self.rows(runs, points, threads, None if progress is None else partial(_shifted, progress, done))
            values = np.array([row[0] for row in rows])
            binary = experiment.outcomes[0] == PROBABILITY
            estimate = wilson(int(values.sum()), len(values)) if binary else mean_interval(values)
            if precision_reached(estimate, experiment.half_width or 1.0, experiment.least):
                break
        return rows

    # ---------------------------------------------------------------- one replication, on a thread of the pool

    def _job(self, number: int, point: Point, future: int) -> tuple[Network, int, int]:
        experiment = self.experiment
        try:
            case, given = self._case(point, f"point {number} of {experiment.name}")
            drawn = {}
            if experiment.unknowns == "drawn":
                drawn = unknowns.values(case.scenario, unknowns.quantiles(experiment.seed, future))
            drawn |= given
            balances = self.balances
            if len(balances.known) > BALANCES:
                balances = self.balances = Balances(experiment.seed)
            network = case.template.network(drawn, balances.get(case.scenario, drawn))
        except InputError as error:
            named = zip((factor.path for factor in experiment.factors), point, strict=True)
            levels = ", ".join(f"{path} = {_written(level)}" for path, level in named)
            place = error.where.removeprefix(f"point {number} of {experiment.name}").removeprefix(": ")
            found = f"{error.found} ({place})" if place else error.found
            raise InputError(f"point {number} of {experiment.name} ({levels})", found, error.expected) from None
        self.current.case = case  # for what follows on the same thread
        return network, experiment.seed, future

    def _case(self, point: Point, name: str) -> tuple[Case, dict[str, float]]:
        """The case of a point, and the values of its factors that are unknowns.

        Building a network takes as long as simulating it. Points that differ in unknowns only share the network, as
        futures do, and get their numbers as if they were drawn. A value of 0 can change what there is (no worsening:
        no clock for it), and has a network of its own.
        """
        levels, given = list(point), dict[str, float]()
        for i, (factor, level) in enumerate(zip(self.experiment.factors, point, strict=True)):
            if factor.path in unknowns.UNKNOWNS and not factor.multiple and level != 0.0:
                levels[i] = None
                given[factor.path] = level
        key = tuple(levels)
        with self.lock:  # building holds the interpreter: two at a time would not be faster
            if key in self.cases:
                self.cases.move_to_end(key)
            else:
                while len(self.cases) >= CASES:
                    self.cases.popitem(last=False)
                self.cases[key] = self._build(key, name)
            return self.cases[key], given

    def _build(self, key: Point, name: str) -> Case:
        scenario = self.experiment.at(key, name)
        free = {
            factor.path: _free(factor)
            for factor, level in zip(self.experiment.factors, key, strict=True)
            if level is None
        }
        return Case(name, scenario.with_overrides(free, name))


@dataclass(frozen=True)
class _Measuring:
    """The outcomes of an experiment, read off each run by the case of its point."""

    runner: Runner

    @property
    def case(self) -> Case:
        """The case whose job the present thread has made."""
        case: Case = self.runner.current.case
        return case

    @property
    def look(self) -> int:
        return self.case.reduce.look

    def settled(self, overdue: np.ndarray) -> bool | None:
        return self.case.reduce.settled(overdue)

    def __call__(self, first: Outcome, network: Network, whole: Outcome | None) -> tuple[float, ...]:
        future = self.case.reduce(first, network, whole)
        return measured(future, self.runner.experiment.outcomes, self.case.definition)


def _free(factor: Factor) -> Override:
    """An unknown that its points set: uncertain in the network that they share, at a value that is not 0."""
    ends = [float(end) for end in factor.ends()]
    typical = float(factor.base) or max(ends, key=abs)
    low, high = min(*ends, typical), max(*ends, typical)
    if low == high:
        low, high = sorted((typical, 2.0 * typical))
    return Override(value=typical, low=low, high=high, because=BECAUSE)


def _written(level: Any) -> str:
    return f"{level:g}" if isinstance(level, float) else repr(level)


def _shifted(progress: Callable[[int], None], before: int, done: int) -> None:
    progress(before + done)


def on_threads(
    experiment: Experiment,
    blocks: Iterator[Block],
    threads: int | None,
    progress: Callable[[Block, int], None],
) -> Iterator[tuple[Block, Columns]]:
    """The blocks one by one, each on all threads: one block is in memory at a time. ``progress``: called with a block
    and the replications done in it."""
    runner, numbers = Runner(experiment), Blocks(experiment)
    for block in blocks:
        points = {number: experiment.design.point(number) for number in numbers.points(block)}
        yield block, runner.run(block, points, threads, partial(progress, block))
