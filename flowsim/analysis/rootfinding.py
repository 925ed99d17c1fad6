"""The smallest lever that meets a goal, with an interval: stochastic root finding on common random numbers.

The lever's range is cut into cells and the positions are numbered in the direction in which the lever helps. A future
has the same luck at every position, so the mean score of the first n futures is one fixed function of the position: the
*sample path*. Its root is found by bracketing (regula falsi with bisection as a guard), then n is made larger and the
search goes on where it was: retrospective approximation [1]_, [2]_, [3]_.

The interval inverts a test. At a position the goal is *missed* or *met* beyond doubt when a one-sided test at 2.5% says
so: the binomial test for a probability, so that the ends are those of the order-statistics interval of a quantile
[4]_; Student's t for a mean. The interval runs from the last position that is missed beyond doubt to the first that is
met beyond doubt, and holds the root with at least 95%, if the expected score rises with the position.

Where to look, in a search about a probability, is found cheaply: a future that met the goal at a lower position is
taken to meet it here too, and is not simulated. What is reported does not rest on that: the root and both ends of its
interval are judged on all n futures, and the futures that went back are counted.

References
----------
.. [1] H. Chen and B. W. Schmeiser, "Stochastic root finding via retrospective approximation", IIE Transactions 33(3),
   2001, p. 259.
.. [2] R. Pasupathy and S. Kim, "The stochastic root-finding problem: overview, solutions, and open questions", ACM
   Transactions on Modeling and Computer Simulation 21(3), 2011, article 19.
.. [3] K. Healy and L. W. Schruben, "Retrospective simulation response optimization", Proceedings of the 1991 Winter
   Simulation Conference, p. 901.
.. [4] G. J. Hahn and W. Q. Meeker, Statistical Intervals, 1991, chapter 5.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Final

import numpy as np

from flowsim.analysis.statistics import mean_interval, paired_difference

PILOT: Final = 32
"""Futures of the first look, at the ends and the quarters of the range."""
FIRST: Final = (32, 64)
"""Futures of the first search: at least, and when the budget allows it."""
COST: Final = (5, 9)
"""Simulations that a search on one future more takes, about a probability and about a mean."""
AHEAD: Final = 1.3
"""How far beyond the place where a step is expected to look, as a factor: a bracket is found at once."""
FIRST_COST: Final = (8, 14)
"""The same for a first search, which knows less."""
LEVEL: Final = 0.95
MOST: Final = 20_000
MISSED: Final = 0
ROOT: Final = 1
MET: Final = 2
"""The three step functions of a position: not missed beyond doubt, met on the sample path, met beyond doubt."""

Scores = Callable[[int, np.ndarray], np.ndarray]
"""(position, futures) -> the scores of these futures there: (m,) int -> (m,) float."""


class BudgetSpent(Exception):
    """Raised by `Scores` when no more futures may be simulated."""


@dataclass(frozen=True)
class Root:
    """What was found.

    Attributes
    ----------
    state : ``found``; ``already``: met at the first position; ``not_reached``: met nowhere.
    at : the first position at which the sample path meets the goal; None when not reached.
    low : the last position that misses beyond doubt; None: the interval is open below (even the first may do).
    high : the first position that meets beyond doubt; None: the interval is open above (no position is sure to do).
    best : of the positions that were judged on all futures, the one with the highest mean score.
    n : futures of each position that the search rests on.
    tried : the positions that were judged on all n futures.
    reversals : futures that meet the goal at a position and no longer at a later one (probabilities).
    bends : pairs of positions of which the later one is worse beyond doubt: the goal does not rise with the lever.
    precise : whether the interval is as short as was asked for.
    """

    state: str
    at: int | None
    low: int | None
    high: int | None
    best: int
    n: int
    tried: tuple[int, ...]
    reversals: int
    bends: tuple[tuple[int, int], ...]
    precise: bool


class Known:
    """The scores that are there, by position and future; and what they imply when no future ever goes back."""

    def __init__(self, scores: Scores, binary: bool) -> None:
        self.scores = scores
        self.binary = binary
        self.rows: dict[int, np.ndarray] = {}

    def row(self, position: int, n: int) -> np.ndarray:
        """Scores of the first n futures at a position, NaN where not simulated."""
        row = self.rows.get(position, np.empty(0))
        if len(row) < n:
            row = self.rows[position] = np.concatenate([row, np.full(n - len(row), np.nan)])
        return row[:n]

    def simulate(self, position: int, futures: np.ndarray) -> None:
        """Simulate futures at a position, those that are not there yet."""
        missing = futures[np.isnan(self.row(position, int(futures.max(initial=-1)) + 1)[futures])]
        if len(missing):
            self.rows[position][missing] = self.scores(position, missing)

    def whole(self, position: int, n: int) -> np.ndarray:
        """Scores of the first n futures, all of them simulated."""
        self.simulate(position, np.arange(n))
        return self.row(position, n)

    def implied(self, position: int, n: int) -> np.ndarray:
        """Scores of the first n futures; those that other positions leave open are simulated."""
        if not self.binary:
            return self.whole(position, n)
        first, last = self.turns(n)
        up, down = first <= position, last >= position
        open_ = np.isnan(self.row(position, n)) & (up == down)
        self.simulate(position, np.flatnonzero(open_))
        row = self.row(position, n)
        values = self.rows[position][~np.isnan(self.rows[position])]
        top, bottom = self.two if len(values) == 0 else (max(self.two[0], values.max()), min(self.two[1], values.min()))
        return np.where(np.isnan(row), np.where(up, top, bottom), row)

    @property
    def two(self) -> tuple[float, float]:
        """The score of a future that meets the goal, and of one that does not, as far as both were seen."""
        values = np.concatenate([row[~np.isnan(row)] for row in self.rows.values()] or [np.zeros(1)])
        return float(values.max(initial=-np.inf)), float(values.min(initial=np.inf))

    def turns(self, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Per future, the first position that was seen to meet the goal (inf) and the last that was not (-inf)."""
        first, last = np.full(n, np.inf), np.full(n, -np.inf)
        for position in self.rows:
            row = self.row(position, n)
            first = np.where(row >= 0.0, np.minimum(first, position), first)
            last = np.where(row < 0.0, np.maximum(last, position), last)
        return first, last


@dataclass
class Path:
    """The sample path on n futures: its three step functions, where they are known.

    ``slope`` : what the mean score is likely to rise by from one position to the next; None: a first search,
    in which that is not known.
    """

    scores: Known
    probability: float | None
    n: int
    slope: float | None = None
    known: dict[int, tuple[float, float, float]] = field(default_factory=dict)
    sure: set[int] = field(default_factory=set)

    def at(self, position: int, sure: bool = False) -> tuple[float, float, float]:
        """(surplus over missed beyond doubt, mean score, surplus over met beyond doubt): at least 0 is yes.

        ``sure`` : on all n futures, none of them implied.
        """
        if position not in self.known or (sure and position not in self.sure):
            scores = (self.scores.whole if sure else self.scores.implied)(position, self.n)
            self.known[position] = judged(scores, self.probability)
            if sure or self.probability is None:
                self.sure.add(position)
        return self.known[position]

    def first(self, which: int, guess: int, last: int, step: int = 1, tolerance: int = 1) -> int | None:
        """The first position from 0 to ``last`` with step function ``which`` at or above 0; None: there is none.

        ``guess`` : where to look first. ``step`` : how far to look next, doubled every time, unless the slope says
        more. With a ``tolerance`` the position is at most so many after the first one. It is sure; of `MISSED`, the
        one before it is.
        """
        while True:
            below, above = self._bracket(which, guess, last, step)
            while above is not None and above - below > tolerance:
                above, below = self._narrowed(which, below, above)
            rests_on = below if which == MISSED and below >= 0 else last if above is None else above
            if rests_on in self.sure:
                return None if above is None else below + 1 if which == MISSED else above
            before = self.at(rests_on)[which] >= 0.0
            if (self.at(rests_on, sure=True)[which] >= 0.0) == before:
                return None if above is None else below + 1 if which == MISSED else above

    def _bracket(self, which: int, guess: int, last: int, step: int) -> tuple[int, int | None]:
        """Two positions with the step between them, from what is known and by steps that double from a guess."""
        yes = sorted(k for k, s in self.known.items() if s[which] >= 0.0 and k <= last)
        above = yes[0] if yes else None
        no = [k for k, s in self.known.items() if s[which] < 0.0 and k < (last + 1 if above is None else above)]
        below = max(no, default=-1)
        while above is None or below < 0:
            if above is None and below >= last:
                return below, None
            if above == 0:
                break
            place = min(max(guess, below + 1), last if above is None else above - 1)
            surplus = self.at(place)[which]
            far = step if not self.slope else max(step, math.ceil(AHEAD * abs(surplus) / self.slope))
            if surplus >= 0.0:
                above, guess = place, place - far
            else:
                below, guess = place, place + far
            step *= 2
        return below, above

    def _narrowed(self, which: int, below: int, above: int) -> tuple[int, int]:
        """A shorter bracket: by the secant, then by half when that left more than half of it."""
        before = above - below
        low = self.at(below)[which] if below >= 0 else -1.0
        secant = below + round(before * low / (low - self.at(above)[which]))
        for place in (min(max(secant, below + 1), above - 1), (below + above) // 2):
            if not below < place < above:
                place = (below + above) // 2
            if self.at(place)[which] >= 0.0:
                above = place
            else:
                below = place
            if above - below <= max(1, before // 2):
                break
        return above, below


@lru_cache(maxsize=4096)
def critical(n: int, probability: float) -> tuple[int, int]:
    """(a, b) for n trials: up to ``a`` successes are too few, ``b`` or more too many for a chance of ``probability``,
    each with at most (1 - `LEVEL`) / 2. Sizes that say nothing give (-1, n + 1)."""
    from scipy.special import bdtr

    tail = (1.0 - LEVEL) / 2.0
    at_most = bdtr(np.arange(n + 1), n, probability)
    few = int(np.count_nonzero(at_most <= tail)) - 1
    many = n + 1
    enough = np.flatnonzero(at_most[:-1] >= 1.0 - tail)  # P(at least k + 1) = 1 - P(at most k)
    if len(enough):
        many = int(enough[0]) + 1
    return few, many


def judged(scores: np.ndarray, probability: float | None) -> tuple[float, float, float]:
    """See `Path.at`. ``probability`` : of a goal about one, the chance that scores of two values are held against."""
    n, mean = len(scores), float(scores.mean())
    if probability is None:
        estimate = mean_interval(scores, LEVEL)
        low, high = estimate.low, estimate.high
        return high, mean, low
    few, many = critical(n, probability)
    successes = round(n * (mean + probability))
    return (successes - few - 1) / n, mean + 1e-12, (successes - many) / n


def search(
    scores: Scores,
    cells: int,
    half_width: float,
    probability: float | None = None,
    budget: Callable[[], float] = lambda: math.inf,
    most: int = MOST,
    told: Callable[[Root], None] = lambda _: None,
) -> tuple[Root | None, bool]:
    """Find the first position, from 0 to ``cells``, at which the expected score is at least 0.

    Parameters
    ----------
    scores : see `Scores`. Ordinary scores lie around 0; with ``probability`` q they are 1 - q and -q.
    half_width : go on until the interval is at most twice this long, in positions; or until the budget is spent.
    probability : q, for a goal about a probability; None for a mean.
    budget : futures that may still be simulated; `scores` may raise `BudgetSpent`.
    most : futures of a position, at most.
    told : called with what each search found, the last one too.

    Returns
    -------
    The root (None: not even the first search was finished), and whether it was cut short by Ctrl-C.
    """
    known = Known(scores, probability is not None)
    found: Root | None = None
    try:
        pilot = Path(known, probability, PILOT)
        quarters = sorted({round(k * cells / 4) for k in range(5)})
        means = {k: pilot.at(k, sure=True)[ROOT] for k in quarters}
        last = _top(known, quarters, means)
        before = [k for k in quarters if k < last and means[k] < 0.0]
        within = budget() / FIRST_COST[probability is None]
        path = Path(known, probability, FIRST[1] if within >= FIRST[1] else FIRST[0])
        guesses = (max(before, default=0), max(before, default=0), last)
        while True:
            found = _searched(path, guesses, last, half_width)
            told(found)
            n = _more(found, path, half_width, budget(), most)
            if n is None:
                return found, False
            guesses = _guesses(found, math.sqrt(path.n / n), last)
            path = Path(known, probability, n, _slope(path, found))
    except BudgetSpent:
        return found, False
    except KeyboardInterrupt:
        return found, True


def _top(known: Known, quarters: list[int], means: dict[int, float]) -> int:
    """Where to search up to: the end of the range, unless a position before it is better beyond doubt."""
    end, best = quarters[-1], max(quarters, key=lambda k: (means[k], k))
    if best != end:
        level = 1.0 - (1.0 - LEVEL) / (len(quarters) - 1)
        if paired_difference(known.whole(end, PILOT), known.whole(best, PILOT), level).low > 0.0:
            return best
    return end


def _searched(path: Path, guesses: tuple[int, int, int], last: int, half_width: float) -> Root:
    """The root and its interval on this sample path."""
    first_time = path.slope is None
    step, tolerance = max(1, last // 16) if first_time else 1, max(1, last // 64) if first_time else 1
    # Futures that met the goal lower down need no simulation higher up: begin low when most will have met it.
    order = (MISSED, ROOT, MET) if path.probability is None or path.probability >= 0.5 else (MET, ROOT, MISSED)
    steps = {which: path.first(which, guesses[which], last, step, tolerance) for which in order}
    missed, at, high = steps[MISSED], steps[ROOT], steps[MET]
    low = last if missed is None else missed - 1 if missed > 0 else None
    state = "not_reached" if at is None else "already" if at == 0 else "found"
    tried = tuple(sorted(path.sure))
    best = max(tried, key=lambda k: (path.known[k][ROOT], k))
    width = math.inf if high is None or (low is None and state != "already") else high - (low or 0)
    reversals, bends = _shape(path, tried)
    return Root(state, at, low, high, best, path.n, tried, reversals, bends, width <= 2.0 * half_width)


def _shape(path: Path, tried: tuple[int, ...]) -> tuple[int, tuple[tuple[int, int], ...]]:
    """Futures that go back, and pairs of neighbours of which the later is worse beyond doubt (Bonferroni, 5%)."""
    went_back = 0
    if path.probability is not None:
        first, last = path.scores.turns(path.n)
        went_back = int((first < last).sum())
    pairs = list(pairwise(tried))
    level = 1.0 - (1.0 - LEVEL) / max(1, len(pairs))
    rows = {k: path.scores.whole(k, path.n) for k in tried}
    worse = [(a, b) for a, b in pairs if paired_difference(rows[a], rows[b], level).high < 0.0]
    return went_back, tuple(worse)


def _more(found: Root, path: Path, half_width: float, left: float, most: int) -> int | None:
    """Futures of the next search; None: this one will do, or more is out of reach."""
    if found.precise:
        return None
    n, cost = path.n, COST[path.probability is None]
    if found.state == "not_reached" and found.low == max(found.tried) and n >= 4 * FIRST[1]:
        return None  # missed beyond doubt at the end of the range: more futures say the same
    factor = 5.0
    if found.high is not None and found.low is not None:
        factor = 1.1 * ((found.high - found.low) / 2.0 / half_width) ** 2
    wanted = int(min(n * min(max(factor, 1.5), 5.0), left / cost, most))
    wanted -= wanted % 16
    return wanted if wanted >= 1.25 * n else None


def _slope(path: Path, found: Root) -> float:
    """What the mean score rises by from one position to the next, around the root."""
    near = [k for k in (found.low, found.at, found.high) if k in path.known]
    if len(near) < 2 or near[0] == near[-1]:
        return 0.0
    (a, b) = near[0], near[-1]
    return max(0.0, (path.known[b][ROOT] - path.known[a][ROOT]) / (b - a))


def _guesses(found: Root, shrink: float, last: int) -> tuple[int, int, int]:
    """Where the three steps will be on more futures: the ends come closer to the root as one over the square root."""
    if found.at is None:
        return last, last, last
    low = 0 if found.low is None else round(found.at - shrink * (found.at - found.low))
    high = last if found.high is None else round(found.at + shrink * (found.high - found.at))
    return low, found.at, high
