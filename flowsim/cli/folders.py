"""The folder that a command writes its results to."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def room(out: Path | None) -> Iterator[None]:
    """Refuses a folder that cannot be written, before the run; a folder made for nothing is taken away again.

    None: nothing will be written.
    """
    if out is None:
        yield
        return
    from flowsim.study.store import check_folder

    missing = list(itertools.takewhile(lambda folder: not folder.exists(), (out, *out.parents)))
    check_folder(out)
    try:
        yield
    finally:
        for folder in missing:
            with suppress(OSError):  # something is in it
                folder.rmdir()
