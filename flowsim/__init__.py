"""flowsim: does diverting demand clear the waiting lists for mental-health care in a Dutch region?

>>> import flowsim
>>> network = flowsim.Network.from_toml("network.toml")         # doctest: +SKIP
>>> flowsim.simulate(network, replications=100, seed=1).stations  # doctest: +SKIP

Importing flowsim is light: a public name loads its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowsim.errors import InputError
    from flowsim.model.network import Network
    from flowsim.study.answer import answer
    from flowsim.study.compare import compare
    from flowsim.study.decision_map import decision_map
    from flowsim.study.replicate import simulate
    from flowsim.study.seek import seek
    from flowsim.study.sweep import sweep
    from flowsim.study.targets import targets
    from flowsim.study.verify import verify

__version__ = "0.2.0"
__all__ = [
    "InputError",
    "Network",
    "__version__",
    "answer",
    "compare",
    "decision_map",
    "seek",
    "simulate",
    "sweep",
    "targets",
    "verify",
]

_HOMES = {
    "InputError": "flowsim.errors",
    "Network": "flowsim.model.network",
    "answer": "flowsim.study.answer",
    "compare": "flowsim.study.compare",
    "decision_map": "flowsim.study.decision_map",
    "seek": "flowsim.study.seek",
    "simulate": "flowsim.study.replicate",
    "sweep": "flowsim.study.sweep",
    "targets": "flowsim.study.targets",
    "verify": "flowsim.study.verify",
}
"""Where each public name lives."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'flowsim' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
