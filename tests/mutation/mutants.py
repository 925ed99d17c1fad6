"""Which faults are planted: the mutants of cosmic-ray in the packages of `plan.toml`, and a random sample of them.

Run by ``make mutants``, with cosmic-ray on the path; it needs nothing of flowsim. It writes the mutated modules and
``sample.json`` into the folder given.

A sample is *stratified*: every module has its share of it (largest remainders), and within a module mutants are drawn
at random with the seed of the plan. So each mutant of the population has the same chance, up to rounding. The next ones
in the same order are ``fresh``: a second sample, for which no test was written.
"""

from __future__ import annotations

import ast
import hashlib
import json
import random
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
Place = tuple[int, int]


@dataclass(frozen=True)
class Mutant:
    """One planted fault."""

    module: str
    operator: str
    occurrence: int
    line: int
    before: str
    after: str

    @property
    def name(self) -> str:
        return f"{self.module.removeprefix('flowsim/').removesuffix('.py')}:{self.operator}:{self.occurrence}"


def left_alone(source: str, decorators: list[str]) -> list[tuple[Place, Place]]:
    """Where a change means nothing: annotations (never evaluated), imports for type checkers, ways to compile."""
    found: list[ast.AST] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found += [node.returns] if node.returns else []
            found += [one for one in node.decorator_list if ast.unparse(one).split("(")[0] in decorators]
        if isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            found.append(node.annotation)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found.append(node)
    return [((one.lineno, one.col_offset), (one.end_lineno, one.end_col_offset)) for one in found]  # type: ignore


def mutants(module: str, source: str, plan: dict[str, Any]) -> Iterator[tuple[Mutant, str]]:
    """Every mutant of a module that is a program, with its source."""
    nodes = list(ast_nodes(get_ast(source)))
    spans = left_alone(source, plan["decorators"])
    lines = source.splitlines()
    for name in plan["operators"]:
        operator = get_operator(f"core/{name}")()
        places = [place for node in nodes for place in operator.mutation_positions(node)]
        for occurrence, (start, _) in enumerate(places):
            at = (start[0], start[1] + (name == "RemoveDecorator"))  # a decorator begins behind its @
            if any(begin <= at < end for begin, end in spans):
                continue
            yield Mutant(module, name, occurrence, start[0], lines[start[0] - 1].strip(), ""), source


def mutated(mutant: Mutant, source: str) -> str | None:
    """The module with its fault; None when that is no program, or the same one."""
    made = mutate_code(source, get_operator(f"core/{mutant.operator}")(), mutant.occurrence)
    if made is None:
        return None
    try:
        same = ast.dump(ast.parse(made)) == ast.dump(ast.parse(source))
        compile(made, mutant.module, "exec", dont_inherit=True)
    except SyntaxError:
        return None
    return None if same else str(made)


def shares(numbers: dict[str, int], size: int) -> dict[str, int]:
    """A sample of this size over strata in proportion to their numbers, by largest remainders."""
    total = sum(numbers.values())
    exact = {name: size * number / total for name, number in numbers.items()}
    given = {name: int(value) for name, value in exact.items()}
    rest = sorted(exact, key=lambda name: (given[name] - exact[name], name))
    for name in rest[: min(size, total) - sum(given.values())]:
        given[name] += 1
    return given


def main() -> int:
    """Draw the sample; returns the exit code."""
    folder = Path(sys.argv[1])
    plan = tomllib.loads((HERE / "plan.toml").read_text(encoding="utf-8"))
    sources, population = {}, {}
    for package in plan["packages"]:
        for path in sorted((ROOT / package).rglob("*.py")):
            module = path.relative_to(ROOT).as_posix()
            sources[module] = path.read_text(encoding="utf-8")
            population[module] = [mutant for mutant, _ in mutants(module, sources[module], plan)]
    numbers = {module: len(found) for module, found in population.items() if found}
    drawn: list[dict[str, Any]] = []
    (folder / "mutants").mkdir(parents=True, exist_ok=True)
    first, all_of_them = shares(numbers, plan["size"]), shares(numbers, plan["size"] + plan["fresh"])
    for module, number in all_of_them.items():
        order = list(population[module])
        random.Random(f"{plan['seed']} {module}").shuffle(order)
        kept = 0
        for mutant in order:
            made = mutated(mutant, sources[module]) if kept < number else None
            if made is None:
                continue
            kept += 1
            was, now = sources[module].splitlines(), made.splitlines()
            after = now[mutant.line - 1].strip() if len(now) == len(was) else "(line removed)"
            name = mutant.name
            file = hashlib.sha256(name.encode()).hexdigest()[:16] + ".py"
            (folder / "mutants" / file).write_text(made, encoding="utf-8")
            told = {"name": name, "file": file, **asdict(mutant), "after": after}
            drawn.append(told | {"fresh": kept > first[module]})
    digests = {module: hashlib.sha256(source.encode()).hexdigest()[:16] for module, source in sources.items()}
    told = {"seed": plan["seed"], "population": numbers, "sources": digests, "mutants": drawn}
    (folder / "sample.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    print(f"{sum(numbers.values())} mutants in {len(numbers)} modules, {len(drawn)} drawn")
    return 0


if __name__ == "__main__":
    sys.exit(main())
