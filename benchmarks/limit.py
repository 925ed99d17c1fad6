"""How near the limit: the compiled engine on W, single thread, beside the best C for W and beside the peers.

``limit.c`` is W alone, in C, on flowsim's own draws: before anything is timed its completions per station and its
snapshots must be those of the compiled engine. The peers are W in plain Python with a heap, written for this benchmark,
the SimPy reference engine (general; it keeps a log), SimPy as one would write it for W, cimba-py in three styles
(``cimba_w.py``) and Ciw, the last two where they are installed. Everybody runs the whole five years: in the first days,
from empty, an appointment does not take the same time as later. Peers draw their own luck, and are compared by time an
appointment. Rounds are interleaved; a row holds the median round.
"""

from __future__ import annotations

import ctypes
import heapq
import importlib.util
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from flowsim.engines import compiled, reference
from flowsim.model import draws
from flowsim.model.network import Network

HERE = Path(__file__).resolve().parent
MOST = 8
BOUNDS = 4
DAYS = 1826
RATE = 55.0


def engines() -> Any:
    """The module beside this one that says what W is."""
    spec = importlib.util.spec_from_file_location("engines", HERE / "engines.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ---------------------------------------------------------------- the limit


def build_limit(folder: Path, processor: str = "native") -> ctypes.CDLL | None:
    """``limit.c`` as a shared library for a processor that gcc knows; None without a C compiler."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        return None
    library = folder / "limit.so"
    flags = ["-O3", f"-march={processor}", "-std=c11", "-ffp-contract=off", "-shared", "-fPIC"]
    subprocess.run([compiler, *flags, str(HERE / "limit.c"), "-o", str(library), "-lm"], check=True)
    found = ctypes.CDLL(str(library))
    found.simulate.restype = ctypes.c_int64
    found.prepare()
    return found


def limit_of(library: ctypes.CDLL, network: Network) -> Callable[[int, int], dict[str, np.ndarray]]:
    """A function (seed, replication) that runs W in C."""
    count, snapshots = len(network.stations), 60
    cells, rows, ways = network.cells[:, 0], network.rows, network.ways
    law = network.distributions[cells["service"]]
    below, way = np.zeros((count, MOST), np.uint64), np.zeros((count, MOST), np.int64)
    numbers = np.zeros(count, np.int64)
    for k in range(count):
        row = rows[network.route_rows[0, k, 0]]
        mine = ways[row["first"] : row["first"] + row["count"]]
        assert len(mine) <= BOUNDS + 1, "limit.c looks at four bounds"
        numbers[k] = len(mine)
        below[k, : len(mine)], way[k, : len(mine)] = mine["below"], mine["station"]
    servers = network.stations["servers"].astype(np.int64)
    given = [servers, law["family"].astype(np.int64), law["a"].copy(), law["b"].copy(), numbers, below, way]

    def run(seed: int, replication: int) -> dict[str, np.ndarray]:
        out = {
            "completions": np.zeros(count, np.int64),
            "wait": np.zeros(count),
            "queue_time": np.zeros(count),
            "snapshots": np.zeros((snapshots + 1, count, 2), np.int64),
        }
        key = ctypes.c_uint64(int(draws.replication_key(seed, replication)))
        places = [ctypes.c_void_p(array.ctypes.data) for array in given]
        results = [
            ctypes.c_void_p(out[name].ctypes.data) for name in ("completions", "wait", "queue_time", "snapshots")
        ]
        sizes = [ctypes.c_int64(x) for x in (DAYS, 2**16, count)]
        done = library.simulate(key, ctypes.c_double(RATE), *sizes, *places, ctypes.c_int64(snapshots), *results)
        if done < 0:
            raise MemoryError("limit.c: not enough room")
        return out | {"appointments": np.array(done)}

    return run


def same_work(run: Callable[[int, int], dict[str, np.ndarray]], network: Network, seed: int, replication: int) -> None:
    """Whether C and the compiled engine did the same; an AssertionError says what differs."""
    mine, (theirs, _, appointments) = run(seed, replication), compiled.simulate_once(network, seed, replication)
    assert mine["completions"].tolist() == theirs["cells"]["completions"][:, 0].tolist(), "completions differ"
    assert np.allclose(mine["queue_time"], theirs["cells"]["queue_time"][:, 0], rtol=1e-9), "time in queue differs"
    for i, name in enumerate(("waiting", "in_service")):
        assert (mine["snapshots"][:, :, i] == theirs["snapshots"][name]).all(), f"snapshots of {name} differ"
    assert int(mine["appointments"]) == appointments, "numbers of appointments differ"


# ---------------------------------------------------------------- peers


def description(network: Network) -> list[tuple[int, tuple[str, float, float], list[tuple[float, int]]]]:
    """W for the peers: servers, service (law, mean, cv) and cumulated chances of the ways (-1: out) per station."""
    names = [*network.station_names, "exit"]
    module = engines()
    made = []
    for name, servers, mean, cv in (*module.STATIONS, module.SPECIALIST):
        total, ways = 0.0, []
        for to, chance in module.ROUTES[name].items():
            total += chance
            ways.append((total, names.index(to) if to != "exit" else -1))
        made.append((servers, ("lognormal" if cv else "exponential", mean, cv), ways))
    return made


def sampler(law: tuple[str, float, float], luck: random.Random) -> Callable[[], float]:
    """Draws of a service time."""
    kind, mean, cv = law
    if kind == "exponential":
        return lambda: luck.expovariate(1.0 / mean)
    spread = float(np.sqrt(np.log1p(cv * cv)))
    middle = float(np.log(mean) - 0.5 * spread * spread)
    return lambda: luck.lognormvariate(middle, spread)


def plain_python(network: Network, days: float, seed: int) -> int:
    """W in plain Python with a heap of appointments: number of appointments done."""
    luck = random.Random(seed)
    stations = description(network)
    lengths = [sampler(law, luck) for _, law, _ in stations]
    free = [servers for servers, _, _ in stations]
    queues: list[deque[float]] = [deque() for _ in stations]
    waits = [0.0] * len(stations)
    calendar: list[tuple[float, int]] = [(luck.expovariate(RATE), -1)]
    done = 0

    def arrive(k: int, now: float) -> None:
        if free[k]:
            free[k] -= 1
            heapq.heappush(calendar, (now + lengths[k](), k))
        else:
            queues[k].append(now)

    while calendar and calendar[0][0] < days:
        now, k = heapq.heappop(calendar)
        done += 1
        if k < 0:
            heapq.heappush(calendar, (now + luck.expovariate(RATE), -1))
            arrive(0, now)
            continue
        if queues[k]:
            waits[k] += now - queues[k].popleft()
            heapq.heappush(calendar, (now + lengths[k](), k))
        else:
            free[k] += 1
        chance = luck.random()
        to = next((where for below, where in stations[k][2] if chance < below), -1)
        if to >= 0:
            arrive(to, now)
    return done


def simpy_for_w(network: Network, days: float, seed: int) -> int:
    """W in SimPy as its documentation would have it: a process per resident, a Resource per station."""
    import simpy

    luck = random.Random(seed)
    stations = description(network)
    lengths = [sampler(law, luck) for _, law, _ in stations]
    env = simpy.Environment()
    servers = [simpy.Resource(env, capacity) for capacity, _, _ in stations]
    waits = [0.0] * len(stations)
    done = 0

    def resident() -> Any:
        nonlocal done
        k = 0
        while k >= 0:
            came = env.now
            with servers[k].request() as turn:
                yield turn
                waits[k] += env.now - came
                yield env.timeout(lengths[k]())
            done += 1
            chance = luck.random()
            k = next((where for below, where in stations[k][2] if chance < below), -1)

    def door() -> Any:
        nonlocal done
        while True:
            yield env.timeout(luck.expovariate(RATE))
            done += 1
            env.process(resident())

    env.process(door())
    env.run(until=days)
    return done


def ciw_for_w(network: Network, days: float, seed: int) -> int:
    """W in Ciw; appointments are arrivals from outside and services completed."""
    import ciw  # type: ignore[import-not-found]

    stations = description(network)
    count = len(stations)
    laws = []
    for _, (kind, mean, cv), _ in stations:
        spread = float(np.sqrt(np.log1p(cv * cv)))
        middle = float(np.log(mean) - 0.5 * spread * spread)
        laws.append(ciw.dists.Exponential(1.0 / mean) if kind == "exponential" else ciw.dists.Lognormal(middle, spread))
    routing = np.zeros((count, count))
    for k, (_, _, ways) in enumerate(stations):
        before = 0.0
        for below, where in ways:
            if where >= 0:
                routing[k, where] = below - before
            before = below
    ciw.seed(seed)
    simulation = ciw.Simulation(
        ciw.create_network(
            arrival_distributions=[ciw.dists.Exponential(RATE), *[None] * (count - 1)],
            service_distributions=laws,
            routing=routing.tolist(),
            number_of_servers=[servers for servers, _, _ in stations],
        )
    )
    simulation.simulate_until_max_time(days)
    records = simulation.get_all_records()
    return len(records) + len({one.id_number for one in records})


@contextmanager
def cimba(network: Network) -> Iterator[dict[str, Callable[[int], float]]]:
    """A function of a seed for each style of cimba-py: ns an appointment of one run; none where it is not installed."""
    if str(HERE) not in sys.path:  # its process imports the module by name
        sys.path.append(str(HERE))
    import cimba_w

    def in_style(process: Any, style: str) -> Callable[[int], float]:
        def run(seed: int) -> float:
            seconds, done = process.timed(style, seed)
            return float(seconds / done * 1e9)

        return run

    if not cimba_w.available():
        yield {}
        return
    with cimba_w.OfItsOwn(description(network), RATE, DAYS) as process:
        yield {f"cimba-py, {style}": in_style(process, style) for style in cimba_w.STYLES}


# ---------------------------------------------------------------- measuring


def measure(rounds: int) -> list[dict[str, Any]]:
    """Median ns an appointment on W, and how many times longer than the compiled engine."""
    network = engines().network_w()
    appointments = compiled.simulate_once(network, 1, 0)[2]
    with tempfile.TemporaryDirectory() as folder:
        library = build_limit(Path(folder))
        candidates: dict[str, Callable[[], int]] = {}
        if library is not None:
            run = limit_of(library, network)
            for replication in range(3):
                same_work(run, network, 1, replication)
            candidates["C, W alone (limit.c)"] = lambda: sum(int(run(1, i)["appointments"]) for i in range(10))
        candidates |= {
            "flowsim compiled": lambda: sum(compiled.simulate_once(network, 1, i)[2] for i in range(10)),
            "plain Python, heapq": lambda: plain_python(network, DAYS, 1),
            "SimPy, for W": lambda: simpy_for_w(network, DAYS, 1),
            "flowsim reference (SimPy, with log)": lambda: reference.simulate_once(network, 1, 0) and appointments,
        }
        if importlib.util.find_spec("ciw") is not None:
            candidates["Ciw"] = lambda: ciw_for_w(network, DAYS, 1)
        with cimba(network) as elsewhere:
            spent: dict[str, list[float]] = {name: [] for name in (*candidates, *elsewhere)}
            for number in range(max(1, rounds)):
                for name, candidate in candidates.items():
                    start = time.perf_counter()
                    done = candidate()
                    spent[name].append((time.perf_counter() - start) / done * 1e9)
                for name, timed in elsewhere.items():
                    spent[name].append(timed(number))
    ours = spent["flowsim compiled"]
    return [
        {
            "candidate": name,
            "ns_per_appointment": statistics.median(values),
            "times_flowsim": statistics.median(x / y for x, y in zip(values, ours, strict=True)),
        }
        for name, values in spent.items()
    ]
