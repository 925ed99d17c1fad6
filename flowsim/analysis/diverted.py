"""Residents whom the functions of the network keep out of ggz: by function, and by where they go instead.

What counts is how many a function reaches in a future; of those the shares of model.md, section 4 (as drawn in that
future, under the reading of the case) are kept out. So the numbers are expectations given the future's volumes, and
need not be whole. A top-down scenario has no functions: it says itself what share is diverted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.clearing import VOLUMES
from flowsim.scenario import flows
from flowsim.scenario.baseline import Values

if TYPE_CHECKING:
    from numpy.typing import NDArray

FUNCTIONS: Final = ("consultations", "conversations", "case_conferences")
"""Those of `VOLUMES` that keep somebody out of ggz."""
DESTINATIONS: Final = ("social_domain", "self_help", "own_network")
ALL: Final = "all"
"""Of functions or destinations: together."""


def has_functions(case: Any) -> bool:
    """Whether a case diverts through functions, or has no network, and so nobody to divert."""
    return bool(case.scenario.settings["network"] != "diversion")


def diverted(case: Any) -> NDArray[np.float64]:
    """Expected residents kept out of ggz, (n, M, F, D): futures, months, `FUNCTIONS`, `DESTINATIONS`."""
    n = len(case.futures)
    reached = np.array([future.volumes for future in case.futures], float)
    reached = reached[:, :, [VOLUMES.index(name) for name in FUNCTIONS]]
    keys = case.drawn[0] if n else ()
    value = Values(case.scenario, {key: np.array([drawn[key] for drawn in case.drawn]) for key in keys})
    of_function = [_each(flows.effects(case.scenario, value, name).away, n) for name in FUNCTIONS]
    to = flows.away(value)
    shares = (
        np.stack(of_function, axis=1)[:, :, None] * np.stack([_each(to[d], n) for d in DESTINATIONS], axis=1)[:, None]
    )
    return np.asarray(reached[..., None] * shares[:, None])


def _each(value: Any, n: int) -> NDArray[np.float64]:
    return np.broadcast_to(np.asarray(value, float), (n,))


def with_totals(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, T, F, D) with the sum behind each of the last two axes: (n, T, F + 1, D + 1), as `ALL`."""
    values = np.concatenate([values, values.sum(axis=2, keepdims=True)], axis=2)
    return np.concatenate([values, values.sum(axis=3, keepdims=True)], axis=3)
