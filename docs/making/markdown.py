"""Markdown for the site: tables, numbers, anchors."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

from flowsim.analysis.statistics import Estimate
from flowsim.present.texts import format_number


def number(value: float, decimals: int | None = None) -> str:
    """A number in English notation; ``decimals`` None: as many as it has, at most four significant ones."""
    if not math.isfinite(value):
        return "–"
    if decimals is None:
        size = abs(value)
        most = 0 if size >= 1000 or size == 0 else max(0, 3 - math.floor(math.log10(size)))
        text = f"{value:.{min(most, 6)}f}"
        decimals = len(text.rstrip("0").partition(".")[2]) if "." in text else 0
    return format_number("en", value, decimals).replace("-", "−")


def signed(estimate: Estimate, decimals: int = 0) -> str:
    """A difference with its interval; bold when the interval does not hold zero."""
    plus = "+" if round(estimate.value, decimals) > 0 else ""
    text = f"{plus}{number(estimate.value, decimals)} ({number(estimate.low, decimals)} to "
    text += f"{number(estimate.high, decimals)})"
    return f"**{text}**" if estimate.low > 0 or estimate.high < 0 else text


def percent(share: float) -> str:
    """A share as a percentage."""
    return f"{number(100.0 * share, 0)}%"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """A Markdown table; columns ``right`` are aligned right."""
    rule = ["---:" if i in right else "---" for i in range(len(head))]
    lines = [head, rule, *[[cell(one) for one in row] for row in rows]]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cell(text: str) -> str:
    """Text that fits in a cell."""
    return " ".join(text.split()).replace("|", "\\|")


def prose(text: str) -> str:
    """Plain text whose characters must not be taken for Markdown."""
    return re.sub(r"([\\*_<>\[\]#])", r"\\\1", text)


def code(text: str) -> str:
    """A word of code."""
    return f"`{text}`"


def image(name: str, alt: str, caption: str = "") -> str:
    """A figure in a light and a dark form, as `making.plots` writes them."""
    made = ""
    for shade in ("light", "dark"):
        made += f"```{{image}} _made/{name}-{shade}.svg\n:alt: {alt}\n:class: only-{shade}\n```\n\n"
    return made + (f"*{caption}*\n" if caption else "")
