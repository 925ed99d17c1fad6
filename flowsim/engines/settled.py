"""Replications that run no longer than it takes to know what is asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np

from flowsim.engines import world as worlds
from flowsim.engines.compiled import begin, go_on
from flowsim.engines.ending import close, overdue_until_now
from flowsim.model import network as n
from flowsim.model import tally
from flowsim.model.compiling import was_compiled
from flowsim.model.memory import Addresses, block

Settled: TypeAlias = Callable[[np.ndarray], bool | None]
"""Given the people overdue on all waiting lists together, (J,) by snapshot so far: whether, or None when that depends
on what is still to come."""


Outcome: TypeAlias = dict[str, np.ndarray]


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
            _run_until(world, _just_after(look, network))
            found = settled(overdue_until_now(world, look + 1))
            if found is not None:
                break
        was_compiled(worlds.build(features, False))
        return bool(found)


def simulate_in_two(
    network: n.Network, seed: int, replication: int, look: int, settled: Settled
) -> tuple[Outcome, Outcome | None]:
    """A replication up to a snapshot, and the rest of it only where something is not settled by then.

    Parameters
    ----------
    look : number of that snapshot, at most that of the last one.
    settled : see `Settled`; asked once, at this snapshot.

    Returns
    -------
    The outcome arrays (see `flowsim.model.tally.outcome`) as if the horizon came just after the snapshot, with the
    snapshots up to this one and the periods that are over by then; and those of the whole replication, where it goes
    on.
    """
    features = worlds.features_of(network)
    with block() as room:
        world = begin(network, seed, replication, False, features, room)
        pause = _just_after(look, network)
        _run_until(world, pause)
        whole = None
        if settled(overdue_until_now(world, look + 1)) is not None:
            first = _outcome_at(world, network, pause, look)
        else:  # what is counted until now is closed aside, so that the run can go on
            counted = {name: world[name].copy() for name in tally.shapes(network)}
            first = _outcome_at(world.but(counted), network, pause, look)
            _run_until(world, network.horizon)
            close(world)
            whole = tally.outcome(world)
        was_compiled(worlds.build(features, False))
        return first, whole


def _just_after(look: int, network: n.Network) -> float:
    """A snapshot shows what happens at its very moment."""
    return float(min(np.nextafter(look * network.snapshot_every, np.inf), network.horizon))


def _run_until(world: Addresses, time: float) -> None:
    world.record["until"] = time
    go_on(world)


def _outcome_at(world: Addresses, network: n.Network, time: float, look: int) -> Outcome:
    """The outcome of a world that is not run any further, up to a time and a snapshot."""
    world.record["horizon"] = time
    close(world)
    found = tally.outcome(world)
    over = max(0, int(np.searchsorted(network.periods, time, side="right")) - 1)
    for name, count in (("snapshots", look + 1), ("periods", over), ("waits", over)):
        found[name] = found[name][:count]
    return found
