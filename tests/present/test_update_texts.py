"""The words of an update: complete in both languages, and nothing of a refused file in them."""

from __future__ import annotations

import string
from pathlib import Path

import pytest

from flowsim.analysis.monitoring import QUANTITIES
from flowsim.errors import InputError
from flowsim.present.answer import Paragraph, Rows
from flowsim.present.texts import LANGUAGES, text, texts
from flowsim.present.update import SHOWN, refusal, template_remarks, update_blocks, update_unknown
from flowsim.present.wording import percent
from flowsim.scenario.load import default
from flowsim.scenario.monitored import PLACES
from flowsim.scenario.unknowns import UNKNOWNS
from flowsim.study.observed import given, parse, template
from flowsim.study.privacy import CODES, PersonalData
from flowsim.study.update import Update, update


def gaps(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences_with_the_same_gaps() -> None:
    nl, en = ({k: v for k, v in texts(lang).items() if k.startswith("update.")} for lang in ("nl", "en"))
    assert nl.keys() == en.keys()
    assert len(nl) > 100
    for key, sentence in nl.items():
        assert sentence.strip()
        assert gaps(sentence) == gaps(en[key]), key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_its_words(lang: str) -> None:
    known = texts(lang)
    wanted = {f"update.quantity.{code}" for code in QUANTITIES} | {f"update.personal.{code}" for code in CODES}
    wanted |= {f"update.measure.{name}" for name in SHOWN} | {f"update.event.{e}" for e in ("cleared", "wait_halved")}
    wanted |= {f"update.table.unknowns.{code}" for code in ("higher", "lower", "narrower")}
    assert wanted - set(known) == set()
    names = [update_unknown(lang, name) for name in (*UNKNOWNS, *PLACES)]
    assert len(set(names)) == len(names)
    assert not any("." in name for name in names)


def test_the_page_gives_the_errors_that_are_used() -> None:
    page = (Path(__file__).parents[2] / "docs" / "updating.md").read_text(encoding="utf-8")
    rows = {"lists": "list", "numbers per quarter": "flow", "mean wait": "wait", "share not to ggz": "share"}
    for words, kind in rows.items():
        cells = []
        for key in (f"monitoring.error_{kind}_shared", f"monitoring.error_{kind}"):
            figure = default().book.figure(key)
            value, low, high = (round(100.0 * (x or 0.0)) for x in (figure.at(), figure.low, figure.high))
            cells.append(f"{value}% ({low} to {high})")
        assert f"| {words} | {cells[0]} | {cells[1]} |" in page


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_template_s_remarks_are_not_taken_for_personal_data(lang: str) -> None:
    norm = default().book.value("public.treeknorm_total")
    with pytest.raises(InputError, match="no counts") as caught:
        parse(template(lang, template_remarks(lang, norm)), "x.csv")
    assert not isinstance(caught.value, PersonalData)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_refusal_says_why_and_repeats_nothing(lang: str) -> None:
    with pytest.raises(PersonalData) as caught:
        parse(b"kwartaal;wachtlijst\n2026-Q1;Jansen\n", "x.csv")
    sentence = refusal(caught.value, lang)
    assert sentence.startswith(texts(lang)["update.personal.name"])
    assert "Jansen" not in sentence


@pytest.fixture(scope="module")
def found() -> Update:
    return update(given({("2026-Q1", "waiting"): 820, ("2026-Q2", "waiting"): 830}), futures=128, seed=3)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_says_what_a_fit_hangs_on_and_that_it_is_not_the_answer(found: Update, lang: str) -> None:
    tables = found.tables
    head, *rest = update_blocks(found, tables, lang)
    assert isinstance(head, Paragraph)
    assert text(lang, "update.head.apart", first=2025) in head.lines
    counts = next(one for one in rest if isinstance(one, Rows) and one.title == text(lang, "update.table.counts.title"))
    for cells, row in zip(counts.rows, tables["counts"].to_dict("records"), strict=True):
        assert percent(lang, row["fits_old"]) in cells[-1]
    half = "0,50%" if lang == "nl" else "0.50%"
    assert text(lang, "update.table.counts.limit", limit=half, possible="1%", cells=2) in counts.notes
    assert text(lang, "update.table.counts.others_note") in counts.notes
