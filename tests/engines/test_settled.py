"""A replication that runs no longer than a question takes: looking at it changes nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_documents import NETWORKS, Document, documents

from flowsim.engines import compiled, world
from flowsim.engines.ending import close, overdue_until_now
from flowsim.engines.settled import simulate_in_two, simulate_until_settled
from flowsim.model import tally
from flowsim.model.memory import Addresses
from flowsim.model.network import Network

SEED, REPLICATION = 5, 1


def begun(network: Network, log: bool = False) -> Addresses:
    return compiled.begin(network, SEED, REPLICATION, log, world.features_of(network))


def run_to(one: Addresses, time: float) -> None:
    one.record["until"] = time
    compiled.go_on(one)


def assert_stops_change_nothing(network: Network, stops: list[float]) -> None:
    """The log is that of a run without stops; at each stop all that comes before has happened, and nothing else."""
    _, log, _ = compiled.simulate_once(network, SEED, REPLICATION, log=True)
    assert log is not None
    one = begun(network, log=True)
    for stop in sorted(stops):
        run_to(one, stop)
        assert int(one["state"]["log_size"][0]) == int((log["time"] < max(stop, np.nextafter(0.0, 1.0))).sum())
    run_to(one, network.horizon)
    assert one["log"][: int(one["state"]["log_size"][0])].tobytes() == log.tobytes()


@pytest.mark.parametrize("name", NETWORKS)
def test_stops_change_nothing_in_each_kind_of_network(name: str) -> None:
    network = Network.from_dict(NETWORKS[name])
    assert_stops_change_nothing(network, [0.0, *(network.horizon * np.array([0.1, 0.35, 0.36, 0.8])).tolist()])


@settings(max_examples=40)
@given(document=documents(), parts=st.lists(st.floats(0.0, 1.0), max_size=4))
def test_stops_change_nothing_in_any_network(document: Document, parts: list[float]) -> None:
    network = Network.from_dict(document)
    assert_stops_change_nothing(network, [part * network.horizon for part in parts])


LISTS: Document = {
    "horizon": 400.0,
    "snapshot_every": 7.0,
    "waiting_norm": 10.0,
    "classes": ["adult"],
    "stations": [
        {
            "name": "treatment",
            "servers": 8,
            "service": {"distribution": "exponential", "mean": 20.0},
            "patience": {"distribution": "exponential", "mean": 200.0},
            "waiting_list": "all",
            "initial": {"waiting": {"adult": 30}, "in_service": {"adult": 8}},
        },
        {"name": "desk", "servers": 1, "service": {"distribution": "exponential", "mean": 1.0}},
    ],
    "arrivals": [
        {"class": "adult", "station": "treatment", "rate": 0.42},
        {"class": "adult", "station": "desk", "rate": 0.9},
    ],
}


def overdue_of(outcome: dict[str, np.ndarray], network: Network) -> np.ndarray:
    lists = network.stations["list"] >= 0
    return np.asarray(outcome["snapshots"]["overdue"][:, lists].sum(axis=1))


@pytest.mark.parametrize("stations", [LISTS["stations"], LISTS["stations"][::-1]])
def test_who_is_overdue_so_far_is_what_the_outcome_will_show(stations: list[Document]) -> None:
    network = Network.from_dict({**LISTS, "stations": stations})
    outcome, _, _ = compiled.simulate_once(network, SEED, REPLICATION)
    overdue = overdue_of(outcome, network)
    assert len(set(overdue.tolist())) > 5
    one = begun(network)
    for look in (0, 1, 11, 30, 57):
        run_to(one, min(np.nextafter(7.0 * look, np.inf), network.horizon))
        assert overdue_until_now(one, look + 1).tolist() == overdue[: look + 1].tolist()
    run_to(one, network.horizon)
    close(one)
    assert tally.outcome(one)["snapshots"].tobytes() == outcome["snapshots"].tobytes()


@pytest.mark.parametrize("level", [4, 12, 20])
def test_it_is_settled_as_at_the_end(level: int) -> None:
    """Whether more than some are overdue at snapshot 40, of 60 replications; nobody waits for snapshot 57 to know."""
    network = Network.from_dict(LISTS)
    longest = []

    def settled(path: np.ndarray) -> bool | None:
        longest.append(len(path))
        return bool(path[40] > level) if len(path) > 40 else None

    share = [simulate_until_settled(network, SEED, i, [20, 42], settled) for i in range(60)]
    assert max(longest) == 43
    expected = []
    for i in range(60):
        outcome, _, _ = compiled.simulate_once(network, SEED, i)
        expected.append(float(overdue_of(outcome, network)[40] > level))
    assert share == expected


@pytest.mark.parametrize("name", NETWORKS)
def test_who_is_overdue_so_far_in_each_kind_of_network(name: str) -> None:
    network = Network.from_dict(NETWORKS[name])
    outcome, _, _ = compiled.simulate_once(network, SEED, REPLICATION)
    overdue, one = overdue_of(outcome, network).tolist(), begun(network)
    for look in range(len(overdue)):
        run_to(one, min(np.nextafter(look * network.snapshot_every, np.inf), network.horizon))
        assert overdue_until_now(one, look + 1).tolist() == overdue[: look + 1]


def test_who_goes_to_another_queue_of_the_list_when_overdue_counts_once() -> None:
    """Ten wait; after 20 days a review sends them on to a queue of the same list, where they wait on."""
    long = {"servers": 1, "service": {"distribution": "deterministic", "mean": 500.0}, "waiting_list": "all"}
    review = {"after": {"distribution": "deterministic", "mean": 20.0}, "review_at": "desk"}
    desk = {"name": "desk", "servers": "inf", "service": {"distribution": "deterministic", "mean": 1.0}}
    network = Network.from_dict(
        {
            "horizon": 60.0,
            "snapshot_every": 5.0,
            "waiting_norm": 10.0,
            "classes": ["a"],
            "stations": [
                {"name": "first", **long, "initial": {"waiting": {"a": 10}}, "while_waiting": [review]},
                {"name": "second", **long},
                desk,
            ],
            "arrivals": [{"class": "a", "station": "desk", "rate": 1.0}],
            "routes": [{"from": "desk", "on": "review", "to": {"second": 1.0}}],
        }
    )
    outcome, _, _ = compiled.simulate_once(network, SEED, REPLICATION)
    overdue, one = overdue_of(outcome, network).tolist(), begun(network)
    assert overdue == [0] * 3 + [9] + [8] * 9
    run_to(one, np.nextafter(40.0, np.inf))
    assert overdue_until_now(one, 9).tolist() == overdue[:9]


def assert_in_two(network: Network, look: int) -> None:
    """The first part is the fold of the log so far, at a horizon just after the snapshot; the whole is the whole."""
    outcome, log, _ = compiled.simulate_once(network, SEED, REPLICATION, log=True)
    assert log is not None
    pause = min(float(np.nextafter(look * network.snapshot_every, np.inf)), network.horizon)
    over = network.periods[: max(1, int((network.periods <= pause).sum()))]
    until = dataclasses.replace(network, horizon=pause, periods=over)
    expected = tally.replay(until, log[log["time"] < pause])
    ended, nothing = simulate_in_two(network, SEED, REPLICATION, look, lambda overdue: len(overdue) == look + 1)
    first, whole = simulate_in_two(network, SEED, REPLICATION, look, lambda overdue: None)
    assert nothing is None
    assert whole is not None
    for name, array in outcome.items():
        assert whole[name].tobytes() == array.tobytes(), name
        assert first[name].tobytes() == ended[name].tobytes(), name
        if name != "held":  # a fold knows of rules only what their stations show
            assert first[name].tobytes() == expected[name].tobytes(), name


@pytest.mark.parametrize("part", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("name", NETWORKS)
def test_in_two_in_each_kind_of_network(name: str, part: float) -> None:
    network = Network.from_dict(NETWORKS[name])
    assert_in_two(network, int(part * (len(tally.snapshot_times(network)) - 1)))


@settings(max_examples=40)
@given(document=documents(), part=st.floats(0.0, 1.0))
def test_in_two_in_any_network(document: Document, part: float) -> None:
    network = Network.from_dict(document)
    assert_in_two(network, int(part * (len(tally.snapshot_times(network)) - 1)))
