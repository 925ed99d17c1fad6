"""The route of residents as a picture: stations taken together, and who moves from which to which in a year.

Shown are the residents whom the GP sends on, and what becomes of them; those whom the GP or the poh-ggz helps are a
number in the text, since there are ten times as many of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from flowsim.analysis.moves import OUTSIDE
from flowsim.present.app.charts import COLOURS, GREY
from flowsim.scenario.region import Region

if TYPE_CHECKING:
    import pandas as pd

NODES: Final = {
    "gp": (0.001, COLOURS["none"]),
    "returns": (0.001, GREY),
    "consultation": (0.3, COLOURS["diversion"]),
    "conversation": (0.3, COLOURS["diversion"]),
    "case_conference": (0.3, COLOURS["diversion"]),
    "basic": (0.64, COLOURS["headcount"]),
    "specialist": (0.64, COLOURS["headcount"]),
    "smi": (0.64, COLOURS["headcount"]),
    "social_domain": (0.64, COLOURS["capacity"]),
    "support_point": (0.64, COLOURS["capacity"]),
    "self_help": (0.64, COLOURS["capacity"]),
    "own": (0.64, COLOURS["capacity"]),
    "supra_regional": (0.64, GREY),
    "treated": (0.999, COLOURS["headcount"]),
    "later": (0.999, GREY),
    "gave_up": (0.999, COLOURS["net"]),
}
"""Node -> place from left to right, colour; words are ``app.route.node.<node>``."""
BEFORE: Final = ("gp", "returns", "consultation", "conversation", "case_conference")
TREATMENT: Final = ("basic", "specialist", "smi")
LEAST: Final = 1.0
"""Residents a year below which a flow is not drawn."""


@dataclass(frozen=True)
class Flows:
    """Links (from, to, residents a year) between `NODES`, and the residents whom the GP helps without sending on."""

    links: tuple[tuple[str, str, float], ...]
    at_gp: float

    def into(self, node: str) -> float:
        return sum(number for _, end, number in self.links if end == node)

    def out_of(self, node: str) -> float:
        return sum(number for start, _, number in self.links if start == node)


def node_of(station: str, region: Region) -> str:
    """The node that a station belongs to; empty for `OUTSIDE`."""
    for programme in region.programmes:
        if station == programme.name:
            return "smi" if programme.group == "smi" else programme.level
    named = {
        "gp": "gp",
        "gp_mental_health": "gp",
        "collegial_consultation": "consultation",
        "exploratory_conversation": "conversation",
        "case_conference": "case_conference",
        "between_episodes": "returns",
        OUTSIDE: "",
    }
    if station in named:
        return named[station]
    return next((node for node in ("social_domain", "support_point") if station.startswith(node)), station)


def yearly(moves: pd.DataFrame, group: int, region: Region) -> Flows:
    """The flows of one year (``group`` of `flowsim.analysis.moves`)."""
    found: dict[tuple[str, str], float] = {}
    at_gp = 0.0
    for row in moves[moves["group"] == group].to_dict("records"):
        start, end = node_of(row["origin"], region), node_of(row["destination"], region)
        number = float(row["residents"])
        if start in TREATMENT:
            after = "gave_up" if row["how"] == "gave_up" else "later" if end == "returns" else "treated"
            start, end = start, after
        elif start in BEFORE:
            if start == "gp" and end == "":
                at_gp += number
                continue
            end = end or "own"
            if start == end or end == "gp":
                continue
        else:
            continue
        found[start, end] = found.get((start, end), 0.0) + number
    links = tuple((start, end, number) for (start, end), number in found.items() if number >= LEAST)
    return Flows(links, at_gp)
