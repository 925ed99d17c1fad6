"""The report from first page to last, as plain data for the template.

Every number is taken from the answer's tables or the region's figures; every sentence from the texts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from flowsim.present.answer import LAST_YEAR
from flowsim.present.report.account import Account
from flowsim.present.report.blocks import LETTERS
from flowsim.present.report.promises import Promises
from flowsim.present.report.story import Story
from flowsim.present.wording import scenario_title

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.answer import Answer


def document(
    answer: Answer,
    tables: Mapping[str, pd.DataFrame],
    lang: str,
    others: Sequence[tuple[Answer, Mapping[str, pd.DataFrame]]] = (),
    letters: str = LETTERS,
) -> dict[str, Any]:
    """The whole report as plain data for the template; ``letters``: of the scenarios, the first one's first."""
    story = Story(answer, tables, lang, others, letters)
    promises = Promises(answer, tables, lang)
    account = Account(answer, tables, lang)
    blocks = [
        *story.opening(),
        *story.waiting(),
        *story.comparison(),
        *story.route(),
        *promises.targets(),
        *promises.euros(),
        *story.hangs_on(),
    ]
    back = [
        *account.plan(),
        *account.method(),
        *account.assumed(),
        *account.sources(),
        *account.glossary(),
    ]
    title = story.r("title", region=story.region.name, year=LAST_YEAR)
    subtitle = scenario_title(lang, answer.scenario)
    return {
        "title": title,
        "subtitle": subtitle,
        "author": "flowsim",
        "lang": lang,
        "running": story.r("running", title=title, scenario=subtitle),
        "footer": story.r("footer", version=_version(), seed=answer.seed, hash=answer.scenario.hash),
        "contents": story.r("contents"),
        "blocks": blocks,
        "account": back,
    }


def _version() -> str:
    import flowsim

    return flowsim.__version__
