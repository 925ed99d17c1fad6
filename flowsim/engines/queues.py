"""Queues, places and waiting clocks of the compiled engine: the steps that its event loop is made of.

Every function takes the world ``w`` (see `flowsim.engines.world.create`) and does one thing to one resident.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flowsim.engines.calendar import cancel, schedule
from flowsim.engines.world import FREE, NOWHERE, SERVING, TICKET, WAITING, log, places, queue, residents, ring
from flowsim.model import draws, events, rules, tables, tally
from flowsim.model import network as n
from flowsim.model.compiling import compiled, inlined

_RANK_BITS = np.uint64(events.RANK_BITS)


@inlined
def rank(kind: Any, resident: Any) -> Any:
    """`flowsim.model.events.rank`, compiled."""
    return (np.uint64(kind) << _RANK_BITS) | np.uint64(resident)


@compiled
def emit(w: Any, now: Any, kind: Any, resident: Any, station: Any, patient_class: Any) -> Any:
    """Write a line of the log, if a log is kept."""
    if w.logging:
        e = log(w, w.log_size)
        e.time = now
        e.kind = kind
        e.resident = resident
        e.station = station
        e.patient_class = patient_class
        w.log_size += 1


@inlined
def new_slot(w: Any) -> Any:
    """A free slot, marked as in use."""
    slot = w.free
    if slot != 0:
        w.free = residents(w, slot).next
    else:
        slot = w.top
        w.top = np.uint32(w.top + 1)
    w.used += 1
    return slot


@compiled
def free_slot(w: Any, slot: Any) -> Any:
    """Give a slot back."""
    r = residents(w, slot)
    r.state = FREE
    r.held = NOWHERE
    r.next = w.free
    w.free = slot
    w.used -= 1


@compiled
def new_resident(w: Any, slot: Any, resident: Any, key: Any, patient_class: Any) -> Any:
    """Fill a slot with somebody who has just come into the network."""
    r = residents(w, slot)
    r.id = resident
    r.key = key
    r.patient_class = patient_class
    r.station = -1
    r.loop = 0
    r.ordinal = 0
    r.factor = 1.0
    r.ticket = 0
    r.owner = 0
    r.held = NOWHERE


@compiled
def link(w: Any, slot: Any, k: Any, level: Any) -> Any:
    """Put a slot at the end of its level of the queue."""
    r = residents(w, slot)
    q = queue(w, k, level)
    r.level = level
    r.behind = 0
    r.ahead = q.tail
    if q.tail != 0:
        residents(w, q.tail).behind = slot
    else:
        q.head = slot
    q.tail = slot
    places(w, k).waiting += 1


@compiled
def unlink(w: Any, slot: Any, k: Any) -> Any:
    """Take a slot out of the queue, wherever it stands."""
    r = residents(w, slot)
    ahead = r.ahead
    behind = r.behind
    q = queue(w, k, r.level)
    if ahead != 0:
        residents(w, ahead).behind = behind
    else:
        q.head = behind
    if behind != 0:
        residents(w, behind).ahead = ahead
    else:
        q.tail = ahead
    places(w, k).waiting -= 1


@inlined
def first_in_queue(w: Any, k: Any) -> Any:
    """The slot whose turn it is at station ``k``; 0 when nobody waits."""
    for level in range(tables.stations(w, k).levels):
        if queue(w, k, level).head != 0:
            return queue(w, k, level).head
    return np.uint32(0)


@compiled
def people_waiting(w: Any, k: Any) -> Any:
    """Residents in the queue of station ``k``, places on second lists left out."""
    people = 0
    for level in range(tables.stations(w, k).levels):
        slot = queue(w, k, level).head
        while slot != 0:
            if residents(w, slot).state == WAITING:
                people += 1
            slot = residents(w, slot).behind
    return people


@inlined
def can_start(w: Any, k: Any) -> Any:
    """Whether station ``k`` has a free server and, where it has a quota, a token."""
    p = places(w, k)
    return p.busy < p.capacity and p.tokens > 0


@inlined
def give_up_ticket(w: Any, slot: Any) -> Any:
    """The place on a second list is void; it stays there until it is reached."""
    ticket = residents(w, slot).ticket
    if ticket != 0:
        residents(w, ticket).owner = 0
        residents(w, slot).ticket = 0


@compiled
def stop_waiting(w: Any, slot: Any, now: Any) -> Any:
    """End a waiting spell: out of the queue, no clocks, the spell counted."""
    r = residents(w, slot)
    tally.waited(w, r.station, r.patient_class, r.since, r.joined, now)
    unlink(w, slot, r.station)
    cancel(w, slot)


@compiled
def start(w: Any, slot: Any, now: Any) -> Any:
    """Begin the service of a resident at the station where he is."""
    r = residents(w, slot)
    k = r.station
    c = r.patient_class
    emit(w, now, events.START, r.id, k, c)
    p = places(w, k)
    p.busy += 1
    p.starts += 1
    p.tokens -= 1
    tally.started(w, k, c, now - r.since, now)
    factor = r.factor if tables.stations(w, k).uses_service_factor else 1.0
    bits = draws.word(r.key, r.loop, k, draws.PURPOSE_SERVICE)
    length = rules.service_time(w, tables.cell(w, k, c).service, factor, bits)
    r.joined = now
    r.state = SERVING
    schedule(w, slot, now + length, rank(events.COMPLETE, r.id))


@compiled
def fill(w: Any, k: Any, now: Any) -> Any:
    """Start those whose turn it is while places are free."""
    while places(w, k).waiting > 0 and can_start(w, k):
        slot = first_in_queue(w, k)
        if residents(w, slot).state == TICKET:
            owner = residents(w, slot).owner
            unlink(w, slot, k)
            if owner == 0:
                emit(w, now, events.DROP, residents(w, slot).id, k, residents(w, slot).patient_class)
                free_slot(w, slot)
                continue
            free_slot(w, slot)
            residents(w, owner).ticket = 0
            stop_waiting(w, owner, now)
            slot = owner
            go_to(w, slot, k)
            residents(w, slot).joined = now
            emit(w, now, events.TRANSFER, residents(w, slot).id, k, residents(w, slot).patient_class)
            tally.transferred(w, k, residents(w, slot).patient_class, now)
        else:
            stop_waiting(w, slot, now)
            give_up_ticket(w, slot)
        start(w, slot, now)


@inlined
def go_to(w: Any, slot: Any, k: Any) -> Any:
    """Set a resident's station; going back to an earlier one begins a new loop of draws."""
    r = residents(w, slot)
    if k <= r.station:
        r.loop += 1
    r.station = k


@compiled
def appoint_first_clock(w: Any, slot: Any) -> Any:
    """Put the first of a waiting resident's clocks into the calendar; at equal times by kind, then by number."""
    r = residents(w, slot)
    cell = tables.cell(w, r.station, r.patient_class)
    best = ring(w, slot, 0).time
    kind = np.int64(events.RENEGE)
    which = 0
    if r.id < (1 << n.COMPANION_SHIFT):
        for j in range(cell.clock_count):
            time = ring(w, slot, j + 1).time
            other = np.int64(tables.clocks(w, cell.clock_first + j).kind)
            if time < best or (time == best and other < kind):
                best = time
                kind = other
                which = j + 1
    r.clock = which
    if best < np.inf:
        schedule(w, slot, best, rank(kind, r.id))


@compiled
def draw_clock(w: Any, slot: Any, j: Any, now: Any) -> Any:
    """Draw the next time of clock ``j`` (from 1) of a waiting resident; its ``count`` says how often it was drawn."""
    r = residents(w, slot)
    cell = tables.cell(w, r.station, r.patient_class)
    bits = draws.word(r.key, r.loop, r.station, draws.PURPOSE_CLOCK + j)
    mine = ring(w, slot, j)
    if mine.count > 0:
        bits = draws.tick(bits, mine.count)
    mine.count += 1
    mine.time = now + rules.distribution(w, tables.clocks(w, cell.clock_first + j - 1).after, bits)


@compiled
def draw_clocks(w: Any, slot: Any, now: Any) -> Any:
    """Draw all clocks of a class but patience; companions have none."""
    r = residents(w, slot)
    if r.id < (1 << n.COMPANION_SHIFT):
        for j in range(tables.cell(w, r.station, r.patient_class).clock_count):
            draw_clock(w, slot, j + 1, now)


@compiled
def enqueue(w: Any, slot: Any, now: Any) -> Any:
    """Join the queue of the resident's station and start the clocks that run there."""
    r = residents(w, slot)
    cell = tables.cell(w, r.station, r.patient_class)
    r.state = WAITING
    link(w, slot, r.station, cell.level)
    ring(w, slot, 0).time = np.inf
    if cell.patience >= 0:
        bits = draws.word(r.key, r.loop, r.station, draws.PURPOSE_CLOCK)
        ring(w, slot, 0).time = now + rules.distribution(w, cell.patience, bits)
    for j in range(1, w.ring_count):
        ring(w, slot, j).count = 0
    draw_clocks(w, slot, now)
    appoint_first_clock(w, slot)


@compiled
def take_ticket(w: Any, slot: Any, k: Any, now: Any) -> Any:
    """Take a place on the list of station ``k`` beside one's own."""
    r = residents(w, slot)
    ticket = new_slot(w)
    x = residents(w, ticket)
    x.id = r.id
    x.patient_class = r.patient_class
    x.state = TICKET
    x.held = NOWHERE
    x.owner = slot
    x.station = k
    r.ticket = ticket
    link(w, ticket, k, tables.cell(w, k, r.patient_class).level)
    emit(w, now, events.TICKET, r.id, k, r.patient_class)


@compiled
def soonest(w: Any, pool: Any, patient_class: Any, without: Any) -> Any:
    """Station of a pool with the shortest expected wait, the first of equals; ``without``: a station to pass over."""
    p = tables.pools(w, pool)
    best = -1
    shortest = np.inf
    for i in range(p.first, p.first + p.count):
        k = tables.members(w, i).value
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


@compiled
def resolve(w: Any, slot: Any, destination: Any, turn: Any) -> Any:
    """The station behind a destination that is a station or a pool; ``turn``: of a review, how often it came."""
    stations = w.station_count
    if destination < stations:
        return destination
    pool = destination - stations
    p = tables.pools(w, pool)
    r = residents(w, slot)
    if not p.by_share:
        return soonest(w, pool, r.patient_class, -1)
    origin = r.station if r.station >= 0 else draws.MAX_STATIONS - 1
    bits = draws.word(r.key, r.loop, origin, draws.PURPOSE_POOL)
    return rules.member(w, pool, draws.tick(bits, turn) if turn > 0 else bits)
