"""The compiled engine in two halves that can be compiled side by side, each in a process of its own.

A half is compiled by running it on a world where nothing is about to happen, with the features of the networks to come.
"""

from __future__ import annotations

from flowsim.engines import world as worlds
from flowsim.engines.compiled import run
from flowsim.engines.doors import open_doors, seat
from flowsim.engines.ending import close, overdue_until_now
from flowsim.engines.initial import residents_at_start
from flowsim.model import network as n
from flowsim.model import tally


def compile_loop(network: n.Network, features: worlds.Features, logging: bool = False) -> None:
    """Compile the event loop alone."""
    run(worlds.create(network, 0, 0, logging, features))


def compile_doors(network: n.Network, features: worlds.Features, logging: bool = False) -> None:
    """Compile all that comes before and after the event loop."""
    world = worlds.create(network, 0, 0, logging, features)
    open_doors(world)
    seat(world, residents_at_start(network, world, world.record["key"][0]))
    overdue_until_now(world, 1)
    close(world)
    tally.outcome(world)
