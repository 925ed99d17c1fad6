"""An experiment file: a base scenario, what to vary in it and how, and what to look at. Read, checked, frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import Field, model_validator

from flowsim.analysis import measures
from flowsim.errors import NO_CONTROL, InputError, path_of
from flowsim.plan.figures import FigureBook
from flowsim.scenario import unknowns
from flowsim.scenario.load import SWEEPS, Scenario, default, load, named, refusal
from flowsim.scenario.schema import Number, Override, Part, Settings
from flowsim.study import design
from flowsim.study.design import Design, Factor

SETTINGS: Final = "settings."
BECAUSE: Final = "a factor of the experiment"
DIVERSION: Final = "functions.diversion"
OUTCOMES: Final = ("cleared", "overdue_2029", "mean_wait_2029")
"""What is looked at when the file does not say."""
FEW: Final = 3
"""Futures in which it is looked at whether a figure does anything."""
BLOCKS: Final = 64
"""Blocks that a small experiment is cut into, so that little is lost when it is killed."""
BLOCK_LIMITS: Final = (16, 256)
"""Replications in a block when the file does not say: at least, at most."""


class FactorPart(Part):
    """What one factor may be: ``values``, or a range ``low`` to ``high``, or ``posterior``.

    Attributes
    ----------
    values : what it is set to; of a setting, texts.
    low, high : the ends of a range, every value in it as likely as any other.
    posterior : drawn as futures draw it: the triangular distribution over the figure's own range.
    steps : number of values of a range or a posterior, in a grid or one at a time.
    multiple : the values are multiples of the figure's own value, or of its values by year.
    """

    values: Annotated[list[Number | bool | str], Field(min_length=1)] | None = None
    low: Number | None = None
    high: Number | None = None
    posterior: Literal[True] | None = None
    steps: Annotated[int, Field(ge=2, le=10_000)] | None = None
    multiple: bool = False

    @model_validator(mode="after")
    def _one_kind(self) -> FactorPart:
        kinds = [self.values is not None, self.low is not None or self.high is not None, self.posterior is not None]
        if sum(kinds) != 1:
            raise ValueError("values, or low and high, or posterior = true: one of the three")
        if (self.low is None) != (self.high is None):
            raise ValueError("both low and high")
        if self.low is not None and self.high is not None and not self.low < self.high:
            raise ValueError(f"low below high, not {self.low:g} and {self.high:g}")
        if self.values is not None and len(set(map(repr, self.values))) < len(self.values):
            raise ValueError("every value once")
        if self.values is not None and self.steps is not None:
            raise ValueError("steps beside a range or a posterior, not beside values")
        if self.posterior and self.multiple:
            raise ValueError("multiple beside values or a range, not beside posterior")
        return self


class DesignPart(Part):
    """Which points: a full ``grid``, a ``latin_hypercube`` or ``sobol`` sequence of ``points``, ``one_at_a_time``.

    ``seed`` : of a Latin hypercube or a (scrambled) Sobol sequence; left out: the seed of the experiment.
    """

    kind: Literal["grid", "latin_hypercube", "sobol", "one_at_a_time"]
    points: Annotated[int, Field(ge=1, le=2**30)] | None = None
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None

    @model_validator(mode="after")
    def _points(self) -> DesignPart:
        sampled = self.kind in design.SAMPLED
        if sampled and self.points is None:
            raise ValueError(f"points = N beside kind = {self.kind!r}")
        if not sampled and (self.points is not None or self.seed is not None):
            raise ValueError(f"no points and no seed beside kind = {self.kind!r}: the factors say them")
        if self.kind == "sobol" and self.points is not None and self.points & (self.points - 1):
            raise ValueError(f"a power of two as points of a Sobol sequence, such as {1 << self.points.bit_length()}")
        if self.kind == "latin_hypercube" and self.points is not None and self.points > design.MOST_HYPERCUBE:
            raise ValueError(f"at most {design.MOST_HYPERCUBE:,} points in a Latin hypercube; sobol takes more")
        return self


class ExperimentFile(Part):
    """The whole file.

    Attributes
    ----------
    scenario : the base scenario's file, or the folder of a region, told from this file's own place; left out: the plan
        as it stands.
    factors : by path: a figure's key (``assumptions.demand_growth``) or ``settings.<name>``.
    outcomes : measures of a future, such as ``cleared``, ``overdue_2029``, ``mean_wait_2027``.
    futures : simulated per point, each with its own luck; or half_width.
    half_width : futures are added at each point until the 95% interval of the first outcome's mean is this far either
        way, from ``least`` to ``most`` futures.
    unknowns : ``drawn``: unknowns that are no factor differ from future to future; ``fixed``: at the figure's value.
    block : replications that are written, or sent to a worker, together; left out: 16 to 256.
    """

    title: Annotated[str, Field(min_length=3, pattern=NO_CONTROL)]
    asks: Annotated[str, Field(pattern=NO_CONTROL)] = ""
    scenario: str | None = None
    design: DesignPart
    factors: Annotated[dict[str, FactorPart], Field(min_length=1)]
    outcomes: Annotated[list[str], Field(min_length=1)] = Field(default_factory=lambda: list(OUTCOMES))
    futures: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    half_width: Annotated[float, Field(gt=0.0)] | None = None
    least: Annotated[int, Field(ge=2, le=100_000)] = 64
    most: Annotated[int, Field(ge=2, le=1_000_000)] = 2048
    unknowns: Literal["drawn", "fixed"] = "drawn"
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 1
    block: Annotated[int, Field(ge=1, le=1_000_000)] | None = None

    @model_validator(mode="after")
    def _precision(self) -> ExperimentFile:
        if (self.futures is None) == (self.half_width is None):
            raise ValueError("futures = N, or half_width = X: one of the two")
        if self.least > self.most:
            raise ValueError("least at most as large as most")
        if len(set(self.outcomes)) < len(self.outcomes):
            raise ValueError("every outcome once")
        return self


@dataclass(frozen=True)
class Experiment:
    """A design over a scenario, ready to run.

    Attributes
    ----------
    name, title, asks : for people.
    base : the scenario that the factors change.
    design : its points; see `flowsim.study.design`.
    outcomes, futures, half_width, least, most, unknowns, seed : as in `ExperimentFile`.
    block : replications in a block.
    content : the file's content with defaults filled in, without what is only for people.
    """

    name: str
    title: str
    asks: str
    base: Scenario
    design: Design
    outcomes: tuple[str, ...]
    futures: int | None
    half_width: float | None
    least: int
    most: int
    unknowns: str
    seed: int
    block: int
    content: Mapping[str, Any] = field(repr=False)

    @property
    def factors(self) -> tuple[Factor, ...]:
        return self.design.factors

    def at(self, levels: tuple[Any, ...], name: str) -> Scenario:
        """The scenario with every factor at this level; None leaves it as the base scenario has it.

        Raises
        ------
        InputError : a value outside what its figure can be.
        """
        scenario = self.base
        for factor, level in zip(self.factors, levels, strict=True):
            if level is not None:
                scenario = changed(scenario, factor.path, factor.multiple, level, name)
        return scenario


def changed(scenario: Scenario, path: str, multiple: bool, level: Any, where: str) -> Scenario:
    """The scenario with one factor at a level."""
    if path.startswith(SETTINGS):
        return scenario.with_settings(scenario.name, **{path.removeprefix(SETTINGS): level})
    figure = scenario.book.figure(path)
    if not multiple:
        override = Override(value=level, because=BECAUSE)
    elif figure.dated:
        if any((day.month, day.day) != (1, 1) for day, _ in figure.values):
            raise InputError(f"{where}: {path}", "multiples of values by day", "a figure with one value, or one a year")
        override = Override(value={str(day.year): level * x for day, x in figure.values}, because=BECAUSE)
    else:
        override = Override(value=level * figure.at(), because=BECAUSE)
    return scenario.with_overrides({path: override}, where)


def load_experiment(source: str | Path | Mapping[str, Any]) -> Experiment:
    """Read an experiment from a file, or from a mapping with the same content; a name alone may also be that of a file
    in ``experiments/sweeps/``.

    Raises
    ------
    InputError : missing file, unreadable TOML, unknown key, figure, setting, outcome or design, impossible value.
    """
    if isinstance(source, Mapping):
        return _experiment(_plain(source), "experiment", "experiment", Path())
    from flowsim.model.network import read_toml

    path = path_of("experiment", source, "the path of an experiment file, or its content as a mapping")
    path = named(path, SWEEPS)
    return _experiment(read_toml(path), path.stem, str(path), path.parent)


def _plain(value: Any) -> Any:
    """What a program gives as a file would: numbers of NumPy as Python's, arrays and tuples as lists."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def _experiment(document: dict[str, Any], name: str, where: str, folder: Path) -> Experiment:
    if "stations" in document:
        raise InputError(where, "a network document", "an experiment file; `flowsim run` simulates networks")
    try:
        file = ExperimentFile.model_validate(document)
    except ValueError as error:
        raise refusal(error, document, where, "`flowsim schema experiment` lists") from None
    measures.check(tuple(file.outcomes), f"{where}: outcomes")
    base = _base(file.scenario, where, folder)
    factors = tuple(_factor(base, path, part, f"{where}: factors.{path}") for path, part in file.factors.items())
    kind, seed = file.design.kind, file.seed if file.design.seed is None else file.design.seed
    for factor, part in zip(factors, file.factors.values(), strict=True):
        if kind == "grid" and part.values is None and part.steps is None:
            raise InputError(
                f"{where}: factors.{factor.path}", "a range without steps in a grid", "steps = N beside it"
            )
        if kind in design.SAMPLED and part.steps is not None:
            raise InputError(
                f"{where}: factors.{factor.path}", f"steps beside kind = {kind!r}", "a range without steps"
            )
    try:
        points = Design(kind, factors, file.design.points, seed)
    except InputError as error:
        raise InputError(f"{where}: {error.where}", error.found, error.expected) from None
    content = file.model_dump(exclude={"title", "asks", "scenario"})
    content["block"] = _block_size(file, len(points))
    experiment = Experiment(
        name=name,
        title=file.title,
        asks=file.asks,
        base=base,
        design=points,
        outcomes=tuple(file.outcomes),
        futures=file.futures,
        half_width=file.half_width,
        least=file.least,
        most=file.most,
        unknowns=file.unknowns,
        seed=file.seed,
        block=content["block"],
        content=content,
    )
    _check_effects(experiment, where)
    return experiment


def _base(given: str | None, where: str, folder: Path) -> Scenario:
    if given is None:
        return default()
    path = folder / given
    if not (path / "region.toml").is_file():  # else the folder of a region
        path = folder / (given if given.endswith(".toml") else f"{given}.toml")
        if not path.is_file():
            expected = f"a scenario file ({path} does not exist), or the folder of a region"
            raise InputError(f"{where}: scenario", repr(given), expected)
    return load(path)


def _block_size(file: ExperimentFile, points: int) -> int:
    if file.block is not None:
        return file.block
    least, most = BLOCK_LIMITS
    total = points * (file.least if file.futures is None else file.futures)
    return min(most, max(least, -(-total // BLOCKS)))


def _factor(base: Scenario, path: str, part: FactorPart, where: str) -> Factor:
    if path.startswith(SETTINGS):
        name = path.removeprefix(SETTINGS)
        if name not in Settings.model_fields:
            from difflib import get_close_matches

            near = get_close_matches(name, Settings.model_fields, n=3) or list(Settings.model_fields)
            raise InputError(where, f"an unknown setting {name!r}", "one of " + ", ".join(near))
        if part.values is None or part.multiple:
            raise InputError(where, "a range for a setting", "values = [...]")
        for value in part.values:
            try:
                base.with_settings(base.name, **{name: value})
            except InputError as error:
                raise InputError(where, error.found, error.expected) from None
        return Factor(path, base.settings[name], tuple(part.values))
    try:
        figure = base.book.figure(path)
    except InputError as error:
        raise InputError(where, "a figure that the region does not have", error.expected) from None
    if part.values is not None and any(isinstance(value, (bool, str)) for value in part.values):
        raise InputError(where, repr(part.values), "numbers, for a figure")
    if figure.dated and not part.multiple:
        raise InputError(where, "one value for a figure by year", "multiple = true: times the figure's own values")
    mode = 1.0 if part.multiple else figure.at()
    if part.posterior:
        if figure.low is None or figure.high is None or not figure.low < figure.high:
            raise InputError(where, "posterior, of a figure without a range", "values, or low and high")
        return Factor(path, mode, range=(figure.low, figure.high), mode=mode, steps=part.steps)
    if part.values is not None:
        values: tuple[Any, ...] = tuple(float(value) for value in part.values)
        factor = Factor(path, mode, values, multiple=part.multiple)
        extremes = (min(values), max(values))
    else:
        assert part.low is not None
        assert part.high is not None
        extremes = (part.low, part.high)
        factor = Factor(path, mode, range=extremes, steps=part.steps, multiple=part.multiple)
    for value in extremes:
        try:
            changed(base, path, part.multiple, value, where)
        except InputError as error:
            raise InputError(where, error.found, error.expected) from None
    return factor


def _check_effects(experiment: Experiment, where: str) -> None:
    """Refuse a factor that nothing simulated hangs on: it would look like a finding that it has no effect."""
    base = experiment.base
    here = simulated(base, where)
    others = [
        changed(base, factor.path, False, value, where)
        for factor in experiment.factors
        if factor.path.startswith(SETTINGS)
        for value in factor.values
    ]
    for factor in experiment.factors:
        place = f"{where}: factors.{factor.path}"
        ends = factor.ends()

        def differs(scenario: Scenario, known: Any, factor: Factor = factor, ends: Any = ends, at: str = place) -> bool:
            made = (simulated(changed(scenario, factor.path, factor.multiple, end, at), at) for end in ends)
            return any(one != known for one in made)

        if all(end == factor.base for end in ends) or differs(base, here):
            continue
        if any(differs(other, simulated(other, where)) for other in others):
            continue
        hint = 'settings.network "diversion" for it' if factor.path == DIVERSION else "a figure or setting that does"
        raise InputError(place, "a factor on which nothing that is simulated hangs in this scenario", hint)


def without_effect(scenario: Scenario) -> list[str]:
    """Figures that a scenario changes while nothing that is simulated hangs on them with its settings, in a few
    futures; they may still count in promises and in euros. Unknowns that futures draw are left out."""
    few = [unknowns.values(scenario, unknowns.quantiles(1, future)) for future in range(FEW)]
    here = [simulated(scenario, scenario.name, drawn) for drawn in few]
    found = []
    for change in scenario.changes:
        after = scenario.book.figure(change.key)
        if change.key in unknowns.UNKNOWNS or change.before.values == after.values or change.key in found:
            continue
        book = FigureBook(scenario.book.region, {**scenario.book, change.key: change.before})
        try:
            there = [simulated(replace(scenario, book=book), scenario.name, drawn) for drawn in few]
        except InputError:  # without this change the others cannot be: it matters
            continue
        if here == there:
            found.append(change.key)
    return found


def simulated(scenario: Scenario, where: str, drawn: Mapping[str, float] | None = None) -> Any:
    """All that a simulation of this scenario is made from: the network document and what counts as cleared; ``drawn``:
    values of unknowns, None: each at its own."""
    from flowsim.scenario.compile import Compiler
    from flowsim.scenario.region import load_region
    from flowsim.study.futures import definition

    try:
        document = Compiler(scenario, dict(drawn or {})).document()
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, InputError):
            raise InputError(where, error.found, error.expected) from None
        raise InputError(where, f"figures that cannot go together ({error})", "figures within their ranges") from None
    return document, definition(scenario, load_region(scenario.region))
