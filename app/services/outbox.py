"""What services need of whoever talks to the browsers."""

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from app.protocol import ServerEvent


class Outbox(Protocol):
    """Sends to one connection. `app.sockets.emitter` is the only one that really does."""

    def emit(self, sid: str, event: ServerEvent, payload: Mapping[str, Any]) -> None:
        """Send an event to exactly one connection; nothing happens when it is already closed.

        Raises:
            UnknownReceiver: `sid` is empty, which Socket.IO would take for a broadcast.
        """
        ...

    def emit_to(self, sids: Iterable[str], event: ServerEvent, payload: Mapping[str, Any]) -> None:
        """Send an event to each of these connections, as `emit` does; it is encoded once."""
        ...

    def is_connected(self, sid: str) -> bool:
        """Whether this connection is open, as far as is known."""
        ...

    def follow_load(self, sid: str, excused_until: float | None) -> None:
        """Know that the page of this connection loads, and so may be frozen.

        Until `excused_until`, UTC seconds (minus infinity where nothing is excused), heartbeats
        that it misses are excused; for as long as it loads it is sent little. None: it does not
        load, or no more.
        """
        ...

    def close(self, sid: str) -> None:
        """Close a connection soon, after what was sent to it before."""
        ...
