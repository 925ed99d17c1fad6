"""Queues whose steady state is known in closed form: what the engines must come out at.

Rates are numbers per unit of time; means and waiting times are in that unit. Waits are in the queue, before service.
What happens before the steady state, or under a schedule, is in `flowsim.analysis.transient`. λ, μ, θ, ρ and σ mean
what they mean in the literature: arrival, service and reneging rate, load per server, cumulated load.

.. [GSTH] D. Gross, J. F. Shortle, J. M. Thompson, C. M. Harris, *Fundamentals of Queueing Theory*, 4th ed., Wiley 2008.
.. [MZ] A. Mandelbaum, S. Zeltyn, "Service engineering in action: the Palm/Erlang-A queue, with applications to call
   centers", in: *Advances in Services Innovations*, Springer 2007, pp. 17-45.
.. [F] K. Fong, Y. Mushtaq, T. House, D. Gordon, Y. Chen, D. Griffths, S. Ahmad, N. Walton, "Understanding waiting lists
   pressures", medRxiv 2022, doi:10.1101/2022.08.23.22279117; the facts that it numbers.
.. [ZM] S. Zeltyn, A. Mandelbaum, "Call centers with impatient customers: many-server asymptotics of the M/M/n+G queue",
   Queueing Systems 51, 2005, pp. 361-402.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from flowsim.errors import InputError


@dataclass(frozen=True)
class SteadyState:
    """What a queue comes out at in the long run.

    Attributes
    ----------
    utilisation : share of the servers' time that is spent in service.
    wait_probability : share of the arrivals let in that find no free server.
    mean_queue : number waiting, averaged over time.
    mean_wait : wait of everybody let in, those who renege included.
    mean_wait_served : wait of those who are served.
    reneging_probability : share of the arrivals let in that give up waiting.
    blocking_probability : share of the arrivals that find the queue full.
    """

    utilisation: float
    wait_probability: float
    mean_queue: float
    mean_wait: float
    mean_wait_served: float
    reneging_probability: float = 0.0
    blocking_probability: float = 0.0


def require(function: str, **numbers: float) -> None:
    """Refuse what is not a positive, finite number.

    Raises
    ------
    InputError : names the function and the argument.
    """
    for name, value in numbers.items():
        if not (math.isfinite(value) and value > 0):
            raise InputError(f"{function}: {name}", repr(value), "a positive number")


def _stable(function: str, load: float) -> None:
    if not load < 1.0:
        raise InputError(function, f"a load of {load:g} per server", "less than 1: else the queue has no steady state")


def erlang_b(servers: int, offered: float) -> float:
    """Share of arrivals lost at M/G/c/c: Erlang's loss formula.

    Parameters
    ----------
    servers : c, at least 0. offered : arrival rate times mean service, in erlang.

    Source: [GSTH]_ section 2.6; by its recursion in c, which neither overflows nor cancels.
    """
    if servers < 0:
        raise InputError("erlang_b: servers", repr(servers), "at least 0")
    require("erlang_b", offered=offered)
    lost = 1.0
    for n in range(1, servers + 1):
        lost = offered * lost / (n + offered * lost)
    return lost


def erlang_c(servers: int, offered: float) -> float:
    """Share of arrivals that wait at M/M/c: Erlang's delay formula.

    Parameters
    ----------
    servers : c, at least 1. offered : arrival rate times mean service, in erlang, below c.

    Source: [GSTH]_ section 2.3; from the loss formula B as c B / (c - a (1 - B)), section 2.6.
    """
    require("erlang_c", servers=servers)
    _stable("erlang_c", offered / servers)
    lost = erlang_b(servers, offered)
    return servers * lost / (servers - offered * (1.0 - lost))


def mm1(arrival_rate: float, service_mean: float) -> SteadyState:
    """M/M/1 ([GSTH]_ section 2.2): L_q = ρ² / (1 - ρ)."""
    require("mm1", arrival_rate=arrival_rate, service_mean=service_mean)
    ρ = arrival_rate * service_mean
    _stable("mm1", ρ)
    queue = ρ * ρ / (1.0 - ρ)
    return SteadyState(ρ, ρ, queue, queue / arrival_rate, queue / arrival_rate)


def mmc(arrival_rate: float, service_mean: float, servers: int) -> SteadyState:
    """M/M/c, Erlang C ([GSTH]_ section 2.3): L_q = C ρ / (1 - ρ), and W_q by Little's law."""
    require("mmc", arrival_rate=arrival_rate, service_mean=service_mean, servers=servers)
    ρ = arrival_rate * service_mean / servers
    delayed = erlang_c(servers, arrival_rate * service_mean)
    queue = delayed * ρ / (1.0 - ρ)
    return SteadyState(ρ, delayed, queue, queue / arrival_rate, queue / arrival_rate)


def mmc_wait_beyond(time: float, arrival_rate: float, service_mean: float, servers: int) -> float:
    """Share of the arrivals at M/M/c that wait longer than ``time``, first come first served.

    Source: [GSTH]_ section 2.3: C exp(-(c μ - λ) t).
    """
    delayed = mmc(arrival_rate, service_mean, servers).wait_probability
    return delayed * math.exp(-(servers / service_mean - arrival_rate) * time)


def mmc_wait_quantile(share: float, arrival_rate: float, service_mean: float, servers: int) -> float:
    """Wait that a share of the arrivals at M/M/c does not exceed (0 where so many do not wait at all).

    Source: the inverse of `mmc_wait_beyond`.
    """
    if not 0.0 <= share < 1.0:
        raise InputError("mmc_wait_quantile: share", repr(share), "at least 0, below 1")
    delayed = mmc(arrival_rate, service_mean, servers).wait_probability
    if 1.0 - share >= delayed:
        return 0.0
    return math.log(delayed / (1.0 - share)) / (servers / service_mean - arrival_rate)


def mg1(arrival_rate: float, service_mean: float, service_cv: float) -> SteadyState:
    """M/G/1, Pollaczek-Khinchine ([GSTH]_ section 5.1): W_q = λ E[S²] / (2 (1 - ρ)).

    ``service_cv``: coefficient of variation of the service time, 0 for constant.
    """
    require("mg1", arrival_rate=arrival_rate, service_mean=service_mean)
    ρ = arrival_rate * service_mean
    _stable("mg1", ρ)
    wait = arrival_rate * service_mean**2 * (1.0 + service_cv**2) / (2.0 * (1.0 - ρ))
    return SteadyState(ρ, ρ, arrival_rate * wait, wait, wait)


def gm1(interval_transform: Callable[[float], float], interval_mean: float, service_mean: float) -> SteadyState:
    """G/M/1 ([GSTH]_ section 5.3.1): arrivals at independent intervals of any distribution, exponential service.

    An arrival waits with probability σ, the root below 1 of σ = A(μ (1 - σ)); W_q = σ / (μ (1 - σ)).

    Parameters
    ----------
    interval_transform : Laplace transform A of the interval, E[exp(-s interval)]. interval_mean : its mean.
    """
    from scipy.optimize import brentq

    require("gm1", interval_mean=interval_mean, service_mean=service_mean)
    ρ, μ = service_mean / interval_mean, 1.0 / service_mean
    _stable("gm1", ρ)
    # 1 is a root as well: near it the difference is positive, at 0 it is negative.
    σ = float(brentq(lambda share: share - interval_transform(μ * (1.0 - share)), 0.0, 1.0 - 1e-9, xtol=1e-14))
    wait = σ / (μ * (1.0 - σ))
    return SteadyState(ρ, σ, wait / interval_mean, wait, wait)


def mg_infinity(arrival_rate: float, service_mean: float) -> float:
    """Mean (and variance) of the number in service at M/G/∞, which is Poisson ([GSTH]_ section 5.2.2): λ E[S]."""
    require("mg_infinity", arrival_rate=arrival_rate, service_mean=service_mean)
    return arrival_rate * service_mean


def full_share(beds: int, offered: float) -> float:
    """Probability of delay as bed planners take it from an M/G/∞ ward: P(N = n) / P(N <= n), N its number of patients.

    With a Poisson number this is Erlang's loss formula for n beds (T. Monks et al., BMC Health Serv. Res. 16, 2016,
    530, p. 3, "the general form").
    """
    return erlang_b(beds, offered)


def mmc_limited(arrival_rate: float, service_mean: float, servers: int, queue_limit: int) -> SteadyState:
    """M/M/c/K with K = servers + ``queue_limit``: who finds the queue full goes away ([GSTH]_ section 2.5).

    With ``queue_limit`` 0 this is Erlang's loss system. Any load has a steady state.
    """
    require("mmc_limited", arrival_rate=arrival_rate, service_mean=service_mean, servers=servers)
    present = _birth_death(arrival_rate, service_mean, servers, servers + queue_limit, 0.0)
    numbers = np.arange(len(present))
    blocked = float(present[-1])
    queue = float(present @ np.maximum(numbers - servers, 0))
    let_in = arrival_rate * (1.0 - blocked)
    waiting = float(present[servers:-1].sum()) / (1.0 - blocked) if queue_limit > 0 else 0.0
    busy = float(present @ np.minimum(numbers, servers)) / servers
    return SteadyState(busy, waiting, queue, queue / let_in, queue / let_in, blocking_probability=blocked)


def _birth_death(λ: float, service_mean: float, servers: int, largest: int, θ: float) -> np.ndarray:
    """(largest + 1,) long-run shares of the numbers present: arrivals at λ, departures at min(n, c) μ + (n - c)⁺ θ."""
    numbers = np.arange(1, largest + 1)
    departures = np.minimum(numbers, servers) / service_mean + np.maximum(numbers - servers, 0) * θ
    logs = np.concatenate([[0.0], np.cumsum(np.log(λ) - np.log(departures))])
    shares = np.exp(logs - logs.max())
    normed: np.ndarray = shares / shares.sum()
    return normed


def erlang_a(arrival_rate: float, service_mean: float, servers: int, patience_mean: float) -> SteadyState:
    """M/M/c+M, Erlang A (Palm): exponential patience; every load has a steady state.

    Source: [MZ]_: the birth-death chain with departures min(n, c) μ + (n - c)⁺ θ. It is cut where less than 1e-15 of
    the mass is left: beyond the mode its terms fall faster than geometrically. The wait of those served comes from
    `mmc_general_patience`.
    """
    require("erlang_a", arrival_rate=arrival_rate, service_mean=service_mean, servers=servers, patience=patience_mean)
    λ, θ = arrival_rate, 1.0 / patience_mean
    mode = servers + max(0.0, (λ - servers / service_mean) / θ)
    spread = math.sqrt(λ / θ) + math.sqrt(λ * service_mean) + 10.0
    largest = int(mode + 12.0 * spread)
    present = _birth_death(λ, service_mean, servers, largest, θ)
    while present[-1] > 1e-15:
        largest *= 2
        present = _birth_death(λ, service_mean, servers, largest, θ)
    numbers = np.arange(largest + 1)
    queue = float(present @ np.maximum(numbers - servers, 0))
    busy = float(present @ np.minimum(numbers, servers)) / servers
    served = mmc_general_patience(λ, service_mean, servers, lambda t: math.exp(-θ * t), patience_mean)
    return SteadyState(busy, float(present[servers:].sum()), queue, queue / λ, served.mean_wait_served, queue * θ / λ)


def mmc_general_patience(
    arrival_rate: float,
    service_mean: float,
    servers: int,
    patient_beyond: Callable[[float], float],
    patience_mean: float,
) -> SteadyState:
    """M/M/c+G: patience of any distribution (Baccelli and Hebuterne 1981; [ZM]_ section 4).

    The wait that somebody with endless patience would meet has, above 0, the density λ π(c - 1) exp(λ H(x) - c μ x),
    with H(x) the integral of the patience's survival function from 0 to x and π(c - 1) the share of time with c - 1
    present.

    Parameters
    ----------
    patient_beyond : survival function of the patience, the share that is still patient after a wait.
    patience_mean : its mean, finite; the load lost to reneging must leave less than the servers can do.
    """
    from scipy.integrate import cumulative_simpson, quad, simpson

    require("mmc_general_patience", arrival_rate=arrival_rate, service_mean=service_mean, servers=servers)
    require("mmc_general_patience", patience_mean=patience_mean)
    λ, μ = arrival_rate, 1.0 / service_mean
    # A grid up to where the density has died out. Its exponent is concave: once 45 below its height, it stays there.
    top = 1.0 / (servers * μ)
    height = 0.0
    while (exponent_there := λ * quad(patient_beyond, 0.0, top, limit=400)[0] - servers * μ * top) > height - 45.0:
        height = max(height, exponent_there)
        if top * servers * μ > 1e9:
            raise InputError("mmc_general_patience", "a queue that does not end", "more servers or less patience")
        top *= 1.25
    x = np.linspace(0.0, top, 400_001)
    patient = np.array([patient_beyond(float(value)) for value in x])
    exponent = λ * cumulative_simpson(patient, x=x, initial=0.0) - servers * μ * x
    shift = float(exponent.max())
    density = np.exp(exponent - shift)
    below = _birth_death(λ, service_mean, servers, servers - 1, 0.0) if servers > 1 else np.ones(1)
    # Everything relative to the mass of 0..c-1 present; π(c - 1) = below[-1] of it.
    weight = λ * float(below[-1]) * math.exp(shift)
    delayed = weight * float(simpson(density, x=x))
    wait_beyond = weight * _tail_integral(density, x)
    total = 1.0 + delayed
    served_delayed = weight * float(simpson(density * patient, x=x)) / total
    wait_served = weight * float(simpson(density * patient * x, x=x)) / total
    # E[min(V, patience)] is the integral of P(V > t) P(patience > t).
    mean_wait = float(simpson(wait_beyond * patient, x=x)) / total
    probability = delayed / total
    reneging = probability - served_delayed
    served = 1.0 - reneging
    return SteadyState(
        λ * served / (servers * μ), probability, λ * mean_wait, mean_wait, wait_served / served, reneging
    )


def _tail_integral(density: np.ndarray, x: np.ndarray) -> np.ndarray:
    from scipy.integrate import cumulative_simpson

    cumulated = cumulative_simpson(density, x=x, initial=0.0)
    beyond: np.ndarray = cumulated[-1] - cumulated
    return beyond


def _priority_waits(first_wait: float, loads: Sequence[float]) -> np.ndarray:
    σ = np.concatenate([[0.0], np.cumsum(loads)])
    waits: np.ndarray = first_wait / ((1.0 - σ[:-1]) * (1.0 - σ[1:]))
    return waits


def priority_mmc(arrival_rates: Sequence[float], service_mean: float, servers: int) -> np.ndarray:
    """Mean wait per class at M/M/c with non-preemptive priorities and one service rate: (classes,), the first first.

    Source: A. Cobham, "Priority assignment in waiting line problems", Oper. Res. 2(1), 1954, pp. 70-76; O. Kella and U.
    Yechiali, "Waiting times in the non-preemptive priority M/M/c queue", Stochastic Models 1(2), 1985, pp. 257-262:
    W_k = (C / (c μ)) / ((1 - σ_(k-1)) (1 - σ_k)).
    """
    offered = math.fsum(arrival_rates) * service_mean
    first_wait = erlang_c(servers, offered) * service_mean / servers
    return _priority_waits(first_wait, [rate * service_mean / servers for rate in arrival_rates])


def priority_mg1(
    arrival_rates: Sequence[float], service_means: Sequence[float], service_cvs: Sequence[float]
) -> np.ndarray:
    """Mean wait per class at M/G/1 with non-preemptive priorities: (classes,), the first goes first.

    Source: Cobham 1954 (see `priority_mmc`); [GSTH]_ section 5.1: W_k = Σ λ E[S²] / 2 / ((1 - σ_(k-1)) (1 - σ_k)).
    """
    loads = [rate * mean for rate, mean in zip(arrival_rates, service_means, strict=True)]
    _stable("priority_mg1", math.fsum(loads))
    squares = [mean**2 * (1.0 + cv**2) for mean, cv in zip(service_means, service_cvs, strict=True)]
    first_wait = math.fsum(rate * square for rate, square in zip(arrival_rates, squares, strict=True)) / 2.0
    return _priority_waits(first_wait, loads)


def traffic(external: Sequence[float], routing: Sequence[Sequence[float]]) -> np.ndarray:
    """Arrival rate at every station of an open network: (stations,), the traffic equations λ = γ + λ R.

    Parameters
    ----------
    external : (stations,) arrivals from outside. routing : (stations, stations), shares that go from row to column;
    what is missing from 1 leaves.

    Source: [GSTH]_ section 4.2.
    """
    inflow, shares = np.asarray(external, float), np.asarray(routing, float)
    if shares.shape != (len(inflow), len(inflow)) or (shares < 0).any() or (shares.sum(axis=1) > 1 + 1e-12).any():
        raise InputError("traffic: routing", f"shape {shares.shape}", "a square table of shares, each row at most 1")
    try:
        rates: np.ndarray = np.linalg.solve(np.eye(len(inflow)) - shares.T, inflow)
    except np.linalg.LinAlgError:
        raise InputError("traffic: routing", "stations that nobody ever leaves", "a way out from everywhere") from None
    return rates


def jackson(
    external: Sequence[float],
    routing: Sequence[Sequence[float]],
    service_means: Sequence[float],
    servers: Sequence[int],
) -> list[SteadyState]:
    """An open Jackson network: each station as an M/M/c with the rate of `traffic`, feedback or not.

    Source: J. R. Jackson, "Networks of waiting lines", Oper. Res. 5(4), 1957, pp. 518-521.
    """
    rates = traffic(external, routing)
    return [mmc(float(λ), mean, c) for λ, mean, c in zip(rates, service_means, servers, strict=True)]


# ---------------------------------------------------------------- waiting lists


def target_mean_wait(target_wait: float, factor: float = 4.0) -> float:
    """Mean wait at which all but exp(-factor) are treated within the target ([F]_ facts 3 and 4).

    The wait of a waiting list that is stable and heavily loaded is exponential. ``factor`` 4: 1.8% miss the target;
    6: 0.2%.
    """
    require("target_mean_wait", target_wait=target_wait, factor=factor)
    return target_wait / factor


def target_list_size(demand: float, target_wait: float, factor: float = 4.0) -> float:
    """Number on a list that keeps its target: demand times `target_mean_wait`, Little's law ([F]_ facts 5 and 6)."""
    require("target_list_size", demand=demand)
    return demand * target_mean_wait(target_wait, factor)


def relief_capacity(demand: float, size: float, target_size: float, time: float) -> float:
    """Treatments per unit of time that bring a list from ``size`` to ``target_size`` within ``time`` ([F]_ fact 7)."""
    require("relief_capacity", demand=demand, size=size, target_size=target_size, time=time)
    return demand + (size - target_size) / time


def target_capacity(demand: float, target_wait: float, factor: float = 4.0) -> float:
    """Treatments per unit of time that keep a list at `target_list_size`: demand + factor / target_wait.

    For random referrals and treatments (both with a coefficient of variation of 1) it is exact when the wait runs to
    the end of a treatment by one team: 1 / (μ - λ) is the mean time in an M/M/1 queue ([GSTH]_ section 2.2). [F]_ fact
    8 has the same form with another constant; this one is that of the authors' package NHSRwaitinglist 0.1.2
    (calc_target_capacity, CRAN 2025).
    """
    require("target_capacity", demand=demand)
    return demand + 1.0 / target_mean_wait(target_wait, factor)
