"""Fewer futures for the same interval: many futures at once, the twin as a control, Sobol points in turn."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from flowsim.analysis.clearing import SCORES, Definition, clearing_day, fluid_scores
from flowsim.engines import compiled
from flowsim.engines.fluid import fluid
from flowsim.errors import InputError
from flowsim.model.network import Network
from flowsim.scenario import posterior, unknowns
from flowsim.scenario.baseline import Values, calibrate
from flowsim.scenario.load import Scenario, default
from flowsim.scenario.region import load_region
from flowsim.study import control, futures
from flowsim.study.answer import answer, manifest
from flowsim.study.control import Control
from flowsim.study.futures import BLOCK, Balances, Case
from flowsim.study.repeat import from_manifest

PRIOR = default().with_settings("prior", unknowns="prior")
DEFINITION = Definition(share=0.05, weeks=26, deadline=1826.0)


def test_a_balance_is_the_same_by_itself_and_among_others() -> None:
    region = load_region("amstelland")
    drawn = [unknowns.values(PRIOR, unknowns.quantiles(9, i)) for i in range(70)]
    together = calibrate(Values(PRIOR, {key: np.array([one[key] for one in drawn]) for key in drawn[0]}), region)
    for i in (0, 1, 63, 69):
        assert together.at(i) == calibrate(Values(PRIOR, drawn[i]), region)


@pytest.mark.parametrize("scenario", [PRIOR, default().with_settings("x", network="diversion", stop_policy=False)])
def test_a_future_s_network_is_the_same_by_itself_and_in_its_block(scenario: Scenario) -> None:
    case, balances = Case("x", scenario), Balances(4)
    for i in (BLOCK + 3, 5):  # not in order
        alone = case.template.network(case.values(i, 4))
        built = case.network(i, 4, balances)
        for one in dataclasses.fields(Network):
            a, b = getattr(alone, one.name), getattr(built, one.name)
            assert not isinstance(a, np.ndarray) or a.tobytes() == b.tobytes(), one.name


def test_a_future_has_room_as_its_pattern_until_more_than_numbers_differ() -> None:
    """With a pattern and without one a replication is the same; a network made from it with another horizon, or with
    other routes, has none."""
    case = Case("x", default())
    network = case.network(5, 4, Balances(4))
    assert network.alike is case.template.network_at_mode
    alone = dataclasses.replace(network, pattern=None)
    assert alone.alike is alone
    both = [compiled.simulate_once(one, 4, 5, log=True) for one in (network, alone)]
    assert both[0][1] is not None
    assert both[1][1] is not None
    assert both[0][1].tobytes() == both[1][1].tobytes()
    assert all(both[0][0][name].tobytes() == both[1][0][name].tobytes() for name in both[0][0])
    shorter = dataclasses.replace(network, horizon=400.0, periods=network.periods[:13])
    assert shorter.alike is shorter
    assert dataclasses.replace(network, waiting_norm=7.0).alike is not case.template.network_at_mode
    assert dataclasses.replace(network, rows=network.rows.copy()).alike is not case.template.network_at_mode
    assert dataclasses.replace(network, values=network.values[:-1]).alike is not case.template.network_at_mode


def scores_of(case: Case, network: Network) -> np.ndarray:
    found, lists = fluid(network, control.STEP), case.reduce.ggz
    total = [x[:, :, lists].sum(axis=2) for x in (found.waiting, found.overdue)]
    return fluid_scores(found.times, *total, case.definition)[0]


@pytest.mark.parametrize("draws", ["independent", "sobol"])
@pytest.mark.parametrize("unknown", ["posterior", "prior"])
def test_the_twin_scores_each_future_by_its_own_network(draws: str, unknown: str) -> None:
    case = Case("headcount", default().with_settings("h", reading="headcount", unknowns=unknown), draws=draws)
    balances, numbers = Balances(2), [BLOCK, 0, 2]  # not in order, of two blocks
    for i, scores in zip(numbers, Control(case, 2, balances).of(numbers), strict=True):
        assert np.allclose(scores, scores_of(case, case.network(i, 2, balances)))


def test_the_twin_scores_the_population_by_the_prior_in_its_sets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(futures, "SETS", 2)
    monkeypatch.setattr(futures, "POPULATION", 16)
    monkeypatch.setattr(control, "TOGETHER", 12)
    case = Case("headcount", default().with_settings("h", reading="headcount", unknowns="prior"))
    scores = Control(case, 2, Balances(2)).population
    assert scores.shape == (2, 16, SCORES)
    for at in ((0, 0), (0, 13), (1, 15)):
        values = {name: float(x[at]) for name, x in case.population(2)[0].items()}
        assert np.allclose(scores[at], scores_of(case, case.template.network(values)))


def test_a_score_of_zero_or_less_is_cleared_by_the_definition() -> None:
    """Of a falling number of overdue, by weeks, as the definition itself judges it; and further is larger."""
    times = np.arange(0.0, 2009.0, 7.0)
    best = []
    for rate in np.linspace(0.5, 4.0, 30):
        overdue = 200.0 * np.exp(-rate * times / 1826.0)
        score = fluid_scores(times, overdue[None], overdue[None], DEFINITION)[0]
        assert len(score) == SCORES
        assert (score[0] <= 0.0) == (clearing_day(overdue, 7.0, DEFINITION) <= DEFINITION.deadline)
        best.append(score[0])
    assert (np.diff(best) < 0.0).all()


def test_the_twin_tells_futures_apart_and_leaves_the_probability_where_it_is() -> None:
    """The correlation of its first score with the number overdue at the end of 96 futures is far above chance (0.35 has
    p = 0.0005), and the adjusted probability lies within the plain interval at 99.99%."""
    case, balances = Case("headcount", default().with_settings("h", reading="headcount")), Balances(1)
    case.extend(96, 1, balances, 2)
    plain = case.probability(1, 0.9999)
    case.twin = Control(case, 1, balances)
    overdue = [float(future.overdue[260]) for future in case.futures]
    assert np.corrcoef(case.twin.of(range(96))[:, 0], overdue)[0, 1] > 0.6
    adjusted = case.probability(1)
    assert plain.low < adjusted.value < plain.high
    assert (
        adjusted.half_width
        < 0.95 * case.__class__("h", case.scenario, case.futures, [], case.drawn).probability(1).half_width
    )


def test_all_that_is_drawn_is_the_whole_posterior() -> None:
    values, whole = unknowns.population(default(), 1, 4, 64)
    points = posterior.shipped("amstelland")
    assert points is not None
    assert whole
    assert {len(x) for x in values.values()} == {len(points.points)}
    assert list(values) == list(unknowns.values(default(), unknowns.quantiles(1, 0)))
    mine = unknowns.values(default(), unknowns.quantiles(1, 17))
    table = np.stack(list(values.values()), axis=1)
    assert (table == np.array(list(mine.values()))).all(axis=1).any()


def test_by_the_prior_scrambled_sets_stand_for_what_is_drawn() -> None:
    """Means over 4 times 256 Sobol points are those of the triangular distributions, to 1% of the range."""
    values, whole = unknowns.population(PRIOR, 1, 4, 256)
    assert not whole
    for key, made in values.items():
        figure = PRIOR.book.figure(key)
        assert figure.low is not None
        assert figure.high is not None
        assert made.shape == (4, 256)
        mean = (figure.low + figure.at() + figure.high) / 3.0
        assert abs(made.mean() - mean) < 0.01 * (figure.high - figure.low)
        assert figure.low <= made.min() < made.max() <= figure.high


def test_sobol_points_in_turn_are_addressed_and_even() -> None:
    first = [unknowns.quantiles_in_turn(5, i) for i in range(16 * unknowns.SCRAMBLINGS)]
    assert unknowns.quantiles_in_turn(5, 200) == first[200]
    assert unknowns.quantiles_in_turn(5, 3000) == unknowns.quantiles_in_turn(5, 3000)
    assert unknowns.quantiles_in_turn(5, 40) == first[40]  # also after more points were made
    assert unknowns.quantiles_in_turn(6, 40) != first[40]
    for name in first[0]:
        by_set = np.array([one[name] for one in first]).reshape(16, unknowns.SCRAMBLINGS)
        assert (np.sort((by_set * 16).astype(int), axis=0) == np.arange(16)[:, None]).all()  # one in each sixteenth


def test_neighbours_in_the_order_of_the_posterior_resemble_each_other() -> None:
    points = posterior.shipped("amstelland")
    assert points is not None
    assert sorted(points.order.tolist()) == list(range(len(points.points)))
    z = (points.points - points.points.mean(axis=0)) / points.points.std(axis=0)

    def apart(order: np.ndarray) -> float:
        halves = z[order].reshape(64, -1, z.shape[1])
        return float(halves.var(axis=1).mean())

    assert apart(points.order) < 0.8 * apart(np.arange(len(z)))


def test_an_answer_by_sobol_points_repeats_from_its_manifest(tmp_path: object) -> None:
    asked = {"half_width": 0.5, "seed": 7, "curve": False, "most": 2, "draws": "sobol"}
    made = answer(default().with_settings("d", network="diversion"), threads=2, **asked)  # type: ignore[arg-type]
    written = tmp_path / "manifest.json"  # type: ignore[operator]
    written.write_text(json.dumps(manifest(made, 1.0), default=str))
    wanted = from_manifest(written)
    assert wanted.draws == "sobol"
    again = answer(
        wanted.scenario, wanted.half_width, wanted.seed, 1, wanted.curve, most=wanted.most, draws=wanted.draws
    )
    for name, case in made.cases.items():
        assert case.drawn == again.cases[name].drawn
        assert [f.overdue.tobytes() for f in case.futures] == [f.overdue.tobytes() for f in again.cases[name].futures]
    assert made.cases["none"].drawn == made.cases["diversion"].drawn  # common random numbers, as ever
    assert Case("own", wanted.scenario).values(0, 7) != made.cases["none"].drawn[0]


def test_a_way_to_draw_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InputError, match="draws"):
        answer(draws="latin")
