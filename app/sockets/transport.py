"""Our WebSocket for Engine.IO, and the one place that touches names its libraries keep private.

What it mends, each read in python-engineio 4.15 and simple-websocket 1.1:

- `simple_websocket` sends with one `sock.send`, which gevent may do in part: to a page that was
  frozen for some seconds, frames come out spliced. Here everything is sent, one sender at a time.
- engineio gives it no `max_message_size`, so it would buffer without limit.
- it reports close code 1005 both for a close frame without a code and for a plain end of the
  stream. Here the code is None unless a close frame arrived.
- a refused or finished Socket.IO connection leaves the WebSocket open. `Sockets.reap` closes it.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import engineio
import gevent
import gevent.event
import gevent.lock
import gevent.selectors
import simple_websocket
from wsproto.connection import ConnectionState
from wsproto.utilities import RemoteProtocolError

MAX_MESSAGE_BYTES = 1_000_000
"""A longer message closes its connection."""

MAX_BACKLOG_PACKETS = 2_000
"""Packets that may wait for a page which does not read; with more its connection is closed."""

MAX_UNHEARD_MESSAGES = 1_000
"""Messages that are read ahead of the handlers; with more, the page is read no further for now."""

UNBOUND_S = 8.0
"""Seconds a WebSocket may stay open without a session, before one begins or after it ended."""

ACK_ID = re.compile("^[0-9]{1,15}")
"""The number of an event that wants to be acknowledged."""

PING, PONG = "2", "3"
"""Engine.IO's heartbeat: the server asks, the page's main thread answers (protocol revision 4)."""

ENVIRON_KEY = "grace.websocket"
"""Where a WebSocket is found in the WSGI environment of its connection."""


class _Channel:
    """A socket that sends everything, one caller at a time, and is read only when there is room.

    Args:
        sock: the socket.
        room: set while what was read and not yet heard is little.
    """

    def __init__(self, sock: Any, room: gevent.event.Event) -> None:
        self._sock = sock
        self._room = room
        self._lock = gevent.lock.Semaphore()

    def recv(self, size: int) -> bytes:
        self._room.wait()
        data: bytes = self._sock.recv(size)
        return data

    def send(self, data: bytes) -> int:
        with self._lock:
            self._sock.sendall(data)
        return len(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


class _Greenlet(gevent.Greenlet):  # type: ignore[misc]
    """What simple_websocket expects of a thread class: a target and a name."""

    def __init__(self, target: Callable[[], None]) -> None:
        super().__init__(target)


class _Server(simple_websocket.Server):  # type: ignore[misc]
    """simple_websocket's server side, which sends everything and reads no more than it can keep."""

    def handshake(self) -> None:
        plain: Any = vars(self)["sock"]
        self.room = gevent.event.Event()
        self.room.set()
        self.sock = _Channel(plain, self.room)
        super().handshake()

    def _handle_events(self) -> bool:
        keep_going: bool = super()._handle_events()
        self.make_room()
        return keep_going

    def make_room(self) -> None:
        """Read on, or no further, by how many messages have not been heard yet."""
        if len(self.input_buffer) < MAX_UNHEARD_MESSAGES:
            self.room.set()
        else:
            self.room.clear()

    @property
    def close_code(self) -> int | None:
        """The code of the close frame that arrived; None while none did."""
        if self.ws.state not in (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED):
            return None
        return int(self.close_reason)


class GraceWebSocket:
    """What engineio's gevent driver wants of a WebSocket.

    It is called as a WSGI application, and has `send`, `wait` and `close` as the driver's handler
    uses them.

    Args:
        handler: engineio's handler of the transport, called with this object.
        sockets: where this WebSocket is kept while it is open.
    """

    def __init__(self, handler: Callable[[Any], Any], sockets: "Sockets") -> None:
        self._handler = handler
        self._sockets = sockets
        self._ws: Any = None
        self.unbound_since: float | None = None
        self.sid: str | None = None
        self.owes_since: float | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Accept the upgrade, and run the transport until it ends."""
        try:
            self._ws = _Server(
                environ,
                max_message_size=MAX_MESSAGE_BYTES,
                thread_class=_Greenlet,
                event_class=gevent.event.Event,
                selector_class=gevent.selectors.DefaultSelector,
            )
        except (RemoteProtocolError, simple_websocket.ConnectionError):
            start_response("400 Bad Request", [("Content-Type", "text/plain")])
            return [b"Not a WebSocket handshake."]
        except OSError:
            return []
        environ[ENVIRON_KEY] = self
        self._sockets.add(self)
        try:
            return self._handler(self)
        finally:
            self.abort()
            self._sockets.remove(self)

    @property
    def close_code(self) -> int | None:
        """The close code that the browser sent, None if it sent none (RFC 6455, 7.1.5)."""
        return None if self._ws is None else self._ws.close_code

    def send(self, message: str | bytes) -> None:
        """Send one message, whole; OSError when the connection is closed."""
        if message == PING:
            self._sockets.asked(self)
        try:
            self._ws.send(message)
        except simple_websocket.ConnectionClosed:
            raise OSError("the WebSocket is closed") from None

    def wait(self) -> str | bytes | None:
        """The next packet, or None once the connection is closed or sends what is no packet.

        engineio parses outside of any `try`: at nonsense its handler would end without saying that
        the connection is over.
        """
        try:
            message: str | bytes | None = self._ws.receive()
        except simple_websocket.ConnectionClosed:
            return None
        self._ws.make_room()
        if message == PONG:
            self._sockets.answered(self)
        return message if _is_packet(message) else None

    def close(self) -> None:
        """Send a close frame."""
        with contextlib.suppress(simple_websocket.ConnectionClosed, OSError):
            self._ws.close()

    def abort(self) -> None:
        """End the connection without waiting for anybody, as when a page no longer reads."""
        ws = self._ws
        if ws is None:
            return
        ws.connected = False
        ws.event.set()
        ws.room.set()
        with contextlib.suppress(OSError):
            ws.sock.shutdown(2)
        with contextlib.suppress(OSError):
            ws.sock.close()


class Sockets:
    """The open WebSockets of this process.

    Args:
        now: reads the clock, seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._open: set[GraceWebSocket] = set()
        self._owing: set[GraceWebSocket] = set()

    def add(self, websocket: GraceWebSocket) -> None:
        """Keep an open WebSocket; it has no session yet."""
        websocket.unbound_since = self._now()
        self._open.add(websocket)

    def remove(self, websocket: GraceWebSocket) -> None:
        """Forget a WebSocket that has ended."""
        self._open.discard(websocket)
        self._owing.discard(websocket)

    def asked(self, websocket: GraceWebSocket) -> None:
        """A PING is sent: from now on the page owes a PONG."""
        websocket.owes_since = self._now()
        self._owing.add(websocket)

    def answered(self, websocket: GraceWebSocket) -> None:
        """The page owes nothing any more."""
        websocket.owes_since = None
        self._owing.discard(websocket)

    def owing(self) -> Mapping[str, float]:
        """Since when each connection with a session owes a PONG, by sid, in seconds of `now`."""
        return {
            one.sid: one.owes_since
            for one in self._owing
            if one.sid is not None and one.owes_since is not None
        }

    def excuse(self, environ: dict[str, Any]) -> float:
        """Count a PING that is owed from now on; returns how old it was, in seconds."""
        websocket = _of(environ)
        if websocket is None or websocket.owes_since is None:
            return 0.0
        age_s = self._now() - websocket.owes_since
        websocket.owes_since += age_s
        return age_s

    def bind(self, environ: dict[str, Any], sid: str) -> None:
        """A session has begun on this connection, as Socket.IO's `sid`."""
        if (websocket := _of(environ)) is not None:
            websocket.unbound_since = None
            websocket.sid = sid

    def release(self, environ: dict[str, Any], within_s: float = UNBOUND_S) -> None:
        """The session on this connection is over; close it within `within_s` seconds."""
        if (websocket := _of(environ)) is not None:
            websocket.unbound_since = self._now() - UNBOUND_S + within_s

    def reap(self, now: float) -> None:
        """Close what has been open without a session for too long."""
        for websocket in [one for one in self._open if _is_stale(one, now)]:
            websocket.abort()

    def __len__(self) -> int:
        return len(self._open)


def _is_packet(message: str | bytes | None) -> bool:
    """Whether it is a packet that a Socket.IO client sends, without attachments.

    Engine.IO CLOSE (1), PONG (3), or MESSAGE (4) with Socket.IO's CONNECT, DISCONNECT or EVENT
    (0 to 2); nothing of ours asks for an ACK. See the Engine.IO protocol, revision 4, and the
    Socket.IO protocol, revision 5.
    """
    if not isinstance(message, str):
        return False
    kind, rest = message[:2], message[2:]
    if kind == "40":
        return _holds(rest or "{}", dict)
    if kind == "42":
        return _holds(ACK_ID.sub("", rest, count=1), list)
    return message in ("1", "3", "41")


def _holds(text: str, kind: type) -> bool:
    """Whether it is JSON of that kind; a list begins with something that can be looked up.

    At anything else python-socketio raises, and engineio logs a traceback each time.
    """
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return False
    if not isinstance(value, list):
        return isinstance(value, kind)
    return kind is list and bool(value) and not isinstance(value[0], list | dict)


def _of(environ: dict[str, Any]) -> GraceWebSocket | None:
    websocket = environ.get(ENVIRON_KEY)
    return websocket if isinstance(websocket, GraceWebSocket) else None


def _is_stale(websocket: GraceWebSocket, now: float) -> bool:
    return websocket.unbound_since is not None and now - websocket.unbound_since >= UNBOUND_S


def close_code_of(environ: dict[str, Any]) -> int | None:
    """The close code that the browser of this connection sent, None if it sent none."""
    websocket = _of(environ)
    return None if websocket is None else websocket.close_code


def abort(environ: dict[str, Any]) -> None:
    """End the connection of this WSGI environment at once."""
    if (websocket := _of(environ)) is not None:
        websocket.abort()


def install(eio: engineio.Server, sockets: Sockets) -> None:
    """Make an Engine.IO server use `GraceWebSocket`.

    engineio has no public way to name the class; it looks it up in `_async` for each upgrade
    (`engineio/socket.py`, `_upgrade_websocket`). The dictionary is shared by all servers of the
    process, so this one gets a copy.
    """

    def make(handler: Callable[[Any], Any], server: Any) -> GraceWebSocket:
        return GraceWebSocket(handler, sockets)

    eio._async = {**eio._async, "websocket": make}


def backlog(eio: engineio.Server, eio_sids: Iterable[str]) -> int:
    """How many packets wait to be sent to these connections, the most of any of them."""
    waiting = (eio.sockets[sid].queue.qsize() for sid in eio_sids if sid in eio.sockets)
    return max(waiting, default=0)


def excuse_ping(eio: engineio.Server, eio_sid: str, age_s: float) -> None:
    """Make Engine.IO take an unanswered PING of this connection for `age_s` seconds younger.

    Its only record of one is `last_ping`, the wall clock at its sending, None while none is owed
    (`engineio/socket.py`, `check_ping_timeout`).
    """
    socket = eio.sockets.get(eio_sid)
    if socket is not None and socket.last_ping is not None:
        socket.last_ping += age_s
