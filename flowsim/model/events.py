"""What can happen, in which order at equal times, and how it is written down.

Two lists share one numbering. *Calendar* kinds are appointments: the engines process them in the order
(time, kind, resident), so a lower number goes first when times are equal: a place comes free before somebody gives up
waiting for it. *Log* kinds are what an appointment leads to; one appointment may write several, in the order in which
they are done.
"""

from __future__ import annotations

from typing import Final

import numpy as np

# Appointments, in order of rank at equal times. They need 4 bits in a rank (see `rank`).
COMPLETE: Final = 0
CAPACITY: Final = 1
QUOTA: Final = 2
CHANGE: Final = 3
REVIEW: Final = 4
RENEGE: Final = 5
VISIT: Final = 6
ARRIVAL: Final = 7
STOP_RULE: Final = 8

# What the log says. COMPLETE, CHANGE, REVIEW and RENEGE are both appointment and record.
ARRIVE: Final = 9
START: Final = 10
TRANSFER: Final = 11
BALK: Final = 12
TICKET: Final = 13
DROP: Final = 14
EXIT: Final = 15
WAITING_AT_START: Final = 16
IN_SERVICE_AT_START: Final = 17
CLOSE: Final = 18

KIND_NAMES: Final[dict[int, str]] = {
    COMPLETE: "complete",
    CHANGE: "change",
    REVIEW: "review",
    RENEGE: "renege",
    ARRIVE: "arrive",
    START: "start",
    TRANSFER: "transfer",
    BALK: "balk",
    TICKET: "ticket",
    DROP: "drop",
    EXIT: "exit",
    WAITING_AT_START: "waiting_at_start",
    IN_SERVICE_AT_START: "in_service_at_start",
    CLOSE: "close",
}
"""Names of the log kinds, as they stand in ``out.events``."""

EVENT: Final = np.dtype(
    [("time", "f8"), ("resident", "i8"), ("kind", "i4"), ("station", "i4"), ("patient_class", "i4"), ("pad", "i4")]
)
"""One line of the log. ``time`` in the network's unit; ``station`` and ``patient_class`` are codes."""

RANK_BITS: Final = 59
"""Bits of a resident's number in a rank; the kind stands above them."""


def rank(kind: int, resident: int) -> int:
    """Place of an appointment among those at the same time: by kind, then by resident (or station) number."""
    return (kind << RANK_BITS) | resident
