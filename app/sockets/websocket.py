"""The server's side of one WebSocket (RFC 6455), for gevent.

wsproto reads the frames; what is ours is when to read, and that everything is sent. gevent's `send`
may send a part: to a page that was frozen for some seconds, frames would come out spliced.
"""

import base64
import contextlib
import hashlib
from collections import deque
from collections.abc import Mapping
from typing import Any

import gevent
import gevent.lock
from wsproto import ConnectionType
from wsproto.connection import Connection, ConnectionState
from wsproto.events import CloseConnection, Message, Ping, TextMessage
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from app.sockets.frames import FrameSplitter

MAX_MESSAGE_BYTES = 1_000_000
"""A longer message closes its connection."""

READ_BYTES = 4096
"""What is taken from the network at once; a player's action has about 80 bytes."""

STEP_COST = 256
"""What a read, a frame and a message count for beside their bytes: see `_count`."""

PING_FRAME = b"\x89\x00"
"""A ping without payload (RFC 6455, 5.5.2); the pong that answers it has none either."""

KEY_BYTES = 16
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What a handshake's key is hashed with (RFC 6455, 1.3)."""


def accept_key(environ: Mapping[str, Any]) -> bytes | None:
    """What accepts a handshake, or None for what is not one (RFC 6455, 4.2.1).

    Args:
        environ: the WSGI environment of a GET request whose `Upgrade` is `websocket`.
    """
    key = str(environ.get("HTTP_SEC_WEBSOCKET_KEY", "")).strip()
    try:
        if len(base64.b64decode(key, validate=True)) != KEY_BYTES:
            return None
    except ValueError:
        return None
    if environ.get("HTTP_SEC_WEBSOCKET_VERSION", "").strip() != "13":
        return None
    digest = hashlib.sha1(key.encode() + MAGIC, usedforsecurity=False).digest()
    return base64.b64encode(digest)


class WebSocket:
    """One accepted connection, until it ends.

    It agrees on no extension: compressing messages this short saves nothing, costs memory for each
    connection, and would make each copy of a message another one.

    Args:
        sock: gevent's socket, from which the request was read.
        key: what `accept_key` gave.

    Attributes:
        is_open: whether messages can still come and go.
        longest: how many bytes a message may have; a longer one closes the connection.
        close_code: the code of the close frame that arrived (1005 without one); None while none
            did. A plain end of the stream has no code.
        is_broken: whether something could not be sent; what has come before may still be read.
        is_refused: whether it ended because the browser sent what is not allowed.
        moves: grows with whatever comes, and whenever somebody who had to wait for the network to
            take something sees that it has taken some: signs that somebody is at the other end.

    Raises:
        OSError: the browser is gone already.
    """

    def __init__(self, sock: Any, key: bytes) -> None:
        self._sock = sock
        self._sending = gevent.lock.Semaphore()
        self._waiting = 0
        self._protocol = Connection(ConnectionType.SERVER)
        self._splitter = FrameSplitter()
        self._messages: deque[str | bytes] = deque()
        self._partial = bytearray()
        self.longest = MAX_MESSAGE_BYTES
        self._taken = 0
        self.moves = 0
        self.is_open = True
        self.is_broken = False
        self.is_refused = False
        self.close_code: int | None = None
        self._send(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + key + b"\r\n\r\n"
        )
        # The server's timeouts are for requests.
        sock.settimeout(None)

    def receive(self) -> str | bytes | None:
        """The next message, waited for; None once the connection is closed, by whomever."""
        while not self._messages and self.is_open:
            self._read()
        self._count(STEP_COST)
        return self._messages.popleft() if self._messages else None

    def send(self, frame: bytes) -> None:
        """Send a frame, whole, after whatever is being sent; OSError when that is not possible."""
        if not self.is_open:
            raise OSError("the WebSocket is closed")
        self._send(frame)

    def send_now(self, frame: bytes) -> bool:
        """Send a frame without waiting; False, and nothing is sent, while somebody is sending.

        What the network does not take at once follows before anything else is sent.
        """
        # gevent gives a semaphore that was released to whoever comes before those who wait for it.
        if not self.is_open or self._waiting or not self._sending.acquire(blocking=False):
            return False
        try:
            sent = self._send_some(frame)
        except OSError:
            self._sending.release()
            return False
        if sent < len(frame):
            gevent.spawn(self._finish, frame[sent:])
        else:
            self._sending.release()
        return True

    def close(self) -> None:
        """Send a close frame; nothing more is taken, and the browser ends the connection."""
        if self.is_open:
            self._end(CloseReason.NORMAL_CLOSURE)

    def abort(self) -> None:
        """End the connection without waiting for anybody, as when a page no longer reads."""
        self.is_open = False
        with contextlib.suppress(OSError):
            self._sock.shutdown(2)
        with contextlib.suppress(OSError):
            self._sock.close()

    def _send(self, data: bytes) -> None:
        self._waiting += 1
        try:
            with self._sending:
                self._send_rest(data[self._send_some(data) :])
        finally:
            self._waiting -= 1

    def _send_some(self, data: bytes) -> int:
        """Send what the network takes at once; returns how many bytes that was."""
        try:
            # gevent's `send` waits unless its third argument, the timeout, is 0.
            sent: int = self._sock.send(data, 0, 0.0)
        except BlockingIOError:
            return 0
        except OSError:
            self.is_broken = True
            raise
        return sent

    def _send_rest(self, rest: bytes) -> None:
        """Send every byte, waiting for the network.

        What it takes at once says nothing: it keeps that until it learns that nobody is there.
        When it takes more, the other end has taken some.
        """
        left = memoryview(rest)
        while left:
            try:
                left = left[self._sock.send(left) :]
            except OSError:
                self.is_broken = True
                raise
            self.moves += 1

    def _finish(self, rest: bytes) -> None:
        try:
            self._send_rest(rest)
        except OSError:
            self.is_open = False
        finally:
            self._sending.release()

    def _end(self, reason: CloseReason) -> None:
        self.is_open = False
        with contextlib.suppress(OSError, LocalProtocolError):
            self._send(self._protocol.send(CloseConnection(code=reason)))

    def _read(self) -> None:
        try:
            data = self._sock.recv(READ_BYTES)
            self._count(STEP_COST + len(data))
            if data:
                self.moves += 1
            else:
                self.is_open = False
            for part in self._splitter.feed(data):
                if isinstance(part, str):
                    self._messages.append(part)
                else:
                    self._protocol.receive_data(part)
                    self._take_events()
                if not self.is_open:
                    return
        except (OSError, LocalProtocolError, RemoteProtocolError):
            self.is_open = False

    def _count(self, cost: int) -> None:
        """Let the others run now and then.

        gevent's `recv` waits only where there is nothing: whoever sends without a pause would be
        read without one, and nobody else served.
        """
        self._taken += cost
        if self._taken >= READ_BYTES:
            self._taken = 0
            gevent.sleep(0)

    def _take_events(self) -> None:
        for event in self._protocol.events():
            self._count(STEP_COST)
            if isinstance(event, Message):
                self._take_part(event)
            elif isinstance(event, Ping):
                self._send(self._protocol.send(event.response()))
            elif isinstance(event, CloseConnection):
                self.is_open = False
                # wsproto makes the same event of a frame that is illegal, but then stays open.
                if self._protocol.state is ConnectionState.OPEN:
                    self.is_refused = True
                else:
                    self.close_code = int(event.code)
                self._send(self._protocol.send(event.response()))
            if not self.is_open:
                return

    def _take_part(self, part: Message[Any]) -> None:
        is_text = isinstance(part, TextMessage)
        self._partial += part.data.encode() if is_text else part.data
        if len(self._partial) > self.longest:
            self.is_refused = True
            self._end(CloseReason.MESSAGE_TOO_BIG)
        elif part.message_finished:
            whole, self._partial = bytes(self._partial), bytearray()
            self._messages.append(whole.decode() if is_text else whole)
