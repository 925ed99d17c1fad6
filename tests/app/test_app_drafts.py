"""Scenarios that are saved, opened and shared; and what comes from outside."""

from __future__ import annotations

import tomllib
import zlib
from base64 import urlsafe_b64encode
from hashlib import sha512
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.plan.figures import load_figures
from flowsim.present.app import drafts
from flowsim.present.app.drafts import (
    MOST_BYTES,
    Draft,
    Refused,
    because,
    checked_title,
    filename,
    fingerprint,
    from_link,
    from_links,
    in_language,
    opened,
    plan_draft,
    to_link,
    to_links,
    to_toml,
)
from flowsim.present.app.levers import BY_NAME, document_of
from flowsim.present.texts import LANGUAGES, text
from flowsim.scenario.load import default, load
from flowsim.scenario.unknowns import drawn

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![x](http://example.org/x.png)",
    "[click](javascript:alert(1))",
    "**bold** `code` $x^2$ :material/home: :red[x]",
    '"; DROP TABLE scenarios; --',
    "../../../etc/passwd",
    "#set page(fill: red)",
    "{title} {0} %s ${HOME}",
    "~conversations=5~",
)
TURNED = {
    "conversations": 800.0,
    "demand_growth": 0.02,
    "start": 1.0,
    "places_specialist": 0.05,
    "network": "functions",
}


def turned(title: str = "More conversations") -> Draft:
    return Draft(document_of(title, TURNED, load_figures(), because("nl")))


def packed(content: bytes) -> str:
    """A link that holds a file."""
    return "~" + urlsafe_b64encode(zlib.compress(content, 9)).decode().rstrip("=")


def test_the_plan_as_a_draft_is_the_plan() -> None:
    for lang in LANGUAGES:
        assert fingerprint(plan_draft(lang)) == default().hash
        assert plan_draft(lang).scenario().hash == default().hash


def test_a_saved_file_is_what_flowsim_answer_runs(tmp_path: Path) -> None:
    draft = turned()
    file = tmp_path / filename(draft.title)
    file.write_text(to_toml(draft.document), encoding="utf-8")
    assert load(file).hash == draft.scenario().hash == fingerprint(draft)
    assert load(file).title == draft.title
    again = opened(file.read_bytes(), file.name)
    assert again.document == draft.document
    assert all(again.get(lever) == draft.get(lever) for lever in BY_NAME.values())


@pytest.mark.parametrize("name", sorted(path.name for path in EXPERIMENTS.glob("*.toml")))
def test_an_experiment_opens_as_it_runs_or_says_why_not(name: str) -> None:
    content = (EXPERIMENTS / name).read_bytes()
    if b"parent" in content:
        with pytest.raises(Refused, match="parent"):
            opened(content, name)
    else:
        assert opened(content, name).scenario().hash == load(EXPERIMENTS / name).hash


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_link_with_a_name_that_cannot_be_says_what_a_name_must_be(lang: str) -> None:
    """Whether the link holds levers or a file; a file that is opened says it too."""
    file = b'title = "ab"\n[settings]\nfreed_place = "heavier"\n'
    packed = drafts.PACKED + urlsafe_b64encode(zlib.compress(file)).decode().rstrip("=")
    for link in ("ab", "ab~conversations=900.0", "x" * 81, packed):
        with pytest.raises(Refused) as told:
            from_links(["Goed genoeg", link], lang)
        said = told.value.sentence(lang)
        assert said == text(lang, "app.refused.link_title", least=3, most=80)
        assert "3" in said
        assert "80" in said
    with pytest.raises(Refused) as told:
        opened(file, "x.toml")
    assert told.value.sentence(lang) == text(lang, "app.refused.title", least=3, most=80)


@pytest.mark.parametrize("title", HOSTILE)
def test_a_hostile_name_goes_through_file_and_link_as_text(title: str, tmp_path: Path) -> None:
    draft = turned(title)
    assert tomllib.loads(to_toml(draft.document))["title"] == title
    assert opened(to_toml(draft.document).encode(), "x.toml").title == title
    link = to_link(draft)
    assert link is not None
    assert from_link(link, "nl").title == title
    assert fingerprint(from_link(link, "nl")) == fingerprint(draft)
    assert set(filename(title)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-.")
    assert "/" not in filename(title)
    assert ".." not in filename(title)


@given(st.text(max_size=120))
def test_a_title_is_one_line_of_text_or_refused(title: str) -> None:
    try:
        kept = checked_title(title)
    except Refused:
        assert not 3 <= len(" ".join(title.split())) <= drafts.LONGEST_TITLE or drafts.CONTROL.search(title)
        return
    assert 3 <= len(kept) <= drafts.LONGEST_TITLE
    assert kept.isprintable() or any(ord(c) > 127 for c in kept)
    assert tomllib.loads(to_toml({"title": kept}))["title"] == kept


BAD_FILES = {
    "large": (b'title = "abc"\n#' + b"x" * MOST_BYTES, "x.toml"),
    "type": (b'title = "abc"', "x.exe"),
    "encoding": (b"title = '\xff\xfe'", "x.toml"),
    "toml": (b"title = ", "x.toml"),
    "network": (b'stations = []\nclasses = ["a"]', "x.toml"),
    "parent": (b'title = "abc"\nparent = "../../../../etc/passwd"', "x.toml"),
    "text": (b'title = "abc"\nasks = "a\\u202eb"', "x.toml"),
    "figures": (
        b'title = "abc"\n' + b"".join(b'[figures."k%d"]\nvalue = 1\nbecause = "abc"\n' % i for i in range(61)),
        "x.toml",
    ),
    "title": (('title = "' + "x" * 81 + '"').encode(), "x.toml"),
}
BAD_CONTENT = {
    "no title": b"asks = 'x'",
    "unknown key": b'title = "abc"\nrun = "rm -rf"',
    "unknown figure": b'title = "abc"\n[figures."os.system"]\nvalue = 1\nbecause = "abc"',
    "nan": b'title = "abc"\n[figures."assumptions.demand_growth"]\nvalue = nan\nbecause = "abc"',
    "text for a number": b'title = "abc"\n[figures."assumptions.demand_growth"]\nvalue = "__import__"\nbecause = "abc"',
    "impossible": b'title = "abc"\n[figures."demand.inflow"]\nvalue = 1\nbecause = "abc"',
    "settings of another kind": b'title = "abc"\nsettings = 5',
    "figures of another kind": b'title = "abc"\nfigures = [1]',
}


@pytest.mark.parametrize("code", BAD_FILES)
def test_a_bad_file_is_refused_for_its_reason(code: str) -> None:
    content, name = BAD_FILES[code]
    with pytest.raises(Refused) as refused:
        opened(content, name)
    assert refused.value.code == code
    for lang in LANGUAGES:
        assert refused.value.sentence(lang)


@pytest.mark.parametrize("why", BAD_CONTENT)
def test_bad_content_is_refused_with_its_place(why: str) -> None:
    with pytest.raises(Refused) as refused:
        opened(BAD_CONTENT[why], "x.toml")
    assert refused.value.code == "content"
    assert refused.value.values["where"]


@pytest.mark.parametrize("region", ['"../../etc"', '"./amstelland"', '"elsewhere"', "5", '["amstelland"]'])
def test_another_region_than_the_app_shows_is_refused(region: str) -> None:
    with pytest.raises(Refused) as refused:
        opened(f'title = "abc"\nregion = {region}'.encode(), "x.toml")
    assert refused.value.code == "region"
    for lang in LANGUAGES:
        assert "Amstelland" in refused.value.sentence(lang)


def test_a_diversion_opens_as_a_lever() -> None:
    draft = opened((EXPERIMENTS / "diversion_10.toml").read_bytes(), "diversion_10.toml")
    assert draft.get(BY_NAME["network"]) == "diversion"
    assert draft.get(BY_NAME["diversion"]) == 0.1


def test_a_reason_is_saved_in_the_language_of_the_page_and_another_reason_as_it_is() -> None:
    draft = turned()
    own = {"assumptions.basic_share": {"value": 0.4, "because": "a count"}}
    document = {**draft.document, "figures": {**draft.document["figures"], **own}}
    spoken = {lang: tomllib.loads(to_toml(in_language(document, lang)))["figures"] for lang in LANGUAGES}
    assert all(one.pop("assumptions.basic_share")["because"] == "a count" for one in spoken.values())
    for lang, figures in spoken.items():
        start = text(lang, "app.because", lever="")
        assert figures
        assert all(one["because"].startswith(start) for one in figures.values())
    assert document["figures"].keys() == in_language(document, "en")["figures"].keys()
    assert in_language({"title": "No figures"}, "en") == {"title": "No figures"}


def test_a_file_keeps_what_no_lever_shows() -> None:
    content = b'title = "heavier"\n[settings]\nfreed_place = "heavier"\n'
    content += b'[figures."assumptions.worsening"]\nvalue = 0.02\nbecause = "more"'
    draft = opened(content, "x.toml").turned(BY_NAME["conversations"], 700.0, "nl")
    assert draft.other_changes() == ["assumptions.worsening", "freed_place"]
    assert draft.scenario().settings["freed_place"] == "heavier"
    assert draft.scenario().book.value("assumptions.worsening") == 0.02
    link = to_link(draft)
    assert link is not None
    again = from_link(link, "nl")
    assert again.document == draft.document


def test_a_range_in_a_file_is_kept_until_its_lever_is_turned() -> None:
    content = b'title = "wide"\n'
    content += b'[figures."assumptions.would_have_entered"]\nvalue = 0.65\nlow = 0.5\nhigh = 0.8\nbecause = "wide"'
    draft = opened(content, "x.toml")
    assert draft.get(BY_NAME["would_have_entered"]) == 0.65
    link = to_link(draft)
    assert link is not None
    figure = from_link(link, "nl").scenario().book.figure("assumptions.would_have_entered")
    assert (figure.low, figure.high) == (0.5, 0.8)
    assert draft.scenario().book.figure("assumptions.would_have_entered").low == 0.5
    fixed = draft.turned(BY_NAME["would_have_entered"], 0.7, "nl")
    assert fixed.scenario().book.figure("assumptions.would_have_entered").low is None


@pytest.mark.parametrize(
    "link",
    [
        "",
        "ab",
        "name~speed=1",
        "name~conversations=1e9",
        "name~conversations=nan",
        "name~conversations=__import__('os')",
        "name~conversations=800~conversations=900",
        "name~network=<script>",
        "name~conversations",
        "name%0d%0aSet-Cookie: x~conversations=800%00",
        "x" * 3000,
        "~",
        "~not base64!",
        "~" + "A" * 40,
        packed(b'title = "of too much"\n#' + b"x" * 70_000),  # a kilobyte in the link
        packed(b'title = "from elsewhere"\nparent = "../../etc/passwd"'),
        packed(b'title = "another"\nregion = "elsewhere"'),
        packed(b'title = "no TOML'),
        packed(b'title = "cut off"')[:-4],
        packed(b'title = "and more"') + packed(b'title = "and more"')[1:],
    ],
)
def test_a_bad_link_is_refused(link: str) -> None:
    with pytest.raises(Refused):
        from_link(link, "nl")


def test_scenarios_that_do_not_fit_in_an_address_get_none() -> None:
    assert to_links([turned()] * 4) == [to_link(turned())] * 4
    long = turned().titled("€" * 80)
    assert to_link(long) is not None
    assert to_links([long] * 4) is None
    noise = ["".join(sha512(bytes((i, j))).hexdigest() for j in range(3)) for i in range(12)]
    figures = "".join(
        f'[figures."{key}"]\nvalue = {load_figures().value(key)}\nbecause = "{words}"\n'
        for key, words in zip(drawn(default()), noise, strict=False)
    )
    large = opened(f'title = "large"\n{figures}'.encode(), "x.toml")
    assert to_link(large) is None
    assert to_links([turned(), large]) is None


def test_a_link_holds_four_scenarios_at_most() -> None:
    link = to_link(turned())
    assert link is not None
    assert len(from_links([link] * 4, "nl")) == 4
    with pytest.raises(Refused):
        from_links([link] * 5, "nl")


def test_reset_takes_away_what_the_lever_cannot_show() -> None:
    content = b'title = "odd"\n[figures."functions.conversations"]\nvalue = {2025 = 1, 2026 = 700}\nbecause = "odd"'
    draft = opened(content, "x.toml")
    assert draft.get(BY_NAME["conversations"]) is None
    assert fingerprint(draft.reset(BY_NAME["conversations"], "nl")) == default().hash
