"""The decision map: the probability of a goal, by a lever and by something that nobody knows.

One design serves several maps: points over the lever and all unknowns that are mapped, a future each; a surface through
them (`flowsim.analysis.emulator`); and for each map the mean over the other unknowns, as futures draw them. Points of
their own, each simulated many times, say how far off each map is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.emulator import Emulator, HeldOut, fit, held_out
from flowsim.analysis.goal import Goal, parse
from flowsim.errors import InputError
from flowsim.plan.figures import load_figures
from flowsim.scenario import unknowns
from flowsim.scenario.load import Scenario
from flowsim.scenario.schema import Override
from flowsim.study.futures import Case
from flowsim.study.levers import Lever
from flowsim.study.levers import lever as read_lever
from flowsim.study.replicate import check_progress, run_in_two, thread_count, whole
from flowsim.study.together import given_scenario

if TYPE_CHECKING:
    import pandas as pd

NAMES: Final = {
    "growth": "assumptions.demand_growth",
    "list_size": "assumptions.list_size",
    "patience": "assumptions.reneging_share",
}
"""What people call the unknowns that are mapped most; patience is by the share of those referred who give up."""
FUTURES: Final = 1024
LEAST: Final = 256
MOST: Final = 65_536
LEVELS: Final = 32
"""Steps of the lever in the design: each has a network of its own."""
PASS: Final = 256
"""Futures that are simulated before the next ones begin, spread over the whole plane."""
POINTS: Final = 12
"""Held-out points of a map."""
EACH: Final = 64
"""Futures at each of them."""
ELSEWHERE: Final = 500_000
"""Number of the first future at held-out points: others than those of the design."""
GRID: Final = 41
QUADRATURE: Final = 9
"""Quantiles of an unknown that stand for its distribution when it is averaged over."""

Progress = Callable[[str, int, int], None]
"""Called with ``map`` or ``held_out``, the futures simulated, and their number."""


@dataclass(frozen=True)
class Factor:
    """An unknown on a map: its name, its figure, its range and its value in the scenario."""

    name: str
    path: str
    low: float
    high: float
    mode: float

    def at(self, u: float) -> float:
        """Its value at a quantile, as futures draw it."""
        return unknowns.triangular(self.low, self.mode, self.high, u)


@dataclass
class DecisionMap:
    """Maps of one lever against one unknown each.

    Attributes
    ----------
    scenario, goal, lever, factors, seed, futures : as asked for.
    points : (m, 1 + F) the design's points that were simulated: lever, unknowns. met : (m,) 0 or 1.
    emulator : the surface. checks : per unknown its held-out points: (lever, unknown, futures that met the goal).
    interrupted : cut short by Ctrl-C.
    """

    scenario: Scenario
    goal: Goal
    lever: Lever
    factors: tuple[Factor, ...]
    seed: int
    futures: int
    points: np.ndarray
    met: np.ndarray
    emulator: Emulator | None = None
    checks: dict[str, np.ndarray] = field(default_factory=dict)
    interrupted: bool = False
    spent: int = 0

    def predicted(self, factor: Factor, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Probability at (lever, unknown) points (m, 2), with its interval; the other unknowns as futures draw them."""
        assert self.emulator is not None
        others = [one for one in self.factors if one is not factor]
        quantiles = (np.arange(QUADRATURE) + 0.5) / QUADRATURE
        values = np.array(list(product(*([one.at(u) for u in quantiles] for one in others))))
        size = len(values)
        full = np.empty((len(at), size, 1 + len(self.factors)))
        full[:, :, 0] = at[:, :1]
        for k, one in enumerate(self.factors, 1):
            full[:, :, k] = at[:, 1:] if one is factor else values[:, others.index(one)]
        return self.emulator.averaged(full)

    def check(self, factor: Factor) -> HeldOut | None:
        """How far off the map of an unknown is; None when that was not simulated."""
        rows = self.checks.get(factor.name)
        return None if rows is None else held_out(self.predicted(factor, rows[:, :2])[0], rows[:, 2], EACH)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """``map``: the surfaces on a grid; ``held_out``: each held-out point; ``error``: a row per map; ``design``."""
        import pandas as pd

        names = [self.lever.name, *(one.name for one in self.factors)]
        design = pd.DataFrame(self.points, columns=names).assign(met=self.met.astype(int))
        grids, held, errors = [], [], []
        for one in self.factors:
            x = np.linspace(self.lever.low, self.lever.high, GRID)
            y = np.linspace(one.low, one.high, GRID)
            at = np.array([(a, b) for b in y for a in x])
            p, low, high = self.predicted(one, at)
            columns = {"factor": one.name, "lever": at[:, 0], "value": at[:, 1]}
            grids.append(pd.DataFrame({**columns, "probability": p, "low": low, "high": high}))
            rows, check = self.checks.get(one.name), self.check(one)
            if rows is None or check is None:
                continue
            estimates = [self.goal.estimate(np.repeat([1.0, 0.0], [int(k), EACH - int(k)])) for k in rows[:, 2]]
            held.append(
                pd.DataFrame(
                    {
                        "factor": one.name,
                        "lever": rows[:, 0],
                        "value": rows[:, 1],
                        "predicted": self.predicted(one, rows[:, :2])[0],
                        "simulated": [e.value for e in estimates],
                        "low": [e.low for e in estimates],
                        "high": [e.high for e in estimates],
                        "futures": EACH,
                    }
                )
            )
            errors.append({"factor": one.name, **check.__dict__})
        empty = pd.DataFrame(columns=["factor"])
        return {
            "map": pd.concat(grids, ignore_index=True),
            "held_out": pd.concat(held, ignore_index=True) if held else empty,
            "error": pd.DataFrame(errors) if errors else empty,
            "design": design,
        }


def decision_map(
    factors: str | Sequence[str] = tuple(NAMES),
    lever: str = "diversion",
    target: str = "P(cleared) >= 0.9",
    scenario: Scenario | str | Path | None = None,
    futures: int = FUTURES,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
) -> DecisionMap:
    """The probability of a goal by a lever and by each of some unknowns, with the error on held-out points.

    Parameters
    ----------
    factors : ``growth``, ``list_size``, ``patience`` (the share who give up waiting), or the paths of unknowns.
    lever, target, scenario : as of `flowsim.seek`; the goal is about a probability.
    futures : of the design, a multiple of 256; each map takes 12 held-out points of 64 futures besides.
    seed : a whole number; the same seed gives the same maps on any number of threads.
    progress : see `Progress`.

    Raises
    ------
    InputError : arguments that cannot be used. KeyboardInterrupt : before there was enough for a map.

    References
    ----------
    See `flowsim.analysis.emulator`.

    Examples
    --------
    >>> flowsim.decision_map("growth", "diversion", "P(cleared) >= 0.5").tables["error"]  # doctest: +SKIP
    """
    scenario = given_scenario(scenario)
    goal = parse(target, scenario.region)
    if not goal.probability or goal.needs_base:
        raise InputError("target", goal.text, "for a map, a probability of what one scenario does: P(cleared) >= 0.9")
    turned = read_lever(scenario, lever)
    if not isinstance(factors, (str, Sequence)):
        raise InputError("map", repr(factors), "one or more of " + ", ".join(NAMES))
    named = _factors(scenario, [factors] if isinstance(factors, str) else list(factors), turned)
    seed, futures = whole("seed", seed, 0, 2**63 - 1), whole("futures", futures, LEAST, MOST)
    thread_count(threads)
    check_progress(progress)
    if futures % PASS:
        raise InputError("futures", f"{futures}", f"a multiple of {PASS} for a map, such as {FUTURES}")
    free = {one.path: Override(value=one.mode, low=one.low, high=one.high, because="mapped") for one in named}
    bench = _Bench(scenario.with_overrides(free, "map"), turned, goal, seed, threads)
    width = 1 + len(named)
    found = DecisionMap(scenario, goal, turned, named, seed, futures, np.empty((0, width)), np.empty(0))
    try:
        _design(found, bench, progress)
        _hold_out(found, bench, progress)
    except KeyboardInterrupt:
        found.interrupted = True
        if len(found.met) < LEAST:
            raise
    low, high = (np.array([getattr(turned, end), *(getattr(one, end) for one in named)]) for end in ("low", "high"))
    found.emulator = fit(found.points, found.met, low, high)
    return found


def _factors(scenario: Scenario, asked: Sequence[str], lever: Lever) -> tuple[Factor, ...]:
    if not asked:
        raise InputError("map", "nothing", "one or more of " + ", ".join(NAMES))
    made: list[Factor] = []
    plan = load_figures(scenario.region)
    for name in asked:
        path = NAMES.get(name, name) if isinstance(name, str) else ""
        short = next((short for short, full in NAMES.items() if full == path), path)
        if not isinstance(name, str) or path not in unknowns.UNKNOWNS:
            expected = ", ".join(NAMES) + ", or an unknown such as " + ", ".join(unknowns.UNKNOWNS[4:7])
            raise InputError("map", repr(name), f"one of {expected}")
        if short in [one.name for one in made] or path == lever.name:
            raise InputError("map", f"{name} twice", "each unknown once, and another one than the lever")
        figure, stated = scenario.book.figure(path), plan.figure(path)
        if stated.low is None or stated.high is None or not stated.low < stated.high:
            raise InputError("map", f"{name}, of which no range is known", "an unknown with a range")
        low, high = min(stated.low, figure.at()), max(stated.high, figure.at())
        made.append(Factor(short, path, low, high, figure.at()))
    return tuple(made)


class _Bench:
    """Simulates futures at (level of the lever, values of unknowns)."""

    def __init__(self, scenario: Scenario, lever: Lever, goal: Goal, seed: int, threads: int | None) -> None:
        self.scenario, self.lever, self.goal, self.seed, self.threads = scenario, lever, goal, seed, threads
        self.cases: dict[int, Case] = {}

    def level(self, number: int) -> float:
        return round(self.lever.low + (self.lever.high - self.lever.low) * number / LEVELS, 10)

    def run(
        self,
        number: int,
        futures: Sequence[int],
        given: Sequence[dict[str, float]],
        tell: Callable[[int], None] | None,
    ) -> np.ndarray:
        """Whether these futures meet the goal at a level, each with these values of some unknowns: (m,)."""
        if number not in self.cases:
            turned = self.lever.turn(self.scenario, self.level(number))
            self.cases[number] = Case(f"{self.lever.name} = {self.level(number):g}", turned)
        case = self.cases[number]
        drawn = [
            unknowns.values(case.scenario, unknowns.quantiles(self.seed, i)) | one
            for i, one in zip(futures, given, strict=True)
        ]
        jobs = case.jobs_at(drawn, futures, self.seed)
        with closing(run_in_two(jobs, case.reduce, self.threads, tell)) as results:
            return self.goal.values(case, list(results), drawn)


def _design(found: DecisionMap, bench: _Bench, progress: Progress | None) -> None:
    """The points of a scrambled Sobol sequence, the lever rounded to its steps, a future each, pass by pass."""
    from scipy.stats import qmc

    sampler = qmc.Sobol(1 + len(found.factors), scramble=True, seed=np.random.default_rng(found.seed))
    for first in range(0, found.futures, PASS):
        u = sampler.random(PASS)
        numbers = np.round(u[:, 0] * LEVELS).astype(int)
        values = np.array(
            [[f.low + x * (f.high - f.low) for f, x in zip(found.factors, row[1:], strict=True)] for row in u]
        )
        met = np.empty(PASS)
        done = 0
        for number in np.unique(numbers):
            which = np.flatnonzero(numbers == number)
            given = [dict(zip((f.path for f in found.factors), map(float, values[i]), strict=True)) for i in which]
            tell = _told(progress, "map", first + done, found.futures)
            met[which] = bench.run(int(number), [int(first + i) for i in which], given, tell)
            done += len(which)
        levels = np.array([bench.level(int(number)) for number in numbers])
        found.points = np.concatenate([found.points, np.column_stack([levels, values])])
        found.met = np.concatenate([found.met, met])
        found.spent += PASS


def _hold_out(found: DecisionMap, bench: _Bench, progress: Progress | None) -> None:
    """Points of a Latin hypercube per map, with futures of their own; the other unknowns are drawn as always."""
    from scipy.stats import qmc

    total = POINTS * EACH * len(found.factors)
    for k, factor in enumerate(found.factors):
        u = qmc.LatinHypercube(2, seed=np.random.default_rng([found.seed, k])).random(POINTS)
        rows = np.empty((POINTS, 3))
        for j, (a, b) in enumerate(u):
            number, value = round(a * LEVELS), factor.low + b * (factor.high - factor.low)
            first = ELSEWHERE + (k * POINTS + j) * EACH
            tell = _told(progress, "held_out", (k * POINTS + j) * EACH, total)
            met = bench.run(number, range(first, first + EACH), [{factor.path: value}] * EACH, tell)
            rows[j] = bench.level(number), value, met.sum()
            found.spent += EACH
        found.checks[factor.name] = rows


def _told(progress: Progress | None, name: str, before: int, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda done: progress(name, before + done, total)


def manifest(found: DecisionMap, seconds: float, command: Any = None) -> dict[str, Any]:
    """All that a repetition needs, and where it was made."""
    from flowsim.study.store import run_record, scenario_described

    asked = {
        "target": found.goal.text,
        "levers": {found.lever.name: [found.lever.low, found.lever.high]},
        "map": {one.name: [one.low, one.high] for one in found.factors},
        "map_futures": found.futures,
        "seed": found.seed,
    }
    return {
        **run_record(seconds, command),
        "asked": asked,
        "interrupted": found.interrupted,
        "futures": found.spent,
        **scenario_described(found.scenario),
    }
