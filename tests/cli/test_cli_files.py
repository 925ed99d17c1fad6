"""Files appear whole or not at all: full disks, places that cannot be written, interruptions. And the console."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from command_line import NETWORK, Call, refused

import flowsim
from flowsim.cli import DONE, INTERRUPTED, UNUSABLE
from flowsim.cli.files import Writing
from flowsim.errors import InputError
from flowsim.present import console
from flowsim.study import replicate


@pytest.mark.parametrize("place", ["network.toml", "network.toml/sub", "/proc/flowsim-cannot-write-here"])
def test_a_place_that_cannot_be_written_is_refused_before_the_run(
    call: Call, file: Path, tmp_path: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowsim.study.replicate.replicate", lambda *_: pytest.fail("it began to run"))
    refused(call("run", file, "--out", tmp_path / place), place, "cannot be written")
    refused(call("run", file, "--log", tmp_path / place / "log.csv"), place, "cannot be written")
    refused(call("run", file, "--log", tmp_path), "a folder")
    assert list(tmp_path.iterdir()) == [file]
    assert file.read_text("utf-8") == NETWORK


def test_a_link_in_a_circle_is_a_place_that_cannot_be_written(call: Call, file: Path, tmp_path: Path) -> None:
    (tmp_path / "circle").symlink_to("circle")
    refused(call("run", file, "--out", tmp_path / "circle"), "circle", "cannot be written")
    refused(call("run", file, "--log", tmp_path / "circle" / "log.csv"), "circle", "cannot be written")


@pytest.mark.parametrize(
    "command", ["answer", "run", "compare", "targets", "seek", "sensitivity", "calibrate", "update"]
)
def test_no_other_command_writes_over_a_sweep(call: Call, file: Path, tmp_path: Path, command: str) -> None:
    """Without its manifest the sweep would not go on."""
    manifest = tmp_path / "sweep" / "manifest.json"
    manifest.parent.mkdir()
    manifest.write_text('{"kind": "sweep"}', encoding="utf-8")
    plan = "experiments/plan.toml"
    given = {"run": [file], "compare": [plan, "growth_3"], "update": ["experiments/observed_made_up.csv"]}
    refused(call(command, *given.get(command, []), "--out", manifest.parent), "sweep: found results of a sweep")
    assert [*manifest.parent.iterdir()] == [manifest]


def test_run_leaves_no_log_of_the_run_before(call: Call, file: Path, tmp_path: Path) -> None:
    """It would pass for the log of this run."""
    out = tmp_path / "out"
    run = ("run", file, "--replications", "1", "--out", out)
    assert call(*run, "--log", out / "events.parquet", "--log", out / "log.csv")[0] == DONE
    (out / "mine.csv").write_text("mine", encoding="utf-8")
    assert call(*run, "--seed", "2", "--log", out / "log.csv")[0] == DONE
    assert not (out / "events.parquet").exists()
    assert {"log.csv", "mine.csv", "stations.csv"} <= {one.name for one in out.iterdir()}


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs a device that is always full")
def test_a_full_disk_leaves_nothing_behind(call: Call, file: Path, tmp_path: Path) -> None:
    refused_code, _, error = call("run", file, "--log", "/dev/full", "--out", tmp_path / "out", "--replications", "2")
    assert refused_code == UNUSABLE
    assert "/dev/full" in error
    assert "No space left" in error
    assert list(tmp_path.iterdir()) == [file]
    assert not Path("/dev/full").is_file()  # still the device
    for command in (["plan"], ["run", str(file)], ["schema"]):
        with open("/dev/full", "w") as full:
            done = subprocess.run(
                [sys.executable, "-c", "import sys; from flowsim.cli import main; sys.exit(main())", *command],
                stdout=full, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
        assert (done.returncode, done.stderr) == (UNUSABLE, "flowsim: output: No space left on device\n"), command


def test_a_disk_that_fills_up_while_writing_leaves_nothing_behind(
    call: Call, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        if len(list((tmp_path / "out").glob(".*.part"))) and (tmp_path / "out" / "count").write_text("x"):
            raise OSError(28, "No space left on device")

    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "stations.csv").write_text("old", encoding="utf-8")
    monkeypatch.setattr("flowsim.cli.files.os.fsync", full)
    code, _, error = call("run", file, "--out", tmp_path / "out", "--replications", "2")
    assert code == UNUSABLE
    assert "No space left" in error
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["count", "stations.csv"]
    assert (tmp_path / "out" / "stations.csv").read_text("utf-8") == "old"


# ---------------------------------------------------------------- interruption


def interrupted_after(count: int) -> Callable[..., Iterator[replicate.Replication]]:
    real = replicate.replicate

    def some(*arguments: Any) -> Iterator[replicate.Replication]:
        runs = real(*arguments)
        for _ in range(count):
            yield next(runs)
        raise KeyboardInterrupt

    return some


def test_what_was_finished_is_kept(call: Call, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr("flowsim.study.replicate.replicate", interrupted_after(3))
        code, out, error = call("run", file, "--out", tmp_path / "out", "--replications", "50", "--seed", "2")
    assert code == INTERRUPTED
    assert "Means over 3 replications" in out
    assert error.splitlines()[-1] == "Interrupted after 3 of 50 replications. What was finished is kept."
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert (manifest["replications_asked"], manifest["replications_done"]) == (50, 3)
    expected = flowsim.simulate(flowsim.Network.from_toml(file), replications=3, seed=2).stations
    written = pd.read_csv(tmp_path / "out" / "stations.csv")
    pd.testing.assert_frame_equal(written, expected, check_dtype=False, rtol=1e-12)


def test_an_interruption_before_anything_is_finished_leaves_nothing(
    call: Call, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flowsim.study.replicate.replicate", interrupted_after(0))
    code, out, error = call("run", file, "--out", tmp_path / "out", "--lang", "nl")
    assert (code, out) == (INTERRUPTED, "")
    assert error == "Onderbroken. Er was nog niets af en er is niets geschreven.\n"
    assert list(tmp_path.iterdir()) == [file]


def test_an_interruption_elsewhere_is_told_in_one_line(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("flowsim.plan.figures.load_figures", interrupt)
    assert call("plan") == (INTERRUPTED, "", "flowsim: interrupted; nothing was written\n")


def test_ctrl_c_stops_a_long_replication_at_once(file: Path, tmp_path: Path) -> None:
    """A hundred million residents: minutes of compiled code, which the process does not wait for."""
    file.write_text(NETWORK.replace("rate = 2.0", "rate = 250000.0"), encoding="utf-8")
    code = "import sys; from flowsim.cli import main; sys.exit(main())"
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "run", str(file), "--out", str(out), "--threads", "1"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    deadline = time.monotonic() + 120.0
    while not list(out.glob(".*.part")) and time.monotonic() < deadline:  # it has read the file and begins to run
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    time.sleep(2.0)
    assert process.poll() is None
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    printed, error = process.communicate(timeout=60.0)
    assert process.returncode == INTERRUPTED
    assert printed == ""
    assert error.splitlines()[-1] == "Interrupted. Nothing was finished yet and nothing was written."
    assert "Traceback" not in error
    assert time.monotonic() - began < 30.0
    assert list(tmp_path.iterdir()) == [file]


# ---------------------------------------------------------------- writing, and the console


def test_files_appear_together_or_not_at_all(tmp_path: Path) -> None:
    one, two = tmp_path / "a" / "b" / "one", tmp_path / "a" / "two"
    with Writing([one, two]) as files:
        files.write(one, lambda stream: stream.write(b"1"))
        files.write(two, lambda stream: stream.write(b"2"))
        assert not one.exists()
    assert list(tmp_path.iterdir()) == []
    with Writing([one, two]) as files:
        files.write(one, lambda stream: stream.write(b"1"))
        files.write(two, lambda stream: stream.write(b"2"))
        files.commit()
    assert (one.read_bytes(), two.read_bytes()) == (b"1", b"2")
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a", "b", "one", "two"]


def test_one_bad_place_spoils_all(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with (
        pytest.raises(InputError, match="cannot be written"),
        Writing([tmp_path / "new" / "x", tmp_path / "file" / "y"]),
    ):
        pytest.fail("entered")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_link_stays_a_link_and_a_pipe_is_written_to(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.write_bytes(b"old")
    link.symlink_to(real)
    with Writing([link, Path(os.devnull)]) as files:
        files.write(link, lambda stream: stream.write(b"new"))
        files.write(Path(os.devnull), lambda stream: stream.write(b"gone"))
        files.commit()
    assert link.is_symlink()
    assert real.read_bytes() == b"new"
    assert not Path(os.devnull).is_file()


def test_a_table_is_drawn_on_a_terminal_and_plain_elsewhere(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    header, rows = ["Name", "Wait"], [["clinic [1]", "12.5"], ["w", "3.0"]]
    console.print_table(header, rows, title="Waits")
    assert capsys.readouterr().out == "Waits\nName        Wait\nclinic [1]  12.5\nw            3.0\n"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    console.print_table(header, rows, title="Waits")
    drawn = capsys.readouterr().out
    assert "clinic [1]" in drawn  # not taken for markup
    assert "──" in drawn


def test_the_counter_shows_only_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with console.Counter("Runs", 10) as counter:
        counter.show(1)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    with console.Counter("Runs", 10) as counter:
        counter.show(1)
        counter.show(2)  # too soon after the first
    error = capsys.readouterr().err
    assert "Runs 1/10" in error
    assert "2/10" not in error
    assert error.endswith("\r\x1b[K")
