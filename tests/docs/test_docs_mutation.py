"""The page about planted faults agrees with the verdicts that were kept; each survivor is explained.

The faults are not planted again here: that takes hours (``make mutants``).
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from making import mutation

ROOT = Path(__file__).resolve().parents[2]
PLAN = tomllib.loads((ROOT / "tests" / "mutation" / "plan.toml").read_text(encoding="utf-8"))
EXPLAINED = tomllib.loads((ROOT / "tests" / "mutation" / "survivors.toml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    return mutation.results()


@pytest.fixture(scope="module")
def survivors(told: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in told["mutants"] if one["outcome"] not in ("killed", "timeout")]


def test_enough_faults_are_noticed(told: dict[str, Any], survivors: list[dict[str, Any]]) -> None:
    mutants = told["mutants"]
    assert len({one["name"] for one in mutants}) == len(mutants)
    assert {one["outcome"] for one in mutants} <= {"killed", "timeout", "survived", "untested"}
    drawn = [one for one in mutants if not one["fresh"]]
    share = mutation.share(mutation.sample())
    assert share.value == pytest.approx(1.0 - sum(not one["fresh"] for one in survivors) / len(drawn))
    assert share.value >= mutation.LEAST == 0.85


def test_every_survivor_is_explained(survivors: list[dict[str, Any]]) -> None:
    for one in survivors:
        assert one["kind"] in mutation.KINDS, one["name"]
        assert len(one["why"]) > 20, one["name"]
        assert EXPLAINED[one["name"]] == {"kind": one["kind"], "why": one["why"]}
    assert set(EXPLAINED) == {one["name"] for one in survivors}, (
        "make mutants: explanations of mutants that are noticed"
    )


def test_the_sample_is_that_of_the_plan(told: dict[str, Any]) -> None:
    """Every module has its share, to one mutant, of the number that was asked for."""
    mutants, total = mutation.sample(), sum(told["population"].values())
    assert len(mutation.sample(fresh=True)) == PLAN["fresh"]
    assert told["seed"] == PLAN["seed"]
    assert told["tool"] == PLAN["tool"]
    assert len(mutants) == PLAN["size"]
    for module, number in told["population"].items():
        assert module.startswith(tuple(PLAN["packages"]))
        drawn = sum(one["module"] == module for one in mutants)
        assert abs(drawn - PLAN["size"] * number / total) < 1.0
    assert {one["operator"] for one in mutants} <= set(PLAN["operators"])


def test_the_page_says_what_the_verdicts_say(told: dict[str, Any], survivors: list[dict[str, Any]]) -> None:
    mutants, again = mutation.sample(), mutation.sample(fresh=True)
    page = (ROOT / "docs" / "mutation.md").read_text(encoding="utf-8")
    for part in ("summary", "packages", "operators", "reasons", "survivors", "fresh"):
        assert f"_made/mutation-{part}.md" in page
    late = [one for one in survivors if one["fresh"]]
    early = [one for one in survivors if not one["fresh"]]
    noticed = len(mutants) - len(early)
    summary = mutation.summary()
    assert f"**{noticed} of {len(mutants)} were noticed: {100 * noticed / len(mutants):.1f}%**" in summary
    assert f"{len(early)} survived" in summary
    assert (
        f"**{len(again) - len(late)} of {len(again)} were noticed, {100 - 100 * len(late) / len(again):.1f}%**"
        in summary
    )
    for mine, text in ((early, mutation.survivors()), (late, mutation.fresh_survivors())):
        rows = text.splitlines()[2:]
        assert len(rows) == len(mine)
        for one, row in zip(mine, rows, strict=True):
            assert f"{one['module'].removeprefix('flowsim/')}:{one['line']}" in row
    packages = mutation.packages().splitlines()[2:]
    assert [row.split("|")[1].strip(" `") for row in packages] == PLAN["packages"]
    assert sum(int(row.split("|")[3]) for row in packages) == len(mutants)
    assert sum(int(row.split("|")[4]) for row in packages) == noticed
    assert sum(int(row.split("|")[3]) for row in mutation.reasons().splitlines()[2:]) == len(early)
