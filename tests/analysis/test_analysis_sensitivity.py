"""Morris and Sobol designs against functions whose indices are known; PRIM against a box that was put there."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from flowsim.analysis import regions, sensitivity
from flowsim.analysis.effects import surface
from flowsim.analysis.regions import find_region
from flowsim.errors import InputError

NAMES = ("a", "b", "c", "d")


def ishigami(u: np.ndarray) -> np.ndarray:
    """T. Ishigami and T. Homma, 1990, with a = 7 and b = 0.1; the fourth input is idle."""
    x = (2.0 * u - 1.0) * np.pi
    return np.asarray(np.sin(x[:, 0]) + 7.0 * np.sin(x[:, 1]) ** 2 + 0.1 * x[:, 2] ** 4 * np.sin(x[:, 0]))


A, B = 7.0, 0.1
SHARED = 8.0 * B**2 * np.pi**8 / 225.0
FIRST = np.array([0.5 * (1.0 + B * np.pi**4 / 5.0) ** 2, A**2 / 8.0, 0.0, 0.0])
TOTAL = np.array([FIRST[0] + SHARED, FIRST[1], SHARED, 0.0])
VARIANCE = FIRST.sum() + SHARED


def test_sobol_indices_of_ishigami_with_chance_as_an_input() -> None:
    design = sensitivity.sobol_design(NAMES, ("a", "b", "c"), 1024, seed=1)
    assert design.inputs == ("a", "b", "c", "others", "chance")
    assert len(design.u) == 1024 * 7
    luck = design.luck / sensitivity.LUCKS - 0.5
    variance = VARIANCE + 16.0 / 12.0
    table = sensitivity.sobol(design, {"y": ishigami(design.u) + 4.0 * luck, "still": np.ones(len(luck))}, seed=1)
    found = table[table["outcome"] == "y"].set_index("input")
    assert found["first"].to_numpy() == pytest.approx([*FIRST / variance, 16.0 / 12.0 / variance], abs=0.05)
    assert found["total"].to_numpy() == pytest.approx([*TOTAL / variance, 16.0 / 12.0 / variance], abs=0.05)
    wanted = np.array([*TOTAL / variance, 16.0 / 12.0 / variance])
    assert (found["total_low"] <= wanted + 0.01).all()
    assert (wanted - 0.01 <= found["total_high"]).all()
    assert table[table["outcome"] == "still"]["first"].isna().all()


def test_points_that_differ_in_an_unknown_share_their_luck() -> None:
    design = sensitivity.sobol_design(NAMES, ("a",), 8, seed=3)
    for block in range(8):
        rows = np.flatnonzero(design.block == block)
        base, swapped, others, chance, last = rows
        assert design.luck[base] == design.luck[swapped] == design.luck[others]
        assert design.luck[chance] == design.luck[last] != design.luck[base]
        assert (design.u[base] == design.u[chance]).all()
        assert list(design.u[base] == design.u[swapped]) == [False, True, True, True]
        assert list(design.u[base] == design.u[others]) == [True, False, False, False]
        assert {base, last} <= set(design.independent)


def test_a_design_that_was_cut_short_still_tells() -> None:
    design = sensitivity.sobol_design(NAMES, NAMES, 64, seed=1)
    y = design.u[:, 0]
    cut = sensitivity.sobol(design, {"y": y[: 48 * design.size + 3]}, seed=1)
    assert set(cut["runs"]) == {48 * design.size}
    assert cut.set_index("input")["total"].to_numpy() == pytest.approx([1.0, 0.0, 0.0, 0.0, 0.0], abs=0.4)
    assert cut.set_index("input")["total"].to_numpy()[1:] == pytest.approx([0.0] * 4)


def test_blocks_must_be_a_power_of_two() -> None:
    with pytest.raises(InputError, match="a power of two"):
        sensitivity.sobol_design(NAMES, NAMES, 100, seed=1)


def test_morris_finds_the_effects_of_a_plane_and_screens() -> None:
    design = sensitivity.morris_design(NAMES, 6, seed=1)
    assert len(design.u) == 30
    assert list(np.bincount(design.trajectory)) == [5] * 6
    y = 3.0 * design.u[:, 0] - 1.0 * design.u[:, 1]
    table = sensitivity.morris(design, {"y": y, "z": design.u[:, 3]}, seed=1)
    found = table[table["outcome"] == "y"].set_index("unknown")
    span = 1.0 - 2.0 * sensitivity.TAIL
    assert found["mu"].to_numpy() == pytest.approx([3.0 * span, -span, 0.0, 0.0])
    assert found["mu_star"].to_numpy() == pytest.approx([3.0 * span, span, 0.0, 0.0])
    assert found["sigma"].to_numpy() == pytest.approx([0.0] * 4, abs=1e-12)
    assert sensitivity.screened(table, ("y",), 2) == ("a", "b")
    assert sensitivity.screened(table, ("y", "z"), 2) == ("a", "d")


def test_a_surface_foretells_the_mean_over_chance_and_its_indices() -> None:
    rng = np.random.default_rng(4)
    u = rng.random((500, 3))
    true = np.sqrt(12.0) * (u[:, 0] - 0.5) + 6.0 * (u[:, 0] - 0.5) * (u[:, 1] - 0.5)  # variances 1 and 36 / 144
    fitted = surface(("a", "b", "c"), u, (true + rng.standard_normal(500))[:, None])
    first, total = (index[:, 0] for index in fitted.indices())
    assert first == pytest.approx([0.8, 0.0, 0.0], abs=0.08)
    assert total == pytest.approx([1.0, 0.2, 0.0], abs=0.08)
    assert fitted.held_out[0] == pytest.approx(1.25 / 2.25, abs=0.08)
    points = rng.random((200, 3))
    wanted = np.sqrt(12.0) * (points[:, 0] - 0.5) + 6.0 * (points[:, 0] - 0.5) * (points[:, 1] - 0.5)
    assert np.corrcoef(fitted.predict(points)[:, 0], wanted)[0, 1] > 0.97


def test_prim_finds_a_planted_box_and_none_where_there_is_none() -> None:
    rng = np.random.default_rng(3)
    x = rng.random((600, 5))
    inside = (x[:, 0] > 0.6) & (x[:, 2] < 0.5)
    found = find_region(list("abcde"), x, rng.random(600) < np.where(inside, 0.95, 0.05))
    assert found is not None
    assert set(found.limits) == {"a", "c"}
    assert found.limits["a"][0] == pytest.approx(0.6, abs=0.06)
    assert found.limits["c"][1] == pytest.approx(0.5, abs=0.06)
    assert found.density.value > 0.8
    assert found.coverage.value > 0.7
    assert found.outside.high < 0.2
    assert int(found.trajectory["chosen"].sum()) == 1
    nothing = find_region(list("abcde"), x, rng.random(600) < 0.3)  # a box on noise does not stand on the other half
    assert nothing is None or nothing.density.low < 0.3 + 0.1
    assert find_region(list("abcde"), x, np.arange(600) < 10) is None


def test_limits_of_a_box_that_are_no_accident() -> None:
    """Moved ends with a small p-value; an end that did not move, or has no p-value or a large one, is no limit."""
    names = ("both", "low", "high", "doubtful", "unmoved", "no p")
    first = pd.DataFrame({name: [0.0, 1.0] for name in names})
    moved = pd.DataFrame(
        {"both": [0.2, 0.8], "low": [0.3, 1.0], "high": [0.0, 0.6], "doubtful": [0.1, 0.9], "unmoved": [0.0, 1.0],
         "no p": [0.4, 0.5]}
    )  # fmt: skip
    doubt = regions.DOUBT
    qp = {"both": (0.0, doubt), "low": (doubt / 2, -1.0), "high": (-1.0, doubt / 3), "doubtful": (1.01 * doubt, 0.5)}
    box = SimpleNamespace(box_lims=[first, moved], qp=[{}, qp])
    found = regions._limits(box, 1, first)
    assert found == {
        "both": (0.2, 0.8, 0.0),
        "low": (0.3, np.inf, doubt / 2),
        "high": (-np.inf, 0.6, doubt / 3),
    }
    points = pd.DataFrame({name: [0.2, 0.25, 0.5, 0.61, 0.8] for name in names})
    assert regions._inside(points, found).tolist() == [False, False, True, False, False]
    assert regions._inside(points, {"both": (0.2, 0.8, 0.0)}).tolist() == [True] * 5


def test_effects_lie_in_the_middle_of_their_intervals() -> None:
    """The bootstrap gives a half-width, taken either way, but not below zero."""
    design = sensitivity.morris_design(NAMES, 12, seed=3)
    table = sensitivity.morris(design, {"y": ishigami(design.u)}, seed=3)
    up, down = table["mu_star_high"] - table["mu_star"], table["mu_star"] - table["mu_star_low"]
    assert (up >= 0.0).all()
    assert up.max() > 0.0
    whole = table["mu_star_low"] > 0.0
    assert up[whole].tolist() == pytest.approx(down[whole].tolist())
