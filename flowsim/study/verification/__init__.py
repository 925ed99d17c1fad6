"""Networks with a known answer: the one list that `flowsim verify` and the tests compare the engines with.

`cases` makes them all. A case is a network document with what is known of it: a formula of `flowsim.analysis.theory` or
`flowsim.analysis.transient`, or a published figure. `flowsim.study.verify` runs them.
"""

from __future__ import annotations

from functools import lru_cache

from flowsim.study.verification.case import Case


@lru_cache(maxsize=1)
def cases() -> tuple[Case, ...]:
    """Every case, in the order of the table; names are unique."""
    from flowsim.study.verification.changing import changing_cases
    from flowsim.study.verification.networks import network_cases
    from flowsim.study.verification.steady import steady_cases

    return (*steady_cases(), *changing_cases(), *network_cases())
