"""What all chapters of the report share: the words of the answer and of the report, rows of tables, dates, figures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from flowsim.plan.figures import Figure, load_figures
from flowsim.present.answer import LAST_YEAR, Page
from flowsim.present.first_day import first_day
from flowsim.present.report import charts
from flowsim.present.report.blocks import Block, figure
from flowsim.present.said import said_date
from flowsim.present.texts import text


class Chapter(Page):
    """What all chapters share: the answer's words (`Page`) and the report's own."""

    def r(self, key: str, **values: object) -> str:
        """A sentence of the report."""
        return text(self.lang, f"report.{key}", **values)

    @property
    def readings(self) -> list[str]:
        """The cases with a network."""
        return [name for name in self.cases if name != "none"]

    @property
    def compared(self) -> bool:
        """Whether there is a network to hold against none."""
        return "none" in self.cases and self.leading != "none"

    def published(self, key: str) -> Figure:
        """A figure as its source gives it, whatever the scenario makes of it."""
        return load_figures(self.scenario.region).figure(key)

    def date(self, day: dt.date) -> str:
        """A date as the language writes it."""
        return said_date(self.r("date", day=day.day, month=day.month, year=day.year), day)

    def row(self, name: str, case: str, **where: Any) -> dict[Any, Any]:
        """The row of a table for a case, and further columns."""
        found = self.tables[name]
        chosen = found["case"] == case
        for column, value in where.items():
            chosen &= found[column] == value
        return dict(found[chosen].iloc[0])

    def year(self, case: str, measure: str, year: int = LAST_YEAR) -> dict[Any, Any]:
        """A measure of a year: mean, its interval, 90% range."""
        return self.row("years", case, measure=measure, year=year)

    def at_start(self, measure: str) -> float:
        """Mean number waiting or overdue on the first day, which is the same in every case."""
        return first_day(self.tables, measure).mean

    def chance(self, row: Mapping[Any, Any], name: str = "cleared") -> str:
        """A probability of a table, with its interval."""
        return self.probability(row[name], row[f"{name}_low"], row[f"{name}_high"])

    def pictured(self, draw: Any, key: str, alt: Mapping[str, object], source: str = "", **values: object) -> Block:
        """A figure with its title, alternative text, unit and source (left out: the futures of the cases)."""
        source = source or self.r("source.simulation", futures=self.futures_shown())
        return figure(
            charts.svg(draw),
            self.r(f"figure.{key}.title", **values),
            self.r(f"figure.{key}.alt", **alt),
            self.r(f"figure.{key}.note", source=source),
        )

    def futures_shown(self, chosen: bool = False) -> str:
        """How many futures the cases have; ``chosen``: with those for the probability alone."""
        rows = self.rows_of("summary")
        return self.ends({int(row["futures"] + (row.get("chosen", 0) if chosen else 0)) for row in rows})

    def ends(self, counts: Collection[int]) -> str:
        """One number, or the lowest and the highest of several."""
        low, high = self.number(min(counts)), self.number(max(counts))
        return low if low == high else self.r("from_to", low=low, high=high)

    def listed(self, parts: Sequence[str]) -> str:
        """Parts in one sentence."""
        return "; ".join(parts)
