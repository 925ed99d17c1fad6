"""The results that the site shows are those of this code: a few futures of each are run again, to the last person.

When one of these fails because the model or a figure changed: ``make docs-results``, and commit ``docs/results``.
"""

from __future__ import annotations

import math

import generate
import pytest
from making import evidence, tables

from flowsim.scenario.load import default
from flowsim.study.replicate import run_logged

AGAIN = "other results than those kept: make docs-results"
FEW = 2


def test_every_assumption_that_the_model_reads_has_been_tried() -> None:
    kept = evidence.read("assumptions")
    keys = [figure.key for figure in evidence.assumptions(evidence.from_ranges())]
    assert len(keys) > 50
    tried = {*kept["runs"], *kept["refused"]}
    assert tried == {evidence.PLAN, *(f"{key} {end}" for key in keys for end in evidence.ENDS)}, AGAIN
    for run in kept["runs"].values():
        assert {len(run[measure]) for measure in evidence.MEASURES} == {kept["futures"]}


@pytest.mark.parametrize(
    ("key", "end"),
    [
        ("", ""),
        ("assumptions.list_size", "high"),  # drawn
        ("assumptions.renege_to_gp", "low"),  # fixed
        ("assumptions.extra_places_basic", "high"),  # a lever, by year
    ],
)
def test_effects_are_those_of_this_code(key: str, end: str) -> None:
    plan = evidence.from_ranges()
    scenario = evidence.at_end(plan, plan.book[key], end) if key else plan
    kept = evidence.read("assumptions")["runs"][f"{key} {end}" if key else evidence.PLAN]
    assert evidence.same_first(evidence.outcomes(evidence.simulated(scenario, FEW)), kept), AGAIN


def test_futures_that_are_added_later_are_the_same() -> None:
    plan = default()
    whole = evidence.outcomes(evidence.simulated(plan, 3))
    last = evidence.outcomes(evidence.simulated(plan, 3, first=2))
    assert last == {measure: values[2:] for measure, values in whole.items()}


def test_a_run_by_other_code_is_noticed() -> None:
    kept = evidence.read("assumptions")["runs"][evidence.PLAN]
    few = {measure: list(kept[measure][:FEW]) for measure in evidence.MEASURES}
    assert evidence.same_first(few, kept)
    few["overdue"][1] += 1
    assert not evidence.same_first(few, kept)
    assert not evidence.same_first(few, None)


def test_extremes_are_those_of_this_code() -> None:
    kept = evidence.read("extremes")["runs"]
    cases = evidence.extremes(evidence.from_ranges())
    assert set(kept) == {evidence.PLAN, *cases}
    assert set(tables.EXTREMES) == set(cases) - {"none"}
    for name in ("diversion_60", "staff_leaves"):
        again = evidence.outcomes(evidence.simulated(cases[name], FEW))
        assert evidence.same_first(again, kept[name]), AGAIN


def test_the_first_day_is_that_of_this_code() -> None:
    kept = evidence.read("first-day")
    assert kept["futures"] == generate.FUTURES["first-day"]
    again = evidence.first_day(kept["futures"], lambda _: None)
    for row, before in zip(again["rows"], kept["rows"], strict=True):
        assert list(row) == list(before)
        for name, value in before.items():
            same = row[name] == value
            if isinstance(value, float):  # in which order NumPy adds up hangs on the processor
                same = math.isclose(row[name], value, rel_tol=1e-7, abs_tol=1.5e-6)
            assert same, AGAIN


def test_curves_and_stories_are_those_of_this_code() -> None:
    kept = evidence.read("face")
    cases = evidence.face_cases(default())
    assert list(kept["cases"]) == list(cases)
    for name, scenario in cases.items():
        again = evidence.curves(evidence.simulated(scenario, FEW))
        for measure, rows in again.items():
            assert rows == kept["cases"][name][measure]["shown"][:FEW], AGAIN
    case = evidence.Case(evidence.PLAN, default())
    jobs = [lambda: case.job(0, evidence.SEED, evidence.Balances(evidence.SEED))]
    (stories,) = run_logged(jobs, evidence.traces)
    assert stories == kept["traces"], AGAIN
    assert set(stories) == set(tables.STORIES)


def test_what_is_expected_beforehand_is_not_contradicted() -> None:
    """Signs that anybody would give; simultaneous 95% intervals, so a right model fails once in 20 sets of results."""
    assert "the other way" not in tables.directions_table()
    hold = tables.extremes_hold()
    assert set(hold) == set(tables.EXTREMES)
    assert [name for name, holds in hold.items() if not holds] in ([], ["diversion_60"])  # told on the page


def test_the_generator_refuses_what_it_does_not_make(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        generate.main(["asumptions"])
    assert refusal.value.code == 2
    assert "found 'asumptions'; expected one of assumptions, extremes" in capsys.readouterr().err
