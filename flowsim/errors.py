"""The one way in which flowsim refuses input: where, what was found, what was expected."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any, Final

LONGEST_SHOWN: Final = 60
LONGEST_TOLD: Final = 300
"""Characters of what was found, in a message: more than that nobody reads."""
_UNPLAIN: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
NO_CONTROL: Final = r"^[^\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]*$"
"""Pattern of words: characters that would steer a terminal, or turn the direction of a line round, do not belong in
them; a tab and the end of a line do."""
_AT: Final = re.compile(r"\(at line (\d+), column (\d+)\)$")


class InputError(ValueError):
    """Unusable input, told in one message.

    Parameters
    ----------
    where : the place a user can go to: a file and key, a flag, an argument.
    found : what stood there.
    expected : what would have been accepted.
    code : names the sentence that says the same to somebody who reads another language (`flowsim.present.refusals`);
        empty: there is none of its own. values : what goes into the gaps of that sentence: numbers, and what the user
        wrote, never words of ours.
    """

    def __init__(self, where: str, found: str, expected: str, code: str = "", **values: object) -> None:
        self.where = where
        self.found = found
        self.expected = expected
        self.code = code
        self.values = values
        shown = found if len(found) <= LONGEST_TOLD else found[: LONGEST_TOLD - 3] + "..."
        super().__init__(one_line(f"{where}: found {shown}; expected {expected}"))

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        """So that another process can hand it over."""
        return _again, (type(self), self.where, self.found, self.expected, self.code, self.values)

    def at(self, where: str) -> InputError:
        """The same at a place that whoever gave the input knows."""
        return InputError(where, self.found, self.expected, self.code, **self.values)


def _again(
    kind: type[InputError], where: str, found: str, expected: str, code: str, values: dict[str, object]
) -> InputError:
    return kind(where, found, expected, code, **values)


def one_line(text: str) -> str:
    """What somebody else wrote (the name of a file, a key, a value) as a message can hold it: on one line and without
    characters that would steer a terminal."""
    return _UNPLAIN.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def path_of(where: str, given: Any, expected: str) -> Path:
    """A path, as an argument gives it.

    Raises
    ------
    InputError : something that is no path, or that leads nowhere: a link in a circle, or from a working folder that is
        gone; ``expected`` says what else the argument takes.
    """
    if not isinstance(given, (str, PathLike)) or "\0" in str(given):
        raise InputError(where, f"{type(given).__name__} {given!r}"[:80], expected)
    try:
        Path(given).resolve()
    except (FileNotFoundError, RuntimeError, UnicodeError):
        raise InputError(where, f"{str(given)!r}, which leads nowhere"[:80], expected) from None
    return Path(given)


def written(value: Any) -> str:
    """A value as it stands in a TOML file, short and on one line."""
    if isinstance(value, Mapping):
        text = "{ " + ", ".join(f"{key} = {written(one)}" for key, one in value.items()) + " }"
    elif isinstance(value, (list, tuple)):
        text = "[" + ", ".join(map(written, value)) + "]"
    elif isinstance(value, float):
        text = repr(value)
    elif isinstance(value, (bool, str)):
        text = json.dumps(value, ensure_ascii=False)
    else:
        text = str(value)
    return text if len(text) <= LONGEST_SHOWN else text[: LONGEST_SHOWN - 3] + "..."


def toml_fault(error: Exception) -> tuple[str, dict[str, object]]:
    """What is wrong with a text that is not TOML: the code of a sentence, and the place for its gaps."""
    said = str(error)
    if isinstance(error, RecursionError):
        return "toml.deep", {}
    twice = said.startswith(("Cannot overwrite", "Cannot declare", "Duplicate", "Cannot mutate", "Cannot redefine"))
    if said.endswith("(at end of document)"):
        return "toml.twice_end" if twice else "toml.end", {}
    place = _AT.search(said)
    if place is None:
        return "toml.other", {}
    return "toml.twice" if twice else "toml.place", {"line": place[1], "column": place[2]}


def extra(name: str) -> str:
    """What is expected where an optional dependency is missing; not by flowsim's name, which is another's elsewhere."""
    return f"the extra {name}: pip install '.[{name}]' in the folder of flowsim"
