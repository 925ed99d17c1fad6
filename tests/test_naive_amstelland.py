"""The region of the plan: `naive`, which knows nothing of flowsim, against the compiled engine, month by month.

Under every reading that `flowsim.answer` reports (no network, headcount, capacity, net), top-down, and with settings
that bring other rules of the engine into play. The network that `naive` simulates is the one that `naive_region`
writes from the figures; the engine's comes from the scenario compiler.

Every outcome of the tally: by station and month arrivals, starts, completions, people who give up, find no room, are
reviewed, are transferred, leave, and the sum of their waits; waiting, overdue and in service at a moment of each month;
by station and class all of these, and the time spent waiting and in service; who went where from where, and why, by
month (who is diverted by what to where; first and bridging consults of the GP); starts by week of waiting, the mean and
90th percentile of the wait by month; the part of the places in use. And sums over months, stations, towns and needs.

Welch's t test and the two-sample Kolmogorov-Smirnov test for each, over independent replications, seeds fixed. `FAMILY`
(0.1%) is the chance that right engines fail `test_engine_agrees_with_naive` for any case with another seed (Bonferroni
over cases, outcomes and tests).

The region is scaled down, the full volumes of the network come at once and treatments are short, so that what the
readings differ in shows within fifteen months; ``python tests/naive_amstelland.py`` compares the whole region, as it
is, and measures power and false alarms. So many tests at once see large differences only
(`test_a_difference_would_be_found`); small ones are for the small networks of test_naive.py, where each rule has room.
What is read off these outcomes by year has tests of its own (test_naive_measures.py).
"""

from __future__ import annotations

from functools import cache
from typing import Any

import naive
import naive_amstelland
import numpy as np
import pytest
from naive_agreement import kolmogorov_smirnov
from naive_amstelland import CASES, FACTOR, FAMILY, MONTHS, PAIRS, REPLICATIONS, amstelland, compare, monthly, smaller
from scipy import stats

pytestmark = pytest.mark.filterwarnings("ignore:Precision loss")  # outcomes that are nearly always the same
Outcomes = list[dict[str, float]]
LEVEL = FAMILY / len(CASES)


@cache
def by_naive(name: str) -> Outcomes:
    return naive_amstelland.by_naive(smaller(CASES[name].plain(), FACTOR, MONTHS), REPLICATIONS, seed=1)


@cache
def document(name: str) -> dict[str, Any]:
    return smaller(CASES[name].compiled(), FACTOR, MONTHS)


@cache
def by_engine(name: str) -> Outcomes:
    return naive_amstelland.by_engine(document(name), REPLICATIONS, seed=1)


@pytest.mark.parametrize("name", list(CASES))
def test_engine_agrees_with_naive(name: str) -> None:
    count, told = compare(by_naive(name), by_engine(name), LEVEL)
    assert count > 8000
    assert not told, f"naive and compiled differ in {name}:\n" + "\n".join(told)


def test_nothing_of_the_tally_is_left_out() -> None:
    """Every field of the engine's tally, and what is read off its log, is among the outcomes that are compared."""
    from flowsim.model import tally

    compared = {name.partition(" ")[2].partition(" in period ")[0].partition(" at ")[0] for name in by_engine("net")[0]}
    for fields in (tally.CELL_TALLY, tally.SNAPSHOT, tally.PERIOD):
        assert compared >= set(fields.names or ())
    assert compared >= {"mean_wait", "wait_90", "utilisation", "to gp", "started after 0"}
    assert compared >= {
        f"completion to {place}" for place in ("social_domain_uithoorn", "self_help", "exit", "trauma_arkin")
    }


@pytest.mark.parametrize(("one", "other"), PAIRS)
def test_cases_are_told_apart(one: str, other: str) -> None:
    """A reading that is simulated as if it were another one would be found."""
    assert compare(by_naive(one), by_engine(other), LEVEL)[1]


def test_the_pilots_are_stopped_in_some_futures() -> None:
    for found in (by_naive("stopped, many levers"), by_engine("stopped, many levers")):
        stopped = sum("exploratory_conversation starts in period 14" not in one for one in found)
        assert 5 < stopped < REPLICATIONS - 3


def _with(station: dict[str, Any], what: str, factor: float) -> dict[str, Any]:
    return station | {what: station[what] | {"mean": factor * station[what]["mean"]}}


def test_a_difference_would_be_found() -> None:
    """What a mistake of the engine could look like, one at a time."""

    def changed(case: str, change: Any, **parts: Any) -> tuple[str, dict[str, Any]]:
        given = document(case)
        return case, given | {"stations": [change(one) for one in given["stations"]]} | parts

    def without(*keys: str, of: str = "") -> Any:
        return lambda one: {k: v for k, v in one.items() if k not in keys} if of in one["name"] else one

    def lists(what: str, factor: float) -> Any:
        return lambda one: _with(one, what, factor) if "waiting_list" in one else one

    social = "one path, social domain limited"
    desk = "waiting_list_management"  # only a stop rule turns people away there
    routes = document("stopped, many levers")["routes"]
    never_closed = [one for one in routes if (one["from"], one.get("on")) != (desk, "full")]
    wrong = {
        "patience half as long": changed("net", lists("patience", 0.5)),
        "longer treatments": changed("none", lists("service", 1.2)),
        "no quota kept": changed("headcount", without("quota", "quota_carries", of="exploratory_conversation")),
        "a lighter treatment takes as long": changed("capacity", without("uses_service_factor")),
        "who gives up in the social domain is not seen again": changed(
            social, without("on_renege", of="social_domain")
        ),
        "pilots go on": changed("stopped, many levers", lambda one: one, stop_rules=[], routes=never_closed),
    }
    found = {}
    for what, (case, other) in wrong.items():
        found[what] = len(compare(by_naive(case), naive_amstelland.by_engine(other, REPLICATIONS, seed=2), LEVEL)[1])
    assert all(found.values()), found


def test_the_small_region_is_the_region_in_small() -> None:
    region = smaller(amstelland(), FACTOR, MONTHS)
    whole = amstelland()
    few, many = (sum(one["rate"][0][1] for one in document["arrivals"]) for document in (region, whole))
    assert few == pytest.approx(many / FACTOR)
    for small, large in zip(region["stations"], whole["stations"], strict=True):
        for key in ("service", "patience", "while_waiting", "on_renege", "priority", "queue_limit"):
            assert small.get(key) == large.get(key)
        for state in ("waiting", "in_service"):
            many = sum(large.get("initial", {}).get(state, {}).values())
            few = sum(small.get("initial", {}).get(state, {}).values())
            assert few == int(many / FACTOR)
        if "quota" in large:
            until = region["horizon"]
            assert sum(n for _, n in small["quota"]) == int(sum(n for t, n in large["quota"] if t < until) / FACTOR)


def test_months_add_up() -> None:
    """A month holds what happens from its first moment up to the next one's; what lies outside is in no month."""
    desk = {"name": "desk", "servers": "inf", "service": {"distribution": "deterministic", "mean": 2.0}}
    arrivals = {"class": "a", "station": "desk", "interval": {"distribution": "deterministic", "mean": 1.0}}
    document = {
        "horizon": 9.0, "snapshot_every": 3.0, "periods": [2.0, 4.0, 7.0],
        "classes": ["a"], "stations": [desk], "arrivals": [arrivals],
    }  # fmt: skip
    found = monthly(naive.simulate(document, 1))
    assert [found[f"desk arrivals in period {m}"] for m in (0, 1)] == [2.0, 3.0]  # at 2, 3; at 4, 5, 6
    assert [found.get(f"desk completions in period {m}", 0.0) for m in (0, 1)] == [1.0, 3.0]  # at 3; at 4, 5, 6
    assert found["desk arrivals in all"] == 5.0
    assert "desk waiting at 3" not in found  # nobody waits: what is not there is 0
    assert found["desk in_service at 3"] == 2.0


def test_the_vectorised_test_is_that_of_scipy() -> None:
    rng = np.random.default_rng(3)
    one, other = rng.poisson(1.5, (30, 40)).astype(float), rng.poisson(1.9, (30, 40)).astype(float)
    expected = [stats.ks_2samp(one[:, i], other[:, i], method="exact").pvalue for i in range(40)]
    assert kolmogorov_smirnov(one, other) == pytest.approx(expected)
