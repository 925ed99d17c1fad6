"""The publications that known results come from."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib import resources
from typing import Any


def data(name: str) -> dict[str, Any]:
    """A data file of this package."""
    return tomllib.loads((resources.files("flowsim.study.verification") / name).read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def sources() -> dict[str, str]:
    """Citations by key."""
    return data("sources.toml")
