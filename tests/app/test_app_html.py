"""What is shown is text: nothing in a name becomes HTML or Markdown, and every word is in the catalogue."""

from __future__ import annotations

import ast
import re
import string
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_app_drafts import HOSTILE

from flowsim.analysis import verdict
from flowsim.plan.targets import load_targets
from flowsim.present import plots
from flowsim.present.app import charts, html
from flowsim.present.app.facts import facts
from flowsim.present.app.flows import NODES
from flowsim.present.app.html import Html
from flowsim.present.app.shell import PAGES, style
from flowsim.present.app.views.comparison import LINES
from flowsim.present.plots import EFFECTS, FORECASTS
from flowsim.present.texts import LANGUAGES, texts

APP = Path(str(resources.files("flowsim.present.app")))
FIELDS = string.Formatter()


class Reader(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.text += data


@given(st.text(max_size=60) | st.sampled_from(HOSTILE))
def test_text_stays_text(words: str) -> None:
    words = words.replace("\r", "")
    made = Reader(html.tag("p", words, class_=words))
    assert made.tags == ["p"]
    assert made.text == words
    assert dict(made.attributes) == {"class": words}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_in_a_table_a_card_and_a_list(name: str) -> None:
    parts = html.join(
        (
            html.table([name, name], [[name, name]], name, notes=(name,)),
            html.notice(name),
            html.heading(name),
            html.tag("span", html.swatch("#0072B2", "A"), name),
        )
    )
    made = Reader(parts)
    assert not {"script", "img", "a", "iframe", "svg", "object"} & set(made.tags)
    assert not any(key.startswith("on") or key in ("src", "href") for key, _ in made.attributes)
    assert made.text.count(name) == 10  # the caption of a table is there for who sees it and for who hears it


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_in_a_name_means_nothing(name: str) -> None:
    shown = html.plain(name)
    for match in re.finditer(r"[\\`*_{}\[\]()<>#+.!|~$:]", shown.replace("\\\\", "")):
        assert shown.replace("\\\\", "")[match.start() - 1] == "\\" or match.group() == "\\"


def test_only_what_was_built_here_is_html() -> None:
    assert html.tag("p", "<b>") == "<p>&lt;b&gt;</p>"
    assert html.tag("p", html.tag("b", "x")) == "<p><b>x</b></p>"
    assert isinstance(html.tag("p"), Html)


def test_dots_say_in_words_what_they_show() -> None:
    made = html.dots("nl", 0.126, "#000000")
    assert made.count("fs-on") == 13
    assert 'aria-label="13 van de 100' in made


def test_signs_and_colours_differ_for_every_verdict() -> None:
    assert set(html.SYMBOLS) == set(verdict.CODES)
    assert set(html.LIGHTS) == {*verdict.CODES, "none"}
    assert len(set(html.SYMBOLS.values())) == len(verdict.CODES)


@pytest.mark.parametrize(
    "colour", [*charts.COLOURS.values(), *charts.SCENARIOS, *FORECASTS.values(), *EFFECTS.values()]
)
def test_what_is_drawn_is_seen_on_light_and_on_dark(colour: str) -> None:
    def luminance(code: str) -> float:
        channels = [int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    def contrast(one: str, other: str) -> float:
        a, b = sorted((luminance(one), luminance(other)))
        return (b + 0.05) / (a + 0.05)

    assert contrast(colour, "#ffffff") >= 3.0  # WCAG 2.1, 1.4.11
    assert contrast(colour, "#171614") >= 3.0
    assert contrast(colour, html.ink_on(colour)) >= 4.5


# As red, green or blue cones that do not work make it: Machado, Oliveira and Fernandes (2009), severity 1, linear RGB.
SEEN_BY = {
    "all": ((1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)),
    "no red": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "no green": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "no blue": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def lab(colour: str, eyes: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """CIE L*a*b* of a colour as somebody sees it."""
    channels = np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(SEEN_BY[eyes]) @ linear, 0.0, 1.0)
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    f = np.cbrt(
        to_xyz @ seen / np.array([0.9505, 1.0, 1.089])
    )  # none of ours is so dark that it needs the other branch
    return np.array([116.0 * f[1] - 16.0, 500.0 * (f[0] - f[1]), 200.0 * (f[1] - f[2])])


def apart(one: str, other: str, eyes: str = "all") -> float:
    return float(np.linalg.norm(lab(one, eyes) - lab(other, eyes)))


@pytest.mark.parametrize("eyes", SEEN_BY)
def test_more_and_fewer_are_told_apart_by_everybody(eyes: str) -> None:
    """From each other, and both from the grey of what is not shown."""
    more, fewer = EFFECTS["more"], EFFECTS["fewer"]
    assert apart(more, fewer, eyes) > 50.0
    assert min(apart(one, charts.GREY, eyes) for one in (more, fewer)) > 15.0


def test_more_and_fewer_have_colours_that_mean_nothing_else() -> None:
    taken = {*charts.COLOURS.values(), *plots.COLOURS.values(), *FORECASTS.values(), plots.OTHER}
    taken |= set(re.findall(r"--fs-light: (#\w{6})", style()))
    assert len(taken) > 10
    for colour in EFFECTS.values():
        assert min(apart(colour, other) for other in taken) > 30.0


# ---------------------------------------------------------------- words


def test_both_languages_have_the_same_sentences_with_the_same_gaps() -> None:
    def gaps(sentence: str) -> set[str]:
        named = {name for _, name, _, _ in FIELDS.parse(sentence) if name}
        return named | {f"[[{code}" for code in re.findall(r"\[\[(\w+)\|", sentence)}

    nl, en = ({k: v for k, v in texts(lang).items() if k.startswith("app.")} for lang in LANGUAGES)
    assert nl.keys() == en.keys()
    assert len(nl) > 250
    for key, sentence in nl.items():
        assert sentence.strip()
        assert gaps(sentence) == gaps(en[key]), key


def test_every_code_has_its_words() -> None:
    wanted = {f"app.answer.sentence.{code}" for code in verdict.CODES}
    wanted |= {f"app.goals.count.{code}" for code in (*verdict.CODES, "none")}
    wanted |= {f"targets.verdict.{code}" for code in (*verdict.CODES, "not_simulated")}
    wanted |= {f"euros.line.{line}" for line in LINES}
    wanted |= {f"targets.promise.{target.id}" for target in load_targets()}
    wanted |= {f"app.route.node.{node}" for node in NODES}
    wanted |= {f"app.page.{page}.{part}" for page in PAGES for part in ("title", "heading", "intro", "address")}
    for lang in LANGUAGES:
        assert wanted - set(texts(lang)) == set()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_terms_exist_and_the_glossary_has_them_all(lang: str) -> None:
    known = texts(lang)
    used = {code for key, one in known.items() if key.startswith("app.") for code in re.findall(r"\[\[(\w+)\|", one)}
    terms = {key.split(".")[2] for key in known if key.startswith("app.term.")}
    assert used <= terms
    page = Reader(html.glossary(lang))
    assert page.tags.count("dt") == len(terms)
    assert "{" not in page.text
    shown = html.with_terms(lang, known["app.page.compare.intro"])
    assert 'tabindex="0"' in shown
    assert 'role="tooltip"' in shown


def test_no_sentence_stands_in_the_code_and_no_number_in_a_sentence() -> None:
    for file in APP.rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        notes = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in notes:
                words = re.findall(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}", node.value)
                told = file.name in (
                    "server.py",
                    "levers.py",
                    "counts.py",
                    "ground.py",
                )  # messages of InputError, in English as everywhere
                assert told or not words, (file.name, node.value)
    for lang in LANGUAGES:
        for key, sentence in texts(lang).items():
            if key.startswith("app."):
                assert not re.search(r"\b20[2-9]\d\b", sentence), key


def test_every_sentence_that_is_asked_for_exists() -> None:
    known = texts("nl")
    for file in (*APP.rglob("*.py"),):
        for key in re.findall(r'\bt\(\s*"([\w.]+)"', file.read_text(encoding="utf-8")):
            assert f"app.{key}" in known, (file.name, key)


def test_dates_and_numbers_in_sentences_follow_the_language() -> None:
    assert facts("nl")["start"] == "01-01-2025"
    assert facts("en")["start"] == "01/01/2025"
    assert facts("nl")["last"] == "2029"


def test_an_interval_is_not_torn_apart() -> None:
    made = html.table(["a", "b", "c"], [["row", "100% (98% tot 100%)", "words (and more words)"]], "caption")
    assert '100% <span class="fs-short">(98% tot 100%)</span>' in made
    assert "words (and more words)" in made


def test_cells_on_a_narrow_page_have_a_name_of_their_own() -> None:
    """The same name for three cells below each other does not say what differs."""
    header, labels = ["a", "b", "c", "c"], ["a", "b", "b: c", "a: c"]
    made = html.table(header, [["1", "2", "3", "4"]], "t", labels=labels)
    assert re.findall('data-label="([^"]*)"', made) == labels[1:]
    assert re.findall('data-label="([^"]*)"', html.table(header, [["1", "2", "3", "4"]], "t")) == header[1:]


def test_a_cell_of_nothing_is_left_out_on_a_narrow_page() -> None:
    made = html.table(["a", "b", "c", "d"], [["x", "–", "1 – 2", "-"]], "y")
    assert re.findall(r'<td role="cell" class="([^"]*)"', made) == ["fs-right fs-blank"] + ["fs-right fs-short"] * 2
    assert re.search(r"\.fs-stack tbody td\.fs-blank \{ display: none", style())


def test_an_interval_without_width_is_not_written() -> None:
    assert html.estimate("nl", 998.4, 998.1, 998.2) == "998"
    assert html.estimate("nl", 998.4, 997.1, 998.2) == "998 (997 tot 998)"
