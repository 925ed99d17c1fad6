"""Which planted faults the tests notice. Run by ``make mutants``, after `mutants`; state is kept, so it can be stopped.

    python tests/mutation/judge.py build/mutation cover      which test passes over which line, and how long it takes
    python tests/mutation/judge.py build/mutation judge      judge every mutant that has no verdict yet
    python tests/mutation/judge.py build/mutation judge --again survived --module analysis/theory
    python tests/mutation/judge.py build/mutation write      docs/results/mutation.json

A copy of the project is mutated, never the project. A mutant is judged in a process of its own, forked from one that
has loaded the libraries but nothing of flowsim. It runs the tests that pass over the changed line, then others of the
module, until one fails, quickest first, within the seconds of `plan.toml`; the tests that `plan.toml` names for modules
of compiled code, where no line can be followed. Machine code: a mutant of a module that is compiled, or whose constants
are, begins with an empty cache; any other gets a copy of the cache made from the same compiled sources.
"""

from __future__ import annotations

import argparse
import atexit
import compileall
import contextlib
import fcntl
import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
COPIED = (
    "flowsim",
    "tests",
    "docs",
    "experiments",
    "benchmarks",
    "pyproject.toml",
    "README.md",
    "CHANGELOG.md",
    "Makefile",
)
MEMORY = 5 << 30
"""Bytes of address space of a test process: a mutant that never stops growing ends."""
SURVIVED, KILLED, TIMEOUT, UNTESTED = "survived", "killed", "timeout", "untested"
PULSE = Path(tempfile.gettempdir(), f"flowsim-mutant-{os.getpid()}")
"""Touched whenever a test ends."""
PLAN: dict[str, Any] = tomllib.loads((HERE / "plan.toml").read_text(encoding="utf-8"))


# ---------------------------------------------------------------- the copy


def put_in_order(tree: Path) -> None:
    """Make the copy of the project as the project is now, times of files included."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "--", *COPIED],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    wanted = {name for name in listed.stdout.splitlines() if (ROOT / name).is_file()}
    for path in [p for p in tree.rglob("*") if p.is_file() and "__pycache__" not in p.parts]:
        if path.relative_to(tree).as_posix() not in wanted:
            path.unlink()
    for name in wanted:
        source, copy = ROOT / name, tree / name
        if (
            not copy.exists()
            or copy.read_bytes() != source.read_bytes()
            or copy.stat().st_mtime != source.stat().st_mtime
        ):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, copy)


def compile_modules(tree: Path, folder: Path) -> set[str]:
    """Byte code of everything as it is, tests as pytest rewrites them included; gives the names of all tests.

    Judging reads byte code and never writes any, so no mutant can leave its own behind.
    """
    compileall.compile_dir(tree / "flowsim", quiet=1, workers=1)

    def collect() -> list[str]:
        import pytest

        sys.dont_write_bytecode = False
        notes = Notes()
        pytest.main(["-q", "--collect-only", "-p", "no:cacheprovider", *_files(tree)], plugins=[notes])
        return notes.collected

    return set(in_a_child(tree, folder / "cache", 900, folder / "told.json", collect))


def _files(tree: Path) -> list[str]:
    """The files of tests that are followed, in the order of the plan."""
    found = [p.relative_to(tree).as_posix() for pattern in PLAN["tests"] for p in sorted(tree.glob(pattern))]
    return list(dict.fromkeys(found))


@contextlib.contextmanager
def planted(tree: Path, module: str, mutant: Path) -> Iterator[None]:
    """The copy with one fault in it."""
    target = tree / module
    try:
        target.write_bytes(mutant.read_bytes())
        yield
    finally:
        shutil.copy2(ROOT / module, target)


# ---------------------------------------------------------------- processes


def load_libraries() -> None:
    """What takes long to import, once, before forking: nothing of flowsim."""
    import hypothesis
    import matplotlib.pyplot
    import numba
    import pandas
    import pyarrow.parquet
    import pydantic
    import pytest
    import rich
    import scipy.optimize
    import scipy.stats
    import simpy
    import typer

    loaded = [hypothesis, matplotlib, numba, pandas, pyarrow, pydantic, pytest, rich, scipy, simpy, typer]
    assert loaded
    assert "flowsim" not in sys.modules


class Notes:
    """Plugin of pytest: tells the test that failed, and how long each took."""

    def __init__(self) -> None:
        self.failed: list[str] = []
        self.collected: list[str] = []
        self.seconds: dict[str, float] = {}
        self.follow: Callable[[str], None] = lambda name: None

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self.follow(nodeid)

    def pytest_runtest_logreport(self, report: Any) -> None:
        PULSE.touch()
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        self.collected += [item.nodeid for item in items]

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.failed.append(report.nodeid + " (import)")


def in_a_child(tree: Path, cache: Path, seconds: float, told: Path, work: Callable[[], Any]) -> Any:
    """What ``work`` gives in a forked process that starts in the copy; None when no test ends for so many seconds."""
    told.unlink(missing_ok=True)
    PULSE.write_text("")
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
            out = os.open(told.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.chdir(tree)
            os.environ |= {"FLOWSIM_CACHE_DIR": str(cache), "PYTHONPATH": str(tree), "FLOWSIM_NO_BROWSER": "1"}
            os.environ |= {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONSAFEPATH": "1"}
            sys.dont_write_bytecode = True
            sys.path[:0] = [str(tree)]
            told.write_text(json.dumps(work()), encoding="utf-8")
            code = 0
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    done = 0
    while not done and time.time() < PULSE.stat().st_mtime + seconds:
        done, _ = os.waitpid(child, os.WNOHANG)
        time.sleep(0.05)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)
    if not done:
        os.waitpid(child, 0)
        return None
    return (
        json.loads(told.read_text(encoding="utf-8"))
        if told.exists()
        else {"code": 70, "failed": ["(the process died)"]}
    )


def run_tests(tests: Iterable[str], notes: Notes, *options: str) -> dict[str, Any]:
    """Run pytest here, file by file until one fails; what is not needed is not even imported."""
    import pytest

    files: dict[str, list[str]] = {}
    for test in tests:
        files.setdefault(test.partition("::")[0], []).append(test)
    code = 0
    for mine in files.values():
        code = int(pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", *options, *mine], plugins=[notes]))
        if code:
            break
    import flowsim

    assert Path(flowsim.__file__).is_relative_to(Path.cwd()), "not the copy"
    return {"code": code, "failed": notes.failed[:3], "seconds": notes.seconds}


# ---------------------------------------------------------------- which test passes over which line


def cover(folder: Path) -> None:
    """Follow every file of tests once; keeps ``cover.json``, and goes on where it was stopped."""
    kept = folder / "cover.json"
    known: dict[str, Any] = json.loads(kept.read_text()) if kept.exists() else {}
    tree = folder / "tree"
    put_in_order(tree)
    sources = hashlib.sha256()
    for package in PLAN["packages"]:
        for path in sorted((tree / package).rglob("*.py")):
            sources.update(path.read_bytes())
    for file in _files(tree):
        stamp = f"{(tree / file).stat().st_mtime} {sources.hexdigest()[:16]}"  # a moved line needs other tests
        if known.get(file, {}).get("stamp") == stamp:
            continue
        began = time.monotonic()
        found = in_a_child(tree, folder / "cache", 900, folder / "told.json", lambda file=file: followed(tree, file))
        if found is None or "tests" not in found:
            print(f"{file}: not followed", (folder / "told.log").read_text()[-600:], flush=True)
            continue
        known[file] = {"stamp": stamp, **found}
        kept.write_text(json.dumps(known), encoding="utf-8")
        print(f"{file}: {len(found['tests'])} tests, {time.monotonic() - began:.0f} s", *found["failed"], flush=True)


def followed(tree: Path, file: str) -> dict[str, Any]:
    """Run a file of tests and note the lines of the mutated packages that each test passes over."""
    import coverage

    packages = [f"{package}/*" for package in PLAN["packages"]]
    follower = coverage.Coverage(data_file=None, include=packages)
    follower.start()
    notes = Notes()
    notes.follow = follower.switch_context
    run_tests([file], notes)
    follower.stop()
    data = follower.get_data()
    lines: dict[str, dict[str, list[int]]] = {}
    for path in data.measured_files():
        module = Path(path).relative_to(tree).as_posix()
        for line, tests in data.contexts_by_lineno(path).items():
            for test in tests:
                lines.setdefault(test, {}).setdefault(module, []).append(line)
    passed = {test: seconds for test, seconds in notes.seconds.items() if test not in notes.failed}
    return {
        "failed": notes.failed,
        "tests": {test: {"seconds": round(s, 3), "lines": lines.get(test, {})} for test, s in passed.items()},
    }


def chosen(mutant: dict[str, Any], known: dict[str, Any]) -> tuple[list[str], float]:
    """The tests that judge a mutant, in order, and the seconds of the slowest when nothing is wrong."""
    module, line = mutant["module"], mutant["line"]
    tests = {name: one for file in known.values() for name, one in file["tests"].items()}
    named = PLAN["by_module"].get(module, [])
    named = [*PLAN["always"], *named]
    by_name = [t for t in tests if any(t == one or t.startswith((one + "::", one + "[")) for one in named)]
    over = [t for t, one in tests.items() if line in one["lines"].get(module, [])]
    files = {t.partition("::")[0] for t in over}  # a fixture of a file counts as passed over by its first test only
    mates = [t for t in tests if t.partition("::")[0] in files]
    beside = [t for t, one in tests.items() if one["lines"].get(module)]
    taken: dict[str, None] = {}
    spent = 0.0
    slowest: dict[str, float] = {}
    for test, one in tests.items():
        file = test.partition("::")[0]
        slowest[file] = max(slowest.get(file, 0.0), one["seconds"])
    entered: set[str] = set()

    def cost(test: str) -> float:
        """Its seconds; for the first of a file those of its import, and of what its fixtures may simulate."""
        file = test.partition("::")[0]
        simulates = file.startswith(tuple(PLAN["simulating"]))
        return float(tests[test]["seconds"] + (0.3 + simulates * slowest[file] if file not in entered else 0.0))

    more = PLAN["beside"]
    for group, most in ((by_name, PLAN["named"]), (over, PLAN["seconds"]), (mates, 2 * more), (beside, more)):
        budget = spent + most
        for test in sorted(group, key=cost):
            if test not in taken and spent + cost(test) <= budget:
                spent += cost(test)
                taken[test] = None
                entered.add(test.partition("::")[0])
    order = dict.fromkeys(test.partition("::")[0] for test in taken)  # tests of a file together: they share fixtures
    return [test for file in order for test in taken if test.startswith(file + "::")], max(
        (tests[test]["seconds"] for test in taken), default=0.0
    )


# ---------------------------------------------------------------- verdicts


def judge(folder: Path, again: str, only: str, part: str, until: float) -> None:
    """Judge mutants one by one; keeps ``verdicts.json`` after each."""
    sample = json.loads((folder / "sample.json").read_text(encoding="utf-8"))
    known = json.loads((folder / "cover.json").read_text(encoding="utf-8"))
    kept = folder / "verdicts.json"
    verdicts: dict[str, Any] = json.loads(kept.read_text(encoding="utf-8")) if kept.exists() else {}
    tree = folder / "tree"
    put_in_order(tree)
    there = compile_modules(tree, folder)
    for file in known.values():  # tests that have gone since they were followed
        file["tests"] = {name: one for name, one in file["tests"].items() if name in there}
    wanted = [m for m in sample["mutants"] if any(one in m["module"] for one in only.split(",")) and part in m["part"]]
    sources = sample["sources"]
    wanted = [m for m in wanted if _is_open(verdicts.get(m["name"]), sources[m["module"]], again)]
    in_module = Counter(m["module"] for m in sample["mutants"])
    rank = {m["name"]: i for i, m in enumerate(sample["mutants"])}
    first = {m["module"]: rank[m["name"]] for m in reversed(sample["mutants"])}
    # Every module's first ones first: wherever it is stopped, what has been judged is nearly a stratified sample.
    wanted.sort(key=lambda m: (rank[m["name"]] - first[m["module"]]) / in_module[m["module"]])
    for i, mutant in enumerate(wanted):
        if time.time() > until:
            break
        began = time.monotonic()
        verdict = one_verdict(folder, mutant, known) | {"source": sources[mutant["module"]]}
        verdicts[mutant["name"]] = verdict
        kept.write_text(json.dumps(verdicts, indent=1), encoding="utf-8")
        what = f"{i + 1}/{len(wanted)} {verdict['outcome']} {time.monotonic() - began:.0f} s"
        print(f"{what} {mutant['name']} line {mutant['line']}: {mutant['after']}  {verdict['by']}", flush=True)


def _is_open(verdict: dict[str, Any] | None, source: str, again: str) -> bool:
    """Whether a mutant is to be judged: never was, was another program's, or had an outcome to be tried again."""
    return verdict is None or verdict["source"] != source or verdict["outcome"] == again


def one_verdict(folder: Path, mutant: dict[str, Any], known: dict[str, Any]) -> dict[str, Any]:
    """Plant a fault, run its tests."""
    tests, slowest = chosen(mutant, known)
    if not tests:
        return {"outcome": UNTESTED, "by": "", "tests": 0}
    tree, cache = folder / "tree", folder / "cache"
    is_compiled = mutant["module"] in PLAN["compiled"]
    with planted(tree, mutant["module"], folder / "mutants" / mutant["file"]):
        if mutant["module"].startswith("flowsim/model/"):
            cache = folder / "cache-of-a-mutant"
            shutil.rmtree(cache, ignore_errors=True)
            if not is_compiled:
                copy_machine_code(folder / "cache", cache, tree)
        limit = PLAN["patience"] * slowest + PLAN["start"] + (PLAN["compilation"] if is_compiled else 0)
        found = in_a_child(tree, cache, limit, folder / "told.json", lambda: run_tests(tests, Notes(), "-x"))
    if found is None:
        return {"outcome": TIMEOUT, "by": "", "tests": len(tests)}
    outcome = SURVIVED if found["code"] == 0 else KILLED
    return {
        "outcome": outcome,
        "by": (found["failed"] or [f"pytest code {found['code']}"])[0] if found["code"] else "",
        "tests": len(tests),
    }


def copy_machine_code(base: Path, cache: Path, tree: Path) -> None:
    """The machine code of the unchanged compiled modules, under the name that the changed sources ask for."""
    ask = "from flowsim.model import compiling as c; print(c._sources_hash())"
    environment = {
        **os.environ,
        "PYTHONPATH": str(tree),
        "PYTHONDONTWRITEBYTECODE": "1",
        "FLOWSIM_CACHE_DIR": str(cache),
    }
    asked = subprocess.run([sys.executable, "-c", ask], cwd=tree, env=environment, capture_output=True, text=True)
    made = next(iter((base / "flowsim").glob("compiled-*")), None)
    if asked.returncode == 0 and made:
        shutil.copytree(made, cache / "flowsim" / f"compiled-{asked.stdout.strip()}", dirs_exist_ok=True)


def write(folder: Path) -> None:
    """Keep the verdicts for the site, with the explanations of the survivors."""
    sample = json.loads((folder / "sample.json").read_text(encoding="utf-8"))
    verdicts = json.loads((folder / "verdicts.json").read_text(encoding="utf-8"))
    explained = tomllib.loads((HERE / "survivors.toml").read_text(encoding="utf-8"))
    path = ROOT / "docs" / "results" / "mutation.json"
    kept = json.loads(path.read_text(encoding="utf-8"))["mutants"]
    told = [one for one in kept if one["part"] in PLAN["earlier"]]  # of the code of then: not judged again
    for mutant in sample["mutants"]:
        verdict = verdicts.get(mutant["name"])
        if verdict is None or mutant["part"] not in PLAN["told"]:
            continue
        one = {key: mutant[key] for key in ("name", "module", "line", "operator", "before", "after", "part")}
        one |= {"outcome": verdict["outcome"], "by": verdict["by"]}
        told.append(one)
    for one in told:
        if one["outcome"] in (SURVIVED, UNTESTED):
            one |= explained.get(f"{one['part']} {one['name']}", {"kind": "", "why": ""})
    results = {key: sample[key] for key in ("seed", "population", "sources", "left_alone")} | {
        "tool": PLAN["tool"],
        "mutants": told,
    }
    path.write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    open_ones = [f"{one['part']} {one['name']}" for one in told if "why" in one and not one["why"]]
    print(f"{len(told)} told; without explanation: {len(open_ones)}", *open_ones, sep="\n")


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", choices=("cover", "judge", "write"))
    parser.add_argument("--again", default="", help="judge anew those with this outcome")
    parser.add_argument("--module", default="", help="only modules whose path holds this, or one of these (commas)")
    parser.add_argument("--part", default="", help="only mutants of this part of the plan")
    parser.add_argument("--seconds", type=float, help="of tests that pass over the line; instead of the plan's")
    parser.add_argument("--minutes", type=float, default=1e6, help="stop after so many minutes")
    asked = parser.parse_args()
    folder = asked.folder.resolve()
    PLAN["seconds"] = asked.seconds or PLAN["seconds"]
    os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MPLBACKEND": "Agg"}
    (folder / "tree").mkdir(parents=True, exist_ok=True)
    if asked.what == "write":
        write(folder)
        return 0
    alone = (folder / "lock").open("w")
    try:
        fcntl.flock(alone, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        print(f"{folder}: another process plants faults there", file=sys.stderr)
        return 2
    atexit.register(PULSE.unlink, missing_ok=True)
    load_libraries()
    if asked.what == "cover":
        cover(folder)
    else:
        judge(folder, asked.again, asked.module, asked.part, time.time() + 60 * asked.minutes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
