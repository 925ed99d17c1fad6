"""Queues before their steady state, or under a schedule: what the engines' snapshots must come out at.

Times in one unit; rates per that unit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from flowsim.analysis.theory import require
from flowsim.errors import InputError

LOST = 1e-12
"""Probability that `presence` may lose by cutting its chain and its sums."""


class Transient(NamedTuple):
    """Means at times: number ``present``, of whom ``waiting`` and ``in_service``; each (times,) float64."""

    present: np.ndarray
    waiting: np.ndarray
    in_service: np.ndarray


def presence(
    arrival_rate: float,
    service_mean: float,
    servers: int,
    start: int,
    times: Sequence[float],
    patience_mean: float = math.inf,
    queue_limit: int | None = None,
) -> np.ndarray:
    """Distribution of the number present at M/M/c(+M) or M/M/c/K, from ``start`` present at time 0.

    Parameters
    ----------
    times : increasing. patience_mean : inf for endless patience. queue_limit : None for a queue without limit; else who
    finds it full goes away.

    Returns
    -------
    (times, states) float64: probability of each number present.

    Source: uniformisation: A. Jensen, Skandinavisk Aktuarietidskrift 36, 1953, pp. 87-91; W. K. Grassmann, "Transient
    solutions in Markovian queueing systems", Comput. Oper. Res. 4(1), 1977, pp. 47-53.
    """
    require("presence", arrival_rate=arrival_rate, service_mean=service_mean, servers=servers)
    steps = np.diff(np.concatenate([[0.0], np.asarray(times, float)]))
    if (steps < 0).any():
        raise InputError("presence: times", repr(list(times)[:6]), "times from 0 that increase")
    largest = start + servers if queue_limit is None else servers + queue_limit
    if start > largest:
        raise InputError("presence: start", repr(start), f"at most {largest}")
    if queue_limit is None:  # room for all arrivals of the whole time, but for LOST
        expected = arrival_rate * float(np.sum(steps))
        largest += int(expected + 9.0 * math.sqrt(expected) + 60.0)
    numbers = np.arange(largest + 1)
    births = np.full(largest + 1, arrival_rate)
    births[-1] = 0.0
    deaths = np.minimum(numbers, servers) / service_mean + np.maximum(numbers - servers, 0) / patience_mean
    probability = np.zeros(largest + 1)
    probability[start] = 1.0
    found = np.empty((len(steps), largest + 1))
    for i, step in enumerate(steps):
        probability = _uniformised(probability, births, deaths, float(step))
        found[i] = probability
    return found


def _uniformised(probability: np.ndarray, births: np.ndarray, deaths: np.ndarray, time: float) -> np.ndarray:
    """The distribution of a birth-death chain after ``time``: a Poisson number of steps of its uniformised chain."""
    rate = float((births + deaths).max())
    pieces = max(1, math.ceil(rate * time / 200.0))  # so that exp(-mean) stays far from underflow
    mean = rate * time / pieces
    for _ in range(pieces):
        weight, term, total = math.exp(-mean), probability, 0.0
        result = np.zeros_like(probability)
        n = 0
        while total < 1.0 - LOST / pieces and n < 10_000:
            result += weight * term
            total += weight
            n += 1
            weight *= mean / n
            after = term * (1.0 - (births + deaths) / rate)
            after[1:] += term[:-1] * births[:-1] / rate
            after[:-1] += term[1:] * deaths[1:] / rate
            term = after
        probability = result / total
    return probability


def transient_means(
    arrival_rate: float,
    service_mean: float,
    servers: int,
    start: int,
    times: Sequence[float],
    patience_mean: float = math.inf,
    queue_limit: int | None = None,
) -> Transient:
    """Means at ``times`` of the chain of `presence`, which says what the parameters are."""
    shares = presence(arrival_rate, service_mean, servers, start, times, patience_mean, queue_limit)
    numbers = np.arange(shares.shape[1])
    waiting = shares @ np.maximum(numbers - servers, 0)
    serving = shares @ np.minimum(numbers, servers)
    return Transient(waiting + serving, waiting, serving)


def infinite_servers_mean(
    rate: Sequence[tuple[float, float]],
    times: Sequence[float],
    longer_than: Callable[[float], float],
    service_mean: float,
    start: int = 0,
) -> np.ndarray:
    """Mean number in service at M(t)/G/∞ at ``times``: (times,) float64; those who came since 0 are Poisson in number.

    Parameters
    ----------
    rate : ``[(t, arrivals per unit of time from t on), ...]``, 0 before the first.
    longer_than : survival function of the service time, whose mean is ``service_mean``.
    start : in service at time 0, each with a residual service of the stationary-excess distribution.

    Source: S. G. Eick, W. A. Massey, W. Whitt, "The physics of the M_t/G/∞ queue", Oper. Res. 41(4), 1993, pp. 731-742,
    Theorem 1: m(t) is the integral of rate(u) P(S > t - u).
    """
    from scipy.integrate import quad

    def served_within(time: float) -> float:
        """The integral of the survival function from 0 to ``time``."""
        return float(quad(longer_than, 0.0, time, limit=400)[0]) if time > 0.0 else 0.0

    means = np.empty(len(times))
    begins = [begin for begin, _ in rate]
    for i, time in enumerate(times):
        means[i] = start * (1.0 - served_within(time) / service_mean)
        for (begin, level), end in zip(rate, [*begins[1:], math.inf], strict=True):
            if begin < time:
                means[i] += level * (served_within(time - begin) - served_within(max(0.0, time - end)))
    return means


def fluid_queue(
    arrival_rate: float, service_mean: float, servers: int, patience_mean: float, start: float, times: Sequence[float]
) -> np.ndarray:
    """Queue of the fluid M/M/c+M that stays overloaded: (times,) float64, from ``start`` waiting.

    q' = λ - c μ - θ q, so q runs exponentially to (λ - c μ) / θ.

    Source: W. Whitt, "Fluid models for multiserver queues with abandonments", Oper. Res. 54(1), 2006, pp. 37-54; for
    exponential times the limit of A. Mandelbaum, W. A. Massey, M. I. Reiman, Queueing Systems 30, 1998, pp. 149-201.

    Raises
    ------
    InputError : no overload.
    """
    overload = _overload("fluid_queue", arrival_rate, service_mean, servers)
    end = overload * patience_mean
    found: np.ndarray = end + (start - end) * np.exp(-np.asarray(times, float) / patience_mean)
    return found


def fluid_wait(
    arrival_rate: float, service_mean: float, servers: int, patient_beyond: Callable[[float], float], longest: float
) -> tuple[float, float]:
    """Wait of those served, and number waiting, of an overloaded fluid queue with patience of any distribution.

    All who are served wait equally long, w, with P(patience > w) = c μ / λ; the queue is λ times the integral of that
    survival function up to w.

    Parameters
    ----------
    patient_beyond : survival function of the patience. longest : a wait by which enough have given up.

    Source: Whitt 2006 (see `fluid_queue`), section 3.
    """
    from scipy.integrate import quad
    from scipy.optimize import brentq

    _overload("fluid_wait", arrival_rate, service_mean, servers)
    stay = servers / service_mean / arrival_rate
    if patient_beyond(longest) > stay:
        raise InputError("fluid_wait: longest", repr(longest), "a wait by which enough have given up")
    wait = float(brentq(lambda t: patient_beyond(t) - stay, 0.0, longest, xtol=1e-12))
    return wait, arrival_rate * float(quad(patient_beyond, 0.0, wait)[0])


def _overload(function: str, arrival_rate: float, service_mean: float, servers: int) -> float:
    require(function, arrival_rate=arrival_rate, service_mean=service_mean, servers=servers)
    overload = arrival_rate - servers / service_mean
    if overload <= 0:
        raise InputError(function, f"a load of {arrival_rate * service_mean / servers:g} per server", "more than 1")
    return overload
