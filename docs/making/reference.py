"""Reference pages made from the code itself: the commands, the public names, the files, the modules."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import Any, Final

import flowsim
from making.markdown import code, prose, table

ROOT: Final = Path(flowsim.__file__).resolve().parent
SECTIONS: Final = ("Parameters", "Attributes", "Returns", "Raises", "Examples", "References", "Yields")


# ---------------------------------------------------------------- commands


def commands() -> str:
    """Every command with its arguments and options, as ``--help`` gives them."""
    import typer

    from flowsim.cli.commands import application

    group: Any = typer.main.get_command(application())
    parts = []
    for name, command in group.commands.items():
        with command.make_context(name, [], resilient_parsing=True) as context:
            usage = " ".join(
                ["flowsim", name, *(_usage(one) for one in command.params if one.param_type_name == "argument")]
            )
            rows = [_parameter(one, context) for one in command.params if not getattr(one, "hidden", False)]
        parts.append(
            f"## {code('flowsim ' + name)}\n\n{prose(inspect.cleandoc(command.help or ''))}\n\n"
            f"```text\n{usage} [OPTIONS]\n```\n\n" + table(["argument or option", "meaning", "left out"], rows)
        )
    return "\n".join(parts)


def _usage(argument: Any) -> str:
    words = argument.metavar or argument.name.upper()
    words += "..." if argument.nargs == -1 and "..." not in words else ""
    return words if argument.required or words.startswith("[") else f"[{words}]"


def _parameter(one: Any, context: Any) -> list[str]:
    record = one.get_help_record(context)
    name = _usage(one) if one.param_type_name == "argument" else record[0] if record else one.opts[0]
    default = one.show_default if isinstance(getattr(one, "show_default", None), str) else one.get_default(context)
    if isinstance(default, list | tuple):
        default = " ".join(map(str, default))
    without = "" if default is None or default is False or default == "" else code(str(default))
    if one.required:
        without = "required"
    return [code(name), prose(getattr(one, "help", None) or ""), without]


# ---------------------------------------------------------------- Python


def public_names() -> str:
    """The names that ``flowsim`` promises, with signature and docstring."""
    parts = []
    for name in flowsim.__all__:
        if not name.startswith("_"):
            parts.append(described(f"flowsim.{name}", getattr(flowsim, name), 2))
    return "\n".join(parts)


def results() -> str:
    """What the public functions return."""
    from flowsim.analysis.outcomes import Output
    from flowsim.analysis.statistics import Estimate
    from flowsim.study.answer import Answer
    from flowsim.study.compare import Comparison

    return "\n".join(
        described(f"{one.__module__}.{one.__name__}", one, 2) for one in (Output, Answer, Comparison, Estimate)
    )


def described(title: str, thing: Any, level: int) -> str:
    """A class or function: signature, docstring, public methods."""
    words = [f"{'#' * level} {code(title)}\n"]
    if inspect.isfunction(thing) or inspect.ismethod(thing):
        words.append(_signature(title, thing))
    words.append(docstring(thing))
    if inspect.isclass(thing):
        for name, method in vars(thing).items():
            documented = inspect.getdoc(getattr(thing, name, None)) if not name.startswith("_") else None
            if not documented:
                continue
            if isinstance(method, property) or type(method).__name__ == "cached_property":
                words.append(f"{code(f'{thing.__name__}.{name}')} : {docstring(getattr(thing, name, method))}")
            elif isinstance(method, classmethod | staticmethod) or inspect.isfunction(method):
                words.append(_signature(f"{thing.__name__}.{name}", getattr(thing, name)))
                words.append(docstring(getattr(thing, name)))
    return "\n".join(words)


def _signature(title: str, thing: Any) -> str:
    given = inspect.signature(thing)
    names = [one for one in given.parameters.values() if one.name != "self"]
    written = []
    for one in names:
        words = str(one)
        written.append(words.replace("'", "").replace("pd.", "pandas.") if one.default is one.empty else _plain(one))
    one_line = f"{title}({', '.join(written)})"
    if len(one_line) > 88:
        one_line = f"{title}(\n    " + ",\n    ".join(written) + ",\n)"
    back = given.return_annotation
    arrow = "" if back is given.empty else f" -> {str(back).strip(chr(39))}"
    return f"```python\n{one_line}{arrow}\n```\n"


def _plain(one: inspect.Parameter) -> str:
    kind = "" if one.annotation is one.empty else f": {str(one.annotation).strip(chr(39))}"
    return f"{one.name}{kind} = {one.default!r}"


def docstring(thing: Any) -> str:
    """A docstring of this project as Markdown: sections become lists, ``code`` and `names` code."""
    text = inspect.getdoc(thing) or ""
    parts: list[tuple[str, list[str]]] = [("", [])]
    lines = text.splitlines()
    for number, line in enumerate(lines):
        below = lines[number + 1] if number + 1 < len(lines) else ""
        if below and set(below.strip()) == {"-"} and line.split(" (")[0] in SECTIONS:
            parts.append((line, []))
        elif not (set(line.strip()) == {"-"} and parts[-1][0] and not parts[-1][1]):
            parts[-1][1].append(line)
    made = []
    for title, body in parts:
        content = "\n".join(body).strip("\n")
        if not content:
            continue
        if title in ("Examples",) or ">>>" in content:
            made.append((f"**{title}**\n\n" if title else "") + _examples(content))
        elif title:
            made.append(f"**{title}**\n\n" + _items(content))
        else:
            made.append(_inline(content))
    return "\n\n".join(made) + "\n"


def _inline(text: str) -> str:
    text = re.sub(r"``([^`]+)``|(?<![`\w])`([^`]+)`(?!`)", lambda match: f"`{match[1] or match[2]}`", text)
    made = "".join(part if i % 2 else prose(part) for i, part in enumerate(re.split(r"(`[^`]+`)", text)))
    return re.sub(r"(?<!\w)\\\*(\w[^*\\]*\w)\\\*(?!\w)", r"*\1*", made)  # emphasis


def _items(text: str) -> str:
    """``name : meaning`` lines as a list; several on one line are parted; indented lines go on with the one before."""
    items: list[str] = []
    for line in text.splitlines():
        if re.match(r"\S[^:]* : ", line):
            items.append(line)
        elif items and line.strip():
            items[-1] += " " + line.strip()
        elif line.strip():
            items.append(line.strip())
    made = []
    for item in items:
        for one in re.split(r"(?<=[.)]) (?=[a-z_]+(?:, [a-z_]+)* : )", item):
            name, colon, meaning = one.partition(" : ")
            made.append(f"- {code(name)}: {_inline(meaning)}" if colon else f"- {_inline(one)}")
    return "\n".join(made)


def _examples(text: str) -> str:
    text = re.sub(r"\s*# doctest: [+A-Z_, ]+$", "", text, flags=re.M)
    made, kind, block = [], "", []
    for line in [*text.splitlines(), ""]:
        now = "code" if line.startswith((">>>", "...")) or (kind == "code" and line.strip()) else "prose"
        if now != kind and block:
            made.append(_block(kind, block))
            block = []
        kind = now
        block.append(line)
    made.append(_block(kind, block))
    return "\n\n".join(one for one in made if one)


def _block(kind: str, lines: list[str]) -> str:
    text = "\n".join(lines).strip("\n")
    if not text.strip():
        return ""
    return f"```pycon\n{text}\n```" if kind == "code" else _inline(text)


def modules() -> str:
    """Every module with the first paragraph of what it says it is, by package."""
    parts = []
    for package in sorted({file.parent for file in ROOT.rglob("*.py")}):
        rows = []
        for file in sorted(package.glob("*.py")):
            said = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) or ""
            if said and (file.name != "__init__.py" or len(said) > 40):
                first = " ".join(said.partition("\n\n")[0].split())
                name = file.relative_to(ROOT.parent).as_posix()
                rows.append([code(name), _inline(first)])
        if rows:
            parts.append(
                f"## {code(package.relative_to(ROOT.parent).as_posix())}\n\n" + table(["module", "what it is"], rows)
            )
    return "\n".join(parts)


# ---------------------------------------------------------------- files


def files() -> str:
    """The keys of every kind of file, from the models that read them."""
    from importlib import import_module

    from flowsim.cli.documents import SCHEMAS

    parts = []
    for kind, place in SCHEMAS.items():
        module, _, name = place.partition(":")
        model = getattr(import_module(module), name)
        schema = model.model_json_schema()
        parts.append(f"## {kind.capitalize()}\n\n{code(f'flowsim schema {kind}')} prints the whole JSON Schema.\n")
        parts.append(_keys("", schema, schema.get("$defs", {})))
        for title, part in schema.get("$defs", {}).items():
            if part.get("properties"):
                parts.append(
                    f"### {kind.capitalize()}: {title}\n\n{_first(part)}\n\n" + _keys("", part, schema["$defs"])
                )
    return "\n".join(parts)


def _first(part: dict[str, Any]) -> str:
    text = str(part.get("description", "")).partition("\n\n")[0]
    return _inline(" ".join(text.split()))


def _keys(prefix: str, schema: dict[str, Any], parts: dict[str, Any]) -> str:
    required = set(schema.get("required", ()))
    said = _meanings(str(schema.get("description", "")))
    rows = []
    for name, one in schema.get("properties", {}).items():
        default = one.get("default")
        without = "required" if name in required else code(repr(default)) if default not in (None, "", {}, []) else ""
        meaning = str(one.get("description", "")).partition("\n\n")[0] or said.get(name, "")
        rows.append([code(prefix + name), _type(one, parts), without, _inline(" ".join(meaning.split()))])
    head = ["key", "what it holds", "left out", "meaning"]
    kept = [i for i in range(len(head)) if i < 2 or any(row[i] for row in rows)]
    return table([head[i] for i in kept], [[row[i] for i in kept] for row in rows])


def _meanings(text: str) -> dict[str, str]:
    """What a docstring says of each attribute."""
    _, _, attributes = text.partition("Attributes\n")
    found: dict[str, str] = {}
    name = ""
    for line in attributes.splitlines():
        match = re.match(r"(\w+) : (.*)", line)
        if match:
            name = match[1]
            found[name] = match[2]
        elif name and line.startswith(" "):
            found[name] += " " + line.strip()
    return found


def _type(one: dict[str, Any], parts: dict[str, Any]) -> str:
    if "$ref" in one:
        return prose(one["$ref"].rpartition("/")[2])
    if "enum" in one or "const" in one:
        return ", ".join(code(str(value)) for value in one.get("enum", [one.get("const")]))
    several = one.get("anyOf") or one.get("oneOf")
    if several:
        return " or ".join(_type(each, parts) for each in several if each.get("type") != "null")
    kind = str(one.get("type", "anything"))
    if kind == "array":
        return f"list of {_type(one.get('items', {}), parts)}"
    if kind == "object" and isinstance(one.get("additionalProperties"), dict):
        return f"table: name = {_type(one['additionalProperties'], parts)}"
    limits = [f"{words} {one[key]:g}" for key, words in LIMITS.items() if key in one and 1e-6 < abs(one[key]) < 1e9]
    if one.get("minimum", -1) == 0:
        limits.insert(0, "from 0")
    elif 0 < one.get("minimum", one.get("exclusiveMinimum", 0.0) + 1) <= 1e-6 or one.get("exclusiveMinimum") == 0:
        limits.insert(0, "above 0")
    names = {
        "string": "text",
        "number": "number",
        "integer": "whole number",
        "boolean": "true or false",
        "object": "table",
    }
    return " ".join([names.get(kind, kind), *limits])


LIMITS: Final = {"minimum": "from", "maximum": "to", "exclusiveMinimum": "above", "exclusiveMaximum": "below"}
