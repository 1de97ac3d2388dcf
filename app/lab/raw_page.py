"""A page without a browser: one WebSocket, on which a test says exactly what it wants said.

It speaks Engine.IO (revision 4) and Socket.IO (revision 5) by hand, because a client library would
answer heartbeats, order messages and reconnect as it sees fit, and those are what is tested.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from itertools import count
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from app.lab.errors import LabError, NotReached

PATIENCE_S = 10.0
"""Seconds to wait for anything that the server is to send."""

PING, PONG = "2", "3"
"""Engine.IO's heartbeat: the server's question and the page's answer."""

NO_CLOSE_FRAME = 1006
"""What stands for the code where none came (RFC 6455, 7.4.1)."""

MOST_BYTES = 16_000_000
"""Of one message; more than the server ever sends."""

_page_numbers = count(1)
_pages: "WeakSet[RawPage]" = WeakSet()


class ConnectRefused(LabError):
    """The server refused the CONNECT; `code` and `data` are those of its `connect_error`."""

    def __init__(self, data: Mapping[str, Any], message: str) -> None:
        super().__init__(f"the connection was refused: {data.get('code')} ({message})")
        self.code = str(data.get("code"))
        self.data = dict(data)


def new_page_id() -> str:
    """An id that no page of this process has had."""
    return f"raw-page-{next(_page_numbers):08}"


class RawPage:
    """One connection of one page. All methods run on the loop that opened it.

    Use as an asynchronous context manager, or `close()` it.

    Attributes:
        page_id: the page's id, of all the connections of this page.
        handshake: the payload of Engine.IO's OPEN (`sid`, `pingInterval`), empty until it came.
        opened: the payload of `session_opened`, empty until it came.
        events: what the server has sent, `(event, payload)`, in order.
        answers_heartbeat: whether a PING is answered; a frozen page does not.
        ponged_at: when this page last sent a PONG, as `time.monotonic()`; before the first one,
            when the connection was opened.
        close_code: how the connection ended, as RFC 6455 numbers it; None while it is open.
        closed_at: when it ended, as `time.monotonic()`; None while it is open.
    """

    def __init__(self, socket: ClientConnection, page_id: str) -> None:
        self._socket = socket
        self._loop = asyncio.get_running_loop()
        self.page_id = page_id
        self.handshake: dict[str, Any] = {}
        self.opened: dict[str, Any] = {}
        self.events: list[tuple[str, Any]] = []
        self.answers_heartbeat = True
        # A loop's own time is `time.monotonic()`.
        self.ponged_at = self._loop.time()
        self.close_code: int | None = None
        self.closed_at: float | None = None
        self._acks: dict[int, asyncio.Future[Any]] = {}
        self._ack_numbers = count(1)
        self._connected: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._changed = asyncio.Event()
        self._reader = asyncio.create_task(self._read())
        _pages.add(self)

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        page_id: str | None = None,
        origin: str | None = None,
        answers_heartbeat: bool = True,
        **auth: Any,
    ) -> Self:
        """Open a WebSocket and connect; returns once the server has accepted.

        Args:
            url: the server's address, `http://HOST:PORT`.
            page_id: the page's id; by default a new page's.
            origin: the `Origin` header; a browser always sends one, and this sends none by default.
            answers_heartbeat: whether PINGs are answered from the first one on.
            auth: the rest of CONNECT's `auth`, as `token`, `participant`, `runtime`, `last_frame`.

        Raises:
            ConnectRefused: the server refused the CONNECT.
        """
        page = await cls.open_socket(url, page_id=page_id, origin=origin)
        page.answers_heartbeat = answers_heartbeat
        try:
            await page.connect(**auth)
        except BaseException:
            await page.close()
            raise
        return page

    @classmethod
    async def open_socket(
        cls, url: str, *, page_id: str | None = None, origin: str | None = None
    ) -> Self:
        """Open a WebSocket only: no CONNECT is sent, and there is no session yet."""
        address = url.replace("http", "ws", 1) + "/socket.io/?EIO=4&transport=websocket"
        headers = {} if origin is None else {"Origin": origin}
        socket = await connect(
            address,
            additional_headers=headers,
            compression=None,
            max_size=MOST_BYTES,
            max_queue=None,
            ping_interval=None,
            open_timeout=PATIENCE_S,
            close_timeout=2.0,
            proxy=None,
        )
        return cls(socket, page_id or new_page_id())

    async def connect(self, **auth: Any) -> dict[str, Any]:
        """Send CONNECT and wait for the answer; returns `session_opened`.

        Raises:
            ConnectRefused: the server refused it.
            NotReached: it did not answer in time.
        """
        await self.send_text("40" + json.dumps({"page_id": self.page_id, **auth}))
        try:
            await asyncio.wait_for(asyncio.shield(self._connected), PATIENCE_S)
        except TimeoutError:
            raise NotReached("the server answering CONNECT", PATIENCE_S, str(self)) from None
        return self.opened

    @property
    def session_id(self) -> str:
        """The id of the session."""
        return str(self.opened["session_id"])

    @property
    def token(self) -> str:
        """The credential of the session."""
        return str(self.opened["token"])

    @property
    def epoch(self) -> int:
        """The session's number for this connection."""
        return int(self.opened["epoch"])

    @property
    def is_open(self) -> bool:
        """Whether the connection has not ended."""
        return self.close_code is None

    async def say(self, event: str, payload: Any = None) -> dict[str, Any]:
        """Send an event and wait for its acknowledgement.

        Raises:
            NotReached: it was not acknowledged in time, or the connection ended before.
        """
        answer = await self.send(event, {} if payload is None else payload)
        try:
            return dict(await asyncio.wait_for(answer, PATIENCE_S))
        except TimeoutError:
            raise NotReached(f"{event} being acknowledged", PATIENCE_S, str(self)) from None

    async def send(self, event: str, payload: Any) -> "asyncio.Future[Any]":
        """Send an event; returns the acknowledgement that is to come.

        Raises:
            LabError: the connection has ended.
        """
        number = next(self._ack_numbers)
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if not self.is_open:
            raise LabError(f"the connection of {self} has ended")
        self._acks[number] = answer
        await self.send_text(f"42{number}{json.dumps([event, payload])}")
        return answer

    async def tell(self, event: str, payload: Any) -> None:
        """Send an event that asks for no acknowledgement."""
        await self.send_text(f"42{json.dumps([event, payload])}")

    async def send_text(self, text: str | bytes) -> None:
        """Send one WebSocket message as it is; nothing happens when the connection has ended."""
        try:
            await self._socket.send(text)
        except ConnectionClosed:
            return
        if text == PONG:
            self.ponged_at = self._loop.time()
            self._changed.set()

    def heard(self, event: str) -> list[Any]:
        """The payloads of that event, in order."""
        return [payload for name, payload in self.events if name == event]

    async def wait_for(
        self,
        event: str,
        *,
        where: Callable[[Any], bool] = lambda _: True,
        timeout_s: float = PATIENCE_S,
    ) -> Any:
        """The first payload of that event that fits, waited for if it is not there yet.

        Raises:
            NotReached: it did not come in time.
        """

        def look() -> Any:
            return next((one for one in self.heard(event) if where(one)), None)

        return await self._reach(look, f"a page hearing {event}", timeout_s)

    async def wait_heartbeat(self, timeout_s: float) -> None:
        """Wait until this page has answered another heartbeat.

        Raises:
            NotReached: none came in time.
        """
        before = self.ponged_at
        await self._reach(
            lambda: True if self.ponged_at > before else None,
            "a page being asked for a sign of life",
            timeout_s,
        )

    async def wait_closed(self, timeout_s: float = PATIENCE_S) -> int:
        """Wait until the connection has ended; returns its close code.

        Raises:
            NotReached: it is still open.
        """
        try:
            await asyncio.wait_for(asyncio.shield(self._reader), timeout_s)
        except TimeoutError:
            raise NotReached("the connection ending", timeout_s, str(self)) from None
        return self.close_code or NO_CLOSE_FRAME

    @property
    def transport(self) -> asyncio.Transport:
        """What carries the connection."""
        return self._socket.transport

    def hand_over(self, protocol: asyncio.Protocol) -> None:
        """Let a protocol of the caller's have everything from now on; this page hears no more."""
        self._reader.cancel()
        self._socket.transport.set_protocol(protocol)

    def stop_reading(self) -> None:
        """Take nothing more from the network, as a page whose receive buffer is full."""
        self._socket.transport.pause_reading()

    def go_on_reading(self) -> None:
        """Take again what the network has."""
        self._socket.transport.resume_reading()

    async def close(self, code: int = 1001) -> None:
        """End with a close frame: 1001 is what a browser sends for a page that goes away."""
        await self._socket.close(code)
        await self.wait_closed()

    async def drop(self) -> None:
        """End without a close frame, as a network that breaks or a process that is killed."""
        self._socket.transport.abort()
        await self.wait_closed()

    async def come_back(self, url: str, **auth: Any) -> "RawPage":
        """The same page on another connection, with its token."""
        return await RawPage.open(url, page_id=self.page_id, token=self.token, **auth)

    async def reload(self, url: str, **auth: Any) -> "RawPage":
        """Another page of the same tab, with the same token."""
        return await RawPage.open(url, token=self.token, **auth)

    def __str__(self) -> str:
        heard = ", ".join(name for name, _ in self.events[-8:])
        state = "open" if self.is_open else f"closed with {self.close_code}"
        return f"{self.page_id} ({state}) heard last: {heard or 'nothing'}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    async def _reach(self, look: Callable[[], Any], what: str, timeout_s: float) -> Any:
        """What `look` finds, as soon as it finds something."""
        try:
            async with asyncio.timeout(timeout_s):
                while (found := look()) is None:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise NotReached(what, timeout_s, str(self)) from None
        return found

    async def _read(self) -> None:
        try:
            async for message in self._socket:
                if isinstance(message, str):
                    await self._take(message)
        except ConnectionClosed:
            pass
        finally:
            self.close_code = self._socket.close_code or NO_CLOSE_FRAME
            self.closed_at = self._loop.time()
            ended = LabError(f"the connection of {self} has ended")
            for answer in (self._connected, *self._acks.values()):
                if not answer.done():
                    answer.set_exception(ended)
                    # Whoever does not wait for it does not want to hear of it either.
                    answer.exception()
            self._changed.set()

    async def _take(self, message: str) -> None:
        if message == PING:
            if self.answers_heartbeat:
                await self.send_text(PONG)
        elif message.startswith("0"):
            self.handshake = json.loads(message[1:])
        elif message.startswith("42"):
            event, *payloads = json.loads(message[2:])
            self.events.append((event, payloads[0] if payloads else None))
            if event == "session_opened":
                self.opened = payloads[0]
            self._changed.set()
        elif message.startswith("43"):
            start = message.index("[")
            answer = self._acks.pop(int(message[2:start]), None)
            if answer is not None and not answer.done():
                answer.set_result(json.loads(message[start:])[0])
        elif message.startswith("40"):
            if not self._connected.done():
                self._connected.set_result(None)
        elif message.startswith("44") and not self._connected.done():
            error = json.loads(message[2:])
            refused = ConnectRefused(error.get("data") or {}, str(error.get("message")))
            self._connected.set_exception(refused)


def abort_pages() -> None:
    """End the connections of all pages of this loop without a close frame."""
    loop = asyncio.get_running_loop()
    for page in _pages:
        if page._loop is loop:
            page.transport.abort()
