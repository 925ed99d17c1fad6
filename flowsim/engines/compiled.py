"""The fast engine: one event loop over arrays, compiled by Numba, without the GIL.

It must give the log of `flowsim.engines.reference` bit for bit: same order of events (time, kind, resident), same
draws, same arithmetic. The rules of what happens are told there, in SimPy, and in ``docs/engine-rules.md``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from flowsim.engines import world as worlds
from flowsim.engines.calendar import cancel, peek, schedule, take
from flowsim.engines.initial import residents_at_start
from flowsim.engines.queues import (
    appoint_first_clock,
    can_start,
    draw_clock,
    draw_clocks,
    emit,
    enqueue,
    fill,
    first_in_queue,
    free_slot,
    give_up_ticket,
    go_to,
    link,
    new_resident,
    new_slot,
    people_waiting,
    rank,
    resolve,
    soonest,
    start,
    stop_waiting,
    take_ticket,
    unlink,
)
from flowsim.engines.world import MOVING, SERVING, STATION, STREAM, TICKET, WAITING, places, residents, ring
from flowsim.model import draws, events, rules, tables, tally
from flowsim.model import network as n
from flowsim.model.compiling import compiled
from flowsim.model.memory import Addresses

DONE: Final = 0
MORE_SLOTS: Final = 1
LONGER_LOG: Final = 2

_RANK_BITS = np.uint64(events.RANK_BITS)


@compiled
def _appoint_step(w: Any, slot: Any, k: Any, now: Any) -> Any:
    """Appointment of the next step in a station's schedule of servers."""
    s = tables.stations(w, k)
    if places(w, k).step < s.servers_count:
        schedule(w, slot, tables.steps(w, s.servers_first + places(w, k).step).time, rank(events.CAPACITY, k))


@compiled
def _appoint_release(w: Any, slot: Any, k: Any, now: Any) -> Any:
    """Appointment of the next release of a station's quota."""
    s = tables.stations(w, k)
    if places(w, k).release < s.quota_count:
        schedule(w, slot, tables.steps(w, s.quota_first + places(w, k).release).time, rank(events.QUOTA, k))


@compiled
def _appoint_arrival(w: Any, slot: Any, stream: Any, now: Any) -> Any:
    """Appointment of the next resident of a stream; the slot bears that resident's number and key."""
    r = residents(w, slot)
    bits = draws.word(r.key, 0, draws.MAX_STATIONS - 1, draws.PURPOSE_GAP)
    time = rules.next_arrival(w, stream, now, bits)
    schedule(w, slot, time, rank(events.ARRIVAL, r.id))


@compiled
def open_doors(w: Any) -> Any:
    """Slots and first appointments of streams, schedules, quotas and stop rules."""
    for i in range(w.stream_count):
        slot = new_slot(w)
        r = residents(w, slot)
        r.state = STREAM
        r.station = i
        r.id = np.int64(i) << n.STREAM_BITS
        r.key = draws.resident_key(w.key, r.id)
        _appoint_arrival(w, slot, i, 0.0)
    for k in range(w.station_count):
        for kind in (events.CAPACITY, events.QUOTA):
            slot = new_slot(w)
            residents(w, slot).state = STATION
            residents(w, slot).station = k
            if kind == events.CAPACITY:
                _appoint_step(w, slot, k, 0.0)
            else:
                _appoint_release(w, slot, k, 0.0)
    for i in range(w.rule_count):
        slot = new_slot(w)
        residents(w, slot).state = STATION
        residents(w, slot).station = i
        schedule(w, slot, tables.stop_rules(w, i).at, rank(events.STOP_RULE, i))


@compiled
def seat(w: Any, present: Any) -> Any:
    """Seat the residents of time zero; then free places go to those who wait, station by station."""
    for i in range(len(present)):
        one = present[i]
        k = one.station
        c = one.patient_class
        slot = new_slot(w)
        new_resident(w, slot, one.id, one.key, c)
        r = residents(w, slot)
        r.station = k
        r.since = one.since
        r.joined = one.since
        if one.residual >= 0.0:
            emit(w, 0.0, events.IN_SERVICE_AT_START, one.id, k, c)
            r.state = SERVING
            places(w, k).busy += 1
            schedule(w, slot, one.residual, rank(events.COMPLETE, one.id))
            continue
        emit(w, one.since, events.WAITING_AT_START, one.id, k, c)
        r.state = WAITING
        link(w, slot, k, tables.cell(w, k, c).level)
        ring(w, slot, 0).time = one.patience_ends
        draw_clocks(w, slot, 0.0)
        appoint_first_clock(w, slot)
    for k in range(w.station_count):
        fill(w, k, 0.0)


@compiled
def _companion(w: Any, slot: Any, station: Any, patient_class: Any) -> Any:
    """Somebody who comes on behalf of a waiting resident: a number and draws of its own."""
    r = residents(w, slot)
    r.ordinal += 1
    resident = (np.int64(r.ordinal) << n.COMPANION_SHIFT) | r.id
    other = new_slot(w)
    kind = patient_class if patient_class >= 0 else residents(w, slot).patient_class
    new_resident(w, other, resident, draws.resident_key(w.key, resident), kind)
    return other


@compiled
def _become(w: Any, slot: Any, patient_class: Any, now: Any) -> Any:
    """The class of a waiting resident changes: a new level in the queue, new clocks, the same patience."""
    r = residents(w, slot)
    tally.waited(w, r.station, r.patient_class, r.since, r.joined, now)
    r.joined = now
    r.patient_class = patient_class
    emit(w, now, events.CHANGE, r.id, r.station, patient_class)
    level = tables.cell(w, r.station, patient_class).level
    if level != r.level:
        unlink(w, slot, r.station)
        link(w, slot, r.station, level)
    draw_clocks(w, slot, now)


@compiled
def _stop_rule_holds(w: Any, rule: Any) -> Any:
    total = 0.0
    for i in range(rule.first, rule.first + rule.count):
        k = tables.rule_stations(w, i).value
        total += places(w, k).starts if rule.starts else people_waiting(w, k)
    return total >= rule.threshold if rule.at_least else total <= rule.threshold


@compiled
def _leave(w: Any, slot: Any, now: Any) -> Any:
    r = residents(w, slot)
    emit(w, now, events.EXIT, r.id, r.station, r.patient_class)
    tally.left(w, r.station, r.patient_class, now)
    free_slot(w, slot)


@compiled
def run(w: Any) -> Any:
    """Process appointments until the horizon; DONE, or what is needed to go on (nothing is lost)."""
    while peek(w):
        in_use = w.used
        needed = in_use if w.rule_count > 0 else 4
        if w.slot_count - in_use - 1 < needed + 2:
            return MORE_SLOTS
        if w.logging and w.log_length - w.log_size < w.log_reserve * in_use + 64:
            return LONGER_LOG
        slot = take(w)
        r = residents(w, slot)
        now = r.time
        kind = np.int64(r.rank >> _RANK_BITS)
        w.now = now
        w.events += 1
        tally.advance(w, now)
        while w.epoch + 1 < w.epoch_count and tables.route_times(w, w.epoch + 1).value <= now:
            w.epoch += 1

        to_fill = -1  # a station where a place may have come free
        mover = np.uint32(0)  # a resident on the way to another station: by `row` and `bits`, or to `destination`
        row = -1
        destination = -1
        bits = np.uint64(0)
        keeps_wait = False
        closing = -1  # a stop rule whose stations are being emptied

        if kind == events.COMPLETE:
            k = r.station
            c = r.patient_class
            emit(w, now, events.COMPLETE, r.id, k, c)
            tally.completed(w, k, c, r.joined, now)
            places(w, k).busy -= 1
            if tables.stations(w, k).uses_service_factor:
                r.factor = 1.0
            r.state = MOVING
            to_fill = k
            mover = slot
            row = tables.route_row(w, w.epoch, k, c)
            bits = draws.word(r.key, r.loop, k, draws.PURPOSE_ROUTE)
        elif kind == events.ARRIVAL:
            stream = r.station
            mover = new_slot(w)
            new_resident(w, mover, r.id, r.key, tables.streams(w, stream).patient_class)
            destination = tables.streams(w, stream).station
            r.id += 1
            r.key = draws.resident_key(w.key, r.id)
            _appoint_arrival(w, slot, stream, now)
        elif kind == events.RENEGE:
            emit(w, now, events.RENEGE, r.id, r.station, r.patient_class)
            stop_waiting(w, slot, now)
            tally.reneged(w, r.station, r.patient_class, now - r.since, now)
            give_up_ticket(w, slot)
            r.state = MOVING
            mover = slot
            row = tables.cell(w, r.station, r.patient_class).renege_row
            bits = draws.word(r.key, r.loop, r.station, draws.PURPOSE_RENEGE_ROUTE)
        elif kind == events.VISIT or kind == events.CHANGE:
            j = np.int64(r.clock)
            clock = tables.clocks(w, tables.cell(w, r.station, r.patient_class).clock_first + j - 1)
            ring(w, slot, j).time = np.inf
            if kind == events.CHANGE:
                _become(w, slot, clock.patient_class, now)
            elif clock.repeats:
                draw_clock(w, slot, j, now)
            appoint_first_clock(w, slot)
            if clock.visit_station >= 0:
                mover = _companion(w, slot, clock.visit_station, clock.visit_class)
                destination = clock.visit_station
        elif kind == events.REVIEW:
            j = np.int64(r.clock)
            k = r.station
            c = r.patient_class
            clock = tables.clocks(w, tables.cell(w, k, c).clock_first + j - 1)
            turn = ring(w, slot, j).count * draws.MAX_CLOCKS + j
            ring(w, slot, j).time = np.inf
            desk = clock.station
            goes = False
            if places(w, desk).tokens > 0:
                places(w, desk).tokens -= 1
                places(w, desk).starts += 1
                emit(w, now, events.REVIEW, r.id, desk, c)
                tally.reviewed(w, desk, c, now)
                if r.ticket != 0:
                    luck = draws.unit(draws.tick(draws.word(r.key, r.loop, k, draws.PURPOSE_TICKET), turn))
                    if luck < tables.stations(w, desk).removes_second_place:
                        ticket = r.ticket
                        second = residents(w, ticket).station
                        unlink(w, ticket, second)
                        emit(w, now, events.DROP, r.id, second, residents(w, ticket).patient_class)
                        free_slot(w, ticket)
                        r.ticket = 0
                luck_bits = draws.tick(draws.word(r.key, r.loop, k, draws.PURPOSE_REVIEW_ROUTE), turn)
                way = tables.ways(w, rules.way(w, tables.cell(w, desk, c).review_row, luck_bits))
                r.factor *= way.factor
                if way.patient_class >= 0 and way.patient_class != c:
                    _become(w, slot, way.patient_class, now)
                destination = way.station
                if destination >= 0:
                    destination = resolve(w, slot, destination, turn)
                goes = destination != n.STAY and destination != k
            if goes:
                stop_waiting(w, slot, now)
                give_up_ticket(w, slot)
                r.state = MOVING
                mover = slot
                keeps_wait = (
                    destination >= 0
                    and tables.stations(w, k).list >= 0
                    and tables.stations(w, destination).list == tables.stations(w, k).list
                )
            else:
                if clock.repeats and r.patient_class == c:
                    draw_clock(w, slot, j, now)
                cancel(w, slot)
                appoint_first_clock(w, slot)
        elif kind == events.CAPACITY:
            k = r.station
            p = places(w, k)
            if p.closed == 0:
                p.capacity = np.int64(tables.steps(w, tables.stations(w, k).servers_first + p.step).value)
                to_fill = k
            p.step += 1
            _appoint_step(w, slot, k, now)
        elif kind == events.QUOTA:
            k = r.station
            p = places(w, k)
            if p.closed == 0:
                fresh = np.int64(tables.steps(w, tables.stations(w, k).quota_first + p.release).value)
                p.tokens = p.tokens + fresh if tables.stations(w, k).quota_carries else fresh
                to_fill = k
            p.release += 1
            _appoint_release(w, slot, k, now)
        else:
            rule = tables.stop_rules(w, r.station)
            if _stop_rule_holds(w, rule):
                closing = r.station
                for i in range(rule.close_first, rule.close_first + rule.close_count):
                    k = tables.rule_stations(w, i).value
                    emit(w, now, events.CLOSE, -1, k, -1)
                    p = places(w, k)
                    p.closed = 1
                    p.capacity = 0
                    p.tokens = 0
                    p.limit = 0

        while True:
            if to_fill >= 0:
                fill(w, to_fill, now)
                to_fill = -1
            if mover == 0 and closing >= 0:
                rule = tables.stop_rules(w, closing)
                closing_station = -1
                for i in range(rule.close_first, rule.close_first + rule.close_count):
                    if places(w, tables.rule_stations(w, i).value).waiting > 0:
                        closing_station = tables.rule_stations(w, i).value
                        break
                if closing_station < 0:
                    closing = -1
                else:
                    who = first_in_queue(w, closing_station)
                    if residents(w, who).state == TICKET:
                        owner = residents(w, who).owner
                        unlink(w, who, closing_station)
                        emit(
                            w, now, events.DROP, residents(w, who).id, closing_station, residents(w, who).patient_class
                        )
                        if owner != 0:
                            residents(w, owner).ticket = 0
                        free_slot(w, who)
                        continue
                    x = residents(w, who)
                    emit(w, now, events.BALK, x.id, closing_station, x.patient_class)
                    stop_waiting(w, who, now)
                    tally.balked(w, closing_station, x.patient_class, now)
                    give_up_ticket(w, who)
                    x.state = MOVING
                    mover = who
                    row = tables.cell(w, closing_station, x.patient_class).full_row
                    bits = draws.word(x.key, x.loop, closing_station, draws.PURPOSE_BALK_ROUTE)
            if mover == 0:
                break

            x = residents(w, mover)
            if row >= 0:
                way = tables.ways(w, rules.way(w, row, bits))
                if way.patient_class >= 0:
                    x.patient_class = way.patient_class
                x.factor *= way.factor
                destination = way.station
            row = -1
            if destination < 0:
                _leave(w, mover, now)
                mover = np.uint32(0)
                continue
            k = resolve(w, mover, destination, 0)
            c = x.patient_class
            go_to(w, mover, k)
            x.joined = now
            if keeps_wait:
                emit(w, now, events.TRANSFER, x.id, k, c)
                tally.transferred(w, k, c, now)
            else:
                x.since = now
                emit(w, now, events.ARRIVE, x.id, k, c)
                tally.arrived(w, k, c, now)
            keeps_wait = False
            if places(w, k).waiting == 0 and can_start(w, k):
                start(w, mover, now)
            elif places(w, k).waiting >= places(w, k).limit:
                emit(w, now, events.BALK, x.id, k, c)
                tally.balked(w, k, c, now)
                row = tables.cell(w, k, c).full_row
                bits = draws.word(x.key, x.loop, k, draws.PURPOSE_BALK_ROUTE)
                continue
            else:
                enqueue(w, mover, now)
                pool = destination - w.station_count
                if pool >= 0 and tables.pools(w, pool).second_list > 0.0 and tables.pools(w, pool).count > 1:
                    luck = draws.unit(draws.word(x.key, x.loop, k, draws.PURPOSE_SECOND_LIST))
                    if luck < tables.pools(w, pool).second_list:
                        to_fill = soonest(w, pool, c, k)
                        if places(w, to_fill).closed == 0 and places(w, to_fill).waiting < places(w, to_fill).limit:
                            take_ticket(w, mover, to_fill, now)
                        else:
                            to_fill = -1
            mover = np.uint32(0)
    return DONE


def _present(world: Addresses) -> np.ndarray:
    """Those waiting or in service, by number: what `tally.replay` would hold at the end."""
    residents = world["residents"]
    residents = residents[np.isin(residents["state"], (WAITING, SERVING))]
    residents = residents[np.argsort(residents["id"], kind="stable")]
    followed = np.zeros(len(residents), tally.FOLLOWED)
    for name in ("since", "joined", "station", "patient_class"):
        followed[name] = residents[name]
    followed["state"] = np.where(residents["state"] == WAITING, tally.WAITING, tally.SERVING)
    return followed


def simulate_once(
    network: n.Network, seed: int, replication: int, log: bool = False
) -> tuple[dict[str, np.ndarray], np.ndarray | None, int]:
    """One replication: its outcome arrays (see `flowsim.model.tally.outcome`), its log and its number of appointments.

    The log is an `EVENT` array in the order of the event rule; None unless asked for. Releases the GIL while it runs,
    so that replications can run on threads.
    """
    world = worlds.create(network, seed, replication, log)
    w = world.record[0]
    open_doors(w)
    seat(w, residents_at_start(network, world, world.record["key"][0]))
    while (status := run(w)) != DONE:
        if status == MORE_SLOTS:
            worlds.add_slots(world)
        else:
            worlds.lengthen_log(world)
    tally.close(w, _present(world))
    written = world["log"][: int(world.record["log_size"][0])].copy() if log else None
    return tally.outcome(world.arrays), written, int(world.record["events"][0])
