"""What every record of the model, the plan and the analysis keeps to: nobody changes one that was handed out."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
from collections.abc import Iterator

import pytest

import flowsim.analysis
import flowsim.model
import flowsim.plan

GROWING = {"Path"}
"""The one record that fills up while it is used: the sample path of a search."""


def records() -> Iterator[type]:
    for package in (flowsim.model, flowsim.plan, flowsim.analysis):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            for one in vars(importlib.import_module(module.name)).values():
                if inspect.isclass(one) and dataclasses.is_dataclass(one) and one.__module__ == module.name:
                    yield one


@pytest.mark.parametrize("record", list(records()), ids=lambda one: f"{one.__module__}.{one.__name__}")
def test_a_record_does_not_change(record: type) -> None:
    assert record.__dataclass_params__.frozen == (record.__name__ not in GROWING)  # type: ignore[attr-defined]


def test_records_of_arrays_are_told_apart_by_identity() -> None:
    """Two arrays cannot be compared with one yes or no, so these records are not compared by value."""
    by_identity = {one.__name__ for one in records() if not one.__dataclass_params__.eq}  # type: ignore[attr-defined]
    assert {"Output", "Emulator"} <= by_identity


def test_quarters_are_in_the_order_of_time() -> None:
    from flowsim.analysis.monitoring import Quarter

    assert sorted([Quarter(2026, 1), Quarter(2025, 4), Quarter(2025, 2)])[0] == Quarter(2025, 2)
    assert Quarter(2025, 4) < Quarter(2026, 1)
