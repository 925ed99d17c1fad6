"""Words for what answers speak of: probabilities, months, cases, unknowns, scenarios."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis import verdict
from flowsim.plan.figures import read_documents, region_directory
from flowsim.present.said import PERCENT, Said, Told
from flowsim.present.texts import LANGUAGES, format_number, text, texts

if TYPE_CHECKING:
    from flowsim.scenario.load import Scenario

ADDRESS: Final = re.compile(r"https?://[^\s)]+")
"""Of a page, in the title of a source."""
GIVES_UP: Final = "assumptions.reneging_share"
"""The unknown whose direction surprises: see `gave_up`."""


def percent(lang: str, share: float) -> str:
    """A probability or share in whole per cents; what is nearly none or all does not become it by rounding."""
    if math.isnan(share):
        return "-"
    if 0.0 < share < 0.005:
        return Said("<1%", Told(share, PERCENT, 1))
    if 0.995 < share < 1.0:
        return Said(">99%", Told(share, PERCENT, 1))
    return Said(format_number(lang, 100.0 * share) + "%", Told(share, PERCENT))


def month(lang: str, date: dt.date) -> str:
    """A date as month and year."""
    return text(lang, f"answer.month.{date.month}", year=date.year)


def case_name(lang: str, case: str) -> str:
    """The name of a case for people."""
    return texts(lang).get(f"answer.case.{case}", case)


WHOLE: Final = "see the source"
"""The place of a figure that a source has no sections for."""


def place_name(lang: str, section: str) -> str:
    """A place in a document, as figures cite it in English: "5.2 and 7.1", "5.3, KPI 11", "7.1, table ..."; empty for
    a source without sections."""
    if section == WHOLE:
        return ""
    return section.replace(" and ", f" {text(lang, 'plan.and')} ").replace(
        ", table ", f", {text(lang, 'plan.table_word')} "
    )


def document_name(lang: str, title: str) -> str:
    """The title of a source, as figures cite it in English, in the language; one that flowsim does not ship stays."""
    key = f"plan.document.{shipped_documents().get(title, '')}"
    if key not in texts(lang):
        return title
    found = ADDRESS.search(title)
    return text(lang, key, address=found[0] if found else "")


@lru_cache(maxsize=1)
def shipped_documents() -> dict[str, str]:
    """Title of each source of the shipped plan -> its code."""
    return {title: code for code, title in read_documents(region_directory("amstelland")).items()}


def unknown_name(lang: str, key: str) -> str:
    """The name of an unknown for people; its key when there is none."""
    known = texts(lang)
    return known.get(f"answer.unknown.{key}") or known.get(f"calibrate.unknown.{key}", key)


def gave_up(lang: str, unknowns: Sequence[Mapping[Any, Any]]) -> list[str]:
    """Why more who give up waiting go with longer lists, where that is among the unknowns that are shown.

    Parameters
    ----------
    unknowns : rows of table ``unknowns``.
    """
    mine = [row for row in unknowns if row["unknown"] == GIVES_UP]
    if not any(
        verdict.strength(*(row[f"correlation{end}"] for end in ("", "_low", "_high"))) != "unclear"
        and row["correlation"] > 0.0
        for row in mine
    ):
        return []
    return [text(lang, "answer.table.unknowns.gave_up")]


def promise_name(lang: str, code: str) -> str:
    """A promise of the plan in words; its code when the region has promises of its own."""
    return texts(lang).get(f"targets.promise.{code}", code)


def scenario_title(lang: str, scenario: Scenario) -> str:
    """A scenario's own title; that of the plan as it stands, which no file gives, in the language."""
    return title_in(lang, scenario.title) if scenario.files else text(lang, "answer.title.default")


def title_in(lang: str, title: str) -> str:
    """A title that comes with flowsim, in the language; a user's own title as it was typed."""
    return texts(lang).get(_known_titles().get(title, ""), title)


def because_in(lang: str, because: str) -> str:
    """Why a scenario that comes with flowsim changes a figure, in the language; a user's own reason as it was typed."""
    return texts(lang).get(_known_titles().get(because, ""), because)


@lru_cache(maxsize=1)
def _known_titles() -> dict[str, str]:
    """Title or reason in any language -> key of its sentence."""
    found = ((key, said) for lang in LANGUAGES for key, said in texts(lang).items())
    return {said: key for key, said in found if key.startswith(("answer.title.", "answer.because."))}
