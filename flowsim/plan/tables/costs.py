"""TP 7.1, the tables of costs, net effect and substitution, and the budget of TP 7.3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowsim.plan.figures import FigureBook
from flowsim.plan.tables.checks import Check, Index, Table
from flowsim.plan.tables.effects import freed_clients, plan_years, savings, volume

COSTS: Final = Table("7.1-costs", "7.1")
NET: Final = Table("7.1-net", "7.1")
SUBSTITUTION: Final = Table("7.1-substitution", "7.1")
BUDGET: Final = Table("7.3", "7.3")
COST_LINES: Final = ("conversations_ggz", "conversations_social_domain", "other_functions", "coordination")


def network_cost_line(book: FigureBook, line: str, year: int) -> float | None:
    """EUR a year of one cost line of the network, before indexation; None where the plan has no rule (pilot year)."""
    if line in ("conversations_ggz", "conversations_social_domain"):
        price = book.value("business_case.conversation_cost_" + line.removeprefix("conversations_"))
        return volume(book, "conversations", year)[0] * price
    grown = (year - book.value("functions.pilot_year")) / book.value("business_case.ramp_years")
    if grown <= 0:
        return None
    share = book.value("business_case.share_of_national_costs")
    return share * book.value(f"business_case.{line}_national") * min(1.0, grown)


def substitution(book: FigureBook, year: int) -> tuple[float, float]:
    """EUR a year of extra social domain before indexation, and the doubt in it."""
    freed, doubt = freed_clients(book, year)
    share, cost = "business_case.share_to_social_domain", "business_case.social_domain_cost_per_client"
    each = book.value(share) * book.value(cost)
    return freed * each, doubt * each


def support_points(book: FigureBook, year: int) -> float:
    """EUR a year of the support points that are open in a year, before indexation."""
    return book.value("functions.support_points", year) * book.value("business_case.support_point_cost")


def check_costs(book: FigureBook) -> Iterator[Check]:
    """TP 7.1, costs of the network."""
    years, index = plan_years(book), Index.of(book)
    for line in COST_LINES:
        for year in years:
            value = network_cost_line(book, line, year)
            if value is None:
                continue
            share = book.value("business_case.share_of_national_costs")
            printed = book.value(f"business_case.printed_{line}", year)
            yield COSTS.compare(line, year, printed, value, "EUR", hypotheses={"reduction_forgotten": value / share})
    for year in years:
        lines = [book.value(f"business_case.printed_{line}", year) for line in COST_LINES]
        yield COSTS.total("network_cost", year, book.value("business_case.printed_network_cost", year), lines)
    full = years[-1]
    without = book.value("business_case.printed_network_cost", full)
    yield COSTS.compare(
        "network_cost_label",
        full,
        without,
        without + substitution(book, full)[0],
        "EUR",
        hypotheses={"label_promises_substitution": without},
    )
    for year in years:
        base = book.value("business_case.printed_network_cost", year)
        yield COSTS.total(
            "network_cost_indexed",
            year,
            book.value("business_case.printed_network_cost_indexed", year),
            [base],
            factor=index.factor(year),
            factor_error=index.error(year),
            hypotheses={"index_factor_rounded": base * index.rounded(year)},
        )


def check_net(book: FigureBook) -> Iterator[Check]:
    """TP 7.1, the positive business case."""
    years, index = plan_years(book), Index.of(book)
    for year in years:
        parts = savings(book, year)
        room = book.value("business_case.printed_net_freed_room", year)
        last_line = sum(parts) + parts[-1] * (index.rounded(year) - 1)
        hypotheses = {"index_last_line": last_line}
        yield NET.total("freed_room", year, room, parts, factor=index.factor(year), hypotheses=hypotheses)
    for year in years:
        parts = savings(book, year)
        yield NET.same(
            "freed_room_twice",
            year,
            book.value("business_case.printed_freed_room", year),
            book.value("business_case.printed_net_freed_room", year),
            "EUR",
            rounded=True,
            hypotheses={"index_once_only": sum(parts) + parts[-1] * index.rate},
        )
    for year in years:
        cost = book.value("business_case.printed_net_network_cost", year)
        yield NET.same(
            "network_cost_indexed", year, cost, book.value("business_case.printed_network_cost_indexed", year), "EUR"
        )
    for year in years:
        parts = (
            book.value("business_case.printed_net_freed_room", year),
            -book.value("business_case.printed_net_network_cost", year),
        )
        yield NET.total("net_effect", year, book.value("business_case.printed_net_effect", year), parts)


def check_substitution(book: FigureBook) -> Iterator[Check]:
    """TP 7.1, what the social domain and the support points cost."""
    years, index = plan_years(book), Index.of(book)
    for year in years:
        base, doubt = substitution(book, year)
        yield SUBSTITUTION.compare(
            "substitution",
            year,
            book.value("business_case.printed_substitution", year),
            base * index.factor(year),
            "EUR",
            carried=doubt * index.factor(year) + base * index.error(year),
            hypotheses={"index_factor_rounded": base * index.rounded(year)},
        )
    for year in years:
        base = support_points(book, year)
        yield SUBSTITUTION.compare(
            "support_points",
            year,
            book.value("business_case.printed_support_points", year),
            base * index.factor(year),
            "EUR",
            carried=base * index.error(year),
            hypotheses={
                "index_factor_rounded": base * index.rounded(year),
                "index_one_year_late": base * index.rounded(year - 1),
            },
        )
    for year in years:
        parts = [book.value(f"business_case.printed_{row}", year) for row in ("substitution", "support_points")]
        yield SUBSTITUTION.total(
            "substitution_total", year, book.value("business_case.printed_substitution_total", year), parts
        )


def check_budget(book: FigureBook) -> Iterator[Check]:
    """TP 7.3: what it repeats, its totals, its percentages and its text."""
    years, index = plan_years(book), Index.of(book)
    repeated = [(row, "cases") for row in ("consultations", "conversations", "case_conferences")]
    repeated += [("freed_clients", "clients")]
    repeated += [(row, "EUR") for row in (*COST_LINES, "network_cost_indexed", "substitution", "support_points")]
    for row, unit in repeated:
        for year in years:
            late = support_points(book, year) * index.rounded(year - 1)
            yield BUDGET.same(
                row,
                year,
                book.value(f"budget.printed_{row}", year),
                book.value(f"business_case.printed_{row}", year),
                unit,
                rounded=unit == "EUR",
                hypotheses={"index_one_year_late": late} if row == "support_points" else None,
            )
    for year in years:
        rows = ("network_cost_indexed", "substitution", "support_points")
        parts = [book.value(f"budget.printed_{row}", year) for row in rows]
        yield BUDGET.total("budget_total", year, book.value("budget.printed_total", year), parts)
    clients, step = book.value("demand.clients_rounded"), 0.001
    for function in ("consultations", "conversations", "case_conferences"):
        share = book.value(f"functions.{function}", years[-1]) / clients
        yield BUDGET.compare(
            f"{function}_share",
            years[-1],
            book.value(f"functions.{function}_share"),
            share,
            "fraction",
            step=step,
            hypotheses={"cut_off": int(share / step) * step},
        )
    for row in ("substitution", "support_points"):
        parts = [book.value(f"budget.printed_{row}", year) for year in years[:-1]]
        yield BUDGET.total(f"{row}_to_2027", "text", book.value(f"budget.text_{row}"), parts)
