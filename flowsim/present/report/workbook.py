"""From blocks to a workbook (XLSX): the tables of the report, a sheet each, with numbers that can be reckoned with.

A number is that of the results' tables (`flowsim.present.said`), with all its digits, shown with as many as the report
prints; none is read back from words. An estimate or a range becomes several columns. All other cells are words, stored
as words: a program that opens the file reads no formula in them. There are no formulas, macros, links or dates of
making in it (XlsxWriter writes what it is told), so that the same blocks give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from flowsim.present import said
from flowsim.present.report.blocks import Block
from flowsim.present.report.document import readable
from flowsim.present.said import Told, reworded, told
from flowsim.present.texts import text

LONGEST_NAME: Final = 31
LONGEST_CELL: Final = 32_767
FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\]")
"""What the name of a sheet may not hold."""
LOCALES: Final = {"nl": ("413", "dd-mm-yyyy"), "en": ("809", "yyyy-mm-dd")}
"""Code of a language (ECMA-376, 18.8.31; English: that of the United Kingdom), and how the report writes a date."""
MADE: Final = dt.datetime(1980, 1, 1)
"""When it says that it was made: always the same."""
BOLD: Final = "bold"
WORDS: Final = "words"


class Number(NamedTuple):
    """A number and how it is shown (a format of ECMA-376, 18.8.31)."""

    value: float
    shown: str


Cell = Number | str


@dataclass
class Sheet:
    """A sheet: its name, the lines above its table, the table."""

    name: str
    above: Sequence[str]
    header: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()


def workbook(content: Mapping[str, Any]) -> bytes:
    """A document as XLSX; ``content``: what `flowsim.present.report.content.document` makes."""
    content = readable(content)
    lang = str(content["lang"])
    source = text(lang, "report.workbook.source", run=content["footer"])
    about = [content["title"], content["subtitle"], source]
    about += [text(lang, f"report.workbook.{name}") for name in ("rounded", "columns", "words")]
    names: set[str] = set()
    sheets = [Sheet(_name(text(lang, "report.workbook.about"), names), about)]
    heading = ""
    for block in (*content["blocks"], *content["account"]):
        if block["kind"] == "heading":
            heading = block["text"]
        elif block["kind"] == "table":
            header, rows = _table(block, lang)
            above = [block["caption"] or heading, block["note"], source]
            sheets.append(Sheet(_name(heading or block["caption"], names), [one for one in above if one], header, rows))
        elif block["kind"] == "sources":
            sheets.append(Sheet(_name(heading, names), [heading], (), [[item] for item in block["items"]]))
    return _packed(sheets, str(content["title"]))


def _name(words: str, taken: set[str]) -> str:
    """A name that a sheet may have and that no other has; added to ``taken``."""
    plain = " ".join(FORBIDDEN.sub(" ", words).split()).strip("' ") or "-"
    for number in range(1, 1000):
        end = f" {number}" if number > 1 else ""
        room = LONGEST_NAME - len(end)
        cut = plain if len(plain) <= room else plain[:room].rpartition(" ")[0] or plain[:room]
        name = cut.strip("' ") + end
        if name.casefold() not in taken:
            taken.add(name.casefold())
            return name
    raise AssertionError(words)


# ---------------------------------------------------------------- the numbers


def _table(block: Block, lang: str) -> tuple[list[str], list[list[Cell]]]:
    """A table with its estimates and ranges in columns of their own."""
    header: list[str] = []
    columns: list[list[Cell]] = []
    for j, name in enumerate(block["header"]):
        cells = [_words(row[j]) for row in block["rows"]]
        if block["aligns"][j] == "left":  # words, whatever is in them: 5.3 is a place in the plan
            header.append(name)
            columns.append(list(cells))
            continue
        parts = [numbers(cell, lang) or (cell,) for cell in cells]
        most = max((len(one) for one in parts), default=1)
        ends = [text(lang, f"report.workbook.{end}", name=name) for end in ("low", "high")]
        header += {1: [name], 2: ends, 3: [name, *ends]}[most]
        for k in range(most):
            columns.append([one[k] if k < len(one) else "" for one in _filled(parts, most)])
    return header, [[column[i] for column in columns] for i in range(len(block["rows"]))]


def _filled(parts: Iterable[Sequence[Cell]], most: int) -> list[Sequence[Cell]]:
    """A range beside estimates stands in the columns of their ends."""
    return [("", *one) if len(one) == 2 < most else one for one in parts]


def _words(cell: Any) -> str:
    """The words of a cell, with the numbers that they tell; a light is a sign for them."""
    words = cell["text"] if isinstance(cell, Mapping) else cell
    return reworded(words, words.replace("\u00a0", " ").replace("\u202f", " "))


def numbers(cell: str, lang: str) -> tuple[Number, ...]:
    """The numbers that words tell, each with the format in which the language writes it."""
    return tuple(Number(one.value, shown(one, lang)) for one in told(cell))


def shown(number: Told, lang: str) -> str:
    """The format of a number (ECMA-376, 18.8.31). Which signs stand for decimals and thousands is no part of one: the
    program that opens the file writes them as its reader does. Euros and dates are written as the language does."""
    code, day = LOCALES[lang]
    plain = "#,##0" + ("." + "0" * number.decimals if number.decimals else "")
    match number.kind:
        case said.PERCENT:
            return plain.removeprefix("#,##") + "%"
        case said.SIGNED:
            return f"+{plain};-{plain};{plain}"
        case said.EURO:
            return f"[$€-{code}] {plain};-[$€-{code}] {plain}"
        case said.DATE:
            return f"[$-{code}]{day}"
        case said.YEAR:
            return "0"
        case said.AT_LEAST:
            return f'"≥ "{plain}'
        case said.AT_MOST:
            return f'"≤ "{plain}'
    return plain


# ---------------------------------------------------------------- the file


def _packed(sheets: Sequence[Sheet], title: str) -> bytes:
    import xlsxwriter

    stream = io.BytesIO()
    book: Any = xlsxwriter.Workbook(stream, {"in_memory": True})
    book.set_properties({"title": title, "author": "flowsim", "created": MADE})
    as_words = {"num_format": "@", "quote_prefix": True}  # words stay words when they are edited
    formats = {WORDS: book.add_format(as_words), BOLD: book.add_format(as_words | {"bold": True})}
    for sheet in sheets:
        _write(book.add_worksheet(sheet.name), sheet, book, formats)
    book.close()
    return stream.getvalue()


def _write(page: Any, sheet: Sheet, book: Any, formats: dict[str, Any]) -> None:
    """One sheet; adds the formats of its numbers to ``formats``."""
    lines: list[tuple[str, Sequence[Cell]]] = [(BOLD if i == 0 else WORDS, [one]) for i, one in enumerate(sheet.above)]
    lines.append((WORDS, []))
    if sheet.header:
        lines.append((BOLD, sheet.header))
        page.freeze_panes(len(lines), 0)
    lines += [(WORDS, row) for row in sheet.rows]
    for i, (kind, row) in enumerate(lines):
        for j, cell in enumerate(row):
            if isinstance(cell, Number):
                if cell.shown not in formats:
                    formats[cell.shown] = book.add_format({"num_format": cell.shown})
                page.write_number(i, j, cell.value, formats[cell.shown])
            elif cell:
                page.write_string(i, j, cell[:LONGEST_CELL], formats[kind])
    for j, column in enumerate(_columns(sheet)):
        longest = max(len(one) if isinstance(one, str) else 10 for one in column)
        page.set_column(j, j, min(60, max(10, longest + 2)))


def _columns(sheet: Sheet) -> list[list[Cell]]:
    """The table by column, with its header."""
    lines: list[list[Cell]] = [[*sheet.header]] if sheet.header else []
    lines += [list(row) for row in sheet.rows]
    return [list(column) for column in zip(*lines, strict=True)]
