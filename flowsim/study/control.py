"""The fluid twin as a control: what it makes of a case's futures, and of all that its futures could have drawn.

The twin knows nothing of chance, so its scores follow from the values of the unknowns alone. They tell a model of the
outcome in three numbers what else it has to learn from the futures themselves (`flowsim.analysis.adjusted`).
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np

from flowsim.analysis.clearing import SCORES, fluid_scores
from flowsim.engines.fluid import Twin, fluid
from flowsim.model.network import Network
from flowsim.scenario.futures import Block
from flowsim.study.replicate import thread_count

if TYPE_CHECKING:
    from flowsim.study.futures import Balances, Case

STEP: Final = 42.0
"""Days: steps of six weeks tell futures apart as well as steps of two (docs: fewer futures)."""
TOGETHER: Final = 128
"""Values that the twin is given at once."""


def warm_up() -> None:
    """Compile the twin, or load it compiled."""
    station = {"name": "desk", "servers": 1, "service": {"distribution": "deterministic", "mean": 1.0}}
    arrivals = {"class": "a", "station": "desk", "rate": 1.0}
    document = {"horizon": 2.0, "classes": ["a"], "stations": [{**station, "waiting_list": "all"}]}
    fluid(Network.from_dict({**document, "arrivals": [arrivals]}), 1.0)


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

    def of(self, n: int) -> np.ndarray:
        """Scores of the first n futures: (n, `SCORES`)."""
        from flowsim.study.futures import BLOCK

        while len(self._known) < n:
            block = self.case.block(len(self._known) // BLOCK, self.seed, self.balances)
            self._known = np.concatenate([self._known, self._scores(block)])
        return self._known[:n]

    @cached_property
    def population(self) -> np.ndarray:
        """Scores of the population of `Case.population`, in its shape: (..., `SCORES`)."""
        values, _ = self.case.population(self.seed)
        shape = next(iter(values.values())).shape
        flat = {name: x.ravel() for name, x in values.items()}
        firsts = range(0, int(np.prod(shape)), TOGETHER)

        def some(first: int) -> np.ndarray:
            part: Mapping[str, np.ndarray] = {name: x[first : first + TOGETHER] for name, x in flat.items()}
            return self._scores(self.case.template.block(part, self.balances.get(self.case.scenario, part)))

        with ThreadPoolExecutor(thread_count(self.threads)) as pool:
            return np.concatenate(list(pool.map(some, firsts))).reshape(*shape, SCORES)

    def _scores(self, block: Block) -> np.ndarray:
        found = self.twin.run(block.arrays, block.station, block.patient_class, block.waiting, block.in_service)
        lists = self.case.reduce.ggz
        return fluid_scores(
            found.times,
            found.waiting[:, :, lists].sum(axis=2),
            found.overdue[:, :, lists].sum(axis=2),
            self.case.definition,
        )
