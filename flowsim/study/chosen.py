"""Futures chosen because they may go either way: most of what is not known about a probability is their luck.

What the fluid twin makes of a future's unknowns often says nearly for sure whether the lists are cleared. Such a future
is passed over, but for one in ten; the others are simulated, and each counts for as many as it stands for
(`flowsim.analysis.adjusted`). They tell whether the lists are cleared and nothing else: what a table shows comes from
the futures that were simulated without choosing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from typing import TYPE_CHECKING, Final

import numpy as np

from flowsim.analysis.adjusted import too_few, worth_simulating
from flowsim.analysis.clearing import SCORES
from flowsim.model import draws

if TYPE_CHECKING:
    from flowsim.study.futures import Balances, Case

STREAM: Final = np.uint64(0x63686F73)
"""Root of the draws that say whether a candidate is simulated."""
AT_ONCE: Final = 256
"""Candidates looked at together."""


def can_choose(case: Case) -> bool:
    """Whether there is a twin, and enough outcomes of both kinds for its scores to say what a future is worth."""
    return case.twin is not None and not too_few(case.cleared, SCORES)


def luck(seed: int, future: int) -> float:
    """Uniform number of a candidate: it is simulated when that is below its probability."""
    return float(draws.unit(np.uint64(draws.output(np.uint64(draws.output(STREAM, seed)), future))))


def extend_chosen(
    case: Case,
    count: int,
    seed: int,
    balances: Balances,
    threads: int | None,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Simulate about ``count`` more futures, chosen among the next candidates; those done stay when it is interrupted.

    How many candidates there are, and what each is worth, follows from the futures so far and from the values of the
    next ones; which of them are simulated is drawn.
    """
    numbers, probability, last = _next(case, count, seed)
    chosen = case.chosen
    results = case.clearing(numbers, seed, balances, threads, progress)
    with closing(results) as done:
        for number, p, cleared in zip(numbers, probability, done, strict=True):
            chosen.candidates = number + 1 - len(case.futures)
            chosen.numbers.append(number)
            chosen.probability.append(p)
            chosen.cleared.append(cleared)
    chosen.candidates = last + 1 - len(case.futures)


def _next(case: Case, count: int, seed: int) -> tuple[list[int], list[float], int]:
    """The next futures to be simulated and their probabilities, and the last candidate."""
    chosen, twin = case.chosen, case.twin
    assert twin is not None
    so_far = [*range(len(case.futures)), *chosen.numbers]
    outcome = np.r_[case.cleared, np.array(chosen.cleared, bool)]
    scores = twin.of(so_far)
    numbers: list[int] = []
    probability: list[float] = []
    candidate = len(case.futures) + chosen.candidates
    expected = 0.0
    while True:
        some = range(candidate, candidate + AT_ONCE)
        worth = worth_simulating(outcome, scores, twin.population, twin.of(some))
        for candidate, p in zip(some, worth.tolist(), strict=True):
            expected += p
            if luck(seed, candidate) < p:
                numbers.append(candidate)
                probability.append(p)
            if expected >= count:
                return numbers, probability, candidate
        candidate += 1
