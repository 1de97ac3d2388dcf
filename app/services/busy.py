"""Which connected pages answer nothing: the sweeper looks, the games and the log are told.

Busy is a state of a connection and not of a session: it is derived from the heartbeat and from what
the browser answers meanwhile, kept in memory, and over when the connection is.
"""

from collections.abc import Callable, Mapping

from app.services.connections import Connection
from app.services.core import Core, log
from app.sessions import RefreshGame
from app.stores.base import LogEntry

BUSY_AFTER_S = 1.0
"""Seconds without an answer to a PING after which a page is busy; a slow network takes less."""

CHANGES_AT_ONCE = 50
"""Pages that are noticed in one look, so that nobody waits for it; the others are in the next."""


class BusyPages:
    """Notices pages whose main thread is frozen, and those that answer again.

    Args:
        core: the shared parts.
        owing: since when each connection owes the answer to a heartbeat, by sid, UTC seconds;
            where presence is watched, of those only whose browser answers.
    """

    def __init__(self, core: Core, owing: Callable[[], Mapping[str, float]]) -> None:
        self._core = core
        self._owing = owing

    def look(self, now: float) -> None:
        """Compare with what was known, and tell what is new."""
        known = self._core.connections
        silent = {sid: at for sid, at in self._owing().items() if now - at >= BUSY_AFTER_S}
        begun = [sid for sid in silent if sid not in known.busy()]
        for sid in begun[:CHANGES_AT_ONCE]:
            self._begin(sid, silent[sid], now)
        ended = [sid for sid in known.busy() if sid not in silent]
        for sid in ended[:CHANGES_AT_ONCE]:
            self._end(sid, now)

    def _begin(self, sid: str, since: float, now: float) -> None:
        known = self._core.connections
        connection = known.of_sid(sid)
        if connection is None or not known.is_current(connection):
            return
        self._record(connection, "became_busy", {"owed_for_s": round(now - since, 3)})
        # Others ran while the store was waited for, if it was.
        if known.is_current(connection):
            known.mark_busy(sid, since)
            self._tell_game(connection)

    def _end(self, sid: str, now: float) -> None:
        known = self._core.connections
        connection, since = known.of_sid(sid), known.busy().get(sid)
        # A connection that has ended owes nothing either, and its loss may not be worked off yet.
        if connection is None or since is None or not self._core.outbox.is_connected(sid):
            return
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
