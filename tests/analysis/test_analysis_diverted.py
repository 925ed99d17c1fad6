"""Who is kept out of ggz, by function and destination: by hand, and against residents counted in the log."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_up_futures import case
from scipy.stats import binomtest

from flowsim.analysis import answers, comparison
from flowsim.analysis.clearing import VOLUMES
from flowsim.analysis.diverted import ALL, DESTINATIONS, FUNCTIONS, diverted
from flowsim.analysis.moves import OUTSIDE, moves
from flowsim.analysis.statistics import mean_interval
from flowsim.engines import compiled
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.load import default

STATIONS = dict(zip(FUNCTIONS, ("collegial_consultation", "exploratory_conversation", "case_conference"), strict=True))
FALSE_ALARM = 1e-3
"""That any of the counts of `test_against_residents_counted_in_the_log`, under both readings, is too far off with
another seed."""


def given(scenario: Any, entered: list[float]) -> Any:
    """Three futures in which so many would have entered ggz."""
    one = case("capacity", len(entered), 1)
    one.scenario, one.drawn = scenario, [{"assumptions.would_have_entered": x} for x in entered]
    return one


def test_by_hand() -> None:
    """Of the conversations 30% of those who would have entered do not, of whom 80% go to the social domain (TP 5.2,
    7.1); under headcount 70%, as a shorter treatment counts as none."""
    entered = [1.0, 0.5, 0.25]
    for reading, conversations, conferences in (("capacity", 0.3, 0.2), ("headcount", 0.7, 0.35)):
        one = given(default().with_settings(reading, reading=reading), entered)
        found = diverted(one)
        assert found.shape == (3, 60, len(FUNCTIONS), len(DESTINATIONS))
        for f, share in enumerate((0.15, conversations, conferences)):
            for i, w in enumerate(entered):
                reached = one.futures[i].volumes[:, VOLUMES.index(FUNCTIONS[f])]
                for d, part in enumerate((0.8, 0.1, 0.1)):
                    assert found[i, :, f, d] == pytest.approx(reached * share * w * part)


def test_tables_by_year_and_month() -> None:
    answer = SimpleNamespace(cases={"capacity": given(default(), [1.0, 0.5, 0.25])})
    of_year = answers.diverted_years(answer).set_index(["year", "function", "destination"])
    of_month = answers.diverted_months(answer).set_index(["month", "function", "destination"])
    assert len(of_year) == 5 * 4 * 4
    assert len(of_month) == 60 * 4 * 4
    found = diverted(answer.cases["capacity"])
    for row, values in (
        (of_year.loc[(2027, "conversations", "self_help")], found[:, 24:36, 1, 1].sum(axis=1)),
        (of_year.loc[(2027, ALL, "social_domain")], found[:, 24:36, :, 0].sum(axis=(1, 2))),
        (of_month.loc[("2029-12", "consultations", ALL)], found[:, 59, 0].sum(axis=1)),
        (of_month.loc[("2025-01", ALL, ALL)], found[:, 0].sum(axis=(1, 2))),
    ):
        by_hand = mean_interval(values, least=0.0)
        assert row[["mean", "mean_low", "mean_high"]].tolist() == pytest.approx(
            [by_hand.value, by_hand.low, by_hand.high]
        )
        assert row[["q05", "q95"]].tolist() == pytest.approx(np.quantile(values, (0.05, 0.95)).tolist())
    compared = comparison.outcomes(answer.cases["capacity"])["diverted"]
    assert of_year["mean"].xs((ALL, ALL), level=("function", "destination")).tolist() == pytest.approx(
        compared.mean(axis=0).tolist()
    )


def test_a_top_down_case_has_no_functions() -> None:
    one = given(default().with_settings("diversion", network="diversion"), [1.0])
    table = answers.diverted_years(SimpleNamespace(cases={"diversion": one}))
    assert table.empty
    assert list(table)[:4] == ["case", "year", "function", "destination"]


@pytest.mark.parametrize("reading", ["headcount", "capacity"])
def test_against_residents_counted_in_the_log(reading: str) -> None:
    """Ten futures of the region: what is expected of those reached, and who went where in the event log."""
    scenario = default().with_settings(reading, reading=reading)
    network = compile_scenario(scenario)
    counted = {(f, d): 0.0 for f in FUNCTIONS for d in DESTINATIONS}
    reached = dict.fromkeys(FUNCTIONS, 0.0)
    for replication in range(10):
        log = compiled.simulate_once(network, 11, replication, log=True)[1]
        assert log is not None
        table = moves(network, log, len(network.periods) - 1)
        for name, station in STATIONS.items():
            after = table[(table["origin"] == station) & (table["how"] == "served")]
            reached[name] += after["residents"].sum()
            for destination, residents in zip(after["destination"], after["residents"], strict=True):
                to = "own_network" if destination == OUTSIDE else destination
                to = "social_domain" if to.startswith("social_domain") else to
                if to in DESTINATIONS:
                    counted[name, to] += residents
    one = case(reading, 1, 1)
    one.scenario, one.drawn = scenario, [{}]
    one.futures[0].volumes[:] = 0
    for name in FUNCTIONS:
        one.futures[0].volumes[0, VOLUMES.index(name)] = reached[name]
    expected = diverted(one)[0, 0]
    for f, name in enumerate(FUNCTIONS):
        for d, destination in enumerate(DESTINATIONS):
            share = expected[f, d] / reached[name]
            found = binomtest(round(counted[name, destination]), round(reached[name]), share)
            assert found.pvalue > FALSE_ALARM / 18, (name, destination)
        assert expected[f].sum() > 100.0
