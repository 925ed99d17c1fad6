"""The list of commands, in the order in which the help shows them."""

from __future__ import annotations

from typing import Annotated, Any

import typer

import flowsim
from flowsim.cli import (
    answer,
    app,
    calibrate,
    compare,
    crate,
    documents,
    plan,
    report,
    run,
    seek,
    sensitivity,
    sweep,
    targets,
    update,
    verify,
)
from flowsim.errors import InputError


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"flowsim {flowsim.__version__}")
        raise typer.Exit


def _flowsim(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """Does diverting demand clear the waiting lists for mental-health care in a Dutch region?"""


def command_line() -> Any:
    """The commands as they are called. A default in words is a part of the help: click would put it in brackets."""
    group: Any = typer.main.get_command(application())
    for command in group.commands.values():
        for option in command.params:
            words = getattr(option, "show_default", None)
            if isinstance(words, str):
                option.help, option.show_default = f"{option.help}  [default: {words}]", False
    return group


def spelled_out(arguments: list[str]) -> list[str]:
    """The arguments, none of them empty, with the usual file behind a ``--log`` of `run` that names none: an option
    takes a value or is a flag, and this one is both.

    Raises
    ------
    InputError : an empty argument, such as a variable of the shell leaves that has no value; it would pass for the
        present folder.
    """
    for i, one in enumerate(arguments):
        if one == "" or (one.startswith("--") and one.endswith("=")):
            before = arguments[i - 1] if i else ""
            named = one.rstrip("=") or (before if before.startswith("--") else f"argument {i + 1}")
            raise InputError(named, "nothing between the quotes", "a value (does a variable have none?)")
    made = list(arguments)
    if made[:1] == ["run"]:
        for i in reversed(range(len(made))):
            if made[i] == "--log" and (i + 1 == len(made) or made[i + 1].startswith("--")):
                made.insert(i + 1, run.USUAL_LOG)
    return made


def application() -> typer.Typer:
    """The commands as typer knows them. Plain help: the rich one costs as much start-up time as all the rest."""
    commands = typer.Typer(add_completion=False, rich_markup_mode=None)
    commands.callback()(_flowsim)
    for command in (
        answer.answer,
        targets.targets,
        compare.compare,
        update.update,
        calibrate.calibrate,
        plan.plan,
        report.report,
        app.app,
        run.run,
        sensitivity.sensitivity,
        seek.seek,
        sweep.sweep,
        crate.crate,
        verify.verify,
        documents.check,
        documents.schema,
    ):
        commands.command()(command)
    return commands
