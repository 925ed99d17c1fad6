"""The plan's promises on simulated futures: the plan's own numbers come out; what is missed is said to be missed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import flowsim
import flowsim.study.targets as study
from flowsim.analysis import causes
from flowsim.analysis.reproduction import CAUSES as COUNTED_CAUSES
from flowsim.analysis.reproduction import VERDICTS as COUNTED_VERDICTS
from flowsim.analysis.reproduction import reproduction
from flowsim.analysis.targets import Quantities
from flowsim.analysis.verdict import CODES
from flowsim.cli import DONE, MISSED, UNUSABLE, main
from flowsim.errors import InputError
from flowsim.plan.targets import load_targets
from flowsim.plan.years import YEARS
from flowsim.present.answer import Paragraph, Rows
from flowsim.present.targets import target_blocks
from flowsim.present.texts import LANGUAGES, text, texts
from flowsim.scenario.load import default, load
from flowsim.scenario.schema import Override
from flowsim.study.futures import Balances, Case
from flowsim.study.targets import Evaluation, evaluate, missed, required

EXPERIMENTS = Path(__file__).resolve().parent.parent.parent / "experiments"
FEW, COUNTED = 10, 10


@pytest.fixture(scope="module")
def found() -> Iterator[Evaluation]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "LOGGED", COUNTED)
        yield evaluate(futures=FEW, seed=3)


@pytest.fixture(scope="module")
def tables(found: Evaluation) -> dict[str, pd.DataFrame]:
    return found.tables


def test_every_kpi_with_a_number_is_judged_under_each_reading(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["targets"]
    for case in ("headcount", "capacity", "net"):
        mine = table[table["case"] == case]
        assert list(mine["target"]) == [target.id for target in load_targets()]
        assert {f"kpi_{n}" for n in (16, 17, 19, 20, 24, 27, 28, 29)} <= set(mine["target"])
    judged = table[table["simulated"]]
    assert (judged["mean_low"] <= judged["mean"]).all()
    assert (judged["probability_low"] <= judged["probability"]).all()
    assert set(judged["verdict"]) <= set(CODES)
    assert set(table[~table["simulated"]]["target"]) == {"kpi_16"}
    assert set(table[~table["simulated"]]["verdict"]) == {"not_simulated"}


def test_the_plans_own_numbers_come_out_of_the_simulation(tables: dict[str, pd.DataFrame]) -> None:
    """Counted person by person. All intervals hold together with 95%; the seed is fixed."""
    table = tables["reproduction"].set_index(["quantity", "year"])
    printed = {
        "conversations": {2025: 50, 2026: 215, 2027: 436, 2028: 650},
        "freed_clients": {2025: 58, 2026: 213, 2027: 435, 2028: 650},
        "share_of_clients": {2026: 0.033, 2027: 0.067, 2028: 0.1},
        "share_of_inflow": {2026: 0.033, 2027: 0.067, 2028: 0.1},
        "freed_hours": {2028: 5200},
        "social_domain": {2028: 520},
        "consults_of_users": {2029: 2000},
    }
    assert {(q, y): x for q, years in printed.items() for y, x in years.items()} == dict(table["plan"])
    verdicts = table["verdict"]
    assert verdicts.pop(("social_domain", 2028)) == "explained"
    assert set(verdicts) == {"same"}
    people = table.loc[("social_domain", 2028)]
    assert people["cause"] == "lighter_stay"
    assert people["expected"] == pytest.approx(0.8 * (650 - 32.5 - 0.15))  # 80% of those who do not enter ggz
    assert people["mean_high"] < 520 - 0.5


def test_other_people_would_be_noticed(found: Evaluation) -> None:
    """One in eight fewer sent away, as after a wrong chance in a route, and the plan's numbers come out no more."""
    fewer = {
        name: [replace(one, away=np.round(one.away * 0.88).astype(int)) for one in people]
        for name, people in found.counted.items()
    }
    table = reproduction(found.judged(), fewer).set_index(["quantity", "year"])
    assert table.loc[("freed_clients", 2028), "verdict"] == "differs"
    assert table.loc[("share_of_inflow", 2028), "verdict"] == "differs"


def test_what_is_missed_is_said_to_be_missed_with_its_cause(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["targets"].set_index(["case", "target"])
    bad = {"no", "unlikely"}
    for case in ("headcount", "capacity", "net"):
        assert table.loc[(case, "kpi_27"), "verdict"] in bad  # 486 asked, 436 in the plan's own table
        assert table.loc[(case, "kpi_27"), "cause"] == "plan_says_less"
        assert table.loc[(case, "kpi_24"), "verdict"] in bad
        assert table.loc[(case, "kpi_24"), "cause"] == "list_balance"
        assert table.loc[(case, "social_domain_2028"), "verdict"] in bad
    assert table.loc[("headcount", "freed_clients_2028"), "verdict"] not in bad
    assert table.loc[("capacity", "freed_clients_2028"), "cause"] == "halves_count_half"
    assert table.loc[("net", "freed_clients_2028"), "cause"] == "conversations_take_hours"
    assert table.loc[("net", "diversion_2029"), "verdict"] in bad
    judged = tables["targets"][tables["targets"]["verdict"].isin(bad)]
    assert (judged["cause"] != "").all()


def facts(tables: dict[str, pd.DataFrame], case: str, target: str) -> dict[str, float]:
    table = tables["causes"]
    mine = table[(table["case"] == case) & (table["target"] == target)]
    return dict(zip(mine["fact"], mine["value"], strict=True))


def test_causes_add_up(tables: dict[str, pd.DataFrame]) -> None:
    table = tables["targets"].set_index(["case", "target"])
    for case in ("headcount", "capacity", "net"):
        balance = facts(tables, case, "kpi_24")
        flows = balance["fewer_referred"] - balance["fewer_started"] - balance["fewer_gave_up"]
        assert balance["shorter"] == pytest.approx(flows, abs=4.0)  # the snapshot lies days after the month's end
        consults = facts(tables, case, "gp_consults_2029")
        assert consults["users"] + consults["other"] == pytest.approx(table.loc[(case, "gp_consults_2029"), "mean"])
    heads = facts(tables, "headcount", "kpi_20")
    assert heads["of_clients"] == pytest.approx(0.033, abs=5e-4)  # where the plan's 3.3% comes from, counted in heads
    fewer = facts(tables, "capacity", "kpi_20")
    assert fewer["of_inflow"] == pytest.approx(0.033, abs=5e-4)  # and in people who do not enter
    assert fewer["referrals"] > fewer["inflow"]


def test_the_table_is_the_same_on_one_and_two_threads() -> None:
    scenario = load(EXPERIMENTS / "diversion_10.toml")
    one, two = (flowsim.targets(scenario, futures=3, seed=5, threads=threads).to_csv() for threads in (1, 2))
    assert one == two


def test_a_top_down_scenario_says_nothing_of_functions() -> None:
    table = flowsim.targets(str(EXPERIMENTS / "diversion_10.toml"), futures=4).set_index("target")
    assert table.loc["kpi_17", ["verdict", "cause"]].tolist() == ["not_simulated", "top_down"]
    row = table.loc["diversion_2029"]  # what is diverted top-down is what the scenario says: 10% of the hours
    assert row["mean"] == pytest.approx(0.10, abs=0.015)


def test_a_scenario_without_network_keeps_no_promise_of_one() -> None:
    table = flowsim.targets(default().with_settings("x", network="none"), futures=2).set_index("target")
    assert set(table["case"]) == {"none"}
    assert table.loc["conversations_2028", "mean"] == 0.0
    assert table.loc["conversations_2028", "cause"] == "no_network"


def test_a_half_width_asks_for_more_futures() -> None:
    found = evaluate(load(EXPERIMENTS / "no_network.toml"), futures=4, half_width=0.2, count_people=False)
    assert found.done > 4
    assert study._widest(found) <= 0.2


# ---------------------------------------------------------------- what must be met


def test_required_promises(found: Evaluation, tables: dict[str, pd.DataFrame]) -> None:
    codes = required(default(), ["kpi_17,kpi_24", "kpi_17"])
    assert codes == ("kpi_17", "kpi_24")
    assert missed(found, tables["targets"], codes) == ("kpi_24",)
    with pytest.raises(InputError, match="'kpi_99'"):
        required(default(), ["kpi_99"])
    with pytest.raises(InputError, match="the simulation says nothing"):
        required(default(), ["kpi_16"])


def test_the_command_says_by_its_exit_code_whether_a_promise_is_met(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study, "LOGGED", 2)
    out = tmp_path / "out"
    asked = ["targets", "--futures", "4", "--out", str(out), "--json"]
    assert main([*asked, "--require", "kpi_17", "--require", "kpi_27"]) == MISSED
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    assert document["missed"] == ["kpi_27"]
    assert document["reading"] == "net"
    names = ("targets", "causes", "reproduction")
    expected = {f"{name}.{kind}" for name in names for kind in ("csv", "parquet")} | {
        "datapackage.json",
        "manifest.json",
    }
    assert {file.name for file in out.iterdir()} == expected
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["asked"] == {"seed": 1, "futures": 4, "half_width": None, "require": ["kpi_17", "kpi_27"]}
    top_down = str(EXPERIMENTS / "diversion_10.toml")
    assert main(["targets", top_down, "--futures", "4", "--require", "kpi_11", "--lang", "en"]) == DONE
    assert "Met, as asked (reading Diversion): KPI 11: support points open." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        (["no/such.toml"], "no/such.toml"),
        (["--futures", "1"], "futures"),
        (["--half-width", "0"], "--half-width:"),
        (["--half-width", "nan"], "--half-width:"),
        (["--require", "kpi_99"], "'kpi_99'"),
        (["--require", "kpi_16"], "says nothing"),
        (["--seed", "-1"], "seed"),
        (["--threads", "0"], "threads"),
        (["--lang", "fr"], "'fr'"),
    ],
)
def test_unusable_arguments_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], where: str
) -> None:
    out = tmp_path / "deep" / "out"
    assert main(["targets", *arguments, "--out", str(out)]) == UNUSABLE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert where in captured.err
    assert not out.parent.exists()


# ---------------------------------------------------------------- the words


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_its_words(lang: str, tables: dict[str, pd.DataFrame]) -> None:
    wanted = {f"targets.promise.{target.id}" for target in load_targets()}
    wanted |= {f"targets.verdict.{code}" for code in (*CODES, "not_simulated")}
    wanted |= {f"targets.cause.{code}" for code in causes.CODES}
    wanted |= {f"targets.reproduced.{code}" for code in COUNTED_VERDICTS}
    wanted |= {f"targets.counted_cause.{code}" for code in COUNTED_CAUSES if code}
    wanted |= {f"targets.counted.{name}" for name in tables["reproduction"]["quantity"]}
    assert wanted - set(texts(lang)) == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_tells_every_promise_and_every_cause(
    found: Evaluation, tables: dict[str, pd.DataFrame], lang: str
) -> None:
    parts = target_blocks(found, tables, lang)
    by_title = {part.title: part for part in parts if isinstance(part, Rows)}
    overview = by_title[text(lang, "targets.table.overview.title")]
    assert len(overview.rows) == len(load_targets())
    assert len(overview.header) == 6
    for part in by_title.values():
        assert all(len(row) == len(part.header) for row in part.rows)
    words = " ".join(line for part in parts if isinstance(part, Paragraph) for line in part.lines)
    assert "486" in words
    assert "436" in words
    assert "{" not in words
    said = [line for part in parts if isinstance(part, Paragraph) for line in part.lines if "KPI 24" in line]
    assert len(said) == 4  # one for each reading, and how to read it


def test_twice_the_conversations_take_twice_the_staff_of_the_functions() -> None:
    """The plan's fte belong to the plan's number of conversations, not to the scenario's own."""
    key = "functions.conversations"
    plan = default().with_settings("plan", unknowns="prior")  # two futures with people enough for twice as many
    twice = plan.with_overrides(
        {key: Override(value={str(day.year): 2.0 * x for day, x in plan.book.figure(key).values}, because="twice")},
        "test",
    )
    staff = {}
    for scenario in (plan, twice):
        base, case = Case("none", scenario.with_settings("none", network="none")), Case("net", scenario)
        for one in (base, case):
            one.extend(2, 1, Balances(1), 2)
        found = Quantities(case, base)
        y = YEARS.index(2028)
        extra = found.extra_social_domain(y) / plan.book.value("impact.residents_per_fte")
        staff[scenario is twice] = float((found.extra_social_domain_fte(y) - extra).mean())
    assert staff[False] == pytest.approx(plan.book.value("impact.extra_fte_functions"), rel=0.02)
    assert staff[True] == pytest.approx(2.0 * staff[False], rel=0.02)
