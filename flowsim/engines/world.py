"""The state of one replication in the compiled engine: arrays, not objects.

Memory grows with the residents present, not with all who ever came: a resident has a *slot*, which is used again after
leaving. Slot 0 stands for nobody. Appointments, queues and free slots are lists threaded through the slots.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from flowsim.model import draws, events, tables, tally
from flowsim.model import network as n
from flowsim.model.compiling import inlined
from flowsim.model.memory import Addresses, table

# What a slot is used for.
FREE: Final = 0
WAITING: Final = 1
SERVING: Final = 2
TICKET: Final = 3
STREAM: Final = 4
STATION: Final = 5
MOVING: Final = 6

# Where a slot's appointment is held.
NOWHERE: Final = 0
IN_BIN: Final = 1
IN_HEAP: Final = 2

RESIDENT: Final = np.dtype(
    [
        ("time", "f8"),
        ("rank", "u8"),
        ("since", "f8"),
        ("joined", "f8"),
        ("factor", "f8"),
        ("key", "u8"),
        ("id", "i8"),
        ("next", "u4"),
        ("prev", "u4"),
        ("behind", "u4"),
        ("ahead", "u4"),
        ("ticket", "u4"),
        ("owner", "u4"),
        ("loop", "u4"),
        ("ordinal", "u4"),
        ("station", "i4"),
        ("patient_class", "i4"),
        ("level", "i4"),
        ("clock", "u1"),
        ("state", "u1"),
        ("held", "u1"),
        ("pad", "u1"),
    ]
)
"""A slot. ``time``, ``rank``: its one appointment (who waits has the first of his clocks in the calendar);
``next``/``prev``: neighbours in the calendar; ``behind``/``ahead``: in the queue; ``ticket``: slot of the place on a
second list, whose ``owner`` points back."""
RING: Final = np.dtype([("time", "f8"), ("count", "i8")])
PLACE: Final = np.dtype(
    [
        ("capacity", "i8"),
        ("busy", "i8"),
        ("tokens", "i8"),
        ("waiting", "i8"),
        ("limit", "i8"),
        ("starts", "i8"),
        ("step", "i4"),
        ("release", "i4"),
        ("closed", "i4"),
        ("pad", "i4"),
    ]
)
QUEUE: Final = np.dtype([("head", "u4"), ("tail", "u4")])
APPOINTMENT: Final = np.dtype([("time", "f8"), ("rank", "u8"), ("slot", "u4"), ("pad", "u4")])
HEAD: Final = np.dtype([("head", "u4")])

residents = table("residents", RESIDENT)
places = table("places", PLACE)
heap = table("heap", APPOINTMENT)
bins = table("bins", HEAD)
log = table("log", events.EVENT)
_queues = table("queues", QUEUE)
_rings = table("rings", RING)


@inlined
def queue(w: Any, k: Any, level: Any) -> Any:
    """Head and tail of one level of a station's queue."""
    return _queues(w, np.int64(k) * w.level_count + level)


@inlined
def ring(w: Any, slot: Any, j: Any) -> Any:
    """Clock ``j`` of a slot; 0 is patience."""
    return _rings(w, np.int64(slot) * w.ring_count + j)


def slots_needed(network: n.Network) -> int:
    """Slots to begin with: the fixed ones, those present at time zero and half as many again, and some room."""
    present = int(network.initial["waiting"].sum() + network.initial["in_service"].sum())
    fixed = 1 + len(network.streams) + 2 * len(network.stations) + len(network.stop_rules)
    return fixed + present + present // 2 + 512


def log_lines(network: n.Network) -> int:
    """Lines of the log to begin with: four for everybody expected, within reason; it grows."""
    return min(4 * int(network.expected_arrivals), 2**20) + 1024


def create(network: n.Network, seed: int, replication: int, logging: bool) -> Addresses:
    """A world at time zero, still without residents: the network's tables, an empty tally, and room."""
    slots = slots_needed(network)
    expected = max(network.expected_arrivals, 16.0)
    bin_count = 1 << min(17, max(6, round(math.log2(expected))))
    rings = 1 + int(network.cells["clock_count"].max(initial=0))
    levels = int(network.stations["levels"].max(initial=1))
    log_length = log_lines(network) if logging else 1
    # A line of reserve per slot in use for what one appointment can lead to; more when stations can close.
    reserve = 4 + (2 * len(network.stations) if len(network.stop_rules) else 0)
    start = np.zeros(len(network.stations), PLACE)
    start["capacity"] = network.stations["servers"]
    start["limit"] = network.stations["queue_limit"]
    start["tokens"] = network.stations["tokens"]
    arrays = {name: getattr(network, name) for name in tables.ARRAYS}
    arrays |= tally.arrays(network)
    arrays |= {
        "residents": np.zeros(slots, RESIDENT),
        "rings": np.zeros((slots, rings), RING),
        "heap": np.zeros(4 * slots, APPOINTMENT),
        "places": start,
        "queues": np.zeros((len(network.stations), levels), QUEUE),
        "bins": np.zeros(bin_count, HEAD),
        "log": np.zeros(log_length, events.EVENT),
    }
    state = {
        "key": ("u8", draws.replication_key(seed, replication)),
        "now": ("f8", 0.0),
        "scale": ("f8", bin_count / network.horizon),
        "slot_count": ("i8", slots),
        "ring_count": ("i8", rings),
        "level_count": ("i8", levels),
        "bin_count": ("i8", bin_count),
        "open_bin": ("i8", -1),
        "heap_size": ("i8", 0),
        "epoch": ("i8", 0),
        "log_length": ("i8", log_length),
        "log_size": ("i8", 0),
        "log_reserve": ("i8", reserve),
        "logging": ("i8", int(logging)),
        "events": ("i8", 0),
        "used": ("i8", 0),
        "free": ("u4", 0),
        "top": ("u4", 1),
    }
    return Addresses(arrays, tables.settings(network) | tally.settings(network) | state)


def _grown(array: np.ndarray, length: int) -> np.ndarray:
    """A longer copy of an array, zeros behind."""
    longer = np.zeros((length, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


def add_slots(world: Addresses) -> None:
    """Give the world twice the slots."""
    slots = 2 * len(world["residents"])
    world.put("residents", _grown(world["residents"], slots))
    world.put("rings", _grown(world["rings"], slots))
    world.put("heap", _grown(world["heap"], 4 * slots))
    world.record["slot_count"] = slots


def lengthen_log(world: Addresses) -> None:
    """Give the world a log of more than twice the length, with the reserve that the next appointment may need."""
    needed = int(world.record["log_reserve"][0] * world.record["used"][0]) + 64
    length = 2 * len(world["log"]) + needed
    world.put("log", _grown(world["log"], length))
    world.record["log_length"] = length
