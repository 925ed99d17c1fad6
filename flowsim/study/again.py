"""What the manifests of compare, targets, sensitivity, seek, its map and update ask for: arguments to run them again.

`flowsim.study.repeat` reads that of an answer. With the same versions a repetition gives the same tables to the last
bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

from flowsim.errors import InputError
from flowsim.scenario.load import Scenario
from flowsim.study.repeat import differences, opened, part, scenario_of

NUMBER: Final = (int, float)


@dataclass(frozen=True)
class Again:
    """A run to repeat.

    Attributes
    ----------
    arguments : of the function that made it. was_interrupted : it was stopped early; the repetition runs to its end.
    differences : (what, then, now) for whatever may keep the repetition from being equal to the last bit.
    """

    arguments: Mapping[str, Any]
    was_interrupted: bool
    differences: tuple[tuple[str, str, str], ...]


def compare(path: str | Path) -> Again:
    """Arguments of `flowsim.study.compare.compare`.

    Raises
    ------
    InputError : a file that cannot be read, or is no manifest of this command (so for each of these functions).
    """
    path, content, asked = _asked(path, "compare")
    described = part(content, "scenarios", dict, path, maker="compare")
    made = []
    for name in described:
        one = part(described, name, dict, path, "scenarios.", "compare")
        made.append(scenario_of(part(one, "scenario", dict, path, f"scenarios.{name}.", "compare"), path))
    arguments: dict[str, Any] = {
        "scenarios": [replace(scenario, name=name) for name, (scenario, _) in zip(described, made, strict=True)],
        "base": asked("base", str),
        "futures": asked("futures", int),
        "seed": asked("seed", int),
        "follow_residents": asked("residents", bool),
    }
    if asked("best", (list, type(None))) is not None:
        best = asked("best", list)
        if len(best) != 3:
            raise InputError(f"manifest {path}: asked.best", repr(best)[:60], "outcome, max or min, indifference")
        arguments |= {"best": best[0], "largest": best[1] == "max", "indifference": best[2]}
    return _again(content, arguments, [hashes for _, hashes in made])


def targets(path: str | Path) -> Again:
    """Arguments of `flowsim.study.targets.evaluate`, and ``require``: the promises that were asked for."""
    path, content, asked = _asked(path, "targets")
    scenario, hashes = _scenario(content, path, "targets")
    arguments = {
        "scenario": scenario,
        "futures": asked("futures", int),
        "half_width": asked("half_width", (*NUMBER, type(None))),
        "seed": asked("seed", int),
        "require": asked("require", list),
    }
    return _again(content, arguments, [hashes])


def sensitivity(path: str | Path) -> Again:
    """Arguments of `flowsim.study.sensitivity.sensitivity`."""
    path, content, asked = _asked(path, "sensitivity")
    scenario, hashes = _scenario(content, path, "sensitivity")
    given = content.get("extension")
    extension = None if given is None else scenario_of(part(content, "extension", dict, path), path)
    arguments = {
        "scenario": scenario,
        "extension": None if extension is None else extension[0],
        "budget": asked("budget", int),
        "week": asked("week", NUMBER),
        "savings": asked("savings", bool),
        "seed": asked("seed", int),
    }
    return _again(content, arguments, [hashes, *([] if extension is None else [extension[1]])])


def seek(path: str | Path) -> Again:
    """Arguments of `flowsim.study.seek.seek`; with ``factors``, of `flowsim.study.decision_map.decision_map`."""
    path, content, asked = _asked(path, "seek")
    scenario, hashes = _scenario(content, path, "seek")
    levers = [_lever(name, ends, path) for name, ends in asked("levers", dict).items()]
    if not levers:
        raise InputError(f"manifest {path}: asked.levers", "nothing", "one lever or two, each with its range")
    arguments: dict[str, Any] = {"scenario": scenario, "target": asked("target", str), "seed": asked("seed", int)}
    if asked("map", (dict, type(None))) is not None:
        arguments |= {"factors": list(asked("map", dict)), "lever": levers[0], "futures": asked("map_futures", int)}
    else:
        numbers = {"half_width": asked("half_width", NUMBER), "budget": asked("budget", int)}
        arguments |= {"lever": levers, **numbers, "readings": asked("readings", bool)}
    return _again(content, arguments, [hashes])


def update(path: str | Path) -> Again:
    """Arguments of `flowsim.study.update.update`; the counts are in the manifest."""
    from flowsim.study.observed import given

    path, content, asked = _asked(path, "update")
    scenario, hashes = _scenario(content, path, "update")
    observed = part(content, "observed", dict, path, maker="update")
    inside = partial(part, observed, path=path, prefix="observed.", maker="update")
    cells = {}
    for row in inside("counts", list):
        if not (isinstance(row, list) and len(row) == 3 and isinstance(row[2], NUMBER) and all(map(_word, row[:2]))):
            raise InputError(f"manifest {path}: observed.counts", repr(row)[:60], "quarter, quantity and count")
        cells[row[0], row[1]] = row[2]
    counts = replace(
        given(cells), name=inside("name", str), digest=inside("digest", str), made_up=inside("made_up", bool)
    )
    arguments = {
        "observed": counts,
        "scenario": scenario,
        "futures": asked("futures", int),
        "half_width": float(asked("half_width", NUMBER)),
        "seed": asked("seed", int),
    }
    return _again(content, arguments, [hashes])


# ---------------------------------------------------------------- what they share


def _asked(path: str | Path, maker: str) -> tuple[Path, dict[str, Any], Callable[[str, Any], Any]]:
    """A manifest, and a function that gives what was asked under a key. A key that may be absent: a kind with None."""
    path, content = opened(path)
    asked = part(content, "asked", dict, path, maker=maker)

    def get(key: str, kind: Any) -> Any:
        if asked.get(key) is None and isinstance(kind, tuple) and type(None) in kind:
            return None
        kinds = tuple(one for one in kind if one is not type(None)) if isinstance(kind, tuple) else kind
        return part(asked, key, kinds, path, "asked.", maker)

    return path, content, get


def _again(content: Mapping[str, Any], arguments: Mapping[str, Any], hashes: Any) -> Again:
    return Again(arguments, bool(content.get("interrupted", False)), differences(content, hashes))


def _scenario(content: Mapping[str, Any], path: Path, maker: str) -> tuple[Scenario, tuple[str | None, str]]:
    return scenario_of(part(content, "scenario", dict, path, maker=maker), path)


def _lever(name: str, ends: Any, path: Path) -> str:
    """A lever with its range, as `flowsim.study.levers.lever` reads it."""
    if not (isinstance(ends, list) and len(ends) == 2 and all(isinstance(end, NUMBER) for end in ends)):
        raise InputError(f"manifest {path}: asked.levers.{name}", repr(ends)[:60], "two numbers, low and high")
    return f"{name}={ends[0]!r}:{ends[1]!r}"


def _word(value: Any) -> bool:
    return isinstance(value, str)
