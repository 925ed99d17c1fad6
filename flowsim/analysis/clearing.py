"""When are the waiting lists cleared? The definition, applied to simulated futures; and what one future leaves behind.

Cleared: from some day on the number overdue stays at or below a share of its first value for a number of weeks on end.
Days are read off weekly snapshots.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

LOOKS = 6
"""Snapshots at which `Definition.looks` has a future looked at, at most."""


@dataclass(frozen=True)
class Definition:
    """``share`` of the overdue on the first day; ``weeks`` on end; ``deadline`` in days: cleared in time by then."""

    share: float
    weeks: int
    deadline: float

    def looks(self, every: float) -> list[int]:
        """Snapshots at which it is worth looking whether it is settled: the last from which a stretch may begin, and
        some before, half a stretch apart."""
        last, apart = int(self.deadline // every), max(1, round(self.weeks * 7.0 / every / 2.0))
        return [last - apart * k for k in range(LOOKS) if last - apart * k > 2 * apart][::-1]


def expected_overdue(
    waiting: np.ndarray, starts: np.ndarray, edges: np.ndarray, every: float, norm: float
) -> np.ndarray:
    """Those on a list where the wait to be expected is longer than the norm, in place of those overdue already.

    Who is last on a list of n may expect to wait n over the number of starts a day (Little's law), here of the last
    three whole months; in the first three months of those.

    Parameters
    ----------
    waiting : (J, K) people on K lists at times 0, every, 2 every... starts : (M, K) starts in the months between
        ``edges`` (M + 1,). norm : in the unit of time.

    Returns
    -------
    (J, K) int64: all who wait on a list, where that wait is longer than the norm or nobody starts; else 0.
    """
    last = np.searchsorted(edges, np.arange(len(waiting)) * every, side="right") - 1
    last = np.clip(last, 3, len(starts))
    done = np.concatenate([np.zeros((1, starts.shape[1])), np.cumsum(starts, axis=0)])
    a_day = (done[last] - done[last - 3]) / (edges[last] - edges[last - 3])[:, None]
    return np.where(waiting > norm * a_day, waiting, 0).astype(np.int64)


def clearing_day(overdue: np.ndarray, every: float, definition: Definition) -> float:
    """First day of the first stretch that is long enough; inf when there is none.

    ``overdue`` : (J + 1,) numbers at 0, every, 2 every, ...; the stretch must lie within the snapshots.
    """
    low = overdue <= definition.share * overdue[0]
    needed = round(definition.weeks * 7.0 / every) + 1
    days = np.concatenate([[0], np.cumsum(low)])
    whole = np.flatnonzero(days[needed:] - days[:-needed] == needed)
    return float(whole[0] * every) if len(whole) else float("inf")


def settled(overdue: np.ndarray, every: float, definition: Definition) -> bool | None:
    """Whether the lists are cleared in time, from the first snapshots; None while it may still go either way.

    ``overdue`` : (j + 1,) numbers at 0, every, 2 every, ...
    """
    low = overdue <= definition.share * overdue[0]
    if clearing_day(overdue, every, definition) <= definition.deadline:
        return True
    high = np.flatnonzero(~low)
    stretch = int(high[-1]) + 1 if len(high) else 0  # first snapshot of the one that lasts until now, if there is one
    return None if stretch * every <= definition.deadline else False


def fluid_scores(times: np.ndarray, waiting: np.ndarray, overdue: np.ndarray, definition: Definition) -> np.ndarray:
    """How near the lists come to being cleared in a fluid (`flowsim.engines.fluid`): (n, 3), small is near.

    First the definition itself, as a distance: the root of the number overdue less that of the number that is allowed,
    at its highest in the best stretch that begins in time (roots, because the chance in a number of people goes with
    its root). Then the roots of the numbers overdue and waiting on the last day on which it may begin: they go on to
    tell futures apart where the first is the same.

    Parameters
    ----------
    times : (J,) evenly spaced, from 0. waiting, overdue : (n, J), all lists together.
    """
    step = times[1] - times[0]
    last = int(np.searchsorted(times, definition.deadline, side="right")) - 1
    length = min(round(definition.weeks * 7.0 / step) + 1, len(times) - last)
    distance = np.sqrt(overdue + 0.5) - np.sqrt(definition.share * overdue[:, :1] + 0.5)
    stretches = np.lib.stride_tricks.sliding_window_view(distance, length, axis=1)[:, : last + 1]
    best = stretches.max(axis=2).min(axis=1)
    return np.stack([best, np.sqrt(overdue[:, last]), np.sqrt(waiting[:, last])], axis=1)


@dataclass(frozen=True)
class Future:
    """What is kept of one simulated future.

    waiting, overdue : (J + 1,) uint32, in all queues for ggz together, by week, up to that in which the fifth year
    ends. cleared : day of clearing, or inf. by_programme : (Y + 1, P, 2) waiting and overdue at the ends of years.
    programme_years : (Y, P, 3) referred (transfers included), starts and sum of waits (days). by_municipality : clients
    a year, mean until then. in_treatment : (P,) mean number in treatment until then. months : (M, 5) arrivals, starts,
    sum of waits (days), reneged, completions of ggz. wait_90, wait_90_months : (Y,) and (M,) 90th percentile of the
    wait of those who start in a year or a month, days. volumes : (M, V) residents reached per month by `VOLUMES`.
    treated : (Y,) clients in the year. queues : (M, P, Q) per month and programme, `QUEUE_MONTH`.
    """

    waiting: np.ndarray
    overdue: np.ndarray
    cleared: float
    by_programme: np.ndarray
    programme_years: np.ndarray
    by_municipality: np.ndarray
    in_treatment: np.ndarray
    months: np.ndarray
    wait_90: np.ndarray
    wait_90_months: np.ndarray
    volumes: np.ndarray
    treated: np.ndarray
    queues: np.ndarray


QUEUE_MONTH = (
    "waiting",
    "overdue",
    "referred",
    "starts",
    "wait",
    "reneged",
    "completions",
    "in_service",
    "servers",
    "treatment_hours",
)
"""What is kept per month and queue: waiting and overdue at the week in which it ends; referred (transfers included),
starts, the sum of their waits in days, reneged and completions in it; residents in service and servers, each added up
over the weekly snapshots in it; and the hours of treatment given in it."""
SCORES = 3
"""Columns of `fluid_scores`."""
VOLUMES = (
    "consultations",
    "conversations",
    "case_conferences",
    "transfers",
    "social_domain",
    "support_point_users",
    "self_help",
    "gp_consults",
    "crisis",
    "returns",
    "bridging_consults",
)
"""Residents reached, or contacts, that are counted by month. ``bridging_consults`` : those of `gp_consults` by people
who wait for ggz."""
