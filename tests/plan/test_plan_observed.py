"""The targets of the calibration: figures with errors; what is not complete is refused with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from flowsim.errors import InputError
from flowsim.plan.figures import load_figures
from flowsim.plan.observed import Observation, growth, load_observed

TARGET = '[target.clients]\nfigure = "demand.clients"\nerror = 65\ndiscrepancy = 195\nbecause = "a reason"\n'


def test_targets_are_figures_of_the_region_with_errors_and_reasons() -> None:
    book = load_figures()
    observed = load_observed("amstelland", book)
    weighing = {one.name: one for one in observed.targets if one.weighs}
    for name, value in (("clients", 6491), ("smi", 1470), ("wait_trauma", 28), ("wait_somatic_symptom", 20.5)):
        assert weighing[name].value(book) == value
    assert weighing["waiting"].at_least
    assert weighing["waiting"].value(book) == 650
    assert {one.shares for one in observed.targets if one.shares} == set(observed.correlation)
    for one in observed.flat:  # three standard deviations of its own target leave the data free to speak
        target = next(t for t in observed.targets if t.figure == one.key)
        assert one.low <= target.value(book) - 2.85 * target.deviation
        assert one.high >= target.value(book) + 2.85 * target.deviation


def test_growth_is_by_the_year_between_the_first_date_and_the_last() -> None:
    figure = load_figures().figure("public.waiting_places_netherlands")
    (first, before), (last, after) = figure.values[0], figure.values[-1]
    assert before * (1.0 + growth(figure)) ** ((last - first).days / 365.25) == pytest.approx(after)
    with pytest.raises(InputError, match=r"demand\.clients: found one value"):
        growth(load_figures().figure("demand.clients"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TARGET.replace("demand.clients", "demand.nobody"), r"target\.clients\.figure: found the key 'demand\.nobody'"),
        (TARGET.replace("error = 65\n", ""), r"target\.clients: found no error"),
        (TARGET.replace("error = 65", "error = -1"), r"target\.clients\.error: found -1; expected a number from 0"),
        (TARGET.replace("error = 65", 'error = "65"'), r"target\.clients\.error: found '65'"),
        (TARGET.replace("65", "0").replace("195", "0"), r"target\.clients\.error: found no error and no discrepancy"),
        (TARGET.replace('"a reason"', '" "'), r"because: found ' '; expected a text"),
        (TARGET + "colour = 1\n", r"target\.clients: found the attribute 'colour'"),
        (TARGET + "growth = 1\n", r"target\.clients\.growth: found 1; expected true or false"),
        (TARGET + 'shares = "europe"\n', r"target\.clients\.shares: found 'europe'"),
        (TARGET + "weighs = false\n", r"found no target that weighs"),
        (TARGET + '[shared.all]\ncorrelation = 1\nbecause = "b"\n', r"shared\.all\.correlation: found 1"),
        (TARGET + '[flat.demand.smi]\nlow = 2\nhigh = 1\nbecause = "b"\n', r"flat\.demand\.smi: found 2 to 1"),
        (TARGET + "[other]\n", r"calibration\.toml: other: found an unknown table"),
    ],
)
def test_what_is_not_complete_is_refused_with_its_place(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "calibration.toml").write_text('holds = "calibration"\n' + content, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_observed(tmp_path, load_figures())


def test_a_region_without_targets_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"calibration: found no calibration\.toml"):
        load_observed(tmp_path, load_figures())


def test_bounds_of_a_number_may_be_reached(tmp_path: Path) -> None:
    content = TARGET.replace("error = 65", "error = 0") + '[shared.all]\ncorrelation = 0.999\nbecause = "b"\n'
    (tmp_path / "calibration.toml").write_text('holds = "calibration"\n' + content, encoding="utf-8")
    observed = load_observed(tmp_path, load_figures())
    assert observed.targets[0].error == 0.0
    assert observed.correlation == {"all": 0.999}


def test_a_target_is_the_value_itself_weighs_and_binds_on_both_sides_unless_it_says_otherwise() -> None:
    one = Observation("clients", "demand.clients", "clients", 3.0, 4.0, "a reason")
    assert one.value(load_figures()) == 6491
    assert (one.growth, one.at_least, one.weighs, one.deviation) == (False, False, True, 5.0)
