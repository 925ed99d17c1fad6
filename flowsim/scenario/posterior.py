"""What nobody knows, after the calibration: points of the unknowns that ship with a region, each as likely as the next.

`flowsim.study.posterior` makes them; this module holds them against a scenario and gives each future its point. A
future's point hangs on the seed and the future's number alone, so it is the same in every scenario and can be had again
at any time.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

import numpy as np

from flowsim.errors import InputError
from flowsim.plan.figures import Figure, FigureBook, load_figures, region_directory
from flowsim.plan.observed import FILE, Observed
from flowsim.scenario import unknowns
from flowsim.scenario.load import Scenario

POINTS: Final = "posterior.parquet"
MANIFEST: Final = "posterior.json"
LEVERS: Final = (
    "functions.",
    "business_case.",
    "assumptions.extra_places_",
    "assumptions.more_absence",
    "assumptions.prevention_factor",
    "assumptions.cleared_weeks",
)
"""Beginnings of keys that say what is done from 2025 on or how it is judged: they leave the region on the first day,
and so the posterior, as it is."""


@dataclass(frozen=True)
class Prior:
    """The unknowns before the targets have spoken: a range and a most likely value (None: flat), by key."""

    shapes: Mapping[str, tuple[float, float | None, float]]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.shapes)

    def values(self, quantiles: np.ndarray) -> np.ndarray:
        """Values at quantiles: (n, d) -> (n, d)."""
        made = np.empty_like(quantiles)
        for j, (low, mode, high) in enumerate(self.shapes.values()):
            u = quantiles[:, j]
            if mode is None:
                made[:, j] = low + (high - low) * u
            else:
                made[:, j] = [unknowns.triangular(low, mode, high, float(x)) for x in u]
        return made


def prior(scenario: Scenario, observed: Observed) -> Prior:
    """What futures draw in this scenario, and the flat unknowns of the calibration that it does not override."""
    shapes: dict[str, tuple[float, float | None, float]] = {}
    for key in unknowns.drawn(scenario):
        figure = scenario.book.figure(key)
        assert figure.low is not None
        assert figure.high is not None
        shapes[key] = (figure.low, figure.at(), figure.high)
    changed = {change.key for change in scenario.changes}
    shapes |= {one.key: (one.low, None, one.high) for one in observed.flat if one.key not in changed}
    return Prior(shapes)


@dataclass(frozen=True, eq=False)
class Posterior:
    """Points of a region's unknowns.

    Attributes
    ----------
    region : whose. names : of the unknowns (D). points : (n, D) values, each point as likely as the next.
    basis : keys of the figures that the points rest on, the unknowns themselves apart.
    """

    region: str
    names: tuple[str, ...]
    points: np.ndarray
    basis: tuple[str, ...]

    def misfit(self, scenario: Scenario) -> tuple[str, ...]:
        """Figures of a scenario that differ from those that the points rest on; then they do not hold for it."""
        if scenario.region != self.region:
            return ("region",)
        changed = {change.key for change in scenario.changes}
        stated = load_figures(self.region)
        return tuple(key for key in self.basis if key in changed and scenario.book.get(key) != stated.get(key))

    def place(self, quantile: float, ordered: bool = False) -> int:
        """Row of the point at a quantile of the list of points, as it is or in `order`."""
        place = min(int(quantile * len(self.points)), len(self.points) - 1)
        return int(self.order[place]) if ordered else place

    def pick(self, quantile: float, ordered: bool = False) -> dict[str, float]:
        """The point at a quantile of the list of points, as it is or in `order`."""
        row = self.points[self.place(quantile, ordered)]
        return dict(zip(self.names, row.tolist(), strict=True))

    @cached_property
    def order(self) -> np.ndarray:
        """The points in an order in which neighbours resemble each other: halves, quarters, ... of the list are the
        cells of a tree that each time splits the widest unknown at its median (as a curve through the cube does for
        M. Gerber and N. Chopin, "Sequential quasi Monte Carlo", JRSS B 77(3), 2015, p. 509)."""
        scale = self.points.std(axis=0)
        z = (self.points - self.points.mean(axis=0)) / np.where(scale > 0.0, scale, 1.0)

        def ordered(rows: np.ndarray) -> np.ndarray:
            if len(rows) < 3:
                return rows
            rows = rows[np.argsort(z[rows, z[rows].std(axis=0).argmax()], kind="stable")]
            return np.concatenate([ordered(rows[: len(rows) // 2]), ordered(rows[len(rows) // 2 :])])

        return ordered(np.arange(len(z)))


def all_points(scenario: Scenario) -> dict[str, np.ndarray]:
    """What the futures of a scenario take from the posterior, all of it: (N,) values by key; see `point`."""
    if source(scenario)[0] != "posterior":
        return {}
    posterior = shipped(scenario.region)
    assert posterior is not None
    changed = {change.key for change in scenario.changes}
    return {key: posterior.points[:, j] for j, key in enumerate(posterior.names) if key not in changed}


def point(scenario: Scenario, quantile: float, ordered: bool = False) -> dict[str, float]:
    """What a future of a scenario takes from the posterior of its region; nothing when that does not hold for it.

    A scenario that overrides an unknown has the last word on it: its range is drawn from as by the prior, its value
    without a range stands. The other unknowns keep their point.
    """
    if source(scenario)[0] != "posterior":
        return {}
    posterior = shipped(scenario.region)
    assert posterior is not None
    changed = {change.key for change in scenario.changes}
    return {key: x for key, x in posterior.pick(quantile, ordered).items() if key not in changed}


def source(scenario: Scenario) -> tuple[str, tuple[str, ...]]:
    """What a scenario's futures draw the unknowns from, and why: ``prior`` (asked for), ``none`` (the region has no
    posterior), ``misfit`` with the figures for which it does not hold (all three: the prior), or ``posterior``."""
    if scenario.settings["unknowns"] == "prior":
        return "prior", ()
    posterior = shipped(scenario.region)
    if posterior is None:
        return "none", ()
    keys = posterior.misfit(scenario)
    return ("misfit", keys) if keys else ("posterior", ())


def in_common(scenarios: Mapping[str, Scenario]) -> dict[str, Scenario]:
    """Scenarios that are compared: when the posterior does not hold for one of them, all draw from the prior."""
    if all(source(one)[0] == "posterior" for one in scenarios.values()):
        return dict(scenarios)
    return {name: one.with_settings(one.name, unknowns="prior") for name, one in scenarios.items()}


# ---------------------------------------------------------------- the file


def fingerprint(region: str, basis: Sequence[str], names: Sequence[str]) -> str:
    """Of all that a posterior rests on beside the code: figures, targets, programmes, the order of the unknowns."""
    book = load_figures(region)

    def shown(key: str) -> Any:
        figure: Figure | None = book.get(key)
        return None if figure is None else (figure.values, figure.low, figure.high)

    directory = region_directory(region)
    content = {
        "figures": {key: shown(key) for key in sorted({*basis, *names})},
        "files": [(directory / name).read_text(encoding="utf-8").split() for name in (FILE, "region.toml")],
        "unknowns": list(names),
    }
    return hashlib.sha256(json.dumps(content, default=str, sort_keys=True).encode()).hexdigest()[:16]


def basis(scenario: Scenario, names: Sequence[str], observed: Observed) -> tuple[str, ...]:
    """The figures that the first day and a year without network hang on, the unknowns apart."""
    from flowsim.scenario.compile import Compiler

    reading = _Reading(scenario.book)
    Compiler(replace(scenario, book=reading), {}).document()
    read = reading.read | {one.figure for one in observed.targets if one.weighs}
    apart = {*names, *unknowns.UNKNOWNS}
    return tuple(sorted(key for key in read if key not in apart and not key.startswith(LEVERS)))


class _Reading(FigureBook):
    """A book that remembers which figures were looked up."""

    def __init__(self, book: FigureBook) -> None:
        super().__init__(book.region, book)
        self.read: set[str] = set()

    def __getitem__(self, key: str) -> Figure:
        self.read.add(key)
        return super().__getitem__(key)

    def figure(self, key: str) -> Figure:
        self.read.add(key)
        return super().figure(key)


def write(folder: Path, posterior: Posterior, manifest: Mapping[str, Any]) -> None:
    """Points and manifest, for `load`; values are rounded to single precision."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = {name: posterior.points[:, j].astype(np.float32) for j, name in enumerate(posterior.names)}
    pq.write_table(pa.table(columns), folder / POINTS, compression="zstd")
    content = {
        "region": posterior.region,
        "names": list(posterior.names),
        "basis": list(posterior.basis),
        "fingerprint": fingerprint(posterior.region, posterior.basis, posterior.names),
        "points_sha256": _digest((folder / POINTS).read_bytes()),
        **manifest,
    }
    (folder / MANIFEST).write_text(json.dumps(content, indent=1, default=str) + "\n", encoding="utf-8")


@lru_cache(maxsize=4)
def shipped(region: str) -> Posterior | None:
    """The posterior that ships with a region; None when it has none.

    Raises
    ------
    InputError : a file that is damaged, or was made for other figures than those that are here now.
    """
    directory = region_directory(region)
    if not (directory / MANIFEST).is_file():
        return None
    return load(directory, region)


def load(folder: Traversable, region: str) -> Posterior:
    """Read a posterior; InputError when it is damaged, not of this region, or stale."""
    place = f"posterior of {region}"
    again = "the files that `flowsim calibrate` writes"
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        points = (folder / POINTS).read_bytes()
        names, keys = tuple(manifest["names"]), tuple(manifest["basis"])
        found, digest, mark = manifest["region"], manifest["points_sha256"], manifest["fingerprint"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(f"{place}: {MANIFEST}", f"{type(error).__name__} ({error})", again) from None
    if found != region:
        raise InputError(f"{place}: {MANIFEST}", f"a posterior of {found}", again)
    if _digest(points) != digest:
        raise InputError(f"{place}: {POINTS}", "other points than the manifest speaks of", again)
    now = fingerprint(region, keys, names)
    if now != mark:
        raise InputError(
            place,
            f"points for other figures (fingerprint {mark}, now {now})",
            'posterior.* of a new `flowsim calibrate` beside the figures, or the setting unknowns = "prior"',
        )
    return Posterior(region, names, _read(points, names), keys)


def _read(content: bytes, names: Sequence[str]) -> np.ndarray:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(pa.BufferReader(content))
    return np.stack([table.column(name).to_numpy().astype(float) for name in names], axis=1)


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]
