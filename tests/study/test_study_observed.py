"""Counts from files as spreadsheets write them; and files that are no counts, or hold personal data."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from hypothesis import given as examples
from hypothesis import settings
from hypothesis import strategies as st

from flowsim.analysis.monitoring import QUANTITIES, Quarter, quarters
from flowsim.errors import InputError
from flowsim.study import observed, privacy
from flowsim.study.observed import parse, read, template
from flowsim.study.privacy import PersonalData, is_bsn

MADE_UP = Path(__file__).parents[2] / "experiments" / "observed_made_up.csv"
DUTCH = "kwartaal;wachtlijst;wachttijd_weken;niet_naar_ggz_procent\n2026-Q1;1.050;12,4;21%\n2026-Q2;;13,0;\n"
EXPECTED = {
    (Quarter(2026, 1), "waiting"): 1050.0,
    (Quarter(2026, 1), "mean_wait_weeks"): 12.4,
    (Quarter(2026, 1), "not_to_ggz_percent"): 21.0,
    (Quarter(2026, 2), "mean_wait_weeks"): 13.0,
}


# ---------------------------------------------------------------- dialects


@pytest.mark.parametrize(
    "content",
    [
        DUTCH.encode(),
        DUTCH.encode("utf-8-sig"),
        DUTCH.encode("utf-16"),
        DUTCH.replace("\n", "\r\n").encode("cp1252"),
        ("sep=;\n" + DUTCH).encode(),
        DUTCH.replace(";", "\t").encode(),
        DUTCH.replace("1.050", "1050").replace("2026-Q1", "2026 K1").replace("2026-Q2", "kw2 2026").encode(),
        DUTCH.replace("2026-Q1", "2026-1")
        .replace("kwartaal", "Kwartaal")
        .replace("wachtlijst", "Wachtlijst ")
        .encode(),
        b'quarter,waiting,mean_wait_weeks,not_to_ggz_percent\n2026Q1,"1,050",12.4,21\n2026Q2,n/a,13.0,-\n',
        b"quarter,mean_wait_weeks,waiting,not_to_ggz_percent,,\n2026-Q2,13,,,,\n2026-Q1,12.4,1050,21.0,,\n,,,,,\n",
        b'"# remark; with; separators";;;\n' + DUTCH.encode(),
        DUTCH.replace("1.050", "1 050").encode("cp1252"),
    ],
)
def test_a_table_is_read_in_every_dialect(content: bytes) -> None:
    found = parse(content, "x.csv")
    assert dict(found.cells) == EXPECTED
    assert found.quantities == ["not_to_ggz_percent", "waiting", "mean_wait_weeks"]
    assert not found.made_up


def test_the_made_up_example_says_so() -> None:
    found = read(MADE_UP)
    assert found.made_up
    assert found.quantities == list(QUANTITIES)
    assert MADE_UP.read_bytes().startswith(b"# VERZONNEN")


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_the_template_comes_back_as_it_was_filled_in(lang: str, tmp_path: Path) -> None:
    separator = ";" if lang == "nl" else ","
    file = tmp_path / "counts.csv"
    file.write_bytes(template(lang, ["Numbers only; no names.", "2024-Q4: lists only"]))
    with pytest.raises(InputError, match="no counts"):
        read(file)
    lines = file.read_text(encoding="utf-8-sig").splitlines()
    heading = next(i for i, line in enumerate(lines) if not line.startswith(("#", '"#')))
    assert len(lines) - heading - 1 == len(quarters()) == 21
    filled = {
        (quarter, code): float(10 * i + j + 1)
        for i, quarter in enumerate(quarters())
        for j, code in enumerate(QUANTITIES)
        if quarter.index >= 0 and code != "overdue"
    }
    for i, quarter in enumerate(quarters()):
        cells = [f"{filled.get((quarter, code), 0):g}" if (quarter, code) in filled else "" for code in QUANTITIES]
        cells = [
            c if len(c) < 3 or code != "not_to_ggz_percent" else "99" for c, code in zip(cells, QUANTITIES, strict=True)
        ]
        lines[heading + 1 + i] = separator.join((str(quarter), *cells))
    file.write_text("\n".join(lines), encoding="utf-8-sig")
    expected = {key: min(value, 99.0) if key[1] == "not_to_ggz_percent" else value for key, value in filled.items()}
    assert dict(read(file).cells) == expected


def test_counts_from_python() -> None:
    found = observed.given({("2026-Q1", "waiting"): 780, ("2025-Q4", "mean_wait_weeks"): 12.5})
    assert dict(found.cells) == {(Quarter(2025, 4), "mean_wait_weeks"): 12.5, (Quarter(2026, 1), "waiting"): 780.0}
    with pytest.raises(InputError, match="one of conversations"):
        observed.given({("2026-Q1", "beds"): 1})


# ---------------------------------------------------------------- no counts


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "an empty file"),
        (b" \r\n;;\n", "an empty file"),
        (b"# only a remark\n", "no table"),
        (b"kwartaal;wachtlijst\n", "no counts"),
        (b"\x00\x01\x02\x03binary", "binary data"),
        (b"\xff\xfe\x00\xd8", "binary data"),
        (b"PK\x03\x04....", "a workbook or zip file"),
        (b"kwartaal;wachtlijst\n" + b"2026-Q1;1\n" * 9000, "more than 64 kB"),
        (b"wachtlijst;gestart\n1;2\n", "no column of quarters"),
        (b"kwartaal\n2026-Q1\n", "no column of counts"),
        (b"kwartaal;wachtlist\n2026-Q1;1\n", "'wachtlist'; expected one of wachtlijst"),
        (b"kwartaal;wachtlijst;waiting\n2026-Q1;1;2\n", "for the second time"),
        (b"kwartaal;quarter;waiting\n2026-Q1;2026-Q1;2\n", "a second column of quarters"),
        (b"kwartaal;wachtlijst\n2026-Q5;1\n", "as quarter; expected a quarter such as"),
        (b"kwartaal;wachtlijst\n;1\n", "'' as quarter"),
        (b"kwartaal;wachtlijst\n2031-Q1;1\n", "the quarter 2031-Q1"),
        (b"kwartaal;wachtlijst\n2026-Q1;1\n2026-Q1;2\n", "a second row for 2026-Q1"),
        (b"kwartaal;wachtlijst\n2026-Q1;1;7\n", "3 cells, where the heading has 2"),
        (b"kwartaal,wachtlijst,wacht_te_lang\n2026-Q1,900\n", "2 cells, where the heading has 3"),
        (b"kwartaal;wachtlijst;\n2026-Q1;1;7\n", "a cell under an empty heading"),
        (b"quarter,mean_wait_weeks,waiting\n2026-Q1,12,4,\n", "a decimal comma needs semicolons"),
        (b"kwartaal;wachtlijst\n2026-Q1;050\n", "'050'"),
        (b"kwartaal;wachtlijst\n2026-Q1;-5\n", "'-5'"),
        (b"kwartaal;wachtlijst\n2026-Q1;800,5\n", "'800,5'; expected a whole number"),
        (b"kwartaal;wachtlijst\n2026-Q1;99999999\n", "'99999999'; expected a whole number"),
        (b"kwartaal;niet_naar_ggz_procent\n2026-Q1;0,3\n", "per cents"),
        (b"kwartaal;niet_naar_ggz_procent\n2026-Q1;130\n", "from 0 to 100"),
        (b"kwartaal;gestart\n2024-Q4;800\n", "lists only"),
        (b"kwartaal;wachtlijst;wacht_te_lang\n2026-Q1;100;300\n", "300 overdue of 100 waiting"),
        (b'kwartaal;wachtlijst\n2026-Q1;"80\n', "not CSV"),
        (b"kwartaal;wachtlijst\n2026-Q1;=1+1\n", "'=1+1'"),
        (b"kwartaal;wachtlijst\n2026-Q1;" + b"1" * 400 + b"\n", "too long"),
    ],
)
def test_what_is_no_table_of_counts_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InputError) as caught:
        parse(content, "x.csv")
    assert not isinstance(caught.value, PersonalData)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_place_that_is_no_file_is_refused(tmp_path: Path) -> None:
    for place, message in (
        (tmp_path, "a folder"),
        (tmp_path / "none.csv", "no such file"),
        ("\0", "the path of a CSV file"),
    ):
        with pytest.raises(InputError, match=message):
            read(place)


@settings(max_examples=150)
@examples(st.binary(max_size=300) | st.text(max_size=200).map(lambda s: ("kwartaal;wachtlijst\n" + s).encode()))
def test_nothing_but_one_message_comes_of_rubbish(content: bytes) -> None:
    try:
        found = parse(content, "x.csv")
    except InputError as error:
        refusal = str(error)
    else:
        refusal = ""
        assert found.cells
    assert "\n" not in refusal


# ---------------------------------------------------------------- personal data


@pytest.mark.parametrize(
    ("content", "code", "secret"),
    [
        ("kwartaal;naam\n2026-Q1;Jansen\n", "heading", "Jansen"),
        ("BSN;wachtlijst\n123456782;1\n", "heading", "123456782"),
        ("kwartaal;Geboortedatum cliënt\n2026-Q1;1\n", "heading", "clië"),
        ("quarter,patient_id\n2026-Q1,17\n", "heading", "17"),
        ("kwartaal;wachtlijst\n2026-Q1;123456782\n", "bsn", "123456782"),
        ("kwartaal;wachtlijst\n2026-Q1;1234.56.782\n", "bsn", "782"),
        ("123456782;wachtlijst\n2026-Q1;1\n", "bsn", "123456782"),
        ("# van 123456782\nkwartaal;wachtlijst\n2026-Q1;1\n", "bsn", "123456782"),
        ("kwartaal;wachtlijst\n2026-Q1;12-03-1981\n", "birth_date", "1981"),
        ("kwartaal;wachtlijst\n1981-03-12;4\n", "birth_date", "1981"),
        ("kwartaal;wachtlijst\n2026-Q1;3 mei 1974\n", "birth_date", "1974"),
        ("kwartaal;wachtlijst\n31-03-2026;4\n", "date", "31-03"),
        ("kwartaal;wachtlijst\n2026-Q1;j.jansen@voorbeeld.nl\n", "email", "jansen"),
        ("kwartaal;wachtlijst\n2026-Q1;06-12345678\n", "phone", "12345678"),
        ("kwartaal;wachtlijst\n2026-Q1;1181 AB\n", "postcode", "1181"),
        ("kwartaal;wachtlijst\n2026-Q1;J. de Vries\n", "name", "Vries"),
        ("kwartaal;wachtlijst\nEl Amrani;4\n", "name", "Amrani"),
        ("kwartaal;wachtlijst\n2026-Q1;1\n2026-Q1;1\n2026-Q1;0\n", "row_per_person", "2026-Q1;1"),
        ("kwartaal;wachtlijst\n" + "2026-Q1;1\n" * 300, "row_per_person", "2026-Q1;1"),
    ],
)
def test_personal_data_is_refused_and_never_repeated(content: str, code: str, secret: str) -> None:
    with pytest.raises(PersonalData) as caught:
        parse(content.encode(), "x.csv")
    assert caught.value.code == code
    assert code in privacy.CODES
    assert secret not in str(caught.value)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (again.code, str(again)) == (code, str(caught.value))


def test_a_heading_that_may_be_a_name_is_not_repeated() -> None:
    with pytest.raises(InputError) as caught:
        parse(b"Jan Jansen;man\n1;2\n", "x.csv")
    assert "ansen" not in str(caught.value)


def test_the_eleven_proof() -> None:
    """Known valid test numbers, and one digit changed: no single change keeps the proof."""
    assert is_bsn("123456782")
    assert is_bsn("111222333")
    assert is_bsn("10000008") == is_bsn("010000008")
    for place in range(9):
        for digit in "0123456789":
            changed = "123456782"[:place] + digit + "123456782"[place + 1 :]
            assert is_bsn(changed) == (changed == "123456782")
    assert not is_bsn("000000000")
    assert not is_bsn("1234567")


def test_what_a_programme_writes_in_remarks_is_not_personal() -> None:
    remarks = "# opgesteld 12-11-2026 door de werkgroep; cijfers over 2026 EN 2027\n# versie 1.2, bron: NZa\n"
    assert parse((remarks + DUTCH).encode(), "x.csv").cells


def test_counts_come_from_a_path() -> None:
    with pytest.raises(InputError, match="observed: found NoneType None; expected the path of a CSV file"):
        read(None)  # type: ignore[arg-type]
