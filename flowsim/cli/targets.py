"""``flowsim targets``: are the promises of the plan met?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flowsim.cli import DONE, MISSED
from flowsim.cli.folders import room
from flowsim.cli.options import From, FutureSeed, Json, Lang, Out, ScenarioFile, Threads, number, whole
from flowsim.cli.studies import command, ended, nothing_done, print_precision, simulated, write, written

if TYPE_CHECKING:
    from flowsim.study.targets import Evaluation


def targets(
    context: typer.Context,
    scenario: ScenarioFile = None,
    futures: Annotated[
        int, typer.Option("--futures", parser=whole, metavar="N", help="Simulated futures of every reading.")
    ] = 64,
    half_width: Annotated[
        float | None,
        typer.Option(
            "--half-width",
            parser=number,
            metavar="X",
            help="Go on until 95% intervals of probabilities are this far either way.",
            show_default=False,
        ),
    ] = None,
    require: Annotated[
        list[str] | None,
        typer.Option(
            "--require",
            metavar="CODE",
            help="A promise that must be met under the scenario's own reading, such as kpi_24; repeat it for more. "
            "Exit code 1 when one is not at least probably met.",
            show_default=False,
        ),
    ] = None,
    seed: FutureSeed = 1,
    threads: Threads = None,
    out: Out = None,
    repeat: From = None,
    lang: Lang = "nl",
    json: Json = False,
) -> int:
    """Every KPI and promise of the plan: expected, probability of being met, verdict, cause; under each reading."""
    from flowsim.present.answer import print_blocks
    from flowsim.present.console import print_json
    from flowsim.present.progress import StudyProgress
    from flowsim.present.targets import target_blocks, targets_json
    from flowsim.present.texts import texts
    from flowsim.study import targets as study
    from flowsim.study.together import given_scenario

    texts(lang)
    if repeat is not None:
        from flowsim.cli.repeats import arguments
        from flowsim.study import again

        asked = dict(arguments(context, repeat, again.targets, lang))
        loaded, require = asked["scenario"], asked.pop("require")
    else:
        loaded = given_scenario(scenario)
        asked = {"scenario": loaded, "futures": futures, "half_width": half_width, "seed": seed}
    codes = study.required(loaded, require or ())
    with room(out):
        found, seconds = simulated(study.evaluate, asked | {"threads": threads}, StudyProgress(lang, json), lang, json)
        if found is None:
            return nothing_done("targets", lang)
        tables = found.tables
        missed = study.missed(found, tables["targets"], codes)
        if out is not None:
            write(out, "targets", tables, None, study.manifest(found, seconds, command(), codes))
    if json:
        print_json(targets_json(found, tables, missed, written(out, seconds)))
    else:
        print_blocks(target_blocks(found, tables, lang))
        _print_required(found, codes, missed, lang)
        print_precision("targets", found, out, lang, seconds, futures=found.done)
    return ended("targets", found, out, lang, MISSED if missed else DONE)


def _print_required(found: Evaluation, codes: tuple[str, ...], missed: tuple[str, ...], lang: str) -> None:
    from flowsim.present.texts import text
    from flowsim.present.wording import case_name, promise_name

    case = case_name(lang, found.leading)
    met = [code for code in codes if code not in missed]
    for key, some in (("required_met", met), ("required_missed", missed)):
        if some:
            names = "; ".join(promise_name(lang, code) for code in some)
            print("\n" + text(lang, f"targets.run.{key}", case=case, promises=names))
