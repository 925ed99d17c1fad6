"""Does the simulation give the plan's own numbers, when it is run with the plan's own assumptions?

Volumes and people are counted in the simulated futures and held against what the plan prints (TP 5.2, 7.1, 7.2). Where
they differ, ``expected`` is what the plan's assumptions give once the named cause is taken into account, worked out
from its figures without the simulation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from flowsim.analysis.causes import mean_heads, not_entering
from flowsim.analysis.paths import SentAway
from flowsim.analysis.statistics import mean_interval
from flowsim.analysis.targets import Quantities
from flowsim.plan.tables.effects import FUNCTIONS
from flowsim.plan.years import YEARS

if TYPE_CHECKING:
    import pandas as pd

HEADCOUNT: Final = "headcount"
CAPACITY: Final = "capacity"
VERDICTS: Final = ("same", "explained", "differs")
CAUSES: Final = ("whole_cases", "lighter_stay", "")
LEVEL: Final = 0.95
"""Of all intervals together (Bonferroni's rule)."""


@dataclass(frozen=True)
class _Row:
    quantity: str
    year: int
    case: str
    plan: float
    step: float
    simulated: np.ndarray
    expected: float
    cause: str = ""
    at_least: bool = False


def reproduction(judged: Mapping[str, Quantities], counted: Mapping[str, list[SentAway]]) -> pd.DataFrame:
    """A row per number of the plan: plan, simulated mean with interval, expected, cause, verdict.

    The intervals hold together with 95% probability. ``same``: the plan's number, to the digit that it prints, lies in
    the interval; ``explained``: ``expected`` does; ``differs``: neither.

    Parameters
    ----------
    judged : `flowsim.analysis.targets.judged_cases`.
    counted : per reading, whom the functions sent away in the logged futures; only readings that are there are counted.
    """
    import pandas as pd

    rows = [row for name in (HEADCOUNT, CAPACITY) if name in judged for row in _rows(name, judged[name], counted[name])]
    made = []
    for row in rows:
        estimate = mean_interval(row.simulated, 1.0 - (1.0 - LEVEL) / len(rows))
        half = row.step / 2
        same = estimate.low - half <= row.plan <= estimate.high + half or (row.at_least and estimate.low >= row.plan)
        explained = estimate.low - half <= row.expected <= estimate.high + half
        made.append(
            {
                "quantity": row.quantity,
                "year": row.year,
                "case": row.case,
                "plan": row.plan,
                "at_least": row.at_least,
                "mean": estimate.value,
                "mean_low": estimate.low,
                "mean_high": estimate.high,
                "futures": estimate.n,
                "expected": row.expected,
                "cause": "" if same else row.cause,
                "verdict": "same" if same else "explained" if explained and row.cause else "differs",
            }
        )
    return pd.DataFrame(made)


def _rows(name: str, q: Quantities, counted: list[SentAway]) -> Iterator[_Row]:
    book = q.book
    pilot, full = int(book.value("functions.pilot_year")), int(book.value("functions.full_operation_year"))
    years = [year for year in range(pilot, full + 1) if year in YEARS]
    away = np.array([one.away.sum(axis=0) for one in counted], float)
    if name == CAPACITY:  # who does not enter ggz, of the new trajectories without a network
        starts = np.array([one.months[:, 1] for one in q.without.futures[: len(away)]])
        starts = starts.reshape(len(away), len(YEARS), 12).sum(axis=2)
        for year in years[1:]:
            y, share = YEARS.index(year), _share(q, year)
            simulated = away[:, y] / starts[:, y]
            expected = not_entering(q, y) / book.value("demand.inflow")
            yield _Row("share_of_inflow", year, name, share, 0.001, simulated, expected)
        return
    lighter = q.volumes["transfers"][: len(away)] * book.value("functions.transfers_lighter")
    freed = away + lighter
    for year in years:
        planned = book.value("functions.conversations", year)
        simulated = q.volumes["conversations"][:, YEARS.index(year)]
        yield _Row("conversations", year, name, planned, 1.0, simulated, planned)
    for year in years:
        y = YEARS.index(year)
        printed = book.value("business_case.printed_freed_clients", year)
        yield _Row("freed_clients", year, name, printed, 1.0, freed[:, y], mean_heads(q, y), "whole_cases")
    for year in years[1:]:
        y, clients = YEARS.index(year), book.value("demand.clients")
        expected = mean_heads(q, y) / clients
        yield _Row("share_of_clients", year, name, _share(q, year), 0.001, freed[:, y] / clients, expected)
    if full in YEARS:  # else the network is not as large as the plan says within the years that are simulated
        y, hours = YEARS.index(full), book.value("impact.hours_per_client")
        heads, promised = mean_heads(q, y) * hours, book.value("impact.freed_hours")
        yield _Row("freed_hours", full, name, promised, hours, freed[:, y] * hours, heads, "whole_cases")
        sent, people = book.value("business_case.share_to_social_domain") * not_entering(q, y), q.extra_social_domain(y)
        promised = book.value("impact.extra_social_domain")
        yield _Row("social_domain", full, name, promised, 1.0, people, sent, "lighter_stay")
    saved = q.saved_by_users(len(YEARS) - 1)
    promised = book.value("gp.fewer_promised")
    yield _Row("consults_of_users", YEARS[-1], name, promised, 1.0, saved, _consults(q, YEARS[-1]), at_least=True)


def _share(q: Quantities, year: int) -> float:
    """The plan's 3.3, 6.7 and 10%."""
    return float(round(q.book.value("functions.diversion") * q.book.value("functions.ramp", year), 6))


def _consults(q: Quantities, year: int) -> float:
    """Fewer consults of users, by the plan's own volumes and effects, in the year of use."""
    book = q.book
    cases = sum(book.value(f"functions.{name}", year) for name in FUNCTIONS) * book.value("gp.reduction_functions")
    users = book.value("functions.support_point_users", year) * book.value("gp.reduction_support_points")
    return float((cases + users) * book.value("gp.consults_mental"))
