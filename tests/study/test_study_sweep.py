"""A sweep: the same bytes however often it is killed, nothing mixed, nothing lost, a bounded memory."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flowsim.analysis.measures import known, measured
from flowsim.analysis.statistics import mean_interval, paired_difference, wilson
from flowsim.errors import InputError
from flowsim.scenario.load import default
from flowsim.study import execute, store
from flowsim.study.execute import Blocks, Runner
from flowsim.study.experiment import load_experiment
from flowsim.study.futures import Balances, Case
from flowsim.study.results import Folder
from flowsim.study.sweep import forecast, seconds_each, sweep

GROWTH = "assumptions.demand_growth"
CONVERSATIONS = "functions.conversations"
TINY: dict[str, Any] = {
    "title": "tiny",
    "futures": 3,
    "block": 4,
    "seed": 5,
    "outcomes": ["cleared", "overdue_2029", "cleared_day"],
    "design": {"kind": "grid"},
    "factors": {GROWTH: {"values": [0.0, 0.02]}, CONVERSATIONS: {"values": [0.5, 2.0], "multiple": True}},
}
PROGRAM = """
import json, sys
from flowsim.study.sweep import sweep
sweep(json.loads(sys.argv[1]), out=sys.argv[2], threads=1)
"""


def files(folder: Path) -> dict[str, bytes]:
    """Everything that must be equal to the last byte: all but the manifest, which says when and where."""
    found = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert found.pop("manifest.json")
    return found


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny sweep, run in one go on two threads."""
    out = tmp_path_factory.mktemp("whole")
    sweep(TINY, out=out, threads=2)
    return out


def test_the_runs_are_the_futures_of_each_point(whole: Path) -> None:
    """Against futures that were run scenario by scenario, each with a network of its own."""
    runs = pd.read_parquet(whole / "runs")
    assert list(runs.columns) == ["point", "future", *TINY["outcomes"]]
    experiment = load_experiment(TINY)
    for number in range(4):
        case = Case("alone", experiment.at(experiment.design.point(number), "alone"))
        case.extend(3, seed=5, balances=Balances(5), threads=1)
        expected = [measured(future, experiment.outcomes, case.definition) for future in case.futures]
        here = runs[runs["point"] == number]
        assert list(here["future"]) == [0, 1, 2]
        np.testing.assert_array_equal(here[TINY["outcomes"]].to_numpy(), np.array(expected))


def test_the_table_of_points_is_tidy_and_has_intervals(whole: Path) -> None:
    table = pd.read_parquet(whole / "points.parquet")
    runs = pd.read_parquet(whole / "runs")
    assert len(table) == 4 * 3
    assert list(table[GROWTH].unique()) == [0.0, 0.02]
    row = table[(table["point"] == 3) & (table["outcome"] == "overdue_2029")].iloc[0]
    expected = mean_interval(runs.loc[runs["point"] == 3, "overdue_2029"].to_numpy())
    assert (row["mean"], row["low"], row["high"], row["n"]) == (expected.value, expected.low, expected.high, 3)
    chance = table[(table["point"] == 1) & (table["outcome"] == "cleared")].iloc[0]
    cleared = runs.loc[runs["point"] == 1, "cleared"]
    assert chance["high"] == wilson(int(cleared.sum()), 3).high
    assert len(pd.read_csv(whole / "points.csv")) == 12


def test_unknowns_and_luck_are_shared_by_points(whole: Path) -> None:
    """More conversations help in every future by itself: the points are paired."""
    runs = pd.read_parquet(whole / "runs").set_index(["point", "future"])["overdue_2029"]
    assert (runs[1] < runs[0]).all()
    assert (runs[3] < runs[2]).all()


@pytest.mark.parametrize("name", ["block-000099.parquet", "block-0.parquet", "copy/block-000000.parquet"])
def test_a_block_from_elsewhere_is_refused(whole: Path, tmp_path: Path, name: str) -> None:
    """It would be read with the others by whoever reads all of ``runs``."""
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    (out / "runs" / name).parent.mkdir(exist_ok=True)
    shutil.copy(out / "runs" / "block-000001.parquet", out / "runs" / name)
    assert len(pd.read_parquet(out / "runs")) > 12
    before = files(out)
    with pytest.raises(InputError) as error:
        sweep(TINY, out=out)
    assert str(error.value) == (
        f"output folder {out}: found runs/{name}, no block of this sweep; "
        "expected nothing but block-000000.parquet to block-000002.parquet: take it away, or another --out"
    )
    assert files(out) == before
    (out / "runs" / name).rename(out / "runs" / ".hidden.parquet")
    assert len(sweep(TINY, out=out)) == 12


def test_an_interval_of_counts_does_not_go_below_nothing() -> None:
    """With few futures Student's interval of a list that is nearly empty reaches far below 0."""
    few = {GROWTH: {"values": [-0.03]}}
    table = sweep({**TINY, "outcomes": ["overdue_2029", "mean_wait_2029"], "futures": 3, "factors": few})
    assert (table["low"] >= 0.0).all()
    assert table["low"].eq(0.0).any()


def test_killed_and_started_again_it_ends_with_the_same_bytes(whole: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = [sys.executable, "-c", PROGRAM, json.dumps(TINY), str(out)]
    running = subprocess.Popen(command, stderr=subprocess.PIPE)
    until = time.monotonic() + 300.0
    try:
        while not (out / "runs" / "block-000000.parquet").exists():
            assert running.poll() is None, running.communicate()[1].decode()
            assert time.monotonic() < until
            time.sleep(0.005)
    finally:
        running.kill()
        running.communicate()
    assert running.returncode == -signal.SIGKILL
    left = {file.name: file.stat().st_mtime_ns for file in (out / "runs").glob("block-*")}
    assert 1 <= len(left) < 3
    (out / "runs" / ".block-000002.parquet.1234.part").write_bytes(b"half a block")
    calls = list[tuple[int, int]]()
    sweep(TINY, out=out, threads=2, progress=lambda done, total: calls.append((done, total)))
    assert calls[0] == (4 * len(left), 12)
    assert calls[-1] == (12, 12)
    assert files(out) == files(whole)
    for name, when in left.items():
        assert (out / "runs" / name).stat().st_mtime_ns == when  # not run again
    sessions = json.loads((out / "manifest.json").read_text("utf-8"))["sessions"]
    assert [session["blocks"] for session in sessions] == [3 - len(left)]


def test_a_block_that_a_disk_spoiled_is_made_again(whole: Path, tmp_path: Path) -> None:
    import shutil

    out = tmp_path / "out"
    shutil.copytree(whole, out)
    (out / "runs" / "block-000001.parquet").write_bytes(b"PAR1 and then nothing")
    (out / "points.csv").unlink()
    sweep(TINY, out=out, threads=1)
    assert files(out) == files(whole)


def test_a_block_with_a_wrong_byte_or_of_another_number_is_made_again(whole: Path, tmp_path: Path) -> None:
    """Read as it stands, it would end the sweep with an error, or give other numbers without one."""
    import shutil

    out = tmp_path / "out"
    shutil.copytree(whole, out)
    folder = Folder(out, load_experiment(TINY))
    block, content = folder.file(1), folder.file(1).read_bytes()
    rows, seen = pd.read_parquet(block), 0
    for at in range(0, len(content), 5):
        block.write_bytes(content[:at] + bytes([content[at] ^ 0xFF]) + content[at + 1 :])
        try:
            there = 1 in folder.begin()
        except InputError:  # the byte was in the name of the sweep that it belongs to
            continue
        if there:  # nothing that is read was in that byte
            pd.testing.assert_frame_equal(pd.read_parquet(block), rows, check_exact=True)
        seen += not there
    assert seen > len(content) / 10
    for spoiled in (content[:20] + b"\xff" + content[21:], folder.file(0).read_bytes()):
        block.write_bytes(spoiled)
        (out / "points.parquet").unlink()
        sweep(TINY, out=out, threads=1)
        assert files(out) == files(whole)


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"seed": 6}, "experiment.seed was 5, is 6"),
        ({"block": 6}, "experiment.block was 4, is 6"),
        ({"outcomes": ["cleared"]}, "experiment.outcomes"),
        ({"factors": {GROWTH: {"values": [0.0, 0.03]}}}, f"experiment.factors.{GROWTH}.values was [0.0, 0.02], is"),
    ],
)
def test_another_experiment_does_not_mix(whole: Path, change: dict[str, Any], what: str) -> None:
    before = files(whole)
    with pytest.raises(InputError, match="do not mix") as refused:
        sweep({**TINY, **change}, out=whole)
    assert what in str(refused.value)
    assert files(whole) == before


def test_another_figure_scenario_or_code_does_not_mix(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = tmp_path / "other.toml"
    scenario.write_text(
        'title = "another"\n[settings]\nfreed_place = "heavier"\n'
        '[figures."assumptions.gp_turnaround"]\nvalue = 1.25\nbecause = "to see it named"\n'
    )
    with pytest.raises(InputError) as refused:
        sweep({**TINY, "scenario": str(scenario)}, out=whole)
    assert "scenario.settings.freed_place was next, is heavier" in str(refused.value)
    assert "scenario.figures.assumptions.gp_turnaround.value was" in str(refused.value)
    assert "is 1.25" in str(refused.value)
    made = store.provenance()
    monkeypatch.setattr(store, "provenance", lambda: {**made, "sources": "0123456789abcdef"})
    with pytest.raises(InputError, match=r"flowsim.sources was \w+, is 0123456789abcdef; expected what made them"):
        sweep(TINY, out=whole)


def test_numpy_and_tuples_in_a_mapping_are_as_in_a_file(whole: Path, tmp_path: Path) -> None:
    factors = {
        GROWTH: {"values": np.array([0.0, 0.02])},
        CONVERSATIONS: {"values": (np.float64(0.5), np.int64(2)), "multiple": np.bool_(True)},
    }
    outcomes = tuple(TINY["outcomes"])
    given = {**TINY, "futures": np.int64(3), "block": np.int32(4), "outcomes": outcomes, "factors": factors}
    assert load_experiment(given).content == load_experiment(TINY).content


def test_a_title_may_change(whole: Path) -> None:
    before = files(whole)
    sweep({**TINY, "title": "a better title", "asks": "more"}, out=whole)
    assert files(whole) == before


def test_folders_of_other_things_are_left_alone(whole: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"kind": "answer"}', encoding="utf-8")
    with pytest.raises(InputError, match="no manifest of a sweep"):
        sweep(TINY, out=tmp_path)
    (tmp_path / "manifest.json").unlink()
    (tmp_path / "points.csv").write_text("of somebody else", encoding="utf-8")
    with pytest.raises(InputError, match="without manifest"):
        sweep(TINY, out=tmp_path)
    (tmp_path / "points.csv").unlink()
    (tmp_path / "runs").mkdir()
    for name in ("manifest.json", "runs/block-000000.parquet"):
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    strange = pd.read_parquet(whole / "runs" / "block-000001.parquet")
    strange.to_parquet(tmp_path / "runs" / "block-000001.parquet")
    with pytest.raises(InputError, match="another sweep"):
        sweep(TINY, out=tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="no flock")
def test_one_sweep_at_a_time_in_a_folder(tmp_path: Path) -> None:
    with store.locked(tmp_path), pytest.raises(InputError, match="is running in it"):
        sweep(TINY, out=tmp_path)


@pytest.mark.skipif(sys.platform == "win32", reason="limits on the size of files are a POSIX thing")
def test_a_full_disk_keeps_what_was_finished(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import resource

    experiment = load_experiment(TINY)
    written = Folder.write

    def write_on_a_full_disk(self: Folder, block: Any, columns: Any) -> None:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        if block.number == 1:
            resource.setrlimit(resource.RLIMIT_FSIZE, (512, before[1]))  # the largest file that can be written
        try:
            written(self, block, columns)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    with monkeypatch.context() as patch:
        patch.setattr(Folder, "write", write_on_a_full_disk)
        with pytest.raises(InputError, match="blocks that were finished are kept") as refused:
            sweep(experiment, out=tmp_path, threads=1)
    assert str(tmp_path) in str(refused.value)
    assert [file.name for file in (tmp_path / "runs").iterdir()] == ["block-000000.parquet"]
    sweep(experiment, out=tmp_path, threads=1)
    assert files(tmp_path) == files(whole)


def test_an_interruption_keeps_what_was_finished(whole: Path, tmp_path: Path) -> None:
    def interrupt(done: int, _: int) -> None:
        if done >= 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(TINY, out=tmp_path, threads=1, progress=interrupt)
    assert [file.name for file in (tmp_path / "runs").iterdir()] == ["block-000000.parquet"]
    assert not (tmp_path / "points.parquet").exists()


def test_precision_is_reached_or_the_most_is_spent(tmp_path: Path) -> None:
    document = {key: value for key, value in TINY.items() if key not in ("futures", "factors")}
    asked = {"half_width": 25.0, "least": 4, "most": 8, "outcomes": ["overdue_2029"], "block": 1}
    factors = {GROWTH: {"values": [-0.01, 0.03]}}
    table = sweep({**document, **asked, "factors": factors}, out=tmp_path, threads=2).set_index("point")
    assert set(table["futures"]) <= {4, 8}
    assert ((table["futures"] == 8) | ((table["high"] - table["low"]) / 2 <= 25.0)).all()
    assert len(list((tmp_path / "runs").iterdir())) == 2


def test_one_at_a_time_differs_from_the_base_in_pairs(tmp_path: Path) -> None:
    document = {**TINY, "design": {"kind": "one_at_a_time"}, "outcomes": ["overdue_2029"]}
    document["factors"] = {CONVERSATIONS: {"values": [0.0, 1.0], "multiple": True}}
    table = sweep(document, out=tmp_path, threads=2).set_index("point")
    runs = pd.read_parquet(tmp_path / "runs").set_index(["point", "future"])["overdue_2029"]
    expected = paired_difference(runs[0].to_numpy(), runs[1].to_numpy())
    assert list(table[CONVERSATIONS]) == [1.0, 0.0]
    assert table.loc[0, "difference"] == 0.0
    found = tuple(table.loc[1, ["difference", "difference_low", "difference_high"]])
    assert found == (expected.value, expected.low, expected.high)


def test_points_that_share_a_network_equal_points_with_networks_of_their_own() -> None:
    """Unknowns as factors, also at 0, where what there is can differ."""
    values = {
        "assumptions.reneging_share": [0.0, 0.2],
        "assumptions.staff_growth": [-0.02, 0.01],
        "assumptions.would_have_entered": [0.5, 1.0],
    }
    document = {**TINY, "futures": 1, "factors": {key: {"values": levels} for key, levels in values.items()}}
    experiment = load_experiment(document)
    runner = Runner(experiment)
    for number in range(len(experiment.design)):
        point = experiment.design.point(number)
        case = Case("alone", experiment.at(point, "alone"))
        case.extend(1, seed=5, balances=Balances(5), threads=1)
        expected = measured(case.futures[0], experiment.outcomes, case.definition)
        np.testing.assert_array_equal(runner.rows([(number, 0)], {number: point}, 1)[0], expected)
    assert len(runner.cases) == 2


def test_unknowns_can_be_fixed() -> None:
    document = {**TINY, "unknowns": "fixed", "outcomes": ["waiting_start"], "factors": {GROWTH: {"values": [0.01]}}}
    drawn = sweep({**document, "unknowns": "drawn"})
    fixed = sweep(document)
    assert fixed["q05"][0] == fixed["q95"][0] == pytest.approx(default().book.value("assumptions.list_size"), abs=5)
    assert drawn["q05"][0] < drawn["q95"][0]


def test_memory_does_not_grow_with_the_number_of_points(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A million points: blocks are made as they are run, one is in memory, and what is kept at hand is bounded."""
    factors = {
        GROWTH: {"low": 0.0, "high": 0.02},
        "assumptions.worsening": {"posterior": True},
        CONVERSATIONS: {"low": 0.5, "high": 2.0, "multiple": True},
    }
    document = {**TINY, "futures": 1, "block": 2, "design": {"kind": "sobol", "points": 2**20}, "factors": factors}
    experiment = load_experiment(document)
    blocks = Blocks(experiment)
    taken = list[int]()

    def source() -> Iterator[execute.Block]:
        for block in blocks:
            taken.append(block.number)
            yield block

    monkeypatch.setattr(execute, "CASES", 3)
    monkeypatch.setattr(execute, "BALANCES", 3)
    runners = list[Runner]()
    monkeypatch.setattr(execute, "Runner", lambda given: runners.append(Runner(given)) or runners[0])
    results = execute.on_threads(experiment, source(), 2, lambda *_: None)
    for number in range(5):
        _, columns = next(results)
        assert taken == list(range(number + 1))
        assert list(columns["point"]) == [2 * number, 2 * number + 1]
        assert len(runners[0].cases) <= 3
        assert len(runners[0].balances.known) <= 3 + 2
    assert len(blocks) == 2**19
    assert blocks[2**19 - 1].last == 2**20


def test_a_point_that_cannot_be_is_named(tmp_path: Path) -> None:
    """Each value can be by itself; together the shares of two groups leave nothing for the others."""
    factors = {f"assumptions.{name}_share": {"values": [0.1, 0.6]} for name in ("personality", "trauma")}
    with pytest.raises(InputError) as refused:
        sweep({**TINY, "futures": 1, "block": 1, "factors": factors}, out=tmp_path)
    assert "point 3 of experiment (assumptions.personality_share = 0.6, assumptions.trauma_share = 0.6)" in str(
        refused.value
    )
    assert len(list((tmp_path / "runs").iterdir())) == 3


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ({"threads": 0}, "threads"),
        ({"workers": 0}, "workers"),
        ({"workers": 1.5}, "workers"),
        ({"scheduler": "10.0.0.1:8786"}, "scheduler"),
        ({"scheduler": "tcp://127.0.0.1:1", "workers": 2}, "scheduler: found workers beside it"),
        ({"threads": 2, "workers": 2}, "workers: found threads beside it"),
    ],
)
def test_impossible_arguments_are_refused(tmp_path: Path, arguments: dict[str, Any], where: str) -> None:
    with pytest.raises(InputError) as refused:
        sweep(TINY, out=tmp_path / "out", **arguments)
    assert str(refused.value).startswith(where)
    assert not (tmp_path / "out").exists()


def test_a_forecast_counts_what_is_left(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowsim.study.sweep.seconds_each", lambda *_: 0.5)
    new = forecast(load_experiment(TINY), tmp_path, threads=1)
    assert (new.points, new.blocks, new.blocks_done, new.replications) == (4, 3, 0, (12, 12))
    assert new.seconds == (6.0, 6.0)
    done = forecast(load_experiment(TINY), whole)
    assert (done.blocks_done, done.replications) == (3, (0, 0))
    precise = {key: value for key, value in TINY.items() if key != "futures"} | {"half_width": 0.1, "most": 100}
    assert forecast(load_experiment(precise), None, workers=4).seconds == (4 * 64 * 0.125, 4 * 100 * 0.125)
    assert not list(tmp_path.iterdir())


def test_a_forecast_refuses_a_place_that_the_sweep_would_refuse(tmp_path: Path) -> None:
    place = tmp_path / "out"
    place.write_text("a file", encoding="utf-8")
    with pytest.raises(InputError, match=r"output folder .*out: found a file; expected a folder"):
        forecast(load_experiment(TINY), place)


def test_a_forecast_shares_a_network_out_over_the_futures_of_its_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock on which the first look at the region takes 1,000 seconds, a new network 10 and a replication 1."""
    now, seen = [0.0], set[int]()

    class Machine:
        def __init__(self, experiment: Any) -> None: ...

        def rows(self, runs: list[tuple[int, int]], points: Any, threads: int, progress: None) -> None:
            assert set(points) == {number for number, _ in runs}
            now[0] += 0.0 if seen else 1000.0
            for number, _ in runs:
                now[0] += 1.0 if number in seen else 11.0
                seen.add(number)

    monkeypatch.setattr("flowsim.study.sweep.warm_up", lambda: None)
    monkeypatch.setattr("flowsim.study.sweep.Runner", Machine)
    monkeypatch.setattr("flowsim.study.sweep.time", SimpleNamespace(monotonic=lambda: now[0]))
    many = {"factors": {GROWTH: {"low": 0.0, "high": 0.03, "steps": 101}}}
    for futures, each in ((100, 1.1), (2, 6.0), (1, 11.0)):
        seen.clear()
        assert seconds_each(load_experiment({**TINY, **many, "futures": futures}), 2) == pytest.approx(each)


def test_every_measure_exists(whole: Path) -> None:
    experiment = load_experiment(
        {**TINY, "futures": 1, "factors": {GROWTH: {"values": [0.0]}}, "outcomes": list(known())}
    )
    row = Runner(experiment).rows([(0, 0)], {0: experiment.design.point(0)}, 1)[0]
    made = dict(zip(experiment.outcomes, row, strict=True))
    assert made["conversations_2028"] == pytest.approx(650, abs=1)
    assert made["waiting_start"] > made["overdue_start"] > 0.0
    assert made["mean_wait_2025"] < made["wait_90_2025"]
