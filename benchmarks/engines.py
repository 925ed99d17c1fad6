"""Both engines side by side on the same replications: appointments a second, and the ratio between the engines.

Two networks: *W*, five stations first come first served over five years (gp, conversation, social domain, basic and
specialist care; a benchmark, not a region), and the *region*, Amstelland under the plan with everything on. Rounds are
interleaved; a row holds the median round. The engines' logs are equal, so they do the same work.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

from flowsim.engines import compiled, reference
from flowsim.model.network import Network
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.load import default

STATIONS = (("gp", 40, 0.6, 0.0), ("talk", 30, 4.0, 0.0), ("social", 900, 80.0, 0.0), ("basic", 1400, 120.0, 0.6))
SPECIALIST = ("specialist", 2560, 300.0, 0.8)
ROUTES = {
    "gp": {"talk": 0.10, "social": 0.15, "basic": 0.18, "specialist": 0.12, "exit": 0.45},
    "talk": {"social": 0.40, "basic": 0.15, "specialist": 0.15, "exit": 0.30},
    "social": {"gp": 0.10, "exit": 0.90},
    "basic": {"gp": 0.05, "specialist": 0.10, "exit": 0.85},
    "specialist": {"gp": 0.12, "exit": 0.88},
}


def network_w() -> Network:
    """Benchmark W: 55 arrivals a day for 1,826 days, about 267,000 appointments."""

    def service(mean: float, cv: float) -> dict[str, Any]:
        kind: dict[str, Any] = {"distribution": "lognormal", "cv": cv} if cv else {"distribution": "exponential"}
        return {**kind, "mean": mean}

    return Network.from_dict(
        {
            "horizon": 1826.0,
            "snapshot_every": 1826.0 / 60.0,
            "classes": ["resident"],
            "stations": [
                {"name": name, "servers": servers, "service": service(mean, cv)}
                for name, servers, mean, cv in (*STATIONS, SPECIALIST)
            ],
            "arrivals": [{"class": "resident", "station": "gp", "rate": 55.0}],
            "routes": [{"from": name, "to": to} for name, to in ROUTES.items()],
        }
    )


def measure(rounds: int) -> list[dict[str, Any]]:
    """Median seconds a replication, ns an appointment, and how many times faster than the reference engine.

    The compiled engine is compiled before the clock starts and runs ten replications a round, without a log; the
    reference engine runs one, and always keeps its log: that is what it is for.
    """
    networks = {"W": network_w(), "region": compile_scenario(default())}
    seconds: dict[tuple[str, str], list[float]] = {}
    appointments = {name: compiled.simulate_once(network, 1, 0)[2] for name, network in networks.items()}
    for _ in range(max(1, rounds)):
        for name, network in networks.items():
            start = time.perf_counter()
            for _ in range(10):
                compiled.simulate_once(network, 1, 0)
            middle = time.perf_counter()
            reference.simulate_once(network, 1, 0)
            end = time.perf_counter()
            seconds.setdefault((name, "compiled"), []).append((middle - start) / 10.0)
            seconds.setdefault((name, "reference"), []).append(end - middle)
    rows = []
    for (name, engine), values in seconds.items():
        median = statistics.median(values)
        rows.append(
            {
                "network": name,
                "engine": engine,
                "appointments": appointments[name],
                "seconds": median,
                "ns_per_appointment": median / appointments[name] * 1e9,
                "times_reference": statistics.median(seconds[name, "reference"]) / median,
            }
        )
    return rows
