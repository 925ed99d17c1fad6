"""Replications of a network on threads: the same results, in the same order, on any number of threads.

A draw has an address and no order (`flowsim.model.draws`), so replications need nothing from each other. The compiled
engine runs without the GIL and gains from threads; the reference engine is Python and runs in the calling thread.
"""

from __future__ import annotations

import operator
import os
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from itertools import islice
from typing import Any, Final, Protocol, TypeVar

import numpy as np

from flowsim.analysis.outcomes import Output
from flowsim.errors import InputError
from flowsim.model.network import Network

T = TypeVar("T")
Outcome = dict[str, np.ndarray]
"""Outcome arrays of one replication, by name (`flowsim.model.tally.outcome`)."""
Engine = Callable[[Network, int, int, bool], tuple[Outcome, np.ndarray | None, int]]
Job = Callable[[], tuple[Network, int, int]]
"""Makes (network, seed, replication). Called on a thread of the pool, so that building networks is shared out too."""

Kept = TypeVar("Kept", covariant=True)


class Reducing(Protocol[Kept]):
    """What `run_in_two` keeps of a job, and how far the job has to run. Called on the thread that runs the job."""

    @property
    def look(self) -> int:
        """Number of the snapshot at which it looks."""

    def settled(self, overdue: np.ndarray) -> bool | None:
        """Whether something holds, given the people overdue by snapshot so far, (J,); None: it may still go either
        way, and the job runs to its horizon."""

    def __call__(self, first: Outcome, network: Network, whole: Outcome | None, /) -> Kept:
        """What is kept: ``first`` as if the horizon came just after that snapshot; ``whole``: None where it ended."""


ENGINES: Final = ("compiled", "reference")
MOST_REPLICATIONS: Final = 10_000_000
PARTS: Final = ("compile_loop", "compile_doors")
"""Halves of the engine that are compiled side by side (`flowsim.engines.warming`)."""
AHEAD: Final = 4
"""Jobs in hand per thread: enough to keep every thread busy when one job takes long, and a bound on the memory."""


@dataclass(frozen=True, eq=False)
class Replication:
    """What one replication gave: outcome arrays, the log (None unless asked for), number of appointments."""

    number: int
    outcome: Outcome
    log: np.ndarray | None
    appointments: int


def simulate(
    network: Network,
    replications: int = 1,
    seed: int = 0,
    engine: str = "compiled",
    log: bool = False,
    threads: int | None = None,
) -> Output:
    """Simulate a network.

    Parameters
    ----------
    network : see `Network.from_dict` and `Network.from_toml`.
    replications : how many times, numbered from 0, each with luck of its own.
    seed : whole number from 0 to 2**63 - 1. One seed gives the same residents the same luck in every network.
    engine : ``compiled`` (fast) or ``reference`` (SimPy, to be read); both give the same results to the last bit.
    log : keep every event, for `Output.events`.
    threads : threads for the compiled engine; None: one per core. The results do not depend on it.

    Returns
    -------
    Output with the tables ``stations``, ``waiting``, ``periods`` and, with a log, ``events``.

    Raises
    ------
    InputError : an argument that cannot be used.

    Examples
    --------
    >>> desk = {"name": "desk", "servers": 1, "service": {"distribution": "exponential", "mean": 1.0}}
    >>> arrivals = {"class": "adult", "station": "desk", "rate": 0.5}
    >>> document = {"horizon": 500.0, "classes": ["adult"], "stations": [desk], "arrivals": [arrivals]}
    >>> network = Network.from_dict(document)
    >>> out = simulate(network, replications=4, seed=1)
    >>> out.replications
    4
    >>> bool((out.stations["completions"] <= out.stations["arrivals"]).all())
    True
    >>> simulate(network, 1, seed=1, engine="reference").stations.equals(simulate(network, 1, seed=1).stations)
    True
    """
    with closing(replicate(network, replications, seed, engine, log, threads)) as done:
        return collect(network, seed, engine, done)


def replicate(
    network: Network,
    replications: int = 1,
    seed: int = 0,
    engine: str = "compiled",
    log: bool = False,
    threads: int | None = None,
) -> Generator[Replication, None, None]:
    """The replications of `simulate` one by one, in order, as they are done; arguments are checked at once.

    Close the iterator (`contextlib.closing`) to stop early: what is running ends by itself, the rest is dropped.
    """
    check_network(network)
    count = whole("replications", replications, 1, MOST_REPLICATIONS)
    seed = whole("seed", seed, 0, 2**63 - 1)
    engine, log = one_of("engine", engine, ENGINES), truth("log", log)
    workers = min(thread_count(threads), count)
    tasks = (partial(_replication, engine, network, seed, number, log) for number in range(count))
    if engine == "reference":
        return _one_by_one(tasks)
    from flowsim.engines.world import features_of

    return _in_order(tasks, workers, features_of(network), log)


def collect(network: Network, seed: int, engine: str, replications: Iterable[Replication]) -> Output:
    """Replications as one `Output`; at least one of them."""
    done = list(replications)
    stacked = {name: np.stack([one.outcome[name] for one in done]) for name in done[0].outcome}
    logs = [one.log for one in done if one.log is not None]
    return Output(
        network=network,
        seed=operator.index(seed),
        engine=engine,
        cells=stacked["cells"],
        snapshots=stacked["snapshots"],
        period_tally=stacked["periods"],
        waits=stacked["waits"],
        held=stacked["held"],
        appointments=np.array([one.appointments for one in done]),
        logs=tuple(logs) if logs else None,
    )


def run_many(
    jobs: Iterable[Job],
    reduce: Callable[[Outcome, Network], T],
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Generator[T, None, None]:
    """Run many jobs on the compiled engine, each with a network of its own, and yield what ``reduce`` keeps of each.

    Parameters
    ----------
    jobs : callables that make (network, seed, replication); drawn from the iterable only as threads come free, so
        neither the jobs nor their networks or outcomes are all in memory at once.
    reduce : given the outcome arrays and the network, on the thread that made them; keep little.
    threads : None: one per core. Results come in the order of the jobs whatever the number.
    progress : called in the calling thread with the number of jobs done.

    Raises
    ------
    InputError : threads. What a job or ``reduce`` raises comes out at that job's turn, and ends the run.
    """
    return _results((partial(_job, job, reduce) for job in jobs), threads, progress)


def run_until_settled(
    jobs: Iterable[Job],
    looks: Sequence[int],
    settled: Callable[[np.ndarray], bool | None],
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Generator[bool, None, None]:
    """As `run_many`, but of each job only whether something holds that is read off the people overdue, simulated for as
    long as that takes: see `flowsim.engines.settled.simulate_until_settled` for ``looks`` and ``settled``."""
    from flowsim.engines.settled import simulate_until_settled

    def run(job: Job) -> bool:
        network, seed, replication = job()
        return simulate_until_settled(network, seed, replication, looks, settled)

    return _results((partial(run, job) for job in jobs), threads, progress)


def run_in_two(
    jobs: Iterable[Job],
    reduce: Reducing[T],
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Generator[T, None, None]:
    """As `run_many`, but ``reduce`` is given the outcome up to a snapshot, and the whole one only where something is
    not settled by then; other jobs end there: see `Reducing` and `flowsim.engines.settled.simulate_in_two`."""
    from flowsim.engines.settled import simulate_in_two

    def run(job: Job) -> T:
        network, seed, replication = job()
        first, whole = simulate_in_two(network, seed, replication, reduce.look, reduce.settled)
        return reduce(first, network, whole)

    return _results((partial(run, job) for job in jobs), threads, progress)


def run_logged(
    jobs: Iterable[Job],
    reduce: Callable[[np.ndarray, Network], T],
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Generator[T, None, None]:
    """As `run_many`, but ``reduce`` is given the event log (`flowsim.model.events.EVENT`) and the network."""
    return _results((partial(_logged, job, reduce) for job in jobs), threads, progress, log=True)


def run_followed(
    jobs: Iterable[Job], reduce: Callable[[Outcome, np.ndarray, Network], T], threads: int | None = None
) -> Generator[T, None, None]:
    """As `run_many`, but ``reduce`` is given the outcome arrays, the event log and the network."""
    return _results((partial(_followed, job, reduce) for job in jobs), threads, None, log=True)


# ---------------------------------------------------------------- arguments


def check_network(network: object) -> None:
    """Refuse what is not a network."""
    if not isinstance(network, Network):
        raise InputError("network", f"a {type(network).__name__}", "a flowsim.Network (Network.from_dict, from_toml)")


def whole(name: str, value: Any, least: int, most: int) -> int:
    """A whole number (also NumPy's) in a range, as int.

    Raises
    ------
    InputError : text, fractions, booleans, numbers outside the range.
    """
    expected = f"a whole number from {least} to {most}"
    if isinstance(value, (bool, np.bool_)):
        raise InputError(name, repr(value), expected)
    try:
        number = operator.index(value)
    except TypeError:
        raise InputError(name, repr(value), expected) from None
    if not least <= number <= most:
        raise InputError(name, repr(value), expected)
    return number


def real(name: str, value: Any, least: float, most: float, expected: str) -> float:
    """A number (also NumPy's) in a range, as float; ``expected`` says which it may be.

    Raises
    ------
    InputError : text, booleans, what is no number, numbers outside the range.
    """
    numbers = (int, float, np.integer, np.floating)
    if isinstance(value, bool) or not isinstance(value, numbers) or not least <= value <= most:
        raise InputError(name, repr(value), expected)
    return float(value)


def truth(name: str, value: Any) -> bool:
    """True or False (also NumPy's), as bool; InputError for all else, which would pass for one of the two."""
    if not isinstance(value, (bool, np.bool_)):
        raise InputError(name, repr(value), "True or False")
    return bool(value)


def one_of(name: str, value: Any, known: Iterable[str]) -> str:
    """A text that is one of those known; InputError for all else."""
    names = list(known)
    if not isinstance(value, str) or value not in names:
        raise InputError(name, repr(value), "one of " + ", ".join(names))
    return value


def check_progress(progress: object) -> None:
    """Refuse a ``progress`` that cannot be called, before anything is simulated."""
    if progress is not None and not callable(progress):
        raise InputError("progress", repr(progress)[:60], "a function that is told what is done, or None")


def thread_count(threads: int | None) -> int:
    """Threads to use: those asked for, or one for each core that this process may use."""
    if threads is not None:
        return whole("threads", threads, 1, 1024)
    if hasattr(os, "sched_getaffinity"):
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


# ---------------------------------------------------------------- running


def simulate_once(engine: str) -> Engine:
    """The function of an engine that runs one replication."""
    if engine == "reference":
        from flowsim.engines import reference

        return reference.simulate_once
    from flowsim.engines import compiled

    return compiled.simulate_once


@cache
def warm_up(features: tuple[int, ...] | None = None, log: bool = False) -> None:
    """Compile, or load compiled code, before threads start: they would all wait for the first one. ``features``: of the
    networks to come (`flowsim.engines.world.Features`); None: all, as regions have."""
    from flowsim.engines import warming, world
    from flowsim.model.compiling import before_compiling

    wanted = world.EVERYTHING if features is None else world.Features(*features)
    before_compiling(world.build(wanted, log))
    for part in PARTS:
        getattr(warming, part)(_tiny_network(), wanted, log)


def _tiny_network() -> Network:
    station = {"name": "desk", "servers": 1, "service": {"distribution": "deterministic", "mean": 1.0}}
    arrivals = {"class": "a", "station": "desk", "rate": 1.0}
    return Network.from_dict({"horizon": 2.0, "classes": ["a"], "stations": [station], "arrivals": [arrivals]})


def compile_part(part: str) -> None:
    """Compile a part of the engine (`PARTS`) into the cache, in a process that does nothing else."""
    import gc

    from flowsim.engines import warming, world

    gc.disable()  # a compiler makes much and drops little
    getattr(warming, part)(_tiny_network(), world.EVERYTHING)


@contextmanager
def compiling_aside() -> Generator[Callable[[], bool], None, None]:
    """Let other processes fill the cache of compiled code, if it is empty, while this one prepares what it will run.

    Gives a function that tells whether they are still at it. At the end of the block they are done, or, when the block
    was left by an exception, ended. Should one fail, `warm_up` compiles here.
    """
    from flowsim.engines.world import EVERYTHING, build
    from flowsim.model.compiling import CACHE_DIRECTORY, before_compiling, is_compiled

    everything = build(EVERYTHING, False)
    others: list[subprocess.Popen[bytes]] = []
    with suppress(OSError):
        if not is_compiled(everything) and CACHE_DIRECTORY is not None and sys.executable and thread_count(None) > 1:
            before_compiling(everything)
            here = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
            nowhere = subprocess.DEVNULL
            for part in PARTS:
                order = f"from flowsim.study.replicate import compile_part; compile_part({part!r})"
                command = [sys.executable, "-c", order]
                others.append(subprocess.Popen(command, env=here, stdin=nowhere, stdout=nowhere, stderr=nowhere))
    try:
        yield lambda: any(other.poll() is None for other in others)
        for other in others:
            other.wait()
    finally:
        for other in others:
            other.kill()
            other.wait()


def _replication(engine: str, network: Network, seed: int, number: int, log: bool) -> Replication:
    return Replication(number, *simulate_once(engine)(network, seed, number, log))


def _job(job: Job, reduce: Callable[[Outcome, Network], T]) -> T:
    network, seed, replication = job()
    outcome, _, _ = simulate_once("compiled")(network, seed, replication, False)
    return reduce(outcome, network)


def _followed(job: Job, reduce: Callable[[Outcome, np.ndarray, Network], T]) -> T:
    network, seed, replication = job()
    outcome, log, _ = simulate_once("compiled")(network, seed, replication, True)
    assert log is not None
    return reduce(outcome, log, network)


def _logged(job: Job, reduce: Callable[[np.ndarray, Network], T]) -> T:
    network, seed, replication = job()
    _, log, _ = simulate_once("compiled")(network, seed, replication, True)
    assert log is not None
    return reduce(log, network)


def _one_by_one(tasks: Iterable[Callable[[], T]]) -> Generator[T, None, None]:
    from flowsim.model.compiling import before_compiling, was_compiled

    before_compiling("reference")  # its draws and its tally are compiled too
    for task in tasks:
        yield task()
        was_compiled("reference")


def _results(
    tasks: Iterable[Callable[[], T]],
    threads: int | None,
    progress: Callable[[int], None] | None,
    log: bool = False,
) -> Generator[T, None, None]:
    """`_in_order`, counted for ``progress``; the number of threads is checked at once."""
    workers = thread_count(threads)
    check_progress(progress)

    def counted() -> Generator[T, None, None]:
        with closing(_in_order(tasks, workers, log=log)) as done:
            for number, result in enumerate(done, 1):
                if progress is not None:
                    progress(number)
                yield result

    return counted()


def _in_order(
    tasks: Iterable[Callable[[], T]], threads: int, features: tuple[int, ...] | None = None, log: bool = False
) -> Generator[T, None, None]:
    """Results of tasks in their order, from a pool. The calling thread only waits, so Ctrl-C reaches it at once."""
    warm_up(features, log)
    source = iter(tasks)
    pool = ThreadPoolExecutor(threads, thread_name_prefix="flowsim")
    try:
        ahead: deque[Future[T]] = deque(pool.submit(task) for task in islice(source, AHEAD * threads))
        while ahead:
            result = ahead.popleft().result()
            ahead.extend(pool.submit(task) for task in islice(source, 1))
            yield result
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
