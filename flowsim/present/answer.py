"""The answer as a person reads it: a first sentence, tables with intervals, what it hangs on, what it assumes.

`blocks` makes it from an answer and its tables; `print_blocks` prints it; `as_json` is the same for programs.
"""

from __future__ import annotations

import math
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis import verdict
from flowsim.plan.business_case import client_equivalents, full_year, plan_volumes
from flowsim.plan.years import YEARS
from flowsim.present import first_day
from flowsim.present.changed import changes, figure_value
from flowsim.present.fitting import fitted_table
from flowsim.present.said import whole
from flowsim.present.texts import format_number, text, texts
from flowsim.present.wording import case_name, gave_up, month, percent, scenario_title, unknown_name
from flowsim.scenario.frame import norm_weeks
from flowsim.scenario.region import Region, load_region
from flowsim.scenario.schema import DEFAULTS

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.answer import Answer

WIDTH: Final = 110
"""Of paragraphs; less on a narrow terminal."""
WIDEST: Final = 200
"""Of tables where there is no terminal."""
LAST_YEAR: Final = YEARS[-1]
WEEK: Final = 7.0
TOP: Final = 5


@dataclass(frozen=True)
class Paragraph:
    """Sentences; ``heading`` stands above them."""

    lines: tuple[str, ...]
    heading: str = ""


@dataclass(frozen=True)
class Rows:
    """A table; the first ``left`` columns are words."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: int = 1
    notes: tuple[str, ...] = ()


Block = Paragraph | Rows


def blocks(answer: Answer, tables: Mapping[str, pd.DataFrame], lang: str) -> list[Block]:
    """All that is printed, in order.

    Parameters
    ----------
    answer : what was simulated. tables : its tables (`flowsim.analysis.answers`). lang : ``nl`` or ``en``.
    """
    page = Page(answer, tables, lang)
    parts: list[Block | None] = [
        page.head(),
        page.summary(),
        page.explanation(),
        page.lists(),
        page.waits(),
        page.kpi24(),
        page.why(),
        page.curve(),
        *page.unknowns(),
        page.measure_first(),
        page.split(),
        page.start(),
        page.settings(),
        page.assumptions(),
    ]
    return [part for part in parts if part is not None]


def print_blocks(parts: list[Block]) -> None:
    """Print on standard output, as wide as the terminal allows."""
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDEST
    width = min(WIDTH, room)
    for number, part in enumerate(parts):
        if number:
            sys.stdout.write("\n")
        if isinstance(part, Rows):
            sys.stdout.write(textwrap.fill(part.title, width) + "\n")
            sys.stdout.write(fitted_table(part.header, part.rows, room, part.left))
            lines: tuple[str, ...] = part.notes
        else:
            lines = (part.heading, *part.lines) if part.heading else part.lines
        for line in lines:
            indent = " " * (len(line) - len(line.lstrip()))
            sys.stdout.write(textwrap.fill(line, width, subsequent_indent=indent + "  " * bool(indent)) + "\n")


def as_json(answer: Answer, tables: Mapping[str, pd.DataFrame], written: Mapping[str, Any]) -> dict[str, Any]:
    """The answer for programs; ``written`` adds what the caller knows (paths, seconds)."""
    scenario = answer.scenario
    shown = ("summary", "years", "unknowns", "measure_first", "uncertainty", "differences", "curve")
    return {
        "scenario": {"name": scenario.name, "title": scenario.title, "region": scenario.region, "hash": scenario.hash},
        "verdict": verdict.verdicts(answer),
        **{name: tables[name].to_dict("records") for name in shown if name in tables},
        "settings": dict(scenario.settings),
        "changes": {change.key: change.because for change in scenario.changes},
        "seed": answer.seed,
        "half_width": answer.half_width,
        "interrupted": answer.interrupted,
        **written,
    }


class Page:
    """The parts of the page, each from the tables."""

    def __init__(self, answer: Answer, tables: Mapping[str, pd.DataFrame], lang: str) -> None:
        self.answer = answer
        self.scenario = answer.scenario
        self.tables = tables
        self.lang = lang
        self.region: Region = load_region(answer.scenario.region)
        self.verdicts = verdict.verdicts(answer)
        self.leading: str = self.verdicts["leading"]
        self.cases = list(answer.cases)

    def t(self, key: str, **values: object) -> str:
        return text(self.lang, f"answer.{key}", **values)

    def percent(self, share: float) -> str:
        return percent(self.lang, share)

    def number(self, value: float, decimals: int = 0) -> str:
        return "-" if math.isnan(value) else format_number(self.lang, value, decimals)

    def probability(self, value: float, low: float, high: float) -> str:
        """A probability with its interval."""
        return self.between(*map(self.percent, (value, low, high)))

    def estimate(self, value: float, low: float, high: float) -> str:
        """A number with its interval."""
        return self.between(*(self.number(one, 2) for one in (value, low, high)))

    def between(self, value: str, low: str, high: str) -> str:
        """An estimate and its ends as one text."""
        return whole(self.t("estimate", value=value, low=low, high=high), value, low, high)

    def goes(self, before: float, after: float) -> str:
        """From one probability to another."""
        parts = self.percent(before), self.percent(after)
        return whole(" → ".join(parts), *parts)

    def case(self, name: str) -> str:
        return case_name(self.lang, name)

    def rows_of(self, table: str) -> list[dict[Any, Any]]:
        return self.tables[table].to_dict("records")

    # ---- the answer -----------------------------------------------------------------------------------------------

    def head(self) -> Paragraph:
        estimate = self.answer.probability(self.leading)
        ends = {"low": self.percent(estimate.low), "high": self.percent(estimate.high)}
        first = self.t(
            "head.first",
            verdict=self.t(f"verdict.{self.verdicts['code']}"),
            year=LAST_YEAR,
            p=self.percent(estimate.value),
            case=self.case(self.leading),
            **ends,
        )
        title = scenario_title(self.lang, self.scenario)
        lines = [self.t("head.question", title=title, region=self.region.name, year=LAST_YEAR)]
        if self.answer.interrupted:
            lines.append(self.t("head.interrupted"))
        readings = [name for name in self.cases if name != "none"]
        if len(readings) > 1:
            first += " " + self.t(f"overall.{self.verdicts['overall']}")
        lines += [first, *self.beside()]
        return Paragraph((*lines, *(f"  {self.meaning(name)}" for name in self.cases)))

    def beside(self) -> tuple[str, ...]:
        """What bears on how far to trust the answer, in a sentence; nothing where the first day is as published."""
        return first_day.told_beside(self.tables, self.region.start.year, self.lang)

    def meaning(self, name: str) -> str:
        share = self.percent(self.scenario.book.value("functions.diversion"))
        return self.t(f"meaning.{name}", share=share) if name == "diversion" else self.t(f"meaning.{name}")

    def summary(self) -> Rows:
        never = self.t("table.summary.never", year=LAST_YEAR + 1)

        def date(day: float) -> str:
            deadline = self.answer.cases[self.leading].definition.deadline
            return never if math.isnan(day) or day > deadline else month(self.lang, self.region.date(day))

        rows = []
        for row in self.rows_of("summary"):
            early, late = date(row["day_05"]), date(row["day_95"])
            rows.append(
                (
                    self.case(row["case"]),
                    self.probability(row["cleared"], row["cleared_low"], row["cleared_high"]),
                    self.t(f"chance.{self.verdicts['cases'][row['case']]}"),
                    self.number(row["futures"] + row.get("chosen", 0)),
                    date(row["day_50"]),
                    early if early == late else self.t("table.summary.to", low=early, high=late),
                )
            )
        columns = ("case", "cleared", "verdict", "futures", "median", "range")
        return self.table("summary", columns, rows)

    def table(self, name: str, columns: tuple[str, ...], rows: Sequence[tuple[str, ...]], left: int = 1) -> Rows:
        header = tuple(self.t(f"table.{name}.{column}") for column in columns)
        return Rows(self.t(f"table.{name}.title"), header, tuple(rows), left)

    def explanation(self) -> Paragraph:
        book, definition = self.scenario.book, self.answer.cases[self.leading].definition
        which = self.scenario.settings["wait_counts"]
        norm = norm_weeks(book.value, self.scenario)
        start = self.t("table.lists.start", year=self.region.start.year)
        lines = (
            self.t("explain.future", year=LAST_YEAR),
            *self.chosen(),
            self.t("explain.interval"),
            self.t(f"explain.overdue_{which}", norm=self.number(norm, 0 if norm == round(norm) else 1)),
            self.t("explain.cleared", weeks=definition.weeks, share=self.percent(definition.share), start=start),
        )
        return Paragraph(lines, self.t("explain.title"))

    def chosen(self) -> tuple[str, ...]:
        """That there are futures for the probabilities alone, if there are."""
        count = sum(row.get("chosen", 0) for row in self.rows_of("summary"))
        return (self.t("explain.chosen", chosen=self.number(count)),) if count else ()

    # ---- waiting --------------------------------------------------------------------------------------------------

    def lists(self) -> Rows:
        years = self.tables["years"]
        rows = []
        for measure in ("overdue", "waiting"):
            begin = self.spread(*first_day.first_day(self.tables, measure))
            for case in self.cases:
                cells = self.by_year(years, case, measure, 1.0, 0)
                rows.append((self.case(case), self.t(f"table.lists.{measure}"), begin, *cells))
        made = self.table("lists", ("case", "measure"), rows, left=2)
        start = self.t("table.lists.start", year=self.region.start.year)
        return Rows(made.title, (*made.header, start, *self.years()), made.rows, 2)

    def waits(self) -> Rows:
        rows = []
        for measure in ("mean_wait", "wait_90"):
            for case in self.cases:
                cells = self.by_year(self.tables["years"], case, measure, WEEK, 1 if measure == "mean_wait" else 0)
                rows.append((self.case(case), self.t(f"table.waits.{measure}"), *cells))
        made = self.table("waits", ("case", "measure"), rows, left=2)
        return Rows(made.title, (*made.header, *self.years()), made.rows, 2)

    def years(self) -> list[str]:
        return [str(year) for year in sorted(set(self.tables["years"]["year"]))]

    def by_year(self, table: pd.DataFrame, case: str, measure: str, unit: float, decimals: int) -> list[str]:
        found = table[(table["case"] == case) & (table["measure"] == measure)].sort_values("year")
        return [
            self.spread(row["mean"] / unit, row["q05"] / unit, row["q95"] / unit, decimals)
            for row in found.to_dict("records")
        ]

    def spread(self, mean: float, low: float, high: float, decimals: int = 0) -> str:
        parts = self.number(mean, decimals), self.number(low), self.number(high)
        return whole("{} ({}-{})".format(*parts), *parts)

    def kpi24(self) -> Rows:
        rows = [
            (
                self.case(row["case"]),
                self.estimate(row["wait_ratio"], row["wait_ratio_low"], row["wait_ratio_high"]),
                self.percent(row["wait_halved"]),
            )
            for row in self.rows_of("summary")
        ]
        return self.table("kpi24", ("case", "ratio", "halved"), rows)

    # ---- why ------------------------------------------------------------------------------------------------------

    def why(self) -> Paragraph | None:
        """Why the readings differ: the plan's own promise under each."""
        if self.scenario.settings["network"] != "functions":
            return None
        book = self.scenario.book
        year = full_year(book)
        freed = client_equivalents(book, plan_volumes(book, year))
        values = {"headcount": freed.headcount, "capacity": freed.capacity, "net": freed.net}
        mean = self.number(freed.net_at_mean_price)
        lines = [
            f"  {self.case(name)}: " + self.t(f"why.{name}", n=self.number(value), mean=mean)
            for name, value in values.items()
        ]
        lines.append("  " + self.t("why.not_entering", n=self.number(freed.not_entering)))
        return Paragraph(tuple(lines), self.t("why.title", year=year))

    def curve(self) -> Rows | None:
        if "curve" not in self.tables:
            return None
        rows = [
            (
                self.percent(share),
                self.probability(one.value, one.low, one.high),
                self.t(f"chance.{verdict.chance(one.low, one.high)}"),
                self.number(one.n),
            )
            for share, one in self.answer.curve
        ]
        made = self.table("curve", ("share", "cleared", "verdict", "futures"), rows)
        turn = self.verdicts["turning_share"]
        note = self.t("table.curve.no_turning") if turn is None else ""
        note = note or self.t("table.curve.turning", share=self.percent(turn))
        return Rows(made.title, made.header, made.rows, notes=(note,))

    def unknowns(self) -> list[Rows]:
        """What the answer hangs on, for the leading case and for the one that an unknown can turn most easily."""
        if not len(self.tables["unknowns"]):
            return []
        cases = list(dict.fromkeys((self.leading, self.verdicts["undecided"])))
        made = [self.strongest(case) for case in cases]
        table = self.tables["unknowns"]
        shown = [row for case in cases for row in table[table["case"] == case].to_dict("records")[:TOP]]
        return [*made[:-1], replace(made[-1], notes=(self.t("table.unknowns.note"), *gave_up(self.lang, shown)))]

    def strongest(self, case: str) -> Rows:
        table, rows = self.tables["unknowns"], []
        for row in table[table["case"] == case].to_dict("records")[:TOP]:
            r, low, high = (row[name] for name in ("correlation", "correlation_low", "correlation_high"))
            strength = verdict.strength(r, low, high)
            effect = self.t("effect." + ("unclear" if strength == "unclear" else "more" if r > 0.0 else "fewer"))
            rows.append(
                (
                    unknown_name(self.lang, row["unknown"]),
                    self.t(f"strength.{strength}", effect=effect),
                    self.estimate(r, low, high),
                    self.goes(row["cleared_low"], row["cleared_high"]),
                )
            )
        made = self.table("unknowns", ("unknown", "effect", "correlation", "chances"), rows, left=2)
        return replace(made, title=self.t("table.unknowns.title", case=self.case(case), year=LAST_YEAR))

    def measure_first(self) -> Rows | None:
        """Which number to measure first, for the reading that is nearest to even; nothing when it is nearly sure."""
        if "measure_first" not in self.tables:  # an answer of an earlier flowsim
            return None
        table, rows = self.tables["measure_first"], []
        case = self.verdicts["undecided"]
        for row in table[table["case"] == case].to_dict("records")[:TOP]:
            ends = ("", "_low", "_high")
            shares, calls = ([row[name + end] for end in ends] for name in ("share", "calls"))
            rows.append((unknown_name(self.lang, row["unknown"]), self.probability(*shares), self.probability(*calls)))
        if not rows:
            return None
        header = tuple(text(self.lang, f"sensitivity.first.{name}") for name in ("unknown", "share", "calls"))
        title = text(self.lang, "sensitivity.first.title", case=self.case(case))
        return Rows(title, header, tuple(rows), notes=(text(self.lang, "sensitivity.first.note"),))

    def split(self) -> Paragraph | None:
        lines = [
            "  "
            + self.t(
                "split.text",
                case=self.case(row["case"]),
                year=LAST_YEAR,
                unknowns=self.percent(row["share_unknowns"]),
                chance=self.percent(1.0 - row["share_unknowns"]),
            )
            for row in self.rows_of("uncertainty")
            if row["measure"] == f"overdue_{LAST_YEAR}" and row["case"] == self.leading
        ]
        return Paragraph(tuple(lines), self.t("split.title")) if lines else None

    def start(self) -> Paragraph | None:
        """Whether the first day stands, and what of it does not."""
        if "calibration" not in self.tables:
            return None
        rows = self.rows_of("calibration")
        met = sum(row["stands"] for row in rows)
        lines = [self.t("start.text", count=len(rows), met=met)]
        for row in rows:
            if not row["stands"]:
                shown = {name: self.figure(round(row[name], 3), row["unit"]) for name in ("simulated", "value")}
                if row["target"] == first_day.OVERDUE_SHARE:
                    shown = first_day.shares_told(self.tables, row, self.lang)
                lines.append("  " + self.t("start.miss", name=self.target(row["target"]), **shown))
        return Paragraph(tuple(lines), self.t("start.title"))

    def target(self, code: str) -> str:
        """A target of the first day in words; those of a municipality have a code of their own."""
        name, _, year = code.rpartition("_")
        key = f"answer.target.{name}"
        if year.isdigit() and key in texts(self.lang):
            return text(self.lang, key, year=year)
        return texts(self.lang).get(f"answer.target.{code}", code)

    # ---- what it assumes ------------------------------------------------------------------------------------------

    def settings(self) -> Paragraph:
        other, changes = self.other_settings(), self.changes()
        if not other:
            named = [
                self.t("used.setting", name=self.t(f"setting.{key}"), value=self.setting(key, value))
                for key, value in self.scenario.settings.items()
            ]
            other = [self.t("used.default", settings="; ".join(named))]
        return Paragraph((*other, *(changes or [self.t("used.no_changes")])), self.t("used.title"))

    def other_settings(self) -> list[str]:
        """What the scenario reads otherwise than by default, in a sentence; nothing when it does not."""
        other = []
        for key, value in self.scenario.settings.items():
            if value != DEFAULTS[key]:
                words = {"name": self.t(f"setting.{key}"), "value": self.setting(key, value)}
                other.append(self.t("used.instead", default=self.setting(key, DEFAULTS[key]), **words))
        return [self.t("used.settings", settings="; ".join(other))] if other else []

    def changes(self) -> list[str]:
        """The figures that the scenario changes, a sentence for each."""
        return changes(self.lang, self.scenario)

    def setting(self, key: str, value: Any) -> str:
        return self.t(f"value.{key}.{str(value).lower()}")

    def assumptions(self) -> Rows | None:
        """The figures that the futures draw, each with its range."""
        from flowsim.scenario.posterior import source
        from flowsim.scenario.unknowns import drawn

        book, rows = self.scenario.book, []
        keys = drawn(self.scenario)
        for key in keys:
            figure = book.figure(key)
            ends = [self.figure(end, figure.unit) for end in (figure.low, figure.high) if end is not None]
            kind = self.t(f"used.{figure.kind}")
            value = self.figure(figure.at(), figure.unit)
            rows.append(
                (unknown_name(self.lang, key), value, whole(" - ".join(ends), *ends), self.in_futures(key), kind)
            )
        if not rows:
            return None
        header = tuple(self.t(f"used.{name}") for name in ("unknown", "value", "range", "futures", "basis"))
        title = self.t("used.unknowns", count=len(keys))
        kind, changed = source(self.scenario)
        figures = "; ".join(unknown_name(self.lang, key) for key in changed)
        return Rows(
            title,
            header,
            tuple(rows),
            notes=(
                text(self.lang, f"calibrate.used.{kind}", figures=figures),
                "",
                *self.taken_over(keys),
                self.t("used.leaves_out"),
            ),
        )

    def in_futures(self, key: str) -> str:
        """The values of an unknown in the futures: their mean, and where 90% of them lie."""
        found = first_day.in_futures(self.tables, key)
        if found is None:
            return "-"
        unit = self.scenario.book.figure(key).unit
        return self.between(*(self.figure(first_day.rounded(one, found, unit), unit) for one in found))

    def taken_over(self, drawn: Sequence[str]) -> tuple[str, ...]:
        """For a region that takes figures over from another one: how many."""
        taken = {key for key, figure in self.scenario.book.items() if figure.taken_from}
        if not taken:
            return ()
        values: dict[str, object] = {
            "own": self.number(len(self.scenario.book) - len(taken)),
            "taken": self.number(len(taken)),
            "drawn": self.number(len(taken & set(drawn))),
            "other": load_region(self.region.figures_from).name,
        }
        return (text(self.lang, "region.taken.over", **values),)

    def figure(self, value: float, unit: str) -> str:
        """A figure's value with as many decimals as it needs; fractions in per cents."""
        return figure_value(self.lang, value, unit)
