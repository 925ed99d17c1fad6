"""Stop rules that give stations other servers: by hand, and both engines to the last bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from network_documents import Document

from flowsim.engines import compiled, reference
from flowsim.model import events, tally
from flowsim.model.network import Network
from flowsim.study.replicate import simulate

TEN = {"distribution": "deterministic", "mean": 10.0}
DOOR, DESK = 0, 1


def document(*rules: dict[str, Any], servers: Any = ((0.0, 1), (20.0, 2)), at_desk: int = 8) -> Document:
    """A door where one waits for ever, unless it closes; then he goes to the desk, where there is a queue."""
    own = servers if isinstance(servers, int) else [list(step) for step in servers]
    door = {"name": "door", "servers": 0, "service": TEN, "initial": {"waiting": 1}}
    desk = {"name": "desk", "servers": own, "service": TEN, "initial": {"waiting": at_desk}}
    for station, onward in ((door, {"desk": 1.0}), (desk, {"exit": 1.0})):
        if any(station["name"] in one["close"] for one in rules):
            station["on_full"] = onward
    return {"horizon": 35.0, "classes": ["all"], "stations": [door, desk], "stop_rules": list(rules)}


def rule(at: float, servers: Any = None, at_least: float = 3.0, close: str = "door") -> dict[str, Any]:
    made = {"at": at, "stations": ["desk"], "measure": "waiting", "at_least": at_least, "close": [close]}
    return made if servers is None else made | {"servers": {"desk": servers}}


def run(given: Document) -> np.ndarray:
    """The log, which is the same from both engines."""
    network = Network.from_dict(given)
    (_, log, count), (_, told, counted) = (
        engine.simulate_once(network, 1, 0, log=True) for engine in (compiled, reference)
    )
    assert log is not None
    assert told is not None
    assert log.tobytes() == told.tobytes()
    assert count == counted
    return log


def starts(log: np.ndarray) -> list[float]:
    found: list[float] = log["time"][(log["kind"] == events.START) & (log["station"] == DESK)].tolist()
    return found


OWN = [0.0, 10.0, 20.0, 20.0, 30.0, 30.0]
"""When the desk starts somebody by its own schedule; at equal times completions go before changes of servers."""


def test_servers_go_up_at_the_moment_at_which_the_rule_holds() -> None:
    """Then down: nobody is thrown out, places close as they come free; and up again."""
    log = run(document(rule(5.0, [[0.0, 3], [20.0, 1], [30.0, 4]])))
    assert starts(log) == [0.0, 5.0, 5.0, 10.0, 15.0, 15.0, 20.0, 30.0, 30.0]
    assert log["kind"][log["time"] == 5.0].tolist() == [
        events.CLOSE,  # the door
        *(events.START, events.START),  # those who wait at the desk, before who comes from the door
        *(events.BALK, events.ARRIVE),
    ]
    last = log[log["kind"] == events.START][-1]
    assert last["resident"] == log["resident"][log["kind"] == events.BALK][0]


def test_a_rule_that_does_not_hold_changes_nothing() -> None:
    never = rule(5.0, [[0.0, 3], [20.0, 1], [25.0, 7]], at_least=8.0)
    assert starts(run(document(never))) == starts(run(document())) == OWN
    never.pop("servers")
    assert run(document(never)).tobytes() == run(document()).tobytes()


def test_a_rule_without_servers_leaves_schedules_alone() -> None:
    assert starts(run(document(rule(5.0)))) == OWN


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (2, [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]),
        (0, [0.0]),
        ([[12.0, 2]], [0.0, 12.0, 12.0, 22.0, 22.0, 32.0, 32.0]),  # 0 before the first time, as at a station
        ([[0.0, 9], [5.0, 2], [20.0, 2]], [0.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0]),  # what it says at that moment
    ],
)
def test_the_other_schedule_means_what_a_schedule_means(other: Any, expected: list[float]) -> None:
    assert starts(run(document(rule(5.0, other)))) == expected
    assert starts(run(document(rule(5.0, other), servers=1))) == expected


def test_at_a_step_of_the_station_s_own_schedule_the_rule_comes_last() -> None:
    log = run(document(rule(20.0, [[0.0, 1], [20.0, 4]])))
    assert starts(log) == [0.0, 10.0, 20.0, 20.0, 20.0, 20.0, 30.0, 30.0, 30.0]


def test_the_last_rule_that_holds_is_followed() -> None:
    two = [rule(5.0, [[0.0, 3], [17.0, 0]]), rule(12.0, [[0.0, 1], [26.0, 2]])]
    assert starts(run(document(*two))) == [0.0, 5.0, 5.0, 10.0, 20.0, 26.0, 30.0]
    two[1]["at_least"] = 100.0
    assert starts(run(document(*two))) == [0.0, 5.0, 5.0, 10.0, 15.0, 15.0]


def test_a_station_that_was_closed_before_stays_closed() -> None:
    log = run(document(rule(5.0, close="desk"), rule(8.0, 5, at_least=0.0)))
    assert (log["kind"] == events.CLOSE).sum() == 2
    assert starts(log) == [0.0]


@pytest.mark.parametrize(
    ("given", "servers_at_the_desk"),
    [
        (document(), 20 * 1 + 15 * 2),
        (document(rule(5.0, [[0.0, 3], [20.0, 1], [30.0, 4]])), 5 * 1 + 15 * 3 + 10 * 1 + 5 * 4),
        (document(rule(5.0, [[0.0, 3]], at_least=100.0)), 20 * 1 + 15 * 2),
        (document(rule(5.0, [[0.0, 3], [17.0, 0]]), rule(12.0, [[0.0, 1], [26.0, 2]])), 5 + 7 * 3 + 14 * 1 + 9 * 2),
        (document(rule(5.0, close="desk"), rule(8.0, 5, at_least=0.0)), 5 * 1),
        (document(rule(25.0, close="desk")), 20 * 1 + 5 * 2),
        (document(rule(5.0, [[0.0, 3]])) | {"warm_up": 10.0}, 25 * 3),
        (document(rule(5.0, close="desk")) | {"warm_up": 10.0}, 0),
    ],
)
def test_utilisation_is_of_the_servers_that_were_there(given: Document, servers_at_the_desk: float) -> None:
    network = Network.from_dict(given)
    one, other = (simulate(network, 1, seed=1, engine=engine, log=True) for engine in ("compiled", "reference"))
    assert one.held.tolist() == other.held.tolist()
    assert network.server_time(one.held)[0, DESK] == servers_at_the_desk
    middles = np.arange(network.warm_up, network.horizon) + 0.5  # servers come and go at whole hours
    assert network.servers_at(middles, [DESK], one.held[0]).sum() == servers_at_the_desk
    assert network.servers_at(middles - 0.5, [DESK], one.held[0])[:, 0].tolist() == [
        network.servers_at(np.array([at]), [DESK], one.held[0])[0, 0] for at in middles
    ]
    found = one.station_totals()["utilisation"][DESK]
    served = one.cells["service_time"][0, DESK].sum()
    assert found == served / servers_at_the_desk if servers_at_the_desk else np.isnan(found)
    assert one.logs is not None
    assert tally.replay(network, one.logs[0])["held"].tolist() == one.held[0].tolist()
