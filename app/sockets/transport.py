"""Our WebSocket for Engine.IO.

What it mends, each read in python-engineio 4.15:

- its gevent driver takes a WebSocket class that sends with one `sock.send`, keeps messages of any
  length, and cannot tell a close frame without a code from a plain end of the stream.
- a refused or finished Socket.IO connection leaves the WebSocket open. `Sockets.reap` closes it.
- the way of an event through Engine.IO, Socket.IO and Flask-SocketIO costs more than the event.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from app.protocol import ServerEvent
from app.sessions import LossCause
from app.sessions.grace import GOING_AWAY
from app.sockets.engine import CLIENT_DISCONNECT, PING_TIMEOUT
from app.sockets.held import HeldBack
from app.sockets.packets import CONNECT, PING, PONG, PageEvent, read_packet, text_frame
from app.sockets.websocket import PING_FRAME, WebSocket, accept_key

if TYPE_CHECKING:
    from app.sockets.register import Sockets

QUIET_BYTES = 16_384
"""After so much since its last sign of life, a page that loads is sent no more events.

Chromium 156 stops reading, and so answering pings, after some 100 kB that its page has not taken;
Firefox and WebKitGTK do not (docs/browsers.md).
"""

MAX_CONNECT_BYTES = 128_000
"""What a connection without a session may say at once; with more it is closed."""

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
        self.load_deadline: float | None = None
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
        self.loads, self.load_deadline, self.excused_until = False, None, float("-inf")
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
        self._is_handling = False
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
                # Until it waits again: a CONNECT has to be stored, too.
                self._is_handling = packet is not None
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
