"""The command line: what it prints, its exit codes, and that bad input gives one message and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pandas as pd
import pytest

import flowsim
from flowsim.cli import DONE, INTERRUPTED, MISSED, UNUSABLE, main
from flowsim.cli.files import Writing
from flowsim.errors import InputError
from flowsim.model.network import read_toml
from flowsim.present import console
from flowsim.study import replicate

NETWORK = """
title = "A clinic and a ward"
horizon = 400.0
warm_up = 100.0
snapshot_every = 50.0
classes = ["a", "b"]

[[stations]]
name = "clinic"
servers = 3
service = {distribution = "exponential", mean = 1.2}
patience = {distribution = "exponential", mean = 30.0}

[[stations]]
name = "ward"
servers = "inf"
service = {distribution = "exponential", mean = 1.2}

[[arrivals]]
class = "a"
station = "clinic"
rate = 2.0

[[routes]]
from = "clinic"
to = {ward = 0.1, exit = 0.9}
"""
FILES = ["manifest.json", "periods.csv", "stations.csv", "summary.csv", "waiting.csv"]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "network.toml"
    path.write_text(NETWORK, encoding="utf-8")
    return path


Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Call:
    """Run a command in this process: (exit code, standard output, standard error)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        return code, *capsys.readouterr()

    return run


def refused(result: tuple[int, str, str], *parts: str) -> None:
    """Exit 2, nothing on standard output, one line that holds the parts."""
    code, out, error = result
    assert (code, out) == (UNUSABLE, "")
    assert error.startswith("flowsim: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    for part in parts:
        assert part in error


# ---------------------------------------------------------------- help and version


def test_help_lists_the_commands_there_are(call: Call) -> None:
    code, out, _ = call("--help")
    assert code == DONE
    listed = re.findall(r"^  (\w+) ", out.partition("Commands:")[2], re.M)
    assert listed[:4] == ["plan", "run", "check", "schema"]
    for command in listed:
        code, out, _ = call(command, "--help")
        assert code == DONE
        assert "--help" in out
    assert call() == call("--help")


def test_version(call: Call) -> None:
    assert call("--version") == (DONE, f"flowsim {flowsim.__version__}\n", "")


def test_help_loads_nothing_heavy() -> None:
    heavy = {"numpy", "numba", "pandas", "scipy", "matplotlib", "simpy", "pydantic", "rich", "pyarrow"}
    code = f"import sys\nfrom flowsim.cli import main\nmain(['--help'])\nassert not {heavy!r} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


# ---------------------------------------------------------------- plan


def test_plan_in_every_form(call: Call) -> None:
    code, out, error = call("plan")
    assert (code, error) == (DONE, "")
    assert out.startswith("De tabellen van het transformatieplan")
    assert call("plan", "--lang", "en")[1].startswith("The tables of the transformation plan")
    document = json.loads(call("plan", "--json")[1])
    assert document == json.loads(call("plan", "--format", "json", "--region", "amstelland")[1])
    assert len(document["checks"]) == sum(document["counts"].values()) > 500
    assert len(call("plan", "--format", "csv")[1].splitlines()) == 1 + len(document["checks"])


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--lang", "fr"], ["'fr'", "nl, en"]),
        (["--format", "xml"], ["'xml'", "text, json, csv"]),
        (["--region", "mars"], ["mars", "amstelland"]),
        (["--region", "/nowhere/at/all"], ["/nowhere/at/all", "a directory"]),
        (["--json", "--format", "csv"], ["--json", "--format csv"]),
    ],
)
def test_plan_refuses_other_options(call: Call, options: list[str], parts: list[str]) -> None:
    refused(call("plan", *options), *parts)


# ---------------------------------------------------------------- schema and check


def test_schema_accepts_a_network_and_refuses_a_broken_one(call: Call, file: Path) -> None:
    code, out, _ = call("schema", "network")
    assert code == DONE
    assert call("schema")[1] == out
    schema = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(schema)
    document = read_toml(file)
    jsonschema.validate(document, schema)
    for broken in ({"horizon": -1.0}, {"classes": []}, {"stations": [{"name": "clinic"}]}, {"surprise": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document | broken, schema)
    refused(call("schema", "spaceship"), "'spaceship'", "network")


def test_check_says_what_a_network_holds(call: Call, file: Path) -> None:
    code, out, error = call("check", file)
    assert (code, error) == (DONE, "")
    assert out == f"{file}: a usable network with 2 stations and 2 patient classes. About 800 residents will come.\n"
    assert "een bruikbaar netwerk met 2 stations" in call("check", file, "--lang", "nl")[1]
    assert json.loads(call("check", file, "--json")[1]) == {
        "file": str(file), "usable": True, "kind": "network", "stations": 2, "classes": 2, "arrivals": 800
    }  # fmt: skip


def test_check_tells_a_program_what_is_wrong(call: Call, file: Path) -> None:
    file.write_text(NETWORK.replace("servers = 3", "servers = -3"), encoding="utf-8")
    code, out, error = call("check", file, "--json")
    assert code == UNUSABLE
    found = json.loads(out)
    assert (found["usable"], found["found"]) == (False, "-3")
    assert found["where"].endswith("stations.clinic.servers")
    assert found["where"] in error


# ---------------------------------------------------------------- run


def test_run_prints_means_with_intervals(call: Call, file: Path) -> None:
    code, out, error = call("run", file, "--seed", "4")
    assert (code, error) == (DONE, "")
    lines = out.splitlines()
    assert lines[0] == "A clinic and a ward"
    assert lines[1].split() == [
        "Station",
        "Arrived",
        "Started",
        "Completed",
        "Gave",
        "up",
        "Wait",
        "Waiting",
        "Utilisation",
    ]
    assert re.match(r"clinic +\d{3} ± \d+ .* 7\d\.\d% ± \d\.\d$", lines[2])
    assert lines[3].endswith("-")  # the ward has no limit, so no utilisation
    assert lines[4] == "Means over 20 replications, with 95% intervals. Seed 4, engine compiled."
    dutch = call("run", file, "--lang", "nl", "--replications", "1")[1]
    assert "Bezetting" in dutch
    assert "±" not in dutch


def test_run_is_the_same_on_every_number_of_threads_and_on_both_engines(call: Call, file: Path, tmp_path: Path) -> None:
    made = {}
    for name, options in {
        "one": ["--threads", 1],
        "two": ["--threads", 2],
        "reference": ["--engine", "reference"],
    }.items():
        out, log = tmp_path / name, tmp_path / name / "events.csv"
        code, _, error = call("run", file, "--out", out, "--log", log, "--replications", 3, "--seed", 5, *options)
        assert code == DONE
        assert error == f"Written: {out}\nWritten: {log}\n"
        assert sorted(path.name for path in out.iterdir()) == sorted([*FILES, "events.csv"])
        made[name] = [path.read_bytes() for path in sorted(out.glob("*.csv"))]
    assert made["one"] == made["two"] == made["reference"]


def test_what_run_writes_is_what_simulate_gives(call: Call, file: Path, tmp_path: Path) -> None:
    log = tmp_path / "deep" / "er" / "log.parquet"
    assert call("run", file, "--out", tmp_path / "out", "--log", log, "--replications", "2", "--seed", "9")[0] == DONE
    expected = flowsim.simulate(flowsim.Network.from_toml(file), replications=2, seed=9, log=True)
    for table in ("stations", "waiting", "periods"):
        written = pd.read_csv(tmp_path / "out" / f"{table}.csv")
        pd.testing.assert_frame_equal(written, getattr(expected, table), check_dtype=False, rtol=1e-12)
    pd.testing.assert_frame_equal(pd.read_parquet(log), expected.events)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    assert manifest["flowsim"] == flowsim.__version__
    assert (manifest["seed"], manifest["engine"], manifest["replications_done"]) == (9, "compiled", 2)
    again = flowsim.simulate(flowsim.Network.from_dict(manifest["document"]), replications=2, seed=9)
    assert again.stations.equals(expected.stations)


def test_run_as_json(call: Call, file: Path) -> None:
    code, out, _ = call("run", file, "--json", "--replications", "5")
    assert code == DONE
    found = json.loads(out)
    assert (found["replications_done"], found["engine"], found["seed"]) == (5, "compiled", 0)
    by_name = {(row["station"], row["measure"]): row for row in found["summary"]}
    assert by_name["ward", "utilisation"]["mean"] is None  # JSON has no NaN
    wait = by_name["clinic", "mean_wait"]
    assert wait["low"] < wait["mean"] < wait["high"]


def test_run_replaces_what_was_there_and_leaves_other_files(call: Call, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "stations.csv").write_text("old", encoding="utf-8")
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    assert call("run", file, "--out", out, "--replications", "1")[0] == DONE
    assert sorted(path.name for path in out.iterdir()) == sorted([*FILES, "mine.txt"])
    assert (out / "stations.csv").read_text("utf-8").startswith("replication,station,")


# ---------------------------------------------------------------- bad input

BROKEN = {
    "rate nan": ("rate = 2.0", "rate = nan", ["arrivals.0.rate", "nan"]),
    "rate infinite": ("rate = 2.0", "rate = inf", ["arrivals.0.rate", "inf"]),
    "rate negative": ("rate = 2.0", "rate = -2.0", ["arrivals.0.rate", "-2.0"]),
    "rate huge": ("rate = 2.0", "rate = 1e308", ["arrivals.0.rate", "1e+308"]),
    "too many arrivals": ("rate = 2.0", "rate = 1e11", ["arrivals.0", "4e+13"]),
    "rate as text": ("rate = 2.0", 'rate = "2"', ["arrivals.0.rate", "'2'"]),
    "probabilities": ("ward = 0.1", "ward = 0.3", ["routes from clinic", "1.2", "add to 1"]),
    "route to nowhere": ("ward = 0.1", "word = 0.1", ["routes from clinic", "word", "clinic, ward"]),
    "unreachable": ("ward = 0.1, exit = 0.9", "exit = 1.0", ["stations.ward", "nothing leads to"]),
    "horizon zero": ("horizon = 400.0", "horizon = 0", ["horizon", "found 0"]),
    "horizon negative": ("horizon = 400.0", "horizon = -1.0", ["horizon", "-1.0"]),
    "horizon missing": ("horizon = 400.0", "", ["horizon", "required"]),
    "warm-up too long": ("warm_up = 100.0", "warm_up = 400.0", ["warm_up", "horizon"]),
    "unknown key": ("servers = 3", "servers = 3\nservants = 2", ["stations.clinic.servants", "unknown key"]),
    "unknown class": ('class = "a"', 'class = "z"', ["arrivals.0.class", "z"]),
    "mean zero": ("mean = 30.0", "mean = 0.0", ["stations.clinic.patience", "0"]),
    "distribution": ('"exponential", mean = 30.0', '"normal", mean = 30.0', ["stations.clinic.patience", "normal"]),
    "half a file": (NETWORK[len(NETWORK) // 2 :], "[[stations", ["not TOML"]),
}


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_network_is_refused(call: Call, file: Path, tmp_path: Path, case: str, command: str) -> None:
    before, after, parts = BROKEN[case]
    assert before in NETWORK
    file.write_text(NETWORK.replace(before, after, 1), encoding="utf-8")
    out = ["--out", tmp_path / "out"] if command == "run" else []
    refused(call(command, file, *out), str(file), *parts)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "an empty file"),
        (b" \n\t\n", "an empty file"),
        (b"\x00\xff\xfe\x01 binary \x80", "binary data"),
        (b"to whom it may concern", "not TOML"),
        (b"PK\x03\x04", "not TOML"),
    ],
)
def test_a_file_that_is_no_toml_is_refused(call: Call, tmp_path: Path, command: str, content: bytes, part: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_bytes(content)
    refused(call(command, path), str(path), part)


def test_a_missing_file_and_a_folder_are_refused(call: Call, tmp_path: Path) -> None:
    for command in ("run", "check"):
        refused(call(command, tmp_path / "none.toml"), "none.toml", "no such file")
        refused(call(command, tmp_path), str(tmp_path), "a directory")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--seed", "abc"], ["--seed", "'abc'", "a whole number", "flowsim run --help"]),
        (["--seed", "1.5"], ["--seed", "'1.5'"]),
        (["--seed", "-1"], ["seed", "-1"]),
        (["--seed", str(2**63)], ["seed", str(2**63)]),
        (["--replications", "0"], ["replications", "found 0"]),
        (["--replications", "many"], ["--replications", "'many'"]),
        (["--threads", "0"], ["threads", "found 0"]),
        (["--threads", "x"], ["--threads", "'x'"]),
        (["--engine", "steam"], ["engine", "'steam'", "compiled, reference"]),
        (["--lang", "xx"], ["language", "'xx'"]),
        (["--log", "log.txt"], ["--log", "'.txt'", ".parquet"]),
        (["--colour", "red"], ["--colour", "flowsim run --help"]),
        (["--seed"], ["--seed", "argument"]),
        (["another.toml"], ["another.toml"]),
    ],
)
def test_bad_options_are_refused(
    call: Call, file: Path, tmp_path: Path, options: list[str], parts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(call("run", file, "--out", tmp_path / "out", *options), *parts)
    assert list(tmp_path.iterdir()) == [file]


def test_unknown_commands_and_missing_files_are_refused(call: Call) -> None:
    refused(call("walk"), "'walk'", "flowsim --help")
    refused(call("run"), "FILE", "flowsim run --help")
    refused(call("--speed"), "--speed")


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


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    code = "import sys; from flowsim.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "plan"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == DONE


def test_a_fault_in_flowsim_is_told_in_one_line(call: Call, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowsim.model.network.read_toml", lambda _: 1 / 0)
    code, out, error = call("check", file)
    assert (code, out) == (MISSED, "")
    assert error.count("\n") == 1
    assert "ZeroDivisionError" in error
    monkeypatch.setenv("FLOWSIM_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["check", str(file)])


def test_too_little_memory_is_told_in_one_line(call: Call, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("flowsim.model.network.read_toml", none)
    refused(call("check", file), "memory")


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
