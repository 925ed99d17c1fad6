"""What numbers are worth, against closed forms: two options, one worth nothing, the other normal in its unknowns."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from flowsim.analysis import effects, information
from flowsim.analysis.effects import main_effects, ranks, surface
from flowsim.analysis.hangs_on import turning_weeks
from flowsim.analysis.measure_first import ranked
from flowsim.errors import InputError

MEAN, SLOPES, NOISE = 0.5, np.array([2.0, 1.0, 0.3, 0.0]), 1.5
NAMES = ("a", "b", "c", "d")
N = 1000


def worth(spread: float) -> float:
    """E max(0, X) - max(0, E X) of a normal X: the unit normal loss integral (Raiffa and Schlaifer 1961, 11.2.2)."""
    if spread == 0.0:
        return 0.0
    return float(MEAN * norm.cdf(MEAN / spread) + spread * norm.pdf(MEAN / spread) - max(0.0, MEAN))


@pytest.fixture(scope="module")
def toy() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(11)
    x = rng.standard_normal((N, 4))
    benefit = MEAN + x @ SLOPES + NOISE * rng.standard_normal(N)
    return norm.cdf(x), np.stack([np.zeros(N), benefit], axis=1)


def test_evppi_is_that_of_the_closed_form(toy: tuple[np.ndarray, np.ndarray]) -> None:
    effects = main_effects(NAMES, *toy)
    for i, slope in enumerate(SLOPES):
        found = information.evppi(effects, i, level=0.999)  # four intervals: false alarms 0.4% in all
        assert found.low - 1e-12 <= worth(abs(slope)) <= found.high + 0.005
    first, second, *_, last = (information.evppi(effects, i) for i in range(4))
    assert first.value == pytest.approx(worth(2.0), rel=0.1)
    assert first.value > second.value > 0.05
    assert last.low == 0.0
    assert last.value < 0.01


def test_evsi_is_that_of_the_closed_form_and_grows_to_evppi(toy: tuple[np.ndarray, np.ndarray]) -> None:
    effects = main_effects(NAMES, *toy)

    def measured(error: float) -> float:
        return information.evsi(effects, 0, lambda u, rng: norm.ppf(u) + error * rng.standard_normal(len(u))).value

    for error in (0.5, 1.0, 2.0):  # a measurement with error e leaves the slope times 1 / sqrt(1 + e^2) to know
        assert measured(error) == pytest.approx(worth(2.0 / np.sqrt(1.0 + error**2)), rel=0.15, abs=0.01)
    assert measured(1e-6) == pytest.approx(information.evppi(effects, 0).value, rel=0.02)
    assert measured(0.5) > measured(1.0) > measured(2.0) > measured(50.0)


def test_evpi_counts_all_unknowns_and_no_chance(toy: tuple[np.ndarray, np.ndarray]) -> None:
    u, benefit = toy
    fitted = surface(NAMES, u, benefit)
    found = information.evpi(fitted, u, benefit)
    everything = worth(float(np.sqrt((SLOPES**2).sum())))
    assert found.value == pytest.approx(everything, rel=0.08)
    assert found.low <= everything <= found.high
    assert information.clairvoyance(benefit) > found.value  # knows chance too
    explained = float((SLOPES**2).sum() / ((SLOPES**2).sum() + NOISE**2))
    assert fitted.held_out[1] == pytest.approx(explained, abs=0.05)


def test_a_summary_that_says_nothing_is_worth_nothing(toy: tuple[np.ndarray, np.ndarray]) -> None:
    u, benefit = toy
    rng = np.random.default_rng(3)
    assert information.evsi_of_summary(rng.random(N), benefit).low == 0.0
    assert information.evsi_of_summary(rng.random(N), benefit).value < 0.02
    assert information.evsi_of_summary(np.ones(N), benefit).high == 0.0
    assert information.evsi_of_summary(norm.ppf(u[:, 0]), benefit).value == pytest.approx(worth(2.0), rel=0.15)


def test_where_options_tie_an_idle_unknown_is_not_called_worth_something() -> None:
    """At a tie the bias is largest: 60 idle unknowns, of which 5% may pass the test; more than 8 has chance 0.4%."""
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(15):
        noise = rng.standard_normal((120, 1))
        benefit = np.hstack([np.zeros((120, 1)), noise - noise.mean()])
        effects = main_effects(NAMES, rng.random((120, 4)), benefit)
        alarms += sum(information.evppi(effects, i).low > 0.0 for i in range(4))
    assert alarms <= 8


def test_a_clear_choice_makes_every_number_worth_nothing() -> None:
    rng = np.random.default_rng(7)
    u = rng.random((200, 2))
    benefit = np.stack([np.zeros(200), 1e6 + u[:, 0]], axis=1)
    found = information.evppi(main_effects(("a", "b"), u, benefit), 0)
    assert (found.value, found.low, found.high) == (0.0, 0.0, 0.0)


def test_turning_weeks_are_where_the_best_option_changes() -> None:
    euros, weeks = np.array([[100.0, 300.0, 0.0]] * 3), np.array([[10.0, 20.0, 0.0]] * 3)
    assert turning_weeks(euros, weeks, 0.0, 100.0) == pytest.approx([10.0, 20.0])
    assert turning_weeks(euros, weeks, 12.0, 19.0) == []


def test_an_answers_futures_rank_what_clearing_hangs_on() -> None:
    rng = np.random.default_rng(2)
    values = {"strong": rng.random(600), "weak": rng.random(600), "idle": rng.random(600)}
    chance = np.clip(0.5 + 0.8 * (values["strong"] - 0.5) + 0.3 * (values["weak"] - 0.5), 0.0, 1.0)
    rows = ranked(values, rng.random(600) < chance)
    assert rows[0]["unknown"] == "strong"
    by_name = {row["unknown"]: row for row in rows}
    assert by_name["strong"]["share_low"] <= (0.64 / 12) / 0.25 <= by_name["strong"]["share_high"]
    # With "strong" known, a call is right as often as the likelier side: 0.5 + E|p - 0.5| = 0.7.
    assert by_name["strong"]["calls"] == pytest.approx(0.2, abs=0.05)
    assert by_name["idle"]["share_low"] == 0.0
    assert ranked(values, np.arange(600) < 3) == []


def test_too_few_futures_are_refused() -> None:
    rng = np.random.default_rng(1)
    with pytest.raises(InputError, match="futures"):
        main_effects(NAMES, rng.random((6, 4)), rng.random((6, 1)))
    with pytest.raises(InputError, match="futures"):
        surface(NAMES, rng.random((12, 4)), rng.random((12, 1)))


def test_ranks_share_ties() -> None:
    assert ranks(np.array([[1.0], [2.0], [2.0], [5.0]]))[:, 0] == pytest.approx([0.125, 0.5, 0.5, 0.875])


class Known:
    """A surface that makes perfect information worth a known sum."""

    names = ("a", "b")

    def __init__(self, worth: float) -> None:
        self.worth = worth

    def predict(self, points: np.ndarray) -> np.ndarray:
        sign = np.where(np.arange(len(points)) % 2 == 0, 1.0, -1.0)
        return np.column_stack([np.zeros(len(points)), 2.0 * self.worth * sign])


def test_the_interval_of_perfect_information_is_that_of_the_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Quantiles of what samples give, moved by twice their mean excess; the estimate by once."""
    drawn = np.random.default_rng(7).gamma(20.0, 0.5, information.BOOTSTRAPS)
    left = list(drawn)
    monkeypatch.setattr(information, "refit", lambda *_: Known(left.pop(0)))
    u, benefit = np.random.default_rng(1).random((50, 2)), np.ones((50, 2))
    found = information.evpi(Known(9.0), u, benefit)
    bias = drawn.mean() - 9.0
    low, high = np.quantile(drawn, (0.025, 0.975)) - 2.0 * bias
    assert left == []
    assert (found.value, found.low, found.high) == pytest.approx((9.0 - bias, low, high))


def test_intervals_hold_with_95_percent_unless_asked_otherwise() -> None:
    rng = np.random.default_rng(3)
    summary = rng.random(300)
    benefit = np.stack([np.zeros(300), summary - 0.5 + rng.normal(0.0, 0.2, 300)], axis=1)
    plain, asked = information.evsi_of_summary(summary, benefit), information.evsi_of_summary(summary, benefit, 0.95)
    narrow = information.evsi_of_summary(summary, benefit, 0.5)
    assert plain == asked
    assert plain.low < narrow.low < plain.value < narrow.high < plain.high


def test_curves_need_so_many_futures_a_column() -> None:
    """Exactly so many will do; with one fewer the curves are simpler, down to straight lines."""
    rng = np.random.default_rng(5)
    for degree in range(effects.DEGREE, 1, -1):
        enough = effects.ROWS_PER_COLUMN * (1 + 2 * degree)
        for n, expected in ((enough, degree), (enough - 1, degree - 1)):
            assert main_effects(("a", "b"), rng.random((n, 2)), rng.random((n, 1))).degree == expected


def test_a_share_of_variance_is_never_below_zero() -> None:
    """What chance adds is taken off, which may leave less than nothing of an idle unknown: then it is nothing."""
    shares = []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        rows = ranked({name: rng.random(200) for name in "abc"}, rng.random(200) < 0.5)
        shares += [row["share"] for row in rows]
        assert all(0.0 <= row["share_low"] <= row["share"] <= row["share_high"] <= 1.0 for row in rows)
    assert min(shares) == 0.0
