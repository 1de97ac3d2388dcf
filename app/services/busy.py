"""Which connected pages answer nothing: the sweeper looks, the games and the log are told.

Busy is a state of a connection and not of a session: it is derived from the heartbeat, kept in
memory, and over when the connection is.
"""

from collections.abc import Callable, Mapping

from app.services.connections import Connection
from app.services.core import Core, log
from app.sessions import RefreshGame
from app.stores.base import LogEntry

BUSY_AFTER_S = 1.0
"""Seconds without an answer to a PING after which a page is busy; a slow network takes less."""


class BusyPages:
    """Notices pages whose main thread is frozen, and those that answer again.

    Args:
        core: the shared parts.
        owing: since when each connection owes the answer to a heartbeat, by sid, UTC seconds.
    """

    def __init__(self, core: Core, owing: Callable[[], Mapping[str, float]]) -> None:
        self._core = core
        self._owing = owing

    def look(self, now: float) -> None:
        """Compare with what was known, and tell what is new."""
        known = self._core.connections
        silent = {sid: at for sid, at in self._owing().items() if now - at >= BUSY_AFTER_S}
        for sid, since in silent.items():
            connection = known.of_sid(sid)
            if connection and known.is_current(connection) and sid not in known.busy():
                self._record(connection, "became_busy", {"owed_for_s": round(now - since, 3)})
                known.mark_busy(sid, since)
                self._tell_game(connection)
        for sid, since in list(known.busy().items()):
            connection = known.of_sid(sid)
            if connection and sid not in silent:
                self._record(connection, "became_responsive", {"busy_s": round(now - since, 3)})
                known.mark_responsive(sid)
                self._tell_game(connection)

    def _record(self, connection: Connection, event: str, times: Mapping[str, float]) -> None:
        fields = {"epoch": connection.epoch, **times}
        at = self._core.clock.now()
        self._core.store.append([LogEntry(at, connection.session_id, event, fields)])
        log.info(event, session_id=connection.session_id, **fields)

    def _tell_game(self, connection: Connection) -> None:
        session = self._core.store.session(connection.session_id)
        if session is not None and session.place.game_id is not None:
            self._core.effects.push(session.id, (RefreshGame(session.place.game_id),))
