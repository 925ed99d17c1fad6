"""What the address of a page says: the visitor's language and scenarios, so that a reload, a bookmark or the Back
button loses neither.

The address is all there is: nothing is kept on the server, and nobody sees another's scenarios without their address.
The browser writes it, in place of the address before: Streamlit's own way would add a step to the browser's history
with every move of a slider, and forgets it with every step to another page.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from flowsim.present.app.drafts import Draft, is_plan, to_links

LANG: Final = "lang"
LINK: Final = "s"
"""Query parameter of a scenario in a link."""
WRITE: Final = """
(() => {
  const ours = %s, said = %s, address = new URL(location.href);
  const others = [...address.searchParams].filter(([name]) => !ours.includes(name));
  address.search = new URLSearchParams([...said, ...others]);
  if (address.href !== location.href) history.replaceState(history.state, '', address);
})();"""
NEW_TAB: Final = """
if (!window.flowsimTabs) {
  window.flowsimTabs = true;
  ['pointerdown', 'focusin'].forEach((begin) => document.addEventListener(begin, (event) => {
    const link = event.target.closest?.('[data-testid=stSidebarNavLink]');
    if (link) link.search = location.search;
  }));
}"""
"""A page that is opened from the navigation in a tab of its own has the language and the scenarios too."""


def script(page: str, lang: str, drafts: Sequence[Draft], refused: bool) -> str:
    """What has the browser write the address.

    Parameters
    ----------
    page : the page's address: Streamlit runs a script again only when there is something else in it. refused : the
        address came with scenarios that could not be used; they stay in it until the visitor makes others.
    """
    ours, said = [LANG, LINK], [(LANG, lang)]
    if all(is_plan(draft) for draft in drafts) and len(drafts) == 1:
        ours = ours[:1] if refused else ours
    else:
        said += [(LINK, link) for link in to_links(drafts) or []]
    return f"/* {_safe(page)} */{WRITE % (_safe(ours), _safe(said))}{NEW_TAB}"


def _safe(value: object) -> str:
    """JSON that cannot end the script or the comment that it stands in."""
    return json.dumps(value).replace("<", "\\u003c").replace("*/", "*\\/")
