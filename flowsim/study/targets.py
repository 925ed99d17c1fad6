"""The plan's promises held against simulated futures, under each reading and on common random numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import verdict
from flowsim.analysis.paths import SentAway, sent_away
from flowsim.analysis.statistics import Estimate
from flowsim.errors import InputError
from flowsim.plan.targets import load_targets
from flowsim.plan.years import YEARS
from flowsim.scenario.load import Scenario
from flowsim.study.answer import cases_of
from flowsim.study.futures import Balances, Case
from flowsim.study.replicate import check_progress, real, run_logged, thread_count, whole
from flowsim.study.together import LEAST, LEVEL, MOST, Progress, extend_together, given_scenario, keep_common

if TYPE_CHECKING:
    import pandas as pd

FUTURES: Final = 64
LOGGED: Final = 16
"""Futures in which people are counted one by one."""
COUNTED: Final = ("headcount", "capacity")
"""The readings under which the plan's own numbers must come out."""


@dataclass
class Evaluation:
    """What was simulated, and the tables that follow from it.

    Attributes
    ----------
    scenario, seed, futures, half_width : as asked for. cases : ``none`` first; all have the same futures.
    counted : per reading of `COUNTED`, whom the functions kept out of ggz, future by future.
    interrupted : True when it was stopped early; what all cases have is kept.
    """

    scenario: Scenario
    seed: int
    futures: int
    half_width: float | None
    cases: dict[str, Case]
    counted: dict[str, list[SentAway]] = field(default_factory=dict)
    interrupted: bool = False

    @property
    def done(self) -> int:
        """Futures of every case."""
        return min(len(case.futures) for case in self.cases.values())

    @property
    def leading(self) -> str:
        """The case that is the scenario's own reading."""
        return verdict.leading(list(self.cases), self.scenario.settings)

    def probability(self, name: str) -> Estimate:
        """Probability that the lists are cleared in time, with a 95% interval: as `flowsim.answer` has it."""
        return self.cases[name].probability(self.seed, LEVEL)

    def judged(self) -> dict[str, Any]:
        """The quantities behind the promises by case; without a network, the case is judged as it is."""
        from flowsim.analysis import targets

        if list(self.cases) == ["none"]:
            return {"none": targets.Quantities(self.cases["none"], self.cases["none"])}
        return targets.judged_cases(self.cases)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """``targets``, ``causes`` and, where people were counted, ``reproduction``."""
        from flowsim.analysis import causes, reproduction, targets

        judged = self.judged()
        promises, facts = causes.causes(targets.judged_table(judged), judged)
        made = {"targets": promises, "causes": facts}
        if self.counted:
            made["reproduction"] = reproduction.reproduction(judged, self.counted)
        return made


def targets(
    scenario: Scenario | str | None = None,
    futures: int = FUTURES,
    half_width: float | None = None,
    seed: int = 1,
    threads: int | None = None,
) -> pd.DataFrame:
    """Every KPI and promise of the plan with a number: how likely it is met, under each reading.

    Parameters
    ----------
    scenario : a `Scenario`, the path of a scenario file, or None: the plan as it stands.
    futures : simulated futures of every reading; each promise is judged in each of them.
    half_width : go on until no 95% interval of a probability reaches further than this either way.
    seed : a whole number; the same seed gives the same table on any number of threads.

    Returns
    -------
    One row per reading (``case``) and promise (``target``): what was promised, the simulated ``mean`` with the 95%
    interval of the mean, the 5 and 95% points over futures, the ``probability`` of being met with its 95% interval,
    ``verdict`` (``yes``, ``likely``, ``uncertain``, ``unlikely``, ``no``, ``not_simulated``) and ``cause``: why it
    differs from the plan (`flowsim.analysis.causes`).

    Raises
    ------
    InputError : arguments or a scenario that cannot be used.

    Examples
    --------
    >>> table = targets(futures=2)
    >>> sorted(table["case"].unique())
    ['capacity', 'headcount', 'net']
    >>> int(table.query("case == 'net' and target == 'kpi_24'")["probability"].between(0, 1).sum())
    1
    """
    found = evaluate(scenario, futures, half_width, seed, threads, count_people=False)
    if found.interrupted:
        raise KeyboardInterrupt
    return found.tables["targets"]


def evaluate(
    scenario: Scenario | str | None = None,
    futures: int = FUTURES,
    half_width: float | None = None,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
    count_people: bool = True,
) -> Evaluation:
    """Simulate what `targets` judges, and count people one by one for the plan's own numbers.

    Raises
    ------
    InputError : arguments or a scenario that cannot be used. KeyboardInterrupt : before anything was finished.
    """
    scenario = given_scenario(scenario)
    futures, seed = whole("futures", futures, LEAST, MOST), whole("seed", seed, 0, 2**63 - 1)
    thread_count(threads)
    check_progress(progress)
    if half_width is not None:
        half_width = real("half_width", half_width, 0.005, 0.5, "a number from 0.005 to 0.5, such as 0.05")
    load_targets(scenario.region)
    balances = Balances(seed)
    cases = {name: Case(name, one) for name, one in cases_of(scenario).items()}
    found = Evaluation(scenario, seed, futures, half_width, cases)
    try:
        goal = futures
        extend_together(cases, goal, seed, balances, threads, progress)
        while half_width is not None and goal < MOST and _widest(found) > half_width:
            goal = min(goal + max(goal // 2, futures), MOST)
            extend_together(cases, goal, seed, balances, threads, progress)
        if count_people:
            for name in COUNTED:
                if name in cases:
                    people = count_sent_away(cases[name], min(LOGGED, goal), seed, balances, threads, progress)
                    found.counted[name] = list(people)
    except KeyboardInterrupt:
        found.interrupted = True
        if keep_common(cases) < LEAST:
            raise
        if len(found.counted) < len(COUNTED):
            found.counted = {}
    return found


def _widest(found: Evaluation) -> float:
    """Half the length of the longest interval of a probability."""
    from flowsim.analysis.targets import judged_table

    table = judged_table(found.judged())
    return float(((table["probability_high"] - table["probability_low"]) / 2).max())


def count_sent_away(
    case: Case, count: int, seed: int, balances: Balances, threads: int | None, progress: Progress | None = None
) -> Iterator[SentAway]:
    """The first futures of a case once more, with an event log: whom its functions keep out of ggz."""
    ends = np.array([case.region.day(dt.date(year, 1, 1)) for year in (*YEARS, YEARS[-1] + 1)])
    jobs = (partial(case.job, i, seed, balances) for i in range(count))

    def tell(done: int) -> None:
        if progress is not None:
            progress(f"{case.name}: people", done, count)

    with closing(run_logged(jobs, partial(sent_away, year_ends=ends), threads, tell)) as results:
        yield from results


def required(scenario: Scenario, codes: Iterable[str]) -> tuple[str, ...]:
    """The promises that must be met, checked; several may stand in one text, with commas between them.

    Raises
    ------
    InputError : a code that the region's plan does not have, or of which the simulation says nothing.
    """
    from flowsim.analysis.targets import NOT_SIMULATED, OF_FUNCTIONS

    without = NOT_SIMULATED | (OF_FUNCTIONS if scenario.settings["network"] == "diversion" else frozenset())
    known = {target.id: target.quantity not in without for target in load_targets(scenario.region)}
    asked = [code.strip() for text in codes for code in text.split(",")]
    for code in asked:
        if not known.get(code):
            found = f"{code!r}, of which the simulation says nothing" if code in known else repr(code)
            raise InputError("--require", found, "one of " + ", ".join(name for name in known if known[name]))
    return tuple(dict.fromkeys(asked))


def missed(found: Evaluation, table: pd.DataFrame, codes: Iterable[str]) -> tuple[str, ...]:
    """The required promises that are not met under the scenario's own reading.

    Met is a verdict ``likely`` or ``yes``: the whole interval of the probability lies above one half.
    """
    own = table[table["case"] == found.leading].set_index("target")["verdict"]
    return tuple(code for code in codes if own[code] not in ("likely", "yes"))


def manifest(found: Evaluation, seconds: float, command: Any, codes: Iterable[str]) -> dict[str, Any]:
    """All that a repetition needs, and where it was made."""
    from flowsim.study.store import run_record, scenario_described

    asked = {"seed": found.seed, "futures": found.futures, "half_width": found.half_width, "require": list(codes)}
    return {
        **run_record(seconds, command),
        "asked": asked,
        "interrupted": found.interrupted,
        "futures": {name: len(case.futures) for name, case in found.cases.items()},
        **scenario_described(found.scenario),
    }
