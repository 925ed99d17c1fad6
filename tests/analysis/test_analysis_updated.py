"""Tables of an update, a calibration and a comparison over made-up futures and weights, cell by cell."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_up_futures import case
from scipy import stats

from flowsim.analysis import calibrated, causes, comparison, measures, targets, updated, weighing
from flowsim.analysis.clearing import VOLUMES
from flowsim.analysis.statistics import wilson
from flowsim.plan.figures import FigureBook, load_figures
from flowsim.plan.targets import load_targets
from flowsim.scenario.load import default
from flowsim.scenario.region import load_region

YEARS = (2025, 2026, 2027, 2028, 2029)
NUMBER = 40


class Update(SimpleNamespace):
    """What `updated` asks of an update: the forecast without a count is some other forecast."""

    def without(self, code: str, t: int | None = None) -> np.ndarray:
        luck = np.random.default_rng(len(code) + 10 * (t or 0))
        return weighing.normalised(luck.normal(size=NUMBER))

    def reweighed(self, parts: list[np.ndarray]) -> np.ndarray:
        return weighing.normalised(np.sum(parts, axis=0))

    def fits(self, code: str, t: int, others: bool) -> float:
        return 0.01 * t + (0.5 if others else 0.25)


@pytest.fixture(scope="module")
def update() -> Update:
    luck = np.random.default_rng(8)
    made = case("plan", NUMBER, 900)
    quarters = ("2025-Q1", "2025-Q2")
    counted = SimpleNamespace(of=lambda code: (quarters, (120.0, 150.0)))
    log_prior, log_like = luck.normal(size=NUMBER), 2.0 * luck.normal(size=NUMBER)
    scores = luck.normal(size=(NUMBER, 2))
    scores[:, 0] = np.where(log_like > 0.0, 1.8, -0.4)
    return Update(
        case=made, names=tuple(made.drawn[0]), scores=list(scores), origin=[i % 3 for i in range(NUMBER)],
        before=weighing.normalised(log_prior), after=weighing.normalised(log_prior + log_like),
        log_prior=log_prior, log_like=log_like, power=0.75, done=NUMBER, observed=counted,
        counts=[SimpleNamespace(code="waiting", values=luck.uniform(50.0, 200.0, (NUMBER, 2)))], logs=[log_like],
        conflicts=[], odd=[SimpleNamespace(quarter="2025-Q2", code="waiting")],
    )  # fmt: skip


def quantile(values: Any, weights: np.ndarray, share: float) -> float:
    """The smallest value at which the running sum of weights reaches the share."""
    total = 0.0
    for value, weight in sorted(zip(values, weights, strict=True)):
        total += weight
        if total >= share - 1e-12:
            return float(value)
    return float(max(values))


def yearly(update: Update, measure: str, y: int) -> list[float]:
    futures = update.case.futures
    if measure in VOLUMES:
        v = VOLUMES.index(measure)
        return [float(sum(f.volumes[m][v] for m in range(12 * y, 12 * y + 12))) for f in futures]
    return [float(measures.by_year(f)[measure][y]) for f in futures]


def test_years_before_and_after(update: Update) -> None:
    table = updated.years(update)
    assert len(table) == 6 * 5
    for _, row in table.iterrows():
        values = np.array(yearly(update, row["measure"], YEARS.index(row["year"])))
        for name, weights in (("old", update.before), ("new", update.after)):
            assert row[name] == pytest.approx(sum(weights * values), rel=1e-6)
            for column, share in (("q05", 0.05), ("q95", 0.95)):
                assert row[f"{name}_{column}"] == pytest.approx(quantile(values, weights, share))
            assert row[f"{name}_low"] < row[name] < row[f"{name}_high"]
        assert row["change"] == pytest.approx(row["new"] - row["old"], rel=1e-6, abs=1e-6)
        assert row["change_low"] < row["change"] < row["change_high"]


def test_summary_of_what_happens(update: Update) -> None:
    table = updated.summary(update).set_index("event")
    halved = np.array([float(measures.wait_ratio(f)) <= 0.5 for f in update.case.futures])
    for event, values in (("cleared", update.case.cleared), ("wait_halved", halved)):
        row = table.loc[event]
        assert row["old"] == pytest.approx(float(update.before @ values))
        assert row["new"] == pytest.approx(float(update.after @ values))
        assert row["change"] == pytest.approx(row["new"] - row["old"])


def test_counts_beside_what_was_expected(update: Update) -> None:
    table = updated.counts(update)
    assert table["quarter"].tolist() == ["2025-Q1", "2025-Q2"]
    assert table["counted"].tolist() == [120.0, 150.0]
    assert table["odd"].tolist() == [False, True]
    assert table["conflict"].tolist() == [False, False]
    assert table["fits_old"].tolist() == [0.25, 0.26]
    assert table["fits_others"].tolist() == [0.5, 0.51]
    for t, row in table.iterrows():
        values = update.counts[0].values[:, t]
        for name, weights in (("old", update.before), ("others", update.without("waiting", t))):
            for column, share in (("_low", 0.05), ("", 0.5), ("_high", 0.95)):
                assert row[f"expected_{name}{column}"] == pytest.approx(quantile(values, weights, share))
    broken = Update(**{**vars(update), "conflicts": update.odd})
    assert "expected_others" not in updated.counts(broken)
    assert updated.counts(broken)["conflict"].tolist() == [False, True]
    assert list(updated.tables(broken)) == ["counts", "diagnostics"]


def test_what_each_count_moved(update: Update) -> None:
    table = updated.moved(update)
    assert table["quarter"].tolist() == ["", "2025-Q1", "2025-Q2"]
    assert table["cells"].tolist() == [2, 1, 1]
    overdue = np.array([float(f.by_programme[-1, :, 1].sum()) for f in update.case.futures])
    for (_, row), t in zip(table.iterrows(), (None, 0, 1), strict=True):
        weights = update.without("waiting", t)
        assert row["cleared"] == pytest.approx(float((update.after - weights) @ update.case.cleared))
        assert row["overdue"] == pytest.approx(float((update.after - weights) @ overdue))
    alone = float((weighing.normalised(update.log_like) - update.before) @ overdue)
    assert table["overdue_alone"][0] == pytest.approx(alone)
    assert table["overdue_alone"][1:].isna().all()


def test_what_the_counts_say_of_the_unknowns(update: Update) -> None:
    table = updated.unknowns(update)
    moved = (table["rank"] - 0.5).abs().tolist()
    assert moved == sorted(moved, reverse=True)
    for _, row in table.iterrows():
        j = update.names.index(row["unknown"])
        values = [drawn[row["unknown"]] for drawn in update.case.drawn]
        ranks = stats.norm.cdf(np.array(update.scores)[:, j])
        assert row["rank"] == pytest.approx(float(update.after @ ranks))
        size = 1.0 / float(update.after @ update.after)
        spread = math.sqrt(float(np.sum((update.after * (ranks - row["rank"])) ** 2)))
        half = stats.t.ppf(1.0 - 0.05 / 2 / 2, int(size) - 1) * spread  # two unknowns, together 95%
        assert row["rank_high"] - row["rank"] == pytest.approx(half, rel=1e-6)
        assert row["rank"] - row["rank_low"] == pytest.approx(half, rel=1e-6)
        for when, weights in (("old", update.before), ("new", update.after)):
            for column, share in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95)):
                assert row[f"{when}_{column}"] == pytest.approx(quantile(values, weights, share))
        ratio = (row["new_q95"] - row["new_q05"]) / (row["old_q95"] - row["old_q05"])
        assert row["narrower"] == pytest.approx(ratio)
    assert table.set_index("unknown")["code"]["assumptions.list_size"] == "higher"


@pytest.mark.parametrize(("size", "number"), [(30.0, 1), (120.0, 8)])
def test_variance_that_chance_leaves(size: float, number: int) -> None:
    """A chi-squared variable of that size, over its size, lies below it once in twenty unknowns together."""
    assert updated._least_variance(size, number) == pytest.approx(stats.chi2.ppf(0.05 / number, size) / size)


def test_fan_of_both_forecasts(update: Update) -> None:
    table = updated.fan(update)
    assert sorted(set(table["forecast"])) == ["new", "old"]
    assert sorted(set(table["measure"])) == ["overdue", "waiting"]
    for _, row in table.iloc[::61].iterrows():
        values = [float(getattr(f, row["measure"])[round(row["day"] / 7)]) for f in update.case.futures]
        weights = {"old": update.before, "new": update.after}[row["forecast"]]
        for column, share in (("q05", 0.05), ("q25", 0.25), ("q50", 0.5), ("q75", 0.75), ("q95", 0.95)):
            assert row[column] == quantile(values, weights, share)


def test_diagnostics_and_futures(update: Update) -> None:
    row = updated.diagnostics(update).iloc[0]
    assert (row["futures"], row["from_prior"], row["power"], row["conflicts"], row["odd"]) == (40, 14, 0.75, 0, 1)
    assert row["effective_old"] == pytest.approx(1.0 / float(update.before @ update.before))
    full = weighing.normalised(update.log_prior + update.log_like)
    assert row["effective_full"] == pytest.approx(1.0 / float(full @ full))
    assert row["largest_weight"] == update.after.max()
    table = updated.futures(update)
    for i, row in table.iterrows():
        future = update.case.futures[i]
        assert (row["old_weight"], row["new_weight"], row["origin"]) == (update.before[i], update.after[i], i % 3)
        assert row["waiting_2027"] == future.by_programme[3, :, 0].sum()
        assert row["overdue_2029"] == future.by_programme[5, :, 1].sum()
        assert row["cleared_day"] == future.cleared


# ---------------------------------------------------------------- a calibration


def test_what_a_calibration_learnt() -> None:
    luck = np.random.default_rng(4)
    values = luck.normal(size=(300, 3)) * [1.0, 20.0, 0.1] + [3.0, 50.0, 1.0]
    before = weighing.normalised(0.3 * luck.normal(size=300))
    after = weighing.normalised(-0.5 * ((values[:, 1] - 70.0) / 6.0) ** 2)
    names = ("idle", "moved", "idle too")
    library = SimpleNamespace(values=values, prior=SimpleNamespace(names=names))
    size = 1.0 / float(after @ after)
    result = SimpleNamespace(prior_weights=before, weights=after, library=library, effective=size)
    table = calibrated.unknowns(result)
    assert table["unknown"].tolist() == list(names)
    assert table["learnt"].tolist() == [False, True, False]
    for j, row in table.iterrows():
        x = values[:, j]
        mean, later = float(before @ x), float(after @ x)
        variance = float(before @ (x - mean) ** 2)
        assert (row["prior_mean"], row["posterior_mean"]) == pytest.approx((mean, later))
        assert row["shift"] == pytest.approx((later - mean) / math.sqrt(variance))
        assert row["contraction"] == pytest.approx(1.0 - float(after @ (x - later) ** 2) / variance)
        assert row["contraction_noise"] == pytest.approx(math.sqrt(2.0 / size))
        assert row["shift_noise"] == pytest.approx(math.sqrt(1.0 / size))
        assert row["prior_q05"] < row["prior_q50"] < row["prior_q95"]
        assert row["posterior_q50"] == pytest.approx(quantile(x, after, 0.5), rel=0.05)
    pairs = calibrated.pairs(result)
    assert len(pairs) == 3
    strengths = pairs["correlation"].abs().tolist()
    assert strengths == sorted(strengths, reverse=True)
    limit = stats.norm.ppf(1.0 - 0.05 / 2 / 3) / math.sqrt(size)
    assert pairs["limit"].tolist() == pytest.approx([limit] * 3)
    assert pairs["together"].tolist() == [strength > limit for strength in strengths]


# ---------------------------------------------------------------- promises and pairs of cases


def quantities(**settings: Any) -> targets.Quantities:
    """The quantities behind the promises, of two made-up cases."""
    book = settings.pop("book", load_figures())
    chosen = {"network": "functions", "reading": "net", "gp_effect": "year", "conversation_hours": "hourly"} | settings
    made = []
    for first in (2000, 3000):
        one = case("plan", 6, first)
        one.scenario = SimpleNamespace(book=book, settings=chosen, region="amstelland")
        one.region = load_region("amstelland")
        made.append(one)
    return targets.Quantities(*made)


def total(case: Any, name: str, i: int, y: int) -> float:
    v = VOLUMES.index(name)
    return float(sum(case.futures[i].volumes[m][v] for m in range(12 * y, 12 * y + 12)))


@pytest.mark.parametrize("effect", ["year", "for_good", "contact"])
def test_gp_consults_that_are_saved(effect: str) -> None:
    q, book = quantities(gp_effect=effect), load_figures()
    reached = ("consultations", "conversations", "case_conferences", "transfers")
    for y in range(5):
        for i in range(6):
            years = range(y + 1) if effect == "for_good" else (y,)
            of_functions = sum(total(q.case, name, i, one) for name in reached for one in years)
            of_points = sum(total(q.case, "support_point_users", i, one) for one in years)
            saved = of_functions * book.value("gp.reduction_functions") + of_points * book.value(
                "gp.reduction_support_points"
            )
            saved *= 1.0 if effect == "contact" else book.value("gp.consults_mental")
            assert q.saved_by_users(y)[i] == pytest.approx(saved)
            fewer = saved + total(q.without, "gp_consults", i, y) - total(q.case, "gp_consults", i, y)
            assert q.fewer_gp_consults(y)[i] == pytest.approx(fewer)


def test_quantities_behind_the_promises() -> None:
    q, book = quantities(), load_figures()
    for y in range(5):
        for i in range(6):
            ours, theirs = (
                sum(float(c.futures[i].months[m][0]) for m in range(12 * y, 12 * y + 12)) for c in (q.case, q.without)
            )
            assert q.inflow_reduction(y)[i] == pytest.approx(1.0 - ours / theirs, rel=1e-5)
            assert q.conversations(y)[i] == total(q.case, "conversations", i, y)
            extra = total(q.case, "social_domain", i, y) - total(q.without, "social_domain", i, y)
            assert q.extra_social_domain(y)[i] == extra
            fte = book.value("impact.extra_fte_functions") * q.conversations(y)[i] / 650
            fte += extra / book.value("impact.residents_per_fte")
            assert q.extra_social_domain_fte(y)[i] == pytest.approx(fte)
    assert [q.support_points_open(y)[0] for y in range(5)] == [2.0, 3.0, 3.0, 3.0, 3.0]
    assert quantities(network="none").support_points_open(4).tolist() == [0.0] * 6
    pilot = "functions.pilot_year"
    (since, first), *_ = book[pilot].values
    later = replace(book[pilot], values=((since, first + 2.0),))
    q.book = FigureBook("x", {**book, pilot: later})  # all of it two years later
    assert [q.support_points_open(y)[0] for y in range(5)] == [0.0, 0.0, 2.0, 3.0, 3.0]
    q.book = book
    assert q.of("self_help_professionals_share", 2026) is None
    assert quantities(network="diversion").of("conversations", 2026) is None


def test_balance_of_the_list() -> None:
    q = quantities()
    found = causes.list_balance(q, dt.date(2027, 6, 30))
    week = round((dt.date(2027, 7, 1) - dt.date(2025, 1, 1)).days / 7)
    ours, theirs = (
        [np.mean([sum(float(f.months[m][column]) for m in range(30)) for f in c.futures]) for column in (0, 1, 3)]
        for c in (q.case, q.without)
    )
    fewer = [b - a for a, b in zip(ours, theirs, strict=True)]
    waiting, without = (float(np.mean([f.waiting[week] for f in c.futures])) for c in (q.case, q.without))
    names = ("fewer_referred", "fewer_started", "fewer_gave_up", "waiting", "waiting_without", "shorter")
    assert [found[name] for name in names] == pytest.approx([*fewer, waiting, without, without - waiting], rel=1e-5)
    assert found["waiting_first"] == pytest.approx(np.mean([f.waiting[0] for f in q.case.futures]))


def test_clearing_pair_by_pair() -> None:
    luck = np.random.default_rng(6)
    cleared = {name: luck.uniform(size=50) < chance for name, chance in (("none", 0.3), ("plan", 0.5), ("more", 0.7))}

    def plain(values: np.ndarray) -> SimpleNamespace:
        estimate = wilson(int(values.sum()), len(values))
        return SimpleNamespace(cleared=values, probability=lambda seed, level: estimate)

    cases = {name: plain(values) for name, values in cleared.items()}
    table = comparison.cleared(cases, "none").set_index("case")
    assert list(table.index) == ["plan", "more"]
    alone = comparison.cleared({"none": cases["none"], "plan": cases["plan"]}, "none").iloc[0]
    for name, row in table.iterrows():
        pairs = list(zip(cleared[name].tolist(), cleared["none"].tolist(), strict=True))
        for column, pair in (("both", (True, True)), ("only_case", (True, False)), ("only_base", (False, True))):
            assert row[column] == pairs.count(pair)
        assert row["neither"] == pairs.count((False, False))
        assert row["difference"] == pytest.approx(cleared[name].mean() - cleared["none"].mean())
    assert alone["high"] - alone["low"] < table.loc["plan", "high"] - table.loc["plan", "low"]
    assert comparison.cleared({"none": cases["none"]}, "none").empty


def test_a_volume_that_the_plan_itself_does_not_reach() -> None:
    """The plan's own volume below, at and above the promise; all came, or not all."""
    q = quantities()
    target = next(one for one in load_targets("amstelland") if one.quantity == "conversations")
    planned = load_figures().value("functions.conversations", target.date.year)
    for asked, probability, code in (
        (planned + 1.0, 1.0, "plan_says_less"),
        (planned, 1.0, ""),
        (planned, 0.99, "few_came"),
        (planned - 1.0, 1.0, ""),
    ):
        found, facts = causes._volume(replace(target, value=asked), q, {"probability": probability, "mean": 3.0})
        assert found == code
        assert facts.get("planned", planned) == planned
    lower = default().with_figure("functions.conversations", {2025: planned / 2}, "a test").book
    q = quantities(book=lower)
    found, facts = causes._volume(replace(target, value=planned), q, {"probability": 0.0, "mean": 3.0})
    assert found == "scenario_does_less"  # the table of the plan has enough
    assert facts == {"planned": planned / 2, "asked": planned}


def test_waves_of_a_calibration_are_counted_from_one() -> None:
    weights = np.array([0.1, 0.3, 0.1, 0.2, 0.3])
    table = calibrated.waves(SimpleNamespace(weights=weights, counts=(2, 3)))
    assert table["wave"].tolist() == [1, 2]
    assert table["points"].tolist() == [2, 3]
    assert table["effective"].tolist() == pytest.approx([0.4**2 / (0.1**2 + 0.3**2), 1.0 / float(weights @ weights)])
