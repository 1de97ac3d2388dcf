"""What participants leave behind when they are gone: nothing but the record."""

import asyncio
from collections.abc import Callable
from typing import Any

from app.lab.admin import select
from app.lab.crowd import Crowd, for_each, open_pages
from app.lab.process_view import ProcessView, process_view
from app.lab.raw_page import RawPage
from app.lab.server import ServerProcess
from app.lab.waiting import until
from e2e.raw_scenes import (
    accepted,
    act,
    complete_loading,
    declare_ready,
    game_id_of,
    join,
    start_loading,
)

Serve = Callable[..., ServerProcess]

ATTEMPT = "attempt-1"

WARM_UP = 200
"""Cycles after which what is made once, or kept for reuse, is there."""

CYCLES = 1000

MEMORY_TOLERANCE = 4_000_000
"""Bytes by which the process may have grown: 4 kB a cycle, a tenth of what a connection takes."""

LOADERS = 500

LATE_S = 1.5
"""Seconds after its deadline in which a session is over: a sweep, and 500 to be worked off."""


def test_a_thousand_cycles_leave_nothing_behind(serve: Serve, crowd: Crowd) -> None:
    """Connect, load, lose, return, leave, in every way and in games: all is back where it was."""
    server = serve(
        ping_interval_s=1,
        ping_timeout_s=2,
        reconnect_grace_s=4,
        loading_timeout_s=10,
        loading_budget_s=20,
        gone_kept_s=0.5,
    )
    fresh = process_view(server.admin, server.process_id)
    crowd.run(cycles(server.url, WARM_UP))
    before = deserted(server, fresh)
    crowd.run(cycles(server.url, CYCLES), timeout_s=240)
    after = deserted(server, before)
    grown = after.memory_bytes - before.memory_bytes
    print(f"\nmemory after {CYCLES} cycles: {grown / CYCLES:+.0f} bytes a cycle")  # noqa: T201
    assert grown <= MEMORY_TOLERANCE

    events = server.admin.events()
    begun = [entry for entry in select(events, "session_opened") if not entry["resumed"]]
    # What a test of leaks is worth nothing without: that all of it has happened.
    assert len(begun) == len(select(events, "session_gone")) == WARM_UP + CYCLES
    assert {entry["close_code"] for entry in select(events, "link_lost")} >= {None, 1001}
    assert len(select(events, "game_started")) == (WARM_UP + CYCLES) // 10
    for what in ("link_restored", "loading_completed", "game_paused", "game_resumed"):
        assert select(events, what)


def test_500_loaders_who_vanish_at_once_are_gone_after_their_grace_and_haunt_no_waiting_room(
    serve: Serve, crowd: Crowd
) -> None:
    """Away they keep their places and are matched with nobody; on time they are gone."""
    server = serve(
        ping_interval_s=20, loading_timeout_s=14, loading_budget_s=14, reconnect_grace_s=2,
        game_start_timeout_s=6,
    )  # fmt: skip
    admin = server.admin
    loaders = crowd.run(loaders_in_games(server.url))
    crowd.run(vanish(loaders))
    vanished = {page.session_id for page in loaders}
    last = admin.events()[-1]["seq"]

    # Their games end unstarted, so they are in the waiting room again, and away.
    until(
        lambda: all(one["place"] == "waiting" for one in listed(server, vanished)) or None,
        what="the games of the vanished ending",
        timeout_s=10,
    )
    assert {one["link"] for one in listed(server, vanished)} == {"away"}
    among_them = crowd.run(newcomers(server.url))

    until(
        lambda: all(one["link"] == "gone" for one in listed(server, vanished)) or None,
        what="the vanished being gone",
        timeout_s=20,
    )
    assert {one["place"] for one in listed(server, vanished)} == {"lobby"}
    after_them = crowd.run(newcomers(server.url))

    events = admin.events()
    lateness = [late_s(events, session_id) for session_id in vanished]
    print(f"\nthe last of {LOADERS} was gone {max(lateness):.2f} s after its deadline")  # noqa: T201
    assert min(lateness) >= 0
    assert max(lateness) <= LATE_S
    # Must not happen: that any of them is matched, or cleaned up twice.
    matched = select(events, "game_matched", where=lambda entry: entry["seq"] > last)
    assert [set(entry["members"]) for entry in matched] == [among_them, after_them]
    cleaned = [entry["session_id"] for entry in select(events, "cleanup_done")]
    assert len([one for one in cleaned if one in vanished]) == LOADERS


async def cycles(url: str, number: int) -> None:
    """That many participants come and go: four of five alone, the others in pairs that play."""
    alone = for_each(range(number * 4 // 5), lambda one: alone_cycle(url, one))
    pairs = for_each(range(number // 10), lambda _: pair_cycle(url), at_once=1)
    await asyncio.gather(alone, pairs)


async def alone_cycle(url: str, number: int) -> None:
    """Connect, load, lose, return, leave; how it is lost and how it ends, depends on the number."""
    page = await RawPage.open(url)
    await start_loading(page, ATTEMPT)
    match number % 4:
        case 0:
            await page.drop()
        case 1:
            await page.close(1001)
        case 2:
            await complete_loading(page, ATTEMPT)
            page.answers_heartbeat = False
            await page.wait_closed()
        case 3:  # A second tab, or a connection that is not known to be dead.
            pass
    restated = {"state": "loading", "attempt_id": ATTEMPT}
    if number % 5:
        back = await page.come_back(url, runtime=restated)
    else:
        back = await page.reload(url)
        await start_loading(back, ATTEMPT)
    await complete_loading(back, ATTEMPT)
    if number % 3:
        accepted(await back.say("leave"))
    await back.close()
    if page.is_open:
        await page.close()


async def pair_cycle(url: str) -> None:
    """Two load, play, one is lost and comes back, one leaves."""
    ada, bob = await RawPage.open(url), await RawPage.open(url)
    for page in (ada, bob):
        await start_loading(page, ATTEMPT)
        await join(page)
    for page in (ada, bob):
        await page.wait_for("game_matched")
        await complete_loading(page, ATTEMPT)
        await declare_ready(page)
    await play(ada, bob, range(3))
    await ada.drop()
    await bob.wait_for("game_paused")
    back = await ada.come_back(url, last_frame=6)
    await declare_ready(back)
    await back.wait_for("game_resumed")
    await play(back, bob, range(3, 6))
    accepted(await bob.say("leave"))
    ended = await back.wait_for("game_ended")
    assert ended["reason"] == "player_left"
    await back.close()
    await bob.close()


async def play(first: RawPage, second: RawPage, frames: range) -> None:
    """Both act in these frames, and both hear the last step of them."""
    for frame in frames:
        for page in (first, second):
            await act(page, frame)
    for page in (first, second):
        await page.wait_for(
            "frame_actions", where=lambda told: told["from_frame"] == frames[-1] + 3
        )


def deserted(server: ServerProcess, before: ProcessView) -> ProcessView:
    """Wait until the server holds nothing for anybody, and no more for itself than before."""

    def look() -> ProcessView | None:
        view = process_view(server.admin, server.process_id)
        is_back = view.greenlets <= before.greenlets and view.files <= before.files
        return view if view.is_deserted and is_back else None

    return until(
        look,
        what="everything being let go of",
        timeout_s=30,
        instead=lambda: f"{process_view(server.admin, server.process_id)}, before: {before}",
    )


async def loaders_in_games(url: str) -> list[RawPage]:
    """Participants who load Python, all of them matched and none of them ready."""
    pages = await open_pages(url, LOADERS)
    await for_each(pages, lambda page: start_loading(page, ATTEMPT))
    await for_each(pages, join)
    await for_each(pages, lambda page: page.wait_for("game_matched"))
    return pages


async def vanish(pages: list[RawPage]) -> None:
    """All connections break at once."""
    await for_each(pages, lambda page: page.drop(), at_once=len(pages))


async def newcomers(url: str) -> set[str]:
    """Two come, are told of nobody but themselves, play with each other, and leave.

    Returns:
        Their session ids.
    """
    first, second = await RawPage.open(url), await RawPage.open(url)
    await join(first)
    assert (await first.wait_for("waiting_room"))["waiting"] == 1
    await join(second)
    games = {(await page.wait_for("game_matched"))["game_id"] for page in (first, second)}
    assert games == {game_id_of(first)}
    # Must not happen: that somebody who is not there was counted.
    assert {room["waiting"] for page in (first, second) for room in page.heard("waiting_room")} == {
        1
    }
    for page in (first, second):
        accepted(await page.say("leave"))
        await page.close()
    return {first.session_id, second.session_id}


def listed(server: ServerProcess, session_ids: set[str]) -> list[dict[str, Any]]:
    """These sessions, as the admin JSON has them."""
    sessions = [one for one in server.admin.sessions() if one["session_id"] in session_ids]
    assert len(sessions) == len(session_ids)
    return sessions


def late_s(events: list[dict[str, Any]], session_id: str) -> float:
    """Seconds from a session's last deadline to its end, by the log."""
    (lost,) = select(events, "link_lost", session_id=session_id)
    (gone,) = select(events, "session_gone", session_id=session_id)
    assert (lost["grace"], gone["why"]) == ("loading", "deadline_passed")
    return float(gone["at"]) - float(lost["at"]) - float(lost["deadline_in_s"])
