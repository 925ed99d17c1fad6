"""Who is there at the horizon, as `flowsim.model.tally.close` wants to know it."""

from __future__ import annotations

from typing import Any

import numpy as np

from flowsim.engines.world import SERVING, WAITING, residents, states
from flowsim.model import tally
from flowsim.model.compiling import compiled
from flowsim.model.memory import Addresses


@compiled
def _find(w: Any, numbers: Any, slots: Any) -> Any:
    """Numbers and slots of those who wait or are in service; how many they are."""
    count = 0
    for slot in range(1, states(w, 0).top):
        r = residents(w, slot)
        if r.state == WAITING or r.state == SERVING:
            numbers[count] = r.id
            slots[count] = slot
            count += 1
    return count


@compiled
def _follow(w: Any, slots: Any, followed: Any) -> Any:
    for i in range(len(slots)):
        r = residents(w, slots[i])
        f = followed[i]
        f.since = r.since
        f.joined = r.joined
        f.station = r.station
        f.patient_class = r.patient_class
        f.state = tally.WAITING if r.state == WAITING else tally.SERVING


def present_at_end(world: Addresses) -> np.ndarray:
    """Those waiting or in service, by number: what `tally.replay` would hold at the end."""
    used = int(world["state"]["used"][0])
    numbers, slots = np.empty(used, np.int64), np.empty(used, np.int64)
    count = _find(world, numbers, slots)
    followed = np.empty(count, tally.FOLLOWED)
    _follow(world, slots[np.argsort(numbers[:count])], followed)
    return followed
