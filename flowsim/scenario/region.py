"""A region: its municipalities and programmes, from ``region.toml`` beside its figures."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from flowsim.errors import InputError
from flowsim.plan.figures import Figure, FigureBook, is_path, read_toml, region_directory
from flowsim.plan.years import YEARS
from flowsim.scenario.schema import Part

START: Final = dt.date(YEARS[0], 1, 1)
"""The first of the five years that flowsim simulates."""
GROUPS: Final = ("light", "personality", "trauma", "somatic_symptom", "other", "smi")
"""Groups of patients with programmes of their own; ``light`` is the group of basic ggz."""
A_YEAR: Final = 365.25
"""Days."""
APART: Final = 0.02
"""Part by which the municipalities together may differ from the region: for rounding, and for counts of other days."""
Code = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Name = Annotated[str, Field(min_length=1, pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]*$")]


class MunicipalityPart(Part):
    """A municipality in ``region.toml``: a support point that it has, or the day on which one opens."""

    code: Code
    name: Name
    has_support_point: bool = False
    support_point_opens: dt.date | None = None

    @model_validator(mode="after")
    def _one(self) -> MunicipalityPart:
        if self.has_support_point == (self.support_point_opens is not None):
            raise ValueError("either has_support_point = true or support_point_opens = a date")
        return self


class ProgrammePart(Part):
    """A programme in ``region.toml``; group ``light`` is basic ggz, the others are specialist."""

    name: Code
    provider: Name
    level: Literal["basic", "specialist"]
    groups: Annotated[
        list[Literal["light", "personality", "trauma", "somatic_symptom", "other", "smi"]], Field(min_length=1)
    ]

    @model_validator(mode="after")
    def _level(self) -> ProgrammePart:
        if (self.level == "basic") != (self.groups == ["light"]):
            raise ValueError('level "basic" with groups = ["light"], "specialist" with the others')
        if len(self.groups) > 1:
            raise ValueError("one group: a programme is a queue of its own")
        return self


class RegionFile(Part):
    """``region.toml``."""

    name: Name
    start: dt.date
    municipalities: Annotated[list[MunicipalityPart], Field(min_length=1)]
    programmes: Annotated[list[ProgrammePart], Field(min_length=1)]
    figures_from: str | None = None
    language: Literal["nl", "en"] = "en"

    @model_validator(mode="after")
    def _once(self) -> RegionFile:
        if self.start != START:
            raise ValueError(f"start = {START}: the first of the five years that flowsim simulates")
        for what, names in (
            ("municipality", [one.code for one in self.municipalities]),
            ("programme", [one.name for one in self.programmes]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"each {what} once, not {twice[0]} twice")
        return self


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
    """``start``: the day that is time zero. ``figures_from``: the region that it takes figures over from. ``language``:
    that of the words in its files (units, notes, sources)."""

    name: str
    start: dt.date
    municipalities: tuple[Municipality, ...]
    programmes: tuple[Programme, ...]
    figures_from: str = ""
    language: str = "en"

    def programmes_of(self, group: str) -> list[Programme]:
        return [programme for programme in self.programmes if programme.group == group]

    def day(self, date: dt.date) -> float:
        """Days from time zero."""
        return float((date - self.start).days)

    def date(self, day: float) -> dt.date:
        """Date of a moment in days from time zero."""
        return self.start + dt.timedelta(days=int(day))


def load_region(name: str | Path) -> Region:
    """Read a region: one that ships with flowsim by name, or a folder by path.

    Raises
    ------
    InputError : a missing or malformed ``region.toml``; the message names the key.

    Examples
    --------
    >>> import flowsim
    >>> region = flowsim.load_region("amstelland")
    >>> region.name, region.start.isoformat(), len(region.municipalities)
    ('Amstelland', '2025-01-01', 4)
    """
    file = region_directory(name) / "region.toml"
    if not file.is_file():
        raise InputError(f"region {name}", "no region.toml", "a file with start, municipalities and programmes")
    stamp = None
    if isinstance(file, Path) and is_path(name):  # a folder that somebody is writing: read again when it changed
        found = file.stat()
        stamp = (found.st_mtime_ns, found.st_size)
    return _read(str(name), stamp)


@lru_cache(maxsize=8)
def _read(name: str, stamp: tuple[int, int] | None) -> Region:
    from flowsim.scenario.load import refusal

    content = read_toml(region_directory(name) / "region.toml")
    where = f"region {name}: region.toml"
    try:
        file = RegionFile.model_validate({key: value for key, value in content.items() if key != "holds"})
    except ValueError as error:
        raise refusal(error, content, where, "docs/new-region.md tells") from None
    for group in GROUPS:
        if not any(group in one.groups for one in file.programmes):
            raise InputError(
                f"{where}: programmes", f"none for {group}", "a programme for each of " + ", ".join(GROUPS)
            )
    return Region(
        name=file.name,
        start=file.start,
        municipalities=tuple(Municipality(one.code, one.name, one.support_point_opens) for one in file.municipalities),
        programmes=tuple(
            Programme(one.name, one.provider, one.level, group) for one in file.programmes for group in one.groups
        ),
        figures_from=file.figures_from or "",
        language=file.language,
    )


def inhabitants(figure: Figure, day: dt.date) -> float:
    """Inhabitants on a day, by constant growth between the first and the last of the stated years (two or more)."""
    (first, before), (last, after) = figure.values[0], figure.values[-1]
    growth = (after / before) ** (1.0 / ((last - first).days / A_YEAR)) - 1.0
    return float(before * (1.0 + growth) ** ((day - first).days / A_YEAR))


def check_inhabitants(region: Region, book: FigureBook) -> None:
    """Refuse municipalities where nobody lives, or that are not the region together: one or a digit is forgotten.

    Their sum is held against the region's inhabitants in the years of their own figures, up to the first day.
    """
    whole = book.get("population.region")
    stated = [book[key] for one in region.municipalities if (key := f"population.{one.code}") in book]
    for one in (*stated, *([] if whole is None else [whole])):
        for _, number in one.values:
            if number <= 0.0:
                raise InputError(f"region {region.name}: {one.key}", f"{number:g}", "a number of inhabitants above 0")
    if whole is None or len(whole.years) < 2 or len(stated) < len(region.municipalities):
        return  # what is not there is refused where it is asked for
    total = sum(one.at(region.start) for one in stated)
    first, last = whole.values[0][0], whole.values[-1][0]
    days = [min(max(dt.date(int(one.date[:4]), 1, 1), first), last) for one in stated]
    known = [inhabitants(whole, day) for day in (region.start, *days)]
    if not (1.0 - APART) * min(known) <= total <= (1.0 + APART) * max(known):
        raise InputError(
            f"region {region.name}: population of the municipalities",
            f"{total:,.0f} inhabitants together",
            f"{min(known):,.0f} to {max(known):,.0f}, as population.region says, within {APART:.0%}",
        )
