"""Single numbers of a future, added up once more by plain loops over the months and programmes of made-up futures."""

from __future__ import annotations

import datetime as dt
import math

import numpy as np
import pytest
from made_up_futures import DEFINITION, case, future

from flowsim.analysis import decision, measures, monitoring
from flowsim.analysis.clearing import VOLUMES, Definition, clearing_day, expected_overdue
from flowsim.analysis.monitoring import QUANTITIES, Quarter
from flowsim.scenario.region import load_region

YEARS = (2025, 2026, 2027, 2028, 2029)
ONE = future(1, cleared=756.0)


@pytest.mark.parametrize("y", range(5))
def test_numbers_of_a_year(y: int) -> None:
    year = YEARS[y]
    months = [
        ONE.months[m].tolist() for m in range(12 * y, 12 * y + 12)
    ]  # arrivals, starts, waits, reneged, completions
    last = ONE.by_programme[y + 1].tolist()
    second_half = sum(month[1] for month in months[6:])
    in_use, servers = (ONE.queues[12 * y : 12 * y + 12, :, i].sum(dtype=float) for i in (7, 8))
    expected = {
        "waiting": sum(waiting for waiting, _ in last),
        "overdue": sum(overdue for _, overdue in last),
        "mean_wait": sum(month[2] for month in months) / sum(month[1] for month in months),
        "wait_90": ONE.wait_90[y],
        "expected_wait": sum(waiting for waiting, _ in last) / second_half * 184,
        "clients": ONE.treated[y],
        "referred": sum(month[0] for month in months),
        "starts": sum(month[1] for month in months),
        "reneged": sum(month[3] for month in months),
        "completions": sum(month[4] for month in months),
        "utilisation": in_use / servers,
        "treatment_hours": ONE.queues[12 * y : 12 * y + 12, :, 9].sum(dtype=float),
    }
    expected |= {name: sum(ONE.volumes[m][v] for m in range(12 * y, 12 * y + 12)) for v, name in enumerate(VOLUMES)}
    assert set(expected) == set(measures.BY_YEAR)
    found = measures.measured(ONE, tuple(f"{name}_{year}" for name in expected), DEFINITION)
    assert found == pytest.approx(tuple(expected.values()), rel=1e-6)


def test_numbers_of_a_future_as_a_whole() -> None:
    names = ("cleared", "cleared_day", "wait_ratio", "waiting_start", "overdue_start")
    found = dict(zip(names, measures.measured(ONE, names, DEFINITION), strict=True))
    months = ONE.months.tolist()
    later = sum(months[m][2] for m in (27, 28, 29)) / sum(months[m][1] for m in (27, 28, 29))  # April, May, June 2027
    first = sum(months[m][2] for m in (0, 1, 2)) / sum(months[m][1] for m in (0, 1, 2))
    assert found["wait_ratio"] == pytest.approx(later / first, rel=1e-6)
    assert (found["cleared"], found["cleared_day"]) == (1.0, 756.0)
    assert found["waiting_start"] == ONE.by_programme[0, :, 0].sum()
    assert found["overdue_start"] == ONE.by_programme[0, :, 1].sum()
    late, never = future(1, cleared=1827.0), future(1)
    assert measures.measured(late, ("cleared", "cleared_day"), DEFINITION) == (0.0, 1827.0)
    assert measures.measured(future(1, cleared=1826.0), ("cleared",), DEFINITION) == (1.0,)
    assert measures.measured(never, ("cleared",), DEFINITION) == (0.0,)
    assert math.isnan(measures.measured(never, ("cleared_day",), DEFINITION)[0])


def test_a_month_without_starts_has_no_wait() -> None:
    quiet = future(2)
    quiet.months[:3, 1:3] = 0.0
    assert math.isnan(measures.mean_wait(quiet, 0, 3))
    assert math.isnan(measures.wait_ratio(quiet))
    quiet.months[:3, 1] = 5.0
    assert measures.mean_wait(quiet, 0, 3) == 0.0
    assert math.isinf(measures.wait_ratio(quiet))


# ---------------------------------------------------------------- clearing


def plain_clearing(overdue: list[int], definition: Definition) -> float:
    """The first week from which the number stays low for so many weeks on end."""
    for start in range(len(overdue) - definition.weeks):
        if all(x <= definition.share * overdue[0] for x in overdue[start : start + definition.weeks + 1]):
            return 7.0 * start
    return math.inf


@pytest.mark.parametrize("seed", range(20))
def test_clearing_day(seed: int) -> None:
    luck = np.random.default_rng(seed)
    overdue = np.where(luck.uniform(size=120) < 0.12, 60, luck.integers(0, 52, 120))
    overdue[0] = 100
    for weeks in (1, 4, 9, 26):
        definition = Definition(0.5, weeks, 1826.0)
        assert clearing_day(overdue, 7.0, definition) == plain_clearing(overdue.tolist(), definition)


def test_overdue_by_the_wait_to_be_expected() -> None:
    """The starts of the last three whole months before a moment; in the first three months, theirs."""
    luck = np.random.default_rng(3)
    edges = np.array([0.0, 31.0, 59.0, 90.0, 120.0, 151.0, 181.0, 212.0])
    starts, waiting, norm = luck.integers(0, 9, (7, 2)), luck.integers(0, 60, (31, 2)), 98.0
    starts[:, 1] = [0, 0, 0, 5, 6, 7, 8]
    found = expected_overdue(waiting, starts, edges, 7.0, norm)
    seen = set()
    for j in range(31):
        whole = sum(edge <= 7.0 * j for edge in edges.tolist()) - 1  # months that are over
        last = max(whole, 3)
        for k in range(2):
            a_day = sum(starts[m][k] for m in range(last - 3, last)) / (edges[last] - edges[last - 3])
            late = waiting[j][k] > norm * a_day
            seen.add(bool(late))
            assert found[j][k] == (waiting[j][k] if late else 0), (j, k)
    assert seen == {True, False}


# ---------------------------------------------------------------- quarters


def test_quarters_of_a_year() -> None:
    quarters = monitoring.quarters()
    assert [str(one) for one in quarters[:6]] == ["2024-Q4", "2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4", "2026-Q1"]
    assert [one.index for one in quarters] == list(range(-1, 20))
    assert len(quarters) == monitoring.QUARTERS + 1 == 21
    assert Quarter(2026, 4).ends == dt.date(2027, 1, 1)
    assert Quarter(2026, 1).ends == dt.date(2026, 4, 1)


def test_what_a_future_says_something_about() -> None:
    waiting, starts = QUANTITIES["waiting"], QUANTITIES["starts"]
    assert monitoring.possible(waiting, Quarter(2024, 4))
    assert not monitoring.possible(starts, Quarter(2024, 4))
    assert not monitoring.possible(waiting, Quarter(2024, 3))
    assert monitoring.possible(starts, Quarter(2025, 1))
    assert monitoring.possible(starts, Quarter(2029, 4))
    assert not monitoring.possible(starts, Quarter(2030, 1))


def test_simulated_counterparts_of_counts() -> None:
    futures, region = [future(i) for i in range(4)], load_region("amstelland")
    at = [Quarter(2025, 1), Quarter(2026, 3), Quarter(2029, 4)]
    effect = np.array([0.2, 0.3, 0.4, 0.5])

    def simulated(code: str) -> monitoring.Series:
        return monitoring.simulated(QUANTITIES[code], at, futures, effect, region)

    def flow(one: object, months: np.ndarray, column: int, quarter: int) -> float:
        return float(sum(months[3 * quarter + i][column] for i in range(3)))

    for code in ("waiting", "overdue"):
        made = simulated(code)
        for i, one in enumerate(futures):
            weeks = [round((quarter.ends - dt.date(2025, 1, 1)).days / 7) for quarter in at]
            assert made.values[i].tolist() == [float(getattr(one, code)[week]) for week in weeks]
        assert (made.size == made.values).all()
        assert (made.chance == 1.0).all()
    waits = simulated("mean_wait_weeks")
    for i, one in enumerate(futures):
        expected = [flow(one, one.months, 2, q.index) / flow(one, one.months, 1, q.index) / 7 for q in at]
        assert waits.values[i].tolist() == pytest.approx(expected, rel=1e-6)
    assert waits.chance == pytest.approx(0.01)
    for code, months, column, of_functions in (
        ("referrals", "months", 0, False),
        ("starts", "months", 1, False),
        ("conversations", "volumes", VOLUMES.index("conversations"), True),
        ("support_point_users", "volumes", VOLUMES.index("support_point_users"), True),
    ):
        made = simulated(code)
        for i, one in enumerate(futures):
            for t, quarter in enumerate(at):
                near = [q for q in (quarter.index - 1, quarter.index, quarter.index + 1) if 0 <= q < 20]
                flows = {q: flow(one, getattr(one, months), column, q) for q in near}
                assert made.values[i, t] == flows[quarter.index]
                assert made.size[i, t] == max(flows.values())
                assert made.chance[i, t] == 1.0 + (flows[quarter.index] if of_functions else 0.0)
    shares = simulated("not_to_ggz_percent")
    for i, one in enumerate(futures):
        for t, quarter in enumerate(at):
            held = flow(one, one.volumes, VOLUMES.index("conversations"), quarter.index)
            assert shares.values[i, t] == pytest.approx(100.0 * effect[i])
            assert shares.chance[i, t] == pytest.approx(1e4 * effect[i] * (1 - effect[i]) / held + 0.25)


# ---------------------------------------------------------------- for a decision


def test_weeks_waited_and_what_the_registration_shows() -> None:
    made = case("plan", 5, 40)
    weeks = decision.weeks_waited(made, 4)
    assert len(weeks) == 4
    for i in range(4):
        waiting = made.futures[i].waiting.tolist()
        last = round(1826.0 / 7)
        assert weeks[i] == pytest.approx(sum((waiting[j] + waiting[j + 1]) / 2 for j in range(last)))
    shown = decision.monitors(made, 5, 2026)
    for i, one in enumerate(made.futures):
        quarter = one.months[21:24].sum(axis=0).tolist()  # October to December 2026
        referred, started, waits, gave_up, _ = quarter
        expected = {
            "waiting": one.by_programme[2, :, 0].sum(), "overdue": one.by_programme[2, :, 1].sum(),
            "mean_wait": waits / started, "referred": referred, "started": started, "gave_up": gave_up,
            "gave_up_share": gave_up / (started + gave_up),
        }  # fmt: skip
        assert {name: values[i] for name, values in shown.items()} == pytest.approx(expected, rel=1e-6)
