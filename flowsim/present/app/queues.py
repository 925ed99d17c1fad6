"""The waiting lists of the ggz week by week: what the simulated weekly snapshots hold, by group of complaints."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from flowsim.analysis.statistics import Estimate, mean_interval
from flowsim.plan.years import YEARS
from flowsim.scenario.region import Region

if TYPE_CHECKING:
    from flowsim.model.network import Network

PARTS: Final = ("waiting", "overdue")


@dataclass(frozen=True)
class Queues:
    """People on the lists.

    Attributes
    ----------
    groups : codes of the groups of complaints, in the region's order.
    dates : of the J weekly snapshots, from the first day to the one nearest to the end of the last year.
    people : (R, J, G, 2) int: per run, week and group, those who wait and those of them who wait too long.
    """

    groups: tuple[str, ...]
    dates: tuple[dt.date, ...]
    people: np.ndarray

    @property
    def mean(self) -> np.ndarray:
        """Mean over the runs: (J, G, 2)."""
        return np.asarray(self.people.mean(axis=0))

    def at(self, week: int, group: int | None, part: int) -> Estimate:
        """Mean at a week with its 95% interval; ``group`` None: all together."""
        found = self.people[:, week, :, part]
        return mean_interval(found.sum(axis=1) if group is None else found[:, group])

    def end_of(self, year: int) -> int:
        """The snapshot nearest to the end of a year, as every page has it (`flowsim.study.futures.Reducer`)."""
        apart = np.array(self.dates, "datetime64[D]") - np.datetime64(dt.date(year + 1, 1, 1))
        return int(np.abs(apart).argmin())


def groups_of(region: Region) -> tuple[str, ...]:
    return tuple(dict.fromkeys(programme.group for programme in region.programmes))


def weekly(network: Network, snapshots: np.ndarray, region: Region) -> np.ndarray:
    """One run: (J, G, 2) from its snapshots (J', K), up to the one nearest to the end of the last year."""
    last = round(region.day(dt.date(YEARS[-1] + 1, 1, 1)) / network.snapshot_every)
    names = list(network.station_names)
    groups = groups_of(region)
    found = np.zeros((min(len(snapshots), last + 1), len(groups), len(PARTS)), np.int64)
    for programme in region.programmes:
        column = snapshots[: len(found), names.index(programme.name)]
        for i, part in enumerate(PARTS):
            found[:, groups.index(programme.group), i] += column[part]
    return found


def queues(network: Network, runs: Sequence[np.ndarray], region: Region) -> Queues:
    """What `weekly` gave of each run, together."""
    people = np.array(runs)
    dates = tuple(region.date(network.snapshot_every * j) for j in range(people.shape[1]))
    return Queues(groups_of(region), dates, people)
