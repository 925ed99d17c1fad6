"""Tables of an answer over made-up futures: every cell once more, by plain means."""

from __future__ import annotations

import copy
import io
import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up_futures import PROGRAMMES, case
from scipy import stats

from flowsim.analysis import answers, measures
from flowsim.analysis.clearing import QUEUE_MONTH, VOLUMES
from flowsim.analysis.measure_first import measure_first
from flowsim.analysis.statistics import mean_interval, wilson

YEARS = (2025, 2026, 2027, 2028, 2029)


@pytest.fixture(scope="module")
def answer() -> Any:
    """Two cases of other sizes, the second with runs repeated."""
    cases = {"none": case("none", 14, 100), "plan": case("plan", 12, 300, second=5)}

    def probability(name: str) -> Any:
        return wilson(int(cases[name].cleared.sum()), len(cases[name].futures))

    return SimpleNamespace(cases=cases, probability=probability, calibration=None, curve=None)


def cell(row: Any, name: str) -> tuple[float, float, float]:
    return row[name], row[f"{name}_low"], row[f"{name}_high"]


def interval(values: list[float], least: float = 0.0) -> tuple[float, float, float]:
    """Mean with Student's interval, of what cannot be below ``least``."""
    half = stats.t.ppf(0.975, len(values) - 1) * np.std(values, ddof=1) / math.sqrt(len(values))
    return float(np.mean(values)), max(least, float(np.mean(values) - half)), float(np.mean(values) + half)


def test_summary(answer: Any) -> None:
    table = answers.summary(answer).set_index("case")
    for name, one in answer.cases.items():
        row = table.loc[name]
        days = sorted(future.cleared for future in one.futures)
        ratios = [float(measures.wait_ratio(future)) for future in one.futures]
        assert row["futures"] == len(days)
        chance = answer.probability(name)
        assert cell(row, "cleared") == (chance.value, chance.low, chance.high)
        assert row["day_05"] == days[math.ceil(0.05 * (len(days) - 1))]
        assert math.isnan(row["day_95"])
        assert math.isnan(row["day_50"])
        assert cell(row, "wait_ratio") == pytest.approx(interval(ratios), rel=1e-5)
        assert row["wait_halved"] == pytest.approx(sum(ratio <= 0.5 for ratio in ratios) / len(ratios))


def test_years(answer: Any) -> None:
    table = answers.years(answer)
    assert len(table) == 2 * 5 * 12
    for _, row in table.iterrows():
        futures = answer.cases[row["case"]].futures
        values = [float(measures.by_year(future)[row["measure"]][YEARS.index(row["year"])]) for future in futures]
        assert cell(row, "mean") == pytest.approx(interval(values), rel=1e-5)
        assert (row["q05"], row["q95"]) == pytest.approx((np.quantile(values, 0.05), np.quantile(values, 0.95)))


def test_fan(answer: Any) -> None:
    table = answers.fan(answer)
    assert sorted(set(table["measure"])) == ["overdue", "waiting"]
    for _, row in table.iloc[::97].iterrows():
        values = [getattr(f, row["measure"])[round(row["day"] / 7)] for f in answer.cases[row["case"]].futures]
        for column, share in (("q05", 0.05), ("q25", 0.25), ("q50", 0.5), ("q75", 0.75), ("q95", 0.95)):
            assert row[column] == pytest.approx(np.quantile(values, share))


def test_programmes(answer: Any) -> None:
    table = answers.programmes(answer)
    assert len(table) == 2 * 6 * 3
    assert sorted(set(table["year"])) == [2024, *YEARS]
    for _, row in table.iterrows():
        y, p = row["year"] - 2024, PROGRAMMES.index(row["programme"])
        for i, measure in enumerate(("waiting", "overdue")):
            values = [float(f.by_programme[y, p, i]) for f in answer.cases[row["case"]].futures]
            assert cell(row, measure) == pytest.approx(interval(values))


def test_queues_by_year_and_by_month(answer: Any) -> None:
    yearly = answers.programmes(answer).set_index(["case", "year", "programme"])
    monthly = answers.queues(answer).set_index(["case", "month", "programme"])
    assert len(monthly) == 2 * 60 * 3
    sums = {name: i for i, name in enumerate(QUEUE_MONTH) if name in ("referred", "starts", "reneged", "completions")}
    for name, of_case in answer.cases.items():
        found = np.array([future.queues for future in of_case.futures], float)
        for p, programme in enumerate(PROGRAMMES):
            first = yearly.loc[(name, 2024, programme)]
            assert first[[*sums, "mean_wait", "expected_wait", "utilisation"]].isna().all()
            month, year = monthly.loc[(name, "2026-03", programme)], yearly.loc[(name, 2026, programme)]
            of_month, of_year = found[:, 14, p], found[:, 12:24, p].sum(axis=1)
            for measure, i in sums.items():
                assert cell(month, measure) == pytest.approx(interval(of_month[:, i]))
                assert cell(year, measure) == pytest.approx(interval(of_year[:, i]))
            for row, of in ((month, of_month), (year, of_year)):
                assert cell(row, "mean_wait") == pytest.approx(interval(of[:, 4] / of[:, 3]))
                assert cell(row, "utilisation") == pytest.approx(interval(of[:, 7] / of[:, 8]))
            waits = found[:, 14, p, 0] * (31 + 30 + 31 + 31 + 28 + 31) / found[:, 9:15, p, 3].sum(axis=1)
            assert cell(month, "expected_wait") == pytest.approx(interval(waits))
            assert cell(month, "overdue") == pytest.approx(interval(of_month[:, 1]))


def test_volumes(answer: Any) -> None:
    table = answers.volumes(answer)
    assert len(table) == 2 * 5 * len(VOLUMES)
    for _, row in table.iterrows():
        y, v = YEARS.index(row["year"]), VOLUMES.index(row["volume"])
        futures = answer.cases[row["case"]].futures
        values = [float(sum(f.volumes[m][v] for m in range(12 * y, 12 * y + 12))) for f in futures]
        assert cell(row, "mean") == pytest.approx(interval(values))
        assert (row["q05"], row["q95"]) == pytest.approx((np.quantile(values, 0.05), np.quantile(values, 0.95)))


def test_unknowns(answer: Any) -> None:
    table = answers.unknowns(answer)
    assert len(table) == 4
    for name, mine in table.groupby("case", sort=False):
        strengths = mine["correlation"].abs().tolist()
        assert strengths == sorted(strengths, reverse=True)
        one = answer.cases[name]
        overdue = [float(f.by_programme[-1, :, 1].sum()) for f in one.futures]
        for _, row in mine.iterrows():
            values = np.array([drawn[row["unknown"]] for drawn in one.drawn])
            r = float(stats.spearmanr(values, overdue)[0])
            half = 1.96 * math.sqrt(1.06 / (len(values) - 3))
            ends = (r, math.tanh(math.atanh(r) - half), math.tanh(math.atanh(r) + half))
            assert cell(row, "correlation") == pytest.approx(ends)
            low, high = np.quantile(values, 1 / 3), np.quantile(values, 2 / 3)
            assert row["cleared_low"] == pytest.approx(one.cleared[values <= low].mean())
            assert row["cleared_high"] == pytest.approx(one.cleared[values >= high].mean())


def test_too_few_futures_correlate_with_nothing() -> None:
    for count, known in ((10, False), (11, True)):
        few = SimpleNamespace(cases={"plan": case("plan", count, 700)})
        table = answers.unknowns(few)
        assert (table["correlation"] != 0.0).all() == known
        assert ((table["correlation_low"] == -1.0) & (table["correlation_high"] == 1.0)).all() == (not known)


def test_uncertainty(answer: Any) -> None:
    table = answers.uncertainty(answer).set_index("measure")
    assert set(table["case"]) == {"plan"}  # no pairs in the other case
    one = answer.cases["plan"]
    pairs = list(zip(one.futures[:5], one.second_runs, strict=True))
    for measure, of in {
        "cleared": lambda f: float(f.cleared <= 1826.0),
        "overdue_2029": lambda f: float(f.by_programme[5, :, 1].sum()),
        "waiting_2029": lambda f: float(f.by_programme[5, :, 0].sum()),
    }.items():
        values = np.array([[of(f) for f in pair] for pair in pairs])
        within = float(np.mean(values.var(axis=1, ddof=1)))
        between = max(float(values.mean(axis=1).var(ddof=1)) - within / 2, 0.0)
        row = table.loc[measure]
        assert row["pairs"] == 5
        assert (row["chance"], row["unknowns"]) == pytest.approx((within, between))
        assert row["share_unknowns"] == pytest.approx(between / (between + within))


def test_differences(answer: Any) -> None:
    table = answers.differences(answer)
    assert table["measure"].tolist() == ["waiting_2029", "overdue_2029"]
    for i, (_, row) in enumerate(table.iterrows()):
        ours, theirs = (
            [float(f.by_programme[-1, :, i].sum()) for f in answer.cases[name].futures[:12]]
            for name in ("plan", "none")
        )
        apart = [a - b for a, b in zip(ours, theirs, strict=True)]
        assert (row["case"], row["against"], row["pairs"]) == ("plan", "none", 12)
        assert cell(row, "difference") == pytest.approx(interval(apart, -math.inf))
        gain = (np.var(ours, ddof=1) + np.var(theirs, ddof=1)) / np.var(apart, ddof=1)
        assert row["variance_reduction"] == pytest.approx(gain)
    two = SimpleNamespace(cases={"none": case("none", 2, 1), "plan": case("plan", 2, 7)})
    assert answers.differences(two)["pairs"].tolist() == [2, 2]
    one = SimpleNamespace(cases={"none": case("none", 1, 1), "plan": case("plan", 2, 7)})
    assert answers.differences(one).empty
    assert answers.differences(SimpleNamespace(cases={"plan": case("plan", 2, 7)})).empty


def test_two_cases_without_a_difference_have_no_variance_to_divide_by() -> None:
    same = SimpleNamespace(cases={"none": case("none", 4, 1), "plan": case("plan", 4, 1)})
    table = answers.differences(same)
    assert (table["difference"] == 0.0).all()
    assert (table["variance_reduction"] > 1e12).all()
    assert np.isfinite(table["variance_reduction"]).all()


def test_futures(answer: Any) -> None:
    table = answers.futures(answer)
    assert table["case"].tolist() == ["none"] * 14 + ["plan"] * 12
    for _, row in table.iterrows():
        one = answer.cases[row["case"]]
        future, drawn = one.futures[row["future"]], one.drawn[row["future"]]
        assert row["cleared_day"] == future.cleared
        assert {name: row[name] for name in drawn} == drawn
        for y, year in enumerate(YEARS):
            assert row[f"waiting_{year}"] == future.by_programme[y + 1, :, 0].sum()
            assert row[f"overdue_{year}"] == future.by_programme[y + 1, :, 1].sum()


def test_months_are_those_of_the_futures(answer: Any) -> None:
    table = answers.tables(answer)["months"]
    assert table.groupby(["case", "measure"]).size().unique().tolist() == [60]
    assert table["month"].iloc[[0, 13, 59]].tolist() == ["2025-01", "2026-02", "2029-12"]
    name, case = next(iter(answer.cases.items()))
    rows = table[table["case"] == name].set_index(["measure", "month"])
    starts = np.array([future.months[13, 1] for future in case.futures], float)
    waits = np.array([future.months[13, 2] for future in case.futures], float) / starts
    for measure, values in (
        ("starts", starts),
        ("mean_wait", waits),
        ("wait_90", np.array([future.wait_90_months[13] for future in case.futures], float)),
        ("overdue", np.array([future.overdue[round(424 / 7)] for future in case.futures], float)),
        ("conversations", np.array([future.volumes[13, 1] for future in case.futures], float)),
    ):
        row, by_hand = rows.loc[(measure, "2026-02")], mean_interval(values)
        assert row[["mean", "mean_low", "mean_high"]].tolist() == pytest.approx(
            [by_hand.value, by_hand.low, by_hand.high]
        )
        assert row["q95"] == pytest.approx(np.quantile(values, 0.95))


def test_a_month_in_which_nobody_starts_has_no_wait(answer: Any) -> None:
    case = copy.deepcopy(next(iter(answer.cases.values())))
    case.futures[0].months[5, 1:3] = 0.0
    table = answers.months(SimpleNamespace(cases={"one": case}))
    row = table.set_index(["measure", "month"]).loc[("mean_wait", "2025-06")]
    rest = [float(future.months[5, 2] / future.months[5, 1]) for future in case.futures[1:]]
    assert row["mean"] == pytest.approx(np.mean(rest))


@pytest.mark.parametrize(
    "table", [answers.unknowns, answers.uncertainty, answers.differences, measure_first], ids=lambda made: made.__name__
)
def test_a_table_without_rows_has_the_columns_and_types_of_one_with_rows(table: Any) -> None:
    """Such as the differences of an answer about no network, or what an interrupted run leaves."""
    full = table(SimpleNamespace(cases={"none": case("none", 40, 100), "plan": case("plan", 40, 300, second=5)}))
    empty = table(SimpleNamespace(cases={}))
    assert len(full) > 0
    assert len(empty) == 0
    assert [kind.kind for kind in empty.dtypes] == [kind.kind for kind in full.dtypes]
    assert pd.read_csv(io.StringIO(empty.to_csv(index=False))).columns.tolist() == full.columns.tolist()


def test_the_tables_have_their_names(answer: Any) -> None:
    made = answers.tables(answer)
    assert list(made)[:13] == [
        "summary", "years", "months", "fan", "programmes", "queues", "volumes", "diverted", "diverted_months",
        "unknowns", "measure_first", "uncertainty", "differences",
    ]  # fmt: skip
    curve = SimpleNamespace(**{**vars(answer), "curve": [(0.1, mean_interval(np.array([0.0, 1.0, 1.0])))]})
    assert answers.tables(curve)["curve"]["diversion"].tolist() == [0.1]
