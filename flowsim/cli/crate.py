"""``flowsim crate``: results as an RO-Crate, and the same run again from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flowsim.cli import DONE, INTERRUPTED, MISSED, UNUSABLE
from flowsim.cli.options import Json, Lang, Threads
from flowsim.errors import InputError


def crate(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="A folder with the results of a command.", show_default=False)
    ],
    again: Annotated[
        Path | None,
        typer.Option(
            "--again",
            metavar="DIR",
            help="Run again from the crate, into this folder, and compare every byte of the tables.",
            show_default=False,
        ),
    ] = None,
    threads: Threads = None,
    lang: Lang = "en",
    json: Json = False,
) -> int:
    """Make an RO-Crate of results: inputs, outputs, versions, what to cite. Or run again from one."""
    from flowsim.present.console import print_json
    from flowsim.present.texts import text, texts
    from flowsim.study.crate import METADATA, make_crate

    texts(lang)
    if again is not None:
        return _again(folder, again, threads, lang, json)
    if threads is not None:
        raise InputError("--threads", "no --again", "--again DIR beside it")
    content = make_crate(folder)
    count = sum(1 for one in content["@graph"] if one.get("@type") == "File")
    if json:
        print_json({"crate": str(folder / METADATA), "files": count})
    else:
        print(text(lang, "crate.made", place=folder / METADATA, files=count))
    return DONE


def _silently(kind: str, manifest: Path, out: Path, threads: int | None, lang: str) -> int:
    """The command that made a manifest, once more; what it says on standard output goes nowhere."""
    import io
    from contextlib import redirect_stdout

    from flowsim.cli import main

    words = [kind, "--from", str(manifest), "--out", str(out), "--lang", lang]
    with redirect_stdout(io.StringIO()):
        return main(words if threads is None else [*words, "--threads", str(threads)])


def _again(folder: Path, out: Path, threads: int | None, lang: str, json: bool) -> int:
    """Exit 1 when a table differs."""
    from flowsim.present.console import print_json
    from flowsim.present.texts import text
    from flowsim.study.crate import MANIFEST, check_crate, compare

    if out.resolve() == folder.resolve() or folder.resolve() in out.resolve().parents:
        raise InputError("--again", f"{out}, in the crate itself", "another folder")
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError("--again", f"{out}, with something in it", "an empty folder, or one that does not exist")
    kind = check_crate(folder)
    if kind == "answer":
        from flowsim.cli.answer import repeated

        finished = repeated(folder / MANIFEST, out, threads, lang)
    elif kind == "run":
        from flowsim.cli.run import repeated as run_again

        finished = run_again(folder / MANIFEST, out, threads, lang)
    else:
        code = _silently(kind, folder / MANIFEST, out, threads, lang)
        if code == UNUSABLE:
            return code
        finished = code != INTERRUPTED
    if not finished:
        return INTERRUPTED
    found = compare(folder, out)
    differ = [name for name, same in found.items() if not same]
    if json:
        print_json({"crate": str(folder), "again": str(out), "same": not differ, "tables": found})
    elif differ:
        print(text(lang, "crate.differ", count=len(differ), tables=len(found), names=", ".join(differ)))
    else:
        print(text(lang, "crate.same", tables=len(found), place=out))
    return MISSED if differ or not found else DONE
