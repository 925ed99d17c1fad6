"""What a case is made of: a document, what is known of its outcome and from where, and how to measure that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

Outcome = Mapping[str, np.ndarray]
Measure = Callable[[Outcome], float]
Document = dict[str, Any]
ENGINES: Final = ("compiled", "reference")
RARE: Final = ("compiled",)
"""For what is too rare for the short runs of the reference engine."""


@dataclass(frozen=True)
class Source:
    """Where a known result stands: a key of ``sources.toml``, and the place in it."""

    key: str
    place: str = ""


@dataclass(frozen=True)
class Known:
    """One known result of a case.

    Attributes
    ----------
    quantity : code of what is measured; the texts have its words.
    expected : what theory or a publication says.
    top, bottom : the estimate is the sum of ``top`` over the replications divided by that of ``bottom``.
    formula : in plain mathematics; empty where ``expected`` is a figure as printed.
    source : of the formula or the figure.
    tolerance : how far the truth may lie from ``expected``: half the last digit of a printed figure, what the rounding
        of printed parameters does, or the distance of a system of finite size to its limit. 0 for an exact formula.
    place : station, class or time that the quantity is about, as in the document; empty where there is no choice.
    engines : those whose runs are long enough to see it; what is rare is seen by the compiled engine alone.
    """

    quantity: str
    expected: float
    top: Measure
    bottom: Measure
    formula: str
    source: Source
    tolerance: float = 0.0
    place: str = ""
    engines: tuple[str, ...] = ENGINES


@dataclass(frozen=True)
class Case:
    """A network with known results.

    Attributes
    ----------
    kind, name : codes; the texts have their words.
    document : the network, as long as the compiled engine runs it.
    known : results.
    replications : by engine.
    share : part of the counted time (after the warm-up) that the reference engine runs.
    """

    kind: str
    name: str
    document: Document
    known: tuple[Known, ...]
    replications: Mapping[str, int]
    share: float = 1.0

    def document_for(self, engine: str) -> Document:
        """The document that an engine runs."""
        if engine == "compiled" or self.share == 1.0:
            return self.document
        warm_up = self.document.get("warm_up", 0.0)
        horizon = warm_up + self.share * (self.document["horizon"] - warm_up)
        cut = {"horizon": horizon}
        if "periods" in self.document:
            cut["periods"] = [*self.document["periods"][:-1], horizon]
        return {**self.document, **cut}


# ---------------------------------------------------------------- documents


def exponential(mean: float) -> dict[str, Any]:
    """An exponential length of time."""
    return {"distribution": "exponential", "mean": mean}


def single(
    rate: float,
    servers: int | str,
    service: Mapping[str, Any],
    counted: float,
    warm_up: float,
    wait_bin: float = 1e-9,
    **station: Any,
) -> Document:
    """One station, ``clinic``. Waits are counted in bins; with the default the first holds those who do not wait."""
    clinic = {"name": "clinic", "servers": servers, "service": dict(service), "waiting_list": "list", **station}
    return {
        "horizon": warm_up + counted,
        "warm_up": warm_up,
        "periods": [0.0, warm_up, warm_up + counted],
        "wait_bin": wait_bin,
        "classes": ["a"],
        "stations": [clinic],
        "arrivals": [{"class": "a", "station": "clinic", "rate": rate}],
    }


# ---------------------------------------------------------------- measures


def one(_: Outcome) -> float:
    """The bottom of a measure that is no ratio."""
    return 1.0


def span(outcome: Outcome) -> float:
    """The counted time, which `flowsim.study.verify` puts beside the outcome arrays."""
    return float(outcome["span"])


def spans(factor: float) -> Measure:
    """A multiple of the counted time: server time, or the number that arrives at a rate."""
    return lambda out: factor * span(out)


def cell(field: str, station: int = 0, patient_class: int | None = None) -> Measure:
    """A number or sum of `flowsim.model.tally.CELL_TALLY` over the counted time, of one class or all."""
    which = slice(None) if patient_class is None else patient_class
    return lambda out: float(np.sum(out["cells"][field][station, which]))


def total(*measures: Measure) -> Measure:
    """The sum of measures."""
    return lambda out: sum(measure(out) for measure in measures)


def started(first_bin: int = 0, bins: int | None = None) -> Measure:
    """Number started in the last period with a wait in the bins from ``first_bin`` up to ``bins``."""
    return lambda out: float(out["waits"][-1, 0, first_bin:bins].sum())


def snapshot(field: str, number: int, station: int = 0) -> Measure:
    """Number ``waiting`` or ``in_service`` at a snapshot."""
    return lambda out: float(out["snapshots"][field][number, station])


def present(first: int, stations: Sequence[int] = (0,)) -> Callable[[Outcome], np.ndarray]:
    """Numbers in service at some stations together, at each snapshot from ``first`` on."""
    return lambda out: out["snapshots"]["in_service"][first:, list(stations)].sum(axis=1)


def averaged(numbers: Callable[[Outcome], np.ndarray], holds: Callable[[np.ndarray], np.ndarray]) -> Measure:
    """Average over snapshots of something about the numbers."""
    return lambda out: float(np.mean(holds(numbers(out))))
