"""A visitor's scenarios: a scenario file that is being made, opened, saved and shared.

A draft is the content of a scenario file; `flowsim answer` runs what is saved unchanged. What comes from outside (a
file, a link) is data: it is parsed and validated, never executed, and cannot name other files.
"""

from __future__ import annotations

import json
import math
import re
import tomllib
import zlib
from base64 import b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import count
from typing import Any, Final

from flowsim.errors import InputError, toml_fault
from flowsim.plan.figures import FigureBook, load_figures
from flowsim.present.app import levers
from flowsim.present.app.ground import document_of as whole_document
from flowsim.present.app.ground import ground, region_of, scenario_of, with_region
from flowsim.present.app.levers import BY_NAME, Document, Lever, Value
from flowsim.present.refusals import reason
from flowsim.present.texts import LANGUAGES, text, texts
from flowsim.present.wording import title_in
from flowsim.scenario.load import DIVERSION, Scenario
from flowsim.scenario.region import load_region
from flowsim.scenario.schema import DEFAULTS

MOST_SCENARIOS: Final = 4
SUFFIX: Final = ".toml"
MOST_BYTES: Final = 64 * 1024
"""Of a file that is opened."""
SHORTEST_TITLE: Final = 3
LONGEST_TITLE: Final = 80
LONGEST_TEXT: Final = 500
MOST_FIGURES: Final = 60
LONGEST_LINK: Final = 2000
"""Of one scenario in a link."""
PARTS: Final = frozenset({"title", "asks", "parent", "settings", "figures"})
"""What a scenario file has some of; a file without any is something else: of a region's folder, or of a sweep."""
NAME: Final = "scenario.toml"
"""What messages call a visitor's scenario."""
LEVER: Final = "lever "
LONGEST_LINKS: Final = 5000
"""Of all scenarios in the address of a page, as it is written there: proxies take addresses of 8 kB."""
PACKED: Final = "~"
"""What the link of a scenario begins with that no lever can say: its file, packed. A title has no such sign."""
CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Characters that are no text: controls, line breaks, and those that turn the direction of writing."""
_numbers = count(1)


class Refused(Exception):
    """A file or link that cannot be used; ``code`` names the sentence ``app.refused.<code>``."""

    def __init__(self, code: str, **values: object) -> None:
        super().__init__(code)
        self.code = code
        self.values = values

    def sentence(self, lang: str) -> str:
        return text(lang, f"app.refused.{self.code}", **self.values)


class RefusedContent(Refused):
    """Content that `flowsim.scenario` or a lever refuses: ``error`` says what is wrong, `sentence` puts it in words."""

    def __init__(self, error: InputError) -> None:
        super().__init__("content", where=_place(error.where))
        self.error = error

    def sentence(self, lang: str) -> str:
        """Where, and what: what the network made of it has no words for a visitor, but that it cannot be."""
        place = str(self.values["where"])
        if place.startswith(LEVER):
            place = texts(lang).get(f"app.lever.{place.removeprefix(LEVER)}.name", "")
        why = CONTROL.sub(" ", reason(lang, self.error) or text(lang, "refused.scenario.together"))
        said = text(lang, "app.refused.content_at", place=_short(place)) if place else text(lang, "app.refused.content")
        return f"{said} {why}"


class RefusedToml(Refused):
    """A text that is not TOML."""

    def __init__(self, error: Exception) -> None:
        super().__init__("toml")
        self.error = error

    def sentence(self, lang: str) -> str:
        """What is wrong and on which line, without the words of the library that reads it."""
        code, place = toml_fault(self.error)
        return text(lang, "app.refused.toml") + " " + text(lang, f"refused.{code}", **place)


def _place(where: str) -> str:
    """The key in a visitor's file; or a lever; empty: of what was made of the file."""
    if where.startswith(LEVER):
        return where
    if where.startswith(f"{NAME}: "):
        return where.removeprefix(f"{NAME}: ")
    _, found, key = where.partition(": figures.")
    return f"figures.{key}" if found else ""


@dataclass(frozen=True)
class Draft:
    """One scenario of one visitor.

    Attributes
    ----------
    document : the content of its file (`flowsim.scenario.schema.ScenarioFile`), without a parent.
    number : tells the drafts of a session apart.
    """

    document: Document
    number: int = field(default_factory=lambda: next(_numbers))

    @property
    def title(self) -> str:
        return str(self.document["title"])

    def title_in(self, lang: str) -> str:
        """The title for a reader: one that comes with flowsim in the language, a visitor's own as it was typed."""
        return title_in(lang, self.title)

    @property
    def book(self) -> FigureBook:
        """The region's figures, without this scenario's changes."""
        return load_figures(region_of(self.document))

    def scenario(self) -> Scenario:
        """The scenario to simulate; InputError when the region cannot have it."""
        return scenario_of(self.document, NAME)

    def get(self, lever: Lever) -> Value | None:
        return lever.get(self.document, self.book)

    def turned(self, lever: Lever, value: Value, lang: str) -> Draft:
        """With a lever at another value."""
        return replace(self, document=lever.set(self.document, value, self.book, because(lang)(lever)))

    def reset(self, lever: Lever, lang: str) -> Draft:
        """With a lever back at the plan's value, whatever a file said."""
        document = json.loads(json.dumps(self.document))
        keys = (levers.PILOT, levers.FULL, *levers.FOLLOWS_START) if lever.kind == "start" else (lever.figure,)
        for key in keys:
            document.get("figures", {}).pop(key, None)
        return replace(self, document=lever.set(document, lever.plan(self.book), self.book, because(lang)(lever)))

    def titled(self, title: str) -> Draft:
        """With another title; Refused when it cannot be one."""
        return replace(self, document={**self.document, "title": checked_title(title)})

    def copied(self, title: str) -> Draft:
        return Draft({**json.loads(json.dumps(self.document)), "title": checked_title(title)})

    def other_changes(self) -> list[str]:
        """Figures and settings in the file that no lever shows."""
        known = {lever.figure for lever in BY_NAME.values()} | {lever.setting for lever in BY_NAME.values()}
        known |= {levers.FULL, *levers.FOLLOWS_START}
        inside = (*self.document.get("figures", {}), *self.document.get("settings", {}))
        return [key for key in inside if key not in known]


def because(lang: str) -> levers.Reason:
    """Why a lever stands where it stands, for the file."""
    return lambda lever: text(lang, "app.because", lever=texts(lang)[f"app.lever.{lever.name}.name"])


@lru_cache(maxsize=1)
def _own_reasons() -> dict[str, Lever]:
    """What the app says of why a figure changed, in any language -> the lever."""
    return {because(lang)(lever): lever for lang in LANGUAGES for lever in BY_NAME.values()}


def reason_in(lang: str, said: str) -> str:
    """Why a figure changed: what the app said of it in the language, whatever it was turned in; another as it is."""
    lever = _own_reasons().get(said)
    return said if lever is None else because(lang)(lever)


def in_language(document: Document, lang: str) -> Document:
    """A document whose reasons that the app wrote are in the language."""
    figures = {
        key: {**one, "because": reason_in(lang, str(one["because"]))} if "because" in one else one
        for key, one in document.get("figures", {}).items()
    }
    return {**document, "figures": figures} if figures else document


def plan_draft(lang: str) -> Draft:
    """The plan as it stands, or the scenario that the app was started with."""
    return Draft(whole_document(ground(), _title_of_ground() or plan_title(lang)))


def is_plan(draft: Draft) -> bool:
    """Whether nobody changed it since `plan_draft` made it, in whichever language."""
    return any(draft.document == plan_draft(lang).document for lang in LANGUAGES)


def plan_title(lang: str) -> str:
    """The title of what the app was started with."""
    own = _title_of_ground()
    return title_in(lang, own) if own else text(lang, "answer.title.default")


def _title_of_ground() -> str:
    """As its file has it, on one line; empty: it is not from a file."""
    title = CONTROL.sub(" ", ground().title) if ground().files else ""
    tidy = " ".join(title.split())[:LONGEST_TITLE].strip()
    return tidy if len(tidy) >= SHORTEST_TITLE else ""


def checked_title(title: str) -> str:
    """A title that can stand anywhere: one line of text of a sensible length."""
    tidy = " ".join(title.split())
    if not SHORTEST_TITLE <= len(tidy) <= LONGEST_TITLE or CONTROL.search(tidy):
        raise Refused("title", least=SHORTEST_TITLE, most=LONGEST_TITLE)
    return tidy


# ---------------------------------------------------------------- files


def to_toml(document: Mapping[str, Any]) -> str:
    """A document as a scenario file. JSON's strings and numbers are TOML's too; control characters never get here."""
    lines = [f"{key} = {_written(document[key])}" for key in ("title", "asks", "region") if document.get(key)]
    if document.get("settings"):
        lines += ["", "[settings]", *(f"{name} = {_written(value)}" for name, value in document["settings"].items())]
    for key, override in document.get("figures", {}).items():
        lines += ["", f"[figures.{_written(key)}]"]
        lines += [f"{name} = {_written(value)}" for name, value in override.items() if value is not None]
    return "\n".join(lines) + "\n"


def _written(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_written(str(key))} = {_written(one)}" for key, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def opened(content: bytes, filename: str) -> Draft:
    """A scenario file that a visitor opens.

    Raises
    ------
    Refused : too large, no TOML, a parent, or anything that `flowsim.scenario` refuses.
    """
    if not filename.lower().endswith(SUFFIX):
        raise Refused("type")
    if len(content) > MOST_BYTES:
        raise Refused("large", most=MOST_BYTES // 1024)
    if not content.strip():
        raise Refused("empty")
    return _read(content)


def _read(content: bytes) -> Draft:
    """The scenario that TOML holds."""
    try:
        document = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Refused("encoding") from None
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise RefusedToml(error) from None
    if "stations" in document:
        raise Refused("network")
    if not document.keys() & PARTS:
        raise Refused("other_file")
    if "parent" in document:
        raise Refused("parent")
    try:
        region_of(document)
    except InputError:
        raise Refused("region", region=load_region(ground().region).name) from None
    _check_texts(document)
    return Draft(_validated(document))


def _validated(document: Document) -> Document:
    """The document, when a scenario can be made of it; a diversion written as settings and figure."""
    from flowsim.scenario.compile import compile_scenario

    figures = document.get("figures")
    if isinstance(figures, dict) and len(figures) > MOST_FIGURES:
        raise Refused("figures", most=MOST_FIGURES)
    if isinstance(document.get("title"), str):
        checked_title(document["title"])
    try:
        scenario = scenario_of(document, NAME)
        compile_scenario(scenario)
    except InputError as error:
        raise RefusedContent(error) from None
    document = {**document, "title": checked_title(str(document["title"]))}
    if "diversion" in document:
        share = document.pop("diversion")
        document["settings"] = {**document.get("settings", {}), "network": "diversion"}
        override = {"value": float(share), "because": document["title"]}
        document["figures"] = {**document.get("figures", {}), DIVERSION: override}
    return document


def _check_texts(part: Any) -> None:
    """Refuse texts that are overlong or hold control characters, anywhere in a document."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            _check_texts(str(key))
            _check_texts(value)
    elif isinstance(part, list):
        for value in part:
            _check_texts(value)
    elif isinstance(part, str) and (len(part) > LONGEST_TEXT or CONTROL.search(part)):
        raise Refused("text", most=LONGEST_TEXT)


def _short(found: object) -> str:
    return CONTROL.sub(" ", str(found))[:200]


def filename(title: str) -> str:
    """A name for a saved file: letters, digits and hyphens only."""
    from unicodedata import normalize

    plain = normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return (re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:50] or "scenario") + SUFFIX


# ---------------------------------------------------------------- links


def to_link(draft: Draft) -> str | None:
    """A scenario as text for a link: its levers, else its file; None when that is too long."""
    link = _of_levers(draft) or _packed(draft)
    return link if len(link) <= LONGEST_LINK else None


def to_links(drafts: Sequence[Draft]) -> list[str] | None:
    """All scenarios, for the address of a page; None when they do not fit in it."""
    from urllib.parse import quote

    links = [to_link(draft) for draft in drafts]
    found = [link for link in links if link is not None]
    written = sum(len(quote(link, safe="").replace("~", "%7E")) for link in found)
    return found if len(found) == len(links) and written <= LONGEST_LINKS else None


def _of_levers(draft: Draft) -> str | None:
    """``title~lever=value~...``; None when the scenario holds what no lever can say."""
    from urllib.parse import quote

    book = draft.book
    turned: dict[str, Value] = {}
    for lever in BY_NAME.values():
        value = draft.get(lever)
        if value is None:
            return None
        if value != lever.plan(book):
            turned[lever.name] = value
    try:
        again = with_region(levers.document_of(draft.title, turned, book, lambda lever: ""))
    except InputError:
        return None
    if _without_reasons(again) != _without_reasons(draft.document):
        return None
    parts = [f"{name}={value if isinstance(value, str) else repr(float(value))}" for name, value in turned.items()]
    return "~".join([quote(draft.title, safe=" ").replace("~", "%7E"), *parts])


def _packed(draft: Draft) -> str:
    return PACKED + urlsafe_b64encode(zlib.compress(to_toml(draft.document).encode(), 9)).decode().rstrip("=")


def _unpacked(linked: str) -> Draft:
    """What `_packed` made: a file from outside like any other."""
    code = linked.removeprefix(PACKED)
    reader = zlib.decompressobj()
    try:
        content = reader.decompress(b64decode(code + "=" * (-len(code) % 4), altchars=b"-_", validate=True), MOST_BYTES)
    except (ValueError, zlib.error):
        raise Refused("link") from None
    if not reader.eof or reader.unused_data:  # cut off, larger than a file may be, or followed by something else
        raise Refused("link")
    return _read(content)


def from_link(linked: str, lang: str) -> Draft:
    """The scenario in a link.

    Raises
    ------
    Refused : anything but a title and levers within their range, or a file that can be opened.
    """
    from urllib.parse import unquote

    if len(linked) > LONGEST_LINK:
        raise Refused("link")
    if linked.startswith(PACKED):
        return _unpacked(linked)
    title, *parts = linked.split("~")
    turned: dict[str, Value] = {}
    for part in parts:
        name, found, value = part.partition("=")
        lever = BY_NAME.get(name)
        if not found or lever is None or name in turned:
            raise Refused("link")
        turned[name] = value if lever.kind == "choice" else _number(value)
    try:
        book = load_figures(ground().region)
        document = with_region(levers.document_of(checked_title(unquote(title)), turned, book, because(lang)))
    except InputError:
        raise Refused("link") from None
    return Draft(_validated(document))


def from_links(linked: Sequence[str], lang: str) -> list[Draft]:
    """The scenarios of a link, at most four."""
    if len(linked) > MOST_SCENARIOS:
        raise Refused("link")
    try:
        return [from_link(one, lang) for one in linked]
    except Refused as refused:
        if refused.code == "title":  # nobody typed it here: say what it is a name of
            raise Refused("link_title", **refused.values) from None
        raise


def _number(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        raise Refused("link") from None
    if not math.isfinite(number):
        raise Refused("link")
    return number


def _without_reasons(document: Mapping[str, Any]) -> dict[str, Any]:
    """What a document changes: settings and figures, floats as floats, without words."""
    figures = {
        key: json.dumps({"value": _floats(one["value"]), "low": one.get("low"), "high": one.get("high")})
        for key, one in document.get("figures", {}).items()
    }
    other = {key: value for key, value in document.items() if key not in ("title", "asks", "settings", "figures")}
    settings = {name: value for name, value in document.get("settings", {}).items() if value != DEFAULTS[name]}
    return {"settings": settings, "figures": figures, **other}


def _floats(value: Any) -> Any:
    return {key: float(one) for key, one in sorted(value.items())} if isinstance(value, Mapping) else float(value)


@lru_cache(maxsize=64)
def _hash_of(document: str) -> str:
    return scenario_of(json.loads(document), NAME).hash


def fingerprint(draft: Draft) -> str:
    """A fingerprint of everything that the draft's simulation depends on: not of its words."""
    return _hash_of(json.dumps({**draft.document, "title": "---", "asks": ""}, sort_keys=True))
