"""Fewer futures for the same interval: the gain of each method at equal cost, in the plan under each reading.

A gain is a ratio of variances: how many times as many independent futures would give the same interval. ``gain`` is
that of the method on the same number of futures, ``at_equal_cost`` counts what the method itself takes (process CPU
time, measured in turn with the engine's on the same futures). ``low`` and ``high`` are 95% intervals of the gain, where
it is a ratio of variances with known degrees of freedom. ``limit``: what a perfect model of the outcome given the
unknowns would gain, from second runs with other luck. Choosing goes beyond it: it spares futures whose luck decides
nothing (`flowsim.study.chosen`); its gain is that of the futures after the first 256.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from flowsim.analysis.adjusted import FOLDS, adjusted_probability, chance_at, logistic, worth_simulating
from flowsim.analysis.statistics import wilson
from flowsim.scenario.load import default
from flowsim.scenario.posterior import shipped
from flowsim.scenario.unknowns import SCRAMBLINGS, sobol
from flowsim.study.answer import READINGS
from flowsim.study.control import Control
from flowsim.study.futures import Balances, Case

SEED = 1
PER_ROUND = 256
FIRST = 256


def measure(rounds: int) -> list[dict[str, Any]]:
    n = PER_ROUND * rounds
    rows: list[dict[str, Any]] = []
    balances, cases = Balances(SEED), {}
    for reading in READINGS:
        scenario = default().with_settings(reading, reading=reading)
        case = cases[reading] = Case(reading, scenario)
        case.extend(1, SEED, balances, None)  # the compiler's time is nobody's
        began = time.process_time()
        case.extend(n - 1, SEED, balances, None)
        each = (time.process_time() - began) / (n - 1)
        case.extend(n // 2, SEED, balances, None, second=True)
        in_turn = Case(reading, scenario, draws="sobol")
        in_turn.extend(n, SEED, balances, None)
        rows += of_reading(case, in_turn, balances, each)
    return rows + differences(cases)


def of_reading(case: Case, in_turn: Case, balances: Balances, each: float) -> list[dict[str, Any]]:
    """Rows of one reading; ``each``: CPU seconds of a future."""
    cleared, n = case.cleared, len(case.futures)
    plain = wilson(int(cleared.sum()), n)
    spread = plain.value * (1.0 - plain.value)
    rows: list[dict[str, Any]] = []

    def add(method: str, gain: float, cost: float, low: float = np.nan, high: float = np.nan) -> None:
        equal = gain * n * each / (n * each + cost)
        rows.append(
            {"reading": case.name, "method": method, "futures": n, "probability": plain.value, "gain": gain}
            | {"at_equal_cost": equal, "low": low, "high": high, "ms_a_future": 1e3 * each, "ms_in_all": 1e3 * cost}
        )

    again = np.array([future.cleared <= case.definition.deadline for future in case.second_runs])
    by_chance = (cleared[: len(again)] != again).mean() / 2.0
    add("limit", spread / by_chance if by_chance > 0.0 else np.inf, 0.0)

    began = time.process_time()
    values = case.probability(SEED)
    spent = time.process_time() - began
    add("values of the unknowns", gain_of(plain.half_width, values.half_width), spent)

    began = time.process_time()
    case.twin = Control(case, SEED, balances)
    scores, of_all = case.twin.of(range(n)), case.twin.population
    whole = case.population(SEED)[1]
    twin = adjusted_probability(cleared, scores, of_all, whole=whole)
    spent = time.process_time() - began
    add("fluid twin", gain_of(plain.half_width, twin.half_width), spent)
    both = case.probability(SEED)
    add("fluid twin and values", gain_of(plain.half_width, both.half_width), spent)
    case.twin = None

    missed, pay = chosen(case, scores, of_all)
    began = time.process_time()
    for _ in case.clearing(range(n), SEED, balances, None):
        pass
    short = (time.process_time() - began) / n
    add("ended when settled", each / short, 0.0)
    gain = spread / (np.mean(missed**2 / pay) * pay.mean())
    add("chosen, fluid twin", gain, spent)
    add("chosen, ended when settled, fluid twin", gain * each / short, spent)

    add("scrambled Sobol points, of the model", expected_of_sobol(case, n), 0.0)
    per_set = len(in_turn.futures) // SCRAMBLINGS
    y = in_turn.cleared[: per_set * SCRAMBLINGS].reshape(per_set, SCRAMBLINGS)
    add("scrambled Sobol points", *ratio(y.mean(axis=0), spread / per_set))
    missed = y - modelled(case, in_turn)[: y.size].reshape(y.shape)
    add("scrambled Sobol points and values", *ratio(missed.mean(axis=0), spread / per_set))
    return rows


def chosen(case: Case, scores: np.ndarray, of_all: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of the futures after the first `FIRST`: what a model of the twin's scores misses in them, fitted to the others,
    and the probability with which they would have been simulated, by what the first ones say."""
    y = case.cleared
    pay = worth_simulating(y[:FIRST], scores[:FIRST], of_all, scores[FIRST:])
    fold = np.arange(len(y)) % FOLDS
    missed = np.empty(len(y))
    for k in range(FOLDS):
        mine = fold == k
        missed[mine] = y[mine] - chance_by(scores[~mine], y[~mine], scores[mine])
    return missed[FIRST:], pay


def gain_of(plain: float, adjusted: float) -> float:
    return (plain / adjusted) ** 2


def ratio(means: np.ndarray, independent: float) -> tuple[float, float, float, float]:
    """Gain over independent draws from the means of independent sets, no cost, and its 95% interval."""
    from scipy.special import chdtri

    degrees = len(means) - 1
    gain = independent / means.var(ddof=1)
    return gain, 0.0, gain * chdtri(degrees, 0.975) / degrees, gain * chdtri(degrees, 0.025) / degrees


def modelled(case: Case, other: Case) -> np.ndarray:
    """Chance of the futures of another case by a logistic regression on the values of this one's."""
    x, at = (np.array([list(one.values()) for one in of.drawn]) for of in (case, other))
    return chance_by(x, case.cleared, at)


def chance_by(x: np.ndarray, outcome: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Chance at other values (m, p), by a logistic regression of (n,) outcomes on (n, p) values."""
    centre, scale = x.mean(axis=0), np.where(x.std(axis=0) > 0.0, x.std(axis=0), 1.0)
    constants, slopes = logistic((x - centre) / scale, outcome[None])
    return chance_at(constants[0] + (at - centre) / scale @ slopes)


def expected_of_sobol(case: Case, n: int) -> float:
    """Gain of Sobol points if outcomes fell by the model of their chance given the values: from 640 scramblings instead
    of 16, so that the number is known to a few per cent."""
    points = shipped(case.scenario.region)
    assert points is not None
    names = [points.names.index(name) for name in case.drawn[0]]
    x = np.array([list(one.values()) for one in case.drawn])
    likely = chance_by(x, case.cleared, points.points[points.order][:, names])
    count = n // SCRAMBLINGS
    at = np.stack([sobol(SEED, 1000 + r, count)[:, -1] for r in range(640)])
    found = likely[(at * len(likely)).astype(int)]
    variance = found.mean(axis=1).var(ddof=1) + (found * (1.0 - found)).mean() / count
    return float(likely.mean() * (1.0 - likely.mean()) / count / variance)


def differences(cases: dict[str, Case]) -> list[dict[str, Any]]:
    """Common random numbers: a difference between readings, paired, against futures of each reading's own."""
    rows = []
    names = list(cases)
    for first, second in (names[:2], names[1:]):
        a, b = cases[first], cases[second]
        ends = [np.array([float(future.overdue[260]) for future in one.futures]) for one in (a, b)]
        clear = [one.cleared.astype(float) for one in (a, b)]
        for what, (x, y) in (("overdue", ends), ("cleared", clear)):
            gain = (x.var(ddof=1) + y.var(ddof=1)) / (y - x).var(ddof=1)
            rows.append(
                {"reading": f"{second} - {first}", "method": f"common random numbers, {what}", "futures": len(x)}
                | {"probability": float((y - x).mean()), "gain": gain, "at_equal_cost": gain}
            )
    return rows
