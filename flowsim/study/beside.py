"""Other scenarios in the futures of an answer: what a comparison needs, and no more than that."""

from __future__ import annotations

from collections.abc import Sequence

from flowsim.analysis import verdict
from flowsim.errors import InputError
from flowsim.scenario.load import Scenario
from flowsim.study.answer import Answer, cases_of
from flowsim.study.futures import Balances, Case
from flowsim.study.replicate import check_progress
from flowsim.study.together import Progress


def leading_case(scenario: Scenario) -> tuple[str, Scenario]:
    """The case that a scenario is judged by: its own reading, or the only one that it has."""
    cases = cases_of(scenario)
    name = verdict.leading(list(cases), scenario.settings)
    return name, cases[name]


def check_regions(first: Scenario, others: Sequence[Scenario]) -> None:
    """InputError for a scenario of another region than the first."""
    for one in others:
        if one.region != first.region:
            raise InputError(f"scenario {one.name}", f"region {one.region!r}", f"{first.region!r}, as the first has")


def in_the_same_futures(
    first: Answer, scenarios: Sequence[Scenario], threads: int | None = None, progress: Progress | None = None
) -> list[Answer]:
    """The leading case of each scenario, in the futures that the leading case of ``first`` has.

    Parameters
    ----------
    first : an answer; its seed and its number of futures are used.
    progress : called with the number and title of the scenario, the futures done and the futures expected.

    Returns
    -------
    An answer with a single case for each scenario. Interrupted: those that were finished; ``first`` is then marked as
    interrupted.

    Raises
    ------
    InputError : a scenario of another region.
    """
    check_regions(first.scenario, scenarios)
    check_progress(progress)
    count = len(first.cases[verdict.leading(list(first.cases), first.scenario.settings)].futures)
    balances = Balances(first.seed)
    made: list[Answer] = []
    for number, scenario in enumerate(scenarios, 2):
        name, one = leading_case(scenario)
        case = Case(name, one)
        label = f"{number}. {scenario.title}"

        def show(done: int, label: str = label) -> None:
            if progress is not None:
                progress(label, done, count)

        try:
            case.extend(count, first.seed, balances, threads, show)
        except KeyboardInterrupt:
            first.interrupted = True
            break
        made.append(Answer(scenario, first.seed, first.half_width, {name: case}, curve_asked=False, most=count))
    return made
