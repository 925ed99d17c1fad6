"""How hard the words of the steering group's texts are, as far as lengths tell: see docs/app.md, "Plain words".

Dutch: Flesch-Douma, 206.84 - 0.77 (syllables per 100 words) - 0.93 (words per sentence), after W.H. Douma (1960).
Formula and norms (60 to 70 is normal, 70 to 80 fairly easy, 80 to 90 easy):
https://dbnl.org/tekst/_taa014197701_01/_taa014197701_01_0089.php. English: Flesch's reading ease, 206.835 - 84.6
(syllables per word) - 1.015 (words per sentence); R. Flesch, J. Applied Psychology 32 (1948),
https://doi.org/10.1037/h0057532. Syllables are counted as groups of vowels, which is off for some words.
"""

from __future__ import annotations

import re
from typing import Final

import pytest

from flowsim.present.texts import LANGUAGES, texts

READERS: Final = ("app", "answer", "report", "targets", "update", "plan", "figures")
"""Catalogues that a steering group reads."""
LEAST: Final = 70.0
"""Fairly easy by Douma's norms; of each catalogue."""
LONGEST_SENTENCE: Final = 22
"""Words."""
LONG_WORD: Final = {"nl": 14, "en": 13}
"""Letters from which on a word must be explained or be an ordinary one."""
ORDINARY: Final = {
    "nl": """waarschijnlijk waarschijnlijke waarschijnlijker waarschijnlijkste verantwoording persoonlijkheid
        persoonlijkheidsproblemen scenariobestand pijltjestoetsen huisartsbezoek standaardlezing gebeurtenissen
        behandelplekken burgerservicenummer burgerservicenummers geboortedatums telefoonnummer overplaatsingen
        b-ggz-behandeling b-ggz-behandelingen s-ggz-behandelingen ggz-behandeling casusoverleggen crisiscontacten
        amstelland-meerlanden""",
    "en": "probabilities consultations conversations transformation municipalities amstelland-meerlanden zorginstituut",
}
"""Long words that are in daily use, or are made of words in the glossary."""


def seen(sentence: str) -> str:
    """A sentence as a reader sees it: terms by their words, gaps as a number."""
    return re.sub(r"\{[^}]*\}", "7", re.sub(r"\[\[\w+\|([^]]*)\]\]", r"\1", sentence))


def sentences(content: str) -> list[list[str]]:
    """The words of each sentence; a colon or a semicolon ends one too."""
    parts = re.split(r"(?<=[.!?:;])\s+|\n", seen(content))
    return [words for part in parts if (words := re.findall(r"[^\W_][\w'’%-]*", part))]


def syllables(word: str, lang: str) -> int:
    """Groups of vowels."""
    word = word.lower()
    if lang == "nl":
        parted = re.sub(r"[ëïöü]", lambda found: "-" + found[0], word)
        return max(1, len(re.findall(r"aai|ooi|oei|eeuw|ieuw|[aeiouyáéíóúàèëïöü]{1,2}", parted)))
    count = len(re.findall(r"[aeiouy]+", word))
    silent = re.search(r"(?<![aeiouyl])e$|[^aeioudty]ed$", word) is not None
    return max(1, count - silent)


def ease(content: list[list[str]], lang: str) -> float:
    """The ease of reading; higher is easier."""
    words = [word for sentence in content for word in sentence]
    letters = [word for word in words if word[0].isalpha()]
    per_word = sum(syllables(word, lang) for word in letters) / len(letters)
    per_sentence = len(words) / len(content)
    if lang == "nl":
        return 206.84 - 77.0 * per_word - 0.93 * per_sentence
    return 206.835 - 84.6 * per_word - 1.015 * per_sentence


def told(lang: str, catalogue: str) -> dict[str, list[list[str]]]:
    """The texts of a catalogue that are sentences, by key. What stands for a picture lists what is on it: left out."""
    return {
        key: sentences(one)
        for key, one in texts(lang).items()
        if key.startswith(f"{catalogue}.")
        and re.search(r"[.!?]$", one.strip())
        and not re.search(r"(\.alt|\.each|[._]label)$", key)
    }


def test_the_measure_tells_hard_from_easy() -> None:
    hard = "De implementatie van de transformatiedoelstellingen vereist interorganisatorische samenwerkingsafspraken."
    easy = "De lijst is te lang. Wie nu komt, wacht een half jaar. Dat willen wij niet."
    assert ease(sentences(hard), "nl") < 0.0 < 90.0 < ease(sentences(easy), "nl")
    assert [syllables(word, "nl") for word in ("lijst", "wachtlijst", "geëerd", "uitkomst", "leeuw", "ggz")] == [
        1, 2, 2, 2, 1, 1,
    ]  # fmt: skip
    assert [syllables(word, "en") for word in ("wait", "waited", "share", "table", "worked")] == [1, 2, 1, 2, 1]


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("catalogue", READERS)
def test_what_the_steering_group_reads_is_fairly_easy(lang: str, catalogue: str) -> None:
    found = told(lang, catalogue)
    assert len(found) > 10
    assert ease([one for many in found.values() for one in many], lang) >= LEAST
    long = {key: max(map(len, many)) for key, many in found.items() if max(map(len, many)) > LONGEST_SENTENCE}
    assert not long


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_long_word_is_explained_or_ordinary(lang: str) -> None:
    known = texts(lang)
    explained = " ".join(seen(one) for key, one in known.items() if key.startswith(("app.term.", "report.glossary.")))
    ordinary = set(ORDINARY[lang].split())
    hard = {
        word.lower(): key
        for catalogue in READERS
        for key, many in told(lang, catalogue).items()
        if not key.startswith(("plan.cause.", "app.refused."))  # the plan's own words, and files
        for sentence in many
        for word in sentence
        if len(word) >= LONG_WORD[lang]
        and "_" not in word
        and word.lower() not in ordinary
        and word.lower() not in explained.lower()
    }
    assert not hard
