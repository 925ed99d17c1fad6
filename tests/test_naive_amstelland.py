"""The region of the plan: `naive`, which knows nothing of flowsim, against the compiled engine, month by month.

The network that `naive` simulates is the one that `naive_region` writes from the figures; the engine's comes from the
scenario compiler.

Every monthly outcome of every station (arrivals, starts, completions, people who give up, find no room, are reviewed,
are transferred, leave; sum of waits), sums over months and stations, and snapshots of waiting, in service and overdue:
Welch's t test and the two-sample Kolmogorov-Smirnov test for each, over independent replications, seeds fixed. `FAMILY`
(0.1%) is the chance that a right engine fails `test_engine_agrees_with_naive_on_amstelland` with another seed
(Bonferroni over outcomes and tests).

The region is scaled down for daily use; ``python tests/naive_amstelland.py`` compares the whole of it. So many tests at
once see large differences only (`test_a_difference_would_be_found`); small ones are for the small networks of
test_naive.py, where each rule has room.
"""

from __future__ import annotations

from typing import Any

import naive
import naive_region
import numpy as np
import pytest
from naive_amstelland import FAMILY, amstelland, by_engine, by_naive, compare, monthly, smaller

pytestmark = pytest.mark.filterwarnings("ignore:Precision loss")  # outcomes that are nearly always the same

FACTOR = 8.0
MONTHS = 15
"""Nine of them with the functions of the network."""
REPLICATIONS = 60


@pytest.fixture(scope="module")
def region() -> dict[str, Any]:
    return smaller(amstelland(), FACTOR, MONTHS)


def test_engine_agrees_with_naive_on_amstelland(region: dict[str, Any]) -> None:
    written = smaller(naive_region.document(), FACTOR, MONTHS)
    slow, fast = by_naive(written, REPLICATIONS, seed=1), by_engine(region, REPLICATIONS, seed=1)
    count, told = compare(slow, fast, FAMILY)
    assert count > 4000
    assert not told, "naive and compiled differ:\n" + "\n".join(told)


def _with(station: dict[str, Any], what: str, factor: float) -> dict[str, Any]:
    return station | {what: station[what] | {"mean": factor * station[what]["mean"]}}


def test_a_difference_would_be_found(region: dict[str, Any]) -> None:
    """What a mistake of one of the two could look like, one at a time: the engine against itself, changed."""
    stations = {one["name"]: one for one in region["stations"]}
    lists = {name: one for name, one in stations.items() if "patience" in one}
    talks = stations["exploratory_conversation"]
    changed = {
        "patience half as long": {name: _with(one, "patience", 0.5) for name, one in lists.items()},
        "longer treatments": {name: _with(one, "service", 1.2) for name, one in lists.items()},
        "no quota kept": {"exploratory_conversation": {k: v for k, v in talks.items() if not k.startswith("quota")}},
    }
    right = by_engine(region, REPLICATIONS, seed=1)
    found = {}
    for what, other in changed.items():
        document = region | {"stations": [other.get(name, one) for name, one in stations.items()]}
        found[what] = len(compare(right, by_engine(document, REPLICATIONS, seed=2), FAMILY)[1])
    assert all(found.values()), found


def test_the_small_region_is_the_region_in_small(region: dict[str, Any]) -> None:
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
    assert np.isclose(found["desk waiting at 3"], 0.0)
