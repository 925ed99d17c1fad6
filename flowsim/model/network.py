"""Network: stations, patient classes, routes, schedules and quotas as arrays, which is all that the engines know.

Codes: stations and classes are numbered as in the document. A destination is a station's code, ``len(stations)`` plus a
pool's code, `OUT` or `STAY`. Residents' numbers are addresses too (see `resident_number`).
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from flowsim.errors import InputError, path_of, toml_fault

OUT: Final = -1
STAY: Final = -2
NEVER: Final = -1
ALWAYS_OPEN: Final = 2**60
"""Servers of a station without limit, tokens of one without quota, length of a queue without limit."""

BOUNDS: Final = 8
"""Ways that are compared with a random word at once."""

STREAM_BITS: Final = 28
INITIAL_WAITING: Final = 2048
INITIAL_IN_SERVICE: Final = 3072
COMPANION_SHIFT: Final = 40

DISTRIBUTION: Final = np.dtype(
    [("family", "i4"), ("first", "i4"), ("count", "i4"), ("pad", "i4"), ("a", "f8"), ("b", "f8"), ("mean", "f8")]
)
"""Parameters of a distribution (see `flowsim.model.draws.sample`); ``first`` and ``count`` point into ``values``."""
STATION: Final = np.dtype(
    [
        ("servers", "i8"),
        ("tokens", "i8"),
        ("queue_limit", "i8"),
        ("servers_first", "i4"),
        ("servers_count", "i4"),
        ("quota_first", "i4"),
        ("quota_count", "i4"),
        ("quota_carries", "i4"),
        ("levels", "i4"),
        ("list", "i4"),
        ("uses_service_factor", "i4"),
        ("removes_second_place", "f8"),
    ]
)
"""A station: servers and tokens at time zero, then their steps in ``steps`` (``servers_first``, ``quota_first``...).
``list``: the code of its waiting list, or -1 where waits are not held against the norm."""
CELL: Final = np.dtype(
    [
        ("service", "i4"),
        ("patience", "i4"),
        ("age", "i4"),
        ("clock_first", "i4"),
        ("clock_count", "i4"),
        ("level", "i4"),
        ("renege_row", "i4"),
        ("full_row", "i4"),
        ("review_row", "i4"),
    ]
)
"""A class at a station: codes of distributions, clocks and rows of routes; -1 where there is none."""
ROW: Final = np.dtype([("first", "i4"), ("count", "i4")])
WAY: Final = np.dtype([("below", "u8"), ("station", "i4"), ("patient_class", "i4"), ("factor", "f8")])
"""One way of a row: taken when the random word is below ``below`` (the last way always); class -1 keeps the class."""
CLOCK: Final = np.dtype(
    [
        ("after", "i4"),
        ("kind", "i4"),
        ("station", "i4"),
        ("patient_class", "i4"),
        ("visit_station", "i4"),
        ("visit_class", "i4"),
        ("repeats", "i4"),
        ("pad", "i4"),
    ]
)
POOL: Final = np.dtype([("first", "i4"), ("count", "i4"), ("by_share", "i4"), ("pad", "i4"), ("second_list", "f8")])
STREAM: Final = np.dtype(
    [("station", "i4"), ("patient_class", "i4"), ("rate_first", "i4"), ("rate_count", "i4"), ("interval", "i4")]
)
STEP: Final = np.dtype([("time", "f8"), ("value", "f8")])
INITIAL: Final = np.dtype([("station", "i4"), ("patient_class", "i4"), ("waiting", "i8"), ("in_service", "i8")])
"""Who is there at time zero; class -1: drawn from ``class_mix``."""
STOP_RULE: Final = np.dtype(
    [
        ("at", "f8"),
        ("threshold", "f8"),
        ("at_least", "i4"),
        ("starts", "i4"),
        ("first", "i4"),
        ("count", "i4"),
        ("close_first", "i4"),
        ("close_count", "i4"),
        ("servers_first", "i4"),
        ("servers_count", "i4"),
    ]
)
OTHER_SERVERS: Final = np.dtype([("station", "i4"), ("first", "i4")])
"""Another schedule of servers for a station: from ``first`` on in ``steps``, the servers at time zero and then after
each step of the station's own schedule, at the same times."""


def resident_number(stream: int, nth: int) -> int:
    """Number of the ``nth`` resident of an arrival stream: an address, the same in every scenario with that stream.

    Streams `INITIAL_WAITING` + station and `INITIAL_IN_SERVICE` + station hold those present at time zero. A companion
    adds its ordinal at bit `COMPANION_SHIFT`.
    """
    return (stream << STREAM_BITS) | nth


@dataclass(frozen=True, eq=False)
class Network:
    """Everything that a simulation needs, as read-only arrays: engines keep what they make of them. For a network with
    other numbers, `dataclasses.replace` with arrays of its own; whoever hands one over no longer writes to it.

    Attributes (K stations, C classes, E route epochs)
    ----------
    station_names, class_names, pool_names, list_names : names of the codes.
    horizon, warm_up, snapshot_every : times. waiting_norm : after which wait somebody is overdue (inf: never).
    wait_bin : width of the bins in which waits are counted.
    periods : (M + 1,) float64, edges of the periods for which outcomes are kept.
    stations : (K,) `STATION`. cells : (K, C) `CELL`. route_rows : (E, K, C) int32, row on completion, in force from
    route_times[E]. rows, ways : `ROW`, `WAY`. distributions : `DISTRIBUTION`. values : float64.
    clocks : `CLOCK`. pools : `POOL`, with members (int32) and member_below (uint64) side by side.
    streams : `STREAM`. steps : `STEP`, all schedules. initial : `INITIAL`. class_mix : (C,) uint64.
    stop_rules : `STOP_RULE` with rule_stations (int32) and rule_servers (`OTHER_SERVERS`).
    pattern : a network that may differ from this one in numbers only, as futures of one scenario do, so that both have
        room of the same kind in an engine; None: none is known.
    """

    station_names: tuple[str, ...]
    class_names: tuple[str, ...]
    pool_names: tuple[str, ...]
    list_names: tuple[str, ...]
    horizon: float
    warm_up: float
    snapshot_every: float
    waiting_norm: float
    wait_bin: float
    periods: np.ndarray
    stations: np.ndarray
    cells: np.ndarray
    route_times: np.ndarray
    route_rows: np.ndarray
    rows: np.ndarray
    ways: np.ndarray
    distributions: np.ndarray
    values: np.ndarray
    clocks: np.ndarray
    pools: np.ndarray
    members: np.ndarray
    member_below: np.ndarray
    streams: np.ndarray
    steps: np.ndarray
    initial: np.ndarray
    class_mix: np.ndarray
    stop_rules: np.ndarray
    rule_stations: np.ndarray
    rule_servers: np.ndarray
    title: str = ""
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    pattern: Network | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        for name in (*_ARRAYS, "initial"):
            getattr(self, name).flags.writeable = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Of a copy, or from another process: its arrays are read-only too."""
        self.__dict__.update(state)
        self.__post_init__()

    @staticmethod
    def from_dict(document: Mapping[str, Any], where: str = "network") -> Network:
        """Build a network from plain data (see ``flowsim schema network``).

        Raises
        ------
        InputError : the first thing that cannot be used: key, what was found, what was expected.

        Examples
        --------
        >>> desk = {"name": "desk", "servers": 2, "service": {"distribution": "exponential", "mean": 1.0}}
        >>> arrivals = {"class": "adult", "station": "desk", "rate": 3.0}
        >>> document = {"horizon": 10.0, "classes": ["adult"], "stations": [desk], "arrivals": [arrivals]}
        >>> Network.from_dict(document).expected_arrivals
        30.0
        >>> Network.from_dict(document | {"horizon": -1.0})  # doctest: +ELLIPSIS
        Traceback (most recent call last):
        flowsim.errors.InputError: network: horizon: found -1.0; expected ...
        """
        from flowsim.model.build import build
        from flowsim.model.document import read

        return build(read(document, where), where, document)

    @staticmethod
    def from_toml(path: str | Path) -> Network:
        """Build a network from a TOML file; errors name the file."""
        return Network.from_dict(read_toml(path), str(path))

    @cached_property
    def alike(self) -> Network:
        """The pattern, as long as nothing but numbers differs from it; else this network itself."""
        pattern = self.pattern
        if pattern is None or any(getattr(self, name) != getattr(pattern, name) for name in _PLAIN):
            return self
        for name in _ARRAYS:
            own, other = getattr(self, name), getattr(pattern, name)
            if own is not other and (own.shape != other.shape or name in _STRUCTURE):
                return self
        return pattern

    @cached_property
    def way_below(self) -> np.ndarray:
        """The bounds of ``ways`` by themselves, uint64, with `BOUNDS` - 1 more behind: so many are read at once."""
        below = np.concatenate([self.ways["below"], np.zeros(BOUNDS - 1, np.uint64)])
        below.flags.writeable = False
        return below

    @cached_property
    def expected_arrivals(self) -> float:
        """Residents expected from outside over the horizon, those present at time zero included."""
        total = float(self.initial["waiting"].sum() + self.initial["in_service"].sum())
        renewal = self.streams["interval"] >= 0
        total += float((self.horizon / self.distributions["mean"][self.streams["interval"][renewal]]).sum())
        poisson = self.streams[~renewal]
        last = poisson["rate_first"] + poisson["rate_count"] - 1
        times = self.steps["time"].clip(0.0, self.horizon)
        ends = np.append(times[1:], self.horizon)
        ends[last] = self.horizon
        mass = np.concatenate([[0.0], np.cumsum((ends - times) * self.steps["value"])])
        return total + float((mass[last + 1] - mass[poisson["rate_first"]]).sum())

    def server_time(self, held: np.ndarray | None = None) -> np.ndarray:
        """Integral of the number of servers over (warm_up, horizon): (K,) float64, inf where there is no limit.

        ``held`` : (R, S), whether each stop rule held in each replication. The integral is then that of each
        replication, (R, K), with the servers that stations lost or got by stop rules.
        """
        total = np.array([_integral(self._course(k), self.warm_up, self.horizon) for k in range(len(self.stations))])
        total[self.stations["servers"] >= ALWAYS_OPEN] = np.inf
        if held is None:
            return total
        kinds, which = np.unique(held, axis=0, return_inverse=True)
        each = np.tile(total, (len(kinds), 1))
        for i, j in np.argwhere(kinds):
            for k in {*self._closed_by(j).tolist(), *self._others(j)["station"].tolist()}:
                if np.isfinite(total[k]):
                    each[i, k] = self._served_under_rules(k, kinds[i])
        return each[which.reshape(-1)]

    def servers_at(self, times: np.ndarray, stations: Sequence[int] | np.ndarray, held: np.ndarray) -> np.ndarray:
        """Number of servers of some stations at some times, in one replication: (T, P) float64, inf for no limit.

        ``times`` : (T,), rising. ``stations`` : (P,) codes. ``held`` : (S,), whether each stop rule held.
        """
        found = np.empty((len(times), len(stations)))
        rules = np.argsort(self.stop_rules["at"], kind="stable") if held.any() else ()
        for p, k in enumerate(stations):
            found[:, p] = self._servers(int(k), times)
            for j in rules:
                since = int(np.searchsorted(times, self.stop_rules[j]["at"]))
                if held[j] and k in self._closed_by(j):
                    found[since:, p] = 0.0
                    break  # for good
                for other in self._others(j) if held[j] else ():
                    if other["station"] == k:
                        found[since:, p] = self._servers(int(k), times[since:], int(other["first"]))
        return found

    def _servers(self, k: int, times: np.ndarray, first: int | None = None) -> np.ndarray:
        """Servers of a station at some times, inf for no limit; ``first``: where in ``steps`` other numbers begin."""
        if self.stations["servers"][k] >= ALWAYS_OPEN:
            return np.full(len(times), math.inf)
        course = self._course(k, first)
        return np.asarray(course["value"][course["time"][1:].searchsorted(times, side="right")])

    def _course(self, k: int, first: int | None = None) -> np.ndarray:
        """Servers of a station from each time on, `STEP`; ``first``: where in ``steps`` other numbers begin."""
        station = self.stations[k]
        course = np.zeros(1 + station["servers_count"], STEP)
        own = self.steps[station["servers_first"] : station["servers_first"] + station["servers_count"]]
        course["time"][1:] = own["time"]
        course["value"] = (
            [station["servers"], *own["value"]] if first is None else self.steps["value"][first:][: len(course)]
        )
        return course

    def _closed_by(self, j: int) -> np.ndarray:
        """Codes of the stations that stop rule ``j`` closes."""
        rule = self.stop_rules[j]
        return self.rule_stations[rule["close_first"] : rule["close_first"] + rule["close_count"]]

    def _others(self, j: int) -> np.ndarray:
        """The other schedules of servers that stop rule ``j`` brings, `OTHER_SERVERS`."""
        rule = self.stop_rules[j]
        return self.rule_servers[rule["servers_first"] : rule["servers_first"] + rule["servers_count"]]

    def _served_under_rules(self, k: int, held: np.ndarray) -> float:
        """`server_time` of station ``k`` in one replication; ``held``: (S,)."""
        since, total, course = self.warm_up, 0.0, self._course(k)
        end = self.horizon
        for j in np.argsort(self.stop_rules["at"], kind="stable"):
            if not held[j]:
                continue
            at = min(max(float(self.stop_rules[j]["at"]), since), end)
            for other in self._others(j):
                if other["station"] == k:
                    total += _integral(course, since, at)
                    since, course = at, self._course(k, int(other["first"]))
            if k in self._closed_by(j):
                end = at
        return total + _integral(course, since, end)


def _integral(course: np.ndarray, start: float, end: float) -> float:
    """Integral of a number of servers, `STEP` from time 0 on, over (start, end); 0 when that is empty."""
    times = np.append(course["time"], end).clip(start, max(start, end))
    return float(np.diff(times) @ course["value"])


_PLAIN: Final = (
    *("station_names", "class_names", "pool_names", "list_names"),
    *("horizon", "warm_up", "snapshot_every", "waiting_norm", "wait_bin"),
)
_STRUCTURE: Final = ("periods", "cells", "route_times", "route_rows", "rows", "pools", "members", "clocks")
"""Arrays that are the pattern's own, or it is no pattern: what they say is not only numbers."""
_ARRAYS: Final = (
    *_STRUCTURE,
    *("stations", "ways", "distributions", "values", "member_below", "streams", "steps", "class_mix"),
    *("stop_rules", "rule_stations", "rule_servers"),
)


def read_toml(path: str | Path) -> dict[str, Any]:
    """A TOML file as plain data.

    Raises
    ------
    InputError : a missing file, a directory, an empty file, or one that is not TOML.
    """
    path = path_of("path", path, "the path of a TOML file")
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise InputError(str(path), "no such file", "a TOML file", "file.none") from None
    except IsADirectoryError:
        raise InputError(str(path), "a directory", "a TOML file", "file.folder") from None
    except OSError as error:
        raise InputError(str(path), f"a file that cannot be read ({error.strerror})", "a TOML file") from None
    if not raw.strip():
        raise InputError(str(path), "an empty file", "a TOML file with content", "toml.empty")
    try:
        return tomllib.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise InputError(str(path), "binary data (not UTF-8 text)", "a TOML file", "toml.binary") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        code, place = toml_fault(error)
        raise InputError(str(path), f"text that is not TOML ({error})", "a TOML file", code, **place) from None
