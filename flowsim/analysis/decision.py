"""Net benefit of continuing, extending or stopping the network: euros, and weeks of waiting at a stated value.

Everything is a difference from stopping after the pilot year, future by future on common random numbers:

net benefit = (value of a week) x (resident-weeks of waiting that do not happen) - (extra euros).

Every cost counts once. The plan's savings are no euros here: with the same staff, freed places are filled from the
list, and what they bring is the weeks. ``savings=True`` counts them as money as well, as the plan does (TP 7.1).
Under the ``net`` reading the ggz hours of conversations come out of treatment: they cost weeks, so their price is left
out. Extra places cost as much as the clients whom they can treat (TP 7). Support points stay open in every option.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from flowsim.analysis.targets import Quantities
from flowsim.plan.tables.checks import Index
from flowsim.plan.years import YEARS
from flowsim.scenario.baseline import Baseline, Values, calibrate
from flowsim.scenario.flows import EXTRA_PLACES, by_choice
from flowsim.scenario.options import LEVELS_OF_CARE

WEEK: Final = 7.0


def weeks_waited(case: Any, count: int) -> np.ndarray:
    """Resident-weeks of waiting from the first day to the deadline, per future: (count,)."""
    future = case.futures[0]
    every = case.reduce.every
    last = min(round(case.definition.deadline / every), len(future.waiting) - 1)
    waiting = np.array([one.waiting[: last + 1] for one in case.futures[:count]], float)
    return np.asarray((waiting[:, 1:] + waiting[:, :-1]).sum(axis=1) / 2.0 * every / WEEK)


def extra_euros(case: Any, base: Any, count: int, savings: bool = False) -> np.ndarray:
    """What a case costs more than another, in euros of all years together, per future: (count,)."""
    ours, theirs = Quantities(case, base), Quantities(base, base)
    costs = _network(ours, savings)[:count] - _network(theirs, savings)[:count]
    extra = np.array([_places(case, i) - _places(base, i) for i in range(count)])
    return np.asarray(costs + extra)


def _network(quantities: Quantities, savings: bool) -> np.ndarray:
    """Euros of the network and of the social domain, per future."""
    book, settings = quantities.book, quantities.settings
    indexed = settings["prices"] == "indexed"
    price = book.value("business_case.conversation_cost_ggz") if settings["reading"] == "net" else 0.0
    index = Index.of(book)
    total = np.zeros(quantities.count)
    for y, one in enumerate(quantities.euros(indexed)):
        hours = price * quantities.conversations(y) * (index.factor(one.year) if indexed else 1.0)
        network = one.network_cost - hours
        total += network + one.substitution + one.support_points - (one.gains if savings else 0.0)
    return total


def _places(case: Any, i: int) -> float:
    """Euros of treatment places beyond those of the first day, by level of care, by programme and by growth of staff:
    the clients a year whom they can treat, at the plan's price per client."""
    value = Values(case.scenario, case.drawn[i])
    growth = 1.0 + value("assumptions.staff_growth")
    baseline: Baseline | None = None
    clients = 0.0
    for y, year in enumerate(YEARS):
        staff = growth ** (y + 0.5)  # halfway through the year
        level = {name: 1.0 + value(f"{EXTRA_PLACES}{name}", year) for name in LEVELS_OF_CARE}
        for programme in case.region.programmes:
            share = staff * (1.0 + by_choice(value, f"{EXTRA_PLACES}{programme.name}", year))
            if programme.group != "smi":
                share *= level["basic" if programme.group == "light" else "specialist"]
            if share != 1.0:
                baseline = baseline or calibrate(value, case.region)
                (one,) = (one for one in baseline.programmes if one.name == programme.name)
                clients += (share - 1.0) * (one.places + one.starts)
    return float(value("business_case.cost_per_client") * clients)


def monitors(case: Any, count: int, year: int) -> dict[str, np.ndarray]:
    """What the region's own registration shows of the last quarter of a year, per future: name -> (count,).

    ``waiting`` and ``overdue`` at its end; ``referred``, ``started`` and ``gave_up`` in it, residents; ``mean_wait`` of
    those who started, days; ``gave_up_share`` of those who left the list.
    """
    last = 12 * (YEARS.index(year) + 1)
    quarter = np.array([one.months[last - 3 : last].sum(axis=0) for one in case.futures[:count]], float)
    at_end = np.array([one.by_programme[YEARS.index(year) + 1].sum(axis=0) for one in case.futures[:count]], float)
    referred, started, waits, gave_up = quarter[:, :4].T
    return {
        "waiting": at_end[:, 0],
        "overdue": at_end[:, 1],
        "mean_wait": waits / np.maximum(started, 1.0),
        "referred": referred,
        "started": started,
        "gave_up": gave_up,
        "gave_up_share": gave_up / np.maximum(started + gave_up, 1.0),
    }
