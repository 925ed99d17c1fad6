"""How a replication of the compiled engine ends: who is there at the horizon, and what becomes of their spells; and how
many were overdue until now, while it still runs."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from flowsim.engines.queues import at, class_of
from flowsim.engines.world import SERVING, WAITING, residents, states
from flowsim.model import overdue, tally
from flowsim.model.compiling import compiled
from flowsim.model.memory import Addresses

_DIGIT: Final = 9
"""Bits by which numbers are sorted at once."""


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
def _sort(numbers: Any, slots: Any, count: Any, room: Any) -> Any:
    """Sort slots by number: the row where they end up. Of both there are two rows, the first filled; by counting, digit
    by digit from the last, over bits in which numbers differ."""
    differ = np.int64(0)
    for i in range(count):
        differ |= numbers[0, i] ^ numbers[0, 0]
    row = 0
    shift = 0
    while shift < 63 and differ >> shift != 0:
        if (differ >> shift) & 1 == 0:
            shift += 1
            continue
        room[:] = 0
        for i in range(count):
            room[(numbers[row, i] >> shift) & (len(room) - 1)] += 1
        before = 0
        for digit in range(len(room)):
            there = room[digit]
            room[digit] = before
            before += there
        for i in range(count):
            digit = (numbers[row, i] >> shift) & (len(room) - 1)
            numbers[1 - row, room[digit]] = numbers[row, i]
            slots[1 - row, room[digit]] = slots[row, i]
            room[digit] += 1
        row = 1 - row
        shift += _DIGIT
    return row


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
    shape = 2, len(world["residents"])
    numbers, slots = np.empty(shape, np.int64), np.empty(shape, np.int64)
    count = _find(world, numbers[0], slots[0])
    row = _sort(numbers, slots, count, np.empty(1 << _DIGIT, np.int64))
    _close(world, slots[row, :count])


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
