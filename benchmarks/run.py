"""Run the benchmarks, print what they measured, and keep it in ``benchmarks/results/<version>.json``.

    python benchmarks/run.py [--rounds 5] [--only engines ...] [--out FILE]

A benchmark is a module beside this one with ``measure(rounds: int) -> list[dict]``: a row for each thing measured, with
the same keys in every row. Rounds are interleaved by the module, so that a busy minute does not hit one candidate only.
"""

from __future__ import annotations

import argparse
import ast
import datetime as dt
import importlib.util
import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import flowsim
from flowsim.present.console import plain_table

HERE = Path(__file__).resolve().parent
Row = dict[str, Any]


def benchmarks(folder: Path) -> dict[str, Path]:
    """The modules of a folder that define ``measure``, by name; found without running them."""
    found = {}
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
        if any(isinstance(node, ast.FunctionDef) and node.name == "measure" for node in tree.body):
            found[path.stem] = path
    return found


def measure_of(path: Path) -> Callable[[int], list[Row]]:
    """The ``measure`` of a benchmark."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.measure  # type: ignore[no-any-return]


def processor() -> str:
    """The model of the processor, as well as this system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor() or platform.machine()


def machine() -> Row:
    """What the numbers depend on, besides flowsim."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "processor": processor(),
        "cores": cores,
        "load_before": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        **{name: version(name) for name in ("numba", "numpy", "simpy")},
    }


def commit() -> str | None:
    """The commit that was measured, with ``+`` when files differ from it; None outside a repository."""
    git = ["git", "-C", str(HERE)]
    try:
        name = subprocess.run([*git, "rev-parse", "--short=12", "HEAD"], capture_output=True, text=True, check=True)
        changed = subprocess.run([*git, "status", "--porcelain", "-uno"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return name.stdout.strip() + ("+" if changed.stdout.strip() else "")


def written(value: Any) -> str:
    """A value in a table: four significant digits."""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.4g}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def table(rows: Sequence[Row]) -> str:
    """Rows as text; a column for each key."""
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [[written(row[key]) if key in row else "" for key in columns] for row in rows]
    left = next((i for i, key in enumerate(columns) if not isinstance(rows[0].get(key), str)), len(columns))
    return plain_table(columns, cells, left)


def save(path: Path, content: Row) -> None:
    """Write a JSON file, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.part")
    beside.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    beside.replace(path)


def with_earlier(content: Row, place: Path) -> Row:
    """Beside what was measured now, what the file has of other benchmarks of the same version; ``earlier`` says when,
    where and of which commit."""
    try:
        before = json.loads(place.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return content
    if before.get("flowsim") != content["flowsim"]:
        return content
    kept = {name: rows for name, rows in before["results"].items() if name not in content["results"]}
    origin = {key: before[key] for key in ("commit", "measured", "machine", "rounds")}
    earlier = {name: before.get("earlier", {}).get(name, origin) for name in kept}
    return {**content, "results": {**kept, **content["results"]}, **({"earlier": earlier} if earlier else {})}


def main(arguments: Sequence[str] | None = None, folder: Path = HERE) -> int:
    """Run them; 0 when something was measured, 2 when there is nothing to run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    known = benchmarks(folder)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of each benchmark (default 5)")
    parser.add_argument("--only", nargs="+", choices=list(known), default=list(known), help="some of the benchmarks")
    parser.add_argument("--out", type=Path, default=folder / "results" / f"{flowsim.__version__}.json")
    given = parser.parse_args(arguments)
    if given.rounds < 1:
        parser.error(f"--rounds: found {given.rounds}, expected at least 1")
    if not given.only:
        print(f"no benchmarks in {folder}", file=sys.stderr)
        return 2
    content: Row = {
        "flowsim": flowsim.__version__,
        "commit": commit(),
        "measured": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "rounds": given.rounds,
        "results": {},
    }
    print("  ".join(f"{key} {value}" for key, value in content["machine"].items()), flush=True)
    for name in given.only:
        rows = measure_of(known[name])(given.rounds)
        content["results"][name] = rows
        print(f"\n{name}\n{table(rows)}", flush=True)
    save(given.out, with_earlier(content, given.out))
    print(f"\nwritten: {given.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
