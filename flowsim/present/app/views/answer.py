"""*Het antwoord*: the verdict, its probability, the three readings, and what the answer hangs on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from flowsim.analysis import verdict
from flowsim.present.answer import LAST_YEAR, TOP, Page, Paragraph, Rows
from flowsim.present.app import charts, html
from flowsim.present.app.drafts import plan_title
from flowsim.present.app.html import Html
from flowsim.present.app.reports import of_plan, pdf_name
from flowsim.present.app.shell import (
    as_table,
    chart,
    lang,
    number,
    shared,
    shared_run,
    show,
    t,
    title,
)
from flowsim.present.app.studies import Told
from flowsim.present.app.views.reporting import report
from flowsim.present.plots import EFFECTS
from flowsim.present.texts import text
from flowsim.present.wording import case_name, gave_up, percent, unknown_name
from flowsim.study.answer import Answer

if TYPE_CHECKING:
    import pandas as pd


def show_answer(told: Told) -> None:
    """The page of an answer."""
    answer, tables = told.answer, told.tables
    made = Page(answer, tables, lang())
    codes = verdict.verdicts(answer)
    show(_verdict(answer, codes, made.beside()))
    changed = [*made.other_settings(), *made.changes()]
    if changed:
        items = (html.tag("li", line.strip()) for line in changed)
        show(html.join((html.heading(t("ground.changed")), html.tag("ul", *items))))
    show(html.join((html.heading(t("answer.readings")), _cards(answer, codes), *_why(made))))
    _waiting(answer, tables, made, codes)
    _hangs_on(tables, codes)
    _measure_first(made)
    with st.expander(text(lang(), "answer.explain.title"), icon=":material/info:"):
        show(html.join(html.paragraph(line) for line in made.explanation().lines))
        show(rows(made.summary()))


def _verdict(answer: Answer, codes: dict[str, Any], beside: Sequence[str] = ()) -> Html:
    """One sentence, the probability as a number and as dots out of 100; ``beside``: what bears on trusting it."""
    leading, code = codes["leading"], codes["code"]
    one = answer.probability(leading)
    colour = charts.COLOURS[leading]
    ends = {"low": percent(lang(), one.low), "high": percent(lang(), one.high)}
    words = html.tag(
        "div",
        html.tag("p", t(f"answer.sentence.{code}", year=LAST_YEAR), class_="fs-verdict"),
        html.tag("p", percent(lang(), one.value), class_="fs-big"),
        html.paragraph(
            html.with_terms(
                lang(),
                t("answer.chance", year=LAST_YEAR, case=case_name(lang(), leading), futures=number(one.n), **ends),
            )
        ),
        html.paragraph(text(lang(), f"answer.overall.{codes['overall']}")),
        *(html.paragraph(one) for one in beside),
    )
    picture = html.tag("div", html.dots(lang(), one.value, colour), html.paragraph(t("dots.legend"), kind="fs-small"))
    return html.tag("section", words, picture, class_="fs-answer", style=f"--fs-colour:{colour}", id="verdict")


def _cards(answer: Answer, codes: dict[str, Any]) -> Html:
    """The readings side by side, and what happens without a network."""
    cards = []
    for name in (*(name for name in answer.cases if name != "none"), "none"):
        one = answer.probability(name)
        colour = charts.COLOURS[name]
        meaning = text(lang(), f"answer.meaning.{name}").partition(": ")[2]
        cards.append(
            html.tag(
                "li",
                html.heading(case_name(lang(), name), 3),
                html.tag("p", percent(lang(), one.value), class_="fs-number"),
                html.dots(lang(), one.value, colour, small=True),
                html.paragraph(html.chance(lang(), codes["cases"][name])),
                html.paragraph(
                    t("answer.interval", low=percent(lang(), one.low), high=percent(lang(), one.high)), kind="fs-small"
                ),
                html.paragraph(meaning[:1].upper() + meaning[1:]),
                class_="fs-card",
                style=f"--fs-colour:{colour}",
            )
        )
    return html.tag("ul", *cards, class_="fs-cards")


def _why(made: Page) -> list[Html]:
    """One line on why the readings differ, and the numbers behind it."""
    found = made.why()
    if found is None:
        return []
    items = (html.tag("li", line.strip()) for line in found.lines)
    return [html.paragraph(t("answer.why")), html.tag("ul", *items)]


def _waiting(answer: Answer, tables: Mapping[str, pd.DataFrame], made: Page, codes: dict[str, Any]) -> None:
    """People overdue, with and without the network."""
    leading = codes["leading"]
    show(html.heading(t("answer.waiting", case=case_name(lang(), leading))))
    fan = tables["fan"]
    overdue = fan[fan["measure"] == "overdue"]
    cases = list(dict.fromkeys(("none", leading)))
    shown = [
        charts.Fan(overdue[overdue["case"] == name], charts.COLOURS[name], charts.DASHES[1 - i], t(f"chart.end.{i}"))
        for i, name in enumerate(cases)
    ]
    first = overdue[(overdue["case"] == leading) & (overdue["day"] == 0.0)]["q50"].iloc[0]
    limit = answer.cases[leading].definition.share * float(first)
    legend = [
        html.tag("li", html.line(fan.colour, fan.dash), case_name(lang(), name))
        for fan, name in zip(shown, cases, strict=True)
    ]
    show(html.join((html.paragraph(t("chart.fan")), html.tag("ul", *legend, class_="fs-legend"))))
    figure = charts.fans(shown, made.region.start, limit, lang())
    source = t("chart.source", futures=number(len(answer.cases[leading].futures)))
    chart(figure, "answer-fan", t("unit.overdue"), source, t("answer.waiting_label"))
    as_table(html.join((rows(made.lists()), rows(made.waits()))))


def _hangs_on(tables: Mapping[str, pd.DataFrame], codes: dict[str, Any]) -> None:
    """The unknowns that the answer hangs on most."""
    leading = codes["leading"]
    found = tables["unknowns"]
    found = found[found["case"] == leading].to_dict("records")[:TOP]
    if not found:
        return
    made = []
    for row in found:
        r, low, high = (float(row[name]) for name in ("correlation", "correlation_low", "correlation_high"))
        strength = verdict.strength(r, low, high)
        code = "unclear" if strength == "unclear" else "more" if r > 0.0 else "fewer"
        colour = EFFECTS.get(code, charts.GREY)
        effect = text(lang(), f"answer.effect.{code}")
        chances = f"{percent(lang(), row['cleared_low'])} → {percent(lang(), row['cleared_high'])}"
        made.append(
            (
                unknown_name(lang(), row["unknown"]),
                html.bar(r, low, high, colour),
                text(lang(), f"answer.strength.{strength}", effect=effect),
                html.estimate(lang(), r, low, high, 2),
                chances,
            )
        )
    header = [text(lang(), f"answer.table.unknowns.{name}") for name in ("unknown", "effect", "correlation", "chances")]
    header.insert(1, t("answer.bar"))
    caption = text(lang(), "answer.table.unknowns.title", case=case_name(lang(), leading), year=LAST_YEAR)
    notes = [t("answer.bar_note"), text(lang(), "answer.table.unknowns.note"), *gave_up(lang(), found)]
    show(
        html.join(
            (
                html.heading(t("answer.hangs_on")),
                html.table(header, made, caption, left=3, notes=notes, hidden_caption=True),
            )
        )
    )


def _measure_first(made: Page) -> None:
    """Which number to measure first."""
    found = made.measure_first()
    if found is not None:
        show(html.join((html.heading(found.title), rows(found, hidden_title=True))))


def rows(made: Rows, hidden_title: bool = False) -> Html:
    """A table of `flowsim.present.answer` as HTML; ``hidden_title``: what stands around it says it already."""
    return html.table(made.header, made.rows, made.title, made.left, made.notes, hidden_caption=hidden_title)


def lines(made: Paragraph) -> Html:
    """Sentences of `flowsim.present.answer` as HTML."""
    return html.join(html.paragraph(line.strip()) for line in made.lines)


def page() -> None:
    """The page."""
    title("answer")
    told = shared_run(shared().plan, "plan")
    if told is not None:
        over = shared().plan().over
        about = len(told.answer.cases[verdict.verdicts(told.answer)["leading"]].futures)
        language = lang()
        work = (lambda: of_plan(told, language)) if over else None
        report("plan-report", about, work, pdf_name(plan_title(lang())))()
        show_answer(told)
