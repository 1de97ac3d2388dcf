"""An event loop in a thread of its own, and coroutines run on it.

In a thread, because the loop of the tests' own thread belongs to Playwright.
"""

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from types import TracebackType
from typing import Any, Self, TypeVar

Result = TypeVar("Result")


class LoopThread:
    """Runs coroutines; none outlives it. A context manager."""

    _loop: asyncio.AbstractEventLoop
    _thread: threading.Thread

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
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.run(self._end())
        finally:
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    async def _end(self) -> None:
        await self._clean_up()
        # The loop has to run once more for a transport to close its socket.
        await asyncio.sleep(0)

    async def _clean_up(self) -> None:
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)


async def _within(work: Coroutine[Any, Any, Result], timeout_s: float) -> Result:
    async with asyncio.timeout(timeout_s):
        return await work
