"""What the plan promises, as tests that a simulated future meets or misses: the KPIs and the promises for 2028."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flowsim.errors import InputError
from flowsim.plan.figures import Source, plain_words, read_documents, read_toml, region_directory
from flowsim.plan.years import YEARS

COMPARISONS: Final = (">=", "<=")
QUANTITIES: Final = (
    "conversations",
    "diversion",
    "extra_social_domain",
    "extra_social_domain_fte",
    "fewer_gp_consults",
    "freed_clients",
    "freed_hours",
    "inflow_reduction",
    "self_help_professionals_share",
    "support_point_users",
    "support_points_open",
    "wait_reduction",
)
"""Codes of what a promise can be about (`flowsim.analysis.targets.Quantities`)."""
_REQUIRED: Final = ("quantity", "value", "comparison", "date", "unit", "source", "section")
_ALLOWED: Final = (*_REQUIRED, "baseline", "note")


@dataclass(frozen=True, slots=True)
class Target:
    """One promise of the plan.

    Attributes
    ----------
    id : ``kpi_24``, ``freed_hours_2028``, ...
    quantity : the code of the simulated quantity that is judged; several targets may share one.
    value, unit : what was promised.
    comparison : how the quantity must stand to `value`: ``>=`` or ``<=``.
    date : the last day on which it is judged.
    baseline : the day it is compared with, when the promise is a change.
    """

    id: str
    quantity: str
    value: float
    comparison: str
    date: dt.date
    unit: str
    source: Source
    baseline: dt.date | None = None
    note: str = ""

    def met(self, simulated: float) -> bool:
        """Whether a simulated value, in `unit`, meets the promise. NaN meets nothing."""
        return simulated >= self.value if self.comparison == ">=" else simulated <= self.value


def has_targets(region: str | Path) -> bool:
    """Whether a region has a plan that promises something: a ``targets.toml``."""
    return (region_directory(region) / "targets.toml").is_file()


def load_targets(region: str | Path = "amstelland") -> tuple[Target, ...]:
    """The promises of a region's plan, in the order of ``targets.toml``.

    Raises
    ------
    InputError : no such region or file, or a target that is not complete.
    """
    directory = region_directory(region)
    file = directory / "targets.toml"
    if not file.is_file():
        raise InputError("targets", f"no targets.toml in {directory.name}", "a file with the promises of the plan")
    documents = read_documents(directory)
    return tuple(_target(name, entry, documents) for name, entry in read_toml(file).items() if name != "holds")


def _target(name: str, entry: object, documents: Mapping[str, str]) -> Target:
    where = f"targets.toml: {name}"
    if not isinstance(entry, dict):
        raise InputError(where, repr(entry), "a table with " + ", ".join(_REQUIRED))
    for attribute in entry:
        if attribute not in _ALLOWED:
            raise InputError(where, f"the attribute {attribute!r}", "only " + ", ".join(_ALLOWED))
    for attribute in _REQUIRED:
        if attribute not in entry:
            raise InputError(where, f"no {attribute}", "a target with " + ", ".join(_REQUIRED))
    if entry["comparison"] not in COMPARISONS:
        raise InputError(f"{where}.comparison", repr(entry["comparison"]), "one of " + ", ".join(COMPARISONS))
    value = entry["value"]
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{where}.value", repr(value), "a number")
    for attribute in ("quantity", "unit", "source", "section", *(("note",) if "note" in entry else ())):
        if not isinstance(entry[attribute], str) or not entry[attribute].strip():
            raise InputError(f"{where}.{attribute}", repr(entry[attribute]), "a text that is not empty")
        plain_words(f"{where}.{attribute}", entry[attribute])
    if entry["quantity"] not in QUANTITIES:
        raise InputError(f"{where}.quantity", repr(entry["quantity"]), "one of " + ", ".join(QUANTITIES))
    date = _date(where, entry, "date")
    if date.year not in YEARS:
        expected = f"a day in the years that are simulated, {YEARS[0]} to {YEARS[-1]}"
        raise InputError(f"{where}.date", date.isoformat(), expected)
    return Target(
        id=name,
        quantity=entry["quantity"],
        value=float(value),
        comparison=entry["comparison"],
        date=date,
        unit=entry["unit"],
        source=Source(documents.get(entry["source"], entry["source"]), entry["section"]),
        baseline=_date(where, entry, "baseline") if "baseline" in entry else None,
        note=entry.get("note", ""),
    )


def _date(where: str, entry: Mapping[str, Any], name: str) -> dt.date:
    found = entry[name]
    if not isinstance(found, dt.date) or isinstance(found, dt.datetime):
        raise InputError(f"{where}.{name}", repr(found), "a date, YYYY-MM-DD without quotes")
    return found
