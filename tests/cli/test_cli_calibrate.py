"""`flowsim calibrate` as a person and a program use it."""

from __future__ import annotations

import json
import string
from pathlib import Path

import pytest
from command_line import Call, refused

from flowsim.cli import DONE, INTERRUPTED
from flowsim.plan.observed import load_observed
from flowsim.present import calibrate as present
from flowsim.present.texts import texts
from flowsim.present.wording import unknown_name
from flowsim.scenario import posterior as shipped
from flowsim.scenario.baseline import GROUPS
from flowsim.scenario.load import default
from flowsim.study import posterior as study
from flowsim.study.posterior import Calibrated, calibrated

TABLES = ("unknowns", "targets", "lists", "pairs", "sensitivity", "waves")


@pytest.fixture(scope="module")
def found() -> Calibrated:
    return calibrated(points=256, seed=2)


@pytest.fixture
def quick(found: Calibrated, monkeypatch: pytest.MonkeyPatch) -> None:
    """The command with a calibration that is done already."""
    monkeypatch.setattr(study, "calibrated", lambda *_: found)


@pytest.mark.usefixtures("quick")
def test_it_prints_and_writes_all_of_it(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "made"
    code, printed, _ = call("calibrate", "--points", 256, "--seed", 2, "--out", out, "--lang", "en")
    assert code == DONE
    assert printed.startswith("The plan as it stands. What do we know of the unknowns in Amstelland")
    assert f"Posterior, tables and plots are in {out}" in printed.replace("\n", "")
    made = {path.name for path in out.iterdir()}
    assert {f"{name}.{kind}" for name in TABLES for kind in ("csv", "parquet")} <= made
    assert {f"{name}.{kind}" for name in ("unknowns", "targets") for kind in ("png", "svg")} <= made
    assert shipped.load(out, "amstelland").points.shape[0] == study.KEPT
    manifest = json.loads((out / shipped.MANIFEST).read_text())
    assert manifest["asked"] == {"points": 256, "seed": 2}


@pytest.mark.usefixtures("quick")
def test_json_for_programs(call: Call, tmp_path: Path) -> None:
    code, printed, error = call("calibrate", "--json", "--out", tmp_path)
    assert (code, error) == (DONE, "")
    content = json.loads(printed)
    assert set(TABLES) <= set(content)
    assert content["points"] == 256
    assert len(content["unknowns"]) == 19


def test_what_cannot_be_used_is_refused_before_anything_runs(call: Call, tmp_path: Path) -> None:
    out = tmp_path / "made"
    refused(call("calibrate", "--points", 10, "--out", out), "points: found 10", "from 256")
    refused(call("calibrate", "--points", "many", "--out", out), "many")
    refused(call("calibrate", "--seed", -1, "--out", out), "seed: found -1")
    refused(call("calibrate", "--lang", "fr", "--out", out), "--lang: found 'fr'; expected one of nl, en")
    refused(call("calibrate", tmp_path / "none.toml", "--out", out), "none.toml")
    (tmp_path / "file").write_text("x")
    refused(
        call("calibrate", "--points", 256, "--out", tmp_path / "file"), f"--out {tmp_path / 'file'}: found File exists"
    )
    assert not out.exists()


def test_interrupted_too_soon_leaves_nothing(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(study, "calibrated", stop)
    out = tmp_path / "made"
    code, printed, error = call("calibrate", "--out", out)
    assert (code, printed) == (INTERRUPTED, "")
    assert "niets geschreven" in error
    assert not out.exists()


def test_both_languages_say_the_same_with_a_word_for_everything(found: Calibrated) -> None:
    def fields(sentence: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}

    nl, en = ({k: v for k, v in texts(lang).items() if k.startswith("calibrate.")} for lang in ("nl", "en"))
    assert nl.keys() == en.keys()
    assert all(fields(sentence) == fields(en[key]) for key, sentence in nl.items())
    observed = load_observed("amstelland", default().book)
    wanted = {f"calibrate.target.{one.name}" for one in observed.targets}
    wanted |= {f"calibrate.group.{group}" for group in ("all", *GROUPS)}
    assert wanted <= nl.keys()
    for lang in ("nl", "en"):
        assert all(unknown_name(lang, key) != key for key in found.library.prior.names)
        parts = present.blocks(found, found.tables, lang)
        assert all(
            len(row) == len(part.header) for part in parts if isinstance(part, present.Rows) for row in part.rows
        )


def test_an_interrupted_one_says_so(found: Calibrated) -> None:
    from dataclasses import replace

    half = replace(found, interrupted=True)
    (first, *_) = present.blocks(half, found.tables, "en")
    assert isinstance(first, present.Paragraph)
    assert any("interrupted" in line for line in first.lines)
