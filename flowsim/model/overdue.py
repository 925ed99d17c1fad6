"""Who is overdue on a waiting list, as the snapshots of a tally show it.

A spell of waiting is counted when it ends (`flowsim.model.tally.waited`), as one more from the first snapshot that
shows somebody overdue, and one less from the first after its end. So while a replication runs, those who wait are not
in that count yet: `still_waiting` adds them.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from flowsim.model.compiling import inlined_step, step
from flowsim.model.memory import table
from flowsim.model.tables import CODE

CHANGE: Final = np.dtype([("overdue", "i4")])

changes = table("overdue", CHANGE, columns="station_count")
"""Per snapshot and station, as differences to the snapshot before."""
lists = table("lists", CODE)
"""The waiting list of each station; below 0: none."""


@step
def _snapshot(w: Any, now: Any) -> Any:
    """First snapshot at or after ``now``; the row after the last one when there is none."""
    every = w.every
    last = w.snapshot_count
    if now <= 0.0:
        return 0
    j = np.int64(now / every)
    if j >= last:
        j = last
    while j < last and j * every < now:
        j += 1
    while j > 0 and (j - 1) * every >= now:
        j -= 1
    return j


@inlined_step
def first_overdue(w: Any, due: Any, since: Any, until: Any) -> Any:
    """The first snapshot that shows somebody overdue; ``until``: the first that will be kept after the spell. Overdue
    means beyond the norm: at the very moment of the norm somebody is not overdue yet."""
    j = _snapshot(w, due)
    if j < until and j * w.every == since + w.norm:
        j += 1
    return j


@step
def no_longer_waiting(w: Any, path: Any) -> Any:
    """Add to ``path`` (J,), differences between the first snapshots of all lists together, those who were overdue."""
    for j in range(len(path)):
        for k in range(w.station_count):
            path[j] += changes(w, j, k).overdue


@step
def still_waiting(w: Any, k: Any, since: Any, joined: Any, path: Any) -> Any:
    """Add somebody who waits to ``path``, if its last snapshot shows him overdue."""
    if lists(w, k).value >= 0:
        j = first_overdue(w, max(joined, since + w.norm), since, len(path))
        if j < len(path):
            path[j] += 1
