"""Replications of which one thing is asked: they run no longer than that takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from flowsim.engines import world as worlds
from flowsim.engines.compiled import begin, go_on
from flowsim.engines.ending import overdue_until_now
from flowsim.model import network as n
from flowsim.model import tally
from flowsim.model.compiling import was_compiled
from flowsim.model.memory import block

Settled: TypeAlias = Callable[[np.ndarray], bool | None]
"""Given the people overdue on all waiting lists together, (J,) by snapshot so far: whether, or None when that depends
on what is still to come."""


def simulate_until_settled(
    network: n.Network, seed: int, replication: int, looks: Sequence[int], settled: Settled
) -> bool:
    """Whether something holds of a replication, simulated for as long as that takes.

    Parameters
    ----------
    looks : numbers of the snapshots at which to look, rising; at the last one of all it looks in any case.
    settled : see `Settled`; None at the last snapshot counts as no.
    """
    features = worlds.features_of(network)
    last = len(tally.snapshot_times(network)) - 1
    with block() as room:
        world = begin(network, seed, replication, False, features, room)
        for look in (*(one for one in looks if one < last), last):
            just_after = np.nextafter(look * network.snapshot_every, np.inf)
            world.record["until"] = min(just_after, network.horizon)
            go_on(world)
            found = settled(overdue_until_now(world, look + 1))
            if found is not None:
                break
        was_compiled(worlds.build(features, False))
        return bool(found)
