"""Tables of scenarios side by side: outcomes of each, and paired differences with simultaneous intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import answers, measures
from flowsim.analysis.clearing import VOLUMES
from flowsim.analysis.controls import WORTH, Controlled, controlled
from flowsim.analysis.diverted import diverted, has_functions
from flowsim.analysis.paired import dependent_difference, paired_proportions, simultaneous, variance_gain
from flowsim.analysis.statistics import Estimate, student
from flowsim.plan.business_case import Volumes, money
from flowsim.plan.years import YEARS

if TYPE_CHECKING:
    import pandas as pd

LEVEL: Final = 0.95
MEASURES: Final = (
    "waiting",
    "overdue",
    "mean_wait",
    "wait_90",
    "starts",
    "reneged",
    "referred",
    "diverted",
    "clients",
    "gp_consults",
    "crisis",
    "net_effect",
)
"""Outcomes by year that are compared: ``waiting`` and ``overdue`` at its end; ``mean_wait`` and ``wait_90``, days, of
those who start in it; ``diverted``: people whom the functions keep out of ggz (given how many they reach; a top-down
scenario does not have it); ``net_effect``: EUR, as the plan counts it (TP 7.1)."""


def tables(found: Any) -> dict[str, pd.DataFrame]:
    """The tables of a `flowsim.study.compare.Comparison` by name, but for residents and selection."""
    measured = {name: outcomes(case) for name, case in found.cases.items()}
    controls = found.controls
    taken = without_luck(measured, found.base, controls)
    return {
        "summary": answers.summary(found).drop(columns="chosen"),
        "outcomes": by_year(measured, taken),
        "cleared": cleared(found.cases, found.base, found.seed, controls),
        "differences": differences(measured, found.base, controls),
        "fan": answers.fan(found),
        "futures": answers.futures(found),
    }


def outcomes(case: Any) -> dict[str, np.ndarray]:
    """The outcomes of `MEASURES` that a scenario has: name -> (n, 5)."""
    found = answers.of_years(case)
    monthly = np.array([future.volumes for future in case.futures])
    yearly = monthly.reshape(len(monthly), len(YEARS), 12, len(VOLUMES)).sum(axis=2)
    volumes = {name: yearly[:, :, v] for v, name in enumerate(VOLUMES)}
    found |= {name: volumes[name] for name in ("gp_consults", "crisis")}
    if has_functions(case):
        found["diverted"] = diverted(case).reshape(len(monthly), len(YEARS), -1).sum(axis=2)
        found["net_effect"] = _net_effect(case, volumes)
    return {name: np.asarray(found[name], np.float64) for name in MEASURES if name in found}


def _net_effect(case: Any, volumes: Mapping[str, np.ndarray]) -> np.ndarray:
    if case.scenario.settings["network"] == "none":
        return np.zeros(volumes["conversations"].shape)
    names = ("consultations", "conversations", "transfers", "case_conferences")
    indexed = case.scenario.settings["prices"] == "indexed"
    fixed = case.scenario.book.value("assumptions.would_have_entered")
    futures = len(volumes["conversations"])
    entered = np.array([drawn.get("assumptions.would_have_entered", fixed) for drawn in case.drawn[:futures]])
    done = {
        year: Volumes(**{name: np.asarray(volumes[name][:, y], float) for name in names}, support_points=0.0)
        for y, year in enumerate(YEARS)
    }
    return np.stack([one.net_effect for one in money(case.scenario.book, done, indexed, entered)], axis=1)


Controls = tuple[np.ndarray, np.ndarray]
"""Values drawn for the unknowns, (n, p), a row per future; and those of other futures, (N, p), that tell their mean."""


def without_luck(
    measured: Mapping[str, Mapping[str, np.ndarray]], base: str, controls: Controls | None
) -> dict[str, dict[str, Controlled]]:
    """Outcomes with the luck of the draw of unknowns taken out (`flowsim.analysis.controls`), by case and measure.

    A measure has controls in all cases and years or in none, so that the difference of two means stays the mean of the
    differences; it has them when the median gain for the differences from ``base`` is worth it.
    """
    plain = {
        name: {
            measure: Controlled(values, np.zeros(len(YEARS)), np.ones(len(YEARS))) for measure, values in one.items()
        }
        for name, one in measured.items()
    }
    if controls is None:
        return plain
    for measure in MEASURES:
        having = [name for name, one in measured.items() if measure in one]
        if base not in having or len(having) < 2:
            continue
        gaps = np.hstack([measured[name][measure] - measured[base][measure] for name in having if name != base])
        gains = controlled(gaps, *controls).gain
        if np.isfinite(gains).any() and float(np.nanmedian(gains)) >= WORTH:
            for name in having:
                plain[name][measure] = controlled(measured[name][measure], *controls)
    return plain


def by_year(
    measured: Mapping[str, Mapping[str, np.ndarray]], taken: Mapping[str, Mapping[str, Controlled]]
) -> pd.DataFrame:
    """Outcomes by case, measure and year: mean with its interval, and where 90% of the futures lie."""
    table = answers.by_year(measured)
    for i, (name, measure, year) in enumerate(zip(table["case"], table["measure"], table["year"], strict=True)):
        one, y = taken[name][measure], YEARS.index(int(year))
        n = len(one.values)
        mean = float(one.values[:, y].mean())
        error = float(np.sqrt(one.values[:, y].var(ddof=1) / n + one.extra[y])) if n > 1 else np.inf
        reach = student(LEVEL, n - 1) * error if error > 0.0 else 0.0
        ends = max(measures.least(measure), mean - reach) if n > 1 else -np.inf, mean + reach
        table.loc[i, ["mean", "mean_low", "mean_high"]] = mean, *ends
    return table


def cleared(cases: Mapping[str, Any], base: str, seed: int = 1, controls: Controls | None = None) -> pd.DataFrame:
    """Probability of clearing in time against ``base``, pair by pair; the intervals hold together with 95%.

    The difference is that of the probabilities of the summary. Where those are adjusted for the values drawn, so is it.

    ``both``, ``only_case``, ``only_base``, ``neither``: in how many futures each clears the lists. ``control_gain``:
    how much shorter than the plain interval it is, squared; 1 where neither probability is adjusted.
    """
    import pandas as pd

    others = [name for name in cases if name != base]
    level = 1.0 - (1.0 - LEVEL) / max(len(others), 1)
    b = cases[base].cleared
    rows = []
    for name in others:
        a = cases[name].cleared
        plain = paired_proportions(b, a, level)
        estimate = _adjusted(cases[base], cases[name], seed, level, controls) or plain
        rows.append(
            {
                "case": name,
                "against": base,
                "pairs": estimate.n,
                "difference": estimate.value,
                "low": estimate.low,
                "high": estimate.high,
                "both": int((a & b).sum()),
                "only_case": int((a & ~b).sum()),
                "only_base": int((~a & b).sum()),
                "neither": int((~a & ~b).sum()),
                "variance_reduction": variance_gain(b.astype(float), a.astype(float)),
                "control_gain": _squared(plain.half_width, estimate.half_width),
            }
        )
    return pd.DataFrame(rows)


def _squared(plain: float, now: float) -> float:
    return (plain / now) ** 2 if now > 0.0 else 1.0


def _adjusted(first: Any, second: Any, seed: int, level: float, controls: Controls | None) -> Estimate | None:
    """The difference of two probabilities of which at least one is adjusted; None: both are plain shares.

    Their correlation is that of the outcomes, with the controls taken out of one that is adjusted.
    """
    estimates = [case.probability(seed, level) for case in (first, second)]
    plain = [e.value == float(case.cleared.mean()) for e, case in zip(estimates, (first, second), strict=True)]
    if all(plain):
        return None
    left = [
        case.cleared.astype(float) if share or controls is None else controlled(case.cleared[:, None], *controls).values
        for case, share in zip((first, second), plain, strict=True)
    ]
    a, b = (values.reshape(len(values)) for values in left)
    correlation = float(np.corrcoef(a, b)[0, 1]) if a.std() > 0.0 and b.std() > 0.0 else 0.0
    return dependent_difference(estimates[0], estimates[1], correlation)


def differences(
    measured: Mapping[str, Mapping[str, np.ndarray]], base: str, controls: Controls | None = None
) -> pd.DataFrame:
    """Each scenario less ``base``, future by future, per outcome and year, where both have the outcome.

    ``low`` and ``high``: all intervals of the table hold together with 95% probability
    (`flowsim.analysis.paired.simultaneous`). ``shown``: ``more``, ``less``, or ``unclear`` when the interval holds 0.
    ``variance_reduction``: see `flowsim.analysis.paired.variance_gain`. ``control_gain``: so many times more pairs
    would be needed without control variates, as measured; ``controlled``: whether they are used (`without_luck`).
    """
    import pandas as pd

    taken = without_luck(measured, base, controls)
    places = [
        (name, measure, y)
        for name, found in measured.items()
        if name != base
        for measure in found
        if measure in measured[base]
        for y in range(len(YEARS))
    ]
    pairs = [(measured[base][measure][:, y], measured[name][measure][:, y]) for name, measure, y in places]
    plain = np.stack([b - a for a, b in pairs], axis=1)
    every = Controlled(plain, np.zeros(len(places)), np.full(len(places), np.nan))
    if controls is not None:
        every = controlled(plain, *controls)
    used = np.array([taken[name][measure].values is not measured[name][measure] for name, measure, _ in places])
    values, extra = np.where(used, every.values, plain), np.where(used, every.extra, 0.0)
    estimates, critical = simultaneous(values, LEVEL, extra)
    rows = []
    for k, ((name, measure, y), (a, b), e) in enumerate(zip(places, pairs, estimates, strict=True)):
        rows.append(
            {
                "case": name,
                "against": base,
                "measure": measure,
                "year": YEARS[y],
                "pairs": e.n,
                "difference": e.value,
                "low": e.low,
                "high": e.high,
                "shown": "more" if e.low > 0.0 else "less" if e.high < 0.0 else "unclear",
                "variance_reduction": variance_gain(a, b),
                "control_gain": every.gain[k],
                "controlled": bool(used[k]),
                "critical": critical,
            }
        )
    return pd.DataFrame(rows)
