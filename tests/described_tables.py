"""What the tests of every command ask of its tables: a title, a meaning for every column, a unit for every number."""

from __future__ import annotations

import pandas as pd

from flowsim.analysis.dictionary import meaning, meanings


def check_dictionary(command: str, tables: dict[str, pd.DataFrame]) -> None:
    for name, frame in tables.items():
        assert meanings()[command][name]["_"], name
        for column in frame.columns:
            about = meaning(command, name, column)
            assert about is not None, f"{command}.{name}.{column}"
            assert about[1], f"{command}.{name}.{column}"
            if pd.api.types.is_float_dtype(frame[column]):
                assert about[0], f"{command}.{name}.{column}: a number without a unit"
