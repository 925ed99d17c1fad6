"""A network's arrays as compiled code sees them: accessors, and the record of addresses.

``w`` is any record (`flowsim.model.memory.Addresses`) that holds the addresses of a network's tables: the network's
own (`addresses`), or the world of a replication. K stations, C classes; two-dimensional tables are laid out row by row.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from flowsim.model import network as n
from flowsim.model.compiling import inlined_step
from flowsim.model.memory import Addresses, table

NUMBER: Final = np.dtype([("value", "f8")])
CODE: Final = np.dtype([("value", "i4")])
WORD: Final = np.dtype([("value", "u8")])

stations = table("stations", n.STATION)
rows = table("rows", n.ROW)
ways = table("ways", n.WAY)
way_below = table("way_below", WORD)
distributions = table("distributions", n.DISTRIBUTION)
values = table("values", NUMBER)
clocks = table("clocks", n.CLOCK)
pools = table("pools", n.POOL)
members = table("members", CODE)
member_below = table("member_below", WORD)
streams = table("streams", n.STREAM)
steps = table("steps", n.STEP)
stop_rules = table("stop_rules", n.STOP_RULE)
rule_stations = table("rule_stations", CODE)
rule_servers = table("rule_servers", n.OTHER_SERVERS)
class_mix = table("class_mix", WORD)
route_times = table("route_times", NUMBER)
initial = table("initial", n.INITIAL)
cell = table("cells", n.CELL, columns="class_count")
"""What holds for a class at a station: ``cell(w, k, c)``."""
_route_rows = table("route_rows", CODE, columns="class_count")

ARRAYS: Final = (
    "stations",
    "cells",
    "route_times",
    "route_rows",
    "rows",
    "ways",
    "way_below",
    "distributions",
    "values",
    "clocks",
    "pools",
    "members",
    "member_below",
    "streams",
    "steps",
    "initial",
    "class_mix",
    "stop_rules",
    "rule_stations",
    "rule_servers",
)


@inlined_step
def route_row(w: Any, epoch: Any, k: Any, c: Any) -> Any:
    """Code of the row of ways on completion, in this route epoch."""
    return _route_rows(w, epoch * w.station_count + k, c).value


def settings(network: n.Network) -> dict[str, tuple[str, Any]]:
    """The plain settings that stand beside the addresses."""
    return {
        "station_count": ("i8", len(network.stations)),
        "class_count": ("i8", len(network.class_names)),
        "stream_count": ("i8", len(network.streams)),
        "rule_count": ("i8", len(network.stop_rules)),
        "epoch_count": ("i8", len(network.route_times)),
        "group_count": ("i8", len(network.initial)),
        "horizon": ("f8", network.horizon),
    }


def addresses(network: n.Network) -> Addresses:
    """The network's tables, for compiled functions that Python calls."""
    return Addresses({name: getattr(network, name) for name in ARRAYS}, settings(network))
