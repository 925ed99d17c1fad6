"""Goals as a person writes them: what they mean, and one clear message for what is none."""

from __future__ import annotations

import numpy as np
import pytest

from flowsim.analysis.goal import parse
from flowsim.errors import InputError


@pytest.mark.parametrize(
    ("written", "text", "measure", "event", "at_least", "value"),
    [
        ("P(cleared) >= 0.9", "P(cleared) >= 0.9", "cleared", None, True, 0.9),
        ("  P( cleared )≥90% ", "P(cleared) >= 0.9", "cleared", None, True, 0.9),
        ("overdue <= 50", "overdue_2029 <= 50", "overdue_2029", None, False, 50.0),
        ("mean_wait_2027 <= 8 weeks", "mean_wait_2027 <= 56", "mean_wait_2027", None, False, 56.0),
        ("P(waiting_2028 <= 400) >= 0.8", "P(waiting_2028 <= 400) >= 0.8", "waiting_2028", ("<=", 400.0), True, 0.8),
        ("P(wait_ratio <= 50%) <= 0.2", "P(wait_ratio <= 0.5) <= 0.2", "wait_ratio", ("<=", 0.5), False, 0.2),
        ("P(kpi_24) >= 0.5", "P(kpi_24) >= 0.5", None, None, True, 0.5),
    ],
)
def test_a_goal_is_read(
    written: str, text: str, measure: str | None, event: tuple[str, float] | None, at_least: bool, value: float
) -> None:
    goal = parse(written)
    assert (goal.text, goal.measure, goal.event, goal.at_least) == (text, measure, event, at_least)
    assert goal.value == pytest.approx(value)
    assert goal.probability == written.strip().startswith("P")
    assert parse(goal.text) == goal


@pytest.mark.parametrize(
    ("written", "part"),
    [
        ("", "a goal such as"),
        ("cleared", "a probability for cleared"),
        ("cleared >= 0.9", "P(cleared) >= 0.9"),
        ("P(cleared)", ">= or <="),
        ("P(cleared) > 0.9", ">= or <="),
        ("P(cleared) >= 0,9", "0.9, not 0,9"),
        ("P(cleared) >= nan", ">= or <="),
        ("P(cleared) >= 1", "below 1"),
        ("P(cleared) >= 0", "above 0"),
        ("P(cleard) >= 0.9", "kpi_24"),
        ("P(overdue_2029) >= 0.9", "a condition in the brackets"),
        ("P(kpi_16) >= 0.9", "the simulation says nothing"),
        ("P() >= 0.9", "an event in the brackets"),
        ("overdu_2029 <= 50", "overdue_2029"),
        ("overdue_2029 <= 50%", "not a per cent"),
        ("overdue_2029 <= 50 weeks", "no unit"),
        ("mean_wait_2029 <= 8 months", "days or weeks"),
        ("overdue_2029 <= 50 <= 60", ">= or <="),
        (3, "a goal such as"),
    ],
)
def test_what_is_no_goal_is_refused_with_one_message(written: object, part: str) -> None:
    with pytest.raises(InputError) as refused:
        parse(written)
    assert part in str(refused.value)
    assert str(refused.value).startswith("target: ")


def test_scores_are_at_least_zero_on_average_exactly_when_the_goal_is_met() -> None:
    few, many = np.array([0.0, 0.0, 1.0, 1.0]), np.array([1.0, 1.0, 1.0, 0.0])
    assert parse("P(cleared) >= 0.6").scores(few).mean() < 0.0 <= parse("P(cleared) >= 0.6").scores(many).mean()
    assert parse("P(cleared) <= 0.6").scores(many).mean() < 0.0 <= parse("P(cleared) <= 0.6").scores(few).mean()
    assert parse("overdue <= 10").scores(np.array([4.0, 20.0])).mean() == -2.0


@pytest.mark.parametrize(
    ("text", "unit"),
    [("P(cleared) >= 0.9", "probability"), ("overdue <= 50", "residents"), ("mean_wait_2027 <= 14 weeks", "days")],
)
def test_a_goal_has_the_unit_of_its_measure(text: str, unit: str) -> None:
    assert parse(text).unit == unit
