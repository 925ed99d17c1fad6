"""What each command prints and writes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import pandas as pd
import pytest
from command_line import NETWORK, Call, refused

import flowsim
from flowsim.cli import DONE, UNUSABLE
from flowsim.model.network import read_toml
from flowsim.study.store import provenance

FILES = ["datapackage.json", "manifest.json", "periods.csv", "stations.csv", "summary.csv", "waiting.csv"]


# ---------------------------------------------------------------- help and version


def test_help_lists_the_commands_there_are(call: Call) -> None:
    code, out, _ = call("--help")
    assert code == DONE
    listed = re.findall(r"^  (\w+) ", out.partition("Commands:")[2], re.M)
    assert {"plan", "run", "check", "schema"} <= set(listed)
    for command in listed:
        code, out, _ = call(command, "--help")
        assert code == DONE
        assert "--help" in out
    assert call() == call("--help")


def test_version(call: Call) -> None:
    assert call("--version") == (DONE, f"flowsim {flowsim.__version__}\n", "")


def test_help_loads_nothing_heavy() -> None:
    heavy = {"numpy", "numba", "pandas", "scipy", "matplotlib", "simpy", "pydantic", "rich", "pyarrow"}
    code = f"import sys\nfrom flowsim.cli import main\nmain(['--help'])\nassert not {heavy!r} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_a_run_that_writes_nothing_loads_no_tables(tmp_path: Path) -> None:
    heavy = {"pandas", "matplotlib", "simpy", "scipy.stats"}
    file = tmp_path / "desk.toml"
    file.write_text(
        'horizon = 9.0\nclasses = ["a"]\n[[stations]]\nname = "desk"\nservers = 1\n'
        'service = {distribution = "exponential", mean = 1.0}\n'
        '[[arrivals]]\nclass = "a"\nstation = "desk"\nrate = 0.5\n',
        encoding="utf-8",
    )
    order = ["run", str(file), "--replications", "2"]
    code = f"import sys\nfrom flowsim.cli import main\nmain({order!r})\nassert not {heavy!r} & set(sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "desk" in done.stdout


# ---------------------------------------------------------------- plan


def test_plan_in_every_form(call: Call) -> None:
    code, out, error = call("plan")
    assert (code, error) == (DONE, "")
    assert out.startswith("De tabellen van het transformatieplan")
    assert call("plan", "--lang", "en")[1].startswith("The tables of the transformation plan")
    document = json.loads(call("plan", "--json")[1])
    assert document == json.loads(call("plan", "--format", "json", "--region", "amstelland")[1])
    assert len(document["checks"]) == sum(document["counts"].values()) > 500
    assert len(call("plan", "--format", "csv")[1].splitlines()) == 1 + len(document["checks"])


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--lang", "fr"], ["'fr'", "nl, en"]),
        (["--format", "xml"], ["'xml'", "text, json, csv"]),
        (["--region", "mars"], ["mars", "amstelland"]),
        (["--region", "/nowhere/at/all"], ["/nowhere/at/all", "a directory"]),
        (["--json", "--format", "csv"], ["--json", "--format csv"]),
    ],
)
def test_plan_refuses_other_options(call: Call, options: list[str], parts: list[str]) -> None:
    refused(call("plan", *options), *parts)


# ---------------------------------------------------------------- schema and check


def test_schema_accepts_a_network_and_refuses_a_broken_one(call: Call, file: Path) -> None:
    code, out, _ = call("schema", "network")
    assert code == DONE
    assert call("schema")[1] == out
    schema = json.loads(out)
    jsonschema.Draft202012Validator.check_schema(schema)
    document = read_toml(file)
    jsonschema.validate(document, schema)
    for broken in ({"horizon": -1.0}, {"classes": []}, {"stations": [{"name": "clinic"}]}, {"surprise": 1}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(document | broken, schema)
    refused(call("schema", "spaceship"), "'spaceship'", "network, scenario")


def test_schema_accepts_a_scenario_and_check_says_what_it_is(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "half.toml"
    path.write_text('title = "Half of it"\nasks = "Is five per cent enough?"\ndiversion = 0.05\n', encoding="utf-8")
    schema = json.loads(call("schema", "scenario")[1])
    jsonschema.validate(read_toml(path), schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"title": "Half of it", "diversions": 0.05}, schema)
    assert call("check", path)[1] == (
        f"{path}: a usable scenario for amstelland (Half of it). Figures that it changes: 1.\n"
    )
    assert json.loads(call("check", path, "--json")[1])["kind"] == "scenario"
    path.write_text('title = "Half of it"\ndiversions = 0.05\n', encoding="utf-8")
    refused(call("check", path), str(path), "diversions", "unknown key")


def test_check_says_what_a_network_holds(call: Call, file: Path) -> None:
    code, out, error = call("check", file)
    assert (code, error) == (DONE, "")
    assert out == f"{file}: a usable network with 2 stations and 2 patient classes. About 800 residents will come.\n"
    assert "een bruikbaar netwerk met 2 stations" in call("check", file, "--lang", "nl")[1]
    assert json.loads(call("check", file, "--json")[1]) == {
        "file": str(file), "usable": True, "kind": "network", "stations": 2, "classes": 2, "arrivals": 800
    }  # fmt: skip


def test_check_tells_a_program_what_is_wrong(call: Call, file: Path) -> None:
    file.write_text(NETWORK.replace("servers = 3", "servers = -3"), encoding="utf-8")
    code, out, error = call("check", file, "--json")
    assert code == UNUSABLE
    found = json.loads(out)
    assert (found["usable"], found["found"]) == (False, "-3")
    assert found["where"].endswith("stations.clinic.servers")
    assert found["where"] in error


# ---------------------------------------------------------------- run


def test_run_prints_means_with_intervals(call: Call, file: Path) -> None:
    code, out, error = call("run", file, "--seed", "4")
    assert (code, error) == (DONE, "")
    lines = out.splitlines()
    assert lines[0] == "A clinic and a ward"
    assert lines[1].split() == [
        "Station",
        "Arrived",
        "Started",
        "Completed",
        "Gave",
        "up",
        "Wait",
        "Waiting",
        "Utilisation",
    ]
    assert re.match(r"clinic +\d{3} ± \d+ .* 7\d\.\d% ± \d\.\d$", lines[2])
    assert lines[3].endswith("-")  # the ward has no limit, so no utilisation
    assert lines[4] == "Means over 20 replications, with 95% intervals. Seed 4, engine compiled."
    dutch = call("run", file, "--lang", "nl", "--replications", "1")[1]
    assert "Bezetting" in dutch
    assert "±" not in dutch


def test_run_is_the_same_on_every_number_of_threads_and_on_both_engines(call: Call, file: Path, tmp_path: Path) -> None:
    made = {}
    for name, options in {
        "one": ["--threads", 1],
        "two": ["--threads", 2],
        "reference": ["--engine", "reference"],
    }.items():
        out, log = tmp_path / name, tmp_path / name / "events.csv"
        code, _, error = call("run", file, "--out", out, "--log", log, "--replications", 3, "--seed", 5, *options)
        assert code == DONE
        assert error == f"Written: {out}\nWritten: {log}\n"
        assert sorted(path.name for path in out.iterdir()) == sorted([*FILES, "events.csv"])
        made[name] = [path.read_bytes() for path in sorted(out.glob("*.csv"))]
    assert made["one"] == made["two"] == made["reference"]


def test_what_run_writes_is_what_simulate_gives(call: Call, file: Path, tmp_path: Path) -> None:
    log = tmp_path / "deep" / "er" / "log.parquet"
    assert call("run", file, "--out", tmp_path / "out", "--log", log, "--replications", "2", "--seed", "9")[0] == DONE
    expected = flowsim.simulate(flowsim.Network.from_toml(file), replications=2, seed=9, log=True)
    for table in ("stations", "waiting", "periods"):
        written = pd.read_csv(tmp_path / "out" / f"{table}.csv")
        pd.testing.assert_frame_equal(written, getattr(expected, table), check_dtype=False, rtol=1e-12)
    pd.testing.assert_frame_equal(pd.read_parquet(log), expected.events)
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text("utf-8"))
    now = provenance()  # as every other manifest says it
    assert {name for name in now if manifest[name] != now[name]} <= {"time"}
    assert (manifest["seed"], manifest["engine"], manifest["replications_done"]) == (9, "compiled", 2)
    again = flowsim.simulate(flowsim.Network.from_dict(manifest["document"]), replications=2, seed=9)
    assert again.stations.equals(expected.stations)


def test_run_as_json(call: Call, file: Path) -> None:
    code, out, _ = call("run", file, "--json", "--replications", "5")
    assert code == DONE
    found = json.loads(out)
    assert (found["replications_done"], found["engine"], found["seed"]) == (5, "compiled", 0)
    by_name = {(row["station"], row["measure"]): row for row in found["summary"]}
    assert by_name["ward", "utilisation"]["mean"] is None  # JSON has no NaN
    wait = by_name["clinic", "mean_wait"]
    assert wait["low"] < wait["mean"] < wait["high"]


def test_run_replaces_what_was_there_and_leaves_other_files(call: Call, file: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "stations.csv").write_text("old", encoding="utf-8")
    (out / "mine.txt").write_text("mine", encoding="utf-8")
    assert call("run", file, "--out", out, "--replications", "1")[0] == DONE
    assert sorted(path.name for path in out.iterdir()) == sorted([*FILES, "mine.txt"])
    assert (out / "stations.csv").read_text("utf-8").startswith("replication,station,")
