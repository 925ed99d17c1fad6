"""The pages: headings filled, lists that hold every page, tables that hold every name, nothing from the internet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from making import extension, markdown, plots, reference, tables

import flowsim
from flowsim.scenario.load import default

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))}
STRESS = (
    "Purpose of the model", "Model outputs", "Experimentation aims", "Base model overview diagram", "Base model logic",
    "Scenario logic", "Algorithms", "Components", "Entities", "Activities", "Resources", "Queues", "Entry/exit points",
    "Data sources", "Pre-processing", "Input parameters", "Assumptions", "Initialisation", "Run length",
    "Estimation approach", "Software or programming language", "Random sampling", "Model execution",
    "System specification", "Computer model sharing statement",
)  # fmt: skip
"""The items of STRESS-DES: Monks and others 2019, doi:10.1080/17477778.2018.1442155, table 1."""


def test_every_heading_of_stress_des_is_filled() -> None:
    parts = re.split(r"^#{3,4} [\d.]+ (.+)$", PAGES["stress-des"], flags=re.M)
    headings, texts = parts[1::2], parts[2::2]
    assert tuple(headings) == STRESS
    for heading, text in zip(headings, texts, strict=True):
        if heading != "Components":  # holds the five below it
            assert len(re.sub(r"^#.*$", "", text, flags=re.M).split()) >= 25, heading


def test_every_page_has_a_place() -> None:
    assert {"updating"} >= set(extension.unlisted(DOCS))  # those that no list names go below `LATER`
    assert extension.LATER in PAGES["use"]
    for name in PAGES:
        assert PAGES[name].startswith("# "), name


def test_pages_that_come_later_get_a_place(tmp_path: Path) -> None:
    listed = "# Use\n\n```{toctree}\n:glob:\n\nfirst\nupdat*\n" + extension.LATER + "\n```\n"
    for name, text in {"index": "# Home", "use": listed, "first": "# First", "new": "# New"}.items():
        (tmp_path / f"{name}.md").write_text(text, encoding="utf-8")
    assert extension.unlisted(tmp_path) == ["new", "use"]
    (tmp_path / "updating.md").write_text("# Updating", encoding="utf-8")
    assert extension.unlisted(tmp_path) == ["new", "use"]

    class App:
        srcdir = str(tmp_path)

    source = [listed]
    (tmp_path / "updating.md").unlink()
    extension.find_places(App(), "use", source)  # type: ignore[arg-type]
    assert re.findall(r"^[a-z*]+$", source[0], re.M) == ["first", "new", "use"]


def test_dutch_pages_say_that_they_are() -> None:
    for page in PAGES:
        context = {"language": "en"}
        extension.say_the_language(None, page, "", context, None)  # type: ignore[arg-type]
        dutch = len(re.findall(r"\b(?:het|een|niet|zijn)\b", PAGES[page])) > 20
        assert context["language"] == ("nl" if dutch else "en"), page


def test_links_out_of_the_site_become_names() -> None:
    source = ["[the plan](../experiments/plan.toml#x) [a page](model.md) [here](../docs/app.md)"]
    extension.name_what_lies_outside(None, "page", source)  # type: ignore[arg-type]
    assert source == ["the plan (`experiments/plan.toml`) [a page](model.md) [here](../docs/app.md)"]


def test_every_fragment_and_figure_is_used_and_made() -> None:
    text = "\n".join(PAGES.values())
    included = set(re.findall(r"^```\{include\} _made/(.+)\.md$", text, re.M))
    assert included == set(extension.FRAGMENTS)
    shown = set(re.findall(r"\{image\} _made/(.+)\.svg", text))
    assert shown == {f"{name}-{shade}" for name in plots.FIGURES for shade in plots.SHADES}
    for block in re.findall(r"^```\{image\}.*?^```", text, re.M | re.S):
        assert re.search(r"^:alt: .{15,}$", block, re.M), block


@pytest.mark.parametrize(
    ("html", "loads"),
    [
        ('<script src="https://cdn.example.org/x.js"></script>', True),
        ('<img alt="" src="//example.org/x.png">', True),
        ('<link rel="stylesheet" href="http://example.org/x.css">', True),
        ("a { background: url(https://example.org/x.woff2) }", True),
        ('@import "https://example.org/x.css";', True),
        ('<a href="https://doi.org/10.1080/17477778.2018.1442155">paper</a>', False),
        ('<script src="_static/x.js"></script> https://example.org', False),
        ('<link rel="stylesheet" href="_static/x.css"> <a href="https://example.org">', False),
        ("url(data:image/svg+xml;base64,AAAA) url(../webfonts/fa.woff2)", False),
        ('<link rel="index" href="https://example.org/">', False),
    ],
)
def test_what_would_load_from_the_internet_is_seen(html: str, loads: bool) -> None:
    assert bool(extension.LOADS.findall(html)) == loads


def test_tables_hold_every_figure_command_and_name() -> None:
    book = default().book
    figures, commands, python = tables.figures(), reference.commands(), reference.public_names()
    for key in book:
        assert f"| `{key.partition('.')[2]}` |" in figures
    for name in ("answer", "targets", "compare", "plan", "report", "app", "run", "sweep", "verify", "check", "schema"):
        assert f"## `flowsim {name}`" in commands
    assert "--half-width X" in commands
    for name in flowsim.__all__:
        if not name.startswith("_"):
            assert f"## `flowsim.{name}`" in python
    files = reference.files()
    assert "`conversation_hours` | `hourly`, `mean`" in files
    rows = tables.assumptions_table().splitlines()
    assert len(rows) == 2 + len(tables.effects())
    for one in tables.effects():
        assert sum(f"`{one.figure.key}`" in row for row in rows) == 1


def test_verdicts_of_verification_are_counted() -> None:
    text = PAGES["verification-table"]
    total = tables.verification_summary().splitlines()[-1]
    stated = re.search(r"^(\d+) comparisons", text, re.M)
    assert stated
    assert total == f"| **all** | **{stated[1]}** | **0** |"


def test_docstrings_become_markdown() -> None:
    def example() -> None:
        """First line of `x`, a_b.

        Parameters
        ----------
        a : one. b, c : two ``words``
            that go on.

        Examples
        --------
        >>> 1 + 1  # doctest: +SKIP
        2
        """

    made = reference.docstring(example)
    assert made.startswith("First line of `x`, a\\_b.")
    assert "- `a`: one.\n- `b, c`: two `words` that go on." in made
    assert "```pycon\n>>> 1 + 1\n2\n```" in made


def test_numbers_are_written_plainly() -> None:
    assert [markdown.number(x) for x in (0.0, 6491.0, 0.0025, -0.05, 1899.3, 10.0, 0.125)] == [
        "0", "6,491", "0.0025", "−0.05", "1,899", "10", "0.125",
    ]  # fmt: skip
    assert markdown.cell("a | b\nc") == "a \\| b c"
