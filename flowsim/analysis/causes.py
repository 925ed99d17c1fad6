"""Why a promise of the plan is missed, or met by another way than the plan's: coded causes, with their numbers.

A cause is worked out from the simulated futures, not looked up: its facts are what the sentence says. The words are in
``flowsim/present/<language>/targets.toml``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.answers import WEEK
from flowsim.analysis.targets import NO_VERDICT, OF_FUNCTIONS, Quantities, referrals
from flowsim.plan.business_case import client_equivalents
from flowsim.plan.figures import load_figures
from flowsim.plan.targets import Target, has_targets, load_targets
from flowsim.plan.years import YEARS
from flowsim.scenario import flows
from flowsim.scenario.baseline import Values

if TYPE_CHECKING:
    import pandas as pd

CODES: Final = (
    "not_in_model",
    "top_down",
    "no_network",
    "plan_says_less",
    "scenario_does_less",
    "few_came",
    "heads_not_inflow",
    "referrals_exceed_inflow",
    "list_balance",
    "halves_count_half",
    "conversations_take_hours",
    "reached_would_not_come",
    "few_on_the_list",
    "lighter_stay",
    "halves_stay",
    "shorter_lists_too",
)
FREED: Final = frozenset({"freed_clients", "freed_hours", "diversion"})
SOCIAL: Final = frozenset({"extra_social_domain", "extra_social_domain_fte"})
Cause = tuple[str, dict[str, float]]
NONE: Final[Cause] = ("", {})


def causes(targets: pd.DataFrame, judged: Mapping[str, Quantities]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The table of promises with a column ``cause``, and the facts behind each cause: case, target, cause, fact, value.

    Parameters
    ----------
    targets, judged : `flowsim.analysis.targets.targets` and `judged_cases`, of the same cases.
    """
    import pandas as pd

    rows, found = [], []
    for name, quantities in judged.items():
        region = quantities.case.scenario.region
        promises = {target.id: target for target in load_targets(region)} if has_targets(region) else {}
        for row in targets[targets["case"] == name].to_dict("records"):
            code, facts = cause(promises[row["target"]], quantities, row)
            found.append(code)
            rows += [
                {"case": name, "target": row["target"], "cause": code, "fact": fact, "value": float(value)}
                for fact, value in facts.items()
            ]
    made = targets.copy()
    made["cause"] = found
    return made, pd.DataFrame(rows, columns=["case", "target", "cause", "fact", "value"])


def cause(target: Target, q: Quantities, row: Mapping[Any, Any]) -> Cause:
    """The cause that sets a promise's simulated value apart from the plan's; an empty code when nothing does."""
    quantity, y = target.quantity, YEARS.index(target.date.year)
    if row["verdict"] == NO_VERDICT:
        return "top_down" if q.top_down and quantity in OF_FUNCTIONS else "not_in_model", {}
    if q.settings["network"] == "none":
        return ("no_network", {}) if row["verdict"] != "yes" else NONE
    if quantity in ("conversations", "support_point_users"):
        return _volume(target, q, row)
    if quantity == "inflow_reduction":
        return _inflow(q, y)
    if quantity == "wait_reduction":
        return ("list_balance", list_balance(q, target.date)) if row["verdict"] != "yes" else NONE
    if quantity == "fewer_gp_consults":
        users = q.saved_by_users(y).mean()
        return "shorter_lists_too", {"users": users, "other": row["mean"] - users}
    if q.top_down:
        return NONE
    if quantity in FREED:
        return _freed(q, y)
    return _social(q, y) if quantity in SOCIAL else NONE


def _volume(target: Target, q: Quantities, row: Mapping[Any, Any]) -> Cause:
    """Volumes follow the plan's table 5.2, or what the scenario puts in its place, which may say less than the KPI; or
    fewer people came than there was room for."""
    key, year = f"functions.{target.quantity}", target.date.year
    planned = q.book.value(key, year)
    if planned < target.value:
        of_plan = planned == load_figures(q.case.scenario.region).value(key, year)
        return "plan_says_less" if of_plan else "scenario_does_less", {"planned": planned, "asked": target.value}
    if row["probability"] < 1.0:
        return "few_came", {"planned": planned, "mean": row["mean"]}
    return NONE


def not_entering(q: Quantities, y: int) -> float:
    """People whom the functions keep out of ggz in a year, by the reading's effects on the simulated volumes."""
    values = Values(q.case.scenario, {"assumptions.would_have_entered": float(q.entered.mean())})
    names = ("consultations", "conversations", "case_conferences")
    away = (flows.effects(q.case.scenario, values, one).away * q.volumes[one][:, y].mean() for one in names)
    return float(sum(away))


def mean_heads(q: Quantities, y: int) -> float:
    """Freed clients as the plan counts them, for the volumes as they were run."""
    return float(np.mean(client_equivalents(q.book, q.done(y)).headcount))


def _inflow(q: Quantities, y: int) -> Cause:
    """The plan's share is of the new trajectories of a year; or of all its clients, when heads are counted."""
    if q.top_down:
        return NONE
    away, heads = not_entering(q, y), mean_heads(q, y)
    facts = {
        "away": away,
        "inflow": q.book.value("demand.inflow"),
        "of_inflow": away / q.book.value("demand.inflow"),
        "heads": heads,
        "clients": q.book.value("demand.clients"),
        "of_clients": heads / q.book.value("demand.clients"),
        "referrals": float(referrals(q.without, q.count)[:, y].mean()),
        "mean": float(q.fewer[:, y].mean()),
    }
    return ("heads_not_inflow" if q.settings["reading"] == "headcount" else "referrals_exceed_inflow"), facts


def list_balance(q: Quantities, date: dt.date) -> dict[str, float]:
    """Why the list is as long as it is on a day: what the network changed on the way in and out, in people.

    The list shortens by whoever is not referred, less the treatments that do not start, less those who would have given
    up and now stay: ``shorter`` = ``fewer_referred`` - ``fewer_started`` - ``fewer_gave_up``, up to a few days between
    the month's end and the snapshot.
    """
    day = q.case.region.day(date) + 1.0
    months = 12 * (date.year - YEARS[0]) + date.month
    week = round(day / WEEK)
    cases = (q.without, q.case)
    flow = [np.mean([one.months[:months].sum(axis=0) for one in case.futures[: q.count]], axis=0) for case in cases]
    waiting = [float(np.mean([one.waiting[week] for one in case.futures[: q.count]])) for case in cases]
    fewer = flow[0] - flow[1]
    return {
        "fewer_referred": fewer[0],
        "fewer_started": fewer[1],
        "fewer_gave_up": fewer[3],
        "shorter": waiting[0] - waiting[1],
        "waiting": waiting[1],
        "waiting_without": waiting[0],
        "waiting_first": float(np.mean([one.waiting[0] for one in q.case.futures[: q.count]])),
    }


def _freed(q: Quantities, y: int) -> Cause:
    """The reading counts a halved treatment as a half, and takes off the hours of the conversations; or those reached
    would not all have come."""
    every = client_equivalents(q.book, q.done(y))
    heads, capacity = float(np.mean(every.headcount)), float(np.mean(every.capacity))
    freed = float(q.freed_clients(y).mean())
    facts = {"heads": heads, "capacity": capacity, "freed": freed, "entered": float(q.entered.mean())}
    match q.settings["reading"]:
        case "capacity":
            return "halves_count_half", facts
        case "net":
            return "conversations_take_hours", facts
    if facts["entered"] < 1.0:
        return "reached_would_not_come", facts
    planned, mean = q.book.value("functions.transfers", YEARS[y]), float(q.volumes["transfers"][:, y].mean())
    return ("few_on_the_list", {"planned": planned, "mean": mean}) if mean < planned - 1.0 else NONE


def _social(q: Quantities, y: int) -> Cause:
    """To the social domain goes 80% of those who do not enter ggz, not of all who count as freed."""
    heads = mean_heads(q, y)
    share = q.book.value("business_case.share_to_social_domain")
    away = not_entering(q, y)
    facts = {"heads": heads, "away": away, "share": share, "sent": share * away, "stay": heads - away}
    return ("lighter_stay" if q.settings["reading"] == "headcount" else "halves_stay"), facts
