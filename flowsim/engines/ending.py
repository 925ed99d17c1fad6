"""How a replication of the compiled engine ends: who is there at the horizon, and what becomes of their spells; and how
many were overdue until now, while it still runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from flowsim.engines.queues import at, class_of
from flowsim.engines.world import SERVING, WAITING, residents, states
from flowsim.model import overdue, tally
from flowsim.model.compiling import compiled
from flowsim.model.memory import Addresses


@compiled
def _find(w: Any, numbers: Any, slots: Any) -> Any:
    """Numbers and slots of those who wait or are in service; how many they are."""
    count = 0
    for slot in range(1, states(w, 0).top):
        r = residents(w, slot)
        if r.state == WAITING or r.state == SERVING:
            numbers[count] = r.id
            slots[count] = slot
            count += 1
    return count


@compiled
def _close(w: Any, slots: Any) -> Any:
    tally.close_periods(w)
    for i in range(len(slots)):
        r = residents(w, slots[i])
        if r.state == WAITING:
            tally.waited(w, at(r), class_of(r), r.since, r.joined, w.horizon)
        else:
            tally.served(w, at(r), class_of(r), r.joined, w.horizon)


def close(world: Addresses) -> None:
    """The horizon comes: count the spells of those who are still there, by number, as `tally.replay` does."""
    room = len(world["residents"])
    numbers, slots = np.empty(room, np.int64), np.empty(room, np.int64)
    count = _find(world, numbers, slots)
    _close(world, slots[np.argsort(numbers[:count])])


@compiled
def _overdue_until_now(w: Any, path: Any) -> Any:
    overdue.no_longer_waiting(w, path)
    for slot in range(1, states(w, 0).top):
        r = residents(w, slot)
        if r.state == WAITING:
            overdue.still_waiting(w, at(r), r.since, r.joined, path)


def overdue_until_now(world: Addresses, snapshots: int) -> np.ndarray:
    """People overdue on all waiting lists together, by snapshot: (snapshots,) int64, as the outcome will show them. All
    that happens up to the last of these must have happened; the world is left as it is."""
    path = np.zeros(snapshots, np.int64)
    _overdue_until_now(world, path)
    return np.cumsum(path)
