"""TP 5.3 and 8.3: the dates, kinds, numbers and payments of the KPIs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from flowsim.plan.figures import FigureBook
from flowsim.plan.kpis import Kpi
from flowsim.plan.tables.checks import Check, Table
from flowsim.plan.tables.effects import EFFECTS, affected, plan_years

KPIS: Final = Table("5.3", "5.3")
PAYMENTS: Final = Table("8.3", "8.3")
NUMBERED: Final = {  # 8.3 repeats the number of these; its unit
    "16": "fraction",
    "17": "conversations",
    "18": "support points",
    "19": "users",
    "20": "fraction",
    "24": "fraction",
    "27": "conversations",
    "28": "users",
    "29": "fraction",
}


def check_kpis(book: FigureBook, kpis: tuple[Kpi, ...]) -> Iterator[Check]:
    """TP 5.3: the date in each sentence against its column, the numbers in KPIs against the tables they come from."""
    for kpi in kpis:
        yield KPIS.text(
            f"kpi_{kpi.nr}",
            "text_date",
            kpi.text_date.isoformat(),
            kpi.date.isoformat(),
            "date",
            _date_cause(kpi.text_date, kpi.date),
        )
    for nr, key, unit in (
        ("16", "functions.self_help_professionals", "fraction"),
        ("17", "functions.conversations", "conversations"),
        ("27", "functions.conversations", "conversations"),
        ("11", "functions.support_points", "support points"),
        ("18", "functions.support_points", "support points"),
        ("19", "functions.support_point_users", "users"),
        ("28", "functions.support_point_users", "users"),
    ):
        due = _due(kpis, nr).year
        yield KPIS.same(f"kpi_{nr}", due, book.value(f"kpi_numbers.kpi_{nr}"), book.value(key, due), unit)
    users = book.value("kpi_numbers.kpi_28")
    yield KPIS.same("kpi_28", "4.2", users, book.value("gp.support_point_users_text"), "users")
    pilot = _due(kpis, "8").year
    trained = sum(
        book.value(f"investment.training_{who}", pilot)
        for who in ("ggz", "social_domain", "experience", "gp_mental_health")
    )
    yield KPIS.same("kpi_8", pilot, book.value("kpi_numbers.kpi_8"), trained, "professionals")
    workshops = book.value("investment.workshops", pilot)
    printed = book.value("kpi_numbers.kpi_8_workshops")
    yield KPIS.same("kpi_8_workshops", pilot, printed, workshops, "workshops")
    clients, diversion = book.value("demand.clients_rounded"), book.value("functions.diversion")
    for nr in ("20", "29"):
        due = _due(kpis, nr).year
        printed = book.value(f"kpi_numbers.kpi_{nr}")
        freed = book.value("business_case.printed_freed_clients", due) / clients
        yield KPIS.compare(
            f"kpi_{nr}", "ramp", printed, diversion * book.value("functions.ramp", due), "fraction", step=0.001
        )
        yield KPIS.compare(f"kpi_{nr}", "freed_clients", printed, freed, "fraction", step=0.001)
        kept_out = sum(affected(book, effect, due)[0] for effect in EFFECTS if effect.row.endswith("_not_to_ggz"))
        yield KPIS.compare(
            f"kpi_{nr}",
            "inflow",
            printed,
            kept_out / clients,
            "fraction",
            step=0.001,
            hypotheses={"clients_counted_as_inflow": freed},
        )


def check_payments(book: FigureBook, kpis: tuple[Kpi, ...]) -> Iterator[Check]:
    """TP 8.3: kinds, dates and numbers against 5.3, the payment moments, the sums and the 30% rule."""
    moments = sorted(day for day, _ in book.figure("investment.payments").values)
    for kpi in kpis:
        row = f"kpi_{kpi.nr}"
        yield PAYMENTS.text(row, "kind", kpi.kind_payment, kpi.kind, "kind", "kind_differs")
        yield PAYMENTS.text(
            row,
            "date",
            kpi.date_payment.isoformat(),
            kpi.date.isoformat(),
            "date",
            _date_cause(kpi.date_payment, kpi.date),
        )
        due = next(moment for moment in moments if moment >= kpi.date).isoformat()
        yield PAYMENTS.text(row, "paid_after", kpi.paid_after.isoformat(), due, "date", "paid_early_or_late")
    for nr, unit in NUMBERED.items():
        printed, first = book.value(f"kpi_numbers.kpi_{nr}_payment"), book.value(f"kpi_numbers.kpi_{nr}")
        yield PAYMENTS.same(f"kpi_{nr}", "number", printed, first, unit)
    for moment in moments:
        parts = [float(kpi.amount) for kpi in kpis if kpi.paid_after == moment]
        printed = book.value("investment.payments", moment)
        yield PAYMENTS.total("payment", moment.isoformat(), printed, parts, rounded=False)
    total = book.value("investment.payments_total")
    parts = [book.value("investment.payments", moment) for moment in moments]
    yield PAYMENTS.total("payments_total", "total", total, parts, rounded=False)
    yield PAYMENTS.same("payments_total", "8.1", total, book.value("investment.sum_total"), "EUR")
    minimum = book.value("investment.result_minimum_text")
    yield PAYMENTS.compare("result_minimum", "text", minimum, total * book.value("investment.result_share"), "EUR")
    for column, result in (
        ("kinds of 8.3", [kpi.amount for kpi in kpis if kpi.kind_payment == "R"]),
        ("kinds of 5.3", [kpi.amount for kpi in kpis if kpi.kind == "R"]),
    ):
        yield PAYMENTS.compare(
            "result_kpis", column, minimum, float(sum(result)), "EUR", relation="<=", cause="kind_differs"
        )


def check_pilot(book: FigureBook, kpis: tuple[Kpi, ...]) -> Iterator[Check]:
    """TP 5.1 to 5.3: whether the pilots fit between their start and their evaluation, and into the year they fill."""
    start, evaluation = _due(kpis, "6a"), _due(kpis, "9a")
    months = start.month + int(book.value("functions.evaluation_after_start"))
    earliest = dt.date(start.year + (months - 1) // 12, (months - 1) % 12 + 1, start.day)
    yield Table("5.1", "5.1").text(
        "evaluation", "date", evaluation.isoformat(), earliest.isoformat(), "date", "nine_months_do_not_fit"
    )
    year_end = dt.date(start.year + 1, 1, 1)
    running = (year_end.year - start.year) * 12 + year_end.month - start.month - 1
    yield Table("5.1", "5.2").compare(
        "pilot_months", plan_years(book)[0], 12, running, "months", cause="half_year_counted_as_year"
    )


def _due(kpis: tuple[Kpi, ...], nr: str) -> dt.date:
    return next(kpi.date for kpi in kpis if kpi.nr == nr)


def _date_cause(printed: dt.date, elsewhere: dt.date) -> str:
    return "year_differs" if (printed.month, printed.day) == (elsewhere.month, elsewhere.day) else "half_year_differs"
