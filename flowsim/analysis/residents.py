"""The same residents in two scenarios: how many weeks each of them wins or loses.

A resident has one number and one luck in both (`flowsim.model.draws`), so that a difference is what the scenario did,
not chance. Compared are first referrals (`flowsim.analysis.paths.first_referrals`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.answers import WEEK
from flowsim.analysis.paths import GAVE_UP, LEFT, REFERRALS, STARTED, WAITING
from flowsim.analysis.statistics import mean_interval

if TYPE_CHECKING:
    import pandas as pd

ABSENT: Final = 4
"""Never referred to ggz in this scenario."""
FATES: Final = (
    "sooner",
    "same",
    "later",
    "kept_out",
    "brought_in",
    "started_instead",
    "gave_up_instead",
    "gave_up_too",
    "open",
)
"""``sooner``, ``later``: started in both, at least a week apart; ``kept_out``: referred in the base alone;
``brought_in``: in the other alone; ``started_instead``: of giving up; ``gave_up_instead``: of starting;
``gave_up_too``: in both; ``open``: still waiting, or taken off the list, in one of them."""
POINTS: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
LOSING: Final = ("later", "gave_up_instead", "brought_in")

PAIR: Final = np.dtype([("resident", "i8"), ("patient_class", "i4"), ("fate", "i4"), ("referred", "f8"), ("won", "f8")])
"""One resident in both; ``won``: days of waiting less in the other, NaN unless started in both."""


def pair(base: np.ndarray, other: np.ndarray, until: float = np.inf) -> np.ndarray:
    """Residents who are referred before ``until`` in one of two scenarios: (N,) `PAIR`, by number.

    Class and day of referral are those of the base where it has the resident.
    """
    numbers = np.union1d(base["resident"], other["resident"])
    a, b = _aligned(base, numbers), _aligned(other, numbers)
    known = a["end"] != ABSENT
    won = (a["ended"] - a["referred"]) - (b["ended"] - b["referred"])
    started = (a["end"] == STARTED) & (b["end"] == STARTED)
    gone = (a["end"] == GAVE_UP, b["end"] == GAVE_UP)
    made = np.zeros(len(numbers), PAIR)
    made["resident"] = numbers
    for name in ("patient_class", "referred"):
        made[name] = np.where(known, a[name], b[name])
    made["won"] = np.where(started, won, np.nan)
    waiting = np.isin(a["end"], (WAITING, LEFT)) | np.isin(b["end"], (WAITING, LEFT))
    chosen = [
        started & (won >= WEEK),
        started & (won <= -WEEK),
        started,
        b["end"] == ABSENT,
        ~known,
        waiting,
        gone[0] & gone[1],
        gone[0],
        gone[1],
    ]
    names = (
        "sooner",
        "later",
        "same",
        "kept_out",
        "brought_in",
        "open",
        "gave_up_too",
        "started_instead",
        "gave_up_instead",
    )
    made["fate"] = np.select(chosen, [FATES.index(name) for name in names], default=FATES.index("open"))
    return np.asarray(made[made["referred"] < until])


def _aligned(referrals: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    made = np.zeros(len(numbers), REFERRALS)
    made["end"] = ABSENT
    made[np.searchsorted(numbers, referrals["resident"])] = referrals
    return made


def groups_of(class_names: Sequence[str], municipalities: Sequence[str]) -> dict[str, list[str]]:
    """How residents are grouped: by -> the group of every patient class (``municipality/need/group``)."""
    parts = [name.split("/") if name.count("/") == 2 else ["", "", ""] for name in class_names]
    places = [part[0] if part[0] in municipalities else "" for part in parts]
    return {
        "all": ["all"] * len(parts),
        "need": [part[1] for part in parts],
        "diagnosis": [part[2] for part in parts],
        "municipality": places,
    }


def fates(
    pairs: Sequence[np.ndarray], groups: dict[str, list[str]], year_of: Callable[[np.ndarray], np.ndarray]
) -> pd.DataFrame:
    """Per group of residents: how many there are in a future, the share of each fate, weeks won.

    Columns: by, group, residents (mean number); ``<fate>`` with ``_low`` and ``_high``; ``won`` (weeks, mean of those
    who start in both) with its interval; ``q05`` to ``q95`` of it over all residents; ``loses``: the share of fates
    `LOSING`. Intervals are Student's t over the futures: residents of one future are no independent observations.

    Parameters
    ----------
    pairs : one array of `PAIR` per future. groups : see `groups_of`. year_of : year of referral from days.
    """
    import pandas as pd

    columns: dict[str, list[np.ndarray]] = {
        by: [np.asarray(names)[one["patient_class"]] for one in pairs] for by, names in groups.items()
    }
    columns["year"] = [year_of(one["referred"]).astype(str) for one in pairs]
    rows = []
    for by, labels in columns.items():
        for group in sorted({str(label) for one in labels for label in np.unique(one)} - {""}):
            some = [one[label == group] for one, label in zip(pairs, labels, strict=True)]
            rows.append({"by": by, "group": group, **_fates_of([one for one in some if len(one)], len(pairs))})
    return pd.DataFrame(rows)


def _fates_of(pairs: Sequence[np.ndarray], futures: int) -> dict[str, Any]:
    row: dict[str, Any] = {"futures": futures, "residents": sum(len(one) for one in pairs) / futures}
    shares = {fate: np.array([(one["fate"] == f).mean() for one in pairs]) for f, fate in enumerate(FATES)}
    shares["loses"] = np.sum([shares[fate] for fate in LOSING], axis=0)
    for name, values in shares.items():
        estimate = mean_interval(values)
        row |= {name: estimate.value, f"{name}_low": max(0.0, estimate.low), f"{name}_high": min(1.0, estimate.high)}
    won = [one["won"][~np.isnan(one["won"])] / WEEK for one in pairs]
    estimate = mean_interval([float(one.mean()) for one in won if len(one)])
    row |= {"won": estimate.value, "won_low": estimate.low, "won_high": estimate.high}
    together = np.concatenate(won) if won else np.zeros(0)
    points = np.quantile(together, POINTS) if len(together) else np.full(len(POINTS), np.nan)
    return row | {f"q{round(100 * p):02d}": float(x) for p, x in zip(POINTS, points, strict=True)}


def weeks_won(pairs: Sequence[np.ndarray]) -> pd.DataFrame:
    """The distribution over residents who start in both: whole weeks won (negative: lost), mean number in a future."""
    import pandas as pd

    days = np.concatenate([one["won"] for one in pairs])
    weeks = np.floor(days[~np.isnan(days)] / WEEK).astype(int)
    found, counts = np.unique(weeks, return_counts=True)
    return pd.DataFrame({"weeks": found, "residents": counts / len(pairs), "share": counts / max(len(weeks), 1)})
