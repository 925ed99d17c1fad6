"""Residents one by one: first referrals, whom the functions send away, and the same residents in two scenarios."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flowsim.analysis.paths import ENDS, REFERRALS, first_referrals, sent_away
from flowsim.analysis.residents import FATES, fates, groups_of, pair, weeks_won
from flowsim.model import events as e
from flowsim.model.network import COMPANION_SHIFT, Network

NAMES = ("gp", "collegial_consultation", "exploratory_conversation", "case_conference", "list_a", "list_b", "help")
GP, CONSULTATION, CONVERSATION, CONFERENCE, A, B, HELP = range(len(NAMES))


@pytest.fixture(scope="module")
def network() -> Network:
    service = {"distribution": "exponential", "mean": 1.0}
    stations: list[dict[str, Any]] = [{"name": name, "servers": 1, "service": service} for name in NAMES]
    for k in (A, B):
        stations[k]["waiting_list"] = "ggz"
    arrivals = {"class": "x", "station": "gp", "rate": 1.0}
    onward = [{"from": "gp", "to": dict.fromkeys(NAMES[1:], 1 / len(NAMES[1:]))}]
    onward += [{"from": name, "to": {"exit": 1.0}} for name in NAMES[1:]]
    document = {"horizon": 100.0, "classes": ["x", "y"], "stations": stations, "arrivals": [arrivals]}
    return Network.from_dict(document | {"routes": onward})


def log(*lines: tuple[float, int, int, int]) -> np.ndarray:
    """(time, resident, kind, station) as a log; everybody is of the first class."""
    return np.array([(time, who, kind, k, 0, 0) for time, who, kind, k in lines], e.EVENT)


def test_first_referrals_of_a_log_by_hand(network: Network) -> None:
    companion = (1 << COMPANION_SHIFT) | 1
    found = first_referrals(
        log(
            (-30.0, 9, e.WAITING_AT_START, A),
            (0.0, 8, e.IN_SERVICE_AT_START, A),  # was referred before anybody looked
            (1.0, 1, e.ARRIVE, GP),
            (2.0, 1, e.ARRIVE, A),
            (3.0, 2, e.ARRIVE, A),
            (3.5, companion, e.ARRIVE, A),
            (4.0, 9, e.START, A),
            (5.0, 8, e.COMPLETE, A),
            (6.0, 1, e.TRANSFER, B),
            (7.0, 2, e.RENEGE, A),
            (7.0, 2, e.ARRIVE, GP),
            (9.0, 1, e.START, B),
            (9.5, 2, e.ARRIVE, B),  # a second referral
            (9.6, 2, e.START, B),
            (10.0, 3, e.ARRIVE, HELP),
            (11.0, 4, e.ARRIVE, B),
            (12.0, 5, e.ARRIVE, B),
            (13.0, 5, e.EXIT, B),
        ),
        network,
    )
    rows = [
        (int(one["resident"]), ENDS[one["end"]], float(one["referred"]), float(one["ended"]))
        for one in found
        if one["resident"] != 4
    ]
    assert rows == [
        (1, "started", 2.0, 9.0),
        (2, "gave_up", 3.0, 7.0),
        (5, "left", 12.0, 13.0),
        (9, "started", -30.0, 4.0),
    ]
    waiting = found[found["resident"] == 4][0]
    assert ENDS[waiting["end"]] == "waiting"
    assert np.isnan(waiting["ended"])


def test_a_log_without_referrals_gives_none(network: Network) -> None:
    assert len(first_referrals(log((1.0, 1, e.ARRIVE, GP)), network)) == 0


def test_whom_the_functions_send_away(network: Network) -> None:
    found = sent_away(
        log(
            (1.0, 1, e.COMPLETE, CONSULTATION),
            (1.0, 1, e.ARRIVE, HELP),  # away
            (2.0, 2, e.COMPLETE, CONSULTATION),
            (2.0, 7, e.START, A),  # somebody else in between
            (2.0, 2, e.ARRIVE, CONVERSATION),  # not yet
            (3.0, 2, e.COMPLETE, CONVERSATION),
            (3.0, 2, e.EXIT, CONVERSATION),  # away
            (10.0, 3, e.COMPLETE, CONVERSATION),
            (10.0, 3, e.ARRIVE, B),  # to ggz
            (11.0, 4, e.COMPLETE, CONFERENCE),
            (11.0, 4, e.ARRIVE, A),
            (99.0, 5, e.COMPLETE, CONFERENCE),  # past the last year
            (99.0, 5, e.EXIT, CONFERENCE),
        ),
        network,
        np.array([0.0, 10.0, 20.0]),
    )
    assert found.reached.tolist() == [[2, 0], [1, 1], [0, 1]]
    assert found.away.tolist() == [[1, 0], [1, 0], [0, 0]]


# ---------------------------------------------------------------- the same residents twice


def referrals(rows: dict[int, tuple[str, float]]) -> np.ndarray:
    """resident -> (end, day of it); all are referred on day 0."""
    made = np.zeros(len(rows), REFERRALS)
    for i, (who, (end, day)) in enumerate(sorted(rows.items())):
        made[i] = (who, who % 2, ENDS.index(end), 0.0, day)
    return made


BASE = {
    1: ("started", 100.0),
    2: ("started", 100.0),
    3: ("started", 100.0),
    4: ("started", 100.0),
    5: ("gave_up", 50.0),
    6: ("gave_up", 50.0),
    7: ("started", 20.0),
    8: ("waiting", np.nan),
}
OTHER = {
    1: ("started", 79.0),
    2: ("started", 96.0),
    3: ("started", 114.0),
    5: ("gave_up", 60.0),
    6: ("started", 70.0),
    7: ("gave_up", 15.0),
    8: ("started", 30.0),
    9: ("started", 10.0),
}


def test_what_became_of_each_resident() -> None:
    made = pair(referrals(BASE), referrals(OTHER))
    found = {int(one["resident"]): FATES[one["fate"]] for one in made}
    assert found == {
        1: "sooner",
        2: "same",
        3: "later",
        4: "kept_out",
        5: "gave_up_too",
        6: "started_instead",
        7: "gave_up_instead",
        8: "open",
        9: "brought_in",
    }
    assert made["won"][:3].tolist() == [21.0, 4.0, -14.0]
    assert np.isnan(made["won"][3:]).all()


def test_shares_and_weeks_by_group() -> None:
    pairs = [pair(referrals(BASE), referrals(OTHER))] * 2
    groups = groups_of(["town/light/other", "city/complex/trauma"], ["town", "city"])
    table = fates(pairs, groups, lambda days: np.full(len(days), 2025)).set_index(["by", "group"])
    everybody = table.loc[("all", "all")]
    assert everybody["residents"] == 9.0
    assert sum(everybody[fate] for fate in FATES) == pytest.approx(1.0)
    assert everybody["loses"] == pytest.approx(3 / 9)
    assert everybody["won"] == pytest.approx((21.0 + 4.0 - 14.0) / 3 / 7)
    assert everybody["won_low"] == everybody["won_high"]  # two futures that are the same
    assert table.loc[("municipality", "city"), "won"] == pytest.approx((21.0 - 14.0) / 2 / 7)
    assert table.loc[("need", "light"), "sooner"] == 0.0
    weeks = weeks_won(pairs)
    assert weeks["weeks"].tolist() == [-2, 0, 3]
    assert weeks["residents"].tolist() == [1.0, 1.0, 1.0]


def test_residents_referred_too_late_are_left_out() -> None:
    assert len(pair(referrals(BASE), referrals(OTHER), until=0.0)) == 0


def test_residents_are_grouped_by_what_their_class_says() -> None:
    names = ("amstelveen/complex/trauma", "visitor", "elsewhere/light/other")
    assert groups_of(names, ("amstelveen", "aalsmeer")) == {
        "all": ["all", "all", "all"],
        "need": ["complex", "", "light"],
        "diagnosis": ["trauma", "", "other"],
        "municipality": ["amstelveen", "", ""],
    }


def test_the_first_resident_of_a_stream_is_counted_too(network: Network) -> None:
    lines = log((1.0, 0, e.COMPLETE, CONSULTATION), (1.0, 0, e.ARRIVE, HELP))
    found = sent_away(lines, network, np.array([0.0, 10.0]))
    assert found.reached.tolist() == [[1], [0], [0]]
    assert found.away.tolist() == [[1], [0], [0]]
