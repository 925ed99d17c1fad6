"""Repeating a run from its manifest: nothing beside it, and what differs now is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import typer

from flowsim.errors import InputError

if TYPE_CHECKING:
    from flowsim.study.again import Again
    from flowsim.study.repeat import Repeat

BESIDE: Final = frozenset({"repeat", "out", "lang", "json", "threads"})
"""What may stand beside ``--from``: the results do not depend on it."""


def arguments(context: typer.Context, manifest: Path, read: Callable[[Path], Again], lang: str) -> Mapping[str, Any]:
    """The arguments of the run that a manifest describes; notes about what differs now go to standard error.

    Raises
    ------
    InputError : another option or argument beside ``--from``; a manifest that cannot be used.
    """
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name not in BESIDE and source is not None and source.name == "COMMANDLINE":
            argument = parameter.param_type_name == "argument"
            given = getattr(parameter, "metavar", None) if argument else parameter.opts[0]
            raise InputError("--from", f"{given} beside it", "--from alone: the manifest says what to repeat")
    wanted = read(manifest)
    tell(wanted, lang)
    return wanted.arguments


def tell(wanted: Again | Repeat, lang: str) -> None:
    """Say what differs now from the run that is repeated, and that it was interrupted, if it was."""
    from flowsim.present.console import say
    from flowsim.present.texts import text, texts

    for what, then, now in wanted.differences:
        named = texts(lang).get(f"answer.what.{what}", what)
        say(text(lang, "answer.run.repeat_differs", what=named, then=then, now=now))
    if wanted.was_interrupted:
        say(text(lang, "answer.run.repeat_interrupted"))
