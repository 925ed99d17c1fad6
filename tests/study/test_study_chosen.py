"""Futures that are chosen because they may go either way: unbiased, honest, worth it, the same on any threads."""

from __future__ import annotations

import json
from collections.abc import Generator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import flowsim.study.answer as study
from flowsim.analysis.adjusted import PER_UNKNOWN, SELDOM, Selection, adjusted_probability, worth_simulating
from flowsim.analysis.clearing import SCORES, Definition, clearing_day, settled
from flowsim.errors import InputError
from flowsim.scenario.load import Scenario, default
from flowsim.study import chosen
from flowsim.study.futures import Balances, Case, Chosen
from flowsim.study.repeat import from_manifest

POINTS = 2048
BATCHES = 300
FIRST = 160
MORE = 160


class MadeUp(Case):
    """A case whose futures take a point of a list each, and clear with a chance that follows from its score."""

    def __init__(self, scores: np.ndarray, chance: np.ndarray, seed: int) -> None:
        self.luck = np.random.default_rng(seed)
        self.scores, self.chance, self.draws = scores, chance, "independent"
        self.futures = [None] * FIRST  # type: ignore[list-item]
        self.chosen = Chosen()
        self.places = self.luck.integers(POINTS, size=20_000)
        self.outcome = self.luck.uniform(size=len(self.places)) < chance[self.places]
        self.twin = SimpleNamespace(  # type: ignore[assignment]
            of=lambda numbers: scores[self.places[list(numbers)]], population=scores
        )

    @property
    def cleared(self) -> np.ndarray:
        return np.asarray(self.outcome[: len(self.futures)])

    def covariates(self, seed: int, numbers: Sequence[int], outcomes: np.ndarray) -> Any:
        return self.scores[self.places[list(numbers)]], self.scores, True

    def clearing(self, numbers: Sequence[int], *_: Any) -> Generator[bool, None, None]:
        yield from (bool(self.outcome[i]) for i in numbers)


def made_up(centre: float, slope: float, seed: int, twist: float = 0.0) -> tuple[list[float], list[bool], float, float]:
    """Estimates, whether the intervals hold the truth, the truth, and the mean number chosen; ``twist``: how far the
    chance is from the logistic curve that is fitted to it."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(POINTS, SCORES))
    logit = centre + slope * scores[:, 0] + twist * np.cos(3.0 * scores[:, 1])
    chance = 1.0 / (1.0 + np.exp(-logit))
    truth = float(chance.mean())
    found, held, count = [], [], []
    for batch in range(BATCHES):
        case = MadeUp(scores, chance, 1000 * seed + batch)
        for _ in range(2):
            chosen.extend_chosen(case, MORE // 2, batch, Balances(0), 1)
        one = case.probability(0)
        found.append(one.value)
        held.append(one.low <= truth <= one.high)
        count.append(len(case.chosen.numbers))
    return found, held, truth, float(np.mean(count))


@pytest.mark.parametrize(("centre", "slope", "twist"), [(-0.7, 2.5, 0.0), (-3.5, 2.5, 0.0), (-2.0, 1.0, 2.0)])
def test_unbiased_with_honest_intervals(centre: float, slope: float, twist: float) -> None:
    """Over 300 batches of futures chosen in two goes: the mean is right within 4 standard errors (false alarm 6e-5),
    and the 95% interval holds the truth in 91.1% to 98.9% of them (binomial, 3.1 standard errors: false alarm 0.2%);
    also where chances are no logistic curve of the scores. As many are chosen as were asked for, to 5%."""
    found, held, truth, count = made_up(centre, slope, round(-10 * centre), twist)
    assert abs(np.mean(found) - truth) < 4 * np.std(found, ddof=1) / np.sqrt(BATCHES)
    assert 0.911 <= np.mean(held) <= 0.989
    assert abs(count / MORE - 1.0) < 0.05


def test_choosing_gains_where_most_futures_are_nearly_sure() -> None:
    """The variance of the estimate against that of as many futures without choosing, both adjusted by the same model,
    over 300 batches. By Neyman's allocation it is 0.6 of it here; ratios of variances of 300 have a standard error of
    12%, so one above 0.85 has a false alarm rate below 1%."""
    found, _, _, count = made_up(-3.5, 2.5, 35)
    rng = np.random.default_rng(35)
    scores = rng.normal(size=(POINTS, SCORES))
    chance = 1.0 / (1.0 + np.exp(3.5 - 2.5 * scores[:, 0]))
    plain = []
    for batch in range(BATCHES):
        case = MadeUp(scores, chance, 77_000 + batch)
        case.futures = [None] * (FIRST + round(count))  # type: ignore[list-item]
        plain.append(case.probability(0).value)
    assert np.var(found, ddof=1) < 0.85 * np.var(plain, ddof=1)


@pytest.mark.parametrize("beyond", [-1, 1, 8, 9, 40])
def test_with_few_outcomes_of_one_kind_the_twin_s_scores_do_alone(beyond: int) -> None:
    """Enough for a model of the values alone is not enough for one of the values and the scores."""
    case = Case("h", default().with_settings("h", reading="headcount"))
    rng = np.random.default_rng(5)
    values = len(case.values(0, 1))
    case.twin = SimpleNamespace(  # type: ignore[assignment]
        of=lambda numbers: rng.normal(size=(len(numbers), SCORES)), population=rng.normal(size=(POINTS, SCORES))
    )
    outcome = np.arange(400) < PER_UNKNOWN * values + beyond
    covariates, population, whole = case.covariates(1, range(400), outcome)
    assert covariates is not None
    assert whole
    assert covariates.shape == (400, SCORES + (values if beyond >= PER_UNKNOWN * SCORES else 0))
    assert population.shape == (POINTS, covariates.shape[1])
    selection = Selection(300, np.full(100, 0.5), 220)
    assert adjusted_probability(outcome, covariates, population, whole=True, selection=selection).n == 400


def test_what_a_future_is_worth() -> None:
    scores = np.linspace(-2.0, 2.0, 401)[:, None]
    outcome = np.random.default_rng(2).uniform(size=401) < 1.0 / (1.0 + np.exp(-3.0 * scores[:, 0]))
    worth = worth_simulating(outcome, scores, scores, scores)
    assert worth.shape == (401,)
    assert worth.max() > 0.99
    assert abs(scores[worth.argmax(), 0]) < 0.3
    assert worth[0] < 0.3
    assert worth[-1] < 0.3
    assert worth.min() >= SELDOM
    far = worth_simulating(outcome, scores, scores, np.array([[-50.0]]))
    assert far.tolist() == [SELDOM]


def test_all_simulated_is_no_selection() -> None:
    rng = np.random.default_rng(3)
    scores = rng.normal(size=(500, 2))
    y = rng.uniform(size=300) < 1.0 / (1.0 + np.exp(-scores[:300, 0]))
    plain = adjusted_probability(y, scores[:300], scores, whole=True)
    assert adjusted_probability(y, scores[:300], scores, whole=True, selection=Selection(300, np.empty(0), 0)) == plain
    sure = adjusted_probability(y, scores[:300], scores, whole=True, selection=Selection(100, np.ones(200), 200))
    assert sure == plain


def test_by_hand() -> None:
    """Of two futures that were all simulated, and two chosen of five with chance a half: the mean of what a model
    misses in them, and its variance."""
    from flowsim.analysis import adjusted

    missed = np.array([0.25, -0.75, 0.5, -0.25])
    mean, variance = adjusted._mean_missed(missed, Selection(2, np.array([0.5, 0.5]), 5))
    of_all = [0.25, -0.75, 1.0, -0.5, 0.0, 0.0, 0.0]
    assert mean == pytest.approx(0.0)
    assert variance == pytest.approx(sum(x * x for x in of_all) / 6.0 / 7.0)


@pytest.mark.parametrize(
    "selection",
    [
        Selection(2, np.array([0.5]), 1),
        Selection(2, np.array([0.5, 0.0]), 4),
        Selection(2, np.array([0.5, 1.5]), 4),
        Selection(2, np.array([0.5, 0.5]), 1),
    ],
)
def test_a_selection_that_cannot_be_is_refused(selection: Selection) -> None:
    scores = np.linspace(-1.0, 1.0, 4)[:, None]
    few = np.tile(scores, (10, 1))
    y = np.arange(40) % 2 == 0
    bigger = Selection(38, selection.probability, selection.candidates)
    with pytest.raises(InputError, match="selection"):
        adjusted_probability(y, few, scores, selection=bigger)


def test_a_selection_without_a_model_is_refused() -> None:
    scores = np.linspace(-1.0, 1.0, 40)[:, None]
    with pytest.raises(InputError, match="too rare"):
        adjusted_probability(np.zeros(40, bool), scores, scores, selection=Selection(38, np.array([0.5, 0.5]), 4))


DEFINITION = Definition(share=0.05, weeks=26, deadline=1826.0)


def test_it_is_settled_as_soon_as_and_not_before_it_is() -> None:
    """Of 300 random paths: what is said of the first snapshots is what the whole path says; and at each snapshot before
    it is said, the rest could still have made it either."""
    rng = np.random.default_rng(4)
    last, told, answers = 287, [], set()
    for _ in range(300):
        rest = np.cumsum(rng.normal(-0.4, 6.0, last)) + 100.0
        overdue = np.maximum(rest, 0.0).round()
        overdue[0] = 100.0
        whole = clearing_day(overdue, 7.0, DEFINITION) <= DEFINITION.deadline
        first = next((j for j in range(1, last + 1) if settled(overdue[:j], 7.0, DEFINITION) is not None), last)
        said = settled(overdue[:first], 7.0, DEFINITION)
        assert (said or False) == whole
        for j in range(first, last + 1):
            assert (settled(overdue[:j], 7.0, DEFINITION) or False) == whole
        before = overdue[: first - 1]
        if len(before) > 1:
            low, high = np.zeros(last - len(before)), np.full(last - len(before), 1e3)
            assert clearing_day(np.r_[before, low], 7.0, DEFINITION) <= DEFINITION.deadline
            assert not clearing_day(np.r_[before, high], 7.0, DEFINITION) <= DEFINITION.deadline
        told.append(first)
        answers.add(whole)
    assert answers == {True, False}
    assert min(told) < 200


def test_looks_end_where_a_stretch_may_begin_for_the_last_time() -> None:
    assert DEFINITION.looks(7.0) == [195, 208, 221, 234, 247, 260]
    assert Definition(0.05, 26, 1825.0).looks(7.0)[-1] == 260
    assert Definition(0.05, 0, 70.0).looks(7.0) == [5, 6, 7, 8, 9, 10]
    assert Definition(0.05, 26, 100.0).looks(7.0) == []


@pytest.mark.parametrize("counts", ["start", "intake", "expected"])
def test_chosen_futures_clear_as_whole_ones_do(counts: str) -> None:
    scenario = default().with_settings("h", reading="headcount", wait_counts=counts)
    case, balances = Case("h", scenario), Balances(1)
    case.extend(40, 1, balances, 2)
    assert list(case.clearing(range(40), 1, balances, 2)) == case.cleared.tolist()
    list(case.clearing(range(40, 70), 1, balances, 2))
    assert len(case._blocks) == 1  # of two: a case that waits for its turn keeps little
    case.extend(30, 1, balances, 2)
    assert len(case._blocks) == 1
    assert len(set(case.cleared.tolist())) == 2


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> Scenario:
    """So that an answer chooses after few futures."""
    for name, value in {"LEAST": 64, "ALL_OF_FIRST": 64, "PART_OF_FIRST": 0.1, "WORTH": 16, "SECOND_RUNS": 2}.items():
        monkeypatch.setattr(study, name, value)
    monkeypatch.setattr(study, "CALIBRATION", 2)
    monkeypatch.setattr(study, "READINGS", ("headcount",))
    return default()


def test_an_answer_that_chooses_is_the_same_on_any_threads_and_from_its_manifest(
    soon: Scenario, tmp_path: Path
) -> None:
    asked: dict[str, Any] = {"half_width": 0.045, "seed": 3, "curve": False, "most": 176}
    made = study.answer(soon, threads=2, **asked)
    case = made.cases["headcount"]
    assert len(case.chosen.numbers) >= 32
    assert case.chosen.candidates > len(case.chosen.numbers)
    assert case.chosen.numbers == sorted(set(case.chosen.numbers))
    assert case.chosen.numbers[0] >= len(case.futures)
    assert made.probability("headcount").n == len(case.futures) + len(case.chosen.numbers) == case.simulated
    summary = made.tables["summary"].set_index("case")
    assert summary["futures"]["headcount"] == len(case.futures)
    assert summary["chosen"].to_dict() == {"none": 0, "headcount": len(case.chosen.numbers)}
    written = tmp_path / "manifest.json"
    written.write_text(json.dumps(study.manifest(made, 1.0), default=str))
    assert json.loads(written.read_text())["chosen"]["headcount"] == len(case.chosen.numbers)
    wanted = from_manifest(written)
    again = study.answer(wanted.scenario, wanted.half_width, wanted.seed, 1, wanted.curve, most=wanted.most)
    assert again.cases["headcount"].chosen == case.chosen
    assert again.probability("headcount") == made.probability("headcount")


def test_what_is_done_stays_when_choosing_is_interrupted(soon: Scenario) -> None:
    def stop(name: str, done: int, total: int) -> None:
        if name == "headcount" and done >= 110:
            raise KeyboardInterrupt

    made = study.answer(soon, half_width=0.045, seed=3, threads=2, curve=False, most=176, progress=stop)
    case = made.cases["headcount"]
    assert made.interrupted
    chosen_ones = case.chosen
    assert 0 < len(chosen_ones.numbers) == len(chosen_ones.cleared) == len(chosen_ones.probability)
    assert chosen_ones.candidates == chosen_ones.numbers[-1] + 1 - len(case.futures)
    assert made.probability("headcount").n == case.simulated


def test_work_besides_sees_the_cases_and_its_errors_come_out(soon: Scenario) -> None:
    seen = []
    asked: dict[str, Any] = {"half_width": 0.4, "seed": 3, "threads": 2, "curve": False, "most": 2}
    made = study.answer(soon, meanwhile=lambda found: seen.append(list(found.cases)), **asked)
    assert seen == [list(made.cases)]

    def fail(found: study.Answer) -> None:
        raise InputError("here", "nothing", "something")

    with pytest.raises(InputError, match="here"):
        study.answer(soon, meanwhile=fail, **asked)


def test_candidates_are_looked_at_one_after_another_until_enough_are_expected() -> None:
    """In two goes: each is simulated if its luck is below what it is worth by the futures so far, the last one is that
    with which as many are expected as were asked for, and the next go begins after it."""
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(POINTS, SCORES))
    case = MadeUp(scores, 1.0 / (1.0 + np.exp(2.0 - 2.5 * scores[:, 0])), 7)
    for count in (300, 50):
        before, first = len(case.chosen.numbers), FIRST + case.chosen.candidates
        so_far = [*range(FIRST), *case.chosen.numbers]
        worth = worth_simulating(case.outcome[so_far], scores[case.places[so_far]], scores, scores[case.places])
        last = first + int(np.searchsorted(np.cumsum(worth[first:]), count))
        expected = [i for i in range(first, last + 1) if chosen.luck(2, i) < worth[i]]
        chosen.extend_chosen(case, count, 2, Balances(0), 1)
        assert case.chosen.numbers[before:] == expected
        assert case.chosen.probability[before:] == pytest.approx(worth[expected])
        assert case.chosen.cleared == case.outcome[case.chosen.numbers].tolist()
        assert case.chosen.candidates == last + 1 - FIRST
    assert case.chosen.candidates > 2 * chosen.AT_ONCE  # so that the first go took a second look


def test_choosing_asks_for_a_twin_and_outcomes_of_both_kinds() -> None:
    scores = np.zeros((POINTS, SCORES))
    case = MadeUp(scores, np.zeros(POINTS), 1)
    rarer = PER_UNKNOWN * SCORES
    case.outcome[:rarer] = True
    assert chosen.can_choose(case)
    case.outcome[0] = False
    assert not chosen.can_choose(case)
    case.outcome[0], case.twin = True, None
    assert not chosen.can_choose(case)


def test_a_future_is_worth_the_standard_deviation_of_its_outcome() -> None:
    """A fifth clears whatever the score says: 2 sqrt(0.2 * 0.8). As sets of the population, or all of it in a row."""
    scores = np.tile([[-1.0], [1.0]], (50, 1))
    outcome = np.arange(100) % 10 < 2
    for population in (scores, scores.reshape(2, 50, 1), scores.reshape(50, 2, 1)):
        assert worth_simulating(outcome, scores, population, scores[:3]) == pytest.approx(np.full(3, 0.8))


@pytest.mark.parametrize(("draws", "of"), [("independent", 0.0), ("independent", 0.5), ("sobol", 0.5)])
def test_a_probability_has_the_level_that_is_asked_for(draws: str, of: float) -> None:
    """Too rare for a model, by a model, and by Sobol points in turn."""
    scores = np.random.default_rng(8).normal(size=(POINTS, SCORES))
    case = MadeUp(scores, np.full(POINTS, of), 8)
    case.draws = draws
    if not of:
        case.covariates = lambda *_: (None, np.empty(0), False)  # type: ignore[method-assign]
    half, most = case.probability(0, 0.5), case.probability(0, 0.99)
    assert half.value == most.value
    assert half.half_width < 0.5 * most.half_width


@pytest.mark.parametrize("candidates", [0, 40])
def test_the_probability_of_a_case_is_that_of_its_futures_over_all_that_can_be_drawn(candidates: int) -> None:
    scores = np.random.default_rng(9).normal(size=(POINTS, SCORES))
    case = MadeUp(scores, 1.0 / (1.0 + np.exp(-scores[:, 0])), 9)
    numbers = [FIRST + 3, FIRST + 20] if candidates else []
    case.chosen = Chosen(numbers, [0.5] * len(numbers), case.outcome[numbers].tolist(), candidates)
    at = [*range(FIRST), *numbers]
    selection = Selection(FIRST, np.full(len(numbers), 0.5), candidates) if candidates else None
    expected = adjusted_probability(case.outcome[at], scores[case.places[at]], scores, 0.8, True, selection)
    assert case.probability(0, 0.8) == expected
    assert expected.n == case.simulated == FIRST + len(numbers)


@pytest.mark.parametrize(("rarer", "known"), [(-1, False), (0, True)])
def test_with_too_few_for_the_scores_alone_nothing_is_adjusted(rarer: int, known: bool) -> None:
    case = Case("h", default().with_settings("h", reading="headcount"))
    scores = np.zeros((400, SCORES))
    case.twin = SimpleNamespace(of=lambda numbers: scores[list(numbers)], population=scores)  # type: ignore[assignment]
    covariates, _, whole = case.covariates(1, range(400), np.arange(400) < PER_UNKNOWN * SCORES + rarer)
    assert (covariates is not None) == whole == known
