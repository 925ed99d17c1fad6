"""Which faults are planted: the mutants of cosmic-ray in the packages of `plan.toml`, and a random sample of them.

Run by ``make mutants``, with cosmic-ray on the path; it needs nothing of flowsim. It writes the mutated modules and
``sample.json`` into the folder given.

A sample is *stratified*: every module has its share of it (largest remainders), and within a module mutants are drawn
at random with the seed of the plan. So each mutant of the population has the same chance, up to rounding. The parts of
the plan follow one another in that order, so they have nothing in common: tests may be written for what survives of
one, and the next tells how a suite fares that has not seen its exam.
"""

from __future__ import annotations

import ast
import hashlib
import json
import random
import sys
import tomllib
from collections import Counter
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
RULES = {
    "annotation": "an annotation, or an import for type checkers: never evaluated",
    "compilation": "the decorator with which a function is compiled: how it runs, not what it gives",
    "memory": "`cache` and `lru_cache`: whether a function is run again for what it has given before",
    "strict": "`strict=` of `zip`: a check of lengths, no value",
    "slots": "`slots=` of a data class: how its values lie in memory",
    "grammar": "a star or slash that the tool takes for a sign: `*` in a signature or a call",
}
"""What is not planted -> by which rule, read from the syntax and never from one mutant."""


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


def left_alone(source: str, decorators: list[str]) -> dict[str, list[tuple[Place, Place]]]:
    """Rule -> the places where, by that rule, a change alters nothing that is computed. The rules are in `RULES`."""
    found: dict[str, list[ast.AST]] = {rule: [] for rule in RULES}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found["annotation"] += [node.returns] if node.returns else []
            for one in node.decorator_list:
                name = ast.unparse(one).split("(")[0]
                found["compilation"] += [one] if name in decorators else []
                found["memory"] += [one] if name in ("cache", "lru_cache") else []
        elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            found["annotation"].append(node.annotation)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found["annotation"].append(node)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            unseen = {"zip": "strict", "dataclass": "slots"}.get(node.func.id, "annotation")
            found[unseen] += [one for one in node.keywords if one.arg == unseen]
    return {
        rule: [((one.lineno, one.col_offset), (one.end_lineno, one.end_col_offset)) for one in nodes]  # type: ignore
        for rule, nodes in found.items()
    }


def signs(source: str) -> list[tuple[Place, Place]]:
    """Where the sign of a sum, a product and the like stands; any other star or slash is part of the grammar."""
    found = []
    for node in ast.walk(ast.parse(source)):
        ends = (
            (node.left, node.right)
            if isinstance(node, ast.BinOp)
            else (node.target, node.value)
            if isinstance(node, ast.AugAssign)
            else None
        )
        if ends:
            left, right = ends
            found.append(((left.end_lineno or 0, left.end_col_offset or 0), (right.lineno, right.col_offset)))
    return found


def mutants(module: str, source: str, plan: dict[str, Any]) -> Iterator[tuple[Mutant, str]]:
    """Every mutant of a module, with the rule by which it is not planted (or nothing)."""
    nodes = list(ast_nodes(get_ast(source)))
    alone, between = left_alone(source, plan["decorators"]), signs(source)
    lines = source.splitlines()
    for name in plan["operators"]:
        operator = get_operator(f"core/{name}")()
        places = [place for node in nodes for place in operator.mutation_positions(node)]
        for occurrence, (start, _) in enumerate(places):
            at = (start[0], start[1] + (name == "RemoveDecorator"))  # a decorator begins behind its @
            rule = next((one for one, spans in alone.items() if any(b <= at < e for b, e in spans)), "")
            if not rule and name.startswith("ReplaceBinaryOperator") and not any(b <= at < e for b, e in between):
                rule = "grammar"
            yield Mutant(module, name, occurrence, start[0], lines[start[0] - 1].strip(), ""), rule


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


def upto_each_part(numbers: dict[str, int], parts: dict[str, int]) -> dict[str, dict[str, int]]:
    """Part -> module -> how many of its mutants have been drawn once that part is. Parts follow one another."""
    found: dict[str, dict[str, int]] = {}
    total, before = 0, dict.fromkeys(numbers, 0)
    for part, size in parts.items():
        total += size
        given = shares(numbers, total)
        before = {module: max(before[module], given[module]) for module in numbers}
        found[part] = before
    return found


def like(mutant: dict[str, Any]) -> tuple[str, ...]:
    """What a mutant is known by when lines before it have moved."""
    return tuple(mutant[key] for key in ("module", "operator", "before", "after"))


def main() -> int:
    """Draw the sample; returns the exit code."""
    folder = Path(sys.argv[1])
    plan = tomllib.loads((HERE / "plan.toml").read_text(encoding="utf-8"))
    sources: dict[str, str] = {}
    listed: dict[str, list[tuple[Mutant, str]]] = {}
    for package in plan["packages"]:
        for path in sorted((ROOT / package).rglob("*.py")):
            module = path.relative_to(ROOT).as_posix()
            sources[module] = path.read_text(encoding="utf-8")
            listed[module] = list(mutants(module, sources[module], plan))
    numbers = {module: sum(not rule for _, rule in found) for module, found in listed.items()}
    numbers = {module: number for module, number in numbers.items() if number}
    left = Counter(rule for found in listed.values() for _, rule in found if rule)
    (folder / "mutants").mkdir(parents=True, exist_ok=True)
    drawn: list[dict[str, Any]] = []
    upto = upto_each_part(numbers, plan["earlier"] | plan["parts"])
    kept_ones = json.loads((ROOT / "docs" / "results" / "mutation.json").read_text(encoding="utf-8"))["mutants"]
    known = {like(one) for one in kept_ones if one["part"] in plan["earlier"]}  # also where a module changed since
    for module in numbers:
        order = [one for one in listed[module] if one[1] not in ("annotation", "compilation")]
        random.Random(f"{plan['seed']} {module}").shuffle(order)
        kept = 0
        for mutant, rule in order:
            part = next((name for name, most in upto.items() if kept < most[module]), None)
            if part is None:
                break
            made = None if rule else mutated(mutant, sources[module])
            if made is None:
                continue
            kept += 1
            if part in plan["earlier"]:
                continue
            was, now = sources[module].splitlines(), made.splitlines()
            after = now[mutant.line - 1].strip() if len(now) == len(was) else "(line removed)"
            told_of = {"name": mutant.name, **asdict(mutant), "after": after, "part": part}
            if like(told_of) in known:
                kept -= 1
                continue
            file = hashlib.sha256(mutant.name.encode()).hexdigest()[:16] + ".py"
            (folder / "mutants" / file).write_text(made, encoding="utf-8")
            drawn.append(told_of | {"file": file})
    digests = {module: hashlib.sha256(source.encode()).hexdigest()[:16] for module, source in sources.items()}
    told = {"seed": plan["seed"], "population": numbers, "sources": digests, "mutants": drawn}
    told["left_alone"] = {rule: {"what": what, "mutants": left[rule]} for rule, what in RULES.items()}
    (folder / "sample.json").write_text(json.dumps(told, indent=1), encoding="utf-8")
    print(f"{sum(numbers.values())} mutants in {len(numbers)} modules, {len(drawn)} drawn")
    return 0


if __name__ == "__main__":
    sys.exit(main())
