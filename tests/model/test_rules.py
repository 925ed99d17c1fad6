"""The choices that both engines share, each against its rule in plain Python: equality of engines cannot see them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from flowsim.model import draws, rules, tables
from flowsim.model import network as n
from flowsim.model.network import Network

WORDS = [np.uint64(draws.output(np.uint64(5), i)) for i in range(400)]
"""Random words, and the edges between ways beside them."""
VALUES = [0.5, 4.0, 1.0, 2.5]


def exponential(mean: float) -> dict[str, Any]:
    return {"distribution": "exponential", "mean": mean}


LAWS: dict[str, dict[str, Any]] = {
    "exponential": exponential(2.0),
    "deterministic": {"distribution": "deterministic", "mean": 3.0},
    "gamma": {"distribution": "gamma", "mean": 2.0, "cv": 0.8},
    "lognormal": {"distribution": "lognormal", "mean": 2.0, "cv": 0.8},
    "weibull": {"distribution": "weibull", "mean": 2.0, "cv": 0.8},
    "uniform": {"distribution": "uniform", "low": 1.0, "high": 4.0},
    "empirical": {"distribution": "empirical", "values": VALUES},
}
RATES = [[2.0, 1.5], [5.0, 0.0], [6.5, 4.0], [9.0, 0.25]]
ENDS = [[0.0, 1.0], [3.0, 0.0]]


@pytest.fixture(scope="module")
def network() -> Network:
    """A station for each law of service; others for ways, pools and streams."""
    made = [{"name": name, "servers": 1, "service": law, "patience": law} for name, law in LAWS.items()]
    arrivals = [{"class": "a", "station": name, "rate": 1.0} for name in LAWS]
    return Network.from_dict(
        {
            "horizon": 20.0,
            "classes": ["a"],
            "stations": made,
            "pools": [
                {"name": "unequal", "stations": ["gamma", "weibull", "uniform"], "rule": "shares"}
                | {"shares": [0.2, 0.5, 0.3]},
                {"name": "equal", "stations": ["weibull", "gamma"], "rule": "shares"},
            ],
            "arrivals": [
                *arrivals,
                {"class": "a", "station": "gamma", "rate": RATES},
                {"class": "a", "station": "gamma", "rate": ENDS},
                {"class": "a", "station": "gamma", "interval": {"distribution": "uniform", "low": 1.0, "high": 2.0}},
            ],
            "routes": [{"from": "gamma", "to": {"weibull": 0.25, "uniform": 0.0, "exponential": 0.35, "exit": 0.4}}],
        }
    )  # fmt: skip


@pytest.fixture(scope="module")
def w(network: Network) -> Any:
    """The tables."""
    return tables.addresses(network)


def edges(probabilities: list[float]) -> list[np.uint64]:
    """The words on both sides of every border between ways."""
    borders = [int(sum(probabilities[: i + 1]) * 2**64) for i in range(len(probabilities) - 1)]
    return [np.uint64(one) for border in borders for one in (border - 1, border, border + 1) if one >= 0]


def plain_choice(probabilities: list[float], bits: np.uint64) -> int:
    """The first way whose cumulated probability lies above the word; the last one takes the rest."""
    for i in range(len(probabilities) - 1):
        if int(bits) < int(sum(probabilities[: i + 1]) * 2**64):
            return i
    return len(probabilities) - 1


def test_way(network: Network, w: Any) -> None:
    k = network.station_names.index("gamma")
    row = int(network.route_rows[0, k, 0])
    probabilities = [0.25, 0.0, 0.35, 0.4]
    first = int(network.rows["first"][row])
    names = [network.station_names[i] if i >= 0 else "exit" for i in network.ways["station"][first : first + 4]]
    assert names == ["weibull", "uniform", "exponential", "exit"]
    seen = set()
    for bits in [*WORDS, *edges(probabilities), np.uint64(0), np.uint64(2**64 - 1)]:
        way = int(rules.way(w, row, bits)) - first
        assert way == plain_choice(probabilities, bits)
        seen.add(way)
    assert seen == {0, 2, 3}  # what has no chance is never taken


@pytest.mark.parametrize("count", [1, 2, n.BOUNDS - 1, n.BOUNDS, n.BOUNDS + 1, 2 * n.BOUNDS + 3])
def test_a_row_may_have_any_number_of_ways(count: int) -> None:
    """`BOUNDS` are compared at once; what stands behind a row does not count."""
    names = [f"s{i:02}" for i in range(count)]
    chances = [(i + 1) / (count * (count + 1) / 2) for i in range(count)]
    law = exponential(1.0)
    network = Network.from_dict(
        {
            "horizon": 1.0,
            "classes": ["a"],
            "stations": [{"name": name, "servers": 1, "service": law} for name in names],
            "arrivals": [{"class": "a", "station": names[0], "rate": 1.0}],
            "routes": [{"from": name, "to": dict(zip(names, chances, strict=True))} for name in names],
        }
    )
    w = tables.addresses(network)
    for k in (0, count - 1):  # the last row has nothing behind it
        row = network.rows[network.route_rows[0, k, 0]]
        below = network.ways["below"][row["first"] : row["first"] + count - 1]
        near = [np.uint64(int(word) + one) for word in below for one in (-1, 0, 1)]
        for bits in [*WORDS, *near, np.uint64(0), np.uint64(2**64 - 1)]:
            way = rules.way(w, int(network.route_rows[0, k, 0]), bits)
            assert way - row["first"] == int((bits >= below).sum())


@pytest.mark.parametrize(
    ("pool", "members", "shares"),
    [(0, ["gamma", "weibull", "uniform"], [0.2, 0.5, 0.3]), (1, ["weibull", "gamma"], [0.5, 0.5])],
)
def test_member(network: Network, w: Any, pool: int, members: list[str], shares: list[float]) -> None:
    for bits in [*WORDS, *edges(shares), np.uint64(0), np.uint64(2**64 - 1)]:
        chosen = network.station_names[int(rules.member(w, pool, bits))]
        assert chosen == members[plain_choice(shares, bits)]


def test_expected_wait() -> None:
    """(waiting, busy, capacity, tokens): 0 where a place is free, else the places in front times the time per place."""
    mean = 6.0
    free = [(0, 0, 1, 1), (0, 2, 3, 5)]
    full = {(0, 1, 1, 1): 6.0, (0, 0, 2, 0): 3.0, (3, 2, 2, 9): 12.0, (1, 0, 4, 4): 3.0, (0, 5, 4, 4): 1.5}
    for given in free:
        assert rules.expected_wait(*given, mean) == 0.0
    for given, expected in full.items():
        assert rules.expected_wait(*given, mean) == expected
    assert rules.expected_wait(0, 0, 0, 5, mean) == math.inf
    assert rules.expected_wait(4, 3, 0, 5, mean) == math.inf
    assert rules.expected_wait(1, 1, 1, 0, mean) == 12.0


def code_of(network: Network, name: str) -> int:
    return int(network.cells["service"][network.station_names.index(name), 0])


@pytest.mark.parametrize("name", list(LAWS))
def test_lengths(network: Network, w: Any, name: str) -> None:
    code = code_of(network, name)
    d = network.distributions[code]
    for bits in WORDS[:100]:
        length = rules.distribution(w, code, bits)
        if name == "empirical":
            assert length == VALUES[int(draws.unit(bits) * 4)]
        else:
            assert length == draws.sample(d["family"], d["a"], d["b"], bits)
        assert rules.service_time(w, code, 1.5, bits) == 1.5 * length


def test_rest_of_an_empirical_service(network: Network, w: Any) -> None:
    """The service that is met is drawn by its share of all time in service; the moment lies anywhere in it."""
    code = code_of(network, "empirical")
    for bits in WORDS:
        target = draws.unit(bits) * sum(VALUES)
        met = next(value for i, value in enumerate(VALUES) if target <= sum(VALUES[: i + 1]))
        assert rules.residual_service(w, code, bits) == pytest.approx(draws.unit(np.uint64(draws.aside(bits))) * met)


@pytest.mark.parametrize("name", [name for name in LAWS if name != "empirical"])
def test_rest_of_another_service(network: Network, w: Any, name: str) -> None:
    code = code_of(network, name)
    d = network.distributions[code]
    for bits in WORDS[:50]:
        assert rules.residual_service(w, code, bits) == draws.excess(d["family"], d["a"], d["b"], bits)


@pytest.mark.parametrize("name", ["gamma", "lognormal", "empirical"])
def test_patience_by_rejection(network: Network, w: Any, name: str) -> None:
    """The first of the words of this address whose variate is longer than the age."""
    code, age = code_of(network, name), 2.5
    for bits in WORDS[:100]:
        word = bits
        while rules.distribution(w, code, word) <= age:
            word = np.uint64(draws.again(word))
        assert rules.patience_beyond(w, code, age, bits) == rules.distribution(w, code, word)


def test_patience_by_inversion(network: Network, w: Any) -> None:
    for name in ("exponential", "deterministic", "weibull", "uniform"):
        code = code_of(network, name)
        d = network.distributions[code]
        for bits in WORDS[:50]:
            assert rules.patience_beyond(w, code, 2.0, bits) == draws.beyond(2.0, d["family"], d["a"], d["b"], bits)


def test_patience_that_none_has_ends_at_once(network: Network, w: Any) -> None:
    assert rules.patience_beyond(w, code_of(network, "empirical"), 4.0, WORDS[0]) == 4.0
    assert rules.patience_beyond(w, code_of(network, "deterministic"), 5.0, WORDS[0]) == 5.0


def plain_arrival(rates: list[list[float]], time: float, gap: float) -> float:
    """When the cumulated rate after ``time`` reaches ``gap``; inf when it never does."""
    for i, (begin, rate) in enumerate(rates):
        end = rates[i + 1][0] if i + 1 < len(rates) else math.inf
        begin = max(begin, time)
        if begin >= end:
            continue
        if rate > 0.0 and gap < (end - begin) * rate:
            return begin + gap / rate
        gap -= (end - begin) * rate if rate > 0.0 else 0.0
    return math.inf


def next_arrival(w: Any, stream: int, time: float, bits: np.uint64) -> float:
    return float(rules.next_arrival(w, stream, rules.rate_step(w, stream, 0, time), time, bits))


@pytest.mark.parametrize(("time", "step"), [(0.0, 0), (2.0, 0), (4.999, 0), (5.0, 1), (6.9, 2), (9.0, 3), (1e9, 3)])
def test_rate_in_force(network: Network, w: Any, time: float, step: int) -> None:
    stream = len(LAWS)
    assert [rules.rate_step(w, stream, before, time) for before in range(step + 1)] == [step] * (step + 1)


@pytest.mark.parametrize("time", [0.0, 1.9, 2.0, 4.0, 5.0, 6.0, 6.5, 7.0, 8.999, 9.0, 30.0])
def test_next_arrival_of_a_schedule(network: Network, w: Any, time: float) -> None:
    stream = len(LAWS)
    for bits in WORDS[:100]:
        gap = draws.exponential(bits)
        found = next_arrival(w, stream, time, bits)
        assert found == pytest.approx(plain_arrival(RATES, time, gap), rel=1e-12)


def test_next_arrival_of_a_stream_that_ends(network: Network, w: Any) -> None:
    stream = len(LAWS) + 1
    found = [next_arrival(w, stream, 0.5, bits) for bits in WORDS]
    expected = [plain_arrival(ENDS, 0.5, draws.exponential(bits)) for bits in WORDS]
    assert found == pytest.approx(expected, rel=1e-12)
    assert 0 < np.isinf(found).sum() < len(found)
    assert next_arrival(w, stream, 3.0, WORDS[0]) == math.inf


def test_next_arrival_after_an_interval(network: Network, w: Any) -> None:
    stream = len(LAWS) + 2
    for bits in WORDS[:50]:
        assert next_arrival(w, stream, 7.0, bits) == 7.0 + (1.0 + draws.unit(bits))
