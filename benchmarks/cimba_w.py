"""Peer for W: cimba-py (``pip install cimba``), models in Python that Numba compiles, on the Cimba engine in C.

Three styles. In ``residents``, as one would write it for SimPy, each resident is a process and each station a
``Resource``. In ``servers``, as in Cimba's own first example, each server is a process that takes from a store of
arrival times; starting and stopping the 4,930 processes of W is a fixed cost of each run. In ``events``, the fastest,
there are no processes: a station is a counter of free servers and each completed service is a scheduled event.

All count arrivals and completions inside the model and add up the waits (days). The measurement window never opens:
no statistic of Cimba's own is recorded meanwhile. A run is one trial on one worker thread, made for it.

Cimba has to be imported before Numba compiles anything in a process, else its models do not compile, so it has a
process of its own (``OfItsOwn``).
"""

# mypy: disallow-untyped-decorators=false, disallow-subclassing-any=false
# The annotations of a model are read when its class is made, here inside functions: none of them may be a string.

import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from typing import Any

Law = tuple[str, float, float]
StationOfW = tuple[int, Law, list[tuple[float, int]]]
Outcome = tuple[int, list[int], list[float]]

STYLES = ("residents", "servers", "events")


def available() -> bool:
    """Whether Cimba is installed."""
    return find_spec("cimba") is not None


def source(law: Law) -> Any:
    """Cimba's source of service times (days) for a law, its mean and its cv."""
    from cimba import inputs  # type: ignore[import-not-found]

    kind, mean, cv = law
    if kind == "exponential":
        return inputs.dist.exponential(mean=mean)
    spread = math.sqrt(math.log1p(cv * cv))
    return inputs.dist.lognormal(mean=math.log(mean) - 0.5 * spread * spread, sigma=spread)


def onward(ways: Sequence[tuple[float, int]]) -> tuple[list[float], list[int]]:
    """Cumulated chances of the ways to another station, and those stations; what is left over leaves."""
    total, before, chances, stations = 0.0, 0.0, [], []
    for below, to in ways:
        if to >= 0:
            total += below - before
            chances.append(total)
            stations.append(to)
        before = below
    return chances, stations


def with_events(stations: Sequence[StationOfW], rate: float, days: float) -> Any:
    """W as events on stations: an arrival and a completed service are the only things that happen."""
    import cimba as cb
    from cimba import inputs

    class Place(cb.Model):
        @cb.function
        def receive(self) -> None:
            pass

    class Station(Place):
        free: int
        waiting: int = 0
        length: cb.Input[float]
        chances: cb.Array[float]
        ways: list[cb.Ref[Place]]
        done: cb.Output[int] = 0
        waited: cb.Output[float] = 0.0

        def __init__(self, servers: int, law: Law, chances: list[float]) -> None:
            self.free = servers
            self.length = source(law)
            self.chances = cb.Array(chances)

        @cb.function
        def receive(self) -> None:
            if self.free > 0:
                self.free -= 1
                cb.schedule(self.complete, self.length.next())
            else:
                self.waiting += 1
                self.waited -= cb.now()

        @cb.event
        def complete(self) -> None:
            self.done += 1
            if self.waiting > 0:
                self.waiting -= 1
                self.waited += cb.now()
                cb.schedule(self.complete, self.length.next())
            else:
                self.free += 1
            luck = cb.random.uniform()
            for k in range(len(self.chances)):
                if luck < self.chances[k]:
                    self.ways[k].receive()
                    break

        @cb.on_end
        def still_waiting(self) -> None:
            self.waited += self.waiting * cb.now()

    class Region(cb.Model):
        days: cb.Param[float]
        gap: cb.Input[float]
        stations: list[Station]
        arrived: cb.Output[int] = 0

        def __init__(self) -> None:
            self.days = days
            self.gap = inputs.dist.exponential(mean=1.0 / rate)
            chosen = [onward(ways) for _, _, ways in stations]
            self.stations = [
                Station(servers, law, chances) for (servers, law, _), (chances, _) in zip(stations, chosen, strict=True)
            ]
            for station, (_, to) in zip(self.stations, chosen, strict=True):
                station.ways = [self.stations[k] for k in to]

        @cb.on_start
        def open(self) -> None:
            cb.schedule(self.arrive, self.gap.next())
            cb.schedule(self.close, self.days)

        @cb.event
        def arrive(self) -> None:
            self.arrived += 1
            cb.schedule(self.arrive, self.gap.next())
            self.stations[0].receive()

        @cb.event
        def close(self) -> None:
            cb.end_trial()

    return Region()


def with_servers(stations: Sequence[StationOfW], rate: float, days: float) -> Any:
    """W as processes: one per server, and one for the arrivals. Waits of those still in a queue are left out."""
    import cimba as cb
    from cimba import inputs

    class Station(cb.Model):
        queue: cb.Store[float]
        length: cb.Input[float]
        chances: cb.Array[float]
        ways: list[cb.Ref[cb.Store[float]]]
        done: cb.Output[int] = 0
        waited: cb.Output[float] = 0.0

        def __init__(self, law: Law, chances: list[float]) -> None:
            self.queue = cb.Store()
            self.length = source(law)
            self.chances = cb.Array(chances)

    def station_of(servers: int) -> Any:
        class Staffed(Station):
            @cb.process(copies=servers)
            def server(self) -> None:
                while True:
                    self.waited -= self.queue.get() - cb.now()
                    cb.hold(self.length.next())
                    self.done += 1
                    luck = cb.random.uniform()
                    for k in range(len(self.chances)):
                        if luck < self.chances[k]:
                            self.ways[k].put(cb.now())
                            break

        return Staffed

    class Region(cb.Model):
        days: cb.Param[float]
        gap: cb.Input[float]
        stations: list[Station]
        arrived: cb.Output[int] = 0

        def __init__(self) -> None:
            self.days = days
            self.gap = inputs.dist.exponential(mean=1.0 / rate)
            chosen = [onward(ways) for _, _, ways in stations]
            self.stations = [
                station_of(servers)(law, chances)
                for (servers, law, _), (chances, _) in zip(stations, chosen, strict=True)
            ]
            for station, (_, to) in zip(self.stations, chosen, strict=True):
                station.ways = [self.stations[k].queue for k in to]

        @cb.process
        def door(self) -> None:
            while True:
                cb.hold(self.gap.next())
                self.arrived += 1
                self.stations[0].queue.put(cb.now())

        @cb.on_start
        def open(self) -> None:
            cb.schedule(self.close, self.days)

        @cb.event
        def close(self) -> None:
            cb.end_trial()

    return Region()


def with_residents(stations: Sequence[StationOfW], rate: float, days: float) -> Any:
    """W as processes: one per resident, and one for the arrivals. Waits of those still in a queue are left out."""
    import cimba as cb
    from cimba import inputs

    class Station(cb.Model):
        servers: cb.Resource
        length: cb.Input[float]
        chances: cb.Array[float]
        ways: cb.Array[int]
        done: cb.Output[int] = 0
        waited: cb.Output[float] = 0.0

        def __init__(self, servers: int, law: Law, chances: list[float], ways: list[int]) -> None:
            self.servers = cb.Resource(capacity=servers)
            self.length = source(law)
            self.chances = cb.Array(chances)
            self.ways = cb.Array(ways)

        @cb.function
        def onward(self) -> int:
            luck = cb.random.uniform()
            for k in range(len(self.chances)):
                if luck < self.chances[k]:
                    return self.ways[k]
            return -1

    class Network(cb.Model):
        stations: list[Station]

        def __init__(self) -> None:
            self.stations = [Station(servers, law, *onward(ways)) for servers, law, ways in stations]

    class Resident(cb.Model):
        network: cb.Ref[Network]

        @cb.process
        def visit(self) -> None:
            k = 0
            while k >= 0:
                station = self.network.stations[k]
                came = cb.now()
                station.servers.acquire()
                station.waited += cb.now() - came
                cb.hold(station.length.next())
                station.servers.release()
                station.done += 1
                k = station.onward()
            cb.release(self)

    class Region(cb.Model):
        network: Network
        days: cb.Param[float]
        gap: cb.Input[float]
        arrived: cb.Output[int] = 0

        def __init__(self) -> None:
            self.days = days
            self.gap = inputs.dist.exponential(mean=1.0 / rate)
            self.network = Network()

        @property
        def stations(self) -> Any:
            return self.network.stations

        @cb.process
        def door(self) -> None:
            while True:
                cb.hold(self.gap.next())
                self.arrived += 1
                cb.spawn(Resident, network=self.network)

        @cb.on_start
        def open(self) -> None:
            cb.schedule(self.close, self.days)

        @cb.event
        def close(self) -> None:
            cb.end_trial()

    return Region()


def outcomes(
    stations: Sequence[StationOfW], rate: float, days: float, style: str = "events"
) -> Callable[[int], Outcome]:
    """A function of a seed that runs W once: arrivals, completions and waits (days, summed) per station.

    Its first call compiles, about a second; the calls after it only run.
    """
    import cimba as cb

    made_by = {"residents": with_residents, "servers": with_servers, "events": with_events}
    region = made_by[style](stations, rate, days)
    # The window lies beyond the end of the trial: nothing is recorded. Replication number i has its own seed.
    window = cb.Window(warmup=2.0 * days, duration=days)
    experiment = cb.Experiment(region, replications=2**31, window=window)

    def run(seed: int) -> Outcome:
        results = experiment.only(trials=[seed], workers=1, on_failure="raise")
        made = [results[station] for station in region.stations]
        done = [int(one.done.values[0, 0]) for one in made]
        return int(results[region].arrived.values[0, 0]), done, [float(one.waited.values[0, 0]) for one in made]

    return run


def prepare(stations: Sequence[StationOfW], rate: float, days: float, style: str = "events") -> Callable[[int], int]:
    """A compiled function of a seed (0 to 2**31 - 1) that runs W once: number of appointments done."""
    run = outcomes(stations, rate, days, style)
    run(0)

    def appointments(seed: int) -> int:
        arrived, done, _ = run(seed)
        return int(arrived + sum(done))

    return appointments


class OfItsOwn:
    """A process of its own for Cimba, as it changes how Numba compiles: runs of W in each style, timed there."""

    def __init__(self, stations: Sequence[StationOfW], rate: float, days: float) -> None:
        self.given = stations, rate, days
        self.process = ProcessPoolExecutor(1, get_context("spawn"))

    def __enter__(self) -> "OfItsOwn":
        return self

    def __exit__(self, *_: object) -> None:
        self.process.shutdown()

    def timed(self, style: str, seed: int) -> tuple[float, int]:
        """Seconds of one run, compiled before, and the number of appointments done."""
        seconds, done = self.process.submit(_timed, *self.given, style, seed).result()
        return seconds, done


_prepared: dict[str, Callable[[int], int]] = {}


def _timed(stations: Sequence[StationOfW], rate: float, days: float, style: str, seed: int) -> tuple[float, int]:
    if style not in _prepared:
        _prepared[style] = prepare(stations, rate, days, style)
    start = time.perf_counter()
    done = _prepared[style](seed)
    return time.perf_counter() - start, done
