"""The calendar of the compiled engine: bins of time, of which only the open one is sorted.

An appointment goes into the bin of its time (a list threaded through the slots) in a handful of instructions, and can
be taken out again as quickly. When a bin opens, its appointments move to a small binary heap in the order (time, rank).
Bins are as many as arrivals are expected, so the heap holds a few appointments, and its logarithm is small. This is a
calendar queue (R. Brown, CACM 31(10), 1988, p. 1220) with a heap for the current day, which keeps the worst case
logarithmic when all appointments fall on one moment.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flowsim.engines.world import IN_BIN, IN_HEAP, NOWHERE, bins, heap, residents
from flowsim.model.compiling import compiled, inlined


@inlined
def _before(w: Any, i: Any, j: Any) -> Any:
    a = heap(w, i)
    b = heap(w, j)
    return a.time < b.time or (a.time == b.time and a.rank < b.rank)


@compiled
def _push(w: Any, slot: Any) -> Any:
    time = residents(w, slot).time
    rank = residents(w, slot).rank
    i = w.heap_size
    w.heap_size = i + 1
    while i > 0:
        up = (i - 1) >> 1
        if heap(w, up).time < time or (heap(w, up).time == time and heap(w, up).rank < rank):
            break
        heap(w, i).time = heap(w, up).time
        heap(w, i).rank = heap(w, up).rank
        heap(w, i).slot = heap(w, up).slot
        i = up
    heap(w, i).time = time
    heap(w, i).rank = rank
    heap(w, i).slot = slot
    residents(w, slot).held = IN_HEAP


@compiled
def _pop(w: Any) -> Any:
    """Take out the first entry of the heap; its slot."""
    slot = heap(w, 0).slot
    size = w.heap_size - 1
    w.heap_size = size
    time = heap(w, size).time
    rank = heap(w, size).rank
    last = heap(w, size).slot
    i = 0
    while True:
        down = 2 * i + 1
        if down >= size:
            break
        if down + 1 < size and _before(w, down + 1, down):
            down += 1
        if time < heap(w, down).time or (time == heap(w, down).time and rank < heap(w, down).rank):
            break
        heap(w, i).time = heap(w, down).time
        heap(w, i).rank = heap(w, down).rank
        heap(w, i).slot = heap(w, down).slot
        i = down
    heap(w, i).time = time
    heap(w, i).rank = rank
    heap(w, i).slot = last
    return slot


@inlined
def _bin(w: Any, time: Any) -> Any:
    return min(np.int64(time * w.scale), w.bin_count - 1)


@compiled
def schedule(w: Any, slot: Any, time: Any, rank: Any) -> Any:
    """Give a slot its appointment; one at or after the horizon is not kept."""
    residents(w, slot).time = time
    residents(w, slot).rank = rank
    if not time < w.horizon:
        residents(w, slot).held = NOWHERE
        return
    b = _bin(w, time)
    if b <= w.open_bin:
        _push(w, slot)
        return
    after = bins(w, b).head
    residents(w, slot).next = after
    residents(w, slot).prev = 0
    if after != 0:
        residents(w, after).prev = slot
    bins(w, b).head = slot
    residents(w, slot).held = IN_BIN


@compiled
def cancel(w: Any, slot: Any) -> Any:
    """Take back a slot's appointment; an entry in the heap stays behind and is passed over when it comes up."""
    if residents(w, slot).held == IN_BIN:
        before = residents(w, slot).prev
        after = residents(w, slot).next
        if before != 0:
            residents(w, before).next = after
        else:
            bins(w, _bin(w, residents(w, slot).time)).head = after
        if after != 0:
            residents(w, after).prev = before
    residents(w, slot).held = NOWHERE


@compiled
def _compact(w: Any) -> Any:
    """Rebuild the heap without the entries that were taken back."""
    size = w.heap_size
    w.heap_size = 0
    for i in range(size):
        slot = heap(w, i).slot
        r = residents(w, slot)
        if r.held == IN_HEAP and r.time == heap(w, i).time and r.rank == heap(w, i).rank:
            r.held = NOWHERE  # a doubled entry is kept once
            _push(w, slot)


@compiled
def peek(w: Any) -> Any:
    """Bring the first appointment to the top of the heap; False when none is left before the horizon."""
    if w.heap_size > 2 * w.slot_count:
        _compact(w)
    while True:
        while w.heap_size > 0:
            r = residents(w, heap(w, 0).slot)
            if r.held == IN_HEAP and r.time == heap(w, 0).time and r.rank == heap(w, 0).rank:
                return True
            _pop(w)
        b = w.open_bin + 1
        while b < w.bin_count and bins(w, b).head == 0:
            b += 1
        if b >= w.bin_count:
            w.open_bin = w.bin_count - 1
            return False
        w.open_bin = b
        slot = bins(w, b).head
        bins(w, b).head = 0
        while slot != 0:
            after = residents(w, slot).next
            _push(w, slot)
            slot = after


@inlined
def take(w: Any) -> Any:
    """Take the appointment that `peek` brought up; its slot."""
    slot = _pop(w)
    residents(w, slot).held = NOWHERE
    return slot
