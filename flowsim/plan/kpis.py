"""The KPIs of TP 5.3 beside their payments in TP 8.3, as the plan prints them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowsim.errors import InputError
from flowsim.plan.figures import read_toml, region_directory

_ATTRIBUTES: Final = {
    "nr": str,
    "kind": str,
    "text_date": dt.date,
    "date": dt.date,
    "kind_payment": str,
    "date_payment": dt.date,
    "paid_after": dt.date,
    "amount": int,
}


@dataclass(frozen=True, slots=True)
class Kpi:
    """One KPI.

    Attributes
    ----------
    nr : as printed: ``14``, ``5a``.
    kind, kind_payment : I (effort) or R (result), in 5.3 and in 8.3.
    text_date, date, date_payment : the due date in the sentence of 5.3, in its column, and in 8.3.
    paid_after : last day of the quarter after which 8.3 pays.
    amount : EUR.
    """

    nr: str
    kind: str
    text_date: dt.date
    date: dt.date
    kind_payment: str
    date_payment: dt.date
    paid_after: dt.date
    amount: int


def load_kpis(region: str | Path = "amstelland") -> tuple[Kpi, ...]:
    """The KPIs of a region's plan in its own order; InputError when an entry is not complete."""
    file = region_directory(region) / "kpis.toml"
    if not file.is_file():
        raise InputError(f"region {region}", "no kpis.toml", "a file with the KPIs of the plan")
    entries = read_toml(file).get("kpi", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError("kpis.toml: kpi", repr(entries)[:60], "tables, each under [[kpi]]")
    return tuple(_kpi(number, entry) for number, entry in enumerate(entries, 1))


def _kpi(number: int, entry: dict[str, object]) -> Kpi:
    for name in entry:
        if name not in _ATTRIBUTES:
            raise InputError(f"kpis.toml: entry {number}", f"the attribute {name!r}", "only " + ", ".join(_ATTRIBUTES))
    for name, kind in _ATTRIBUTES.items():
        if type(entry.get(name)) is not kind:  # a date with a time, and true, are of the right kind otherwise
            raise InputError(f"kpis.toml: entry {number}.{name}", repr(entry.get(name)), f"a {kind.__name__}")
    return Kpi(**entry)  # type: ignore[arg-type]  # each attribute's type was just checked
