"""Who comes to the GP, and what the network of functions does to them: numbers that the network document is filled
with.

Patient classes are ``municipality/need/group``. Needs: ``light``, ``multi_domain`` (problems in several areas of life),
``complex``, ``urgent`` (complex, after a crisis contact) and ``smi``. Groups: ``other`` for a light need, the diagnosis
groups for the others, ``eating`` for those who are treated outside the region.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from flowsim.errors import InputError
from flowsim.scenario.baseline import WEEK, YEAR, Baseline, Number, Values
from flowsim.scenario.load import Scenario
from flowsim.scenario.region import Region, inhabitants

Kind = tuple[str, str]
"""(need, group)"""

DIAGNOSES: Final = ("personality", "trauma", "somatic_symptom", "other")
KINDS: Final[tuple[Kind, ...]] = (
    ("light", "other"),
    *((need, group) for need in ("multi_domain", "complex", "urgent") for group in DIAGNOSES),
    ("smi", "other"),
    ("complex", "eating"),
)
ARRIVING: Final[tuple[Kind, ...]] = tuple(kind for kind in KINDS if kind[0] != "urgent")
WORSE: Final = {"light": "multi_domain", "multi_domain": "complex", "complex": "urgent"}


@dataclass(frozen=True)
class Demand:
    """Arrivals at the GP a year by kind on the first day, and the shares that go on to ggz.

    referred : fraction of a kind that the GP sends towards ggz; referred_later : of those who saw the poh-ggz.
    basic_share : fraction of multi-domain residents without a special diagnosis who go to basic ggz.
    """

    arrivals: Mapping[Kind, Number]
    referred: Mapping[Kind, Number]
    referred_later: Number
    basic_share: Number


def adults(value: Values, scenario: Scenario, region: Region) -> Number:
    """Adults on the first day: inhabitants between the two stated years, by constant growth."""
    figure = scenario.book.figure("population.region")
    if len(figure.years) < 2:
        expected = "inhabitants in two years or more, such as { 2023 = 50_000, 2040 = 60_000 }"
        where = f"figures of {region.name}: population.region"
        raise InputError(where, "one number", expected, "scenario.population")
    return inhabitants(figure, region.start) * value("population.share_adult")


def demand(value: Values, scenario: Scenario, region: Region, base: Baseline) -> Demand:
    """Arrivals that keep the balance: what is referred to each group equals first visits, returns and second
    attempts."""
    light, special = value("assumptions.multi_domain_share_basic"), value("assumptions.multi_domain_share_specialist")
    towards: dict[Kind, Number] = {("light", "other"): base.referred["light"] * (1.0 - light)}
    for group in DIAGNOSES:
        towards["multi_domain", group] = base.referred[group] * special
        towards["complex", group] = base.referred[group] * (1.0 - special)
    basic = base.referred["light"] * light
    towards["multi_domain", "other"] += basic
    towards["smi", "other"] = base.referred["smi"]
    chance = {
        "multi_domain": value("assumptions.referred_multi_domain"),
        "complex": value("assumptions.referred_complex"),
    }
    returns, again = value("assumptions.return_share"), base.reneging_share * value("assumptions.renege_to_gp")
    served = dict.fromkeys(towards, 1.0 - base.reneging_share)
    arrivals: dict[Kind, Number] = {}
    referred: dict[Kind, Number] = {}
    for kind, flow in towards.items():
        share = value("public.smi_return") if kind[0] == "smi" else returns
        first = flow * (1.0 - share * served[kind])
        if kind[0] == "light":
            towards[kind] = first
            continue
        referred[kind] = 1.0 if kind[0] == "smi" else chance[kind[0]]
        arrivals[kind] = np.maximum(first / referred[kind] - flow * again, 0.0)
    specialist = sum(base.starts[group] for group in DIAGNOSES)
    arrivals["complex", "eating"] = specialist * value("assumptions.eating_share")
    referred["complex", "eating"] = 1.0
    seen = adults(value, scenario, region) * value("public.gp_contact_share")
    arrivals["light", "other"] = np.maximum(seen - sum(arrivals.values()), 0.0)
    at_gp = arrivals["light", "other"] + base.referred["light"] * (1.0 - light) * again
    later = value("assumptions.gp_mental_health_route")
    chance_light = towards["light", "other"] / at_gp
    referred["light", "other"] = 0.5 * chance_light
    basic_share = basic / towards["multi_domain", "other"]
    half = 0.5 * chance_light  # by way of the GP's mental-health nurse, as many as go there at most
    return Demand(arrivals, referred, half / np.maximum(later, half), basic_share)


def municipality_shares(value: Values, region: Region) -> dict[str, float]:
    """Share of the clients who live in each municipality: inhabitants times clients per 10,000."""
    book = value.scenario.book
    weights = {}
    for one in region.municipalities:
        key = f"demand.clients_per_10000_{one.code}"
        rate = value(key if key in book else "demand.clients_per_10000_other")
        weights[one.code] = value(f"population.{one.code}") * rate
    total = sum(weights.values())
    return {code: weight / total for code, weight in weights.items()}


def growth_steps(value: Values, region: Region, days: list[float]) -> list[Number]:
    """Factor on arrivals from each of these days on: growth of demand, taken half-way to the next, and prevention.

    (`numpy.power`, and not ``**``: of one future and of many it is the same to the last bit.)
    """
    rate, prevention = value("assumptions.demand_growth"), value("assumptions.prevention_factor")
    ends = [*days[1:], days[-1] + (days[-1] - days[-2])]
    middle = [(start + end) / 2.0 / YEAR for start, end in zip(days, ends, strict=True)]
    return [prevention * np.power(1.0 + rate, years) for years in middle]


ABSENCE: Final = "assumptions.more_absence"
EXTRA_PLACES: Final = "assumptions.extra_places_"
"""Figures of extra places, by level of care or by programme."""
FUNCTIONS: Final = ("consultations", "conversations", "case_conferences", "transfers")


def yearly_volume(scenario: Scenario, value: Values, function: str, year: int) -> Any:
    """Cases of a function in a year, under the scenario's network and its reading of what comes after the first year
    of full operation."""
    if scenario.settings["network"] != "functions":
        return 0.0
    volume = value(f"functions.{function}", year)
    full = int(value("functions.full_operation_year"))
    if function == "transfers" and scenario.settings["transfers"] == "fade" and year > full:
        return 0.5 * volume if year == full + 1 else 0.0
    return volume


def weekly_quota(
    scenario: Scenario, value: Values, region: Region, function: str, horizon: float
) -> list[tuple[float, int]]:
    """Tokens of a function per week: whole numbers whose running sum stays within one of the plan's volume.

    The pilot year counts from its second half on (KPI 6). ``spread``: as many each week of a year; ``year_end``:
    along a straight line from one year's volume to the next's.
    """
    pilot = int(value("functions.pilot_year"))
    start = region.day(dt.date(pilot, 7, 1))
    last = region.date(horizon).year
    days = [start + WEEK * i for i in range(int((region.day(dt.date(last + 1, 1, 1)) - start) // WEEK) + 1)]
    volume = {year: yearly_volume(scenario, value, function, year) for year in range(pilot, last + 1)}
    volume[pilot - 1] = 0.0
    levels: dict[int, list[float]] = {year: [] for year in volume}
    for day in days:
        year = region.date(day).year
        if year > last:
            break
        into = (day - region.day(dt.date(year, 1, 1))) / YEAR
        linear = volume[year - 1] + (volume[year] - volume[year - 1]) * into
        levels[year].append(linear if scenario.settings["ramp"] == "year_end" else 1.0)
    quota: list[tuple[float, int]] = []
    exact, given = 0.0, 0
    weights = ((year, level) for year in sorted(levels) for level in levels[year])
    for day, (year, level) in zip(days, weights, strict=False):
        total = sum(levels[year])
        exact += volume[year] * level / total if total > 0.0 else 0.0
        tokens = int(exact + 1e-9) - given
        given += tokens
        if day < horizon:
            quota.append((day, tokens))
    return quota


def conversation_hours(scenario: Scenario, value: Values) -> Any:
    """Ggz hours of one conversation: its ggz price at the plan's hourly rate, or at the mean price of treatment."""
    price = value("business_case.conversation_cost_ggz")
    if scenario.settings["conversation_hours"] == "hourly":
        return price / value("investment.rate_ggz")
    return price / (value("business_case.cost_per_client") / value("impact.hours_per_client"))


def takes_places(scenario: Scenario) -> bool:
    """Whether functions take treatment places: for the hours of conversations, or for heavier clients."""
    settings = scenario.settings
    return bool(
        settings["network"] == "functions" and (settings["reading"] == "net" or settings["freed_place"] == "heavier")
    )


def capacity_factor(
    scenario: Scenario, value: Values, region: Region, day: float, group: str, stopped: bool = False
) -> Number:
    """Places of a group's programmes from this day on, relative to the first day.

    Staff comes and goes, and is absent, in all programmes; extra places come at one level of care. The ggz hours of
    conversations, and heavier clients in freed places, come out of the programmes that the functions serve: all but
    that for severe mental illness. ``stopped``: the functions have stopped, and take nothing.
    """
    year = region.date(day).year
    factor = np.power(1.0 + value("assumptions.staff_growth"), day / YEAR)
    factor *= 1.0 - by_choice(value, ABSENCE, year)
    if group != "smi":
        factor *= 1.0 + value(f"{EXTRA_PLACES}{'basic' if group == 'light' else 'specialist'}", year)
    settings = scenario.settings
    if settings["network"] == "none" or group == "smi" or stopped:
        return factor
    clients = value("demand.clients") - value("demand.smi")
    pilot = int(value("functions.pilot_year"))
    if settings["network"] == "functions":
        if region.date(day) < dt.date(pilot, 7, 1):
            return factor
        if settings["reading"] == "net":
            volume = yearly_volume(scenario, value, "conversations", year) * (2.0 if year == pilot else 1.0)
            hours = clients * value("impact.hours_per_client")
            factor *= 1.0 - volume * conversation_hours(scenario, value) / hours
    if settings["freed_place"] == "heavier":
        freed = freed_share(scenario, value, year) * value("demand.clients") / clients
        factor *= 1.0 - freed * (1.0 - value("impact.hours_per_client") / value("assumptions.heavier_hours"))
    return factor


def extra_places(value: Values, programme: str, year: int) -> Any:
    """Extra treatment places of one programme in a year, as a fraction."""
    return by_choice(value, f"{EXTRA_PLACES}{programme}", year)


def by_choice(value: Values, key: str, year: int) -> Any:
    """A figure that a region need not have: 0 where it has none."""
    return value(key, year) if key in value.scenario.book else 0.0


def ramp(value: Values, year: int) -> Any:
    """Share of the network's full size that it has in a year; none before the plan's first."""
    first = value.scenario.book.figure("functions.ramp").years[0]
    return value("functions.ramp", year) if year >= first else 0.0


def freed_share(scenario: Scenario, value: Values, year: int) -> Any:
    """Share of ggz capacity that counts as freed in a year: the plan's client equivalents over its clients, of those
    who would have come; top-down the diverted share itself."""
    from flowsim.plan.business_case import client_equivalents, plan_volumes

    if scenario.settings["network"] == "diversion":
        return value("functions.diversion") * ramp(value, year)
    book = value.scenario.book
    equivalents = client_equivalents(book, plan_volumes(book, year)).capacity
    return value("assumptions.would_have_entered") * equivalents / value("demand.clients")


@dataclass(frozen=True)
class Effects:
    """What a function does to the share of its cases that it reaches: out of ggz, or to a lighter treatment."""

    away: Number
    shorter: Number


def effects(scenario: Scenario, value: Values, function: str) -> Effects:
    """Effects of a function under the scenario's reading; net widening scales both."""
    w = value("assumptions.would_have_entered")
    away = value(f"functions.{function}_not_to_ggz")
    shorter = value(f"functions.{function}_shortened") if function != "consultations" else 0.0
    if scenario.settings["reading"] == "headcount":
        return Effects(w * (away + shorter), 0.0)  # a shortened treatment counts as one that does not happen
    return Effects(w * away, w * shorter)


def away(value: Values) -> dict[str, Any]:
    """Where those go who are kept out of ggz, as fractions: ``social_domain``, ``self_help``, ``own_network``."""
    social = value("business_case.share_to_social_domain")
    rest = 0.5 * (1.0 - social)
    return {"social_domain": social, "self_help": rest, "own_network": rest}


def diverted_share(scenario: Scenario, value: Values, base: Baseline, year: int) -> Any:
    """Share of those bound for ggz (severe mental illness apart) who are diverted in a year, top-down.

    The diverted share is one of treatment ``hours`` (by those in treatment), of ``inflow``, of clients in a year
    (``headcount``) or of ``euros``: what public sources say that all clients and those with severe mental illness cost
    (the plan itself has one price per client, which makes no difference between them).

    Raises
    ------
    InputError : severe mental illness costs more than all clients together.
    """
    if scenario.settings["network"] != "diversion":
        return 0.0
    share = value("functions.diversion") * ramp(value, year)
    others = [one for one in base.programmes if one.group != "smi"]
    starts = sum(one.starts for one in others)
    match scenario.settings["diversion_of"]:
        case "inflow":
            basis = sum(one.starts for one in base.programmes) / starts
        case "headcount":
            basis = value("demand.clients") / starts
        case "euros":
            total = value("public.cost_per_client") * value("demand.clients")
            smi = value("public.smi_cost") * value("demand.smi")
            if not 0.0 <= smi < total:
                place = f"scenario {scenario.name}: figures.public.smi_cost"
                expected = f"less than the {total:,.0f} of all clients"
                raise InputError(place, f"{smi:,.0f} euros", expected, "scenario.below", value=smi, most=total)
            basis = total / (total - smi)
        case _:
            basis = sum(one.places for one in base.programmes) / sum(one.places for one in others)
    return np.minimum(share * basis, 1.0)
