"""The forecast with a visitor's counts, as a run at the desk: a first result after some futures, then finer ones."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flowsim.present.app.jobs import Job
from flowsim.present.app.studies import FUTURES as OF_ANSWER
from flowsim.present.app.studies import FUTURES_SETTING, SEED, SLICE, Work
from flowsim.scenario.load import Scenario
from flowsim.study.observed import Observed
from flowsim.study.update import FIRST, FUTURES, LEAST, MOST, Update, prepared, stages

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Weighed:
    """A forecast with its tables, made where it was run so that a page only has to show them."""

    found: Update
    tables: Mapping[str, pd.DataFrame]


def most_futures() -> int:
    """Futures at most: as many times the default of `flowsim update` as the app's answer has its own default."""
    asked = int(os.environ.get(FUTURES_SETTING, OF_ANSWER))
    return max(2 * LEAST, min(MOST, round(FUTURES * asked / OF_ANSWER)))


def begun(counts: Observed, scenario: Scenario) -> Update:
    """An update before its first future.

    Raises
    ------
    InputError : counts of what the scenario does not simulate.
    """
    return prepared(counts, scenario, futures=most_futures(), seed=SEED)


def update_work(update: Update) -> Work:
    """Simulate it; publishes a `Weighed` after the first futures, at each doubling, and at the end."""

    def work(job: Job) -> Generator[None, None, None]:
        job.total = update.futures
        shown = 0
        with closing(stages(update, progress=lambda _, done, __: job.count(done), slices=SLICE)) as steps:
            for _ in steps:
                if update.done >= max(FIRST, 2 * shown) and update.done < update.futures:
                    yield
                    shown = update.done
                    job.publish(weighed(update.snapshot()))
                yield
        if update.done > shown:
            job.publish(weighed(update.snapshot()))

    return work


def weighed(found: Update) -> Weighed:
    return Weighed(found, found.tables)
