"""Runs in the background, shared by all visitors: a desk with a few turns, a bounded queue, and a real cancel.

A run is a generator that pauses every so often (a *slice*, well under a second or two). One thread gives the runs that
have a place at the desk a slice in turn, so that a heavy run delays a light one by a slice and does not hold it up.
Each slice uses the cores that there are (`flowsim.study.replicate.run_many`). What does not get a place waits in order;
when the queue is full, a run is refused. A run that fails leaves the desk and the app as they were.
"""

from __future__ import annotations

import logging
import math
import os
import secrets
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final

TURNS: Final = 3
"""Runs that share the desk."""
QUEUE: Final = 12
"""Runs that may wait."""
PATIENCE: Final = 4
"""Of so many turns, a run that all visitors share leaves all but one to others, once it has something to show."""
GOODBYE: Final = 3.0
"""Seconds that the end of the process waits for the slice in hand."""
COURTESY: Final = 10
"""By how much simulations step back for pages (nice)."""
UNSEEN: Final = 45.0
"""Seconds after which a run that nobody asks about any more is stopped: its visitor has left. A browser asks seldom for
a page in a tab that lies behind another."""
AWAY: Final = 5.0
"""Seconds without a connection to its visitor's page after which a run is stopped. A page that lost its connection is
back within a second or two; one that was loaded again or closed never is."""
STATES: Final = ("waiting", "running", "done", "cancelled", "failed")

log = logging.getLogger(__name__)


class Cancelled(Exception):
    """The visitor stopped the run."""


class Full(Exception):
    """No room in the queue."""


def always() -> bool:
    """Of a run that is not asked for by a page."""
    return True


@dataclass(eq=False)
class Job:
    """One run. Its visitor reads it, the desk writes it.

    Attributes
    ----------
    state : one of `STATES`. done, total : replications so far and in all. result : the latest complete result, None
        before the first. version : how many results there were. fault : a reference for the log of a failed run.
    goal : replications done when the next result is made; 0 when that is not known.
    passed : turns that it left to others.
    connected : whether its visitor's page is; asked from the desk's thread.
    """

    work: Callable[[Job], Generator[None, None, None]]
    keep: bool = False
    connected: Callable[[], bool] = always
    state: str = "waiting"
    done: int = 0
    total: int = 0
    result: Any = None
    version: int = 0
    goal: int = 0
    fault: str = ""
    passed: int = 0
    seen: float = field(default_factory=time.monotonic)
    ended: threading.Event = field(default_factory=threading.Event)
    _linked: float = field(default_factory=time.monotonic)
    _stop: threading.Event = field(default_factory=threading.Event)
    _news: threading.Condition = field(default_factory=threading.Condition)
    _began: tuple[float, int] | None = None
    _steps: Generator[None, None, None] | None = None

    @property
    def over(self) -> bool:
        return self.ended.is_set()

    @property
    def can_wait(self) -> bool:
        """Whether others go first: all visitors share it, and it has something to show."""
        return self.keep and self.version > 0

    @property
    def away(self) -> bool:
        """Whether its visitor's page has no connection: it leaves its turns to others until that is back."""
        if self.keep or self.connected():
            self._linked = time.monotonic()
            return False
        return True

    def touch(self) -> None:
        """The visitor is still there."""
        self.seen = time.monotonic()

    @property
    def due(self) -> float:
        """Seconds until the next result at the pace so far, 0 when it is being made; inf when that is not known."""
        if not self.goal or self._began is None:
            return math.inf
        began, before = self._began
        left, made = self.goal - self.done, self.done - before
        if left <= 0:
            return 0.0
        return left * (time.monotonic() - began) / made if made else math.inf

    def wait_for_news(self, seen: int, seconds: float) -> None:
        """Until there is another result than number ``seen`` or the run is over, at most so long."""
        with self._news:
            self._news.wait_for(lambda: self.version != seen or self.over, seconds)

    def cancel(self) -> None:
        """Stop: what runs ends with the replication in hand, the rest is dropped."""
        self._stop.set()

    def check(self) -> None:
        """Called by the work between replications; Cancelled when it must stop."""
        now = time.monotonic()
        left = self.away and now - self._linked > AWAY
        if self._stop.is_set() or left or (not self.keep and now - self.seen > UNSEEN):
            raise Cancelled

    def count(self, done: int) -> None:
        """Called by the work with the replications done; Cancelled when it must stop."""
        if self._began is None:
            self._began = time.monotonic(), done
        self.done = done
        self.check()

    def publish(self, result: Any) -> None:
        """Called by the work with a result to show."""
        with self._news:
            self.result = result
            self.version += 1
            self._news.notify_all()

    def end(self, state: str) -> None:
        """Called by the desk: there will be no more."""
        if self._steps is not None:
            self._steps.close()
        with self._news:
            self._steps = None
            self.state = state
            self.ended.set()
            self._news.notify_all()


class Desk:
    """Gives runs their turns; one for the whole process. Start no thread before the first run."""

    def __init__(self, turns: int = TURNS, queue: int = QUEUE) -> None:
        self.turns = turns
        self.queue = queue
        self._active: deque[Job] = deque()
        self._waiting: deque[Job] = deque()
        self._news = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def submit(
        self,
        work: Callable[[Job], Generator[None, None, None]],
        keep: bool = False,
        connected: Callable[[], bool] = always,
    ) -> Job:
        """Hand in a run.

        Parameters
        ----------
        work : given the job, a generator that pauses between slices; it calls ``job.count`` and ``job.publish``.
        keep : go on although nobody asks about it: for what all visitors share.
        connected : whether the page that asks for it still is.

        Raises
        ------
        Full : too many runs wait already.
        """
        job = Job(work, keep, connected)
        with self._news:
            self._drop_stopped()
            if len(self._waiting) >= self.queue:
                raise Full
            self._waiting.append(job)
            self._admit()
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="flowsim-desk", daemon=True)
                self._thread.start()
            self._news.notify()
        return job

    def place(self, job: Job) -> int:
        """Number of runs before it in the queue; 0 when it has a place at the desk or is over."""
        with self._news:
            return self._waiting.index(job) + 1 if job in self._waiting else 0

    def sharing(self, job: Job) -> int:
        """Number of other runs that share the desk with it; those whose visitor is away leave their turns to it."""
        with self._news:
            return sum(one is not job and not one.away for one in self._active)

    def close(self) -> None:
        """Stop everything, and the thread with it; a slice that takes longer than `GOODBYE` is not waited for."""
        with self._news:
            self._closed = True
            for job in (*self._active, *self._waiting):
                job.cancel()
            self._news.notify()
        if self._thread is not None:
            self._thread.join(GOODBYE)

    # ---- with the lock held ---------------------------------------------------------------------------------------

    def _drop_stopped(self) -> None:
        """Take runs out of the queue that were stopped while they waited."""
        _drop(self._waiting)

    def _admit(self) -> None:
        """Runs that wait get the places that are free; one whose visitor is away keeps nobody waiting."""
        while self._waiting and sum(not job.away for job in self._active) < self.turns:
            self._active.append(self._waiting.popleft())

    def _next(self) -> Job:
        """The run whose turn it is, which goes to the end of the round."""
        here = [job for job in self._active if not job.away] or list(self._active)
        wait = all(job.can_wait for job in here)
        while True:
            job = self._active[0]
            self._active.rotate(-1)
            if job not in here:
                continue
            if not job.can_wait or wait:
                return job
            job.passed += 1
            if job.passed % PATIENCE == 0:
                return job

    # ---- the thread -----------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        _step_back()
        while True:
            with self._news:
                self._drop_stopped()
                _drop(self._active)  # here none of them is in a slice
                self._admit()
                if not self._active:
                    if self._closed:
                        return
                    self._news.wait(timeout=1.0)
                    continue
                job = self._next()
            if not self._slice(job):
                with self._news:
                    self._active.remove(job)

    def _slice(self, job: Job) -> bool:
        """One slice of a run; whether there is more of it."""
        try:
            job.check()
            if job._steps is None:
                job.state = "running"
                job._steps = job.work(job)
            next(job._steps)
            return True
        except StopIteration:
            job.end("done")
        except Cancelled:
            job.end("cancelled")
        except BaseException:
            if self._closed:  # the process ends under it
                job.end("cancelled")
                return False
            job.fault = secrets.token_hex(4)
            log.exception("run %s failed", job.fault)
            job.end("failed")
        return False


def _drop(jobs: deque[Job]) -> None:
    """Take out, and end, those that must stop."""
    for job in list(jobs):
        try:
            job.check()
        except Cancelled:
            jobs.remove(job)
            job.end("cancelled")


def _step_back() -> None:
    """Let pages go before simulations: this thread, and those it starts, take the cores that others leave.

    Drawing a page takes many short turns, each of which would wait while simulations keep all cores busy.
    """
    if sys.platform == "linux":  # elsewhere it would hold for the whole process
        with suppress(OSError):
            mine = threading.get_native_id()
            os.setpriority(os.PRIO_PROCESS, mine, max(COURTESY, os.getpriority(os.PRIO_PROCESS, mine)))
