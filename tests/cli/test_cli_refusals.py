"""Bad input gives one message that names it, exit code 2, and leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import NETWORK, Call, refused

from flowsim.cli import DONE, MISSED, main

EXPERIMENTS = Path(__file__).resolve().parents[2] / "experiments"
BROKEN = {
    "rate nan": ("rate = 2.0", "rate = nan", ["arrivals.0.rate", "nan"]),
    "rate infinite": ("rate = 2.0", "rate = inf", ["arrivals.0.rate", "inf"]),
    "rate negative": ("rate = 2.0", "rate = -2.0", ["arrivals.0.rate", "-2.0"]),
    "rate huge": ("rate = 2.0", "rate = 1e308", ["arrivals.0.rate", "1e+308"]),
    "too many arrivals": ("rate = 2.0", "rate = 1e11", ["arrivals.0", "4e+13"]),
    "rate as text": ("rate = 2.0", 'rate = "2"', ["arrivals.0.rate", "'2'"]),
    "probabilities": ("ward = 0.1", "ward = 0.3", ["routes from clinic", "1.2", "add to 1"]),
    "route to nowhere": ("ward = 0.1", "word = 0.1", ["routes from clinic", "word", "clinic, ward"]),
    "unreachable": ("ward = 0.1, exit = 0.9", "exit = 1.0", ["stations.ward", "nothing leads to"]),
    "horizon zero": ("horizon = 400.0", "horizon = 0", ["horizon", "found 0"]),
    "horizon negative": ("horizon = 400.0", "horizon = -1.0", ["horizon", "-1.0"]),
    "horizon missing": ("horizon = 400.0", "", ["horizon", "required"]),
    "warm-up too long": ("warm_up = 100.0", "warm_up = 400.0", ["warm_up", "horizon"]),
    "unknown key": ("servers = 3", "servers = 3\nservants = 2", ["stations.clinic.servants", "unknown key"]),
    "unknown class": ('class = "a"', 'class = "z"', ["arrivals.0.class", "z"]),
    "mean zero": ("mean = 30.0", "mean = 0.0", ["stations.clinic.patience", "0"]),
    "distribution": ('"exponential", mean = 30.0', '"normal", mean = 30.0', ["stations.clinic.patience", "normal"]),
    "stations missing": (NETWORK[NETWORK.index("[[stations]]") :], "", [": stations: found nothing", "required"]),
    "half a file": (NETWORK[len(NETWORK) // 2 :], "[[stations", ["not TOML"]),
}


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_network_is_refused(call: Call, file: Path, tmp_path: Path, case: str, command: str) -> None:
    before, after, parts = BROKEN[case]
    assert before in NETWORK
    file.write_text(NETWORK.replace(before, after, 1), encoding="utf-8")
    out = ["--out", tmp_path / "out"] if command == "run" else []
    refused(call(command, file, *out), str(file), *parts)
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize(
    ("content", "part"),
    [
        (b"", "an empty file"),
        (b" \n\t\n", "an empty file"),
        (b"\x00\xff\xfe\x01 binary \x80", "binary data"),
        (b"to whom it may concern", "not TOML"),
        (b"PK\x03\x04", "not TOML"),
    ],
)
def test_a_file_that_is_no_toml_is_refused(call: Call, tmp_path: Path, command: str, content: bytes, part: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_bytes(content)
    refused(call(command, path), str(path), part)


def test_a_missing_file_and_a_folder_are_refused(call: Call, tmp_path: Path) -> None:
    for command in ("run", "check"):
        refused(call(command, tmp_path / "none.toml"), "none.toml", "no such file")
        refused(call(command, tmp_path), str(tmp_path), "a directory")


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--seed", "abc"], ["--seed", "'abc'", "a whole number", "flowsim run --help"]),
        (["--seed", "1.5"], ["--seed", "'1.5'"]),
        (["--seed", "-1"], ["seed", "-1"]),
        (["--seed", str(2**63)], ["seed", str(2**63)]),
        (["--replications", "0"], ["replications", "found 0"]),
        (["--replications", "many"], ["--replications", "'many'"]),
        (["--threads", "0"], ["threads", "found 0"]),
        (["--threads", "x"], ["--threads", "'x'"]),
        (["--engine", "steam"], ["engine", "'steam'", "compiled, reference"]),
        (["--lang", "xx"], ["--lang: found 'xx'"]),
        (["--log", "log.txt"], ["--log", "'.txt'", ".parquet"]),
        (["--colour", "red"], ["--colour", "flowsim run --help"]),
        (["--seed"], ["--seed", "argument"]),
        (["another.toml"], ["another.toml"]),
    ],
)
def test_bad_options_are_refused(
    call: Call, file: Path, tmp_path: Path, options: list[str], parts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(call("run", file, "--out", tmp_path / "out", *options), *parts)
    assert list(tmp_path.iterdir()) == [file]


PLACES = [
    ("run plan --out file/x", "--out file/x/stations.csv: found a place that cannot be written"),
    ("run plan --log=folder --json", "--log folder: found a folder; expected a file to write"),
    ("answer --out file", "--out file: found File exists; expected a folder that can be written"),
    ("sweep levers --out file/x", "--out file/x: found Not a directory"),
    ("targets --from folder", "--from folder/manifest.json: found No such file or directory"),
    ("report --from nowhere --out r.pdf", "--from nowhere: found no folder"),
    ("sensitivity --extend latin.toml", "--extend latin.toml: found binary data (not UTF-8 text)"),
    ("seek --scenario folder", "--scenario folder: found a directory"),
    ("plan --region folder", "--region folder: found no kpis.toml"),
    ("check --json folder", "flowsim: folder: found a directory"),
    ("check folder --json", "flowsim: folder: found a directory"),
    ("check plan --lang fr", "flowsim: --lang: found 'fr'; expected one of nl, en"),
    ("app --lang=fr", "flowsim: --lang: found 'fr'; expected one of nl, en"),
]


@pytest.mark.parametrize(("words", "told"), PLACES)
def test_an_option_is_named_as_it_was_typed(
    call: Call, tmp_path: Path, words: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "experiments").symlink_to(EXPERIMENTS)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("x")
    (tmp_path / "latin.toml").write_bytes('title = "café"'.encode("latin-1"))
    before = sorted(tmp_path.iterdir())
    monkeypatch.chdir(tmp_path)
    code, out, error = call(*words.split())
    assert code == 2
    assert ("--json" in words and words.startswith("check")) == bool(out)
    assert told in error
    assert error.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == before


def test_every_command_takes_a_name_of_a_scenario(
    call: Call, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name alone, with and without its ending; what stands in the present folder goes before."""
    (tmp_path / "experiments").symlink_to(EXPERIMENTS)
    monkeypatch.chdir(tmp_path)
    code, out, _ = call("check", "growth_3")
    assert (code, "experiments/growth_3.toml: a usable scenario" in out) == (DONE, True)
    assert call("check", "growth_3.toml") == (code, out, "")
    code, out, _ = call("check", "levers")
    assert (code, "experiments/sweeps/levers.toml" in out) == (DONE, True)
    refused(call("check", "growth_33"), "growth_33: found no such file")
    code, out, _ = call("run", "growth_3", "--replications", "1", "--json")
    assert (code, '"file": "experiments/growth_3.toml"' in out) == (DONE, True)
    for command in ("answer", "targets", "compare", "calibrate", "report", "sensitivity", "seek"):
        refused(call(command, *(["plan"] if command == "compare" else []), "growth_3", "--threads", "0"), "--threads")
    refused(call("update", EXPERIMENTS / "observed_made_up.csv", "growth_3", "--threads", "0"), "--threads")
    refused(call("sensitivity", "--extend", "growth_3", "--threads", "0"), "--threads")
    refused(call("seek", "--scenario", "growth_3", "--threads", "0"), "--threads")
    refused(call("sweep", "levers", "--threads", "0"), "--threads")
    refused(call("app", "growth_3", "--host", "x"), "--host")
    refused(call("app", "growth_33", "--host", "x"), "growth_33: found no such file")
    file.rename(tmp_path / "growth_3")
    assert "network" in call("check", "growth_3")[1]


@pytest.mark.parametrize(
    ("command", "option"),
    [
        *(
            ("answer", "--half-width"),
            ("report", "--half-width"),
            ("targets", "--half-width"),
            ("seek", "--half-width"),
        ),
        *(("update", "--half-width"), ("compare", "--indifference"), ("sensitivity", "--week")),
    ],
)
def test_words_in_the_place_of_a_number_are_quoted(call: Call, command: str, option: str) -> None:
    refused(call(command, option, "ten"), option, "found 'ten', expected a number", f"flowsim {command} --help")


def test_unknown_commands_and_missing_files_are_refused(call: Call) -> None:
    refused(call("walk"), "'walk'", "flowsim --help")
    refused(call("run"), "FILE", "flowsim run --help")
    refused(call("--speed"), "--speed")


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        (("answer", "--half-width", "0.2", "--out", ""), "--out"),
        (("answer", "--half-width", "0.2", "--out="), "--out"),
        (("crate", ""), "argument 2"),
    ],
)
def test_an_empty_argument_is_not_the_present_folder(
    call: Call, tmp_path: Path, arguments: tuple[str, ...], place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(call(*arguments), f"{place}: found nothing between the quotes", "expected a value")
    assert list(tmp_path.iterdir()) == []


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    code = "import sys; from flowsim.cli import main; sys.exit(main())"
    process = subprocess.Popen(
        [sys.executable, "-c", code, "plan"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stderr
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == ""
    assert process.wait() == DONE


def test_a_fault_in_flowsim_is_told_in_one_line(call: Call, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flowsim.model.network.read_toml", lambda _: 1 / 0)
    code, out, error = call("check", file)
    assert (code, out) == (MISSED, "")
    assert error.count("\n") == 1
    assert "ZeroDivisionError" in error
    monkeypatch.setenv("FLOWSIM_TRACEBACK", "1")
    with pytest.raises(ZeroDivisionError):
        main(["check", str(file)])


def test_too_little_memory_is_told_in_one_line(call: Call, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr("flowsim.model.network.read_toml", none)
    refused(call("check", file), "memory")


@pytest.mark.parametrize(
    ("command", "flag"),
    [
        (["compare", "--best", "overdue_2029"], "--best: found 'overdue_2029'"),
        (["compare", "--best", "overdue", "--indifference", "1e300"], "--indifference: found 1e+300"),
        (["compare", "--best", "overdue", "--indifference", "1e-300"], "--indifference: found 1e-300"),
        (["answer", "--seed", "-1"], "--seed: found -1"),
        (["plan", "--region", "nowhere"], "--region: found 'nowhere'"),
        (["plan", "--lang=fr"], "--lang: found 'fr'"),
    ],
)
def test_a_message_about_an_option_names_the_flag(call: Call, command: list[str], flag: str) -> None:
    files = [str(EXPERIMENTS / f"{name}.toml") for name in ("plan", "no_network")] if command[0] == "compare" else []
    refused(call(command[0], *files, *command[1:]), flag)


@pytest.mark.parametrize("key", ["region", "parent"])
def test_a_name_with_control_characters_is_refused(call: Call, tmp_path: Path, key: str) -> None:
    path = tmp_path / "odd.toml"
    path.write_text(f'title = "Not to be"\n{key} = "a\\u0000b/"\n', encoding="utf-8")
    refused(call("check", path), f"{path}: {key}", "control characters")


def test_a_closed_output_is_no_fault() -> None:
    code = "import sys; sys.stdout = None; from flowsim.cli import main; sys.exit(main(['schema', 'scenario']))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (DONE, "", "")


@pytest.mark.parametrize(
    "command", [["answer"], ["report"], ["compare", "odd"], ["targets"], ["calibrate"], ["sensitivity"]], ids=str
)
@pytest.mark.parametrize("name", ["odd", "odd.toml"])
def test_a_name_alone_is_that_of_a_file_in_experiments(
    call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], name: str
) -> None:
    """Told by the place at which what stands there is refused; what lies in the folder itself comes first."""
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "experiments" / "odd.toml"
    place.parent.mkdir()
    place.write_text('title = "odd"\nregion = "nowhere"\n', encoding="utf-8")
    told = "experiments/odd.toml: region: found 'nowhere'"
    refused(call(*command, name), told)
    (tmp_path / name).write_text("to whom it may concern", encoding="utf-8")
    if len(command) == 1:
        refused(call(*command, name), f"{name}: found text that is not TOML")
    refused(call(*command, "neither"), "no such file" if len(command) == 1 else "")
