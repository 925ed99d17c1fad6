"""``flowsim targets``: are the promises of the plan met?"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowsim.cli import DONE, INTERRUPTED, MISSED
from flowsim.cli.folders import room
from flowsim.cli.options import From, FutureSeed, Json, Lang, Out, ScenarioFile, Threads, whole

if TYPE_CHECKING:
    import pandas as pd

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
    from flowsim.present.console import print_json, say
    from flowsim.present.texts import format_number, text, texts
    from flowsim.scenario.load import default
    from flowsim.study import targets as study
    from flowsim.study.together import read_scenario

    texts(lang)
    if repeat is not None:
        from flowsim.cli.repeats import arguments
        from flowsim.study import again

        asked = dict(arguments(context, repeat, again.targets, lang))
        loaded, require = asked["scenario"], asked.pop("require")
    else:
        loaded = default() if scenario is None else read_scenario(scenario)
        asked = {"scenario": loaded, "futures": futures, "half_width": half_width, "seed": seed}
    codes = study.required(loaded, require or ())
    with room(out):
        found, seconds = _simulated(asked | {"threads": threads}, lang, silent=json)
        if found is None:
            say(text(lang, "targets.run.nothing_done"))
            return INTERRUPTED
        tables = found.tables
        missed = study.missed(found, tables["targets"], codes)
        if out is not None:
            _write(out, found, tables, seconds, codes)
    if json:
        from flowsim.present.targets import targets_json

        written = {"seconds": round(seconds, 1), "manifest": str(out / "manifest.json") if out else None}
        print_json(targets_json(found, tables, missed, written))
    else:
        from flowsim.present.answer import print_blocks
        from flowsim.present.targets import target_blocks

        print_blocks(target_blocks(found, tables, lang))
        _print_required(found, codes, missed, lang)
        values = {"futures": found.done, "seed": found.seed, "seconds": format_number(lang, seconds)}
        print("\n" + text(lang, "targets.run.precision", **values))
        if out is not None and not found.interrupted:
            print(text(lang, "targets.run.written", place=out))
    if found.interrupted:
        say(text(lang, "targets.run.interrupted" + ("_only" if out is None else ""), place=out))
        return INTERRUPTED
    return MISSED if missed else DONE


def _simulated(asked: dict[str, Any], lang: str, silent: bool) -> tuple[Evaluation | None, float]:
    """What was evaluated (None: interrupted before anything was finished), and the seconds it took."""
    from flowsim.present.console import announce_compiling
    from flowsim.present.progress import StudyProgress
    from flowsim.study.targets import evaluate

    began = time.monotonic()
    try:
        with StudyProgress(lang, silent) as progress:
            announce_compiling(lang, silent)
            return evaluate(**asked, progress=progress), time.monotonic() - began
    except KeyboardInterrupt:
        return None, time.monotonic() - began


def _print_required(found: Evaluation, codes: tuple[str, ...], missed: tuple[str, ...], lang: str) -> None:
    from flowsim.present.texts import text
    from flowsim.present.wording import case_name, promise_name

    case = case_name(lang, found.leading)
    met = [code for code in codes if code not in missed]
    for key, some in (("required_met", met), ("required_missed", missed)):
        if some:
            names = "; ".join(promise_name(lang, code) for code in some)
            print("\n" + text(lang, f"targets.run.{key}", case=case, promises=names))


def _write(
    out: Path, found: Evaluation, tables: dict[str, pd.DataFrame], seconds: float, codes: tuple[str, ...]
) -> None:
    from flowsim.study import store
    from flowsim.study.targets import manifest

    command = ["flowsim", *sys.argv[1:]] if Path(sys.argv[0]).stem == "flowsim" else None
    with store.all_or_nothing(out) as work:
        store.write_tables(work, tables, "targets")
        store.write_json(work / "manifest.json", manifest(found, seconds, command, codes))
