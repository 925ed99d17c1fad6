"""What a Dask cluster costs: seconds per replication on threads and processes, and seconds per block besides.

Two costs of a block are measured. *Serial*: what the client and the scheduler do for each block (send, take in, write
to the disk with fsync), with blocks that simulate nothing; the whole cluster waits for it when there are too many
blocks a second. *On a worker*: what comes on top of its replications, from the same replications in small and in large
blocks. `project` turns them into the smallest block that keeps both under a share of the time.

References
----------
.. [1] G. M. Amdahl, "Validity of the single processor approach to achieving large scale computing capabilities", AFIPS
   Spring Joint Computer Conference, 1967, p. 483: what is done in series bounds what is gained.
"""

from __future__ import annotations

import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from flowsim.study import cluster
from flowsim.study.execute import Block, Blocks, Runner
from flowsim.study.experiment import Experiment, load_experiment
from flowsim.study.replicate import warm_up
from flowsim.study.results import Folder

REPLICATIONS = 64
SMALL, LARGE = 2, 32
"""Replications in a block."""
EMPTY_BLOCKS = 200
SHARE = 0.05
CORES = 1000


def experiment(block: int, futures: int = REPLICATIONS // 2) -> Experiment:
    """Two points that share a network, as in a sweep over unknowns."""
    factors = {"assumptions.demand_growth": {"values": [0.005, 0.01]}}
    return load_experiment(
        {"title": "benchmark", "futures": futures, "block": block, "design": {"kind": "grid"}, "factors": factors}
    )


def nothing(_: bytes, block: Block, points: Any, expected: Any) -> dict[str, np.ndarray]:
    """A block that takes no time."""
    rows = block.last - block.first
    columns = {name: np.zeros(rows) for name in ("cleared", "overdue_2029", "mean_wait_2029")}
    return {"point": np.zeros(rows, np.int32), "future": np.arange(rows, dtype=np.int32), **columns}


@contextmanager
def local(workers: int, threads: int) -> Iterator[Any]:
    """A cluster of processes that are awake: each has run a block."""
    import distributed

    with (
        cluster._local_cluster(distributed, workers, threads) as made,
        distributed.Client(made, set_as_default=False) as client,
    ):
        run(client, experiment(4))
        yield client


def run(client: Any, wanted: Experiment) -> float:
    """Seconds for all blocks of an experiment, their files included."""
    with tempfile.TemporaryDirectory() as place:
        folder = Folder(Path(place), wanted)
        dispatch = cluster._Dispatch(client, wanted)
        began = time.perf_counter()
        for block, columns in dispatch.run(iter(Blocks(wanted))):
            folder.write(block, columns)
        return time.perf_counter() - began


def serial(client: Any) -> float:
    """Seconds per block that simulates nothing."""
    original, cluster.run_block = cluster.run_block, nothing
    try:
        return run(client, experiment(LARGE, EMPTY_BLOCKS * LARGE // 2)) / EMPTY_BLOCKS
    finally:
        cluster.run_block = original


def on_threads(threads: int) -> float:
    """Seconds for `REPLICATIONS` on threads of this process."""
    wanted = experiment(LARGE)
    runner, points = Runner(wanted), {number: wanted.design.point(number) for number in range(2)}
    runner.rows([(0, 0)], points, 1)  # the network is there
    began = time.perf_counter()
    for block in Blocks(wanted):
        runner.run(block, points, threads)
    return time.perf_counter() - began


def project(each: float, worker: float, in_series: float, cores: int = CORES, share: float = SHARE) -> int:
    """Smallest block, in replications, that keeps a worker's own cost per block under a share of its time, and what is
    done in series under half of the time in which the cores end their blocks."""
    return max(1, math.ceil(worker / (share * each)), math.ceil(2.0 * cores * in_series / each))


def measure(rounds: int) -> list[dict[str, Any]]:
    """A row for each way to run: seconds per replication, and per block besides."""
    warm_up()
    with local(1, 1) as one, local(2, 1) as two, local(1, 2) as threaded:
        ways: dict[str, tuple[Callable[[], float], int]] = {
            "1 thread": (lambda: on_threads(1), REPLICATIONS),
            "2 threads": (lambda: on_threads(2), REPLICATIONS),
            "1 process": (lambda: run(one, experiment(LARGE)), REPLICATIONS),
            "1 process, small blocks": (lambda: run(one, experiment(SMALL)), REPLICATIONS),
            "2 processes": (lambda: run(two, experiment(LARGE // 2)), REPLICATIONS),
            "1 process of 2 threads": (lambda: run(threaded, experiment(LARGE // 2)), REPLICATIONS),
            "empty block": (lambda: serial(one), 1),
        }
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, (work, replications) in ways.items():
                seconds[name].append(work() / replications)
    found = {name: statistics.median(values) for name, values in seconds.items()}
    fewer = 1.0 / SMALL - 1.0 / LARGE  # blocks per replication
    best = {name: min(values) for name, values in seconds.items()}  # differences of medians drown in a busy machine
    worker = max(0.0, best["1 process, small blocks"] - best["1 process"]) / fewer
    in_series = found.pop("empty block")
    rows: list[dict[str, Any]] = [
        {"what": name, "seconds": each, "per": "replication", "best": best[name]} for name, each in found.items()
    ]
    rows += [
        {"what": "on a worker, besides its replications", "seconds": worker, "per": "block", "best": worker},
        {"what": "in series", "seconds": in_series, "per": "block", "best": best["empty block"]},
    ]
    block = project(best["1 process"], worker, best["empty block"])
    named = f"smallest block for {CORES} cores ({SHARE:.0%} overhead), replications"
    return [*rows, {"what": named, "seconds": block * best["1 process"], "per": str(block), "best": float(block)}]
