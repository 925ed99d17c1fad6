"""From blocks to a PDF, by Typst: tagged (PDF/UA-1), fonts embedded, the same bytes from the same blocks.

All that is read goes to the template as one JSON string; the template is the same file for every report. Only the
fonts that come with Typst and Matplotlib are used, never those of the machine, and no file or package is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unicodedata import category

from flowsim.errors import InputError, extra
from flowsim.present.report.blocks import LETTERS, Block
from flowsim.present.said import reworded

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.answer import Answer

MOST_SCENARIOS: Final = 4
"""As many as the colours and a page can tell apart."""
FORMS: Final = ("pdf", "html", "xlsx")
WRITERS: Final = {"pdf": "Typst", "xlsx": "XlsxWriter"}
"""The package that writes a form; HTML needs none."""
TEMPLATE: Final = "report.typ"
STANDARD: Final = "ua-1"
UNREADABLE: Final = "?"


def make_report(
    answer: Answer,
    tables: Mapping[str, pd.DataFrame],
    lang: str,
    others: Sequence[tuple[Answer, Mapping[str, pd.DataFrame]]] = (),
    form: str = "pdf",
    letters: str = LETTERS,
) -> bytes:
    """The report as a PDF or as one HTML file, or its tables as a workbook (XLSX).

    Parameters
    ----------
    answer : what the report is about, simulated or read back (`flowsim.study.finished`).
    tables : its tables. lang : ``nl`` or ``en``.
    others : scenarios to compare it with, at most three, each with at least its leading case and the tables
        ``futures`` and ``fan``, in the same futures (the same seed).
    form : one of `FORMS`.
    letters : what the scenarios are called in pictures and tables, the first one's first: an app that shows them in
        another order has letters of its own.

    Raises
    ------
    InputError : what writes the form is not installed, or others that cannot be compared.
    """
    from flowsim.present.report.content import document

    check_form(form)
    if len(others) >= MOST_SCENARIOS:
        raise InputError("scenarios", str(len(others) + 1), f"at most {MOST_SCENARIOS}")
    for other, _ in others:
        if other.seed != answer.seed:
            raise InputError("scenarios", f"seeds {answer.seed} and {other.seed}", "runs with the same seed")
    content = document(answer, tables, lang, others, letters)
    if form == "html":
        from flowsim.present.report.webpage import webpage

        return webpage(content)
    if form == "xlsx":
        from flowsim.present.report.workbook import workbook

        return workbook(content)
    return typeset(content)


def check_form(form: str) -> None:
    """Refuse to begin when what writes a form, of `FORMS`, is not there.

    Raises
    ------
    InputError : says how to install it.
    """
    from importlib.util import find_spec

    writer = WRITERS.get(form)
    if writer is not None and find_spec(writer.lower()) is None:
        raise InputError("flowsim report", f"no {writer}", extra("app"))


def typeset(content: Mapping[str, Any]) -> bytes:
    """A document as a PDF; ``content``: what `flowsim.present.report.content.document` makes."""
    import matplotlib
    import typst

    shelf = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[str(shelf)])
    template = resources.files("flowsim.present.report").joinpath(TEMPLATE).read_bytes()
    made = typst.compile(
        template,
        font_paths=fonts,
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"data": json.dumps(readable(content))},
        pdf_standards=[STANDARD],
    )
    assert isinstance(made, bytes)
    return made


def readable(value: Any) -> Any:
    """The same data, with a question mark for each character that cannot be read.

    Control and formatting characters, which could reverse or hide words, and those that PDF/UA does not allow.
    """
    if isinstance(value, str):
        words = "".join(one if one == "\n" or category(one)[0] != "C" else UNREADABLE for one in value)
        return reworded(value, words)
    if isinstance(value, Mapping):
        return {key: item if key == "svg" else readable(item) for key, item in value.items()}
    return [readable(item) for item in value] if isinstance(value, list) else value


def figures_of(blocks: Sequence[Block]) -> list[Block]:
    """The pictures of a document, in order."""
    return [block for block in blocks if block["kind"] == "figure"]
