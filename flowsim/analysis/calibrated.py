"""Tables of a calibration: what was known before, what is known after, how it fits, what cannot be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import posterior, weighing

if TYPE_CHECKING:
    import pandas as pd

RANGE: Final = (0.05, 0.5, 0.95)
DISCREPANCIES: Final = (0.5, 1.0, 2.0)
"""Of what is stated, in table ``sensitivity``."""
SIGNIFICANT: Final = 3.0
"""Standard errors from which something counts as learnt: by chance 0.3% for each of two measures and every unknown."""
FALSE_ALARM: Final = 0.05
"""Chance that any pair of unknowns is called hard to tell apart when all pairs are independent (Bonferroni)."""


def tables(result: Any) -> dict[str, pd.DataFrame]:
    """The tables of a `flowsim.study.posterior.Calibrated` by name."""
    return {
        "unknowns": unknowns(result),
        "targets": targets(result),
        "lists": lists(result),
        "pairs": pairs(result),
        "sensitivity": sensitivity(result),
        "waves": waves(result),
    }


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)


def _spread(name: str, values: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    points = weighing.weighed_quantiles(values, weights, RANGE)
    return {f"{name}_mean": float(weights @ values)} | {
        f"{name}_{label}": float(x) for label, x in zip(("q05", "q50", "q95"), points, strict=True)
    }


def _present(values: np.ndarray, *weights: np.ndarray) -> list[np.ndarray]:
    """The years that have a quantity, and their weights, which add to 1 again; one year with NaN when none has it."""
    has = np.isfinite(values)
    if not has.any() or not all(one[has].sum() > 0.0 for one in weights):
        return [np.array([np.nan]), *(np.ones(1) for _ in weights)]
    return [values[has], *(one[has] / one[has].sum() if not has.all() else one for one in weights)]


def unknowns(result: Any) -> pd.DataFrame:
    """Per unknown: prior and posterior (mean, 5, 50, 95%), and what was learnt.

    ``contraction`` : 1 less posterior over prior variance. ``shift`` : of the mean, in the prior's standard deviations.
    ``contraction_noise``, ``shift_noise`` : their standard errors when nothing is to be learnt, from the effective
    number of years. ``learnt`` : either is more than `SIGNIFICANT` standard errors from 0.
    """
    before, after = result.prior_weights, result.weights
    values = result.library.values
    variance = before @ (values - before @ values) ** 2
    learnt = posterior.contraction(variance, values, after)
    shift = (after @ values - before @ values) / np.sqrt(variance)
    noise = float(np.sqrt(2.0 / result.effective)), float(np.sqrt(1.0 / result.effective))
    return _frame(
        [
            {
                "unknown": name,
                **_spread("prior", values[:, j], before),
                **_spread("posterior", values[:, j], after),
                "contraction": float(learnt[j]),
                "contraction_noise": noise[0],
                "shift": float(shift[j]),
                "shift_noise": noise[1],
                "learnt": bool(learnt[j] > SIGNIFICANT * noise[0] or abs(shift[j]) > SIGNIFICANT * noise[1]),
            }
            for j, name in enumerate(result.library.prior.names)
        ]
    )


def targets(result: Any) -> pd.DataFrame:
    """Per target: what was observed and its standard deviation; simulated years by prior and posterior.

    Of years that have the quantity; without any, all of these are missing.
    ``implausibility`` : of the posterior's mean. ``ruled_out`` : share of the prior whose own years lie more than 3
    standard deviations from what was observed. ``tail`` : chance, by the posterior and the stated errors, of an
    observation at least as far from the middle; for a lower bound, of its being said.
    """
    from scipy.special import ndtr

    library = result.library
    every = library.observed.targets
    simulated = library.simulated(every)
    rows = []
    for t, one in enumerate(every):
        observed, s = one.value(library.scenario.book), simulated[:, t]
        s, before, after = _present(s, result.prior_weights, result.weights)
        mean = float(after @ s)
        variance = float(after @ (s - mean) ** 2)
        below = float(after @ ndtr((observed - s) / one.deviation))
        gap = np.maximum(observed - s, 0.0) if one.at_least else np.abs(observed - s)
        far = posterior.implausibility(np.array(mean), np.array(variance), np.array(observed), np.array(one.deviation))
        rows.append(
            {
                "target": one.name,
                "quantity": one.quantity,
                "weighs": one.weighs,
                "at_least": one.at_least,
                "observed": observed,
                "error": one.error,
                "discrepancy": one.discrepancy,
                **_spread("prior", s, before),
                **_spread("posterior", s, after),
                "implausibility": 0.0 if one.at_least and mean >= observed else float(far),
                "ruled_out": float(before @ (gap > posterior.IMPLAUSIBLE * one.deviation)),
                "tail": 1.0 - float(after @ ndtr((observed - s) / one.deviation))
                if one.at_least
                else 2.0 * min(below, 1.0 - below),
                "unit": library.scenario.book.figure(one.figure).unit,
                "source": str(library.scenario.book.figure(one.figure).source),
                "because": one.because,
            }
        )
    return _frame(rows)


def lists(result: Any) -> pd.DataFrame:
    """Per group of patients: people waiting on the first day, by prior and posterior."""
    rows = []
    for name in ("waiting", *(f"list_{group}" for group in result.library.year.where)):
        values = np.array([one[name] for one in result.library.quantities])
        group = name.removeprefix("list_") if name != "waiting" else "all"
        spread = {**_spread("prior", values, result.prior_weights), **_spread("posterior", values, result.weights)}
        rows.append({"group": group, **spread})
    return _frame(rows)


def pairs(result: Any) -> pd.DataFrame:
    """Rank correlation of every pair of unknowns in the posterior, strongest first.

    In the prior all are independent. ``together`` : farther from 0 than chance allows, given the effective number of
    years and the number of pairs: the data say something about the two together that they do not say about each.
    """
    from scipy.special import ndtri

    names = result.library.prior.names
    found = posterior.rank_correlations(result.library.values, result.weights)
    count = len(names) * (len(names) - 1) // 2
    limit = float(-ndtri(FALSE_ALARM / 2 / max(count, 1))) / np.sqrt(result.effective)
    rows = [
        {
            "unknown": names[i],
            "other": names[j],
            "correlation": float(found[i, j]),
            "limit": float(limit),
            "together": bool(abs(found[i, j]) > limit),
        }
        for i in range(len(names))
        for j in range(i)
    ]
    return _frame(sorted(rows, key=lambda row: -abs(row["correlation"])))


def sensitivity(result: Any) -> pd.DataFrame:
    """What hangs on the stated errors: each unknown's posterior with all discrepancies smaller or larger, and without
    each target in turn."""
    library = result.library
    variations = [(f"discrepancy_{scale:g}", result.weigh(scale)) for scale in DISCREPANCIES]
    variations += [(f"without_{one.name}", result.weigh(without=(one.name,))) for one in result.targets]
    values = library.values
    return _frame(
        [
            {
                "variation": name,
                "effective": weighing.effective(weights),
                "unknown": unknown,
                **_spread("posterior", values[:, j], weights),
            }
            for name, weights in variations
            for j, unknown in enumerate(library.prior.names)
        ]
    )


def waves(result: Any) -> pd.DataFrame:
    """Per wave: points, and how many of all points so far count (effective number, whole likelihood)."""
    rows, done = [], 0
    logs = np.log(np.maximum(result.weights, 1e-300))
    for wave, count in enumerate(result.counts, 1):
        done += count
        rows.append({"wave": wave, "points": count, "effective": weighing.effective(weighing.normalised(logs[:done]))})
    return _frame(rows)
