"""Scenarios side by side: pairs that share their luck, estimates from known cases, refusals, files, interruption."""

from __future__ import annotations

import json
import os
import signal
import string
import subprocess
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import flowsim
import flowsim.study.compare as study
import flowsim.study.select as select
from flowsim.analysis.comparison import MEASURES, cleared, differences, outcomes
from flowsim.analysis.residents import FATES
from flowsim.analysis.verdict import chance
from flowsim.cli import DONE, INTERRUPTED, UNUSABLE, main
from flowsim.errors import InputError
from flowsim.present.answer import Rows
from flowsim.present.compare import compare_blocks
from flowsim.present.texts import LANGUAGES, text, texts
from flowsim.scenario.flows import DIAGNOSES, KINDS
from flowsim.scenario.load import default
from flowsim.study.answer import Answer
from flowsim.study.compare import INDIFFERENCE, Comparison, compare

EXPERIMENTS = Path(__file__).resolve().parent.parent.parent / "experiments"
NONE = default().with_settings("none", network="none")
HEADS = default().with_settings("heads", reading="headcount")
INDEXED = HEADS.with_settings("indexed", prices="indexed")
"""As `HEADS`, but for the euros: a scenario of its own in which the same things happen."""
FEW = 4


@pytest.fixture(scope="module")
def found() -> Comparison:
    """Few futures of three scenarios, two of which the simulation cannot tell apart; residents followed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(study, "LOGGED", 2)
        return compare([NONE, HEADS, INDEXED], futures=FEW, seed=4, threads=2, follow_residents=True)


def against(found: Comparison, base: str) -> pd.DataFrame:
    """The differences of the same futures, held against another scenario."""
    return differences({name: outcomes(case) for name, case in found.cases.items()}, base)


def test_scenarios_in_which_the_same_happens_differ_by_exactly_nothing(found: Comparison) -> None:
    """Pairs share unknowns and luck: without that, no difference of two simulations is zero."""
    table = against(found, "heads")
    table = table[table["case"] == "indexed"]
    same = table[table["measure"] != "net_effect"]
    assert set(same["measure"]) == set(MEASURES) - {"net_effect"}
    assert (same[["difference", "low", "high"]] == 0.0).all().all()
    assert (same["shown"] == "unclear").all()
    euros = table[(table["measure"] == "net_effect") & (table["year"] == 2029)].iloc[0]
    assert euros["shown"] == "more"
    assert cleared(found.cases, "heads").set_index("case").loc["indexed", "difference"] == 0.0


def test_the_tables_are_the_same_on_one_and_two_threads(found: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "LOGGED", 2)
    again = compare([NONE, HEADS, INDEXED], futures=FEW, seed=4, threads=1, follow_residents=True)
    assert found.tables.keys() == again.tables.keys()
    for name, table in found.tables.items():
        assert table.to_csv() == again.tables[name].to_csv(), name


def test_differences_are_those_of_the_futures(found: Comparison) -> None:
    table = found.tables["differences"].set_index(["case", "measure", "year"])
    row = table.loc[("heads", "overdue", 2027)]
    a, b = (
        np.array([float(f.by_programme[3, :, 1].sum()) for f in found.cases[name].futures])
        for name in ("none", "heads")
    )
    assert row["difference"] == pytest.approx((b - a).mean())
    reach = row["critical"] * (b - a).std(ddof=1) / np.sqrt(FEW)
    assert (row["low"], row["high"]) == pytest.approx((row["difference"] - reach, row["difference"] + reach))
    assert row["variance_reduction"] == pytest.approx((a.var(ddof=1) + b.var(ddof=1)) / (b - a).var(ddof=1))
    assert row["critical"] > 2.6  # Student's quantile for one comparison
    assert table.loc[("heads", "referred", 2026), "shown"] == "less"
    assert table.loc[("heads", "waiting", 2026), "variance_reduction"] > 5.0
    assert table.loc[("heads", "diverted", 2028), "difference"] == pytest.approx(617.35)  # TP 5.2: 65.4 + 455 + 97


def test_every_outcome_has_an_interval(found: Comparison) -> None:
    outcomes = found.tables["outcomes"]
    assert set(outcomes["measure"]) == set(MEASURES)
    assert (outcomes["mean_low"] <= outcomes["mean"]).all()
    assert (outcomes["mean"] <= outcomes["mean_high"]).all()
    assert found.tables["summary"]["futures"].tolist() == [FEW] * 3
    cleared = found.tables["cleared"]
    assert (cleared[["both", "only_case", "only_base", "neither"]].sum(axis=1) == FEW).all()


def many(found: Comparison, count: int = 160) -> Comparison:
    """Many futures without simulating them: those there are, again, with waiting and clearing made to hang on the
    values drawn for growth and giving up, and on luck."""
    luck = np.random.default_rng(3).normal(size=count)
    cases = {}
    for shift, name in enumerate(("none", "heads")):
        case = study.Case(name, found.scenarios[name])
        for i in range(count):
            one, values = found.cases["none"].futures[i % FEW], case.values(i, 4)
            score = 60 * values["assumptions.demand_growth"] - 5 * values["assumptions.reneging_share"]
            day = 900.0 if score + 0.3 * luck[i] + 0.1 * (i % FEW) < 0.1 + 0.35 * shift else np.inf
            lists = one.by_programme + np.uint16(round((20.0 + 15.0 * shift) * (score + 3.0)) + i % (7 + shift))
            case.futures.append(replace(one, cleared=day, by_programme=lists))
            case.drawn.append(values)
        cases[name] = case
    return Comparison({name: found.scenarios[name] for name in cases}, "none", 4, count, cases)


def test_the_probability_is_the_one_that_answer_gives_and_differences_are_of_what_is_shown(found: Comparison) -> None:
    made = many(found)
    tables = made.tables
    summary = tables["summary"].set_index("case")
    for name, case in made.cases.items():
        answered = Answer(made.scenarios[name], 4, 0.03, {name: case}).probability(name)
        assert made.probability(name) == answered
        assert summary.loc[name, ["cleared", "cleared_low", "cleared_high"]].tolist() == [
            answered.value, answered.low, answered.high
        ]  # fmt: skip
        assert answered.value != case.cleared.mean()  # adjusted, so that the test can fail
    row = tables["cleared"].iloc[0]
    assert row["difference"] == pytest.approx(summary.loc["heads", "cleared"] - summary.loc["none", "cleared"])
    assert row["low"] < row["difference"] < row["high"]
    assert row["control_gain"] > 0.5
    means = tables["outcomes"].set_index(["case", "measure", "year"])["mean"]
    for one in tables["differences"].itertuples():
        at = (one.measure, one.year)
        assert one.difference == pytest.approx(means["heads", *at] - means["none", *at], abs=1e-6), at
    used = tables["differences"].set_index(["measure", "year"])
    assert not used.loc[("starts", 2029), "controlled"]  # the same four futures over and over: nothing to explain


def test_verdicts_are_those_of_the_probabilities(found: Comparison) -> None:
    assert list(found.verdicts) == list(found.scenarios)
    for name, code in found.verdicts.items():
        probability = found.probability(name)
        assert code == chance(probability.low, probability.high)


def test_control_variates_shorten_what_hangs_on_the_values_drawn(found: Comparison) -> None:
    made = many(found)
    table = made.tables["outcomes"].set_index(["case", "measure", "year"])
    row = table.loc[("heads", "waiting", 2029)]
    values = np.array([float(f.by_programme[-1, :, 0].sum()) for f in made.cases["heads"].futures])
    plain = 1.975 * values.std(ddof=1) / np.sqrt(len(values))
    gaps = made.tables["differences"].set_index(["measure", "year"]).loc[("waiting", 2029)]
    assert gaps["controlled"]
    assert gaps["control_gain"] > 2.0
    assert row["mean_high"] - row["mean"] < 0.8 * plain
    assert row["mean"] != pytest.approx(values.mean(), abs=1e-6)
    assert abs(row["mean"] - values.mean()) < 2.0 * plain


def test_the_same_residents_win_weeks_where_the_network_frees_places(found: Comparison) -> None:
    table = found.tables["residents"].set_index(["case", "by", "group"])
    everybody = table.loc[("heads", "all", "all")]
    assert everybody["won"] > 1.0
    assert everybody["q95"] > 8.0
    assert everybody["sooner"] > everybody["later"]
    assert everybody["kept_out"] > 0.05
    assert sum(everybody[fate] for fate in FATES) == pytest.approx(1.0)
    assert abs(table.loc[("heads", "need", "smi"), "won"]) < 0.05  # the functions do not touch their programme
    rising = [table.loc[("heads", "year", str(year)), "won"] for year in (2025, 2027, 2029)]
    assert rising == sorted(rising)
    rows = found.tables["residents"]
    towns = rows[(rows["case"] == "heads") & (rows["by"] == "municipality")]["residents"].sum()
    assert towns == pytest.approx(everybody["residents"])


def test_nobody_wins_or_loses_where_the_same_happens(found: Comparison) -> None:
    a, b = found.pairs["heads"][0], found.pairs["indexed"][0]
    assert a.tobytes() == b.tobytes()
    assert np.nanmax(np.abs(a["won"])) > 7.0


def test_another_base_turns_the_differences_round(found: Comparison) -> None:
    there, back = against(found, "none"), against(found, "heads")
    back = back[back["case"] == "none"]
    assert back["difference"].tolist() == (-there[there["case"] == "heads"]["difference"]).tolist()


def test_the_best_is_chosen_on_the_same_futures(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, few in ((study, "FIRST_STAGE", 8), (select, "FIRST_STAGE", 8), (study, "MORE_AT_ONCE", 2)):
        monkeypatch.setattr(module, name, few)
    found = compare([NONE, HEADS], futures=4, seed=4, best="waiting")
    assert found.best is not None
    assert found.best.selection.kept == (1,)
    assert not found.best.largest
    assert found.done == 4  # the tables rest on the futures asked for
    table = found.tables["best"].set_index("case")
    assert table.loc["heads", "kept"]
    assert table.loc["heads", "mean"] < table.loc["none", "mean"]


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"scenarios": [NONE]}, "1 of them; expected two or more"),
        ({"scenarios": "plan"}, "a list of two or more"),
        ({"scenarios": None}, "a list of two or more"),
        ({"scenarios": [NONE, 3]}, "a Scenario, a path"),
        (
            {"scenarios": [HEADS, default().with_settings("b", reading="headcount")]},
            "b and heads are the same scenario",
        ),
        ({"scenarios": [NONE, HEADS], "base": "x"}, "one of none, heads"),
        ({"scenarios": [NONE, HEADS], "futures": 1}, "from 2"),
        ({"scenarios": [NONE, HEADS], "best": "beauty"}, "one of cleared, waiting"),
        ({"scenarios": [NONE, HEADS], "largest": True}, "best beside it"),
        ({"scenarios": [NONE, HEADS], "best": "waiting", "indifference": 0.0}, "a number from 1e-06"),
        ({"scenarios": [NONE, HEADS], "threads": 0}, "threads"),
    ],
)
def test_what_cannot_be_compared_is_refused(arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(InputError, match=match):
        compare(**arguments)


def test_different_regions_are_refused() -> None:
    from dataclasses import replace

    with pytest.raises(InputError, match="different regions"):
        compare([NONE, replace(HEADS, region="elsewhere")])


def test_two_scenarios_of_one_name_get_names_of_their_own() -> None:
    names = list(study.named_scenarios([NONE, HEADS, INDEXED.with_settings("none")]))
    assert names == ["none", "heads", "none_3"]


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ([], "A B [C ...]"),
        (["plan.toml"], "1 of them"),
        (["plan.toml", "reading_net.toml"], "the same scenario"),
        (["plan.toml", "no/such.toml"], "no/such.toml"),
        (["plan.toml", "network.toml"], "a network document"),
        (["plan.toml", "no_network.toml", "--max"], "--best OUTCOME beside it"),
        (["plan.toml", "no_network.toml", "--best", "overdue", "--min", "--max"], "one of the two"),
        (["plan.toml", "no_network.toml", "--futures", "many"], "--futures"),
        (["plan.toml", "no_network.toml", "--lang", "fr"], "'fr'"),
    ],
)
def test_unusable_arguments_write_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], where: str
) -> None:
    network = tmp_path / "network.toml"
    network.write_text('classes = ["a"]\n[[stations]]\nname = "x"\n', encoding="utf-8")
    known = {path.name: str(path) for path in (*EXPERIMENTS.glob("*.toml"), network)}
    out = tmp_path / "deep" / "out"
    assert main(["compare", *(known.get(one, one) for one in arguments), "--out", str(out)]) == UNUSABLE
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 1
    assert where in captured.err
    assert not out.parent.exists()


# ---------------------------------------------------------------- the command


def test_the_command_writes_tables_a_plot_and_a_manifest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(EXPERIMENTS.parent)
    out = tmp_path / "out"
    asked = ["compare", "no_network", "diversion_10", "--futures", "2", "--seed", "9", "--out", str(out), "--json"]
    assert main(asked) == DONE
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    assert [row["case"] for row in document["scenarios"]] == ["no_network", "diversion_10"]
    assert "diverted" not in {row["measure"] for row in document["differences"]}  # a top-down scenario has it not
    tables = ("scenarios", "summary", "outcomes", "cleared", "differences", "fan", "futures")
    expected = {f"{name}.{kind}" for name in tables for kind in ("csv", "parquet")}
    expected |= {"waiting.png", "waiting.svg", "datapackage.json", "manifest.json"}
    assert {file.name for file in out.iterdir()} == expected
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["asked"]["base"] == "no_network"
    assert manifest["asked"]["seed"] == 9
    assert manifest["futures"] == {"no_network": 2, "diversion_10": 2}
    assert set(manifest["scenarios"]) == {"no_network", "diversion_10"}


PROGRAM = """
import sys
import flowsim.present.progress as progress
progress.EVERY = 0.1
from flowsim.cli import main
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send to another process")
def test_an_interruption_keeps_the_futures_that_all_have(tmp_path: Path) -> None:
    out = tmp_path / "out"
    files = [str(EXPERIMENTS / name) for name in ("no_network.toml", "plan.toml")]
    command = [sys.executable, "-c", PROGRAM, "compare", *files, "--futures", "500", "--out", str(out), "--lang", "en"]
    running = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ}, start_new_session=True
    )
    patience = threading.Timer(300.0, running.kill)
    patience.start()
    try:
        assert running.stderr is not None
        for line in running.stderr:
            if line.startswith("plan: ") and int(line.split()[1]) > 1:  # two futures of the last scenario at least
                break
        running.send_signal(signal.SIGINT)
        printed, said = running.communicate()
    finally:
        patience.cancel()
        running.kill()
    assert running.returncode == INTERRUPTED
    assert f"Interrupted. What all scenarios have in common is kept in {out}." in said
    assert "NOTE: the run was interrupted" in printed
    manifest = json.loads((out / "manifest.json").read_text("utf-8"))
    assert manifest["interrupted"] is True
    first, second = manifest["futures"].values()
    assert first == second >= 2


# ---------------------------------------------------------------- the words


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("part", ["compare", "targets"])
def test_both_languages_have_the_same_sentences_with_the_same_gaps(part: str) -> None:
    nl, en = ({k: v for k, v in texts(lang).items() if k.startswith(f"{part}.")} for lang in ("nl", "en"))
    assert nl.keys() == en.keys()
    for key, sentence in nl.items():
        assert fields(sentence) == fields(en[key]), key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_its_words(lang: str) -> None:
    wanted = {f"compare.measure.{name}" for name in (*MEASURES, *INDIFFERENCE)}
    wanted |= {f"compare.need.{need}" for need, _ in KINDS} | {f"compare.diagnosis.{name}" for name in DIAGNOSES}
    assert wanted - set(texts(lang)) == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_holds_every_table(found: Comparison, lang: str) -> None:
    parts = {part.title: part for part in compare_blocks(found, found.tables, lang) if isinstance(part, Rows)}
    for part in parts.values():
        assert all(len(row) == len(part.header) for row in part.rows)
        assert all(cell.strip() for row in part.rows for cell in row)
    assert [row[0] for row in parts[text(lang, "compare.table.summary.title")].rows] == ["none", "heads", "indexed"]
    differences = parts[text(lang, "compare.table.differences.title", base="none")]
    assert {row[1] for row in differences.rows} == {"heads", "indexed"}
    row = found.tables["differences"].set_index(["case", "measure", "year"]).loc[("heads", "waiting", 2029)]
    cell = next(row[-1] for row in differences.rows if row[:2] == (text(lang, "compare.measure.waiting"), "heads"))
    assert cell.startswith(f"{row['difference']:,.0f} (".replace(",", "." if lang == "nl" else ","))
    winners = parts[text(lang, "compare.table.residents.title", case="heads", base="none")]
    assert winners.rows[0][0] == text(lang, "compare.by.all")
    assert any("Amstelveen" in row[0] for row in winners.rows)


def test_the_public_name_is_there() -> None:
    assert flowsim.compare is compare


def test_a_scenario_without_posterior_makes_all_draw_from_the_ranges_and_the_page_says_so() -> None:
    other = default().with_figure("demand.inflow", 4000.0, "a test").with_settings("more_inflow")
    found = compare([NONE, HEADS, other], futures=2, seed=4)
    assert found.prior_for == ("more_inflow",)
    assert {one.settings["unknowns"] for one in found.scenarios.values()} == {"prior"}
    for lang in LANGUAGES:
        head = compare_blocks(found, found.tables, lang)[0]
        assert any("more_inflow" in line and "flowsim answer" in line for line in head.lines)  # type: ignore[union-attr]
    both = {"a": NONE, "b": NONE.with_settings("b", unknowns="prior")}
    assert study._prior_for(both) == ("b",)
    assert study._prior_for({"a": NONE, "b": HEADS}) == ()
