"""The engine compiled in advance: what it runs on must be there as long as it runs."""

from __future__ import annotations

import gc
import weakref
from typing import Any

import pytest
from network_documents import RICH

from flowsim.engines import warming, world
from flowsim.model.network import Network


@pytest.mark.parametrize(
    ("half", "steps"), [("compile_loop", ["run"]), ("compile_doors", ["open_doors", "seat", "close"])]
)
def test_the_world_is_kept_while_its_record_is_used(
    half: str, steps: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record of addresses keeps no memory: compiled code would run in what Python has given to somebody else."""
    made: list[weakref.ref[Any]] = []
    create = world.create
    ran: list[str] = []

    def noted(*arguments: Any) -> Any:
        one = create(*arguments)
        made.append(weakref.ref(one))
        return one

    def watched(name: str) -> Any:
        step = getattr(warming, name)

        def checked(*arguments: Any) -> Any:
            gc.collect()
            assert [one() for one in made] != [None], f"{name}: the world is gone"
            ran.append(name)
            return step(*arguments)

        return checked

    monkeypatch.setattr(warming.worlds, "create", noted)
    for name in steps:
        monkeypatch.setattr(warming, name, watched(name))
    network = Network.from_dict(RICH)
    getattr(warming, half)(network, world.features_of(network))
    assert ran == steps
