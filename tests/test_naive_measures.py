"""What flowsim reads off a simulated future, against `naive_measures`, which reads the same off it in plain Python.

One future of the whole of Amstelland for every case of `flowsim.answer` and for other settings. Both read the same
simulated numbers, so they must agree to rounding, and there are no false alarms. That the simulated numbers are right
is for the comparisons in distribution (`test_naive_amstelland`).
"""

from __future__ import annotations

from typing import Any

import naive_measures
import numpy as np
import pytest
from naive_agreement import named

from flowsim.analysis import measures
from flowsim.analysis.clearing import VOLUMES
from flowsim.analysis.outcomes import Output
from flowsim.engines import compiled
from flowsim.plan.years import YEARS
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.load import default
from flowsim.study.futures import Case

CASES: dict[str, dict[str, Any]] = {
    "none": {"network": "none"},
    "headcount": {"reading": "headcount"},
    "capacity": {"reading": "capacity"},
    "net": {"reading": "net"},
    "diversion": {"network": "diversion"},
    "expected": {"reading": "headcount", "wait_counts": "expected"},
}


@pytest.mark.parametrize("name", list(CASES))
def test_what_is_read_off_a_future(name: str) -> None:
    scenario = default().with_settings(name, **CASES[name])
    if name == "diversion":  # so much, and so little asked, that the lists are cleared
        scenario = scenario.with_figure("functions.diversion", 0.6, "a test")
        scenario = scenario.with_figure("assumptions.cleared_share", 0.4, "a test")
    case, network = Case(name, scenario), compile_scenario(scenario)
    outcome = compiled.simulate_once(network, 5, 0)[0]
    future = case.reduce(outcome, network)
    found, document = named(network, outcome), dict(network.document)
    new = [one.code for one in case.region.municipalities if one.support_point_opens is not None]

    expected = name == "expected"
    value = scenario.book.value
    each, smi = value("impact.hours_per_client"), value("demand.smi")
    hours = each * smi, each * (value("demand.clients") - smi)
    plain = naive_measures.by_year(document, found, new, hours, expected)
    volumes = future.volumes.reshape(len(YEARS), 12, len(VOLUMES)).sum(axis=1)
    given = measures.by_year(future) | dict(zip(VOLUMES, volumes.T, strict=True))
    assert plain.keys() == given.keys() == measures.BY_YEAR.keys()
    for what, values in plain.items():
        assert given[what] == pytest.approx(values, rel=1e-6), what

    of_queues, programmes = measures.by_queue(future), naive_measures.listed(document)
    for (what, programme, m), number in naive_measures.by_queue(document, found, hours, expected).items():
        seen = of_queues[what][m, programmes.index(programme)]
        assert seen == pytest.approx(number, rel=1e-6, nan_ok=True), (what, programme, m)
    yearly = measures.by_queue(future, 12)
    for what in ("waiting", "overdue", "starts", "reneged", "completions", "treatment_hours"):
        assert yearly[what].sum(axis=1) == pytest.approx(given[what])
    months = measures.by_month(future, case.reduce.month_ends)
    for what in ("expected_wait", "utilisation"):
        assert months[what].shape == (60,)
    assert months["expected_wait"][11::12] == pytest.approx(given["expected_wait"])

    lists = naive_measures.listed(document)
    assert future.waiting.tolist() == naive_measures.weekly(document, found, "waiting", lists)[: round(1826 / 7) + 1]
    share, weeks = (scenario.book.value(f"assumptions.cleared_{one}") for one in ("share", "weeks"))
    day = naive_measures.cleared(document, found, share, round(weeks), expected)
    assert future.cleared == day
    assert np.isfinite(day) or name != "diversion"

    kept = (outcome[one][None] for one in ("cells", "snapshots", "periods", "waits", "held"))
    output = Output(network, 5, "compiled", *kept, appointments=np.zeros(1))
    by_month = naive_measures.by_month(document, found)
    table = output.wait_quantiles(0.9)
    assert len(table) == len(document["periods"]) - 1
    for m, wait in zip(table["period"], table["wait"], strict=True):
        assert wait == pytest.approx(by_month[f"ggz wait_90 in period {m}"])
    periods = output.periods[output.periods["station"].isin(lists)]
    waits = (periods["mean_wait"].fillna(0.0) * periods["starts"]).groupby(periods["period"]).sum()
    starts = periods.groupby("period")["starts"].sum()
    for m, wait in (waits / starts).items():
        assert wait == pytest.approx(by_month[f"ggz mean_wait in period {m}"])
    used = naive_measures.used(document, found)
    for station, share in zip(output.station_totals()["station"], output.station_totals()["utilisation"], strict=True):
        assert share == pytest.approx(used.get(f"{station} utilisation", float("nan")), nan_ok=True), station
