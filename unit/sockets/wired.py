"""A page at the joined server with everything in between but a network."""

import json
from typing import Any

import gevent

from unit.sockets.page import JoinedServer
from unit.sockets.wire import PATIENCE_S, Browser


class WiredPage:
    """A browser whose WebSocket the joined server serves, with a session.

    Args:
        server: the server; what it would run in the background ends with `end`.
    """

    def __init__(self, server: JoinedServer) -> None:
        self.browser = Browser()
        self._tasks: list[Any] = []
        # Nobody looks for old PINGs, and the rest of what runs beside the request ends with it.
        server.eio.start_service_task = False
        server.eio.start_background_task = self._start
        self.browser.environ["QUERY_STRING"] = "transport=websocket&EIO=4"
        self._request = gevent.spawn(
            server.eio.handle_request, self.browser.environ, lambda *_: None
        )
        gevent.idle()
        self.browser.say("40{}")
        gevent.idle()
        eio_sid = json.loads(self.messages[0][1:])["sid"]
        self.sid = str(server.sio.manager.sid_from_eio_sid(eio_sid, "/"))

    def _start(self, target: Any, *args: Any) -> Any:
        self._tasks.append(gevent.spawn(target, *args))
        return self._tasks[-1]

    @property
    def messages(self) -> list[str]:
        """All that was heard, as it came."""
        return [str(message) for message in self.browser.heard()]

    def heard(self, event: str) -> list[Any]:
        """The payloads of that event, in order."""
        read = [json.loads(text[2:]) for text in self.messages if text.startswith("42")]
        return [payload for name, payload in read if name == event]

    def over(self) -> None:
        """Wait until its request has ended."""
        self._request.get(timeout=PATIENCE_S)

    def end(self) -> None:
        """The stream ends, and all that ran for it."""
        self.browser.vanish()
        self.over()
        gevent.killall(self._tasks)
