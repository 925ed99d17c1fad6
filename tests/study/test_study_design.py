"""Design points and experiment files: every point of each design checked, every bad file refused in one message."""

from __future__ import annotations

import itertools
import math
import pickle
import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc

from flowsim.errors import InputError
from flowsim.scenario.load import default
from flowsim.scenario.unknowns import triangular
from flowsim.study.design import CHUNK, Design, Factor
from flowsim.study.experiment import load_experiment

SWEEPS = sorted((Path(__file__).parents[2] / "experiments" / "sweeps").glob("*.toml"))
GROWTH = "assumptions.demand_growth"
A = Factor("a", 0.0, (1.0, 2.0, 3.0))
B = Factor("b", 5.0, range=(0.0, 10.0), steps=3)
C = Factor("settings.c", "x", ("x", "y"))
POSTERIOR = Factor("d", 2.0, range=(1.0, 5.0), mode=2.0)


def points(design: Design) -> list[tuple[Any, ...]]:
    return [design.point(number) for number in range(len(design))]


def test_a_grid_is_every_combination_once_the_last_factor_fastest() -> None:
    design = Design("grid", (A, B, C))
    assert points(design) == list(itertools.product((1.0, 2.0, 3.0), (0.0, 5.0, 10.0), ("x", "y")))


def test_a_grid_of_a_posterior_has_equally_likely_parts() -> None:
    design = Design("grid", (Factor("d", 2.0, range=(1.0, 5.0), mode=2.0, steps=4),))
    assert points(design) == [(triangular(1.0, 2.0, 5.0, u),) for u in (0.125, 0.375, 0.625, 0.875)]


def test_one_at_a_time_starts_at_the_base_and_changes_one_level() -> None:
    made = points(Design("one_at_a_time", (A, B, C)))
    base = (0.0, 5.0, "x")
    assert made[0] == base
    assert made[1:] == [
        *((a, 5.0, "x") for a in (1.0, 2.0, 3.0)),
        *((0.0, b, "x") for b in (0.0, 10.0)),  # the middle step is the base
        (0.0, 5.0, "y"),
    ]
    ends = points(Design("one_at_a_time", (POSTERIOR,)))
    assert ends[1:] == [(triangular(1.0, 2.0, 5.0, u),) for u in (0.05, 0.95)]


def test_a_latin_hypercube_has_one_point_in_every_stratum() -> None:
    count = 40
    made = np.array(points(Design("latin_hypercube", (Factor("a", 0.0, range=(2.0, 6.0)), POSTERIOR), count, 3)))
    assert sorted(np.floor((made[:, 0] - 2.0) / 4.0 * count)) == list(range(count))
    low, mode, high = 1.0, 2.0, 5.0
    x = made[:, 1]
    share = np.where(
        x < mode, (x - low) ** 2 / ((high - low) * (mode - low)), 1 - (high - x) ** 2 / ((high - low) * (high - mode))
    )
    assert sorted(np.floor(share * count)) == list(range(count))
    assert points(Design("latin_hypercube", (A, B), 8, 1)) != points(Design("latin_hypercube", (A, B), 8, 2))


def test_a_sobol_sequence_is_that_of_scipy_in_any_order() -> None:
    count, factors = 4 * CHUNK, (Factor("a", 0.0, range=(0.0, 1.0)), Factor("b", 0.0, range=(0.0, 1.0)))
    expected = qmc.Sobol(2, scramble=True, seed=np.random.default_rng(9)).random(count)
    design = Design("sobol", factors, count, 9)
    order = [0, 5, CHUNK - 1, CHUNK, 3 * CHUNK + 7, 2 * CHUNK, 1, count - 1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for number in order:
            assert design.point(number) == tuple(expected[number])
        assert points(Design("sobol", factors, 2, 9)) == [tuple(one) for one in expected[:2]]
    again = pickle.loads(pickle.dumps(design))
    assert again.point(count - 1) == design.point(count - 1)


def test_values_take_equal_parts_of_a_sobol_sequence() -> None:
    made = [point[0] for point in points(Design("sobol", (Factor("a", 0.0, (1.0, 2.0)), A), 64, 1))]
    assert made.count(1.0) == made.count(2.0) == 32


# ---------------------------------------------------------------- files

GOOD: dict[str, Any] = {
    "title": "good",
    "futures": 2,
    "design": {"kind": "grid"},
    "factors": {GROWTH: {"values": [0.0, 0.01]}},
}


def changed(**changes: Any) -> dict[str, Any]:
    made: dict[str, Any] = {**GOOD, **changes}
    return {key: value for key, value in made.items() if value is not None}


def with_factor(path: str, **factor: Any) -> dict[str, Any]:
    return changed(factors={path: factor})


BAD: Mapping[str, tuple[dict[str, Any], str]] = {
    "unknown figure": (with_factor("assumptions.demand_grwth", values=[0.0]), "one of assumptions.demand_growth"),
    "unknown setting": (with_factor("settings.readin", values=["net"]), "one of reading"),
    "unknown reading": (with_factor("settings.reading", values=["gross"]), "'gross'"),
    "a range for a setting": (with_factor("settings.reading", low=0.0, high=1.0, steps=2), "values = "),
    "a range the wrong way round": (with_factor(GROWTH, low=0.02, high=0.01, steps=2), "low below high"),
    "no name of a scenario": (changed(scenario=""), "scenario: found ''; expected a scenario file"),
    "a scenario that is the root": (changed(scenario="/"), "scenario: found '/'; expected a scenario file"),
    "no outcomes": (changed(outcomes=[]), "outcomes: found []; expected at least 1 of them"),
    "half a range": (with_factor(GROWTH, low=0.02, steps=2), "both low and high"),
    "a fraction above 1": (with_factor("assumptions.return_share", values=[0.1, 1.2]), "a fraction, at most 1"),
    "a negative number": (with_factor("assumptions.list_size", low=-5.0, high=9.0, steps=2), "not negative"),
    "text for a figure": (with_factor(GROWTH, values=["much"]), "numbers, for a figure"),
    "not a number": (with_factor(GROWTH, values=[math.nan]), "finite"),
    "a value twice": (with_factor(GROWTH, values=[0.0, 0.0]), "every value once"),
    "no values": (with_factor(GROWTH, values=[]), "at least 1 of them"),
    "nothing about a factor": (with_factor(GROWTH), "one of the three"),
    "two things about a factor": (with_factor(GROWTH, values=[0.0], posterior=True), "one of the three"),
    "a range without steps in a grid": (with_factor(GROWTH, low=0.0, high=0.1), "steps = N"),
    "one value for a figure by year": (with_factor("functions.conversations", values=[600.0]), "multiple = true"),
    "posterior without a range": (with_factor("functions.diversion", posterior=True), "values, or low and high"),
    "a factor without effect": (with_factor("functions.diversion", values=[0.0, 0.2]), "settings.network"),
    "a setting without effect": (with_factor("settings.prices", values=["constant", "indexed"]), "nothing"),
    "a first day that cannot be": (with_factor("public.basic_share", values=[0.3, 0.0]), "fraction between 0 and 1"),
    "empty factors": (changed(factors={}), "at least 1 of them"),
    "no factors": (changed(factors=None), "required"),
    "unknown design": (changed(design={"kind": "plackett"}), "'grid'"),
    "points in a grid": (changed(design={"kind": "grid", "points": 8}), "no points"),
    "a hypercube without points": (changed(design={"kind": "latin_hypercube"}), "points = N"),
    "no power of two": (changed(design={"kind": "sobol", "points": 100}), "power of two"),
    "zero replications": (changed(futures=0), "greater than or equal to 1"),
    "half a replication": (changed(futures=1.5), "a whole number"),
    "neither futures nor precision": (changed(futures=None), "one of the two"),
    "futures and precision": (changed(half_width=0.1), "one of the two"),
    "no precision": (changed(futures=None, half_width=0.0), "greater than 0"),
    "least above most": (changed(futures=None, half_width=0.1, least=99, most=9), "least at most"),
    "unknown outcome": (changed(outcomes=["overdu_2029"]), "overdue_2029"),
    "a year that is not simulated": (changed(outcomes=["overdue_2031"]), "overdue_20"),
    "unknown key": (changed(replicas=3), "unknown key"),
    "negative seed": (changed(seed=-1), "greater than or equal to 0"),
    "no base scenario": (changed(scenario="nowhere"), "does not exist"),
    "too many points": (
        changed(
            factors={GROWTH: {"low": 0.0, "high": 0.1, "steps": 9999}}
            | {
                f"assumptions.{name}": {"low": 0.05, "high": 0.1, "steps": 9999}
                for name in ("return_share", "worsening")
            }
        ),
        "at most",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_experiments_are_refused_in_one_message(name: str) -> None:
    document, part = BAD[name]
    with pytest.raises(InputError) as refused:
        load_experiment(document)
    message = str(refused.value)
    assert message.startswith("experiment")
    assert part in message
    assert "\n" not in message


@pytest.mark.parametrize("path", SWEEPS, ids=lambda path: path.stem)
def test_shipped_experiments_can_be_used(path: Path) -> None:
    experiment = load_experiment(path)
    assert experiment.asks
    for number in (0, len(experiment.design) - 1):
        experiment.at(experiment.design.point(number), "a point")


def test_the_base_may_be_the_folder_of_a_region(tmp_path: Path) -> None:
    """Told from the experiment's own place, as a scenario tells its region."""
    polder = Path(
        shutil.copytree(Path(__file__).resolve().parents[2] / "experiments/regions/polder", tmp_path / "polder")
    )
    file = tmp_path / "sweeps" / "growth.toml"
    file.parent.mkdir()
    file.write_text(
        'title = "growth there"\nscenario = "../polder"\nfutures = 2\ndesign = { kind = "grid" }\n'
        '[factors]\n"assumptions.demand_growth" = { values = [0.0, 0.02] }\n',
        encoding="utf-8",
    )
    experiment = load_experiment(file)
    assert experiment.base.region == str(polder)
    assert experiment.base.book.value("demand.clients") == 2300.0
    (polder / "region.toml").unlink()
    with pytest.raises(
        InputError, match=r"scenario: found '\.\./polder'; expected a scenario file .* or the folder of a"
    ):
        load_experiment(file)


def test_a_point_changes_the_scenario_and_nothing_else() -> None:
    factors = {
        GROWTH: {"values": [0.02, 0.03]},
        "functions.conversations": {"values": [2.0, 3.0], "multiple": True},
        "settings.reading": {"values": ["headcount"]},
    }
    experiment = load_experiment(changed(factors=factors))
    made, base = experiment.at(experiment.design.point(1), "point 1"), default()
    assert made.settings == {**base.settings, "reading": "headcount"}
    assert made.book.value(GROWTH) == 0.02
    assert made.book.value("functions.conversations", 2026) == 3 * base.book.value("functions.conversations", 2026)
    assert {key for key in base.book if made.book[key].values != base.book[key].values} == {
        GROWTH,
        "functions.conversations",
    }
    assert experiment.at((None, None, None), "base").hash == base.hash


def test_a_growth_that_a_parent_fixed_may_still_turn_negative() -> None:
    base = default().with_figure(GROWTH, 0.01, "a parent")
    assert base.with_figure(GROWTH, -0.002, "its child").book.value(GROWTH) == -0.002
    with pytest.raises(InputError, match="not negative"):
        default().with_figure("assumptions.list_size", 700.0, "a parent").with_figure(
            "assumptions.list_size", -1.0, "its child"
        )
