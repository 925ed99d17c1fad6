"""What the tests of the command line share: a network file, and what a refusal looks like."""

from __future__ import annotations

from collections.abc import Callable

from flowsim.cli import UNUSABLE

NETWORK = """
title = "A clinic and a ward"
horizon = 400.0
warm_up = 100.0
snapshot_every = 50.0
classes = ["a", "b"]

[[stations]]
name = "clinic"
servers = 3
service = {distribution = "exponential", mean = 1.2}
patience = {distribution = "exponential", mean = 30.0}

[[stations]]
name = "ward"
servers = "inf"
service = {distribution = "exponential", mean = 1.2}

[[arrivals]]
class = "a"
station = "clinic"
rate = 2.0

[[routes]]
from = "clinic"
to = {ward = 0.1, exit = 0.9}
"""

Call = Callable[..., tuple[int, str, str]]


def refused(result: tuple[int, str, str], *parts: str) -> None:
    """Exit 2, nothing on standard output, one line that holds the parts."""
    code, out, error = result
    assert (code, out) == (UNUSABLE, "")
    assert error.startswith("flowsim: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    for part in parts:
        assert part in error
