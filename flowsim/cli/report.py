"""``flowsim report``: the report for the steering group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from flowsim.cli import DONE, INTERRUPTED
from flowsim.cli.answer import HALF_WIDTH, SEED
from flowsim.cli.options import FutureSeedOrNone, Json, Lang, Precision, Threads
from flowsim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.answer import Answer

OUT: Final = "results/report"
Tabled = tuple["Answer", "Mapping[str, pd.DataFrame]"]


def report(
    scenarios: Annotated[
        list[Path] | None,
        typer.Argument(metavar="SCENARIO...", help="Up to four; the first is reported on.", show_default=False),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="The file to write.", show_default=f"{OUT}.pdf"),
    ] = None,
    form: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="pdf|html|xlsx",
            help="HTML: one file, without scripts. XLSX: the tables.",
            show_default="as --out",
        ),
    ] = None,
    half_width: Precision = None,
    seed: FutureSeedOrNone = None,
    threads: Threads = None,
    folders: Annotated[
        list[Path] | None,
        typer.Option(
            "--from", metavar="DIR", help="What `flowsim answer` wrote, without simulating again.", show_default=False
        ),
    ] = None,
    lang: Lang = "nl",
    json: Json = False,
) -> int:
    """Make a report as a PDF or HTML, or its tables as XLSX: the answer, targets, euros, the plan recomputed."""
    from flowsim.cli.files import Writing
    from flowsim.present.console import print_json, say
    from flowsim.present.report import MOST_SCENARIOS, check_form, make_report
    from flowsim.present.texts import text, texts

    texts(lang)
    out, form = _place(out, form)
    check_form(form)
    for what, given in (("SCENARIO", scenarios or []), ("--from", folders or [])):
        if len(given) > MOST_SCENARIOS:
            raise InputError(what, f"{len(given)} of them", f"at most {MOST_SCENARIOS}")
    if folders:
        for name, value in (("SCENARIO", scenarios or None), ("--half-width", half_width), ("--seed", seed)):
            if value is not None:
                raise InputError("--from", f"{name} beside it", "--from alone: the folders say what was simulated")
    with Writing([out]) as files:
        if folders:
            made: list[Tabled] | None = _finished(folders, lang)
        else:
            width = HALF_WIDTH if half_width is None else half_width
            made = _simulated(scenarios or [], width, SEED if seed is None else seed, threads, lang)
        if made is None:
            say(text(lang, "answer.run.nothing_done"))
            return INTERRUPTED
        say(text(lang, "report.run.typesetting"))
        try:
            content = make_report(*made[0], lang, made[1:], form)
        except (IndexError, KeyError, TypeError, ValueError) as error:
            if not folders or isinstance(error, InputError):
                raise
            place, why = f"--from {folders[0]}", " ".join(f"{type(error).__name__}: {error}".split())[:80]
            raise InputError(
                place, f"tables that cannot be told ({why})", "tables as `flowsim answer` writes"
            ) from None
        files.write(out, lambda stream: stream.write(content))
        files.commit()
    interrupted = made[0][0].interrupted and not folders
    if json:
        titles = [one.scenario.title for one, _ in made]
        print_json({"file": str(out), "format": form, "lang": lang, "scenarios": titles, "interrupted": interrupted})
    say(text(lang, f"report.run.{'interrupted' if interrupted else 'written'}", place=out))
    return INTERRUPTED if interrupted else DONE


def _place(out: Path | None, form: str | None) -> tuple[Path, str]:
    """Where the report goes and in which form: the one that is asked for, else that of the file's name."""
    from flowsim.present.report import FORMS

    if form is not None and form not in FORMS:
        raise InputError("--format", repr(form), "one of " + ", ".join(FORMS))
    if out is None:
        form = form or FORMS[0]
        return Path(f"{OUT}.{form}"), form
    named = out.suffix.lower().removeprefix(".")
    if named not in ([form] if form else FORMS):
        ends = f".{form}" if form else " or ".join(f".{one}" for one in FORMS)
        raise InputError("--out", repr(out.name), f"a file that ends in {ends}")
    return out, named


def _finished(folders: Sequence[Path], lang: str) -> list[Tabled]:
    """Answers that were simulated before; all in the same futures."""
    from flowsim.present.console import say
    from flowsim.present.texts import text, texts
    from flowsim.study.finished import read

    made: list[Tabled] = []
    for folder in folders:
        found, asked = read(folder)
        if asked.was_interrupted:
            say(text(lang, "report.run.was_interrupted", place=folder))
        for what, then, now in asked.differences:
            if what in ("flowsim", "figures"):
                named = texts(lang).get(f"answer.what.{what}", what)
                say(text(lang, "report.run.differs", place=folder, what=named, then=then, now=now))
        if made:
            first = made[0][0]
            facts = {"seed": (first.seed, found.seed), "region": (first.scenario.region, found.scenario.region)}
            for fact, (wanted, given) in facts.items():
                if wanted != given:
                    raise InputError(f"--from {folder}", f"{fact} {given}", f"{fact} {wanted}, as {folders[0]} has")
        made.append((found, found.tables))
    return made


def _simulated(
    files: Sequence[Path], half_width: float, seed: int, threads: int | None, lang: str
) -> list[Tabled] | None:
    """The first scenario answered, the others in the same futures; None: interrupted before anything was finished."""
    from flowsim.analysis import answers
    from flowsim.plan.targets import load_targets
    from flowsim.present.console import announce_compiling
    from flowsim.present.progress import StudyProgress
    from flowsim.study.answer import answer
    from flowsim.study.beside import check_regions, in_the_same_futures
    from flowsim.study.together import given_scenario

    first, *others = [given_scenario(file) for file in files] or [given_scenario(None)]
    check_regions(first, others)
    load_targets(first.region)  # a report is about them: what is missing is told before anything is simulated
    announce_compiling(lang)
    beside: list[Answer] = []
    try:
        with StudyProgress(lang) as progress:
            found = answer(first, half_width=half_width, seed=seed, threads=threads, progress=progress)
            if others and found.cases and not found.interrupted:
                beside = in_the_same_futures(found, others, threads, progress)
    except KeyboardInterrupt:
        return None
    if not found.cases:
        return None
    made: list[Tabled] = [(found, found.tables)]
    wanted: dict[str, Any] = {"futures": answers.futures, "fan": answers.fan}
    return [*made, *((one, {name: table(one) for name, table in wanted.items()}) for one in beside)]
