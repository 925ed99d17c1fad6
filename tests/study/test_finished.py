"""An answer read back from its folder: the same tables and probabilities; what is broken is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

import flowsim.study.answer as study
from flowsim.analysis.statistics import Estimate
from flowsim.errors import InputError
from flowsim.scenario.load import default
from flowsim.study import store
from flowsim.study.answer import Answer
from flowsim.study.finished import NEEDED, read


@pytest.fixture(scope="module")
def simulated() -> Answer:
    """Twelve futures without a network."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("LEAST", "BATCH", "SECOND_RUNS", "CALIBRATION"):
            patch.setattr(study, name, 12)
        return study.answer(default().with_settings("none", network="none"), 0.3, seed=4, curve=False, most=12)


@pytest.fixture
def folder(simulated: Answer, tmp_path: Path) -> Path:
    store.write_tables(tmp_path, simulated.tables)
    store.write_json(tmp_path / "manifest.json", study.manifest(simulated, 1.0))
    return tmp_path


def test_an_answer_is_read_back_as_it_was(simulated: Answer, folder: Path) -> None:
    found, asked = read(folder)
    assert asked.differences == ()
    assert found.scenario.hash == simulated.scenario.hash
    assert (found.seed, found.half_width, list(found.cases)) == (4, 0.3, ["none"])
    assert found.probability("none") == simulated.probability("none")
    before = simulated.tables
    for name in NEEDED:
        pd.testing.assert_frame_equal(found.tables[name], before[name], check_dtype=False, check_column_type=False)
    assert found.calibration is not None


@pytest.mark.parametrize("told", [True, False])
def test_points_of_the_curve_keep_their_number_of_futures(simulated: Answer, tmp_path: Path, told: bool) -> None:
    """Their intervals are adjusted, so that they do not tell it; manifests from before 0.12 do not either."""
    first = (0.0, simulated.probability("none"))
    drawn = [(0.15, Estimate(0.062, 0.02, 0.16, 48)), (0.3, Estimate(0.709, 0.6, 0.8, 48))]
    made = replace(simulated, curve=[first, *drawn])
    store.write_tables(tmp_path, made.tables)
    manifest = study.manifest(made, 1.0)
    store.write_json(tmp_path / "manifest.json", manifest if told else {**manifest, "curve": []})
    found, _ = read(tmp_path)
    assert [(share, one.n) for share, one in found.curve] == [(0.0, 12), (0.15, 48), (0.3, 48)]
    store.write_json(tmp_path / "manifest.json", {**manifest, "curve": [0.0, 12]})
    with pytest.raises(InputError, match="curve: found"):
        read(tmp_path)


def rewritten(name: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        file = folder / f"{name}.parquet"
        change(pd.read_parquet(file)).to_parquet(file, index=False)

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda folder: (folder / "fan.parquet").unlink(), "fan.parquet: found no such file"),
        (lambda folder: (folder / "fan.parquet").write_bytes(b"PAR1"), "fan.parquet: found a table that cannot"),
        (lambda folder: (folder / "manifest.json").write_text("{}"), "manifest.json: asked"),
        (rewritten("years", lambda t: t.drop(columns="mean")), "years.parquet: found no column 'mean'"),
        (rewritten("summary", lambda t: t.iloc[:0]), "summary.parquet: found no rows"),
        (rewritten("summary", lambda t: t.assign(case="../x")), "found the case '../x'"),
        (rewritten("fan", lambda t: t.assign(case="net")), "fan.parquet: found other cases"),
        (shutil.rmtree, "found no folder"),
    ],
)
def test_a_broken_folder_is_refused(folder: Path, spoil: Callable[[Path], None], said: str) -> None:
    spoil(folder)
    with pytest.raises(InputError) as refusal:
        read(folder)
    assert said in str(refusal.value)


def test_a_change_of_any_file_is_another_flowsim(tmp_path: Path) -> None:
    package = Path(store.__file__).parents[1]
    assert store.sources_hash() == store.hash_of(package)
    kinds = {file.suffix for file in package.rglob("*") if file.is_file() and "__pycache__" not in file.parts}
    assert {".py", ".toml", ".typ", ".css", ".parquet"} <= kinds
    before = store.hash_of(tmp_path)
    for name in ("code.py", "figures.toml", "report.typ", "style.css", "posterior.parquet", "below/other"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(b"one")
        one = store.hash_of(tmp_path)
        file.write_bytes(b"two")
        assert len({before, one, store.hash_of(tmp_path)}) == 3, name
        before = store.hash_of(tmp_path)
    for name in ("code.pyc", ".hidden", "__pycache__/x"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"one")
    assert store.hash_of(tmp_path) == before


def test_tables_of_the_run_before_do_not_stay_in_its_folder(tmp_path: Path) -> None:
    """They would pass for tables of this run; what is not in the list of tables is left alone."""
    one = pd.DataFrame({"share": [0.1]})
    (tmp_path / "notes.csv").write_text("mine\n", encoding="utf-8")
    for tables in ({"summary": one, "curve": one}, {"summary": one}):
        with store.all_or_nothing(tmp_path) as work:
            store.write_tables(work, tables)
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "datapackage.json", "notes.csv", "summary.csv", "summary.parquet",
    ]  # fmt: skip
