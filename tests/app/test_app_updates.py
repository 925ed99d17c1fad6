"""The page of the counts: uploads that are used or refused, the run behind it, and what the page shows."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from test_app_views import opened, page

from flowsim.errors import InputError
from flowsim.present import plots
from flowsim.present.app import charts, counts, keeping, shell, studies
from flowsim.present.app.counts import RefusedCounts, example, read, template
from flowsim.present.app.drafts import plan_draft
from flowsim.present.app.facts import facts
from flowsim.present.app.jobs import Desk
from flowsim.present.app.levers import BY_NAME
from flowsim.present.app.state import House, Visit
from flowsim.present.app.updates import Weighed, begun, most_futures, update_work
from flowsim.present.first_day import first_day
from flowsim.present.plots import FORECASTS
from flowsim.present.texts import LANGUAGES, format_number, text, texts
from flowsim.present.update_plot import forecast_plot
from flowsim.scenario.load import default
from flowsim.study.observed import MOST_BYTES, Observed, parse

HEADING = "kwartaal;wachtlijst;wacht_te_lang;niet_naar_ggz_procent\n"
BAD: dict[str, bytes] = {
    "large": b"x" * (MOST_BYTES + 1),
    "empty": b" \n;;\n",
    "workbook": b"PK\x03\x04abc",
    "binary": b"kwartaal;\x01wachtlijst",
    "csv": b'kwartaal;wachtlijst\n2026-Q1;"7"8\n',
    "long": b"kwartaal" + b";" * 60 + b"\n",
    "no_table": b"# 1\n",
    "no_quarters": b"wachtlijst\n7\n",
    "two_quarters": b"kwartaal;quarter;wachtlijst\n",
    "no_columns": b"kwartaal\n2026-Q1\n",
    "heading_twice": b"kwartaal;wachtlijst;waiting\n",
    "heading": b"kwartaal;xqzt\n",
    "headless": b"kwartaal;wachtlijst;\n2026-Q1;7;8\n",
    "shifted": b"kwartaal,wachtlijst\n2026-Q1,7,8\n",
    "row_twice": b"kwartaal;wachtlijst\n2026-Q1;7\n2026-Q1;8\n",
    "quarter": b"kwartaal;wachtlijst\n2031-Q1;7\n",
    "quarter_form": b"kwartaal;wachtlijst\n2026-Q5;7\n",
    "quarter_empty": b"kwartaal;wachtlijst\n;7\n",
    "early": b"kwartaal;gestart\n2024-Q4;7\n",
    "percent": b"kwartaal;niet_naar_ggz_procent\n2026-Q1;0,3\n",
    "whole": b"kwartaal;wachtlijst\n2026-Q1;7,5\n",
    "number": b"kwartaal;wachttijd_weken\n2026-Q1;9000\n",
    "no_counts": b"kwartaal;wachtlijst\n2026-Q1;\n",
    "too_many_overdue": b"kwartaal;wachtlijst;wacht_te_lang\n2026-Q1;7;8\n",
}


@pytest.fixture(autouse=True)
def few(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The house of these tests, and few futures."""
    monkeypatch.setattr(shell, "house", lambda: house)
    monkeypatch.setenv(studies.FUTURES_SETTING, "6")


@pytest.fixture(scope="module")
def weighed() -> Weighed:
    """The example after a few futures, made once."""
    desk = Desk()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(studies.FUTURES_SETTING, "6")
        assert most_futures() == 128
        job = desk.submit(update_work(begun(example(), default())))
    assert job.ended.wait(120)
    desk.close()
    assert job.state == "done", job.fault
    assert (job.done, job.total) == (128, 128)
    assert isinstance(job.result, Weighed)
    return job.result


# ---------------------------------------------------------------- uploads


@pytest.mark.parametrize("code", BAD)
def test_each_refusal_has_its_own_words(code: str) -> None:
    with pytest.raises(RefusedCounts) as caught:
        read(BAD[code], "mijn.csv")
    assert caught.value.code == code
    for lang in LANGUAGES:
        said = caught.value.sentence(lang)
        assert text(lang, "app.refused.counts_end") in said
        assert "{" not in said


def test_every_reason_of_the_reader_is_tried() -> None:
    worded = {key.rpartition(".")[2] for key in texts("nl") if key.startswith("app.refused.counts.")}
    assert {*BAD, "functions", "type", "other"} == worded


def test_a_refusal_says_where() -> None:
    with pytest.raises(RefusedCounts) as caught:
        read(BAD["whole"], "x.csv")
    assert "regel 2, kolom wachtlijst" in caught.value.sentence("nl")
    assert "7,5" in caught.value.sentence("nl")
    assert re.search(r"van 0 tot en met [\d.]+\.000,", caught.value.sentence("nl"))


def test_personal_data_is_refused_and_never_repeated() -> None:
    with pytest.raises(RefusedCounts) as caught:
        read(f"{HEADING}2026-Q1;Jansen;;\n".encode(), "x.csv")
    said = caught.value.sentence("nl")
    assert text("nl", "update.personal.name") in said
    assert "regel 2, kolom 2" in said
    assert "Jansen" not in said


def test_another_type_is_refused() -> None:
    with pytest.raises(RefusedCounts, match="type"):
        read(b"kwartaal;wachtlijst\n2026-Q1;7\n", "counts.html")


def test_the_example_is_that_of_the_experiments_and_says_so() -> None:
    original = Path(__file__).parents[2] / "experiments" / "observed_made_up.csv"
    assert example().cells == parse(original.read_bytes(), "x").cells
    assert example().made_up


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_template_can_be_filled_in(lang: str) -> None:
    content = template(lang)
    with pytest.raises(RefusedCounts, match="no_counts"):
        read(content, "x.csv")
    mark, separator = b"2026-Q1", b";" if lang == "nl" else b","
    filled = content.replace(mark + separator * 3, mark + separator * 3 + b"700", 1)
    assert set(read(filled, "x.csv").cells.values()) == {700.0}


# ---------------------------------------------------------------- the run


def test_cancel_stops_between_replications(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(studies.FUTURES_SETTING, "2000")
    house = House(Desk())
    visit = Visit("nl", counts=example())
    assert visit.weigh(house, plan_draft("nl")) is None
    job = visit.weighing.job
    assert job is not None
    while job.done < 4:
        assert not job.over, job.fault
        job.ended.wait(0.01)
    visit.weighing.stop()
    assert job.ended.wait(20)
    assert job.state == "cancelled"
    done = job.done
    assert done < 256
    assert job.ended.wait(0.3)
    assert job.done == done
    visit.weigh(house, plan_draft("nl"))
    assert visit.weighing.job is job  # stopped stays stopped
    visit.take(None)
    assert visit.weighing.job is None
    assert visit.weigh(house, plan_draft("nl")) is None
    house.desk.close()


def test_counts_of_functions_need_a_scenario_with_functions() -> None:
    none = plan_draft("nl").turned(BY_NAME["network"], "none", "nl")
    visit = Visit("nl", counts=example())
    with pytest.raises(InputError) as caught:
        visit.weigh(House(Desk()), none)
    assert counts.refused(caught.value).code == "functions"
    assert visit.weighing.job is None


# ---------------------------------------------------------------- the page


def shown_with(monkeypatch: pytest.MonkeyPatch, result: Weighed, lang: str = "nl", **state: Any) -> AppTest:
    """The page with a forecast that is there already."""
    monkeypatch.setattr(Visit, "weigh", lambda *_, **__: result)
    return opened("update", lang, visit=Visit(lang, counts=example()), **state)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_forecast_beside_the_old_one(monkeypatch: pytest.MonkeyPatch, weighed: Weighed, lang: str) -> None:
    app = shown_with(monkeypatch, weighed, lang)
    shown = page(app)
    assert shown.count('role="img"') == 2
    for key in ("update.table.summary.title", "update.table.years.title", "update.table.counts.title"):
        assert text(lang, key) in shown
    assert ("VERZONNEN" if lang == "nl" else "MADE UP") in shown
    assert "{" not in shown
    assert len(app.get("plotly_chart")) == 1
    assert ("VERZONNEN" if lang == "nl" else "MADE") in app.get("plotly_chart")[0].proto.spec


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_day_stands_beside_that_of_the_other_pages(
    monkeypatch: pytest.MonkeyPatch, weighed: Weighed, house: House, lang: str
) -> None:
    found = weighed.found
    nothing_yet = SimpleNamespace(plan=lambda: SimpleNamespace(result=None))
    for measure in ("waiting", "overdue"):
        people = np.array([getattr(one, measure)[0] for one in found.case.futures], float)
        old, new = (format_number(lang, float(weights @ people)) for weights in (found.before, found.after))
        other = format_number(lang, first_day(house.plan().result.tables, measure).mean)
        assert old != new != other != old  # else the sentence would say nothing
        values = {**facts(lang), "unit": text(lang, f"app.unit.{measure}"), "old": old, "new": new}
        state = {"update-measure-chosen": measure}
        monkeypatch.setattr(shell, "house", lambda: house)
        app = shown_with(monkeypatch, weighed, lang, **state)
        assert escape(text(lang, "app.update.first.beside", answer=other, **values)) in page(app)
        monkeypatch.setattr(shell, "house", lambda: nothing_yet)
        app = shown_with(monkeypatch, weighed, lang, **state)
        assert escape(text(lang, "app.update.first.alone", **values)) in page(app)


GOOD = HEADING.encode() + b"2026-Q1;870;200;\n"


def test_what_a_tab_kept_is_a_file_from_outside_like_any_other() -> None:
    kept = keeping.packed(GOOD, "a b.csv")
    found = keeping.unpacked(kept)
    assert found is not None
    assert (found.name, found.digest) == ("a b.csv", read(GOOD, "a b.csv").digest)
    wrong: list[Any] = ["", "x", "3", "null", "[]", "{}", 3, None, kept[:-9], "[" * 90_000, "x" * 200_000]
    wrong += [kept.replace("csv", "exe"), kept.replace("content", "other"), '{"name": "x.csv", "content": "?"}']
    wrong += [keeping.packed(content, "x.csv") for content in BAD.values()]
    start = json.loads(kept)["content"][:8]
    wrong += [kept.replace(start, f"{start[:4]}!{start[4:]}"), keeping.packed(GOOD, "x" * keeping.MOST + ".csv")]
    assert [keeping.unpacked(one) for one in wrong] == [None] * len(wrong)
    largest = HEADING.encode() + b"#" * (MOST_BYTES - len(HEADING))
    assert len(keeping.packed(largest, "x" * 60)) < keeping.MOST


def test_the_tab_keeps_what_is_used_until_it_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new visit asks the tab; afterwards it only tells the tab what to keep."""
    asked: list[dict[str, Any]] = []
    turns: list[float] = []
    kept: list[str] = [keeping.packed(GOOD, "mine.csv")]

    def component(name: str, js: str) -> Any:
        def shown(data: dict[str, Any], **_: Any) -> Any:
            turns.append(data.pop("turn"))
            asked.append(data)
            return SimpleNamespace(kept=None if data else kept[0])

        return shown

    monkeypatch.setattr(keeping.st.components.v2, "component", component)
    app = opened("update")
    visit: Visit = app.session_state["visit"]
    assert asked == [{}, {"keep": kept[0], "forget": False}]
    assert visit.counts is not None
    assert visit.counts.name == "mine.csv"
    app.button(key="count-remove").click().run()
    assert visit.counts is None
    assert asked[-1] == {"keep": "", "forget": True}
    assert turns[0] < turns[1] < turns[-1]  # a tab that hears the second after the last leaves it
    app.button(key="count-example").click().run()
    assert keeping.unpacked(asked[-1]["keep"]) == example()
    visit.take(None)
    kept[0] = keeping.packed(BAD["early"], "x.csv")
    asked.clear()
    app = opened("update")
    assert app.session_state["visit"].counts is None
    assert asked == [{}, {"keep": "", "forget": True}]
    assert "fs-error" not in page(app)


def test_without_and_with_the_counts_have_colours_of_their_own(
    monkeypatch: pytest.MonkeyPatch, weighed: Weighed
) -> None:
    """On the page and in the plot: no reading and no scenario has them, and the one without is dashed."""
    from matplotlib.colors import to_hex

    assert not set(FORECASTS.values()) & {*plots.COLOURS.values(), *charts.COLOURS.values(), *plots.SCENARIOS}
    app = shown_with(monkeypatch, weighed)
    cards = re.findall(r'class="fs-card" style="--fs-colour:(#\w+)"', page(app))
    assert cards == list(FORECASTS.values())
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)["data"]
    lines = [one["line"] for one in drawn if "color" in one.get("line", {})]
    assert [(one["color"], one["dash"]) for one in lines] == [(FORECASTS["old"], "dash"), (FORECASTS["new"], "solid")]
    start = weighed.found.case.region.start
    for axes in forecast_plot(weighed.tables, start, "nl", made_up=True)["forecast"].axes:
        named = [text("nl", f"update.plot.{when}") for when in FORECASTS]
        both = [one for one in axes.lines if one.get_label() in named]
        assert [to_hex(one.get_color()).upper() for one in both] == list(FORECASTS.values())
        assert [one.get_linestyle() for one in both] == ["--", "-"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_long_tables_are_closed_behind_what_they_say_in_a_line(
    monkeypatch: pytest.MonkeyPatch, weighed: Weighed, lang: str
) -> None:
    shown = page(shown_with(monkeypatch, weighed, lang))
    counts = weighed.tables["counts"]
    assert "<details" in shown
    assert " open=" not in shown
    fits = int((~counts["odd"].astype(bool) & ~counts["conflict"].astype(bool)).sum())
    said = text(lang, "app.update.short.counts", n=len(counts), yes=fits, odd=len(counts) - fits, conflict=0)
    (part,) = [one for one in shown.split("<details")[1:] if said in one.partition("</summary>")[0]]
    assert part.count('<tr role="row">') - 1 == len(counts)
    moved = weighed.tables["moved"]
    whole = moved[moved["quarter"] == ""]
    clear = int(((whole["overdue_low"] > 0.0) | (whole["overdue_high"] < 0.0)).sum())
    assert text(lang, "app.update.short.moved", n=clear, most=len(whole)) in shown


def test_a_hostile_name_is_text(monkeypatch: pytest.MonkeyPatch, weighed: Weighed) -> None:
    name = "<img src=x onerror=alert(1)>\u202e**.csv"
    found = read(b"# MADE UP\nquarter,waiting\n2026-Q1,880\n", name)
    assert "\u202e" not in found.name
    monkeypatch.setattr(weighed.found, "observed", Observed(weighed.found.observed.cells, found.name, "", True))
    monkeypatch.setattr(Visit, "weigh", lambda *_, **__: weighed)
    shown = page(opened("update", visit=Visit("nl", counts=found)))
    assert shown.count("&lt;img src=x") == 2
    assert "<img" not in shown


def test_an_upload_and_the_example_and_taking_them_away(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Observed | None] = []
    monkeypatch.setattr(Visit, "weigh", lambda self, *_, **__: asked.append(self.counts))
    app = opened("update")
    assert text("nl", "app.update.none") in page(app)
    app.file_uploader[0].upload("eigen.csv", b"kwartaal;wachtlijst\n2026-Q1;7\n").run()
    assert not app.exception
    assert asked[-1] is not None
    assert asked[-1].name == "eigen.csv"
    assert app.file_uploader[0].value is None  # Streamlit does not hold it either
    app.file_uploader[0].upload("eigen.csv", BAD["number"]).run()
    assert text("nl", "app.refused.counts_end") in page(app)
    assert app.session_state["visit"].counts is None
    app.button(key="count-example").click().run()
    assert asked[-1] is not None
    assert asked[-1].made_up
    app.button(key="count-remove").click().run()
    assert text("nl", "app.update.none") in page(app)


def test_counts_that_cannot_be_give_no_forecast(house: House) -> None:
    hopeless = read(b"quarter,waiting\n2026-Q1,9000\n", "x.csv")
    app = opened("update", visit=Visit("nl", counts=hopeless))
    job = app.session_state["visit"].weighing.job
    assert job.ended.wait(120)
    app.run()
    assert not app.exception
    assert text("nl", "update.head.conflict") in page(app)
    assert page(app).count("<details") == page(app).count(" open=") == 1  # the counts: that is what it is about
    assert len(app.get("plotly_chart")) == 0
