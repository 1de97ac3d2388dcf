"""Our WebSocket for Engine.IO, and the one place that touches names its libraries keep private.

What it mends, each read in python-engineio 4.15:

- its gevent driver takes a WebSocket class that sends with one `sock.send`, keeps messages of any
  length, and cannot tell a close frame without a code from a plain end of the stream.
- a refused or finished Socket.IO connection leaves the WebSocket open. `Sockets.reap` closes it.
- the way of an event through Engine.IO, Socket.IO and Flask-SocketIO costs more than the event.
"""

from collections.abc import Callable, Mapping
from typing import Any

import engineio
from engineio.packet import NOOP, Packet

from app.sockets.packets import CONNECT, PING, PONG, PageEvent, read_packet, text_frame
from app.sockets.websocket import MAX_MESSAGE_BYTES, WebSocket, accept_key

MAX_BACKLOG_PACKETS = 2_000
"""Packets that may wait for a page which does not read; with more its connection is closed."""

MAX_CONNECT_BYTES = 128_000
"""What a connection without a session may say at once; with more it is closed."""

UNBOUND_S = 8.0
"""Seconds a WebSocket may stay open without a session, before one begins or after it ended."""

SOCKET_KEY = "grace.socket"
"""Where the server puts the socket of a request into its WSGI environment."""

ENVIRON_KEY = "grace.websocket"
"""Where a WebSocket is found in the WSGI environment of its connection."""


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
        self._ws: WebSocket | None = None
        self.opened_at = 0.0
        self.unbound_since: float | None = None
        self.sid: str | None = None
        self.owes_since: float | None = None

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        """Accept the upgrade, and run the transport until it ends."""
        key = accept_key(environ)
        if key is None:
            headers = [("Content-Type", "text/plain"), ("Sec-WebSocket-Version", "13")]
            start_response("400 Bad Request", headers)
            # It finds nothing to wait for; else engineio would keep its socket for a minute.
            self._handler(self)
            return [b"Not a WebSocket handshake."]
        try:
            self._ws = WebSocket(environ[SOCKET_KEY], key)
        except OSError:
            return self._handler(self)
        # A stranger has nothing longer to say than a CONNECT.
        self.take_up_to(MAX_CONNECT_BYTES)
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

    def send(self, message: str) -> None:
        """Send one message, whole; OSError when the connection is closed."""
        if self._ws is None:
            raise OSError("the WebSocket is not open")
        if message == PING:
            self._sockets.asked(self)
        self._ws.send(text_frame(message))

    def send_now(self, frame: bytes) -> bool:
        """Send a WebSocket frame without waiting; False when it has to be queued instead."""
        return self._ws is not None and self._ws.send_now(frame)

    def wait(self) -> str | None:
        """The next packet for Engine.IO, or None when the connection is closed or sends nonsense.

        Events of a page that has a session are handed to the listener, here and in order: what
        Engine.IO, Socket.IO and Flask would do on the way to it costs more than the event.
        engineio parses outside of any `try`: at nonsense its handler would end without saying that
        the connection is over.
        """
        while self._ws is not None:
            packet = read_packet(self._ws.receive())
            if packet == PONG:
                self._sockets.answered(self)
            if not isinstance(packet, PageEvent):
                # Socket.IO answers every CONNECT of a connection that has a session, without end.
                again = packet is not None and packet.startswith(CONNECT)
                has_session = self.sid is not None and self.unbound_since is None
                return None if again and has_session else packet
            # Without a session there is nobody who says anything.
            if self.sid is not None:
                self._sockets.listener(self.sid, packet)
        return None

    def take_up_to(self, size: int) -> None:
        """From now on a message of more than `size` bytes closes the connection."""
        if self._ws is not None:
            self._ws.longest = size

    def close(self) -> None:
        """Send a close frame."""
        if self._ws is not None:
            self._ws.close()

    def abort(self) -> None:
        """End the connection without waiting for anybody, as when a page no longer reads."""
        if self._ws is not None:
            self._ws.abort()


class Sockets:
    """The open WebSockets of this process.

    Args:
        now: reads the clock, seconds.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._open: set[GraceWebSocket] = set()
        self._owing: set[GraceWebSocket] = set()
        self._by_sid: dict[str, GraceWebSocket] = {}
        self.listener: Callable[[str, PageEvent], None] = lambda sid, event: None

    def add(self, websocket: GraceWebSocket) -> None:
        """Keep an open WebSocket; it has no session yet."""
        websocket.unbound_since = websocket.opened_at = self._now()
        self._open.add(websocket)

    def remove(self, websocket: GraceWebSocket) -> None:
        """Forget a WebSocket that has ended."""
        self._open.discard(websocket)
        self._owing.discard(websocket)
        if websocket.sid is not None and self._by_sid.get(websocket.sid) is websocket:
            del self._by_sid[websocket.sid]

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

    def of(self, sid: str) -> GraceWebSocket | None:
        """The WebSocket with this session, while it is open."""
        return self._by_sid.get(sid)

    def excuse(self, sid: str) -> float:
        """Count a PING that is owed from now on; returns how old it was, in seconds."""
        websocket = self.of(sid)
        if websocket is None or websocket.owes_since is None:
            return 0.0
        age_s = self._now() - websocket.owes_since
        websocket.owes_since += age_s
        return age_s

    def bind(self, environ: dict[str, Any], sid: str) -> None:
        """A session begins on this connection, as Socket.IO's `sid`."""
        websocket = environ.get(ENVIRON_KEY)
        if not isinstance(websocket, GraceWebSocket):
            return
        if websocket.sid is not None:
            self._by_sid.pop(websocket.sid, None)
        websocket.take_up_to(MAX_MESSAGE_BYTES)
        websocket.sid, websocket.unbound_since = sid, None
        self._by_sid[sid] = websocket

    def unbind(self, sid: str) -> None:
        """The session did not begin after all; the connection counts as open since it opened."""
        websocket = self._by_sid.pop(sid, None)
        if websocket is not None:
            websocket.take_up_to(MAX_CONNECT_BYTES)
            websocket.sid, websocket.unbound_since = None, websocket.opened_at

    def release(self, sid: str, within_s: float = UNBOUND_S) -> None:
        """The session on this connection is over; close it within `within_s` seconds."""
        if (websocket := self.of(sid)) is not None:
            websocket.unbound_since = self._now() - UNBOUND_S + within_s

    def close_code(self, sid: str) -> int | None:
        """The close code that the browser of this connection sent, None if it sent none."""
        websocket = self.of(sid)
        return None if websocket is None else websocket.close_code

    def abort(self, sid: str) -> None:
        """End the connection at once."""
        if (websocket := self.of(sid)) is not None:
            websocket.abort()

    def reap(self, now: float) -> None:
        """Close what has been open without a session for too long."""
        for websocket in [one for one in self._open if _is_stale(one, now)]:
            websocket.abort()

    def __len__(self) -> int:
        return len(self._open)


def _is_stale(websocket: GraceWebSocket, now: float) -> bool:
    return websocket.unbound_since is not None and now - websocket.unbound_since >= UNBOUND_S


def install(eio: engineio.Server, sockets: Sockets) -> None:
    """Make an Engine.IO server use `GraceWebSocket`.

    engineio has no public way to name the class; it looks it up in `_async` for each upgrade
    (`engineio/socket.py`, `_upgrade_websocket`). The dictionary is shared by all servers of the
    process, so this one gets a copy.
    """

    def make(handler: Callable[[Any], Any], server: Any) -> GraceWebSocket:
        return GraceWebSocket(handler, sockets)

    eio._async = {**eio._async, "websocket": make}


def backlog(eio: engineio.Server, eio_sid: str) -> int:
    """How many packets wait to be sent to this connection."""
    socket = eio.sockets.get(eio_sid)
    return 0 if socket is None else socket.queue.qsize()


def excuse_ping(eio: engineio.Server, eio_sid: str, age_s: float) -> None:
    """Make Engine.IO take an unanswered PING of this connection for `age_s` seconds younger.

    Its only record of one is `last_ping`, the time of its sending, None while none is owed
    (`engineio/socket.py`, `check_ping_timeout`).
    """
    socket = eio.sockets.get(eio_sid)
    if socket is not None and socket.last_ping is not None:
        socket.last_ping += age_s
        # Its writer ends when the queue stays empty for the interval and the timeout together
        # (`poll`), and only PINGs are sure to go through it. Pages ignore a NOOP.
        if socket.queue.empty():
            socket.queue.put(Packet(NOOP))
