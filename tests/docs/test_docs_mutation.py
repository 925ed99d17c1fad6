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


def survivors(*parts: str) -> list[dict[str, Any]]:
    return [one for part in parts for one in mutation.sample(part) if one["outcome"] not in ("killed", "timeout")]


def test_enough_faults_are_noticed_that_no_test_was_written_for(told: dict[str, Any]) -> None:
    mutants = mutation.sample()
    assert {one["outcome"] for one in told["mutants"]} <= {"killed", "timeout", "survived", "untested"}
    share = mutation.share(mutants)
    assert share.value == pytest.approx(1.0 - len(survivors(*mutation.UNSEEN)) / len(mutants))
    assert share.value >= mutation.LEAST == 0.85


def test_no_mutant_is_in_two_samples(told: dict[str, Any]) -> None:
    def like(part: str) -> set[tuple[str, ...]]:
        return {tuple(one[key] for key in ("module", "operator", "before", "after")) for one in mutation.sample(part)}

    assert list(mutation.UNSEEN) == PLAN["told"]
    assert set(mutation.PARTS) == {one["part"] for one in told["mutants"]} == {*PLAN["earlier"], *PLAN["told"]}
    for part in PLAN["told"]:
        assert not like(part) & set().union(*(like(other) for other in mutation.PARTS if other != part))
    for part in mutation.PARTS:
        names = [one["name"] for one in mutation.sample(part)]
        assert len(set(names)) == len(names)


def test_every_survivor_is_explained() -> None:
    every = survivors(*mutation.PARTS)
    for one in every:
        assert one["kind"] in mutation.KINDS, one["name"]
        assert len(one["why"]) > 20, one["name"]
        assert EXPLAINED[f"{one['part']} {one['name']}"] == {"kind": one["kind"], "why": one["why"]}
    assert set(EXPLAINED) == {f"{one['part']} {one['name']}" for one in every}, (
        "make mutants: explanations of mutants that are noticed"
    )


def test_the_sample_is_that_of_the_plan(told: dict[str, Any]) -> None:
    """Every module has its share, to two mutants, of the number that was asked for."""
    total = sum(told["population"].values())
    assert told["seed"] == PLAN["seed"]
    assert told["tool"] == PLAN["tool"]
    for part, size in (PLAN["earlier"] | {part: PLAN["parts"][part] for part in PLAN["told"]}).items():
        assert len(mutation.sample(part)) == size
    for module, number in told["population"].items():
        assert module.startswith(tuple(PLAN["packages"]))
        for part in PLAN["told"]:
            drawn = sum(one["module"] == module for one in mutation.sample(part))
            assert abs(drawn - PLAN["parts"][part] * number / total) < 2.0
    assert {one["operator"] for one in told["mutants"]} <= set(PLAN["operators"])


def test_the_page_says_what_the_verdicts_say(told: dict[str, Any]) -> None:
    mutants, left = mutation.sample(), survivors(*mutation.UNSEEN)
    noticed = len(mutants) - len(left)
    page = (ROOT / "docs" / "mutation.md").read_text(encoding="utf-8")
    for part in ("summary", "samples", "packages", "left-alone", "operators", "reasons", "survivors", "earlier"):
        assert f"_made/mutation-{part}.md" in page
    summary = mutation.summary()
    assert f"**{noticed} of {len(mutants)} were noticed: {100 * noticed / len(mutants):.1f}%**" in summary
    assert f"{len(left)} survived" in summary
    for mine, text in (
        (left, mutation.survivors()),
        (survivors(*(part for part in mutation.PARTS if part not in mutation.UNSEEN)), mutation.earlier()),
    ):
        rows = text.splitlines()[2:]
        assert len(rows) == len(mine)
        for one, row in zip(mine, rows, strict=True):
            assert f"{one['module'].removeprefix('flowsim/')}:{one['line']}" in row
    packages = mutation.packages().splitlines()[2:]
    assert [row.split("|")[1].strip(" `") for row in packages] == PLAN["packages"]
    assert sum(int(row.split("|")[3]) for row in packages) == len(mutants)
    assert sum(int(row.split("|")[4]) for row in packages) == noticed
    assert sum(int(row.split("|")[3]) for row in mutation.reasons().splitlines()[2:]) == len(left)
    for part, row in zip(mutation.PARTS, mutation.samples().splitlines()[2:], strict=True):
        cells = [cell.strip() for cell in row.split("|")[1:4]]
        found = mutation.sample(part)
        assert cells == [part, str(len(found)), str(len(found) - len(survivors(part)))]
    rules = mutation.left_alone().splitlines()[2:]
    assert [int(row.split("|")[2]) for row in rules] == [one["mutants"] for one in told["left_alone"].values()]
