"""The tables of an output against logs written by hand, where every number can be added up on paper."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flowsim.analysis.outcomes import Output, wait_quantile
from flowsim.errors import InputError
from flowsim.model import events, tally
from flowsim.model.network import Network
from flowsim.study.replicate import Replication, collect

Line = tuple[float, int, int, int, int]  # time, resident, kind, station, class
CLINIC, WARD = 0, 1
A, B = 0, 1


def network(**changes: Any) -> Network:
    """Two stations, two classes; horizon 20, warm-up 4, a snapshot every 5, two periods, a norm of 3."""
    clinic = {
        "name": "clinic",
        "servers": [[0, 2], [12, 1]],
        "service": {"distribution": "exponential", "mean": 1.0},
        "waiting_list": "ggz",
    }
    ward = {"name": "ward", "servers": "inf", "service": {"distribution": "exponential", "mean": 1.0}}
    plain = {
        "horizon": 20.0,
        "warm_up": 4.0,
        "snapshot_every": 5.0,
        "periods": [0.0, 10.0, 20.0],
        "waiting_norm": 3.0,
        "wait_bin": 2.0,
        "classes": ["a", "b"],
        "stations": [clinic, ward],
        "arrivals": [
            {"class": "a", "station": "clinic", "rate": 1.0},
            {"class": "b", "station": "clinic", "rate": 1.0},
        ],
        "routes": [{"from": "clinic", "to": {"ward": 1.0}}],
    }
    return Network.from_dict(plain | changes)


FIRST: list[Line] = [
    (1.0, 1, events.ARRIVE, CLINIC, A),
    (1.0, 1, events.START, CLINIC, A),  # before the warm-up: not counted
    (5.0, 2, events.ARRIVE, CLINIC, A),
    (6.0, 3, events.ARRIVE, CLINIC, B),
    (9.0, 1, events.COMPLETE, CLINIC, A),
    (9.0, 2, events.START, CLINIC, A),  # waited 4
    (9.0, 1, events.ARRIVE, WARD, A),
    (9.0, 1, events.START, WARD, A),  # waited 0
    (11.0, 1, events.COMPLETE, WARD, A),
    (11.0, 1, events.EXIT, WARD, A),
    (13.0, 4, events.ARRIVE, CLINIC, B),
    (14.0, 3, events.RENEGE, CLINIC, B),  # waited 8
    (14.0, 3, events.EXIT, CLINIC, B),
    (15.0, 4, events.START, CLINIC, B),  # waited 2
]  # at the horizon 2 is in service since 9, 4 since 15
SECOND: list[Line] = [(16.0, 7, events.ARRIVE, CLINIC, B), (16.0, 8, events.CLOSE, CLINIC, -1)]


def written(lines: list[Line]) -> np.ndarray:
    log = np.zeros(len(lines), events.EVENT)
    for i, (time, resident, kind, station, patient_class) in enumerate(lines):
        log[i] = (time, -1 if kind == events.CLOSE else resident, kind, station, patient_class, 0)
    return log


@pytest.fixture(scope="module")
def output() -> Output:
    shape = network()
    logs = [written(FIRST), written(SECOND)]
    done = [Replication(r, tally.replay(shape, log), log, len(log)) for r, log in enumerate(logs)]
    return collect(shape, 1, "by hand", done)


def row(table: pd.DataFrame, **where: Any) -> pd.Series:
    chosen = table[np.logical_and.reduce([table[name] == value for name, value in where.items()])]
    assert len(chosen) == 1
    return chosen.iloc[0]


def test_stations_by_class(output: Output) -> None:
    table = output.stations
    promised = ["replication", "station", "patient_class", "arrivals", "starts", "completions", "reneged", "mean_wait"]
    assert list(table.columns) == [
        *promised,
        *("mean_wait_reneged", "mean_queue", "utilisation", "balked", "transferred", "reviewed", "exits"),
    ]
    assert table[["replication", "station", "patient_class"]].to_numpy().tolist() == [
        [r, k, c] for r in (0, 1) for k in ("clinic", "ward") for c in ("a", "b")
    ]
    a = row(table, replication=0, station="clinic", patient_class="a")
    assert (a.arrivals, a.starts, a.completions, a.reneged, a.exits) == (1, 1, 1, 0, 0)
    assert a.mean_wait == 4.0
    assert math.isnan(a.mean_wait_reneged)
    assert a.mean_queue == 4.0 / 16.0
    # Servers: 2 from 4 to 12, 1 from 12 to 20 = 24. In service after 4: resident 1 for 5, resident 2 for 11.
    assert a.utilisation == 16.0 / 24.0
    b = row(table, replication=0, station="clinic", patient_class="b")
    assert (b.arrivals, b.starts, b.completions, b.reneged, b.exits) == (2, 1, 0, 1, 1)
    assert (b.mean_wait, b.mean_wait_reneged, b.mean_queue) == (2.0, 8.0, (8.0 + 2.0) / 16.0)
    assert b.utilisation == 5.0 / 24.0
    ward = row(table, replication=0, station="ward", patient_class="a")
    assert (ward.arrivals, ward.starts, ward.completions, ward.mean_wait, ward.exits) == (1, 1, 1, 0.0, 1)
    assert math.isnan(ward.utilisation)


def test_nobody_started_gives_no_mean_wait(output: Output) -> None:
    none = row(output.stations, replication=1, station="clinic", patient_class="b")
    assert (none.arrivals, none.starts) == (1, 0)
    assert math.isnan(none.mean_wait)
    assert none.mean_queue == 4.0 / 16.0
    assert (none.utilisation, none.completions) == (0.0, 0)


def test_totals_over_classes_weigh_by_people(output: Output) -> None:
    total = row(output.station_totals(), replication=0, station="clinic")
    assert (total.arrivals, total.starts, total.completions, total.reneged, total.exits) == (3, 2, 1, 1, 1)
    assert (total.mean_wait, total.mean_wait_reneged, total.mean_queue) == (3.0, 8.0, 14.0 / 16.0)
    assert total.utilisation == pytest.approx(21.0 / 24.0, rel=1e-15)


def test_snapshots(output: Output) -> None:
    table = output.waiting
    assert list(table.columns) == ["replication", "time", "station", "waiting", "in_service", "overdue"]
    clinic = table[(table.replication == 0) & (table.station == "clinic")]
    assert clinic.time.tolist() == [0.0, 5.0, 10.0, 15.0, 20.0]
    # At 5 resident 2 has come; at 10 resident 3 waits since 6 (beyond the norm of 3); at 15 resident 4 has started.
    assert clinic.waiting.tolist() == [0, 1, 1, 0, 0]
    assert clinic.in_service.tolist() == [0, 1, 1, 2, 2]
    assert clinic.overdue.tolist() == [0, 0, 1, 0, 0]
    ward = table[(table.replication == 0) & (table.station == "ward")]
    assert ward.in_service.tolist() == [0, 0, 1, 0, 0]
    second = table[(table.replication == 1) & (table.station == "clinic")]
    assert second.waiting.tolist() == [0, 0, 0, 0, 1]
    assert second.overdue.tolist() == [0, 0, 0, 0, 1]  # at 20, since 16: beyond 3


def test_periods(output: Output) -> None:
    table = output.periods
    assert table[["period", "start", "end"]].drop_duplicates().to_numpy().tolist() == [[0, 0, 10], [1, 10, 20]]
    first = row(table, replication=0, period=0, station="clinic")
    assert (first.arrivals, first.starts, first.completions, first.reneged) == (3, 2, 1, 0)  # from time zero
    assert first.mean_wait == 2.0
    later = row(table, replication=0, period=1, station="clinic")
    assert (later.arrivals, later.starts, later.reneged, later.exits, later.mean_wait) == (1, 1, 1, 1, 2.0)
    assert math.isnan(row(table, replication=1, period=0, station="ward").mean_wait)


def test_waits_by_list(output: Output) -> None:
    table = output.wait_quantiles(0.5)
    assert table[["replication", "period", "waiting_list"]].to_numpy().tolist() == [
        [0, 0, "ggz"], [0, 1, "ggz"], [1, 0, "ggz"], [1, 1, "ggz"]
    ]  # fmt: skip
    assert table.starts.tolist() == [2, 1, 0, 0]
    assert table[["start", "end"]].to_numpy().tolist() == [[0.0, 10.0], [10.0, 20.0]] * 2
    # Waits 0 and 4 in bins of 2: half of them in the first bin. One wait of 2: in the middle of the second bin.
    assert table.wait[:2].tolist() == [2.0, 3.0]
    assert table.wait[2:].isna().all()


def test_events_by_name(output: Output) -> None:
    table = output.events
    assert list(table.columns) == ["replication", "time", "kind", "resident", "station", "patient_class"]
    assert len(table) == len(FIRST) + len(SECOND)
    expected = [
        (0, time, events.KIND_NAMES[kind], who, ("clinic", "ward")[k], "ab"[c]) for time, who, kind, k, c in FIRST
    ]
    assert list(table[: len(FIRST)].itertuples(index=False, name=None)) == expected
    last = table.iloc[-1]
    assert (last.replication, last.kind, last.resident, last.station) == (1, "close", -1, "clinic")
    assert pd.isna(last.patient_class)


def test_events_without_a_log_are_refused() -> None:
    shape = network()
    done = [Replication(0, tally.replay(shape, written(FIRST)), None, 1)]
    with pytest.raises(
        InputError, match=r"^events: found a simulation without a log; expected simulate\(\.\.\., log=True"
    ):
        collect(shape, 1, "by hand", done).events  # noqa: B018


def test_a_run_in_which_nothing_happened_has_an_empty_log() -> None:
    shape = network(arrivals=[{"class": "a", "station": "clinic", "rate": 0.0}])
    log = written([])
    out = collect(shape, 1, "by hand", [Replication(0, tally.replay(shape, log), log, 0)])
    assert len(out.events) == 0
    assert out.stations.arrivals.sum() == 0


def test_summary_over_replications(output: Output) -> None:
    table = output.summary()
    arrivals = row(table, station="clinic", measure="arrivals")
    # 3 and 1: mean 2, standard error 1, t(0.975; 1) = 12.706 (tables of Student's t)
    assert arrivals["mean"] == 2.0
    assert (arrivals.low, arrivals.high) == pytest.approx((2 - 12.7062, 2 + 12.7062), abs=1e-4)
    wait = row(table, station="clinic", measure="mean_wait")
    assert (wait["mean"], wait.replications, wait.low, wait.high) == (3.0, 1, -math.inf, math.inf)
    none = row(table, station="ward", measure="utilisation")
    assert none.replications == 0
    assert math.isnan(none["mean"])


def test_tables_are_made_once(output: Output) -> None:
    assert output.stations is output.stations
    assert output.events is output.events


def test_quantiles_of_binned_waits() -> None:
    counts = np.array([[4, 4, 2, 0], [0, 0, 0, 0], [0, 0, 1, 9], [10, 0, 0, 0]], np.uint32)
    assert wait_quantile(counts, 7.0, 0.5)[[0, 3]].tolist() == [7.0 * 1.25, 3.5]
    assert wait_quantile(counts, 7.0, 0.9)[0] == pytest.approx(17.5, rel=1e-15)
    assert math.isnan(wait_quantile(counts, 7.0, 0.5)[1])
    assert wait_quantile(counts, 7.0, 0.5)[2] == math.inf
    for wrong in (0.0, 1.0, -0.1, math.nan):
        with pytest.raises(InputError, match="probability"):
            wait_quantile(counts, 7.0, wrong)
