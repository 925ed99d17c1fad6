"""What looks like personal data is refused: flowsim takes counts of a programme, never something about a person.

A message says where it was found and why it looks personal, and never repeats it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from flowsim.errors import InputError

CODES: Final = ("heading", "bsn", "birth_date", "date", "email", "phone", "postcode", "name", "row_per_person")
"""Kinds of personal data, as ``update.personal.<code>`` says them."""
EXPECTED: Final = "counts only: one row per quarter, nothing about a person; the file was not used or kept"

_EMAIL: Final = re.compile(r"[^\s@;,]+@[^\s@;,]+\.[A-Za-z]{2,}")
_PHONE: Final = re.compile(r"(?<![\d.,])(?:\+31|0031|0)[ -]?[1-9](?:[ -]?\d){7,8}(?!\d)")
_POSTCODE: Final = re.compile(r"(?<![\w.,])[1-9]\d{3} ?(?!SA|SD|SS)[A-Z]{2}(?!\w)")
_NUMBER: Final = re.compile(r"(?<!\d)\d(?:[ .]?\d){7,8}(?!\d)")
_MONTHS: Final = (
    "jan|feb|maa?r|apr|mei|may|jun|jul|aug|sep|o[ck]t|nov|dec"  # the first letters are enough in both languages
)
_DATES: Final = (
    re.compile(r"(?<!\d)\d{1,2}[-/. ]\d{1,2}[-/. ]((?:18|19|20)?\d{2})(?!\d)"),
    re.compile(r"(?<!\d)((?:18|19|20)\d{2})[-/.]\d{1,2}[-/.]\d{1,2}(?!\d)"),
    re.compile(rf"(?<!\d)\d{{1,2}}[- ](?:{_MONTHS})[a-z]*\.?[- ]((?:18|19|20)\d{{2}})", re.IGNORECASE),
)
_EARLY: Final = 2016
"""A date before it is not one of the programme."""
_WORDS: Final = frozenset(
    (
        "bsn",
        "id",
        "naam",
        "name",
        "voornaam",
        "achternaam",
        "roepnaam",
        "tussenvoegsel",
        "initialen",
        "surname",
        "firstname",
        "lastname",
        "dob",
        "gebdat",
        "geb",
        "geslacht",
        "gender",
        "sex",
        "leeftijd",
        "age",
        "adres",
        "address",
        "straat",
        "street",
        "huisnummer",
        "woonplaats",
        "postcode",
        "zip",
        "zipcode",
        "telefoon",
        "tel",
        "phone",
        "mobiel",
        "email",
        "mail",
        "patient",
        "patiënt",
        "client",
        "cliënt",
        "persoon",
        "person",
        "diagnose",
        "diagnosis",
        "polisnummer",
        "polis",
        "dossier",
        "iban",
        "behandelaar",
    )
)
"""Words of which one in a heading says that the column is about a person."""
_PARTS: Final = (
    *("geboort", "birth", "burgerservice", "sofinummer", "achternaam", "voornaam", "verzekerdenummer", "dossiern"),
    *("patientn", "patiëntn", "clientn", "cliëntn", "patient_", "patiënt_", "client_", "cliënt_", "e-mail"),
)
"""Parts of words that say the same."""


class PersonalData(InputError):
    """A file that seems to hold personal data. ``code``: one of `CODES`."""

    def __init__(self, where: str, found: str, expected: str = EXPECTED, code: str = "") -> None:
        super().__init__(where, found, expected, code)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return type(self), (self.where, self.found, self.expected, self.code)


def is_bsn(digits: str) -> bool:
    """Whether a number can be a citizen service number: eight or nine digits that pass the eleven-proof (9, 8, ... 2,
    -1; Logisch ontwerp BSN, section 3.2)."""
    if len(digits) not in (8, 9) or not digits.strip("0"):
        return False
    padded = [int(one) for one in digits.zfill(9)]
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return sum(w * x for w, x in zip(weights, padded, strict=True)) % 11 == 0


def check_heading(heading: str, where: str) -> None:
    """PersonalData for a column that is about persons."""
    low = heading.lower().strip()
    words = re.split(r"[\W_]+", low)
    if any(word in _WORDS for word in words) or any(part in low for part in _PARTS):
        raise PersonalData(where, "a heading of a column about persons", code="heading")


def check_text(text: str, where: str, remark: bool = False) -> None:
    """PersonalData for what looks like it in a cell, or in a remark (where dates of the programme are allowed)."""
    if _EMAIL.search(text):
        raise PersonalData(where, "what looks like an e-mail address", code="email")
    for match in _NUMBER.finditer(text):
        if is_bsn(re.sub(r"\D", "", match[0])):
            raise PersonalData(where, "what looks like a citizen service number (BSN)", code="bsn")
    if _PHONE.search(text):
        raise PersonalData(where, "what looks like a telephone number", code="phone")
    if any(not (remark and match[0].startswith("20")) for match in _POSTCODE.finditer(text)):  # "2026 EN 2027"
        raise PersonalData(where, "what looks like a postcode", code="postcode")
    for pattern in _DATES:
        for match in pattern.finditer(text):
            year = int(match[1])
            year += (2000 if year < 30 else 1900) if year < 100 else 0
            if year < _EARLY:
                raise PersonalData(where, "what looks like a date of birth", code="birth_date")
            if not remark:
                raise PersonalData(where, "a date of a single day", code="date")


def check_words(text: str, where: str) -> None:
    """PersonalData for words where only a number can stand: they may be somebody's name."""
    if re.search(r"[^\W\d_]{2,}", text):
        raise PersonalData(where, "words, which may be somebody's name", code="name")


def check_rows(quarters: Sequence[str], where: str) -> None:
    """PersonalData when rows are many per quarter: they seem to be about persons."""
    most = max((quarters.count(one) for one in set(quarters)), default=0)
    if most > 2:
        raise PersonalData(
            where, f"{most} rows for one quarter, as in a file of one row per person", code="row_per_person"
        )
