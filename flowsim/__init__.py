"""flowsim: does diverting demand clear the waiting lists for mental-health care in a Dutch region?

>>> import flowsim
>>> desk = {"name": "desk", "servers": 1, "service": {"distribution": "deterministic", "mean": 2.0}}
>>> arrivals = {"class": "adult", "station": "desk", "rate": 0.1}
>>> network = flowsim.Network.from_dict(
...     {"horizon": 100.0, "classes": ["adult"], "stations": [desk], "arrivals": [arrivals]}
... )
>>> out = flowsim.simulate(network, replications=3, seed=1)
>>> out.stations[["replication", "station", "patient_class"]].values.tolist()
[[0, 'desk', 'adult'], [1, 'desk', 'adult'], [2, 'desk', 'adult']]

Importing flowsim is light: a public name loads its module when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flowsim.errors import InputError
    from flowsim.model.network import Network
    from flowsim.present.animation import animation
    from flowsim.present.plots import plots
    from flowsim.scenario.compile import compile_scenario
    from flowsim.scenario.load import load as load_scenario
    from flowsim.scenario.region import load_region
    from flowsim.study.answer import answer
    from flowsim.study.compare import compare
    from flowsim.study.decision_map import decision_map
    from flowsim.study.replicate import simulate
    from flowsim.study.seek import seek
    from flowsim.study.sensitivity import sensitivity
    from flowsim.study.sweep import sweep
    from flowsim.study.targets import targets
    from flowsim.study.update import update
    from flowsim.study.verify import verify

__version__ = "0.15.0"
__all__ = [
    "InputError",
    "Network",
    "__version__",
    "animation",
    "answer",
    "compare",
    "compile_scenario",
    "decision_map",
    "load_region",
    "load_scenario",
    "plots",
    "seek",
    "sensitivity",
    "simulate",
    "sweep",
    "targets",
    "update",
    "verify",
]

_HOMES = {
    "InputError": "flowsim.errors",
    "Network": "flowsim.model.network",
    "animation": "flowsim.present.animation",
    "answer": "flowsim.study.answer",
    "compare": "flowsim.study.compare",
    "compile_scenario": "flowsim.scenario.compile",
    "load_region": "flowsim.scenario.region",
    "load_scenario": "flowsim.scenario.load:load",
    "plots": "flowsim.present.plots",
    "sensitivity": "flowsim.study.sensitivity",
    "decision_map": "flowsim.study.decision_map",
    "seek": "flowsim.study.seek",
    "simulate": "flowsim.study.replicate",
    "sweep": "flowsim.study.sweep",
    "targets": "flowsim.study.targets",
    "update": "flowsim.study.update",
    "verify": "flowsim.study.verify",
}
"""Where each public name lives; after a colon, what it is called there."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'flowsim' has no attribute {name!r}")
    module, _, there = _HOMES[name].partition(":")
    value = getattr(import_module(module), there or name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
