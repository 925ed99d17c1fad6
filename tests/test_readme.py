"""What README.md promises can be done."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from flowsim.cli import main
from flowsim.scenario.load import load

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.M | re.S)


def test_it_opens_with_the_two_commands_and_the_picture() -> None:
    heading, first = README.split("\n", 1)
    assert heading == "# flowsim"
    assert re.match(r"\s*```sh\nmake run .*\nmake test .*\n```\s+!\[[^\]]+\]\(docs/images/answer.png\)", first)


def test_its_links_lead_somewhere() -> None:
    for file in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", file.read_text(encoding="utf-8")):
            assert "://" in link or (file.parent / link).exists(), (file.name, link)


def test_its_scenario_is_usable(tmp_path: Path) -> None:
    (example,) = blocks("toml")
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    (tmp_path / "my.toml").write_text(example, encoding="utf-8")
    scenario = load(tmp_path / "my.toml")
    assert scenario.settings["conversation_hours"] == "mean"
    assert [change.key for change in scenario.changes] == ["assumptions.demand_growth"]


def test_its_commands_exist(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    known = set(re.findall(r"^  (\w+) ", capsys.readouterr().out.partition("Commands:")[2], re.M))
    used = {word for block in blocks("sh") for word in re.findall(r"flowsim (\w+)", re.sub(r"#.*", "", block))}
    assert used
    assert used <= known


def test_its_python_names_what_there_is() -> None:
    import flowsim

    names = {name for block in blocks("python") for name in re.findall(r"flowsim\.(\w+)", block)}
    assert names == {"answer", "compare", "Network", "simulate"}
    for name in names:
        assert hasattr(flowsim, name)
    for folder in re.findall(r"^flowsim/(\w+)/", README, re.M):
        assert (ROOT / "flowsim" / folder).is_dir()
