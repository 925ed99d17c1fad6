"""What the comparison with `naive` would notice: rules changed one at a time, in `naive` itself.

Each change is what a programmer might have understood differently. The changed `naive` is held against the right one by
the tests and at the level of test_naive.py (half as many replications; for `SUBTLE` ones as many), on a network that
gives the rule room.

    python tests/test_naive_power.py            in how many of ten comparisons with other seeds each is noticed

Ten of ten were, for every rule; so each is noticed with a probability of at least 74% (95% confidence, one-sided).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import naive
import pytest
from naive import Entry, Person, Place, Simulation
from naive_agreement import disagreements, table
from naive_networks import NETWORKS as PLAIN
from naive_reviews import NETWORKS as REVIEWED

pytestmark = pytest.mark.filterwarnings("ignore:Precision loss")

NETWORKS = PLAIN | REVIEWED
FAMILY = 1e-3
REPLICATIONS = 200
REPEATS = 10
RIGHT = {
    name: getattr(Simulation, name) for name in ("go", "take", "release", "stop_waiting", "become", "ways", "review")
}


def _void_leaves(self: Simulation, person: Person) -> None:
    ticket = person.ticket
    RIGHT["stop_waiting"](self, person)
    for place in self.places.values():
        if ticket in place.queue:
            place.queue.remove(ticket)


def _wait_anew(self: Simulation, person: Person, to: str, keeps_wait: bool = False) -> None:
    if keeps_wait:
        person.since = self.now
    RIGHT["go"](self, person, to, keeps_wait)


def _wait_goes_on(self: Simulation, person: Person, to: str, keeps_wait: bool = False) -> None:
    since = person.since
    RIGHT["go"](self, person, to, keeps_wait)
    if person.entry:
        person.since = since


def _at_the_end(self: Place, entry: Entry) -> None:
    self.queue.append(entry)


def _in_front_of_equals(self: Place, entry: Entry) -> None:
    behind = [i for i, other in enumerate(self.queue) if other.level >= entry.level]
    self.queue.insert(behind[0] if behind else len(self.queue), entry)


def _last_factor(self: Simulation, person: Person, ways: list[Any]) -> None:
    person.factor = 1.0
    RIGHT["take"](self, person, ways)


def _carries_always(self: Simulation, place: Place, number: int) -> None:
    if not place.closed:
        place.tokens += number
        self.fill(place)


def _never_carries(self: Simulation, place: Place, number: int) -> None:
    if not place.closed:
        place.tokens = number
        self.fill(place)


def _keeps_place(self: Simulation, person: Person, kind: str) -> None:
    place = person.place
    assert place is not None
    level = place.level
    place.level = lambda _: person.entry.level  # type: ignore[method-assign, union-attr]
    RIGHT["become"](self, person, kind)
    place.level = level  # type: ignore[method-assign]


def _free_review(self: Simulation, person: Person, clock: dict[str, Any]) -> None:
    desk = self.places[clock["review_at"]]
    tokens = desk.tokens
    RIGHT["review"](self, person, clock)
    desk.tokens = tokens


def _shortest_queue(self: Simulation, pool: dict[str, Any], kind: str, without: Place | None = None) -> Place:
    places = [self.places[name] for name in pool["stations"] if self.places[name] is not without]
    return min(places, key=lambda place: len(place.queue))


def _first_route(self: Simulation, place: Place, kind: str, on: str) -> list[Any]:
    now, self.now = self.now, 0.0
    try:
        return RIGHT["ways"](self, place, kind, on)  # type: ignore[no-any-return]
    finally:
        self.now = now


def _closed_serves_on(self: Simulation, rule: dict[str, Any]) -> None:
    """Nobody new, but those who wait stay."""
    watched = [self.places[name] for name in rule["stations"]]
    if rule["measure"] == "starts":
        total = sum(place.starts for place in watched)
    else:
        total = sum(not entry.ticket for place in watched for entry in place.queue)
    if total <= rule["at_most"] if "at_most" in rule else total >= rule["at_least"]:
        for place in (self.places[name] for name in rule["close"]):
            place.closed, place.limit = True, 0


def _own_servers(self: Simulation, place: Place, given: Any) -> None:
    pass


def _all_schedules(self: Simulation, place: Place, number: int, plan: int) -> None:
    if not place.closed:
        place.servers = number
        self.fill(place)


def _everybody(self: Simulation, person: Person) -> None:
    """Companions have clocks too."""
    person.clocks += 1
    for clock in person.place.given.get("while_waiting", []):  # type: ignore[union-attr]
        if person.kind in clock.get("classes", [person.kind]):
            self.wind(person, clock)


Rule = tuple[str, Any, str, Callable[..., Any]]
PLANTED: dict[str, Rule] = {
    "who comes from another station has waited since before": ("routes", Simulation, "go", _wait_goes_on),
    "priority makes no difference": ("changes", Place, "join", _at_the_end),
    "last come, first served": ("routes", Place, "join", _in_front_of_equals),
    "what is left of a quota is kept": ("quotas", Simulation, "release", _carries_always),
    "a new class keeps its place in the queue": ("changes", Simulation, "become", _keeps_place),
    "a review takes nothing from the quota": ("reviews", Simulation, "review", _free_review),
    "the shortest queue, whoever serves it": ("single lists", Simulation, "soonest", _shortest_queue),
    "routes stay as they were on the first day": ("routes", Simulation, "ways", _first_route),
    "a closed station goes on with its queue": ("closing", Simulation, "decide", _closed_serves_on),
    "a stop rule leaves servers as they are": ("other servers", Simulation, "give_other_servers", _own_servers),
    "the station's own schedule goes on beside it": ("other servers", Simulation, "change_servers", _all_schedules),
}
"""Rule -> network, class, method, what it is changed to."""
SUBTLE: dict[str, Rule] = {
    "a void place on a second list is taken away at once": ("quotas", Simulation, "stop_waiting", _void_leaves),
    "who is sent to another queue of the list waits anew": ("shares again", Simulation, "go", _wait_anew),
    "only the last service factor counts": ("routes", Simulation, "take", _last_factor),
    "what is left of a quota is lost": ("quotas", Simulation, "release", _never_carries),
}
"""The same, for changes that few outcomes show; only ``python tests/test_naive_power.py`` tries them."""


def by_naive(name: str, seed: int, replications: int) -> list[dict[str, float]]:
    return [naive.simulate(NETWORKS[name], seed * 100_000 + i) for i in range(replications)]


def noticed(what: str, seed: int, right: list[dict[str, float]]) -> int:
    """In how many outcomes the changed rule shows."""
    network, place, method, wrong = (PLANTED | SUBTLE)[what]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, method, wrong)
        changed = by_naive(network, seed, len(right))
    names = sorted({name for one in (*right, *changed) for name in one})
    return len(disagreements(names, table(right, names), table(changed, names), FAMILY / len(NETWORKS)))


@pytest.fixture(scope="module")
def right() -> dict[str, list[dict[str, float]]]:
    return {
        name: by_naive(name, 77, REPLICATIONS) for name in dict.fromkeys(network for network, *_ in PLANTED.values())
    }


@pytest.mark.parametrize("what", list(PLANTED))
def test_another_rule_is_noticed(what: str, right: dict[str, list[dict[str, float]]]) -> None:
    assert noticed(what, 78, right[PLANTED[what][0]]) > 0


def main() -> int:
    """Print how often each change is noticed; with half as many replications as test_naive.py, subtle ones with all."""
    for table_of, replications in ((PLANTED, REPLICATIONS), (SUBTLE, 2 * REPLICATIONS)):
        for what, (network, *_) in table_of.items():
            found = [noticed(what, 1000 + 2 * i, by_naive(network, 1001 + 2 * i, replications)) for i in range(REPEATS)]
            often, mean = sum(one > 0 for one in found), sum(found) / REPEATS
            print(f"{often} of {REPEATS}, in {mean:.0f} outcomes on average: {what} ({network})", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
