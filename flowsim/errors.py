"""The one way in which flowsim refuses input: where, what was found, what was expected."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any


class InputError(ValueError):
    """Unusable input, told in one message.

    Parameters
    ----------
    where : the place a user can go to: a file and key, a flag, an argument.
    found : what stood there.
    expected : what would have been accepted.
    """

    def __init__(self, where: str, found: str, expected: str) -> None:
        self.where = where
        self.found = found
        self.expected = expected
        super().__init__(f"{where}: found {found}; expected {expected}")

    def __reduce__(self) -> tuple[type[InputError], tuple[str, str, str]]:
        """So that another process can hand it over."""
        return type(self), (self.where, self.found, self.expected)


def path_of(where: str, given: Any, expected: str) -> Path:
    """A path, as an argument gives it.

    Raises
    ------
    InputError : something that is no path; ``expected`` says what else the argument takes.
    """
    if not isinstance(given, (str, PathLike)) or "\0" in str(given):
        raise InputError(where, f"{type(given).__name__} {given!r}"[:80], expected)
    return Path(given)
