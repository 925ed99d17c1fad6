"""What happened to residents one by one, read off event logs: first referrals to ggz, and whom the functions send away.

A resident has the same number in every scenario of a region, so that one can be followed with and without a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from flowsim.model import events
from flowsim.model.network import COMPANION_SHIFT, Network

STARTED: Final = 0
GAVE_UP: Final = 1
LEFT: Final = 2
WAITING: Final = 3
ENDS: Final = ("started", "gave_up", "left", "waiting")
"""How a first referral ends: ``left``: taken off the list otherwise; ``waiting``: still there at the end of the run."""

REFERRALS: Final = np.dtype(
    [("resident", "i8"), ("patient_class", "i4"), ("end", "i4"), ("referred", "f8"), ("ended", "f8")]
)
"""One resident's first stay on the waiting lists for ggz; ``ended``: NaN while waiting. Days."""
FUNCTION_STATIONS: Final = ("collegial_consultation", "exploratory_conversation", "case_conference")


def first_referrals(log: np.ndarray, network: Network) -> np.ndarray:
    """The first referral of every resident who comes to a list for ggz: (N,) `REFERRALS`, by number.

    Those who wait on the first day count with the day on which they were referred. Companions are no residents.
    """
    lists = np.asarray(network.stations["list"]) >= 0
    kinds = (
        events.WAITING_AT_START,
        events.ARRIVE,
        events.START,
        events.RENEGE,
        events.BALK,
        events.EXIT,
    )
    residents = log["resident"]
    wanted = np.isin(log["kind"], kinds) & (residents >= 0) & (residents < 1 << COMPANION_SHIFT)
    found = log[wanted]
    found = found[lists[found["station"]]]
    found = found[np.argsort(found["resident"], kind="stable")]
    referral = (found["kind"] == events.ARRIVE) | (found["kind"] == events.WAITING_AT_START)
    first = _first_of_each(found["resident"], referral)
    # Where a stay ends: the first event after it that is no referral, of the same resident.
    ends = np.flatnonzero(~referral)
    following = np.searchsorted(ends, first)
    place = ends[np.minimum(following, max(len(ends) - 1, 0))] if len(ends) else np.zeros(len(first), int)
    known = (following < len(ends)) & (found["resident"][place] == found["resident"][first])
    kind = found["kind"][place]
    made = np.zeros(len(first), REFERRALS)
    made["resident"] = found["resident"][first]
    made["patient_class"] = found["patient_class"][first]
    made["referred"] = found["time"][first]
    made["ended"] = np.where(known, found["time"][place], np.nan)
    made["end"] = np.select(
        [~known, kind == events.START, kind == events.RENEGE], [WAITING, STARTED, GAVE_UP], default=LEFT
    )
    return made


def _first_of_each(residents: np.ndarray, marked: np.ndarray) -> np.ndarray:
    """Places of each resident's first marked row; rows are sorted by resident."""
    places = np.flatnonzero(marked)
    _, first = np.unique(residents[places], return_index=True)
    return np.asarray(places[first])


@dataclass(frozen=True)
class SentAway:
    """Residents whom each function reached and whom it kept out of ggz: (functions, years) int."""

    reached: np.ndarray
    away: np.ndarray


def sent_away(log: np.ndarray, network: Network, year_ends: np.ndarray) -> SentAway:
    """Count, person by person, whom `FUNCTION_STATIONS` reached and whom they kept out of ggz.

    A resident counts in the year in which the function ends. Kept out: the next step is neither a waiting list for ggz
    nor another function.

    Parameters
    ----------
    year_ends : (Y + 1,) days on which the years begin, and the last one ends.
    """
    functions = np.array([network.station_names.index(name) for name in FUNCTION_STATIONS])
    steps = np.isin(log["kind"], (events.COMPLETE, events.ARRIVE, events.EXIT))
    found = log[steps & (log["resident"] >= 0)]
    found = found[np.argsort(found["resident"], kind="stable")]
    done = np.flatnonzero((found["kind"] == events.COMPLETE) & np.isin(found["station"], functions))
    done = done[done + 1 < len(found)]
    after = found[done + 1]  # what a completion leads to is logged at once
    towards = np.asarray(network.stations["list"]) >= 0
    towards[functions] = True
    away = (after["kind"] == events.EXIT) | ~towards[after["station"]]
    year = np.searchsorted(year_ends, found["time"][done], side="right") - 1
    shape = (len(functions), len(year_ends) - 1)
    reached, kept = np.zeros(shape, int), np.zeros(shape, int)
    for f, station in enumerate(functions):
        mine = (found["station"][done] == station) & (year >= 0) & (year < shape[1])
        reached[f] = np.bincount(year[mine], minlength=shape[1])
        kept[f] = np.bincount(year[mine & away], minlength=shape[1])
    return SentAway(reached, kept)
