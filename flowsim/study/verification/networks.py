"""Networks of stations: Jackson's, and a published stroke pathway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from flowsim.analysis import theory
from flowsim.study.verification.case import (
    ENGINES,
    RARE,
    Case,
    Known,
    Source,
    averaged,
    cell,
    exponential,
    one,
    present,
    span,
)
from flowsim.study.verification.sources import data
from flowsim.study.verification.steady import REPLICATIONS

LAST_DIGIT: Final = 0.1
"""To which the study prints its times between admissions."""
SHARE_DIGIT: Final = 0.01
"""To which it prints probabilities."""


def network_cases() -> list[Case]:
    """All networks."""
    return [_jackson(), _stroke()]


def _jackson() -> Case:
    """Three stations; a fifth comes back to the first from the second, and some go round the third again."""
    routing = [[0.0, 0.7, 0.2], [0.2, 0.0, 0.4], [0.0, 0.0, 0.25]]
    external, means, servers = [1.5, 0.0, 0.6], [0.4, 1.1, 0.7], [1, 2, 3]
    names = ["first", "second", "third"]
    document = {
        "horizon": 20_150.0,
        "warm_up": 150.0,
        "classes": ["a"],
        "stations": [
            {"name": name, "servers": c, "service": exponential(mean)}
            for name, c, mean in zip(names, servers, means, strict=True)
        ],
        "arrivals": [
            {"class": "a", "station": name, "rate": rate} for name, rate in zip(names, external, strict=True) if rate
        ],
        "routes": [
            {"from": name, "to": {to: p for to, p in zip(names, row, strict=True) if p} | {"exit": 1.0 - sum(row)}}
            for name, row in zip(names, routing, strict=True)
        ],
    }
    known = []
    answers = theory.jackson(external, routing, means, servers)
    rates = theory.traffic(external, routing)
    source = Source("jackson", "p. 519")
    for k, (name, answer, rate) in enumerate(zip(names, answers, rates, strict=True)):
        known.append(Known("throughput", float(rate), cell("arrivals", k), span, "l = g + l R", source, place=name))
        known.append(
            Known("mean_queue", answer.mean_queue, cell("queue_time", k), span, "C r / (1 - r)", source, place=name)
        )
    return Case("jackson", "three_stations", document, tuple(known), REPLICATIONS, 0.03)


# ---------------------------------------------------------------- the stroke pathway


def _stroke() -> Case:
    """Beds without limit, as published: numbers in bed are Poisson, and p(delay) at n beds is P(N = n) / P(N <= n)."""
    study = data("stroke.toml")
    wards = ["acute", "rehab"]
    loads = dict(zip(wards, stroke_loads(study), strict=True))
    first = int(WARM_UP)
    known = []
    for k, ward in enumerate(wards):
        beds = present(first, [k])
        table = Source("monks", "parameters in fig. 2 and additional file 1")
        mean = averaged(beds, np.asarray)
        known.append(Known("occupied_beds", loads[ward], mean, one, "sum l E[S]", table, place=ward))
        for bed in EXACT[ward]:
            known.append(_delay(beds, bed, loads[ward], ward, Source("monks", "p. 3, general form")))
        for bed, printed in study["printed"][ward].items():
            number = int(bed)
            lowest, highest = (theory.full_share(number, stroke_loads(study, slip)[k]) for slip in (0.5, -0.5))
            exact = theory.full_share(number, loads[ward])
            rounding = max(exact - lowest, highest - exact) + SHARE_DIGIT / 2
            place = Source("monks", "table 2, p. 5")
            known.append(_delay(beds, number, loads[ward], ward, place, printed, rounding))
    both = present(first, [0, 1])
    known.append(_delay(both, 22, sum(loads.values()), "pooled", Source("monks", "p. 3, general form")))
    return Case("published", "stroke", _stroke_document(study), tuple(known), {"compiled": 150, "reference": 8}, 0.4)


WARM_UP: Final = 400.0
"""Days. The study takes three years from an empty hospital; stays are so much shorter that this is enough."""
RUN: Final = 5 * 365.0
EXACT: Final[Mapping[str, tuple[int, ...]]] = {"acute": (10, 14), "rehab": (12, 16)}
"""Beds for which p(delay) is compared with the formula."""
MANY: Final = {"acute": 12, "rehab": 12}
"""More beds are so seldom full that the reference engine's short runs cannot tell how often."""


def _delay(
    beds: Any, number: int, load: float, ward: str, source: Source, printed: float | None = None, rounding: float = 0.0
) -> Known:
    formula = "P(N = n) / P(N <= n)" if printed is None else ""
    expected = theory.full_share(number, load) if printed is None else printed
    top, bottom = averaged(beds, lambda n: n == number), averaged(beds, lambda n: n <= number)
    engines = RARE if number > MANY.get(ward, number) else ENGINES
    return Known("delay", expected, top, bottom, formula, source, rounding, f"{ward}_{number}", engines)


def stroke_loads(study: Mapping[str, Any], slip: float = 0.0) -> tuple[float, float]:
    """Mean numbers in bed on the acute unit and in rehabilitation.

    ``slip``: times between admissions that much of their last digit longer than printed (0.5: as long as rounding
    allows).
    """
    direct = {
        ward: {group: 1.0 / (gap + slip * LAST_DIGIT) for group, gap in gaps.items()}
        for ward, gaps in study["arrivals"].items()
    }
    shares, early = study["rehabilitation"], study["early_discharge"]
    mean = {ward: {group: stay[0] for group, stay in stays.items()} for ward, stays in study["stay"].items()}
    to_rehab, to_esd = shares["stroke"], early["stroke_acute"]
    acute_stay = {
        **mean["acute"],
        "stroke": to_rehab * mean["acute"]["stroke_rehab"]
        + to_esd * mean["acute"]["stroke_esd"]
        + (1.0 - to_rehab - to_esd) * mean["acute"]["stroke_home"],
    }
    esd = early["stroke_rehab"]
    rehab_stay = {
        **mean["rehab"],
        "stroke": esd * mean["rehab"]["stroke_esd"] + (1.0 - esd) * mean["rehab"]["stroke_home"],
    }
    acute = sum(rate * acute_stay[group] for group, rate in direct["acute"].items())
    rehab = sum(
        (direct["rehab"].get(group, 0.0) + share * direct["acute"][group]) * rehab_stay[group]
        for group, share in shares.items()
    )
    return acute, rehab


def _stroke_document(study: Mapping[str, Any]) -> dict[str, Any]:
    """Patients of a group that has several stays are classes of their own, by where they go next."""
    shares, early = study["rehabilitation"], study["early_discharge"]
    acute, rehab = study["stay"]["acute"], study["stay"]["rehab"]
    classes = list(dict.fromkeys([*acute, *rehab]))
    next_stroke = {"stroke_rehab": shares["stroke"], "stroke_esd": early["stroke_acute"]}
    next_stroke["stroke_home"] = 1.0 - sum(next_stroke.values())
    after_rehab = {"stroke_esd": early["stroke_rehab"], "stroke_home": 1.0 - early["stroke_rehab"]}
    split = {"acute": next_stroke, "rehab": after_rehab}
    arrivals = [
        {"class": patient_class, "station": ward, "rate": share / gap}
        for ward, gaps in study["arrivals"].items()
        for group, gap in gaps.items()
        for patient_class, share in (split[ward] if group == "stroke" else {group: 1.0}).items()
    ]
    routes: list[dict[str, Any]] = [
        {"from": "acute", "class": "stroke_rehab", "to": {f"rehab:{name}": p for name, p in after_rehab.items()}}
    ]
    routes += [
        {"from": "acute", "class": group, "to": {"rehab": share, "exit": 1.0 - share}}
        for group, share in shares.items()
        if group != "stroke"
    ]
    return {
        "horizon": WARM_UP + RUN,
        "warm_up": WARM_UP,
        "snapshot_every": 1.0,  # the study audits its beds daily
        "classes": classes,
        "stations": [
            {"name": ward, "servers": "inf", "service": {name: _stay(stays.get(name)) for name in classes}}
            for ward, stays in (("acute", acute), ("rehab", rehab))
        ],
        "arrivals": arrivals,
        "routes": routes,
    }


def _stay(stay: list[float] | None) -> dict[str, Any]:
    """A lognormal stay; for a class that never comes to the ward, any."""
    if stay is None:
        return exponential(1.0)
    return {"distribution": "lognormal", "mean": stay[0], "cv": stay[1] / stay[0]}
