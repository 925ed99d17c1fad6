"""The plan's arithmetic: every printed cell against its recomputation (`check_plan`), and the same prices applied to
other volumes than the plan's (`money`, `client_equivalents`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from flowsim.plan.figures import FigureBook
from flowsim.plan.kpis import load_kpis
from flowsim.plan.tables import costs, effects, investment, payments, statements
from flowsim.plan.tables.checks import Check, Index

Number: TypeAlias = Any
"""A float, or an array of one number per future."""


def check_plan(book: FigureBook, region: str | Path | None = None) -> tuple[Check, ...]:
    """Recompute the plan: every printed cell of its tables and the statements that repeat or contradict them.

    Parameters
    ----------
    book : the region's figures.
    region : where the KPIs stand, when that is not the packaged region of `book`.

    Returns
    -------
    In the order of the plan. How cells are recomputed, the tolerance and the causes: `flowsim.plan.tables.checks`.

    Raises
    ------
    InputError : the region lacks a figure of the plan's tables.
    """
    kpis = load_kpis(region if region is not None else book.region)
    return (
        *statements.check_facts(book),
        *statements.check_regional_plan(book),
        *statements.check_planning(book),
        *payments.check_pilot(book, kpis),
        *effects.check_milestones(book),
        *payments.check_kpis(book, kpis),
        *effects.check_effects(book),
        *costs.check_costs(book),
        *costs.check_net(book),
        *costs.check_substitution(book),
        *statements.check_impact(book),
        *costs.check_budget(book),
        *investment.check_summary(book),
        *investment.check_staff(book),
        *investment.check_training(book),
        *payments.check_payments(book, kpis),
        *investment.check_application(book),
    )


@dataclass(frozen=True, slots=True)
class Volumes:
    """What the network did in a year, or in that year of many futures: cases of each function, and support points open.

    `to_social_domain` is the number of people who went to the social domain; left out, the plan's rule gives it
    (80% of the freed clients, TP 7.1).
    """

    consultations: Number
    conversations: Number
    transfers: Number
    case_conferences: Number
    support_points: Number
    to_social_domain: Number | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """EUR of one year, of one future or of many. `indexed` tells whether 3% a year was added to the prices of 2024."""

    year: int
    gains: Number
    network_cost: Number
    substitution: Number
    support_points: Number
    indexed: bool

    @property
    def net_effect(self) -> Number:
        """Gains less the cost of the network: what the plan calls the net effect (TP 7.1)."""
        return self.gains - self.network_cost

    @property
    def net_of_social_domain(self) -> Number:
        """The net effect less what the social domain and the support points cost."""
        return self.net_effect - self.substitution - self.support_points


@dataclass(frozen=True, slots=True)
class Equivalents:
    """Freed ggz clients a year under each reading of the plan's 650 (model description, section 4).

    Attributes
    ----------
    headcount : every client who is diverted, shortened or lightened counts as one; as the plan counts.
    capacity : each counts for the part of a treatment that it frees; as the plan's euros count.
    net : `capacity` less the ggz hours of the conversations, at the hourly rate of ggz staff (TP 8.2).
    net_at_mean_price : the same at the mean price of a treatment hour (TP 7 and 7.2: 2,000 euros for 8 hours).
    not_entering : the people who do not enter ggz at all.
    """

    headcount: Number
    capacity: Number
    net: Number
    net_at_mean_price: Number
    not_entering: Number


def full_year(book: FigureBook) -> int:
    """The first year in which the network runs in full (TP 5.2: the year of the 650)."""
    return int(book.value("functions.full_operation_year"))


def plan_volumes(book: FigureBook, year: int) -> Volumes:
    """The volumes that the plan states for a year, before they were rounded for print; flat after full operation."""
    stated = min(year, full_year(book))
    cases = {function: effects.volume(book, function, stated)[0] for function in effects.FUNCTIONS}
    return Volumes(**cases, support_points=book.value("functions.support_points", year))


def money(
    book: FigureBook, volumes: Mapping[int, Volumes], indexed: bool = False, entered: Number = 1.0
) -> tuple[Money, ...]:
    """The euros of the business case (TP 7.1) for given yearly volumes.

    Prices per case and per support point are the plan's; the costs that do not follow a volume (the other functions,
    the coordination) are as printed for the year and flat after the last one, and are not made in a year in which the
    functions have no case. With `indexed`, *every* amount is
    multiplied by 1.03 to the power of the years since 2024; the plan's own table does that to one line only.

    Parameters
    ----------
    volumes : year -> what happened in it. entered : share of those reached who would have entered ggz, and whose
        treatment is saved.
    """
    index = Index.of(book)
    per_conversation = sum(book.value(f"business_case.conversation_cost_{payer}") for payer in ("ggz", "social_domain"))
    out = []
    for year in sorted(volumes):
        done = volumes[year]
        factor = index.factor(year) if indexed else 1.0
        used = done.consultations + done.conversations + done.transfers + done.case_conferences > 0
        fixed = used * sum(book.value(f"business_case.printed_{x}", year) for x in ("other_functions", "coordination"))
        people = done.to_social_domain
        if people is None:
            people = book.value("business_case.share_to_social_domain") * entered * _freed(book, done, whole=True)
        out.append(
            Money(
                year=year,
                gains=factor * entered * _freed(book, done) * book.value("business_case.cost_per_client"),
                network_cost=factor * (done.conversations * per_conversation + fixed),
                substitution=factor * people * book.value("business_case.social_domain_cost_per_client"),
                support_points=factor * done.support_points * book.value("business_case.support_point_cost"),
                indexed=indexed,
            )
        )
    return tuple(out)


def client_equivalents(book: FigureBook, volumes: Volumes) -> Equivalents:
    """Freed ggz clients for one year's volumes, under each reading (TP 5.2, 7.1, 7.2 and 8.2)."""
    capacity = _freed(book, volumes)
    hours = book.value("impact.hours_per_client")
    price = book.value("business_case.conversation_cost_ggz")
    mean_price = book.value("business_case.cost_per_client") / hours
    rates = (book.value("investment.rate_ggz"), mean_price)
    net, net_at_mean_price = (capacity - volumes.conversations * price / rate / hours for rate in rates)
    not_entering = sum(
        getattr(volumes, effect.function) * book.value(f"functions.{effect.row}")
        for effect in effects.EFFECTS
        if effect.row.endswith("_not_to_ggz")
    )
    return Equivalents(_freed(book, volumes, whole=True), capacity, net, net_at_mean_price, not_entering)


def _freed(book: FigureBook, volumes: Volumes, whole: bool = False) -> Number:
    """Clients freed: each for the part of a treatment that it saves, or each for one (`whole`)."""
    total: Number = 0.0
    for effect in effects.EFFECTS:
        part = book.value(effect.saves) if effect.saves and not whole else 1.0
        total += getattr(volumes, effect.function) * book.value(f"functions.{effect.row}") * part
    return total
