"""Both engines against queueing theory: the cases of `flowsim verify`, and whole distributions beside them.

Each comparison is a t-interval over independent replications at level 1 - `ALPHA` (or a chi-square test at level
`ALPHA`), so a right engine raises a false alarm in one of 10,000 comparisons. The file makes fewer than 300: a false
alarm somewhere has a chance below 3%, once, because seeds are fixed. An interval that is wider than `NARROW` allows
fails too: it could not have seen much.
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from flowsim.analysis import theory, transient
from flowsim.engines import compiled, reference
from flowsim.model.network import Network
from flowsim.study.verification import cases
from flowsim.study.verification.case import Document, Outcome, exponential, single
from flowsim.study.verification.changing import BACKLOG, backlog_document
from flowsim.study.verification.steady import WEIBULL_CV, weibull_beyond
from flowsim.study.verify import MISSES, compared, sampled

ALPHA = 1e-4
NARROW = {"compiled": 0.4, "reference": 1.5}
"""Widest half-width of an interval, relative to the expected value."""
ENGINES = {"compiled": compiled.simulate_once, "reference": reference.simulate_once}


@pytest.fixture(params=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.mark.parametrize("kind", dict.fromkeys(case.kind for case in cases()))
def test_known_results(engine: str, kind: str) -> None:
    chosen = [case for case in cases() if case.kind == kind]
    values, unequal = sampled(chosen, engine, seed=1, threads=1)
    rows = [row for case, found in zip(chosen, values, strict=True) for row in compared(case, engine, found, 1 - ALPHA)]
    assert rows
    for row in rows:
        half = (row["high"] - row["low"]) / 2
        found = f"{row['case']}, {row['quantity']} {row['place']}: {row['estimate']:.6g} ± {half:.2g}"
        assert row["verdict"] != MISSES, f"{found}, known to be {row['expected']:.6g}"
        assert half <= NARROW[engine] * row["expected"], f"{found}: too wide an interval to see anything"
        assert row["tolerance"] <= 0.5 * row["expected"], f"{found}: too much tolerance to see anything"
    assert unequal == 0


def outcomes(engine: str, document: Document, replications: int, seed: int) -> list[Outcome]:
    network = Network.from_dict(document)
    return [ENGINES[engine](network, seed, i, False)[0] for i in range(replications)]


def snapshots(found: list[Outcome], name: str) -> np.ndarray:
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
    there = snapshots(outcomes(engine, document, replications, seed=401), "in_service")[:, 1]
    shares = stats.poisson.pmf(np.arange(60), theory.mg_infinity(2.0, 3.0))
    assert distribution_p_value(there.astype(int), shares) > ALPHA


@pytest.mark.parametrize("case", BACKLOG)
def test_from_a_full_start(engine: str, case: str) -> None:
    """The numbers present at M/M/3 (+M) from a backlog, whatever its age: the whole distribution."""
    document = backlog_document(BACKLOG[case])
    times = [4.0, 8.0, 12.0, 16.0]  # the horizon is the last: what happened before it is seen
    chain = transient.presence(1.5, 2.0, 3, 12, times, BACKLOG[case])
    found = outcomes(engine, document, 3_000 if engine == "compiled" else 150, seed=403)
    waiting, serving = snapshots(found, "waiting"), snapshots(found, "in_service")
    assert (waiting[:, 0] == 9).all()
    assert (waiting == np.maximum(waiting + serving - 3, 0)).all(), "somebody waits beside a free server"
    for j, (time, shares) in enumerate(zip(times, chain, strict=True), start=1):
        p_value = distribution_p_value((waiting + serving)[:, j].astype(int), shares)
        assert p_value > ALPHA, f"numbers present at {time:g}: p = {p_value:.2g}"


def test_ages_of_those_who_wait_at_the_start(engine: str) -> None:
    """Nobody serves: those who wait with age 2 and weibull patience are there at t with P(X > 2 + t) / P(X > 2)."""
    patience = {"distribution": "weibull", "mean": 2.0, "cv": WEIBULL_CV}
    age = {"distribution": "deterministic", "mean": 2.0}
    document = single(0.0, 0, exponential(1.0), 2.0, 1.0, patience=patience, initial={"waiting": 200, "age": age})
    document["snapshot_every"] = 0.5
    replications = 200 if engine == "compiled" else 20
    found = snapshots(outcomes(engine, document, replications, seed=404), "waiting")
    for j in range(1, 4):
        left = 200 * weibull_beyond(2.0 + 0.5 * j) / weibull_beyond(2.0)
        error = float(found[:, j].std(ddof=1)) / replications**0.5
        half = float(stats.t.isf(ALPHA / 2, replications - 1)) * error
        assert abs(float(found[:, j].mean()) - left) <= half, f"still patient at {0.5 * j:g}"
        assert half <= 0.2 * left
