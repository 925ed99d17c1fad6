"""Whatever stands in a document: it can be used, or one message says where, what was found and what was expected."""

from __future__ import annotations

import math
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from network_documents import RICH, Document

from flowsim.engines import compiled
from flowsim.errors import InputError
from flowsim.model.network import Network

EXPONENTIAL = {"distribution": "exponential", "mean": 1.0}


def changed(path: str, value: Any) -> Document:
    """`RICH` with another value at a path such as ``stations.0.servers``; `...` takes the key out."""
    document = deepcopy(RICH)
    here: Any = document
    *way, last = path.split(".")
    for step in way:
        here = here[int(step) if isinstance(here, list) else step]
    key = int(last) if isinstance(here, list) else last
    if value is ...:
        del here[key]
    else:
        here[key] = value
    return document


REFUSED: list[tuple[str, Any, str, str, str]] = [
    # path in the document, value put there; what the message says: where, found, expected
    ("horizon", 0.0, "horizon", "0.0", "a number of at least 1e-09"),
    ("horizon", ..., "horizon", "nothing", "this key"),
    ("horizon", math.inf, "horizon", "inf", "a finite number"),
    ("horizon", "long", "horizon", "'long'", "a number"),
    ("horizon", 1e308, "horizon", "1e+308", "at most 1e+12"),
    ("warm_up", 400.0, "warm_up", "400.0", "less than the horizon, 400"),
    ("warm_up", math.nan, "warm_up", "nan", "a finite number"),
    ("snapshot_every", 1e-6, "snapshot_every", "1e-06", "at most 1666666 snapshots"),
    ("periods", [0.0, 5.0, 5.0], "periods", "[0.0, 5.0, 5.0]", "edges that increase"),
    ("periods", [0.0], "periods", "[0.0]", "at least 2"),
    ("periods", [float(i) for i in range(30_000)], "periods", "30000 edges", "at most"),
    ("colour", "red", "colour", "an unknown key", "flowsim schema network"),
    ("classes", [], "classes", "[]", "at least 1"),
    ("classes", ["a", "b", "urgent", "a"], "classes", "a", "names that differ"),
    ("classes", ["a", "b", "urgent", "x:y"], "classes", "'x:y'", "a name without ':'"),
    ("classes", ["a", "b", "urgent", "x\x1by"], "classes", r"'x\x1by'", "without control characters"),
    ("classes", ["a", "b", "urgent", *map(str, range(29_000))], "classes", "174018 stations times", "at most 100000"),
    ("stations", {}, "stations", "{}", "a list"),
    ("stations", [3], "stations.0", "3", "a table"),
    ("stations.1.name", "gp", "stations", "gp", "names that differ"),
    ("stations.1.name", "exit", "stations", "exit", "differ from each other and from 'exit'"),
    ("stations.0.name", ..., "stations.0.name", "nothing", "this key"),
    ("stations.0.servers", "many", "stations.gp.servers", "'many'", 'a whole number, "inf", or a schedule'),
    ("stations.0.servers", 2.5, "stations.gp.servers", "2.5", 'a whole number, "inf", or a schedule'),
    ("stations.0.servers", -1, "stations.gp.servers", "-1", "at least 0"),
    ("stations.0.servers", True, "stations.gp.servers", "True", "a whole number"),
    ("stations.0.servers", [[5.0, 1], [3.0, 2]], "stations.gp.servers", "times [5.0, 3.0]", "times that increase"),
    ("stations.0.servers", [[5.0, 1], [5.0, 2]], "stations.gp.servers", "times [5.0, 5.0]", "times that increase"),
    ("stations.0.servers", [[-1.0, 1]], "stations.gp.servers.0.0", "-1.0", "at least 0"),
    ("stations.0.servers", [[0.0, 1, 2]], "stations.gp.servers.0", "[0.0, 1, 2]", "at most 2"),
    ("stations.0.servers", [], "stations.gp.servers", "[]", "at least 1"),
    ("stations.0.service", 3.0, "stations.gp.service", "3.0", "a distribution such as"),
    ("stations.0.service", {}, "stations.gp.service.distribution", "nothing", "this key"),
    ("stations.0.service", {"a": EXPONENTIAL}, "stations.gp.service", "nothing", "a service time for class b"),
    ("stations.0.service", {"z": EXPONENTIAL}, "stations.gp.service", "z", "a patient class: one of a, b, urgent"),
    ("stations.0.service.mean", -1.0, "stations.gp.service.mean", "-1.0", "at least"),
    ("stations.0.service.mean", math.nan, "stations.gp.service.mean", "nan", "a finite number"),
    ("stations.0.service.mean", 1e-8, "stations.gp.service", "a mean of 1e-08", "of the horizon"),
    ("stations.0.service.cv", 0.5, "stations.gp.service", "cv", "deterministic takes mean"),
    ("stations.3.service.cv", 0.0, "stations.second.service.cv", "0.0", "at least 0.001"),
    ("stations.3.service.cv", 21.0, "stations.second.service.cv", "21.0", "at most 20"),
    ("stations.4.service.cv", 0.6, "stations.crisis.service", "uniform", "a cv of at most 0.577"),
    ("stations.4.service", {"distribution": "uniform", "low": 2, "high": 1}, "stations.crisis.service", "", "low"),
    ("stations.5.service.values", [], "stations.home.service.values", "[]", "at least 1"),
    ("stations.5.service.values", [1.0, 0.0], "stations.home.service.values.1", "0.0", "at least 1e-09"),
    ("stations.0.service.distribution", "normal", "stations.gp.service.distribution", "'normal'", "'exponential', "),
    ("stations.0.priority", {"a": 1}, "stations.gp.priority", "priorities", 'discipline = "priority"'),
    ("stations.2.priority", {"z": 1}, "stations.first.priority", "z", "a patient class"),
    ("stations.2.priority", {"a": 16}, "stations.first.priority.a", "16", "at most 15"),
    ("stations.0.on_full", {"home": 0.7, "exit": 0.5}, "stations.gp.on_full", "that add to 1.2", "that add to 1"),
    ("stations.0.on_full", {"home": 1.2}, "stations.gp.on_full.home", "1.2", "at most 1"),
    ("stations.0.on_full", {"homes": 1.0}, "stations.gp.on_full", "homes", "a station, a pool or exit: one of gp"),
    ("stations.0.on_full", {"stay": 1.0}, "stations.gp.on_full", "stay", "a station or exit"),
    ("stations.0.on_full", {"home:z": 1.0}, "stations.gp.on_full", "z", "a patient class"),
    ("stations.0.on_full", {}, "stations.gp.on_full", "add to 0", "add to 1"),
    ("stations.0.on_full", ..., "stations.gp.on_full", "nothing", "where residents go when the queue is full"),
    ("stations.0.on_full", {"second": 1.0}, "", "", ""),  # allowed: the way ends at home
    ("stations.0.on_full", {"gp": 1.0}, "stations.gp.on_full", "a circle of full queues", "a way that ends"),
    ("stations.3.on_full", {"gp": 1.0}, "", "", ""),
    ("stations.0.queue_limit", -1, "stations.gp.queue_limit", "-1", "at least 0"),
    ("stations.1.quota", [[7.0, 1], [0.0, 1]], "stations.desk.quota", "times [7.0, 0.0]", "times that increase"),
    ("stations.2.initial", {"waiting": -1}, "stations.first.initial.waiting", "-1", "at least 0"),
    ("stations.2.initial", {"waiting": {"z": 1}}, "stations.first.initial", "z", "a patient class"),
    ("stations.2.initial", {"waiting": 10**7, "in_service": 1}, "stations.first.initial", "10000001", "at most"),
    ("stations.2.while_waiting.0.repeats", True, "stations.first.while_waiting.0", "", "become without repeats"),
    ("stations.2.while_waiting.1.visit", ..., "stations.first.while_waiting.1", "", "one of become, visit and review"),
    ("stations.2.while_waiting.1.visit", "ggz", "stations.first.while_waiting", "ggz", "a station or exit"),
    ("stations.2.while_waiting.1.visit", "exit", "stations.first.while_waiting.visit", "exit", "a station"),
    ("stations.2.while_waiting.1.after.mean", 1e-5, "stations.first.while_waiting.after", "too soon", "in the run"),
    ("stations.2.while_waiting.1", {"after": EXPONENTIAL, "review_at": "gp"}, "routes from gp", "", "where a review"),
    ("stations.2.while_waiting", [{"after": EXPONENTIAL, "visit": "gp"}] * 16, "stations.first", "16 clocks", "15"),
    ("pools.0.shares", [0.5, 0.4], "pools.ggz.shares", "[0.5, 0.4]", "together 1"),
    ("pools.0.shares", [1.0], "pools.ggz.shares", "[1.0]", "one share per station"),
    ("pools.1.shares", [0.5, 0.5], "pools.soonest.shares", "shares", 'rule = "shares"'),
    ("pools.1.stations", ["first", "first"], "pools.soonest", "a station twice", "each station once"),
    ("pools.1.stations", ["ggz"], "pools.soonest", "ggz", "a station: one of gp"),
    ("pools.1.name", "gp", "pools", "gp", "names that differ"),
    ("arrivals.0.rate", -1.0, "arrivals.0.rate", "-1.0", "at least 0"),
    ("arrivals.0.rate", math.nan, "arrivals.0.rate", "nan", "a finite number"),
    ("arrivals.0.rate", 1e308, "arrivals.0.rate", "1e+308", "at most 1e+12"),
    ("arrivals.0.rate", 1e7, "arrivals.0", "about 4e+09 arrivals", "at most 2e+08"),
    ("arrivals.0.rate", "often", "arrivals.0.rate", "'often'", "a number, or a schedule"),
    ("arrivals.0.rate", [[0.0, 1.0], [0.0, 2.0]], "arrivals.0.rate", "times [0.0, 0.0]", "times that increase"),
    ("arrivals.0.rate", ..., "arrivals.0", "", "either rate or interval"),
    ("arrivals.1.interval.mean", 1e-6, "arrivals.1", "about 4e+08 arrivals", "at most 2e+08"),
    ("arrivals.0.class", "z", "arrivals.0.class", "z", "a patient class: one of a, b, urgent"),
    ("arrivals.0.station", "nowhere", "arrivals.0.station", "nowhere", "a station, a pool or exit: one of gp"),
    ("arrivals.0.station", "exit", "arrivals.0.station", "exit", "a station or a pool"),
    ("arrivals.0.station", "gp:b", "arrivals.0.station", "gp:b", "a station or a pool"),
    ("routes.4.to", {"nowhere": 1.0}, "routes from first", "nowhere", "a station, a pool or exit"),
    ("routes.4.to", {"home": 0.4, "exit": 0.5}, "routes from first", "add to 0.9", "add to 1"),
    ("routes.4.to", 5, "routes.4.to", "5", "a table such as"),
    ("routes.4.from", "nowhere", "routes from nowhere", "nowhere", "a station: one of"),
    ("routes.4.on", "leaving", "routes.4.on", "'leaving'", "'completion', 'renege', 'full' or 'review'"),
    ("routes.1.start", 0.0, "routes from gp, class a", "two routes on completion", "one route per station"),
    ("routes.3.start", 5.0, "routes from desk", "start 5", "start 0 for a route on review"),
    ("stop_rules.0.close", ["nowhere"], "stop_rules.close", "nowhere", "a station"),
    ("stop_rules.0.close", ["desk"], "stations.desk.on_full", "nothing", "where residents go"),
    ("stop_rules.0.at_most", 3.0, "stop_rules.0", "", "either at_most or at_least"),
    ("stop_rules.0.at", 0.0, "stop_rules.0.at", "0.0", "at least"),
    ("stop_rules.0.servers", {"first": 3}, "", "", ""),
    ("stop_rules.0.servers", {"nowhere": 3}, "stop_rules.servers", "nowhere", "a station: one of gp"),
    ("stop_rules.0.servers", {"second": 3}, "stop_rules.servers.second", "that the rule closes", "that stays open"),
    ("stop_rules.0.servers", {"home": 3}, "stop_rules.servers.home", '"inf"', "a station with a number"),
    ("stop_rules.0.servers", {"first": "inf"}, "stop_rules.0.servers.first", "'inf'", "a whole number, or a schedule"),
    ("stop_rules.0.servers", {"first": -1}, "stop_rules.0.servers.first", "-1", "at least 0"),
    ("stop_rules.0.servers", {"first": []}, "stop_rules.0.servers.first", "[]", "at least 1"),
    ("stop_rules.0.servers", {"first": [[9.0, 1], [9.0, 2]]}, "stop_rules.servers.first", "times [9.0", "increase"),
    ("stop_rules.0.servers", {"first": [[9.0]]}, "stop_rules.0.servers.first.0.1", "nothing", "required"),
    ("stop_rules.0.servers", 3, "stop_rules.0.servers", "3", "a table"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "where", "found", "expected"), REFUSED, ids=[f"{row[0]}={row[1]!r:.40}" for row in REFUSED]
)
def test_what_cannot_be_used_is_named(path: str, value: Any, where: str, found: str, expected: str) -> None:
    document = changed(path, value)
    if not expected:  # the neighbour of a refused document, to show that it is not refused for another reason
        Network.from_dict(document)
        return
    with pytest.raises(InputError) as caught:
        Network.from_dict(document, "clinic.toml")
    error = caught.value
    assert error.where.startswith(f"clinic.toml: {where}")
    assert found in error.found
    assert expected in error.expected
    assert len(str(error)) < 400
    assert "\n" not in str(error)


def test_a_station_that_nothing_leads_to() -> None:
    document = deepcopy(RICH)
    document["stations"].append({"name": "island", "servers": 1, "service": EXPONENTIAL})
    with pytest.raises(InputError, match=r"stations\.island: found a station that nothing leads to; expected arrivals"):
        Network.from_dict(document)
    document["stations"][-1]["initial"] = {"waiting": 1}
    Network.from_dict(document)


def test_a_circle_of_full_queues_through_a_pool() -> None:
    document = changed("stations.3.on_full", {"ggz": 1.0})  # the pool has the station itself
    with pytest.raises(InputError, match=r"stations\.second\.on_full: found a circle of full queues"):
        Network.from_dict(document)


@pytest.mark.parametrize("station", [2, 3])
def test_a_class_that_a_resident_can_become_needs_a_service_time(station: int) -> None:
    """At the station itself, and where a place on the second list may be reached."""
    document = changed(f"stations.{station}.service", {"a": EXPONENTIAL, "b": EXPONENTIAL})
    with pytest.raises(InputError, match="a service time for class urgent"):
        Network.from_dict(document)


def test_a_class_that_a_review_gives_needs_a_service_time() -> None:
    document: Document = {
        "horizon": 10.0,
        "classes": ["a", "b"],
        "stations": [
            {"name": "desk", "servers": 0, "service": EXPONENTIAL},
            {
                "name": "ward",
                "servers": 1,
                "service": {"a": EXPONENTIAL},
                "while_waiting": [{"after": EXPONENTIAL, "review_at": "desk"}],
            },
        ],
        "arrivals": [{"class": "a", "station": "ward", "rate": 1.0}],
        "routes": [{"from": "desk", "on": "review", "to": {"stay:b": 1.0}}],
    }
    with pytest.raises(
        InputError, match=r"stations\.ward\.service: found nothing; expected a service time for class b"
    ):
        Network.from_dict(document)


@pytest.mark.parametrize("found", [None, 3, "text", [], [RICH]])
def test_a_document_is_a_table(found: Any) -> None:
    with pytest.raises(InputError, match="a table with horizon, classes, stations"):
        Network.from_dict(found)


def test_numbers_of_numpy_are_numbers() -> None:
    document = changed("stations.0.servers", np.int64(2))
    document["stations"][0]["service"]["mean"] = np.float64(1.0)
    document["arrivals"][0]["rate"] = np.array([[0.0, 1.0], [100.0, 1.4]])
    plain = Network.from_dict(RICH)
    given_arrays = Network.from_dict(document)
    for name in ("stations", "steps", "distributions", "streams"):
        assert getattr(given_arrays, name).tobytes() == getattr(plain, name).tobytes()


# ---- files -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "an empty file"),
        (b" \n\n", "an empty file"),
        (b"\x80\x81\xff\x00", "binary data"),
        (b"horizon = = 3", "text that is not TOML"),
        (b"horizon = 3\nhorizon = 4", "text that is not TOML"),
        (None, "no such file"),
        (..., "a directory"),
    ],
)
def test_files_that_are_not_networks(tmp_path: Path, content: Any, found: str) -> None:
    path = tmp_path / "clinic.toml"
    if content is ...:
        path.mkdir()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        Network.from_toml(path)
    assert caught.value.where == str(path)
    assert found in caught.value.found


def test_a_file_is_named_in_the_message(tmp_path: Path) -> None:
    path = tmp_path / "clinic.toml"
    path.write_text(
        'horizon = 10.0\nclasses = ["a"]\n[[stations]]\nname = "ward"\nservers = "many"\n', encoding="utf-8"
    )
    with pytest.raises(InputError) as caught:
        Network.from_toml(path)
    assert caught.value.where == f"{path}: stations.ward.servers"


# ---- whatever else is put there --------------------------------------------------------------------------------------

ODD = st.one_of(
    st.sampled_from(
        [
            None,
            True,
            -1,
            0,
            1,
            2**63,
            10**400,
            -0.0,
            1e-320,
            1e-9,
            1e12,
            1e308,
            math.nan,
            math.inf,
            -math.inf,
            "",
            "inf",
        ]
    ),
    st.sampled_from(["gp", "ggz", "exit", "stay", "home:urgent", ":", "a", "\x00", "deterministic"]),
    st.sampled_from([[], {}, [[]], [[0, 0]], [[0.0, 1], [1e12, 0]], {"a": 1}, {"exit": 1.0}, {"gp": 1.0}, EXPONENTIAL]),
    st.floats(),
    st.integers(),
    st.text(max_size=3),
).map(deepcopy)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [place for key in keys for place in [(value, key), *places(value[key])]]


@settings(max_examples=400)
@given(data=st.data())
def test_nothing_but_an_input_error_escapes(data: st.DataObject) -> None:
    document = deepcopy(RICH) | {"horizon": 5.0, "snapshot_every": 1.0, "periods": [0.0, 2.0, 5.0]}
    for _ in range(data.draw(st.integers(1, 3))):
        here = places(document)
        container, key = here[data.draw(st.integers(0, len(here) - 1))]
        match data.draw(st.sampled_from(["put", "put", "take out", "add", "double"])):
            case "put":
                container[key] = data.draw(ODD)
            case "take out":
                del container[key]
            case "add" if isinstance(container, dict):
                container[data.draw(st.text(max_size=4))] = data.draw(ODD)
            case _ if isinstance(container, list):
                container.append(deepcopy(container[key]))
    try:
        network = Network.from_dict(document)
    except InputError:
        return
    if network.expected_arrivals < 1e4 and network.horizon <= 5.0:
        compiled.simulate_once(network, 1, 0)
