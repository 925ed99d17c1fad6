"""What other people's programs rely on: every form of a network document, and the columns that come back."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flowsim

DOCUMENT: dict[str, Any] = {
    "title": "A clinic",
    "horizon": 200.0,
    "warm_up": 50.0,
    "snapshot_every": 10.0,
    "classes": ["a", "b"],
    "stations": [
        {
            "name": "clinic",
            "servers": 3,
            "discipline": "fifo",
            "service": {"distribution": "exponential", "mean": 1.2},
            "patience": {"distribution": "exponential", "mean": 30.0},
            "on_renege": {"exit": 1.0},
            "initial": {"waiting": 10, "in_service": 3},
        },
        {"name": "ward", "servers": "inf", "service": {"distribution": "deterministic", "mean": 3.0}},
    ],
    "arrivals": [{"class": "a", "station": "clinic", "rate": 2.0}, {"class": "b", "station": "clinic", "rate": 0.1}],
    "routes": [{"from": "clinic", "class": "a", "to": {"ward": 0.1, "exit": 0.9}}],
}
STATIONS = "replication station patient_class arrivals starts completions reneged mean_wait mean_queue utilisation"
CLINIC: dict[str, dict[str, Any]] = {
    "without limit": {"servers": "inf"},
    "a schedule": {"servers": [[0, 3], [150, 4]]},
    "a schedule of NumPy": {"servers": np.array([[0, 3], [150, 4]])},
    "priority": {"discipline": "priority", "priority": {"a": 0, "b": 1}},
    "a service per class": {
        "service": {
            "a": {"distribution": "gamma", "mean": 1.2, "cv": 0.5},
            "b": {"distribution": "empirical", "values": [1, 2.5]},
        }
    },
    "lognormal": {"service": {"distribution": "lognormal", "mean": 1.2, "cv": 1.5}},
    "weibull": {"service": {"distribution": "weibull", "mean": 1.2, "cv": 0.7}},
    "uniform": {"service": {"distribution": "uniform", "mean": 1.2, "cv": 0.2}},
    "a patience for one class": {"patience": {"a": {"distribution": "exponential", "mean": 5.0}}},
    "who gives up goes on": {"on_renege": {"ward": 0.5, "exit": 0.5}},
    "initial by class": {"initial": {"waiting": {"a": 4, "b": 6}, "in_service": {"a": 3}}},
}


@pytest.mark.parametrize("form", CLINIC)
def test_every_form_of_a_station_is_taken(form: str) -> None:
    document = copy.deepcopy(DOCUMENT)
    document["stations"][0] |= CLINIC[form]
    network = flowsim.Network.from_dict(document)
    out = flowsim.simulate(network, replications=2, seed=1, engine="reference", log=True, threads=None)
    assert set(STATIONS.split()) | {"mean_wait_reneged"} <= set(out.stations.columns)
    assert {"replication", "time", "station", "waiting", "in_service"} <= set(out.waiting.columns)
    assert out.events is not None
    assert {"replication", "time", "kind", "resident", "station", "patient_class"} <= set(out.events.columns)
    assert out.stations["starts"].sum() > 0


def test_arguments_that_are_no_text_and_no_truth_value_are_refused() -> None:
    network = flowsim.Network.from_dict(DOCUMENT)
    for wrong in ({"engine": np.array([1, 2])}, {"log": np.array([1, 2])}, {"log": "x"}, {"log": None}):
        with pytest.raises(flowsim.InputError, match=next(iter(wrong))):
            flowsim.simulate(network, **wrong)  # type: ignore[arg-type]


TWO = ["experiments/plan.toml", "experiments/growth_3.toml"]
FEW = {"half_width": 0.5, "most": 2}
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("answer", {**FEW, "curve": "no"}, "curve"),
    ("answer", {**FEW, "curve": np.array([1, 2])}, "curve"),
    ("answer", {**FEW, "draws": np.array([1, 2])}, "draws"),
    ("answer", {"scenario": "\ud800"}, "scenario"),
    ("compare", {"scenarios": TWO, "base": ["plan"]}, "base"),
    ("compare", {"scenarios": TWO, "best": {}}, "best"),
    ("compare", {"scenarios": TWO, "best": "overdue", "largest": "no"}, "largest"),
    ("compare", {"scenarios": TWO, "follow_residents": 1}, "follow_residents"),
    ("compile_scenario", {"scenario": "experiments/plan.toml"}, "scenario"),
    ("compile_scenario", {"scenario": None}, "scenario"),
    ("decision_map", {"factors": None}, "map"),
    ("decision_map", {"factors": [["growth"]]}, "map"),
    ("load_scenario", {"path": "\ud800.toml"}, "scenario"),
    ("seek", {"lever": None}, "lever"),
    ("seek", {"lever": 0.1}, "lever"),
    ("seek", {"readings": np.array([1, 2])}, "readings"),
    ("sensitivity", {"savings": "no"}, "savings"),
    ("sweep", {"experiment": "\ud800.toml"}, "experiment"),
    ("sweep", {"experiment": "experiments/sweeps/growth_diversion.toml", "scheduler": b"tcp://x"}, "scheduler"),
    ("sweep", {"experiment": "experiments/sweeps/growth_diversion.toml", "scheduler": 8786}, "scheduler"),
    ("verify", {"engine": np.array([1, 2])}, "engine"),
    ("verify", {"rate": "0.01"}, "rate"),
    ("verify", {"rate": None}, "rate"),
    ("verify", {"cases": []}, "cases"),
    ("verify", {"cases": "all"}, "cases"),
]


@pytest.mark.parametrize(("name", "arguments", "where"), WRONG)
def test_arguments_of_a_wrong_kind_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, arguments: dict[str, Any], where: str
) -> None:
    def begun(*_: Any, **__: Any) -> Any:
        raise AssertionError("it began to run")

    monkeypatch.setattr("flowsim.study.replicate._in_order", begun)
    with pytest.raises(flowsim.InputError) as error:
        getattr(flowsim, name)(**arguments)
    assert error.value.where == where
    assert str(error.value).isprintable()


def test_drawn_values_are_of_figures_that_there_are() -> None:
    """A slip in a key would give the network of the figure's own value."""
    plan = flowsim.load_scenario()
    for wrong in ({"assumptions.demand_grwth": 0.03}, {1: 0.03}, [0.03], 1):
        with pytest.raises(flowsim.InputError, match="drawn: found"):
            flowsim.compile_scenario(plan, wrong)  # type: ignore[arg-type]
    assert flowsim.compile_scenario(plan, {"assumptions.demand_growth": np.float64(0.03)}).station_names


def test_numbers_of_numpy_are_numbers() -> None:
    arguments: dict[str, Any] = {"futures": np.int64(2), "seed": np.array(3), "threads": np.int8(1)}
    found = flowsim.compare(TWO, **arguments, best="overdue", indifference=np.float32(1000.0), largest=np.bool_(False))
    assert (type(found.futures), type(found.seed), found.seed) == (int, int, 3)  # as a manifest writes them
    assert found.best is not None
    assert (found.best.indifference, found.best.largest) == (1000.0, False)


def test_a_working_folder_that_is_gone_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    for name, given in (("load_scenario", "mine.toml"), ("sweep", "mine.toml"), ("compare", ["a.toml", "b.toml"])):
        with pytest.raises(flowsim.InputError, match=r"(mine|a)\.toml'?, which leads nowhere"):
            getattr(flowsim, name)(given)


@pytest.mark.parametrize("sign", ["\x1b[2J", "\x9b", "\u202e", "\u2028"])
def test_what_steers_a_terminal_is_no_title_and_stands_in_no_message(sign: str) -> None:
    with pytest.raises(flowsim.InputError, match=r"title: found .*; expected text without control characters") as error:
        flowsim.Network.from_dict(DOCUMENT | {"title": f"A{sign}B"})
    assert str(error.value).isprintable()
    with pytest.raises(flowsim.InputError) as error:
        flowsim.load_scenario(f"no{sign}where.toml\n")
    assert str(error.value).isprintable()
    with pytest.raises(flowsim.InputError) as error:
        flowsim.simulate(flowsim.Network.from_dict(DOCUMENT), seed="é" * 5000)  # type: ignore[arg-type]
    assert len(str(error.value)) < 400
