"""The plan's promises and its euros, at the simulated volumes."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from flowsim.analysis import verdict
from flowsim.analysis.measures import ROUNDING
from flowsim.plan.kpis import load_kpis
from flowsim.present.answer import LAST_YEAR
from flowsim.present.plots import COLOURS, OTHER
from flowsim.present.report import charts
from flowsim.present.report.blocks import Block, heading, light, paragraphs, table
from flowsim.present.report.chapter import Chapter
from flowsim.present.said import PERCENT, Said, Told, reworded, whole
from flowsim.present.targets import plan_itself
from flowsim.present.texts import format_euro, text
from flowsim.present.wording import place_name, promise_name

SIGNS: Final = {"yes": "met", "uncertain": "unsure", "no": "missed", "none": "absent"}
"""A verdict with each of the signs."""
LINES: Final = ("gains", "network_cost", "net_effect", "substitution", "support_points", "net_of_social_domain")
BOUNDARIES: Final = ("net_effect", "net_of_social_domain")


class Promises(Chapter):
    """The chapters about targets and money."""

    # ---- targets --------------------------------------------------------------------------------------------------

    def targets(self) -> list[Block]:
        """Every promise with its date, expectation, probability and light, under each reading."""
        found = self.tables["targets"]
        if not len(found):
            return [heading(self.r("heading.targets")), paragraphs(self.r("targets.nothing"))]
        made = [heading(self.r("heading.targets"), fresh=True)]
        paid = {f"kpi_{one.nr}": float(one.amount) for one in load_kpis(self.scenario.region)}
        rows, at_stake = [], 0.0
        for row in found[found["case"] == self.leading].to_dict("records"):
            amount = paid.get(row["target"], 0.0)
            codes = [self.code(self.row("targets", case, target=row["target"])) for case in self.readings]
            if codes[self.readings.index(self.leading)] in ("no", "unlikely"):
                at_stake += amount
            rows.append(
                [
                    promise_name(self.lang, row["target"]),
                    self.date(dt.date.fromisoformat(row["date"])),
                    self.promised(row),
                    self.expected(row),
                    *(self.judged(case, row["target"], code) for case, code in zip(self.readings, codes, strict=True)),
                    self.euro(amount) if amount else "–",
                ]
            )
        header = [self.r(f"column.{name}") for name in ("promise", "date", "promised")]
        header.append(self.r("column.expected", case=self.case(self.leading)))
        header += [self.r("column.chance_under", case=self.case(case)) for case in self.readings]
        header.append(self.r("column.paid"))
        names = [2.2 if len(self.case(case)) > 9 else 1.5 for case in self.readings]
        widths = (3.8, 1.55, 1.5, 2.6, *names, 1.5)
        even = self.percent(verdict.EVEN)
        lights = [light(code, self.r(f"light.{sign}", even=even)) for code, sign in SIGNS.items()]
        sources = sorted({str(one) for one in found["source"]})
        slack = f"{self.number(100.0 * ROUNDING, 1)}%"
        document = sources[0].rpartition(",")[0] or sources[0]
        itself = plan_itself(self.lang, self.scenario.region).values()
        beside = " ".join((*itself, *(text(self.lang, f"targets.read.{name}") for name in ("inflow", "consults"))))
        note = f"{self.r('note.targets', slack=slack)} {beside} {self.r('note.source', source=document)}"
        stake = self.r("targets.stake", amount=self.euro(at_stake), case=self.case(self.leading))
        return [
            *made,
            paragraphs(self.r("targets.text"), *([stake] if at_stake else [])),
            {"kind": "lights", "cells": lights},
            table(header, rows, widths, self.r("table.targets"), note, small=True),
        ]

    def code(self, row: Mapping[Any, Any]) -> str:
        """The verdict on a promise; ``none`` when the model does not have it."""
        if not row["simulated"]:
            return "none"
        return verdict.chance(row["probability_low"], row["probability_high"])

    def judged(self, case: str, target: str, code: str) -> dict[str, str]:
        """The light of a promise under a reading, with its probability."""
        if code == "none":
            return light(code, self.r("not_simulated"))
        return light(code, self.percent(self.row("targets", case, target=target)["probability"]))

    def promised(self, row: Mapping[Any, Any]) -> str:
        """What is promised, with the sign of at least or at most."""
        value, comparison = self.amount(row["promised"], row["unit"]), str(row["comparison"])
        return reworded(value, self.r(f"comparison_sign.{comparison}", value=value), comparison)

    def expected(self, row: Mapping[Any, Any]) -> str:
        """Mean and 90% range of the futures."""
        if not row["simulated"]:
            return "–"
        mean, low, high = (self.amount(row[name], row["unit"]) for name in ("mean", "q05", "q95"))
        if low == high == mean:
            return mean
        return whole(self.r("range", mean=mean, low=low, high=high), mean, low, high)

    def amount(self, value: float, unit: str) -> str:
        """A quantity of a promise: fractions in per cents, staff in one decimal."""
        if unit.startswith("fraction"):
            shown = 100.0 * value
            decimals = 0 if math.isclose(shown, round(shown), abs_tol=1e-9) else 1
            written: str = Said(self.number(shown, decimals) + "%", Told(value, PERCENT, decimals))
        else:
            written = self.number(value, 1 if unit == "fte" else 0)
        return reworded(written, written.replace("-", "−"))

    def euro(self, value: float) -> str:
        """Whole euros."""
        written = format_euro(self.lang, value)
        return reworded(written, written.replace("-", "−"))

    def rounded(self, value: float) -> str:
        """Euros in whole thousands, for sentences."""
        return self.euro(1000.0 * round(value / 1000.0))

    # ---- the business case ----------------------------------------------------------------------------------------

    def euros(self) -> list[Block]:
        """Both boundaries of the business case, by year, beside what the plan prints."""
        found = self.tables["euros"]
        if not len(found) or self.leading not in set(found["case"]):
            return [heading(self.r("heading.euros")), paragraphs(self.r("euros.nothing"))]
        made = [heading(self.r("heading.euros"), fresh=True)]
        own = found[found["case"] == self.leading]
        years = sorted({int(year) for year in own["year"]})
        printed = self.printed()
        totals = {line: float(own[own["line"] == line]["mean"].sum()) for line in LINES}
        last = {line: float(self.row("euros", self.leading, line=line, year=LAST_YEAR)["mean"]) for line in BOUNDARIES}
        words = {f"{line}_total": self.rounded(totals[line]) for line in BOUNDARIES}
        words |= {f"{line}_last": self.rounded(last[line]) for line in BOUNDARIES}
        indexed = bool(own["indexed"].iloc[0])
        prices = self.r(f"euros.{'indexed' if indexed else 'constant'}", year=self.price_year())
        rows = []
        for line in LINES:
            cells = []
            for year in years:
                row = self.row("euros", self.leading, line=line, year=year)
                cells.append(self.thousands(row["mean"]))
            rows.append([text(self.lang, f"euros.line.{line}"), *cells, self.thousands(totals[line])])
        for line in BOUNDARIES:
            cells = [self.thousands(printed[line][year]) if year in printed[line] else "–" for year in years]
            rows.append([self.r(f"printed.{line}"), *cells, self.thousands(sum(printed[line].values()))])
        header = [self.r("column.thousands"), *map(str, years), self.r("column.total")]
        strong = [LINES.index(line) for line in BOUNDARIES]
        source = self.scenario.book.figure("business_case.printed_net_effect").source
        section = place_name(self.lang, str(source))
        draw = partial(charts.euros, own, printed, COLOURS.get(self.leading, OTHER), self.lang)
        alt = {"case": self.case(self.leading), **words}
        return [
            *made,
            paragraphs(self.r("euros.text", case=self.case(self.leading), last=LAST_YEAR, **words), prices),
            self.pictured(draw, "euros", alt, case=self.case(self.leading)),
            table(
                header,
                rows,
                (4.6, *([1.5] * len(years)), 1.5),
                self.r("table.euros", case=self.case(self.leading)),
                self.r("note.euros", source=section),
                small=True,
                strong=strong,
            ),
            paragraphs(self.r("euros.same")),
        ]

    def price_year(self) -> int:
        return int(self.scenario.book.value("business_case.price_year"))

    def printed(self) -> dict[str, dict[int, float]]:
        """The plan's own results by year, as printed: the net effect, and less the social domain and support points."""
        book = self.scenario.book
        effect = book.figure("business_case.printed_net_effect")
        other = book.figure("business_case.printed_substitution_total")
        net = {year: effect.at(year) for year in effect.years}
        wide = {year: value - other.at(year) for year, value in net.items() if year in other.years}
        return {"net_effect": net, "net_of_social_domain": wide}

    def thousands(self, value: float) -> str:
        """Thousands of euros, with a real minus sign."""
        shown = self.number(abs(value) / 1000.0)
        return Said(shown if shown == "0" or value > 0.0 else f"−{shown}", Told(value / 1000.0))
