"""`flowsim update` from the command line: what it prints and writes, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from command_line import Call, refused

from flowsim.cli import DONE, INTERRUPTED, MISSED
from flowsim.present.texts import text
from flowsim.study import observed
from flowsim.study import update as study

FEW = "# VERZONNEN\nkwartaal;wachtlijst;verkennende_gesprekken\n2026-Q1;905;25\n2026-Q2;;27\n"


@pytest.fixture
def counts(tmp_path: Path) -> Path:
    file = tmp_path / "counts.csv"
    file.write_text(FEW, encoding="utf-8-sig")
    return file


def test_a_forecast_is_printed_and_written(call: Call, counts: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, printed, _ = call("update", counts, "--futures", "128", "--out", out)
    assert code == DONE
    words = " ".join(printed.split())
    assert "VERZONNEN" in words.partition(".csv")[2][:60]
    for key in ("table.summary.title", "table.years.title", "table.counts.title", "quality.title", "read.title"):
        assert text("nl", f"update.{key}") in words
    names = ("summary", "years", "counts", "diagnostics", "moved", "unknowns", "fan", "futures")
    files = {f"{name}.{kind}" for name in names for kind in ("csv", "parquet")}
    assert {file.name for file in out.iterdir()} == files | {
        "datapackage.json",
        "manifest.json",
        "forecast.png",
        "forecast.svg",
    }
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["asked"] == {"seed": 1, "futures": 128, "half_width": 0.05}
    counted = manifest["observed"].pop("counts")
    assert [tuple(row) for row in counted] == [
        (str(q), code, x) for (q, code), x in observed.read(counts).cells.items()
    ]
    assert manifest["observed"] == {
        "name": "counts.csv",
        "digest": observed.read(counts).digest,
        "made_up": True,
        "cells": 3,
    }
    counted = pd.read_parquet(out / "counts.parquet")
    assert list(counted["counted"]) == [25.0, 27.0, 905.0]

    code, printed, error = call("update", counts, "--futures", "128", "--out", out, "--json", "--lang", "en")
    assert (code, error) == (DONE, "")
    document = json.loads(printed)
    assert document["forecast"]
    assert document["observed"] == {"name": "counts.csv", "made_up": True}
    assert {row["event"] for row in document["summary"]} == {"cleared", "wait_halved"}
    summary = pd.read_parquet(out / "summary.parquet")
    assert document["summary"][0]["new"] == summary["new"][0]


def test_no_forecast_is_a_check_that_was_missed(
    call: Call, counts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "FIRST", 64)
    counts.write_text(FEW.replace("905", "9050"), encoding="utf-8")
    code, printed, _ = call("update", counts, "--out", tmp_path / "out", "--lang", "en")
    assert code == MISSED
    words = " ".join(printed.split())
    assert text("en", "update.head.conflict") in words
    assert "waiting list, end of the quarter in 2026-Q1: counted 9,050." in words
    assert {file.stem for file in (tmp_path / "out").iterdir()} == {"counts", "datapackage", "diagnostics", "manifest"}


def test_an_interruption_before_anything_is_finished_writes_nothing(
    call: Call, counts: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "run_in_two", stop)
    code, printed, error = call("update", counts, "--out", tmp_path / "out")
    assert (code, printed) == (INTERRUPTED, "")
    assert text("nl", "update.run.nothing_done") in error
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_the_template_is_written_once(call: Call, tmp_path: Path, lang: str) -> None:
    file = tmp_path / "new" / "counts.csv"
    code, printed, error = call("update", "--template", file, "--lang", lang)
    assert (code, printed) == (DONE, "")
    assert str(file) in error
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    assert text(lang, "update.template.line_1") in content.decode("utf-8-sig")
    refused(call("update", "--template", file), "a file that exists")
    assert file.read_bytes() == content
    refused(call("update", file, "--out", tmp_path / "out"), "no counts")
    refused(call("update", file, "--template", tmp_path / "other.csv"), "--template", "alone")


@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"kwartaal;wachtlijst\n2026-Q1;123456782\n", "citizen service number"),
        (b"kwartaal;naam\n2026-Q1;x\n", "a heading of a column about persons"),
        (b"kwartaal;wachtlijst\n2026-Q1;1\n2026-Q1;1\n2026-Q1;1\n", "one row per person"),
        (b"", "an empty file"),
        (b"\x00\x01", "binary data"),
    ],
)
def test_what_is_no_file_of_counts_is_refused(call: Call, tmp_path: Path, content: bytes, part: str) -> None:
    file = tmp_path / "counts.csv"
    file.write_bytes(content)
    refused(call("update", file, "--out", tmp_path / "out"), part)
    assert not (tmp_path / "out").exists()


def test_places_and_options_that_cannot_be_used_are_refused(call: Call, counts: Path, tmp_path: Path) -> None:
    refused(call("update"), "OBSERVED", "--template")
    refused(call("update", tmp_path), "a folder")
    refused(call("update", tmp_path / "none.csv"), "no such file")
    refused(call("update", counts, tmp_path / "none.toml"), "no such file")
    refused(call("update", counts, "--lang", "fr"), "'fr'")
    refused(call("update", counts, "--futures", "many"), "many")
    refused(call("update", counts, "--futures", "3", "--out", tmp_path / "out"), "futures", "128")
    refused(call("update", counts, "--out", counts), str(counts))
    assert not (tmp_path / "out").exists()
