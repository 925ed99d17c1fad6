"""The queues in motion: every picture shows who is there, an icon stands for as many residents as the title says."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
import pytest

import flowsim
from flowsim.analysis.outcomes import Output
from flowsim.errors import InputError
from flowsim.model.network import Network
from flowsim.present.animation import animation, as_page

START = dt.date(2025, 1, 1)
SNAPSHOTS = 28.0
DOCUMENT: dict[str, Any] = {
    "horizon": 280.0,
    "snapshot_every": SNAPSHOTS,
    "classes": ["town/light/other", "town/complex/other"],
    "stations": [
        {"name": "gp", "servers": 2, "service": {"distribution": "exponential", "mean": 14.0}},
        {"name": "between_episodes", "servers": "inf", "service": {"distribution": "exponential", "mean": 60.0}},
        {"name": "clinic", "servers": 6, "service": {"distribution": "exponential", "mean": 50.0}},
    ],
    "arrivals": [
        {"class": "town/light/other", "station": "gp", "rate": 0.1},
        {"class": "town/complex/other", "station": "gp", "rate": 0.1},
    ],
    "routes": [
        {"from": "gp", "to": {"clinic": 0.8, "exit": 0.2}},
        {"from": "clinic", "to": {"between_episodes": 0.5, "exit": 0.5}},
        {"from": "between_episodes", "to": {"gp": 1.0}},
    ],
}


@pytest.fixture(scope="module")
def output() -> Output:
    return flowsim.simulate(Network.from_dict(DOCUMENT), replications=1, seed=2, log=True)


def icons(frame: Any) -> int:
    return sum(
        sum(1 for x in trace.x if x is not None and np.isfinite(x)) for trace in frame.data if trace.x is not None
    )


def test_with_an_icon_per_resident_every_picture_shows_all_who_are_there(output: Output) -> None:
    assert output.logs is not None
    figure = animation(output.logs[0], output.network, START, "en", per_icon=1)
    waiting = output.waiting[output.waiting["station"] != "between_episodes"]
    there = waiting.groupby("time")[["waiting", "in_service"]].sum().sum(axis=1)
    assert len(figure.frames) >= 10
    for k, frame in enumerate(figure.frames[:10]):
        assert icons(frame) == there[k * SNAPSHOTS], k
    assert there.max() > 20
    assert "one resident" in figure.layout.title.text
    assert [step.label for step in figure.layout.sliders[0].steps][:2] == ["January 2025", "January 2025"]


def test_an_icon_stands_for_as_many_residents_as_the_title_says(output: Output) -> None:
    assert output.logs is not None
    figure = animation(output.logs[0], output.network, START, "nl", per_icon=5)
    assert "5 inwoners" in figure.layout.title.text
    waiting = output.waiting[output.waiting["station"] != "between_episodes"]
    there = waiting.groupby("time")[["waiting", "in_service"]].sum().sum(axis=1).to_numpy()
    shown = np.array([icons(frame) for frame in figure.frames[:10]])
    assert np.abs(5 * shown.sum() / there[:10].sum() - 1.0) < 0.3
    assert {trace.name for trace in figure.data} >= {"licht", "complex"}


def test_the_page_needs_nothing_from_elsewhere(output: Output) -> None:
    assert output.logs is not None
    page = as_page(animation(output.logs[0], output.network, START, "nl"), "nl")
    assert page.startswith('<html lang="nl">')
    opened = re.findall(r"<script[^>]*>", page)
    assert opened
    assert not [one for one in opened if " src" in one]
    markup = re.sub(r"(?s)<script[^>]*>.*?</script>", "", page)
    assert not re.search(r"<link|src=|@import|url\(", markup)
    assert len(page) > 3_000_000  # plotly.js is in it


def test_unusable_arguments_are_refused(output: Output) -> None:
    assert output.logs is not None
    log = output.logs[0]
    for wrong in ({"per_icon": 0}, {"per_icon": True}, {"every": 0.0}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            animation(log, output.network, START, **wrong)  # type: ignore[arg-type]
    with pytest.raises(InputError, match="nobody"):
        animation(log[:0], output.network, START)


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("log", None), ("log", []), ("log", np.zeros(3)), ("network", None), ("network", DOCUMENT), ("start", None),
     ("start", "2025-01-01"), ("region", "amstelland"), ("every", "28"), ("every", None)],
)  # fmt: skip
def test_arguments_of_a_wrong_kind_are_refused(output: Output, name: str, wrong: Any) -> None:
    assert output.logs is not None
    given: dict[str, Any] = {"log": output.logs[0], "network": output.network, "start": START, "lang": "en"}
    with pytest.raises(InputError, match=f"^{name}: found"):
        animation(**(given | {name: wrong}))


def test_a_moment_will_do_for_a_date(output: Output) -> None:
    assert output.logs is not None
    moment = dt.datetime(2025, 1, 1, 12, 30)
    figures = [animation(output.logs[0], output.network, start, "en", every=140.0) for start in (START, moment)]
    assert figures[0].to_json() == figures[1].to_json()
