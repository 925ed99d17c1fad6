"""The account: the plan recomputed, the method, assumptions with ranges, sources, a glossary."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from flowsim.plan.business_case import check_plan
from flowsim.plan.figures import load_figures, read_documents, region_directory
from flowsim.plan.tables.checks import INCONSISTENT, Check
from flowsim.present.answer import LAST_YEAR
from flowsim.present.plan_table import cause_text, count_verdicts, plan_cells
from flowsim.present.report.blocks import Block, bullets, heading, paragraphs, table
from flowsim.present.report.chapter import Chapter
from flowsim.present.texts import texts
from flowsim.present.wording import document_name
from flowsim.scenario.posterior import source

OWN: Final = ("flowsim", "none")
"""Codes of sources that are no documents: assumptions."""
HARD: Final = "\u00a0"
"""A space at which no line ends."""


class Account(Chapter):
    """The chapters about where it comes from."""

    # ---- the plan recomputed --------------------------------------------------------------------------------------

    def plan(self) -> list[Block]:
        """What does not add up in the plan's tables, by place; then the count."""
        made = [heading(self.r("heading.plan"))]
        checks = check_plan(load_figures(self.scenario.region))  # as published, whatever the scenario changes
        counts = count_verdicts(checks)
        words = {name: self.number(count) for name, count in counts.items()}
        made.append(paragraphs(self.r("plan.text", total=self.number(len(checks)), **words)))
        groups: dict[tuple[str, str], list[Check]] = {}
        for check in checks:
            if check.verdict == INCONSISTENT:
                groups.setdefault((check.table, check.cause), []).append(check)
        if not groups:
            return made
        rows = [self.discrepancy(members) for members in groups.values()]
        header = [self.r(f"column.{name}") for name in ("place", "cell", "cause")]
        return [*made, table(header, rows, (2.6, 6.6, 6.0), left=3, tiny=True, note=self.r("note.plan"))]

    def discrepancy(self, members: Sequence[Check]) -> list[str]:
        """One cause in one table: its cells, each with what is printed and what follows."""
        by_row: dict[str, list[str]] = {}
        for check in members:
            row, column, printed, recomputed = (one.replace(" ", HARD) for one in plan_cells(check, self.lang)[:4])
            if check.unit == "date":
                days = (dt.date.fromisoformat(str(day)) for day in (check.printed, check.recomputed))
                printed, recomputed = map(self.date, days)
            words = {"column": column, "printed": printed, "recomputed": recomputed}
            by_row.setdefault(row.replace(HARD, " "), []).append(self.r("plan.cell", **words))
        lines = [self.r("plan.row", row=row, cells=self.listed(found)) for row, found in by_row.items()]
        place = texts(self.lang).get(f"plan.table.{members[0].table}", members[0].table)
        return [place, "\n".join(lines), cause_text(members[0], self.lang)]

    # ---- the method -----------------------------------------------------------------------------------------------

    def method(self) -> list[Block]:
        """The model, the futures, how it was verified, what it leaves out."""
        start = self.start()
        drawn = len(self.keys())
        definition = self.answer.cases[self.leading].definition
        values = {
            "region": self.region.name,
            "first": self.region.start.year,
            "last": LAST_YEAR,
            "municipalities": len(self.region.municipalities),
            "programmes": len(self.region.programmes),
            "drawn": drawn,
            "futures": self.futures_shown(),
            "precision": self.precision(),
            "weeks": definition.weeks,
            "share": self.percent(definition.share),
            "seed": self.answer.seed,
        }
        made = [heading(self.r("heading.method"))]
        made.append(paragraphs(self.r("method.model", **values), self.r("method.futures", **values)))
        chosen = sum(row.get("chosen", 0) for row in self.rows_of("summary"))
        values["chosen"] = self.number(chosen)
        terms = ("cleared", "interval", *(("chosen",) if chosen else ()), "paired", "readings")
        made += [heading(self.r("heading.terms"), 2)]
        made.append(bullets(*(self.r(f"method.{name}", **values) for name in terms)))
        made += [heading(self.r("heading.verified"), 2)]
        made.append(bullets(*(self.r(f"verified.{name}") for name in ("engines", "theory", "naive", "plan", "seed"))))
        if start is not None:
            made += [heading(start.heading, 2), paragraphs(*(line.strip() for line in start.lines))]
        made += [heading(self.r("heading.limits"), 2)]
        made.append(bullets(self.r("limits.effects"), self.r("limits.region"), self.t("used.leaves_out")))
        return made

    def precision(self) -> str:
        """How precisely the probabilities are known: as was asked, or (fewer futures than that takes) as they are."""
        asked, widest = self.answer.half_width, max(self.answer.probability(name).half_width for name in self.cases)
        key, width = ("precise", asked) if widest <= asked else ("imprecise", widest)
        return self.r(f"method.{key}", width=self.number(100.0 * width, 1))

    # ---- assumptions and sources ----------------------------------------------------------------------------------

    def keys(self) -> tuple[str, ...]:
        """The figures that futures draw."""
        from flowsim.scenario.unknowns import drawn

        return drawn(self.scenario)

    def assumed(self) -> list[Block]:
        """What the scenario reads or sets otherwise, and what every future draws."""
        settings = self.settings()
        made = [heading(self.r("heading.assumptions")), {"kind": "small", "lines": list(settings.lines)}]
        shown = self.assumptions_table()
        return [*made, shown] if shown is not None else made

    def assumptions_table(self) -> Block | None:
        found = self.assumptions()
        if found is None:
            return None
        note = self.r("note.weighed") if source(self.scenario)[0] == "posterior" else ""
        return table(
            [name.replace(" - ", f"{HARD}-{HARD}") for name in found.header],
            found.rows,
            (5.2, 1.8, 1.9, 2.5, 1.7),
            found.title,
            note,
            tiny=True,
        )

    def sources(self) -> list[Block]:
        """The documents that the figures cite, most cited first."""
        documents = read_documents(region_directory(self.scenario.region))
        own = {documents.get(code, code) for code in OWN}
        changed = {change.key for change in self.scenario.changes}
        counted: dict[str, int] = {}
        for key, one in self.scenario.book.items():
            if key not in changed and one.source.document not in own:
                counted[one.source.document] = counted.get(one.source.document, 0) + 1
        ordered = sorted(counted, key=lambda name: (-counted[name], name))
        items = [
            self.r("source.document", document=document_name(self.lang, name), n=counted[name]) for name in ordered
        ]
        return [
            heading(self.r("heading.sources")),
            paragraphs(self.r("sources.text")),
            {"kind": "sources", "items": items},
        ]

    def glossary(self) -> list[Block]:
        """Each term that a reader may not know."""
        prefix = "report.glossary."
        known = texts(self.lang)
        names = [key.removeprefix(prefix).removesuffix(".term") for key in known if key.startswith(prefix)]
        terms = [
            (self.r(f"glossary.{name}.term"), self.r(f"glossary.{name}.means")) for name in names if "." not in name
        ]
        items = [list(one) for one in sorted(terms, key=lambda one: one[0].casefold())]
        return [heading(self.r("heading.glossary")), {"kind": "terms", "items": items}]
