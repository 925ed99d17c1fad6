"""Who is there at time zero: the same residents, in the same order, for both engines."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from flowsim.model import draws, rules, tables
from flowsim.model import network as n
from flowsim.model.compiling import compiled
from flowsim.model.memory import Addresses

PRESENT: Final = np.dtype(
    [
        ("since", "f8"),
        ("patience_ends", "f8"),
        ("residual", "f8"),
        ("key", "u8"),
        ("id", "i8"),
        ("station", "i4"),
        ("patient_class", "i4"),
    ]
)
"""A resident of time zero. ``residual``: what is left of the service, -1 for who waits; ``since``: minus the age."""


@compiled
def _fill(w: Any, present: Any, key: Any, waiting: Any) -> Any:
    """Those who wait first, ``waiting`` of them, then those in service; each in the order of the groups, which is
    that of stations: by number."""
    next_waiting = 0
    next_in_service = waiting
    served = 0  # numbers go on over the groups of one station
    queued = 0
    station = -1
    for g in range(w.group_count):
        group = tables.initial(w, g)
        k = group.station
        if k != station:
            station = k
            served = 0
            queued = 0
        for j in range(group.in_service + group.waiting):
            if j < group.in_service:
                one = present[next_in_service]
                next_in_service += 1
                one.id = (np.int64(n.INITIAL_IN_SERVICE + k) << n.STREAM_BITS) | served
                served += 1
            else:
                one = present[next_waiting]
                next_waiting += 1
                one.id = (np.int64(n.INITIAL_WAITING + k) << n.STREAM_BITS) | queued
                queued += 1
            one.key = draws.resident_key(key, one.id)
            c: Any = np.int64(group.patient_class)
            if c < 0:  # left open: drawn from the mix of arrivals
                bits = draws.word(one.key, 0, k, draws.PURPOSE_CLASS)
                c = 0
                while c < w.class_count - 1 and bits >= tables.class_mix(w, c).value:
                    c += 1
            cell = tables.cell(w, k, c)
            one.station = k
            one.patient_class = c
            one.since = 0.0
            one.patience_ends = np.inf
            one.residual = -1.0
            if j < group.in_service:
                bits = draws.word(one.key, 0, k, draws.PURPOSE_SERVICE)
                one.residual = rules.residual_service(w, cell.service, bits)
                continue
            age = 0.0
            if cell.age >= 0:
                age = rules.distribution(w, cell.age, draws.word(one.key, 0, k, draws.PURPOSE_AGE))
            one.since = 0.0 - age  # and not -0.0
            if cell.patience >= 0:
                bits = draws.word(one.key, 0, k, draws.PURPOSE_CLOCK)
                ends = one.since + rules.patience_beyond(w, cell.patience, age, bits)
                one.patience_ends = max(ends, 0.0)


def residents_at_start(network: n.Network, addresses: Addresses, key: np.uint64) -> np.ndarray:
    """Residents of time zero, `PRESENT`, in the order of the log: those who wait, the longest waiting first, then those
    in service by number.

    Residual services follow the stationary-excess distribution of the service time; patience is that of somebody who
    has waited so long. ``addresses`` hold the network's tables; ``key`` is the replication's.
    """
    count = int(network.initial["waiting"].sum())
    present = np.empty(count + int(network.initial["in_service"].sum()), PRESENT)
    _fill(addresses, present, key, count)
    waiting = present[:count]
    words = waiting.view(np.uint64).reshape(len(waiting), PRESENT.itemsize // 8)  # they move faster than fields
    words[:] = words[np.lexsort((waiting["id"], waiting["since"]))]
    return present
