"""Queues, places and waiting clocks of the compiled engine: the steps that its event loop is made of.

Every function takes the world ``w`` (see `flowsim.engines.world.create`) and does one thing to one resident. Slots,
stations and classes are int64 wherever they are handed on, so that every function is compiled once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flowsim.engines.calendar import cancel, schedule
from flowsim.engines.world import (
    FREE,
    NOWHERE,
    SERVING,
    TICKET,
    WAITING,
    aside,
    log,
    places,
    queue,
    residents,
    ring,
    states,
)
from flowsim.model import draws, events, rules, tables, tally
from flowsim.model import network as n
from flowsim.model.compiling import inlined_step, step


@inlined_step
def at(r: Any) -> Any:
    """Code of the station where a resident is, or was last; -1 before the first."""
    return np.int64(r.station)


@inlined_step
def class_of(r: Any) -> Any:
    """Code of a resident's class."""
    return np.int64(r.patient_class)


@step
def _write(w: Any, now: Any, kind: Any, resident: Any, station: Any, patient_class: Any) -> Any:
    s = states(w, 0)
    line = log(w, s.log_size)
    line.time = now
    line.kind = kind
    line.resident = resident
    line.station = station
    line.patient_class = patient_class
    line.pad = 0
    s.log_size += 1


@inlined_step
def emit(w: Any, now: Any, kind: Any, resident: Any, station: Any, patient_class: Any) -> Any:
    """Write a line of the log, if a log is kept."""
    if w.logging:
        _write(w, now, np.int64(kind), np.int64(resident), np.int64(station), np.int64(patient_class))


@inlined_step
def new_slot(w: Any) -> Any:
    """A free slot, marked as in use."""
    s = states(w, 0)
    slot = s.free
    if slot != 0:
        s.free = residents(w, slot).next
    else:
        slot = s.top
        s.top = slot + 1
    s.used += 1
    return slot


@step
def free_slot(w: Any, slot: Any) -> Any:
    """Give a slot back."""
    r = residents(w, slot)
    r.state = FREE
    s = states(w, 0)
    if w.queue_rules:
        r.held = NOWHERE
    r.next = s.free
    s.free = slot
    s.used -= 1


@step
def new_resident(w: Any, slot: Any, resident: Any, key: Any, patient_class: Any) -> Any:
    """Fill a slot with somebody who has just come into the network."""
    r = residents(w, slot)
    r.id = resident
    r.key = key
    r.patient_class = patient_class
    r.station = -1
    r.loop = 0
    if w.queue_rules:
        r.held = NOWHERE
        a = aside(w, slot)
        a.factor = 1.0
        a.twin = 0
        a.ordinal = 0


@step
def link(w: Any, slot: Any, k: Any, level: Any) -> Any:
    """Put a slot at the end of its level of the queue."""
    r = residents(w, slot)
    q = queue(w, k, level)
    last = q.tail
    r.behind = 0
    if w.queue_rules:
        a = aside(w, slot)
        a.level = level
        a.ahead = last
    if last != 0:
        residents(w, last).behind = slot
    else:
        q.head = slot
    q.tail = slot
    places(w, k).waiting += 1


@step
def unlink(w: Any, slot: Any, k: Any) -> Any:
    """Take a slot out of the queue, wherever it stands: first, where a free server is all that ends a wait."""
    r = residents(w, slot)
    ahead = np.uint32(0)
    level = np.int64(0)
    if w.queue_rules:
        a = aside(w, slot)
        ahead = a.ahead
        level = np.int64(a.level)
    behind = r.behind
    q = queue(w, k, level)
    if ahead != 0:
        residents(w, ahead).behind = behind
    else:
        q.head = behind
    if behind != 0:
        if w.queue_rules:
            aside(w, behind).ahead = ahead
    else:
        q.tail = ahead
    places(w, k).waiting -= 1


@inlined_step
def first_in_queue(w: Any, k: Any) -> Any:
    """The slot whose turn it is at station ``k``; 0 when nobody waits."""
    if w.queue_rules:
        for level in range(tables.stations(w, k).levels):
            slot = np.int64(queue(w, k, level).head)
            if slot != 0:
                return slot
        return np.int64(0)
    return np.int64(queue(w, k, 0).head)


@step
def people_waiting(w: Any, k: Any) -> Any:
    """Residents in the queue of station ``k``, places on second lists left out."""
    people = 0
    for level in range(tables.stations(w, k).levels):
        slot = np.int64(queue(w, k, level).head)
        while slot != 0:
            if residents(w, slot).state == WAITING:
                people += 1
            slot = np.int64(residents(w, slot).behind)
    return people


@inlined_step
def can_start(w: Any, k: Any) -> Any:
    """Whether station ``k`` has a free server and, where it has a quota, a token."""
    p = places(w, k)
    return p.busy < p.capacity and (not w.calendar_rules or p.tokens > 0)


@inlined_step
def give_up_ticket(w: Any, slot: Any) -> Any:
    """The place on a second list, if there is one, is void; it stays there until it is reached."""
    if not w.queue_rules:
        return
    a = aside(w, slot)
    ticket = a.twin
    if ticket != 0:
        aside(w, ticket).twin = 0
        a.twin = 0


@step
def stop_waiting(w: Any, slot: Any, now: Any) -> Any:
    """End a waiting spell: out of the queue, no clocks, the spell counted."""
    r = residents(w, slot)
    k = at(r)
    tally.waited(w, k, class_of(r), r.since, r.joined, now)
    unlink(w, slot, k)
    if w.queue_rules:
        cancel(w, slot)


@inlined_step
def start(w: Any, slot: Any, k: Any, now: Any) -> Any:
    """Begin the service of a resident at station ``k``, where he is."""
    r = residents(w, slot)
    c = class_of(r)
    resident = r.id
    emit(w, now, events.START, resident, k, c)
    p = places(w, k)
    p.busy += 1
    if w.calendar_rules:
        p.starts += 1
        p.tokens -= 1
    tally.started(w, k, c, now - r.since)
    factor = aside(w, slot).factor if w.queue_rules and tables.stations(w, k).uses_service_factor else 1.0
    bits = draws.word(r.key, np.int64(r.loop), k, draws.PURPOSE_SERVICE)
    length = rules.service_time(w, np.int64(tables.cell(w, k, c).service), factor, bits)
    end = now + length
    r.joined = now
    r.state = SERVING
    r.behind = way_ahead(w, r, k, c, end)
    schedule(w, slot, end, np.int64(events.COMPLETE))


@inlined_step
def way_on_completion(w: Any, r: Any, k: Any, c: Any) -> Any:
    """Code of the way that a resident takes after a service, by the routes that are in force now."""
    row = np.int64(tables.route_row(w, states(w, 0).epoch if w.calendar_rules else 0, k, c))
    return rules.way(w, row, draws.word(r.key, np.int64(r.loop), k, draws.PURPOSE_ROUTE))


@inlined_step
def way_ahead(w: Any, r: Any, k: Any, c: Any, end: Any) -> Any:
    """The same when the service begins, and one more; 0 when other routes may be in force at its end.

    A draw has an address and no time, so it can be looked up early; then nothing waits for it when the service ends.
    """
    if w.calendar_rules and end >= states(w, 0).next_epoch:
        return np.int64(0)
    return way_on_completion(w, r, k, c) + 1


@step
def fill(w: Any, k: Any, now: Any) -> Any:
    """Start those whose turn it is while places are free."""
    while places(w, k).waiting > 0 and can_start(w, k):
        slot = first_in_queue(w, k)
        r = residents(w, slot)
        if w.queue_rules and r.state == TICKET:
            owner = np.int64(aside(w, slot).twin)
            unlink(w, slot, k)
            if owner == 0:
                emit(w, now, events.DROP, r.id, k, class_of(r))
                free_slot(w, slot)
                continue
            free_slot(w, slot)
            slot = owner
            r = residents(w, slot)
            aside(w, slot).twin = 0
            stop_waiting(w, slot, now)
            go_to(w, slot, k)
            r.joined = now
            emit(w, now, events.TRANSFER, r.id, k, class_of(r))
            tally.transferred(w, k, class_of(r))
        else:
            stop_waiting(w, slot, now)
            give_up_ticket(w, slot)
        start(w, slot, k, now)


@inlined_step
def go_to(w: Any, slot: Any, k: Any) -> Any:
    """Set a resident's station; going back to an earlier one begins a new loop of draws."""
    r = residents(w, slot)
    if k <= at(r):
        r.loop += np.uint32(1)
    r.station = k


@step
def appoint_first_clock(w: Any, slot: Any) -> Any:
    """Put the first of a waiting resident's clocks into the calendar; at equal times by kind, then by number."""
    r = residents(w, slot)
    resident = r.id
    cell = tables.cell(w, at(r), class_of(r))
    best = ring(w, slot, 0).time
    kind = np.int64(events.RENEGE)
    which = 0
    if resident < (1 << n.COMPANION_SHIFT):
        first = np.int64(cell.clock_first)
        for j in range(cell.clock_count):
            time = ring(w, slot, j + 1).time
            if time <= best:
                other = np.int64(tables.clocks(w, first + j).kind)
                if time < best or other < kind:
                    best = time
                    kind = other
                    which = j + 1
    r.clock = which
    if best < np.inf:
        schedule(w, slot, best, kind)


@step
def draw_clock(w: Any, slot: Any, j: Any, now: Any) -> Any:
    """Draw the next time of clock ``j`` (from 1) of a waiting resident; its ``count`` says how often it was drawn."""
    r = residents(w, slot)
    k = at(r)
    first = np.int64(tables.cell(w, k, class_of(r)).clock_first)
    bits = draws.word(r.key, np.int64(r.loop), k, draws.PURPOSE_CLOCK + j)
    mine = ring(w, slot, j)
    count = mine.count
    if count > 0:
        bits = draws.tick(bits, count)
    mine.count = count + 1
    mine.time = now + rules.distribution(w, np.int64(tables.clocks(w, first + j - 1).after), bits)


@step
def draw_clocks(w: Any, slot: Any, now: Any) -> Any:
    """Draw all clocks of a class but patience; companions have none."""
    r = residents(w, slot)
    if r.id < (1 << n.COMPANION_SHIFT):
        for j in range(np.int64(tables.cell(w, at(r), class_of(r)).clock_count)):
            draw_clock(w, slot, j + 1, now)


@step
def enqueue(w: Any, slot: Any, now: Any) -> Any:
    """Join the queue of the resident's station and start the clocks that run there."""
    r = residents(w, slot)
    k = at(r)
    cell = tables.cell(w, k, class_of(r))
    r.state = WAITING
    tally.queued(w, k)
    link(w, slot, k, np.int64(cell.level))
    if not w.queue_rules or (cell.patience < 0 and cell.clock_count == 0):
        return  # no clock can ring, nor give this resident another class, which might have some
    ring(w, slot, 0).time = np.inf
    if cell.patience >= 0:
        bits = draws.word(r.key, np.int64(r.loop), k, draws.PURPOSE_CLOCK)
        ring(w, slot, 0).time = now + rules.distribution(w, np.int64(cell.patience), bits)
    for j in range(1, w.ring_count):
        ring(w, slot, j).count = 0
    draw_clocks(w, slot, now)
    appoint_first_clock(w, slot)


@step
def take_ticket(w: Any, slot: Any, k: Any, now: Any) -> Any:
    """Take a place on the list of station ``k`` beside one's own."""
    r = residents(w, slot)
    ticket = new_slot(w)
    x = residents(w, ticket)
    x.id = r.id
    x.patient_class = r.patient_class
    x.state = TICKET
    aside(w, ticket).twin = slot
    x.station = k
    x.held = NOWHERE
    aside(w, slot).twin = ticket
    link(w, ticket, k, np.int64(tables.cell(w, k, class_of(r)).level))
    emit(w, now, events.TICKET, r.id, k, class_of(r))


@step
def soonest(w: Any, pool: Any, patient_class: Any, without: Any) -> Any:
    """Station of a pool with the shortest expected wait, the first of equals; ``without``: a station to pass over."""
    p = tables.pools(w, pool)
    best = np.int64(-1)
    shortest = np.inf
    for i in range(p.first, p.first + p.count):
        k = np.int64(tables.members(w, i).value)
        if k == without:
            continue
        place = places(w, k)
        code = tables.cell(w, k, patient_class).service
        mean = tables.distributions(w, code).mean if code >= 0 else np.inf
        wait = rules.expected_wait(place.waiting, place.busy, place.capacity, place.tokens, mean)
        if best < 0 or wait < shortest:
            best = k
            shortest = wait
    return best


@step
def _of_pool(w: Any, slot: Any, pool: Any, turn: Any) -> Any:
    r = residents(w, slot)
    if not tables.pools(w, pool).by_share:
        return soonest(w, pool, class_of(r), np.int64(-1))
    origin = at(r) if r.station >= 0 else np.int64(draws.MAX_STATIONS - 1)
    bits = draws.word(r.key, np.int64(r.loop), origin, draws.PURPOSE_POOL)
    return rules.member(w, pool, draws.tick(bits, turn) if turn > 0 else bits)


@inlined_step
def resolve(w: Any, slot: Any, destination: Any, turn: Any) -> Any:
    """The station behind a destination that is a station or a pool; ``turn``: of a review, how often it came."""
    if destination < w.station_count:
        return destination
    return _of_pool(w, slot, destination - w.station_count, turn)
