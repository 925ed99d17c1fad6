"""The plan's promises held against simulated futures: KPIs of TP 5.3 and the promises for 2028 and 2029 (TP 7.2).

A promise is judged in each future by itself; a promise about a change is judged against the same future without a
network (same unknowns, same residents).
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import verdict
from flowsim.analysis.answers import wait_ratio
from flowsim.analysis.clearing import VOLUMES
from flowsim.analysis.framed import framed
from flowsim.analysis.measures import ROUNDING
from flowsim.analysis.statistics import mean_interval, wilson
from flowsim.plan.business_case import Money, Volumes, client_equivalents, money
from flowsim.plan.figures import load_figures
from flowsim.plan.targets import Target, has_targets, load_targets
from flowsim.plan.years import YEARS
from flowsim.scenario.baseline import YEAR, Values, calibrate

if TYPE_CHECKING:
    import pandas as pd

NOT_SIMULATED: Final = frozenset({"self_help_professionals_share"})
"""Promises about what the model does not have: which professionals use self-help modules in treatment."""

OF_FUNCTIONS: Final = frozenset({"conversations", "extra_social_domain_fte"})
"""Promises about single functions: a top-down scenario does not say how the diversion comes about."""

NO_VERDICT: Final = "not_simulated"

TARGETS: Final = {
    **dict.fromkeys(("case", "target", "quantity", "date"), "str"),
    "promised": "float64",
    **dict.fromkeys(("comparison", "unit", "source"), "str"),
    "simulated": "bool",
    **dict.fromkeys(("mean", "mean_low", "mean_high", "q05", "q95"), "float64"),
    **dict.fromkeys(("probability", "probability_low", "probability_high"), "float64"),
    "verdict": "str",
}
EUROS: Final = {
    "case": "str",
    "year": "int64",
    "line": "str",
    "indexed": "bool",
    **dict.fromkeys(("mean", "mean_low", "mean_high"), "float64"),
}
"""Columns of the two tables, which a region without promises or a case without functions leaves without rows."""


def yearly(case: Any, count: int) -> dict[str, np.ndarray]:
    """Residents reached per year by each of `VOLUMES`: name -> (n, 5), for the first ``count`` futures."""
    monthly = np.array([future.volumes for future in case.futures[:count]])
    years = monthly.reshape(count, len(YEARS), 12, len(VOLUMES)).sum(axis=2)
    return {name: years[:, :, v] for v, name in enumerate(VOLUMES)}


def referrals(case: Any, count: int) -> np.ndarray:
    """Referrals to ggz per year: (n, 5)."""
    months = np.array([future.months[:, 0] for future in case.futures[:count]])
    return np.asarray(months.reshape(count, len(YEARS), 12).sum(axis=2))


class Quantities:
    """The simulated quantity behind each promise, per future: code -> (n,) for a year."""

    def __init__(self, case: Any, base: Any) -> None:
        self.case, self.without = case, base
        self.count = min(len(case.futures), len(base.futures))
        self.book = case.scenario.book
        self.settings = case.scenario.settings
        self.top_down = self.settings["network"] == "diversion"
        self.volumes = yearly(case, self.count)
        self.base = yearly(base, self.count)
        self.fewer = 1.0 - referrals(case, self.count) / np.maximum(referrals(base, self.count), 1.0)
        reached = [drawn.get("assumptions.would_have_entered") for drawn in case.drawn[: self.count]]
        fixed = self.book.value("assumptions.would_have_entered")
        self.entered = np.array([fixed if value is None else value for value in reached])

    def of(self, quantity: str, year: int) -> np.ndarray | None:
        """Value of a quantity in a year, per future that is paired; None when it is not simulated."""
        if quantity in NOT_SIMULATED or (self.top_down and quantity in OF_FUNCTIONS):
            return None
        return np.asarray(getattr(self, quantity)(YEARS.index(year)), float)

    def support_points_open(self, y: int) -> np.ndarray:
        opened = [one.support_point_opens for one in self.case.region.municipalities if one.support_point_opens]
        pilot = "functions.pilot_year"  # they come so much later as the pilot does
        later = int(self.book.value(pilot) - load_figures(self.case.scenario.region).value(pilot))
        number = sum(day.year + later <= YEARS[y] for day in opened) if self.settings["network"] != "none" else 0
        return np.full(self.count, float(number))

    def conversations(self, y: int) -> np.ndarray:
        return np.asarray(self.volumes["conversations"][:, y])

    def support_point_users(self, y: int) -> np.ndarray:
        return np.asarray(self.volumes["support_point_users"][:, y])

    def inflow_reduction(self, y: int) -> np.ndarray:
        return np.asarray(self.fewer[:, y])

    def diversion(self, y: int) -> np.ndarray:
        """Share of treatment hours freed, net of what the network uses, under the scenario's reading."""
        return np.asarray(self.freed_clients(y) / self.book.value("demand.clients"))

    def wait_reduction(self, y: int) -> np.ndarray:
        """Of every future of the case, as in its summary: the comparison is with its own first quarter."""
        return np.asarray(1.0 - wait_ratio(self.case))

    def freed_clients(self, y: int) -> np.ndarray:
        """Client equivalents of the simulated volumes, as the reading counts them; top-down: of the treatment hours
        that nobody asks for any more."""
        if self.top_down:
            return np.asarray(self.hours_not_asked[:, y] * self.book.value("demand.clients"))
        equivalents = client_equivalents(self.book, self.done(y))
        match self.settings["reading"]:
            case "headcount":
                freed = equivalents.headcount
            case "capacity":
                freed = equivalents.capacity
            case _:
                hourly = self.settings["conversation_hours"] == "hourly"
                freed = equivalents.net if hourly else equivalents.net_at_mean_price
        return np.asarray(freed * self.entered)

    @cached_property
    def hours_not_asked(self) -> np.ndarray:
        """Share of the treatment hours asked for without a network that nobody asks for, per future and year: (n, 5).

        A referral to a programme asks for the mean length of its treatments.
        """
        shares = np.empty((self.count, len(YEARS)))
        for i in range(self.count):
            baseline = calibrate(Values(self.case.scenario, self.case.drawn[i]), self.case.region)
            length = np.array([baseline.duration[one.group] for one in baseline.programmes]) / YEAR
            asked, without = (case.futures[i].programme_years[:, :, 0] @ length for case in (self.case, self.without))
            shares[i] = 1.0 - asked / without
        return shares

    def euros(self, indexed: bool) -> tuple[Money, ...]:
        """The euros by year, per future."""
        return money(self.book, {year: self.done(y) for y, year in enumerate(YEARS)}, indexed, self.entered)

    def done(self, y: int) -> Volumes:
        """The volumes of a year, per future, in the business case's terms."""
        names = ("consultations", "conversations", "transfers", "case_conferences")
        cases = {name: np.asarray(self.volumes[name][:, y], float) for name in names}
        points, extra = self.support_points_open(y), self.extra_social_domain(y)
        return Volumes(**cases, support_points=points, to_social_domain=np.asarray(extra, float))

    def freed_hours(self, y: int) -> np.ndarray:
        return np.asarray(self.freed_clients(y) * self.book.value("impact.hours_per_client"))

    def extra_social_domain(self, y: int) -> np.ndarray:
        return np.asarray(self.volumes["social_domain"][:, y] - self.base["social_domain"][:, y])

    def extra_social_domain_fte(self, y: int) -> np.ndarray:
        """Staff for those who come to the social domain, and for the functions: the plan's, by its own volume."""
        plan = load_figures(self.case.scenario.region)
        conversations = plan.value("functions.conversations", int(plan.value("functions.full_operation_year")))
        functions = self.book.value("impact.extra_fte_functions") * self.conversations(y) / conversations
        return np.asarray(functions + self.extra_social_domain(y) / self.book.value("impact.residents_per_fte"))

    def fewer_gp_consults(self, y: int) -> np.ndarray:
        """Fewer consults of users, and fewer bridging consults."""
        saved = self.saved_by_users(y)
        return np.asarray(saved + self.base["gp_consults"][:, y] - self.volumes["gp_consults"][:, y])

    def saved_by_users(self, y: int) -> np.ndarray:
        """Fewer consults of those who used the network (15% and 20% of ten a year, as long as the setting says)."""
        reached = ("consultations", "conversations", "case_conferences", "transfers")
        functions = np.sum([self.volumes[name] for name in reached], axis=0)
        points = self.volumes["support_point_users"]
        if self.settings["gp_effect"] == "for_good":
            functions, points = np.cumsum(functions, axis=1), np.cumsum(points, axis=1)
        saved = functions[:, y] * self.book.value("gp.reduction_functions")
        saved = saved + points[:, y] * self.book.value("gp.reduction_support_points")
        if self.settings["gp_effect"] != "contact":
            saved = saved * self.book.value("gp.consults_mental")
        return np.asarray(saved)


def targets(answer: Any) -> pd.DataFrame:
    """Each promise under each case with a network: expected value, intervals, probability of being met.

    ``mean`` with the 95% interval of the mean, ``q05`` and ``q95`` over futures; ``probability`` with its Wilson
    interval; ``verdict``: its code (`flowsim.analysis.verdict.chance`), or `NO_VERDICT`; ``simulated``: False for a
    promise about what the model does not have.
    """
    return judged_table(judged_cases(answer.cases))


def judged_table(judged: Mapping[str, Quantities]) -> pd.DataFrame:
    """The table of `targets`, of cases whose quantities are there already."""
    rows = [
        {"case": name, **_judged(target, quantities)}
        for name, quantities in judged.items()
        if has_targets(quantities.case.scenario.region)
        for target in load_targets(quantities.case.scenario.region)
    ]
    return framed(rows, TARGETS)


def judged_cases(cases: Mapping[str, Any]) -> dict[str, Quantities]:
    """The quantities of every case with a network, against ``none``; none of both when that is missing."""
    base = cases.get("none")
    if base is None:
        return {}
    return {name: Quantities(case, base) for name, case in cases.items() if name != "none"}


def _judged(target: Target, quantities: Quantities) -> dict[str, Any]:
    row: dict[str, Any] = {
        "target": target.id,
        "quantity": target.quantity,
        "date": target.date.isoformat(),
        "promised": target.value,
        "comparison": target.comparison,
        "unit": target.unit,
        "source": f"{target.source.document}, {target.source.section}",
    }
    simulated = quantities.of(target.quantity, target.date.year)
    if simulated is None:
        return {**row, "simulated": False, "verdict": NO_VERDICT}
    estimate = mean_interval(simulated)
    low, high = np.quantile(simulated, (0.05, 0.95))
    slack = 1.0 + ROUNDING if target.comparison == ">=" else 1.0 - ROUNDING
    met = wilson(int(sum(target.met(float(x) * slack) for x in simulated)), len(simulated))
    expected = {"mean": estimate.value, "mean_low": estimate.low, "mean_high": estimate.high, "q05": low, "q95": high}
    chance = {"probability": met.value, "probability_low": met.low, "probability_high": met.high}
    return {**row, "simulated": True, **expected, **chance, "verdict": verdict.chance(met.low, met.high)}


def euros(answer: Any) -> pd.DataFrame:
    """The business case at the simulated volumes, per case and year: mean euros, in the prices that the scenario asks
    for."""
    rows = []
    base = answer.cases.get("none")
    for name, case in answer.cases.items():
        if name == "none" or base is None or case.scenario.settings["network"] != "functions":
            continue
        quantities = Quantities(case, base)
        indexed = case.scenario.settings["prices"] == "indexed"
        lines = ("gains", "network_cost", "substitution", "support_points", "net_effect", "net_of_social_domain")
        for one in quantities.euros(indexed):
            for line in lines:
                e = mean_interval(getattr(one, line))
                row = {"case": name, "year": one.year, "line": line, "indexed": indexed}
                rows.append({**row, "mean": e.value, "mean_low": e.low, "mean_high": e.high})
    return framed(rows, EUROS)
