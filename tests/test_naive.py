"""The compiled engine against `naive`: two programs that share nothing but the rules must agree in distribution.

Every outcome by name (numbers, waits and times per station and class; snapshots) is compared over independent
replications by Welch's t test and by the two-sample Kolmogorov-Smirnov test (conservative for numbers). With equal
sample sizes the difference of two means of one law is symmetric, so the t test holds for skewed outcomes too. `FAMILY`
is the chance of a false alarm anywhere in this file (Bonferroni over networks and comparisons); seeds are fixed.
"""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from naive_networks import NETWORKS as PLAIN
from naive_reviews import NETWORKS as REVIEWED
from scipy import stats

from flowsim.engines import compiled
from flowsim.model import tally
from flowsim.model.network import Network

pytestmark = pytest.mark.filterwarnings(
    "ignore:Precision loss"
)  # an outcome that is the same in nearly all replications

FAMILY = 1e-3
REPLICATIONS = 400
NETWORKS = PLAIN | REVIEWED
COUNTED = tuple(name for name in tally.CELL_TALLY.names or ())


def named(network: Network, outcome: dict[str, np.ndarray]) -> dict[str, float]:
    """An outcome of the compiled engine by the names that `naive` gives."""
    found: dict[str, float] = {}
    for k, station in enumerate(network.station_names):
        for c, patient_class in enumerate(network.class_names):
            for name in COUNTED:
                found[f"{station}/{patient_class} {name}"] = float(outcome["cells"][name][k, c])
        for time, row in zip(tally.snapshot_times(network), outcome["snapshots"][:, k], strict=True):
            for name in ("waiting", "in_service", "overdue"):
                found[f"{station} {name} at {time:g}"] = float(row[name])
    return found


def table(found: list[dict[str, float]], names: list[str]) -> np.ndarray:
    """(replications, names) float64."""
    return np.array([[one.get(name, 0.0) for name in names] for one in found])


def disagreements(names: list[str], one: np.ndarray, other: np.ndarray, level: float) -> list[str]:
    """Outcomes whose means or distributions differ at this level, all tests taken together."""
    varied = [i for i in range(len(names)) if one[:, i].std() + other[:, i].std() > 1e-9]
    level /= 2 * len(varied)
    told = [
        f"{name}: {one[0, i]:.4g} and {other[0, i]:.4g} always"
        for i, name in enumerate(names)
        if i not in varied and abs(one[0, i] - other[0, i]) > 1e-9
    ]
    for i in varied:
        t = float(stats.ttest_ind(one[:, i], other[:, i], equal_var=False).pvalue)
        ks = float(stats.ks_2samp(one[:, i], other[:, i], method="asymp").pvalue)
        if min(t, ks) < level:
            means = f"means {one[:, i].mean():.4g} and {other[:, i].mean():.4g}"
            told.append(f"{names[i]}: {means}, t p = {t:.1e}, KS p = {ks:.1e}")
    return told


def samples(document: dict[str, Any], seed: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, outcomes of `naive`, outcomes of the compiled engine."""
    network = Network.from_dict(document)
    fast = [named(network, compiled.simulate_once(network, seed, i)[0]) for i in range(REPLICATIONS)]
    slow = [naive.simulate(document, seed * 100_000 + i) for i in range(REPLICATIONS)]
    names = sorted(fast[0])
    unknown = {name for one in slow for name in one} - set(names)
    assert not unknown, f"naive counts what the engine does not: {sorted(unknown)[:5]}"
    return names, table(slow, names), table(fast, names)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_engine_agrees_with_naive(name: str) -> None:
    names, slow, fast = samples(NETWORKS[name], seed=1 + list(NETWORKS).index(name))
    told = disagreements(names, slow, fast, FAMILY / len(NETWORKS))
    assert not told, f"naive and compiled differ in {name}:\n" + "\n".join(told)
