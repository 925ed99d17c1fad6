"""Fixtures for the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import NETWORK, Call

from flowsim.cli import main
from flowsim.model.network import Network
from flowsim.study.replicate import simulate


@pytest.fixture(scope="session", autouse=True)
def compiled_before(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The network below has run, with and without a log and on both engines: no command has to say that it compiles."""
    path = tmp_path_factory.mktemp("compiled") / "network.toml"
    path.write_text(NETWORK, encoding="utf-8")
    network = Network.from_toml(path)
    for log in (False, True):
        simulate(network, log=log)
    simulate(network, engine="reference")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A network file, alone in its folder."""
    path = tmp_path / "network.toml"
    path.write_text(NETWORK, encoding="utf-8")
    return path


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command in this process: (exit code, standard output, standard error)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run
