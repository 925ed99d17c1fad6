"""Figures are citations: what is not one is refused, with a message that names file, key, found and expected."""

from __future__ import annotations

import datetime as dt
import math
import subprocess
import sys
from pathlib import Path

import pytest

from flowsim.errors import InputError
from flowsim.plan.figures import KINDS, load_figures

GOOD = {
    "value": "10",
    "unit": '"weeks"',
    "date": '"2024-12"',
    "source": '"TP"',
    "section": '"5.2"',
    "kind": '"published"',
}


def write(directory: Path, changes: dict[str, str | None], name: str = "wait") -> Path:
    entry = {**GOOD, **changes}
    lines = [f"{key} = {value}" for key, value in entry.items() if value is not None]
    (directory / "theme.toml").write_text(f"[{name}]\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return directory


def test_a_figure_keeps_its_citation(tmp_path: Path) -> None:
    (tmp_path / "sources.toml").write_text('holds = "sources"\n[TP]\ntitle = "The plan"\n', encoding="utf-8")
    write(tmp_path, {"low": "4", "high": "12", "note": '"rough"'})
    figure = load_figures(tmp_path)["theme.wait"]
    assert (figure.at(), figure.unit, figure.date, figure.kind) == (10.0, "weeks", "2024-12", "published")
    assert (figure.low, figure.high, figure.note) == (4.0, 12.0, "rough")
    assert (figure.source.document, figure.source.section) == ("The plan", "5.2")
    assert not figure.dated


def test_a_dated_figure_holds_until_its_next_value(tmp_path: Path) -> None:
    book = load_figures(write(tmp_path, {"value": '{ 2025 = 50, "2026-07-01" = 215, 2028 = 650 }'}))
    figure = book["theme.wait"]
    assert figure.dated
    assert figure.years == (2025, 2026, 2028)
    assert [book.value("theme.wait", year) for year in (2025, 2026, 2027, 2028, 2035)] == [50, 215, 215, 650, 650]
    assert book.value("theme.wait", dt.date(2026, 6, 30)) == 50
    assert book.value("theme.wait", dt.date(2026, 7, 1)) == 215
    with pytest.raises(InputError, match=r"theme\.wait.*2024-12-31.*2025-01-01"):
        book.value("theme.wait", 2024)
    with pytest.raises(InputError, match=r"theme\.wait: found no year; expected a year from 2025 on"):
        book.value("theme.wait")


@pytest.mark.parametrize("missing", sorted(GOOD))
def test_a_figure_that_lacks_part_of_its_citation_is_refused(tmp_path: Path, missing: str) -> None:
    with pytest.raises(InputError, match=rf"theme\.toml: wait: found no {missing}; expected .*unit.*source.*section"):
        load_figures(write(tmp_path, {missing: None}))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"unit": '""'}, r"theme\.toml: wait\.unit: found ''; expected a text"),
        ({"source": "3"}, r"theme\.toml: wait\.source: found 3; expected a text"),
        ({"section": '"  "'}, r"theme\.toml: wait\.section: found '  '; expected a text"),
        ({"kind": '"guess"'}, r"theme\.toml: wait\.kind: found 'guess'; expected one of published, derived, assumed"),
        ({"kind": '"assumed"'}, r"theme\.toml: wait: found an assumed figure without low and high; expected a range"),
        ({"low": "1"}, r"theme\.toml: wait: found a range without high; expected both"),
        ({"low": "11", "high": "12"}, r"theme\.toml: wait: found value 10 with range 11 to 12; expected low <= value"),
        ({"low": "12", "high": "8"}, r"theme\.toml: wait: found value 10 with range 12 to 8"),
        ({"low": "nan", "high": "12"}, r"theme\.toml: wait\.low: found nan; expected a finite number"),
        ({"value": "nan"}, r"theme\.toml: wait\.value: found nan; expected a finite number"),
        ({"value": "-inf"}, r"theme\.toml: wait\.value: found -inf; expected a finite number"),
        ({"value": "true"}, r"theme\.toml: wait\.value: found True; expected a finite number"),
        ({"value": '"10"'}, r"theme\.toml: wait\.value: found '10'; expected a finite number"),
        ({"value": "{}"}, r"theme\.toml: wait\.value: found an empty table"),
        ({"value": "{ 2025 = nan }"}, r"theme\.toml: wait\.value\.2025: found nan; expected a finite number"),
        ({"value": "{ soon = 1 }"}, r"theme\.toml: wait\.value: found 'soon'; expected a year"),
        ({"value": '{ 2025 = 1, "2025-01" = 2 }'}, r"theme\.toml: wait\.value: found a date that stands there twice"),
        ({"value": "{ 2025 = 1, 2026 = 9 }", "low": "0", "high": "5"}, r"found value 9 with range 0 to 5"),
        ({"date": '"last year"'}, r"theme\.toml: wait\.date: found 'last year'; expected a year"),
        ({"date": '"2024-13"'}, r"theme\.toml: wait\.date: found '2024-13'; expected a date that exists"),
        ({"confidence": "3"}, r"theme\.toml: wait: found the attribute 'confidence'; expected only value, unit"),
    ],
)
def test_a_bad_figure_is_refused(tmp_path: Path, changes: dict[str, str | None], message: str) -> None:
    with pytest.raises(InputError, match=message):
        load_figures(write(tmp_path, changes))


def test_a_number_without_a_table_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theme.toml").write_text("wait = 10\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"theme\.toml: wait: found 10; expected a table with value, unit, date"):
        load_figures(tmp_path)


def test_a_file_that_is_not_toml_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theme.toml").write_text("[wait\nvalue = ", encoding="utf-8")
    with pytest.raises(InputError, match=r"theme\.toml: .*expected valid TOML"):
        load_figures(tmp_path)
    (tmp_path / "theme.toml").write_bytes(b"[wait]\nunit = '\xff'\n")
    with pytest.raises(InputError, match=r"theme\.toml: found bytes that are not UTF-8"):
        load_figures(tmp_path)


def test_a_file_of_something_else_is_left_alone_only_when_it_says_so_first(tmp_path: Path) -> None:
    write(tmp_path, {})
    (tmp_path / "other.toml").write_text('holds = "targets"\nx = 1\n', encoding="utf-8")
    assert list(load_figures(tmp_path)) == ["theme.wait"]
    (tmp_path / "other.toml").write_text('x = { value = 1 }\nholds = "targets"\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"other\.toml"):
        load_figures(tmp_path)


def test_an_unknown_region_names_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"region: found 'atlantis'; expected one of .*amstelland"):
        load_figures("atlantis")
    with pytest.raises(InputError, match=r"expected a directory of TOML files"):
        load_figures(Path("no/such/place"))


def test_an_unknown_key_names_the_nearest() -> None:
    with pytest.raises(InputError, match=r"'functions\.conversation'; expected one of .*functions\.conversations"):
        load_figures().value("functions.conversation")
    with pytest.raises(InputError, match=r"expected one of [a-z_.]+, [a-z_.]+, [a-z_.]+$"):
        load_figures().value("functions.conversation")


def test_amstelland_holds_the_figures_that_the_model_calls_for() -> None:
    book = load_figures()
    expected = {  # looked up in the plans by hand
        "population.region": (170010, 2023),
        "demand.clients": (6491, None),
        "demand.smi": (1470, None),
        "demand.clients_per_10000_amstelveen": (408, None),
        "demand.clients_per_10000_aalsmeer": (307, None),
        "waiting.personality": (24, None),
        "waiting.trauma": (28, None),
        "waiting.somatic_symptom": (20.5, None),
        "functions.conversations": (650, 2029),
        "functions.consultations": (292, 2027),
        "functions.case_conferences": (91, 2026),
        "functions.transfers": (25, 2025),
        "business_case.cost_per_client": (2000, None),
        "impact.hours_per_client": (8, None),
        "public.treeknorm_total": (14, None),
        "public.abandonment_hazard": (0.007, None),
    }
    assert {key: book.value(key, year) for key, (_, year) in expected.items()} == {
        key: value for key, (value, _) in expected.items()
    }
    assert book["waiting.trauma"].date == "2022-05"
    assert sum(book.value(f"population.{m}") for m in ("amstelveen", "aalsmeer", "uithoorn", "ouder_amstel")) == 170010


def test_every_figure_of_amstelland_is_a_citation() -> None:
    book = load_figures()
    for key, figure in book.items():
        assert figure.kind in KINDS, key
        assert len(figure.source.document) > 8, f"{key} cites the code {figure.source.document!r} of no document"
        assert all(math.isfinite(value) for _, value in figure.values), key
        if figure.kind == "assumed":
            assert figure.low is not None, key
            assert figure.high is not None, key
            assert figure.low < figure.high, f"{key}: an assumption without doubt"


def test_loading_pulls_in_nothing_heavy() -> None:
    code = (
        "import sys; from flowsim.plan.figures import load_figures; load_figures(); "
        "print(sorted({'numpy', 'pandas', 'numba', 'pydantic', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
