"""HTML of the app, built with `flowsim.present.markup`: every text is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flowsim.present.app.facts import facts
from flowsim.present.markup import Html, join, tag
from flowsim.present.texts import format_number, text, texts
from flowsim.present.wording import percent

SYMBOLS = {"yes": "●", "likely": "◕", "uncertain": "◑", "unlikely": "◔", "no": "○"}
"""A shape beside each colour: fuller is likelier."""
LIGHTS = {"yes": "✓", "likely": "✓", "uncertain": "?", "unlikely": "!", "no": "✕", "none": "–"}
"""The sign on a traffic light."""

__all__ = ["Html", "join", "tag"]
FITS = 3
"""Columns that there is room for on a narrow page."""
MANY = 6
"""Columns from which they stand closer to each other, so that a wide page has room for all."""
SHORT = 13
"""Letters of what stays on one line in a table."""
NOTHING = "–"
"""In a cell where nothing belongs; left out where cells stand below each other."""
ESTIMATE = re.compile(r"[-+<>]?[\d.,]+%? \(.{3,24}\)")
"""A number with its interval."""


def plain(words: str) -> str:
    """Text for a place where Streamlit reads Markdown: nothing in it means anything."""
    return "".join("\\" + c if c in "\\`*_{}[]()<>#+-.!|~$:^=&@/" else c for c in " ".join(words.split()))


def paragraph(*children: Html | str, kind: str = "") -> Html:
    return tag("p", *children, class_=f"fs-p {kind}".strip())


def heading(words: str, level: int = 2) -> Html:
    return tag(f"h{level}", words, class_=f"fs-h{level}")


def term(lang: str, code: str, words: str = "") -> Html:
    """A term of the glossary: its meaning shows on hover, and on focus by keyboard."""
    meaning = text(lang, f"app.term.{code}.meaning", **facts(lang))
    shown = words or text(lang, f"app.term.{code}.name")
    return tag("span", shown, tag("span", meaning, role="tooltip", class_="fs-tip"), class_="fs-term", tabindex=0)


def with_terms(lang: str, sentence: str) -> Html:
    """A sentence of the catalogue in which ``[[code|words]]`` stands for a term."""
    parts: list[Html | str] = []
    for number, piece in enumerate(sentence.replace("]]", "[[").split("[[")):
        if number % 2:
            code, _, words = piece.partition("|")
            parts.append(term(lang, code, words))
        else:
            parts.append(piece)
    return tag("span", *parts)


def glossary(lang: str) -> Html:
    """Every term with its meaning."""
    known = texts(lang)
    codes = sorted({key.split(".")[2] for key in known if key.startswith("app.term.")})
    said = {code: text(lang, f"app.term.{code}.meaning", **facts(lang)) for code in codes}
    entries = sorted((known[f"app.term.{code}.name"], meaning) for code, meaning in said.items())
    return tag("dl", *(tag("div", tag("dt", name), tag("dd", meaning)) for name, meaning in entries), class_="fs-dl")


def table(
    header: Sequence[str],
    rows: Sequence[Sequence[Html | str]],
    caption: str,
    left: int = 1,
    notes: Sequence[str] = (),
    hidden_caption: bool = False,
    labels: Sequence[str] = (),
) -> Html:
    """A table; the first ``left`` columns are words, the first one heads its row.

    On a narrow page one of more than `FITS` columns has its cells below each other, each with the name of its column;
    or with its own of ``labels``, where that name says too little without the column before.
    The roles say again what each element is, for browsers in which the look of a table makes it one.
    """
    labels = labels or header
    names = (tag("th", one, scope="col", role="columnheader", class_=_side(i, left)) for i, one in enumerate(header))
    body = []
    for row in rows:
        cells = [tag("th", row[0], scope="row", role="rowheader", class_="fs-left")]
        for i, cell in enumerate(row[1:], 1):
            shown = tag("span", _whole(cell), class_="fs-cell")
            cells.append(tag("td", shown, role="cell", class_=_side(i, left) + _short(cell), data_label=labels[i]))
        body.append(tag("tr", *cells, role="row"))
    made = tag(
        "table",
        tag("caption", caption, class_="fs-hidden"),
        tag("thead", tag("tr", *names, role="row"), role="rowgroup"),
        tag("tbody", *body, role="rowgroup"),
        class_="fs-table" + (" fs-stack" if len(header) > FITS else "") + (" fs-many" if len(header) > MANY else ""),
        role="table",
    )
    below = join(paragraph(note, kind="fs-small") for note in notes if note)
    above = Html("") if hidden_caption else tag("p", caption, class_="fs-caption", aria_hidden="true")  # stays in place
    return join((above, tag("div", made, class_="fs-scroll", tabindex=0, role="region", aria_label=caption), below))


def closed(summary: Html, content: Html, open_: bool = False) -> Html:
    """A part of which only the ``summary`` is seen until it is opened, by pointer or by keyboard; ``open_``: it is."""
    return tag(
        "details", tag("summary", summary), tag("div", content), class_="fs-closed", open="open" if open_ else None
    )


def summary(name: str, said: Html | str, sign: Html | None = None) -> Html:
    """The line of a part that is `closed`: what it is, and what there is to say of it in a few words."""
    words = tag("span", tag("strong", name), " ", tag("span", said), class_="fs-said")
    return words if sign is None else tag("span", sign, words, class_="fs-signed")


def kept(sentence: str, *values: str) -> Html:
    """A sentence in which these values stay on one line."""
    pieces = re.split("(" + "|".join(re.escape(value) for value in values) + ")", sentence)
    return tag("span", *(tag("span", one, class_="fs-short") if i % 2 else one for i, one in enumerate(pieces)))


def _whole(cell: Html | str) -> Html | str:
    """The interval behind a number stays on one line."""
    return cell if isinstance(cell, Html) or not ESTIMATE.fullmatch(cell) else unbroken(cell)


def unbroken(words: str) -> Html:
    """Words of which what stands between brackets stays on one line."""
    value, _, between = words.partition(" (")
    return tag("span", value, " ", tag("span", f"({between}", class_="fs-short"))


def _short(cell: str) -> str:
    """A date or a number stays on one line; a number with its interval does so on a narrow page."""
    if isinstance(cell, Html):
        return ""
    if cell == NOTHING:
        return " fs-blank"
    return " fs-short" if len(cell) <= SHORT else " fs-estimate" if ESTIMATE.fullmatch(cell) else ""


def _side(i: int, left: int) -> str:
    return "fs-left" if i < left else "fs-right"


def dots(lang: str, share: float, colour: str, small: bool = False) -> Html:
    """A probability as dots out of 100; the number that is filled is the rounded per cent."""
    filled = round(100.0 * share)
    label = text(lang, "app.dots.label", filled=filled)
    cells = join(tag("span", class_="fs-dot fs-on" if i < filled else "fs-dot") for i in range(100))
    size = "fs-dots fs-dots-small" if small else "fs-dots"
    return tag("div", cells, class_=size, role="img", aria_label=label, style=f"--fs-colour:{colour}")


def chance(lang: str, code: str) -> Html:
    """The verdict on a probability: a shape, a colour and words that say the same."""
    words = text(lang, f"answer.chance.{code}")
    return tag(
        "span", tag("span", SYMBOLS[code], aria_hidden="true", class_="fs-symbol"), words, class_=f"fs-code fs-{code}"
    )


def probability(lang: str, value: float, low: float, high: float) -> str:
    """A probability with its interval."""
    shown = {"value": value, "low": low, "high": high}
    return text(lang, "answer.estimate", **{name: percent(lang, one) for name, one in shown.items()})


def estimate(lang: str, value: float, low: float, high: float, decimals: int = 0, sign: bool = False) -> str:
    """A number with its interval, alone where all three are written the same; ``sign``: with a plus where it is one."""

    def written(number: float) -> str:
        shown = format_number(lang, number, decimals)
        return "+" + shown if sign and number > 0 and shown.strip("0.,") else shown

    shown = {"value": written(value), "low": written(low), "high": written(high)}
    return shown["value"] if len(set(shown.values())) == 1 else text(lang, "answer.estimate", **shown)


def notice(*children: Html | str, kind: str = "note", role: str | None = None) -> Html:
    """A message in a frame: ``note``, ``warning`` or ``error``."""
    return tag("div", *children, class_=f"fs-notice fs-{kind}", role=role)


def swatch(colour: str, letter: str) -> Html:
    """A scenario's letter on its colour."""
    return tag("span", letter, class_="fs-swatch", style=f"--fs-colour:{colour};color:{ink_on(colour)}")


def line(colour: str, dash: str) -> Html:
    """A piece of a line as a chart draws it."""
    style = f"--fs-colour:{colour};--fs-dash:{'solid' if dash == 'solid' else 'dashed'}"
    return tag("span", class_="fs-line", style=style, aria_hidden="true")


def ink_on(colour: str) -> str:
    """Black or white, whichever is read best on a colour (relative luminance of WCAG 2.1)."""
    channels = (int(colour[i : i + 2], 16) / 255.0 for i in (1, 3, 5))
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    return "#000000" if (luminance + 0.05) / 0.05 > 1.05 / (luminance + 0.05) else "#ffffff"


def light(code: str, words: str) -> Html:
    """A traffic light: a sign on a colour, and words that say the same."""
    sign = tag("span", LIGHTS[code], aria_hidden="true", class_="fs-light")
    long = " fs-long" if isinstance(words, Html) or len(words) > SHORT else ""
    return tag("span", sign, words, class_=f"fs-code fs-{code}{long}")


def bar(value: float, low: float, high: float, colour: str) -> Html:
    """A number from -1 to 1 as a bar from the middle, with its interval."""

    def place(x: float) -> float:
        return 50.0 + 50.0 * max(-1.0, min(1.0, x))

    start, end = sorted((place(0.0), place(value)))
    style = f"--fs-colour:{colour};--fs-from:{start:.1f}%;--fs-wide:{end - start:.1f}%"
    style += f";--fs-low:{place(low):.1f}%;--fs-reach:{place(high) - place(low):.1f}%"
    return tag("span", tag("span"), tag("i"), class_="fs-bar", style=style, aria_hidden="true")
