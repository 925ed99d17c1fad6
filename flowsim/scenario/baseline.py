"""The region on 1 January 2025: flows, places and lists that belong together, for one set of values of the unknowns.

The plan publishes clients a year, waits of three diagnosis groups and hours per client; it publishes neither places nor
flows. They follow when the region is taken to be in balance: in each programme as many start as places come free, and
the list neither grows nor shrinks. With thousands of residents the balance is that of a fluid (W. Whitt, "Fluid
models for multiserver queues with abandonments", Operations Research 54(1), 2006, section 3): everybody who starts
has waited the same time ``w``; of those referred a share S(w) is still waiting then, and the list holds the inflow
times the integral of S from 0 to w. S is the survival function of patience, Weibull.

Times in days, flows in residents a year, unless a name says otherwise. Every number may also be an array (n,) with the
values of n futures: the same formulas then give the balances of all of them at once, each to the last bit what it is by
itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache, cached_property
from typing import Any, Final

import numpy as np

from flowsim.errors import InputError
from flowsim.scenario.load import Scenario
from flowsim.scenario.region import A_YEAR, GROUPS, Programme, Region

YEAR: Final = A_YEAR
WEEK: Final = 7.0
LONGEST: Final = 104.0
"""Weeks, the longest mean wait of a group on the first day."""
SIZE_HOLDS: Final = 0.01
"""Part by which the list's size in the balance may differ from the one asked for."""
ENDLESS: Final = 1e9
"""Scale of patience, in days, of a region where nobody gives up."""
AGES: Final = 100
ROUNDS: Final = 60
"""Of Newton's method, at most: it takes about six, and halves the interval where it would leave it."""
Number = Any
"""A float, or an array (n,) with one value per future."""


@dataclass(frozen=True)
class Patience:
    """Weibull patience with survival function S, in days."""

    scale: Number
    shape: Number

    def survival(self, wait: Number) -> Number:
        return np.exp(-((wait / self.scale) ** self.shape))

    def hazard(self, wait: Number) -> Number:
        """-S'(wait) / S(wait), a day; ``wait`` above 0."""
        return self.shape / self.scale * (wait / self.scale) ** (self.shape - 1.0)

    def presence(self, wait: Number) -> Number:
        """Integral of S from 0 to ``wait``: list per unit of inflow; an incomplete gamma function (NIST Digital Library
        of Mathematical Functions, 8.2.1, with u = (t / scale) ** shape)."""
        gamma, gammainc = _gamma()
        a = 1.0 / self.shape
        return self.scale * gamma(1.0 + a) * gammainc(a, (wait / self.scale) ** self.shape)

    @property
    def mean(self) -> Number:
        return self.scale * _gamma()[0](1.0 + 1.0 / self.shape)

    @property
    def cv(self) -> Number:
        gamma = _gamma()[0]
        return np.sqrt(gamma(1.0 + 2.0 / self.shape) / gamma(1.0 + 1.0 / self.shape) ** 2 - 1.0)


@cache
def _gamma() -> tuple[Callable[..., Any], Callable[..., Any]]:
    from scipy.special import gamma, gammainc

    return gamma, gammainc


@dataclass(frozen=True)
class Balance:
    """One programme in balance: referred and starting a year, wait in days, people waiting, places (not whole yet)."""

    name: str
    group: str
    referred: Number
    starts: Number
    wait: Number
    waiting: Number
    places: Number


@dataclass(frozen=True)
class Baseline:
    """The region on the first day.

    Attributes
    ----------
    programmes : balance per programme, in the region's order.
    patience : of those who wait. reneging_share : of those referred, who give up.
    duration : mean length of treatment, days; starts, referred : residents a year; each per group.
    clients : persons in treatment in a year. waiting, overdue : persons on the first day.
    """

    programmes: tuple[Balance, ...]
    patience: Patience
    reneging_share: Number
    duration: Mapping[str, Number]
    starts: Mapping[str, Number]
    referred: Mapping[str, Number]
    clients: Number
    waiting: Number
    overdue: Number

    def group(self, name: str) -> list[Balance]:
        return [one for one in self.programmes if one.group == name]

    def at(self, i: int) -> Baseline:
        """The balance of one future out of many."""
        return _at(self, i)  # type: ignore[no-any-return]

    @cached_property
    def ages(self) -> dict[str, np.ndarray]:
        """Ages of those who wait, per programme: (`AGES`,) for one future, (n, `AGES`) for many; see `ages`."""
        return {one.name: ages(self.patience, one.wait, AGES) for one in self.programmes}


def _at(value: Any, i: int) -> Any:
    """Element ``i`` of every array in a `Baseline`; what is the same for all futures stays."""
    if isinstance(value, np.ndarray):
        return float(value[i])
    if isinstance(value, np.generic):
        return value.item()
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{one.name: _at(getattr(value, one.name), i) for one in fields(value)})
    if isinstance(value, tuple):
        return tuple(_at(one, i) for one in value)
    if isinstance(value, Mapping):
        return {name: _at(one, i) for name, one in value.items()}
    return value


class Values:
    """A figure's value in one future: what was drawn for it, else what the scenario says.

    ``drawn`` : floats, or arrays (n,) for n futures at once.
    """

    def __init__(self, scenario: Scenario, drawn: Mapping[str, Number]) -> None:
        self.scenario = scenario
        self.drawn = drawn
        self.known: dict[tuple[str, int | None], Number] = {(key, None): x for key, x in drawn.items()}

    def __call__(self, key: str, year: int | None = None) -> Any:
        place = (key, year)
        if place not in self.known:
            self.known[place] = self.scenario.book.value(key, year)
        return self.known[place]


def starts_by_group(value: Values) -> tuple[dict[str, Number], dict[str, Number]]:
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
        "public.basic_share": ((basic > 0.0) & (basic < 1.0), "a fraction between 0 and 1"),
        "public.duration_basic": (value("public.duration_basic") > 0.0, "a number of days above 0"),
        "assumptions.list_size": (value("assumptions.list_size") >= 1.0, "at least one resident"),
        "assumptions.patience_shape": (
            (value("assumptions.patience_shape") >= 0.1) & (value("assumptions.patience_shape") <= 10.0),
            "a shape from 0.1 to 10",
        ),
        "assumptions.reneging_share": (value("assumptions.reneging_share") <= 0.9, "a fraction, at most 0.9"),
        "assumptions.programme_wait_spread": (value("assumptions.programme_wait_spread") < 1.0, "a fraction below 1"),
        "assumptions.personality_share": (
            sum(value(f"assumptions.{name}_share") for name in names) < 1.0,
            "shares of personality, trauma and somatic symptoms that add to less than 1",
        ),
    }
    for key, (holds, expected) in possible.items():
        if not np.all(holds):
            first = np.ravel(value(key))[np.argmin(np.ravel(holds)) if np.size(value(key)) > 1 else 0]
            code = f"scenario.balance.{key.rpartition('.')[2]}"
            where = f"scenario {value.scenario.name}: figures.{key}"
            raise InputError(where, f"{first:g}", expected, code, value=float(first))
    mean = in_treatment / others * YEAR
    basic_days = value("public.duration_basic")
    specialist_days = np.maximum(
        (mean - basic * basic_days) / (1.0 - basic), 0.5 * value("public.duration_specialist_median") * YEAR / 12
    )
    specialist = others * (1.0 - basic)
    shares = {name: value(f"assumptions.{name}_share") for name in ("personality", "trauma", "somatic_symptom")}
    starts = {"light": others * basic, **{name: specialist * share for name, share in shares.items()}}
    starts["other"] = specialist * (1.0 - sum(shares.values()))
    starts["smi"] = smi_starts
    duration = dict.fromkeys(GROUPS, specialist_days) | {"light": basic_days, "smi": smi_years * YEAR}
    return starts, duration


def solve(
    low: float, high: float, guess: np.ndarray, excess: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]
) -> np.ndarray:
    """Roots of a rising function, one per future: Newton's method inside a bracket that closes (W. H. Press et al.,
    Numerical Recipes, 3rd ed., 2007, section 9.4); the end of the interval where it does not change sign.

    ``excess`` gives the function and its derivative. Each root is found by itself: how many others there are makes no
    difference to it.
    """
    x = np.array(guess, float)
    below, above = np.full_like(x, low), np.full_like(x, high)
    going = np.ones_like(x, bool)
    for _ in range(ROUNDS):
        found, slope = excess(x)
        under = found <= 0.0
        below, above = np.where(under, x, below), np.where(under, above, x)
        step = x - found / slope
        step = np.where((step > below) & (step < above), step, 0.5 * (below + above))
        x, close = np.where(going, step, x), np.abs(step - x) <= 1e-6 * (1.0 + x)
        going &= ~close
        if not going.any():
            break
    near = 1e-3 * (high - low)
    if (x < low + near).any():
        x = np.where(excess(np.full_like(x, low + 1e-9))[0] >= 0.0, low, x)
    if (x > high - near).any():
        x = np.where(excess(np.full_like(x, high))[0] <= 0.0, high, x)
    return x


class _Group:
    """The programmes of one group: waits around a mean, and second places on the list of the fastest one.

    ``parts``: (share of the referred who are first reached there, relative wait) per programme. Who has a second
    place is reached on the faster list first, so the slower programmes lose those.
    """

    def __init__(self, programmes: list[Programme], starts: Number, spread: Number, second: Number) -> None:
        self.programmes = programmes
        self.starts = starts
        count = len(programmes)
        lost = 0.0 if count == 1 else second
        offsets = [1.0 + spread * (1.0 - 2.0 * i / (count - 1)) for i in range(count)] if count > 1 else [1.0]
        shares = [(1.0 - lost) / count] * (count - 1)
        self.parts = [*zip([*shares, 1.0 - sum(shares)], offsets, strict=True)]

    def mean_wait(self, x: Number, patience: Patience) -> tuple[Number, Number]:
        """Mean wait of those who start, when the programmes' waits lie around ``x``; and its derivative."""
        start = wait = rising = lost = 0.0
        for share, offset in self.parts:
            w = share * patience.survival(x * offset)
            gone = w * offset * patience.hazard(x * offset)
            start, wait, lost = start + w, wait + w * x * offset, lost + gone
            rising = rising + w * offset - gone * x * offset
        with np.errstate(invalid="ignore"):  # a wait so long that nobody starts
            return wait / start, (rising + wait / start * lost) / start

    def referred(self, x: Number, patience: Patience) -> Number:
        """Referred a year, so that as many start as do."""
        return self.starts / sum(share * patience.survival(x * offset) for share, offset in self.parts)

    def waiting(self, x: Number, patience: Patience) -> tuple[Number, Number]:
        """People on the list, and the derivative: the integral of S grows by S, the referred by whom the wait loses."""
        start = present = grows = lost = 0.0
        for share, offset in self.parts:
            w = share * patience.survival(x * offset)
            start, grows, lost = start + w, grows + w * offset, lost + w * offset * patience.hazard(x * offset)
            present = present + share * patience.presence(x * offset)
        a_day = self.starts / YEAR / start
        return a_day * present, a_day * (grows + present * lost / start)

    def balances(self, x: Number, patience: Patience, name: str, duration: Number) -> list[Balance]:
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
    sizes = [np.shape(x) for x in value.drawn.values() if np.ndim(x)]
    if not sizes:  # one future
        one = Values(value.scenario, {key: np.array([x], float) for key, x in value.drawn.items()})
        if value.drawn:
            return calibrate(one, region).at(0)
        found = _balance(value, region, (1,)).at(0)
        _check_size(value, found)
        return found
    return _balance(value, region, sizes[0])


def _check_size(value: Values, found: Baseline) -> None:
    """Refuse a list that the scenario asks for and there is no balance for."""
    if all(change.key != "assumptions.list_size" for change in value.scenario.changes):
        return
    asked, waiting = float(value("assumptions.list_size")), float(found.waiting)
    if abs(waiting - asked) > SIZE_HOLDS * asked:
        raise InputError(
            f"scenario {value.scenario.name}: figures.assumptions.list_size",
            f"{asked:g}",
            f"a list that goes with the published waits and with none above {LONGEST:g} weeks; this one would have "
            f"{waiting:.0f} people waiting",
            "scenario.balance.list_waits",
            value=asked,
            waiting=round(waiting),
        )


def _balance(value: Values, region: Region, shape_of_all: tuple[int, ...]) -> Baseline:
    starts, duration = starts_by_group(value)
    spread = value("assumptions.programme_wait_spread")
    second = value("public.duplicates_share")
    groups = {name: _Group(region.programmes_of(name), starts[name], spread, second) for name in GROUPS}
    published = {name: value(f"waiting.{name}") * WEEK for name in ("personality", "trauma", "somatic_symptom")}
    published["smi"] = value("assumptions.smi_wait") * WEEK
    size = value("assumptions.list_size")
    shape = value("assumptions.patience_shape")
    wanted = np.broadcast_to(np.asarray(value("assumptions.reneging_share"), float), shape_of_all)
    longest = LONGEST * WEEK

    def everywhere(x: Number) -> np.ndarray:
        return np.broadcast_to(np.asarray(x, float), shape_of_all)

    def solved(guess: Number, of: Callable[..., tuple[Number, Number]], wanted: Number, patience: Patience) -> Any:
        def excess(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            found, slope = of(x, patience)
            return found - wanted, slope

        return solve(0.0, longest, everywhere(guess), excess)

    def wait_of_list(name: str, waiting: Number, patience: Patience) -> Any:
        guess = np.minimum(waiting / groups[name].starts * YEAR, 0.5 * longest)  # the wait if nobody gave up
        return solved(guess, groups[name].waiting, waiting, patience)

    def waits(patience: Patience) -> dict[str, np.ndarray]:
        x = {name: solved(wait, groups[name].mean_wait, wait, patience) for name, wait in published.items()}
        known = sum(groups[name].waiting(x[name], patience)[0] for name in published)
        basic = value("public.waiting_share_basic") * size
        others = np.maximum(size - basic - known, groups["other"].starts * WEEK / YEAR)
        x["light"] = wait_of_list("light", basic, patience)
        x["other"] = wait_of_list("other", others, patience)
        return x

    def share(patience: Patience, x: Mapping[str, Number]) -> Number:
        return 1.0 - sum(starts.values()) / sum(groups[name].referred(x[name], patience) for name in GROUPS)

    going = wanted > 1e-4
    scale = np.where(going, 20.0 * WEEK / (-np.log1p(-np.where(going, wanted, 0.5))) ** (1.0 / shape), ENDLESS)
    patience = Patience(scale, shape)
    x = waits(patience)
    for _ in range(11):  # the waits depend on patience a little: a few rounds suffice
        found = share(patience, x)
        going &= np.abs(found - wanted) >= 1e-4
        if not going.any():
            break
        better = scale * (np.log1p(-found) / np.log1p(-np.where(going, wanted, 0.5))) ** (1.0 / shape)
        scale = np.where(going, better, scale)
        patience = Patience(scale, shape)
        x = waits(patience)
    programmes = {b.name: b for name in GROUPS for b in groups[name].balances(x[name], patience, name, duration[name])}
    ordered = tuple(programmes[programme.name] for programme in region.programmes)
    norm = value("public.treeknorm_total") * WEEK
    overdue = sum(
        b.referred * np.maximum(patience.presence(b.wait) - patience.presence(norm), 0.0) / YEAR for b in ordered
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


def ages(patience: Patience, wait: Number, count: int) -> np.ndarray:
    """Ages of those who wait in balance: ``count`` equally likely values, by the density S on (0, wait).

    (count,) for one future, (n, count) for many.
    """
    scale, shape, wait = np.broadcast_arrays(patience.scale, patience.shape, wait)
    grid = np.linspace(0.0, 1.0, 129) * wait[..., None]
    survival = np.exp(-((grid / scale[..., None]) ** shape[..., None]))
    mass = np.zeros_like(grid)
    np.cumsum(0.5 * (survival[..., 1:] + survival[..., :-1]), axis=-1, out=mass[..., 1:])
    points = (np.arange(count) + 0.5) / count * mass[..., -1:]
    flat = [points.reshape(-1, count), mass.reshape(-1, 129), grid.reshape(-1, 129)]
    found = np.array([np.interp(*row) for row in zip(*flat, strict=True)])
    youngest = 1e-6
    return np.maximum(found.reshape(points.shape), youngest)
