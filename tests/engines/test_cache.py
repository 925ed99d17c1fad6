"""Compiled code is kept where it can be kept, and flowsim works where nothing can be written at all."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from flowsim.model import compiling

DRAW = "from flowsim.model import compiling, draws; print(draws.replication_key(1, 2), compiling.CACHE_DIRECTORY)"


SYMBOL = """
from flowsim.engines import ending, world
from flowsim.model.network import Network
desk = {"name": "desk", "servers": 1, "service": {"distribution": "deterministic", "mean": 1.0}}
door = {"class": "a", "station": "desk", "rate": 1.0}
network = Network.from_dict({"horizon": 2.0, "classes": ["a"], "stations": [desk], "arrivals": [door]})
ending.close(world.create(network, 0, 0, %s, world.Features(1, 1)))
print(*(one.fndesc.mangled_name for one in ending._find.overloads.values()))
"""
"""Symbol of a function that was compiled for a build."""


def fresh_process(code: str, **environment: str) -> str:
    """What a new Python prints that has these variables, and no cache directory of the caller's."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("FLOWSIM_CACHE_DIR", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", code], env=inherited | environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_home_that_cannot_be_written_is_passed_over(tmp_path: Path) -> None:
    word, directory = fresh_process(DRAW, HOME=os.devnull, TMPDIR=str(tmp_path)).split()
    assert Path(directory).is_relative_to(tmp_path)
    assert any(Path(directory).rglob("*.nbc"))
    again, _ = fresh_process(DRAW, HOME=os.devnull, TMPDIR=str(tmp_path)).split()
    assert again == word


def test_nothing_can_be_written() -> None:
    no_temporary = f"import tempfile; tempfile.tempdir = {os.devnull!r}; "
    assert fresh_process(no_temporary + DRAW, HOME=os.devnull).split()[1] == "None"


def test_the_named_directory_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLOWSIM_CACHE_DIR", str(tmp_path))
    directory = compiling._cache_directory()
    assert directory is not None
    assert directory.is_relative_to(tmp_path)


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="ownership is a matter of POSIX")
def test_a_directory_of_somebody_else_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert compiling._usable(tmp_path / "mine")
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    assert not compiling._usable(tmp_path / "mine")


def test_an_edit_of_any_source_asks_for_another_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in compiling.COMPILED_PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "module.py").write_text("one = 1\n")
    monkeypatch.setattr(compiling, "__file__", str(tmp_path / "model" / "compiling.py"))
    before = compiling._sources_hash()
    (tmp_path / "engines" / "module.py").write_text("one = 2\n")
    assert compiling._sources_hash() != before


def test_what_is_kept_is_loaded_without_a_compiler_and_more_can_be_compiled_beside_it(tmp_path: Path) -> None:
    compiler = "'numba.typed.dictimpl' in sys.modules"  # of what a compiler has to know
    load = f"import sys; from flowsim.model import draws; print(draws.replication_key(1, 2), {compiler}); "
    more = f"print(draws.gamma(2.5, draws.replication_key(3, 4)), {compiler})"
    word, asked = fresh_process(load, FLOWSIM_CACHE_DIR=str(tmp_path)).split()
    assert asked == "True"
    beside = fresh_process(load + more, FLOWSIM_CACHE_DIR=str(tmp_path)).split()
    alone = fresh_process(load + more, FLOWSIM_CACHE_DIR=str(tmp_path / "empty")).split()
    assert beside == [word, "False", alone[2], "True"]
    assert alone[0] == word


def test_what_two_processes_compile_at_once_has_two_names(tmp_path: Path) -> None:
    """Both start with an empty cache and compile another build first; a third process loads both, side by side. Code
    that bears the name of other code would be run in its place."""
    one, other = (
        fresh_process(SYMBOL % logging, FLOWSIM_CACHE_DIR=str(tmp_path / str(logging))) for logging in (False, True)
    )
    assert one != other
    assert one == fresh_process(SYMBOL % False, FLOWSIM_CACHE_DIR=str(tmp_path / "again"))
