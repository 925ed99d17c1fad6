"""The command line: `main` turns whatever happens into one message and an exit code.

0 done; 1 a check or target that was asked for is missed (or a fault in flowsim itself); 2 unusable input, nothing is
written; 130 interrupted, what was finished is kept. Commands are in modules of this package, one for each group;
`flowsim.cli.commands` lists them. A module imports what is heavy inside its commands, so that ``flowsim --help`` is
quick.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from collections.abc import Collection, Sequence
from contextlib import suppress
from itertools import pairwise
from typing import Final

from flowsim.errors import InputError, one_line

DONE: Final = 0
MISSED: Final = 1
UNUSABLE: Final = 2
INTERRUPTED: Final = 130
TRACEBACK: Final = "FLOWSIM_TRACEBACK"
"""Environment variable: when set, a fault in flowsim shows where it happened."""
PLACES: Final = frozenset(
    ("--out", "--from", "--log", "--animate", "--template", "--again", "--extend", "--scenario", "--region")
)
"""Options whose value is a file or a folder."""
KINDS_OF_PLACE: Final = ("output folder ", "manifest ", "results ", "region ")
"""What stands before a path in a refusal; an option says the same."""
NEW_OBJECTS: Final = 100_000
"""Objects after which the garbage collector looks at the young ones: loading libraries makes many and drops few, and to
look as often as usual takes a fourteenth of the time to start."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command; ``arguments`` as after ``flowsim``, None: those of the process. Returns the exit code."""
    usual = gc.get_threshold()
    gc.set_threshold(usual[0] and max(NEW_OBJECTS, usual[0]), *usual[1:])  # 0: no collector at all
    try:
        if arguments is None:
            _be_patient()
        code = _run(sys.argv[1:] if arguments is None else list(arguments))
    except KeyboardInterrupt:
        code = _say("interrupted; nothing was written", INTERRUPTED)
    finally:
        gc.set_threshold(*usual)
    if arguments is None and code == INTERRUPTED:
        # Replications that still run would keep the process alive until they end.
        _flush()
        os._exit(code)
    return code


def _be_patient() -> None:
    """An interruption (Ctrl-C, or a system that asks the process to end) stops the run and keeps what it finished; a
    second one does not stop that, a third one does. What the process was started to ignore it goes on to ignore."""
    asked = [one for one in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(one) is not signal.SIG_IGN]

    def first(number: int, frame: object) -> None:
        for one in asked:
            signal.signal(one, second)
        raise KeyboardInterrupt

    def second(number: int, frame: object) -> None:
        for one in asked:
            signal.signal(one, signal.SIG_DFL)
        _say("interrupted; still keeping what was finished. Once more stops that at once", INTERRUPTED)

    if threading.current_thread() is threading.main_thread():
        for one in asked:
            signal.signal(one, first)


def _run(arguments: list[str]) -> int:
    import typer

    from flowsim.cli.commands import command_line, spelled_out

    usage_error: type[Exception] = typer.BadParameter.__mro__[1]  # its module differs between versions of typer
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us: nobody reads it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")  # a console without € shows ?
    try:
        command = command_line()
        with command.make_context("flowsim", spelled_out(arguments) or ["--help"]) as context:
            code = command.invoke(context)
        sys.stdout.flush()
        return int(code or DONE)
    except typer.Exit as end:
        return end.exit_code
    except usage_error as error:
        return _say(_usage(error), UNUSABLE)
    except InputError as error:
        return _say(_worded(_in_flags(error, arguments), arguments), UNUSABLE)
    except BrokenPipeError:  # whoever reads our output has seen enough
        return _abandon_output(DONE)
    except OSError as error:
        place = error.filename if error.filename is not None else "output"
        return _abandon_output(_say(f"{place}: {error.strerror or error}", UNUSABLE))
    except MemoryError:
        return _say("not enough memory for a run of this size", UNUSABLE)
    except Exception as error:
        if os.environ.get(TRACEBACK):
            raise
        what = " ".join(f"{type(error).__name__}: {error}".split())[:300]
        return _say(f"a fault in flowsim, please report it ({what}); {TRACEBACK}=1 shows where", MISSED)


def _usage(error: BaseException) -> str:
    """A wrong option or argument in one line, with where to find the right ones."""
    formatted = getattr(error, "format_message", lambda: str(error))
    message = " ".join(formatted().split()).rstrip(".")
    context = getattr(error, "ctx", None)
    return f"{message}; see {context.command_path if context else 'flowsim'} --help"


def _in_flags(error: InputError, arguments: list[str]) -> InputError:
    """The same, with the flag where Python would name the argument, and before the path of a file or folder, if that
    was given."""
    flag = "--" + error.where.replace("_", "-")
    if any(one.partition("=")[0] == flag for one in arguments):
        return error.at(flag)
    for option, value in _options(arguments, PLACES):
        kind = next((kind for kind in KINDS_OF_PLACE if error.where.startswith(kind)), "")
        place = error.where.removeprefix(kind)
        if place == value or place.startswith((f"{value.rstrip('/')}/", f"{value}: ")):
            return error.at(f"{option} {place}")
    return error


def _options(arguments: list[str], names: Collection[str]) -> list[tuple[str, str]]:
    """The value of each of these options that was given."""
    after = [(option, value) for option, value in pairwise(arguments) if option in names]
    return after + [
        (option, value) for option, sign, value in (one.partition("=") for one in arguments) if sign and option in names
    ]


def _worded(error: InputError, arguments: list[str]) -> str:
    """A refusal in the language that was asked for, where it has words in it; else in English."""
    from flowsim.present.refusals import told

    asked = [value for _, value in _options(arguments, ("--lang",))]
    return told("nl", error) if asked[-1:] == ["nl"] else str(error)


def _say(message: str, code: int) -> int:
    print(f"flowsim: {one_line(message)}", file=sys.stderr)
    return code


def _abandon_output(code: int) -> int:
    """Nothing can be written to standard output: what is still in its buffer goes nowhere, without a second error."""
    with suppress(OSError, ValueError, AttributeError):  # a stream that is no file, as in tests
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            _abandon_output(INTERRUPTED)
