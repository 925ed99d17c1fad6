"""A second simulator, written from docs/engine-rules.md in the plainest Python there is: the oracle of the engines.

It shares nothing with flowsim: no imports, no random numbers, no data structures; it reads the document itself. Queues
are lists, the calendar is `heapq`, a place on a second list is an entry beside the others. It is slow.

    naive.simulate(document, seed) -> {"clinic/a starts": 12.0, ..., "clinic waiting at 30": 4.0, ...,
                                       "clinic starts in period 2": 3.0, ...,
                                       "clinic renege to gp in period 2": 1.0, ...,
                                       "care started after 3 in period 2": 1.0, ...}

A move is named after where it began: the station and why (completion, renege, full; review for the desk that sends
somebody on), ``outside`` for an arrival, ``waiting`` for a companion of somebody who waits. Waits are counted by
waiting list in bins of ``wait_bin``, the last of which is open.
"""

from __future__ import annotations

import heapq
import random
from bisect import bisect
from collections import defaultdict
from typing import Any

from naive_lengths import length, length_beyond, mean_length, rest

# Appointments at the same time, in this order.
COMPLETION, SERVERS, QUOTA, CHANGE, REVIEW, RENEGE, VISIT, ARRIVAL, STOP = range(9)
FOREVER = float("inf")
BINS = 256


# ---------------------------------------------------------------- people and places


class Person:
    """Somebody in the network."""

    def __init__(self, number: int, kind: str, companion: bool = False) -> None:
        self.number, self.kind, self.companion = number, kind, companion
        self.place: Place | None = None
        self.factor = 1.0
        self.way = "waiting" if companion else "outside"  # where the next move begins
        self.since = self.joined = 0.0  # beginning of the wait, and of the stay in this queue or service
        self.stay = 0  # goes up whenever clocks that still run have become meaningless
        self.clocks = 0  # the same, for the clocks of a class
        self.entry: Entry | None = None
        self.ticket: Entry | None = None


class Entry:
    """A place in a queue; with ``ticket`` it is one beside the person's own."""

    def __init__(self, person: Person, level: int, ticket: bool) -> None:
        self.person, self.level, self.ticket = person, level, ticket
        self.void = False


class Place:
    """A station."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given = given
        self.name = given["name"]
        self.servers = given["servers"] if isinstance(given["servers"], int) else 0
        if given["servers"] == "inf":
            self.servers = 10**9
        self.tokens = FOREVER if "quota" not in given else 0
        self.limit = given.get("queue_limit", FOREVER)
        self.busy = self.starts = 0
        self.closed = False
        self.plan = 0  # goes up when a stop rule gives other servers: those of the plan before come no more
        self.queue: list[Entry] = []

    def can_start(self) -> bool:
        return self.busy < self.servers and self.tokens > 0

    def level(self, kind: str) -> int:
        """The number of the class's priority; a class without one comes last."""
        return int(self.given.get("priority", {}).get(kind, 99))

    def join(self, entry: Entry) -> None:
        """Behind everybody of the same or a more urgent level."""
        behind = [i for i, other in enumerate(self.queue) if other.level > entry.level]
        self.queue.insert(behind[0] if behind else len(self.queue), entry)

    def for_kind(self, key: str, kind: str) -> dict[str, Any] | None:
        """A distribution that is one for all or one per class."""
        given = self.given.get(key)
        if given is None or "distribution" in given:
            return given  # type: ignore[no-any-return]
        return given.get(kind)  # type: ignore[no-any-return]


class Simulation:
    """One replication."""

    def __init__(self, document: dict[str, Any], seed: int) -> None:
        self.document = document
        self.rng = random.Random(seed)
        self.horizon, self.warm_up = document["horizon"], document.get("warm_up", 0.0)
        self.places = {given["name"]: Place(given) for given in document["stations"]}
        self.pools = {given["name"]: given for given in document.get("pools", [])}
        self.routes: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for route in document.get("routes", []):
            self.routes[route["from"]].append(route)
        self.people: list[Person] = []
        self.calendar: list[tuple[Any, ...]] = []
        self.count = 0  # keeps entries of the calendar apart
        self.now = 0.0
        self.found: defaultdict[str, float] = defaultdict(float)

    # ---- calendar

    def appoint(self, time: float, kind: int, number: int, what: Any, *arguments: Any) -> None:
        self.count += 1
        heapq.heappush(self.calendar, (time, kind, number, self.count, what, arguments))

    def run(self) -> dict[str, float]:
        self.open()
        every = self.document["snapshot_every"]
        shots = [j * every for j in range(int(self.horizon / every + 1e-9) + 1)]
        while self.calendar and self.calendar[0][0] < self.horizon:
            time, _, _, _, what, arguments = heapq.heappop(self.calendar)
            while shots and shots[0] < time:
                self.look(shots.pop(0))
            self.now = time
            what(*arguments)
        for shot in shots:
            self.look(shot)
        self.now = self.horizon
        for person in self.people:
            if person.entry:
                self.count_time(person, "queue_time")
            elif person.place:
                self.count_time(person, "service_time")
        return dict(self.found)

    # ---- outcomes

    def look(self, time: float) -> None:
        """A snapshot."""
        norm = self.document.get("waiting_norm", FOREVER)
        for place in self.places.values():
            waiting = [entry.person for entry in place.queue if not entry.ticket]
            late = [person for person in waiting if time > person.since + norm and "waiting_list" in place.given]
            self.found[f"{place.name} waiting at {time:g}"] = len(waiting)
            self.found[f"{place.name} in_service at {time:g}"] = place.busy
            self.found[f"{place.name} overdue at {time:g}"] = len(late)

    def tally(self, person: Person, what: str, place: Place | None = None, amount: float = 1.0) -> None:
        place = place or person.place
        assert place is not None
        if self.now >= self.warm_up:
            self.found[f"{place.name}/{person.kind} {what}"] += amount
        if what != "wait_reneged":
            self.in_period(f"{place.name} {what}", amount)

    def in_period(self, what: str, amount: float = 1.0) -> None:
        edges = self.document.get("periods", [])
        period = bisect(edges, self.now)
        if 0 < period < len(edges):
            self.found[f"{what} in period {period - 1}"] += amount

    def count_time(self, person: Person, what: str) -> None:
        """Count the time since ``joined`` that lies after the warm-up."""
        assert person.place is not None
        time = max(0.0, self.now - max(person.joined, self.warm_up))
        self.found[f"{person.place.name}/{person.kind} {what}"] += time

    # ---- who and what there is at time zero

    def open(self) -> None:
        for i, stream in enumerate(self.document.get("arrivals", [])):
            self.next_arrival(i, stream, 0)
        for k, place in enumerate(self.places.values()):
            if isinstance(place.given["servers"], list):
                for time, number in place.given["servers"]:
                    if time == 0:
                        place.servers = number
                    else:
                        self.appoint(time, SERVERS, k, self.change_servers, place, number, 0)
            for time, number in place.given.get("quota", []):
                self.appoint(time, QUOTA, k, self.release, place, number)
        for i, rule in enumerate(self.document.get("stop_rules", [])):
            self.appoint(rule["at"], STOP, i, self.decide, rule)
        waiting: list[tuple[float, int, Place, str]] = []
        for k, place in enumerate(self.places.values()):
            initial = place.given.get("initial", {})
            for kind in self.initial_kinds(initial.get("in_service", 0)):
                person = self.newcomer((3072 + k) * 2**28 + len(self.people), kind)
                person.place = place
                place.busy += 1
                service = place.for_kind("service", kind)
                assert service is not None
                self.appoint(rest(self.rng, service), COMPLETION, person.number, self.complete, person)
            for j, kind in enumerate(self.initial_kinds(initial.get("waiting", 0))):
                age = initial.get("age")
                if age is not None and "distribution" not in age:
                    age = age.get(kind)
                waiting.append((-length(self.rng, age) if age else 0.0, (2048 + k) * 2**28 + j, place, kind))
        for since, number, place, kind in sorted(waiting, key=lambda one: one[:2]):
            person = self.newcomer(number, kind)
            person.place, person.since, person.joined = place, since, since
            self.line_up(person, age=-since)
        for place in self.places.values():
            self.fill(place)

    def initial_kinds(self, given: int | dict[str, int]) -> list[str]:
        if isinstance(given, dict):
            return [kind for kind, number in given.items() for _ in range(number)]
        weights: defaultdict[str, float] = defaultdict(float)
        for stream in self.document["arrivals"]:
            rate = stream.get("rate", 0.0)
            if "interval" in stream:
                rate = 1 / mean_length(stream["interval"])
            weights[stream["class"]] += rate[0][1] if isinstance(rate, list) else rate
        return self.rng.choices(list(weights), list(weights.values()), k=given)

    def newcomer(self, number: int, kind: str, companion: bool = False) -> Person:
        person = Person(number, kind, companion)
        self.people.append(person)
        return person

    def next_arrival(self, i: int, stream: dict[str, Any], nth: int) -> None:
        """Appoint the next arrival: after an interval, or a Poisson stream at its highest rate, thinned."""
        time = self.now
        if "interval" in stream:
            time += length(self.rng, stream["interval"])
        else:
            rate = stream["rate"] if isinstance(stream["rate"], list) else [[0.0, stream["rate"]]]
            highest = max(level for _, level in rate)
            if highest == 0:
                return
            while time < self.horizon:
                time += self.rng.expovariate(highest)
                level = ([0.0] + [level for begin, level in rate if begin <= time])[-1]
                if self.rng.random() < level / highest:
                    break
        self.appoint(time, ARRIVAL, i * 2**28 + nth, self.arrive, i, stream, nth)

    # ---- appointments

    def arrive(self, i: int, stream: dict[str, Any], nth: int) -> None:
        self.next_arrival(i, stream, nth + 1)
        self.go(self.newcomer(i * 2**28 + nth, stream["class"]), stream["station"])

    def change_servers(self, place: Place, number: int, plan: int) -> None:
        if not place.closed and place.plan == plan:
            place.servers = number
            self.fill(place)

    def release(self, place: Place, number: int) -> None:
        if not place.closed:
            place.tokens = number + (place.tokens if place.given.get("quota_carries") else 0)
            self.fill(place)

    def complete(self, person: Person) -> None:
        place = person.place
        assert place is not None
        self.tally(person, "completions")
        self.count_time(person, "service_time")
        place.busy -= 1
        if place.given.get("uses_service_factor"):
            person.factor = 1.0
        self.fill(place)
        person.way = f"{place.name} completion"
        self.take(person, self.ways(place, person.kind, "completion"))

    def decide(self, rule: dict[str, Any]) -> None:
        """A stop rule."""
        watched = [self.places[name] for name in rule["stations"]]
        if rule["measure"] == "starts":
            total = sum(place.starts for place in watched)
        else:
            total = sum(not entry.ticket for place in watched for entry in place.queue)
        if not (total <= rule["at_most"] if "at_most" in rule else total >= rule["at_least"]):
            return
        closing = [self.places[name] for name in rule["close"]]
        for place in closing:
            place.closed = True
            place.servers = place.tokens = place.limit = 0
        for name, given in rule.get("servers", {}).items():
            self.give_other_servers(self.places[name], given)
        for place in closing:
            while place.queue:
                entry = place.queue[0]
                if entry.ticket:
                    self.drop(place, entry)
                    continue
                self.tally(entry.person, "balked")
                self.stop_waiting(entry.person)
                entry.person.way = f"{place.name} full"
                self.take(entry.person, self.ways(place, entry.person.kind, "full"))

    def give_other_servers(self, place: Place, given: int | list[tuple[float, int]]) -> None:
        """As many as the new schedule says now, and from now on its changes."""
        schedule = [(0.0, given)] if isinstance(given, int) else given
        place.plan += 1
        for time, number in schedule:
            if time > self.now:
                k = list(self.places.values()).index(place)
                self.appoint(time, SERVERS, k, self.change_servers, place, number, place.plan)
        so_far = [number for time, number in schedule if time <= self.now]
        self.change_servers(place, so_far[-1] if so_far else 0, place.plan)

    # ---- coming, starting, going

    def go(self, person: Person, to: str, keeps_wait: bool = False) -> None:
        """To a station or a pool: start, wait, or go on from a full queue."""
        pool = self.pools.get(to)
        place = self.choose(pool, person.kind) if pool else self.places[to]
        person.place = place
        person.joined = self.now
        if keeps_wait:
            self.tally(person, "transferred")
        else:
            person.since = self.now
            self.tally(person, "arrivals")
            self.in_period(f"{person.way} to {place.name}")
        if not place.queue and place.can_start():
            self.start(person)
        elif len(place.queue) >= place.limit:
            self.tally(person, "balked")
            person.way = f"{place.name} full"
            self.take(person, self.ways(place, person.kind, "full"))
        else:
            self.line_up(person)
            if pool and len(pool["stations"]) > 1 and self.rng.random() < pool.get("second_list", 0.0):
                other = self.soonest(pool, person.kind, without=place)
                if len(other.queue) < other.limit:
                    person.ticket = Entry(person, other.level(person.kind), ticket=True)
                    other.join(person.ticket)
                    self.fill(other)

    def choose(self, pool: dict[str, Any], kind: str) -> Place:
        if pool.get("rule", "soonest") == "soonest":
            return self.soonest(pool, kind)
        return self.places[self.rng.choices(pool["stations"], pool.get("shares"))[0]]

    def soonest(self, pool: dict[str, Any], kind: str, without: Place | None = None) -> Place:
        def wait(place: Place) -> float:
            if not place.queue and place.can_start():
                return 0.0
            service = place.for_kind("service", kind)
            if place.servers == 0 or service is None:
                return FOREVER
            return (len(place.queue) + 1) * mean_length(service) / place.servers

        return min((self.places[name] for name in pool["stations"] if self.places[name] is not without), key=wait)

    def start(self, person: Person) -> None:
        place = person.place
        assert place is not None
        self.tally(person, "starts")
        self.tally(person, "wait", amount=self.now - person.since)
        if "waiting_list" in place.given and "periods" in self.document:
            b = min(int((self.now - person.since) / self.document["wait_bin"]), BINS - 1)
            self.in_period(f"{place.given['waiting_list']} started after {b}")
        place.busy += 1
        place.starts += 1
        place.tokens -= 1
        person.joined = self.now
        service = place.for_kind("service", person.kind)
        assert service is not None
        time = length(self.rng, service) * (person.factor if place.given.get("uses_service_factor") else 1.0)
        self.appoint(self.now + time, COMPLETION, person.number, self.complete, person)

    def fill(self, place: Place) -> None:
        while place.queue and place.can_start():
            entry = place.queue[0]
            person = entry.person
            if entry.ticket and entry.void:
                self.drop(place, entry)
                continue
            if entry.ticket:
                self.drop(place, entry)
                self.stop_waiting(person)
                person.place = place
                self.tally(person, "transferred")
            else:
                self.stop_waiting(person)
            self.start(person)

    def drop(self, place: Place, ticket: Entry) -> None:
        place.queue.remove(ticket)
        if ticket.person.ticket is ticket:
            ticket.person.ticket = None

    def take(self, person: Person, ways: list[tuple[str, float, str | None, float]]) -> None:
        """Go one of several ways."""
        to, _, kind, factor = self.rng.choices(ways, [way[1] for way in ways])[0]
        person.kind = kind or person.kind
        person.factor *= factor
        if to == "exit":
            self.leave(person)
        else:
            self.go(person, to)

    def leave(self, person: Person) -> None:
        self.tally(person, "exits")
        self.in_period(f"{person.way} to exit")
        person.place = None
        self.people.remove(person)

    def ways(self, place: Place, kind: str, on: str) -> list[tuple[str, float, str | None, float]]:
        """(to, probability, class, service factor) of the route in force that began last, the class's own first."""
        routes = [
            (route.get("start", 0.0), "class" in route, route["to"])
            for route in self.routes[place.name]
            if route.get("on", "completion") == on
            and route.get("class", kind) == kind
            and route.get("start", 0.0) <= self.now
        ]
        default = {"renege": place.given.get("on_renege"), "full": place.given.get("on_full")}.get(on) or {"exit": 1.0}
        given = max(routes, key=lambda route: route[:2])[2] if routes else default
        if isinstance(given, dict):
            given = [{"to": to, "probability": p} for to, p in given.items()]
        ways = []
        for one in given:
            to, _, kind_then = one["to"].partition(":")
            ways.append(
                (to, one["probability"], one.get("become") or kind_then or None, one.get("service_factor", 1.0))
            )
        return ways

    # ---- waiting

    def line_up(self, person: Person, age: float = 0.0) -> None:
        """Join the queue; patience and clocks begin."""
        place = person.place
        assert place is not None
        person.entry = Entry(person, place.level(person.kind), ticket=False)
        place.join(person.entry)
        person.stay += 1
        patience = place.for_kind("patience", person.kind)
        if patience is not None:
            ends = (
                person.since + length_beyond(self.rng, patience, age) if age else self.now + length(self.rng, patience)
            )
            self.appoint(max(ends, 0.0), RENEGE, person.number, self.renege, person, person.stay)
        self.wind_up(person)

    def wind_up(self, person: Person) -> None:
        """Start the clocks of the person's class."""
        assert person.place is not None
        person.clocks += 1
        for clock in person.place.given.get("while_waiting", []):
            if not person.companion and person.kind in clock.get("classes", [person.kind]):
                self.wind(person, clock)

    def wind(self, person: Person, clock: dict[str, Any]) -> None:
        kind = REVIEW if "review_at" in clock else CHANGE if "become" in clock else VISIT
        time = self.now + length(self.rng, clock["after"])
        self.appoint(time, kind, person.number, self.ring, person, clock, person.stay, person.clocks)

    def stop_waiting(self, person: Person) -> None:
        """Out of the queue; a ticket is void from now on, but keeps its place."""
        assert person.place is not None
        assert person.entry is not None
        self.count_time(person, "queue_time")
        person.place.queue.remove(person.entry)
        person.entry = None
        person.stay += 1
        if person.ticket:
            person.ticket.void = True
            person.ticket = None

    def renege(self, person: Person, stay: int) -> None:
        if stay != person.stay:
            return
        assert person.place is not None
        self.tally(person, "reneged")
        self.tally(person, "wait_reneged", amount=self.now - person.since)
        self.stop_waiting(person)
        person.way = f"{person.place.name} renege"
        self.take(person, self.ways(person.place, person.kind, "renege"))

    def ring(self, person: Person, clock: dict[str, Any], stay: int, clocks: int) -> None:
        """Something happens to somebody who waits."""
        if (stay, clocks) != (person.stay, person.clocks):
            return
        if "review_at" in clock:
            self.review(person, clock)
            return
        if "become" in clock:
            self.become(person, clock["become"])
        elif clock.get("repeats"):
            self.wind(person, clock)
        if "visit" in clock:
            to, _, kind = clock["visit"].partition(":")
            self.go(self.newcomer(2**40 + self.count, kind or person.kind, companion=True), to)

    def become(self, person: Person, kind: str) -> None:
        place = person.place
        assert place is not None
        assert person.entry is not None
        self.count_time(person, "queue_time")
        person.joined = self.now
        person.kind = kind
        if place.level(kind) != person.entry.level:
            place.queue.remove(person.entry)
            person.entry.level = place.level(kind)
            place.join(person.entry)
        self.wind_up(person)

    def review(self, person: Person, clock: dict[str, Any]) -> None:
        """A desk looks at somebody who waits."""
        desk, place, kind = self.places[clock["review_at"]], person.place, person.kind
        assert place is not None
        if desk.tokens > 0:
            desk.tokens -= 1
            desk.starts += 1
            self.tally(person, "reviewed", desk)
            if person.ticket and self.rng.random() < desk.given.get("removes_second_place", 0.0):
                self.drop(next(other for other in self.places.values() if person.ticket in other.queue), person.ticket)
            ways = self.ways(desk, kind, "review")
            to, _, kind_then, factor = self.rng.choices(ways, [way[1] for way in ways])[0]
            person.factor *= factor
            person.way = f"{desk.name} review"
            if kind_then and kind_then != kind:
                self.become(person, kind_then)
            if to == "exit":
                self.stop_waiting(person)
                self.leave(person)
                return
            if to in self.pools:
                to = self.choose(self.pools[to], person.kind).name
            if to not in ("stay", place.name):
                self.stop_waiting(person)
                lists = place.given.get("waiting_list"), self.places[to].given.get("waiting_list")
                self.go(person, to, keeps_wait=lists[0] is not None and lists[0] == lists[1])
                return
        if clock.get("repeats") and person.kind == kind:
            self.wind(person, clock)


def simulate(document: dict[str, Any], seed: int) -> dict[str, float]:
    """Outcomes of one replication by name; a number that is not there is 0."""
    return Simulation(document, seed).run()
