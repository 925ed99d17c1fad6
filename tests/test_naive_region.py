"""The scenario compiler against `naive_region`, which writes Amstelland from the figures without flowsim.

Both give a network document; every number of one is compared with that of the other. Nothing is drawn, so there are no
false alarms. Shares, rates and lengths must agree to 0.1% (flowsim stops its search for patience there; ages of those
who wait to 1%, as it tabulates them), whole numbers exactly: with other figures than the plan's, a few may be one off.
"""

from __future__ import annotations

from typing import Any

import naive_region
import pytest

from flowsim.scenario import baseline, flows
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.frame import Frame
from flowsim.scenario.load import default

Document = dict[str, Any]
SETTINGS = [("functions", "net"), ("functions", "capacity"), ("functions", "headcount"), ("none", "net")]


def compiled(network: str, reading: str, **figures: float) -> Document:
    scenario = default().with_settings("tried", network=network, reading=reading)
    for key, value in figures.items():
        scenario = scenario.with_figure(key.replace("__", "."), value, "a test")
    return dict(compile_scenario(scenario).document)


def plain(document: Document) -> dict[str, Any]:
    """The document as {place: value}, with what both leave out filled in, and what has no order by name."""
    found: dict[str, Any] = {}

    def walk(value: Any, place: str) -> None:
        if isinstance(value, dict):
            for key, one in value.items():
                walk(one, f"{place}/{key}")
        elif isinstance(value, list | tuple):
            for i, one in enumerate(value):
                walk(one, f"{place}/{i}")
        else:
            found[place] = value

    for key in ("horizon", "snapshot_every", "periods", "waiting_norm", "wait_bin", "classes", "stop_rules"):
        walk(document[key], key)
    for station in document["stations"]:
        initial = {
            state: {c: n for c, n in who.items() if n}
            for state, who in station.get("initial", {}).items()
            if state != "age"
        }
        walk({k: v for k, v in station.items() if k not in ("name", "initial")}, f"station {station['name']}")
        walk(initial, f"station {station['name']}/initial")
        walk(station.get("initial", {}).get("age", {}), f"station {station['name']}/age")
    for i, station in enumerate(document["stations"]):
        found[f"station number {i}"] = station["name"]
    for pool in document["pools"]:
        walk({"second_list": 0.0} | pool, f"pool {pool['name']}")
    for stream in document["arrivals"]:
        walk(stream["rate"], f"arrivals of {stream['class']} at {stream['station']}")
    for route in document["routes"]:
        who, why = route.get("class"), route.get("on", "completion")
        name = f"route from {route['from']} of {who} on {why} at {route.get('start', 0.0)}"
        ways = route["to"]
        if isinstance(ways, dict):
            ways = [{"to": to, "probability": p} for to, p in ways.items()]
        for i, way in enumerate(way for way in ways if way["probability"] > 0.0):
            walk({"service_factor": 1.0} | way, f"{name}/{i}")
    return found


def differences(one: dict[str, Any], other: dict[str, Any], off_by_one: int = 0) -> list[str]:
    """Places where two documents differ by more than rounding; ``off_by_one``: so many whole numbers may by one."""
    told = [f"only one has {place}" for place in sorted(one.keys() ^ other.keys())]
    rounded = []
    for place in one.keys() & other.keys():
        x, y = one[place], other[place]
        if isinstance(x, str | bool) or (isinstance(x, int) and isinstance(y, int)):
            if x != y:
                near = not isinstance(x, str) and abs(x - y) == 1 and "/quota/" not in place
                (rounded if near else told).append(f"{place}: {x} and {y}")
        elif not abs(x - y) <= 1e-9 + (1e-2 if "/age/" in place else 1e-3) * abs(y):
            told.append(f"{place}: {x} and {y}")
    return told + (rounded if len(rounded) > off_by_one else [])


@pytest.mark.parametrize(("network", "reading"), SETTINGS)
def test_compiler_agrees_with_the_oracle(network: str, reading: str) -> None:
    one, other = plain(compiled(network, reading)), plain(naive_region.document(network, reading))
    assert len(one) > 5000
    told = differences(one, other)
    assert not told, f"{len(told)} differences:\n" + "\n".join(told[:20])


CHANGES: list[dict[str, float]] = [
    {"assumptions__list_size": 700.0, "assumptions__would_have_entered": 0.6, "assumptions__induced_demand": 0.1},
    {"assumptions__patience_shape": 2.0, "assumptions__worsening": 0.0, "public__duplicates_share": 0.3},
    {"assumptions__demand_growth": 0.03, "assumptions__staff_growth": -0.02, "assumptions__prevention_factor": 0.9},
    {"functions__support_point_relapse_reduction": 0.2, "assumptions__self_help_while_waiting": 0.1},
    {"assumptions__reneging_share": 0.4, "assumptions__renege_to_gp": 0.5, "assumptions__programme_wait_spread": 0.3},
]
"""Values other than the plan's, of figures that are zero or one there, or that the balance hangs on."""


@pytest.mark.parametrize("figures", CHANGES, ids=lambda figures: next(iter(figures)))
def test_they_agree_with_other_figures(figures: dict[str, float]) -> None:
    told = differences(
        plain(compiled("functions", "net", **figures)),
        plain(naive_region.document("functions", "net", **figures)),
        off_by_one=20,
    )
    assert not told, f"{len(told)} differences:\n" + "\n".join(told[:20])


# ---------------------------------------------------------------- what the comparison would find


@pytest.fixture(scope="module")
def oracle() -> dict[str, Any]:
    return plain(naive_region.document())


IDLE = {
    "public.duration_specialist_median": "a floor that the region's own length lies above",
    "assumptions.conversation_queue": "3% of so few places is no place",
}
"""Figures that change nothing in this region, and why."""


def test_another_value_of_any_figure_is_found(oracle: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Every figure that the oracle reads, 3% higher on one side (0.03 for one that is zero)."""
    read: set[str] = set()
    look_up = naive_region.Figures.__call__

    def noting(self: naive_region.Figures, key: str, year: int = 0) -> float:
        read.add(key)
        return look_up(self, key, year)

    monkeypatch.setattr(naive_region.Figures, "__call__", noting)
    naive_region.document()
    monkeypatch.setattr(naive_region.Figures, "__call__", look_up)
    assert len(read) > 80
    given = naive_region.read_figures()
    unseen = []
    for key in sorted(read):
        value = given[key]
        if isinstance(value, dict):
            other: Any = {year: 1.03 * one if one else 0.03 for year, one in value.items()}
        else:
            other = 1.03 * value if value else 0.03
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(naive_region, "read_figures", lambda key=key, other=other: given | {key: other})
            if not differences(plain(naive_region.document()), oracle):
                unseen.append(key)
    assert set(unseen) == set(IDLE), unseen


def _without_the_middle(value: Any, region: Any, days: list[float]) -> list[float]:
    rate, prevention = value("assumptions.demand_growth"), value("assumptions.prevention_factor")
    return [prevention * (1.0 + rate) ** (start / 365.25) for start in days]


def test_another_rule_is_found(oracle: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Mistakes that the compiler could have made, one at a time."""
    away, mix, waits = flows.effects, Frame.mix, baseline._Group.mean_wait
    quota, capacity = flows.weekly_quota, flows.capacity_factor

    def half(scenario: Any, value: Any, function: str) -> flows.Effects:
        effect = away(scenario, value, function)
        return flows.Effects(effect.away, 0.5 * effect.shorter)

    planted: dict[str, tuple[Any, str, Any]] = {
        "demand grows from the first of a half-year, not from its middle": (flows, "growth_steps", _without_the_middle),
        "a shorter treatment for half as many": (flows, "effects", half),
        "people in treatment as those of the other level": (
            Frame,
            "mix",
            lambda self, number, group: mix(self, number, "personality" if group == "trauma" else group),
        ),
        "published waits hold for the slowest programme": (
            baseline._Group,
            "mean_wait",
            lambda self, x, patience: (
                x * max(offset for _, offset in self.parts),
                max(offset for _, offset in self.parts),
            ),
        ),
        "the pilot's work in a whole year": (
            flows,
            "weekly_quota",
            lambda *given: [(day - 181.0, tokens) for day, tokens in quota(*given)],
        ),
        "conversations cost nothing in the first half of the pilot year only": (
            flows,
            "capacity_factor",
            lambda scenario, value, region, day, group: capacity(scenario, value, region, max(day, 181.0), group),
        ),
    }
    assert waits is baseline._Group.mean_wait
    for what, (place, name, wrong) in planted.items():
        with monkeypatch.context() as patch:
            patch.setattr(place, name, wrong)
            assert differences(plain(compiled("functions", "net")), oracle), f"not found: {what}"
