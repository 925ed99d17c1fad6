"""The rolling plan: futures weighed by what the programme counted, and the new forecast beside the old one.

First, futures are drawn as if nothing was known. Each is held against the counts (`flowsim.analysis.weighing`). When no
future comes near a count, that is said and no forecast is made. Else more futures are drawn where the counts point,
until the forecast is precise; all futures count, each with its weight. Old and new are estimated from the same futures.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import weighing
from flowsim.analysis.clearing import Future
from flowsim.analysis.monitoring import OFFSET, QUANTITIES, Quarter, simulated
from flowsim.analysis.statistics import Estimate
from flowsim.analysis.weighing import Counts, Proposal
from flowsim.errors import InputError
from flowsim.model.network import Network
from flowsim.scenario import monitored, unknowns
from flowsim.scenario.load import Scenario
from flowsim.scenario.monitored import Monitored
from flowsim.study.beside import leading_case
from flowsim.study.futures import Balances, Case
from flowsim.study.observed import Observed, parse, read
from flowsim.study.replicate import check_progress, real, run_in_two, thread_count, whole
from flowsim.study.together import given_scenario

if TYPE_CHECKING:
    import pandas as pd

FIRST: Final = 256
"""Futures drawn before the counts say where to look."""
BATCH: Final = 128
FUTURES: Final = 1536
LEAST: Final = 64
"""Fewer futures than this say nothing: an interruption before it leaves nothing."""
MOST: Final = 20_000
HALF_WIDTH: Final = 0.05
FROM_PRIOR: Final = 8
"""One in so many later futures comes from the prior."""
ENOUGH: Final = 40.0
"""Least effective number of futures of a forecast; below it the counts are given less weight until it is reached."""
PRECISE: Final = 100.0
"""Effective number of futures from which on the precision can be judged."""

Progress = Callable[[str, int, int], None]
"""Called with the name of the case, the futures done and the futures expected."""


@dataclass(frozen=True)
class Doubt:
    """A count that does not fit: its quarter, quantity and value, and the tail probability of it."""

    quarter: Quarter
    code: str
    value: float
    probability: float


@dataclass
class Update:
    """What was simulated, and the forecasts that follow from it.

    Attributes
    ----------
    observed : the counts. scenario, seed, futures, half_width : as asked for; futures is the largest number.
    case : the scenario's own reading, with its futures; ``drawn`` holds the unknowns of the network too.
    names : of the unknowns that futures draw. scores : per future, the normal scores of their uniform numbers.
    origin : which proposal each future came from; 0 is the prior. interrupted : True when it was stopped early.
    """

    observed: Observed
    scenario: Scenario
    seed: int
    futures: int
    half_width: float
    case: Case
    names: tuple[str, ...]
    scores: list[np.ndarray] = field(default_factory=list)
    origin: list[int] = field(default_factory=list)
    proposals: list[Proposal] = field(default_factory=list)
    effect: list[float] = field(default_factory=list)
    interrupted: bool = False

    @property
    def done(self) -> int:
        """Futures simulated."""
        return len(self.case.futures)

    # ---- weights ----------------------------------------------------------------------------------------------------

    @cached_property
    def log_prior(self) -> np.ndarray:
        """Log of prior over mixture, per future."""
        scores = np.array(self.scores)
        numbers = {i: self.origin.count(i) for i in range(len(self.proposals))}
        mixture = weighing.log_mixture(scores, self.proposals, numbers)
        return np.asarray(self.proposals[0].log_density(scores) - mixture)

    @cached_property
    def before(self) -> np.ndarray:
        """Weights without the counts: (n,)."""
        return weighing.normalised(self.log_prior)

    @cached_property
    def counts(self) -> list[Counts]:
        """What was counted beside what the futures show, a quantity at a time."""
        return [self._counts(code) for code in self.observed.quantities]

    def _counts(self, code: str) -> Counts:
        quantity = QUANTITIES[code]
        at, values = self.observed.of(code)
        series = simulated(quantity, at, self.case.futures, np.array(self.effect), self.case.region)
        own, shared = error_scales(self.scenario, quantity.kind)
        offset = OFFSET[quantity.kind]
        return Counts(code, np.array(values), series.values, series.size, series.chance, own, shared, offset)

    @cached_property
    def logs(self) -> list[np.ndarray]:
        """Log likelihood of each quantity of `counts`, per scale of the errors and future."""
        return [weighing.log_likelihood(one) for one in self.counts]

    @cached_property
    def log_like(self) -> np.ndarray:
        """Log likelihood of all counts: (n,)."""
        return weighing.over_scales(np.sum(self.logs, axis=0))

    @cached_property
    def _weighed(self) -> tuple[float, np.ndarray]:
        return weighing.tempered(self.log_prior, self.log_like, min(ENOUGH, 0.25 * self.done))

    @property
    def power(self) -> float:
        """1, or below 1 when too few futures resemble the counts: these then have less weight."""
        return self._weighed[0]

    @property
    def after(self) -> np.ndarray:
        """Weights with the counts: (n,)."""
        return self._weighed[1]

    def reweighed(self, parts: list[np.ndarray]) -> np.ndarray:
        """Weights by other likelihoods than all of `logs`, at the same power."""
        if not parts:
            return self.before
        return weighing.normalised(self.log_prior + self.power * weighing.over_scales(np.sum(parts, axis=0)))

    def without(self, code: str, t: int | None = None) -> np.ndarray:
        """Weights when a quantity, or one quarter of it, had not been counted."""
        return self.reweighed(self._parts(code, t))

    def _parts(self, code: str, t: int | None) -> list[np.ndarray]:
        parts = []
        for one, log in zip(self.counts, self.logs, strict=True):
            if one.code != code:
                parts.append(log)
            elif t is not None and len(one.observed) > 1:
                parts.append(weighing.log_likelihood(one.without(t)))
        return parts

    def fits(self, code: str, t: int, others: bool) -> float:
        """Two-sided tail probability of a count: without any counts, or given all others.

        Without any, only the first futures tell: they are the same whatever was counted, so that the probability of
        one count does not hang on the others, which say where later futures are drawn.
        """
        counts = next(one for one in self.counts if one.code == code)
        if not others:
            first = np.where(np.arange(self.done) < FIRST, 0.0, -np.inf)
            log = np.broadcast_to(first, (weighing.SCALES, self.done))
        else:
            log = np.broadcast_to(self.log_prior, (weighing.SCALES, self.done))
            if parts := self._parts(code, t):
                log = log + self.power * np.sum(parts, axis=0)
        weights = weighing.normalised(log.ravel()).reshape(log.shape)
        return weighing.surprise(counts, t, weights, others)

    # ---- does it fit? -----------------------------------------------------------------------------------------------

    @property
    def possible(self) -> float:
        """Tail probability below which a count is called impossible: the region's figure over the number of cells."""
        return self.scenario.book.value("monitoring.possible") / len(self.observed.cells)

    @cached_property
    def conflicts(self) -> tuple[Doubt, ...]:
        """Counts that no future comes near, the worst first; with any there is no new forecast."""
        return self._doubts(others=False)

    @cached_property
    def odd(self) -> tuple[Doubt, ...]:
        """Counts that do not go with the others, the worst first."""
        if self.conflicts or len(self.observed.cells) < 2:
            return ()
        return self._doubts(others=True)

    def _doubts(self, others: bool) -> tuple[Doubt, ...]:
        found = []
        for one in self.counts:
            at, values = self.observed.of(one.code)
            for t, (quarter, value) in enumerate(zip(at, values, strict=True)):
                p = self.fits(one.code, t, others)
                if p < self.possible:
                    found.append(Doubt(quarter, one.code, value, p))
        return tuple(sorted(found, key=lambda doubt: doubt.probability))

    # ---- forecasts --------------------------------------------------------------------------------------------------

    def probability(self, new: bool = True) -> Estimate:
        """Probability that the lists are cleared in time, with a 95% interval; ``new``: given the counts.

        Raises
        ------
        InputError : a new forecast, when the counts allow none (see `conflicts`).
        """
        if new and self.conflicts:
            worst = self.conflicts[0]
            where = f"counts: {worst.code} in {worst.quarter}"
            raise InputError(where, f"{worst.value:g}, which no simulated future comes near", "a count that can be")
        return weighing.weighed_probability(self.case.cleared, self.after if new else self.before)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name: see `flowsim.analysis.updated`."""
        from flowsim.analysis import updated

        return updated.tables(self)

    def snapshot(self) -> Update:
        """What is there now, in lists of its own: the update itself can go on."""
        case = copy.copy(self.case)
        case.futures, case.drawn = list(case.futures), list(case.drawn)
        return replace(
            self,
            case=case,
            scores=list(self.scores),
            origin=list(self.origin),
            proposals=list(self.proposals),
            effect=list(self.effect),
        )

    def _forget(self) -> None:
        """More futures came: what was worked out no longer holds."""
        for name in ("log_prior", "before", "counts", "logs", "log_like", "_weighed", "conflicts", "odd"):
            self.__dict__.pop(name, None)


def error_scales(scenario: Scenario, kind: str) -> tuple[np.ndarray, np.ndarray]:
    """Relative errors of a kind of quantity at the `flowsim.analysis.weighing.SCALES` points of their ranges: each
    quarter anew, and the same in all quarters. Careful counting is careful in both."""
    middles = (np.arange(weighing.SCALES) + 0.5) / weighing.SCALES
    made = []
    for key in (f"monitoring.error_{kind}", f"monitoring.error_{kind}_shared"):
        figure = scenario.book.figure(key)
        low, mode, high = figure.low, figure.at(), figure.high
        if low is None or high is None or low == high:
            made.append(np.full(weighing.SCALES, mode))
        else:
            made.append(np.array([unknowns.triangular(low, mode, high, float(u)) for u in middles]))
    return made[0], made[1]


def update(
    observed: Observed | str | Path | bytes,
    scenario: Scenario | str | None = None,
    futures: int = FUTURES,
    half_width: float = HALF_WIDTH,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
) -> Update:
    """Weigh simulated futures by what a programme counted.

    Parameters
    ----------
    observed : the path of a CSV file, its bytes (an upload), or counts that were read (`flowsim.study.observed`).
    scenario : a `Scenario`, the path of a scenario file, or None: the plan as it stands. Its own reading is used.
    futures : simulated at most, from 128 on.
    half_width : stop sooner when the 95% interval of the probability of clearing, given the counts, reaches no further.
    seed : a whole number; the same seed and counts give the same result on any number of threads.
    progress : see `Progress`.

    Raises
    ------
    InputError : counts, arguments or a scenario that cannot be used. `flowsim.study.privacy.PersonalData`: what looks
        like personal data.

    Examples
    --------
    >>> flowsim.update("experiments/observed_made_up.csv").probability()  # doctest: +SKIP
    """
    result = prepared(observed, scenario, futures, half_width, seed)
    try:
        for _ in stages(result, threads, progress):
            pass
    except KeyboardInterrupt:
        tidy(result)
        if result.done < LEAST:
            raise
        result.interrupted = True
    return result


def prepared(
    observed: Observed | str | Path | bytes,
    scenario: Scenario | str | None = None,
    futures: int = FUTURES,
    half_width: float = HALF_WIDTH,
    seed: int = 1,
) -> Update:
    """An update before its first future, its arguments checked: for `stages`. Arguments and errors as `update`."""
    if isinstance(observed, bytes):
        observed = parse(observed, "counts")
    elif not isinstance(observed, Observed):
        observed = read(observed)
    scenario = given_scenario(scenario)
    # The proposals move one unknown at a time, which points of the calibrated posterior do not allow.
    scenario = scenario.with_settings(scenario.name, unknowns="prior")
    futures, seed = whole("futures", futures, 2 * LEAST, MOST), whole("seed", seed, 0, 2**63 - 1)
    half_width = real("half_width", half_width, 0.005, 0.5, "a number from 0.005 to 0.5, such as 0.05")
    name, one = leading_case(scenario)
    for code in observed.quantities:
        if QUANTITIES[code].of_functions and one.settings["network"] != "functions":
            expected = "counts that the scenario simulates: it does not have the network's functions"
            raise InputError(f"counts of {observed.name}", code, expected, "counts.functions")
    uncertain = (*unknowns.drawn(one), *monitored.drawn(one))
    for kind in sorted({QUANTITIES[code].kind for code in observed.quantities}):
        error_scales(one, kind)
    result = Update(observed, scenario, seed, futures, half_width, Case(name, one), uncertain)
    result.proposals.append(weighing.prior(len(uncertain)))
    return result


def stages(
    result: Update, threads: int | None = None, progress: Progress | None = None, slices: int | None = None
) -> Generator[None, None, None]:
    """Simulate the futures of an update that was `prepared`, and pause after every slice of them.

    Parameters
    ----------
    slices : futures between pauses; None: a whole batch. The result does not depend on it.

    Notes
    -----
    To show what is there at a pause, take a `Update.snapshot`: the update itself goes on.
    """
    thread_count(threads)
    check_progress(progress)
    run = _Run(result, threads, progress, slices)
    yield from run.extend(min(FIRST, result.futures), prior_only=True)
    while result.done < result.futures and not result.conflicts and not _precise(result):
        if result.names:  # else a scenario in which everything is known: only luck differs
            result.proposals.append(weighing.aimed(np.array(result.scores), result.counts))
        yield from run.extend(min(BATCH, result.futures - result.done))


def tidy(result: Update) -> None:
    """After an interruption between two lines: keep the futures of which everything is known."""
    lists: tuple[list[Any], ...] = (
        result.case.futures,
        result.case.drawn,
        result.scores,
        result.origin,
        result.effect,
    )
    count = min(map(len, lists))
    for one in lists:
        del one[count:]
    result._forget()


def _precise(result: Update) -> bool:
    weights = weighing.normalised(result.log_prior + result.log_like)
    if weighing.effective(weights) < PRECISE:
        return False
    return weighing.weighed_probability(result.case.cleared, weights).half_width <= result.half_width


class _Run:
    """Draws and simulates the futures of an update, in order; the outcome does not depend on the number of threads."""

    def __init__(self, result: Update, threads: int | None, progress: Progress | None, slices: int | None) -> None:
        self.result, self.threads, self.progress, self.slices = result, threads, progress, slices
        self.case = result.case
        self.balances = Balances(result.seed)
        self.monitored = Monitored(self.case.template)

    def extend(self, count: int, prior_only: bool = False) -> Generator[None, None, None]:
        """Run ``count`` more futures; one in `FROM_PRIOR` from the prior, the others from the newest proposal."""
        first, newest = self.result.done, len(self.result.proposals) - 1
        size = self.slices or count
        for start in range(first, first + count, size):
            plan = []
            for i in range(start, min(start + size, first + count)):
                origin = 0 if prior_only or i % FROM_PRIOR == 0 else newest
                plan.append((i, origin, *self._drawn(i, origin)))
            self._simulate(plan)
            yield

    def _simulate(self, plan: list[tuple[int, int, np.ndarray, dict[str, float]]]) -> None:
        result, first = self.result, plan[0][0]
        jobs = (partial(self._job, i, uniforms) for i, _, _, uniforms in plan)

        def tell(done: int) -> None:
            if self.progress is not None:
                self.progress(self.case.name, first + done, max(FIRST, result.futures))

        futures: Generator[Future, None, None] = run_in_two(jobs, self.case.reduce, self.threads, tell)
        with closing(futures) as done:
            for (_, origin, scores, uniforms), future in zip(plan, done, strict=True):
                known, drawn = self._values(uniforms)
                share = self.monitored.effects(known).get("functions.conversations_not_to_ggz", math.nan)
                self.case.futures.append(future)
                self.case.drawn.append({**drawn, **known})
                result.scores.append(scores)
                result.origin.append(origin)
                result.effect.append(share)
        result._forget()

    def _drawn(self, i: int, origin: int) -> tuple[np.ndarray, dict[str, float]]:
        """Normal scores of the uncertain figures, and a uniform number for every unknown."""
        from scipy.special import ndtr, ndtri

        result = self.result
        uniforms = {**unknowns.quantiles(result.seed, i), **monitored.quantiles(result.seed, i)}
        scores = ndtri(np.array([uniforms[name] for name in result.names]))
        if origin:
            scores = result.proposals[origin].draw(scores)
            moved = np.clip(ndtr(scores), 1e-12, 1.0 - 1e-12)
            uniforms |= dict(zip(result.names, map(float, moved), strict=True))
        return scores, uniforms

    def _values(self, uniforms: Mapping[str, float]) -> tuple[dict[str, float], dict[str, float]]:
        return monitored.values(self.case.scenario, uniforms), unknowns.values(self.case.scenario, uniforms)

    def _job(self, i: int, uniforms: Mapping[str, float]) -> tuple[Network, int, int]:
        known, drawn = self._values(uniforms)
        base = self.balances.get(self.case.scenario, drawn)
        return self.monitored.network(known, drawn, base), self.result.seed, i


def manifest(result: Update, seconds: float, command: Any = None) -> dict[str, Any]:
    """All that a repetition needs, and where it was made; the counts too, as cells."""
    from flowsim.study.store import run_record, scenario_described

    asked = {"seed": result.seed, "futures": result.futures, "half_width": result.half_width}
    observed = {
        "name": result.observed.name,
        "digest": result.observed.digest,
        "made_up": result.observed.made_up,
        "cells": len(result.observed.cells),
        "counts": [[str(quarter), code, value] for (quarter, code), value in result.observed.cells.items()],
    }
    return {
        **run_record(seconds, command),
        "asked": asked,
        "observed": observed,
        "interrupted": result.interrupted,
        "futures": {result.case.name: result.done},
        **scenario_described(result.scenario),
    }
