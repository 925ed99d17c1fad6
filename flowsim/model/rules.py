"""Choices that both engines make by the same compiled functions: which way, who can start soonest, who comes next.

Each function is pure: what it needs comes in, the choice goes out. ``w`` is a record of addresses (see
`flowsim.model.tables`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flowsim.model import draws, tables
from flowsim.model import network as n
from flowsim.model.compiling import compiled, inlined
from flowsim.model.memory import words_at_most

_at_most = words_at_most(n.BOUNDS)


@inlined
def way(w: Any, row: Any, bits: Any) -> Any:
    """Code of the way that a random word takes in a row."""
    r = tables.rows(w, row)
    first = np.int64(r.first)
    last = r.count - 1
    i = min(_at_most(tables.way_below(w, first), np.uint64(bits)), last)
    if i == n.BOUNDS:  # a long row
        while i < last and bits >= tables.way_below(w, first + i).value:
            i += 1
    return first + i


@inlined
def member(w: Any, pool: Any, bits: Any) -> Any:
    """Station of a pool by the shares of its members."""
    p = tables.pools(w, pool)
    i = np.int64(p.first)
    last = i + p.count - 1
    while i < last and bits >= tables.member_below(w, i).value:
        i += 1
    return np.int64(tables.members(w, i).value)


@inlined
def expected_wait(waiting: Any, busy: Any, capacity: Any, tokens: Any, mean_service: Any) -> Any:
    """Wait that somebody who joins now may expect: places in front times the time per place; 0 when one is free.

    A first-come estimate from what a referrer can see (length of the list, number of places), not a forecast.
    """
    if waiting == 0 and busy < capacity and tokens > 0:
        return 0.0
    if capacity <= 0:
        return np.inf
    return (waiting + 1) * mean_service / capacity


@compiled
def distribution(w: Any, code: Any, bits: Any) -> Any:
    """One variate of the distribution with this code."""
    d = tables.distributions(w, code)
    if d.family == draws.EMPIRICAL:
        return tables.values(w, d.first + np.int64(draws.unit(bits) * d.count)).value
    return draws.sample(d.family, d.a, d.b, bits)


@inlined
def service_time(w: Any, code: Any, factor: Any, bits: Any) -> Any:
    """Length of a service; ``factor`` makes it lighter or heavier."""
    d = tables.distributions(w, code)
    if d.family == draws.EXPONENTIAL:  # what most are, without a call
        return factor * (d.a * draws.exponential(bits))
    return factor * distribution(w, code, bits)


@compiled
def residual_service(w: Any, code: Any, bits: Any) -> Any:
    """What is left at time zero of a service in progress: see `draws.excess`; an empirical service here."""
    d = tables.distributions(w, code)
    if d.family != draws.EMPIRICAL:
        return draws.excess(d.family, d.a, d.b, bits)
    target = draws.unit(bits) * d.mean * d.count  # the service met is length-biased: by its share of the total
    last = d.first + d.count - 1
    i = np.int64(d.first)
    while i < last and target > tables.values(w, i).value:
        target -= tables.values(w, i).value
        i += 1
    return draws.unit(draws.aside(bits)) * tables.values(w, i).value


@compiled
def patience_beyond(w: Any, code: Any, age: Any, bits: Any) -> Any:
    """Patience, counted from joining, of somebody who has waited ``age`` already.

    By inversion or by rejection. Where no patience is longer than ``age``, or 10,000 tries give none, the answer is
    ``age``: patience ends at once.
    """
    d = tables.distributions(w, code)
    if d.family != draws.GAMMA and d.family != draws.LOGNORMAL and d.family != draws.EMPIRICAL:
        return draws.beyond(age, d.family, d.a, d.b, bits)
    for _ in range(10_000):
        x = distribution(w, code, bits)
        if x > age:
            return x
        bits = draws.again(bits)
    return age


@inlined
def rate_step(w: Any, stream: Any, before: Any, time: Any) -> Any:
    """Which of the rates of a Poisson stream is in force at ``time`` (the first one before it begins), counted from 0;
    ``before``: that of an earlier moment, or 0."""
    s = tables.streams(w, stream)
    i = np.int64(before)
    while i + 1 < s.rate_count and tables.steps(w, s.rate_first + i + 1).time <= time:
        i += 1
    return i


@compiled
def next_arrival(w: Any, stream: Any, step: Any, time: Any, bits: Any) -> Any:
    """Time of the arrival after ``time``, when the stream's rate number ``step`` is in force; inf when there is none.

    A Poisson stream spends one unit-rate exponential gap along its piecewise constant rate (inversion of the cumulated
    rate: E. Cinlar, Introduction to Stochastic Processes, 1975, p. 96), so that a changed rate moves residents in time
    and never swaps them.
    """
    s = tables.streams(w, stream)
    if s.interval >= 0:
        return time + distribution(w, s.interval, bits)
    gap = draws.exponential(bits)
    last = s.rate_first + s.rate_count
    i = s.rate_first + np.int64(step)
    if time < tables.steps(w, i).time:
        time = tables.steps(w, i).time
    while True:
        rate = tables.steps(w, i).value
        if i + 1 >= last:
            return time + gap / rate if rate > 0.0 else np.inf
        span = tables.steps(w, i + 1).time - time
        if gap < span * rate:
            return time + gap / rate
        gap -= span * rate
        i += 1
        time = tables.steps(w, i).time
