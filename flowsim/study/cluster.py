"""Blocks of an experiment on a Dask cluster: a scheduler's workers, or processes of this machine.

A block goes out with all that it needs and comes back as arrays; this process writes it, so no file system is shared.
A worker that dies loses nothing but time: its blocks run again, and give the same bytes. Every block is refused by a
worker whose flowsim differs from the one that asks, so that versions cannot mix, also when workers come later.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import queue
import signal
import sys
import time
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from flowsim.errors import InputError, extra
from flowsim.study.design import Point
from flowsim.study.execute import Block, Blocks, Columns, Runner
from flowsim.study.experiment import Experiment
from flowsim.study.store import provenance, sources_hash

CONNECT: Final = 5.0
"""Seconds in which a scheduler must answer."""
START: Final = 60.0
"""Seconds in which the processes of a local cluster must be there."""
PATIENCE: Final = 600.0
"""Seconds to wait for a first worker, or for another one when all of them are gone."""
POLL: Final = 2.0
AHEAD: Final = 2
"""Blocks in hand per thread of the cluster: enough to keep each busy, and a bound on the memory of scheduler and
client."""
ATTEMPTS: Final = 3
"""Times that a block is sent out again after Dask gave it up: it lets a task end four workers before it does."""
PACKAGES: Final = ("numpy", "numba", "llvmlite", "scipy")

Versions = dict[str, str | None]


def versions() -> Versions:
    """What must be equal on a worker for equal bytes."""
    packages = provenance()["packages"]
    python = ".".join(map(str, sys.version_info[:2]))
    return {"flowsim": sources_hash(), "python": python, **{name: packages.get(name) for name in PACKAGES}}


# ---------------------------------------------------------------- on a worker


def dask_setup(_: Any) -> None:
    """Called in each process of a local cluster: Ctrl-C is the client's business, which then ends its workers."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


@lru_cache(maxsize=1)
def _here() -> Versions:
    return versions()


@lru_cache(maxsize=1)
def _runner(experiment: bytes) -> Runner:
    return Runner(pickle.loads(zlib.decompress(experiment)))


def run_block(
    experiment: bytes, block: Block, points: Mapping[int, Point], expected: Versions
) -> Columns | InputError | Versions:
    """A block's columns; or what is refused about it; or this worker's versions, when they are not those expected."""
    if _here() != expected:
        return _here()
    try:
        return _runner(experiment).run(block, points, threads=1)
    except InputError as error:
        return error


# ---------------------------------------------------------------- on the client


def on_cluster(
    experiment: Experiment, blocks: Iterator[Block], workers: int | None, scheduler: str | None
) -> Generator[tuple[Block, Columns], None, None]:
    """The blocks as they come back, in any order; a bounded number of them is out at a time.

    Raises
    ------
    InputError : Dask is not installed; the scheduler cannot be reached, goes away, or has no workers; a worker's
        flowsim differs; a block that keeps ending its workers.
    """
    with _connected(workers, scheduler) as client:
        _wait_for_workers(client)
        _check_workers(client)
        yield from _Dispatch(client, experiment).run(blocks)


def threads_of(scheduler: str) -> int:
    """Threads of a scheduler's workers at this moment, at least one.

    Raises
    ------
    InputError : it cannot be reached.
    """
    with _connected(None, scheduler) as client:
        return max(1, _threads(client))


@contextlib.contextmanager
def _connected(workers: int | None, scheduler: str | None) -> Iterator[Any]:
    try:
        import distributed
    except ImportError:
        raise InputError("workers, scheduler", "no Dask on this machine", extra("cluster")) from None
    quiet = logging.getLogger("distributed")
    level = quiet.level
    quiet.setLevel(logging.CRITICAL)  # a worker that dies is our business, not a page of log lines
    with contextlib.ExitStack() as stack:
        stack.callback(quiet.setLevel, level)
        address: Any = scheduler
        if scheduler is None:
            address = stack.enter_context(_local_cluster(distributed, workers or 1))
        try:
            connect: Any = distributed.Client
            client = connect(address, timeout=CONNECT, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            raise InputError(f"scheduler {scheduler}", _reason(error), "a Dask scheduler that answers") from None
        stack.callback(_close, client)
        yield client


def _local_cluster(distributed: Any, workers: int, threads: int = 1) -> Any:
    """Processes of this machine with a thread each, reachable from this machine only."""
    from flowsim.study.replicate import warm_up

    warm_up()  # compile once, here, and not in every process
    try:
        return distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=threads,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # Dask starts its pages whatever it is told: then on any free port
            memory_limit=0,
            preload=[__name__],
            silence_logs=logging.CRITICAL,
        )
    except RuntimeError as error:
        expected = 'room for them; in a script, `if __name__ == "__main__":` before the sweep'
        raise InputError("workers", f"processes that do not start ({_reason(error)})", expected) from None


def _threads(client: Any) -> int:
    """Threads of all workers at this moment."""
    return sum(int(threads) for threads in client.nthreads().values())


def _close(client: Any) -> None:
    with contextlib.suppress(Exception):  # it may be gone already
        client.close(timeout=CONNECT)


def _reason(error: BaseException) -> str:
    return "no answer" if isinstance(error, (OSError, TimeoutError)) else " ".join(str(error).split())[:200]


def _wait_for_workers(client: Any) -> None:
    until = time.monotonic() + PATIENCE
    while not client.nthreads():
        if time.monotonic() > until:
            raise InputError("scheduler", f"no workers in {PATIENCE:.0f} seconds", "at least one worker")
        time.sleep(0.2)


def _check_workers(client: Any) -> None:
    """Refuse workers with another flowsim before anything is sent to them."""
    ours = versions()

    def theirs() -> Any:  # goes out by value: a worker may have no flowsim
        try:
            from flowsim.study.cluster import versions as of_worker
        except ImportError:
            return None
        return of_worker()

    pythons = {
        address: ".".join(str(of["host"]["python"]).split(".")[:2])
        for address, of in client.get_versions()["workers"].items()
    }
    for address, python in pythons.items():
        if python != ours["python"]:
            raise _mismatch(address, {**ours, "python": python}, ours)
    for address, found in client.run(theirs).items():
        if found != ours:
            raise _mismatch(address, found, ours)


def _mismatch(worker: str, found: Versions | None, ours: Versions) -> InputError:
    if found is None:
        return InputError(f"worker {worker}", "no flowsim that can do this", f"flowsim with sources {ours['flowsim']}")
    different = [name for name in ours if found.get(name) != ours[name]]
    return InputError(
        f"worker {worker}",
        ", ".join(f"{name} {found.get(name)}" for name in different),
        ", ".join(f"{name} {ours[name]}" for name in different) + ", as here (flowsim: hash of its sources)",
    )


class _Dispatch:
    """Sends blocks out, takes them in, and sends out again what was lost."""

    def __init__(self, client: Any, experiment: Experiment) -> None:
        self.client = client
        self.experiment = experiment
        self.blocks = Blocks(experiment)
        self.payload = zlib.compress(pickle.dumps(experiment))
        self.ours = versions()
        self.attempts: dict[int, int] = {}
        self.out: dict[Any, Block] = {}
        self.back: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.known, self.asked, self.seen = 0, 0.0, time.monotonic()

    def run(self, blocks: Iterator[Block]) -> Generator[tuple[Block, Columns], None, None]:
        try:
            self._fill(blocks)
            while self.out:
                try:
                    future = self.back.get(timeout=POLL)
                except queue.Empty:
                    self._look_around()
                    continue
                block = self.out.pop(future)
                columns = self._taken(future, block)
                self._fill(blocks)
                if columns is not None:
                    yield block, columns
        finally:
            with contextlib.suppress(Exception):
                self.client.cancel(list(self.out))

    def _fill(self, blocks: Iterator[Block]) -> None:
        room = AHEAD * max(1, self._threads())
        for _ in range(room - len(self.out)):
            block = next(blocks, None)
            if block is None:
                return
            self._send(block)

    def _threads(self) -> int:
        """Threads of the cluster; asked again now and then, since workers come and go."""
        now = time.monotonic()
        if now - self.asked > POLL:
            self.asked = now
            self.known = int(self._asked(lambda: _threads(self.client)))
            self.seen = now if self.known else self.seen
        return self.known

    def _asked(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except Exception as error:  # whatever Dask raises when its scheduler is gone
            raise self._gone() from error

    def _send(self, block: Block) -> None:
        points = {number: self.experiment.design.point(number) for number in self.blocks.points(block)}
        future = self._asked(lambda: self.client.submit(run_block, self.payload, block, points, self.ours, pure=False))
        self.out[future] = block
        future.add_done_callback(self.back.put)

    def _taken(self, future: Any, block: Block) -> Columns | None:
        """What came back; None: it was lost, and has been sent out again."""
        import distributed

        try:
            result = future.result(timeout=START)
        except distributed.KilledWorker:
            self.attempts[block.number] = self.attempts.get(block.number, 0) + 1
            if self.attempts[block.number] >= ATTEMPTS:
                found = f"block {block.number}, whose workers died each time"
                raise InputError("cluster", found, "workers with enough memory, or a smaller block") from None
            self._send(block)
            return None
        except (distributed.client.FutureCancelledError, OSError, TimeoutError):
            raise self._gone() from None
        except ImportError as error:
            raise InputError("a worker", f"no flowsim that can do this ({error})", "the same flowsim as here") from None
        if isinstance(result, InputError):
            raise result
        if "point" not in result:
            raise _mismatch("that took a block", result, self.ours)
        columns: Columns = result
        return columns

    def _look_around(self) -> None:
        if self.client.status != "running":
            raise self._gone()
        if not self._threads() and time.monotonic() - self.seen > PATIENCE:
            raise InputError("scheduler", f"no workers for {PATIENCE:.0f} seconds", "at least one worker")

    def _gone(self) -> InputError:
        kept = "a scheduler that stays; finished blocks are kept, and the same command goes on from there"
        return InputError("scheduler", "no answer any more", kept)
