"""What the reference engine moves about: residents, their places on second lists, stations, and the calendar."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field
from heapq import heappush
from typing import Any

import simpy
from simpy.events import EventPriority

from flowsim.model import events
from flowsim.model import network as n

BEHIND_SIMPY = 2
"""SimPy's own priorities are 0 and 1: what it does at a moment comes before the next appointment at that moment."""


class Calendar(simpy.Environment):
    """SimPy's environment, with appointments at a given time and rank."""

    def at(self, time: float, kind: int, number: int) -> simpy.Event:
        """An event that happens at ``time``, in the order of its rank; never, when ``time`` is infinite."""
        event = simpy.Event(self)
        if time < math.inf:
            event._ok, event._value = True, None
            priority = EventPriority(BEHIND_SIMPY + events.rank(kind, number))
            entry: tuple[int | float, EventPriority, int, simpy.Event] = (time, priority, next(self._eid), event)
            heappush(self._queue, entry)
        return event


@dataclass(eq=False)
class Ticket:
    """A place on a second list; without an owner it is void."""

    owner: Resident | None
    number: int
    patient_class: int
    station: int
    level: int


@dataclass(eq=False)
class Resident:
    """Somebody in the network."""

    number: int
    key: Any
    patient_class: int
    called: simpy.Event
    station: int = -1
    loop: int = 0
    companions: int = 0
    factor: float = 1.0
    since: float = 0.0
    ends: float = 0.0
    waiting: bool = False
    gone: bool = False
    level: int = 0
    ticket: Ticket | None = None
    rings: dict[int, float] = field(default_factory=dict)  # next time of each clock; 0 is patience
    drawn: dict[int, int] = field(default_factory=dict)  # how often each clock was drawn here

    @property
    def is_companion(self) -> bool:
        return self.number >= 1 << n.COMPANION_SHIFT


@dataclass(eq=False)
class Station:
    """Servers and a queue with priority levels (dicts as ordered sets: first come, first in)."""

    capacity: int
    tokens: int
    limit: int
    queue: list[dict[Resident | Ticket, None]]
    course: list[int]  # servers at time zero and after each step, of the schedule that is followed
    step: int = 0
    busy: int = 0
    starts: int = 0
    closed: bool = False

    @property
    def length(self) -> int:
        return sum(map(len, self.queue))

    @property
    def people(self) -> int:
        """Residents in the queue, places on second lists left out."""
        return sum(isinstance(entry, Resident) for level in self.queue for entry in level)

    @property
    def can_start(self) -> bool:
        return self.busy < self.capacity and self.tokens > 0

    @property
    def first(self) -> Resident | Ticket:
        return next(itertools.chain.from_iterable(self.queue))

    def close(self) -> None:
        """For good: no servers, no tokens, no queue."""
        self.closed, self.capacity, self.tokens, self.limit = True, 0, 0, 0
