"""What must hold in every run, counted from the log by plain loops that share nothing with the tallies."""

from __future__ import annotations

import itertools
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from network_documents import NETWORKS, RICH, Document

from flowsim.engines import compiled, world
from flowsim.model import events, memory, tally
from flowsim.model.events import KIND_NAMES
from flowsim.model.network import STREAM_BITS, Network

every_network = pytest.mark.parametrize("document", NETWORKS.values(), ids=NETWORKS.keys())


@dataclass
class Person:
    state: str = "away"
    station: int = -1
    patient_class: int = -1
    since: float = 0.0
    joined: float = 0.0


@dataclass
class Count:
    """A log told again, line by line."""

    network: Network
    people: dict[int, Person] = field(default_factory=dict)
    spells: list[tuple[str, int, int, float, float, float]] = field(
        default_factory=list
    )  # state, k, c, since, from, to
    starts: list[tuple[int, float, float]] = field(default_factory=list)  # station, wait, time
    came: int = 0
    left: int = 0

    def end_spell(self, person: Person, time: float) -> None:
        if person.state != "away":
            self.spells.append((person.state, person.station, person.patient_class, person.since, person.joined, time))

    def follow(self, log: np.ndarray) -> Count:
        for time, number, kind, k, c, _ in log.tolist():
            name = KIND_NAMES[kind]
            if name in ("ticket", "drop", "review", "close"):
                continue
            if number not in self.people:
                assert name in ("arrive", "waiting_at_start", "in_service_at_start"), f"{name} before arriving"
                self.people[number] = Person()
                self.came += 1
            person = self.people[number]
            self.end_spell(person, time)
            if name in ("arrive", "waiting_at_start"):
                person.since = time
            if name == "start":
                self.starts.append((k, time - person.since, time))
            state = {"arrive": "waiting", "transfer": "waiting", "change": "waiting", "waiting_at_start": "waiting"}
            state |= {"start": "served", "in_service_at_start": "served"}
            person.state, person.station, person.patient_class = state.get(name, "away"), k, c
            person.joined = time
            if name == "exit":
                del self.people[number]
                self.left += 1
        for person in self.people.values():
            self.end_spell(person, self.network.horizon)
        return self


def run(document: Document, seed: int = 3, replication: int = 0) -> tuple[Network, dict[str, np.ndarray], np.ndarray]:
    network = Network.from_dict(document)
    outcome, log, _ = compiled.simulate_once(network, seed, replication, log=True)
    assert log is not None
    assert len(log) > 500, "a run in which too little happens to show anything"
    return network, outcome, log


@every_network
def test_nobody_is_lost(document: Document) -> None:
    network, outcome, log = run(document)
    count = Count(network).follow(log)
    assert count.came == count.left + len(count.people)
    assert all(person.state != "away" for person in count.people.values()), "present, but nowhere"
    present = Counter((person.state, person.station) for person in count.people.values())
    last = outcome["snapshots"][-1]
    for k in range(len(network.stations)):
        assert last["waiting"][k] == present["waiting", k]
        assert last["in_service"][k] == present["served", k]
    if network.warm_up == 0.0:
        assert outcome["cells"]["exits"].sum() == count.left


@every_network
def test_littles_law(document: Document) -> None:
    """Area under the number present = sum of the times spent there, per station, exactly (in a finite window)."""
    network, outcome, log = run(document)
    count = Count(network).follow(log)
    for state, field_name in (("waiting", "queue_time"), ("served", "service_time")):
        for k in range(len(network.stations)):
            steps: Counter[float] = Counter()
            for s, at, _, _, begin, end in count.spells:
                if s == state and at == k:
                    steps[max(begin, network.warm_up)] += 1
                    steps[max(end, network.warm_up)] -= 1
            area, number, before = 0.0, 0, network.warm_up
            for time in sorted(steps):
                area += number * (time - before)
                number, before = number + steps[time], time
            assert number == 0
            assert outcome["cells"][field_name][k].sum() == pytest.approx(area, rel=1e-9, abs=1e-9)


@every_network
def test_snapshots_show_who_is_there(document: Document) -> None:
    network, outcome, log = run(document)
    count = Count(network).follow(log)
    expected = np.zeros_like(outcome["snapshots"])
    for j, time in enumerate(tally.snapshot_times(network)):
        for state, k, _, since, begin, end in count.spells:
            # The state after all events up to and including the time; the horizon ends nothing.
            if not (begin <= time and (time < end or end == network.horizon)) or begin == end:
                continue
            expected[j, k]["waiting" if state == "waiting" else "in_service"] += 1
            overdue = state == "waiting" and network.stations["list"][k] >= 0 and time > since + network.waiting_norm
            expected[j, k]["overdue"] += overdue
    np.testing.assert_array_equal(outcome["snapshots"], expected)
    if np.isfinite(network.waiting_norm):
        assert expected["overdue"].sum() > 0


@every_network
def test_waits_of_those_who_start(document: Document) -> None:
    network, outcome, log = run(document)
    count = Count(network).follow(log)
    expected = np.zeros_like(outcome["waits"])
    for k, wait, time in count.starts:
        periods = [m for m in range(len(network.periods) - 1) if network.periods[m] <= time < network.periods[m + 1]]
        if periods and network.stations["list"][k] >= 0:
            expected[periods[0], network.stations["list"][k], min(int(wait / network.wait_bin), 255)] += 1
    np.testing.assert_array_equal(outcome["waits"], expected)
    for k in range(len(network.stations)):
        waits = [wait for at, wait, time in count.starts if at == k and time >= network.warm_up]
        assert outcome["cells"]["starts"][k].sum() == len(waits)
        assert outcome["cells"]["wait"][k].sum() == pytest.approx(sum(waits), rel=1e-9, abs=1e-9)


@every_network
def test_periods_add_up_to_the_run(document: Document) -> None:
    document = document | {"warm_up": 0.0, "periods": np.linspace(0.0, document["horizon"], 8).tolist()}
    _, outcome, log = run(document)
    kinds = Counter(KIND_NAMES[kind] for kind in log["kind"].tolist())
    names = {"arrivals": "arrive", "starts": "start", "completions": "complete", "reneged": "renege", "balked": "balk"}
    names |= {"transferred": "transfer", "reviewed": "review", "exits": "exit"}
    for measure, kind in names.items():
        per_station = outcome["periods"][measure].sum(axis=0)
        np.testing.assert_array_equal(per_station, outcome["cells"][measure].sum(axis=1))
        assert per_station.sum() == kinds[kind]
    sums = outcome["cells"]["wait"].sum(axis=1)
    np.testing.assert_allclose(outcome["periods"]["wait"].sum(axis=0), sums, rtol=1e-9, atol=1e-9)


@every_network
@pytest.mark.parametrize("edges", [[0.0, 7.0, 7.5, 200.0], [3.0, 60.0, 100.0], [100.0, 101.0]])
def test_periods_and_warm_up_count_what_happened_in_them(document: Document, edges: list[float]) -> None:
    """Also what happens at an edge: it belongs to the period that begins; and to the time after the warm-up."""
    document = document | {"warm_up": edges[1], "periods": edges}
    network, outcome, log = run(document)
    names = {"arrivals": "arrive", "starts": "start", "completions": "complete", "reneged": "renege", "balked": "balk"}
    names |= {"transferred": "transfer", "reviewed": "review", "exits": "exit"}
    kinds = {name: kind for kind, name in KIND_NAMES.items()}
    for measure, kind in names.items():
        lines = log[log["kind"] == kinds[kind]]
        for k in range(len(network.stations)):
            here = lines[lines["station"] == k]["time"]
            expected = [int(((here >= a) & (here < b)).sum()) for a, b in itertools.pairwise(edges)]
            assert outcome["periods"][measure][:, k].tolist() == expected, (measure, k)
            assert outcome["cells"][measure][k].sum() == (here >= edges[1]).sum(), (measure, k)


@every_network
def test_the_log_is_in_order(document: Document) -> None:
    _, _, log = run(document)
    assert (np.diff(log["time"][log["time"] >= 0.0]) >= 0.0).all()
    assert log["time"].max() < document["horizon"]


# ---- who is there changes nothing for who has nothing to do with them ------------------------------------------------


def others(log: np.ndarray, without_stream: int) -> bytes:
    """The lines about everybody but the residents of one arrival stream."""
    stream = (log["resident"] >> STREAM_BITS) & 0xFFF
    return log[stream != without_stream].tobytes()


@every_network
def test_an_inert_extra_resident_changes_nothing(document: Document) -> None:
    crowded = deepcopy(document)
    crowded["stations"].append(
        {"name": "aside", "servers": "inf", "service": {"distribution": "exponential", "mean": 2.0}}
    )
    crowded["arrivals"].append({"class": crowded["classes"][0], "station": "aside", "rate": 1.5})
    crowded["routes"].append({"from": "aside", "to": {"aside": 0.5, "exit": 0.5}})
    _, _, log = run(document)
    _, _, crowd = run(crowded)
    assert len(crowd) > len(log) + 100
    assert others(crowd, without_stream=len(document["arrivals"])) == log.tobytes()


@every_network
def test_an_unused_place_changes_nothing(document: Document) -> None:
    """A server more where one was always free; those who choose the soonest look at the number, so not in a pool."""
    _, _, log = run(document)
    pooled = {name for pool in document.get("pools", []) for name in pool["stations"]}
    ample = [s["name"] for s in document["stations"] if s["servers"] == "inf" and s["name"] not in pooled]
    assert ample
    logs = []
    for servers in (len(log), len(log) + 1):
        changed = deepcopy(document)
        for station in changed["stations"]:
            if station["name"] in ample:
                station["servers"] = servers
        logs.append(run(changed)[2].tobytes())
    assert logs[0] == logs[1] == log.tobytes()


# ---- the same bytes, whatever the machine does -----------------------------------------------------------------------


def as_bytes(result: tuple[dict[str, np.ndarray], np.ndarray | None, int]) -> tuple[Any, ...]:
    outcome, log, appointments = result
    return (
        {name: array.tobytes() for name, array in outcome.items()},
        None if log is None else log.tobytes(),
        appointments,
    )


@every_network
def test_threads_change_nothing(document: Document) -> None:
    network = Network.from_dict(document)
    alone = [as_bytes(compiled.simulate_once(network, 5, r, log=True)) for r in range(12)]
    with ThreadPoolExecutor(2) as pool:
        together = [as_bytes(x) for x in pool.map(lambda r: compiled.simulate_once(network, 5, r, log=True), range(12))]
    assert together == alone


@every_network
def test_what_another_replication_left_in_memory_changes_nothing(document: Document) -> None:
    """The block that a thread keeps is dirty: here with what is no number, no slot and no station."""
    network = Network.from_dict(document)
    with memory.block():  # not the thread's own: in fresh memory
        fresh = as_bytes(compiled.simulate_once(network, 5, 1, log=True))
    for dirt in (0xFF, 0x55):
        with memory.block() as room:
            room.arrays({}, {"all": ((2**22,), np.dtype("u1"))})[0]["all"][:] = dirt
        assert as_bytes(compiled.simulate_once(network, 5, 1, log=True)) == fresh


def dirty(table: np.ndarray, unused: int, luck: np.random.Generator) -> None:
    """Fill a table with what could be true: small numbers, times within the run, slots that nobody has (from ``unused``
    on), and what a slot can be used for and be held by."""
    for name in table.dtype.names or ():
        column = table[name]
        match column.dtype.str[1:]:
            case "f8":
                column[...] = luck.uniform(0.0, 400.0, column.shape)
            case "u4":
                column[...] = luck.integers(unused, unused + 100, column.shape)
            case "i8" | "u8":
                column[...] = luck.integers(1, 2**40, column.shape)
            case _:
                column[...] = luck.integers(1, 7, column.shape)


@every_network
def test_nothing_is_read_before_it_is_written(document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dirt that passes for the truth changes nothing, and nothing is written to a slot that nobody ever had."""
    network = Network.from_dict(document)
    arrays, create = memory.Block.arrays, world.create
    worlds: list[memory.Addresses] = []
    before: dict[str, np.ndarray] = {}
    seeds: list[int] = []

    def soiled(self: memory.Block, clear: memory.Shapes, other: memory.Shapes) -> Any:
        found, places = arrays(self, clear, other)
        for name in other:
            found[name].view(np.uint8)[...] = 0
            if seeds[-1] > 0:
                dirty(found[name], len(found["residents"]) - 100, np.random.default_rng(seeds[-1]))
        before.update({name: found[name].copy() for name in ("residents", "aside", "rings") if name in other})
        return found, places

    def kept(*arguments: Any) -> memory.Addresses:
        worlds.append(create(*arguments))
        return worlds[-1]

    monkeypatch.setattr(memory.Block, "arrays", soiled)
    monkeypatch.setattr(compiled.worlds, "create", kept)
    results = []
    for seed in range(4):  # 0: no dirt
        seeds.append(seed)
        with memory.block():  # not the thread's own: the tables are looked at afterwards
            results.append(as_bytes(compiled.simulate_once(network, 5, 1, log=True)))
        one = worlds[-1]
        top = int(one["state"]["top"][0])
        assert 1 < top <= len(one["residents"]) - 100
        for name, table in before.items():
            assert one[name][top:].tobytes() == table[top:].tobytes(), name
    assert results[1:] == results[:1] * 3


@every_network
def test_growing_changes_nothing(document: Document, monkeypatch: pytest.MonkeyPatch) -> None:
    network = Network.from_dict(document)
    roomy = as_bytes(compiled.simulate_once(network, 5, 0, log=True))
    grown: Counter[str] = Counter()

    def narrow(network: Network, expected: float = 0.0) -> int:
        present = int(network.initial["waiting"].sum() + network.initial["in_service"].sum())
        return 1 + len(network.streams) + 2 * len(network.stations) + len(network.stop_rules) + present

    def counted(name: str) -> Any:
        grow = getattr(world, name)

        def wrapper(*arguments: Any) -> None:
            grown[name] += 1
            grow(*arguments)

        return wrapper

    monkeypatch.setattr(world, "slots_needed", narrow)
    monkeypatch.setattr(world, "log_lines", lambda network: 2 * narrow(network))
    for name in ("add_slots", "lengthen_log"):
        monkeypatch.setattr(world, name, counted(name))
    again = Network.from_dict(document)  # of the other it is known how much room it takes
    assert as_bytes(compiled.simulate_once(again, 5, 0, log=True)) == roomy
    assert grown["add_slots"] >= 1
    assert grown["lengthen_log"] >= 2


@every_network
def test_a_log_changes_no_outcome(document: Document) -> None:
    network = Network.from_dict(document)
    with_log = compiled.simulate_once(network, 5, 1, log=True)
    without = compiled.simulate_once(network, 5, 1)
    assert without[1] is None
    assert as_bytes(without)[0] == as_bytes(with_log)[0]
    assert without[2] == with_log[2]


def test_seeds_and_replications_differ() -> None:
    network = Network.from_dict(RICH)
    logs = {
        compiled.simulate_once(network, seed, replication, log=True)[1].tobytes()  # type: ignore[union-attr]
        for seed in (0, 1, 2**40)
        for replication in (0, 1, 2)
    }
    assert len(logs) == 9


@every_network
def test_the_log_goes_forward_in_time_from_the_referral_of_who_waits_at_the_start(document: Document) -> None:
    """Also among those who are there at time zero: by time, kind and number."""
    network = Network.from_dict(document)
    for replication in range(2):
        log = compiled.simulate_once(network, 11, replication, True)[1]
        assert log is not None
        assert (np.diff(log["time"]) >= 0.0).all()
        assert not np.signbit(log["time"][log["time"] == 0.0]).any()
        first = log[np.isin(log["kind"], (events.WAITING_AT_START, events.IN_SERVICE_AT_START))]
        order = np.lexsort((first["resident"], first["kind"], first["time"]))
        assert (order == np.arange(len(first))).all()
