"""What the app is started with: another scenario, another region, and what is not there for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_app_views import opened, page

import flowsim.present.app.shell as shell
from flowsim.cli import main
from flowsim.errors import InputError
from flowsim.present.app import ground, server, state, studies
from flowsim.present.app.drafts import Refused, fingerprint, from_link, plan_draft, to_link, to_toml
from flowsim.present.app.drafts import opened as file_opened
from flowsim.present.app.facts import facts
from flowsim.present.app.levers import BY_NAME
from flowsim.present.app.shell import PAGES
from flowsim.present.app.state import House
from flowsim.present.texts import LANGUAGES, text
from flowsim.scenario.load import load

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
POLDER = EXPERIMENTS / "regions" / "polder"


@pytest.fixture
def begin() -> Iterator[None]:
    yield
    ground.stand_on(None)


@pytest.mark.usefixtures("begin")
@pytest.mark.parametrize("file", ["growth_3.toml", "diversion_10.toml", "reading_capacity.toml", "wait_expected.toml"])
def test_a_scenario_file_becomes_the_first_scenario_unchanged(file: str, tmp_path: Path) -> None:
    scenario = load(EXPERIMENTS / file)
    ground.stand_on(scenario)
    draft = plan_draft("nl")
    assert fingerprint(draft) == scenario.hash
    assert draft.title == scenario.title
    saved = tmp_path / "saved.toml"
    saved.write_text(to_toml(draft.document), encoding="utf-8")
    assert load(saved).hash == scenario.hash  # also from the command line
    assert fingerprint(file_opened(saved.read_bytes(), "saved.toml")) == scenario.hash


@pytest.mark.usefixtures("begin")
def test_scenarios_of_a_region_that_is_a_folder(tmp_path: Path) -> None:
    ground.stand_on(load(POLDER))
    assert facts("nl")["region"] == "Polder (verzonnen)"
    draft = plan_draft("nl").turned(BY_NAME["staff_growth"], 0.01, "nl")
    assert draft.scenario().region == str(POLDER)
    content = to_toml(draft.document)
    assert 'region = "./polder"' in content
    assert str(POLDER.parent) not in content  # a saved file does not tell where things lie on the server
    (tmp_path / "polder").symlink_to(POLDER)
    (tmp_path / "saved.toml").write_text(content, encoding="utf-8")
    assert load(tmp_path / "saved.toml").hash == draft.scenario().hash  # beside the folder it runs unchanged
    assert fingerprint(file_opened(content.encode(), "x.toml")) == fingerprint(draft)
    link = to_link(draft)
    assert link is not None
    assert fingerprint(from_link(link, "nl")) == fingerprint(draft)
    for elsewhere in ("../polder", str(POLDER), "amstelland", "./other"):
        with pytest.raises(Refused) as refused:
            file_opened(content.replace("./polder", elsewhere).encode(), "x.toml")
        assert refused.value.code == "region"
    with pytest.raises(Refused):
        file_opened(b'title = "of the region that ships"', "x.toml")
    ground.stand_on(None)
    assert facts("nl")["region"] == "Amstelland"
    with pytest.raises(Refused):
        file_opened(content.encode(), "x.toml")


@pytest.fixture(scope="module")
def polder() -> Iterator[House]:
    """A house on the made-up region, whose runs are done."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(studies.FUTURES_SETTING, "4")
        patch.setattr(studies, "ROUTE_RUNS", 1)
        ground.stand_on(load(POLDER))
        made = House()
        patch.setattr(state, "house", lambda: made)
        patch.setattr(shell, "house", lambda: made)
        try:
            for run in (made.plan, made.route):
                assert run().ended.wait(240)
                assert run().state == "done", run().fault
            yield made
        finally:  # what other files test stands on the plan that ships
            made.desk.close()
            made.press.close()
            ground.stand_on(None)


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_for_another_region_and_says_what_is_missing(polder: House, name: str, lang: str) -> None:
    app = opened(name, lang)
    shown = page(app)
    assert text(lang, "app.ground.region", region="Polder (verzonnen)") in shown
    missing = {"goals": "no_promises", "plan": "no_tables"}.get(name)
    if missing:
        assert text(lang, f"app.ground.{missing}") in shown
    assert not [one for one in app.button if one.key and "report" in one.key]
    if name == "account":
        assert text(lang, "app.ground.taken", other="Amstelland") in shown


def test_words_of_a_region_have_their_language_and_the_page_says_so(polder: House) -> None:
    shown = {lang: page(opened("account", lang, **{"account-kind-chosen": "published"})) for lang in LANGUAGES}
    own = "support points that the plan opens"
    assert f'<span lang="en">{own}</span>' in shown["nl"]
    assert '<span lang="en">MADE UP: no document, an example of flowsim, example</span>' in shown["nl"]
    assert text("nl", "app.account.own_words", language="Engels") in shown["nl"]
    assert "Inwoners van Dijkstad" in shown["nl"]
    assert "personen" in shown["nl"]  # a unit that the shipped figures have too
    assert own in shown["en"]
    assert "lang=" not in shown["en"]
    assert text("en", "app.account.own_words", language="English") not in shown["en"]
    assert "see the source" not in shown["nl"] + shown["en"]


def test_a_scenario_that_cannot_be_used_is_refused_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    started: list[object] = []
    monkeypatch.setattr(server, "_streamlit", lambda *given: started.append(given) or 0)
    bad = tmp_path / "bad.toml"
    bad.write_text('title = "abc"\n[figures."demand.inflow"]\nvalue = 1\nbecause = "abc"')
    for file in (tmp_path / "nowhere.toml", bad):
        assert main(["app", str(file)]) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1
        assert file.name in said or "inflow" in said
    assert started == []


def test_a_region_is_never_read_from_a_place_that_a_file_names() -> None:
    with pytest.raises(InputError):
        ground.scenario_of({"title": "abc", "region": str(POLDER)}, "x.toml")
