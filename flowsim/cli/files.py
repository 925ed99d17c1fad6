"""Files that appear whole or not at all."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from flowsim.errors import InputError


class Writing:
    """Writes some files together: beside their targets first, renamed only when all of them are complete.

    On entering, the folders and the files beside the targets are made, so that a place that cannot be written is
    refused before a long run instead of after it. On leaving without `commit`, everything that was made is taken away.
    A target that exists and is no regular file (``/dev/stdout``, a pipe) is written to as it is.

    Raises
    ------
    InputError : a place that cannot be written, or a disk that is full.
    """

    def __init__(self, targets: Iterable[Path]) -> None:
        self.beside: dict[Path, Path | None] = dict.fromkeys(targets)
        self.folders: list[Path] = []

    def __enter__(self) -> Writing:
        try:
            for target in self.beside:
                self._prepare(target)
        except OSError as error:
            self._clean()
            raise _refused(target, error) from None
        except BaseException:
            self._clean()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._clean()

    def write(self, target: Path, fill: Callable[[BinaryIO], object]) -> None:
        """Write one file: ``fill`` gets it, opened for bytes."""
        place = self.beside[target]
        try:
            with open(target if place is None else place, "wb") as stream:
                fill(stream)
                stream.flush()
                if place is not None:
                    os.fsync(stream.fileno())
        except OSError as error:
            raise _refused(target, error) from None

    def commit(self) -> None:
        """Give all files their names."""
        for target, place in self.beside.items():
            if place is not None:
                try:
                    os.replace(place, Path(os.path.realpath(target)))
                except OSError as error:
                    raise _refused(target, error) from None
        self.beside = {}
        self.folders = []

    def _prepare(self, target: Path) -> None:
        if target.is_dir():
            raise InputError(str(target), "a folder", "a file to write")
        if target.exists() and not target.is_file():
            return
        missing = list(itertools.takewhile(lambda folder: not folder.exists(), target.parents))
        for folder in reversed(missing):
            folder.mkdir()
            self.folders.append(folder)
        real = Path(os.path.realpath(target))
        place = real.with_name(f".{real.name}.{os.getpid()}.part")
        with open(place, "xb"):
            self.beside[target] = place

    def _clean(self) -> None:
        for place in self.beside.values():
            if place is not None:
                place.unlink(missing_ok=True)
        for folder in reversed(self.folders):
            try:
                folder.rmdir()
            except OSError:  # somebody else has put something there
                break


def _refused(target: Path, error: OSError) -> InputError:
    return InputError(str(target), f"a place that cannot be written ({error.strerror or error})", "a place that can")
