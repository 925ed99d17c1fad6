"""Two engines, one trajectory: logs equal to the last bit, outcomes that mean the same, on all kinds of networks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_documents import NETWORKS, RICH, Document, documents

from flowsim.engines import compiled, reference
from flowsim.model import events, tally
from flowsim.model.network import Network


def first_difference(one: np.ndarray, other: np.ndarray) -> str:
    """The lines around the first place where two logs part."""
    shared = min(len(one), len(other))
    apart = np.flatnonzero(one[:shared] != other[:shared])
    i = int(apart[0]) if len(apart) else shared
    lines = [f"line {i} of {len(one)} and {len(other)}"]
    for engine, log in (("compiled", one), ("reference", other)):
        lines.append(engine)
        for e in log[max(0, i - 4) : i + 3]:
            kind = events.KIND_NAMES[int(e["kind"])]
            lines.append(f"  {e['time']!r} {kind} {e['resident']:#x} at {e['station']} class {e['patient_class']}")
    return "\n".join(lines)


def assert_equal(network: Network, seed: int, replication: int) -> np.ndarray:
    """Both engines give the same log, outcomes and number of appointments; the log."""
    fast, log, appointments = compiled.simulate_once(network, seed, replication, log=True)
    plain, told, counted = reference.simulate_once(network, seed, replication, log=True)
    assert log is not None
    assert told is not None
    assert log.tobytes() == told.tobytes(), first_difference(log, told)
    assert appointments == counted
    replayed = tally.replay(network, log)
    assert fast.keys() == replayed.keys() == plain.keys()
    for name in fast:
        assert fast[name].tobytes() == replayed[name].tobytes() == plain[name].tobytes(), name
    return log


@settings(max_examples=150)
@given(document=documents(), replication=st.integers(0, 3))
def test_engines_agree(document: Document, replication: int) -> None:
    assert_equal(Network.from_dict(document), 7, replication)


@pytest.mark.parametrize("name", NETWORKS)
def test_engines_agree_on_each_kind_of_network(name: str) -> None:
    assert_equal(Network.from_dict(NETWORKS[name]), 5, 1)


@pytest.mark.parametrize("kind", ["deterministic", "exponential"])
def test_engines_agree_where_hardly_anybody_comes(kind: str) -> None:
    """The compiled engine's calendar is empty most of the time, and days of it pass with nothing but an arrival."""
    stations = [
        {"name": "desk", "servers": 1, "service": {"distribution": kind, "mean": 2.0}},
        {"name": "home", "servers": "inf", "service": {"distribution": kind, "mean": 300.0}},
    ]
    doors = [{"class": "a", "station": k, "interval": {"distribution": kind, "mean": 97.0}} for k in ("desk", "home")]
    routes = [{"from": "desk", "to": {"home": 0.2, "desk": 0.2, "exit": 0.6}}]
    document = {"horizon": 20_000.0, "classes": ["a"], "stations": stations, "arrivals": doors, "routes": routes}
    assert len(assert_equal(Network.from_dict(document), 3, 0)) > 1_000


@pytest.mark.parametrize("replication", range(5))
def test_engines_agree_where_every_feature_is_used(replication: int) -> None:
    log = assert_equal(Network.from_dict(RICH), 11, replication)
    assert set(events.KIND_NAMES) == set(np.unique(log["kind"]).tolist())


@pytest.mark.parametrize("interval", [0.5, 0.96])
def test_engines_agree_where_the_next_appointment_is_often_another_one(interval: float) -> None:
    """The compiled engine has it in hand already: it may be taken back (patience of who is served just before it would
    end), and something may come before it (a service far shorter than the next arrival is away)."""
    stations = [
        {"name": "desk", "servers": 1, "service": {"distribution": "deterministic", "mean": 1.0}}
        | {"patience": {"distribution": "uniform", "low": 0.9, "high": 2.2}},
        {"name": "brief", "servers": 2, "service": {"distribution": "uniform", "low": 0.0, "high": 0.01}},
    ]
    arrivals = {"class": "a", "station": "desk", "interval": {"distribution": "deterministic", "mean": interval}}
    routes = [
        {"from": "desk", "to": {"brief": 0.7, "exit": 0.3}},
        {"from": "brief", "to": {"brief": 0.6, "exit": 0.4}},
        {"from": "desk", "on": "renege", "to": {"brief": 1.0}},
    ]
    document = {"horizon": 400.0, "classes": ["a"], "stations": stations, "arrivals": [arrivals], "routes": routes}
    log = assert_equal(Network.from_dict(document), 3, 0)
    assert (log["kind"] == events.RENEGE).any()
