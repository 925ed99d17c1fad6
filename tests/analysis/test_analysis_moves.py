"""Who moves from where to where, in a log by hand; contenders side by side; the plan's own numbers again."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from flowsim.analysis import reproduction
from flowsim.analysis.beside import Contender, contender, side_by_side
from flowsim.analysis.moves import mean_moves, moves
from flowsim.analysis.reproduction import CAPACITY, HEADCOUNT
from flowsim.analysis.statistics import Estimate
from flowsim.model import events as e
from flowsim.model.network import COMPANION_SHIFT, Network
from flowsim.plan.figures import load_figures

GP, DESK, WARD = range(3)


@pytest.fixture(scope="module")
def network() -> Network:
    service = {"distribution": "exponential", "mean": 1.0}
    stations = [{"name": name, "servers": 1, "service": service} for name in ("gp", "desk", "ward")]
    routes = [{"from": "gp", "to": {"desk": 0.5, "ward": 0.5}}]
    arrivals = [{"class": "a", "station": "gp", "rate": 1.0}]
    return Network.from_dict(
        {"horizon": 12.0, "classes": ["a"], "stations": stations, "arrivals": arrivals, "routes": routes}
        | {"periods": [2.0, 4.0, 6.0, 8.0, 10.0]}
    )


def log(*lines: tuple[float, int, int, int]) -> np.ndarray:
    return np.array([(time, who, kind, k, 0, 0) for time, who, kind, k in lines], e.EVENT)


def found(table: pd.DataFrame) -> list[tuple[Any, ...]]:
    return sorted(table.itertuples(index=False, name=None))


def test_moves_in_a_log_by_hand(network: Network) -> None:
    companion = (1 << COMPANION_SHIFT) | 1
    table = moves(
        network,
        log(
            (-1.0, 5, e.WAITING_AT_START, WARD),
            (0.0, 6, e.IN_SERVICE_AT_START, DESK),
            (1.9, 0, e.ARRIVE, GP),  # before the first period
            (2.0, 1, e.ARRIVE, GP),  # at its first moment
            (2.5, 0, e.ARRIVE, DESK),  # resident 0 is a resident like any other
            (3.0, 1, e.ARRIVE, DESK),
            (3.0, 1, e.BALK, DESK),  # full: passed by
            (3.0, 1, e.ARRIVE, WARD),
            (3.5, companion, e.ARRIVE, GP),
            (4.0, 5, e.RENEGE, WARD),
            (4.0, 5, e.ARRIVE, GP),
            (4.5, 6, e.EXIT, DESK),
            (5.0, 1, e.TRANSFER, DESK),
            (6.5, 1, e.EXIT, DESK),
            (7.0, 2, e.ARRIVE, GP),
            (9.9, 3, e.ARRIVE, GP),
            (10.0, 4, e.ARRIVE, GP),  # after the last period
        ),
    )
    assert found(table) == sorted(
        [
            (0, "outside", "gp", "served", 1),
            (0, "gp", "desk", "served", 1),
            (0, "gp", "ward", "served", 1),
            (1, "ward", "gp", "gave_up", 1),
            (1, "desk", "outside", "served", 1),
            (2, "ward", "outside", "served", 1),
            (2, "outside", "gp", "served", 1),
            (3, "outside", "gp", "served", 1),
        ]
    )


def test_periods_taken_together(network: Network) -> None:
    lines = log(*((1.0 + i, i, e.ARRIVE, GP) for i in range(11)))
    assert found(moves(network, lines, 2)) == [(0, "outside", "gp", "served", 4), (1, "outside", "gp", "served", 4)]


def test_a_move_that_a_replication_does_not_have_counts_as_none(network: Network) -> None:
    two = [
        moves(network, log((3.0, 1, e.ARRIVE, GP), (3.5, 2, e.ARRIVE, GP))),
        moves(network, log((3.0, 1, e.ARRIVE, WARD))),
    ]
    assert found(mean_moves(two)) == [(0, "outside", "gp", "served", 1.0), (0, "outside", "ward", "served", 0.5)]


# ---------------------------------------------------------------- side by side


def interval(values: np.ndarray) -> tuple[float, float, float]:
    half = stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean()), float(values.mean() - half), float(values.mean() + half)


def test_contenders_side_by_side() -> None:
    luck = np.random.default_rng(3)
    columns = [f"{measure}_{year}" for measure in ("waiting", "overdue") for year in (2028, 2029)]
    rows = pd.DataFrame(luck.integers(10, 900, (30, 4)), columns=columns)
    rows["case"], rows["future"] = ["none"] * 16 + ["net"] * 14, [*range(16), *range(14)]
    fan = pd.DataFrame({"case": ["none", "net", "net"], "day": [0.0, 0.0, 7.0]})
    tables = {"futures": rows, "fan": fan}
    chance = Estimate(0.5, 0.4, 0.6, 14)
    pair = [contender("Nothing", "none", tables, chance), contender("The plan", "net", tables, chance)]
    assert (len(pair[1].futures), len(pair[1].fan), pair[1].cleared) == (14, 2, chance)
    table = side_by_side(pair, 2028)
    assert table["futures"].tolist() == [16, 14]
    assert table["pairs"].tolist() == [16, 14]
    for measure in ("waiting", "overdue"):
        first, second = (one.futures[f"{measure}_2028"].to_numpy(float) for one in pair)
        for row, values in ((table.iloc[0], first), (table.iloc[1], second)):
            ends = tuple(row[f"{measure}_mean{end}"] for end in ("", "_low", "_high"))
            assert ends == pytest.approx(interval(values))
            assert row[f"{measure}_q05"] == pytest.approx(np.quantile(values, 0.05))
            assert row[f"{measure}_q95"] == pytest.approx(np.quantile(values, 0.95))
        apart = tuple(table.iloc[1][f"{measure}_difference{end}"] for end in ("", "_low", "_high"))
        assert apart == pytest.approx(interval(second - first[:14]))
        assert table.iloc[0][[f"{measure}_difference{end}" for end in ("", "_low", "_high")]].isna().all()
    last = side_by_side([Contender("x", "none", pair[0].futures, pair[0].fan, chance)])
    assert last["overdue_mean"][0] == pytest.approx(pair[0].futures["overdue_2029"].mean())


# ---------------------------------------------------------------- the plan's numbers, simulated


def test_a_number_is_the_same_explained_or_different(monkeypatch: pytest.MonkeyPatch) -> None:
    """The interval, half a printed unit added, holds the plan's number, or else the expected one, or neither."""
    luck = np.random.default_rng(1)
    values = 100.0 + luck.normal(0.0, 2.0, 40)
    level = 1.0 - 0.05 / 6
    half = stats.t.ppf(0.5 + level / 2, 39) * values.std(ddof=1) / np.sqrt(40)
    low, high = values.mean() - half, values.mean() + half

    def row(plan: float, expected: float, cause: str, step: float = 1.0, at_least: bool = False) -> Any:
        return reproduction._Row("conversations", 2027, HEADCOUNT, plan, step, values, expected, cause, at_least)

    cases = [
        (row(low - 0.49, 0.0, "whole_cases"), "same"),
        (row(low - 0.51, high + 0.49, "whole_cases"), "explained"),
        (row(low - 0.51, high + 0.51, "whole_cases"), "differs"),
        (row(high + 0.51, low - 0.49, "whole_cases"), "explained"),
        (row(high + 0.51, low - 0.49, ""), "differs"),
        (row(low - 9.0, 0.0, "", at_least=True), "same"),
    ]
    monkeypatch.setattr(reproduction, "_rows", lambda *_: [one for one, _ in cases])
    table = reproduction.reproduction({HEADCOUNT: None}, {HEADCOUNT: []})  # type: ignore[dict-item]
    assert table["verdict"].tolist() == [verdict for _, verdict in cases]
    assert table["mean_low"].tolist() == pytest.approx([low] * 6)
    assert table["cause"].tolist() == ["", "whole_cases", "whole_cases", "whole_cases", "", ""]


def test_rows_of_the_plans_numbers() -> None:
    """Years, prices and shares of each number that the plan prints, over volumes that are made up."""
    book, luck = load_figures(), np.random.default_rng(2)
    functions = ("consultations", "conversations", "case_conferences", "transfers")
    volumes = {name: luck.integers(50, 90, (7, 5)).astype(float) for name in functions}
    counted = [SimpleNamespace(away=luck.integers(10, 30, (3, 5))) for _ in range(6)]
    futures = [SimpleNamespace(months=luck.integers(10, 30, (60, 5)).astype(float)) for _ in range(7)]
    scenario = SimpleNamespace(book=book, settings={"reading": "headcount", "network": "functions"})
    q: Any = SimpleNamespace(
        book=book, volumes=volumes, without=SimpleNamespace(futures=futures), count=7, entered=np.ones(7),
        settings=scenario.settings, case=SimpleNamespace(scenario=scenario),
        done=lambda y: SimpleNamespace(**{name: values[:, y].astype(float) for name, values in volumes.items()}),
        saved_by_users=lambda y: np.full(7, 100.0 + y), extra_social_domain=lambda y: np.full(7, 200.0 + y),
    )  # fmt: skip
    away = np.array([[one.away[:, y].sum() for y in range(5)] for one in counted])
    lighter = volumes["transfers"][:6] * book.value("functions.transfers_lighter")

    capacity = list(reproduction._rows(CAPACITY, q, counted))
    assert [(row.quantity, row.year, row.plan) for row in capacity] == [
        ("share_of_inflow", 2026, 0.033), ("share_of_inflow", 2027, 0.067), ("share_of_inflow", 2028, 0.1),
    ]  # fmt: skip
    for row in capacity:
        y = row.year - 2025
        starts = [sum(future.months[m][1] for m in range(12 * y, 12 * y + 12)) for future in futures[:6]]
        assert row.simulated == pytest.approx(away[:, y] / starts)

    heads = {(row.quantity, row.year): row for row in reproduction._rows(HEADCOUNT, q, counted)}
    assert len(heads) == 4 + 4 + 3 + 3
    for y, (talks, freed) in enumerate(((50, 58), (215, 213), (436, 435), (650, 650))):
        assert heads["conversations", 2025 + y].plan == talks
        assert (heads["conversations", 2025 + y].simulated == volumes["conversations"][:, y]).all()
        assert heads["freed_clients", 2025 + y].plan == freed
        assert heads["freed_clients", 2025 + y].simulated == pytest.approx(away[:, y] + lighter[:, y])
    share = heads["share_of_clients", 2028]
    assert share.simulated == pytest.approx((away[:, 3] + lighter[:, 3]) / 6491)
    hours = heads["freed_hours", 2028]
    assert (hours.plan, hours.step) == (5200, 8)
    assert hours.simulated == pytest.approx(8 * (away[:, 3] + lighter[:, 3]))
    assert heads["social_domain", 2028].plan == 520
    assert heads["social_domain", 2028].simulated.tolist() == [203.0] * 7
    consults = heads["consults_of_users", 2029]
    assert (consults.plan, consults.at_least) == (2000, True)
    assert consults.simulated.tolist() == [104.0] * 7
    cases = 436 + 650 + 277 + 325  # a year from 2028 on
    assert consults.expected == pytest.approx(10 * (0.15 * cases + 0.2 * 250))
