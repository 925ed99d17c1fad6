"""``flowsim verify``: the engines against known results."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Annotated

import typer

from flowsim.cli import DONE, INTERRUPTED, MISSED
from flowsim.cli.options import Json, Lang, Seed, Threads
from flowsim.errors import InputError


def verify(
    seed: Seed = 1,
    engine: Annotated[
        str, typer.Option("--engine", metavar="both|compiled|reference", help="Which engines to compare.")
    ] = "both",
    threads: Threads = None,
    format: Annotated[str, typer.Option("--format", metavar="text|md|json", help="How to print it.")] = "text",
    lang: Lang = "en",
    json: Json = False,
) -> int:
    """The engines against queueing theory and published results; exit code 1 when one misses."""
    from flowsim.present.answer import WIDEST
    from flowsim.present.console import announce_compiling, print_json
    from flowsim.present.texts import texts
    from flowsim.present.verify_table import VerifyProgress, as_json, as_markdown, as_text, check_format
    from flowsim.study.verify import passed
    from flowsim.study.verify import verify as compare

    texts(lang)
    check_format(format)
    if json and format not in ("text", "json"):
        raise InputError("--json", f"--format {format} beside it", "one of the two")
    silent = json or format == "json"
    announce_compiling(lang, silent)
    began = time.monotonic()
    with VerifyProgress(lang, silent) as progress:
        table = compare(seed, engine, threads, progress)
    seconds = time.monotonic() - began
    if silent:
        print_json(as_json(table, seconds))
    elif format == "md":
        sys.stdout.write(as_markdown(table, lang))
    else:
        room = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDEST
        sys.stdout.write(as_text(table, lang, room, seconds))
    if "interrupted" in table.attrs:
        return INTERRUPTED
    return DONE if passed(table) else MISSED
