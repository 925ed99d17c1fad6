"""Tables of a sensitivity study over made-up futures: options, what the registration shows, promises, futures."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_up_futures import case

from flowsim.analysis import decision, hangs_on, measures, sensitivity
from flowsim.scenario.load import default
from flowsim.scenario.options import CONTINUE, OPTIONS, REGISTRATION, STOP

NUMBER = 24


@pytest.fixture(scope="module")
def study() -> Any:
    cases = {name: case(name, NUMBER + 2, 50 * i) for i, name in enumerate(OPTIONS)}
    names = tuple(cases[CONTINUE].drawn[0])
    u = np.random.default_rng(1).random((NUMBER, 2))
    return SimpleNamespace(
        cases=cases, names=names, quantiles=u, seed=3, done=NUMBER, scenario=default(), savings=False,
        week=(40.0, 10.0, 90.0), sobol=None, morris=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def money() -> tuple[np.ndarray, np.ndarray]:
    """Extra euros and weeks won, per future and option: another option is the best from 30 euros a week on."""
    luck = np.random.default_rng(2)
    euros = np.column_stack([900.0 if name != STOP else 0.0 for name in OPTIONS] * np.ones((NUMBER, 1)))
    weeks = np.column_stack(
        [30.0 + 10.0 * i if name != STOP else 0.0 for i, name in enumerate(OPTIONS)] * np.ones((NUMBER, 1))
    )
    return euros.T + luck.normal(0.0, 5.0, (NUMBER, len(OPTIONS))), weeks.T + luck.normal(
        0.0, 1.0, (NUMBER, len(OPTIONS))
    )


def test_options_at_every_value_of_a_week(study: Any, money: tuple[np.ndarray, np.ndarray]) -> None:
    euros, weeks = money
    table = hangs_on.options(study, euros, weeks)
    labels = dict(zip(table["week"], table["euros_per_week"], strict=True))
    assert list(labels) == ["low", "turn", "value", "high"]
    assert (labels["low"], labels["value"], labels["high"]) == (10.0, 40.0, 90.0)
    assert list(labels.values()) == sorted(labels.values())
    for _, row in table.iterrows():
        k, week = OPTIONS.index(row["option"]), row["euros_per_week"]
        benefit = week * weeks - euros
        for column, values in (("euros", euros[:, k]), ("weeks_won", weeks[:, k]), ("net_benefit", benefit[:, k])):
            assert row[column] == pytest.approx(values.mean())
            assert row[f"{column}_low"] < row[column] < row[f"{column}_high"]
            assert row[f"{column}_q05"] == pytest.approx(np.quantile(values, 0.05))
            assert row[f"{column}_q95"] == pytest.approx(np.quantile(values, 0.95))
        assert row["best_share"] == np.mean([max(range(len(OPTIONS)), key=lambda j: one[j]) == k for one in benefit])
        assert row["best"] == (benefit.mean(axis=0).argmax() == k)
        assert row["futures"] == NUMBER


def test_benefits_are_differences_from_stopping(study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def euros(one: Any, base: Any, count: int, savings: bool) -> np.ndarray:
        asked.append((one.name, base.name, count, savings))
        return np.full(count, 7.0)

    monkeypatch.setattr(decision, "extra_euros", euros)
    found, weeks = hangs_on.benefits(study)
    assert asked == [(name, STOP, NUMBER, False) for name in OPTIONS]
    assert (found == 7.0).all()
    waited = {name: decision.weeks_waited(one, NUMBER) for name, one in study.cases.items()}
    for k, name in enumerate(OPTIONS):
        assert weeks[:, k] == pytest.approx(waited[STOP] - waited[name])


def test_the_registration_has_an_error_of_its_own(study: Any) -> None:
    true = decision.monitors(study.cases[CONTINUE], NUMBER, 2025)
    book = study.scenario.book
    error = book.value(REGISTRATION) if REGISTRATION in book else 0.0
    assert 0.0 < error < 0.5
    shown = hangs_on.registration(study, 2025)
    assert shown.keys() == true.keys()
    noise = np.concatenate([shown[name] / true[name] - 1.0 for name in true])
    assert noise.std() == pytest.approx(error, rel=0.3)  # 168 draws: a standard error of 5%
    assert abs(noise.mean()) < error
    assert len(np.unique(noise.round(9))) == len(noise)


@pytest.mark.parametrize(("cleared", "rare"), [(7, True), (8, False), (12, False), (16, False), (17, True), (0, True)])
def test_too_few_runs_of_either_kind(cleared: int, rare: bool) -> None:
    """Fewer than eight of 24 that cleared, or that did not."""
    values = np.array([1.0] * cleared + [0.0] * (24 - cleared))
    assert hangs_on._rare("cleared", values) == rare
    assert hangs_on.FEW == 8


def test_an_outcome_that_is_always_the_same_hangs_on_nothing() -> None:
    assert hangs_on._rare("overdue_2029", np.full(9, 3.0))
    assert not hangs_on._rare("overdue_2029", np.array([3.0] * 8 + [4.0]))


class Points:
    """What was kept of the runs of a Sobol design."""

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    def of(self, name: str) -> np.ndarray:
        return self.values[:, ("cleared", "overdue_2029", "mean_wait_2029", "overdue_start").index(name)]


def test_the_sample_is_all_futures_of_the_scenario_and_the_design(study: Any) -> None:
    u, outcomes, groups = hangs_on.sample(study)
    assert (u is study.quantiles, groups.tolist()) == (True, list(range(NUMBER)))
    names = ("cleared", "overdue_2029", "mean_wait_2029")
    for i, future in enumerate(study.cases[CONTINUE].futures[:NUMBER]):
        expected = measures.measured(future, names, study.cases[CONTINUE].definition)
        assert outcomes[i].tolist() == pytest.approx(expected)
    luck = np.random.default_rng(9)
    design = SimpleNamespace(u=luck.random((12, 2)), block=np.arange(12) // 4)
    points = Points(luck.random((8, 4)))
    whole = SimpleNamespace(**{**vars(study), "sobol": (design, points)})
    u, outcomes, groups = hangs_on.sample(whole)
    assert u.shape == (NUMBER + 8, 2)
    assert (u[NUMBER:] == design.u[:8]).all()
    assert (outcomes[NUMBER:] == points.values[:, :3]).all()
    assert groups[NUMBER:].tolist() == [NUMBER] * 4 + [NUMBER + 1] * 4


def test_promises_are_counted_over_the_futures(study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[np.ndarray, np.ndarray]] = []

    def none(names: Any, values: np.ndarray, happened: np.ndarray, seed: int) -> None:
        asked.append((values, happened))

    monkeypatch.setattr(hangs_on.regions, "find_region", none)
    found = hangs_on.promises(study)
    table = found["promises"].set_index("promise")
    assert list(found) == ["promises"]
    one = study.cases[CONTINUE]
    fewer = [f.by_programme[5, :, 1].sum() < f.by_programme[0, :, 1].sum() for f in one.futures[:NUMBER]]
    for i, (name, holds) in enumerate((("cleared", one.cleared[:NUMBER]), ("fewer_overdue", np.array(fewer)))):
        row = table.loc[name]
        assert (row["futures"], row["found"]) == (NUMBER, False)
        assert row["fails"] == pytest.approx(1.0 - holds.mean())
        assert row["side"] == ("fails" if holds.mean() >= 0.5 else "holds")
        values, happened = asked[i]
        assert (happened == (holds if row["side"] == "holds" else ~holds)).all()
        assert values.tolist() == [[drawn[key] for key in study.names] for drawn in one.drawn[:NUMBER]]


def test_futures_of_every_option(study: Any, money: tuple[np.ndarray, np.ndarray]) -> None:
    euros, weeks = money
    table = hangs_on.futures(study, euros, weeks)
    assert len(table) == len(OPTIONS) * NUMBER
    for _, row in table.iterrows():
        k, i = OPTIONS.index(row["option"]), row["future"]
        one = study.cases[row["option"]]
        assert (row["euros"], row["weeks_won"], row["cleared"]) == (euros[i, k], weeks[i, k], one.cleared[i])
        assert {name: row[name] for name in study.names} == one.drawn[i]


def test_what_the_pilots_registration_and_the_unknowns_are_worth(
    study: Any, money: tuple[np.ndarray, np.ndarray]
) -> None:
    euros, weeks = money
    made = hangs_on.worth(study, euros, weeks)
    assert {name: len(table) for name, table in made.items()} == {"information": 8, "perfect": 4, "monitors": 28}
    for _, table in made["information"].groupby("week", sort=False):
        assert table["evppi"].tolist() == sorted(table["evppi"], reverse=True)
    for _, table in made["monitors"].groupby("week", sort=False):
        assert table["evsi"].tolist() == sorted(table["evsi"], reverse=True)
    best = made["perfect"].set_index("week")["best"]
    for label, row in made["perfect"].set_index("week").iterrows():
        benefit = row["euros_per_week"] * weeks - euros
        assert best[label] == OPTIONS[int(benefit.mean(axis=0).argmax())]
        assert row["clairvoyance"] == pytest.approx(benefit.max(axis=1).mean() - benefit.mean(axis=0).max())


def test_an_outcome_that_tells_nothing_is_left_out_and_the_others_are_not(study: Any) -> None:
    """Nothing ever cleared; what the other outcomes hang on is told all the same, by both methods."""
    design = sensitivity.sobol_design(study.names, study.names, 16, seed=4)
    luck = np.random.default_rng(11)
    base = 100.0 * design.u[:, 0] + 10.0 * design.u[:, 1] + luck.normal(0.0, 5.0, len(design.u))
    values = np.column_stack([np.zeros(len(base)), base, 2.0 * base + 40.0, base + 50.0])
    quiet = [replace(one, cleared=np.inf) for one in study.cases[CONTINUE].futures]
    plan = SimpleNamespace(**{**vars(study.cases[CONTINUE]), "futures": quiet})
    whole = SimpleNamespace(
        **{**vars(study), "sobol": (design, Points(values)), "cases": {**study.cases, CONTINUE: plan}}
    )
    made = hangs_on.decomposed(whole)
    assert made["surface"]["outcome"].tolist() == ["overdue_2029", "mean_wait_2029"]
    assert made["surface"]["runs"].tolist() == [NUMBER + len(design.u)] * 2
    table = made["sobol"].set_index(["outcome", "method", "input"])
    for outcome in ("overdue_2029", "mean_wait_2029"):
        for method in ("runs", "surface"):
            strong, weak = (table.loc[(outcome, method, name)] for name in study.names)
            assert method == "surface" or strong["total"] > weak["total"]  # its sample holds futures of pure chance
            for column in ("first", "total"):
                assert strong[f"{column}_low"] <= strong[column] <= strong[f"{column}_high"]
    assert "cleared" not in set(made["sobol"]["outcome"])
