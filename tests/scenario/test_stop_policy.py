"""The decision at the end of the pilot year: once functions have stopped, what they took is treatment again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest

from flowsim.engines import compiled, world
from flowsim.engines.fluid import Twin, fluid
from flowsim.model.network import Network
from flowsim.scenario import unknowns
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.futures import PARTS, Template
from flowsim.scenario.load import default
from flowsim.scenario.region import load_region

REPLICATIONS = range(6)


def built(**settings: Any) -> Network:
    return compile_scenario(default().with_settings("x", **settings))


def stands(network: Network, replication: int, date: dt.date) -> tuple[bool, list[int], int]:
    """On a day, or within a week: whether stations have closed, places of each programme, how many are in treatment."""
    one = compiled.begin(network, 3, replication, False, world.features_of(network))
    one.record["until"] = load_region("amstelland").day(date)
    compiled.go_on(one)
    places = one["places"]
    listed = network.stations["list"] >= 0
    return bool(places["closed"].any()), places["capacity"][listed].tolist(), int(places["busy"][listed].sum())


@pytest.mark.parametrize("settings", [{}, {"reading": "capacity", "freed_place": "heavier"}], ids=str)
def test_after_stopping_places_are_those_without_a_network(settings: dict[str, Any]) -> None:
    """In replications in which the rule held, from that day on; in the others they are those of the plan, as before."""
    stopping, plan, none = built(stop_policy=True, **settings), built(**settings), built(network="none", **settings)
    days = [dt.date(2025, 12, 1), dt.date(2026, 1, 2), dt.date(2029, 11, 1)]
    fired = []
    for replication in REPLICATIONS:
        closed, before, _ = stands(stopping, replication, days[0])
        assert not closed
        assert before == stands(plan, replication, days[0])[1] != stands(none, replication, days[0])[1]
        for day in days[1:]:
            closed, places, busy = stands(stopping, replication, day)
            assert places == stands(none if closed else plan, replication, day)[1]
            assert places != stands(plan if closed else none, replication, day)[1]
        fired.append(closed)
        if closed:  # the lists are long, and the places are used
            assert busy == sum(places)
    assert 0 < sum(fired) < len(fired)


def test_functions_that_take_no_places_give_none_back() -> None:
    for settings in ({"reading": "capacity"}, {"reading": "headcount"}):
        assert "servers" not in built(stop_policy=True, **settings).document["stop_rules"][0]
    assert built(stop_policy=True, network="diversion").document["stop_rules"] == []


def test_the_rule_adds_steps_and_changes_nothing_else() -> None:
    """What is not the rule's is the network of the scenario without it, to the last bit; and where list management
    sends people once it has closed, which nobody can need without a rule."""
    stopping, plan, none = built(stop_policy=True), built(), built(network="none")
    own = len(plan.steps) - 1  # the last row stands for nothing
    assert stopping.steps[:own].tobytes() == plan.steps[:own].tobytes()
    past = {"from": "waiting_list_management", "on": "full", "to": {"exit": 1.0}}
    left = [route for route in stopping.document["routes"] if route != past]
    assert len(left) == len(stopping.document["routes"]) - 1
    assert stopping.document | {"routes": left, "stop_rules": []} == plan.document
    for name in ("stations", "distributions", "values", "streams", "initial"):
        assert getattr(stopping, name).tobytes() == getattr(plan, name).tobytes(), name
    for other in stopping.rule_servers[:-1]:
        station = none.stations[other["station"]]
        first, count = station["servers_first"], station["servers_count"]
        expected = [station["servers"], *none.steps["value"][first : first + count]]
        assert np.array_equal(stopping.steps["value"][other["first"] :][: count + 1], expected)


def test_a_future_is_the_same_by_itself_and_in_a_block() -> None:
    """Its network to the last bit, and so that of its document; and what the twin says of it."""
    scenario = default().with_settings("x", stop_policy=True, freed_place="heavier")
    template = Template(scenario)
    drawn = [unknowns.values(scenario, unknowns.quantiles(3, i)) for i in range(4)]
    block = template.block({key: np.array([one[key] for one in drawn]) for key in drawn[0]})
    twin = Twin(template.network_at_mode).run(
        block.arrays, block.station, block.patient_class, block.waiting, block.in_service
    )
    for i, values in enumerate(drawn):
        together = block.network(i)
        assert together.alike is template.network_at_mode
        for alone in (template.network(values), compile_scenario(scenario, values)):
            for name in (*PARTS, "rule_stations", "rule_servers"):
                assert getattr(together, name).tobytes() == getattr(alone, name).tobytes(), name
            assert np.allclose(fluid(alone).waiting[0], twin.waiting[i], rtol=1e-9, atol=1e-9)
    steps = block.arrays["steps"]["value"][:, template.network_at_mode.rule_servers["first"][:-1]]
    assert (steps != steps[0]).any()  # places of futures differ, after stopping too
