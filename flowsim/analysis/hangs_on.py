"""Tables of a sensitivity study: the decision, what each number is worth, what outcomes hang on, where promises fail.

Net benefits are differences from stopping (`flowsim.analysis.decision`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from flowsim.analysis import decision, information, regions, sensitivity
from flowsim.analysis.effects import Surface, main_effects, refit, surface
from flowsim.analysis.statistics import Estimate, mean_interval
from flowsim.scenario import unknowns
from flowsim.scenario.options import CONTINUE, OPTIONS, STOP, measured_by, measurement

if TYPE_CHECKING:
    import pandas as pd

BOOTSTRAPS: Final = 100
WEEKS: Final = ("low", "turn", "value", "high")
"""What a week of waiting is worth: the ends and the value of its range, and where in it the best option changes (the
place nearest to the value)."""
FEW: Final = 8
"""Runs with the lists cleared, and runs without, that it takes to say what clearing hangs on."""


def tables(study: Any) -> dict[str, pd.DataFrame]:
    """The tables of a `flowsim.study.sensitivity.Sensitivity` by name; what was not run is left out."""

    euros, weeks = benefits(study)
    made: dict[str, Any] = {"options": options(study, euros, weeks)}
    made |= worth(study, euros, weeks)
    if study.morris is not None:
        design, points = study.morris
        made["morris"] = sensitivity.morris(design, _outcomes(points), study.seed)
    if study.sobol is not None:
        made |= decomposed(study)
    made |= promises(study)
    made["futures"] = futures(study, euros, weeks)
    return made


def benefits(study: Any) -> tuple[np.ndarray, np.ndarray]:
    """Extra euros and weeks of waiting won of every option against stopping, per future: (n, options) twice."""
    count, stop = study.done, study.cases[STOP]
    waited = decision.weeks_waited(stop, count)
    euros = [decision.extra_euros(study.cases[name], stop, count, study.savings) for name in OPTIONS]
    weeks = [waited - decision.weeks_waited(study.cases[name], count) for name in OPTIONS]
    return np.stack(euros, axis=1), np.stack(weeks, axis=1)


def net_benefit(euros: np.ndarray, weeks: np.ndarray, week: float) -> np.ndarray:
    """Euros, at this value of a week."""
    return np.asarray(week * weeks - euros)


def turning_weeks(euros: np.ndarray, weeks: np.ndarray, low: float, high: float) -> list[float]:
    """Values of a week, between ``low`` and ``high``, at which another option becomes the best in expectation."""
    cost, won = euros.mean(axis=0), weeks.mean(axis=0)
    crossings = {
        float((cost[j] - cost[i]) / (won[j] - won[i])) for i in range(len(cost)) for j in range(i) if won[j] != won[i]
    }
    turns = []
    for x in sorted(crossings):
        if low < x < high:
            before, after = (int((at * won - cost).argmax()) for at in (x * (1 - 1e-6), x * (1 + 1e-6)))
            if before != after:
                turns.append(x)
    return turns


def _valued(study: Any, euros: np.ndarray, weeks: np.ndarray) -> list[tuple[str, float]]:
    """The values of a week that are looked at, by name, each once and rising."""
    value, low, high = study.week
    turns = turning_weeks(euros, weeks, low, high)
    named = {"low": low, "value": value, "high": high}
    if turns:
        named["turn"] = min(turns, key=lambda x: abs(x - value))
    chosen = [(name, named[name]) for name in WEEKS if name in named and (name == "value" or named[name] != value)]
    return sorted(chosen, key=lambda one: one[1])


def options(study: Any, euros: np.ndarray, weeks: np.ndarray) -> pd.DataFrame:
    """Per value of a week and option: euros, weeks won and net benefit, mean with interval and 90% range; how often it
    is the best; whether it is the best in expectation."""
    import pandas as pd

    rows = []
    for label, week in _valued(study, euros, weeks):
        benefit = net_benefit(euros, weeks, week)
        best = benefit.argmax(axis=1)
        for k, name in enumerate(OPTIONS):
            row: dict[str, Any] = {"week": label, "euros_per_week": week, "option": name}
            for column, values in (("euros", euros), ("weeks_won", weeks), ("net_benefit", benefit)):
                one = mean_interval(values[:, k])
                low, high = np.quantile(values[:, k], (0.05, 0.95))
                row |= {**_ends(column, one), f"{column}_q05": low, f"{column}_q95": high}
            row |= {"best_share": float((best == k).mean()), "best": bool(benefit.mean(axis=0).argmax() == k)}
            rows.append({**row, "futures": len(benefit)})
    return pd.DataFrame(rows)


def worth(study: Any, euros: np.ndarray, weeks: np.ndarray) -> dict[str, pd.DataFrame]:
    """``information``: per unknown what knowing it is worth, and one measured quarter of it; ``perfect``: knowing all;
    ``monitors``: what the registration of the pilot year's last quarter is worth. In euros, per value of a week."""
    import pandas as pd

    names, u, seed = study.names, study.quantiles, study.seed
    known: list[dict[str, Any]] = []
    perfect: list[dict[str, Any]] = []
    counted: list[dict[str, Any]] = []
    pilot = int(study.scenario.book.value("functions.pilot_year"))
    registered = registration(study, pilot)
    for label, week in _valued(study, euros, weeks):
        at: dict[str, Any] = {"week": label, "euros_per_week": week}
        benefit = net_benefit(euros, weeks, week)
        effects = main_effects(names, u, benefit)
        rows = []
        for i, name in enumerate(names):
            exact = information.evppi(effects, i)
            measure = measurement(study.scenario, name)
            quarter = None if measure is None else information.evsi(effects, i, measure)
            rows.append(
                {
                    **at,
                    "unknown": name,
                    **_ends("evppi", exact),
                    **_ends("evsi", quarter),
                    "measured_by": measured_by(study.scenario, name) or "",
                }
            )
        known += sorted(rows, key=lambda row: (-row["evppi"], -row["evppi_high"]))
        fitted = surface(names, u, benefit, seed=seed)
        chosen = OPTIONS[int(benefit.mean(axis=0).argmax())]
        held_out = {f"held_out_{name}": fitted.held_out[k] for k, name in enumerate(OPTIONS) if name != STOP}
        everything = _ends("evpi", information.evpi(fitted, u, benefit))
        clairvoyance = information.clairvoyance(benefit)
        perfect.append({**at, "best": chosen, **everything, "clairvoyance": clairvoyance, **held_out})
        shown = [
            {**at, "monitor": name, **_ends("evsi", information.evsi_of_summary(values, benefit))}
            for name, values in registered.items()
        ]
        counted += sorted(shown, key=lambda row: -row["evsi"])
    return {"information": pd.DataFrame(known), "perfect": pd.DataFrame(perfect), "monitors": pd.DataFrame(counted)}


def registration(study: Any, year: int) -> dict[str, np.ndarray]:
    """`flowsim.analysis.decision.monitors` as a registration would give them: with its own error beside chance."""
    from flowsim.scenario.options import REGISTRATION

    book = study.scenario.book
    error = book.value(REGISTRATION) if REGISTRATION in book else 0.0
    rng = np.random.default_rng(study.seed)
    true = decision.monitors(study.cases[CONTINUE], study.done, year)
    return {name: values * (1.0 + error * rng.standard_normal(len(values))) for name, values in true.items()}


def decomposed(study: Any) -> dict[str, pd.DataFrame]:
    """``sobol``: indices per outcome, by two methods; ``surface``: how well the surface foretells what it has not seen.

    ``runs``: Saltelli's design itself, with chance as an input. ``surface``: of the mean over chance, by a polynomial
    surface fitted to all futures of the scenario; intervals by resampling whole blocks.
    """
    import pandas as pd

    design, points = study.sobol
    told = {name: values for name, values in _outcomes(points).items() if not _rare(name, values)}
    direct = sensitivity.sobol(design, told, study.seed)
    u, outcomes, groups = sample(study)
    rows, fits = [], []
    chance = direct[direct["input"] == sensitivity.CHANCE].set_index("outcome")
    for k, outcome in enumerate(_outcomes(points)):
        if outcome not in told:
            continue
        values = outcomes[:, [k]]
        fitted = surface(study.names, u, values, groups, study.seed)
        rows += [{"outcome": outcome, **row} for row in _surface_indices(study, fitted, u, values, groups)]
        alone = {"chance": chance["total"][outcome], "chance_low": chance["total_low"][outcome]}
        alone["chance_high"] = chance["total_high"][outcome]
        fits.append({"outcome": outcome, "runs": len(u), "held_out": float(fitted.held_out[0]), **alone})
    both = [direct.assign(method="runs"), pd.DataFrame(rows).assign(method="surface")]
    return {"sobol": pd.concat([one for one in both if len(one)], ignore_index=True), "surface": pd.DataFrame(fits)}


def _rare(outcome: str, values: np.ndarray) -> bool:
    """Whether too few runs tell what an outcome hangs on."""
    if outcome == "cleared":
        return bool(min(values.sum(), (1.0 - values).sum()) < FEW)
    return float(values.std()) == 0.0


def sample(study: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All futures of the scenario whose unknowns are drawn from their ranges: quantiles (n, d), outcomes (n, 3), and
    what belongs together (n,): the points of a block of the Sobol design."""
    case = study.cases[CONTINUE]
    from flowsim.analysis import measures

    names = tuple(_outcomes(None))
    own = np.array([measures.measured(one, names, case.definition) for one in case.futures[: study.done]], float)
    u, outcomes, groups = study.quantiles, own, np.arange(len(own))
    if study.sobol is not None:
        design, points = study.sobol
        n = len(points.values)
        u = np.vstack([u, design.u[:n]])
        outcomes = np.vstack([outcomes, points.values[:, : len(names)]])
        groups = np.concatenate([groups, len(groups) + design.block[:n]])
    return u, outcomes, groups


def _surface_indices(
    study: Any, fitted: Surface, u: np.ndarray, values: np.ndarray, groups: np.ndarray
) -> list[dict[str, Any]]:
    rng = np.random.default_rng(study.seed)
    members = [np.flatnonzero(groups == label) for label in np.unique(groups)]
    again = []
    for _ in range(BOOTSTRAPS):
        rows = np.concatenate([members[i] for i in rng.integers(0, len(members), len(members))])
        again.append([index[:, 0] for index in refit(fitted, u, values, rows).indices()])
    found, drawn = [index[:, 0] for index in fitted.indices()], np.array(again)
    made: list[dict[str, Any]] = [{"input": name, "runs": len(u)} for name in fitted.names]
    for k, column in enumerate(("first", "total")):
        bias = drawn[:, k].mean(axis=0) - found[k]
        low, high = np.quantile(drawn[:, k], (0.025, 0.975), axis=0) - 2.0 * bias
        for i, row in enumerate(made):
            value = float(np.clip(found[k][i] - bias[i], 0.0, 1.0))
            ends = {f"{column}_low": max(0.0, min(low[i], value)), f"{column}_high": min(1.0, max(high[i], value))}
            row |= {column: value, **ends}
    return made


def promises(study: Any) -> dict[str, pd.DataFrame]:
    """``promises``: how often each promise fails and in which region (or, where it mostly fails, in which it holds);
    ``regions``: the limits; ``boxes``: every box that was tried."""
    import pandas as pd

    case, n = study.cases[CONTINUE], study.done
    values = [[drawn[name] for name in study.names] for drawn in case.drawn[:n]]
    cleared = case.cleared[:n]
    ends = np.array([(f.by_programme[0, :, 1].sum(), f.by_programme[-1, :, 1].sum()) for f in case.futures[:n]], float)
    if study.sobol is not None:
        design, points = study.sobol
        rows = design.independent[design.independent < len(points.values)]
        quantiles = (dict(zip(study.names, design.u[row], strict=True)) for row in rows)
        values += [list(unknowns.values(study.scenario, one).values()) for one in quantiles]
        cleared = np.concatenate([cleared, points.of("cleared")[rows] > 0.5])
        ends = np.vstack([ends, np.stack([points.of("overdue_start"), points.of("overdue_2029")], axis=1)[rows]])
    kept = {"cleared": np.asarray(cleared, bool), "fewer_overdue": ends[:, 1] < ends[:, 0]}
    summary, limits, boxes = [], [], []
    for name, holds in kept.items():
        side = "fails" if holds.mean() >= 0.5 else "holds"
        region = regions.find_region(study.names, np.array(values), holds if side == "holds" else ~holds, study.seed)
        row = {"promise": name, "futures": len(holds), "fails": float((~holds).mean()), "side": side}
        row["found"] = region is not None
        if region is not None:
            for column, one in (
                ("density", region.density),
                ("coverage", region.coverage),
                ("outside", region.outside),
            ):
                row |= _ends(column, one)
            row["mass"] = region.mass
            for unknown, (low, high, doubt) in region.limits.items():
                limits.append({"promise": name, "side": side, "unknown": unknown, "low": low, "high": high, "p": doubt})
            boxes.append(region.trajectory.assign(promise=name, side=side))
        summary.append(row)
    made = {"promises": pd.DataFrame(summary)}
    if boxes:
        made |= {"regions": pd.DataFrame(limits), "boxes": pd.concat(boxes, ignore_index=True)}
    return made


def futures(study: Any, euros: np.ndarray, weeks: np.ndarray) -> pd.DataFrame:
    """Every future of the options: its unknowns, and per option extra euros, weeks won and whether it cleared."""
    import pandas as pd

    rows = []
    for k, name in enumerate(OPTIONS):
        case = study.cases[name]
        for i in range(study.done):
            row = {"option": name, "future": i, "cleared": bool(case.cleared[i])}
            rows.append({**row, "euros": euros[i, k], "weeks_won": weeks[i, k], **case.drawn[i]})
    return pd.DataFrame(rows)


def _outcomes(points: Any) -> dict[str, Any]:
    names = ("cleared", "overdue_2029", "mean_wait_2029")
    return {name: None if points is None else points.of(name) for name in names}


def _ends(name: str, estimate: Estimate | None) -> dict[str, float]:
    if estimate is None:
        return dict.fromkeys((name, f"{name}_low", f"{name}_high"), np.nan)
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
