"""A sweep for a person: how far it is, what it will take, and its points."""

from __future__ import annotations

import math
import sys
import time
from dataclasses import asdict
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from flowsim.present.console import print_table, say
from flowsim.present.progress import EVERY
from flowsim.present.texts import format_number, text

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.experiment import Experiment
    from flowsim.study.sweep import Forecast

MOST_POINTS: Final = 24
"""Points that are printed; the others are in the file."""


class SweepProgress:
    """Called with what is done and the total: a bar with rate and time left on a terminal, else a line now and then;
    always on standard error."""

    def __init__(self, lang: str, replications: bool, silent: bool = False) -> None:
        self.lang = lang
        self.unit = text(lang, "sweep.run.replications" if replications else "sweep.run.points")
        self.silent = silent
        self.bar: Any = None
        self.task: Any = None
        self.began = self.said = time.monotonic()
        self.first: int | None = None

    def __enter__(self) -> SweepProgress:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.stop()

    def __call__(self, done: int, total: int) -> None:
        if self.silent:
            return
        if self.first is None:
            self._start(done, total)
        if self.bar is not None:
            self.bar.update(self.task, completed=done, rate=self._rate(done))
        elif time.monotonic() - self.said >= EVERY:
            self.said = time.monotonic()
            say(text(self.lang, "sweep.run.line", **self._written(done, total)))

    def _start(self, done: int, total: int) -> None:
        self.first, self.began = done, time.monotonic()
        if done:
            say(
                text(self.lang, "sweep.run.goes_on", done=self._number(done), total=self._number(total), unit=self.unit)
            )
        if not sys.stderr.isatty():
            return
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        self.bar = Progress(*columns, console=Console(stderr=True), speed_estimate_period=120.0)
        self.task = self.bar.add_task(self.unit, total=total, completed=done, rate="")
        self.bar.start()

    def _per_second(self, done: int) -> float:
        return (done - (self.first or 0)) / max(time.monotonic() - self.began, 1e-9)

    def _rate(self, done: int) -> str:
        rate = self._per_second(done)
        return text(self.lang, "sweep.run.rate", rate=format_number(self.lang, rate, 1)) if rate > 0.0 else ""

    def _written(self, done: int, total: int) -> dict[str, str]:
        rate = self._per_second(done)
        left = duration((total - done) / rate, self.lang) if rate > 0.0 else "?"
        numbers = {"done": self._number(done), "total": self._number(total), "unit": self.unit}
        return {**numbers, "rate": format_number(self.lang, rate, 1), "left": left}

    def _number(self, number: int) -> str:
        return format_number(self.lang, number)


def duration(seconds: float, lang: str) -> str:
    """A time in the unit that suits it."""
    for unit, size in (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0)):
        if seconds >= 2 * size:
            return text(lang, f"sweep.time.{unit}", number=format_number(lang, seconds / size, 1))
    return text(lang, "sweep.time.seconds", number=format_number(lang, math.ceil(seconds)))


def facts(experiment: Experiment, expected: Forecast) -> dict[str, Any]:
    """A forecast as JSON knows it."""
    made = asdict(expected)
    for name in ("replications", "seconds"):
        made[f"{name}_least"], made[f"{name}_most"] = made.pop(name)
    return {"experiment": experiment.name, "title": experiment.title, **made}


def print_forecast(experiment: Experiment, expected: Forecast, lang: str) -> None:
    """How many replications, how long and how much room."""
    few, many = (format_number(lang, number) for number in expected.replications)
    soon, late = (duration(seconds, lang) for seconds in expected.seconds)
    several = "between" if few != many else "exactly"
    values = {
        "title": experiment.title,
        "points": format_number(lang, expected.points),
        "blocks": format_number(lang, expected.blocks),
        "done": format_number(lang, expected.blocks_done),
        "replications": text(lang, f"sweep.dry.{several}", least=few, most=many),
        "time": text(lang, f"sweep.dry.{several}", least=soon, most=late),
        "each": format_number(lang, expected.seconds_each, 3),
        "lanes": format_number(lang, expected.lanes),
        "room": format_number(lang, expected.megabytes, 1),
    }
    print(text(lang, "sweep.dry.all", **values))


def print_points(experiment: Experiment, table: pd.DataFrame, lang: str) -> None:
    """The first points: levels of the factors, and each outcome with its interval."""
    paths = [factor.path for factor in experiment.factors]
    shown = paths if len(paths) <= 4 else []
    short = [path.rpartition(".")[2] for path in shown]
    header = [text(lang, "sweep.column.point"), *(short if len(set(short)) == len(short) else shown)]
    header += experiment.outcomes
    rows = []
    for number, point in table[table["point"] < MOST_POINTS].groupby("point", sort=True):
        by_outcome = point.set_index("outcome")
        levels = [_level(point[path].iloc[0], lang) for path in shown]
        rows.append([str(number), *levels, *(_shown(by_outcome.loc[name], lang) for name in experiment.outcomes)])
    print_table(header, rows, title=experiment.title)
    more = len(experiment.design) - len(rows)
    print(text(lang, "sweep.run.intervals") + (" " + text(lang, "sweep.run.more", more=more) if more else ""))


def _level(value: Any, lang: str) -> str:
    return value if isinstance(value, str) else f"{value:g}".replace(".", "," if lang == "nl" else ".")


def _shown(row: Any, lang: str) -> str:
    mean, low, high = (float(row[name]) for name in ("mean", "low", "high"))
    if math.isnan(mean):
        return "-"
    decimals = 2 if abs(mean) < 10 else 0
    written = format_number(lang, mean, decimals)
    if math.isnan(low):
        return written
    return f"{written} ({format_number(lang, low, decimals)}; {format_number(lang, high, decimals)})"
