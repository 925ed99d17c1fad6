"""The engine is compiled by other processes while the answer prepares its first futures."""

from __future__ import annotations

import sys

import pytest

from flowsim.model import compiling
from flowsim.study import replicate


def test_nothing_is_started_when_the_cache_is_filled(monkeypatch: pytest.MonkeyPatch) -> None:
    replicate.warm_up()
    monkeypatch.setattr(replicate.subprocess, "Popen", lambda *a, **k: pytest.fail("a process was started"))
    with replicate.compiling_aside() as still_at_it:
        assert not still_at_it()


@pytest.mark.parametrize("python", ["/bin/false", "/no/such/python", ""])
def test_a_process_that_fails_leaves_the_work_to_this_one(monkeypatch: pytest.MonkeyPatch, python: str) -> None:
    monkeypatch.setattr(compiling, "is_compiled", lambda build: False)
    monkeypatch.setattr(sys, "executable", python)
    with replicate.compiling_aside():
        pass
    replicate.warm_up()


def test_they_are_ended_when_the_work_is_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C during the preparation leaves no process behind."""
    monkeypatch.setattr(compiling, "is_compiled", lambda build: False)
    started = []
    real = replicate.subprocess.Popen

    def sleeping(command: list[str], **options: object) -> object:
        started.append(real([command[0], "-c", "import time; time.sleep(600)"], **options))  # type: ignore[call-overload]
        return started[-1]

    monkeypatch.setattr(replicate.subprocess, "Popen", sleeping)

    def interrupted() -> None:
        with replicate.compiling_aside() as still_at_it:
            assert still_at_it()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert len(started) == len(replicate.PARTS)
    assert all(one.poll() is not None for one in started)


@pytest.mark.parametrize("part", replicate.PARTS)
def test_each_part_compiles_what_it_names(part: str) -> None:
    replicate.compile_part(part)
