"""The posterior of what nobody knows: draw, simulate a year without network, weigh by what was observed.

Points of the unknowns are scrambled Sobol points (`scipy.stats.qmc`) in the quantiles of the prior. Each is simulated
on the compiled engine for the first year, without network, and weighed by the probability of the targets under their
stated errors (`flowsim.analysis.posterior`). Later waves look where the earlier ones found weight; all of them count.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import posterior as likelihood
from flowsim.analysis import weighing
from flowsim.analysis.posterior import ErrorModel, Proposal
from flowsim.errors import InputError
from flowsim.model.network import Network
from flowsim.plan.observed import Observation, Observed, load_observed
from flowsim.scenario import posterior as shipped
from flowsim.scenario.baseline import WEEK, YEAR, Values, calibrate
from flowsim.scenario.futures import Block, Template
from flowsim.scenario.load import Scenario, default
from flowsim.scenario.posterior import Posterior, Prior
from flowsim.scenario.region import GROUPS, Region, load_region
from flowsim.study.replicate import check_progress, run_many, thread_count, whole

if TYPE_CHECKING:
    import pandas as pd

POINTS: Final = 8192
LEAST: Final = 256
MOST: Final = 2**20
KEPT: Final = 2048
"""Points that are written: each as likely as the next."""
TOGETHER: Final = 64
"""Points whose numbers are worked out at once."""
WAVES: Final = (0.125, 0.25, 0.625)
"""Shares of the points in each wave; the first is drawn from the prior."""
ADAPT: Final = 0.1
"""Effective share of the points so far that a proposal is fitted to at least; a likelihood that leaves fewer is
tempered."""
CHECK: Final = 4
"""Simulated years that the manifest keeps, so that it can be seen whether the same points still give the same years."""
MONTHS: Final = 12
PUBLISHED: Final = ("personality", "trauma", "somatic_symptom")
"""Groups whose waits the plan prints."""

Progress = Callable[[str, int, int], None]


class Year:
    """Quantities of the first year of a region, in the units of the figures that they are held against.

    A mean or a share of nobody is missing (NaN): the mean wait of a year in which nobody starts is not 0.
    """

    def __init__(self, network: Network, region: Region, people: Sequence[float]) -> None:
        self.people = people
        ggz = np.flatnonzero(network.stations["list"] >= 0)
        groups = {one.name: one.group for one in region.programmes}
        of = np.array([groups[network.station_names[k]] for k in ggz])
        self.ggz = ggz
        self.every = network.snapshot_every
        self.horizon = float(network.periods[MONTHS])
        self.where = {name: of == name for name in GROUPS}
        self.specialist = ~(self.where["light"] | self.where["smi"])
        self.lives_in = [
            np.array([c for c, name in enumerate(network.class_names) if name.startswith(f"{one.code}/")], int)
            for one in region.municipalities
        ]
        self.municipalities = [one.code for one in region.municipalities]

    def short(self, network: Network) -> Network:
        """The network until the end of its first year."""
        return replace(network, horizon=self.horizon, periods=network.periods[: MONTHS + 1])

    def __call__(self, outcome: dict[str, np.ndarray], network: Network) -> dict[str, float]:
        snapshots = outcome["snapshots"][:, self.ggz]
        periods = outcome["periods"][:, self.ggz]
        cells = outcome["cells"][self.ggz]
        starts, waits = periods["starts"].sum(axis=0), periods["wait"].sum(axis=0)
        waiting = snapshots["waiting"].sum(axis=1)
        years = self.horizon / YEAR
        in_treatment = cells["service_time"].sum(axis=1) / self.horizon
        treated = cells["service_time"].sum(axis=0) / self.horizon + cells["starts"].sum(axis=0) / years

        def wait(which: np.ndarray) -> float:
            return _each(waits[which].sum(), starts[which].sum()) / WEEK

        weeks_waited = float(waiting.mean()) * self.horizon / WEEK
        made = {
            "clients": float(snapshots["in_service"][0].sum() + starts.sum()),
            "smi": float((in_treatment + starts / years)[self.where["smi"]].sum()),
            "starts": float(starts.sum() / years),
            "waiting": float(waiting[0]),
            "share_basic": _each(snapshots["waiting"][0, self.where["light"]].sum(), waiting[0]),
            "overdue_share": _each(snapshots["overdue"][0].sum(), waiting[0]),
            "wait_all": wait(np.ones(len(self.ggz), bool)),
            "wait_basic": wait(self.where["light"]),
            "length_specialist": _each(in_treatment[self.specialist].sum(), starts[self.specialist].sum())
            * years
            * MONTHS,
            "list_growth": _each(waiting[-1], waiting[0]) ** (YEAR / (self.every * (len(waiting) - 1))) - 1.0,
            "hazard": float(periods["reneged"].sum() / max(weeks_waited, 1.0)),
        }
        made |= {f"wait_{name}": wait(self.where[name]) for name in PUBLISHED}
        made |= {f"list_{name}": float(snapshots["waiting"][0, self.where[name]].sum()) for name in GROUPS}
        for code, which, people in zip(self.municipalities, self.lives_in, self.people, strict=True):
            made[f"clients_per_10000_{code}"] = float(treated[which].sum() / people * 10_000)
        return made


def _each(total: float, people: float) -> float:
    """A total over people, for each of them; NaN when there are none."""
    return float(total / people) if people else math.nan


@dataclass
class Library:
    """Simulated years of one scenario without network: points of the prior's quantiles, and what came of them."""

    scenario: Scenario
    observed: Observed
    seed: int
    quantiles: np.ndarray = field(init=False)
    quantities: list[dict[str, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.scenario = self.scenario.with_settings("calibration", network="none")
        self.prior: Prior = shipped.prior(self.scenario, self.observed)
        self.quantiles = np.empty((0, len(self.prior.names)))
        self.region = load_region(self.scenario.region)
        self.template = Template(self.scenario)
        people = [self.scenario.book.value(f"population.{one.code}") for one in self.region.municipalities]
        self.year = Year(self.template.network_at_mode, self.region, people)

    def extend(
        self,
        quantiles: np.ndarray,
        threads: int | None,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        """Simulate more points; those done stay when it is interrupted."""
        first = len(self.quantities)
        values = self.prior.values(quantiles)

        def jobs() -> Iterator[Callable[[], tuple[Network, int, int]]]:
            for start in range(0, len(values), TOGETHER):
                drawn = dict(zip(self.prior.names, values[start : start + TOGETHER].T.copy(), strict=True))
                block = self.template.block(drawn, calibrate(Values(self.scenario, drawn), self.region))
                for i in range(len(block)):
                    yield partial(self._job, block, i, first + start + i)

        try:
            with closing(run_many(jobs(), self.year, threads, progress)) as done:
                for one in done:
                    self.quantities.append(one)
        finally:
            new = len(self.quantities) - first
            self.quantiles = np.concatenate([self.quantiles, quantiles[:new]])

    def _job(self, block: Block, i: int, number: int) -> tuple[Network, int, int]:
        return self.year.short(block.network(i)), self.seed, number

    @property
    def values(self) -> np.ndarray:
        """(n, D) of the unknowns."""
        return self.prior.values(self.quantiles)

    def simulated(self, targets: Sequence[Observation]) -> np.ndarray:
        """(n, T) quantities that the targets are held against; NaN where a year has none."""
        return np.array([[one[target.quantity] for target in targets] for one in self.quantities])


@dataclass
class Calibrated:
    """The posterior, and all that it came from.

    Attributes
    ----------
    library : every simulated year. points : how many were asked for. counts, proposals : per wave.
    weights : (n,) of the years, adding to 1. interrupted : fewer points than were asked for.
    """

    library: Library
    points: int
    counts: list[int]
    proposals: list[Proposal]
    interrupted: bool = False

    def __post_init__(self) -> None:
        self.weights = self.weigh()

    @property
    def targets(self) -> tuple[Observation, ...]:
        """Those that weigh."""
        return tuple(one for one in self.library.observed.targets if one.weighs)

    def weigh(self, scale: float = 1.0, without: Sequence[str] = ()) -> np.ndarray:
        """Weights of the years, (n,); with discrepancies times ``scale``, or ``without`` some targets."""
        targets = tuple(one for one in self.targets if one.name not in without)
        logs = log_likelihood(self.library, targets, scale) if targets else np.zeros(len(self.library.quantities))
        return weighing.normalised(logs + likelihood.balance(self.library.quantiles, self.proposals, self.counts))

    @property
    def prior_weights(self) -> np.ndarray:
        """Weights of the years as draws from the prior, (n,)."""
        return weighing.normalised(likelihood.balance(self.library.quantiles, self.proposals, self.counts))

    @property
    def effective(self) -> float:
        return weighing.effective(self.weights)

    def posterior(self) -> Posterior:
        """`KEPT` points, each as likely as the next, in a random order."""
        library = self.library
        random = np.random.Generator(np.random.PCG64(library.seed))
        rows = random.permutation(likelihood.resampled(self.weights, KEPT, float(random.random())))
        names = library.prior.names
        basis = shipped.basis(library.scenario, names, library.observed)
        return Posterior(library.scenario.region, names, library.values[rows], basis)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """Tidy tables by name; see `flowsim.analysis.calibrated`."""
        from flowsim.analysis import calibrated

        return calibrated.tables(self)


def log_likelihood(library: Library, targets: Sequence[Observation], scale: float = 1.0) -> np.ndarray:
    """Log of the probability of what was observed, per simulated year: (n,), -inf for a year that does not show it.

    Raises
    ------
    InputError : a target that no year shows, as the mean wait where nobody starts.
    """
    errors = ErrorModel.of(targets, dict(library.observed.correlation), scale)
    values = np.array([one.value(library.scenario.book) for one in targets])
    simulated = likelihood.against_bounds(targets, values, library.simulated(targets))
    missing = np.isnan(simulated)
    for one, nowhere in zip(targets, missing.all(axis=0), strict=True):
        if nowhere:
            where = f"calibration.toml: target.{one.name}.quantity"
            raise InputError(
                where, f"{one.quantity}, which no simulated year has", "a quantity of people who are there"
            )
    logs = errors.log_likelihood(np.where(missing, 0.0, simulated), likelihood.observed_values(targets, values))
    return np.where(missing.any(axis=1), -np.inf, logs)


def calibrated(
    scenario: Scenario | None = None,
    points: int = POINTS,
    seed: int = 1,
    threads: int | None = None,
    progress: Progress | None = None,
    observed: Observed | None = None,
) -> Calibrated:
    """Calibrate the unknowns of a scenario's region.

    Parameters
    ----------
    scenario : None: the plan as it stands. Its network does not matter: the targets are from before.
    points : simulated years. seed : of the points and of the residents' luck; the same seed, the same posterior on any
        number of threads.
    observed : the targets; None: those of the region.

    Raises
    ------
    InputError : arguments that cannot be used, or a region without targets.
    KeyboardInterrupt : stopped before `LEAST` points were done; later it returns what is finished.
    """
    scenario = default() if scenario is None else scenario
    checked(points, seed, threads)
    check_progress(progress)
    observed = load_observed(scenario.region, scenario.book) if observed is None else observed
    library = Library(scenario, observed, seed)
    if not library.prior.names:
        raise InputError(f"scenario {scenario.name}", "nothing that is unknown", "at least one figure with a range")
    unknown = sorted({one.quantity for one in observed.targets} - set(_quantities(library)))
    if unknown:
        raise InputError(
            "calibration.toml", f"the quantity {unknown[0]!r}", "one of " + ", ".join(_quantities(library))
        )
    dimensions = len(library.prior.names)
    proposals, counts = [Proposal.prior(dimensions)], list[int]()
    targets = [one for one in observed.targets if one.weighs]
    interrupted = False
    for wave, size in enumerate(_sizes(points)):
        if wave > 0:
            logs = log_likelihood(library, targets)
            logs = logs + likelihood.balance(library.quantiles, proposals, counts)
            weights = weighing.tempered(np.zeros(len(logs)), logs, ADAPT * len(logs))[1]
            proposals.append(Proposal.fitted(library.quantiles, weights))
        done = sum(counts)
        try:
            wanted = proposals[-1].at(sobol(dimensions, size, seed + wave))
            library.extend(wanted, threads, _of(progress, done, points))
        except KeyboardInterrupt:
            interrupted = True
        counts.append(len(library.quantities) - done)
        if interrupted:
            break
    if len(library.quantities) < LEAST:
        raise KeyboardInterrupt
    if counts[-1] == 0:
        del counts[-1], proposals[len(counts) :]
    return Calibrated(library, points, counts, proposals, interrupted)


def checked(points: int, seed: int, threads: int | None) -> None:
    """Refuse arguments of `calibrated` that cannot be used."""
    whole("points", points, LEAST, MOST)
    whole("seed", seed, 0, 2**63 - 1 - len(WAVES))
    thread_count(threads)


def sobol(dimensions: int, count: int, seed: int) -> np.ndarray:
    """The first ``count`` points of a scrambled Sobol sequence, (count, dimensions)."""
    from scipy.stats.qmc import Sobol

    return Sobol(dimensions, rng=seed).random_base2(max(count - 1, 1).bit_length())[:count]


def _sizes(points: int) -> list[int]:
    sizes = [round(share * points) for share in WAVES]
    return [*sizes[:-1], points - sum(sizes[:-1])]


def _quantities(library: Library) -> list[str]:
    network = library.year.short(library.template.network_at_mode)
    outcome = {
        "snapshots": np.zeros((2, len(network.stations)), [("waiting", "i4"), ("in_service", "i4"), ("overdue", "i4")]),
        "periods": np.zeros((1, len(network.stations)), [("starts", "i4"), ("wait", "f8"), ("reneged", "i4")]),
        "cells": np.zeros(
            (len(network.stations), len(network.class_names)), [("service_time", "f8"), ("starts", "i8")]
        ),
    }
    with np.errstate(all="ignore"):
        return list(library.year(outcome, network))


def _of(progress: Progress | None, done: int, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda number: progress("calibrate", done + number, total)


def manifest(result: Calibrated, seconds: float, command: Any = None) -> dict[str, Any]:
    """What a posterior rests on, and what repeats it."""
    from flowsim.study.store import run_record, scenario_record

    library = result.library
    return {
        **run_record(seconds, command),
        "asked": {"points": result.points, "seed": library.seed},
        "interrupted": result.interrupted,
        "points": len(library.quantities),
        "effective": round(result.effective, 1),
        "kept": KEPT,
        "waves": [
            {"points": count, "a": one.a.tolist(), "b": one.b.tolist()}
            for count, one in zip(result.counts, result.proposals, strict=True)
        ],
        "check": {
            "quantiles": library.quantiles[-CHECK:].tolist(),
            "replications": list(range(len(library.quantities)))[-CHECK:],
            "quantities": [
                {name: None if math.isnan(x) else x for name, x in one.items()} for one in library.quantities[-CHECK:]
            ],
        },
        "scenario": scenario_record(library.scenario) | {"name": library.scenario.name, "hash": library.scenario.hash},
    }


def write(folder: Path, result: Calibrated, seconds: float, command: Any = None) -> None:
    """The posterior's points and manifest into a folder."""
    shipped.write(folder, result.posterior(), manifest(result, seconds, command))


def ship(folder: Path, result: Calibrated) -> None:
    """The same for a region's own folder: without what tells of one machine and one day."""
    apart = ("machine", "time", "seconds", "command", "sources", "scenario")
    content = {key: value for key, value in manifest(result, 0.0).items() if key not in apart}
    shipped.write(folder, result.posterior(), content)
