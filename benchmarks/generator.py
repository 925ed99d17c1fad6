"""Evidence for the generator: raw words for a statistical battery, the battery itself, and what a word costs.

    python benchmarks/generator.py words residents | dieharder -a -g 200
    python benchmarks/generator.py battery --out battery.json
    python benchmarks/generator.py cost

`docs/generator.md` holds the results. dieharder (R. G. Brown, https://webhome.phy.duke.edu/~rgb/General/dieharder.php)
is in the package lists of Debian, Ubuntu and Homebrew.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np
from numba import njit

from flowsim.model import draws

CHUNK = 1 << 17  # words written at a time
compiled = njit(nogil=True, error_model="numpy")  # as flowsim compiles, without its cache

# ---------------------------------------------------------------- words, interleaved as simulations use them


@compiled
def _residents(out: Any, seed: Any, at: Any) -> Any:
    """One word per resident, over the residents of one arrival stream."""
    key = draws.replication_key(seed, 0)
    for i in range(len(out)):
        out[i] = draws.word(draws.resident_key(key, at + i), 0, 3, draws.PURPOSE_SERVICE)


@compiled
def _streams(out: Any, seed: Any, at: Any) -> Any:
    """One word per resident, over 4096 arrival streams in turn: numbers that differ in their high bits."""
    key = draws.replication_key(seed, 0)
    for i in range(len(out)):
        n = at + i
        resident = ((n & 4095) << 28) | (n >> 12)
        out[i] = draws.word(draws.resident_key(key, resident), 0, 3, draws.PURPOSE_SERVICE)


@compiled
def _purposes(out: Any, seed: Any, at: Any) -> Any:
    """All 32 purposes at four stations in four loops of a resident; then the next resident."""
    key = draws.replication_key(seed, 0)
    for i in range(len(out)):
        n = at + i
        mine = draws.resident_key(key, n >> 9)
        out[i] = draws.word(mine, (n >> 7) & 3, (n >> 5) & 3, n & 31)


@compiled
def _replications(out: Any, seed: Any, at: Any) -> Any:
    """The same address over replications."""
    for i in range(len(out)):
        key = draws.replication_key(seed, at + i)
        out[i] = draws.word(draws.resident_key(key, 7), 0, 3, draws.PURPOSE_SERVICE)


@compiled
def _seeds(out: Any, seed: Any, at: Any) -> Any:
    """The same address over seeds."""
    for i in range(len(out)):
        key = draws.replication_key((np.int64(seed) << 40) + at + i, 0)
        out[i] = draws.word(draws.resident_key(key, 7), 0, 3, draws.PURPOSE_SERVICE)


@compiled
def _low_bytes(out: Any, seed: Any, at: Any) -> Any:
    """The lowest byte of one word per resident, eight to a word: it chooses the layer of the ziggurats."""
    key = draws.replication_key(seed, 0)
    for i in range(len(out)):
        packed = np.uint64(0)
        for j in range(8):
            bits = draws.word(draws.resident_key(key, (at + i) * 8 + j), 0, 3, draws.PURPOSE_SERVICE)
            packed = (packed << np.uint64(8)) | (bits & np.uint64(255))
        out[i] = packed


@compiled
def _second_words(out: Any, seed: Any, at: Any) -> Any:
    """A word, the words that a rejection or a two-word variate makes of it, and the next rings of a clock."""
    key = draws.replication_key(seed, 0)
    bits = np.uint64(0)
    for i in range(len(out)):
        which = (at + i) & 7
        if which == 0 or i == 0:
            bits = draws.word(draws.resident_key(key, (at + i) >> 3), 0, 3, draws.PURPOSE_CLOCK)
        if which == 0:
            out[i] = bits
        elif which == 1:
            out[i] = draws.again(bits)
        elif which == 2:
            out[i] = draws.aside(bits)
        else:
            out[i] = draws.tick(bits, which - 2)


@compiled
def _bare(out: Any, seed: Any, at: Any) -> Any:
    """Control that must fail: the states of SplitMix64 without its output function."""
    for i in range(len(out)):
        out[i] = np.uint64(seed) + np.uint64(0x9E3779B97F4A7C15) * np.uint64(at + i + 1)


_MASK = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)


@compiled
def philox(c0: Any, c1: Any, c2: Any, c3: Any, k0: Any, k1: Any) -> Any:
    """Philox4x32-10 of J. K. Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11, section 3.3.

    Four 32-bit counters and two keys (all uint64) give four 32-bit words.
    """
    for _ in range(10):
        p0 = np.uint64(0xD2511F53) * c0
        p1 = np.uint64(0xCD9E8D57) * c2
        c0, c1, c2, c3 = (p1 >> _HALF) ^ c1 ^ k0, p1 & _MASK, (p0 >> _HALF) ^ c3 ^ k1, p0 & _MASK
        k0 = (k0 + np.uint64(0x9E3779B9)) & _MASK
        k1 = (k1 + np.uint64(0xBB67AE85)) & _MASK
    return c0, c1, c2, c3


@compiled
def philox_word(key: Any, resident: Any, place: Any) -> Any:
    """A 64-bit word at the address (replication key, resident, place) by Philox4x32-10: the yardstick."""
    a, b, _, _ = philox(np.uint64(place), np.uint64(0), resident & _MASK, resident >> _HALF, key & _MASK, key >> _HALF)
    return a | (b << _HALF)


@compiled
def _philox_residents(out: Any, seed: Any, at: Any) -> Any:
    """Yardstick: one word of Philox4x32-10 per resident."""
    for i in range(len(out)):
        out[i] = philox_word(np.uint64(seed), np.uint64(at + i), np.uint64(96))


INTERLEAVINGS: dict[str, Callable[[np.ndarray, int, int], None]] = {
    "residents": _residents,
    "streams": _streams,
    "purposes": _purposes,
    "replications": _replications,
    "seeds": _seeds,
    "low-bytes": _low_bytes,
    "second-words": _second_words,
    "philox": _philox_residents,
    "bare": _bare,
}


def write_words(interleaving: str, seed: int, reader: IO[bytes]) -> None:
    """Write words until the reader has had enough."""
    fill = INTERLEAVINGS[interleaving]
    out = np.empty(CHUNK, np.uint64)
    at = 0
    try:
        while True:
            fill(out, seed, at)
            reader.write(out.data)
            at += CHUNK
    except BrokenPipeError:
        pass


# ---------------------------------------------------------------- the battery

# (dieharder's number, -n or None): the tests that its author calls good. Left out: 5-7 (suspect) and 14 (do not use) by
# `dieharder -l`; a series over n-tuples is represented by a few of its members.
SELECTION: list[tuple[int, int | None]] = [
    *[(test, None) for test in (0, 1, 2, 3, 4, 8, 9, 10, 11, 12, 13, 15, 16, 100, 101, 102)],
    *[(200, 1), (200, 4), (201, 2), (202, 3), (202, 5), (203, 0)],
    *[(test, None) for test in (204, 205, 206, 207, 208, 209)],
]
# Half a minute to three minutes each: for the interleaving that simulations use most.
LONG: list[tuple[int, int | None]] = [(17, None), (200, 8), (201, 4), (203, 7)]
LONG_FOR = "residents"


def run_one(interleaving: str, test: int, tuple_length: int | None, again: int = 0) -> list[dict[str, object]]:
    """One test of dieharder on fresh words (another seed per test, and per ``again``); a list of its results."""
    seed = 1_000_000 * again + 1000 * test + (tuple_length or 0) + 1
    command = ["dieharder", "-g", "200", "-d", str(test), "-c", ",", "-S", "1"]
    command += ["-n", str(tuple_length)] if tuple_length is not None else []
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert run.stdin is not None
    assert run.stdout is not None
    write_words(interleaving, seed, run.stdin)  # dieharder's report is shorter than a pipe holds
    report = run.stdout.read().decode()
    run.wait()
    results: list[dict[str, object]] = []
    for line in report.splitlines():
        parts = [part.strip() for part in line.split(",")]
        if len(parts) == 6 and parts[-1] in ("PASSED", "WEAK", "FAILED"):
            results.append(
                {"test": parts[0], "n": int(parts[1]), "p": float(parts[-2]), "result": parts[-1], "seed": seed}
            )
    return results


def battery(out: Path, only: list[str]) -> None:
    """Run the selection on each interleaving; keep what has been done in a JSON file and go on from there."""
    done: dict[str, list[dict[str, object]]] = json.loads(out.read_text()) if out.exists() else {}
    for interleaving in only:
        for test, length in SELECTION + (LONG if interleaving == LONG_FOR else []):
            key = f"{interleaving} {test} {'' if length is None else length}".strip()
            if key in done:
                continue
            began = time.perf_counter()
            done[key] = run_one(interleaving, test, length)
            verdicts = " ".join(str(one["result"]) for one in done[key])
            print(f"{key}: {verdicts} ({time.perf_counter() - began:.1f} s)", flush=True)
            out.write_text(json.dumps(done, indent=1))
    for interleaving in only:
        mine = [one for key, results in done.items() if key.split()[0] == interleaving for one in results]
        count = {name: sum(one["result"] == name for one in mine) for name in ("PASSED", "WEAK", "FAILED")}
        print(f"| {interleaving} | {len(mine)} | {count['PASSED']} | {count['WEAK']} | {count['FAILED']} |")


def repeat_weak(out: Path, times: int) -> None:
    """Run every test of the battery that gave a WEAK or FAILED again, on other words, but for the control."""
    done: dict[str, list[dict[str, object]]] = json.loads(out.read_text())
    for key, results in done.items():
        interleaving, test, *length = key.split()
        for one in results:
            if interleaving == "bare" or one["result"] == "PASSED":
                continue
            p_values = []
            for again in range(1, times + 1):
                more = run_one(interleaving, int(test), int(length[0]) if length else None, again)
                p_values += [other["p"] for other in more if other["n"] == one["n"]]
            print(f"| {interleaving} | {one['test']} {one['n']} | {one['p']} | {p_values} |", flush=True)


# ---------------------------------------------------------------- the cost


@compiled
def _cost_word(key: Any, count: Any) -> Any:
    total = np.uint64(0)
    for i in range(count):
        total ^= draws.word(draws.resident_key(key, i >> 3), 0, i & 7, 0)
    return total


@compiled
def _cost_exponential(key: Any, count: Any) -> Any:
    total = 0.0
    for i in range(count):
        total += draws.exponential(draws.word(draws.resident_key(key, i >> 3), 0, i & 7, 0))
    return total


@compiled
def _cost_normal(key: Any, count: Any) -> Any:
    total = 0.0
    for i in range(count):
        total += draws.normal(draws.word(draws.resident_key(key, i >> 3), 0, i & 7, 0))
    return total


@compiled
def _cost_philox(key: Any, count: Any) -> Any:
    total = np.uint64(0)
    for i in range(count):
        total ^= philox_word(key, np.uint64(i >> 3), np.uint64(i & 7))
    return total


def _numpy_streams(key: int, count: int) -> None:
    for i in range(count):
        np.random.Philox(key=key + i).random_raw()


def _numpy_bulk(key: int, count: int) -> None:
    np.random.Generator(np.random.Philox(key=key)).integers(0, 2**64, count, dtype=np.uint64)


def _numpy_exponential(key: int, count: int) -> None:
    np.random.Generator(np.random.Philox(key=key)).standard_exponential(count)


def cost() -> None:
    """Print nanoseconds per draw: the median of seven rounds, the candidates taken in turn."""
    key = np.uint64(draws.replication_key(1, 0))
    candidates: dict[str, tuple[Callable[[Any, int], object], int]] = {
        "addressed word (flowsim)": (_cost_word, 20_000_000),
        "addressed exponential (flowsim)": (_cost_exponential, 20_000_000),
        "addressed normal (flowsim)": (_cost_normal, 20_000_000),
        "addressed word by Philox4x32-10, compiled alike": (_cost_philox, 10_000_000),
        "NumPy Philox, one generator per address": (_numpy_streams, 20_000),
        "NumPy Philox, words in bulk (no addresses)": (_numpy_bulk, 5_000_000),
        "NumPy Philox, exponentials in bulk (no addresses)": (_numpy_exponential, 5_000_000),
    }
    taken: dict[str, list[float]] = {name: [] for name in candidates}
    for function, _ in candidates.values():
        function(key if function.__name__.startswith("_cost") else 1, 10)
    for _ in range(7):
        for name, (function, count) in candidates.items():
            began = time.perf_counter()
            function(key if function.__name__.startswith("_cost") else 1, count)
            taken[name].append((time.perf_counter() - began) / count * 1e9)
    for name, rounds in taken.items():
        print(f"| {name} | {np.median(rounds):.1f} |")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    words = commands.add_parser("words", help="raw 64-bit words to standard output")
    words.add_argument("interleaving", choices=list(INTERLEAVINGS))
    words.add_argument("--seed", type=int, default=1)
    run = commands.add_parser("battery", help="a selection of dieharder's tests on every interleaving")
    run.add_argument("--out", type=Path, default=Path("battery.json"), help="results, kept as they come (resumes)")
    run.add_argument("--only", nargs="+", choices=list(INTERLEAVINGS), default=list(INTERLEAVINGS))
    again = commands.add_parser("again", help="the tests of a battery that were weak, on other words")
    again.add_argument("--out", type=Path, default=Path("battery.json"), help="results of the battery")
    again.add_argument("--times", type=int, default=5)
    commands.add_parser("cost", help="nanoseconds per draw")
    given = parser.parse_args()
    if given.command == "words":
        write_words(given.interleaving, given.seed, sys.stdout.buffer)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to flush
    elif given.command == "battery":
        battery(given.out, given.only)
    elif given.command == "again":
        repeat_weak(given.out, given.times)
    else:
        cost()


if __name__ == "__main__":
    main()
