"""Single stations in their steady state."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from flowsim.analysis import theory
from flowsim.study.verification.case import (
    ENGINES,
    RARE,
    Case,
    Document,
    Known,
    Source,
    cell,
    exponential,
    single,
    span,
    spans,
    started,
)

REPLICATIONS: Final = {"compiled": 40, "reference": 8}
"""Few and long on the slow engine: Student's t wants replications that are nearly normal, so that its intervals are
right as far in the tail as a table of this size needs them."""

GENERAL_SERVICE: Final[Mapping[str, tuple[dict[str, Any], float]]] = {
    "deterministic": ({"distribution": "deterministic", "mean": 1.0}, 0.0),
    "gamma": ({"distribution": "gamma", "mean": 1.0, "cv": 1.5}, 1.5),
    "lognormal": ({"distribution": "lognormal", "mean": 1.0, "cv": 0.8}, 0.8),
    "weibull": ({"distribution": "weibull", "mean": 1.0, "cv": 1.2}, 1.2),
    "uniform": ({"distribution": "uniform", "mean": 1.0, "cv": 0.5}, 0.5),
    "empirical": (
        {"distribution": "empirical", "values": [0.25, 0.5, 2.25]},
        math.sqrt((0.75**2 + 0.5**2 + 1.25**2) / 3),
    ),
}
"""Service times of mean 1 by family: as in a document, and their coefficient of variation."""

WEIBULL_SCALE: Final = 2.0 / math.gamma(1.5)
WEIBULL_CV: Final = math.sqrt(math.gamma(2.0) / math.gamma(1.5) ** 2 - 1.0)


def weibull_beyond(time: float) -> float:
    """Survival function of the weibull patience with shape 2 and mean 2."""
    return math.exp(-((time / WEIBULL_SCALE) ** 2))


def steady_cases() -> list[Case]:
    """All single stations in steady state."""
    return [*_many_servers(), *_delay(), *_one_server(), *_impatient(), *_limited(), *_priorities()]


# ---------------------------------------------------------------- known results of a single station


def mean_wait(expected: float, formula: str, source: Source, tolerance: float = 0.0) -> Known:
    """Mean wait of those who start."""
    return Known("mean_wait", expected, cell("wait"), cell("starts"), formula, source, tolerance)


def mean_queue(expected: float, formula: str, source: Source, tolerance: float = 0.0) -> Known:
    """Number waiting, averaged over time."""
    return Known("mean_queue", expected, cell("queue_time"), span, formula, source, tolerance)


def utilisation(expected: float, servers: int, formula: str, source: Source, tolerance: float = 0.0) -> Known:
    """Share of the server time spent in service."""
    return Known("utilisation", expected, cell("service_time"), spans(servers), formula, source, tolerance)


def no_wait(expected: float, formula: str, source: Source) -> Known:
    """Share of those who start that do not wait."""
    return Known("no_wait", expected, started(bins=1), started(), formula, source)


def reneged(expected: float, formula: str, source: Source, tolerance: float = 0.0) -> Known:
    """Share of the arrivals that gives up."""
    return Known("reneged", expected, cell("reneged"), cell("arrivals"), formula, source, tolerance)


def blocked(expected: float, formula: str, source: Source) -> Known:
    """Share of the arrivals that finds no place."""
    return Known("blocked", expected, cell("balked"), cell("arrivals"), formula, source)


def _case(kind: str, name: str, document: Document, known: list[Known], share: float = 0.02) -> Case:
    return Case(kind, name, document, tuple(known), REPLICATIONS, share)


# ---------------------------------------------------------------- the cases


def _many_servers() -> list[Case]:
    source = Source("gross", "section 2.3")
    cases = []
    for name, rate, servers, warm_up, counted, share in (
        ("mm1_50", 0.5, 1, 80.0, 20_000.0, 0.08),
        ("mm1_70", 0.7, 1, 250.0, 36_000.0, 0.03),
        ("mm1_85", 0.85, 1, 400.0, 80_000.0, 0.015),
        ("mm3_70", 2.1, 3, 60.0, 20_000.0, 0.03),
        ("mm20_85", 17.0, 20, 40.0, 8_000.0, 0.006),
    ):
        answer = theory.mmc(rate, 1.0, servers)
        place = Source("gross", "section 2.2") if servers == 1 else source
        seen = RARE if servers == 20 else ENGINES  # few wait there
        known = [
            replace(mean_wait(answer.mean_wait, "C / (c m - l)", place), engines=seen),
            replace(mean_queue(answer.mean_queue, "C r / (1 - r)", place), engines=seen),
            utilisation(answer.utilisation, servers, "r = l / (c m)", place),
        ]
        cases.append(_case("mmc", name, single(rate, servers, exponential(1.0), counted, warm_up), known, share))
    return cases


def _delay() -> list[Case]:
    """Erlang's delay formula: who waits, and how long."""
    gross = Source("gross", "section 2.3")
    rate, servers, width = 2.4, 3, 0.5
    known = []
    for bins in (1, 4, 10):
        beyond = theory.mmc_wait_beyond(width * bins, rate, 1.0, servers)
        top, bottom = started(bins), started()
        known.append(
            Known(
                "beyond",
                beyond,
                top,
                bottom,
                "C exp(-(c m - l) t)",
                gross,
                place=f"{width * bins:g}",
                engines=RARE if bins > 1 else ENGINES,
            )
        )
    tail = single(rate, servers, exponential(1.0), 15_000.0, 120.0, wait_bin=width)
    at_once = 1.0 - theory.erlang_c(servers, rate)
    eye = single(0.1, 3, exponential(20.0), 100_000.0, 1_000.0)  # minutes
    return [
        _case("erlang_c", "mm3_80", single(rate, servers, exponential(1.0), 15_000.0, 120.0),
              [no_wait(at_once, "1 - C", gross)], 0.03),
        _case("erlang_c", "mm3_80_tail", tail, known, 0.03),
        _case("erlang_c", "eye_clinic", eye, [
            no_wait(1.0 - 4.0 / 9.0, "", Source("gross", "section 2.3, example: 4/9 wait")),
            mean_queue(8.0 / 9.0, "", Source("gross", "section 2.3, example: 8/9 wait at a time")),
        ], 0.08),
    ]  # fmt: skip


def _one_server() -> list[Case]:
    """M/G/1 and G/M/1."""
    cases = []
    for family, (service, cv) in GENERAL_SERVICE.items():
        answer = theory.mg1(0.6, 1.0, cv)
        source = Source("gross", "section 5.1")
        known = [
            mean_wait(answer.mean_wait, "l E[S^2] / (2 (1 - r))", source),
            no_wait(1.0 - answer.wait_probability, "1 - r", source),
        ]
        cases.append(_case("mg1", f"mg1_{family}", single(0.6, 1, service, 25_000.0, 120.0), known, 0.05))
    source = Source("gross", "section 5.3.1")
    intervals = {
        "deterministic": ({"distribution": "deterministic", "mean": 1.0}, lambda s: math.exp(-s)),
        "gamma": ({"distribution": "gamma", "mean": 1.0, "cv": 2.0}, lambda s: (1.0 + 4.0 * s) ** -0.25),
    }
    for family, (interval, transform) in intervals.items():
        answer = theory.gm1(transform, 1.0, 0.7)
        document = single(1.0, 1, exponential(0.7), 25_000.0, 150.0)
        document["arrivals"] = [{"class": "a", "station": "clinic", "interval": interval}]
        known = [
            mean_wait(answer.mean_wait, "s / (m (1 - s)), s = A(m (1 - s))", source),
            no_wait(1.0 - answer.wait_probability, "1 - s", source),
        ]
        cases.append(_case("gm1", f"gm1_{family}", document, known, 0.05))
    return cases


def _impatient() -> list[Case]:
    """Queues in which people give up."""
    palm, patience = Source("palm", "section 2"), Source("patience", "section 4")
    cases = []
    for kind, name, rate in (("erlang_a_under", "mm10_m_90", 9.0), ("erlang_a_over", "mm10_m_140", 14.0)):
        answer = theory.erlang_a(rate, 1.0, 10, 2.0)
        document = single(rate, 10, exponential(1.0), 6_000.0, 20.0, patience=exponential(2.0))
        chain = "l p(n) = (min(n, c) m + (n - c)+ h) p(n + 1)"
        known = _reneging(rate, 10, answer, chain, palm)
        cases.append(_case(kind, name, document, known, 0.015))
    office = single(48.0, 50, exponential(1.0), 2_000.0, 10.0, patience=exponential(2.0))  # minutes
    published = [
        replace(reneged(0.031, "", Source("palm", "example: 3.1%"), 0.0005), engines=RARE),
        replace(mean_queue(3.0, "", Source("palm", "example: 3.0 wait"), 0.05), engines=RARE),
        utilisation(0.93, 50, "", Source("palm", "example: 93%"), 0.005),
    ]
    cases.append(_case("erlang_a_under", "call_centre_impatient", office, published, 0.012))
    density = "l p(c-1) exp(l H(x) - c m x)"
    answer = theory.mmc_general_patience(6.0, 1.0, 5, weibull_beyond, 2.0)
    weibull = {"distribution": "weibull", "mean": 2.0, "cv": WEIBULL_CV}
    document = single(6.0, 5, exponential(1.0), 6_000.0, 20.0, patience=weibull)
    cases.append(_case("general_patience", "mm5_weibull", document, _reneging(6.0, 5, answer, density, patience), 0.03))
    answer = theory.mmc_general_patience(5.0, 1.0, 5, lambda t: float(t < 1.5), 1.5)
    constant = {"distribution": "deterministic", "mean": 1.5}
    document = single(5.0, 5, exponential(1.0), 6_000.0, 20.0, patience=constant)
    known = _reneging(5.0, 5, answer, density, patience)
    known = [one for one in known if one.quantity != "mean_wait_reneged"]  # all of them 1.5: nothing to estimate
    cases.append(_case("general_patience", "mm5_constant", document, known, 0.03))
    return cases


def _reneging(rate: float, servers: int, answer: theory.SteadyState, formula: str, source: Source) -> list[Known]:
    gave_up = answer.reneging_probability
    served = 1.0 - gave_up
    wait_reneged = (answer.mean_wait - served * answer.mean_wait_served) / gave_up
    return [
        reneged(gave_up, formula, source),
        mean_queue(answer.mean_queue, formula, source),
        mean_wait(answer.mean_wait_served, formula, source),
        Known("mean_wait_reneged", wait_reneged, cell("wait_reneged"), cell("reneged"), formula, source),
        no_wait((1.0 - answer.wait_probability) / served, formula, source),
        utilisation(answer.utilisation, servers, formula, source),
    ]


def _limited() -> list[Case]:
    """Queues with a limit, and wards that turn away: any length of stay with that mean."""
    answer = theory.mmc_limited(3.6, 1.0, 3, 4)
    source = Source("gross", "section 2.5")
    chain = "l p(n) = min(n + 1, c) m p(n + 1), n < K"
    away = {"exit": 1.0}
    document = single(3.6, 3, exponential(1.0), 6_000.0, 20.0, queue_limit=4, on_full=away)
    known = [
        blocked(answer.blocking_probability, chain, source),
        mean_wait(answer.mean_wait, chain, source),
        utilisation(answer.utilisation, 3, chain, source),
    ]
    cases = [_case("limited", "mm3_limit_4", document, known, 0.05)]
    loss = theory.erlang_b(10, 8.0)
    for family in ("lognormal", "deterministic"):
        service = GENERAL_SERVICE[family][0]
        document = single(8.0, 10, service, 6_000.0, 20.0, queue_limit=0, on_full=away)
        known = [blocked(loss, "B = (a^c / c!) / sum a^n / n!", Source("sevastyanov"))]
        cases.append(_case("loss", f"mg10_{family}", document, known, 0.025))
    return cases


def _priorities() -> list[Case]:
    """Non-preemptive priorities; the documents list the classes in another order than they are served."""
    rates = [0.5, 1.0, 0.6]
    document = single(rates[0], 3, exponential(1.0), 25_000.0, 80.0)
    document["classes"] = ["late", "soon", "next"]
    document["stations"][0] |= {"discipline": "priority", "priority": {"soon": 0, "next": 1, "late": 7}}
    served = ("soon", "next", "late")
    document["arrivals"] = [
        {"class": name, "station": "clinic", "rate": rate} for name, rate in zip(served, rates, strict=True)
    ]
    formula = "C / (c m) / ((1 - r(k-1)) (1 - r(k)))"
    waits = theory.priority_mmc(rates, 1.0, 3)
    known = _per_class(document["classes"], served, waits, formula, Source("kella", "p. 257"))
    cases = [_case("priorities", "mm3_priorities", document, known, 0.03)]

    document = single(0.5, 1, exponential(1.0), 60_000.0, 200.0)
    document["classes"] = ["short", "long"]
    document["stations"][0] |= {
        "discipline": "priority",
        "priority": {"short": 0, "long": 1},
        "service": {
            "short": {"distribution": "deterministic", "mean": 0.5},
            "long": {"distribution": "gamma", "mean": 2.0, "cv": 1.5},
        },
    }
    document["arrivals"] = [
        {"class": "short", "station": "clinic", "rate": 0.6},
        {"class": "long", "station": "clinic", "rate": 0.2},
    ]
    formula = "sum l E[S^2] / 2 / ((1 - r(k-1)) (1 - r(k)))"
    waits = theory.priority_mg1([0.6, 0.2], [0.5, 2.0], [0.0, 1.5])
    known = _per_class(document["classes"], ("short", "long"), waits, formula, Source("cobham", "pp. 70-76"))
    cases.append(_case("priorities", "mg1_priorities", document, known, 0.03))
    return cases


def _per_class(classes: list[str], names: tuple[str, ...], waits: Any, formula: str, source: Source) -> list[Known]:
    return [
        Known("mean_wait", float(wait), cell("wait", 0, code), cell("starts", 0, code), formula, source, place=name)
        for name, wait in zip(names, waits, strict=True)
        for code in [classes.index(name)]
    ]
