"""Goal seeking on the region: levers do what they say, futures are common, searches and maps keep their word."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from described_tables import check_dictionary

import flowsim
import flowsim.analysis.rootfinding as rootfinding
import flowsim.study.decision_map as mapping
import flowsim.study.seek as study
from flowsim.analysis.goal import parse
from flowsim.analysis.measures import measured
from flowsim.errors import InputError
from flowsim.scenario.compile import Compiler
from flowsim.scenario.load import default
from flowsim.study.futures import Balances, Case
from flowsim.study.levers import FOLLOWS_START, FULL, LATEST, PILOT, delayed, lever, names, start_date
from flowsim.study.seek import Bench, Purse, Seek, seek

PLAN = default()
NONE = PLAN.with_settings("none", network="none")


def servers(scenario: Any) -> dict[str, list[int]]:
    """Places of each programme, half-year by half-year."""
    made = Compiler(scenario, {}).programmes()
    return {one["name"]: [places for _, places in one["servers"]] for one in made}


# ---------------------------------------------------------------- levers


def test_every_lever_that_has_a_name_does_something_in_the_plan() -> None:
    known = names(PLAN)
    assert {"diversion", "conversations", "start", "places", "places_basic", "places_trauma_arkin"} <= set(known)
    for name in ("diversion", "conversations", "start", "places_basic", "places_smi_ingeest"):
        made = lever(PLAN, name)
        assert made.name == name
        assert made.low < made.high


def test_places_of_one_programme_grow_from_the_year_after_the_pilot_and_no_other() -> None:
    before = servers(NONE)
    made = lever(NONE, "places_trauma_arkin=0:0.5")
    after = servers(made.turn(NONE, 0.5))
    assert made.turn(NONE, 0.0).settings == NONE.settings
    assert servers(made.turn(NONE, 0.0)) == before
    for name, places in before.items():
        if name == "trauma_arkin":
            assert after[name][:2] == places[:2]
            assert after[name][2:] == pytest.approx([1.5 * x for x in places[2:]], abs=1.0)
        else:  # whole places are shared out over all programmes: one may shift
            assert after[name] == pytest.approx(places, abs=1.0)


def test_an_unknown_programme_is_answered_with_the_programmes() -> None:
    with pytest.raises(InputError, match=r"'places_foo'; expected places, places_basic, .*places_smi_ingeest"):
        lever(PLAN, "places_foo")
    with pytest.raises(InputError, match=r"'foo'; expected diversion, .*places_<programme>, or a figure") as info:
        lever(PLAN, "foo")
    assert "smi_ingeest" not in str(info.value)


def test_places_at_both_levels_are_those_of_each_level() -> None:
    before, after = servers(NONE), servers(lever(NONE, "places").turn(NONE, 0.2))
    for name, places in before.items():
        factor = 1.0 if name == "smi_ingeest" else 1.2
        assert after[name][2:] == pytest.approx([factor * x for x in places[2:]], abs=1.5)


def test_conversations_are_so_many_at_full_operation_and_earlier_years_in_proportion() -> None:
    made = lever(PLAN, "conversations")
    full = PLAN.book.value("functions.conversations", 2028)
    turned = made.turn(PLAN, 2.0 * full)
    for year in (2025, 2026, 2027, 2028, 2029):
        plan = PLAN.book.value("functions.conversations", year)
        assert turned.book.value("functions.conversations", year) == pytest.approx(2.0 * plan)
    assert made.plan == full


def test_a_later_start_moves_every_volume() -> None:
    book, later, half = PLAN.book, delayed(PLAN, 12.0).book, delayed(PLAN, 6.0).book
    for key in FOLLOWS_START:
        first = book.figure(key).years[0]
        assert later.value(key, first) == 0.0
        for year in range(first, 2031):
            assert later.value(key, year + 1) == pytest.approx(book.value(key, year))
            before = book.value(key, year - 1) if year > first else 0.0
            assert half.value(key, year) == pytest.approx((book.value(key, year) + before) / 2.0)
    assert later.value(PILOT) == book.value(PILOT) + 1
    assert half.value(PILOT) == book.value(PILOT)
    assert half.value(FULL) == book.value(FULL) + 1
    same = delayed(PLAN, 0.0)
    assert Compiler(same, {}).document() == Compiler(PLAN, {}).document()
    assert start_date(PLAN, 0) == dt.date(2025, 7, 1)
    assert start_date(PLAN, 7) == dt.date(2026, 2, 1)
    assert start_date(PLAN, 17.6) == dt.date(2027, 1, 1)


@pytest.mark.parametrize(
    ("given", "parts"),
    [
        ("diversin", ["lever: found 'diversin'", "diversion, consultations"]),
        ("assumptions.demand_grwth", ["assumptions.demand_growth"]),
        ("settings.reading", ["has no more or less"]),
        ("diversion=0.4:0.1", ["first number is the lower"]),
        ("diversion=a:b", ["numbers in the range"]),
        ("diversion=0:nan", ["numbers in the range"]),
        ("diversion=0:0.95", ["at most 0.9"]),
        ("diversion=-0.1:0.5", ["diversion = -0.1"]),
        (f"start=0:{LATEST + 1}", ["months from 0"]),
        ("functions.transfers", ["without a range", "functions.transfers=0:2"]),
        ("kpis.nothing", ["lever"]),
        ("", ["a name or path"]),
        ("two words", ["a name or path"]),
        ("plan.title", ["lever"]),
        ("gp.reduction_functions=0:0.5", ["nothing hangs"]),
    ],
)
def test_an_unusable_lever_is_refused_with_one_message(given: str, parts: list[str]) -> None:
    with pytest.raises(InputError) as refused:
        lever(PLAN, given)
    for part in parts:
        assert part in str(refused.value)


def test_a_lever_on_which_nothing_hangs_is_refused() -> None:
    with pytest.raises(InputError, match="nothing hangs with network = 'none'"):
        lever(NONE, "conversations")


def test_a_volume_that_the_scenario_does_not_have_is_no_lever() -> None:
    without = PLAN.with_figure("functions.conversations", {2025: 0.0}, "no conversations")
    for given in ("conversations", "conversations=0:500"):
        with pytest.raises(InputError, match="conversations, of which the scenario has none"):
            lever(without, given)


# ---------------------------------------------------------------- simulated


def bench(given: str, target: str, threads: int | None = 1, scenario: Any = PLAN) -> Bench:
    made = lever(scenario, given)
    return Bench("net", scenario, made, parse(target), 64, 5, Balances(5), Purse(10_000, None), threads)


def test_a_level_gives_the_futures_that_a_case_gives_and_remembers_them() -> None:
    one = bench("diversion=0:0.64", "overdue_2029 <= 50")
    values = one.run(20, np.array([3, 0]))
    case = Case("same", PLAN.with_settings("same", network="diversion").with_figure("functions.diversion", 0.2, "same"))
    case.extend(4, 5, Balances(5), 2)
    expected = [measured(case.futures[i], ("overdue_2029",), case.definition)[0] for i in (3, 0)]
    assert values.tolist() == expected
    assert one.purse.spent == 2
    again = bench("diversion=0:0.64", "overdue_2029 <= 50", threads=2).run(20, np.arange(4))
    assert again[[3, 0]].tolist() == expected
    assert one.run(20, np.array([0, 3])).tolist() == expected[::-1]
    assert one.purse.spent == 2
    assert list(one.complete(20)) == expected[1:]
    assert one.overdue[20][3].sum() == expected[0]


def test_a_promise_about_a_change_is_held_against_the_same_futures_without_a_network() -> None:
    one = bench("conversations", "P(kpi_20) >= 0.5")
    assert one.goal.needs_base
    assert set(one.run(64, np.arange(2)).tolist()) <= {0.0, 1.0}
    assert one.purse.spent == 4
    own = bench("conversations", "P(kpi_17) >= 0.5")
    assert own.run(0, np.arange(2)).tolist() == [0.0, 0.0]  # no conversations, no promise of conversations
    assert own.run(64, np.arange(2)).tolist() == [1.0, 1.0]
    assert own.purse.spent == 4


@pytest.fixture(scope="module")
def few() -> tuple[Seek, dict[str, Any]]:
    """A search with few futures: every part of it, but not precise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rootfinding, "PILOT", 8)
        patch.setattr(rootfinding, "FIRST", (12, 12))
        patch.setattr(study, "LEAST_BUDGET", 60)
        patch.setattr(study, "PILOT", 8)
        found = flowsim.seek("overdue_2029 <= 60", "diversion=0:0.4", budget=170, half_width=0.1, seed=2)
        return found, found.tables


def test_a_search_on_the_region_finds_a_level_between_those_that_miss_and_meet(
    few: tuple[Seek, dict[str, Any]],
) -> None:
    found, tables = few
    check_dictionary("seek", tables)
    row = tables["found"].iloc[0]
    assert (row["state"], row["case"], row["helps"], row["goal"]) == ("found", "diversion", "more", found.goal.text)
    assert 0.0 < row["level_low"] < row["level"] < row["level_high"] <= 0.4
    assert row["value"] <= 60.0
    assert found.reached
    assert found.spent <= 170
    points = tables["points"].sort_values("level")
    assert points["value"].iloc[0] > 60.0 > points["value"].iloc[-1]


@pytest.mark.parametrize(
    ("lever", "target", "helps"),
    [
        ("places=0:0.4", "overdue_2029 <= 60", "more"),
        ("conversations=0:1300", "overdue_2029 <= 100", "more"),
        ("start=0:36", "overdue_2029 <= 150", "less"),
    ],
)
def test_every_kind_of_lever_is_searched_to_a_level_that_meets_the_goal(
    monkeypatch: pytest.MonkeyPatch, lever: str, target: str, helps: str
) -> None:
    """More places, more conversations, an earlier start; the ends of the range miss and meet the goal."""
    monkeypatch.setattr(rootfinding, "PILOT", 6)
    monkeypatch.setattr(rootfinding, "FIRST", (6, 6))
    monkeypatch.setattr(study, "LEAST_BUDGET", 60)
    monkeypatch.setattr(study, "PILOT", 6)
    name, _, ends = lever.partition("=")
    low, high = map(float, ends.split(":"))
    found = flowsim.seek(target, lever, budget=90, half_width=(high - low) / 4, seed=2)
    row = found.tables["found"].iloc[0]
    assert (row["state"], row["helps"], found.levers[0].name) == ("found", helps, name)
    assert low < row["level"] < high
    assert row["value"] <= found.goal.value
    points = found.tables["points"].sort_values("level")["value"]
    most, least = (points.iloc[0], points.iloc[-1]) if helps == "more" else (points.iloc[-1], points.iloc[0])
    assert least < found.goal.value < most
    assert found.spent <= 90


def test_the_manifest_says_what_was_asked(few: tuple[Seek, dict[str, Any]]) -> None:
    made = study.manifest(few[0], 1.0)
    assert made["asked"]["target"] == "overdue_2029 <= 60"
    assert made["asked"]["levers"] == {"diversion": [0.0, 0.4]}
    assert made["futures"] == few[0].spent
    assert made["scenario"]["hash"] == PLAN.hash


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"target": "cleared"}, "target"),
        ({"lever": []}, "0 levers"),
        ({"lever": ["diversion", "diversion"]}, "diversion twice"),
        ({"lever": ["diversion", "places", "start"]}, "3 levers"),
        ({"lever": ["diversion", "conversations"]}, "nothing hangs"),
        ({"lever": ["conversations", "diversion"]}, "nothing hangs"),
        ({"half_width": 0.0}, "half_width"),
        ({"half_width": True}, "half_width"),
        ({"half_width": 5.0}, "half_width"),
        ({"budget": 100}, "budget"),
        ({"budget": "many"}, "budget"),
        ({"seed": -1}, "seed"),
        ({"threads": 0}, "threads"),
        ({"readings": True}, "readings"),
        ({"readings": True, "lever": ["conversations", "places"]}, "readings"),
        ({"target": "P(kpi_17) >= 0.5"}, "single functions"),
        ({"scenario": "nowhere.toml"}, "nowhere.toml"),
    ],
)
def test_unusable_arguments_are_refused_before_anything_runs(arguments: dict[str, Any], part: str) -> None:
    with pytest.raises(InputError) as refused:
        seek(**arguments)
    assert part in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ({"factors": []}, "growth, list_size, patience"),
        ({"factors": "grwth"}, "'grwth'"),
        ({"factors": ["growth", "assumptions.demand_growth"]}, "twice"),
        ({"factors": "assumptions.cleared_weeks"}, "an unknown such as"),
        ({"factors": "growth", "lever": "assumptions.demand_growth"}, "another one than the lever"),
        ({"target": "overdue <= 50"}, "a probability"),
        ({"target": "P(kpi_20) >= 0.5"}, "a probability of what one scenario does"),
        ({"futures": 300}, "a multiple of 256"),
        ({"futures": 0}, "futures"),
    ],
)
def test_unusable_maps_are_refused_before_anything_runs(arguments: dict[str, Any], part: str) -> None:
    with pytest.raises(InputError) as refused:
        flowsim.decision_map(**arguments)
    assert part in str(refused.value)


def test_a_point_of_a_map_has_the_unknown_that_it_says_and_the_others_as_drawn() -> None:
    """A future whose unknown is set to what it would have drawn is that future."""
    from flowsim.scenario import unknowns

    goal = parse("P(overdue_2029 <= 50) >= 0.5")
    one = mapping._Bench(PLAN, lever(PLAN, "diversion=0:0.32"), goal, 5, 1)
    path = mapping.NAMES["growth"]
    given = [{path: unknowns.values(PLAN, unknowns.quantiles(5, i))[path]} for i in range(3)]
    same = bench("diversion=0:0.64", goal.text).run(20, np.arange(3))
    assert one.run(20, range(3), given, None).tolist() == same.tolist()
    assert one.level(20) == 0.2
