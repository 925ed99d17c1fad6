"""What is printed: tables that are drawn on a terminal and plain elsewhere, JSON, messages beside the output."""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any


def say(message: str) -> None:
    """A message to the person at the console; it does not get into the output."""
    print(message, file=sys.stderr, flush=True)


def announce_compiling(lang: str, silent: bool = False) -> None:
    """Have the person told when the first run compiles, once the input is known to be usable."""
    from flowsim.model.compiling import tell_before_compiling
    from flowsim.present.texts import text

    tell_before_compiling(None if silent else lambda: say(text(lang, "cli.run.compiling")))


def print_json(value: Any) -> None:
    """JSON with indents. Numbers that JSON does not know (NaN, infinity) become null."""
    sys.stdout.write(json.dumps(_plain(value), ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]], title: str = "", left: int = 1) -> None:
    """A table; the first ``left`` columns are aligned left, the others right."""
    if sys.stdout.isatty():
        _draw(header, rows, title, left)
    else:
        sys.stdout.write((f"{title}\n" if title else "") + plain_table(header, rows, left))


def plain_table(header: Sequence[str], rows: Sequence[Sequence[str]], left: int = 1) -> str:
    """A table in plain text: columns aligned, two spaces between them."""
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]

    def line(cells: Sequence[str]) -> str:
        aligned = (c.ljust(w) if i < left else c.rjust(w) for i, (c, w) in enumerate(zip(cells, widths, strict=True)))
        return "  ".join(aligned).rstrip() + "\n"

    return "".join(line(cells) for cells in (header, *rows))


def _draw(header: Sequence[str], rows: Sequence[Sequence[str]], title: str, left: int) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(title) if title else None, title_justify="left", box=box.SIMPLE_HEAD)
    for i, name in enumerate(header):
        table.add_column(Text(name), justify="left" if i < left else "right", overflow="fold")
    for cells in rows:
        table.add_row(*map(Text, cells))
    Console(file=sys.stdout, highlight=False).print(table)


class Counter:
    """How far a long run is, on a terminal; elsewhere nothing."""

    def __init__(self, label: str, total: int) -> None:
        self.label = label
        self.total = total
        self.shown = 0.0
        self.live = sys.stderr.isatty()

    def __enter__(self) -> Counter:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self.live and self.shown:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def show(self, done: int) -> None:
        """Show that ``done`` of the total are done, at most five times a second."""
        now = time.monotonic()
        if self.live and now - self.shown > 0.2:
            self.shown = now
            print(f"\r\x1b[K{self.label} {done}/{self.total}", end="", file=sys.stderr, flush=True)


def _plain(value: Any) -> Any:
    """Only what JSON knows: NumPy's numbers as Python's, no NaN."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if hasattr(value, "item") and not isinstance(value, str):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value
