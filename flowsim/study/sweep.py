"""A designed sweep: an experiment run block by block, on threads or a Dask cluster, that goes on where it was."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowsim.errors import InputError, path_of
from flowsim.study import store
from flowsim.study.execute import BATCH, Block, Blocks, Columns, Runner, on_threads
from flowsim.study.experiment import Experiment, load_experiment
from flowsim.study.replicate import check_progress, thread_count, warm_up, whole
from flowsim.study.results import POINTS, Folder

if TYPE_CHECKING:
    import pandas as pd

MOST_WORKERS: Final = 1024
MEASURED: Final = 16
"""Replications of the short measurement, at most."""
MEASURING: Final = 3.0
"""Seconds after which it stops."""

Progress = Callable[[int, int], None]
"""Called with what is done and the total: replications; or points, when futures are added until they are precise. The
first call says what was there already."""


def sweep(
    experiment: Experiment | str | Path | Mapping[str, Any],
    out: str | Path | None = None,
    threads: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """Run an experiment, or what is left of it, and return its table of points.

    Parameters
    ----------
    experiment : a file, a mapping with the content of one, or an `Experiment`.
    out : folder for the results (see `flowsim.study.results`). When it holds finished blocks of this experiment, the
        rest is run. None: nothing is kept on disk.
    threads : of this machine; None: one per core. The results do not depend on it.
    workers : run on so many processes of this machine, by Dask (the extra ``cluster``). A script that does this needs
        ``if __name__ == "__main__":`` around it.
    scheduler : address of a Dask scheduler, such as ``tcp://10.0.0.1:8786``; its workers need the same flowsim.
    progress : see `Progress`.

    Returns
    -------
    A row per point and outcome, see `flowsim.study.summary.summarised`; the replications are in ``out/runs``, for
    `pandas.read_parquet`.

    Raises
    ------
    InputError : an experiment or an argument that cannot be used; a folder with results of something else; a full
        disk; a cluster that cannot be reached or runs another flowsim. Finished blocks stay.
    KeyboardInterrupt : as it came; finished blocks stay.

    Examples
    --------
    >>> table = sweep(
    ...     {
    ...         "title": "Two levels of growth",
    ...         "design": {"kind": "grid"},
    ...         "futures": 2,
    ...         "factors": {"assumptions.demand_growth": {"values": [0.0, 0.02]}},
    ...     }
    ... )
    >>> table["point"].nunique()
    2
    """
    import pandas as pd

    if not isinstance(experiment, Experiment):
        experiment = load_experiment(experiment)
    check_arguments(threads, workers, scheduler)
    check_progress(progress)
    if out is None:
        with tempfile.TemporaryDirectory(prefix="flowsim-") as folder:
            _run(experiment, Path(folder), threads, workers, scheduler, progress)
            return pd.read_parquet(Path(folder) / f"{POINTS}.parquet")
    place = path_of("out", out, "a folder for the results")
    store.check_folder(place)
    _run(experiment, place, threads, workers, scheduler, progress)
    return pd.read_parquet(place / f"{POINTS}.parquet")


def check_arguments(threads: int | None, workers: int | None, scheduler: str | None) -> None:
    """Refuse ways to run that cannot be."""
    thread_count(threads)
    if workers is not None:
        whole("workers", workers, 1, MOST_WORKERS)
    kinds = ("tcp://", "tls://", "ucx://", "ws://", "wss://")
    if scheduler is not None and not (isinstance(scheduler, str) and scheduler.startswith(kinds)):
        raise InputError("scheduler", repr(scheduler), "an address such as tcp://10.0.0.1:8786")
    given = [name for name, value in (("threads", threads), ("workers", workers), ("scheduler", scheduler)) if value]
    if len(given) > 1:
        raise InputError(given[1], f"{given[0]} beside it", "one of the two")


def _run(
    experiment: Experiment,
    place: Path,
    threads: int | None,
    workers: int | None,
    scheduler: str | None,
    progress: Progress | None,
) -> None:
    with store.locked(place):
        began, made = time.monotonic(), 0
        folder = Folder(place, experiment)
        there = folder.begin()
        left = (block for block in folder.blocks if block.number not in there)
        count = _Count(folder.blocks, there, progress)
        try:
            with closing(_results(experiment, left, threads, workers, scheduler, count)) as results:
                for block, columns in results:
                    folder.write(block, columns)
                    made += 1
                    count.finished(block)
        except BaseException:
            if made:
                folder.session(time.monotonic() - began, made)
            raise
        folder.finish(time.monotonic() - began, made)


def _results(
    experiment: Experiment,
    left: Iterator[Block],
    threads: int | None,
    workers: int | None,
    scheduler: str | None,
    count: _Count,
) -> Generator[tuple[Block, Columns], None, None]:
    if workers is None and scheduler is None:
        yield from on_threads(experiment, left, threads, count.within)
        return
    first = next(left, None)
    if first is None:  # nothing to do is no reason to wake a cluster
        return
    from itertools import chain

    from flowsim.study.cluster import on_cluster

    yield from on_cluster(experiment, chain((first,), left), workers, scheduler)


class _Count:
    """What is done so far, for a bar: whole blocks, and replications in the one that runs."""

    def __init__(self, blocks: Blocks, there: set[int], progress: Progress | None) -> None:
        self.progress = progress
        self.total = blocks.total
        self.fine = blocks.futures is not None
        self.done = sum(blocks[number].last - blocks[number].first for number in there)
        if progress is not None:
            progress(self.done, self.total)

    def within(self, block: Block, done: int) -> None:
        if self.progress is not None and self.fine and done < block.last - block.first:
            self.progress(self.done + done, self.total)

    def finished(self, block: Block) -> None:
        self.done += block.last - block.first
        if self.progress is not None:
            self.progress(self.done, self.total)


@dataclass(frozen=True)
class Forecast:
    """What a sweep will take, from a short measurement on this machine.

    Attributes
    ----------
    points, blocks : of the design; blocks_done : there already.
    replications : still to run: exact, or at least and at most when futures are added until they are precise.
    seconds_each : seconds per replication with all threads at work.
    seconds : of the whole, at least and at most.
    megabytes : on disk, about, at most.
    lanes : threads or worker processes that the forecast counts on.
    """

    points: int
    blocks: int
    blocks_done: int
    replications: tuple[int, int]
    seconds_each: float
    seconds: tuple[float, float]
    megabytes: float
    lanes: int


def forecast(
    experiment: Experiment,
    out: Path | None,
    threads: int | None = None,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Forecast:
    """How many replications are left and how long they will take; writes nothing.

    With workers or a scheduler one thread is measured here, and the time divided by the threads of the cluster.
    """
    check_arguments(threads, workers, scheduler)
    if out is not None and out.exists() and not out.is_dir():
        raise InputError(f"output folder {out}", "a file", "a folder, or a place where there is nothing yet")
    blocks = Blocks(experiment)
    there: set[int] = set()
    if out is not None and (out / "manifest.json").exists():
        with store.locked(out):
            there = Folder(out, experiment).begin()
    todo = blocks.total - sum(blocks[number].last - blocks[number].first for number in there)
    least, most = (1, 1) if experiment.futures is not None else (experiment.least, experiment.most)
    lanes = thread_count(threads)
    if scheduler is not None:
        from flowsim.study.cluster import threads_of

        lanes = threads_of(scheduler)
    elif workers is not None:
        lanes = workers
    local = workers is None and scheduler is None
    each = seconds_each(experiment, lanes if local else 1) / (1 if local else lanes)
    row = 8.0 * len(experiment.outcomes) + 8.0
    return Forecast(
        points=len(experiment.design),
        blocks=len(blocks),
        blocks_done=len(there),
        replications=(todo * least, todo * most),
        seconds_each=each,
        seconds=(todo * least * each, todo * most * each),
        megabytes=todo * most * row / 1e6,
        lanes=lanes,
    )


def seconds_each(experiment: Experiment, threads: int) -> float:
    """Seconds per replication on so many threads, at a few points spread over the design. The making of a point's
    network is shared out over the futures that the point gets; what is read and made once in a sweep is left out."""
    warm_up()
    runner, design = Runner(experiment), experiment.design
    futures = experiment.least if experiment.futures is None else experiment.futures
    count = min(max(2, threads), BATCH)

    def batch(number: int, first: int) -> float:
        if futures > 1:
            runs = [(number, first + i) for i in range(count)]
        else:
            runs = [((number + i) % len(design), first + i) for i in range(count)]
        points = {which: design.point(which) for which, _ in runs}
        began = time.monotonic()
        runner.rows(runs, points, threads, None)
        return time.monotonic() - began

    batch(len(design) // 2, 0)
    began, done, fresh, known = time.monotonic(), 0, 0.0, 0.0
    while done < MEASURED and (not done or time.monotonic() - began < MEASURING):
        number = (done * 7919) % len(design)
        fresh += batch(number, done)
        done += count
        if futures > 1:
            known += batch(number, done)
    if futures == 1:
        return fresh / done
    return known / done + max(0.0, fresh - known) * count / (done * futures)
