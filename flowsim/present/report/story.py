"""The chapters about waiting: question and answer, the lists, the comparison, the route, what it hangs on."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from flowsim.analysis import verdict
from flowsim.analysis.beside import Contender, contender, side_by_side
from flowsim.plan.business_case import client_equivalents, full_year, plan_volumes
from flowsim.plan.targets import Target, load_targets
from flowsim.present.answer import LAST_YEAR, WEEK, Page
from flowsim.present.report import charts
from flowsim.present.report.blocks import LETTERS, Block, bullets, heading, light, paragraphs, table
from flowsim.present.report.chapter import Chapter
from flowsim.present.report.route import FUNCTIONS, flows, route
from flowsim.present.said import SIGNED, Said, Told
from flowsim.present.wording import gave_up, promise_name, scenario_title, unknown_name
from flowsim.scenario.frame import norm_weeks

if TYPE_CHECKING:
    import pandas as pd

    from flowsim.study.answer import Answer

CONSULTS: Final = "gp_consults_2029"
"""The promise about consults, which counts more than the route does."""


class Story(Chapter):
    """The chapters about waiting."""

    def __init__(
        self,
        answer: Answer,
        tables: Mapping[str, pd.DataFrame],
        lang: str,
        others: Sequence[tuple[Answer, Mapping[str, pd.DataFrame]]] = (),
        letters: str = LETTERS,
    ) -> None:
        super().__init__(answer, tables, lang)
        self.others = others
        self.letters = letters

    # ---- the question and the answer ------------------------------------------------------------------------------

    def opening(self) -> list[Block]:
        """Question, verdict, dots, why the readings differ, in brief."""
        share = self.published("functions.diversion")
        title = self.r("title", region=self.region.name, year=LAST_YEAR)
        subtitle = self.r("subtitle", scenario=scenario_title(self.lang, self.scenario))
        values = {"share": self.percent(share.at()), "section": share.source.section, "region": self.region.name}
        made: list[Block] = [
            {"kind": "title", "title": title, "subtitle": subtitle, "kicker": self.r("kicker")},
            paragraphs(self.r("question", year=LAST_YEAR, **values)),
        ]
        if self.answer.interrupted:
            made.append({"kind": "notice", "text": self.t("head.interrupted")})
        made += [heading(self.r("heading.answer")), self.verdict()]
        order = [*self.readings, *(name for name in self.cases if name == "none")]
        rows = [self.row("summary", name) for name in order]
        described = [self.r("figure.dots.each", case=self.case(row["case"]), chance=self.chance(row)) for row in rows]
        source = self.r("source.simulation", futures=self.futures_shown(chosen=True))
        draw = partial(charts.dots, rows, self.lang)
        made.append(self.pictured(draw, "dots", {"cases": self.listed(described)}, source, year=LAST_YEAR))
        made.append(self.standing(rows))
        if self.why_line():
            made += [heading(self.r("heading.why"), 2), paragraphs(self.why_line())]
        made += [heading(self.r("heading.brief"), 2), bullets(*self.brief())]
        return made

    def verdict(self) -> Block:
        """The box: one word, one sentence."""
        estimate = self.answer.probability(self.leading)
        ends = {"low": self.percent(estimate.low), "high": self.percent(estimate.high)}
        lines = [
            self.r(
                f"sentence.{self.verdicts['code']}",
                year=LAST_YEAR,
                p=self.percent(estimate.value),
                count=round(100 * estimate.value),
                case=self.case(self.leading),
                **ends,
            )
        ]
        if len(self.readings) > 1:
            lines.append(self.t(f"overall.{self.verdicts['overall']}"))
        lines += self.beside()
        return {"kind": "answer", "word": self.t(f"verdict.{self.verdicts['code']}"), "lines": lines}

    def standing(self, rows: Sequence[Mapping[Any, Any]]) -> Block:
        """What each reading means, its probability and verdict."""
        cells = []
        for row in rows:
            code = self.verdicts["cases"][row["case"]]
            meaning, used = self.meaning(row["case"]), row["futures"] + row.get("chosen", 0)
            cells.append((meaning, self.chance(row), light(code, self.t(f"chance.{code}")), self.number(used)))
        header = [self.r(f"column.{name}") for name in ("reading", "chance", "verdict", "futures")]
        strong = [number for number, row in enumerate(rows) if row["case"] == self.leading and len(rows) > 2]
        return table(header, cells, (5.6, 2.6, 2.9, 1.5), left=1, small=True, strong=strong)

    def why_line(self) -> str:
        """One line on why the readings differ: the plan's own promise under each."""
        if self.scenario.settings["network"] != "functions":
            return ""
        book = self.scenario.book
        year = full_year(book)
        freed = client_equivalents(book, plan_volumes(book, year))
        shown = {name: self.number(getattr(freed, name)) for name in ("headcount", "capacity", "net", "not_entering")}
        return self.r("why", year=year, mean=self.number(freed.net_at_mean_price), **shown)

    def brief(self) -> list[str]:
        """Three or four sentences that carry the rest of the report."""
        made = [self.lists_in_words(self.leading)]
        if self.compared:
            made[0] += " " + self.without_network()
        promise = self.halving()
        if promise is not None:
            words = {"kpi": self.kpi(promise), "date": self.date(promise.date)}
            chances = {name: self.row("summary", name)["wait_halved"] for name in self.readings or [self.leading]}
            p = self.percent(chances[self.leading])
            if len(chances) > 1:
                made.append(self.r("brief.halved", p=p, most=self.percent(max(chances.values())), **words))
            else:
                made.append(self.r("brief.halved_one", p=p, **words))
        first, strongest = self.measure_first(), self.first_unknown()
        if first is not None:
            made.append(self.r("brief.measure", unknown=first.rows[0][0]))
        elif strongest:
            made.append(self.r("brief.hangs", unknown=strongest))
        if "curve" in self.tables:
            made.append(self.turn())
        return made

    def turn(self) -> str:
        """From which diverted share on clearing is more likely than not."""
        share = self.verdicts["turning_share"]
        return self.r("brief.no_turn") if share is None else self.r("brief.turn", share=self.percent(share))

    def lists_in_words(self, case: str) -> str:
        ends: dict[str, str] = {}
        for measure in ("waiting", "overdue"):
            end = self.year(case, measure)
            ends |= {
                f"{measure}_start": self.number(self.at_start(measure)),
                measure: self.number(end["mean"]),
                f"{measure}_low": self.number(end["q05"]),
                f"{measure}_high": self.number(end["q95"]),
            }
        return self.r("brief.lists", case=self.case(case), year=LAST_YEAR, start=self.date(self.region.start), **ends)

    def without_network(self) -> str:
        ends = {measure: self.number(self.year("none", measure)["mean"]) for measure in ("waiting", "overdue")}
        return self.r("brief.without", **ends)

    def first_unknown(self) -> str:
        """The unknown on which most hangs for the leading case, when any is shown to matter."""
        unknowns = self.tables["unknowns"]
        if not len(unknowns):
            return ""
        for row in unknowns[unknowns["case"] == self.leading].to_dict("records"):
            if verdict.strength(row["correlation"], row["correlation_low"], row["correlation_high"]) != "unclear":
                return unknown_name(self.lang, row["unknown"])
        return ""

    # ---- waiting --------------------------------------------------------------------------------------------------

    def waiting(self) -> list[Block]:
        """The fans, and the numbers beside them."""
        book, cases = self.scenario.book, self.cases
        draw = partial(
            charts.fans, self.tables, cases, self.region.start, book.value("assumptions.cleared_share"), self.lang
        )
        described = []
        for case in cases:
            waiting, overdue = (self.year(case, measure)["mean"] for measure in ("waiting", "overdue"))
            numbers = {"waiting": self.number(waiting), "overdue": self.number(overdue)}
            described.append(self.r("figure.fans.each", case=self.case(case), **numbers))
        alt = {"cases": self.listed(described), "year": LAST_YEAR}
        return [
            heading(self.r("heading.waiting"), room=True),
            paragraphs(self.r("waiting.text", norm=self.norm(), **self.clearing())),
            self.pictured(draw, "fans", alt, year=LAST_YEAR),
            self.waits_table(),
        ]

    def norm(self) -> str:
        norm = norm_weeks(self.scenario.book.value, self.scenario)
        return self.number(norm, 0 if norm == round(norm) else 1)

    def clearing(self) -> dict[str, object]:
        """The definition of cleared, as words need it."""
        definition = self.answer.cases[self.leading].definition
        share = {"share": self.percent(definition.share), "start": self.date(self.region.start)}
        return {"weeks": definition.weeks, **share}

    def waits_table(self) -> Block:
        """Per case: lists at the start and the end, waits in the first and the last year, KPI 24."""
        rows = []
        first, last = self.region.start.year, LAST_YEAR
        for case in self.cases:
            cells = [self.case(case)]
            for measure in ("waiting", "overdue"):
                end = self.year(case, measure)
                cells += [self.number(self.at_start(measure)), self.spread(end["mean"], end["q05"], end["q95"])]
            for year in (first, last):
                wait = self.year(case, "mean_wait", year)
                cells.append(self.spread(wait["mean"] / WEEK, wait["q05"] / WEEK, wait["q95"] / WEEK))
            cells.append(self.percent(self.row("summary", case)["wait_halved"]))
            rows.append(cells)
        start, end_ = self.date(self.region.start), self.date(dt.date(last, 12, 31))
        header = [
            self.r("column.case"),
            self.r("column.waiting_at", date=start),
            self.r("column.waiting_at", date=end_),
            self.r("column.overdue_at", date=start),
            self.r("column.overdue_at", date=end_),
            self.r("column.wait_in", year=first),
            self.r("column.wait_in", year=last),
            self.r("column.halved", kpi=self.kpi(self.halving())),
        ]
        promise = self.halving()
        note = self.r("note.spread")
        if promise is not None:
            note += " " + self.r("note.halved", kpi=self.kpi(promise), source=str(promise.source))
        widths = (2.25, 1.75, 2.2, 1.75, 1.85, 1.45, 1.45, 1.15)
        return table(header, rows, widths, self.r("table.waits"), note, small=True)

    def halving(self) -> Target | None:
        """The plan's promise about the mean wait."""
        promises = load_targets(self.scenario.region)
        return next((one for one in promises if one.quantity == "wait_reduction"), None)

    def kpi(self, promise: Target | None) -> str:
        """A promise by its number in the plan."""
        return "–" if promise is None else promise.id.replace("kpi_", "KPI ")

    # ---- the comparison -------------------------------------------------------------------------------------------

    def contenders(self) -> list[Contender]:
        """Who is compared: the scenarios, in order; a single scenario: its cases, no network first."""
        if not self.others:
            return [contender(self.case(name), name, self.tables, self.answer.probability(name)) for name in self.cases]
        made = []
        for letter, (answer, tables) in zip(self.letters, [(self.answer, self.tables), *self.others], strict=False):
            name = verdict.leading(list(answer.cases), answer.scenario.settings)
            made.append(contender(letter, name, tables, answer.probability(name)))
        if "none" in self.cases and all(one.case != "none" for one in made):
            made.append(contender(self.case("none"), "none", self.tables, self.answer.probability("none")))
        return made

    def comparison(self) -> list[Block]:
        """Contenders on the same axes, and their paired differences from the first."""
        contenders = self.contenders()
        if len(contenders) < 2:
            return [heading(self.r("heading.comparison")), paragraphs(self.r("comparison.nothing"))]
        scenarios = bool(self.others)
        compared = side_by_side(contenders)
        labels = [self.r("scenario", letter=one.name) if len(one.name) == 1 else one.name for one in contenders]
        draw = partial(
            charts.together, contenders, labels, charts.looks(contenders, scenarios), self.region.start, self.lang
        )
        described = []
        for label, row in zip(labels, compared.to_dict("records"), strict=True):
            numbers = {name: self.number(row[f"{name}_mean"]) for name in ("waiting", "overdue")}
            described.append(self.r("figure.fans.each", case=label, **numbers))
        alt = {"cases": self.listed(described), "year": LAST_YEAR}
        key = "scenarios" if scenarios else "network"
        opened = heading(self.r(f"heading.comparison_{key}"), fresh=scenarios)
        first = self.r("scenario", letter=self.letters[0]) if scenarios else self.case(contenders[0].case)
        shown = [self.pictured(draw, "together", alt, year=LAST_YEAR)] if scenarios else []  # else the fans show it
        words = paragraphs(self.r(f"comparison.{key}", first=first))
        return [opened, words, *shown, self.differences(contenders, compared, labels, first), *self.told_apart()]

    def told_apart(self) -> list[Block]:
        """What each of several scenarios sets otherwise than the plan as it stands."""
        if not self.others:
            return []
        items = []
        for letter, (answer, _) in zip(self.letters, [(self.answer, self.tables), *self.others], strict=False):
            page = Page(answer, {}, self.lang)
            said = [*page.other_settings(), *page.changes()] or [self.r("as_it_stands")]
            title = scenario_title(self.lang, answer.scenario)
            items.append(self.r("scenario_differs", letter=letter, title=title, differs=" ".join(said)))
        return [heading(self.r("heading.told_apart"), 2), bullets(*items)]

    def differences(
        self, contenders: Sequence[Contender], compared: pd.DataFrame, labels: Sequence[str], first: str
    ) -> Block:
        titles = [answer.scenario for answer, _ in [(self.answer, None), *self.others]]
        rows = []
        for number, (one, row) in enumerate(zip(contenders, compared.to_dict("records"), strict=True)):
            name = labels[number]
            if self.others and len(one.name) == 1:
                named = {"letter": one.name, "title": scenario_title(self.lang, titles[number])}
                name = self.r("scenario_named", case=self.case(one.case), **named)
            cleared = self.probability(one.cleared.value, one.cleared.low, one.cleared.high)
            cells = [name, cleared]
            for measure in ("waiting", "overdue"):
                cells.append(self.number(row[f"{measure}_mean"]))
                cells.append(self.change(*(row[f"{measure}_difference{end}"] for end in ("", "_low", "_high"))))
            rows.append(cells)
        columns = ("contender", "chance", "waiting", "change", "overdue", "change")
        header = [self.r(f"column.{name}", year=LAST_YEAR, first=first) for name in columns]
        note = self.r("note.paired", pairs=self.ends({int(n) for n in compared["pairs"][1:]}))
        return table(header, rows, (2.9, 2.2, 1.2, 2.9, 1.2, 2.9), self.r("table.differences"), note, small=True)

    def change(self, value: float, low: float, high: float) -> str:
        """A difference with its sign and interval; a dash for the one that the others are compared with."""
        if math.isnan(value):
            return "–"
        return self.between(*map(self.signed, (value, low, high)))

    def signed(self, value: float) -> str:
        written = self.number(abs(value))
        sign = "" if written == "0" else "+" if value > 0.0 else "−"
        return Said(f"{sign}{written}", Told(value, SIGNED))

    # ---- the route ------------------------------------------------------------------------------------------------

    def route(self) -> list[Block]:
        """The flow of residents in the last year, without and with the network; what the network did each year."""
        cases = ["none", self.leading] if self.compared else [self.leading]
        routes = [(case, flows(self.tables, case, LAST_YEAR)) for case in cases]
        described = []
        for case, flow in routes:
            shown = {name: self.number(number) for name, number in flow.items()}
            described.append(self.r("figure.route.each", case=self.case(case), **shown))
        made = [
            heading(self.r("heading.route"), fresh=True),
            paragraphs(self.r("route.text", year=LAST_YEAR)),
            self.pictured(
                partial(route, routes, self.lang),
                "route",
                {"cases": " ".join(described), "year": LAST_YEAR},
                year=LAST_YEAR,
            ),
        ]
        if self.compared:
            made.append(self.reached())
        return made

    def reached(self) -> Block:
        """Residents reached by each function, by year."""
        found = self.tables["volumes"]
        years = sorted({int(year) for year in found["year"]})
        rows = []
        for name in (*FUNCTIONS, "transfers", "support_point_users"):
            cells = [self.number(self.row("volumes", self.leading, volume=name, year=year)["mean"]) for year in years]
            if any(cell != "0" for cell in cells):
                rows.append([self.r(f"volume.{name}"), *cells])
        for name in ("social_domain", "gp_consults", "crisis"):
            cells = []
            for year in years:
                with_, without = (
                    self.row("volumes", case, volume=name, year=year)["mean"] for case in (self.leading, "none")
                )
                cells.append(self.signed(with_ - without))
            rows.append([self.r(f"more.{name}"), *cells])
        header = [self.r("column.each_year"), *map(str, years)]
        caption = self.r("table.reached", case=self.case(self.leading))
        note = self.r("note.means", promise=promise_name(self.lang, CONSULTS))
        return table(header, rows, (5, 1.4, 1.4, 1.4, 1.4, 1.4), caption, note, small=True)

    # ---- what it hangs on -----------------------------------------------------------------------------------------

    def hangs_on(self) -> list[Block]:
        """The ranking of the unknowns, not knowing against chance, and how much would have to be diverted."""
        made = [heading(self.r("heading.hangs_on"), fresh=True)]
        unknowns = self.tables["unknowns"]
        if len(unknowns):
            cases = list(dict.fromkeys((self.leading, self.verdicts["undecided"])))
            made.append(paragraphs(self.r("hangs_on.text", unknown=self.first_unknown() or self.r("none_shown"))))
            alt = {"case": self.case(cases[0]), "unknowns": self.listed(self.ranked(cases[0])), "year": LAST_YEAR}
            made.append(
                self.pictured(partial(charts.ranking, unknowns, cases, self.lang), "ranking", alt, year=LAST_YEAR)
            )
            made.append(self.strongest_table(cases))
        first = self.measure_first()
        if first is not None:
            made.append(table(first.header, first.rows, (0.5, 0.25, 0.25), first.title, first.notes[0]))
        split = self.split()
        if split is not None:
            made += [heading(split.heading, 2), paragraphs(*(line.strip() for line in split.lines))]
        if "curve" in self.tables:
            plan = self.published("functions.diversion").at()
            points = [
                self.r("figure.curve.each", share=self.percent(share), chance=self.percent(one.value))
                for share, one in self.answer.curve
            ]
            made += [
                heading(self.r("heading.curve"), 2),
                paragraphs(self.turn()),
                self.pictured(
                    partial(charts.curve, self.tables["curve"], plan, self.lang),
                    "curve",
                    {"points": self.listed(points), "year": LAST_YEAR},
                    self.r("source.points", futures=self.ends({one.n for _, one in self.answer.curve})),
                    year=LAST_YEAR,
                ),
            ]
        return made

    def ranked(self, case: str) -> list[str]:
        """The strongest unknowns in words."""
        unknowns = self.tables["unknowns"]
        rows = unknowns[unknowns["case"] == case].to_dict("records")[: charts.KEPT]
        return [
            self.r(
                "figure.ranking.each",
                unknown=unknown_name(self.lang, row["unknown"]),
                correlation=self.number(row["correlation"], 2),
            )
            for row in rows
        ]

    def strongest_table(self, cases: Sequence[str]) -> Block:
        """How the probability differs between low and high values of the strongest unknowns."""
        unknowns = self.tables["unknowns"]
        first = unknowns[unknowns["case"] == cases[0]]
        rows = []
        for name in list(first["unknown"])[:4]:
            cells = [unknown_name(self.lang, name)]
            for case in cases:
                row = self.row("unknowns", case, unknown=name)
                strength = verdict.strength(row["correlation"], row["correlation_low"], row["correlation_high"])
                effect = "unclear" if strength == "unclear" else "more" if row["correlation"] > 0.0 else "fewer"
                cells.append(self.t(f"strength.{strength}", effect=self.t(f"effect.{effect}")))
                cells.append(self.goes(row["cleared_low"], row["cleared_high"]))
            rows.append(cells)
        header = [self.t("table.unknowns.unknown")]
        for case in cases:
            header += [f"{self.case(case)}: {self.r('column.higher')}", self.t("table.unknowns.chances")]
        widths = (3.4, *((2.6, 1.5) * len(cases)))
        shown = first[first["unknown"].isin(list(first["unknown"])[:4])].to_dict("records")
        note = " ".join((self.t("table.unknowns.note"), *gave_up(self.lang, shown)))
        return table(header, rows, widths, note=note, left=1, small=True)
