"""The long computations behind the site: made once by ``make docs-results``, kept in ``docs/results``.

Outcomes are kept future by future, so that a test can repeat a few of them and demand the same numbers
(tests/docs/test_docs_results.py), and futures can be added without running the first ones again. Future ``i`` has the
same unknowns and the same residents in every run (common random numbers): differences are taken future by future.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from flowsim.errors import InputError
from flowsim.model import events
from flowsim.model.network import COMPANION_SHIFT, Network
from flowsim.plan.figures import Figure, FigureBook
from flowsim.scenario.load import Scenario, default
from flowsim.scenario.schema import Override
from flowsim.study.calibrate import balanced, calibration
from flowsim.study.futures import Balances, Case
from flowsim.study.replicate import run_logged
from flowsim.study.store import provenance

RESULTS: Final = Path(__file__).resolve().parent.parent / "results"
SEED: Final = 1
COMMAND: Final = "python docs/generate.py"
LAST: Final = 2029
WEEK: Final = 7.0
ENDS: Final = ("low", "high")
MEASURES: Final = ("overdue", "waiting", "wait", "cleared")
"""Of each run and future: residents overdue and waiting at the end of 2029; mean wait of those who start in 2029
(weeks); whether the lists are cleared in time (0 or 1)."""
PLAN: Final = "plan"
Tell = Callable[[str], None]


# ---------------------------------------------------------------- what is assumed


def from_ranges() -> Scenario:
    """The plan as it stands, every unknown drawn from its range: what a range does is asked here, so that nothing that
    was learnt about the unknowns (a posterior) comes between."""
    scenario = default()
    return scenario.with_settings(scenario.name, unknowns="prior") if "unknowns" in scenario.settings else scenario


class _Listening(FigureBook):
    """A book that remembers what was read from it."""

    def __init__(self, book: FigureBook) -> None:
        super().__init__(book.region, dict(book))
        self.read: set[str] = set()

    def figure(self, key: str) -> Figure:
        self.read.add(key)
        return super().figure(key)


def read_by_model(scenario: Scenario) -> frozenset[str]:
    """Keys of the figures that building a scenario's network, and judging its futures, reads."""
    book = _Listening(scenario.book)
    case = Case(scenario.name, replace(scenario, book=book))
    case.template.network({})
    return frozenset(book.read)


def assumptions(scenario: Scenario) -> list[Figure]:
    """Figures that the model reads and that have a range, in the order of the region's files."""
    read = read_by_model(scenario)
    return [figure for key, figure in scenario.book.items() if key in read and figure.low is not None]


def at_end(scenario: Scenario, figure: Figure, end: str) -> Scenario:
    """The scenario with a figure fixed at one end of its range; dated figures: at every date."""
    value = figure.low if end == "low" else figure.high
    assert value is not None
    given: Any = {str(day.year): value for day, _ in figure.values} if figure.dated else value
    override = Override(value=given, because=f"the {end} end of its range")
    return scenario.with_overrides({figure.key: override}, "docs")


# ---------------------------------------------------------------- runs


def outcomes(case: Case) -> dict[str, list[float]]:
    """`MEASURES` of every future of a case."""
    futures = case.futures
    starts = np.array([future.months[-12:, 1].sum() for future in futures])
    waits = np.array([future.months[-12:, 2].sum() for future in futures], float) / np.maximum(starts, 1.0) / WEEK
    return {
        "overdue": [int(future.by_programme[-1, :, 1].sum()) for future in futures],
        "waiting": [int(future.by_programme[-1, :, 0].sum()) for future in futures],
        "wait": [round(float(wait), 3) for wait in waits],
        "cleared": [int(one) for one in case.cleared],
    }


def simulated(scenario: Scenario, futures: int, balances: Balances | None = None, first: int = 0) -> Case:
    """A case with these futures, from number ``first`` on."""
    case = Case(scenario.name, scenario)
    if first:  # the futures before it are known: they only hold the numbering
        case.futures = [None] * first  # type: ignore[list-item]
        case.drawn = [{}] * first
    case.extend(futures - first, SEED, balances or Balances(SEED), None)
    del case.futures[:first], case.drawn[:first]
    return case


def effects(futures: int, tell: Tell, save: Callable[[Mapping[str, Any]], None], known: Mapping[str, Any]) -> None:
    """Every assumption at both ends of its range, one at a time, the others as futures draw them."""
    scenario = from_ranges()
    balances = Balances(SEED)
    runs: dict[str, dict[str, list[float]]] = dict(known.get("runs", {}))
    if not same_first(outcomes(simulated(scenario, 2, balances)), runs.get(PLAN)):
        runs = {}  # made by other code, or with other figures
    refused: dict[str, str] = {}
    jobs = {PLAN: scenario}
    for figure in assumptions(scenario):
        jobs |= {f"{figure.key} {end}": at_end(scenario, figure, end) for end in ENDS}
    runs = {name: runs[name] for name in jobs if name in runs}
    for number, (name, one) in enumerate(jobs.items(), 1):
        have = len(runs[name]["overdue"]) if name in runs else 0
        if have >= futures:
            continue
        tell(f"{number} of {len(jobs)}: {name}")
        try:
            more = outcomes(simulated(one, futures, balances, have))
        except InputError as error:  # no region can be in balance there: told in the table
            refused[name] = f"found {error.found}; expected {error.expected}"
        else:
            runs[name] = {measure: [*runs.get(name, {}).get(measure, []), *more[measure]] for measure in MEASURES}
        save({"futures": futures, "scenario": scenario.hash, "refused": refused, "runs": runs})


def same_first(few: Mapping[str, list[float]], many: Mapping[str, list[float]] | None) -> bool:
    """Whether these outcomes are those of the first futures of a kept run."""
    return many is not None and all(few[name] == many[name][: len(few[name])] for name in MEASURES)


# ---------------------------------------------------------------- extreme conditions


def extremes(scenario: Scenario) -> dict[str, Scenario]:
    """Cases of which anybody can say beforehand how they must end (`making.tables.EXTREMES` says what is expected)."""

    def changed(name: str, network: str = "functions", **figures: float) -> Scenario:
        one = scenario.with_settings(name, network=network)
        for key, value in figures.items():
            full = next(k for k in (f"assumptions.{key}", f"functions.{key}") if k in scenario.book)
            given: Any = {"2025": value} if scenario.book[full].dated else value
            one = one.with_overrides({full: Override(value=given, because="an extreme")}, "docs")
        return one

    return {
        "none": changed("none", "none"),
        "diversion_0": changed("diversion_0", "diversion", diversion=0.0),
        "diversion_60": changed("diversion_60", "diversion", diversion=0.6),
        "demand_shrinks": changed("demand_shrinks", demand_growth=-0.1),
        "demand_soars": changed("demand_soars", demand_growth=0.1),
        "staff_grows": changed("staff_grows", staff_growth=0.1),
        "staff_leaves": changed("staff_leaves", staff_growth=-0.1),
        "more_places": changed("more_places", extra_places_basic=0.2, extra_places_specialist=0.2),
        "nobody_helped": changed("nobody_helped", would_have_entered=0.0),
    }


def run_extremes(futures: int, tell: Tell) -> dict[str, Any]:
    """`MEASURES` in every extreme, future by future."""
    scenario = from_ranges()
    balances = Balances(SEED)
    runs = {}
    for name, one in {PLAN: scenario, **extremes(scenario)}.items():
        tell(name)
        case = simulated(one, futures, balances)
        smi = [place for place, programme in enumerate(case.region.programmes) if programme.group == "smi"]
        of_smi = [int(future.by_programme[-1, smi, 1].sum()) for future in case.futures]
        runs[name] = {**outcomes(case), "overdue_smi": of_smi}
    return {"futures": futures, "runs": runs}


# ---------------------------------------------------------------- the first day


def first_day(futures: int, tell: Tell) -> dict[str, Any]:
    """Targets of calibration in futures without network, growth or imbalance (`flowsim.study.calibrate`)."""
    tell("a region in balance")
    table = calibration(default(), SEED, futures)
    return {"futures": futures, "rows": json.loads(table.to_json(orient="records", double_precision=6))}


# ---------------------------------------------------------------- face validity

QUANTILES: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
SHOWN: Final = 12
"""Single futures that are drawn beside the bands."""
EVERY: Final = 4
"""Weeks between the points of the plots."""


def face_cases(scenario: Scenario) -> dict[str, Scenario]:
    """The cases of the plots: a region in balance, without network, and the plan."""
    return {
        "balance": balanced(scenario),
        "none": scenario.with_settings("none", network="none"),
        PLAN: scenario,
    }


def curves(case: Case) -> dict[str, list[list[int]]]:
    """Residents waiting and overdue, a row per future, a column every `EVERY` weeks."""
    return {
        "waiting": [future.waiting[::EVERY].astype(int).tolist() for future in case.futures],
        "overdue": [future.overdue[::EVERY].astype(int).tolist() for future in case.futures],
    }


def face(futures: int, tell: Tell) -> dict[str, Any]:
    """What somebody who knows the field should recognise: lists over time, flows by month, waits by programme."""
    scenario = default()
    balances = Balances(SEED)
    made: dict[str, Any] = {}
    for name, one in face_cases(scenario).items():
        tell(name)
        case = simulated(one, futures, balances)
        lines = curves(case)
        months = np.stack([future.months for future in case.futures]).astype(float)
        volumes = np.stack([future.volumes for future in case.futures]).astype(float)
        years = np.stack([future.programme_years for future in case.futures]).astype(float)
        starts = np.maximum(years[..., 1], 1.0)
        made[name] = {
            "days": (np.arange(len(lines["waiting"][0])) * EVERY * WEEK).tolist(),
            **{
                measure: {
                    "bands": np.quantile(np.array(rows), QUANTILES, axis=0).round(1).tolist(),
                    "shown": rows[:SHOWN],
                }
                for measure, rows in lines.items()
            },
            "months": months.mean(axis=0)[:, :4].round(2).tolist(),
            "volumes": volumes.reshape(futures, 5, 12, -1).sum(axis=2).mean(axis=0).round(1).tolist(),
            "programme_waits": np.quantile(years[..., 2] / starts / WEEK, (0.05, 0.5, 0.95), axis=0).round(2).tolist(),
            "programmes": [programme.name for programme in case.region.programmes],
            "groups": [programme.group for programme in case.region.programmes],
        }
    tell("residents one by one")
    case = Case(PLAN, scenario)
    jobs = [lambda: case.job(0, SEED, balances)]
    (stories,) = run_logged(jobs, traces)
    return {"futures": futures, "cases": made, "traces": stories}


def traces(log: np.ndarray, network: Network) -> dict[str, list[dict[str, Any]]]:
    """The whole course of three residents: the first of each kind by number, to be read line by line."""
    people = log[(log["resident"] >= 0) & (log["resident"] < 1 << COMPANION_SHIFT)]
    people = people[np.argsort(people["resident"], kind="stable")]
    names = np.array(network.station_names)
    lists = np.asarray(network.stations["list"]) >= 0
    _, first, count = np.unique(people["resident"], return_index=True, return_counts=True)
    found: dict[str, list[dict[str, Any]]] = {}
    for begin, length in zip(first, count, strict=True):
        course = people[begin : begin + length]
        if course["kind"][0] != events.ARRIVE or course["kind"][-1] != events.EXIT:
            continue
        stations = names[course["station"]]
        talked = "exploratory_conversation" in stations
        treated = bool(((course["kind"] == events.START) & lists[course["station"]]).any())
        gave_up = bool(((course["kind"] == events.RENEGE) & lists[course["station"]]).any())
        waited = course["time"][-1] - course["time"][0] > 10 * WEEK
        for kind, fits in (
            ("diverted", talked and not lists[course["station"]].any()),
            ("treated", talked and treated and not gave_up and waited),
            ("gave_up", gave_up and not treated),
        ):
            if fits and kind not in found:
                found[kind] = [
                    {
                        "day": round(float(one["time"]), 2),
                        "kind": events.KIND_NAMES[int(one["kind"])],
                        "station": network.station_names[int(one["station"])],
                        "class": network.class_names[int(one["patient_class"])],
                    }
                    for one in course
                ]
        if len(found) == 3:
            break
    return found


# ---------------------------------------------------------------- on disk


def path(part: str) -> Path:
    """The file of a part."""
    return RESULTS / f"{part}.json"


def read(part: str) -> dict[str, Any]:
    """The results of a part, as kept."""
    content: dict[str, Any] = json.loads(path(part).read_text(encoding="utf-8"))
    return content


def write(part: str, content: Mapping[str, Any]) -> None:
    """Keep the results of a part, with what made them."""
    made = provenance()
    about = {name: made[name] for name in ("flowsim", "sources", "python")}
    about |= {"machine": f"{made['machine']['cores']} cores", "command": f"{COMMAND} {part}", "seed": SEED}
    lines = json.dumps({"made": about, **content}, indent=1, ensure_ascii=False)
    RESULTS.mkdir(exist_ok=True)
    path(part).write_text(_short(lines) + "\n", encoding="utf-8")


def _short(text: str) -> str:
    """Lists of numbers on one line."""
    import re

    return re.sub(r"\[[^\[\]{}\"]*\]", lambda match: " ".join(match[0].split()).replace(" ", ""), text)
