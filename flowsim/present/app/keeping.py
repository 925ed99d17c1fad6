"""Counts that stay when a page is loaded again: in the memory of the visitor's own tab of the browser.

A visit ends with its page; the tab does not. It gets what was uploaded, and gives it back to the visit that comes
after, where it is a file from outside like any other (`flowsim.present.app.counts.read`). Nothing of it is kept on the
server or in the address.
"""

from __future__ import annotations

import json
import time
from base64 import b64decode, b64encode
from importlib import resources
from typing import Any, Final

import streamlit as st

from flowsim.present.app import counts
from flowsim.present.app.drafts import Refused
from flowsim.present.app.state import Visit
from flowsim.study.observed import MOST_BYTES, Observed

KEPT: Final = "counts-kept"
"""In the session: what the tab is to keep; empty: nothing; not there: the tab has not been asked yet."""
TURN: Final = "counts-turn"
"""In the session: when that was said, seconds. A tab can hear things twice, and late: what is older than what it has
done it leaves."""
MOST: Final = 2 * MOST_BYTES
"""Characters that are taken from a tab."""


def keep(content: bytes, name: str) -> None:
    """Have the tab keep an upload that is used."""
    _say(packed(content, name))


def forget() -> None:
    """Have the tab keep nothing."""
    _say("")


def _say(kept: str) -> None:
    st.session_state[KEPT], st.session_state[TURN] = kept, time.time()


def packed(content: bytes, name: str) -> str:
    """An upload as text."""
    return json.dumps({"name": name, "content": b64encode(content).decode()})


def unpacked(kept: Any) -> Observed | None:
    """The counts that `packed` made text of; None: anything else, or what is refused."""
    try:
        if len(kept) > MOST:
            return None
        found = json.loads(kept)
        return counts.read(b64decode(found["content"], validate=True), str(found["name"]))
    except (Refused, ValueError, TypeError, KeyError, RecursionError):
        return None


def remember(visit: Visit) -> None:
    """Ask the tab of a new visit what it has; afterwards say what it is to keep. Once on the page, after the rest."""
    asked = KEPT not in st.session_state
    data = {} if asked else {"keep": st.session_state[KEPT], "forget": not st.session_state[KEPT]}
    data |= {"turn": st.session_state.setdefault(TURN, time.time())}
    code = (resources.files("flowsim.present.app") / "keeping.js").read_text(encoding="utf-8")
    with st.container(key="keeping"):
        found = st.components.v2.component("flowsim_keeping", js=code)(
            data=data, key="counts-tab", on_kept_change=lambda: None
        )
    if asked and found.kept:
        counted = unpacked(found.kept)
        _say("" if counted is None else found.kept)
        if counted is not None:
            visit.take(counted)
        st.rerun()
