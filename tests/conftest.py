"""What every test starts from: no screen, and the same examples in every run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")

# Derandomised: a failure is the same for everybody. No deadline: the first call of a compiled function compiles it.
settings.register_profile(
    "flowsim", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("flowsim")
