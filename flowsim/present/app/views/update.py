"""*Bijwerken*: what the programme counted, and the new forecast beside the old one."""

from __future__ import annotations

import streamlit as st

from flowsim.analysis.monitoring import Quarter
from flowsim.errors import InputError
from flowsim.present.answer import LAST_YEAR, Block, Rows
from flowsim.present.app import charts, chrome, html, keeping
from flowsim.present.app.counts import EXAMPLE, RefusedCounts, example, example_file, read, template
from flowsim.present.app.counts import refused as refused_counts
from flowsim.present.app.drafts import Draft, fingerprint, plan_draft
from flowsim.present.app.ground import SHIPPED, ground
from flowsim.present.app.html import Html
from flowsim.present.app.shell import (
    as_table,
    chart,
    choice,
    failed,
    lang,
    number,
    refused,
    shared,
    show,
    t,
    title,
    visit,
    watch,
)
from flowsim.present.app.updates import Weighed
from flowsim.present.app.views.answer import rows
from flowsim.present.first_day import first_day
from flowsim.present.plots import FORECASTS
from flowsim.present.texts import text
from flowsim.present.update import FITS, fit_of, on_first_day, update_blocks, verdict_rows
from flowsim.present.wording import percent
from flowsim.study.observed import MOST_BYTES

TOLD = "counts-refused"
"""A refusal that waits to be told."""
MEASURES = ("waiting", "overdue")


def page() -> None:
    """The page."""
    title("update")
    told = st.session_state.pop(TOLD, None)
    if told is not None:
        refused(told)
    _input()
    _forecast()
    keeping.remember(visit())


def _forecast() -> None:
    """The forecast with the counts, as far as there are any."""
    counts = visit().counts
    if counts is None:
        show(html.notice(t("update.none")))
        return
    draft = _scenario()
    try:
        result = visit().weigh(shared(), draft)
    except InputError as error:
        refused(refused_counts(error))
        return
    asked = visit().weighing
    name = html.tag("strong", t("update.example_file") if counts.name == EXAMPLE and counts.made_up else counts.name)
    show(html.join((html.heading(t("update.result")), html.paragraph(t("update.file"), " ", name))))
    if asked.full:
        show(html.notice(t("run.full"), kind="warning", role="alert"))
        st.button(t("run.again"), key="update-full", icon=":material/refresh:")
    elif not failed(asked.job, "update", lambda: _again(draft)):
        if asked.stopped:
            said = t("run.stopped" if result is not None else "run.stopped_early")
            show(html.notice(said, kind="warning", role="status"))
            st.button(t("run.again"), key="update-again", icon=":material/refresh:", on_click=_again, args=(draft,))
        else:
            watch(asked.job, "update", asked.stop)
    if result is not None:
        show_update(result, final=asked.job is not None and asked.job.state == "done")


def _again(draft: Draft) -> None:
    visit().weigh(shared(), draft, again=True)


# ---------------------------------------------------------------- what goes in


def _input() -> None:
    """The template, the upload, and the example."""
    count = st.session_state.setdefault("count-uploads", 0)
    file = st.file_uploader(
        t("update.upload"),
        key=f"{chrome.COUNTS}-{count}",
        help=t("update.upload_help", most=MOST_BYTES // 1024),
    )
    show(html.paragraph(t("update.privacy"), kind="fs-small"))
    language = lang()
    with st.container(horizontal=True):
        st.download_button(
            t("update.template"),
            data=lambda: template(language),
            file_name=t("update.template_name"),
            mime="text/csv",
            key="count-template",
            icon=":material/download:",
            on_click="ignore",
        )
        if ground().region == SHIPPED:  # the example's numbers are of that size
            st.button(t("update.example"), key="count-example", icon=":material/science:", on_click=_example)
        if visit().counts is not None:
            st.button(t("update.remove"), key="count-remove", icon=":material/delete:", on_click=_remove)
    if file is None:
        return
    _remove()
    try:
        visit().take(read(file.getvalue(), file.name))
        keeping.keep(file.getvalue(), file.name)
    except RefusedCounts as error:
        st.session_state[TOLD] = error
    st.session_state["count-uploads"] = count + 1  # an empty uploader: Streamlit drops the file with the old one
    st.rerun()


def _remove() -> None:
    visit().take(None)
    keeping.forget()


def _example() -> None:
    visit().take(example())
    keeping.keep(example_file(), EXAMPLE)


def _scenario() -> Draft:
    """The plan, unless the visitor made other scenarios and takes one of them."""
    plan = plan_draft(lang())
    options = [plan, *(draft for draft in visit().drafts if fingerprint(draft) != fingerprint(plan))]
    if len(options) == 1:
        return plan
    names = {0: plan.title} | {draft.number: draft.title_in(lang()) for draft in options[1:]}
    chosen = st.selectbox(t("update.scenario"), list(names), format_func=lambda one: names[one], key="count-scenario")
    return next((draft for draft in options[1:] if draft.number == chosen), plan)


# ---------------------------------------------------------------- what comes out


def show_update(result: Weighed, final: bool) -> None:
    """The forecast beside the one without counts; with conflicts, why there is none."""
    found, tables = result.found, result.tables
    head, *rest = update_blocks(found, tables, lang())
    assert not isinstance(head, Rows)
    lines = list(head.lines)
    if found.observed.made_up:
        show(html.notice(lines.pop(0), kind="warning", role="status"))
    if found.conflicts:
        show(html.notice(*(html.paragraph(line) for line in lines), kind="error", role="status"))
    else:
        if not final:
            show(html.notice(t("update.preliminary", futures=number(found.done))))
        show(html.join(html.paragraph(line) for line in lines))
        show(_cards(result))
        _over_time(result, rest[1])
        rest.pop(1)
    short = _in_short(result)
    for part in rest:
        if isinstance(part, Rows) and part.title in short:
            line = html.summary(part.title, short[part.title])
            show(html.closed(line, rows(part, hidden_title=True), bool(found.conflicts)))
        else:
            show(_block(part))


def _in_short(result: Weighed) -> dict[str, str]:
    """What the long tables say in a line, by their heading: they are closed until one opens them."""
    tables = result.tables
    counts = tables["counts"].to_dict("records")
    fits = {code: sum(fit_of(one) == code for one in counts) for code in FITS}
    said = {"counts": t("update.short.counts", n=number(len(counts)), **{one: number(n) for one, n in fits.items()})}
    if not result.found.conflicts:
        moved = tables["moved"]
        moved = moved[moved["quarter"] == ""]
        shown = int((moved["overdue_low"] * moved["overdue_high"] > 0.0).sum())
        said["moved"] = t("update.short.moved", n=number(shown), most=number(len(moved)))
        changed = int((tables["unknowns"]["code"] != "same").sum())
        if changed:
            said["unknowns"] = t("update.short.unknowns", n=number(changed), most=number(len(tables["unknowns"])))
    return {text(lang(), f"update.table.{name}.title", year=LAST_YEAR): words for name, words in said.items()}


def _cards(result: Weighed) -> Html:
    """The probability without and with the counts, each as a number, as dots and in words."""
    row = next(one for one in verdict_rows(result.found, result.tables) if one["event"] == "cleared")
    cards = []
    for when, colour in FORECASTS.items():
        ends = {"low": percent(lang(), row[f"{when}_low"]), "high": percent(lang(), row[f"{when}_high"])}
        cards.append(
            html.tag(
                "li",
                html.heading(t(f"update.card.{when}"), 3),
                html.tag("p", percent(lang(), row[when]), class_="fs-number"),
                html.dots(lang(), row[when], colour, small=True),
                html.paragraph(html.chance(lang(), row[f"{when}_code"])),
                html.paragraph(t("answer.interval", **ends), kind="fs-small"),
                class_="fs-card",
                style=f"--fs-colour:{colour}",
            )
        )
    intro = html.paragraph(t("update.cards", year=LAST_YEAR))
    return html.join((intro, html.tag("ul", *cards, class_="fs-cards", id="cards")))


def _over_time(result: Weighed, years: Block) -> None:
    """People waiting or overdue, without and with the counts, and what was counted."""
    found, tables = result.found, result.tables
    show(html.heading(t("update.over_time")))
    measure = choice(
        st.radio,
        t("compare.measure"),
        MEASURES,
        format_func=lambda code: t(f"unit.{code}"),
        horizontal=True,
        key="update-measure",
    )
    show(html.paragraph(_first_day(result, measure)))
    fan, counts = tables["fan"], tables["counts"]
    fans = [
        charts.Fan(
            fan[(fan["measure"] == measure) & (fan["forecast"] == when)],
            colour,
            charts.DASHES[1 - i],
            t(f"chart.end.{i}"),
        )
        for i, (when, colour) in enumerate(FORECASTS.items())
    ]
    mine = counts[counts["quantity"] == measure].to_dict("records")
    legend = [
        html.tag("li", html.line(one.colour, one.dash), text(lang(), f"update.plot.{when}"))
        for one, when in zip(fans, FORECASTS, strict=True)
    ]
    if mine:
        dot = html.tag("span", "●", class_="fs-counted", aria_hidden="true")
        legend.append(html.tag("li", dot, text(lang(), "update.plot.counted")))
    show(html.join((html.paragraph(t("chart.fan")), html.tag("ul", *legend, class_="fs-legend"))))
    figure = charts.fans(fans, found.case.region.start, None, lang())
    words = [f"{row['quarter']}: {text(lang(), 'update.plot.counted')} {number(row['counted'])}" for row in mine]
    points = [(Quarter.of(str(row["quarter"])).ends, float(row["counted"])) for row in mine]
    warning = text(lang(), "update.plot.made_up") if found.observed.made_up else ""
    charts.counted(figure, points, words, warning)
    source = t("chart.source", futures=number(found.done))
    chart(figure, "update-fan", t(f"unit.{measure}"), source, t("update.over_time_label"))
    as_table(_block(years))


def _first_day(result: Weighed, measure: str) -> str:
    """What both forecasts begin with, beside what the other pages begin with once that is known."""
    old, new = (number(one) for one in on_first_day(result.found, measure))
    values = {"unit": t(f"unit.{measure}"), "old": old, "new": new}
    told = shared().plan().result
    if told is None:
        return t("update.first.alone", **values)
    return t("update.first.beside", answer=number(first_day(told.tables, measure).mean), **values)


def _block(part: Block) -> Html:
    """A part of `flowsim.present.update` as HTML."""
    if isinstance(part, Rows):
        return rows(part)
    lines = (html.paragraph(line.strip()) for line in part.lines)
    return html.join((*((html.heading(part.heading),) if part.heading else ()), *lines))
