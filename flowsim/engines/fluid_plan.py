"""What of a network matters to its fluid: which cells people flow through on their way to a list, and along which arcs.

A *cell* is a kind of resident at a station. Kinds lump the patient classes that behave alike on the way to a list (in
Amstelland: those that differ in municipality only). Stations from which no list can be reached are left out, and
whoever goes there has left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from flowsim.model import events
from flowsim.model import network as n

RENEGE: Final = 0
FULL: Final = 1
REVIEW: Final = 2
COMPLETION: Final = 3
"""Rows of `Plan.arc_first`; those on completion follow each other, one per epoch of routes."""
TO_CELL: Final = 0
BY_SHARE: Final = 1
SOONEST: Final = 2
ARC: Final = np.dtype([("way", "i8"), ("rule", "i8"), ("to", "i8"), ("count", "i8"), ("second_list", "f8")])
"""One way on from a cell: with the chance and the factor of ``way`` to the cell ``to``, or to one of ``count`` members
of a pool from ``to`` on (in `Plan.members`)."""
CLOCK: Final = np.dtype([("after", "i8"), ("to", "i8"), ("desk", "i8")])
"""While waiting in a cell, after an exponential time: over to the cell ``to`` (-1: not), or a look by ``desk`` (-1)."""


@dataclass
class Plan:
    """Cells, stations and arcs.

    Attributes (Q cells, S stations that matter)
    ----------
    stations : (S,) their codes, in the network's order; cell_first : (S + 1,) their cells.
    station, level, service, patience : (Q,) of cells: place in ``stations``, level of priority, distributions (-1:
    none).
    arc_first : (COMPLETION + epochs, Q + 1), where in ``arcs`` those of each cell begin.
    members, shares : cells of pools, with their shares. clock_first : (Q + 1,). stream_arc : (streams,) the arc by
    which they come in, -1 where it leads to no list. desks : stations that look at those who wait.
    cell_of : (K, C) cell of a class at a station, -1 where there is none.
    """

    stations: np.ndarray
    cell_first: np.ndarray
    station: np.ndarray
    level: np.ndarray
    service: np.ndarray
    patience: np.ndarray
    cell_of: np.ndarray
    arc_first: np.ndarray
    arcs: np.ndarray
    members: np.ndarray
    shares: np.ndarray
    clock_first: np.ndarray
    clocks: np.ndarray
    stream_arc: np.ndarray
    desks: np.ndarray


class _Planner:
    def __init__(self, network: n.Network) -> None:
        self.network = network
        self.K, self.C = network.cells.shape
        self.ways = network.ways
        self.lists = {k for k in range(self.K) if network.stations["list"][k] >= 0}
        self.rows_of: dict[int, list[tuple[int, int, int]]] = {}

    def row(self, row: int) -> list[tuple[int, int, int]]:
        """(way, destination, class or -1) of a row of ways."""
        if row < 0:
            return []
        if row not in self.rows_of:
            first, count = (int(self.network.rows[row][x]) for x in ("first", "count"))
            self.rows_of[row] = [
                (w, int(self.ways["station"][w]), int(self.ways["patient_class"][w]))
                for w in range(first, first + count)
            ]
        return self.rows_of[row]

    def behind(self, destination: int) -> list[int]:
        if destination < 0:
            return []
        if destination < self.K:
            return [destination]
        pool = self.network.pools[destination - self.K]
        return self.network.members[pool["first"] : pool["first"] + pool["count"]].tolist()  # type: ignore[no-any-return]

    def rows_at(self, k: int, c: int) -> list[int]:
        cell = self.network.cells[k, c]
        fixed = [int(cell[x]) for x in ("renege_row", "full_row")]
        return fixed + [int(row) for row in self.network.route_rows[:, k, c]]

    def clocks_at(self, k: int, c: int) -> np.ndarray:
        cell = self.network.cells[k, c]
        return self.network.clocks[cell["clock_first"] : cell["clock_first"] + cell["clock_count"]]

    def on(self, k: int, c: int) -> set[tuple[int, int]]:
        """Cells (station, class) that can come next after this one."""
        found = set()
        rows = self.rows_at(k, c)
        for clock in self.clocks_at(k, c):
            if clock["kind"] == events.CHANGE:
                found.add((k, int(clock["patient_class"])))
            elif clock["kind"] == events.REVIEW:
                rows = [*rows, int(self.network.cells[int(clock["station"]), c]["review_row"])]
        for row in rows:
            for _, to, become in self.row(row):
                found |= {(other, c if become < 0 else become) for other in self.behind(to)}
        return found

    def reachable(self) -> list[tuple[int, int]]:
        """Cells that somebody can come to and from which a list can be reached, the lists' own cells among them."""
        network = self.network
        begin = {(int(g["station"]), int(g["patient_class"])) for g in network.initial if g["patient_class"] >= 0}
        for stream in network.streams:
            begin |= {(k, int(stream["patient_class"])) for k in self.behind(int(stream["station"]))}
        next_of: dict[tuple[int, int], set[tuple[int, int]]] = {}
        todo = list(begin)
        while todo:
            cell = todo.pop()
            if cell not in next_of:
                next_of[cell] = self.on(*cell)
                todo += next_of[cell]
        good = {cell for cell in next_of if cell[0] in self.lists}
        grown = True
        while grown:
            more = {cell for cell, following in next_of.items() if cell not in good and following & good}
            good |= more
            grown = bool(more)
        return sorted(good)

    def kinds(self, cells: list[tuple[int, int]]) -> list[int]:
        """Kind of each class: the coarsest division in which classes of a kind do the same everywhere."""
        alive = set(cells)
        where: dict[int, list[int]] = {c: [] for c in range(self.C)}
        for k, c in cells:
            where[c].append(k)
        kind = [0] * self.C

        def row_seen(row: int, c: int) -> tuple[Any, ...]:
            seen: dict[tuple[Any, ...], float] = {}
            before = 0
            for w, to, become in self.row(row):
                below = int(self.ways["below"][w])
                after = c if become < 0 else become
                if any((k, after) in alive for k in self.behind(to)):
                    key = (to, kind[after], float(self.ways["factor"][w]))
                    seen[key] = seen.get(key, 0.0) + (below - before) / 2.0**64
                before = below
            return tuple(sorted((key, round(p, 12)) for key, p in seen.items()))

        def seen_at(k: int, c: int) -> tuple[Any, ...]:
            cell = self.network.cells[k, c]
            clocks = []
            for clock in self.clocks_at(k, c):
                if clock["kind"] == events.CHANGE:
                    clocks.append((int(clock["after"]), kind[int(clock["patient_class"])], -1))
                elif clock["kind"] == events.REVIEW:
                    desk = int(clock["station"])
                    clocks.append(
                        (int(clock["after"]), -1, desk, *row_seen(int(self.network.cells[desk, c]["review_row"]), c))
                    )
            rows = tuple(row_seen(row, c) for row in self.rows_at(k, c))
            return k, int(cell["service"]), int(cell["patience"]), int(cell["level"]), tuple(clocks), rows

        while True:
            seen = [(kind[c], *(seen_at(k, c) for k in where[c])) for c in range(self.C)]
            known: dict[Any, int] = {}
            finer = [known.setdefault(one, len(known)) for one in seen]
            if len(known) == len(set(kind)):
                return finer
            kind = finer


class _Arcs:
    """Grows the arcs along which rows of ways lead from cell to cell."""

    def __init__(self, planner: _Planner, cell_of: np.ndarray) -> None:
        self.planner, self.cell_of = planner, cell_of
        self.arcs: list[tuple[Any, ...]] = []
        self.members: list[int] = []
        self.shares: list[float] = []

    def along(self, row: list[tuple[int, int, int]], c: int) -> None:
        """Add the ways of a row that lead on from a class, with (way, destination, class or -1) of each."""
        p = self.planner
        for w, to, become in row:
            cells = [int(self.cell_of[k, c if become < 0 else become]) for k in p.behind(to)]
            if to < 0 or all(cell < 0 for cell in cells):
                continue
            if to < p.K:
                self.arcs.append((w, TO_CELL, cells[0], 1, 0.0))
                continue
            pool = p.network.pools[to - p.K]
            rule = BY_SHARE if pool["by_share"] else SOONEST
            below = p.network.member_below[pool["first"] : pool["first"] + pool["count"]].astype(float) / 2.0**64
            below[-1] = 1.0
            self.arcs.append((w, rule, len(self.members), len(cells), float(pool["second_list"])))
            self.members.extend(cells)
            self.shares.extend(np.diff(below, prepend=0.0).tolist())


def plan(network: n.Network) -> Plan:
    """Cells and arcs of a network's fluid."""
    p = _Planner(network)
    found = p.reachable()
    kind = p.kinds(found)
    chosen: dict[tuple[int, int], tuple[int, int]] = {}
    for k, c in found:
        chosen.setdefault((k, kind[c]), (k, c))  # one class stands for its kind
    keys = sorted(chosen, key=lambda key: (key[0], int(network.cells[chosen[key]]["level"]), key[1]))
    number = {key: i for i, key in enumerate(keys)}
    cell_of = np.full((p.K, p.C), -1, np.int64)
    for k, c in found:
        cell_of[k, c] = number[k, kind[c]]
    stations = np.array(sorted({k for k, _ in keys}), np.int64)
    place = {int(k): s for s, k in enumerate(stations)}
    arcs = _Arcs(p, cell_of)
    epochs = len(network.route_times)
    arc_first = np.zeros((COMPLETION + epochs, len(keys) + 1), np.int64)
    clock_first, clocks = [0], list[tuple[int, int, int]]()
    desks: set[int] = set()
    rows: list[list[int]] = []
    for key in keys:
        k, c = chosen[key]
        cell, desk = network.cells[k, c], -1
        for clock in p.clocks_at(k, c):
            if clock["kind"] == events.CHANGE:
                clocks.append((int(clock["after"]), int(cell_of[k, int(clock["patient_class"])]), -1))
            elif clock["kind"] == events.REVIEW:
                desk = int(clock["station"])
                desks.add(desk)
                clocks.append((int(clock["after"]), -1, desk))
        clock_first.append(len(clocks))
        review = int(network.cells[desk, c]["review_row"]) if desk >= 0 else n.NEVER
        of_kind = {RENEGE: int(cell["renege_row"]), FULL: int(cell["full_row"]), REVIEW: review}
        rows.append([*(of_kind[kind] for kind in range(COMPLETION)), *network.route_rows[:, k, c].tolist()])
    for place_of_row in range(COMPLETION + epochs):
        for i, key in enumerate(keys):
            arc_first[place_of_row, i] = len(arcs.arcs)
            arcs.along(p.row(rows[i][place_of_row]), chosen[key][1])
        arc_first[place_of_row, -1] = len(arcs.arcs)
    level, service, patience = (
        np.array([int(network.cells[chosen[key]][x]) for key in keys], np.int64)
        for x in ("level", "service", "patience")
    )
    stream_arc = []
    for one in network.streams:
        before = len(arcs.arcs)
        arcs.along([(-1, int(one["station"]), -1)], int(one["patient_class"]))
        stream_arc.append(before if len(arcs.arcs) > before else -1)
    return Plan(
        stations=stations,
        cell_first=np.searchsorted([key[0] for key in keys], [*stations, p.K + 1]).astype(np.int64),
        station=np.array([place[key[0]] for key in keys], np.int64),
        level=level,
        service=service,
        patience=patience,
        cell_of=cell_of,
        arc_first=arc_first,
        arcs=np.array(arcs.arcs or [(0, 0, 0, 0, 0.0)], ARC),
        members=np.array(arcs.members or [0], np.int64),
        shares=np.array(arcs.shares or [0.0]),
        clock_first=np.array(clock_first, np.int64),
        clocks=np.array(clocks or [(0, -1, -1)], CLOCK),
        stream_arc=np.array(stream_arc, np.int64),
        desks=np.array(sorted(desks), np.int64),
    )
