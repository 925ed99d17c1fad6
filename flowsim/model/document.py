"""A network as plain data: what may stand in the document, and one clear message when something else does.

This is the only module of the model that knows pydantic; `flowsim.model.network` turns a document into arrays.
Times are in one unit that the user chooses (Amstelland: days).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationError, model_validator

from flowsim.errors import NO_CONTROL, InputError

LARGEST = 1e12
SMALLEST = 1e-9
"""Larger and (where it must be above zero) smaller times, rates and numbers are refused: no region needs them, and
within these bounds nothing overflows."""

Name = Annotated[str, Field(min_length=1, pattern=r"^[^:\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+$")]
Time = Annotated[float, Field(ge=0.0, le=LARGEST)]
Positive = Annotated[float, Field(ge=SMALLEST, le=LARGEST)]
Probability = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, le=10_000_000)]


class Part(BaseModel):
    """Base of all parts: unknown keys, text for numbers, NaN and infinity are refused."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


_GIVEN_BY: Final[Mapping[str, tuple[frozenset[str], ...]]] = {
    "exponential": (frozenset({"mean"}),),
    "deterministic": (frozenset({"mean"}),),
    "gamma": (frozenset({"mean", "cv"}),),
    "lognormal": (frozenset({"mean", "cv"}),),
    "weibull": (frozenset({"mean", "cv"}),),
    "uniform": (frozenset({"mean", "cv"}), frozenset({"low", "high"})),
    "empirical": (frozenset({"values"}),),
}
"""What a family of distributions is given by."""


class Distribution(Part):
    """A distribution of a length of time, by mean and (where the family allows) coefficient of variation."""

    distribution: Literal["exponential", "deterministic", "gamma", "lognormal", "weibull", "uniform", "empirical"]
    mean: Positive | None = None
    cv: Annotated[float, Field(ge=0.001, le=20.0)] | None = None
    low: Annotated[float, Field(ge=0.0, le=LARGEST)] | None = None
    high: Positive | None = None
    values: Annotated[list[Positive], Field(min_length=1, max_length=100_000)] | None = None

    @model_validator(mode="after")
    def _complete(self) -> Distribution:
        family = self.distribution
        given = {key for key in ("mean", "cv", "low", "high", "values") if getattr(self, key) is not None}
        if given not in _GIVEN_BY[family]:
            wanted = " or ".join(" and ".join(sorted(keys)) for keys in _GIVEN_BY[family])
            raise ValueError(f"{family} takes {wanted}, found {', '.join(sorted(given)) or 'neither'}")
        if family == "uniform" and self.cv is not None and self.cv > 3.0**-0.5:
            raise ValueError("a uniform length of time has a cv of at most 0.577 (else it could be negative)")
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low below high")
        if family == "weibull" and self.cv is not None and not 0.02 <= self.cv <= 15.0:
            raise ValueError("a cv between 0.02 and 15 for weibull")
        return self


def _forms(expected: str, **forms: Callable[[Any], bool]) -> Discriminator:
    """Tells the forms apart that a value can have; ``expected`` names them all for whoever wrote something else."""

    def tag(value: Any) -> str | None:
        return next((name for name, fits in forms.items() if fits(value)), None)

    return Discriminator(tag, custom_error_type="form", custom_error_message=expected)


def _is(*types: type) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, types)


PerClass = Annotated[
    Annotated[dict[str, Distribution], Tag("each")] | Annotated[Distribution, Tag("one")],
    _forms(
        'a distribution such as {distribution = "exponential", mean = 2.0}, or a table with one per class',
        each=lambda value: isinstance(value, Mapping) and any(isinstance(item, Mapping) for item in value.values()),
        one=_is(Mapping, Distribution),
    ),
]
"""One distribution for all patient classes, or a table with one per class."""


class Destination(Part):
    """One way out of a station, in the long form."""

    to: str
    probability: Probability
    become: str | None = None
    service_factor: Annotated[float, Field(ge=0.01, le=100.0)] = 1.0


Destinations = Annotated[
    Annotated[dict[str, Probability], Tag("table")] | Annotated[list[Destination], Field(min_length=1), Tag("list")],
    _forms("a table such as {ward = 0.1, exit = 0.9}, or a list of ways out", table=_is(Mapping), list=_is(list)),
]
"""``{ward = 0.1, "home:b" = 0.2, exit = 0.7}``, or a list of `Destination`. ``name:class`` changes the patient class;
the name is a station, a pool, ``exit`` or (for a review of somebody who waits) ``stay``."""


Servers = Annotated[
    Annotated[Count, Tag("number")]
    | Annotated[Literal["inf"], Tag("text")]
    | Annotated[list[tuple[Time, Count]], Field(min_length=1), Tag("schedule")],
    _forms(
        'a whole number, "inf", or a schedule [[time, number], ...]',
        schedule=_is(list),
        text=lambda value: isinstance(value, str) and value == "inf",
        number=_is(int),
    ),
]
OtherServers = Annotated[
    Annotated[Count, Tag("number")] | Annotated[list[tuple[Time, Count]], Field(min_length=1), Tag("schedule")],
    _forms("a whole number, or a schedule [[time, number], ...]", schedule=_is(list), number=_is(int)),
]
Rate = Annotated[
    Annotated[float, Field(ge=0.0, le=LARGEST), Tag("number")]
    | Annotated[list[tuple[Time, Annotated[float, Field(ge=0.0, le=LARGEST)]]], Field(min_length=1), Tag("schedule")],
    _forms("a number, or a schedule [[time, number], ...]", schedule=_is(list), number=_is(int, float)),
]
Present = Annotated[
    Annotated[Count, Tag("number")] | Annotated[dict[str, Count], Tag("each")],
    _forms("a whole number, or a table with one per class", each=_is(Mapping), number=_is(int)),
]


class Initial(Part):
    """Who is there at time zero. A plain number is spread over the classes in proportion to their arrivals."""

    waiting: Present = 0
    in_service: Present = 0
    age: PerClass | None = None
    """How long those who wait have waited; left out: they have just come."""


class Clock(Part):
    """Something that happens to a resident *while waiting* at a station, after a random time.

    Exactly one of ``become`` (the patient class changes), ``visit`` (a companion ``station`` or ``station:class``, such
    as a bridging consult, while the resident keeps waiting) and ``review_at`` (a desk that may send the resident on; it
    takes one of the desk's quota, and nothing happens when there is none). ``become`` may bring a ``visit`` along.
    """

    classes: Annotated[list[str], Field(min_length=1)] | None = None
    after: Distribution
    repeats: bool = False
    become: str | None = None
    visit: str | None = None
    review_at: str | None = None

    @model_validator(mode="after")
    def _one_action(self) -> Clock:
        if self.review_at is not None and (self.become is not None or self.visit is not None):
            raise ValueError("review_at without become or visit")
        if self.review_at is None and self.become is None and self.visit is None:
            raise ValueError("one of become, visit and review_at")
        if self.become is not None and self.repeats:
            raise ValueError("become without repeats: the new class has clocks of its own")
        return self


class Station(Part):
    """One place where residents wait and are served."""

    name: Name
    servers: Servers
    discipline: Literal["fifo", "priority"] = "fifo"
    priority: dict[str, Annotated[int, Field(ge=0, le=15)]] = {}
    service: PerClass
    uses_service_factor: bool = False
    patience: PerClass | None = None
    on_renege: Destinations | None = None
    queue_limit: Count | None = None
    on_full: Destinations | None = None
    quota: Annotated[list[tuple[Time, Count]], Field(min_length=1)] | None = None
    quota_carries: bool = False
    initial: Initial = Initial()
    waiting_list: str | None = None
    removes_second_place: Probability = 0.0
    while_waiting: list[Clock] = []


class Pool(Part):
    """Stations that serve the same residents. ``soonest``: to the one that can start soonest; ``shares``: by chance.

    With probability ``second_list`` somebody who has to wait also takes a place on the list of another station of the
    pool; the place that is reached first counts, the other takes no server.
    """

    name: Name
    stations: Annotated[list[str], Field(min_length=1)]
    rule: Literal["soonest", "shares"] = "soonest"
    shares: list[Probability] | None = None
    second_list: Probability = 0.0


class Arrivals(Part):
    """A stream of residents from outside: Poisson with a (scheduled) ``rate``, or with ``interval`` between them."""

    patient_class: Annotated[str, Field(alias="class")]
    station: str
    rate: Rate | None = None
    interval: Distribution | None = None

    @model_validator(mode="after")
    def _one_kind(self) -> Arrivals:
        if (self.rate is None) == (self.interval is None):
            raise ValueError("either rate or interval")
        return self


class Route(Part):
    """Where residents go from a station, ``on`` completion of service, reneging, a full queue, or a review."""

    origin: Annotated[str, Field(alias="from")]
    patient_class: Annotated[str | None, Field(alias="class")] = None
    on: Literal["completion", "renege", "full", "review"] = "completion"
    start: Time = 0.0
    to: Destinations


class StopRule(Part):
    """A decision at a moment: when the measure is at most / at least the threshold, the named stations close.

    ``waiting``: residents waiting at ``stations`` then; ``starts``: services begun there since time zero. From then on
    the stations in ``servers`` have the servers of the schedule given there in place of their own.
    """

    at: Positive
    stations: Annotated[list[str], Field(min_length=1)]
    measure: Literal["waiting", "starts"]
    at_most: float | None = None
    at_least: float | None = None
    close: Annotated[list[str], Field(min_length=1)]
    servers: dict[str, OtherServers] = {}

    @model_validator(mode="after")
    def _one_threshold(self) -> StopRule:
        if (self.at_most is None) == (self.at_least is None):
            raise ValueError("either at_most or at_least")
        return self


class NetworkDocument(Part):
    """The whole network. ``horizon`` and all other times in one unit."""

    title: Annotated[str, Field(pattern=NO_CONTROL)] = ""
    horizon: Positive
    warm_up: Time = 0.0
    snapshot_every: Positive | None = None
    periods: Annotated[list[Time], Field(min_length=2)] | None = None
    waiting_norm: Positive | None = None
    wait_bin: Positive | None = None
    classes: Annotated[list[Name], Field(min_length=1, max_length=30_000)]
    stations: Annotated[list[Station], Field(min_length=1, max_length=1000)]
    pools: list[Pool] = []
    arrivals: Annotated[list[Arrivals], Field(max_length=2048)] = []
    routes: list[Route] = []
    stop_rules: list[StopRule] = []


_TAGS = {"one", "each", "table", "list", "number", "text", "schedule"}


def _place(document: Mapping[str, Any], location: tuple[int | str, ...]) -> str:
    """A path a reader finds: list items by the name they bear (``stations.clinic.service.mean``), tags left out."""
    words: list[str] = []
    here: Any = document
    for step in location:
        if step in _TAGS and not (isinstance(here, Mapping) and step in here):
            continue
        here = (
            here[step]
            if isinstance(here, Mapping) and step in here
            else (
                here[step] if isinstance(here, (list, tuple)) and isinstance(step, int) and step < len(here) else None
            )
        )
        name = here.get("name") if isinstance(here, Mapping) else None
        words.append(name if isinstance(step, int) and isinstance(name, str) else str(step))
    return ".".join(words)


def shown(value: Any) -> str:
    """A value as it is quoted in a message: short, on one line."""
    text = repr(list(value) if isinstance(value, tuple) else value)
    return text if len(text) <= 60 else text[:57] + "..."


_EXPECTED = {
    "model_type": "a table",
    "dict_type": "a table",
    "list_type": "a list",
    "tuple_type": "a pair [time, number]",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "finite_number": "a finite number",
    "too_short": "at least {min_length} of them",
    "too_long": "at most {max_length} of them",
    "string_too_short": "a name",
    "string_pattern_mismatch": "a name without ':' and without control characters",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than_equal": "a number of at most {le:g}",
}
"""What was expected, by pydantic's name for the finding; for others its own message will do."""


def refuse(document: Mapping[str, Any], error: ValidationError, where: str) -> InputError:
    """The first of pydantic's findings, as flowsim's one clear message."""
    finding = error.errors(include_url=False)[0]
    place = _place(document, finding["loc"])
    label = f"{where}: {place}" if where and place else (where or place)
    if finding["type"] == "extra_forbidden":
        return InputError(label, "an unknown key", "only the keys that `flowsim schema network` lists")
    if finding["type"] == "missing":
        return InputError(label, "nothing", "this key (it is required)")
    message = _EXPECTED.get(finding["type"], "").format(**finding.get("ctx", {}))
    if finding.get("ctx", {}).get("pattern") == NO_CONTROL:
        message = "text without control characters"
    message = message or finding["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return InputError(label, shown(finding["input"]), message)


def read(document: Any, where: str = "network") -> NetworkDocument:
    """Validate plain data (as from TOML or JSON).

    Raises
    ------
    InputError : names the key, what stood there and what was expected.
    """
    if not isinstance(document, Mapping):
        raise InputError(where, shown(document), "a table with horizon, classes, stations, ...")
    try:
        return NetworkDocument.model_validate(_plain(document))
    except ValidationError as error:
        raise refuse(document, error, where) from None


PLAIN: Final = frozenset({str, float, int, bool, type(None)})
"""Types that stay what they are."""


def _plain(value: Any, key: str = "") -> Any:
    """Numbers of NumPy as Python's, and pairs of a schedule as tuples, which strict validation wants."""
    if type(value) in PLAIN:  # nearly all, and quicker than the questions below
        return value
    if isinstance(value, (np.generic, np.ndarray)):
        value = value.tolist()
    if isinstance(value, Mapping):
        inside = "servers" if key == "servers" else None  # of a stop rule: a schedule per station
        return {name: _plain(item, inside or str(name)) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        items = [_plain(item) for item in value]
        pairs = key in ("servers", "rate", "quota")
        return [tuple(item) if pairs and isinstance(item, list) else item for item in items]
    return value
