"""The stations of a region (model, section 3), who is there on the first day, and what happens to those who wait."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import Any, Final

import numpy as np

from flowsim.errors import InputError
from flowsim.scenario import flows
from flowsim.scenario.baseline import YEAR, Number
from flowsim.scenario.flows import DIAGNOSES, WORSE
from flowsim.scenario.frame import MONTH, TOWARDS_GGZ, VISITOR, Frame, exponential, lognormal, rounded
from flowsim.scenario.region import GROUPS

NEVER: Final = 1e12
"""Days until what does not happen: the clock stays, so that every future of a scenario has the same clocks."""


class Stations(Frame):
    """Writes the stations of the network document, in the order in which residents meet them."""

    def stations(self) -> list[dict[str, Any]]:
        """All stations, in the order in which residents meet them."""
        parts = (self.primary_care, self.functions, self.programmes, self.social_domain, self.elsewhere)
        return [station for part in parts for station in part()]

    def uncertain_stations(self) -> list[dict[str, Any]]:
        """The stations whose numbers hang on the unknowns, in the same order."""
        return [*self.primary_care(), *self.programmes(), *self.social_domain(), self.between_episodes()]

    def above_zero(self, key: str) -> Any:
        """The value of a figure that something is divided by."""
        value = self.value(key)
        if (np.asarray(value) <= 0.0).any():
            place = f"scenario {self.scenario.name}: figures.{key}"
            least = float(np.min(value))
            raise InputError(place, f"{least:g}", "a number above 0", "scenario.above", value=least, least=0.0)
        return value

    def primary_care(self) -> list[dict[str, Any]]:
        """The GP and the poh-ggz, with servers for the busiest year of the run at the utilisation that is assumed."""
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
                "servers": rounded(
                    seen / YEAR * turnaround / self.above_zero("assumptions.gp_utilisation") * np.maximum.reduce(grown)
                )
                + 1,
                "service": exponential(turnaround),
            },
            {
                "name": "gp_mental_health",
                "servers": rounded(
                    places / self.above_zero("assumptions.gp_mental_health_utilisation") * np.maximum.reduce(grown)
                )
                + 1,
                "service": exponential(length),
                "initial": {"in_service": self.spread(places, self.classes_of("light"))},
            },
        ]

    def functions(self) -> list[dict[str, Any]]:
        """The functions of the network: no limit to servers, a quota of cases a week."""
        v = self.value
        quotas = {f: flows.weekly_quota(self.scenario, v, self.region, f, self.horizon) for f in flows.FUNCTIONS}
        talks = any(tokens for _, tokens in quotas["conversations"])
        shared = {"servers": "inf", "quota_carries": True, "service": exponential(v("assumptions.conversation_time"))}
        return [
            {**shared, "name": TOWARDS_GGZ, "quota": quotas["consultations"], "queue_limit": 0},
            {
                **shared,
                "name": "exploratory_conversation",
                "quota": quotas["conversations"],
                "queue_limit": round(v("assumptions.conversation_queue")) if talks else 0,
            },
            {**shared, "name": "case_conference", "quota": quotas["case_conferences"], "queue_limit": 0},
            {
                **shared,
                "name": "waiting_list_management",
                "quota": quotas["transfers"],
                "removes_second_place": v("assumptions.removes_second_place"),
            },
        ]

    def programmes(self) -> list[dict[str, Any]]:
        """One queue per programme, in balance on the first day; places follow the scenario's capacity."""
        return [self.programme(i, servers) for i, servers in enumerate(self.places())]

    def programme(self, i: int, servers: list[tuple[float, Any]]) -> dict[str, Any]:
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
            "service": exponential(length) if np.all(np.equal(cv, 1.0)) else lognormal(length, cv),
            "uses_service_factor": True,
            "waiting_list": "ggz",
            "initial": {
                "in_service": self.mix(servers[0][1], one.group),
                "waiting": self.mix(rounded(one.waiting), one.group),
                "age": {"distribution": "empirical", "values": self.base.ages[one.name]},
            },
            "while_waiting": self.clocks,
            "on_renege": {
                "gp": v("assumptions.renege_to_gp"),
                "self_help": v("assumptions.renege_to_self_help"),
                "exit": 1.0 - v("assumptions.renege_to_gp") - v("assumptions.renege_to_self_help"),
            },
        }

    @cached_property
    def clocks(self) -> list[dict[str, Any]]:
        """What happens to people who wait (model, section 5); list management comes last."""
        v = self.value
        bridging = v("public.bridging_consults") * v("public.bridging_share")
        clocks: list[dict[str, Any]] = [
            {
                "after": exponential(MONTH / np.maximum(bridging, MONTH / NEVER)),
                "repeats": True,
                "visit": f"gp:{VISITOR}",
            }
        ]
        if v("assumptions.self_help_while_waiting") > 0.0:
            often = MONTH / v("assumptions.self_help_while_waiting")
            clocks.append({"after": exponential(often), "repeats": True, "visit": f"self_help:{VISITOR}"})
        rate = v("assumptions.worsening")
        after = exponential(MONTH / np.maximum(rate, MONTH / NEVER))
        for m in self.municipalities:
            for need, worse in WORSE.items():
                for group in DIAGNOSES if need != "light" else ("other",):
                    clock = {"classes": [f"{m}/{need}/{group}"], "after": after, "become": f"{m}/{worse}/{group}"}
                    clocks.append(clock | ({"visit": f"crisis:{VISITOR}"} if worse == "urgent" else {}))
        review = {"after": exponential(v("assumptions.review_delay")), "review_at": "waiting_list_management"}
        clocks.append(review | {"classes": self.classes_of("light", "multi_domain", "complex", "urgent", "smi")})
        return clocks

    def social_domain(self) -> list[dict[str, Any]]:
        """The social domain of each municipality: without a limit, or with places (`social_domain_places`)."""
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
                "initial": {"in_service": {f"{m}/light/other": rounded(present)}},
            }
            if self.scenario.settings["social_domain"] == "limited":
                station["servers"] = self.social_domain_places(present, self.shares[m])
                station["patience"] = exponential(v("assumptions.social_domain_patience"))
                station["on_renege"] = {"gp": 1.0}
            stations.append(station)
        return stations

    def social_domain_places(self, present: Number, share: float) -> list[tuple[float, Any]]:
        """Places that serve those who came already, and those whom the plan's extra staff can serve."""
        v = self.value
        extra = v("impact.extra_fte_substitution") * v("impact.residents_per_fte") * share
        network = self.scenario.settings["network"] != "none"
        ramp = {year: flows.ramp(v, year) if network else 0.0 for year in self.years}
        stay = v("public.welfare_duration") / 12.0
        room = 1.0 / v("assumptions.gp_mental_health_utilisation")
        return [
            (self.region.day(dt.date(year, 1, 1)), rounded((present + extra * ramp[year] * stay) * room))
            for year in self.years
        ]

    def elsewhere(self) -> list[dict[str, Any]]:
        """Where nobody waits: crisis, self-help, support points, outside the region, between two treatments."""
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
        present: dict[str, Any] = {}
        for group in GROUPS:  # who will return is away for half of the longest delay on average
            share = v("public.smi_return") if group == "smi" else v("assumptions.return_share")
            away = self.base.starts[group] * share * v("assumptions.return_delay_years") / 2.0
            for name, number in self.mix(rounded(away), group).items():
                present[name] = present.get(name, 0) + number
        delay = {"distribution": "uniform", "low": 0.0, "high": v("assumptions.return_delay_years") * YEAR}
        return {"name": "between_episodes", "servers": "inf", "service": delay, "initial": {"in_service": present}}

    def support_points(self) -> list[dict[str, Any]]:
        """A support point per municipality; the new ones share the plan's users a year, by months."""
        quotas = self.support_quotas()
        stations = []
        for one in self.region.municipalities:
            station: dict[str, Any] = {
                "name": f"support_point_{one.code}",
                "servers": "inf",
                "service": exponential(self.value("assumptions.support_point_duration")),
                "queue_limit": 0,
                "on_full": {"exit": 1.0},
            }
            if one.code in quotas:
                station |= {"quota": quotas[one.code], "quota_carries": True}
            stations.append(station)
        return stations

    def support_quotas(self) -> dict[str, list[tuple[float, int]]]:
        """Users of each new support point by month: the plan's number a year over those that are open, in whole
        people."""
        opens = {one.code: one.support_point_opens for one in self.region.municipalities if one.support_point_opens}
        exact, given = dict.fromkeys(opens, 0.0), dict.fromkeys(opens, 0)
        quotas: dict[str, list[tuple[float, int]]] = {code: [] for code in opens}
        for day in self.months()[:-1]:
            date = self.region.date(day)
            runs = self.scenario.settings["network"] != "none" and date.year > int(self.value("functions.pilot_year"))
            open_now = [code for code, since in opens.items() if since <= date and runs]
            before = dict(given)
            for code in open_now:
                users = self.value("functions.support_point_users", date.year)
                exact[code] += users / 12.0 / len(open_now)
            for _ in range(round(sum(exact.values())) - sum(given.values())):
                given[max(opens, key=lambda code: exact[code] - given[code])] += 1
            for code in opens:
                quotas[code].append((day, given[code] - before[code]))
            if runs and not opens and self.value("functions.support_point_users", date.year) > 0.0:
                place = f"region {self.region.name}: functions.support_point_users"
                expected = "a municipality with a date in support_point_opens"
                raise InputError(place, f"users in {date.year}", expected, "scenario.support_points")
        return quotas
