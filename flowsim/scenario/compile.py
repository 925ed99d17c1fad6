"""Scenario -> network document -> `Network`: the region's stations, routes and schedules, in the engines' terms.

Stations stand in the order in which residents meet them, so that the luck of a resident at a later station does not
depend on which earlier ones were passed (see `flowsim.model.draws`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Final

from flowsim.errors import InputError
from flowsim.model.network import Network
from flowsim.scenario import flows
from flowsim.scenario.baseline import GROUPS, WEEK, YEAR, Baseline, Values, ages, calibrate
from flowsim.scenario.flows import DIAGNOSES, KINDS, WORSE, Kind
from flowsim.scenario.load import Scenario
from flowsim.scenario.region import Region, load_region

MONTH: Final = YEAR / 12.0
AGES: Final = 100
LAST_YEAR: Final = 2029
TOWARDS_GGZ: Final = "collegial_consultation"
VISITOR: Final = "visitor"


def horizon(value: Values, region: Region) -> float:
    """Five years, and the weeks for which a clearing must hold."""
    return region.day(dt.date(LAST_YEAR + 1, 1, 1)) + value("assumptions.cleared_weeks") * WEEK


def exponential(mean: float) -> dict[str, Any]:
    return {"distribution": "exponential", "mean": mean}


def lognormal(mean: float, cv: float) -> dict[str, Any]:
    return {"distribution": "lognormal", "mean": mean, "cv": cv}


class Compiler:
    """Writes the network document of one scenario for one set of values of the unknowns."""

    def __init__(self, scenario: Scenario, drawn: Mapping[str, float], base: Baseline | None = None) -> None:
        self.scenario = scenario
        self.region = load_region(scenario.region)
        self.value = Values(scenario, drawn)
        self.base = base or calibrate(self.value, self.region)
        self.demand = flows.demand(self.value, scenario, self.region, self.base)
        self.horizon = horizon(self.value, self.region)
        self.years = [year for year in range(self.region.start.year, LAST_YEAR + 2)]
        self.municipalities = [one.code for one in self.region.municipalities]
        self.shares = flows.municipality_shares(self.value, self.region)
        self.kinds = KINDS
        self.classes = [f"{m}/{need}/{group}" for m in self.municipalities for need, group in KINDS] + [VISITOR]

    # ---- helpers --------------------------------------------------------------------------------------------------

    def classes_of(self, *needs: str, groups: tuple[str, ...] = (*DIAGNOSES, "eating")) -> list[str]:
        """Names of the classes with one of these needs and groups, in all municipalities."""
        kinds = [(need, group) for need, group in KINDS if need in needs and group in groups]
        return [f"{m}/{need}/{group}" for m in self.municipalities for need, group in kinds]

    def year_starts(self, half_years: bool = False) -> list[float]:
        dates = [dt.date(year, month, 1) for year in self.years for month in ((1, 7) if half_years else (1,))]
        return [self.region.day(date) for date in dates if self.region.day(date) < self.horizon]

    def document(self) -> dict[str, Any]:
        """The network document, in days from the region's first day."""
        return {
            "title": self.scenario.title,
            "horizon": self.horizon,
            "snapshot_every": WEEK,
            "periods": self.months(),
            "waiting_norm": self.norm(),
            "wait_bin": WEEK,
            "classes": self.classes,
            "stations": self.stations(),
            "pools": self.pools(),
            "arrivals": self.arrivals(),
            "routes": self.routes(),
            "stop_rules": self.stop_rules(),
        }

    def stations(self) -> list[dict[str, Any]]:
        """All stations, in the order in which residents meet them."""
        parts = (self.primary_care, self.functions, self.programmes, self.social_domain, self.elsewhere)
        return [station for part in parts for station in part()]

    def uncertain_stations(self) -> list[dict[str, Any]]:
        """The stations whose numbers hang on the unknowns, in the same order."""
        return [*self.primary_care(), *self.programmes(), *self.social_domain(), self.between_episodes()]

    def uncertain_routes(self) -> list[dict[str, Any]]:
        """The routes whose chances hang on the unknowns (a superset of them)."""
        everything, self.kinds = self.kinds, (("light", "other"), ("multi_domain", "other"))
        try:
            return self.routes()
        finally:
            self.kinds = everything

    def routes(self) -> list[dict[str, Any]]:
        """All routes, from the GP onwards."""
        parts = (self.gp_routes, self.function_routes, self.ggz_routes, self.other_routes)
        return [route for part in parts for route in part()]

    def months(self) -> list[float]:
        """Edges of the months, from the first day to the horizon."""
        dates = [dt.date(year, month, 1) for year in self.years for month in range(1, 13)]
        return [day for date in dates if (day := self.region.day(date)) <= self.horizon]

    def norm(self) -> float:
        """Wait beyond which somebody is overdue: the norm until treatment, or until intake."""
        which = "total" if self.scenario.settings["wait_counts"] == "start" else "intake"
        return self.value(f"public.treeknorm_{which}") * WEEK

    # ---- stations -------------------------------------------------------------------------------------------------

    def primary_care(self) -> list[dict[str, Any]]:
        v = self.value
        bridging = self.base.waiting * 12.0 * v("public.bridging_consults") * v("public.bridging_share")
        seen = sum(self.demand.arrivals.values()) + bridging
        turnaround = v("assumptions.gp_turnaround")
        length = v("assumptions.gp_mental_health_duration")
        sent = self.demand.arrivals["light", "other"] * v("assumptions.gp_mental_health_route")
        places = sent / YEAR * length
        grown = flows.growth_steps(v, self.region, self.year_starts())
        return [
            {
                "name": "gp",
                "servers": round(seen / YEAR * turnaround / v("assumptions.gp_utilisation") * max(grown)) + 1,
                "service": exponential(turnaround),
            },
            {
                "name": "gp_mental_health",
                "servers": round(places / v("assumptions.gp_mental_health_utilisation") * max(grown)) + 1,
                "service": exponential(length),
                "initial": {"in_service": self.spread(places, self.classes_of("light"))},
            },
        ]

    def spread(self, number: float, classes: list[str], weights: list[float] | None = None) -> dict[str, int]:
        """A number of people over classes, by municipality (and weights), in whole people (largest remainders)."""
        weights = weights or [1.0] * len(classes)
        exact = [w * self.shares[c.split("/")[0]] for c, w in zip(classes, weights, strict=True)]
        scale = number / sum(exact)
        return dict(zip(classes, whole([x * scale for x in exact], round(number)), strict=True))

    def functions(self) -> list[dict[str, Any]]:
        v = self.value
        quotas = {f: flows.weekly_quota(self.scenario, v, self.region, f, self.horizon) for f in flows.FUNCTIONS}
        shared = {"servers": "inf", "quota_carries": True, "service": exponential(v("assumptions.conversation_time"))}
        return [
            {**shared, "name": TOWARDS_GGZ, "quota": quotas["consultations"], "queue_limit": 0},
            {
                **shared,
                "name": "exploratory_conversation",
                "quota": quotas["conversations"],
                "queue_limit": round(v("assumptions.conversation_queue")) if self.has_functions else 0,
            },
            {**shared, "name": "case_conference", "quota": quotas["case_conferences"], "queue_limit": 0},
            {
                **shared,
                "name": "waiting_list_management",
                "quota": quotas["transfers"],
                "removes_second_place": v("assumptions.removes_second_place"),
            },
        ]

    @property
    def has_functions(self) -> bool:
        return bool(self.scenario.settings["network"] == "functions")

    def programmes(self) -> list[dict[str, Any]]:
        """One queue per programme, in balance on the first day; places follow the scenario's capacity."""
        days = self.year_starts(half_years=True)
        factors = [flows.capacity_factor(self.scenario, self.value, self.region, day) for day in days]
        exact = [[one.places * factor for one in self.base.programmes] for factor in factors]
        places = [whole(row, round(sum(row))) for row in exact]
        return [
            self.programme(i, [(day, row[i]) for day, row in zip(days, places, strict=True)])
            for i in range(len(self.base.programmes))
        ]

    def programme(self, i: int, servers: list[tuple[float, int]]) -> dict[str, Any]:
        v, one = self.value, self.base.programmes[i]
        cv = {"light": v("public.duration_basic_cv"), "smi": 1.0}.get(one.group, v("assumptions.specialist_cv"))
        length = self.base.duration[one.group]
        patience = self.base.patience
        return {
            "name": one.name,
            "servers": servers,
            "patience": {"distribution": "weibull", "mean": patience.mean, "cv": patience.cv},
            "discipline": "priority",
            "priority": dict.fromkeys(self.classes_of("urgent"), 0) | {VISITOR: 1},
            "service": exponential(length) if cv == 1.0 else lognormal(length, cv),
            "uses_service_factor": True,
            "waiting_list": "ggz",
            "initial": {
                "in_service": self.mix(servers[0][1], one.group),
                "waiting": self.mix(round(one.waiting), one.group),
                "age": {"distribution": "empirical", "values": ages(self.base.patience, one.wait, AGES)},
            },
            "while_waiting": self.clocks,
            "on_renege": {
                "gp": v("assumptions.renege_to_gp"),
                "self_help": v("assumptions.renege_to_self_help"),
                "exit": 1.0 - v("assumptions.renege_to_gp") - v("assumptions.renege_to_self_help"),
            },
        }

    def mix(self, number: int, group: str) -> dict[str, int]:
        """People of a group over its classes, as those who are referred to it."""
        light, special = (self.value(f"assumptions.multi_domain_share_{x}") for x in ("basic", "specialist"))
        if group == "smi":
            kinds: dict[Kind, float] = {("smi", "other"): 1.0}
        elif group == "light":
            kinds = {("light", "other"): 1.0 - light, ("multi_domain", "other"): light}
        else:
            kinds = {("multi_domain", group): special, ("complex", group): 1.0 - special}
        classes = [f"{m}/{need}/{g}" for m in self.municipalities for need, g in kinds]
        weights = [weight for _ in self.municipalities for weight in kinds.values()]
        return self.spread(number, classes, weights)

    @cached_property
    def clocks(self) -> list[dict[str, Any]]:
        """What happens to people who wait (model, section 5); list management comes last."""
        v = self.value
        bridging = v("public.bridging_consults") * v("public.bridging_share")
        clocks: list[dict[str, Any]] = [
            {"after": exponential(MONTH / bridging), "repeats": True, "visit": f"gp:{VISITOR}"}
        ]
        if v("assumptions.self_help_while_waiting") > 0.0:
            often = MONTH / v("assumptions.self_help_while_waiting")
            clocks.append({"after": exponential(often), "repeats": True, "visit": f"self_help:{VISITOR}"})
        if v("assumptions.worsening") > 0.0:
            after = exponential(MONTH / v("assumptions.worsening"))
            for m in self.municipalities:
                for need, worse in WORSE.items():
                    for group in DIAGNOSES if need != "light" else ("other",):
                        clock = {"classes": [f"{m}/{need}/{group}"], "after": after, "become": f"{m}/{worse}/{group}"}
                        clocks.append(clock | ({"visit": f"crisis:{VISITOR}"} if worse == "urgent" else {}))
        review = {"after": exponential(v("assumptions.review_delay")), "review_at": "waiting_list_management"}
        clocks.append(review | {"classes": self.classes_of("light", "multi_domain", "complex", "urgent", "smi")})
        return clocks

    def social_domain(self) -> list[dict[str, Any]]:
        v = self.value
        length = lognormal(v("public.welfare_duration") * MONTH, v("assumptions.social_domain_duration_cv"))
        already = self.demand.arrivals["light", "other"] * v("assumptions.gp_to_social_domain")
        stations = []
        for m in self.municipalities:
            present = already * self.shares[m] * v("public.welfare_duration") / 12.0
            station: dict[str, Any] = {
                "name": f"social_domain_{m}",
                "servers": "inf",
                "service": length,
                "initial": {"in_service": {f"{m}/light/other": round(present)}},
            }
            if self.scenario.settings["social_domain"] == "limited":
                station["servers"] = self.social_domain_places(present, self.shares[m])
                station["patience"] = exponential(v("assumptions.social_domain_patience"))
                station["on_renege"] = {"gp": 1.0}
            stations.append(station)
        return stations

    def social_domain_places(self, present: float, share: float) -> list[tuple[float, int]]:
        """Places that serve those who came already, and those whom the plan's extra staff can serve."""
        v = self.value
        extra = v("impact.extra_fte_substitution") * v("impact.residents_per_fte") * share
        ramp = {year: v("functions.ramp", year) if year > 2025 and self.has_functions else 0.0 for year in self.years}
        stay = v("public.welfare_duration") / 12.0
        room = 1.0 / v("assumptions.gp_mental_health_utilisation")
        return [
            (self.region.day(dt.date(year, 1, 1)), round((present + extra * ramp[year] * stay) * room))
            for year in self.years
        ]

    def elsewhere(self) -> list[dict[str, Any]]:
        v = self.value
        crisis = lognormal(v("public.crisis_duration"), v("public.crisis_duration_cv"))
        return [
            {"name": "crisis", "servers": "inf", "service": crisis},
            {"name": "self_help", "servers": "inf", "service": exponential(v("assumptions.self_help_duration"))},
            *self.support_points(),
            {
                "name": "supra_regional",
                "servers": "inf",
                "service": exponential(v("assumptions.supra_regional_duration")),
            },
            self.between_episodes(),
        ]

    def between_episodes(self) -> dict[str, Any]:
        """Those who were treated and will return: at home, for a time that is spread evenly."""
        v = self.value
        present: dict[str, int] = {}
        for group in GROUPS:  # who will return is away for half of the longest delay on average
            share = v("public.smi_return") if group == "smi" else v("assumptions.return_share")
            away = self.base.starts[group] * share * v("assumptions.return_delay_years") / 2.0
            for name, number in self.mix(round(away), group).items():
                present[name] = present.get(name, 0) + number
        delay = {"distribution": "uniform", "low": 0.0, "high": v("assumptions.return_delay_years") * YEAR}
        return {"name": "between_episodes", "servers": "inf", "service": delay, "initial": {"in_service": present}}

    def support_points(self) -> list[dict[str, Any]]:
        """A support point per municipality; the new ones share the plan's users a year, by months."""
        v = self.value
        fresh = [one for one in self.region.municipalities if one.support_point_opens is not None]
        stations = []
        for one in self.region.municipalities:
            station: dict[str, Any] = {
                "name": f"support_point_{one.code}",
                "servers": "inf",
                "service": exponential(v("assumptions.support_point_duration")),
                "queue_limit": 0,
                "on_full": {"exit": 1.0},
            }
            if one.support_point_opens is not None:
                opened = [other for other in fresh if other.support_point_opens is not None]
                station["quota"] = self.support_quota(one.support_point_opens, opened)
                station["quota_carries"] = True
            stations.append(station)
        return stations

    def support_quota(self, opens: dt.date, fresh: list[Any]) -> list[tuple[float, int]]:
        v = self.value
        quota: list[tuple[float, int]] = []
        exact, given = 0.0, 0
        for day in self.months()[:-1]:
            date = self.region.date(day)
            open_now = sum(other.support_point_opens <= date for other in fresh)
            runs = self.scenario.settings["network"] != "none" and opens <= date and date.year >= 2026
            exact += v("functions.support_point_users", date.year) / 12.0 / open_now if runs else 0.0
            tokens = int(exact + 1e-9) - given
            given += tokens
            quota.append((day, tokens))
        return quota

    def pools(self) -> list[dict[str, Any]]:
        """Referral by the GP: by chance over a group's programmes, some with a second place; list management: soonest."""
        second = self.value("public.duplicates_share")
        pools: list[dict[str, Any]] = []
        for group in GROUPS:
            names = [one.name for one in self.region.programmes_of(group)]
            pools.append({"name": group, "stations": names, "rule": "shares", "second_list": second})
            pools.append({"name": f"{group}_soonest", "stations": names, "rule": "soonest"})
        return pools

    # ---- arrivals and routes --------------------------------------------------------------------------------------

    def arrivals(self) -> list[dict[str, Any]]:
        days = self.year_starts(half_years=True)
        growth = flows.growth_steps(self.value, self.region, days)
        induced = [self.induced(day) for day in days]
        streams = []
        for m in self.municipalities:
            for kind in flows.ARRIVING:
                daily = self.demand.arrivals[kind] * self.shares[m] / YEAR
                extra = induced if kind[0] == "multi_domain" else [1.0] * len(days)
                rate = [(day, daily * g * x) for day, g, x in zip(days, growth, extra, strict=True)]
                streams.append({"class": f"{m}/{kind[0]}/{kind[1]}", "station": "gp", "rate": rate})
        return streams

    def induced(self, day: float) -> float:
        """Factor on multi-domain arrivals once conversations run: GPs send sooner (TP 6.3), as far as the ramp is."""
        date = self.region.date(day)
        if not self.has_functions or date < dt.date(2025, 7, 1):
            return 1.0
        full = self.value("functions.conversations", int(self.value("functions.full_operation_year")))
        volume = flows.yearly_volume(self.scenario, self.value, "conversations", date.year)
        return 1.0 + self.value("assumptions.induced_demand") * volume / full

    def away(self, m: str, share: float) -> dict[str, float]:
        """Where those go who do not go to ggz: the social domain, or their own network and self-help."""
        social = self.value("business_case.share_to_social_domain")
        rest = share * (1.0 - social)
        return {f"social_domain_{m}": share * social, "self_help": 0.5 * rest, "exit": 0.5 * rest}

    def gp_routes(self) -> list[dict[str, Any]]:
        v = self.value
        routes: list[dict[str, Any]] = [{"from": "gp", "class": VISITOR, "to": {"exit": 1.0}}]
        for m in self.municipalities:
            for need, group in self.kinds:
                label = f"{m}/{need}/{group}"
                share = self.demand.referred.get((need, group), v("assumptions.referred_complex"))
                if need == "smi":
                    to = {"smi": 1.0}
                elif group == "eating":
                    to = {"supra_regional": 1.0}
                elif need == "light":
                    to = {
                        TOWARDS_GGZ: share,
                        "gp_mental_health": v("assumptions.gp_mental_health_route"),
                        "self_help": v("assumptions.gp_to_self_help"),
                        f"social_domain_{m}": v("assumptions.gp_to_social_domain"),
                        f"support_point_{m}": v("assumptions.gp_to_support_point"),
                    }
                    later = {TOWARDS_GGZ: self.demand.referred_later, "exit": 1.0 - self.demand.referred_later}
                    routes.append({"from": "gp_mental_health", "class": label, "to": later})
                else:
                    to = {TOWARDS_GGZ: share}
                to["exit"] = max(0.0, 1.0 - sum(to.values()))
                if need != "smi" and group != "eating":
                    routes += self.diverted("gp", label, m, to)
                    if need == "light":
                        routes += self.diverted("gp_mental_health", label, m, later)[1:]
                else:
                    routes.append({"from": "gp", "class": label, "to": to})
        return routes

    def diverted(self, station: str, label: str, m: str, to: dict[str, float]) -> list[dict[str, Any]]:
        """The route, and in a top-down scenario the routes of later years, with a share of the referred diverted."""
        routes = [{"from": station, "class": label, "to": to}]
        if self.scenario.settings["network"] != "diversion":
            return routes
        for year in self.years[1:]:
            share = flows.diverted_share(self.scenario, self.value, self.base, year) * to[TOWARDS_GGZ]
            changed = {**to, TOWARDS_GGZ: to[TOWARDS_GGZ] - share}
            for name, part in self.away(m, share).items():
                changed[name] = changed.get(name, 0.0) + part
            start = self.region.day(dt.date(year, 1, 1))
            routes.append({"from": station, "class": label, "start": start, "to": changed})
        return routes

    def function_routes(self) -> list[dict[str, Any]]:
        """After a function, and past it when its volume is used up; pre-selection: a clear need skips the conversation."""
        one_path = self.scenario.settings["overlap"] == "one_path"
        routes: list[dict[str, Any]] = []
        for m in self.municipalities:
            for need, group in self.kinds:
                if need == "smi" or group == "eating":
                    continue
                label = f"{m}/{need}/{group}"
                ggz = self.ggz(need, group)
                past = {"light": ggz, "multi_domain": {"exploratory_conversation": 1.0}}.get(
                    need, {"case_conference": 1.0}
                )
                after = {"light": ggz, "multi_domain": {"case_conference": 1.0}}.get(need, ggz)
                steps = (
                    ("consultations", TOWARDS_GGZ, past, past if one_path else ggz),
                    ("conversations", "exploratory_conversation", after, after if one_path else ggz),
                    ("case_conferences", "case_conference", ggz, ggz),
                )
                for function, station, when_full, onward in steps:
                    if function == "conversations" and need != "multi_domain":
                        routes.append({"from": station, "class": label, "on": "full", "to": ggz})
                        continue
                    routes.append({"from": station, "class": label, "on": "full", "to": when_full})
                    routes.append({"from": station, "class": label, "to": self.outcome(m, function, onward)})
        for station in (TOWARDS_GGZ, "exploratory_conversation", "case_conference"):
            routes.append({"from": station, "on": "full", "to": {"exit": 1.0}})
        return routes

    def ggz(self, need: str, group: str) -> dict[str, float]:
        """The waiting list, or lists, to which somebody is referred."""
        if need == "light":
            return {"light": 1.0}
        if need == "multi_domain" and group == "other":
            return {"light": self.demand.basic_share, "other": 1.0 - self.demand.basic_share}
        return {group: 1.0}

    def outcome(self, m: str, function: str, onward: dict[str, float]) -> list[dict[str, Any]]:
        """What a function leads to: out of ggz, on with half of the treatment, or on as before."""
        effect = flows.effects(self.scenario, self.value, function)
        half = self.value("business_case.shortened_saving")
        ways = [{"to": name, "probability": part} for name, part in self.away(m, effect.away).items()]
        if effect.shorter > 0.0:
            ways += [
                {"to": name, "probability": part * effect.shorter, "service_factor": half}
                for name, part in onward.items()
            ]
        rest = 1.0 - effect.away - effect.shorter
        return ways + [{"to": name, "probability": part * rest} for name, part in onward.items()]

    def ggz_routes(self) -> list[dict[str, Any]]:
        """After treatment: well, or away until a return; by year where support points prevent relapse."""
        v = self.value
        routes: list[dict[str, Any]] = []
        completions = sum(one.starts for one in self.base.programmes if one.group != "smi")
        for one in self.base.programmes:
            share = v("public.smi_return") if one.group == "smi" else v("assumptions.return_share")
            prevented = v("functions.support_point_relapse_reduction")
            for year in self.years if prevented > 0.0 else self.years[:1]:
                users = v("functions.support_point_users", year) if year >= 2026 else 0.0
                users = 0.0 if self.scenario.settings["network"] == "none" else users
                back = share * (1.0 - prevented * min(1.0, users / completions))
                start = self.region.day(dt.date(year, 1, 1))
                routes.append(self.after_treatment(one.name, None, "between_episodes", back, start))
                for label in self.classes_of("urgent"):
                    calm = label.replace("urgent", "complex")
                    routes.append(self.after_treatment(one.name, label, f"between_episodes:{calm}", back, start))
        return routes

    def after_treatment(self, station: str, label: str | None, to: str, back: float, start: float) -> dict[str, Any]:
        route: dict[str, Any] = {"from": station, "start": start, "to": {to: back, "exit": 1.0 - back}}
        return route if label is None else {**route, "class": label}

    def other_routes(self) -> list[dict[str, Any]]:
        """Reviews by list management, returns, and those whom the social domain could not see in time."""
        lighter = 1.0 - self.value("functions.transfers_lighter") * self.value("assumptions.would_have_entered")
        desk = "waiting_list_management"
        routes: list[dict[str, Any]] = [
            {"from": desk, "on": "full", "to": {"exit": 1.0}},
            {"from": desk, "on": "review", "to": {"stay": 1.0}},
            {"from": "between_episodes", "to": {TOWARDS_GGZ: 1.0}},
        ]
        for label in self.classes_of("smi"):
            routes.append({"from": "between_episodes", "class": label, "to": {"smi": 1.0}})
        for label, need, group in (
            (f"{m}/{need}/{group}", need, group) for m in self.municipalities for need, group in self.kinds
        ):
            if group == "eating" or need == "smi":
                continue
            ways = [
                {"to": f"{name}_soonest", "probability": part, "service_factor": lighter}
                for name, part in self.ggz(need, group).items()
            ]
            routes.append({"from": desk, "class": label, "on": "review", "to": ways})
        return routes

    def stop_rules(self) -> list[dict[str, Any]]:
        """The plan's decision at the end of the pilot year (TP 5.1), when a scenario switches it on."""
        if not self.scenario.settings["stop_policy"] or not self.has_functions:
            return []
        threshold = self.value("assumptions.stop_at_share") * self.base.waiting
        return [
            {
                "at": self.region.day(dt.date(int(self.value("functions.pilot_year")), 12, 31)),
                "stations": [one.name for one in self.base.programmes],
                "measure": "waiting",
                "at_least": threshold,
                "close": [TOWARDS_GGZ, "exploratory_conversation", "case_conference", "waiting_list_management"],
            }
        ]


def whole(exact: list[float], total: int) -> list[int]:
    """Whole numbers near ``exact`` that add up to ``total`` (largest remainders)."""
    floors = [int(x) for x in exact]
    order = sorted(range(len(exact)), key=lambda i: floors[i] - exact[i])
    for i in order[: max(0, total - sum(floors))]:
        floors[i] += 1
    return floors


def compile_scenario(scenario: Scenario, drawn: Mapping[str, float] | None = None) -> Network:
    """The network of a scenario, for given values of the unknowns (left out: the figures' own values).

    Raises
    ------
    InputError : values that cannot go together; the message names the scenario and the place.
    """
    try:
        document = Compiler(scenario, drawn or {}).document()
    except (ArithmeticError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        place = f"scenario {scenario.name}"
        raise InputError(place, f"figures that cannot go together ({error})", "figures within their ranges") from None
    return Network.from_dict(document, f"scenario {scenario.name}")
