"""TP 5.2 and the first table of TP 7.1: volumes, effects on ggz, savings and freed capacity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from flowsim.plan.figures import FigureBook
from flowsim.plan.tables.checks import Check, Index, Table

TABLE_52: Final = Table("5.2", "5.2")
TABLE_71: Final = Table("7.1-effects", "7.1")


@dataclass(frozen=True, slots=True)
class Effect:
    """One row of effects: the share of a function's cases, and what part of a treatment it saves."""

    row: str  # the figure functions.<row> is the share, functions.printed_<row> the printed effect
    function: str
    saves: str  # the key of the part of the treatment cost that one affected case saves; empty: all of it
    step: float  # the unit of the last printed digit


EFFECTS: Final = (
    Effect("consultations_not_to_ggz", "consultations", "", 0.1),
    Effect("conversations_not_to_ggz", "conversations", "", 0.1),
    Effect("conversations_shortened", "conversations", "business_case.shortened_saving", 1.0),
    Effect("transfers_lighter", "transfers", "", 0.1),
    Effect("case_conferences_not_to_ggz", "case_conferences", "", 0.1),
    Effect("case_conferences_shortened", "case_conferences", "business_case.shortened_saving", 0.1),
)
FUNCTIONS: Final = ("consultations", "conversations", "transfers", "case_conferences")


def plan_years(book: FigureBook) -> tuple[int, ...]:
    """The years of the plan's tables: the pilot year to the year of full operation."""
    return tuple(
        range(
            int(book.value("functions.pilot_year")),
            int(book.value("functions.full_operation_year")) + 1,
        )
    )


def ramp(book: FigureBook, year: int) -> float | None:
    """The share of the full volume that the plan states for a year; None for the pilot year, which has none."""
    return None if year <= book.value("functions.pilot_year") else book.value("functions.ramp", year)


def volume(book: FigureBook, function: str, year: int) -> tuple[float, float]:
    """A function's volume before it was rounded for print, and how far off it may be.

    The plan calculates on with ramp x full volume (0.33 x 650 = 214.5) and prints 215. Where the printed number is not
    the rounding of that, it is all there is to go by, and half a case of doubt comes with it.
    """
    printed = book.value(f"functions.{function}", year)
    share = ramp(book, year)
    if share is None:
        return printed, 0.0
    unrounded = share * book.value(f"functions.{function}", int(book.value("functions.full_operation_year")))
    return (unrounded, 0.0) if abs(unrounded - printed) <= 0.5 + 1e-9 else (printed, 0.5)


def affected(book: FigureBook, effect: Effect, year: int) -> tuple[float, float]:
    """Clients a year that a function affects in one way, and the doubt in it."""
    cases, doubt = volume(book, effect.function, year)
    share = book.value(f"functions.{effect.row}")
    return cases * share, doubt * share


def freed_clients(book: FigureBook, year: int) -> tuple[float, float]:
    """Freed clients a year as the plan counts them (every affected client is one), and the doubt in it."""
    pairs = [affected(book, effect, year) for effect in EFFECTS]
    return sum(value for value, _ in pairs), sum(doubt for _, doubt in pairs)


def saving(book: FigureBook, function: str, year: int) -> tuple[float, float]:
    """EUR a year that a function saves on ggz, in prices of the price year, and the doubt in it."""
    cost = book.value("business_case.cost_per_client")
    value = doubt = 0.0
    for effect in EFFECTS:
        if effect.function == function:
            part = book.value(effect.saves) if effect.saves else 1.0
            clients, uncertain = affected(book, effect, year)
            value += clients * part * cost
            doubt += uncertain * part * cost
    return value, doubt


def check_milestones(book: FigureBook) -> Iterator[Check]:
    """TP 5.2: volumes against the stated ramp and the stated shares of clients, effects against the stated shares."""
    years = plan_years(book)
    for function in FUNCTIONS:
        full = book.value(f"functions.{function}", years[-1])
        for year in years[1:-1]:
            printed = book.value(f"functions.{function}", year)
            implied = full * book.value("functions.transfers_ramp_2026")
            yield TABLE_52.compare(
                function,
                year,
                printed,
                book.value("functions.ramp", year) * full,
                "cases",
                hypotheses={"ramp_30_percent": implied},
            )
    for year in years[1:]:
        freed = book.value("business_case.printed_freed_clients", year) / book.value("business_case.promised_clients")
        yield TABLE_52.compare("ramp", year, book.value("functions.ramp", year), freed, "fraction", step=0.01)
    for function in ("conversations", "transfers"):
        share = book.value(f"functions.{function}_share")
        share_of_clients = share * book.value("demand.clients_rounded")
        yield TABLE_52.compare(
            function, years[-1], book.value(f"functions.{function}", years[-1]), share_of_clients, "cases"
        )
    for effect in EFFECTS:
        for year in years:
            value, doubt = affected(book, effect, year)
            printed = book.value(f"functions.printed_{effect.row}", year)
            yield TABLE_52.compare(effect.row, year, printed, value, "clients", step=effect.step, carried=doubt)


def check_effects(book: FigureBook) -> Iterator[Check]:
    """TP 7.1, first table: what it repeats from 5.2, the savings, the freed capacity and the freed room."""
    years = plan_years(book)
    index = Index.of(book)
    for row in (*FUNCTIONS, *(effect.row for effect in EFFECTS)):
        first = row if row in FUNCTIONS else f"printed_{row}"
        for year in years:
            yield TABLE_71.same(
                row,
                year,
                book.value(f"business_case.printed_{row}", year),
                book.value(f"functions.{first}", year),
                "cases" if row in FUNCTIONS else "clients",
            )
    for function in FUNCTIONS:
        for year in years:
            value, doubt = saving(book, function, year)
            printed = book.value(f"business_case.printed_saving_{function}", year)
            yield TABLE_71.compare(f"saving_{function}", year, printed, value, "EUR", carried=doubt)
    for year in years:
        value, doubt = freed_clients(book, year)
        printed = book.value("business_case.printed_freed_clients", year)
        yield TABLE_71.compare("freed_clients", year, printed, value, "clients", carried=doubt)
    for year in years:
        parts = savings(book, year)
        yield TABLE_71.total(
            "freed_room",
            year,
            book.value("business_case.printed_freed_room", year),
            parts,
            factor=index.factor(year),
            hypotheses={"index_last_line_one_year": sum(parts) + parts[-1] * index.rate},
        )


def savings(book: FigureBook, year: int) -> tuple[float, ...]:
    """The four savings of a year in the order of the table: before rounding, where print is the rounding of that."""
    found = []
    for function in FUNCTIONS:
        value = saving(book, function, year)[0]
        printed = book.value(f"business_case.printed_saving_{function}", year)
        found.append(value if abs(value - printed) <= 0.5 + 1e-6 else printed)
    return tuple(found)
