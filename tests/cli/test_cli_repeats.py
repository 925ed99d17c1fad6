"""Repeating a run from its manifest: the same arguments, so the same tables; nothing beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from command_line import Call, refused

import flowsim.study.compare as comparing
import flowsim.study.decision_map as mapping
import flowsim.study.seek as seeking
import flowsim.study.sensitivity as sensing
import flowsim.study.update as updating
from flowsim.analysis.goal import parse
from flowsim.cli import DONE
from flowsim.errors import InputError
from flowsim.scenario.load import load
from flowsim.scenario.options import options
from flowsim.study import again
from flowsim.study.futures import Case
from flowsim.study.levers import lever as read_lever

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
FASTER = load(EXPERIMENTS / "growth_3.toml")


def saved(folder: Path, document: dict[str, Any]) -> Path:
    """A manifest as a file, so that what JSON does to it is seen."""
    file = folder / "manifest.json"
    file.write_text(json.dumps(document, default=str), encoding="utf-8")
    return file


def test_a_comparison_is_repeated_to_the_last_bit(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "LOGGED", 1)
    first, second = tmp_path / "first", tmp_path / "second"
    files = [EXPERIMENTS / "no_network.toml", EXPERIMENTS / "growth_3.toml"]
    base = ["--base", "growth_3", "--residents", "--futures", 3, "--seed", 5]
    code, _, _ = call("compare", *files, *base, "--out", first)
    assert code == DONE
    code, _, said = call("compare", "--from", first, "--out", second, "--threads", "1", "--lang", "en")
    assert code == DONE
    assert "Note:" not in said
    tables = sorted(file.name for file in first.glob("*.csv"))
    assert "residents.csv" in tables
    for name in tables:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name
    then, now = (json.loads((one / "manifest.json").read_text("utf-8")) for one in (first, second))
    assert then["asked"] == now["asked"]


def test_a_selection_is_asked_for_again(tmp_path: Path) -> None:
    scenarios = {"a": FASTER.with_settings("a", network="none"), "b": FASTER}
    cases = {name: Case(name, one) for name, one in scenarios.items()}
    made = comparing.Comparison(scenarios, "b", 3, 7, cases)
    made.best = comparing.Best("overdue", False, 4.5, comparing.Selection((0,), (2, 2), (1.0, 2.0), True))
    wanted = again.compare(saved(tmp_path, comparing.manifest(made, 1.0, None)))
    assert {key: wanted.arguments[key] for key in ("best", "largest", "indifference", "base", "futures", "seed")} == {
        "best": "overdue", "largest": False, "indifference": 4.5, "base": "b", "futures": 7, "seed": 3
    }  # fmt: skip
    assert [one.name for one in wanted.arguments["scenarios"]] == ["a", "b"]
    assert [one.hash for one in wanted.arguments["scenarios"]] == [one.hash for one in scenarios.values()]
    assert wanted.differences == ()


def test_a_search_is_asked_for_again(tmp_path: Path) -> None:
    levers = tuple(read_lever(FASTER, one) for one in ("places=0:0.3", "assumptions.demand_growth=-0.0025:0.02"))
    made = seeking.Seek(FASTER, parse("P(kpi_24) >= 0.5", FASTER.region), levers, 9, 0.01, 4_000, False)
    made.interrupted = True
    wanted = again.seek(saved(tmp_path, seeking.manifest(made, 1.0)))
    asked = dict(wanted.arguments)
    assert asked.pop("scenario").hash == FASTER.hash
    given = asked.pop("lever")
    assert [(one.name, one.low, one.high) for one in (read_lever(FASTER, text) for text in given)] == [
        (one.name, one.low, one.high) for one in levers
    ]
    expected = {"target": made.goal.text, "half_width": 0.01, "budget": 4_000, "seed": 9, "readings": False}
    assert asked == expected
    assert wanted.was_interrupted


def test_a_map_is_asked_for_again(tmp_path: Path) -> None:
    lever = read_lever(FASTER, "diversion=0:0.4")
    factors = mapping._factors(FASTER, ["patience", "list_size"], lever)
    goal = parse("P(cleared) >= 0.5", FASTER.region)
    nothing = mapping.np.empty((0, 3)), mapping.np.empty(0)
    made = mapping.DecisionMap(FASTER, goal, lever, factors, 2, 512, *nothing)
    asked = dict(again.seek(saved(tmp_path, mapping.manifest(made, 1.0))).arguments)
    assert asked.pop("scenario").hash == FASTER.hash
    named = mapping._factors(FASTER, asked.pop("factors"), read_lever(FASTER, asked.pop("lever")))
    assert named == factors
    assert asked == {"target": goal.text, "seed": 2, "futures": 512}


@pytest.mark.parametrize("own", [False, True])
def test_a_study_of_sensitivity_is_asked_for_again(tmp_path: Path, own: bool) -> None:
    base = FASTER.with_settings(FASTER.name, unknowns="prior")
    more = base.with_figure("assumptions.staff_growth", 0.01, "more of them") if own else None
    cases = {name: Case(name, one) for name, one in options(base, more).items()}
    week = sensing._week(base, 70.0)
    made = sensing.Sensitivity(base, 6, 800, week, True, cases)
    wanted = again.sensitivity(saved(tmp_path, sensing.manifest(made, 1.0)))
    asked = dict(wanted.arguments)
    assert asked.pop("scenario").hash == base.hash
    extension = asked.pop("extension")
    assert extension is None if more is None else extension.hash == more.hash
    assert asked == {"budget": 800, "week": 70.0, "savings": True, "seed": 6}
    assert sensing._week(base, asked["week"]) == week
    assert wanted.differences == ()


def test_an_update_is_asked_for_again_with_its_counts(tmp_path: Path) -> None:
    made = updating.prepared(EXPERIMENTS / "observed_made_up.csv", FASTER, 256, 0.1, 8)
    asked = dict(again.update(saved(tmp_path, updating.manifest(made, 1.0))).arguments)
    assert asked.pop("observed") == made.observed
    assert made.observed.made_up
    assert asked.pop("scenario").hash == made.scenario.hash
    assert asked == {"futures": 256, "half_width": 0.1, "seed": 8}


def test_a_crate_of_targets_is_run_again_from_its_manifest(call: Call, tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    call("targets", "--futures", 2, "--seed", 3, "--require", "kpi_24", "--out", first)
    assert call("crate", first)[0] == DONE
    code, printed, _ = call("crate", first, "--again", second, "--json")
    assert code == DONE
    assert json.loads(printed)["same"]
    assert json.loads(printed)["tables"]["targets.parquet"]
    then, now = (json.loads((one / "manifest.json").read_text("utf-8")) for one in (first, second))
    assert then["asked"] == now["asked"] == {"seed": 3, "futures": 2, "half_width": None, "require": ["kpi_24"]}
    assert (first / "targets.csv").read_bytes() == (second / "targets.csv").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["compare", "--from", "x", "a.toml", "b.toml"], "A B [C ...] beside it"),
        (["compare", "--from", "x", "--best", "cleared"], "--best beside it"),
        (["seek", "--from", "x", "--lever", "places"], "--lever beside it"),
        (["seek", "--from", "x", "--seed", "1"], "--seed beside it"),
        (["sensitivity", "--from", "x", "--budget", "2400"], "--budget beside it"),
        (["update", "--from", "x", "counts.csv"], "OBSERVED beside it"),
        (["update", "--from", "x", "--template", "y.csv"], "--from beside it"),
        (["targets", "--from", "x", "--require", "kpi_24"], "--require beside it"),
        (["targets", "--from", "no_such_manifest"], "no_such_manifest"),
    ],
)
def test_nothing_may_stand_beside_a_manifest(call: Call, arguments: list[str], part: str) -> None:
    refused(call(*arguments), part)


@pytest.mark.parametrize("command", ["seek", "sensitivity", "update", "targets", "compare"])
def test_another_manifest_is_one_message(call: Call, tmp_path: Path, command: str) -> None:
    from flowsim.study.answer import Answer, manifest

    file = saved(tmp_path, manifest(Answer(FASTER, 1, 0.03, {}), 1.0))
    refused(call(command, "--from", file, "--out", tmp_path / "out"), str(file), f"as `flowsim {command}` writes it")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("key", "value"),
    [("levers", {"diversion": [0.0]}), ("levers", {"diversion": "all"}), ("budget", "many"), ("levers", {})],
)
def test_a_spoiled_manifest_is_refused(tmp_path: Path, key: str, value: Any) -> None:
    goal = parse("P(cleared) >= 0.5", FASTER.region)
    made = seeking.manifest(seeking.Seek(FASTER, goal, (read_lever(FASTER, "diversion"),), 1, 0.01, 900, False), 1.0)
    made["asked"][key] = value
    with pytest.raises(InputError, match=key):
        again.seek(saved(tmp_path, made))
