"""A player who does nothing but send actions and count the steps that come back.

It takes the connection of a raw page over, because decoding every message as a page does would
make the players slower than the server that is measured.
"""

import asyncio
import struct
import time
from collections import deque
from itertools import count

from app.lab.raw_page import RawPage

MASK = b"\x00\x00\x00\x00"
"""A mask of zeros changes nothing; a client has to have one (RFC 6455, 5.1)."""


class Player(asyncio.Protocol):
    """One seat of a running game.

    Attributes:
        delays_ms: how long each step took from this player's action to its relay, milliseconds;
            both players of a game act at the same time.
        late_ms: how late this player was with each action, as far as it was to be on time.
    """

    def __init__(self, page: RawPage, game_id: str) -> None:
        self._page = page
        self._before = f'42["player_action",{{"game_id":"{game_id}","frame":'.encode()
        self._buffer = b""
        self._steps = 0
        self._stepped = asyncio.Event()
        self._sent: deque[float] = deque()
        self._numbers = count()
        self.delays_ms: list[float] = []
        self.late_ms: list[float] = []
        page.hand_over(self)

    def act(self) -> None:
        """Send the action of the next frame."""
        frame = next(self._numbers)
        text = b'%s%d,"action":%d}]' % (self._before, frame, frame & 3)
        self._sent.append(time.perf_counter())
        self._page.transport.write(bytes((0x81, 0x80 | len(text))) + MASK + text)

    async def play(self, steps: int) -> None:
        """Act, wait for the step, act again: as fast as the server answers."""
        for _ in range(steps):
            self.act()
            await self._come_to(self._steps + len(self._sent))

    async def play_on_time(self, steps: int, period_s: float, start: float) -> None:
        """Act every `period_s` seconds from `start` on, by `time.perf_counter`."""
        for number in range(steps):
            due = start + number * period_s
            await asyncio.sleep(due - time.perf_counter())
            self.late_ms.append((time.perf_counter() - due) * 1000)
            self.act()
        await self._come_to(steps)

    def abort(self) -> None:
        """End the connection without a word."""
        self._page.transport.abort()

    async def _come_to(self, steps: int) -> None:
        async with asyncio.timeout(30):
            while self._steps < steps:
                self._stepped.clear()
                await self._stepped.wait()

    def data_received(self, data: bytes) -> None:
        """Count the steps in whatever arrives (frames of a server have no mask)."""
        data = self._buffer + data
        now = time.perf_counter()
        at = 0
        while len(data) - at >= 2:
            length, header = data[at + 1], 2
            if length == 126:
                if len(data) - at < 4:
                    break
                (length,), header = struct.unpack_from(">H", data, at + 2), 4
            if len(data) - at < header + length:
                break
            text = data[at + header : at + header + length]
            if text.startswith(b'42["frame_actions"'):
                self._count_steps(text.count(b"],[") + 1, now)
            at += header + length
        self._buffer = data[at:]

    def _count_steps(self, number: int, now: float) -> None:
        for _ in range(number):
            self._steps += 1
            self.delays_ms.append((now - self._sent.popleft()) * 1000)
        self._stepped.set()
