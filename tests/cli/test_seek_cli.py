"""`flowsim seek`, on futures that are made up: what is printed, written, refused, and the exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import Call, refused

import flowsim.study.decision_map as mapping
import flowsim.study.seek as study
from flowsim.cli import DONE, INTERRUPTED, MISSED
from flowsim.present.texts import text, texts

AT = np.random.default_rng(1).logistic(0.25, 0.05, 4000)
"""Made up: from which diversion on each future clears."""


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def simulated(self: study.Bench, number: int, futures: list[int]) -> np.ndarray:
        self.purse.take(len(futures))
        self.overdue.setdefault(number, np.tile(np.arange(11.0), (4000, 1)))
        level = self.level(number) * (1.0 if self.lever.helps >= 0 else -1.0)
        if self.lever.shown in ("volume", "months"):
            level = 0.25 + level / (10.0 * self.lever.high)
        met = AT[futures] + 5.0 * (self.scenario.book.value("assumptions.demand_growth") - 0.01) <= level
        return met.astype(float) if self.goal.probability else 100.0 * (AT[futures] - level) + 20.0

    def run(self: Any, number: int, futures: Any, given: list[dict[str, float]], tell: Any) -> np.ndarray:
        growth = np.array([one.get("assumptions.demand_growth", 0.01) for one in given])
        rng = np.random.default_rng(int(futures[0]))
        return (rng.logistic(0.25 + 5.0 * (growth - 0.01), 0.05) <= self.level(number)).astype(float)

    monkeypatch.setattr(study.Bench, "_simulated", simulated)
    monkeypatch.setattr(mapping._Bench, "run", run)


def test_a_search_is_printed_and_written(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "out"
    code, printed, _ = call("seek", "--target", "P(cleared) >= 0.5", "--budget", 6000, "--out", out)
    assert code == DONE
    assert "Doel: de kans dat de wachtlijsten op tijd zijn weggewerkt is minstens 50%." in printed
    assert "95%-interval: 2" in printed
    assert "GGZ inGeest (ernstige psychische aandoening)" in printed
    files = {file.name for file in out.iterdir()}
    tables = {f"{name}.{kind}" for name in ("found", "points", "held_back") for kind in ("csv", "parquet")}
    assert files == tables | {"datapackage.json", "lever.png", "lever.svg", "manifest.json"}
    row = pd.read_parquet(out / "found.parquet").iloc[0]
    assert row["level_low"] <= 0.25 <= row["level_high"]
    assert row["level_high"] - row["level_low"] <= 2 * 0.6 / 40 + 1e-9
    assert row["precise"]
    assert json.loads((out / "manifest.json").read_text())["asked"]["target"] == "P(cleared) >= 0.5"


def test_a_goal_that_is_not_reached_ends_in_one_with_the_best_there_is(call: Call, tmp_path: Path) -> None:
    code, printed, _ = call("seek", "--lever", "diversion=0:0.1", "--lang", "en", "--out", tmp_path / "out")
    assert code == MISSED
    assert "This is not reached within the range. The best is 10.0%." in printed
    assert "The probability there is" in printed
    code, printed, said = call("seek", "--lever", "diversion=0:0.1", "--json", "--out", tmp_path / "out")
    assert (code, said) == (MISSED, "")
    document = json.loads(printed)
    assert document["reached"] is False
    assert document["found"][0]["state"] == "not_reached"
    assert document["found"][0]["level"] is None


def test_a_goal_that_is_met_at_once_is_said_to_be(call: Call, tmp_path: Path) -> None:
    code, printed, _ = call("seek", "--lever", "diversion=0.5:0.8", "--lang", "en", "--out", tmp_path / "out")
    assert code == DONE
    assert "This is so at 50.0% already, the beginning of the range." in printed


def test_where_less_helps_the_largest_level_is_sought(call: Call, tmp_path: Path) -> None:
    arguments = ("--lever", "start", "--target", "P(cleared) >= 0.42", "--lang", "en", "--out", tmp_path / "out")
    code, printed, _ = call("seek", *arguments)
    assert code == DONE
    assert "The network must start in" in printed
    row = pd.read_parquet(tmp_path / "out" / "found.parquet").iloc[0]
    assert row["helps"] == "less"
    assert row["level_low"] <= row["level"] <= row["level_high"]


def test_readings_and_the_frontier_are_tables_and_figures(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("--target", "P(cleared) >= 0.5", "--lang", "en", "--out", out)
    code, printed, _ = call("seek", "--lever", "conversations", "--readings", *arguments)
    assert code == DONE
    assert len(pd.read_parquet(out / "found.parquet")) == 3
    assert "What does it take, under each reading?" in printed
    code, printed, _ = call("seek", "--lever", "diversion", "--lever", "assumptions.demand_growth", *arguments)
    assert code == DONE
    assert (out / "frontier.png").stat().st_size > 10_000
    found = pd.read_parquet(out / "found.parquet")
    assert len(found) == study.FRONTIER
    assert (found["level"].diff().dropna() >= 0.0).all()  # more growth takes more diversion
    assert "What does it take, at each value of the second?" in printed


def test_a_map_is_drawn_with_its_error_on_held_out_points(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "out"
    arguments = ("--map", "growth", "--map", "patience", "--target", "P(cleared) >= 0.5", "--out", out)
    code, printed, _ = call("seek", *arguments, "--budget", "512")
    assert code == DONE
    assert "punten die niet meededen" in printed
    for name in ("map_growth", "map_patience"):
        assert (out / f"{name}.png").stat().st_size > 10_000
    error = pd.read_parquet(out / "error.parquet")
    assert list(error["factor"]) == ["growth", "patience"]
    assert (error["error"] < 0.06).all()
    held = pd.read_parquet(out / "held_out.parquet")
    assert len(held) == 2 * mapping.POINTS
    assert len(pd.read_parquet(out / "design.parquet")) == 512
    code, printed, said = call("seek", *arguments, "--budget", "256", "--json")
    assert (code, said) == (DONE, "")
    assert json.loads(printed)["map"] == ["growth", "patience"]


def test_an_interruption_keeps_what_was_finished(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = study.Bench._simulated

    def stops(self: study.Bench, number: int, futures: list[int]) -> np.ndarray:
        if max(futures) >= 100:
            raise KeyboardInterrupt
        return before(self, number, futures)

    monkeypatch.setattr(study.Bench, "_simulated", stops)
    out = tmp_path / "out"
    code, printed, said = call("seek", "--target", "P(cleared) >= 0.5", "--lang", "en", "--out", out)
    assert code == INTERRUPTED
    assert "NOTE: the run was interrupted." in printed
    assert f"What was finished is in {out}." in said
    assert pd.read_parquet(out / "found.parquet")["futures"].tolist() == [64]

    def at_once(self: study.Bench, number: int, futures: list[int]) -> np.ndarray:
        raise KeyboardInterrupt

    monkeypatch.setattr(study.Bench, "_simulated", at_once)
    code, printed, said = call("seek", "--lang", "en", "--out", tmp_path / "none")
    assert (code, printed) == (INTERRUPTED, "")
    assert "Nothing was finished yet" in said
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["--target", "P(cleared) > 0.9"], ">= or <="),
        (["--lever", "diversin"], "'diversin'"),
        (["--lever", "diversion=1"], "diversion=0:0.4"),
        (["--map", "grwth"], "'grwth'"),
        (["--map", "growth", "--readings"], "--map beside it"),
        (["--map", "growth", "--half-width", "0.1"], "--map beside it"),
        (["--map", "growth", "--lever", "diversion", "--lever", "places"], "one lever on a map"),
        (["--budget", "few"], "'few'"),
        (["--budget", "10"], "budget"),
        (["--half-width", "-1"], "--half-width:"),
        (["--scenario", "nowhere.toml"], "nowhere.toml"),
        (["a.toml", "--scenario", "b.toml"], "the argument or the option"),
        (["--lang", "fr"], "'fr'"),
        (["--readings"], "readings"),
    ],
)
def test_unusable_arguments_write_nothing(call: Call, tmp_path: Path, arguments: list[str], part: str) -> None:
    out = tmp_path / "deep" / "out"
    refused(call("seek", *arguments, "--out", out), part)
    assert not out.parent.exists()


def test_both_languages_have_every_sentence_with_the_same_names() -> None:
    from string import Formatter

    nl, en = texts("nl"), texts("en")
    keys = [key for key in nl if key.startswith("seek.")]
    assert keys == [key for key in en if key.startswith("seek.")]
    for key in keys:
        used = [{name for _, name, _, _ in Formatter().parse(one[key]) if name} for one in (nl, en)]
        assert used[0] == used[1], key
    assert text("nl", "seek.table.not_reached") == "niet gehaald"


@pytest.mark.parametrize(
    ("words", "short"), [("10,0%", "10%"), ("0.80%", "0.8%"), ("100%", "100%"), ("1.200", "1.200"), ("0,25%", "0,25%")]
)
def test_ticks_lose_zeros_after_the_point_and_no_others(words: str, short: str) -> None:
    from flowsim.present.seek_plot import _short

    assert _short(words) == short
