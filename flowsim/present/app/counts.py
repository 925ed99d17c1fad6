"""A visitor's counts: an upload that is parsed and used, or refused with the reason in the visitor's language.

`flowsim.study.observed` decides what can be used; here its refusals get words for who uploads. Nothing of a refused
file is kept, and of one that is used only its counts and its name.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

from flowsim.errors import InputError
from flowsim.present.app.drafts import CONTROL, Refused
from flowsim.present.app.ground import ground
from flowsim.present.refusals import reason
from flowsim.present.texts import LANGUAGES, text, texts
from flowsim.present.update import template_remarks
from flowsim.study import observed
from flowsim.study.observed import MOST_BYTES, Observed
from flowsim.study.privacy import PersonalData

SUFFIX: Final = ".csv"
EXAMPLE: Final = "example_counts.csv"
"""A copy of ``experiments/observed_made_up.csv``, which an installed flowsim does not have."""
LONGEST_NAME: Final = 60
_WHERE: Final = re.compile(r"line (?P<line>\d+)(?:, column (?P<column>\d+)|, (?P<heading>\w+))?$")


class RefusedCounts(Refused):
    """Counts that cannot be used; ``code``: of ``app.refused.counts``, or ``personal``."""

    def __init__(self, code: str, error: InputError | None = None) -> None:
        super().__init__(code, most=MOST_BYTES // 1024)
        self.error = error

    def sentence(self, lang: str) -> str:
        """What is wrong, where, and that nothing was kept."""
        place = _WHERE.search(self.error.where if self.error is not None else "")
        known = {name: value for name, value in (place.groupdict() if place else {}).items() if value}
        at = text(lang, "app.refused.place." + "_".join(known), **known) if known else ""
        said = CONTROL.sub(" ", reason(lang, self.error)) if self.error is not None else ""
        said = said or text(lang, f"app.refused.counts.{self.code}", **self.values)
        kept = "" if isinstance(self.error, PersonalData) else text(lang, "app.refused.counts_end")
        return " ".join(filter(None, (said, at, kept)))


def refused(error: InputError) -> RefusedCounts:
    """The same refusal in words for who uploads."""
    if isinstance(error, PersonalData):
        return RefusedCounts("personal", error)
    if f"app.refused.{error.code}" not in texts(LANGUAGES[0]):
        return RefusedCounts("other")
    return RefusedCounts(error.code.removeprefix("counts."), error)


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
        return observed.parse(content, CONTROL.sub(" ", filename)[-LONGEST_NAME:], "file")
    except InputError as error:
        raise refused(error) from None


def example() -> Observed:
    """Made-up counts, which say so themselves."""
    return read(example_file(), EXAMPLE)


def example_file() -> bytes:
    """The file of `example`."""
    return resources.files("flowsim.present.app").joinpath(EXAMPLE).read_bytes()


def template(lang: str) -> bytes:
    """An empty file to fill in."""
    return observed.template(lang, template_remarks(lang, ground().book.value("public.treeknorm_total")))
