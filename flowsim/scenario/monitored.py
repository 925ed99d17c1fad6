"""What is unknown once the plan is under way: how much of it is carried out, and what a conversation does.

`flowsim answer` takes the plan's volumes and effects as they stand. Counts of the programme can show that they do not
come true, so `flowsim update` draws them too: a fraction of the plan's volume for each function, that moves from year
to year as a random walk, and a fraction of the plan's effect. Figures and ranges: ``monitoring.toml`` of the region.
"""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from flowsim.model import draws
from flowsim.model.network import Network
from flowsim.plan.figures import FigureBook
from flowsim.plan.years import YEARS
from flowsim.scenario.baseline import Baseline
from flowsim.scenario.compile import Compiler
from flowsim.scenario.futures import Template
from flowsim.scenario.load import Scenario
from flowsim.scenario.unknowns import triangular

STREAM: Final = np.uint64(0x6D6F6E69)
"""Root of the draws of these unknowns, apart from those of residents and of the other unknowns."""
STEPS: Final = YEARS[1:]
"""Years in which the delivered fractions can change."""
LEVELS: Final = {
    "monitoring.delivered_conversations": ("conversations",),
    "monitoring.delivered_other_functions": ("consultations", "case_conferences", "transfers"),
    "monitoring.delivered_support_points": ("support_point_users",),
}
"""Delivered fraction -> the volumes of ``functions.toml`` that it scales."""
CHANGE: Final = "monitoring.delivered_change"
EFFECT: Final = "monitoring.realised_not_to_ggz"
DIVERSION: Final = "monitoring.realised_diversion"
PLACES: Final = (*LEVELS, *(f"{CHANGE}_{year}" for year in STEPS), EFFECT, DIVERSION)
"""Names of the unknowns; their places are addresses of draws, new ones go to the end."""
VOLUME_YEARS: Final = (*YEARS, YEARS[-1] + 1)


def figure_of(name: str) -> str:
    """The key of the figure that gives an unknown its range: the change has one for all years."""
    return CHANGE if name.startswith(CHANGE) else name


def drawn(scenario: Scenario) -> tuple[str, ...]:
    """Which of these are uncertain in a scenario: those of its network whose figure has a range.

    Raises
    ------
    InputError : a region without ``monitoring.toml``.
    """
    wanted = {"functions": PLACES[:-1], "diversion": PLACES[-1:], "none": ()}[scenario.settings["network"]]
    found = []
    for name in wanted:
        figure = scenario.book.figure(figure_of(name))
        if figure.low is not None and figure.high is not None and figure.low < figure.high:
            found.append(name)
    return tuple(found)


def quantiles(seed: int, future: int) -> dict[str, float]:
    """A uniform number per unknown for one future: addressed by seed, future and the unknown's place."""
    key = np.uint64(draws.output(np.uint64(draws.output(STREAM, seed)), future))
    return {name: float(draws.unit(np.uint64(draws.output(key, i)))) for i, name in enumerate(PLACES)}


def values(scenario: Scenario, uniforms: Mapping[str, float]) -> dict[str, float]:
    """The value of each of these unknowns at these quantiles (triangular, the figure's value is the mode)."""
    result = {}
    for name in drawn(scenario):
        figure = scenario.book.figure(figure_of(name))
        result[name] = triangular(figure.low or 0.0, figure.at(), figure.high or 0.0, uniforms[name])
    return result


def delivered(scenario: Scenario, known: Mapping[str, float], level: str, year: int) -> float:
    """Fraction of the plan's volumes in a year: where it began, and the changes since; never below 0."""
    book = scenario.book
    fraction = known.get(level, book.value(level))
    for step in STEPS:
        if step <= year:
            fraction = max(0.0, fraction + known.get(f"{CHANGE}_{step}", book.value(CHANGE)))
    return fraction


class Monitored:
    """Networks of one scenario for values of all unknowns, those of `PLACES` included.

    Parameters
    ----------
    template : of the scenario; its arrays are copied, never changed.
    """

    def __init__(self, template: Template) -> None:
        self.template = template
        self.scenario = template.scenario

    def scaled(self, known: Mapping[str, float]) -> Scenario:
        """The scenario with the volumes that are delivered instead of those of the plan."""
        if self.scenario.settings["network"] != "functions":
            return self.scenario
        book = dict(self.scenario.book)
        for level, volumes in LEVELS.items():
            factor = {year: delivered(self.scenario, known, level, year) for year in VOLUME_YEARS}
            for volume in volumes:
                figure = book[f"functions.{volume}"]
                first = figure.years[0] if figure.dated else VOLUME_YEARS[0]
                by_year = tuple(
                    (dt.date(year, 1, 1), figure.at(year) * factor[year]) for year in VOLUME_YEARS if year >= first
                )
                book[figure.key] = replace(figure, values=by_year)
        return replace(self.scenario, book=FigureBook(self.scenario.book.region, book))

    def effects(self, known: Mapping[str, float]) -> dict[str, float]:
        """Figures that take the place of the plan's: the share not to ggz, or the diverted share."""
        book = self.scenario.book
        match self.scenario.settings["network"]:
            case "functions":
                key = "functions.conversations_not_to_ggz"
                most = 1.0 - book.value("functions.conversations_shortened")
                return {key: min(known.get(EFFECT, book.value(EFFECT)) * book.value(key), most)}
            case "diversion":
                key = "functions.diversion"
                return {key: known.get(DIVERSION, book.value(DIVERSION)) * book.value(key)}
            case _:
                return {}

    def network(self, known: Mapping[str, float], unknowns: Mapping[str, float], base: Baseline) -> Network:
        """The network of a future.

        Parameters
        ----------
        known : values of the unknowns of this module. unknowns : of `flowsim.scenario.unknowns`. base : their balance.
        """
        shadow = copy.copy(self.template)
        shadow.scenario = self.scaled(known)
        figures = {**unknowns, **self.effects(known)}
        network = shadow.network(figures, base)
        compiler = Compiler(shadow.scenario, figures, base)
        steps, ways = network.steps.copy(), network.ways.copy()
        if self.scenario.settings["network"] == "functions":
            for station in (*compiler.functions(), *compiler.support_points()):
                if "quota" in station:
                    self._quota(network.stations, steps, station)
            shadow.put_routes(compiler.function_routes(), ways)
        elif self.scenario.settings["network"] == "diversion":
            shadow.put_routes(compiler.gp_routes(), ways)
        return replace(network, steps=steps, ways=ways)

    def _quota(self, stations: np.ndarray, steps: np.ndarray, station: dict[str, Any]) -> None:
        row = stations[self.template.station[station["name"]]]
        first, count = int(row["quota_first"]), int(row["quota_count"])
        steps["value"][first : first + count] = [tokens for _, tokens in station["quota"]]
