"""The embedded store: one SQLite file, for one server process.

Records are kept whole as JSON beside the few columns that are searched. The file is in
write-ahead-log mode with `synchronous=NORMAL`: what was committed survives a killed process
(https://sqlite.org/pragma.html#pragma_synchronous). Calls do not yield to other greenlets, except
while another process holds the lock.
"""

import fcntl
import json
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, TypeVar

from pydantic import TypeAdapter, ValidationError

from app.errors import StoreBusy, StoreError, UnknownRecord
from app.games import Game
from app.sessions import Session, Step
from app.stores.base import Change, Due, LogEntry

SCHEMA_VERSION = 1

IN_MEMORY = ":memory:"

_Kept = TypeVar("_Kept", Session, Game)

_SCHEMA = """
CREATE TABLE sessions (
    id TEXT PRIMARY KEY, credential TEXT UNIQUE NOT NULL, study TEXT NOT NULL,
    scene_id TEXT NOT NULL, place TEXT NOT NULL, queued_at REAL, created_at REAL NOT NULL,
    epoch INTEGER NOT NULL, deadline REAL, record TEXT NOT NULL);
CREATE INDEX sessions_due ON sessions (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX sessions_waiting ON sessions (study, scene_id, queued_at) WHERE place = 'waiting';
CREATE TABLE games (
    id TEXT PRIMARY KEY, state TEXT NOT NULL, created_at REAL NOT NULL, deadline REAL,
    record TEXT NOT NULL);
CREATE INDEX games_due ON games (deadline) WHERE deadline IS NOT NULL;
CREATE INDEX games_unended ON games (created_at) WHERE state != 'ended';
CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT, at REAL NOT NULL, session_id TEXT,
    event TEXT NOT NULL, fields TEXT NOT NULL);
CREATE TABLE server (name TEXT PRIMARY KEY, value REAL NOT NULL);
"""

_SESSION = TypeAdapter(Session)
_GAME = TypeAdapter(Game)


class SqliteStore:
    """A store in one file.

    Args:
        path: the file; made if it is not there. Its folder must exist.
        sleep: lets seconds pass between two tries for the lock (`Clock.sleep`).
        patience_s: how long to try for the lock before giving up.

    Raises:
        StoreError: the file cannot be opened, is in use by another server, or is of another version
            of the store.
    """

    def __init__(
        self, path: Path | str, sleep: Callable[[float], None], patience_s: float = 1.0
    ) -> None:
        self._sleep = sleep
        self._patience_s = patience_s
        self._lock = _take(Path(path)) if str(path) != IN_MEMORY else None
        try:
            self._db = sqlite3.connect(path, isolation_level=None, timeout=0)
        except sqlite3.Error as error:
            self._release()
            raise StoreError(f"the store {path} cannot be used: {error}") from error
        try:
            self._prepare(path)
        except sqlite3.Error as error:
            self.close()
            raise StoreError(f"the store {path} cannot be used: {error}") from error
        except StoreError:
            self.close()
            raise

    def _prepare(self, path: Path | str) -> None:
        is_new = self._is_new(path)
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        if is_new:
            self._lay_out()

    def _is_new(self, path: Path | str) -> bool:
        """Whether the file is still empty; refuses one that is not ours, and does not touch it."""
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version == SCHEMA_VERSION:
            return False
        if version != 0:
            raise StoreError(
                f"the store {path} is of version {version} and this server of version"
                f" {SCHEMA_VERSION}: use another file, or the server that made it"
            )
        if self._db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            raise StoreError(
                f"{path} is a database, but not a store of this server: use another file"
            )
        return True

    def _lay_out(self) -> None:
        with self._transaction():
            for statement in filter(str.strip, _SCHEMA.split(";")):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version={SCHEMA_VERSION}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._begin()
        try:
            yield
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            if isinstance(error, sqlite3.Error):
                raise StoreError(f"the store could not keep a change: {error}") from error
            raise

    def _begin(self) -> None:
        waited, pause = 0.0, 0.002
        while True:
            try:
                self._db.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                    raise StoreError(f"the store could not begin a change: {error}") from error
                if waited >= self._patience_s:
                    raise StoreBusy(
                        f"another process has held the store for {waited:.1f} s"
                    ) from error
            self._sleep(pause)
            waited += pause
            pause = min(pause * 2, 0.1)

    def create(self, session: Session, credential: str, entries: Sequence[LogEntry]) -> None:
        """Keep a new session, found again by the hash of its credential."""
        with self._transaction():
            self._db.execute(
                "INSERT INTO sessions (id, credential, study, scene_id, place, queued_at,"
                " created_at, epoch, deadline, record) VALUES (?,?,?,?,?,?,?,?,?,?)",
                (
                    session.id,
                    credential,
                    session.study,
                    session.scene.scene_id,
                    session.place.state.value,
                    session.place.queued_at,
                    session.created_at,
                    session.epoch,
                    session.deadline,
                    _SESSION.dump_json(session).decode(),
                ),
            )
            self._append(entries)

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StoreError(f"the store could not be read: {error}") from error

    def session(self, session_id: str) -> Session | None:
        """The session of that id."""
        row = _one(self._read("SELECT record FROM sessions WHERE id=?", (session_id,)))
        return None if row is None else _record(_SESSION, row[0])

    def session_id_of(self, credential: str) -> str | None:
        """The id of the session with that credential hash."""
        row = _one(self._read("SELECT id FROM sessions WHERE credential=?", (credential,)))
        return None if row is None else str(row[0])

    def change(self, session_id: str, at: float, decide: Callable[[Session], Step]) -> Step:
        """Apply a decision to one session, with its records as log entries of time `at`."""
        with self._transaction():
            before = self.session(session_id)
            if before is None:
                raise UnknownRecord(f"there is no session {session_id}")
            step = decide(before)
            if step.session is None:
                self._db.execute("DELETE FROM sessions WHERE id=?", (session_id,))
            elif step.session != before:
                self._save(step.session)
            self._append(
                [LogEntry(at, session_id, record.event, record.fields) for record in step.records]
            )
        return step

    def change_many(
        self,
        session_ids: Sequence[str],
        game_id: str | None,
        decide: Callable[[Mapping[str, Session], Game | None], Change],
    ) -> Change:
        """Apply a decision that spans several sessions and a game, all or nothing."""
        with self._transaction():
            found = {session_id: self.session(session_id) for session_id in session_ids}
            known = {key: session for key, session in found.items() if session is not None}
            change = decide(known, None if game_id is None else self.game(game_id))
            for session in change.sessions:
                self._save(session)
            if change.game is not None:
                self._save_game(change.game)
            self._append(change.entries)
            if change.alive_at is not None:
                self._save_alive(change.alive_at)
        return change

    def append(self, entries: Sequence[LogEntry]) -> None:
        """Append to the log."""
        with self._transaction():
            self._append(entries)

    def _append(self, entries: Sequence[LogEntry]) -> None:
        self._db.executemany(
            "INSERT INTO events (at, session_id, event, fields) VALUES (?,?,?,?)",
            [
                (entry.at, entry.session_id, entry.event, json.dumps(dict(entry.fields)))
                for entry in entries
            ],
        )

    def _save(self, session: Session) -> None:
        self._db.execute(
            "UPDATE sessions SET scene_id=?, place=?, queued_at=?, epoch=?, deadline=?, record=?"
            " WHERE id=?",
            (
                session.scene.scene_id,
                session.place.state.value,
                session.place.queued_at,
                session.epoch,
                session.deadline,
                _SESSION.dump_json(session).decode(),
                session.id,
            ),
        )

    def _save_game(self, game: Game) -> None:
        self._db.execute(
            "INSERT INTO games (id, state, created_at, deadline, record) VALUES (?,?,?,?,?)"
            " ON CONFLICT (id) DO UPDATE SET state=excluded.state, deadline=excluded.deadline,"
            " record=excluded.record",
            (
                game.id,
                game.state.value,
                game.created_at,
                game.deadline,
                _GAME.dump_json(game).decode(),
            ),
        )

    def due_before(self, now: float, limit: int) -> list[Due]:
        """Whose deadline is at or before `now`, the longest due first."""
        rows = self._read(
            "SELECT * FROM (SELECT 'session', id, deadline AS at, epoch FROM sessions"
            " WHERE deadline IS NOT NULL AND deadline <= ? ORDER BY deadline LIMIT ?)"
            " UNION ALL SELECT * FROM (SELECT 'game', id, deadline, 0 FROM games"
            " WHERE deadline IS NOT NULL AND deadline <= ? ORDER BY deadline LIMIT ?)"
            " ORDER BY at LIMIT ?",
            (now, limit, now, limit, limit),
        )
        return [Due(*row) for row in rows]

    def waiting(self, study: str, scene_id: str) -> list[Session]:
        """Who waits in a scene's waiting room, first come first."""
        rows = self._read(
            "SELECT record FROM sessions WHERE place='waiting' AND study=? AND scene_id=?"
            " ORDER BY queued_at, id",
            (study, scene_id),
        )
        return [_record(_SESSION, row[0]) for row in rows]

    def sessions(self) -> list[Session]:
        """Every session, the oldest first."""
        rows = self._read("SELECT record FROM sessions ORDER BY created_at, id")
        return [_record(_SESSION, row[0]) for row in rows]

    def game(self, game_id: str) -> Game | None:
        """The game of that id."""
        row = _one(self._read("SELECT record FROM games WHERE id=?", (game_id,)))
        return None if row is None else _record(_GAME, row[0])

    def games(self) -> list[Game]:
        """Every game, the oldest first."""
        rows = self._read("SELECT record FROM games ORDER BY created_at, id")
        return [_record(_GAME, row[0]) for row in rows]

    def unended_games(self) -> list[str]:
        """The ids of the games that have not ended, the oldest first."""
        rows = self._read("SELECT id FROM games WHERE state != 'ended' ORDER BY created_at, id")
        return [row[0] for row in rows]

    def events(self, after: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
        """The log from behind sequence number `after` on."""
        rows = self._read(
            "SELECT seq, at, session_id, event, fields FROM events WHERE seq > ?"
            " ORDER BY seq LIMIT ?",
            (after, -1 if limit is None else limit),
        )
        return [
            {**json.loads(fields), "seq": seq, "at": at, "session_id": session_id, "event": event}
            for seq, at, session_id, event, fields in rows
        ]

    def alive_at(self) -> float | None:
        """When a server last said that it is alive, or None."""
        row = _one(self._read("SELECT value FROM server WHERE name='alive_at'"))
        return None if row is None else float(row[0])

    def mark_alive(self, now: float) -> None:
        """Say that a server is alive."""
        with self._transaction():
            self._save_alive(now)

    def _save_alive(self, now: float) -> None:
        self._db.execute(
            "INSERT INTO server (name, value) VALUES ('alive_at', ?)"
            " ON CONFLICT (name) DO UPDATE SET value=excluded.value",
            (now,),
        )

    def _release(self) -> None:
        if self._lock is not None:
            self._lock.close()

    def close(self) -> None:
        """Let go of the file; nothing is lost."""
        self._db.close()
        self._release()


def _take(path: Path) -> TextIO:
    """Take the store for this process, until the returned file is closed or the process ends.

    A second server would give the first one's participants a deadline and end their games.
    """
    try:
        lock = Path(f"{path}-lock").open("w")  # noqa: SIM115 - it is held while the store is open
    except OSError as error:
        raise StoreError(f"the store {path} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise StoreError(f"the store {path} is in use by another server") from None
    return lock


def _record(kind: TypeAdapter[_Kept], text: str) -> _Kept:
    try:
        return kind.validate_json(text)
    except ValidationError as error:
        raise ValueError(_sentence(error)) from None


def _sentence(error: ValidationError) -> str:
    # pydantic's own words quote the record, with the label of a participant in it.
    fault = error.errors()[0]
    where = ".".join(map(str, (error.title, *fault["loc"])))
    return (
        f"the store has a record that this server cannot read ({where}: {fault['msg']}):"
        " use another file, or the server that made it"
    )


def _one(rows: list[Any]) -> Any:
    return rows[0] if rows else None
