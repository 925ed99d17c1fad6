"""The fluid twin as a control: what it makes of a case's futures, and of all that its futures could have drawn.

The twin knows nothing of chance, so its scores follow from the values of the unknowns alone. They tell a model of the
outcome in three numbers what else it has to learn from the futures themselves (`flowsim.analysis.adjusted`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future as Working
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final

import numpy as np

from flowsim.analysis.clearing import SCORES, fluid_scores
from flowsim.engines.fluid import Twin, fluid
from flowsim.model.network import Network
from flowsim.scenario.futures import Block
from flowsim.scenario.posterior import Posterior, shipped
from flowsim.scenario.unknowns import POINT, point_quantile, quantiles_in_turn
from flowsim.study.replicate import thread_count

if TYPE_CHECKING:
    from flowsim.study.futures import Balances, Case

STEP: Final = 42.0
"""Days: steps of six weeks tell futures apart as well as steps of two (docs: fewer futures)."""
TOGETHER: Final = 256
"""Values that the twin is given at once."""


def warm_up() -> None:
    """Compile the twin, or load it compiled."""
    station = {"name": "desk", "servers": 1, "service": {"distribution": "deterministic", "mean": 1.0}}
    arrivals = {"class": "a", "station": "desk", "rate": 1.0}
    document = {"horizon": 2.0, "classes": ["a"], "stations": [{**station, "waiting_list": "all"}]}
    fluid(Network.from_dict({**document, "arrivals": [arrivals]}), 1.0)


def prepare(case: Case, seed: int, balances: Balances) -> None:
    """Work out what the twins of all cases share, on a thread of its own: the compiled twin, and the balances of the
    population. Whoever needs them sooner works them out as well."""

    def work() -> None:
        warm_up()
        for part in _parts(case, seed):
            balances.get(case.scenario, part)

    pool = ThreadPoolExecutor(1)
    pool.submit(work)
    pool.shutdown(wait=False)


def _parts(case: Case, seed: int) -> list[Mapping[str, np.ndarray]]:
    """The values of the population, `TOGETHER` at a time."""
    flat = {name: x.ravel() for name, x in case.population(seed)[0].items()}
    size = len(next(iter(flat.values())))
    return [{name: x[first : first + TOGETHER] for name, x in flat.items()} for first in range(0, size, TOGETHER)]


class Control:
    """The twin's scores for one case.

    Parameters
    ----------
    case : whose futures and population. balances : shared with the case. threads : None: one per core.
    """

    def __init__(self, case: Case, seed: int, balances: Balances, threads: int | None = None) -> None:
        self.case, self.seed, self.balances, self.threads = case, seed, balances, threads
        self.twin = Twin(case.template.network_at_mode, STEP)
        self._known = np.empty((0, SCORES))
        self._population: Working[np.ndarray] | None = None

    def of(self, numbers: Sequence[int]) -> np.ndarray:
        """Scores of futures by number: (n, `SCORES`)."""
        from flowsim.study.futures import BLOCK

        if self.case.population(self.seed)[1]:  # a future has those of its point
            posterior = shipped(self.case.scenario.region)
            assert posterior is not None
            return np.asarray(self.population[[self._place(posterior, i) for i in numbers]])
        while len(self._known) <= max(numbers, default=-1):
            block = self.case.block(len(self._known) // BLOCK, self.seed, self.balances)
            self._known = np.concatenate([self._known, self._scores(block)])
        return self._known[list(numbers)]

    def _place(self, posterior: Posterior, i: int) -> int:
        if self.case.draws == "sobol":
            return posterior.place(quantiles_in_turn(self.seed, i)[POINT], ordered=True)
        return posterior.place(point_quantile(self.seed, i))

    def begin(self) -> None:
        """Begin with the scores of the population on a thread of its own: the engine's threads leave room for it."""
        if self._population is None:
            pool = ThreadPoolExecutor(1)
            self._population = pool.submit(self._of_all, 1)
            pool.shutdown(wait=False)

    @property
    def population(self) -> np.ndarray:
        """Scores of the population of `Case.population`, in its shape: (..., `SCORES`)."""
        if self._population is None:
            self._population = Working()
            self._population.set_result(self._of_all(thread_count(self.threads)))
        return self._population.result()

    def _of_all(self, threads: int) -> np.ndarray:
        def some(part: Mapping[str, np.ndarray]) -> np.ndarray:
            return self._scores(self.case.template.block(part, self.balances.get(self.case.scenario, part)))

        shape = next(iter(self.case.population(self.seed)[0].values())).shape
        with ThreadPoolExecutor(threads) as pool:
            return np.concatenate(list(pool.map(some, _parts(self.case, self.seed)))).reshape(*shape, SCORES)

    def _scores(self, block: Block) -> np.ndarray:
        found = self.twin.run(block.arrays, block.station, block.patient_class, block.waiting, block.in_service)
        lists = self.case.reduce.ggz
        return fluid_scores(
            found.times,
            found.waiting[:, :, lists].sum(axis=2),
            found.overdue[:, :, lists].sum(axis=2),
            self.case.definition,
        )
