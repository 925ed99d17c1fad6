"""``flowsim run``: simulate one file."""

from __future__ import annotations

import datetime as dt
import json as codec
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Final

import typer

import flowsim
from flowsim.cli import DONE, INTERRUPTED
from flowsim.cli.documents import network_of
from flowsim.cli.options import Engine, File, Json, Lang, Out, Replications, Seed, Threads
from flowsim.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    from flowsim.analysis.outcomes import Output
    from flowsim.cli.files import Writing
    from flowsim.cli.logs import Add
    from flowsim.model.network import Network
    from flowsim.scenario.region import Region

TABLES: Final = ("stations", "waiting", "periods", "summary")
MANIFEST: Final = "manifest.json"
DICTIONARY: Final = "datapackage.json"
EVENTS: Final = "events.parquet"
USUAL_LOG: Final = "<events>"
"""Stands behind a ``--log`` that names no file: `EVENTS`, in the folder of ``--out`` or else where one is."""


def run(
    file: File,
    engine: Engine = "compiled",
    replications: Replications = 20,
    seed: Seed = 0,
    threads: Threads = None,
    log: Annotated[
        list[Path] | None,
        typer.Option(
            "--log",
            metavar="[PATH]",
            help="Write every event: .xes or .csv for process mining, or .parquet. Repeat it for more. Without a PATH: "
            "events.parquet, in the folder of --out.",
            show_default=False,
        ),
    ] = None,
    animate: Annotated[
        Path | None,
        typer.Option(
            "--animate", metavar="PATH", help="Write the queues as a moving picture: .html.", show_default=False
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--start", metavar="DATE", help="For a network: the date of time zero, times in days.", show_default=False
        ),
    ] = None,
    out: Out = None,
    lang: Lang = "en",
    json: Json = False,
) -> int:
    """Simulate one file and print means with 95% intervals per station."""
    from flowsim.cli.files import Writing
    from flowsim.cli.folders import refuse_sweep
    from flowsim.cli.logs import check_logs, check_start, described_logs, when, write_logs
    from flowsim.present.console import print_json, say
    from flowsim.present.texts import text, texts
    from flowsim.scenario.load import named
    from flowsim.study.store import drop, listed

    texts(lang)
    if out is not None:
        refuse_sweep(out)
    logs = [(out or Path()) / EVENTS if str(place) == USUAL_LOG else place for place in log or ()]
    check_logs(logs)
    check_animation(animate)
    file = named(file)
    network = network_of(file)
    first_day, region = when(file, start) if logs or animate or start else (None, None)
    check_start(logs, animate, first_day)
    targets = (
        {name: out / name for name in (*(f"{table}.csv" for table in TABLES), DICTIONARY, MANIFEST)} if out else {}
    )
    taken = set(map(os.path.realpath, targets.values()))
    for one in logs:
        if os.path.realpath(one) in taken:
            raise InputError("--log", str(one), "another name than those of the tables of --out")
    with Writing([*targets.values(), *logs, *([animate] if animate else [])]) as files:
        runs = _Runs(network, replications, seed, engine, bool(logs or animate), threads, lang, animate is not None)
        about = {"title": network.title or file.name, "seed": seed, "engine": engine, "flowsim": flowsim.__version__}
        write_logs(files, logs, network, first_day, about, runs.simulate)
        found, interrupted = runs.output, runs.interrupted
        if found is None:
            say(text(lang, "cli.run.nothing_done"))
            return INTERRUPTED
        facts = _facts(file, found, replications)
        if out is not None:
            _write_tables(files, targets, found, facts, described_logs(logs, out, network, first_day))
        if animate is not None:
            _write_animation(files, animate, network, runs.first_log, first_day, region, lang)
        if json:
            print_json(facts | {"summary": found.summary_rows()})
        else:
            _print_summary(found, network.title or file.name, lang)
        sys.stdout.flush()
        before = listed(out) if out else set()
        files.commit()
    if out is not None:
        drop(out, before - listed(out))
    for place in [out, *logs, animate]:
        if place is not None:
            say(text(lang, "cli.run.written", place=place))
    if interrupted:
        say(text(lang, "cli.run.interrupted", done=found.replications, asked=replications))
    return INTERRUPTED if interrupted else DONE


def repeated(manifest: Path, out: Path, threads: int | None, lang: str) -> bool:
    """Run again what a manifest of `flowsim run` says, into ``out``; whether it was finished. Prints no table.

    Raises
    ------
    InputError : a manifest that lacks what a repetition needs.
    """
    from flowsim.cli.files import Writing
    from flowsim.model.network import Network

    content = codec.loads(manifest.read_text(encoding="utf-8"))
    keys = ("document", "replications_done", "seed", "engine")
    missing = [key for key in keys if key not in content]
    if missing:
        raise InputError(str(manifest), f"no {missing[0]}", "a manifest as `flowsim run` writes it")
    network = Network.from_dict(content["document"], f"{manifest}: document")
    targets = {name: out / name for name in (*(f"{table}.csv" for table in TABLES), DICTIONARY, MANIFEST)}
    with Writing(targets.values()) as files:
        asked = content["replications_done"]
        runs = _Runs(network, asked, content["seed"], content["engine"], False, threads, lang, False)
        runs.simulate(lambda number, log: None)
        if runs.output is None or runs.interrupted:
            return False
        _write_tables(files, targets, runs.output, _facts(Path(content.get("file", "")), runs.output, asked))
        files.commit()
    return True


def check_animation(animate: Path | None) -> None:
    """Refuse a name that is no web page, or an environment that cannot draw, before anything is simulated."""
    if animate is None:
        return
    if animate.suffix.lower() not in (".html", ".htm"):
        raise InputError("--animate", repr(animate.suffix), "a file that ends in .html")
    from flowsim.present.animation import check_installed

    check_installed("--animate")


class _Runs:
    """The replications: what came out of them, without their logs, which are handed on one by one."""

    def __init__(
        self,
        network: Network,
        replications: int,
        seed: int,
        engine: str,
        log: bool,
        threads: int | None,
        lang: str,
        keep_first: bool,
    ) -> None:
        from flowsim.study.replicate import replicate

        self.network, self.replications, self.seed, self.engine = network, replications, seed, engine
        self.lang, self.keep_first = lang, keep_first
        self.runs = replicate(network, replications, seed, engine, log, threads)
        self.output: Output | None = None
        self.first_log: np.ndarray | None = None
        self.interrupted = False

    def simulate(self, add: Add) -> None:
        """Run; ``add`` takes each log. An interruption keeps what was finished."""
        from contextlib import closing

        from flowsim.present.console import Counter, announce_compiling
        from flowsim.present.texts import text
        from flowsim.study.replicate import collect

        announce_compiling(self.lang)
        done = []
        try:
            with closing(self.runs), Counter(text(self.lang, "cli.run.replications"), self.replications) as counter:
                for one in self.runs:
                    if one.log is not None:
                        add(one.number, one.log)
                        if self.keep_first and one.number == 0:
                            self.first_log = one.log
                    done.append(replace(one, log=None))
                    counter.show(len(done))
        except KeyboardInterrupt:
            self.interrupted = True
        if done:
            self.output = collect(self.network, self.seed, self.engine, done)


def _write_tables(
    files: Writing,
    targets: Mapping[str, Path],
    found: Output,
    facts: Mapping[str, Any],
    logs: Sequence[Mapping[str, Any]] = (),
) -> None:
    from flowsim.analysis.dictionary import package
    from flowsim.study.store import provenance

    tables = {table: found.summary() if table == "summary" else getattr(found, table) for table in TABLES}
    for table, frame in tables.items():
        files.write(targets[f"{table}.csv"], _as_csv(frame))
    described = package("run", tables, ("csv",))
    described["resources"] += logs
    files.write(targets[DICTIONARY], _as_json(described))
    files.write(targets[MANIFEST], _as_json(provenance() | dict(facts) | {"document": found.network.document}))


def _write_animation(
    files: Writing,
    place: Path,
    network: Network,
    log: np.ndarray | None,
    start: dt.date | None,
    region: Region | None,
    lang: str,
) -> None:
    from flowsim.present.animation import animation, as_page

    assert log is not None
    assert start is not None
    page = as_page(animation(log, network, start, lang, region), lang)
    files.write(place, lambda stream: stream.write(page.encode()))


def _facts(file: Path, found: Output, asked: int) -> dict[str, Any]:
    return {
        "file": str(file),
        "engine": found.engine,
        "seed": found.seed,
        "replications_asked": asked,
        "replications_done": found.replications,
        "events": int(found.appointments.sum()),
    }


def _as_csv(frame: pd.DataFrame) -> Callable[[BinaryIO], object]:
    return lambda stream: frame.to_csv(stream, index=False, lineterminator="\n")


def _as_json(content: Mapping[str, Any]) -> Callable[[BinaryIO], object]:
    written = codec.dumps(content, indent=2, default=str, ensure_ascii=False) + "\n"
    return lambda stream: stream.write(written.encode())


def _print_summary(found: Output, title: str, lang: str) -> None:
    from flowsim.present.console import print_table
    from flowsim.present.run_table import summary_rows
    from flowsim.present.texts import text

    header, rows = summary_rows(found.summary_rows(), lang)
    print_table(header, rows, title=title)
    key = "cli.run.one" if found.replications == 1 else "cli.run.many"
    print(text(lang, key, replications=found.replications, seed=found.seed, engine=found.engine))
