"""What a document may say at the very edge, what it gives when it says nothing, and the message one step further."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from flowsim.errors import InputError
from flowsim.model import build, check, document, draws, events
from flowsim.model import network as n
from flowsim.model.document import Distribution, shown
from flowsim.model.network import Network, resident_number

Document = dict[str, Any]


def law(family: str = "exponential", **parameters: Any) -> Document:
    return {"distribution": family} | (parameters or {"mean": 1.0})


def plain(station: Document | None = None, **changes: Any) -> Document:
    desk: Document = {"name": "desk", "servers": 2, "service": law()}
    return {
        "horizon": 100.0, "classes": ["a", "b"], "stations": [desk | (station or {})],
        "arrivals": [{"class": "a", "station": "desk", "rate": 1.0}],
    } | changes  # fmt: skip


def made(station: Document | None = None, **changes: Any) -> Network:
    return Network.from_dict(plain(station, **changes))


def refused(station: Document | None = None, **changes: Any) -> str:
    with pytest.raises(InputError) as error:
        made(station, **changes)
    return str(error.value)


def two(first: Document | None = None, second: Document | None = None, **changes: Any) -> Document:
    """Two desks, a route from the first to the second."""
    desks = [
        {"name": "desk", "servers": 2, "service": law()} | (first or {}),
        {"name": "ward", "servers": 1, "service": law(mean=2.0)} | (second or {}),
    ]
    routes = [{"from": "desk", "to": {"ward": 0.25, "exit": 0.75}}]
    return plain(stations=desks, routes=routes) | changes


# ---------------------------------------------------------------- numbers that are promised


def test_what_a_document_without_options_gives() -> None:
    found = made()
    assert (found.warm_up, found.snapshot_every, found.wait_bin, found.waiting_norm) == (
        0.0,
        1.0,
        100.0 / 256,
        math.inf,
    )
    assert found.periods.tolist() == [0.0, 100.0]
    assert (found.title, found.list_names, found.pool_names) == ("", (), ())
    assert (n.OUT, n.STAY, n.NEVER, n.ALWAYS_OPEN) == (-1, -2, -1, 2**60)
    cell = found.cells[0, 0]
    assert (cell["patience"], cell["age"], cell["full_row"], cell["review_row"], cell["clock_count"]) == (
        -1,
        -1,
        -1,
        -1,
        0,
    )
    desk = found.stations[0]
    assert (desk["queue_limit"], desk["list"], desk["levels"], desk["quota_carries"]) == (2**60, -1, 1, 0)
    assert (desk["uses_service_factor"], desk["removes_second_place"]) == (0, 0.0)
    row = found.rows[cell["renege_row"]]
    way = found.ways[row["first"]]
    assert (row["count"], way["station"], way["patient_class"], way["factor"]) == (1, -1, -1, 1.0)
    assert way["below"] == 2**64 - 1
    assert found.streams[0].tolist() == (0, 0, 0, 1, -1)
    assert found.steps[0].tolist() == (0.0, 1.0)


def test_what_is_asked_for_is_given() -> None:
    found = made(
        {"queue_limit": 7, "on_full": {"exit": 1.0}, "waiting_list": "l", "uses_service_factor": True,
         "removes_second_place": 0.5, "patience": law(mean=3.0), "quota": [[0.0, 3]], "quota_carries": True},
        warm_up=10.0, snapshot_every=2.0, wait_bin=0.5, waiting_norm=14.0, periods=[0.0, 50.0, 100.0], title="t",
    )  # fmt: skip
    assert (found.warm_up, found.snapshot_every, found.wait_bin, found.waiting_norm) == (10.0, 2.0, 0.5, 14.0)
    assert (found.periods.tolist(), found.title, found.list_names) == ([0.0, 50.0, 100.0], "t", ("l",))
    desk = found.stations[0]
    assert (desk["queue_limit"], desk["list"], desk["tokens"], desk["quota_carries"]) == (7, 0, 0, 1)
    assert (desk["uses_service_factor"], desk["removes_second_place"]) == (1, 0.5)
    assert found.distributions[found.cells[0, 0]["patience"]]["mean"] == 3.0
    assert found.cells[0, 0]["full_row"] >= 0


def test_addresses_of_residents() -> None:
    assert resident_number(0, 5) == 5
    assert resident_number(3, 5) == 3 * 2**28 + 5
    assert (n.INITIAL_WAITING, n.INITIAL_IN_SERVICE, n.COMPANION_SHIFT, n.STREAM_BITS) == (2048, 3072, 40, 28)


def test_limits_that_the_page_of_networks_promises() -> None:
    assert (build.MOST_LEVELS, build.MOST_VISITS) == (65_536, 262_144)
    assert (check.MOST_ROWS, check.MOST_CELLS, draws.MAX_CLOCKS) == (10_000_000, 100_000, 16)


# ---------------------------------------------------------------- distributions


@pytest.mark.parametrize(
    "good",
    [
        law("uniform", mean=1.0, cv=3.0**-0.5), law("uniform", low=0.0, high=1.0), law("weibull", mean=1.0, cv=0.02),
        law("weibull", mean=1.0, cv=15.0), law("gamma", mean=1.0, cv=0.001), law("lognormal", mean=1.0, cv=20.0),
        law("empirical", values=[1.0]),
    ],
)  # fmt: skip
def test_laws_at_their_edges(good: Document) -> None:
    assert Distribution.model_validate(good).distribution == good["distribution"]


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (law("uniform", mean=1.0, cv=0.5774), "a uniform length of time has a cv of at most 0.577"),
        (law("uniform", low=1.0, high=1.0), "low below high"),
        (law("uniform", low=2.0, high=1.0), "low below high"),
        (law("weibull", mean=1.0, cv=0.0199), "a cv between 0.02 and 15 for weibull"),
        (law("weibull", mean=1.0, cv=15.1), "a cv between 0.02 and 15 for weibull"),
        (law("gamma", mean=1.0), "gamma takes cv and mean, found mean"),
        (law("uniform", mean=1.0), "uniform takes cv and mean or high and low, found mean"),
        ({"distribution": "exponential"}, "exponential takes mean, found neither"),
        (law("gamma", mean=1.0, cv=0.0009), "a number of at least 0.001"),
        (law("gamma", mean=1.0, cv=20.1), "a number of at most 20"),
        (law("empirical", values=[]), "at least 1 of them"),
        (law(mean="1"), "a number"),
        (law(mean=math.nan), "a finite number"),
    ],
)
def test_laws_one_step_further(bad: Document, message: str) -> None:
    text = refused({"service": bad})
    assert text.startswith("network: stations.desk.service")
    assert message in text


def test_a_mean_too_short_for_the_horizon() -> None:
    assert made({"service": law(mean=1.1e-7)}).distributions[0]["mean"] == 1.1e-7
    assert "a mean of 9e-08; expected at least 1e-09 of the horizon" in refused({"service": law(mean=9e-8)})


# ---------------------------------------------------------------- the words of a message


def test_places_and_values_in_messages() -> None:
    assert "network: horizon: found -1; expected" in refused(horizon=-1)
    assert refused(colour=3) == (
        "network: colour: found an unknown key; expected only the keys that `flowsim schema network` lists"
    )
    without = plain()
    del without["horizon"]
    with pytest.raises(InputError, match=r"^network: horizon: found nothing; expected this key \(it is required\)"):
        Network.from_dict(without)
    with pytest.raises(InputError, match=r"^horizon: found nothing"):
        document.read(without, "")
    with pytest.raises(InputError, match=r"^network: found 3; expected a table with horizon, classes, stations"):
        document.read(3)
    assert "stations.desk.servers: found 'many'; expected a whole number, " in refused({"servers": "many"})
    assert "arrivals.0.rate" in refused(arrivals=[{"class": "a", "station": "desk", "rate": "x"}])
    assert "either rate or interval" in refused(arrivals=[{"class": "a", "station": "desk"}])
    assert shown("x" * 58) == repr("x" * 58)
    assert shown("x" * 59) == repr("x" * 59)[:57] + "..."
    assert shown((1, 2)) == "[1, 2]"


@pytest.mark.parametrize(
    ("clock", "message"),
    [
        ({}, "one of become, visit and review_at"),
        ({"review_at": "desk", "become": "b"}, "review_at without become or visit"),
        ({"review_at": "desk", "visit": "desk"}, "review_at without become or visit"),
        ({"become": "b", "repeats": True}, "become without repeats"),
        ({"visit": "exit"}, "stations.desk.while_waiting.visit: found exit; expected a station"),
        ({"visit": "nowhere"}, "found nowhere; expected a station or exit: one of desk"),
        ({"visit": "desk", "classes": ["z"]}, "found z; expected a patient class: one of a, b"),
        ({"review_at": "nowhere"}, "while_waiting.review_at: found nowhere; expected a station: one of desk"),
        (
            {"review_at": "desk"},
            "routes from desk: found no route on review; expected where a review can send residents",
        ),
    ],
)
def test_clocks_that_say_too_little_or_too_much(clock: Document, message: str) -> None:
    assert message in refused({"while_waiting": [{"after": law()} | clock]})


def test_clocks_by_class() -> None:
    found = made({"while_waiting": [
        {"after": law(), "become": "b", "classes": ["a"]}, {"after": law(mean=2.0), "visit": "desk:b", "repeats": True},
    ]})  # fmt: skip
    assert found.cells["clock_count"].tolist() == [[2, 1]]
    assert found.cells["clock_first"].tolist() == [[0, 2]]
    change, visit, again = found.clocks[:3]
    assert (change["kind"], change["patient_class"], change["visit_station"], change["repeats"]) == (
        events.CHANGE,
        1,
        -1,
        0,
    )
    assert (visit["kind"], visit["visit_station"], visit["visit_class"], visit["repeats"]) == (events.VISIT, 0, 1, 1)
    assert (visit["station"], visit["patient_class"]) == (-1, -1)
    assert again.tolist() == visit.tolist()
    review = made(
        {"while_waiting": [{"after": law(), "review_at": "desk"}]},
        routes=[{"from": "desk", "on": "review", "to": {"stay": 0.5, "exit:b": 0.5}}],
    )
    assert (review.clocks[0]["kind"], review.clocks[0]["station"]) == (events.REVIEW, 0)
    row = review.rows[review.cells[0, 1]["review_row"]]
    assert review.ways["station"][row["first"] : row["first"] + row["count"]].tolist() == [n.STAY, n.OUT]
    assert review.ways["patient_class"][row["first"] : row["first"] + row["count"]].tolist() == [-1, 1]


# ---------------------------------------------------------------- routes, pools, arrivals


def test_routes_come_into_force_and_stay_so() -> None:
    routes = [
        {"from": "desk", "to": {"exit": 1.0}}, {"from": "desk", "class": "b", "to": {"ward": 1.0}},
        {"from": "desk", "start": 10.0, "to": {"ward": 1.0}}, {"from": "ward", "start": 20.0, "to": {"desk": 1.0}},
    ]  # fmt: skip
    found = Network.from_dict(two(routes=routes))
    assert found.route_times.tolist() == [0.0, 10.0, 20.0]

    def to(epoch: int, k: int, c: int) -> int:
        return int(found.ways["station"][found.rows["first"][found.route_rows[epoch, k, c]]])

    assert [[to(e, 0, c) for c in (0, 1)] for e in range(3)] == [[-1, 1], [1, 1], [1, 1]]
    assert [[to(e, 1, c) for c in (0, 1)] for e in range(3)] == [[-1, -1], [-1, -1], [0, 0]]


@pytest.mark.parametrize(
    ("route", "message"),
    [
        (
            {"to": {"ward": 0.5}},
            "routes from desk: found probabilities that add to 0.5; expected probabilities that add to 1",
        ),
        (
            {"to": {"stay": 1.0}},
            "routes from desk: found stay; expected a station or exit ('stay' is for the routes of a",
        ),
        ({"to": {"home": 1.0}}, "routes from desk: found home; expected a station, a pool or exit: one of desk, ward"),
        ({"to": {"exit:z": 1.0}}, "routes from desk: found z; expected a patient class: one of a, b"),
        ({"on": "renege", "start": 1.0, "to": {"exit": 1.0}}, "found start 1; expected start 0 for a route on renege"),
        ({"class": "z", "to": {"exit": 1.0}}, "routes from desk, class z: found z"),
    ],
)
def test_routes_that_lead_nowhere(route: Document, message: str) -> None:
    with pytest.raises(InputError) as error:
        Network.from_dict(two(routes=[{"from": "desk", "to": {"ward": 1.0}}, {"from": "desk", "on": "full"} | route]
                              if "start" not in route else [{"from": "desk"} | route]))  # fmt: skip
    assert message in str(error.value)


def test_two_routes_of_one_kind() -> None:
    twice = [{"from": "desk", "to": {"ward": 1.0}}] * 2
    with pytest.raises(InputError, match="routes from desk: found two routes on completion; expected one route per"):
        Network.from_dict(two(routes=twice))
    exits = {"from": "desk", "to": {"exit": 1.0}}
    different = [*twice[:1], exits | {"class": "a"}, exits | {"start": 5.0}, exits | {"on": "renege"}]
    assert len(Network.from_dict(two({"patience": law()}, routes=different)).route_times) == 2


def test_long_forms_of_destinations() -> None:
    ways = [
        {"to": "ward", "probability": 0.25, "become": "b", "service_factor": 2.0},
        {"to": "exit:b", "probability": 0.75},
    ]
    found = Network.from_dict(two(routes=[{"from": "desk", "to": ways}]))
    row = found.rows[found.route_rows[0, 0, 0]]
    first, last = found.ways[row["first"] : row["first"] + row["count"]]
    assert first.tolist() == (2**62, 1, 1, 2.0)
    assert last.tolist() == (2**64 - 1, -1, 1, 1.0)


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        ({"stations": ["desk", "desk"]}, "pools.p: found a station twice; expected each station once"),
        ({"stations": ["desk", "home"]}, "pools.p: found home; expected a station: one of desk, ward"),
        ({"shares": [0.5, 0.5]}, 'pools.p.shares: found shares; expected rule = "shares" beside them'),
        (
            {"rule": "shares", "shares": [1.0]},
            "pools.p.shares: found [1.0]; expected one share per station, together 1",
        ),
        ({"rule": "shares", "shares": [0.5, 0.4]}, "expected one share per station, together 1"),
        ({"name": "desk"}, "pools: found desk; expected names that differ from each other and from 'exit' and 'stay'"),
        ({"name": "stay"}, "pools: found stay; expected names that differ"),
    ],
)
def test_pools_that_do_not_fit(pool: Document, message: str) -> None:
    with pytest.raises(InputError) as error:
        Network.from_dict(two(pools=[{"name": "p", "stations": ["desk", "ward"]} | pool]))
    assert message in str(error.value)


def test_pools_as_they_are_kept() -> None:
    found = Network.from_dict(two(pools=[
        {"name": "p", "stations": ["ward", "desk"], "second_list": 0.5},
        {"name": "q", "stations": ["desk", "ward"], "rule": "shares", "shares": [0.75, 0.25]},
    ]))  # fmt: skip
    assert found.pools[:2].tolist() == [(0, 2, 0, 0, 0.5), (2, 2, 1, 0, 0.0)]
    assert found.members[:4].tolist() == [1, 0, 0, 1]
    assert found.member_below[:4].tolist() == [2**63, 2**64 - 1, 3 * 2**62, 2**64 - 1]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"warm_up": 100.0}, "warm_up: found 100.0; expected less than the horizon, 100"),
        ({"periods": [0.0, 5.0, 5.0]}, "periods: found [0.0, 5.0, 5.0]; expected edges that increase"),
        ({"classes": ["a", "a"]}, "classes: found a; expected names that differ"),
        ({"classes": ["exit"]}, "classes: found exit; expected names that differ"),
        ({"arrivals": [{"class": "a", "station": "exit", "rate": 1.0}]},
         "arrivals.0.station: found exit; expected a station"),
        ({"arrivals": [{"class": "a", "station": "desk:b", "rate": 1.0}]},
         "arrivals.0.station: found desk:b"),
        ({"arrivals": [{"class": "a", "station": "desk", "rate": [[1.0, 2.0], [1.0, 3.0]]}]},
         "arrivals.0.rate: found times [1.0, 1.0]"),
        ({"arrivals": [{"class": "a", "station": "desk", "interval": law(mean=4e-7)}]},
         "arrivals.0: found about 2.5e+08 arrivals"),
    ],
)  # fmt: skip
def test_what_a_network_cannot_be(changes: Document, message: str) -> None:
    assert message in refused(**changes)


def test_arrivals_that_change_to_the_first_class_are_refused_too() -> None:
    arrivals = [{"class": "b", "station": "desk:a", "rate": 1.0}]
    assert "found desk:a; expected a station or a pool" in refused(arrivals=arrivals)


def test_streams_and_the_mix_of_classes() -> None:
    found = made(arrivals=[
        {"class": "a", "station": "desk", "rate": [[5.0, 3.0], [9.0, 1.0]]},
        {"class": "b", "station": "desk", "interval": law(mean=1.0)}, {"class": "b", "station": "desk", "rate": 0.0},
    ])  # fmt: skip
    assert found.streams.tolist() == [(0, 0, 0, 2, -1), (0, 1, 0, 0, 0), (0, 1, 2, 1, -1)]
    assert found.class_mix.tolist() == [3 * 2**62, 2**64 - 1]
    nobody = made({"initial": {"waiting": 4}}, arrivals=[])
    assert nobody.class_mix.tolist() == [2**63, 2**64 - 1]
    assert nobody.initial.tolist() == [(0, -1, 4, 0)]
    both = made({"initial": {"waiting": {"b": 2}, "in_service": {"a": 1, "b": 0}}})
    assert both.initial.tolist() == [(0, 0, 0, 1), (0, 1, 2, 0)]


def test_rules_that_close_stations() -> None:
    rules = [
        {"at": 5.0, "stations": ["desk"], "measure": "waiting", "at_most": 3.0, "close": ["ward"]},
        {"at": 6.0, "stations": ["ward", "desk"], "measure": "starts", "at_least": 4.0, "close": ["ward"]},
    ]
    found = Network.from_dict(two(None, {"on_full": {"exit": 1.0}}, stop_rules=rules))
    assert found.stop_rules.tolist() == [(5.0, 3.0, 0, 0, 0, 1, 1, 1, 0, 0), (6.0, 4.0, 1, 1, 2, 2, 4, 1, 0, 0)]
    assert found.rule_stations[:5].tolist() == [0, 1, 1, 0, 1]
    with pytest.raises(InputError, match=r"stations\.ward\.on_full: found nothing; expected where residents go"):
        Network.from_dict(two(stop_rules=rules))
    for change, message in (
        ({"at_least": 1.0}, "either at_most or at_least"),
        ({"close": ["home"]}, "stop_rules.close: found home"),
        ({"stations": ["home"]}, "stop_rules.stations: found home"),
    ):
        with pytest.raises(InputError) as error:
            Network.from_dict(two(None, {"on_full": {"exit": 1.0}}, stop_rules=[rules[0] | change]))
        assert message in str(error.value)


def test_other_servers_have_steps_where_the_station_s_own_schedule_has_them() -> None:
    """And the other way round: one step is passed in all of them at once. They stand behind all other schedules."""
    first = {"at": 5.0, "stations": ["desk"], "measure": "waiting", "at_most": 3.0, "close": ["ward"]}
    rules = [
        first | {"servers": {"desk": [[2.0, 7], [8.0, 9]]}},
        first | {"close": ["desk"], "servers": {"ward": 4}},
        first | {"servers": {"desk": 6}},
    ]
    full = {"on_full": {"exit": 1.0}}
    found = Network.from_dict(two({"servers": [[0.0, 1], [4.0, 3]], **full}, full, stop_rules=rules))
    assert found.stations["servers"].tolist() == [1, 1]
    assert found.stations["servers_first"].tolist() == [0, 3]
    assert found.stations["servers_count"].tolist() == [3, 0]
    own, arrivals = [(2.0, 1.0), (4.0, 3.0), (8.0, 3.0)], [(0.0, 1.0)]
    others = [(0.0, 0.0), (2.0, 7.0), (4.0, 7.0), (8.0, 9.0)], [(0.0, 4.0)], [(t, 6.0) for t in (0.0, 2.0, 4.0, 8.0)]
    assert found.steps.tolist() == [*own, *arrivals, *others[0], *others[1], *others[2], (0.0, 0.0)]
    assert found.rule_servers.tolist() == [(0, 4), (1, 8), (0, 9), (0, 0)]
    assert found.stop_rules[["servers_first", "servers_count"]].tolist() == [(0, 1), (1, 1), (2, 1)]


def test_too_many_other_servers_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rule = {"at": 5.0, "stations": ["desk"], "measure": "waiting", "at_most": 3.0, "close": ["ward"]}
    rules = [rule | {"servers": {"desk": [[float(t), 1] for t in range(9)]}}] * 9
    given = two(None, {"on_full": {"exit": 1.0}}, stop_rules=rules)
    Network.from_dict(given)
    monkeypatch.setattr(check, "MOST_ROWS", 80)
    with pytest.raises(InputError, match=r"stop_rules.servers.desk: found 81 steps of schedules; expected at most 80"):
        Network.from_dict(given)


@pytest.mark.parametrize(
    ("station", "message"),
    [
        (
            {"priority": {"a": 1}},
            'stations.desk.priority: found priorities; expected discipline = "priority" beside it',
        ),
        ({"discipline": "priority", "priority": {"z": 1}}, "stations.desk.priority: found z; expected a patient class"),
        (
            {"servers": [[2.0, 1], [2.0, 3]]},
            "stations.desk.servers: found times [2.0, 2.0]; expected times that increase",
        ),
        ({"quota": [[2.0, 1], [1.0, 3]]}, "stations.desk.quota: found times [2.0, 1.0]; expected times that increase"),
        (
            {"queue_limit": 3},
            "stations.desk.on_full: found nothing; expected where residents go when the queue is full",
        ),
        (
            {"on_full": {"exit": 1.0}},
            "network: stations.desk.on_full: found ways from a full queue; expected queue_limit at this station, or a "
            "stop rule that closes it",
        ),
        ({"service": {"b": law()}}, "stations.desk.service: found nothing; expected a service time for class a"),
        ({"on_renege": {"exit": 0.5}}, "stations.desk.on_renege: found probabilities that add to 0.5"),
        (
            {"on_renege": {"exit": 1.0}},
            "network: stations.desk.on_renege: found ways of those who give up; expected patience beside it",
        ),
    ],
)
def test_stations_that_do_not_fit(station: Document, message: str) -> None:
    assert message in refused(station)


def test_a_route_from_a_queue_that_is_never_full() -> None:
    """A limit makes it full, and so does a rule that closes the station."""
    route = {"from": "desk", "class": "a", "on": "full", "to": {"exit": 1.0}}
    rule = {"at": 5.0, "stations": ["ward"], "measure": "waiting", "at_most": 3.0, "close": ["desk"]}
    ways = [{"from": "desk", "to": {"ward": 1.0}}]
    with pytest.raises(InputError, match="routes from desk, class a: found a route on full; expected queue_limit at"):
        Network.from_dict(two(routes=[*ways, route]))
    Network.from_dict(two({"queue_limit": 2, "on_full": {"exit": 1.0}}, routes=[*ways, route]))
    Network.from_dict(two({"on_full": {"exit": 1.0}}, routes=[*ways, route], stop_rules=[rule]))


def test_a_route_on_reneging_without_patience() -> None:
    """Nobody would ever take it; patience of one class is enough, since its people may change their class."""
    route = {"from": "desk", "on": "renege", "to": {"exit": 1.0}}
    message = "network: routes from desk: found a route on renege; expected patience at this station"
    assert refused(routes=[route]) == message
    assert refused(routes=[route | {"class": "b"}]) == message.replace("desk:", "desk, class b:")
    assert made({"patience": {"a": law()}}, routes=[route | {"class": "b"}]).cells["patience"].tolist() == [[0, -1]]


def test_priorities_as_levels() -> None:
    found = made({"discipline": "priority", "priority": {"b": 3}})
    assert found.cells["level"].tolist() == [[1, 0]]
    assert found.stations["levels"].tolist() == [2]
    found = made({"discipline": "priority", "priority": {"a": 9, "b": 3}})
    assert found.cells["level"].tolist() == [[1, 0]]
    assert found.stations["levels"].tolist() == [2]


# ---------------------------------------------------------------- sizes


class Refused(Exception):
    pass


@pytest.mark.parametrize(
    ("changes", "limits", "message"),
    [
        ({}, {"MOST_CELLS": 2}, None),
        ({}, {"MOST_CELLS": 1}, "classes: 2 stations times classes: at most 1"),
        ({"snapshot_every": 10.0}, {"MOST_ROWS": 10}, None),
        ({"snapshot_every": 10.0}, {"MOST_ROWS": 9}, "snapshot_every: 10.0: at most 9 snapshots in the run"),
        ({"periods": [0.0, 1.0, 2.0]}, {"MOST_ROWS": 3 * 257}, None),
        ({"periods": [0.0, 1.0, 2.0]}, {"MOST_ROWS": 3 * 257 - 1}, "periods: 3 edges: at most 2"),
        ({"routes": [{"from": "desk", "start": s, "to": {"exit": 1.0}} for s in (0.0, 1.0)]}, {"MOST_ROWS": 4}, None),
        ({"routes": [{"from": "desk", "start": s, "to": {"exit": 1.0}} for s in (0.0, 1.0)]}, {"MOST_ROWS": 3},
         "routes: 2 moments at which routes change: at most 1"),
    ],
)  # fmt: skip
def test_tables_as_large_as_may_be(
    changes: Document, limits: dict[str, int], message: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in limits.items():
        monkeypatch.setattr(check, name, value)

    def refuse(*words: object) -> Any:
        return Refused(": ".join(str(word) for word in words))

    read = document.read(plain(**changes))
    if message is None:
        check.check_sizes(read, refuse)
    else:
        with pytest.raises(Refused) as error:
            check.check_sizes(read, refuse)
        assert str(error.value) == message


def test_as_many_residents_as_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "MOST_ROWS", 10)

    def refuse(*words: object) -> Any:
        return Refused(": ".join(str(word) for word in words))

    for second, fits in ((3, True), (4, False)):
        read = document.read(
            two({"initial": {"waiting": {"a": 2, "b": 3}, "in_service": 2}}, {"initial": {"waiting": second}})
        )
        if fits:
            check.check_sizes(read, refuse)
        else:
            with pytest.raises(Refused, match=r"stations\.ward\.initial: 11 residents: at most 10 in all"):
                check.check_sizes(read, refuse)


def test_words_of_chances() -> None:
    assert build.thresholds([0.25, 0.75]) == [2**62, 2**64 - 1]
    assert build.thresholds([1.0, 0.0]) == [2**64 - 1, 2**64 - 1]
    assert build.thresholds([0.5, 0.25]) == [2**63, 2**64 - 1]
    assert build.words_below([0.25, 0.75]).tolist() == [2**62, 2**64 - 1]
    many = build.words_below([np.array([0.25, 1.0, 0.0]), np.array([0.75, 0.0, 1.0])])
    assert many.dtype == np.uint64
    assert many.tolist() == [[2**62, 2**64 - 1], [2**64 - 1, 2**64 - 1], [0, 2**64 - 1]]
    near = 1.0 - 2.0**-53
    assert build.words_below([np.array([near]), np.array([0.5])])[0, 0] == build.thresholds([near, 0.5])[0]
    assert build.mean_of([1.0, 2.0, 6.0]) == 3.0
    assert build.mean_of([[1.0, 2.0], [4.0, 8.0]]).tolist() == [1.5, 6.0]
