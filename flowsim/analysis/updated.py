"""Tables of an update: the forecast before and after the counts, and what made the difference."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import measures, verdict, weighing
from flowsim.analysis.answers import FAN, WEEK
from flowsim.analysis.clearing import VOLUMES
from flowsim.analysis.statistics import Estimate
from flowsim.analysis.weighing import weighed_difference, weighed_mean, weighed_probability, weighed_quantiles
from flowsim.plan.years import YEARS

if TYPE_CHECKING:
    import pandas as pd

YEARLY: Final = ("waiting", "overdue", "mean_wait", "starts", "conversations", "support_point_users")
"""Measures of `flowsim.analysis.measures.BY_YEAR` that the forecast is about; waits in days."""
LAST: Final = f"overdue_{YEARS[-1]}"
SHIFT_LEVEL: Final = 0.95
"""All intervals of the shifts of unknowns hold together with this probability (Bonferroni)."""


def tables(update: Any) -> dict[str, pd.DataFrame]:
    """The tables of a `flowsim.study.update.Update` by name; with conflicts, only what was expected and counted."""
    made = {"counts": counts(update), "diagnostics": diagnostics(update)}
    if update.conflicts:
        return made
    return {
        "summary": summary(update),
        "years": years(update),
        **made,
        "moved": moved(update),
        "unknowns": unknowns(update),
        "fan": fan(update),
        "futures": futures(update),
    }


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)


def _interval(name: str, estimate: Estimate) -> dict[str, float]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def happened(update: Any) -> dict[str, np.ndarray]:
    """What does or does not happen in a future: (n,) of bool. ``wait_halved``: KPI 24."""
    ratio = np.array([measures.wait_ratio(future) for future in update.case.futures])
    return {"cleared": update.case.cleared, "wait_halved": measures.halved(ratio)}


def summary(update: Any) -> pd.DataFrame:
    """Per event: its probability before (``old``) and after (``new``) the counts with 95% intervals, and their
    ``change``, estimated from the same futures; ``old_code`` and ``new_code``: verdicts."""
    rows = []
    for event, values in happened(update).items():
        old, new = (weighed_probability(values, weights) for weights in (update.before, update.after))
        change = weighed_difference(values.astype(float), update.before, update.after)
        codes = {"old_code": verdict.chance(old.low, old.high), "new_code": verdict.chance(new.low, new.high)}
        row = {"case": update.case.name, "event": event, **_interval("old", old), **_interval("new", new)}
        rows.append({**row, **_interval("change", change), **codes})
    return _frame(rows)


def yearly(update: Any) -> dict[str, np.ndarray]:
    """`YEARLY` by future and year: name -> (n, 5)."""
    made: dict[str, list[np.ndarray]] = {name: [] for name in YEARLY}
    for future in update.case.futures:
        volumes = future.volumes.reshape(len(YEARS), 12, len(VOLUMES)).sum(axis=1)
        known = measures.by_year(future) | dict(zip(VOLUMES, volumes.T, strict=True))
        for name in YEARLY:
            made[name].append(known[name])
    return {name: np.array(values, float) for name, values in made.items()}


def years(update: Any) -> pd.DataFrame:
    """Per measure and year: mean with its 95% interval and 90% of the futures, before and after the counts, and the
    change of the mean with its interval."""
    rows = []
    for measure, values in yearly(update).items():
        for y, year in enumerate(YEARS):
            row: dict[str, Any] = {"case": update.case.name, "year": year, "measure": measure}
            for name, weights in (("old", update.before), ("new", update.after)):
                low, high = weighed_quantiles(values[:, y], weights, (0.05, 0.95))
                row |= {**_interval(name, weighed_mean(values[:, y], weights)), f"{name}_q05": low, f"{name}_q95": high}
            rows.append(row | _interval("change", weighed_difference(values[:, y], update.before, update.after)))
    return _frame(rows)


def counts(update: Any) -> pd.DataFrame:
    """Per cell: what was counted, what was expected before and is after the other counts, and whether it fits.

    ``expected_old``, ``expected_others`` : median over the futures with 90% of them (errors of counting apart), without
    the counts, and given all others. ``fits_old``, ``fits_others`` : two-sided tail probability of what was counted,
    errors included. ``conflict``, ``odd`` : whether that is less than the limit.
    """
    rows = []
    conflicts = {(one.quarter, one.code) for one in update.conflicts}
    odd = {(one.quarter, one.code) for one in update.odd}
    for one in update.counts:
        at, values = update.observed.of(one.code)
        for t, (quarter, value) in enumerate(zip(at, values, strict=True)):
            row: dict[str, Any] = {"quarter": str(quarter), "quantity": one.code, "counted": value}
            for name, weights in (("old", update.before), ("others", update.without(one.code, t))):
                if name == "others" and update.conflicts:
                    continue
                low, middle, high = weighed_quantiles(one.values[:, t], weights, (0.05, 0.5, 0.95))
                row |= {f"expected_{name}": middle, f"expected_{name}_low": low, f"expected_{name}_high": high}
                row |= {f"fits_{name}": update.fits(one.code, t, name == "others")}
            place = (quarter, one.code)
            rows.append(row | {"conflict": place in conflicts, "odd": place in odd})
    return _frame(rows)


def moved(update: Any) -> pd.DataFrame:
    """What each count, and each quantity in all its quarters together, did to the forecast.

    ``quarter`` : empty for a quantity as a whole. ``cleared``, ``overdue`` : by how much the count moves the
    probability of clearing and the mean number overdue at the end of 2029: with all counts, less with all others; 95%
    interval, same futures. ``overdue_alone`` : by how much that quantity by itself moves it from the old forecast.
    """
    cleared = update.case.cleared.astype(float)
    overdue = yearly(update)["overdue"][:, -1]
    rows = []
    for one, log in zip(update.counts, update.logs, strict=True):
        at, _ = update.observed.of(one.code)
        whole: list[tuple[str, int | None]] = [("", None)]
        for label, t in whole + [(str(quarter), t) for t, quarter in enumerate(at)]:
            weights = update.without(one.code, t)
            row: dict[str, Any] = {"quantity": one.code, "quarter": label, "cells": len(at) if t is None else 1}
            row |= _interval("cleared", weighed_difference(cleared, weights, update.after))
            row |= _interval("overdue", weighed_difference(overdue, weights, update.after))
            if t is None:
                alone = weighed_difference(overdue, update.before, update.reweighed([log]))
                row |= _interval("overdue_alone", alone)
            rows.append(row)
    return _frame(rows)


def unknowns(update: Any) -> pd.DataFrame:
    """What the counts say of the unknowns: 5, 50 and 95% points before and after, and how each shifted.

    ``rank`` : where its mean lies after the counts, as a part of the futures before them (0.5: nothing moved), with
    an interval that holds for all unknowns together (Bonferroni). ``narrower`` : length of the 90% range over what it
    was; called so when the variance of its normal score lies below what chance makes of 1 (chi-squared, Bonferroni).
    ``code`` : ``higher``, ``lower``, ``narrower`` or ``same``.
    """
    from scipy.special import ndtr

    scores = np.array(update.scores)
    ranks = ndtr(scores)
    rows = []
    for j, name in enumerate(update.names):
        values = np.array([drawn[name] for drawn in update.case.drawn])
        old, new = (weighed_quantiles(values, w, (0.05, 0.5, 0.95)) for w in (update.before, update.after))
        mean = weighed_mean(ranks[:, j], update.after)
        wide = _bonferroni(mean, len(update.names))
        low, high = mean.value - wide, mean.value + wide
        spread = float(update.after @ (scores[:, j] - update.after @ scores[:, j]) ** 2)  # 1 before the counts
        narrows = spread < _least_variance(weighing.effective(update.after), len(update.names))
        narrower = float((new[2] - new[0]) / (old[2] - old[0])) if old[2] > old[0] else math.nan
        code = "higher" if low > 0.5 else "lower" if high < 0.5 else "narrower" if narrows else "same"
        row = {"unknown": name, "rank": mean.value, "rank_low": low, "rank_high": high}
        row |= {
            f"{when}_{q}": float(x)
            for when, p in (("old", old), ("new", new))
            for q, x in zip(("q05", "q50", "q95"), p, strict=True)
        }
        rows.append(row | {"narrower": narrower, "code": code})
    table = _frame(rows)
    if len(table):
        order = (table["rank"] - 0.5).abs().sort_values(ascending=False).index
        table = table.loc[order].reset_index(drop=True)
    return table


def _bonferroni(mean: Estimate, number: int) -> float:
    """Half the length of an interval of one of so many means that all hold together, from one that holds alone."""
    from flowsim.analysis.statistics import student

    degrees = max(mean.n - 1, 1)
    return mean.half_width / student(weighing.LEVEL, degrees) * student(1.0 - (1.0 - SHIFT_LEVEL) / number, degrees)


def _least_variance(size: float, number: int) -> float:
    """What the variance of so many normal scores that did not narrow all stay above, with probability `SHIFT_LEVEL`."""
    from scipy.special import gammaincinv

    return float(2.0 * gammaincinv(size / 2.0, (1.0 - SHIFT_LEVEL) / number) / size)


def fan(update: Any) -> pd.DataFrame:
    """Per week and measure: quantiles over the futures, before (``old``) and after (``new``) the counts."""
    rows = []
    for measure in ("waiting", "overdue"):
        values = np.array([getattr(future, measure) for future in update.case.futures], float)
        for when, weights in (("old", update.before), ("new", update.after)):
            for j in range(values.shape[1]):
                points = weighed_quantiles(values[:, j], weights, FAN)
                quantiles = {f"q{round(100 * q):02d}": x for q, x in zip(FAN, points, strict=True)}
                rows.append({"forecast": when, "day": WEEK * j, "measure": measure, **quantiles})
    return _frame(rows)


def diagnostics(update: Any) -> pd.DataFrame:
    """How much the forecasts rest on: futures, effective numbers, the shape of the largest weights, and the power.

    ``effective_full`` : effective number with the counts at full weight. ``pareto_k`` : NaN when too few weights count.
    ``power`` : 1, or the power of the likelihood at which enough futures count.
    """
    full = weighing.normalised(update.log_prior + update.log_like)
    return _frame(
        [
            {
                "futures": update.done,
                "from_prior": update.origin.count(0),
                "effective_old": weighing.effective(update.before),
                "effective_full": weighing.effective(full),
                "effective_new": weighing.effective(update.after),
                "largest_weight": float(update.after.max()),
                "pareto_k": weighing.pareto_k(update.after),
                "power": update.power,
                "conflicts": len(update.conflicts),
                "odd": len(update.odd),
            }
        ]
    )


def futures(update: Any) -> pd.DataFrame:
    """Every future: its weights before and after the counts, its main outcomes, its unknowns."""
    known = yearly(update)
    rows = []
    for i, (future, drawn) in enumerate(zip(update.case.futures, update.case.drawn, strict=True)):
        ends = {f"{name}_{year}": known[name][i, y] for name in ("waiting", "overdue") for y, year in enumerate(YEARS)}
        weights = {"old_weight": update.before[i], "new_weight": update.after[i], "origin": update.origin[i]}
        rows.append({"future": i, **weights, "cleared_day": future.cleared, **ends, **drawn})
    return _frame(rows)
