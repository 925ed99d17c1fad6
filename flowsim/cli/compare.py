"""``flowsim compare``: scenarios side by side on common random numbers."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flowsim.cli.folders import room
from flowsim.cli.options import From, FutureSeed, Json, Lang, Out, Threads, number, whole
from flowsim.cli.studies import command, ended, nothing_done, print_precision, simulated, write, written
from flowsim.errors import InputError


def compare(
    context: typer.Context,
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="A B [C ...]", help="Scenario files, or names of files in experiments/.", show_default=False
        ),
    ] = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="NAME", help="Against which one.", show_default="the first")
    ] = None,
    futures: Annotated[
        int, typer.Option("--futures", parser=whole, metavar="N", help="Simulated futures of every scenario.")
    ] = 128,
    seed: FutureSeed = 1,
    threads: Threads = None,
    residents: Annotated[
        bool, typer.Option("--residents", help="Follow the same residents through every scenario: who wins, who loses.")
    ] = False,
    best: Annotated[
        str | None,
        typer.Option(
            "--best",
            metavar="OUTCOME",
            help="Which scenario is best by this outcome (cleared, overdue, mean_wait, ...), with 95% confidence.",
            show_default=False,
        ),
    ] = None,
    most: Annotated[bool, typer.Option("--max", help="With --best: more is better.")] = False,
    least: Annotated[bool, typer.Option("--min", help="With --best: less is better.")] = False,
    indifference: Annotated[
        float | None,
        typer.Option(
            "--indifference",
            parser=number,
            metavar="X",
            help="With --best: a difference that does not matter (days for waits).",
            show_default=False,
        ),
    ] = None,
    out: Out = None,
    repeat: From = None,
    lang: Lang = "nl",
    json: Json = False,
) -> int:
    """Scenarios side by side on common random numbers: paired differences with simultaneous intervals."""
    from flowsim.present.texts import texts

    texts(lang)
    if not scenarios and repeat is None:
        raise InputError(
            "A B [C ...]", "nothing", "two or more scenarios, or --from MANIFEST; see flowsim compare --help"
        )
    if most and least:
        raise InputError("--max", "--min beside it", "one of the two")
    for name, value in (("--max", most), ("--min", least), ("--indifference", indifference is not None)):
        if value and best is None:
            raise InputError(name, "no --best", "--best OUTCOME beside it")
    asked: dict[str, Any] = {
        "scenarios": scenarios or [],
        "base": base,
        "futures": futures,
        "seed": seed,
        "follow_residents": residents,
        "best": best,
        "largest": True if most else False if least else None,
        "indifference": indifference,
    }
    if repeat is not None:
        from flowsim.cli.repeats import arguments
        from flowsim.study import again

        asked = dict(arguments(context, repeat, again.compare, lang))
    asked["threads"] = threads
    from flowsim.present.answer import print_blocks
    from flowsim.present.compare import compare_blocks, compare_json
    from flowsim.present.compare_plot import overlay
    from flowsim.present.console import print_json
    from flowsim.present.progress import StudyProgress
    from flowsim.scenario.region import load_region
    from flowsim.study.compare import compare as study
    from flowsim.study.compare import manifest

    with room(out):
        found, seconds = simulated(study, asked, StudyProgress(lang, json), lang, json)
        if found is None:
            return nothing_done("compare", lang)
        tables = found.tables
        if out is not None:
            figures = overlay(tables, load_region(found.scenario.region).start, lang)
            write(out, "compare", tables, figures, manifest(found, seconds, command()))
    if json:
        print_json(compare_json(found, tables, written(out, seconds)))
    else:
        print_blocks(compare_blocks(found, tables, lang))
        print_precision("compare", found, out, lang, seconds, futures=found.done)
    return ended("compare", found, out, lang)
