"""Does the first day stand? The calibration, target by target, on simulated futures without network, growth or
imbalance.

The places and lists of the first day follow in closed form (`flowsim.scenario.baseline`); here the engine says
whether the region stays there. Every future draws its own list size, patience, share held by reneging, durations and
so on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.statistics import mean_interval
from flowsim.plan.years import YEARS
from flowsim.scenario.load import Scenario
from flowsim.study.futures import Balances, Case

if TYPE_CHECKING:
    import pandas as pd

FUTURES: Final = 96
WEEK: Final = 7.0


def balanced(scenario: Scenario) -> Scenario:
    """The scenario without network, growth or imbalance."""
    still = scenario.with_settings("balance", network="none")
    for key in ("assumptions.demand_growth", "assumptions.staff_growth"):
        still = still.with_figure(key, 0.0, "a region in balance")
    return still


def calibration(
    scenario: Scenario, seed: int = 1, futures: int = FUTURES, threads: int | None = None, case: Case | None = None
) -> pd.DataFrame:
    """Calibration target by target: what it should be, what the futures show, and whether it stands.

    ``kind``: ``published`` targets have one value; ``range`` targets are drawn per future and compared with what was
    drawn (then ``target`` is the mean drawn). ``simulated`` with the 95% interval of the mean and the 90% range of
    futures; ``stands``: the target lies within the range. ``start``, ``end``: first day against the end of the fifth
    year.
    """
    import pandas as pd

    if case is None:
        case = Case("balance", balanced(scenario))
    if len(case.futures) < futures:
        case.extend(futures - len(case.futures), seed, Balances(seed), threads)
    book = case.scenario.book
    rows: list[dict[str, Any]] = []

    def add(target: str, kind: str, value: float, simulated: np.ndarray, unit: str, source: str) -> None:
        estimate = mean_interval(simulated)
        low, high = np.quantile(simulated, (0.05, 0.95))
        rows.append(
            {
                "target": target,
                "kind": kind,
                "value": value,
                "simulated": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "q05": low,
                "q95": high,
                "stands": bool(low <= value <= high),
                "unit": unit,
                "source": source,
            }
        )

    def published(target: str, key: str, simulated: np.ndarray, unit: str) -> None:
        figure = book.figure(key)
        add(target, "published", figure.at(), simulated, unit, f"{figure.source.document}, {figure.source.section}")

    treated = np.array([future.treated for future in case.futures])
    for y, year in enumerate(YEARS):
        published(f"clients_{year}", "demand.clients", treated[:, y], "adults in ggz in the year")
    programmes = case.region.programmes
    years = np.array([future.programme_years for future in case.futures])
    lists = np.array([future.by_programme for future in case.futures]).astype(float)
    for group in ("personality", "trauma", "somatic_symptom"):
        which = [p for p, programme in enumerate(programmes) if programme.group == group]
        part = years[:, :, which].sum(axis=2)
        for y in (0, len(YEARS) - 1):
            wait = part[:, y, 2] / np.maximum(part[:, y, 1], 1.0) / WEEK
            published(f"wait_{group}_{YEARS[y]}", f"waiting.{group}", wait, "weeks, mean of those who start")
    smi = [p for p, programme in enumerate(programmes) if programme.group == "smi"]
    stock = np.array([_in_treatment(future, smi) for future in case.futures])
    published("smi", "demand.smi", stock, "persons in the year")
    inflow = years[:, :, :, 1].sum(axis=2).mean(axis=1)
    published("inflow", "demand.inflow", inflow, "starts a year")
    for m, one in enumerate(case.region.municipalities):
        key = f"demand.clients_per_10000_{one.code}"
        if key in book:
            people = book.value(f"population.{one.code}")
            rate = np.array([future.by_municipality[m] for future in case.futures]) / people * 10_000
            published(f"clients_per_10000_{one.code}", key, rate, "clients per 10,000 inhabitants")
    drawn = np.array(
        [values.get("assumptions.list_size", book.value("assumptions.list_size")) for values in case.drawn]
    )
    for y, label in ((0, "start"), (len(YEARS), "end")):
        total = lists[:, y, :, 0].sum(axis=1)
        add(f"waiting_{label}", "range", float(drawn.mean()), total, "residents waiting", "assumptions.list_size")
    overdue = lists[:, 0, :, 1].sum(axis=1)
    end = lists[:, -1, :, 1].sum(axis=1)
    add("overdue_end", "range", float(overdue.mean()), end, "residents overdue", "the first day's own number")
    national = book.figure("public.waiting_share_overdue")
    ratio = overdue / np.maximum(lists[:, 0, :, 0].sum(axis=1), 1.0)
    add("overdue_share", "published", national.at(), ratio, "fraction of those waiting", national.source.document)
    return pd.DataFrame(rows)


def _in_treatment(future: Any, programmes: list[int]) -> float:
    """Persons with severe mental illness in a year: those in treatment and those who start, from the run's means."""
    return float(future.in_treatment[programmes].sum() + future.programme_years[:, programmes, 1].sum() / len(YEARS))
