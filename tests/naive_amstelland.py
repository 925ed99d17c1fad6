"""The region Amstelland for `naive`: the plan's network and others, whole or scaled down, month by month.

`naive` reads the network as plain data; it shares no rule, no draw and no array with the engines. The data are those of
`naive_region`, which writes them from the figures, so scenario compiler, engine and tallies are one road, and this the
other. The whole region over all months takes it some sixteen seconds a replication, too long for every day:

    python tests/naive_amstelland.py --replications 16      # the whole region, five and a half years, two processes
    python tests/naive_amstelland.py --case headcount       # another reading; --all: every case, one after the other
    python tests/naive_amstelland.py --alarms 200           # the engine against itself: how often a false alarm?
    python tests/naive_amstelland.py --power 20             # and against another case: how often are they told apart?

Scaled down, there are fewer residents, servers and cases a week, and everything else stays: classes, routes, lengths,
patience, clocks.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations
from typing import Any

import naive
import naive_measures
import naive_region
import numpy as np
from naive_agreement import disagreements, is_sparse, named, names_of, table

from flowsim.engines import compiled
from flowsim.model.network import Network
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.load import default
from flowsim.scenario.schema import Override

Document = dict[str, Any]
FAMILY = 1e-3
FACTOR = 12.0
MONTHS = 15
"""Nine of them with the functions of the network."""
REPLICATIONS = 36


@dataclass(frozen=True)
class Case:
    """A scenario: network, reading, other settings, figures (``functions__conversations={"2025": 325.0}``)."""

    network: str = "functions"
    reading: str = "net"
    settings: Document = field(default_factory=dict)
    figures: dict[str, Any] = field(default_factory=dict)

    def plain(self) -> Document:
        """The document that `naive_region` writes."""
        return naive_region.document(self.network, self.reading, self.settings, **self.figures)

    def compiled(self) -> Document:
        """The document of the scenario compiler."""
        scenario = default().with_settings("tried", network=self.network, reading=self.reading, **self.settings)
        named = {key.replace("__", "."): Override(value=x, because="a test") for key, x in self.figures.items()}
        return dict(compile_scenario(scenario.with_overrides(named, "a test")).document)


BUSY = {
    "functions__consultations": {"2025": 218.0, "2026": 436.0},
    "functions__conversations": {"2025": 650.0, "2026": 1300.0},
    "functions__conversations_shortened": 0.6,
    "business_case__shortened_saving": 0.8,
    "functions__case_conferences": {"2025": 138.0, "2026": 277.0},
    "functions__transfers": {"2025": 163.0, "2026": 325.0},
    "functions__support_point_users": {"2026": 250.0},
    "functions__ramp": {"2026": 1.0},
    "demand__clients": 5200.0,
    "public__duration_basic": 60.0,
    "public__duration_specialist_median": 3.0,
    "assumptions__reneging_share": 0.2,
    "assumptions__list_size": 400.0,
    "waiting__personality": 10.0,
    "waiting__trauma": 8.0,
    "waiting__somatic_symptom": 9.0,
}
"""Full volumes from the first day of the functions on, of conversations twice the plan's, which shorten more treatments
by more; treatments a third as long (fewer clients for the same inflow), and more people who give up: all that the
functions do shows within a year."""
READINGS = {
    "none": Case("none", figures=BUSY),
    "headcount": Case(reading="headcount", figures=BUSY),
    "capacity": Case(reading="capacity", figures=BUSY),
    "net": Case(figures=BUSY),
}
"""The cases that `flowsim.answer` reports."""
OTHERS = {
    "diversion": Case("diversion", figures=BUSY | {"functions__diversion": 0.3}),
    "one path, social domain limited": Case(settings={"overlap": "one_path", "social_domain": "limited"}, figures=BUSY),
    "stopped, many levers": Case(
        reading="capacity",
        settings={"stop_policy": True, "freed_place": "heavier", "ramp": "year_end", "wait_counts": "intake"},
        figures=BUSY
        | {
            "assumptions__stop_at_share": 0.9,
            "assumptions__would_have_entered": 0.65,
            "assumptions__heavier_hours": 24.0,
            "assumptions__induced_demand": 0.3,
            "assumptions__staff_growth": -0.05,
            "assumptions__patience_shape": 1.4,
            "functions__support_point_relapse_reduction": 0.2,
        },
    ),
}
"""Settings that bring a rule of the engine into play that no reading does, and many others at once."""
CASES = READINGS | OTHERS
PAIRS = [*combinations(READINGS, 2), *(("net", name) for name in OTHERS)]
"""Cases that must be told apart."""
LOOSE = 0.1


def amstelland() -> Document:
    """The network of the plan as it stands, every figure at its own value."""
    return Case().compiled()


def smaller(document: Document, factor: float, months: int) -> Document:
    """The same region with so many times fewer residents, for so many months."""
    edges = document["periods"][: months + 1]
    arrivals = [{**one, "rate": [(time, rate / factor) for time, rate in one["rate"]]} for one in document["arrivals"]]
    return {
        **document,
        "horizon": edges[-1],
        "snapshot_every": edges[-1] / months,
        "periods": edges,
        "arrivals": arrivals,
        "stations": [_smaller(one, factor, edges[-1]) for one in document["stations"]],
        "routes": [one for one in document["routes"] if one.get("start", 0.0) < edges[-1]],
        "stop_rules": [_smaller_rule(one, factor, edges[-1]) for one in document["stop_rules"]],
    }


def _smaller_servers(schedule: list[tuple[float, int]], factor: float, horizon: float) -> list[tuple[float, int]]:
    return [(time, round(number / factor)) for time, number in schedule if time < horizon]


def _smaller_rule(rule: Document, factor: float, horizon: float) -> Document:
    made = {**rule, "at_least": rule["at_least"] / factor}
    if "servers" in rule:
        made["servers"] = {name: _smaller_servers(one, factor, horizon) for name, one in rule["servers"].items()}
    return made


def _smaller(station: Document, factor: float, horizon: float) -> Document:
    made = dict(station)
    servers = station["servers"]
    if isinstance(servers, list):
        made["servers"] = _smaller_servers(servers, factor, horizon)
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


def monthly(found: dict[str, float], document: Document | None = None) -> dict[str, float]:
    """Outcomes by station and month, and by station and class; snapshots; their sums over months, over stations (all,
    and those of the waiting list), and over the classes of a town or with one need; with the document, waits by month.
    What is not there is 0."""
    kept = {name: value for name, value in found.items() if value}
    lists = set(naive_measures.listed(document)) if document else set()

    def add(name: str, value: float) -> None:
        kept[name] = kept.get(name, 0.0) + value

    for name, value in list(kept.items()):
        place, _, outcome = name.partition(" ")
        what, inside, _ = outcome.partition(" in period ")
        station, _, kind = place.partition("/")
        together = [] if is_sparse(name) else ["everywhere", *(["ggz"] if station in lists else [])]
        if inside:
            add(f"{place} {what} in all", value)
            for one in together:
                add(f"{one} {outcome}", value)
                add(f"{one} {what} in all", value)
        elif not kind:
            for one in together:
                add(f"{one} {outcome}", value)
        else:
            town, _, rest = kind.partition("/")
            for one in (station, *together):
                for some in (town, rest.partition("/")[0] or kind, "anybody"):
                    add(f"{one}/{some} {outcome}", value)
    if document is not None:
        kept |= naive_measures.by_month(document, found) | naive_measures.used(document, found)
    return kept


def by_naive(document: Document, replications: int, seed: int, processes: int = 1) -> list[dict[str, float]]:
    """Outcomes of `naive`, replication by replication."""
    numbers = [seed * 100_000 + i for i in range(replications)]
    if processes == 1:
        return [_one(document, number) for number in numbers]
    with ProcessPoolExecutor(processes) as pool:
        return list(pool.map(partial(_one, document), numbers))


def _one(document: Document, number: int) -> dict[str, float]:
    return monthly(naive.simulate(document, number), document)


def by_engine(document: Document, replications: int, seed: int) -> list[dict[str, float]]:
    """Outcomes of the compiled engine, replication by replication."""
    network = Network.from_dict(document)
    results = (compiled.simulate_once(network, seed, i, log=True)[:2] for i in range(replications))
    return [monthly(named(network, *one), document) for one in results]


def compare(slow: list[dict[str, float]], fast: list[dict[str, float]], level: float) -> tuple[int, list[str]]:
    """How many outcomes were compared, and those in which the two differ."""
    names = names_of(slow, fast)
    return len(names), disagreements(names, table(slow, names), table(fast, names), level)


def main() -> int:
    """Compare the whole region; returns the exit code."""
    parser = argparse.ArgumentParser(description="The whole of Amstelland, naive against the compiled engine.")
    parser.add_argument("--case", choices=["plan", *CASES], default="plan")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--replications", type=int, default=16)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--alarms", type=int, default=0)
    parser.add_argument("--power", type=int, default=0)
    asked = parser.parse_args()
    if asked.alarms or asked.power:
        return _engine_against_itself(asked.alarms, asked.power, asked.seed)
    differ = 0
    for name in CASES if asked.all else [asked.case]:
        case = CASES.get(name, Case())
        slow = by_naive(case.plain(), asked.replications, asked.seed, asked.processes)
        count, told = compare(slow, by_engine(case.compiled(), asked.replications, asked.seed), FAMILY)
        print(f"{name}: {count} outcomes compared over {asked.replications} replications; {len(told)} differ", *told,
              sep="\n", flush=True)  # fmt: skip
        differ += bool(told)
    return int(differ > 0)


def _engine_against_itself(alarms: int, power: int, seed: int) -> int:
    """How often the test of every day tells the engine from itself with another seed, and a case from another one."""
    small = {name: smaller(case.compiled(), FACTOR, MONTHS) for name, case in CASES.items()}
    for name, document in small.items():
        wrong = 0
        for i in range(alarms):
            pair = (by_engine(document, REPLICATIONS, 2 * (seed + i) + j + 1000) for j in (0, 1))
            wrong += bool(compare(*pair, LOOSE)[1])
        if alarms:
            print(f"{name}: a false alarm at the level of {LOOSE:.0%} in {wrong} of {alarms}", flush=True)
    for one, other in PAIRS if power else ():
        found = []
        for i in range(power):
            pair = (
                by_engine(small[name], REPLICATIONS, 2 * (seed + i) + j + 9000) for j, name in enumerate((one, other))
            )
            found.append(len(compare(*pair, FAMILY / len(CASES))[1]))
        told_apart, mean = sum(number > 0 for number in found), sum(found) / power
        print(f"{one} and {other}: told apart in {told_apart} of {power}, by {mean:.0f} outcomes", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
