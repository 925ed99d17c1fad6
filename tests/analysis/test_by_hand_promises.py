"""Goals, causes and euros of made-up futures, and the traces of a log, worked out once more."""

from __future__ import annotations

import datetime as dt
import io
import xml.etree.ElementTree as ET
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_up_futures import case, one_future

import flowsim
from flowsim.analysis import causes, decision, goal, measures, reproduction, targets
from flowsim.analysis import process_log as pl
from flowsim.analysis.clearing import VOLUMES
from flowsim.analysis.statistics import mean_interval, wilson
from flowsim.errors import InputError
from flowsim.model import events
from flowsim.plan.business_case import client_equivalents, money
from flowsim.plan.figures import FigureBook, load_figures
from flowsim.plan.targets import load_targets
from flowsim.scenario.load import default
from flowsim.scenario.region import load_region
from flowsim.study.levers import lever

FUNCTIONS = ("consultations", "conversations", "transfers", "case_conferences")
YEARS = (2025, 2026, 2027, 2028, 2029)
COUNT = 4


def made(first: int, **settings: Any) -> Any:
    one = case("plan", COUNT, first)
    chosen = {"network": "functions", "reading": "capacity", "gp_effect": "year", "conversation_hours": "hourly",
              "prices": "plain"} | settings  # fmt: skip
    one.scenario = SimpleNamespace(book=load_figures(), settings=chosen, region="amstelland")
    one.region = load_region("amstelland")
    return one


def quantities(**settings: Any) -> targets.Quantities:
    return targets.Quantities(made(100, **settings), made(200, **settings))


def done(q: targets.Quantities, i: int, y: int) -> Any:
    """The volumes of one future and year, as plain numbers."""
    return one_future(q.done(y), i)


def promise(quantity: str) -> Any:
    return next(one for one in load_targets() if one.quantity == quantity)


def row(mean: float = 5.0, probability: float = 1.0, verdict: str = "no") -> dict[str, Any]:
    return {"mean": mean, "probability": probability, "verdict": verdict}


# ---------------------------------------------------------------- goals


@pytest.mark.parametrize(
    ("written", "found", "expected"),
    [
        ("P(cleared) >= 1", "a probability of 1", "one above 0 and below 1, such as 0.9"),
        ("P(cleared) >= 150%", "a probability of 1.5", "one above 0 and below 1"),
        (
            "wait_ratio <= 0.5",
            "'wait_ratio <= 0.5'",
            "a probability for wait_ratio, such as P(wait_ratio <= 0.5) >= 0.5",
        ),
        ("cleared_day <= 5", "'cleared_day <= 5'", "such as P(cleared_day <= 1461) >= 0.5"),
        ("cleared >= 1", "'cleared >= 1'", "a probability for cleared, such as P(cleared) >= 0.9"),
        ("P(3) >= 0.5", "P(3)", "an event in the brackets"),
        ("P(waiting_2029) >= 0.5", "P(waiting_2029)", "such as P(waiting_2029 <= 50) >= 0.9"),
        ("P(overdue) >= 0.5", "P(overdue)", "such as P(overdue <= 50) >= 0.9"),
        ("overdue <= 5 weeks", "the unit 'weeks'", "no unit: it counts in residents"),
        ("mean_wait <= 5 years", "the unit 'years'", "days or weeks"),
        ("mean_wait <= 5%", "'mean_wait <= 5%'", "a number of days, not a per cent"),
        ("P(cleared) >= 0.5 weeks", "the unit 'weeks'", "no unit: it counts in probability"),
    ],
)
def test_messages_about_goals(written: str, found: str, expected: str) -> None:
    with pytest.raises(InputError) as refused:
        goal.parse(written, where="here")
    assert (refused.value.where, refused.value.found) == ("here", found)
    assert expected in refused.value.expected


def test_units_of_goals() -> None:
    for unit, days in (("days", 6.0), ("dagen", 6.0), ("weeks", 42.0), ("weken", 42.0), ("", 6.0)):
        assert goal.parse(f"mean_wait_2026 <= 6 {unit}").value == days
    assert goal.parse("P(mean_wait_2026 <= 6 weeks) >= 50%").event == ("<=", 42.0)
    assert goal.parse("P(overdue >= 3) ≤ 0.25").event == (">=", 3.0)
    assert goal.parse("P(overdue >= 3) ≤ 0.25").text == "P(overdue_2029 >= 3) <= 0.25"
    assert goal.parse("overdue_2026 >= -3").value == -3.0
    assert not goal.parse("P(cleared) >= 0.9").needs_base
    assert goal.parse("P(kpi_20) >= 0.5").needs_base
    assert not goal.parse("P(kpi_24) >= 0.5").needs_base


def test_values_of_goals() -> None:
    one = made(100)
    waiting = [float(measures.by_year(f)["waiting"][4]) for f in one.futures]
    plain = goal.parse("waiting <= 900").values(one, one.futures, one.drawn)
    assert plain.tolist() == waiting
    bound = sorted(waiting)[1]
    for sign, count in (("<=", 2), (">=", 3)):
        told = goal.parse(f"P(waiting {sign} {bound:g}) >= 0.5")
        met = told.values(one, one.futures, one.drawn)
        assert met.sum() == count
        assert set(met) <= {0.0, 1.0}
        estimate = told.estimate(met, 0.9)
        assert (estimate.value, estimate.low) == (wilson(count, 4, 0.9).value, wilson(count, 4, 0.9).low)
        assert told.scores(met).tolist() == (met - 0.5).tolist()
    less = goal.parse("waiting <= 900")
    assert less.scores(np.array([800.0, 950.0])).tolist() == [100.0, -50.0]
    assert less.estimate(plain).high == mean_interval(plain, 0.95).high
    never = goal.parse("P(cleared_day <= 1461) >= 0.5").values(one, one.futures[1:3], one.drawn[1:3])
    assert never.tolist() == [0.0, 0.0]


def test_a_promise_as_a_goal_has_the_slack_of_the_table() -> None:
    one, base = made(100), made(200)
    told = goal.parse("P(kpi_17) >= 0.5")
    assert told.promise is not None
    v, y = VOLUMES.index("conversations"), YEARS.index(told.promise.date.year)
    for i, factor in enumerate((1.0, 0.9995, 0.998, 2.0)):
        one.futures[i].volumes[12 * y : 12 * y + 12, v] = 0
        one.futures[i].volumes[12 * y, v] = round(1000 * factor)
    promised = replace(told, promise=replace(told.promise, value=1000.0))
    assert promised.values(one, one.futures, one.drawn, base).tolist() == [1.0, 1.0, 0.0, 1.0]
    most = replace(told, promise=replace(told.promise, value=999.0, comparison="<="))
    assert most.values(one, one.futures, one.drawn, base).tolist() == [1.0, 1.0, 1.0, 0.0]
    assert promised.values(one, one.futures[2:], one.drawn[2:], base).tolist() == [0.0, 1.0]


# ---------------------------------------------------------------- causes


def test_when_there_is_nothing_to_say() -> None:
    q = quantities()
    for name in ("support_points_open", "self_help_professionals_share"):
        assert causes.cause(promise(name), q, row()) == ("", {})
    no_network = quantities(network="none")
    assert causes.cause(promise("conversations"), no_network, row()) == ("no_network", {})
    assert causes.cause(promise("conversations"), no_network, row(verdict="yes")) == ("", {})
    assert causes.cause(promise("wait_reduction"), q, row(verdict="yes")) == ("", {})
    assert causes.cause(promise("wait_reduction"), q, row())[0] == "list_balance"
    assert causes.cause(promise("conversations"), q, row(verdict="not_simulated")) == ("not_in_model", {})


def test_facts_of_the_consults() -> None:
    q = quantities()
    one = promise("fewer_gp_consults")
    y = YEARS.index(one.date.year)
    users = q.saved_by_users(y).mean()
    code, facts = causes.cause(one, q, row(mean=users + 7.0))
    assert code == "shorter_lists_too"
    assert (facts["users"], facts["other"]) == pytest.approx((users, 7.0))


@pytest.mark.parametrize(
    ("reading", "code"), [("capacity", "halves_count_half"), ("net", "conversations_take_hours"), ("headcount", "")]
)
def test_facts_of_the_freed(reading: str, code: str) -> None:
    q = quantities(reading=reading)
    q.entered = np.ones(COUNT)
    q.volumes["transfers"] = np.full((COUNT, 5), 1e6)
    one = promise("freed_clients")
    y = YEARS.index(one.date.year)
    found, facts = causes.cause(one, q, row())
    assert found == code
    every = [client_equivalents(q.book, done(q, i, y)) for i in range(COUNT)]
    if code:
        assert facts["heads"] == pytest.approx(np.mean([e.headcount for e in every]))
        assert facts["capacity"] == pytest.approx(np.mean([e.capacity for e in every]))
        assert facts["freed"] == pytest.approx(q.freed_clients(y).mean())
        assert facts["entered"] == 1.0
    assert causes.mean_heads(q, y) == pytest.approx(np.mean([e.headcount for e in every]))
    if reading == "headcount":
        planned = q.book.value("functions.transfers", one.date.year)
        for few, told in ((1.5, "few_on_the_list"), (0.5, "")):
            q.volumes["transfers"] = np.full((COUNT, 5), planned - few)
            name, facts = causes.cause(one, q, row())
            assert name == told
            assert facts == ({"planned": planned, "mean": pytest.approx(planned - few)} if told else {})
        q.entered = np.full(COUNT, 0.999)
        assert causes.cause(one, q, row())[0] == "reached_would_not_come"


@pytest.mark.parametrize(
    ("reading", "inflow", "social"),
    [("headcount", "heads_not_inflow", "lighter_stay"), ("net", "referrals_exceed_inflow", "halves_stay")],
)
def test_facts_of_the_inflow_and_of_the_social_domain(reading: str, inflow: str, social: str) -> None:
    q = quantities(reading=reading)
    q.case.scenario = default().with_settings("x", reading=reading)
    q.entered = np.array([0.5, 0.7, 0.9, 0.7])
    one = promise("inflow_reduction")
    y = YEARS.index(one.date.year)
    code, facts = causes.cause(one, q, row())
    assert code == inflow
    book = q.book
    away = 0.0
    from flowsim.scenario import flows
    from flowsim.scenario.baseline import Values

    values = Values(q.case.scenario, {"assumptions.would_have_entered": 0.7})
    for name in ("consultations", "conversations", "case_conferences"):
        away += flows.effects(q.case.scenario, values, name).away * q.volumes[name][:, y].mean()
    heads, inflow_, clients = causes.mean_heads(q, y), book.value("demand.inflow"), book.value("demand.clients")
    referrals = np.mean([sum(m[0] for m in f.months[12 * y : 12 * y + 12]) for f in q.without.futures])
    expected = {"away": away, "inflow": inflow_, "of_inflow": away / inflow_, "heads": heads, "clients": clients,
                "of_clients": heads / clients, "referrals": referrals, "mean": q.fewer[:, y].mean()}  # fmt: skip
    assert facts == pytest.approx(expected)
    assert causes.not_entering(q, y) == pytest.approx(away)
    one = promise("extra_social_domain")
    code, facts = causes.cause(one, q, row())
    y = YEARS.index(one.date.year)
    share, heads, away = (
        book.value("business_case.share_to_social_domain"),
        causes.mean_heads(q, y),
        causes.not_entering(q, y),
    )
    assert code == social
    assert facts == pytest.approx(
        {"heads": heads, "away": away, "share": share, "sent": share * away, "stay": heads - away}
    )


def test_causes_of_a_table_with_their_facts() -> None:
    q = quantities()
    table = targets.judged_table({"plan": q})
    found, facts = causes.causes(table, {"plan": q})
    assert found["target"].tolist() == table["target"].tolist()
    assert "cause" not in table
    by_name = {one.id: one for one in load_targets()}
    for told in found.to_dict("records"):
        code, expected = causes.cause(by_name[told["target"]], q, told)
        assert told["cause"] == code
        mine = facts[facts["target"] == told["target"]]
        assert dict(zip(mine["fact"], mine["value"], strict=True)) == pytest.approx(expected)
    assert list(facts.columns) == ["case", "target", "cause", "fact", "value"]
    assert targets.judged_cases({"plan": q.case}) == {}
    assert list(targets.judged_cases({"none": q.without, "plan": q.case})) == ["plan"]
    none = targets.judged_table({})
    assert none.empty
    assert none.columns.tolist() == table.columns.tolist()


# ---------------------------------------------------------------- euros


@pytest.mark.parametrize("indexed", [False, True])
def test_euros_of_the_network_by_hand(indexed: bool) -> None:
    q = quantities(prices="indexed" if indexed else "plain", reading="net")
    price = q.book.value("business_case.conversation_cost_ggz")
    for savings in (False, True):
        found = decision._network(q, savings)
        for i in range(COUNT):
            volumes = {year: done(q, i, y) for y, year in enumerate(YEARS)}
            expected = 0.0
            for one in money(q.book, volumes, indexed):
                factor = 1.03 ** (one.year - 2024) if indexed else 1.0
                expected += one.network_cost - price * volumes[one.year].conversations * factor
                expected += one.substitution + one.support_points - (one.gains if savings else 0.0)
            assert found[i] == pytest.approx(expected)
    other = quantities(prices="indexed" if indexed else "plain")
    whole = []
    for i in range(COUNT):
        rows = money(other.book, {year: done(other, i, y) for y, year in enumerate(YEARS)}, indexed)
        whole.append(sum(one.network_cost + one.substitution + one.support_points for one in rows))
    assert decision._network(other, False) == pytest.approx(whole)


def test_the_table_of_euros() -> None:
    cases = {"none": made(200), "plan": made(100, prices="indexed"), "top": made(300, network="diversion")}
    table = targets.euros(SimpleNamespace(cases=cases))
    assert set(table["case"]) == {"plan"}
    assert len(table) == 5 * 6
    q = targets.Quantities(cases["plan"], cases["none"])
    for told in table.to_dict("records"):
        y = YEARS.index(told["year"])
        values = [getattr(money(q.book, {year: done(q, i, k) for k, year in enumerate(YEARS)}, True)[y], told["line"])
                  for i in range(COUNT)]  # fmt: skip
        one = mean_interval(values)
        assert (told["mean"], told["mean_low"], told["mean_high"]) == pytest.approx((one.value, one.low, one.high))
        assert told["indexed"] is True
    none = targets.euros(SimpleNamespace(cases={"plan": cases["plan"]}))
    assert none.empty
    assert none.columns.tolist() == table.columns.tolist()
    assert [kind.kind for kind in none.dtypes] == [kind.kind for kind in table.dtypes]


def test_extra_places_cost_what_the_clients_cost_whom_they_can_treat(monkeypatch: pytest.MonkeyPatch) -> None:
    """By level, by programme and by staff; the clients of a programme are its places and its starts of a year."""
    one = made(100)
    one.region = SimpleNamespace(
        programmes=[SimpleNamespace(name=f"p{i}", group=group) for i, group in enumerate(("light", "trauma", "smi"))]
    )
    clients = [SimpleNamespace(name=f"p{i}", places=300.0 + i, starts=500.0 * (i + 1)) for i in range(3)]
    monkeypatch.setattr(decision, "calibrate", lambda values, region: SimpleNamespace(programmes=clients))
    assert decision._places(one, 0) == 0.0
    book = one.scenario.book
    price = book.value("business_case.cost_per_client")

    def cost(**shares: dict[int, float] | float) -> float:
        changed = {}
        for key, value in shares.items():
            known = book.get(f"assumptions.{key}", book["assumptions.extra_places_basic"])
            given = value if isinstance(value, dict) else {dt.MINYEAR: value}
            values = tuple((dt.date(year, 1, 1), share) for year, share in given.items())
            changed[f"assumptions.{key}"] = replace(known, key=f"assumptions.{key}", values=values)
        one.scenario.book = FigureBook("x", {**book, **changed})
        return decision._places(one, 0) / price

    later = {2025: 0.0, 2027: 0.05}
    assert cost(extra_places_basic=later) == pytest.approx(800.0 * 0.05 * 3)
    assert cost(extra_places_specialist=later) == pytest.approx(1301.0 * 0.05 * 3)
    assert cost(extra_places_p2=later) == pytest.approx(1802.0 * 0.05 * 3)
    assert cost(extra_places_basic=later, extra_places_p0=later) == pytest.approx(800.0 * (1.05**2 - 1.0) * 3)
    grown = sum(1.02 ** (y + 0.5) - 1.0 for y in range(5))
    assert cost(staff_growth=0.02) == pytest.approx((800.0 + 1301.0 + 1802.0) * grown)


def test_a_balance_is_that_of_the_snapshot_nearest_to_the_day_after() -> None:
    """The day after 26 June 2026 is day 542, 77.4 weeks from the first; that after 27 June lies 77.6 weeks from it."""
    q = quantities()
    for day, week in ((dt.date(2026, 6, 30), 78), (dt.date(2026, 6, 26), 77), (dt.date(2026, 6, 27), 78)):
        found = causes.list_balance(q, day)
        assert found["waiting"] == np.mean([float(f.waiting[week]) for f in q.case.futures])


def test_a_quarter_of_a_registration_by_hand() -> None:
    one = made(100)
    found = decision.monitors(one, 3, 2026)
    for i in range(3):
        months = one.futures[i].months[21:24]
        referred, started, waits, gave_up = (float(sum(float(m[k]) for m in months)) for k in range(4))
        assert found["referred"][i] == pytest.approx(referred)
        assert found["mean_wait"][i] == pytest.approx(waits / started)
        assert found["gave_up_share"][i] == pytest.approx(gave_up / (started + gave_up))
        assert found["waiting"][i] == one.futures[i].by_programme[2, :, 0].sum()
        assert found["overdue"][i] == one.futures[i].by_programme[2, :, 1].sum()
    one.futures[0].months[21:24] = 0.0
    assert decision.monitors(one, 1, 2026)["mean_wait"].tolist() == [0.0]
    assert decision.monitors(one, 1, 2026)["gave_up_share"].tolist() == [0.0]


# ---------------------------------------------------------------- the plan's own numbers


def test_rows_of_the_share_of_the_inflow() -> None:
    q = quantities(reading="capacity")
    q.case.scenario = default().with_settings("x", reading="capacity")
    away = np.arange(COUNT * 3 * 5).reshape(COUNT, 3, 5)
    counted = [SimpleNamespace(away=one) for one in away[:3]]
    rows = list(reproduction._rows("capacity", q, counted))  # type: ignore[arg-type]
    assert [(one.quantity, one.year, one.plan, one.step) for one in rows] == [
        ("share_of_inflow", 2026, 0.033, 0.001), ("share_of_inflow", 2027, 0.067, 0.001),
        ("share_of_inflow", 2028, 0.1, 0.001),
    ]  # fmt: skip
    for one in rows:
        y = YEARS.index(one.year)
        for i in range(3):
            starts = sum(float(m[1]) for m in q.without.futures[i].months[12 * y : 12 * y + 12])
            assert one.simulated[i] == pytest.approx(away[i, :, y].sum() / starts, rel=1e-5)
        assert one.expected == pytest.approx(causes.not_entering(q, y) / q.book.value("demand.inflow"))
    headcount = list(reproduction._rows("headcount", q, counted))  # type: ignore[arg-type]
    steps = {one.quantity: one.step for one in headcount}
    hours = q.book.value("impact.hours_per_client")
    assert steps == {"conversations": 1.0, "freed_clients": 1.0, "share_of_clients": 0.001, "freed_hours": hours,
                     "social_domain": 1.0, "consults_of_users": 1.0}  # fmt: skip
    assert [one.at_least for one in headcount] == [one.quantity == "consults_of_users" for one in headcount]
    for one in headcount:
        if one.quantity == "freed_clients":
            y = YEARS.index(one.year)
            lighter = q.volumes["transfers"][:3, y] * q.book.value("functions.transfers_lighter")
            assert one.simulated == pytest.approx(away[:3, :, y].sum(axis=1) + lighter)
            assert one.expected == pytest.approx(causes.mean_heads(q, y))
    book = q.book
    cases = sum(book.value(f"functions.{name}", 2028) for name in FUNCTIONS)
    users = book.value("functions.support_point_users", 2028)
    saved = cases * book.value("gp.reduction_functions") + users * book.value("gp.reduction_support_points")
    assert reproduction._consults(q, 2028) == pytest.approx(saved * book.value("gp.consults_mental"))
    assert [reproduction._share(q, year) for year in (2026, 2027, 2028)] == [0.033, 0.067, 0.1]


def test_a_network_that_is_full_after_the_last_year_has_no_rows_of_that_year() -> None:
    later = lever(default(), "start").turn(default(), 24.0)
    assert later.book.value("functions.full_operation_year") == 2030
    q = quantities(reading="headcount")
    q.case.scenario, q.book = later, later.book
    counted = [SimpleNamespace(away=np.ones((3, 5))) for _ in range(3)]
    rows = list(reproduction._rows("headcount", q, counted))  # type: ignore[arg-type]
    assert {(one.quantity, one.year) for one in rows} == {
        *(("conversations", year) for year in (2027, 2028, 2029)),
        *(("freed_clients", year) for year in (2027, 2028, 2029)),
        *(("share_of_clients", year) for year in (2028, 2029)),
        ("consults_of_users", 2029),
    }


# ---------------------------------------------------------------- traces


def traced() -> tuple[Any, np.ndarray]:
    network = flowsim.Network.from_dict(
        {"horizon": 9.0, "classes": ["c"], "stations": [
            {"name": "s", "servers": 1, "service": {"distribution": "exponential", "mean": 1.0}}],
         "arrivals": [{"class": "c", "station": "s", "rate": 0.5}]}
    )  # fmt: skip
    log = np.zeros(7, events.EVENT)
    log["time"] = [0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0]
    log["resident"] = [-1, 0, 1, 0, 1, 0, 0]
    log["kind"] = [
        events.START,
        events.ARRIVE,
        events.ARRIVE,
        events.START,
        events.RENEGE,
        events.COMPLETE,
        events.EXIT,
    ]
    return network, log


def test_traces_stand_together_in_the_order_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    network, log = traced()
    for lines in (20_000, 1, 2, 3):
        monkeypatch.setattr(pl, "LINES", lines)
        stream = io.BytesIO()
        with pl.XesWriter(stream, network, dt.date(2025, 1, 1), {"seed": 7}) as writer:
            writer.add(pl.steps_of(2, log))
            writer.add(pl.steps_of(3, log[:1]))
        root = ET.fromstring(stream.getvalue())
        space = root.tag.removesuffix("log")
        told = []
        for trace in root.iter(f"{space}trace"):
            name = next(one.get("value") for one in trace if one.get("key") == "concept:name")
            number = next(one.get("value") for one in trace if one.get("key") == "replication")
            keys = ("concept:name", "concept:instance", "lifecycle:transition", "kind", "time:timestamp")
            steps = []
            for event in trace.iter(f"{space}event"):
                found = {one.get("key"): one.get("value") for one in event}
                steps.append((*(found[key] for key in keys), found["patient_class"]))
            told.append((name, number, steps))
        day = "2025-01-0"
        assert told == [
            ("2-0", "2", [
                ("s", "0", "schedule", "arrive", f"{day}1T06:00:00.000+00:00", "c"),
                ("s", "0", "start", "start", f"{day}1T18:00:00.000+00:00", "c"),
                ("s", "0", "complete", "complete", f"{day}2T12:00:00.000+00:00", "c"),
                ("leaves", "3", "complete", "exit", f"{day}3T00:00:00.000+00:00", "c"),
            ]),
            ("2-1", "2", [
                ("s", "4", "schedule", "arrive", f"{day}1T12:00:00.000+00:00", "c"),
                ("s", "4", "withdraw", "renege", f"{day}2T00:00:00.000+00:00", "c"),
            ]),
        ]  # fmt: skip
        assert [one.get("value") for one in root if one.get("key") == "seed"] == ["7"]
