"""What the tests of the app share: a plan that was run once, with few futures."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from flowsim.present.app import state, studies
from flowsim.present.app.state import House

FEW = 6


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """A house whose plan and route have been run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(studies.FUTURES_SETTING, str(FEW))
        patch.setattr(studies, "ROUTE_RUNS", 1)
        made = House()
        patch.setattr(state, "house", lambda: made)
        for run in (made.plan, made.route):
            assert run().ended.wait(240)
            assert run().state == "done", run().fault
        yield made
        made.close()
