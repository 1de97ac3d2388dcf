"""Coroutines run on a loop in a thread of its own, and none outlives it."""

import asyncio
import threading

import pytest

from app.lab.loop_thread import LoopThread


def test_a_coroutine_runs_in_another_thread() -> None:
    """Its result comes back, and its error."""

    async def where() -> threading.Thread:
        return threading.current_thread()

    async def fail() -> None:
        raise KeyError("a fault")

    with LoopThread() as loop:
        assert loop.run(where()) is not threading.current_thread()
        with pytest.raises(KeyError, match="a fault"):
            loop.run(fail())


def test_what_takes_too_long_is_cancelled() -> None:
    """The tests go on, and the coroutine does not."""
    ended: list[str] = []

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("cancelled")

    with LoopThread() as loop, pytest.raises(TimeoutError):
        loop.run(wait(), timeout_s=0.01)
    assert ended == ["cancelled"]


def test_nothing_outlives_the_loop() -> None:
    """Tasks that were left are cancelled, and the thread has ended."""
    tasks: list[asyncio.Task[bool]] = []

    async def leave_a_task() -> None:
        tasks.append(asyncio.create_task(asyncio.Event().wait()))

    before = threading.active_count()
    with LoopThread() as loop:
        loop.run(leave_a_task())
        assert threading.active_count() == before + 1
    assert tasks[0].cancelled()
    assert threading.active_count() == before


def test_work_that_is_started_goes_on_beside() -> None:
    """Its result can be had later; what is not done by the end is cancelled."""

    async def at_once() -> int:
        return 7

    with LoopThread() as loop:
        done, never = loop.start(at_once()), loop.start(asyncio.Event().wait())
        assert done.result(timeout=5) == 7
    assert never.cancelled()
