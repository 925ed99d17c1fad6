"""What every test starts from: no screen, an ear for Ctrl-C, the same examples in every run, long files first."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")

# A shell has its background jobs ignore Ctrl-C. That is inherited, also by the runs that tests interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Derandomised: a failure is the same for everybody. No deadline: the first call of a compiled function compiles it.
settings.register_profile(
    "flowsim", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("flowsim")

HERE = Path(__file__).resolve().parent

FIRST = (
    "app/test_app_browser.py",  # minutes, most of them in other processes
    "engines/test_equality.py",  # compiles the engine that logs, while the app of the browser compiles the other
    "scenario/test_scenario_compile.py",  # the readable engine over five years, three times
    "engines/test_features.py",
    "engines/test_fluid.py",
    "app/test_app_updates.py",  # from here on: one house, as long as one worker has them
    "app/test_app_reports.py",
    "app/test_app_views.py",
    "app/test_app_studies.py",
    "app/test_app_queues.py",
    "present/test_report.py",  # from here on: one small answer
    "present/test_answer_plots.py",
    "present/test_one_number.py",
    "present/test_update_texts.py",
    "test_naive_amstelland.py",
    "test_naive_power.py",
    "test_naive.py",
    "study/test_study_chosen.py",
    "study/test_study_sensitivity.py",
    "study/test_study_update.py",
    "study/test_study_answer.py",
    "study/test_study_seek.py",
    "app/test_app_ground.py",
    "cli/test_update_cli.py",
    "cli/test_cli_report.py",
    "test_naive_region.py",
    "engines/test_cache.py",
)
"""Files of more than some ten seconds. `make test` hands out whole files (`--dist loadfile`): what the tests of a file
share is made once. Long ones first, lest one worker is left with a long one when the other has done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests of long files first; within a file, and for all other files, the order stays."""
    gone = [name for name in FIRST if not (HERE / name).is_file()]
    if gone:
        raise pytest.UsageError(f"tests/conftest.py: FIRST names {', '.join(gone)}: found no such file")
    place = {HERE / name: i for i, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.path, len(FIRST)))
