"""What changes over time: infinite servers, backlogs, overload, waiting lists that are brought back."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import numpy as np

from flowsim.analysis import theory, transient
from flowsim.study.verification.case import (
    ENGINES,
    RARE,
    Case,
    Document,
    Known,
    Source,
    averaged,
    cell,
    exponential,
    one,
    present,
    single,
    snapshot,
    span,
    started,
    total,
)
from flowsim.study.verification.steady import REPLICATIONS, WEIBULL_CV, mean_queue, mean_wait, reneged

Lasting = Callable[[float], float]
"""Survival function of a length of time."""


def changing_cases() -> list[Case]:
    """All cases of this module."""
    return [*_infinite(), *_scheduled(), *_backlogs(), *_fluid(), *_waiting_lists()]


# ---------------------------------------------------------------- infinite servers


def _infinite() -> list[Case]:
    """M/G/infinity in steady state: the number there is Poisson, whatever the distribution of the stay."""
    from scipy.special import pdtrc

    cases = []
    services = {
        "lognormal": {"distribution": "lognormal", "mean": 3.0, "cv": 1.0},
        "deterministic": {"distribution": "deterministic", "mean": 3.0},
    }
    source = Source("gross", "section 5.2.2")
    for family, service in services.items():
        document = single(2.0, "inf", service, 6_000.0, 60.0)
        document["snapshot_every"] = 6.0
        mean = theory.mg_infinity(2.0, 3.0)
        there = present(10)
        known = [
            Known("in_service", mean, cell("service_time"), span, "a = l E[S]", source),
            *(
                Known("more_than", float(pdtrc(n, mean)), averaged(there, partial(np.less, n)), one,
                      "P(Poisson(a) > n)", source, place=str(n), engines=RARE if n > 6 else ENGINES)
                for n in (3, 6, 10)
            ),
        ]  # fmt: skip
        replications = REPLICATIONS
        cases.append(Case("mg_infinity", f"mg_infinity_{family}", document, tuple(known), replications, 0.08))
    return cases


RATE: Final = ((0.0, 2.0), (4.0, 8.0), (8.0, 1.0))
START: Final = 12


def _gamma_beyond(time: float) -> float:
    from scipy.special import gammaincc

    return float(gammaincc(0.25, time / 12.0))  # shape 1 / cv^2 and mean 3


def _lognormal_beyond(time: float) -> float:
    from scipy.special import ndtr

    if time <= 0.0:
        return 1.0
    return float(ndtr((math.log(3.0 / math.sqrt(2.0)) - math.log(time)) / math.sqrt(math.log(2.0))))


SCHEDULED_STAYS: Final[Mapping[str, tuple[dict[str, Any], Lasting]]] = {
    "exponential": (exponential(3.0), lambda t: math.exp(-t / 3.0)),
    "gamma": ({"distribution": "gamma", "mean": 3.0, "cv": 2.0}, _gamma_beyond),
    "weibull": (
        {"distribution": "weibull", "mean": 3.0, "cv": WEIBULL_CV},
        lambda t: math.exp(-((t * math.gamma(1.5) / 3.0) ** 2)),
    ),
    "uniform": (
        {"distribution": "uniform", "low": 1.0, "high": 5.0},
        lambda t: min(1.0, max(0.0, (5.0 - t) / 4.0)),
    ),
    "lognormal": ({"distribution": "lognormal", "mean": 3.0, "cv": 1.0}, _lognormal_beyond),
    "deterministic": ({"distribution": "deterministic", "mean": 3.0}, lambda t: float(t < 3.0)),
}
"""Stays of mean 3 by family: as in a document, and their survival function."""


def _scheduled() -> list[Case]:
    """M(t)/G/infinity with people in service at the start, whose residual stay is the stationary excess."""
    cases = []
    times = [4.0, 8.0, 10.0]
    for family, (service, longer_than) in SCHEDULED_STAYS.items():
        document = single(1.0, "inf", service, 11.0, 1.0, initial={"in_service": START})
        document["arrivals"][0]["rate"] = [list(step) for step in RATE]
        document["snapshot_every"] = 2.0
        means = transient.infinite_servers_mean(RATE, times, longer_than, 3.0, start=START)
        known = [
            Known("in_service_at", float(mean), snapshot("in_service", round(time / 2.0)), one,
                  "int rate(u) P(S > t - u) du", Source("eick", "theorem 1"), place=f"{time:g}")
            for time, mean in zip(times, means, strict=True)
        ]  # fmt: skip
        replications = {"compiled": 600, "reference": 60}
        cases.append(Case("infinite_scheduled", f"mtg_{family}", document, tuple(known), replications))
    return cases


# ---------------------------------------------------------------- a backlog


BACKLOG: Final[Mapping[str, float]] = {"backlog_patient": math.inf, "backlog_impatient": 6.0}
"""Mean patience by case."""


def backlog_document(patience: float) -> Document:
    """Three in service and nine waiting at M/M/3 (+M); snapshots every 4, up to the horizon 16."""
    document = single(1.5, 3, exponential(2.0), 15.0, 1.0, initial={"in_service": 3, "waiting": 9})
    if math.isfinite(patience):
        document["stations"][0]["patience"] = exponential(patience)
        document["stations"][0]["initial"]["age"] = {"distribution": "uniform", "low": 0.0, "high": 5.0}
    document["snapshot_every"] = 4.0
    return document


def _backlogs() -> list[Case]:
    cases = []
    times = [4.0, 8.0, 16.0]
    source = Source("grassmann", "pp. 47-53")
    for name, patience in BACKLOG.items():
        chain = transient.presence(1.5, 2.0, 3, 12, times, patience)
        numbers = np.arange(chain.shape[1])
        known = []
        for time, shares in zip(times, chain, strict=True):
            waiting = snapshot("waiting", round(time / 4.0))
            expected = float(shares @ np.maximum(numbers - 3, 0))
            known.append(Known("waiting_at", expected, waiting, one, "p' = p Q", source, place=f"{time:g}"))
        if math.isfinite(patience):
            nobody = float(chain[-1, :4].sum())
            known.append(Known("nobody_waits_at", nobody, _none(waiting), one, "p' = p Q", source, place="16"))
        replications = {"compiled": 1_000, "reference": 80}
        cases.append(Case("backlog", name, backlog_document(patience), tuple(known), replications))
    return cases


def _none(number: Callable[[Mapping[str, np.ndarray]], float]) -> Callable[[Mapping[str, np.ndarray]], float]:
    return lambda out: float(number(out) == 0.0)


# ---------------------------------------------------------------- overload


def _fluid() -> list[Case]:
    """Fifty servers, 60% too many arrivals: reneging holds the queue where the fluid limit says.

    With exponential patience the mean queue is exactly that of the fluid while all servers are busy, whatever the
    service times. With other patience the limit holds for many servers; how far the exact answer for this number lies
    from it is the tolerance.
    """
    rate, servers, patience, source = 80.0, 50, 3.0, Source("whitt", "section 3")
    ends = float(transient.fluid_queue(rate, 1.0, servers, patience, 0.0, [math.inf])[0])
    replications = REPLICATIONS
    known: tuple[Known, ...]
    cases = []
    for family, service in (
        ("exponential", exponential(1.0)),
        ("lognormal", {"distribution": "lognormal", "mean": 1.0, "cv": 1.5}),
    ):
        document = _overloaded(single(rate, servers, service, 800.0, 9.0, patience=exponential(patience)), ends)
        known = (
            mean_queue(ends, "(l - c m) / h", source),
            reneged(1.0 - servers / rate, "1 - c m / l", source),
        )
        cases.append(Case("fluid", f"fluid_{family}", document, known, replications, 0.012))

    start, times = 30, [1.0, 3.0, 6.0]
    document = single(rate, servers, exponential(1.0), 6.0, 0.5, patience=exponential(patience))
    document = _overloaded(document, start) | {"snapshot_every": 0.5}
    path = transient.fluid_queue(rate, 1.0, servers, patience, start, times)
    known = tuple(
        Known("waiting_at", float(queue), snapshot("waiting", round(2.0 * time)), one, "q' = l - c m - h q", source,
              place=f"{time:g}")
        for time, queue in zip(times, path, strict=True)
    )  # fmt: skip
    cases.append(Case("fluid", "fluid_path", document, known, {"compiled": 400, "reference": 12}))

    def beyond(time: float) -> float:
        return (1.0 + 2.0 * time / patience) * math.exp(-2.0 * time / patience)  # two exponential stages

    wait, queue = transient.fluid_wait(rate, 1.0, servers, beyond, 50.0)
    exact = theory.mmc_general_patience(rate, 1.0, servers, beyond, patience)
    erlang = {"distribution": "gamma", "mean": patience, "cv": math.sqrt(0.5)}
    document = _overloaded(single(rate, servers, exponential(1.0), 800.0, 12.0, patience=erlang), queue)
    known = (
        mean_wait(wait, "P(patience > w) = c m / l", source, abs(exact.mean_wait_served - wait)),
        mean_queue(queue, "l int P(patience > t) dt, 0 < t < w", source, abs(exact.mean_queue - queue)),
    )
    cases.append(Case("fluid", "fluid_erlang", document, known, replications, 0.012))
    return cases


def _overloaded(document: Document, waiting: float) -> Document:
    """The document with all servers busy and so many waiting at time zero."""
    (station,) = document["stations"]
    initial = {"in_service": station["servers"], "waiting": round(waiting)}
    return {**document, "stations": [{**station, "initial": initial}]}


# ---------------------------------------------------------------- waiting lists


def _waiting_lists() -> list[Case]:
    """The example of Fong et al., and lists at their target size.

    One team treats; its treatments follow each other at random. A list at its target is so near to critical load that
    only a short target can be simulated to its steady state.
    """
    demand, size, target, weeks = 30.0, 1_200, 52.0, 26.0
    goal = theory.target_list_size(demand, target)
    capacity = theory.relief_capacity(demand, size, goal, weeks)
    document = single(demand, 1, exponential(1.0 / capacity), weeks, 1.0)
    document |= {"horizon": weeks, "periods": [0.0, weeks], "snapshot_every": weeks / 2.0}
    document = _overloaded(document, size)
    source = Source("fong", "facts 6 and 7, ENT example: 1,200 to 390 in 26 weeks at 61.15 a week")
    known = tuple(
        Known("waiting_at", expected, snapshot("waiting", number), one, formula, source, place=f"{time:g}")
        for number, time, expected, formula in (
            (1, weeks / 2.0, (size + goal) / 2.0, "Q + (d - relief) t"),
            (2, weeks, goal, "d target / 4"),
        )
    )
    cases = [Case("waiting_list", "relief", document, known, {"compiled": 400, "reference": 8})]
    for name, demand, target, factor, warm_up, counted, share in (
        ("target_14_weeks", 2.0, 14.0, 4.0, 250.0, 40_000.0, 0.02),
        ("target_4_weeks", 3.0, 4.0, 6.0, 40.0, 10_000.0, 0.05),
    ):
        capacity = theory.target_capacity(demand, target, factor)
        document = single(demand, 1, exponential(1.0 / capacity), counted, warm_up, wait_bin=target)
        document = _overloaded(document, theory.target_list_size(demand, target, factor) - 1.0)
        missed = theory.mmc_wait_beyond(target, demand, 1.0 / capacity, 1)
        there = total(cell("queue_time"), cell("service_time"))
        size_known = Known("list_size", theory.target_list_size(demand, target, factor), there, span,
                           f"d target / {factor:g}", Source("fong", "facts 4 to 6"))  # fmt: skip
        late = Known(
            "missed",
            missed,
            started(1),
            started(),
            f"r exp(-{factor:g})",
            Source("fong", "facts 3 and 4"),
            engines=RARE,
        )
        known = (size_known, late)
        cases.append(Case("waiting_list", name, document, known, REPLICATIONS, share))
    return cases
