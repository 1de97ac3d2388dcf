"""Operators: the server ends under two hundred participants in every state, and comes again."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from app.lab.admin import select
from app.lab.crowd import Crowd, for_each, open_pages
from app.lab.errors import LabError
from app.lab.raw_page import RawPage
from app.lab.server import ServerProcess
from e2e.raw_scenes import (
    Pair,
    act,
    complete_loading,
    game_id_of,
    join,
    logged,
    running_pair,
    session_of,
    start_loading,
)
from e2e.store_mishaps import set_clock_ahead

Serve = Callable[..., ServerProcess]

EACH = 50
"""Participants in each of the four states."""

STAY_AWAY = 5
"""Of those who wait, and of those who play: how many never come back."""

RECONNECT_GRACE_S = 8.0
"""Enough for two hundred to come back in, on a machine that is busy."""

A_FEW = 5
"""Messages that everybody has had answered when the server ends."""

INPUT_DELAY_FRAMES = 3
"""The default of `input_delay_frames`."""

HOUR_S = 3600.0


@dataclass(slots=True)
class Loader:
    """A page that loads, fails and loads again, as fast as it is answered.

    Attributes:
        page: the page.
        runtime: what it would state of its runtime at CONNECT.
        acknowledged: what the server has acknowledged, as `(event of the log, attempt)`.
    """

    page: RawPage
    runtime: dict[str, str] = field(default_factory=lambda: {"state": "cold"})
    acknowledged: list[tuple[str, str]] = field(default_factory=list)

    async def run(self) -> None:
        """Go on until the connection ends."""
        for attempt in map("load-{:04}".format, count()):
            if not self.page.is_open:
                return
            try:
                self.runtime = {"state": "loading", "attempt_id": attempt}
                await start_loading(self.page, attempt)
                self.acknowledged.append(("loading_started", attempt))
                self.runtime = {"state": "failed"}
                if not self.page.is_open:
                    return
                await complete_loading(self.page, attempt, error="again")
                self.acknowledged.append(("loading_failed", attempt))
            except LabError:
                return

    async def come_back(self, url: str) -> RawPage:
        """The same page on another connection, with what it states of its runtime."""
        return await self.page.come_back(url, runtime=self.runtime)


@dataclass(slots=True)
class Everybody:
    """Who is there when the server ends."""

    waiting: list[RawPage]
    loading: list[Loader]
    away: list[RawPage]
    playing: list[Pair]
    at_it: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def players(self) -> list[RawPage]:
        """Who plays, each pair side by side."""
        return [page for pair in self.playing for page in pair]

    @property
    def pages(self) -> list[RawPage]:
        """All of them."""
        return [*self.waiting, *(one.page for one in self.loading), *self.away, *self.players]

    @property
    def missing(self) -> list[RawPage]:
        """Who does not come back."""
        return self.waiting[-STAY_AWAY:] + self.players[-STAY_AWAY:]

    @property
    def returning(self) -> list[RawPage | Loader]:
        """Who comes back."""
        waiting, players = self.waiting[:-STAY_AWAY], self.players[:-STAY_AWAY]
        return [*waiting, *self.loading, *self.away, *players]


async def gather_everybody(server: ServerProcess) -> Everybody:
    """Two hundred participants; who is away was lost while loading, or in the waiting room."""
    playing = [await running_pair(server.url) for _ in range(EACH // 2)]
    waiting = await open_pages(server.url, EACH)
    await for_each(waiting, _wait_with_failed_python)
    loading = [Loader(page) for page in await open_pages(server.url, EACH)]
    away = await open_pages(server.url, EACH)
    await for_each(away[: EACH // 2], start_loading)
    await for_each(away[EACH // 2 :], _wait_with_failed_python)
    await for_each(away, lambda page: page.drop())
    for page in away:
        await logged(server, "link_lost", session_id=page.session_id)
    return Everybody(waiting, loading, away, playing)


async def _wait_with_failed_python(page: RawPage) -> None:
    """Wait without being matched: fifty who can play would be twenty-five games."""
    await start_loading(page)
    await complete_loading(page, error="out of memory")
    await join(page)


async def play(page: RawPage) -> None:
    """Send actions, each when the one before has come back to everybody."""
    for frame in count():
        await act(page, frame)
        await page.wait_for("frame_actions", where=_reaching(frame + INPUT_DELAY_FRAMES))


def _reaching(frame: int) -> Callable[[dict[str, Any]], bool]:
    return lambda actions: actions["from_frame"] >= frame


async def be_at_it(everybody: Everybody) -> None:
    """Let all load and play, from now on; returns when each has been answered a few times."""
    everybody.at_it = [
        *(asyncio.create_task(one.run()) for one in everybody.loading),
        *(asyncio.create_task(play(page)) for page in everybody.players),
    ]
    async with asyncio.timeout(30):
        while not (
            all(len(one.acknowledged) >= A_FEW for one in everybody.loading)
            and all(len(page.heard("frame_actions")) >= A_FEW for page in everybody.players)
        ):
            await asyncio.sleep(0.01)


async def stop_being_at_it(everybody: Everybody) -> None:
    """Return when nobody says anything any more."""
    for task in everybody.at_it:
        task.cancel()
    await asyncio.gather(*everybody.at_it, return_exceptions=True)
    for page in everybody.pages:
        await page.wait_closed()


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL"])
def test_everybody_who_was_alive_is_the_same_after_a_restart(
    serve: Serve, crowd: Crowd, how: str
) -> None:
    """Of 200 who wait, load, are away and play, each is found again, once, and nothing is lost.

    What was acknowledged is in the log, however the server ended. Games are over and say why; who
    does not come back is gone when the grace since the restart has passed.
    """
    server = serve(ping_interval_s=1, ping_timeout_s=10, reconnect_grace_s=RECONNECT_GRACE_S)

    async def come_back(one: RawPage | Loader) -> RawPage:
        return await one.come_back(server.url)

    everybody = crowd.run(gather_everybody(server))
    crowd.run(be_at_it(everybody))
    if how == "SIGTERM":
        server.stop()
    else:
        server.kill()
    crowd.run(stop_being_at_it(everybody))
    server.start()
    back = crowd.run(for_each(everybody.returning, come_back))
    events = server.admin.events()
    sessions = {one["session_id"]: one for one in server.admin.sessions()}
    ids = {page.session_id for page in everybody.pages}
    assert len(ids) == 4 * EACH
    assert sessions.keys() == ids
    assert [page.opened["epoch"] for page in back] == [2] * len(back)
    opened = Counter(entry["session_id"] for entry in select(events, "session_opened"))
    returned = {page.session_id for page in back}
    assert opened == {one: 2 if one in returned else 1 for one in ids}
    lost = Counter(entry["session_id"] for entry in select(events, "link_lost"))
    assert lost == dict.fromkeys(ids, 1)

    # Everybody is where they were; who played is told that the game is over, and why.
    for page in [*everybody.waiting, *everybody.away[EACH // 2 :]]:
        assert sessions[page.session_id]["place"] == "waiting"
    for page in everybody.away[: EACH // 2]:
        assert sessions[page.session_id]["runtime"] == "loading"
    for one in everybody.loading:
        assert sessions[one.page.session_id]["runtime"] == one.runtime["state"]
    for page in everybody.players:
        assert (sessions[page.session_id]["place"], sessions[page.session_id]["game_id"]) == (
            "lobby",
            None,
        )
    ended = [(entry["game_id"], entry["reason"]) for entry in select(events, "game_ended")]
    games = {game_id_of(page) for page in everybody.players}
    assert sorted(ended) == sorted((game_id, "server_restarted") for game_id in games)

    # What was acknowledged has happened.
    for one in everybody.loading:
        mine = [
            (entry["event"], entry["attempt_id"])
            for entry in events
            if entry["session_id"] == one.page.session_id and "attempt_id" in entry
        ]
        assert mine[: len(one.acknowledged)] == one.acknowledged
        assert len(set(mine)) == len(mine)

    async def go_on() -> None:
        for one in everybody.loading:
            now = next(page for page in back if page.session_id == one.page.session_id)
            await start_loading(now, "last-load")
            await complete_loading(now, "last-load")
        for page in everybody.missing:
            await logged(server, "cleanup_done", session_id=page.session_id, timeout_s=20)

    crowd.run(go_on())
    # Must not happen: that anybody is gone who came back, or that a grace is not what was promised.
    gone = select(server.admin.events(), "session_gone")
    assert sorted(one["session_id"] for one in gone) == sorted(
        page.session_id for page in everybody.missing
    )
    (restarted,) = select(events, "server_restarted")
    for entry in gone:
        assert entry["at"] - restarted["at"] == pytest.approx(RECONNECT_GRACE_S, abs=1.0)


def test_start_on_a_store_whose_clock_is_ahead(serve: Serve, crowd: Crowd, tmp_path: Path) -> None:
    """A store an hour in the future: deadlines are taken back by that hour, none waits it out."""
    file = tmp_path / "ahead.db"
    server = serve(
        store=f"sqlite:///{file}", ping_interval_s=1, ping_timeout_s=10, reconnect_grace_s=2
    )

    async def before() -> list[RawPage]:
        pair = await running_pair(server.url)
        waiting, loading, away = await open_pages(server.url, 3)
        await join(waiting)
        for page in (loading, away):
            await start_loading(page)
        await away.drop()
        await logged(server, "link_lost", session_id=away.session_id)
        return [waiting, loading, away, *pair]

    pages = crowd.run(before())
    server.kill()
    set_clock_ahead(file, HOUR_S)
    server.start()

    async def after() -> None:
        waiting, loading, away, one, other = pages
        for page in (waiting, away, one):
            back = await page.come_back(server.url)
            assert (back.opened["session_id"], back.opened["epoch"]) == (page.session_id, 2)
        await logged(server, "session_gone", session_id=other.session_id)
        for page in (away, loading):
            session = await session_of(server, page)
            assert 50 < session["loading"]["deadline_in_s"] <= 60
        assert (await session_of(server, waiting))["place"] == "waiting"
        assert (await session_of(server, loading))["deadline_in_s"] <= 60

    crowd.run(after())
    events = server.admin.events()
    (restarted,) = select(events, "server_restarted")
    assert -HOUR_S <= restarted["down_s"] <= -HOUR_S + 60
    # Must not happen: anybody gone but the one whose grace was over.
    assert [gone["session_id"] for gone in select(events, "session_gone")] == [pages[4].session_id]
