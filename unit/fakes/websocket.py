"""A WebSocket that nobody is at the other end of."""

from typing import Any

from werkzeug.test import create_environ

from app.sockets.register import Sockets
from app.sockets.transport import ENVIRON_KEY, GraceWebSocket


class FakeWebSocket(GraceWebSocket):
    """Knows the close code that it is given, and whether the server ended it.

    Args:
        sockets: where it is kept while it is open.

    Attributes:
        aborted: whether the server ended it.
        answers: whether the browser answers pings; one that sleeps does not.
        environ: the WSGI environment of its connection, the same for every message.
    """

    def __init__(self, sockets: Sockets) -> None:
        super().__init__(lambda _: [], sockets)
        self.aborted = False
        self.answers = True
        self._moves = 0
        self._close_code: int | None = None
        self.environ: dict[str, Any] = {**create_environ(), ENVIRON_KEY: self}
        sockets.add(self)

    @property
    def close_code(self) -> int | None:
        """The code that the browser sent, None while it sent none."""
        return self._close_code

    @close_code.setter
    def close_code(self, code: int | None) -> None:
        self._close_code = code

    @property
    def moves(self) -> int:
        """How many pings were answered."""
        return self._moves

    def _send_ping(self) -> None:
        self._moves += self.answers

    def abort(self) -> None:
        """Keep that the server ended the connection.

        Where a session is on it, it is forgotten when that has been told of the loss.
        """
        self.aborted = True
        if self.sid is None:
            self._sockets.remove(self)
