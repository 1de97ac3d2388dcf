"""An outbox that keeps what it is given, in place of Socket.IO."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.errors import UnknownReceiver
from app.protocol import ServerEvent
from app.sockets.register import Sockets


@dataclass(frozen=True, slots=True)
class Emitted:
    """One event that was sent to one connection; `payload` is as JSON would carry it."""

    sid: str
    event: str
    payload: dict[str, Any]


@dataclass(slots=True)
class FakeOutbox:
    """Keeps the emits to open connections, in order, and which connections were closed.

    Attributes:
        open: the sids that can be reached; what is sent to others is lost, as on the wire.
        emitted: everything that was sent.
        closed: the sids that the server closed.
        excused: the sids whose PING was made younger, in order.
        sockets: the WebSockets that belong to the sids, which know what loads.
    """

    sockets: Sockets

    open: set[str] = field(default_factory=set)
    emitted: list[Emitted] = field(default_factory=list)
    closed: list[str] = field(default_factory=list)
    excused: list[str] = field(default_factory=list)

    def emit(self, sid: str, event: ServerEvent, payload: Mapping[str, Any]) -> None:
        """Keep an event; refuses what the real emitter refuses, and what is not JSON."""
        if not sid:
            raise UnknownReceiver(f"{event} has no receiver")
        as_json = json.loads(json.dumps(dict(payload), allow_nan=False))
        if sid in self.open:
            self.emitted.append(Emitted(sid, event.value, as_json))

    def emit_to(self, sids: Iterable[str], event: ServerEvent, payload: Mapping[str, Any]) -> None:
        """Keep an event for each of these connections."""
        for sid in sids:
            self.emit(sid, event, payload)

    def acknowledge(self, sid: str, ack_id: str, answer: Mapping[str, Any]) -> None:
        """Nothing: who says something in a `World` is given the answer."""

    def close(self, sid: str) -> None:
        """Keep that a connection is to be closed."""
        self.closed.append(sid)

    def follow_load(self, sid: str, excused_until: float | None) -> None:
        """Let the WebSocket know whether its page loads."""
        self.sockets.follow_load(sid, excused_until)

    def excuse_ping(self, sid: str) -> None:
        """Keep that the PING which a connection owes counts from now on."""
        self.excused.append(sid)
        self.sockets.excuse(sid)

    def is_connected(self, sid: str) -> bool:
        """Whether Socket.IO would take this connection for open."""
        return sid in self.open

    def heard(self, sid: str, event: str | None = None) -> list[dict[str, Any]]:
        """The payloads that a connection was sent, of one event or of all."""
        return [
            one.payload
            for one in self.emitted
            if one.sid == sid and (event is None or one.event == event)
        ]

    def events(self, sid: str) -> list[str]:
        """The names of the events that a connection was sent, in order."""
        return [one.event for one in self.emitted if one.sid == sid]
