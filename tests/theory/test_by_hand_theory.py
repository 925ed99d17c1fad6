"""The formulas of queueing theory on small systems whose balance equations are solved here, number by number."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import linalg, stats

from flowsim.analysis import theory as th
from flowsim.analysis import transient as tr
from flowsim.errors import InputError


def long_run(births: list[float], deaths: list[float]) -> np.ndarray:
    """Shares of the numbers present of a birth-death chain, from its balance equations."""
    shares = [1.0]
    for birth, death in zip(births, deaths, strict=True):
        shares.append(shares[-1] * birth / death)
    return np.array(shares) / sum(shares)


def generator(births: list[float], deaths: list[float]) -> np.ndarray:
    n = len(births) + 1
    rates = np.zeros((n, n))
    for i in range(n - 1):
        rates[i, i + 1], rates[i + 1, i] = births[i], deaths[i]
    return rates - np.diag(rates.sum(axis=1))


@pytest.mark.parametrize("bad", [0.0, -1.0, math.inf, math.nan])
def test_what_is_not_positive_is_refused_by_name(bad: float) -> None:
    with pytest.raises(InputError, match=r"^mm1: service_mean: found .*; expected a positive number"):
        th.mm1(0.5, bad)
    with pytest.raises(InputError, match=r"^mg1: arrival_rate"):
        th.mg1(bad, 1.0, 1.0)


@pytest.mark.parametrize("load", [1.0, 1.5])
def test_a_full_queue_has_no_steady_state(load: float) -> None:
    for call in (lambda: th.mm1(load, 1.0), lambda: th.mmc(load * 2, 1.0, 2), lambda: th.mg1(load, 1.0, 0.5)):
        with pytest.raises(InputError, match=rf"found a load of {load:g} per server; expected less than 1"):
            call()


def test_loss_by_hand() -> None:
    assert th.erlang_b(0, 2.0) == 1.0
    assert th.erlang_b(1, 2.0) == pytest.approx(2 / 3)
    assert th.erlang_b(2, 2.0) == pytest.approx(2 / (1 + 2 + 2))
    assert th.erlang_b(3, 2.0) == pytest.approx((8 / 6) / (1 + 2 + 2 + 8 / 6))
    assert th.full_share(3, 2.0) == th.erlang_b(3, 2.0)
    with pytest.raises(InputError, match="erlang_b: servers: found -1; expected at least 0"):
        th.erlang_b(-1, 2.0)


def test_mm1_by_hand() -> None:
    """λ = 1/2 a day, 1 1/2 days of service: 3/4 full, 9/4 wait, 4 1/2 days each."""
    found = th.mm1(0.5, 1.5)
    assert (found.utilisation, found.wait_probability, found.mean_queue) == pytest.approx((0.75, 0.75, 2.25))
    assert (found.mean_wait, found.mean_wait_served) == pytest.approx((4.5, 4.5))
    assert (found.reneging_probability, found.blocking_probability) == (0.0, 0.0)


def test_mmc_by_its_balance_equations() -> None:
    λ, mean, c = 1.5, 1.25, 3
    shares = long_run([λ] * 400, [min(n, c) / mean for n in range(1, 401)])
    n = np.arange(401)
    queue = float(shares @ np.maximum(n - c, 0))
    found = th.mmc(λ, mean, c)
    assert found.utilisation == pytest.approx(λ * mean / c)
    assert found.wait_probability == pytest.approx(shares[c:].sum())
    assert found.mean_queue == pytest.approx(queue)
    assert found.mean_wait == found.mean_wait_served == pytest.approx(queue / λ)
    assert th.erlang_c(c, λ * mean) == pytest.approx(shares[c:].sum())
    # Who finds n >= c waits for n - c + 1 ends of service, at a rate of c / mean.
    for time in (0.0, 0.7, 3.0):
        wait = sum(shares[k] * stats.gamma.sf(time, k - c + 1, scale=mean / c) for k in range(c, 300))
        assert th.mmc_wait_beyond(time, λ, mean, c) == pytest.approx(wait)
    for share in (0.8, 0.95):
        assert th.mmc_wait_beyond(th.mmc_wait_quantile(share, λ, mean, c), λ, mean, c) == pytest.approx(1.0 - share)
    assert th.mmc_wait_quantile(0.0, λ, mean, c) == 0.0
    assert th.mmc_wait_quantile(1.0 - found.wait_probability, λ, mean, c) == 0.0
    for share in (-0.1, 1.0):
        with pytest.raises(InputError, match=r"mmc_wait_quantile: share: found .*; expected at least 0, below 1"):
            th.mmc_wait_quantile(share, λ, mean, c)


def test_mg1_by_hand() -> None:
    """λ = 1/2, service 1 1/2 with a variation of 1/3: E[S²] = 9/4 * 10/9 = 5/2, so W = 1/2 * 5/2 / (2 * 1/4)."""
    found = th.mg1(0.5, 1.5, 1 / 3)
    assert (found.utilisation, found.wait_probability) == (0.75, 0.75)
    assert (found.mean_queue, found.mean_wait, found.mean_wait_served) == pytest.approx((1.25, 2.5, 2.5))


def test_gm1_by_hand() -> None:
    """Exponential intervals give M/M/1; constant ones the root of σ = exp(-(1 - σ) / ρ)."""
    found = th.gm1(lambda s: 0.5 / (0.5 + s), 2.0, 1.5)
    assert (found.utilisation, found.wait_probability, found.mean_wait) == pytest.approx((0.75, 0.75, 4.5))
    assert (found.mean_queue, found.mean_wait_served) == pytest.approx((2.25, 4.5))
    found = th.gm1(lambda s: math.exp(-2.0 * s), 2.0, 1.5)
    σ = found.wait_probability
    assert σ == pytest.approx(math.exp(-2.0 / 1.5 * (1.0 - σ)), abs=1e-12)
    assert σ < 0.75
    assert found.mean_wait == pytest.approx(σ * 1.5 / (1.0 - σ))


def test_infinite_servers() -> None:
    assert th.mg_infinity(4.0, 2.5) == 10.0


@pytest.mark.parametrize("limit", [0, 1, 4])
def test_a_queue_with_a_limit_by_its_balance_equations(limit: int) -> None:
    λ, mean, c = 2.0, 1.2, 2
    top = c + limit
    shares = long_run([λ] * top, [min(n, c) / mean for n in range(1, top + 1)])
    n = np.arange(top + 1)
    found = th.mmc_limited(λ, mean, c, limit)
    queue, let_in = float(shares @ np.maximum(n - c, 0)), λ * (1.0 - shares[-1])
    assert found.blocking_probability == pytest.approx(shares[-1])
    assert found.utilisation == pytest.approx(float(shares @ np.minimum(n, c)) / c)
    assert found.mean_queue == pytest.approx(queue)
    assert found.mean_wait == found.mean_wait_served == pytest.approx(queue / let_in)
    assert found.wait_probability == pytest.approx(shares[c:top].sum() / (1.0 - shares[-1]) if limit else 0.0)
    assert found.reneging_probability == 0.0


def test_erlang_a_by_its_balance_equations() -> None:
    λ, mean, c, patience = 3.0, 1.0, 2, 0.5
    top = 200
    deaths = [min(n, c) / mean + max(n - c, 0) / patience for n in range(1, top + 1)]
    shares, n = long_run([λ] * top, deaths), np.arange(top + 1)
    queue = float(shares @ np.maximum(n - c, 0))
    found = th.erlang_a(λ, mean, c, patience)
    assert found.wait_probability == pytest.approx(shares[c:].sum())
    assert found.mean_queue == pytest.approx(queue)
    assert found.mean_wait == pytest.approx(queue / λ)
    assert found.utilisation == pytest.approx(float(shares @ np.minimum(n, c)) / c)
    assert found.reneging_probability == pytest.approx(queue / patience / λ)
    assert λ * (1.0 - found.reneging_probability) * mean == pytest.approx(found.utilisation * c)
    # Those served: found n, went through n - c + 1 ends of service or of patience of those before them.
    served, waited = 0.0, 0.0
    for k in range(c, 60):
        rates = [c / mean + j / patience for j in range(k - c + 1)]  # of the ones ahead, besides their own patience
        own = 1.0 / patience
        alive = math.prod(rate / (rate + own) for rate in rates)
        served += shares[k] * alive
        waited += shares[k] * alive * sum(1.0 / (rate + own) for rate in rates)
    reached = shares[:c].sum() + served
    assert reached == pytest.approx(1.0 - found.reneging_probability)
    assert found.mean_wait_served == pytest.approx(waited / reached, rel=1e-6)


def test_patience_of_a_fixed_length_by_its_integral() -> None:
    """M/M/1 with patience exactly 1: the offered wait has density λ π0 exp(λ min(x, 1) - μ x)."""
    λ, mean, top = 1.5, 0.8, 1.0
    μ = 1.0 / mean
    found = th.mmc_general_patience(λ, mean, 1, lambda t: float(t < top), top)
    up = λ * (math.exp((λ - μ) * top) - 1.0) / (λ - μ)
    beyond = λ * math.exp((λ - μ) * top) / μ
    total = 1.0 + up + beyond
    assert found.wait_probability == pytest.approx((up + beyond) / total, rel=1e-4)
    assert found.reneging_probability == pytest.approx(beyond / total, rel=1e-4)
    a = λ - μ
    served = λ * (math.exp(a * top) * (a * top - 1.0) + 1.0) / a**2 / total
    assert found.mean_wait_served == pytest.approx(served / (1.0 - beyond / total), rel=1e-4)
    assert found.mean_wait == pytest.approx(served + top * beyond / total, rel=1e-4)
    assert found.mean_queue == pytest.approx(λ * found.mean_wait)
    assert found.utilisation == pytest.approx(λ * mean * (1.0 - found.reneging_probability))


def test_priorities_by_hand() -> None:
    found = th.priority_mmc([0.3, 0.4], 1.0, 1)  # first wait 0.7; 0.7 / 0.7 and 0.7 / (0.7 * 0.3)
    assert found == pytest.approx([1.0, 10 / 3])
    loaded = th.erlang_c(3, 2.0)
    found = th.priority_mmc([0.5, 0.5], 2.0, 3)
    assert found == pytest.approx([loaded * 2 / 3 / (2 / 3), loaded * 2 / 3 / (2 / 3 * 1 / 3)])
    found = th.priority_mg1([0.2, 0.3], [1.0, 2.0], [0.5, 1.0])  # (0.2 * 1.25 + 0.3 * 8) / 2 = 1.325
    assert found == pytest.approx([1.325 / 0.8, 1.325 / (0.8 * 0.2)])
    with pytest.raises(InputError, match="priority_mg1: found a load of 1 per server"):
        th.priority_mg1([0.5, 0.25], [1.0, 2.0], [0.0, 0.0])


def test_traffic_by_hand() -> None:
    """1 gets 2 from outside and a quarter of 2's; 2 gets 1 and half of 1's: λ1 = 18/7, λ2 = 16/7."""
    routing = [[0.0, 0.5], [0.25, 0.0]]
    assert th.traffic([2.0, 1.0], routing) == pytest.approx([18 / 7, 16 / 7])
    found = th.jackson([2.0, 1.0], routing, [0.25, 0.5], [1, 2])
    assert [one.utilisation for one in found] == pytest.approx([18 / 28, 8 / 14])
    assert found[1].mean_wait == pytest.approx(th.mmc(16 / 7, 0.5, 2).mean_wait)
    for bad in ([[0.0, 1.1], [0.0, 0.0]], [[0.0, -0.1], [0.0, 0.0]], [[0.0, 0.5]]):
        with pytest.raises(InputError, match=r"traffic: routing: found shape .*; expected a square table of shares"):
            th.traffic([1.0, 1.0], bad)
    with pytest.raises(InputError, match="found stations that nobody ever leaves; expected a way out from everywhere"):
        th.traffic([1.0, 1.0], [[0.0, 1.0], [1.0, 0.0]])
    assert th.traffic([1.0, 0.0], [[0.0, 1.0], [0.0, 0.0]]) == pytest.approx([1.0, 1.0])


def test_waiting_lists_by_hand() -> None:
    assert th.target_mean_wait(52.0) == 13.0
    assert th.target_mean_wait(52.0, 6.5) == 8.0
    assert th.target_list_size(10.0, 52.0) == 130.0
    assert th.target_list_size(10.0, 52.0, 2.0) == 260.0
    assert th.relief_capacity(10.0, 250.0, 130.0, 24.0) == 15.0
    assert th.target_capacity(10.0, 52.0) == pytest.approx(10.0 + 1 / 13)
    assert th.target_capacity(10.0, 52.0, 2.0) == pytest.approx(10.0 + 1 / 26)
    for call in (lambda: th.target_list_size(0.0, 1.0), lambda: th.target_capacity(0.0, 1.0)):
        with pytest.raises(InputError, match=r"target_\w+: demand"):
            call()


# ---------------------------------------------------------------- before the steady state


@pytest.mark.parametrize(("patience", "limit"), [(math.inf, None), (2.0, None), (math.inf, 1), (0.5, 3)])
def test_presence_is_the_matrix_exponential(patience: float, limit: int | None) -> None:
    λ, mean, c, start = 1.4, 0.8, 2, 3
    found = tr.presence(λ, mean, c, start, [0.0, 0.5, 4.0], patience, limit)
    n = found.shape[1]
    assert n == c + limit + 1 if limit is not None else n == start + c + int(1.4 * 4 + 9 * math.sqrt(1.4 * 4) + 60) + 1
    deaths = [min(k, c) / mean + max(k - c, 0) / patience for k in range(1, n)]
    rates = generator([λ] * (n - 1), deaths)
    for i, time in enumerate((0.0, 0.5, 4.0)):
        assert found[i] == pytest.approx(linalg.expm(rates * time)[start], abs=1e-10)
    means = tr.transient_means(λ, mean, c, start, [0.5], patience, limit)
    law = linalg.expm(generator([λ] * (n - 1), deaths) * 0.5)[start]
    numbers = np.arange(n)
    assert means.waiting == pytest.approx([law @ np.maximum(numbers - c, 0)])
    assert means.in_service == pytest.approx([law @ np.minimum(numbers, c)])
    assert means.present == pytest.approx([law @ numbers])


def test_presence_over_a_long_time_goes_in_pieces() -> None:
    """A rate of some 300 a day for ten days: exp(-3000) is no number, so the time is cut."""
    λ, mean, c, limit = 200.0, 0.01, 1, 2
    found = tr.presence(λ, mean, c, 0, [10.0], queue_limit=limit)[0]
    assert found == pytest.approx(long_run([λ] * 3, [1 / mean] * 3), abs=1e-10)
    assert found.sum() == pytest.approx(1.0, abs=1e-12)


def test_presence_refuses() -> None:
    with pytest.raises(InputError, match=r"presence: times: found \[2.0, 1.0\]; expected times from 0 that increase"):
        tr.presence(1.0, 1.0, 1, 0, [2.0, 1.0])
    with pytest.raises(InputError, match=r"presence: times: found \[-1.0\]"):
        tr.presence(1.0, 1.0, 1, 0, [-1.0])
    with pytest.raises(InputError, match=r"presence: start: found 4; expected at most 3"):
        tr.presence(1.0, 1.0, 2, 4, [1.0], queue_limit=1)
    assert tr.presence(1.0, 1.0, 2, 3, [0.0], queue_limit=1)[0].tolist() == [0.0, 0.0, 0.0, 1.0]
    assert len(tr.presence(1.0, 1.0, 1, 0, [1.0, 1.0])) == 2


def test_a_schedule_without_end_by_hand() -> None:
    """Exponential service of mean 2; 3 a day from day 1, 5 from day 4: each level is 2 * rate * (1 - exp(-t / 2))."""

    def grown(t: float) -> float:
        return 2.0 * (1.0 - math.exp(-max(t, 0.0) / 2.0))

    times = [0.0, 0.5, 1.0, 2.5, 4.0, 9.0]
    found = tr.infinite_servers_mean([(1.0, 3.0), (4.0, 5.0)], times, lambda t: math.exp(-t / 2.0), 2.0, 7)
    expected = [7 * math.exp(-t / 2) + 3 * (grown(t - 1) - grown(t - 4)) + 5 * grown(t - 4) for t in times]
    assert found == pytest.approx(expected, abs=1e-9)
    nobody = tr.infinite_servers_mean([(0.0, 1.0)], [3.0], lambda t: math.exp(-t / 2.0), 2.0)
    assert nobody == pytest.approx([grown(3.0)])


def test_fluid_by_hand() -> None:
    found = tr.fluid_queue(5.0, 2.0, 4, 3.0, 1.0, [0.0, 3.0, 1e9])  # 3 a day too many, for 3 days each: 9
    assert found == pytest.approx([1.0, 9.0 - 8.0 / math.e, 9.0])
    wait, queue = tr.fluid_wait(5.0, 2.0, 4, lambda t: math.exp(-t / 3.0), 50.0)
    assert wait == pytest.approx(-3.0 * math.log(0.4))
    assert queue == pytest.approx(5.0 * 3.0 * 0.6)
    for load in (2.0, 1.5):
        with pytest.raises(
            InputError, match=rf"fluid_queue: found a load of {load / 2:g} per server; expected more than 1"
        ):
            tr.fluid_queue(load, 2.0, 4, 3.0, 1.0, [0.0])
    with pytest.raises(
        InputError, match=r"fluid_wait: longest: found 1.0; expected a wait by which enough have given up"
    ):
        tr.fluid_wait(5.0, 2.0, 4, lambda t: math.exp(-t / 3.0), 1.0)
