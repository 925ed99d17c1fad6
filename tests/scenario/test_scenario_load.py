"""Scenario files: parents, overrides with reasons, and one clear message for what cannot be used."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from flowsim.errors import InputError
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.load import default, load
from flowsim.scenario.schema import DEFAULTS, Settings

EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.toml"))


def write(folder: Path, text: str | bytes, name: str = "a.toml") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        compile_scenario(load(path))
    return caught.value


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_every_experiment_compiles(path: Path) -> None:
    scenario = load(path)
    assert scenario.asks.endswith("?")
    assert all(change.because for change in scenario.changes)
    network = compile_scenario(scenario)
    assert network.horizon == pytest.approx(1826 + 182)


def test_the_experiments_that_were_promised_are_there() -> None:
    names = {path.stem for path in EXPERIMENTS}
    promised = {"no_network", "plan", "diversion_10", "reading_headcount", "reading_capacity", "reading_net"}
    assert promised | {"growth_0", "growth_1", "growth_3", "staff_shrinks"} <= names


def test_every_open_question_has_a_default() -> None:
    assert set(DEFAULTS) == set(Settings.model_fields)


def test_a_child_overrides_its_parent_and_keeps_the_rest(tmp_path: Path) -> None:
    write(
        tmp_path,
        'title = "parent"\n[settings]\nreading = "capacity"\nramp = "year_end"\n'
        '[figures."demand.inflow"]\nvalue = 3000\nbecause = "a test"\n',
        "parent.toml",
    )
    child = load(write(tmp_path, 'title = "child"\nparent = "parent"\n[settings]\nreading = "net"\n', "child.toml"))
    assert child.settings["reading"] == "net"
    assert child.settings["ramp"] == "year_end"
    assert child.book.value("demand.inflow") == 3000
    assert [change.because for change in child.changes] == ["a test"]
    assert child.files == ("parent.toml", "child.toml")


def test_the_hash_changes_with_what_matters_only(tmp_path: Path) -> None:
    base = default()
    assert base.hash == default().with_settings("another name").hash
    assert base.hash != base.with_settings("x", reading="capacity").hash
    assert base.hash != base.with_figure("demand.inflow", 3000.0, "a test").hash


def test_the_scenario_it_came_from_is_not_changed() -> None:
    base = default()
    before = base.book.value("demand.inflow")
    base.with_figure("demand.inflow", 3000.0, "a test")
    assert base.book.value("demand.inflow") == before
    assert base.changes == ()


FIGURE = 'title = "abc"\n[figures."{key}"]\nvalue = {value}\nbecause = "a test"\n'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ("empty file",)),
        (b"\xff\xfe\x00\x01", ("binary",)),
        ("title = ", ("not TOML",)),
        ('asks = "what?"', ("title", "required")),
        ('title = "abc"\nfoo = 1', ("foo", "unknown key")),
        ('title = "abc"\n[settings]\nreading = "gross"', ("settings.reading", "gross", "headcount")),
        ('title = "abc"\nparent = "nowhere"', ("parent", "nowhere", "does not exist")),
        ('title = "abc"\nparent = "a"', ("circle", "a.toml")),
        ('title = "abc"\nregion = "atlantis"', (".toml: region", "atlantis")),
        ('title = "abc\\u001b[31m"', ("title", r"'abc\x1b[31m'", "text without control characters")),
        ('title = "x"', ("title", "'x'", "text of at least 3 letters")),
        ("horizon = 1.0\nstations = []", ("a network document", "a scenario file", "flowsim run")),
        ('title = "abc"\ndiversion = 1.5', ("diversion", "1.5", "0.9")),
        ('title = "abc"\ndiversion = 0.1\n[settings]\nnetwork = "none"', ("diversion", "none")),
        (FIGURE.format(key="demand.inflow", value='"many"'), ("demand.inflow", "many", "number")),
        (FIGURE.format(key="demand.inflw", value=3), ("demand.inflw", "demand.inflow")),
        (FIGURE.format(key="demand.inflow", value="nan"), ("demand.inflow", "nan", "finite")),
        (FIGURE.format(key="demand.inflow", value="1e308"), ("demand.inflow", "1e+308")),
        (FIGURE.format(key="demand.inflow", value=-5), ("demand.inflow", "-5", "not negative")),
        (FIGURE.format(key="demand.inflow", value=0), ("demand.inflow", "severe mental illness")),
        (FIGURE.format(key="assumptions.reneging_share", value=1.5), ("reneging_share", "1.5", "fraction")),
        (FIGURE.format(key="functions.conversations", value=3), ("functions.conversations", "each year")),
        (FIGURE.format(key="functions.conversations", value="{ soon = 3 }"), ("functions.conversations", "by year")),
        (FIGURE.format(key="demand.inflow", value="{ 2026 = 3 }"), ("demand.inflow", "by year", "one number")),
        (FIGURE.format(key="functions.conversations", value="{}"), ("functions.conversations", "some years")),
        (
            FIGURE.format(key="functions.conversations", value="{ 2026 = 3, 02026 = 4 }"),
            ("conversations", "some years"),
        ),
        (FIGURE.format(key="assumptions.list_size", value="700\nlow = -40\nhigh = 900"), ("list_size", "-40")),
        (FIGURE.format(key="assumptions.reneging_share", value="0.1\nlow = 0.0\nhigh = 5"), ("5", "fraction")),
        ('title = "abc"\nparent = ""', ("parent", "does not exist")),
        ('title = "abc"\nregion = ""', (".toml: region", "''", "amstelland")),
        ('title = "abc"\nsettings = [1]', ("settings: found [1]; expected a table",)),
        ('title = "abc"\n[figures]\n"demand.inflow" = 3', ("figures.demand.inflow: found 3; expected a table",)),
        ("title = 3", ("title: found 3; expected text",)),
        ('title = "abc"\n[settings]\nstop_policy = 1', ("stop_policy: found 1; expected true or false",)),
        ('title = "abc"\n[figures."demand.inflow"]\nvalue = 3000', ("because", "required")),
        ('title = "abc"\n[figures."demand.inflow"]\nvalue = 3000\nlow = 1.0\nbecause = "xyz"', ("both low and high",)),
    ],
)
def test_bad_files_get_one_clear_message(tmp_path: Path, text: str | bytes, words: tuple[str, ...]) -> None:
    message = str(refused(write(tmp_path, text)))
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("key", "value", "inside"),
    [
        ("waiting.trauma", "0", "stations.trauma_ingeest.initial.age"),
        ("assumptions.gp_turnaround", "0", "stations.gp.service.mean"),
        ("impact.hours_per_client", "0", "cannot go together"),
        ("demand.smi", "1470000", "figures.demand.inflow: found 3158"),
        ("functions.conversations", "{ 2026 = 900000 }", "stations.basic_ingeest.servers"),
    ],
)
def test_a_figure_that_gives_no_network_is_named_with_its_file(
    tmp_path: Path, key: str, value: str, inside: str
) -> None:
    """Whoever wrote the figure does not know the stations of the network that it would have made."""
    path = write(tmp_path, FIGURE.format(key=key, value=value))
    message = str(refused(path))
    shown = value if "{" not in value else "{ 2025 = 50, 2026 = 900000 }"
    assert message.startswith(f"{path}: figures.{key}: found {shown}; expected a value that the model can use")
    assert inside in message


def test_of_several_figures_the_one_to_blame_is_named(tmp_path: Path) -> None:
    good = FIGURE.format(key="demand.inflow", value=3000)
    bad = '[figures."public.crisis_duration_cv"]\nvalue = 270\nbecause = "a test"\n'
    worse = '[figures."waiting.trauma"]\nvalue = 0\nbecause = "a test"\n'
    assert ".toml: figures.public.crisis_duration_cv: found 270;" in str(refused(write(tmp_path, good + bad)))
    both = str(refused(write(tmp_path, good + bad + worse)))
    assert ".toml: figures.public.crisis_duration_cv: found 270;" in both


def test_what_is_wrong_with_a_changed_figure_itself_is_told_at_its_file(tmp_path: Path) -> None:
    write(tmp_path, FIGURE.format(key="assumptions.list_size", value=0), "parent.toml")
    message = str(refused(write(tmp_path, 'title = "abc"\nparent = "parent"')))
    place = f"{tmp_path / 'parent.toml'}: figures.assumptions.list_size"
    assert message == f"{place}: found 0; expected at least one resident"


def test_a_parent_whose_name_has_a_dot_is_that_file(tmp_path: Path) -> None:
    write(tmp_path, 'title = "the first"\ndiversion = 0.5', "v.toml")
    write(tmp_path, 'title = "the second"\ndiversion = 0.1', "v.2.toml")
    child = load(write(tmp_path, 'title = "child"\nparent = "v.2"', "child.toml"))
    assert child.book.value("functions.diversion") == 0.1


def test_a_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert load(write(tmp_path, b"\xef\xbb\xbftitle = 'abc'\n")).title == "abc"


def test_values_from_a_later_year_on_leave_the_years_before_as_they_were(tmp_path: Path) -> None:
    key = "functions.conversations"
    found = load(write(tmp_path, FIGURE.format(key=key, value="{ 2027 = 7, 2029 = 9 }"))).book
    before = default().book
    for year, value in ((2025, None), (2026, None), (2027, 7.0), (2028, 7.0), (2029, 9.0)):
        on = dt.date(year, 7, 1)
        assert found.value(key, on) == (before.value(key, on) if value is None else value)


@pytest.mark.parametrize("argument", [{}, 5, ["plan"]])
def test_what_is_no_path_is_refused(argument: Any) -> None:
    with pytest.raises(InputError, match=r"scenario: found .*; expected a scenario, the path"):
        load(argument)


@pytest.mark.parametrize("name", ["gp_utilisation", "gp_mental_health_utilisation"])
def test_a_figure_that_is_divided_by_is_above_zero(name: str) -> None:
    with pytest.raises(InputError, match=rf"{name}: found 0; expected a number above 0"):
        compile_scenario(default().with_figure(f"assumptions.{name}", 0.0, "a test"))


def test_nobody_has_to_go_by_the_nurse_of_the_gp(recwarn: pytest.WarningsRecorder) -> None:
    network = compile_scenario(default().with_figure("assumptions.gp_mental_health_route", 0.0, "a test"))
    assert network.station_names[0] == "gp"
    assert not recwarn.list


def test_missing_files_and_directories(tmp_path: Path) -> None:
    assert "no such file" in str(refused(tmp_path / "nowhere.toml"))
    assert "directory" in str(refused(tmp_path))


def test_a_long_circle_of_parents_is_told_whole(tmp_path: Path) -> None:
    write(tmp_path, 'title = "aaa"\nparent = "b"', "a.toml")
    write(tmp_path, 'title = "bbb"\nparent = "c"', "b.toml")
    write(tmp_path, 'title = "ccc"\nparent = "a"', "c.toml")
    assert "a.toml -> b.toml -> c.toml -> a.toml" in str(refused(tmp_path / "a.toml"))


@pytest.mark.parametrize("year", [202, 2024, 2056])
def test_a_slip_in_a_year_is_refused(year: int) -> None:
    """A value by year holds until the next: one for the year 202 would hold all along."""
    with pytest.raises(
        InputError, match=rf"conversations: found \['{year}', '2027'\]; expected years from 2025 to 2055"
    ):
        default().with_figure("functions.conversations", {year: 300.0, 2027: 436.0}, "a test")


def test_values_by_year_hold_until_the_next() -> None:
    book = default().with_figure("functions.conversations", {2026: 300}, "a test").book
    assert [book.value("functions.conversations", year) for year in (2025, 2026, 2029)] == [50.0, 300.0, 300.0]


def test_nobody_who_waits_comes_back_to_the_gp() -> None:
    network = compile_scenario(default().with_figure("public.bridging_consults", 0.0, "a test"))
    assert len(network.clocks) == len(compile_scenario(default()).clocks)


def test_nobody_queues_for_conversations_that_do_not_take_place() -> None:
    scenario = default().with_figure("functions.conversations", {2025: 0.0}, "a test")
    limits = [compile_scenario(one).stations["queue_limit"][3] for one in (default(), scenario)]
    assert compile_scenario(scenario).station_names[3] == "exploratory_conversation"
    assert limits[0] > limits[1] == 0
