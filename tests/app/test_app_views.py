"""Every page, without a browser: Streamlit's own test runner."""

from __future__ import annotations

import datetime as dt
import re
import time
from dataclasses import replace
from html import escape, unescape
from html.parser import HTMLParser
from importlib import resources
from types import SimpleNamespace
from typing import Any, cast

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest
from test_app_drafts import HOSTILE

from flowsim.analysis import verdict
from flowsim.errors import InputError
from flowsim.plan.figures import KINDS, load_figures
from flowsim.plan.tables.checks import INCONSISTENT
from flowsim.present.answer import Page, Rows
from flowsim.present.app import charts, counts, html, state, studies
from flowsim.present.app.drafts import Draft, because, to_link
from flowsim.present.app.html import plain
from flowsim.present.app.levers import BY_NAME, GROUPS, document_of
from flowsim.present.app.shell import OF_PLAN, PAGES
from flowsim.present.app.state import House, Visit
from flowsim.present.app.views import account, answer, plan
from flowsim.present.app.views.comparison import MET
from flowsim.present.figures import note_words
from flowsim.present.first_day import first_day
from flowsim.present.plan_table import cause_text, row_text
from flowsim.present.plots import EFFECTS
from flowsim.present.targets import plan_itself
from flowsim.present.texts import LANGUAGES, format_number, text, texts
from flowsim.present.wording import percent


@pytest.fixture(autouse=True)
def few(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The house of these tests, and few futures."""
    import flowsim.present.app.shell as shell

    monkeypatch.setattr(shell, "house", lambda: house)
    monkeypatch.setenv(studies.FUTURES_SETTING, "6")


def opened(name: str, lang: str = "nl", **state: Any) -> AppTest:
    app = AppTest.from_string(f"from flowsim.present.app.shell import only\nonly({name!r})", default_timeout=60)
    app.session_state["lang"] = lang
    for key, value in state.items():
        app.session_state[key] = value
    app.run()
    assert not app.exception, app.exception
    return app


def page(app: AppTest) -> str:
    """All HTML that is shown."""
    return "\n".join(element.proto.body for element in app.get("html"))


def closed(app: AppTest) -> str:
    """The HTML that is shown once a part is opened."""
    return "\n".join(element.proto.body for part in app.expander for element in part.get("html"))


def finished(app: AppTest) -> AppTest:
    """Once the comparison is done."""
    visit: Visit = app.session_state["visit"]
    assert visit.job is not None
    assert visit.job.ended.wait(120)
    app.run()
    assert not app.exception, app.exception
    return app


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_opens_in_both_languages(name: str, lang: str) -> None:
    shown = page(opened(name, lang))
    heading = text(lang, f"app.page.{name}.heading", last="2029")
    assert f">{heading}</h1>".replace("'", "&#x27;") in shown
    assert "{" not in shown
    assert "[[" not in shown


def test_the_answer_shows_number_dots_readings_and_what_it_hangs_on(house: House) -> None:
    app = opened("answer")
    shown = page(app)
    answer = house.plan().result.answer
    assert shown.count('role="img"') == 1 + len(answer.cases)
    for name in answer.cases:
        assert text("nl", f"answer.case.{name}") in shown
    assert "fs-bar" in shown
    assert len(app.get("plotly_chart")) == 1


def test_goals_show_every_promise_with_a_light_and_a_payment() -> None:
    app = opened("goals")
    shown = page(app)
    assert shown.count("KPI 24") >= 1
    assert "€ 60.000" in shown
    assert shown.count("fs-light") > 17
    assert re.search(r"\b(\S+) \(\1–\1\)", shown) is None  # 2 (2–2)
    other = app.radio(key="goals-reading-nl").set_value("headcount").run()
    assert page(other) != shown


@pytest.mark.parametrize("lang", LANGUAGES)
def test_goals_say_why_and_where_the_plan_asks_for_more_than_it_counts_on(lang: str) -> None:
    """KPI 27 is missed by a misprint of the plan; whoever reads that money hangs on it, reads that too."""
    shown = unescape(page(opened("goals", lang)))
    assert text(lang, "app.goals.why") in shown
    (itself,) = plan_itself(lang, "amstelland").values()
    assert "486" in itself
    assert "436" in itself
    stake = text(lang, "app.goals.at_stake", amount="|").partition("|")[0]
    assert shown.index(stake) < shown.index(itself) < shown.index("<table")
    assert text(lang, "targets.cause.plan_says_less", asked="486", planned="436") in shown


@pytest.mark.parametrize("name", PAGES)
def test_a_page_about_the_plan_says_so_to_who_made_scenarios(name: str) -> None:
    said = text("nl", "app.ground.not_yours", title="|", page="").partition("|")[0]
    assert said not in page(opened(name))
    visit = Visit("nl")
    visit.add(visit.drafts[0].copied("Mijn plan"))
    assert (said in page(opened(name, visit=visit))) == (name in OF_PLAN)


def test_one_scenario_has_no_differences_and_its_outcome_stands_near_its_levers() -> None:
    app = finished(opened("compare"))
    shown = page(app)
    difference = text("nl", "app.compare.difference_note")
    assert text("nl", "app.compare.at_end") in shown
    assert difference not in shown
    assert shown.count("fs-outlook") == 1
    visit: Visit = app.session_state["visit"]
    assert visit.result is not None
    line = next(part for part in shown.split("<p ") if "fs-outlook" in part)
    assert percent("nl", visit.result.chances[0].value) in line
    app.button(key="add").click().run()
    shown = page(finished(app))
    assert difference in shown
    assert text("nl", "app.compare.at_end") not in shown


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_lever_says_what_is_simulated_until_it_is_turned(lang: str) -> None:
    """Growth differs by future; a start in 2025 is no number of years."""
    shown = unescape(page(opened("compare", lang)))
    said = {
        name: text(lang, f"app.lever.{name}", plan="|", source="", low="", high="") for name in ("drawn", "start_cited")
    }
    before = {name: sentence.partition("|")[0] for name, sentence in said.items()}
    assert shown.count(before["drawn"]) == 1
    assert f"{before['start_cited']}2025." in shown


def test_the_runs_of_a_visit_know_whether_its_page_is_connected(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each session has its own page; what Streamlit says of it is asked when a run asks."""
    import flowsim.present.app.shell as shell

    connected = {"mine"}
    monkeypatch.setattr(shell, "get_script_run_ctx", lambda **_: SimpleNamespace(session_id="mine"))
    monkeypatch.setattr(shell.runtime, "exists", lambda: True)
    fake = SimpleNamespace(is_active_session=lambda one: one in connected)
    monkeypatch.setattr(shell.runtime, "get_instance", lambda: fake)
    visit = Visit("nl", connected=shell._connection())
    visit.counts = counts.example()
    visit.compare(house)
    visit.weigh(house, visit.drafts[0])
    jobs = visit.job, visit.weighing.job
    assert [job.away for job in jobs if job] == [False, False]
    connected.clear()
    assert [job.away for job in jobs if job] == [True, True]
    visit.stop()
    visit.weighing.stop()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_levers_that_are_closed_are_counted_and_those_turned_are_named(lang: str) -> None:
    """What matters most of each group is open; no lever is left out."""
    turned = {
        "would_have_entered": 0.6,
        "conversations": 900.0,
        "staff_growth": 0.01,
        "social_domain": "limited",
        "demand_growth": 0.03,
    }
    book = load_figures("amstelland")
    visit = Visit(lang, drafts=[Draft(document_of("Anders", turned, book, because(lang)), 7)])
    app = opened("compare", lang, visit=visit)
    heads = {group: plain(text(lang, f"app.compare.group.{group}") + ":") for group in GROUPS}
    labels = [one.label for one in app.expander]
    said = {group: next(label for label in labels if label.startswith(head)) for group, head in heads.items()}
    names = {name: plain(text(lang, f"app.lever.{name}.name")) for name in BY_NAME}
    assert names["would_have_entered"] + " " + plain("(60%)") in said["network"]
    assert names["staff_growth"] in said["care"]
    assert names["social_domain"] in said["around"]
    assert names["demand_growth"] not in said["around"]  # it is open, where one sees how it stands
    assert [one for one in names.values() if one in said["network"]] == [names["would_have_entered"]]
    closed = {"network": 3, "care": 2, "around": 4}
    for group, n in closed.items():
        words = text(lang, "app.compare.more.many", group=text(lang, f"app.compare.group.{group}"), n=n)
        assert said[group].startswith(plain(words)), said[group]
    seen = {one.label for one in (*app.select_slider, *app.selectbox)}
    assert {text(lang, f"app.lever.{name}.name") for name in BY_NAME if name != "diversion"} <= seen
    visit.replace(visit.drafts[0].turned(BY_NAME["network"], "diversion", lang))
    app = opened("compare", lang, visit=visit)
    label = next(one.label for one in app.expander if one.label.startswith(heads["network"]))
    assert label == plain(text(lang, "app.compare.more.one", group=text(lang, "app.compare.group.network")))


def test_the_example_is_called_an_example_in_the_language_of_the_page() -> None:
    app = opened("update")
    app.button(key="count-example").click().run()
    assert text("nl", "app.update.example_file") in page(app)
    assert ".csv" not in page(app).partition(text("nl", "app.update.file"))[2]
    visit: Visit = app.session_state["visit"]
    visit.take(None)


def test_lines_are_drawn_above_all_bands_and_many_bands_are_paler() -> None:
    days = [0.0, 7.0]
    table = pd.DataFrame({"day": days, **{f"q{q}": [1.0, 2.0] for q in ("05", "25", "50", "75", "95")}})

    def drawn(count: int) -> tuple[list[str], str]:
        fans = [charts.Fan(table, charts.SCENARIOS[i], charts.DASHES[i], "ABCD"[i]) for i in range(count)]
        data = charts.fans(fans, dt.date(2025, 1, 1), None, "nl").data
        assert len(data) == 5 * count
        assert not any(one.line.color for one in data[: 4 * count])
        return [one.line.color for one in data[4 * count :]], data[1].fillcolor

    for count in (1, 2, 4):
        assert drawn(count)[0] == list(charts.SCENARIOS[:count])
    share = [float(drawn(count)[1].rstrip(")").split(",")[3]) for count in (1, 2, 3, 4)]
    assert share[0] == share[1] > share[2] == share[3] > 0.05


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_long_tables_of_a_comparison_are_closed_behind_what_they_come_to(house: House, lang: str) -> None:
    """Open: the answer, the fan, the differences, and for each scenario how many targets and how much money."""
    visit = Visit(lang)
    visit.add(visit.drafts[0].turned(BY_NAME["conversations"], 300.0, lang).titled("Minder gesprekken"))
    job = visit.compare(house)
    assert job is not None
    assert job.ended.wait(120)
    app = opened("compare", lang, visit=visit)
    shown, folded, result = page(app), closed(app), visit.result
    assert result is not None
    assert {text(lang, f"app.compare.{name}_table") for name in ("kpis", "euros")} <= {
        one.label for one in app.expander
    }
    assert [part.proto.expanded for part in app.expander] == [False] * len(app.expander)
    for name in ("kpis", "euros_caption"):
        caption = escape(text(lang, f"app.compare.{name}"))
        assert f'<caption class="fs-hidden">{caption}' in folded
    differences = escape(text(lang, "app.compare.differences"))
    assert f'<caption class="fs-hidden">{differences}' in shown.replace(folded, "")
    assert differences not in folded
    lines = re.findall(r'<ul class="fs-legend fs-digest">(.*?)</ul>', shown)
    said = [[re.sub("<[^>]*>", "", one).split() for one in re.findall("<li>(.*?)</li>", line)] for line in lines]
    met = []
    for tables in result.tables:
        judged = [row for row in tables["targets"].to_dict("records") if row["simulated"]]
        met.append(sum(verdict.chance(row["probability_low"], row["probability_high"]) in MET for row in judged))
    assert said[0] == [["A", str(met[0])], ["B", str(met[1])]]
    assert met[0] > met[1]
    for i, (letter, amount) in enumerate(said[1]):
        table = result.tables[i]["euros"]
        last = table[(table["line"] == "net_of_social_domain") & (table["case"] == result.name(i))].iloc[-1]
        assert (letter, amount) == ("AB"[i], format_number(lang, last["mean"] / 1e3, 0))


def test_the_account_begins_with_what_is_short() -> None:
    """How it was checked and what it cannot do, before two screens of assumptions."""
    shown = page(opened("account"))
    order = ("verified", "limits", "unknowns", "figures")
    places = [shown.index(f">{escape(text('nl', f'app.account.{name}'))}</h2>") for name in order]
    assert places == sorted(places)


def test_bars_of_what_the_answer_hangs_on_have_colours_of_their_own(house: House) -> None:
    told = house.plan().result
    row = dict(told.tables["unknowns"].iloc[0])
    codes = verdict.verdicts(told.answer)
    ends = {"more": (0.6, 0.5, 0.7), "fewer": (-0.6, -0.7, -0.5), "unclear": (0.1, -0.1, 0.3)}
    names = ("correlation", "correlation_low", "correlation_high")
    rows = [{**row, "case": codes["leading"], **dict(zip(names, one, strict=True))} for one in ends.values()]
    made: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(answer, "show", made.append)
        answer._hangs_on({"unknowns": pd.DataFrame(rows)}, codes)
    drawn = re.findall(r'class="fs-bar" style="--fs-colour:(#\w+)', "".join(made))
    assert drawn == [EFFECTS["more"], EFFECTS["fewer"], charts.GREY]


def test_euros_say_that_extra_places_are_not_paid_for_in_them() -> None:
    app = finished(opened("compare"))
    assert text("nl", "app.compare.euros_without") in page(app)
    assert text("nl", "app.compare.euros_without") not in closed(app)
    for lang, words in (("nl", "extra behandelplekken"), ("en", "extra treatment places")):
        assert words in text(lang, "app.compare.euros_without")
        assert words in text(lang, "report.euros.same")


def test_the_plan_names_what_does_not_add_up_first() -> None:
    app = opened("plan")
    shown = page(app)
    assert shown.index(text("nl", "plan.head.wrong")) < shown.index(text("nl", "plan.head.rest"))
    assert "31-12-2025" in shown
    assert " open=" not in shown
    app.toggle(key="plan-everything").set_value(True).run()
    assert not app.exception
    assert page(app).count(" open=") == page(app).count("<details")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_number_that_is_not_right_stands_with_its_table_and_its_cause(lang: str) -> None:
    """A line for each row with one cause; the numbers that a line stands for are in it."""
    shown = page(opened("plan", lang))
    first, rest = shown.split('id="tables"')
    wrong = [check for check in plan.checks() if check.verdict == INCONSISTENT]
    parts = re.findall(r"<details[^>]*><summary>(.*?)</summary>(.*?)</details>", first, re.DOTALL)
    assert len(parts) == len({(check.table, check.row, check.cause) for check in wrong})
    assert sum(inside.count("<tr") - 1 for _, inside in parts) == len(wrong)
    for check in wrong:
        place = texts(lang)[f"plan.table.{check.table}"]
        row = row_text(check, lang)
        inside = [unescape(one) for line, one in parts if row in unescape(line)]
        assert any(f"{row}: {place}" in one and cause_text(check, lang) in one for one in inside), check.id
    assert rest.count("<details") == len({check.table for check in plan.checks()})
    assert rest.count("<tr") - rest.count("<thead") == len(plan.checks())


def test_the_route_by_year_and_without_the_network() -> None:
    app = opened("route")
    first = page(app)
    app.select_slider(key="route-year").set_value(2026).run()
    assert page(app) != first
    app.radio(key="route-case-nl").set_value("none").run()
    assert text("nl", "app.route.node.conversation") not in page(app)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_route_of_the_first_futures_says_that_it_is_one(
    house: House, lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = text(lang, "app.route.first", runs="2", most="6")
    assert said.partition("2")[0] not in page(opened("route", lang))
    job = house.route()
    monkeypatch.setattr(job, "result", replace(job.result, runs=2))
    shown = page(opened("route", lang))
    assert shown.count(said) == 1
    assert shown.index(said) < shown.index(
        text(lang, "app.route.fewer", year=2028, here="|", other="").partition("|")[0]
    )


def test_a_slider_changes_the_result() -> None:
    app = finished(opened("compare"))
    before = page(app)
    slider = next(one for one in app.select_slider if one.key.endswith("staff_growth"))
    slider.set_value(0.02).run()
    after = page(finished(app))
    assert after != before
    visit: Visit = app.session_state["visit"]
    assert visit.drafts[0].scenario().book.value("assumptions.staff_growth") == pytest.approx(0.02)


def test_four_scenarios_with_hostile_names_side_by_side() -> None:
    drafts = [Draft(document_of(name, {}, load_figures(), because("nl"))) for name in HOSTILE[:4]]
    app = finished(opened("compare", visit=Visit("nl", drafts=drafts)))
    shown = page(app)
    assert "<script" not in shown
    assert "<img" not in shown
    assert shown.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 3
    assert [tab.label for tab in app.tabs] == [f"{'ABCD'[i]} · {plain(name)}" for i, name in enumerate(HOSTILE[:4])]
    assert app.button(key="add").disabled


def test_a_title_that_ships_with_flowsim_follows_the_language_and_one_of_the_visitor_does_not() -> None:
    visit = Visit("nl")
    visit.add(visit.drafts[0].copied("Mijn plan"))
    nl, en = (text(lang, "answer.title.default") for lang in ("nl", "en"))
    key = f"title-{visit.drafts[0].number}"
    app = opened("compare", "en", visit=visit, **{"scenario-tab": f"A · {nl}", key: nl})
    assert [tab.label for tab in app.tabs] == [f"A · {en}", "B · Mijn plan"]
    assert app.session_state["scenario-tab"] == f"A · {en}"
    assert app.text_input(key=key).value == en
    assert visit.drafts[0].title == nl
    app = opened("compare", "nl", visit=visit, **{"scenario-tab": "B · Mijn plan", key: en})
    assert [tab.label for tab in app.tabs] == [f"A · {nl}", "B · Mijn plan"]
    assert app.session_state["scenario-tab"] == "B · Mijn plan"


def test_adding_renaming_and_taking_away() -> None:
    app = opened("compare")
    app.button(key="add").click().run()
    visit: Visit = app.session_state["visit"]
    assert len(visit.drafts) == 2
    number = visit.drafts[1].number
    app.text_input(key=f"title-{number}").set_value("Meer gesprekken").run()
    assert visit.draft(number).title == "Meer gesprekken"
    app.text_input(key=f"title-{number}").set_value("x").run()
    assert visit.draft(number).title == "Meer gesprekken"
    assert text("nl", "app.refused.title", least=3, most=80) in page(app)
    app.button(key=f"remove-{number}").click().run()
    assert len(visit.drafts) == 1


def test_cancel_stops_and_again_starts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(studies.FUTURES_SETTING, "3000")
    app = opened("compare")
    slider = next(one for one in app.select_slider if one.key.endswith("staff_growth"))
    slider.set_value(0.015).run()
    visit: Visit = app.session_state["visit"]
    job = visit.job
    assert job is not None
    app.button(key="compare-cancel").click().run()
    assert job.ended.wait(20)
    assert job.state == "cancelled"
    app.run()
    assert text("nl", "app.run.stopped" if visit.result is not None else "app.run.stopped_early") in page(app)
    app.button(key="compare-again").click().run()
    assert visit.job is not job
    visit.stop()
    assert visit.job is not None
    assert visit.job.ended.wait(20)


def test_a_crash_of_a_run_leaves_the_page_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret place")

    monkeypatch.setattr(studies, "Ahead", broken)
    app = opened("compare")
    slider = next(one for one in app.select_slider if one.key.endswith("demand_growth"))
    slider.set_value(0.02).run()
    visit: Visit = app.session_state["visit"]
    assert visit.job is not None
    assert visit.job.ended.wait(20)
    app.run()
    assert not app.exception
    assert visit.job.fault in page(app)
    assert "secret" not in page(app)


def test_a_link_opens_its_scenarios_and_a_bad_one_is_told() -> None:
    main = str(resources.files("flowsim.present.app") / "main.py")
    draft = Draft(document_of("Uit een link", {"conversations": 900.0}, load_figures(), because("nl")))
    link = to_link(draft)
    app = AppTest.from_file(main, default_timeout=60)
    app.query_params["s"] = link
    app.run()
    assert not app.exception
    assert app.session_state["visit"].drafts[0].title == "Uit een link"
    bad = AppTest.from_file(main, default_timeout=60)
    bad.query_params["s"] = "x~y=z"
    bad.query_params["lang"] = "en"
    bad.run()
    assert not bad.exception
    assert bad.session_state["lang"] == "en"
    for _ in range(3):  # the page runs again with every step of a run
        assert text("en", "app.refused.link") in page(bad)
        bad.run()


def test_values_that_cannot_go_together_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Visit, *_: object, **__: object) -> None:
        raise InputError("scenario x: figures.demand.inflow", "1", "more", "scenario.other", value="<b>1</b>")

    monkeypatch.setattr(Visit, "compare", refuse)
    shown = page(opened("compare"))
    assert "&lt;b&gt;1&lt;/b&gt;" in shown
    assert text("nl", "app.refused.content_at", place="figures.demand.inflow") in shown


def test_who_stops_before_there_is_a_result_is_not_sent_to_look_for_one(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def endless(*_: object) -> Any:
        def work(_: object) -> Any:
            while True:
                time.sleep(0.01)
                yield

        return work

    monkeypatch.setattr(state, "compare_work", endless)
    visit = Visit("nl")
    job = visit.compare(house)
    visit.stop()
    assert job is not None
    assert job.ended.wait(60)
    shown = page(opened("compare", visit=visit))
    assert text("nl", "app.run.stopped_early") in shown
    assert text("nl", "app.run.stopped") not in shown


def test_one_visit_does_not_see_another(house: House) -> None:
    one = opened("compare")
    number = one.session_state["visit"].drafts[0].number
    one.text_input(key=f"title-{number}").set_value("Alleen van mij").run()
    assert one.session_state["visit"].drafts[0].title == "Alleen van mij"
    assert opened("compare").session_state["visit"].drafts[0].title != "Alleen van mij"


@pytest.mark.parametrize("name", ["answer", "compare", "route", "update"])
def test_each_chart_has_a_table_beside_it(name: str, house: House) -> None:
    app = opened(name)
    if name == "update":
        app.button(key="count-example").click().run()
        visit: Visit = app.session_state["visit"]
        assert visit.weighing.job is not None
        assert visit.weighing.job.ended.wait(240)
        app.run()
    elif name == "compare":
        finished(app)
    tables = [one.label for one in app.expander if one.label == text("nl", "app.chart.table")]
    twice = {"route": 1}.get(name, 0)  # the flows: one chart for a wide page and one for a narrow page
    assert len(app.get("plotly_chart")) - twice == len(tables) > 0


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_day_is_one_number_on_every_page(house: House, lang: str) -> None:
    told = house.plan().result
    waiting, overdue = (first_day(told.tables, part).mean for part in ("waiting", "overdue"))
    shown = {name: plain_text(page(opened(name, lang))) for name in ("answer", "account", "route")}
    number = format_number(lang, waiting)
    spread = f"{number} ({format_number(lang, first_day(told.tables, 'waiting').q05)}"
    for name, content in shown.items():
        assert f"{number} (" in content, name
    assert spread in shown["answer"].replace("\u202f", "")
    share = percent(lang, overdue / waiting)
    (sentence,) = Page(told.answer, told.tables, lang).beside()
    assert share in sentence
    assert sentence in shown["answer"]
    assert share in shown["account"]


def test_which_number_to_measure_first_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    monkeypatch.setattr(answer, "show", shown.append)
    found = Rows("Welk getal eerst?", ("Wat", "Deel", "Vaker"), (("groei", "1%", "2%"),))
    answer._measure_first(cast("Page", SimpleNamespace(measure_first=lambda: found)))
    assert re.findall(r"<(\w+) class=[^>]*>Welk getal eerst\?<", shown[0]) == ["h2", "caption"]
    assert "fs-caption" not in shown[0]  # the caption is for who hears the table


def plain_text(content: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", content))


ENGLISH = re.compile(
    r"\b(the|and|with|from|for|by|to|who|which|are|as|years?|weeks|months?|days?|hours?|people|persons?"
    r"|residents|waiting|lists?|share|fraction|source|see|number|figures?|mean|relative|error|each|more|fewer|than|about|EUR"
    r"|treatments?|conversations?|clients?|patients?|assumption|published|derived|taken over)\b(?!-)"
)
"""Words of English that are no words of Dutch."""
PROPER = ("Journal of Consulting and Clinical Psychology", "The Strategy Unit")


class Seen(HTMLParser):
    """The text of a page by its language: a piece that says none is in that of the page."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.within: list[str] = [""]
        self.text: dict[str, list[str]] = {}
        self.feed(content)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("br", "img", "input", "hr"):
            self.within.append(dict(attrs).get("lang") or self.within[-1])

    def handle_endtag(self, tag: str) -> None:
        self.within.pop()

    def handle_data(self, data: str) -> None:
        self.text.setdefault(self.within[-1], []).append(data)


def english_in(content: str) -> list[str]:
    """The pieces of a Dutch page that have English words."""
    found = []
    for piece in Seen(content).text[""]:
        said = piece
        for name in PROPER:
            said = said.replace(name, "")
        if ENGLISH.search(said):
            found.append(piece)
    return found


def kinds(lang: str) -> list[str]:
    """*Verantwoording* with each kind of figure."""
    return [page(opened("account", lang, **{"account-kind-chosen": kind})) for kind in KINDS]


@pytest.mark.parametrize("name", PAGES)
def test_no_english_is_on_a_dutch_page(name: str) -> None:
    for content in kinds("nl") if name == "account" else [page(opened(name))]:
        assert english_in(content) == []
        assert "lang=" not in content  # nothing that had to be left as it stands


def test_the_search_for_english_finds_it() -> None:
    assert english_in('<p>Hier staat</p><p>residents a year</p><p lang="en">weeks, mean</p>') == ["residents a year"]
    assert english_in(page(opened("account", "en"))) != []


def test_every_figure_is_told_in_the_language_of_the_page() -> None:
    book = load_figures()
    figures = [one for one in book.values() if account._is_of_the_model(one)]
    for lang in LANGUAGES:
        shown = plain_text("".join(kinds(lang)))
        for figure in figures:
            words = text(lang, f"units.{figure.unit}")
            assert words in shown or words[0].upper() + words[1:] in shown, figure.key
            if figure.note:
                assert str(note_words(lang, figure.note)) in shown, figure.key


def test_words_of_a_region_are_shown_as_they_stand_with_their_language(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "lang", lambda: "nl")
    figure = load_figures()["assumptions.worsening"]
    assert account._note(figure) == [html.tag("span", "Geen bron.", class_="fs-cause")]
    strange = replace(figure, note="counted <by> us", unit="share of who waits")
    own = html.tag("span", "counted <by> us", lang="en")
    assert account._note(strange) == [html.tag("span", own, class_="fs-cause")]
    assert html.tag("span", "share of who waits", lang="en") in account._named(strange)
    assert account._note(replace(figure, note="")) == []
    monkeypatch.setattr(account, "lang", lambda: "en")
    assert account._note(strange) == [html.tag("span", "counted <by> us", class_="fs-cause")]


def test_a_place_in_the_plan_is_written_in_the_language_of_the_page() -> None:
    assert "4.1 en 6.1" in page(opened("goals", "nl"))
    assert "4.1 and 6.1" in page(opened("goals", "en"))
