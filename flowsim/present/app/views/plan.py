"""*Het plan nagerekend*: the plan's tables recomputed, discrepancies first, each with its place in the plan."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from functools import cache

import streamlit as st

from flowsim.plan.business_case import check_plan
from flowsim.plan.figures import load_figures
from flowsim.plan.tables.checks import EXACT, INCONSISTENT, ROUNDING, Check
from flowsim.present.app import html
from flowsim.present.app.facts import written
from flowsim.present.app.ground import SHIPPED, ground
from flowsim.present.app.html import Html
from flowsim.present.app.shell import choice, lang, number, show, t, title
from flowsim.present.plan_table import cause_text, count_verdicts, plan_cells
from flowsim.present.texts import text, texts

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
    wrong = [check for check in checks() if check.verdict == INCONSISTENT]
    show(html.heading(text(lang(), "plan.head.wrong")))
    show(_table(wrong, t("plan.wrong_caption"), place=True))
    show(html.heading(text(lang(), "plan.head.rest")))
    names = list(dict.fromkeys(check.table for check in checks()))
    chosen = choice(
        st.selectbox,
        t("plan.choose"),
        names,
        format_func=lambda code: texts(lang())[f"plan.table.{code}"],
        key="plan-table",
    )
    members = [check for check in checks() if check.table == chosen]
    show(_table(members, texts(lang())[f"plan.table.{chosen}"], place=False))


def _table(found: Sequence[Check], caption: str, place: bool) -> Html:
    """Checks; ``place``: with the table of the plan in which each stands."""
    header = [text(lang(), f"plan.head.{name}") for name in ("row", "column", "printed", "recomputed", "difference")]
    header.append(text(lang(), "plan.head.verdict"))
    made = []
    before: list[str] = []
    for check in found:
        row, column, *numbers, words = (_local(cell) for cell in plan_cells(check, lang()))
        below = [texts(lang())[f"plan.table.{check.table}"]] if place else []
        below += [cause_text(check, lang())] if check.cause else []
        said, before = ([] if [row, *below] == before else below), [row, *below]  # once for a row of years
        named = html.tag("span", row, *(html.tag("span", words, class_="fs-cause") for words in said))
        made.append([named, column, *numbers, html.light(SIGNS[check.verdict], words)])
    return html.table(header, made, caption, left=2, hidden_caption=True)


def _local(cell: str) -> str:
    """A cell with its date in the order of the language."""
    return written(dt.date.fromisoformat(cell), lang()) if ISO.fullmatch(cell) else cell
