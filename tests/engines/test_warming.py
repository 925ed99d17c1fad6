"""The engine compiled in advance: it runs on a world where nothing is about to happen, and nothing does."""

from __future__ import annotations

from itertools import product

import pytest
from network_documents import RICH

from flowsim.engines import compiled, warming, world
from flowsim.model.network import Network


@pytest.mark.parametrize(("features", "logging"), [((1, 1), False), ((1, 1), True), ((0, 0), False)])
def test_before_the_doors_open_nothing_happens(features: tuple[int, int], logging: bool) -> None:
    """No arrival is in hand yet: one at time zero would come from a stream that does not exist."""
    made = world.create(Network.from_dict(RICH), 1, 0, logging, world.Features(*features))
    assert made["state"]["arrival_time"][0] == float("inf")
    assert compiled.run(made) == compiled.DONE
    assert made["state"]["events"][0] == 0
    assert made["state"]["log_size"][0] == 0


@pytest.mark.parametrize(("half", "logging"), list(product(("compile_loop", "compile_doors"), (False, True))))
def test_each_half_runs_by_itself(half: str, logging: bool) -> None:
    network = Network.from_dict(RICH)
    before = compiled.simulate_once(network, 3, 0)
    getattr(warming, half)(network, world.features_of(network), logging)
    after = compiled.simulate_once(network, 3, 0)
    assert before[2] == after[2]
    assert all(before[0][name].tobytes() == after[0][name].tobytes() for name in before[0])
