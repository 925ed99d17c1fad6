"""Where ``flowsim run`` puts event logs: files that are written replication by replication, so that none is kept."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

import numpy as np

from flowsim.cli.files import Writing
from flowsim.errors import InputError
from flowsim.model.events import EVENT
from flowsim.model.network import Network

if TYPE_CHECKING:
    from flowsim.scenario.region import Region

FORMATS: Final = (".xes", ".xes.gz", ".csv", ".parquet")
Add = Callable[[int, np.ndarray], None]
"""Takes the number and the log of a replication."""


def format_of(log: Path) -> str:
    """One of `FORMATS`, by the end of a name; no end is CSV, and any other is itself."""
    name = log.name.lower()
    return ".xes.gz" if name.endswith(".xes.gz") else log.suffix.lower() or ".csv"


def check_logs(logs: Sequence[Path]) -> None:
    """Refuse names that say no format, and one file named twice."""
    for log in logs:
        if format_of(log) not in FORMATS:
            raise InputError("--log", repr(log.suffix), "a file that ends in " + ", ".join(FORMATS))
    if len(set(logs)) < len(logs):
        raise InputError("--log", f"{logs[0]} twice", "a name for each file")


def when(file: Path, asked: str | None) -> tuple[dt.date | None, Region | None]:
    """The date of time zero, and the region of a scenario, which says it; a network has what is asked for.

    Raises
    ------
    InputError : no date, or a date beside a scenario.
    """
    from flowsim.cli.documents import is_network, is_region
    from flowsim.model.network import read_toml

    if is_region(file) or not is_network(read_toml(file)):
        if asked is not None:
            raise InputError("--start", f"{asked} beside a scenario", "no --start: the region says when it begins")
        from flowsim.scenario.load import load
        from flowsim.scenario.region import load_region

        region = load_region(load(file).region)
        return region.start, region
    if asked is None:
        return None, None
    try:
        return dt.date.fromisoformat(asked), None
    except ValueError:
        raise InputError("--start", repr(asked), "a date, such as 2025-01-01") from None


def check_start(logs: Sequence[Path], animate: Path | None, start: dt.date | None) -> None:
    """Refuse what needs real dates when there is none."""
    dated = [f"--log {log}" for log in logs if format_of(log).startswith(".xes")] + (["--animate"] if animate else [])
    if dated and start is None:
        raise InputError(dated[0], "a network without a date", "--start YYYY-MM-DD beside it, the day of time zero")


def write_logs(
    files: Writing,
    logs: Sequence[Path],
    network: Network,
    start: dt.date | None,
    about: dict[str, Any],
    simulate: Callable[[Add], object],
) -> None:
    """Call ``simulate`` with a function that writes a replication's log to all of ``logs``."""

    def with_streams(left: Sequence[Path], adds: tuple[tuple[Path, BinaryIO], ...]) -> None:
        if left:
            files.write(left[0], lambda stream: with_streams(left[1:], (*adds, (left[0], stream))))
            return
        with ExitStack() as stack:
            writers = [_writer(path, stream, network, start, about, stack) for path, stream in adds]
            simulate(lambda number, log: _add(writers, number, log))

    with_streams(logs, ())


def described_logs(logs: Sequence[Path], out: Path, network: Network, start: dt.date | None) -> list[dict[str, Any]]:
    """What the columns mean of those logs that stand in the folder of the tables, for its ``datapackage.json``."""
    from flowsim.analysis.dictionary import package
    from flowsim.analysis.outcomes import events_table
    from flowsim.analysis.process_log import COLUMNS, MOMENT

    found: list[dict[str, Any]] = []
    for log in logs:
        kind = format_of(log).removeprefix(".")
        if kind in ("csv", "parquet") and out.resolve() in log.resolve().parents:
            table = events_table(network, [(0, np.empty(0, EVENT))])
            if kind == "csv":
                extra = (*COLUMNS, MOMENT) if start is not None else COLUMNS
                table = table.assign(**dict.fromkeys(extra, ""))
            one = package("run", {"events": table}, (kind,))["resources"][0]
            path = log.resolve().relative_to(out.resolve()).as_posix()
            found.append(one | {"name": f"events-{len(found)}-{kind}", "path": path})
    return found


def _writer(
    path: Path, stream: BinaryIO, network: Network, start: dt.date | None, about: dict[str, Any], stack: ExitStack
) -> Any:
    from flowsim.analysis.process_log import CsvWriter, ParquetWriter, XesWriter

    kind = format_of(path)
    if kind == ".parquet":
        return stack.enter_context(ParquetWriter(stream, network))
    if kind == ".csv":
        return stack.enter_context(CsvWriter(stream, network, start))
    assert start is not None
    if kind == ".xes.gz":  # no name and no time in its head: the same run gives the same bytes
        packed = stack.enter_context(gzip.GzipFile("", "wb", 6, stream, mtime=0))
        return stack.enter_context(XesWriter(cast("BinaryIO", packed), network, start, about))
    return stack.enter_context(XesWriter(stream, network, start, about))


def _add(writers: Iterable[Any], number: int, log: np.ndarray) -> None:
    from flowsim.analysis.process_log import ParquetWriter, steps_of

    steps = steps_of(number, log)
    for writer in writers:
        if isinstance(writer, ParquetWriter):
            writer.add(number, log)
        else:
            writer.add(steps)
