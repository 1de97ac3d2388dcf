"""Many raw pages at once: an event loop in a thread of its own, and coroutines run on it.

In a thread, because the loop of the tests' own thread belongs to Playwright.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterable
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

from app.lab.raw_page import RawPage, abort_pages

Result = TypeVar("Result")

AT_ONCE = 50
"""Connections that are being opened at the same time; more only wait in the listener's queue."""


class Crowd:
    """Runs coroutines that use `RawPage`, and closes whatever they left open."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def run(self, work: Coroutine[Any, Any, Result], timeout_s: float = 120.0) -> Result:
        """Wait for a coroutine.

        Raises:
            TimeoutError: it was not done in time; it is cancelled.
        """
        return asyncio.run_coroutine_threadsafe(_within(work, timeout_s), self._loop).result()

    def start(self, work: Coroutine[Any, Any, Result]) -> "Future[Result]":
        """Let a coroutine run beside the caller; what still runs in the end is cancelled."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.run(_cancel_the_others())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()


async def _within(work: Coroutine[Any, Any, Result], timeout_s: float) -> Result:
    async with asyncio.timeout(timeout_s):
        return await work


async def _cancel_the_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    abort_pages()
    # The loop has to run once more for a transport to close its socket.
    await asyncio.sleep(0)


async def open_pages(url: str, number: int, **auth: Any) -> list[RawPage]:
    """Open that many pages, `AT_ONCE` at a time, each a new participant."""
    return await for_each(range(number), lambda _: RawPage.open(url, **auth))


async def for_each(
    items: Iterable[Any], work: Callable[[Any], Awaitable[Result]], at_once: int = AT_ONCE
) -> list[Result]:
    """Do the same for every item, `at_once` at a time; the results in the items' order."""
    room = asyncio.Semaphore(at_once)

    async def one(item: Any) -> Result:
        async with room:
            return await work(item)

    return await asyncio.gather(*(one(item) for item in items))
