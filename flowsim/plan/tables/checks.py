"""One printed number against one recomputed number.

**Which number is recomputed from what.** A cell is recomputed from the assumptions and from the cells it is built on
*as printed*, so that an error is counted once, in the cell where it was made, and not again in every total after it.

**Tolerance.** With s the unit of the last printed digit (1 for euros, 0.1 for a column with one decimal):

- ``exact``: |printed - recomputed| <= s/2. The printed number is the recomputed one, rounded.
- ``rounding``: within s/2 plus what rounding of the inputs can cause: half a unit for each rounded part of a sum, the
  rounding of a factor times the amount it multiplies, one unit between two places that both print the same amount.
- ``inconsistent``: outside that, and for texts and dates any difference.

**Cause.** Each check may bring hypotheses: what the cell would say had the plan made a certain mistake. The cause of an
inconsistent cell is the first hypothesis that gives the printed number to within s/2; so a cause is computed, not
asserted. Checks whose cause is not a calculation (a date, a label) name it outright. What no hypothesis explains but
differs in a single digit is called that; the rest is ``unexplained``.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from flowsim.plan.figures import FigureBook

EXACT: Final = "exact"
ROUNDING: Final = "rounding"
INCONSISTENT: Final = "inconsistent"
VERDICTS: Final = (EXACT, ROUNDING, INCONSISTENT)
_FLOAT_NOISE: Final = 1e-12  # relative: 64.35 is not representable, its half units must not fall over


@dataclass(frozen=True, slots=True)
class Check:
    """A printed cell or statement beside its recomputation.

    Attributes
    ----------
    table, row, column : where it stands; codes, the sentences are in ``present/<lang>/plan.toml``.
    printed, recomputed : numbers in `unit`, or texts (ISO dates, kinds).
    difference : printed minus recomputed; days for dates; 0 or 1 for other texts.
    verdict, cause : see the module; `cause` is empty when nothing needs explaining.
    section : of the transformation plan.
    relation : how printed should stand to recomputed: ``=``, ``<=`` or ``>=``.
    """

    table: str
    row: str
    column: str
    printed: float | str
    recomputed: float | str
    difference: float
    unit: str
    verdict: str
    cause: str
    section: str
    relation: str = "="

    @property
    def id(self) -> str:
        """``<table>/<row>/<column>``, unique in the plan."""
        return f"{self.table}/{self.row}/{self.column}"


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the plan as a place to put checks: its code and its section."""

    code: str
    section: str

    def compare(
        self,
        row: str,
        column: str | int,
        printed: float,
        recomputed: float,
        unit: str,
        *,
        step: float = 1.0,
        carried: float = 0.0,
        relation: str = "=",
        hypotheses: Mapping[str, float] | None = None,
        cause: str = "",
    ) -> Check:
        """Judge a number: `step` is the unit of its last digit, `carried` the rounding that its inputs bring along,
        `hypotheses` cause -> the value it would give, `cause` the name for a difference that is no calculation."""
        noise = _FLOAT_NOISE * max(1.0, abs(printed), abs(recomputed))
        difference = printed - recomputed
        gap = {"=": abs(difference), "<=": difference, ">=": -difference}[relation]
        if gap <= step / 2 + noise:
            verdict = EXACT
        elif gap <= step / 2 + carried + noise:
            verdict = ROUNDING
        else:
            verdict = INCONSISTENT
        found = ""
        if verdict != EXACT:
            matches = (name for name, value in (hypotheses or {}).items() if abs(printed - value) <= step / 2 + noise)
            found = next(matches, "")
        if verdict == INCONSISTENT and not found:
            found = cause or _slip(printed, recomputed, step)
        return self._check(row, column, printed, recomputed, difference, unit, verdict, found, relation)

    def same(
        self,
        row: str,
        column: str | int,
        printed: float,
        elsewhere: float,
        unit: str,
        *,
        step: float = 1.0,
        rounded: bool = False,
        hypotheses: Mapping[str, float] | None = None,
        cause: str = "",
    ) -> Check:
        """Judge a number that the plan prints in two places; two `rounded` amounts may be a unit apart."""
        noise = _FLOAT_NOISE * max(1.0, abs(printed))
        apart = abs(printed - elsewhere)
        if apart <= noise:
            return self._check(row, column, printed, elsewhere, 0.0, unit, EXACT, "", "=")
        if rounded and apart <= step + noise:
            return self._check(row, column, printed, elsewhere, printed - elsewhere, unit, ROUNDING, "", "=")
        matches = (name for name, value in (hypotheses or {}).items() if abs(printed - value) <= step / 2 + noise)
        found = next(matches, "") or cause or _slip(printed, elsewhere, step)
        return self._check(row, column, printed, elsewhere, printed - elsewhere, unit, INCONSISTENT, found, "=")

    def total(
        self,
        row: str,
        column: str | int,
        printed: float,
        parts: Iterable[float],
        unit: str = "EUR",
        *,
        factor: float = 1.0,
        factor_error: float = 0.0,
        rounded: bool = True,
        hypotheses: Mapping[str, float] | None = None,
    ) -> Check:
        """Judge a printed sum of printed parts, times a factor (an index, VAT) that may itself have been rounded."""
        numbers = tuple(parts)
        base = sum(numbers)
        carried = factor * len(numbers) / 2 * rounded + factor_error * abs(base)
        return self.compare(row, column, printed, base * factor, unit, carried=carried, hypotheses=hypotheses)

    def text(self, row: str, column: str | int, printed: str, elsewhere: str, unit: str, cause: str) -> Check:
        """Judge a word or an ISO date that should be the same in two places; `cause` names a difference."""
        if printed == elsewhere:
            return self._check(row, column, printed, elsewhere, 0.0, unit, EXACT, "", "=")
        apart = 1.0
        if unit == "date":
            apart = float((dt.date.fromisoformat(printed) - dt.date.fromisoformat(elsewhere)).days)
        return self._check(row, column, printed, elsewhere, apart, unit, INCONSISTENT, cause, "=")

    def _check(
        self,
        row: str,
        column: str | int,
        printed: float | str,
        recomputed: float | str,
        difference: float,
        unit: str,
        verdict: str,
        cause: str,
        relation: str,
    ) -> Check:
        return Check(
            self.code,
            row,
            str(column),
            printed,
            recomputed,
            difference,
            unit,
            verdict,
            cause,
            self.section,
            relation,
        )


@dataclass(frozen=True, slots=True)
class Index:
    """The yearly indexation of the plan: (1 + rate) to the power of the years since the year of the prices."""

    rate: float
    price_year: int
    decimals: int

    @classmethod
    def of(cls, book: FigureBook, rate: str = "business_case.indexation") -> Index:
        """The indexation that the business case states, or with the rate of another chapter."""
        return cls(
            book.value(rate),
            int(book.value("business_case.price_year")),
            int(book.value("business_case.index_decimals")),
        )

    def factor(self, year: int) -> float:
        """The full factor."""
        return float((1 + self.rate) ** (year - self.price_year))

    def rounded(self, year: int) -> float:
        """The factor with the decimals that the plan kept."""
        return round(self.factor(year), self.decimals)

    def error(self, year: int) -> float:
        """Half a unit of the factor's last kept decimal; 0 where the factor needs no rounding."""
        exact = abs(self.factor(year) - self.rounded(year)) < 1e-12
        return 0.0 if exact else 0.5 * 10.0**-self.decimals


def _slip(printed: float, recomputed: float, step: float) -> str:
    """Name a difference that looks like a slip of the pen."""
    decimals = max(0, len(f"{step:g}".partition(".")[2]))
    found, expected = f"{printed:.{decimals}f}", f"{recomputed:.{decimals}f}"
    if len(found) == len(expected) and sum(a != b for a, b in zip(found, expected, strict=True)) == 1:
        return "one_digit_differs"
    if any(expected[:i] + expected[i + 1 :] == found for i in range(len(expected))):
        return "digit_dropped"
    return "unexplained"
