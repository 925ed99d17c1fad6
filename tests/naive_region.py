"""The region Amstelland from its figures, in the plainest Python there is: the oracle of the scenario compiler.

It reads the TOML files of the region as they lie there and docs/model.md, and nothing of flowsim: no figure reader, no
balance of the first day, no compiler. Where flowsim integrates with 24 clever points and solves with a library, this
adds up hundreds of slices and halves an interval. What comes out is a network document, as `naive` simulates it.

    naive_region.document(network="functions", reading="net")
"""

from __future__ import annotations

import datetime as dt
import math
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parents[1] / "flowsim" / "plan" / "amstelland"
START = dt.date(2025, 1, 1)
YEAR, WEEK = 365.25, 7.0
MONTH = YEAR / 12
YEARS = range(2025, 2031)
TOWNS = ("amstelveen", "aalsmeer", "uithoorn", "ouder_amstel")
DIAGNOSES = ("personality", "trauma", "somatic_symptom", "other")
GROUPS = ("light", "personality", "trauma", "somatic_symptom", "other", "smi")
NEEDS = ("multi_domain", "complex", "urgent")
KINDS = [("light", "other"), *((n, g) for n in NEEDS for g in DIAGNOSES), ("smi", "other"), ("complex", "eating")]
FUNCTIONS = {
    "consultations": "collegial_consultation",
    "conversations": "exploratory_conversation",
    "case_conferences": "case_conference",
    "transfers": "waiting_list_management",
}
Document = dict[str, Any]


# ---------------------------------------------------------------- figures


def read_figures() -> dict[str, Any]:
    """Every figure of the region by ``<file>.<table>``: one number, or {year: number}."""
    figures: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for name, table in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if isinstance(table, dict) and "value" in table:
                figures[f"{path.stem}.{name}"] = table["value"]
    return figures


class Figures:
    """``f("assumptions.list_size")``, ``f("functions.ramp", 2027)``; a value holds on until the next one."""

    def __init__(self, **changes: float) -> None:
        self.all = read_figures() | {key.replace("__", "."): value for key, value in changes.items()}

    def __call__(self, key: str, year: int = 0) -> float:
        value = self.all[key]
        if isinstance(value, dict):
            value = value[max((y for y in value if int(y[:4]) <= year), key=lambda y: int(y[:4]))]
        return float(value)


def day(date: dt.date) -> float:
    return float((date - START).days)


def date(when: float) -> dt.date:
    return START + dt.timedelta(days=int(when))


# ---------------------------------------------------------------- the first day


def halved(low: float, high: float, too_high: Callable[[float], bool]) -> float:
    """Where ``too_high`` turns, to a millionth of the interval."""
    for _ in range(45):
        middle = (low + high) / 2
        low, high = (low, middle) if too_high(middle) else (middle, high)
    return (low + high) / 2


class Patience:
    """Who is still there after a wait: Weibull."""

    def __init__(self, scale: float, shape: float) -> None:
        self.scale, self.shape = scale, shape

    def stays(self, wait: float) -> float:
        return math.exp(-((wait / self.scale) ** self.shape))

    def area(self, wait: float, slices: int = 200) -> float:
        """Days that somebody spends on a list that is left after ``wait``: slices, each as high as its middle."""
        return sum(self.stays(wait * (i + 0.5) / slices) for i in range(slices)) * wait / slices


class Group:
    """The programmes of a diagnosis group: the first waits longest, the last one gets all second places."""

    def __init__(self, f: Figures, name: str, programmes: list[str], starts: float, length: float) -> None:
        self.name, self.programmes, self.starts, self.length = name, programmes, starts, length
        spread, twice = f("assumptions.programme_wait_spread"), f("public.duplicates_share")
        if len(programmes) == 1:
            self.share, self.relative = [1.0], [1.0]
        else:
            steps = len(programmes) - 1
            self.relative = [1 + spread - 2 * spread * i / steps for i in range(steps + 1)]
            self.share = [(1 - twice) / len(programmes)] * steps
            self.share.append(1 - sum(self.share))
        self.x = 0.0

    def reached(self, patience: Patience, x: float) -> list[float]:
        """Of one who is referred, by programme: the chance to start there."""
        return [s * patience.stays(x * r) for s, r in zip(self.share, self.relative, strict=True)]

    def mean_wait(self, patience: Patience, x: float) -> float:
        reached = self.reached(patience, x)
        return sum(c * x * r for c, r in zip(reached, self.relative, strict=True)) / sum(reached)

    def referred(self, patience: Patience, x: float) -> float:
        return self.starts / sum(self.reached(patience, x))

    def lists(self, patience: Patience, x: float) -> list[float]:
        """People waiting, by programme: Little's law on those who are referred."""
        a_day = self.referred(patience, x) / YEAR
        return [a_day * s * patience.area(x * r) for s, r in zip(self.share, self.relative, strict=True)]


class FirstDay:
    """The region in balance: who is treated, who waits, who is referred and who comes to the GP."""

    def __init__(self, f: Figures) -> None:
        self.f = f
        region = tomllib.loads((FOLDER / "region.toml").read_text(encoding="utf-8"))
        self.programmes = {one["name"]: one["groups"][0] for one in region["programmes"]}
        self.opens = {one["code"]: one.get("support_point_opens") for one in region["municipalities"]}
        weight = {t: f(f"population.{t}") * f(self.rate_of(t)) for t in TOWNS}
        self.of_town = {t: weight[t] / sum(weight.values()) for t in TOWNS}
        self.treat()
        self.wait()
        self.come()

    def rate_of(self, town: str) -> str:
        own = f"demand.clients_per_10000_{town}"
        return own if own in self.f.all else "demand.clients_per_10000_other"

    def treat(self) -> None:
        """Starts and lengths: clients of a year = in treatment on 1 January + those who start in it."""
        f = self.f
        smi = f("demand.smi") / (1 + f("public.smi_duration"))
        other = f("demand.inflow") - smi
        present = f("demand.clients") - f("demand.smi") - other
        basic = f("public.basic_share")
        mean_days = present / other * YEAR
        long = (mean_days - basic * f("public.duration_basic")) / (1 - basic)
        long = max(long, f("public.duration_specialist_median") * MONTH / 2)
        share = {g: f(f"assumptions.{g}_share") for g in DIAGNOSES[:3]}
        share["other"] = 1 - sum(share.values())
        starts = {"light": other * basic, "smi": smi} | {g: other * (1 - basic) * share[g] for g in DIAGNOSES}
        length = dict.fromkeys(DIAGNOSES, long)
        length |= {"light": f("public.duration_basic"), "smi": f("public.smi_duration") * YEAR}
        self.groups = {}
        for g in GROUPS:
            mine = [name for name, group in self.programmes.items() if group == g]
            self.groups[g] = Group(f, g, mine, starts[g], length[g])

    def wait(self) -> None:
        """Published waits where there are; the list's size leaves the others; the share that gives up, patience."""
        f, groups = self.f, self.groups
        longest = 104 * WEEK
        size, shape, giving_up = (f(f"assumptions.{one}") for one in ("list_size", "patience_shape", "reneging_share"))

        def settle(patience: Patience) -> float:
            known = 0.0
            for g in ("personality", "trauma", "somatic_symptom", "smi"):
                weeks = f("assumptions.smi_wait") if g == "smi" else f(f"waiting.{g}")
                groups[g].x = halved(0, longest, lambda x, g=g, w=weeks: groups[g].mean_wait(patience, x) > w * WEEK)
                known += sum(groups[g].lists(patience, groups[g].x))
            basic = f("public.waiting_share_basic") * size
            rest = max(size - basic - known, groups["other"].starts * WEEK / YEAR)  # at least a week's
            for g, people in (("light", basic), ("other", rest)):
                groups[g].x = halved(0, longest, lambda x, g=g, n=people: sum(groups[g].lists(patience, x)) > n)
            all_referred = sum(one.referred(patience, one.x) for one in groups.values())
            return 1 - sum(one.starts for one in groups.values()) / all_referred

        scale, found = 20 * WEEK / (-math.log(1 - giving_up)) ** (1 / shape), 0.0
        for _ in range(12):
            self.patience = Patience(scale, shape)
            found = settle(self.patience)
            if abs(found - giving_up) < 1e-5:
                break
            scale *= (math.log(1 - found) / math.log(1 - giving_up)) ** (1 / shape)
        self.giving_up = found
        self.waiting = {
            name: n for one in groups.values() for name, n in zip(one.programmes, self.lists(one), strict=True)
        }
        self.places = {
            name: one.referred(self.patience, one.x) * c * one.length / YEAR
            for one in groups.values()
            for name, c in zip(one.programmes, one.reached(self.patience, one.x), strict=True)
        }
        self.waits = {
            n: one.x * r for one in groups.values() for n, r in zip(one.programmes, one.relative, strict=True)
        }
        self.referred = {g: one.referred(self.patience, one.x) for g, one in groups.items()}

    def lists(self, group: Group) -> list[float]:
        return group.lists(self.patience, group.x)

    def come(self) -> None:
        """First visits to the GP a year: what is referred, less those who return and those who try again."""
        f = self.f
        light, special = f("assumptions.multi_domain_share_basic"), f("assumptions.multi_domain_share_specialist")
        bound = {("light", "other"): self.referred["light"] * (1 - light), ("smi", "other"): self.referred["smi"]}
        for g in DIAGNOSES:
            bound["multi_domain", g] = self.referred[g] * special
            bound["complex", g] = self.referred[g] * (1 - special)
        basic = self.referred["light"] * light
        bound["multi_domain", "other"] += basic
        self.basic_share = basic / bound["multi_domain", "other"]
        stay, again = 1 - self.giving_up, self.giving_up * f("assumptions.renege_to_gp")
        self.first: dict[tuple[str, str], float] = {}
        for (need, g), flow in bound.items():
            back = f("public.smi_return") if need == "smi" else f("assumptions.return_share")
            chance = 1.0 if need == "smi" else f(f"assumptions.referred_{need}") if need != "light" else 0.0
            if need != "light":
                self.first[need, g] = max(flow * (1 - back * stay) / chance - flow * again, 0)
        self.first["complex", "eating"] = sum(self.groups[g].starts for g in DIAGNOSES) * f("assumptions.eating_share")
        people = self.f.all["population.region"]
        (y0, n0), (y1, n1) = sorted((int(y[:4]), n) for y, n in people.items())
        span = (dt.date(y1, 1, 1) - dt.date(y0, 1, 1)).days / YEAR
        now = n0 * (n1 / n0) ** ((START - dt.date(y0, 1, 1)).days / YEAR / span)
        seen = now * f("population.share_adult") * f("public.gp_contact_share")
        self.first["light", "other"] = max(seen - sum(self.first.values()), 0)
        at_gp = self.first["light", "other"] + bound["light", "other"] * again
        need_ggz = bound["light", "other"] * (1 - f("assumptions.return_share") * stay) / at_gp
        self.light_now = need_ggz / 2
        self.light_later = min(need_ggz / 2 / f("assumptions.gp_mental_health_route"), 1)


# ---------------------------------------------------------------- the document


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


class Region:
    """The document, part by part; ``network``: none or functions; ``reading``: headcount, capacity or net."""

    def __init__(self, network: str, reading: str, **changes: float) -> None:
        self.network, self.reading = network, reading
        self.f = f = Figures(**changes)
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
                    if need == "multi_domain" and self.network == "functions" and since >= day(dt.date(2025, 7, 1)):
                        volume = self.f("functions.conversations", date(since).year)
                        more += self.f("assumptions.induced_demand") * volume / self.f("functions.conversations", 2028)
                    rate.append((since, a_day * self.growth(since, until) * more))
                made.append({"class": f"{t}/{need}/{g}", "station": "gp", "rate": rate})
        return made

    # ---- places

    def relative_places(self, when: float, group: str) -> float:
        f, year = self.f, date(when).year
        factor = (1 + f("assumptions.staff_growth")) ** (when / YEAR)
        if group == "smi":
            return factor
        factor *= 1 + f(f"assumptions.extra_places_{'basic' if group == 'light' else 'specialist'}", year)
        if self.network == "functions" and self.reading == "net" and when >= day(dt.date(2025, 7, 1)):
            talks = f("functions.conversations", year) * (2 if year == 2025 else 1)  # a year's work in half a year
            hours = talks * f("business_case.conversation_cost_ggz") / f("investment.rate_ggz")
            factor *= 1 - hours / ((f("demand.clients") - f("demand.smi")) * f("impact.hours_per_client"))
        return factor

    def programmes(self) -> list[Document]:
        f, first = self.f, self.first
        names = list(first.programmes)
        servers: dict[str, list[tuple[float, int]]] = {name: [] for name in names}
        for when in self.halves:
            exact = {n: first.places[n] * self.relative_places(when, first.programmes[n]) for n in names}
            for name, number in people(exact, round(sum(exact.values()))).items():
                servers[name].append((when, number))
        urgent = [f"{t}/urgent/{g}" for t in TOWNS for g in DIAGNOSES]
        to_gp, to_self_help = f("assumptions.renege_to_gp"), f("assumptions.renege_to_self_help")
        mean = first.patience.scale * math.gamma(1 + 1 / first.patience.shape)
        square = first.patience.scale**2 * math.gamma(1 + 2 / first.patience.shape)
        made = []
        for name in names:
            g = first.programmes[name]
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
        """Cases a week in whole numbers: as many each week of a year, the first year in its second half."""
        weeks = [day(dt.date(2025, 7, 1)) + WEEK * i for i in range(400)]
        in_year = Counter(date(week).year for week in weeks)
        made: list[tuple[float, int]] = []
        passed = given = 0.0
        for week in weeks:
            year = date(week).year
            if week >= self.horizon:
                break
            cases = self.f(f"functions.{function}", year) if self.network == "functions" else 0.0
            passed += cases / in_year[year]
            made.append((week, math.floor(passed + 1e-9) - int(given)))
            given = math.floor(passed + 1e-9)
        return made

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
        """Out of ggz, on with half of a treatment, or on as before."""
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
            ways += [(to, share * shorter, f("business_case.shortened_saving")) for to, share in onward.items()]
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

        ways_on = {"collegial_consultation": {"light": "", "multi_domain": "exploratory_conversation"}}
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
                    route("gp_mental_health", label, later)
                else:
                    chance = f(
                        "assumptions.referred_multi_domain"
                        if need == "multi_domain"
                        else "assumptions.referred_complex"
                    )
                    to = {"collegial_consultation": chance}
                route("gp", label, to | {"exit": max(0.0, 1 - sum(to.values()))})
                # without a token: light to ggz, several domains to a conversation, complex to a conference
                missed = ways_on["collegial_consultation"].get(need, "case_conference")
                route("collegial_consultation", label, {missed: 1.0} if missed else ggz, "full")
                route("collegial_consultation", label, self.outcome("consultations", t, ggz))
                if need == "multi_domain":
                    route("exploratory_conversation", label, {"case_conference": 1.0}, "full")
                    route("exploratory_conversation", label, self.outcome("conversations", t, ggz))
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
        route("waiting_list_management", None, {"exit": 1.0}, "full")
        route("waiting_list_management", None, {"stay": 1.0}, "review")
        route("between_episodes", None, {"collegial_consultation": 1.0})
        self.returns(route)
        return made

    def returns(self, route: Callable[..., None]) -> None:
        """After treatment: home for good, or until a return; those who had a crisis are complex again by then."""
        f, first = self.f, self.first
        ended = sum(one.starts for g, one in first.groups.items() if g != "smi")
        prevented = f("functions.support_point_relapse_reduction")
        for name, g in first.programmes.items():
            for year in YEARS if prevented > 0 else YEARS[:1]:
                users = f("functions.support_point_users", year) if year > 2025 and self.network != "none" else 0.0
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
            station = {"name": f"social_domain_{t}", "servers": "inf", "service": welfare}
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

    def users(self, town: str) -> list[tuple[float, int]]:
        """Users of a new support point by month: the plan's number, evenly over those that are open by then."""
        exact = {t: 0.0 for t in TOWNS if self.first.opens[t]}
        given = dict.fromkeys(exact, 0)
        made = []
        for edge in self.edges[:-1]:
            open_now = [t for t in exact if self.first.opens[t] <= date(edge) and date(edge).year > 2025]
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
            "waiting_norm": self.f("public.treeknorm_total") * WEEK,
            "wait_bin": WEEK,
            "classes": classes(),
            "stations": [*self.primary_care(), *self.desks(), *self.programmes(), *self.others()],
            "pools": self.pools(),
            "arrivals": self.arrivals(),
            "routes": self.routes(),
            "stop_rules": [],
        }


def document(network: str = "functions", reading: str = "net", **changes: float) -> Document:
    """The network document of Amstelland; a change is ``assumptions__list_size=900``."""
    return Region(network, reading, **changes).document()
