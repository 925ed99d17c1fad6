"""Futures end with the fifth year where it is settled by then whether the lists are cleared; nothing else changes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from flowsim.analysis.clearing import QUEUE_MONTH, VOLUMES
from flowsim.engines import compiled
from flowsim.model import tally
from flowsim.scenario.load import default
from flowsim.study.futures import Balances, Case

OVER_THE_RUN = ("in_treatment", "by_municipality")
"""Means over the run, which is shorter."""
BRIDGING = VOLUMES.index("bridging_consults")
"""Volume that is counted over the run, and told by month."""


SCENARIOS = {
    "headcount": default().with_settings("headcount", reading="headcount"),
    "soon": default().with_figure("assumptions.cleared_share", 0.4, "a test"),
    "expected": default().with_settings("expected", reading="headcount", wait_counts="expected"),
}


@pytest.fixture(scope="module", params=list(SCENARIOS))
def case(request: pytest.FixtureRequest) -> Case:
    made = Case(request.param, SCENARIOS[request.param])
    made.extend(16, 1, Balances(1), 2)
    return made


def test_a_future_is_that_of_the_whole_run(case: Case) -> None:
    balances, answers = Balances(1), set[bool | None]()
    for i, future in enumerate(case.futures):
        network = case.network(i, 1, balances)
        outcome, _, _ = compiled.simulate_once(network, 1, i)
        whole = case.reduce(outcome, network)
        for field in dataclasses.fields(future):
            if field.name not in OVER_THE_RUN:
                mine, theirs = np.asarray(getattr(future, field.name)), np.asarray(getattr(whole, field.name))
                if field.name == "volumes":
                    assert mine[:, BRIDGING] == pytest.approx(theirs[:, BRIDGING], rel=0.1)
                    mine, theirs = (np.delete(one, BRIDGING, axis=1) for one in (mine, theirs))
                assert mine.tobytes() == theirs.tobytes(), (i, field.name)
        answers.add(case.reduce.settled(outcome["snapshots"]["overdue"][: case.reduce.look + 1].sum(axis=1)))
    if case.name != "expected":
        assert False in answers or True in answers  # some ended with the fifth year
    assert len(set(case.cleared.tolist())) == 2
    assert None in answers or case.name == "soon"  # and some went on


def test_means_over_the_run_are_those_until_its_last_snapshot(case: Case) -> None:
    network = case.network(0, 1, Balances(1))
    _, log, _ = compiled.simulate_once(network, 1, 0, log=True)
    assert log is not None
    pause = float(np.nextafter(case.reduce.look * network.snapshot_every, np.inf))
    assert pause < network.horizon
    until = dataclasses.replace(network, horizon=pause, periods=network.periods[network.periods <= pause])
    shorter = case.reduce(tally.replay(until, log[log["time"] < pause]), network)
    for mean in OVER_THE_RUN:
        assert getattr(case.futures[0], mean).tobytes() == getattr(shorter, mean).tobytes()
    weekly = case.futures[0].queues[..., QUEUE_MONTH.index("in_service")].sum(axis=0) / len(case.reduce.looks)
    assert case.futures[0].in_treatment == pytest.approx(weekly, rel=0.02)
