"""`flowsim report`: the same PDF simulated or read back, refusals that write nothing, interruption."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from command_line import Call, refused
from pypdf import PdfReader

import flowsim.study.answer as study
from flowsim.cli import DONE, INTERRUPTED, UNUSABLE
from flowsim.present.progress import StudyProgress
from flowsim.present.report import charts
from flowsim.scenario.load import load
from flowsim.study import store

DOT = "<svg xmlns='http://www.w3.org/2000/svg' width='600' height='220'><circle cx='40' cy='40' r='3'/></svg>"
DIVERTED = """
title = "A fifth is diverted [/bold] $"
diversion = 0.2
"""


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few futures; dots for pictures, which tests/present draws."""
    for name in ("LEAST", "BATCH", "SECOND_RUNS", "CALIBRATION"):
        monkeypatch.setattr(study, name, 6)
    monkeypatch.setattr(study, "CURVE", (0.1, 0.3))
    monkeypatch.setattr(study, "CURVE_FUTURES", 2)
    monkeypatch.setattr(charts, "svg", lambda draw: DOT)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    path = tmp_path / "fifth.toml"
    path.write_text(DIVERTED, encoding="utf-8")
    return path


def test_simulated_or_read_back_the_report_is_the_same(call: Call, scenario: Path, tmp_path: Path) -> None:
    coarse = ("--half-width", "0.3", "--seed", "6")
    first, second = tmp_path / "deep" / "a.pdf", tmp_path / "b.PDF"
    code, out, said = call("report", scenario, *coarse, "--out", first)
    assert (code, out) == (DONE, "")
    assert said.endswith(f"Het rapport staat in {first}.\n")
    found = study.answer(load(scenario), 0.3, seed=6)
    (tmp_path / "results").mkdir()
    store.write_tables(tmp_path / "results", found.tables)
    store.write_json(tmp_path / "results" / "manifest.json", study.manifest(found, 1.0))
    assert call("report", "--from", tmp_path / "results", "--out", second)[0] == DONE
    assert first.read_bytes() == second.read_bytes()
    reader = PdfReader(first)
    assert 6 <= len(reader.pages) <= 10
    assert "A fifth is diverted [/bold] $" in reader.pages[0].extract_text()
    # its tables as a workbook
    book, again = tmp_path / "deep" / "tables.XLSX", tmp_path / "deep" / "again.xlsx"
    assert call("report", "--from", tmp_path / "results", "--out", book)[0] == DONE
    assert call("report", "--from", tmp_path / "results", "--out", again, "--format", "xlsx")[0] == DONE
    assert book.read_bytes() == again.read_bytes()
    with zipfile.ZipFile(book) as archive:
        assert "A fifth is diverted [/bold] $" in archive.read("xl/sharedStrings.xml").decode()
    for one in (book, again):
        one.unlink()
    # twice the same results beside each other: no difference at all
    both = ("--from", tmp_path / "results", "--from", tmp_path / "results")
    code, _, said = call("report", *both, "--out", first, "--lang", "en")
    assert code == DONE
    text = PdfReader(first).pages[2].extract_text()
    assert "Scenario A" in text
    assert "0 (0 to 0)" in text
    assert [file.name for file in first.parent.iterdir()] == ["a.pdf"]
    # of another version: said in a line
    manifest = tmp_path / "results" / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"flowsim": "', '"flowsim": "0.0.', 1))
    # tables that are there but say nothing sensible: one message
    years = tmp_path / "results" / "years.parquet"
    pd.read_parquet(years).assign(measure="?").to_parquet(years)
    code, out, said = call("report", "--from", tmp_path / "results", "--out", tmp_path / "c.pdf")
    assert (code, out) == (UNUSABLE, "")
    assert "de versie van flowsim was 0.0." in said
    assert said.splitlines()[-1].startswith(f"flowsim: --from {tmp_path / 'results'}: found tables that cannot be told")
    assert not (tmp_path / "c.pdf").exists()


def test_interrupted_the_report_tells_what_was_finished(
    call: Call, scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def show(self: StudyProgress, name: str, done: int, expected: int) -> None:
        if name == "balance":
            raise KeyboardInterrupt

    monkeypatch.setattr(StudyProgress, "__call__", show)
    place = tmp_path / "r.pdf"
    code, out, said = call("report", scenario, "--half-width", "0.3", "--out", place, "--lang", "en")
    assert (code, out) == (INTERRUPTED, "")
    assert f"Interrupted. What was finished is in {place}." in said
    assert "NOTE: the run was interrupted." in PdfReader(place).pages[0].extract_text()


def test_interrupted_before_anything_nothing_is_written(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(**_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "answer", lambda *_, **__: interrupt())
    code, out, said = call("report", "--out", tmp_path / "deep" / "r.pdf", "--lang", "en")
    assert (code, out) == (INTERRUPTED, "")
    assert "Nothing was finished yet" in said
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_used_is_refused_before_anything_is_simulated(
    call: Call, scenario: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: Any, **__: Any) -> None:
        raise AssertionError("simulated")

    monkeypatch.setattr("flowsim.study.futures.run_in_two", never)
    (tmp_path / "folder.pdf").mkdir()
    before = sorted(tmp_path.iterdir())
    good = ("--out", tmp_path / "r.pdf")
    refused(call("report", "--out", tmp_path / "r.docx"), "--out", "r.docx", ".pdf or .html or .xlsx")
    refused(call("report", "--out", tmp_path / "r.pdf", "--format", "html"), "--out", "r.pdf", ".html")
    refused(call("report", "--out", tmp_path / "r.docx", "--format", "docx"), "--format", "docx")
    refused(call("report", "--out", tmp_path / "folder.pdf"), "a folder", "a file to write")
    refused(call("report", "--out", "/proc/flowsim/r.pdf"), "cannot be written")
    refused(call("report", scenario.with_name("nowhere.toml"), *good), "nowhere.toml", "no such file")
    refused(call("report", *[scenario] * 5, *good), "SCENARIO", "5 of them", "at most 4")
    refused(call("report", *good, "--half-width", "0"), "--half-width:", "0.002")
    refused(call("report", *good, "--seed", "-1"), "seed")
    refused(call("report", *good, "--threads", "0"), "threads")
    refused(call("report", *good, "--lang", "fr"), "--lang: found 'fr'; expected one of nl, en")
    refused(call("report", *good, "--from", tmp_path / "nowhere"), "no folder")
    refused(call("report", *good, "--from", tmp_path, "--seed", "2"), "--from", "--seed beside it")
    refused(call("report", scenario, *good, "--from", tmp_path), "--from", "SCENARIO beside it")
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(("form", "writer"), [("pdf", "Typst"), ("xlsx", "XlsxWriter")])
def test_without_what_writes_it_it_says_what_to_install(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, writer: str
) -> None:
    monkeypatch.setitem(sys.modules, writer.lower(), None)
    monkeypatch.setattr(study, "answer", lambda *_, **__: pytest.fail("simulated"))
    refused(call("report", "--out", tmp_path / f"r.{form}"), f"no {writer}", "pip install '.[app]'")
    assert list(tmp_path.iterdir()) == []


def test_a_region_without_promises_is_refused_before_anything_is_simulated(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "answer", lambda *_, **__: pytest.fail("simulated"))
    region = Path(__file__).resolve().parents[2] / "experiments" / "regions" / "polder"
    refused(
        call("report", region, "--out", tmp_path / "r.pdf"), "no targets.toml in polder", "the promises of the plan"
    )
    assert list(tmp_path.iterdir()) == []
