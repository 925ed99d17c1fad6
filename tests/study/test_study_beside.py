"""Other scenarios in the futures of an answer: the case each is judged by, the same futures, refusals, interruption."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flowsim.errors import InputError
from flowsim.scenario.load import default
from flowsim.study.answer import Answer
from flowsim.study.beside import in_the_same_futures, leading_case
from flowsim.study.futures import Balances, Case

READ = default().with_settings("read", reading="capacity")
TOP_DOWN = default().with_settings("top-down", network="diversion")


@pytest.fixture
def first() -> Answer:
    """An answer whose leading case has two futures, and another one more."""
    made = Answer(default(), 6, 0.2, {})
    for name, count in (("none", 3), ("net", 2)):
        case, balances = Case(name, default().with_settings(name, reading="net")), Balances(6)
        case.extend(count, 6, balances, 2)
        made.cases[name] = case
    return made


def test_the_case_that_a_scenario_is_judged_by() -> None:
    assert [leading_case(one)[0] for one in (default(), READ, TOP_DOWN)] == ["net", "capacity", "diversion"]
    assert leading_case(READ)[1].settings["reading"] == "capacity"


def test_others_have_the_futures_of_the_first_ones_leading_case(first: Answer) -> None:
    told: list[tuple[str, int, int]] = []
    made = in_the_same_futures(first, [READ, TOP_DOWN], 2, lambda *one: told.append(one))
    assert told == [(f"{k}. {one.title}", j, 2) for k, one in ((2, READ), (3, TOP_DOWN)) for j in (1, 2)]
    assert not first.interrupted
    for one, scenario, name in zip(made, (READ, TOP_DOWN), ("capacity", "diversion"), strict=True):
        assert one == replace(first, scenario=scenario, cases=one.cases, curve_asked=False, most=2)
        assert list(one.cases) == [name]
        alone = Case(name, leading_case(scenario)[1])
        alone.extend(2, first.seed, Balances(first.seed), 1)
        assert one.cases[name].drawn == alone.drawn == first.cases["net"].drawn
        assert [f.overdue.tobytes() for f in one.cases[name].futures] == [f.overdue.tobytes() for f in alone.futures]


def test_interrupted_those_that_were_finished_stay(first: Answer) -> None:
    def stop(label: str, done: int, total: int) -> None:
        if label.startswith("3."):
            raise KeyboardInterrupt

    made = in_the_same_futures(first, [READ, TOP_DOWN, READ], 2, stop)
    assert [one.scenario for one in made] == [READ]
    assert first.interrupted


def test_a_scenario_of_another_region_is_refused_before_anything_is_simulated(first: Answer) -> None:
    with pytest.raises(InputError, match="region 'elsewhere'"):
        in_the_same_futures(first, [READ, replace(READ, region="elsewhere")], 2, lambda *_: pytest.fail("simulated"))
