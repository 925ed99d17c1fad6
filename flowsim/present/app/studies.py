"""What the app simulates: the plan under each reading, a visitor's scenarios side by side, the route of residents.

Each is the work of a job (`flowsim.present.app.jobs`): a generator that pauses between slices, publishes a first result
after a few futures and a finer one after more. Scenarios share their unknowns and their luck (common random numbers),
and share the run without a network where they differ in the network only.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Final

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

    from flowsim.model.network import Network

Work = Callable[[Job], Generator[None, None, None]]
Tables = Mapping[str, "pd.DataFrame"]
Followed = tuple["pd.DataFrame", np.ndarray]
"""The moves of residents in one future, and the lists by week."""
TablesKey = tuple[str, str, int, int]
"""Key of a case, of its run without a network, and the futures of each."""
SEED: Final = 1
FINER: Final = (32, 64, 128)
"""Futures of the first results: the first is shown as soon as it is there, further ones after `LOOK`."""
LOOK: Final = 2.0
"""Seconds that a result is left on the page at the least, but for the last one: to make and draw one takes time too."""
FUTURES: Final = 200
"""Futures of the last result, unless `FUTURES_SETTING` says otherwise."""
FUTURES_SETTING: Final = "FLOWSIM_APP_FUTURES"
STILL: Final = 48
"""Futures of the check of the first day."""
SLICE: Final = 16
ROUTE_RUNS: Final = 4
"""Futures of the first result of the route."""
HALF_WIDTH: Final = 0.07
"""Of the probability after `FUTURES` futures (Wald, at even)."""
MEASURES: Final = ("overdue", "waiting", "mean_wait")
REMEMBERED: Final = 12
"""Cases that are kept for a visitor, of about 1.5 MB for 200 futures: a lever turned back costs nothing."""


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
    """Cases that are known already, by what they depend on, the latest last; the balances of their first days; tables
    that were made of them."""

    cases: dict[str, Case] = field(default_factory=dict)
    balances: Balances = field(default_factory=lambda: Balances(SEED))
    tables: dict[TablesKey, Tables] = field(default_factory=dict)

    def case(self, name: str, scenario: Scenario, key: str) -> Case:
        """A case to extend: what is known of it, under this name."""
        known = self.cases.get(key)
        if known is None:
            return Case(name, scenario)
        mine = copy.copy(known)
        mine.name, mine.scenario = name, scenario
        return _cut(mine, len(known.futures))

    def remembered(self, more: Runs, most: int = REMEMBERED) -> Runs:
        """These cases and ``more``, which are later; at most so many."""
        cases = {key: case for key, case in self.cases.items() if key not in more.cases} | more.cases
        latest = dict(list(cases.items())[-max(most, len(more.cases)) :])
        tables = {key: made for key, made in more.tables.items() if key[0] in latest}
        return Runs(latest, more.balances, tables)

    def with_balances(self) -> Runs:
        """A copy to add to: later balances do not pile up in the original."""
        own = Balances(SEED)
        own.known.update(self.balances.known)
        return Runs(dict(self.cases), own, dict(self.tables))


def _cut(case: Case, count: int) -> Case:
    """The case with its first futures only, in lists of its own."""
    mine = copy.copy(case)
    mine.futures, mine.drawn = case.futures[:count], case.drawn[:count]
    mine.second_runs = []
    return mine


class Ahead:
    """Futures of several cases, in slices. A case that has begun goes on where it was left: its threads never wait for
    a slice to end, and work a few futures ahead while a result is made or another run has its turn."""

    def __init__(self, job: Job, most: int, balances: Balances) -> None:
        self.job = job
        self.most = most
        self.balances = balances
        self._begun: dict[int, Generator[int, None, None]] = {}

    def reach(self, cases: Iterable[Case], goal: int) -> Generator[None, None, None]:
        """Bring every case to ``goal`` futures, of ``most`` in the end; stops after any of them when the job must."""
        for case in cases:
            if len(case.futures) >= goal:
                continue
            steps = self._begun.get(id(case))
            if steps is None:
                steps = case.extending(self.most - len(case.futures), SEED, self.balances, None)
                self._begun[id(case)] = steps
            while len(case.futures) < goal:
                next(steps)
                self.job.count(self.job.done + 1)
                if len(case.futures) % SLICE == 0:
                    yield

    def close(self) -> None:
        """Stop; what is running ends by itself."""
        for steps in self._begun.values():
            steps.close()


# ---------------------------------------------------------------- the plan


@dataclass(frozen=True)
class Told:
    """An answer with its tables, made where it was run so that a page only has to show them."""

    answer: Answer
    tables: Mapping[str, pd.DataFrame]


def told(answer: Answer) -> Told:
    """With the causes of what is not as promised."""
    from flowsim.analysis import causes, targets

    tables = answer.tables
    judged = targets.judged_cases(answer.cases)
    if judged:
        tables["targets"], tables["causes"] = causes.causes(tables["targets"], judged)
    return Told(answer, tables)


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
        with closing(Ahead(job, goals[-1], runs.balances)) as ahead:
            for goal in goals:
                yield from ahead.reach(cases.values(), goal)
                cut = {name: _cut(case, goal) for name, case in cases.items()}
                runs.cases |= {keyed[name]: case for name, case in cut.items()}
                job.publish(told(Answer(scenario, SEED, HALF_WIDTH, cut, calibration=table)))
                yield
                if table is None:
                    still = Case("balance", balanced(scenario))
                    with closing(Ahead(job, still_goal, runs.balances)) as aside:
                        yield from aside.reach([still], still_goal)
                    table = calibration(scenario, case=still, futures=still_goal)
                    job.publish(told(Answer(scenario, SEED, HALF_WIDTH, cut, calibration=table)))

    return work


# ---------------------------------------------------------------- scenarios side by side


@dataclass(frozen=True)
class Compared:
    """Scenarios on common random numbers.

    Attributes
    ----------
    answers : one per scenario, in the visitor's order: cases ``case`` and ``none`` (its own run without a network, of
        ``paired`` futures; left out while there are none).
    tables : of each answer: ``fan``; ``targets`` and ``euros``, against the run without a network.
    chances : of each scenario: probability that the lists are cleared in time.
    keys : fingerprint of each scenario, so that a page knows what it shows.
    futures : of each scenario. paired : of them, those that the targets and the euros rest on so far.
    """

    answers: tuple[Answer, ...]
    tables: tuple[Mapping[str, pd.DataFrame], ...]
    chances: tuple[Estimate, ...]
    keys: tuple[str, ...]
    futures: int
    paired: int

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


@dataclass
class Beside:
    """Scenarios that are being run side by side.

    Attributes
    ----------
    own : the cases that the scenarios are judged by; twins : runs without a network that only the targets and the euros
        need. Both by what they depend on, so that what scenarios share is run once.
    later : scenarios whose twin is not known yet, by its key; they become cases when their turn comes.
    pairs : per scenario, the keys of its own case and of its twin.
    """

    scenarios: Sequence[Scenario]
    own: dict[str, Case] = field(default_factory=dict)
    twins: dict[str, Case] = field(default_factory=dict)
    later: dict[str, Scenario] = field(default_factory=dict)
    pairs: list[tuple[str, str]] = field(default_factory=list)

    def prepare(self, runs: Runs) -> Generator[None, None, None]:
        """Set up the cases, with what is known of them; pauses after each."""
        for scenario in self.scenarios:
            alone = scenario.settings["network"] == "none"
            none = twin_key(scenario)
            key = none if alone else scenario.hash
            self.pairs.append((key, none))
            if key not in self.own:
                self.own[key] = runs.case("none" if alone else "case", twin(scenario) if alone else scenario, key)
                yield
        for scenario, (_, none) in zip(self.scenarios, self.pairs, strict=True):
            if none in runs.cases and none not in self.own:
                self.twins[none] = runs.case("none", twin(scenario), none)
            elif none not in self.own:
                self.later[none] = scenario

    def prepare_twins(self, runs: Runs) -> Generator[None, None, None]:
        """Set up the cases that only come later; pauses after each."""
        for none, scenario in self.later.items():
            self.twins[none] = runs.case("none", twin(scenario), none)
            yield
        self.later = {}

    def paired(self, futures: int) -> int:
        """Futures, of so many, in which there is a run without a network beside every scenario."""
        return 0 if self.later else min((len(case.futures) for case in self.twins.values()), default=futures)

    def shown(self, futures: int, known: dict[TablesKey, Tables]) -> tuple[dict[str, Case], Compared]:
        """The cases as far as they go, and the result to show. ``known`` : tables made before; those made are added."""
        paired = min(futures, self.paired(futures))
        chances = {key: _chance(case, futures) for key, case in self.own.items()}
        cut = {key: _cut(case, futures) for key, case in self.own.items()}
        cut |= {key: _cut(case, paired) for key, case in self.twins.items()}
        answers, tables = [], []
        for scenario, (key, none) in zip(self.scenarios, self.pairs, strict=True):
            cases = {"none": cut[none]} if paired or key == none else {}
            if key != none:
                cases["case"] = cut[key]
            answers.append(Answer(scenario, SEED, HALF_WIDTH, cases))
            place = (key, none, futures, paired)
            if place not in known:
                known[place] = _beside(answers[-1], paired)
            tables.append(known[place])
        keys = tuple(scenario.hash for scenario in self.scenarios)
        order = tuple(chances[key] for key, _ in self.pairs)
        return cut, Compared(tuple(answers), tuple(tables), order, keys, futures, paired)


def _chance(case: Case, futures: int) -> Estimate:
    """Probability of clearing after so many futures; what it takes beside them is kept with the case."""
    return (case if len(case.futures) == futures else _cut(case, futures)).probability(SEED)


def _beside(answer: Answer, paired: int) -> dict[str, pd.DataFrame]:
    """The tables that a comparison shows."""
    from flowsim.analysis import answers, targets

    pairs = replace(answer, cases={name: _cut(case, paired) for name, case in answer.cases.items()})
    return {"fan": answers.fan(answer), "targets": targets.targets(pairs), "euros": targets.euros(pairs)}


def compare_work(scenarios: Sequence[Scenario], known: Runs, keep: Callable[[Runs], None]) -> Work:
    """Scenarios side by side; publishes a `Compared` at each milestone.

    What the verdicts, the fans and the differences need is run first; the runs without a network, which the targets and
    the euros need beside it, follow, to as many futures as the first result and then to all.
    ``keep`` is given the cases run so far, for the visitor's next comparison.
    """

    def work(job: Job) -> Generator[None, None, None]:
        runs = known.with_balances()
        goals = milestones()
        all_of_it = Beside(scenarios)
        for _ in all_of_it.prepare(runs):
            job.check()
            yield
        own, twins = list(all_of_it.own.values()), all_of_it.twins
        job.done = sum(min(len(case.futures), goals[-1]) for case in (*own, *twins.values()))
        job.total = (len(own) + len(twins) + len(all_of_it.later)) * goals[-1]
        shortest = min(len(case.futures) for case in own)
        steps = [goal for goal in goals if goal > shortest or goal == goals[-1]]
        looked: float | None = None

        def show(goal: int) -> Generator[None, None, None]:
            nonlocal looked
            cut, result = all_of_it.shown(goal, runs.tables)
            keep(Runs(cut, known.balances, runs.tables))
            job.publish(result)
            looked = time.monotonic()
            yield

        def aim(cases: Iterable[Case], goal: int) -> None:
            job.goal = job.done + sum(max(0, goal - len(case.futures)) for case in cases)

        with closing(Ahead(job, goals[-1], runs.balances)) as ahead:
            for goal in steps:
                aim(own, goal if looked is None else goals[-1])
                yield from ahead.reach(own, goal)
                slow = looked is None or (time.monotonic() - looked >= LOOK and job.due >= LOOK)
                if slow or goal == goals[-1]:
                    yield from show(goal)
            for _ in all_of_it.prepare_twins(runs):
                job.check()
                yield
            for goal in (steps[0], steps[-1]):
                if all_of_it.paired(goals[-1]) < goal:
                    aim(twins.values(), goal)
                    yield from ahead.reach(twins.values(), goal)
                    yield from show(goals[-1])

    return work


# ---------------------------------------------------------------- the route


@dataclass(frozen=True)
class Route:
    """Mean moves a year between stations, with the network and without, and the lists by week, over the first ``runs``
    futures of the ``most`` that there will be: those of *Het antwoord*."""

    moves: Mapping[str, pd.DataFrame]
    queues: Mapping[str, Queues]
    runs: int
    most: int


def route_work(scenario: Scenario) -> Work:
    """The moves of residents, with and without the network, in the futures that the plan is judged by; publishes a
    `Route` after the first futures, after as many as the first result of the answer has, and after all of them."""

    def work(job: Job) -> Generator[None, None, None]:
        from flowsim.analysis.moves import mean_moves, moves
        from flowsim.study.replicate import run_followed

        most = milestones()[-1]
        job.total = 2 * most
        region = load_region(scenario.region)
        balances = Balances(SEED)

        def reduce(outcome: Mapping[str, np.ndarray], log: np.ndarray, network: Network) -> Followed:
            return moves(network, log, 12), weekly(network, outcome["snapshots"], region)

        def followed(case: Case) -> Generator[Followed, None, None]:
            jobs = (partial(case.job, i, SEED, balances) for i in range(most))
            return run_followed(jobs, reduce, threads=1)

        cases = {}
        for name, one in {"network": scenario, "none": twin(scenario)}.items():
            cases[name] = Case(name, one)
            yield
        found: dict[str, list[Followed]] = {name: [] for name in cases}
        with ExitStack() as open_ones:
            running = {}
            for name, case in cases.items():
                running[name] = open_ones.enter_context(closing(followed(case)))
            for goal in sorted({min(goal, most) for goal in (ROUTE_RUNS, FINER[0], most)}):
                for name, done in running.items():
                    while len(found[name]) < goal:
                        found[name].append(next(done))
                        job.count(job.done + 1)
                        yield
                means = {name: mean_moves([table for table, _ in ones]) for name, ones in found.items()}
                lists = {
                    name: queues(cases[name].template.network_at_mode, [weeks for _, weeks in ones], region)
                    for name, ones in found.items()
                }
                job.publish(Route(means, lists, goal, most))

    return work
