"""From a validated network document to the arrays of `Network`: names become codes here, once.

What can only be seen across parts is refused here: a name that does not exist, probabilities that do not add to one, a
station that nothing leads to, full queues that send residents round in a circle.
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from flowsim.errors import InputError
from flowsim.model import check, draws, events
from flowsim.model import network as n
from flowsim.model.distributions import parameters
from flowsim.model.document import (
    Clock,
    Destination,
    Distribution,
    Initial,
    NetworkDocument,
    Pool,
    Route,
    Station,
    StopRule,
)

WORDS = 2**64
PERIODS_DEFAULT = 1
SNAPSHOTS_DEFAULT = 100
TOO_MANY_ARRIVALS = 2.0e8
MOST_LEVELS = 2**16
"""Of priority at one station: a place in a queue has 16 bits for it."""
MOST_VISITS = 2**18
"""Of one resident who would wait from beginning to end: a companion's number has room for twice as many."""
SHORTEST = 1e-9
"""Of the horizon, for the mean of a length of time: with shorter ones a run would never end."""


def thresholds(probabilities: Sequence[float]) -> list[int]:
    """Cumulated probabilities as 64-bit words; the last one takes whatever rounding leaves."""
    total = 0.0
    below = []
    for probability in probabilities:
        total += probability
        below.append(min(int(total * WORDS), WORDS - 1))
    below[-1] = WORDS - 1
    return below


def words_below(probabilities: Sequence[Any]) -> np.ndarray:
    """`thresholds` of chances that may be arrays (n,): (W,) or (n, W) uint64, equal to it to the last bit."""
    if not any(isinstance(x, np.ndarray) for x in probabilities):
        return np.array(thresholds(probabilities), np.uint64)
    total: Any = 0.0
    below = []
    for probability in probabilities:
        total = total + probability
        inside = np.minimum(total * float(WORDS), float(WORDS - 2048))  # the largest float64 below 2**64
        below.append(np.where(total * float(WORDS) >= WORDS, np.uint64(WORDS - 1), np.asarray(inside, np.uint64)))
    below[-1] = np.full_like(below[-1], WORDS - 1)
    return np.stack(np.broadcast_arrays(*below), axis=-1)


def mean_of(values: Any) -> Any:
    """Mean of the values of an empirical distribution, over the last axis, rounded once."""
    rows = np.asarray(values, float)
    if rows.ndim == 1:
        return math.fsum(rows) / len(rows)
    return np.array([math.fsum(row) / len(row) for row in rows])


class _Builder:
    """Grows the tables of a network while the document is read."""

    def __init__(self, document: NetworkDocument, where: str) -> None:
        self.document = document
        self.where = where
        self.stations = self._codes("stations", [s.name for s in document.stations])
        self.pools = self._codes("pools", [p.name for p in document.pools], taken=self.stations)
        self.classes = self._codes("classes", document.classes)
        self.lists: dict[str, int] = {}
        self.distributions: list[tuple[Any, ...]] = []
        self.values: list[float] = []
        self.known: dict[Any, int] = {}
        self.steps: list[tuple[float, float]] = []
        self.other_times: dict[str, set[float]] = {}
        for rule in document.stop_rules:
            for name, given in rule.servers.items():
                times = [time for time, _ in given] if isinstance(given, list) else []
                self.other_times.setdefault(name, set()).update(times)
        self.refusing = {self.stations[one.name] for one in document.stations if one.queue_limit is not None}
        for name in (name for rule in document.stop_rules for name in rule.close):
            self.refusing.add(self.code(self.stations, name, "stop_rules.close", "station"))
        self.rows: list[tuple[int, int]] = []
        self.ways: list[tuple[int, int, int, float]] = []
        self.clocks: list[tuple[int, ...]] = []
        self.leads_to: dict[int, set[int]] = {k: set() for k in self.stations.values()}

    def refuse(self, place: str, found: object, expected: str) -> InputError:
        text = found if isinstance(found, str) else repr(found)
        return InputError(f"{self.where}: {place}", text, expected)

    def _codes(self, place: str, names: Sequence[str], taken: Iterable[str] = ()) -> dict[str, int]:
        codes: dict[str, int] = {}
        for name in names:
            if name in ("exit", "stay") or name in codes or name in taken:
                raise self.refuse(place, name, "names that differ from each other and from 'exit' and 'stay'")
            codes[name] = len(codes)
        return codes

    def code(self, table: Mapping[str, int], name: str, place: str, what: str) -> int:
        if name not in table:
            raise self.refuse(place, name, f"a {what}: one of {', '.join(itertools.islice(table, 12))}")
        return table[name]

    def patient_class(self, name: str, place: str) -> int:
        return self.code(self.classes, name, place, "patient class")

    def distribution(self, given: Distribution, place: str) -> int:
        """Code of a distribution; equal ones share a code."""
        key = given.model_dump_json()
        if key not in self.known:
            self.known[key] = len(self.distributions)
            if given.values is not None:
                mean = mean_of(given.values)
                self.distributions.append((draws.EMPIRICAL, len(self.values), len(given.values), 0, 0.0, 0.0, mean))
                self.values.extend(given.values)
            else:
                family, a, b, mean = parameters(given)
                self.distributions.append((family, 0, 0, 0, a, b, mean))
            if (mean := self.distributions[-1][-1]) < self.document.horizon * SHORTEST:
                raise self.refuse(place, f"a mean of {mean:g}", f"at least {SHORTEST:g} of the horizon")
        return self.known[key]

    def per_class(self, given: Distribution | dict[str, Distribution] | None, place: str) -> list[int]:
        """Code of the distribution of each class; -1 where a table leaves a class out."""
        if given is None:
            return [n.NEVER] * len(self.classes)
        if isinstance(given, Distribution):
            return [self.distribution(given, place)] * len(self.classes)
        codes = [n.NEVER] * len(self.classes)
        for name, one in given.items():
            codes[self.patient_class(name, place)] = self.distribution(one, place)
        return codes

    def increasing(self, steps: Sequence[tuple[float, float]], place: str) -> None:
        times = [time for time, _ in steps]
        if any(later <= earlier for earlier, later in itertools.pairwise(times)):
            raise self.refuse(place, f"times {times[:6]}", "times that increase")

    def schedule(self, steps: Sequence[tuple[float, float]], place: str) -> tuple[int, int]:
        self.increasing(steps, place)
        first = len(self.steps)
        self.steps.extend((float(time), float(value)) for time, value in steps)
        return first, len(steps)

    def course(
        self, given: int | list[tuple[float, int]], times: Iterable[float], place: str
    ) -> list[tuple[float, float]]:
        """A schedule of servers from time zero on, with a step at each of these ``times`` as well."""
        steps = [(float(t), float(v)) for t, v in given] if isinstance(given, list) else [(0.0, float(given))]
        self.increasing(steps, place)
        own = [time for time, _ in steps]
        numbers = [0.0, *(number for _, number in steps)]
        return [(time, numbers[bisect(own, time)]) for time in sorted({0.0, *own, *times})]

    def place(self, label: str, place: str, stay: bool = False, pools: bool = True) -> tuple[int, int]:
        """(destination, class) of ``station``, ``pool``, ``exit`` or ``stay``, each with ``:class`` or without."""
        name, _, become = label.partition(":")
        patient_class = self.patient_class(become, place) if become else n.NEVER
        if name == "exit":
            return n.OUT, patient_class
        if name == "stay":
            if not stay:
                raise self.refuse(place, "stay", "a station or exit ('stay' is for the routes of a review)")
            return n.STAY, patient_class
        if pools and name in self.pools:
            return len(self.stations) + self.pools[name], patient_class
        what = "station" + (", a pool" if pools else "") + " or exit"
        return self.code(self.stations, name, place, what), patient_class

    def row(self, given: dict[str, float] | list[Destination], place: str, stay: bool, origins: Iterable[int]) -> int:
        """Code of a row of ways; registers which stations it leads to."""
        ways = given if isinstance(given, list) else [Destination(to=to, probability=p) for to, p in given.items()]
        total = math.fsum(way.probability for way in ways)
        if not ways or abs(total - 1.0) > 1e-9:
            raise self.refuse(place, f"probabilities that add to {total:.6g}", "probabilities that add to 1")
        self.rows.append((len(self.ways), len(ways)))
        for way, below in zip(ways, thresholds([way.probability for way in ways]), strict=True):
            to, patient_class = self.place(way.to, place, stay)
            if way.become is not None:
                patient_class = self.patient_class(way.become, place)
            self.ways.append((below, to, patient_class, way.service_factor))
            for origin in origins:
                self.leads_to[origin].update(self.reached(to))
        return len(self.rows) - 1

    def reached(self, destination: int) -> list[int]:
        """Stations behind a destination."""
        if destination < 0:
            return []
        if destination < len(self.stations):
            return [destination]
        pool = self.document.pools[destination - len(self.stations)]
        return [self.stations[name] for name in pool.stations if name in self.stations]

    def clock(self, given: Clock, origin: int, place: str) -> tuple[int, ...]:
        station = patient_class = visit_station = visit_class = n.NEVER
        kind = events.VISIT
        if given.review_at is not None:
            kind = events.REVIEW
            station = self.code(self.stations, given.review_at, f"{place}.review_at", "station")
            self.leads_to[origin].add(station)
        elif given.become is not None:
            kind = events.CHANGE
            patient_class = self.patient_class(given.become, f"{place}.become")
        if given.visit is not None:
            visit_station, visit_class = self.place(given.visit, f"{place}.visit", pools=False)
            if visit_station < 0:
                raise self.refuse(f"{place}.visit", given.visit, "a station")
            self.leads_to[origin].add(visit_station)
        after = self.distribution(given.after, f"{place}.after")
        if given.repeats and visit_station >= 0 and self.document.horizon / self.distributions[after][-1] > MOST_VISITS:
            raise self.refuse(f"{place}.after", "visits that follow too soon", f"at most {MOST_VISITS} in the run")
        return (after, kind, station, patient_class, visit_station, visit_class, int(given.repeats), 0)

    def station(self, k: int, given: Station) -> tuple[tuple[Any, ...], np.ndarray]:
        """The `STATION` and the (C,) `CELL` of one station."""
        place = f"stations.{given.name}"
        if given.servers == "inf":
            servers, servers_first, servers_count = n.ALWAYS_OPEN, len(self.steps), 0
        else:  # with the steps of what stop rules may put in its place: one step is passed in all of them at once
            course = self.course(given.servers, self.other_times.get(given.name, ()), f"{place}.servers")
            servers = int(course[0][1])
            servers_first, servers_count = self.schedule(course[1:], f"{place}.servers")
        tokens = n.ALWAYS_OPEN if given.quota is None else 0
        quota_first, quota_count = self.schedule(given.quota or [], f"{place}.quota")
        if given.discipline == "fifo" and given.priority:
            raise self.refuse(f"{place}.priority", "priorities", 'discipline = "priority" beside it')
        ranks = sorted(set(given.priority.values()))
        if len(ranks) >= MOST_LEVELS:
            raise self.refuse(f"{place}.priority", f"{len(ranks)} priorities", f"fewer than {MOST_LEVELS}")
        levels = [len(ranks)] * len(self.classes)  # a class that is not named comes after all that are
        for name, value in given.priority.items():
            levels[self.patient_class(name, f"{place}.priority")] = ranks.index(value)
        waiting_list = n.NEVER
        if given.waiting_list is not None:
            waiting_list = self.lists.setdefault(given.waiting_list, len(self.lists))
        cells = np.zeros(len(self.classes), n.CELL)
        cells["service"] = self.per_class(given.service, f"{place}.service")
        cells["patience"] = self.per_class(given.patience, f"{place}.patience")
        cells["age"] = self.per_class(given.initial.age, f"{place}.initial.age")
        cells["level"] = levels
        cells["review_row"] = n.NEVER
        gone = {"exit": 1.0} if given.on_renege is None else given.on_renege
        cells["renege_row"] = self.row(gone, f"{place}.on_renege", False, [k])
        if given.on_renege is not None and given.patience is None:
            raise self.refuse(f"{place}.on_renege", "ways of those who give up", "patience beside it")
        if given.on_full is not None and k not in self.refusing:
            raise self.refuse(f"{place}.on_full", "ways from a full queue", check.MAY_BE_FULL)
        cells["full_row"] = (
            n.NEVER if given.on_full is None else self.row(given.on_full, f"{place}.on_full", False, [k])
        )
        compiled = [self.clock(one, k, f"{place}.while_waiting") for one in given.while_waiting]
        for one in given.while_waiting:
            for name in one.classes or []:
                self.patient_class(name, f"{place}.while_waiting.classes")
        clocks: dict[str, list[tuple[int, ...]]] = {name: [] for name in self.classes}
        for one, code in zip(given.while_waiting, compiled, strict=True):
            for name in self.classes if one.classes is None else dict.fromkeys(one.classes):
                clocks[name].append(code)
        for c, mine in enumerate(clocks.values()):
            if len(mine) >= draws.MAX_CLOCKS:
                raise self.refuse(f"{place}.while_waiting", f"{len(mine)} clocks", f"at most {draws.MAX_CLOCKS - 1}")
            cells["clock_first"][c] = len(self.clocks)
            cells["clock_count"][c] = len(mine)
            self.clocks.extend(mine)
        limit = n.ALWAYS_OPEN if given.queue_limit is None else given.queue_limit
        record = (
            servers,
            tokens,
            limit,
            servers_first,
            servers_count,
            quota_first,
            quota_count,
            int(given.quota_carries),
            max(levels) + 1,
            waiting_list,
            int(given.uses_service_factor),
            given.removes_second_place,
        )
        return record, cells

    def routes(self, cells: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rows on completion per epoch, and the rows on reneging, a full queue and a review in ``cells``."""
        times = sorted({0.0} | {route.start for route in self.document.routes})
        leave = self.row({"exit": 1.0}, "routes", False, [])
        table = np.full((len(times), *cells.shape), leave, np.int32)
        seen: set[tuple[str, str | None, str, float]] = set()
        ordered = sorted(self.document.routes, key=lambda route: (route.start, route.patient_class is not None))
        for route in ordered:
            place = f"routes from {route.origin}" + (f", class {route.patient_class}" if route.patient_class else "")
            key = (route.origin, route.patient_class, route.on, route.start)
            if key in seen:
                raise self.refuse(place, f"two routes on {route.on}", "one route per station, class and start")
            seen.add(key)
            self._route(route, place, times, table, cells)
        return np.array(times), table

    def _route(self, route: Route, place: str, times: list[float], table: np.ndarray, cells: np.ndarray) -> None:
        k = self.code(self.stations, route.origin, place, "station")
        row = self.row(route.to, place, route.on == "review", [k])
        name = route.patient_class
        which: Any = slice(None) if name is None else self.patient_class(name, place)
        if route.on == "completion":
            for epoch in range(times.index(route.start), len(times)):
                table[epoch, k, which] = row
            return
        if route.start != 0.0:
            raise self.refuse(place, f"start {route.start:g}", f"start 0 for a route on {route.on}")
        if route.on == "renege" and not (cells["patience"][k] >= 0).any():
            raise self.refuse(place, "a route on renege", "patience at this station")
        if route.on == "full" and k not in self.refusing:
            raise self.refuse(place, "a route on full", check.MAY_BE_FULL)
        field = {"renege": "renege_row", "full": "full_row", "review": "review_row"}[route.on]
        cells[field][k, which] = row

    def initial(self, given: Initial, k: int, place: str) -> list[tuple[int, int, int, int]]:
        """The `INITIAL` of a station, one per class that is named."""

        def counts(present: int | dict[str, int]) -> dict[int, int]:
            if isinstance(present, dict):
                return {self.patient_class(name, place): count for name, count in present.items()}
            return {n.NEVER: present}

        waiting, serving = counts(given.waiting), counts(given.in_service)
        return [
            (k, c, waiting.get(c, 0), serving.get(c, 0))
            for c in sorted(waiting.keys() | serving.keys())
            if waiting.get(c, 0) + serving.get(c, 0) > 0
        ]

    def rules(self, stations: Sequence[tuple[Any, ...]]) -> tuple[list[tuple[Any, ...]], list[int], list[Any]]:
        """The `STOP_RULE` of all rules, their stations, and their `OTHER_SERVERS`; ``stations``: `STATION`."""
        rules: list[tuple[Any, ...]] = []
        concerned: list[int] = []
        others: list[tuple[int, int]] = []
        for rule in self.document.stop_rules:
            mine = [self.code(self.stations, name, "stop_rules.stations", "station") for name in rule.stations]
            close = [self.code(self.stations, name, "stop_rules.close", "station") for name in rule.close]
            at_least = rule.at_least is not None
            threshold = rule.at_least if rule.at_least is not None else rule.at_most
            first, starts = len(concerned), rule.measure == "starts"
            lengths = (first, len(mine), first + len(mine), len(close), len(others), len(rule.servers))
            rules.append((rule.at, threshold, at_least, starts, *lengths))
            concerned += mine + close
            others += [self.other_servers(name, given, rule, stations) for name, given in rule.servers.items()]
        return rules, concerned, others

    def other_servers(
        self, name: str, given: int | list[tuple[float, int]], rule: StopRule, stations: Sequence[tuple[Any, ...]]
    ) -> tuple[int, int]:
        """The `OTHER_SERVERS` of a station; their steps stand at the end."""
        k = self.code(self.stations, name, "stop_rules.servers", "station")
        place = f"stop_rules.servers.{name}"
        if name in rule.close:
            raise self.refuse(place, "a station that the rule closes", "a station that stays open")
        columns = n.STATION.names or ()
        servers, begin, count = (stations[k][columns.index(x)] for x in ("servers", "servers_first", "servers_count"))
        if servers == n.ALWAYS_OPEN:
            raise self.refuse(place, 'a station with servers = "inf"', "a station with a number or a schedule of them")
        first = len(self.steps)
        self.steps += self.course(given, [time for time, _ in self.steps[begin : begin + count]], place)
        if len(self.steps) > check.MOST_ROWS:
            raise self.refuse(place, f"{len(self.steps)} steps of schedules", f"at most {check.MOST_ROWS} in all")
        return k, first

    def pool(self, given: Pool, place: str) -> tuple[list[int], list[int]]:
        members = [self.code(self.stations, name, place, "station") for name in given.stations]
        if len(set(members)) < len(members):
            raise self.refuse(place, "a station twice", "each station once")
        shares = [1.0 / len(members)] * len(members) if given.shares is None else given.shares
        if given.rule == "soonest" and given.shares is not None:
            raise self.refuse(f"{place}.shares", "shares", 'rule = "shares" beside them')
        if len(shares) != len(members) or abs(math.fsum(shares) - 1.0) > 1e-9:
            raise self.refuse(f"{place}.shares", repr(shares), "one share per station, together 1")
        return members, thresholds(shares)


def build(document: NetworkDocument, where: str, source: Mapping[str, Any]) -> n.Network:
    """Arrays of a validated document.

    Raises
    ------
    InputError : names that do not exist, probabilities that do not add to one, unreachable stations, circles.
    """
    b = _Builder(document, where)
    check.check_sizes(document, b.refuse)
    if document.warm_up >= document.horizon:
        raise b.refuse("warm_up", document.warm_up, f"less than the horizon, {document.horizon:g}")
    shape = (len(b.stations), len(b.classes))
    cells = np.zeros(shape, n.CELL)
    records = []
    for k, station in enumerate(document.stations):
        record, cells[k] = b.station(k, station)
        records.append(record)
    route_times, route_rows = b.routes(cells)
    members: list[int] = []
    member_below: list[int] = []
    pools = []
    for pool in document.pools:
        mine, below = b.pool(pool, f"pools.{pool.name}")
        pools.append((len(members), len(mine), int(pool.rule == "shares"), 0, pool.second_list))
        members += mine
        member_below += below
    streams, entries, mass = [], set[int](), np.zeros(len(b.classes))
    for i, arrivals in enumerate(document.arrivals):
        place = f"arrivals.{i}"
        c = b.patient_class(arrivals.patient_class, f"{place}.class")
        to, become = b.place(arrivals.station, f"{place}.station")
        if to < 0 or become >= 0:
            raise b.refuse(f"{place}.station", arrivals.station, "a station or a pool")
        entries.update(b.reached(to))
        if arrivals.interval is not None:
            interval, first, count = b.distribution(arrivals.interval, f"{place}.interval"), 0, 0
            expected = document.horizon / b.distributions[interval][-1]
            mass[c] += 1.0 / b.distributions[interval][-1]
        else:
            rate = arrivals.rate if isinstance(arrivals.rate, list) else [(0.0, arrivals.rate or 0.0)]
            interval = n.NEVER
            first, count = b.schedule(rate, f"{place}.rate")
            expected = max(value for _, value in rate) * document.horizon
            mass[c] += rate[0][1]
        if expected > TOO_MANY_ARRIVALS:
            raise b.refuse(f"{place}", f"about {expected:.3g} arrivals", f"at most {TOO_MANY_ARRIVALS:g} in the run")
        streams.append((to, c, first, count, interval))
    initial: list[tuple[int, ...]] = []
    for k, station in enumerate(document.stations):
        found = b.initial(station.initial, k, f"stations.{station.name}.initial")
        entries.update({k} if found else set())
        initial += found
    mass = mass if mass.sum() > 0 else np.ones(len(b.classes))
    rules, rule_stations, rule_servers = b.rules(records)
    periods = document.periods or np.linspace(0.0, document.horizon, PERIODS_DEFAULT + 1).tolist()
    if any(later <= earlier for earlier, later in itertools.pairwise(periods)):
        raise b.refuse("periods", periods[:6], "edges that increase")
    every = document.snapshot_every or document.horizon / SNAPSHOTS_DEFAULT
    norm = math.inf if document.waiting_norm is None else document.waiting_norm
    network = n.Network(
        station_names=tuple(b.stations),
        class_names=tuple(b.classes),
        pool_names=tuple(b.pools),
        list_names=tuple(b.lists),
        horizon=float(document.horizon),
        warm_up=float(document.warm_up),
        snapshot_every=float(every),
        waiting_norm=norm,
        wait_bin=float(document.wait_bin or document.horizon / 256),
        periods=np.array(periods, float),
        stations=np.array(records, n.STATION),
        cells=cells,
        route_times=route_times,
        route_rows=route_rows,
        rows=np.array(b.rows, n.ROW),
        ways=np.array(b.ways, n.WAY),
        distributions=np.array(b.distributions, n.DISTRIBUTION),
        values=np.array([*b.values, 0.0]),
        clocks=np.array([*b.clocks, (0,) * 8], n.CLOCK),
        pools=np.array([*pools, (0, 0, 0, 0, 0.0)], n.POOL),
        members=np.array([*members, 0], np.int32),
        member_below=np.array([*member_below, 0], np.uint64),
        streams=np.array(streams, n.STREAM),
        steps=np.array([*b.steps, (0.0, 0.0)], n.STEP),
        initial=np.array(initial, n.INITIAL),
        class_mix=np.array(thresholds((mass / mass.sum()).tolist()), np.uint64),
        stop_rules=np.array(rules, n.STOP_RULE),
        rule_stations=np.array([*rule_stations, 0], np.int32),
        rule_servers=np.array([*rule_servers, (0, 0)], n.OTHER_SERVERS),
        title=document.title,
        document=source,
    )
    names = check.Names(where, b.leads_to, [b.reached(len(b.stations) + p) for p in range(len(b.pools))])
    check.check_reached(names, network, entries)
    check.check_cells(names, network)
    check.check_full(names, network)
    return network
