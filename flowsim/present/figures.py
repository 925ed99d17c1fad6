"""What a figure of the plan files is, in the reader's words: its name, its unit and its note.

The plan files say it in English. What those that ship with flowsim say, has its words in the catalogues ``units.toml``
(by the unit) and ``figures.toml`` (by the figure's key). The folder of a region may say it in words of its own: those
are shown as they stand, with their language (`own_language`), for who hears the page (WCAG 2.1, 3.1.2).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from flowsim.plan.figures import MODEL, Figure, load_figures
from flowsim.present.texts import text, texts
from flowsim.present.wording import unknown_name
from flowsim.scenario.region import load_region

NAMES: Final = ("answer.figure", "figures.name")
"""Where the catalogue has names of figures, beside those of what nobody knows."""
OF_PLACES: Final = {"population.": "inhabitants", "demand.clients_per_10000_": "clients"}
"""How the key of a figure of one municipality begins -> the name of such figures in the catalogue."""


def unit_words(lang: str, unit: str) -> str | None:
    """A unit in the language; None where the catalogue does not know it."""
    return texts(lang).get(f"units.{unit}")


def note_words(lang: str, note: str) -> str | None:
    """The note of a figure in the language; None where it is no note of a figure that ships with flowsim."""
    key = _notes(lang).get(note)
    return None if key is None else texts(lang)[key]


@lru_cache(maxsize=2)
def _notes(lang: str) -> dict[str, str]:
    """Each note of the shipped figures -> the key of its words; a note that stands twice has them once."""
    keys = ((figure.note, f"figures.note.{figure.key}") for figure in load_figures(MODEL).values())
    return {note: key for note, key in keys if note and key in texts(lang)}


def figure_name(lang: str, key: str, region: str) -> str | None:
    """What tells a figure from others of a region; None: it has no name, and its unit must tell."""
    named = unknown_name(lang, key)
    if named != key:
        return named
    known = texts(lang)
    for shelf in NAMES:
        if f"{shelf}.{key}" in known:
            return known[f"{shelf}.{key}"]
    for start, code in OF_PLACES.items():
        for place in load_region(region).municipalities:
            if key == f"{start}{place.code}":
                return text(lang, f"figures.place.{code}", place=place.name)
    return None


def provider_name(lang: str, provider: str) -> str:
    """A provider in the language: its name, as it stands unless that has other words in it."""
    return texts(lang).get(f"figures.provider.{provider}", provider)


def own_language(figure: Figure, region: str) -> str:
    """The language of a figure's own words: that of the region's files in which they stand."""
    return load_region(figure.taken_from or region).language
