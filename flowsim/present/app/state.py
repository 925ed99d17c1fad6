"""What the process and each visitor hold: one desk and one run of the plan for all, scenarios and runs per visitor.

A visit lives in its session, its scenarios also in the address in the visitor's own browser and its counts in the tab
there (`flowsim.present.app.keeping`), and nowhere else; a run is
reached through the visit only, so that visitors do not see each other's scenarios. What visitors share is the plan as
it stands.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from flowsim.present.app.drafts import MOST_SCENARIOS, Draft, fingerprint, plan_draft
from flowsim.present.app.ground import ground
from flowsim.present.app.jobs import Desk, Full, Job, always
from flowsim.present.app.studies import Compared, Runs, Work, compare_work, plan_work, route_work
from flowsim.present.app.updates import Weighed, begun, update_work
from flowsim.study.observed import Observed

PRESS_QUEUE: Final = 8
"""Reports that may wait to be made."""


class House:
    """What all visitors share: the desk for simulations, and the press, which makes one report at a time."""

    def __init__(self, desk: Desk | None = None) -> None:
        self.desk = desk or Desk()
        self.press = Desk(turns=1, queue=PRESS_QUEUE)
        self.runs = Runs()
        self._plan: Job | None = None
        self._route: Job | None = None

    def open(self) -> None:
        """Begin what every visitor will ask for, before the first one comes."""
        self.plan()

    def close(self) -> None:
        """Stop all runs: the app ends."""
        for desk in (self.desk, self.press):
            desk.close()

    def plan(self, again: bool = False) -> Job:
        """The run of the plan, begun by the first who asks; ``again``: anew when it failed. Full: no room yet."""
        if self._plan is None or (again and self._plan.state == "failed"):
            self._plan = self.desk.submit(_settled(plan_work(ground(), self.runs)), keep=True)
        return self._plan

    def route(self, again: bool = False) -> Job:
        """The run that follows residents; the same for everybody."""
        if self._route is None or (again and self._route.state == "failed"):
            self._route = self.desk.submit(route_work(ground()), keep=True)
        return self._route


def _settled(work: Work) -> Work:
    """The same work; then all that has been loaded so far is taken from the garbage collector's rounds.

    Streamlit has it look at everything after each run of a page, and a page looks at its run more than once a second: a
    tenth of a second each, in which no other thread gets on.
    """

    def settled(job: Job) -> Generator[None, None, None]:
        yield from work(job)
        settle()

    return settled


def settle() -> None:
    """Leave what there is to itself: modules, figures, the plan's futures stay until the end anyway."""
    gc.collect()
    gc.freeze()


@cache
def house() -> House:
    """The one of this process."""
    return House()


@dataclass
class Asked:
    """A run that one visitor asked for.

    Attributes
    ----------
    job : the run; key : of what. stopped : the visitor stopped it. full : it found no room.
    """

    job: Job | None = None
    key: Any = None
    stopped: bool = False
    full: bool = False

    def ask(
        self,
        desk: Desk,
        key: Any,
        work: Callable[[], Work],
        again: bool = False,
        connected: Callable[[], bool] = always,
    ) -> Job | None:
        """The run of this key: the one there is, else a new one; None when there is no room.

        A run that ended because its visitor was away is begun anew; one that the visitor stopped only with ``again``.
        ``connected`` : whether the visitor's page is.
        """
        if self.job is not None:
            self.job.touch()
        lost = self.job is not None and self.job.state == "cancelled" and not self.stopped
        if key == self.key and not (again or self.full or lost):
            return self.job
        self.forget()
        made = work()  # may refuse: then there is no run
        self.key = key
        try:
            self.job = desk.submit(made, connected=connected)
        except Full:
            self.full = True
        return self.job

    def stop(self) -> None:
        """Stop it; what it has found stays."""
        if self.job is not None and not self.job.over:
            self.job.cancel()
            self.stopped = True

    def forget(self) -> None:
        """Stop it and drop what it has found."""
        self.stop()
        self.job, self.key, self.stopped, self.full = None, None, False, False

    @property
    def result(self) -> Any:
        return None if self.job is None else self.job.result


@dataclass
class Visit:
    """One visitor's scenarios, comparison and counts.

    Attributes
    ----------
    drafts : one to four, in order. job : the latest comparison; asked : fingerprints of what it compares.
    stopped : the visitor stopped it, and nothing has changed since. full : it found no room at the desk.
    known : cases that were run for this visitor. counts : what was uploaded; weighing : its forecast.
    reporting : the report that was asked for last. connected : whether the visitor's page is.
    """

    lang: str
    drafts: list[Draft] = field(default_factory=list)
    job: Job | None = None
    asked: tuple[str, ...] = ()
    stopped: bool = False
    full: bool = False
    known: Runs = field(default_factory=Runs)
    shown: int = -1
    counts: Observed | None = None
    weighing: Asked = field(default_factory=Asked)
    reporting: Asked = field(default_factory=Asked)
    connected: Callable[[], bool] = always

    def __post_init__(self) -> None:
        if not self.drafts:
            self.drafts = [plan_draft(self.lang)]

    # ---- scenarios ------------------------------------------------------------------------------------------------

    @property
    def room(self) -> bool:
        return len(self.drafts) < MOST_SCENARIOS

    def add(self, draft: Draft) -> None:
        """Put a scenario beside the others, or in place of the last one."""
        if not self.room:
            self.drafts.pop()
        self.drafts.append(draft)

    def replace(self, draft: Draft) -> None:
        """Put a changed scenario in its own place."""
        self.drafts = [draft if one.number == draft.number else one for one in self.drafts]

    def remove(self, number: int) -> None:
        """Take a scenario away; one always stays."""
        kept = [one for one in self.drafts if one.number != number]
        self.drafts = kept or self.drafts

    def draft(self, number: int) -> Draft:
        return next(one for one in self.drafts if one.number == number)

    # ---- the comparison -------------------------------------------------------------------------------------------

    def compare(self, shared: House, again: bool = False) -> Job | None:
        """The run of the scenarios as they are now: a new one when they changed; None when there is no room for it."""
        keys = tuple(fingerprint(draft) for draft in self.drafts)
        if self.job is not None:
            self.job.touch()
        lost = self.job is not None and self.job.state == "cancelled" and not self.stopped  # away for too long
        if keys == self.asked and not again and not self.full and not lost:
            return self.job
        self.stop()
        self.asked, self.stopped, self.full, self.shown = keys, False, False, -1
        known = Runs({**shared.runs.cases, **self.known.cases}, shared.runs.balances, self.known.tables)
        scenarios = [draft.scenario() for draft in self.drafts]
        try:
            self.job = shared.desk.submit(compare_work(scenarios, known, self.keep), connected=self.connected)
        except Full:
            self.job, self.full = None, True
        return self.job

    def keep(self, runs: Runs) -> None:
        """Called by the run with its cases, for later comparisons."""
        self.known = self.known.remembered(runs)

    def stop(self) -> None:
        """Stop the comparison."""
        if self.job is not None and not self.job.over:
            self.job.cancel()
        self.stopped = True

    @property
    def result(self) -> Compared | None:
        """The latest result for the scenarios as they are now."""
        result = None if self.job is None else self.job.result
        return result if result is not None and result.keys == self._keys() else None

    def _keys(self) -> tuple[str, ...]:
        return tuple(fingerprint(draft) for draft in self.drafts)

    # ---- the counts -----------------------------------------------------------------------------------------------

    def weigh(self, shared: House, draft: Draft, again: bool = False) -> Weighed | None:
        """The forecast of a scenario with the counts, as far as it is; None before the first result or without room.

        Raises
        ------
        InputError : counts of what the scenario does not simulate, or values that cannot go together.
        """
        counts = self.counts
        if counts is None:
            return None
        scenario = draft.scenario()
        key = counts.digest, scenario.hash
        self.weighing.ask(shared.desk, key, lambda: update_work(begun(counts, scenario)), again, self.connected)
        found: Weighed | None = self.weighing.result
        return found

    def take(self, counts: Observed | None) -> None:
        """Use these counts and forget those before; None: none."""
        self.weighing.forget()
        self.counts = counts
