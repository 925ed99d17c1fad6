"""Scenarios side by side as a person reads them: chances, outcomes, differences, the best one, who wins and loses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis import verdict
from flowsim.present.answer import LAST_YEAR, WEEK, Block, Paragraph, Rows
from flowsim.present.texts import format_number, text, texts
from flowsim.present.wording import month, percent, scenario_title
from flowsim.scenario.region import load_region

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.compare import Comparison

SHOWN: Final = (
    "waiting",
    "overdue",
    "mean_wait",
    "wait_90",
    "starts",
    "reneged",
    "diverted",
    "gp_consults",
    "net_effect",
)
IN_WEEKS: Final = frozenset({"mean_wait", "wait_90"})
MANY: Final = 1000.0
FATES: Final = ("sooner", "same", "later", "kept_out", "started_instead", "gave_up_instead")


def compare_blocks(found: Comparison, tables: Mapping[str, pd.DataFrame], lang: str) -> list[Block]:
    """All that is printed, in order.

    Parameters
    ----------
    found : what was simulated. tables : its tables. lang : ``nl`` or ``en``.
    """
    page = _Page(found, tables, lang)
    parts: list[Block | None] = [
        page.head(),
        page.summary(),
        page.outcomes(),
        page.differences(),
        page.gain(),
        page.best(),
        *page.residents(),
        page.reading(),
    ]
    return [part for part in parts if part is not None]


def compare_json(found: Comparison, tables: Mapping[str, pd.DataFrame], written: Mapping[str, Any]) -> dict[str, Any]:
    """The comparison for programs; ``written`` adds what the caller knows (paths, seconds)."""
    shown = ("scenarios", "summary", "outcomes", "cleared", "differences", "best", "residents", "weeks_won")
    return {
        "base": found.base,
        "futures": found.done,
        "seed": found.seed,
        "interrupted": found.interrupted,
        "prior_for": list(found.prior_for),
        **{name: tables[name].to_dict("records") for name in shown if name in tables},
        **written,
    }


class _Page:
    """The parts of the page, each from the tables."""

    def __init__(self, found: Comparison, tables: Mapping[str, pd.DataFrame], lang: str) -> None:
        self.found = found
        self.tables = tables
        self.lang = lang
        self.region = load_region(found.scenario.region)

    def t(self, key: str, **values: object) -> str:
        return text(self.lang, f"compare.{key}", **values)

    def records(self, table: str, **where: object) -> list[dict[Any, Any]]:
        found = self.tables[table]
        for column, value in where.items():
            found = found[found[column] == value]
        return found.to_dict("records")

    def number(self, measure: str, value: float, sign: bool = False) -> str:
        """A value of an outcome: waits in weeks with a decimal, the others whole."""
        shown = value / WEEK if measure in IN_WEEKS else value
        written = format_number(self.lang, shown, 1 if measure in IN_WEEKS else 0)
        return f"+{written}" if sign and shown > 0.0 and any(c in "123456789" for c in written) else written

    def interval(self, measure: str, value: float, low: float, high: float, sign: bool = False) -> str:
        ends = {name: self.number(measure, x, sign) for name, x in (("value", value), ("low", low), ("high", high))}
        return ends["value"] if low == high else text(self.lang, "answer.estimate", **ends)

    def table(self, name: str, columns: Sequence[str], rows: Sequence[tuple[str, ...]], left: int, title: str) -> Rows:
        return Rows(title, tuple(self.t(f"table.{name}.{column}") for column in columns), tuple(rows), left)

    def years(self) -> tuple[str, ...]:
        return tuple(str(year) for year in sorted(set(self.tables["outcomes"]["year"])))

    # ---- the parts ------------------------------------------------------------------------------------------------

    def head(self) -> Paragraph:
        found = self.found
        lines = [self.t("head.question", region=self.region.name, count=len(found.scenarios), futures=found.done)]
        if found.interrupted:
            lines.append(self.t("head.interrupted"))
        lines += [
            "  " + self.t("head.scenario", name=name, title=scenario_title(self.lang, one))
            for name, one in found.scenarios.items()
        ]
        lines.append(self.t("head.base", base=found.base))
        if found.prior_for:
            lines.append(self.t("head.prior", names=", ".join(found.prior_for)))
        return Paragraph(tuple(lines))

    def summary(self) -> Rows:
        against = {row["case"]: row for row in self.records("cleared")}
        rows = []
        for row in self.records("summary"):
            name, day = row["case"], row["day_50"]
            late = math.isnan(day) or day > self.found.cases[name].definition.deadline
            date = text(self.lang, "answer.table.summary.never", year=LAST_YEAR + 1)
            date = date if late else month(self.lang, self.region.date(day))
            ends = {key: percent(self.lang, row[f"cleared{end}"]) for key, end in _ENDS}
            cells = [name, text(self.lang, "answer.estimate", **ends)]
            cells.append(text(self.lang, f"answer.chance.{verdict.chance(row['cleared_low'], row['cleared_high'])}"))
            cells.append(date)
            if name in against:
                other = against[name]
                cells.append(self.points(other["difference"], other["low"], other["high"]))
                cells += [f"{other[key]} / {other['pairs']}" for key in ("only_case", "only_base")]
            else:
                cells += ["-", "-", "-"]
            rows.append(tuple(cells))
        columns = ("case", "cleared", "verdict", "median", "difference", "only_case", "only_base")
        header = tuple(self.t(f"table.summary.{column}", base=self.found.base) for column in columns)
        return Rows(self.t("table.summary.title"), header, tuple(rows))

    def points(self, value: float, low: float, high: float) -> str:
        """A difference of probabilities, in percentage points."""
        ends = {
            name: ("+" if round(100.0 * x) > 0 else "") + format_number(self.lang, 100.0 * x) + "%"
            for name, x in (("value", value), ("low", low), ("high", high))
        }
        return text(self.lang, "answer.estimate", **ends)

    def outcomes(self) -> Rows:
        rows = []
        for measure in SHOWN:
            for name in self.found.scenarios:
                found = self.records("outcomes", measure=measure, case=name)
                if found:
                    cells = [self.interval(measure, *(row[f"mean{end}"] for _, end in _ENDS)) for row in found]
                    rows.append((self.t(f"measure.{measure}"), name, *cells))
        made = self.table("outcomes", ("measure", "case"), rows, 2, self.t("table.outcomes.title"))
        return Rows(made.title, (*made.header, *self.years()), made.rows, 2)

    def differences(self) -> Rows:
        rows = []
        for measure in SHOWN:
            for name in self.found.scenarios:
                found = self.records("differences", measure=measure, case=name)
                if found:
                    cells = [self.difference(measure, row) for row in found]
                    rows.append((self.t(f"measure.{measure}"), name, *cells))
        title = self.t("table.differences.title", base=self.found.base)
        made = self.table("differences", ("measure", "case"), rows, 2, title)
        note = self.t("table.differences.note")
        return Rows(made.title, (*made.header, *self.years()), made.rows, 2, notes=(note,))

    def difference(self, measure: str, row: Mapping[Any, Any]) -> str:
        shown = self.interval(measure, row["difference"], row["low"], row["high"], sign=True)
        return f"~ {shown}" if row["shown"] == "unclear" else shown

    def gain(self) -> Rows:
        rows = []
        for measure in ("cleared", *SHOWN):
            for name in self.found.scenarios:
                if measure == "cleared":
                    found = self.records("cleared", case=name)
                else:
                    found = self.records("differences", measure=measure, case=name, year=LAST_YEAR)
                for row in found:
                    gain = row["variance_reduction"]
                    if not math.isnan(gain):
                        rows.append((self.t(f"measure.{measure}"), name, self.times(gain), self.by_controls(row)))
        columns = ("measure", "case", "gain", "controls")
        header = tuple(self.t(f"table.gain.{column}", year=LAST_YEAR) for column in columns)
        notes = (self.t("table.gain.note"), self.t("table.gain.note_controls"))
        return Rows(self.t("table.gain.title"), header, tuple(rows), 2, notes=notes)

    def by_controls(self, row: Mapping[Any, Any]) -> str:
        """What control variates bring on top; of the probability: what the adjustment does."""
        gain = row["control_gain"]
        used = row.get("controlled", gain != 1.0)
        return self.times(gain) if used and not math.isnan(gain) else self.t("table.gain.unused")

    def times(self, gain: float) -> str:
        if math.isinf(gain):
            return self.t("table.gain.endless")
        return f"> {format_number(self.lang, MANY)}" if gain > MANY else format_number(self.lang, gain, 1)

    def best(self) -> Rows | None:
        best = self.found.best
        if best is None:
            return None
        unit = WEEK if best.outcome in IN_WEEKS else 1.0

        def shown(value: float, decimals: int = 1) -> str:
            if best.outcome == "cleared":
                return format_number(self.lang, 100.0 * value, decimals).removesuffix(",0").removesuffix(".0") + "%"
            return format_number(self.lang, value / unit, decimals)

        rows = []
        for row in self.records("best"):
            code = "no" if not row["kept"] else "yes" if row["decided"] else "left"
            futures = format_number(self.lang, row["futures"])
            rows.append((row["case"], shown(row["mean"]), futures, self.t(f"table.best.{code}")))
        goal = self.t("table.best.max" if best.largest else "table.best.min")
        margin = shown(best.indifference)
        title = self.t("table.best.title", measure=self.t(f"measure.{best.outcome}"), goal=goal, indifference=margin)
        if best.selection.decided:
            note = self.t("table.best.guarantee", indifference=margin)
        else:
            note = self.t("table.best.undecided", most=format_number(self.lang, max(best.selection.futures)))
        made = self.table("best", ("case", "mean", "futures", "kept"), rows, 1, title)
        return Rows(made.title, made.header, made.rows, notes=(note,))

    def residents(self) -> list[Block]:
        if "residents" not in self.tables:
            return []
        return [self.fates(name) for name in self.found.pairs]

    def fates(self, case: str) -> Rows:
        rows = []
        found = self.records("residents", case=case)
        for row in found:
            shares = [percent(self.lang, row[fate]) for fate in FATES]
            won = {key: format_number(self.lang, row[f"won{end}"], 1) for key, end in _ENDS}
            spread = f"{format_number(self.lang, row['q05'], 1)} / {format_number(self.lang, row['q95'], 1)}"
            people = format_number(self.lang, row["residents"])
            estimate = text(self.lang, "answer.estimate", **won)
            rows.append((self.group(row["by"], row["group"]), people, *shares, estimate, spread))
        columns = ("group", "residents", *FATES, "won", "spread")
        title = self.t("table.residents.title", case=case, base=self.found.base)
        made = self.table("residents", columns, rows, 1, title)
        everybody = found[0]
        share = {key: percent(self.lang, everybody[f"loses{end}"]) for key, end in _ENDS}
        notes = [
            self.t("table.residents.note", futures=everybody["futures"]),
            self.t("table.residents.losers", share=share["value"], low=share["low"], high=share["high"]),
        ]
        worst = max(found[1:], key=lambda row: row["loses"])
        if worst["loses"] > 0.0:
            group = self.group(worst["by"], worst["group"])
            notes.append(self.t("table.residents.worst", group=group, share=percent(self.lang, worst["loses"])))
        return Rows(made.title, made.header, made.rows, notes=tuple(notes))

    def group(self, by: str, group: str) -> str:
        """A group of residents in words."""
        if by == "municipality":
            names = {one.code: one.name for one in self.region.municipalities}
            group = names.get(group, group)
        elif by == "year" and int(group) < self.region.start.year:
            return self.t("by.before")
        else:
            group = texts(self.lang).get(f"compare.{by}.{group}", group)
        return self.t(f"by.{by}", group=group) if by != "all" else self.t("by.all")

    def reading(self) -> Paragraph:
        return Paragraph(tuple(self.t(f"read.{name}") for name in ("common", "interval")), self.t("read.title"))


_ENDS: Final = (("value", ""), ("low", "_low"), ("high", "_high"))
"""The parts of an estimate, and how their columns end."""
