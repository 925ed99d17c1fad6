"""Known results against the engines, as a person reads them (text, Markdown) or a program does (JSON)."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from flowsim.errors import InputError
from flowsim.present.fitting import fitted_table
from flowsim.present.progress import StudyProgress
from flowsim.present.texts import format_number, text, texts
from flowsim.study.verify import missed

if TYPE_CHECKING:
    import pandas as pd

FORMATS: Final = ("text", "md", "json")
PROSE: Final = 110
DIGITS: Final = 4
"""Significant digits of expected values and estimates."""


class VerifyProgress(StudyProgress):
    """How far the engines are: called with (engine, replications done, replications in all)."""

    LINE = "verify.run.line"

    def label(self, name: str) -> str:
        """An engine in words."""
        return text(self.lang, f"verify.engine.{name}")


def check_format(name: str) -> None:
    """Refuse a format that there is not.

    Raises
    ------
    InputError : names those that there are.
    """
    if name not in FORMATS:
        raise InputError("--format", repr(name), "one of " + ", ".join(FORMATS))


def as_json(table: pd.DataFrame, seconds: float | None = None) -> dict[str, Any]:
    """The table for programs: seed, rates, counts, and a record per known result and engine."""
    facts: dict[str, Any] = {str(name): value for name, value in table.attrs.items()}
    facts |= {"comparisons": len(table), "misses": missed(table)}
    if seconds is not None:
        facts["seconds"] = round(seconds, 1)
    return {**facts, "results": table.to_dict("records")}


def as_text(table: pd.DataFrame, lang: str, width: int, seconds: float) -> str:
    """The table in plain text, at most ``width`` wide where its words allow that, and what came of it."""
    page = _Page(table, lang)
    rows: list[Sequence[str]] = []
    for kind, cells in page.groups():
        rows += [("", *[""] * (len(page.header) - 1))] if rows else []
        rows += [(text(lang, f"verify.kind.{kind}").upper(), *[""] * (len(page.header) - 1)), *cells]
    prose = min(width, PROSE)
    parts = [
        text(lang, "verify.head.title"),
        _wrapped([page.rule(), page.rates(), text(lang, "verify.head.letters")], prose),
        fitted_table(page.header, rows, width, 3),
        text(lang, "verify.head.sources") + "\n" + _wrapped(page.sources(), prose, "    "),
        _wrapped([*page.twins(), *page.interrupted(), page.outcome(seconds)], prose),
    ]
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def as_markdown(table: pd.DataFrame, lang: str) -> str:
    """The table as a page in Markdown, without what differs from run to run."""
    page = _Page(table, lang)
    lines = [f"# {text(lang, 'verify.head.title')}", "", page.rule(), "", page.rates(), ""]
    lines += [text(lang, "verify.head.letters"), ""]
    for kind, rows in page.groups():
        lines += [f"## {text(lang, f'verify.kind.{kind}')}", "", _bars(page.header)]
        lines += [_bars(["---"] * len(page.header)), *(_bars(row) for row in rows), ""]
    lines += [line for one in (*page.twins(), *page.interrupted()) for line in (one, "")]
    lines += [f"## {text(lang, 'verify.head.sources')}", "", *(f"- {line}" for line in page.sources())]
    return "\n".join(lines) + "\n"


class _Page:
    """A table's words and numbers in one language."""

    def __init__(self, table: pd.DataFrame, lang: str) -> None:
        self.table = table
        self.lang = lang
        self.engines = list(table["engine"].unique())
        columns = ["result", "formula", "source", "expected"]
        self.header = [text(lang, f"verify.column.{name}") for name in columns]
        for engine in self.engines:
            self.header += [text(lang, f"verify.column.{engine}"), text(lang, "verify.column.verdict")]
        self.numbers = {name: place for place, name in enumerate(table["reference"].unique(), 1)}

    def groups(self) -> list[tuple[str, list[list[str]]]]:
        """Kinds with their rows, in order; a row joins what the engines say of one known result."""
        found: list[tuple[str, list[list[str]]]] = []
        keys = ["kind", "case", "quantity", "place", "formula", "reference", "page", "expected", "tolerance"]
        for kind, members in self.table.groupby("kind", sort=False):
            rows = [
                self._row(dict(zip(keys, key, strict=True)), result)
                for key, result in members.groupby(keys, sort=False, dropna=False)
            ]
            found.append((str(kind), rows))
        return found

    def rule(self) -> str:
        return text(self.lang, "verify.head.rule")

    def rates(self) -> str:
        return text(
            self.lang,
            "verify.head.rate",
            comparisons=len(self.table),
            each=self._chance(self.table.attrs["rate_each"]),
            rate=self._chance(self.table.attrs["rate"]),
        )

    def sources(self) -> list[str]:
        return [f"[{number}] {name}" for name, number in self.numbers.items()]

    def twins(self) -> list[str]:
        """What came of running both engines with the same luck, when that was done."""
        facts = self.table.attrs
        if "twins" not in facts:
            return []
        key = "unequal" if facts["unequal"] else "equal"
        values = {name: format_number(self.lang, facts[name]) for name in ("twins", "unequal")}
        return [text(self.lang, f"verify.head.{key}", **values)]

    def interrupted(self) -> list[str]:
        """That an engine is missing, when the run was interrupted."""
        return [text(self.lang, "verify.head.interrupted")] if "interrupted" in self.table.attrs else []

    def outcome(self, seconds: float) -> str:
        misses = missed(self.table)
        values = {"comparisons": len(self.table), "seed": self.table.attrs["seed"], "misses": misses}
        key = "verify.head.misses" if misses else "verify.head.agrees"
        return text(self.lang, key, seconds=format_number(self.lang, seconds), **values)

    def _row(self, known: Mapping[str, Any], result: pd.DataFrame) -> list[str]:
        name = text(self.lang, f"verify.case.{known['case']}")
        quantity = self._quantity(known["quantity"], known["place"])
        source = f"[{self.numbers[known['reference']]}] {known['page']}".rstrip()
        cells = [
            text(self.lang, "verify.value.result", case=name, quantity=quantity),
            known["formula"] or text(self.lang, "verify.value.published"),
            source,
            self._between(known["expected"], known["tolerance"]),
        ]
        for engine in self.engines:
            there = result[result["engine"] == engine]
            if there.empty:  # too rare for the short runs of this engine
                cells += ["", ""]
                continue
            row = there.iloc[0]
            cells.append(self._between(row["estimate"], (row["high"] - row["low"]) / 2))
            cells.append(text(self.lang, f"verify.verdict.{row['verdict']}"))
        return cells

    def _quantity(self, quantity: str, place: str) -> str:
        key = f"verify.quantity.{quantity}"
        if not place:
            return text(self.lang, key)
        if "{place}" in texts(self.lang)[key]:
            written = format_number(self.lang, float(place), 0 if float(place).is_integer() else 1)
            return text(self.lang, key, place=written)
        ward, _, number = place.rpartition("_")
        words = text(self.lang, f"verify.place.{ward or place}")
        if ward:
            words = text(self.lang, "verify.place.beds", ward=words, number=number)
        return text(self.lang, "verify.value.place", quantity=text(self.lang, key), place=words)

    def _between(self, value: float, half: float) -> str:
        if not math.isfinite(value):
            return "-"
        decimals = min(6, max(0, DIGITS - 1 - math.floor(math.log10(abs(value))))) if value else DIGITS
        if half == 0.0:
            return format_number(self.lang, value, decimals)
        values = {"value": format_number(self.lang, value, decimals), "half": format_number(self.lang, half, decimals)}
        return text(self.lang, "verify.value.between", **values)

    def _chance(self, share: float) -> str:
        decimals = max(0, 1 - math.floor(math.log10(100.0 * share))) if share < 0.01 else 0
        return format_number(self.lang, 100.0 * share, decimals) + "%"


def _bars(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _wrapped(lines: Sequence[str], width: int, indent: str = "") -> str:
    return "\n".join(textwrap.fill(line, width, subsequent_indent=indent, break_on_hyphens=False) for line in lines)
