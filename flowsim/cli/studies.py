"""What the commands of studies do alike: simulate, write a folder that is whole or not there, say how it ended."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flowsim.cli import DONE, INTERRUPTED

if TYPE_CHECKING:
    import pandas as pd

T = TypeVar("T")
Tables = Mapping[str, "pd.DataFrame"]


def simulated(
    study: Callable[..., T], asked: Mapping[str, Any], shown: AbstractContextManager[Any], lang: str, silent: bool
) -> tuple[T | None, float]:
    """What a study gives (None: interrupted before anything was finished), and the seconds it took. ``shown``: enters
    as the study's ``progress``."""
    from flowsim.present.console import announce_compiling

    announce_compiling(lang, silent)
    began = time.monotonic()
    try:
        with shown as progress:
            return study(**asked, progress=progress), time.monotonic() - began
    except KeyboardInterrupt:
        return None, time.monotonic() - began


def nothing_done(name: str, lang: str) -> int:
    """Say that it was stopped before anything was finished; the exit code."""
    from flowsim.present.console import say
    from flowsim.present.texts import text

    say(text(lang, f"{name}.run.nothing_done"))
    return INTERRUPTED


def command() -> list[str] | None:
    """The words of the command line, for a manifest; None: called in another way."""
    return ["flowsim", *sys.argv[1:]] if Path(sys.argv[0]).stem == "flowsim" else None


def write(out: Path, name: str, tables: Tables, figures: Any, manifest: Mapping[str, Any]) -> None:
    """Write what a command made: tables, figures (`flowsim.present.plots.save_figures`) or None, manifest."""
    from flowsim.study import store

    with store.all_or_nothing(out) as work:
        store.write_tables(work, dict(tables), name)
        if figures is not None:
            from flowsim.present.plots import save_figures

            save_figures(work, figures)
        store.write_json(work / "manifest.json", manifest)


def written(out: Path | None, seconds: float) -> dict[str, Any]:
    """What a JSON document says about the run itself."""
    return {"seconds": round(seconds, 1), "manifest": str(out / "manifest.json") if out else None}


def print_precision(name: str, found: Any, out: Path | None, lang: str, seconds: float, **counts: Any) -> None:
    """The last lines of what is printed: from how many futures, and where it was written. ``counts``: for the text."""
    from flowsim.present.texts import format_number, text

    values = {**counts, "seed": found.seed, "seconds": format_number(lang, seconds)}
    print("\n" + text(lang, f"{name}.run.precision", **values))
    if out is not None and not found.interrupted:
        print(text(lang, f"{name}.run.written", place=out))


def ended(name: str, found: Any, out: Path | None, lang: str, code: int = DONE) -> int:
    """The exit code: ``code``, or, after saying so, that of a study that was interrupted."""
    from flowsim.present.console import say
    from flowsim.present.texts import text

    if not found.interrupted:
        return code
    say(text(lang, f"{name}.run.interrupted" + ("_only" if out is None else ""), place=out))
    return INTERRUPTED
