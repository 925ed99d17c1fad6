"""The examples in the documentation and in docstrings run, and give what they say."""

from __future__ import annotations

import doctest
import importlib.util
import inspect
import re
import shlex
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

import flowsim
from flowsim.cli import main

ROOT = Path(__file__).resolve().parents[2]
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs").glob("*.md"))}
FLAGS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
NAMES = [name for name in flowsim.__all__ if callable(getattr(flowsim, name)) and name != "InputError"]

MINUTES = {"decision_map", "seek", "sensitivity", "update"}
"""Names whose smallest example takes too long for a docstring; they have tests of their own."""


def blocks(page: str, *languages: str) -> list[str]:
    """The code of a page's fences in these languages."""
    fence = rf"^```(?:{'|'.join(languages)})\n(.*?)^```"
    return re.findall(fence, PAGES[page], re.M | re.S)


def run(test: doctest.DocTest) -> None:
    """Run one doctest; the first example that gives something else is the message."""
    told: list[str] = []
    result = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=told.append)
    assert result.attempted > 0
    assert result.failed == 0, "".join(told)


# ---------------------------------------------------------------- Python


@pytest.mark.parametrize("name", NAMES)
def test_docstrings_of_public_names(name: str) -> None:
    """Every public name has an example, and it runs; where that takes minutes it is Python at least."""
    thing = getattr(flowsim, name)
    finder = doctest.DocTestFinder(exclude_empty=True)
    module = inspect.getmodule(thing)
    assert module is not None
    tests = [test for test in finder.find(thing, name, module) if test.examples]
    assert tests, f"{name} has no example"
    for test in tests:
        if name in MINUTES:
            for example in test.examples:
                compile(example.source, name, "single")
            continue
        assert not any(example.options.get(doctest.SKIP) for example in test.examples)
        run(test)


def test_docstring_of_the_package() -> None:
    (test,) = (test for test in doctest.DocTestFinder(recurse=False).find(flowsim, "flowsim") if test.examples)
    run(test)


@pytest.mark.parametrize("page", [page for page in PAGES if ">>>" in PAGES[page]])
def test_sessions_on_pages(page: str) -> None:
    """The sessions of a page share their names, from top to bottom."""
    text = "\n".join(block for block in blocks(page, "pycon", "python") if ">>>" in block)
    assert text.count(">>>") == PAGES[page].count(">>>"), "a session outside a pycon fence"
    run(doctest.DocTestParser().get_doctest(text, {}, page, f"docs/{page}.md", 0))


@pytest.mark.parametrize("page", list(PAGES))
def test_python_on_pages_is_python_and_names_what_there_is(page: str) -> None:
    for block in blocks(page, "python"):
        if ">>>" in block:
            continue  # a session: it is run
        compile(block, f"docs/{page}.md", "exec")
        for name in re.findall(r"\bflowsim\.([a-zA-Z_]+)", block):
            assert hasattr(flowsim, name) or importlib.util.find_spec(f"flowsim.{name}"), name


# ---------------------------------------------------------------- commands


def commands(page: str) -> list[list[str]]:
    """The flowsim commands on a page, in words, without what the shell does around them."""
    found = []
    for block in blocks(page, "sh", "bash", "console", "shell"):
        for line in re.sub(r"\\\n\s*", " ", block).splitlines():
            words = shlex.split(line.removeprefix("$ "), comments=True)
            if words[:1] == ["flowsim"]:
                ends = [i for i, word in enumerate(words) if word in ("|", ">", "&&", "||", ";", "2>", "&")]
                found.append(words[1 : ends[0] if ends else None])
    return found


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_commands_on_pages_can_be_given(page: str) -> None:
    """Each command, option and number of arguments exists; nothing is run."""
    import typer

    from flowsim.cli.commands import application

    group: Any = typer.main.get_command(application())
    for words in commands(page):
        if words and not words[0].startswith("-"):
            assert words[0] in group.commands, words
            command = group.commands[words[0]]
            if not {"--help"} & set(words):
                command.make_context(words[0], list(words[1:]))


def test_the_tutorial_can_be_followed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its files and commands, in order. Only `flowsim answer` is left out: it takes minutes, and has its own tests."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    names = []
    for before, block in re.findall(r"`(\w+\.toml)`[^`]*```toml\n(.*?)^```", PAGES["tutorial"], re.M | re.S):
        (tmp_path / before).write_text(block, encoding="utf-8")
        names.append(before)
    assert names == ["clinic.toml", "mine.toml"]
    done = []
    for words in commands("tutorial"):
        if words[0] != "answer":
            assert main(words) == 0, words
            done.append(words[0])
    assert done == ["check", "run", "compare", "check", "compare"]


# ---------------------------------------------------------------- files


@pytest.mark.parametrize("page", [page for page in PAGES if "```toml\n" in PAGES[page]])
def test_files_on_pages_are_toml_in_keys_that_exist(page: str) -> None:
    """Fragments too: what stands at the top is what a file of that kind may have. Other files only have to be TOML."""
    from flowsim.model.document import NetworkDocument
    from flowsim.scenario.schema import ScenarioFile
    from flowsim.study.experiment import ExperimentFile

    known = {*NetworkDocument.model_fields, *ScenarioFile.model_fields, *ExperimentFile.model_fields}
    for block in blocks(page, "toml"):
        keys = set(tomllib.loads(block))
        if keys & known:
            assert keys <= known
