"""Tables of scenarios side by side: outcomes of each, and paired differences with simultaneous intervals."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import answers
from flowsim.analysis.clearing import VOLUMES
from flowsim.analysis.measures import YEARS
from flowsim.analysis.paired import paired_proportions, simultaneous, variance_gain
from flowsim.plan.business_case import Volumes, money
from flowsim.scenario import flows
from flowsim.scenario.baseline import Values

if TYPE_CHECKING:
    import pandas as pd

LEVEL: Final = 0.95
REACHED: Final = ("consultations", "conversations", "case_conferences")
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
    return {
        "summary": answers.summary(found),
        "outcomes": answers.by_year(measured),
        "cleared": cleared(found.cases, found.base),
        "differences": differences(measured, found.base),
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
    if case.scenario.settings["network"] != "diversion":
        found["diverted"] = _diverted(case, volumes)
        found["net_effect"] = _net_effect(case, volumes)
    return {name: np.asarray(found[name], np.float64) for name in MEASURES if name in found}


def _diverted(case: Any, volumes: Mapping[str, np.ndarray]) -> np.ndarray:
    """Expected number kept out of ggz, given the volumes of the future and its unknowns."""
    shares = np.array(
        [
            [flows.effects(case.scenario, Values(case.scenario, drawn), name).away for name in REACHED]
            for drawn in case.drawn
        ]
    )
    return np.asarray(sum(shares[:, [f]] * volumes[name] for f, name in enumerate(REACHED)))


def _net_effect(case: Any, volumes: Mapping[str, np.ndarray]) -> np.ndarray:
    made = np.zeros(volumes["conversations"].shape)
    if case.scenario.settings["network"] == "none":
        return made
    names = ("consultations", "conversations", "transfers", "case_conferences")
    indexed = case.scenario.settings["prices"] == "indexed"
    for i in range(len(made)):
        done = {
            year: Volumes(**{name: float(volumes[name][i, y]) for name in names}, support_points=0.0)
            for y, year in enumerate(YEARS)
        }
        made[i] = [one.net_effect for one in money(case.scenario.book, done, indexed)]
    return made


def cleared(cases: Mapping[str, Any], base: str) -> pd.DataFrame:
    """Probability of clearing in time against ``base``, pair by pair; the intervals hold together with 95%.

    ``both``, ``only_case``, ``only_base``, ``neither``: in how many futures each clears the lists.
    """
    import pandas as pd

    others = [name for name in cases if name != base]
    level = 1.0 - (1.0 - LEVEL) / max(len(others), 1)
    b = cases[base].cleared
    rows = []
    for name in others:
        a = cases[name].cleared
        estimate = paired_proportions(b, a, level)
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
            }
        )
    return pd.DataFrame(rows)


def differences(measured: Mapping[str, Mapping[str, np.ndarray]], base: str) -> pd.DataFrame:
    """Each scenario less ``base``, future by future, per outcome and year, where both have the outcome.

    ``low`` and ``high``: all intervals of the table hold together with 95% probability
    (`flowsim.analysis.paired.simultaneous`). ``shown``: ``more``, ``less``, or ``unclear`` when the interval holds 0.
    ``variance_reduction``: see `flowsim.analysis.paired.variance_gain`.
    """
    import pandas as pd

    places = [
        (name, measure, y)
        for name, found in measured.items()
        if name != base
        for measure in found
        if measure in measured[base]
        for y in range(len(YEARS))
    ]
    pairs = [(measured[base][measure][:, y], measured[name][measure][:, y]) for name, measure, y in places]
    estimates, critical = simultaneous(np.stack([b - a for a, b in pairs], axis=1), LEVEL)
    rows = []
    for (name, measure, y), (a, b), e in zip(places, pairs, estimates, strict=True):
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
                "critical": critical,
            }
        )
    return pd.DataFrame(rows)
