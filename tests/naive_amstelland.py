"""The region Amstelland for `naive`: the plan's network, whole or scaled down, month by month.

`naive` reads the network as plain data; it shares no rule, no draw and no array with the engines. The data are those of
`naive_region`, which writes them from the figures, so scenario compiler, engine and tallies are one road, and this the
other. The whole region over all months takes it some twenty seconds a replication, too long for every day:

    python tests/naive_amstelland.py --replications 16      # the whole region, five and a half years, two processes

Scaled down, there are fewer residents, servers and cases a week, and everything else stays: classes, routes, lengths,
patience, clocks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from typing import Any

import naive
import naive_region
import numpy as np
from naive_agreement import disagreements, named, table

from flowsim.engines import compiled
from flowsim.model.network import Network
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.load import default

Document = dict[str, Any]
FAMILY = 1e-3


def amstelland() -> Document:
    """The network of the plan as it stands, every figure at its own value."""
    return dict(compile_scenario(default()).document)


def smaller(document: Document, factor: float, months: int) -> Document:
    """The same region with so many times fewer residents, for so many months."""
    edges = document["periods"][: months + 1]
    arrivals = [{**one, "rate": [(time, rate / factor) for time, rate in one["rate"]]} for one in document["arrivals"]]
    return {
        **document,
        "horizon": edges[-1],
        "snapshot_every": edges[-1] / 5,
        "periods": edges,
        "arrivals": arrivals,
        "stations": [_smaller(one, factor, edges[-1]) for one in document["stations"]],
        "routes": [one for one in document["routes"] if one.get("start", 0.0) < edges[-1]],
    }


def _smaller(station: Document, factor: float, horizon: float) -> Document:
    made = dict(station)
    servers = station["servers"]
    if isinstance(servers, list):
        made["servers"] = [(time, round(number / factor)) for time, number in servers if time < horizon]
    elif servers != "inf":
        made["servers"] = max(1, round(servers / factor))
    if "quota" in station:
        steps = [step for step in station["quota"] if step[0] < horizon]
        made["quota"] = [
            (time, number)
            for (time, _), number in zip(steps, _thinned([number for _, number in steps], factor), strict=True)
        ]
    if "initial" in station:
        initial = dict(station["initial"])
        for state in ("waiting", "in_service"):
            if state in initial:
                classes = list(initial[state])
                counts = _thinned([initial[state][one] for one in classes], factor)
                initial[state] = {one: count for one, count in zip(classes, counts, strict=True) if count}
                if not initial[state]:
                    del initial[state]
        if "waiting" not in initial:
            initial.pop("age", None)
        made["initial"] = initial
        if not initial:
            del made["initial"]
    return made


def _thinned(counts: Sequence[int], factor: float) -> list[int]:
    """Whole numbers whose running total stays within one of the running total divided by ``factor``."""
    totals = np.floor(np.cumsum(counts) / factor).astype(int)
    return [int(one) for one in np.diff(totals, prepend=0)]


def monthly(found: dict[str, float]) -> dict[str, float]:
    """Outcomes by station and month; their sums over months, over stations, and over both; snapshots."""
    kept = {name: value for name, value in found.items() if " in period " in name or " at " in name}
    for name, value in list(kept.items()):
        place, _, outcome = name.partition(" ")
        what, inside, _ = outcome.partition(" in period ")
        sums = [f"everywhere {outcome}"]
        if inside:
            sums += [f"{place} {what} in all", f"everywhere {what} in all"]
        for total in sums:
            kept[total] = kept.get(total, 0.0) + value
    return kept


def by_naive(document: Document, replications: int, seed: int, processes: int = 1) -> list[dict[str, float]]:
    """Outcomes of `naive`, replication by replication."""
    numbers = [seed * 100_000 + i for i in range(replications)]
    if processes == 1:
        return [_one(document, number) for number in numbers]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(partial(_one, document), numbers))


def _one(document: Document, number: int) -> dict[str, float]:
    return monthly(naive.simulate(document, number))


def by_engine(document: Document, replications: int, seed: int) -> list[dict[str, float]]:
    """Outcomes of the compiled engine, replication by replication."""
    network = Network.from_dict(document)
    return [monthly(named(network, compiled.simulate_once(network, seed, i)[0])) for i in range(replications)]


def compare(slow: list[dict[str, float]], fast: list[dict[str, float]], level: float) -> tuple[int, list[str]]:
    """How many outcomes were compared, and those in which the two differ."""
    names = sorted(fast[0])
    unknown = {name for one in slow for name in one} - set(names)
    assert not unknown, f"naive counts what the engine does not: {sorted(unknown)[:5]}"
    return len(names), disagreements(names, table(slow, names), table(fast, names), level)


def main() -> int:
    """Compare the whole region; returns the exit code."""
    parser = argparse.ArgumentParser(description="The whole of Amstelland, naive against the compiled engine.")
    parser.add_argument("--replications", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    slow = by_naive(naive_region.document(), asked.replications, asked.seed, asked.processes)
    count, told = compare(slow, by_engine(amstelland(), asked.replications, asked.seed), FAMILY)
    print(f"{count} outcomes compared over {asked.replications} replications; {len(told)} differ", *told, sep="\n")
    return int(bool(told))


if __name__ == "__main__":
    sys.exit(main())
