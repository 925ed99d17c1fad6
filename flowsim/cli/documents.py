"""``flowsim check`` and ``flowsim schema``: the files that flowsim reads. `network_of` reads one for other commands."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from flowsim.cli.options import File, Json, Lang
from flowsim.errors import InputError

if TYPE_CHECKING:
    from flowsim.model.network import Network

SCHEMAS: Final = {
    "network": "flowsim.model.document:NetworkDocument",
    "scenario": "flowsim.scenario.schema:ScenarioFile",
    "experiment": "flowsim.study.experiment:ExperimentFile",
}
"""The pydantic model of each kind of file."""


def network_of(path: Path) -> Network:
    """The network of a file: a network document itself, or a scenario compiled, with every unknown at its own value;
    of the folder of a region: the plan as it stands there.

    Raises
    ------
    InputError : a file that cannot be read or used.
    """
    from flowsim.model.network import Network, read_toml

    content = {} if is_region(path) else read_toml(path)
    if not is_network(content):
        from flowsim.scenario.compile import compile_scenario
        from flowsim.scenario.load import load

        return compile_scenario(load(path))
    return Network.from_dict(content, str(path))


def is_region(path: Path) -> bool:
    """Whether a path is the folder of a region, complete or not."""
    return path.is_dir() and any(path.glob("*.toml"))


def is_network(content: dict[str, Any]) -> bool:
    """Whether a file's content is a network, complete or not; a scenario has none of these keys."""
    return not {"stations", "classes", "horizon"}.isdisjoint(content)


def is_experiment(content: dict[str, Any]) -> bool:
    """Whether a file's content is an experiment; a scenario has no factors."""
    return "factors" in content or "design" in content


def schema(
    name: Annotated[str, typer.Argument(metavar="[" + "|".join(SCHEMAS) + "]", help="The kind of file.")] = "network",
    json: Annotated[bool, typer.Option("--json", help="What it prints is JSON with and without.")] = False,
) -> None:
    """Print the JSON Schema of the files that flowsim reads."""
    del json
    from flowsim.present.console import print_json

    if name not in SCHEMAS:
        raise InputError("schema", repr(name), "one of " + ", ".join(SCHEMAS))
    module, _, model = SCHEMAS[name].partition(":")
    document = getattr(import_module(module), model).model_json_schema()
    print_json({"$schema": "https://json-schema.org/draft/2020-12/schema"} | document)


def check(file: File, lang: Lang = "en", json: Json = False) -> None:
    """Check a file: say what it holds, or name the first thing in it that cannot be used."""
    from flowsim.present.console import print_json
    from flowsim.present.texts import text, texts
    from flowsim.scenario.load import SHELF, SWEEPS, named

    texts(lang)
    file = named(file, SHELF, SWEEPS)
    try:
        key, facts = _described(file)
    except InputError as error:
        if json:
            found = {"where": error.where, "found": error.found, "expected": error.expected}
            print_json({"file": str(file), "usable": False} | found)
        raise
    if json:
        print_json({"file": str(file), "usable": True, "kind": key} | facts)
    else:
        idle = facts.pop("without_effect", [])
        sys.stdout.write(text(lang, f"cli.check.{key}", file=file, **_written(facts, lang)) + "\n")
        if idle:
            sys.stdout.write(text(lang, "cli.check.without_effect", figures=", ".join(idle)) + "\n")


def _described(file: Path) -> tuple[str, dict[str, Any]]:
    """The kind of a file and what is in it."""
    from flowsim.model.network import Network, read_toml

    if is_region(file):
        return "region", _region(file)
    content = read_toml(file)
    if is_network(content):
        network = Network.from_dict(content, str(file))
        sizes = {"stations": len(network.station_names), "classes": len(network.class_names)}
        return "network", sizes | {"arrivals": round(network.expected_arrivals)}
    if is_experiment(content):
        from flowsim.study.experiment import load_experiment

        experiment = load_experiment(file)
        about = {"title": experiment.title, "design": experiment.design.kind}
        return "experiment", about | {"factors": len(experiment.factors), "points": len(experiment.design)}
    from flowsim.scenario.compile import compile_scenario
    from flowsim.scenario.load import load
    from flowsim.study.experiment import without_effect

    scenario = load(file)
    compile_scenario(scenario)
    facts = {"title": scenario.title, "region": scenario.region, "changes": len(scenario.changes)}
    return "scenario", facts | {"without_effect": without_effect(scenario)}


def _region(folder: Path) -> dict[str, Any]:
    """What is in the folder of a region, after its plan was compiled."""
    from flowsim.plan.targets import has_targets, load_targets
    from flowsim.scenario.compile import compile_scenario
    from flowsim.scenario.load import default
    from flowsim.scenario.region import load_region

    scenario = default(folder)
    compile_scenario(scenario)
    region = load_region(scenario.region)
    taken = sum(1 for figure in scenario.book.values() if figure.taken_from)
    return {
        "title": region.name,
        "municipalities": len(region.municipalities),
        "programmes": len(region.programmes),
        "figures": len(scenario.book) - taken,
        "taken_over": taken,
        "figures_from": region.figures_from,
        "targets": len(load_targets(folder)) if has_targets(folder) else 0,
    }


def _written(facts: dict[str, Any], lang: str) -> dict[str, str]:
    from flowsim.present.texts import format_number

    return {name: format_number(lang, fact) if isinstance(fact, int) else str(fact) for name, fact in facts.items()}
