"""The event log for process mining: valid XES, life cycles that hold together, nothing lost on the way."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import itertools
import re
import xml.etree.ElementTree as ET
from collections import Counter
from typing import Any

import numpy as np
import pytest

import flowsim
from flowsim.analysis.outcomes import Output
from flowsim.analysis.process_log import CsvWriter, XesWriter, moments, steps_of
from flowsim.model import events

XES = "{http://www.xes-standard.org/}"
START = dt.date(2025, 1, 1)
PARTS = ["extension", "global", "classifier", "string", "trace"]
"""Order of the parts of a log in the schema of IEEE 1849-2016; attributes come before the traces."""
STANDARD = {"schedule", "assign", "withdraw", "reassign", "start", "suspend", "resume", "pi_abort", "ate_abort"}
STANDARD |= {"complete", "autoskip", "manualskip", "unknown"}
DOCUMENT: dict[str, Any] = {
    "title": 'Clinic & ward <"test">',
    "horizon": 200.0,
    "classes": ["a", "b"],
    "stations": [
        {
            "name": "clinic",
            "servers": 1,
            "service": {"distribution": "exponential", "mean": 1.0},
            "patience": {"distribution": "exponential", "mean": 6.0},
            "initial": {"waiting": 3, "in_service": 1, "age": {"distribution": "uniform", "mean": 3.0, "cv": 0.2}},
            "queue_limit": 6,
            "on_full": {"exit": 1.0},
            "on_renege": {"exit": 1.0},
            "while_waiting": [
                {
                    "after": {"distribution": "exponential", "mean": 3.0},
                    "become": "b",
                    "visit": "desk",
                    "classes": ["a"],
                }
            ],
        },
        {"name": "other clinic", "servers": 1, "service": {"distribution": "exponential", "mean": 2.0}},
        {"name": "desk", "servers": "inf", "service": {"distribution": "exponential", "mean": 0.1}},
    ],
    "pools": [{"name": "clinics", "stations": ["clinic", "other clinic"], "second_list": 0.5}],
    "arrivals": [{"class": "a", "station": "clinics", "rate": 1.6}],
    "routes": [{"from": "clinic", "to": {"clinics": 0.2, "exit": 0.8}}],
}


@pytest.fixture(scope="module")
def output() -> Output:
    return flowsim.simulate(flowsim.Network.from_dict(DOCUMENT), replications=2, seed=3, log=True)


@pytest.fixture(scope="module")
def xes(output: Output) -> bytes:
    stream = io.BytesIO()
    with XesWriter(stream, output.network, START, {"title": output.network.title}) as writer:
        for number, log in enumerate(output.logs or ()):
            writer.add(steps_of(number, log))
    return stream.getvalue()


def attributes(element: ET.Element) -> dict[str, str]:
    return {one.get("key", ""): one.get("value", "") for one in element if one.get("key")}


def test_the_log_is_xes_in_the_order_of_the_standard(xes: bytes, output: Output) -> None:
    root = ET.fromstring(xes)
    assert root.tag == f"{XES}log"
    assert root.get("xes.version") == "1849.2016"
    places = [PARTS.index(one.tag.removeprefix(XES)) for one in root]
    assert places == sorted(places)
    assert attributes(root)["title"] == output.network.title
    prefixes = {one.get("prefix") for one in root.iter(f"{XES}extension")}
    declared = {one.get("scope"): set(attributes(one)) for one in root.iter(f"{XES}global")}
    for trace in root.iter(f"{XES}trace"):
        assert declared["trace"] <= set(attributes(trace))
        for event in trace.iter(f"{XES}event"):
            found = attributes(event)
            assert declared["event"] == set(found)
            assert found["lifecycle:transition"] in STANDARD
            assert {key.split(":")[0] for key in found if ":" in key} <= prefixes
            assert dt.datetime.fromisoformat(found["time:timestamp"]).tzinfo is not None


def test_names_are_of_the_types_that_the_schema_of_the_standard_asks_for(xes: bytes) -> None:
    """In that schema classifiers, extensions and scopes have names without spaces (xs:NCName), keys are xs:Name; a
    key of a classifier is that of a declared attribute."""
    root = ET.fromstring(xes)
    of_events = next(set(attributes(one)) for one in root.iter(f"{XES}global") if one.get("scope") == "event")
    for tag, names in (("classifier", ("name",)), ("extension", ("name", "prefix")), ("global", ("scope",))):
        for one in root.iter(f"{XES}{tag}"):
            for name in names:
                assert re.fullmatch(r"[A-Za-z_][\w.-]*", one.get(name, "")), (tag, one.get(name))
    for one in root.iter(f"{XES}classifier"):
        assert set(one.get("keys", "").split()) <= of_events
    keys = {one.get("key") for one in root.iter() if one.get("key") is not None}
    assert all(re.fullmatch(r"[A-Za-z_:][\w.:-]*", str(key)) for key in keys)


def test_a_case_is_a_resident_and_no_event_is_lost(xes: bytes, output: Output) -> None:
    root = ET.fromstring(xes)
    names = [attributes(trace)["concept:name"] for trace in root.iter(f"{XES}trace")]
    assert len(names) == len(set(names))
    expected: Counter[tuple[str, str, str]] = Counter()
    mask = (1 << 40) - 1
    log = output.events[output.events["resident"] >= 0]
    for row in log.itertuples():
        expected[f"{row.replication}-{row.resident & mask}", str(row.kind), str(row.patient_class)] += 1
    found: Counter[tuple[str, str, str]] = Counter()
    for trace in root.iter(f"{XES}trace"):
        case = attributes(trace)["concept:name"]
        moments_of = []
        for event in trace.iter(f"{XES}event"):
            one = attributes(event)
            found[case, one["kind"], one["patient_class"]] += 1
            moments_of.append(dt.datetime.fromisoformat(one["time:timestamp"]))
        assert moments_of == sorted(moments_of)
    assert found == expected
    assert {"ticket", "transfer", "drop", "renege", "balk", "change"} <= {kind for _, kind, _ in found}


def test_instances_follow_the_standard_life_cycle(xes: bytes) -> None:
    """schedule, reassign*, start, complete; or withdraw or autoskip instead of a start."""
    allowed = {
        "schedule": {"reassign", "start", "withdraw", "autoskip"},
        "reassign": {"reassign", "start", "withdraw"},
        "start": {"complete"},
        "complete": set(),
        "withdraw": set(),
        "autoskip": set(),
    }
    instances: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for trace in ET.fromstring(xes).iter(f"{XES}trace"):
        replication = attributes(trace)["replication"]
        for event in trace.iter(f"{XES}event"):
            one = attributes(event)
            key = replication, one["concept:instance"]
            instances.setdefault(key, []).append((one["lifecycle:transition"], one["concept:name"]))
    long = 0
    for steps in instances.values():
        for (before, place), (after, next_place) in itertools.pairwise(steps):
            assert after in allowed[before]
            assert place == next_place or after == "reassign"
            long += 1
    assert long > 200


def test_csv_holds_the_log_and_the_columns_of_process_mining(output: Output) -> None:
    stream = io.BytesIO()
    logs = output.logs or ()
    with CsvWriter(stream, output.network, START) as writer:
        for number, log in enumerate(logs):
            writer.add(steps_of(number, log))
    rows = list(csv.DictReader(io.StringIO(stream.getvalue().decode())))
    frame = output.events[output.events["resident"] >= 0]
    assert [float(row["time"]) for row in rows] == frame["time"].tolist()
    for name in ("kind", "station", "patient_class"):
        assert [row[name] for row in rows] == frame[name].tolist()
    first = rows[0]
    when = dt.datetime.fromisoformat(first["time:timestamp"])
    expected = dt.datetime(2025, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=float(first["time"]))
    assert abs((when - expected).total_seconds()) < 0.001
    assert first["case:concept:name"] == f"0-{first['resident']}"
    assert {row["lifecycle:transition"] for row in rows} <= STANDARD
    without = io.BytesIO()
    with CsvWriter(without, output.network, None) as writer:
        writer.add(steps_of(0, logs[0]))
    assert b"time:timestamp" not in without.getvalue()


def test_moments_are_dates_from_the_start() -> None:
    found = moments(np.array([0.0, 0.5, 59.0, -20.25]), START)
    wanted = [
        "2025-01-01T00:00:00.000",
        "2025-01-01T12:00:00.000",
        "2025-03-01T00:00:00.000",
        "2024-12-11T18:00:00.000",
    ]
    assert np.datetime_as_string(found).tolist() == wanted


class Stopped(io.BytesIO):
    """A stream that is interrupted at its third write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes = 0

    def write(self, data: Any) -> int:
        self.writes += 1
        if self.writes == 3:
            super().write(data)
            raise KeyboardInterrupt
        return super().write(data)


def test_an_interruption_leaves_whole_replications(output: Output) -> None:
    stream, logs = Stopped(), output.logs or ()
    with XesWriter(stream, output.network, START, {}) as writer:
        writer.add(steps_of(0, logs[0]))
        with pytest.raises(KeyboardInterrupt):
            writer.add(steps_of(1, logs[1]))
    found = {attributes(trace)["replication"] for trace in ET.fromstring(stream.getvalue()).iter(f"{XES}trace")}
    assert found == {"0"}


def test_an_interruption_leaves_compressed_xes_well_formed(output: Output, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowsim.analysis.process_log.LINES", 50)
    packed = io.BytesIO()
    with gzip.GzipFile("", "wb", 6, packed) as stream, XesWriter(stream, output.network, START, {}) as writer:  # type: ignore[arg-type]
        write, count = writer._write, iter(range(10**6))

        def stopped(text: str) -> None:
            write(text)
            if next(count) == 3:
                raise KeyboardInterrupt

        monkeypatch.setattr(writer, "_write", stopped)
        with pytest.raises(KeyboardInterrupt):
            writer.add(steps_of(0, (output.logs or ())[0]))
    ET.fromstring(gzip.decompress(packed.getvalue()))


def test_every_kind_of_event_has_a_transition() -> None:
    from flowsim.analysis.process_log import TRANSITIONS

    assert set(TRANSITIONS) == set(events.KIND_NAMES) - {events.CLOSE}
