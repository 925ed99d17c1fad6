"""What every test starts from: no screen, an ear for Ctrl-C, and the same examples in every run."""

from __future__ import annotations

import os
import signal

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
