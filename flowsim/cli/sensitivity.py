"""``flowsim sensitivity``: what does the answer hang on, and which number should the region measure first?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flowsim.cli.folders import room
from flowsim.cli.options import From, FutureSeed, Json, Lang, Out, ScenarioFile, Threads, number, whole
from flowsim.cli.studies import command, ended, nothing_done, print_precision, simulated, write, written


def sensitivity(
    context: typer.Context,
    scenario: ScenarioFile = None,
    extend: Annotated[
        Path | None,
        typer.Option("--extend", metavar="SCENARIO", help="What extending means.", show_default="more places"),
    ] = None,
    week: Annotated[
        float | None,
        typer.Option(
            "--week",
            parser=number,
            metavar="X",
            help="Euros that a week of waiting is worth.",
            show_default="the region's assumption",
        ),
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
    from flowsim.present.texts import texts

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
    from flowsim.present.answer import print_blocks
    from flowsim.present.console import print_json
    from flowsim.present.sensitivity import Progress, sensitivity_blocks, sensitivity_json
    from flowsim.present.sensitivity_plot import sensitivity_plots
    from flowsim.study.sensitivity import manifest
    from flowsim.study.sensitivity import sensitivity as study

    with room(out):
        found, seconds = simulated(study, asked, Progress(lang, json), lang, json)
        if found is None:
            return nothing_done("sensitivity", lang)
        tables = found.tables
        if out is not None:
            figures = sensitivity_plots(found, tables, lang)
            write(out, "sensitivity", tables, figures, manifest(found, seconds, command()))
    if json:
        print_json(sensitivity_json(found, tables, written(out, seconds)))
    else:
        print_blocks(sensitivity_blocks(found, tables, lang))
        runs = {
            "options": found.done,
            "morris": 0 if found.morris is None else len(found.morris[1].values),
            "sobol": 0 if found.sobol is None else len(found.sobol[1].values),
        }
        print_precision("sensitivity", found, out, lang, seconds, **runs)
    return ended("sensitivity", found, out, lang)
