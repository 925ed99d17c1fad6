"""Tables of an answer: one row per observation, one column per variable, an interval with every estimate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import diverted, measures
from flowsim.analysis.clearing import VOLUMES
from flowsim.analysis.framed import framed
from flowsim.analysis.measure_first import measure_first
from flowsim.analysis.statistics import Estimate, cluster, mean_interval, mean_intervals
from flowsim.plan.years import YEARS

if TYPE_CHECKING:
    import pandas as pd

WEEK: Final = 7.0
MONTHS: Final = measures.MONTHS[:-1].astype("datetime64[M]").astype(str).tolist()
FAN: Final = (0.05, 0.25, 0.5, 0.75, 0.95)
UNKNOWNS: Final = {"case": "str", "unknown": "str"} | dict.fromkeys(
    ("correlation", "correlation_low", "correlation_high", "cleared_low", "cleared_high"), "float64"
)
UNCERTAINTY: Final = {"case": "str", "measure": "str", "pairs": "int64"} | dict.fromkeys(
    ("unknowns", "chance", "share_unknowns"), "float64"
)
DIFFERENCES: Final = {"case": "str", "against": "str", "measure": "str", "pairs": "int64"} | dict.fromkeys(
    ("difference", "difference_low", "difference_high", "variance_reduction"), "float64"
)
"""Columns of tables that may be without rows."""


def tables(answer: Any) -> dict[str, pd.DataFrame]:
    """The tables of a `flowsim.study.answer.Answer` by name, but for the promises of the plan."""
    made = {
        "summary": summary(answer),
        "years": years(answer),
        "months": months(answer),
        "fan": fan(answer),
        "programmes": programmes(answer),
        "queues": queues(answer),
        "volumes": volumes(answer),
        "diverted": diverted_years(answer),
        "diverted_months": diverted_months(answer),
        "unknowns": unknowns(answer),
        "measure_first": measure_first(answer),
        "uncertainty": uncertainty(answer),
        "differences": differences(answer),
        "futures": futures(answer),
    }
    if answer.calibration is not None:
        made["calibration"] = answer.calibration
    if answer.curve:
        made["curve"] = _frame([{"diversion": share, **_interval("cleared", e)} for share, e in answer.curve])
    return made


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(rows)


def _interval(name: str, estimate: Estimate) -> dict[str, Any]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}


def summary(answer: Any) -> pd.DataFrame:
    """Per case: futures, probability of clearing in time, date of clearing, KPI 24.

    ``chosen`` : futures beyond those, for the probability alone (`flowsim.study.chosen`).
    ``date_*`` : 5%, 50% and 95% points of the day of clearing over all futures, NaN where it is not before the end.
    ``wait_ratio`` : mean wait of those who start in the second quarter of 2027 over that of the first quarter of 2025.
    ``wait_halved`` : probability that KPI 24 is met, judged as in `flowsim.analysis.targets.targets`.
    """
    rows = []
    for name, case in answer.cases.items():
        days = np.array([future.cleared for future in case.futures])
        points = np.quantile(days, (0.05, 0.5, 0.95), method="higher")
        points[~np.isfinite(points)] = np.nan
        ratio, probability = wait_ratio(case), answer.probability(name)
        rows.append(
            {
                "case": name,
                "futures": len(days),
                "chosen": probability.n - len(days),
                **_interval("cleared", probability),
                **dict(zip(("day_05", "day_50", "day_95"), points, strict=True)),
                **_interval("wait_ratio", mean_interval(ratio, least=0.0)),
                "wait_halved": float(np.mean(measures.halved(ratio))),
            }
        )
    return _frame(rows)


def wait_ratio(case: Any) -> np.ndarray:
    """KPI 24: mean wait in the quarter up to 30 June 2027 over that of the first quarter of 2025, per future."""
    return np.array([measures.wait_ratio(future) for future in case.futures])


def years(answer: Any) -> pd.DataFrame:
    """Per case and year: waiting and overdue at its end, waits and numbers in it; mean, interval of the mean, 90%
    range."""
    return by_year({name: of_years(case) for name, case in answer.cases.items()})


def of_years(case: Any) -> dict[str, np.ndarray]:
    """Outcomes of a case by year (see `flowsim.analysis.measures.by_year`): name -> (n, 5). Waits in days."""
    made = [measures.by_year(future) for future in case.futures]
    return {name: np.array([one[name] for one in made]) for name in made[0]}


def by_year(outcomes: Mapping[str, Mapping[str, np.ndarray]]) -> pd.DataFrame:
    """The table of `years`, from outcomes by case and measure."""
    rows = []
    for name, found in outcomes.items():
        for measure, values in found.items():
            for y, year in enumerate(YEARS):
                low, high = np.quantile(values[:, y], (0.05, 0.95))
                estimate = _interval("mean", mean_interval(values[:, y], least=measures.least(measure)))
                rows.append({"case": name, "year": year, "measure": measure, **estimate, "q05": low, "q95": high})
    return _frame(rows)


def months(answer: Any) -> pd.DataFrame:
    """Per case and month: waiting and overdue at its end, waits and numbers in it, residents reached by each function;
    mean, interval of the mean, 90% range."""
    import pandas as pd

    made = []
    for name, case in answer.cases.items():
        found = [measures.by_month(future, case.reduce.month_ends) for future in case.futures]
        values = np.array([np.concatenate([*one.values()]) for one in found], float)
        mean, low, high = mean_intervals(values, least=0.0)
        q05, q95 = np.quantile(values, (0.05, 0.95), axis=0)
        missing = np.isnan(values).any(axis=0)  # a month without starts has no wait
        if missing.any():
            q05[missing], q95[missing] = np.nanquantile(values[:, missing], (0.05, 0.95), axis=0)
        about = {"case": name, "month": MONTHS * len(found[0]), "measure": np.repeat([*found[0]], len(MONTHS))}
        numbers = {"mean": mean, "mean_low": low, "mean_high": high, "q05": q05, "q95": q95}
        made.append(pd.DataFrame(about | numbers))
    return pd.concat(made, ignore_index=True)


def fan(answer: Any) -> pd.DataFrame:
    """Per case, week and measure: quantiles over the futures."""
    import pandas as pd

    made = []
    for name, case in answer.cases.items():
        for measure in ("waiting", "overdue"):
            points = np.quantile([getattr(future, measure) for future in case.futures], FAN, axis=0)
            about = {"case": name, "day": WEEK * np.arange(points.shape[1]), "measure": measure}
            quantiles = {f"q{round(100 * q):02d}": row for q, row in zip(FAN, points, strict=True)}
            made.append(pd.DataFrame(about | quantiles))
    return pd.concat(made, ignore_index=True)


def programmes(answer: Any) -> pd.DataFrame:
    """Per case, year and programme (a queue of its own): the measures of `measures.by_queue`, mean with 95% interval;
    numbers of people are those at the year's end. 2024: the first day, of which there are only those."""
    import pandas as pd

    made = []
    for name, case in answer.cases.items():
        first = np.array([future.by_programme[0] for future in case.futures], float)
        values = _by_queue(case, 12)
        for i, measure in enumerate(measures.LISTS):
            values[measure] = np.concatenate([first[:, None, :, i], values[measure]], axis=1)
        for measure in values.keys() - {*measures.LISTS}:
            values[measure] = np.pad(values[measure], ((0, 0), (1, 0), (0, 0)), constant_values=np.nan)
        made.append(_of_queues(name, case, "year", (YEARS[0] - 1, *YEARS), values))
    return pd.concat(made, ignore_index=True)


def queues(answer: Any) -> pd.DataFrame:
    """`programmes` by month."""
    import pandas as pd

    cases = answer.cases.items()
    return pd.concat(
        [_of_queues(name, case, "month", MONTHS, _by_queue(case, 1)) for name, case in cases], ignore_index=True
    )


def _by_queue(case: Any, months: int) -> dict[str, np.ndarray]:
    """`measures.by_queue` of the futures of a case: name -> (n, T, P)."""
    found = [measures.by_queue(future, months) for future in case.futures]
    return {measure: np.array([one[measure] for one in found], float) for measure in found[0]}


def _of_queues(name: str, case: Any, time: str, labels: Sequence[Any], values: dict[str, np.ndarray]) -> pd.DataFrame:
    """The rows of a case of `programmes` or `queues`, from measure -> (n, T, P)."""
    import pandas as pd

    names = [case.template.network_at_mode.station_names[k] for k in case.reduce.ggz]
    table: dict[str, Any] = {"case": name, time: np.repeat(labels, len(names)), "programme": names * len(labels)}
    for measure, of_futures in values.items():
        columns = mean_intervals(of_futures.reshape(len(of_futures), -1), least=0.0)
        table |= dict(zip((measure, f"{measure}_low", f"{measure}_high"), columns, strict=True))
    return pd.DataFrame(table)


def volumes(answer: Any) -> pd.DataFrame:
    """Per case and year: residents reached by each function, mean and 90% range."""
    rows = []
    for name, case in answer.cases.items():
        monthly = np.array([future.volumes for future in case.futures])
        yearly = monthly.reshape(len(monthly), 5, 12, len(VOLUMES)).sum(axis=2)
        for v, volume in enumerate(VOLUMES):
            for y, year in enumerate(YEARS):
                low, high = np.quantile(yearly[:, y, v], (0.05, 0.95))
                estimate = _interval("mean", mean_interval(yearly[:, y, v], least=0.0))
                rows.append({"case": name, "year": year, "volume": volume, **estimate, "q05": low, "q95": high})
    return _frame(rows)


def diverted_years(answer: Any) -> pd.DataFrame:
    """Per case, year, function and destination (``all``: together): residents expected to be kept out of ggz, see
    `flowsim.analysis.diverted`; mean, interval of the mean, 90% range. None of a top-down case."""
    return _diverted(answer, "year", YEARS)


def diverted_months(answer: Any) -> pd.DataFrame:
    """`diverted_years` by month."""
    return _diverted(answer, "month", MONTHS)


def _diverted(answer: Any, time: str, labels: Sequence[Any]) -> pd.DataFrame:
    import pandas as pd

    names = [*diverted.FUNCTIONS, diverted.ALL], [*diverted.DESTINATIONS, diverted.ALL]
    index = pd.MultiIndex.from_product([labels, *names], names=[time, "function", "destination"])
    columns = ("mean", "mean_low", "mean_high", "q05", "q95")
    made = []
    for name, case in answer.cases.items():
        if not diverted.has_functions(case):
            continue
        found = diverted.diverted(case)
        found = found.reshape(len(found), len(labels), -1, *found.shape[2:]).sum(axis=2)
        values = diverted.with_totals(found).reshape(len(found), -1)
        numbers = (*mean_intervals(values, least=0.0), *np.quantile(values, (0.05, 0.95), axis=0))
        table = index.to_frame(index=False).assign(**dict(zip(columns, numbers, strict=True)))
        table.insert(0, "case", name)
        made.append(table)
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=["case", *index.names, *columns])


def unknowns(answer: Any) -> pd.DataFrame:
    """What the answer hangs on, a first ranking per case.

    ``correlation`` : Spearman's, between the unknown and the number overdue at the end of 2029, with its 95% interval
    (Fisher's transformation with the variance of Fieller, Hartley and Pearson, Biometrika 44, 1957, p. 470).
    ``cleared_low`` and ``cleared_high`` : probability of clearing among the futures with the lowest and the highest
    third of its values.
    """
    from scipy.stats import rankdata

    rows = []
    for name, case in answer.cases.items():
        n = len(case.futures)
        overdue = np.array([float(future.by_programme[-1, :, 1].sum()) for future in case.futures])
        cleared = case.cleared
        y = rankdata(overdue)
        for unknown in case.drawn[0] if case.drawn else ():
            values = np.array([drawn[unknown] for drawn in case.drawn])
            x = rankdata(values)
            varies = n > 10 and overdue.std() > 0.0
            r = float(np.corrcoef(x, y)[0, 1]) if varies else 0.0
            spread = 1.96 * np.sqrt(1.06 / (n - 3)) if n > 10 else np.inf
            thirds = np.quantile(values, (1 / 3, 2 / 3))
            few, many = cleared[values <= thirds[0]], cleared[values >= thirds[1]]
            rows.append(
                {
                    "case": name,
                    "unknown": unknown,
                    "correlation": r,
                    "correlation_low": float(np.tanh(np.arctanh(r) - spread)),
                    "correlation_high": float(np.tanh(np.arctanh(r) + spread)),
                    "cleared_low": float(few.mean()) if len(few) else np.nan,
                    "cleared_high": float(many.mean()) if len(many) else np.nan,
                }
            )
    table = framed(rows, UNKNOWNS)
    if len(table):
        table["strength"] = table["correlation"].abs()
        table = table.sort_values(["case", "strength"], ascending=[True, False]).drop(columns="strength")
    return table.reset_index(drop=True)


def uncertainty(answer: Any) -> pd.DataFrame:
    """Share of the variance that lies in the unknowns, the rest being chance: pairs of runs with the same unknowns."""
    rows = []
    for name, case in answer.cases.items():
        count = min(len(case.second_runs), len(case.futures))
        if count < 2:
            continue
        pairs = [case.futures[:count], case.second_runs[:count]]
        deadline = case.definition.deadline
        measures: Mapping[str, np.ndarray] = {
            "cleared": np.array([[float(f.cleared <= deadline) for f in run] for run in pairs]).T,
            "overdue_2029": np.array([[float(f.by_programme[-1, :, 1].sum()) for f in run] for run in pairs]).T,
            "waiting_2029": np.array([[float(f.by_programme[-1, :, 0].sum()) for f in run] for run in pairs]).T,
        }
        for measure, values in measures.items():
            split = cluster(values)
            row = {"case": name, "measure": measure, "pairs": count, "unknowns": split.between, "chance": split.within}
            rows.append({**row, "share_unknowns": split.share_between})
    return framed(rows, UNCERTAINTY)


def differences(answer: Any) -> pd.DataFrame:
    """Each case against no network, future by future (common random numbers): mean difference with its 95% interval."""
    rows: list[dict[str, Any]] = []
    if "none" not in answer.cases:
        return framed(rows, DIFFERENCES)
    base = answer.cases["none"].futures
    for name, case in answer.cases.items():
        count = min(len(base), len(case.futures))
        if name == "none" or count < 2:
            continue
        for i, measure in enumerate(("waiting_2029", "overdue_2029")):
            a = np.array([float(f.by_programme[-1, :, i].sum()) for f in case.futures[:count]])
            b = np.array([float(f.by_programme[-1, :, i].sum()) for f in base[:count]])
            gain = (a.var(ddof=1) + b.var(ddof=1)) / max(float((a - b).var(ddof=1)), 1e-12)
            row = {"case": name, "against": "none", "measure": measure, "pairs": count}
            rows.append({**row, **_interval("difference", mean_interval(a - b)), "variance_reduction": gain})
    return framed(rows, DIFFERENCES)


def futures(answer: Any) -> pd.DataFrame:
    """Every future: its unknowns and its main outcomes."""
    rows = []
    for name, case in answer.cases.items():
        for i, (future, drawn) in enumerate(zip(case.futures, case.drawn, strict=True)):
            ends = {
                f"overdue_{y}": int(x) for y, x in zip(YEARS, future.by_programme[1:, :, 1].sum(axis=1), strict=True)
            }
            lists = {
                f"waiting_{y}": int(x) for y, x in zip(YEARS, future.by_programme[1:, :, 0].sum(axis=1), strict=True)
            }
            rows.append({"case": name, "future": i, "cleared_day": future.cleared, **ends, **lists, **drawn})
    return _frame(rows)
