"""Every sentence that a person reads, by language and key; and numbers in that language's notation.

The sentences are in ``present/<lang>/*.toml``. A key is ``<file>.<table>.<name>``; nested tables are joined by dots.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib import resources
from threading import Lock
from typing import Final

from flowsim.errors import InputError
from flowsim.present.said import EURO, Said, Told, reworded

LANGUAGES: Final = ("nl", "en")


class Texts(Mapping[str, str]):
    """The sentences of one language by dotted key; read-only. A file is read when its first sentence is asked for.

    Raises
    ------
    InputError : a language that flowsim does not speak, or a file of sentences that holds something else than texts.
    """

    def __init__(self, lang: str) -> None:
        if lang not in LANGUAGES:
            raise InputError("lang", repr(lang), "one of " + ", ".join(LANGUAGES))
        self.lang = lang
        files = (resources.files("flowsim.present") / lang).iterdir()
        self._unread = {file.name.removesuffix(".toml"): file for file in files if file.name.endswith(".toml")}
        self._texts: dict[str, str] = {}
        self._one_at_a_time = Lock()

    def _read(self, name: str) -> None:
        with self._one_at_a_time:
            if (file := self._unread.get(name)) is not None:
                self._texts.update(_flat(name, tomllib.loads(file.read_text(encoding="utf-8"))))
                del self._unread[name]

    def _read_all(self) -> dict[str, str]:
        for name in sorted(self._unread):
            self._read(name)
        return self._texts

    def __getitem__(self, key: str) -> str:
        name = key.partition(".")[0]
        if name in self._unread:
            self._read(name)
        return self._texts[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._read_all())

    def __len__(self) -> int:
        return len(self._read_all())


@lru_cache(maxsize=len(LANGUAGES))
def texts(lang: str) -> Texts:
    """The sentences of a language, read once."""
    return Texts(lang)


def text(lang: str, key: str, **values: object) -> str:
    """The sentence of `key`, with ``{name}`` replaced by the value of that name.

    Raises
    ------
    InputError : unknown language.
    KeyError : unknown key, or a name in the sentence that no value was given for.
    """
    sentence = texts(lang)[key]
    return sentence.format(**values) if values else sentence


def format_number(lang: str, value: float, decimals: int = 0) -> Said:
    """A number as the language writes it: ``1.234,5`` in Dutch, ``1,234.5`` in English."""
    written = f"{value:,.{decimals}f}"
    if float(f"{value:.{decimals}f}") == 0:
        written = written.removeprefix("-")
    if lang == "nl":
        written = written.translate(str.maketrans(",.", ".,"))
    return Said(written, Told(float(value), decimals=decimals))


def format_euro(lang: str, value: float, decimals: int = 0) -> Said:
    """Euros, the sign in front: ``-€ 1.234`` in Dutch, ``-€ 1,234`` in English."""
    amount = format_number(lang, value, decimals)
    return reworded(amount, f"-€ {amount[1:]}" if amount.startswith("-") else f"€ {amount}", EURO)


def fewest_decimals(value: float, most: int) -> int:
    """How many decimals a finite number needs to be written in full; ``most`` where more would be needed."""
    return next((decimals for decimals in range(most) if round(value, decimals) == value), most)


def _flat(prefix: str, content: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        key = f"{prefix}.{name}"
        if isinstance(value, str):
            yield key, value
        elif isinstance(value, Mapping):
            yield from _flat(key, value)
        else:
            raise InputError(f"texts: {key}", repr(value), "a sentence, or a table of sentences")
