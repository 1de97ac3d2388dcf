"""A WebSocket's two ends without a network: the socket that the server has, and the browser."""

from typing import Any

import gevent
import gevent.event
import gevent.queue
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.extensions import Extension, PerMessageDeflate

from app.sockets.transport import SOCKET_KEY

PATIENCE_S = 5.0
"""When a test that waits for something that never comes fails."""

DEEP = "4" + "[" * 50_000
"""A packet whose JSON no parser follows to its end."""


def masked(text: str) -> bytes:
    """A short text frame as a browser sends it, with a mask of zeros (RFC 6455, 5.2)."""
    return frame(0x81, text.encode())


def frame(first: int, data: bytes, mask: bytes = bytes(4)) -> bytes:
    """Any frame as a browser sends it, right or wrong.

    Args:
        first: the byte with FIN and the opcode.
        data: the payload.
        mask: four bytes.
    """
    size = len(data)
    if size < 126:
        header = bytes([first, 0x80 | size])
    elif size < 1 << 16:
        header = bytes([first, 0xFE]) + size.to_bytes(2)
    else:
        header = bytes([first, 0xFF]) + size.to_bytes(8)
    masks = (mask * (size // 4 + 1))[:size]
    return header + mask + (int.from_bytes(data) ^ int.from_bytes(masks)).to_bytes(size)


class Wire:
    """The server's end: takes a few bytes at a time, and says nothing until the browser does.

    Attributes:
        sent: what went out.
        most: how many bytes one call takes, as when the browser's buffer is nearly full.
        closed: whether the server let go of it.
        timeout: seconds that the server gives it to say something, at first those of a request.
    """

    def __init__(self) -> None:
        self.sent = bytearray()
        self.most = 1_000_000
        self.closed = False
        self.timeout: float | None = 30.0
        self._room: int | None = None
        self._thawed = gevent.event.Event()
        self._thawed.set()
        self._arrived: gevent.queue.Queue = gevent.queue.Queue()

    def freeze(self, room: int = 0) -> None:
        """Take no more than so many bytes, as for a page that does not read."""
        self._room = room
        self._thawed.clear()

    def thaw(self) -> None:
        """Take everything again; who waits goes on when the caller lets others run."""
        self._room = None
        self._thawed.set()

    def send(self, data: bytes, flags: int = 0, timeout: float | None = None) -> int:
        """Take what fits; gevent's `send` may do that too, and with a timeout of 0 never waits."""
        while not self.closed and self._room == 0:
            if timeout == 0:
                raise BlockingIOError("the buffer is full")
            assert self._thawed.wait(PATIENCE_S)
        if self.closed:
            raise BrokenPipeError("the connection is closed")
        taken = data[: self.most if self._room is None else min(self.most, self._room)]
        if self._room is not None:
            self._room -= len(taken)
        self.sent += taken
        return len(taken)

    def sendall(self, data: bytes) -> None:
        """Take everything, one part after the other, as gevent's does."""
        while data:
            data = data[self.send(data) :]

    def arrive(self, data: bytes | Exception) -> None:
        """What the network brings; b"" is the end of the stream."""
        self._arrived.put(data)

    def recv(self, size: int) -> bytes:
        """Wait for what arrives."""
        data = self._arrived.get(timeout=PATIENCE_S)
        if isinstance(data, Exception):
            raise data
        assert isinstance(data, bytes)
        if len(data) > size:
            self._arrived.queue.appendleft(data[size:])
        return data[:size]

    def unread(self) -> int:
        """How many pieces nobody has asked for yet."""
        return len(self._arrived)

    def settimeout(self, seconds: float | None) -> None:
        """Keep how long it may take to say something; None is for ever."""
        self.timeout = seconds

    def shutdown(self, how: int) -> None:
        """Wake up whoever reads or writes; nobody may write any more."""
        self.closed = True
        self._thawed.set()
        self.arrive(b"")

    def close(self) -> None:
        """Let go of it."""
        self.closed = True


class Browser:
    """The browser's end: frames real WebSocket messages, and reads real ones.

    Attributes:
        wire: the server's end.
        environ: the WSGI environment of the upgrade.
    """

    def __init__(self) -> None:
        self.wire = Wire()
        self._ws = WSConnection(ConnectionType.CLIENT)
        # Every browser offers to compress.
        extensions: list[Extension] = [PerMessageDeflate()]
        request = self._ws.send(
            Request(host="localhost", target="/socket.io/", extensions=extensions)
        )
        lines = request.decode().split("\r\n")[1:]
        self.environ: dict[str, Any] = {"REQUEST_METHOD": "GET", SOCKET_KEY: self.wire}
        for name, separator, value in (line.partition(": ") for line in lines):
            if separator:
                self.environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        self._read = 0
        self._events: list[Event] = []

    def say(self, message: str | bytes, *, finished: bool = True) -> None:
        """Send a message, or a part of one."""
        if isinstance(message, str):
            self._send(TextMessage(data=message, message_finished=finished))
        else:
            self._send(BytesMessage(data=message, message_finished=finished))

    def ping(self) -> None:
        """Send a protocol ping; the server answers it between whatever else it sends."""
        self._send(Ping(payload=b"ping"))

    def close(self, code: int | None) -> None:
        """Send a close frame, without a code if there is none."""
        if code is None:
            # wsproto sends no empty close frame: FIN and opcode 8, masked, no payload.
            self.wire.arrive(b"\x88\x80\x00\x00\x00\x00")
        else:
            self._send(CloseConnection(code=code))

    def vanish(self, error: Exception | None = None) -> None:
        """End the stream without a word, or with a network's error."""
        self.wire.arrive(error or b"")

    def _send(self, event: Event) -> None:
        self._events_so_far()  # The upgrade is accepted before anything else can be sent.
        self.wire.arrive(self._ws.send(event))

    def heard(self) -> list[str | bytes]:
        """Every whole message that came so far."""
        messages: list[str | bytes] = []
        parts: list[Any] = []
        for event in self._events_so_far():
            if isinstance(event, TextMessage | BytesMessage):
                parts.append(event.data)
                if event.message_finished:
                    messages.append(parts[0][:0].join(parts))
                    parts = []
        assert not parts, "a message has no end"
        return messages

    def was_accepted(self) -> bool:
        """Whether the upgrade was accepted."""
        return bool(self._acceptances())

    def extensions(self) -> list[Extension]:
        """The extensions that both ends have agreed on."""
        (acceptance,) = self._acceptances()
        return list(acceptance.extensions)

    def _acceptances(self) -> list[AcceptConnection]:
        return [one for one in self._events_so_far() if isinstance(one, AcceptConnection)]

    def pongs(self) -> int:
        """How many protocol pings were answered."""
        return sum(isinstance(event, Pong) for event in self._events_so_far())

    def closed_with(self) -> int | None:
        """The code of the close frame that came, if one came."""
        codes = [one.code for one in self._events_so_far() if isinstance(one, CloseConnection)]
        return codes[0] if codes else None

    def _events_so_far(self) -> list[Event]:
        data = bytes(self.wire.sent[self._read :])
        self._read += len(data)
        if data:
            self._ws.receive_data(data)
            self._events.extend(self._ws.events())
        return self._events
