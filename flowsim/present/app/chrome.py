"""Streamlit's own words on a page, in the visitor's language: ``words.js`` replaces them where they appear.

The English catalogue holds them as Streamlit says them (``app.streamlit``), the Dutch one what flowsim says instead.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Final

from flowsim.present.app import counts, drafts
from flowsim.present.texts import texts

SPOKEN: Final = "en"
"""The language that Streamlit speaks."""
PREFIX: Final = "app.streamlit."
SCENARIO: Final = "upload"
COUNTS: Final = "count-upload"
ENDINGS: Final = {SCENARIO: drafts.SUFFIX, COUNTS: counts.SUFFIX}
"""What the browser's file picker offers, by the key of an upload. Another file can be chosen all the same: the page
refuses it, in the visitor's language, where Streamlit would do so in English."""


@cache
def script(lang: str) -> str:
    """What a page runs to put Streamlit's words in a language."""
    known = {key: said for key, said in texts(SPOKEN).items() if key.startswith(PREFIX)}
    pairs = [[said, texts(lang)[key]] for key, said in known.items() if texts(lang)[key] != said]
    code = (resources.files("flowsim.present.app") / "words.js").read_text(encoding="utf-8")
    return code.replace("= ACCEPTS;", f"= {_written(ENDINGS)};").replace("= WORDS.map", f"= {_written(pairs)}.map")


def _written(value: object) -> str:
    """As JavaScript; nothing in it can end the script."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
