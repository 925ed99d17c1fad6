"""What a scenario changes is said in words: names, values by year, no codes."""

from __future__ import annotations

import re

import pytest

from flowsim.plan.figures import read_documents, region_directory
from flowsim.present.app.drafts import because
from flowsim.present.app.levers import BY_NAME, FOLLOWS_START, FULL, LEVERS, document_of
from flowsim.present.changed import changed_name, changes, set_in_app
from flowsim.present.texts import LANGUAGES
from flowsim.present.wording import document_name
from flowsim.scenario.load import default, from_document

ENGLISH = re.compile(
    r"\b(about|and|of|the|in data|counts?|waits|numbers|figures|quoted|survey|inputs|contacts|provisional|trajectories"
    r"|assumption|source|January|February|March|May|June|July|August|October|et al)\b"
)
PROPER = ("Journal of Consulting and Clinical Psychology", "The Strategy Unit")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_figure_of_a_lever_has_a_name(lang: str) -> None:
    keys = {lever.figure for lever in LEVERS if lever.figure} | {FULL, *FOLLOWS_START}
    for key in keys:
        assert not set("._‘") & set(changed_name(lang, key, default())), key
    assert "freed_place" not in changed_name(lang, "freed_place", default())
    assert "‘public.none’" in changed_name(lang, "public.none", default())


def test_what_has_no_name_is_told_by_its_unit() -> None:
    assert changed_name("nl", "assumptions.renege_to_gp", default()) == (
        "deel van wie opgeeft dat teruggaat naar de huisarts"
    )


def test_values_by_year_are_told_year_by_year() -> None:
    book = default().book
    half = document_of("Half", {"conversations": 325.0}, book, lambda lever: "a test")
    (said,) = changes("nl", from_document(half, "half.toml"))
    assert "2025: 50, 2026: 215, 2027: 436, 2028: 650 naar 2025: 25, 2026: 107,5, 2027: 218, 2028: 325," in said
    assert said.endswith("want: a test.")  # several stand behind each other
    assert "functions" not in said
    assert "Verkennende gesprekken per jaar" in said
    later = document_of("Later", {BY_NAME["start"].name: 1.0}, book, lambda lever: "a test")
    (start,) = changes("en", from_document(later, "later.toml"))  # one reason for all of it
    assert "begins goes from 2025 to 2026;" in start  # years have no sign for thousands
    assert start.count("a test") == 1


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_was_set_in_the_app_is_told_without_saying_so_each_time(lang: str) -> None:
    """Neither a reason that repeats the name of the lever, nor a year of which nothing was changed."""
    book = default().book
    turned = {"places_basic": 0.2, "staff_growth": -0.02}
    for spoken in LANGUAGES:  # turned in one language, read in another
        document = document_of("Meer", turned, book, because(spoken))
        (said,) = changes(lang, from_document(document, "more.toml"))
        assert not any(set_in_app(part) for part in said.split("; "))
        assert "in de app" not in said
        assert "in the app" not in said
        assert "0% naar 20% vanaf 2026;" in said or "0% to 20% from 2026;" in said
        assert "2025" not in said
        assert said.endswith("-2%.")
    assert not set_in_app("a test")


def test_every_source_is_cited_in_dutch() -> None:
    for title in read_documents(region_directory("amstelland")).values():
        said = document_name("nl", title)
        for name in PROPER:
            said = said.replace(name, "")
        assert ENGLISH.search(re.sub(r"https?://\S+", "", said)) is None, said
        assert re.findall(r"https?://[^\s)]+", title) == re.findall(r"https?://[^\s)]+", said)
        assert document_name("en", title) == title
    assert document_name("nl", "GGz Breburg, about 2022/23 of another region") == (
        "GGz Breburg, about 2022/23 of another region"
    )
