"""What the app simulates: the plan under each reading, a visitor's scenarios side by side, the route of residents.

Each is the work of a job (`flowsim.present.app.jobs`): a generator that pauses between slices, publishes a first result
after a few futures and a finer one after more. Scenarios share their unknowns and their luck (common random numbers),
and share the run without a network where they differ in the network only.
"""

from __future__ import annotations

import copy
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.statistics import Estimate, mean_interval, paired_difference
from flowsim.present.app.jobs import Job
from flowsim.present.app.queues import Queues, queues, weekly
from flowsim.scenario.load import Scenario
from flowsim.scenario.region import load_region
from flowsim.study.answer import Answer, cases_of
from flowsim.study.futures import Balances, Case

if TYPE_CHECKING:
    import pandas as pd

Work = Callable[[Job], Generator[None, None, None]]
SEED: Final = 1
FINER: Final = (24, 48, 96)
"""Futures of the first results; each is shown as soon as it is there."""
FUTURES: Final = 200
"""Futures of the last result, unless `FUTURES_SETTING` says otherwise."""
FUTURES_SETTING: Final = "FLOWSIM_APP_FUTURES"
STILL: Final = 48
"""Futures of the check of the first day."""
SLICE: Final = 16
ROUTE_RUNS: Final = 4
HALF_WIDTH: Final = 0.07
"""Of the probability after `FUTURES` futures (Wald, at even)."""
MEASURES: Final = ("overdue", "waiting", "mean_wait")


def milestones() -> tuple[int, ...]:
    """Numbers of futures after which there is a result to show."""
    most = int(os.environ.get(FUTURES_SETTING, FUTURES))
    return (*(number for number in FINER if number < most), most)


def twin(scenario: Scenario) -> Scenario:
    """The scenario without a network."""
    return cases_of(scenario)["none"]


def twin_key(scenario: Scenario) -> str:
    """Scenarios with the same key have the same run without a network: figures of the network do not touch it."""
    fixed = [
        (change.key, change.after.values, change.after.low, change.after.high)
        for change in scenario.changes
        if not change.key.startswith("functions.")
    ]
    settings = [scenario.settings[name] for name in ("wait_counts", "social_domain")]
    return repr((scenario.region, settings, sorted(fixed)))


# ---------------------------------------------------------------- running


@dataclass
class Runs:
    """Cases that are known already, by what they depend on; the balances of their first days."""

    cases: dict[str, Case] = field(default_factory=dict)
    balances: Balances = field(default_factory=lambda: Balances(SEED))

    def case(self, name: str, scenario: Scenario, key: str) -> Case:
        """A case to extend: what is known of it, under this name."""
        known = self.cases.get(key)
        if known is None:
            return Case(name, scenario)
        mine = copy.copy(known)
        mine.name, mine.scenario = name, scenario
        return _cut(mine, len(known.futures))

    def with_balances(self) -> Runs:
        """A copy to add to: later balances do not pile up in the original."""
        own = Balances(SEED)
        own.known.update(self.balances.known)
        return Runs(dict(self.cases), own)


def _cut(case: Case, count: int) -> Case:
    """The case with its first futures only, in lists of its own."""
    mine = copy.copy(case)
    mine.futures, mine.drawn = case.futures[:count], case.drawn[:count]
    mine.second_runs = []
    return mine


def _extend(job: Job, cases: Sequence[Case], goal: int, balances: Balances) -> Generator[None, None, None]:
    """Bring every case to ``goal`` futures, a slice at a time; stops between replications when the job must."""
    for case in cases:
        while (have := len(case.futures)) < goal:
            before = job.done
            number = min(SLICE, goal - have)
            case.extend(number, SEED, balances, None, lambda n, before=before: job.count(before + n))  # type: ignore[misc]
            yield


# ---------------------------------------------------------------- the plan


@dataclass(frozen=True)
class Told:
    """An answer with its tables, made where it was run so that a page only has to show them."""

    answer: Answer
    tables: Mapping[str, pd.DataFrame]


def told(answer: Answer) -> Told:
    return Told(answer, answer.tables)


def plan_work(scenario: Scenario, runs: Runs) -> Work:
    """The plan under each reading, with the check of its first day after the first result; publishes `Told`."""

    def work(job: Job) -> Generator[None, None, None]:
        from flowsim.study.calibrate import balanced, calibration

        keyed = {name: twin_key(one) if name == "none" else one.hash for name, one in cases_of(scenario).items()}
        cases = {}
        goals = milestones()
        still_goal = min(STILL, goals[-1])
        job.total = len(keyed) * goals[-1] + still_goal
        for name, one in cases_of(scenario).items():
            cases[name] = Case(name, one)
            yield
        table = None
        for goal in goals:
            yield from _extend(job, list(cases.values()), goal, runs.balances)
            cut = {name: _cut(case, goal) for name, case in cases.items()}
            runs.cases |= {keyed[name]: case for name, case in cut.items()}
            job.publish(told(Answer(scenario, SEED, HALF_WIDTH, cut, calibration=table)))
            yield
            if table is None:
                still = Case("balance", balanced(scenario))
                yield from _extend(job, [still], still_goal, runs.balances)
                table = calibration(scenario, case=still, futures=still_goal)
                job.publish(told(Answer(scenario, SEED, HALF_WIDTH, cut, calibration=table)))

    return work


# ---------------------------------------------------------------- scenarios side by side


@dataclass(frozen=True)
class Compared:
    """Scenarios on common random numbers.

    Attributes
    ----------
    answers : one per scenario, in the visitor's order: cases ``none`` (its own run without a network) and ``case``.
    tables : of each answer: ``fan``, ``targets``, ``euros``.
    keys : fingerprint of each scenario, so that a page knows what it shows.
    futures : of each case.
    """

    answers: tuple[Answer, ...]
    tables: tuple[Mapping[str, pd.DataFrame], ...]
    keys: tuple[str, ...]
    futures: int

    def case(self, i: int) -> Case:
        """The case of a scenario: that without a network when the scenario has none."""
        return self.answers[i].cases[self.name(i)]

    def name(self, i: int) -> str:
        """Name of that case in the tables."""
        return "case" if "case" in self.answers[i].cases else "none"

    def difference(self, i: int, measure: str, against: int = 0) -> Estimate:
        """Mean difference at the end of the last year, future by future, with its 95% interval."""
        return paired_difference(at_end(self.case(against), measure), at_end(self.case(i), measure))

    def value(self, i: int, measure: str) -> Estimate:
        """Mean at the end of the last year, with the 95% interval of the mean."""
        return mean_interval(at_end(self.case(i), measure))


def at_end(case: Case, measure: str) -> np.ndarray:
    """A measure in the last year, per future: people waiting or overdue at its end, weeks waited by who started."""
    if measure == "mean_wait":
        months = np.array([future.months[-12:].sum(axis=0) for future in case.futures])
        return np.asarray(months[:, 2] / np.maximum(months[:, 1], 1.0) / 7.0)
    column = ("waiting", "overdue").index(measure)
    return np.array([float(future.by_programme[-1, :, column].sum()) for future in case.futures])


def _beside(answer: Answer) -> dict[str, pd.DataFrame]:
    """The tables that a comparison shows."""
    from flowsim.analysis import answers, targets

    return {"fan": answers.fan(answer), "targets": targets.targets(answer), "euros": targets.euros(answer)}


def compare_work(scenarios: Sequence[Scenario], known: Runs, keep: Callable[[Runs], None]) -> Work:
    """Scenarios side by side; publishes a `Compared` at each milestone.

    ``keep`` is given the cases run so far, for the visitor's next comparison.
    """

    def work(job: Job) -> Generator[None, None, None]:
        runs = known.with_balances()
        goals = milestones()
        cases: dict[str, Case] = {}
        pairs: list[tuple[str, str | None]] = []
        for scenario in scenarios:
            none = twin_key(scenario)
            own = scenario.hash if scenario.settings["network"] != "none" else None
            pairs.append((none, own))
            for name, key in (("case", own), ("none", none)):
                if key is not None and key not in cases:
                    cases[key] = runs.case(name, scenario if name == "case" else twin(scenario), key)
                    job.check()
                    yield
        job.done = sum(min(len(case.futures), goals[-1]) for case in cases.values())
        job.total = len(cases) * goals[-1]
        keys = tuple(scenario.hash for scenario in scenarios)
        shortest = min(len(case.futures) for case in cases.values())
        for goal in (number for number in goals if number > shortest or number == goals[-1]):
            yield from _extend(job, list(cases.values()), goal, runs.balances)
            cut = {key: _cut(case, goal) for key, case in cases.items()}
            keep(Runs(cut, known.balances))
            made = []
            for scenario, (none, own) in zip(scenarios, pairs, strict=True):
                both = {"none": cut[none]} | ({} if own is None else {"case": cut[own]})
                made.append(Answer(scenario, SEED, HALF_WIDTH, both))
            job.publish(Compared(tuple(made), tuple(_beside(one) for one in made), keys, goal))
            yield

    return work


# ---------------------------------------------------------------- the route


@dataclass(frozen=True)
class Route:
    """Mean moves a year between stations, with the network and without, and the lists by week; of ``runs`` runs."""

    moves: Mapping[str, pd.DataFrame]
    queues: Mapping[str, Queues]
    runs: int


def route_work(scenario: Scenario) -> Work:
    """The moves of residents, with and without the network, every unknown at its most likely value."""

    def work(job: Job) -> Generator[None, None, None]:
        from flowsim.analysis.moves import mean_moves, moves
        from flowsim.scenario.compile import compile_scenario
        from flowsim.study.replicate import replicate

        cases = {"network": scenario, "none": twin(scenario)}
        job.total = len(cases) * ROUTE_RUNS
        region = load_region(scenario.region)
        found: dict[str, Any] = {}
        lists: dict[str, Queues] = {}
        for name, one in cases.items():
            network = compile_scenario(one)
            tables, weeks = [], []
            with closing(replicate(network, ROUTE_RUNS, SEED, log=True, threads=1)) as done:
                for replication in done:
                    assert replication.log is not None  # asked for
                    tables.append(moves(network, replication.log, 12))
                    weeks.append(weekly(network, replication.outcome["snapshots"], region))
                    job.count(job.done + 1)
                    yield
            found[name] = mean_moves(tables)
            lists[name] = queues(network, weeks, region)
        job.publish(Route(found, lists, ROUTE_RUNS))

    return work
