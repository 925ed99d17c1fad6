"""From scenario files to a frozen `Scenario`: parents followed, figures resolved, every override with its reason."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from flowsim.errors import LONGEST_SHOWN, InputError, path_of, written
from flowsim.plan.figures import Figure, FigureBook, Source, is_path, load_figures, may_be_negative
from flowsim.scenario.region import check_inhabitants, load_region
from flowsim.scenario.schema import DEFAULTS, Override, ScenarioFile, Settings

YEARS_AHEAD: Final = 30
"""How many years after that of the first day a value by year can be for; a later one is a slip."""

DIVERSION = "functions.diversion"
SHELF: Final = "experiments"
"""The folder whose scenarios go by their name alone, where flowsim is started beside it."""
SWEEPS: Final = f"{SHELF}/sweeps"
"""The folder of experiments that do."""


@dataclass(frozen=True)
class Change:
    """A figure that a scenario overrides: what it was, what it became, why, and in which file."""

    key: str
    before: Figure
    after: Figure
    because: str
    file: str


@dataclass(frozen=True)
class Scenario:
    """A question put to a region: figures, readings of what the plan leaves open, and what was overridden.

    Attributes
    ----------
    name, title, asks : for people.
    region : the region's name or directory.
    settings : every open question's answer (see `flowsim.scenario.schema.Settings`).
    book : the region's figures, overrides in place.
    changes : the overrides, outermost parent first.
    files : the files that it was read from, outermost parent first.
    region_files : fingerprint of the region's files, when it is a folder; empty for one that ships with flowsim.
    """

    name: str
    title: str
    asks: str
    region: str
    settings: Mapping[str, Any]
    book: FigureBook
    changes: tuple[Change, ...] = ()
    files: tuple[str, ...] = ()
    region_files: str = ""

    def with_settings(self, name: str, **settings: Any) -> Scenario:
        """The same scenario with other readings; InputError for one that does not exist."""
        try:
            Settings.model_validate(settings)
        except ValueError as error:
            raise refusal(error, settings, "settings") from None
        return replace(self, name=name, settings={**self.settings, **settings})

    def with_figure(self, key: str, value: float | Mapping[int | str, float], because: str) -> Scenario:
        """The same scenario with one figure fixed at another value, or at values by year that hold until the next."""
        if isinstance(value, Mapping):
            value = {str(year): one for year, one in value.items()}
        document = {"value": value, "because": because}
        try:
            override = Override.model_validate(document)
        except ValueError as error:
            raise refusal(error, document, f"argument: figures.{key}") from None
        return _overridden(self, {key: override}, "argument")

    def with_overrides(self, overrides: Mapping[str, Override], where: str) -> Scenario:
        """The same scenario with these figures overridden; ``where`` stands in the message of what is refused."""
        return _overridden(self, overrides, where)

    @property
    def hash(self) -> str:
        """A fingerprint of everything that the simulation depends on."""
        return self.fingerprint(self.region_files or self.region)

    def fingerprint(self, label: str) -> str:
        """`hash`, when that stands for the region."""
        figures = {key: (figure.values, figure.low, figure.high) for key, figure in self.book.items()}
        content = json.dumps([label, dict(self.settings), figures], default=str, sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


def _files_hash(region: Path) -> str:
    """What stands for the folder of a region in a fingerprint: what is in it, wherever it lies."""
    digest = hashlib.sha256()
    for file in sorted(region.glob("*.toml")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return f"folder {digest.hexdigest()[:16]}"


def default(region: str | Path = "amstelland") -> Scenario:
    """The plan as it stands, with the default reading of every open question.

    Parameters
    ----------
    region : the name of a region that ships with flowsim, or a folder (see docs/new-region.md).

    Raises
    ------
    InputError : no such region, or a file in its folder that cannot be used.
    """
    if is_path(region):
        region = Path(region).resolve()
        described = load_region(region)  # a mistake in region.toml is told before one in the figures
        book, files = load_figures(region), _files_hash(region)
        check_inhabitants(described, book)
        named = region.name
        return Scenario(named, "The plan as it stands", "", str(region), dict(DEFAULTS), book, region_files=files)
    return Scenario(str(region), "The plan as it stands", "", str(region), dict(DEFAULTS), load_figures(region))


def named(given: str | Path, *shelves: str) -> Path:
    """The path that an argument stands for: itself, or, where nothing is there and it is a name alone, with or without
    ``.toml``, the file of that name in the first of ``shelves`` that has it (none given: `SHELF`)."""
    path = path_of("scenario", given, "a scenario, or the path of a scenario file")
    if not path.exists() and path.name == str(given):
        file = path.name if path.suffix == ".toml" else f"{path.name}.toml"
        return next((found for shelf in shelves or (SHELF,) if (found := Path(shelf) / file).exists()), path)
    return path


def load(path: str | Path | None = None) -> Scenario:
    """Read a scenario file and its parents; without a path, the plan as it stands; with the folder of a region, the
    plan in that region.

    Raises
    ------
    InputError : missing file, unreadable TOML, unknown key or figure, impossible value, a circle of parents.

    Examples
    --------
    >>> import flowsim
    >>> plan = flowsim.load_scenario()
    >>> plan.settings["reading"], plan.book.value("demand.clients")
    ('net', 6491.0)
    """
    if path is None:
        return default()
    place = path_of("scenario", path, "a scenario, the path of a scenario file or of a region's folder, or None")
    return default(place) if (place / "region.toml").is_file() else _load(place, ())


def _load(path: Path, children: tuple[Path, ...]) -> Scenario:
    if path.resolve() in children:
        circle = " -> ".join(child.name for child in (*children, path))
        found = f"a circle of parents ({circle})"
        raise InputError(f"{path}: parent", found, "parents that end", "scenario.circle", value=circle)
    content = _toml(path)
    if "stations" in content:
        expected = "a scenario file; `flowsim run` simulates networks"
        raise InputError(str(path), "a network document", expected, "network")
    file = _validated(content, str(path))
    region = file.region
    for key, name in (("region", region), ("parent", file.parent)):
        if name is not None and not name.isprintable():
            expected, shown = "text without control characters", written(name)
            raise InputError(f"{path}: {key}", repr(name), expected, "scenario.text_plain", value=shown)
    if region is not None and is_path(region):  # a folder is told from the file's own place
        region = str((path.parent / region).resolve())
    if file.parent is None:
        try:
            scenario = default("amstelland" if region is None else region)
        except InputError as error:
            if error.where != "region":
                raise
            raise error.at(f"{path}: region") from None
    else:
        parent = path.parent / (file.parent if file.parent.endswith(".toml") else f"{file.parent}.toml")
        if not parent.exists():
            expected, given = f"a scenario file ({parent} does not exist)", written(file.parent)
            raise InputError(f"{path}: parent", repr(file.parent), expected, "scenario.no_parent", value=given)
        scenario = _load(parent, (*children, path.resolve()))
        if region is not None and region != scenario.region:
            raise InputError(f"{path}: region", repr(file.region), f"the parent's region, {scenario.region!r}")
    return _with_file(scenario, file, path.stem, path.name, str(path))


def from_document(document: Mapping[str, Any], name: str, home: str | Path = "amstelland") -> Scenario:
    """A scenario from the content of a file that never was on this machine's disk (an upload): it has no parent.

    Parameters
    ----------
    document : as a TOML file gives it. name : of the file, for messages and for the scenario. home : the region of a
        document that names none.

    Raises
    ------
    InputError : a parent, an unknown key or figure, an impossible value.
    """
    file = _validated(document, name)
    if file.parent is not None:
        expected = "a scenario that stands by itself, without a parent"
        raise InputError(f"{name}: parent", repr(file.parent), expected, "scenario.parent")
    if file.region is not None and is_path(file.region):
        raise InputError(f"{name}: region", repr(file.region), "a region that ships with flowsim, by name")
    return _with_file(default(home if file.region is None else file.region), file, Path(name).stem, name, name)


def _validated(document: Mapping[str, Any], where: str) -> ScenarioFile:
    try:
        return ScenarioFile.model_validate(document)
    except ValueError as error:
        raise refusal(error, document, where) from None


def _with_file(scenario: Scenario, file: ScenarioFile, name: str, filename: str, where: str) -> Scenario:
    """A scenario (the file's parent, or the plan) with what a file says differs from it."""
    settings = {key: value for key, value in file.settings.model_dump().items() if value is not None}
    figures = dict(file.figures)
    if file.diversion is not None:
        if DIVERSION in figures:
            found = "a diversion beside a figure for it"
            raise InputError(f"{where}: diversion", found, "one of the two", "scenario.diversion_twice", name=DIVERSION)
        if settings.setdefault("network", "diversion") != "diversion":
            found, expected = f"network = {settings['network']!r}", 'network = "diversion"'
            code = "scenario.diversion_network"
            raise InputError(f"{where}: diversion", found, expected, code, value=written(settings["network"]))
        figures[DIVERSION] = Override(value=file.diversion, because=file.title)
    scenario = replace(
        scenario,
        name=name,
        title=file.title,
        asks=file.asks,
        settings={**scenario.settings, **settings},
        files=(*scenario.files, filename),
    )
    return _overridden(scenario, figures, where)


def _toml(path: Path) -> dict[str, Any]:
    from flowsim.model.network import read_toml

    return read_toml(path)


def _overridden(scenario: Scenario, figures: Mapping[str, Override], where: str) -> Scenario:
    book = dict(scenario.book)
    changes = list(scenario.changes)
    for key, override in figures.items():
        try:
            before = scenario.book.figure(key)
        except InputError as error:
            found = "a figure that the region does not have"
            raise InputError(f"{where}: figures.{key}", found, error.expected, error.code, **error.values) from None
        stated = next((change.before for change in changes if change.key == key), before)  # the region's own
        start = load_region(scenario.region).start.year
        after = _with_override(before, stated, override, f"{where}: figures.{key}", start)
        book[key] = after
        changes.append(Change(key, before, after, override.because, where))
    return replace(scenario, book=FigureBook(scenario.book.region, book), changes=tuple(changes))


def _with_override(before: Figure, stated: Figure, override: Override, where: str, start: int) -> Figure:
    """The figure with another value; what it can be (its sign, a fraction) is judged by the region's own figure. A
    value by year holds until the next one that is given; ``start``: the year of the first day."""
    if isinstance(override.value, dict):
        keys = ", ".join(written(str(year)) for year in override.value)[:LONGEST_SHOWN]
        try:
            given = tuple((dt.date(int(year), 1, 1), float(x)) for year, x in sorted(override.value.items()))
        except ValueError:
            expected = "values by year, such as 2026 = 215"
            raise InputError(where, f"{list(override.value)}", expected, "scenario.years", value=keys) from None
        if not before.dated:
            found, expected = f"values by year, {list(override.value)}", "one number, as the figure has"
            raise InputError(where, found, expected, "scenario.one_number", value=keys)
        earliest, latest = min(start, *before.years), start + YEARS_AHEAD
        if given and not earliest <= given[0][0].year <= given[-1][0].year <= latest:
            expected, span = f"years from {earliest} to {latest}", {"first": str(earliest), "last": str(latest)}
            raise InputError(where, f"{list(override.value)}", expected, "scenario.years_between", value=keys, **span)
        if not given or len({day for day, _ in given}) < len(given):
            expected = "a value for each of some years, such as 2026 = 215"
            raise InputError(where, f"{list(override.value)}", expected, "scenario.years", value=keys)
        values = (*((day, x) for day, x in before.values if day < given[0][0]), *given)
    elif before.dated:
        found, expected = f"one value, {override.value:g}", "a value for each year, such as { 2026 = 215 }"
        raise InputError(where, found, expected, "scenario.by_year", value=override.value)
    else:
        values = ((dt.date.min, float(override.value)),)
    ends = [end for end in (override.low, override.high) if end is not None]
    numbers = [*(value for _, value in values), *ends]
    least = min(numbers)
    own = min(stated.low or 0.0, *(v for _, v in stated.values))
    if least < 0.0 <= own and not may_be_negative(stated.key):
        raise InputError(where, f"{least:g}", "a number that is not negative", "scenario.least", value=least, least=0.0)
    most = max(stated.high or 0.0, *(v for _, v in stated.values))  # a fraction of what was planned may be above 1
    if "fraction" in stated.unit.split() and max(numbers) > 1.0 >= most:
        highest = max(numbers)
        raise InputError(where, f"{highest:g}", "a fraction, at most 1", "scenario.fraction", value=highest)
    if max(map(abs, numbers)) > 1e9:
        far = max(numbers, key=abs)
        raise InputError(where, f"{far:g}", "a number below a billion", "scenario.below", value=far, most=1e9)
    source = Source(document=f"scenario ({where.split(':')[0]})", section=override.because)
    return replace(before, values=values, source=source, kind="assumed", low=override.low, high=override.high)


def refusal(error: ValueError, document: Any, where: str, keys: str = "`flowsim schema scenario` lists") -> InputError:
    """The first thing that pydantic finds wrong in a document, as flowsim says it; other errors go on."""
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        raise error
    findings = error.errors(include_url=False)
    finding = next((one for one in findings if not _of_the_other_branch(one)), findings[0])
    kind, context = finding["type"], finding.get("ctx", {})
    place = ".".join(str(step) for step in finding["loc"] if step not in ("float", _BY_YEAR))
    label = f"{where}: {place}" if place else where
    name = str(finding["loc"][-1]) if finding["loc"] else ""
    if kind == "extra_forbidden":
        return InputError(label, "an unknown key", f"only the keys that {keys}", "scenario.unknown_key", name=name)
    if kind == "missing":
        return InputError(label, "nothing", "this key (it is required)", "scenario.missing", name=name)
    text = finding["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    text = _KIND_OF_VALUE.get(kind, text)
    if kind == "string_too_short":
        text = f"text of at least {context['min_length']} letters"
    if kind == "too_short":
        text = f"at least {context['min_length']} of them"
    if kind == "string_pattern_mismatch" and r"\x00" in context["pattern"]:
        text = "text without control characters"
    found = repr(finding["input"])
    code = _CODES.get(kind, "scenario.other")
    if kind == "float_type" and "float" in finding["loc"]:
        code = "scenario.number_or_years"
    values = {gap: context[theirs] for theirs, gap in _GAPS.items() if theirs in context}
    if kind == "literal_error":
        values["choices"] = re.findall(r"'([^']*)'", context["expected"])
    shown = found if len(found) < LONGEST_SHOWN else found[: LONGEST_SHOWN - 3] + "..."
    return InputError(label, shown, text, code, value=written(finding["input"]), **values)


def _of_the_other_branch(finding: Mapping[str, Any]) -> bool:
    """That values by year are not one number is not what is wrong with them."""
    return finding["loc"][-1:] == ("float",) and isinstance(finding["input"], Mapping)


_BY_YEAR: Final = "dict[str,float]"
_CODES: Final = {
    "string_too_short": "scenario.text_short",
    "string_pattern_mismatch": "scenario.text_plain",
    "string_type": "scenario.text",
    "float_type": "scenario.number",
    "finite_number": "scenario.number",
    "greater_than_equal": "scenario.least",
    "less_than_equal": "scenario.most",
    "literal_error": "scenario.choice",
    "bool_type": "scenario.yes_no",
    "dict_type": "scenario.table",
    "model_type": "scenario.table",
    "model_attributes_type": "scenario.table",
    "range_half": "scenario.range_half",
    "range_by_year": "scenario.range_by_year",
    "range_order": "scenario.range_order",
}
"""Sentence of ``refused.toml`` by pydantic's name for what it finds."""
_KIND_OF_VALUE: Final = {
    "string_type": "text",
    "float_type": "a number",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "date_type": "a date without quotes, such as 2025-01-01",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}
"""What was expected, in the words of a TOML file; pydantic's own words name Python's types."""
_GAPS: Final = {"min_length": "least", "ge": "least", "le": "most"}
"""Gap in a sentence by pydantic's name for what goes there."""
