"""Scale: time per appointment and memory from a small region to the Netherlands, and what a second thread gives.

The region is Amstelland's network with arrivals, servers, quotas and first day multiplied (whole numbers, rounded):
the same classes, programmes and rules, other numbers of people. One replication of five years each, no log. Memory is
the peak of a process of its own that simulates once. Threads: the region as it is, on one and on two threads.
"""

from __future__ import annotations

import math
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flowsim.engines import compiled
from flowsim.model.network import Network
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.load import default
from flowsim.scenario.region import load_region
from flowsim.study.replicate import simulate, thread_count

INHABITANTS = (20_000, 170_010, 1_000_000, 18_000_000)
REPLICATIONS = 24


def multiplied(value: Any, factor: float) -> Any:
    """A number, a schedule or a table of numbers of people, times the factor, in whole numbers."""
    if isinstance(value, Mapping):
        return {name: multiplied(one, factor) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [(time, multiplied(number, factor)) for time, number in value]
    return value if isinstance(value, str) else round(value * factor)


def region_of(inhabitants: int) -> Network:
    """Amstelland's network for another number of inhabitants."""
    scenario = default()
    municipalities = load_region(scenario.region).municipalities
    here = sum(scenario.book.value(f"population.{one.code}") for one in municipalities)
    factor = inhabitants / here
    document = dict(compile_scenario(scenario).document)
    stations = []
    for station in document["stations"]:
        made = {**station, "servers": multiplied(station["servers"], factor)}
        if "quota" in station:
            made["quota"] = multiplied(station["quota"], factor)
        if "initial" in station:
            people = {name: multiplied(station["initial"].get(name, {}), factor) for name in ("waiting", "in_service")}
            made["initial"] = {**station["initial"], **people}
        stations.append(made)
    arrivals = [{**one, "rate": [(at, rate * factor) for at, rate in one["rate"]]} for one in document["arrivals"]]
    return Network.from_dict({**document, "stations": stations, "arrivals": arrivals})


def peak_memory(inhabitants: int, threads: int = 1) -> float:
    """Peak memory in MB of a process that simulates this region: once, or on two threads four times each
    (Linux; NaN elsewhere)."""
    if not Path("/proc/self/status").exists():
        return math.nan
    order = (
        "import sys; sys.path.insert(0, sys.argv[1]); import scale; threads = int(sys.argv[3]); "
        "network = scale.region_of(int(sys.argv[2])); scale.simulate(network, 4 * threads if threads > 1 else 1, 1, "
        "threads=threads); "
        "print(next(line for line in open('/proc/self/status') if line.startswith('VmHWM')).split()[1])"
    )
    command = [sys.executable, "-c", order, str(Path(__file__).resolve().parent), str(inhabitants), str(threads)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout) / 1024


def measure(rounds: int) -> list[dict[str, Any]]:
    """A row per size, and one per number of threads; medians over the rounds."""
    networks = {inhabitants: region_of(inhabitants) for inhabitants in INHABITANTS}
    spent: dict[int, list[float]] = {inhabitants: [] for inhabitants in INHABITANTS}
    done = {inhabitants: compiled.simulate_once(network, 1, 0)[2] for inhabitants, network in networks.items()}
    threads = sorted({1, min(2, thread_count(None))})
    walls: dict[int, list[float]] = {number: [] for number in threads}
    here = networks[INHABITANTS[1]]
    for _ in range(max(1, rounds)):
        for inhabitants, network in networks.items():
            start = time.perf_counter()
            compiled.simulate_once(network, 1, 1)
            spent[inhabitants].append((time.perf_counter() - start) / done[inhabitants] * 1e9)
        for number in threads:
            start = time.perf_counter()
            simulate(here, REPLICATIONS, 1, threads=number)
            walls[number].append((time.perf_counter() - start) / REPLICATIONS)
    smallest = spent[INHABITANTS[0]]
    rows: list[dict[str, Any]] = [
        {
            "what": f"{inhabitants:,} inhabitants",
            "appointments": done[inhabitants],
            "ns_per_appointment": statistics.median(values),
            "times_smallest": statistics.median(x / y for x, y in zip(values, smallest, strict=True)),
            "peak_memory_mb": peak_memory(inhabitants),
        }
        for inhabitants, values in spent.items()
    ]
    for number, values in walls.items():
        gain = statistics.median(x / y for x, y in zip(walls[1], values, strict=True))
        rows.append(
            {"what": f"{number} thread(s)", "seconds_per_replication": statistics.median(values), "times_one": gain}
            | ({"peak_memory_mb": peak_memory(INHABITANTS[1], number)} if number > 1 else {})
        )
    return rows
