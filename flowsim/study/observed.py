"""What a programme counted, from a CSV file as spreadsheets write it: parsed and checked, nothing is executed or kept.

A row per quarter, a column per quantity (`flowsim.analysis.monitoring.QUANTITIES`), empty cells for what was not
counted. Semicolons, commas or tabs; decimal comma or point; UTF-8 with or without a mark, UTF-16 or Windows-1252. A
line that begins with # is a remark.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flowsim.analysis.monitoring import QUANTITIES, SHARE, Quantity, Quarter, possible, quarters
from flowsim.errors import InputError, path_of
from flowsim.study import privacy

MOST_BYTES: Final = 64 * 1024
"""Of a file, also of one that is uploaded."""
MOST_ROWS: Final = 200
MOST_COLUMNS: Final = 40
LONGEST_CELL: Final = 300
QUARTER_HEADINGS: Final = {"nl": "kwartaal", "en": "quarter"}
MADE_UP: Final = ("VERZONNEN", "MADE UP")
"""A remark with one of these says that the counts are not real; what is printed says so too."""
_QUARTER: Final = (
    re.compile(r"(?P<year>20\d{2})\s*[-/ ]?\s*(?:[QK]W?|KWARTAAL|QUARTER)?\s*(?P<number>[1-4])", re.IGNORECASE),
    re.compile(
        r"(?P<number>[1-4])\s*(?:E|DE|STE|ST|ND|RD|TH)?\s*(?:KWARTAAL|QUARTER)\s*(?P<year>20\d{2})", re.IGNORECASE
    ),
    re.compile(r"(?:[QK]W?|KWARTAAL|QUARTER)\s*(?P<number>[1-4])\s*[-/ ]?\s*(?P<year>20\d{2})", re.IGNORECASE),
)
_MISSING: Final = frozenset(
    {"", "-", "–", "—", "?", ".", "nb", "n.b.", "na", "n/a", "nvt", "n.v.t.", "nan", "onbekend", "unknown"}
)
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:[.,' \u00a0\u202f]\d{3})+")
Cell = tuple[Quarter, str]


@dataclass(frozen=True)
class Observed:
    """Counts of a programme.

    Attributes
    ----------
    cells : (quarter, code of the quantity) -> what was counted, by quarter and then in the order of `QUANTITIES`.
    name : of the file, without its folder. digest : of its bytes, for a manifest.
    made_up : whether the file says that its counts are not real.
    """

    cells: Mapping[Cell, float]
    name: str = "counts"
    digest: str = ""
    made_up: bool = False

    def of(self, code: str) -> tuple[list[Quarter], list[float]]:
        """The quarters in which a quantity was counted, and the counts."""
        found = [(quarter, value) for (quarter, one), value in self.cells.items() if one == code]
        return [quarter for quarter, _ in found], [value for _, value in found]

    @property
    def quantities(self) -> list[str]:
        """Codes of the quantities that were counted."""
        counted = {code for _, code in self.cells}
        return [code for code in QUANTITIES if code in counted]


def read(path: str | Path) -> Observed:
    """Counts from a file on this machine.

    Raises
    ------
    InputError : no such file, a folder, something that is no table of counts. `flowsim.study.privacy.PersonalData`:
        what looks like personal data.
    """
    path = path_of("observed", path, "the path of a CSV file of counts, its bytes, or counts that were read")
    expected = "a CSV file of counts; `flowsim update --template FILE` writes an empty one"
    try:
        with open(path, "rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise InputError(str(path), "no such file", expected) from None
    except IsADirectoryError:
        raise InputError(str(path), "a folder", expected) from None
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        raise InputError(str(path), f"a file that cannot be read ({why})", expected) from None
    return parse(content, path.name, str(path))


def parse(content: bytes, name: str, where: str | None = None) -> Observed:
    """Counts from the bytes of a file, such as an upload.

    Parameters
    ----------
    name : of the file. where : how messages call it; left out: its name.

    Raises
    ------
    InputError, PersonalData : see `read`.
    """
    where = where or name
    rows = [row for row in _rows(_text(content, where), where) if any(cell.strip() for cell in row[1])]
    remarks = [(line, row) for line, row in rows if row[0].lstrip().startswith("#")]
    table = [(line, row) for line, row in rows if not row[0].lstrip().startswith("#")]
    for line, row in remarks:
        for cell in row:
            privacy.check_text(cell, f"{where}: line {line}", remark=True)
    if not table:
        raise InputError(where, "no table", "a heading and a row per quarter", "counts.no_table")
    heading, body = table[0], table[1:]
    columns, at = _columns(heading[1], f"{where}: line {heading[0]}")
    _guard(body, at, where)
    cells: dict[Cell, float] = {}
    seen: dict[Quarter, int] = {}
    for line, row in body:
        if len(row) != len(heading[1]):  # a decimal comma between commas would shift all cells after it
            found = f"{len(row)} cells, where the heading has {len(heading[1])}"
            expected = "as many; a decimal comma needs semicolons between cells"
            raise InputError(f"{where}: line {line}", found, expected, "counts.shifted")
        quarter = _quarter(row[at] if at < len(row) else "", f"{where}: line {line}")
        if quarter in seen:
            found = f"a second row for {quarter} (the first is line {seen[quarter]})"
            expected = "one row per quarter, the whole region in it"
            raise InputError(f"{where}: line {line}", found, expected, "counts.row_twice")
        seen[quarter] = line
        for i, cell in enumerate(row):
            if i == at or cell.strip().lower() in _MISSING:
                continue
            place = f"{where}: line {line}, column {i + 1}"
            if i not in columns:
                found, expected = "a cell under an empty heading", "a heading, such as wachtlijst"
                raise InputError(place, found, expected, "counts.headless")
            quantity = QUANTITIES[columns[i]]
            value = _number(cell, quantity, f"{where}: line {line}, {heading[1][i].strip()}")
            if not possible(quantity, quarter):
                expected = f"lists only (waiting, overdue) before {quarters()[1]}, as they stand on the first day"
                raise InputError(place, f"{quantity.code} in {quarter}", expected, "counts.early")
            cells[quarter, quantity.code] = value
    _check_together(cells, where)
    marks = " ".join(cell for _, row in remarks for cell in row).upper()
    order = list(QUANTITIES)
    return Observed(
        cells=dict(sorted(cells.items(), key=lambda item: (item[0][0], order.index(item[0][1])))),
        name=name,
        digest=hashlib.sha256(content).hexdigest()[:16],
        made_up=any(mark in marks for mark in MADE_UP),
    )


def given(cells: Mapping[tuple[str, str], float], name: str = "counts") -> Observed:
    """Counts from Python: {("2026-Q1", "waiting"): 780, ...}.

    Raises
    ------
    InputError : a quarter, a quantity or a value that cannot be.
    """
    codes = [code for code in QUANTITIES if any(one == code for _, one in cells)]
    unknown = next((code for _, code in cells if code not in QUANTITIES), None)
    if unknown is not None:
        raise InputError("counts", repr(unknown), "one of " + ", ".join(QUANTITIES))
    labels = list(dict.fromkeys(quarter for quarter, _ in cells))
    lines = [",".join(("quarter", *codes))]
    lines += [",".join((q, *(repr(float(cells[q, c])) if (q, c) in cells else "" for c in codes))) for q in labels]
    return parse("\n".join(lines).encode(), name, "counts")


def template(lang: str, remarks: Sequence[str] = ()) -> bytes:
    """An empty file to fill in: in Dutch with semicolons, as a Dutch spreadsheet writes; in English with commas."""
    headings = [one.dutch if lang == "nl" else one.code for one in QUANTITIES.values()]
    stream = io.StringIO()
    writer = csv.writer(stream, delimiter=";" if lang == "nl" else ",", lineterminator="\r\n")
    writer.writerows([f"# {remark}"] for remark in remarks)
    writer.writerow([QUARTER_HEADINGS[lang], *headings])
    writer.writerows([str(quarter), *("" for _ in headings)] for quarter in quarters())
    return stream.getvalue().encode("utf-8-sig")


# ---------------------------------------------------------------- from bytes to cells


def _text(content: bytes, where: str) -> str:
    expected = "a CSV file of counts, in text"
    if len(content) > MOST_BYTES:
        found, expected = f"more than {MOST_BYTES // 1024} kB", "a small table of counts: a row per quarter"
        raise InputError(where, found, expected, "counts.large")
    if not content.strip(b"\xef\xbb\xbf\r\n\t ;,"):
        raise InputError(where, "an empty file", expected, "counts.empty")
    if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise InputError(where, "a workbook or zip file", "CSV: save the sheet as CSV first", "counts.workbook")
    wide = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "cp1252"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", text):
            break
        return text.removeprefix("\ufeff")
    raise InputError(where, "binary data", expected, "counts.binary")


def _rows(text: str, where: str) -> list[tuple[int, list[str]]]:
    """The rows with their line numbers; the separator is the one that the heading has most of."""
    lines = text.splitlines()
    start = 0
    if lines and (match := re.fullmatch(r'"?sep=([;,\t])"?[;,\s]*', lines[0])):
        separator, start = match[1], 1
    else:
        plain = (line for line in lines if line.strip(' ";,\t') and not line.lstrip(' "').startswith("#"))
        heading = next(plain, "")
        separator = max(";\t,", key=heading.count)
    rows: list[tuple[int, list[str]]] = []
    reader = csv.reader(lines[start:], delimiter=separator, strict=True)
    try:
        for row in reader:
            line = start + reader.line_num
            if len(rows) >= MOST_ROWS:
                found = f"more than {MOST_ROWS} rows, as in a file of one row per person"
                raise privacy.PersonalData(where, found, code="row_per_person")
            if len(row) > MOST_COLUMNS or any(len(cell) > LONGEST_CELL for cell in row):
                most = f"at most {MOST_COLUMNS} columns, and cells of at most {LONGEST_CELL} characters"
                raise InputError(f"{where}: line {line}", "a row that is too long", most, "counts.long")
            if row:
                rows.append((line, row))
    except csv.Error as error:
        place, found = f"{where}: line {start + reader.line_num}", f"text that is not CSV ({error})"
        raise InputError(place, found, "CSV", "counts.csv") from None
    return rows


def _columns(row: Sequence[str], where: str) -> tuple[dict[int, str], int]:
    """Code of the quantity by column, and the column of the quarters."""
    for i, heading in enumerate(row):  # before anything is said about one of them
        privacy.check_heading(heading, f"{where}, column {i + 1}")
        privacy.check_text(heading, f"{where}, column {i + 1}")
    known = {name: one.code for one in QUANTITIES.values() for name in (one.code, one.dutch)}
    columns: dict[int, str] = {}
    at: int | None = None
    for i, heading in enumerate(row):
        name = re.sub(r"[\s_-]+", "_", heading.strip().lower()).strip("_")
        if not name:
            continue
        if name in QUARTER_HEADINGS.values():
            if at is not None:
                raise InputError(
                    f"{where}, column {i + 1}", "a second column of quarters", "one", "counts.two_quarters"
                )
            at = i
        elif name in known:
            if known[name] in columns.values():
                found, expected = f"{name!r} for the second time", "one column for each"
                raise InputError(f"{where}, column {i + 1}", found, expected, "counts.heading_twice")
            columns[i] = known[name]
        else:
            from difflib import get_close_matches

            near = get_close_matches(name, known, n=3, cutoff=0.6)
            found = repr(name[:40]) if near else "an unknown heading"  # which may be somebody's name
            expected = "one of " + ", ".join(near or known)
            raise InputError(f"{where}, column {i + 1}", found, expected, "counts.heading")
    if at is None:
        raise InputError(where, "no column of quarters", "a column 'kwartaal' or 'quarter'", "counts.no_quarters")
    if not columns:
        raise InputError(where, "no column of counts", "one of " + ", ".join(known), "counts.no_columns")
    return columns, at


def _guard(body: Sequence[tuple[int, Sequence[str]]], at: int, where: str) -> None:
    """All that looks personal, before any cell is repeated in a message."""
    labels = []
    for line, row in body:
        for i, cell in enumerate(row):
            place = f"{where}: line {line}, column {i + 1}"
            if i == at and _parsed_quarter(cell) is not None:
                labels.append(str(_parsed_quarter(cell)))
                continue
            privacy.check_text(cell, place)
            if cell.strip().lower() not in _MISSING:
                privacy.check_words(cell, place)
    privacy.check_rows(labels, where)


def _parsed_quarter(cell: str) -> Quarter | None:
    for pattern in _QUARTER:
        if match := pattern.fullmatch(cell.strip()):
            return Quarter(int(match["year"]), int(match["number"]))
    return None


def _quarter(cell: str, where: str) -> Quarter:
    found = _parsed_quarter(cell)
    first, last = quarters()[0], quarters()[-1]
    expected = f"a quarter such as 2026-Q1, from {first} to {last}"
    if found is None:
        shown = cell.strip()[:20]
        code = "counts.quarter_form" if shown else "counts.quarter_empty"
        raise InputError(where, f"{shown!r} as quarter", expected, code, value=shown)
    if not first <= found <= last:
        raise InputError(where, f"the quarter {found}", expected, "counts.quarter", value=str(found))
    return found


def _number(cell: str, quantity: Quantity, where: str) -> float:
    text = re.sub(r"[\u00a0\u202f ]", " ", cell.strip())
    if quantity.kind == SHARE:
        text = text.removesuffix("%").strip()
    shown = repr(cell.strip()[:20])
    if quantity.whole and _THOUSANDS.fullmatch(text):
        text = re.sub(r"\D", "", text)
    whole = "a whole number" if quantity.whole else "a number"
    expected = f"{whole} from 0 to {quantity.most:,.0f}, or an empty cell"
    plain = re.fullmatch(r"(?:0|[1-9]\d{0,8})(?:[.,]\d{1,9})?", text)
    value = float(text.replace(",", ".")) if plain else math.nan
    if not plain or (quantity.whole and value != int(value)) or value > quantity.most:
        code = "counts.whole" if quantity.whole else "counts.number"
        raise InputError(where, shown, expected, code, value=cell.strip()[:20], highest=quantity.most)
    if quantity.kind == SHARE and 0.0 < value < 1.0:
        raise InputError(where, shown, "per cents, such as 30 for 30% (a fraction of 0.3 is 30)", "counts.percent")
    return value


def _check_together(cells: Mapping[Cell, float], where: str) -> None:
    if not cells:
        raise InputError(where, "no counts", "a number in at least one cell", "counts.no_counts")
    for (quarter, code), value in cells.items():
        waiting = cells.get((quarter, "waiting"))
        if code == "overdue" and waiting is not None and value > waiting:
            found = f"{value:g} overdue of {waiting:g} waiting in {quarter}"
            raise InputError(where, found, "no more overdue than waiting", "counts.too_many_overdue")
