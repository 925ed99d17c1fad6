"""From blocks to a workbook (XLSX): the tables of the report, a sheet each, with numbers that can be reckoned with.

A number is the one that the report prints, rounded as it is there: the full digits are in the tables of
`flowsim answer`. An estimate or a range becomes several columns. All other cells are words, stored as words: a program
that opens the file reads no formula in them. The format is that of ECMA-376, written with the standard library: no
formulas, macros, links or dates of making, so that the same blocks give the same bytes.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from flowsim.present.report.blocks import Block
from flowsim.present.report.document import readable
from flowsim.present.texts import text

LONGEST_NAME: Final = 31
LONGEST_CELL: Final = 32_767
FORBIDDEN: Final = re.compile(r"[\[\]:*?/\\]")
"""What the name of a sheet may not hold."""
NUMBER: Final = r"[-−+]?(?:€\s?)?[-−+]?\d[\d.,]*%?"
BOUND: Final = rf"[<>]?{NUMBER}"
WRITTEN: Final = re.compile(r"(?P<sign>[-−+]?)(?P<euro>€\s?)?(?P<minus>[-−+]?)(?P<digits>\d[\d.,]*)(?P<percent>%?)")
DATE: Final = re.compile(r"(\d\d)[-/](\d\d)[-/](\d{4})")
DAY_ZERO: Final = dt.date(1899, 12, 30)
MAIN: Final = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE: Final = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
PACKAGE: Final = "http://schemas.openxmlformats.org/package/2006"
TYPES: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml"
HEAD: Final = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
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
    return _packed(sheets, str(content["title"]), lang)


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


# ---------------------------------------------------------------- from words to numbers


def _table(block: Block, lang: str) -> tuple[list[str], list[list[Cell]]]:
    """A table with its estimates and ranges in columns of their own."""
    header: list[str] = []
    columns: list[list[Cell]] = []
    for j, name in enumerate(block["header"]):
        cells = [_said(row[j]) for row in block["rows"]]
        if block["aligns"][j] == "left":  # words, whatever they look like: 5.3 is a place in the plan
            header.append(name)
            columns.append(list(cells))
            continue
        parts = [split(cell, lang) for cell in cells]
        most = max((len(one) for one in parts), default=1)
        ends = [text(lang, f"report.workbook.{end}", name=name) for end in ("low", "high")]
        header += {1: [name], 2: ends, 3: [name, *ends]}[most]
        for k in range(most):
            columns.append([parsed(one[k], lang) if k < len(one) else "" for one in _filled(parts, most)])
    return header, [[column[i] for column in columns] for i in range(len(block["rows"]))]


def _filled(parts: Iterable[Sequence[str]], most: int) -> list[Sequence[str]]:
    """A range beside estimates stands in the columns of their ends."""
    return [("", *one) if len(one) == 2 < most else one for one in parts]


def _said(cell: Any) -> str:
    """The words of a cell; a light is a sign for them."""
    words = cell["text"] if isinstance(cell, Mapping) else str(cell)
    return words.replace("\u00a0", " ").replace("\u202f", " ")


def split(cell: str, lang: str) -> tuple[str, ...]:
    """An estimate as its value and its ends, a range as its ends; anything else as it is."""
    _, _, between, _ = text(lang, "answer.estimate", value="|", low="|", high="|").split("|")
    apart = rf"(?:{re.escape(between)}|\s?[-–]\s?)"
    estimate = re.fullmatch(rf"({BOUND}) \(({BOUND}){apart}({BOUND})\)", cell)
    bounds = re.fullmatch(rf"({BOUND})(?:{re.escape(between)}| [-–] )({BOUND})", cell)
    found = estimate or bounds
    return found.groups() if found else (cell,)


def parsed(cell: str, lang: str) -> Cell:
    """The number or the date that words stand for, or the words."""
    if day := DATE.fullmatch(cell):
        date = dt.date(int(day[3]), int(day[2]), int(day[1]))
        return Number(float((date - DAY_ZERO).days), "dd-mm-yyyy" if lang == "nl" else "dd/mm/yyyy")
    found = WRITTEN.fullmatch(cell)
    if found is None or (found["sign"] and found["minus"]):
        return cell
    thousand, point = (".", ",") if lang == "nl" else (",", ".")
    whole, _, after = found["digits"].partition(point)
    grouped = thousand in whole
    if not re.fullmatch(rf"\d+|\d{{1,3}}({re.escape(thousand)}\d{{3}})+", whole) or (after and not after.isdigit()):
        return cell
    if found["digits"].endswith(point):
        return cell
    digits = whole.replace(thousand, "") + (f".{after}" if after else "")
    value = float(digits)
    decimals = len(after)
    if found["percent"]:  # by decimals, so that no digit is added: 0.07, not 0.07000000000000001
        value = float(f"{digits}e-2")
    if {found["sign"], found["minus"]} & {"-", "−"}:
        value = -value
    shown = ("#,##0" if grouped or found["euro"] else "0") + ("." + "0" * decimals if decimals else "")
    return Number(value, ('"€" ' if found["euro"] else "") + shown + found["percent"])


# ---------------------------------------------------------------- the file


def _packed(sheets: Sequence[Sheet], title: str, lang: str) -> bytes:
    styles: dict[str, int] = {WORDS: 1, BOLD: 2}
    drawn = [_sheet(sheet, styles) for sheet in sheets]
    numbers = range(1, len(sheets) + 1)
    listed = "".join(
        f'<sheet name={quoteattr(sheet.name)} sheetId="{i}" r:id="rId{i}"/>' for i, sheet in enumerate(sheets, 1)
    )
    made = [(f"worksheets/sheet{i}.xml", "worksheet") for i in numbers] + [("styles.xml", "styles")]
    related = "".join(
        f'<Relationship Id="rId{i}" Type="{OFFICE}/{kind}" Target="{place}"/>'
        for i, (place, kind) in enumerate(made, 1)
    )
    typed = [(f"/xl/{place}", f"{TYPES}.{kind}+xml") for place, kind in made]
    typed += [("/xl/workbook.xml", f"{TYPES}.sheet.main+xml")]
    typed += [("/docProps/core.xml", "application/vnd.openxmlformats-package.core-properties+xml")]
    overrides = "".join(f'<Override PartName="{part}" ContentType="{kind}"/>' for part, kind in typed)
    relations = "application/vnd.openxmlformats-package.relationships+xml"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types">'
        f'<Default Extension="rels" ContentType="{relations}"/>{overrides}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/>'
        f'<Relationship Id="rId2" Type="{PACKAGE}/relationships/metadata/core-properties" Target="docProps/core.xml"/>'
        "</Relationships>",
        "docProps/core.xml": f'<cp:coreProperties xmlns:cp="{PACKAGE}/metadata/core-properties" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{escape(title)}</dc:title><dc:creator>flowsim</dc:creator><dc:language>{lang}</dc:language>"
        "</cp:coreProperties>",
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{related}</Relationships>',
        "xl/styles.xml": _styles(styles),
        **{f"xl/worksheets/sheet{i}.xml": one for i, one in zip(numbers, drawn, strict=True)},
    }
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for place, content in parts.items():
            entry = zipfile.ZipInfo(place, (1980, 1, 1, 0, 0, 0))
            entry.compress_type, entry.create_system = zipfile.ZIP_DEFLATED, 0
            archive.writestr(entry, (HEAD + content).encode())
    return stream.getvalue()


def _sheet(sheet: Sheet, styles: dict[str, int]) -> str:
    """A sheet as XML; adds the formats of its numbers to ``styles``."""
    lines: list[tuple[str, Sequence[Cell]]] = [(BOLD if i == 0 else WORDS, [one]) for i, one in enumerate(sheet.above)]
    lines.append((WORDS, []))
    if sheet.header:
        lines.append((BOLD, sheet.header))
    top = len(lines)
    lines += [(WORDS, row) for row in sheet.rows]
    rows = "".join(
        f'<row r="{i}">' + "".join(_cell(cell, j, i, kind, styles) for j, cell in enumerate(row)) + "</row>"
        for i, (kind, row) in enumerate(lines, 1)
        if row
    )
    wide = [max([len(str(one)) if isinstance(one, str) else 10 for one in column]) for column in _columns(sheet)]
    cols = "".join(
        f'<col min="{j}" max="{j}" width="{min(60, max(10, n + 2))}" customWidth="1"/>' for j, n in enumerate(wide, 1)
    )
    below = f'<pane ySplit="{top}" topLeftCell="A{top + 1}" activePane="bottomLeft" state="frozen"/>'
    pane = below if sheet.header else ""
    return (
        f'<worksheet xmlns="{MAIN}"><sheetViews><sheetView workbookViewId="0">{pane}</sheetView></sheetViews>'
        + (f"<cols>{cols}</cols>" if cols else "")
        + f"<sheetData>{rows}</sheetData></worksheet>"
    )


def _columns(sheet: Sheet) -> list[list[Cell]]:
    """The table by column, with its header."""
    lines: list[list[Cell]] = [[*sheet.header]] if sheet.header else []
    lines += [list(row) for row in sheet.rows]
    return [list(column) for column in zip(*lines, strict=True)]


def _cell(cell: Cell, j: int, i: int, kind: str, styles: dict[str, int]) -> str:
    place = f"{_letters(j)}{i}"
    if isinstance(cell, Number):
        style = styles.setdefault(cell.shown, len(styles) + 1)
        return f'<c r="{place}" s="{style}"><v>{str(cell.value).removesuffix(".0")}</v></c>'
    if not cell:
        return ""
    words = escape(cell[:LONGEST_CELL])
    return f'<c r="{place}" s="{styles[kind]}" t="inlineStr"><is><t xml:space="preserve">{words}</t></is></c>'


def _letters(j: int) -> str:
    """The name of a column: A, B ... Z, AA."""
    before, here = divmod(j, 26)
    return (_letters(before - 1) if before else "") + chr(ord("A") + here)


def _styles(styles: Mapping[str, int]) -> str:
    """Formats of cells: 0 as a program likes it, then those of ``styles``; words stay words when they are edited."""
    formats = [shown for shown in styles if shown not in (WORDS, BOLD)]
    known = {shown: 164 + i for i, shown in enumerate(formats)}  # up to 163 they are the program's own
    listed = "".join(f'<numFmt numFmtId="{n}" formatCode={quoteattr(shown)}/>' for shown, n in known.items())
    plain = '<xf numFmtId="0" fontId="0" fillId="0" borderId="0" xfId="0"/>'
    cells = plain + "".join(
        f'<xf numFmtId="49" fontId="{int(shown == BOLD)}" fillId="0" borderId="0" xfId="0" quotePrefix="1" '
        'applyNumberFormat="1" applyFont="1"/>'
        if shown in (WORDS, BOLD)
        else f'<xf numFmtId="{known[shown]}" fontId="0" fillId="0" borderId="0" xfId="0" applyNumberFormat="1"/>'
        for shown in styles
    )
    font = '<sz val="11"/><name val="Calibri"/>'
    return (
        f'<styleSheet xmlns="{MAIN}">'
        + (f'<numFmts count="{len(known)}">{listed}</numFmts>' if known else "")
        + f'<fonts count="2"><font>{font}</font><font><b/>{font}</font></fonts>'
        '<fills count="2"><fill><patternFill patternType="none"/></fill>'
        '<fill><patternFill patternType="gray125"/></fill></fills>'
        '<borders count="1"><border><left/><right/><top/><bottom/><diagonal/></border></borders>'
        '<cellStyleXfs count="1"><xf numFmtId="0" fontId="0" fillId="0" borderId="0"/></cellStyleXfs>'
        f'<cellXfs count="{len(styles) + 1}">{cells}</cellXfs>'
        '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
    )
