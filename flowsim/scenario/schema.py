"""A scenario file: a parent, what differs from it and why. Validated by pydantic; unknown keys are refused."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from flowsim.errors import NO_CONTROL

Number = Annotated[float, Field(allow_inf_nan=False)]


class Part(BaseModel):
    """Base of all parts: unknown keys, text for numbers, NaN and infinity are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class Override(Part):
    """Another value for a figure. With ``low`` and ``high`` it stays uncertain; without, it is fixed in this
    scenario."""

    value: Number | dict[str, Number]
    because: Annotated[str, Field(min_length=3, pattern=NO_CONTROL)]
    low: Number | None = None
    high: Number | None = None

    @model_validator(mode="after")
    def _range(self) -> Override:
        if (self.low is None) != (self.high is None):
            raise PydanticCustomError("range_half", "both low and high, or neither")
        if self.low is not None and self.high is not None:
            if isinstance(self.value, dict):
                raise PydanticCustomError("range_by_year", "a range beside one value, not beside values by year")
            if not self.low <= self.value <= self.high:
                raise PydanticCustomError("range_order", "low <= value <= high")
        return self


class Settings(Part):
    """The readings that the plan leaves open (model, section 9), and the levers. Left out: as the parent has it.

    Attributes
    ----------
    network : ``none`` (the counterfactual), ``functions`` (the plan, from its functions), ``diversion`` (top-down).
    reading : what a freed client is worth. ``headcount``: a halved trajectory frees a whole one, as the plan counts;
        ``capacity``: it frees half; ``net``: as capacity, and conversations take their hours from treatment.
    diversion_of : of what the diverted share is a share, in a top-down scenario (`flowsim.scenario.flows`).
    overlap : ``unique``: each resident meets one function at most; ``one_path``: a consultation can be followed by a
        conversation and a case conference.
    ramp : volumes ``spread`` over the year (the pilot year: its second half) or growing to the ``year_end``.
    freed_place : who takes a freed place: the ``next`` in the queue, or somebody ``heavier``.
    wait_counts : which wait is held against the norm: until the ``start`` of treatment; until ``intake``, a part of it
        (`norm_weeks`); or the wait that those on a list can count on: ``expected`` (`flowsim.analysis.clearing`).
    social_domain : ``unlimited`` places, or ``limited`` to the growth in staff that the plan gives.
    gp_effect : how long a user of a function has fewer GP consults.
    transfers : after the first year of full operation ``constant``, or they ``fade`` out by the end of the next.
    conversation_hours : ggz hours of a conversation: its price at the plan's ``hourly`` rate, or at its ``mean`` price
        per hour of treatment.
    unknowns : what futures draw the unknowns from: the ``posterior`` that ships with the region, where it holds for the
        scenario, or the ``prior``: each from its range.
    stop_policy : close the network's functions at the end of the pilot year when the list has not become shorter; the
        treatment places that they took come back.
    """

    network: Literal["none", "functions", "diversion"] | None = None
    reading: Literal["headcount", "capacity", "net"] | None = None
    diversion_of: Literal["hours", "inflow", "headcount", "euros"] | None = None
    overlap: Literal["unique", "one_path"] | None = None
    ramp: Literal["spread", "year_end"] | None = None
    freed_place: Literal["next", "heavier"] | None = None
    wait_counts: Literal["start", "intake", "expected"] | None = None
    social_domain: Literal["unlimited", "limited"] | None = None
    gp_effect: Literal["year", "for_good", "contact"] | None = None
    transfers: Literal["constant", "fade"] | None = None
    conversation_hours: Literal["hourly", "mean"] | None = None
    prices: Literal["constant", "indexed"] | None = None
    unknowns: Literal["posterior", "prior"] | None = None
    stop_policy: bool | None = None


DEFAULTS: dict[str, Any] = {
    "network": "functions",
    "reading": "net",
    "diversion_of": "hours",
    "overlap": "unique",
    "ramp": "spread",
    "freed_place": "next",
    "wait_counts": "start",
    "social_domain": "unlimited",
    "gp_effect": "year",
    "transfers": "constant",
    "conversation_hours": "hourly",
    "prices": "constant",
    "unknowns": "posterior",
    "stop_policy": False,
}
"""The default of each open question, as model section 9 gives it."""


class ScenarioFile(Part):
    """The whole file."""

    title: Annotated[str, Field(min_length=3, pattern=NO_CONTROL)]
    asks: Annotated[str, Field(pattern=NO_CONTROL)] = ""
    parent: str | None = None
    region: str | None = None
    diversion: Annotated[float, Field(ge=0.0, le=0.9)] | None = None
    settings: Settings = Settings()
    figures: dict[str, Override] = {}
