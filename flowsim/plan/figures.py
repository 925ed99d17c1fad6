"""Figures as citations: every number that flowsim takes from a document, with its place in that document.

A region is a directory of TOML files. Each table of a file is one figure, and its key is ``<file>.<table>``::

    [conversations]
    value = { 2025 = 50, 2026 = 215 }      # or one number, when it holds for every date
    unit = "conversations a year"
    date = "2024-12"                       # when it was stated or measured
    source = "TP"                          # a code of sources.toml, or a full reference
    section = "5.2"
    kind = "published"                     # published | derived | assumed
    low = 40                               # an assumed figure has a range; others may have one
    high = 260
    note = "what a reader should know"

A file that holds something other than figures says so in its first line, ``holds = "..."``, and is left to its own
reader. A region outside flowsim may take over what is not its own from another one (``figures_from`` in its
``region.toml``), but for the figures of `REGIONAL`: see docs/new-region.md.
"""

from __future__ import annotations

import datetime as dt
import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final

from flowsim.errors import NO_CONTROL, InputError

KINDS: Final = ("published", "derived", "assumed")
REGIONAL: Final = (
    "population.region",
    "demand.clients",
    "demand.clients_per_10000_other",
    "demand.inflow",
    "demand.smi",
    "waiting.personality",
    "waiting.trauma",
    "waiting.somatic_symptom",
    "assumptions.list_size",
    "functions.consultations",
    "functions.conversations",
    "functions.transfers",
    "functions.case_conferences",
    "functions.support_points",
    "functions.support_point_users",
)
"""Figures that a region always gives itself, beside ``population.<code>`` of each municipality: the number of another
region cannot stand for them."""
_REQUIRED: Final = ("value", "unit", "date", "source", "section", "kind")
_ALLOWED: Final = (*_REQUIRED, "low", "high", "note")
_HOLDS: Final = re.compile(r'\A\ufeff?holds\s*=\s*"(?!figures")(.*?)"')
HOLDS: Final = ("figures", "region", "sources", "targets", "kpis", "calibration")
"""What a file of a region may say on its first line that it holds."""
MODEL: Final = "amstelland"
"""The region in whose units the model reads figures."""
_TIMES: Final = {
    word: words[0]
    for words in (
        ("minute", "minutes", "minuut", "minuten"),
        ("hour", "hours", "uur", "uren"),
        ("day", "days", "dag", "dagen"),
        ("week", "weeks", "weken"),
        ("month", "months", "maand", "maanden"),
        ("quarter", "quarters", "kwartaal", "kwartalen"),
        ("year", "years", "jaar", "jaren"),
    )
    for word in words
}
_RATE_OF_PLACE: Final = "demand.clients_per_10000_"
_OTHER: Final = f"{_RATE_OF_PLACE}other"
_SHARES: Final = {"fraction": "fraction", "fractie": "fraction"} | dict.fromkeys(
    ("percent", "percentage", "percentages", "procent", "pct"), "percent"
)
_MAY_FALL: Final = re.compile(r"(?!measurement\.).*[._](growth|change|increase|decrease|forecast|net_effect)(_|$)")
"""Names of figures that say how something changes, or what is left of it; not of how well such a one is measured."""
_BELOW_ZERO: Final = ("assumptions.extra_places_", "population.suicides_rp")
"""How other figures begin that may be negative: places closed as well as opened, and a sign, -1 below the mean."""
_DATE: Final = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure stands: the document (full title or reference) and the place in it."""

    document: str
    section: str

    def __str__(self) -> str:
        return f"{self.document}, {self.section}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number, or one number per date, with its citation.

    Attributes
    ----------
    key : ``<file>.<table>``.
    values : (first day on which the value holds, value), by rising date. A figure that holds for every date has
        one pair, dated ``dt.date.min``.
    unit, date : of the number; `date` is the year, month or day on which it was stated or measured.
    kind : ``published`` (it stands there), ``derived`` (it follows by arithmetic) or ``assumed``.
    low, high : the range, ``None`` when the figure has none. An assumed figure always has one.
    taken_from : the region that this one took it over from; empty: its own.
    """

    key: str
    values: tuple[tuple[dt.date, float], ...]
    unit: str
    date: str
    source: Source
    kind: str
    low: float | None = None
    high: float | None = None
    note: str = ""
    taken_from: str = ""

    @property
    def dated(self) -> bool:
        """Whether the value differs by date."""
        return self.values[0][0] != dt.date.min

    @property
    def years(self) -> tuple[int, ...]:
        """The years for which a dated figure states a value; empty for a constant."""
        return tuple(day.year for day, _ in self.values) if self.dated else ()

    def at(self, when: int | dt.date | None = None) -> float:
        """The value on a day; a year means its last day, and the last value stated before it goes on holding.

        Raises
        ------
        InputError : a dated figure asked without a date, or for a day before its first value.
        """
        if not self.dated:
            return self.values[0][1]
        if when is None:
            raise InputError(self.key, "no year", f"a year from {self.values[0][0].year} on: the figure is dated")
        day = dt.date(when, 12, 31) if isinstance(when, int) else when
        for since, value in reversed(self.values):
            if since <= day:
                return value
        raise InputError(self.key, f"the date {day.isoformat()}", f"a date from {self.values[0][0].isoformat()} on")


def _near(key: str, known: Iterable[str]) -> list[str]:
    """The keys that may have been meant."""
    from difflib import get_close_matches

    return get_close_matches(key, known, n=3)


def _nearest(key: str, known: Iterable[str]) -> str:
    """The keys that may have been meant, in words."""
    near = _near(key, known)
    return "one of " + ", ".join(near) if near else "a key <file>.<table>"


class FigureBook(Mapping[str, Figure]):
    """The figures of one region by key; read-only."""

    def __init__(self, region: str, figures: Mapping[str, Figure]) -> None:
        self.region = region
        self._figures = dict(figures)

    def __getitem__(self, key: str) -> Figure:
        return self._figures[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    def figure(self, key: str) -> Figure:
        """The figure of `key`; InputError, with the nearest keys, when the region does not have it."""
        try:
            return self._figures[key]
        except KeyError:
            near = _near(key, self._figures)
            code = "scenario.unknown_figure_near" if near else "scenario.unknown_figure"
            where, expected = f"figures of {self.region}", _nearest(key, self._figures)
            raise InputError(where, f"the key {key!r}", expected, code, name=key, choices=near) from None

    def value(self, key: str, when: int | dt.date | None = None) -> float:
        """The value of `key`, in the figure's own unit, on a day or at the end of a year (see `Figure.at`)."""
        return self.figure(key).at(when)


def load_figures(region: str | Path = "amstelland") -> FigureBook:
    """Read a region's figures: a region that ships with flowsim by name, or a directory of TOML files by path.

    Raises
    ------
    InputError : no such region, a file that is not TOML, or a figure that is not a full citation. The message
        names the file and key, what stood there and what was expected.
    """
    if isinstance(region, str) and not is_path(region):
        return _load_packaged(region)
    return _load(Path(region).resolve().name, region_directory(region), of_others=True)


@lru_cache(maxsize=8)
def _load_packaged(region: str) -> FigureBook:
    return _load(region, region_directory(region))


def is_path(region: str | Path) -> bool:
    """Whether a region is given as a folder (``./polder``, ``/data/polder``) instead of by the name of one that ships
    with flowsim."""
    return isinstance(region, Path) or (isinstance(region, str) and any(sign in region for sign in "./\\"))


def region_directory(region: str | Path) -> Traversable:
    """The directory that holds a region's files; InputError when there is none."""
    if is_path(region):
        if "\0" in str(region) or not Path(region).is_dir():
            raise InputError("region", repr(str(region)), "a directory of TOML files")
        return Path(region)
    if not isinstance(region, str):
        raise InputError("region", repr(region)[:60], "the name of a region, or the path of a folder")
    shelf = resources.files("flowsim.plan")
    known = sorted(item.name for item in shelf.iterdir() if item.is_dir() and (item / "sources.toml").is_file())
    if region not in known:
        expected = "one of " + ", ".join(known) + "; or a folder, such as ./" + (region or "polder")
        raise InputError("region", repr(region), expected)
    return shelf / region


def read_toml(file: Traversable) -> dict[str, Any]:
    """The content of a TOML file; InputError when it cannot be read as one."""
    return _parsed(file, _text_of(file))


def _text_of(file: Traversable) -> str:
    if not file.is_file():  # a pipe would be waited for without end
        found = "a folder" if file.is_dir() else "a link that leads nowhere, a pipe or a device"
        raise InputError(file.name, found, "a TOML file")
    try:
        return file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(file.name, "bytes that are not UTF-8", "TOML in UTF-8") from None
    except OSError as error:
        raise InputError(file.name, f"a file that cannot be read ({error.strerror})", "a TOML file") from None


def _parsed(file: Traversable, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InputError(file.name, str(error), "valid TOML") from None


def read_documents(directory: Traversable) -> dict[str, str]:
    """Code -> full title, from ``sources.toml``; empty when the region has no such file."""
    file = directory / "sources.toml"
    if not file.is_file():
        return {}
    titles: dict[str, str] = {}
    for code, entry in read_toml(file).items():
        if code == "holds":
            continue
        if not isinstance(entry, dict) or not isinstance(entry.get("title"), str):
            raise InputError(f"{file.name}: {code}", repr(entry), "a table with a title")
        titles[code] = plain_words(f"{file.name}: {code}.title", entry["title"])
    return titles


def _load(region: str, directory: Traversable, of_others: bool = False) -> FigureBook:
    """``of_others``: a folder that does not ship with flowsim."""
    documents = read_documents(directory)
    figures: dict[str, Figure] = {}
    for file in sorted(directory.iterdir(), key=lambda item: item.name):
        if not file.name.endswith(".toml") or file.name.startswith("."):  # what a system or an editor leaves behind
            continue
        text = _text_of(file)
        if said := _HOLDS.match(text):  # seen before it is parsed: reading all figures takes tens of milliseconds
            if said[1] not in HOLDS:
                raise InputError(f"{file.name}: holds", repr(said[1]), "one of " + ", ".join(HOLDS))
            continue
        stem = file.name.removesuffix(".toml")
        for name, entry in _parsed(file, text).items():
            if name == "holds":
                if entry != "figures":
                    raise InputError(f"{file.name}: holds", repr(entry), "it on the first line of the file")
            else:
                figures[f"{stem}.{name}"] = _figure(f"{stem}.{name}", f"{file.name}: {name}", entry, documents)
    if of_others:
        _check_units(figures)
        _check_numbers(figures)
    return FigureBook(region, _with_taken_over(region, directory, figures))


def _check_units(figures: Mapping[str, Figure]) -> None:
    """Refuse a figure of a region's folder in another unit than the model reads that figure in.

    Units are words, and words may differ: only a length of time, a rate, a fraction or a number of people is held
    against the same of the region that the model was made for, and only where both say it. Per cent is refused for
    every figure: the model reads none in it.
    """
    read = _load_packaged(MODEL)
    for key, figure in figures.items():
        model = read.get(key) or (read[_OTHER] if key.startswith(_RATE_OF_PLACE) else None)
        own = _measures(figure.unit)
        expected = f"{model.unit!r}, in which the model reads this figure" if model else "a fraction, such as 0.25"
        known = _measures(model.unit) if model else {}
        other = any(own[kind] and said and not said & own[kind] for kind, said in known.items())
        if other or ("percent" in own["share"] and not own["time"]):
            stem, _, name = key.partition(".")
            raise InputError(f"{stem}.toml: {name}.unit", repr(figure.unit), expected)


def may_be_negative(key: str) -> bool:
    """Whether a figure of this name can be below zero: a change, such as growth, or one that is so in the region that
    the model was made for."""
    model = _load_packaged(MODEL).get(key)
    below = model is not None and min(model.low or 0.0, *_numbers(model)) < 0.0
    return below or key.startswith(_BELOW_ZERO) or _MAY_FALL.match(key) is not None


def _check_numbers(figures: Mapping[str, Figure]) -> None:
    """Refuse in a region's folder, in a value or a range, a number below zero where there can be none, and a fraction
    above 1 where the model's own is not."""
    read = _load_packaged(MODEL)
    for key, figure in figures.items():
        model = read.get(key)
        whole = model and "fraction" in model.unit.split() and max(model.high or 0.0, *_numbers(model)) <= 1.0
        ends = [(name, end) for name, end in (("low", figure.low), ("high", figure.high)) if end is not None]
        stated = [(f"value.{day}" if figure.dated else "value", value) for day, value in figure.values]
        for name, number in (*stated, *ends):
            stem, _, table = key.partition(".")
            if number < 0.0 and not may_be_negative(key):
                raise InputError(f"{stem}.toml: {table}.{name}", f"{number:g}", "a number that is not negative")
            if number > 1.0 and whole:
                raise InputError(f"{stem}.toml: {table}.{name}", f"{number:g}", "a fraction, at most 1")


def _numbers(figure: Figure) -> list[float]:
    return [value for _, value in figure.values]


def _measures(unit: str) -> dict[str, set[str]]:
    """What a unit says: the length of time that it is (its first word), what it is in (a year), fraction or per cent,
    and per how many people; in English or Dutch."""
    text = unit.lower().replace("per cent", "percent").replace("%", " percent ")
    words = re.findall(r"[a-z]+", text)
    rates = re.findall(r"\b(?:a|an|per|each|een)\s+([a-z]+)", text)
    hundreds = re.findall(r"\bper\s+(\d[\d.,]*\d)", text)
    return {
        "time": {_TIMES[word] for word in words if word in _TIMES} if words and words[0] in _TIMES else set(),
        "rate": {_TIMES[word] for word in rates if word in _TIMES},
        "share": {_SHARES[word] for word in words if word in _SHARES},
        "people": {re.sub(r"\D", "", number) for number in hundreds},
    }


def to_write(key: str) -> str:
    """What has to stand where, for a figure that a region does not have."""
    stem, _, name = key.partition(".")
    return f"[{name}] in {stem}.toml with {', '.join(_REQUIRED)}"


def _with_taken_over(region: str, directory: Traversable, own: dict[str, Figure]) -> dict[str, Figure]:
    """The region's own figures, and those of the region that ``figures_from`` in ``region.toml`` names."""
    file = directory / "region.toml"
    described = read_toml(file) if file.is_file() else {}
    other = described.get("figures_from")
    if other is None:
        return own
    if not isinstance(other, str) or is_path(other):
        raise InputError(f"{file}: figures_from", repr(other), "the name of a region that ships with flowsim")
    municipalities = described.get("municipalities", [])
    codes = (
        [one.get("code") for one in municipalities if isinstance(one, dict)] if isinstance(municipalities, list) else []
    )
    for key in (*REGIONAL, *(f"population.{code}" for code in codes)):
        if key not in own:
            expected = f"{to_write(key)}: it is not taken over from {other}"
            raise InputError(f"region {region}: {key}", "nothing", expected)
    taken = {
        key: replace(
            figure,
            taken_from=other,
            source=replace(figure.source, section=f"{figure.source.section} (taken over from {other})"),
        )
        for key, figure in load_figures(other).items()
    }
    programmes = described.get("programmes", [])
    names = [one.get("name") for one in programmes if isinstance(one, dict)] if isinstance(programmes, list) else []
    for key in own:  # a figure that the other region does not have is one of a place of this region, or is misspelt
        if key not in taken and not key.endswith(tuple(f"{sign}{one}" for one in (*codes, *names) for sign in "._")):
            place = f"region {region}: {key}"
            raise InputError(place, f"a figure that {other} does not have", _nearest(key, taken))
    # Rates of the other region's municipalities are no figures of this one.
    strange = [key for key in taken if key.startswith("demand.clients_per_10000_")]
    return {**{key: figure for key, figure in taken.items() if key not in strange}, **own}


def _figure(key: str, where: str, entry: object, documents: Mapping[str, str]) -> Figure:
    if not isinstance(entry, dict):
        raise InputError(where, repr(entry), "a table with " + ", ".join(_REQUIRED))
    for name in entry:
        if name not in _ALLOWED:
            raise InputError(where, f"the attribute {name!r}", "only " + ", ".join(_ALLOWED))
    for name in _REQUIRED:
        if name not in entry:
            raise InputError(where, f"no {name}", "a figure with " + ", ".join(_REQUIRED))
    if entry["kind"] not in KINDS:
        raise InputError(f"{where}.kind", repr(entry["kind"]), "one of " + ", ".join(KINDS))
    values = _values(where, entry["value"])
    low, high = _range(where, entry, values)
    if entry["kind"] == "assumed" and low is None:
        raise InputError(where, "an assumed figure without low and high", "a range")
    document = _text(where, entry, "source")
    return Figure(
        key=key,
        values=values,
        unit=_text(where, entry, "unit"),
        date=_stated(where, entry["date"]),
        source=Source(documents.get(document, document), _text(where, entry, "section")),
        kind=entry["kind"],
        low=low,
        high=high,
        note=_text(where, entry, "note") if "note" in entry else "",
    )


def _text(where: str, entry: Mapping[str, Any], name: str) -> str:
    text = entry[name]
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"{where}.{name}", repr(text), "a text that is not empty")
    return plain_words(f"{where}.{name}", text)


def plain_words(where: str, text: str) -> str:
    """A text that will be printed; InputError for control characters in it."""
    if re.match(NO_CONTROL, text) is None:
        raise InputError(where, repr(text), "text without control characters")
    return text


def _number(where: str, found: object) -> float:
    if isinstance(found, bool) or not isinstance(found, int | float) or not math.isfinite(found):
        raise InputError(where, repr(found), "a finite number")
    return float(found)


def _day(where: str, text: str) -> dt.date:
    match = _DATE.fullmatch(text)
    if match is None:
        raise InputError(where, repr(text), "a year, YYYY-MM or YYYY-MM-DD")
    year, month, day = match.groups()
    try:
        return dt.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        raise InputError(where, repr(text), "a date that exists") from None


def _stated(where: str, found: object) -> str:
    text = found.isoformat() if isinstance(found, dt.date) else str(found)
    _day(f"{where}.date", text)
    return text


def _values(where: str, found: object) -> tuple[tuple[dt.date, float], ...]:
    if not isinstance(found, dict):
        return ((dt.date.min, _number(f"{where}.value", found)),)
    if not found:
        raise InputError(f"{where}.value", "an empty table", "a number, or a number per date")
    pairs = {_day(f"{where}.value", day): _number(f"{where}.value.{day}", value) for day, value in found.items()}
    if len(pairs) < len(found):
        raise InputError(f"{where}.value", "a date that stands there twice", "each date once")
    return tuple(sorted(pairs.items()))


def _range(
    where: str, entry: Mapping[str, Any], values: tuple[tuple[dt.date, float], ...]
) -> tuple[float | None, float | None]:
    if "low" not in entry and "high" not in entry:
        return None, None
    for name in ("low", "high"):
        if name not in entry:
            raise InputError(where, f"a range without {name}", "both low and high")
    low, high = _number(f"{where}.low", entry["low"]), _number(f"{where}.high", entry["high"])
    for _, value in values:
        if not low <= value <= high:
            raise InputError(where, f"value {value:g} with range {low:g} to {high:g}", "low <= value <= high")
    return low, high
