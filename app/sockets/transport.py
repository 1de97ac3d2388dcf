"""Our WebSocket for Engine.IO, and the register of those that are open.

What it mends, each read in python-engineio 4.15:

- its gevent driver takes a WebSocket class that sends with one `sock.send`, keeps messages of any
  length, and cannot tell a close frame without a code from a plain end of the stream.
- a refused or finished Socket.IO connection leaves the WebSocket open. `Sockets.reap` closes it.
- the way of an event through Engine.IO, Socket.IO and Flask-SocketIO costs more than the event.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from app.protocol import ServerEvent
from app.sessions import LossCause
from app.sessions.grace import GOING_AWAY
from app.sockets.engine import CLIENT_DISCONNECT, PING_TIMEOUT
from app.sockets.held import HeldBack
from app.sockets.packets import CONNECT, PING, PONG, PageEvent, read_packet, text_frame
from app.sockets.websocket import MAX_MESSAGE_BYTES, PING_FRAME, WebSocket, accept_key

QUIET_BYTES = 16_384
"""After so much since its last sign of life, a page that loads is sent no more events.

Chromium 156 stops reading, and so answering pings, after some 100 kB that its page has not taken;
Firefox and WebKitGTK do not (docs/browsers.md).
"""

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
        self.answered_at = 0.0
        self.owes_since: float | None = None
        self.loads = False
        self.excused_until = float("-inf")
        self.lost_by: LossCause | None = None
        self.held = HeldBack()
        self._unheard_bytes = 0
        self._moves_at_ping: int | None = None
        self._moves_when_asked = 0
        self._is_probed = False
        self._is_handling = False

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

    @property
    def moves(self) -> int:
        """Grows whenever the network shows that somebody is at the other end."""
        return 0 if self._ws is None else self._ws.moves

    def cause_of_end(self, reason: str) -> LossCause:
        """What ended the connection.

        Args:
            reason: Engine.IO's word, which alone does not tell.
        """
        if self.close_code == GOING_AWAY:
            return LossCause.PAGE_CLOSED
        if self.lost_by is not None:
            return self.lost_by
        if self.close_code is not None or reason == CLIENT_DISCONNECT:
            return LossCause.PAGE_DISCONNECTED
        if reason == PING_TIMEOUT:
            return LossCause.HEARTBEAT_MISSED
        if self._ws is not None and self._ws.is_refused:
            return LossCause.SERVER_CLOSED
        return LossCause.NETWORK_LOST

    def lose(self, cause: LossCause) -> None:
        """End the connection at once, because of that."""
        if self.lost_by is None:
            self.lost_by = cause
        self.abort()

    def owe(self, since: float) -> None:
        """From that time on the page owes the answer to a heartbeat."""
        self.owes_since = since
        self._moves_when_asked = self.moves
        self._is_probed = False

    def ping(self) -> None:
        """Ask the browser whether it is there (RFC 6455, 5.5.2); its page has no part in that.

        Nothing is sent while something else is: then that has to get on.
        """
        self._moves_at_ping = self.moves
        self._send_ping()

    def probe(self) -> None:
        """Ask the browser out of turn whether it is there, once for each heartbeat."""
        if not self._is_probed:
            self._is_probed = True
            self._send_ping()

    @property
    def is_silent(self) -> bool:
        """Whether nothing has come from the browser since it was pinged, as far as was read."""
        return not self._is_handling and self._moves_at_ping == self.moves

    @property
    def is_busy(self) -> bool:
        """Whether the page owes a heartbeat while the browser answers: its thread is blocked."""
        return self.owes_since is not None and self.moves != self._moves_when_asked

    def forgive(self, seconds: float) -> None:
        """Do not count so many seconds against the page, in which this process stood still."""
        if self.owes_since is not None:
            self.owes_since += seconds
        self.excused_until += seconds

    def _send_ping(self) -> None:
        if self._ws is not None:
            self._ws.send_now(PING_FRAME)

    def hold_back(self, event: ServerEvent, payload: Mapping[str, Any], size: int) -> bool:
        """Keep an event for later if the page loads and has not been heard of for too long.

        A page that is frozen does not read, so its browser's buffer fills; then the browser reads
        no more either, and answers no ping. What is kept is merged, and comes with the next
        message of the page, or when its load is over.

        Args:
            event: the event.
            payload: its payload.
            size: its bytes on the wire.

        Returns:
            Whether it was kept; else it is to be sent now.
        """
        if not self.loads:
            return False
        if event in HeldBack.EVENTS and self._unheard_bytes >= QUIET_BYTES:
            self.held.add(event, payload, self._sockets.now())
            return True
        self._unheard_bytes += size
        return False

    def forget_load(self) -> None:
        """Another session begins on this connection: what loaded was not its own."""
        self.loads, self.excused_until = False, float("-inf")
        self.held = HeldBack()

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
            message = self._ws.receive()
            packet = read_packet(message)
            if packet == PONG:
                self._sockets.answered(self)
            if packet is not None:
                self._heard()
            if not isinstance(packet, PageEvent):
                # Socket.IO answers every CONNECT of a connection that has a session, without end.
                again = packet is not None and packet.startswith(CONNECT)
                has_session = self.sid is not None and self.unbound_since is None
                if message is not None and (packet is None or (again and has_session)):
                    self.lost_by = self.lost_by or LossCause.SERVER_CLOSED
                    return None
                return packet
            # Without a session there is nobody who says anything.
            if self.sid is not None:
                self._is_handling = True
                self._sockets.listener(self.sid, packet)
                self._is_handling = False
        return None

    def _heard(self) -> None:
        """The page's own thread has said something."""
        self._unheard_bytes = 0
        if self.held:
            self._sockets.deliver_held(self)

    def take_up_to(self, size: int) -> None:
        """From now on a message of more than `size` bytes closes the connection."""
        if self._ws is not None:
            self._ws.longest = size

    def close(self) -> None:
        """Send a close frame."""
        if self._ws is not None:
            if self._ws.is_open and not self._ws.is_broken and self.lost_by is None:
                # engineio's writer gives up on a page that it has had nothing to send to for the
                # interval and the timeout together: the page owes a PONG, or there would be PINGs.
                owes = self.owes_since is not None
                self.lost_by = LossCause.HEARTBEAT_MISSED if owes else LossCause.SERVER_CLOSED
            self._ws.close()

    def abort(self) -> None:
        """End the connection without waiting for anybody, as when a page no longer reads."""
        if self._ws is not None:
            self._ws.abort()


class Sockets:
    """The open WebSockets of this process.

    Args:
        now: reads the clock, seconds.

    Attributes:
        now: reads the clock, seconds.
        listener: told what a page with a session says, with its sid.
        speaker: told to send an event to a sid, that was held back until now.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        # Each with the time of its last turn to be pinged; the one whose turn is next comes first.
        self._open: OrderedDict[GraceWebSocket, float] = OrderedDict()
        self._owing: set[GraceWebSocket] = set()
        self._by_sid: dict[str, GraceWebSocket] = {}
        self.listener: Callable[[str, PageEvent], None] = lambda sid, event: None
        self.speaker: Callable[[str, ServerEvent, Mapping[str, Any]], None] = lambda *_: None

    def add(self, websocket: GraceWebSocket) -> None:
        """Keep an open WebSocket; it has no session yet."""
        now = self.now()
        websocket.unbound_since = websocket.opened_at = websocket.answered_at = now
        self._open[websocket] = now

    def remove(self, websocket: GraceWebSocket) -> None:
        """Forget a WebSocket that has ended."""
        self._open.pop(websocket, None)
        self._owing.discard(websocket)
        if websocket.sid is not None and self._by_sid.get(websocket.sid) is websocket:
            del self._by_sid[websocket.sid]

    def __iter__(self) -> Iterator[GraceWebSocket]:
        return iter(list(self._open))

    def take_turn(self, before: float) -> GraceWebSocket | None:
        """The one whose last turn is longest ago, at or before that time; its next one is last."""
        websocket = next(iter(self._open), None)
        if websocket is None or self._open[websocket] > before:
            return None
        self._open[websocket] = self.now()
        self._open.move_to_end(websocket)
        return websocket

    def asked(self, websocket: GraceWebSocket) -> None:
        """A PING is sent: from now on the page owes a PONG."""
        websocket.owe(self.now())
        self._owing.add(websocket)

    def answered(self, websocket: GraceWebSocket) -> None:
        """The page owes nothing any more."""
        websocket.owes_since = None
        websocket.answered_at = self.now()
        self._owing.discard(websocket)

    def debtors(self) -> list[GraceWebSocket]:
        """Those whose page owes a PONG."""
        return list(self._owing)

    def owing(self) -> Mapping[str, float]:
        """Since when each connection with a session owes a PONG, by sid, in seconds of `now`."""
        return _since(self._owing)

    def busy(self) -> Mapping[str, float]:
        """The same, of those only whose browser has answered since."""
        return _since(one for one in self._owing if one.is_busy)

    def follow_load(self, sid: str, excused_until: float | None) -> None:
        """Know that a page loads, and until when it is excused; None: that it does not."""
        websocket = self.of(sid)
        if websocket is None:
            return
        if excused_until is not None:
            websocket.loads, websocket.excused_until = True, excused_until
        elif websocket.loads:
            websocket.loads, websocket.excused_until = False, self.now()
            self.deliver_held(websocket)

    def deliver_held(self, websocket: GraceWebSocket) -> None:
        """Send what was held back."""
        for event, payload in websocket.held.take(self.now()):
            if websocket.sid is not None:
                self.speaker(websocket.sid, event, payload)

    def of(self, sid: str) -> GraceWebSocket | None:
        """The WebSocket with this session, while it is open."""
        return self._by_sid.get(sid)

    def excuse(self, sid: str) -> float:
        """Count a PING that is owed from now on; returns how old it was, in seconds."""
        websocket = self.of(sid)
        if websocket is None or websocket.owes_since is None:
            return 0.0
        age_s = self.now() - websocket.owes_since
        websocket.owes_since += age_s
        return age_s

    def bind(self, environ: dict[str, Any], sid: str) -> None:
        """A session begins on this connection, as Socket.IO's `sid`."""
        websocket = environ.get(ENVIRON_KEY)
        if not isinstance(websocket, GraceWebSocket):
            return
        if websocket.sid is not None:
            self._by_sid.pop(websocket.sid, None)
            websocket.forget_load()
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
            websocket.unbound_since = self.now() - UNBOUND_S + within_s

    def reap(self, now: float) -> None:
        """Close what has been open without a session for too long."""
        for websocket in [one for one in self._open if _is_stale(one, now)]:
            websocket.abort()

    def __len__(self) -> int:
        return len(self._open)


def _since(websockets: Iterable[GraceWebSocket]) -> Mapping[str, float]:
    return {
        one.sid: one.owes_since
        for one in websockets
        if one.sid is not None and one.owes_since is not None
    }


def _is_stale(websocket: GraceWebSocket, now: float) -> bool:
    return websocket.unbound_since is not None and now - websocket.unbound_since >= UNBOUND_S
