"""simulate and run_many: the same results on any number of threads, arguments refused, work that can be stopped."""

from __future__ import annotations

import inspect
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flowsim
from flowsim.scenario.load import default
from flowsim.study import posterior, targets
from flowsim.study import replicate as replicate_module
from flowsim.study.replicate import AHEAD, Job, Outcome, collect, replicate, run_many, thread_count

TABLES = ("stations", "waiting", "periods", "events")


def document(rate: float = 2.0, horizon: float = 300.0) -> dict[str, Any]:
    return {
        "horizon": horizon,
        "warm_up": 50.0,
        "snapshot_every": 10.0,
        "periods": [0.0, 100.0, 200.0, 300.0],
        "classes": ["a", "b"],
        "stations": [
            {
                "name": "clinic",
                "servers": 3,
                "service": {"distribution": "exponential", "mean": 1.2},
                "patience": {"distribution": "exponential", "mean": 5.0},
                "waiting_list": "list",
            },
            {"name": "ward", "servers": "inf", "service": {"distribution": "gamma", "mean": 2.0, "cv": 0.5}},
        ],
        "arrivals": [
            {"class": "a", "station": "clinic", "rate": 0.7 * rate},
            {"class": "b", "station": "clinic", "rate": 0.3 * rate},
        ],
        "routes": [{"from": "clinic", "to": {"ward": 0.5, "exit": 0.5}}],
    }


@pytest.fixture(scope="module")
def network() -> flowsim.Network:
    return flowsim.Network.from_dict(document())


def raw(output: flowsim.study.replicate.Output) -> list[bytes]:  # type: ignore[name-defined]
    arrays = [output.cells, output.snapshots, output.period_tally, output.waits, output.appointments]
    return [array.tobytes() for array in (*arrays, *(output.logs or ()))]


def test_the_same_bytes_on_any_number_of_threads(network: flowsim.Network) -> None:
    one = flowsim.simulate(network, replications=25, seed=3, log=True, threads=1)
    for threads in (2, 5, None):
        assert raw(flowsim.simulate(network, replications=25, seed=3, log=True, threads=threads)) == raw(one)
    for table in TABLES:
        assert getattr(one, table)["replication"].is_monotonic_increasing


def test_the_same_tables_from_both_engines(network: flowsim.Network) -> None:
    fast = flowsim.simulate(network, replications=3, seed=5, log=True)
    readable = flowsim.simulate(network, replications=3, seed=5, log=True, engine="reference")
    for table in TABLES:
        assert getattr(fast, table).equals(getattr(readable, table)), table
    assert len(fast.events) > 1000


def test_replications_and_seeds_differ_and_more_replications_leave_the_first_as_they_were(
    network: flowsim.Network,
) -> None:
    few = flowsim.simulate(network, replications=2, seed=1)
    many = flowsim.simulate(network, replications=6, seed=1)
    assert few.cells.tobytes() == many.cells[:2].tobytes()
    assert len({cells.tobytes() for cells in many.cells}) == 6
    assert flowsim.simulate(network, replications=2, seed=2).cells.tobytes() != few.cells.tobytes()


def test_a_queue_with_known_waits_comes_out_right() -> None:
    """M/M/1 at 0.5: mean wait 1 (Gross et al., Fundamentals of Queueing Theory, 5th ed., section 3.2).

    False-alarm rate 0.1%: the interval is at 99.9%.
    """
    server = {"name": "desk", "servers": 1, "service": {"distribution": "exponential", "mean": 1.0}}
    arrivals = [{"class": "a", "station": "desk", "rate": 0.5}]
    plain = {"horizon": 4000.0, "warm_up": 200.0, "classes": ["a"], "stations": [server], "arrivals": arrivals}
    out = flowsim.simulate(flowsim.Network.from_dict(plain), replications=40, seed=11)
    found = out.summary(level=0.999).set_index("measure")
    for measure, value in {"mean_wait": 1.0, "mean_queue": 0.5, "utilisation": 0.5}.items():
        assert found.loc[measure, "low"] < value < found.loc[measure, "high"], measure
        assert found.loc[measure, "high"] - found.loc[measure, "low"] < 0.15, measure


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"replications": 0}, "replications"),
        ({"replications": -3}, "replications"),
        ({"replications": "3"}, "replications"),
        ({"replications": 2.5}, "replications"),
        ({"replications": True}, "replications"),
        ({"replications": None}, "replications"),
        ({"replications": 10**9}, "replications"),
        ({"seed": "abc"}, "seed"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**63}, "seed"),
        ({"seed": 1.0}, "seed"),
        ({"seed": None}, "seed"),
        ({"engine": "turbo"}, "engine"),
        ({"engine": None}, "engine"),
        ({"threads": 0}, "threads"),
        ({"threads": "all"}, "threads"),
        ({"threads": 1.5}, "threads"),
    ],
)
def test_bad_arguments_are_refused_by_name(network: flowsim.Network, arguments: dict[str, Any], where: str) -> None:
    with pytest.raises(flowsim.InputError, match=f"^{where}: found .*; expected "):
        flowsim.simulate(network, **arguments)
    with pytest.raises(flowsim.InputError):
        replicate(network, **arguments)  # before the first result is asked for


@pytest.mark.parametrize("wrong", [None, "network.toml", {"horizon": 1.0}, flowsim.Network])
def test_what_is_no_network_is_refused(wrong: Any) -> None:
    with pytest.raises(flowsim.InputError, match=r"^network: found a "):
        flowsim.simulate(wrong)


def test_numpy_numbers_will_do(network: flowsim.Network) -> None:
    out = flowsim.simulate(network, replications=np.int32(2), seed=np.uint64(7), threads=np.int64(1))
    assert raw(out) == raw(flowsim.simulate(network, replications=2, seed=7))
    assert flowsim.simulate(network, seed=2**63 - 1).replications == 1
    assert isinstance(out.seed, int)


def test_there_is_a_thread_for_each_core_by_default() -> None:
    assert 1 <= thread_count(None) <= 4096
    assert thread_count(3) == 3


def test_replications_done_so_far_make_an_output(network: flowsim.Network) -> None:
    iterator = replicate(network, replications=50, seed=4)
    some = [next(iterator) for _ in range(3)]
    iterator.close()  # type: ignore[attr-defined]
    assert [one.number for one in some] == [0, 1, 2]
    assert raw(collect(network, 4, "compiled", some)) == raw(flowsim.simulate(network, replications=3, seed=4))


# ---------------------------------------------------------------- many jobs


def counting_jobs(number: int, made: list[int]) -> Iterator[Job]:
    for i in range(number):
        made.append(i)
        yield lambda i=i: (flowsim.Network.from_dict(document(rate=1.0 + i)), 9, i)


def arrivals(outcome: Outcome, network: flowsim.Network) -> tuple[float, int]:
    return float(network.streams["rate_count"][0]), int(outcome["cells"]["arrivals"].sum())


def test_many_jobs_come_in_order_whatever_the_threads() -> None:
    seen: list[int] = []
    one = list(run_many(counting_jobs(12, []), arrivals, threads=1, progress=seen.append))
    assert seen == list(range(1, 13))
    assert list(run_many(counting_jobs(12, []), arrivals, threads=3)) == one
    expected = [
        int(flowsim.simulate(flowsim.Network.from_dict(document(1.0 + i)), i + 1, seed=9).cells[i]["arrivals"].sum())
        for i in (0, 5, 11)
    ]
    assert [one[i][1] for i in (0, 5, 11)] == expected


def test_jobs_are_made_only_as_they_are_needed() -> None:
    made: list[int] = []
    results = run_many(counting_jobs(10**9, made), arrivals, threads=2)
    for taken in range(1, 21):
        next(results)
        assert len(made) <= taken + AHEAD * 2
    results.close()  # type: ignore[attr-defined]


def test_a_job_that_fails_does_so_in_its_turn() -> None:
    def jobs() -> Iterator[Job]:
        yield lambda: (flowsim.Network.from_dict(document()), 1, 0)
        yield lambda: (flowsim.Network.from_dict(document(rate=-1.0)), 1, 1)
        yield lambda: (flowsim.Network.from_dict(document()), 1, 2)

    results = run_many(jobs(), arrivals, threads=2)
    assert next(results)[1] > 0
    with pytest.raises(flowsim.InputError, match=r"arrivals\.0\.rate"):
        next(results)
    with pytest.raises(StopIteration):
        next(results)


COUNTS = Path(__file__).resolve().parents[2] / "experiments" / "observed_made_up.csv"
GROWTH = {"assumptions.demand_growth": {"values": [0.0]}}
SWEEP = {"title": "one point", "design": {"kind": "grid"}, "futures": 1, "factors": GROWTH}


def answered(progress: Any) -> Any:
    from flowsim.study.beside import in_the_same_futures

    return in_the_same_futures(flowsim.answer(half_width=0.5, most=2, curve=False), [], progress=progress)


TAKE_PROGRESS: dict[str, Callable[[Any], Any]] = {
    "answer": lambda told: flowsim.answer(half_width=0.5, most=2, curve=False, progress=told),
    "compare": lambda told: flowsim.compare(
        [default(), default().with_settings("b", network="none")], futures=2, progress=told
    ),
    "decision_map": lambda told: flowsim.decision_map("growth", "diversion", "P(cleared) >= 0.5", progress=told),
    "seek": lambda told: flowsim.seek("P(cleared) >= 0.5", "diversion", progress=told),
    "sensitivity": lambda told: flowsim.sensitivity(budget=400, progress=told),
    "sweep": lambda told: flowsim.sweep(SWEEP, progress=told),
    "targets": lambda told: targets.evaluate(futures=2, progress=told),
    "update": lambda told: flowsim.update(COUNTS, futures=128, progress=told),
    "verify": lambda told: flowsim.verify(progress=told),
    "calibrated": lambda told: posterior.calibrated(progress=told),
    "run_many": lambda told: run_many([], lambda *_: None, progress=told),
    "in_the_same_futures": answered,
}


@pytest.mark.parametrize("name", TAKE_PROGRESS)
@pytest.mark.parametrize("told", [3, "print", True])
def test_progress_that_cannot_be_called_is_refused_at_the_start(
    name: str, told: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name != "in_the_same_futures":  # that one needs an answer
        monkeypatch.setattr(replicate_module, "warm_up", lambda *_: pytest.fail("something is simulated"))
    with pytest.raises(flowsim.InputError) as error:
        TAKE_PROGRESS[name](told)
    assert str(error.value) == f"progress: found {told!r}; expected a function that is told what is done, or None"


def test_all_that_take_progress_are_asked() -> None:
    public = {name for name in flowsim.__all__ if callable(getattr(flowsim, name))}
    takes = {name for name in public if "progress" in inspect.signature(getattr(flowsim, name)).parameters}
    assert takes < set(TAKE_PROGRESS)
    assert len(takes) == 8


def test_bad_threads_are_refused_before_any_job_is_made() -> None:
    made: list[int] = []
    with pytest.raises(flowsim.InputError, match=r"^threads"):
        run_many(counting_jobs(3, made), arrivals, threads=0)
    assert made == []


def workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith("flowsim_")]


def test_an_interruption_comes_through_and_leaves_no_threads() -> None:
    def progress(done: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(run_many(counting_jobs(10**9, []), arrivals, threads=2, progress=progress))
    deadline = time.monotonic() + 20.0
    while workers() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert workers() == []


# ---------------------------------------------------------------- import flowsim


def test_importing_flowsim_is_light_and_its_names_are_there() -> None:
    code = (
        "import sys, flowsim; heavy = {'numpy', 'numba', 'pandas', 'scipy', 'pydantic', 'simpy', 'typer'};"
        "print(sorted(heavy & set(sys.modules)));"
        "print(flowsim.simulate.__module__, flowsim.Network.__module__, flowsim.InputError.__module__);"
        "print('pandas' in sys.modules, 'scipy' in sys.modules, 'simpy' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "[]",
        "flowsim.study.replicate flowsim.model.network flowsim.errors",
        "False False False",
    ]


def test_public_names_are_listed_and_others_are_unknown() -> None:
    assert {"simulate", "Network", "InputError"} <= set(dir(flowsim))
    assert set(flowsim.__all__) <= set(dir(flowsim))
    assert all(getattr(flowsim, name) is not None for name in flowsim.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'simulat'"):
        flowsim.simulat  # type: ignore[attr-defined]  # noqa: B018
