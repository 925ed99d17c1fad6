"""``flowsim sensitivity``: what does the answer hang on, and which number should the region measure first?"""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowsim.cli import DONE, INTERRUPTED
from flowsim.cli.options import From, FutureSeed, Json, Lang, Out, ScenarioFile, Threads, whole

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.sensitivity import Sensitivity


def sensitivity(
    context: typer.Context,
    scenario: ScenarioFile = None,
    extend: Annotated[
        Path | None,
        typer.Option("--extend", metavar="SCENARIO", help="What extending means.", show_default="more places"),
    ] = None,
    week: Annotated[
        float | None,
        typer.Option("--week", help="Euros that a week of waiting is worth.", show_default="the region's assumption"),
    ] = None,
    savings: Annotated[
        bool, typer.Option("--savings", help="Count freed treatment as money too, as the plan does.")
    ] = False,
    budget: Annotated[
        int, typer.Option("--budget", parser=whole, metavar="N", help="Simulated futures, all parts together.")
    ] = 2400,
    seed: FutureSeed = 1,
    threads: Threads = None,
    out: Out = None,
    repeat: From = None,
    lang: Lang = "nl",
    json: Json = False,
) -> int:
    """Which number should the region measure first? Value of information, Sobol indices, where promises fail."""
    from flowsim.cli.folders import room
    from flowsim.present.console import print_json, say
    from flowsim.present.texts import format_number, text, texts

    texts(lang)
    asked: dict[str, Any] = {
        "scenario": scenario,
        "extension": extend,
        "budget": budget,
        "week": week,
        "savings": savings,
        "seed": seed,
    }
    if repeat is not None:
        from flowsim.cli.repeats import arguments
        from flowsim.study import again

        asked = dict(arguments(context, repeat, again.sensitivity, lang))
    asked["threads"] = threads
    with room(out):
        found, seconds = _simulated(asked, lang, silent=json)
        if found is None:
            say(text(lang, "sensitivity.run.nothing_done"))
            return INTERRUPTED
        tables = found.tables
        if out is not None:
            _write(out, found, tables, seconds, lang)
    if json:
        from flowsim.present.sensitivity import sensitivity_json

        written = {"seconds": round(seconds, 1), "manifest": str(out / "manifest.json") if out else None}
        print_json(sensitivity_json(found, tables, written))
    else:
        from flowsim.present.answer import print_blocks
        from flowsim.present.sensitivity import sensitivity_blocks

        print_blocks(sensitivity_blocks(found, tables, lang))
        runs = {
            "options": found.done,
            "morris": 0 if found.morris is None else len(found.morris[1].values),
            "sobol": 0 if found.sobol is None else len(found.sobol[1].values),
        }
        values = {**runs, "seed": found.seed, "seconds": format_number(lang, seconds)}
        print("\n" + text(lang, "sensitivity.run.precision", **values))
        if out is not None and not found.interrupted:
            print(text(lang, "sensitivity.run.written", place=out))
    if found.interrupted:
        say(text(lang, "sensitivity.run.interrupted" + ("_only" if out is None else ""), place=out))
    return INTERRUPTED if found.interrupted else DONE


def _simulated(asked: Mapping[str, Any], lang: str, silent: bool) -> tuple[Sensitivity | None, float]:
    """The study (None: interrupted before enough was finished), and the seconds it took."""
    from flowsim.present.console import announce_compiling
    from flowsim.present.sensitivity import Progress
    from flowsim.study.sensitivity import sensitivity as study

    announce_compiling(lang, silent)
    began = time.monotonic()
    try:
        with Progress(lang, silent) as progress:
            return study(**asked, progress=progress), time.monotonic() - began
    except KeyboardInterrupt:
        return None, time.monotonic() - began


def _write(out: Path, found: Sensitivity, tables: Mapping[str, pd.DataFrame], seconds: float, lang: str) -> None:
    from flowsim.present.plots import save_figures
    from flowsim.present.sensitivity_plot import sensitivity_plots
    from flowsim.study import store
    from flowsim.study.sensitivity import manifest

    command = ["flowsim", *sys.argv[1:]] if Path(sys.argv[0]).stem == "flowsim" else None
    with store.all_or_nothing(out) as work:
        store.write_tables(work, tables, "sensitivity")
        save_figures(work, sensitivity_plots(found, tables, lang))
        store.write_json(work / "manifest.json", manifest(found, seconds, command))
