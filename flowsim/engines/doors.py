"""How a replication of the compiled engine begins, and the appointments of what is no resident: streams, schedules,
quotas and stop rules."""

from __future__ import annotations

from typing import Any

import numpy as np

from flowsim.engines.calendar import rank, schedule
from flowsim.engines.queues import (
    appoint_first_clock,
    draw_clocks,
    emit,
    fill,
    link,
    new_resident,
    new_slot,
)
from flowsim.engines.world import (
    AHEAD,
    FRONT,
    SERVING,
    STATION,
    STREAM,
    WAITING,
    aside,
    coming,
    front,
    places,
    residents,
    ring,
    states,
)
from flowsim.model import draws, events, rules, tables, tally
from flowsim.model import network as n
from flowsim.model.compiling import compiled, inlined_step, step


@step
def appoint_step(w: Any, slot: Any, k: Any) -> Any:
    """Appointment of the next step in a station's schedule of servers."""
    s = tables.stations(w, k)
    if places(w, k).step < s.servers_count:
        schedule(w, slot, tables.steps(w, s.servers_first + places(w, k).step).time, np.int64(events.CAPACITY))


@step
def appoint_release(w: Any, slot: Any, k: Any) -> Any:
    """Appointment of the next release of a station's quota."""
    s = tables.stations(w, k)
    if places(w, k).release < s.quota_count:
        schedule(w, slot, tables.steps(w, s.quota_first + places(w, k).release).time, np.int64(events.QUOTA))


@step
def _look_ahead(w: Any, slot: Any, stream: Any, time: Any) -> Any:
    """Work out when the next residents of a stream come, and their keys: in a row, which is quicker than one by one."""
    r = residents(w, slot)
    a = aside(w, slot)
    rate = np.int64(a.ordinal)
    for i in range(AHEAD):
        one = coming(w, stream, i)
        one.key = draws.resident_key(w.key, r.id + i)
        if time < w.horizon:
            rate = rules.rate_step(w, stream, rate, time)
            bits = draws.word(one.key, np.int64(0), np.int64(draws.MAX_STATIONS - 1), draws.PURPOSE_GAP)
            time = rules.next_arrival(w, stream, rate, time, bits)
        one.time = time
    a.ordinal = rate


@inlined_step
def _coming_next(w: Any, slot: Any, now: Any) -> Any:
    """Who comes next from a stream after ``now``, when the one before came: time and key."""
    stream = slot - 1
    nth = residents(w, slot).id & (AHEAD - 1)
    if nth == 0:
        _look_ahead(w, slot, stream, now)
    return coming(w, stream, nth)


@inlined_step
def appoint_arrival(w: Any, slot: Any, now: Any) -> Any:
    """Appointment of the next resident of a stream; the slot bears that resident's number and key."""
    r = residents(w, slot)
    one = _coming_next(w, slot, now)
    r.key = one.key
    schedule(w, slot, one.time, np.int64(events.ARRIVAL))


@inlined_step
def look_to_the_front(w: Any) -> Any:
    """Take in hand who comes next from the busiest streams, and see who follows from the same stream.

    One arrival ahead, so that nothing waits for the comparison; of streams with the same time the first, as its
    residents have the lower rank.
    """
    place = np.int64(0)
    time = front(w, 0).time
    for i in range(1, FRONT):  # without a branch: which stream it is is luck
        other = front(w, i).time
        place = np.int64(i) if other < time else place
        time = other if other < time else time
    s = states(w, 0)
    s.arrival_time = time
    if not time < w.horizon:
        return
    slot = np.int64(front(w, place).slot)
    r = residents(w, slot)
    s.arrival_slot = slot
    s.arrival_rank = rank(events.ARRIVAL, r.id)
    s.arrival_key = coming(w, slot - 1, r.id & (AHEAD - 1)).key
    r.id += 1
    front(w, place).time = _coming_next(w, slot, time).time


@step
def _first_rate(w: Any, slot: Any) -> Any:
    s = tables.streams(w, slot - 1)
    if s.interval >= 0:
        return 1.0 / tables.distributions(w, s.interval).mean
    return tables.steps(w, s.rate_first).value


@step
def _choose_front(w: Any) -> Any:
    """Give the streams with the highest first rates a place at the front, in the order of all streams."""
    for _ in range(min(FRONT, w.stream_count)):
        busiest = 0
        for slot in range(1, w.stream_count + 1):
            if aside(w, slot).level == 0 and (busiest == 0 or _first_rate(w, slot) > _first_rate(w, busiest)):
                busiest = slot
        aside(w, busiest).level = 1
    count = 0
    for slot in range(1, w.stream_count + 1):
        if aside(w, slot).level > 0:
            front(w, count).slot = slot
            count += 1
            aside(w, slot).level = count
    for place in range(count, FRONT):
        front(w, place).time = np.inf


@inlined_step
def _fixed_slot(w: Any, state: Any, number: Any) -> Any:
    """A slot for what is no resident: a stream, a schedule, a rule."""
    slot = new_slot(w)
    r = residents(w, slot)
    r.state = state
    r.station = number
    r.id = number
    a = aside(w, slot)
    a.ordinal = 0
    a.level = 0
    return slot


@compiled
def open_doors(w: Any) -> Any:
    """Slots and first appointments of streams, schedules, quotas and stop rules."""
    for i in range(w.stream_count):
        slot = _fixed_slot(w, STREAM, i)
        r = residents(w, slot)
        r.id = np.int64(i) << n.STREAM_BITS
    _choose_front(w)
    for slot in range(1, w.stream_count + 1):
        place = np.int64(aside(w, slot).level) - 1
        if place >= 0:
            front(w, place).time = _coming_next(w, slot, 0.0).time
        else:
            appoint_arrival(w, slot, 0.0)
    look_to_the_front(w)
    for k in range(w.station_count):
        appoint_step(w, _fixed_slot(w, STATION, k), k)
        appoint_release(w, _fixed_slot(w, STATION, k), k)
    for i in range(w.rule_count):
        slot = _fixed_slot(w, STATION, -1)
        residents(w, slot).id = i
        schedule(w, slot, tables.stop_rules(w, i).at, np.int64(events.STOP_RULE))


@compiled
def seat(w: Any, present: Any) -> Any:
    """Seat the residents of time zero; then free places go to those who wait, station by station."""
    tally.advance(w, 0.0)
    for i in range(len(present)):
        one = present[i]
        k = np.int64(one.station)
        c = np.int64(one.patient_class)
        slot = new_slot(w)
        new_resident(w, slot, one.id, one.key, c)
        r = residents(w, slot)
        r.station = k
        r.since = one.since
        r.joined = one.since
        if one.residual >= 0.0:
            emit(w, 0.0, events.IN_SERVICE_AT_START, one.id, k, c)
            r.state = SERVING
            r.behind = 0
            places(w, k).busy += 1
            tally.serving(w, k)
            schedule(w, slot, one.residual, np.int64(events.COMPLETE))
            continue
        emit(w, one.since, events.WAITING_AT_START, one.id, k, c)
        r.state = WAITING
        tally.queued(w, k)
        link(w, slot, k, np.int64(tables.cell(w, k, c).level))
        if w.queue_rules:
            for j in range(w.ring_count):
                ring(w, slot, j).count = 0
            ring(w, slot, 0).time = one.patience_ends
            draw_clocks(w, slot, 0.0)
            appoint_first_clock(w, slot)
    for station in range(w.station_count):
        fill(w, station, 0.0)
