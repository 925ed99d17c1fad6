"""Futures with made-up numbers, for tests of what is counted over them: nothing is simulated."""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace
from typing import Any

import numpy as np

from flowsim.analysis.clearing import QUEUE_MONTH, VOLUMES, Definition, Future
from flowsim.scenario.load import default

PROGRAMMES = ("one", "two", "three")
WEEKS = 5 * 52 + 27
MONTH_ENDS = np.round(
    (np.arange("2025-02", "2030-02", dtype="datetime64[M]") - np.datetime64("2025-01-01")).astype(float) / 7.0
).astype(int)
DEFINITION = Definition(share=0.05, weeks=26, deadline=1826.0)


def queues(luck: np.random.Generator) -> np.ndarray:
    """`QUEUE_MONTH` of 60 months and the programmes; more servers than are in use."""
    made = luck.integers(1, 300, (60, len(PROGRAMMES), len(QUEUE_MONTH))).astype(np.float32)
    made[..., -1] += made[..., -2]
    return made


def future(seed: int, cleared: float = float("inf")) -> Future:
    """One future in which every number is another one."""
    luck = np.random.default_rng(seed)
    waiting = luck.integers(100, 900, WEEKS).astype(np.uint16)
    overdue = (waiting * luck.uniform(0.0, 1.0, WEEKS)).astype(np.uint16)
    at_ends, by_month = luck.integers(1, 400, (6, 3, 2)), queues(np.random.default_rng(10_000 + seed))
    by_month[11::12, :, :2] = at_ends[1:]
    return Future(
        waiting=waiting,
        overdue=overdue,
        cleared=cleared,
        by_programme=at_ends,
        programme_years=luck.integers(1, 900, (5, 3, 3)).astype(float),
        by_municipality=luck.uniform(100.0, 900.0, 4),
        in_treatment=luck.uniform(100.0, 900.0, 3),
        months=luck.integers(1, 500, (60, 5)).astype(np.float32),
        wait_90=luck.uniform(50.0, 300.0, 5),
        wait_90_months=luck.uniform(50.0, 300.0, 60).astype(np.float32),
        volumes=luck.integers(0, 90, (60, len(VOLUMES))),
        treated=luck.integers(5000, 7000, 5),
        queues=by_month,
    )


def case(name: str, count: int, first: int, second: int = 0) -> Any:
    """A case of so many futures, every third of which is cleared, with two unknowns; ``second``: futures run twice."""
    luck = np.random.default_rng(first)
    futures = [future(first + i, 700.0 + 7.0 * i if i % 3 == 0 else float("inf")) for i in range(count)]
    drawn = [
        {"assumptions.list_size": float(x), "assumptions.worsening": float(y)} for x, y in luck.normal(size=(count, 2))
    ]
    network = SimpleNamespace(station_names=("gp", *PROGRAMMES))
    return SimpleNamespace(
        name=name,
        scenario=default(),
        futures=futures,
        second_runs=[future(first + 500 + i, 900.0 if i % 2 else float("inf")) for i in range(second)],
        cleared=np.array([one.cleared <= DEFINITION.deadline for one in futures]),
        drawn=drawn,
        definition=DEFINITION,
        reduce=SimpleNamespace(ggz=[1, 2, 3], every=7.0, month_ends=MONTH_ENDS),
        template=SimpleNamespace(network_at_mode=network),
    )


def one_future(volumes: Any, i: int) -> Any:
    """The volumes of one future, as plain numbers."""
    return replace(volumes, **{one.name: float(np.asarray(getattr(volumes, one.name))[i]) for one in fields(volumes)})
