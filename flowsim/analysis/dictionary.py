"""Data dictionaries: what every column of a table is, as a Frictionless Tabular Data Package.

``datapackage.json`` (https://specs.frictionlessdata.io/tabular-data-package/) lies beside the tables that it
describes. Meanings are in ``dictionary.toml`` and `flowsim.analysis.measures`.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import resources
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis import measures

if TYPE_CHECKING:
    import pandas as pd

FILE: Final = "datapackage.json"
FORMATS: Final = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
FIGURE: Final = "that of the figure | value drawn, or set, for the figure {name} of the region"

ENDS: Final = {
    "_low": "lower end of the 95% interval",
    "_high": "upper end of the 95% interval",
    "_mean": "mean over the futures",
    "_q05": "5% point over the futures",
    "_q50": "median over the futures",
    "_q95": "95% point over the futures",
}


@lru_cache(maxsize=1)
def meanings() -> dict[str, Any]:
    """The content of ``dictionary.toml``: ``shared`` and, by command and table, columns as "unit | meaning"."""
    text = resources.files("flowsim.analysis").joinpath("dictionary.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def meaning(command: str, table: str, column: str) -> tuple[str, str] | None:
    """(unit, meaning) of a column; None when the dictionary does not have it.

    Parameters
    ----------
    command : which wrote the table: ``answer``, ``targets``, ``compare``... (``*`` there: in all its tables).
    """
    mine = meanings().get(command, {})
    for known in (_columns(command, table), mine.get("*", {}), meanings()["shared"]):
        if column in known:
            return _split(known[column])
    if column in measures.known():
        return measures.known()[column]
    for end, name in ENDS.items():
        stem = column.removesuffix(end)
        about = meaning(command, table, stem) if stem != column else None
        if about is not None:
            return about[0], f"{name} of {stem} ({about[1]})"
    if column.count(".") == 1:
        return _split(FIGURE.format(name=column))
    return _split(mine[table]["*"]) if "*" in mine.get(table, {}) else None


def _columns(command: str, table: str) -> dict[str, str]:
    """A table's own columns, and those of the table that it is like."""
    own: dict[str, str] = meanings().get(command, {}).get(table, {})
    return {**_columns(*own["_like"].split(".")), **own} if "_like" in own else own


def _split(text: str) -> tuple[str, str]:
    unit, _, what = text.partition("|")
    return unit.strip(), what.strip()


def package(command: str, tables: Mapping[str, pd.DataFrame], formats: Iterable[str]) -> dict[str, Any]:
    """The description of tables that stand in one folder as ``<table>.<format>``.

    Returns
    -------
    A Tabular Data Package: a resource per file; each field with name, type, unit and description.
    """
    resources_ = [
        {
            "name": f"{name.replace('_', '-')}-{kind}",
            "path": f"{name}.{kind}",
            "title": meanings().get(command, {}).get(name, {}).get("_", ""),
            "mediatype": FORMATS[kind],
            "profile": "tabular-data-resource" if kind == "csv" else "data-resource",
            "schema": {"fields": fields(command, name, frame), "missingValues": [""]},
        }
        for name, frame in tables.items()
        for kind in formats
    ]
    return {"profile": "data-package", "name": f"flowsim-{command}", "resources": resources_}


def fields(command: str, table: str, frame: pd.DataFrame) -> list[dict[str, str]]:
    """Name, type, unit and description of every column of a table."""
    made = []
    for column, kind in frame.dtypes.items():
        name = str(column)
        unit, what = meaning(command, table, name) or ("", "")
        one = {"name": name, "type": _type(kind), "description": what}
        made.append(one | ({"unit": unit} if unit else {}))
    return made


def _type(kind: Any) -> str:
    """The Table Schema type of a pandas dtype."""
    return {"b": "boolean", "i": "integer", "u": "integer", "f": "number", "M": "datetime"}.get(kind.kind, "string")
