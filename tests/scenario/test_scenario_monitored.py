"""Futures in which the plan is carried out to a part: the network is the one that the document would give."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import pytest

from flowsim.scenario import monitored, unknowns
from flowsim.scenario.baseline import Values, calibrate
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.futures import Template
from flowsim.scenario.load import default
from flowsim.scenario.monitored import Monitored
from flowsim.scenario.region import load_region


@pytest.mark.parametrize(
    "settings",
    [{}, {"network": "diversion"}, {"reading": "headcount", "ramp": "year_end"}, {"network": "none"}],
    ids=str,
)
def test_a_future_equals_the_network_built_anew(settings: dict[str, Any]) -> None:
    scenario = default().with_settings("x", **settings)
    made = Monitored(Template(scenario))
    for future in (0, 5):
        drawn = unknowns.values(scenario, unknowns.quantiles(3, future))
        known = monitored.values(scenario, monitored.quantiles(3, future))
        base = calibrate(Values(scenario, drawn), load_region(scenario.region))
        quick = made.network(known, drawn, base)
        whole = compile_scenario(made.scaled(known), {**drawn, **made.effects(known)})
        for one in fields(whole):
            a, b = getattr(quick, one.name), getattr(whole, one.name)
            if isinstance(a, np.ndarray) and one.name != "class_mix":  # never used: all classes are given
                assert a.tobytes() == b.tobytes(), one.name


def test_a_plan_carried_out_in_full_is_the_plan() -> None:
    """At the figures' own values nothing is scaled."""
    made = Monitored(Template(default()))
    scaled = made.scaled({})
    for year in (2025, 2027, 2029):
        assert scaled.book.value("functions.conversations", year) == default().book.value(
            "functions.conversations", year
        )
    assert made.effects({}) == {"functions.conversations_not_to_ggz": 0.3}


def test_delivered_fractions_move_by_year_and_not_below_nothing() -> None:
    level = "monitoring.delivered_conversations"
    known = {level: 0.5, f"{monitored.CHANGE}_2026": -0.3, f"{monitored.CHANGE}_2027": -0.3}
    known[f"{monitored.CHANGE}_2028"] = 0.25
    found = [monitored.delivered(default(), known, level, year) for year in (2025, 2026, 2027, 2028, 2029, 2030)]
    assert found == pytest.approx([0.5, 0.2, 0.0, 0.25, 0.25, 0.25])


def test_what_is_unknown_depends_on_the_network() -> None:
    assert len(monitored.drawn(default())) == len(monitored.PLACES) - 1
    assert monitored.drawn(default().with_settings("d", network="diversion")) == (monitored.DIVERSION,)
    assert monitored.drawn(default().with_settings("n", network="none")) == ()
    fixed = default().with_figure(monitored.EFFECT, 1.0, "as planned")
    assert monitored.EFFECT not in monitored.drawn(fixed)


def test_draws_are_addressed_and_apart_from_the_other_unknowns() -> None:
    first = monitored.quantiles(1, 4)
    assert first == monitored.quantiles(1, 4)
    assert first != monitored.quantiles(1, 5)
    assert not set(first.values()) & set(unknowns.quantiles(1, 4).values())
    many = np.array([list(monitored.quantiles(9, i).values()) for i in range(2000)])
    assert abs(many.mean(axis=0) - 0.5).max() < 4.5 * 0.2887 / np.sqrt(2000)  # fails for one seed in ten thousand
