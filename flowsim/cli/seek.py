"""``flowsim seek``: what does it take to meet a goal?"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from flowsim.cli import DONE, MISSED
from flowsim.cli.folders import room
from flowsim.cli.options import From, FutureSeed, Json, Lang, ScenarioFile, Threads, number, whole
from flowsim.cli.studies import command, ended, nothing_done, print_precision, simulated, write, written
from flowsim.errors import InputError

if TYPE_CHECKING:
    from flowsim.study.decision_map import DecisionMap
    from flowsim.study.seek import Seek

TARGET: Final = "P(cleared) >= 0.9"
LEVER: Final = "diversion"


def seek(
    context: typer.Context,
    scenario: ScenarioFile = None,
    target: Annotated[
        str, typer.Option("--target", metavar="GOAL", help='Such as "overdue_2029 <= 50" or "P(kpi_24) >= 0.5".')
    ] = TARGET,
    levers: Annotated[
        list[str] | None,
        typer.Option(
            "--lever",
            metavar="NAME[=LOW:HIGH]",
            help="diversion, places, places_PROGRAMME, conversations, start, ..., or the path of a figure. "
            "Two of them: the frontier.",
            show_default=LEVER,
        ),
    ] = None,
    maps: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="UNKNOWN",
            help="Draw the probability by the lever and growth, list_size or patience (repeat it).",
            show_default=False,
        ),
    ] = None,
    other: Annotated[
        Path | None, typer.Option("--scenario", metavar="FILE", help="As the argument.", show_default=False)
    ] = None,
    readings: Annotated[bool, typer.Option("--readings", help="Under each reading of the plan.")] = False,
    half_width: Annotated[
        float | None,
        typer.Option(
            "--half-width",
            parser=number,
            metavar="X",
            help="Stop when the lever's 95% interval is this far either way, in its unit.",
            show_default="1/40 of its range",
        ),
    ] = None,
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            parser=whole,
            metavar="N",
            help="Simulated futures at most.",
            show_default="2400; 1000 for each of several searches; 1024 for a map, and its points",
        ),
    ] = None,
    seed: FutureSeed = 1,
    threads: Threads = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for tables, figures, manifest.")] = Path(
        "results/seek"
    ),
    repeat: From = None,
    lang: Lang = "nl",
    json: Json = False,
) -> int:
    """What does it take to meet a goal? The smallest lever, with an interval; two levers; or a map."""
    from flowsim.present.texts import texts

    texts(lang)
    asked: dict[str, Any]
    if repeat is not None:
        from flowsim.cli.repeats import arguments
        from flowsim.study import again

        asked = {**arguments(context, repeat, again.seek, lang), "threads": threads}
        return _run(asked, "factors" in asked, out, lang, json)
    if scenario is not None and other is not None:
        raise InputError("--scenario", "a scenario beside it", "the argument or the option")
    asked = {"scenario": scenario or other, "target": target, "seed": seed, "threads": threads}
    if maps:
        for name, given in (("--readings", readings), ("--half-width", half_width is not None)):
            if given:
                raise InputError(name, "--map beside it", "one of the two")
        if levers is not None and len(levers) > 1:
            raise InputError("--lever", f"{len(levers)} of them beside --map", "one lever on a map")
        asked |= {"factors": maps, "lever": (levers or [LEVER])[0]}
        asked |= {} if budget is None else {"futures": budget}
    else:
        asked |= {"lever": levers or [LEVER], "half_width": half_width, "budget": budget, "readings": readings}
    return _run(asked, bool(maps), out, lang, json)


def _run(asked: dict[str, Any], mapped: bool, out: Path, lang: str, json: bool) -> int:
    """Seek or map, write and print; the exit code."""
    from flowsim.present.seek import SeekProgress
    from flowsim.study.decision_map import decision_map
    from flowsim.study.seek import seek as study

    with room(out):
        run: Callable[..., Seek | DecisionMap] = decision_map if mapped else study
        found, seconds = simulated(run, asked, SeekProgress(lang, json), lang, json)
        if found is None:
            return nothing_done("seek", lang)
        _deliver(found, out, seconds, lang, json)
    return ended("seek", found, out, lang, DONE if getattr(found, "reached", True) else MISSED)


def _deliver(found: Seek | DecisionMap, out: Path, seconds: float, lang: str, json: bool) -> None:
    """Write the files, then print."""
    from flowsim.present import seek as words
    from flowsim.present import seek_plot
    from flowsim.present.console import print_json
    from flowsim.study import decision_map
    from flowsim.study import seek as study

    tables = found.tables
    if isinstance(found, decision_map.DecisionMap):
        write(out, "seek", tables, seek_plot.maps(found, lang), decision_map.manifest(found, seconds, command()))
    else:
        write(out, "seek", tables, seek_plot.figures(found, lang), study.manifest(found, seconds, command()))
    if json:
        as_json: Any = words.map_json if isinstance(found, decision_map.DecisionMap) else words.as_json
        print_json(as_json(found, tables, written(out, seconds)))
        return
    if isinstance(found, decision_map.DecisionMap):
        words.print_map(found, lang)
    else:
        words.print_found(found, lang)
    print_precision("seek", found, out, lang, seconds, futures=found.spent)
