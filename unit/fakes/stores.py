"""A store that fails when it is told to."""

from collections.abc import Callable

from app.errors import StoreBusy
from app.sessions import Session, Step
from app.stores.sqlite import SqliteStore


class FaultyStore(SqliteStore):
    """A store in memory, some of whose changes fail.

    Attributes:
        unreadable: the session whose record cannot be read, as after a bad upgrade.
        busy_times: how many changes are still to fail because somebody else holds the store.
    """

    def __init__(self) -> None:
        super().__init__(":memory:", sleep=lambda seconds: None)
        self.unreadable = ""
        self.busy_times = 0

    def change(self, session_id: str, at: float, decide: Callable[[Session], Step]) -> Step:
        """Change a session, or fail as SQLite and pydantic do."""
        if session_id == self.unreadable:
            raise ValueError("1 validation error for Session")
        if self.busy_times > 0:
            self.busy_times -= 1
            raise StoreBusy("another process has held the store")
        return super().change(session_id, at, decide)
