"""Thousands of networks of one scenario, one for each set of values of the unknowns, without building each anew.

The first network of a scenario is built and checked from its document. A future differs from it in numbers only:
places, rates, lengths of time, people present, chances. `Template.network` writes those numbers into copies of the
arrays; the tests hold that this gives what building the document gives, to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from flowsim.model import build, events
from flowsim.model import network as n
from flowsim.model.distributions import parameters
from flowsim.model.document import Distribution
from flowsim.scenario.baseline import Baseline
from flowsim.scenario.compile import Compiler, compile_scenario
from flowsim.scenario.load import Scenario


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
        compiler = Compiler(self.scenario, drawn, base)
        at_mode = self.network_at_mode
        new = {name: getattr(at_mode, name).copy() for name in ("stations", "steps", "distributions", "values", "ways")}
        initial: list[tuple[int, ...]] = []
        written: set[int] = set()
        for given in compiler.uncertain_stations():
            self._station(given, new, initial, written)
        for stream, arrivals in zip(at_mode.streams, compiler.arrivals(), strict=True):
            first = stream["rate_first"]
            new["steps"]["value"][first : first + stream["rate_count"]] = [rate for _, rate in arrivals["rate"]]
        for code in self.worsening:
            clock = next(one for one in compiler.clocks if "become" in one)
            self._distribution(clock["after"], code, new, written)
        self._routes(compiler.uncertain_routes(), new["ways"])
        new["initial"] = np.array(initial, n.INITIAL)
        new["stop_rules"] = at_mode.stop_rules.copy()
        for i, rule in enumerate(compiler.stop_rules()):
            new["stop_rules"]["threshold"][i] = rule["at_least"]
        return replace(at_mode, document={}, **new)

    def _station(
        self, given: dict[str, Any], new: dict[str, np.ndarray], initial: list[tuple[int, ...]], written: set[int]
    ) -> None:
        k = self.station[given["name"]]
        cell = self.network_at_mode.cells[k]
        if isinstance(given["servers"], list):
            first, count = (int(self.network_at_mode.stations[k][x]) for x in ("servers_first", "servers_count"))
            numbers = [number for _, number in given["servers"]]
            new["stations"]["servers"][k] = numbers[0]
            new["steps"]["value"][first : first + count] = numbers[1:]
        elif given["servers"] != "inf":
            new["stations"]["servers"][k] = given["servers"]
        self._distribution(given["service"], int(cell["service"][0]), new, written)
        if "patience" in given:
            self._distribution(given["patience"], int(cell["patience"][0]), new, written)
        if "initial" not in given:
            return
        if "age" in given["initial"]:
            d = new["distributions"][int(cell["age"][0])]
            values = given["initial"]["age"]["values"]
            new["values"][d["first"] : d["first"] + d["count"]] = values
            d["mean"] = math.fsum(values) / len(values)
        waiting, serving = (given["initial"].get(x, {}) for x in ("waiting", "in_service"))
        counts = {
            self.patient_class[name]: (waiting.get(name, 0), serving.get(name, 0)) for name in {**waiting, **serving}
        }
        initial += [(k, c, *counts[c]) for c in sorted(counts) if sum(counts[c]) > 0]

    def _distribution(self, given: dict[str, Any], code: int, new: dict[str, np.ndarray], written: set[int]) -> None:
        """Write the parameters of a distribution, once where stations share it."""
        if code in written:
            return
        written.add(code)
        shape = Distribution.model_construct(**given)
        d = new["distributions"][code]
        d["family"], d["a"], d["b"], d["mean"] = parameters(shape)

    def _routes(self, routes: list[dict[str, Any]], ways: np.ndarray) -> None:
        """Write the chances of these routes, and how heavy the treatment after them is; routes with the same chances
        are worked out once."""
        known: dict[tuple[float, ...], list[int]] = {}
        for route in routes:
            to = route["to"]
            chances = tuple(to.values()) if isinstance(to, dict) else tuple(way["probability"] for way in to)
            if chances not in known:
                known[chances] = build.thresholds(chances)
            first, count = self.way_of[_key(route)]
            ways["below"][first : first + count] = known[chances]
            if not isinstance(to, dict):
                ways["factor"][first : first + count] = [way.get("service_factor", 1.0) for way in to]


def _key(route: Mapping[str, Any]) -> tuple[Any, ...]:
    """What tells a route from the others."""
    return route["from"], route.get("class"), route.get("on", "completion"), route.get("start", 0.0)


def _ways_of_routes(network: n.Network, routes: list[dict[str, Any]]) -> dict[tuple[Any, ...], tuple[int, int]]:
    """(first way, number of ways) of each route: building puts rows of routes last, by start, general ones first."""
    rows = network.rows[len(network.rows) - len(routes) :]
    ordered = sorted(routes, key=lambda route: (route.get("start", 0.0), "class" in route))
    return {_key(route): (int(row["first"]), int(row["count"])) for route, row in zip(ordered, rows, strict=True)}
