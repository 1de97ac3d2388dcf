"""What a store can do, in our words. Every store keeps the contract in `unit/stores`.

A change is atomic: the records, their deadlines and the log entries are there together or not at
all. The function that decides is pure, so a store may call it again. All times are UTC seconds.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from app.games import Game
from app.sessions import Session, Step


@dataclass(frozen=True, slots=True)
class LogEntry:
    """Something that happened, to be appended to the log."""

    at: float
    session_id: str | None
    event: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Due:
    """A record whose deadline has come; `epoch` is the session's, 0 for a game."""

    kind: Literal["session", "game"]
    id: str
    deadline: float
    epoch: int


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be saved together: sessions, a game, and the log entries about them.

    `alive_at`: when a server is alive, as by `mark_alive`, where that belongs to the change.
    """

    sessions: Sequence[Session] = ()
    game: Game | None = None
    entries: Sequence[LogEntry] = ()
    alive_at: float | None = None


class Store(Protocol):
    """Sessions, games and the append-only log.

    When a method raises, nothing of its change is kept. Every one may raise StoreError, after which
    it can be tried again; one that reads a session or a game raises ValueError when another version
    of the server made that record, and this one does not understand it.
    """

    def create(self, session: Session, credential: str, entries: Sequence[LogEntry]) -> None:
        """Keep a new session, found again by the hash of its credential."""
        ...

    def session(self, session_id: str) -> Session | None:
        """The session of that id."""
        ...

    def session_id_of(self, credential: str) -> str | None:
        """The id of the session with that credential hash."""
        ...

    def change(self, session_id: str, at: float, decide: Callable[[Session], Step]) -> Step:
        """Apply a decision to one session, with its records as log entries of time `at`.

        Raises:
            UnknownRecord: there is no such session.
            StoreBusy: another process held the store for too long.
        """
        ...

    def change_many(
        self,
        session_ids: Sequence[str],
        game_id: str | None,
        decide: Callable[[Mapping[str, Session], Game | None], Change],
    ) -> Change:
        """Apply a decision that spans several sessions and a game, all or nothing.

        `decide` is given those of the sessions that exist, by id, and the game if it exists.
        """
        ...

    def append(self, entries: Sequence[LogEntry]) -> None:
        """Append to the log."""
        ...

    def due_before(self, now: float, limit: int) -> list[Due]:
        """Whose deadline is at or before `now`, the longest due first."""
        ...

    def waiting(self, study: str, scene_id: str) -> list[Session]:
        """Who waits in a scene's waiting room, first come first."""
        ...

    def sessions(self) -> list[Session]:
        """Every session, the oldest first."""
        ...

    def game(self, game_id: str) -> Game | None:
        """The game of that id."""
        ...

    def games(self) -> list[Game]:
        """Every game, the oldest first."""
        ...

    def unended_games(self) -> list[str]:
        """The ids of the games that have not ended, the oldest first."""
        ...

    def events(self, after: int = 0, limit: int | None = None) -> list[dict[str, Any]]:
        """The log behind sequence number `after`, as `{seq, at, session_id, event, ...}`."""
        ...

    def alive_at(self) -> float | None:
        """When a server last said that it is alive, or None."""
        ...

    def mark_alive(self, now: float) -> None:
        """Say that a server is alive."""
        ...

    def close(self) -> None:
        """Let go of the store; nothing is lost."""
        ...
