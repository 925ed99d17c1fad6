"""Another region as a folder of files: what it takes, what is refused, what is taken over."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flowsim
from flowsim.analysis import measures
from flowsim.cli import DONE, main
from flowsim.errors import InputError
from flowsim.plan.figures import REGIONAL, load_figures, may_be_negative, region_directory
from flowsim.plan.targets import has_targets
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.load import default, from_document, load
from flowsim.scenario.region import load_region
from flowsim.study.futures import Balances, Case

POLDER = Path(__file__).resolve().parents[2] / "experiments" / "regions" / "polder"


@pytest.fixture
def region(tmp_path: Path) -> Path:
    return Path(shutil.copytree(POLDER, tmp_path / "polder"))


def changed(region: Path, file: str, before: str, after: str) -> None:
    text = (region / file).read_text("utf-8")
    assert before in text
    (region / file).write_text(text.replace(before, after, 1), encoding="utf-8")


def test_the_example_says_in_every_file_that_it_is_made_up() -> None:
    for file in POLDER.glob("*.toml"):
        assert "MADE UP" in file.read_text("utf-8"), file.name
    assert "verzonnen" in load_region(POLDER).name


def test_a_region_compiles_from_its_own_figures(region: Path) -> None:
    network = compile_scenario(load(region))
    own = {one.name for one in load_region(region).programmes}
    assert own <= set(network.station_names)
    assert "basic_ingeest" not in network.station_names
    assert {name.split("/")[0] for name in network.class_names} == {"dijkstad", "veenhuizerwaard", "visitor"}
    amstelland = compile_scenario(default())
    # A region with about a third of the people has about a third of the arrivals.
    assert 0.25 < network.expected_arrivals / amstelland.expected_arrivals < 0.45


def test_figures_are_its_own_or_said_to_be_taken_over(region: Path) -> None:
    book = load_figures(region)
    for key in (*REGIONAL, "population.dijkstad", "population.veenhuizerwaard"):
        assert book[key].taken_from == "", key
        assert "MADE UP" in book[key].source.document
    assert book["public.treeknorm_total"].taken_from == "amstelland"
    assert "demand.clients_per_10000_amstelveen" not in book
    assert load_figures()["public.treeknorm_total"].taken_from == ""


@pytest.mark.parametrize("key", [*REGIONAL, "population.dijkstad"])
def test_a_figure_of_the_region_itself_is_never_taken_over(region: Path, key: str) -> None:
    stem, name = key.split(".")
    changed(region, f"{stem}.toml", f"[{name}]", f"[not_{name}]")
    with pytest.raises(
        InputError, match=rf"{key}: found nothing; expected \[{name}\] in {stem}.toml .* not taken over"
    ):
        default(region)


@pytest.mark.parametrize("attribute", ["unit", "date", "source", "section", "kind"])
def test_a_figure_without_its_citation_is_refused(region: Path, attribute: str) -> None:
    text = (region / "waiting.toml").read_text("utf-8")
    lines = text.splitlines()
    lines.remove(next(line for line in lines if line.startswith(f"{attribute} =")))
    (region / "waiting.toml").write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError, match=rf"waiting.toml: personality: found no {attribute}"):
        default(region)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ('name = "Polder (verzonnen)"\n', "", "name: found nothing"),
        ("start = 2025-01-01", "start = 2024-01-01", "the first of the five years"),
        ("start = 2025-01-01", 'start = "2025-01-01"', "start: found '2025-01-01'; expected a date without quotes"),
        ('code = "dijkstad"', 'code = "Dijk stad"', "municipalities.0.code"),
        ('code = "veenhuizerwaard"', 'code = "dijkstad"', "each municipality once, not dijkstad twice"),
        ("has_support_point = true", "has_support_point = false", "support_point_opens = a date"),
        ('groups = ["smi"]', 'groups = ["everybody"]', "programmes.6.groups"),
        ('groups = ["smi"]', 'groups = ["other"]', "none for smi"),
        ('level = "basic"', 'level = "specialist"', 'level "basic" with groups'),
        ('name = "other_veen"', 'name = "other_dijk"', "each programme once"),
        ('figures_from = "amstelland"', 'figures_from = "atlantis"', "'atlantis'"),
        ('figures_from = "amstelland"', 'figures_from = "./polder"', "the name of a region that ships with flowsim"),
        ('figures_from = "amstelland" ', 'figures_form = "amstelland" ', "an unknown key"),
    ],
)
def test_a_region_file_that_cannot_be_used_is_refused(region: Path, before: str, after: str, expected: str) -> None:
    changed(region, "region.toml", before, after)
    with pytest.raises(InputError) as refused:
        default(region)
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("file", "first", "expected"),
    [
        (
            "assumptions.toml",
            "",
            "assumptions.demand_grwth: found a figure that amstelland does not have",
        ),
        ("assumption.toml", 'holds = "figures"\n', "assumption.demand_grwth"),
        ("more.toml", 'holds = "figurs"\n', "more.toml: holds: found 'figurs'; expected one of figures, region"),
    ],
)
def test_a_figure_that_nothing_asks_for_is_refused(region: Path, file: str, first: str, expected: str) -> None:
    """Else the other region's number would stand in its place without a word."""
    entry = 'value = 0.0\nunit = "fraction"\ndate = 2025\nsource = "X"\nsection = "1"\nkind = "published"\n'
    place = region / file
    before = place.read_text("utf-8") if place.exists() else first
    place.write_text(f"{before}\n[demand_grwth]\n{entry}", encoding="utf-8")
    with pytest.raises(InputError) as refused:
        default(region)
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("file", "table", "before", "after", "told"),
    [
        ("assumptions.toml", "list_size", "low = 200", "low = -200", "assumptions.toml: list_size.low: found -200"),
        ("demand.toml", "clients", "value = 2_300", "value = -2_300", "demand.toml: clients.value: found -2300"),
        ("functions.toml", "consultations", "2026 = 50", "2026 = -50", "consultations.value.2026-01-01: found -50"),
        ("population.toml", "dijkstad", "low = ", "low = -", "population.toml: dijkstad.low: found -"),
    ],
)
def test_a_number_below_zero_is_refused_in_a_value_and_a_range(
    region: Path, file: str, table: str, before: str, after: str, told: str
) -> None:
    place = region / file
    head, title, tail = place.read_text("utf-8").partition(f"[{table}]")
    if before not in tail:
        tail = tail.replace('kind = "published"', 'kind = "published"\nlow = 1\nhigh = 99_999', 1)
    assert before in tail
    place.write_text(head + title + tail.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(InputError) as refused:
        default(region)
    assert told in str(refused.value)
    assert str(refused.value).endswith("expected a number that is not negative")


ENTRY = 'unit = "{unit}"\ndate = "2024"\nsource = "X"\nsection = "1"\nkind = "assumed"\n'


@pytest.mark.parametrize(
    ("table", "unit", "low"),
    [
        ("demand_growth", "fraction a year", -0.01),
        ("more_absence", "fraction of the working time", -0.02),
        ("extra_places_other_dijk", "fraction of the treatment places", -0.2),
    ],
)
def test_what_can_fall_may_be_negative(region: Path, table: str, unit: str, low: float) -> None:
    place = region / "assumptions.toml"
    before = place.read_text("utf-8")
    place.write_text(f"{before}\n[{table}]\nvalue = 0.0\nlow = {low}\nhigh = 0.1\n{ENTRY.format(unit=unit)}")
    assert default(region).book[f"assumptions.{table}"].low == low


def test_a_fraction_above_one_is_refused(region: Path) -> None:
    place = region / "assumptions.toml"
    before = place.read_text("utf-8")
    entry = ENTRY.format(unit="fraction of those treated who return")
    place.write_text(f"{before}\n[return_share]\nvalue = 0.2\nlow = 0.1\nhigh = 25\n{entry}", encoding="utf-8")
    with pytest.raises(
        InputError, match=r"assumptions.toml: return_share.high: found 25; expected a fraction, at most"
    ):
        default(region)


def test_growth_may_be_overridden_below_zero_where_the_region_expects_none(region: Path) -> None:
    place = region / "assumptions.toml"
    entry = ENTRY.format(unit="fraction a year")
    before = place.read_text("utf-8")
    place.write_text(f"{before}\n[demand_growth]\nvalue = 0.01\nlow = 0.0\nhigh = 0.1\n{entry}", encoding="utf-8")
    changed = default(region).with_figure("assumptions.demand_growth", -0.02, "fewer people")
    assert changed.book.value("assumptions.demand_growth") == -0.02
    with pytest.raises(InputError, match="not negative"):
        default(region).with_figure("assumptions.list_size", -2, "fewer people")


def test_the_signs_of_the_figures_that_ship_are_allowed() -> None:
    """A growth may be negative; its standard error may not."""
    for key, figure in load_figures().items():
        numbers = [value for _, value in figure.values] + ([] if figure.low is None else [figure.low])
        assert min(numbers) >= 0.0 or may_be_negative(key), key
    assert may_be_negative("demand.gp_contacts_growth")
    assert may_be_negative("assumptions.extra_places_elsewhere")
    assert not may_be_negative("measurement.demand_growth")
    assert not may_be_negative("demand.inflow")
    assert not may_be_negative("population.dijkstad")


def test_a_region_that_stands_alone_needs_every_figure(region: Path) -> None:
    changed(region, "region.toml", 'figures_from = "amstelland" ', "# nothing is taken over ")
    with pytest.raises(InputError) as refused:
        compile_scenario(default(region))
    told = (
        r"figures of polder: (\w+)\.(\w+): found nothing; expected \[\2\] in \1\.toml with value, .*; or figures_from"
    )
    assert re.match(told, str(refused.value))


@pytest.mark.parametrize("network", ["none", "diversion"])
def test_without_functions_a_region_may_lack_the_hours_of_a_client(tmp_path: Path, network: str) -> None:
    folder = tmp_path / "alone"
    shutil.copytree(str(region_directory("amstelland")), folder, ignore=shutil.ignore_patterns("posterior.*"))
    file = folder / "impact.toml"
    file.write_text(re.sub(r"\[hours_per_client\][^\[]*", "", file.read_text(encoding="utf-8")), encoding="utf-8")
    case = Case(network, load(folder).with_settings(network, network=network, unknowns="prior"))
    case.extend(1, 1, Balances(1), 1)
    assert np.isnan(measures.by_year(case.futures[0])["treatment_hours"]).all()
    assert np.isfinite(measures.by_year(case.futures[0])["starts"]).all()


def test_one_number_for_the_population_is_refused(region: Path) -> None:
    changed(region, "population.toml", "{ 2023 = 62_000, 2040 = 68_000 }", "62_000")
    with pytest.raises(InputError, match="inhabitants in two years"):
        compile_scenario(default(region))


@pytest.mark.parametrize(("before", "after"), [("41_000", "14_000"), ("21_000", "31_000")])
def test_municipalities_that_are_not_the_region_are_refused(region: Path, before: str, after: str) -> None:
    """A digit in another place, or one too many, would shift people from one municipality to another without a word."""
    changed(region, "population.toml", before, after)
    expected = r"population of the municipalities: found .*,000 inhabitants together; expected 62,\d+ to 62,\d+, as"
    with pytest.raises(InputError, match=expected):
        default(region)


@pytest.mark.parametrize(("before", "after"), [("62_000", "-62_000"), ("68_000", "0"), ("41_000", "-41_000")])
def test_inhabitants_are_a_number_above_nothing(region: Path, before: str, after: str) -> None:
    changed(region, "population.toml", before, after)
    none = r"population\.\w+: found 0; expected a number of inhabitants above 0"
    fewer = r"population\.toml: [\w.-]+: found -\d+; expected a number that is not negative"
    with pytest.raises(InputError, match=f"{none}|{fewer}"):
        default(region)


@pytest.mark.parametrize(("before", "after"), [("41_000", "40_100"), ("21_000", "21_900"), ("2024", "2031")])
def test_municipalities_may_be_rounded_or_counted_on_another_day(region: Path, before: str, after: str) -> None:
    changed(region, "population.toml", before, after)
    assert default(region)


def test_a_changed_file_is_read_again_and_changes_the_fingerprint(region: Path) -> None:
    before = default(region)
    assert before.hash == default(Path(shutil.copytree(region, region.parent / "elsewhere"))).hash
    changed(region, "region.toml", 'name = "Dijkstad"', 'name = "Dijkstad aan Zee"')
    assert load_region(region).municipalities[0].name == "Dijkstad aan Zee"
    assert default(region).hash != before.hash
    named = default(region).hash
    changed(region, "demand.toml", "1_120", "1_200")
    assert default(region).hash != named


def test_a_scenario_names_its_region_from_its_own_place(region: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = region.parent / "scenarios"
    folder.mkdir()
    file = folder / "more.toml"
    file.write_text('title = "More"\nregion = "../polder"\n', encoding="utf-8")
    child = folder / "child.toml"
    child.write_text('title = "Child"\nparent = "more"\nregion = "../polder"\n', encoding="utf-8")
    monkeypatch.chdir("/")
    assert load_region(load(file).region).name == "Polder (verzonnen)"
    assert load(child).region == load(file).region
    file.write_text('title = "More"\nregion = "../nowhere"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"nowhere'; expected a directory"):
        load(file)
    with pytest.raises(InputError, match="by name"):
        from_document({"title": "Upload", "region": "../polder"}, "upload.toml")


def test_a_region_without_a_plan_promises_nothing(region: Path) -> None:
    assert not has_targets(region)
    assert has_targets("amstelland")
    with pytest.raises(InputError, match=r"no targets\.toml"):
        flowsim.targets(str(region), futures=2)


def test_from_a_folder_to_an_answer(region: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", str(region)]) == DONE
    assert "Figures of its own: 17" in capsys.readouterr().out
    found = flowsim.answer(str(region), half_width=0.5, most=3, curve=False)
    tables = found.tables
    assert set(tables["programmes"]["programme"]) == {one.name for one in load_region(region).programmes}
    start = tables["fan"].query("case == 'none' and measure == 'waiting' and day == 0")["q50"].iloc[0]
    assert 180 < start < 450  # the list that the region states: 200 to 420
    assert tables["targets"].empty
    from flowsim.present.answer import blocks

    said = "\n".join(note for part in blocks(found, tables, "en") for note in getattr(part, "notes", ()))
    assert "taken over from Amstelland" in said


@pytest.mark.parametrize("name", [None, 3])
def test_a_region_is_a_name_or_a_folder(name: Any) -> None:
    with pytest.raises(InputError, match=r"region: found .*; expected the name of a region, or the path of a folder"):
        load_region(name)


def test_users_of_support_points_need_one_that_opens(region: Path) -> None:
    """Both municipalities have a support point of their own: nobody could be a user of a new one."""
    changed(region, "region.toml", "support_point_opens = 2026-01-01", "has_support_point = true")
    with pytest.raises(InputError, match=r"support_point_users: found users in 2026; expected a municipality"):
        compile_scenario(default(region))


@pytest.mark.parametrize(
    ("file", "before", "after"),
    [
        ("waiting", '"weeks"', '"days"'),
        ("functions", "conversations a year", "conversations a month"),
        ("demand", "per 10,000", "per 1,000"),
        ("demand", "adults in ggz in a year", "clients per cent"),
        ("functions", "conversations a year", "% of conversations"),
    ],
)
def test_a_figure_in_another_unit_than_the_model_reads_is_refused(
    region: Path, file: str, before: str, after: str
) -> None:
    path = region / f"{file}.toml"
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")
    with pytest.raises(InputError, match=r"unit: found .*in which the model reads this figure"):
        load_figures(region)
    path.write_text(text.replace('"weeks"', '"weken"').replace("a year", "per jaar"), encoding="utf-8")
    assert load_figures(region)  # other words for the same


def test_per_cent_is_refused_for_a_figure_of_a_municipality_too(region: Path) -> None:
    """Amstelland has no figure by that key whose unit it could be held against."""
    path = region / "population.toml"
    path.write_text(path.read_text(encoding="utf-8").replace('"persons"', '"procent"'), encoding="utf-8")
    with pytest.raises(
        InputError, match=r"population\.toml: region\.unit: found 'procent'; expected 'persons', in which"
    ):
        load_figures(region)
    text = path.read_text(encoding="utf-8").replace('"procent"', '"persons"', 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"dijkstad\.unit: found 'procent'; expected a fraction, such as 0\.25"):
        load_figures(region)
    path.write_text(text.replace('"procent"', '"persons"'), encoding="utf-8")
    rate = 'value = 300\nunit = "clients per 1,000"\ndate = 2025\nsource = "X"\nsection = "1"\nkind = "published"\n'
    demand = region / "demand.toml"
    kept = demand.read_text(encoding="utf-8")
    demand.write_text(f"{kept}\n[clients_per_10000_dijkstad]\n{rate}", encoding="utf-8")
    with pytest.raises(InputError, match=r"clients_per_10000_dijkstad\.unit: found .* 1,000'; expected .* 10,000"):
        load_figures(region)


def test_what_is_no_file_is_refused_and_not_waited_for(region: Path) -> None:
    os.mkfifo(region / "more.toml")
    with pytest.raises(InputError, match=r"more\.toml: found a link that leads nowhere, a pipe or a device"):
        load_figures(region)


def test_a_mark_at_the_start_and_a_hidden_file_are_borne(region: Path) -> None:
    path = region / "demand.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    (region / "._demand.toml").write_bytes(b"\x00\x05\x16\x07")
    assert load_figures(region)
