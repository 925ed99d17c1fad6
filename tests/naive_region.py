"""The region Amstelland from its figures, in the plainest Python there is: the oracle of the scenario compiler.

It reads the TOML files of the region as they lie there and docs/model.md, and nothing of flowsim: no figure reader, no
balance of the first day (`naive_first_day` has its own), no compiler. What comes out is a network document, as `naive`
simulates it.

    naive_region.document("functions", "net", {"overlap": "one_path"}, assumptions__list_size=900)
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import Any

from naive_first_day import (
    DIAGNOSES,
    GROUPS,
    KINDS,
    MONTH,
    TOWNS,
    WEEK,
    YEAR,
    YEARS,
    Document,
    Figures,
    FirstDay,
    date,
    day,
    read_figures,
)

FUNCTIONS = {
    "consultations": "collegial_consultation",
    "conversations": "exploratory_conversation",
    "case_conferences": "case_conference",
    "transfers": "waiting_list_management",
}

# ---------------------------------------------------------------- the document


__all__ = ["Figures", "document", "read_figures"]


def classes() -> list[str]:
    return [f"{t}/{need}/{g}" for t in TOWNS for need, g in KINDS] + ["visitor"]


def people(exact: dict[str, float], total: float) -> dict[str, int]:
    """So many whole people over these classes: everybody rounded down, then the largest remainders."""
    scale = total / sum(exact.values())
    down = {name: int(x * scale) for name, x in exact.items()}
    most = sorted(exact, key=lambda name: down[name] - exact[name] * scale)
    for name in most[: round(total) - sum(down.values())]:
        down[name] += 1
    return down


def exponential(mean: float) -> Document:
    return {"distribution": "exponential", "mean": mean}


def lognormal(mean: float, cv: float) -> Document:
    return {"distribution": "lognormal", "mean": mean, "cv": cv}


AS_THE_PLAN = {
    "diversion_of": "hours",
    "overlap": "unique",
    "ramp": "spread",
    "freed_place": "next",
    "wait_counts": "start",
    "social_domain": "unlimited",
    "transfers": "constant",
    "conversation_hours": "hourly",
    "stop_policy": False,
}
"""Settings that the network document hangs on, as they stand when a scenario says nothing."""


class Region:
    """The document, part by part.

    ``network``: none, functions or diversion; ``reading``: headcount, capacity or net; ``settings``: what differs from
    `AS_THE_PLAN`; ``changes``: figures with another value.
    """

    def __init__(
        self, network: str, reading: str, settings: Document | None = None, **changes: float | dict[str, float]
    ) -> None:
        self.network, self.reading = network, reading
        self.set = AS_THE_PLAN | (settings or {})
        assert self.set.keys() == AS_THE_PLAN.keys(), settings
        self.f = f = Figures(**changes)
        self.pilot, self.full = int(f("functions.pilot_year")), int(f("functions.full_operation_year"))
        self.works = day(dt.date(self.pilot, 7, 1))  # the functions, from here on
        self.first = FirstDay(f)
        self.horizon = day(dt.date(2030, 1, 1)) + f("assumptions.cleared_weeks") * WEEK
        self.halves = [day(dt.date(y, m, 1)) for y in YEARS for m in (1, 7) if day(dt.date(y, m, 1)) < self.horizon]
        self.edges = [
            day(dt.date(y, m, 1)) for y in YEARS for m in range(1, 13) if day(dt.date(y, m, 1)) <= self.horizon
        ]

    def mix(self, number: float, group: str) -> dict[str, int]:
        """People of a group by class, as they are referred."""
        level = "basic" if group == "light" else "specialist"
        several = self.f(f"assumptions.multi_domain_share_{level}")
        kinds = {("smi", "other"): 1.0}
        if group == "light":
            kinds = {("light", "other"): 1 - several, ("multi_domain", "other"): several}
        elif group != "smi":
            kinds = {("multi_domain", group): several, ("complex", group): 1 - several}
        exact = {f"{t}/{n}/{g}": w * self.first.of_town[t] for t in TOWNS for (n, g), w in kinds.items()}
        return people(exact, round(number))

    # ---- arrivals

    def growth(self, since: float, until: float) -> float:
        """Demand half-way between two moments, against the first day."""
        return self.f("assumptions.prevention_factor") * (1 + self.f("assumptions.demand_growth")) ** (
            (since + until) / 2 / YEAR
        )

    def arrivals(self) -> list[Document]:
        made = []
        ends = [*self.halves[1:], 2 * self.halves[-1] - self.halves[-2]]
        for t in TOWNS:
            for need, g in KINDS:
                if need == "urgent":
                    continue
                a_day = self.first.first[need, g] * self.first.of_town[t] / YEAR
                rate = []
                for since, until in zip(self.halves, ends, strict=True):
                    more = 1.0
                    full = self.f("functions.conversations", self.full)
                    if need == "multi_domain" and self.network == "functions" and since >= self.works and full > 0:
                        volume = self.f("functions.conversations", date(since).year)
                        more += self.f("assumptions.induced_demand") * volume / full
                    rate.append((since, a_day * self.growth(since, until) * more))
                made.append({"class": f"{t}/{need}/{g}", "station": "gp", "rate": rate})
        return made

    # ---- places

    def relative_places(self, when: float, group: str, stopped: bool) -> float:
        f, year = self.f, date(when).year
        factor = (1 + f("assumptions.staff_growth")) ** (when / YEAR)
        factor *= 1 - f("assumptions.more_absence", year)
        if group == "smi":
            return factor
        factor *= 1 + f(f"assumptions.extra_places_{'basic' if group == 'light' else 'specialist'}", year)
        served = f("demand.clients") - f("demand.smi")
        if self.network == "diversion" and year > 2025 and self.set["freed_place"] == "heavier":
            share = f("functions.diversion") * f("functions.ramp", year)
            heavier = f("assumptions.heavier_hours") / f("impact.hours_per_client")
            factor *= 1 - share * f("demand.clients") / served * (1 - 1 / heavier)
        if self.network != "functions" or when < self.works or stopped:
            return factor
        if self.reading == "net":
            talks = f("functions.conversations", year) * (
                2 if year == self.pilot else 1
            )  # a year's work in half a year
            hourly = f("investment.rate_ggz")
            if self.set["conversation_hours"] == "mean":
                hourly = f("business_case.cost_per_client") / f("impact.hours_per_client")
            hours = talks * f("business_case.conversation_cost_ggz") / hourly
            factor *= 1 - hours / (served * f("impact.hours_per_client"))
        if self.set["freed_place"] == "heavier":
            heavier = f("assumptions.heavier_hours") / f("impact.hours_per_client")
            factor *= 1 - f("assumptions.would_have_entered") * self.freed(min(year, self.full)) / served * (
                1 - 1 / heavier
            )
        return factor

    def freed(self, year: int) -> float:
        """Clients whom the plan counts as freed in a year: whole ones, and parts of those who are treated less."""
        f = self.f
        half = f("business_case.shortened_saving")
        total = f("functions.consultations", year) * f("functions.consultations_not_to_ggz")
        total += f("functions.transfers", year) * f("functions.transfers_lighter")
        for one in ("conversations", "case_conferences"):
            each = f(f"functions.{one}_not_to_ggz") + half * f(f"functions.{one}_shortened")
            total += f(f"functions.{one}", year) * each
        return total

    def servers(self, stopped: bool = False) -> dict[str, list[tuple[float, int]]]:
        """Places of each programme by half-year; ``stopped``: with functions that have come to an end."""
        f, first = self.f, self.first
        names = list(first.programmes)
        servers: dict[str, list[tuple[float, int]]] = {name: [] for name in names}
        for when in self.halves:
            year = date(when).year
            exact = {
                n: first.places[n]
                * self.relative_places(when, first.programmes[n], stopped)
                * (1 + f(f"assumptions.extra_places_{n}", year))
                for n in names
            }
            for name, number in people(exact, round(sum(exact.values()))).items():
                servers[name].append((when, number))
        return servers

    def programmes(self) -> list[Document]:
        f, first = self.f, self.first
        servers = self.servers()
        urgent = [f"{t}/urgent/{g}" for t in TOWNS for g in DIAGNOSES]
        to_gp, to_self_help = f("assumptions.renege_to_gp"), f("assumptions.renege_to_self_help")
        mean = first.patience.scale * math.gamma(1 + 1 / first.patience.shape)
        square = first.patience.scale**2 * math.gamma(1 + 2 / first.patience.shape)
        made = []
        for name, g in first.programmes.items():
            length = first.groups[g].length
            cv = f("public.duration_basic_cv") if g == "light" else f("assumptions.specialist_cv")
            if g == "smi":
                cv = 1.0
            made.append(
                {
                    "name": name,
                    "servers": servers[name],
                    "patience": {"distribution": "weibull", "mean": mean, "cv": math.sqrt(square - mean**2) / mean},
                    "discipline": "priority",
                    "priority": {**dict.fromkeys(urgent, 0), "visitor": 1},
                    "service": exponential(length) if cv == 1 else lognormal(length, cv),
                    "uses_service_factor": True,
                    "waiting_list": "ggz",
                    "initial": {
                        "in_service": self.mix(servers[name][0][1], g),
                        "waiting": self.mix(round(first.waiting[name]), g),
                        "age": {"distribution": "empirical", "values": self.ages(first.waits[name])},
                    },
                    "while_waiting": self.clocks(),
                    "on_renege": {"gp": to_gp, "self_help": to_self_help, "exit": 1 - to_gp - to_self_help},
                }
            )
        return made

    def ages(self, wait: float) -> list[float]:
        """A hundred equally likely ages of those on the list: of every hundredth, the middle."""
        slices = 4000
        heights = [self.first.patience.stays(wait * (i + 0.5) / slices) for i in range(slices)]
        total, passed, found = sum(heights), 0.0, []
        for i, height in enumerate(heights):
            while len(found) < 100 and (len(found) + 0.5) / 100 * total <= passed + height:
                found.append(wait * (i + ((len(found) + 0.5) / 100 * total - passed) / height) / slices)
            passed += height
        return found

    def clocks(self) -> list[Document]:
        f = self.f
        made: list[Document] = []
        bridging = f("public.bridging_consults") * f("public.bridging_share")
        made.append({"after": exponential(MONTH / bridging), "repeats": True, "visit": "gp:visitor"})
        if f("assumptions.self_help_while_waiting") > 0:
            often = exponential(MONTH / f("assumptions.self_help_while_waiting"))
            made.append({"after": often, "repeats": True, "visit": "self_help:visitor"})
        rate = f("assumptions.worsening")
        worse = exponential(MONTH / rate if rate > 0 else 1e12)
        for t in TOWNS:
            made.append({"classes": [f"{t}/light/other"], "after": worse, "become": f"{t}/multi_domain/other"})
            for need, next_need in (("multi_domain", "complex"), ("complex", "urgent")):
                for g in DIAGNOSES:
                    clock = {"classes": [f"{t}/{need}/{g}"], "after": worse, "become": f"{t}/{next_need}/{g}"}
                    made.append(clock | ({"visit": "crisis:visitor"} if next_need == "urgent" else {}))
        delay = exponential(f("assumptions.review_delay"))
        everybody = [one for one in classes() if one != "visitor"]
        made.append({"after": delay, "review_at": "waiting_list_management", "classes": everybody})
        return made

    # ---- the functions

    def quota(self, function: str) -> list[tuple[float, int]]:
        """Cases a week in whole numbers: as many each week of a year, or more and more; the first year in its second
        half."""
        weeks = [self.works + WEEK * i for i in range(400)]
        height: dict[float, float] = {}
        for week in weeks:
            year = date(week).year
            so_far = (week - day(dt.date(year, 1, 1))) / YEAR
            before, now = self.volume(function, year - 1), self.volume(function, year)
            height[week] = 1.0 if self.set["ramp"] == "spread" else before + (now - before) * so_far
        in_year: defaultdict[int, float] = defaultdict(float)
        for week in weeks:
            in_year[date(week).year] += height[week]
        made: list[tuple[float, int]] = []
        passed = given = 0.0
        for week in weeks:
            year = date(week).year
            if week >= self.horizon:
                break
            if in_year[year] > 0:
                passed += self.volume(function, year) * height[week] / in_year[year]
            made.append((week, math.floor(passed + 1e-9) - int(given)))
            given = math.floor(passed + 1e-9)
        return made

    def volume(self, function: str, year: int) -> float:
        """Cases in a year."""
        if self.network != "functions" or year < self.pilot:
            return 0.0
        cases = self.f(f"functions.{function}", year)
        if function == "transfers" and self.set["transfers"] == "fade" and year > self.full:
            return cases / 2 if year == self.full + 1 else 0.0
        return cases

    def desks(self) -> list[Document]:
        made = []
        for function, name in FUNCTIONS.items():
            desk: Document = {
                "name": name,
                "servers": "inf",
                "service": exponential(self.f("assumptions.conversation_time")),
            }
            desk |= {"quota": self.quota(function), "quota_carries": True}
            if function == "transfers":
                desk["removes_second_place"] = self.f("assumptions.removes_second_place")
            elif function == "conversations" and self.network == "functions":
                desk["queue_limit"] = round(self.f("assumptions.conversation_queue"))
            else:
                desk["queue_limit"] = 0
            made.append(desk)
        return made

    def outcome(self, function: str, town: str, onward: dict[str, float]) -> list[Document]:
        """Out of ggz, on with a treatment that is so much shorter, or on as before."""
        f = self.f
        real = f("assumptions.would_have_entered")
        away = real * f(f"functions.{function}_not_to_ggz")
        shorter = 0.0 if function == "consultations" else real * f(f"functions.{function}_shortened")
        if self.reading == "headcount":
            away, shorter = away + shorter, 0.0
        social = f("business_case.share_to_social_domain")
        ways = [
            (f"social_domain_{town}", away * social, 1.0),
            ("self_help", away * (1 - social) / 2, 1.0),
            ("exit", away * (1 - social) / 2, 1.0),
        ]
        if shorter > 0:
            ways += [(to, share * shorter, 1 - f("business_case.shortened_saving")) for to, share in onward.items()]
        ways += [(to, share * (1 - away - shorter), 1.0) for to, share in onward.items()]
        return [{"to": to, "probability": p, "service_factor": factor} for to, p, factor in ways]

    # ---- routes

    def lists_of(self, need: str, g: str) -> dict[str, float]:
        if need == "light":
            return {"light": 1.0}
        if (need, g) == ("multi_domain", "other"):
            return {"light": self.first.basic_share, "other": 1 - self.first.basic_share}
        return {g: 1.0}

    def routes(self) -> list[Document]:
        f, first = self.f, self.first
        made: list[Document] = [{"from": "gp", "class": "visitor", "to": {"exit": 1.0}}]

        def route(origin: str, label: str | None, to: Any, on: str = "completion", start: float = 0.0) -> None:
            made.append({"from": origin, "to": to, "on": on, "start": start} | ({"class": label} if label else {}))

        for t in TOWNS:
            for need, g in KINDS:
                label, ggz = f"{t}/{need}/{g}", self.lists_of(need, g)
                if need == "smi":
                    route("gp", label, {"smi": 1.0})
                    route("between_episodes", label, {"smi": 1.0})
                    continue
                if g == "eating":
                    route("gp", label, {"supra_regional": 1.0})
                    continue
                if need == "light":
                    to = {
                        "collegial_consultation": first.light_now,
                        "gp_mental_health": f("assumptions.gp_mental_health_route"),
                        "self_help": f("assumptions.gp_to_self_help"),
                        f"social_domain_{t}": f("assumptions.gp_to_social_domain"),
                        f"support_point_{t}": f("assumptions.gp_to_support_point"),
                    }
                    later = {"collegial_consultation": first.light_later, "exit": 1 - first.light_later}
                    self.towards_ggz(route, "gp_mental_health", label, t, later)
                else:
                    chance = f(
                        "assumptions.referred_multi_domain"
                        if need == "multi_domain"
                        else "assumptions.referred_complex"
                    )
                    to = {"collegial_consultation": chance}
                self.towards_ggz(route, "gp", label, t, to | {"exit": max(0.0, 1 - sum(to.values()))})
                # without a token: light to ggz, several domains to a conversation, complex to a conference
                talk, conference = {"exploratory_conversation": 1.0}, {"case_conference": 1.0}
                missed = {"light": ggz, "multi_domain": talk}.get(need, conference)
                path = self.set["overlap"] == "one_path"
                route("collegial_consultation", label, missed, "full")
                onward = missed if path else ggz
                route("collegial_consultation", label, self.outcome("consultations", t, onward))
                if need == "multi_domain":
                    route("exploratory_conversation", label, conference, "full")
                    onward = conference if path else ggz
                    route("exploratory_conversation", label, self.outcome("conversations", t, onward))
                else:
                    route("exploratory_conversation", label, ggz, "full")
                route("case_conference", label, ggz, "full")
                route("case_conference", label, self.outcome("case_conferences", t, ggz))
                lighter = 1 - f("functions.transfers_lighter") * f("assumptions.would_have_entered")
                review = [
                    {"to": f"{name}_soonest", "probability": p, "service_factor": lighter} for name, p in ggz.items()
                ]
                route("waiting_list_management", label, review, "review")
        for desk in ("collegial_consultation", "exploratory_conversation", "case_conference"):
            route(desk, None, {"exit": 1.0}, "full")
        if self.set["stop_policy"] and self.network == "functions":
            route("waiting_list_management", None, {"exit": 1.0}, "full")
        route("waiting_list_management", None, {"stay": 1.0}, "review")
        route("between_episodes", None, {"collegial_consultation": 1.0})
        self.returns(route)
        return made

    def towards_ggz(self, route: Callable[..., None], origin: str, label: str, town: str, to: dict[str, float]) -> None:
        """The route of the first day; top-down, from 2026 on a share of those bound for ggz goes elsewhere."""
        route(origin, label, to)
        bound = to["collegial_consultation"]
        social = self.f("business_case.share_to_social_domain")
        for year in YEARS[1:] if self.network == "diversion" else ():
            away = bound * self.diverted(year)
            ways = Counter(to)
            ways["collegial_consultation"] -= away  # type: ignore[assignment]
            ways[f"social_domain_{town}"] += away * social  # type: ignore[assignment]
            ways["self_help"] += away * (1 - social) / 2  # type: ignore[assignment]
            ways["exit"] += away * (1 - social) / 2  # type: ignore[assignment]
            route(origin, label, dict(ways), start=day(dt.date(year, 1, 1)))

    def diverted(self, year: int) -> float:
        """Share of those bound for ggz: so many of all clients, all of whom come from those without severe illness."""
        f, first = self.f, self.first
        share = f("functions.diversion") * f("functions.ramp", year)
        starts = {name: one.starts for name, one in first.groups.items()}
        treated = {n: starts[n] * one.length / YEAR for n, one in first.groups.items()}
        cost = f("public.cost_per_client") * f("demand.clients")
        all_to_others = {
            "inflow": sum(starts.values()) / (sum(starts.values()) - starts["smi"]),
            "headcount": f("demand.clients") / (sum(starts.values()) - starts["smi"]),
            "hours": sum(treated.values()) / (sum(treated.values()) - treated["smi"]),
            "euros": cost / (cost - f("public.smi_cost") * f("demand.smi")),
        }
        return min(1.0, share * all_to_others[self.set["diversion_of"]])

    def returns(self, route: Callable[..., None]) -> None:
        """After treatment: home for good, or until a return; those who had a crisis are complex again by then."""
        f, first = self.f, self.first
        ended = sum(one.starts for g, one in first.groups.items() if g != "smi")
        prevented = f("functions.support_point_relapse_reduction")
        for name, g in first.programmes.items():
            for year in YEARS if prevented > 0 else YEARS[:1]:
                users = (
                    f("functions.support_point_users", year) if year > self.pilot and self.network != "none" else 0.0
                )
                back = f("public.smi_return") if g == "smi" else f("assumptions.return_share")
                back *= 1 - prevented * min(1, users / ended)
                since = day(dt.date(year, 1, 1))
                route(name, None, {"between_episodes": back, "exit": 1 - back}, start=since)
                for t in TOWNS:
                    for other in DIAGNOSES:
                        calm = f"between_episodes:{t}/complex/{other}"
                        route(name, f"{t}/urgent/{other}", {calm: back, "exit": 1 - back}, start=since)

    # ---- the other stations

    def primary_care(self) -> list[Document]:
        f, first = self.f, self.first
        january = [day(dt.date(y, 1, 1)) for y in YEARS]
        peak = max(
            self.growth(a, b) for a, b in zip(january, [*january[1:], 2 * january[-1] - january[-2]], strict=True)
        )
        bridging = sum(first.waiting.values()) * 12 * f("public.bridging_consults") * f("public.bridging_share")
        consults = (sum(first.first.values()) + bridging) / YEAR
        busy = consults * f("assumptions.gp_turnaround") / f("assumptions.gp_utilisation")
        stay = f("assumptions.gp_mental_health_duration")
        seen = first.first["light", "other"] * f("assumptions.gp_mental_health_route") * stay / YEAR
        return [
            {"name": "gp", "servers": round(busy * peak) + 1, "service": exponential(f("assumptions.gp_turnaround"))},
            {
                "name": "gp_mental_health",
                "servers": round(seen / f("assumptions.gp_mental_health_utilisation") * peak) + 1,
                "service": exponential(stay),
                "initial": {"in_service": people({f"{t}/light/other": first.of_town[t] for t in TOWNS}, seen)},
            },
        ]

    def others(self) -> list[Document]:
        f, first = self.f, self.first
        months = f("public.welfare_duration")
        welfare = lognormal(months * MONTH, f("assumptions.social_domain_duration_cv"))
        made: list[Document] = []
        for t in TOWNS:
            came = first.first["light", "other"] * f("assumptions.gp_to_social_domain") * first.of_town[t]
            present = {f"{t}/light/other": round(came * months / 12)}
            station: Document = {"name": f"social_domain_{t}", "servers": "inf", "service": welfare}
            if self.set["social_domain"] == "limited":
                station["servers"] = self.social_workers(t, came * months / 12)
                station["patience"] = exponential(f("assumptions.social_domain_patience"))
                station["on_renege"] = {"gp": 1.0}
            made.append(station | {"initial": {"in_service": present}})
        crisis = lognormal(f("public.crisis_duration"), f("public.crisis_duration_cv"))
        made.append({"name": "crisis", "servers": "inf", "service": crisis})
        made.append(
            {"name": "self_help", "servers": "inf", "service": exponential(f("assumptions.self_help_duration"))}
        )
        for t in TOWNS:
            stay = exponential(f("assumptions.support_point_duration"))
            point: Document = {"name": f"support_point_{t}", "servers": "inf", "service": stay}
            point |= {"queue_limit": 0, "on_full": {"exit": 1.0}}
            if first.opens[t]:
                point |= {"quota": self.users(t), "quota_carries": True}
            made.append(point)
        away = exponential(f("assumptions.supra_regional_duration"))
        made.append({"name": "supra_regional", "servers": "inf", "service": away})
        home: dict[str, int] = {}
        for g in GROUPS:
            back = f("public.smi_return") if g == "smi" else f("assumptions.return_share")
            number = first.groups[g].starts * back * f("assumptions.return_delay_years") / 2
            for name, count in self.mix(number, g).items():
                home[name] = home.get(name, 0) + count
        delay = {"distribution": "uniform", "low": 0.0, "high": f("assumptions.return_delay_years") * YEAR}
        made.append({"name": "between_episodes", "servers": "inf", "service": delay, "initial": {"in_service": home}})
        return made

    def social_workers(self, town: str, present: float) -> list[tuple[float, int]]:
        """Places: for those who came already, and for whom the plan's extra staff can help, with a little room."""
        f = self.f
        helped = f("impact.extra_fte_substitution") * f("impact.residents_per_fte") * self.first.of_town[town]
        made = []
        for year in YEARS:
            ramp = f("functions.ramp", year) if self.network != "none" and year > 2025 else 0.0
            places = present + helped * ramp * f("public.welfare_duration") / 12
            made.append((day(dt.date(year, 1, 1)), round(places / f("assumptions.gp_mental_health_utilisation"))))
        return made

    def users(self, town: str) -> list[tuple[float, int]]:
        """Users of a new support point by month: the plan's number, evenly over those that are open by then."""
        exact = {t: 0.0 for t in TOWNS if self.first.opens[t]}
        given = dict.fromkeys(exact, 0)
        made = []
        for edge in self.edges[:-1]:
            open_now = [t for t in exact if self.first.opens[t] <= date(edge) and date(edge).year > self.pilot]
            for t in open_now if self.network != "none" else []:
                exact[t] += self.f("functions.support_point_users", date(edge).year) / 12 / len(open_now)
            before = given[town]
            while sum(given.values()) < round(sum(exact.values())):
                given[max(exact, key=lambda t: exact[t] - given[t])] += 1
            made.append((edge, given[town] - before))
        return made

    def pools(self) -> list[Document]:
        made: list[Document] = []
        for g in GROUPS:
            names = self.first.groups[g].programmes
            made.append(
                {"name": g, "stations": names, "rule": "shares", "second_list": self.f("public.duplicates_share")}
            )
            made.append({"name": f"{g}_soonest", "stations": names, "rule": "soonest", "second_list": 0.0})
        return made

    def document(self) -> Document:
        return {
            "horizon": self.horizon,
            "snapshot_every": WEEK,
            "periods": self.edges,
            "waiting_norm": self.norm() * WEEK,
            "wait_bin": WEEK,
            "classes": classes(),
            "stations": [*self.primary_care(), *self.desks(), *self.programmes(), *self.others()],
            "pools": self.pools(),
            "arrivals": self.arrivals(),
            "routes": self.routes(),
            "stop_rules": self.stop_rules(),
        }

    def norm(self) -> float:
        """Weeks; the intake's own norm is held against the whole wait, of which the intake is a fixed part."""
        if self.set["wait_counts"] == "intake":
            return self.f("public.treeknorm_intake") / self.f("public.waiting_share_intake")
        return self.f("public.treeknorm_total")

    def stop_rules(self) -> list[Document]:
        """The functions close at the end of the pilot year when the lists have not become shorter; what they took of
        treatment comes back then."""
        if not self.set["stop_policy"] or self.network != "functions":
            return []
        rule: Document = {"at": day(dt.date(self.pilot, 12, 31)), "measure": "waiting"}
        rule["stations"] = list(self.first.programmes)
        rule["at_least"] = self.f("assumptions.stop_at_share") * sum(self.first.waiting.values())
        rule["close"] = list(FUNCTIONS.values())
        if self.reading == "net" or self.set["freed_place"] == "heavier":
            rule["servers"] = self.servers(stopped=True)
        return [rule]


def document(
    network: str = "functions",
    reading: str = "net",
    settings: Document | None = None,
    **changes: float | dict[str, float],
) -> Document:
    """The network document of Amstelland; a change is ``assumptions__list_size=900``."""
    return Region(network, reading, settings, **changes).document()
