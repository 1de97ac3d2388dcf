"""Operators: the store is held by somebody, its disk is full, or it is of another version."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.lab.admin import select
from app.lab.crowd import Crowd, for_each, open_pages
from app.lab.errors import ServerFailed
from app.lab.raw_page import ConnectRefused, RawPage
from app.lab.server import ServerProcess
from app.stores.sqlite import SCHEMA_VERSION
from e2e.raw_scenes import (
    act,
    complete_loading,
    join,
    logged,
    running_pair,
    session_of,
    start_loading,
)
from e2e.store_mishaps import fill_disk, held_store, small_disk

Serve = Callable[..., ServerProcess]

SCALED: dict[str, Any] = {"ping_interval_s": 1, "ping_timeout_s": 10}

HELD_FOR_S = 3.0

CROWD = 20
"""Participants who load, who are lost, and who come, each, while the store is held."""

RELAYED_WITHIN_S = 0.5
"""How long an action may take to the partner while the store is held; nothing of it is stored."""

PAUSE_S = 0.2
"""Until a page tries again what was refused with `try_again`."""

LET_IN_S = 20.0


async def insisting(page: RawPage, event: str, payload: dict[str, Any]) -> list[str]:
    """Say something until it is accepted; returns the codes with which it was refused before."""
    codes: list[str] = []
    async with asyncio.timeout(LET_IN_S):
        while not (answer := await page.say(event, payload))["ok"]:
            codes.append(answer["error"]["code"])
            await asyncio.sleep(PAUSE_S)
    return codes


async def opening(url: str) -> tuple[RawPage, list[str]]:
    """Open a page until it is accepted; returns it, and the codes it was refused with before."""
    codes: list[str] = []
    async with asyncio.timeout(LET_IN_S):
        while True:
            try:
                return await RawPage.open(url), codes
            except ConnectRefused as refused:
                codes.append(refused.code)
            await asyncio.sleep(PAUSE_S)


def started(attempt_id: str) -> dict[str, Any]:
    """The announcement of a load."""
    return {"attempt_id": attempt_id, "path": "preload", "runtime": "main"}


def test_store_held_for_three_seconds_loses_nothing(
    serve: Serve, crowd: Crowd, tmp_path: Path
) -> None:
    """Who is refused meanwhile is told to try again, losses are kept, running games go on.

    The log says what is wrong; afterwards everybody is served, and everything is there once.
    """
    file = tmp_path / "held.db"
    server = serve(store=f"sqlite:///{file}", **SCALED)

    async def relay(pair: tuple[RawPage, RawPage], until: float) -> list[float]:
        """Play while the store is held; returns how long each step took."""
        took: list[float] = []
        ada, bob = pair
        for frame in range(10_000):
            if time.monotonic() >= until:
                break
            began = time.monotonic()
            await act(ada, frame)
            await act(bob, frame)
            await bob.wait_for("frame_actions", where=_from(frame + 3))
            took.append(time.monotonic() - began)
            await asyncio.sleep(0.03)
        return took

    async def scenario() -> list[list[str]]:
        pair = await running_pair(server.url)
        loading, lost = await open_pages(server.url, CROWD), await open_pages(server.url, CROWD)
        with held_store(file, HELD_FOR_S):
            until = time.monotonic() + HELD_FOR_S
            relayed = asyncio.create_task(relay(pair, until))
            await for_each(lost, lambda page: page.drop())
            said = [
                asyncio.create_task(insisting(page, "pyodide_loading_start", started("load-0001")))
                for page in loading
            ]
            come = [asyncio.create_task(opening(server.url)) for _ in range(CROWD)]
            took = await relayed
            assert len(took) > HELD_FOR_S
            assert max(took) < RELAYED_WITHIN_S
            refusals = await asyncio.gather(*said)
            newcomers = await asyncio.gather(*come)
        for page in lost:
            await logged(server, "link_lost", session_id=page.session_id)
        for page in loading:
            assert (await session_of(server, page))["runtime"] == "loading"
            await complete_loading(page)
        for page, _ in newcomers:
            await start_loading(page)
        for page in pair:
            assert page.is_open
        return refusals

    refusals = crowd.run(scenario())
    # Said so, to the pages and in the log.
    assert {code for codes in refusals for code in codes} == {"try_again"}
    log = server.log(10_000)
    assert "another process has held the store" in log
    assert "loss_postponed" in log
    # Once each: no message that was taken twice, no loss that was forgotten.
    events = server.admin.events()
    assert len(select(events, "link_lost")) == CROWD
    assert len(select(events, "loading_started")) == 2 * CROWD
    assert len(select(events, "loading_completed")) == CROWD
    assert len(server.admin.sessions()) == 2 + 3 * CROWD
    # Must not happen: that the hold cost anybody the session, or paused the game.
    assert select(events, "session_gone") == []
    assert select(events, "game_paused") == []


def _from(frame: int) -> Callable[[dict[str, Any]], bool]:
    return lambda actions: actions["from_frame"] >= frame


def test_full_disk_keeps_what_was_acknowledged(serve: Serve, crowd: Crowd, tmp_path: Path) -> None:
    """With the disk full every change is refused whole, and said so; with room again all goes on.

    Then the server is killed: what it had acknowledged, before and after, is in the store, and
    nothing of what it had refused.
    """
    with small_disk(tmp_path / "small", megabytes=4) as disk:
        file = disk / "grace.db"
        server = serve(store=f"sqlite:///{file}", **SCALED)
        kept: dict[str, list[str]] = {}
        refused: dict[str, list[str]] = {}

        async def say(page: RawPage, attempt: str) -> str | None:
            """Load and fail; returns the code of the first refusal."""
            for event, payload in (
                ("pyodide_loading_start", started(attempt)),
                ("pyodide_loading_complete", {"attempt_id": attempt, "error": "again"}),
            ):
                answer = await page.say(event, payload)
                where = kept if answer["ok"] else refused
                where.setdefault(page.session_id, []).append(f"{event} {attempt}")
                if not answer["ok"]:
                    return str(answer["error"]["code"])
            return None

        async def scenario() -> None:
            pages = await open_pages(server.url, CROWD)
            lost = await RawPage.open(server.url)
            await for_each(pages, lambda page: say(page, "load-before"))
            ballast = fill_disk(disk)
            # What SQLite has room for already is still taken; then comes the first refusal.
            codes = await for_each(pages, lambda page: until_refused(page, say))
            assert set(codes) == {"try_again"}
            with pytest.raises(ConnectRefused):
                await RawPage.open(server.url)
            await lost.drop()
            assert (await session_of(server, pages[0]))["link"] == "connected"
            ballast.unlink()
            await logged(server, "link_lost", session_id=lost.session_id)
            assert await for_each(pages, lambda page: say(page, "load-after")) == [None] * CROWD
            await (await RawPage.open(server.url)).close()
            await join(pages[0])

        crowd.run(scenario())
        log = server.log(10_000)
        assert "database or disk is full" in log
        assert "message_postponed" in log
        server.kill()
        with closing(sqlite3.connect(file)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        server.start()
        events = server.admin.events()
        for session_id, messages in kept.items():
            mine = [_as_message(one) for one in events if one["session_id"] == session_id]
            assert [one for one in mine if one is not None] == messages
            assert not set(refused[session_id]) & set(mine)
        assert len(server.admin.sessions()) == CROWD + 2
        server.stop()


async def until_refused(
    page: RawPage, say: Callable[[RawPage, str], Any], most: int = 5_000
) -> str | None:
    """Say one thing after the other until one is refused; returns the code."""
    for number in range(most):
        code: str | None = await say(page, f"full-{number:04}")
        if code is not None:
            return code
    return None


def _as_message(entry: dict[str, Any]) -> str | None:
    """The message that an entry of the log comes from, as this test writes it."""
    events = {
        "loading_started": "pyodide_loading_start",
        "loading_failed": "pyodide_loading_complete",
    }
    event = events.get(entry["event"])
    return None if event is None else f"{event} {entry['attempt_id']}"


@pytest.mark.parametrize(
    ("made_by", "sentence"),
    [
        (f"PRAGMA user_version={SCHEMA_VERSION + 1}", f"is of version {SCHEMA_VERSION + 1}"),
        ("PRAGMA user_version=-1", "is of version -1"),
        ("PRAGMA user_version=0", "not a store of this server"),
        (
            "UPDATE sessions SET record=json_remove(record, '$.link')",
            "cannot read (Session.link: Field required)",
        ),
    ],
    ids=["newer", "older", "without a version", "older records"],
)
def test_store_of_another_version_is_refused_with_a_sentence(
    serve: Serve, crowd: Crowd, tmp_path: Path, made_by: str, sentence: str
) -> None:
    """The start ends with status 2 and one line that names the store; the store is as it was."""
    file = tmp_path / "other.db"
    server = serve(store=f"sqlite:///{file}", **SCALED)

    async def scenario() -> None:
        await RawPage.open(server.url)

    crowd.run(scenario())
    server.stop()
    with closing(sqlite3.connect(file)) as db, db:
        db.execute(made_by)
    before = file.read_bytes()
    with pytest.raises(ServerFailed, match="exit status 2") as failed:
        server.start()
    said = [line for line in failed.value.log.splitlines() if line.startswith("grace-server: ")]
    assert [line for line in said if sentence in line] == said[-1:]
    assert "Traceback" not in failed.value.log
    assert file.read_bytes() == before
