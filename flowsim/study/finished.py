"""An answer read back from the folder that `flowsim answer` wrote: its tables and its manifest, without simulating."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis.statistics import Estimate
from flowsim.errors import InputError
from flowsim.scenario.load import Scenario
from flowsim.scenario.region import load_region
from flowsim.study.answer import CURVE_FUTURES, Answer, cases_of
from flowsim.study.futures import Case, definition
from flowsim.study.repeat import Repeat, from_manifest, opened

if TYPE_CHECKING:
    import pandas as pd

MANIFEST: Final = "manifest.json"
NEEDED: Final[Mapping[str, tuple[str, ...]]] = {
    "summary": ("case", "futures", "cleared", "cleared_low", "cleared_high", "wait_ratio", "wait_halved"),
    "years": ("case", "year", "measure", "mean", "mean_low", "mean_high", "q05", "q95"),
    "fan": ("case", "day", "measure", "q05", "q25", "q50", "q75", "q95"),
    "programmes": ("case", "year", "waiting", "overdue"),
    "volumes": ("case", "year", "volume", "mean"),
    "unknowns": (),
    "uncertainty": (),
    "futures": ("case", "future", "cleared_day"),
    "targets": (),
    "euros": (),
}
"""The tables of every answer, and columns that they cannot do without; what names none may be without rows."""
OPTIONAL: Final = ("calibration", "curve", "measure_first")


class Emptied(Case):
    """A case of which the futures are gone: it is not compiled, as it is not going to run."""

    def __post_init__(self) -> None:
        self.region = load_region(self.scenario.region)
        self.definition = definition(self.scenario, self.region)


@dataclass
class Finished(Answer):
    """An answer whose futures are no longer there: its cases are empty, its tables are as they were written."""

    written: dict[str, pd.DataFrame] = field(default_factory=dict)

    def probability(self, name: str) -> Estimate:
        """Probability that the lists are cleared in time, as it was written."""
        summary = self.written["summary"]
        row = summary[summary["case"] == name].iloc[0]
        value, low, high = (float(row[column]) for column in ("cleared", "cleared_low", "cleared_high"))
        return Estimate(value, low, high, int(row["futures"]) + int(row.get("chosen", 0)))

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables as they were written."""
        return self.written


def read(folder: str | Path) -> tuple[Finished, Repeat]:
    """An answer from its folder, and what its manifest says about the run.

    Raises
    ------
    InputError : no folder of `flowsim answer`: a manifest or table that is missing, broken or of another run.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError(f"results {folder}", "no folder", "a folder that `flowsim answer` wrote")
    asked = from_manifest(folder / MANIFEST)
    tables = {name: _table(folder, name, columns) for name, columns in NEEDED.items()}
    for name in OPTIONAL:
        if (folder / f"{name}.parquet").exists():
            tables[name] = _table(folder, name, ())
    known = cases_of(asked.scenario)
    cases = {name: _case(name, known, folder) for name in map(str, tables["summary"]["case"])}
    if not cases:
        raise InputError(f"results {folder}: summary.parquet", "no rows", "a row for each case")
    for name, columns in NEEDED.items():
        if columns and set(tables[name]["case"]) != set(cases):
            raise InputError(
                f"results {folder}: {name}.parquet", "other cases than in summary.parquet", "tables of one run"
            )
    found = Finished(
        asked.scenario,
        asked.seed,
        asked.half_width,
        cases,
        calibration=tables.get("calibration"),
        interrupted=asked.was_interrupted,
        curve_asked=asked.curve,
        most=asked.most,
        draws=asked.draws,
        written=tables,
    )
    if "curve" in tables:
        counts = _curve_counts(folder)
        found.curve = [_point(row, counts, found, folder) for row in tables["curve"].to_dict("records")]
    return found, asked


def _case(name: str, known: Mapping[str, Scenario], folder: Path) -> Case:
    if name not in known:
        expected = "one of " + ", ".join(known)
        raise InputError(f"results {folder}: summary.parquet", f"the case {name!r}", expected)
    return Emptied(name, known[name])


def _point(row: Mapping[Any, Any], counts: Mapping[float, int], found: Answer, folder: Path) -> tuple[float, Estimate]:
    """A point of the curve. The table does not hold the number of futures; a manifest of before 0.12 neither: then it
    is that of the case without network for a share of 0, and the number that all points had."""
    try:
        share, value, low, high = (float(row[name]) for name in ("diversion", "cleared", "cleared_low", "cleared_high"))
    except (KeyError, TypeError, ValueError):
        raise InputError(
            f"results {folder}: curve.parquet", repr(dict(row))[:60], "a share and a probability"
        ) from None
    futures = counts.get(share) or (CURVE_FUTURES if share > 0.0 else found.probability("none").n)
    return share, Estimate(value, low, high, futures)


def _curve_counts(folder: Path) -> dict[float, int]:
    """Futures behind each point of the curve, by diverted share, as the manifest says."""
    path, content = opened(folder)
    pairs = content.get("curve", [])
    try:
        return {float(share): int(futures) for share, futures in pairs}
    except (TypeError, ValueError):
        expected = "pairs of a share and a number of futures, as `flowsim answer` writes it"
        raise InputError(f"manifest {path}: curve", repr(pairs)[:60], expected) from None


def _table(folder: Path, name: str, columns: tuple[str, ...]) -> pd.DataFrame:
    import pandas as pd

    file = folder / f"{name}.parquet"
    place = f"results {folder}: {file.name}"
    try:
        table = pd.read_parquet(file)
    except FileNotFoundError:
        raise InputError(place, "no such file", "the tables that `flowsim answer` writes") from None
    except (OSError, ValueError) as error:  # Arrow's own errors are these
        why = str(error).splitlines()[0][:80]
        raise InputError(place, f"a table that cannot be read ({why})", "a Parquet file") from None
    missing = [column for column in columns if column not in table.columns]
    if missing:
        raise InputError(place, f"no column {missing[0]!r}", "the tables that `flowsim answer` writes")
    return table
