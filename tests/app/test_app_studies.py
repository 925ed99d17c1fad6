"""What the app simulates: the same futures, shared runs, and a cancel that stops between replications."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import numpy as np
import pytest

from flowsim.analysis.moves import HOWS, OUTSIDE, mean_moves, moves
from flowsim.model.network import Network
from flowsim.plan.years import YEARS
from flowsim.present.app import studies
from flowsim.present.app.drafts import Draft, plan_draft
from flowsim.present.app.flows import NODES, TREATMENT, yearly
from flowsim.present.app.jobs import Desk, Job
from flowsim.present.app.levers import BY_NAME
from flowsim.present.app.queues import PARTS
from flowsim.present.app.state import House, Visit
from flowsim.present.app.studies import Compared, Runs, compare_work, twin, twin_key
from flowsim.present.first_day import first_day
from flowsim.scenario.load import Scenario, default
from flowsim.scenario.region import load_region
from flowsim.study.futures import Balances, Case
from flowsim.study.replicate import simulate

FEW = 6


def drafts(*turned: tuple[str, float | str]) -> list[Draft]:
    return [plan_draft("nl"), *(plan_draft("nl").turned(BY_NAME[name], value, "nl") for name, value in turned)]


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(studies.FUTURES_SETTING, str(FEW))


def run(house: House, made: list[Draft]) -> Compared:
    visit = Visit("nl", drafts=made)
    job = visit.compare(house)
    assert job is not None
    assert job.ended.wait(120)
    assert job.state == "done", job.fault
    found = visit.result
    assert found is not None
    return found


def test_milestones_end_at_what_was_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for asked, expected in {"12": (12,), "48": (32, 48), "96": (32, 64, 96), "200": (32, 64, 128, 200)}.items():
        monkeypatch.setenv(studies.FUTURES_SETTING, asked)
        assert studies.milestones() == expected


def test_scenarios_with_one_key_have_the_same_run_without_a_network() -> None:
    plan, more, later, growth = (
        draft.scenario() for draft in drafts(("conversations", 1200.0), ("start", 1.0), ("demand_growth", 0.03))
    )
    assert twin_key(plan) == twin_key(more) == twin_key(later) != twin_key(growth)
    waiting = []
    for scenario in (plan, more, later, growth):
        case = Case("none", twin(scenario))
        case.extend(1, studies.SEED, Balances(studies.SEED), 1)
        waiting.append(case.futures[0].waiting)
    assert np.array_equal(waiting[0], waiting[1])
    assert np.array_equal(waiting[0], waiting[2])
    assert not np.array_equal(waiting[0], waiting[3])


def test_a_comparison_is_what_the_study_gives_by_itself(house: House, few: None) -> None:
    found = run(house, drafts(("staff_growth", 0.02)))
    assert found.futures == FEW
    case = Case("mine", drafts(("staff_growth", 0.02))[1].scenario())
    case.extend(FEW, studies.SEED, Balances(studies.SEED), 1)
    for mine, theirs in zip(case.futures, found.case(1).futures, strict=True):
        assert np.array_equal(mine.waiting, theirs.waiting)
    gaps = [a.by_programme[-1, :, 0].sum() * 1.0 for a in found.case(1).futures]
    gaps = np.array(gaps) - np.array([float(a.by_programme[-1, :, 0].sum()) for a in found.case(0).futures])
    assert found.difference(1, "waiting").value == pytest.approx(gaps.mean())
    assert found.difference(1, "waiting").low < found.difference(1, "waiting").value
    assert found.difference(0, "waiting").value == 0.0


def test_the_plan_is_not_run_again(house: House, few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[str] = []
    extending = Case.extending

    def counted(self: Case, *given: Any, **more: Any) -> Generator[int, None, None]:
        ran.append(self.name)
        return extending(self, *given, **more)

    monkeypatch.setattr(Case, "extending", counted)
    run(house, drafts())
    assert ran == []
    run(house, drafts(("conversations", 1000.0)))  # its run without a network is the plan's
    assert ran == ["case"]


def test_a_scenario_without_a_network_can_be_compared(house: House, few: None) -> None:
    found = run(house, drafts(("network", "none")))
    assert found.name(1) == "none"
    assert len(found.tables[1]["targets"]) == 0
    assert found.difference(1, "overdue").value > 0.0


def test_cancel_stops_between_replications(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(studies.FUTURES_SETTING, "4000")
    scenarios = [draft.scenario() for draft in drafts(("staff_growth", 0.01))]
    kept: list[Runs] = []
    desk = Desk()
    try:
        job = desk.submit(compare_work(scenarios, house.runs, kept.append))
        while job.done < 2 * FEW + 1:
            assert not job.over, job.fault
            job.ended.wait(0.01)
        job.cancel()
        assert job.ended.wait(20)
        done = job.done
        assert job.state == "cancelled"
        assert job.result is None
        assert done < 200
        assert job.ended.wait(0.3)
        assert job.done == done
    finally:
        desk.close()


def test_visitors_share_the_plan_and_nothing_else(house: House, few: None) -> None:
    one, other = Visit("nl"), Visit("nl")
    one.drafts = drafts(("staff_growth", -0.01))
    job = one.compare(house)
    assert job is not None
    assert job.ended.wait(120)
    assert other.drafts != one.drafts
    assert one.drafts[1].scenario().hash in one.known.cases
    assert one.drafts[1].scenario().hash not in {**house.runs.cases, **other.known.cases}


def test_a_change_stops_the_run_before_it(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(studies.FUTURES_SETTING, "4000")
    visit = Visit("nl", drafts=drafts(("staff_growth", 0.01)))
    first = visit.compare(house)
    assert visit.compare(house) is first
    visit.replace(visit.drafts[1].turned(BY_NAME["staff_growth"], 0.015, "nl"))
    second = visit.compare(house)
    assert second is not first
    assert first is not None
    assert first.ended.wait(20)
    assert first.state == "cancelled"
    visit.stop()
    assert second is not None
    assert second.ended.wait(20)
    assert visit.compare(house) is second  # stopped stays stopped until something changes
    third = visit.compare(house, again=True)
    assert third is not second
    visit.stop()
    assert third is not None
    assert third.ended.wait(20)


def test_a_full_desk_says_so(few: None) -> None:
    class NoRoom(Desk):
        def submit(self, *_: object, **__: object) -> Job:
            raise studies_full

    from flowsim.present.app.jobs import Full

    studies_full = Full()
    visit = Visit("nl")
    assert visit.compare(House(NoRoom())) is None
    assert visit.full


# ---------------------------------------------------------------- the route


def test_moves_are_counted_from_the_log() -> None:
    document = {
        "horizon": 10.0,
        "periods": [0.0, 5.0, 10.0],
        "classes": ["a"],
        "stations": [
            {"name": "desk", "servers": 1, "service": {"distribution": "deterministic", "mean": 0.1}},
            {
                "name": "full",
                "servers": 1,
                "queue_limit": 0,
                "service": {"distribution": "deterministic", "mean": 100.0},
                "on_full": {"ward": 1.0},
            },
            {"name": "ward", "servers": "inf", "service": {"distribution": "deterministic", "mean": 0.1}},
        ],
        "arrivals": [{"class": "a", "station": "desk", "rate": 3.0}],
        "routes": [{"from": "desk", "to": {"full": 1.0}}, {"from": "ward", "to": {"exit": 1.0}}],
    }
    network = Network.from_dict(document)
    output = simulate(network, 2, 1, log=True)
    assert output.logs is not None
    tables = [moves(network, log) for log in output.logs]
    mean = mean_moves(tables)
    stations = output.stations.groupby("station")[["arrivals", "starts"]].sum()
    total = mean.groupby(["origin", "destination"])["residents"].sum() * 2
    assert total[OUTSIDE, "desk"] == stations.loc["desk", "arrivals"]
    assert total["desk", "full"] == stations.loc["full", "starts"] == 2  # one a replication: it is full ever after
    assert total["desk", "ward"] == stations.loc["ward", "arrivals"]
    assert ("full", "ward") not in total.index  # passing by is no move
    assert set(mean["how"]) <= set(HOWS)
    assert set(mean["group"]) == {0, 1}


def test_giving_up_is_told_from_being_served() -> None:
    station = {
        "name": "clinic",
        "servers": 1,
        "service": {"distribution": "deterministic", "mean": 50.0},
        "patience": {"distribution": "deterministic", "mean": 1.0},
        "on_renege": {"exit": 1.0},
    }
    document = {
        "horizon": 20.0,
        "classes": ["a"],
        "stations": [station],
        "arrivals": [{"class": "a", "station": "clinic", "rate": 2.0}],
    }
    network = Network.from_dict({**document, "periods": [0.0, 20.0]})
    output = simulate(network, 1, 3, log=True)
    assert output.logs is not None
    table = moves(network, output.logs[0])
    gone = table[(table["origin"] == "clinic") & (table["how"] == "gave_up")]["residents"].sum()
    assert gone == output.stations["reneged"].sum() > 5


def test_the_picture_of_the_route_loses_nobody_before_treatment(house: House) -> None:
    route = house.route().result
    flows = yearly(route.moves["network"], 3, load_region("amstelland"))
    assert {end for link in flows.links for end in link[:2]} <= set(NODES)
    for function in ("consultation", "conversation", "case_conference"):
        assert flows.into(function) == pytest.approx(flows.out_of(function), abs=12)  # some are on their way
    none = yearly(route.moves["none"], 3, load_region("amstelland"))
    assert none.into("conversation") == 0.0
    assert none.into("basic") + none.into("specialist") > flows.into("basic") + flows.into("specialist")


def test_the_route_is_told_in_the_futures_of_the_answer(house: House) -> None:
    """The lists and who comes to them are the same numbers, whichever of the two pages one reads."""
    told, route = house.plan().result, house.route().result
    assert route.runs == route.most == len(told.answer.cases["none"].futures)
    region = load_region("amstelland")
    years = told.tables["years"]
    for name, case in {"network": "net", "none": "none"}.items():
        of_case = years[years["case"] == case].set_index(["measure", "year"])["mean"]
        for i, part in enumerate(PARTS):
            first = first_day(told.tables, part).mean
            assert route.queues[name].at(0, None, i).value == pytest.approx(first)
            for year in YEARS:
                ended = route.queues[name].at(route.queues[name].end_of(year), None, i)
                assert ended.value == pytest.approx(of_case[part, year])
        for y, year in enumerate(YEARS):
            flows = yearly(route.moves[name], y, region)
            assert sum(flows.into(node) for node in TREATMENT) == pytest.approx(of_case["referred", year])


def test_a_first_result_of_the_route_comes_before_all_futures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(studies.FUTURES_SETTING, "2")
    monkeypatch.setattr(studies, "ROUTE_RUNS", 1)
    seen: list[studies.Route] = []
    job = Job(lambda _: iter(()))  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(job, "publish", seen.append)
    for _ in studies.route_work(default())(job):
        pass
    assert [(one.runs, one.most) for one in seen] == [(1, 2), (2, 2)]
    assert job.done == job.total == 4


def test_the_route_is_refined_along_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the first futures, after as many as the first result of the answer has, and after all."""
    monkeypatch.setenv(studies.FUTURES_SETTING, "5")
    monkeypatch.setattr(studies, "ROUTE_RUNS", 1)
    monkeypatch.setattr(studies, "FINER", (3, 4))
    seen: list[studies.Route] = []
    job = Job(lambda _: iter(()))  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(job, "publish", seen.append)
    for _ in studies.route_work(default())(job):
        pass
    assert [(one.runs, one.most) for one in seen] == [(1, 5), (3, 5), (5, 5)]


def results(house: House, scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> tuple[Job, list[Compared]]:
    """What a comparison of one scenario publishes."""
    monkeypatch.setenv(studies.FUTURES_SETTING, "5")
    monkeypatch.setattr(studies, "FINER", (2, 3))
    seen: list[Compared] = []
    job = Job(lambda _: iter(()))  # type: ignore[arg-type,return-value]
    monkeypatch.setattr(job, "publish", seen.append)
    for _ in compare_work([scenario], house.runs, lambda runs: None)(job):
        pass
    return job, seen


def test_the_results_do_not_wait_for_the_runs_without_a_network(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "LOOK", 0.0)
    scenario = drafts(("staff_growth", 0.02))[1].scenario()
    job, seen = results(house, scenario, monkeypatch)
    assert [(one.futures, one.paired) for one in seen] == [(2, 0), (3, 0), (5, 0), (5, 2), (5, 5)]
    assert [len(one.answers[0].cases) for one in seen] == [1, 1, 1, 2, 2]
    assert [len(one.tables[0]["targets"]) > 0 for one in seen] == [False, False, False, True, True]
    assert job.done == job.total == 10
    alone = Case("mine", scenario)
    alone.extend(5, studies.SEED, Balances(studies.SEED), 1)
    assert seen[-1].chances[0] == alone.probability(studies.SEED)


def test_a_fast_machine_is_not_made_to_draw_in_between(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(studies, "LOOK", 3600.0)
    plan = drafts(("conversations", 1100.0))[1].scenario()  # the run without a network is the plan's
    _, seen = results(house, plan, monkeypatch)
    assert [(one.futures, one.paired) for one in seen] == [(2, 2), (5, 5)]


def test_tables_of_what_did_not_change_are_made_once(house: House, few: None, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    beside = studies._beside
    monkeypatch.setattr(
        studies, "_beside", lambda answer, paired: made.append(answer.scenario.hash) or beside(answer, paired)
    )
    visit = Visit("nl")
    for value in (1000.0, 1100.0, 1000.0):
        visit.drafts = drafts(("conversations", value))
        job = visit.compare(house)
        assert job is not None
        assert job.ended.wait(120)
    plan, first = (draft.scenario().hash for draft in visit.drafts)
    assert made.count(plan) == made.count(first) == 1
    assert len(made) == 3
    assert visit.result is not None
    again = beside(visit.result.answers[1], FEW)
    assert all(again[name].equals(table) for name, table in visit.result.tables[1].items())


def test_a_case_that_waits_for_its_turn_goes_on_where_it_was(house: House, few: None) -> None:
    """Slices leave the threads something to do, and change nothing of the futures."""
    case, job = Case("mine", drafts()[0].scenario()), Job(lambda _: iter(()))  # type: ignore[arg-type,return-value]
    ahead = studies.Ahead(job, 5, Balances(studies.SEED))
    for goal in (2, 5):
        for _ in ahead.reach([case], goal):
            pass
        assert len(case.futures) == goal
    ahead.close()
    other = Case("other", drafts()[0].scenario())
    other.extend(5, studies.SEED, Balances(studies.SEED), 1)
    assert all(np.array_equal(a.waiting, b.waiting) for a, b in zip(case.futures, other.futures, strict=True))
    assert job.done == 5


def test_a_lever_turned_back_costs_nothing_and_what_is_kept_is_bounded(house: House, few: None) -> None:
    visit = Visit("nl")
    for value in (0.01, 0.02, 0.01):
        visit.drafts = drafts(("staff_growth", value))[1:]
        job = visit.compare(house)
        assert job is not None
        assert job.ended.wait(120)
    assert job is not None
    assert job.version == 1  # all of it was known
    many = Runs({str(i): visit.known.cases[visit.drafts[0].scenario().hash] for i in range(40)})
    assert len(visit.known.remembered(many, 12).cases) == 40  # what is shown stays
    assert list(many.remembered(Runs({"7": many.cases["7"]}), 3).cases) == ["38", "39", "7"]
