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


def number(text: str | float) -> float:
    """A number, as an option gives it."""
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"found {text!r}, expected a number") from None


File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A TOML file, or a name in experiments/.", show_default=False)
]
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
    typer.Option("--threads", parser=whole, metavar="N", help="Results do not depend on it.", show_default="all cores"),
]
ScenarioFile = Annotated[
    Path | None,
    typer.Argument(
        metavar="SCENARIO", help="A scenario file, or a name in experiments/; left out: the plan.", show_default=False
    ),
]
FutureSeed = Annotated[int, typer.Option("--seed", parser=whole, metavar="N", help="Same seed, same futures.")]
Precision = Annotated[
    float | None,
    typer.Option(
        "--half-width",
        parser=number,
        metavar="X",
        help="Stop when 95% intervals are this far either way.",
        show_default="0.03",
    ),
]
"""Of the probabilities of an answer."""
FutureSeedOrNone = Annotated[
    int | None,
    typer.Option("--seed", parser=whole, metavar="N", help="Same seed, same futures.", show_default="1"),
]
"""Where nothing beside another option may be given, so that what was given must be told from what is usual."""
From = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="MANIFEST",
        help="Repeat a run (its manifest or crate) to the last bit.",
        show_default=False,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="DIR", help="Write tables and a manifest to this folder.", show_default=False),
]
