"""*Doelen*: every promise of the plan with its traffic light, date and probability, and the payment behind it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import streamlit as st

from flowsim.analysis import verdict
from flowsim.analysis.measures import ROUNDING
from flowsim.plan.kpis import Kpi, load_kpis
from flowsim.plan.targets import has_targets, load_targets
from flowsim.present.app import html
from flowsim.present.app.facts import written
from flowsim.present.app.ground import ground
from flowsim.present.app.html import Html
from flowsim.present.app.shell import choice, lang, number, shared, shared_run, show, t, title
from flowsim.present.app.studies import Told
from flowsim.present.targets import plan_itself, reasons
from flowsim.present.texts import format_euro, text
from flowsim.present.wording import case_name, place_name, promise_name
from flowsim.study.answer import READINGS

ORDER = ("no", "unlikely", "uncertain", "likely", "yes", "none")


def page() -> None:
    """The page."""
    title("goals")
    if not has_targets(ground().region):
        show(html.notice(t("ground.no_promises")))
        return
    reading = choice(
        st.radio,
        t("goals.reading"),
        list(reversed(READINGS)),
        format_func=lambda name: case_name(lang(), name),
        horizontal=True,
        key="goals-reading",
        help=t("goals.reading_help"),
    )
    told = shared_run(shared().plan, "plan")
    if told is not None:
        show_goals(told, reading)


def show_goals(told: Told, reading: str) -> None:
    """The promises under one reading."""
    answer, found = told.answer, told.tables["targets"]
    found = found[found["case"] == reading]
    kpis = {f"kpi_{kpi.nr}": kpi for kpi in load_kpis(answer.scenario.region)}
    judged = [(row, code_of(row)) for row in found.to_dict("records")]
    counts = {code: sum(one == code for _, one in judged) for code in ORDER}
    show(_lights(counts))
    at_stake = sum(
        kpis[row["target"]].amount for row, code in judged if row["target"] in kpis and code in ("no", "unlikely")
    )
    if at_stake:
        missed = {row["target"] for row, code in judged if code in ("no", "unlikely")}
        itself = plan_itself(lang(), answer.scenario.region)
        amount = format_euro(lang(), at_stake)
        said = (t("goals.at_stake", amount=amount), *(itself[one] for one in itself if one in missed))
        show(html.notice(html.join(html.paragraph(one) for one in said), kind="warning"))
    rows = [row_of(row, code, kpis.get(row["target"])) for row, code in judged]
    header = [
        t(f"goals.column.{name}") for name in ("goal", "light", "date", "promised", "expected", "chance", "payment")
    ]
    futures = len(next(iter(answer.cases.values())).futures)
    beside = (text(lang(), f"targets.read.{name}") for name in ("inflow", "consults"))
    slack = f"{number(100.0 * ROUNDING, 1)}%"
    notes = (t("goals.note", slack=slack), *beside, t("chart.source", futures=number(futures)))
    show(html.table(header, rows, t("goals.caption", case=case_name(lang(), reading)), left=2, notes=notes))
    _why(told, reading)
    _other_payments(list(kpis.values()), {row["target"] for row, _ in judged})


def _why(told: Told, reading: str) -> None:
    """Why the outcome is not as promised."""
    said = reasons(told.tables, reading, lang()) if "causes" in told.tables else []
    if said:
        items = (html.tag("li", html.tag("strong", name), ": ", words) for name, words in said)
        show(html.join((html.heading(t("goals.why")), html.tag("ul", *items))))


def code_of(row: dict[Any, Any]) -> str:
    """The verdict on a promise; ``none`` for what is not simulated."""
    return verdict.chance(row["probability_low"], row["probability_high"]) if row["simulated"] else "none"


def verdict_words(code: str) -> str:
    """The verdict on a promise in words, those of `flowsim targets`."""
    return text(lang(), f"targets.verdict.{'not_simulated' if code == 'none' else code}")


def _lights(counts: dict[str, int]) -> Html:
    """How many promises have which light."""
    items = [
        html.tag("li", html.light(code, t(f"goals.count.{code}", n=number)))
        for code, number in counts.items()
        if number
    ]
    return html.tag("ul", *items, class_="fs-legend")


def row_of(row: dict[Any, Any], code: str, kpi: Kpi | None) -> list[Html | str]:
    """One promise."""
    unit = str(row["unit"])
    name = html.tag(
        "span",
        promise_name(lang(), row["target"]),
        html.tag("span", place_name(lang(), row["source"].partition(", ")[2]), class_="fs-cause"),
    )
    sign = t("goals.at_least" if row["comparison"] == ">=" else "goals.at_most", value=amount(row["promised"], unit))
    date = day(dt.date.fromisoformat(row["date"]))
    payment = format_euro(lang(), kpi.amount) if kpi is not None and kpi.amount else "–"
    if not row["simulated"]:
        return [name, html.light(code, verdict_words(code)), date, sign, "–", "–", payment]
    mean, low, high = (amount(row[name], unit) for name in ("mean", "q05", "q95"))
    expected = mean if low == mean == high else t("goals.range", mean=mean, low=low, high=high)
    ends = (row["probability"], row["probability_low"], row["probability_high"])
    return [
        name,
        html.light(code, verdict_words(code)),
        date,
        sign,
        expected,
        html.probability(lang(), *ends),
        payment,
    ]


def amount(value: float, unit: str) -> str:
    """A quantity of a promise; fractions in per cents."""
    if unit.startswith("fraction"):
        return number(100.0 * value, 1) + "%"
    return number(value, 1 if abs(value) < 100 and value != int(value) else 0)


def day(date: dt.date) -> str:
    """A date as numbers."""
    return written(date, lang())


def _other_payments(kpis: list[Kpi], judged: set[str]) -> None:
    """The KPIs that ask for an effort: flowsim does not judge them, but money hangs on them."""
    rows = [
        [t("goals.kpi", nr=kpi.nr), t(f"goals.kind.{kpi.kind}"), day(kpi.date), format_euro(lang(), kpi.amount)]
        for kpi in kpis
        if f"kpi_{kpi.nr}" not in judged
    ]
    with st.expander(t("goals.others", n=len(rows)), icon=":material/payments:"):
        header = [t(f"goals.column.{name}") for name in ("kpi", "kind", "date", "payment")]
        show(html.table(header, rows, t("goals.others_caption"), left=2, notes=(t("goals.others_note"),)))


def promised(region: str) -> list[str]:
    """Codes of all promises, for tests that each has a name."""
    return [target.id for target in load_targets(region)]
