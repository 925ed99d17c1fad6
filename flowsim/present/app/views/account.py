"""*Verantwoording*: assumptions with their ranges and sources, how it was verified, what it leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

import streamlit as st

from flowsim.plan.figures import Figure
from flowsim.present.answer import Page
from flowsim.present.app import html
from flowsim.present.app.ground import ground
from flowsim.present.app.html import Html
from flowsim.present.app.shell import choice, lang, shared, shared_run, show, source_of, t, title
from flowsim.present.app.views.answer import lines
from flowsim.present.changed import figure_value
from flowsim.present.figures import figure_name, note_words, own_language, unit_words
from flowsim.present.texts import text
from flowsim.present.wording import ADDRESS, because_in, document_name, shipped_documents, unknown_name
from flowsim.scenario.posterior import source
from flowsim.scenario.region import load_region
from flowsim.scenario.unknowns import drawn

VERIFIED = ("engines", "theory", "naive", "plan", "seed")
LIMITS = ("children", "effects", "region", "interval")


def page() -> None:
    """The page: what is short first."""
    title("account")
    book = ground().book
    keys = drawn(ground())
    told = shared_run(shared().plan, "plan")
    made = None if told is None else Page(told.answer, told.tables, lang())
    show(html.heading(t("account.verified")))
    show(html.tag("ul", *(html.tag("li", t(f"account.verified_by.{name}")) for name in VERIFIED)))
    if made is not None:
        for line in made.taken_over(keys):
            show(html.paragraph(line))
        start = made.start()
        if start is not None:
            show(html.join((html.heading(start.heading, 3), lines(start))))
    show(html.heading(t("account.limits")))
    show(html.tag("ul", *(html.tag("li", t(f"account.limit.{name}")) for name in LIMITS)))
    show(html.heading(t("account.unknowns")))
    show(_unknowns(keys, made))
    show(html.heading(t("account.figures")))
    kind = choice(
        st.selectbox,
        t("account.kind"),
        ("assumed", "derived", "published"),
        format_func=lambda code: t(f"account.kinds.{code}"),
        key="account-kind",
    )
    found = [figure for figure in book.values() if figure.kind == kind and _is_of_the_model(figure)]
    with st.expander(t("account.show", n=len(found)), icon=":material/list:"):
        header = [t(f"account.column.{name}") for name in ("unit", "value", "range", "source")]
        rows = [[_named(figure), *_value(figure), _source(figure)] for figure in found]
        notes = _in_own_words(found)
        show(html.table(header, rows, t(f"account.kinds.{kind}"), left=4, notes=notes, hidden_caption=True))


def _unknowns(keys: Sequence[str], made: Page | None) -> Html:
    """What every future draws: beforehand, and as it is in the futures of *Het antwoord* (none yet: a dash)."""
    book = ground().book
    names = ("figure", "value_before", "range_before", "in_futures", "kind", "source")
    rows = []
    for key in keys:
        figure, drawn_as = book[key], "–" if made is None else made.in_futures(key)
        kind = t(f"account.kinds.{figure.kind}")
        rows.append([unknown_name(lang(), key), *_value(figure), drawn_as, kind, _source(figure)])
    code, changed = source(ground())
    figures = "; ".join(unknown_name(lang(), key) for key in changed)
    notes = [t("account.unknowns_note"), text(lang(), f"calibrate.used.{code}", figures=figures)]
    notes += _in_own_words([book[key] for key in keys], units=False)
    header = [t(f"account.column.{name}") for name in names]
    caption = t("account.unknowns_caption")
    return html.table(header, rows, caption, left=6, notes=notes, hidden_caption=True)


def _is_of_the_model(figure: Figure) -> bool:
    """Not a cell of the plan's tables, which have a page of their own."""
    return not figure.key.startswith(("investment.", "budget.", "kpi_numbers.")) and ".printed_" not in figure.key


def _cited(figure: Figure) -> Html:
    """Where a figure stands; the address of a page as a link. Of what the scenario changes: why."""
    changed = {change.key: change.because for change in ground().changes}
    if figure.key in changed:
        return html.tag("span", t("account.changed", because=because_in(lang(), changed[figure.key])))
    language = None if _known_source(figure) else _other(own_language(figure, ground().region))
    document = document_name(lang(), figure.source.document)
    found = ADDRESS.search(document)
    if found is None:
        return html.tag("span", source_of(figure), lang=language)
    name, rest = document[: found.start()], document[found.end() :].removeprefix(")")
    name = name.rstrip(" (") if name.endswith("(") else f"{name}{urlsplit(found[0]).hostname}"
    link = html.tag("a", name, href=found[0], target="_blank", rel="noopener noreferrer")
    taken = t("ground.taken", other=load_region(figure.taken_from).name) if figure.taken_from else ""
    return html.tag("span", html.tag("span", link, rest, lang=language), f" ({taken})" if taken else "")


def _known_source(figure: Figure) -> bool:
    """Whether it is a source of the shipped figures, whose titles follow the language."""
    return figure.source.document in shipped_documents()


def _other(language: str) -> str | None:
    """The language of words, where that is not the one of the page."""
    return None if language == lang() else language


def _said(words: str | None, own: str, figure: Figure) -> Html | str:
    """What the catalogue says; else the words of the figure itself, with their language where that is another one."""
    if words is not None:
        return words
    language = _other(own_language(figure, ground().region))
    return own if language is None else html.tag("span", own, lang=language)


def _named(figure: Figure) -> Html | str:
    """What a figure is: its name where it has one, and its unit below it."""
    name, words = figure_name(lang(), figure.key, ground().region), unit_words(lang(), figure.unit)
    if words is not None and (name is None or name.casefold() == words.casefold()):
        return words[0].upper() + words[1:]
    unit = _said(words, figure.unit, figure)
    if name is None:
        return unit
    return html.tag("span", name, html.tag("span", unit, class_="fs-cause"))


def _note(figure: Figure) -> list[Html]:
    """The note of a figure."""
    if not figure.note:
        return []
    return [html.tag("span", _said(note_words(lang(), figure.note), figure.note, figure), class_="fs-cause")]


def _in_own_words(figures: Sequence[Figure], units: bool = True) -> list[str]:
    """That a table, with ``units`` or without, has words of a region's files in another language than the page."""
    own = [
        figure
        for figure in figures
        if (units and unit_words(lang(), figure.unit) is None)
        or (figure.note and note_words(lang(), figure.note) is None)
        or not _known_source(figure)
    ]
    languages = sorted({own_language(figure, ground().region) for figure in own} - {lang()})
    return [t("account.own_words", language=t(f"account.language.{one}")) for one in languages]


def _value(figure: Figure) -> list[str]:
    """The value of a figure, by year where it differs by year, and its range."""

    def shown(value: float) -> str:
        return figure_value(lang(), value, figure.unit)

    years = "; ".join(f"{day.year}: {shown(one)}" for day, one in figure.values)
    span = "–"
    if figure.low is not None and figure.high is not None:
        span = t("account.range", low=shown(figure.low), high=shown(figure.high))
    return [years if figure.dated else shown(figure.at()), span]


def _source(figure: Figure) -> Html:
    """Where a figure stands, and its note."""
    return html.tag("span", _cited(figure), *_note(figure))
