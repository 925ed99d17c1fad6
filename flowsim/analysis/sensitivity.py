"""Which unknowns does an outcome hang on: Morris screening, then Sobol indices, by SALib.

Chance is treated as one more input of a Sobol design: a number that picks the luck of a run. Then the outcome is a
function without chance, its indices are those of the unknowns *and* of luck, and they are estimated without bias
however few runs there are ([4]_); points of a design that differ in one unknown share their luck (common random
numbers), because that is what the design says. In a Morris design every trajectory has luck of its own.

References
----------
.. [1] M. D. Morris, "Factorial sampling plans for preliminary computational experiments", Technometrics 33(2), 1991,
   p. 161; the mean of absolute effects: F. Campolongo, J. Cariboni and A. Saltelli, "An effective screening design for
   sensitivity analysis of large models", Environmental Modelling & Software 22(10), 2007, p. 1509.
.. [2] A. Saltelli et al., "Variance based sensitivity analysis of model output. Design and estimator for the total
   sensitivity index", Computer Physics Communications 181, 2010, p. 259, table 2.
.. [3] J. Herman and W. Usher, "SALib: an open-source Python library for sensitivity analysis", JOSS 2(9), 2017, 97.
.. [4] A. Marrel, B. Iooss, S. Da Veiga and M. Ribatet, "Global sensitivity analysis of stochastic computer models with
   joint metamodels", Statistics and Computing 22(3), 2012, p. 833, section 2: the seed as an uncontrollable input.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.errors import InputError, extra

if TYPE_CHECKING:
    import pandas as pd

CHANCE: Final = "chance"
"""The input of a Sobol design that picks the luck of a run."""
OTHERS: Final = "others"
"""The unknowns that screening puts together."""
LEVELS: Final = 4
"""Of every unknown in a Morris design."""
TAIL: Final = 0.02
"""Quantile of the lowest level of a Morris design; the highest is 1 less this."""
RESAMPLES: Final = 300
LUCKS: Final = 2**30
"""Numbers among which chance picks."""


@dataclass(frozen=True)
class MorrisDesign:
    """``u`` : (rows, d) quantiles, trajectory after trajectory of d + 1 rows. ``trajectory`` : (rows,) its number."""

    names: tuple[str, ...]
    u: np.ndarray
    trajectory: np.ndarray


@dataclass(frozen=True)
class SobolDesign:
    """A Saltelli design with groups of unknowns and chance.

    Attributes
    ----------
    names : unknowns. groups : of each unknown the group that it is in, its own name or `OTHERS`.
    inputs : the groups in order, `CHANCE` last. u : (rows, d) quantiles. luck : (rows,) numbers of the runs' luck.
    block : (rows,) row of the base sample; ``len(inputs) + 2`` rows each.
    """

    names: tuple[str, ...]
    groups: tuple[str, ...]
    inputs: tuple[str, ...]
    u: np.ndarray
    luck: np.ndarray
    block: np.ndarray

    @property
    def size(self) -> int:
        """Rows of a block."""
        return len(self.inputs) + 2

    @property
    def independent(self) -> np.ndarray:
        """Rows that are drawn independently: the first and the last of each block."""
        place = np.arange(len(self.u)) % self.size
        return np.flatnonzero((place == 0) | (place == self.size - 1))


def morris_design(names: Sequence[str], trajectories: int, seed: int) -> MorrisDesign:
    """Trajectories through a grid of `LEVELS` quantiles; InputError: SALib is not installed."""
    sample = _salib("sample.morris")
    d = len(names)
    problem = {"num_vars": d, "names": list(names), "bounds": [[TAIL, 1.0 - TAIL]] * d}
    u = sample.sample(problem, trajectories, num_levels=LEVELS, seed=seed)
    return MorrisDesign(tuple(names), np.asarray(u), np.arange(len(u)) // (d + 1))


def morris(design: MorrisDesign, outcomes: Mapping[str, np.ndarray], seed: int, level: float = 0.95) -> pd.DataFrame:
    """Elementary effects per outcome and unknown: change of the outcome from the lowest to the highest level.

    ``mu_star`` : mean of absolute effects, with its bootstrap interval; ``mu`` : mean; ``sigma`` : standard deviation,
    large where the effect depends on the other unknowns (or on chance).
    """
    import pandas as pd

    analyze = _salib("analyze.morris")
    d = len(design.names)
    problem = {"num_vars": d, "names": list(design.names), "bounds": [[TAIL, 1.0 - TAIL]] * d}
    rows = []
    for outcome, values in outcomes.items():
        y = np.asarray(values, float)
        found = analyze.analyze(
            problem, design.u[: len(y)], y, num_levels=LEVELS, num_resamples=RESAMPLES, conf_level=level, seed=seed
        )
        for i, name in enumerate(design.names):
            star, reach = float(found["mu_star"][i]), float(found["mu_star_conf"][i])
            ends = {"mu_star_low": max(0.0, star - reach), "mu_star_high": star + reach}
            rest = {"mu": float(found["mu"][i]), "sigma": float(found["sigma"][i])}
            rows.append({"outcome": outcome, "unknown": name, "mu_star": star, **ends, **rest})
    return pd.DataFrame(rows)


def screened(table: pd.DataFrame, outcomes: Sequence[str], keep: int) -> tuple[str, ...]:
    """The ``keep`` unknowns with the largest mean absolute effect on any of these outcomes, relative to the largest."""
    table = table[table["outcome"].isin(outcomes)]
    largest = table.groupby("outcome")["mu_star"].transform("max").replace(0.0, math.inf)
    weight = (table["mu_star"] / largest).groupby(table["unknown"], sort=False).max()
    chosen = set(weight.sort_values(ascending=False, kind="stable").index[:keep])
    return tuple(name for name in weight.index if name in chosen)


def sobol_design(names: Sequence[str], apart: Sequence[str], blocks: int, seed: int) -> SobolDesign:
    """A Saltelli design ([2]_) of scrambled Sobol points: the unknowns ``apart`` each, the others together, and chance.

    Parameters
    ----------
    blocks : size of the base sample, a power of two; the design has ``blocks * (inputs + 2)`` rows.

    Raises
    ------
    InputError : SALib is not installed; a number of blocks that is no power of two.
    """
    if blocks < 2 or blocks & (blocks - 1):
        raise InputError("blocks", repr(blocks), "a power of two")
    groups = tuple(name if name in apart else OTHERS for name in names)
    problem = _problem(names, groups)
    points = np.asarray(_salib("sample.sobol").sample(problem, blocks, calc_second_order=False, seed=seed))
    inputs = tuple(dict.fromkeys((*groups, CHANCE)))
    return SobolDesign(
        names=tuple(names),
        groups=groups,
        inputs=inputs,
        u=np.clip(points[:, :-1], 1e-6, 1.0 - 1e-6),
        luck=(points[:, -1] * LUCKS).astype(np.int64),
        block=np.arange(len(points)) // (len(inputs) + 2),
    )


def sobol(design: SobolDesign, outcomes: Mapping[str, np.ndarray], seed: int, level: float = 0.95) -> pd.DataFrame:
    """First-order and total index per outcome and input, with bootstrap intervals (half-widths either way).

    Outcomes may be shorter than the design: whole blocks from its beginning. NaN where an outcome does not vary.
    """
    import pandas as pd

    analyze = _salib("analyze.sobol")
    problem = _problem(design.names, design.groups)
    rows = []
    for outcome, values in outcomes.items():
        y = np.asarray(values, float)
        y = y[: len(y) // design.size * design.size]
        found: dict[str, Any] = {
            name: np.full(len(design.inputs), np.nan) for name in ("S1", "S1_conf", "ST", "ST_conf")
        }
        if y.std() > 0.0:
            with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
                warnings.simplefilter("ignore")
                found = analyze.analyze(
                    problem, y, calc_second_order=False, num_resamples=RESAMPLES, conf_level=level, seed=seed
                )
        for i, name in enumerate(design.inputs):
            row: dict[str, Any] = {"outcome": outcome, "input": name}
            for index, mine in (("S1", "first"), ("ST", "total")):
                value, reach = float(found[index][i]), float(found[f"{index}_conf"][i])
                row |= {mine: value, f"{mine}_low": value - reach, f"{mine}_high": value + reach}
            rows.append({**row, "runs": len(y)})
    return pd.DataFrame(rows)


def _problem(names: Sequence[str], groups: Sequence[str]) -> dict[str, Any]:
    d = len(names) + 1
    return {
        "num_vars": d,
        "names": [*names, CHANCE],
        "groups": [*groups, CHANCE],
        "bounds": [[0.0, 1.0]] * d,
    }


def check_installed() -> None:
    """Refuse to begin without SALib."""
    for module in ("sample.morris", "analyze.sobol"):
        _salib(module)


def _salib(module: str) -> Any:
    from importlib import import_module

    try:
        return import_module(f"SALib.{module}")
    except ImportError:
        raise InputError("sensitivity", "no SALib", extra("research")) from None
