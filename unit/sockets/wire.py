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

PATIENCE_S = 5.0
"""When a test that waits for something that never comes fails."""

DEEP = "4" + "[" * 50_000
"""A packet whose JSON no parser follows to its end."""


def masked(text: str) -> bytes:
    """A short text frame as a browser sends it, with a mask of zeros (RFC 6455, 5.2)."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode()


class Wire:
    """The server's end: takes a few bytes at a time, and says nothing until the browser does.

    Attributes:
        sent: what went out.
        most: how many bytes `send` takes at once, as when the browser's buffer is nearly full.
        gate: sending waits here after each part; set unless the test clears it.
        closed: whether the server let go of it.
    """

    def __init__(self) -> None:
        self.sent = bytearray()
        self.most = 1_000_000
        self.gate = gevent.event.Event()
        self.gate.set()
        self.closed = False
        self._arrived: gevent.queue.Queue = gevent.queue.Queue()

    def send(self, data: bytes) -> int:
        """Take what fits; gevent's `send` may do that too."""
        if self.closed:
            raise BrokenPipeError("the connection is closed")
        self.sent += data[: self.most]
        return min(len(data), self.most)

    def sendall(self, data: bytes) -> None:
        """Take everything, one part after the other, as gevent's does."""
        while data:
            data = data[self.send(data) :]
            assert self.gate.wait(PATIENCE_S)

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

    def shutdown(self, how: int) -> None:
        """Wake up whoever reads, and let nobody write."""
        self.closed = True
        self.gate.set()
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
        request = self._ws.send(Request(host="localhost", target="/socket.io/"))
        lines = request.decode().split("\r\n")[1:]
        self.environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "werkzeug.socket": self.wire}
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
        return any(isinstance(event, AcceptConnection) for event in self._events_so_far())

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
