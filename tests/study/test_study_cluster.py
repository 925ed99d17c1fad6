"""A Dask cluster: a real scheduler and workers in processes of their own, on this machine only; one is killed."""

from __future__ import annotations

import contextlib
import json
import pickle
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flowsim.errors import InputError
from flowsim.study import cluster
from flowsim.study.cluster import run_block, versions
from flowsim.study.execute import Blocks
from flowsim.study.experiment import load_experiment
from flowsim.study.sweep import sweep

distributed = pytest.importorskip("distributed")

SMALL: dict[str, Any] = {
    "title": "small",
    "futures": 3,
    "block": 2,
    "outcomes": ["overdue_2029", "cleared_day"],
    "design": {"kind": "grid"},
    "factors": {
        "assumptions.demand_growth": {"values": [0.0, 0.02]},
        "functions.conversations": {"values": [0.5, 2.0], "multiple": True},
    },
}


class Cluster:
    """A scheduler and two workers, each a process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []
        file = folder / "scheduler.json"
        self._start("dask_scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(file))
        until = time.monotonic() + 120.0
        while True:
            with contextlib.suppress(OSError, ValueError):
                self.address = json.loads(file.read_text("utf-8"))["address"]
                break
            assert time.monotonic() < until
            time.sleep(0.05)
        for _ in range(2):
            place = ("--local-directory", str(folder / "space"))
            self._start("dask_worker", self.address, "--nthreads", "1", "--no-nanny", "--no-dashboard", *place)

    def _start(self, program: str, *arguments: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.{program}", "--host", "127.0.0.1", *arguments]
        log = subprocess.DEVNULL
        self.processes.append(subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder))

    def kill(self, number: int) -> None:
        """0: the scheduler; then the workers."""
        self.processes[number].kill()
        self.processes[number].wait()

    def stop(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.stop()


def files(folder: Path) -> dict[str, bytes]:
    found = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert found.pop("manifest.json")
    return found


def test_another_flowsim_is_refused_before_and_at_a_block(
    running: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "sources_hash", lambda: "f" * 16)
    for check in (cluster._check_workers, lambda _: None):  # a worker that comes later is not seen beforehand
        monkeypatch.setattr(cluster, "_check_workers", check)
        with pytest.raises(InputError) as refused:
            sweep(SMALL, out=tmp_path / "out", scheduler=running.address)
        assert str(refused.value).startswith("worker ")
        assert f"expected flowsim {'f' * 16}, as here" in str(refused.value)
    assert not list((tmp_path / "out").iterdir())


def test_a_killed_worker_loses_nothing_and_then_the_scheduler_goes(running: Cluster, tmp_path: Path) -> None:
    def kill(number: int, at: int) -> Any:
        calls = list[int]()

        def progress(done: int, _: int) -> None:
            calls.append(done)
            if len(calls) == at:
                running.kill(number)

        return progress

    here, there, half = (tmp_path / name for name in ("here", "there", "half"))
    sweep(SMALL, out=here, threads=1)
    sweep(SMALL, out=there, scheduler=running.address, progress=kill(1, at=2))
    assert files(there) == files(here)
    with pytest.raises(InputError, match=r"no answer any more.*finished blocks are kept"):
        sweep(SMALL, out=half, scheduler=running.address, progress=kill(0, at=3))
    kept = [file.name for file in (half / "runs").iterdir()]
    assert 2 <= len(kept) < 6
    sweep(SMALL, out=half, threads=2)
    assert files(half) == files(here)


def test_a_scheduler_that_does_not_answer_is_one_message_within_seconds(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(InputError, match="no answer") as refused:
        sweep(SMALL, out=tmp_path, scheduler="tcp://127.0.0.1:9")
    assert str(refused.value).startswith("scheduler tcp://127.0.0.1:9: ")
    assert time.monotonic() - began < 2 * cluster.CONNECT + 10.0
    assert not list(tmp_path.iterdir())


def test_without_dask_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    for where in ({"workers": 2}, {"scheduler": "tcp://127.0.0.1:9"}):
        with pytest.raises(InputError, match=r"\.\[cluster\]"):
            sweep(SMALL, out=tmp_path, **where)  # type: ignore[arg-type]


def test_dask_is_not_imported_for_a_sweep_on_threads() -> None:
    program = "import sys, flowsim.cli.commands, flowsim.study.sweep; print([m for m in sys.modules if 'dask' in m])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_a_block_says_what_is_wrong_instead_of_failing() -> None:
    """An answer, not an exception: it is told once, by the client."""
    shares = {f"assumptions.{name}_share": {"values": [0.6]} for name in ("personality", "trauma")}
    experiment = load_experiment({**SMALL, "futures": 1, "factors": {**shares}} | {"unknowns": "fixed"})
    payload = zlib.compress(pickle.dumps(experiment))
    block, points = Blocks(experiment)[0], {0: experiment.design.point(0)}
    refused = run_block(payload, block, points, versions())
    assert isinstance(refused, InputError)
    assert "assumptions.trauma_share = 0.6" in str(pickle.loads(pickle.dumps(refused)))
    assert run_block(payload, block, points, {**versions(), "numba": "0.1"}) == versions()


class Client:
    """Stands in for Dask's: every block ends its worker."""

    status = "running"

    def __init__(self, killed: int) -> None:
        self.sent = 0
        self.killed = killed

    def nthreads(self) -> dict[str, int]:
        return {"worker": 3}

    def cancel(self, _: object) -> None:
        pass

    def submit(self, function: Any, *arguments: Any, pure: bool) -> Future:
        assert not pure
        self.sent += 1
        return Future(self.sent <= self.killed, function, arguments)


class Future:
    def __init__(self, killed: bool, function: Any, arguments: Any) -> None:
        self.killed, self.function, self.arguments = killed, function, arguments

    def add_done_callback(self, tell: Any) -> None:
        tell(self)

    def result(self, timeout: float) -> Any:
        assert timeout > 0.0
        if self.killed:
            raise distributed.KilledWorker("block", None, 3)
        return self.function(*self.arguments)


def test_a_block_that_dask_gave_up_is_sent_again_but_not_for_ever() -> None:
    experiment = load_experiment(SMALL)
    blocks = Blocks(experiment)
    client = Client(killed=2)
    done = dict(cluster._Dispatch(client, experiment).run(iter(blocks)))
    assert {block.number for block in done} == set(range(len(blocks)))
    assert client.sent == len(blocks) + 2
    with pytest.raises(InputError, match="whose workers died each time"):
        list(cluster._Dispatch(Client(killed=10**9), experiment).run(iter(blocks)))


def test_a_bounded_number_of_blocks_is_out_at_a_time() -> None:
    experiment = load_experiment({**SMALL, "block": 1})
    taken = list[int]()

    def source() -> Iterator[Any]:
        for block in Blocks(experiment):
            taken.append(block.number)
            yield block

    results = cluster._Dispatch(Client(killed=0), experiment).run(source())
    for number in range(3):
        next(results)
        assert len(taken) <= 3 * cluster.AHEAD + number + 1
    results.close()


def test_the_recipes_of_the_documentation_call_commands_that_dask_has() -> None:
    """Recipes cannot be run here; a command that the locked dask does not have would stop them in a cluster."""
    from importlib.metadata import entry_points

    page = (Path(__file__).parents[2] / "docs" / "cluster.md").read_text("utf-8")
    recipes = [part.split("```")[0] for part in page.split("```python\n")[1:]]
    commands = {one.name for one in entry_points(group="dask_cli")}
    named = set()
    for recipe in recipes:
        compile(recipe, "docs/cluster.md", "exec")
        named |= set(re.findall(r'"dask", "(\w+)"', recipe))
    assert named == {"scheduler", "worker"}
    assert named <= commands


def test_a_script_without_a_guard_is_told_about_it(tmp_path: Path) -> None:
    """Each process reads the script again, and would start processes too."""
    script = tmp_path / "script.py"
    script.write_text(
        f"import flowsim\ntry:\n    flowsim.sweep({SMALL!r}, workers=1)\n"
        "except flowsim.InputError as error:\n    print(error)\n",
        encoding="utf-8",
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=200)
    assert "workers: found processes that do not start" in done.stdout
    assert 'if __name__ == "__main__":' in done.stdout
