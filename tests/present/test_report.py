"""The report: what it says are the tables' numbers; its PDF is tagged, has alternative texts and is the same again."""

from __future__ import annotations

import io
import json
import re
import string
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from importlib import resources
from itertools import pairwise
from typing import Any

import pandas as pd
import pytest
from present_tables import Made
from pypdf import PdfReader
from pypdf.generic import DictionaryObject

from flowsim.analysis import answers, verdict
from flowsim.analysis.beside import Contender, contender, side_by_side
from flowsim.analysis.statistics import Estimate
from flowsim.errors import InputError
from flowsim.plan.targets import load_targets
from flowsim.present.answer import Rows
from flowsim.present.report import charts, make_report
from flowsim.present.report.account import Account
from flowsim.present.report.blocks import LETTERS, LIGHTS, bullets, figure, heading, light, paragraphs, table
from flowsim.present.report.content import document
from flowsim.present.report.document import figures_of, readable, typeset
from flowsim.present.report.route import FUNCTIONS, flows
from flowsim.present.report.story import Story
from flowsim.present.report.webpage import webpage
from flowsim.present.texts import LANGUAGES, format_number, text, texts
from flowsim.present.wording import percent
from flowsim.scenario.load import Change, Scenario, default
from flowsim.study.answer import Answer, cases_of
from flowsim.study.beside import in_the_same_futures

HOSTILE = (
    '#panic("x") $ x^2 $ *b* _i_ `raw` @ref <label> [c] ]) // /* \\u{41} "quoted" #read("/etc/passwd") = H\n\n= I {} %s'
)
DOT = "<svg xmlns='http://www.w3.org/2000/svg' width='600' height='220'><circle cx='40' cy='40' r='3'/></svg>"


@dataclass
class Report:
    """A report, and all that can be read in it, with single spaces."""

    content: dict[str, Any]
    pdf: bytes
    reader: PdfReader
    said: str


def words(content: dict[str, Any]) -> str:
    """What can be read in a document; its pictures, which take long to read and hold no words, are left out."""
    blocks = [{**block, "svg": DOT} if block["kind"] == "figure" else block for block in content["blocks"]]
    reader = PdfReader(io.BytesIO(typeset({**content, "blocks": blocks})))
    return " ".join(" ".join(page.extract_text() for page in reader.pages).replace("\u00a0", " ").split())


def made_of(answer: Answer, tables: Any, lang: str, others: Any = ()) -> Report:
    content = document(answer, tables, lang, others)
    pdf = typeset(content)
    return Report(content, pdf, PdfReader(io.BytesIO(pdf)), words(content))


@pytest.fixture(scope="module")
def reports(made: Made) -> dict[str, Report]:
    return {lang: made_of(*made, lang) for lang in LANGUAGES}


@pytest.fixture
def without_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """For tests of words: drawing takes the most time."""
    monkeypatch.setattr(charts, "svg", lambda draw: DOT)


# ---------------------------------------------------------------- words


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_have_the_same_sentences_with_the_same_gaps() -> None:
    nl, en = ({k: v for k, v in texts(lang).items() if k.startswith("report.")} for lang in LANGUAGES)
    assert nl.keys() == en.keys()
    assert len(nl) > 150
    for key, sentence in nl.items():
        assert sentence.strip()
        assert fields(sentence) == fields(en[key]), key


def test_every_promise_and_verdict_has_its_words() -> None:
    for lang in LANGUAGES:
        known = texts(lang)
        assert {f"targets.promise.{one.id}" for one in load_targets()} <= set(known)
        assert {f"report.sentence.{code}" for code in verdict.CODES} <= set(known)
        assert {f"report.light.{sign}" for sign in LIGHTS.values()} <= set(known)
    assert set(LIGHTS) == {*verdict.CODES, "none"}


def test_the_template_holds_no_sentence() -> None:
    template = resources.files("flowsim.present.report").joinpath("report.typ").read_text(encoding="utf-8")
    code = re.sub(r"//.*", "", template)
    strings = re.findall(r'"([^"]*)"', code)
    fonts = {"DejaVu Sans", "Libertinus Serif", "Last Resort High-Efficiency"}
    assert [one for one in strings if re.search(r"[A-Za-z]{2,} [A-Za-z]{2,}", one) and one not in fonts] == []
    assert re.search(r"\[[^\]#]*[A-Za-z]{2,}[^\]]*\]", code) is None  # no content block with letters
    assert "eval" not in code
    assert "#import" not in code
    assert "read(" not in code


def test_the_method_says_how_precise_the_probabilities_are(made: Made) -> None:
    """As precise as was asked; with fewer futures than that takes, as precise as the least certain is."""
    answer, tables = made
    ends = [answer.probability(name) for name in answer.cases]
    widest = max((one.high - one.low) / 2 for one in ends)
    for asked, code, width in ((1.01 * widest, "precise", 1.01 * widest), (0.5 * widest, "imprecise", widest)):
        said = Account(replace(answer, half_width=asked), tables, "nl").precision()
        assert said == text("nl", f"report.method.{code}", width=format_number("nl", 100.0 * width, 1))
    assert fields(texts("nl")["report.method.futures"]) >= {"precision"}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_headline_is_the_tables_number(made: Made, reports: dict[str, Report], lang: str) -> None:
    answer, tables = made
    said = reports[lang].said
    leading = verdict.verdicts(answer)["leading"]
    for row in tables["summary"].to_dict("records"):
        ends = {"low": percent(lang, row["cleared_low"]), "high": percent(lang, row["cleared_high"])}
        assert text(lang, "answer.estimate", value=percent(lang, row["cleared"]), **ends) in said
    code = verdict.verdicts(answer)["code"]
    estimate = answer.probability(leading)
    sentence = text(
        lang,
        f"report.sentence.{code}",
        p=percent(lang, estimate.value),
        count=round(100 * estimate.value),
        year=2029,
        low=percent(lang, estimate.low),
        high=percent(lang, estimate.high),
        case=text(lang, f"answer.case.{leading}"),
    )
    assert sentence in said
    years = tables["years"]
    for case in answer.cases:
        for measure in ("waiting", "overdue"):
            rows = years[(years["case"] == case) & (years["measure"] == measure) & (years["year"] == 2029)]
            mean, low, high = (format_number(lang, rows.iloc[0][name]) for name in ("mean", "q05", "q95"))
            assert f"{mean} ({low}-{high})" in said


def test_numbers_and_dates_are_those_of_the_language(made: Made, reports: dict[str, Report]) -> None:
    nl, en = (reports[lang].said for lang in LANGUAGES)
    assert "31-12-2029" in nl
    assert "2029-12-31" in en
    _, tables = made
    years = tables["years"]
    (mean,) = years[(years["case"] == "none") & (years["measure"] == "waiting") & (years["year"] == 2029)]["mean"]
    assert mean > 1000.0
    assert f"{mean:,.0f}".replace(",", ".") in nl
    assert f"{mean:,.0f}" in en


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_promise_has_a_light_that_is_no_mere_colour(made: Made, reports: dict[str, Report], lang: str) -> None:
    _, tables = made
    content, said = reports[lang].content, reports[lang].said
    found = next(block for block in content["blocks"] if block.get("caption") == text(lang, "report.table.targets"))
    targets = tables["targets"]
    assert [row[0] for row in found["rows"]] == [text(lang, f"targets.promise.{one.id}") for one in load_targets()]
    for row, promise in zip(found["rows"], load_targets(), strict=True):
        for cell, case in zip(row[4:7], ("headcount", "capacity", "net"), strict=True):
            judged = targets[(targets["case"] == case) & (targets["target"] == promise.id)].iloc[0]
            if not judged["simulated"]:
                assert cell == {"light": "absent", "text": text(lang, "report.not_simulated")}
                continue
            code = verdict.chance(judged["probability_low"], judged["probability_high"])
            assert cell == {"light": LIGHTS[code], "text": percent(lang, judged["probability"])}
    for sign, key in (("✔", "met"), ("✘", "missed"), ("◆", "unsure"), ("○", "absent")):
        assert f"{sign} {text(lang, f'report.light.{key}', even=percent(lang, 0.5))}" in said


def test_euros_are_given_within_both_boundaries(made: Made, reports: dict[str, Report]) -> None:
    _, tables = made
    content = reports["en"].content
    caption = text("en", "report.table.euros", case="Net treatment time")
    rows = {row[0]: row[1:] for b in content["blocks"] if b.get("caption") == caption for row in b["rows"]}
    euros = tables["euros"]
    for line in ("net_effect", "net_of_social_domain"):
        own = euros[(euros["case"] == "net") & (euros["line"] == line)].sort_values("year")["mean"]
        shown = [int(cell.replace("−", "-").replace(",", "")) for cell in rows[text("en", f"euros.line.{line}")]]
        assert shown[:-1] == [round(value / 1000.0) for value in own]
        assert shown[-1] == round(own.sum() / 1000.0)
    assert rows[text("en", "report.printed.net_effect")][:2] == ["15", "113"]  # TP 7.1: 14,928 and 112,905


def test_the_plan_is_recomputed_with_a_place_for_each_discrepancy(reports: dict[str, Report]) -> None:
    content = reports["nl"].content
    table = next(block for block in content["account"] if block.get("note") == text("nl", "report.note.plan"))
    assert all(all(cell.strip() for cell in row) for row in table["rows"])
    assert any("KPI 27: 2027:\u00a0486\u00a0→\u00a0436" in row[1] for row in table["rows"])
    assert "615 controles" in reports["nl"].said


def test_the_glossary_explains_terms_in_alphabetical_order(reports: dict[str, Report]) -> None:
    for report in reports.values():
        (terms,) = (block["items"] for block in report.content["account"] if block["kind"] == "terms")
        names = [name.casefold() for name, _ in terms]
        assert names == sorted(names)
        assert len(names) >= 12


# ---------------------------------------------------------------- the PDF


def elements(node: Any, kind: str) -> list[DictionaryObject]:
    """Elements of the structure tree with a tag."""
    node = node.get_object()
    found = [node] if isinstance(node, DictionaryObject) and node.get("/S") == kind else []
    below = node.get("/K", []) if isinstance(node, DictionaryObject) else []
    for one in below if isinstance(below, list) else [below]:
        if isinstance(one.get_object(), DictionaryObject):
            found += elements(one, kind)
    return found


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_pdf_is_tagged_and_names_its_language_and_title(reports: dict[str, Report], lang: str) -> None:
    content, pdf, reader = reports[lang].content, reports[lang].pdf, reports[lang].reader
    root = reader.trailer["/Root"]
    assert root["/Lang"] == lang
    assert root["/MarkInfo"]["/Marked"]
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert reader.metadata is not None
    assert reader.metadata.title == content["title"]
    assert b"<pdfuaid:part>1</pdfuaid:part>" in root["/Metadata"].get_object().get_data()
    assert b"CreationDate" not in pdf
    tree = root["/StructTreeRoot"]
    assert len(elements(tree, "/H1")) >= 8
    assert len(elements(tree, "/TH")) > 20


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_figure_has_an_alternative_text(reports: dict[str, Report], lang: str) -> None:
    content, reader = reports[lang].content, reports[lang].reader
    pictures = figures_of(content["blocks"])
    assert len(pictures) == 6
    found = elements(reader.trailer["/Root"]["/StructTreeRoot"], "/Figure")
    assert [str(one["/Alt"]) for one in found if "/Alt" in one] == [block["alt"] for block in pictures]
    assert all("/Alt" in one for one in found)
    for block in pictures:
        assert len(block["alt"]) > 60
        assert block["note"].endswith(".")


def test_pages_are_a4_and_numbered(reports: dict[str, Report]) -> None:
    for report in reports.values():
        pages = report.reader.pages
        assert 6 <= len(pages) <= 10
        assert {tuple(round(float(side)) for side in page.mediabox[2:]) for page in pages} == {(595, 842)}
        for number in (4, len(pages)):  # without pictures, which take long to read
            assert f"{number} / {len(pages)}" in pages[number - 1].extract_text()


def test_fonts_are_embedded_and_the_same_on_every_machine(reports: dict[str, Report]) -> None:
    fonts: dict[str, Any] = {}
    for page in reports["nl"].reader.pages:
        for font in page["/Resources"]["/Font"].values():
            below = font.get_object()["/DescendantFonts"][0].get_object()
            fonts[below["/BaseFont"].split("+")[1]] = below["/FontDescriptor"].get_object()
    assert all(descriptor.keys() & {"/FontFile2", "/FontFile3"} for descriptor in fonts.values())
    assert {re.split(r"[-]", name)[0] for name in fonts} == {"DejaVuSans", "LibertinusSerif"}


def test_the_same_answer_gives_the_same_bytes(made: Made, reports: dict[str, Report]) -> None:
    assert make_report(*made, "nl") == reports["nl"].pdf


@pytest.mark.usefixtures("without_pictures")
def test_a_chapter_goes_on_below_a_few_lines_and_else_begins_a_page(made: Made) -> None:
    """One sentence too many on the first page would otherwise leave the second one empty."""
    content = document(*made, "nl")
    assert [block["text"] for block in content["blocks"] if block.get("room")] == [text("nl", "report.heading.waiting")]
    chapter = heading("Hoofdstuk", room=True)
    for filled, expected in ((20, 1), (50, 2), (70, 2), (110, 3)):
        blocks = [bullets(*["Een regel."] * filled), chapter, paragraphs("Tekst.")]
        pages = PdfReader(io.BytesIO(typeset({**content, "blocks": blocks, "account": []}))).pages
        assert len(pages) == expected, filled
        assert "Hoofdstuk" in pages[-1].extract_text()


@pytest.mark.usefixtures("without_pictures")
def test_a_heading_and_its_words_stand_with_their_chart_and_a_long_table_begins_with_some_rows(made: Made) -> None:
    """However full the page is."""
    content = document(*made, "nl")
    chart = [heading("Hoeveel?"), paragraphs("Zoveel."), figure(DOT, "Hierboven de kop", "zoveel", "Een noot")]
    rows = table(["Wat", "Aantal"], [[f"Regel {i:02d}", "1"] for i in range(12)], [0, 0], caption="Een lange tabel")
    moved = set()
    for filled in range(30, 62, 2):
        for after, together in (
            (chart, ("Hoeveel?", "Zoveel.", "Een noot")),
            ([rows], ("Een lange", "Regel 00", "Regel 02")),
        ):
            blocks = [bullets(*["Een regel."] * filled), *after]
            pages = PdfReader(io.BytesIO(typeset({**content, "blocks": blocks, "account": []}))).pages
            told = [page.extract_text().replace("\u00a0", " ") for page in pages]
            places = {next(i for i, page in enumerate(told) if words in page) for words in together}
            assert len(places) == 1, (filled, together)
            moved |= {(together[0], *places)}
    assert moved == {("Hoeveel?", 0), ("Hoeveel?", 1), ("Een lange", 0), ("Een lange", 1)}


@pytest.mark.usefixtures("without_pictures")
def test_what_stands_before_a_long_table_is_not_under_it(made: Made) -> None:
    """The look at whether it fits takes no room, and gives none away."""
    content = document(*made, "nl")
    rows = table(["Wat", "Aantal"], [[f"Regel {i:02d}", "1"] for i in range(12)], [0, 0], caption="Een lange tabel")
    lights = {"kind": "lights", "cells": [light("none", "Erboven.")]}
    for before in (lights, paragraphs("Erboven."), {"kind": "small", "lines": ["Erboven."]}):
        pages = PdfReader(io.BytesIO(typeset({**content, "blocks": [before, rows], "account": []}))).pages
        heights: dict[str, float] = {}

        def look(words: str, page: Any, line: Any, *_: Any, found: dict[str, float] = heights) -> None:
            for name in ("Erboven", "Een lange"):
                if name in words.replace("\u00a0", " "):
                    found[name] = line[4] * page[1] + line[5] * page[3] + page[5]

        pages[0].extract_text(visitor_text=look)
        assert heights["Erboven"] - heights["Een lange"] > 14.0, before


def test_the_last_page_is_used(reports: dict[str, Report]) -> None:
    for report in reports.values():
        assert len(report.reader.pages) <= 9
        assert len(report.reader.pages[-1].extract_text()) > 1500


# ---------------------------------------------------------------- hostile names


@pytest.mark.usefixtures("without_pictures")
def test_names_in_a_scenario_stay_words(made: Made) -> None:
    answer, tables = made
    hostile = replace(default(), title=HOSTILE, files=("x.toml",))
    before = hostile.book.figure("assumptions.demand_growth")
    change = Change("assumptions.demand_growth", before, replace(before, low=None, high=None), HOSTILE, "../../x")
    changed = replace(hostile, changes=(change,))
    other = replace(answer, scenario=changed, cases={"net": answer.cases["net"]})
    content = document(replace(answer, scenario=changed), tables, "nl", [(other, tables)])
    assert content["subtitle"] == HOSTILE
    said = words(content)
    expected = " ".join(HOSTILE.split())
    assert said.replace("- ", "").count('#read("/etc/passwd")') >= 4  # title, running head, changes, comparison
    assert f"want: {expected}" in said
    assert "root:" not in said


@pytest.mark.usefixtures("without_pictures")
@pytest.mark.parametrize("title", ["漢字 😀 \u202eevil", "a\u0000b\u001bc", "Ω" * 300])
def test_characters_that_cannot_be_printed_do_not_stop_it(made: Made, title: str) -> None:
    answer, tables = made
    scenario = replace(default(), title=title, files=("x.toml",))
    assert typeset(document(replace(answer, scenario=scenario), tables, "en")).startswith(b"%PDF")


def test_characters_that_hide_or_turn_words_are_shown_as_a_question_mark() -> None:
    assert readable({"a": ["\u202eevil\u0000", "ë €\u00a0→\n"], "svg": "\u0000", "n": 3}) == {
        "a": ["?evil?", "ë €\u00a0→\n"],
        "svg": "\u0000",
        "n": 3,
    }


def test_scenario_names_get_into_no_picture(made: Made) -> None:
    """Matplotlib would read formulas between dollars; scenarios are letters there."""
    answer, tables = made
    other = replace(answer, scenario=replace(default(), title=r"$\frac{", files=("x.toml",)))
    made_up = Story(answer, tables, "nl", [(other, tables)]).comparison()
    assert len(figures_of(made_up)) == 1


# ---------------------------------------------------------------- other scenarios


def tabled(answer: Answer) -> dict[str, pd.DataFrame]:
    return {"futures": answers.futures(answer), "fan": answers.fan(answer)}


def test_scenarios_are_compared_future_by_future(made: Made) -> None:
    answer, tables = made
    more = default().with_figure("assumptions.demand_growth", 0.03, "a test")
    (other,) = in_the_same_futures(answer, [more])
    assert list(other.cases) == ["net"]
    assert len(other.cases["net"].futures) == len(answer.cases["net"].futures)
    report = made_of(answer, tables, "en", [(other, tabled(other))])
    pair = [
        contender(name, "net", t, a.probability("net"))
        for name, a, t in (("A", answer, tables), ("B", other, tabled(other)))
    ]
    row = side_by_side(pair).iloc[1]
    ends = [[float(f.by_programme[-1, :, 0].sum()) for f in one.cases["net"].futures] for one in (answer, other)]
    differences = [b - a for a, b in zip(*ends, strict=True)]
    assert row["waiting_difference"] == pytest.approx(sum(differences) / len(differences))
    assert row["waiting_difference"] > 0.0
    assert row["pairs"] == 16
    assert f"+{row['waiting_difference']:,.0f} (" in report.said
    assert "because: a test" in report.said
    assert 6 <= len(report.reader.pages) <= 10
    assert len(figures_of(report.content["blocks"])) == 7


def test_scenarios_have_the_colours_that_they_have_on_the_page() -> None:
    from flowsim.present.app.charts import SCENARIOS

    each = [contestant(letter, "net") for letter in "BADC"] + [contestant("Geen netwerk", "none")]
    looks = charts.looks(each, True)
    assert [colour for colour, _ in looks[:4]] == [SCENARIOS[LETTERS.index(one.name)] for one in each[:4]]
    assert len({colour for colour, _ in looks}) == 5
    assert len({str(line) for _, line in looks}) == 5


def contestant(name: str, case: str) -> Contender:
    return Contender(name, case, pd.DataFrame(), pd.DataFrame(), Estimate(0.1, 0.0, 0.2, 16))


def test_no_line_to_a_name_runs_through_another_name() -> None:
    """Five lines, of which two end at nearly the same place."""
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    figure = Figure(figsize=(charts.WIDTH, 2.55), layout="constrained")
    axes = figure.subplots(1, 2)[0]
    axes.set_ylim(0.0, 1300.0)
    labels = ["Scenario B", "Scenario A", "Scenario C", "Scenario D", "Geen netwerk"]
    charts._names(axes, [200.0, 622.0, 553.0, 905.0, 636.0], labels, ["#000000"] * 5)
    figure.draw_without_rendering()
    names = [one for one in axes.texts if one.get_text() in labels]
    assert len(names) == 5
    for one in names:
        line = one.arrow_patch.get_transform().transform_path(one.arrow_patch.get_path())
        others = (other for other in names if other is not one)
        for other in others:
            assert not line.intersects_bbox(Text.get_window_extent(other), filled=False), (one, other)


def test_differences_from_no_network_are_those_of_the_answer(made: Made) -> None:
    answer, tables = made
    rows = side_by_side([contender(name, name, tables, answer.probability(name)) for name in answer.cases])
    for row in tables["differences"].to_dict("records"):
        own = rows[rows["case"] == row["case"]].iloc[0]
        measure = row["measure"].removesuffix("_2029")
        for end in ("", "_low", "_high"):
            assert own[f"{measure}_difference{end}"] == pytest.approx(row[f"difference{end}"])


@pytest.mark.usefixtures("without_pictures")
@pytest.mark.usefixtures("without_pictures")
@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_table_says_again_what_its_heading_says(made: Made, monkeypatch: pytest.MonkeyPatch, lang: str) -> None:
    title = text(lang, "sensitivity.first.title", case="x")
    first = Rows(title, ("a", "b", "c"), (("a", "1", "2"),), notes=("note",))
    monkeypatch.setattr(Story, "measure_first", lambda _: first)
    blocks = document(*made, lang)["blocks"]
    assert title in {block.get("caption") for block in blocks}
    pairs = [(one["text"], after.get("caption") or "") for one, after in pairwise(blocks) if one["kind"] == "heading"]
    assert len(pairs) > 5
    assert [said for head, said in pairs if said.startswith(head)] == []


@pytest.mark.parametrize("network", ["none", "diversion"])
def test_a_scenario_without_functions_has_a_report_too(made: Made, network: str) -> None:
    answer, _ = made
    scenario = default().with_settings(network, network=network).with_figure("functions.diversion", 0.2, "a test")
    cases = {"none": answer.cases["none"]}
    if network == "diversion":
        cases["diversion"] = replace_scenario(answer.cases["capacity"], cases_of(scenario)["diversion"])
    other = Answer(scenario, 5, 0.2, cases, curve=answer.curve, calibration=answer.calibration)
    for lang in LANGUAGES:
        report = made_of(other, other.tables, lang)
        assert 6 <= len(report.reader.pages) <= 10
        said = report.said
        assert text(lang, "report.euros.nothing") in said
        assert (text(lang, "report.targets.nothing") in said) == (network == "none")
        assert (text(lang, "report.comparison.nothing") in said) == (network == "none")
        assert report.content["title"] in said
        question = next(block for block in report.content["blocks"] if block["kind"] == "text")
        assert "10%" in question["lines"][0]  # the plan's promise, whatever the scenario diverts


def replace_scenario(case: Any, scenario: Scenario) -> Any:
    """The case's futures under another scenario's name."""
    from flowsim.study.futures import Case

    made = Case("diversion", scenario)
    made.futures, made.second_runs, made.drawn = case.futures, case.second_runs, case.drawn
    return made


@pytest.mark.usefixtures("without_pictures")
def test_an_interrupted_answer_says_so_at_once(made: Made) -> None:
    answer, tables = made
    content = document(replace(answer, interrupted=True), tables, "nl")
    notice = text("nl", "answer.head.interrupted")
    assert [block["text"] for block in content["blocks"] if block["kind"] == "notice"] == [notice]
    assert notice in PdfReader(io.BytesIO(typeset(content))).pages[0].extract_text().replace("\n", " ")


def test_the_route_adds_up(made: Made) -> None:
    answer, tables = made
    for case in answer.cases:
        flow = flows(tables, case, 2029)
        grown = flow["waiting"] - flow["before"]
        # Arrivals count who joins a second list; those places lapse without a start or a name on the list.
        assert flow["referred"] - flow["starts"] - flow["reneged"] == pytest.approx(grown, abs=0.02 * flow["referred"])
        assert (sum(flow[name] for name in FUNCTIONS) > 0.0) == (case != "none")


@pytest.mark.parametrize(("others", "found"), [(1, "seeds 5 and 6"), (4, "5")])
def test_what_cannot_be_compared_is_refused(made: Made, others: int, found: str) -> None:
    answer, tables = made
    with pytest.raises(InputError, match=found):
        make_report(answer, tables, "nl", [(replace(answer, seed=6), tables)] * others)


def test_content_is_plain_data(reports: dict[str, Report]) -> None:
    content = reports["nl"].content
    assert json.loads(json.dumps(content)) == content


def test_four_scenarios_fit_on_ten_pages_too(made: Made) -> None:
    answer, tables = made
    content = document(answer, tables, "nl", [(answer, tabled(answer))] * 3)  # Dutch takes the most room
    assert 6 <= len(PdfReader(io.BytesIO(typeset(content))).pages) <= 10


# ---------------------------------------------------------------- HTML


class Page(HTMLParser):
    """What a page holds: tags, attributes, words."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]

    @property
    def said(self) -> str:
        return " ".join(self.words.replace("\u00a0", " ").split())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_page_says_what_the_document_says(reports: dict[str, Report], lang: str) -> None:
    content = reports[lang].content
    page = Page(webpage(content))
    said = page.said

    def strings(value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        return [one for item in value for one in strings(item)] if isinstance(value, list) else []

    for block in (*content["blocks"], *content["account"]):
        for key in ("text", "lines", "items", "title", "word", "caption", "note", "header", "rows"):
            for words in strings(block.get(key, [])):
                assert " ".join(words.replace("\u00a0", " ").split()) in said, words
    assert page.all("html")[0]["lang"] == lang
    assert [one["alt"] for one in page.all("img")] == [block["alt"] for block in figures_of(content["blocks"])]
    assert len(page.all("table")) == len(page.all("caption")) > 8
    assert all(one.get("scope") in ("col", "row") for one in page.all("th"))
    assert len(page.all("h1")) == 1
    assert {one["href"] for one in page.all("a")} <= {f"#{one['id']}" for one in page.all("h2")}


def test_the_page_loads_nothing_and_runs_nothing(made: Made) -> None:
    content = make_report(*made, "nl", form="html")
    page = Page(content)
    assert not {"script", "link", "iframe", "object", "form"} & {tag for tag, _ in page.tags}
    policy = next(one["content"] for one in page.all("meta") if "http-equiv" in one)
    assert policy is not None
    assert "default-src 'none'" in policy
    assert all(str(one["src"]).startswith("data:image/svg+xml;base64,") for one in page.all("img"))
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert make_report(*made, "nl", form="html") == content


@pytest.mark.usefixtures("without_pictures")
@pytest.mark.parametrize("title", [HOSTILE, "<script>alert(1)</script>", '" onload="x', "\u202eevil"])
def test_names_stay_words_on_the_page(made: Made, title: str) -> None:
    answer, tables = made
    scenario = replace(default(), title=title, files=("x.toml",))
    page = Page(webpage(document(replace(answer, scenario=scenario), tables, "nl")))
    assert "script" not in {tag for tag, _ in page.tags}
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert " ".join(title.replace("\u202e", "?").split()) in page.said
