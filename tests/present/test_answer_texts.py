"""The words of the answer: complete in both languages, and filled in from the tables."""

from __future__ import annotations

import datetime as dt
import re
import string
from typing import Any, get_args

import pytest
from present_tables import Made, two_sided

from flowsim.analysis import verdict
from flowsim.present.answer import Paragraph, Rows, as_json, blocks, print_blocks
from flowsim.present.progress import StudyProgress
from flowsim.present.texts import LANGUAGES, text, texts
from flowsim.present.wording import month, percent
from flowsim.scenario.load import default
from flowsim.scenario.schema import DEFAULTS, Settings
from flowsim.scenario.unknowns import UNKNOWNS
from flowsim.study.answer import READINGS, Answer
from flowsim.study.levers import lever


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences_with_the_same_gaps() -> None:
    nl, en = ({k: v for k, v in texts(lang).items() if k.startswith("answer.")} for lang in ("nl", "en"))
    assert nl.keys() == en.keys()
    assert len(nl) > 150
    for key, sentence in nl.items():
        assert sentence.strip()
        assert fields(sentence) == fields(en[key]), key


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_code_has_its_words(lang: str) -> None:
    known = texts(lang)
    wanted = {f"answer.{table}.{code}" for table in ("verdict", "chance") for code in verdict.CODES}
    wanted |= {f"answer.overall.{code}" for code in ("yes", "no", "uncertain", "depends")}
    wanted |= {f"answer.strength.{code}" for code in verdict.STRENGTHS}
    wanted |= {f"answer.{table}.{case}" for table in ("case", "meaning") for case in ("none", *READINGS, "diversion")}
    wanted |= {f"answer.unknown.{key}" for key in UNKNOWNS}
    wanted |= {f"answer.setting.{key}" for key in DEFAULTS}
    wanted |= {f"answer.month.{number}" for number in range(1, 13)}
    for key, field in Settings.model_fields.items():
        choices: list[Any] = [one for part in get_args(field.annotation) for one in get_args(part)] or [True, False]
        wanted |= {f"answer.value.{key}.{str(choice).lower()}" for choice in choices}
    assert wanted - set(known) == set()


def test_numbers_and_dates_as_the_language_writes_them() -> None:
    assert [percent("nl", share) for share in (0.0, 0.001, 0.126, 0.999, 1.0, float("nan"))] == [
        "0%",
        "<1%",
        "13%",
        ">99%",
        "100%",
        "-",
    ]
    day = dt.date(2028, 3, 9)
    assert month("nl", day) == "maart 2028"
    assert month("en", day) == "March 2028"


def test_the_first_sentence_follows_the_leading_reading(made: Made) -> None:
    answer, tables = made
    head = blocks(answer, tables, "en")[0]
    assert isinstance(head, Paragraph)
    codes = verdict.verdicts(answer)
    assert codes["leading"] == "net"
    first = next(line for line in head.lines if "This is for: Net treatment time" in line)
    assert first.startswith(text("en", f"answer.verdict.{codes['code']}") + ". ")
    assert percent("en", answer.probability("net").value) in first
    assert first.endswith(text("en", f"answer.overall.{codes['overall']}"))


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_holds_every_table_with_a_row_per_case(made: Made, lang: str) -> None:
    answer, tables = made
    parts = blocks(answer, tables, lang)
    by_title = {part.title: part for part in parts if isinstance(part, Rows)}
    for name in ("summary", "kpi24"):
        rows = by_title[text(lang, f"answer.table.{name}.title")].rows
        assert [row[0] for row in rows] == [text(lang, f"answer.case.{case}") for case in answer.cases]
    for name in ("lists", "waits"):
        part = by_title[text(lang, f"answer.table.{name}.title")]
        assert len(part.rows) == 2 * len(answer.cases)
        assert part.header[-5:] == ("2025", "2026", "2027", "2028", "2029")
    curve = by_title[text(lang, "answer.table.curve.title")]
    assert [row[0] for row in curve.rows] == ["0%", "5%", "10%", "15%", "20%", "30%"]
    for part in by_title.values():
        assert all(len(row) == len(part.header) for row in part.rows)
        assert all(cell.strip() for row in part.rows for cell in row)


def test_cells_are_the_numbers_of_the_tables(made: Made) -> None:
    answer, tables = made
    parts = {part.title: part for part in blocks(answer, tables, "en") if isinstance(part, Rows)}
    years = tables["years"]
    row = years[(years["case"] == "headcount") & (years["measure"] == "overdue") & (years["year"] == 2029)].iloc[0]
    lists = parts[text("en", "answer.table.lists.title")]
    cell = next(cells[-1] for cells in lists.rows if cells[:2] == ("Clients", "overdue"))
    assert cell == f"{row['mean']:,.0f} ({row['q05']:,.0f}-{row['q95']:,.0f})"
    wait = years[(years["case"] == "none") & (years["measure"] == "mean_wait") & (years["year"] == 2025)].iloc[0]
    waits = parts[text("en", "answer.table.waits.title")]
    assert waits.rows[0][2].startswith(f"{wait['mean'] / 7:.1f} (")


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("chosen", [0, 1234])
def test_futures_for_the_probabilities_alone_are_told_where_there_are(made: Made, lang: str, chosen: int) -> None:
    answer, tables = made
    summary = tables["summary"].copy()
    summary["chosen"] = [chosen if case == "headcount" else 0 for case in summary["case"]]
    parts = blocks(answer, {**tables, "summary": summary}, lang)
    told = text(lang, "answer.explain.chosen", chosen={"nl": "1.234", "en": "1,234"}[lang])
    lines = [line for part in parts if isinstance(part, Paragraph) for line in part.lines]
    assert (told in lines) == (chosen > 0)
    rows = next(x for x in parts if isinstance(x, Rows) and x.title == text(lang, "answer.table.summary.title")).rows
    for row, (_, one) in zip(rows, summary.iterrows(), strict=True):
        assert int(row[3].replace(".", "").replace(",", "")) == one["futures"] + one["chosen"]


def test_the_plans_own_promises_explain_the_readings(made: Made) -> None:
    heading = text("nl", "answer.why.title", year=2028)
    parts = blocks(*made, "nl")
    why = next(part for part in parts if isinstance(part, Paragraph) and part.heading == heading)
    numbers = [re.findall(r"\d[\d.,]*", line)[0].rstrip(",") for line in why.lines]
    assert numbers == ["650", "499", "272", "316"]


def test_the_plans_promises_are_those_of_the_year_in_which_the_network_runs_in_full(made: Made) -> None:
    answer, tables = made
    later = lever(default(), "start").turn(default(), 12.0)
    parts = blocks(Answer(later, 5, 0.2, answer.cases), {k: v for k, v in tables.items() if k != "curve"}, "nl")
    heading = text("nl", "answer.why.title", year=2029)
    why = next(part for part in parts if isinstance(part, Paragraph) and part.heading == heading)
    assert re.findall(r"\d[\d.,]*", why.lines[0])[0].rstrip(",") == "650"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_scenario_says_what_it_changed_and_why(made: Made, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    answer, tables = made
    scenario = default().with_settings("mine", transfers="fade", stop_policy=True)
    scenario = scenario.with_figure("assumptions.demand_growth", 0.025, "somebody measured it")
    changed = Answer(scenario, 5, 0.2, answer.cases, interrupted=True)
    print_blocks(blocks(changed, {k: v for k, v in tables.items() if k != "curve"}, lang))
    out = " ".join(capsys.readouterr().out.split())
    assert "somebody measured it" in out
    assert ("2,5%" if lang == "nl" else "2.5%") in out
    assert text(lang, "answer.value.transfers.fade") in out
    assert text(lang, "answer.head.interrupted").split(":")[0] in out
    assert text(lang, "answer.used.no_changes") not in out
    assert text(lang, "answer.table.curve.title") not in out


def test_the_unknowns_are_told_with_direction_and_strength(made: Made) -> None:
    answer, tables = made
    rows = [
        {"case": "net", "unknown": "assumptions.demand_growth", **two_sided(0.62, 0.1)},
        {"case": "net", "unknown": "assumptions.reneging_share", **two_sided(-0.35, 0.1)},
        {"case": "net", "unknown": "assumptions.smi_wait", **two_sided(0.05, 0.1)},
    ]
    table = tables["unknowns"]
    other = table[table["case"] != "net"]
    replaced = {**tables, "unknowns": type(table)([*rows, *other.to_dict("records")])}
    title = text("en", "answer.table.unknowns.title", case="Net treatment time", year=2029)
    shown = next(part for part in blocks(answer, replaced, "en") if isinstance(part, Rows) and part.title == title)
    assert [row[1] for row in shown.rows] == [
        "more people overdue (strong)",
        "fewer people overdue (moderate)",
        "not shown",
    ]
    assert shown.rows[0][2:] == ("0.62 (0.52 to 0.72)", "50% → 10%")


def test_json_holds_what_programs_need(made: Made) -> None:
    answer, tables = made
    document = as_json(answer, tables, {"manifest": "m.json"})
    assert document["verdict"]["cases"].keys() == answer.cases.keys()
    assert [row["case"] for row in document["summary"]] == list(answer.cases)
    assert {"years", "unknowns", "settings", "seed", "half_width", "interrupted", "manifest"} <= document.keys()
    assert document["settings"]["reading"] == "net"


# ---------------------------------------------------------------- progress


def test_progress_without_a_terminal_is_a_line_per_step(capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress("en") as progress:
        for done in range(1, 97):
            progress("none", done, 96)
        progress("none: second runs", 4, 4)
        progress("diversion", 6, 36)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(" of ")[0] for line in lines] == [
        "No network: 96",
        "No network: again with other chance: 4",
        "Other shares diverted: 6",
    ]


def test_progress_can_be_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with StudyProgress("en", silent=True) as progress:
        progress("none", 1, 2)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


def test_the_first_day_is_told_with_what_it_misses(made: Made) -> None:
    answer, tables = made
    calibration = tables["calibration"].copy()
    calibration["stands"] = calibration["target"] != "wait_trauma_2029"
    parts = blocks(answer, {**tables, "calibration": calibration}, "nl")
    start = next(part for part in parts if isinstance(part, Paragraph) and part.heading == "Klopt de begindag?")
    assert f"Van de {len(calibration)} " in start.lines[0]
    assert f"liggen er {len(calibration) - 1} binnen" in start.lines[0]
    (miss,) = start.lines[1:]
    assert "weken wachten bij trauma in 2029" in miss
    assert miss.endswith("volgens de bron 28.")
