"""Choosing the best of several: the guarantee by simulation with a stated rate, ties, and an end to it."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from flowsim.study.select import FIRST_STAGE, select_best

FALSE_ALARM = 1e-4
COMMON, OWN = 2.0, 1.0


def futures(seed: int, means: tuple[float, ...], most: int = 2000) -> np.ndarray:
    """Observations on common random numbers: what is shared spreads twice as far as what is not."""
    generator = np.random.default_rng(seed)
    shared = COMMON * generator.standard_normal((1, most))
    return np.asarray(np.array(means)[:, None] + shared + OWN * generator.standard_normal((len(means), most)))


@pytest.mark.parametrize("largest", [True, False])
def test_the_best_is_found_as_often_as_promised(largest: bool) -> None:
    """The hardest means that the promise covers: all others worse by just the indifference."""
    runs, wrong, sign = 150, 0, 1.0 if largest else -1.0
    for seed in range(runs):
        values = futures(seed, (0.0, 0.0, sign * 0.5, 0.0))
        found = select_best(lambda k, i, v=values: float(v[k, i]), 4, 0.5, largest)
        assert found.decided
        wrong += found.kept != (2,)
    assert wrong <= binom.ppf(1.0 - FALSE_ALARM, runs, 0.05)


def test_common_futures_save_work() -> None:
    values = futures(1, (0.0, 0.5))
    apart = values[:, :].copy()
    apart[1] = futures(2, (0.0, 0.5))[1]  # as spread out, but not the same futures
    paired, independent = (select_best(lambda k, i, v=v: float(v[k, i]), 2, 0.25, True) for v in (values, apart))
    assert paired.kept == (1,)
    assert paired.futures[0] < 0.6 * independent.futures[0]


def test_scenarios_that_are_the_same_end_in_the_first() -> None:
    values = futures(3, (1.0,))
    found = select_best(lambda k, i: float(values[0, i]), 3, 0.1, True)
    assert found.kept == (0,)
    assert max(found.futures) <= FIRST_STAGE + 1


def test_outcomes_of_zero_and_one_with_equal_means_come_to_an_end() -> None:
    """As chances of clearing are: sim-tools by itself drops both of such scenarios and goes on for ever."""
    values = np.zeros((2, 400))
    values[0, 5] = values[1, 9] = 1.0
    found = select_best(lambda k, i: float(values[k, i]), 2, 0.05, True, most=400)
    assert found.decided
    assert found.kept == (0,)


def test_too_few_futures_leave_it_undecided() -> None:
    values = futures(4, (0.0, 0.001))
    found = select_best(lambda k, i: float(values[k, i]), 2, 0.001, True, most=100)
    assert not found.decided
    assert found.kept == (0, 1)
    assert found.futures == (100, 100)
    assert found.means == pytest.approx(values[:, :100].mean(axis=1))
