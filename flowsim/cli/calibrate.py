"""``flowsim calibrate``: what is known of the unknowns, once the published numbers have been weighed in."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowsim.cli import DONE, INTERRUPTED
from flowsim.cli.options import Json, Lang, ScenarioFile, Threads, whole
from flowsim.cli.studies import command, nothing_done

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.posterior import Calibrated


def calibrate(
    scenario: ScenarioFile = None,
    points: Annotated[int, typer.Option("--points", parser=whole, metavar="N", help="Years to simulate.")] = 8192,
    seed: Annotated[int, typer.Option("--seed", parser=whole, metavar="N", help="Same seed, same points.")] = 1,
    threads: Threads = None,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Folder for the posterior, tables, plots, manifest.")
    ] = Path("results/calibrate"),
    lang: Lang = "nl",
    json: Json = False,
) -> int:
    """The unknowns, weighed by published numbers: before and after, fit, and what cannot be told apart."""
    from flowsim.cli.folders import room
    from flowsim.present.calibrate import as_json, blocks
    from flowsim.present.console import print_json, say
    from flowsim.present.texts import format_number, text, texts
    from flowsim.study.posterior import checked
    from flowsim.study.together import given_scenario

    texts(lang)
    loaded = given_scenario(scenario)
    checked(points, seed, threads)
    with room(out):
        found, seconds = _simulated(loaded, points, seed, threads, lang, silent=json)
        if found is None:
            return nothing_done("calibrate", lang)
        tables = found.tables
        _write(out, found, tables, seconds, command(), lang)
    if json:
        print_json(as_json(found, tables, {"seconds": round(seconds, 1), "manifest": str(out / "posterior.json")}))
    else:
        from flowsim.present.answer import print_blocks

        print_blocks(blocks(found, tables, lang))
        values = {"seed": seed, "seconds": format_number(lang, seconds), "place": out}
        print("\n" + text(lang, "calibrate.run.written", **values))
    if found.interrupted:
        say(text(lang, "calibrate.run.interrupted", place=out))
        return INTERRUPTED
    return DONE


def _simulated(
    scenario: Any, points: int, seed: int, threads: int | None, lang: str, silent: bool
) -> tuple[Calibrated | None, float]:
    """What was found (None: interrupted before enough was finished), and the seconds it took."""
    from flowsim.present.calibrate import CalibrationProgress
    from flowsim.present.console import announce_compiling
    from flowsim.study.posterior import calibrated

    began = time.monotonic()
    try:
        with CalibrationProgress(lang, silent) as progress:
            announce_compiling(lang, silent)
            return calibrated(scenario, points, seed, threads, progress), time.monotonic() - began
    except KeyboardInterrupt:
        return None, time.monotonic() - began


def _write(
    out: Path, found: Calibrated, tables: dict[str, pd.DataFrame], seconds: float, command: Any, lang: str
) -> None:
    from flowsim.present.calibrate_plots import plots
    from flowsim.present.plots import save_figures
    from flowsim.study import posterior, store

    with store.all_or_nothing(out) as work:
        store.write_tables(work, tables, "calibrate")
        save_figures(work, plots(found, tables, lang))
        posterior.write(work, found, seconds, command)
