"""From blocks to one HTML file that needs nothing else: the same story as the PDF, for screens and screen readers.

No script, nothing loaded from elsewhere (the page itself forbids it), pictures inside the file with their alternative
texts, and the same bytes from the same blocks.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from importlib import resources
from typing import Any, Final

from flowsim.present.markup import Html, join, tag, void
from flowsim.present.report.blocks import Block
from flowsim.present.report.document import readable

STYLE: Final = "report.css"
POLICY: Final = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
SIGNS: Final = {"met": "✔", "unsure": "◆", "missed": "✘", "absent": "○"}
"""Sign of a light, as in ``report.typ``."""


def webpage(content: Mapping[str, Any]) -> bytes:
    """A document as HTML; ``content``: what `flowsim.present.report.content.document` makes."""
    content = readable(content)
    style = resources.files("flowsim.present.report").joinpath(STYLE).read_text(encoding="utf-8")
    blocks = [*content["blocks"], *content["account"]]
    head = tag(
        "head",
        void("meta", charset="utf-8"),
        void("meta", http_equiv="Content-Security-Policy", content=POLICY),
        void("meta", name_="viewport", content="width=device-width, initial-scale=1"),
        tag("title", content["title"]),
        void("meta", name_="description", content=content["subtitle"]),
        tag("style", Html(style)),
    )
    body = tag(
        "body",
        tag("main", *_opening(blocks), _contents(blocks, content["contents"]), *_drawn(blocks)),
        tag("footer", content["footer"]),
    )
    return f"<!doctype html>\n{tag('html', head, body, lang=content['lang'])}\n".encode()


def _opening(blocks: Sequence[Block]) -> list[Html]:
    """The title and what is under it."""
    return [
        tag(
            "header",
            tag("p", one["kicker"], class_="kicker"),
            tag("h1", one["title"]),
            tag("p", one["subtitle"], class_="subtitle"),
        )
        for one in blocks
        if one["kind"] == "title"
    ]


def _contents(blocks: Sequence[Block], words: str) -> Html:
    """Links to the chapters."""
    links = (
        tag("li", tag("a", one["text"], href=f"#h{number}"))
        for number, one in enumerate(blocks)
        if one["kind"] == "heading" and one["level"] == 1
    )
    return tag("nav", tag("ul", *links), aria_label=words)


def _drawn(blocks: Sequence[Block]) -> list[Html]:
    """The blocks in order; a table without a caption is called after the heading above it."""
    made, above = [], ""
    for number, block in enumerate(blocks):
        if block["kind"] == "heading":
            above = block["text"]
            made.append(tag(f"h{block['level'] + 1}", above, id=f"h{number}"))
        else:
            made.append(_block(block, above))
    return made


def _block(block: Block, above: str) -> Html:
    match block["kind"]:
        case "title":
            return Html()
        case "text" | "small":
            return join(tag("p", line, class_="small" if block["kind"] == "small" else None) for line in block["lines"])
        case "list":
            return tag("ul", *(tag("li", item) for item in block["items"]))
        case "sources":
            return tag("ul", *(tag("li", item) for item in block["items"]), class_="small")
        case "answer":
            lines = (tag("p", line) for line in block["lines"])
            return tag("section", tag("p", block["word"], class_="word"), *lines, class_="answer")
        case "notice":
            return tag("p", block["text"], class_="notice")
        case "lights":
            return tag("ul", *(tag("li", _cell(one)) for one in block["cells"]), class_="lights")
        case "figure":
            return _figure(block)
        case "table":
            return _table(block, above)
        case "terms":
            return tag("dl", *(join((tag("dt", term), tag("dd", means))) for term, means in block["items"]))
    raise AssertionError(block["kind"])


def _figure(block: Block) -> Html:
    source = "data:image/svg+xml;base64," + b64encode(block["svg"].encode()).decode()
    note = tag("p", block["note"], class_="note")
    return tag("figure", tag("figcaption", block["caption"]), void("img", src=source, alt=block["alt"]), note)


def _table(block: Block, above: str) -> Html:
    sides = block["aligns"]
    head = tag(
        "tr", *(tag("th", one, scope="col", class_=side) for one, side in zip(block["header"], sides, strict=True))
    )
    rows = []
    for number, row in enumerate(block["rows"]):
        first, *rest = (_cell(one) for one in row)
        cells = [tag("th", first, scope="row", class_=sides[0])]
        cells += [tag("td", one, class_=side) for one, side in zip(rest, sides[1:], strict=True)]
        rows.append(tag("tr", *cells, class_="strong" if number in block["strong"] else None))
    caption = tag("caption", block["caption"] or above, class_=None if block["caption"] else "hidden")
    made = tag("table", caption, tag("thead", head), tag("tbody", *rows))
    box = tag("div", made, class_="scroll", tabindex=0, role="region", aria_label=block["caption"] or above)
    return join((box, tag("p", block["note"], class_="note"))) if block["note"] else box


def _cell(one: str | Mapping[str, str]) -> Html | str:
    """A cell, with its light when it has one."""
    if isinstance(one, str):
        return one
    sign = tag("span", SIGNS[one["light"]], class_=f"light {one['light']}", aria_hidden="true")
    return join((sign, Html(" "), tag("span", one["text"])))
