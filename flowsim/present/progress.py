"""How far a long study is: a bar on a terminal, a line now and then elsewhere; always on standard error."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any, Final

from flowsim.present.console import say
from flowsim.present.texts import text
from flowsim.present.wording import case_name

EVERY: Final = 10.0
"""Seconds between two lines where there is no terminal."""


class StudyProgress:
    """Called by a study with (name, futures done, futures expected); shows nothing when ``silent``."""

    LINE = "answer.run.line"
    """Key of the line that is said where there is no terminal."""

    def __init__(self, lang: str, silent: bool = False) -> None:
        self.lang = lang
        self.silent = silent
        self.began = time.monotonic()
        self.said = self.began
        self.bar: Any = None
        self.tasks: dict[str, Any] = {}
        self.steps: dict[str, tuple[int, int]] = {}

    def __enter__(self) -> StudyProgress:
        if not self.silent and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

            columns = (
                TextColumn("{task.description}", markup=False),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
            )
            self.bar = Progress(*columns, console=Console(stderr=True))
            self.bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.bar is not None:
            self.bar.stop()
        elif not self.silent:
            self._line(list(self.steps)[-1:])

    def __call__(self, name: str, done: int, expected: int) -> None:
        if self.silent:
            return
        if name == "diversion" and "none: second runs" in (*self.tasks, *self.steps):
            name = "curve"  # a top-down scenario has a case of that name before it
        if self.bar is not None:
            if name not in self.tasks:
                self.tasks[name] = self.bar.add_task(self.label(name), total=expected)
            total = max(done, expected)
            self.bar.update(self.tasks[name], completed=done, total=total)
            return
        before = [step for step in self.steps if step != name][-1:] if name not in self.steps else []
        self.steps[name] = (done, max(done, expected))
        if before:
            self._line(before)
        elif time.monotonic() - self.said >= EVERY:
            self._line([name])

    def label(self, name: str) -> str:
        """A step of the study in words."""
        case, _, part = name.partition(": ")
        if part == "people":
            return text(self.lang, "targets.run.people", case=case_name(self.lang, case))
        if part:
            return text(self.lang, "answer.run.second_runs", case=case_name(self.lang, case))
        if name in ("curve", "balance"):
            return text(self.lang, f"answer.run.{name}")
        return case_name(self.lang, name)

    def _line(self, names: list[str]) -> None:
        self.said = time.monotonic()
        for name in names:
            done, total = self.steps[name]
            seconds = round(self.said - self.began)
            say(text(self.lang, self.LINE, what=self.label(name), done=done, total=total, seconds=seconds))
