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


PARTS: Final = {
    "first": "tests were written for what survived of them, and then they were judged once more",
    "second": "no test had been written for these; since then, one for each gap",
    "third": "judged once, after tests had been written for the plan and the analysis: none was written for these",
    "fourth": "judged once, after tests had been written for the documents of networks too: none was written for these",
}
"""Samples in the order in which they were drawn -> what the share of each says."""
UNSEEN: Final = ("third", "fourth")
"""Those for whose mutants no test was written, of the code as it is: all of them that there are, taken together."""


def sample(*parts: str) -> list[dict[str, Any]]:
    """The mutants of these samples; none named: of the unseen ones."""
    return [one for one in results()["mutants"] if one["part"] in (parts or UNSEEN)]


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
    mutants, population = sample(), sum(results()["population"].values())
    found, least = share(mutants), _percent(LEAST)
    kinds = Counter(one["outcome"] for one in mutants)
    why = Counter(one["kind"] for one in mutants if one["outcome"] not in NOTICED)
    noticed, same = sum(kinds[one] for one in NOTICED), why["equivalent"]
    text = (
        f"Of {number(population)} mutants, {len(mutants)} were drawn and judged for which no test was written, in two "
        f"samples. **{noticed} of {len(mutants)} were noticed: {_percent(found.value)}** (95% interval "
        f"{_percent(found.low)} to {_percent(found.high)}; at least {least} is asked for). That is what to expect of a "
        "fault that nobody has thought of. "
    )
    if kinds["timeout"]:
        text += f"Among them are {kinds['timeout']} that never ended. "
    text += f"{len(mutants) - noticed} survived"
    if same:
        text += (
            f"; {same} of those mean the same as the program that they replace, and no test could tell. Without them "
            f"the share is {_percent(noticed / (len(mutants) - same))}"
        )
    missed = [part for part in UNSEEN if share(sample(part)).value < LEAST]
    if missed:
        text += f".\n\nOf the {' and the '.join(missed)} sample by itself it is less than {least}"
    if found.low < LEAST <= found.value:
        text += (
            f".\n\nThe interval begins below {least}: a sample of this size does not prove that the share of all "
            "mutants is that high"
        )
    return text + ".\n"


def samples() -> str:
    """Every sample that was ever judged."""
    rows = []
    for part, what in PARTS.items():
        mutants = sample(part)
        found = share(mutants)
        noticed = sum(one["outcome"] in NOTICED for one in mutants)
        interval = f"{_percent(found.low)} to {_percent(found.high)}"
        rows.append([part, str(len(mutants)), str(noticed), _percent(found.value), interval, what])
    return table(["sample", "mutants", "noticed", "share", "95% interval", "what it says"], rows, right=(1, 2, 3, 4))


def left_alone() -> str:
    """What is not planted, by rule."""
    rows = [[one["what"], number(one["mutants"])] for one in results()["left_alone"].values()]
    return table(["not planted", "mutants"], rows, right=(1,))


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


def survivors(*parts: str) -> str:
    """Every survivor of these samples, with its explanation."""
    rows = []
    for one in (mutant for part in parts or UNSEEN for mutant in sample(part)):
        if one["outcome"] in NOTICED:
            continue
        place = f"{one['module'].removeprefix('flowsim/')}:{one['line']}"
        rows.append([code(place), code(one["before"]), code(one["after"]), one["kind"], prose(one["why"])])
    return table(["where", "was", "became", "why", "explanation"], rows)


def earlier() -> str:
    """Every survivor of the samples before the unseen ones; lines are those of that moment."""
    return survivors(*(part for part in PARTS if part not in UNSEEN))
