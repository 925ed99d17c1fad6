"""The compiled engine in two halves that can be compiled side by side, each in a process of its own."""

from __future__ import annotations

from flowsim.engines import world as worlds
from flowsim.engines.compiled import open_doors, present_at_end, run, seat
from flowsim.engines.initial import residents_at_start
from flowsim.model import network as n
from flowsim.model import tally


def compile_loop(network: n.Network) -> None:
    """Compile the event loop alone, by running it on a world where nothing is about to happen."""
    run(worlds.create(network, 0, 0, False).record[0])


def compile_doors(network: n.Network) -> None:
    """Compile all that comes before and after the event loop."""
    world = worlds.create(network, 0, 0, False)
    w = world.record[0]
    open_doors(w)
    seat(w, residents_at_start(network, world, world.record["key"][0]))
    tally.close(w, present_at_end(world))
