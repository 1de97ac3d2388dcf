"""Many raw pages at once."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

from app.lab.loop_thread import LoopThread
from app.lab.raw_page import RawPage, abort_pages

Result = TypeVar("Result")

AT_ONCE = 50
"""Connections that are being opened at the same time; more only wait in the listener's queue."""


class Crowd(LoopThread):
    """Runs coroutines that use `RawPage`, and closes whatever they left open."""

    async def _clean_up(self) -> None:
        await super()._clean_up()
        abort_pages()


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
