"""Rows about connections: how fast they open, what an idle one holds, how soon a crowd is back."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from app.lab.crowd import Crowd, for_each, open_pages
from app.lab.raw_page import RawPage
from e2e.speed import subjects
from e2e.speed.subjects import Subject
from e2e.speed.table import Row, median

ROUNDS = 3
OPENED = 1_000
"""Connections in one round."""

HERD = 1_000
HERD_S = 1.0
"""That many come back, spread over that many seconds."""


def opening_and_memory(study: Path, folder: Path) -> list[Row]:
    """Sessions opened per second of the server's CPU time, and its memory for each idle one."""
    rates: dict[str, list[float]] = {}
    sizes: dict[str, list[float]] = {}
    for number in range(ROUNDS):
        with ExitStack() as running:
            crowd = running.enter_context(Crowd())
            found = [
                running.enter_context(subjects.bare()),
                running.enter_context(subjects.ours(study, folder / f"opening-{number}")),
                running.enter_context(subjects.node()),
            ]
            for subject in [one for one in found if one is not None]:
                rate, size = crowd.run(_open(subject))
                rates.setdefault(subject.name, []).append(rate)
                sizes.setdefault(subject.name, []).append(size)
    opened = {name: median(values) for name, values in rates.items()}
    held = {name: median(values) for name, values in sizes.items()}
    return [
        Row(
            what="sessions opened per CPU second",
            ours=opened["ours"],
            bare=opened["bare"],
            node=opened.get("node"),
            ratio=opened["ours"] / opened["bare"],
            target="at least bare's",
            met=opened["ours"] >= opened["bare"],
            note="CONNECT to `session_opened`; ours is stored and logged before it is sent",
        ),
        Row(
            what="KiB per idle session",
            ours=held["ours"],
            bare=held["bare"],
            node=held.get("node"),
            ratio=held["ours"] / held["bare"],
            target="at most 1.15 of bare",
            met=held["ours"] <= 1.15 * held["bare"],
        ),
    ]


async def _open(subject: Subject) -> tuple[float, float]:
    # The first connections make the server import and allocate what it keeps.
    first = await open_pages(subject.url, 50)
    cpu_s, memory = subject.cpu_s(), subject.memory_bytes()
    pages = await open_pages(subject.url, OPENED)
    used_s = subject.cpu_s() - cpu_s
    held = subject.memory_bytes() - memory
    await for_each([*first, *pages], RawPage.drop)
    return OPENED / used_s, held / OPENED / 1024


def coming_back(study: Path, folder: Path) -> list[Row]:
    """A crowd that lost its connections comes back within one second."""
    with Crowd() as crowd, subjects.ours(study, folder / "herd") as ours:
        waits = crowd.run(_come_back(ours))
    within = max(start + wait for start, wait in waits)
    return [
        Row(
            what=f"s until {HERD:,} clients that come back within {HERD_S:g} s are resumed",
            ours=within,
            target="under 3",
            met=within < 3.0,
            note=f"the slowest waited {max(wait for _, wait in waits):.2f} s for `session_opened`",
        )
    ]


async def _come_back(ours: Subject) -> Sequence[tuple[float, float]]:
    pages = await open_pages(ours.url, HERD)
    await for_each(pages, RawPage.drop)
    begun = time.perf_counter()

    async def one(number: int) -> tuple[float, float]:
        start = HERD_S * number / HERD
        await asyncio.sleep(max(0.0, begun + start - time.perf_counter()))
        back = await pages[number].come_back(ours.url)
        if back.session_id != pages[number].session_id or back.epoch != 2:
            raise AssertionError("somebody came back as somebody else")
        return start, time.perf_counter() - begun - start

    return await asyncio.gather(*(one(number) for number in range(HERD)))
