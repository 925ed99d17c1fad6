"""Makes the posterior that ships with the region, and the tables of docs/calibration-tables.md.

    python benchmarks/calibration.py                 calibrate, write both (a minute or two on two cores)
    python benchmarks/calibration.py --points 1024   quicker, coarser
    python benchmarks/calibration.py --answer        the answer by prior and by posterior, into the same document

Simulation-based calibration is done on the last wave: its proposal is taken as the prior, each of its simulated years
in turn as the truth, and the other years as the table that is weighed.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

from flowsim.analysis import posterior as weighing
from flowsim.analysis.posterior import ErrorModel
from flowsim.plan.figures import region_directory
from flowsim.present.answer import Paragraph, Rows
from flowsim.present.calibrate import blocks
from flowsim.present.wording import unknown_name
from flowsim.scenario import posterior as shipped
from flowsim.scenario.load import default
from flowsim.study.posterior import POINTS, Calibrated, calibrated, ship

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "calibration-tables.md"
ANSWER = "## The answer, before and after"
BINS, DATASETS, LEVEL = 20, 1000, 0.01


def markdown(result: Calibrated) -> list[str]:
    lines = []
    for part in blocks(result, result.tables, "en"):
        if isinstance(part, Rows):
            lines += ["", f"## {part.title}", "", *table(part.header, part.rows), "", *part.notes]
        else:
            assert isinstance(part, Paragraph)
            lines += ["", *([f"## {part.heading}", ""] if part.heading else []), *part.lines]
    return lines


def table(header: tuple[str, ...], rows: tuple[tuple[str, ...], ...] | list[tuple[str, ...]]) -> list[str]:
    return ["| " + " | ".join(cells) + " |" for cells in (header, ("---",) * len(header), *rows)]


def simulation_based(result: Calibrated) -> list[str]:
    """Rank histograms of known truths, with the errors as stated, and with errors that are stated wrongly."""
    library, last = result.library, result.counts[-1]
    targets = result.targets
    values = library.values[-last:]
    stated = np.array([one.value(library.scenario.book) for one in targets])
    simulated = weighing.against_bounds(targets, stated, library.simulated(targets)[-last:])
    correlation = dict(library.observed.correlation)
    errors = ErrorModel.of(targets, correlation)
    wrong = ErrorModel(errors.covariance / 4.0, errors.bounds)
    datasets = min(DATASETS, last)
    places, sizes = weighing.ranks(values, simulated, errors, np.random.default_rng(1), datasets=datasets)
    bad, _ = weighing.ranks(values, simulated, errors, np.random.default_rng(1), used=wrong, datasets=datasets)
    counts, p = weighing.flatness(places, BINS)
    _, bad_p = weighing.flatness(bad, BINS)
    names = library.prior.names
    low, high = weighing.band(datasets, BINS, 1.0 - LEVEL / (BINS * len(names)))
    rows = [
        (
            unknown_name("en", name),
            f"{counts[j].min()} to {counts[j].max()}",
            f"{p[j]:.2f}",
            f"{100 * np.mean((places[:, j] > 0.05) & (places[:, j] < 0.95)):.0f}%",
            f"{bad_p[j]:.1g}",
            f"{100 * np.mean((bad[:, j] > 0.05) & (bad[:, j] < 0.95)):.0f}%",
        )
        for j, name in enumerate(names)
    ]
    header = ("Unknown", "Years in a bin", "p, flat", "In the 90% interval", "p, errors halved", "In it, errors halved")
    return [
        "",
        "## Known truths (simulation-based calibration)",
        "",
        f"{datasets} simulated years as truths, each held against {last - 1:,} others (worth {np.median(sizes):,.0f} "
        f"after weighing, median). Place of the truth in {BINS} bins: {datasets / BINS:.0f} expected; all bins of all "
        f"unknowns lie in {low} to {high} with 99% (Bonferroni). Flat at 1% for all together: every p above "
        f"{LEVEL / len(names):.2g}. The last two columns reckon with errors half as large as those that the data were "
        "made with, to see that it shows.",
        "",
        *table(header, rows),
    ]


def answers(futures: int) -> list[str]:
    """Chance of clearing by case, with unknowns drawn by prior and by posterior."""
    from flowsim.analysis.statistics import wilson
    from flowsim.study.answer import cases_of
    from flowsim.study.futures import Balances, Case

    rows = []
    balances = Balances(1)
    for name in cases_of(default()):
        cells = [name]
        for source in ("prior", "posterior"):
            case = Case(name, cases_of(default().with_settings("plan", unknowns=source))[name])
            case.extend(futures, 1, balances, None)
            chance = wilson(int(case.cleared.sum()), futures, 0.95)
            first, end = (np.array([f.by_programme[y, :, 1].sum() for f in case.futures]) for y in (0, -1))
            cells.append(f"{100 * chance.value:.0f}% ({100 * chance.low:.0f} to {100 * chance.high:.0f}%)")
            cells.append(" → ".join(f"{x.mean():.0f}" for x in (first, end)))
        rows.append((cells[0], cells[1], cells[3], cells[2], cells[4]))
    header = ("Case", "Cleared, prior", "Cleared, posterior", "Overdue, prior", "Overdue, posterior")
    note = f"{futures} futures of each, seed 1; 95% intervals; overdue: mean on the first day → at the end of 2029."
    return ["", ANSWER, "", note, "", *table(header, rows), ""]


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the posterior that ships, and its document.")
    parser.add_argument("--points", type=int, default=POINTS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--answer", action="store_true", help="only the answer by prior and by posterior")
    parser.add_argument("--futures", type=int, default=256, help="with --answer")
    asked = parser.parse_args()
    if asked.answer:
        before = DOCUMENT.read_text(encoding="utf-8").split(f"\n{ANSWER}")[0].rstrip("\n")
        DOCUMENT.write_text(before + "\n" + "\n".join(answers(asked.futures)), encoding="utf-8")
        return
    began = time.monotonic()
    result = calibrated(
        points=asked.points, seed=asked.seed, progress=lambda _, done, total: print(done, total, end="\r")
    )
    seconds = time.monotonic() - began
    folder = Path(str(region_directory(result.library.scenario.region)))
    ship(folder, result)
    one = result.posterior()
    mark = shipped.fingerprint(one.region, one.basis, one.names)
    head = [
        "# Calibration, in numbers",
        "",
        f"Generated by `python benchmarks/calibration.py --points {asked.points} --seed {asked.seed}`; "
        f"fingerprint of the figures {mark}. [calibration.md](calibration.md) says what it means.",
    ]
    DOCUMENT.write_text("\n".join([*head, *markdown(result), *simulation_based(result), ""]), encoding="utf-8")
    print(f"{seconds:.0f} s, worth {result.effective:.0f} of {len(result.weights)}; waves: {result.counts}")


if __name__ == "__main__":
    main()
