"""Readings that the plan leaves open: of what the diversion is a share, and which wait is held against the norm."""

from __future__ import annotations

import numpy as np
import pytest

from flowsim.analysis.clearing import expected_overdue
from flowsim.errors import InputError
from flowsim.scenario import flows
from flowsim.scenario.baseline import Values, calibrate
from flowsim.scenario.frame import norm_weeks
from flowsim.scenario.load import default
from flowsim.scenario.region import load_region
from flowsim.study.futures import Balances, Case


def share(basis: str, **figures: float) -> float:
    scenario = default().with_settings(basis, network="diversion", diversion_of=basis)
    value = Values(scenario, {f"public.{name}": x for name, x in figures.items()})
    return flows.diverted_share(scenario, value, calibrate(value, load_region("amstelland")), 2028)


def test_ten_per_cent_of_the_euros_by_hand() -> None:
    """5,800 for each of 6,491 clients, of which 16,000 for each of 1,470: the others cost 14,127,800 of 37,647,800."""
    assert share("euros") == pytest.approx(0.10 * 37_647_800 / 14_127_800)


def test_where_everybody_costs_the_same_euros_are_clients_without_severe_mental_illness() -> None:
    assert share("euros", smi_cost=5800.0) == pytest.approx(0.10 * 6491 / (6491 - 1470))


def test_every_basis_gives_another_share() -> None:
    shares = [share(basis) for basis in ("hours", "inflow", "headcount", "euros")]
    assert len({round(one, 6) for one in shares}) == 4
    assert min(shares) >= 0.10  # severe mental illness is part of every basis, and is not diverted


def test_severe_mental_illness_cannot_cost_more_than_everybody() -> None:
    with pytest.raises(InputError, match="smi_cost"):
        share("euros", smi_cost=26_000.0)


def test_the_intake_is_a_part_of_the_wait() -> None:
    scenario = default()
    intake = scenario.with_settings("intake", wait_counts="intake")
    assert norm_weeks(scenario.book.value, scenario) == 14.0
    assert norm_weeks(intake.book.value, intake) == pytest.approx(4.0 / 0.65)
    assert Case("intake", intake).template.network_at_mode.waiting_norm == pytest.approx(7 * 4.0 / 0.65)


def test_the_wait_to_be_expected_by_hand() -> None:
    """Months of 30 days; 30 starts a month is one a day, so a list of 98 is a wait of 98 days: just the norm."""
    edges = np.arange(7) * 30.0
    starts = np.array([[30.0], [30.0], [30.0], [30.0], [15.0], [0.0]])
    waiting = np.full((27, 1), 98)
    found = expected_overdue(waiting, starts, edges, 7.0, 98.0)[:, 0]
    assert found[:22].tolist() == [0] * 22  # three months of one a day, and the first three months by themselves
    assert found[22:].tolist() == [98] * 5  # from day 150 on the last three months had 75 starts
    assert expected_overdue(np.full((27, 1), 97), np.zeros((6, 1)), edges, 7.0, 98.0)[0, 0] == 97  # nobody starts
    assert expected_overdue(np.zeros((27, 1), int), np.zeros((6, 1)), edges, 7.0, 98.0).sum() == 0


def test_readings_of_the_wait_in_simulated_futures() -> None:
    """The same residents wait under each; a shorter norm makes more of them overdue; who counts expected waits counts
    whole lists."""
    balances, made = Balances(1), {}
    for which in ("start", "intake", "expected"):
        case = made[which] = Case(which, default().with_settings(which, wait_counts=which))
        case.extend(3, 1, balances, None)
    for i in range(3):
        start, intake, expected = (made[which].futures[i] for which in ("start", "intake", "expected"))
        assert (start.waiting == intake.waiting).all()
        assert (start.waiting == expected.waiting).all()
        assert (intake.overdue >= start.overdue).all()
        assert intake.overdue.sum() > start.overdue.sum()
        lists = expected.by_programme
        assert ((lists[:, :, 1] == 0) | (lists[:, :, 1] == lists[:, :, 0])).all()
        assert lists[:, :, 1].sum() > 0
