"""The parts of a report as plain data: what ``report.typ`` lays out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

Block = dict[str, Any]

LETTERS: Final = "ABCD"
"""Names of scenarios in a figure; the table beside it has their titles."""
LIGHTS: Final = {
    "yes": "met",
    "likely": "met",
    "uncertain": "unsure",
    "unlikely": "missed",
    "no": "missed",
    "none": "absent",
}
"""Code of a verdict (`flowsim.analysis.verdict.CODES`) -> sign and colour."""


def heading(words: str, level: int = 1, fresh: bool = False, room: bool = False) -> Block:
    """A heading; ``fresh``: on a new page; ``room``: on a new page unless most of this one is left, as when the chapter
    before was a few lines too long for its page."""
    return {"kind": "heading", "text": words, "level": level, "fresh": fresh, "room": room}


def paragraphs(*lines: str) -> Block:
    """Running text."""
    return {"kind": "text", "lines": list(lines)}


def bullets(*items: str) -> Block:
    """A list."""
    return {"kind": "list", "items": list(items)}


def figure(svg: str, caption: str, alt: str, note: str) -> Block:
    """A picture: its title above, unit and source below, and what it shows for who does not see it."""
    return {"kind": "figure", "svg": svg, "caption": caption, "alt": alt, "note": note}


def light(code: str, words: str) -> dict[str, str]:
    """A cell with a traffic light that is a sign and a colour, before words that say the same."""
    return {"light": LIGHTS[code], "text": words}


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[Any]],
    widths: Sequence[float],
    caption: str = "",
    note: str = "",
    left: int = 1,
    small: bool = False,
    tiny: bool = False,
    strong: Sequence[int] = (),
) -> Block:
    """A table.

    Parameters
    ----------
    rows : of strings, or cells made by `light`.
    widths : shares of the width of the page; 0: as wide as the words.
    left : columns that are aligned left, the others right. strong : rows with a background.
    """
    assert all(len(row) == len(header) == len(widths) for row in rows)
    return {
        "kind": "table",
        "header": list(header),
        "rows": [list(row) for row in rows],
        "widths": list(widths),
        "aligns": ["left" if column < left else "right" for column in range(len(header))],
        "caption": caption,
        "note": note,
        "small": small,
        "tiny": tiny,
        "strong": list(strong),
    }
