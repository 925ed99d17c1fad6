"""The lists week by week: what the snapshots hold, the animation of them, and the table beside it."""

from __future__ import annotations

import datetime as dt
import json
import re

import numpy as np
import pytest
from test_app_views import opened, page

from flowsim.present.app import studies
from flowsim.present.app.animation import animated
from flowsim.present.app.queues import Queues, groups_of, queues, weekly
from flowsim.present.app.state import House
from flowsim.present.texts import LANGUAGES, text
from flowsim.scenario.compile import compile_scenario
from flowsim.scenario.load import default
from flowsim.scenario.region import load_region
from flowsim.study.replicate import replicate

REGION = load_region("amstelland")


@pytest.fixture(autouse=True)
def few(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """The house of these tests, and few futures."""
    import flowsim.present.app.shell as shell

    monkeypatch.setattr(shell, "house", lambda: house)
    monkeypatch.setenv(studies.FUTURES_SETTING, "6")


@pytest.fixture(scope="module")
def made() -> Queues:
    """Two runs of which the numbers are known: (run, week, group, part) -> a number of its own."""
    people = np.arange(2 * 3 * 2 * 2).reshape(2, 3, 2, 2)
    people[..., 1] = people[..., 0] // 2
    dates = (dt.date(2025, 1, 1), dt.date(2025, 1, 8), dt.date(2025, 1, 15))
    return Queues(("light", "trauma"), dates, people)


def test_the_lists_are_those_of_the_snapshots() -> None:
    network = compile_scenario(default())
    (run,) = replicate(network, 1, studies.SEED, threads=1)
    snapshots = run.outcome["snapshots"]
    found = queues(network, [weekly(network, snapshots, REGION)], REGION)
    columns = [network.station_names.index(programme.name) for programme in REGION.programmes]
    assert found.people.shape == (1, len(found.dates), len(groups_of(REGION)), 2)
    for week in (0, 100, len(found.dates) - 1):
        for i, part in enumerate(("waiting", "overdue")):
            assert found.people[0, week, :, i].sum() == snapshots[part][week, columns].sum()
    basic = [network.station_names.index(name) for name in ("basic_ingeest", "basic_independent")]
    assert found.people[0, 50, 0, 0] == snapshots["waiting"][50, basic].sum()
    assert found.dates[0] == REGION.start
    assert abs(found.dates[-1] - dt.date(2030, 1, 1)) <= dt.timedelta(days=3)


def test_means_intervals_and_weeks(made: Queues) -> None:
    one = made.at(1, 0, 0)
    assert one.value == made.people[:, 1, 0, 0].mean() == made.mean[1, 0, 0]
    assert one.low < one.value < one.high
    assert made.at(1, None, 0).value == made.people[:, 1, :, 0].sum(axis=1).mean()
    years = Queues(made.groups, tuple(dt.date(2025, 12, 10) + dt.timedelta(days=7 * j) for j in range(5)), made.people)
    assert years.dates[years.end_of(2025)] == dt.date(2025, 12, 31)
    assert (years.end_of(2024), years.end_of(2026)) == (0, 4)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_animation_has_a_frame_a_week_and_words(made: Queues, lang: str) -> None:
    figure = json.loads(animated(made, made, 1, lang).to_json())
    assert len(figure["frames"]) == len(figure["layout"]["sliders"][0]["steps"]) == 3
    labels = [button["label"] for button in figure["layout"]["updatemenus"][0]["buttons"]]
    for label, key in zip(labels, ("play", "pause"), strict=True):
        assert text(lang, f"app.queues.{key}") in label
    slider = figure["layout"]["sliders"][0]
    assert slider["active"] == 1
    assert slider["currentvalue"]["prefix"].strip() == text(lang, "app.queues.week")
    assert [step["args"][0][0] for step in slider["steps"]] == [frame["name"] for frame in figure["frames"]]
    for week, drawn in ((1, figure["data"]), (2, figure["frames"][2]["data"])):
        within, late, beside = (values(one["x"]) for one in drawn)
        assert np.allclose(within + late, made.mean[week, :, 0])
        assert np.allclose(late, made.mean[week, :, 1])
        assert np.allclose(beside, made.mean[week, :, 0])
    assert max(figure["layout"]["xaxis"]["range"]) >= made.mean[:, :, 0].max()


def values(x: object) -> np.ndarray:
    """Numbers of a Plotly trace, which may be packed."""
    if isinstance(x, dict):
        import base64

        return np.frombuffer(base64.b64decode(x["bdata"]), x["dtype"])
    return np.asarray(x, float)


def test_the_page_shows_the_lists_with_and_without_the_network() -> None:
    app = opened("route")
    assert text("nl", "app.queues.heading") in page(app)
    assert text("nl", "app.queues.beside") in page(app)
    charts = app.get("plotly_chart")
    assert len(charts) == 3  # the route twice, for a wide and a narrow page
    before = charts[2].proto.spec
    stops = app.select_slider(key="queues-begin-nl").options
    assert len(stops) == 60
    app.select_slider(key="queues-begin-nl").set_value(dt.date(2027, 6, 2)).run()
    assert not app.exception
    assert app.get("plotly_chart")[2].proto.spec != before
    app.radio(key="route-case-nl").set_value("none").run()
    assert not app.exception
    assert text("nl", "app.queues.beside") not in page(app)
    assert not re.search(r"\binf\b", page(app))  # one run has no interval
