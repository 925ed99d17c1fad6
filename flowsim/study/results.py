"""The folder of a sweep: a manifest, a Parquet file per finished block, and the table of points at the end.

::

    manifest.json                what was asked, what made it, what the columns mean
    runs/block-000000.parquet    a row per replication: point, future, outcomes
    points.parquet, points.csv   a row per point and outcome: the factors' levels, mean, interval, quantiles

A block's file is there whole or not at all. The same experiment, code and packages give the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np

from flowsim.analysis import measures
from flowsim.errors import InputError
from flowsim.study import store
from flowsim.study.execute import Block, Blocks, Columns
from flowsim.study.experiment import Experiment
from flowsim.study.summary import summarised

MANIFEST: Final = "manifest.json"
RUNS: Final = "runs"
POINTS: Final = "points"
FINGERPRINT: Final = b"flowsim"
"""Key in a block's file of what it belongs to."""
PACKAGES: Final = ("numpy", "numba", "llvmlite", "scipy", "pyarrow")
"""Packages of which another version may change a byte of the results."""
MOST_SHOWN: Final = 3
GROUP: Final = 4096
"""Rows of the table of points that are in memory together."""


def identity(experiment: Experiment) -> dict[str, Any]:
    """All that the bytes of the results follow from."""
    made = store.provenance()
    return {
        "experiment": json.loads(json.dumps(experiment.content)),
        "scenario": store.scenario_record(experiment.base),
        "flowsim": {"sources": made["sources"]},
        "python": ".".join(map(str, sys.version_info[:2])),
        "packages": {name: made["packages"].get(name) for name in PACKAGES},
    }


def differences(then: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """(path, then, now) for everything that differs between two identities."""
    if isinstance(then, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*then, *now)):
            yield from differences(then.get(key), now.get(key), f"{path}.{key}" if path else str(key))
    elif then != now:
        yield path, then, now


class Folder:
    """The results of one experiment on disk; finished blocks stay, whatever happens."""

    def __init__(self, place: Path, experiment: Experiment) -> None:
        self.place = place
        self.experiment = experiment
        self.blocks = Blocks(experiment)
        self.identity = identity(experiment)
        content = json.dumps(self.identity, sort_keys=True, default=str)
        self.fingerprint = hashlib.sha256(content.encode()).hexdigest()[:16]
        self.made: dict[str, Any] = {}

    # ---------------------------------------------------------------- what is there

    def begin(self) -> set[int]:
        """Numbers of the blocks that are there already; writes nothing.

        Raises
        ------
        InputError : a folder that cannot be written, that holds other things, or results of another experiment, code
            or figures; the message says what differs. A Parquet file in ``runs`` that is no block of this sweep.
        """
        manifest = self.place / MANIFEST
        if not manifest.exists():
            others = [self.place / RUNS, *self.place.glob(f"{POINTS}.*")]
            if any(other.exists() for other in others):
                found = f"{RUNS} or {POINTS} without {MANIFEST}"
                raise InputError(f"output folder {self.place}", found, "a folder that is empty, or another --out")
            return set()
        try:
            self.made = json.loads(manifest.read_text(encoding="utf-8"))
            then = self.made["identity"]
        except (OSError, ValueError, TypeError, KeyError):
            raise InputError(str(manifest), "no manifest of a sweep", "an empty folder, or another --out") from None
        different = list(differences(then, json.loads(json.dumps(self.identity, default=str))))
        if different:
            shown = "; ".join(f"{what} was {_short(a)}, is {_short(b)}" for what, a, b in different[:MOST_SHOWN])
            more = f"; and {len(different) - MOST_SHOWN} more" if len(different) > MOST_SHOWN else ""
            found = f"results that do not mix with these: {shown}{more}"
            raise InputError(f"output folder {self.place}", found, "what made them, or another --out")
        for left in (*self.place.glob(f".*{store.PART}"), *(self.place / RUNS).glob(f".*{store.PART}")):
            left.unlink(missing_ok=True)  # of a process that was killed while it wrote
        self._refuse_strangers()
        return {number for number in range(len(self.blocks)) if self._is_there(number)}

    def _refuse_strangers(self) -> None:
        """Refuse what would be read with the blocks by whoever reads all of ``runs``, and is none of them."""
        own = [self.file(number) for number in range(len(self.blocks))]
        runs, known = self.place / RUNS, set(own)
        for file in sorted(runs.rglob("*.parquet")):
            inside = file.relative_to(runs)
            if file not in known and not any(part.startswith((".", "_")) for part in inside.parts):
                expected = f"nothing but {own[0].name} to {own[-1].name}: take it away, or another --out"
                raise InputError(f"output folder {self.place}", f"{RUNS}/{inside}, no block of this sweep", expected)

    def file(self, number: int) -> Path:
        return self.place / RUNS / f"block-{number:06d}.parquet"

    def _is_there(self, number: int) -> bool:
        """Whether a block is finished. A file that cannot be read, or does not hold what was written (a disk that
        failed, a copy that went wrong), is made again."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        file = self.file(number)
        if not file.exists():
            return False
        try:
            with pq.ParquetFile(file, page_checksum_verification=True) as opened:
                written = (opened.schema_arrow.metadata or {}).get(FINGERPRINT, b"").decode()
                if written == self.fingerprint:
                    return self._holds(self.blocks[number], opened.read())
        except (OSError, ValueError, MemoryError, pa.ArrowException):
            return False
        raise InputError(str(file), f"results of another sweep ({written or 'unknown'})", self.fingerprint)

    def _holds(self, block: Block, table: Any) -> bool:
        """Whether a table has the columns and rows of a block."""
        if table.column_names != ["point", "future", *self.experiment.outcomes]:
            return False
        point, future = table["point"].to_numpy(), table["future"].to_numpy()
        if self.experiment.futures is not None:
            expected = divmod(np.arange(block.first, block.last), self.experiment.futures)
            return all(map(np.array_equal, (point, future), expected))
        starts = np.flatnonzero(future == 0)
        return np.array_equal(point[starts], np.arange(block.first, block.last))

    # ---------------------------------------------------------------- writing

    def write(self, block: Block, columns: Columns) -> None:
        """Put a block on the disk.

        Raises
        ------
        InputError : no room, or a folder that cannot be written; blocks that were written before stay.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        table = pa.table(columns).replace_schema_metadata({FINGERPRINT: self.fingerprint})
        if not self.made:  # the first block of all: what it belongs to goes before it
            self.made = self._manifest()
            self._write_manifest()
        kept = "blocks that were finished are kept, and the same command goes on from there"

        def fill(stream: Any) -> None:
            pq.write_table(table, stream, write_page_checksum=True)  # so that `_is_there` sees a single wrong bit

        store.write_durably(self.file(block.number), fill, kept)

    def finish(self, seconds: float, blocks: int) -> None:
        """The table of points, when every block is there; and the session in the manifest."""
        self._write_points()
        if blocks:
            self.session(seconds, blocks)

    def session(self, seconds: float, blocks: int) -> None:
        """Note in the manifest that ``blocks`` blocks were made in so many seconds, by what."""
        made = store.provenance()
        one = {key: made[key] for key in ("flowsim", "python", "packages", "machine", "time")}
        self.made["sessions"] = [
            *self.made.get("sessions", []),
            {**one, "seconds": round(seconds, 1), "blocks": blocks},
        ]
        self._write_manifest()

    def _manifest(self) -> dict[str, Any]:
        experiment, about = self.experiment, measures.known()
        return {
            **store.provenance(),
            "kind": "sweep",
            "experiment": {"name": experiment.name, "title": experiment.title, "asks": experiment.asks},
            "scenario": {"name": experiment.base.name, "title": experiment.base.title, "hash": experiment.base.hash},
            "design": {
                "points": len(experiment.design),
                "blocks": len(self.blocks),
                "factors": {factor.path: self._about_factor(factor.path) for factor in experiment.factors},
            },
            "columns": {
                "point": "number of the design point, from 0",
                "future": "number of the future: the same unknowns and luck at every point",
                **{name: f"{about[name][0]}: {about[name][1]}" for name in experiment.outcomes},
            },
            "fingerprint": self.fingerprint,
            "identity": self.identity,
            "sessions": [],
        }

    def _about_factor(self, path: str) -> str:
        figure = self.experiment.base.book.get(path)
        if figure is None:
            return "a setting of the scenario"
        return f"{figure.unit} ({figure.source.document}, {figure.source.section})"

    def _write_manifest(self) -> None:
        content = json.dumps(self.made, indent=1, ensure_ascii=False, default=str) + "\n"
        kept = "finished blocks are kept"
        store.write_durably(self.place / MANIFEST, lambda stream: stream.write(content.encode()), kept)

    # ---------------------------------------------------------------- points

    def runs(self) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
        """(point, outcomes (n,)) one by one, from the blocks; one block is in memory at a time."""
        import pyarrow.parquet as pq

        names = ["point", *self.experiment.outcomes]
        point, parts = -1, list[dict[str, np.ndarray]]()
        for number in range(len(self.blocks)):
            table = pq.read_table(self.file(number), columns=names)
            columns = {name: table[name].to_numpy() for name in names}
            starts = np.flatnonzero(np.diff(columns["point"], prepend=np.int32(-1)))
            for first, last in zip(starts, [*starts[1:], len(table)], strict=True):
                here = int(columns["point"][first])
                if here != point and parts:
                    yield point, _joined(parts)
                    parts = []
                point = here
                parts.append({name: columns[name][first:last] for name in names[1:]})
        if parts:
            yield point, _joined(parts)

    def _write_points(self) -> None:
        import pandas as pd
        import pyarrow as pa
        import pyarrow.parquet as pq

        rows = summarised(self.experiment, self.runs())
        parquet, csv = (self.place / f"{POINTS}.{kind}" for kind in ("parquet", "csv"))
        kept = "every block is kept, and the same command makes the table of points"

        def fill(stream: Any) -> None:
            writer = None
            try:
                for group in _groups(rows):
                    table = pa.Table.from_pandas(pd.DataFrame(group), preserve_index=False)
                    writer = writer or pq.ParquetWriter(stream, table.schema.remove_metadata())
                    writer.write_table(table.replace_schema_metadata(None))
            finally:
                if writer is not None:
                    writer.close()

        def fill_csv(stream: Any) -> None:
            with pq.ParquetFile(parquet) as file:
                for i in range(file.num_row_groups):
                    frame = file.read_row_group(i).to_pandas()
                    frame.to_csv(stream, index=False, header=i == 0, float_format="%.10g", lineterminator="\n")

        store.write_durably(parquet, fill, kept)
        store.write_durably(csv, fill_csv, kept)
        self._write_dictionary(parquet, kept)

    def _write_dictionary(self, points: Path, kept: str) -> None:
        """What the columns of both tables mean, beside them."""
        import pyarrow.parquet as pq

        from flowsim.analysis import dictionary

        files = [self.file(number) for number in range(len(self.blocks))]
        tables = {
            name: pq.read_schema(file).remove_metadata().empty_table().to_pandas()
            for name, file in ((POINTS, points), (RUNS, files[0]))
        }
        content = dictionary.package("sweep", {POINTS: tables[POINTS]}, ("csv", "parquet"))
        runs = dictionary.package("sweep", {RUNS: tables[RUNS]}, ("parquet",))["resources"][0]
        content["resources"].append(runs | {"path": [f"{RUNS}/{file.name}" for file in files]})
        written = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
        store.write_durably(self.place / dictionary.FILE, lambda stream: stream.write(written.encode()), kept)


def finished(place: Path) -> int:
    """Number of blocks in a folder of results."""
    return sum(1 for _ in (place / RUNS).glob("block-*.parquet"))


def _joined(parts: list[dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _groups(rows: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    from itertools import islice

    while group := list(islice(rows, GROUP)):
        yield group


def _short(value: Any) -> str:
    written = "nothing" if value is None else value if isinstance(value, str) else json.dumps(value, default=str)
    return written if len(written) < 40 else written[:37] + "..."
