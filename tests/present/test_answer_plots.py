"""The plots: something is drawn, it is what the tables say, and the words are those of the language."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import FillBetweenPolyCollection
from matplotlib.figure import Figure
from matplotlib.text import Annotation, Text
from present_tables import Made

from flowsim.analysis import verdict
from flowsim.present.plots import COLOURS, STYLE, plots, put_title, save_plots
from flowsim.present.texts import LANGUAGES, text
from flowsim.present.wording import unknown_name

NAMES = {"waiting", "unknowns", "diversion"}


def words(figure: Figure) -> str:
    """All text in a figure."""
    figure.draw_without_rendering()
    found = figure.findobj(lambda artist: hasattr(artist, "get_text"))
    return "\n".join(artist.get_text() for artist in found)  # type: ignore[attr-defined]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_every_plot_bears_the_words_of_its_language(made: Made, lang: str) -> None:
    figures = plots(*made, lang)
    assert figures.keys() == NAMES
    other = "en" if lang == "nl" else "nl"
    for name, plot in (("waiting", "fan"), ("unknowns", "unknowns"), ("diversion", "curve")):
        said = " ".join(words(figures[name]).split())
        assert text(lang, f"answer.plot.{plot}.title", year=2029) in said
        assert text(other, f"answer.plot.{plot}.title", year=2029) not in said
    for case in made[0].cases:
        assert text(lang, f"answer.case.{case}") in words(figures["waiting"])


def test_waiting_is_a_fan_of_the_tables_own_quantiles(made: Made) -> None:
    answer, tables = made
    figure = plots(answer, tables, "en")["waiting"]
    assert len(figure.axes) == 2 * len(answer.cases)
    for number, axes in enumerate(figure.axes):
        case = list(answer.cases)[number % len(answer.cases)]
        measure = ("waiting", "overdue")[number // len(answer.cases)]
        fan = tables["fan"]
        rows = fan[(fan["case"] == case) & (fan["measure"] == measure)]
        median = axes.lines[0]
        assert median.get_color() == COLOURS[case]
        assert np.asarray(median.get_ydata()).tolist() == rows["q50"].tolist()
        outer, inner = (one for one in axes.collections if isinstance(one, FillBetweenPolyCollection))
        for band, low, high in ((outer, "q05", "q95"), (inner, "q25", "q75")):
            heights = band.get_paths()[0].vertices[:, 1]
            assert heights.min() == rows[low].min()
            assert heights.max() == rows[high].max()
    tops = [axes.get_ylim() for axes in figure.axes]
    assert len(set(tops[: len(answer.cases)])) == 1  # a shared scale in each row
    assert len(set(tops[len(answer.cases) :])) == 1


def test_the_threshold_of_cleared_is_drawn_where_it_is(made: Made) -> None:
    answer, tables = made
    fan = tables["fan"]
    first = fan[(fan["case"] == "none") & (fan["measure"] == "overdue") & (fan["day"] == 0.0)]["q50"].iloc[0]
    overdue = plots(answer, tables, "en")["waiting"].axes[len(answer.cases)]
    flat = [line for line in overdue.lines if len(set(np.asarray(line.get_ydata()).tolist())) == 1]
    assert [float(np.asarray(line.get_ydata())[0]) for line in flat] == [pytest.approx(0.05 * first)]


def test_years_stand_on_the_time_axis(made: Made) -> None:
    figure = plots(*made, "nl")["waiting"]
    said = words(figure)
    assert all(str(year) in said for year in range(2025, 2030))


def test_the_curve_has_a_point_and_an_interval_for_every_share(made: Made) -> None:
    answer, tables = made
    (axes,) = plots(answer, tables, "en")["diversion"].axes
    (bars,) = axes.containers
    points, _, (intervals,) = bars  # type: ignore[misc]
    assert np.asarray(points.get_ydata()).tolist() == [one.value for _, one in answer.curve]
    ends = [sorted(segment[:, 1].tolist()) for segment in intervals.get_segments()]
    assert np.allclose(ends, [(one.low, one.high) for _, one in answer.curve])
    assert "the plan: 10%" in words(axes.figure)  # type: ignore[arg-type]


def test_the_ranking_is_ordered_and_grey_where_nothing_is_shown(made: Made) -> None:
    answer, tables = made
    figure = plots(answer, tables, "nl")["unknowns"]
    shown = list(dict.fromkeys((verdict.verdicts(answer)["leading"], verdict.verdicts(answer)["undecided"])))
    assert len(figure.axes) == len(shown)
    axes = figure.axes[0]
    table = tables["unknowns"]
    rows = table[table["case"] == "net"]
    widths = [patch.get_width() for patch in axes.patches]  # type: ignore[attr-defined]
    assert np.allclose(widths, rows["correlation"])
    assert np.all(np.diff(np.abs(widths)) <= 1e-12)
    unclear = [
        verdict.strength(*one) == "unclear"
        for one in zip(rows["correlation"], rows["correlation_low"], rows["correlation_high"], strict=True)
    ]
    greys = [len(set(patch.get_facecolor()[:3])) == 1 for patch in axes.patches]
    assert greys == unclear
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels == [unknown_name("nl", key) for key in rows["unknown"]]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_no_words_lie_over_each_other(made: Made, lang: str) -> None:
    """The boxes of titles and notes (without their leader lines) do not overlap, and lie within the picture."""
    for name, figure in plots(*made, lang).items():
        figure.draw_without_rendering()
        texts = [one for axes in figure.axes for one in axes.texts if isinstance(one, Annotation)]
        texts += [axes.title for axes in figure.axes] + [axes._left_title for axes in figure.axes]  # type: ignore
        boxes = [(one.get_text(), Text.get_window_extent(one)) for one in texts if one.get_text()]
        for i, (first, a) in enumerate(boxes):
            assert a.x0 >= -1, (name, first)
            assert a.x1 <= figure.bbox.width + 1, (name, first)
            for second, b in boxes[i + 1 :]:
                assert not a.padded(-1).overlaps(b.padded(-1)), (name, first, second)


@pytest.mark.parametrize("lang", LANGUAGES)
def test_nothing_touches_the_edge_of_a_saved_picture(made: Made, lang: str, tmp_path: Path) -> None:
    """Letters are a little wider at the resolution of a file than where the picture was laid out."""
    from matplotlib.image import imread

    answer, tables = made
    for path in save_plots(tmp_path, answer, tables, lang):
        if path.suffix == ".png":
            picture = imread(path)[..., :3]
            for edge in (picture[:3], picture[-3:], picture[:, :3], picture[:, -3:]):
                assert (edge == 1.0).all(), path.name


@pytest.mark.parametrize("inches", [4.0, 7.0, 11.0, 16.0])
def test_a_long_title_is_broken_where_the_picture_ends(inches: float) -> None:
    """Wide letters and narrow ones: measured, not counted."""
    import matplotlib
    from matplotlib.figure import Figure

    words = "WWWW MMMM Wachttijden GGZ " * 8 + "il ij ill li " * 12
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(inches, 4.0))
        put_title(figure, words)
        figure.draw_without_rendering()
    title = figure._suptitle  # type: ignore[attr-defined]
    box = title.get_window_extent()
    assert box.x1 <= figure.bbox.width
    assert box.x1 > 0.7 * figure.bbox.width
    assert title.get_text().split() == words.split()


def test_saved_plots_are_whole_and_the_same_again(made: Made, tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    files = save_plots(tmp_path / "a", *made, "nl")
    assert {file.name for file in files} == {f"{name}.{kind}" for name in NAMES for kind in ("png", "svg")}
    for again in save_plots(tmp_path / "b", *made, "nl", kinds=("svg",)):
        assert again.read_bytes() == (tmp_path / "a" / again.name).read_bytes()
    for file in files:
        if file.suffix == ".svg":
            assert len(list(ElementTree.parse(file).iter())) > 100
        else:
            assert file.read_bytes()[:4] == b"\x89PNG"


def test_matplotlib_is_left_as_it_was(made: Made) -> None:
    import matplotlib

    before = dict(matplotlib.rcParams)
    plots(*made, "nl")
    assert dict(matplotlib.rcParams) == before
