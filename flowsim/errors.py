"""The one way in which flowsim refuses input: where, what was found, what was expected."""

from __future__ import annotations


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
