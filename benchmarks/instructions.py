"""Instructions an appointment: what the compiled engine and ``limit.c`` execute on W, and the engine on the region.

Counts do not depend on what else the machine does, so they tell a change of a few per cent that time hides; they are
not time (what waits for memory or for a branch counts as one). valgrind's callgrind counts a process that simulates
once and one that simulates three times; the difference, over the appointments of two replications, leaves starting,
importing and compiling out. valgrind knows no AVX-512, so all is compiled for an older processor (Haswell).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
COUNTS = ("Ir", "Dr", "Dw", "Bc", "Bcm")
ONCE, THRICE = 1, 3
CASES = (("W", "limit.c"), ("W", "flowsim"), ("region", "flowsim"))
OLDER = {
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "+avx2,+bmi,+bmi2,+fma,+popcnt,+lzcnt,+sse4.2,+sse4.1,+ssse3,+avx",
}


def simulate(network: str, engine: str, replications: int, folder: str) -> None:
    """What runs under valgrind: print the number of appointments of this many replications."""
    sys.path.insert(0, str(HERE))
    import engines
    import limit

    from flowsim.engines import compiled
    from flowsim.scenario.compile import compile_scenario
    from flowsim.scenario.load import default

    simulated = engines.network_w() if network == "W" else compile_scenario(default())
    if engine == "flowsim":
        print(sum(compiled.simulate_once(simulated, 1, number)[2] for number in range(replications)))
        return
    library = limit.build_limit(Path(folder), "haswell")
    run = limit.limit_of(library, simulated)
    print(sum(int(run(1, number)["appointments"]) for number in range(replications)))


def counted(network: str, engine: str, replications: int, folder: Path, valgrind: str | None) -> tuple[int, list[int]]:
    """Appointments, and the counts of `COUNTS`, of one process; without valgrind no counts."""
    order = f"import sys; sys.path.insert(0, {str(HERE)!r}); import instructions; "
    order += f"instructions.simulate({network!r}, {engine!r}, {replications}, {str(folder)!r})"
    command = [sys.executable, "-c", order]
    if valgrind is not None:
        tool = ["--tool=callgrind", "--branch-sim=yes", "--cache-sim=yes", "--smc-check=all-non-file"]
        command = [valgrind, *tool, f"--callgrind-out-file={folder / 'counts'}", *command]
    environment = {**os.environ, **OLDER, "FLOWSIM_CACHE_DIR": str(folder / "cache")}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    names = re.search(r"Events +: (.*)", done.stderr)
    numbers = re.search(r"Collected : (.*)", done.stderr)
    found = dict(zip(names[1].split(), map(int, numbers[1].split()), strict=True)) if names and numbers else {}
    return int(done.stdout.split()[-1]), [found[name] for name in COUNTS if name in found]


def measure(rounds: int) -> list[dict[str, Any]]:
    """A row per network and engine; one round: counts repeat to a per cent. Nothing without valgrind and a compiler."""
    del rounds
    valgrind, compiler = shutil.which("valgrind"), shutil.which("gcc") or shutil.which("cc")
    if valgrind is None or compiler is None:
        return [{"network": "none", "engine": "none", "why": "valgrind and a C compiler are needed"}]
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for network, engine in CASES:
            counted(network, engine, ONCE, folder, None)  # fills the cache
            few, before = counted(network, engine, ONCE, folder, valgrind)
            many, after = counted(network, engine, THRICE, folder, valgrind)
            each = [(x - y) / (many - few) for x, y in zip(after, before, strict=True)]
            instructions, reads, writes, branches, missed = each
            rows.append(
                {
                    "network": network,
                    "engine": engine,
                    "instructions": instructions,
                    "reads": reads,
                    "writes": writes,
                    "branches": branches,
                    "mispredicted": missed,
                }
            )
    return rows
