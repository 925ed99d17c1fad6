"""``flowsim run --log --animate --start``: what is written, what is refused."""

from __future__ import annotations

import gzip
import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pandas as pd
import pytest
from command_line import Call, refused

from flowsim.cli import DONE, INTERRUPTED


def test_one_run_writes_every_format(call: Call, file: Path, tmp_path: Path) -> None:
    logs = [tmp_path / f"log.{kind}" for kind in ("xes", "xes.gz", "csv", "parquet")]
    options = [part for log in logs for part in ("--log", log)]
    code, _, error = call("run", file, *options, "--start", "2025-01-01", "--replications", 2, "--seed", 3)
    assert code == DONE
    assert error == "".join(f"Written: {log}\n" for log in logs)
    events = pd.read_parquet(logs[3])
    rows = pd.read_csv(logs[2])
    assert len(rows) == len(events)
    assert rows["resident"].tolist() == events["resident"].tolist()
    count = sum(1 for one in ET.parse(logs[0]).iter() if one.tag.endswith("}event"))
    assert count == len(events)
    assert gzip.decompress(logs[1].read_bytes()) == logs[0].read_bytes()
    before = {log: log.read_bytes() for log in logs}
    call("run", file, *options, "--start", "2025-01-01", "--replications", 2, "--seed", 3, "--threads", 1)
    assert {log: log.read_bytes() for log in logs} == before


def test_logs_beside_the_tables_are_described_with_them(call: Call, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ["--log", out / "log.csv", "--log", out / "log.parquet", "--log", tmp_path / "elsewhere.csv"]
    assert call("run", file, "--out", out, *options, "--start", "2025-01-01", "--replications", 1)[0] == DONE
    described = json.loads((out / "datapackage.json").read_text("utf-8"))["resources"]
    by_path = {one["path"]: one["schema"]["fields"] for one in described}
    assert "elsewhere.csv" not in by_path
    assert [field["name"] for field in by_path["log.csv"]] == list(pd.read_csv(out / "log.csv").columns)
    assert [field["name"] for field in by_path["log.parquet"]] == list(pd.read_parquet(out / "log.parquet").columns)
    assert all(field["description"] for fields in by_path.values() for field in fields)
    assert len({one["name"] for one in described}) == len(described)


def test_a_log_without_a_name_has_its_usual_one(
    call: Call, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call("run", file, "--log", "--replications", 1)[0] == DONE
    assert call("run", file, "--replications", 1, "--out", tmp_path / "out", "--log")[0] == DONE
    assert (tmp_path / "events.parquet").read_bytes() == (tmp_path / "out" / "events.parquet").read_bytes()
    resources = json.loads((tmp_path / "out" / "datapackage.json").read_text("utf-8"))["resources"]
    assert "events.parquet" in {one["path"] for one in resources}
    refused(call("run", file, "--log", "--log", "--replications", 1), "--log", "events.parquet twice")


def test_a_network_in_motion(call: Call, file: Path, tmp_path: Path) -> None:
    page = tmp_path / "queues.html"
    code, _, _ = call("run", file, "--animate", page, "--start", "2025-01-01", "--replications", 1, "--lang", "nl")
    assert code == DONE
    assert "Krijgt hulp" in page.read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--log", "log.xes"], ["--log log.xes", "--start YYYY-MM-DD"]),
        (["--animate", "a.html"], ["--animate", "--start YYYY-MM-DD"]),
        (["--animate", "a.gif", "--start", "2025-01-01"], ["--animate", "'.gif'", ".html"]),
        (["--log", "log.csv", "--start", "1 January"], ["--start", "'1 January'", "2025-01-01"]),
        (["--log", "log.csv", "--log", "log.csv"], ["--log", "log.csv twice"]),
        (
            ["--out", "o", "--log", "o/stations.csv", "--start", "2025-01-01"],
            ["--log", "o/stations.csv", "another name"],
        ),
        (["--log", "log.gz"], ["--log", "'.gz'", ".xes.gz"]),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_run(
    call: Call, file: Path, tmp_path: Path, options: list[str], parts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("flowsim.study.replicate.replicate", lambda *_: pytest.fail("it began to run"))
    refused(call("run", file, *options), *parts)
    assert list(tmp_path.iterdir()) == [file]


def test_a_scenario_has_a_date_of_its_own(call: Call, tmp_path: Path) -> None:
    scenario = tmp_path / "plan.toml"
    scenario.write_text('title = "The plan"\n', encoding="utf-8")
    refused(call("run", scenario, "--start", "2025-01-01", "--log", tmp_path / "a.csv"), "--start", "beside a scenario")


def test_an_interrupted_run_keeps_whole_logs(
    call: Call, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from flowsim.study import replicate as module

    whole = module.replicate

    def stopped(*arguments: object) -> object:
        for number, one in enumerate(whole(*arguments)):  # type: ignore[arg-type]
            if number == 2:
                raise KeyboardInterrupt
            yield one

    monkeypatch.setattr(module, "replicate", stopped)
    log = tmp_path / "log.xes"
    code, _, _ = call("run", file, "--log", log, "--start", "2025-01-01", "--replications", 5)
    assert code == INTERRUPTED
    numbers = {one.get("value") for one in ET.parse(log).iter() if one.get("key") == "replication"}
    assert numbers == {"0", "1"}
