"""The only file that emits. It sends to one known connection, or refuses."""

from collections.abc import Mapping
from typing import Any

from flask_socketio import SocketIO

from app.errors import UnknownReceiver
from app.protocol import ServerEvent
from app.sockets.transport import MAX_BACKLOG_PACKETS, Sockets, abort, backlog, excuse_ping

NAMESPACE = "/"

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

    def emit(self, sid: str, event: ServerEvent, payload: Mapping[str, Any]) -> None:
        """Send an event to exactly one connection; nothing happens when it is already closed.

        A page that has not read for so long that its backlog is full loses its connection instead:
        its session is kept by the grace, and what it missed is in its next `session_opened`.

        Raises:
            UnknownReceiver: `sid` is empty, which Socket.IO would take for a broadcast.
        """
        if not sid:
            raise UnknownReceiver(f"{event} has no receiver")
        server = self._socketio.server
        environ = server.get_environ(sid, NAMESPACE)
        if environ is None:
            return
        if self.backlog_is_full(sid):
            abort(environ)
            return
        self._socketio.emit(event.value, dict(payload), to=sid, namespace=NAMESPACE)

    def is_connected(self, sid: str) -> bool:
        """Whether Socket.IO takes this connection for open."""
        return bool(self._socketio.server.manager.is_connected(sid, NAMESPACE))

    def backlog_is_full(self, sid: str) -> bool:
        """Whether more packets wait for this connection than it may keep us waiting with."""
        server = self._socketio.server
        eio_sid = server.manager.eio_sid_from_sid(sid, NAMESPACE)
        return eio_sid is not None and backlog(server.eio, [eio_sid]) > MAX_BACKLOG_PACKETS

    def excuse_ping(self, sid: str) -> None:
        """Count a PING that this page owes from now on, as if it had just been sent."""
        server = self._socketio.server
        environ = server.get_environ(sid, NAMESPACE)
        eio_sid = server.manager.eio_sid_from_sid(sid, NAMESPACE)
        if environ is not None and eio_sid is not None:
            excuse_ping(server.eio, eio_sid, self._sockets.excuse(environ))

    def close(self, sid: str) -> None:
        """Close a connection soon, after what was sent to it before."""
        environ = self._socketio.server.get_environ(sid, NAMESPACE)
        if environ is not None:
            self._sockets.release(environ, within_s=CLOSE_WITHIN_S)
