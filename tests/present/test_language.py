"""What the steering group reads is in its own language: titles, one way to say you, no commands and no jargon."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

from flowsim.cli.commands import command_line
from flowsim.present.texts import LANGUAGES, texts
from flowsim.present.wording import scenario_title, title_in
from flowsim.scenario.load import default, load

EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.toml"))
READ_BY_ALL = ("app.", "report.", "answer.", "refused.", "targets.", "euros.", "compare.read.", "sensitivity.first.")


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_the_title_of_a_scenario_that_ships_with_flowsim_follows_the_language(path: Path) -> None:
    title = tomllib.loads(path.read_text(encoding="utf-8"))["title"]
    assert texts("en")[f"answer.title.shipped.{path.stem}"] == title
    dutch = texts("nl")[f"answer.title.shipped.{path.stem}"]
    assert dutch != title
    for typed in (title, dutch):
        assert title_in("nl", typed) == dutch
        assert title_in("en", typed) == title
    assert scenario_title("nl", load(path)) == dutch


def test_a_title_of_ones_own_stays_as_it_was_typed() -> None:
    for lang in LANGUAGES:
        assert title_in(lang, "Het plan van wethouder Jansen") == "Het plan van wethouder Jansen"
    assert title_in("en", scenario_title("nl", default())) == scenario_title("en", default())


def test_the_reader_is_u_everywhere() -> None:
    for key, said in texts("nl").items():
        assert not re.search(r"\b(je|jij|jou|jouw|jullie)\b", said, re.IGNORECASE), (key, said)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_command_and_no_jargon_of_statistics_or_bits(lang: str) -> None:
    commands = "|".join(command_line().commands)
    jargon = re.compile(rf"\bflowsim ({commands})\b|\bposterior\b|\bprior\b|\bbit\b", re.IGNORECASE)
    for key, said in texts(lang).items():
        if key.startswith(READ_BY_ALL):
            assert not jargon.search(said), (key, said)
