"""*Verantwoording*: assumptions with their ranges and sources, how it was verified, what it leaves out."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from flowsim.plan.figures import Figure, load_figures
from flowsim.present.answer import Page
from flowsim.present.app import html
from flowsim.present.app.ground import SHIPPED, ground
from flowsim.present.app.html import Html
from flowsim.present.app.shell import choice, lang, shared, shared_run, show, source_of, t, title
from flowsim.present.app.views.answer import lines
from flowsim.present.changed import figure_value
from flowsim.present.texts import text, texts
from flowsim.present.wording import ADDRESS, document_name, unknown_name
from flowsim.scenario.posterior import source
from flowsim.scenario.region import load_region
from flowsim.scenario.unknowns import drawn

VERIFIED = ("engines", "theory", "naive", "plan", "seed")
LIMITS = ("children", "effects", "region", "interval")


def page() -> None:
    """The page."""
    title("account")
    book = ground().book
    show(html.heading(t("account.unknowns")))
    keys = drawn(ground())
    header = [t(f"account.column.{name}") for name in ("figure", "value", "range", "kind", "source")]
    told = shared_run(shared().plan, "plan")
    made = None if told is None else Page(told.answer, told.tables, lang())
    show(_unknowns(keys, made))
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
        header[0] = t("account.column.unit")
        rows = [_row(figure, f"{figure.unit}") for figure in found]
        notes = (t("account.figures_note"),)
        show(html.table(header, rows, t(f"account.kinds.{kind}"), left=5, notes=notes, hidden_caption=True))


def _unknowns(keys: Sequence[str], made: Page | None) -> Html:
    """What every future draws: beforehand, and as it is in the futures of *Het antwoord* (none yet: a dash)."""
    book = ground().book
    names = ("figure", "value_before", "range_before", "in_futures", "kind", "source")
    rows = []
    for key in keys:
        name, value, span, kind, cited = _row(book[key], unknown_name(lang(), key))
        rows.append([name, value, span, "–" if made is None else made.in_futures(key), kind, cited])
    code, changed = source(ground())
    figures = "; ".join(unknown_name(lang(), key) for key in changed)
    notes = (t("account.unknowns_note"), text(lang(), f"calibrate.used.{code}", figures=figures))
    header = [t(f"account.column.{name}") for name in names]
    caption = t("account.unknowns_caption")
    return html.table(header, rows, caption, left=6, notes=notes, hidden_caption=True)


def _is_of_the_model(figure: Figure) -> bool:
    """Not a cell of the plan's tables, which have a page of their own."""
    return not figure.key.startswith(("investment.", "budget.", "kpi_numbers.")) and ".printed_" not in figure.key


def _cited(figure: Figure) -> Html:
    """Where a figure stands; the address of a page as a link."""
    document = document_name(lang(), figure.source.document)
    found = ADDRESS.search(document)
    if found is None:
        return html.tag("span", source_of(figure))
    name = document[: found.start()].rstrip(" (")
    link = html.tag("a", name, href=found[0], target="_blank", rel="noopener noreferrer")
    taken = t("ground.taken", other=load_region(figure.taken_from).name) if figure.taken_from else ""
    return html.tag("span", link, f" ({taken})" if taken else "")


def _note(figure: Figure) -> list[Html]:
    """The note of a figure in the visitor's language, where it is that of the shipped figures; else as it stands."""
    if not figure.note:
        return []
    known = texts(lang()).get(f"app.account.note.{figure.key}")
    shipped = load_figures(SHIPPED)
    if known is not None and figure.key in shipped and shipped[figure.key].note == figure.note:
        return [html.tag("span", known, class_="fs-cause")]
    return [html.tag("span", figure.note, class_="fs-cause", lang="en")]


def _row(figure: Figure, name: str) -> list[Html | str]:
    def shown(value: float) -> str:
        return figure_value(lang(), value, figure.unit)

    years = "; ".join(f"{day.year}: {shown(one)}" for day, one in figure.values)
    value = years if figure.dated else shown(figure.at())
    span = "–"
    if figure.low is not None and figure.high is not None:
        span = t("account.range", low=shown(figure.low), high=shown(figure.high))
    source = html.tag("span", _cited(figure), *_note(figure))
    return [name, value, span, t(f"account.kinds.{figure.kind}"), source]
