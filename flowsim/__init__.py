"""flowsim: does diverting demand clear the waiting lists for mental-health care in a Dutch region?"""

from __future__ import annotations

__version__ = "0.1.0"
