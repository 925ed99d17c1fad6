"""In which region of the unknowns does a promise fail? Scenario discovery by PRIM, from ema-workbench.

A box is found on one half of the futures and held against the other half, so that what it says of itself is not what
it was chosen for.

References
----------
.. [1] J. H. Friedman and N. I. Fisher, "Bump hunting in high-dimensional data", Statistics and Computing 9, 1999,
   p. 123.
.. [2] B. P. Bryant and R. J. Lempert, "Thinking inside the box: a participatory, computer-assisted approach to scenario
   discovery", Technological Forecasting and Social Change 77(1), 2010, p. 34: coverage, density, quasi-p-values.
.. [3] J. H. Kwakkel, "The Exploratory Modeling Workbench", Environmental Modelling & Software 96, 2017, p. 239.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.statistics import Estimate, wilson
from flowsim.errors import InputError, extra

if TYPE_CHECKING:
    import pandas as pd

PEEL: Final = 0.05
LEAST_MASS: Final = 0.05
"""Least share of the futures in a box."""
LEAST_CASES: Final = 20
"""Futures with the outcome, and without it, that it takes to look for a box."""
DOUBT: Final = 0.05
"""A limit with a larger quasi-p-value may be there by chance, and is taken off ([2]_)."""


@dataclass(frozen=True)
class Region:
    """A box in the unknowns.

    Attributes
    ----------
    limits : per unknown that matters (lowest, highest), and the quasi-p-value of its limit.
    density : share of the held-out futures in the box that have the outcome, with Wilson's interval.
    coverage : share of the held-out futures with the outcome that are in the box.
    outside : share of the held-out futures outside the box that have the outcome.
    mass : share of the held-out futures that are in the box.
    trajectory : of every box tried, without the limits that may be an accident: the number of its ``limits``, and
        ``mass``, ``coverage``, ``density`` on the futures it was found on, with ``held_out_`` before them on the
        others; ``chosen`` marks this one.
    """

    limits: dict[str, tuple[float, float, float]]
    density: Estimate
    coverage: Estimate
    outside: Estimate
    mass: float
    trajectory: pd.DataFrame


def check_installed() -> None:
    """Refuse to begin without ema-workbench; looked for only, as importing it takes seconds."""
    if find_spec("ema_workbench") is None:
        raise InputError("regions", "no ema-workbench", extra("research"))


def find_region(names: Sequence[str], values: np.ndarray, happened: np.ndarray, seed: int = 0) -> Region | None:
    """The box in which an outcome is common; None: too few futures with it, or without it, to tell.

    Parameters
    ----------
    values : (n, d) of the unknowns. happened : (n,) whether the future has the outcome.
    seed : of the split into halves.

    Raises
    ------
    ImportError : ema-workbench is not installed (`check_installed`).
    """
    import pandas as pd

    happened = np.asarray(happened, bool)
    if min(happened.sum(), (~happened).sum()) < LEAST_CASES:
        return None
    order = np.random.default_rng(seed).permutation(len(happened))
    half = np.zeros(len(happened), bool)
    half[order[: len(order) // 2]] = True
    if happened[half].all() or not happened[half].any():
        return None
    x = pd.DataFrame(np.asarray(values, float), columns=list(names))
    box = _box(x[half].reset_index(drop=True), happened[half])
    if box is None or len(box.box_lims) < 2:
        return None
    rows = []
    for i in range(len(box.box_lims)):
        limits = _limits(box, i, x)
        row: dict[str, float] = {"box": i, "limits": len(limits)}
        for prefix, part in (("", half), ("held_out_", ~half)):
            inside, there = _inside(x[part], limits), happened[part]
            row[f"{prefix}mass"] = float(inside.mean())
            row[f"{prefix}coverage"] = float((inside & there).sum() / max(there.sum(), 1))
            row[f"{prefix}density"] = float(there[inside].mean()) if inside.any() else np.nan
        rows.append(row)
    trajectory = pd.DataFrame(rows)
    chosen = choose(trajectory)
    trajectory["chosen"] = trajectory["box"] == chosen
    limits = _limits(box, chosen, x)
    inside, there = _inside(x[~half], limits), happened[~half]
    if not limits or not inside.any() or inside.all() or not there.any():
        return None
    return Region(
        limits=limits,
        density=wilson(int((inside & there).sum()), int(inside.sum())),
        coverage=wilson(int((inside & there).sum()), int(there.sum())),
        outside=wilson(int((~inside & there).sum()), int((~inside).sum())),
        mass=float(inside.mean()),
        trajectory=trajectory,
    )


def choose(trajectory: pd.DataFrame) -> int:
    """The box of a trajectory that is taken: that with the largest harmonic mean of coverage and density, on the half
    that the boxes were found on."""
    covered, dense = trajectory["coverage"], trajectory["density"].fillna(0.0)
    both = 2.0 * covered * dense / (covered + dense).replace(0.0, np.inf)
    place = int(both.where(trajectory["limits"] > 0, -1.0).to_numpy().argmax())
    return int(trajectory["box"].to_numpy()[place])


def _box(x: pd.DataFrame, happened: np.ndarray) -> Any:
    """The first box of PRIM, with its peeling trajectory; None: it finds none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ema_workbench.analysis import prim  # type: ignore[import-untyped]

        logging.getLogger("EMA").setLevel(logging.ERROR)
        least = float(happened.mean())  # any box that is denser than the whole will do; which one is chosen later
        return prim.Prim(x, happened, threshold=least, peel_alpha=PEEL, mass_min=LEAST_MASS).find_box()


def _limits(box: Any, i: int, x: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
    """The limits of the i-th box that are no accident; where it has an end of the range, infinity."""
    first, found = box.box_lims[0], box.box_lims[i]
    made = {}
    for name in x.columns:
        low, high = (float(found[name].iloc[end]) for end in (0, 1))
        # A p-value for each end; an end that did not move has none (-1).
        doubts = [p if 0.0 <= p <= DOUBT else np.inf for p in (float(p) for p in box.qp[i].get(name, (-1.0, -1.0)))]
        low = -np.inf if low <= float(first[name].iloc[0]) or np.isinf(doubts[0]) else low
        high = np.inf if high >= float(first[name].iloc[1]) or np.isinf(doubts[1]) else high
        if np.isfinite(low) or np.isfinite(high):
            made[str(name)] = (low, high, min(doubts))
    return made


def _inside(x: pd.DataFrame, limits: dict[str, tuple[float, float, float]]) -> np.ndarray:
    inside = np.ones(len(x), bool)
    for name, (low, high, _) in limits.items():
        column = x[name].to_numpy()
        inside &= (column >= low) & (column <= high)
    return inside
