"""From document to arrays: what the codes and numbers are, and the very edge of what is refused."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any

import numpy as np
import pytest

from flowsim.errors import InputError
from flowsim.model import draws
from flowsim.model.build import MOST_VISITS, TOO_MANY_ARRIVALS, thresholds
from flowsim.model.distributions import parameters, weibull_shape
from flowsim.model.document import Distribution, Initial
from flowsim.model.network import ALWAYS_OPEN, NEVER, Network

Document = dict[str, Any]


def exponential(mean: float) -> Document:
    return {"distribution": "exponential", "mean": mean}


def network(station: Document | None = None, **changes: Any) -> Network:
    """One desk, one class, a stream; with changes."""
    desk: Document = {"name": "desk", "servers": 2, "service": exponential(1.0)}
    plain: Document = {
        "horizon": 100.0,
        "classes": ["a"],
        "stations": [desk | (station or {})],
        "arrivals": [{"class": "a", "station": "desk", "rate": 1.0}],
    }
    return Network.from_dict(plain | changes)


def test_a_quota_gives_no_tokens_before_its_first_step() -> None:
    made = network({"quota": [[5.0, 3], [9.0, 4]], "quota_carries": True})
    desk = made.stations[0]
    assert desk["tokens"] == 0
    assert made.steps[desk["quota_first"] : desk["quota_first"] + desk["quota_count"]].tolist() == [
        (5.0, 3.0),
        (9.0, 4.0),
    ]
    assert desk["quota_carries"] == 1
    assert network().stations[0]["tokens"] == ALWAYS_OPEN


def test_servers_of_the_first_moment_are_there_at_once_and_later_ones_are_steps() -> None:
    at_once = network({"servers": [[0.0, 4], [10.0, 6]]})
    assert at_once.stations["servers"][0] == 4
    assert at_once.steps[: at_once.stations["servers_count"][0]].tolist() == [(10.0, 6.0)]
    later = network({"servers": [[3.0, 4], [10.0, 6]]})
    assert later.stations["servers"][0] == 0
    assert later.stations["servers_count"][0] == 2
    assert network({"servers": "inf"}).stations["servers"][0] == ALWAYS_OPEN


def arrays_of(made: Network) -> list[str]:
    return [one.name for one in fields(made) if isinstance(getattr(made, one.name), np.ndarray)]


@pytest.mark.parametrize(
    "again",
    [
        lambda one: one,
        lambda one: pickle.loads(pickle.dumps(one)),
        copy.copy,
        copy.deepcopy,
        lambda one: replace(one, stations=one.stations.copy()),
    ],
    ids=["built", "from another process", "copied", "copied deeply", "with another array"],
)
def test_nobody_writes_into_a_network(again: Callable[[Network], Network]) -> None:
    """Engines keep what they make of its arrays: a change would be followed in part, and silently."""
    made = again(network())
    names = [*arrays_of(made), "way_below"]
    assert len(names) == 21
    for name in names:
        array = getattr(made, name)
        with pytest.raises(ValueError, match="read-only"):
            array[...] = np.zeros((), array.dtype)


def test_without_limits_priorities_and_lists() -> None:
    desk = network().stations[0]
    assert (desk["queue_limit"], desk["list"], desk["levels"]) == (ALWAYS_OPEN, NEVER, 1)
    assert network({"queue_limit": 0, "on_full": {"exit": 1.0}}).stations[0]["queue_limit"] == 0


def test_classes_without_a_priority_come_last() -> None:
    made = network(
        {"discipline": "priority", "priority": {"b": 7, "c": 3}},
        classes=["a", "b", "c"],
        arrivals=[{"class": c, "station": "desk", "rate": 1.0} for c in "abc"],
    )
    assert made.cells["level"][0].tolist() == [2, 1, 0]
    assert made.stations["levels"][0] == 3


def test_equal_distributions_share_a_code_and_empirical_ones_point_to_their_values() -> None:
    law = {"distribution": "empirical", "values": [1.0, 2.0, 6.0]}
    second = {"name": "second", "servers": 1, "service": exponential(1.0)}
    third = {"name": "third", "servers": 1, "service": law}
    arrivals = [{"class": "a", "station": one, "rate": 1.0} for one in ("first", "second", "third")]
    made = network(stations=[second | {"name": "first"}, second, third], arrivals=arrivals)
    assert made.cells["service"][:, 0].tolist() == [0, 0, 1]
    one = made.distributions[1]
    assert (one["family"], one["count"], one["mean"]) == (draws.EMPIRICAL, 3, 3.0)
    assert made.values[one["first"] : one["first"] + one["count"]].tolist() == [1.0, 2.0, 6.0]


def test_as_many_visits_as_a_number_has_room_for() -> None:
    """A clock that brings visits may ring just so often in the run, and no more; other clocks may."""

    def clock(mean: float, **what: Any) -> Document:
        return {"while_waiting": [{"after": exponential(mean), "repeats": True, **what}]}

    most = float(MOST_VISITS)
    assert network(clock(1.0, visit="desk"), horizon=most).clocks["repeats"][0] == 1
    with pytest.raises(InputError, match=r"desk\.while_waiting\.after: found visits that follow too soon"):
        network(clock(1.0, visit="desk"), horizon=most * 1.0001)
    once = {"while_waiting": [{"after": exponential(1.0), "visit": "desk"}]}
    assert network(once, horizon=most * 2).clocks["repeats"][0] == 0


def test_fifteen_clocks_and_not_one_more() -> None:
    clocks = [{"after": exponential(1.0 + i), "visit": "desk"} for i in range(draws.MAX_CLOCKS)]
    assert network({"while_waiting": clocks[:-1]}).cells["clock_count"][0, 0] == draws.MAX_CLOCKS - 1
    with pytest.raises(InputError, match=r"while_waiting: found 16 clocks; expected at most 15"):
        network({"while_waiting": clocks})


def test_arrivals_up_to_the_limit() -> None:
    stream: Document = {"class": "a", "station": "desk", "rate": TOO_MANY_ARRIVALS / 100.0}
    assert network(arrivals=[stream]).expected_arrivals == pytest.approx(TOO_MANY_ARRIVALS)
    with pytest.raises(InputError, match=r"arrivals\.0: found about 2\.02e\+08 arrivals"):
        network(arrivals=[stream | {"rate": 1.01 * TOO_MANY_ARRIVALS / 100.0}])
    often = {"class": "a", "station": "desk", "interval": exponential(100.0 / TOO_MANY_ARRIVALS / 1.01)}
    with pytest.raises(InputError, match=r"arrivals\.0: found about 2\.02e\+08 arrivals"):
        network(arrivals=[often])


def test_expected_arrivals_add_rates_intervals_and_who_is_there() -> None:
    made = network(
        {"initial": {"waiting": 3, "in_service": 2}},
        arrivals=[
            {"class": "a", "station": "desk", "rate": [[0.0, 1.0], [30.0, 0.0], [60.0, 2.0], [150.0, 9.0]]},
            {"class": "a", "station": "desk", "interval": exponential(4.0)},
            {"class": "a", "station": "desk", "rate": [[20.0, 0.5]]},
            {"class": "a", "station": "desk", "rate": 0.25},
        ],
    )
    assert made.expected_arrivals == pytest.approx(5 + 30 + 80 + 25 + 40 + 25)


def test_time_of_servers_is_counted_from_the_warm_up_to_the_horizon() -> None:
    schedule = network({"servers": [[0.0, 4], [10.0, 6], [50.0, 0], [120.0, 9]]}, warm_up=5.0)
    assert schedule.server_time().tolist() == [5 * 4 + 40 * 6]
    assert network({"servers": [[20.0, 1]]}).server_time().tolist() == [80.0]
    assert network({"servers": "inf"}).server_time().tolist() == [math.inf]


def test_pools_by_share_and_by_wait() -> None:
    other = {"name": "other", "servers": 1, "service": exponential(1.0)}
    desk = {"name": "desk", "servers": 2, "service": exponential(1.0)}
    pools = [
        {"name": "shared", "stations": ["desk", "other"], "rule": "shares", "second_list": 0.25},
        {"name": "soonest", "stations": ["other", "desk"]},
    ]
    made = network(stations=[desk, other], pools=pools, arrivals=[{"class": "a", "station": "shared", "rate": 1.0}])
    assert made.pools["by_share"][:2].tolist() == [1, 0]
    assert made.pools["second_list"][:2].tolist() == [0.25, 0.0]
    assert made.members[:4].tolist() == [0, 1, 1, 0]
    assert made.streams["station"].tolist() == [2]


def test_thresholds_end_at_the_largest_word() -> None:
    assert thresholds([0.25, 0.5, 0.25]) == [2**62, 3 * 2**62, 2**64 - 1]
    assert thresholds([1.0, 0.0]) == [2**64 - 1, 2**64 - 1]
    assert thresholds([0.1] * 10)[-1] == 2**64 - 1


@pytest.mark.parametrize("ways", [{"desk": 0.5}, {"desk": 0.5, "exit": 0.500001}, {}])
def test_probabilities_add_to_one(ways: dict[str, float]) -> None:
    with pytest.raises(InputError, match=r"routes from desk: found probabilities that add to"):
        network(routes=[{"from": "desk", "to": ways}])


def test_nobody_is_there_unless_said() -> None:
    assert (Initial().waiting, Initial().in_service, Initial().age) == (0, 0, None)
    assert len(network().initial) == 0
    assert network({"initial": {"in_service": 2}}).initial.tolist() == [(0, NEVER, 0, 2)]
    assert network({"initial": {"waiting": {"a": 4}}}).initial.tolist() == [(0, 0, 4, 0)]


@pytest.mark.parametrize(
    ("station", "message"),
    [
        ({"servers": []}, r"desk\.servers: found \[\]; expected at least 1"),
        ({"quota": []}, r"desk\.quota: found \[\]; expected at least 1"),
        ({"while_waiting": [{"after": exponential(1.0), "visit": "desk", "classes": []}]}, r"classes: found \[\]"),
        ({"on_renege": {}, "patience": exponential(1.0)}, r"desk\.on_renege: found probabilities that add to 0"),
        ({"service": {"distribution": "empirical", "values": []}}, r"service\.values: found \[\]; expected at least 1"),
        ({"while_waiting": [{"after": exponential(1.0)}]}, r"one of become, visit and review_at"),
        ({"while_waiting": [{"after": exponential(1.0), "become": "a", "repeats": True}]}, r"become without repeats"),
        ({"service": {"distribution": "uniform", "low": 2.0, "high": 2.0}}, r"low below high"),
        ({"service": {"distribution": "uniform", "mean": 2.0, "cv": 0.58}}, r"a cv of at most 0\.577"),
        ({"service": {"distribution": "weibull", "mean": 2.0, "cv": 0.019}}, r"a cv between 0\.02 and 15"),
    ],
)
def test_what_is_empty_or_incomplete_is_refused(station: Document, message: str) -> None:
    with pytest.raises(InputError, match=message):
        network(station)


def test_a_pool_with_a_table_of_shares_that_is_empty_is_refused() -> None:
    pool = {"name": "pool", "stations": ["desk"], "rule": "shares", "shares": []}
    with pytest.raises(InputError, match=r"pools\.pool\.shares: found \[\]; expected one share per station"):
        network(pools=[pool])


def test_an_empty_schedule_of_arrivals_is_refused() -> None:
    with pytest.raises(InputError, match=r"arrivals\.0\.rate: found \[\]; expected at least 1"):
        network(arrivals=[{"class": "a", "station": "desk", "rate": []}])


@pytest.mark.parametrize("cv", [0.02, 0.1, 0.5, 1.0, 2.0, 15.0])
def test_weibull_has_the_cv_that_was_asked_for(cv: float) -> None:
    shape = weibull_shape(cv)
    square = math.lgamma(1 + 2 / shape) - 2 * math.lgamma(1 + 1 / shape)
    assert math.sqrt(math.expm1(square)) == pytest.approx(cv, rel=1e-9)


@pytest.mark.parametrize(
    ("law", "expected"),
    [
        ({"distribution": "uniform", "low": 1.0, "high": 4.0}, (draws.UNIFORM, 1.0, 3.0, 2.5)),
        ({"distribution": "uniform", "mean": 6.0, "cv": 1 / math.sqrt(12.0)}, (draws.UNIFORM, 3.0, 6.0, 6.0)),
        ({"distribution": "gamma", "mean": 6.0, "cv": 0.5}, (draws.GAMMA, 4.0, 1.5, 6.0)),
        ({"distribution": "weibull", "mean": 6.0, "cv": 1.0}, (draws.WEIBULL, 6.0, 1.0, 6.0)),
        ({"distribution": "deterministic", "mean": 6.0}, (draws.DETERMINISTIC, 6.0, 0.0, 6.0)),
        ({"distribution": "exponential", "mean": 6.0}, (draws.EXPONENTIAL, 6.0, 0.0, 6.0)),
        (
            {"distribution": "lognormal", "mean": 6.0, "cv": 1.0},
            (draws.LOGNORMAL, math.log(6.0) - math.log(2.0) / 2, math.sqrt(math.log(2.0)), 6.0),
        ),
    ],
)
def test_parameters_of_the_families(law: Document, expected: tuple[float, ...]) -> None:
    assert parameters(Distribution(**law)) == pytest.approx(expected)


def test_classes_of_those_who_are_there_are_drawn_as_they_arrive() -> None:
    made = network(
        classes=["a", "b"],
        arrivals=[
            {"class": "a", "station": "desk", "rate": [[0.0, 1.0], [5.0, 99.0]]},
            {"class": "b", "station": "desk", "interval": exponential(1 / 3)},
        ],
    )
    assert np.array(made.class_mix, float).tolist() == [2.0**62, 2.0**64]


@pytest.mark.parametrize(
    ("visit", "become", "missing"),
    [("help:b", None, "b"), ("help", None, "c"), ("help", "b", "b"), ("help:a", "b", None)],
)
def test_who_visits_needs_a_service_time_there(visit: str, become: str | None, missing: str | None) -> None:
    """A companion has the class that the clock names, or that of the person, after the change if there is one."""
    clock: Document = {"after": exponential(1.0), "visit": visit} | ({"become": become} if become else {})
    desk = {"name": "desk", "servers": 1, "service": exponential(1.0), "while_waiting": [clock]}
    made = {"name": "help", "servers": 1, "service": {"a": exponential(1.0)}}
    document: Document = {
        "classes": ["a", "b", "c"], "stations": [desk, made],
        "arrivals": [{"class": "c", "station": "desk", "rate": 1.0}],
    }  # fmt: skip
    if missing is None:
        assert network(**document).clocks["visit_station"][0] == 1
        return
    with pytest.raises(InputError, match=rf"stations\.help\.service: found nothing; .* for class {missing}"):
        network(**document)


def test_who_stays_as_another_class_needs_a_service_time_for_it() -> None:
    """A review that says "stay", with a class, sends nobody anywhere, and still the class is another."""
    clock = {"after": exponential(1.0), "review_at": "help"}
    desk = {"name": "desk", "servers": 1, "service": {"a": exponential(1.0)}, "while_waiting": [clock]}
    document: Document = {
        "classes": ["a", "b"], "stations": [desk, {"name": "help", "servers": 1, "service": exponential(1.0)}],
        "arrivals": [{"class": "a", "station": "desk", "rate": 1.0}],
    }  # fmt: skip
    with pytest.raises(InputError, match=r"stations\.desk\.service: found nothing; .* for class b"):
        network(**document, routes=[{"from": "help", "on": "review", "to": {"stay:b": 1.0}}])
    network(**document, routes=[{"from": "help", "on": "review", "to": {"stay:a": 1.0}}])


def test_a_class_that_a_clock_names_twice_has_it_once() -> None:
    clock = {"after": exponential(1.0), "visit": "desk", "classes": ["b", "b"]}
    desk = {"name": "desk", "servers": 1, "service": exponential(1.0), "while_waiting": [clock]}
    arrivals = [{"class": name, "station": "desk", "rate": 1.0} for name in ("a", "b")]
    made = network(classes=["a", "b"], stations=[desk], arrivals=arrivals)
    assert made.cells["clock_count"].tolist() == [[0, 1]]
