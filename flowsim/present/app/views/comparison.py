"""What a comparison shows: probabilities, fans on one axis, paired differences, KPIs and euros. The
long tables are closed behind what they come to."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import streamlit as st

from flowsim.analysis import verdict
from flowsim.plan.targets import has_targets
from flowsim.plan.years import YEARS
from flowsim.present.answer import LAST_YEAR
from flowsim.present.app import charts, html
from flowsim.present.app.charts import SCENARIOS
from flowsim.present.app.drafts import Draft
from flowsim.present.app.ground import ground
from flowsim.present.app.html import Html
from flowsim.present.app.shell import as_table, chart, choice, lang, number, show, t
from flowsim.present.app.studies import MEASURES, Compared
from flowsim.present.app.views.goals import amount, code_of, day
from flowsim.present.report.blocks import LETTERS
from flowsim.present.targets import plan_itself
from flowsim.present.texts import text
from flowsim.present.wording import percent, promise_name
from flowsim.scenario.region import Region, load_region

if TYPE_CHECKING:
    import pandas as pd

MET = ("yes", "likely")
"""Verdicts on a promise that count as met."""
LINES = ("gains", "network_cost", "substitution", "support_points", "net_effect", "net_of_social_domain")
"""Of the business case; the last one is what it comes to."""


def show_comparison(drafts: Sequence[Draft], result: Compared) -> None:
    """All of it."""
    titles = [draft.title_in(lang()) for draft in drafts]
    show(_cards(titles, result))
    _over_time(titles, result)
    if len(drafts) > 1:
        paired = html.paragraph(html.with_terms(lang(), t("compare.paired")))
        show(html.join((html.heading(t("compare.differences")), paired)))
    else:
        show(html.heading(t("compare.at_end")))
    show(_differences(titles, result))
    _kpis(titles, result)
    _euros(titles, result)


def _named(i: int, title: str) -> Html:
    return html.tag("span", html.swatch(SCENARIOS[i], LETTERS[i]), " ", title)  # apart for who hears it


def _cards(titles: Sequence[str], result: Compared) -> Html:
    """The probability of each scenario, as a number, as dots and in words."""
    cards = []
    for i, title in enumerate(titles):
        one = result.chances[i]
        cards.append(
            html.tag(
                "li",
                html.tag("h3", _named(i, title), class_="fs-h3"),
                html.tag("p", percent(lang(), one.value), class_="fs-number"),
                html.dots(lang(), one.value, SCENARIOS[i], small=True),
                html.paragraph(html.chance(lang(), verdict.chance(one.low, one.high))),
                html.paragraph(
                    t("answer.interval", low=percent(lang(), one.low), high=percent(lang(), one.high)), kind="fs-small"
                ),
                class_="fs-card",
                style=f"--fs-colour:{SCENARIOS[i]}",
            )
        )
    intro = html.paragraph(t("compare.cards", year=LAST_YEAR, futures=number(result.futures)))
    return html.join((intro, html.tag("ul", *cards, class_="fs-cards", id="cards")))


def outlook(result: Compared | None) -> Html:
    """The probability of each scenario in one line, to be seen while levers are turned above it."""
    if result is None:
        return html.tag("p", t("compare.outlook_busy"), class_="fs-outlook")
    chances = (
        html.tag("span", _named(i, percent(lang(), one.value)), class_="fs-short")
        for i, one in enumerate(result.chances)
    )
    return html.tag("p", t("compare.outlook", year=LAST_YEAR), *chances, class_="fs-outlook")


def _digest(said: str, values: Sequence[tuple[int, str]]) -> Html:
    """What a long table comes to: a number for each scenario, in one line; the table itself is closed below it."""
    shown = (html.tag("li", html.swatch(SCENARIOS[i], LETTERS[i]), " ", value) for i, value in values)
    return html.join((html.paragraph(said), html.tag("ul", *shown, class_="fs-legend fs-digest")))


def _over_time(titles: Sequence[str], result: Compared) -> None:
    """People overdue or waiting, all scenarios on one axis."""
    show(html.heading(t("compare.over_time")))
    measure = choice(
        st.radio,
        t("compare.measure"),
        ("overdue", "waiting"),
        format_func=lambda code: t(f"unit.{code}"),
        horizontal=True,
        key="compare-measure",
    )
    fans = []
    for i in range(len(titles)):
        fan = result.tables[i]["fan"]
        found = fan[(fan["measure"] == measure) & (fan["case"] == result.name(i))]
        fans.append(charts.Fan(found, SCENARIOS[i], charts.DASHES[i], LETTERS[i]))
    legend = (html.tag("li", _named(i, title)) for i, title in enumerate(titles))
    show(html.join((html.paragraph(t("chart.fan")), html.tag("ul", *legend, class_="fs-legend"))))
    limit = None
    if measure == "overdue":
        first = fans[0].table
        limit = result.case(0).definition.share * float(first[first["day"] == 0.0]["q50"].iloc[0])
    region = load_region(result.answers[0].scenario.region)
    source = t("chart.source", futures=number(result.futures))
    chart(
        charts.fans(fans, region.start, limit, lang()),
        "compare-fan",
        t(f"unit.{measure}"),
        source,
        t("compare.over_time_label"),
    )
    rows: list[list[Html | str]] = []
    for i, title in enumerate(titles):
        table = fans[i].table.sort_values("day")
        cells = []
        for year in (YEARS[0] - 1, *YEARS):
            row = end_of_year(table, region, year)
            cells.append(t("goals.range", mean=number(row["q50"]), low=number(row["q05"]), high=number(row["q95"])))
        rows.append([_named(i, title), *cells])
    header = [
        t("compare.column.scenario"),
        t("compare.column.start"),
        *(t("compare.column.end", year=year) for year in YEARS),
    ]
    as_table(html.table(header, rows, t("compare.over_time_caption", what=t(f"unit.{measure}"))))


def end_of_year(fan: pd.DataFrame, region: Region, year: int) -> pd.Series[Any]:
    """The row of a fan that is nearest to the end of a year, as every page has it (`flowsim.study.futures.Reducer`)."""
    return fan.iloc[int((fan["day"] - region.day(dt.date(year + 1, 1, 1))).abs().argmin())]


def _differences(titles: Sequence[str], result: Compared) -> Html:
    """Each scenario at the end, and its difference from the first with an interval."""
    rows: list[list[Html | str]] = []
    for i, title in enumerate(titles):
        cells: list[Html | str] = []
        for measure in MEASURES:
            decimals = 1 if measure == "mean_wait" else 0
            value = result.value(i, measure)
            cells.append(html.estimate(lang(), value.value, value.low, value.high, decimals))
            if len(titles) > 1 and i == 0:
                cells.append(html.NOTHING)
            elif len(titles) > 1:
                gap = result.difference(i, measure)
                cells.append(html.estimate(lang(), gap.value, gap.low, gap.high, decimals, sign=True))
        rows.append([_named(i, title), *cells])
    header = [t("compare.column.scenario")]
    for measure in MEASURES:
        header.append(t(f"compare.column.{measure}", year=LAST_YEAR))
        if len(titles) > 1:
            header.append(t("compare.column.difference", letter=LETTERS[0]))
    notes = (
        t("compare.at_end_note"),
        *((t("compare.difference_note"),) if len(titles) > 1 else ()),
        t("chart.source", futures=number(result.futures)),
    )
    differs = t("compare.column.difference", letter=LETTERS[0])
    labels = [f"{header[i - 1]}: {differs}" if one == differs else one for i, one in enumerate(header)]
    return html.table(header, rows, t("compare.differences"), notes=notes, hidden_caption=True, labels=labels)


def _kpis(titles: Sequence[str], result: Compared) -> None:
    """Every promise of the plan under each scenario."""
    show(html.heading(t("compare.kpis")))
    if not result.paired:
        show(html.paragraph(t("compare.follows")))
        return
    if not has_targets(ground().region):
        show(html.paragraph(t("ground.no_promises")))
        return
    with_network = [i for i in range(len(titles)) if len(result.tables[i]["targets"])]
    if not with_network:
        show(html.paragraph(t("compare.no_network")))
        return
    found = {i: {row["target"]: row for row in result.tables[i]["targets"].to_dict("records")} for i in with_network}
    judged = {i: [code_of(row) for row in found[i].values() if row["simulated"]] for i in with_network}
    met = [(i, number(sum(code in MET for code in judged[i]))) for i in with_network]
    show(_digest(t("compare.kpis_met", n=number(len(judged[with_network[0]]))), met))
    rows: list[list[Html | str]] = []
    for code, row in found[with_network[0]].items():
        sign = t(
            "goals.at_least" if row["comparison"] == ">=" else "goals.at_most",
            value=amount(row["promised"], row["unit"]),
        )
        date = day(dt.date.fromisoformat(row["date"]))
        cells: list[Html | str] = [promise_name(lang(), code), date, sign]
        for i in with_network:
            one = found[i][code]
            if not one["simulated"]:
                cells.append(html.light("none", "–"))
                continue
            words = t("compare.kpi", mean=amount(one["mean"], one["unit"]), chance=percent(lang(), one["probability"]))
            cells.append(html.light(code_of(one), html.unbroken(words)))
        rows.append(cells)
    header = [t(f"goals.column.{name}") for name in ("goal", "date", "promised")]
    header += [t("compare.column.kpi", letter=LETTERS[i]) for i in with_network]
    as_table(
        html.table(
            header,
            rows,
            t("compare.kpis"),
            left=3 + len(with_network),
            notes=(
                t("compare.kpi_note"),
                *plan_itself(lang(), ground().region).values(),
                t("chart.source", futures=number(result.paired)),
            ),
            hidden_caption=True,
        ),
        "compare.kpis_table",
    )


def _euros(titles: Sequence[str], result: Compared) -> None:
    """The business case of each scenario, at the simulated volumes."""
    show(html.heading(t("compare.euros")))
    if not result.paired:
        show(html.paragraph(t("compare.follows")))
        return
    tables = [result.tables[i]["euros"] for i in range(len(titles))]
    with_euros = [i for i, table in enumerate(tables) if len(table)]
    if not with_euros:
        show(html.paragraph(t("compare.no_euros")))
        return
    rows: list[list[Html | str]] = []
    outcome = []
    for line in LINES:
        cells: list[Html | str] = [text(lang(), f"euros.line.{line}")]
        for i in with_euros:
            found = tables[i][(tables[i]["line"] == line) & (tables[i]["case"] == result.name(i))]
            last = found[found["year"] == LAST_YEAR].iloc[0]
            if line == LINES[-1]:
                outcome.append((i, number(last["mean"] / 1e3)))
            cells.append(html.estimate(lang(), last["mean"] / 1e3, last["mean_low"] / 1e3, last["mean_high"] / 1e3))
            cells.append(number(found["mean"].sum() / 1e3))
        rows.append(cells)
    header = [t("compare.column.line")]
    for i in with_euros:
        header.append(t("compare.column.last_year", letter=LETTERS[i], year=LAST_YEAR))
        header.append(t("compare.column.all_years", letter=LETTERS[i]))
    notes = (t("compare.euros_note"), t("compare.euros_source", futures=number(result.paired)))
    show(_digest(t("compare.euros_outcome", line=text(lang(), f"euros.line.{LINES[-1]}"), year=LAST_YEAR), outcome))
    show(html.paragraph(t("compare.euros_without"), kind="fs-small"))
    as_table(html.table(header, rows, t("compare.euros_caption"), notes=notes), "compare.euros_table")
