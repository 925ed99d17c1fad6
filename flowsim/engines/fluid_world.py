"""What the loop of the fluid reads and writes: the rows of its tables, and the accessors (`flowsim.model.memory`).

Settings of ``w``: ``step`` (length), ``steps`` (number), ``before`` (columns of a queue for those who waited at time
zero, one per step of age), ``longest`` (columns in all), ``norm`` and numbers of rows. An amount of people comes with
its weight: the amount times how heavy their treatment is.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from flowsim.model.memory import table

# ---- the same for all futures

CELL: Final = np.dtype(
    [(name, "i8") for name in ["station", "level", "patience_table", "clock_first", "clock_last"]]
    + [(name, "f8") for name in ["inflow", "inflow_weight", "starting", "starting_weight", "present", "present_weight"]]
)
PLACE: Final = np.dtype(
    [(name, "i8") for name in ["cell_first", "cell_last", "tracked", "has_quota", "carries", "uses_factor"]]
    + [(name, "i8") for name in ["memoryless", "closed", "course", "head"]]
    + [(name, "f8") for name in ["limit", "busy", "tokens", "starts", "length", "expected", "left"]]
)
ARC: Final = np.dtype([("rule", "i8"), ("to", "i8"), ("count", "i8"), ("second_list", "f8")])
ROW: Final = np.dtype([("first", "i8"), ("last", "i8")])
MEMBER: Final = np.dtype([("cell", "i8"), ("share", "f8")])
CLOCK: Final = np.dtype([("to", "i8"), ("desk", "i8"), ("table", "i8")])
DESK: Final = np.dtype(
    [("carries", "i8"), ("closed", "i8"), *((name, "f8") for name in ["tokens", "starts", "granted", "asked"])]
)
RULE: Final = np.dtype(
    [(name, "i8") for name in ["step", "first", "close", "last", "starts", "at_least", "other_first", "other_last"]]
)
OTHER: Final = np.dtype([("station", "i8")])
CONCERNED: Final = np.dtype([("station", "i8"), ("desk", "i8")])
ENTRY: Final = np.dtype([("arc", "i8")])
EPOCH: Final = np.dtype([("epoch", "i8")])

# ---- of each future

WAY: Final = np.dtype([("chance", "f8"), ("factor", "f8")])
COURSE: Final = np.dtype([("servers", "f8"), ("released", "f8"), ("residual", "f8")])
NUMBER: Final = np.dtype([("mean", "f8"), ("left", "f8")])
FUTURE: Final = np.dtype([("low", "f8"), ("high", "f8")])
LENGTH: Final = np.dtype([("ends", "f8")])
PART: Final = np.dtype([("part", "f8")])
STAYS: Final = np.dtype([("stays", "f8")])
TOKENS: Final = np.dtype([("tokens", "f8")])
AT: Final = np.dtype([("at", "f8")])
FOUND: Final = np.dtype([("waiting", "f8"), ("overdue", "f8")])

# ---- while it runs

AMOUNT: Final = np.dtype([("amount", "f8")])
PEOPLE: Final = np.dtype([("amount", "f8"), ("weight", "f8")])
INSIDE: Final = np.dtype([("inside", "f8")])

cells = table("cells", CELL)
places = table("places", PLACE)
arcs = table("arcs", ARC)
rows = table("rows", ROW, columns="cell_count")
members = table("members", MEMBER)
clocks = table("clocks", CLOCK)
desks = table("desks", DESK)
rules = table("rules", RULE)
concerned = table("concerned", CONCERNED)
others = table("others", OTHER)
"""Stations to which a rule gives other servers; those stand in ``courses`` behind the rows of the stations."""
entries = table("entries", ENTRY)
epochs = table("epochs", EPOCH)
ways = table("ways", WAY, columns="arc_count")
courses = table("courses", COURSE, columns="steps")
numbers = table("numbers", NUMBER, columns="station_count")
future = table("future", FUTURE)
lengths = table("lengths", LENGTH, columns="two")
kernel = table("kernel", PART, columns="steps")
thin = table("thin", STAYS, columns="longest")
rung = table("rung", PART, columns="longest")
desk_released = table("desk_released", TOKENS, columns="steps")
arriving = table("arriving", AMOUNT, columns="steps")
thresholds = table("thresholds", AT, columns="rule_count")
waiting_first = table("waiting_first", AMOUNT, columns="before")
serving_first = table("serving_first", AMOUNT, columns="cell_count")
found = table("found", FOUND, columns="station_count")
columns = table("columns", PEOPLE, columns="longest")
outs = table("outs", PEOPLE, columns="cell_count")
levels = table("levels", INSIDE, columns="two")
leaving = table("leaving", AMOUNT, columns="steps")
