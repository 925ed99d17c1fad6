"""Arrivals, routes and decisions of a region: who comes, where the functions send them (model, section 4), who
returns."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np

from flowsim.scenario import flows, unknowns
from flowsim.scenario.baseline import YEAR, Number
from flowsim.scenario.frame import TOWARDS_GGZ, VISITOR, Frame
from flowsim.scenario.region import GROUPS


class Routes(Frame):
    """Writes arrivals, pools, routes and stop rules of the network document."""

    def routes(self) -> list[dict[str, Any]]:
        """All routes, from the GP onwards."""
        parts = (self.gp_routes, self.function_routes, self.ggz_routes, self.other_routes)
        return [route for part in parts for route in part()]

    def uncertain_routes(self) -> list[dict[str, Any]]:
        """The routes whose chances hang on the unknowns (a superset of them)."""
        everything = self.kinds
        if "assumptions.would_have_entered" not in unknowns.drawn(self.scenario):  # it is in what every function does
            self.kinds = (("light", "other"), ("multi_domain", "other"))
        try:
            return self.routes()
        finally:
            self.kinds = everything

    def arrivals(self) -> list[dict[str, Any]]:
        """Streams to the GP per municipality and kind, residents a day, by half-year."""
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

    def induced(self, day: float) -> Any:
        """Factor on multi-domain arrivals once conversations run: GPs send sooner (TP 6.3), as far as the ramp is."""
        date = self.region.date(day)
        if not self.has_functions or date < dt.date(int(self.value("functions.pilot_year")), 7, 1):
            return 1.0
        full = self.value("functions.conversations", int(self.value("functions.full_operation_year")))
        volume = flows.yearly_volume(self.scenario, self.value, "conversations", date.year)
        if full == 0.0:  # a scenario without conversations
            return 1.0
        return 1.0 + self.value("assumptions.induced_demand") * volume / full

    def pools(self) -> list[dict[str, Any]]:
        """Referral by the GP: by chance over a group's programmes, some with a second place; list management:
        soonest."""
        second = self.value("public.duplicates_share")
        pools: list[dict[str, Any]] = []
        for group in GROUPS:
            names = [one.name for one in self.region.programmes_of(group)]
            pools.append({"name": group, "stations": names, "rule": "shares", "second_list": second})
            pools.append({"name": f"{group}_soonest", "stations": names, "rule": "soonest"})
        return pools

    def away(self, m: str, share: Number) -> dict[str, Number]:
        """Where those go who do not go to ggz: the social domain, or their own network and self-help."""
        to = flows.away(self.value)
        return {
            f"social_domain_{m}": share * to["social_domain"],
            "self_help": share * to["self_help"],
            "exit": share * to["own_network"],
        }

    def gp_routes(self) -> list[dict[str, Any]]:
        """From the GP and the poh-ggz, by need: towards ggz, to lighter help, or home."""
        v = self.value
        routes: list[dict[str, Any]] = [{"from": "gp", "class": VISITOR, "to": {"exit": 1.0}}]
        for m in self.municipalities:
            for need, group in self.kinds:
                label = f"{m}/{need}/{group}"
                share = self.demand.referred.get((need, group), v("assumptions.referred_complex"))
                to: dict[str, Number]
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
                to["exit"] = np.maximum(0.0, 1.0 - sum(to.values()))
                if need != "smi" and group != "eating":
                    routes += self.diverted("gp", label, m, to)
                    if need == "light":
                        routes += self.diverted("gp_mental_health", label, m, later)[1:]
                else:
                    routes.append({"from": "gp", "class": label, "to": to})
        return routes

    def diverted(self, station: str, label: str, m: str, to: dict[str, Number]) -> list[dict[str, Any]]:
        """The route, and in a top-down scenario the routes of later years, with a share of the referred diverted."""
        routes: list[dict[str, Any]] = [{"from": station, "class": label, "to": to}]
        if self.scenario.settings["network"] != "diversion":
            return routes
        for year in self.years[1:]:
            share = flows.diverted_share(self.scenario, self.value, self.base, year) * to[TOWARDS_GGZ]
            changed = {**to, TOWARDS_GGZ: to[TOWARDS_GGZ] - share}
            for name, part in self.away(m, share).items():
                changed[name] = changed.get(name, 0.0) + part
            start = self.region.day(dt.date(year, 1, 1))
            later: dict[str, Any] = {"from": station, "class": label, "start": start, "to": changed}
            routes.append(later)
        return routes

    def function_routes(self) -> list[dict[str, Any]]:
        """After a function, and past it when its volume is used up; pre-selection: a clear need skips the
        conversation."""
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

    def ggz(self, need: str, group: str) -> dict[str, Number]:
        """The waiting list, or lists, to which somebody is referred."""
        if need == "light":
            return {"light": 1.0}
        if need == "multi_domain" and group == "other":
            return {"light": self.demand.basic_share, "other": 1.0 - self.demand.basic_share}
        return {group: 1.0}

    def outcome(self, m: str, function: str, onward: dict[str, Number]) -> list[dict[str, Any]]:
        """What a function leads to: out of ggz, on with what is left of the treatment, or on as before."""
        effect = flows.effects(self.scenario, self.value, function)
        rest_of_it = 1.0 - self.value("business_case.shortened_saving")
        ways = [{"to": name, "probability": part} for name, part in self.away(m, effect.away).items()]
        if np.any(effect.shorter > 0.0):
            ways += [
                {"to": name, "probability": part * effect.shorter, "service_factor": rest_of_it}
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
                open_by_then = self.scenario.settings["network"] != "none" and year > int(v("functions.pilot_year"))
                users = v("functions.support_point_users", year) if open_by_then else 0.0
                back = share * (1.0 - prevented * np.minimum(1.0, users / completions))
                start = self.region.day(dt.date(year, 1, 1))
                routes.append(self.after_treatment(one.name, None, "between_episodes", back, start))
                for label in self.classes_of("urgent"):
                    calm = label.replace("urgent", "complex")
                    routes.append(self.after_treatment(one.name, label, f"between_episodes:{calm}", back, start))
        return routes

    def after_treatment(self, station: str, label: str | None, to: str, back: Number, start: float) -> dict[str, Any]:
        route: dict[str, Any] = {"from": station, "start": start, "to": {to: back, "exit": 1.0 - back}}
        return route if label is None else {**route, "class": label}

    def other_routes(self) -> list[dict[str, Any]]:
        """Reviews by list management, returns, and those whom the social domain could not see in time."""
        lighter = 1.0 - self.value("functions.transfers_lighter") * self.value("assumptions.would_have_entered")
        desk = "waiting_list_management"
        routes: list[dict[str, Any]] = [
            {"from": desk, "on": "review", "to": {"stay": 1.0}},
            {"from": "between_episodes", "to": {TOWARDS_GGZ: 1.0}},
        ]
        if self.may_stop:
            routes.insert(0, {"from": desk, "on": "full", "to": {"exit": 1.0}})
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

    @property
    def may_stop(self) -> bool:
        """Whether the functions may close before the end."""
        return bool(self.scenario.settings["stop_policy"]) and self.has_functions

    def stop_rules(self) -> list[dict[str, Any]]:
        """The plan's decision at the end of the pilot year (TP 5.1), when a scenario switches it on: the functions
        close, and the places that they took from treatment are treatment places again."""
        if not self.may_stop:
            return []
        threshold = self.value("assumptions.stop_at_share") * self.base.waiting
        names = [one.name for one in self.base.programmes]
        rule: dict[str, Any] = {
            "at": self.region.day(dt.date(int(self.value("functions.pilot_year")), 12, 31)),
            "stations": names,
            "measure": "waiting",
            "at_least": threshold,
            "close": [TOWARDS_GGZ, "exploratory_conversation", "case_conference", "waiting_list_management"],
        }
        if flows.takes_places(self.scenario):
            rule["servers"] = dict(zip(names, self.places(stopped=True), strict=True))
        return [rule]
