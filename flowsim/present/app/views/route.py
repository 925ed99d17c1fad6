"""*De route*: where residents go in a year, with the network and without."""

from __future__ import annotations

import math
from collections.abc import Sequence

import streamlit as st

from flowsim.analysis.statistics import Estimate
from flowsim.plan.years import YEARS
from flowsim.present.app import animation, charts, html
from flowsim.present.app.flows import NODES, TREATMENT, Flows, yearly
from flowsim.present.app.ground import ground
from flowsim.present.app.html import Html
from flowsim.present.app.queues import PARTS, Queues
from flowsim.present.app.shell import (
    as_table,
    chart,
    choice,
    lang,
    number,
    shared,
    shared_run,
    show,
    t,
    title,
)
from flowsim.present.app.studies import Route
from flowsim.present.texts import text
from flowsim.present.wording import month
from flowsim.scenario.region import load_region

CASES = ("network", "none")


def page() -> None:
    """The page."""
    title("route")
    year = st.select_slider(t("route.year"), YEARS, value=YEARS[3], key="route-year")
    case = choice(
        st.radio, t("route.case"), CASES, format_func=lambda name: t(f"route.{name}"), horizontal=True, key="route-case"
    )
    route = shared_run(shared().route, "route")
    if route is not None:
        show_route(route, int(year), case)
        show_queues(route, case)


def show_route(route: Route, year: int, case: str) -> None:
    """One year, and the difference that the network makes in it."""
    region = load_region(ground().region)
    flows = {name: yearly(route.moves[name], YEARS.index(year), region) for name in CASES}
    here, other = flows[case], flows["none"]
    first = st.empty()  # there afterwards too, so that the charts below keep their place
    if route.runs < route.most:
        said = t("route.first", runs=number(route.runs), most=number(route.most))
        first.html(html.notice(said, role="status"))
    show(html.paragraph(t("route.at_gp", n=number(here.at_gp), year=year)))
    if case == "network":
        fewer = [sum(one.into(node) for node in TREATMENT) for one in (here, other)]
        show(html.notice(t("route.fewer", year=year, here=number(fewer[0]), other=number(fewer[1]))))
    nodes = [name for name in NODES if here.into(name) or here.out_of(name)]
    place = {name: i for i, name in enumerate(nodes)}
    shown = [
        (t(f"route.node.{name}"), NODES[name][1], NODES[name][0], y)
        for name, y in zip(nodes, _heights(here, nodes), strict=True)
    ]
    links = [(place[start], place[end], n) for start, end, n in here.links]
    source = _source(route)
    for numbered, place_of in ((False, "wide"), (True, "narrow")):  # style.css shows the one that there is room for
        figure = charts.sankey(shown, links, lang(), t("route.residents"), numbered)
        with st.container(key=f"{place_of}-chart"):
            key = f"route-{place_of}-{case}-{year}"
            chart(figure, key, t("unit.residents"), source, t("route.label", year=year))
            if numbered:
                show(_numbered(shown, charts.through(shown, links, lang())))
    show(html.paragraph(t("route.counted"), kind="fs-small"))
    rows = [
        [t(f"route.node.{start}"), t(f"route.node.{end}"), number(n)]
        for start, end, n in sorted(here.links, key=lambda link: (place[link[0]], -link[2]))
    ]
    header = [t(f"route.column.{name}") for name in ("from", "to", "residents")]
    as_table(html.table(header, rows, t("route.caption", year=year, case=t(f"route.{case}")), left=2))


def _numbered(nodes: Sequence[tuple[str, str, float, float]], labels: Sequence[str]) -> Html:
    """What the numbers in the narrow chart stand for."""
    items = (
        html.tag("li", html.swatch(colour, str(number)), label)
        for number, ((_, colour, _, _), label) in enumerate(zip(nodes, labels, strict=True), 1)
    )
    return html.tag("ul", *items, class_="fs-numbered")


def show_queues(route: Route, case: str) -> None:
    """The lists week by week: an animation that stands still until it is played, and a table beside it."""
    lists = route.queues[case]
    beside = route.queues["none"] if case != "none" else None
    show(html.join((html.heading(t("queues.heading")), html.paragraph(t("queues.text")))))
    dates = [date for date in lists.dates if date.year <= YEARS[-1]]
    months = [date for i, date in enumerate(dates) if i == 0 or date.month != dates[i - 1].month]
    begin = choice(
        st.select_slider,
        t("queues.begin"),
        months,
        format_func=lambda date: month(lang(), date),
        key="queues-begin",
        help=t("queues.help"),
    )
    legend = [
        html.tag("li", html.swatch(colour, sign), t(f"queues.{name}"))
        for name, colour, sign in (("within", animation.WITHIN, ""), ("too_long", animation.TOO_LONG, "╱"))
    ]
    if beside is not None:
        legend.append(
            html.tag("li", html.tag("span", "❙", class_="fs-counted", aria_hidden="true"), t("queues.beside"))
        )
    show(html.tag("ul", *legend, class_="fs-legend"))
    figure = animation.animated(lists, beside, lists.dates.index(begin), lang())
    with st.container(key="queues-chart"):
        chart(figure, f"queues-{case}-{begin}", t("unit.waiting"), _source(route), t("queues.label"))
    as_table(html.join(_table(lists, i, case) for i in range(len(PARTS))))


def _source(route: Route) -> str:
    """Which futures it is the mean of, and that they are those of the answer."""
    key = "route.source" if route.runs == route.most else "route.source_first"
    return t(key, runs=number(route.runs), most=number(route.most))


def _table(lists: Queues, part: int, case: str) -> Html:
    """The lists at the ends of the years; ``part``: who waits, or who of them waits too long."""
    ends = [0, *(lists.end_of(one) for one in YEARS)]
    header = [
        t("queues.column.group"),
        t("compare.column.start"),
        *(t("compare.column.end", year=one) for one in YEARS),
    ]
    rows = []
    for i in (*range(len(lists.groups)), None):
        name = t("queues.all") if i is None else text(lang(), f"app.queues.group.{lists.groups[i]}")
        rows.append([name, *(_people(lists.at(week, i, part)) for week in ends)])
    caption = t(f"queues.caption.{PARTS[part]}", case=t(f"route.{case}"))
    return html.table(header, rows, caption, notes=(t("queues.note"),) if part else ())


def _people(one: Estimate) -> str:
    """A number of people, with its interval where runs differ; there are never fewer than none."""
    if not one.low < one.high < math.inf:
        return number(one.value)
    return html.estimate(lang(), one.value, max(0.0, one.low), one.high)


def _heights(flows: Flows, nodes: list[str]) -> list[float]:
    """Places from top to bottom within each column, in proportion to what goes through."""
    heights = {}
    for column in {NODES[name][0] for name in nodes}:
        members = [name for name in nodes if NODES[name][0] == column]
        sizes = [max(flows.into(name), flows.out_of(name)) for name in members]
        gap = 0.05
        room = max(0.1, 0.96 - gap * (len(members) - 1))
        total, top = sum(sizes), 0.02
        for name, size in zip(members, sizes, strict=True):
            tall = room * size / total
            heights[name] = min(0.98, top + tall / 2)
            top += tall + gap
    return [heights[name] for name in nodes]
