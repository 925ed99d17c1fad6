"""Codes from intervals."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.analysis import verdict
from flowsim.analysis.statistics import Estimate, wilson
from flowsim.errors import InputError


@pytest.mark.parametrize(
    ("low", "high", "code"),
    [
        (0.9, 1.0, "yes"),
        (0.89, 1.0, "likely"),
        (0.51, 0.6, "likely"),
        (0.5, 0.6, "uncertain"),
        (0.0, 1.0, "uncertain"),
        (0.4, 0.5, "uncertain"),
        (0.2, 0.49, "unlikely"),
        (0.0, 0.11, "unlikely"),
        (0.0, 0.1, "no"),
        (0.0, 0.0, "no"),
        (1.0, 1.0, "yes"),
    ],
)
def test_the_whole_interval_decides(low: float, high: float, code: str) -> None:
    assert verdict.chance(low, high) == code


@given(st.floats(0, 1), st.floats(0, 1))
def test_codes_rise_with_the_interval_and_mirror(a: float, b: float) -> None:
    low, high = min(a, b), max(a, b)
    rank = verdict.CODES.index(verdict.chance(low, high))
    assert verdict.CODES.index(verdict.chance(low, 1.0)) >= rank or verdict.chance(low, 1.0) == "uncertain"
    mirrored = verdict.CODES.index(verdict.chance(1 - high, 1 - low))
    if {low, high}.isdisjoint({0.1, 0.9, 0.5}) and all(abs(x - y) > 1e-9 for x in (low, high) for y in (0.1, 0.5, 0.9)):
        assert rank + mirrored == 4


@pytest.mark.parametrize(("low", "high"), [(0.6, 0.4), (-0.1, 0.5), (0.5, 1.1), (math.nan, 0.5), (0.1, math.nan)])
def test_no_code_for_what_is_no_interval(low: float, high: float) -> None:
    with pytest.raises(InputError, match="0 <= low <= high <= 1"):
        verdict.chance(low, high)


def test_few_futures_decide_nothing() -> None:
    two_of_two, many = wilson(2, 2), wilson(200, 200)
    assert verdict.chance(two_of_two.low, two_of_two.high) == "uncertain"
    assert verdict.chance(many.low, many.high) == "yes"


@pytest.mark.parametrize(
    ("codes", "together"),
    [
        (["no", "no", "no"], "no"),
        (["no", "unlikely"], "no"),
        (["yes", "likely"], "yes"),
        (["no", "uncertain"], "depends"),
        (["no", "yes"], "depends"),
        (["uncertain"], "uncertain"),
    ],
)
def test_readings_together(codes: list[str], together: str) -> None:
    assert verdict.across(codes) == together


def test_the_leading_case_is_the_scenarios_own_reading() -> None:
    settings = {"network": "functions", "reading": "capacity"}
    assert verdict.leading(["none", "headcount", "capacity", "net"], settings) == "capacity"
    assert verdict.leading(["none", "headcount"], settings) == "headcount"  # interrupted before capacity
    assert verdict.leading(["none", "diversion"], {"network": "diversion", "reading": "net"}) == "diversion"
    assert verdict.leading(["none"], {"network": "none", "reading": "net"}) == "none"


def test_strength_needs_an_interval_without_zero() -> None:
    assert verdict.strength(0.6, 0.4, 0.7) == "strong"
    assert verdict.strength(-0.4, -0.5, -0.2) == "moderate"
    assert verdict.strength(0.2, 0.1, 0.3) == "weak"
    assert verdict.strength(0.9, -0.1, 1.0) == "unclear"
    assert verdict.strength(0.9, math.nan, math.nan) == "unclear"


def test_the_turn_of_the_curve_must_hold_for_all_larger_shares() -> None:
    likely, uncertain = Estimate(0.7, 0.6, 0.8, 96), Estimate(0.5, 0.4, 0.6, 96)
    assert verdict.turning_share([(0.1, uncertain), (0.2, likely), (0.3, likely)]) == 0.2
    assert verdict.turning_share([(0.3, likely), (0.1, likely), (0.2, uncertain)]) == 0.3
    assert verdict.turning_share([(0.1, likely), (0.2, uncertain)]) is None
    assert verdict.turning_share([]) is None


def test_the_undecided_case_is_nearest_to_even() -> None:
    estimates = {name: Estimate(p, 0.0, 1.0, 9) for name, p in {"a": 0.0, "b": 0.45, "c": 0.6}.items()}
    assert verdict.undecided(estimates) == "b"
