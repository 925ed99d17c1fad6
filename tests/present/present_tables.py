"""What the tests of this folder share beside fixtures."""

from __future__ import annotations

import pandas as pd

from flowsim.study.answer import Answer

Made = tuple[Answer, dict[str, pd.DataFrame]]


def two_sided(correlation: float, reach: float) -> dict[str, float]:
    """A row of the table of unknowns: a correlation and an interval around it."""
    ends = {"correlation_low": correlation - reach, "correlation_high": correlation + reach}
    return {"correlation": correlation, **ends, "cleared_low": 0.5, "cleared_high": 0.1}
