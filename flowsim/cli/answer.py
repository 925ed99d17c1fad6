"""``flowsim answer``: does the diversion clear the waiting lists in five years?"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from flowsim.cli.options import From, FutureSeedOrNone, Json, Lang, Precision, ScenarioFile, Threads
from flowsim.cli.repeats import tell
from flowsim.cli.studies import command, ended, nothing_done, print_precision, written
from flowsim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.scenario.load import Scenario
    from flowsim.study.answer import Answer

HALF_WIDTH: Final = 0.03
SEED: Final = 1


def answer(
    scenario: ScenarioFile = None,
    half_width: Precision = None,
    seed: FutureSeedOrNone = None,
    threads: Threads = None,
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="Folder for tables, plots, manifest.")] = Path(
        "results/answer"
    ),
    unknowns: Annotated[
        str | None,
        typer.Option(
            "--unknowns",
            metavar="posterior|prior",
            help="What nobody knows: weighed by published numbers (flowsim calibrate), or from its ranges.",
            show_default="as the scenario says: posterior",
        ),
    ] = None,
    no_curve: Annotated[bool, typer.Option("--no-curve", help="Leave out other shares diverted.")] = False,
    repeat: From = None,
    lang: Lang = "nl",
    json: Json = False,
) -> int:
    """Does 10% diversion clear the waiting lists in five years? Simulates until the answer is precise."""
    from flowsim.cli.folders import room
    from flowsim.present.answer import as_json, blocks, print_blocks
    from flowsim.present.console import print_json
    from flowsim.present.texts import format_number, texts

    texts(lang)
    chosen: dict[str, Any] = {
        "SCENARIO": scenario,
        "--half-width": half_width,
        "--seed": seed,
        "--no-curve": no_curve or None,
    }
    chosen["--unknowns"] = unknowns
    asked = _asked(chosen, repeat, lang)
    with room(out):
        pictures = _Pictures(lang)
        found, seconds = _simulated(asked, threads, lang, json, pictures)
        if found is None:
            return nothing_done("answer", lang)
        tables = found.tables
        _write(out, found, tables, seconds, command(), pictures)
    if json:
        print_json(as_json(found, tables, written(out, seconds)))
    else:
        print_blocks(blocks(found, tables, lang))
        width = format_number(lang, 100 * found.half_width, 1)
        print_precision("answer", found, out, lang, seconds, width=width)
    return ended("answer", found, out, lang)


def _drawing(scenario: Scenario, source: str | None) -> Scenario:
    """The scenario with its unknowns from there; None: as it says itself."""
    if source is None:
        return scenario
    if source not in ("posterior", "prior"):
        raise InputError("--unknowns", repr(source), "posterior or prior")
    return scenario.with_settings(scenario.name, unknowns=source)


def repeated(manifest: Path, out: Path, threads: int | None, lang: str) -> bool:
    """Run again what a manifest says, into ``out``; whether it was finished. Prints no answer."""
    from flowsim.cli.folders import room

    nothing = dict.fromkeys(("SCENARIO", "--half-width", "--seed", "--no-curve", "--unknowns"))
    asked = _asked(nothing, manifest, lang)
    with room(out):
        pictures = _Pictures(lang)
        found, seconds = _simulated(asked, threads, lang, False, pictures)
        if found is None:
            return False
        _write(out, found, found.tables, seconds, None, pictures)
    return not found.interrupted


def _asked(chosen: Mapping[str, Any], repeat: Path | None, lang: str) -> dict[str, Any]:
    """The arguments of the study, from the command line or from a manifest."""
    from flowsim.study.together import given_scenario

    if repeat is None:
        return {
            "scenario": _drawing(given_scenario(chosen["SCENARIO"]), chosen["--unknowns"]),
            "half_width": HALF_WIDTH if chosen["--half-width"] is None else chosen["--half-width"],
            "seed": SEED if chosen["--seed"] is None else chosen["--seed"],
            "curve": not chosen["--no-curve"],
        }
    for name, value in chosen.items():
        if value is not None:
            raise InputError("--from", f"{name} beside it", "--from alone: the manifest says what to repeat")
    from flowsim.study.repeat import from_manifest

    wanted = from_manifest(repeat)
    tell(wanted, lang)
    return {name: getattr(wanted, name) for name in ("scenario", "half_width", "seed", "curve", "most", "draws")}


class _Pictures:
    """Those that are there before the curve is, drawn while it is simulated."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self.files: dict[str, bytes] = {}
        self._one_at_a_time = threading.Lock()  # Matplotlib is for one thread

    def __call__(self, found: Answer) -> None:
        """Draw what does not need the curve."""
        from flowsim.present.plots import drawn, plots

        with self._one_at_a_time:
            tables = {name: table for name, table in found.tables.items() if name != "curve"}
            self.files = drawn(plots(found, tables, self.lang))

    def all(self, found: Answer, tables: Mapping[str, pd.DataFrame]) -> dict[str, bytes]:
        """All of them, content by the name of the file."""
        from flowsim.present.plots import drawn, plots

        with self._one_at_a_time:
            known = {Path(name).stem for name in self.files}
            return self.files | drawn(plots(found, tables, self.lang, known))


def _simulated(
    asked: Mapping[str, Any], threads: int | None, lang: str, silent: bool, meanwhile: _Pictures
) -> tuple[Answer | None, float]:
    """The answer (None: interrupted before anything was finished), and the seconds it took."""
    from flowsim.present.console import announce_compiling
    from flowsim.present.progress import StudyProgress
    from flowsim.study.answer import answer as simulate

    announce_compiling(lang, silent)
    began = time.monotonic()
    threading.Thread(target=_make_ready, daemon=True).start()
    try:
        with StudyProgress(lang, silent) as progress:
            found = simulate(**asked, threads=threads, progress=progress, meanwhile=meanwhile)
    except KeyboardInterrupt:
        return None, time.monotonic() - began
    return (found if found.cases else None), time.monotonic() - began


def _make_ready() -> None:
    """Import what tables and plots need while the engine, which does not need this interpreter, simulates."""
    import matplotlib.pyplot  # noqa: F401
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401


def _write(
    out: Path, found: Answer, tables: Mapping[str, pd.DataFrame], seconds: float, command: Any, pictures: _Pictures
) -> None:
    from flowsim.study import store
    from flowsim.study.answer import manifest

    with store.all_or_nothing(out) as work:
        store.write_tables(work, tables, "answer")
        for name, content in pictures.all(found, tables).items():
            (work / name).write_bytes(content)
        store.write_json(work / "manifest.json", manifest(found, seconds, command))
