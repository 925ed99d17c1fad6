"""Executes every notebook (notebooks/*.py, jupytext percent) from top to bottom; the first error is the verdict.

The executed notebooks, with what they show, are left in build/notebooks/.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

ROOT = Path(__file__).resolve().parent.parent
SECONDS_PER_CELL = 900


def execute(source: Path, executed: Path) -> None:
    """Run one notebook in a fresh kernel, in its own folder; keep it with its outputs, also when a cell fails."""
    notebook = jupytext.read(source)
    client = NotebookClient(
        notebook,
        kernel_name="python3",
        timeout=SECONDS_PER_CELL,
        resources={"metadata": {"path": str(source.parent)}},
    )
    try:
        client.execute()
    finally:
        executed.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, executed)


def main(folder: Path = ROOT / "notebooks", outputs: Path = ROOT / "build" / "notebooks") -> int:
    """Execute all notebooks of a folder; returns the number that failed."""
    sources = sorted(folder.glob("*.py"))
    if not sources:
        print("No notebooks yet: nothing executed.")
    failed = 0
    for source in sources:
        started = time.perf_counter()
        try:
            execute(source, outputs / f"{source.stem}.ipynb")
        except CellExecutionError as error:
            failed += 1
            print(f"{source.name}: FAILED\n{error}", file=sys.stderr)
        else:
            print(f"{source.name}: executed in {time.perf_counter() - started:.1f} s")
    return failed


if __name__ == "__main__":
    sys.exit(min(main(), 1))
