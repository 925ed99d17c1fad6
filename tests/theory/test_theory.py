"""The formulas against published tables and worked examples, against each other, and in limits that must hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.integrate import quad, solve_ivp
from scipy.linalg import expm
from scipy.special import lambertw
from scipy.stats import poisson

from flowsim.analysis import theory, transient
from flowsim.errors import InputError
from flowsim.study.verification.networks import stroke_loads
from flowsim.study.verification.sources import data

# ---------------------------------------------------------------- published numbers


@pytest.mark.parametrize(
    ("share_lost", "servers", "offered", "last_digit"),
    [
        (0.01, 1, 0.0101, 0.0001),
        (0.01, 5, 1.36, 0.01),
        (0.01, 10, 4.46, 0.01),
        (0.01, 20, 12.0, 0.1),
        (0.01, 30, 20.3, 0.1),
        (0.01, 100, 84.1, 0.1),
        (0.02, 10, 5.08, 0.01),
        (0.02, 20, 13.2, 0.1),
        (0.02, 50, 40.3, 0.1),
        (0.02, 100, 88.0, 0.1),
        (0.10, 10, 7.51, 0.01),
    ],
)
def test_erlang_b_as_in_the_traffic_tables(share_lost: float, servers: int, offered: float, last_digit: float) -> None:
    """The table of offered traffic by lines and loss that telephone engineers use, to its last digit."""
    assert theory.erlang_b(servers, offered - last_digit / 2) < share_lost
    assert theory.erlang_b(servers, offered + last_digit / 2) > share_lost


def test_eye_clinic() -> None:
    """Gross et al., example in section 2.3: 6 an hour, 20 minutes each, three ophthalmologists."""
    clinic = theory.mmc(6.0, 1.0 / 3.0, 3)
    assert clinic.wait_probability == pytest.approx(4 / 9)
    assert clinic.mean_queue == pytest.approx(8 / 9)
    assert clinic.mean_wait * 60 == pytest.approx(8.9, abs=0.05)


def test_call_centre_with_and_without_patience() -> None:
    """Mandelbaum and Zeltyn 2007: 50 agents, 48 calls a minute of a minute each, patience 2 minutes or endless."""
    patient = theory.mmc(48.0, 1.0, 50)
    assert patient.mean_wait * 60 == pytest.approx(20.8, abs=0.05)
    assert patient.mean_queue == pytest.approx(17, abs=0.5)
    assert patient.utilisation == pytest.approx(0.96)
    assert theory.mmc_wait_quantile(0.9, 48.0, 1.0, 50) * 60 == pytest.approx(58.1, abs=0.05)
    impatient = theory.erlang_a(48.0, 1.0, 50, 2.0)
    assert impatient.reneging_probability == pytest.approx(0.031, abs=0.0005)
    assert impatient.mean_wait * 60 == pytest.approx(3.7, abs=0.05)
    assert impatient.mean_queue == pytest.approx(3.0, abs=0.05)
    assert impatient.utilisation == pytest.approx(0.93, abs=0.005)


def test_two_phases_of_a_machine_shop() -> None:
    """Traffic equations by hand: 1 an hour into the first, a quarter comes back from the second."""
    first, second = theory.jackson([1.0, 0.0], [[0.0, 1.0], [0.25, 0.0]], [0.5, 0.3], [1, 1])
    assert theory.traffic([1.0, 0.0], [[0.0, 1.0], [0.25, 0.0]]) == pytest.approx([4 / 3, 4 / 3])
    assert first.mean_queue == pytest.approx((2 / 3) ** 2 / (1 / 3))
    assert second.mean_queue == pytest.approx(0.4**2 / 0.6)


def test_beds_for_stroke_care() -> None:
    """Monks et al. 2016, table 2 (p. 5): every printed p(delay) fits what its printed parameters allow.

    The times between admissions are printed to one decimal: each stands for a range, and so does what follows.
    """
    study = data("stroke.toml")
    printed = {
        ("acute", 1.00): {9: 0.19, 10: 0.14, 11: 0.09, 12: 0.06, 13: 0.04, 14: 0.02},
        ("acute", 1.05): {10: 0.16, 11: 0.11, 12: 0.07, 13: 0.05, 14: 0.03},
        ("rehab", 1.00): {10: 0.20, 12: 0.11, 13: 0.08, 14: 0.05, 15: 0.03, 16: 0.02},
        ("rehab", 1.05): {12: 0.13, 13: 0.09, 14: 0.07, 15: 0.04, 16: 0.02},
    }
    for (ward, admissions), table in printed.items():
        lowest, highest = (admissions * stroke_loads(study, slip)[ward == "rehab"] for slip in (0.5, -0.5))
        for beds, share in table.items():
            assert theory.full_share(beds, lowest) - 0.005 <= share <= theory.full_share(beds, highest) + 0.005


def test_waiting_list_of_an_ent_department() -> None:
    """Fong et al. 2022: 30 referrals a week, 1,200 waiting, a target of 52 weeks, 26 weeks to get there."""
    assert theory.target_mean_wait(52.0) == 13.0
    assert theory.target_list_size(30.0, 52.0) == 390.0
    assert theory.relief_capacity(30.0, 1200.0, 390.0, 26.0) == pytest.approx(61.15, abs=0.005)
    assert math.exp(-4.0) == pytest.approx(0.018, abs=0.0005)  # fact 4: between 1.8% ...
    assert math.exp(-6.0) == pytest.approx(0.002, abs=0.0005)  # ... and 0.2% miss the target


# ---------------------------------------------------------------- identities and limits


@pytest.mark.parametrize(("demand", "target", "factor"), [(2.0, 14.0, 4.0), (30.0, 52.0, 4.0), (3.0, 4.0, 6.0)])
def test_one_team_at_target_capacity_is_the_simplest_queue(demand: float, target: float, factor: float) -> None:
    capacity = theory.target_capacity(demand, target, factor)
    queue = theory.mm1(demand, 1.0 / capacity)
    assert queue.mean_queue + queue.utilisation == pytest.approx(theory.target_list_size(demand, target, factor))
    beyond = theory.mmc_wait_beyond(target, demand, 1.0 / capacity, 1)
    assert beyond == pytest.approx(queue.utilisation * math.exp(-factor))


@pytest.mark.parametrize("load", [0.1, 0.5, 0.9, 0.99])
def test_arrivals_at_intervals(load: float) -> None:
    random = theory.gm1(lambda s: 1.0 / (1.0 + s), 1.0, load)
    simple = theory.mm1(1.0, load)
    for name in ("utilisation", "wait_probability", "mean_wait", "mean_queue"):
        assert getattr(random, name) == pytest.approx(getattr(simple, name))
    steady = theory.gm1(lambda s: math.exp(-s), 1.0, load)
    root = -load * lambertw(-math.exp(-1.0 / load) / load).real  # D/M/1 in closed form
    assert steady.wait_probability == pytest.approx(root, abs=1e-9)
    assert steady.mean_wait < simple.mean_wait


def test_a_poisson_ward_is_full_as_often_as_calls_are_lost() -> None:
    for beds, offered in ((3, 2.0), (10, 8.1), (26, 17.9)):
        assert theory.full_share(beds, offered) == pytest.approx(
            poisson.pmf(beds, offered) / poisson.cdf(beds, offered)
        )


@pytest.mark.parametrize("load", [0.1, 0.5, 0.9, 0.99])
def test_one_server_is_the_simplest_queue(load: float) -> None:
    simple = theory.mm1(load, 1.0)
    for other in (theory.mmc(load, 1.0, 1), theory.mg1(load, 1.0, 1.0)):
        assert other.mean_wait == pytest.approx(simple.mean_wait)
        assert other.wait_probability == pytest.approx(load)
    assert theory.mg1(load, 1.0, 0.0).mean_wait == pytest.approx(simple.mean_wait / 2)


def test_mean_wait_is_the_integral_of_its_tail() -> None:
    queue = theory.mmc(7.0, 1.2, 10)
    assert quad(theory.mmc_wait_beyond, 0, 60, args=(7.0, 1.2, 10))[0] == pytest.approx(queue.mean_wait)
    for share in (0.7, 0.9, 0.99):
        t = theory.mmc_wait_quantile(share, 7.0, 1.2, 10)
        assert theory.mmc_wait_beyond(t, 7.0, 1.2, 10) == pytest.approx(1 - share)
    assert theory.mmc_wait_quantile(0.1, 7.0, 1.2, 10) == 0.0


@pytest.mark.parametrize("servers", [1, 4, 25])
def test_endless_patience_is_erlang_c(servers: int) -> None:
    patient = theory.mmc(0.8 * servers, 1.0, servers)
    almost = theory.erlang_a(0.8 * servers, 1.0, servers, 1e7)
    for name in ("wait_probability", "mean_wait", "mean_wait_served", "mean_queue", "utilisation"):
        assert getattr(almost, name) == pytest.approx(getattr(patient, name), rel=1e-4)
    assert almost.reneging_probability < 1e-6


@pytest.mark.parametrize(("rate", "servers"), [(3.0, 4), (8.0, 4), (0.3, 1)])
def test_patience_as_long_as_service_is_infinite_servers(rate: float, servers: int) -> None:
    """With θ = μ everybody leaves at rate μ, waiting or served: the number present is Poisson."""
    queue = theory.erlang_a(rate, 1.0, servers, 1.0)
    assert queue.wait_probability == pytest.approx(poisson.sf(servers - 1, rate))
    assert queue.mean_queue == pytest.approx(poisson.expect(lambda n: np.maximum(n - servers, 0), (rate,)), rel=1e-6)


@pytest.mark.parametrize(("rate", "servers", "patience"), [(4.0, 5, 2.0), (9.0, 5, 3.0), (0.9, 1, 10.0)])
def test_two_ways_to_erlang_a(rate: float, servers: int, patience: float) -> None:
    """The birth-death chain and the density of the offered wait share nothing but the numbers up to c - 1."""
    chain = theory.erlang_a(rate, 1.0, servers, patience)
    integral = theory.mmc_general_patience(rate, 1.0, servers, lambda t: math.exp(-t / patience), patience)
    for name in ("utilisation", "wait_probability", "mean_queue", "mean_wait", "reneging_probability"):
        assert getattr(integral, name) == pytest.approx(getattr(chain, name), rel=1e-7)
    assert chain.utilisation == pytest.approx(rate * (1 - chain.reneging_probability) / servers)


def test_almost_no_patience_is_the_loss_system() -> None:
    lost = theory.erlang_b(6, 5.0)
    assert theory.erlang_a(5.0, 1.0, 6, 1e-7).reneging_probability == pytest.approx(lost, rel=1e-5)
    assert theory.mmc_limited(5.0, 1.0, 6, 0).blocking_probability == pytest.approx(lost)
    assert theory.mmc_limited(5.0, 1.0, 6, 0).mean_queue == 0.0


def test_a_long_limit_is_no_limit() -> None:
    free, limited = theory.mmc(3.0, 1.0, 4), theory.mmc_limited(3.0, 1.0, 4, 400)
    for name in ("wait_probability", "mean_wait", "mean_queue", "utilisation"):
        assert getattr(limited, name) == pytest.approx(getattr(free, name))


def test_limited_single_server_in_closed_form() -> None:
    """M/M/1/K, Gross et al. section 2.5: p_n = (1 - ρ) ρⁿ / (1 - ρ^(K+1))."""
    queue = theory.mmc_limited(1.5, 1.0, 1, 4)
    shares = (1 - 1.5) * 1.5 ** np.arange(6) / (1 - 1.5**6)
    assert queue.blocking_probability == pytest.approx(shares[-1])
    assert queue.mean_queue == pytest.approx(shares @ np.array([0, 0, 1, 2, 3, 4]))


def test_priorities_conserve_the_work_that_waits() -> None:
    """Kleinrock's conservation law: the load-weighted mean wait is that of first come, first served."""
    rates = [0.5, 1.5, 0.7]
    waits = theory.priority_mmc(rates, 1.0, 3)
    assert np.average(waits, weights=rates) == pytest.approx(theory.mmc(2.7, 1.0, 3).mean_wait)
    assert list(waits) == sorted(waits)
    alike = theory.priority_mg1([0.2, 0.3], [1.0, 1.0], [2.0, 2.0])
    assert np.average(alike, weights=[0.2, 0.3]) == pytest.approx(theory.mg1(0.5, 1.0, 2.0).mean_wait)
    assert theory.priority_mg1([0.9], [1.0], [1.0]) == pytest.approx(theory.priority_mmc([0.9], 1.0, 1))


# ---------------------------------------------------------------- transient


def _generator(births: float, service_mean: float, servers: int, size: int, patience: float) -> np.ndarray:
    """Generator of the chain, written out entry by entry."""
    q = np.zeros((size, size))
    for i in range(size):
        if i + 1 < size:
            q[i, i + 1] = births
        if i > 0:
            q[i, i - 1] = min(i, servers) / service_mean + max(i - servers, 0) / patience
        q[i, i] = -q[i].sum()
    return q


@pytest.mark.parametrize("patience", [math.inf, 4.0])
def test_uniformisation_is_the_matrix_exponential(patience: float) -> None:
    times = [0.0, 0.5, 3.0, 11.0]
    shares = transient.presence(2.0, 1.5, 3, 12, times, patience)
    q = _generator(2.0, 1.5, 3, shares.shape[1], patience)
    for row, t in zip(shares, times, strict=True):
        assert row == pytest.approx(expm(q * t)[12], abs=1e-10)
    assert shares.sum(axis=1) == pytest.approx(1.0)


def test_transient_ends_in_the_steady_state() -> None:
    chain = transient.transient_means(4.0, 1.0, 5, 12, [50.0], 2.0)
    steady = theory.erlang_a(4.0, 1.0, 5, 2.0)
    assert chain.waiting[0] == pytest.approx(steady.mean_queue, rel=1e-7)
    assert chain.in_service[0] == pytest.approx(5 * steady.utilisation, rel=1e-7)
    limited = transient.transient_means(6.0, 1.0, 5, 0, [400.0], queue_limit=3)
    assert limited.waiting[0] == pytest.approx(theory.mmc_limited(6.0, 1.0, 5, 3).mean_queue, rel=1e-8)


def test_enough_servers_follow_the_exponential_formula() -> None:
    """M/M/∞: m(t) = λ/μ + (n - λ/μ) exp(-μ t), by both roads."""
    times = [0.1, 1.0, 5.0]
    expected = [6.0 + (10 - 6.0) * math.exp(-t / 2.0) for t in times]
    assert transient.transient_means(3.0, 2.0, 500, 10, times).present == pytest.approx(expected)
    by_rate = transient.infinite_servers_mean([(0.0, 3.0)], times, lambda t: math.exp(-t / 2.0), 2.0, start=10)
    assert by_rate == pytest.approx(expected)


def test_scheduled_infinite_servers_solve_their_differential_equation() -> None:
    """Exponential service: m' = rate(t) - μ m."""
    rate = [(0.5, 3.0), (2.0, 0.0), (3.0, 5.0)]

    def level(t: float) -> float:
        return next((value for begin, value in reversed(rate) if begin <= t), 0.0)

    times = [0.4, 1.0, 2.5, 4.0, 9.0]
    solved = solve_ivp(lambda t, m: level(t) - m / 1.3, (0, 9.0), [0.0], t_eval=times, max_step=0.005, rtol=1e-8)
    found = transient.infinite_servers_mean(rate, times, lambda t: math.exp(-t / 1.3), 1.3)
    assert found == pytest.approx(solved.y[0], abs=2e-3)
    # Constant service: who came in the last 1.3 is there.
    constant = transient.infinite_servers_mean(rate, times, lambda t: float(t < 1.3), 1.3)
    assert constant == pytest.approx([0.0, 1.5, 2.4, 5.0, 6.5], abs=1e-6)


def test_large_queues_run_like_fluid() -> None:
    """With 400 servers the mean of the random queue is the fluid's to within a thousandth of the servers."""
    scale, times = 400, [0.5, 1.0, 3.0]
    fluid = transient.fluid_queue(2.0 * scale, 1.0, scale, 3.0, 1.0 * scale, times)
    chain = transient.transient_means(2.0 * scale, 1.0, scale, 2 * scale, times, 3.0)
    assert chain.waiting / scale == pytest.approx(fluid / scale, abs=1e-3)


def test_fluid_wait_is_the_limit_of_the_queue_with_that_patience() -> None:
    """Erlang patience, 60% overload: c = 200 comes within 2% of the fluid of Whitt 2006."""

    def beyond(t: float) -> float:
        return (1 + t) * math.exp(-t)  # two stages of mean 1

    wait, queue = transient.fluid_wait(320.0, 1.0, 200, beyond, 50.0)
    steady = theory.mmc_general_patience(320.0, 1.0, 200, beyond, 2.0)
    assert beyond(wait) == pytest.approx(1 / 1.6)
    assert steady.mean_wait_served == pytest.approx(wait, rel=0.02)
    assert steady.mean_queue == pytest.approx(queue, rel=0.02)
    assert steady.reneging_probability == pytest.approx(0.6 / 1.6, rel=0.001)


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    "call",
    [
        lambda: theory.mm1(1.0, 1.0),
        lambda: theory.mmc(5.0, 1.0, 5),
        lambda: theory.erlang_c(3, 3.5),
        lambda: theory.erlang_b(-1, 1.0),
        lambda: theory.mg1(2.0, 1.0, 0.5),
        lambda: theory.mmc(-1.0, 1.0, 5),
        lambda: theory.mmc_wait_quantile(1.0, 1.0, 1.0, 2),
        lambda: theory.priority_mmc([2.0, 2.0], 1.0, 4),
        lambda: theory.priority_mg1([0.6, 0.6], [1.0, 1.0], [1.0, 1.0]),
        lambda: theory.jackson([1.0], [[1.0]], [0.1], [1]),
        lambda: theory.traffic([1.0], [[1.5]]),
        lambda: theory.erlang_a(1.0, 1.0, 1, math.nan),
        lambda: theory.gm1(lambda s: math.exp(-s), 1.0, 1.0),
        lambda: theory.target_mean_wait(0.0),
        lambda: theory.target_list_size(-1.0, 14.0),
        lambda: theory.relief_capacity(30.0, 1200.0, 390.0, 0.0),
        lambda: theory.target_capacity(math.inf, 14.0),
        lambda: transient.presence(1.0, 1.0, 1, 0, [2.0, 1.0]),
        lambda: transient.presence(1.0, 1.0, 1, 9, [1.0], queue_limit=2),
        lambda: transient.fluid_queue(1.0, 1.0, 2, 1.0, 0.0, [1.0]),
        lambda: transient.fluid_wait(3.0, 1.0, 2, lambda t: math.exp(-t), 0.01),
    ],
)
def test_what_has_no_answer_is_refused(call: object) -> None:
    with pytest.raises(InputError):
        call()  # type: ignore[operator]
