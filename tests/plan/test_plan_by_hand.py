"""The plan's tables recomputed a second time, by plain arithmetic on numbers typed over from the plan.

Nothing here reads the figures of flowsim: it is the independent witness of `check_plan`.
"""

from __future__ import annotations

from datetime import date

import pytest

from flowsim.plan.business_case import Volumes, check_plan, client_equivalents, money, plan_volumes
from flowsim.plan.figures import load_figures
from flowsim.plan.tables.checks import Check
from flowsim.plan.tables.effects import volume


@pytest.fixture(scope="module")
def checks() -> dict[str, Check]:
    return {check.id: check for check in check_plan(load_figures())}


BY_HAND = {
    # 2.1: 170,010 inhabitants and 18% growth
    "2.1/population/2040": (200_612, 170_010 * 1.18),
    # 5.2: 33% and 67% of the volumes of 2028, and the shares of them
    "5.2/conversations/2026": (215, 0.33 * 650),
    "5.2/transfers/2026": (98, 0.33 * 325),
    "5.2/conversations_not_to_ggz/2027": (130.7, 0.67 * 650 * 0.30),
    "5.2/conversations_shortened/2026": (86, 0.33 * 650 * 0.40),
    "5.2/case_conferences_shortened/2028": (41.6, 277 * 0.15),
    # 7.1: EUR 2,000 for who does not enter, EUR 1,000 for a shortened trajectory, EUR 200 for a transfer
    "7.1-effects/saving_consultations/2026": (43_164, 0.33 * 436 * 0.15 * 2000),
    "7.1-effects/saving_conversations/2027": (435_500, 0.67 * 650 * (0.30 * 2000 + 0.40 * 1000)),
    "7.1-effects/saving_transfers/2028": (65_000, 325 * 0.10 * 2000),
    "7.1-effects/saving_case_conferences/2028": (152_350, 277 * (0.20 * 2000 + 0.15 * 1000)),
    "7.1-effects/freed_clients/2028": (650, 436 * 0.15 + 650 * 0.7 + 325 * 0.1 + 277 * 0.35),
    "7.1-effects/freed_room/2028": (1_002_721, (130_800 + 650_000 + 65_000 + 152_350) * 1.03**4),
    "7.1-costs/conversations_ggz/2026": (75_075, 0.33 * 650 * 350),
    "7.1-costs/coordination/2026": (50_000, 0.75 * 150_000 / 3),
    "7.1-costs/network_cost/2028": (581_000, 227_500 + 91_000 + 150_000 + 112_500),
    "7.1-costs/network_cost_indexed/2026": (217_596, 205_105 * 1.03**2),
    "7.1-net/net_effect/2028": (363_354, 1_017_270 - 653_916),
    "7.1-substitution/substitution/2028": (468_100, (436 * 0.15 + 650 * 0.7 + 32.5 + 277 * 0.35) * 0.8 * 800 * 1.03**4),
    "7.1-substitution/support_points/2027": (159_135, 3 * 50_000 * 1.03**3),
    # 7.2
    "7.2/freed_hours/2028": (5_200, 650 * 8),
    "7.2/extra_social_domain/2028": (520, 0.8 * 650),
    "7.2/extra_fte/2028": (5.8, 1.6 + 4.2),
    "7.2/gp_consults/2028": (2_000, (436 + 650 + 325 + 277) * 10 * 0.15 + 250 * 10 * 0.20),
    "7.2/freed_clients_in_euros/2028": (650, 998_150 / 2000),
    # 7.3
    "7.3/budget_total/2027": (888_021, 424_399 + 304_487 + 159_135),
    "7.3/case_conferences_share/2028": (0.042, 277 / 6500),
    "7.3/substitution_to_2027/text": (487_366, 37_904 + 144_945 + 304_487),
    # 8.1 and 8.2
    "8.2-staff/external_support/2025": (155_848, 2.5 * 8 * 46 * 140 * 1.21),
    "8.2-staff/network_group/2024": (17_520, 5 * 2 * 12 * 125 * (1 + 0.8 * 0.21)),
    "8.2-staff/support_point_group/2025": (55_660, 5 * 2 * 46 * 100 * (1 + 0.8 * 0.21)),
    "8.2-staff/internal_sum/2025": (233_377, (73_400 + 67_160 + 55_660 + 30_360) * 1.03),
    "8.2-training/training_sum/2026": (29_666, (8_750 + 5_000 + 2_720 + 2_560 + 4_080) * 1.21 * 1.03**2),
    "8.2-intervision/intervision_gp_mental_health/2025": (360, 6 * 6 * 85),
    "8.2-intervision/intervision_sum/2025": (10_058, (3_750 + 2_040 + 1_920 + 360) * 1.21 * 1.03),
    "8.1/contingency/2025": (6_486, 0.01 * (233_377 + 263_717 + 12_688 + 10_058 + 77_250 + 51_500)),
    "8.1/total/2025": (655_076, 233_377 + 263_717 + 12_688 + 10_058 + 77_250 + 51_500 + 6_486),
    # 8.3 and 8.4
    "8.3/payment/2025-06-30": (465_000, 50_000 + 2 * (20_000 + 5 * 30_000) + 25_000 + 50_000),
    "8.3/result_minimum/text": (520_108, 0.30 * 1_733_694),
    "8.3/result_kpis/kinds of 8.3": (520_108, 4 * 55_000 + 55_000 + 3 * 60_000 + 68_694),
    "8.3/result_kpis/kinds of 5.3": (520_108, 4 * 55_000 + 3 * 60_000 + 68_694),
    "8.4/application_total/total": (3_353_395, 146_075 + 869_715 + 1_060_770 + 1_276_835),
}


@pytest.mark.parametrize("name", BY_HAND)
def test_a_cell_recomputed_by_hand(checks: dict[str, Check], name: str) -> None:
    printed, recomputed = BY_HAND[name]
    assert checks[name].printed == pytest.approx(printed, abs=1e-12)
    assert checks[name].recomputed == pytest.approx(recomputed, rel=1e-12)
    assert checks[name].difference == pytest.approx(printed - recomputed, rel=1e-9, abs=1e-9)


def test_the_pilot_cannot_be_evaluated_in_time(checks: dict[str, Check]) -> None:
    check = checks["5.1/evaluation/date"]
    assert (check.printed, check.recomputed) == ("2025-12-31", "2026-03-30")
    assert check.difference == (date(2025, 12, 31) - date(2026, 3, 30)).days == -89


def test_the_shortage_of_staff_on_a_straight_line(checks: dict[str, Check]) -> None:
    """900 in 2023 and 3,700 in 2033 make 3,420 in 2032; the regional plan prints 2,500."""
    found = checks["RP/shortage/2032"]
    assert (found.printed, found.recomputed) == (2500, 3420)


def test_the_pilot_runs_for_half_of_the_year_that_counts_whole(checks: dict[str, Check]) -> None:
    found = checks["5.1/pilot_months/2025"]
    assert (found.printed, found.recomputed) == (12, 6)


def test_volumes_before_they_were_rounded() -> None:
    """0.33 x 650 is 214.5, printed as 215; 0.33 x 325 is not 98, so half a case of doubt comes with the printed one."""
    book = load_figures()
    assert volume(book, "conversations", 2025) == (50, 0.0)
    assert volume(book, "conversations", 2026) == (214.5, 0.0)
    assert volume(book, "conversations", 2028) == (650, 0.0)
    assert volume(book, "transfers", 2026) == (98, 0.5)


def test_the_causes_of_the_indexation_by_hand() -> None:
    """What the plan printed, from the mistake that is named as its cause."""
    lines_2027 = (0.67 * 436 * 300, 435_500, 43_550, 0.67 * 277 * 550)
    assert round(sum(lines_2027) + 0.03 * lines_2027[-1]) == 671_823  # index_last_line_one_year
    assert round(sum(lines_2027) + 0.0927 * lines_2027[-1]) == 678_223  # index_last_line
    assert round(388_395 * 1.0927) == 424_399  # index_factor_rounded
    assert [round(150_000 * factor) for factor in (1.03, 1.0609, 1.0927)] == [154_500, 159_135, 163_905]  # a year late
    assert round(150_000 * 1.1255) == 168_825  # the same year in 7.1, not late


def test_the_readings_of_the_650() -> None:
    book = load_figures()
    found = client_equivalents(book, plan_volumes(book, 2028))
    assert found.headcount == pytest.approx(649.85)
    assert found.capacity == pytest.approx(499.075)
    assert found.net == pytest.approx(499.075 - 650 * 2.8 / 8)  # 271.6: EUR 350 at EUR 125 an hour
    assert found.net_at_mean_price == pytest.approx(499.075 - 650 * 1.4 / 8)  # 385.3: at EUR 250 an hour
    assert found.not_entering == pytest.approx(315.8)


def test_the_plan_volumes_give_the_euros_of_the_plan() -> None:
    book = load_figures()
    years = (2025, 2026, 2027, 2028, 2029)
    plain = {row.year: row for row in money(book, {year: plan_volumes(book, year) for year in years})}
    assert plain[2028].gains == pytest.approx(998_150)
    assert plain[2025].gains == pytest.approx(91_250)
    assert [plain[year].network_cost for year in years] == pytest.approx([74_500, 205_105, 388_395, 581_000, 581_000])
    assert plain[2028].substitution == pytest.approx(649.85 * 0.8 * 800)
    assert [plain[year].support_points for year in years] == [100_000, 150_000, 150_000, 150_000, 150_000]
    assert plain[2028].net_effect == pytest.approx(417_150)
    assert plain[2028].net_of_social_domain == pytest.approx(417_150 - 415_904 - 150_000)


def test_money_indexes_every_amount() -> None:
    book = load_figures()
    volumes = {2027: Volumes(10, 20, 30, 40, support_points=1, to_social_domain=5)}
    (plain,), (indexed,) = money(book, volumes), money(book, volumes, indexed=True)
    assert plain.gains == pytest.approx(10 * 300 + 20 * 1000 + 30 * 200 + 40 * 550)
    assert plain.network_cost == pytest.approx(20 * 490 + 100_000 + 75_000)
    assert plain.substitution == 5 * 800
    assert plain.support_points == 50_000
    for name in ("gains", "network_cost", "substitution", "support_points", "net_effect", "net_of_social_domain"):
        assert getattr(indexed, name) == pytest.approx(getattr(plain, name) * 1.03**3), name
    assert (plain.indexed, indexed.indexed) == (False, True)
