"""What is sought, as a person writes it (``P(cleared) >= 0.9``, ``overdue_2029 <= 50``), and how futures score on it.

A goal is about a probability or about a mean. Every future gets a score whose expectation is at least 0 exactly when
the goal is met, so that finding the lever that meets it is finding a root.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from flowsim.analysis import measures
from flowsim.analysis.clearing import Future
from flowsim.analysis.statistics import Estimate, mean_interval, wilson
from flowsim.errors import InputError
from flowsim.plan.targets import Target, load_targets
from flowsim.plan.years import YEARS

EXAMPLES: Final = '"P(cleared) >= 0.9", "overdue_2029 <= 50", "mean_wait_2029 <= 8 weeks" or "P(kpi_24) >= 0.5"'
LAST: Final = f"_{YEARS[-1]}"
"""What a measure of a year gets when no year is given: the end of the five years."""
UNITS: Final = {"days": 1.0, "dagen": 1.0, "weeks": 7.0, "weken": 7.0}
OWN: Final = frozenset({"wait_reduction", "conversations", "support_point_users", "support_points_open"})
"""Quantities of a promise that need no future without a network to be judged."""

_GOAL: Final = re.compile(r"\s*(?:P\s*\((?P<event>[^()]*)\)|(?P<measure>[A-Za-z]\w*))\s*(?P<rest>.*)", re.DOTALL)
_BOUND: Final = re.compile(r"(?P<op>>=|<=|≥|≤)\s*(?P<number>-?\d+(?:\.\d+)?)\s*(?P<unit>%|[a-z]*)\s*")
_CONDITION: Final = re.compile(r"\s*(?P<name>[A-Za-z]\w*)\s*(?P<rest>.*)", re.DOTALL)


@dataclass(frozen=True)
class Goal:
    """A goal.

    Attributes
    ----------
    text : as flowsim writes it.
    measure : what is looked at in a future (`flowsim.analysis.measures`); None for a promise of the plan.
    promise : a promise of the plan (`flowsim.plan.targets`), judged in each future; None otherwise.
    event : of a probability: (``>=`` or ``<=``, number), the condition on the measure; None for ``cleared``.
    probability : whether the goal is about a probability; else about the mean of the measure.
    at_least : ``>=``. value : the bound: a probability, or in the measure's unit (waits: days).
    """

    text: str
    measure: str | None
    promise: Target | None
    event: tuple[str, float] | None
    probability: bool
    at_least: bool
    value: float

    @property
    def needs_base(self) -> bool:
        """Whether the same futures without a network are needed."""
        return self.promise is not None and self.promise.quantity not in OWN

    @property
    def unit(self) -> str:
        """Unit of `value`."""
        return "probability" if self.probability else measures.known()[self.measure or ""][0]

    def values(
        self, case: Any, futures: Sequence[Future], drawn: Sequence[dict[str, float]], base: Any = None
    ) -> np.ndarray:
        """What is averaged, per future: 0 or 1, or the measure. (n,) float64.

        Parameters
        ----------
        case : the `flowsim.study.futures.Case` that the futures are of. drawn : their unknowns.
        base : a case with the same futures without a network, when `needs_base`.
        """
        if self.promise is not None:
            from flowsim.analysis.targets import Quantities

            of = copy.copy(case)
            of.futures, of.drawn = list(futures), list(drawn)
            simulated = Quantities(of, base if self.needs_base else of).of(
                self.promise.quantity, self.promise.date.year
            )
            assert simulated is not None  # refused when the goal was read
            slack = 1.0 + (measures.ROUNDING if self.promise.comparison == ">=" else -measures.ROUNDING)
            return np.array([float(self.promise.met(float(x) * slack)) for x in simulated])
        assert self.measure is not None
        found = [measures.measured(one, (self.measure,), case.definition)[0] for one in futures]
        values = np.array(found, np.float64)
        if self.event is None:
            return values
        op, bound = self.event
        met = values >= bound if op == ">=" else values <= bound  # NaN meets nothing
        return met.astype(np.float64)

    def scores(self, values: np.ndarray) -> np.ndarray:
        """Score per future: the goal is met when its expectation is at least 0."""
        return values - self.value if self.at_least else self.value - values

    def estimate(self, values: np.ndarray, level: float = 0.95) -> Estimate:
        """The probability (Wilson's interval) or the mean (Student's t)."""
        if self.probability:
            return wilson(round(values.sum()), len(values), level)
        return mean_interval(values, level)


def parse(text: object, region: str | Path = "amstelland", where: str = "target") -> Goal:
    """Read a goal: ``P(event) >= number``, or ``measure <= number``.

    An event is ``cleared``, the id of a promise of the plan (``kpi_24``), or a condition on a measure
    (``overdue_2029 <= 50``). A measure of a year without a year is that of the last one. Waits are in days, or in
    ``weeks``. Probabilities may be per cents: ``90%``.

    Raises
    ------
    InputError : something else; one message says what was found and what was expected.
    """
    matched = _GOAL.fullmatch(text) if isinstance(text, str) else None
    if matched is None:
        raise InputError(where, repr(text), f"a goal such as {EXAMPLES}")
    if matched["event"] is None:
        measure = _measure(matched["measure"], where)
        if measure in ("cleared", "cleared_day", "wait_ratio"):
            raise InputError(where, repr(text), f"a probability for {measure}, such as {_as_event(measure)}")
        op, value = _bound(matched["rest"], measures.known()[measure][0], where, text)
        return Goal(f"{measure} {op} {value:g}", measure, None, None, False, op == ">=", value)
    op, value = _bound(matched["rest"], "probability", where, text)
    if not 0.0 < value < 1.0:
        raise InputError(where, f"a probability of {value:g}", "one above 0 and below 1, such as 0.9")
    inside = _CONDITION.fullmatch(matched["event"])
    if inside is None:
        raise InputError(where, f"P({matched['event']})", f"an event in the brackets, such as in {EXAMPLES}")
    name, rest = inside["name"], inside["rest"]
    if not rest:
        if name == "cleared":
            return Goal(f"P(cleared) {op} {value:g}", name, None, None, True, op == ">=", value)
        promise = _promise(name, region, where)
        return Goal(f"P({name}) {op} {value:g}", None, promise, None, True, op == ">=", value)
    measure = _measure(name, where)
    condition, bound = _bound(rest, measures.known()[measure][0], where, text)
    written = f"P({measure} {condition} {bound:g}) {op} {value:g}"
    return Goal(written, measure, None, (condition, bound), True, op == ">=", value)


def _as_event(measure: str) -> str:
    return {"cleared": "P(cleared) >= 0.9", "wait_ratio": "P(wait_ratio <= 0.5) >= 0.5"}.get(
        measure, "P(cleared_day <= 1461) >= 0.5"
    )


def _measure(name: str, where: str) -> str:
    known = measures.known()
    full = name if name in known or name not in measures.BY_YEAR else name + LAST
    measures.check((full,), where)
    return full


def _promise(name: str, region: str | Path, where: str) -> Target:
    from flowsim.analysis.targets import NOT_SIMULATED

    promises = {one.id: one for one in load_targets(region)}
    if name not in promises:
        if name in measures.known() or name in measures.BY_YEAR:
            raise InputError(where, f"P({name})", f"a condition in the brackets, such as P({name} <= 50) >= 0.9")
        raise InputError(where, f"P({name})", "cleared, a promise (" + ", ".join(promises) + ") or a condition")
    if promises[name].quantity in NOT_SIMULATED:
        raise InputError(where, f"P({name}), of which the simulation says nothing", "a promise that is simulated")
    return promises[name]


def _bound(text: str, unit: str, where: str, whole: object) -> tuple[str, float]:
    matched = _BOUND.fullmatch(text)
    if matched is None:
        raise InputError(where, repr(whole), f">= or <= and a number (0.9, not 0,9), such as {EXAMPLES}")
    value, written = float(matched["number"]), matched["unit"]
    if written == "%":
        if unit not in ("probability", "fraction"):
            raise InputError(where, repr(whole), f"a number of {unit}, not a per cent")
        value /= 100.0
    elif written:
        if written not in UNITS or unit != "days":
            expected = "days or weeks" if unit == "days" else "no unit: it counts in " + unit
            raise InputError(where, f"the unit {written!r}", expected)
        value *= UNITS[written]
    return {"≥": ">=", "≤": "<="}.get(matched["op"], matched["op"]), value
