"""``flowsim plan``: the plan's own tables, recomputed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from flowsim.cli.options import Json, Lang
from flowsim.errors import InputError


def plan(
    region: Annotated[
        str, typer.Option("--region", metavar="NAME|DIR", help="A region that ships with flowsim, or a folder.")
    ] = "amstelland",
    format: Annotated[str, typer.Option("--format", metavar="text|json|csv", help="How to print it.")] = "text",
    lang: Lang = "nl",
    json: Json = False,
) -> None:
    """The plan's tables recomputed beside the plan's figures; each discrepancy with its cause."""
    from flowsim.plan.business_case import check_plan
    from flowsim.plan.figures import load_figures
    from flowsim.present.plan_table import render_plan

    if json and format not in ("text", "json"):
        raise InputError("--json", f"--format {format} beside it", "one of the two")
    where = region_of(region)
    checks = check_plan(load_figures(where), None if isinstance(where, str) else where)
    sys.stdout.write(render_plan(checks, lang, "json" if json else format))


def region_of(name: str) -> str | Path:
    """A region's name, or the folder that the name is a path of."""
    path = Path(name)
    return path if path.is_dir() or len(path.parts) != 1 else name
