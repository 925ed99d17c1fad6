"""Tables that fit a width: cells are wrapped between words, the widest columns first."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

GAP: Final = 2
"""Spaces between columns."""


def fitted_table(header: Sequence[str], rows: Sequence[Sequence[str]], width: int, left: int = 1) -> str:
    """A table in plain text, at most ``width`` wide where its longest words allow that.

    The first ``left`` columns are aligned left, the others right. A table that fits has a line per row.
    """
    columns = list(zip(header, *rows, strict=True))
    natural = [max(map(len, cells)) for cells in columns]
    least = [max(len(word) for cell in cells for word in cell.split() or [""]) for cells in columns]
    widths = _shrunk(natural, least, width - GAP * (len(columns) - 1))
    lines = [_row(header, widths, left)]
    if widths != natural:
        lines += [[(" " * GAP).join("-" * one for one in widths)]]
    lines += [_row(cells, widths, left) for cells in rows]
    return "\n".join(line for block in lines for line in block) + "\n"


def _shrunk(natural: list[int], least: list[int], room: int) -> list[int]:
    """Widths that add up to the room, as far as no word must be broken: the widest gives way first."""
    widths = list(natural)
    while sum(widths) > room:
        able = [i for i in range(len(widths)) if widths[i] > least[i]]
        if not able:
            break
        widths[max(able, key=lambda i: widths[i])] -= 1
    return widths


def _row(cells: Sequence[str], widths: Sequence[int], left: int) -> list[str]:
    """The lines of one row."""
    pairs = zip(cells, widths, strict=True)
    wrapped = [textwrap.wrap(c, w, break_long_words=False, break_on_hyphens=False) or [""] for c, w in pairs]
    made = []
    for number in range(max(map(len, wrapped))):
        parts = [block[number] if number < len(block) else "" for block in wrapped]
        aligned = [p.ljust(w) if i < left else p.rjust(w) for i, (p, w) in enumerate(zip(parts, widths, strict=True))]
        made.append((" " * GAP).join(aligned).rstrip())
    return made
