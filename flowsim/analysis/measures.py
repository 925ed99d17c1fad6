"""What one simulated future comes to, in single numbers: waits, lists and volumes by year, and whether it cleared.

Every table of futures takes its numbers from here, so that a word means the same in an answer and in a sweep.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from flowsim.analysis.clearing import QUEUE_MONTH, VOLUMES, Definition, Future
from flowsim.errors import InputError
from flowsim.plan.years import YEARS

ROUNDING: Final = 1e-3
"""Relative slack when a promise is judged: the plan's own volumes give 649.85 clients where it promises 650."""
HALVED: Final = 0.5
"""Part of the wait that is gone when it is halved."""
LOOK_BACK: Final = 6
"""Months whose starts say what wait to expect."""
MONTHS: Final = np.arange(f"{YEARS[0]}-01", f"{YEARS[-1] + 1}-02", dtype="datetime64[M]").astype("datetime64[D]")
"""First days of the months, and of the one after."""

BY_YEAR: Final = {
    "waiting": ("residents", "waiting in all queues for ggz at the end of the year"),
    "overdue": ("residents", "of those waiting, who have waited longer than the norm at the end of the year"),
    "mean_wait": ("days", "mean wait of those who start in the year"),
    "wait_90": ("days", "90th percentile of the wait of those who start in the year"),
    "expected_wait": ("days", "wait that somebody who joins at the end of the year can expect (Little's law)"),
    "clients": ("residents", "in treatment on a day of the year or more"),
    "referred": ("residents", "referred to ggz in the year"),
    "starts": ("residents", "who start treatment in the year"),
    "reneged": ("residents", "who give up waiting in the year"),
    "completions": ("residents", "who complete treatment in the year"),
    "utilisation": ("fraction", "of the treatment places that is in use, week by week over the year"),
    "treatment_hours": (
        "hours",
        "of treatment given in ggz in the year, as many a day to who is treated as on the first day",
    ),
    **{name: ("residents", f"reached in the year: {name.replace('_', ' ')}") for name in VOLUMES},
    "gp_consults": ("consults", "at the GP in the year, of whoever has a mental-health question"),
    "bridging_consults": ("consults", "at the GP in the year, of people who wait for ggz"),
}
"""Measures that exist for each of `YEARS`, as ``<name>_<year>``: unit and meaning."""

LISTS: Final = ("waiting", "overdue")
"""Measures of a moment: numbers of people at the end of a year or month; the first that `by_queue` gives."""

SINGLE: Final = {
    "cleared": ("0 or 1", "the waiting lists are cleared in time; its mean is a probability"),
    "cleared_day": ("days", "from the first day to the day of clearing; missing when that does not come"),
    "wait_ratio": ("fraction", "mean wait of starts in the second quarter of 2027 over the first quarter of 2025"),
    "waiting_start": ("residents", "waiting in all queues for ggz on the first day"),
    "overdue_start": ("residents", "of those waiting, who have waited longer than the norm on the first day"),
}
"""Measures of a future as a whole: unit and meaning."""

PROBABILITY: Final = "cleared"
"""The measure whose mean is a probability."""
NET_EFFECT: Final = "net_effect"
"""Euros that come in less those that go out: of all that is told by year, what may be below 0."""


def least(measure: str) -> float:
    """What no future can be below in a measure: 0 for counts, times and shares."""
    return -np.inf if measure == NET_EFFECT else 0.0


def mean_wait(future: Future, first: int, last: int) -> np.floating:
    """Mean wait, days, of those who start in months ``first`` to ``last`` (from 0, exclusive); NaN: nobody does."""
    _, starts, wait, *_ = future.months[first:last].sum(axis=0)
    return np.float32(wait / starts) if starts > 0.0 else np.float32(np.nan)


def wait_ratio(future: Future) -> np.floating:
    """KPI 24: mean wait in the quarter up to 30 June 2027 over that of the first quarter of 2025."""
    with np.errstate(divide="ignore"):  # nobody waited in the first quarter
        return np.float32(mean_wait(future, 27, 30) / mean_wait(future, 0, 3))


def halved(ratio: np.ndarray) -> np.ndarray:
    """Whether a `wait_ratio` is that of a halved wait, with the slack that every promise has; NaN is not."""
    return np.asarray((1.0 - np.asarray(ratio, float)) * (1.0 + ROUNDING) >= HALVED)


def expected_wait(waiting: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Wait, days, that somebody who joins at the end of a month can expect: people waiting over starts a day (Little's
    law) in the last six months, or as many as there have been; missing where people wait and
    nobody starts.

    ``waiting`` : (M, ...) at the ends of months. ``starts`` : (M, ...) in them. Returns (M, ...).
    """
    last = np.arange(1, len(starts) + 1)
    first = np.maximum(last - LOOK_BACK, 0)
    done = np.concatenate([np.zeros_like(starts[:1], dtype=float), np.cumsum(starts, axis=0, dtype=float)])
    days = (MONTHS[last] - MONTHS[first]).astype(float).reshape(-1, *[1] * (starts.ndim - 1))
    recent = done[last] - done[first]
    return np.where(recent > 0.0, waiting * days / np.maximum(recent, 1.0), np.where(waiting > 0.0, np.nan, 0.0))


def utilisation(queues: np.ndarray) -> np.ndarray:
    """Fraction of the servers that is in use: (...,), from `QUEUE_MONTH` (..., Q); NaN without servers."""
    in_service, servers = (queues[..., QUEUE_MONTH.index(name)] for name in ("in_service", "servers"))
    limited = np.isfinite(servers) & (servers > 0.0)
    return np.where(limited, in_service / np.where(limited, servers, 1.0), np.nan)


def _together(queues: np.ndarray, months: int) -> np.ndarray:
    """`QUEUE_MONTH` (M, ..., Q) over so many months at a time: sums, but who waits at the end of the last."""
    parts = queues.reshape(-1, months, *queues.shape[1:])
    made: np.ndarray = parts.sum(axis=1, dtype=float)
    made[..., :2] = parts[:, -1, ..., :2]
    return made


def _hours(future: Future) -> np.ndarray:
    """Hours of treatment in all queues, by month: (M,)."""
    return np.asarray(future.queues[..., QUEUE_MONTH.index("treatment_hours")].sum(axis=1, dtype=float))


def by_queue(future: Future, months: int = 1) -> dict[str, np.ndarray]:
    """Measures of each queue over so many months at a time, a divisor of 12: name -> (T, P).

    Those of `BY_YEAR` but for wait_90, clients and volumes. ``referred`` counts who comes from another queue too.
    """
    together = _together(future.queues, months)
    monthly, of = (dict(zip(QUEUE_MONTH, np.moveaxis(one, -1, 0), strict=True)) for one in (future.queues, together))
    starts, wait = of["starts"], of["wait"]
    return {
        **{name: of[name] for name in LISTS},
        "mean_wait": np.where(starts > 0.0, wait / np.maximum(starts, 1.0), np.nan),
        "expected_wait": expected_wait(monthly["waiting"], monthly["starts"])[months - 1 :: months],
        **{name: of[name] for name in ("referred", "starts", "reneged", "completions")},
        "utilisation": utilisation(together),
        "treatment_hours": of["treatment_hours"],
    }


def by_year(future: Future) -> dict[str, np.ndarray]:
    """The measures of `BY_YEAR` but for the volumes: name -> (5,)."""
    months = future.months.reshape(len(YEARS), 12, -1).sum(axis=1)
    return {
        "waiting": future.by_programme[1:, :, 0].sum(axis=1),
        "overdue": future.by_programme[1:, :, 1].sum(axis=1),
        "mean_wait": np.array([mean_wait(future, 12 * y, 12 * y + 12) for y in range(len(YEARS))]),
        "wait_90": future.wait_90,
        "expected_wait": expected_wait(future.queues[..., 0].sum(axis=1), future.months[:, 1])[11::12],
        "clients": future.treated,
        "referred": months[:, 0],
        "starts": months[:, 1],
        "reneged": months[:, 3],
        "completions": months[:, 4],
        "utilisation": utilisation(_together(future.queues.sum(axis=1, dtype=float), 12)),
        "treatment_hours": _hours(future).reshape(len(YEARS), 12).sum(axis=1),
    }


def by_month(future: Future, ends: np.ndarray) -> dict[str, np.ndarray]:
    """The measures of `BY_YEAR` that exist by month, volumes included: name -> (M,). ``ends``: (M,) the week in which
    each month ends."""
    referred, starts, wait, reneged, completions = future.months.T
    return {
        "waiting": future.waiting[ends].astype(float),
        "overdue": future.overdue[ends].astype(float),
        "mean_wait": np.where(starts > 0.0, wait / np.maximum(starts, 1.0), np.nan),
        "wait_90": future.wait_90_months,
        "expected_wait": expected_wait(future.waiting[ends].astype(float), starts),
        "referred": referred,
        "starts": starts,
        "reneged": reneged,
        "completions": completions,
        "utilisation": utilisation(future.queues.sum(axis=1, dtype=float)),
        "treatment_hours": _hours(future),
        **dict(zip(VOLUMES, future.volumes.T, strict=True)),
    }


def known() -> dict[str, tuple[str, str]]:
    """Every measure by the name that an experiment asks for it: unit and meaning."""
    yearly = {f"{name}_{year}": about for name, about in BY_YEAR.items() for year in YEARS}
    return {**SINGLE, **yearly}


def check(names: tuple[str, ...], where: str) -> None:
    """Refuse a name that is no measure; the message has the nearest ones."""
    everything = known()
    for name in names:
        if name not in everything:
            from difflib import get_close_matches

            near = get_close_matches(name, everything, n=3) or list(everything)[:3]
            raise InputError(where, repr(name), "a measure such as " + ", ".join(near))


def measured(future: Future, names: tuple[str, ...], definition: Definition) -> tuple[float, ...]:
    """The values of these measures for one future; NaN where there is none."""
    values = []
    yearly: dict[str, np.ndarray] = {}
    for name in names:
        if name in SINGLE:
            values.append(_single(name, future, definition))
            continue
        if not yearly:
            volumes = future.volumes.reshape(len(YEARS), 12, len(VOLUMES)).sum(axis=1)
            yearly = by_year(future) | dict(zip(VOLUMES, volumes.T, strict=True))
        measure, _, year = name.rpartition("_")
        values.append(float(yearly[measure][YEARS.index(int(year))]))
    return tuple(values)


def _single(name: str, future: Future, definition: Definition) -> float:
    match name:
        case "cleared":
            return float(future.cleared <= definition.deadline)
        case "cleared_day":
            return float(future.cleared) if np.isfinite(future.cleared) else float("nan")
        case "wait_ratio":
            return float(wait_ratio(future))
        case "waiting_start":
            return float(future.by_programme[0, :, 0].sum())
        case _:
            return float(future.by_programme[0, :, 1].sum())
