"""What is written into the address of a page."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from flowsim.present.app.address import script
from flowsim.present.app.drafts import Draft, from_links, is_plan, opened, plan_draft
from flowsim.present.app.levers import BY_NAME
from flowsim.present.texts import LANGUAGES


def said(drafts: list[Draft], refused: bool = False, lang: str = "nl") -> tuple[list[str], list[list[str]]]:
    """The parameters that are taken away, and those that are written."""
    found = re.search(r"ours = (.*), said = (.*), address", script("doelen", lang, drafts, refused))
    assert found is not None
    return json.loads(found[1]), json.loads(found[2])


def test_the_plan_needs_no_place_in_the_address() -> None:
    for lang in LANGUAGES:
        assert is_plan(plan_draft(lang))
        assert said([plan_draft("nl")], lang=lang) == (["lang", "s"], [["lang", lang]])


def test_scenarios_are_written_in_their_order_and_can_be_read_back() -> None:
    file = opened(b'title = "more"\n[settings]\nfreed_place = "heavier"\n', "x.toml")
    mine = [plan_draft("nl"), plan_draft("nl").turned(BY_NAME["conversations"], 700.0, "nl").titled("Mine"), file]
    ours, written = said(mine)
    assert ours == ["lang", "s"]
    assert [name for name, _ in written] == ["lang", "s", "s", "s"]
    again = from_links([link for _, link in written[1:]], "nl")
    assert [one.title for one in again] == [one.title for one in mine]
    assert [one.scenario().hash for one in again] == [one.scenario().hash for one in mine]


def test_a_link_that_was_refused_stays_until_there_is_something_to_write() -> None:
    assert said([plan_draft("nl")], refused=True)[0] == ["lang"]
    assert said([plan_draft("nl").titled("Mine")], refused=True)[0] == ["lang", "s"]


@given(st.text(max_size=60))
def test_nothing_in_it_ends_the_script(words: str) -> None:
    made = script(words + "*/alert(1)/*</script>", "nl", [plan_draft("nl")], False)
    assert "</script" not in made
    assert made.count("*/") == 1
