"""The compiled engine against `naive`: two programs that share nothing but the rules must agree in distribution.

Every outcome by name (numbers, waits and times per station and class; periods; snapshots; waits by list; moves from
station to station) is compared over independent replications by the two tests of `naive_agreement`. `FAMILY` is the
chance of a false alarm anywhere in this file (Bonferroni over networks and comparisons); seeds are fixed.
"""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from naive_agreement import disagreements, is_sparse, named, names_of, table
from naive_networks import NETWORKS as PLAIN
from naive_reviews import NETWORKS as REVIEWED

from flowsim.engines import compiled
from flowsim.model.network import Network

pytestmark = pytest.mark.filterwarnings(
    "ignore:Precision loss"
)  # an outcome that is the same in nearly all replications

FAMILY = 1e-3
REPLICATIONS = 400
NETWORKS = PLAIN | REVIEWED


def samples(document: dict[str, Any], seed: int) -> tuple[list[str], np.ndarray, np.ndarray]:
    """Names, outcomes of `naive`, outcomes of the compiled engine."""
    end = document["horizon"]
    document = {"periods": [0.0, end / 3, 2 * end / 3, end], "wait_bin": end / 40, **document}
    network = Network.from_dict(document)
    fast = [named(network, *compiled.simulate_once(network, seed, i, log=True)[:2]) for i in range(REPLICATIONS)]
    slow = [naive.simulate(document, seed * 100_000 + i) for i in range(REPLICATIONS)]
    names = names_of(slow, fast)
    unknown = {name for name in names if not is_sparse(name)} - fast[0].keys()
    assert not unknown, f"naive counts what the engine does not: {sorted(unknown)[:5]}"
    return names, table(slow, names), table(fast, names)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_engine_agrees_with_naive(name: str) -> None:
    names, slow, fast = samples(NETWORKS[name], seed=1 + list(NETWORKS).index(name))
    told = disagreements(names, slow, fast, FAMILY / len(NETWORKS))
    assert not told, f"naive and compiled differ in {name}:\n" + "\n".join(told)
