"""A small answer of the plan, with every table, shared by the tests of what is shown."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from present_tables import Made

import flowsim.study.answer as study


@pytest.fixture(scope="session")
def made() -> Iterator[Made]:
    """Sixteen futures of each case, a curve of six futures a point."""
    with pytest.MonkeyPatch.context() as patch:
        for name, number in {"SECOND_RUNS": 4, "CALIBRATION": 4, "CURVE_FUTURES": 6}.items():
            patch.setattr(study, name, number)
        answer = study.answer(half_width=0.2, seed=5, most=16)
        yield answer, answer.tables
