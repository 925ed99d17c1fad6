"""Rows as a table that has its columns, and their types, also when it has no row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd


def framed(rows: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> pd.DataFrame:
    """A table of ``rows`` with these columns, in this order.

    ``columns`` : name and type (``str``, ``int64``, ``float64``, ``bool``) of each. The types are those of a table
    without rows; with rows, the values say what they are.
    """
    import pandas as pd

    table = pd.DataFrame(list(rows), columns=list(columns))
    return table if len(table) else table.astype(dict(columns))
