"""What can only be refused once the whole network is known: unreachable stations, circles, classes without service."""

from __future__ import annotations

import numpy as np

from flowsim.errors import InputError
from flowsim.model import events
from flowsim.model import network as n


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
    for stream in network.streams:
        frontier += [(k, int(stream["patient_class"])) for k in names.reached(int(stream["station"]))]
    for one in network.initial:
        classes = range(len(network.class_names)) if one["patient_class"] < 0 else [int(one["patient_class"])]
        mixed = [c for c in classes if one["patient_class"] >= 0 or _share(network.class_mix, c) > 0]
        frontier += [(int(one["station"]), c) for c in mixed]
    seen: set[tuple[int, int]] = set()
    while frontier:
        k, c = frontier.pop()
        if (k, c) in seen:
            continue
        seen.add((k, c))
        cell = network.cells[k, c]
        name = f"stations.{network.station_names[k]}"
        if cell["service"] < 0:
            raise names.refuse(f"{name}.service", "nothing", f"a service time for class {network.class_names[c]}")
        rows = {int(cell["renege_row"]), int(cell["full_row"]), *network.route_rows[:, k, c].tolist()}
        for clock in network.clocks[cell["clock_first"] : cell["clock_first"] + cell["clock_count"]]:
            become = int(clock["patient_class"]) if clock["kind"] == events.CHANGE else c
            frontier.append((k, become))
            if clock["visit_station"] >= 0:
                visitor = int(clock["visit_class"]) if clock["visit_class"] >= 0 else become
                frontier.append((int(clock["visit_station"]), visitor))
            if clock["kind"] == events.REVIEW:
                rows.add(int(network.cells["review_row"][clock["station"], c]))
                if network.cells["review_row"][clock["station"], c] < 0:
                    desk = network.station_names[clock["station"]]
                    raise names.refuse(f"routes from {desk}", "no route on review", "where a review can send residents")
        for row in rows - {n.NEVER}:
            first = network.rows["first"][row]
            for way in network.ways[first : first + network.rows["count"][row]]:
                become = int(way["patient_class"]) if way["patient_class"] >= 0 else c
                frontier += [(to, become) for to in names.reached(int(way["station"]))]


def _share(class_mix: np.ndarray, c: int) -> int:
    return int(class_mix[c]) - (int(class_mix[c - 1]) if c else 0)
