"""The compiled engine against `naive`: two programs that share nothing but the rules must agree in distribution.

Every outcome by name (numbers, waits and times per station and class; periods; snapshots) is compared over independent
replications by the two tests of `naive_agreement`. `FAMILY` is the chance of a false alarm anywhere in this file
(Bonferroni over networks and comparisons); seeds are fixed.
"""

from __future__ import annotations

from typing import Any

import naive
import numpy as np
import pytest
from naive_agreement import disagreements, named, table
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
    network = Network.from_dict(document)
    fast = [named(network, compiled.simulate_once(network, seed, i)[0]) for i in range(REPLICATIONS)]
    slow = [naive.simulate(document, seed * 100_000 + i) for i in range(REPLICATIONS)]
    names = sorted(fast[0])
    unknown = {name for one in slow for name in one} - set(names)
    assert not unknown, f"naive counts what the engine does not: {sorted(unknown)[:5]}"
    return names, table(slow, names), table(fast, names)


@pytest.mark.parametrize("name", list(NETWORKS))
def test_engine_agrees_with_naive(name: str) -> None:
    names, slow, fast = samples(NETWORKS[name], seed=1 + list(NETWORKS).index(name))
    told = disagreements(names, slow, fast, FAMILY / len(NETWORKS))
    assert not told, f"naive and compiled differ in {name}:\n" + "\n".join(told)
