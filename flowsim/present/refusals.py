"""Why input is refused, in the reader's language.

An `InputError` says it in English, for who works with files and commands. Where it has a code, the sentence of that
code says the same from the catalogue: ``refused.<code>``, or ``app.refused.<code>`` for counts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from flowsim.analysis.monitoring import Quarter, quarters
from flowsim.errors import InputError, one_line
from flowsim.present.texts import fewest_decimals, format_number, text, texts
from flowsim.present.update import refusal
from flowsim.study.observed import MOST_BYTES
from flowsim.study.privacy import PersonalData

MOST_DECIMALS: Final = 6
LARGEST: Final = 1e12
"""From here on a number is written as a power of ten, and so is one that is 0 in `MOST_DECIMALS`."""


def reason(lang: str, error: InputError) -> str:
    """What is wrong, without the place; empty: there is no sentence for it."""
    if isinstance(error, PersonalData):
        return refusal(error, lang)
    first, *_, last = quarters()
    example = Quarter(first.year + 2, 1)
    known = {
        "first": first,
        "last": last,
        "example": example,
        "most": MOST_BYTES // 1024,
        **error.values,
    }  # also what counts can be
    for key in (f"refused.{error.code}", f"app.refused.{error.code}"):
        if key in texts(lang):
            return text(lang, key, **{name: gap(lang, value) for name, value in known.items()})
    return ""


def told(lang: str, error: InputError) -> str:
    """Place and reason in one line; in English where there are no words of its own for it."""
    said = reason(lang, error)
    return f"{one_line(error.where)}: {said}" if said else str(error)


def gap(lang: str, value: object) -> str:
    """What goes into a gap of a sentence: a number as the language writes it, what the user wrote as it stands."""
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _number(lang, float(value))
    if isinstance(value, Iterable) and not isinstance(value, str):
        *most, last = [one_line(str(one)) for one in value] or [""]
        return f"{', '.join(most)} {text(lang, 'refused.or')} {last}" if most else last
    return one_line(str(value))


def _number(lang: str, value: float) -> str:
    if not abs(value) < LARGEST or 0.0 < abs(value) < 10.0**-MOST_DECIMALS:  # what is no number too
        return f"{value:g}"
    return format_number(lang, value, fewest_decimals(value, MOST_DECIMALS))
