"""Network documents for tests: one that uses every feature, and a strategy that makes small ones of every kind."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Document = dict[str, Any]

RICH: Document = {
    "horizon": 400.0,
    "snapshot_every": 5.0,
    "waiting_norm": 10.0,
    "periods": [0.0, 100.0, 200.0, 400.0],
    "classes": ["a", "b", "urgent"],
    "stations": [
        {
            "name": "gp",
            "servers": 2,
            "service": {"distribution": "deterministic", "mean": 1.0},
            "queue_limit": 20,
            "on_full": {"home": 1.0},
        },
        {
            "name": "desk",
            "servers": "inf",
            "service": {"distribution": "exponential", "mean": 1.0},
            "quota": [[0.0, 3], [50.0, 5], [200.0, 2]],
            "removes_second_place": 0.5,
        },
        {
            "name": "first",
            "servers": [[0.0, 4], [100.0, 0], [150.0, 5]],
            "discipline": "priority",
            "priority": {"urgent": 0, "a": 1, "b": 1},
            "service": {"distribution": "lognormal", "mean": 10.0, "cv": 0.8},
            "uses_service_factor": True,
            "patience": {
                "a": {"distribution": "exponential", "mean": 30.0},
                "b": {"distribution": "deterministic", "mean": 12.0},
            },
            "on_renege": {"gp": 0.5, "exit": 0.5},
            "initial": {
                "waiting": 10,
                "in_service": 4,
                "age": {"distribution": "uniform", "low": 0.0, "high": 9.0},
            },
            "waiting_list": "ggz",
            "while_waiting": [
                {
                    "after": {"distribution": "exponential", "mean": 20.0},
                    "become": "urgent",
                    "classes": ["a"],
                    "visit": "crisis",
                },
                {"after": {"distribution": "deterministic", "mean": 3.0}, "visit": "gp:b", "repeats": True},
                {"after": {"distribution": "exponential", "mean": 8.0}, "review_at": "desk", "repeats": True},
            ],
        },
        {
            "name": "second",
            "servers": 3,
            "service": {"distribution": "gamma", "mean": 12.0, "cv": 0.8},
            "uses_service_factor": True,
            "waiting_list": "ggz",
            "patience": {"distribution": "weibull", "mean": 30.0, "cv": 0.7},
            "queue_limit": 25,
            "on_full": {"home": 1.0},
        },
        {"name": "crisis", "servers": "inf", "service": {"distribution": "uniform", "mean": 3.0, "cv": 0.3}},
        {"name": "home", "servers": "inf", "service": {"distribution": "empirical", "values": [20.0, 30.0, 40.0]}},
    ],
    "pools": [
        {"name": "ggz", "stations": ["first", "second"], "rule": "shares", "shares": [0.6, 0.4], "second_list": 0.4},
        {"name": "soonest", "stations": ["first", "second"]},
    ],
    "arrivals": [
        {"class": "a", "station": "gp", "rate": [[0.0, 1.0], [100.0, 1.4]]},
        {"class": "b", "station": "gp", "interval": {"distribution": "deterministic", "mean": 2.0}},
    ],
    "routes": [
        {
            "from": "gp",
            "class": "a",
            "to": [{"to": "ggz", "probability": 0.5, "service_factor": 0.5}, {"to": "exit", "probability": 0.5}],
        },
        {"from": "gp", "class": "a", "start": 200.0, "to": {"ggz": 0.3, "exit": 0.7}},
        {"from": "gp", "class": "b", "to": {"ggz": 0.1, "exit": 0.9}},
        {
            "from": "desk",
            "on": "review",
            "to": [
                {"to": "soonest", "probability": 0.5, "service_factor": 0.9},
                {"to": "stay:b", "probability": 0.2},
                {"to": "home", "probability": 0.2},
                {"to": "exit", "probability": 0.1},
            ],
        },
        {"from": "first", "to": {"home": 0.2, "exit": 0.8}},
        {"from": "home", "to": {"gp": 1.0}},
    ],
    "stop_rules": [
        {
            "at": 300.0,
            "stations": ["first", "second"],
            "measure": "starts",
            "at_least": 20,
            "close": ["second"],
            "servers": {"first": [[0.0, 4], [250.0, 9], [350.0, 2]]},
        }
    ],
}
"""Every feature in one network."""

EXPONENTIAL = "exponential"

NETWORKS: dict[str, Document] = {
    "rich": RICH,
    "tandem": {
        "horizon": 600.0,
        "warm_up": 100.0,
        "snapshot_every": 10.0,
        "waiting_norm": 1.0,
        "classes": ["all"],
        "stations": [
            {
                "name": "counter",
                "servers": 1,
                "service": {"distribution": EXPONENTIAL, "mean": 0.8},
                "waiting_list": "counter",
            },
            {"name": "ward", "servers": 3, "service": {"distribution": "gamma", "mean": 2.0, "cv": 0.5}},
            {"name": "home", "servers": "inf", "service": {"distribution": "weibull", "mean": 4.0, "cv": 1.5}},
        ],
        "arrivals": [{"class": "all", "station": "counter", "rate": 1.0}],
        "routes": [
            {"from": "counter", "to": {"ward": 0.7, "home": 0.3}},
            {"from": "ward", "to": {"counter": 0.1, "home": 0.9}},
        ],
    },
    "whole days": {  # everything happens at the same moments
        "horizon": 200.0,
        "snapshot_every": 1.0,
        "waiting_norm": 5.0,
        "classes": ["early", "late"],
        "stations": [
            {
                "name": "list",
                "servers": [[0.0, 2], [20.0, 0], [27.0, 3], [100.0, 1]],
                "discipline": "priority",
                "priority": {"late": 1, "early": 0},
                "service": {"distribution": "deterministic", "mean": 1.0},
                "patience": {"distribution": "deterministic", "mean": 10.0},
                "on_renege": {"home": 1.0},
                "waiting_list": "list",
                "quota": [[float(week), 12] for week in range(0, 200, 7)],
                "while_waiting": [
                    {"after": {"distribution": "deterministic", "mean": 6.0}, "become": "early", "classes": ["late"]}
                ],
            },
            {"name": "home", "servers": "inf", "service": {"distribution": "deterministic", "mean": 7.0}},
        ],
        "arrivals": [
            {"class": "late", "station": "list", "interval": {"distribution": "deterministic", "mean": 1.0}},
            {"class": "early", "station": "list", "interval": {"distribution": "deterministic", "mean": 2.0}},
        ],
        "routes": [{"from": "home", "to": {"list:late": 0.4, "exit": 0.6}}],
    },
    "closed": {  # nobody comes, nobody leaves
        "horizon": 300.0,
        "snapshot_every": 7.0,
        "waiting_norm": 2.0,
        "classes": ["member"],
        "stations": [
            {
                "name": "clinic",
                "servers": 4,
                "service": {"distribution": "lognormal", "mean": 3.0, "cv": 1.0},
                "initial": {"waiting": 12, "in_service": 4},
                "waiting_list": "clinic",
                "queue_limit": 15,
                "on_full": {"home": 1.0},
            },
            {
                "name": "home",
                "servers": "inf",
                "service": {"distribution": EXPONENTIAL, "mean": 9.0},
                "initial": {"in_service": 20},
            },
        ],
        "arrivals": [],
        "routes": [{"from": "clinic", "to": {"home": 1.0}}, {"from": "home", "to": {"clinic": 1.0}}],
    },
    "many doors": {  # more streams than the compiled engine keeps beside its calendar; it is empty now and then
        "horizon": 900.0,
        "snapshot_every": 10.0,
        "waiting_norm": 0.5,
        "classes": ["rare", "weekly", "daily", "hourly", "late", "other"],
        "stations": [
            {
                "name": "desk",
                "servers": 1,
                "service": {"distribution": "deterministic", "mean": 0.5},
                "waiting_list": "desk",
            },
            {"name": "home", "servers": "inf", "service": {"distribution": "deterministic", "mean": 3.0}},
        ],
        "arrivals": [
            {"class": "rare", "station": "home", "rate": [[0.0, 0.0], [500.0, 0.01]]},
            {"class": "weekly", "station": "desk", "interval": {"distribution": "deterministic", "mean": 7.0}},
            {"class": "daily", "station": "desk", "interval": {"distribution": "deterministic", "mean": 1.0}},
            {"class": "other", "station": "home", "interval": {"distribution": "deterministic", "mean": 1.0}},
            {"class": "hourly", "station": "desk", "rate": [[0.0, 1.2], [40.0, 0.0], [700.0, 1.2]]},
            {"class": "late", "station": "home", "interval": {"distribution": "deterministic", "mean": 1.0}},
            {"class": "late", "station": "desk", "interval": {"distribution": "deterministic", "mean": 3.5}},
        ],
        "routes": [{"from": "desk", "class": "weekly", "to": {"home": 1.0}}],
    },
    "closing": {  # a queue is sent away, and nobody ever leaves one of his own accord
        "horizon": 400.0,
        "snapshot_every": 10.0,
        "waiting_norm": 3.0,
        "classes": ["all"],
        "stations": [
            {
                "name": "old",
                "servers": 2,
                "service": {"distribution": EXPONENTIAL, "mean": 2.5},
                "initial": {"waiting": 15, "in_service": 2},
                "on_full": {"new": 0.8, "exit": 0.2},
                "waiting_list": "all",
            },
            {
                "name": "new",
                "servers": [[0.0, 1], [180.0, 0], [220.0, 3]],
                "service": {"distribution": "gamma", "mean": 2.0, "cv": 0.7},
                "waiting_list": "all",
            },
            {"name": "home", "servers": "inf", "service": {"distribution": EXPONENTIAL, "mean": 5.0}},
        ],
        "arrivals": [{"class": "all", "station": "old", "rate": 0.9}, {"class": "all", "station": "new", "rate": 0.2}],
        "routes": [
            {"from": "old", "to": {"home": 0.3, "exit": 0.7}},
            {"from": "home", "to": {"new": 0.2, "exit": 0.8}},
        ],
        "stop_rules": [
            {
                "at": 200.0,
                "stations": ["old", "new"],
                "measure": "waiting",
                "at_least": 5,
                "close": ["old"],
                "servers": {"new": [[0.0, 1], [180.0, 2], [220.0, 5]]},
            }
        ],
    },
}
"""Small networks that differ in kind; each has a station that always has a place."""


WHOLE = st.sampled_from([1.0, 2.0, 3.0])  # whole days force ties
MEANS = st.one_of(WHOLE, st.floats(0.5, 6.0))


@st.composite
def distributions(draw: st.DrawFn, means: st.SearchStrategy[float] = MEANS) -> Document:
    family = draw(
        st.sampled_from(["deterministic", "exponential", "gamma", "lognormal", "weibull", "uniform", "empirical"])
    )
    mean = draw(means)
    match family:
        case "deterministic" | "exponential":
            return {"distribution": family, "mean": mean}
        case "uniform":
            return {"distribution": family, "low": mean / 2, "high": mean * 2}
        case "empirical":
            return {"distribution": family, "values": draw(st.lists(means, min_size=1, max_size=4))}
    return {"distribution": family, "mean": mean, "cv": draw(st.sampled_from([0.2, 0.7, 1.0, 1.8]))}


def one_or_each(draw: st.DrawFn, classes: list[str], all_named: bool = True) -> Document:
    """A distribution for all classes, or a table."""
    if draw(st.booleans()):
        return draw(distributions())
    named = classes if all_named else draw(st.lists(st.sampled_from(classes), min_size=1, unique=True))
    return {name: draw(distributions()) for name in named}


def schedule(draw: st.DrawFn, values: st.SearchStrategy[Any], horizon: float, begin: bool) -> list[list[Any]]:
    times = draw(st.lists(st.integers(0, int(horizon) + 2), min_size=1, max_size=4, unique=True))
    times = sorted({0, *times} if begin else times)
    return [[float(time), draw(values)] for time in times]


def ways(draw: st.DrawFn, targets: list[str], classes: list[str], last: str = "exit", always: str = "") -> Any:
    """Where residents go: at most two of the targets, ``always`` if given, and ``last``."""
    chosen = draw(st.lists(st.sampled_from(targets), max_size=2, unique=True)) if targets else []
    chosen = list(dict.fromkeys([*chosen, *filter(None, [always]), last]))
    parts = [draw(st.integers(1, 4)) for _ in chosen]
    shares = [part / sum(parts) for part in parts]
    shares[-1] = 1.0 - sum(shares[:-1])
    become = [draw(st.sampled_from([None, *classes])) for _ in chosen]
    if draw(st.booleans()):
        return {
            name if new is None else f"{name}:{new}": share
            for name, new, share in zip(chosen, become, shares, strict=True)
        }
    long = [{"to": name, "probability": share} for name, share in zip(chosen, shares, strict=True)]
    for way, new in zip(long, become, strict=True):
        if new is not None:
            way["become"] = new
        way["service_factor"] = draw(st.sampled_from([0.5, 1.0, 1.3]))
    return long


def clock(draw: st.DrawFn, classes: list[str], stations: list[str], desk: str) -> Document:
    made: Document = {"after": draw(distributions(st.sampled_from([1.0, 2.0, 2.5, 4.0])))}
    if draw(st.booleans()):
        made["classes"] = draw(st.lists(st.sampled_from(classes), min_size=1, unique=True))
    action = draw(st.sampled_from(["become", "become and visit", "visit", "review_at"]))
    if "become" in action:
        made["become"] = draw(st.sampled_from(classes))
    else:
        made["repeats"] = draw(st.booleans())
    if "visit" in action:
        new = draw(st.sampled_from([None, *classes]))
        made["visit"] = draw(st.sampled_from(stations)) + ("" if new is None else f":{new}")
    if action == "review_at":
        made["review_at"] = desk
    return made


def station(draw: st.DrawFn, name: str, k: int, names: list[str], classes: list[str], horizon: float) -> Document:
    servers = draw(st.sampled_from(["few", "few", "schedule", "inf"]))
    made: Document = {"name": name, "service": one_or_each(draw, classes)}
    if servers == "schedule":
        made["servers"] = schedule(draw, st.sampled_from([0, 1, 2, 4]), horizon, draw(st.booleans()))
    else:
        made["servers"] = "inf" if servers == "inf" else draw(st.integers(0, 3))
    if draw(st.booleans()):
        made["discipline"] = "priority"
        named = draw(st.lists(st.sampled_from(classes), unique=True))
        made["priority"] = {c: draw(st.integers(0, 3)) for c in named}
    if draw(st.booleans()):
        made["patience"] = one_or_each(draw, classes, all_named=False)
        made["on_renege"] = ways(draw, names, classes)
    if draw(st.integers(0, 3)) == 0:
        made["queue_limit"] = draw(st.integers(0, 5))
    made["on_full"] = ways(draw, names[k + 1 :], classes)  # later stations only: no circle of full queues
    if draw(st.integers(0, 3)) == 0:
        made["quota"] = schedule(draw, st.integers(0, 4), horizon, draw(st.booleans()))
        made["quota_carries"] = draw(st.booleans())
    made["uses_service_factor"] = draw(st.booleans())
    made["removes_second_place"] = draw(st.sampled_from([0.0, 0.5, 1.0]))
    if draw(st.booleans()):
        made["waiting_list"] = draw(st.sampled_from(["list", "list", "other"]))
    if draw(st.booleans()):
        mix = st.one_of(st.integers(0, 4), st.dictionaries(st.sampled_from(classes), st.integers(0, 3)))
        made["initial"] = {"waiting": draw(mix), "in_service": draw(mix)}
        if draw(st.booleans()):
            made["initial"]["age"] = one_or_each(draw, classes, all_named=False)
    count = draw(st.sampled_from([0, 0, 1, 2, 3]))
    made["while_waiting"] = [clock(draw, classes, names, draw(st.sampled_from(names))) for _ in range(count)]
    return made


def pool(draw: st.DrawFn, name: str, names: list[str]) -> Document:
    members = draw(st.lists(st.sampled_from(names), min_size=min(2, len(names)), max_size=3, unique=True))
    made: Document = {"name": name, "stations": members, "rule": draw(st.sampled_from(["soonest", "shares"]))}
    if made["rule"] == "shares" and draw(st.booleans()):
        made["shares"] = [1.0 / len(members)] * len(members)
    made["second_list"] = draw(st.sampled_from([1.0, 0.5, 0.0]))
    return made


def arrivals(draw: st.DrawFn, target: str, classes: list[str], horizon: float) -> Document:
    made: Document = {"class": draw(st.sampled_from(classes)), "station": target}
    rates = st.sampled_from([1.0, 2.0, 0.3, 0.0])
    if draw(st.booleans()):
        made["interval"] = draw(distributions(st.sampled_from([1.0, 0.5, 2.0, 1.3])))
    elif draw(st.booleans()):
        made["rate"] = schedule(draw, rates, horizon, draw(st.booleans()))
    else:
        made["rate"] = draw(rates)
    return made


def routes(draw: st.DrawFn, names: list[str], targets: list[str], classes: list[str], horizon: float) -> list[Document]:
    made: list[Document] = []
    for name in names:
        # Every station leads to the next, so that none is out of reach; the rest is chance, loops included.
        onward = "".join(names[names.index(name) + 1 :][:1])
        last = draw(st.sampled_from(["exit", "exit", *targets]))
        made.append({"from": name, "to": ways(draw, targets, classes, last, onward)})
        for start in draw(st.lists(st.integers(1, int(horizon)), max_size=2, unique=True)):
            made.append({"from": name, "start": float(start), "to": ways(draw, targets, classes)})
        if draw(st.booleans()):
            made.append({"from": name, "class": draw(st.sampled_from(classes)), "to": ways(draw, targets, classes)})
        review = ways(draw, [*targets, "stay"], classes)
        made.append({"from": name, "on": "review", "to": review})
        if draw(st.integers(0, 3)) == 0:
            made.append({"from": name, "on": "renege", "class": classes[0], "to": ways(draw, targets, classes)})
    return made


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A small network of any kind: a few hundred events, many of them at the same moments."""
    horizon = draw(st.one_of(st.integers(10, 40).map(float), st.floats(10.0, 40.0)))
    classes = ["a", "b", "c"][: draw(st.sampled_from([2, 3, 1]))]
    names = ["s0", "s1", "s2", "s3", "s4"][: draw(st.sampled_from([3, 5, 4, 2, 1]))]
    pools = [pool(draw, f"p{i}", names) for i in range(draw(st.sampled_from([1, 2, 0])))]
    targets = names + [p["name"] for p in pools]
    made: Document = {
        "horizon": horizon,
        "warm_up": draw(st.sampled_from([0.0, 0.0, 3.0, horizon / 2])),
        "snapshot_every": draw(st.sampled_from([1.0, horizon, horizon / 3, 0.7])),
        "waiting_norm": draw(st.sampled_from([1.0, 2.0, 2.5])),
        "classes": classes,
        "stations": [station(draw, name, k, names, classes, horizon) for k, name in enumerate(names)],
        "pools": pools,
        "arrivals": [
            arrivals(draw, draw(st.sampled_from(targets[::-1])) if i else names[0], classes, horizon)
            for i in range(draw(st.sampled_from([3, 2, 1, 4])))
        ],
        "routes": routes(draw, names, targets, classes, horizon),
    }
    patient = {one["name"] for one in made["stations"] if "patience" not in one}
    made["routes"] = [one for one in made["routes"] if one.get("on") != "renege" or one["from"] not in patient]
    if draw(st.booleans()):
        made["periods"] = sorted(draw(st.sets(st.integers(0, int(horizon) + 1).map(float), min_size=2, max_size=4)))
    if draw(st.booleans()):
        made["wait_bin"] = draw(st.sampled_from([0.25, 1.0]))
    for _ in range(draw(st.sampled_from([0, 0, 1, 2]))):
        rule: Document = {
            "at": float(draw(st.integers(1, int(horizon)))),
            "stations": draw(st.lists(st.sampled_from(names), min_size=1, unique=True)),
            "measure": draw(st.sampled_from(["waiting", "starts"])),
            "close": draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)),
        }
        rule[draw(st.sampled_from(["at_most", "at_least"]))] = float(draw(st.integers(0, 5)))
        for one in made["stations"]:
            if one["servers"] != "inf" and one["name"] not in rule["close"] and draw(st.booleans()):
                other = schedule(draw, st.sampled_from([0, 1, 3, 6]), horizon, draw(st.booleans()))
                rule.setdefault("servers", {})[one["name"]] = draw(st.sampled_from([other, 5, 0]))
        made.setdefault("stop_rules", []).append(rule)
    closed = {name for rule in made.get("stop_rules", []) for name in rule["close"]}
    for one in made["stations"]:
        if "queue_limit" not in one and one["name"] not in closed:  # its queue is never full
            del one["on_full"]
    return made
