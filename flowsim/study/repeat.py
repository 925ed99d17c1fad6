"""Repeating a run from its manifest: the same scenario, seed and precision, so the same tables to the last bit."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from flowsim.errors import InputError
from flowsim.plan.figures import FigureBook, Source, is_path
from flowsim.scenario.load import Change, Scenario, default
from flowsim.scenario.unknowns import DRAWS
from flowsim.study.store import provenance

OWN_REGION = "inputs/region"
"""Beside a manifest: the figures that its run used."""
PACKAGES = ("numpy", "numba", "llvmlite", "scipy")
"""Packages of which another version may change the last bits of a result."""


@dataclass(frozen=True)
class Repeat:
    """What a manifest asks for.

    Attributes
    ----------
    scenario, seed, half_width, curve, most, draws : arguments of `flowsim.study.answer.answer`.
    was_interrupted : the run was stopped early; the repetition runs to its end.
    differences : (what, then, now) for whatever may keep the repetition from being equal to the last bit: ``flowsim``,
        ``sources``, ``figures`` and packages.
    """

    scenario: Scenario
    seed: int
    half_width: float
    curve: bool
    most: int
    draws: str
    was_interrupted: bool
    differences: tuple[tuple[str, str, str], ...]


def from_manifest(path: str | Path) -> Repeat:
    """Read a manifest that `flowsim answer` wrote (others: `flowsim.study.again`); of a folder (a crate): that in it.

    Beside a manifest, ``inputs/region`` holds the figures that the run used (`flowsim.study.crate`). They are taken
    when flowsim's own have changed since, or when the region is no longer where it was.

    Raises
    ------
    InputError : a file that cannot be read, is no manifest of an answer, or asks for what this flowsim does not have.
    """
    path, content = opened(path)
    asked = part(content, "asked", dict, path)
    described = part(content, "scenario", dict, path)
    scenario, hashes = scenario_of(described, path)
    return Repeat(
        scenario=scenario,
        seed=part(asked, "seed", int, path, "asked."),
        half_width=float(part(asked, "half_width", (int, float), path, "asked.")),
        curve=part(asked, "curve", bool, path, "asked."),
        most=part(asked, "most", int, path, "asked."),
        draws=part({"draws": DRAWS[0]} | asked, "draws", str, path, "asked."),
        was_interrupted=bool(content.get("interrupted", False)),
        differences=differences(content, [hashes]),
    )


def opened(path: str | Path) -> tuple[Path, dict[str, Any]]:
    """A manifest and where it is; of a folder: the manifest in it.

    Raises
    ------
    InputError : a file that cannot be read or holds something else.
    """
    path = Path(path)
    path = path / "manifest.json" if path.is_dir() else path
    return path, _json(path)


def differences(
    content: Mapping[str, Any], hashes: Sequence[tuple[str | None, str]] = ()
) -> tuple[tuple[str, str, str], ...]:
    """(what, then, now) for whatever may keep a repetition from being equal; ``hashes``: of scenarios, then and now."""
    now = provenance()
    then_packages = content.get("packages", {})
    pairs = [(key, content.get(key), now[key]) for key in ("flowsim", "sources")]
    pairs += [(name, then_packages.get(name), now["packages"].get(name)) for name in PACKAGES]
    pairs += [("figures", then, here) for then, here in hashes]
    return tuple((what, str(then), str(here)) for what, then, here in pairs if then != here)


def scenario_of(described: Mapping[str, Any], path: Path) -> tuple[Scenario, tuple[str | None, str]]:
    """The scenario that a manifest describes, and its fingerprint then and now."""
    region = region_of({"scenario": described}, path)
    scenario = _scenario(described, region, path)
    found, own = scenario.hash, path.parent / OWN_REGION
    if found != described.get("hash") and own.is_dir():
        scenario = _scenario(described, str(own.resolve()), path)
        found = scenario.hash if is_path(region) else scenario.fingerprint(region)
    return scenario, (described.get("hash"), found)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"manifest {path}", error.strerror or str(error), "a file that can be read") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise InputError(f"manifest {path}", f"no JSON ({error})", "a manifest.json that flowsim wrote") from None
    if not isinstance(content, dict):
        raise InputError(f"manifest {path}", f"a {type(content).__name__}", "a manifest.json that flowsim wrote")
    return content


def part(
    content: Mapping[str, Any], key: str, kind: Any, path: str | Path, prefix: str = "", maker: str = "answer"
) -> Any:
    """What stands under a key, if it is of that kind.

    Raises
    ------
    InputError : nothing, or something else than `flowsim <maker>` writes.
    """
    value = content.get(key)
    right = isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
    if not right:
        names = " or ".join(one.__name__ for one in (kind if isinstance(kind, tuple) else (kind,)))
        found = "nothing" if value is None else repr(value)[:60]
        raise InputError(f"manifest {path}: {prefix}{key}", found, f"{names}, as `flowsim {maker}` writes it")
    return value


def region_of(content: Mapping[str, Any], path: Path) -> str:
    """The region that a manifest speaks of; one that is no longer there: the copy beside the manifest."""
    region: str = part(part(content, "scenario", dict, path), "region", str, path, "scenario.")
    own = path.parent / OWN_REGION
    return str(own.resolve()) if is_path(region) and not Path(region).is_dir() and own.is_dir() else region


def _scenario(described: Mapping[str, Any], region: str, path: str | Path) -> Scenario:
    """The scenario as it was: settings, then every change of a figure, in order."""
    inside = "scenario."
    scenario = default(region)
    settings = {"unknowns": "prior", **part(described, "settings", dict, path, inside)}  # as before there was a choice
    scenario = scenario.with_settings(part(described, "name", str, path, inside), **settings)
    scenario = replace(
        scenario,
        title=part(described, "title", str, path, inside),
        files=tuple(map(str, part(described, "files", list, path, inside))),
    )
    book, changes = dict(scenario.book), []
    for number, given in enumerate(part(described, "changes", list, path, inside)):
        place = f"{inside}changes.{number}."
        if not isinstance(given, dict):
            raise InputError(f"manifest {path}: {place[:-1]}", repr(given)[:60], "a change of a figure")
        change = _change(given, FigureBook(scenario.book.region, book), path, place)
        book[change.key] = change.after
        changes.append(change)
    return replace(scenario, book=FigureBook(scenario.book.region, book), changes=tuple(changes))


def _change(given: Mapping[str, Any], book: FigureBook, path: str | Path, place: str) -> Change:
    key = part(given, "key", str, path, place)
    before = book.figure(key)
    dated = part(given, "value", dict, path, place)
    try:
        values = tuple(sorted((dt.date.fromisoformat(day), float(value)) for day, value in dated.items()))
        low, high = (None if given.get(end) is None else float(given[end]) for end in ("low", "high"))
        if not all(math.isfinite(x) for x in (*dict(values).values(), low or 0.0, high or 0.0)):
            raise ValueError
    except (TypeError, ValueError):
        raise InputError(
            f"manifest {path}: {place}value", repr(dated)[:60], "numbers by date, and low and high as numbers"
        ) from None
    if not values:
        raise InputError(f"manifest {path}: {place}value", "nothing", "numbers by date")
    because, file = part(given, "because", str, path, place), str(given.get("file", ""))
    source = Source(document=f"scenario ({file.split(':')[0]})", section=because)
    after = replace(before, values=values, source=source, kind="assumed", low=low, high=high)
    return Change(key, before, after, because, file)
