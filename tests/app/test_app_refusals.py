"""Every refusal is in the reader's language: in words of the catalogue, and of the file that is refused."""

from __future__ import annotations

import re
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from test_app_drafts import BAD_CONTENT, BAD_FILES
from test_app_updates import BAD as BAD_COUNTS

import flowsim
from flowsim.errors import InputError, written
from flowsim.model.network import read_toml
from flowsim.plan.figures import load_figures
from flowsim.present.app.chrome import PREFIX, script
from flowsim.present.app.counts import read
from flowsim.present.app.counts import refused as refused_counts
from flowsim.present.app.drafts import Refused, RefusedContent, from_link, opened, plan_draft
from flowsim.present.app.levers import BY_NAME
from flowsim.present.refusals import gap, reason, told
from flowsim.present.texts import LANGUAGES, texts
from flowsim.scenario.load import from_document, load
from flowsim.scenario.schema import DEFAULTS

SOURCES = Path(flowsim.__file__).parent
FIGURE = 'title = "abc"\n[figures."{}"]\n{}\nbecause = "abc"\n'


def figure(key: str, *lines: str) -> bytes:
    return FIGURE.format(key, "\n".join(lines)).encode()


SYNTAX = {
    "no value": b'title = "abc"\nasks = \n',
    "no name": b"= 3\n",
    "no equals sign": b"title\n",
    "no closing quote": b'title = "abc\nasks = "abc"\n',
    "no closing quote at the end": b'title = "abc',
    "an open list": b"a = [1, 2\n",
    "an open table": b"a = { b = 1\n",
    "an open heading": b"[settings\nreading = 1\n",
    "two values": b"a = 1 2\n",
    "words without quotes": b"title = het plan\n",
    "a decimal comma": b"diversion = 0,1\n",
    "a name twice": b'title = "abc"\ntitle = "abc"\n',
    "a name twice at the end": b'title = "abc"\ntitle = "abc"',
    "a table twice": b"[settings]\n[settings]\n",
    "a name twice in braces": b"a = { b = 1, b = 2 }\n",
    "an impossible date": b"a = 2026-02-30\n",
    "a backslash": b'title = "a\\qb"\n',
    "a control character": b'title = "a\x01b"\n',
    "a very long number": b"a = " + b"1" * 5000,
    "very many brackets": b"a = " + b"[" * 5000,
}
CONTENT = {
    **BAD_CONTENT,
    "short title": b'title = "ab"',
    "a number as title": b"title = 3",
    "a list as title": b'title = ["abc"]',
    "an unknown setting": b'title = "abc"\n[settings]\nlezing = "net"',
    "an unknown choice": b'title = "abc"\n[settings]\nreading = "netto"',
    "yes": b'title = "abc"\n[settings]\nstop_policy = "ja"',
    "too much diverted": b'title = "abc"\ndiversion = 0.95',
    "too little diverted": b'title = "abc"\ndiversion = -0.1',
    "text as diverted": b'title = "abc"\ndiversion = "0,1"',
    "a date as diverted": b'title = "abc"\ndiversion = 2026-01-01',
    "diverted twice": b"diversion = 0.1\n" + figure("functions.diversion", "value = 0.1"),
    "diverted in another network": b'title = "abc"\ndiversion = 0.1\n[settings]\nnetwork = "none"',
    "no value": figure("demand.inflow"),
    "no reason": b'title = "abc"\n[figures."demand.inflow"]\nvalue = 5000',
    "a short reason": b'title = "abc"\n[figures."demand.inflow"]\nvalue = 5000\nbecause = "ab"',
    "a number as reason": b'title = "abc"\n[figures."demand.inflow"]\nvalue = 5000\nbecause = 12',
    "another key": figure("demand.inflow", "value = 5000", "waarde = 5000"),
    "half a range": figure("demand.inflow", "value = 5000", "low = 4000"),
    "a range upside down": figure("demand.inflow", "value = 5000", "low = 6000", "high = 7000"),
    "a range by year": figure("functions.conversations", "value = { 2026 = 700 }", "low = 1", "high = 2"),
    "text in a range": figure("demand.inflow", "value = 5000", 'low = "4000"', "high = 6000"),
    "infinity": figure("demand.inflow", "value = inf"),
    "a list as value": figure("demand.inflow", "value = [5000]"),
    "nearly a figure": figure("functions.conversation", "value = 700"),
    "no years": figure("functions.conversations", "value = { straks = 700 }"),
    "an empty table": figure("functions.conversations", "value = {}"),
    "early years": figure("functions.conversations", "value = { 1990 = 700 }"),
    "late years": figure("functions.conversations", "value = { 2099 = 700 }"),
    "text for a year": figure("functions.conversations", 'value = { 2026 = "veel" }'),
    "one number": figure("functions.conversations", "value = 700"),
    "numbers by year": figure("demand.inflow", "value = { 2026 = 5000 }"),
    "negative": figure("demand.inflow", "value = -5000"),
    "more than the whole": figure("public.basic_share", "value = 1.5"),
    "a billion": figure("demand.inflow", "value = 1e12"),
    "few clients": figure("demand.clients", "value = 100"),
    "all basic": figure("public.basic_share", "value = 1.0"),
    "no duration": figure("public.duration_basic", "value = 0"),
    "no list": figure("assumptions.list_size", "value = 0"),
    "no patience": figure("assumptions.patience_shape", "value = 0"),
    "nobody stays": figure("assumptions.reneging_share", "value = 1"),
    "a wide spread": figure("assumptions.programme_wait_spread", "value = 1"),
    "all personality": figure("assumptions.personality_share", "value = 1"),
    "a figure of nothing": figure("assumptions.gp_turnaround", "value = 0"),
    "a figure as a number": b'title = "abc"\n[figures]\n"demand.inflow" = 5000',
}
FILES = {
    **BAD_FILES,
    **{f"syntax: {why}": (content, "x.toml") for why, content in SYNTAX.items()},
    **{f"content: {why}": (content, "x.toml") for why, content in CONTENT.items()},
    "empty": (b"", "x.toml"),
    "only spaces": (b" \n\n", "x.toml"),
    "another region": (b'title = "abc"\nregion = "elders"', "x.toml"),
    "no ending": (b'title = "abc"', "scenario"),
    "a Word file": (b"PK\x03\x04", "scenario.docx"),
}
COUNTS = {
    **{why: (content, "x.csv") for why, content in BAD_COUNTS.items()},
    "type": (b"x", "x.xlsx"),
    "negative": (b"kwartaal;wachtlijst\n2026-Q1;-7\n", "x.csv"),
    "words": (b"kwartaal;wachtlijst\n2026-Q1;7 8\n", "x.csv"),
    "infinity": (b"kwartaal;wachtlijst\n2026-Q1;1e9\n", "x.csv"),
    "fifth quarter": (b"kwartaal;wachtlijst\n2026-K5;7\n", "x.csv"),
    "a month": (b"kwartaal;wachtlijst\n2026-13;7\n", "x.csv"),
    "a name": (b"kwartaal;wachtlijst\n2026-Q1;Jansen\n", "x.csv"),
    "a phone number": (b"kwartaal;wachtlijst\n2026-Q1;06-12345678\n", "x.csv"),
}
OF_LIBRARIES = re.compile(
    r"Input should|valid |Expected|at line|end of document|Field required|Extra inputs|Value error|Cannot|Invalid|"
    r"Unclosed|Unterminated|Illegal|digits|recursion|strict|dictionary|; expected|found "
)


def words_of(text: str) -> set[str]:
    return set(re.findall(r"[^\W\d_]{3,}", text.lower()))


def own_words(lang: str) -> set[str]:
    """The words with which the catalogue refuses."""
    prefixes = ("refused.", "app.refused.", "update.personal.", "app.lever.")
    return words_of(" ".join(said for key, said in texts(lang).items() if key.startswith(prefixes)))


NAMES = words_of(" ".join(load_figures())) | words_of(" ".join(map(str, (*DEFAULTS, *DEFAULTS.values()))))
"""Names that a file can use, whatever the language."""
NAMES |= words_of(
    "title because value functions diversion none headcount capacity net one two three four Amstelland true false inf"
)


def check(said: str, lang: str, content: bytes) -> None:
    strange = words_of(said) - own_words(lang) - words_of(content.decode("latin-1")) - NAMES
    assert not strange, (said, strange)
    assert "{" not in said.replace("{ ", ""), said
    if lang == "nl":
        assert not OF_LIBRARIES.search(said), said


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("why", FILES)
def test_a_scenario_file_is_refused_in_the_language_of_the_page(why: str, lang: str) -> None:
    content, name = FILES[why]
    with pytest.raises(Refused) as caught:
        opened(content, name)
    check(caught.value.sentence(lang), lang, content)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("why", COUNTS)
def test_counts_are_refused_in_the_language_of_the_page(why: str, lang: str) -> None:
    content, name = COUNTS[why]
    with pytest.raises(Refused) as caught:
        read(content, name)
    check(caught.value.sentence(lang), lang, content)


OTHER_FILES = [*sorted((SOURCES / "plan/amstelland").glob("*.toml")), SOURCES / "present/nl/cli.toml"]


@pytest.mark.parametrize("file", OTHER_FILES, ids=lambda file: file.stem)
def test_a_file_that_is_no_scenario_is_called_that(file: Path) -> None:
    """A figure of a region's folder, say: no talk of a title that it lacks, or of another region."""
    with pytest.raises(Refused) as caught:
        opened(file.read_bytes(), file.name)
    assert caught.value.sentence("nl") == texts("nl")["app.refused.other_file"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_links_titles_and_levers_are_refused_in_the_language_of_the_page(lang: str) -> None:
    for link in ("", "name~speed=1", "name~conversations=1e9", "x" * 3000):
        with pytest.raises(Refused) as caught:
            from_link(link, lang)
        check(caught.value.sentence(lang), lang, link.encode())
    for name, value in (("conversations", 1e9), ("start", 0.5), ("reading", "heads"), ("conversations", "many")):
        with pytest.raises(InputError) as turned:
            plan_draft(lang).turned(BY_NAME[name], value, lang)
        said = RefusedContent(turned.value).sentence(lang)
        check(said, lang, str(value).encode())
        assert texts(lang)[f"app.lever.{name}.name"] in said


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_has_no_words_of_its_own_is_refused_in_words_too(lang: str) -> None:
    inside = InputError("scenario x: stations.gp.servers", "nothing", "a number above 0")
    check(RefusedContent(inside).sentence(lang), lang, b"")
    check(refused_counts(inside).sentence(lang), lang, b"")


@pytest.mark.parametrize("why", ["no value", "a name twice", "no closing quote", "an open heading", "a backslash"])
def test_a_fault_in_toml_says_its_line(why: str) -> None:
    with pytest.raises(Refused) as caught:
        opened(SYNTAX[why], "x.toml")
    assert re.search(r"[Rr]egel [12]\b", caught.value.sentence("nl"))


ODD: tuple[Any, ...] = (
    3,
    -1.0,
    5e9,
    float("nan"),
    float("inf"),
    True,
    "x",
    "",
    [],
    [1],
    {},
    {"x": 1},
    date(2026, 1, 1),
)


@pytest.mark.parametrize("odd", ODD, ids=repr)
def test_every_kind_of_value_in_every_place_has_words_of_its_own(odd: Any) -> None:
    """No finding of pydantic is left over: else its English would have been told, or nothing but that it is wrong."""
    key, sound = "demand.inflow", {"value": 5000.0, "because": "abc"}
    documents: list[dict[str, Any]] = [
        {"title": "abc", name: odd} for name in ("asks", "diversion", "settings", "figures")
    ]
    documents += [{"title": odd}, {"title": "abc", "figures": {key: odd}}]
    documents += [{"title": "abc", "settings": {name: odd}} for name in DEFAULTS]
    documents += [
        {"title": "abc", "figures": {key: {**sound, part: odd}}} for part in ("value", "because", "low", "high")
    ]
    documents += [{"title": "abc", "figures": {"functions.conversations": {**sound, "value": {"2026": odd}}}}]
    refusals = []
    for document in documents:
        try:
            from_document(document, "x.toml")
        except InputError as error:
            refusals.append(error)
    assert len(refusals) > 5
    for one in refusals:
        assert one.code not in ("", "scenario.other"), str(one)
        assert reason("nl", one) != reason("en", one)
        assert "{" not in reason("nl", one).replace("{ ", "").replace("{}", "")


def test_each_code_has_a_sentence_and_each_sentence_a_code() -> None:
    code = re.compile(r'"((?:scenario|toml|file|counts)\.[a-z_]+)"')
    sources = "".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    known = {key.removeprefix("app.") for key in texts("nl") if key.startswith(("refused.", "app.refused.counts."))}
    known = {key.removeprefix("refused.") for key in known if ".balance." not in key}
    used = {one for one in code.findall(sources) if one != "scenario.toml"}
    told_elsewhere = {"or", "counts.type", "counts.other", "scenario.together", "scenario.other"}
    assert used - known == set()
    assert known - used - told_elsewhere == set()


def test_numbers_and_lists_in_a_refusal_follow_the_language() -> None:
    assert gap("nl", 0.9) == "0,9"
    assert gap("nl", 0.0) == "0"
    assert gap("nl", -1e-9) == "-1e-09"
    assert gap("en", 1e9) == "1,000,000,000"
    assert gap("nl", float("nan")) == "nan"
    assert gap("nl", 1e300) == "1e+300"
    assert gap("nl", ["a", "b", "c"]) == "a, b of c"
    assert gap("en", ["a"]) == "a"
    assert gap("nl", []) == ""


@pytest.mark.parametrize("value", [True, 'a"b', 1, 1.5, [1, "x"], {"a": [True]}, date(2026, 1, 2)])
def test_a_value_is_told_as_it_stands_in_the_file(value: Any) -> None:
    assert tomllib.loads(f"a = {written(value)}")["a"] == value


def test_the_command_line_can_say_it_in_dutch(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from flowsim.cli import main

    file = tmp_path / "x.toml"
    file.write_bytes(SYNTAX["no value"])
    assert main(["answer", str(file), "--lang", "nl"]) == 2
    said = capsys.readouterr().err
    assert "Regel 2 kan niet worden gelezen" in said
    assert not OF_LIBRARIES.search(said)
    assert main(["answer", str(file), "--lang=en"]) == 2
    assert "found text that is not TOML" in capsys.readouterr().err
    with pytest.raises(InputError) as caught:
        read_toml(tmp_path)
    assert told("nl", caught.value).endswith(texts("nl")["refused.file.folder"])
    with pytest.raises(InputError) as caught:
        load(tmp_path / "none.toml")
    assert texts("nl")["refused.file.none"] in told("nl", caught.value)


def test_every_word_of_streamlit_is_replaced_in_dutch() -> None:
    spoken = {key for key in texts("en") if key.startswith(PREFIX)}
    assert len(spoken) > 30
    for key in spoken:
        assert texts("nl")[key] != texts("en")[key], key
        assert texts("nl")[key] in script("nl")
        assert texts("nl")[key] not in script("en")
    assert "</" not in script("nl")
