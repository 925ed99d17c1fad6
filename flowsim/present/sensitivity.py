"""A sensitivity study as a person reads it: which number to measure first, the choice behind it, what outcomes hang
on, where promises fail."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis.hangs_on import turning_weeks
from flowsim.present.answer import Block, Paragraph, Rows
from flowsim.present.progress import StudyProgress
from flowsim.present.texts import format_euro, format_number, text, texts
from flowsim.present.wording import percent, scenario_title, unknown_name
from flowsim.scenario.options import EXTEND, EXTENSION, OPTIONS

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.sensitivity import Sensitivity

TOP: Final = 6
POOR: Final = 0.2
"""Share of held-out variance below which a surface is called poor."""
WIDE: Final = 0.3
"""Length of an interval of an index above which the indices of the runs do not rank the unknowns."""
USELESS: Final = 0.05
"""Below which nothing is said by it."""


class Progress(StudyProgress):
    """Progress by part of the study."""

    def label(self, name: str) -> str:
        return text(self.lang, f"sensitivity.step.{name}")


def sensitivity_blocks(study: Sensitivity, tables: Mapping[str, pd.DataFrame], lang: str) -> list[Block]:
    """All that is printed, in order."""
    page = Page(study, tables, lang)
    parts: list[Block | None] = [
        page.head(),
        page.decision(),
        page.options(),
        page.information(),
        page.monitors(),
        *page.sobol(),
        page.promises(),
    ]
    return [part for part in parts if part is not None]


def shown_week(tables: Mapping[str, pd.DataFrame]) -> str:
    """The value of a week at which information is shown: the value itself where a number is surely worth something
    there, else where the choice turns, if it does."""
    information = tables["information"]
    at_value = information[information["week"] == "value"]
    turns = (information["week"] == "turn").any()
    return "turn" if turns and not (at_value["evppi_low"] > 0.0).any() else "value"


def sensitivity_json(study: Sensitivity, tables: Mapping[str, pd.DataFrame], written: Mapping[str, Any]) -> Any:
    """The study for programs; the futures and boxes are in the files only."""
    week = shown_week(tables)
    first = tables["information"][tables["information"]["week"] == week].iloc[0]
    return {
        "scenario": {"name": study.scenario.name, "hash": study.scenario.hash, "region": str(study.scenario.region)},
        "measure_first": {
            "unknown": first["unknown"] if first["evppi_low"] > 0.0 else None,
            "week": week,
            "euros_per_week": first["euros_per_week"],
        },
        **{name: table.to_dict("records") for name, table in tables.items() if name not in NOT_PRINTED},
        "seed": study.seed,
        "budget": study.budget,
        "interrupted": study.interrupted,
        **written,
    }


NOT_PRINTED: Final = frozenset({"futures", "boxes"})


class Page:
    """The parts of the page, each from the tables."""

    def __init__(self, study: Sensitivity, tables: Mapping[str, pd.DataFrame], lang: str) -> None:
        self.study = study
        self.tables = tables
        self.lang = lang
        self.week = shown_week(tables)
        self.pilot = int(study.scenario.book.value("functions.pilot_year"))

    def t(self, key: str, **values: object) -> str:
        return text(self.lang, f"sensitivity.{key}", **values)

    def euros(self, value: float, decimals: int = 0) -> str:
        """Euros; large amounts to the nearest thousand."""
        value = round(value, -3) if abs(value) >= 10_000 else value
        return format_euro(self.lang, value, decimals)

    def number(self, value: float) -> str:
        return format_number(self.lang, round(value, -2) if abs(value) >= 1000 else value)

    def interval(self, row: Mapping[Any, Any], name: str) -> str:
        """Euros with their interval."""
        if math.isnan(row[name]):
            return self.t("table.information.none")
        ends = {end: self.euros(row[f"{name}_{end}"]) for end in ("low", "high")}
        return text(self.lang, "answer.estimate", value=self.euros(row[name]), **ends)

    def share(self, row: Mapping[Any, Any], name: str) -> str:
        """A share with its interval, from 0 to 1."""
        value, low, high = (
            percent(self.lang, min(max(row[f"{name}{end}"], 0.0), 1.0)) for end in ("", "_low", "_high")
        )
        return text(self.lang, "answer.estimate", value=value, low=low, high=high)

    def of(self, table: str, **where: Any) -> list[dict[Any, Any]]:
        """Rows of a table."""
        found = self.tables[table]
        for column, value in where.items():
            found = found[found[column] == value]
        return found.to_dict("records")

    def name(self, key: str) -> str:
        """An unknown, or another input, in words."""
        found = texts(self.lang).get(f"sensitivity.input.{key}")
        return found if found is not None else unknown_name(self.lang, key)

    # ---- the choice -----------------------------------------------------------------------------------------------

    def head(self) -> Paragraph:
        lines = [self.t("head.question", title=scenario_title(self.lang, self.study.scenario))]
        if self.study.interrupted:
            lines.append(self.t("head.interrupted"))
        value, low, high = self.study.week
        first = self.of("information", week=self.week)[0]
        values = {
            "unknown": self.name(first["unknown"]),
            "worth": self.euros(first["evppi"]),
            "low": self.euros(first["evppi_low"]),
            "high": self.euros(first["evppi_high"]),
        }
        certain = first["evppi_low"] > 0.0
        if self.week == "value" and certain:
            lines.append(self.t("head.measure", week=self.euros(value), **values))
            return Paragraph(tuple(lines))
        best = self.of("perfect", week="value")[0]["best"]
        lines.append(self.t("head.clear", week=self.euros(value), best=self.t(f"option.{best}")))
        if self.week == "turn":
            turn = self.euros(first["euros_per_week"])
            lines.append(self.t("head.turn", turn=turn, **values) if certain else self.t("head.nothing", turn=turn))
        elif low < high:
            lines.append(self.t("head.no_turn", low=self.euros(low), high=self.euros(high)))
        return Paragraph(tuple(lines))

    def decision(self) -> Paragraph:
        value, low, high = self.study.week
        extension = self.study.cases[EXTEND].scenario
        if extension.changes and extension.changes[-1].file == EXTEND:  # no file of its own
            share = percent(self.lang, self.study.scenario.book.value(EXTENSION))
            words = self.t("decision.places", share=share, next=self.pilot + 1)
        else:
            words = self.t("decision.file", title=extension.title)
        lines = (
            self.t("decision.options", year=self.pilot, extension=words),
            self.t("decision.weeks", week=self.euros(value), low=self.euros(low), high=self.euros(high)),
            self.t("decision.savings" if self.study.savings else "decision.euros"),
        )
        return Paragraph(lines, self.t("decision.title"))

    def options(self) -> Rows:
        rows = []
        for row in self.of("options", week="value"):
            price = (
                self.euros(row["euros"] / row["weeks_won"]) if row["weeks_won"] > 0.0 else "-"
            )  # else none is bought
            rows.append(
                (
                    self.t(f"option.{row['option']}"),
                    self.euros(row["euros"]),
                    self.number(row["weeks_won"]),
                    price,
                    self.interval(row, "net_benefit"),
                    percent(self.lang, row["best_share"]),
                )
            )
        turns = [self.euros(turn) for turn in self.turns()]
        note = self.t("table.options.turns", turns=", ".join(turns)) if turns else self.t("table.options.turns_none")
        columns = ("option", "euros", "weeks", "price", "benefit", "best")
        return self.table("options", columns, rows, (note,), week=self.euros(self.study.week[0]))

    def turns(self) -> list[float]:
        """Values of a week at which the best choice changes."""
        futures = self.tables["futures"].pivot(index="future", columns="option", values=["euros", "weeks_won"])
        euros, weeks = (futures[name][list(OPTIONS)].to_numpy() for name in ("euros", "weeks_won"))
        return turning_weeks(euros, weeks, self.study.week[1], self.study.week[2])

    def table(
        self, name: str, columns: tuple[str, ...], rows: list[Any], notes: tuple[str, ...] = (), **values: object
    ) -> Rows:
        header = tuple(self.t(f"table.{name}.{column}") for column in columns)
        return Rows(self.t(f"table.{name}.title", **values), header, tuple(rows), notes=notes)

    # ---- what numbers are worth -----------------------------------------------------------------------------------

    def information(self) -> Rows:
        found = self.of("information", week=self.week)
        rows = [
            (self.name(row["unknown"]), self.interval(row, "evppi"), self.interval(row, "evsi")) for row in found[:TOP]
        ]
        perfect = self.of("perfect", week=self.week)[0]
        note = self.t(
            "table.information.note",
            evpi=self.euros(perfect["evpi"]),
            low=self.euros(perfect["evpi_low"]),
            high=self.euros(perfect["evpi_high"]),
            clairvoyance=self.euros(perfect["clairvoyance"]),
        )
        week = self.euros(found[0]["euros_per_week"])
        return self.table("information", ("unknown", "evppi", "evsi"), rows, (note,), week=week)

    def monitors(self) -> Rows:
        found = self.of("monitors", week=self.week)
        rows = [(self.t(f"monitor.{row['monitor']}"), self.interval(row, "evsi")) for row in found]
        week = self.euros(found[0]["euros_per_week"])
        return self.table("monitors", ("monitor", "evsi"), rows, week=week, year=self.pilot)

    # ---- what outcomes hang on ------------------------------------------------------------------------------------

    def sobol(self) -> list[Block]:
        if "sobol" not in self.tables:
            return []
        made: list[Block] = []
        for outcome in ("cleared", "overdue_2029", "mean_wait_2029"):
            fits = self.of("surface", outcome=outcome) if len(self.tables["surface"]) else []
            words = self.t(f"outcome.{outcome}")
            if not fits or fits[0]["held_out"] < USELESS:
                heading = self.t("table.sobol.title", outcome=words)
                made.append(Paragraph((self.t("table.sobol.rare"),), heading))
                continue
            made.append(self.hangs_on(outcome, words, fits[0]))
        return made

    def hangs_on(self, outcome: str, words: str, fit: Mapping[Any, Any]) -> Rows:
        """The unknowns with the largest total index, by the surface; beside it what the runs themselves say."""
        surface = self.of("sobol", outcome=outcome, method="surface")
        runs = {row["input"]: row for row in self.of("sobol", outcome=outcome, method="runs")}
        effects = {row["unknown"]: row for row in self.of("morris", outcome=outcome)}
        rows = []
        for row in sorted(surface, key=lambda row: -row["total"])[:TOP]:
            key = row["input"]
            beside = self.share(runs[key], "total") if key in runs else self.t("table.sobol.unmeasured")
            change = format_number(self.lang, effects[key]["mu"], 2 if outcome == "cleared" else 0)
            rows.append((self.name(key), self.share(row, "total"), beside, change))
        note = self.t(
            "table.sobol.note",
            unit=self.t(f"unit.{outcome}"),
            runs=format_number(self.lang, fit["runs"]),
            held_out=percent(self.lang, max(0.0, fit["held_out"])),
            chance=percent(self.lang, min(max(fit["chance"], 0.0), 1.0)),
            low=percent(self.lang, min(max(fit["chance_low"], 0.0), 1.0)),
            high=percent(self.lang, min(max(fit["chance_high"], 0.0), 1.0)),
        )
        notes = (note, self.t("table.sobol.poor")) if fit["held_out"] < POOR else (note,)
        widths = [
            runs[one["input"]]["total_high"] - runs[one["input"]]["total_low"]
            for one in surface
            if one["input"] in runs
        ]
        if max(widths, default=0.0) > WIDE:
            notes = (*notes, self.t("table.sobol.wide"))
        return self.table("sobol", ("input", "surface", "runs", "morris"), rows, notes, outcome=words)

    # ---- where promises fail --------------------------------------------------------------------------------------

    def promises(self) -> Paragraph:
        lines = []
        for row in self.of("promises"):
            fails = percent(self.lang, row["fails"])
            words = self.t(f"promise.{row['promise']}")
            line = self.t("promise.share", promise=words, fails=fails, futures=format_number(self.lang, row["futures"]))
            if not row["found"]:
                lines.append(f"{line} {self.t('promise.none')}")
                continue
            names = ("density", "outside", "coverage", "mass")
            values = {name: percent(self.lang, row[name]) for name in names}
            ends = {end: percent(self.lang, row[f"density_{end}"]) for end in ("low", "high")}
            limits = self.limits(row["promise"])
            lines.append(f"{line} {self.t('promise.' + row['side'], limits=limits, **values, **ends)}")
        return Paragraph((*lines, self.t("promise.note")), self.t("promise.title"))

    def limits(self, promise: str) -> str:
        """The limits of a region in words."""
        parts = []
        for row in self.of("regions", promise=promise):
            low, high = row["low"], row["high"]
            kind = "below" if math.isinf(low) else "above" if math.isinf(high) else "between"
            ends = {name: self.figure(row["unknown"], end) for name, end in (("low", low), ("high", high))}
            parts.append(self.t(f"promise.{kind}", unknown=self.name(row["unknown"]), **ends))
        return self.t("promise.and").join(parts)

    def figure(self, key: str, value: float) -> str:
        """A value of an unknown with one decimal, from 100 on with none; fractions in per cents."""
        if math.isinf(value):
            return "-"
        fraction = self.study.scenario.book.figure(key).unit.startswith("fraction")
        value = 100.0 * value if fraction else value
        decimals = 0 if abs(value) >= 100 else 1
        return format_number(self.lang, value, decimals) + ("%" if fraction else "")
