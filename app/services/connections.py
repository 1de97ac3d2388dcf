"""Which connection belongs to which session, in this process, right now."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Connection:
    """One Socket.IO connection of a session; `epoch` is the session's number for it."""

    sid: str
    session_id: str
    epoch: int


class Connections:
    """The connections that have a session. A session has at most one current connection."""

    def __init__(self) -> None:
        self._by_sid: dict[str, Connection] = {}
        self._by_epoch: dict[tuple[str, int], Connection] = {}
        self._current: dict[str, Connection] = {}
        self._busy_since: dict[str, float] = {}

    def bind(self, connection: Connection) -> None:
        """Make a connection its session's current one; the one it takes over from stays known."""
        if (before := self._current.get(connection.session_id)) is not None:
            self.mark_responsive(before.sid)
        self._by_sid[connection.sid] = connection
        self._by_epoch[connection.session_id, connection.epoch] = connection
        self._current[connection.session_id] = connection

    def of_epoch(self, session_id: str, epoch: int) -> Connection | None:
        """The session's connection of that epoch, if it is still open here."""
        return self._by_epoch.get((session_id, epoch))

    def of_sid(self, sid: str) -> Connection | None:
        """The connection with that sid, current or replaced."""
        return self._by_sid.get(sid)

    def current(self, session_id: str) -> Connection | None:
        """The session's current connection, if it has one here."""
        return self._current.get(session_id)

    def is_current(self, connection: Connection) -> bool:
        """Whether no newer connection has taken over."""
        return self._current.get(connection.session_id) is connection

    def mark_busy(self, sid: str, since: float) -> None:
        """Note that the page of a current connection answers nothing, since when in UTC seconds."""
        self._busy_since[sid] = since

    def mark_responsive(self, sid: str) -> None:
        """Forget that the page of a connection answered nothing."""
        self._busy_since.pop(sid, None)

    def busy(self) -> Mapping[str, float]:
        """Since when the page of each busy connection answers nothing, by sid."""
        return self._busy_since

    def busy_since(self, session_id: str) -> float | None:
        """Since when the session's page answers nothing; None when it does, or is not here."""
        current = self._current.get(session_id)
        return None if current is None else self._busy_since.get(current.sid)

    def drop(self, sid: str) -> Connection | None:
        """Forget a connection; return it if it was known."""
        self._busy_since.pop(sid, None)
        connection = self._by_sid.pop(sid, None)
        if connection is None:
            return None
        self._by_epoch.pop((connection.session_id, connection.epoch), None)
        if self.is_current(connection):
            del self._current[connection.session_id]
        return connection

    def __len__(self) -> int:
        return len(self._by_sid)
