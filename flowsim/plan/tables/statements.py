"""What the plan says in sentences (TP 2.1, 4.2, 5.1, 6.1, 7.1, 7.2), beside what the regional plan (RP) says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flowsim.plan.figures import FigureBook
from flowsim.plan.tables.checks import Check, Table
from flowsim.plan.tables.effects import FUNCTIONS, plan_years

FACTS: Final = Table("2.1", "2.1")
SUPPORT: Final = Table("4.2", "4.2")
PLANNING: Final = Table("5.1", "5.1")
PRICES: Final = Table("7.1-prices", "7.1")
IMPACT: Final = Table("7.2", "7.2")
REGIONAL: Final = Table("RP", "2.1")


def check_facts(book: FigureBook) -> Iterator[Check]:
    """TP 2.1: growth, shares and comparisons that follow from other numbers in the same section."""
    now, then = book.figure("population.region_am").years
    people, people_then = (book.value("population.region_am", year) for year in (now, then))
    growth = book.value("population.growth_am")
    yield FACTS.compare("growth_am", then, growth, people_then / people - 1, "fraction", step=0.01)
    region, region_then = (book.value("population.region", year) for year in (now, then))
    yield FACTS.compare("population", then, region_then, region * (1 + growth), "persons")
    older = people_then * book.value("population.share_65_plus", then) - people * book.value(
        "population.share_65_plus", now
    )
    doubt = 0.001 / 2 * (people + people_then)  # both percentages are printed to 0.1
    yield FACTS.compare(
        "increase_65_plus",
        then,
        book.value("population.increase_65_plus"),
        older,
        "persons",
        step=10,
        carried=doubt,
    )
    fewer, clients = book.value("demand.clients_am_decrease"), book.value("demand.clients_am")
    yield FACTS.compare(
        "clients_am_decrease",
        "2021",
        book.value("demand.clients_am_decrease_share"),
        fewer / (clients + fewer),
        "fraction",
        step=0.0001,
        carried=5 / clients,  # 90 persons and 12,000 clients are printed to tens
    )
    exact = book.value("demand.clients")
    yield FACTS.compare("clients", "2021", book.value("demand.clients_rounded"), exact, "clients", step=100)
    rate = exact / region * 1e4
    highest = book.value("demand.clients_per_10000_amstelveen")
    lowest = book.value("demand.clients_per_10000_aalsmeer")
    unit = "per 10,000"
    yield FACTS.compare("clients_per_10000_highest", "2021", highest, rate, unit, relation=">=")
    yield FACTS.compare("clients_per_10000_lowest", "2021", lowest, rate, unit, relation="<=")
    for group in ("personality", "trauma", "somatic_symptom"):
        here, there = book.value(f"waiting.{group}"), book.value(f"waiting.{group}_netherlands")
        yield FACTS.compare(f"wait_{group}", "2022", here, there, "weeks", step=0.1, relation=">=")


def check_regional_plan(book: FigureBook) -> Iterator[Check]:
    """Numbers that the transformation plan shares with the regional plan of a year before."""
    repeated = {
        "population": ("population.region", "persons"),
        "population_am": ("population.region_am", "persons"),
        "clients": ("demand.clients", "clients"),
        "smi": ("demand.smi", "persons"),
        "tension_ggz": ("workforce.tension_ggz", "vacancies per 100"),
        "share_55_plus_gp": ("workforce.share_55_plus_gp", "fraction"),
    }
    for place in ("aalsmeer", "uithoorn", "amstelveen", "ouder_amstel"):
        repeated[f"complaints_{place}"] = (f"population.complaints_{place}", "fraction")
    for row, (key, unit) in repeated.items():
        first = book.figure(f"{key}_rp")
        for year in first.years or (int(first.date),):
            yield REGIONAL.same(row, year, book.value(key, year), first.at(year), unit, step=0.01)
    now, horizon = book.figure("workforce.shortage").years
    _, earlier = book.figure("workforce.shortage_rp").years
    start, end = (book.value("workforce.shortage", year) for year in (now, horizon))
    expected = start + (end - start) * (earlier - now) / (horizon - now)
    yield REGIONAL.compare(
        "shortage",
        earlier,
        book.value("workforce.shortage_rp", earlier),
        expected,
        "persons",
        step=100,
        cause="other_forecast",
    )
    here = "above" if book.value("population.suicides_am") > book.value("population.suicides_netherlands") else "below"
    there = "above" if book.value("population.suicides_rp") > 0 else "below"
    yield REGIONAL.text("suicides", "2023", here, there, "mean", "opposite_statements")


def check_planning(book: FigureBook) -> Iterator[Check]:
    """TP 4.2, 5.1, 6.1 and 7.1: statements about time and prices."""
    users = book.value("gp.support_point_users_text")
    fewer = users * book.value("gp.consults_mental") * book.value("gp.reduction_support_points")
    yield SUPPORT.compare("support_point_consults", "2027", book.value("gp.fewer_by_support_points"), fewer, "consults")
    full, pilot = book.value("functions.full_operation_year"), book.value("functions.pilot_year")
    years = book.value("functions.years_to_full_operation")
    yield PLANNING.compare(
        "full_operation",
        "year",
        full,
        pilot + years - 1,
        "year",
        step=0.1,
        hypotheses={"pilot_year_not_counted": pilot + years},
    )
    later = book.value("functions.diversion_year_impact")
    yield Table("6.1", "6.1").compare("diversion", "year", later, full, "year", step=0.1, cause="two_years_named")
    share = book.value("business_case.share_of_national_costs")
    cost, elsewhere = book.value("business_case.cost_per_client"), "business_case.social_domain_cost_per_client"
    saving = book.value("business_case.saving_per_diverted_case")
    yield PRICES.compare("saving_per_diverted_case", "text", saving, cost - book.value(elsewhere), "EUR")
    national = book.value("business_case.other_functions_national")
    yield PRICES.compare(
        "other_functions", "text", book.value("business_case.other_functions_full"), share * national, "EUR"
    )
    promised = book.value("functions.diversion") * book.value("demand.clients_rounded")
    yield PRICES.compare("promised_clients", "text", book.value("business_case.promised_clients"), promised, "clients")


def check_impact(book: FigureBook) -> Iterator[Check]:
    """TP 7.2: the promises against the tables, in clients, hours, people, fte and consults."""
    full = plan_years(book)[-1]
    freed, hours = book.value("impact.freed_clients"), book.value("impact.hours_per_client")
    clients = book.value("demand.clients_rounded")
    counted = book.value("business_case.printed_freed_clients", full)
    yield IMPACT.same("freed_clients", full, freed, counted, "clients")
    yield IMPACT.compare("freed_hours", full, book.value("impact.freed_hours"), freed * hours, "hours")
    share = book.value("business_case.share_to_social_domain")
    yield IMPACT.compare(
        "extra_social_domain", full, book.value("impact.extra_social_domain"), share * freed, "residents"
    )
    fte = book.value("impact.extra_fte_functions") + book.value("impact.extra_fte_substitution")
    yield IMPACT.compare("extra_fte", full, book.value("impact.extra_fte"), fte, "fte", step=0.1)
    cases = sum(book.value(f"functions.{function}", full) for function in FUNCTIONS)
    consults = cases * book.value("gp.reduction_functions")
    consults += book.value("functions.support_point_users", full) * book.value("gp.reduction_support_points")
    consults *= book.value("gp.consults_mental")
    promised = book.value("gp.fewer_promised")
    yield IMPACT.compare("gp_consults", full, promised, consults, "consults", relation="<=")
    euros = sum(book.value(f"business_case.printed_saving_{function}", full) for function in FUNCTIONS)
    equivalents = euros / book.value("business_case.cost_per_client")
    cause = "half_trajectory_counts_whole"
    yield IMPACT.compare("freed_clients_in_euros", full, freed, equivalents, "clients", hypotheses={cause: counted})
    yield IMPACT.compare(
        "freed_hours_in_euros",
        full,
        book.value("impact.freed_hours"),
        equivalents * hours,
        "hours",
        hypotheses={cause: counted * hours},
    )
    yield IMPACT.compare(
        "extra_capacity_in_euros",
        full,
        book.value("impact.extra_capacity"),
        equivalents / clients,
        "fraction",
        step=0.01,
        hypotheses={cause: counted / clients},
    )
