"""Amstelland's figures, and the balance of its first day, in the plainest Python there is: a part of `naive_region`.

It reads the TOML files of the region as they lie there and docs/model.md, and nothing of flowsim. Where flowsim
integrates with clever points and solves with a library, this adds up hundreds of slices and halves an interval.
"""

from __future__ import annotations

import datetime as dt
import math
import tomllib
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

    def __init__(self, **changes: float | dict[str, float]) -> None:
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
