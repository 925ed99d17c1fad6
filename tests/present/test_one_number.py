"""A number has one meaning: what is told twice is the same number, or says why it is another."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from present_tables import Made

from flowsim.analysis import measures
from flowsim.plan.targets import load_targets
from flowsim.plan.years import YEARS
from flowsim.present import first_day
from flowsim.present.answer import Page, Paragraph, Rows, blocks
from flowsim.present.app.queues import Queues
from flowsim.present.app.views.comparison import end_of_year
from flowsim.present.report.account import Account
from flowsim.present.report.content import document
from flowsim.present.report.story import CONSULTS
from flowsim.present.texts import LANGUAGES, format_number, text, texts
from flowsim.present.wording import percent, promise_name
from flowsim.scenario.region import load_region


@pytest.fixture(scope="module")
def uneven(made: Made) -> Made:
    """The same answer, with another number of futures in every case, as precision asks for."""
    answer, _ = made
    cases = {}
    for count, (name, case) in zip((10, 16, 12, 14), answer.cases.items(), strict=True):
        cases[name] = copy.copy(case)
        cases[name].futures, cases[name].drawn, cases[name].second_runs = case.futures[:count], case.drawn[:count], []
    cut = replace(answer, cases=cases)
    return cut, cut.tables


def said(part: object) -> str:
    return repr(part)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_first_day_is_one_number_in_every_case(uneven: Made, lang: str) -> None:
    answer, tables = uneven
    lists = Page(answer, tables, lang).lists()
    for measure, word in (("waiting", "waiting"), ("overdue", "overdue")):
        name = text(lang, f"answer.table.lists.{word}")
        (told,) = {row[2] for row in lists.rows if row[1] == name}
        futures = answer.cases["headcount"].futures  # those that there are most of
        mean = np.mean([getattr(one, measure)[0] for one in futures])
        assert told.startswith(format_number(lang, mean) + " (")
        assert first_day.first_day(tables, measure).mean == pytest.approx(mean)
        assert f"'{format_number(lang, mean)}'" in said(document(answer, tables, lang)["blocks"])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_account_has_the_list_that_the_answer_has(uneven: Made, lang: str) -> None:
    answer, tables = uneven
    waiting = first_day.first_day(tables, "waiting")
    shown = text(
        lang,
        "answer.estimate",
        **{k: format_number(lang, v) for k, v in zip(("value", "low", "high"), waiting, strict=True)},
    )
    page = Page(answer, tables, lang)
    assert page.in_futures(first_day.LIST_SIZE) == shown
    found = page.assumptions()
    assert isinstance(found, Rows)
    assert shown in found.rows[0]
    assert shown in said(Account(answer, tables, lang).assumptions_table())
    drawn = np.mean([one["assumptions.worsening"] for one in answer.cases["headcount"].drawn])
    spread = first_day.in_futures(tables, "assumptions.worsening")
    assert spread is not None
    assert spread.mean == pytest.approx(drawn)
    assert first_day.in_futures(tables, "assumptions.nothing") is None


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_share_overdue_on_the_first_day_stands_beside_the_verdict_and_in_the_account(made: Made, lang: str) -> None:
    answer, tables = made
    calibration = tables["calibration"].copy()
    target = calibration["target"] == first_day.OVERDUE_SHARE
    calibration.loc[target, "stands"] = False
    missed = {**tables, "calibration": calibration}
    share = first_day.first_day(tables, "overdue").mean / first_day.first_day(tables, "waiting").mean
    source = answer.scenario.book.value("public.waiting_share_overdue")
    shown = {"simulated": percent(lang, share), "value": percent(lang, source)}
    sentence = text(lang, "answer.start.beside_fewer", year=2025, **shown)
    head = blocks(answer, missed, lang)[0]
    assert isinstance(head, Paragraph)
    assert sentence in head.lines
    box = next(one for one in document(answer, missed, lang)["blocks"] if one["kind"] == "answer")
    assert sentence in box["lines"]
    start = Page(answer, missed, lang).start()
    assert start is not None
    (told,) = (line for line in start.lines if text(lang, f"answer.target.{first_day.OVERDUE_SHARE}") in line)
    assert shown["simulated"] in told
    assert shown["value"] in told
    calibration.loc[target, "value"] = 0.01
    assert text(lang, "answer.start.beside_more", year=2025, simulated=shown["simulated"], value="1%") in said(
        blocks(answer, missed, lang)[0].lines
    )
    calibration.loc[target, "stands"] = True
    assert Page(answer, missed, lang).beside() == ()


def test_kpi_24_is_judged_once(uneven: Made) -> None:
    answer, _ = uneven
    (promise,) = (one for one in load_targets(answer.scenario.region) if one.quantity == "wait_reduction")
    assert promise.value == measures.HALVED
    changed = copy.copy(answer.cases["headcount"])
    changed.futures = copy.deepcopy(changed.futures)
    ratios = (0.5, 0.5004, 0.501, *[1.0] * 12, 0.01)  # of the last future there is none without a network
    for future, ratio in zip(changed.futures, ratios, strict=True):
        future.months[:3, 1:3] = 100.0, 1000.0
        future.months[27:30, 1:3] = 100.0, 1000.0 * ratio
    cut = replace(answer, cases={**answer.cases, "headcount": changed})
    found = cut.tables
    for name in ("headcount", "capacity", "net"):
        summary = found["summary"].set_index("case").loc[name, "wait_halved"]
        targets = found["targets"]
        judged = targets[(targets["case"] == name) & (targets["target"] == promise.id)].iloc[0]
        assert summary == judged["probability"], name
    assert found["summary"].set_index("case").loc["headcount", "wait_halved"] == 3 / 16
    assert measures.halved(np.array([0.5, 0.5004, 0.501, np.nan])).tolist() == [True, True, False, False]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_two_counts_of_one_thing_name_each_other(made: Made, lang: str) -> None:
    """Consults, users of support points, self-help and less inflow are counted in two ways: both places say so."""
    answer, tables = made
    whole = said(document(answer, tables, lang))
    for key in ("targets.read.inflow", "targets.read.consults", "plan.cause.clients_counted_as_inflow"):
        assert repr(text(lang, key))[1:-1] in whole, key
    promise = promise_name(lang, CONSULTS)
    assert text(lang, "report.note.means", promise=promise) in whole
    assert CONSULTS in set(tables["targets"]["target"])
    assert text(lang, "report.volume.support_point_users") in whole
    new = {"nl": "nieuw", "en": "new"}[lang]
    for key in ("report.volume.support_point_users", "report.plot.route.support_point", "targets.promise.kpi_28"):
        assert new in texts(lang)[key].lower(), key
    volumes, targets = tables["volumes"], tables["targets"]
    for name in ("headcount", "net"):
        users = volumes[(volumes["case"] == name) & (volumes["volume"] == "support_point_users")].set_index("year")
        promised = targets[(targets["case"] == name) & (targets["target"] == "kpi_28")].iloc[0]
        assert promised["mean"] == pytest.approx(users.loc[2027, "mean"])


def test_a_comparison_ends_the_years_in_the_weeks_of_the_route() -> None:
    region = load_region("amstelland")
    lists = Queues(("all",), tuple(region.date(7.0 * j) for j in range(262)), np.zeros((1, 262, 1, 2)))
    fan = pd.DataFrame({"day": 7.0 * np.arange(288)})
    found = [end_of_year(fan, region, year)["day"] for year in (YEARS[0] - 1, *YEARS)]
    assert found == [0.0, *(7.0 * lists.end_of(year) for year in YEARS)]
