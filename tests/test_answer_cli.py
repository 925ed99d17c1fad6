"""`flowsim answer`: files, JSON, exit codes, refusals, repetition to the last bit, interruption."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import flowsim.study.answer as study
from flowsim.cli import DONE, INTERRUPTED, UNUSABLE, main
from flowsim.study.repeat import from_manifest

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"
TABLES = {
    *(
        "summary",
        "years",
        "months",
        "fan",
        "programmes",
        "queues",
        "volumes",
        "diverted",
        "diverted_months",
        "unknowns",
        "uncertainty",
        "differences",
        "futures",
    ),
    *("targets", "euros", "calibration", "measure_first"),
}
GROWING = """
title = "No network, and more demand than anybody thought"
[settings]
network = "none"
transfers = "fade"
[figures."assumptions.demand_growth"]
value = 0.0333333333333333333
because = "a number without end, to see that no digit gets lost"
[figures."functions.conversations"]
value = { 2025 = 50, 2026 = 200, 2027 = 400, 2028 = 600 }
because = "values by year"
"""


@pytest.fixture(scope="module", autouse=True)
def few_futures() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LEAST", "BATCH", "SECOND_RUNS", "CALIBRATION"):
            patch.setattr(study, name, 12)
        yield


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a coarse run of a scenario that changes figures and settings."""
    folder = tmp_path_factory.mktemp("answer")
    file = folder / "growing.toml"
    file.write_text(GROWING, encoding="utf-8")
    out = folder / "deep" / "out"
    code = main(["answer", str(file), "--half-width", "0.2", "--no-curve", "--seed", "7", "--out", str(out), "--json"])
    assert code == DONE
    return out


def test_every_table_and_plot_and_the_manifest_are_written(written: Path) -> None:
    expected = {f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")}
    expected |= {f"{name}.{kind}" for name in ("waiting", "unknowns") for kind in ("png", "svg")}
    assert {file.name for file in written.iterdir()} == {*expected, "datapackage.json", "manifest.json"}
    assert all(file.stat().st_size > 0 for file in written.iterdir())
    manifest = json.loads((written / "manifest.json").read_text("utf-8"))
    assert manifest["asked"] == {
        "seed": 7,
        "half_width": 0.2,
        "curve": False,
        "most": study.MOST,
        "draws": "independent",
    }
    assert manifest["interrupted"] is False
    assert manifest["futures"] == {"none": 12}


def test_a_run_is_repeated_to_the_last_bit(written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = written / "manifest.json"
    assert main(["answer", "--from", str(manifest), "--out", str(tmp_path), "--threads", "1"]) == DONE
    captured = capsys.readouterr()
    assert "Let op" not in captured.err
    assert "a number without end" in captured.out
    for name in TABLES:
        assert (tmp_path / f"{name}.csv").read_bytes() == (written / f"{name}.csv").read_bytes(), name
    again = json.loads((tmp_path / "manifest.json").read_text("utf-8"))
    before = json.loads(manifest.read_text("utf-8"))
    for key in ("asked", "futures", "scenario", "figures", "sources"):
        assert again[key] == before[key]


def test_a_manifest_gives_back_the_scenario(written: Path) -> None:
    wanted = from_manifest(written / "manifest.json")
    assert wanted.differences == ()
    assert not wanted.was_interrupted
    assert wanted.scenario.settings["transfers"] == "fade"
    assert wanted.scenario.book.value("assumptions.demand_growth") == 0.0333333333333333333
    assert [wanted.scenario.book.value("functions.conversations", year) for year in (2026, 2030)] == [200, 600]


def altered(written: Path, place: Path, **changes: Any) -> Path:
    content = json.loads((written / "manifest.json").read_text("utf-8"))
    for path, value in changes.items():
        *steps, last = path.split("__")
        part = content
        for step in steps:
            part = part[step]
        part[last] = value
    place.write_text(json.dumps(content), encoding="utf-8")
    return place


def test_another_version_is_said_in_a_line(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    older = altered(written, tmp_path / "older.json", flowsim="0.0.1", sources="0" * 16, interrupted=True)
    wanted = from_manifest(older)
    assert [what for what, _, _ in wanted.differences] == ["flowsim", "sources"]

    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "answer", interrupt)
    out = tmp_path / "out"
    assert main(["answer", "--from", str(older), "--out", str(out), "--lang", "en"]) == INTERRUPTED
    lines = capsys.readouterr().err.splitlines()
    assert any("the version of flowsim was 0.0.1" in line for line in lines)
    assert any("was interrupted. The repetition goes on" in line for line in lines)
    assert lines[-1] == "Interrupted. Nothing was finished yet and nothing was written."
    assert not out.exists()


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({"asked__seed": "1"}, "asked.seed"),
        ({"asked__curve": 1}, "asked.curve"),
        ({"asked__half_width": None}, "asked.half_width"),
        ({"asked__half_width": 7.0}, "half_width"),
        ({"asked__most": "many"}, "asked.most"),
        ({"scenario": []}, "scenario"),
        ({"scenario__region": "atlantis"}, "atlantis"),
        ({"scenario__settings": {"network": "sneakers"}}, "network"),
        ({"scenario__settings": {"colour": "red"}}, "colour"),
        ({"scenario__changes": [{"key": "assumptions.demand_growth"}]}, "scenario.changes.0.value"),
        ({"scenario__changes": [{"key": "no.such", "value": {"2025-01-01": 1}, "because": "x"}]}, "no.such"),
        ({"scenario__changes": ["x"]}, "scenario.changes.0"),
    ],
)
def test_a_broken_manifest_is_refused(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], changes: dict[str, Any], where: str
) -> None:
    broken = altered(written, tmp_path / "broken.json", **changes)
    out = tmp_path / "out"
    assert main(["answer", "--from", str(broken), "--out", str(out)]) == UNUSABLE
    refused(capsys, where)
    assert not out.exists()


def refused(capsys: pytest.CaptureFixture[str], where: str) -> None:
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert where in captured.err
    assert "fault in flowsim" not in captured.err


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (["--half-width", "abc"], "--half-width"),
        (["--half-width", "0"], "--half-width:"),
        (["--half-width", "-0.1"], "--half-width:"),
        (["--half-width", "nan"], "--half-width:"),
        (["--half-width", "0.6"], "--half-width:"),
        (["--seed", "1.5"], "--seed"),
        (["--seed", "-1"], "seed"),
        (["--threads", "0"], "threads"),
        (["--bogus"], "--bogus"),
        (["--lang", "fr"], "'fr'"),
        (["no/such/scenario.toml"], "no/such/scenario.toml"),
        ([str(EXPERIMENTS / "plan.toml"), "extra.toml"], "extra.toml"),
        (["--from", "no/such/manifest.json"], "no/such/manifest.json"),
        (["--from", str(EXPERIMENTS / "plan.toml")], "no JSON"),
        (["--from", "manifest.json", "--seed", "3"], "--seed beside it"),
        (["--from", "manifest.json", "--no-curve"], "--no-curve beside it"),
        (["--from", "manifest.json", "plan.toml"], "SCENARIO beside it"),
    ],
)
def test_unusable_arguments_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], where: str
) -> None:
    out = tmp_path / "deep" / "out"
    assert main(["answer", *arguments, "--out", str(out)]) == UNUSABLE
    refused(capsys, where)
    assert not out.parent.exists()


def test_a_folder_under_a_file_is_refused_before_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(**_: Any) -> None:
        raise AssertionError("simulated for nothing")

    monkeypatch.setattr(study, "answer", never)
    (tmp_path / "file").write_text("keep me", encoding="utf-8")
    for out in (tmp_path / "file" / "out", tmp_path / "file"):
        assert main(["answer", "--out", str(out)]) == UNUSABLE
        refused(capsys, str(out))
    assert (tmp_path / "file").read_text(encoding="utf-8") == "keep me"


@pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of files are a POSIX thing")
def test_a_full_disk_leaves_what_was_there(written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import resource

    (tmp_path / "summary.csv").write_text("of an earlier run", encoding="utf-8")
    scenario = str(EXPERIMENTS / "no_network.toml")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8192, before[1]))  # the largest file that can be written
    try:
        code = main(["answer", scenario, "--half-width", "0.2", "--no-curve", "--out", str(tmp_path), "--json"])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert code == UNUSABLE
    refused(capsys, str(tmp_path))
    assert [file.name for file in tmp_path.iterdir()] == ["summary.csv"]
    assert (tmp_path / "summary.csv").read_text(encoding="utf-8") == "of an earlier run"


def test_json_is_one_object_and_all_that_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    scenario = str(EXPERIMENTS / "diversion_10.toml")
    out = tmp_path / "out"
    assert main(["answer", scenario, "--half-width", "0.2", "--no-curve", "--out", str(out), "--json"]) == DONE
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    assert list(document["verdict"]["cases"]) == ["none", "diversion"]
    assert document["verdict"]["leading"] == "diversion"
    assert document["settings"]["network"] == "diversion"
    assert document["changes"] == {"functions.diversion": "10% of the demand diverted, however that is done"}
    assert document["seed"] == 1
    assert Path(document["manifest"]) == out / "manifest.json"
    for row in document["summary"]:
        assert 0.0 <= row["cleared_low"] <= row["cleared"] <= row["cleared_high"] <= 1.0
    assert {row["year"] for row in document["years"]} == {2025, 2026, 2027, 2028, 2029}


PROGRAM = """
import sys
import flowsim.study.answer as study
study.LEAST = study.BATCH = 12
from flowsim.cli import main
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send to another process")
@pytest.mark.parametrize("sent", [(signal.SIGINT,), (signal.SIGINT, signal.SIGINT), (signal.SIGTERM,)])
def test_an_interruption_keeps_what_was_finished(sent: tuple[signal.Signals, ...], tmp_path: Path) -> None:
    """Also of the impatient, who ask twice, and of a system that ends the process."""
    out = tmp_path / "out"
    command = [sys.executable, "-c", PROGRAM, "answer", "--half-width", "0.1", "--out", str(out), "--lang", "en"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, start_new_session=True
    )
    patience = threading.Timer(300.0, running.kill)
    patience.start()
    try:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("Clients: ") and not line.startswith("Clients: 1 "):  # two futures of a reading at least
                break
        for one in sent:
            running.send_signal(one)
            time.sleep(0.1)
        printed, said = running.communicate()
    finally:
        patience.cancel()
        running.kill()
    assert running.returncode == INTERRUPTED
    assert f"Interrupted. What was finished is kept in {out}." in said
    assert "NOTE: the run was interrupted" in printed
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["interrupted"] is True
    assert manifest["asked"]["curve"] is True
    assert sum(manifest["futures"].values()) > 1
    header, *rows = (out / "futures.csv").read_text("utf-8").splitlines()
    assert header.startswith("case,future,")
    assert len(rows) == sum(manifest["futures"].values())
    assert (out / "waiting.png").exists()
