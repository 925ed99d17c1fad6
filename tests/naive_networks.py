"""Small networks that, with those of `naive_reviews`, use every feature, and so busy that each of them matters."""

from __future__ import annotations

from typing import Any

Document = dict[str, Any]


def exponential(mean: float) -> dict[str, Any]:
    return {"distribution": "exponential", "mean": mean}


def spread(family: str, mean: float, cv: float) -> dict[str, Any]:
    return {"distribution": family, "mean": mean, "cv": cv}


CLINIC: Document = {
    "horizon": 40.0,
    "warm_up": 5.0,
    "snapshot_every": 10.0,
    "waiting_norm": 2.0,
    "classes": ["urgent", "plain", "late"],
    "stations": [
        {
            "name": "clinic",
            "servers": [[0.0, 2], [8.0, 5], [16.0, 0], [18.5, 3], [30.0, 4]],
            "discipline": "priority",
            "priority": {"urgent": 1, "plain": 4},
            "service": {
                "urgent": spread("gamma", 1.0, 0.7),
                "plain": spread("lognormal", 1.5, 1.2),
                "late": {"distribution": "empirical", "values": [0.5, 1.0, 4.0]},
            },
            "patience": {
                "plain": spread("weibull", 4.0, 0.5),
                "late": {"distribution": "uniform", "low": 1.0, "high": 9.0},
            },
            "on_renege": {"elsewhere": 0.6, "elsewhere:late": 0.1, "exit": 0.3},
            "queue_limit": 9,
            "on_full": {"elsewhere": 0.5, "exit": 0.5},
            "initial": {
                "waiting": {"plain": 4, "late": 3},
                "in_service": {"urgent": 1, "plain": 2},
                "age": {"plain": exponential(2.0), "late": {"distribution": "deterministic", "mean": 3.0}},
            },
            "waiting_list": "care",
        },
        {
            "name": "elsewhere",
            "servers": [[2.0, 1], [20.0, 2]],
            "service": spread("weibull", 1.2, 0.6),
            "queue_limit": 6,
            "on_full": {"exit": 1.0},
            "patience": {"distribution": "deterministic", "mean": 5.0},
            "initial": {"waiting": 5, "in_service": 2, "age": spread("uniform", 2.0, 0.4)},
        },
    ],
    "arrivals": [
        {"class": "urgent", "station": "clinic", "rate": 0.7},
        {"class": "plain", "station": "clinic", "rate": [[0.0, 1.0], [6.0, 3.0], [12.0, 0.0], [20.0, 2.0]]},
        {"class": "late", "station": "clinic", "interval": spread("gamma", 1.5, 0.6)},
        {"class": "late", "station": "elsewhere", "interval": {"distribution": "uniform", "low": 1.0, "high": 5.0}},
    ],
    "routes": [
        {"from": "clinic", "class": "late", "on": "renege", "to": {"exit": 1.0}},
        {"from": "clinic", "class": "urgent", "on": "full", "to": {"elsewhere:plain": 1.0}},
    ],
}


POOLS: Document = {
    "horizon": 30.0,
    "snapshot_every": 7.5,
    "waiting_norm": 1.5,
    "classes": ["a", "b"],
    "stations": [
        {"name": "gate", "servers": "inf", "service": exponential(0.5)},
        {
            "name": "north",
            "servers": 2,
            "service": {"a": exponential(1.0), "b": exponential(2.0)},
            "waiting_list": "care",
            "queue_limit": 12,
            "on_full": {"exit": 1.0},
            "patience": exponential(9.0),
            "on_renege": {"west": 0.5, "exit": 0.5},
        },
        {
            "name": "south",
            "servers": [[0.0, 1], [10.0, 3], [20.0, 1]],
            "service": exponential(1.2),
            "waiting_list": "care",
            "discipline": "priority",
            "priority": {"b": 0, "a": 1},
            "patience": spread("weibull", 6.0, 0.5),
        },
        {
            "name": "east",
            "servers": 1,
            "service": spread("gamma", 0.8, 0.5),
            "queue_limit": 3,
            "on_full": {"gate": 1.0},
            "waiting_list": "care",
            "initial": {"waiting": 5},
        },
        {"name": "west", "servers": 2, "service": exponential(1.0), "queue_limit": 2, "on_full": {"exit": 1.0}},
    ],
    "pools": [
        {"name": "nearest", "stations": ["north", "south", "east"], "second_list": 0.7},
        {
            "name": "fixed",
            "stations": ["south", "north", "west"],
            "rule": "shares",
            "shares": [0.5, 0.2, 0.3],
            "second_list": 0.4,
        },
    ],
    "arrivals": [
        {"class": "a", "station": "nearest", "rate": 2.4},
        {"class": "b", "station": "fixed", "rate": 1.2},
        {"class": "b", "station": "gate", "rate": 1.0},
    ],
    "routes": [
        {"from": "gate", "class": "a", "to": {"nearest": 1.0}},
        {"from": "gate", "class": "b", "to": {"fixed": 0.5, "nearest": 0.3, "exit": 0.2}},
        {"from": "south", "to": {"gate:a": 0.2, "exit": 0.8}},
        {"from": "west", "to": {"fixed": 0.1, "exit": 0.9}},
    ],
}


QUOTAS: Document = {
    "horizon": 36.0,
    "warm_up": 4.0,
    "snapshot_every": 9.0,
    "classes": ["a", "b"],
    "stations": [
        {
            "name": "lapsing",
            "servers": "inf",
            "service": exponential(1.0),
            "quota": [[2.0 * i, 5] for i in range(18)],
            "patience": exponential(8.0),
        },
        {
            "name": "carried",
            "servers": 4,
            "service": spread("lognormal", 1.5, 0.8),
            "quota": [[0.5, 12], [9.0, 4], [12.0, 30], [24.0, 20]],
            "quota_carries": True,
            "initial": {"waiting": {"a": 3}, "in_service": {"b": 2}},
        },
        {
            "name": "both",
            "servers": [[0.0, 3], [15.0, 1], [25.0, 6]],
            "service": exponential(0.9),
            "quota": [[0.0, 4], [6.0, 9], [12.0, 1], [14.0, 12], [28.0, 3]],
            "discipline": "priority",
            "priority": {"a": 2, "b": 1},
            "queue_limit": 8,
            "on_full": {"lapsing": 1.0},
        },
    ],
    "pools": [{"name": "any", "stations": ["both", "carried"], "second_list": 0.5}],
    "arrivals": [
        {"class": "a", "station": "lapsing", "rate": 2.6},
        {"class": "b", "station": "any", "rate": 1.2},
        {"class": "a", "station": "any", "rate": 0.8},
    ],
    "routes": [{"from": "lapsing", "to": {"any": 0.3, "any:b": 0.1, "exit": 0.6}}],
}


CHANGES: Document = {
    "horizon": 30.0,
    "snapshot_every": 10.0,
    "classes": ["green", "amber", "red", "bridge"],
    "stations": [
        {"name": "bridging", "servers": 1, "service": exponential(0.4), "patience": exponential(2.0)},
        {
            "name": "care",
            "servers": [[0.0, 2], [15.0, 4]],
            "service": {
                "green": exponential(1.0),
                "amber": exponential(1.4),
                "red": spread("uniform", 2.0, 0.5),
                "bridge": exponential(0.3),
            },
            "patience": {"green": exponential(6.0), "amber": {"distribution": "deterministic", "mean": 7.0}},
            "on_renege": {"crisis": 0.4, "exit": 0.6},
            "discipline": "priority",
            "priority": {"red": 0, "amber": 1, "green": 2, "bridge": 2},
            "initial": {"waiting": 10, "in_service": 2},
            "waiting_list": "care",
            "while_waiting": [
                {"classes": ["green"], "after": exponential(5.0), "become": "amber"},
                {"classes": ["amber"], "after": spread("weibull", 3.0, 0.7), "become": "red", "visit": "crisis"},
                {
                    "classes": ["amber", "red"],
                    "after": spread("gamma", 2.0, 1.2),
                    "repeats": True,
                    "visit": "bridging:bridge",
                },
                {"classes": ["red"], "after": exponential(4.0), "visit": "crisis:red"},
                {"after": exponential(8.0), "visit": "bridging"},
            ],
        },
        {
            "name": "crisis",
            "servers": "inf",
            "service": {
                "red": exponential(2.0),
                "amber": exponential(1.0),
                "green": exponential(0.5),
                "bridge": exponential(0.2),
            },
        },
    ],
    "arrivals": [
        {"class": "green", "station": "care", "rate": 2.0},
        {"class": "amber", "station": "care", "rate": 0.4},
    ],
    "routes": [
        {"from": "bridging", "class": "bridge", "to": {"exit": 0.9, "care": 0.1}},
        {"from": "bridging", "to": {"exit": 0.5, "crisis:red": 0.5}},
        {"from": "crisis", "class": "red", "to": {"care": 0.3, "exit": 0.7}},
    ],
}


ROUTES: Document = {
    "horizon": 32.0,
    "warm_up": 2.0,
    "snapshot_every": 8.0,
    "classes": ["new", "known", "old"],
    "stations": [
        {
            "name": "practice",
            "servers": 3,
            "service": {"new": exponential(0.6), "known": exponential(0.3), "old": exponential(0.9)},
        },
        {
            "name": "talk",
            "servers": 3,
            "service": {"distribution": "gamma", "mean": 1.0, "cv": 0.8},
            "uses_service_factor": True,
            "patience": {"new": exponential(2.0)},
        },
        {
            "name": "therapy",
            "servers": 5,
            "service": {"distribution": "deterministic", "mean": 2.0},
            "uses_service_factor": True,
            "patience": exponential(5.0),
            "on_renege": [
                {"to": "practice", "probability": 0.5, "become": "old", "service_factor": 0.5},
                {"to": "exit", "probability": 0.5},
            ],
        },
    ],
    "arrivals": [
        {"class": "new", "station": "practice", "rate": 2.0},
        {"class": "old", "station": "talk", "rate": [[4.0, 1.0], [10.0, 0.0], [14.0, 2.0]]},
    ],
    "routes": [
        {"from": "practice", "to": {"talk": 0.6, "exit": 0.4}},
        {"from": "practice", "class": "known", "to": {"therapy": 0.5, "exit": 0.5}},
        {
            "from": "practice",
            "start": 12.0,
            "to": [
                {"to": "talk", "probability": 0.4, "service_factor": 1.6},
                {"to": "talk", "probability": 0.2, "service_factor": 0.4, "become": "old"},
                {"to": "therapy", "probability": 0.2},
                {"to": "exit", "probability": 0.2},
            ],
        },
        {"from": "practice", "class": "old", "start": 20.0, "to": {"exit": 1.0}},
        {
            "from": "talk",
            "class": "new",
            "to": [
                {"to": "practice", "probability": 0.5, "become": "known", "service_factor": 2.0},
                {"to": "therapy", "probability": 0.5, "service_factor": 0.5},
            ],
        },
        {"from": "talk", "class": "old", "start": 6.0, "to": {"therapy:known": 0.6, "exit": 0.4}},
        {"from": "therapy", "class": "known", "to": {"talk:old": 0.3, "exit": 0.7}},
        {"from": "talk", "on": "renege", "class": "new", "to": {"practice:known": 0.4, "exit": 0.6}},
    ],
}

NETWORKS: dict[str, Document] = {
    "clinic": CLINIC,
    "pools": POOLS,
    "quotas": QUOTAS,
    "changes": CHANGES,
    "routes": ROUTES,
}
