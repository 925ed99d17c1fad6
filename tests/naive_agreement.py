"""Do two simulators agree? Outcomes by name, over independent replications, all tests taken together.

Welch's t test and the two-sample Kolmogorov-Smirnov test (conservative for numbers) for each outcome; the level is
shared out over all of them (Bonferroni). With equal sample sizes the difference of two means of one law is symmetric,
so the t test holds for skewed outcomes too.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from flowsim.model import tally
from flowsim.model.network import Network

COUNTED = tuple(name for name in tally.CELL_TALLY.names or ())
MONTHLY = tuple(name for name in tally.PERIOD.names or ())


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
        if "periods" in network.document:
            for m, row in enumerate(outcome["periods"][:, k]):
                for name in MONTHLY:
                    found[f"{station} {name} in period {m}"] = float(row[name])
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
    welch = stats.ttest_ind(one[:, varied], other[:, varied], equal_var=False).pvalue
    for i, t in zip(varied, welch.tolist(), strict=True):
        ks = float(stats.ks_2samp(one[:, i], other[:, i], method="asymp").pvalue)
        if min(t, ks) < level:
            means = f"means {one[:, i].mean():.4g} and {other[:, i].mean():.4g}"
            told.append(f"{names[i]}: {means}, t p = {t:.1e}, KS p = {ks:.1e}")
    return told
