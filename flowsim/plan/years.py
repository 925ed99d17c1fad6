"""The years that flowsim simulates: those in which the waiting lists were to be cleared."""

from __future__ import annotations

from typing import Final

YEARS: Final = (2025, 2026, 2027, 2028, 2029)
"""Time zero is the first day of the first one."""
