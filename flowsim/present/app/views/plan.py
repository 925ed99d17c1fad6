"""*Het plan nagerekend*: the plan's tables recomputed, discrepancies first, each with its place in the plan."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Sequence
from functools import cache

import streamlit as st

from flowsim.plan.business_case import check_plan
from flowsim.plan.figures import load_figures
from flowsim.plan.tables.checks import EXACT, INCONSISTENT, ROUNDING, Check
from flowsim.present.app import html
from flowsim.present.app.facts import written
from flowsim.present.app.ground import SHIPPED, ground
from flowsim.present.app.html import Html
from flowsim.present.app.shell import lang, number, show, t, title
from flowsim.present.plan_table import cause_text, count_verdicts, plan_cells
from flowsim.present.texts import format_number, text, texts

ISO = re.compile(r"\d{4}-\d{2}-\d{2}")
SIGNS = {INCONSISTENT: "no", ROUNDING: "uncertain", EXACT: "yes"}


@cache
def checks() -> tuple[Check, ...]:
    """Every check of the plan; the same for all visitors."""
    return check_plan(load_figures())


def page() -> None:
    """The page."""
    title("plan")
    if ground().region != SHIPPED:
        show(html.notice(t("ground.no_tables")))
        return
    counts = count_verdicts(checks())
    legend: list[Html] = [
        html.tag("li", html.light(SIGNS[code], t(f"plan.count.{code}", n=number(counts[code]))))
        for code in (INCONSISTENT, ROUNDING, EXACT)
    ]
    show(html.join((html.tag("ul", *legend, class_="fs-legend"), html.paragraph(text(lang(), "plan.head.rule")))))
    everything = st.toggle(t("plan.everything"), key="plan-everything")
    show(_wrong(lang(), everything))
    show(_tables(lang(), everything))


@cache
def _wrong(lang: str, everything: bool) -> Html:
    """What is not right, by table: a line for each row with one cause; why, and the numbers, when it is opened."""
    wrong = [check for check in checks() if check.verdict == INCONSISTENT]
    lines = 0
    parts = []
    for name, members in _by_table(wrong, lang):
        parts.append(html.heading(name, 3))
        found: dict[tuple[str, str], list[Check]] = {}
        for check in members:
            found.setdefault((check.row, check.cause), []).append(check)
        parts += [html.closed(_line(cells, lang), _why(cells, name, lang), everything) for cells in found.values()]
        lines += len(found)
    counts = {"n": format_number(lang, len(wrong)), "lines": format_number(lang, lines)}
    above = html.heading(text(lang, "plan.head.wrong")), html.paragraph(text(lang, "app.plan.wrong", **counts))
    return html.tag("section", *above, *parts, id="wrong")


@cache
def _tables(lang: str, everything: bool) -> Html:
    """Every table of the plan, with how many of its numbers are right; the numbers when it is opened."""
    parts = [html.heading(text(lang, "plan.head.rest"))]
    for name, members in _by_table(checks(), lang):
        counts = count_verdicts(members)
        there = [code for code in (INCONSISTENT, ROUNDING, EXACT) if counts[code]]
        keys = {code: f"app.plan.{'one' if counts[code] == 1 else 'count'}.{code}" for code in there}
        said = ", ".join(text(lang, key, n=format_number(lang, counts[code])) for code, key in keys.items())
        worst = SIGNS[there[0]]
        sign = html.tag("span", html.LIGHTS[worst], aria_hidden="true", class_=f"fs-light fs-{worst}")
        parts.append(html.closed(html.summary(name, said, sign), _table(members, name, lang), everything))
    return html.tag("section", *parts, id="tables")


def _by_table(found: Iterable[Check], lang: str) -> list[tuple[str, list[Check]]]:
    """The checks of each table and its name, in the order of the plan."""
    tables: dict[str, list[Check]] = {}
    for check in found:
        tables.setdefault(texts(lang)[f"plan.table.{check.table}"], []).append(check)
    return sorted(tables.items())


def _line(cells: Sequence[Check], lang: str) -> Html:
    """What the plan prints and what comes out of it; of several numbers how many, and the one that is most off."""
    worst = max(cells, key=lambda check: abs(check.difference))
    row, column, printed, recomputed, *_ = (_local(cell, lang) for cell in plan_cells(worst, lang))
    key = "app.plan.line" if len(cells) == 1 else "app.plan.line_of"
    values = {"n": format_number(lang, len(cells)), "column": column, "printed": printed, "recomputed": recomputed}
    return html.summary(row, html.kept(text(lang, key, **values), printed, recomputed))


def _why(cells: Sequence[Check], table: str, lang: str) -> Html:
    """The cause, and each number."""
    row = plan_cells(cells[0], lang)[0]
    names = ("column", "printed", "recomputed", "difference")
    made = [[_local(cell, lang) for cell in plan_cells(check, lang)[1:5]] for check in cells]
    header = [text(lang, f"plan.head.{name}") for name in names]
    cause = html.paragraph(cause_text(cells[0], lang))
    return html.join((cause, html.table(header, made, f"{row}: {table}", hidden_caption=True)))


def _table(found: Sequence[Check], caption: str, lang: str) -> Html:
    """Checks of one table."""
    header = [text(lang, f"plan.head.{name}") for name in ("row", "column", "printed", "recomputed", "difference")]
    header.append(text(lang, "plan.head.verdict"))
    made = []
    before = ("", "")
    for check in found:
        row, column, *numbers, words = (_local(cell, lang) for cell in plan_cells(check, lang))
        cause = cause_text(check, lang)
        said = [] if (row, cause) == before or not cause else [html.tag("span", cause, class_="fs-cause")]
        before = row, cause  # once for a row of years
        made.append([html.tag("span", row, *said), column, *numbers, html.light(SIGNS[check.verdict], words)])
    return html.table(header, made, caption, left=2, hidden_caption=True)


def _local(cell: str, lang: str) -> str:
    """A cell with its date in the order of the language."""
    return written(dt.date.fromisoformat(cell), lang) if ISO.fullmatch(cell) else cell
