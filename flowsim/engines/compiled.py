"""The fast engine: one event loop over arrays, compiled by Numba, without the GIL.

It must give the log of `flowsim.engines.reference` bit for bit: same order of events (time, kind, resident), same
draws, same arithmetic. The rules of what happens are told there, in SimPy, and in ``docs/engine-rules.md``.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from flowsim.engines import world as worlds
from flowsim.engines.calendar import cancel, resident_of, take
from flowsim.engines.doors import (
    appoint_arrival,
    appoint_release,
    appoint_step,
    look_to_the_front,
    open_doors,
    seat,
)
from flowsim.engines.ending import close
from flowsim.engines.initial import residents_at_start
from flowsim.engines.queues import (
    appoint_first_clock,
    at,
    can_start,
    class_of,
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
    resolve,
    soonest,
    start,
    stop_waiting,
    take_ticket,
    unlink,
    way_on_completion,
)
from flowsim.engines.world import (
    MOVING,
    TICKET,
    aside,
    places,
    residents,
    ring,
    states,
)
from flowsim.model import draws, events, rules, tables, tally
from flowsim.model import network as n
from flowsim.model.compiling import compiled, step, was_compiled
from flowsim.model.memory import Addresses, Block, block

DONE: Final = 0
MORE_SLOTS: Final = 1
LONGER_LOG: Final = 2


@step
def _companion(w: Any, slot: Any, patient_class: Any) -> Any:
    """Somebody who comes on behalf of a waiting resident: a number and draws of its own."""
    r = residents(w, slot)
    ordinal = np.int64(aside(w, slot).ordinal) + 1
    aside(w, slot).ordinal = ordinal
    resident = (ordinal << n.COMPANION_SHIFT) | r.id
    other = new_slot(w)
    kind = patient_class if patient_class >= 0 else class_of(r)
    new_resident(w, other, resident, draws.resident_key(w.key, resident), kind)
    return other


@step
def _become(w: Any, slot: Any, patient_class: Any, now: Any) -> Any:
    """The class of a waiting resident changes: a new level in the queue, new clocks, the same patience."""
    r = residents(w, slot)
    k = at(r)
    tally.waited(w, k, class_of(r), r.since, r.joined, now)
    tally.queued(w, k)
    r.joined = now
    r.patient_class = patient_class
    emit(w, now, events.CHANGE, r.id, k, patient_class)
    level = np.int64(tables.cell(w, k, patient_class).level)
    if level != aside(w, slot).level:
        unlink(w, slot, k)
        link(w, slot, k, level)
    draw_clocks(w, slot, now)


@step
def _stop_rule_holds(w: Any, rule: Any) -> Any:
    total = 0.0
    for i in range(rule.first, rule.first + rule.count):
        k = np.int64(tables.rule_stations(w, i).value)
        total += places(w, k).starts if rule.starts else people_waiting(w, k)
    return total >= rule.threshold if rule.at_least else total <= rule.threshold


@step
def _close_stations(w: Any, rule: Any, now: Any) -> Any:
    for i in range(rule.close_first, rule.close_first + rule.close_count):
        k = np.int64(tables.rule_stations(w, i).value)
        emit(w, now, events.CLOSE, -1, k, -1)
        tally.closed(w, k, now)
        p = places(w, k)
        p.closed = 1
        p.capacity = 0
        p.tokens = 0
        p.limit = 0


@step
def _give_other_servers(w: Any, rule: Any, now: Any) -> Any:
    for i in range(rule.servers_first, rule.servers_first + rule.servers_count):
        other = tables.rule_servers(w, i)
        k = np.int64(other.station)
        p = places(w, k)
        p.course = other.first + 1 - tables.stations(w, k).servers_first  # behind the servers at time zero
        if p.closed == 0:
            p.capacity = np.int64(tables.steps(w, other.first + p.step).value)
            fill(w, k, now)


@step
def _next_to_send_away(w: Any, rule: Any, now: Any) -> Any:
    """The first who waits at a station that a rule has closed; 0 when nobody is left. Tickets there are dropped."""
    for i in range(rule.close_first, rule.close_first + rule.close_count):
        k = np.int64(tables.rule_stations(w, i).value)
        while places(w, k).waiting > 0:
            slot = first_in_queue(w, k)
            r = residents(w, slot)
            if r.state != TICKET:
                return slot
            owner = aside(w, slot).twin
            unlink(w, slot, k)
            emit(w, now, events.DROP, r.id, k, class_of(r))
            if owner != 0:
                aside(w, owner).twin = 0
            free_slot(w, slot)
    return np.int64(0)


@step
def _drop_second_place(w: Any, slot: Any, now: Any) -> Any:
    """A review takes the place on a second list away."""
    r = residents(w, slot)
    ticket = np.int64(aside(w, slot).twin)
    x = residents(w, ticket)
    second = at(x)
    unlink(w, ticket, second)
    emit(w, now, events.DROP, r.id, second, class_of(x))
    free_slot(w, ticket)
    aside(w, slot).twin = 0


@step
def _review(w: Any, slot: Any, now: Any) -> Any:
    """A desk looks at somebody who waits; whether, and where to, he leaves the queue: station, `OUT` or `STAY`."""
    r = residents(w, slot)
    j = np.int64(r.clock)
    k = at(r)
    c = class_of(r)
    clock = tables.clocks(w, tables.cell(w, k, c).clock_first + j - 1)
    turn = ring(w, slot, j).count * draws.MAX_CLOCKS + j
    ring(w, slot, j).time = np.inf
    desk = np.int64(clock.station)
    destination = np.int64(n.STAY)
    if places(w, desk).tokens > 0:
        places(w, desk).tokens -= 1
        places(w, desk).starts += 1
        emit(w, now, events.REVIEW, r.id, desk, c)
        tally.reviewed(w, desk, c)
        loop = np.int64(r.loop)
        if aside(w, slot).twin != 0:
            luck = draws.unit(draws.tick(draws.word(r.key, loop, k, draws.PURPOSE_TICKET), turn))
            if luck < tables.stations(w, desk).removes_second_place:
                _drop_second_place(w, slot, now)
        luck_bits = draws.tick(draws.word(r.key, loop, k, draws.PURPOSE_REVIEW_ROUTE), turn)
        way = tables.ways(w, rules.way(w, np.int64(tables.cell(w, desk, c).review_row), luck_bits))
        aside(w, slot).factor *= way.factor
        if way.patient_class >= 0 and way.patient_class != c:
            _become(w, slot, np.int64(way.patient_class), now)
        destination = np.int64(way.station)
        if destination >= 0:
            destination = resolve(w, slot, destination, turn)
            if destination == k:
                destination = np.int64(n.STAY)
    if destination == n.STAY:
        if clock.repeats and r.patient_class == c:
            draw_clock(w, slot, j, now)
        cancel(w, slot)
        appoint_first_clock(w, slot)
    return destination


@compiled
def run(w: Any) -> Any:
    """Process appointments until the horizon; DONE, or what is needed to go on (nothing is lost)."""
    s = states(w, 0)
    while True:
        in_use = s.used
        needed = in_use if w.calendar_rules and w.rule_count > 0 else 4
        if w.slot_count - in_use - 1 < needed + 2:
            return MORE_SLOTS
        if w.logging and w.log_length - s.log_size < w.log_reserve * in_use + 64:
            return LONGER_LOG
        slot = take(w)
        if slot < 0:
            return DONE
        r = residents(w, slot)
        now = s.arrival_time if slot == 0 else r.time
        kind = np.int64(r.kind)
        s.events += 1
        tally.advance(w, now)
        if w.calendar_rules:
            while now >= s.next_epoch:
                s.epoch += 1
                later = s.epoch + 1
                s.next_epoch = tables.route_times(w, later).value if later < w.epoch_count else np.inf

        to_fill = np.int64(-1)  # a station where a place may have come free
        mover = np.int64(0)  # a resident on the way to another station: by the way `chosen`, or to `destination`
        chosen = np.int64(-1)
        destination = np.int64(-1)
        same_list = np.int64(-1)  # the waiting list on which the mover's wait goes on counting
        closing = np.int64(-1)  # a stop rule whose stations are being emptied

        if slot <= w.stream_count:  # an arrival: streams have the first slots; before its appointment has been read
            resident = resident_of(s.arrival_rank) if slot == 0 else r.id
            key = s.arrival_key if slot == 0 else r.key
            stream = tables.streams(w, (s.arrival_slot if slot == 0 else slot) - 1)
            mover = new_slot(w)
            new_resident(w, mover, resident, key, np.int64(stream.patient_class))
            destination = np.int64(stream.station)
            if slot == 0:
                look_to_the_front(w)
            else:
                r.id += 1
                appoint_arrival(w, slot, now)
        elif not (w.queue_rules or w.calendar_rules) or kind == events.COMPLETE:
            k = at(r)
            c = class_of(r)
            emit(w, now, events.COMPLETE, r.id, k, c)
            tally.completed(w, k, c, r.joined, now)
            places(w, k).busy -= 1
            if w.queue_rules and tables.stations(w, k).uses_service_factor:
                aside(w, slot).factor = 1.0
            r.state = MOVING
            if places(w, k).waiting > 0:
                to_fill = k
            mover = slot
            chosen = np.int64(r.behind) - 1
            if chosen < 0:
                chosen = way_on_completion(w, r, k, c)
        elif w.queue_rules and kind == events.RENEGE:
            k = at(r)
            c = class_of(r)
            emit(w, now, events.RENEGE, r.id, k, c)
            stop_waiting(w, slot, now)
            tally.reneged(w, k, c, now - r.since)
            give_up_ticket(w, slot)
            r.state = MOVING
            mover = slot
            bits = draws.word(r.key, np.int64(r.loop), k, draws.PURPOSE_RENEGE_ROUTE)
            chosen = rules.way(w, np.int64(tables.cell(w, k, c).renege_row), bits)
        elif w.queue_rules and (kind == events.VISIT or kind == events.CHANGE):
            j = np.int64(r.clock)
            clock = tables.clocks(w, tables.cell(w, at(r), class_of(r)).clock_first + j - 1)
            ring(w, slot, j).time = np.inf
            if kind == events.CHANGE:
                _become(w, slot, np.int64(clock.patient_class), now)
            elif clock.repeats:
                draw_clock(w, slot, j, now)
            appoint_first_clock(w, slot)
            if clock.visit_station >= 0:
                mover = _companion(w, slot, np.int64(clock.visit_class))
                destination = np.int64(clock.visit_station)
        elif w.queue_rules and kind == events.REVIEW:
            k = at(r)
            destination = _review(w, slot, now)
            if destination != n.STAY:
                stop_waiting(w, slot, now)
                give_up_ticket(w, slot)
                r.state = MOVING
                mover = slot
                same_list = np.int64(tables.stations(w, k).list)
        elif w.calendar_rules and kind == events.CAPACITY:
            k = at(r)
            p = places(w, k)
            if p.closed == 0:
                p.capacity = np.int64(tables.steps(w, tables.stations(w, k).servers_first + p.course + p.step).value)
                to_fill = k
            p.step += np.int32(1)
            appoint_step(w, slot, k)
        elif w.calendar_rules and kind == events.QUOTA:
            k = at(r)
            p = places(w, k)
            if p.closed == 0:
                fresh = np.int64(tables.steps(w, tables.stations(w, k).quota_first + p.release).value)
                p.tokens = p.tokens + fresh if tables.stations(w, k).quota_carries else fresh
                to_fill = k
            p.release += np.int32(1)
            appoint_release(w, slot, k)
        elif w.calendar_rules:
            rule = tables.stop_rules(w, r.id)
            if _stop_rule_holds(w, rule):
                closing = r.id
                _close_stations(w, rule, now)
                _give_other_servers(w, rule, now)

        while True:
            if to_fill >= 0:
                fill(w, to_fill, now)
                to_fill = np.int64(-1)
            if w.calendar_rules and mover == 0 and closing >= 0:
                mover = _next_to_send_away(w, tables.stop_rules(w, closing), now)
                if mover != 0:
                    x = residents(w, mover)
                    k = at(x)
                    c = class_of(x)
                    emit(w, now, events.BALK, x.id, k, c)
                    stop_waiting(w, mover, now)
                    tally.balked(w, k, c)
                    give_up_ticket(w, mover)
                    x.state = MOVING
                    bits = draws.word(x.key, np.int64(x.loop), k, draws.PURPOSE_BALK_ROUTE)
                    chosen = rules.way(w, np.int64(tables.cell(w, k, c).full_row), bits)
            if mover == 0:
                break

            x = residents(w, mover)
            if chosen >= 0:
                way = tables.ways(w, chosen)
                if way.patient_class >= 0:
                    x.patient_class = way.patient_class
                if w.queue_rules and way.factor != 1.0:
                    aside(w, mover).factor *= way.factor
                destination = np.int64(way.station)
            chosen = np.int64(-1)
            if destination < 0:
                k = at(x)
                c = class_of(x)
                emit(w, now, events.EXIT, x.id, k, c)
                tally.left(w, k, c)
                free_slot(w, mover)
                mover = np.int64(0)
                continue
            k = resolve(w, mover, destination, np.int64(0))
            c = class_of(x)
            go_to(w, mover, k)
            x.joined = now
            if same_list >= 0 and tables.stations(w, k).list == same_list:
                emit(w, now, events.TRANSFER, x.id, k, c)
                tally.transferred(w, k, c)
            else:
                x.since = now
                emit(w, now, events.ARRIVE, x.id, k, c)
                tally.arrived(w, k, c)
            same_list = np.int64(-1)
            p = places(w, k)
            if p.waiting == 0 and can_start(w, k):
                start(w, mover, k, now)
            elif p.waiting >= p.limit:
                emit(w, now, events.BALK, x.id, k, c)
                tally.balked(w, k, c)
                bits = draws.word(x.key, np.int64(x.loop), k, draws.PURPOSE_BALK_ROUTE)
                chosen = rules.way(w, np.int64(tables.cell(w, k, c).full_row), bits)
                continue
            else:
                enqueue(w, mover, now)
                pool = destination - w.station_count
                if (
                    w.queue_rules
                    and pool >= 0
                    and tables.pools(w, pool).second_list > 0.0
                    and tables.pools(w, pool).count > 1
                ):
                    luck = draws.unit(draws.word(x.key, np.int64(x.loop), k, draws.PURPOSE_SECOND_LIST))
                    if luck < tables.pools(w, pool).second_list:
                        to_fill = soonest(w, pool, c, k)
                        if places(w, to_fill).closed == 0 and places(w, to_fill).waiting < places(w, to_fill).limit:
                            take_ticket(w, mover, to_fill, now)
                        else:
                            to_fill = np.int64(-1)
            mover = np.int64(0)


def go_on(world: Addresses) -> None:
    """Run until the time that the world is to run until."""
    while (status := run(world)) != DONE:
        if status == MORE_SLOTS:
            worlds.add_slots(world)
        else:
            worlds.lengthen_log(world)


def begin(
    network: n.Network, seed: int, replication: int, log: bool, features: worlds.Features, room: Block | None = None
) -> Addresses:
    """A world at time zero, in which nothing has happened yet but that residents came to their places."""
    world = worlds.create(network, seed, replication, log, features, room)
    open_doors(world)
    present = residents_at_start(network, world, world.record["key"][0])
    while world.record["slot_count"][0] - world["state"]["used"][0] <= len(present) + 1:  # more than its pattern has
        worlds.add_slots(world)
    while log and world.record["log_length"][0] < 2 * len(present):  # at most: who waits there, and starts at once
        worlds.lengthen_log(world)
    seat(world, present)
    return world


def simulate_once(
    network: n.Network, seed: int, replication: int, log: bool = False
) -> tuple[dict[str, np.ndarray], np.ndarray | None, int]:
    """One replication: its outcome arrays (see `flowsim.model.tally.outcome`), its log and its number of appointments.

    The log is an `EVENT` array in the order of the event rule; None unless asked for. Releases the GIL while it runs,
    so that replications can run on threads.
    """
    features = worlds.features_of(network)
    with block() as room:
        world = begin(network, seed, replication, log, features, room)
        go_on(world)
        close(world)
        was_compiled(worlds.build(features, log))
        written = world["log"][: int(world["state"]["log_size"][0])].copy() if log else None
        return tally.outcome(world), written, int(world["state"]["events"][0])
