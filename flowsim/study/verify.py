"""Both engines against known results: which agree, which miss, and how often a right engine would miss by chance.

An estimate is a sum over independent replications, divided by another sum where it is a ratio (a mean wait is a sum of
waits divided by a number of starts). Its interval is Student's t over the replications of top - expected * bottom: a
ratio of means has no simple law, but this difference has mean zero when the known result holds. A result *misses* when
``expected`` lies outside the interval by more than the tolerance of what is known.

False alarms. With m comparisons (known results times engines), each interval has level 1 - rate / m: the chance that a
table of right engines has any miss is then at most ``rate``, however the comparisons hang together (Bonferroni). Every
case and engine has luck of its own. Student's t assumes that the values of replications are normal; how near they come
to it is tested (tests/study/test_study_verify.py) and told in docs/verification.md.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis.statistics import student
from flowsim.errors import InputError
from flowsim.model.network import Network
from flowsim.study.replicate import (
    Outcome,
    check_progress,
    one_of,
    real,
    replicate,
    run_many,
    simulate_once,
    thread_count,
    whole,
)
from flowsim.study.verification import cases as all_cases
from flowsim.study.verification.case import ENGINES, Case
from flowsim.study.verification.sources import sources

if TYPE_CHECKING:
    import pandas as pd

FAMILY_RATE: Final = 0.01
"""Chance that a table of right engines has any miss."""
SMALLEST_RATE: Final = 1e-9
AGREES: Final = "agrees"
MISSES: Final = "misses"
COLUMNS: Final = (
    "kind",
    "case",
    "quantity",
    "place",
    "formula",
    "reference",
    "page",
    "expected",
    "tolerance",
    "engine",
    "replications",
    "estimate",
    "low",
    "high",
    "verdict",
)


def verify(
    seed: int = 1,
    engine: str = "both",
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
    rate: float = FAMILY_RATE,
    cases: Sequence[Case] | None = None,
) -> pd.DataFrame:
    """Compare the engines with known results.

    Parameters
    ----------
    seed : whole number from 0; the same seed gives the same table.
    engine : ``both``, ``compiled`` or ``reference``.
    threads : for the compiled engine; None: one per core. The table does not depend on it.
    progress : called with (engine, replications done, replications in all).
    rate : chance of any miss in the table when the engines are right, at most.
    cases : None: all of `flowsim.study.verification.cases`.

    Returns
    -------
    One row per known result and engine: ``kind``, ``case``, ``quantity``, ``place`` (codes), ``formula`` (empty: a
    published figure), ``reference`` and ``page`` (where it stands), ``expected``, ``tolerance``, ``engine``,
    ``replications``, ``estimate``, ``low``, ``high``, ``verdict`` (``agrees`` or ``misses``). What is too rare for the
    short runs of the reference engine has no row for it. ``attrs``: seed, rate (of the table), rate_each (of a
    comparison), and with the reference engine: twins, unequal (its replications, and in how many of them the compiled
    engine, given the same luck, differs in any bit); ``interrupted`` when an engine is missing because of that.

    Raises
    ------
    InputError : an argument that cannot be used. KeyboardInterrupt : before an engine was finished; later, the table of
        the engine that was is returned.

    Examples
    --------
    >>> relief = [case for case in all_cases() if case.name == "relief"]
    >>> set(verify(seed=1, engine="compiled", cases=relief)["verdict"])
    {'agrees'}
    """
    import pandas as pd

    seed = whole("seed", seed, 0, 2**63 - 1)
    engine = one_of("engine", engine, ("both", *ENGINES))
    rate = real("rate", rate, SMALLEST_RATE, 1.0 - SMALLEST_RATE, "a number between 0 and 1")
    thread_count(threads)
    check_progress(progress)
    if cases is not None and not (isinstance(cases, Sequence) and cases and all(isinstance(x, Case) for x in cases)):
        raise InputError("cases", repr(cases)[:60], "a list of cases, or None: all of flowsim.study.verification.cases")
    chosen = tuple(all_cases() if cases is None else cases)
    engines = ENGINES if engine == "both" else (engine,)
    comparisons = sum(one in known.engines for one in engines for case in chosen for known in case.known)
    rate_each = rate / comparisons
    by_engine: dict[str, tuple[list[np.ndarray], int]] = {}
    try:
        for one in engines:
            by_engine[one] = sampled(chosen, one, seed, threads, progress)
    except KeyboardInterrupt:
        if not by_engine:
            raise
    rows = [
        row
        for number, case in enumerate(chosen)
        for one in by_engine
        for row in compared(case, one, by_engine[one][0][number], 1.0 - rate_each)
    ]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    table.attrs = {"seed": seed, "rate": rate, "rate_each": rate_each}
    if len(by_engine) < len(engines):
        table.attrs["interrupted"] = True
    if "reference" in by_engine:
        table.attrs["twins"] = sum(case.replications["reference"] for case in chosen)
        table.attrs["unequal"] = by_engine["reference"][1]
    return table


def missed(table: pd.DataFrame) -> int:
    """Number of comparisons that miss."""
    return int((table["verdict"] == MISSES).sum())


def passed(table: pd.DataFrame) -> bool:
    """Whether nothing misses and the engines are equal wherever both ran."""
    return missed(table) == 0 and table.attrs.get("unequal", 0) == 0


def case_seed(seed: int, case: str, engine: str) -> int:
    """The luck of a case on an engine: no other case, engine or seed shares it, and adding a case changes no other."""
    words = np.random.SeedSequence([seed, zlib.crc32(f"{case} {engine}".encode())]).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))


def compared(case: Case, engine: str, values: np.ndarray, level: float) -> Iterator[dict[str, Any]]:
    """A row of the table per known result, from (replications, known, 2) tops and bottoms."""
    count = len(values)
    quantile = student(level, count - 1)
    for number, known in enumerate(case.known):
        if engine not in known.engines:
            continue
        tops, bottoms = values[:, number, 0], values[:, number, 1]
        bottom = float(bottoms.mean()) or math.nan  # nothing was seen: no estimate, and so no agreement
        estimate = float(tops.mean()) / bottom
        half = quantile * float(np.std(tops - known.expected * bottoms, ddof=1)) / (math.sqrt(count) * bottom)
        agrees = abs(estimate - known.expected) <= half + known.tolerance
        yield {
            "kind": case.kind,
            "case": case.name,
            "quantity": known.quantity,
            "place": known.place,
            "formula": known.formula,
            "reference": sources()[known.source.key],
            "page": known.source.place,
            "expected": known.expected,
            "tolerance": known.tolerance,
            "engine": engine,
            "replications": count,
            "estimate": estimate,
            "low": estimate - half,
            "high": estimate + half,
            "verdict": AGREES if agrees else MISSES,
        }


def measured(case: Case, outcome: Outcome, network: Network) -> np.ndarray:
    """(known, 2) top and bottom of every known result in one replication."""
    seen = {**outcome, "span": np.array(network.horizon - network.warm_up)}
    return np.array([[known.top(seen), known.bottom(seen)] for known in case.known])


def sampled(
    cases: Sequence[Case],
    engine: str,
    seed: int,
    threads: int | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> tuple[list[np.ndarray], int]:
    """Run cases on an engine.

    Returns
    -------
    Per case (replications, known, 2) tops and bottoms; and the number of replications of the reference engine in which
    the compiled engine, given the same luck, does not come at the same outcome to the last bit.
    """
    networks = [Network.from_dict(case.document_for(engine), case.name) for case in cases]
    counts = [case.replications[engine] for case in cases]
    seeds = [case_seed(seed, case.name, engine) for case in cases]
    total = sum(counts)

    def tell(done: int) -> None:
        if progress is not None:
            progress(engine, done, total)

    found: list[list[np.ndarray]] = [[] for _ in cases]
    unequal = 0
    if engine == "reference":
        twin = simulate_once("compiled")
        done = 0
        for number, case in enumerate(cases):
            for one in replicate(networks[number], counts[number], seeds[number], engine):
                found[number].append(measured(case, one.outcome, networks[number]))
                unequal += not same(one.outcome, twin(networks[number], seeds[number], one.number, False)[0])
                done += 1
                tell(done)
    else:
        at = {id(network): number for number, network in enumerate(networks)}

        def reduce(outcome: Outcome, network: Network) -> tuple[int, np.ndarray]:
            number = at[id(network)]
            return number, measured(cases[number], outcome, network)

        jobs = (
            partial(_job, network, own, replication)
            for network, own, count in zip(networks, seeds, counts, strict=True)
            for replication in range(count)
        )
        for number, values in run_many(jobs, reduce, threads, tell):
            found[number].append(values)
    return [np.stack(values) for values in found], unequal


def same(one: Outcome, other: Outcome) -> bool:
    """Whether two outcomes are equal in every bit of every array."""
    return one.keys() == other.keys() and all(array.tobytes() == other[name].tobytes() for name, array in one.items())


def _job(network: Network, seed: int, replication: int) -> tuple[Network, int, int]:
    return network, seed, replication
