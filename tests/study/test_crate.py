"""Results as an RO-Crate: complete, and the same bytes when they are run again from it."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from rocrate.rocrate import ROCrate

import flowsim
from flowsim.cli import DONE, MISSED, UNUSABLE, main
from flowsim.errors import InputError
from flowsim.study import store
from flowsim.study.answer import manifest
from flowsim.study.crate import METADATA, REGION, check_crate, kind_of, make_crate

POLDER = Path(__file__).resolve().parents[2] / "experiments" / "regions" / "polder"
NETWORK = """
title = "A desk"
horizon = 60.0
classes = ["a"]

[[stations]]
name = "desk"
servers = 1
service = {distribution = "exponential", mean = 1.0}

[[arrivals]]
class = "a"
station = "desk"
rate = 0.5
"""


def answered(folder: Path, region: Path) -> Path:
    """The results of a very coarse answer, as `flowsim answer` writes them."""
    found = flowsim.answer(str(region), half_width=0.5, most=3, curve=False, threads=2)
    store.write_tables(folder, found.tables)
    store.write_json(folder / "manifest.json", manifest(found, 1.0))
    return folder


@pytest.fixture(scope="module")
def region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(POLDER, tmp_path_factory.mktemp("here") / "polder"))


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory, region: Path) -> Path:
    folder = answered(tmp_path_factory.mktemp("results"), region)
    make_crate(folder)
    return folder


def entities(folder: Path) -> dict[str, dict[str, object]]:
    return {one["@id"]: one for one in json.loads((folder / METADATA).read_text("utf-8"))["@graph"]}


def test_a_crate_names_every_file_what_made_it_and_what_to_cite(crate: Path) -> None:
    graph = entities(crate)
    assert graph[METADATA]["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    root = graph["./"]
    assert all(root[key] for key in ("name", "description", "datePublished", "license", "citation"))
    there = {str(file.relative_to(crate)) for file in crate.rglob("*") if file.is_file()} - {METADATA}
    assert {one["@id"] for one in root["hasPart"]} == there  # type: ignore[attr-defined]
    assert f"{REGION}/demand.toml" in there
    action = graph["#run"]
    inputs, outputs = ({one["@id"] for one in action[key]} for key in ("object", "result"))  # type: ignore[attr-defined]
    assert inputs | outputs == there
    assert not inputs & outputs
    assert {"summary.csv", "summary.parquet", "datapackage.json"} <= outputs
    assert graph["#flowsim"]["softwareVersion"] == flowsim.__version__
    names = {one.get("name") for one in graph.values()}
    assert {"numpy", "numba", "MADE UP: no document, an example of flowsim"} <= names
    assert ROCrate(crate).name == "flowsim answer: The plan as it stands"
    before = (crate / METADATA).read_bytes()
    make_crate(crate)
    assert (crate / METADATA).read_bytes() == before


def test_run_again_elsewhere_without_the_region_the_tables_are_the_same_bytes(
    crate: Path, region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = Path(shutil.copytree(crate, tmp_path / "moved"))
    aside = region.rename(region.parent / "gone")
    try:
        assert main(["crate", str(moved), "--again", str(tmp_path / "again"), "--json"]) == DONE
    finally:
        aside.rename(region)
    found = json.loads(capsys.readouterr().out)
    assert found["same"] is True
    assert len(found["tables"]) == 2 * 17
    for name in found["tables"]:
        assert (tmp_path / "again" / name).read_bytes() == (crate / name).read_bytes()


def test_a_run_again_from_its_crate_is_the_same_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "network.toml").write_text(NETWORK, encoding="utf-8")
    out = tmp_path / "out"
    assert (
        main(["run", str(tmp_path / "network.toml"), "--out", str(out), "--replications", "3", "--seed", "4"]) == DONE
    )
    (tmp_path / "network.toml").unlink()
    assert main(["crate", str(out)]) == DONE
    assert main(["crate", str(out), "--again", str(tmp_path / "again"), "--lang", "nl"]) == DONE
    assert "Alle 4 tabellen zijn gelijk" in capsys.readouterr().out
    monkeypatch.setattr("flowsim.cli.run._as_csv", lambda frame: lambda stream: stream.write(b"something else\n"))
    assert main(["crate", str(out), "--again", str(tmp_path / "other")]) == MISSED
    assert "4 differ" in capsys.readouterr().out
    assert main(["run", str(tmp_path / "again" / "none.toml"), "--out", str(out)]) == UNUSABLE
    assert (out / METADATA).exists()  # nothing was written
    (tmp_path / "other.toml").write_text(NETWORK, encoding="utf-8")
    assert main(["run", str(tmp_path / "other.toml"), "--out", str(out), "--replications", "2"]) == DONE
    assert not (out / METADATA).exists()  # it described other results
    assert main(["crate", str(out), "--again", str(tmp_path / "third")]) == UNUSABLE


def test_what_is_no_crate_is_refused(crate: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damaged = Path(shutil.copytree(crate, tmp_path / "damaged"))
    (damaged / "summary.csv").write_text("case\nnone\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"summary\.csv: found sha256"):
        check_crate(damaged)
    (damaged / METADATA).write_text("{}", encoding="utf-8")
    with pytest.raises(InputError, match="no RO-Crate"):
        check_crate(damaged)
    with pytest.raises(InputError, match="a folder with results of flowsim"):
        make_crate(tmp_path)
    for wrong in (
        [str(tmp_path)],
        [str(crate), "--again", str(crate)],
        [str(crate), "--again", str(crate / "in")],
        [str(crate), "--again", str(damaged)],
        [str(crate), "--threads", "2"],
    ):
        capsys.readouterr()
        assert main(["crate", *wrong]) == UNUSABLE
        out, error = capsys.readouterr()
        assert out == ""
        assert error.count("\n") == 1
    assert not (crate / "in").exists()


def test_figures_that_changed_since_the_run_are_refused(crate: Path, region: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(crate, tmp_path / "copy"))
    shutil.rmtree(copy / "inputs")
    file = region / "demand.toml"
    before = file.read_text("utf-8")
    file.write_text(before.replace("1_120", "1_130"), encoding="utf-8")
    try:
        with pytest.raises(InputError, match="changed since the run"):
            make_crate(copy)
        make_crate(crate)  # its own copy of the figures is that of the run
    finally:
        file.write_text(before, encoding="utf-8")


def test_manifests_are_told_apart() -> None:
    assert kind_of({"kind": "sweep"}) == "sweep"
    assert kind_of({"document": {}}) == "run"
    assert kind_of({"asked": {"curve": True}}) == "answer"
    assert kind_of({"asked": {"require": []}}) == "targets"
    assert kind_of({"asked": {"base": "plan"}, "scenarios": {}}) == "compare"
    assert kind_of({"asked": {"savings": False}, "scenarios": {}}) == "sensitivity"
    assert kind_of({"asked": {"levers": {}, "map": {}}}) == "seek"
    assert kind_of({"asked": {"futures": 128}, "observed": {}}) == "update"
