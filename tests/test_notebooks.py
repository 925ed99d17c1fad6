"""Notebooks lean on public names alone, and say what is made up."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import flowsim

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.py"))


def test_there_are_notebooks() -> None:
    assert {"answer", "first_steps", "new_region", "parameter_sweep", "sensitivity_and_information"} <= {
        file.stem for file in NOTEBOOKS
    }


@pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
def test_a_notebook_needs_no_private_name(file: Path) -> None:
    used = []
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert not (node.module or "").startswith("flowsim"), node.module
        if isinstance(node, ast.Import):
            assert not [one.name for one in node.names if one.name.startswith("flowsim.")]
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_"), node.attr
            if isinstance(node.value, ast.Name) and node.value.id == "flowsim":
                used.append(node.attr)
    assert used
    assert set(used) <= set(flowsim.__all__)


def test_every_public_name_is_documented_and_found() -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    for name in flowsim.__all__:
        value = getattr(flowsim, name)
        if name != "__version__":
            assert f"`{name}" in page, name
            assert value.__doc__, name


def test_a_made_up_region_says_so() -> None:
    text = (ROOT / "notebooks" / "new_region.py").read_text("utf-8")
    assert text.count("MADE UP") >= 6
    assert "(verzonnen)" in text
