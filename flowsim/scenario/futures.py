"""Thousands of networks of one scenario, one for each set of values of the unknowns, without building each anew.

The first network of a scenario is built and checked from its document. A future differs from it in numbers only: places,
rates, lengths of time, people present, chances. `Template.network` writes those numbers into copies of the arrays; the
tests hold that this gives what building the document gives, to the last bit.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from flowsim.model import build, events
from flowsim.model import network as n
from flowsim.scenario.baseline import Baseline
from flowsim.scenario.compile import Compiler
from flowsim.scenario.load import Scenario


class Template:
    """The network of a scenario, and where its numbers stand."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        document = Compiler(scenario, {}).document()
        self.network_at_mode = n.Network.from_dict(document, f"scenario {scenario.name}")
        self.station = {name: k for k, name in enumerate(self.network_at_mode.station_names)}
        self.patient_class = {name: c for c, name in enumerate(self.network_at_mode.class_names)}
        self.route_order = _route_order(document["routes"])
        self.first_route = len(self.network_at_mode.rows) - len(document["routes"])
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
        self._routes(compiler.routes(), new["ways"])
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
        counts = {self.patient_class[name]: (waiting.get(name, 0), serving.get(name, 0)) for name in {**waiting, **serving}}
        initial += [(k, c, *counts[c]) for c in sorted(counts) if sum(counts[c]) > 0]

    def _distribution(
        self, given: dict[str, Any], code: int, new: dict[str, np.ndarray], written: set[int]
    ) -> None:
        """Write the parameters of a distribution, once where stations share it."""
        if code in written:
            return
        written.add(code)
        shape = SimpleNamespace(**{"mean": None, "cv": None, "low": None, "high": None, **given})
        d = new["distributions"][code]
        d["family"], d["a"], d["b"], d["mean"] = build.parameters(shape)  # type: ignore[arg-type]

    def _routes(self, routes: list[dict[str, Any]], ways: np.ndarray) -> None:
        """Write the chances of all routes: running sums per row, as `build.thresholds` makes them."""
        rows = self.network_at_mode.rows[self.first_route :]
        counts = rows["count"].astype(np.int64)
        chances = np.zeros((len(rows), int(counts.max())))
        for i, r in enumerate(self.route_order):
            to = routes[r]["to"]
            given = list(to.values()) if isinstance(to, dict) else [way["probability"] for way in to]
            chances[i, : len(given)] = given
        below = _words(np.cumsum(chances, axis=1))
        inside = np.arange(chances.shape[1]) < counts[:, None]
        below[np.arange(len(rows)), counts - 1] = build.WORDS - 1
        first = int(rows["first"][0])
        ways["below"][first : first + int(counts.sum())] = below[inside]


def _words(sums: np.ndarray) -> np.ndarray:
    """Running sums of chances as 64-bit words; one and more becomes the largest word."""
    inside = sums < 1.0
    return np.where(inside, (np.where(inside, sums, 0.0) * build.WORDS).astype(np.uint64), np.uint64(build.WORDS - 1))


def _route_order(routes: list[dict[str, Any]]) -> list[int]:
    """The order in which building puts routes: by start, general before class-specific."""
    return sorted(range(len(routes)), key=lambda i: (routes[i].get("start", 0.0), "class" in routes[i]))
