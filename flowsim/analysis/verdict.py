"""From estimates to coded verdicts. A code is decided on the interval, never on the point estimate alone.

The words for the codes are in ``flowsim/present/<language>/answer.toml``; the thresholds are here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from flowsim.analysis.statistics import Estimate
from flowsim.errors import InputError

CODES: Final = ("no", "unlikely", "uncertain", "likely", "yes")
"""From the worst to the best."""
ALMOST_SURE: Final = 0.9
"""``yes``: the whole interval is at or above it."""
ALMOST_NEVER: Final = 0.1
"""``no``: the whole interval is at or below it."""
EVEN: Final = 0.5
"""``likely``: the whole interval is above it; ``unlikely``: below; ``uncertain``: it lies within the interval."""
STRENGTHS: Final = ("unclear", "weak", "moderate", "strong")
MODERATE: Final = 0.3
STRONG: Final = 0.5
"""Least absolute rank correlation that is called moderate, strong (J. Cohen, Statistical Power Analysis for the
Behavioral Sciences, 2nd ed., 1988, section 3.2)."""


def chance(low: float, high: float) -> str:
    """The code of a probability that is known to lie between ``low`` and ``high``.

    Raises
    ------
    InputError : ends that are no probabilities, or stand the wrong way round.
    """
    if not 0.0 <= low <= high <= 1.0:
        raise InputError("interval of a probability", f"{low!r} to {high!r}", "0 <= low <= high <= 1")
    if low >= ALMOST_SURE:
        return "yes"
    if high <= ALMOST_NEVER:
        return "no"
    if low > EVEN:
        return "likely"
    if high < EVEN:
        return "unlikely"
    return "uncertain"


def across(codes: Iterable[str]) -> str:
    """What readings say together: ``yes`` or ``no`` when all are on that side of even, else ``depends``.

    One reading that is uncertain while the others lie on one side makes it depend on the reading; when all are
    uncertain, so is the whole.
    """
    found = set(codes)
    if found and found <= {"no", "unlikely"}:
        return "no"
    if found and found <= {"yes", "likely"}:
        return "yes"
    return "uncertain" if found == {"uncertain"} else "depends"


def leading(names: Sequence[str], settings: Mapping[str, Any]) -> str:
    """The case that the first sentence is about: the scenario's own reading, or the only case beside no network."""
    if settings["network"] == "functions" and settings["reading"] in names:
        return str(settings["reading"])
    return names[-1]


def undecided(estimates: Mapping[str, Estimate]) -> str:
    """The case whose probability lies nearest to even: where an unknown can turn the answer; the first of equals."""
    return min(estimates, key=lambda name: abs(estimates[name].value - EVEN))


def strength(correlation: float, low: float, high: float) -> str:
    """How much hangs on an unknown; ``unclear`` when its correlation may be zero."""
    if not (low > 0.0 or high < 0.0):
        return "unclear"
    size = abs(correlation)
    return "strong" if size >= STRONG else "moderate" if size >= MODERATE else "weak"


def turning_share(curve: Iterable[tuple[float, Estimate]]) -> float | None:
    """The smallest diverted share from which on clearing is more likely than not, for sure; None: none of them."""
    turn = None
    for share, estimate in sorted(curve, key=lambda point: point[0], reverse=True):
        if chance(estimate.low, estimate.high) not in ("likely", "yes"):
            break
        turn = share
    return turn


def verdicts(answer: Any) -> dict[str, Any]:
    """All codes of a `flowsim.study.answer.Answer`.

    Returns
    -------
    ``leading``: the case of the first sentence; ``undecided``: the reading that is; ``code``: that of the leading case;
    ``overall``: all readings together; ``cases``: a code for each; ``turning_share``: see `turning_share`.
    """
    estimates = {name: answer.probability(name) for name in answer.cases}
    codes = {name: chance(one.low, one.high) for name, one in estimates.items()}
    first = leading(list(codes), answer.scenario.settings)
    readings = [name for name in codes if name != "none"] or list(codes)
    return {
        "leading": first,
        "undecided": undecided({name: estimates[name] for name in readings}),
        "code": codes[first],
        "overall": across(codes[name] for name in readings),
        "cases": codes,
        "turning_share": turning_share(answer.curve),
    }
