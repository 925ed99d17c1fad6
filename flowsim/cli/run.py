"""``flowsim run``: simulate one file."""

from __future__ import annotations

import json as codec
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

from flowsim.cli import DONE, INTERRUPTED
from flowsim.cli.documents import network_of
from flowsim.cli.options import Engine, File, Json, Lang, Out, Replications, Seed, Threads
from flowsim.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.analysis.outcomes import Output

TABLES: Final = ("stations", "waiting", "periods", "summary")
MANIFEST: Final = "manifest.json"


def run(
    file: File,
    engine: Engine = "compiled",
    replications: Replications = 20,
    seed: Seed = 0,
    threads: Threads = None,
    log: Annotated[
        Path | None,
        typer.Option("--log", metavar="PATH", help="Write every event: .csv or .parquet.", show_default=False),
    ] = None,
    out: Out = None,
    lang: Lang = "en",
    json: Json = False,
) -> int:
    """Simulate one file and print means with 95% intervals per station."""
    from flowsim.cli.files import Writing
    from flowsim.present.console import print_json, say
    from flowsim.present.texts import text, texts

    texts(lang)
    log_format = _log_format(log)
    network = network_of(file)
    targets = {name: out / name for name in (*(f"{table}.csv" for table in TABLES), MANIFEST)} if out else {}
    with Writing([*targets.values(), *([log] if log else [])]) as files:
        found, interrupted = _simulated(network, replications, seed, engine, log is not None, threads, lang)
        if found is None:
            say(text(lang, "cli.run.nothing_done"))
            return INTERRUPTED
        facts = _facts(file, found, replications)
        for table in TABLES:
            if out is not None:
                frame = found.summary() if table == "summary" else getattr(found, table)
                files.write(targets[f"{table}.csv"], _as_csv(frame))
        if out is not None:
            manifest = codec.dumps(_provenance() | facts | {"document": network.document}, indent=2, default=str)
            files.write(targets[MANIFEST], lambda stream: stream.write(manifest.encode() + b"\n"))
        if log is not None:
            files.write(log, _as_csv(found.events) if log_format == "csv" else _as_parquet(found.events))
        if json:
            print_json(facts | {"summary": found.summary().to_dict("records")})
        else:
            _print_summary(found, network.title or file.name, lang)
        sys.stdout.flush()
        files.commit()
    for place in [out, log]:
        if place is not None:
            say(text(lang, "cli.run.written", place=place))
    if interrupted:
        say(text(lang, "cli.run.interrupted", done=found.replications, asked=replications))
    return INTERRUPTED if interrupted else DONE


def _log_format(log: Path | None) -> str:
    suffix = "" if log is None else log.suffix.lower()
    if suffix not in ("", ".csv", ".parquet"):
        raise InputError("--log", repr(suffix), "a file that ends in .csv or .parquet")
    return "parquet" if suffix == ".parquet" else "csv"


def _simulated(
    network: Any, replications: int, seed: int, engine: str, log: bool, threads: int | None, lang: str
) -> tuple[Output | None, bool]:
    """The output of the replications that were finished (None: not one), and whether somebody interrupted."""
    from contextlib import closing

    from flowsim.present.console import Counter, announce_compiling
    from flowsim.present.texts import text
    from flowsim.study.replicate import collect, replicate

    runs = replicate(network, replications, seed, engine, log, threads)
    announce_compiling(lang)
    done = []
    interrupted = False
    try:
        with closing(runs), Counter(text(lang, "cli.run.replications"), replications) as counter:
            for one in runs:
                done.append(one)
                counter.show(len(done))
    except KeyboardInterrupt:
        interrupted = True
    return (collect(network, seed, engine, done) if done else None), interrupted


def _facts(file: Path, found: Output, asked: int) -> dict[str, Any]:
    return {
        "file": str(file),
        "engine": found.engine,
        "seed": found.seed,
        "replications_asked": asked,
        "replications_done": found.replications,
        "events": int(found.appointments.sum()),
    }


def _provenance() -> dict[str, Any]:
    """What made these results, for whoever finds them."""
    import datetime as dt
    import platform
    from importlib.metadata import version

    import flowsim

    libraries = {name: version(name) for name in ("numba", "numpy", "pandas")}
    return {
        "flowsim": flowsim.__version__,
        "made": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "libraries": libraries,
    }


def _as_csv(frame: pd.DataFrame) -> Callable[[BinaryIO], object]:
    return lambda stream: frame.to_csv(stream, index=False, lineterminator="\n")


def _as_parquet(frame: pd.DataFrame) -> Callable[[BinaryIO], object]:
    return lambda stream: frame.to_parquet(stream, index=False)


def _print_summary(found: Output, title: str, lang: str) -> None:
    from flowsim.present.console import print_table
    from flowsim.present.run_table import summary_rows
    from flowsim.present.texts import text

    header, rows = summary_rows(found.summary(), lang)
    print_table(header, rows, title=title)
    key = "cli.run.one" if found.replications == 1 else "cli.run.many"
    print(text(lang, key, replications=found.replications, seed=found.seed, engine=found.engine))
