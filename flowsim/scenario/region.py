"""A region: its municipalities and programmes, from ``region.toml`` beside its figures."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flowsim.errors import InputError
from flowsim.plan.figures import read_toml, region_directory


@dataclass(frozen=True)
class Municipality:
    """``support_point_opens``: first day of its support point; None when it has had one all along."""

    code: str
    name: str
    support_point_opens: dt.date | None


@dataclass(frozen=True)
class Programme:
    """A queue of its own: a provider's treatment at a level (basic or specialist) for diagnosis groups."""

    name: str
    provider: str
    level: str
    group: str


@dataclass(frozen=True)
class Region:
    """``start``: the day that is time zero."""

    name: str
    start: dt.date
    municipalities: tuple[Municipality, ...]
    programmes: tuple[Programme, ...]

    def programmes_of(self, group: str) -> list[Programme]:
        return [programme for programme in self.programmes if programme.group == group]

    def day(self, date: dt.date) -> float:
        """Days from time zero."""
        return float((date - self.start).days)

    def date(self, day: float) -> dt.date:
        """Date of a moment in days from time zero."""
        return self.start + dt.timedelta(days=int(day))


@lru_cache(maxsize=8)
def load_region(name: str | Path) -> Region:
    """Read a region.

    Raises
    ------
    InputError : a missing or malformed ``region.toml``.
    """
    directory = region_directory(name)
    file = directory / "region.toml"
    if not file.is_file():
        raise InputError(f"region {name}", "no region.toml", "a file with start, municipalities and programmes")
    content = read_toml(file)
    try:
        return Region(
            name=content["name"],
            start=content["start"],
            municipalities=tuple(_municipality(one) for one in content["municipalities"]),
            programmes=tuple(
                Programme(one["name"], one["provider"], one["level"], group)
                for one in content["programmes"]
                for group in one["groups"]
            ),
        )
    except KeyError as error:
        raise InputError(f"region {name}: region.toml", f"no {error.args[0]}", "this key") from None


def _municipality(content: dict[str, Any]) -> Municipality:
    opens = None if content.get("has_support_point") else content["support_point_opens"]
    return Municipality(content["code"], content["name"], opens)
