"""Sphinx extension: makes ``docs/_made`` before a build, finds a place for every page, keeps the internet out."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path
from typing import Any, Final

from sphinx.application import Sphinx
from sphinx.util import logging

from making import mutation, plots, reference, tables

LOG: Final = logging.getLogger(__name__)
FOLDER: Final = "_made"
FRAGMENTS: Final[dict[str, Callable[[], str]]] = {
    "assumptions-table": tables.assumptions_table,
    "assumptions-summary": tables.assumptions_summary,
    "assumptions-refused": tables.refused,
    "assumptions-why": tables.assumptions_why,
    "assumptions-idle": tables.assumptions_idle,
    "assumptions-made": lambda: tables.made("assumptions"),
    "directions": tables.directions_table,
    "extremes": tables.extremes_table,
    "extremes-why": tables.extremes_why,
    "extremes-made": lambda: tables.made("extremes"),
    "first-day": tables.first_day_table,
    "first-day-summary": tables.first_day_summary,
    "first-day-drift": tables.first_day_drift,
    "first-day-made": lambda: tables.made("first-day"),
    "face-made": lambda: tables.made("face"),
    "traces": tables.traces,
    "figures": tables.figures,
    "figures-count": tables.figures_count,
    "plan-checks": tables.plan_checks,
    "stations": tables.stations_table,
    "run-length": tables.run_length,
    "verification-summary": tables.verification_summary,
    "system": tables.system,
    "mutation-summary": mutation.summary,
    "mutation-packages": mutation.packages,
    "mutation-operators": mutation.operators,
    "mutation-reasons": mutation.reasons,
    "mutation-survivors": mutation.survivors,
    "mutation-samples": mutation.samples,
    "mutation-left-alone": mutation.left_alone,
    "mutation-earlier": mutation.earlier,
    "commands": reference.commands,
    "public-names": reference.public_names,
    "results": reference.results,
    "modules": reference.modules,
    "files": reference.files,
}
"""Name of the file -> what writes it. Pages include them."""
DUTCH: Final = frozenset({"stuurgroep"})
"""Pages in Dutch."""
LATER: Final = "<!-- pages that no other list names -->"
"""Stands in the list of a page: replaced by the pages that came later and are in no list yet."""
LIST: Final = re.compile(r"^```\{toctree\}\n.*?^```", re.S | re.M)
OUTSIDE: Final = re.compile(r"\[([^\]]+)\]\(\.\./(?!docs/)([^)#\s]+)[^)]*\)")
LOADS: Final = re.compile(
    r"<(?:script|img|iframe|source|embed|object)\b[^>]*?\b(?:src|data)=[\"']?(?:https?:)?//[^\"'\s>]+"
    r"|<link\b(?![^>]*rel=[\"']?(?:canonical|next|prev|license|author|search|index|top))[^>]*?\bhref=[\"']?(?:https?:)?//[^\"'\s>]+"
    r"|\burl\(\s*[\"']?(?:https?:)?//[^)\s]+"
    r"|@import\s+[\"'](?:https?:)?//\S+",
    re.I,
)
"""What makes a browser ask another machine for something; links that a reader follows are no such thing."""


def make(app: Sphinx) -> None:
    """Write every fragment and figure."""
    folder = Path(app.srcdir) / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, write in FRAGMENTS.items():
        (folder / f"{name}.md").write_text(write(), encoding="utf-8")
    plots.draw_all(folder)


def find_places(app: Sphinx, docname: str, source: list[str]) -> None:
    """In lists of pages: leave out patterns that no page fits yet, and put pages that fit none where `LATER` stands."""
    pages = sorted(page.stem for page in Path(app.srcdir).glob("*.md"))

    def without_idle(block: re.Match[str]) -> str:
        kept = [line for line in block[0].splitlines() if "*" not in line or any(fnmatch(page, line) for page in pages)]
        return "\n".join(kept)

    if LATER in source[0]:
        source[0] = source[0].replace(LATER, "\n".join(unlisted(Path(app.srcdir))))
    source[0] = LIST.sub(without_idle, source[0])


def name_what_lies_outside(app: Sphinx, docname: str, source: list[str]) -> None:
    """A link to a file of the repository that is no part of the site becomes the file's name."""
    source[0] = OUTSIDE.sub(lambda link: f"{link[1]} (`{link[2]}`)", source[0])


def say_the_language(app: Sphinx, pagename: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """So that a screen reader reads a Dutch page as Dutch."""
    if pagename in DUTCH:
        context["language"] = "nl"


def unlisted(folder: Path) -> list[str]:
    """Pages that no list names."""
    texts = {page.stem: page.read_text(encoding="utf-8") for page in folder.glob("*.md")}
    lines = {line.strip() for text in texts.values() for block in LIST.findall(text) for line in block.splitlines()}
    names = [line for line in lines if line and not line.startswith((":", "`", "<"))]
    return sorted(page for page in texts if page != "index" and not any(fnmatch(page, name) for name in names))


def keep_the_internet_out(app: Sphinx, exception: Exception | None) -> None:
    """Warn (and with -W: fail) for each page or style that would load something from elsewhere."""
    if exception is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    for file in sorted((*folder.rglob("*.html"), *folder.rglob("*.css"))):
        for found in LOADS.findall(file.read_text(encoding="utf-8")):
            LOG.warning("%s loads from the internet: %s", file.relative_to(folder), found[:120])


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("builder-inited", make)
    app.connect("source-read", find_places)
    app.connect("source-read", name_what_lies_outside)
    app.connect("html-page-context", say_the_language)
    app.connect("build-finished", keep_the_internet_out)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
