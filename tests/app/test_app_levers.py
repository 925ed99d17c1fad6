"""Levers: what each one writes in a scenario file, and reads back."""

from __future__ import annotations

import pytest

from flowsim.errors import InputError
from flowsim.plan.figures import load_figures
from flowsim.present.app import shell
from flowsim.present.app.drafts import because, plan_draft
from flowsim.present.app.levers import BY_NAME, GROUPS, LEVERS, Lever, Value, document_of, values
from flowsim.present.app.views import compare
from flowsim.present.texts import LANGUAGES, text, texts
from flowsim.scenario.baseline import Values
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.flows import capacity_factor, yearly_volume
from flowsim.scenario.load import default, from_document
from flowsim.scenario.region import load_region

BOOK = load_figures()
PLAN = {"title": "the plan"}


def elsewhere(lever: Lever) -> Value:
    """A value that is not the plan's."""
    if lever.kind == "choice":
        return next(code for code in lever.choices if code != lever.plan(BOOK))
    low, high = lever.range(BOOK)
    return high if high != lever.plan(BOOK) else low


def set_to(name: str, value: Value, document: dict = PLAN) -> dict:
    return BY_NAME[name].set(document, value, BOOK, "a reason")


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_a_lever_reads_what_it_wrote_and_comes_back_to_the_plan(lever: Lever) -> None:
    assert lever.get(PLAN, BOOK) == lever.plan(BOOK)
    turned = lever.set(PLAN, elsewhere(lever), BOOK, "a reason")
    read = lever.get(turned, BOOK)
    assert read == (elsewhere(lever) if lever.kind == "choice" else pytest.approx(elsewhere(lever)))
    assert from_document(turned, "x.toml").hash != default().hash
    assert lever.set(turned, lever.plan(BOOK), BOOK, "a reason") == PLAN


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_a_lever_leaves_the_other_levers_alone(lever: Lever) -> None:
    turned = lever.set(PLAN, elsewhere(lever), BOOK, "a reason")
    before, after = values(PLAN, BOOK), values(turned, BOOK)
    assert {name for name in before if before[name] != after[name]} == {lever.name}


@pytest.mark.parametrize("lever", LEVERS, ids=lambda lever: lever.name)
def test_every_lever_has_words_a_range_with_the_plan_in_it_and_a_source(lever: Lever) -> None:
    assert lever.group in GROUPS
    for lang in LANGUAGES:
        assert texts(lang)[f"app.lever.{lever.name}.name"]
        assert texts(lang)[f"app.lever.{lever.name}.help"]
        for code in lever.choices:
            assert texts(lang)[f"answer.value.{lever.setting}.{code}"]
    if lever.kind != "choice":
        low, high = lever.range(BOOK)
        assert low <= float(lever.plan(BOOK)) <= high
        assert low < high
        stops = lever.stops(BOOK, float(lever.plan(BOOK)))
        assert stops[0] == pytest.approx(low)
        assert stops[-1] == pytest.approx(high)
        assert lever.plan(BOOK) in stops
        assert lever.source(BOOK).source.document


def test_what_flowsim_assumes_is_not_called_the_plans() -> None:
    own = {lever.name for lever in LEVERS if not lever.of_plan(BOOK)}
    assert own == {
        *("reading", "would_have_entered", "places_basic", "places_specialist", "staff_growth", "demand_growth"),
        *("social_domain", "support_point_relapse"),
    }
    for lever in LEVERS:
        figure = lever.source(BOOK)
        if figure is not None:
            assert lever.of_plan(BOOK) == figure.source.document.startswith("Transformatieplan"), lever.name


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_card_of_the_reading_says_of_the_plan_what_the_answer_says(lang: str) -> None:
    draft, by_name = plan_draft(lang), {lever.name: lever for lever in LEVERS}
    words = {code: text(lang, f"answer.value.reading.{code}") for code in by_name["reading"].choices}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "lang", lambda: lang)
        patch.setattr(shell, "lang", lambda: lang)
        said = compare._chosen(draft, by_name["reading"])
        assert said == text(lang, "app.lever.own_beside", own=words["net"], plan=words["headcount"])
        for name in ("places_basic", "would_have_entered", "conversations"):
            start = {"conversations": "cited"}.get(name, "assumed")
            opening = text(lang, f"app.lever.{start}", plan="|", source="", low="", high="").partition("|")[0]
            assert compare._cited(draft, by_name[name]).startswith(opening)
        assert "650" in compare._cited(draft, by_name["conversations"])


def test_all_levers_at_their_ends_make_a_network_that_can_be_simulated() -> None:
    for end in (0, 1):
        turned = {
            lever.name: lever.choices[-1 * end] if lever.kind == "choice" else lever.range(BOOK)[end]
            for lever in LEVERS
        }
        compile_scenario(from_document(document_of("all of them", turned, BOOK, because("nl")), "x.toml"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("network", "everything"),
        ("conversations", -1.0),
        ("conversations", 1e9),
        ("demand_growth", float("nan")),
        ("demand_growth", "a lot"),
        ("start", 0.5),
        ("start", 9.0),
    ],
)
def test_a_value_outside_the_range_is_refused(name: str, value: Value) -> None:
    with pytest.raises(InputError, match=f"lever {name}"):
        set_to(name, value)


def test_an_unknown_lever_is_refused() -> None:
    with pytest.raises(InputError, match="'speed'"):
        document_of("title", {"speed": 1.0}, BOOK, because("nl"))


def test_conversations_keep_the_proportions_of_the_plan() -> None:
    scenario = from_document(set_to("conversations", 1300.0), "x.toml")
    value = Values(scenario, {})
    for year in (2025, 2026, 2027, 2028, 2029):
        expected = 2.0 * BOOK.value("functions.conversations", year)
        assert yearly_volume(scenario, value, "conversations", year) == pytest.approx(expected)


def test_a_later_start_moves_every_volume_and_keeps_the_levers() -> None:
    document = set_to("start", 1.0, set_to("conversations", 1300.0))
    assert BY_NAME["conversations"].get(document, BOOK) == 1300.0
    assert BY_NAME["start"].get(document, BOOK) == 1.0
    scenario = from_document(document, "x.toml")
    value = Values(scenario, {})
    for function in ("consultations", "conversations", "transfers", "case_conferences"):
        factor = 2.0 if function == "conversations" else 1.0
        assert yearly_volume(scenario, value, function, 2025) == 0.0
        for year in (2026, 2027, 2028, 2029):
            planned = factor * BOOK.value(f"functions.{function}", year - 1)
            assert yearly_volume(scenario, value, function, year) == pytest.approx(planned)
    assert scenario.book.value("functions.pilot_year") == 2026
    compile_scenario(scenario)


def test_extra_places_come_at_their_level_only_and_not_on_the_first_day() -> None:
    scenario = from_document(set_to("places_basic", 0.1), "x.toml")
    value, region = Values(scenario, {}), load_region("amstelland")
    plan = Values(default(), {})

    def factor(day: float, group: str) -> float:
        mine = capacity_factor(scenario, value, region, day, group)
        return mine / capacity_factor(default(), plan, region, day, group)

    assert factor(0.0, "light") == 1.0
    assert factor(400.0, "light") == pytest.approx(1.1)
    assert factor(400.0, "other") == factor(400.0, "smi") == 1.0


def test_what_a_lever_cannot_say_is_not_shown_as_something_else() -> None:
    odd = {
        "title": "odd",
        "figures": {"functions.conversations": {"value": {"2025": 1, "2026": 700}, "because": "odd"}},
    }
    assert BY_NAME["conversations"].get(odd, BOOK) is None
    moved = {"title": "moved", "figures": {"functions.pilot_year": {"value": 2026, "because": "moved"}}}
    assert BY_NAME["start"].get(moved, BOOK) is None


def test_a_lever_of_another_network_does_not_apply() -> None:
    top_down = set_to("network", "diversion")
    assert BY_NAME["diversion"].applies(top_down)
    assert not BY_NAME["conversations"].applies(top_down)
    assert not BY_NAME["diversion"].applies(PLAN)
