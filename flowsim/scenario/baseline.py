"""The region on 1 January 2025: flows, places and lists that belong together, for one set of values of the unknowns.

The plan publishes clients a year, waits of three diagnosis groups and hours per client; it publishes neither places nor
flows. They follow when the region is taken to be in balance: in each programme as many start as places come free, and
the list neither grows nor shrinks. With thousands of residents the balance is that of a fluid (W. Whitt, "Fluid
models for multiserver queues with abandonments", Operations Research 54(1), 2006, section 3): everybody who starts
has waited the same time ``w``; of those referred a share S(w) is still waiting then, and the list holds the inflow
times the integral of S from 0 to w. S is the survival function of patience, Weibull.

Times in days, flows in residents a year, unless a name says otherwise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np

from flowsim.errors import InputError
from flowsim.scenario.load import Scenario
from flowsim.scenario.region import Programme, Region

YEAR: Final = 365.25
WEEK: Final = 7.0
ENDLESS: Final = 1e9
"""Scale of patience, in days, of a region where nobody gives up."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(24)

GROUPS: Final = ("light", "personality", "trauma", "somatic_symptom", "other", "smi")
"""Groups of patients with programmes of their own; ``light`` is the group of basic ggz."""


@dataclass(frozen=True)
class Patience:
    """Weibull patience with survival function S, in days."""

    scale: float
    shape: float

    def survival(self, wait: float) -> float:
        return math.exp(-((wait / self.scale) ** self.shape))

    def presence(self, wait: float) -> float:
        """Integral of S from 0 to ``wait``: list per unit of inflow, by 24-point Gauss-Legendre."""
        at = (_NODES + 1.0) * (0.5 * wait)
        return float(np.exp(-((at / self.scale) ** self.shape)) @ _WEIGHTS) * 0.5 * wait

    @property
    def mean(self) -> float:
        return self.scale * math.gamma(1.0 + 1.0 / self.shape)

    @property
    def cv(self) -> float:
        first, second = math.lgamma(1.0 + 1.0 / self.shape), math.lgamma(1.0 + 2.0 / self.shape)
        return math.sqrt(math.expm1(second - 2.0 * first))


@dataclass(frozen=True)
class Balance:
    """One programme in balance: referred and starting a year, wait in days, people waiting, places (not whole yet)."""

    name: str
    group: str
    referred: float
    starts: float
    wait: float
    waiting: float
    places: float


@dataclass(frozen=True)
class Baseline:
    """The region on the first day.

    Attributes
    ----------
    programmes : balance per programme, in the region's order.
    patience : of those who wait. reneging_share : of those referred, who give up.
    duration : mean length of treatment per group, days. clients, inflow, in_treatment : persons.
    gp_arrivals : residents a year with a mental-health question, by (need, group); see `flowsim.scenario.flows`.
    """

    programmes: tuple[Balance, ...]
    patience: Patience
    reneging_share: float
    duration: Mapping[str, float]
    starts: Mapping[str, float]
    referred: Mapping[str, float]
    clients: float
    waiting: float
    overdue: float

    def group(self, name: str) -> list[Balance]:
        return [one for one in self.programmes if one.group == name]


class Values:
    """A figure's value in one future: what was drawn for it, else what the scenario says."""

    def __init__(self, scenario: Scenario, drawn: Mapping[str, float]) -> None:
        self.scenario = scenario
        self.known: dict[tuple[str, int | None], float] = {(key, None): x for key, x in drawn.items()}

    def __call__(self, key: str, year: int | None = None) -> float:
        place = (key, year)
        if place not in self.known:
            self.known[place] = self.scenario.book.value(key, year)
        return self.known[place]


def starts_by_group(value: Values) -> tuple[dict[str, float], dict[str, float]]:
    """(starts a year, mean length of treatment in days) per group, from clients, inflow and severe mental illness.

    Clients in a year are those in treatment on its first day and those who start in it. Severe mental illness turns
    over slowly; what is left of inflow and stock gives the mean length of all other treatments, and basic ggz's
    published length leaves that of specialist treatment.
    """
    inflow, clients = value("demand.inflow"), value("demand.clients")
    smi_years = value("public.smi_duration")
    smi_starts = value("demand.smi") / (smi_years + 1.0)
    others = inflow - smi_starts
    in_treatment = clients - value("demand.smi") - others
    basic = value("public.basic_share")
    names = ("personality", "trauma", "somatic_symptom")
    possible = {
        "demand.inflow": (others > 0.0, f"more than the {smi_starts:.0f} a year with severe mental illness"),
        "demand.clients": (in_treatment > 0.0, "more than the inflow and those with severe mental illness together"),
        "public.basic_share": (0.0 < basic < 1.0, "a fraction between 0 and 1"),
        "public.duration_basic": (value("public.duration_basic") > 0.0, "a number of days above 0"),
        "assumptions.list_size": (value("assumptions.list_size") >= 1.0, "at least one resident"),
        "assumptions.patience_shape": (0.1 <= value("assumptions.patience_shape") <= 10.0, "a shape from 0.1 to 10"),
        "assumptions.reneging_share": (value("assumptions.reneging_share") <= 0.9, "a fraction, at most 0.9"),
        "assumptions.programme_wait_spread": (value("assumptions.programme_wait_spread") < 1.0, "a fraction below 1"),
        "assumptions.personality_share": (
            sum(value(f"assumptions.{name}_share") for name in names) < 1.0,
            "shares of personality, trauma and somatic symptoms that add to less than 1",
        ),
    }
    for key, (holds, expected) in possible.items():
        if not holds:
            raise InputError(f"scenario {value.scenario.name}: figures.{key}", f"{value(key):g}", expected)
    mean = in_treatment / others * YEAR
    basic_days = value("public.duration_basic")
    specialist_days = max(
        (mean - basic * basic_days) / (1.0 - basic), 0.5 * value("public.duration_specialist_median") * YEAR / 12
    )
    specialist = others * (1.0 - basic)
    shares = {name: value(f"assumptions.{name}_share") for name in ("personality", "trauma", "somatic_symptom")}
    starts = {"light": others * basic, **{name: specialist * share for name, share in shares.items()}}
    starts["other"] = specialist * (1.0 - sum(shares.values()))
    starts["smi"] = smi_starts
    duration = dict.fromkeys(GROUPS, specialist_days) | {"light": basic_days, "smi": smi_years * YEAR}
    return starts, duration


def solve(low: float, high: float, excess: Callable[[float], float]) -> float:
    """Root of a rising function; the end of the interval where it does not change sign."""
    if excess(low) >= 0.0:
        return low
    if excess(high) <= 0.0:
        return high
    return float(_brentq()(excess, low, high, xtol=1e-6, rtol=1e-10))


@cache
def _brentq() -> Callable[..., float]:
    from scipy.optimize import brentq

    return brentq


class _Group:
    """The programmes of one group: waits around a mean, and second places on the list of the fastest one.

    ``parts``: (share of the referred who are first reached there, relative wait) per programme. Who has a second
    place is reached on the faster list first, so the slower programmes lose those.
    """

    def __init__(self, programmes: list[Programme], starts: float, spread: float, second: float) -> None:
        self.programmes = programmes
        self.starts = starts
        count = len(programmes)
        lost = 0.0 if count == 1 else second
        offsets = [1.0 + spread * (1.0 - 2.0 * i / (count - 1)) for i in range(count)] if count > 1 else [1.0]
        shares = [(1.0 - lost) / count] * (count - 1)
        self.parts = [*zip([*shares, 1.0 - sum(shares)], offsets, strict=True)]

    def mean_wait(self, x: float, patience: Patience) -> float:
        """Mean wait of those who start, when the programmes' waits lie around ``x``."""
        weights = [(share * patience.survival(x * offset), offset) for share, offset in self.parts]
        return sum(w * x * offset for w, offset in weights) / sum(w for w, _ in weights)

    def referred(self, x: float, patience: Patience) -> float:
        """Referred a year, so that as many start as do."""
        return self.starts / sum(share * patience.survival(x * offset) for share, offset in self.parts)

    def waiting(self, x: float, patience: Patience) -> float:
        """People on the list."""
        presence = sum(share * patience.presence(x * offset) for share, offset in self.parts)
        return self.referred(x, patience) * presence / YEAR

    def balances(self, x: float, patience: Patience, name: str, duration: float) -> list[Balance]:
        total = self.referred(x, patience)
        result = []
        for programme, (share, offset) in zip(self.programmes, self.parts, strict=True):
            wait = x * offset
            starts = total * share * patience.survival(wait)
            waiting = total * share * patience.presence(wait) / YEAR
            result.append(Balance(programme.name, name, total * share, starts, wait, waiting, starts * duration / YEAR))
        return result


def calibrate(value: Values, region: Region) -> Baseline:
    """The balance of a region for one set of values.

    Published waits hold for personality, trauma and somatic symptoms; the list's size then leaves the waits of basic
    ggz (by its share of the list) and of the other groups; the reneging share gives the scale of patience.
    """
    starts, duration = starts_by_group(value)
    spread = value("assumptions.programme_wait_spread")
    second = value("public.duplicates_share")
    groups = {name: _Group(region.programmes_of(name), starts[name], spread, second) for name in GROUPS}
    published = {name: value(f"waiting.{name}") * WEEK for name in ("personality", "trauma", "somatic_symptom")}
    published["smi"] = value("assumptions.smi_wait") * WEEK
    size = value("assumptions.list_size")
    shape = value("assumptions.patience_shape")
    wanted = value("assumptions.reneging_share")
    longest = 104.0 * WEEK

    def wait_for(name: str, wait: float, patience: Patience) -> float:
        return solve(0.0, longest, lambda x: groups[name].mean_wait(x, patience) - wait)

    def waits(patience: Patience) -> dict[str, float]:
        x = {name: wait_for(name, wait, patience) for name, wait in published.items()}
        known = sum(groups[name].waiting(x[name], patience) for name in published)
        basic = value("public.waiting_share_basic") * size
        others = max(size - basic - known, groups["other"].starts * WEEK / YEAR)
        x["light"] = solve(0.0, longest, lambda y: groups["light"].waiting(y, patience) - basic)
        x["other"] = solve(0.0, longest, lambda y: groups["other"].waiting(y, patience) - others)
        return x

    def share(patience: Patience, x: Mapping[str, float]) -> float:
        return 1.0 - sum(starts.values()) / sum(groups[name].referred(x[name], patience) for name in GROUPS)

    patience = Patience(ENDLESS, shape)
    x = waits(patience)
    if wanted > 1e-4:
        scale = 20.0 * WEEK / (-math.log1p(-wanted)) ** (1.0 / shape)
        for _ in range(12):  # the waits depend on patience a little: a few rounds suffice
            patience = Patience(scale, shape)
            x = waits(patience)
            found = share(patience, x)
            if abs(found - wanted) < 1e-4:
                break
            scale *= (math.log1p(-found) / math.log1p(-wanted)) ** (1.0 / shape)
    programmes = {b.name: b for name in GROUPS for b in groups[name].balances(x[name], patience, name, duration[name])}
    ordered = tuple(programmes[programme.name] for programme in region.programmes)
    norm = value("public.treeknorm_total") * WEEK
    overdue = sum(
        b.referred * (patience.presence(b.wait) - patience.presence(norm)) / YEAR for b in ordered if b.wait > norm
    )
    return Baseline(
        programmes=ordered,
        patience=patience,
        reneging_share=share(patience, x),
        duration=duration,
        starts=starts,
        referred={name: groups[name].referred(x[name], patience) for name in GROUPS},
        clients=sum(b.places for b in ordered) + sum(starts.values()),
        waiting=sum(b.waiting for b in ordered),
        overdue=overdue,
    )


def ages(patience: Patience, wait: float, count: int) -> list[float]:
    """Ages of those who wait in balance: ``count`` equally likely values, by the density S on (0, wait)."""
    grid = np.linspace(0.0, wait, 129)
    survival = np.exp(-((grid / patience.scale) ** patience.shape))
    mass = np.concatenate([[0.0], np.cumsum(0.5 * (survival[1:] + survival[:-1]))])
    points = (np.arange(count) + 0.5) / count * mass[-1]
    youngest = 1e-6
    return np.maximum(np.interp(points, mass, grid), youngest).tolist()  # type: ignore[no-any-return]
