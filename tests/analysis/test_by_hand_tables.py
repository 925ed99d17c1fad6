"""Tables of studies over a handful of made-up futures: what whole studies would only notice by luck."""

from __future__ import annotations

import datetime as dt
import io
import itertools
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up_futures import case, future, one_future
from scipy import stats

from flowsim.analysis import (
    answers,
    beside,
    calibrated,
    comparison,
    decision,
    hangs_on,
    measure_first,
    measures,
    regions,
    residents,
    sensitivity,
    targets,
    verdict,
    weighing,
)
from flowsim.analysis import monitoring as mo
from flowsim.analysis import outcomes as out
from flowsim.analysis import posterior as p
from flowsim.analysis.clearing import VOLUMES, Definition, clearing_day, expected_overdue, fluid_scores, settled
from flowsim.analysis.controls import Controlled, controlled
from flowsim.analysis.effects import Surface, refit, surface
from flowsim.analysis.paired import paired_proportions, simultaneous, variance_gain
from flowsim.analysis.statistics import Estimate, mean_interval, paired_difference, wilson
from flowsim.errors import InputError

YEARS = (2025, 2026, 2027, 2028, 2029)


def ends(row: Any, name: str) -> tuple[float, float, float]:
    return row[name], row[f"{name}_low"], row[f"{name}_high"]


def numbers(estimate: Estimate) -> tuple[float, float, float]:
    return estimate.value, estimate.low, estimate.high


# ---------------------------------------------------------------- what outcomes hang on


def test_where_another_option_becomes_the_best() -> None:
    """Three options: nothing; 10 euros for 1 week; 40 for 3. They cross at 10, 40 / 3 and 15: the best changes at 10
    and at 15."""
    euros, weeks = np.array([[0.0, 10.0, 40.0]] * 2), np.array([[0.0, 1.0, 3.0]] * 2)
    assert hangs_on.turning_weeks(euros, weeks, 0.0, 100.0) == pytest.approx([10.0, 15.0])
    assert hangs_on.turning_weeks(euros, weeks, 10.0, 100.0) == pytest.approx([15.0])
    assert hangs_on.turning_weeks(euros, weeks, 0.0, 15.0) == pytest.approx([10.0])
    assert hangs_on.turning_weeks(euros, np.zeros((2, 3)), 0.0, 100.0) == []
    assert hangs_on.net_benefit(euros, weeks, 20.0).tolist() == [[0.0, 10.0, 20.0]] * 2


def test_values_of_a_week_are_looked_at_once_and_rising() -> None:
    euros, weeks = np.array([[0.0, 10.0, 40.0]] * 2), np.array([[0.0, 1.0, 3.0]] * 2)

    def looked(*week: float) -> list[tuple[str, float]]:
        return hangs_on._valued(SimpleNamespace(week=week), euros, weeks)

    assert looked(13.0, 5.0, 30.0) == [("low", 5.0), ("value", 13.0), ("turn", pytest.approx(15.0)), ("high", 30.0)]
    assert looked(12.0, 5.0, 30.0)[1] == ("turn", pytest.approx(10.0))
    assert looked(5.0, 5.0, 30.0) == [("value", 5.0), ("turn", pytest.approx(10.0)), ("high", 30.0)]
    assert looked(2.0, 2.0, 2.0) == [("value", 2.0)]


def test_indices_of_a_surface_with_their_bootstrap() -> None:
    rng = np.random.default_rng(3)
    u = rng.random((60, 2))
    y = 3.0 * u[:, :1] + rng.normal(0.0, 0.6, (60, 1))
    groups = np.arange(60) // 2
    fitted = surface(("a", "b"), u, y, groups, 5)
    rows = hangs_on._surface_indices(SimpleNamespace(seed=5), fitted, u, y, groups)
    draw = np.random.default_rng(5)
    drawn: dict[str, list[np.ndarray]] = {"first": [], "total": []}
    for _ in range(100):
        picked = draw.integers(0, 30, 30)
        again = refit(fitted, u, y, np.concatenate([[2 * i, 2 * i + 1] for i in picked]))
        for name, index in zip(drawn, again.indices(), strict=True):
            drawn[name].append(index[:, 0])
    for name, index in zip(drawn, fitted.indices(), strict=True):
        all_of_them = np.array(drawn[name])
        for i, row in enumerate(rows):
            bias = all_of_them[:, i].mean() - index[i, 0]
            value = min(max(index[i, 0] - bias, 0.0), 1.0)
            low, high = np.quantile(all_of_them[:, i], (0.025, 0.975)) - 2 * bias
            expected = (value, max(0.0, min(low, value)), min(1.0, max(high, value)))
            assert ends(row, name) == pytest.approx(expected)
    assert [(row["input"], row["runs"]) for row in rows] == [("a", 60), ("b", 60)]
    one = Surface(("a",), 3, np.array([[1.0], [1.0], [0.0], [0.0]]), np.zeros(1), 1.0)
    x = rng.random((40, 1))
    sure = hangs_on._surface_indices(SimpleNamespace(seed=1), one, x, x, np.arange(40))
    assert ends(sure[0], "first") == ends(sure[0], "total") == pytest.approx((1.0, 1.0, 1.0))


def test_cells_of_an_estimate() -> None:
    assert hangs_on._ends("x", Estimate(2.0, 1.0, 3.0, 9)) == {"x": 2.0, "x_low": 1.0, "x_high": 3.0}
    assert list(hangs_on._ends("x", None)) == ["x", "x_low", "x_high"]
    assert np.isnan(list(hangs_on._ends("x", None).values())).all()


# ---------------------------------------------------------------- answers


@pytest.mark.parametrize(("pairs", "rows"), [(1, 0), (2, 3)])
def test_two_pairs_tell_chance_from_the_unknowns(pairs: int, rows: int) -> None:
    answer = SimpleNamespace(cases={"few": case("few", 4, 10, second=pairs), "more": case("more", 4, 40, second=3)})
    table = answers.uncertainty(answer)
    assert (table["case"] == "few").sum() == rows
    assert (table["case"] == "more").sum() == 3


@pytest.mark.parametrize(("count", "rows"), [(1, 0), (2, 2)])
def test_two_futures_make_a_difference(count: int, rows: int) -> None:
    cases = {"plan": case("plan", count, 10), "none": case("none", 4, 40), "other": case("other", 3, 70)}
    table = answers.differences(SimpleNamespace(cases=cases))
    assert (table["case"] == "plan").sum() == rows
    assert (table["case"] == "other").sum() == 2
    assert answers.differences(SimpleNamespace(cases={"plan": cases["plan"]})).empty


@pytest.mark.parametrize(("count", "told"), [(10, False), (11, True)])
def test_more_than_ten_futures_correlate(count: int, told: bool) -> None:
    answer = SimpleNamespace(cases={"plan": case("plan", count, 10)})
    table = answers.unknowns(answer)
    assert (table["correlation"] != 0.0).all() == told
    if told:
        one = answer.cases["plan"]
        overdue = [float(f.by_programme[-1, :, 1].sum()) for f in one.futures]
        for _, row in table.iterrows():
            r = stats.spearmanr([drawn[row["unknown"]] for drawn in one.drawn], overdue).statistic
            reach = 1.96 * math.sqrt(1.06 / (count - 3))
            assert ends(row, "correlation") == pytest.approx(
                (r, math.tanh(math.atanh(r) - reach), math.tanh(math.atanh(r) + reach))
            )


def test_the_thirds_of_an_unknown_hold_their_edges() -> None:
    """Of 13 futures the fifth lies on the edge of the lowest third, the ninth on that of the highest."""
    one = case("plan", 13, 10)
    row = answers.unknowns(SimpleNamespace(cases={"plan": one})).iloc[0]
    order = np.argsort([drawn[row["unknown"]] for drawn in one.drawn])
    assert row["cleared_low"] == one.cleared[order[:5]].mean()
    assert row["cleared_high"] == one.cleared[order[8:]].mean()
    assert len(set(one.cleared[order[:6]])) == len(set(one.cleared[order[8:]])) == 2


def test_an_answer_without_unknowns_or_with_a_curve() -> None:
    one = case("plan", 12, 10)
    one.drawn = []
    assert answers.unknowns(SimpleNamespace(cases={"plan": one})).empty
    curve = [(0.1, Estimate(0.5, 0.4, 0.7, 9)), (0.2, Estimate(0.6, 0.5, 0.8, 9))]
    rows = pd.DataFrame([{"diversion": share, **answers._interval("cleared", e)} for share, e in curve])
    assert rows["cleared_high"].tolist() == [0.7, 0.8]
    assert rows["cleared_low"].tolist() == [0.4, 0.5]


def test_contenders_year_by_year_and_future_by_future() -> None:
    def made(name: str, first: int, numbers_: list[int]) -> Any:
        luck = np.random.default_rng(first)
        table = pd.DataFrame({"case": "x", "future": numbers_})
        for measure in ("waiting", "overdue"):
            for year in (2028, 2029):
                table[f"{measure}_{year}"] = luck.integers(0, 99, len(numbers_))
        return beside.contender(name, "x", {"futures": table, "fan": table.head(1)}, Estimate(0.5, 0.4, 0.6, 9))

    a, b = made("a", 1, [0, 1, 2, 3]), made("b", 2, [1, 2, 3, 9, 10])
    for year in (2028, 2029):
        table = beside.side_by_side([a, b], year) if year == 2028 else beside.side_by_side([a, b])
        first, second = table.to_dict("records")
        assert (first["futures"], first["pairs"], second["futures"], second["pairs"]) == (4, 4, 5, 3)
        for measure in ("waiting", "overdue"):
            column = f"{measure}_{year}"
            values = b.futures[column].to_numpy(float)
            assert ends(second, f"{measure}_mean") == pytest.approx(numbers(mean_interval(values)))
            assert second[f"{measure}_q05"] == pytest.approx(np.quantile(values, 0.05))
            assert second[f"{measure}_q95"] == pytest.approx(np.quantile(values, 0.95))
            change = paired_difference(a.futures[column].to_numpy()[1:], values[:3])
            assert ends(second, f"{measure}_difference") == pytest.approx(numbers(change))
            assert np.isnan(ends(first, f"{measure}_difference")).all()


@pytest.mark.parametrize(("cleared", "n", "rows"), [(8, 16, 2), (7, 16, 0), (8, 15, 0), (12, 20, 2), (13, 20, 0)])
def test_when_unknowns_are_ranked(cleared: int, n: int, rows: int) -> None:
    """Eight of each kind, and 2 d + 8 futures."""
    rng = np.random.default_rng(n)
    values = {"a": rng.normal(size=n), "b": rng.normal(size=n)}
    assert len(measure_first.ranked(values, np.arange(n) < cleared)) == rows
    assert measure_first.ranked({}, np.arange(n) < cleared) == []
    many = {str(i): rng.normal(size=20) for i in range(7)}
    assert measure_first.ranked(many, np.arange(20) < 10) == []
    assert len(measure_first.ranked(dict(list(many.items())[:6]), np.arange(20) < 10)) == 6


# ---------------------------------------------------------------- scenarios side by side


def measured(seed: int, n: int = 12) -> dict[str, np.ndarray]:
    luck = np.random.default_rng(seed)
    return {name: luck.normal(100.0, 9.0, (n, 5)) for name in ("waiting", "overdue", "diverted")}


def test_differences_of_all_outcomes_hold_together() -> None:
    found = {"base": measured(1), "plan": measured(2), "other": measured(3)}
    del found["base"]["diverted"]
    found["plan"]["waiting"] = found["base"]["waiting"] + 50.0 + 0.1 * measured(4)["waiting"]
    table = comparison.differences(found, "base")
    assert len(table) == 2 * 2 * 5
    columns = np.stack(
        [(found[r["case"]][r["measure"]] - found["base"][r["measure"]])[:, YEARS.index(r["year"])]
         for r in table.to_dict("records")], axis=1)  # fmt: skip
    every, critical = simultaneous(columns, 0.95)
    for (_, row), one, values in zip(table.iterrows(), every, columns.T, strict=True):
        assert (row["difference"], row["low"], row["high"]) == pytest.approx(numbers(one))
        assert row["critical"] == critical
        assert row["shown"] == ("more" if one.low > 0.0 else "less" if one.high < 0.0 else "unclear")
        base = found["base"][row["measure"]][:, YEARS.index(row["year"])]
        assert row["variance_reduction"] == pytest.approx(variance_gain(base, base + values))
        assert (row["against"], row["pairs"], row["controlled"]) == ("base", 12, False)
        assert math.isnan(row["control_gain"])
    assert (table[(table["case"] == "plan") & (table["measure"] == "waiting")]["shown"] == "more").all()
    swapped = comparison.differences({"plan": found["plan"], "base": found["base"]}, "plan")
    assert (swapped[swapped["measure"] == "waiting"]["shown"] == "less").all()
    same = comparison.differences({"a": found["base"], "b": found["base"]}, "a")
    assert (same["shown"] == "unclear").all()


def test_luck_is_taken_out_where_that_is_worth_it() -> None:
    rng = np.random.default_rng(9)
    x, population = rng.normal(size=(40, 1)), rng.normal(size=(400, 1))
    base = {"waiting": rng.normal(size=(40, 5)), "overdue": rng.normal(size=(40, 5))}
    plan = {"waiting": base["waiting"] + 5.0 * x + 0.3 * rng.normal(size=(40, 5)),
            "overdue": base["overdue"] + rng.normal(size=(40, 5)), "starts": rng.normal(size=(40, 5))}  # fmt: skip
    both = {"base": base, "plan": plan}
    controls = (x, population)
    taken = comparison.without_luck(both, "base", controls)
    for name, one in both.items():
        assert taken[name]["waiting"].values == pytest.approx(controlled(one["waiting"], *controls).values)
        assert taken[name]["overdue"].values is one["overdue"]
        assert (taken[name]["overdue"].extra.tolist(), taken[name]["overdue"].gain.tolist()) == ([0.0] * 5, [1.0] * 5)
    assert taken["plan"]["starts"].values is plan["starts"]
    table = comparison.differences(both, "base", controls)
    assert table.groupby("measure")["controlled"].all().to_dict() == {"waiting": True, "overdue": False}
    made = controlled(plan["waiting"] - base["waiting"], *controls)
    rows = table[table["measure"] == "waiting"]
    assert rows["difference"].to_numpy() == pytest.approx(made.values.mean(axis=0))
    assert rows["control_gain"].to_numpy() == pytest.approx(made.gain)
    half = (rows["high"] - rows["low"]).to_numpy() / 2
    error = np.sqrt(made.values.var(axis=0, ddof=1) / 40 + made.extra)
    assert half == pytest.approx(rows["critical"].to_numpy() * error)
    half = {"waiting": base["waiting"] + x + 1.3 * rng.normal(size=(40, 5))}  # a gain of some one and a half
    gain = float(np.median(controlled(half["waiting"] - base["waiting"], *controls).gain))
    assert 1.1 < gain < 2.0
    taken = comparison.without_luck({"base": base, "half": half}, "base", controls)
    assert taken["half"]["waiting"].values is not half["waiting"]
    fewer = {"base": {"starts": base["waiting"]}, "plan": plan | {"starts": plan["waiting"]}}
    taken = comparison.without_luck(fewer, "base", controls)  # what the base does not have comes before what it has
    assert taken["plan"]["starts"].values is not plan["waiting"]
    assert taken["plan"]["waiting"].values is plan["waiting"]
    alone = comparison.without_luck({"plan": plan}, "plan", controls)
    assert alone["plan"]["waiting"].values is plan["waiting"]


def test_outcomes_by_year_with_the_luck_taken_out() -> None:
    found = {"base": {"waiting": measured(1)["waiting"]}}
    values, extra = measured(5)["waiting"], np.arange(5.0)
    taken = {"base": {"waiting": Controlled(values, extra, np.ones(5))}}
    table = comparison.by_year(found, taken)
    for y, row in table.iterrows():
        one = values[:, y]
        reach = stats.t.ppf(0.975, 11) * math.sqrt(one.var(ddof=1) / 12 + extra[y])
        assert ends(row, "mean") == pytest.approx((one.mean(), one.mean() - reach, one.mean() + reach))
        assert row["q05"] == pytest.approx(np.quantile(found["base"]["waiting"][:, y], 0.05))
    still = {"base": {"waiting": Controlled(np.full((12, 5), 3.0), np.zeros(5), np.ones(5))}}
    assert ends(comparison.by_year(found, still).iloc[0], "mean") == (3.0, 3.0, 3.0)
    single = {"base": {"waiting": values[:1]}}
    row = comparison.by_year(single, {"base": {"waiting": Controlled(values[:1], np.zeros(5), np.ones(5))}}).iloc[1]
    assert ends(row, "mean") == (pytest.approx(values[0, 1]), -math.inf, math.inf)


def judged(cleared: list[int], shift: float = 0.0) -> Any:
    yes = np.array(cleared, bool)

    def probability(seed: int, level: float) -> Estimate:
        one = wilson(int(yes.sum()), len(yes), level)
        return Estimate(one.value + shift, one.low + shift, one.high + shift, one.n)

    return SimpleNamespace(cleared=yes, probability=probability)


def test_clearing_against_the_base_by_hand() -> None:
    base = judged([1, 1, 1, 0, 0, 0, 1, 0])
    cases = {"base": base, "plan": judged([1, 1, 0, 1, 1, 0, 1, 1]), "off": judged([0, 1, 0, 1, 0, 0, 1, 1], 0.05)}
    table = comparison.cleared(cases, "base").set_index("case")
    row = table.loc["plan"]
    plain = paired_proportions(base.cleared, cases["plan"].cleared, 0.975)
    assert (row["difference"], row["low"], row["high"]) == pytest.approx(numbers(plain))
    assert (row["both"], row["only_case"], row["only_base"], row["neither"]) == (3, 3, 1, 1)
    assert (row["pairs"], row["control_gain"], row["against"]) == (8, 1.0, "base")
    assert row["variance_reduction"] == pytest.approx(variance_gain(base.cleared * 1.0, cases["plan"].cleared * 1.0))
    row = table.loc["off"]
    a, b = base.probability(1, 0.975), cases["off"].probability(1, 0.975)
    r = np.corrcoef(base.cleared, cases["off"].cleared)[0, 1]
    down = math.sqrt((b.value - b.low) ** 2 + (a.high - a.value) ** 2 - 2 * r * (b.value - b.low) * (a.high - a.value))
    up = math.sqrt((b.high - b.value) ** 2 + (a.value - a.low) ** 2 - 2 * r * (b.high - b.value) * (a.value - a.low))
    assert (row["difference"], row["low"], row["high"]) == pytest.approx((0.05, 0.05 - down, 0.05 + up))
    plain = paired_proportions(base.cleared, cases["off"].cleared, 0.975)
    assert row["control_gain"] == pytest.approx((plain.half_width / ((down + up) / 2)) ** 2)
    assert comparison._squared(3.0, 1.5) == 4.0
    assert comparison._squared(3.0, 0.0) == 1.0
    never = comparison._adjusted(judged([0, 0, 0]), judged([0, 1, 1], 0.1), 1, 0.95, None)
    assert never is not None
    apart = never.value - never.low
    zero, some = judged([0, 0, 0]).probability(1, 0.95), judged([0, 1, 1], 0.1).probability(1, 0.95)
    assert apart == pytest.approx(
        math.hypot(some.value - some.low, zero.high - zero.value)
    )  # no correlation to be seen


# ---------------------------------------------------------------- clearing, waits and counts


def test_clearing_at_its_edges() -> None:
    rule = Definition(share=0.5, weeks=2, deadline=100.0)
    assert clearing_day(np.array([10, 5, 5, 5, 9]), 7.0, rule) == 7.0  # a half is low enough, for two weeks on end
    assert clearing_day(np.array([10, 5, 5, 6, 5, 5]), 7.0, rule) == math.inf
    assert clearing_day(np.array([10, 6, 5, 6, 5, 5, 5]), 7.0, rule) == 28.0
    assert clearing_day(np.array([0, 0, 0]), 7.0, rule) == 0.0
    assert clearing_day(np.array([10, 5, 5]), 14.0, rule) == 14.0
    assert clearing_day(np.array([10, 6, 5]), 14.0, rule) == math.inf


def test_who_may_expect_to_wait_too_long() -> None:
    """Starts in months of 10 days: 10, 20, 30, 40. At first those of the first three months count."""
    waiting = np.array([[61], [60], [61], [59], [91], [90]])
    starts, edges = np.array([[10], [20], [30], [40]]), np.array([0.0, 10.0, 20.0, 30.0, 40.0])
    found = expected_overdue(waiting, starts, edges, 8.0, 30.0)  # days 0, 8, 16, 24, 32, 40
    assert found[:, 0].tolist() == [61, 0, 61, 0, 91, 0]  # 2 a day: 60; from day 40 on 3 a day: 90
    assert found.dtype == np.int64
    nobody = expected_overdue(np.array([[1], [0]]), np.zeros((3, 1)), np.array([0.0, 1.0, 2.0, 3.0]), 1.0, 30.0)
    assert nobody[:, 0].tolist() == [1, 0]


def test_scores_of_a_fluid_by_hand() -> None:
    times = np.array([0.0, 7.0, 14.0, 21.0, 28.0])
    overdue = np.array([[100.0, 64.0, 25.0, 36.0, 9.0]])
    waiting = overdue + 7.0
    rule = Definition(share=0.25, weeks=1, deadline=14.0)
    distance = np.sqrt(overdue[0] + 0.5) - math.sqrt(25.5)
    best = min(max(distance[0], distance[1]), max(distance[1], distance[2]), max(distance[2], distance[3]))
    assert fluid_scores(times, waiting, overdue, rule)[0] == pytest.approx([best, 5.0, math.sqrt(32.0)])
    late = Definition(share=0.25, weeks=4, deadline=21.5)  # only two snapshots are left for the stretch
    best = min(max(distance[k], distance[k + 1]) for k in range(4))
    assert fluid_scores(times, waiting, overdue, late)[0] == pytest.approx([best, 6.0, math.sqrt(43.0)])


def test_names_that_are_near() -> None:
    with pytest.raises(
        InputError, match=r"m: found 'overdue_202'; expected a measure such as overdue_202\d, overdue_20"
    ):
        measures.check(("waiting_2029", "overdue_202"), "m")
    with pytest.raises(InputError, match=r"found 'zzz'; expected a measure such as cleared, cleared_day, wait_ratio$"):
        measures.check(("zzz",), "m")
    measures.check(("cleared", "gp_consults_2025", "wait_90_2029"), "m")


def test_day_after_a_quarter() -> None:
    assert mo.Quarter(2025, 1).ends == dt.date(2025, 4, 1)
    assert mo.Quarter(2025, 3).ends == dt.date(2025, 10, 1)
    assert mo.Quarter(2025, 4).ends == dt.date(2026, 1, 1)
    assert [mo.Quarter(2024, 4).index, mo.Quarter(2025, 1).index, mo.Quarter(2029, 4).index] == [-1, 0, 19]
    assert str(mo.Quarter(2027, 2)) == "2027-Q2"
    assert len(mo.quarters()) == 21
    assert [mo.Quarter.of(str(one)) for one in mo.quarters()] == list(mo.quarters())
    assert mo.quarters()[:2] == (mo.Quarter(2024, 4), mo.Quarter(2025, 1))
    assert mo.quarters()[-1] == mo.Quarter(2029, 4)


def test_what_is_counted() -> None:
    rows = [(q.code, q.dutch, q.kind, q.whole, q.most, q.of_functions) for q in mo.QUANTITIES.values()]
    assert rows == [
        ("conversations", "verkennende_gesprekken", "flow", True, 1e6, True),
        ("not_to_ggz_percent", "niet_naar_ggz_procent", "share", False, 100.0, True),
        ("waiting", "wachtlijst", "list", True, 1e6, False),
        ("overdue", "wacht_te_lang", "list", True, 1e6, False),
        ("mean_wait_weeks", "wachttijd_weken", "wait", False, 520.0, False),
        ("referrals", "verwijzingen", "flow", True, 1e6, False),
        ("starts", "gestart", "flow", True, 1e6, False),
        ("support_point_users", "gebruikers_steunpunten", "flow", True, 1e6, True),
    ]
    assert mo.OFFSET == {"list": 5.0, "flow": 10.0, "wait": 0.5, "share": 5.0}
    first, last, before = mo.Quarter(2025, 1), mo.Quarter(2029, 4), mo.Quarter(2024, 4)
    lists, flow = mo.QUANTITIES["waiting"], mo.QUANTITIES["starts"]
    assert [mo.possible(lists, q) for q in (before, first, last, mo.Quarter(2030, 1))] == [True, True, True, False]
    assert [mo.possible(flow, q) for q in (before, first, last, mo.Quarter(2030, 1))] == [False, True, True, False]
    assert not mo.possible(lists, mo.Quarter(2024, 3))


def test_counterparts_of_counts_one_by_one() -> None:
    futures = [future(7), future(8)]
    at = [mo.Quarter(2025, 1), mo.Quarter(2027, 2), mo.Quarter(2029, 4)]
    region = SimpleNamespace(day=lambda day: float((day - dt.date(2025, 1, 1)).days))
    effect = np.array([0.2, 0.4])

    def shown(code: str) -> mo.Series:
        return mo.simulated(mo.QUANTITIES[code], at, futures, effect, region)  # type: ignore[arg-type]

    def quarterly(i: int, column: int, volumes: bool = False) -> list[float]:
        months = futures[i].volumes if volumes else futures[i].months
        return [float(sum(months[m][column] for m in range(3 * q, 3 * q + 3))) for q in range(20)]

    days = [90, 911, 1826]
    for code in ("waiting", "overdue"):
        one = shown(code)
        for i in range(2):
            assert one.values[i].tolist() == [float(getattr(futures[i], code)[round(day / 7)]) for day in days]
        assert (one.size == one.values).all()
        assert (one.chance == 1.0).all()
    wait = shown("mean_wait_weeks")
    for i in range(2):
        waits, starts = quarterly(i, 2), quarterly(i, 1)
        assert wait.values[i] == pytest.approx([waits[q] / starts[q] / 7.0 for q in (0, 9, 19)])
    assert (wait.size == wait.values).all()
    assert wait.chance == pytest.approx(np.full((2, 3), 0.01))
    share = shown("not_to_ggz_percent")
    v = VOLUMES.index("conversations")
    for i in range(2):
        held = quarterly(i, v, True)
        assert share.values[i].tolist() == [100.0 * effect[i]] * 3
        expected = [1e4 * effect[i] * (1 - effect[i]) / max(held[q], 1.0) + 0.25 for q in (0, 9, 19)]
        assert share.chance[i] == pytest.approx(expected)
    for code, column, volumes in (("referrals", 0, False), ("starts", 1, False), ("conversations", v, True)):
        one = shown(code)
        for i in range(2):
            flow = quarterly(i, column, volumes)
            values = [flow[0], flow[9], flow[19]]
            assert one.values[i] == pytest.approx(values)
            assert one.size[i] == pytest.approx([max(flow[:2]), max(flow[8:11]), max(flow[18:])])
            assert one.chance[i] == pytest.approx([x + 1.0 if volumes else 1.0 for x in values])


def test_quarters_of_nothing_divide_by_one() -> None:
    empty = future(9)
    months, volumes = np.zeros((60, 5), np.float32), np.zeros((60, len(VOLUMES)), int)
    made = SimpleNamespace(months=months, volumes=volumes, waiting=empty.waiting, overdue=empty.overdue)
    region = SimpleNamespace(day=lambda day: 90.0)
    at = [mo.Quarter(2025, 1)]
    wait = mo.simulated(mo.QUANTITIES["mean_wait_weeks"], at, [made], np.array([0.5]), region)  # type: ignore[list-item, arg-type]
    assert wait.values.tolist() == [[0.0]]
    share = mo.simulated(mo.QUANTITIES["not_to_ggz_percent"], at, [made], np.array([0.5]), region)  # type: ignore[list-item, arg-type]
    assert share.chance.tolist() == [[2500.25]]


def test_weeks_of_waiting_are_the_area_below_the_list() -> None:
    made = SimpleNamespace(
        futures=[SimpleNamespace(waiting=np.array([10.0, 20.0, 40.0, 0.0])), SimpleNamespace(waiting=np.ones(4))],
        reduce=SimpleNamespace(every=14.0), definition=SimpleNamespace(deadline=28.0),
    )  # fmt: skip
    assert decision.weeks_waited(made, 2).tolist() == [(15.0 + 30.0) * 2, 4.0]
    assert decision.weeks_waited(made, 1).tolist() == [90.0]
    made.definition.deadline = 1000.0
    assert decision.weeks_waited(made, 1).tolist() == [(15.0 + 30.0 + 20.0) * 2]


# ---------------------------------------------------------------- a calibration


def calibration() -> Any:
    rng = np.random.default_rng(21)
    values = rng.normal(size=(50, 3))
    weights = rng.random(50)
    targets = [
        SimpleNamespace(name=name, quantity=f"q_{name}", figure=f"f.{name}", weighs=name != "b", at_least=least,
                        error=3.0, discrepancy=4.0, deviation=5.0, because="so", value=lambda book, v=v: v)
        for name, least, v in (("a", False, 1.0), ("b", False, 30.0), ("c", True, 2.0), ("d", True, -20.0))
    ]  # fmt: skip
    simulated = rng.normal(0.0, 6.0, (50, 4))
    book = SimpleNamespace(figure=lambda key: SimpleNamespace(unit=f"unit of {key}", source=f"source of {key}"))
    quantities = [{"waiting": 10.0 * i, "list_x": 3.0 * i} for i in range(50)]
    library = SimpleNamespace(
        observed=SimpleNamespace(targets=targets), simulated=lambda every: simulated, quantities=quantities,
        scenario=SimpleNamespace(book=book), values=values, prior=SimpleNamespace(names=("k", "l", "m")),
        year=SimpleNamespace(where=("x",)),
    )  # fmt: skip
    weights /= weights.sum()

    def weigh(scale: float = 1.0, without: tuple[str, ...] = ()) -> np.ndarray:
        made = np.arange(50) ** scale + (1.0 if without == ("a",) else 0.0)
        return np.asarray(made / made.sum())

    return SimpleNamespace(
        library=library, prior_weights=np.full(50, 0.02), weights=weights, targets=targets[:1], weigh=weigh,
        effective=1.0 / float((weights**2).sum()), counts=[20, 30],
    )  # fmt: skip


def test_targets_of_a_calibration_by_hand() -> None:
    result = calibration()
    table = calibrated.targets(result)
    simulated, w = result.library.simulated(None), result.weights
    for t, row in table.iterrows():
        one, s = result.library.observed.targets[t], simulated[:, t]
        observed = one.value(None)
        mean = float(w @ s)
        variance = float(w @ (s - mean) ** 2)
        far = abs(observed - mean) / math.sqrt(25.0 + variance)
        below = float(w @ stats.norm.cdf((observed - s) / 5.0))
        met = one.at_least and mean >= observed
        assert row["implausibility"] == pytest.approx(0.0 if met else far)
        assert row["tail"] == pytest.approx(1.0 - below if one.at_least else 2.0 * min(below, 1.0 - below))
        gap = [max(observed - x, 0.0) if one.at_least else abs(observed - x) for x in s]
        assert row["ruled_out"] == pytest.approx(np.mean([x > 15.0 for x in gap]))
        assert (row["posterior_mean"], row["prior_mean"]) == pytest.approx((mean, s.mean()))
        assert (row["observed"], row["error"], row["discrepancy"]) == (observed, 3.0, 4.0)
        assert (row["unit"], row["source"]) == (f"unit of f.{one.name}", f"source of f.{one.name}")
    assert table["implausibility"].tolist()[3] == 0.0
    assert table["implausibility"].tolist()[2] > 0.0
    assert table["weighs"].tolist() == [True, False, True, True]


def test_other_tables_of_a_calibration_by_hand() -> None:
    result = calibration()
    lists = calibrated.lists(result)
    assert lists["group"].tolist() == ["all", "x"]
    at = np.arange(50.0)
    assert lists["prior_mean"].tolist() == pytest.approx([245.0, 73.5])
    assert lists["posterior_mean"].tolist() == pytest.approx([10.0 * result.weights @ at, 3.0 * result.weights @ at])
    assert lists["posterior_q50"][0] == weighing.weighed_quantiles(10.0 * at, result.weights, (0.5,))[0]
    table = calibrated.sensitivity(result)
    assert list(dict.fromkeys(table["variation"])) == ["discrepancy_0.5", "discrepancy_1", "discrepancy_2", "without_a"]
    for _, row in table.iterrows():
        name = row["variation"].partition("_")[2]
        weights = result.weigh(without=("a",)) if name == "a" else result.weigh(float(name))
        j = ("k", "l", "m").index(row["unknown"])
        assert row["effective"] == pytest.approx(1.0 / (weights**2).sum())
        assert row["posterior_mean"] == pytest.approx(weights @ result.library.values[:, j])
    waves = calibrated.waves(result)
    assert waves["wave"].tolist() == [1, 2]
    assert waves["points"].tolist() == [20, 30]
    first = result.weights[:20]
    assert waves["effective"].tolist() == pytest.approx([first.sum() ** 2 / (first**2).sum(), result.effective])
    single = SimpleNamespace(
        library=SimpleNamespace(values=result.library.values[:, :1], prior=SimpleNamespace(names=("k",))),
        weights=result.weights, effective=9.0,
    )  # fmt: skip
    assert calibrated.pairs(single).empty
    pairs = calibrated.pairs(result)
    found = p.rank_correlations(result.library.values, result.weights)
    expected = {("l", "k"): found[1, 0], ("m", "k"): found[2, 0], ("m", "l"): found[2, 1]}
    assert {(r["unknown"], r["other"]): r["correlation"] for r in pairs.to_dict("records")} == pytest.approx(expected)


@pytest.mark.parametrize(("moved", "learnt"), [(2.9, False), (3.1, True), (-3.1, True), (-2.9, False)])
def test_three_standard_errors_are_learnt(moved: float, learnt: bool) -> None:
    values = np.array([[-1.0], [1.0]])
    shift = moved * math.sqrt(1.0 / 100.0)
    weights = np.array([0.5 - shift / 2, 0.5 + shift / 2])
    library = SimpleNamespace(values=values, prior=SimpleNamespace(names=("a",)))
    result = SimpleNamespace(prior_weights=np.array([0.5, 0.5]), weights=weights, library=library, effective=100.0)
    row = calibrated.unknowns(result).iloc[0]
    assert row["shift"] == pytest.approx(shift)
    assert row["contraction"] == pytest.approx(shift**2)
    assert row["learnt"] == learnt


# ---------------------------------------------------------------- boxes


def trajectory(**columns: list[float]) -> pd.DataFrame:
    return pd.DataFrame({"box": range(len(columns["limits"]))} | columns)


def test_the_box_with_the_best_of_both() -> None:
    table = trajectory(limits=[0, 1, 2, 3], coverage=[1.0, 0.9, 0.6, 0.1], density=[0.9, 0.4, 0.7, 1.0])
    assert regions.choose(table) == 2  # harmonic means 0.55, 0.65, 0.18; the first has no limits
    table = trajectory(limits=[0, 1, 1], coverage=[1.0, 0.0, 0.2], density=[0.5, 0.0, math.nan])
    assert regions.choose(table) == 1
    table = trajectory(limits=[1, 2], coverage=[0.0, 0.0], density=[0.0, 0.0])
    assert regions.choose(table) == 0


def planted(n: int = 400, seed: int = 4) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.random((n, 2))
    return x, (x[:, 0] > 0.7) & (rng.random(n) < 0.9)


def fake_box(limits: list[dict[str, tuple[float, float]]], names: tuple[str, ...] = ("a", "b")) -> Any:
    frames = [pd.DataFrame({name: one.get(name, (0.0, 1.0)) for name in names}) for one in limits]
    doubts = [
        {name: tuple(0.01 if end not in (0.0, 1.0) else -1.0 for end in ends_) for name, ends_ in one.items()}
        for one in limits
    ]
    return SimpleNamespace(box_lims=frames, qp=doubts)


def test_a_region_is_told_by_the_half_that_it_was_not_found_on(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ema_workbench")
    x, happened = planted()
    monkeypatch.setattr(regions, "_box", lambda found, there: fake_box([{}, {"a": (0.7, 1.0)}]))
    region = regions.find_region(("a", "b"), x, happened, seed=6)
    assert region is not None
    order = np.random.default_rng(6).permutation(400)
    other = order[200:]
    inside, there = x[other, 0] >= 0.7, happened[other]
    assert region.limits == {"a": (0.7, math.inf, 0.01)}
    assert numbers(region.density) == numbers(wilson(int((inside & there).sum()), int(inside.sum())))
    assert numbers(region.coverage) == numbers(wilson(int((inside & there).sum()), int(there.sum())))
    assert numbers(region.outside) == numbers(wilson(int((~inside & there).sum()), int((~inside).sum())))
    assert region.mass == pytest.approx(inside.mean())
    table = region.trajectory
    assert table["chosen"].tolist() == [False, True]
    assert table["limits"].tolist() == [0, 1]
    half = order[:200]
    inside, there = x[half, 0] >= 0.7, happened[half]
    assert table["mass"].tolist() == pytest.approx([1.0, inside.mean()])
    assert table["coverage"].tolist() == pytest.approx([1.0, (inside & there).sum() / there.sum()])
    assert table["density"].tolist() == pytest.approx([there.mean(), there[inside].mean()])
    assert table["held_out_mass"][1] == pytest.approx(region.mass)
    assert table["held_out_density"][1] == pytest.approx(region.density.value)
    assert table["held_out_coverage"][1] == pytest.approx(region.coverage.value)


def test_what_is_no_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """No limits; nobody of the other half inside; everybody inside; nobody there has the outcome; one box only."""
    x, happened = planted()
    order = np.random.default_rng(6).permutation(400)
    first, other = order[:200], order[200:]

    def found(
        boxes: list[dict[str, tuple[float, float]]] | None, x: np.ndarray = x, there: np.ndarray = happened
    ) -> Any:
        monkeypatch.setattr(regions, "_box", lambda *_: boxes and fake_box(boxes))
        return regions.find_region(("a", "b"), x, there, seed=6)

    good = [{}, {"a": (0.7, 1.0)}]
    assert found(good) is not None
    assert found(None) is None
    assert found([{"a": (0.7, 1.0)}]) is None
    assert found([{}, {}]) is None
    empty = x.copy()
    empty[other, 0] = 0.1
    assert found(good, empty) is None
    full = x.copy()
    full[other, 0] = 0.9
    assert found(good, full) is None
    elsewhere = happened.copy()
    elsewhere[other] = False
    elsewhere[first[:30]] = True
    assert found(good, there=elsewhere) is None
    for there in (np.arange(400) < 19, np.arange(400) >= 19, np.zeros(400, bool)):
        assert found(good, there=there) is None
    one_half = np.zeros(400, bool)
    one_half[other[:60]] = True
    assert found(good, there=one_half) is None
    assert found(good, there=~one_half) is None
    twenty = np.zeros(400, bool)
    twenty[first[x[first, 0] > 0.7][:12]] = True
    twenty[other[x[other, 0] > 0.7][:8]] = True
    assert found(good, there=twenty) is not None


def test_limits_count_when_they_moved_and_are_no_accident() -> None:
    frames = [pd.DataFrame({"a": [0.0, 1.0], "b": [0.0, 1.0]}), pd.DataFrame({"a": [0.2, 0.9], "b": [0.0, 1.0]})]
    x = pd.DataFrame({"a": [0.2, 0.1, 0.9, 0.95], "b": [0.5] * 4})

    def limits(*doubts: float) -> Any:
        return regions._limits(SimpleNamespace(box_lims=frames, qp=[{}, {"a": doubts}]), 1, x)

    assert limits(0.05, 0.01) == {"a": (0.2, 0.9, 0.01)}
    assert limits(0.0, 0.06) == {"a": (0.2, math.inf, 0.0)}
    assert limits(0.051, 0.05) == {"a": (-math.inf, 0.9, 0.05)}
    assert limits(-1.0, -1.0) == {}
    assert regions._inside(x, {"a": (0.2, 0.9, 0.01)}).tolist() == [True, False, True, False]


# ---------------------------------------------------------------- designs of a sensitivity study


def test_designs_by_their_shape() -> None:
    pytest.importorskip("SALib")
    design = sensitivity.morris_design(("a", "b", "c"), 5, 3)
    assert design.u.shape == (20, 3)
    assert design.trajectory.tolist() == [t for t in range(5) for _ in range(4)]
    assert set(np.round(design.u.ravel(), 6)) == {0.02, 0.34, 0.66, 0.98}
    made = sensitivity.sobol_design(("a", "b", "c", "d"), ("b", "d"), 4, 7)
    assert made.groups == ("others", "b", "others", "d")
    assert made.inputs == ("others", "b", "d", "chance")
    assert made.size == 6
    assert made.u.shape == (24, 4)
    assert made.block.tolist() == [b for b in range(4) for _ in range(6)]
    assert made.independent.tolist() == [0, 5, 6, 11, 12, 17, 18, 23]
    assert made.luck.dtype == np.int64
    assert made.luck.min() >= 0
    assert made.luck.max() < 2**30
    assert len(set(made.luck.tolist())) == 8  # of a block only two rows have luck of their own
    assert (made.luck[:4] == made.luck[0]).all()
    assert made.u.min() >= 1e-6
    for blocks in (0, 1, 3, 6):
        with pytest.raises(InputError, match=r"blocks: found .*; expected a power of two"):
            sensitivity.sobol_design(("a",), ("a",), blocks, 1)
    assert len(sensitivity.sobol_design(("a",), ("a",), 2, 1).u) == 2 * 4


def test_screening_keeps_the_largest_of_any_outcome() -> None:
    table = pd.DataFrame({
        "outcome": ["x"] * 4 + ["y"] * 4 + ["z"] * 4, "unknown": list("abcd") * 3,
        "mu_star": [10.0, 1.0, 4.0, 0.0, 0.1, 0.5, 0.1, 0.0, 0.0, 0.0, 0.0, 0.0],
    })  # fmt: skip
    assert sensitivity.screened(table, ("x", "y"), 2) == ("a", "b")
    assert sensitivity.screened(table, ("x",), 2) == ("a", "c")
    assert sensitivity.screened(table, ("z",), 1) == ("a",)
    assert sensitivity.screened(table, ("x", "y", "z"), 3) == ("a", "b", "c")


def test_elementary_effects_by_hand() -> None:
    """y = 5 a - 2 b, in units of the whole range: effects of 5 and -2 times 0.96 wide levels."""
    pytest.importorskip("SALib")
    design = sensitivity.morris_design(("a", "b"), 6, 3)
    y = 5.0 * design.u[:, 0] - 2.0 * design.u[:, 1]
    table = sensitivity.morris(design, {"y": y}, 1).set_index("unknown")
    for name, slope in (("a", 5.0), ("b", -2.0)):
        effects = []
        for t in range(6):
            rows = design.u[3 * t : 3 * t + 3]
            for one, two in itertools.pairwise(rows):
                j = int(np.flatnonzero(one != two)[0])
                if j == ("a", "b").index(name):
                    effects.append(slope * (two - one)[j] / ((two - one)[j] / 0.96))
        assert table.loc[name, "mu"] == pytest.approx(np.mean(effects))
        assert table.loc[name, "mu_star"] == pytest.approx(abs(np.mean(effects)))
        assert table.loc[name, "sigma"] == pytest.approx(0.0, abs=1e-9)
        assert ends(table.loc[name], "mu_star") == pytest.approx((abs(slope) * 0.96,) * 3, abs=1e-6)
    short = sensitivity.morris(design, {"y": y[:6]}, 1)
    assert short["mu_star"].tolist() == pytest.approx([4.8, 1.92])


# ---------------------------------------------------------------- outcomes of a run


def test_ratios_and_quantiles_at_their_edges() -> None:
    assert out.ratio(np.array([6.0, 5.0, 0.0]), np.array([3, 1, 0]))[:2].tolist() == [2.0, 5.0]
    assert math.isnan(out.ratio(np.array([6.0]), np.array([0]))[0])
    counts = np.array([[0, 4, 0, 4, 2]])
    for probability, wait in ((0.2, 3.0), (0.4, 4.0), (0.5, 6.5), (0.8, 8.0), (0.81, math.inf)):
        assert out.wait_quantile(counts, 2.0, probability)[0] == pytest.approx(wait)
    assert math.isnan(out.wait_quantile(np.zeros((1, 3), int), 2.0, 0.5)[0])
    assert out.wait_quantile(np.array([[[1, 0]], [[0, 1]]]), 1.0, 0.5).tolist() == [[0.5], [math.inf]]
    for probability in (0.0, 1.0):
        with pytest.raises(InputError, match=r"probability: found .*; expected a number between 0 and 1"):
            out.wait_quantile(counts, 2.0, probability)


def test_utilisation_needs_servers() -> None:
    tally = {name: np.array([[2.0, 2.0, 2.0]]) for name in (*out.COUNTS, *out.MORE_COUNTS, "wait", "wait_reneged")}
    tally |= {"service_time": np.array([[5.0, 5.0, 5.0]]), "queue_time": np.array([[8.0, 12.0, 0.0]])}
    run = SimpleNamespace(network=SimpleNamespace(horizon=9.0, warm_up=5.0))
    found = out.Output._measures(run, tally, np.array([0.5, 0.0, math.inf]))  # type: ignore[arg-type]
    assert found["utilisation"][0, 0] == 10.0
    assert np.isnan(found["utilisation"][0, 1:]).all()
    assert found["mean_queue"][0].tolist() == [2.0, 3.0, 0.0]
    assert found["mean_wait"][0].tolist() == [1.0, 1.0, 1.0]
    assert list(found) == [*out.COUNTS, *out.AVERAGES, *out.MORE_COUNTS]


def test_a_table_stands_in_the_order_of_its_arrays() -> None:
    values = np.arange(12).reshape(2, 3, 2)
    table = out._table(
        [("a", np.array([7, 8]), 0), ("b", ("x", "y", "z"), 1), ("c", np.array([0.5, 1.5]), 2)], {"v": values}
    )
    assert table["v"].tolist() == list(range(12))
    assert table["a"].tolist() == [7] * 6 + [8] * 6
    assert table["b"].tolist() == list("xxyyzz") * 2
    assert table["c"].tolist() == [0.5, 1.5] * 6


# ---------------------------------------------------------------- residents and verdicts


def referred(*rows: tuple[int, int, int, float, float]) -> np.ndarray:
    return np.array(list(rows), residents.REFERRALS)


def test_a_week_sooner_or_later() -> None:
    """Resident 0 and up; a wait of 20 days in the base, and of others in the other."""
    base = referred(*[(i, 0, residents.STARTED, 0.0, 20.0) for i in range(4)])
    other = referred(*[(i, 0, residents.STARTED, 0.0, wait) for i, wait in enumerate((13.0, 13.01, 27.0, 26.99))])
    made = residents.pair(base, other)
    assert [residents.FATES[f] for f in made["fate"]] == ["sooner", "same", "later", "same"]
    assert made["won"] == pytest.approx([7.0, 6.99, -7.0, -6.99])
    assert len(residents.pair(base, other, until=0.0)) == 0
    assert len(residents.pair(base, other, until=0.1)) == 4


def test_weeks_won_are_whole_weeks() -> None:
    one = np.zeros(4, residents.PAIR)
    one["won"] = [6.9, 7.0, -0.1, math.nan]
    two = np.zeros(1, residents.PAIR)
    two["won"] = 8.0
    table = residents.weeks_won([one, two])
    assert table["weeks"].tolist() == [-1, 0, 1]
    assert table["residents"].tolist() == [0.5, 0.5, 1.0]
    assert table["share"].tolist() == [0.25, 0.25, 0.5]


def test_shares_of_fates_lie_between_0_and_1() -> None:
    one = np.zeros(3, residents.PAIR)
    one["fate"] = [0, 2, 2]
    one["won"] = [7.0, -14.0, -21.0]
    two = np.zeros(2, residents.PAIR)
    two["fate"] = [2, 3]
    two["won"] = [-7.0, math.nan]
    row = residents._fates_of([one, two], 4)
    assert (row["futures"], row["residents"]) == (4, 1.25)
    share = mean_interval([2 / 3, 1 / 2])
    assert ends(row, "later") == pytest.approx((share.value, max(0.0, share.low), min(1.0, share.high)))
    assert ends(row, "loses") == ends(row, "later")
    assert (row["sooner_low"], row["later_high"]) == (0.0, 1.0)
    assert ends(row, "won") == pytest.approx(numbers(mean_interval([-28 / 21, -1.0])))
    assert row["q50"] == pytest.approx(np.median([1.0, -2.0, -3.0, -1.0]))
    nobody = np.zeros(1, residents.PAIR)
    nobody["won"] = math.nan
    assert math.isnan(residents._fates_of([nobody], 1)["q05"])


def test_the_turn_of_a_curve_counts_from_the_top() -> None:
    yes, likely, even = Estimate(0.95, 0.9, 1.0, 9), Estimate(0.7, 0.6, 0.8, 9), Estimate(0.5, 0.4, 0.6, 9)
    assert verdict.turning_share([(0.3, yes), (0.1, even), (0.2, likely)]) == 0.2
    assert verdict.turning_share([(0.3, even), (0.2, yes)]) is None
    assert verdict.turning_share([]) is None
    assert verdict.turning_share([(0.2, yes), (0.1, yes), (0.05, even), (0.01, yes)]) == 0.1


# ---------------------------------------------------------------- promises, goals and logs


def promise_case(first: int, **settings: Any) -> Any:
    from flowsim.plan.figures import load_figures
    from flowsim.scenario.region import load_region

    one = case("plan", 3, first)
    chosen = {"network": "functions", "reading": "capacity", "gp_effect": "year", "conversation_hours": "hourly"}
    one.scenario = SimpleNamespace(book=load_figures(), settings=chosen | settings, region="amstelland")
    one.region = load_region("amstelland")
    return one


def test_fewer_referrals_than_none() -> None:
    ours, theirs = promise_case(10), promise_case(20)
    theirs.futures[1].months[:, 0] = 0
    found = targets.Quantities(ours, theirs)
    for i in range(3):
        for y in range(5):
            here, there = (
                sum(float(m[0]) for m in one.futures[i].months[12 * y : 12 * y + 12]) for one in (ours, theirs)
            )
            assert found.fewer[i, y] == pytest.approx(1.0 - here / max(there, 1.0))
    theirs.futures = theirs.futures[:2]
    assert targets.Quantities(ours, theirs).count == 2


def test_a_promise_is_judged_with_a_thousandth_of_slack() -> None:
    """650 are promised; 649.4 are enough, 649.3 are not."""
    from flowsim.plan.targets import load_targets

    target = next(one for one in load_targets() if one.comparison == ">=" and one.quantity == "conversations")
    values = target.value * np.array([0.9991, 0.9985, 1.0, 0.5])
    quantities = SimpleNamespace(of=lambda quantity, year: values)
    row = targets._judged(target, quantities)  # type: ignore[arg-type]
    chance = wilson(2, 4)
    assert (row["probability"], row["probability_low"], row["probability_high"]) == pytest.approx(numbers(chance))
    assert ends(row, "mean") == pytest.approx(numbers(mean_interval(values)))
    assert (row["q05"], row["q95"]) == pytest.approx(tuple(np.quantile(values, (0.05, 0.95))))
    assert row["verdict"] == verdict.chance(chance.low, chance.high)
    assert row["simulated"] is True
    less = replace(target, comparison="<=")
    values = target.value * np.array([1.0009, 1.0015, 1.0, 2.0])
    assert targets._judged(less, quantities)["probability"] == 0.5  # type: ignore[arg-type]
    nothing = targets._judged(target, SimpleNamespace(of=lambda *_: None))  # type: ignore[arg-type]
    assert (nothing["simulated"], nothing["verdict"]) == (False, "not_simulated")


@pytest.mark.parametrize("reading", ["headcount", "capacity", "net"])
@pytest.mark.parametrize("hours", ["hourly", "mean"])
def test_freed_clients_of_each_reading(reading: str, hours: str) -> None:
    from flowsim.plan.business_case import client_equivalents

    ours = promise_case(10, reading=reading, conversation_hours=hours)
    for drawn in ours.drawn[:2]:
        drawn["assumptions.would_have_entered"] = 0.75
    found = targets.Quantities(ours, promise_case(20))
    fixed = found.book.value("assumptions.would_have_entered")
    freed = found.freed_clients(2)
    for i in range(3):
        one = client_equivalents(found.book, one_future(found.done(2), i))
        name = {"headcount": "headcount", "capacity": "capacity"}.get(
            reading, "net" if hours == "hourly" else "net_at_mean_price"
        )
        assert freed[i] == pytest.approx(getattr(one, name) * (0.75 if i < 2 else fixed))
    assert found.freed_hours(2) == pytest.approx(freed * found.book.value("impact.hours_per_client"))
    assert found.diversion(2) == pytest.approx(freed / found.book.value("demand.clients"))


def test_a_promise_is_reproduced_within_its_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval of one of two rows at 97.5%, wider by half a unit of the plan's digit on either side."""
    from flowsim.analysis import reproduction

    values = np.array([9.0, 10.0, 11.0, 14.0])
    one = mean_interval(values, 0.975)
    half = 0.5
    for plan, expected, cause, least, told in (
        (one.high + half - 1e-9, 0.0, "", False, "same"), (one.low - half + 1e-9, 0.0, "", False, "same"),
        (one.high + half + 1e-9, 11.0, "why", False, "explained"), (one.high + half + 1e-9, 11.0, "", False, "differs"),
        (one.low - half - 1e-9, one.low - half - 1e-9, "why", False, "differs"),
        (one.low - half - 1e-9, 0.0, "why", True, "same"),
        (one.high + half + 1e-9, one.high + half, "why", True, "explained"),
    ):  # fmt: skip
        rows = [reproduction._Row("q", 2028, "headcount", plan, 1.0, values, expected, cause, least)] * 2
        monkeypatch.setattr(reproduction, "_rows", lambda *_, rows=rows: rows)
        table = reproduction.reproduction({"headcount": None}, {"headcount": []})  # type: ignore[dict-item]
        assert table["verdict"].tolist() == [told] * 2
        assert table["cause"].tolist() == ["" if told == "same" else cause] * 2
        assert ends(table.iloc[0], "mean") == pytest.approx(numbers(one))
        assert (table["futures"][0], table["expected"][0], table["plan"][0]) == (4, expected, plan)


def small_log() -> tuple[Any, np.ndarray]:
    import flowsim
    from flowsim.model import events

    network = flowsim.Network.from_dict(
        {"horizon": 9.0, "classes": ["c"], "stations": [
            {"name": "s", "servers": 1, "service": {"distribution": "exponential", "mean": 1.0}}],
         "arrivals": [{"class": "c", "station": "s", "rate": 0.5}]}
    )  # fmt: skip
    log = np.zeros(4, events.EVENT)
    log["time"] = [0.25, 0.25, 1.5, 1.5]
    log["kind"] = [events.ARRIVE, events.START, events.COMPLETE, events.EXIT]
    return network, log


def test_logs_in_every_format_by_hand() -> None:
    from flowsim.analysis import process_log as pl

    network, log = small_log()
    steps = pl.steps_of(3, log)
    assert steps.case.tolist() == [0, 0, 0, 0]
    assert steps.instance.tolist() == [0, 0, 0, 3]
    moments = pl.moments(np.array([0.25, 1.0 + 1e-8]), dt.date(2025, 1, 1))
    assert moments.astype(str).tolist() == ["2025-01-01T06:00:00.000", "2025-01-02T00:00:00.001"]
    stream = io.BytesIO()
    with pl.ParquetWriter(stream, network) as writer:
        writer.add(3, log)
        writer.add(4, log[:1])
    table = pd.read_parquet(io.BytesIO(stream.getvalue()))
    assert table["replication"].tolist() == [3, 3, 3, 3, 4]
    assert table["kind"].tolist() == ["arrive", "start", "complete", "exit", "arrive"]
    with pl.ParquetWriter(io.BytesIO(), network), pl.CsvWriter(io.BytesIO(), network, None):
        pass  # nothing written: nothing to close
    for start in (None, dt.date(2025, 1, 1)):
        stream = io.BytesIO()
        with pl.CsvWriter(stream, network, start) as rows:
            rows.add(steps)
            rows.add(pl.steps_of(4, log[:0]))
        made = pd.read_csv(io.BytesIO(stream.getvalue()))
        assert made["case:concept:name"].tolist() == ["3-0"] * 4
        assert made["concept:name"].tolist() == ["s", "s", "s", "leaves"]
        assert made["lifecycle:transition"].tolist() == ["schedule", "start", "complete", "complete"]
        assert ("time:timestamp" in made) == (start is not None)
        if start is not None:
            assert made["time:timestamp"][2] == "2025-01-02T12:00:00.000+00:00"


def test_what_is_settled_at_its_edges() -> None:
    """Two weeks on end take three snapshots; the last stretch may begin on the day of the deadline itself."""
    rule = Definition(share=0.5, weeks=2, deadline=14.0)
    assert settled(np.array([10, 9, 5]), 7.0, rule) is None  # a half is low enough
    assert settled(np.array([10, 9, 5, 5, 5]), 7.0, rule) is True
    assert settled(np.array([10, 9, 5, 6]), 7.0, rule) is False
    assert settled(np.array([10, 9, 6]), 7.0, rule) is False
    at_once = Definition(share=0.5, weeks=2, deadline=0.0)
    assert settled(np.array([0, 0]), 7.0, at_once) is None
    assert settled(np.array([0, 0, 0]), 7.0, at_once) is True
