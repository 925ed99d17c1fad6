"""The desk: turns, queue, cancel, crash."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from flowsim.present.app import jobs
from flowsim.present.app.jobs import Desk, Full, Job

Work = Callable[[Job], Generator[None, None, None]]


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(turns=2, queue=2)
    yield made
    made.close()


def endless(log: list[str], name: str) -> Work:
    def work(job: Job) -> Generator[None, None, None]:
        try:
            while True:
                log.append(name)
                job.count(job.done + 1)
                time.sleep(0.001)
                yield
        finally:
            log.append(f"{name} closed")

    return work


def short(log: list[str], name: str, steps: int = 3) -> Work:
    def work(job: Job) -> Generator[None, None, None]:
        for step in range(steps):
            log.append(name)
            job.count(step + 1)
            yield
        job.publish(name)

    return work


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.002)


def test_a_run_is_done_and_leaves_its_result(desk: Desk) -> None:
    job = desk.submit(short([], "a"))
    assert job.ended.wait(10)
    assert (job.state, job.result, job.version, job.done) == ("done", "a", 1, 3)


def test_a_heavy_run_does_not_hold_up_a_light_one(desk: Desk) -> None:
    log: list[str] = []
    heavy = desk.submit(endless(log, "heavy"))
    until(lambda: len(log) > 3)
    light = desk.submit(short(log, "light"))
    assert light.ended.wait(10)
    assert not heavy.over
    first, last = log.index("light"), len(log) - 1 - log[::-1].index("light")
    assert log[first:last].count("heavy") <= 3  # a turn each


def test_cancel_stops_a_run_and_closes_it(desk: Desk) -> None:
    log: list[str] = []
    job = desk.submit(endless(log, "a"))
    until(lambda: job.done > 2)
    job.cancel()
    assert job.ended.wait(10)
    assert job.state == "cancelled"
    assert log[-1] == "a closed"
    done = len(log)
    time.sleep(0.05)
    assert len(log) == done


def test_the_queue_is_bounded_and_in_order(desk: Desk) -> None:
    log: list[str] = []
    running = [desk.submit(endless(log, name)) for name in "ab"]
    waiting = [desk.submit(short(log, name)) for name in "cd"]
    assert [desk.place(job) for job in (*running, *waiting)] == [0, 0, 1, 2]
    with pytest.raises(Full):
        desk.submit(short(log, "e"))
    running[0].cancel()
    assert all(job.ended.wait(10) for job in waiting)
    assert log.index("c") < log.index("d")
    assert not running[1].over


def test_a_run_that_was_cancelled_in_the_queue_makes_room(desk: Desk) -> None:
    log: list[str] = []
    for name in "ab":
        desk.submit(endless(log, name))
    waiting = [desk.submit(short(log, name)) for name in "cd"]
    waiting[0].cancel()
    last = desk.submit(short(log, "e"))
    assert waiting[0].ended.wait(10)
    assert waiting[0].state == "cancelled"
    assert desk.place(last) == 2
    assert "c" not in log


@pytest.mark.parametrize("fault", [ZeroDivisionError, MemoryError, SystemExit, KeyboardInterrupt])
def test_a_crash_leaves_the_desk_up(desk: Desk, fault: type[BaseException], caplog: pytest.LogCaptureFixture) -> None:
    def work(job: Job) -> Generator[None, None, None]:
        yield
        raise fault("boom")

    job = desk.submit(work)
    assert job.ended.wait(10)
    assert job.state == "failed"
    assert job.fault in caplog.text
    again = desk.submit(short([], "b"))
    assert again.ended.wait(10)
    assert again.state == "done"


def test_a_run_whose_visitor_left_is_stopped(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "UNSEEN", 0.05)
    left, kept = desk.submit(endless([], "a")), desk.submit(endless([], "b"), keep=True)
    assert left.ended.wait(10)
    assert left.state == "cancelled"
    assert not kept.over


def test_a_run_whose_page_is_gone_is_stopped_long_before_nobody_asks(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "AWAY", 0.05)
    log: list[str] = []
    gone = desk.submit(endless(log, "a"), connected=lambda: False)
    here, shared = desk.submit(endless([], "b"), connected=lambda: True), desk.submit(endless([], "c"), keep=True)
    queued = desk.submit(endless([], "d"), connected=lambda: False)
    for one in (gone, queued):
        assert one.ended.wait(10)
        assert one.state == "cancelled"
    assert not any(one.over for one in (here, shared))
    assert "a" not in log or log[-1] == "a closed"


def test_a_page_that_is_away_for_a_moment_finds_its_run_and_leaves_its_turns_and_its_place_to_others(
    desk: Desk,
) -> None:
    """The desk has two places: the one of the run whose page is away does not count."""
    there, log = threading.Event(), list[str]()
    there.set()
    mine, other = desk.submit(endless(log, "mine"), connected=there.is_set), desk.submit(endless(log, "other"))
    until(lambda: log.count("mine") > 3)
    there.clear()
    third = desk.submit(endless(log, "third"))
    until(lambda: log.count("third") > 3)
    so_far = log.count("mine")
    assert desk.sharing(other) == 1
    before = log.count("other")
    until(lambda: log.count("other") > before + 20)
    assert log.count("mine") <= so_far + 1  # the slice in hand
    assert not mine.over
    there.set()
    until(lambda: log.count("mine") > so_far + 10)
    assert not any(one.over for one in (mine, other, third))


def test_alone_a_run_whose_page_is_away_for_a_moment_goes_on(desk: Desk) -> None:
    log: list[str] = []
    there = threading.Event()
    desk.submit(endless(log, "mine"), connected=there.is_set)
    until(lambda: len(log) > 20)


def test_closing_ends_the_thread() -> None:
    desk = Desk()
    desk.submit(endless([], "a"))
    desk.close()
    assert not any(thread.name == "flowsim-desk" and thread is desk._thread for thread in threading.enumerate())


def test_what_all_share_leaves_turns_to_others_once_it_has_something_to_show() -> None:
    desk, log = Desk(turns=3, queue=3), list[str]()
    try:

        def shared(job: Job) -> Generator[None, None, None]:
            while True:
                log.append("shared")
                job.count(job.done + 1)
                if job.done == 3:
                    job.publish("first")
                time.sleep(0.001)
                yield

        everyones = desk.submit(shared, keep=True)
        until(lambda: everyones.version == 1)
        mine = desk.submit(endless(log, "mine"))
        until(lambda: log.count("mine") > 60)
        mine.cancel()
        assert mine.ended.wait(10)
        both = log[log.index("mine") :]
        both = both[: len(both) - both[::-1].index("mine")]
        assert 10 < both.count("shared") < 30  # a turn in four, and one in two without patience: 20 and 60
        everyones.cancel()
        assert everyones.ended.wait(10)
    finally:
        desk.close()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux gives a thread a priority of its own")
def test_simulations_step_back_for_pages_and_pages_do_not(desk: Desk) -> None:
    seen: list[int] = []

    def work(job: Job) -> Generator[None, None, None]:
        with ThreadPoolExecutor(1) as pool:  # as the engine's threads are started
            seen.append(pool.submit(os.getpriority, os.PRIO_PROCESS, 0).result())
        yield

    here = os.getpriority(os.PRIO_PROCESS, 0)
    assert desk.submit(work).ended.wait(10)
    assert seen == [max(jobs.COURTESY, here)]
    assert os.getpriority(os.PRIO_PROCESS, 0) == here


def test_when_the_next_result_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    job = Job(lambda _: iter(()))  # type: ignore[arg-type,return-value]
    job.count(1)
    assert job.due == math.inf  # nobody said what for
    job.goal = 21
    assert job.due == math.inf  # one alone has no pace
    now = 102.0
    job.count(5)
    assert job.due == 8.0  # 4 in 2 seconds, 16 to go
    job.count(21)
    assert job.due == 0.0  # it is being made


def test_who_waits_for_news_is_told_at_once_and_never_waits_for_ever(desk: Desk) -> None:
    gate = threading.Event()

    def work(job: Job) -> Generator[None, None, None]:
        gate.wait(10)
        job.publish("a")
        yield

    job = desk.submit(work)
    job.wait_for_news(0, 0.01)
    assert job.version == 0
    waiting = threading.Thread(target=job.wait_for_news, args=(0, 60.0))
    waiting.start()
    gate.set()
    waiting.join(10)
    assert not waiting.is_alive()
    assert job.result == "a"
    assert job.ended.wait(10)
    job.wait_for_news(1, 60.0)  # there will be no more


def test_a_run_that_the_end_of_the_process_takes_away_has_not_failed(caplog: pytest.LogCaptureFixture) -> None:
    desk = Desk()
    begun = threading.Event()

    def work(job: Job) -> Generator[None, None, None]:
        begun.set()
        while not desk._closed:
            time.sleep(0.001)
        raise RuntimeError("cannot schedule new futures after interpreter shutdown")
        yield

    job = desk.submit(work)
    assert begun.wait(5.0)
    desk.close()
    assert job.state == "cancelled"
    assert not caplog.records
