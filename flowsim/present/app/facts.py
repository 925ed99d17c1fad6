"""Numbers that stand in the app's sentences; they come from the figures, as everywhere."""

from __future__ import annotations

import datetime as dt

from flowsim.plan.business_case import full_year
from flowsim.present.answer import LAST_YEAR
from flowsim.present.app.ground import ground
from flowsim.present.texts import format_number, text
from flowsim.present.wording import percent
from flowsim.scenario.load import Scenario
from flowsim.scenario.region import load_region

_known: tuple[Scenario, dict[str, dict[str, str]]] | None = None


def facts(lang: str) -> dict[str, str]:
    """Gap in a sentence -> what stands there."""
    global _known
    if _known is None or _known[0] is not ground():
        _known = (ground(), {})
    if lang not in _known[1]:
        _known[1][lang] = _facts(ground(), lang)
    return _known[1][lang]


def _facts(scenario: Scenario, lang: str) -> dict[str, str]:
    book, region = scenario.book, load_region(scenario.region)
    first = region.start.year
    return {
        "region": region.name,
        "first": str(first),
        "last": str(LAST_YEAR),
        "full": str(full_year(book)),
        "years": format_number(lang, LAST_YEAR - first + 1),
        "diversion": percent(lang, book.value("functions.diversion")),
        "weeks": format_number(lang, book.value("assumptions.cleared_weeks")),
        "share": percent(lang, book.value("assumptions.cleared_share")),
        "norm": format_number(lang, book.value("public.treeknorm_total")),
        "start": written(region.start, lang),
        "later": str(int(book.value("functions.pilot_year")) + 1),
    }


def written(date: dt.date, lang: str) -> str:
    """A date in numbers, in the order of the language."""
    return date.strftime(text(lang, "app.date"))
