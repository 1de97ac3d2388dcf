"""The open WebSockets of this process: by session, in turn, who owes, and who has no session."""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from app.protocol import ServerEvent
from app.sockets.packets import PageEvent
from app.sockets.transport import ENVIRON_KEY, MAX_CONNECT_BYTES, GraceWebSocket
from app.sockets.websocket import MAX_MESSAGE_BYTES

UNBOUND_S = 8.0
"""Seconds a WebSocket may stay open without a session, before one begins or after it ended."""


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
            websocket.loads = True
            # What is said again does not take back what was forgiven meanwhile.
            if excused_until != websocket.load_deadline:
                websocket.load_deadline = websocket.excused_until = excused_until
        elif websocket.loads:
            websocket.loads, websocket.load_deadline = False, None
            websocket.excused_until = self.now()
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
