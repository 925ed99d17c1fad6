"""TP 8.1 and 8.2: the one-off investment, from hours, rates and weeks to the total; and the application of TP 8.4."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Final

from flowsim.plan.figures import FigureBook
from flowsim.plan.tables.checks import Check, Index, Table

SUMMARY: Final = Table("8.1", "8.1")
STAFF: Final = Table("8.2-staff", "8.2")
TRAINING: Final = Table("8.2-training", "8.2")
INTERVISION: Final = Table("8.2-intervision", "8.2")
APPLICATION: Final = Table("8.4", "8.4")

RATE: Final = "investment.indexation"
INTERNAL: Final = ("project_leader", "network_group", "support_point_group", "administration")
EXTERNAL: Final = ("external_support", "external_digital")
PROFESSIONS: Final = ("ggz", "social_domain", "experience", "gp_mental_health")
ROWS: Final = ("internal", "external", "training", "intervision", "digital", "communication")
SOURCES: Final = {
    "one_off": "investment.printed_total",
    "network": "business_case.printed_network_cost_indexed",
    "substitution": "business_case.printed_substitution",
    "support_points": "business_case.printed_support_points",
}


def _get(book: FigureBook, key: str, year: int | None = None) -> float:
    return book.value(f"investment.{key}", year)


def _years(book: FigureBook, key: str) -> tuple[int, ...]:
    return book.figure(f"investment.{key}").years


def _on(book: FigureBook, key: str, year: int) -> float:
    """The printed value of exactly that year; 0 where the table leaves the cell empty."""
    figure = book.figure(f"investment.{key}")
    return figure.at(year) if year in figure.years else 0.0


def hours_a_week(book: FigureBook, line: str, year: int) -> float:
    """Hours a week of a staff line: days times the hours of a day, or members times the hours of each."""
    if f"investment.{line}_days" in book:
        return _get(book, f"{line}_days", year) * _get(book, "hours_per_day")
    return _get(book, f"{line}_people") * _get(book, f"{line}_hours", year)


def check_staff(book: FigureBook) -> Iterator[Check]:
    """TP 8.2, staff: hours x weeks x rate x VAT per line, fte per line, and the indexed sums."""
    index, vat = Index.of(book, RATE), _get(book, "vat")
    for line in (*INTERNAL, *EXTERNAL):
        share = _get(book, f"{line}_vat_share")
        for year in _years(book, f"printed_{line}"):
            hours = hours_a_week(book, line, year) * _get(book, f"{line}_weeks", year)
            bare = hours * _get(book, f"{line}_rate", year)
            yield STAFF.compare(
                line,
                year,
                _get(book, f"printed_{line}", year),
                bare * (1 + vat * share),
                "EUR",
                hypotheses={"vat_on_all_members": bare * (1 + vat), "vat_left_out": bare},
            )
        for year in _years(book, f"{line}_fte"):
            days = hours_a_week(book, line, year) / _get(book, "hours_per_day")
            fte = days * _get(book, "fte_per_day")
            printed = _get(book, f"{line}_fte", year)
            yield STAFF.compare(f"{line}_fte", year, printed, fte, "fte", step=0.0001 if fte != round(fte, 2) else 0.01)
        cause = "vat_left_out" if share == 0 else "vat_on_part"
        yield STAFF.compare(f"{line}_vat", "all", vat, vat * share, "fraction", step=0.001, cause=cause)
    for group, lines in (("internal", INTERNAL), ("external", EXTERNAL)):
        for year in _years(book, f"printed_{group}_sum"):
            parts = [_on(book, f"printed_{line}", year) for line in lines]
            yield STAFF.total(
                f"{group}_sum",
                year,
                _get(book, f"printed_{group}_sum", year),
                parts,
                factor=index.factor(year),
                factor_error=index.error(year),
                hypotheses={"index_factor_rounded": sum(parts) * index.rounded(year)},
            )
    first = _years(book, "printed_external_support")[0]
    for line in ("external_support", "project_leader"):
        start = dt.date(first, int(_get(book, f"{line}_from_month")), 1)
        weeks = (dt.date(first + 1, 1, 1) - start).days / 7
        yield STAFF.compare(
            f"{line}_weeks",
            first,
            _get(book, f"{line}_weeks", first),
            weeks,
            "weeks",
            relation="<=",
            cause="weeks_do_not_fit",
        )


def check_training(book: FigureBook) -> Iterator[Check]:
    """TP 8.2, training and intervision: people x hours x rate per line, and the sums with VAT and indexation."""
    for year in _years(book, "workshops"):
        teaching = _get(book, "workshop_teacher_hours") * _get(book, "workshop_teacher_rate")
        value = _get(book, "workshops", year) * (teaching + _get(book, "workshop_room"))
        yield TRAINING.compare("workshops", year, _get(book, "printed_workshops", year), value, "EUR")
        for who in PROFESSIONS:
            value = _get(book, f"training_{who}", year) * _get(book, "training_hours") * _get(book, f"rate_{who}")
            yield TRAINING.compare(f"training_{who}", year, _get(book, f"printed_training_{who}", year), value, "EUR")
        lines = ["printed_workshops", *(f"printed_training_{who}" for who in PROFESSIONS)]
        yield _with_vat(book, TRAINING, "training_sum", year, lines)
    years = _years(book, "intervision_hours")
    for year in years:
        for who in PROFESSIONS:
            people, hours = _get(book, f"intervision_{who}", year), _get(book, "intervision_hours", year)
            printed = _get(book, f"printed_intervision_{who}", year)
            value = people * hours * _get(book, f"rate_{who}")
            yield INTERVISION.compare(f"intervision_{who}", year, printed, value, "EUR")
        lines = [f"printed_intervision_{who}" for who in PROFESSIONS]
        yield _with_vat(book, INTERVISION, "intervision_sum", year, lines)
    for who in PROFESSIONS:
        yield INTERVISION.compare(
            f"intervision_people_{who}",
            years[0],
            _get(book, f"intervision_{who}", years[0]),
            _get(book, f"training_{who}", years[0]),
            "participants",
            relation="<=",
            cause="more_than_trained",
        )


def _with_vat(book: FigureBook, table: Table, row: str, year: int, lines: list[str]) -> Check:
    index, gross = Index.of(book, RATE), 1 + _get(book, "vat")
    parts = [_get(book, line, year) for line in lines]
    return table.total(
        row,
        year,
        _get(book, f"printed_{row}", year),
        parts,
        factor=index.factor(year) * gross,
        factor_error=index.error(year) * gross,
        rounded=False,
        hypotheses={"index_factor_rounded": sum(parts) * index.rounded(year) * gross},
    )


def check_summary(book: FigureBook) -> Iterator[Check]:
    """TP 8.1: the rows against 8.2 or against round amounts, the contingency, and every total."""
    index = Index.of(book, RATE)
    for row in ("internal", "external", "training", "intervision"):
        for year in _years(book, f"printed_{row}"):
            printed, line = _get(book, f"printed_{row}", year), _get(book, f"printed_{row}_sum", year)
            yield SUMMARY.same(row, year, printed, line, "EUR", rounded=True)
    for row in ("digital", "communication"):
        for year in _years(book, f"printed_{row}"):
            base = _get(book, f"base_{row}", year)
            yield SUMMARY.compare(
                row,
                year,
                _get(book, f"printed_{row}", year),
                base * index.factor(year),
                "EUR",
                carried=base * index.error(year),
                hypotheses={"index_factor_rounded": base * index.rounded(year)},
            )
    years = _years(book, "printed_total")
    for year in years:
        parts = [_on(book, f"printed_{row}", year) for row in ROWS]
        printed = _get(book, "printed_contingency", year)
        yield SUMMARY.total("contingency", year, printed, parts, factor=_get(book, "contingency"))
        parts.append(printed)
        yield SUMMARY.total("total", year, _get(book, "printed_total", year), parts)
    for row in (*ROWS, "contingency", "total"):
        parts = [_get(book, f"printed_{row}", year) for year in _years(book, f"printed_{row}")]
        yield SUMMARY.total(row, "total", _get(book, f"sum_{row}"), parts)
    rows = [_get(book, f"sum_{row}") for row in (*ROWS, "contingency")]
    yield SUMMARY.total("total_of_rows", "total", _get(book, "sum_total"), rows)
    yield SUMMARY.same("total_text", "total", _get(book, "total_text"), _get(book, "sum_total"), "EUR")


def check_application(book: FigureBook) -> Iterator[Check]:
    """TP 8.4: the rows against the tables that they come from, and every total."""
    for row, source in SOURCES.items():
        for year in _years(book, f"application_{row}"):
            printed = _get(book, f"application_{row}", year)
            yield APPLICATION.same(f"application_{row}", year, printed, book.value(source, year), "EUR", rounded=True)
    for year in _years(book, "application_total"):
        parts = [_on(book, f"application_{row}", year) for row in SOURCES]
        yield APPLICATION.total("application_total", year, _get(book, "application_total", year), parts)
    for row in (*SOURCES, "total"):
        parts = [_get(book, f"application_{row}", year) for year in _years(book, f"application_{row}")]
        yield APPLICATION.total(f"application_{row}", "total", _get(book, f"application_sum_{row}"), parts)
    rows = [_get(book, f"application_sum_{row}") for row in SOURCES]
    yield APPLICATION.total("application_total_of_rows", "total", _get(book, "application_sum_total"), rows)
