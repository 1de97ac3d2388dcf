"""The one sweeper: asks the store who is due, and lets that happen. There are no other timers."""

import threading
from collections.abc import Callable

from app.services.core import Core, log
from app.services.games import GameService
from app.services.sessions import SessionService
from app.sessions import RefreshGame, RefreshWaitingRoom
from app.stores.base import Due
from app.studies import Game

TICK_S = 0.25
"""How late a deadline can be noticed, in seconds."""

ALIVE_EVERY_S = 1.0
"""How often the server notes that it is alive; a restart moves deadlines by what it was down."""

CHECK_EVERY_S = 5.0
"""How often games and waiting rooms are held against the state of the sessions in them."""

CHECKED_AT_ONCE = 10
"""Games that are checked in one sweep, so that nobody waits for it."""

BATCH = 50
"""How many due records are taken at once, so that others are served in between."""

BREATH_S = 0.001
"""Seconds between two sweeps at least; to wait for what has been woken already lets nobody run."""


class Sweeper:
    """Ends graces, loads and waits whose time has come.

    Args:
        core: the shared parts.
        sessions: is told of sessions that are due.
        games: is told of games that are due.
    """

    def __init__(self, core: Core, sessions: SessionService, games: GameService) -> None:
        self._core = core
        self._sessions = sessions
        self._games = games
        self._woken = threading.Event()
        self._alive_at = float("-inf")
        self._checked_at = float("-inf")
        self._to_check: list[str] = []
        self.chores: list[Callable[[float], None]] = []

    def wake(self) -> None:
        """Sweep at once: something is due already."""
        self._woken.set()

    def run(self) -> None:
        """Sweep until the server stops. Blocks; runs in a greenlet of its own."""
        while not self._core.stopping:
            try:
                self.sweep()
            except Exception:
                log.exception("sweep_failed")
            self._woken.wait(TICK_S)
            self._woken.clear()
            self._core.clock.sleep(BREATH_S)

    def sweep(self) -> int:
        """Let everything happen that is due now; returns how much was."""
        now = self._core.clock.now()
        self._do_chores(now)
        if now - self._alive_at >= ALIVE_EVERY_S:
            self._core.store.mark_alive(now)
            self._alive_at = now
        due = self._core.store.due_before(now, BATCH)
        with self._core.effects.gathered():
            for one in due:
                self._let_pass(one)
        self._core.effects.try_again()
        self._make_good(now)
        if len(due) == BATCH:
            self.wake()
        return len(due)

    def _do_chores(self, now: float) -> None:
        """What has to be done even while the store fails."""
        for chore in self.chores:
            try:
                chore(now)
            except Exception:
                log.exception("chore_failed")

    def _let_pass(self, due: Due) -> None:
        try:
            if due.kind == "session":
                self._sessions.deadline_passed(due)
            else:
                self._games.deadline_passed(due)
        except Exception:
            # One broken record keeps nobody else's grace from ending.
            log.exception("deadline_failed", kind=due.kind, id=due.id)

    def _make_good(self, now: float) -> None:
        """Do again what derives from the state, should an effect have been lost."""
        if not self._to_check and now - self._checked_at >= CHECK_EVERY_S:
            self._to_check = self._core.store.unended_games()
            self._checked_at = now
            self._games.end_stalled()
            for scene in self._core.study.study.scenes:
                if isinstance(scene, Game):
                    self._core.effects.push("", (RefreshWaitingRoom(scene.scene_id),))
        for _ in range(min(CHECKED_AT_ONCE, len(self._to_check))):
            self._core.effects.push("", (RefreshGame(self._to_check.pop()),))
