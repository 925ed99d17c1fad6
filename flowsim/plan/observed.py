"""What the unknowns are calibrated against: figures with their errors, from ``calibration.toml`` of a region."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flowsim.errors import InputError
from flowsim.plan.figures import Figure, FigureBook, plain_words, read_toml, region_directory

FILE: Final = "calibration.toml"
DAYS_A_YEAR: Final = 365.25
_ALLOWED: Final = {
    "flat": ({"low", "high", "because"}, set[str]()),
    "shared": ({"correlation", "because"}, set[str]()),
    "target": ({"figure", "error", "discrepancy", "because"}, {"quantity", "growth", "at_least", "weighs", "shares"}),
}


@dataclass(frozen=True, slots=True)
class Flat:
    """An unknown of the calibration: every value from ``low`` to ``high`` is as likely, before the targets."""

    key: str
    low: float
    high: float
    because: str


@dataclass(frozen=True, slots=True)
class Observation:
    """A target of the calibration.

    Attributes
    ----------
    name : of the target. figure : what was observed. quantity : of the simulated year, held against it.
    error, discrepancy : standard deviations, in the figure's unit; see ``calibration.toml``.
    growth : the growth a year of a dated figure is what was observed, not its value.
    at_least : the value is a lower bound. weighs : False: shown only. shares : group of discrepancies that go together.
    stated : instead of the figure, to calibrate against data that were made up.
    """

    name: str
    figure: str
    quantity: str
    error: float
    discrepancy: float
    because: str
    growth: bool = False
    at_least: bool = False
    weighs: bool = True
    shares: str = ""
    stated: float | None = None

    @property
    def deviation(self) -> float:
        """Standard deviation of observation and discrepancy together."""
        return math.hypot(self.error, self.discrepancy)

    def value(self, book: FigureBook) -> float:
        """What was observed."""
        if self.stated is not None:
            return self.stated
        figure = book.figure(self.figure)
        return growth(figure) if self.growth else figure.at()


@dataclass(frozen=True, slots=True)
class Observed:
    """All of a region's ``calibration.toml``. ``correlation`` : of the discrepancies of a group, by its name."""

    flat: tuple[Flat, ...]
    targets: tuple[Observation, ...]
    correlation: Mapping[str, float]


def growth(figure: Figure) -> float:
    """Growth a year between the first and the last date of a figure, as a fraction."""
    if not figure.dated or len(figure.values) < 2:
        raise InputError(figure.key, "one value", "values at two dates or more: its growth is asked for")
    (first, before), (last, after) = figure.values[0], figure.values[-1]
    return float((after / before) ** (DAYS_A_YEAR / (last - first).days) - 1.0)


def load_observed(region: str | Path, book: FigureBook) -> Observed:
    """Read a region's ``calibration.toml``; every figure that it names must be in the book.

    Raises
    ------
    InputError : no such region or file, an unknown figure, a target that is not complete.
    """
    directory = region_directory(region)
    file = directory / FILE
    if not file.is_file():
        raise InputError("calibration", f"no {FILE} in {directory.name}", "a file with the targets of the calibration")
    content = read_toml(file)
    for name in content:
        if name not in (*_ALLOWED, "holds"):
            raise InputError(f"{FILE}: {name}", "an unknown table", "one of " + ", ".join(_ALLOWED))
    flat = tuple(
        Flat(f"{theme}.{name}", *_range(f"{FILE}: flat.{theme}.{name}", entry), _text(entry, "because"))
        for theme, entries in _table(f"{FILE}: flat", content.get("flat", {})).items()
        for name, entry in _table(f"{FILE}: flat.{theme}", entries).items()
    )
    for one in flat:
        _known(f"{FILE}: flat.{one.key}", one.key, book)
    shared = {}
    for name, entry in _table(f"{FILE}: shared", content.get("shared", {})).items():
        where = f"{FILE}: shared.{name}"
        _check(where, entry, "shared")
        shared[name] = _number(where, entry, "correlation", 0.0, 0.999)
    entries = _table(f"{FILE}: target", content.get("target", {}))
    targets = tuple(_target(name, entry, book, shared) for name, entry in entries.items())
    if not any(one.weighs for one in targets):
        raise InputError(FILE, "no target that weighs", "at least one")
    return Observed(flat, targets, shared)


def _target(name: str, entry: Any, book: FigureBook, shared: Mapping[str, float]) -> Observation:
    where = f"{FILE}: target.{name}"
    _check(where, entry, "target")
    for flag in ("growth", "at_least", "weighs"):
        if not isinstance(entry.get(flag, False), bool):
            raise InputError(f"{where}.{flag}", repr(entry[flag]), "true or false")
    shares = entry.get("shares", "")
    if shares != "" and (not isinstance(shares, str) or shares not in shared):
        raise InputError(f"{where}.shares", repr(shares), "a name of shared.*")
    key = _text(entry, "figure")
    _known(f"{where}.figure", key, book)
    made = Observation(
        name=name,
        figure=key,
        quantity=_text(entry, "quantity") if "quantity" in entry else name,
        error=_number(where, entry, "error", 0.0, math.inf),
        discrepancy=_number(where, entry, "discrepancy", 0.0, math.inf),
        because=_text(entry, "because"),
        growth=entry.get("growth", False),
        at_least=entry.get("at_least", False),
        weighs=entry.get("weighs", True),
        shares=shares,
    )
    if not made.deviation > 0.0:
        raise InputError(f"{where}.error", "no error and no discrepancy", "at least one of the two above 0")
    return made


def _table(where: str, entry: Any) -> dict[str, Any]:
    if not isinstance(entry, dict):
        raise InputError(where, repr(entry), "a table")
    return entry


def _check(where: str, entry: Any, kind: str) -> None:
    required, optional = _ALLOWED[kind]
    for name in sorted(required - set(_table(where, entry))):
        raise InputError(where, f"no {name}", "a table with " + ", ".join(sorted(required)))
    for name in entry:
        if name not in required | optional:
            raise InputError(where, f"the attribute {name!r}", "only " + ", ".join(sorted(required | optional)))


def _range(where: str, entry: Any) -> tuple[float, float]:
    _check(where, entry, "flat")
    low, high = (_number(where, entry, end, -math.inf, math.inf) for end in ("low", "high"))
    if not low < high:
        raise InputError(where, f"{low:g} to {high:g}", "low < high")
    return low, high


def _number(where: str, entry: Mapping[str, Any], name: str, least: float, most: float) -> float:
    found = entry[name]
    if isinstance(found, bool) or not isinstance(found, int | float) or not least <= found <= most:
        raise InputError(f"{where}.{name}", repr(found), f"a number from {least:g} to {most:g}")
    return float(found)


def _text(entry: Mapping[str, Any], name: str) -> str:
    found = entry[name]
    if not isinstance(found, str) or not found.strip():
        raise InputError(f"{FILE}: {name}", repr(found), "a text that is not empty")
    return plain_words(f"{FILE}: {name}", found)


def _known(where: str, key: str, book: FigureBook) -> None:
    try:
        book.figure(key)
    except InputError as error:
        raise InputError(where, error.found, error.expected) from None
