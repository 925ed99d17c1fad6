"""The workbook: numbers are numbers, words stay words, the same bytes again, and what a program that opens it needs."""

from __future__ import annotations

import datetime as dt
import io
import pickle
import re
import zipfile
from collections.abc import Iterable, Sequence
from copy import deepcopy
from math import isclose
from typing import Any
from xml.etree import ElementTree

import pytest
from present_tables import Made

from flowsim.present.report import charts, make_report
from flowsim.present.report.blocks import heading, light, table
from flowsim.present.report.content import document
from flowsim.present.report.promises import Promises
from flowsim.present.report.workbook import Number, numbers, workbook
from flowsim.present.said import told, whole
from flowsim.present.texts import LANGUAGES, format_euro, format_number, text, texts
from flowsim.present.wording import percent

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


def among(cells: Sequence[float], values: Iterable[float]) -> bool:
    """Whether each value is in a cell, in the sixteen digits that a workbook has."""
    return all(any(isclose(value, cell, rel_tol=1e-14) for cell in cells) for value in values)


def content(*blocks: dict[str, Any], lang: str = "nl", **more: str) -> dict[str, Any]:
    said = {"title": "Titel", "subtitle": "Scenario", "footer": "flowsim 1", "lang": lang}
    return {**said, "blocks": list(blocks), "account": [], **more}


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize(
    ("value", "decimals", "shown"),
    [(0.0, 0, "#,##0"), (-1234.4, 0, "#,##0"), (1234567.256, 2, "#,##0.00"), (0.1259, 3, "#,##0.000")],
)
def test_a_number_is_that_of_the_results_with_as_many_decimals_as_are_printed(
    lang: str, value: float, decimals: int, shown: str
) -> None:
    assert numbers(format_number(lang, value, decimals), lang) == (Number(value, shown),)
    euro = {"nl": "[$€-413] #,##0;-[$€-413] #,##0", "en": "[$€-809] #,##0;-[$€-809] #,##0"}
    assert numbers(format_euro(lang, value), lang) == (Number(value, euro[lang]),)


@pytest.mark.parametrize(
    ("share", "words", "shown"),
    [(0.0312, "3%", "0%"), (0.0, "0%", "0%"), (0.0012, "<1%", "0.0%"), (0.9991, ">99%", "0.0%")],
)
def test_a_share_is_a_fraction_and_what_is_nearly_none_has_its_own_number(share: float, words: str, shown: str) -> None:
    said = percent("en", share)
    assert (said, numbers(said, "en")) == (words, (Number(share, shown),))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_words_tell_no_number_whatever_they_look_like(lang: str) -> None:
    for words in ("12", "5.3", "1.234", "12%", "€ 5", "31-12-2029", "112 (95 tot 130)", "–", "=1+1"):
        assert numbers(words, lang) == ()
        rows = Book(workbook(content(heading("Kop"), table(["a", "b"], [["x", words]], [0, 0]), lang=lang))).sheets
        assert rows["Kop"][-1] == ["x", words]


def test_half_a_range_is_no_range() -> None:
    parts = format_number("nl", 1.0), "-", format_number("nl", 3.0)
    assert told(whole("1 (- tot 3)", *parts)) == ()
    assert [one.value for one in told(whole("1 tot 3", parts[0], parts[2]))] == [1.0, 3.0]


def test_numbers_outlive_a_copy_and_the_way_to_another_process() -> None:
    said = percent("nl", 0.5)
    assert told(pickle.loads(pickle.dumps(said))) == told(deepcopy(said)) == told(said) != ()


@pytest.mark.parametrize(
    ("lang", "written", "shown"), [("nl", "31-12-2029", "dd-mm-yyyy"), ("en", "2029-12-31", "yyyy-mm-dd")]
)
def test_a_date_is_a_date(lang: str, written: str, shown: str, made: Made) -> None:
    said = Promises(*made, lang).date(dt.date(2029, 12, 31))
    (found,) = numbers(said, lang)
    assert said == written
    assert dt.date(1899, 12, 30) + dt.timedelta(days=found.value) == dt.date(2029, 12, 31)
    assert found.shown.endswith("]" + shown)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_each_number_of_the_sheets_is_one_of_the_results_with_all_its_digits(made: Made, lang: str) -> None:
    """Probabilities, promises and euros, cell by cell, from the tables; nothing of it is rounded."""
    answer, tables = made
    book = Book(make_report(*made, lang, form="xlsx"))
    cells = {
        name: [cell[0] for row in rows for cell in row if isinstance(cell, tuple)] for name, rows in book.sheets.items()
    }
    summary = tables["summary"].set_index("case")
    first = cells[text(lang, "report.heading.answer")]
    for case in answer.cases:
        for column in ("cleared", "cleared_low", "cleared_high"):
            assert among(first, [summary.loc[case, column]])
    leading = Promises(*made, lang).leading
    euros = tables["euros"]
    euros = euros[(euros["case"] == leading) & (euros["line"] == "gains")]
    heads = {one.removeprefix("report.heading."): said for one, said in texts(lang).items() if "report.heading" in one}
    shown = cells[next(one for one in cells if heads["euros"].startswith(one[:20]))]
    assert among(shown, euros["mean"] / 1000.0)
    assert any(value != round(value) for value in shown)
    promises = tables["targets"]
    promises = promises[(promises["case"] == leading) & promises["simulated"]]
    shown = cells[next(one for one in cells if heads["targets"].startswith(one[:20]))]
    assert among(shown, promises["promised"])
    assert among(shown, promises["probability"])
    assert among(shown, promises["mean"])


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


def test_an_estimate_and_a_range_stand_in_columns_of_their_own() -> None:
    three = [format_number("nl", one) for one in (1234.5, 1000.25, 2000.0)]
    two = [format_number("nl", one) for one in (5.1, 7.2)]
    made = table(
        ["Wat", "Aantal", "Kans", "Euro"],
        [
            [
                "5.3",
                whole("1.234 (1.000 tot 2.000)", *three),
                light("yes", percent("nl", 1.0)),
                format_euro("nl", -4920.4),
            ],
            [format_number("nl", 3.0), whole("5 - 7", *two), light("none", "geen"), "–"],
        ],
        [0, 0, 0, 0],
        caption="Een tabel",
        note="Duizend euro",
    )
    rows = Book(workbook(content(heading("Kop?"), made))).sheets["Kop"]
    assert rows[0] == ["Een tabel"]
    assert rows[1] == ["Duizend euro"]
    assert rows[3] == ["Wat", "Aantal", "Aantal: van", "Aantal: tot", "Kans", "Euro"]
    plain = "#,##0"
    euro = (-4920.4, "[$€-413] #,##0;-[$€-413] #,##0")
    assert rows[4] == ["5.3", (1234.5, plain), (1000.25, plain), (2000.0, plain), (1.0, "0%"), euro]
    assert rows[5] == ["3", (5.1, plain), (7.2, plain), "geen", "–"]


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
