"""The fluid twin of a network: what happens on average when people flow like water, in a thousandth of a second.

Arrivals, routes, services, quotas, patience and lists are those of the network; what is random in it is replaced by its
mean (W. Whitt, "Fluid models for multiserver queues with abandonments", Operations Research 54(1), 2006, p. 37: the
limit when arrivals and servers grow together; services and patience of any distribution). It goes in steps of some
days: within a step flows are even, at its end a station starts whom it has room for, by level and then the longest
waiting.

Left out: companions (visits on behalf of somebody who waits) and what they take of a station; who joins a faster list
through a second place is on it from the start; who is sent to another list by a desk stands there by the wait that he
has; where several desks look at those who wait in a cell, the routes of the last one hold for all; a service that is
lighter or heavier is a mixture of two lengths with the right mean; class and length of service of those in service are
taken to be unrelated. Chance itself is what a fluid does not have: a list that is short now and then is empty here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from flowsim.engines import fluid_loop as loop
from flowsim.engines import fluid_world as world
from flowsim.engines.fluid_plan import plan
from flowsim.engines.fluid_tables import ages, ended, rung, thinned
from flowsim.model import draws
from flowsim.model import network as n
from flowsim.model.memory import Addresses

STEP: Final = 14.0
LONGEST: Final = 1.0e9


@dataclass(frozen=True, eq=False)
class Levels:
    """What the fluid did: times (J + 1,), numbers waiting and overdue (n, J + 1, K) at all stations."""

    times: np.ndarray
    waiting: np.ndarray
    overdue: np.ndarray


def fluid(network: n.Network, step: float = STEP) -> Levels:
    """The fluid of one network.

    Parameters
    ----------
    step : length of a step, in the network's unit of time.

    Returns
    -------
    `Levels` with n = 1.

    Examples
    --------
    Twice as many come as can be served, and nobody gives up: the queue grows by half a person a day.

    >>> desk = {"name": "desk", "servers": 1, "service": {"distribution": "exponential", "mean": 2.0}}
    >>> document = {"horizon": 400.0, "classes": ["a"], "stations": [{**desk, "waiting_list": "all"}],
    ...             "arrivals": [{"class": "a", "station": "desk", "rate": 1.0}]}
    >>> found = fluid(n.Network.from_dict(document), step=4.0)
    >>> float(round(found.waiting[0, -1, 0], 1))
    199.7
    """
    twin = Twin(network, step)
    names = ("stations", "steps", "distributions", "values", "ways", "stop_rules")
    arrays = {name: getattr(network, name)[None] for name in names}
    who = network.initial
    return twin.run(arrays, who["station"], who["patient_class"], who["waiting"][None], who["in_service"][None])


class Twin:
    """The fluid of all networks that differ from one in numbers only (`flowsim.scenario.futures`)."""

    def __init__(self, network: n.Network, step: float = STEP) -> None:
        self.network, self.step = network, float(step)
        self.steps = int(np.ceil(network.horizon / step - 1e-9))
        self.plan = p = plan(network)
        self.edges = np.arange(self.steps + 1) * self.step
        stations, cells = len(p.stations), len(p.station)
        own = network.stations[p.stations]
        self.tracked = (own["list"] >= 0) | np.array(
            [bool((p.patience[p.cell_first[s] : p.cell_first[s + 1]] >= 0).any()) for s in range(stations)]
        )
        self.services = self._services(stations)
        self.patiences = sorted({int(x) for x in p.patience if x >= 0})
        self.delays = sorted({int(x) for x in p.clocks["after"]})
        streams = p.stream_arc >= 0
        seen: dict[tuple[int, int, int], int] = {}
        self.entry_of = [seen.setdefault(self._entry(arc), len(seen)) for arc in p.stream_arc[streams].tolist()]
        first = {self._entry(arc): arc for arc in p.stream_arc[streams].tolist()}
        self.entries = np.array([first[entry] for entry in seen], np.int64)
        self.streams = network.streams[streams]
        self.middle = 0.5 * (self.edges[1:] + self.edges[:-1])
        self.cells = cells
        self.tables = self._tables()

    def _tables(self) -> dict[str, np.ndarray]:
        """The tables that are the same for all futures, and those that only the loop writes."""
        p, network = self.plan, self.network
        own, rules, every = network.stations[p.stations], network.stop_rules, np.r_[network.rule_stations, 0]
        place = {int(k): s for s, k in enumerate(p.stations)}
        desk = {int(k): d for d, k in enumerate(p.desks)}

        def made(size: int, dtype: np.dtype, **fields: Any) -> np.ndarray:
            new = np.zeros(max(size, 1), dtype)
            for name, value in fields.items():
                new[name][:size] = value
            return new

        return {
            "cells": made(
                self.cells,
                world.CELL,
                station=p.station,
                level=p.level,
                patience_table=[self.patiences.index(x) if x >= 0 else -1 for x in p.patience.tolist()],
                clock_first=p.clock_first[:-1],
                clock_last=p.clock_first[1:],
            ),
            "places": made(
                len(p.stations),
                world.PLACE,
                cell_first=p.cell_first[:-1],
                cell_last=p.cell_first[1:],
                tracked=self.tracked,
                has_quota=own["tokens"] < n.ALWAYS_OPEN,
                carries=own["quota_carries"],
                uses_factor=own["uses_service_factor"],
                limit=np.minimum(own["queue_limit"].astype(float), LONGEST),
            ),
            "arcs": made(len(p.arcs), world.ARC, **{name: p.arcs[name] for name in world.ARC.names or ()}),
            "rows": made(
                p.arc_first[:, 1:].size, world.ROW, first=p.arc_first[:, :-1].ravel(), last=p.arc_first[:, 1:].ravel()
            ),
            "members": made(len(p.members), world.MEMBER, cell=p.members, share=p.shares),
            "clocks": made(
                len(p.clocks),
                world.CLOCK,
                to=p.clocks["to"],
                desk=[desk.get(int(k), -1) for k in p.clocks["desk"]],
                table=[self.delays.index(int(x)) for x in p.clocks["after"]],
            ),
            "desks": made(len(p.desks), world.DESK, carries=network.stations["quota_carries"][p.desks]),
            "rules": made(
                len(rules),
                world.RULE,
                step=np.ceil(rules["at"] / self.step),
                first=rules["first"],
                close=rules["close_first"],
                last=rules["close_first"] + rules["close_count"],
                starts=rules["starts"],
                at_least=rules["at_least"],
                other_first=rules["servers_first"],
                other_last=rules["servers_first"] + rules["servers_count"],
            ),
            "others": made(
                len(network.rule_servers),
                world.OTHER,
                station=[place.get(int(k), -1) for k in network.rule_servers["station"]],
            ),
            "concerned": made(
                len(every),
                world.CONCERNED,
                station=[place.get(int(k), -1) for k in every],
                desk=[desk.get(int(k), -1) for k in every],
            ),
            "entries": made(len(self.entries), world.ENTRY, arc=self.entries),
            "epochs": made(
                self.steps, world.EPOCH, epoch=np.searchsorted(network.route_times, self.middle, side="right") - 1
            ),
            "outs": np.zeros((3, self.cells), world.PEOPLE),
            "levels": np.zeros((len(p.stations), 2), world.INSIDE),
            "leaving": np.zeros((len(p.stations), self.steps), world.AMOUNT),
        }

    def _entry(self, arc: int) -> tuple[int, int, int]:
        one = self.plan.arcs[arc]
        return int(one["rule"]), int(one["to"]), int(one["count"])

    def _services(self, stations: int) -> np.ndarray:
        """The distribution of service of each station: that of its first cell."""
        p = self.plan
        return np.array([p.service[p.cell_first[s]] for s in range(stations)], np.int64)

    # ---- numbers of many futures ----------------------------------------------------------------------------------

    def _scheduled(self, first: np.ndarray, count: np.ndarray, before: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Value of schedules in the middle of the steps: (n, schedules, J); ``before``: (n, schedules)."""
        times = self.network.steps["time"]
        made = np.empty((len(value), len(first), self.steps))
        for s, (a, number) in enumerate(zip(first.tolist(), count.tolist(), strict=True)):
            at = np.searchsorted(times[a : a + number], self.middle, side="right")
            levels = np.column_stack([before[:, s], value[:, a : a + number]])
            made[:, s] = levels[:, at]
        return made

    def _quotas(self, codes: np.ndarray, value: np.ndarray) -> np.ndarray:
        """Tokens released in each step: (n, codes, J)."""
        times = self.network.steps["time"]
        made = np.zeros((len(value), len(codes), self.steps))
        for s, k in enumerate(codes.tolist()):
            a, number = (int(self.network.stations[k][x]) for x in ("quota_first", "quota_count"))
            at = np.searchsorted(self.edges, times[a : a + number], side="right") - 1
            for t, j in enumerate(at.tolist(), a):
                if 0 <= j < self.steps:
                    made[:, s, j] += value[:, t]
        return made

    def run(
        self,
        arrays: Mapping[str, np.ndarray],
        station: np.ndarray,
        patient_class: np.ndarray,
        waiting: np.ndarray,
        in_service: np.ndarray,
    ) -> Levels:
        """The fluid of n futures, given the numbers of a `flowsim.scenario.futures.Block`.

        Parameters
        ----------
        arrays : of the networks, with a leading axis (n,). station, patient_class : (Q,) of people present at time
            zero; waiting, in_service : (n, Q) their numbers.
        """
        given = self._given(arrays, station, patient_class, waiting, in_service)
        for i in range(len(waiting)):
            loop.run(given, i)
        full = np.zeros((2, len(waiting), self.steps + 1, len(self.network.stations)))
        for k, name in enumerate(("waiting", "overdue")):
            full[k][:, :, self.plan.stations] = given["found"][name]
        return Levels(self.edges, full[0], full[1])

    def _given(
        self,
        arrays: Mapping[str, np.ndarray],
        station: np.ndarray,
        patient_class: np.ndarray,
        waiting: np.ndarray,
        in_service: np.ndarray,
    ) -> Addresses:
        """The tables of n futures, for compiled code."""
        shapes, values, value = arrays["distributions"], arrays["values"], arrays["steps"]["value"]
        waiting_first, left_first, before = self._present(shapes, values, station, patient_class, waiting)
        longest = before + self.steps + 1
        ways = self._ways_of_arcs(arrays["ways"])
        future = np.empty(len(waiting), world.FUTURE)
        future["low"] = np.minimum(ways["factor"].min(axis=1, initial=1.0), 1.0)
        future["high"] = np.maximum(ways["factor"].max(axis=1, initial=1.0), 1.0)
        memoryless = (shapes["family"][:, self.services] == draws.EXPONENTIAL).all(axis=0)
        kernel, lengths, residual = self._lengths(shapes, values, future, memoryless)
        courses = self._courses(arrays["stations"]["servers"], value, residual)
        numbers = np.empty((len(waiting), len(self.services)), world.NUMBER)
        numbers["mean"], numbers["left"] = shapes["mean"][:, self.services], left_first
        thin = [thinned(shapes[:, code], values, self.step, longest) for code in self.patiences]
        rings = [rung(shapes["mean"][:, code], self.step, longest) for code in self.delays]
        own_tables = {name: table.copy() for name, table in self.tables.items()}  # what the loop writes is this call's
        own_tables["places"]["memoryless"][: len(self.services)] = memoryless
        given = own_tables | {
            "courses": courses,
            "numbers": numbers,
            "ways": ways,
            "future": future,
            "lengths": lengths,
            "kernel": kernel,
            "thin": np.stack(thin or [np.ones((len(waiting), longest))], axis=1),
            "rung": np.stack(rings or [np.zeros((len(waiting), 2, longest))], axis=1),
            "desk_released": self._quotas(self.plan.desks, value),
            "arriving": self._arriving(shapes, value),
            "thresholds": arrays["stop_rules"]["threshold"].astype(float),
            "waiting_first": waiting_first,
            "serving_first": self._serving(station, patient_class, in_service),
            "columns": np.zeros((self.cells, longest), world.PEOPLE),
            "found": np.zeros((len(waiting), self.steps + 1, len(self.services)), world.FOUND),
        }
        settings = self._settings(before, courses.shape[1])
        return Addresses({name: np.ascontiguousarray(x) for name, x in given.items()}, settings)

    def _ways_of_arcs(self, ways: np.ndarray) -> np.ndarray:
        """Chance of each arc, and the part of the service that is left on it: (n, A)."""
        rows, way = self.network.rows[self.network.rows["count"] > 0], self.plan.arcs["way"]
        start, last = np.zeros((2, len(self.network.ways)), bool)
        start[rows["first"]] = True
        last[rows["first"] + rows["count"] - 1] = True
        below = ways["below"].astype(float) / 2.0**64
        upper = np.where(last[way], 1.0, below[:, way])
        made = np.empty((len(ways), len(way)), world.WAY)
        made["chance"] = np.where(way < 0, 1.0, upper - np.where(start[way], 0.0, below[:, way - 1]))
        made["factor"] = np.where(way < 0, 1.0, ways["factor"][:, way])
        return made

    def _courses(self, servers: np.ndarray, value: np.ndarray, residual: np.ndarray) -> np.ndarray:
        """What differs from step to step at each station, and the servers that stop rules put in place: (n, S + O, J).

        ``servers``: (n, K) at time zero. ``value``: of the steps of all schedules. ``residual``: (n, S, J).
        """
        codes = self.plan.stations
        own, others = self.network.stations[codes], self.network.rule_servers[:-1]
        first, count = others["first"], self.network.stations["servers_count"][others["station"]]
        made = np.zeros((len(servers), len(codes) + len(others), self.steps), world.COURSE)
        mine, theirs = made[:, : len(codes)], made[:, len(codes) :]
        before = servers[:, codes].astype(float)
        mine["servers"] = self._scheduled(own["servers_first"], own["servers_count"], before, value)
        theirs["servers"] = self._scheduled(first + 1, count, value[:, first], value)
        mine["released"], mine["residual"] = self._quotas(codes, value), residual
        return made

    def _arriving(self, shapes: np.ndarray, value: np.ndarray) -> np.ndarray:
        """People who arrive in each step at each entry: (n, E, J)."""
        nobody = np.zeros((len(shapes), len(self.streams)))
        rates = self._scheduled(self.streams["rate_first"], self.streams["rate_count"], nobody, value)
        renewal = self.streams["interval"] >= 0
        rates[:, renewal] = 1.0 / shapes["mean"][:, self.streams["interval"][renewal], None]
        until = np.minimum(self.edges[1:], self.network.horizon) - self.edges[:-1]
        made = np.zeros((len(shapes), len(self.entries), self.steps))
        for stream, entry in enumerate(self.entry_of):
            made[:, entry] += rates[:, stream] * until
        return made

    def _lengths(
        self, shapes: np.ndarray, values: np.ndarray, future: np.ndarray, memoryless: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """How services end at each station, the longer and the shorter ones: by age in steps (n, S, 2, J), in a step
        where they are ``memoryless`` (n, S, 2), and of those in service at time zero (n, S, J)."""
        size, stations = len(shapes), len(self.services)
        kernel = np.empty((size, stations, 2, self.steps))
        ends = np.zeros((size, stations, 2))
        residual = np.empty((size, stations, self.steps))
        factors = np.stack([future["high"], future["low"]], 1)
        known: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for s, code in enumerate(self.services.tolist()):
            if code not in known:
                known[code] = ended(shapes[:, code], values, factors, self.step, self.steps)
            kernel[:, s], residual[:, s] = known[code]
            if memoryless[s]:
                ends[:, s] = -np.expm1(-self.step / (shapes["mean"][:, code, None] * factors))
        return kernel, ends, residual

    def _settings(self, before: int, courses: int) -> dict[str, tuple[str, Any]]:
        """The sizes of the tables and other numbers that hold for all futures, each with its type."""
        counts = {
            "steps": self.steps,
            "before": before,
            "longest": before + self.steps + 1,
            "two": 2,
            "station_count": len(self.plan.stations),
            "course_count": courses,
            "cell_count": self.cells,
            "arc_count": len(self.plan.arcs),
            "patience_count": max(len(self.patiences), 1),
            "delay_count": max(len(self.delays), 1),
            "desk_count": len(self.plan.desks),
            "entry_count": len(self.entries),
            "rule_count": len(self.network.stop_rules),
        }
        made: dict[str, tuple[str, Any]] = {name: ("i8", number) for name, number in counts.items()}
        norm = float(min(self.network.waiting_norm, LONGEST))
        return made | {"step": ("f8", self.step), "norm": ("f8", norm)}

    # ---- people present at time zero ------------------------------------------------------------------------------

    def _serving(self, station: np.ndarray, patient_class: np.ndarray, in_service: np.ndarray) -> np.ndarray:
        """Those in service by cell: (n, C)."""
        made = np.zeros((len(in_service), self.cells))
        for q, (k, c) in enumerate(zip(station.tolist(), patient_class.tolist(), strict=True)):
            for cell, part in self._cells_of(k, c):
                made[:, cell] += part * in_service[:, q]
        return made

    def _cells_of(self, k: int, c: int) -> list[tuple[int, float]]:
        """Cells of people of a class at a station; class -1: of the mix of arrivals."""
        if c >= 0:
            cell = int(self.plan.cell_of[k, c])
            return [(cell, 1.0)] if cell >= 0 else []
        mix = np.diff(self.network.class_mix.astype(float) / 2.0**64, prepend=0.0)
        return [(int(cell), float(part)) for cell, part in zip(self.plan.cell_of[k], mix, strict=True) if cell >= 0]

    def _present(
        self,
        shapes: np.ndarray,
        values: np.ndarray,
        station: np.ndarray,
        patient_class: np.ndarray,
        waiting: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """Those who wait at time zero by age in steps, oldest first (n, Q, before), how much of the oldest step they
        fill (n, S), and the number of steps."""
        size, p = len(waiting), self.plan
        found: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        for k, c in zip(station.tolist(), patient_class.tolist(), strict=True):
            code = int(self.network.cells["age"][k, max(c, 0)])
            if code >= 0 and code not in found:
                found[code] = ages(shapes[:, code], values, self.step)
        before = max([1, *(parts.shape[1] for parts, _ in found.values())])
        waiting_first = np.zeros((size, self.cells, before))
        left_first = np.ones((size, len(p.stations)))
        for q, (k, c) in enumerate(zip(station.tolist(), patient_class.tolist(), strict=True)):
            code = int(self.network.cells["age"][k, max(c, 0)])
            for cell, part in self._cells_of(k, c):
                s = p.station[cell]
                if code < 0 or not self.tracked[s]:
                    waiting_first[:, cell, 0 if not self.tracked[s] else -1] += part * waiting[:, q]
                    continue
                parts, left = found[code]
                waiting_first[:, cell, before - parts.shape[1] :] += part * waiting[:, q, None] * parts[:, ::-1]
                left_first[:, s] = left
        return waiting_first, left_first, before
