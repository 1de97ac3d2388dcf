"""WebSockets of ours in use: at a handler that listens, and at a real Engine.IO server."""

from typing import Any

import engineio
import gevent
import gevent.event
import gevent.queue

from app.sockets.register import Sockets
from app.sockets.transport import GraceWebSocket
from unit.sockets.wire import PATIENCE_S, Browser

SID = "sid_1"
"""The session's connection, as Socket.IO calls it."""


class Connection:
    """A WebSocket between a browser and a handler that keeps what it is told.

    Args:
        eio: the Engine.IO server that makes the WebSocket.
        sockets: where it is kept; their listener's events are told in their order too.

    Attributes:
        browser: the one end.
        websocket: the other, while the handler runs.
        status: the statuses that WSGI answers began with; none for an accepted upgrade.
    """

    def __init__(self, eio: engineio.Server, sockets: Sockets) -> None:
        self.browser = Browser()
        self.websocket: GraceWebSocket | None = None
        self.status: list[str] = []
        self._told: gevent.queue.Queue = gevent.queue.Queue()
        self._began = gevent.event.Event()
        self._make = eio._async["websocket"]
        self._eio = eio
        self._sockets = sockets
        self._task: Any = None

    def start(self) -> "Connection":
        """Accept the upgrade; returns once the handler runs. There is no session yet."""
        self._task = gevent.spawn(self.run)
        assert self._began.wait(PATIENCE_S)
        return self

    def bind(self) -> None:
        """A session begins, as `SID`, and its events are told like packets."""
        self._sockets.bind(self.browser.environ, SID)
        self._sockets.listener = lambda sid, event: self._told.put((sid, event))

    def run(self) -> Any:
        """The WSGI call."""
        made = self._make(self._handle, self._eio)
        return made(self.browser.environ, lambda status, headers: self.status.append(status))

    def _handle(self, websocket: GraceWebSocket) -> list[bytes]:
        self.websocket = websocket
        self._began.set()
        while True:
            message = websocket.wait()
            self._told.put(message)
            if message is None:
                return [b"over"]

    @property
    def end(self) -> GraceWebSocket:
        """The server's end."""
        assert self.websocket is not None
        return self.websocket

    def told(self) -> object:
        """Wait for the next packet, or event with its sid; None once the connection is closed."""
        return self._told.get(timeout=PATIENCE_S)

    def over(self) -> list[bytes]:
        """Wait for the end of the WSGI call; what it returned."""
        answer: list[bytes] = self._task.get(timeout=PATIENCE_S)
        return answer


class Visit:
    """One browser at a real Engine.IO server, and what the server's handlers were told.

    Attributes:
        log: the handlers' calls, with sid left out.
    """

    def __init__(self, eio: engineio.Server) -> None:
        self.browser = Browser()
        self.log: list[tuple[str, ...]] = []
        self.tasks: list[Any] = []
        eio.on("connect", lambda sid, environ: self.log.append(("connect",)))
        eio.on("message", lambda sid, data: self.log.append(("message", data)))
        eio.on("disconnect", lambda sid, reason: self.log.append(("disconnect", reason)))
        eio.start_background_task = self._start
        self.browser.environ["QUERY_STRING"] = "transport=websocket&EIO=4"
        self._request = gevent.spawn(
            eio.handle_request, self.browser.environ, lambda *_: self.log.append(("refused",))
        )

    def _start(self, target: Any, *args: Any) -> Any:
        self.tasks.append(gevent.spawn(target, *args))
        return self.tasks[-1]

    def over(self) -> None:
        """Wait until the request has ended, however it ends."""
        gevent.joinall([self._request], timeout=PATIENCE_S)
        assert self._request.ready()
        gevent.killall(self.tasks)
