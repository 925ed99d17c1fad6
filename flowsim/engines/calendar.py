"""The calendar of the compiled engine: days, moments of the open day, and a heap for the open moment.

The run is cut into days of some hundreds of appointments. The slot of an appointment on a later day is written on that
day's page in a handful of instructions; taken back, it stays there and is passed over. When a day opens, its
appointments are dealt out over 8,192 moments (lists threaded through the slots), with a mark for each moment that has
any; when a moment opens, it mostly holds one appointment, which is the next. Several go to a small binary heap in the
order (time, rank). Days are that long so that most appointments fall on the open one: which ones do not is luck, and a
processor loses time whenever it has guessed wrong.
This is a calendar queue (R. Brown, CACM 31(10), 1988, p. 1220) of two levels, with a heap that keeps the worst case
logarithmic when all appointments fall on one moment. A page tells many slots at once, so their rows can be asked for
before they are needed: in a large region they are far from the processor.

Who comes next from the busiest streams is known long before, so that does not stand in the calendar at all: `take`
only compares its first appointment with that arrival.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import types

from flowsim.engines.world import (
    IN_DAY,
    IN_HAND,
    IN_HEAP,
    IN_MOMENT,
    KEPT,
    MOMENTS,
    NOWHERE,
    PAGE,
    days,
    heads,
    heap,
    marks,
    pages,
    residents,
    states,
)
from flowsim.model import events
from flowsim.model.compiling import inlined_step, step
from flowsim.model.memory import compiler, soon

_ONE: Final = np.uint64(1)
_WORDS: Final = MOMENTS // 64
_DAY: Final = MOMENTS.bit_length() - 1
_RANK_BITS: Final = np.uint64(events.RANK_BITS)


@inlined_step
def rank(kind: Any, resident: Any) -> Any:
    """`flowsim.model.events.rank`, compiled."""
    return (np.uint64(kind) << _RANK_BITS) | np.uint64(resident)


@inlined_step
def _rank_of(r: Any) -> Any:
    """The rank of a slot's appointment."""
    return rank(r.kind, r.id)


@compiler
def _lowest(typing_context: Any, bits: Any) -> Any:
    """Place of the lowest bit that is set; at least one is."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, True))

    return types.int64(types.uint64), generate


@inlined_step
def resident_of(rank: Any) -> Any:
    """The resident's number in a rank."""
    return np.int64(rank & ((_ONE << _RANK_BITS) - _ONE))


@inlined_step
def _before(time: Any, rank: Any, other: Any) -> Any:
    """Whether this comes before another entry of the heap."""
    return time < other.time or (time == other.time and rank < other.rank)


@inlined_step
def _before_slot(time: Any, rank: Any, r: Any) -> Any:
    """Whether this comes before the appointment of a slot."""
    return time < r.time or (time == r.time and rank < _rank_of(r))


@inlined_step
def _put(w: Any, i: Any, time: Any, rank: Any, slot: Any) -> Any:
    entry = heap(w, i)
    entry.time = time
    entry.rank = rank
    entry.slot = slot


@step
def _push(w: Any, slot: Any) -> Any:
    r = residents(w, slot)
    time = r.time
    rank = _rank_of(r)
    if w.queue_rules:
        r.held = IN_HEAP
    s = states(w, 0)
    i = s.heap_size
    s.heap_size = i + 1
    while i > 0:
        up = (i - 1) >> 1
        above = heap(w, up)
        if not _before(time, rank, above):
            break
        _put(w, i, above.time, above.rank, above.slot)
        i = up
    _put(w, i, time, rank, slot)


@step
def _pop(w: Any) -> Any:
    """Take out the first entry of the heap."""
    s = states(w, 0)
    size = s.heap_size - 1
    s.heap_size = size
    last = heap(w, size)
    time = last.time
    rank = last.rank
    slot = last.slot
    i = 0
    while True:
        down = 2 * i + 1
        if down >= size:
            break
        below = heap(w, down)
        if down + 1 < size and _before(heap(w, down + 1).time, heap(w, down + 1).rank, below):
            down += 1
            below = heap(w, down)
        if _before(time, rank, below):
            break
        _put(w, i, below.time, below.rank, below.slot)
        i = down
    _put(w, i, time, rank, slot)


@step
def _compact(w: Any) -> Any:
    """Rebuild the heap without the entries that were taken back."""
    s = states(w, 0)
    size = s.heap_size
    s.heap_size = 0
    for i in range(size):
        entry = heap(w, i)
        r = residents(w, entry.slot)
        if r.held == IN_HEAP and r.time == entry.time and _rank_of(r) == entry.rank:
            r.held = NOWHERE  # a doubled entry is kept once
            _push(w, entry.slot)


@inlined_step
def _moment_of(w: Any, time: Any) -> Any:
    """Moment of a time, counted from time zero; a monotone function, so the order of moments is that of times."""
    return min(np.int64(time * w.scale), w.last_moment)


@inlined_step
def _day_of(moment: Any) -> Any:
    return moment >> _DAY


@inlined_step
def _deal(w: Any, slot: Any, r: Any, m: Any) -> Any:
    """Put an appointment into the list of its moment, ``m`` of the open day; into the heap when that is not after the
    open moment, or even on an earlier day."""
    if m <= states(w, 0).open_moment:
        _push(w, slot)
        return
    head = heads(w, m)
    marks(w, m >> 6).value |= _ONE << np.uint64(m & 63)
    after = head.head
    r.next = after
    if w.queue_rules:  # only then is an appointment taken back
        r.held = IN_MOMENT
        r.prev = 0
        residents(w, after).prev = slot  # slot 0 stands for nobody
    head.head = slot


@inlined_step
def _is_due(w: Any, slot: Any, d: Any) -> Any:
    """Whether a slot on a page of day ``d`` has an appointment then, and has not been seen there before."""
    if not w.queue_rules:
        return True
    r = residents(w, slot)
    return r.held == IN_DAY and _day_of(_moment_of(w, r.time)) == d


@step
def _tidy_day(w: Any, d: Any) -> Any:
    """Take what was taken back, or written twice, off the pages of a day; pages that come free can be used again."""
    s = states(w, 0)
    day = days(w, d)
    page = np.int64(day.page)
    last = np.int64(day.count)
    kept_page = page  # what is kept is written over what was read: it never runs ahead
    kept = 0
    if page != 0:
        before = np.int64(pages(w, page * PAGE).slot)
        pages(w, page * PAGE).slot = 0
        while True:
            for i in range(page * PAGE + 1, page * PAGE + last + 1):
                slot = np.int64(pages(w, i).slot)
                if _is_due(w, slot, d):
                    residents(w, slot).held = KEPT
                    if kept == PAGE - 1:
                        pages(w, page * PAGE).slot = kept_page
                        kept_page = page
                        kept = 0
                    kept += 1
                    pages(w, kept_page * PAGE + kept).slot = slot
            if page != kept_page:
                pages(w, page * PAGE).slot = s.free_page
                s.free_page = page
            if before == 0:
                break
            page = before
            last = np.int64(PAGE - 1)
            before = np.int64(pages(w, page * PAGE).slot)
    day.page = kept_page
    day.count = kept
    page = kept_page
    last = np.int64(kept)
    while page != 0:
        for i in range(page * PAGE + 1, page * PAGE + last + 1):
            residents(w, pages(w, i).slot).held = IN_DAY
        page = np.int64(pages(w, page * PAGE).slot)
        last = np.int64(PAGE - 1)


@step
def _new_page(w: Any, day: Any) -> Any:
    """Begin a page of a day. There are pages for every slot; should those be full of what was taken back: tidy up."""
    s = states(w, 0)
    if w.queue_rules and s.free_page == 0 and s.top_page == w.page_count:
        for d in range(s.open_day + 1, w.day_count):
            _tidy_day(w, d)
    if day.page != 0 and day.count < PAGE - 1:
        return  # tidied
    page = s.free_page
    if page != 0:
        s.free_page = np.int64(pages(w, page * PAGE).slot)
    else:
        page = s.top_page
        s.top_page = page + 1
    pages(w, page * PAGE).slot = day.page
    day.page = page
    day.count = 0


@inlined_step
def _write_down(w: Any, slot: Any, r: Any, d: Any) -> Any:
    """Write a slot on a page of a later day."""
    day = days(w, d)
    if day.page == 0 or day.count == PAGE - 1:
        _new_page(w, day)
    count = np.int64(day.count) + 1
    day.count = count
    pages(w, np.int64(day.page) * PAGE + count).slot = slot
    if w.queue_rules:
        r.held = IN_DAY


@step
def schedule(w: Any, slot: Any, time: Any, kind: Any) -> Any:
    """Give a slot without one its appointment; one at or after the horizon is not kept."""
    r = residents(w, slot)
    r.time = time
    r.kind = kind
    if not time < w.horizon:
        if w.queue_rules:
            r.held = NOWHERE
        return
    moment = _moment_of(w, time)
    m = moment - states(w, 0).open_day * MOMENTS
    if m >= MOMENTS:
        _write_down(w, slot, r, _day_of(moment))
    else:
        _deal(w, slot, r, m)


@step
def cancel(w: Any, slot: Any) -> Any:
    """Take back a slot's appointment; on a page and in the heap an entry stays behind, to be passed over."""
    r = residents(w, slot)
    if r.held == IN_MOMENT:
        before = r.prev
        after = r.next
        if before != 0:
            residents(w, before).next = after
        else:
            heads(w, _moment_of(w, r.time) & (MOMENTS - 1)).head = after
        residents(w, after).prev = before
    r.held = NOWHERE


@step
def _open_day(w: Any) -> Any:
    """Open the next day that has appointments, if somebody of the busiest streams does not come on a day before it;
    False when there is none."""
    s = states(w, 0)
    latest = _day_of(_moment_of(w, min(s.arrival_time, w.until)))
    d = s.open_day + 1
    if d > latest:
        return False
    while d <= latest and days(w, d).page == 0:
        d += 1
    s.open_moment = -1
    if d > latest:
        s.open_day = latest
        return False
    s.open_day = d
    page = np.int64(days(w, d).page)
    last = np.int64(days(w, d).count)
    days(w, d).page = 0
    days(w, d).count = 0
    while page != 0:
        first = page * PAGE + 1
        for i in range(first, first + last):
            soon(residents(w, pages(w, i).slot))
        for i in range(first, first + last):
            slot = np.int64(pages(w, i).slot)
            if _is_due(w, slot, d):
                r = residents(w, slot)
                _deal(w, slot, r, _moment_of(w, r.time) & (MOMENTS - 1))
        before = np.int64(pages(w, page * PAGE).slot)
        pages(w, page * PAGE).slot = s.free_page
        s.free_page = page
        page = before
        last = np.int64(PAGE - 1)
    return True


@step
def _open_moment(w: Any, ahead: Any) -> Any:
    """Open the next moment that has appointments: its only slot, 0 when several went to the heap, -1 at the end.
    ``ahead``: within the open day only; 0 when there is none."""
    s = states(w, 0)
    while True:
        word = (s.open_moment + 1) >> 6
        while word < _WORDS and marks(w, word).value == 0:
            word += 1
        if word >= _WORDS:
            if ahead:
                return np.int64(0)
            if not _open_day(w):
                return np.int64(-1)
            continue
        m = word * 64 + _lowest(marks(w, word).value)
        marks(w, word).value &= ~(_ONE << np.uint64(m & 63))
        s.open_moment = m
        slot = np.int64(heads(w, m).head)
        if slot == 0:
            continue  # taken back
        heads(w, m).head = 0
        if residents(w, slot).next == 0:
            if w.queue_rules:
                residents(w, slot).held = IN_HAND
            return slot
        while slot != 0:
            after = np.int64(residents(w, slot).next)
            _push(w, slot)
            slot = after
        return np.int64(0)


@inlined_step
def _arrival(w: Any) -> Any:
    """What `take` says when an arrival is next: 0, or -1 when that is not before ``until``."""
    return np.int64(0) if states(w, 0).arrival_time < w.until else np.int64(-1)


@inlined_step
def take(w: Any) -> Any:
    """Take the next appointment: its slot; 0 when it is the arrival of the next resident of the busiest streams, which
    is not in the calendar; -1 when nothing is left before ``until``, the horizon or an earlier time. What comes later
    stays, and can be taken when ``until`` has been put off.

    The next moment is opened one appointment ahead and its slot kept in hand: which it is then does not wait for what
    the present appointment leads to. What comes before it all the same goes to the heap.
    """
    s = states(w, 0)
    while True:
        hand = s.hand
        if hand == 0 and s.heap_size == 0:
            hand = _open_moment(w, False)
            if hand < 0:
                return _arrival(w)
            s.hand = hand
            continue
        r = residents(w, hand)
        if w.queue_rules and hand != 0 and r.held != IN_HAND:  # taken back
            s.hand = 0
            continue
        if s.heap_size > 0:
            if w.queue_rules and s.heap_size > 2 * w.slot_count:
                _compact(w)
                continue
            entry = heap(w, 0)
            if hand == 0 or _before_slot(entry.time, entry.rank, r):
                if _before(s.arrival_time, s.arrival_rank, entry):
                    return _arrival(w)
                if not entry.time < w.until:
                    return np.int64(-1)
                slot = entry.slot
                if not w.queue_rules:
                    _pop(w)
                    return slot
                r = residents(w, slot)
                valid = r.held == IN_HEAP and r.time == entry.time and _rank_of(r) == entry.rank
                _pop(w)
                if valid:
                    r.held = NOWHERE
                    return slot
                continue
        if _before_slot(s.arrival_time, s.arrival_rank, r):
            return _arrival(w)
        if not r.time < w.until:
            return np.int64(-1)
        later = _open_moment(w, True)
        s.hand = later
        if w.queue_rules:
            r.held = NOWHERE
        return hand
