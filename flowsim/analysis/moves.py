"""From where to where residents move: counted in the log of a replication, by period.

A resident who finds a queue at its limit passes a station by; such visits are no moves. Companions (consults on behalf
of somebody who waits) have numbers of their own and are left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from flowsim.model import events

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.model.network import Network

OUTSIDE: Final = "outside"
"""Where arrivals come from, and where those go who leave the region's care."""
HOWS: Final = ("served", "gave_up")
_COMPANION: Final = 1 << 40
"""From this number on a resident is somebody's companion (docs/engine-rules.md)."""
_PRESENT: Final = (events.WAITING_AT_START, events.IN_SERVICE_AT_START)


def moves(network: Network, log: np.ndarray, periods_in_group: int = 1) -> pd.DataFrame:
    """Moves in one replication.

    Parameters
    ----------
    log : the replication's events (`flowsim.model.events.EVENT`), in the order of the event rule.
    periods_in_group : number of the network's periods taken together: 12 months make a year.

    Returns
    -------
    ``group`` (from 0), ``origin``, ``destination`` (station names, or `OUTSIDE`), ``how``: ``served`` (or simply
    come from outside) or ``gave_up`` waiting at the origin; ``residents``: how many. A transfer from one queue to
    another is a move that nobody was served for: it is not counted, and what follows starts from the first queue.
    """
    import pandas as pd

    told = np.zeros(1 << 8, bool)
    told[[events.ARRIVE, events.BALK, events.EXIT, events.RENEGE, *_PRESENT]] = True
    kind, who = np.ascontiguousarray(log["kind"]), np.ascontiguousarray(log["resident"])
    rows = np.flatnonzero(told[kind] & (who >= 0) & (who < _COMPANION))
    rows = rows[np.argsort(who[rows], kind="stable")]
    kind, who, time, station = kind[rows], who[rows], log["time"][rows], log["station"][rows].astype(np.int64)
    passed = kind == events.BALK
    came = np.zeros(len(kind), bool)
    came[:-1] = passed[1:]  # the arrival just before it
    kept = ~passed & ~came
    kind, station, who, time = kind[kept], station[kept], who[kept], time[kept]
    same = np.zeros(len(kind), bool)
    same[1:] = who[1:] == who[:-1]
    gave_up = np.zeros(len(kind), bool)
    gave_up[1:] = same[1:] & (kind[:-1] == events.RENEGE)
    outside = len(network.station_names)
    origin = np.full(len(kind), outside)
    origin[1:][same[1:]] = station[:-1][same[1:]]
    destination = np.where(kind == events.EXIT, outside, station)
    move = np.isin(kind, (events.ARRIVE, events.EXIT))
    edges = network.periods[::periods_in_group]
    group = np.searchsorted(edges, time, side="right") - 1
    move &= (group >= 0) & (group < len(edges) - 1)
    table = pd.DataFrame(
        {"group": group[move], "origin": origin[move], "destination": destination[move], "how": gave_up[move]}
    )
    counted = table.groupby(["group", "origin", "destination", "how"]).size().rename("residents").reset_index()
    names = np.array([*network.station_names, OUTSIDE])
    counted["origin"], counted["destination"] = names[counted["origin"]], names[counted["destination"]]
    counted["how"] = np.array(HOWS)[counted["how"].astype(int)]
    return counted


def mean_moves(tables: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Mean over replications of what `moves` gives; a move that a replication does not have counts as none."""
    import pandas as pd

    keys = ["group", "origin", "destination", "how"]
    total = pd.concat(tables).groupby(keys)["residents"].sum() / len(tables)
    return total.reset_index()
