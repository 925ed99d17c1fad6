"""The answer: what cleared means, the precision that was asked for, the same bytes on any number of threads."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from flowsim.analysis.clearing import Definition, clearing_day
from flowsim.errors import InputError
from flowsim.scenario.load import Scenario, default
from flowsim.study.answer import Answer, answer, cases_of
from flowsim.study.calibrate import balanced, calibration
from flowsim.study.futures import Balances, Case

POLDER = Path(__file__).resolve().parents[2] / "experiments" / "regions" / "polder"
CLEARED = Definition(share=0.05, weeks=26, deadline=1826.0)


def weekly(*stretches: tuple[int, int]) -> np.ndarray:
    """Numbers overdue per week: (number, weeks) after each other."""
    return np.concatenate([np.full(weeks, number) for number, weeks in stretches])


def test_cleared_on_the_first_day_of_a_stretch_that_lasts() -> None:
    assert clearing_day(weekly((100, 50), (5, 27)), 7.0, CLEARED) == 350.0
    assert clearing_day(weekly((100, 50), (5, 26)), 7.0, CLEARED) == np.inf  # 26 snapshots span 25 weeks
    assert clearing_day(weekly((100, 50), (5, 20), (6, 1), (5, 30)), 7.0, CLEARED) == 71 * 7.0
    assert clearing_day(weekly((100, 50), (6, 200)), 7.0, CLEARED) == np.inf
    assert clearing_day(weekly((0, 27)), 7.0, CLEARED) == 0.0


def test_a_late_clearing_is_seen_to_hold_past_the_fifth_year() -> None:
    last_week = 1826 // 7
    overdue = weekly((100, last_week), (0, 27))
    assert clearing_day(overdue, 7.0, CLEARED) <= CLEARED.deadline


def test_the_cases_of_a_scenario() -> None:
    assert list(cases_of(default())) == ["none", "headcount", "capacity", "net"]
    assert list(cases_of(default().with_settings("x", network="diversion"))) == ["none", "diversion"]
    assert list(cases_of(default().with_settings("x", network="none"))) == ["none"]


@pytest.fixture(scope="module")
def small() -> Answer:
    return answer(half_width=0.2, seed=3, curve=False, most=24)


def test_the_same_futures_on_one_and_two_threads(small: Answer) -> None:
    for name, case in small.cases.items():
        again = Case(name, case.scenario)
        again.extend(6, 3, Balances(3), threads=1)
        for a, b in zip(case.futures, again.futures, strict=False):
            for field in ("waiting", "overdue", "months", "volumes", "by_programme", "wait_90"):
                assert getattr(a, field).tobytes() == getattr(b, field).tobytes()


def test_futures_in_batches_are_the_same_as_futures_at_once(small: Answer) -> None:
    case = Case("net", small.cases["net"].scenario)
    for count in (1, 3, 2):
        case.extend(count, 3, Balances(3), threads=2)
    for a, b in zip(case.futures, small.cases["net"].futures, strict=False):
        assert a.overdue.tobytes() == b.overdue.tobytes()


def test_cases_share_unknowns_and_differ_in_what_the_network_does(small: Answer) -> None:
    none, net = small.cases["none"], small.cases["net"]
    assert none.drawn[:10] == net.drawn[:10]
    first = [future.overdue[0] for future in none.futures]
    assert first == [future.overdue[0] for future in net.futures]
    ends = np.array([[f.waiting[260] for f in small.cases[name].futures] for name in small.cases]).astype(int)
    assert (ends[0] > ends[1]).all()  # headcount against none, every future by itself
    assert ends[1].mean() < ends[2].mean() < ends[3].mean()


def test_tables_hold_an_interval_with_every_estimate(small: Answer) -> None:
    made = small.tables
    assert set(made) >= {"summary", "years", "fan", "unknowns", "uncertainty", "differences", "targets", "euros"}
    summary = made["summary"].set_index("case")
    for name in small.cases:
        row = summary.loc[name]
        assert 0.0 <= row["cleared_low"] <= row["cleared"] <= row["cleared_high"] <= 1.0
        assert row["wait_ratio_low"] < row["wait_ratio"] < row["wait_ratio_high"]
    fan = made["fan"]
    assert (fan["q05"] <= fan["q50"]).all()
    assert (fan["q50"] <= fan["q95"]).all()
    assert set(made["unknowns"]["unknown"]) >= {"assumptions.list_size", "assumptions.reneging_share"}


def test_the_plan_s_own_numbers_come_out_of_the_simulation(small: Answer) -> None:
    table = small.tables["targets"].set_index(["case", "target"])
    assert table.loc[("headcount", "freed_clients_2028"), "mean"] == pytest.approx(650, abs=1)
    assert table.loc[("capacity", "freed_clients_2028"), "mean"] == pytest.approx(499, abs=1)
    assert table.loc[("net", "freed_clients_2028"), "mean"] == pytest.approx(271.6, abs=1)
    assert table.loc[("net", "conversations_2028"), "mean"] == pytest.approx(650, abs=1)
    kpi_27 = table.loc[("net", "kpi_27")]
    assert kpi_27["mean"] == pytest.approx(436, abs=1)  # the sentence of the KPI says 486, the plan's tables 436
    assert kpi_27["probability"] == 0.0
    assert not table.loc[("net", "kpi_16"), "simulated"]
    assert not table.loc[("net", "kpi_24"), "probability"] > 0.5


def test_before_a_reading_has_been_simulated_there_is_no_answer_to_keep() -> None:
    def stop(name: str, done: int, expected: int) -> None:
        if name == "none" and done > 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answer(half_width=0.5, curve=False, most=8, progress=stop)
    alone = answer(default().with_settings("alone", network="none"), 0.5, curve=False, most=8, progress=stop)
    assert alone.interrupted
    assert list(alone.cases) == ["none"]


def test_every_reading_has_a_first_batch_before_any_is_refined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowsim.study.answer.LEAST", 4)

    def stop(name: str, done: int, expected: int) -> None:
        if done > 4:
            raise KeyboardInterrupt

    found = answer(half_width=0.01, curve=False, progress=stop)
    assert found.interrupted
    assert list(found.cases) == list(cases_of(default()))
    assert min(len(case.futures) for case in found.cases.values()) >= 4


def test_a_promise_that_cannot_be_judged_is_refused_before_anything_is_simulated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    region = Path(shutil.copytree(POLDER, tmp_path / "polder"))
    (region / "targets.toml").write_text(
        'holds = "targets"\n[a]\nquantity = "heads"\nvalue = 3\ncomparison = ">="\ndate = 2028-12-31\nunit = "u"\n'
        'source = "A plan"\nsection = "1"\n',
        encoding="utf-8",
    )
    monkeypatch.setattr("flowsim.study.answer._prepared", lambda *_: pytest.fail("it prepares what it will simulate"))
    with pytest.raises(InputError, match=r"targets\.toml: a\.quantity: found 'heads'"):
        answer(str(region), half_width=0.5, most=2)


def test_a_scenario_may_be_the_name_of_a_file_in_experiments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "grown.toml").write_text('title = "More demand"\n', encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("flowsim.study.answer._prepared", stopped)
    for name in ("grown", "experiments/grown.toml"):
        with pytest.raises(Stopped, match="grown"):
            answer(name, half_width=0.5, most=2)


class Stopped(Exception):
    """The scenario was read."""


def stopped(cases: dict[str, Scenario], *_: object) -> None:
    raise Stopped(cases["net"].files[-1])


@pytest.mark.parametrize("half_width", [0.0, 1.0, float("nan"), "small", True, -0.1])
def test_impossible_precision_is_refused(half_width: object) -> None:
    with pytest.raises(InputError, match="half_width"):
        answer(half_width=half_width)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "arguments",
    [
        *({"seed": "one"}, {"seed": -1}, {"threads": 0}, {"most": 0}, {"most": "x"}),
        *({"scenario": "nowhere.toml"}, {"scenario": {}}, {"scenario": 5}),
    ],
)
def test_impossible_arguments_are_refused(arguments: dict[str, object]) -> None:
    with pytest.raises(InputError):
        answer(**arguments)  # type: ignore[arg-type]


def test_the_first_day_stands_for_five_years_without_growth_or_network() -> None:
    """A region in balance stays where it started: within the range of its futures, and on average within 4%."""
    case = Case("balance", balanced(default()))
    table = calibration(default(), seed=5, futures=48, case=case).set_index("target")
    for target in ("clients_2025", "clients_2029", "smi", "inflow", "waiting_end", "wait_trauma_2029"):
        assert table.loc[target, "stands"], target
    assert table.loc["waiting_end", "simulated"] == pytest.approx(table.loc["waiting_start", "simulated"], rel=0.06)
    assert table.loc["clients_2029", "simulated"] == pytest.approx(6491, rel=0.01)
    assert not table.loc["overdue_share", "stands"]  # reported as missed: national lists have more people overdue
