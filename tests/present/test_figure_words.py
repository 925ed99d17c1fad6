"""What the figures of the plan files are is said in the reader's language: units, names, notes, places and reasons."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from flowsim.errors import InputError
from flowsim.plan.figures import Figure, load_figures
from flowsim.present.app.views.account import _is_of_the_model
from flowsim.present.changed import changes, figure_value
from flowsim.present.figures import figure_name, note_words, own_language, provider_name, unit_words
from flowsim.present.texts import LANGUAGES, format_number, texts
from flowsim.present.wording import because_in
from flowsim.scenario.load import load
from flowsim.scenario.region import load_region

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
POLDER = EXPERIMENTS / "regions" / "polder"
SHOWN = [figure for figure in load_figures().values() if _is_of_the_model(figure)]
"""The figures that *Verantwoording* lists."""


def numbers(content: str, lang: str) -> set[str]:
    """The numbers in a text, as Python writes them; sections of a plan, "(2.1)", look alike in both languages."""
    content = content.replace("10.0000", "")  # a misprint of the regional plan, quoted
    if lang == "nl":
        content = re.sub(r"(\(|tabel )(\d)\.(\d)", r"\1\2,\3", content)
        content = content.translate(str.maketrans(",.", ".,"))
    found = re.findall(r"\d[\d.,]*", content)
    return {re.sub(r"(?<=\d),(?=\d{3})", "", one).rstrip(".,") for one in found}


def test_every_unit_and_every_note_has_words_in_both_languages() -> None:
    assert len(SHOWN) > 250
    for lang in LANGUAGES:
        assert {figure.unit for figure in SHOWN if unit_words(lang, figure.unit) is None} == set()
        assert {figure.key for figure in SHOWN if figure.note and note_words(lang, figure.note) is None} == set()


def test_no_words_are_left_of_a_unit_or_a_figure_that_is_gone() -> None:
    book = load_figures()
    notes = {figure.note for figure in SHOWN if figure.note}
    for lang in LANGUAGES:
        kept = {key.removeprefix("units.") for key in texts(lang) if key.startswith("units.")}
        assert kept == {figure.unit for figure in SHOWN}
        named = [key.removeprefix("figures.name.") for key in texts(lang) if key.startswith("figures.name.")]
        assert [key for key in named if key not in book] == []
        noted = [key.removeprefix("figures.note.") for key in texts(lang) if key.startswith("figures.note.")]
        assert {book[key].note for key in noted} == notes
        assert len(noted) == len(notes)  # one that stands at two figures has its words once


def test_both_languages_have_words_for_the_same() -> None:
    dutch, english = (
        {key for key in texts(lang) if key.startswith(("units.", "figures.", "answer.because."))} for lang in LANGUAGES
    )
    assert dutch == english


def test_dutch_words_are_not_the_english_ones() -> None:
    same = {unit for unit in {figure.unit for figure in SHOWN} if unit_words("nl", unit) == unit}
    assert same == set()
    same = {
        note for note in {one.note for one in SHOWN if one.note} if note_words("nl", note) == note_words("en", note)
    }
    assert same == {"Amstelland-Meerlanden"}


def test_a_note_has_the_same_numbers_in_both_languages_and_no_others_than_the_plan_files() -> None:
    for figure in SHOWN:
        if figure.note:
            dutch, english = (numbers(note_words(lang, figure.note) or "", lang) for lang in LANGUAGES)
            assert dutch == english, figure.key
            ends = [end for end in (figure.low, figure.high) if end is not None]
            own = {figure_value("en", value, figure.unit) for _, value in figure.values} | {
                format_number("en", end) for end in ends
            }
            known = numbers(" ".join((figure.note, *own)), "en")
            assert english <= known, figure.key


def test_the_measure_of_numbers_sees_a_wrong_one() -> None:
    assert numbers("€ 19.500 van 1,5% (2.1).", "nl") == {"19500", "1.5", "2.1"}
    assert numbers("1,200 of 0.25, then 3.", "en") == {"1200", "0.25", "3"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_two_figures_of_a_source_are_called_the_same(lang: str) -> None:
    """A unit alone, "fraction of cases", does not say which figure it is."""
    called = Counter(
        (figure_name(lang, one.key, "amstelland"), unit_words(lang, one.unit), one.source.document) for one in SHOWN
    )
    assert [what for what, count in called.items() if count > 1] == []


@pytest.mark.parametrize("lang", LANGUAGES)
def test_figures_of_a_municipality_have_its_name(lang: str) -> None:
    said = {"nl": "Inwoners van Dijkstad", "en": "Inhabitants of Dijkstad"}
    assert figure_name(lang, "population.dijkstad", str(POLDER)) == said[lang]
    assert figure_name(lang, "population.dijkstad", "amstelland") is None


def test_providers_have_no_english_words_in_dutch() -> None:
    programmes = load_region("amstelland").programmes
    assert [one.provider for one in programmes if re.search(r"\band\b", provider_name("nl", one.provider))] == []
    assert all(provider_name("en", one.provider) == one.provider for one in programmes)
    assert provider_name("nl", "Praktijk Veen (verzonnen)") == "Praktijk Veen (verzonnen)"


def test_words_of_another_region_are_not_known_and_have_their_language(tmp_path: Path) -> None:
    book = load_figures(POLDER)
    assert unit_words("nl", book["functions.conversations"].unit) is None
    assert unit_words("nl", book["waiting.trauma"].unit) == "weken"  # words that the shipped figures have too
    assert note_words("nl", "counted by us") is None
    assert own_language(book["functions.conversations"], str(POLDER)) == "en"
    for file in POLDER.glob("*.toml"):
        (tmp_path / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    described = (POLDER / "region.toml").read_text(encoding="utf-8")
    (tmp_path / "region.toml").write_text(f'{described}\nlanguage = "nl"\n', encoding="utf-8")
    mine: Figure = load_figures(tmp_path)["functions.conversations"]
    assert own_language(mine, str(tmp_path)) == "nl"
    assert own_language(load_figures(tmp_path)["public.treeknorm_total"], str(tmp_path)) == "en"  # taken over
    (tmp_path / "region.toml").write_text(f'{described}\nlanguage = "de"\n', encoding="utf-8")
    with pytest.raises(InputError, match="language"):
        load_region(tmp_path)


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("*.toml")), ids=lambda path: path.stem)
def test_the_reasons_of_a_scenario_that_ships_with_flowsim_follow_the_language(path: Path) -> None:
    figures = tomllib.loads(path.read_text(encoding="utf-8")).get("figures", {})
    for one in figures.values():
        assert because_in("en", one["because"]) == one["because"]
        assert because_in("nl", one["because"]) not in ("", one["because"])
    for said in changes("nl", load(path)) if figures else ():
        assert not any(one["because"] in said for one in figures.values())


def test_a_reason_of_ones_own_stays_as_it_was_typed() -> None:
    assert because_in("nl", "our own count and a guess") == "our own count and a guess"


def test_small_numbers_do_not_become_nothing() -> None:
    assert [figure_value("nl", one, "per week of waiting") for one in (0.007, 0.002, 0.015, 0.05, 0.0)] == [
        "0,007", "0,002", "0,015", "0,05", "0",
    ]  # fmt: skip
    assert figure_value("nl", 2024, "year whose prices are not indexed") == "2024"
    assert figure_value("nl", 1024, "years in the group") == "1.024"
