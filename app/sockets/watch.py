"""Who is still there: presence of each browser, and a heartbeat budget for each page.

A browser answers the pings of the WebSocket protocol outside of its page, also while that is
frozen; Engine.IO's heartbeat is answered by the page's own thread. So a browser that answers no
ping is out of reach, and a page that answers no heartbeat is busy. It is lost only if it does not
load, or has for longer than its grace lasts.

This knows no store and waits for nobody: to end a connection is to close its socket, and the
greenlet that reads from it does the rest.
"""

from collections.abc import Callable

from app.clock import Clock
from app.services.busy import BUSY_AFTER_S
from app.services.core import log
from app.sessions import LossCause
from app.sockets.register import Sockets
from app.sockets.transport import GraceWebSocket

LOOK_EVERY_S = 0.2
"""How late something can be noticed, in seconds."""

STALLED_S = 1.0
"""A look that comes so late says that this process stood still itself, and read nothing."""

AT_ONCE = 50
"""Pings that are sent before others get their turn."""


class Watch:
    """Ends connections on which nobody is, each at its time.

    Args:
        sockets: the open WebSockets.
        clock: the time.
        presence_ping_s: seconds between two pings; unanswered until the next one, the connection
            is lost.
        ping_timeout_s: seconds that a page which does not load may owe a heartbeat.
    """

    def __init__(
        self, sockets: Sockets, clock: Clock, *, presence_ping_s: float, ping_timeout_s: float
    ) -> None:
        self._sockets = sockets
        self._clock = clock
        self._presence_ping_s = presence_ping_s
        self._ping_timeout_s = ping_timeout_s
        self._looked_at = clock.now()
        self._suspects: list[GraceWebSocket] = []

    def run(self, is_over: Callable[[], bool]) -> None:
        """Look until it is over. Blocks; runs in a greenlet of its own."""
        while not is_over():
            try:
                self.look(self._clock.now())
            except Exception:
                log.exception("watch_failed")
            self._clock.sleep(LOOK_EVERY_S)

    def look(self, now: float) -> None:
        """Ping whose turn it is, and end what is over."""
        late_s = now - self._looked_at - LOOK_EVERY_S
        if late_s >= STALLED_S:
            # What has come meanwhile is read before the next look.
            for websocket in self._sockets:
                websocket.forgive(late_s)
        else:
            self._check_heartbeats(now)
            self._check_presence(now)
        # It may have taken a while itself.
        self._looked_at = self._clock.now()

    def _check_presence(self, now: float) -> None:
        # An answer may have been there at the last look, and nobody have had the time to read it.
        suspects, self._suspects = self._suspects, []
        for websocket in suspects:
            if websocket.is_silent:
                websocket.lose(LossCause.NETWORK_LOST)
            else:
                websocket.ping()
        pinged = 0
        while (turn := self._sockets.take_turn(now - self._presence_ping_s)) is not None:
            if turn.is_silent:
                self._suspects.append(turn)
            else:
                turn.ping()
            pinged += 1
            if pinged % AT_ONCE == 0:
                self._clock.sleep(0)

    def _check_heartbeats(self, now: float) -> None:
        for websocket in self._sockets.debtors():
            owes_since = websocket.owes_since
            if owes_since is None:
                continue
            counts_since = max(owes_since, websocket.excused_until)
            if now - counts_since >= self._ping_timeout_s:
                websocket.lose(LossCause.HEARTBEAT_MISSED)
            elif now - owes_since >= BUSY_AFTER_S and not websocket.is_busy:
                # Only a browser that answers has a page that is busy.
                websocket.probe()
