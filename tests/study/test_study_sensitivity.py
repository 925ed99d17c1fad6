"""A sensitivity study of the plan: options on the same futures, euros counted once, tables that are described."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from described_tables import check_dictionary

from flowsim.analysis import decision, hangs_on
from flowsim.cli import DONE, UNUSABLE, main
from flowsim.errors import InputError
from flowsim.present.sensitivity import Page, sensitivity_blocks, shown_week
from flowsim.present.sensitivity_plot import sensitivity_plots
from flowsim.scenario.load import default
from flowsim.scenario.options import CONTINUE, EXTEND, OPTIONS, STOP, measurement, options
from flowsim.scenario.schema import Override
from flowsim.scenario.unknowns import drawn
from flowsim.study.futures import Balances, Case
from flowsim.study.sensitivity import LEAST_BUDGET, Sensitivity, sensitivity, shared_out


@pytest.fixture(scope="module")
def study() -> Sensitivity:
    return sensitivity(budget=LEAST_BUDGET, seed=2)


def test_the_budget_is_shared_out_whole() -> None:
    for budget in (LEAST_BUDGET, 1000, 2400, 50_000):
        parts = shared_out(budget, 15)
        used = 3 * parts["options"] + 16 * parts["trajectories"] + 10 * parts["blocks"]
        assert budget - 3 < used <= budget
        assert parts["options"] >= 55
    assert shared_out(2400, 2)["blocks"] * 5 <= 2400


@pytest.mark.parametrize("year", [2024, 2030])
def test_a_pilot_year_that_is_none_of_the_five_is_refused_at_the_start(year: int) -> None:
    """Nothing is registered in it, and there is no year after it in which the options would differ."""
    moved = default().with_figure("functions.pilot_year", year, "moved")
    told = rf"functions\.pilot_year: found {year}; expected a year from 2025 to 2029: the options begin after it"
    with pytest.raises(InputError, match=told):
        sensitivity(moved, budget=LEAST_BUDGET)


def test_in_the_last_pilot_year_the_registration_is_worth_something() -> None:
    moved = default().with_figure("functions.pilot_year", 2029, "moved")
    assert set(options(moved)) == set(OPTIONS)
    case = Case("last", moved)
    case.extend(2, seed=1, balances=Balances(1), threads=1)
    assert decision.monitors(case, 2, 2029)["waiting"].shape == (2,)


def test_until_the_end_of_the_pilot_year_the_options_are_the_same_futures(study: Sensitivity) -> None:
    for i in range(study.done):
        lists = [study.cases[name].futures[i].waiting for name in OPTIONS]
        assert (lists[0][:52] == lists[1][:52]).all()
        assert (lists[0][:52] == lists[2][:52]).all()
        assert (lists[0] != lists[1]).any()
        assert (lists[0] != lists[2]).any()


def test_stopping_ends_the_functions_and_their_hours(study: Sensitivity) -> None:
    stop = study.cases[STOP]
    volumes = np.array([future.volumes for future in stop.futures])[:, :, :4].reshape(study.done, 5, 12, 4).sum(axis=2)
    assert (volumes[:, 0].sum(axis=0) > 0).all()
    assert volumes[:, 2:].sum() == 0
    places = [case.template.network_at_mode.stations["servers"] for case in study.cases.values()]
    assert (places[0] == places[2]).all()


def test_euros_by_hand(study: Sensitivity) -> None:
    """Extending costs the plan's price for 5% of the clients (severe mental illness apart), four years long."""
    base = study.cases[STOP]
    euros = {name: decision.extra_euros(study.cases[name], base, study.done) for name in OPTIONS}
    assert (euros[STOP] == 0.0).all()
    places = 4 * 0.05 * (6491 - 1470) * 2000
    assert np.mean(euros[EXTEND] - euros[CONTINUE]) == pytest.approx(places, rel=0.02)
    # The network: 140 of the 490 euros of a conversation (the ggz hours come out of treatment), the other functions and
    # the coordination from 2026 on, and 800 euros for everybody who goes to the social domain instead.
    fixed = (50_000 + 100_000 + 150_000 + 150_000) + (50_000 + 75_000 + 112_500 + 112_500)
    conversations = 140 * (215 + 436 + 650 + 650)
    future = study.cases[CONTINUE].futures[0]
    people = (future.volumes[:, 4].sum() - base.futures[0].volumes[:, 4].sum()) * 800
    assert euros[CONTINUE][0] == pytest.approx(fixed + conversations + people, rel=0.02)


def test_counting_savings_makes_the_network_cheaper(study: Sensitivity) -> None:
    continued, stop = study.cases[CONTINUE], study.cases[STOP]
    plain = decision.extra_euros(continued, stop, 8)
    counted = decision.extra_euros(continued, stop, 8, savings=True)
    assert (counted < plain - 1e6).all()


def test_weeks_waited_is_the_area_under_the_list(study: Sensitivity) -> None:
    case = study.cases[CONTINUE]
    waiting = case.futures[0].waiting.astype(float)
    assert decision.weeks_waited(case, 1)[0] == pytest.approx(waiting[:262].mean() * 261, rel=0.01)
    weeks = hangs_on.benefits(study)[1]
    assert (weeks[:, OPTIONS.index(STOP)] == 0.0).all()
    assert weeks.mean(axis=0)[OPTIONS.index(EXTEND)] > weeks.mean(axis=0)[OPTIONS.index(CONTINUE)] > 0.0


def test_every_column_of_every_table_is_described(study: Sensitivity) -> None:
    tables = study.tables
    wanted = {"options", "information", "perfect", "monitors", "morris", "sobol", "surface", "promises", "futures"}
    assert wanted <= set(tables)
    check_dictionary("sensitivity", tables)


def test_information_is_worth_no_less_than_nothing_and_a_quarter_no_more_than_certainty(study: Sensitivity) -> None:
    table = study.tables["information"]
    assert set(table["unknown"]) == set(drawn(default()))
    assert {"low", "value", "high"} <= set(table["week"])
    for name in ("evppi", "evsi"):
        assert (table[f"{name}_low"] >= 0.0).all()
        assert (table[f"{name}_low"] <= table[name]).all()
        assert (table[name] <= table[f"{name}_high"]).all()
    assert (table["evsi"] <= table["evppi_high"] + 1.0).all()
    perfect = study.tables["perfect"]
    assert (perfect["evpi"] <= perfect["clairvoyance"] * 1.3 + 1.0).all()
    at_turn = table[table["week"] == "turn"]
    if len(at_turn):  # options tie there, so knowing is worth something
        assert at_turn["evppi"].max() > table[table["week"] == "high"]["evppi"].max()


def test_the_same_seed_gives_the_same_tables_on_one_thread(study: Sensitivity) -> None:
    count = 6
    again = {name: study.cases[name].__class__(name, study.cases[name].scenario) for name in (CONTINUE,)}
    from flowsim.study.futures import Balances

    again[CONTINUE].extend(count, study.seed, Balances(study.seed), threads=1)
    for i in range(count):
        assert (again[CONTINUE].futures[i].waiting == study.cases[CONTINUE].futures[i].waiting).all()


@pytest.mark.parametrize("lang", ["nl", "en"])
def test_it_is_told_and_drawn(study: Sensitivity, lang: str) -> None:
    tables = study.tables
    blocks = sensitivity_blocks(study, tables, lang)
    told = "\n".join(str(block) for block in blocks)
    assert "€" in told
    assert "nan" not in told
    assert "{" not in told
    assert shown_week(tables) in ("turn", "value")
    figures = sensitivity_plots(study, tables, lang)
    assert {"information", "options", "sobol"} <= set(figures)


def test_where_no_week_is_won_there_is_no_price_of_one(study: Sensitivity) -> None:
    table = study.tables["options"].copy()
    for weeks, option in ((0.0, CONTINUE), (-3.0, EXTEND)):
        table.loc[table["option"] == option, "weeks_won"] = weeks
    rows = Page(study, {**study.tables, "options": table}, "en").options().rows
    assert [row[3] for row in rows] == ["-", "-", "-"]


def test_the_command_prints_and_writes(
    study: Sensitivity, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("flowsim.study.sensitivity.sensitivity", lambda **asked: study)
    assert main(["sensitivity", "--lang", "en", "--out", str(tmp_path / "out")]) == DONE
    printed = capsys.readouterr().out
    assert "Which number should the region measure first?" in printed
    written = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"manifest.json", "datapackage.json", "information.parquet", "information.png", "options.svg"} <= written
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["asked"]["budget"] == LEAST_BUDGET
    assert set(manifest["hashes"]) == set(OPTIONS)
    assert main(["sensitivity", "--json"]) == DONE
    document = json.loads(capsys.readouterr().out)
    assert {"measure_first", "information", "sobol", "options"} <= set(document)
    assert "futures" not in document


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--budget", "10"], ["budget", "10"]),
        (["--budget", "many"], ["many"]),
        (["--week", "-1"], ["week", "-1"]),
        (["--week", "nan"], ["week", "nan"]),
        (["--seed", "-1"], ["seed", "-1"]),
        (["--extend", "nowhere.toml"], ["nowhere.toml"]),
        (["--lang", "fr"], ["fr"]),
        (["experiments/no_network.toml"], ["network", "none"]),
        (["experiments/diversion_10.toml"], ["network", "diversion"]),
        (["--extend", "experiments/growth_3.toml"], ["extension", "unknowns"]),
    ],
)
def test_what_cannot_be_used_is_refused(
    arguments: list[str], parts: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main(["sensitivity", *arguments, "--out", str(out)]) == UNUSABLE
    message = capsys.readouterr().err.strip()
    assert len(message.splitlines()) == 1
    for part in parts:
        assert part in message
    assert not out.exists()


def test_interrupted_it_keeps_whole_trajectories() -> None:
    def stop(part: str, done: int, total: int) -> None:
        if part == "morris" and done == 40:
            raise KeyboardInterrupt

    found = sensitivity(budget=LEAST_BUDGET, seed=2, progress=stop)
    assert found.interrupted
    assert found.morris is not None
    assert len(found.morris[1].values) == 32
    assert found.sobol is None
    assert {"options", "information", "morris", "promises"} <= set(found.tables)
    assert "sobol" not in found.tables


def test_interrupted_too_early_it_says_nothing() -> None:
    def stop(part: str, done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sensitivity(budget=LEAST_BUDGET, progress=stop)


def test_a_scenario_without_unknowns_is_refused() -> None:
    scenario = default()
    for key in drawn(scenario):
        scenario = scenario.with_figure(key, scenario.book.value(key), "known in this test")
    with pytest.raises(InputError, match="no unknowns"):
        sensitivity(scenario)


def test_extra_places_come_on_top_of_those_that_the_scenario_has() -> None:
    key = "assumptions.extra_places_basic"
    more = {key: Override(value={"2025": 0.0, "2027": 0.02}, because="a test")}
    made = options(default().with_overrides(more, "test"))[EXTEND].book
    assert [made.value(key, year) for year in (2025, 2026, 2027, 2029)] == pytest.approx([0.0, 0.05, 0.07, 0.07])


@pytest.mark.parametrize("unknown", drawn(default()))
def test_every_unknown_can_be_measured_with_a_stated_error(unknown: str) -> None:
    measure = measurement(default(), unknown)
    assert measure is not None
    u = np.full(4000, 0.5)
    values = measure(u, np.random.default_rng(1))
    figure = default().book.figure(unknown)
    assert figure.low is not None
    assert figure.high is not None
    assert values.std() > 0.0
    # Unbiased: the mean of 4,000 lies within 5 standard errors of the median of the unknown (false alarm below 1e-6).
    error = 5.0 * values.std() / math.sqrt(len(values))
    assert figure.low - error <= values.mean() <= figure.high + error
