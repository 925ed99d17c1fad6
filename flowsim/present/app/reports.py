"""The report as a PDF, of the plan or of a scenario beside the others: made when a visitor asks for it.

It is made by a thread of its own (`flowsim.present.app.state.House.press`), one report at a time, so that simulations
and pages go on.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Final

from flowsim.present.app.drafts import filename
from flowsim.present.app.jobs import Job
from flowsim.present.app.studies import Compared, Told, Work
from flowsim.present.report import make_report
from flowsim.present.report.blocks import LETTERS
from flowsim.study.answer import Answer
from flowsim.study.beside import leading_case

MIME: Final = "application/pdf"


def of_plan(told: Told, lang: str) -> Work:
    """The report of the plan under each reading; publishes its bytes."""
    return _work(lambda: make_report(told.answer, told.tables, lang))


def of_scenario(compared: Compared, i: int, lang: str, titles: Sequence[str]) -> Work:
    """The report of one scenario of a comparison, with the others beside it; publishes its bytes.

    ``titles`` : of the scenarios as they are called now: a new name asks for no new run.
    """

    def made() -> bytes:
        from flowsim.analysis import answers

        order = (i, *(j for j in range(len(compared.answers)) if j != i))
        first, *others = (named(compared.answers[j], titles[j]) for j in order)
        beside = [(one, {"futures": answers.futures(one), "fan": answers.fan(one)}) for one in others]
        letters = "".join(LETTERS[j] for j in order)  # as the page has them: there is one Scenario A
        return make_report(first, first.tables, lang, beside, letters=letters)

    return _work(made)


def named(answer: Answer, title: str) -> Answer:
    """A comparison's answer under this title, its case called by the scenario's reading, as `flowsim answer` does."""
    name, _ = leading_case(answer.scenario)
    cases = {}
    for key, case in answer.cases.items():
        mine = copy.copy(case)
        mine.name = name if key == "case" else key
        cases[mine.name] = mine
    return replace(answer, scenario=replace(answer.scenario, title=title), cases=cases)


def pdf_name(title: str) -> str:
    """A name for the file."""
    return filename(title).removesuffix(".toml") + ".pdf"


def _work(made: Callable[[], bytes]) -> Work:
    def work(job: Job) -> Generator[None, None, None]:
        job.check()
        yield
        job.publish(made())

    return work
