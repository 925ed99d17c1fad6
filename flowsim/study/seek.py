"""Goal seeking: the smallest lever that meets a goal, with an interval; with two levers, the frontier.

The root is found on common random numbers (`flowsim.analysis.rootfinding`): future i has the same unknowns and the
same luck at every level of the lever.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.goal import Goal, parse
from flowsim.analysis.rootfinding import PILOT, Root, search
from flowsim.analysis.statistics import Estimate
from flowsim.errors import InputError
from flowsim.scenario.load import Scenario
from flowsim.study.answer import READINGS
from flowsim.study.bench import Bench, Progress, Purse
from flowsim.study.futures import Balances
from flowsim.study.levers import Lever
from flowsim.study.levers import lever as read_lever
from flowsim.study.replicate import check_progress, real, thread_count, truth, whole
from flowsim.study.together import given_scenario

if TYPE_CHECKING:
    import pandas as pd

TARGET: Final = "P(cleared) >= 0.9"
LEVER: Final = "diversion"
BUDGET: Final = 2400
"""Simulated futures of one search when nobody says."""
SHARED: Final = 1000
"""And of each of several."""
LEAST_BUDGET: Final = 640
"""Futures with which a search is sure to find something: the first look, and a first search."""
MOST_BUDGET: Final = 1_000_000
WIDTHS: Final = 40
"""Half the length of the interval is a part of the range of one over this, when nobody says."""
PER_WIDTH: Final = 4
"""Cells of the range in half a length of the interval."""
CELLS: Final = (32, 1024)
"""Cells of the range, at least and at most."""
FRONTIER: Final = 6
"""Levels of the second lever."""


@dataclass
class Sought:
    """One search: what it was about and what it found.

    Attributes
    ----------
    case : the reading (``net``), or the network (``diversion``, ``none``).
    second : the level of the second lever; None without one.
    rising : whether more of the lever helps; else the largest level that meets the goal is sought.
    root : in positions; None when the budget did not even do for a first search.
    interrupted : cut short by Ctrl-C.
    """

    case: str
    second: float | None
    bench: Bench
    rising: bool
    root: Root | None
    interrupted: bool = False

    def level(self, position: int | None) -> float | None:
        """The lever at a position of the search."""
        return None if position is None else self.bench.level(self.number(position))

    def number(self, position: int) -> int:
        """The number of a level, from the bottom of the range."""
        return position if self.rising else self.bench.cells - position

    def at(self, position: int) -> Estimate:
        """The probability or mean at a position, with its 95% interval."""
        assert self.root is not None
        return self.bench.goal.estimate(self.bench.run(self.number(position), np.arange(self.root.n)))

    @property
    def interval(self) -> tuple[float | None, float | None]:
        """The ends of the 95% interval of the lever, low and high; None: open, it goes beyond the range."""
        if self.root is None:
            return None, None
        ends = self.level(self.root.low), self.level(self.root.high)
        return ends if self.rising else ends[::-1]

    @property
    def reached(self) -> bool:
        """Whether a level meets the goal."""
        return self.root is not None and self.root.state != "not_reached"

    @property
    def shown(self) -> int | None:
        """The position that is reported: the root, or the best one where there is none."""
        if self.root is None:
            return None
        return self.root.best if self.root.at is None else self.root.at

    def held_back(self) -> list[tuple[str, float, float]]:
        """Who still waits too long at the end in the futures that miss the goal, at the position that is reported.

        Programme, mean number overdue, and its share of all overdue in those futures; most first. Nothing for a mean.
        """
        if self.shown is None or self.root is None or not self.bench.goal.probability:
            return []
        number = self.number(self.shown)
        missed = self.bench.goal.scores(self.bench.values[number][: self.root.n]) < 0.0
        if not missed.any():
            return []
        mean = self.bench.overdue[number][: self.root.n][missed].mean(axis=0)
        names = [one.name for one in self.bench.case(number).region.programmes]
        pairs = sorted(zip(names, mean.tolist(), strict=True), key=lambda pair: -pair[1])
        return [(name, value, value / max(mean.sum(), 1e-9)) for name, value in pairs]


@dataclass
class Seek:
    """A goal that was sought, and the tables that follow.

    Attributes
    ----------
    scenario, goal, seed, half_width, budget : as asked for; half_width in the first lever's unit.
    levers : one, or two: then the first is sought at levels of the second.
    sought : the searches, in order. spent : futures simulated. interrupted : cut short by Ctrl-C.
    """

    scenario: Scenario
    goal: Goal
    levers: tuple[Lever, ...]
    seed: int
    half_width: float
    budget: int
    readings: bool
    sought: list[Sought] = field(default_factory=list)
    spent: int = 0
    interrupted: bool = False

    @property
    def reached(self) -> bool:
        """Whether the goal can be met: under the scenario's own reading; with two levers, at some level of the
        second."""
        own = self.scenario.settings["reading"]
        counted = [one for one in self.sought if not self.readings or one.case == own]
        return any(one.reached for one in counted)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """``found``: a row per search; ``points``: the levels that were simulated; ``held_back``: who still waits."""
        import pandas as pd

        return {
            "found": pd.DataFrame([_found(one) for one in self.sought]),
            "points": pd.DataFrame([row for one in self.sought for row in _points(one)]),
            "held_back": pd.DataFrame(
                [
                    {"case": one.case, "second": one.second, "programme": name, "overdue": mean, "share": share}
                    for one in self.sought
                    for name, mean, share in one.held_back()
                ],
                columns=["case", "second", "programme", "overdue", "share"],
            ),
        }


def _found(one: Sought) -> dict[str, Any]:
    root = one.root
    row: dict[str, Any] = {
        "case": one.case,
        "lever": one.bench.lever.name,
        "second": one.second,
        "goal": one.bench.goal.text,
        "state": "unfinished" if root is None else root.state,
        "helps": "more" if one.rising else "less",
        "range_low": one.bench.lever.low,
        "range_high": one.bench.lever.high,
    }
    if root is None or one.shown is None:
        return row
    low, high = one.interval
    estimate = one.at(one.shown)
    return {
        **row,
        "level": one.level(root.at),
        "level_low": low,
        "level_high": high,
        "best_level": one.level(one.shown),
        "value": estimate.value,
        "value_low": estimate.low,
        "value_high": estimate.high,
        "futures": root.n,
        "went_back": root.reversals,
        "bends": len(root.bends),
        "precise": root.precise,
    }


def _points(one: Sought) -> list[dict[str, Any]]:
    rows = []
    for number in sorted(one.bench.values):
        values = one.bench.complete(number)
        if len(values) >= PILOT:
            e = one.bench.goal.estimate(values)
            place = {"case": one.case, "second": one.second, "level": one.bench.level(number)}
            rows.append({**place, "value": e.value, "low": e.low, "high": e.high, "futures": e.n})
    return rows


def seek(
    target: str = TARGET,
    lever: str | Sequence[str] = LEVER,
    scenario: Scenario | str | Path | None = None,
    half_width: float | None = None,
    budget: int | None = None,
    seed: int = 1,
    threads: int | None = None,
    readings: bool = False,
    progress: Progress | None = None,
) -> Seek:
    """The smallest lever that meets a goal, with a 95% interval; where less helps, the largest.

    Parameters
    ----------
    target : ``P(event) >= number`` or ``measure <= number``; see `flowsim.analysis.goal.parse`.
    lever : ``diversion``, ``places``, ``places_<level or programme>``, ``conversations`` (a year, at full operation),
        ``consultations``, ``case_conferences``, ``transfers``, ``start`` (months later), or the path of a figure, each
        with a range if you like: ``diversion=0:0.4``. Two of them: the first is sought at levels of the second.
    scenario : a `Scenario`, the path of a scenario file, or None: the plan as it stands.
    half_width : go on until the interval reaches this far either way, in the lever's unit; None: 1/40 of its range.
    budget : simulated futures at most, in all; None: 2,400, or 1,000 for each of several searches.
    seed : a whole number; the same seed gives the same result on any number of threads.
    readings : seek under each reading of the plan, instead of under the scenario's own.
    progress : see `Progress`.

    Returns
    -------
    Seek : its ``tables`` hold what was found. ``reached`` says whether the goal can be met. Nothing is printed.

    Raises
    ------
    InputError : a goal, lever, scenario or argument that cannot be used.
    KeyboardInterrupt : before anything was finished; later, what was finished is returned, marked as interrupted.

    References
    ----------
    See `flowsim.analysis.rootfinding`.

    Examples
    --------
    >>> flowsim.seek("P(cleared) >= 0.5", "diversion").tables["found"]  # doctest: +SKIP
    """
    scenario = given_scenario(scenario)
    goal = parse(target, scenario.region)
    levers = _levers(scenario, lever)
    seed, readings = whole("seed", seed, 0, 2**63 - 1), truth("readings", readings)
    thread_count(threads)
    check_progress(progress)
    cells, half_width = _cells(levers[0], half_width)
    searches = _searches(scenario, levers, readings)
    _check_promise(goal, searches, levers)
    if budget is None:
        budget = BUDGET if len(searches) == 1 else SHARED * len(searches)
    budget = whole("budget", budget, LEAST_BUDGET * len(searches), MOST_BUDGET)
    purse, balances = Purse(budget, progress), Balances(seed)
    found = Seek(scenario, goal, levers, seed, half_width, budget, readings)
    for k, (name, second, one) in enumerate(searches):
        purse.until = purse.spent + (budget - purse.spent) // (len(searches) - k)
        label = name if second is None else f"{name}: {second:g}"
        bench = Bench(label, one, levers[0], goal, cells, seed, balances, purse, threads)
        made = _search(name, second, bench, half_width)
        found.spent, found.interrupted = purse.spent, made.interrupted
        if made.root is not None or not made.interrupted:
            found.sought.append(made)
        if made.interrupted:
            break
    if not found.sought:
        raise KeyboardInterrupt
    return found


def _levers(scenario: Scenario, given: str | Sequence[str]) -> tuple[Lever, ...]:
    if not isinstance(given, (str, Sequence)):
        raise InputError("lever", repr(given), "a lever such as diversion, or two of them in a list")
    asked = [given] if isinstance(given, str) else list(given)
    if not 1 <= len(asked) <= 2:
        raise InputError("lever", f"{len(asked)} levers", "one, or two for the frontier")
    first = read_lever(scenario, asked[0])
    if len(asked) == 1:
        return (first,)
    second = read_lever(first.turn(scenario, first.high), asked[1])
    if first.name == second.name:
        raise InputError("lever", f"{first.name} twice", "two different levers")
    if second.top_down:  # it must not undo what the first one needs
        read_lever(second.turn(scenario, second.high), asked[0])
    return first, second


def _cells(lever: Lever, half_width: float | None) -> tuple[int, float]:
    """Cells of the lever's range, a power of two, and the half width."""
    span = lever.high - lever.low
    if half_width is None:
        half_width = span / WIDTHS
    least = PER_WIDTH * span / CELLS[1]
    expected = f"a number from {least:.3g} to {span / 2:g}, in the unit of {lever.name}"
    half_width = real("half_width", half_width, least, span / 2, expected)
    wanted = PER_WIDTH * span / half_width
    cells = 1 << max(0, int(np.ceil(np.log2(wanted))))
    return min(max(cells, CELLS[0]), CELLS[1]), half_width


def _searches(
    scenario: Scenario, levers: tuple[Lever, ...], readings: bool
) -> list[tuple[str, float | None, Scenario]]:
    """What is sought: (case, level of the second lever, scenario)."""
    top_down = any(one.top_down for one in levers) or scenario.settings["network"] != "functions"
    if readings and top_down:
        raise InputError("readings", "a top-down diversion or no network", "a scenario of the plan's functions")
    if readings and len(levers) > 1:
        raise InputError("readings", "two levers beside it", "one lever, or one reading")
    if readings:
        return [(one, None, scenario.with_settings(scenario.name, reading=one)) for one in READINGS]
    network = "diversion" if any(one.top_down for one in levers) else scenario.settings["network"]
    name = str(scenario.settings["reading"] if network == "functions" else network)
    if len(levers) == 1:
        return [(name, None, scenario)]
    second = levers[1]
    steps = np.linspace(second.low, second.high, FRONTIER)
    return [(name, round(float(x), 10), second.turn(scenario, float(x))) for x in steps]


def _check_promise(goal: Goal, searches: Sequence[tuple[str, Any, Scenario]], levers: tuple[Lever, ...]) -> None:
    """Refuse a promise of which a top-down scenario says nothing."""
    from flowsim.analysis.targets import OF_FUNCTIONS

    network = levers[0].turn(searches[0][2], levers[0].high).settings["network"]
    if goal.promise is not None and network == "diversion" and goal.promise.quantity in OF_FUNCTIONS:
        raise InputError(
            "target", f"{goal.text}, about single functions", "a goal that a top-down scenario can meet or miss"
        )


def _search(name: str, second: float | None, bench: Bench, half_width: float) -> Sought:
    lever, goal = bench.lever, bench.goal
    made = Sought(name, second, bench, True, None)
    try:
        made.rising = _rises(bench) if lever.helps == 0 else lever.helps > 0
    except KeyboardInterrupt:
        made.interrupted = True
        return made

    def scores(position: int, futures: np.ndarray) -> np.ndarray:
        return goal.scores(bench.run(made.number(position), futures))

    chance = None
    if goal.probability:
        chance = goal.value if goal.at_least else 1.0 - goal.value
    width = half_width / (lever.high - lever.low) * bench.cells
    made.root, made.interrupted = search(scores, bench.cells, width, chance, lambda: bench.purse.left)
    return made


def _rises(bench: Bench) -> bool:
    """Whether more of the lever helps: the mean score at both ends of its range, in the futures of the first look."""
    futures = np.arange(PILOT)
    low, high = (bench.goal.scores(bench.run(number, futures)).mean() for number in (0, bench.cells))
    return bool(high >= low)


def manifest(found: Seek, seconds: float, command: Any = None) -> dict[str, Any]:
    """All that a repetition needs, and where it was made."""
    from flowsim.study.store import run_record, scenario_described

    asked = {
        "target": found.goal.text,
        "levers": {one.name: [one.low, one.high] for one in found.levers},
        "half_width": found.half_width,
        "budget": found.budget,
        "seed": found.seed,
        "readings": found.readings,
    }
    return {
        **run_record(seconds, command),
        "asked": asked,
        "interrupted": found.interrupted,
        "futures": found.spent,
        **scenario_described(found.scenario),
    }
