"""The plan's tables as a person reads them: complete in both languages, what is wrong first, with its cause."""

from __future__ import annotations

import csv
import io
import json
import string
from pathlib import Path

import pytest

from flowsim.errors import InputError
from flowsim.plan.business_case import check_plan
from flowsim.plan.figures import load_figures
from flowsim.plan.tables.checks import EXACT, INCONSISTENT, Check
from flowsim.present.plan_table import cause_text, count_verdicts, render_plan, row_text
from flowsim.present.texts import LANGUAGES, Texts, format_euro, format_number, text, texts


@pytest.fixture(scope="module")
def checks() -> tuple[Check, ...]:
    return check_plan(load_figures())


def placeholders(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences_with_the_same_gaps() -> None:
    dutch, english = texts("nl"), texts("en")
    assert set(dutch) == set(english)
    assert {key: placeholders(dutch[key]) for key in dutch} == {key: placeholders(english[key]) for key in english}
    assert not [key for lang in LANGUAGES for key, sentence in texts(lang).items() if not sentence.strip()]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_check_can_be_told(checks: tuple[Check, ...], lang: str) -> None:
    known = texts(lang)
    for check in checks:
        assert row_text(check, lang), check.id
        assert f"plan.table.{check.table}" in known, check.id
        assert f"plan.verdict.{check.verdict}" in known, check.id
        assert bool(cause_text(check, lang)) == bool(check.cause), check.id
        named = f"plan.column.{check.column}" in known
        assert named or check.column[0].isdigit(), f"{check.id}: a column code that a reader would see"


def test_no_sentence_of_the_plan_is_left_over(checks: tuple[Check, ...]) -> None:
    used = {f"plan.row.{check.row}" for check in checks}
    used |= {f"plan.row.{check.row.removesuffix('_fte').removesuffix('_vat')}" for check in checks}
    assert {key for key in texts("en") if key.startswith("plan.row.")} <= used
    assert {key for key in texts("en") if key.startswith("plan.table.")} == {f"plan.table.{c.table}" for c in checks}
    spare = {"unexplained", "paid_early_or_late"}  # causes of mistakes that this plan does not make
    causes = {f"plan.cause.{check.cause}" for check in checks if check.cause} | {f"plan.cause.{name}" for name in spare}
    assert {key for key in texts("en") if key.startswith("plan.cause.")} == causes


def test_the_text_begins_with_what_is_wrong_and_ends_with_the_count(checks: tuple[Check, ...]) -> None:
    written = render_plan(checks, "nl")
    wrong, _, every = written.partition("Alle tabellen\n")
    assert "€ 360" in wrong
    assert "€ 3.060" in wrong
    assert "Oorzaak: Er is een cijfer weggevallen." in wrong
    assert wrong.count("  klopt niet") == count_verdicts(checks)[INCONSISTENT]
    assert "  klopt\n" not in wrong
    assert sum(line.endswith(("  klopt niet", "  klopt", "  afronding")) for line in every.splitlines()) == len(checks)
    counts = count_verdicts(checks)
    last = f"{len(checks)} controles: {counts['exact']} kloppen, {counts['rounding']} verschillen alleen door afronding"
    assert written.rstrip().splitlines()[-1].startswith(last)


def test_euros_have_their_sign_in_front() -> None:
    assert format_euro("nl", -2324.4) == "-€ 2.324"
    assert format_euro("en", 1234.5, 1) == "€ 1,234.5"
    assert format_euro("nl", -0.2) == "€ 0"


def test_the_english_text_writes_numbers_in_english(checks: tuple[Check, ...]) -> None:
    written = render_plan(checks, "en")
    assert "€ 1,002,721" in written
    assert "at most 13.1" in written
    assert "3.30%" in written


def test_columns_are_aligned(checks: tuple[Check, ...]) -> None:
    block = render_plan(checks, "en").partition("\n8.1 One-off investment (")[2].partition("\n\n")[0].splitlines()[1:]
    assert len(block) == 1 + sum(check.table == "8.1" for check in checks)
    start = block[0].index("Verdict")
    assert {line[start:] for line in block[1:]} == {"right", "rounding"}
    assert all(line[start - 2 : start] == "  " for line in block)


def test_json_and_csv_hold_every_check(checks: tuple[Check, ...]) -> None:
    document = json.loads(render_plan(checks, "en", "json"))
    assert document["counts"] == count_verdicts(checks)
    assert [entry["id"] for entry in document["checks"]] == [check.id for check in checks]
    lines = list(csv.DictReader(io.StringIO(render_plan(checks, "nl", "csv"))))
    assert [line["id"] for line in lines] == [check.id for check in checks]
    by_id = {line["id"]: line for line in lines}
    line = by_id["5.3/kpi_27/2027"]
    assert (float(line["printed"]), float(line["recomputed"]), line["cause"]) == (486.0, 436.0, "one_digit_differs")
    assert line["cause_text"] == text("nl", "plan.cause.one_digit_differs")


def test_a_plan_without_mistakes_says_so(checks: tuple[Check, ...]) -> None:
    right = [check for check in checks if check.verdict == EXACT]
    assert "Alles klopt." in render_plan(right, "nl")
    assert "Everything adds up." in render_plan(right, "en")
    assert render_plan([], "en").rstrip().endswith("0 do not add up.")


def test_unknown_language_and_format_are_refused(checks: tuple[Check, ...]) -> None:
    with pytest.raises(InputError, match=r"lang: found 'fr'; expected one of nl, en"):
        render_plan(checks, "fr")
    with pytest.raises(InputError, match=r"format: found 'xml'; expected one of text, json, csv"):
        render_plan(checks, "nl", "xml")
    with pytest.raises(KeyError, match=r"plan\.head\.nothing"):
        text("nl", "plan.head.nothing")
    with pytest.raises(KeyError, match="value"):
        text("nl", "plan.head.at_most", amount=3)


def test_numbers_are_written_in_the_notation_of_the_language() -> None:
    assert format_number("nl", 1234567.891, 2) == "1.234.567,89"
    assert format_number("en", 1234567.891, 2) == "1,234,567.89"
    assert format_number("nl", -0.001, 1) == "0,0"
    assert format_number("nl", -12) == "-12"


def test_sentences_are_short_enough_to_read() -> None:
    """B1: no sentence of a cause is longer than 25 words."""
    for lang in LANGUAGES:
        for key, paragraph in texts(lang).items():
            if key.startswith("plan.cause."):
                longest = max(len(sentence.split()) for sentence in paragraph.split(". "))
                assert longest <= 25, f"{lang} {key}: a sentence of {longest} words"


def test_a_text_that_is_no_sentence_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "nl").mkdir()
    (tmp_path / "nl" / "odd.toml").write_text("[a]\nb = 3\n", encoding="utf-8")
    monkeypatch.setattr("flowsim.present.texts.resources.files", lambda _: tmp_path)
    with pytest.raises(InputError, match=r"texts: odd\.a\.b: found 3; expected a sentence"):
        Texts("nl")
