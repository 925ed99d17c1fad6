"""The engine is compiled for what a network uses: each build gives the same, and takes in what it must."""

from __future__ import annotations

import itertools
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
from network_documents import RICH, Document
from test_equality import assert_equal

from flowsim.engines import compiled, reference, world
from flowsim.model.network import Network
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.load import default

DESK = {"name": "desk", "servers": 2, "service": {"distribution": "exponential", "mean": 1.0}}
PLAIN: Document = {
    "horizon": 300.0,
    "snapshot_every": 10.0,
    "classes": ["a", "b"],
    "stations": [DESK, {**DESK, "name": "room", "servers": 3}],
    "arrivals": [{"class": "a", "station": "desk", "rate": 1.2}, {"class": "b", "station": "desk", "rate": 0.6}],
    "routes": [{"from": "desk", "to": {"room": 0.6, "exit": 0.4}}, {"from": "room", "to": {"desk": 0.2, "exit": 0.8}}],
}
PATIENCE = {"distribution": "exponential", "mean": 3.0}


def with_desk(**more: object) -> Document:
    document = deepcopy(PLAIN)
    document["stations"][0] |= more
    return document


USES: dict[str, tuple[Document, tuple[int, int]]] = {
    "plain": (PLAIN, (0, 0)),
    "a full queue": (with_desk(queue_limit=2, on_full={"exit": 1.0}), (0, 0)),
    "reneging": (with_desk(patience=PATIENCE), (1, 0)),
    "priorities": (with_desk(discipline="priority", priority={"a": 1, "b": 0}), (1, 0)),
    "a schedule": (with_desk(servers=[[0.0, 2], [50.0, 4]]), (0, 1)),
    "a quota": (with_desk(quota=[[0.0, 10], [100.0, 40]]), (0, 1)),
    "routes by date": (
        PLAIN | {"routes": [*PLAIN["routes"], {"from": "desk", "start": 100.0, "to": {"room": 1.0}}]},
        (0, 1),
    ),
    "all": (RICH, (1, 1)),
}


@pytest.mark.parametrize("name", USES)
def test_features_are_what_a_network_uses(name: str) -> None:
    document, expected = USES[name]
    assert world.features_of(Network.from_dict(document)) == expected


def test_a_region_uses_everything() -> None:
    assert world.features_of(compile_scenario(default())) == world.EVERYTHING


@pytest.mark.parametrize("name", USES)
def test_engines_agree_whatever_is_compiled(name: str) -> None:
    assert len(assert_equal(Network.from_dict(USES[name][0]), 3, 0)) > 100


def test_a_network_may_begin_with_more_residents_than_its_pattern_has_room_for() -> None:
    """As futures with a much longer list than that of the plan."""
    few = Network.from_dict(with_desk(initial={"waiting": {"a": 3}}))
    initial = few.initial.copy()
    initial["waiting"] = 20_000
    alone = replace(few, initial=initial)
    like = replace(alone, pattern=few)
    assert like.alike is few
    (own, log, _), (other, told, _) = (compiled.simulate_once(one, 4, 2, log=True) for one in (alone, like))
    assert own["snapshots"][0]["waiting"].sum() > 19_000
    for name, array in own.items():
        assert array.tobytes() == other[name].tobytes()
    assert log is not None
    assert told is not None
    assert log.tobytes() == told.tobytes()


@pytest.mark.parametrize("name", ["plain", "a full queue", "reneging", "a schedule"])
def test_a_build_that_can_more_gives_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network.from_dict(USES[name][0])
    own = compiled.simulate_once(network, 4, 2, log=True)
    used = world.features_of(network)
    for more in itertools.product((0, 1), repeat=2):
        if any(other < mine for other, mine in zip(more, used, strict=True)):
            continue
        with monkeypatch.context() as patch:
            patch.setattr(compiled.worlds, "features_of", lambda _, chosen=more: world.Features(*chosen))
            other = compiled.simulate_once(network, 4, 2, log=True)
        assert own[1] is not None
        assert other[1] is not None
        assert own[1].tobytes() == other[1].tobytes()
        assert {k: v.tobytes() for k, v in own[0].items()} == {k: v.tobytes() for k, v in other[0].items()}


def test_pages_full_of_what_was_taken_back_are_tidied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many who wait a moment with patience for years: their clocks are taken back and fill the pages of later days."""
    document = deepcopy(PLAIN)
    document["horizon"] = 10000.0
    document["arrivals"] = [{"class": "a", "station": "desk", "rate": 1.74}]
    for station in document["stations"]:
        station["patience"] = {"distribution": "uniform", "low": 100.0, "high": 10000.0}
    network = Network.from_dict(document)
    worlds = []
    create = world.create

    def kept(*arguments: object) -> world.Addresses:
        worlds.append(create(*arguments))  # type: ignore[arg-type]
        return worlds[-1]

    monkeypatch.setattr(compiled.worlds, "create", kept)
    _, log, _ = compiled.simulate_once(network, 1, 0, log=True)
    (made,) = worlds
    assert made["state"]["top_page"][0] == made.record["page_count"][0], "every page was in use"
    assert made["state"]["free_page"][0] > 0, "and some came free again"
    told = reference.simulate_once(network, 1, 0, log=True)[1]
    assert log is not None
    assert told is not None
    np.testing.assert_array_equal(log, told)
