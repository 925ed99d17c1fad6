"""The readable engine: a SimPy process per resident, and a full log. It is the specification of what happens.

Read it beside ``docs/engine-rules.md``. Three things make its log equal to that of `flowsim.engines.compiled` bit for
bit: appointments carry their rank (kind, resident) as SimPy's priority; a time is always ``now + duration``; draws come
by address from the same compiled functions. Everything that an appointment leads to is done at once, in plain method
calls; processes only wait.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Generator
from typing import Any, TypeAlias

import numpy as np
import simpy

from flowsim.engines.entities import Calendar, Resident, Station, Ticket
from flowsim.engines.initial import residents_at_start
from flowsim.model import draws, events, rules, tables, tally
from flowsim.model import network as n

Process: TypeAlias = Generator[simpy.Event, Any, None]


class Reference:
    """One replication of a network."""

    def __init__(self, network: n.Network, seed: int, replication: int) -> None:
        self.network = network
        self.w = tables.addresses(network)
        self.key = np.uint64(draws.replication_key(seed, replication))
        self.env = Calendar()
        self.log: list[tuple[float, int, int, int, int, int]] = []
        self.appointments = 0
        self.stations = [
            Station(
                capacity=int(s["servers"]),
                tokens=int(s["tokens"]),
                limit=int(s["queue_limit"]),
                queue=[{} for _ in range(s["levels"])],
                course=[int(s["servers"]), *self.steps(s["servers_first"], s["servers_count"])[1]],
            )
            for s in network.stations
        ]

    # ---- what runs ------------------------------------------------------------------------------------------------

    def run(self) -> np.ndarray:
        """Run to the horizon; the log."""
        for s in range(len(self.network.streams)):
            self.env.process(self.stream(s))
        for k, station in enumerate(self.network.stations):
            self.env.process(self.schedule(k, self.steps(station["servers_first"], station["servers_count"])[0]))
            self.env.process(self.quota(k, *self.steps(station["quota_first"], station["quota_count"])))
        for i in range(len(self.network.stop_rules)):
            self.env.process(self.stop_rule(i))
        self.seat()
        self.env.run(until=self.network.horizon)
        return np.array(self.log, events.EVENT)

    def steps(self, first: int, count: int) -> tuple[list[float], list[int]]:
        some = self.network.steps[first : first + count]
        return some["time"].tolist(), some["value"].astype(np.int64).tolist()

    def appointment(self, time: float, kind: int, number: int) -> simpy.Event:
        return self.env.at(float(time), kind, number)

    def stream(self, s: int) -> Process:
        """Residents from outside, one after another."""
        time = 0.0
        destination, patient_class = (int(self.network.streams[s][x]) for x in ("station", "patient_class"))
        for nth in itertools.count():
            resident = self.resident(n.resident_number(s, nth), patient_class)
            bits = self.bits(resident, draws.PURPOSE_GAP, draws.MAX_STATIONS - 1)
            time = rules.next_arrival(self.w, s, rules.rate_step(self.w, s, 0, time), time, bits)
            yield self.appointment(time, events.ARRIVAL, resident.number)
            self.appointments += 1
            self.move(resident, destination)
            self.env.process(self.journey(resident))

    def journey(self, resident: Resident) -> Process:
        """One resident's way through the network: waiting and being served until gone."""
        while not resident.gone:
            if not resident.waiting:
                yield self.appointment(resident.ends, events.COMPLETE, resident.number)
                self.appointments += 1
                self.complete(resident)
                continue
            time, kind, j = self.first_clock(resident)
            called = resident.called
            yield called | self.appointment(time, kind, resident.number)
            if not called.triggered:
                self.appointments += 1
                self.ring(resident, kind, j)

    def schedule(self, k: int, times: list[float]) -> Process:
        """Changes of a station's number of servers."""
        for step, time in enumerate(times, 1):
            yield self.appointment(time, events.CAPACITY, k)
            self.appointments += 1
            self.stations[k].step = step
            self.set_servers(k)

    def set_servers(self, k: int) -> None:
        """As many as the schedule that a station follows says now; free ones go to those who wait."""
        station = self.stations[k]
        if not station.closed:
            station.capacity = station.course[station.step]
            self.fill(k)

    def quota(self, k: int, times: list[float], tokens: list[int]) -> Process:
        """Releases of a station's quota."""
        carries = bool(self.network.stations["quota_carries"][k])
        for time, number in zip(times, tokens, strict=True):
            yield self.appointment(time, events.QUOTA, k)
            self.appointments += 1
            if not self.stations[k].closed:
                self.stations[k].tokens = self.stations[k].tokens + number if carries else number
                self.fill(k)

    def stop_rule(self, i: int) -> Process:
        """A decision at a moment: when the measure says so, stations close, others go over to another schedule of
        servers, and those who wait where it closed move on."""
        rule = self.network.stop_rules[i]
        yield self.appointment(float(rule["at"]), events.STOP_RULE, i)
        self.appointments += 1
        looked_at = self.network.rule_stations[rule["first"] : rule["first"] + rule["count"]].tolist()
        to_close = self.network.rule_stations[rule["close_first"] : rule["close_first"] + rule["close_count"]].tolist()
        measure = sum(self.stations[k].starts if rule["starts"] else self.stations[k].people for k in looked_at)
        if not (measure >= rule["threshold"] if rule["at_least"] else measure <= rule["threshold"]):
            return
        for k in to_close:
            self.write(events.CLOSE, -1, k, -1)
            self.stations[k].close()
        for other in self.network.rule_servers[rule["servers_first"] :][: rule["servers_count"]]:
            k = int(other["station"])
            self.stations[k].course = self.steps(other["first"], len(self.stations[k].course))[1]
            self.set_servers(k)
        for k in to_close:
            while self.stations[k].length > 0:
                self.send_away(k, self.stations[k].first)

    def send_away(self, k: int, entry: Resident | Ticket) -> None:
        """Empty one place in the queue of a station that has closed."""
        if isinstance(entry, Ticket):
            self.drop(entry)
            return
        self.write(events.BALK, entry.number, k, entry.patient_class)
        self.leave_queue(entry)
        row = int(self.network.cells["full_row"][k, entry.patient_class])
        self.move(entry, self.follow(entry, row, self.bits(entry, draws.PURPOSE_BALK_ROUTE)))

    # ---- coming and going -----------------------------------------------------------------------------------------

    def resident(self, number: int, patient_class: int) -> Resident:
        return Resident(number, np.uint64(draws.resident_key(self.key, number)), patient_class, self.env.event())

    def bits(self, resident: Resident, purpose: int, station: int | None = None) -> Any:
        """The random word of a resident for a purpose, at the station where he is."""
        k = resident.station if station is None else station
        return np.uint64(draws.word(resident.key, resident.loop, k, purpose))

    def write(self, kind: int, number: int, station: int, patient_class: int, time: float | None = None) -> None:
        self.log.append((self.env.now if time is None else time, number, kind, station, patient_class, 0))

    def follow(self, resident: Resident, row: int, bits: Any) -> int:
        """Take a way out of a row: its changes take effect, its destination is returned."""
        way = self.network.ways[rules.way(self.w, row, bits)]
        if way["patient_class"] >= 0:
            resident.patient_class = int(way["patient_class"])
        resident.factor *= float(way["factor"])
        return int(way["station"])

    def move(self, resident: Resident, destination: int, keeps_wait: bool = False) -> None:
        """Bring a resident to a destination: start, wait, or go on from a full queue; or leave."""
        while destination >= 0:
            k = self.resolve(resident, destination)
            if k <= resident.station:
                resident.loop += 1
            resident.station = k
            if not keeps_wait:
                resident.since = self.env.now
            self.write(events.TRANSFER if keeps_wait else events.ARRIVE, resident.number, k, resident.patient_class)
            keeps_wait = False
            station = self.stations[k]
            if station.length == 0 and station.can_start:
                self.start(resident)
                return
            if station.length < station.limit:
                self.enqueue(resident)
                self.second_place(resident, destination)
                return
            self.write(events.BALK, resident.number, k, resident.patient_class)
            row = int(self.network.cells["full_row"][k, resident.patient_class])
            destination = self.follow(resident, row, self.bits(resident, draws.PURPOSE_BALK_ROUTE))
        self.write(events.EXIT, resident.number, resident.station, resident.patient_class)
        resident.gone = True

    def resolve(self, resident: Resident, destination: int, turn: int = 0) -> int:
        """The station behind a destination that is a station or a pool; ``turn``: of a review, how often it came."""
        pool = destination - len(self.stations)
        if pool < 0:
            return destination
        if not self.network.pools["by_share"][pool]:
            return self.soonest(pool, resident.patient_class)
        origin = resident.station if resident.station >= 0 else draws.MAX_STATIONS - 1
        bits = self.bits(resident, draws.PURPOSE_POOL, origin)
        return int(rules.member(self.w, pool, np.uint64(draws.tick(bits, turn)) if turn else bits))

    def soonest(self, pool: int, patient_class: int, without: int = -1) -> int:
        """The station of a pool where somebody who joins now waits shortest, the first of equals."""

        def wait(k: int) -> float:
            station = self.stations[k]
            code = int(self.network.cells["service"][k, patient_class])
            mean = float(self.network.distributions["mean"][code]) if code >= 0 else math.inf
            return float(rules.expected_wait(station.length, station.busy, station.capacity, station.tokens, mean))

        p = self.network.pools[pool]
        members = self.network.members[p["first"] : p["first"] + p["count"]].tolist()
        others: list[int] = [k for k in members if k != without]
        return min(others, key=wait)

    def start(self, resident: Resident) -> None:
        """Begin the service of a resident at the station where he is."""
        k, c = resident.station, resident.patient_class
        self.write(events.START, resident.number, k, c)
        station = self.stations[k]
        station.busy, station.starts, station.tokens = station.busy + 1, station.starts + 1, station.tokens - 1
        factor = resident.factor if self.network.stations["uses_service_factor"][k] else 1.0
        bits = self.bits(resident, draws.PURPOSE_SERVICE)
        resident.ends = self.env.now + rules.service_time(self.w, self.network.cells["service"][k, c], factor, bits)
        resident.waiting = False

    def complete(self, resident: Resident) -> None:
        """A service ends: the place goes to who waits, the resident goes on."""
        k, c = resident.station, resident.patient_class
        self.write(events.COMPLETE, resident.number, k, c)
        self.stations[k].busy -= 1
        if self.network.stations["uses_service_factor"][k]:
            resident.factor = 1.0
        self.fill(k)
        epoch = np.searchsorted(self.network.route_times, self.env.now, side="right") - 1
        row = int(self.network.route_rows[epoch, k, c])
        self.move(resident, self.follow(resident, row, self.bits(resident, draws.PURPOSE_ROUTE)))

    def fill(self, k: int) -> None:
        """Start those whose turn it is while places are free."""
        station = self.stations[k]
        while station.length > 0 and station.can_start:
            entry = station.first
            if isinstance(entry, Resident):
                self.leave_queue(entry)
                self.start(entry)
            elif entry.owner is None:
                self.drop(entry)
            else:
                self.start_elsewhere(entry, entry.owner)

    def start_elsewhere(self, ticket: Ticket, owner: Resident) -> None:
        """A ticket is reached before its owner's own place: the owner comes over and starts."""
        k = ticket.station
        del self.stations[k].queue[ticket.level][ticket]
        owner.ticket = None
        self.leave_queue(owner)
        if k <= owner.station:
            owner.loop += 1
        owner.station = k
        self.write(events.TRANSFER, owner.number, k, owner.patient_class)
        self.start(owner)

    # ---- waiting --------------------------------------------------------------------------------------------------

    def enqueue(self, resident: Resident) -> None:
        """Join the end of the queue; the clocks that run there start."""
        k, c = resident.station, resident.patient_class
        resident.waiting = True
        self.line_up(resident)
        resident.drawn, resident.rings = {}, {0: math.inf}
        patience = int(self.network.cells["patience"][k, c])
        if patience >= 0:
            bits = self.bits(resident, draws.PURPOSE_CLOCK)
            resident.rings[0] = self.env.now + rules.distribution(self.w, patience, bits)
        self.draw_clocks(resident)

    def line_up(self, resident: Resident) -> None:
        resident.level = int(self.network.cells["level"][resident.station, resident.patient_class])
        self.stations[resident.station].queue[resident.level][resident] = None

    def leave_queue(self, resident: Resident) -> None:
        """Out of the queue, by whatever cause: a ticket elsewhere is void, and the resident's process takes notice."""
        del self.stations[resident.station].queue[resident.level][resident]
        if resident.ticket is not None:
            resident.ticket.owner = None
            resident.ticket = None
        resident.called.succeed()
        resident.called = self.env.event()

    def second_place(self, resident: Resident, destination: int) -> None:
        """Whoever came through a pool may take a ticket at another of its stations."""
        pool = destination - len(self.stations)
        if pool < 0 or self.network.pools["second_list"][pool] == 0.0 or self.network.pools["count"][pool] < 2:
            return
        if draws.unit(self.bits(resident, draws.PURPOSE_SECOND_LIST)) >= self.network.pools["second_list"][pool]:
            return
        c = resident.patient_class
        k = self.soonest(pool, c, without=resident.station)
        if self.stations[k].length < self.stations[k].limit:
            ticket = Ticket(resident, resident.number, c, k, int(self.network.cells["level"][k, c]))
            resident.ticket = ticket
            self.stations[k].queue[ticket.level][ticket] = None
            self.write(events.TICKET, resident.number, k, c)
            self.fill(k)

    def drop(self, ticket: Ticket) -> None:
        """Take a ticket out of its queue."""
        del self.stations[ticket.station].queue[ticket.level][ticket]
        self.write(events.DROP, ticket.number, ticket.station, ticket.patient_class)
        if ticket.owner is not None:
            ticket.owner.ticket = None

    def clocks(self, resident: Resident) -> np.ndarray:
        """The clocks that run for this class where the resident waits; a companion has none."""
        cell = self.network.cells[resident.station, resident.patient_class]
        count = 0 if resident.is_companion else cell["clock_count"]
        return self.network.clocks[cell["clock_first"] : cell["clock_first"] + count]

    def draw_clocks(self, resident: Resident) -> None:
        for j in range(len(self.clocks(resident))):
            self.draw_clock(resident, j + 1)

    def draw_clock(self, resident: Resident, j: int) -> None:
        """Draw the next time of clock ``j`` (from 1)."""
        bits = self.bits(resident, draws.PURPOSE_CLOCK + j)
        count = resident.drawn.get(j, 0)
        if count > 0:
            bits = np.uint64(draws.tick(bits, count))
        resident.drawn[j] = count + 1
        after = int(self.clocks(resident)["after"][j - 1])
        resident.rings[j] = self.env.now + rules.distribution(self.w, after, bits)

    def first_clock(self, resident: Resident) -> tuple[float, int, int]:
        """(time, kind, number) of the clock that rings first; at equal times by kind, then by number."""
        kinds = [events.RENEGE, *self.clocks(resident)["kind"].tolist()]
        return min((resident.rings[j], kind, j) for j, kind in enumerate(kinds))

    def ring(self, resident: Resident, kind: int, j: int) -> None:
        """A clock of a waiting resident rings."""
        if kind == events.RENEGE:
            self.renege(resident)
            return
        clock = self.clocks(resident)[j - 1]
        resident.rings[j] = math.inf
        if kind == events.REVIEW:
            self.review(resident, clock, j)
            return
        if kind == events.CHANGE:
            self.become(resident, int(clock["patient_class"]))
        elif clock["repeats"]:
            self.draw_clock(resident, j)
        if clock["visit_station"] >= 0:
            self.visit(resident, int(clock["visit_station"]), int(clock["visit_class"]))

    def renege(self, resident: Resident) -> None:
        k, c = resident.station, resident.patient_class
        self.write(events.RENEGE, resident.number, k, c)
        self.leave_queue(resident)
        row = int(self.network.cells["renege_row"][k, c])
        self.move(resident, self.follow(resident, row, self.bits(resident, draws.PURPOSE_RENEGE_ROUTE)))

    def become(self, resident: Resident, patient_class: int) -> None:
        """The class changes: perhaps another level in the queue, new clocks, the same patience."""
        resident.patient_class = patient_class
        self.write(events.CHANGE, resident.number, resident.station, patient_class)
        if self.network.cells["level"][resident.station, patient_class] != resident.level:
            del self.stations[resident.station].queue[resident.level][resident]
            self.line_up(resident)
        self.draw_clocks(resident)

    def visit(self, resident: Resident, station: int, patient_class: int) -> None:
        """A companion goes to a station on behalf of somebody who keeps waiting."""
        resident.companions += 1
        number = (resident.companions << n.COMPANION_SHIFT) | resident.number
        companion = self.resident(number, patient_class if patient_class >= 0 else resident.patient_class)
        self.move(companion, station)
        self.env.process(self.journey(companion))

    def review(self, resident: Resident, clock: np.void, j: int) -> None:
        """A desk looks at somebody who waits, and may send him on."""
        k, c, desk = resident.station, resident.patient_class, int(clock["station"])
        destination = n.STAY
        if self.stations[desk].tokens > 0:
            turn = resident.drawn[j] * draws.MAX_CLOCKS + j
            self.stations[desk].tokens -= 1
            self.stations[desk].starts += 1
            self.write(events.REVIEW, resident.number, desk, c)
            bits = np.uint64(draws.tick(self.bits(resident, draws.PURPOSE_TICKET), turn))
            if resident.ticket and draws.unit(bits) < self.network.stations["removes_second_place"][desk]:
                self.drop(resident.ticket)
            bits = np.uint64(draws.tick(self.bits(resident, draws.PURPOSE_REVIEW_ROUTE), turn))
            way = self.network.ways[rules.way(self.w, int(self.network.cells["review_row"][desk, c]), bits)]
            resident.factor *= float(way["factor"])
            if way["patient_class"] >= 0 and way["patient_class"] != c:
                self.become(resident, int(way["patient_class"]))
            destination = int(way["station"])
            if destination >= 0:
                destination = self.resolve(resident, destination, turn)
        if destination in (n.STAY, k):
            if clock["repeats"] and resident.patient_class == c:
                self.draw_clock(resident, j)
            return
        self.leave_queue(resident)
        lists = self.network.stations["list"]
        self.move(resident, destination, destination >= 0 and lists[k] >= 0 and lists[destination] == lists[k])

    def seat(self) -> None:
        """Those who are there at time zero; then free places go to those who wait, station by station."""
        for one in residents_at_start(self.network, self.w, self.key):
            resident = self.resident(int(one["id"]), int(one["patient_class"]))
            k = resident.station = int(one["station"])
            resident.since = float(one["since"])
            waits = one["residual"] < 0.0
            kind = events.WAITING_AT_START if waits else events.IN_SERVICE_AT_START
            self.write(kind, resident.number, k, resident.patient_class, resident.since)
            if waits:
                resident.waiting = True
                self.line_up(resident)
                resident.rings[0] = float(one["patience_ends"])
                self.draw_clocks(resident)
            else:
                self.stations[k].busy += 1
                resident.ends = float(one["residual"])
            self.env.process(self.journey(resident))
        for k in range(len(self.stations)):
            self.fill(k)


def simulate_once(
    network: n.Network, seed: int, replication: int, log: bool = True
) -> tuple[dict[str, np.ndarray], np.ndarray | None, int]:
    """One replication: its outcome arrays, its log and its number of appointments, as `compiled.simulate_once`."""
    run = Reference(network, seed, replication)
    written = run.run()
    return tally.replay(network, written), written if log else None, run.appointments
