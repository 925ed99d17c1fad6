"""Reports from the app: made on request, of the plan and of a scenario beside others, and read back."""

from __future__ import annotations

import io
import threading
from collections.abc import Generator

import pytest
from pypdf import PdfReader
from test_app_drafts import HOSTILE
from test_app_studies import drafts, run
from test_app_views import finished, opened, page

from flowsim.present.app import reports, studies
from flowsim.present.app.drafts import Draft
from flowsim.present.app.jobs import Desk, Job
from flowsim.present.app.reports import of_plan, of_scenario, pdf_name
from flowsim.present.app.state import House, Visit
from flowsim.present.app.studies import Work
from flowsim.present.texts import LANGUAGES, text


@pytest.fixture(autouse=True)
def few(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The house of these tests, and few futures."""
    import flowsim.present.app.shell as shell

    monkeypatch.setattr(shell, "house", lambda: house)
    monkeypatch.setenv(studies.FUTURES_SETTING, "6")


def words(house: House, work: Work) -> str:
    """The text of the report that this work makes."""
    job = house.press.submit(work)
    assert job.ended.wait(120)
    assert job.state == "done", job.fault
    read = PdfReader(io.BytesIO(job.result))
    return " ".join(" ".join(one.extract_text() for one in read.pages).split())


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_report_of_the_plan_can_be_read_back(house: House, lang: str) -> None:
    found = words(house, of_plan(house.plan().result, lang))
    assert text(lang, "report.heading.answer") in found
    for name in house.plan().result.answer.cases:
        assert text(lang, f"answer.case.{name}")[1:12] in found


def test_the_report_of_a_scenario_has_the_others_beside_it_under_their_names_of_now(house: House) -> None:
    made = drafts(("staff_growth", 0.02), ("network", "diversion"), ("network", "none"))
    compared = run(house, made)
    titles = ("Eerste", "Tweede #strong[x]", "Derde $x$", "Vierde")
    for i, title in enumerate(titles):
        found = words(house, of_scenario(compared, i, "nl", titles))
        assert title in found
        assert all(one in found for one in titles)
        assert all(f"{letter}: {one}" in found for letter, one in zip("ABCD", titles, strict=True))  # as on the page


def test_why_a_figure_changed_is_told_in_the_language_of_the_report(house: House) -> None:
    compared = run(house, drafts(("staff_growth", 0.02), ("conversations", 325.0)))
    found = words(house, of_scenario(compared, 1, "en", ("First", "Second", "Third")))
    assert "Exploratory conversations a year goes from 2025: 50, 2026: 215" in found
    assert "in de app" not in found
    assert "functions." not in found


def test_names_of_files() -> None:
    for name in HOSTILE:
        assert pdf_name(name).endswith(".pdf")
        assert not set(pdf_name(name).removesuffix(".pdf")) - set("abcdefghijklmnopqrstuvwxyz0123456789-")


def test_a_report_is_asked_for_made_and_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    app = finished(opened("compare"))
    visit: Visit = app.session_state["visit"]
    key = f"report-{visit.drafts[0].number}"
    app.button(key=f"{key}-make").click().run()
    job = visit.reporting.job
    assert job is not None
    assert job.ended.wait(60)
    app.run()
    assert not app.exception
    assert [one.proto.label for one in app.get("download_button")] == [
        text("nl", "app.compare.save"),
        text("nl", "app.report.download"),
    ]
    assert job.result.startswith(b"%PDF")
    visit.drafts = [Draft({**visit.drafts[0].document, "title": "Andere naam"}, visit.drafts[0].number)]
    app.run()
    assert len(app.get("download_button")) == 1  # it is about the name of before: to be made anew
    assert not app.button(key=f"{key}-make").disabled


def test_the_answer_has_a_report_too() -> None:
    app = opened("answer")
    app.button(key="plan-report-make").click().run()
    job = app.session_state["visit"].reporting.job
    assert job.ended.wait(60)
    app.run()
    assert len(app.get("download_button")) == 1


def test_a_report_that_fails_is_told_and_the_page_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> bytes:
        raise RuntimeError("secret place")

    monkeypatch.setattr(reports, "make_report", broken)
    app = opened("answer")
    app.button(key="plan-report-make").click().run()
    job = app.session_state["visit"].reporting.job
    assert job.ended.wait(20)
    app.run()
    assert not app.exception
    assert job.fault in page(app)
    assert "secret" not in page(app)
    assert "fs-verdict" in page(app)


def test_a_report_does_not_hold_up_a_run(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = threading.Event()
    monkeypatch.setattr(reports, "make_report", lambda *_: gate.wait(30) and b"%PDF")
    slow = house.press.submit(of_plan(house.plan().result, "nl"))

    def quick(job: Job) -> Generator[None, None, None]:
        job.publish(1)
        yield

    assert house.desk.submit(quick).ended.wait(10)
    assert not slow.over
    gate.set()
    assert slow.ended.wait(10)


def test_a_full_press_says_so(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(house, "press", Desk(turns=0, queue=0))
    app = opened("answer")
    app.button(key="plan-report-make").click().run()
    assert text("nl", "app.report.full") in page(app)
