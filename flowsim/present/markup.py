"""HTML that cannot be broken out of: every text is escaped, and nothing is written around that.

`tag` is the only way in which a piece comes about. Text from a scenario, a figure or a catalogue is a plain `str` and
is escaped; `Html` is what has been built here already.
"""

from __future__ import annotations

import html as escaping
from collections.abc import Iterable


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: Html | str, **attributes: str | int | None) -> Html:
    """An element. Attributes: ``class_`` is ``class``, ``aria_label`` is ``aria-label``; None leaves one out.

    Examples
    --------
    >>> tag("p", "5 < 6", tag("b", "yes"), class_="small")
    '<p class="small">5 &lt; 6<b>yes</b></p>'
    """
    inside = "".join(child if isinstance(child, Html) else escaping.escape(str(child)) for child in children)
    return Html(f"<{name}{_written(attributes)}>{inside}</{name}>")


def void(name: str, /, **attributes: str | int | None) -> Html:
    """An element that holds nothing, such as ``img``."""
    return Html(f"<{name}{_written(attributes)}>")


def join(parts: Iterable[Html]) -> Html:
    """Pieces one after the other."""
    return Html("".join(parts))


def _written(attributes: dict[str, str | int | None]) -> str:
    return "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaping.escape(str(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
