"""A calibration as a person reads it: what was learnt, how it fits, what cannot be told apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis.calibrated import SIGNIFICANT
from flowsim.analysis.posterior import IMPLAUSIBLE
from flowsim.present.answer import Block, Paragraph, Rows
from flowsim.present.progress import StudyProgress
from flowsim.present.texts import format_number, text, texts
from flowsim.present.wording import percent, scenario_title, unknown_name
from flowsim.scenario.region import load_region

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.posterior import Calibrated

MUCH: Final = 0.25
"""A variance that has become so much smaller counts as much learnt."""
FOLLOWED: Final = ("assumptions.list_size", "assumptions.reneging_share", "assumptions.demand_growth")
"""Unknowns in the table of what hangs on the errors: those that the answer hangs on most."""


class CalibrationProgress(StudyProgress):
    """How far a calibration is."""

    LINE = "calibrate.run.line"

    def label(self, name: str) -> str:
        return text(self.lang, "calibrate.run.step")


def shown_name(lang: str, target: Mapping[Any, Any]) -> str:
    """A target in words; one that does not weigh has a star."""
    return target_name(lang, target["target"]) + ("" if target["weighs"] else " *")


def target_name(lang: str, code: str) -> str:
    """A target in words; its code when there are none."""
    return texts(lang).get(f"calibrate.target.{code}", code)


def figure(lang: str, value: float, unit: str, like: float | None = None) -> str:
    """A value with as many decimals as one of the size of ``like`` (itself) asks for; fractions in per cents."""
    if unit.startswith("fraction"):
        return format_number(lang, 100.0 * value, 1) + "%"
    size = abs(value if like is None else like)
    return format_number(lang, value, 0 if size >= 50 else 1 if size >= 5 else 2)


def blocks(found: Calibrated, tables: Mapping[str, pd.DataFrame], lang: str) -> list[Block]:
    """All that is printed, in order."""
    page = Page(found, tables, lang)
    parts = (page.head, page.unknowns, page.lists, page.targets, page.pairs, page.sensitivity, page.explanation)
    return [part() for part in parts]


def as_json(found: Calibrated, tables: Mapping[str, pd.DataFrame], written: Mapping[str, Any]) -> dict[str, Any]:
    """The calibration for programs."""
    scenario = found.library.scenario
    return {
        "scenario": {"name": scenario.name, "title": scenario.title, "region": scenario.region, "hash": scenario.hash},
        **{name: table.to_dict("records") for name, table in tables.items()},
        "seed": found.library.seed,
        "points": len(found.library.quantities),
        "effective": found.effective,
        "interrupted": found.interrupted,
        **written,
    }


class Page:
    """The parts of the page, each from the tables."""

    def __init__(self, found: Calibrated, tables: Mapping[str, pd.DataFrame], lang: str) -> None:
        self.found = found
        self.tables = tables
        self.lang = lang
        self.book = found.library.scenario.book

    def t(self, key: str, **values: object) -> str:
        return text(self.lang, f"calibrate.{key}", **values)

    def table(
        self, name: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], *notes: str, left: int = 1
    ) -> Rows:
        header = tuple(self.t(f"table.{name}.{column}") for column in columns)
        return Rows(self.t(f"table.{name}.title"), header, tuple(rows), left, notes)

    def spread(self, row: Mapping[Any, Any], name: str, unit: str) -> str:
        like = row[f"{name}_mean"]
        values = {end: figure(self.lang, row[f"{name}_{part}"], unit, like) for end, part in ENDS}
        return text(self.lang, "answer.estimate", **values)

    def head(self) -> Paragraph:
        scenario = self.found.library.scenario
        rows = self.tables["unknowns"].to_dict("records")
        much = [row for row in rows if row["contraction"] >= MUCH and row["learnt"]]
        little = [row for row in rows if row["learnt"] and row not in much]
        most = sorted((row for row in rows if row["learnt"]), key=lambda row: -row["contraction"])[:4]
        names = "; ".join(unknown_name(self.lang, row["unknown"]) for row in most) or self.t("head.none")
        weighed = [row for row in self.tables["targets"].to_dict("records") if row["weighs"]]
        far = [target_name(self.lang, row["target"]) for row in weighed if row["implausibility"] > IMPLAUSIBLE]
        lines = [
            self.t(
                "head.question",
                title=scenario_title(self.lang, scenario),
                region=load_region(scenario.region).name,
            )
        ]
        if self.found.interrupted:
            lines.append(self.t("head.interrupted"))
        lines.append(
            self.t(
                "head.first",
                much=len(much),
                count=len(rows),
                little=len(little),
                nothing=len(rows) - len(much) - len(little),
                most=names,
            )
        )
        missed = self.t("head.misses", names="; ".join(far)) if far else self.t("head.no_misses")
        lines.append(self.t("head.fits", count=len(weighed), met=len(weighed) - len(far), missed=missed))
        return Paragraph(tuple(lines))

    def unknowns(self) -> Rows:
        rows = []
        for row in self.tables["unknowns"].to_dict("records"):
            unit = self.book.figure(row["unknown"]).unit
            share = percent(self.lang, row["contraction"]) if narrower(row) else "-"
            moved = row["shift"] if abs(row["shift"]) > SIGNIFICANT * row["shift_noise"] else 0.0
            shift = f"{'+' if moved > 0.0 else ''}{format_number(self.lang, moved, 1)}" if moved else "-"
            cells = [self.spread(row, name, unit) for name in ("prior", "posterior")]
            rows.append((unknown_name(self.lang, row["unknown"]), *cells, share, shift))
        return self.table("unknowns", ("unknown", "before", "after", "learnt", "moved"), rows)

    def lists(self) -> Rows:
        rows = [
            (self.t(f"group.{row['group']}"), *(self.spread(row, name, "people") for name in ("prior", "posterior")))
            for row in self.tables["lists"].to_dict("records")
        ]
        return self.table("lists", ("group", "before", "after"), rows)

    def targets(self) -> Rows:
        rows = []
        for row in self.tables["targets"].to_dict("records"):
            unit = "fraction" if row["quantity"] in FRACTIONS else row["unit"]
            error = float((row["error"] ** 2 + row["discrepancy"] ** 2) ** 0.5)
            observed = f"{figure(self.lang, row['observed'], unit)} ± {figure(self.lang, error, unit, row['observed'])}"
            rows.append(
                (
                    shown_name(self.lang, row),
                    ("≥ " if row["at_least"] else "") + observed,
                    self.spread(row, "prior", unit),
                    self.spread(row, "posterior", unit),
                    format_number(self.lang, row["implausibility"], 1),
                )
            )
        notes = (self.t("table.targets.note_distance", limit=f"{IMPLAUSIBLE:g}"), self.t("table.targets.note_shown"))
        return self.table("targets", ("target", "observed", "before", "after", "distance"), rows, *notes)

    def pairs(self) -> Block:
        table = self.tables["pairs"]
        rows = [
            (
                unknown_name(self.lang, row["unknown"]),
                unknown_name(self.lang, row["other"]),
                format_number(self.lang, row["correlation"], 2),
            )
            for row in table[table["together"]].to_dict("records")
        ]
        if not rows:
            return Paragraph((self.t("table.pairs.none"),))
        note = self.t("table.pairs.note", way=self.t("table.pairs.lower"))
        return self.table("pairs", ("unknown", "other", "correlation"), rows, note, left=2)

    def sensitivity(self) -> Rows:
        table = self.tables["sensitivity"]
        followed = [key for key in FOLLOWED if key in set(table["unknown"])]
        rows = []
        for variation in dict.fromkeys(table["variation"]):
            mine = table[table["variation"] == variation].set_index("unknown")
            cells = [self.spread(mine.loc[key], "posterior", self.book.figure(key).unit) for key in followed]
            worth = format_number(self.lang, float(mine["effective"].iloc[0]))
            rows.append((self.variation(variation), worth, *cells))
        made = self.table("sensitivity", ("variation", "effective"), rows, self.t("table.sensitivity.note"))
        header = (*made.header, *(unknown_name(self.lang, key) for key in followed))
        return Rows(made.title, header, made.rows, 1, made.notes)

    def variation(self, code: str) -> str:
        kind, _, which = code.partition("_")
        if kind == "without":
            return self.t("variation.without", name=target_name(self.lang, which))
        scale = float(which)
        return self.t("variation.discrepancy", scale=format_number(self.lang, scale, 0 if scale == round(scale) else 1))

    def explanation(self) -> Paragraph:
        first = self.tables["unknowns"].iloc[0]
        noise = percent(self.lang, SIGNIFICANT * float(first["contraction_noise"]))
        moved = format_number(self.lang, SIGNIFICANT * float(first["shift_noise"]), 2)
        points, effective = (format_number(self.lang, x) for x in (len(self.found.weights), self.found.effective))
        lines = (
            self.t("explain.before"),
            self.t("explain.points", points=points, effective=effective),
            self.t("explain.error"),
            self.t("explain.learnt", noise=noise),
            self.t("explain.moved", noise=moved),
        )
        return Paragraph(lines, self.t("explain.title"))


ENDS: Final = (("value", "mean"), ("low", "q05"), ("high", "q95"))
FRACTIONS: Final = ("share_basic", "overdue_share", "list_growth", "hazard")
"""Quantities that are shares, whatever the unit of the figure that they are held against says."""


def narrower(row: Mapping[Any, Any]) -> bool:
    """Whether the variance of an unknown has shrunk by more than chance can explain."""
    return bool(row["contraction"] > SIGNIFICANT * row["contraction_noise"])
