"""What the stations and the routes of a scenario share: region, values, the balance of the first day, classes, days."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from flowsim.plan.years import YEARS
from flowsim.scenario import flows
from flowsim.scenario.baseline import WEEK, YEAR, Baseline, Number, Values, calibrate
from flowsim.scenario.flows import DIAGNOSES, KINDS, Kind
from flowsim.scenario.load import Scenario
from flowsim.scenario.region import Region, load_region

MONTH: Final = YEAR / 12.0
TOWARDS_GGZ: Final = "collegial_consultation"
"""The first station on the way to ggz."""
VISITOR: Final = "visitor"
"""The class of companions: consults and other visits on behalf of somebody who waits."""


def horizon(value: Values, region: Region) -> Any:
    """Five years, and the weeks for which a clearing must hold."""
    return region.day(dt.date(YEARS[-1] + 1, 1, 1)) + value("assumptions.cleared_weeks") * WEEK


def exponential(mean: Number) -> dict[str, Any]:
    return {"distribution": "exponential", "mean": mean}


def lognormal(mean: Number, cv: Number) -> dict[str, Any]:
    return {"distribution": "lognormal", "mean": mean, "cv": cv}


def rounded(x: Number) -> Any:
    """The nearest whole number, halves to even; an array gives an array."""
    return np.rint(x).astype(np.int64) if isinstance(x, np.ndarray) else round(x)


def whole(exact: Sequence[Number], total: Any) -> list[Any]:
    """Whole numbers near ``exact`` that add up to ``total`` (largest remainders); arrays, per future, give arrays."""
    if not any(isinstance(x, np.ndarray) for x in exact):
        found = [int(x) for x in exact]
        ranked = sorted(range(len(exact)), key=lambda i: found[i] - exact[i])
        for i in ranked[: max(0, total - sum(found))]:
            found[i] += 1
        return found
    table = np.stack(np.broadcast_arrays(*exact, total))[:-1]
    floors = table.astype(np.int64)
    order = np.argsort(floors - table, axis=0, kind="stable")
    rank = np.argsort(order, axis=0, kind="stable")
    return list(floors + (rank < total - floors.sum(axis=0)))


def norm_weeks(value: Callable[[str], float], scenario: Scenario) -> float:
    """Weeks from referral to start beyond which somebody is overdue.

    When the wait until intake counts: the weeks at which the intake is overdue. Intake and treatment waits lie one
    behind the other and nobody leaves between them, so by Little's law the share of those waiting who wait for the
    intake is also its share of the wait.
    """
    if scenario.settings["wait_counts"] == "intake":
        return value("public.treeknorm_intake") / value("public.waiting_share_intake")
    return value("public.treeknorm_total")


class Frame:
    """A scenario with values of the unknowns: what the parts of its network document are made from.

    With arrays (n,) of values the document's numbers are arrays too, one number per future
    (`flowsim.scenario.futures`).
    """

    def __init__(self, scenario: Scenario, drawn: Mapping[str, Number], base: Baseline | None = None) -> None:
        self.scenario = scenario
        self.region = load_region(scenario.region)
        self.value = Values(scenario, drawn)
        self.base = base or calibrate(self.value, self.region)
        self.demand = flows.demand(self.value, scenario, self.region, self.base)
        self.horizon = horizon(self.value, self.region)
        self.years = [*YEARS, YEARS[-1] + 1]
        self.municipalities = [one.code for one in self.region.municipalities]
        self.shares = flows.municipality_shares(self.value, self.region)
        self.kinds = KINDS
        self.classes = [f"{m}/{need}/{group}" for m in self.municipalities for need, group in KINDS] + [VISITOR]

    def classes_of(self, *needs: str, groups: tuple[str, ...] = (*DIAGNOSES, "eating")) -> list[str]:
        """Names of the classes with one of these needs and groups, in all municipalities."""
        kinds = [(need, group) for need, group in KINDS if need in needs and group in groups]
        return [f"{m}/{need}/{group}" for m in self.municipalities for need, group in kinds]

    def year_starts(self, half_years: bool = False) -> list[float]:
        dates = [dt.date(year, month, 1) for year in self.years for month in ((1, 7) if half_years else (1,))]
        return [self.region.day(date) for date in dates if self.region.day(date) < self.horizon]

    def months(self) -> list[float]:
        """Edges of the months, from the first day to the horizon."""
        dates = [dt.date(year, month, 1) for year in self.years for month in range(1, 13)]
        return [day for date in dates if (day := self.region.day(date)) <= self.horizon]

    def norm(self) -> float:
        """Wait, in days from referral to start, beyond which somebody is overdue."""
        return norm_weeks(self.value, self.scenario) * WEEK

    def spread(self, number: Number, classes: list[str], weights: Sequence[Number] | None = None) -> dict[str, Any]:
        """A number of people over classes, by municipality (and weights), in whole people (largest remainders)."""
        weights = weights or [1.0] * len(classes)
        exact = [w * self.shares[c.split("/")[0]] for c, w in zip(classes, weights, strict=True)]
        scale = number / sum(exact)
        return dict(zip(classes, whole([x * scale for x in exact], rounded(number)), strict=True))

    def places(self, stopped: bool = False) -> list[list[tuple[float, Any]]]:
        """Treatment places of each programme from each half-year on; ``stopped``: when the functions have stopped."""
        programmes, days = self.base.programmes, self.year_starts(half_years=True)
        groups = {one.group for one in programmes}
        rows = []
        for day in days:
            factor = {g: flows.capacity_factor(self.scenario, self.value, self.region, day, g, stopped) for g in groups}
            year = self.region.date(day).year
            extra = {one.name: flows.extra_places(self.value, one.name, year) for one in programmes}
            exact = [one.places * factor[one.group] * (1.0 + extra[one.name]) for one in programmes]
            rows.append(whole(exact, rounded(sum(exact))))
        return [[(day, row[i]) for day, row in zip(days, rows, strict=True)] for i in range(len(programmes))]

    @property
    def has_functions(self) -> bool:
        return bool(self.scenario.settings["network"] == "functions")

    def mix(self, number: Any, group: str) -> dict[str, Any]:
        """People of a group over its classes, as those who are referred to it."""
        light, special = (self.value(f"assumptions.multi_domain_share_{x}") for x in ("basic", "specialist"))
        if group == "smi":
            kinds: dict[Kind, Number] = {("smi", "other"): 1.0}
        elif group == "light":
            kinds = {("light", "other"): 1.0 - light, ("multi_domain", "other"): light}
        else:
            kinds = {("multi_domain", group): special, ("complex", group): 1.0 - special}
        classes = [f"{m}/{need}/{g}" for m in self.municipalities for need, g in kinds]
        weights = [weight for _ in self.municipalities for weight in kinds.values()]
        return self.spread(number, classes, weights)
