"""The scenario compiler against `naive_region`, which writes Amstelland from the figures without flowsim.

Both give a network document; every number of one is compared with that of the other. Nothing is drawn, so there are no
false alarms. Shares, rates and lengths must agree to 0.1% (flowsim stops its search for patience there; ages of those
who wait to 1%, as it tabulates them), whole numbers exactly: with other figures than the plan's, a few may be one off.
"""

from __future__ import annotations

from typing import Any, get_args

import naive_first_day
import naive_region
import pytest

from flowsim.scenario import baseline, flows, unknowns
from flowsim.scenario.compile import Compiler, compile_scenario
from flowsim.scenario.frame import Frame
from flowsim.scenario.load import default
from flowsim.scenario.schema import DEFAULTS, Override, Settings

Document = dict[str, Any]
Figures = dict[str, float | dict[str, float]]
READINGS = [("functions", "net"), ("functions", "capacity"), ("functions", "headcount"), ("none", "net")]


def compiled(network: str, reading: str, settings: Document | None = None, **figures: Any) -> Document:
    scenario = default().with_settings("tried", network=network, reading=reading, **(settings or {}))
    named = {key.replace("__", "."): Override(value=value, because="a test") for key, value in figures.items()}
    return dict(compile_scenario(scenario.with_overrides(named, "a test")).document)


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


def differences(
    one: dict[str, Any], other: dict[str, Any], off_by_one: int = 0, loose: tuple[str, ...] = ("/age/",)
) -> list[str]:
    """Places where two documents differ by more than rounding; ``off_by_one``: so many whole numbers may by one;
    ``loose``: what may by 1%."""
    told = [f"only one has {place}" for place in sorted(one.keys() ^ other.keys())]
    rounded = []
    for place in one.keys() & other.keys():
        x, y = one[place], other[place]
        if isinstance(x, str | bool) or (isinstance(x, int) and isinstance(y, int)):
            if x != y:
                near = not isinstance(x, str) and abs(x - y) == 1 and "/quota/" not in place
                (rounded if near else told).append(f"{place}: {x} and {y}")
        elif not abs(x - y) <= 1e-9 + (1e-2 if any(part in place for part in loose) else 1e-3) * abs(y):
            told.append(f"{place}: {x} and {y}")
    return told + (rounded if len(rounded) > off_by_one else [])


@pytest.mark.parametrize(("network", "reading"), READINGS)
def test_compiler_agrees_with_the_oracle(network: str, reading: str) -> None:
    one, other = plain(compiled(network, reading)), plain(naive_region.document(network, reading))
    assert len(one) > 5000
    told = differences(one, other)
    assert not told, f"{len(told)} differences:\n" + "\n".join(told[:20])


DIFFERENT: list[tuple[str, str, Document, Figures]] = [
    ("functions", "net", {"overlap": "one_path"}, {}),
    ("functions", "headcount", {"overlap": "one_path"}, {}),
    ("functions", "net", {"ramp": "year_end"}, {}),
    ("functions", "net", {"ramp": "year_end", "transfers": "fade"}, {}),
    ("functions", "net", {"freed_place": "heavier"}, {}),
    ("functions", "headcount", {"freed_place": "heavier"}, {}),
    ("functions", "net", {"wait_counts": "intake"}, {}),
    ("functions", "net", {"wait_counts": "expected"}, {}),
    ("functions", "net", {"social_domain": "limited"}, {}),
    ("none", "net", {"social_domain": "limited"}, {}),
    ("functions", "net", {"conversation_hours": "mean"}, {}),
    ("functions", "capacity", {"stop_policy": True}, {}),
    ("none", "net", {"stop_policy": True}, {}),
    ("functions", "net", {"gp_effect": "for_good", "prices": "indexed", "unknowns": "prior"}, {}),
    ("functions", "net", {"gp_effect": "contact"}, {}),
    ("diversion", "net", {}, {}),
    ("diversion", "net", {"diversion_of": "inflow"}, {"functions__diversion": 0.3}),
    ("diversion", "net", {"diversion_of": "headcount", "overlap": "one_path", "stop_policy": True}, {}),
    ("diversion", "net", {"diversion_of": "euros", "social_domain": "limited"}, {"functions__diversion": 0.6}),
    ("diversion", "net", {"freed_place": "heavier"}, {"functions__diversion": 0.2}),
    ("functions", "capacity", {"freed_place": "heavier"}, {"assumptions__would_have_entered": 0.65}),
    (
        "functions",
        "net",
        {
            "overlap": "one_path",
            "ramp": "year_end",
            "transfers": "fade",
            "social_domain": "limited",
            "stop_policy": True,
        },
        {"assumptions__would_have_entered": 0.65, "functions__consultations": {"2025": 75.0, "2026": 0.0}},
    ),
]
"""Scenarios that differ in a setting from the plan as it stands: network, reading, settings, figures."""
IN_THE_REPORT_ONLY = {"gp_effect", "prices", "unknowns"}
"""Settings that the network does not hang on: what users save the GP, euros, and what futures draw."""
IDLE_SETTINGS: list[Document] = [{"wait_counts": "expected"}]
"""Another way of reading the same network (test_naive_measures.py)."""
STOP: Document = {"stop_policy": True}


def in_the_network(settings: Document) -> Document:
    return {key: value for key, value in settings.items() if key not in IN_THE_REPORT_ONLY}


@pytest.mark.parametrize(
    ("network", "reading", "settings", "figures"), DIFFERENT, ids=lambda one: str(one) if one else "-"
)
def test_they_agree_with_other_settings(network: str, reading: str, settings: Document, figures: Figures) -> None:
    made = plain(compiled(network, reading, settings, **figures))
    told = differences(made, plain(naive_region.document(network, reading, in_the_network(settings), **figures)))
    assert not told, f"{len(told)} differences:\n" + "\n".join(told[:20])
    if in_the_network(settings) and settings not in IDLE_SETTINGS and (network, settings) != ("none", STOP):
        assert differences(made, plain(naive_region.document(network, reading, **figures))), "the setting does nothing"


def test_every_setting_is_tried() -> None:
    """Every value that a scenario may give a setting stands in `DIFFERENT` or is the default."""
    tried = {(key, value) for *_, settings, _ in DIFFERENT for key, value in settings.items()}
    tried |= {("network", network) for network, *_ in DIFFERENT} | {("reading", reading) for _, reading in READINGS}
    values: set[tuple[str, Any]] = set()
    for name, field in Settings.model_fields.items():
        for one in get_args(field.annotation):
            values |= {(name, value) for value in get_args(one)}
    values |= {("stop_policy", True)}
    assert values - tried <= set(DEFAULTS.items())


VOLUMES = [f"functions__{name}" for name in naive_region.FUNCTIONS]
CHANGES: list[Figures] = [
    {"assumptions__list_size": 700.0, "assumptions__would_have_entered": 0.6, "assumptions__induced_demand": 0.1},
    {"assumptions__patience_shape": 2.0, "assumptions__worsening": 0.0, "public__duplicates_share": 0.3},
    {"assumptions__demand_growth": 0.03, "assumptions__staff_growth": -0.02, "assumptions__prevention_factor": 0.9},
    {"functions__support_point_relapse_reduction": 0.2, "assumptions__self_help_while_waiting": 0.1},
    {"functions__pilot_year": 2026.0, "functions__full_operation_year": 2029.0, "assumptions__induced_demand": 0.2},
    {"functions__pilot_year": 2026.0, "functions__support_point_relapse_reduction": 0.2},
    {name: {"2025": 40.0, "2026": 0.0} for name in VOLUMES} | {"assumptions__induced_demand": 0.3},
    {
        "assumptions__extra_places_basic": {"2025": 0.0, "2026": 0.1},
        "assumptions__extra_places_specialist": {"2025": 0.02, "2027": 0.05},
        "assumptions__extra_places_smi_ingeest": {"2025": 0.0, "2028": 0.2},
        "assumptions__extra_places_trauma_arkin": {"2025": 0.0, "2026": 0.3},
    },
    {"assumptions__more_absence": {"2025": 0.0, "2026": 0.1, "2028": -0.05}, "assumptions__staff_growth": 0.01},
    {"demand__inflow": 5021.0, "assumptions__staff_growth": 0.03, "business_case__shortened_saving": 0.3},
    {"assumptions__reneging_share": 0.4, "assumptions__renege_to_gp": 0.5, "assumptions__programme_wait_spread": 0.3},
]
"""Values other than the plan's, of figures that are zero or one there, or that the balance hangs on; the network a year
later, stopped after the pilot year, and more places by programme."""


@pytest.mark.parametrize("figures", CHANGES, ids=lambda figures: next(iter(figures)))
def test_they_agree_with_other_figures(figures: Figures) -> None:
    told = differences(
        plain(compiled("functions", "net", **figures)),
        plain(naive_region.document("functions", "net", **figures)),
        off_by_one=20,
    )
    assert not told, f"{len(told)} differences:\n" + "\n".join(told[:20])


@pytest.mark.parametrize("source", ["posterior", "prior"])
@pytest.mark.parametrize("future", range(3))
def test_they_agree_on_a_future(future: int, source: str) -> None:
    """With the values that a future of `flowsim.answer` draws for everything that nobody knows.

    The search for patience stops at a ten thousandth of those referred: where 4% give up, that is 0.3% of patience.
    """
    scenario = default().with_settings("tried", unknowns=source)
    drawn = unknowns.values(scenario, unknowns.quantiles(1, future))
    assert len(drawn) > 10
    told = differences(
        plain(dict(compile_scenario(scenario, drawn).document)),
        plain(naive_region.document(**{key.replace(".", "__"): value for key, value in drawn.items()})),
        off_by_one=20,
        loose=("/age/", "/patience/mean"),
    )
    assert not told, f"{len(told)} differences:\n" + "\n".join(told[:20])


# ---------------------------------------------------------------- what the comparison would find


@pytest.fixture(scope="module")
def oracle() -> dict[str, Any]:
    return plain(naive_region.document())


IDLE = {
    "public.duration_specialist_median": "a floor that the region's own length lies above",
    "assumptions.conversation_queue": "3% of so few places is no place",
    "functions.full_operation_year": "asked for induced demand, heavier clients and transfers that fade",
}
"""Figures that change nothing in this region, and why."""


SCENARIOS = [
    ("functions", "net", {"conversation_hours": "mean", "social_domain": "limited", "stop_policy": True}),
    ("functions", "net", {"freed_place": "heavier", "wait_counts": "intake"}),
    *(("diversion", "net", {"diversion_of": one}) for one in ("hours", "inflow", "headcount", "euros")),
]
"""Settings that ask for figures that the plan as it stands does not ask for."""
PRICES = {"public.cost_per_client", "public.smi_cost"}
"""What the diverted share of euros hangs on; the oracle reads them for any share."""
WHOLE_YEARS = {"functions.pilot_year", "functions.full_operation_year"}


def read_by(*asked: Any) -> set[str]:
    """The figures that the oracle reads."""
    read: set[str] = set()
    look_up = naive_region.Figures.__call__

    def noting(self: naive_region.Figures, key: str, year: int = 0) -> float:
        read.add(key)
        return look_up(self, key, year)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(naive_region.Figures, "__call__", noting)
        naive_region.document(*asked)
    return read


def unseen(keys: set[str], expected: dict[str, Any], *asked: Any) -> set[str]:
    """Figures of which 3% more (0.03 for one that is zero) makes no difference to the document."""
    given = naive_region.read_figures()
    found = set()
    for key in sorted(keys):
        value = given[key]
        if isinstance(value, dict):
            other: Any = {year: 1.03 * one if one else 0.03 for year, one in value.items()}
        else:
            other = value + 1 if key in WHOLE_YEARS else 1.03 * value if value else 0.03
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(naive_first_day, "read_figures", lambda key=key, other=other: given | {key: other})
            if not differences(plain(naive_region.document(*asked)), expected):
                found.add(key)
    return found


def test_another_value_of_any_figure_is_found(oracle: dict[str, Any]) -> None:
    """Every figure that the oracle reads, 3% higher on one side."""
    read = read_by()
    assert len(read) > 80
    assert unseen(read, oracle) == set(IDLE)


def test_another_value_of_a_figure_of_a_setting_is_found() -> None:
    """The same for figures that are asked only with other settings."""
    always = read_by()
    assert read_by("functions", "net", {"transfers": "fade", "overlap": "one_path", "ramp": "year_end"}) == always
    found = set()
    for asked in SCENARIOS:
        only = read_by(*asked) - always
        found |= only
        unasked = set() if "euros" in asked[2].values() else PRICES
        assert unseen(only, plain(naive_region.document(*asked)), *asked) <= unasked
    assert len(found) > 10


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
            lambda scenario, value, region, day, *of: capacity(scenario, value, region, max(day, 181.0), *of),
        ),
    }
    assert waits is baseline._Group.mean_wait
    for what, (place, name, wrong) in planted.items():
        with monkeypatch.context() as patch:
            patch.setattr(place, name, wrong)
            assert differences(plain(compiled("functions", "net")), oracle), f"not found: {what}"


def test_another_rule_of_a_setting_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same, for what a scenario can switch on."""
    volume, share, away, places = flows.yearly_volume, flows.diverted_share, Compiler.away, Compiler.places
    rules = Compiler.stop_rules
    planted: dict[str, tuple[Any, str, Any, tuple[Any, ...]]] = {
        "transfers fade a year early": (
            flows,
            "yearly_volume",
            lambda scenario, value, function, year: volume(
                scenario, value, function, year + (year > 2027 and function == "transfers")
            ),
            ("functions", "net", {"transfers": "fade"}),
        ),
        "a share of those without severe mental illness, not of all clients": (
            flows,
            "diverted_share",
            lambda scenario, value, base, year: (
                0.0 if year < 2026 else value("functions.diversion") * value("functions.ramp", year)
            ),
            ("diversion", "net", {}),
        ),
        "diverted in the pilot year too": (
            flows,
            "diverted_share",
            lambda scenario, value, base, year: share(scenario, value, base, max(year + 1, 2026)),
            ("diversion", "net", {}),
        ),
        "more of the others to their own network": (
            Compiler,
            "away",
            lambda self, m, one: away(self, m, one) | {"self_help": 0.06 * one, "exit": 0.14 * one},
            ("diversion", "net", {}),
        ),
        "extra staff of the social domain without a ramp": (
            Compiler,
            "social_domain_places",
            lambda self, present, share: [(0.0, round(present / 0.97))],
            ("functions", "net", {"social_domain": "limited"}),
        ),
        "heavier clients as heavy as others": (
            flows,
            "freed_share",
            lambda scenario, value, year: 0.0,
            ("functions", "net", {"freed_place": "heavier"}),
        ),
        "pilots close for any list": (
            Compiler,
            "stop_rules",
            lambda self: [rule | {"at_least": 0.0} for rule in rules(self)],
            ("functions", "net", STOP),
        ),
        "once stopped, the hours of conversations stay away": (
            Compiler,
            "places",
            lambda self, stopped=False: places(self),
            ("functions", "net", STOP),
        ),
    }
    for what, (place, name, wrong, asked) in planted.items():
        expected = plain(naive_region.document(*asked))
        with monkeypatch.context() as patch:
            patch.setattr(place, name, wrong)
            assert differences(plain(compiled(*asked)), expected), f"not found: {what}"
