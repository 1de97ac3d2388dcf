"""The server's own watch, with raw pages: everybody is missed on time, and nobody for another."""

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from app.lab.admin import Event, select
from app.lab.crowd import Crowd, for_each
from app.lab.raw_page import RawPage
from app.lab.server import ServerProcess
from app.lab.waiting import until
from e2e.altered_server import AlteredServer
from e2e.raw_scenes import complete_loading, logged, start_loading
from e2e.store_mishaps import held_store

Serve = Callable[..., ServerProcess]

ON_TIME_S = 1.0
"""How late a page may be missed."""

OPENED_S = 0.5
"""How much later than the server a page may think that its connection was opened."""

HELD_S = 8.0
"""Longer than it takes to miss the last of the pages below."""

LOADERS = 1_000
LOADING_S = 60.0

MOST_OF_A_CORE = 0.05
"""What all that the server does for a thousand pages which load may cost, pings included."""

SCALED: dict[str, Any] = {"ping_interval_s": 1, "ping_timeout_s": 4, "presence_ping_s": 1}


async def silences(pages: Sequence[RawPage], timeout_s: float) -> list[float]:
    """Seconds from each page's last PONG to the end of its connection, waited for."""
    await for_each(pages, lambda page: page.wait_closed(timeout_s), at_once=len(pages))
    return [page.closed_at - page.ponged_at for page in pages if page.closed_at is not None]


async def open_one_after_the_other(url: str, number: int, within_s: float) -> list[RawPage]:
    """That many pages that answer pings and no heartbeat, evenly in that time."""

    async def one(index: int) -> RawPage:
        await asyncio.sleep(within_s * index / number)
        return await RawPage.open(url, answers_heartbeat=False)

    return await for_each(range(number), one, at_once=number)


def test_200_silent_pages_are_each_missed_within_a_second_of_their_time(
    serve: Serve, crowd: Crowd
) -> None:
    """With the defaults, 8 and 30 s: 38 s after the last PONG, whatever the others do."""
    server = serve()

    async def scenario() -> list[float]:
        pages = await open_one_after_the_other(server.url, 200, within_s=8)
        return await silences(pages, timeout_s=60)

    found = crowd.run(scenario(), timeout_s=90)
    print(f"\nmissed {min(found):.2f} to {max(found):.2f} s after the last PONG")  # noqa: T201
    assert len(found) == 200
    assert min(found) >= 38.0 - OPENED_S
    assert max(found) <= 38.0 + ON_TIME_S
    lost = all_missed(server, 200)
    assert all(38.0 <= entry["silent_s"] <= 38.0 + ON_TIME_S for entry in lost)


def test_a_slow_disconnect_handler_delays_nobody(serve: Serve, crowd: Crowd) -> None:
    """Each of twenty waits for its own handler only."""
    server = serve(make=partial(AlteredServer, alterations=["slow_disconnects"]), **SCALED)

    async def scenario() -> list[float]:
        pages = await open_one_after_the_other(server.url, 20, within_s=1)
        return await silences(pages, timeout_s=20)

    found = crowd.run(scenario())
    assert min(found) >= 5.0 - OPENED_S
    assert max(found) <= 5.0 + ON_TIME_S
    all_missed(server, 20)


def test_stock_heartbeats_are_delayed_by_a_slow_disconnect_handler(
    serve: Serve, crowd: Crowd
) -> None:
    """The control: Engine.IO calls it in the task that looks after everybody else."""
    slow = partial(AlteredServer, alterations=["slow_disconnects"])
    server = serve(make=slow, **SCALED, heartbeat="engineio")

    async def scenario() -> list[float]:
        pages = await open_one_after_the_other(server.url, 20, within_s=1)
        return await silences(pages, timeout_s=60)

    assert max(crowd.run(scenario())) > 5.0 + ON_TIME_S


def test_a_store_that_is_held_delays_nobody(serve: Serve, crowd: Crowd, tmp_path: Path) -> None:
    """Connections end on time while nothing can be saved; then each loss is, with its cause."""
    file = tmp_path / "held.db"
    server = serve(**SCALED, store=f"sqlite:///{file}")
    # Before it is held: a session cannot begin in a store that is.
    pages = crowd.run(open_one_after_the_other(server.url, 20, within_s=1))
    with held_store(file, HELD_S):
        found = crowd.run(silences(pages, timeout_s=20))
        assert server.admin.events()[-1]["event"] != "link_lost"
    assert min(found) >= 5.0 - OPENED_S
    assert max(found) <= 5.0 + ON_TIME_S
    lost = all_missed(server, 20)
    assert all(5.0 <= entry["silent_s"] <= 5.0 + ON_TIME_S for entry in lost)


def test_1000_pages_that_load_are_kept_by_their_browsers_answers(
    serve: Serve, crowd: Crowd
) -> None:
    """For a minute they answer pings and nothing else; none is lost, and it costs little."""
    server = serve(ping_timeout_s=8, loading_timeout_s=150)
    process = psutil.Process(server.process_id)

    async def open_and_load(_: int) -> RawPage:
        page = await RawPage.open(server.url, answers_heartbeat=False)
        await start_loading(page)
        return page

    async def scenario() -> tuple[int, float]:
        pages = await for_each(range(LOADERS), open_and_load)
        await logged(server, "became_busy", session_id=pages[-1].session_id, timeout_s=30)
        # By now each has been found to be busy, once.
        before, begun = cpu_s(process), time.monotonic()
        await asyncio.sleep(LOADING_S)
        share = (cpu_s(process) - before) / (time.monotonic() - begun)
        still_there = sum(page.is_open for page in pages)
        await for_each(pages, complete_loading)
        return still_there, share

    still_there, share = crowd.run(scenario(), timeout_s=150)
    print(f"\n{LOADERS} loading pages: {share:.1%} of a core")  # noqa: T201
    assert still_there == LOADERS
    events = server.admin.events()
    assert select(events, "link_lost") == []
    assert len(select(events, "became_busy")) == len(select(events, "loading_completed")) == LOADERS
    assert share < MOST_OF_A_CORE


def cpu_s(process: psutil.Process) -> float:
    """Seconds of CPU time that a process has used so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def all_missed(server: ServerProcess, number: int) -> list[Event]:
    """The losses to the heartbeat, waited for until there are so many; there are no others."""

    def look() -> list[Event] | None:
        lost = select(server.admin.events(), "link_lost")
        return lost if len(lost) >= number else None

    lost = until(look, what=f"{number} losses in the log", timeout_s=10)
    assert len(lost) == number
    assert {entry["cause"] for entry in lost} == {"heartbeat_missed"}
    return lost
