"""Keeps strangers from using the server up: counts, by address, what comes without a token.

Only the address of the TCP connection counts (`REMOTE_ADDR`, PEP 3333). What a proxy would write
into a header can be written by anybody.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

import socketio

from app.services.addresses import Addresses
from app.sockets.packets import text_frame
from app.sockets.transport import ENVIRON_KEY, GraceWebSocket

CONNECT_ERROR = "44"
"""Socket.IO's packet in a MESSAGE of Engine.IO."""

COUNTED_KEY = "grace.counted"
"""In the WSGI environment of a socket that counts as one without a session: its id."""


class Doorkeeper:
    """Says which sessions may begin and how often a token may be guessed, and shows sockets out.

    Args:
        addresses: what each may do; None lets everybody do everything.
        now: reads the clock, seconds.
    """

    def __init__(self, addresses: Addresses | None, now: Callable[[], float]) -> None:
        self._addresses = addresses
        self._now = now

    def watch(self, server: socketio.Server) -> None:
        """See every socket of this server come and go, before Socket.IO does."""
        come, gone = server.eio.handlers["connect"], server.eio.handlers["disconnect"]

        def on_come(eio_sid: str, environ: dict[str, Any]) -> Any:
            leaving = self._opened(environ, eio_sid)
            if leaving is not None:
                _show_out(server.environ.get(leaving, {}))
            return come(eio_sid, environ)

        def on_gone(eio_sid: str, reason: str) -> None:
            self.settled(server.environ.get(eio_sid, {}))
            gone(eio_sid, reason)

        server.eio.on("connect", on_come)
        server.eio.on("disconnect", on_gone)

    def may_begin(self, environ: dict[str, Any]) -> bool:
        """Whether one more session may begin on this socket."""
        return self._addresses is None or self._addresses.may_begin(_address(environ), self._now())

    def may_guess(self, environ: dict[str, Any]) -> bool:
        """Whether one more unknown token of this socket is answered as such."""
        return self._addresses is None or self._addresses.may_guess(_address(environ), self._now())

    def settled(self, environ: dict[str, Any]) -> None:
        """This socket has a session, or has ended: it does not count any more."""
        socket = environ.pop(COUNTED_KEY, None)
        if self._addresses is not None and socket is not None:
            self._addresses.settled(_address(environ), socket)

    def turn_away(self, environ: dict[str, Any], error: Mapping[str, Any]) -> None:
        """Answer the CONNECT on this socket, which has no session, with an error, and close it.

        The answer goes out here, before the close frame: Socket.IO's own would come too late.
        """
        websocket = environ.get(ENVIRON_KEY)
        if isinstance(websocket, GraceWebSocket):
            websocket.send_now(text_frame(f"{CONNECT_ERROR}{json.dumps(error)}"))
            websocket.close()

    def _opened(self, environ: dict[str, Any], eio_sid: str) -> str | None:
        if self._addresses is None:
            return None
        environ[COUNTED_KEY] = eio_sid
        return self._addresses.opened(_address(environ), eio_sid, self._now())


def _show_out(environ: dict[str, Any]) -> None:
    websocket = environ.get(ENVIRON_KEY)
    if isinstance(websocket, GraceWebSocket):
        websocket.abort()


def _address(environ: dict[str, Any]) -> str:
    return str(environ.get("REMOTE_ADDR", ""))
