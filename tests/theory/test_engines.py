"""Both engines against queueing theory.

Each comparison is a t-interval over independent replications at level 1 - `ALPHA` (or a chi-square test at level
`ALPHA`), so a right engine raises a false alarm in one of 10,000 comparisons. The file makes fewer than 300: a false
alarm somewhere has a chance below 3%, once, because seeds are fixed. An interval that is wider than `NARROW` allows
fails too: it could not have seen much. What is compared is linear in time (sums over the counted time), because a ratio
of means is biased in short runs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from scipy import stats

from flowsim.analysis import theory, transient
from flowsim.engines import compiled, reference
from flowsim.model.network import Network

ALPHA = 1e-4
NARROW = {"compiled": 0.07, "reference": 0.95}
"""Widest half-width of an interval, relative to the expected value."""
REPLICATIONS = {"compiled": 40, "reference": 16}
SHARE = {"compiled": 1.0, "reference": 0.02}
"""The reference engine, a hundred times slower, runs a share of the counted time: enough to see a gross error. That
both write the same log is tested in tests/engines."""
ENGINES = {"compiled": compiled.simulate_once, "reference": reference.simulate_once}

Outcome = dict[str, np.ndarray]
Document = dict[str, Any]


@dataclass
class Case:
    """A network with a known answer. ``expected``: per quantity its measure of an outcome, and what theory says."""

    name: str
    document: Document
    expected: dict[str, tuple[Callable[[Outcome], float], float]]


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def outcomes(engine: str, document: Document, replications: int, seed: int) -> list[Outcome]:
    network = Network.from_dict(document)
    return [ENGINES[engine](network, seed, i)[0] for i in range(replications)]


def agree(engine: str, what: str, values: Sequence[float] | np.ndarray, expected: float) -> None:
    """The t-interval of the mean holds the expected value, and is narrow enough to mean something."""
    sample = np.asarray(values, float)
    error = float(sample.std(ddof=1)) / math.sqrt(len(sample))
    half = float(stats.t.isf(ALPHA / 2, len(sample) - 1)) * error
    mean = float(sample.mean())
    found = f"{what}: {mean:.6g} ± {half:.2g}, theory {expected:.6g}"
    assert abs(mean - expected) <= half, found
    assert half <= NARROW[engine] * abs(expected), f"{found}: too wide an interval to see anything"


# ---------------------------------------------------------------- measures


class Per:
    """Measures of an outcome at a station (and class), per unit of counted time."""

    def __init__(self, time: float) -> None:
        self.time = time

    def cell(self, name: str, station: int = 0, patient_class: int | None = None) -> Callable[[Outcome], float]:
        which = slice(None) if patient_class is None else patient_class
        return lambda out: float(np.sum(out["cells"][name][station, which])) / self.time

    def started_within_bin(self) -> Callable[[Outcome], float]:
        return lambda out: float(out["waits"][-1, 0, 0]) / self.time


def exponential(mean: float) -> dict[str, Any]:
    return {"distribution": "exponential", "mean": mean}


def single(
    rate: float,
    servers: int | str,
    service: dict[str, Any],
    counted: float,
    warm_up: float,
    wait_bin: float = 1e-9,
    **station: Any,
) -> Document:
    """One station. Waits shorter than ``wait_bin`` are counted apart; the default counts those that did not wait."""
    clinic = {"name": "clinic", "servers": servers, "service": service, "waiting_list": "list", **station}
    return {
        "horizon": warm_up + counted,
        "warm_up": warm_up,
        "periods": [0.0, warm_up, warm_up + counted],
        "wait_bin": wait_bin,
        "classes": ["a"],
        "stations": [clinic],
        "arrivals": [{"class": "a", "station": "clinic", "rate": rate}],
    }


def steady(rate: float, servers: int, answer: theory.SteadyState, counted: float) -> dict[str, Any]:
    """What a single station comes out at, as sums per unit of time."""
    per = Per(counted)
    let_in = rate * (1.0 - answer.blocking_probability)
    served = let_in * (1.0 - answer.reneging_probability)
    expected = {
        "number waiting": (per.cell("queue_time"), answer.mean_queue),
        "number in service": (per.cell("service_time"), servers * answer.utilisation),
        "waits of those who start": (per.cell("wait"), served * answer.mean_wait_served),
        "starts": (per.cell("starts"), served),
        "starts without a wait": (per.started_within_bin(), let_in * (1.0 - answer.wait_probability)),
    }
    if answer.reneging_probability > 0:
        expected["reneged"] = (per.cell("reneged"), let_in * answer.reneging_probability)
        beyond = let_in * answer.mean_wait - served * answer.mean_wait_served
        expected["waits of those who renege"] = (per.cell("wait_reneged"), beyond)
    if answer.blocking_probability > 0:
        expected["balked"] = (per.cell("balked"), rate * answer.blocking_probability)
    return expected


# ---------------------------------------------------------------- one station in steady state

GENERAL_SERVICE = {
    "deterministic": ({"distribution": "deterministic", "mean": 1.0}, 0.0),
    "gamma": ({"distribution": "gamma", "mean": 1.0, "cv": 1.5}, 1.5),
    "lognormal": ({"distribution": "lognormal", "mean": 1.0, "cv": 0.8}, 0.8),
    "weibull": ({"distribution": "weibull", "mean": 1.0, "cv": 1.2}, 1.2),
    "uniform": ({"distribution": "uniform", "mean": 1.0, "cv": 0.5}, 0.5),
    "empirical": (
        {"distribution": "empirical", "values": [0.25, 0.5, 2.25]},
        math.sqrt((0.75**2 + 0.5**2 + 1.25**2) / 3),
    ),
}


def _weibull_patience(t: float) -> float:
    return math.exp(-((t / _WEIBULL_SCALE) ** 2))


_WEIBULL_SCALE = 2.0 / math.gamma(1.5)
_WEIBULL_CV = math.sqrt(math.gamma(2.0) / math.gamma(1.5) ** 2 - 1.0)


def single_cases(share: float) -> list[Case]:
    """Single stations; the counted time is multiplied by ``share``."""
    cases = []

    def add(name: str, rate: float, servers: int, answer: theory.SteadyState, counted: float, **more: Any) -> None:
        service = more.pop("service", exponential(1.0))
        warm_up = more.pop("warm_up", 300.0)
        counted *= share
        document = single(rate, servers, service, counted, warm_up, **more)
        cases.append(Case(name, document, steady(rate, servers, answer, counted)))

    add("M/M/1", 0.7, 1, theory.mm1(0.7, 1.0), 36_000.0)
    add("M/M/3", 2.1, 3, theory.mmc(2.1, 1.0, 3), 20_000.0, warm_up=120.0)
    add("M/M/20", 17.0, 20, theory.mmc(17.0, 1.0, 20), 8_000.0, warm_up=80.0)
    for family, (service, cv) in GENERAL_SERVICE.items():
        add(f"M/G/1 {family}", 0.6, 1, theory.mg1(0.6, 1.0, cv), 25_000.0, service=service)
    patience = {"patience": exponential(2.0)}
    add("Erlang A, load 0.9", 9.0, 10, theory.erlang_a(9.0, 1.0, 10, 2.0), 6_000.0, warm_up=40.0, **patience)
    add("Erlang A, load 1.4", 14.0, 10, theory.erlang_a(14.0, 1.0, 10, 2.0), 6_000.0, warm_up=40.0, **patience)
    answer = theory.mmc_general_patience(6.0, 1.0, 5, _weibull_patience, 2.0)
    patience = {"patience": {"distribution": "weibull", "mean": 2.0, "cv": _WEIBULL_CV}}
    add("M/M/5+weibull, load 1.2", 6.0, 5, answer, 6_000.0, warm_up=40.0, **patience)
    answer = theory.mmc_general_patience(5.0, 1.0, 5, lambda t: float(t < 1.5), 1.5)
    patience = {"patience": {"distribution": "deterministic", "mean": 1.5}}
    add("M/M/5+constant, load 1.0", 5.0, 5, answer, 6_000.0, warm_up=40.0, **patience)
    limited = {"queue_limit": 4, "on_full": {"exit": 1.0}}
    add("M/M/3/7, load 1.2", 3.6, 3, theory.mmc_limited(3.6, 1.0, 3, 4), 6_000.0, warm_up=40.0, **limited)
    return cases


SINGLE = {engine: single_cases(share) for engine, share in SHARE.items()}


@pytest.mark.parametrize("index", range(len(SINGLE["compiled"])), ids=[case.name for case in SINGLE["compiled"]])
def test_one_station(engine: str, index: int) -> None:
    case = SINGLE[engine][index]
    found = outcomes(engine, case.document, REPLICATIONS[engine], seed=100 + index)
    for what, (measure, expected) in case.expected.items():
        agree(engine, f"{case.name}, {what}", [measure(out) for out in found], expected)


def test_waits_beyond_a_time(engine: str) -> None:
    """The tail of the wait at M/M/3, load 0.8, by the counts of waits in bins of a half."""
    counted = 15_000.0 * SHARE[engine]
    document = single(2.4, 3, exponential(1.0), counted, 150.0, wait_bin=0.5)
    found = outcomes(engine, document, REPLICATIONS[engine], seed=201)
    for bins in (1, 4, 10):
        within = 2.4 * (1.0 - theory.mmc_wait_beyond(0.5 * bins, 2.4, 1.0, 3))
        started = [float(out["waits"][-1, 0, :bins].sum()) / counted for out in found]
        agree(engine, f"starts within {0.5 * bins:g}", started, within)


# ---------------------------------------------------------------- priorities, networks


def test_priorities_at_many_servers(engine: str) -> None:
    """Cobham; Kella and Yechiali: three classes, three servers, load 0.7; the document lists them in another order."""
    rates, counted = [0.5, 1.0, 0.6], 25_000.0 * SHARE[engine]
    document = single(rates[0], 3, exponential(1.0), counted, 120.0)
    document["classes"] = ["late", "soon", "next"]
    document["stations"][0] |= {"discipline": "priority", "priority": {"soon": 0, "next": 1, "late": 7}}
    document["arrivals"] = [
        {"class": name, "station": "clinic", "rate": rate}
        for name, rate in zip(("soon", "next", "late"), rates, strict=True)
    ]
    waits = theory.priority_mmc(rates, 1.0, 3)
    found = outcomes(engine, document, REPLICATIONS[engine], seed=301)
    for name, wait, rate in zip(("soon", "next", "late"), waits, rates, strict=True):
        measure = Per(counted).cell("queue_time", 0, document["classes"].index(name))
        agree(engine, f"priority, {name}", [measure(out) for out in found], rate * wait)


def test_priorities_with_service_times_of_their_own(engine: str) -> None:
    """Cobham 1954 at one server: short visits before long, variable ones."""
    counted = 60_000.0 * SHARE[engine]
    document = single(0.5, 1, exponential(1.0), counted, 500.0)
    document["classes"] = ["short", "long"]
    document["stations"][0] |= {
        "discipline": "priority",
        "priority": {"short": 0, "long": 1},
        "service": {
            "short": {"distribution": "deterministic", "mean": 0.5},
            "long": {"distribution": "gamma", "mean": 2.0, "cv": 1.5},
        },
    }
    document["arrivals"] = [
        {"class": "short", "station": "clinic", "rate": 0.6},
        {"class": "long", "station": "clinic", "rate": 0.2},
    ]
    waits = theory.priority_mg1([0.6, 0.2], [0.5, 2.0], [0.0, 1.5])
    found = outcomes(engine, document, REPLICATIONS[engine], seed=302)
    for c, rate in enumerate((0.6, 0.2)):
        measure = Per(counted).cell("wait", 0, c)
        agree(engine, f"priority, class {c}", [measure(out) for out in found], rate * waits[c])


def test_jackson_network_with_feedback(engine: str) -> None:
    """Three stations; a fifth comes back to the first from the second, and some go round the third again."""
    routing = [[0.0, 0.7, 0.2], [0.2, 0.0, 0.4], [0.0, 0.0, 0.25]]
    external, means, servers = [1.5, 0.0, 0.6], [0.4, 1.1, 0.7], [1, 2, 3]
    counted = 20_000.0 * SHARE[engine]
    names = ["first", "second", "third"]
    document = {
        "horizon": counted + 150.0,
        "warm_up": 150.0,
        "classes": ["a"],
        "stations": [
            {"name": name, "servers": c, "service": exponential(mean)}
            for name, c, mean in zip(names, servers, means, strict=True)
        ],
        "arrivals": [
            {"class": "a", "station": name, "rate": rate} for name, rate in zip(names, external, strict=True) if rate
        ],
        "routes": [
            {"from": name, "to": {to: p for to, p in zip(names, row, strict=True) if p} | {"exit": 1.0 - sum(row)}}
            for name, row in zip(names, routing, strict=True)
        ],
    }
    answers = theory.jackson(external, routing, means, servers)
    rates = theory.traffic(external, routing)
    found = outcomes(engine, document, REPLICATIONS[engine], seed=303)
    for k, (answer, rate) in enumerate(zip(answers, rates, strict=True)):
        per = Per(counted)
        agree(engine, f"Jackson, arrivals at {names[k]}", [per.cell("arrivals", k)(out) for out in found], float(rate))
        agree(
            engine, f"Jackson, queue {names[k]}", [per.cell("queue_time", k)(out) for out in found], answer.mean_queue
        )


# ---------------------------------------------------------------- infinite servers, transients: snapshots


def _snapshots(found: list[Outcome], name: str) -> np.ndarray:
    """(replications, snapshots) at the only station."""
    return np.array([out["snapshots"][name][:, 0] for out in found], float)


def distribution_p_value(found: np.ndarray, shares: np.ndarray) -> float:
    """Chi-square test of numbers against their distribution (states,), in runs of states with 8 expected or more."""
    expected, counts = [0.0], [0]
    numbers = np.bincount(found, minlength=len(shares))
    for share, count in zip(shares, numbers, strict=True):
        if expected[-1] >= 8.0:
            expected.append(0.0)
            counts.append(0)
        expected[-1] += float(share) * len(found)
        counts[-1] += int(count)
    if expected[-1] < 8.0:  # too few in the last run: join it to the one before
        expected[-2:] = [sum(expected[-2:])]
        counts[-2:] = [sum(counts[-2:])]
    assert len(counts) >= 4, "too few runs of states to see anything"
    return float(stats.chisquare(counts, np.array(expected) * len(found) / sum(expected)).pvalue)


def test_infinite_servers_hold_a_poisson_number(engine: str) -> None:
    """M/G/∞ in steady state: the whole distribution of the number in service."""
    document = single(2.0, "inf", {"distribution": "lognormal", "mean": 3.0, "cv": 1.0}, 1.0, 60.0)
    document["snapshot_every"] = 60.0
    replications = 4_000 if engine == "compiled" else 150
    there = _snapshots(outcomes(engine, document, replications, seed=401), "in_service")[:, 1]
    shares = stats.poisson.pmf(np.arange(60), theory.mg_infinity(2.0, 3.0))
    assert distribution_p_value(there.astype(int), shares) > ALPHA


@pytest.mark.parametrize("family", ["exponential", "gamma", "weibull", "uniform", "lognormal", "deterministic"])
def test_infinite_servers_under_a_schedule(engine: str, family: str) -> None:
    """M(t)/G/∞ with 12 in service at the start, whose residual service is the stationary excess."""
    rate = [(0.0, 2.0), (4.0, 8.0), (8.0, 1.0)]
    survivals: dict[str, tuple[dict[str, Any], Callable[[float], float]]] = {
        "exponential": (exponential(3.0), lambda t: math.exp(-t / 3.0)),
        "gamma": (
            {"distribution": "gamma", "mean": 3.0, "cv": 2.0},
            lambda t: float(stats.gamma.sf(t, 0.25, scale=12.0)),
        ),
        "weibull": (
            {"distribution": "weibull", "mean": 3.0, "cv": _WEIBULL_CV},
            lambda t: math.exp(-((t * math.gamma(1.5) / 3.0) ** 2)),
        ),
        "uniform": (
            {"distribution": "uniform", "low": 1.0, "high": 5.0},
            lambda t: float(np.clip((5.0 - t) / 4.0, 0, 1)),
        ),
        "lognormal": (
            {"distribution": "lognormal", "mean": 3.0, "cv": 1.0},
            lambda t: float(stats.lognorm.sf(t, math.sqrt(math.log(2.0)), scale=3.0 / math.sqrt(2.0))),
        ),
        "deterministic": ({"distribution": "deterministic", "mean": 3.0}, lambda t: float(t < 3.0)),
    }
    service, longer_than = survivals[family]
    document = single(1.0, "inf", service, 11.0, 1.0, initial={"in_service": 12})
    document["arrivals"][0]["rate"] = [list(step) for step in rate]
    document["snapshot_every"] = 2.0
    seed = 410 + list(survivals).index(family)
    times = [2.0, 4.0, 6.0, 8.0, 10.0]
    means = transient.infinite_servers_mean(rate, times, longer_than, 3.0, start=12)
    found = _snapshots(outcomes(engine, document, 3_000 if engine == "compiled" else 100, seed=seed), "in_service")
    assert (found[:, 0] == 12).all()
    for j, (time, mean) in enumerate(zip(times, means, strict=True), start=1):
        agree(engine, f"M(t)/G/∞ {family} at {time:g}", found[:, j], float(mean))


@pytest.mark.parametrize("patience", [None, 6.0])
def test_from_a_full_start(engine: str, patience: float | None) -> None:
    """Three in service and nine waiting at M/M/3 (+M), whatever their age: the numbers present, by chi-square."""
    document = single(1.5, 3, exponential(2.0), 15.0, 1.0, initial={"in_service": 3, "waiting": 9})
    if patience is not None:
        document["stations"][0]["patience"] = exponential(patience)
        document["stations"][0]["initial"]["age"] = {"distribution": "uniform", "low": 0.0, "high": 5.0}
    document["snapshot_every"] = 4.0
    times = [4.0, 8.0, 12.0, 16.0]  # the horizon is the last: what happened before it is seen
    replications = 3_000 if engine == "compiled" else 150
    chain = transient.presence(1.5, 2.0, 3, 12, times, math.inf if patience is None else patience)
    found = outcomes(engine, document, replications, seed=403)
    waiting, serving = _snapshots(found, "waiting"), _snapshots(found, "in_service")
    assert (waiting[:, 0] == 9).all()
    assert (waiting == np.maximum(waiting + serving - 3, 0)).all(), "somebody waits beside a free server"
    for j, (time, shares) in enumerate(zip(times, chain, strict=True), start=1):
        p_value = distribution_p_value((waiting + serving)[:, j].astype(int), shares)
        assert p_value > ALPHA, f"numbers present at {time:g}: p = {p_value:.2g}"


def test_ages_of_those_who_wait_at_the_start(engine: str) -> None:
    """Nobody serves: those who wait with age 2 and weibull patience are there at t with P(X > 2 + t) / P(X > 2)."""
    patience = {"distribution": "weibull", "mean": 2.0, "cv": _WEIBULL_CV}
    age = {"distribution": "deterministic", "mean": 2.0}
    document = single(0.0, 0, exponential(1.0), 2.0, 1.0, patience=patience, initial={"waiting": 200, "age": age})
    document["snapshot_every"] = 0.5
    found = _snapshots(outcomes(engine, document, 200 if engine == "compiled" else 20, seed=404), "waiting")
    for j in range(1, 4):
        left = 200 * _weibull_patience(2.0 + 0.5 * j) / _weibull_patience(2.0)
        agree(engine, f"still patient at {0.5 * j:g}", found[:, j], left)
