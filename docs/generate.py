"""Makes the results that the site shows and that take long: ``make docs-results``, or one part at a time.

    python docs/generate.py                      every part
    python docs/generate.py assumptions --futures 64
    python docs/generate.py assumptions --anew   forget what was kept; without it, only what is missing is run

Run it again when the test of the kept results (tests/docs/test_docs_results.py) says that the code gives others.
"""

from __future__ import annotations

import argparse
import sys
import time
from functools import partial

from making import evidence

FUTURES = {"assumptions": 64, "extremes": 24, "first-day": 48, "face": 64}


def main(arguments: list[str] | None = None) -> int:
    """Make the parts that are asked for; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(FUTURES) + "; left out: all")
    parser.add_argument("--futures", type=int, help="simulated futures of every run")
    parser.add_argument("--anew", action="store_true", help="assumptions: do not go on from what was kept")
    asked = parser.parse_args(arguments)
    for part in asked.parts or FUTURES:
        if part not in FUTURES:
            parser.error(f"PART: found {part!r}; expected one of {', '.join(FUTURES)}")
        make(part, asked.futures or FUTURES[part], asked.anew)
    return 0


def make(part: str, futures: int, anew: bool) -> None:
    """One part."""
    began = time.monotonic()

    def tell(what: str) -> None:
        print(f"{part}: {what} ({time.monotonic() - began:.0f} s)", file=sys.stderr, flush=True)

    if part == "assumptions":
        known = {} if anew or not evidence.path(part).exists() else evidence.read(part)
        evidence.effects(futures, tell, partial(evidence.write, part), known)
    elif part == "extremes":
        evidence.write(part, evidence.run_extremes(futures, tell))
    elif part == "first-day":
        evidence.write(part, evidence.first_day(futures, tell))
    else:
        evidence.write(part, evidence.face(futures, tell))
    tell("kept")


if __name__ == "__main__":
    sys.exit(main())
