"""``flowsim update``: the forecast with what the programme counted, beside the one without."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from flowsim.cli import DONE, MISSED
from flowsim.cli.options import From, FutureSeed, Json, Lang, ScenarioFile, Threads, number, whole
from flowsim.cli.studies import command, ended, nothing_done, print_precision, simulated, write, written
from flowsim.errors import InputError


def update(
    context: typer.Context,
    observed: Annotated[
        Path | None,
        typer.Argument(metavar="OBSERVED", help="A CSV file of counts per quarter.", show_default=False),
    ] = None,
    scenario: ScenarioFile = None,
    template: Annotated[
        Path | None,
        typer.Option(
            "--template",
            metavar="FILE",
            help="Write an empty file to fill in (-: to the screen), and stop.",
            show_default=False,
        ),
    ] = None,
    futures: Annotated[
        int, typer.Option("--futures", parser=whole, metavar="N", help="Simulated futures at most, from 128 on.")
    ] = 1536,
    half_width: Annotated[
        float,
        typer.Option(
            "--half-width",
            parser=number,
            metavar="X",
            help="Stop sooner when the new 95% interval is this far either way.",
        ),
    ] = 0.05,
    seed: FutureSeed = 1,
    threads: Threads = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for tables, plot, manifest.")] = Path(
        "results/update"
    ),
    repeat: From = None,
    lang: Lang = "nl",
    json: Json = False,
) -> int:
    """What do the counts of the programme say? The new forecast beside the old one: what changed, and why.

    Counts only: a file that holds what looks like personal data is refused. Exit code 1 when no simulated future
    resembles the counts, so that there is no new forecast.
    """
    from flowsim.cli.folders import room
    from flowsim.present.answer import print_blocks
    from flowsim.present.console import print_json, say
    from flowsim.present.progress import StudyProgress
    from flowsim.present.texts import text, texts
    from flowsim.present.update import update_blocks, update_json
    from flowsim.present.update_plot import forecast_plot
    from flowsim.study.observed import read
    from flowsim.study.together import given_scenario
    from flowsim.study.update import manifest
    from flowsim.study.update import update as weigh

    texts(lang)
    if template is not None:
        if repeat is not None:
            raise InputError("--template", "--from beside it", "--template alone: it writes an empty file")
        if observed is not None:
            raise InputError("--template", "counts beside it", "--template alone: it writes an empty file")
        _write_template(template, lang)
        if str(template) not in ("-", "/dev/stdout"):
            say(text(lang, "update.run.template", place=template))
        return DONE
    if repeat is not None:
        from flowsim.cli.repeats import arguments
        from flowsim.study import again

        asked = dict(arguments(context, repeat, again.update, lang))
        counts = asked.pop("observed")
    elif observed is None:
        raise InputError("OBSERVED", "nothing", "a CSV file of counts; --template FILE writes an empty one")
    else:
        counts = read(observed)
        loaded = given_scenario(scenario)
        asked = {"scenario": loaded, "futures": futures, "half_width": half_width, "seed": seed}
    with room(out):
        weighing = partial(weigh, counts)
        found, seconds = simulated(weighing, asked | {"threads": threads}, StudyProgress(lang, json), lang, json)
        if found is None:
            return nothing_done("update", lang)
        tables = found.tables
        figures = None
        if not found.conflicts:
            figures = forecast_plot(tables, found.case.region.start, lang, found.observed.made_up)
        write(out, "update", tables, figures, manifest(found, seconds, command()))
    if json:
        print_json(update_json(found, tables, written(out, seconds)))
    else:
        print_blocks(update_blocks(found, tables, lang))
        print_precision("update", found, out, lang, seconds, futures=found.done)
    return ended("update", found, out, lang, MISSED if found.conflicts else DONE)


def _write_template(file: Path, lang: str) -> None:
    from flowsim.cli.files import Writing
    from flowsim.present.update import template_remarks
    from flowsim.scenario.load import default
    from flowsim.study.observed import template

    to_screen = str(file) in ("-", "/dev/stdout")
    if not to_screen and file.is_file():
        raise InputError(f"--template {file}", "a file that exists", "a new file: counts that stand there are not lost")
    content = template(lang, template_remarks(lang, default().book.value("public.treeknorm_total")))
    if to_screen:
        sys.stdout.buffer.write(content)
        return
    with Writing([file]) as writing:
        writing.write(file, lambda stream: stream.write(content))
        writing.commit()
