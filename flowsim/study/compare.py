"""Scenarios side by side on common random numbers: future ``i`` has the same unknowns and residents in each of them."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import comparison, residents
from flowsim.analysis.controls import PER_CONTROL
from flowsim.analysis.paths import first_referrals
from flowsim.analysis.statistics import Estimate
from flowsim.analysis.verdict import chance
from flowsim.errors import InputError
from flowsim.plan.years import YEARS
from flowsim.scenario.load import Scenario
from flowsim.scenario.posterior import in_common, source
from flowsim.study.futures import Balances, Case
from flowsim.study.replicate import check_progress, one_of, real, run_logged, thread_count, truth, whole
from flowsim.study.select import FIRST_STAGE, Selection, select_best
from flowsim.study.select import MOST as MOST_SELECTED
from flowsim.study.together import (
    LEAST,
    LEVEL,
    MOST,
    Progress,
    extend_together,
    keep_common,
    read_scenario,
    same_region,
)

if TYPE_CHECKING:
    import pandas as pd

FUTURES: Final = 128
LOGGED: Final = 8
"""Futures in which residents are followed one by one."""
MORE_AT_ONCE: Final = 16
INDIFFERENCE: Final = {
    "cleared": 0.05,
    "waiting": 10.0,
    "overdue": 5.0,
    "mean_wait": 7.0,
    "wait_90": 7.0,
    "starts": 25.0,
    "reneged": 10.0,
    "referred": 25.0,
    "clients": 25.0,
    "gp_consults": 100.0,
    "crisis": 5.0,
}
"""Outcomes of which the best can be asked for (those of a year: of the last one), and the difference that does not
matter unless another is given: people, consults, days."""
CLOSEST: Final = 1e-6
FARTHEST: Final = 1e6
"""What can be asked for as a difference that does not matter."""
LARGEST: Final = frozenset({"cleared", "starts", "clients"})
"""Outcomes of which more is better."""

ELSEWHERE: Final = 2_000_000
POPULATION: Final = 4096
"""Numbers of futures that are drawn and not simulated: what the controls are on average."""


@dataclass(frozen=True)
class Best:
    """Which scenario is best: what was asked, and what came out (`flowsim.study.select`)."""

    outcome: str
    largest: bool
    indifference: float
    selection: Selection


@dataclass
class Comparison:
    """What was simulated, and the tables that follow from it.

    Attributes
    ----------
    scenarios : by name, in the order given. base : the name of the one that the others are held against.
    cases : the futures, the same number for each.
    pairs : per scenario but the base, the same residents in both (`flowsim.analysis.residents`), future by future.
    best : when it was asked for. interrupted : True when it was stopped early; what all have in common is kept.
    prior_for : scenarios for which the posterior does not hold, so that all draw the unknowns from their ranges,
        although others would not by themselves.
    """

    scenarios: dict[str, Scenario]
    base: str
    seed: int
    futures: int
    cases: dict[str, Case]
    pairs: dict[str, list[np.ndarray]] = field(default_factory=dict)
    best: Best | None = None
    interrupted: bool = False
    prior_for: tuple[str, ...] = ()

    @property
    def done(self) -> int:
        """Futures that all scenarios have."""
        return min(len(case.futures) for case in self.cases.values())

    @property
    def scenario(self) -> Scenario:
        """The base."""
        return self.scenarios[self.base]

    def probability(self, name: str) -> Estimate:
        """Probability that the lists are cleared in time, with a 95% interval; the number that `flowsim.answer`
        gives for the same futures: adjusted for the values drawn (`flowsim.analysis.adjusted`)."""
        return self.cases[name].probability(self.seed, LEVEL)

    @property
    def verdicts(self) -> dict[str, str]:
        """Per scenario, how likely it is that the lists are cleared in time: a code of `flowsim.analysis.verdict`."""
        found = {name: self.probability(name) for name in self.scenarios}
        return {name: chance(one.low, one.high) for name, one in found.items()}

    @cached_property
    def controls(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Values drawn for the unknowns, (futures, p), and those of `POPULATION` futures that are not simulated: the
        control variates. An unknown that a scenario draws otherwise than the base is one more column. None: nothing is
        unknown, or there are too few futures."""
        columns: list[tuple[np.ndarray, np.ndarray]] = []
        first = self.cases[self.base].drawn
        if not first or self.done < PER_CONTROL * (len(first[0]) + 1):
            return None
        for case in self.cases.values():
            elsewhere = [case.values(i, self.seed) for i in range(ELSEWHERE, ELSEWHERE + POPULATION)]
            for name in case.drawn[0] if case.drawn else ():
                here = np.array([drawn[name] for drawn in case.drawn[: self.done]])
                if not any(np.array_equal(here, other) for other, _ in columns):
                    columns.append((here, np.array([drawn[name] for drawn in elsewhere])))
        return np.stack([one for one, _ in columns], axis=1), np.stack([one for _, one in columns], axis=1)

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name (`flowsim.analysis.comparison`): ``scenarios``, ``summary``, ``outcomes``, ``cleared``,
        ``differences``, ``fan``, ``futures``; when asked for, ``residents``, ``weeks_won`` and ``best``."""
        import pandas as pd

        rows = [
            {"case": name, "title": one.title, "hash": one.hash, "files": " <- ".join(reversed(one.files))}
            for name, one in self.scenarios.items()
        ]
        made = {"scenarios": pd.DataFrame(rows), **comparison.tables(self)}
        if self.pairs:
            made |= self._of_residents()
        if self.best is not None:
            made["best"] = self._of_best()
        return made

    def _of_residents(self) -> dict[str, pd.DataFrame]:
        import pandas as pd

        case = self.cases[self.base]
        codes = [one.code for one in case.region.municipalities]
        groups = residents.groups_of(case.template.network_at_mode.class_names, codes)
        starts = np.array([case.region.day(dt.date(year, 1, 1)) for year in YEARS[1:]])

        def year_of(days: np.ndarray) -> np.ndarray:
            years = YEARS[0] + np.searchsorted(starts, days, side="right")
            return np.where(days < 0.0, YEARS[0] - 1, years)  # on the list before the first day

        fates = [residents.fates(some, groups, year_of).assign(case=name) for name, some in self.pairs.items()]
        weeks = [residents.weeks_won(some).assign(case=name) for name, some in self.pairs.items()]
        made = {"residents": pd.concat(fates), "weeks_won": pd.concat(weeks)}
        return {
            name: table[["case", *table.columns.drop("case")]].reset_index(drop=True) for name, table in made.items()
        }

    def _of_best(self) -> pd.DataFrame:
        import pandas as pd

        assert self.best is not None
        chosen = self.best.selection
        rows = [
            {
                "case": name,
                "outcome": self.best.outcome,
                "goal": "max" if self.best.largest else "min",
                "indifference": self.best.indifference,
                "mean": chosen.means[k],
                "futures": chosen.futures[k],
                "kept": k in chosen.kept,
                "decided": chosen.decided,
            }
            for k, name in enumerate(self.scenarios)
        ]
        return pd.DataFrame(rows)


def compare(
    scenarios: Sequence[Scenario | str | Path],
    base: str | None = None,
    futures: int = FUTURES,
    seed: int = 1,
    threads: int | None = None,
    follow_residents: bool = False,
    best: str | None = None,
    largest: bool | None = None,
    indifference: float | None = None,
    progress: Progress | None = None,
) -> Comparison:
    """Scenarios side by side on common random numbers.

    Parameters
    ----------
    scenarios : two or more of one region: `Scenario`, the path of a file, or the name of one in ``experiments/``.
    base : the name of the scenario that the others are held against; None: the first.
    futures : simulated futures of every scenario, from 2. seed : the same seed, the same futures on any threads.
    follow_residents : also follow the same residents through every scenario, in a few futures with event logs.
    best : an outcome (`INDIFFERENCE`): also choose the best scenario by it; more futures are run where that needs them.
    largest : whether more is better; None: what the outcome's own meaning says.
    indifference : a difference that does not matter, in the outcome's unit.
    progress : called with the name of a scenario, futures done, futures expected.

    Returns
    -------
    Comparison : its ``tables`` hold all estimates with intervals. Nothing is printed or written.

    Raises
    ------
    InputError : arguments or scenarios that cannot be used; the same scenario twice; different regions.

    Examples
    --------
    >>> from flowsim.scenario.load import default
    >>> plan = default()
    >>> found = compare([plan.with_settings("no_network", network="none"), plan], futures=2)
    >>> found.tables["scenarios"]["case"].tolist()
    ['no_network', 'amstelland']
    >>> overdue = found.tables["differences"].query("measure == 'overdue' and year == 2029")
    >>> bool((overdue["low"] <= overdue["high"]).all())
    True
    """
    given = named_scenarios(scenarios)
    named = in_common(given)
    base = next(iter(named)) if base is None else one_of("base", base, named)
    futures, seed = whole("futures", futures, LEAST, MOST), whole("seed", seed, 0, 2**63 - 1)
    follow_residents = truth("follow_residents", follow_residents)
    thread_count(threads)
    check_progress(progress)
    choice = _choice(best, largest, indifference)
    balances = Balances(seed)
    cases = {name: Case(name, one) for name, one in named.items()}
    found = Comparison(named, base, seed, futures, cases, prior_for=_prior_for(given))
    try:
        extend_together(cases, futures, seed, balances, threads, progress)
        if follow_residents:
            _follow(found, min(LOGGED, futures), balances, threads, progress)
        if choice is not None:
            found.best = _choose(found, *choice, balances, threads, progress)
    except KeyboardInterrupt:
        found.interrupted = True
        if keep_common(cases) < LEAST:
            raise
    return found


def named_scenarios(scenarios: Sequence[Scenario | str | Path]) -> dict[str, Scenario]:
    """The scenarios by name, each other than the others, as they were given; see `compare`."""
    if isinstance(scenarios, (str, Path, Scenario)) or not isinstance(scenarios, Sequence):
        raise InputError("scenarios", repr(scenarios)[:60], "a list of two or more")
    if len(scenarios) < 2:
        raise InputError("scenarios", f"{len(scenarios)} of them", "two or more to compare")
    given = [_read(one) for one in scenarios]
    named: dict[str, Scenario] = {}
    for place, (label, one) in enumerate(given, 1):
        same = next((name for name, other in named.items() if other.hash == one.hash), None)
        if same is not None:
            raise InputError("scenarios", f"{label} and {same} are the same scenario", "scenarios that differ")
        free = next(name for name in (one.name, label, f"{one.name}_{place}") if name not in named)
        named[free] = one
    same_region(named)
    return named


def _prior_for(given: Mapping[str, Scenario]) -> tuple[str, ...]:
    """The scenarios that keep the others from the posterior; none when all draw from the same by themselves."""
    sources = {name: source(one)[0] for name, one in given.items()}
    without = tuple(name for name, kind in sources.items() if kind != "posterior")
    return without if len(without) < len(sources) else ()


def _read(given: Scenario | str | Path) -> tuple[str, Scenario]:
    """A scenario with a label that says where it came from."""
    if isinstance(given, Scenario):
        return given.name, given
    if not isinstance(given, (str, Path)):
        raise InputError("scenarios", repr(given)[:60], "a Scenario, a path, or the name of a file in experiments/")
    return str(given), read_scenario(given)


def _choice(best: str | None, largest: bool | None, indifference: float | None) -> tuple[str, bool, float] | None:
    if best is None:
        for name, value in (("largest", largest), ("indifference", indifference)):
            if value is not None:
                raise InputError(name, repr(value), "best beside it: an outcome to choose by")
        return None
    best = one_of("best", best, INDIFFERENCE)
    expected = f"a number from {CLOSEST:g} to {FARTHEST:g}, in the unit of the outcome"
    close = INDIFFERENCE[best] if indifference is None else indifference
    close = real("indifference", close, CLOSEST, FARTHEST, expected)
    return best, (best in LARGEST if largest is None else truth("largest", largest)), close


def _follow(found: Comparison, count: int, balances: Balances, threads: int | None, progress: Progress | None) -> None:
    """Follow residents through the base and every other scenario; kept when all futures of a scenario are there."""

    def referrals(name: str) -> Iterator[np.ndarray]:
        jobs = (partial(found.cases[name].job, i, found.seed, balances) for i in range(count))

        def tell(done: int) -> None:
            if progress is not None:
                progress(f"{name}: people", done, count)

        with closing(run_logged(jobs, first_referrals, threads, tell)) as results:
            yield from results

    base = list(referrals(found.base))
    until = found.cases[found.base].definition.deadline + 1.0  # the weeks after it show how the last ones fare
    for name in found.cases:
        if name != found.base:
            found.pairs[name] = [residents.pair(a, b, until) for a, b in zip(base, referrals(name), strict=True)]


def _choose(
    found: Comparison,
    outcome: str,
    largest: bool,
    indifference: float,
    balances: Balances,
    threads: int | None,
    progress: Progress | None,
) -> Best:
    """Go on with the futures of whichever scenarios remain; the tables keep the futures that all have."""
    going_on = []
    for case in found.cases.values():
        clone = copy.copy(case)
        clone.futures, clone.drawn = list(case.futures), list(case.drawn)
        going_on.append(clone)
    values: list[list[float]] = [[] for _ in going_on]

    def observe(k: int, i: int) -> float:
        case = going_on[k]
        if i >= len(case.futures):
            more = max(MORE_AT_ONCE, FIRST_STAGE - len(case.futures))
            tell = None if progress is None else partial(_tell, progress, case.name, len(case.futures))
            case.extend(more, found.seed, balances, threads, tell)
        if i >= len(values[k]):
            values[k] = list(_values(case, outcome))
        return values[k][i]

    return Best(outcome, largest, indifference, select_best(observe, len(going_on), indifference, largest))


def _tell(progress: Progress, name: str, before: int, done: int) -> None:
    progress(name, before + done, before + done)


def _values(case: Case, outcome: str) -> np.ndarray:
    """The outcome of every future; of the last year where there are years."""
    if outcome == "cleared":
        return case.cleared.astype(float)
    return np.asarray(comparison.outcomes(case)[outcome][:, -1])


def manifest(found: Comparison, seconds: float, command: Any) -> dict[str, Any]:
    """All that a repetition needs, and where it was made."""
    from flowsim.study.store import run_record, scenario_described

    best = found.best
    asked = {
        "seed": found.seed,
        "futures": found.futures,
        "base": found.base,
        "residents": bool(found.pairs),
        "best": None if best is None else [best.outcome, "max" if best.largest else "min", best.indifference],
        "most_selected": MOST_SELECTED,
    }
    return {
        **run_record(seconds, command),
        "asked": asked,
        "interrupted": found.interrupted,
        "futures": {name: len(case.futures) for name, case in found.cases.items()},
        "scenarios": {name: scenario_described(one) for name, one in found.scenarios.items()},
    }
