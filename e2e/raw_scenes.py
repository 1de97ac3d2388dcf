"""What raw pages do together before a test begins: load, wait, are matched, play."""

import asyncio
from typing import Any

from app.lab.admin import Event
from app.lab.raw_page import RawPage
from app.lab.server import ServerProcess

Pair = tuple[RawPage, RawPage]
"""Two pages with seats in one game; the first to come has the first seat."""


async def logged(server: ServerProcess, event: str, **where: Any) -> Event:
    """`AdminClient.wait_for_event`, while the pages of this loop go on answering."""
    return await asyncio.to_thread(server.admin.wait_for_event, event, **where)


async def session_of(server: ServerProcess, page: RawPage) -> dict[str, Any]:
    """The page's session as the admin JSON lists it."""
    session = await asyncio.to_thread(server.admin.session, page.session_id)
    assert session is not None, f"the session of {page} is not listed"
    return session


async def work_off_losses(server: ServerProcess) -> None:
    """Return when every loss that the server has noticed by now is worked off.

    They are worked off in order, so one more is put behind them and waited for.
    """
    last = await RawPage.open(server.url)
    await last.drop()
    await logged(server, "link_lost", session_id=last.session_id)


async def start_loading(page: RawPage, attempt_id: str = "load-0001") -> dict[str, Any]:
    """Announce a load; returns the acknowledgement, which has to be a good one."""
    announced = {"attempt_id": attempt_id, "path": "preload", "runtime": "main"}
    return accepted(await page.say("pyodide_loading_start", announced))


async def complete_loading(
    page: RawPage, attempt_id: str = "load-0001", error: str | None = None
) -> dict[str, Any]:
    """Announce the end of a load; returns the acknowledgement, which has to be a good one."""
    ended = (
        {"attempt_id": attempt_id} if error is None else {"attempt_id": attempt_id, "error": error}
    )
    return accepted(await page.say("pyodide_loading_complete", ended))


async def join(page: RawPage) -> None:
    """Queue for the game of the scene."""
    accepted(await page.say("join_game"))


async def matched_pair(url: str) -> Pair:
    """Two new participants who were matched; they are the only ones who wait."""
    first, second = await RawPage.open(url), await RawPage.open(url)
    await join(first)
    await join(second)
    await second.wait_for("game_matched")
    await first.wait_for("game_matched")
    return first, second


async def running_pair(url: str) -> Pair:
    """Two new participants whose game runs."""
    pair = await matched_pair(url)
    for page in pair:
        await declare_ready(page)
    for page in pair:
        await page.wait_for("game_started")
    return pair


async def declare_ready(page: RawPage) -> None:
    """Say that the page can step its game."""
    accepted(await page.say("player_ready", {"game_id": game_id_of(page)}))


async def act(page: RawPage, frame: int, action: int = 0) -> None:
    """Send the action of a frame."""
    payload = {"game_id": game_id_of(page), "frame": frame, "action": action}
    await page.tell("player_action", payload)


def game_id_of(page: RawPage) -> str:
    """The game that the page was told of last on this connection."""
    matched = page.heard("game_matched")
    game = matched[-1] if matched else page.opened["game"]
    return str(game["game_id"])


def accepted(answer: dict[str, Any]) -> dict[str, Any]:
    """The acknowledgement, which has to say that the message was taken."""
    assert answer["ok"], answer
    return answer


def refused_with(answer: dict[str, Any]) -> str:
    """The code of an acknowledgement, which has to say that the message was refused."""
    assert not answer["ok"], answer
    return str(answer["error"]["code"])
