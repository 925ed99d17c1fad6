"""The new forecast as a person reads it: beside the old one, what changed, and why; and as JSON for programs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis.monitoring import QUANTITIES, SHARE, WAIT
from flowsim.analysis.weighing import K_LIMIT
from flowsim.plan.years import YEARS
from flowsim.present.answer import Block, Paragraph, Rows
from flowsim.present.texts import format_number, text
from flowsim.present.wording import case_name, percent, scenario_title, unknown_name
from flowsim.scenario.monitored import CHANGE, figure_of
from flowsim.scenario.posterior import source

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.privacy import PersonalData
    from flowsim.study.update import Update

SHOWN: Final = {"waiting": (1.0, 0), "overdue": (1.0, 0), "mean_wait": (7.0, 1), "conversations": (1.0, 0)}
"""Measures of the years, what they are divided by, and decimals."""
LAST: Final = YEARS[-1]
FITS: Final = ("yes", "odd", "conflict")
"""Whether a count fits: yes; not with the other counts; with no future at all."""
ENDS: Final = {"value": "", "low": "_low", "high": "_high"}
TEMPLATE_LINES: Final = 5


def update_blocks(found: Update, tables: Mapping[str, pd.DataFrame], lang: str) -> list[Block]:
    """All that is printed, in order; with conflicts there is no forecast.

    Parameters
    ----------
    found : what was simulated. tables : its tables. lang : ``nl`` or ``en``.
    """
    page = _Page(found, tables, lang)
    if found.conflicts:
        return [page.head(), page.conflicts(), page.counts()]
    parts: list[Block | None] = [
        page.head(),
        page.summary(),
        page.years(),
        page.moved(),
        *page.unknowns(),
        page.counts(),
        page.odd(),
        page.quality(),
        page.reading(),
    ]
    return [part for part in parts if part is not None]


def verdict_rows(found: Update, tables: Mapping[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """A row per event: probabilities before and after with intervals, and both verdict codes; none with conflicts."""
    return [] if found.conflicts else _records(tables["summary"])


def update_json(found: Update, tables: Mapping[str, pd.DataFrame], written: Mapping[str, Any]) -> dict[str, Any]:
    """The forecasts for programs; ``written`` adds what the caller knows (paths, seconds)."""
    scenario = found.scenario
    return {
        "scenario": {"name": scenario.name, "title": scenario.title, "region": scenario.region, "hash": scenario.hash},
        "reading": found.case.name,
        "observed": {"name": found.observed.name, "made_up": found.observed.made_up},
        "forecast": not found.conflicts,
        **{name: _records(table) for name, table in tables.items() if name not in ("futures", "fan")},
        "seed": found.seed,
        "interrupted": found.interrupted,
        **written,
    }


def fit_of(row: Mapping[Any, Any]) -> str:
    """Whether a count fits, of `FITS`; ``row`` of the table ``counts``."""
    return "conflict" if row["conflict"] else "odd" if row["odd"] else "yes"


def on_first_day(found: Update, measure: str) -> tuple[float, float]:
    """People on the first day, ``waiting`` or ``overdue``: means without and with the counts."""
    people = [float(getattr(future, measure)[0]) for future in found.case.futures]
    old, new = (
        sum(n * float(w) for n, w in zip(people, weights, strict=True)) for weights in (found.before, found.after)
    )
    return old, new


def template_remarks(lang: str, norm: float) -> list[str]:
    """What stands above an empty file; ``norm`` in weeks."""
    values = {"norm": format_number(lang, norm)}
    return [text(lang, f"update.template.line_{i}", **values) for i in range(1, TEMPLATE_LINES + 1)]


def refusal(error: PersonalData, lang: str) -> str:
    """Why a file with personal data is refused, in a sentence or two; nothing of it is repeated."""
    return text(lang, f"update.personal.{error.code}") + " " + text(lang, "update.personal.refused")


def update_unknown(lang: str, name: str) -> str:
    """The name of an unknown for people."""
    if not name.startswith("monitoring."):
        return unknown_name(lang, name)
    code = name.removeprefix("monitoring.")
    if name.startswith(CHANGE):
        return text(lang, "update.unknown.delivered_change", year=code.rpartition("_")[2])
    return text(lang, f"update.unknown.{code}")


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


class _Page:
    """The parts of the page, each from the tables."""

    def __init__(self, found: Update, tables: Mapping[str, pd.DataFrame], lang: str) -> None:
        self.found = found
        self.tables = tables
        self.lang = lang
        self.region = found.case.region

    def t(self, key: str, **values: object) -> str:
        return text(self.lang, f"update.{key}", **values)

    def number(self, value: float, decimals: int = 0) -> str:
        return "-" if math.isnan(value) else format_number(self.lang, value, decimals)

    def signed(self, value: float, decimals: int = 0) -> str:
        """A difference, with its sign."""
        written = self.number(value, decimals)
        return "+" + written if value > 0.0 and written.strip("0.,") else written

    def estimate(self, value: str, low: str, high: str) -> str:
        return text(self.lang, "answer.estimate", value=value, low=low, high=high)

    def row(self, table: str, **wanted: Any) -> dict[str, Any]:
        return next(one for one in _records(self.tables[table]) if all(one[k] == v for k, v in wanted.items()))

    def header(self, table: str, *columns: str) -> tuple[str, ...]:
        return tuple(self.t(f"table.{table}.{column}") for column in columns)

    def head(self) -> Paragraph:
        found, observed = self.found, self.found.observed
        last = max(quarter for quarter, _ in observed.cells)
        title = scenario_title(self.lang, found.scenario)
        lines = []
        if observed.made_up:
            lines.append(self.t("head.made_up", file=observed.name, region=self.region.name))
        cells = len(observed.cells)
        place = {"title": title, "region": self.region.name, "year": LAST}
        lines.append(self.t("head.question", cells=cells, quarter=last, **place))
        if found.interrupted:
            lines.append(self.t("head.interrupted"))
        if found.conflicts:
            return Paragraph((*lines, self.t("head.conflict")))
        one = self.row("summary", event="cleared")
        shown = {name: percent(self.lang, one[name]) for name in ("old", "new")}
        ends = {"low": percent(self.lang, one["new_low"]), "high": percent(self.lang, one["new_high"])}
        verdict = text(self.lang, f"answer.verdict.{one['new_code']}")
        case = case_name(self.lang, found.case.name)
        lines.append(self.t("head.probability", verdict=verdict, year=LAST, case=case, **shown, **ends))
        one = self.row("years", measure="overdue", year=LAST)
        values = {"new": one["new"], "low": one["new_q05"], "high": one["new_q95"], "old": one["old"]}
        words = {name: self.number(value) for name, value in values.items()}
        lines += [self.t("head.overdue", year=LAST, change=self.change(one), **words), *self.apart()]
        return Paragraph(tuple(lines))

    def apart(self) -> list[str]:
        """That the forecast without counts is not the answer's, where that rests on the calibration."""
        asked = self.found.scenario.with_settings(self.found.scenario.name, unknowns="posterior")
        if source(asked)[0] != "posterior":
            return []
        return [self.t("head.apart", first=self.region.start.year)]

    def change(self, row: Mapping[str, Any]) -> str:
        """A change of a number of people in words, when its interval is on one side of nothing."""
        low, high = row["change_low"], row["change_high"]
        if low > 0.0:
            return self.t("head.more", low=self.number(low), high=self.number(high))
        if high < 0.0:
            return self.t("head.fewer", low=self.number(-high), high=self.number(-low))
        return self.t("head.same")

    def summary(self) -> Rows:
        rows = []
        for one in _records(self.tables["summary"]):
            cells = [
                self.estimate(*(percent(self.lang, one[f"{when}{end}"]) for end in ("", "_low", "_high")))
                for when in ("old", "new")
            ]
            change = self.estimate(*(self.signed(100.0 * one[f"change{end}"], 1) for end in ("", "_low", "_high")))
            old, new = (text(self.lang, f"answer.chance.{one[f'{when}_code']}") for when in ("old", "new"))
            rows.append((self.t(f"event.{one['event']}", year=LAST), *cells, change, f"{old} → {new}"))
        header = self.header("summary", "event", "old", "new", "change", "verdict")
        return Rows(self.t("table.summary.title"), header, tuple(rows))

    def years(self) -> Rows:
        rows = []
        for measure, (unit, decimals) in SHOWN.items():
            if measure == "conversations" and self.found.scenario.settings["network"] != "functions":
                continue
            found = [self.row("years", measure=measure, year=year) for year in YEARS]
            for when in ("old", "new"):
                cells = [
                    f"{self.number(one[when] / unit, decimals)} "
                    f"({self.number(one[f'{when}_q05'] / unit)}-{self.number(one[f'{when}_q95'] / unit)})"
                    for one in found
                ]
                rows.append((self.t(f"measure.{measure}"), self.t(f"table.years.{when}"), *cells))
            cells = [
                self.estimate(*(self.signed(one[f"change{end}"] / unit, decimals) for end in ("", "_low", "_high")))
                for one in found
            ]
            rows.append((self.t(f"measure.{measure}"), self.t("table.years.change"), *cells))
        header = (*self.header("years", "measure", "which"), *map(str, YEARS))
        return Rows(self.t("table.years.title"), header, tuple(rows), left=2)

    def counted(self, code: str, value: float) -> str:
        decimals = 1 if QUANTITIES[code].kind in (WAIT, SHARE) else 0
        return self.number(value, decimals)

    def counts(self) -> Rows:
        rows = []
        for one in _records(self.tables["counts"]):
            code = one["quantity"]
            names = ("old",) if self.found.conflicts else ("old", "others")
            expected = [
                self.estimate(*(self.counted(code, one[f"expected_{name}{end}"]) for end in ("", "_low", "_high")))
                for name in names
            ]
            fits = fit_of(one)
            chance = self.small(one["fits_old"])
            words = self.t(f"quantity.{code}")
            counted = self.counted(code, one["counted"])
            rows.append((one["quarter"], words, counted, *expected, self.t(f"table.counts.{fits}", chance=chance)))
        columns = ("quarter", "quantity", "counted", "old", *(() if self.found.conflicts else ("others",)), "fits")
        cells = len(self.found.observed.cells)
        possible = self.small(self.found.possible * cells)
        notes = [
            self.t("table.counts.expected"),
            self.t("table.counts.chance"),
            self.t("table.counts.limit", limit=self.small(self.found.possible), possible=possible, cells=cells),
            *([] if self.found.conflicts else [self.t("table.counts.others_note")]),
        ]
        return Rows(self.t("table.counts.title"), self.header("counts", *columns), tuple(rows), 2, tuple(notes))

    def small(self, probability: float) -> str:
        """A probability that may be far below a per cent, in per cents."""
        return percent(self.lang, probability) if probability >= 0.01 else f"{self.number(100.0 * probability, 2)}%"

    def conflicts(self) -> Paragraph:
        lines = [self.cell("conflict", one.code, str(one.quarter), "old") for one in self.found.conflicts]
        return Paragraph((*lines, self.t("conflict.why"), self.t("conflict.next")), self.t("conflict.title"))

    def odd(self) -> Paragraph | None:
        if not self.found.odd:
            return None
        lines = [self.cell("odd", one.code, str(one.quarter), "others") for one in self.found.odd]
        return Paragraph((*lines, self.t("odd.note")), self.t("odd.title"))

    def cell(self, kind: str, code: str, quarter: str, name: str) -> str:
        """A cell that does not fit, in a sentence."""
        one = self.row("counts", quantity=code, quarter=quarter)
        ends = {end: self.counted(code, one[f"expected_{name}_{end}"]) for end in ("low", "high")}
        values = {
            "counted": self.counted(code, one["counted"]),
            "expected": self.counted(code, one[f"expected_{name}"]),
        }
        limit = self.small(self.found.possible)
        words = {"quantity": self.t(f"quantity.{code}"), "quarter": quarter}
        return "  " + self.t(f"{kind}.cell", limit=limit, **words, **values, **ends)

    def moved(self) -> Rows:
        table = self.tables["moved"]
        whole = _records(table[table["quarter"] == ""])
        rows = []
        for one in sorted(whole, key=lambda row: -abs(row["overdue"])):
            ends = ("", "_low", "_high")
            added, alone = (
                self.estimate(*(self.signed(one[f"{n}{e}"]) for e in ends)) for n in ("overdue", "overdue_alone")
            )
            code = "more" if one["overdue_low"] > 0.0 else "fewer" if one["overdue_high"] < 0.0 else "unclear"
            words = self.t(f"quantity.{one['quantity']}")
            rows.append((words, str(one["cells"]), added, alone, self.t(f"table.moved.{code}")))
        notes = [self.t("table.moved.note")]
        cells = [
            row for row in _records(table[table["quarter"] != ""]) if row["overdue_low"] * row["overdue_high"] > 0.0
        ]
        if cells:
            best = max(cells, key=lambda row: abs(row["overdue"]))
            values = {name: self.signed(best[f"overdue{end}"]) for name, end in ENDS.items()}
            named = {"quantity": self.t(f"quantity.{best['quantity']}"), "quarter": best["quarter"]}
            notes.append(self.t("table.moved.strongest", **named, **values))
        header = self.header("moved", "quantity", "cells", "overdue", "alone", "verdict")
        return Rows(self.t("table.moved.title", year=LAST), header, tuple(rows), notes=tuple(notes))

    def unknowns(self) -> list[Block]:
        table = _records(self.tables["unknowns"])
        changed = [one for one in table if one["code"] != "same"]
        if not changed:
            return [Paragraph((self.t("table.unknowns.none", count=len(table)),), self.t("table.unknowns.title"))]
        rows = []
        for one in changed:
            unit = self.found.scenario.book.figure(figure_of(one["unknown"])).unit
            cells = [
                self.estimate(*(self.figure(one[f"{when}_{q}"], unit) for q in ("q50", "q05", "q95")))
                for when in ("old", "new")
            ]
            rows.append((update_unknown(self.lang, one["unknown"]), *cells, self.t(f"table.unknowns.{one['code']}")))
        header = self.header("unknowns", "unknown", "old", "new", "verdict")
        made = Rows(self.t("table.unknowns.title"), header, tuple(rows))
        rest = len(table) - len(changed)
        return [replace(made, notes=(self.t("table.unknowns.rest", count=rest),) if rest else ())]

    def figure(self, value: float, unit: str) -> str:
        """A value in its unit: fractions in per cent, small numbers with decimals."""
        if unit.startswith(("fraction", "change of", "relative")):
            small = abs(value) < 0.1 and not unit.startswith("change of")
            return format_number(self.lang, 100.0 * value, 1 if small else 0) + "%"
        return format_number(self.lang, value, 0 if abs(value) >= 20.0 else 1 if abs(value) >= 5.0 else 2)

    def quality(self) -> Paragraph:
        one = _records(self.tables["diagnostics"])[0]
        effective = self.number(one["effective_new"])
        lines = [self.t("quality.futures", futures=self.number(one["futures"]), effective=effective)]
        if one["power"] < 1.0:
            factor = format_number(self.lang, 1.0 / math.sqrt(max(one["power"], 1e-6)), 1)
            lines.append(self.t("quality.power", factor=factor))
        if one["pareto_k"] > K_LIMIT:
            lines.append(self.t("quality.few", k=format_number(self.lang, one["pareto_k"], 1)))
        return Paragraph(tuple(lines), self.t("quality.title"))

    def reading(self) -> Paragraph:
        book = self.found.scenario.book
        errors = {
            name: percent(self.lang, book.value(f"monitoring.error_{key}"))
            for name, key in (
                ("list", "list_shared"),
                ("list_own", "list"),
                ("flow", "flow_shared"),
                ("flow_own", "flow"),
            )
        }
        lines = [self.t("read.old"), self.t("read.error", **errors), self.t("read.same")]
        return Paragraph(tuple(lines), self.t("read.title"))
