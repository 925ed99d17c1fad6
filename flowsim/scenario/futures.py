"""Thousands of networks of one scenario, one for each set of values of the unknowns, without building each anew.

The first network of a scenario is built and checked from its document. A future differs from it in numbers only:
places, rates, lengths of time, people present, chances. `Template.block` works those numbers out for many futures at
once, `Block.network` puts those of one future into copies of the arrays; the tests hold that this gives what building
the document gives, to the last bit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flowsim.model import build, events
from flowsim.model import network as n
from flowsim.model.distributions import parameters
from flowsim.model.document import Distribution
from flowsim.scenario.baseline import Baseline, Number
from flowsim.scenario.compile import Compiler, compile_scenario
from flowsim.scenario.load import Scenario

PARTS = ("stations", "steps", "distributions", "values", "ways", "stop_rules")
"""The arrays of a network in which futures differ."""


@dataclass(frozen=True, eq=False)
class Block:
    """The numbers of n futures: for each of `PARTS` the array of the network with a leading axis (n,).

    ``station``, ``patient_class`` : (Q,) where people may be present on the first day. ``waiting``, ``in_service`` :
    (n, Q) how many.
    """

    at_mode: n.Network
    arrays: Mapping[str, np.ndarray]
    station: np.ndarray
    patient_class: np.ndarray
    waiting: np.ndarray
    in_service: np.ndarray

    def __len__(self) -> int:
        return len(self.waiting)

    def network(self, i: int) -> n.Network:
        """The network of future ``i`` of the block; where nothing is unknown, one network stands for all."""
        i = i if len(self) > 1 else 0
        waiting, in_service = self.waiting[i], self.in_service[i]
        some = waiting + in_service > 0
        initial = np.empty(int(some.sum()), n.INITIAL)
        initial["station"], initial["patient_class"] = self.station[some], self.patient_class[some]
        initial["waiting"], initial["in_service"] = waiting[some], in_service[some]
        own = {name: array[i].copy() for name, array in self.arrays.items()}
        return replace(self.at_mode, document={}, pattern=self.at_mode, initial=initial, **own)


class Template:
    """The network of a scenario, and where its numbers stand."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.network_at_mode = compile_scenario(scenario)
        document = self.network_at_mode.document
        self.station = {name: k for k, name in enumerate(self.network_at_mode.station_names)}
        self.patient_class = {name: c for c, name in enumerate(self.network_at_mode.class_names)}
        self.way_of = _ways_of_routes(self.network_at_mode, document["routes"])
        change = self.network_at_mode.clocks["kind"] == events.CHANGE
        self.worsening = self.network_at_mode.clocks["after"][change][:1].tolist()

    def network(self, drawn: Mapping[str, float], base: Baseline | None = None) -> n.Network:
        """The network for these values of the unknowns; ``base``: their balance, if it is known already."""
        return self.block(drawn, base).network(0)

    def block(self, drawn: Mapping[str, Number], base: Baseline | None = None) -> Block:
        """The numbers of n futures; ``drawn``: (n,) values of each unknown, ``base``: their balances (n,). With floats:
        of one future."""
        compiler = Compiler(self.scenario, drawn, base)
        at_mode = self.network_at_mode
        size = max((np.size(x) for x in drawn.values()), default=1)
        new = {name: np.repeat(getattr(at_mode, name)[None], size, axis=0) for name in PARTS}
        initial: list[tuple[int, int, Number, Number]] = []
        written: set[int] = set()
        for given in compiler.uncertain_stations():
            self._station(given, new, initial, written)
        for stream, arrivals in zip(at_mode.streams, compiler.arrivals(), strict=True):
            first = stream["rate_first"]
            for j, (_, rate) in enumerate(arrivals["rate"], first):
                new["steps"]["value"][:, j] = rate
        for code in self.worsening:
            clock = next(one for one in compiler.clocks if "become" in one)
            self._distribution(clock["after"], code, new, written)
        self.put_routes(compiler.uncertain_routes(), new["ways"])
        for i, rule in enumerate(compiler.stop_rules()):
            new["stop_rules"]["threshold"][:, i] = rule["at_least"]
            others = at_mode.rule_servers[at_mode.stop_rules["servers_first"][i] :]["first"].tolist()
            for first, servers in zip(others, rule.get("servers", {}).values(), strict=False):
                for j, (_, number) in enumerate(servers, first):
                    new["steps"]["value"][:, j] = number
        waiting, in_service = np.empty((size, len(initial)), np.int64), np.empty((size, len(initial)), np.int64)
        for q, (_, _, waits, serves) in enumerate(initial):
            waiting[:, q], in_service[:, q] = waits, serves
        station, patient_class = (np.array([row[j] for row in initial]) for j in (0, 1))
        return Block(at_mode, new, station, patient_class, waiting, in_service)

    def _station(
        self,
        given: dict[str, Any],
        new: dict[str, np.ndarray],
        initial: list[tuple[int, int, Number, Number]],
        written: set[int],
    ) -> None:
        k = self.station[given["name"]]
        cell = self.network_at_mode.cells[k]
        if isinstance(given["servers"], list):
            first = int(self.network_at_mode.stations[k]["servers_first"])
            numbers = [number for _, number in given["servers"]]
            new["stations"]["servers"][:, k] = numbers[0]
            for j, number in enumerate(numbers[1:], first):
                new["steps"]["value"][:, j] = number
        elif not isinstance(given["servers"], str):
            new["stations"]["servers"][:, k] = given["servers"]
        self._distribution(given["service"], int(cell["service"][0]), new, written)
        if "patience" in given:
            self._distribution(given["patience"], int(cell["patience"][0]), new, written)
        if "initial" not in given:
            return
        if "age" in given["initial"]:
            code = int(cell["age"][0])
            shape = self.network_at_mode.distributions[code]
            values = given["initial"]["age"]["values"]
            new["values"][:, shape["first"] : shape["first"] + shape["count"]] = values
            new["distributions"]["mean"][:, code] = build.mean_of(values)
        waiting, serving = (given["initial"].get(x, {}) for x in ("waiting", "in_service"))
        counts = {
            self.patient_class[name]: (waiting.get(name, 0), serving.get(name, 0)) for name in {**waiting, **serving}
        }
        initial += [(k, c, *counts[c]) for c in sorted(counts)]

    def _distribution(self, given: dict[str, Any], code: int, new: dict[str, np.ndarray], written: set[int]) -> None:
        """Write the parameters of a distribution, once where stations share it."""
        if code in written:
            return
        written.add(code)
        shape = Distribution.model_construct(**given)
        d = new["distributions"]
        d["family"][:, code], d["a"][:, code], d["b"][:, code], d["mean"][:, code] = parameters(shape)

    def put_routes(self, routes: list[dict[str, Any]], ways: np.ndarray) -> None:
        """Write the chances of these routes, and how heavy the treatment after them is; routes with the same chances
        are worked out once. ``ways``: (..., W)."""
        known: dict[tuple[Any, ...], np.ndarray] = {}
        for route in routes:
            to = route["to"]
            chances = list(to.values()) if isinstance(to, dict) else [way["probability"] for way in to]
            key = tuple(x.tobytes() if isinstance(x, np.ndarray) else x for x in chances)
            if key not in known:
                known[key] = build.words_below(chances)
            first, count = self.way_of[_key(route)]
            ways["below"][..., first : first + count] = known[key]
            if not isinstance(to, dict):
                for j, way in enumerate(to, first):
                    ways["factor"][..., j] = way.get("service_factor", 1.0)


def _key(route: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells a route from the others."""
    return route["from"], route.get("class"), route.get("on", "completion"), route.get("start", 0.0)


def _ways_of_routes(network: n.Network, routes: list[dict[str, Any]]) -> dict[tuple[Any, ...], tuple[int, int]]:
    """(first way, number of ways) of each route: building puts rows of routes last, by start, general ones first."""
    rows = network.rows[len(network.rows) - len(routes) :]
    ordered = sorted(routes, key=lambda route: (route.get("start", 0.0), "class" in route))
    return {_key(route): (int(row["first"]), int(row["count"])) for route, row in zip(ordered, rows, strict=True)}
