"""``flowsim sweep``: an experiment, point by point, on threads or a cluster; it goes on where it was."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowsim.cli import DONE, INTERRUPTED
from flowsim.cli.options import Json, Lang, Threads, whole

if TYPE_CHECKING:
    from flowsim.study.experiment import Experiment


def sweep(
    experiment: Annotated[
        Path,
        typer.Argument(
            metavar="EXPERIMENT", help="An experiment file, or a name in experiments/sweeps/.", show_default=False
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="DIR", help="Folder for the results.", show_default="results/sweep/<name of the file>"
        ),
    ] = None,
    threads: Threads = None,
    workers: Annotated[
        int | None,
        typer.Option("--workers", parser=whole, metavar="N", help="Run on N processes here, by Dask."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="Run on a Dask cluster, such as tcp://10.0.0.1:8786."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say how many replications and how long; run nothing but a measurement.")
    ] = False,
    lang: Lang = "en",
    json: Json = False,
) -> int:
    """Run a designed sweep. Stopped at any moment and started again, it goes on where it was."""
    from flowsim.cli.folders import room
    from flowsim.present.console import print_json, say
    from flowsim.present.sweep import SweepProgress, facts, print_forecast, print_points
    from flowsim.present.texts import text, texts
    from flowsim.study.experiment import load_experiment
    from flowsim.study.sweep import check_arguments, forecast
    from flowsim.study.sweep import sweep as run

    texts(lang)
    wanted = load_experiment(experiment)
    check_arguments(threads, workers, scheduler)
    place = Path("results/sweep") / wanted.name if out is None else out
    if dry_run:
        expected = forecast(wanted, place, threads, workers, scheduler)
        if json:
            print_json(facts(wanted, expected))
        else:
            print_forecast(wanted, expected, lang)
        return DONE
    began = time.monotonic()
    _say_compiling(lang, json)
    with room(place, sweep=True):
        try:
            with SweepProgress(lang, wanted.futures is not None, json) as progress:
                table = run(wanted, place, threads, workers, scheduler, progress)
        except KeyboardInterrupt:
            say(_interrupted(wanted, place, lang))
            return INTERRUPTED
    seconds = round(time.monotonic() - began, 1)
    if json:
        print_json(_document(wanted, place, table, seconds))
    else:
        print_points(wanted, table, lang)
        print("\n" + text(lang, "sweep.run.written", place=place))
    return DONE


def _say_compiling(lang: str, silent: bool) -> None:
    from flowsim.present.console import announce_compiling

    announce_compiling(lang, silent)


def _interrupted(wanted: Experiment, place: Path, lang: str) -> str:
    from flowsim.present.texts import text
    from flowsim.study.execute import Blocks
    from flowsim.study.results import finished

    done = finished(place)
    if not done:
        return text(lang, "sweep.run.nothing_done")
    return text(lang, "sweep.run.interrupted", done=done, blocks=len(Blocks(wanted)), place=place)


MOST_ROWS = 1000
"""Rows of the table of points that ``--json`` prints; a larger table is in its file only."""


def _document(wanted: Experiment, place: Path, table: Any, seconds: float) -> dict[str, Any]:
    return {
        "experiment": wanted.name,
        "title": wanted.title,
        "points": len(wanted.design),
        "seed": wanted.seed,
        "seconds": seconds,
        "out": str(place),
        "table": str(place / "points.parquet"),
        "results": table.to_dict("records") if len(table) <= MOST_ROWS else None,
    }
