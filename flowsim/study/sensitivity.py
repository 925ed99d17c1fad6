"""What does the answer hang on, and which number should the region measure first? Designs, run and analysed.

Three parts share a budget of simulated futures: the options continue, extend and stop on common random numbers (for
the value of information), a Morris screening of all unknowns, and a Sobol design of those that matter, with chance as
one of its inputs. The parts run in that order; interrupted, what is finished is kept.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import measures, regions
from flowsim.analysis import sensitivity as designs
from flowsim.analysis.sensitivity import MorrisDesign, SobolDesign
from flowsim.errors import InputError
from flowsim.scenario import unknowns
from flowsim.scenario.load import Scenario
from flowsim.scenario.options import CONTINUE, OPTIONS, options
from flowsim.study.futures import Balances, Case
from flowsim.study.replicate import check_progress, real, run_in_two, thread_count, truth, whole
from flowsim.study.together import Progress, extend_together, given_scenario, keep_common

if TYPE_CHECKING:
    import pandas as pd

BUDGET: Final = 2400
LEAST_BUDGET: Final = 400
MOST_BUDGET: Final = 2_000_000
OUTCOMES: Final = ("cleared", "overdue_2029", "mean_wait_2029")
SCREENED_BY: Final = ("overdue_2029", "mean_wait_2029")
"""Outcomes by which unknowns are screened: that of one run is no more than 0 or 1 for ``cleared``."""
KEEP: Final = 6
"""Unknowns that the Sobol design tells apart."""
SHARES: Final = {"morris": 0.1, "sobol": 0.55}
"""Of the budget; the options have the rest."""
MORRIS_LUCK: Final = 3_000_000
SOBOL_LUCK: Final = 10_000_000
"""Added to the numbers of runs, so that no part has the luck of another."""


@dataclass(frozen=True)
class Points:
    """Outcomes at design points: ``values`` (runs, outcomes) in the order of `OUTCOMES`, then overdue on the first day;
    fewer than the design has when it was interrupted."""

    values: np.ndarray

    def of(self, name: str) -> np.ndarray:
        return np.asarray(self.values[:, (*OUTCOMES, "overdue_start").index(name)])


@dataclass
class Sensitivity:
    """What was simulated, and the tables that follow from it (built when asked for).

    Attributes
    ----------
    scenario : the question. cases : the options, all with the same futures.
    week : euros that a resident-week of waiting is worth, with the ends of its range. savings : see
        `flowsim.analysis.decision`.
    morris, sobol : designs with their outcomes, as far as they were run. interrupted : stopped early.
    """

    scenario: Scenario
    seed: int
    budget: int
    week: tuple[float, float, float]
    savings: bool
    cases: dict[str, Case]
    morris: tuple[MorrisDesign, Points] | None = None
    sobol: tuple[SobolDesign, Points] | None = None
    interrupted: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The unknowns."""
        return unknowns.drawn(self.scenario)

    @property
    def done(self) -> int:
        """Futures of every option."""
        return min(len(case.futures) for case in self.cases.values())

    @cached_property
    def quantiles(self) -> np.ndarray:
        """Quantiles of the unknowns in the options' futures: (n, d)."""
        drawn = [unknowns.quantiles(self.seed, i) for i in range(self.done)]
        return np.array([[one[name] for name in self.names] for one in drawn])

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name."""
        from flowsim.analysis import hangs_on

        with _one_thread():
            return hangs_on.tables(self)


def sensitivity(
    scenario: Scenario | str | Path | None = None,
    extension: Scenario | str | Path | None = None,
    budget: int = BUDGET,
    week: float | None = None,
    savings: bool = False,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Sensitivity:
    """What the answer hangs on, and what it is worth to know each unknown before deciding to continue, extend or stop.

    Parameters
    ----------
    scenario : a `Scenario`, the path of a scenario file, or None: the plan as it stands.
    extension : what extending means, likewise; None: more treatment places (`flowsim.scenario.options`).
    budget : simulated futures of all parts together.
    week : euros that a resident-week of waiting is worth; None: the region's assumption, with its range.
    savings : count freed treatment as money too, as the plan does.
    seed : the same seed gives the same tables on any number of threads.
    progress : called with the part, the runs done and the runs expected.

    Returns
    -------
    Sensitivity : its ``tables`` hold decision, value of information, indices and regions, with intervals.

    Raises
    ------
    InputError : arguments or scenarios that cannot be used; SALib or ema-workbench is not installed.
    KeyboardInterrupt : before the options had enough futures to say something.

    Examples
    --------
    >>> flowsim.sensitivity(budget=2400).tables["information"]  # doctest: +SKIP
    """
    # The designs move one unknown at a time, which points of the calibrated posterior do not allow.
    base = given_scenario(scenario)
    base = base.with_settings(base.name, unknowns="prior")
    more = None if extension is None else given_scenario(extension)
    more = None if more is None else more.with_settings(more.name, unknowns="prior")
    budget, seed = whole("budget", budget, LEAST_BUDGET, MOST_BUDGET), whole("seed", seed, 0, 2**63 - 1)
    savings = truth("savings", savings)
    thread_count(threads)
    check_progress(progress)
    names = unknowns.drawn(base)
    if not names:
        raise InputError(f"scenario {base.name}", "no unknowns", "at least one figure with a range to draw from")
    worth = _week(base, week)
    parts = shared_out(budget, len(names))
    cases = {name: Case(name, one) for name, one in options(base, more).items()}
    designs.check_installed()
    regions.check_installed()
    found = Sensitivity(base, seed, budget, worth, savings, cases)
    try:
        extend_together(cases, parts["options"], seed, Balances(seed), threads, progress)
        _screen(found, parts["trajectories"], threads, progress)
        _decompose(found, parts["blocks"], threads, progress)
    except KeyboardInterrupt:
        found.interrupted = True
        if keep_common(cases) < 3 * len(names) + 10:
            raise
    return found


def _one_thread() -> AbstractContextManager[Any]:
    """Thousands of small matrix products: threads of the linear algebra library would wait for each other."""
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(1)
    return limits


def _week(scenario: Scenario, week: float | None) -> tuple[float, float, float]:
    """Value, low and high of a week of waiting."""
    from flowsim.scenario.options import WEEK_OF_WAITING

    figure = scenario.book.figure(WEEK_OF_WAITING)
    if week is None:
        value = figure.at()
        return value, figure.low if figure.low is not None else value, figure.high if figure.high is not None else value
    week = real("week", week, 0.0, 1e6, "euros, from 0 to a million")
    ends = [end for end in (figure.low, figure.high) if end is not None]
    return week, min([week, *ends]), max([week, *ends])


def shared_out(budget: int, d: int) -> dict[str, int]:
    """Futures of every option, Morris trajectories and Sobol blocks that a budget pays for, with ``d`` unknowns."""
    trajectories = max(4, round(SHARES["morris"] * budget / (d + 1)))
    inputs = min(d, KEEP) + (d > KEEP) + 1
    blocks = 8
    while 2 * blocks * (inputs + 2) <= SHARES["sobol"] * budget:
        blocks *= 2
    left = budget - trajectories * (d + 1) - blocks * (inputs + 2)
    return {"options": left // len(OPTIONS), "trajectories": trajectories, "blocks": blocks}


def _screen(found: Sensitivity, trajectories: int, threads: int | None, progress: Progress | None) -> None:
    design = designs.morris_design(found.names, trajectories, found.seed)
    values = _run(found, design.u, MORRIS_LUCK + design.trajectory, "morris", threads, progress)
    size = len(design.names) + 1
    whole_ones = len(values) // size * size
    if whole_ones >= 2 * size:
        found.morris = design, Points(values[:whole_ones])
    if len(values) < len(design.u):
        raise KeyboardInterrupt


def _decompose(found: Sensitivity, blocks: int, threads: int | None, progress: Progress | None) -> None:
    assert found.morris is not None
    design, points = found.morris
    effects = designs.morris(design, {name: points.of(name) for name in SCREENED_BY}, found.seed)
    apart = designs.screened(effects, SCREENED_BY, KEEP)
    saltelli = designs.sobol_design(found.names, apart, blocks, found.seed)
    values = _run(found, saltelli.u, SOBOL_LUCK + saltelli.luck, "sobol", threads, progress)
    whole_ones = len(values) // saltelli.size * saltelli.size
    if whole_ones >= 8 * saltelli.size:
        found.sobol = saltelli, Points(values[:whole_ones])
    if len(values) < len(saltelli.u):
        raise KeyboardInterrupt


def _run(
    found: Sensitivity, u: np.ndarray, luck: np.ndarray, part: str, threads: int | None, progress: Progress | None
) -> np.ndarray:
    """Outcomes of one run at every point; fewer rows when it was interrupted."""
    case = found.cases[CONTINUE]
    wanted = (*OUTCOMES, "overdue_start")
    quantiles = (dict(zip(found.names, row, strict=True)) for row in u.tolist())
    drawn = [unknowns.values(case.scenario, one) for one in quantiles]

    rows: list[tuple[float, ...]] = []
    tell: Any = None if progress is None else lambda done: progress(part, done, len(u))
    try:
        with closing(run_in_two(case.jobs_at(drawn, luck.tolist(), found.seed), case.reduce, threads, tell)) as results:
            for future in results:
                rows.append(measures.measured(future, wanted, case.definition))
    except KeyboardInterrupt:
        pass
    return np.array(rows, float).reshape(len(rows), len(wanted))


def manifest(found: Sensitivity, seconds: float, command: Any = None) -> dict[str, Any]:
    """All that a repetition needs, and where it was made."""
    from flowsim.scenario.options import EXTEND
    from flowsim.study.store import run_record, scenario_described, scenario_record

    extension = found.cases[EXTEND].scenario
    own = not (extension.changes and extension.changes[-1].file == EXTEND)  # a scenario file of its own
    return {
        **run_record(seconds, command),
        "asked": {
            "seed": found.seed,
            "budget": found.budget,
            "week": found.week[0],
            "savings": found.savings,
        },
        "interrupted": found.interrupted,
        **scenario_described(found.scenario),
        "extension": scenario_described(extension)["scenario"] if own else None,
        "runs": {
            "options": found.done,
            "morris": 0 if found.morris is None else len(found.morris[1].values),
            "sobol": 0 if found.sobol is None else len(found.sobol[1].values),
        },
        "scenarios": {name: scenario_record(case.scenario) for name, case in found.cases.items()},
        "hashes": {name: case.scenario.hash for name, case in found.cases.items()},
    }
