"""Results on disk: tables as Parquet and CSV, and a manifest; complete or not there at all."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
import platform
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from flowsim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.scenario.load import Scenario

MADE: Final = (".pyc", ".pyo", ".nbi", ".nbc")
"""Ends of the names of files that Python and Numba make themselves."""
ONLY_CHECKED: Final = ("investment", "budget", "kpi", "business_case.printed", "functions.printed")
"""Beginnings of keys of figures that the plan's arithmetic is checked by and nothing simulated rests on."""
CRATE: Final = "ro-crate-metadata.json"
"""What describes a folder of results as an RO-Crate."""
PART: Final = ".part"
"""End of the name of a file that is not whole yet."""


def provenance() -> dict[str, Any]:
    """Versions and machine: what a repetition to the last bit depends on beside the input."""
    from importlib.metadata import PackageNotFoundError, version

    import flowsim

    packages = ("numpy", "numba", "llvmlite", "scipy", "simpy", "pandas", "pyarrow", "pydantic")
    versions = {}
    for name in packages:
        with contextlib.suppress(PackageNotFoundError):
            versions[name] = version(name)
    return {
        "flowsim": flowsim.__version__,
        "sources": sources_hash(),
        "python": sys.version.split()[0],
        "packages": versions,
        "machine": {"system": platform.platform(), "processor": _processor(), "cores": os.cpu_count()},
        "time": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
    }


def sources_hash() -> str:
    """Fingerprint of all of flowsim's own files: code, figures, posterior, texts, how the report and the app look."""
    return hash_of(Path(__file__).resolve().parent.parent)


def hash_of(root: Path) -> str:
    """Fingerprint of the files in a folder, by name and content; not of hidden files and those of `MADE`."""
    digest = hashlib.sha256()
    for file in sorted(file for file in root.rglob("*") if file.suffix not in MADE and file.is_file()):
        if any(part.startswith((".", "__pycache__")) for part in file.relative_to(root).parts):
            continue
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def check_folder(folder: Path) -> None:
    """Refuse a folder that results cannot be written to, before anything is simulated."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"\0" * 4096)
    except OSError as error:
        raise InputError(
            f"output folder {folder}", error.strerror or str(error), "a folder that can be written"
        ) from None


def listed(folder: Path) -> set[str]:
    """Names of the tables in a folder, by its dictionary; none where there is no such list."""
    from flowsim.analysis.dictionary import FILE

    try:
        resources = json.loads((folder / FILE).read_text(encoding="utf-8"))["resources"]
        names = {str(one["path"]) for one in resources}
    except (OSError, ValueError, KeyError, TypeError):
        return set()
    return {name for name in names if Path(name).name == name and Path(name).suffix in (".csv", ".parquet")}


def drop(folder: Path, names: set[str]) -> None:
    """Take away tables of the run before, which would pass for those of the run that was written now; and the crate's
    description, which is of those."""
    for name in (*names, CRATE):
        (folder / name).unlink(missing_ok=True)


@contextlib.contextmanager
def all_or_nothing(folder: Path) -> Iterator[Path]:
    """A folder beside ``folder`` to write in; its files move over when all of them are written.

    Raises
    ------
    InputError : the disk is full or the folder cannot be written; then nothing has changed in ``folder``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=".flowsim-", dir=folder))
    except OSError as error:
        raise InputError(
            f"output folder {folder}", error.strerror or str(error), "a folder that can be written"
        ) from None
    try:
        yield work
        before, now = listed(folder), listed(work)
        for file in sorted(work.iterdir()):
            os.replace(file, folder / file.name)
        if now:
            drop(folder, before - now)
    except OSError as error:
        place = f"output folder {folder}"
        raise InputError(
            place, error.strerror or str(error), "room to write the results; nothing was written"
        ) from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def write_durably(file: Path, fill: Callable[[BinaryIO], object], kept: str) -> None:
    """Write a file so that it is there whole or not at all, also when the machine stops: beside its place, to the
    disk, then renamed.

    Raises
    ------
    InputError : the disk is full or the folder cannot be written; ``kept`` says what is still there.
    """
    beside = file.with_name(f".{file.name}.{os.getpid()}{PART}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(beside, "wb") as stream:
                fill(stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(beside, file)
        finally:
            beside.unlink(missing_ok=True)
        _sync_folder(file.parent)
    except OSError as error:
        found = error.strerror or str(error)
        raise InputError(f"output folder {file.parent}", found, f"room to write the results; {kept}") from None


def _sync_folder(folder: Path) -> None:
    """The new name to the disk too, where the system can do that."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """One process at a time works in a folder; the system lets go of it when the process ends, however it ends.

    Raises
    ------
    InputError : another process is at work there.
    """
    try:
        import fcntl
    except ImportError:  # not on Windows
        yield
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"output folder {folder}", "a sweep that is running in it", "it to end, or another --out"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield
    finally:
        os.close(handle)


def write_tables(folder: Path, tables: Mapping[str, pd.DataFrame], command: str = "answer") -> None:
    """Each table as ``name.parquet`` and ``name.csv``, and what their columns mean.

    Parameters
    ----------
    command : whose tables they are, in `flowsim.analysis.dictionary`.
    """
    from flowsim.analysis import dictionary

    write_json(folder / dictionary.FILE, dictionary.package(command, tables, ("csv", "parquet")))
    for name, table in tables.items():
        table.to_parquet(folder / f"{name}.parquet", index=False)
        table.to_csv(folder / f"{name}.csv", index=False, float_format="%.10g")


def run_record(seconds: float, command: Any) -> dict[str, Any]:
    """What every manifest says of a run: its `provenance`, the command (None: called from Python), and the seconds."""
    return {**provenance(), "command": command, "seconds": round(seconds, 1)}


def scenario_described(scenario: Scenario) -> dict[str, Any]:
    """A scenario as a manifest holds it: ``scenario``, all that `flowsim.study.repeat.scenario_of` needs to make it
    again, and ``figures``, those that it rests on with their sources, for who reads it."""
    return {
        "scenario": {
            "name": scenario.name,
            "title": scenario.title,
            "hash": scenario.hash,
            "region": scenario.region,
            "files": list(scenario.files),
            "settings": dict(scenario.settings),
            "changes": [
                {
                    "key": change.key,
                    "before": [value for _, value in change.before.values],
                    "value": {day.isoformat(): value for day, value in change.after.values},
                    "low": change.after.low,
                    "high": change.after.high,
                    "because": change.because,
                    "file": change.file,
                }
                for change in scenario.changes
            ],
        },
        "figures": {
            key: {
                "value": [value for _, value in figure.values],
                "unit": figure.unit,
                "kind": figure.kind,
                "source": f"{figure.source.document}, {figure.source.section}",
                "low": figure.low,
                "high": figure.high,
            }
            for key, figure in scenario.book.items()
            if not key.startswith(ONLY_CHECKED)
        },
    }


def scenario_record(scenario: Scenario) -> dict[str, Any]:
    """All of a scenario that a simulation depends on, as JSON knows it: for a manifest, and to see what differs."""
    return {
        "region": str(scenario.region),
        "region_files": scenario.region_files,
        "settings": dict(scenario.settings),
        "figures": {
            key: {
                "value": {day.isoformat(): x for day, x in figure.values} if figure.dated else figure.at(),
                "low": figure.low,
                "high": figure.high,
            }
            for key, figure in scenario.book.items()
        },
    }


def write_json(file: Path, content: Mapping[str, Any]) -> None:
    """A JSON file that people can read."""
    file.write_text(json.dumps(content, indent=1, ensure_ascii=False, default=str) + "\n", encoding="utf-8")
