"""The page about planted faults, from the verdicts that ``make mutants`` keeps in ``docs/results/mutation.json``."""

from __future__ import annotations

import json
from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from flowsim.analysis.statistics import Estimate, wilson
from making.markdown import code, number, prose, table

RESULTS: Final = Path(__file__).resolve().parents[1] / "results" / "mutation.json"
LEAST: Final = 0.85
"""Share that the tests must notice."""
NOTICED: Final = ("killed", "timeout")
KINDS: Final = {
    "equivalent": "no test can tell it: the program means the same",
    "tolerance": "the result changes by less than it is meant to be exact, or only a search takes another path",
    "message": "only the words of a message change, or how something looks",
    "guard": "a check of what cannot come about, or of hardware and files that a test cannot have",
    "gap": "a test is missing",
}
"""Why a fault stays unnoticed -> what that means."""


@lru_cache(maxsize=1)
def results() -> dict[str, Any]:
    """The kept verdicts."""
    content: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))
    return content


def sample(fresh: bool = False) -> list[dict[str, Any]]:
    """The mutants of the sample; or the fresh ones, for which no test was written."""
    return [one for one in results()["mutants"] if one["fresh"] == fresh]


def share(mutants: list[dict[str, Any]]) -> Estimate:
    """Share noticed, with Wilson's 95% interval."""
    return wilson(sum(one["outcome"] in NOTICED for one in mutants), len(mutants))


def _percent(value: float) -> str:
    return f"{number(100.0 * value, 1)}%"


def package(module: str) -> str:
    """``flowsim/analysis/theory.py`` -> ``flowsim/analysis``."""
    return "/".join(module.split("/")[:2])


def summary() -> str:
    """The answer, in a paragraph."""
    told = results()
    mutants, population = sample(), sum(told["population"].values())
    found = share(mutants)
    kinds = Counter(one["outcome"] for one in mutants)
    why = Counter(one["kind"] for one in mutants if one["outcome"] not in NOTICED)
    same = why["equivalent"]
    text = (
        f"Of {number(population)} mutants, {number(len(mutants))} were drawn and judged: a sample, not all of them. "
        f"**{sum(kinds[one] for one in NOTICED)} of {len(mutants)} were noticed: {_percent(found.value)}** "
        f"(95% interval {_percent(found.low)} to {_percent(found.high)}; at least {_percent(LEAST)} is asked for). "
    )
    if kinds["timeout"]:
        text += f"Among them are {kinds['timeout']} that never ended. "
    text += f"{len(mutants) - sum(kinds[one] for one in NOTICED)} survived"
    if same:
        text += (
            f"; {same} of those mean the same as the program that they replace, and no test could tell. Without them "
            f"the share is {_percent(sum(kinds[one] for one in NOTICED) / (len(mutants) - same))}"
        )
    again = sample(fresh=True)
    later, noticed = share(again), sum(one["outcome"] in NOTICED for one in again)
    text += (
        ".\n\nTests were written for what survived, so that is the share of a suite that has seen its exam. Afterwards "
        f"{len(again)} *fresh* mutants were drawn, for which no test was written: **{noticed} of {len(again)} were "
        f"noticed, {_percent(later.value)}** ({_percent(later.low)} to {_percent(later.high)}). That is what to expect "
        "of a fault that nobody has thought of.\n"
    )
    return text


def packages() -> str:
    """Table of packages and modules."""
    told = results()
    rows = []
    for name in dict.fromkeys(package(module) for module in told["population"]):
        mine = [one for one in sample() if package(one["module"]) == name]
        number_of = sum(count for module, count in told["population"].items() if package(module) == name)
        found = share(mine)
        noticed = sum(one["outcome"] in NOTICED for one in mine)
        interval = f"{_percent(found.low)} to {_percent(found.high)}"
        rows.append([code(name), number(number_of), str(len(mine)), str(noticed), _percent(found.value), interval])
    return table(["package", "mutants", "judged", "noticed", "share", "95% interval"], rows, right=(1, 2, 3, 4, 5))


def operators() -> str:
    """Table by kind of fault."""
    mutants = sample()
    rows = []
    for operator, count in Counter(one["operator"] for one in mutants).most_common():
        noticed = sum(one["outcome"] in NOTICED for one in mutants if one["operator"] == operator)
        rows.append([code(operator), str(count), str(noticed)])
    return table(["operator of cosmic-ray", "judged", "noticed"], rows, right=(1, 2))


def reasons() -> str:
    """Table of why faults stayed unnoticed."""
    why = Counter(one["kind"] for one in sample() if one["outcome"] not in NOTICED)
    return table(["why", "meaning", "survivors"], [[kind, KINDS[kind], str(n)] for kind, n in why.most_common()], (2,))


def survivors(fresh: bool = False) -> str:
    """Every survivor, with its explanation."""
    rows = []
    for one in sample(fresh):
        if one["outcome"] in NOTICED:
            continue
        place = f"{one['module'].removeprefix('flowsim/')}:{one['line']}"
        rows.append([code(place), code(one["before"]), code(one["after"]), one["kind"], prose(one["why"])])
    return table(["where", "was", "became", "why", "explanation"], rows)


def fresh_survivors() -> str:
    """Every survivor among the fresh mutants."""
    return survivors(fresh=True)
