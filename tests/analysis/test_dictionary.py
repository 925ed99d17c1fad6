"""Data dictionaries: no column of any table goes without its meaning."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from described_tables import check_dictionary

import flowsim
from flowsim.analysis.dictionary import fields, meaning, package
from flowsim.study import store
from flowsim.study.targets import evaluate

NETWORK = {
    "horizon": 20.0,
    "classes": ["a"],
    "stations": [{"name": "desk", "servers": 1, "service": {"distribution": "exponential", "mean": 1.0}}],
    "arrivals": [{"class": "a", "station": "desk", "rate": 0.5}],
}
SWEEP = """
title = "Two levels"
scenario = "plan"
outcomes = ["cleared", "waiting_2029"]
futures = 2
seed = 1
[design]
kind = "one_at_a_time"
[factors]
"assumptions.demand_growth" = { values = [0.0, 0.01] }
"settings.reading" = { values = ["net", "capacity"] }
"""


def tables_of(command: str) -> dict[str, pd.DataFrame]:
    """The tables of a command, from the smallest run that makes them all."""
    if command == "answer":
        return flowsim.answer(half_width=0.5, most=3, curve=False).tables
    if command == "targets":
        return evaluate(None, 2).tables
    if command == "compare":
        places = ["experiments/plan.toml", "experiments/growth_3.toml"]
        asked = {"futures": 2, "follow_residents": True, "best": "overdue", "indifference": 1e6}
        return flowsim.compare(places, **asked).tables  # type: ignore[arg-type]
    found = flowsim.simulate(flowsim.Network.from_dict(NETWORK), replications=2, seed=1, log=True)
    names = ("stations", "waiting", "periods", "events")
    return {name: getattr(found, name) for name in names} | {"summary": found.summary()}


@pytest.mark.parametrize("command", ["answer", "targets", "compare", "run"])
def test_every_column_has_a_meaning(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowsim.study.select.FIRST_STAGE", 3)
    check_dictionary(command, tables_of(command))


def test_a_sweep_describes_its_tables(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text('title = "The plan"\n', encoding="utf-8")
    (tmp_path / "two.toml").write_text(SWEEP, encoding="utf-8")
    flowsim.sweep(tmp_path / "two.toml", tmp_path / "out", threads=2)
    described = json.loads((tmp_path / "out" / "datapackage.json").read_text("utf-8"))
    paths = []
    for one in described["resources"]:
        files = one["path"] if isinstance(one["path"], list) else [one["path"]]
        paths += files
        read = pd.read_csv if files[0].endswith("csv") else pd.read_parquet
        assert list(read(tmp_path / "out" / files[0]).columns) == [field["name"] for field in one["schema"]["fields"]]
        assert all(field["description"] for field in one["schema"]["fields"])
    there = {str(file.relative_to(tmp_path / "out")) for file in (tmp_path / "out").rglob("*.*") if file.is_file()}
    assert there - set(paths) <= {"manifest.json", "datapackage.json"}


def test_the_description_lies_beside_the_tables_and_fits_them(tmp_path: Path) -> None:
    table = pd.DataFrame({"case": ["none"], "futures": [3], "cleared": [0.5], "cleared_low": [0.1], "stands": [True]})
    store.write_tables(tmp_path, {"summary": table}, "answer")
    described = json.loads((tmp_path / "datapackage.json").read_text("utf-8"))
    assert {one["path"] for one in described["resources"]} == {"summary.csv", "summary.parquet"}
    by_name = {field["name"]: field for field in described["resources"][0]["schema"]["fields"]}
    kinds = {name: field["type"] for name, field in by_name.items()}
    wanted = {"case": "string", "futures": "integer", "cleared": "number", "cleared_low": "number", "stands": "boolean"}
    assert kinds == wanted
    assert by_name["cleared"]["unit"] == "probability"
    assert "lower end" in by_name["cleared_low"]["description"]


def test_what_nobody_described_has_no_meaning() -> None:
    assert meaning("answer", "summary", "no_such_column") is None
    assert fields("answer", "summary", pd.DataFrame({"no_such_column": [1]}))[0]["description"] == ""
    assert package("answer", {}, ("csv",))["resources"] == []
