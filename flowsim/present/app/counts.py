"""A visitor's counts: an upload that is parsed and used, or refused with the reason in the visitor's language.

`flowsim.study.observed` decides what can be used; here its refusals get words for who uploads. Nothing of a refused
file is kept, and of one that is used only its counts and its name.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

from flowsim.analysis.monitoring import quarters
from flowsim.errors import InputError
from flowsim.present.app.drafts import _CONTROL, Refused
from flowsim.present.app.ground import ground
from flowsim.present.texts import format_number, text
from flowsim.present.update import refusal, template_remarks
from flowsim.study import observed
from flowsim.study.observed import MOST_BYTES, Observed
from flowsim.study.privacy import PersonalData

SUFFIX: Final = ".csv"
EXAMPLE: Final = "example_counts.csv"
"""A copy of ``experiments/observed_made_up.csv``, which an installed flowsim does not have."""
LONGEST_NAME: Final = 60
_WHERE: Final = re.compile(r"line (?P<line>\d+)(?:, column (?P<column>\d+)|, (?P<heading>\w+))?$")
REASONS: Final = {
    "large": "more than .* kB",
    "empty": "an empty file",
    "workbook": "a workbook or zip",
    "binary": "binary data",
    "csv": "text that is not CSV",
    "long": "a row that is too long",
    "no_table": "no table",
    "no_quarters": "no column of quarters",
    "two_quarters": "a second column of quarters",
    "no_columns": "no column of counts",
    "heading_twice": "for the second time",
    "headless": "a cell under an empty heading",
    "shifted": "where the heading has",
    "row_twice": "a second row for",
    "quarter": "a quarter such as",
    "early": "lists only",
    "percent": "per cents, such as",
    "whole": "a whole number from 0 to",
    "number": "a number from 0 to",
    "no_counts": "no counts",
    "too_many_overdue": "no more overdue than waiting",
    "functions": "counts that the scenario simulates",
    "heading": "; one of ",
}
"""Sentence ``app.refused.counts.<code>`` -> what the message of `flowsim.study.observed` holds; the first is meant."""


class RefusedCounts(Refused):
    """Counts that cannot be used; ``code``: of `REASONS`, ``personal``, ``type``, or ``other``."""

    def __init__(self, code: str, where: str = "", error: InputError | None = None) -> None:
        first, *_, last = quarters()
        super().__init__(code, most=MOST_BYTES // 1024, first=first, last=last)
        self.where = where
        self.error = error

    def sentence(self, lang: str) -> str:
        """What is wrong, where, and that nothing was kept."""
        place = _WHERE.search(self.where)
        known = {name: value for name, value in (place.groupdict() if place else {}).items() if value}
        at = text(lang, "app.refused.place." + "_".join(known), **known) if known else ""
        if isinstance(self.error, PersonalData):
            return " ".join(filter(None, (refusal(self.error, lang), at)))
        values = dict(self.values)
        if self.error is not None:
            values |= {"found": _CONTROL.sub(" ", self.error.found), "expected": self.error.expected}
            highest = re.search(r"to ([\d,]+),", self.error.expected)
            values["highest"] = format_number(lang, float(highest[1].replace(",", ""))) if highest else ""
        said = text(lang, f"app.refused.counts.{self.code}", **values)
        return " ".join(filter(None, (said, at, text(lang, "app.refused.counts_end"))))


def refused(error: InputError) -> RefusedCounts:
    """The same refusal in words for who uploads."""
    if isinstance(error, PersonalData):
        return RefusedCounts("personal", error.where, error)
    message = f"{error.found}; {error.expected}"
    code = next((code for code, pattern in REASONS.items() if re.search(pattern, message)), "other")
    return RefusedCounts(code, error.where, error)


def read(content: bytes, filename: str) -> Observed:
    """Counts from an upload.

    Raises
    ------
    RefusedCounts : another type, too large, personal data, or anything that `flowsim.study.observed.parse` refuses.
    """
    if not filename.lower().endswith(SUFFIX):
        raise RefusedCounts("type")
    if len(content) > MOST_BYTES:
        raise RefusedCounts("large")
    try:
        return observed.parse(content, _CONTROL.sub(" ", filename)[-LONGEST_NAME:], "file")
    except InputError as error:
        raise refused(error) from None


def example() -> Observed:
    """Made-up counts, which say so themselves."""
    return read(resources.files("flowsim.present.app").joinpath(EXAMPLE).read_bytes(), EXAMPLE)


def template(lang: str) -> bytes:
    """An empty file to fill in."""
    return observed.template(lang, template_remarks(lang, ground().book.value("public.treeknorm_total")))
