"""Fixtures for the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from command_line import NETWORK, Call

from flowsim.cli import main


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
