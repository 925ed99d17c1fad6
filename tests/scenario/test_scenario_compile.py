"""The network of the region: its volumes, its places, and thousands of futures that equal the networks built anew."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowsim.engines import compiled, reference
from flowsim.errors import InputError
from flowsim.model.events import ARRIVE, CHANGE
from flowsim.model.network import INITIAL_WAITING, STREAM_BITS, Network
from flowsim.scenario import unknowns
from flowsim.scenario.baseline import WEEK, Values, calibrate
from flowsim.scenario.compile import Compiler, compile_scenario
from flowsim.scenario.futures import Template
from flowsim.scenario.load import Scenario, default, load
from flowsim.scenario.region import load_region

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
ODD: dict[str, Any] = {
    "ramp": "year_end",
    "overlap": "one_path",
    "social_domain": "limited",
    "stop_policy": True,
    "freed_place": "heavier",
    "transfers": "fade",
}


@pytest.mark.parametrize(
    "settings", [{}, {"network": "none"}, {"reading": "headcount"}, {"network": "diversion"}, ODD], ids=str
)
def test_a_future_equals_the_network_built_anew(settings: dict[str, Any]) -> None:
    equal_to_those_built_anew(default().with_settings("x", **settings))


def test_a_future_of_net_widening_equals_the_network_built_anew() -> None:
    """Who would have entered ggz is in the chances after every function and in the weight of a transfer."""
    equal_to_those_built_anew(load(EXPERIMENTS / "net_widening.toml"))


def test_nobody_gets_worse_at_the_end_of_that_range() -> None:
    """The figure's own range begins at 0: a network all the same, and a future of the usual network."""
    key = "assumptions.worsening"
    assert default().book.figure(key).low == 0.0
    never = compile_scenario(default().with_figure(key, 0.0, "the end of its range"))
    future = Template(default()).network({key: 0.0})
    for network in (never, future):
        _, log, _ = compiled.simulate_once(network, 1, 0, log=True)
        assert log is not None
        assert len(log) > 100_000
        assert not (log["kind"] == CHANGE).any()


def equal_to_those_built_anew(scenario: Scenario) -> None:
    template = Template(scenario)
    for i in range(4):
        drawn = unknowns.values(scenario, unknowns.quantiles(7, i))
        quick, anew = template.network(drawn), compile_scenario(scenario, drawn)
        for one in dataclasses.fields(Network):
            a, b = getattr(quick, one.name), getattr(anew, one.name)
            if one.name == "class_mix":  # only for initial residents without a class, of which there are none
                continue
            if isinstance(a, np.ndarray):
                assert a.tobytes() == b.tobytes(), one.name


def test_drawn_values_stay_in_their_ranges_and_are_addressed() -> None:
    scenario = default().with_settings("prior", unknowns="prior")
    many = [unknowns.values(scenario, unknowns.quantiles(1, i)) for i in range(500)]
    assert many[3] == unknowns.values(scenario, unknowns.quantiles(1, 3))
    assert many[3] != unknowns.values(scenario, unknowns.quantiles(2, 3))
    for key in many[0]:
        figure = scenario.book.figure(key)
        values = np.array([one[key] for one in many])
        assert figure.low is not None
        assert figure.high is not None
        assert figure.low <= values.min() < values.max() <= figure.high
        mean = (figure.low + figure.at() + figure.high) / 3.0
        # 500 draws: a mean off by 4.4 standard errors has chance 1e-5, 17 figures: 2e-4
        assert abs(values.mean() - mean) < 4.4 * values.std() / 500**0.5


def test_a_fixed_figure_is_not_drawn_and_a_lever_with_a_range_is() -> None:
    assert "assumptions.demand_growth" in unknowns.drawn(default())
    assert "assumptions.demand_growth" not in unknowns.drawn(load(EXPERIMENTS / "growth_3.toml"))
    assert "assumptions.staff_growth" not in unknowns.drawn(default())
    assert "assumptions.staff_growth" in unknowns.drawn(load(EXPERIMENTS / "staff_shrinks.toml"))


def test_the_balance_reproduces_what_the_plan_publishes() -> None:
    scenario, region = default().with_settings("prior", unknowns="prior"), load_region("amstelland")
    for i in range(20):
        drawn = unknowns.values(scenario, unknowns.quantiles(5, i))
        base = calibrate(Values(scenario, drawn), region)
        assert base.clients == pytest.approx(6491)
        assert base.waiting == pytest.approx(drawn["assumptions.list_size"], rel=1e-6)
        assert base.reneging_share == pytest.approx(drawn["assumptions.reneging_share"], abs=2e-4)
        for group, weeks in (("personality", 24.0), ("trauma", 28.0), ("somatic_symptom", 20.5)):
            mine = base.group(group)
            mean = sum(one.starts * one.wait for one in mine) / sum(one.starts for one in mine)
            assert mean / WEEK == pytest.approx(weeks, rel=1e-6)
        assert sum(base.starts.values()) == pytest.approx(3158)


@pytest.fixture(scope="module")
def plan_run() -> tuple[Network, list[dict[str, np.ndarray]]]:
    network = compile_scenario(default())
    return network, [compiled.simulate_once(network, 11, r)[0] for r in range(8)]


def volumes(network: Network, outcome: dict[str, np.ndarray], station: str, field: str = "starts") -> list[int]:
    k = network.station_names.index(station)
    return [int(x) for x in outcome["periods"][field][:60, k].reshape(5, 12).sum(axis=1)]


def test_the_functions_reach_the_plan_s_volumes(plan_run: tuple[Network, list[dict[str, np.ndarray]]]) -> None:
    network, outcomes = plan_run
    for outcome in outcomes:
        assert volumes(network, outcome, "collegial_consultation") == [75, 144, 292, 436, 436]
        assert volumes(network, outcome, "exploratory_conversation") == [50, 215, 436, 650, 650]
        assert volumes(network, outcome, "case_conference") == [25, 91, 186, 277, 277]
        assert volumes(network, outcome, "waiting_list_management", "reviewed") == [25, 98, 218, 325, 325]


def test_support_points_serve_the_plan_s_users(plan_run: tuple[Network, list[dict[str, np.ndarray]]]) -> None:
    network, outcomes = plan_run
    places = [f"support_point_{m}" for m in ("aalsmeer", "uithoorn", "ouder_amstel")]
    users = np.array([[volumes(network, outcome, place) for place in places] for outcome in outcomes]).sum(axis=1)
    assert (users[:, 0] == 0).all()
    assert np.abs(users[:, 1] - 125).max() <= 3
    assert np.abs(users[:, 2:].mean(axis=0) - 250).max() <= 8


def test_without_functions_nobody_meets_one() -> None:
    network = compile_scenario(default().with_settings("none", network="none"))
    outcome = compiled.simulate_once(network, 1, 0)[0]
    for station in ("collegial_consultation", "exploratory_conversation", "case_conference"):
        assert sum(volumes(network, outcome, station)) == 0
    assert sum(volumes(network, outcome, "waiting_list_management", "reviewed")) == 0


def test_who_is_not_reached_has_the_same_luck_with_and_without_the_network() -> None:
    """The first contact with the GP of every resident from outside is the same, to the last bit, in both worlds."""
    seen = []
    for network in ("none", "functions"):
        built = compile_scenario(default().with_settings("x", network=network))
        log = compiled.simulate_once(built, 3, 0, True)[1]
        assert log is not None
        gp = built.station_names.index("gp")
        from_outside = log["resident"] < INITIAL_WAITING << STREAM_BITS  # neither there at the start nor a companion
        visits = log[(log["station"] == gp) & (log["kind"] == ARRIVE) & from_outside]
        residents, first = np.unique(visits["resident"], return_index=True)
        seen.append((residents, visits["time"][first], visits["patient_class"][first]))
    assert len(seen[0][0]) > 100_000
    for without, with_network in zip(*seen, strict=True):
        assert np.array_equal(without, with_network)


@pytest.mark.parametrize(
    ("settings", "seed"), [({}, 1), ({"network": "none"}, 2), ({**ODD, "reading": "capacity"}, 3)], ids=str
)
def test_both_engines_give_the_same_five_years(settings: dict[str, Any], seed: int) -> None:
    scenario = default().with_settings("x", **settings)
    network = compile_scenario(scenario, unknowns.values(scenario, unknowns.quantiles(seed, 0)))
    quick, quick_log, quick_count = compiled.simulate_once(network, seed, 0, True)
    slow, slow_log, slow_count = reference.simulate_once(network, seed, 0, True)
    assert quick_log is not None
    assert slow_log is not None
    assert len(quick_log) > 500_000
    same = quick_log.tobytes() == slow_log.tobytes()  # a name of its own: nobody wants to read 20 MB of difference
    assert same
    assert quick_count == slow_count
    for name in quick:
        assert quick[name].tobytes() == slow[name].tobytes(), name


def test_capacity_follows_staff_conversations_and_heavier_clients() -> None:
    def places(**settings: Any) -> list[int]:
        compiler = Compiler(default().with_settings("x", **settings), {})
        return [sum(one["servers"][i][1] for one in compiler.programmes()) for i in (0, 2, 6)]

    still = places(reading="capacity")
    assert len(set(still)) == 1
    net = places(reading="net")
    # 650 conversations of 350 euros at 125 an hour, of 5,021 clients without severe mental illness at 8 hours
    smi = Compiler(default(), {}).base.programmes[-1].places
    served = still[2] - smi
    assert (net[2] - smi) / served == pytest.approx(1.0 - 650 * 2.8 / ((6491 - 1470) * 8), abs=1e-3)
    assert places(reading="net", conversation_hours="mean")[2] > net[2]
    assert places(freed_place="heavier", reading="capacity")[2] < still[2]
    shrinking = default().with_figure("assumptions.staff_growth", -0.02, "a test").with_settings("x", network="none")
    later = [sum(one["servers"][i][1] for one in Compiler(shrinking, {}).programmes()) for i in (0, 8)]
    assert later[1] / later[0] == pytest.approx(0.98**4, abs=2e-3)


def test_both_ends_of_every_range_are_a_region_that_can_be() -> None:
    """A range that the model refuses is no range: each end is set as by a scenario, and the first day worked out."""
    plan, region = default(), load_region("amstelland")
    ends = [
        (key, end)
        for key, figure in plan.book.items()
        if figure.low is not None and figure.high is not None and not figure.dated
        for end in (figure.low, figure.high)
    ]
    assert len(ends) > 200
    for key, end in ends:
        base = calibrate(Values(plan.with_figure(key, end, "an end of its range"), {}), region)
        assert base.waiting > 0.0, (key, end)


def test_an_inflow_of_all_clients_cannot_be_and_from_some_inflow_on_more_clients_come_out() -> None:
    plan, region = default(), load_region("amstelland")
    clients = {
        inflow: calibrate(Values(plan.with_figure("demand.inflow", inflow, "a test"), {}), region).clients
        for inflow in (3158.0, 3900.0, 5021.0)
    }
    assert clients[3158.0] == pytest.approx(6491)
    assert clients[3900.0] == pytest.approx(6491)
    assert clients[5021.0] > 7900
    with pytest.raises(InputError, match="severe mental illness together"):
        calibrate(Values(plan.with_figure("demand.inflow", 6491.0, "a test"), {}), region)


@pytest.mark.parametrize("size", [50.0, 300.0, 8000.0])
def test_a_list_that_does_not_go_with_the_published_waits_is_refused(size: float) -> None:
    asked = default().with_figure("assumptions.list_size", size, "a test")
    with pytest.raises(InputError, match=rf"list_size: found {size:g}; expected .* would have \d+ people waiting"):
        compile_scenario(asked)
    fits = asked.with_figure("assumptions.list_size", 800.0, "another test")
    base = calibrate(Values(fits, {}), load_region("amstelland"))
    assert base.waiting == pytest.approx(800.0, rel=0.01)
