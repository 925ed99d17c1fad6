"""The table of points of a sweep: for every point and outcome the mean with its interval, and quantiles."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np

from flowsim.analysis.measures import PROBABILITY
from flowsim.analysis.statistics import Estimate, mean_interval, paired_difference, wilson
from flowsim.study.experiment import Experiment

QUANTILES: Final = (0.05, 0.5, 0.95)


def summarised(
    experiment: Experiment, runs: Iterator[tuple[int, Mapping[str, np.ndarray]]]
) -> Iterator[dict[str, Any]]:
    """A row per point and outcome.

    ``point``; a column per factor; ``outcome``; ``futures`` simulated and ``n`` of them that have a value; ``mean``
    with its 95% interval ``low`` to ``high`` (Wilson's for ``cleared``, else Student's t, not below 0); the quantiles
    ``q05``, ``q50`` and ``q95`` over futures. One factor at a time: ``difference`` with ``difference_low`` and
    ``difference_high``, the mean difference from point 0, the base, future by future on common random numbers.
    """
    base: Mapping[str, np.ndarray] | None = None
    for number, outcomes in runs:
        levels = dict(zip((f.path for f in experiment.factors), experiment.design.point(number), strict=True))
        if base is None:
            base = outcomes
        for name in experiment.outcomes:
            values = outcomes[name]
            known = values[~np.isnan(values)]
            estimate = _estimate(name, values)
            points = np.quantile(known, QUANTILES) if len(known) else np.full(len(QUANTILES), np.nan)
            row = {
                "point": number,
                **levels,
                "outcome": name,
                "futures": len(values),
                "n": len(known),
                **_interval("mean", "low", "high", estimate),
                **{f"q{round(100 * q):02d}": float(x) for q, x in zip(QUANTILES, points, strict=True)},
            }
            if experiment.design.kind == "one_at_a_time":
                count = min(len(values), len(base[name]))
                change = paired_difference(base[name][:count], values[:count])
                row |= _interval("difference", "difference_low", "difference_high", change)
            yield row


def _estimate(name: str, values: np.ndarray) -> Estimate:
    return wilson(int(values.sum()), len(values)) if name == PROBABILITY else mean_interval(values, least=0.0)


def _interval(value: str, low: str, high: str, estimate: Estimate) -> dict[str, float]:
    """An end that does not exist (a single future) is missing, not infinite."""
    ends = (estimate.low if math.isfinite(estimate.low) else math.nan, estimate.high)
    return {value: estimate.value, low: ends[0], high: ends[1] if math.isfinite(ends[1]) else math.nan}
