"""The workbook: numbers are numbers, words stay words, the same bytes again, and what a program that opens it needs."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from typing import Any
from xml.etree import ElementTree

import pytest
from present_tables import Made

from flowsim.present.report import charts, make_report
from flowsim.present.report.blocks import heading, light, table
from flowsim.present.report.content import document
from flowsim.present.report.workbook import DAY_ZERO, Number, parsed, split, workbook
from flowsim.present.texts import LANGUAGES, format_euro, format_number, text

SPACE = {"m": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
HOSTILE = (
    '=HYPERLINK("http://example.org","x")',
    "../../x",
    "</t></is></c><evil/>",
    "+1+1|cmd",
    "@SUM(1)",
    "'",
    "a\x00b",
)


@pytest.fixture(autouse=True)
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """There are none in it, and drawing takes the most time."""
    monkeypatch.setattr(charts, "svg", lambda draw: "<svg xmlns='http://www.w3.org/2000/svg'/>")


class Book:
    """What a program reads in a workbook: sheets by name, each cell with its type, value and format."""

    def __init__(self, content: bytes) -> None:
        self.archive = zipfile.ZipFile(io.BytesIO(content))
        assert self.archive.testzip() is None
        self.parts = {name: self.archive.read(name).decode() for name in self.archive.namelist()}
        trees = {name: ElementTree.fromstring(part) for name, part in self.parts.items()}
        styles = trees["xl/styles.xml"]
        shown = {one.get("numFmtId"): one.get("formatCode") for one in styles.iterfind(".//m:numFmt", SPACE)}
        shown |= {"1": "0", "2": "0.00", "3": "#,##0", "4": "#,##0.00", "9": "0%", "10": "0.00%"}  # ECMA-376, 18.8.30
        self.formats = [shown.get(one.get("numFmtId"), "") for one in styles.iterfind("./m:cellXfs/m:xf", SPACE)]
        self.quoted = [one.get("quotePrefix") == "1" for one in styles.iterfind("./m:cellXfs/m:xf", SPACE)]
        strings = trees.get("xl/sharedStrings.xml", ElementTree.Element("none"))
        self.words = [one.findtext("./m:t", "", SPACE) for one in strings.iterfind("./m:si", SPACE)]
        named = [str(one.get("name")) for one in trees["xl/workbook.xml"].iterfind(".//m:sheet", SPACE)]
        self.sheets = {name: self._rows(trees[f"xl/worksheets/sheet{i}.xml"]) for i, name in enumerate(named, 1)}
        assert len(self.sheets) == len(named)

    def _rows(self, sheet: ElementTree.Element) -> list[list[Any]]:
        found = []
        for row in sheet.iterfind(".//m:row", SPACE):
            cells: list[Any] = []
            for cell in row:
                style = int(cell.get("s", "0"))
                if cell.get("t") == "s":
                    assert self.quoted[style]
                    cells.append(self.words[int(cell.findtext("./m:v", "", SPACE))])
                else:
                    cells.append((float(cell.findtext("./m:v", "", SPACE)), self.formats[style]))
            found.append(cells)
        return found


def content(*blocks: dict[str, Any], lang: str = "nl", **more: str) -> dict[str, Any]:
    said = {"title": "Titel", "subtitle": "Scenario", "footer": "flowsim 1", "lang": lang}
    return {**said, "blocks": list(blocks), "account": [], **more}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [(0.0, 0, "0"), (7.0, 0, "0"), (-1234.0, 0, "#,##0"), (1234567.25, 2, "#,##0.00"), (0.125, 3, "0.000")],
)
def test_a_number_is_read_as_the_language_writes_it(lang: str, value: float, decimals: int, shown: str) -> None:
    written = format_number(lang, value, decimals)
    assert parsed(written, lang) == Number(value, shown)
    assert parsed(written.replace("-", "−"), lang) == Number(value, shown)
    assert parsed(written + "%", lang) == Number(float(f"{value}e-2"), shown + "%")
    assert parsed("+" + written.removeprefix("-"), lang) == Number(abs(value), shown)
    assert parsed(format_euro(lang, value), lang) == Number(float(f"{value:.0f}"), '"€" #,##0')


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    "words",
    [
        "–",
        "<1%",
        "≥ 2",
        "5% → 0%",
        "1.2.3",
        "1,2,3",
        "12,34.5",
        "12.34,5",
        "KPI 24",
        "1.",
        "1,",
        "--1",
        "",
        "=1+1",
        "1e5",
        "12a",
    ],
)
def test_what_is_no_number_stays_words(lang: str, words: str) -> None:
    assert parsed(words, lang) == words


def test_estimates_ranges_and_dates() -> None:
    assert split("112 (95 tot 130)", "nl") == ("112", "95", "130")
    assert split("−954 (−1.002 tot −905)", "nl") == ("−954", "−1.002", "−905")
    assert split("2% (<1% to 9%)", "en") == ("2%", "<1%", "9%")
    assert split("3,1% (2,6%–3,5%)", "nl") == ("3,1%", "2,6%", "3,5%")
    assert split("-0,25% - 3%", "nl") == ("-0,25%", "3%")
    assert split("-5", "nl") == ("-5",)
    assert split("31-12-2029", "nl") == ("31-12-2029",)
    for lang, day in (("nl", "31-12-2029"), ("en", "31/12/2029")):
        found = parsed(day, lang)
        assert isinstance(found, Number)
        assert DAY_ZERO + dt.timedelta(days=found.value) == dt.date(2029, 12, 31)
        assert "yyyy" in found.shown


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_table_of_the_report_is_a_sheet_in_the_language(made: Made, lang: str) -> None:
    told = document(*made, lang)
    book = Book(make_report(*made, lang, form="xlsx"))
    tables = [one for one in (*told["blocks"], *told["account"]) if one["kind"] == "table"]
    assert len(tables) > 8
    assert len(book.sheets) == len(tables) + 2  # what it is, and the sources
    names = list(book.sheets)
    assert names[0] == text(lang, "report.workbook.about")
    assert text(lang, "report.heading.plan") in names
    assert all(0 < len(name) <= 31 and not re.search(r"[\[\]:*?/\\]", name) for name in names)
    source = text(lang, "report.workbook.source", run=told["footer"])
    for rows, block in zip(list(book.sheets.values())[1:-1], tables, strict=True):
        above = [row[0] for row in rows if len(row) == 1][:3]
        assert source in above
        assert not block["note"] or block["note"].replace("\u00a0", " ") in [
            one.replace("\u00a0", " ") for one in above
        ]
    printed = [cell for one in tables for row in one["rows"] for cell in row]
    numbers = [cell for rows in book.sheets.values() for row in rows for cell in row if isinstance(cell, tuple)]
    assert len(numbers) > 150
    words = {cell for rows in book.sheets.values() for row in rows for cell in row if isinstance(cell, str)}
    alone = re.compile(r"[-−]?(€ )?\d[\d.,]*%?")
    left = {row[0] for one in tables for row in one["rows"] if isinstance(row[0], str)}
    assert {one for one in words if alone.fullmatch(one)} <= left | {one for t in tables for one in t["header"]}
    assert any(isinstance(one, dict) for one in printed)  # lights are among them


def test_the_numbers_are_those_that_the_report_prints() -> None:
    made = table(
        ["Wat", "Aantal", "Kans", "Euro"],
        [
            ["5.3", "1.234 (1.000 tot 2.000)", light("yes", "100%"), "-€ 4.920"],
            ["x", "5 - 7", light("none", "geen"), "–"],
        ],
        [0, 0, 0, 0],
        caption="Een tabel",
        note="Duizend euro",
    )
    rows = Book(workbook(content(heading("Kop?"), made))).sheets["Kop"]
    assert rows[0] == ["Een tabel"]
    assert rows[1] == ["Duizend euro"]
    assert rows[3] == ["Wat", "Aantal", "Aantal: van", "Aantal: tot", "Kans", "Euro"]
    assert rows[4] == [
        "5.3",
        (1234.0, "#,##0"),
        (1000.0, "#,##0"),
        (2000.0, "#,##0"),
        (1.0, "0%"),
        (-4920.0, '"€" #,##0'),
    ]
    assert rows[5] == ["x", (5.0, "0"), (7.0, "0"), "geen", "–"]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_stay_words(name: str) -> None:
    made = table([name, name], [[name, name]], [0, 0], caption=name, note=name)
    book = Book(workbook(content(heading(name), made, title=name, subtitle=name)))
    kept = name.replace("\x00", "?")
    rows = list(book.sheets.values())[1]
    assert rows[-1] == [kept, kept]  # as words, see `Book`
    assert not any("<f>" in part or "<evil" in part for part in book.parts.values())
    own = {f"xl/{one}" for one in ("workbook.xml", "_rels/workbook.xml.rels", "styles.xml")}
    own |= {f"xl/worksheets/sheet{i}.xml" for i in (1, 2)} | {"xl/sharedStrings.xml", "xl/theme/theme1.xml"}
    assert set(book.parts) == own | {"[Content_Types].xml", "_rels/.rels", "docProps/core.xml", "docProps/app.xml"}
    assert all("://example.org" not in part for place, part in book.parts.items() if place.endswith(".rels"))


def test_sheets_of_one_name_are_told_apart_and_the_same_blocks_give_the_same_bytes() -> None:
    made = table(["a"], [["b"]], [0])
    told = content(
        heading("Een heel lange naam voor een werkblad"), made, made, heading("EEN HEEL LANGE NAAM VOOR EEN"), made
    )
    book = Book(workbook(told))
    assert list(book.sheets)[1:] == [
        "Een heel lange naam voor een",
        "Een heel lange naam voor een 2",
        "EEN HEEL LANGE NAAM VOOR EEN 3",
    ]
    assert workbook(told) == workbook(told)
    assert {one.date_time for one in book.archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
