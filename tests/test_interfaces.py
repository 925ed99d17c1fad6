"""What other people's programs rely on: every form of a network document, and the columns that come back."""

from __future__ import annotations

import copy
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
