"""How often `flowsim verify` would raise a false alarm: many tables, each with luck of its own.

    python benchmarks/false_alarms.py --tables 200                     the reference engine's runs
    python benchmarks/false_alarms.py --tables 20 --design compiled    the compiled engine's

The runs of the reference engine are made by the compiled engine, which gives the same numbers in less time. Prints, for
some levels, the share of comparisons that miss at that level, which should be the level itself; and the tables that
have a miss at the level that `flowsim verify` uses.
"""

from __future__ import annotations

import argparse
from dataclasses import replace

from flowsim.study.verification import cases
from flowsim.study.verification.case import Case
from flowsim.study.verify import FAMILY_RATE, MISSES, compared, sampled

LEVELS = (0.05, 0.01, 0.001)


def as_run_by(case: Case, engine: str) -> Case:
    """A case for the compiled engine as ``engine`` runs it."""
    known = tuple(one for one in case.known if engine in one.engines)
    replications = {"compiled": case.replications[engine], "reference": 1}
    return replace(case, document=case.document_for(engine), known=known, replications=replications, share=1.0)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how often flowsim verify raises a false alarm.")
    parser.add_argument("--tables", type=int, default=20, metavar="N")
    parser.add_argument("--seed", type=int, default=3000, metavar="N", help="of the first table")
    parser.add_argument("--design", choices=("reference", "compiled"), default="reference")
    asked = parser.parse_args()
    chosen = [as_run_by(case, asked.design) for case in cases()]
    used = FAMILY_RATE / sum(len(known.engines) for case in cases() for known in case.known)
    misses = dict.fromkeys((*LEVELS, used), 0)
    tables = comparisons = 0
    for seed in range(asked.seed, asked.seed + asked.tables):
        values, _ = sampled(chosen, "compiled", seed)
        for level in misses:
            verdicts = [
                row["verdict"]
                for case, found in zip(chosen, values, strict=True)
                for row in compared(case, "compiled", found, 1.0 - level)
            ]
            misses[level] += verdicts.count(MISSES)
            tables += level == used and MISSES in verdicts
        comparisons += len(verdicts)
    for level, count in misses.items():
        print(f"level {level:.2g}: {count} of {comparisons} comparisons miss, {count / comparisons:.2g}")
    print(f"tables with a miss at level {used:.2g}: {tables} of {asked.tables}")


if __name__ == "__main__":
    main()
