"""The runner of the benchmarks: finds what can be measured, prints it, keeps it with the machine it was measured on."""

from __future__ import annotations

import importlib.util
import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import flowsim

RUN = Path(__file__).resolve().parents[2] / "benchmarks" / "run.py"


def benchmark(name: str) -> ModuleType:
    """A module of the benchmarks, which are no package."""
    spec = importlib.util.spec_from_file_location(f"benchmarks_{name}", RUN.with_name(f"{name}.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def runner() -> ModuleType:
    return benchmark("run")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "speed.py").write_text(
        "def measure(rounds):\n"
        "    fast = {'what': 'fast', 'seconds': 0.0123456, 'events': 1234567 * rounds}\n"
        "    return [fast, {'what': 'slow', 'note': 'x'}]\n",
        encoding="utf-8",
    )
    (tmp_path / "explodes_when_imported.py").write_text("raise SystemExit('imported')\n", encoding="utf-8")
    return tmp_path


def test_it_measures_prints_and_keeps(runner: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert list(runner.benchmarks(folder)) == ["speed"]
    assert runner.main(["--rounds", "2"], folder) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[2:6] == [
        "speed",
        "what  seconds     events  note",
        "fast  0.01235  2,469,134",
        "slow                         x",
    ]
    kept = json.loads((folder / "results" / f"{flowsim.__version__}.json").read_text("utf-8"))
    assert kept["results"]["speed"][0] == {"what": "fast", "seconds": 0.0123456, "events": 2469134}
    assert kept["rounds"] == 2
    assert {"processor", "cores", "python", "numba"} <= kept["machine"].keys()
    assert kept["machine"]["cores"] >= 1
    assert [path.name for path in (folder / "results").iterdir()] == [f"{flowsim.__version__}.json"]


def test_other_benchmarks_of_the_version_stay_with_where_they_are_from(runner: ModuleType, folder: Path) -> None:
    (folder / "size.py").write_text("def measure(rounds):\n    return [{'rounds': rounds}]\n", encoding="utf-8")
    place = folder / "results" / f"{flowsim.__version__}.json"

    def kept(*arguments: str) -> Any:
        assert runner.main([*arguments], folder) == 0
        return json.loads(place.read_text("utf-8"))

    first = kept("--rounds", "2", "--only", "size")
    assert "earlier" not in first
    for rounds in ("3", "4"):  # what was carried over once is carried over again
        second = kept("--rounds", rounds, "--only", "speed")
        assert second["results"]["size"] == [{"rounds": 2}]
        assert second["rounds"] == int(rounds)
        assert second["earlier"] == {"size": {key: first[key] for key in ("commit", "measured", "machine", "rounds")}}
    assert kept("--rounds", "5", "--only", "size")["results"]["size"] == [{"rounds": 5}]
    place.write_text(place.read_text("utf-8").replace(flowsim.__version__, "0.0.1"), encoding="utf-8")
    assert list(kept("--only", "size")["results"]) == ["size"]


def test_it_refuses_what_it_cannot_run(
    runner: ModuleType, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for wrong in (["--rounds", "0"], ["--only", "nothing"], ["--rounds", "x"]):
        with pytest.raises(SystemExit, match="2"):
            runner.main(wrong, folder)
    assert not (folder / "results").exists()
    (tmp_path / "empty").mkdir()
    assert runner.main([], tmp_path / "empty") == 2
    assert "no benchmarks" in capsys.readouterr().err


@pytest.mark.skipif(os.environ.get("FLOWSIM_NO_COMPILER") == "1", reason="FLOWSIM_NO_COMPILER=1: none on this machine")
def test_the_c_of_the_limit_does_the_same_work(tmp_path: Path) -> None:
    """`limit.c` is a limit only if it does what the engine does: same completions, queues and appointments."""
    limit = benchmark("limit")
    library = limit.build_limit(tmp_path)
    assert library is not None, "no C compiler: install one (Debian: gcc), or set FLOWSIM_NO_COMPILER=1 to do without"
    network = limit.engines().network_w()
    limit.same_work(limit.limit_of(library, network), network, 7, 3)


def test_peers_do_w() -> None:
    """Plain Python and SimPy-for-W see about 55 arrivals a day and as many services a resident as W has."""
    limit = benchmark("limit")
    network = limit.engines().network_w()
    plain, simpy = limit.plain_python(network, 30.0, 1), limit.simpy_for_w(network, 30.0, 1)
    for done in (plain, simpy):
        assert 30 * 55 * 1.7 < done < 30 * 55 * 2.6  # an arrival, and the GP's consult in nearly every case
