"""The only file that emits. It sends to one known connection, or refuses."""

from collections.abc import Iterable, Mapping
from typing import Any

from flask_socketio import SocketIO

from app.errors import UnknownReceiver
from app.protocol import ServerEvent
from app.sessions import LossCause
from app.sockets.engine import backlog, excuse_ping
from app.sockets.packets import ack_packet, event_packet, text_frame
from app.sockets.register import Sockets

NAMESPACE = "/"

MAX_BACKLOG_PACKETS = 2_000
"""Packets that may wait for a page which does not read; with more its connection is closed."""

CLOSE_WITHIN_S = 2.0
"""Seconds a page has to take what was sent to it before its connection is closed."""


class SocketEmitter:
    """Sends to single connections of a Flask-SocketIO server.

    Args:
        socketio: the server.
        sockets: the open WebSockets, to close those that are done with.
    """

    def __init__(self, socketio: SocketIO, sockets: Sockets) -> None:
        self._socketio = socketio
        self._sockets = sockets
        sockets.speaker = self.emit

    def emit(self, sid: str, event: ServerEvent, payload: Mapping[str, Any]) -> None:
        """Send an event to exactly one connection; nothing happens when it is already closed.

        A page that loads and says nothing is told later, and less (`GraceWebSocket.hold_back`). A
        page that has not read for so long that its backlog is full loses its connection instead:
        its session is kept by the grace, and what it missed is in its next `session_opened`.

        Raises:
            UnknownReceiver: `sid` is empty, which Socket.IO would take for a broadcast.
        """
        self.emit_to([sid], event, payload)

    def emit_to(self, sids: Iterable[str], event: ServerEvent, payload: Mapping[str, Any]) -> None:
        """Send an event to each of these connections, as `emit` does; it is encoded once.

        Raises:
            UnknownReceiver: a `sid` is empty.
        """
        packet = event_packet(event.value, payload)
        frame = text_frame(f"4{packet}")
        for sid in sids:
            if not sid:
                raise UnknownReceiver(f"{event} has no receiver")
            websocket = self._sockets.of(sid)
            if websocket is None or not websocket.hold_back(event, payload, len(frame)):
                self._send(sid, packet, frame)

    def acknowledge(self, sid: str, ack_id: str, answer: Mapping[str, Any]) -> None:
        """Answer an event of a page, by the number that it gave the event."""
        packet = ack_packet(ack_id, answer)
        self._send(sid, packet, text_frame(f"4{packet}"))

    def _send(self, sid: str, packet: str, frame: bytes) -> None:
        """Send at once where nothing waits before it, else through Engine.IO's queue."""
        server = self._socketio.server
        eio_sid = server.manager.eio_sid_from_sid(sid, NAMESPACE)
        websocket = self._sockets.of(sid)
        if eio_sid is None or websocket is None:
            return
        waiting = backlog(server.eio, eio_sid)
        if waiting > MAX_BACKLOG_PACKETS:
            websocket.lose(LossCause.SERVER_CLOSED)
        elif waiting or not websocket.send_now(frame):
            server.eio.send(eio_sid, packet)

    def is_connected(self, sid: str) -> bool:
        """Whether Socket.IO takes this connection for open."""
        return bool(self._socketio.server.manager.is_connected(sid, NAMESPACE))

    def follow_load(self, sid: str, excused_until: float | None) -> None:
        """Know whether the page loads: see `Outbox.follow_load`."""
        self._sockets.follow_load(sid, excused_until)

    def excuse_ping(self, sid: str) -> None:
        """Count a PING that a page which loads owes from now on, as if it had just been sent."""
        server = self._socketio.server
        eio_sid = server.manager.eio_sid_from_sid(sid, NAMESPACE)
        if eio_sid is not None:
            excuse_ping(server.eio, eio_sid, self._sockets.excuse(sid))

    def close(self, sid: str) -> None:
        """Close a connection soon, after what was sent to it before."""
        self._sockets.release(sid, within_s=CLOSE_WITHIN_S)
