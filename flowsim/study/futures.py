"""Running the futures of a scenario: each with values of its own for the unknowns, and luck of its own.

Future ``i`` has the same unknowns and the same residents in every scenario, so that scenarios can be compared pairwise.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.adjusted import Selection, adjusted_probability, in_turn, too_few
from flowsim.analysis.clearing import (
    QUEUE_MONTH,
    SCORES,
    VOLUMES,
    Definition,
    Future,
    clearing_day,
    expected_overdue,
    settled,
)
from flowsim.analysis.outcomes import wait_quantile
from flowsim.analysis.statistics import Estimate, wilson
from flowsim.model.network import Network
from flowsim.model.tally import snapshot_times
from flowsim.plan.years import YEARS
from flowsim.scenario import unknowns
from flowsim.scenario.baseline import YEAR, Baseline, Values, calibrate
from flowsim.scenario.frame import VISITOR
from flowsim.scenario.futures import Block, Template
from flowsim.scenario.load import Scenario
from flowsim.scenario.region import Region, load_region
from flowsim.study.replicate import Job, run_in_two, run_many, run_until_settled

if TYPE_CHECKING:
    from flowsim.study.control import Control

SECOND_RUN: Final = 1_000_000
"""Added to a future's number for a second run of the same unknowns with other luck."""
SETS: Final = 8
POPULATION: Final = 512
"""Sets of values, and how many each, that stand for all that can be drawn (`flowsim.scenario.unknowns.population`)."""
BLOCK: Final = 64
"""Futures whose numbers are worked out together."""
AHEAD: Final = 12
"""Futures before its first that a block is worked out, by one thread while the others go on."""
KEPT: Final = 4096
"""Balances kept."""
BLOCKS_KEPT: Final = 3
"""Blocks of one case that are kept: threads are at most a few futures apart."""


def definition(scenario: Scenario, region: Region) -> Definition:
    """The scenario's reading of cleared; in time is by the end of the fifth year."""
    return Definition(
        share=scenario.book.value("assumptions.cleared_share"),
        weeks=round(scenario.book.value("assumptions.cleared_weeks")),
        deadline=region.day(dt.date(YEARS[-1], 12, 31)),
    )


class Balances:
    """The balance of each future's unknowns, worked out once for all scenarios that share the region's figures."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.known: OrderedDict[tuple[Any, ...], Baseline] = OrderedDict()

    def get(self, scenario: Scenario, drawn: Mapping[str, Any]) -> Baseline:
        """The balance for these values: floats, or arrays (n,) for the balances of n futures at once."""
        changes = (change for change in scenario.changes if not change.key.startswith("functions."))
        fixed = tuple((change.key, change.after.values) for change in changes)  # functions do not touch the first day
        values = tuple((name, x.tobytes() if isinstance(x, np.ndarray) else x) for name, x in drawn.items())
        key = (scenario.region, fixed, values)
        found = self.known.get(key)
        if found is None:
            found = self.known[key] = calibrate(Values(scenario, drawn), load_region(scenario.region))
            while len(self.known) > KEPT:
                with suppress(KeyError):  # another thread was first
                    self.known.popitem(last=False)
        return found


class Reducer:
    """Keeps of one replication what the answer needs."""

    def __init__(
        self,
        network: Network,
        definition: Definition,
        region: Region,
        hours: tuple[float, float],
        expected: bool = False,
    ) -> None:
        """``hours`` : of treatment in a year as on the first day, in the programmes for severe mental illness, and in
        the others. ``expected`` : people overdue are those who would be, joining now."""
        names = network.station_names
        self.hours = hours
        self.definition = definition
        self.every = network.snapshot_every
        self.bin = network.wait_bin
        self.expected = expected
        self.edges = network.periods
        self.norm = network.waiting_norm
        self.ggz = np.flatnonzero(network.stations["list"] >= 0)
        self.smi = np.array([names[k].startswith("smi_") for k in self.ggz], bool)
        self.bridging = names.index("gp"), network.class_names.index(VISITOR)
        ends = [region.day(dt.date(year, 1, 1)) for year in (*YEARS, YEARS[-1] + 1)]
        self.year_ends = np.round(np.array(ends) / self.every).astype(int)
        self.months = 12 * len(YEARS)
        self.month_ends = np.round(self.edges[1 : self.months + 1] / self.every).astype(int)
        self.looks = np.arange(int(self.edges[self.months] // self.every) + 1) * self.every
        """Times of the snapshots up to the end of the last month, and"""
        self.of_month = self.looks.searchsorted(self.edges[: self.months], side="right")
        """the first snapshot of each month: what happened at its beginning belongs to the month before."""
        self.days_of_a_look = np.diff(self.edges[: self.months + 1]) / np.diff([*self.of_month, len(self.looks)])
        last = max(self.year_ends[-1], self.month_ends[-1])
        self.look = min(int(last), len(snapshot_times(network)) - 1)
        """The last snapshot of which something is kept; a run goes on after it to see a clearing hold, no longer."""
        self.horizon = network.horizon
        self.lives_in = [
            np.array([c for c, name in enumerate(network.class_names) if name.startswith(f"{one.code}/")], int)
            for one in region.municipalities
        ]

        def like(*prefixes: str) -> np.ndarray:
            return np.array([k for k, name in enumerate(names) if name.startswith(prefixes)], int)

        new_points = [
            f"support_point_{one.code}" for one in region.municipalities if one.support_point_opens is not None
        ]
        self.counted: list[tuple[str, np.ndarray]] = [
            ("starts", like("collegial_consultation")),
            ("starts", like("exploratory_conversation")),
            ("starts", like("case_conference")),
            ("reviewed", like("waiting_list_management")),
            ("starts", like("social_domain")),
            ("starts", like(*new_points)),
            ("starts", like("self_help")),
            ("starts", like("gp")[:1]),
            ("starts", like("crisis")),
            ("completions", like("between_episodes")),
        ]
        assert len(self.counted) + 1 == len(VOLUMES)  # and consults of people who wait

    def _lists(self, outcome: dict[str, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        """Snapshots and months of the lists for ggz, the overdue counted as the scenario does."""
        snapshots = outcome["snapshots"][:, self.ggz]
        periods = outcome["periods"][:, self.ggz]
        if self.expected:
            snapshots = snapshots.copy()
            snapshots["overdue"] = expected_overdue(
                snapshots["waiting"], periods["starts"], self.edges, self.every, self.norm
            )
        return snapshots, periods

    def _queues(self, snapshots: np.ndarray, periods: np.ndarray, servers: np.ndarray) -> np.ndarray:
        """(M, P, Q) `QUEUE_MONTH`; ``servers``: (J, P) at the snapshots in `looks`."""
        made = np.empty((self.months, len(self.ggz), len(QUEUE_MONTH)), np.float32)
        at, during = snapshots[self.month_ends], periods[: self.months]
        made[..., 0], made[..., 1] = at["waiting"], at["overdue"]
        made[..., 2] = during["arrivals"] + during["transferred"]
        for i, name in enumerate(QUEUE_MONTH[3:7], 3):
            made[..., i] = during[name]
        for i, seen in enumerate((snapshots["in_service"][: len(self.looks)], servers), 7):
            made[..., i] = np.add.reduceat(seen, self.of_month, axis=0, dtype=float)
        made[..., 9] = made[..., 7] * self.days_of_a_look[:, None] * self._hours_a_day(snapshots["in_service"][0])
        return made

    def _hours_a_day(self, at_first: np.ndarray) -> np.ndarray:
        """(P,) hours of treatment a day of somebody in treatment: those of a year as on the first day, over all who are
        in treatment then, in the programmes for severe mental illness and in the others."""
        given = np.zeros(len(at_first))
        for which, hours in zip((self.smi, ~self.smi), self.hours, strict=True):
            given[which] = hours / YEAR / max(at_first[which].sum(), 1)
        return given

    def _bridging(self, outcome: dict[str, np.ndarray], waiting: np.ndarray) -> np.ndarray:
        """(M,) consults of people who wait: as many as there were in all, over the months as people waited in them,
        for whom they come at one rate. ``waiting`` : (J + 1,) on the lists for ggz."""
        by_month = np.add.reduceat(waiting[: len(self.looks)], self.of_month, dtype=float) * self.days_of_a_look
        later = float(waiting[len(self.looks) :].sum()) * self.every
        consults = float(outcome["cells"]["starts"][self.bridging])
        return np.asarray(by_month * (consults / max(by_month.sum() + later, 1.0)))

    def cleared(self, outcome: dict[str, np.ndarray], network: Network) -> bool:
        """Whether the lists are cleared in time, and nothing else."""
        overdue = self._lists(outcome)[0]["overdue"].sum(axis=1)
        return clearing_day(overdue, self.every, self.definition) <= self.definition.deadline

    def settled(self, overdue: np.ndarray) -> bool | None:
        """Whether the lists are cleared in time, as far as can be said at `look` (`flowsim.analysis.clearing.settled`);
        None also where another number than that of people overdue decides."""
        return None if self.expected else settled(overdue, self.every, self.definition)

    def __call__(
        self, outcome: dict[str, np.ndarray], network: Network, whole: dict[str, np.ndarray] | None = None
    ) -> Future:
        """``outcome``: of a whole run, or until `look`; then ``whole`` is that of the whole run, where that went on."""
        snapshots, periods = self._lists(outcome)
        span = min(self.look * self.every, self.horizon) if len(snapshots) == self.look + 1 else self.horizon
        weeks = snapshots[: self.look + 1]
        waiting, overdue = weeks["waiting"].sum(axis=1), weeks["overdue"].sum(axis=1)
        path = (snapshots if whole is None else self._lists(whole)[0])["overdue"].sum(axis=1)
        at = snapshots[np.minimum(self.year_ends, len(snapshots) - 1)]
        fields = ("arrivals", "starts", "wait", "reneged", "completions")
        months = np.stack([periods[name].sum(axis=1, dtype=float) for name in fields], axis=1)[: self.months]
        waits = outcome["waits"][: self.months, 0]
        volumes = [outcome["periods"][name][: self.months, which].sum(axis=1) for name, which in self.counted]
        volumes.append(self._bridging(outcome, snapshots["waiting"].sum(axis=1)))
        in_service = at["in_service"].sum(axis=1)[:-1]
        starts = months[:, 1].reshape(len(YEARS), 12).sum(axis=1)
        by_year = periods[: self.months].reshape(len(YEARS), 12, -1)
        referred = (by_year["arrivals"] + by_year["transferred"]).sum(axis=1)
        programme_years = np.stack([referred, by_year["starts"].sum(axis=1), by_year["wait"].sum(axis=1)], axis=2)
        cells = outcome["cells"][self.ggz]
        treated = (cells["service_time"].sum(axis=0) + YEAR * cells["starts"].sum(axis=0)) / span
        return Future(
            programme_years=programme_years.astype(np.float32),
            in_treatment=cells["service_time"].sum(axis=1) / span,
            by_municipality=np.array([treated[which].sum() for which in self.lives_in]),
            waiting=waiting.astype(np.uint32),
            overdue=overdue.astype(np.uint32),
            cleared=clearing_day(path, self.every, self.definition),
            by_programme=np.stack([at["waiting"], at["overdue"]], axis=2).astype(np.uint32),
            months=months.astype(np.float32),
            wait_90=wait_quantile(waits.reshape(len(YEARS), 12, -1).sum(axis=1), self.bin, 0.9),
            wait_90_months=wait_quantile(waits, self.bin, 0.9).astype(np.float32),
            volumes=np.stack(volumes, axis=1).astype(np.float32),
            treated=in_service + starts,
            queues=self._queues(snapshots, periods, network.servers_at(self.looks, self.ggz, outcome["held"])),
        )


@dataclass
class Chosen:
    """Futures beyond the first ones of a case that were chosen among candidates; of each only whether the lists are
    cleared in time.

    Attributes
    ----------
    numbers : of the futures. probability : with which each was to be simulated. cleared : whether it is in time.
    candidates : these, and those that were passed over.
    """

    numbers: list[int] = field(default_factory=list)
    probability: list[float] = field(default_factory=list)
    cleared: list[bool] = field(default_factory=list)
    candidates: int = 0


@dataclass
class Case:
    """One scenario under study: its futures so far, and second runs of some of them."""

    name: str
    scenario: Scenario
    futures: list[Future] = field(default_factory=list)
    second_runs: list[Future] = field(default_factory=list)
    drawn: list[dict[str, float]] = field(default_factory=list)
    draws: str = "independent"
    """How the unknowns are drawn: one of `flowsim.scenario.unknowns.DRAWS`."""
    twin: Control | None = field(default=None, repr=False)
    """What the fluid twin makes of the futures (`flowsim.study.control`); None: not asked."""
    chosen: Chosen = field(default_factory=Chosen)
    """Futures for the probability alone, beyond ``futures`` (`flowsim.study.chosen`)."""

    def __post_init__(self) -> None:
        self._population: tuple[dict[str, np.ndarray], bool] | None = None
        self._blocks: OrderedDict[tuple[int, int], Block] = OrderedDict()
        self._one_at_a_time = Lock()
        self.region = load_region(self.scenario.region)
        self.template = Template(self.scenario)
        self.definition = definition(self.scenario, self.region)
        expected = self.scenario.settings["wait_counts"] == "expected"
        book, key = self.scenario.book, "impact.hours_per_client"
        each = book.value(key) if key in book else np.nan  # only functions need it: without them a region may lack it
        smi = book.value("demand.smi")
        hours = each * smi, each * (book.value("demand.clients") - smi)
        self.reduce = Reducer(self.template.network_at_mode, self.definition, self.region, hours, expected)

    @property
    def simulated(self) -> int:
        """Futures so far, chosen ones included."""
        return len(self.futures) + len(self.chosen.numbers)

    @property
    def cleared(self) -> np.ndarray:
        """Whether the lists are cleared in time, per future."""
        return np.array([future.cleared <= self.definition.deadline for future in self.futures])

    def population(self, seed: int) -> tuple[dict[str, np.ndarray], bool]:
        """Values that stand for all that the futures can draw; see `flowsim.scenario.unknowns.population`."""
        if self._population is None:
            self._population = unknowns.population(self.scenario, seed, SETS, POPULATION)
        return self._population

    def probability(self, seed: int, level: float = 0.95) -> Estimate:
        """Probability that the lists are cleared in time, adjusted for the values that the futures happened to draw and
        for what the fluid twin makes of them, if it was asked."""
        if self.draws == "sobol":
            return in_turn(self.cleared, unknowns.SCRAMBLINGS, level)
        even, chosen = len(self.futures), self.chosen
        cleared = np.r_[self.cleared, np.array(chosen.cleared, bool)]
        covariates, population, whole = self.covariates(seed, [*range(even), *chosen.numbers], cleared)
        if covariates is None:
            return wilson(int(cleared.sum()), len(cleared), level)
        selection = None
        if chosen.candidates:
            selection = Selection(even, np.array(chosen.probability), chosen.candidates)
        return adjusted_probability(cleared, covariates, population, level, whole, selection)

    def covariates(
        self, seed: int, numbers: Sequence[int], outcomes: np.ndarray
    ) -> tuple[np.ndarray | None, np.ndarray, bool]:
        """What futures are adjusted by, (n, p), the same of the population, and whether that is all there is: the
        values drawn and the scores of the twin; those scores alone where outcomes of one kind are too rare for more."""
        known = self.drawn
        drawn = np.array([list((known[i] if i < len(known) else self.values(i, seed)).values()) for i in numbers])
        count = drawn.shape[1] if drawn.ndim == 2 else 0
        few = too_few(outcomes, count + (0 if self.twin is None else SCORES))
        if count == 0 or (few and (self.twin is None or too_few(outcomes, SCORES))):
            return None, np.empty(0), False
        population, whole = self.population(seed)
        everywhere = np.stack(list(population.values()), axis=-1)
        if self.twin is not None:
            scores, of_all = self.twin.of(numbers), self.twin.population
            drawn = scores if few else np.hstack([drawn, scores])
            everywhere = of_all if few else np.concatenate([everywhere, of_all], axis=-1)
        return drawn, everywhere, whole

    def extend(
        self,
        count: int,
        seed: int,
        balances: Balances,
        threads: int | None,
        progress: Callable[[int], None] | None = None,
        second: bool = False,
    ) -> None:
        """Run ``count`` more futures (or second runs), on threads; those done stay when it is interrupted."""
        with closing(self.extending(count, seed, balances, threads, progress, second)) as steps:
            for _ in steps:
                pass

    def extending(
        self,
        count: int,
        seed: int,
        balances: Balances,
        threads: int | None,
        progress: Callable[[int], None] | None = None,
        second: bool = False,
    ) -> Generator[int, None, None]:
        """As `extend`, and gives the number done after each: whoever waits meanwhile leaves the threads a few futures
        to go on with. Close it to stop."""
        goal = self.second_runs if second else self.futures
        first = len(goal)
        shift = SECOND_RUN if second else 0
        results = self.running(range(first, first + count), seed, balances, threads, progress, shift)
        with closing(results) as done:
            for i, future in enumerate(done, first):
                goal.append(future)
                if not second:
                    self.drawn.append(self.values(i, seed))
                yield i + 1 - first

    def running(
        self,
        numbers: Sequence[int],
        seed: int,
        balances: Balances,
        threads: int | None,
        progress: Callable[[int], None] | None = None,
        shift: int = 0,
    ) -> Generator[Future, None, None]:
        """Run futures by number, in rising order. Close it to stop. ``shift``: added to the number of a future for the
        address of its luck, not of its unknowns."""
        with closing(run_in_two(self._jobs(numbers, seed, balances, shift), self.reduce, threads, progress)) as done:
            yield from done
        self._keep_little()

    def clearing(
        self,
        numbers: Sequence[int],
        seed: int,
        balances: Balances,
        threads: int | None,
        progress: Callable[[int], None] | None = None,
    ) -> Generator[bool, None, None]:
        """As `running`, but of each future only whether the lists are cleared in time: it ends when that is settled."""
        jobs = self._jobs(numbers, seed, balances)
        if self.reduce.expected:  # which rests on months that are not over
            done = run_many(jobs, self.reduce.cleared, threads, progress)
        else:
            every, looks = self.reduce.every, self.definition.looks(self.reduce.every)
            settle = partial(settled, every=every, definition=self.definition)
            done = run_until_settled(jobs, looks, settle, threads, progress)
        with closing(done):
            yield from done
        self._keep_little()

    def _keep_little(self) -> None:
        """Let go of blocks: a case that waits for its turn needs one at most."""
        with self._one_at_a_time:
            while len(self._blocks) > 1:
                self._blocks.popitem(last=False)

    def _jobs(self, numbers: Sequence[int], seed: int, balances: Balances, shift: int = 0) -> Iterator[Job]:
        last = len(numbers) - 1
        for j, i in enumerate(numbers):
            soon = numbers[min(j + AHEAD, last)] // BLOCK
            yield partial(self._job, i, i + shift, seed, balances, soon)

    def values(self, i: int, seed: int) -> dict[str, float]:
        """The values of the unknowns in future ``i``."""
        if self.draws == "sobol":
            return unknowns.values(self.scenario, unknowns.quantiles_in_turn(seed, i), ordered=True)
        return unknowns.values(self.scenario, unknowns.quantiles(seed, i))

    def network(self, i: int, seed: int, balances: Balances) -> Network:
        """The network of future ``i``; a block of futures is worked out at once."""
        return self.block(i // BLOCK, seed, balances).network(i % BLOCK)

    def block(self, number: int, seed: int, balances: Balances) -> Block:
        """The numbers of `BLOCK` futures, from ``number`` times that on."""
        place = (seed, number)
        block = self._blocks.get(place)
        if block is not None:  # others need not wait while a thread works the next one out
            return block
        with self._one_at_a_time:
            block = self._blocks.get(place)
            if block is None:
                first = number * BLOCK
                together = _together([self.values(j, seed) for j in range(first, first + BLOCK)])
                block = self.template.block(together, balances.get(self.scenario, together))
                self._blocks[place] = block
                while len(self._blocks) > BLOCKS_KEPT:
                    self._blocks.popitem(last=False)
            return block

    def job(self, i: int, seed: int, balances: Balances) -> tuple[Network, int, int]:
        """Network, seed and replication of future ``i``."""
        return self.network(i, seed, balances), seed, i

    def jobs_at(self, drawn: Sequence[Mapping[str, float]], numbers: Sequence[int], seed: int) -> Iterator[Job]:
        """Jobs with given values of the unknowns instead of those that futures draw, each with the luck of a number."""
        for first in range(0, len(drawn), BLOCK):
            together = _together(drawn[first : first + BLOCK])
            block = self.template.block(together, calibrate(Values(self.scenario, together), self.region))
            for j, number in enumerate(numbers[first : first + BLOCK]):
                yield partial(_job_in, block, j, seed, int(number))

    def _job(self, i: int, replication: int, seed: int, balances: Balances, soon: int) -> tuple[Network, int, int]:
        self.block(soon, seed, balances)
        return self.network(i, seed, balances), seed, replication


def _together(drawn: Sequence[Mapping[str, float]]) -> dict[str, np.ndarray]:
    """Values of n futures as an array (n,) per unknown."""
    return {name: np.array([one[name] for one in drawn]) for name in drawn[0]}


def _job_in(block: Block, j: int, seed: int, number: int) -> tuple[Network, int, int]:
    return block.network(j), seed, number
