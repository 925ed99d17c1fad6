"""The folder that a command writes its results to."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


def refuse_sweep(out: Path) -> None:
    """Refuse a folder with a sweep in it: without its manifest, what may have taken days could not go on."""
    from flowsim.errors import InputError

    try:
        made = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return
    if isinstance(made, dict) and made.get("kind") == "sweep":
        raise InputError(f"output folder {out}", "results of a sweep", "an empty folder, or another --out")


@contextmanager
def room(out: Path | None, sweep: bool = False) -> Iterator[None]:
    """Refuses a folder that cannot be written, before the run; a folder made for nothing is taken away again.

    None: nothing will be written. ``sweep``: what will be written is a sweep, which looks itself at what is there.
    """
    if out is None:
        yield
        return
    if not sweep:
        refuse_sweep(out)
    from flowsim.study.store import check_folder

    missing = list(itertools.takewhile(lambda folder: not folder.exists(), (out, *out.parents)))
    check_folder(out)
    try:
        yield
    finally:
        for folder in missing:
            with suppress(OSError):  # something is in it
                folder.rmdir()
