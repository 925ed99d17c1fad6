"""The event log as process-mining tools read it: a case per resident, activities with a life cycle, real dates.

`XesWriter` writes XES, the XML of IEEE Std 1849-2016 (https://doi.org/10.1109/IEEESTD.2016.7740858), with its
extensions Concept, Lifecycle and Time; `CsvWriter` and `ParquetWriter` write a row per event. All take the log of one
replication after the other and keep no more than one in memory.

An activity is a station. What an event does to it is a transition of the standard life cycle:

=====================================  =============  ==========================================================
kind of event                          transition     meaning
=====================================  =============  ==========================================================
arrive, waiting_at_start               schedule       comes to the station; the wait begins
start, in_service_at_start             start          treatment, conversation or consult begins (or was under way)
complete                               complete       it ends
transfer                               reassign       the wait goes on, on the list of this station
renege                                 withdraw       gives up waiting
balk                                   autoskip       the station is full or closed: passed by
review, change, exit                   complete       activities of their own, without a length
ticket, drop                           schedule,      a place on a second list (activity ``second_place``), and the
                                       withdraw       end of that place
=====================================  =============  ==========================================================

Visits that are made on behalf of a resident who waits (companions) belong to that resident's case. ``close`` concerns a
station and no resident: it is in Parquet alone.
"""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, Final
from xml.sax.saxutils import quoteattr

import numpy as np

from flowsim.model import events
from flowsim.model.network import COMPANION_SHIFT, Network

TRANSITIONS: Final[dict[int, str]] = {
    events.ARRIVE: "schedule",
    events.WAITING_AT_START: "schedule",
    events.TICKET: "schedule",
    events.START: "start",
    events.IN_SERVICE_AT_START: "start",
    events.COMPLETE: "complete",
    events.REVIEW: "complete",
    events.CHANGE: "complete",
    events.EXIT: "complete",
    events.TRANSFER: "reassign",
    events.RENEGE: "withdraw",
    events.DROP: "withdraw",
    events.BALK: "autoskip",
}
"""Transition of the standard life cycle (XES, Lifecycle extension) of each kind of event."""
OWN_NAMES: Final[dict[int, str]] = {
    events.CHANGE: "need_changes",
    events.EXIT: "leaves",
    events.TICKET: "second_place",
    events.DROP: "second_place",
}
"""Activities that are no station."""
OPENS: Final = (events.ARRIVE, events.WAITING_AT_START, events.IN_SERVICE_AT_START)
"""An instance of an activity begins: what follows at the station belongs to it."""
APART: Final = (events.REVIEW, *OWN_NAMES)
"""Events that are an instance of their own."""
EXTENSIONS: Final = ("Concept", "Lifecycle", "Time")
COLUMNS: Final = ("case:concept:name", "concept:name", "concept:instance", "lifecycle:transition")
MOMENT: Final = "time:timestamp"
"""Columns of a CSV beside those of the log; the second where time zero has a date."""
LINES: Final = 20_000
"""Lines of XML that are put together before they go to the disk."""


@dataclass(frozen=True, eq=False)
class Steps:
    """The log of one replication, an element per event of a resident, in the order of the log.

    Attributes
    ----------
    number : of the replication. log : (N,) `flowsim.model.events.EVENT`, without events about a station alone.
    """

    number: int
    log: np.ndarray

    @cached_property
    def case(self) -> np.ndarray:
        """(N,) number of the resident; of a companion: that of the resident it comes for."""
        return np.asarray(self.log["resident"] & ((1 << COMPANION_SHIFT) - 1))

    @cached_property
    def instance(self) -> np.ndarray:
        """(N,) numbers that are equal for the events of one visit to a station, and differ otherwise."""
        order = np.argsort(self.log["resident"], kind="stable")
        kind = self.log["kind"][order]
        place = np.arange(len(order))
        first = np.ones(len(order), bool)
        first[1:] = self.log["resident"][order][1:] != self.log["resident"][order][:-1]
        opened = np.maximum.accumulate(np.where(np.isin(kind, OPENS) | first, place, 0))
        made = np.empty(len(order), np.int64)
        made[order] = np.where(np.isin(kind, APART), place, opened)
        return made

    @cached_property
    def traces(self) -> np.ndarray:
        """(N,) order in which the events of a resident stand together, each resident's by time."""
        return np.argsort(self.case, kind="stable")


def steps_of(number: int, log: np.ndarray) -> Steps:
    """The events of residents in the log of a replication."""
    return Steps(number, log[log["resident"] >= 0])


def moments(days: np.ndarray, start: dt.date) -> np.ndarray:
    """(N,) datetime64[ms] of days since the beginning of ``start``, without time zone."""
    milliseconds = np.rint(days * 86_400_000.0).astype("timedelta64[ms]")
    return np.asarray(np.datetime64(start, "ms") + milliseconds)


def _activity_names(network: Network) -> tuple[list[str], np.ndarray]:
    """All names of activities, and for each kind the place in that list: stations' own (-1) or a fixed one."""
    names = list(network.station_names)
    of_kind = np.full(max(events.KIND_NAMES) + 1, -1)
    for kind, name in OWN_NAMES.items():
        if name not in names:
            names.append(name)
        of_kind[kind] = names.index(name)
    return names, of_kind


class XesWriter:
    """Writes XES to a stream, trace by trace. Use as a context manager: the end tag is written on leaving.

    Parameters
    ----------
    stream : opened for bytes. network : names of stations and classes. start : the date of time zero; days.
    about : attributes of the log as a whole (title, seed, ...).
    """

    def __init__(self, stream: BinaryIO, network: Network, start: dt.date, about: dict[str, Any]) -> None:
        self.stream, self.start = stream, start
        names, self.of_kind = _activity_names(network)
        self.activities = [_string("concept:name", name) for name in names]
        self.classes = [_string("patient_class", name) for name in network.class_names]
        kinds = range(max(events.KIND_NAMES) + 1)
        self.kinds = [
            _string("lifecycle:transition", TRANSITIONS.get(kind, "unknown"))
            + _string("kind", events.KIND_NAMES.get(kind, ""))
            for kind in kinds
        ]
        self.about = about
        self.can_go_back = self.stream.seekable() and not isinstance(self.stream, gzip.GzipFile)

    def __enter__(self) -> XesWriter:
        extensions = "".join(
            f'<extension name="{name}" prefix="{name.lower()}" uri="http://www.xes-standard.org/{name.lower()}.xesext"/>\n'
            for name in EXTENSIONS
        )
        unknown = '<date key="time:timestamp" value="1970-01-01T00:00:00.000+00:00"/>'
        strings = ("concept:name", "concept:instance", "lifecycle:transition", "kind", "patient_class")
        self._write(
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<log xes.version="1849.2016" xes.features="nested-attributes" xmlns="http://www.xes-standard.org/">\n'
            f"{extensions}"
            f'<global scope="trace">{_string("concept:name", "")}</global>\n'
            f'<global scope="event">{"".join(_string(key, "") for key in strings)}{unknown}</global>\n'
            '<classifier name="Activity" keys="concept:name"/>\n'
            '<classifier name="Activity-and-transition" keys="concept:name lifecycle:transition"/>\n'
            f"{_string('lifecycle:model', 'standard')}\n"
            + "".join(_string(key, str(value)) + "\n" for key, value in self.about.items())
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._write("</log>\n")

    def add(self, steps: Steps) -> None:
        """Write the traces of one replication: all of them, or none when it is interrupted (compressed: those
        that were begun)."""
        before = self.stream.tell() if self.can_go_back else None
        lines: list[str] = []
        last = "</trace>\n"
        try:
            for line in self._lines(steps):
                last = line
                lines.append(line)
                if len(lines) == LINES:
                    self._write("".join(lines))
                    lines.clear()
            self._write("".join(lines))
        except KeyboardInterrupt:
            if before is None:
                self._write("".join(lines) + ("" if last.endswith("</trace>\n") else "</trace>\n"))
            else:
                self.stream.seek(before)
                self.stream.truncate()
            raise

    def _lines(self, steps: Steps) -> Iterator[str]:
        order, before = steps.traces, None
        for i in range(0, len(order), LINES):  # Python objects of a part of the log at a time
            part = order[i : i + LINES]
            log = steps.log[part]
            own = self.of_kind[log["kind"]]
            columns = (
                steps.case[part].tolist(),
                log["kind"].tolist(),
                np.where(own < 0, log["station"], own).tolist(),
                log["patient_class"].tolist(),
                steps.instance[part].tolist(),
                np.datetime_as_string(moments(log["time"], self.start), unit="ms").tolist(),
            )
            for case, kind, activity, patient_class, instance, moment in zip(*columns, strict=True):
                if case != before:
                    end = "</trace>\n" if before is not None else ""
                    before = case
                    replication = f'<int key="replication" value="{steps.number}"/>'
                    yield f"{end}<trace>{_string('concept:name', f'{steps.number}-{case}')}{replication}\n"
                yield (
                    f"<event>{self.activities[activity]}"
                    f'<string key="concept:instance" value="{instance}"/>'
                    f'{self.kinds[kind]}<date key="time:timestamp" value="{moment}+00:00"/>'
                    f"{self.classes[patient_class]}</event>\n"
                )
        if before is not None:
            yield "</trace>\n"

    def _write(self, text: str) -> None:
        self.stream.write(text.encode())


def _string(key: str, value: str) -> str:
    return f"<string key={quoteattr(key)} value={quoteattr(value)}/>"


class CsvWriter:
    """Writes a row per event of a resident, in the order of the log, with the columns that process-mining tools expect.

    Columns: replication, time, kind, resident, station, patient_class (as in `Output.events`), and
    ``case:concept:name``, ``concept:name``, ``concept:instance``, ``lifecycle:transition``, ``time:timestamp`` (left
    out without a date of time zero).
    """

    def __init__(self, stream: BinaryIO, network: Network, start: dt.date | None) -> None:
        self.stream, self.network, self.start = stream, network, start
        self.names, self.of_kind = _activity_names(network)
        self.writer: Any = None

    def __enter__(self) -> CsvWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self.writer is not None:
            self.writer.close()

    def add(self, steps: Steps) -> None:
        """Write the rows of one replication."""
        import pyarrow as pa
        from pyarrow import csv

        log = steps.log
        kinds = range(max(events.KIND_NAMES) + 1)
        own = self.of_kind[log["kind"]]
        case = np.char.add(f"{steps.number}-", steps.case.astype(str)) if len(log) else np.empty(0, str)
        columns = {
            "replication": np.full(len(log), steps.number),
            "time": log["time"],
            "kind": _coded([events.KIND_NAMES.get(kind, "") for kind in kinds], log["kind"]),
            "resident": log["resident"],
            "station": _coded(self.network.station_names, log["station"]),
            "patient_class": _coded(self.network.class_names, log["patient_class"]),
            "case:concept:name": case,
            "concept:name": _coded(self.names, np.where(own < 0, log["station"], own)),
            "concept:instance": steps.instance,
            "lifecycle:transition": _coded([TRANSITIONS.get(kind, "unknown") for kind in kinds], log["kind"]),
        }
        if self.start is not None:
            moment = np.datetime_as_string(moments(log["time"], self.start), unit="ms")
            columns["time:timestamp"] = np.char.add(moment, "+00:00") if len(log) else np.empty(0, str)
        table = pa.table({name: pa.array(values) for name, values in columns.items()})
        if self.writer is None:
            options = csv.WriteOptions(quoting_style="needed")
            self.writer = csv.CSVWriter(self.stream, table.schema, write_options=options)
        self.writer.write_table(table)


def _coded(names: Sequence[str], codes: np.ndarray) -> Any:
    return np.array([*names, ""], dtype=object)[codes]


class ParquetWriter:
    """Writes the table of `Output.events`, a row group per replication."""

    def __init__(self, stream: BinaryIO, network: Network) -> None:
        self.stream, self.network = stream, network
        self.writer: Any = None

    def __enter__(self) -> ParquetWriter:
        return self

    def __exit__(self, *_: object) -> None:
        if self.writer is not None:
            self.writer.close()

    def add(self, number: int, log: np.ndarray) -> None:
        """Write the rows of one replication."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from flowsim.analysis.outcomes import events_table

        table = pa.Table.from_pandas(events_table(self.network, [(number, log)]), preserve_index=False)
        if self.writer is None:
            self.writer = pq.ParquetWriter(self.stream, table.schema)
        self.writer.write_table(table)
