"""The main question: does the diversion clear the waiting lists in five years? Under each reading, with intervals.

Every case (no network; the plan under each reading) is simulated in futures until the probability of clearing is known
to the precision asked for. A future has values of its own for the unknowns and luck of its own, so the interval holds
both; second runs of the same unknowns with other luck tell them apart. How the same interval takes fewer futures:
docs/fewer_futures.md.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future as Working
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.adjusted import adjusted_together, too_few
from flowsim.analysis.clearing import SCORES
from flowsim.analysis.statistics import Estimate, precision_reached
from flowsim.analysis.verdict import verdicts
from flowsim.plan.targets import has_targets, load_targets
from flowsim.scenario.load import Scenario
from flowsim.scenario.unknowns import DRAWS
from flowsim.study.calibrate import balanced, calibration
from flowsim.study.chosen import can_choose, extend_chosen
from flowsim.study.futures import BLOCKS_KEPT, Balances, Case
from flowsim.study.together import LEVEL, Progress, given_scenario

if TYPE_CHECKING:
    import pandas as pd

READINGS: Final = ("headcount", "capacity", "net")
BATCH: Final = 32
SECOND_RUNS: Final = 32
LEAST: Final = 96
MOST: Final = 20_000
CURVE: Final = (0.05, 0.10, 0.15, 0.20, 0.30)
CURVE_FUTURES: Final = 48
UNSPLIT: Final = 2
"""Points of the curve, the lowest, that the fluid twin is not asked about: there nearly all futures are alike."""
HALF_WIDTH: Final = 0.03
AHEAD: Final = 0.4
"""Part of the futures still expected that is run before the interval is looked at again: by then it may have become
shorter than was expected, as more of the outcome can be explained."""
WORTH: Final = 96
"""Futures that must still be expected for the fluid twin to be asked: it takes the time of about thirty."""
ALL_OF_FIRST: Final = 256
"""Futures of a case that are simulated without choosing, and"""
PART_OF_FIRST: Final = 1 / 5
"""the part of those expected that is, when that is more."""
CHOSEN_ARE_WORTH: Final = 1.5
"""About how many others a chosen future is worth."""
SMALL: Final = 0.05
"""Half-width below which choosing may be worth it."""
CALIBRATION: Final = 48
PREPARED: Final = BLOCKS_KEPT
"""Blocks of futures of each case that are worked out at most while the engine is being compiled."""


@dataclass
class Answer:
    """What was simulated, and the tables that follow from it (built when asked for).

    Attributes
    ----------
    scenario : the question. cases : by name, in order: ``none`` first. curve : probability by diverted share.
    calibration : how the first day stands, target by target (`flowsim.study.calibrate`).
    interrupted : True when it was stopped before the precision was reached.
    curve_asked, most, draws : as asked for; with seed and half_width all that a repetition needs beside the scenario.
    """

    scenario: Scenario
    seed: int
    half_width: float
    cases: dict[str, Case]
    curve: list[tuple[float, Estimate]] = field(default_factory=list)
    calibration: pd.DataFrame | None = None
    interrupted: bool = False
    curve_asked: bool = True
    most: int = MOST
    draws: str = DRAWS[0]
    _known: dict[str, tuple[tuple[int, int], Estimate]] = field(default_factory=dict, init=False, repr=False)

    def probability(self, name: str) -> Estimate:
        """Probability that the lists are cleared in time, with a 95% interval; adjusted for the values drawn
        (`flowsim.analysis.adjusted`)."""
        case = self.cases[name]
        known, so_far = self._known.get(name), (id(case), case.simulated)
        if known is None or known[0] != so_far:
            known = self._known[name] = so_far, case.probability(self.seed, LEVEL)
        return known[1]

    @property
    def verdicts(self) -> dict[str, Any]:
        """What the probabilities say, in codes: see `flowsim.analysis.verdict.verdicts`."""
        return verdicts(self)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name: see `flowsim.analysis.answers` and `flowsim.analysis.targets`."""
        from flowsim.analysis import answers, targets

        return {**answers.tables(self), "targets": targets.targets(self), "euros": targets.euros(self)}


def cases_of(scenario: Scenario) -> dict[str, Scenario]:
    """The cases of a scenario: no network, and the scenario under each reading (top-down: a single one)."""
    cases = {"none": scenario.with_settings("none", network="none")}
    if scenario.settings["network"] == "functions":
        cases |= {reading: scenario.with_settings(reading, reading=reading) for reading in READINGS}
    elif scenario.settings["network"] == "diversion":
        cases["diversion"] = scenario.with_settings("diversion")
    return cases


def answer(
    scenario: Scenario | str | None = None,
    half_width: float = HALF_WIDTH,
    seed: int = 1,
    threads: int | None = None,
    curve: bool = True,
    progress: Progress | None = None,
    most: int = MOST,
    draws: str = DRAWS[0],
    meanwhile: Callable[[Answer], None] | None = None,
) -> Answer:
    """Simulate until the probability of clearing is known to ``half_width`` in every case.

    Parameters
    ----------
    scenario : a `Scenario`, the path of a scenario file, or None: the plan as it stands.
    half_width : half the length of the 95% interval that is asked for, between 0.002 and 0.5.
    seed : a whole number; the same seed gives the same answer on any number of threads.
    curve : also simulate a range of diverted shares, top-down.
    progress : see `Progress`.
    most : futures of a case after which it stops, precise or not.
    draws : how futures draw the unknowns: ``independent``, or ``sobol``: in turn from 16 independently scrambled sets
        of Sobol points, with Student's interval over the sets (docs/fewer_futures.md).
    meanwhile : called with the answer when the probabilities of its cases and their second runs are there, on a thread
        of its own, while the first day and the curve are simulated; what it raises is raised here.

    Raises
    ------
    InputError : arguments or a scenario that cannot be used.

    Examples
    --------
    So few futures that it only shows the form; leave ``most`` out for an answer.

    >>> found = answer(half_width=0.5, seed=1, curve=False, most=2)
    >>> list(found.cases)
    ['none', 'headcount', 'capacity', 'net']
    >>> found.probability("net").n
    2
    >>> sorted(found.tables)[:4]
    ['calibration', 'differences', 'diverted', 'diverted_months']
    """
    from flowsim.study.replicate import check_progress, one_of, real, thread_count, truth, whole

    scenario = given_scenario(scenario)
    half_width = real("half_width", half_width, 0.002, 0.5, "a number from 0.002 to 0.5, such as 0.03")
    draws, curve = one_of("draws", draws, DRAWS), truth("curve", curve)
    seed, most = whole("seed", seed, 0, 2**63 - 1), whole("most", most, 1, 10**9)
    thread_count(threads)
    check_progress(progress)
    if has_targets(scenario.region):
        load_targets(scenario.region)  # what is wrong with them is told before anything is simulated
    balances = Balances(seed)
    result = Answer(scenario, seed, half_width, {}, curve_asked=curve, most=most, draws=draws)
    try:
        cases = _prepared(cases_of(scenario), balances, draws)
        if draws == DRAWS[0] and most > LEAST and (curve or half_width < SMALL):
            from flowsim.study.control import prepare

            prepare(cases["none"], seed, balances)
        still, points = _later(result)
        batches = [_until_precise(case, half_width, seed, balances, threads, progress, most) for case in cases.values()]
        for (name, case), refining in zip(cases.items(), batches, strict=True):
            result.cases[name] = case
            next(refining, None)  # a first batch of each, so that there is an answer to keep before long
        for refining in batches:
            for _ in refining:
                pass
        for name, case in result.cases.items():
            count = min(SECOND_RUNS, len(case.futures))
            case.extend(count, seed, balances, threads, _of(progress, f"{name}: second runs", 0, count), second=True)
        besides = _besides(meanwhile, result)
        balance = still.result()
        balance.extend(CALIBRATION, seed, balances, threads, _of(progress, "balance", 0, CALIBRATION))
        result.calibration = calibration(scenario, case=balance, futures=CALIBRATION)
        if curve:
            _curve(result, points, balances, threads, progress)
        besides.result()
    except KeyboardInterrupt:
        result.interrupted = True
        for case in result.cases.values():
            del case.futures[len(case.drawn) :]  # interrupted between the two
            for part in (case.chosen.numbers, case.chosen.probability):
                del part[len(case.chosen.cleared) :]
        result.cases = {name: case for name, case in result.cases.items() if len(case.futures) > 1}
        if not result.cases or (list(result.cases) == ["none"] and len(cases_of(scenario)) > 1):
            raise  # nothing, or nothing yet of what was asked
    return result


def _prepared(scenarios: Mapping[str, Scenario], balances: Balances, draws: str) -> dict[str, Case]:
    """The cases. While others compile the engine, the numbers of the first futures, and the twin, are made here."""
    from flowsim.study.replicate import compiling_aside

    with compiling_aside() as compiling:
        cases = {name: Case(name, one, draws=draws) for name, one in scenarios.items()}
        for number in range(PREPARED):
            for case in cases.values():
                if not compiling():
                    return cases
                case.block(number, balances.seed, balances)
        if compiling():  # the fluid twin is compiled here meanwhile: it will be needed for the curve
            from flowsim.study.control import warm_up

            warm_up()
    return cases


def _besides(work: Callable[[Answer], None] | None, result: Answer) -> Working[None]:
    """Work on a thread of its own."""
    pool = ThreadPoolExecutor(1)
    done: Working[None] = pool.submit(work or (lambda _: None), result)
    pool.shutdown(wait=False)
    return done


def _later(result: Answer) -> tuple[Working[Case], dict[float, Working[Case]]]:
    """The case of the calibration, and those of the curve by diverted share, the largest first: they are made on a
    thread of their own while the engine runs what comes before."""
    scenario = result.scenario

    def point(share: float) -> Case:
        top_down = scenario.with_settings("diversion", network="diversion")
        changed = top_down.with_figure("functions.diversion", share, "a point of the curve")
        return Case(f"diversion_{round(100 * share)}", changed, draws=result.draws)

    pool = ThreadPoolExecutor(1)
    still = pool.submit(lambda: Case("balance", balanced(scenario)))
    shares = sorted(CURVE, reverse=True) if result.curve_asked else []
    points = {share: pool.submit(point, share) for share in shares}
    pool.shutdown(wait=False)
    return still, points


def _of(progress: Progress | None, name: str, done: int, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda number: progress(name, done + number, total)


def expected_futures(estimate: Estimate, half_width: float) -> int:
    """Futures that the precision is likely to take, from the interval so far: its length goes with their root."""
    needed = estimate.n * (estimate.half_width / half_width) ** 2
    return int(min(MOST, max(LEAST, -(-needed // BATCH) * BATCH)))


def _until_precise(
    case: Case,
    half_width: float,
    seed: int,
    balances: Balances,
    threads: int | None,
    progress: Progress | None,
    most: int,
) -> Generator[None, None, None]:
    """Batches of futures until the interval is short enough, with a pause after each; they do not depend on the number
    of threads.

    The first futures are all simulated, and tables are about them. When many are still expected, the rest are chosen
    (`flowsim.study.chosen`).
    """
    estimate: Estimate | None = None
    while case.simulated < most:
        done = case.simulated
        goal = max(expected_futures(estimate, half_width) if estimate else LEAST, done + BATCH)
        first = max(ALL_OF_FIRST, -(-int(PART_OF_FIRST * goal) // BATCH) * BATCH)
        choosing = can_choose(case) and (case.chosen.candidates > 0 or len(case.futures) >= first)
        still = (goal - done) / (CHOSEN_ARE_WORTH if choosing else 1.0)
        ahead = max(BATCH, int(AHEAD * still / BATCH) * BATCH)
        count = min(ahead if done else LEAST, most - done)
        tell = _of(progress, case.name, done, goal)
        if choosing:
            extend_chosen(case, count, seed, balances, threads, tell)
        else:
            if case.twin is not None:
                few = len(case.futures) < ALL_OF_FIRST  # what the twin explains is not in the interval yet
                count = min(count, (ALL_OF_FIRST if few else first) - len(case.futures))
            case.extend(count, seed, balances, threads, tell)
        estimate = case.probability(seed, LEVEL)
        if precision_reached(estimate, half_width, LEAST):
            return
        if case.twin is None and _twin_is_worth_it(case, expected_futures(estimate, half_width)):
            from flowsim.study.control import Control

            case.twin = Control(case, seed, balances, threads)
            case.twin.begin()  # it is there when the next batch is done
        yield


def _twin_is_worth_it(case: Case, goal: int) -> bool:
    """Whether to ask the fluid twin: so many futures are still to come that choosing among them pays, and there are
    outcomes of both kinds enough for its scores."""
    return (
        case.draws == DRAWS[0]
        and len(case.drawn[0]) > SCORES
        and goal - max(case.simulated, ALL_OF_FIRST) >= WORTH
        and not too_few(case.cleared, SCORES)
    )


def _curve(
    result: Answer,
    points: Mapping[float, Working[Case]],
    balances: Balances,
    threads: int | None,
    progress: Progress | None,
) -> None:
    """Probability of clearing for a range of diverted shares, top-down; none diverted is the case without network. The
    shares have the same futures, and one model of the outcome given the unknowns, or, while outcomes are too rare for
    that, given what the fluid twin makes of the futures at one of the shares, the one that is split most evenly: it
    tells them apart at the others too."""
    from flowsim.study.control import Control

    result.curve.append((0.0, result.probability("none")))
    futures, asked = range(CURVE_FUTURES), max(1, len(points) - UNSPLIT)
    done: list[tuple[float, Case, list[bool]]] = []
    try:
        for i, (share, point) in enumerate(points.items()):
            if i == asked:  # the twin is at work meanwhile
                most_split = _most_split(done)
                most_split.twin = Control(most_split, result.seed, balances, threads)
                most_split.twin.begin()
            case = point.result()
            tell = _of(progress, "diversion", i * CURVE_FUTURES, len(CURVE) * CURVE_FUTURES)
            with closing(case.clearing(futures, result.seed, balances, threads, tell)) as found:
                done.append((share, case, list(found)))
    finally:  # interrupted: of the points that are done
        if done:
            cleared = np.array([one for _, _, one in done])
            most_split = _most_split(done[:asked])
            if most_split.twin is None:
                most_split.twin = Control(most_split, result.seed, balances, threads)
            covariates, population, whole = most_split.covariates(result.seed, futures, cleared)
            if covariates is None:
                covariates, population = np.empty((CURVE_FUTURES, 0)), np.empty((0, 0))
            made = adjusted_together(cleared, covariates, population, LEVEL, whole)
            result.curve += sorted((share, estimate) for (share, _, _), estimate in zip(done, made, strict=True))


def _most_split(done: list[tuple[float, Case, list[bool]]]) -> Case:
    """The case whose futures disagree most."""
    return min(done, key=lambda one: abs(float(np.mean(one[2])) - 0.5))[1]


def manifest(result: Answer, seconds: float, command: Any = None) -> dict[str, Any]:
    """All that a repetition needs, and where it was made: versions, seed, scenario, figures, machine, time."""
    from flowsim.study.store import run_record, scenario_described

    return {
        **run_record(seconds, command),
        "asked": {
            "seed": result.seed,
            "half_width": result.half_width,
            "curve": result.curve_asked,
            "most": result.most,
            "draws": result.draws,
        },
        "interrupted": result.interrupted,
        "futures": {name: len(case.futures) for name, case in result.cases.items()},
        "chosen": {name: len(case.chosen.numbers) for name, case in result.cases.items()},
        "curve": [[share, estimate.n] for share, estimate in result.curve],
        **scenario_described(result.scenario),
    }
