"""The state of one replication in the compiled engine: arrays, not objects.

Memory grows with the residents present, not with all who ever came: a resident has a *slot*, which is used again after
leaving. Slot 0 stands for nobody. Appointments, queues and free slots are lists threaded through the slots.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple
from weakref import WeakKeyDictionary

import numpy as np

from flowsim.model import draws, events, tables, tally
from flowsim.model import network as n
from flowsim.model.memory import Addresses, Block, Shapes, aligned, table
from flowsim.model.tables import WORD

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
IN_MOMENT: Final = 1
IN_HEAP: Final = 2
IN_DAY: Final = 3
KEPT: Final = 4
IN_HAND: Final = 5

MOMENTS: Final = 8192
"""Parts of a day of the calendar (see `flowsim.engines.calendar`), a power of 2."""
A_DAY: Final = 2048
"""Appointments in a day of the calendar, about, with those of the busiest streams."""
MOST_SERVERS: Final = 2**14
"""Servers for whom there are slots from the start."""
PAGE: Final = 16
"""Words of a page of a day: the page before it, and appointments of 15 slots."""

AHEAD: Final = 16
"""Arrivals of a stream that are worked out together, a power of 2."""
FRONT: Final = 4
"""Streams, the busiest, whose arrivals never stand in the calendar."""

RESIDENT: Final = np.dtype(
    [
        ("time", "f8"),
        ("key", "u8"),
        ("id", "i8"),
        ("since", "f8"),
        ("joined", "f8"),
        ("next", "u4"),
        ("prev", "u4"),
        ("behind", "u4"),
        ("loop", "u4"),
        ("patient_class", "u2"),
        ("station", "i2"),
        ("kind", "u1"),
        ("held", "u1"),
        ("clock", "u1"),
        ("state", "u1"),
    ]
)
"""A slot, one cache line: somebody, and the one appointment that he has (who waits has the first of his clocks in the
calendar): ``time``, ``kind``, where it is ``held``, its neighbours there (``next`` also of free slots). ``behind``: who
is next in the queue; of somebody in service the code of the way that he takes afterwards, and one more; 0: it is not
known. ``clock``: which of the clocks of somebody who waits is in the calendar. A document has at most 30,000 classes,
so that 16 bits hold one."""
ASIDE: Final = np.dtype([("factor", "f8"), ("ahead", "u4"), ("twin", "u4"), ("ordinal", "u4"), ("level", "u4")])
"""What is rarely asked of a slot: ``factor`` of services to come; who is ``ahead`` in the queue; ``twin``: slot of the
place on a second list, and of a place on a second list its owner; ``ordinal`` of the last companion (of a stream: of
the rate that is in force); ``level`` in the queue (of a stream: its place among the busiest, from 1 on, or 0)."""
COMING: Final = np.dtype([("time", "f8"), ("key", "u8")])
AT_FRONT: Final = np.dtype([("time", "f8"), ("slot", "i8")])
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
        ("course", "i4"),
    ]
)
"""A station. ``step``, ``release``: how many steps of its servers and its quota are passed; ``course``: how far behind
its own steps in ``steps`` those are that it follows (0, until a stop rule gives it other servers)."""
QUEUE: Final = np.dtype([("head", "u4"), ("tail", "u4")])
ENTRY: Final = np.dtype([("time", "f8"), ("rank", "u8"), ("slot", "i8")])
HEAD: Final = np.dtype([("head", "u4")])
DAY: Final = np.dtype([("page", "u4"), ("count", "u4")])
ON_PAGE: Final = np.dtype([("slot", "u4")])
STATE: Final = np.dtype(
    [
        ("next_epoch", "f8"),
        ("arrival_time", "f8"),
        ("arrival_rank", "u8"),
        ("arrival_key", "u8"),
        ("arrival_slot", "i8"),
        ("events", "i8"),
        ("epoch", "i8"),
        ("used", "i8"),
        ("free", "i8"),
        ("top", "i8"),
        ("log_size", "i8"),
        ("heap_size", "i8"),
        ("open_day", "i8"),
        ("open_moment", "i8"),
        ("hand", "i8"),
        ("free_page", "i8"),
        ("top_page", "i8"),
    ]
)
"""What changes as a replication goes on, one row. ``hand``: the slot with the next appointment of the calendar, or 0.
``arrival_*`` : the next resident of the busiest streams, and the slot of the stream; at infinity: nobody."""

residents = table("residents", RESIDENT)
aside = table("aside", ASIDE)
coming = table("coming", COMING, columns="ahead")
"""The next arrivals of a stream, by number modulo `AHEAD`."""
front = table("front", AT_FRONT)
"""The busiest streams, in the order of all streams: slot, and when the next resident but those in hand comes."""
ring = table("rings", RING, columns="ring_count")
"""Clock ``j`` of a slot; 0 is patience."""
places = table("places", PLACE)
queue = table("queues", QUEUE, columns="level_count")
"""Head and tail of one level of a station's queue."""
heap = table("heap", ENTRY)
heads = table("heads", HEAD)
"""Lists of the moments of the open day."""
marks = table("marks", WORD)
"""A bit for each moment."""
days = table("days", DAY)
"""The last page of each day, and how many slots stand on it."""
pages = table("pages", ON_PAGE)
"""The words of all pages, `PAGE` each; page 0 is none."""
log = table("log", events.EVENT)
states = table("state", STATE)


def slots_needed(network: n.Network, expected: float) -> int:
    """Slots to begin with: the fixed ones, those present at time zero or, within reason, all servers, and half as many
    again, and some room; few different numbers, so that futures of a region fit into each other's places.
    ``expected``: residents over the horizon."""
    present = int(network.initial["waiting"].sum() + network.initial["in_service"].sum())
    servers = network.stations["servers"]
    limited = int(servers[servers < n.ALWAYS_OPEN].clip(max=MOST_SERVERS).sum())
    present = max(present, min(limited, MOST_SERVERS, int(expected)))
    fixed = 1 + len(network.streams) + 2 * len(network.stations) + len(network.stop_rules)
    return -(-(fixed + present + present // 2 + 512) // 512) * 512


def log_lines(network: n.Network) -> int:
    """Lines of the log to begin with: four for everybody expected, within reason; it grows."""
    return min(4 * int(network.expected_arrivals), 2**20) + 1024


def pages_needed(slots: int, day_count: int) -> int:
    """Pages that suffice when each day has one that is not full, for every slot and as many that were taken back."""
    return day_count + 2 * (slots // (PAGE - 1)) + 64


class Features(NamedTuple):
    """What the rules of a network can do, 0 or 1: the engine is compiled for each combination that is used, and what a
    network does not use is no part of its machine code.

    queue_rules : somebody who waits may leave for another reason than a free server, or not in order of arrival, or be
    changed by it (reneging, class change, reviews, visits, second lists, priorities, service factors).
    calendar_rules : stations or routes change at set times (schedules, quotas, stop rules, route epochs).
    """

    queue_rules: int
    calendar_rules: int


EVERYTHING: Final = Features(1, 1)


def features_of(network: n.Network) -> Features:
    """The features that a network uses."""
    network = network.alike
    known = _features.get(network)
    if known is None:
        known = _features[network] = _used_by(network)
    return known


_features: WeakKeyDictionary[n.Network, Features] = WeakKeyDictionary()


def _used_by(network: n.Network) -> Features:
    cells, stations = network.cells, network.stations
    queue_rules = (
        (cells["patience"] >= 0).any()
        or (cells["clock_count"] > 0).any()
        or (stations["levels"] > 1).any()
        or stations["uses_service_factor"].any()
        or (network.pools["second_list"] > 0.0).any()
    )
    calendar_rules = (
        len(network.stop_rules) > 0
        or len(network.route_times) > 1
        or (stations["servers_count"] > 0).any()
        or (stations["quota_count"] > 0).any()
        or (stations["tokens"] < n.ALWAYS_OPEN).any()
    )
    return Features(int(queue_rules), int(calendar_rules))


def build(features: Features, logging: bool) -> str:
    """Name of the machine code that runs networks with these features."""
    return "".join(str(flag) for flag in (*features, int(logging)))


class _Plan(NamedTuple):
    """What worlds of one network have in common: the shapes of what changes, and a world to copy."""

    clear: Shapes
    other: Shapes
    first: Addresses


def _plan(network: n.Network, logging: bool, features: Features) -> _Plan:
    """The plan that is known, or that of the network's pattern with its own numbers, or a new one."""
    plans = _plans.setdefault(network, {})
    plan = plans.get((logging, features))
    if plan is None:
        pattern = network.alike
        if pattern is network:
            plan = _new_plan(network, logging, features)
        else:  # room as for the pattern; there will be more, should that not do
            like = _plan(pattern, logging, features)
            changed = ((name, getattr(network, name)) for name in tables.ARRAYS)
            own = {name: array for name, array in changed if array is not getattr(pattern, name)}
            plan = like._replace(first=like.first.but(own))
            for name, (_, value) in tables.settings(network).items():
                plan.first.record[name] = value
        plans[(logging, features)] = plan
    return plan


def _new_plan(network: n.Network, logging: bool, features: Features) -> _Plan:
    expected = max(network.expected_arrivals, 16.0)
    slots = slots_needed(network, expected)
    day_count = 1 << min(17, max(4, math.ceil(math.log2(3.0 * expected / A_DAY))))
    stations = len(network.stations)
    rings = 1 + int(network.cells["clock_count"].max(initial=0))
    levels = int(network.stations["levels"].max(initial=1))
    log_length = log_lines(network) if logging else 1
    # A line of reserve per slot in use for what one appointment can lead to; more when stations can close.
    reserve = 4 + (2 * stations if len(network.stop_rules) else 0)
    page_count = pages_needed(slots, day_count)
    clear = tally.shapes(network) | {
        "places": ((stations,), PLACE),
        "queues": ((stations, levels), QUEUE),
        "heads": ((MOMENTS,), HEAD),
        "marks": ((MOMENTS // 64,), WORD),
        "days": ((day_count,), DAY),
        "front": ((FRONT,), AT_FRONT),
        "coming": ((max(1, len(network.streams)), AHEAD), COMING),
        "state": ((1,), STATE),
    }
    other = {  # written before it is read
        "residents": ((slots,), RESIDENT),
        "aside": ((slots,), ASIDE),
        "pages": ((page_count * PAGE,), ON_PAGE),
        "rings": ((slots, rings), RING),
        "log": ((log_length,), events.EVENT),
        "heap": ((4 * slots,), ENTRY),
    }
    settings = {
        "key": ("u8", 0),
        "until": ("f8", network.horizon),
        "scale": ("f8", day_count / network.horizon * MOMENTS),
        "last_moment": ("i8", day_count * MOMENTS - 1),
        "slot_count": ("i8", slots),
        "ahead": ("i8", AHEAD),
        "ring_count": ("i8", rings),
        "level_count": ("i8", levels),
        "day_count": ("i8", day_count),
        "page_count": ("i8", page_count),
        "log_length": ("i8", log_length),
        "log_reserve": ("i8", reserve),
    }
    changing = {name: np.empty(0, dtype) for name, (_, dtype) in {**clear, **other}.items()}
    fixed = {name: getattr(network, name) for name in tables.ARRAYS} | tally.fixed(network)
    constants = {"logging": int(logging), **features._asdict()}
    settings = tables.settings(network) | tally.settings(network) | settings
    return _Plan(clear, other, Addresses(changing | fixed, settings, constants))


_plans: WeakKeyDictionary[n.Network, dict[tuple[bool, Features], _Plan]] = WeakKeyDictionary()


def create(
    network: n.Network,
    seed: int,
    replication: int,
    logging: bool,
    features: Features | None = None,
    block: Block | None = None,
) -> Addresses:
    """A world at time zero, still without residents: the network's tables, an empty tally, and room. ``features``: more
    than the network uses; None: just those. ``block``: where it is to be; None: in memory of its own."""
    plan = _plan(network, logging, features or features_of(network))
    arrays, places = (Block() if block is None else block).arrays(plan.clear, plan.other)
    world = plan.first.elsewhere(arrays, places)
    world.record["key"] = draws.replication_key(seed, replication)
    arrays["turn"]["turns"] = -math.inf
    start = arrays["places"]
    start["capacity"] = network.stations["servers"]
    start["limit"] = network.stations["queue_limit"]
    start["tokens"] = network.stations["tokens"]
    state = arrays["state"]
    state["top"], state["open_day"], state["top_page"] = 1, -1, 1
    state["next_epoch"] = network.route_times[1] if len(network.route_times) > 1 else math.inf
    state["arrival_time"] = math.inf
    return world


def _grown(array: np.ndarray, length: int) -> np.ndarray:
    """A longer copy of an array, zeros behind."""
    longer = aligned((length, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


def add_slots(world: Addresses) -> None:
    """Give the world twice the slots."""
    slots = 2 * len(world["residents"])
    for name in ("residents", "aside", "rings"):
        world.put(name, _grown(world[name], slots))
    world.put("heap", _grown(world["heap"], 4 * slots))
    world.record["slot_count"] = slots
    page_count = pages_needed(slots, int(world.record["day_count"][0]))
    world.put("pages", _grown(world["pages"], page_count * PAGE))
    world.record["page_count"] = page_count


def lengthen_log(world: Addresses) -> None:
    """Give the world a log of more than twice the length, with the reserve that the next appointment may need."""
    needed = int(world.record["log_reserve"][0] * world["state"]["used"][0]) + 64
    length = 2 * len(world["log"]) + needed
    world.put("log", _grown(world["log"], length))
    world.record["log_length"] = length
