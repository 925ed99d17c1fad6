"""The promises of the plan as tests of a simulated future."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from flowsim.errors import InputError
from flowsim.plan.figures import load_figures
from flowsim.plan.kpis import load_kpis
from flowsim.plan.targets import load_targets


def test_every_kpi_with_a_number_and_every_promise_is_there() -> None:
    targets = {target.id: target for target in load_targets()}
    promised = {
        "kpi_16": 0.10,
        "kpi_17": 215,
        "kpi_19": 125,
        "kpi_20": 0.033,
        "kpi_24": 0.5,
        "kpi_27": 486,
        "kpi_28": 250,
        "kpi_29": 0.067,
        "kpi_11": 2,
        "kpi_18": 3,
        "conversations_2028": 650,
        "freed_clients_2028": 650,
        "freed_hours_2028": 5200,
        "social_domain_2028": 520,
        "fte_2028": 5.8,
        "gp_consults_2029": 2000,
        "diversion_2029": 0.10,
    }
    assert {name: target.value for name, target in targets.items()} == promised
    assert targets["kpi_24"].date == dt.date(2027, 6, 30)
    assert targets["kpi_24"].baseline == dt.date(2025, 1, 1)
    assert targets["kpi_20"].baseline == targets["kpi_29"].baseline == dt.date(2025, 10, 1)


def test_a_target_says_the_same_as_the_figure_and_the_kpi_it_stands_for() -> None:
    book = load_figures()
    due = {f"kpi_{kpi.nr}": kpi.date for kpi in load_kpis()}
    for target in load_targets():
        if target.id.startswith("kpi_"):
            assert target.value == book.value(f"kpi_numbers.{target.id}"), target.id
            assert target.date == due[target.id], target.id
    same = {
        "conversations_2028": "functions.conversations",
        "freed_clients_2028": "impact.freed_clients",
        "freed_hours_2028": "impact.freed_hours",
        "social_domain_2028": "impact.extra_social_domain",
        "fte_2028": "impact.extra_fte",
        "gp_consults_2029": "gp.fewer_promised",
        "diversion_2029": "functions.diversion",
    }
    for target in load_targets():
        if target.id in same:
            assert target.value == book.value(same[target.id], target.date), target.id


def test_met_reads_the_comparison() -> None:
    targets = {target.id: target for target in load_targets()}
    assert targets["kpi_17"].met(215)
    assert not targets["kpi_17"].met(214.9)
    assert targets["fte_2028"].met(5.8)
    assert not targets["fte_2028"].met(5.81)
    assert not targets["kpi_17"].met(float("nan"))


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ('comparison = ">"', r"targets\.toml: t\.comparison: found '>'; expected one of >=, <="),
        ('value = "10"', r"targets\.toml: t\.value: found '10'; expected a number"),
        ("value = nan", r"targets\.toml: t\.value: found nan; expected a number"),
        ("value = inf", r"targets\.toml: t\.value: found inf; expected a number"),
        ('quantity = "heads"', r"targets\.toml: t\.quantity: found 'heads'; expected one of conversations, diversion"),
        ("date = 2030-12-31", r"targets\.toml: t\.date: found 2030-12-31; expected a day in the years .* 2025 to 2029"),
        ("date = 2027-06-30T12:00:00", r"targets\.toml: t\.date: found datetime\.datetime.*; expected a date"),
        ("note = 3", r"targets\.toml: t\.note: found 3; expected a text"),
        ('date = "2027"', r"targets\.toml: t\.date: found '2027'; expected a date"),
        ("weight = 1", r"targets\.toml: t: found the attribute 'weight'; expected only"),
        ("unit = 3", r"targets\.toml: t\.unit: found 3; expected a text"),
    ],
)
def test_a_bad_target_is_refused(tmp_path: Path, entry: str, message: str) -> None:
    good = {
        "quantity": '"conversations"',
        "value": "1",
        "comparison": '">="',
        "date": "2027-06-30",
        "unit": '"x"',
        "source": '"TP"',
        "section": '"5.3"',
    }
    name, _, value = entry.partition(" = ")
    lines = [f"{key} = {found}" for key, found in {**good, name: value}.items()]
    (tmp_path / "targets.toml").write_text('holds = "targets"\n[t]\n' + "\n".join(lines), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_targets(tmp_path)


def test_a_target_without_a_date_is_refused(tmp_path: Path) -> None:
    (tmp_path / "targets.toml").write_text('holds = "targets"\n[t]\nquantity = "x"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"targets\.toml: t: found no value"):
        load_targets(tmp_path)


def test_a_region_without_promises_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"targets: found no targets\.toml"):
        load_targets(tmp_path)
    with pytest.raises(InputError, match=r"region .*: found no kpis\.toml"):
        load_kpis(tmp_path)


def test_a_bad_kpi_is_refused(tmp_path: Path) -> None:
    (tmp_path / "kpis.toml").write_text('holds = "kpis"\n[[kpi]]\nnr = 1\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"kpis\.toml: entry 1\.nr: found 1; expected a str"):
        load_kpis(tmp_path)
    (tmp_path / "kpis.toml").write_text('holds = "kpis"\n[[kpi]]\nnumber = 1\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"kpis\.toml: entry 1: found the attribute 'number'"):
        load_kpis(tmp_path)
