"""What can only be refused with the whole network in view: tables beyond measure, unreachable stations, circles of
full queues, classes without service."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flowsim.errors import InputError
from flowsim.model import events
from flowsim.model import network as n
from flowsim.model.document import NetworkDocument

MOST_ROWS = 10_000_000
"""In a table of results or routes: enough for every region, and what a laptop can hold."""
MOST_CELLS = 100_000
"""Stations times classes."""
MAY_BE_FULL = "queue_limit at this station, or a stop rule that closes it"
"""What has to be there for a way on from a full queue: without it nobody would ever take that."""


def check_sizes(document: NetworkDocument, refuse: Callable[[str, object, str], InputError]) -> None:
    """Refuse what would need tables beyond measure, before they are made."""
    stations = len(document.stations)
    cells = stations * len(document.classes)
    if cells > MOST_CELLS:
        raise refuse("classes", f"{cells} stations times classes", f"at most {MOST_CELLS}")
    starts = len({route.start for route in document.routes})
    if starts * cells > MOST_ROWS:
        raise refuse("routes", f"{starts} moments at which routes change", f"at most {MOST_ROWS // cells}")
    if document.snapshot_every and document.horizon / document.snapshot_every * stations > MOST_ROWS:
        most = f"at most {MOST_ROWS // stations} snapshots in the run"
        raise refuse("snapshot_every", document.snapshot_every, most)
    lists = len({station.waiting_list for station in document.stations})
    rows = stations + lists * 256  # bins of waits
    if document.periods and len(document.periods) * rows > MOST_ROWS:
        raise refuse("periods", f"{len(document.periods)} edges", f"at most {MOST_ROWS // rows}")
    present = 0
    for station in document.stations:
        for given in (station.initial.waiting, station.initial.in_service):
            present += given if isinstance(given, int) else sum(given.values())
        if present > MOST_ROWS:
            raise refuse(f"stations.{station.name}.initial", f"{present} residents", f"at most {MOST_ROWS} in all")


class Names:
    """What the checks need of the names: where the document came from, and which stations lead to which."""

    def __init__(self, where: str, leads_to: dict[int, set[int]], members: list[list[int]]) -> None:
        self.where = where
        self.leads_to = leads_to
        self.members = members

    def refuse(self, place: str, found: str, expected: str) -> InputError:
        return InputError(f"{self.where}: {place}", found, expected)

    def reached(self, destination: int) -> list[int]:
        """Stations behind a destination: a pool leads to all its members."""
        stations = len(self.leads_to)
        if destination < 0:
            return []
        return [destination] if destination < stations else self.members[destination - stations]


def check_reached(names: Names, network: n.Network, entries: set[int]) -> None:
    """Refuse a station that nothing leads to."""
    reached, frontier = set(entries), list(entries)
    while frontier:
        for k in names.leads_to[frontier.pop()] - reached:
            reached.add(k)
            frontier.append(k)
    for k, name in enumerate(network.station_names):
        if k not in reached:
            raise names.refuse(f"stations.{name}", "a station that nothing leads to", "arrivals or a route to it")


def check_full(names: Names, network: n.Network) -> None:
    """Refuse a limited queue without a way on, and full queues that send residents round in a circle."""
    refuses = (network.stations["queue_limit"] < n.ALWAYS_OPEN) | np.isin(
        np.arange(len(network.stations)), network.rule_stations[_closing(network)]
    )
    onward: dict[int, set[int]] = {}
    for k, name in enumerate(network.station_names):
        rows = set(network.cells["full_row"][k].tolist())
        if refuses[k] and n.NEVER in rows:
            raise names.refuse(f"stations.{name}.on_full", "nothing", "where residents go when the queue is full")
        onward[k] = {
            to
            for row in rows - {n.NEVER}
            for way in network.ways[
                network.rows["first"][row] : network.rows["first"][row] + network.rows["count"][row]
            ]
            for to in names.reached(int(way["station"]))
            if refuses[to]
        }
    for k, name in enumerate(network.station_names):
        seen: set[int] = set()
        frontier = [k] if refuses[k] else []
        while frontier:
            for to in onward[frontier.pop()]:
                if to == k:
                    raise names.refuse(f"stations.{name}.on_full", "a circle of full queues", "a way that ends")
                if to not in seen:
                    seen.add(to)
                    frontier.append(to)


def _closing(network: n.Network) -> np.ndarray:
    parts = [np.arange(r["close_first"], r["close_first"] + r["close_count"]) for r in network.stop_rules]
    return np.concatenate(parts).astype(int) if parts else np.empty(0, int)


def check_cells(names: Names, network: n.Network) -> None:
    """Refuse a patient class that can come to a station without a service time there."""
    # Which class can be where, followed along all ways from arrivals and initial residents.
    frontier: list[tuple[int, int]] = []
    places = _second_places(names, network)
    for stream in network.streams:
        frontier += [(k, int(stream["patient_class"])) for k in names.reached(int(stream["station"]))]
    for one in network.initial:
        classes = range(len(network.class_names)) if one["patient_class"] < 0 else [int(one["patient_class"])]
        mixed = [c for c in classes if one["patient_class"] >= 0 or _share(network.class_mix, c) > 0]
        frontier += [(int(one["station"]), c) for c in mixed]
    # Rows of NumPy are slow to ask one by one: plain lists.
    cells = {name: network.cells[name].tolist() for name in ("service", "clock_first", "clock_count", "review_row")}
    chosen = {name: network.cells[name].tolist() for name in ("renege_row", "full_row")}
    route_rows = network.route_rows.transpose(1, 2, 0).tolist()
    clocks = _columns(network.clocks, "kind", "station", "patient_class", "visit_station", "visit_class")
    rows, ways = _columns(network.rows, "first", "count"), _columns(network.ways, "station", "patient_class")
    seen: set[tuple[int, int]] = set()
    while frontier:
        k, c = frontier.pop()
        if (k, c) in seen:
            continue
        seen.add((k, c))
        name = f"stations.{network.station_names[k]}"
        if cells["service"][k][c] < 0:
            raise names.refuse(f"{name}.service", "nothing", f"a service time for class {network.class_names[c]}")
        onward = {*(table[k][c] for table in chosen.values()), *route_rows[k][c]}
        first = cells["clock_first"][k][c]
        for kind, desk, other, visit_station, visit_class in clocks[first : first + cells["clock_count"][k][c]]:
            become = other if kind == events.CHANGE else c
            frontier += [(to, become) for to in places[k]]
            if visit_station >= 0:
                frontier.append((visit_station, visit_class if visit_class >= 0 else become))
            if kind == events.REVIEW:
                onward.add(cells["review_row"][desk][c])
                if cells["review_row"][desk][c] < 0:
                    desk_name = network.station_names[desk]
                    raise names.refuse(
                        f"routes from {desk_name}", "no route on review", "where a review can send residents"
                    )
        for row in onward - {n.NEVER}:
            begin, count = rows[row]
            for station, patient_class in ways[begin : begin + count]:
                become, reached = patient_class if patient_class >= 0 else c, names.reached(station)
                frontier += [(to, become) for to in reached]
                if station == n.STAY or k in reached:
                    frontier += [(to, become) for to in places[k]]


def _columns(table: np.ndarray, *fields: str) -> list[tuple[int, ...]]:
    """The rows of a table as tuples of these fields."""
    return list(zip(*(table[field].tolist() for field in fields), strict=True))


def _second_places(names: Names, network: n.Network) -> list[set[int]]:
    """Stations where somebody who waits at a station may start: there, and where a second list may have a place."""
    places = [{k} for k in range(len(network.stations))]
    for pool, members in zip(network.pools, names.members, strict=False):
        for k in members if pool["second_list"] > 0.0 else []:
            places[k].update(members)
    return places


def _share(class_mix: np.ndarray, c: int) -> int:
    return int(class_mix[c]) - (int(class_mix[c - 1]) if c else 0)
