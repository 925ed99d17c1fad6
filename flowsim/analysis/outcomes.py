"""What came out of a simulation, as tables with names instead of codes.

Shapes: R replications, K stations, C patient classes, J + 1 snapshots, M periods, L waiting lists, B bins of waits.
What each number means is told in `flowsim.model.tally`; nothing is counted here, only divided and named.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.errors import InputError
from flowsim.model.network import Network

if TYPE_CHECKING:
    import pandas as pd

COUNTS: Final = ("arrivals", "starts", "completions", "reneged")
MORE_COUNTS: Final = ("balked", "transferred", "reviewed", "exits")
AVERAGES: Final = ("mean_wait", "mean_wait_reneged", "mean_queue", "utilisation")


@dataclass(frozen=True, eq=False)
class Output:
    """The outcome of `flowsim.simulate`. Tables are made when they are first asked for.

    Attributes
    ----------
    network, seed, engine : what was run.
    cells : (R, K, C) `flowsim.model.tally.CELL_TALLY`. snapshots : (R, J + 1, K) `SNAPSHOT`.
    period_tally : (R, M, K) `PERIOD`. waits : (R, M, L, B), numbers started by wait. held : (R, S), whether each
    stop rule held.
    appointments : (R,) events processed. logs : one `flowsim.model.events.EVENT` array per replication, or None.
    """

    network: Network
    seed: int
    engine: str
    cells: np.ndarray
    snapshots: np.ndarray
    period_tally: np.ndarray
    waits: np.ndarray
    held: np.ndarray
    appointments: np.ndarray
    logs: tuple[np.ndarray, ...] | None = field(default=None, repr=False)

    @property
    def replications(self) -> int:
        """Number of replications."""
        return len(self.cells)

    @cached_property
    def stations(self) -> pd.DataFrame:
        """Per replication, station and patient class, over (warm_up, horizon).

        Numbers: arrivals, starts, completions, reneged, balked, transferred, reviewed, exits. ``mean_wait``: of those
        who started, NaN when nobody did; ``mean_wait_reneged``: of those who gave up. ``mean_queue``: average over time
        of the number waiting. ``utilisation``: time in service of this class divided by all server time of the station,
        NaN where the number of servers has no limit (or is 0 throughout); above 1 where services outlast servers that
        were taken away. Times in the network's unit.
        """
        network = self.network
        return _table(
            [
                ("replication", np.arange(self.replications), 0),
                ("station", network.station_names, 1),
                ("patient_class", network.class_names, 2),
            ],
            self._measures(self.cells, network.server_time(self.held)[..., None]),
        )

    def station_totals(self) -> pd.DataFrame:
        """`stations` over all patient classes together: waits weigh by people, utilisation is that of the station."""
        names = self.cells.dtype.names or ()
        total = {name: self.cells[name].sum(axis=2) for name in names}
        return _table(
            [("replication", np.arange(self.replications), 0), ("station", self.network.station_names, 1)],
            self._measures(total, self.network.server_time(self.held)),
        )

    @cached_property
    def waiting(self) -> pd.DataFrame:
        """Snapshots: replication, time, station, numbers waiting, in service, and overdue (waiting beyond the norm)."""
        from flowsim.model.tally import snapshot_times

        return _table(
            [
                ("replication", np.arange(self.replications), 0),
                ("time", snapshot_times(self.network), 1),
                ("station", self.network.station_names, 2),
            ],
            {name: self.snapshots[name] for name in ("waiting", "in_service", "overdue")},
        )

    @cached_property
    def periods(self) -> pd.DataFrame:
        """Per replication, period and station: its start and end, numbers, mean wait of those who started in it.

        Periods are counted from time zero, whatever the warm-up.
        """
        edges = self.network.periods
        tally = self.period_tally
        values = {name: tally[name] for name in (*COUNTS, *MORE_COUNTS)}
        return _table(
            [
                ("replication", np.arange(self.replications), 0),
                ("period", np.arange(len(edges) - 1), 1),
                ("start", edges[:-1], 1),
                ("end", edges[1:], 1),
                ("station", self.network.station_names, 2),
            ],
            values | {"mean_wait": ratio(tally["wait"], tally["starts"])},
        )

    def wait_quantiles(self, probability: float = 0.9) -> pd.DataFrame:
        """Quantile of the waits of those who started, by replication, period and waiting list (see `wait_quantile`)."""
        network = self.network
        names = network.list_names
        counts = self.waits[:, :, : len(names)]
        edges = network.periods
        return _table(
            [
                ("replication", np.arange(self.replications), 0),
                ("period", np.arange(len(edges) - 1), 1),
                ("start", edges[:-1], 1),
                ("end", edges[1:], 1),
                ("waiting_list", names, 2),
            ],
            {"starts": counts.sum(axis=-1), "wait": wait_quantile(counts, network.wait_bin, probability)},
        )

    @cached_property
    def events(self) -> pd.DataFrame:
        """Every event, in the order of the event rule: replication, time, kind, resident, station, patient_class.

        ``resident`` is -1, and ``patient_class`` missing, where an event is about a station alone (``close``).

        Raises
        ------
        InputError : the simulation kept no log.
        """
        if self.logs is None:
            raise InputError("events", "a simulation without a log", "simulate(..., log=True)")
        return events_table(self.network, list(enumerate(self.logs)))

    def summary(self, level: float = 0.95) -> pd.DataFrame:
        """Means over the replications: station, measure, mean, low, high, replications.

        The measures are those of `station_totals`; the interval is Student's t over the replications for which the
        measure exists (a mean wait needs somebody who started), infinite when that is only one.
        """
        import pandas as pd

        return pd.DataFrame(self.summary_rows(level))

    def summary_rows(self, level: float = 0.95) -> list[dict[str, Any]]:
        """The rows of `summary`, for whoever needs no table: pandas takes a third of a second to load."""
        from flowsim.analysis.statistics import mean_interval

        names = self.cells.dtype.names or ()
        total = {name: self.cells[name].sum(axis=2) for name in names}
        rows = []
        measures = self._measures(total, self.network.server_time(self.held))
        for k, station in enumerate(self.network.station_names):
            for measure, values in measures.items():
                found = mean_interval(values[:, k], level)
                about: dict[str, Any] = {"station": station, "measure": measure}
                rows.append(
                    about | {"mean": found.value, "low": found.low, "high": found.high, "replications": found.n}
                )
        return rows

    def _measures(self, tally: Any, server_time: np.ndarray) -> dict[str, np.ndarray]:
        """Numbers and averages of a tally with the fields of `CELL_TALLY`, by name."""
        span = self.network.horizon - self.network.warm_up
        limited = np.isfinite(server_time) & (server_time > 0.0)
        shares = np.where(limited, tally["service_time"] / np.where(limited, server_time, 1.0), np.nan)
        averages = {
            "mean_wait": ratio(tally["wait"], tally["starts"]),
            "mean_wait_reneged": ratio(tally["wait_reneged"], tally["reneged"]),
            "mean_queue": tally["queue_time"] / span,
            "utilisation": shares,
        }
        return {name: tally[name] for name in COUNTS} | averages | {name: tally[name] for name in MORE_COUNTS}


def events_table(network: Network, logs: Sequence[tuple[int, np.ndarray]]) -> pd.DataFrame:
    """The table of `Output.events`, from (replication, log) of some replications."""
    import pandas as pd

    from flowsim.model.events import KIND_NAMES

    log = np.concatenate([one for _, one in logs])
    kinds = [KIND_NAMES.get(code, "") for code in range(max(KIND_NAMES) + 1)]
    return pd.DataFrame(
        {
            "replication": np.repeat([number for number, _ in logs], [len(one) for _, one in logs]),
            "time": log["time"],
            "kind": _named(kinds, log["kind"]),
            "resident": log["resident"],
            "station": _named(network.station_names, log["station"]),
            "patient_class": _named(network.class_names, log["patient_class"]),
        }
    )


def ratio(total: np.ndarray, count: np.ndarray) -> np.ndarray:
    """``total / count``, NaN where the count is 0."""
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def wait_quantile(counts: np.ndarray, width: float, probability: float) -> np.ndarray:
    """Quantile of waits that were counted in bins, as if spread evenly within a bin.

    Parameters
    ----------
    counts : (..., B), numbers in bins of ``width`` from 0 on; the last bin is open.
    probability : between 0 and 1.

    Returns
    -------
    (...), in the unit of ``width``. NaN where nobody started; inf where the quantile is in the open bin.
    """
    if not 0.0 < probability < 1.0:
        raise InputError("probability", repr(probability), "a number between 0 and 1")
    below = np.cumsum(counts, axis=-1, dtype=np.float64)
    total = below[..., -1]
    wanted = probability * total
    bin_of = np.argmax(below >= wanted[..., None], axis=-1)
    inside = np.take_along_axis(counts, bin_of[..., None], -1)[..., 0].astype(np.float64)
    before = np.take_along_axis(below, bin_of[..., None], -1)[..., 0] - inside
    value = width * (bin_of + (wanted - before) / np.maximum(inside, 1.0))
    value = np.where(bin_of == counts.shape[-1] - 1, np.inf, value)
    return np.where(total > 0, value, np.nan)


def _named(names: Sequence[str], codes: np.ndarray) -> Any:
    """Names of codes as a column of text; missing where the code is -1."""
    import pandas as pd

    return pd.Series(list(names), dtype="str").array.take(codes, allow_fill=True)


def _table(index: Sequence[tuple[str, Any, int]], values: dict[str, np.ndarray]) -> pd.DataFrame:
    """A table with a row per element of the arrays, in C order, and columns that say where it stands.

    ``index``: (column, labels, axis); labels are numbers or names, one per place along that axis.
    """
    import pandas as pd

    shape = next(iter(values.values())).shape
    columns: dict[str, Any] = {}
    for column, labels, axis in index:
        inner = int(np.prod(shape[axis + 1 :]))
        outer = int(np.prod(shape[:axis]))
        places = np.tile(np.repeat(np.arange(shape[axis]), inner), outer)
        columns[column] = labels[places] if isinstance(labels, np.ndarray) else _named(labels, places)
    return pd.DataFrame(columns | {name: array.reshape(-1) for name, array in values.items()})
