"""Coroutines run on a loop of their own, a few at a time, and none outlives the crowd."""

import asyncio
import threading

import pytest

from app.lab.crowd import Crowd, for_each


def test_a_coroutine_runs_in_another_thread() -> None:
    """Its result comes back, and its error."""

    async def where() -> threading.Thread:
        return threading.current_thread()

    async def fail() -> None:
        raise KeyError("a fault")

    with Crowd() as crowd:
        assert crowd.run(where()) is not threading.current_thread()
        with pytest.raises(KeyError, match="a fault"):
            crowd.run(fail())


def test_what_takes_too_long_is_cancelled() -> None:
    """The tests go on, and the coroutine does not."""
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    with Crowd() as crowd, pytest.raises(TimeoutError):
        crowd.run(wait(), timeout_s=0.01)
    assert ended == ["cancelled"]


def test_nothing_outlives_the_crowd() -> None:
    """Tasks that were left are cancelled, and the thread has ended."""
    tasks: list[asyncio.Task[bool]] = []

    async def leave_a_task() -> None:
        tasks.append(asyncio.create_task(asyncio.Event().wait()))

    before = threading.active_count()
    with Crowd() as crowd:
        crowd.run(leave_a_task())
        assert threading.active_count() == before + 1
    assert tasks[0].cancelled()
    assert threading.active_count() == before


def test_a_few_at_a_time_and_in_order() -> None:
    """No more run than may, all of them run, and the results are in the items' order."""
    running: list[int] = []
    most = 0

    async def work(item: int) -> int:
        nonlocal most
        running.append(item)
        most = max(most, len(running))
        for _ in range(10 - item):
            await asyncio.sleep(0)
        running.remove(item)
        return item * item

    with Crowd() as crowd:
        assert crowd.run(for_each(range(10), work, at_once=3)) == [n * n for n in range(10)]
    assert most == 3
    assert running == []


def test_work_that_is_started_goes_on_beside() -> None:
    """Its result can be had later; what is not done by the end is cancelled."""

    async def at_once() -> int:
        return 7

    with Crowd() as crowd:
        done, never = crowd.start(at_once()), crowd.start(asyncio.Event().wait())
        assert done.result(timeout=5) == 7
    assert never.cancelled()
