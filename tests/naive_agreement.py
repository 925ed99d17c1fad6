"""Do two simulators agree? Outcomes by name, over independent replications, all tests taken together.

Welch's t test and the two-sample Kolmogorov-Smirnov test (conservative for numbers) for each outcome; the level is
shared out over all of them (Bonferroni). With equal sample sizes the difference of two means of one law is symmetric,
so the t test holds for skewed outcomes too.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
from scipy import stats

from flowsim.model import events, tally
from flowsim.model.network import COMPANION_SHIFT, Network

COUNTED = tuple(name for name in tally.CELL_TALLY.names or ())
MONTHLY = tuple(name for name in tally.PERIOD.names or ())


WHY = {events.COMPLETE: "completion", events.RENEGE: "renege", events.BALK: "full", events.REVIEW: "review"}


def named(network: Network, outcome: dict[str, np.ndarray], log: np.ndarray | None = None) -> dict[str, float]:
    """An outcome of the compiled engine by the names that `naive` gives; with its log, moves too."""
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
    if "periods" in network.document:
        for m, i, b in np.argwhere(outcome["waits"] > 0) if network.list_names else ():
            found[f"{network.list_names[i]} started after {b} in period {m}"] = float(outcome["waits"][m, i, b])
    if log is not None:
        for what, number in moves(network, log).items():
            found[what] = float(number)
    return found


def moves(network: Network, log: np.ndarray) -> Counter[str]:
    """Who went where by period, read off a log: what an appointment leads to stands behind it."""
    way: dict[int, str] = {}
    found: Counter[str] = Counter()
    log = log[np.isin(log["kind"], (*WHY, events.ARRIVE, events.EXIT))]
    period = np.searchsorted(network.periods, log["time"], side="right") - 1
    rows = zip(period.tolist(), log["resident"].tolist(), log["kind"].tolist(), log["station"].tolist(), strict=True)
    for m, resident, kind, k in rows:
        if kind in WHY:
            way[resident] = f"{network.station_names[k]} {WHY[kind]}"
        elif kind in (events.ARRIVE, events.EXIT) and 0 <= m < len(network.periods) - 1:
            begun = way.get(resident, "waiting" if resident >= 1 << COMPANION_SHIFT else "outside")
            to = "exit" if kind == events.EXIT else network.station_names[k]
            found[f"{begun} to {to} in period {m}"] += 1
    return found


def names_of(*found: list[dict[str, float]]) -> list[str]:
    """The outcomes that any replication of any of these has; a number that is not there is 0."""
    return sorted({name for one in found for each in one for name in each})


def is_sparse(name: str) -> bool:
    """Whether the name stands only where something happened: moves, and numbers started by wait."""
    return " to " in name or " started after " in name


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
    smirnov = kolmogorov_smirnov(one[:, varied], other[:, varied])
    for i, t, ks in zip(varied, welch.tolist(), smirnov.tolist(), strict=True):
        if min(t, ks) < level:
            means = f"means {one[:, i].mean():.4g} and {other[:, i].mean():.4g}"
            told.append(f"{names[i]}: {means}, t p = {t:.1e}, KS p = {ks:.1e}")
    return told


def kolmogorov_smirnov(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """p values of the two-sample test per column, for samples of one size: exact without ties, conservative with them
    (Gnedenko and Korolyuk 1951, by reflection; `scipy.stats.ks_2samp` with ``method="exact"``)."""
    n = len(one)
    assert len(other) == n
    both = np.vstack([one, other])
    order = np.argsort(both, axis=0, kind="stable")
    step = np.where(order < n, 1, -1)
    ranked = np.take_along_axis(both, order, axis=0)
    last = np.vstack([ranked[1:] > ranked[:-1], np.ones((1, both.shape[1]), bool)])  # of equal values
    distance = np.abs(np.where(last, np.cumsum(step, axis=0), 0)).max(axis=0)
    paths = math.comb(2 * n, n)

    def chance(k: int) -> float:
        return sum(-((-1) ** j) * 2 * math.comb(2 * n, n - j * k) / paths for j in range(1, n // k + 1)) if k else 1.0

    return np.array([min(1.0, chance(k)) for k in range(n + 1)])[distance]
