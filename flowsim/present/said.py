"""Words that know which numbers they tell.

A printed number is rounded and in a language's notation. `Said` is that text, with the number itself as the results
have it: whoever writes a table for a spreadsheet takes the numbers from there and reads none back from words. To
everything else it is a `str`; joining or replacing text makes a plain `str` of it, which tells no number.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Self

PLAIN, SIGNED, PERCENT, EURO, DATE, AT_LEAST, AT_MOST = "plain", "signed", "percent", "euro", "date", ">=", "<="
YEAR = "year"
"""A year, which has no sign for thousands; so begins the unit of such a figure too."""


@dataclass(frozen=True)
class Told:
    """A number that is told.

    Attributes
    ----------
    value : in the unit of the column it stands in; a share as a fraction; a date as the days since 1899-12-30, which is
        how spreadsheets count. kind : how it is written. decimals : as many as are printed.
    """

    value: float
    kind: str = PLAIN
    decimals: int = 0


class Said(str):
    """Words, and the numbers in them: none, one, both ends of a range, or an estimate and both its ends."""

    numbers: tuple[Told, ...]

    def __new__(cls, words: str, *numbers: Told) -> Self:
        made = super().__new__(cls, words)
        made.numbers = numbers
        return made


def told(*parts: str) -> tuple[Told, ...]:
    """The numbers of parts, in their order."""
    return tuple(number for part in parts if isinstance(part, Said) for number in part.numbers)


def whole(words: str, *parts: str) -> Said:
    """A sentence made of parts, with their numbers; with none when one of the parts has none: half a range is none."""
    return Said(words, *told(*parts) if all(map(told, parts)) else ())


def reworded(said: str, words: str, kind: str = "") -> Said:
    """Other words for the same numbers; ``kind``: written otherwise."""
    return Said(words, *(replace(one, kind=kind) if kind else one for one in told(said)))


def said_date(words: str, day: dt.date) -> Said:
    """A date in words."""
    return Said(words, Told(float((day - dt.date(1899, 12, 30)).days), DATE))
