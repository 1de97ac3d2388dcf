"""A game of two raw pages, one of whom may stop reading while both go on acting.

A real page that is frozen does not act either, and its game waits for it. Here its actions go on,
because that is what makes the server send it the most that it can ever have to.
"""

import asyncio
import math
import socket
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

from websockets.asyncio.client import connect

from app.lab.raw_page import RawPage
from e2e.raw_scenes import declare_ready, join

STEPS_PER_S = 30
"""Steps that a game makes in a second, where its study says nothing else."""

MINUTE = 60 * STEPS_PER_S
"""Steps of a minute's play."""

SENT_PER_S = 180
"""Steps that are made in a second here; a page may send 200 messages."""

DELAY = 3
"""`input_delay_frames`: the first steps, which nobody can have acted in."""

SMALL, LARGE = 0, 30
"""Numbers that fill an action up: a step takes about 100 bytes, or 1,100."""

RECEIVE_BYTES, SEGMENT_BYTES = 2304, 536
"""Small buffers at both ends, because Linux derives the sender's from the largest segment.

Together they take some 70 kB, where on loopback it would be 4 MB; what comes then is queued.
"""


async def open_narrow(url: str, **auth: Any) -> RawPage:
    """Open a page to whom the network takes little more than it has read."""
    address = urlsplit(url)
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BYTES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
    sock.connect((address.hostname, address.port))
    sock.setblocking(False)
    connection = await connect(
        f"ws://{address.netloc}/socket.io/?EIO=4&transport=websocket",
        sock=sock,
        compression=None,
        max_size=None,
        max_queue=None,
        ping_interval=None,
    )
    page = RawPage(connection, "narrow-page")
    await page.connect(**auth)
    return page


class PacedGame:
    """A running game whose every step is known beforehand.

    Args:
        reader: has the first seat, and is the one who may stop reading.
        partner: has the second seat, and hears everything at once.
        fill: how many numbers fill up each action.

    Attributes:
        frame: the next frame that both act in.
    """

    def __init__(self, reader: RawPage, partner: RawPage, fill: int) -> None:
        self.reader = reader
        self.partner = partner
        self.game_id = str(partner.heard("game_matched")[-1]["game_id"])
        self.frame = 0
        self._fill = [2**52] * fill

    @classmethod
    async def start(cls, url: str, fill: int) -> Self:
        """Match two new pages with each other and start their game."""
        reader, partner = await open_narrow(url), await RawPage.open(url)
        for page in (reader, partner):
            await join(page)
        for page in (reader, partner):
            await page.wait_for("game_matched")
            await declare_ready(page)
        for page in (reader, partner):
            await page.wait_for("game_started")
        return cls(reader, partner, fill)

    async def __aenter__(self) -> Self:
        """The game runs."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Both pages end, and do not wait for what they were still to be sent."""
        for page in (self.reader, self.partner):
            await page.drop()

    async def come_back(self, url: str, last_frame: int | None) -> dict[str, Any]:
        """The reader connects again: the same page with its last frame, or without one a new page.

        Returns:
            The game as `session_opened` carries it; it goes on.
        """
        before = self.reader
        if last_frame is None:
            self.reader = await before.reload(url)
        else:
            self.reader = await before.come_back(url, last_frame=last_frame)
        # Of what it does not read it does not even notice the end.
        await before.drop()
        game: dict[str, Any] = self.reader.opened["game"]
        assert game["from_frame"] == (last_frame or 0)
        known = game["from_frame"] + len(game["actions"])
        # The last step may have been made, and its sender lost before the partner had heard it.
        assert known - DELAY - self.frame in (0, 1)
        self.frame = known - DELAY
        for page in (self.reader, self.partner):
            await declare_ready(page)
        await self.reader.wait_for("game_resumed")
        return game

    async def play(self, steps: int) -> bool:
        """Both act in the next frames, and the partner hears each step before the next one.

        Returns:
            Whether all steps were made; False once the reader's connection is lost.
        """
        lost = asyncio.create_task(self._told_of_loss())
        loop = asyncio.get_running_loop()
        begun = loop.time()
        try:
            for number in range(steps):
                for seat, page in enumerate((self.reader, self.partner)):
                    await page.tell("player_action", self._action(seat))
                heard = asyncio.create_task(self._heard_step(self.frame + DELAY))
                await asyncio.wait({heard, lost}, return_when=asyncio.FIRST_COMPLETED)
                if not heard.done():
                    heard.cancel()
                    return False
                heard.result()
                self.frame += 1
                # Faster than this the server would refuse what a page says.
                await asyncio.sleep(begun + (number + 1) / SENT_PER_S - loop.time())
        finally:
            lost.cancel()
        return True

    def steps(self) -> list[Any]:
        """Every step that was made so far, from the first one on."""
        acted = [[self._acted(seat, frame) for seat in (0, 1)] for frame in range(self.frame)]
        return [[0, 0]] * DELAY + acted

    def _acted(self, seat: int, frame: int) -> list[int]:
        return [frame, seat, *self._fill]

    def _action(self, seat: int) -> dict[str, Any]:
        action = self._acted(seat, self.frame)
        return {"game_id": self.game_id, "frame": self.frame, "action": action}

    async def _told_of_loss(self) -> None:
        def is_away_now(told: dict[str, Any]) -> bool:
            return told["link"] == "away" and told is self.partner.heard("partner_status")[-1]

        await self.partner.wait_for("partner_status", where=is_away_now, timeout_s=math.inf)

    async def _heard_step(self, step: int) -> None:
        await self.partner.wait_for("frame_actions", where=lambda told: _end_of(told) > step)


def delivered(events: Sequence[tuple[str, Any]], from_frame: int) -> list[Any]:
    """The steps that a page was sent on one connection, which have to be complete and in order.

    What the server says about the game's frame in between has to be said in its place, too.

    Args:
        events: what the page heard, `RawPage.events`.
        from_frame: the first step that was to come.
    """
    steps: list[Any] = []
    for name, payload in events:
        if name == "frame_actions":
            assert payload["from_frame"] == from_frame + len(steps), "a step is missing, or twice"
            steps += payload["actions"]
        elif name in ("game_started", "game_resumed", "game_paused"):
            assert payload["frame"] == from_frame + len(steps), f"{name} is not in its place"
    return steps


def _end_of(told: dict[str, Any]) -> int:
    return int(told["from_frame"]) + len(told["actions"])
