"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def whole(text: str | int) -> int:
    """A whole number, as an option gives it."""
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"found {text!r}, expected a whole number") from None


File = Annotated[Path, typer.Argument(metavar="FILE", help="A TOML file.", show_default=False)]
Lang = Annotated[str, typer.Option("--lang", metavar="nl|en", help="Language of what is printed.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Seed = Annotated[
    int, typer.Option("--seed", parser=whole, metavar="N", help="Whole number from 0; the same seed, the same luck.")
]
Replications = Annotated[
    int, typer.Option("--replications", parser=whole, metavar="N", help="How many runs, each with luck of its own.")
]
Engine = Annotated[str, typer.Option("--engine", metavar="compiled|reference", help="Same results; compiled is fast.")]
Threads = Annotated[
    int | None,
    typer.Option("--threads", parser=whole, metavar="N", help="Default: all cores. Results do not depend on it."),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write tables and a manifest to this folder.", show_default=False),
]
