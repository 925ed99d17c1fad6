"""More small networks for `naive`: desks that look at those who wait, stations that close, a region in small."""

from __future__ import annotations

from typing import Any

from naive_networks import Document, exponential, spread


def desk(name: str = "desk", **more: Any) -> Document:
    """A station that nobody queues at: it looks at those who wait elsewhere."""
    return {"name": name, "servers": 1, "service": exponential(1.0), **more}


REVIEWS: Document = {
    "horizon": 36.0,
    "snapshot_every": 9.0,
    "waiting_norm": 3.0,
    "classes": ["mild", "heavy"],
    "stations": [
        {
            "name": "clinic",
            "servers": 3,
            "service": exponential(1.5),
            "uses_service_factor": True,
            "waiting_list": "care",
            "discipline": "priority",
            "priority": {"heavy": 0, "mild": 1},
            "initial": {"waiting": {"mild": 14, "heavy": 4}, "in_service": {"mild": 3}, "age": exponential(4.0)},
            "while_waiting": [
                {"review_at": "desk", "after": spread("gamma", 3.0, 0.5), "repeats": True},
                {"review_at": "spare", "classes": ["heavy"], "after": {"distribution": "deterministic", "mean": 2.0}},
            ],
        },
        {
            "name": "annex",
            "servers": 1,
            "service": {"mild": exponential(1.0), "heavy": exponential(3.0)},
            "uses_service_factor": True,
            "waiting_list": "care",
            "patience": exponential(12.0),
            "while_waiting": [{"review_at": "desk", "after": exponential(6.0)}],
        },
        {
            "name": "group",
            "servers": 2,
            "service": exponential(1.2),
            "uses_service_factor": True,
            "queue_limit": 4,
            "on_full": [{"to": "exit", "probability": 0.5}, {"to": "annex", "probability": 0.5, "service_factor": 1.5}],
        },
        desk(quota=[[float(i), 2] for i in range(36)], removes_second_place=0.6),
        desk("spare", quota=[[0.0, 5], [12.0, 6]], quota_carries=True),
    ],
    "pools": [{"name": "care", "stations": ["clinic", "annex"], "second_list": 0.6}],
    "arrivals": [
        {"class": "mild", "station": "care", "rate": 1.6},
        {"class": "heavy", "station": "clinic", "rate": 0.6},
    ],
    "routes": [
        {
            "from": "desk",
            "class": "mild",
            "on": "review",
            "to": [
                {"to": "stay", "probability": 0.35},
                {"to": "stay", "probability": 0.1, "become": "heavy"},
                {"to": "exit", "probability": 0.1},
                {"to": "group", "probability": 0.25, "service_factor": 0.5},
                {"to": "annex", "probability": 0.15, "service_factor": 2.0},
                {"to": "clinic", "probability": 0.05, "service_factor": 0.8},
            ],
        },
        {"from": "desk", "class": "heavy", "on": "review", "to": {"stay": 0.7, "annex:mild": 0.3}},
        {"from": "spare", "on": "review", "to": {"stay:mild": 0.4, "group": 0.3, "group:mild": 0.3}},
    ],
}


# Two desks look at everybody once; who is kept by the first is kept by the second with the same chance as anybody.
TWO_DESKS: Document = {
    "horizon": 30.0,
    "snapshot_every": 10.0,
    "classes": ["a"],
    "stations": [
        {
            "name": "list",
            "servers": 1,
            "service": exponential(2.0),
            "while_waiting": [
                {"review_at": "desk", "after": spread("uniform", 1.0, 0.3)},
                {"review_at": "second", "after": spread("uniform", 3.0, 0.2)},
            ],
        },
        desk(),
        desk("second"),
    ],
    "arrivals": [{"class": "a", "station": "list", "rate": 2.0}],
    "routes": [
        {"from": "desk", "on": "review", "to": {"stay": 0.5, "exit": 0.5}},
        {"from": "second", "on": "review", "to": {"stay": 0.5, "exit": 0.5}},
    ],
}


# A review that sends into a pool by shares, again and again; then another pool on the way out.
SHARES_AGAIN: Document = {
    "horizon": 30.0,
    "snapshot_every": 10.0,
    "classes": ["a"],
    "stations": [
        {
            "name": "one",
            "servers": 1,
            "service": exponential(1.0),
            "waiting_list": "care",
            "while_waiting": [{"review_at": "desk", "after": exponential(2.0), "repeats": True}],
        },
        {"name": "two", "servers": 1, "service": exponential(1.0), "waiting_list": "care"},
        desk(),
        {"name": "left", "servers": "inf", "service": exponential(0.1)},
        {"name": "right", "servers": "inf", "service": exponential(0.1)},
    ],
    "pools": [
        {"name": "care", "stations": ["one", "two"], "rule": "shares"},
        {"name": "after", "stations": ["left", "right"], "rule": "shares"},
    ],
    "arrivals": [{"class": "a", "station": "one", "rate": 1.5}],
    "routes": [
        {"from": "desk", "on": "review", "to": {"care": 1.0}},
        {"from": "one", "to": {"after": 1.0}},
    ],
}


CLOSING: Document = {
    "horizon": 24.0,
    "snapshot_every": 6.0,
    "waiting_norm": 2.0,
    "classes": ["a", "b"],
    "stations": [
        {
            "name": "new",
            "servers": [[0.0, 2], [14.0, 9]],
            "service": exponential(1.0),
            "on_full": {"old": 0.7, "other": 0.3},
            "waiting_list": "care",
        },
        {
            "name": "other",
            "servers": 2,
            "service": exponential(1.2),
            "quota": [[3.0 * i, 6] for i in range(8)],
            "quota_carries": True,
            "on_full": {"old": 1.0},
            "waiting_list": "care",
        },
        {
            "name": "old",
            "servers": 3,
            "service": exponential(1.0),
            "waiting_list": "care",
            "patience": exponential(10.0),
        },
    ],
    "pools": [
        {"name": "all", "stations": ["new", "other", "old"], "second_list": 0.8},
        {"name": "fresh", "stations": ["new", "other"], "second_list": 0.8},
    ],
    "arrivals": [{"class": "a", "station": "all", "rate": 5.0}, {"class": "b", "station": "fresh", "rate": 2.0}],
    "stop_rules": [
        {"at": 6.0, "stations": ["new", "other"], "measure": "starts", "at_most": 16.0, "close": ["other"]},
        {"at": 12.0, "stations": ["new"], "measure": "starts", "at_least": 22.0, "close": ["new", "other"]},
    ],
}


SINGLE_LISTS: Document = CLOSING | {
    "pools": [{"name": "all", "stations": ["new", "other", "old"]}, {"name": "fresh", "stations": ["new", "other"]}],
    "stop_rules": [
        {"at": 9.0, "stations": ["new"], "measure": "waiting", "at_least": 4.0, "close": ["new"]},
        {"at": 15.0, "stations": ["old", "other"], "measure": "waiting", "at_most": 12.0, "close": ["other"]},
    ],
}


DOUBLE_LISTS: Document = CLOSING | {
    "stop_rules": [{"at": 12.0, "stations": ["new"], "measure": "waiting", "at_least": 4.0, "close": ["new", "other"]}],
}


def _without(station: Document, key: str) -> Document:
    return {name: value for name, value in station.items() if name != key}


OTHER_SERVERS: Document = SINGLE_LISTS | {
    "stations": [one if one["name"] != "other" else _without(one, "on_full") for one in CLOSING["stations"]],
    "stop_rules": [
        {
            "at": 7.0,
            "stations": ["new"],
            "measure": "starts",
            "at_least": 9.0,
            "close": ["new"],
            "servers": {"old": [[0.0, 3], [4.0, 9], [14.0, 2], [19.0, 7]], "other": 5},
        },
        {
            "at": 13.0,
            "stations": ["old"],
            "measure": "waiting",
            "at_most": 6.0,
            "close": ["new"],
            "servers": {"old": [[16.0, 4]]},
        },
    ],
}
"""Stations get other servers, by one rule or by two."""


REGION: Document = {
    "horizon": 45.0,
    "warm_up": 5.0,
    "snapshot_every": 15.0,
    "waiting_norm": 4.0,
    "classes": ["light", "middle", "severe"],
    "stations": [
        {
            "name": "practice",
            "servers": 6,
            "service": {"light": exponential(0.5), "middle": exponential(0.6), "severe": exponential(0.9)},
        },
        {
            "name": "exploring",
            "servers": [[3.0, 2], [20.0, 4]],
            "service": spread("lognormal", 0.9, 0.4),
            "queue_limit": 8,
            "on_full": {"care": 1.0},
            "quota": [[5.0 * i, 9] for i in range(9)],
            "removes_second_place": 0.5,
        },
        {"name": "social", "servers": "inf", "service": spread("gamma", 4.0, 0.7)},
        *[
            {
                "name": name,
                "servers": servers,
                "service": {
                    "light": exponential(1.5),
                    "middle": exponential(mean),
                    "severe": spread("lognormal", 5.0, 1.0),
                },
                "uses_service_factor": True,
                "patience": exponential(15.0),
                "on_renege": {"practice": 0.4, "exit": 0.6},
                "discipline": "priority",
                "priority": {"severe": 0, "middle": 1, "light": 1},
                "waiting_list": "care",
                "initial": {"waiting": waiting, "in_service": servers, "age": exponential(6.0)},
                "while_waiting": [
                    {"classes": ["light"], "after": exponential(20.0), "become": "middle"},
                    {"classes": ["middle"], "after": exponential(25.0), "become": "severe", "visit": "practice:severe"},
                    {"after": exponential(9.0), "review_at": "exploring"},
                    {"classes": ["middle", "severe"], "after": exponential(6.0), "repeats": True, "visit": "practice"},
                ],
            }
            for name, servers, mean, waiting in (("large", 7, 3.0, 12), ("small", 2, 2.0, 5))
        ],
    ],
    "pools": [{"name": "care", "stations": ["large", "small"], "second_list": 0.3}],
    "arrivals": [
        {"class": "light", "station": "practice", "rate": [[0.0, 2.0], [25.0, 3.0]]},
        {"class": "middle", "station": "practice", "rate": 1.5},
        {"class": "severe", "station": "care", "rate": 0.5},
    ],
    "routes": [
        {"from": "practice", "class": "light", "to": {"exit": 0.5, "care": 0.2, "exploring": 0.3}},
        {"from": "practice", "class": "middle", "to": {"exit": 0.2, "care": 0.8}},
        {"from": "practice", "class": "middle", "start": 10.0, "to": {"exit": 0.2, "care": 0.3, "exploring": 0.5}},
        {
            "from": "exploring",
            "to": [
                {"to": "social", "probability": 0.4},
                {"to": "care", "probability": 0.4, "service_factor": 0.8},
                {"to": "exit", "probability": 0.2},
            ],
        },
        {"from": "social", "to": {"care": 0.2, "exit": 0.8}},
        {
            "from": "exploring",
            "on": "review",
            "to": [
                {"to": "stay", "probability": 0.5, "service_factor": 0.9},
                {"to": "social", "probability": 0.3},
                {"to": "exit", "probability": 0.1},
                {"to": "small", "probability": 0.1},
            ],
        },
        {"from": "large", "class": "severe", "to": {"small:middle": 0.3, "exit": 0.7}},
    ],
}

NETWORKS: dict[str, Document] = {
    "reviews": REVIEWS,
    "two desks": TWO_DESKS,
    "shares again": SHARES_AGAIN,
    "closing": CLOSING,
    "single lists": SINGLE_LISTS,
    "double lists": DOUBLE_LISTS,
    "region": REGION,
    "other servers": OTHER_SERVERS,
}
