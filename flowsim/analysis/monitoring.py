"""What a programme can count each quarter, and what a simulated future would have shown in its place."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from flowsim.analysis.clearing import VOLUMES, Future
from flowsim.plan.years import YEARS
from flowsim.scenario.region import Region

WEEK: Final = 7.0
QUARTERS: Final = 4 * len(YEARS)
LIST, FLOW, WAIT, SHARE = KINDS = ("list", "flow", "wait", "share")
"""Kinds of quantities: each has errors of its own (``monitoring.error_<kind>``)."""
OFFSET: Final = {LIST: 5.0, FLOW: 10.0, WAIT: 0.5, SHARE: 5.0}
"""Added before a logarithm is taken, so that a count of nothing has one; small beside what is usual."""


@dataclass(frozen=True)
class Quantity:
    """Something that is counted.

    Attributes
    ----------
    code : its name, also the heading of its column in English. dutch : the heading in Dutch.
    kind : see `KINDS`. whole : only whole numbers; a share is in per cent. most : more cannot be meant.
    of_functions : only a scenario with the network's functions has it.
    """

    code: str
    dutch: str
    kind: str
    whole: bool = True
    most: float = 1e6
    of_functions: bool = False


QUANTITIES: Final = {
    one.code: one
    for one in (
        Quantity("conversations", "verkennende_gesprekken", FLOW, of_functions=True),
        Quantity("not_to_ggz_percent", "niet_naar_ggz_procent", SHARE, whole=False, most=100.0, of_functions=True),
        Quantity("waiting", "wachtlijst", LIST),
        Quantity("overdue", "wacht_te_lang", LIST),
        Quantity("mean_wait_weeks", "wachttijd_weken", WAIT, whole=False, most=520.0),
        Quantity("referrals", "verwijzingen", FLOW),
        Quantity("starts", "gestart", FLOW),
        Quantity("support_point_users", "gebruikers_steunpunten", FLOW, of_functions=True),
    )
}
"""By code, in the order of the template's columns. Lists: people at the end of the quarter; flows: people (or
conversations) in it; mean wait: weeks, of those who start in it; share: of the conversations in it."""


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a year, ``number`` 1 to 4."""

    year: int
    number: int

    def __str__(self) -> str:
        return f"{self.year}-Q{self.number}"

    @classmethod
    def of(cls, label: str) -> Quarter:
        """The quarter of a table, where it stands as ``2026-Q1``."""
        year, _, number = label.partition("-Q")
        return cls(int(year), int(number))

    @property
    def index(self) -> int:
        """From 0, the first quarter of 2025, on; -1: the quarter that ends on the first day."""
        return 4 * (self.year - YEARS[0]) + self.number - 1

    @property
    def ends(self) -> dt.date:
        """The first day after it."""
        return dt.date(self.year + self.number // 4, 3 * self.number % 12 + 1, 1)


def quarters() -> tuple[Quarter, ...]:
    """Those of which something can be told: the last one before the first day (lists only), and all later ones."""
    return (Quarter(YEARS[0] - 1, 4), *(Quarter(year, n) for year in YEARS for n in (1, 2, 3, 4)))


def possible(quantity: Quantity, quarter: Quarter) -> bool:
    """Whether a future says something about it: before the first day there are lists only."""
    return -1 <= quarter.index < QUARTERS and (quarter.index >= 0 or quantity.kind == LIST)


class Series:
    """The simulated counterparts of a quantity: ``values`` (n, T) for T quarters, and what their error depends on.

    Attributes
    ----------
    size : (n, T) what relative errors are relative to: the value itself; for a flow the largest of the quarter and its
        neighbours, as part of it may be booked there.
    chance : (n, T) variance of a count beside these: rounding; for a share that of its binomial proportion.
    """

    def __init__(self, values: np.ndarray, size: np.ndarray, chance: np.ndarray) -> None:
        self.values, self.size, self.chance = values, size, chance


def simulated(
    quantity: Quantity, at: Sequence[Quarter], futures: Sequence[Future], effect: np.ndarray, region: Region
) -> Series:
    """What futures show of a quantity in these quarters.

    Parameters
    ----------
    effect : (n,) the share of conversations that does not lead to ggz, in each future (a fraction).
    """
    index = np.array([quarter.index for quarter in at], int)
    days = np.array([region.day(quarter.ends) for quarter in at])
    code = quantity.code
    if quantity.kind == LIST:
        weeks = np.round(days / WEEK).astype(int)
        values = np.array([getattr(future, code)[weeks] for future in futures], float)
        return Series(values, values, np.ones_like(values))
    if quantity.kind == WAIT:
        quarterly = np.array([by_quarter(future.months) for future in futures])[:, index]
        values = quarterly[:, :, 2] / np.maximum(quarterly[:, :, 1], 1.0) / WEEK
        return Series(values, values, np.full_like(values, 0.1**2))
    if quantity.kind == SHARE:
        held = _flow("conversations", futures)[:, index]
        values = np.broadcast_to(100.0 * effect[:, None], held.shape)
        chance = 1e4 * effect[:, None] * (1.0 - effect[:, None]) / np.maximum(held, 1.0)
        return Series(values, values, chance + 0.5**2)
    flows = _flow(code, futures)
    padded = np.pad(flows, ((0, 0), (1, 1)), mode="edge")
    largest = np.maximum(np.maximum(padded[:, :-2], padded[:, 2:]), flows)
    values = flows[:, index]
    scheduled = values if quantity.of_functions else 0.0  # the plan's volumes come by schedule, people do not
    return Series(values, largest[:, index], scheduled + np.ones_like(values))


def by_quarter(months: np.ndarray) -> np.ndarray:
    """(M, F) by month -> (Q, F) by quarter."""
    return np.asarray(months.reshape(-1, 3, months.shape[1]).sum(axis=1, dtype=float))


def _flow(code: str, futures: Sequence[Future]) -> np.ndarray:
    """A flow by quarter: (n, Q)."""
    months = {"referrals": 0, "starts": 1}
    if code in months:
        return np.array([by_quarter(future.months)[:, months[code]] for future in futures])
    place = VOLUMES.index(code)
    return np.array([by_quarter(future.volumes)[:, place] for future in futures])
