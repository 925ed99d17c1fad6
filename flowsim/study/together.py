"""Cases that are studied side by side: every case gets the same futures, block by block.

Interrupted at any moment, all cases have some futures in common, and those are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from flowsim.errors import InputError
from flowsim.scenario.load import Scenario, default, load, named
from flowsim.study.futures import Balances, Case

BLOCK: Final = 32
FIRST_BLOCK: Final = 4
"""Blocks begin small, so that an early interruption finds futures that all cases have."""
LEAST: Final = 2
MOST: Final = 20_000
LEVEL: Final = 0.95

Progress = Callable[[str, int, int], None]
"""Called with the name of the case, the futures done and the futures expected."""


def extend_together(
    cases: Mapping[str, Case],
    count: int,
    seed: int,
    balances: Balances,
    threads: int | None,
    progress: Progress | None = None,
) -> None:
    """Run futures until every case has ``count``; the results do not depend on blocks or threads.

    Progress counts the futures of all cases together, under the name of the case that runs.
    """
    while (common := min(len(case.futures) for case in cases.values())) < count:
        goal = min(count, common + min(BLOCK, max(FIRST_BLOCK, common)))
        for name, case in cases.items():
            done = len(case.futures)
            if done < goal:
                case.extend(goal - done, seed, balances, threads, _of(progress, name, done, count))


def _of(progress: Progress | None, name: str, done: int, total: int) -> Callable[[int], None] | None:
    return None if progress is None else lambda number: progress(name, done + number, total)


def keep_common(cases: Mapping[str, Case]) -> int:
    """Drop the futures that not every case has; the number that is left."""
    count = min(min(len(case.futures), len(case.drawn)) for case in cases.values())
    for case in cases.values():
        del case.futures[count:]
        del case.drawn[count:]
    return count


def given_scenario(given: Scenario | str | Path | None) -> Scenario:
    """The scenario that an argument stands for: itself, that of a file (`read_scenario`), or (None) the plan as it
    stands. Raises as `read_scenario`."""
    if isinstance(given, Scenario):
        return given
    return default() if given is None else read_scenario(given)


def read_scenario(given: str | Path) -> Scenario:
    """The scenario of a file; a name alone may also be that of a file in ``experiments/``.

    Raises
    ------
    InputError : a file that cannot be used, or that holds a network instead of a scenario.
    """
    return load(named(given))


def same_region(scenarios: Mapping[str, Scenario]) -> None:
    """Refuse scenarios of different regions: their residents are not the same people."""
    regions = {scenario.region for scenario in scenarios.values()}
    if len(regions) > 1:
        found = ", ".join(f"{name}: {one.region}" for name, one in scenarios.items())
        raise InputError("scenarios", f"different regions ({found})", "scenarios of one region")
