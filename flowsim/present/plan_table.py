"""The plan's tables recomputed, as a person reads them (text) or a program does (json, csv)."""

from __future__ import annotations

import csv
import io
import json
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, Final

from flowsim.errors import InputError
from flowsim.plan.tables.checks import EXACT, INCONSISTENT, ROUNDING, VERDICTS, Check
from flowsim.present.texts import format_euro, format_number, text, texts

FORMATS: Final = ("text", "json", "csv")
_WIDTH: Final = 100  # of running text
_ORDER: Final = {INCONSISTENT: 0, ROUNDING: 1, EXACT: 2}
_DECIMALS: Final = {"EUR": 0, "fte": 4, "weeks": 1, "persons": 0, "year": 0}
_FIELDS: Final = (
    "id",
    "table",
    "row",
    "column",
    "printed",
    "recomputed",
    "difference",
    "unit",
    "relation",
    "verdict",
    "cause",
    "section",
)


def render_plan(checks: Sequence[Check], lang: str = "nl", format: str = "text") -> str:
    """The checks of the plan's tables, written out.

    Parameters
    ----------
    checks : from `flowsim.plan.business_case.check_plan`.
    lang : ``nl`` or ``en``.
    format : ``text``: first what does not add up, by table and with its cause in words, then every table, then the
        count. ``json``: an object with the counts and a list of checks. ``csv``: one line per check. The last two hold
        the codes and beside them the words of `lang`.

    Raises
    ------
    InputError : unknown language or format.
    """
    texts(lang)
    if format not in FORMATS:
        raise InputError("format", repr(format), "one of " + ", ".join(FORMATS))
    if format == "text":
        return _as_text(checks, lang)
    records = [_record(check, lang) for check in checks]
    if format == "json":
        return json.dumps({"counts": count_verdicts(checks), "checks": records}, ensure_ascii=False, indent=2) + "\n"
    stream = io.StringIO()
    writer = csv.DictWriter(stream, [*_FIELDS, "row_text", "cause_text"], lineterminator="\n")
    writer.writeheader()
    writer.writerows(records)
    return stream.getvalue()


def count_verdicts(checks: Iterable[Check]) -> dict[str, int]:
    """Number of checks by verdict, every verdict named."""
    counts = dict.fromkeys(VERDICTS, 0)
    for check in checks:
        counts[check.verdict] += 1
    return counts


def row_text(check: Check, lang: str) -> str:
    """The name of a check's row."""
    known, row = texts(lang), check.row
    if f"plan.row.{row}" in known:
        return known[f"plan.row.{row}"]
    if row.startswith("kpi_"):
        return text(lang, "plan.pattern.kpi", nr=row.removeprefix("kpi_"))
    name, _, pattern = row.rpartition("_")
    return text(lang, f"plan.pattern.{pattern}", row=known[f"plan.row.{name}"])


def column_text(check: Check, lang: str) -> str:
    """The name of a check's column: a word where the texts have one, else the code (a year, a date, a section)."""
    return texts(lang).get(f"plan.column.{check.column}", check.column)


def cause_text(check: Check, lang: str) -> str:
    """Why the printed number differs, in a sentence; empty when nothing needs explaining."""
    return text(lang, f"plan.cause.{check.cause}") if check.cause else ""


def _record(check: Check, lang: str) -> dict[str, Any]:
    record = {name: getattr(check, name) for name in _FIELDS}
    return {**record, "row_text": row_text(check, lang), "cause_text": cause_text(check, lang)}


def _as_text(checks: Sequence[Check], lang: str) -> str:
    wrong = [check for check in checks if check.verdict == INCONSISTENT]
    rule = textwrap.fill(text(lang, "plan.head.rule"), _WIDTH)
    lines = [text(lang, "plan.head.title"), "", rule, "", _title(lang, "wrong", "=")]
    if not wrong:
        lines += ["", text(lang, "plan.head.none")]
    for table, members in _by_table(wrong):
        lines += ["", texts(lang)[f"plan.table.{table}"], *_rows(members, lang, causes=True)]
    lines += ["", _title(lang, "rest", "=")]
    for table, members in _by_table(checks):
        counts = count_verdicts(members)
        count = text(lang, "plan.head.table_count", total=len(members), inconsistent=counts[INCONSISTENT])
        lines += ["", f"{texts(lang)[f'plan.table.{table}']} ({count})"]
        lines += _rows(sorted(members, key=lambda check: _ORDER[check.verdict]), lang, causes=False)
    lines += ["", text(lang, "plan.head.count", total=len(checks), **count_verdicts(checks))]
    return "\n".join(lines) + "\n"


def _title(lang: str, key: str, rule: str) -> str:
    title = text(lang, f"plan.head.{key}")
    return f"{title}\n{rule * len(title)}"


def _by_table(checks: Iterable[Check]) -> list[tuple[str, list[Check]]]:
    tables: dict[str, list[Check]] = {}
    for check in checks:
        tables.setdefault(check.table, []).append(check)
    return list(tables.items())


def _rows(checks: Sequence[Check], lang: str, causes: bool) -> list[str]:
    header = [text(lang, f"plan.head.{name}") for name in ("row", "column", "printed", "recomputed", "difference")]
    header.append(text(lang, "plan.head.verdict"))
    body = [plan_cells(check, lang) for check in checks]
    widths = [max(len(line[i]) for line in (header, *body)) for i in range(len(header))]
    lines = [_aligned(header, widths)]
    for number, (check, cells) in enumerate(zip(checks, body, strict=True)):
        lines.append(_aligned(cells, widths))
        last = number + 1 == len(checks) or checks[number + 1].cause != check.cause
        if causes and last:  # cells in a row with one cause share its sentence
            why = text(lang, "plan.head.why", cause=cause_text(check, lang))
            lines.append(textwrap.fill(why, _WIDTH, initial_indent="    ", subsequent_indent="    "))
    return lines


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [
        cell.rjust(width) if 2 <= i <= 4 else cell.ljust(width)
        for i, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return ("  " + "  ".join(padded)).rstrip()


def plan_cells(check: Check, lang: str) -> list[str]:
    decimals = _decimals(check)
    recomputed = _shown(check.recomputed, check.unit, decimals, lang)
    if check.relation != "=":  # printed <= recomputed: the printed number may be at most that
        bound = "at_most" if check.relation == "<=" else "at_least"
        recomputed = text(lang, f"plan.head.{bound}", value=recomputed)
    if check.unit == "date" and check.difference:
        difference = text(lang, "plan.head.days", value=format_number(lang, check.difference))
    elif isinstance(check.printed, str) or check.relation != "=":
        difference = ""
    else:
        difference = _shown(check.difference, check.unit, decimals, lang)
    return [
        row_text(check, lang),
        column_text(check, lang),
        _shown(check.printed, check.unit, decimals, lang),
        recomputed,
        difference,
        text(lang, f"plan.verdict.{check.verdict}"),
    ]


def _decimals(check: Check) -> int:
    """As many decimals as the unit needs, or the printed number has; one more where that would hide a difference."""
    if check.unit in _DECIMALS:
        return _DECIMALS[check.unit]
    if check.unit == "fraction":
        return 2
    whole = all(isinstance(value, str) or value == int(value) for value in (check.printed, check.recomputed))
    return 0 if whole else 1


def _shown(value: float | str, unit: str, decimals: int, lang: str) -> str:
    if isinstance(value, str):
        return texts(lang).get(f"plan.value.{value}", value)
    if unit == "year":
        return str(int(value))
    if unit == "fraction":
        return format_number(lang, 100 * value, decimals) + "%"
    return (format_euro if unit == "EUR" else format_number)(lang, value, decimals)
