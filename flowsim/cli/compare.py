"""``flowsim compare``: scenarios side by side on common random numbers."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flowsim.cli import DONE, INTERRUPTED
from flowsim.cli.folders import room
from flowsim.cli.options import From, FutureSeed, Json, Lang, Out, Threads, whole
from flowsim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.compare import Comparison


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
    from flowsim.present.console import print_json, say
    from flowsim.present.texts import format_number, text, texts

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
    with room(out):
        found, seconds = _simulated(asked, lang, silent=json)
        if found is None:
            say(text(lang, "compare.run.nothing_done"))
            return INTERRUPTED
        tables = found.tables
        if out is not None:
            _write(out, found, tables, seconds, lang)
    if json:
        from flowsim.present.compare import compare_json

        written = {"seconds": round(seconds, 1), "manifest": str(out / "manifest.json") if out else None}
        print_json(compare_json(found, tables, written))
    else:
        from flowsim.present.answer import print_blocks
        from flowsim.present.compare import compare_blocks

        print_blocks(compare_blocks(found, tables, lang))
        values = {"futures": found.done, "seed": found.seed, "seconds": format_number(lang, seconds)}
        print("\n" + text(lang, "compare.run.precision", **values))
        if out is not None and not found.interrupted:
            print(text(lang, "compare.run.written", place=out))
    if found.interrupted:
        say(text(lang, "compare.run.interrupted" + ("_only" if out is None else ""), place=out))
    return INTERRUPTED if found.interrupted else DONE


def _simulated(asked: dict[str, Any], lang: str, silent: bool) -> tuple[Comparison | None, float]:
    """The comparison (None: interrupted before anything was finished), and the seconds it took."""
    from flowsim.present.console import announce_compiling
    from flowsim.present.progress import StudyProgress
    from flowsim.study.compare import compare as simulate

    began = time.monotonic()
    try:
        with StudyProgress(lang, silent) as progress:
            announce_compiling(lang, silent)
            return simulate(**asked, progress=progress), time.monotonic() - began
    except KeyboardInterrupt:
        return None, time.monotonic() - began


def _write(out: Path, found: Comparison, tables: dict[str, pd.DataFrame], seconds: float, lang: str) -> None:
    from flowsim.present.compare_plot import overlay
    from flowsim.present.plots import save_figures
    from flowsim.scenario.region import load_region
    from flowsim.study import store
    from flowsim.study.compare import manifest

    command = ["flowsim", *sys.argv[1:]] if Path(sys.argv[0]).stem == "flowsim" else None
    with store.all_or_nothing(out) as work:
        store.write_tables(work, tables, "compare")
        save_figures(work, overlay(tables, load_region(found.scenario.region).start, lang))
        store.write_json(work / "manifest.json", manifest(found, seconds, command))
