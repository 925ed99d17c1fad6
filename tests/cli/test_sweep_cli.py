"""`flowsim sweep`, and what `check` and `schema` know of experiments."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import Call, refused

from flowsim.cli import DONE, INTERRUPTED

EXPERIMENT = """
title = "Growth, twice"
futures = 2
block = 2
outcomes = ["cleared", "overdue_2029"]

[design]
kind = "grid"

[factors]
"assumptions.demand_growth" = { values = [0.0, 0.02] }
"""


@pytest.fixture
def experiment(tmp_path: Path) -> Path:
    path = tmp_path / "growth.toml"
    path.write_text(EXPERIMENT, encoding="utf-8")
    return path


def test_check_and_schema_know_experiments(call: Call, experiment: Path) -> None:
    code, out, _ = call("check", experiment)
    assert (code, out) == (DONE, f"{experiment}: a usable experiment (Growth, twice): 1 factors, 2 points (grid).\n")
    code, out, _ = call("check", experiment, "--json")
    assert json.loads(out)["kind"] == "experiment"
    code, out, _ = call("schema", "experiment")
    assert code == DONE
    assert set(json.loads(out)["required"]) == {"title", "design", "factors"}
    experiment.write_text(EXPERIMENT.replace("growth", "grwth"), encoding="utf-8")
    refused(call("check", experiment), "growth.toml: factors.assumptions.demand_grwth", "assumptions.demand_growth")


def test_a_sweep_is_written_printed_and_goes_on(call: Call, experiment: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, printed, said = call("sweep", experiment, "--out", out, "--threads", 1)
    assert code == DONE
    assert "Growth, twice" in printed
    assert "0.02" in printed
    assert f"Written: {out}" in printed
    code, printed, said = call("sweep", experiment, "--out", out, "--lang", "nl")
    assert code == DONE
    assert "4 van 4 herhalingen waren al klaar" in said
    assert "0,02" in printed
    code, printed, said = call("sweep", experiment, "--out", out, "--json")
    assert (code, said) == (DONE, "")
    document = json.loads(printed)
    assert [row["outcome"] for row in document["results"]] == ["cleared", "overdue_2029"] * 2
    assert Path(document["table"]).is_file()


def test_a_dry_run_says_how_much_and_how_long_and_writes_nothing(call: Call, experiment: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, printed, _ = call("sweep", experiment, "--out", out, "--dry-run", "--json")
    assert code == DONE
    document = json.loads(printed)
    assert document["replications_least"] == document["replications_most"] == 4
    assert document["seconds_each"] > 0.0
    assert document["seconds_most"] == pytest.approx(4 * document["seconds_each"])
    code, printed, _ = call("sweep", experiment, "--out", out, "--dry-run", "--lang", "nl")
    assert "Herhalingen die nog moeten: 4\n" in printed
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (["--threads", "0"], "threads"),
        (["--workers", "none"], "--workers"),
        (["--workers", "0"], "workers"),
        (["--scheduler", "somewhere"], "scheduler: found 'somewhere'; expected an address such as tcp://"),
        (["--lang", "fr"], "'fr'"),
    ],
)
def test_unusable_arguments_write_nothing(
    call: Call, experiment: Path, tmp_path: Path, arguments: list[str], where: str
) -> None:
    out = tmp_path / "deep" / "out"
    refused(call("sweep", experiment, "--out", out, *arguments), where)
    assert not out.parent.exists()


def test_unusable_files_and_folders_are_one_message(call: Call, experiment: Path, tmp_path: Path) -> None:
    refused(call("sweep", tmp_path / "nowhere.toml"), "nowhere.toml")
    refused(call("sweep", experiment, "--out", experiment), str(experiment))
    (tmp_path / "manifest.json").write_text("{}", encoding="utf-8")
    refused(call("sweep", experiment, "--out", tmp_path), "no manifest of a sweep")


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send to another process")
def test_an_interruption_keeps_finished_blocks(experiment: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    experiment.write_text(EXPERIMENT.replace("futures = 2", "futures = 2000"), encoding="utf-8")
    program = "import sys; from flowsim.cli import main; sys.exit(main())"
    command = [sys.executable, "-c", program, "sweep", str(experiment), "--out", str(out), "--threads", "1"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ)
    until = time.monotonic() + 300.0
    try:
        while not (out / "runs" / "block-000000.parquet").exists():
            assert running.poll() is None
            assert time.monotonic() < until
            time.sleep(0.01)
        running.send_signal(signal.SIGINT)
        printed, said = running.communicate(timeout=120)
    finally:
        running.kill()
    assert (running.returncode, printed) == (INTERRUPTED, "")
    kept = len(list((out / "runs").glob("block-*.parquet")))
    assert f"{kept} of 2000 blocks are kept in {out}; the same command goes on from there." in said


def test_processes_of_this_machine_give_the_same_bytes(call: Call, experiment: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    here, there = tmp_path / "here", tmp_path / "there"
    assert call("sweep", experiment, "--out", here)[0] == DONE
    assert call("sweep", experiment, "--out", there, "--workers", 1)[0] == DONE
    for name in ("runs/block-000000.parquet", "runs/block-000001.parquet", "points.parquet", "points.csv"):
        assert (here / name).read_bytes() == (there / name).read_bytes(), name
