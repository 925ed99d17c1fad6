"""What is read off a simulated future, in plain Python: waits by month, the numbers of a year, the day of clearing.

From outcomes by name, as `naive` and `naive_agreement.named` give them, and the network document; by docs/model.md,
sections 1 and 8, and nothing of flowsim.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from itertools import pairwise
from typing import Any

Document = dict[str, Any]
Found = dict[str, float]
START = dt.date(2025, 1, 1)
YEARS = (2025, 2026, 2027, 2028, 2029)
LAST_BIN = 255
REACHED = {
    "consultations": ("starts", "collegial_consultation"),
    "conversations": ("starts", "exploratory_conversation"),
    "case_conferences": ("starts", "case_conference"),
    "transfers": ("reviewed", "waiting_list_management"),
    "social_domain": ("starts", "social_domain_"),
    "support_point_users": ("starts", "support_point_"),
    "self_help": ("starts", "self_help"),
    "gp_consults": ("starts", "gp"),
    "crisis": ("starts", "crisis"),
    "returns": ("completions", "between_episodes"),
}
"""How residents are counted whom a function or place reaches: what happens, at stations whose names begin so."""


def listed(document: Document, waiting_list: str = "ggz") -> list[str]:
    """The stations of a waiting list."""
    return [one["name"] for one in document["stations"] if one.get("waiting_list") == waiting_list]


def quantile(bins: dict[int, float], width: float, share: float) -> float:
    """A quantile of numbers in bins, as if spread evenly in each; nan for nobody, inf in the last bin, an open one."""
    wanted, passed = share * sum(bins.values()), 0.0
    if wanted == 0:
        return float("nan")
    for b in sorted(bins):
        if passed + bins[b] >= wanted:
            return float("inf") if b == LAST_BIN else width * (b + (wanted - passed) / bins[b])
        passed += bins[b]
    raise AssertionError


def waits(found: Found, waiting_list: str = "ggz") -> dict[int, dict[int, float]]:
    """Numbers started, by month and by bin of the wait."""
    bins: defaultdict[int, dict[int, float]] = defaultdict(dict)
    begin = f"{waiting_list} started after "
    for name, number in found.items():
        if name.startswith(begin):
            b, _, month = name.removeprefix(begin).partition(" in period ")
            bins[int(month)][int(b)] = number
    return bins


def total(found: Found, what: str, stations: list[str], months: range) -> float:
    return sum(found.get(f"{one} {what} in period {m}", 0.0) for one in stations for m in months)


def by_month(document: Document, found: Found) -> Found:
    """Mean and 90th percentile of the wait of those who start in a month, days."""
    made, bins, lists = {}, waits(found), listed(document)
    for m in range(len(document["periods"]) - 1):
        starts = total(found, "starts", lists, range(m, m + 1))
        if starts:
            made[f"ggz mean_wait in period {m}"] = total(found, "wait", lists, range(m, m + 1)) / starts
            made[f"ggz wait_90 in period {m}"] = quantile(bins[m], document["wait_bin"], 0.9)
    return made


def used(document: Document, found: Found) -> Found:
    """Part of the server time of each station that is in use, where the number of servers has a limit."""
    made = {}
    for one in document["stations"]:
        steps = one["servers"] if isinstance(one["servers"], list) else [(0.0, one["servers"])]
        if one["servers"] == "inf":
            continue
        ends = [*(time for time, _ in steps[1:]), document["horizon"]]
        hours = sum(number * (end - time) for (time, number), end in zip(steps, ends, strict=True))
        served = sum(found.get(f"{one['name']}/{kind} service_time", 0.0) for kind in document["classes"])
        if hours:
            made[f"{one['name']} utilisation"] = served / hours
    return made


def servers(document: Document, names: list[str], day: float) -> float:
    """Servers of some stations on a day, where no stop rule holds."""
    found = 0.0
    for one in document["stations"]:
        steps = one["servers"] if isinstance(one["servers"], list) else [(0.0, one["servers"])]
        if one["name"] in names:
            found += [number for time, number in steps if time <= day][-1]
    return found


def by_queue(
    document: Document, found: Found, hours: tuple[float, float], expected: bool = False
) -> dict[tuple[str, str, int], float]:
    """Each queue of ggz in each of 60 months: (measure, station, month). ``hours``: of treatment in a year like the
    first day, for severe mental illness and for others; ``expected``: see `late`."""
    made: dict[tuple[str, str, int], float] = {}
    every = document["snapshot_every"]
    edges = [float((dt.date(2025 + m // 12, m % 12 + 1, 1) - START).days) for m in range(61)]
    for one in listed(document):
        waiting, served = (weekly(document, found, what, [one]) for what in ("waiting", "in_service"))
        overdue = late(document, found, expected, [one])
        for m in range(60):
            month, end = range(m, m + 1), round(edges[m + 1] / every)
            starts = total(found, "starts", [one], month)
            looks = [j for j in range(len(served)) if edges[m] < j * every <= edges[m + 1]]
            half_year = range(max(0, m - 5), m + 1)
            recent = total(found, "starts", [one], half_year)
            made |= {
                ("waiting", one, m): waiting[end],
                ("overdue", one, m): overdue[end],
                ("referred", one, m): sum(total(found, what, [one], month) for what in ("arrivals", "transferred")),
                ("starts", one, m): starts,
                ("reneged", one, m): total(found, "reneged", [one], month),
                ("completions", one, m): total(found, "completions", [one], month),
                ("mean_wait", one, m): total(found, "wait", [one], month) / starts if starts else float("nan"),
                ("expected_wait", one, m): waiting[end] * (edges[m + 1] - edges[half_year[0]]) / recent
                if recent
                else float("nan" if waiting[end] else 0.0),
                ("utilisation", one, m): sum(served[j] for j in looks)
                / sum(servers(document, [one], j * every) for j in looks),
                ("treatment_hours", one, m): sum(served[j] for j in looks)
                / len(looks)
                * (edges[m + 1] - edges[m])
                * a_day(document, found, one, hours),
            }
    return made


def a_day(document: Document, found: Found, station: str, hours: tuple[float, float]) -> float:
    """Hours of treatment a day of one person in treatment at a station: so much per person as on the first day, in the
    programmes of its kind."""
    severe = station.startswith("smi_")
    alike = [one for one in listed(document) if one.startswith("smi_") == severe]
    return (hours[0] if severe else hours[1]) / 365.25 / weekly(document, found, "in_service", alike)[0]


def bridging(document: Document, found: Found, year: int) -> float:
    """Consults at the GP of people who wait, in a year: those of the whole run, as many for every day of waiting."""
    every = document["snapshot_every"]
    waiting = weekly(document, found, "waiting", listed(document))
    edges = [float((dt.date(2025 + m // 12, m % 12 + 1, 1) - START).days) for m in range(61)]
    days: list[float] = []
    for begin, end in pairwise(edges):
        looks = [number for j, number in enumerate(waiting) if begin < j * every <= end]
        days.append(sum(looks) / len(looks) * (end - begin))
    last = max(j for j in range(len(waiting)) if j * every <= edges[-1])
    whole = sum(days) + every * sum(waiting[last + 1 :])
    return found["gp/visitor starts"] * sum(days[12 * (year - 2025) : 12 * (year - 2024)]) / whole


def weekly(document: Document, found: Found, what: str, stations: list[str]) -> list[float]:
    """Snapshots, added up over stations."""
    count, every = int(document["horizon"] / document["snapshot_every"] + 1e-9), document["snapshot_every"]
    return [sum(found[f"{one} {what} at {j * every:g}"] for one in stations) for j in range(count + 1)]


def begin_of(year: int) -> float:
    """The day on which a year begins."""
    return float((dt.date(year, 1, 1) - START).days)


def by_year(
    document: Document, found: Found, users_at: list[str], hours: tuple[float, float], expected: bool = False
) -> dict[str, list[float]]:
    """The measures of a year; ``users_at``: municipalities whose support point is new; ``hours``: see `by_queue`;
    ``expected``: see `late`."""
    lists, bins = listed(document), waits(found)
    names = [one["name"] for one in document["stations"]]
    made: defaultdict[str, list[float]] = defaultdict(list)
    waiting, treated = (weekly(document, found, one, lists) for one in ("waiting", "in_service"))
    overdue = late(document, found, expected)
    queues = by_queue(document, found, hours, expected)
    for y, year in enumerate(YEARS):
        months, second_half = range(12 * y, 12 * y + 12), range(12 * y + 6, 12 * y + 12)
        begin, end = (round((dt.date(one, 1, 1) - START).days / document["snapshot_every"]) for one in (year, year + 1))
        starts = total(found, "starts", lists, months)
        in_year: defaultdict[int, float] = defaultdict(float)
        for m in months:
            for b, number in bins.get(m, {}).items():
                in_year[b] += number
        made["waiting"].append(waiting[end])
        made["overdue"].append(overdue[end])
        made["mean_wait"].append(total(found, "wait", lists, months) / max(starts, 1))
        made["wait_90"].append(quantile(in_year, document["wait_bin"], 0.9))
        made["expected_wait"].append(waiting[end] / max(total(found, "starts", lists, second_half), 1) * 184)
        made["clients"].append(treated[begin] + starts)
        made["referred"].append(total(found, "arrivals", lists, months))
        for what in ("starts", "reneged", "completions"):
            made[what].append(total(found, what, lists, months))
        looks = [j * 7.0 for j in range(1, len(treated)) if begin_of(year) < j * 7.0 <= begin_of(year + 1)]
        in_use = sum(treated[round(day / 7.0)] for day in looks)
        made["utilisation"].append(in_use / sum(servers(document, lists, day) for day in looks))
        made["treatment_hours"].append(sum(queues["treatment_hours", one, m] for one in lists for m in months))
        made["bridging_consults"].append(bridging(document, found, year))
        for name, (what, place) in REACHED.items():
            at = [one for one in names if one == place or (place.endswith("_") and one.startswith(place))]
            if place == "support_point_":
                at = [place + town for town in users_at]
            made[name].append(total(found, what, at, months))
    return dict(made)


def late(document: Document, found: Found, expected: bool, lists: list[str] | None = None) -> list[float]:
    """Overdue at each snapshot; ``expected``: all on a list where who joins now must expect to be overdue; ``lists``:
    of these stations."""
    lists, edges = lists or listed(document), document["periods"]
    if not expected:
        return weekly(document, found, "overdue", lists)
    overdue: list[float] = []
    for one in lists:
        for j, waiting in enumerate(weekly(document, found, "waiting", [one])):
            over = sum(edge <= j * document["snapshot_every"] for edge in edges) - 1  # months
            over = min(max(over, 3), len(edges) - 1)
            a_day = total(found, "starts", [one], range(over - 3, over)) / (edges[over] - edges[over - 3])
            overdue += [0.0] * (j == len(overdue))
            overdue[j] += waiting if waiting > document["waiting_norm"] * a_day else 0.0
    return overdue


def cleared(document: Document, found: Found, share: float, weeks: int, expected: bool = False) -> float:
    """The first day from which so few are overdue, for so many weeks on end; inf for never."""
    overdue = late(document, found, expected)
    for j in range(len(overdue) - weeks):
        if all(number <= share * overdue[0] for number in overdue[j : j + weeks + 1]):
            return j * float(document["snapshot_every"])
    return float("inf")
