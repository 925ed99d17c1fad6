"""The promises of the plan as a person reads them: an overview over the readings, each reading in detail with causes,
and the plan's own numbers beside those of the model."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from flowsim.plan.figures import load_figures
from flowsim.plan.targets import load_targets
from flowsim.present.answer import Block, Paragraph, Rows
from flowsim.present.texts import format_number, text
from flowsim.present.wording import case_name, percent, promise_name, scenario_title
from flowsim.scenario.region import load_region

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.targets import Evaluation

SHARES: Final = frozenset({"of_inflow", "of_clients", "share", "entered"})
"""Facts that are fractions; so is ``mean`` where the promise is one."""
OF_TABLE: Final = frozenset({"conversations", "support_point_users"})
"""Quantities of which the plan has a table by year."""


def target_blocks(found: Evaluation, tables: Mapping[str, pd.DataFrame], lang: str) -> list[Block]:
    """All that is printed, in order.

    Parameters
    ----------
    found : what was simulated. tables : its tables. lang : ``nl`` or ``en``.
    """
    page = _Page(found, tables, lang)
    parts: list[Block | None] = [page.head(), page.overview()]
    for name in page.cases:
        parts += [page.detail(name), page.why(name)]
    parts += [*page.reproduction(), page.reading()]
    return [part for part in parts if part is not None]


def targets_json(
    found: Evaluation, tables: Mapping[str, pd.DataFrame], missed: Sequence[str], written: Mapping[str, Any]
) -> dict[str, Any]:
    """The promises for programs; ``written`` adds what the caller knows (paths, seconds)."""
    scenario = found.scenario
    return {
        "scenario": {"name": scenario.name, "title": scenario.title, "region": scenario.region, "hash": scenario.hash},
        "reading": found.leading,
        "futures": found.done,
        "seed": found.seed,
        "interrupted": found.interrupted,
        "missed": list(missed),
        **{name: table.to_dict("records") for name, table in tables.items()},
        **written,
    }


def plan_itself(lang: str, region: str) -> dict[str, str]:
    """Promises for which the plan's own table has less than it asks for: their codes, and that in a sentence."""
    book, said = load_figures(region), {}
    for target in load_targets(region):
        if target.quantity not in OF_TABLE:
            continue
        planned = book.value(f"functions.{target.quantity}", target.date.year)
        if planned < target.value:
            shown = {"asked": format_number(lang, target.value), "planned": format_number(lang, planned)}
            promise = promise_name(lang, target.id)
            said[target.id] = text(lang, "targets.read.plan_itself", promise=promise, **shown)
    return said


def reasons(tables: Mapping[str, pd.DataFrame], case: str, lang: str) -> list[tuple[str, str]]:
    """Each promise that has a cause, by name, and that cause in a sentence; of those with the same words, the first.

    Parameters
    ----------
    tables : ``targets`` and ``causes`` (`flowsim.analysis.causes`). case : the reading. lang : ``nl`` or ``en``.
    """
    said: dict[str, str] = {}
    targets = tables["targets"]
    for row in targets[targets["case"] == case].to_dict("records"):
        if row["cause"]:
            said.setdefault(_cause(tables["causes"], case, row, lang), promise_name(lang, row["target"]))
    return [(name, words) for words, name in said.items()]


def _cause(table: pd.DataFrame, case: str, row: Mapping[Any, Any], lang: str) -> str:
    """A cause in a sentence, with its numbers."""
    mine = table[(table["case"] == case) & (table["target"] == row["target"])]
    facts = dict(zip(mine["fact"], mine["value"], strict=True))
    shares = SHARES | ({"mean"} if row["quantity"] == "inflow_reduction" else set())
    words = {
        name: format_number(lang, 100.0 * value, 1).removesuffix(",0").removesuffix(".0") + "%"
        if name in shares
        else format_number(lang, value, 1 if name == "mean" else 0)
        for name, value in facts.items()
    }
    if row["cause"] == "list_balance":
        way = "fewer_started" if facts["fewer_started"] >= 0.0 else "more_started"
        n = format_number(lang, abs(facts["fewer_started"]))
        words["started"] = text(lang, f"targets.cause.list_balance_{way}", n=n)
    return text(lang, f"targets.cause.{row['cause']}", **words)


class _Page:
    """The parts of the page, each from the tables."""

    def __init__(self, found: Evaluation, tables: Mapping[str, pd.DataFrame], lang: str) -> None:
        self.found = found
        self.tables = tables
        self.lang = lang
        self.targets = tables["targets"]
        self.cases = list(dict.fromkeys(self.targets["case"]))

    def t(self, key: str, **values: object) -> str:
        return text(self.lang, f"targets.{key}", **values)

    def rows_of(self, case: str) -> list[dict[Any, Any]]:
        return self.targets[self.targets["case"] == case].to_dict("records")

    def verdict(self, code: str) -> str:
        return self.t(f"verdict.{code}")

    def head(self) -> Paragraph:
        scenario, leading = self.found.scenario, self.found.leading
        codes = [row["verdict"] for row in self.rows_of(leading)]
        counts = {
            "total": len(codes),
            "met": sum(code in ("yes", "likely") for code in codes),
            "missed": sum(code in ("no", "unlikely") for code in codes),
            "open": codes.count("uncertain"),
            "unknown": codes.count("not_simulated"),
        }
        title = scenario_title(self.lang, scenario)
        lines = [self.t("head.question", title=title, region=load_region(scenario.region).name)]
        if self.found.interrupted:
            lines.append(self.t("head.interrupted"))
        lines.append(self.t("head.first", case=case_name(self.lang, leading), **counts))
        lines.append(self.t("head.futures", futures=self.found.done))
        return Paragraph(tuple(lines))

    def overview(self) -> Rows | None:
        if len(self.cases) < 2:
            return None
        by_case = [self.rows_of(name) for name in self.cases]
        rows = tuple(
            (*self.promise(row), *(self.verdict(other[i]["verdict"]) for other in by_case))
            for i, row in enumerate(by_case[0])
        )
        names = tuple(case_name(self.lang, name) for name in self.cases)
        return self.table("overview", ("promise", "date", "promised"), rows, names)

    def table(
        self, name: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]], more: tuple[str, ...] = ()
    ) -> Rows:
        header = (*(self.t(f"table.{name}.{column}") for column in columns), *more)
        return Rows(self.t(f"table.{name}.title"), header, tuple(rows))

    def promise(self, row: Mapping[str, Any]) -> tuple[str, str, str]:
        """Name, date, and what was promised."""
        date = dt.date.fromisoformat(row["date"])
        sign = "≥" if row["comparison"] == ">=" else "≤"
        written = f"{date.day}-{date.month}-{date.year}" if self.lang == "nl" else date.isoformat()
        return promise_name(self.lang, row["target"]), written, f"{sign} {self.amount(row, row['promised'])}"

    def amount(self, row: Mapping[str, Any], value: float) -> str:
        """A value in the promise's unit: a fraction in per cent, small numbers with a decimal."""
        if math.isnan(value):
            return "-"
        if row["unit"].startswith("fraction"):
            return format_number(self.lang, 100.0 * value, 1) + "%"
        return format_number(self.lang, value, 1 if 0.0 < row["promised"] < 20.0 and row["promised"] % 1.0 else 0)

    def detail(self, case: str) -> Rows:
        rows = []
        for row in self.rows_of(case):
            expected = probability = "-"
            if row["simulated"]:
                mean, low, high = (self.amount(row, row[name]) for name in ("mean", "q05", "q95"))
                expected = f"{mean} ({low} - {high})"
                ends = {name: percent(self.lang, row[f"probability_{name}"]) for name in ("low", "high")}
                value = percent(self.lang, row["probability"])
                probability = text(self.lang, "answer.estimate", value=value, **ends)
            rows.append((*self.promise(row), expected, probability, self.verdict(row["verdict"])))
        columns = ("promise", "date", "promised", "expected", "probability", "verdict")
        made = self.table("case", columns, [tuple(row) for row in rows])
        title = self.t("table.case.title", case=case_name(self.lang, case))
        return Rows(title, made.header, made.rows)

    def why(self, case: str) -> Paragraph | None:
        """The causes, in the order of the promises; those of which the words would be the same, once."""
        said = reasons(self.tables, case, self.lang)
        lines = tuple(f"  {self.t('table.case.why', promise=name)}: {words}" for name, words in said)
        return Paragraph(lines) if said else None

    def reproduction(self) -> list[Block]:
        if "reproduction" not in self.tables:
            return []
        rows, lines = [], []
        for row in self.tables["reproduction"].to_dict("records"):
            share = row["quantity"].startswith("share")
            name = self.t(f"counted.{row['quantity']}")

            def shown(value: float, share: bool = share) -> str:
                return format_number(self.lang, 100 * value, 1) + "%" if share else format_number(self.lang, value)

            values = {key: shown(row[f"mean{end}"]) for key, end in (("value", ""), ("low", "_low"), ("high", "_high"))}
            plan = ("≥ " if row["at_least"] else "") + shown(row["plan"])
            simulated = text(self.lang, "answer.estimate", **values)
            rows.append((name, str(row["year"]), plan, simulated, self.t(f"reproduced.{row['verdict']}")))
            if row["cause"]:
                cause = self.t(f"counted_cause.{row['cause']}", expected=shown(row["expected"]))
                lines.append(self.t("table.reproduction.why", quantity=name, cause=cause))
        made = self.table("reproduction", ("quantity", "year", "plan", "simulated", "verdict"), rows)
        note = self.t("table.reproduction.note")
        return [Rows(made.title, made.header, made.rows, notes=(note, *lines))]

    def reading(self) -> Paragraph:
        lines = tuple(self.t(f"read.{name}") for name in ("expected", "verdict", "without", "inflow", "consults"))
        return Paragraph(lines, self.t("read.title"))
