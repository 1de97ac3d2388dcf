"""The client's side of a WebSocket in place of one of `websockets`, with the server in the test."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from websockets.exceptions import ConnectionClosedError


class FakeClient:
    """Keeps what is sent, and brings what the test lets arrive.

    Attributes:
        sent: what the page has sent, in order.
        close_code: the code it was closed with; None while it is open or where no code came.
        is_broken: whether nothing can be sent any more.
        transport: what carries it, where the test has given it one.
    """

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.close_code: int | None = None
        self.is_broken = False
        self.transport: asyncio.Transport | None = None
        self._arrived: asyncio.Queue[str | bytes | None] = asyncio.Queue()

    async def send(self, message: str | bytes) -> None:
        """Keep it; fail when the connection is broken, as a real one does."""
        if self.is_broken:
            raise ConnectionClosedError(None, None)
        self.sent.append(message)

    async def close(self, code: int = 1000) -> None:
        """End with a code."""
        self.close_code = code
        self.end()

    def arrive(self, *messages: str | bytes) -> None:
        """Let the server say that."""
        for message in messages:
            self._arrived.put_nowait(message)

    def end(self) -> None:
        """The stream ends."""
        self._arrived.put_nowait(None)

    async def __aiter__(self) -> AsyncIterator[str | bytes]:
        while (message := await self._arrived.get()) is not None:
            yield message
