"""Every printed table of the plan is held: its verdicts, and each cell that does not add up, with its cause."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flowsim.errors import InputError
from flowsim.plan.business_case import check_plan
from flowsim.plan.figures import Figure, FigureBook, load_figures
from flowsim.plan.tables.checks import EXACT, INCONSISTENT, ROUNDING, Check, Table
from flowsim.plan.tables.investment import SOURCES, check_application

COUNTS = {  # table: (exact, rounding, inconsistent)
    "2.1": (8, 2, 0),
    "RP": (12, 0, 2),
    "4.2": (1, 0, 0),
    "5.1": (0, 0, 3),
    "6.1": (0, 0, 1),
    "7.1-prices": (3, 0, 0),
    "5.2": (36, 0, 1),
    "5.3": (54, 0, 5),
    "7.1-effects": (58, 2, 4),
    "7.1-costs": (19, 2, 2),
    "7.1-net": (9, 0, 7),
    "7.1-substitution": (5, 4, 3),
    "7.2": (5, 0, 3),
    "7.3": (49, 1, 3),
    "8.1": (32, 7, 0),
    "8.2-staff": (51, 2, 9),
    "8.2-training": (18, 0, 0),
    "8.2-intervision": (16, 1, 2),
    "8.3": (146, 0, 4),
    "8.4": (21, 2, 0),
}
INCONSISTENT_CELLS = {
    "RP/shortage/2032": "other_forecast",
    "RP/suicides/2023": "opposite_statements",
    "5.1/full_operation/year": "pilot_year_not_counted",
    "6.1/diversion/year": "two_years_named",
    "5.1/evaluation/date": "nine_months_do_not_fit",
    "5.1/pilot_months/2025": "half_year_counted_as_year",
    "5.2/transfers/2026": "ramp_30_percent",
    "5.3/kpi_25/text_date": "half_year_differs",
    "5.3/kpi_27/text_date": "year_differs",
    "5.3/kpi_27/2027": "one_digit_differs",
    "5.3/kpi_20/inflow": "clients_counted_as_inflow",
    "5.3/kpi_29/inflow": "clients_counted_as_inflow",
    "7.1-effects/freed_room/2025": "index_last_line_one_year",
    "7.1-effects/freed_room/2026": "index_last_line_one_year",
    "7.1-effects/freed_room/2027": "index_last_line_one_year",
    "7.1-effects/freed_room/2028": "index_last_line_one_year",
    "7.1-costs/coordination/2026": "reduction_forgotten",
    "7.1-costs/network_cost_label/2028": "label_promises_substitution",
    "7.1-net/freed_room/2025": "index_last_line",
    "7.1-net/freed_room/2026": "index_last_line",
    "7.1-net/freed_room/2027": "index_last_line",
    "7.1-net/freed_room/2028": "index_last_line",
    "7.1-net/freed_room_twice/2026": "index_once_only",
    "7.1-net/freed_room_twice/2027": "index_once_only",
    "7.1-net/freed_room_twice/2028": "index_once_only",
    "7.1-substitution/support_points/2025": "index_one_year_late",
    "7.1-substitution/support_points/2026": "index_one_year_late",
    "7.1-substitution/support_points/2027": "index_one_year_late",
    "7.2/freed_clients_in_euros/2028": "half_trajectory_counts_whole",
    "7.2/freed_hours_in_euros/2028": "half_trajectory_counts_whole",
    "7.2/extra_capacity_in_euros/2028": "half_trajectory_counts_whole",
    "7.3/support_points/2028": "index_one_year_late",
    "7.3/case_conferences_share/2028": "cut_off",
    "7.3/substitution_to_2027/text": "one_digit_differs",
    "8.2-staff/project_leader/2025": "one_digit_differs",
    "8.2-staff/project_leader/2026": "one_digit_differs",
    "8.2-staff/project_leader_vat/all": "vat_left_out",
    "8.2-staff/network_group_vat/all": "vat_on_part",
    "8.2-staff/support_point_group/2025": "vat_on_all_members",
    "8.2-staff/support_point_group_vat/all": "vat_on_part",
    "8.2-staff/administration_vat/all": "vat_left_out",
    "8.2-staff/external_support_fte/2027": "one_digit_differs",
    "8.2-staff/external_support_weeks/2024": "weeks_do_not_fit",
    "8.2-intervision/intervision_gp_mental_health/2025": "digit_dropped",
    "8.2-intervision/intervision_people_ggz/2025": "more_than_trained",
    "8.3/kpi_14/date": "year_differs",
    "8.3/kpi_15/date": "year_differs",
    "8.3/kpi_23/kind": "kind_differs",
    "8.3/result_kpis/kinds of 5.3": "kind_differs",
}
ROUNDING_CELLS = {
    "2.1/increase_65_plus/2040": "",
    "2.1/clients_am_decrease/2021": "",
    "7.1-effects/saving_transfers/2026": "",
    "7.1-effects/freed_clients/2026": "",
    "7.1-costs/network_cost_indexed/2027": "index_factor_rounded",
    "7.1-costs/network_cost_indexed/2028": "index_factor_rounded",
    "7.1-substitution/substitution/2026": "",
    "7.1-substitution/substitution/2027": "index_factor_rounded",
    "7.1-substitution/substitution/2028": "index_factor_rounded",
    "7.1-substitution/support_points/2028": "index_factor_rounded",
    "7.3/budget_total/2028": "",
    "8.1/training/2025": "",
    "8.1/intervision/2026": "",
    "8.1/digital/2027": "index_factor_rounded",
    "8.1/total/2026": "",
    "8.1/total/2027": "",
    "8.1/external/total": "",
    "8.1/training/total": "",
    "8.2-staff/internal_sum/2027": "index_factor_rounded",
    "8.2-staff/external_sum/2027": "index_factor_rounded",
    "8.2-intervision/intervision_sum/2027": "index_factor_rounded",
    "8.4/application_total/2026": "",
    "8.4/application_total/2027": "",
}

NOT_IN_A_TABLE = {  # statements about time, and a number that nothing else in the plan repeats
    "functions.pilot_year",
    "functions.full_operation_year",
    "investment.external_support_from_month",
    "investment.project_leader_from_month",
    "functions.evaluation_after_start",
    "functions.diversion_year_impact",
    "kpi_numbers.kpi_13",
}
TABLE = Table("t", "1")


@pytest.fixture(scope="module")
def checks() -> tuple[Check, ...]:
    return check_plan(load_figures())


def test_every_check_has_its_own_name(checks: tuple[Check, ...]) -> None:
    assert len({check.id for check in checks}) == len(checks)


def test_the_verdicts_of_every_table(checks: tuple[Check, ...]) -> None:
    found = {
        table: tuple(
            sum(check.table == table and check.verdict == verdict for check in checks)
            for verdict in (EXACT, ROUNDING, INCONSISTENT)
        )
        for table in dict.fromkeys(check.table for check in checks)
    }
    assert found == COUNTS


def test_what_does_not_add_up_and_why(checks: tuple[Check, ...]) -> None:
    assert {check.id: check.cause for check in checks if check.verdict == INCONSISTENT} == INCONSISTENT_CELLS
    assert {check.id: check.cause for check in checks if check.verdict == ROUNDING} == ROUNDING_CELLS
    assert not [check.id for check in checks if check.verdict == EXACT and check.cause]
    assert "unexplained" not in Counter(check.cause for check in checks)


def moved(book: FigureBook, key: str, position: int) -> FigureBook:
    """The book with one number of one figure changed, by far more than rounding."""
    values = list(book[key].values)
    day, value = values[position]
    values[position] = (day, value * 1.37 + 11)
    return FigureBook(book.region, {**book, key: replace(book[key], values=tuple(values))})


def is_printed(figure: Figure) -> bool:
    """Whether a figure is a cell of a table of the plan."""
    file = figure.key.partition(".")[0]
    cells = file in ("business_case", "budget", "investment", "impact", "kpi_numbers", "functions")
    elsewhere = figure.key.startswith("functions.elsewhere")  # what other regions saw
    return cells and figure.kind == "published" and not elsewhere and figure.key not in NOT_IN_A_TABLE


def test_every_printed_cell_is_held_by_a_check(checks: tuple[Check, ...]) -> None:
    """Change any one number of the plan's tables, and some check gives another verdict or cause."""
    book = load_figures()
    before = {check.id: (check.verdict, check.cause) for check in checks}
    loose = []
    for key, figure in book.items():
        if is_printed(figure):
            for position, (day, _) in enumerate(figure.values):
                after = {check.id: (check.verdict, check.cause) for check in check_plan(moved(book, key, position))}
                if after == before:
                    loose.append(f"{key} {day.year}")
    assert loose == []


def test_the_application_repeats_rounded_amounts() -> None:
    """TP 8.4 prints the amounts of other tables: one euro apart is rounding, two are not."""
    book = load_figures()
    for row, source in SOURCES.items():
        key = f"investment.application_{row}"
        for more, verdict in ((0.0, EXACT), (1.0, ROUNDING), (2.0, INCONSISTENT)):
            values = tuple((day, book.value(source, day.year) + more) for day, _ in book[key].values)
            other = FigureBook(book.region, {**book, key: replace(book[key], values=values)})
            cells = [check for check in check_application(other) if check.row == f"application_{row}"]
            found = {check.verdict for check in cells if check.column.isdigit()}  # the sum is another check
            assert found == {verdict}, key


def test_payments_are_whole_euros(checks: tuple[Check, ...]) -> None:
    """Nothing is rounded there: one euro more in a payment, or in their total, does not add up."""
    book = load_figures()
    assert not [check.id for check in checks if "/payment" in check.id and check.verdict != EXACT]
    for key in ("investment.payments", "investment.payments_total"):
        values = list(book[key].values)
        values[-1] = (values[-1][0], values[-1][1] + 1.0)
        other = FigureBook(book.region, {**book, key: replace(book[key], values=tuple(values))})
        off = {check.id: check.verdict for check in check_plan(other) if "/payment" in check.id}
        assert INCONSISTENT in off.values()
        assert ROUNDING not in off.values()


def test_a_book_without_the_plans_tables_is_refused() -> None:
    book = load_figures()
    without = {key: figure for key, figure in book.items() if key != "business_case.cost_per_client"}
    with pytest.raises(InputError, match=r"business_case\.cost_per_client"):
        check_plan(FigureBook("amstelland", without))


@given(st.floats(-1e7, 1e7), st.sampled_from([0.001, 0.1, 1.0, 10.0]))
def test_a_rounded_number_is_exact_and_a_unit_further_is_not(value: float, step: float) -> None:
    printed = round(value / step) * step
    assert TABLE.compare("r", "c", printed, value, "EUR", step=step).verdict == EXACT
    assert TABLE.compare("r", "c", printed + 1.1 * step, value, "EUR", step=step).verdict == INCONSISTENT


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=9))
def test_a_sum_of_rounded_parts_is_never_inconsistent(parts: list[float]) -> None:
    check = TABLE.total("r", "c", float(round(sum(parts))), [float(round(part)) for part in parts])
    assert check.verdict in (EXACT, ROUNDING)
    further = TABLE.total("r", "c", float(round(sum(parts))) + len(parts) + 1, [float(round(part)) for part in parts])
    assert further.verdict == INCONSISTENT


def test_the_first_hypothesis_that_gives_the_printed_number_is_the_cause() -> None:
    hypotheses = {"wrong": 90.0, "right": 120.3, "also": 120.0}
    assert TABLE.compare("r", "c", 120, 100, "EUR", hypotheses=hypotheses, cause="named").cause == "right"
    assert TABLE.compare("r", "c", 130, 100, "EUR", hypotheses=hypotheses, cause="named").cause == "named"
    assert TABLE.compare("r", "c", 100.2, 100, "EUR", hypotheses={"right": 100.2}).cause == ""


def test_slips_of_the_pen_are_named_and_the_rest_is_unexplained() -> None:
    assert TABLE.compare("r", "c", 486, 436, "cases").cause == "one_digit_differs"
    assert TABLE.compare("r", "c", 360, 3060, "EUR").cause == "digit_dropped"
    assert TABLE.compare("r", "c", 0.15, 0.25, "fte", step=0.01).cause == "one_digit_differs"
    assert TABLE.compare("r", "c", 777, 1234, "EUR").cause == "unexplained"


@pytest.mark.parametrize(
    ("relation", "printed", "verdict"),
    [("<=", 9, EXACT), ("<=", 12, INCONSISTENT), (">=", 12, EXACT), (">=", 8, INCONSISTENT)],
)
def test_a_bound_is_only_broken_on_its_own_side(relation: str, printed: float, verdict: str) -> None:
    assert TABLE.compare("r", "c", printed, 10, "weeks", relation=relation).verdict == verdict


def test_two_places_may_differ_by_rounding_only_when_both_were_rounded() -> None:
    assert TABLE.same("r", "c", 12_688, 12_687, "EUR", rounded=True).verdict == ROUNDING
    assert TABLE.same("r", "c", 12_688, 12_687, "cases").verdict == INCONSISTENT
    assert TABLE.same("r", "c", 12_689, 12_687, "EUR", rounded=True).verdict == INCONSISTENT


def test_the_edges_of_the_tolerance_belong_to_it() -> None:
    """Half a unit is exact; half a unit and what the inputs carry is rounding; in numbers that floats hold exactly."""
    assert TABLE.compare("r", "c", 100.5, 100, "EUR").verdict == EXACT
    assert TABLE.compare("r", "c", 100.75, 100, "EUR", carried=0.25).verdict == ROUNDING
    assert TABLE.compare("r", "c", 100.8125, 100, "EUR", carried=0.25).verdict == INCONSISTENT
    assert TABLE.compare("r", "c", 120.5, 100, "EUR", hypotheses={"half": 120.0}).cause == "half"
    assert TABLE.compare("r", "c", 120.625, 100, "EUR", hypotheses={"half": 120.0}).cause != "half"
    assert TABLE.same("r", "c", 12_688, 12_687, "EUR", rounded=True, hypotheses={"x": 12_688}).cause == ""
    assert TABLE.same("r", "c", 120.5, 100, "EUR", hypotheses={"half": 120.0}).cause == "half"


def test_dates_differ_by_days() -> None:
    check = TABLE.text("r", "c", "2025-06-30", "2026-06-30", "date", "year_differs")
    assert (check.verdict, check.difference, check.cause) == (INCONSISTENT, -365.0, "year_differs")
    assert TABLE.text("r", "c", "I", "I", "kind", "kind_differs").cause == ""
