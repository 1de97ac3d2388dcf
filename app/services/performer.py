"""Performs what was decided: one place that knows which service an effect belongs to."""

from app.protocol import ServerEvent
from app.services.core import Core
from app.services.games import GameService
from app.services.sessions import SessionService
from app.services.sweeper import Sweeper
from app.services.waiting import WaitingService
from app.sessions import (
    CloseConnection,
    Effect,
    Record,
    RefreshGame,
    RefreshWaitingRoom,
    ShowNextScene,
    WakeSweeper,
)


class Performer:
    """Hands every effect to the service that can perform it."""

    def __init__(
        self,
        core: Core,
        sessions: SessionService,
        games: GameService,
        waiting: WaitingService,
        sweeper: Sweeper,
    ) -> None:
        self._core = core
        self._sessions = sessions
        self._games = games
        self._waiting = waiting
        self._sweeper = sweeper

    def perform(self, session_id: str, effect: Effect) -> None:
        """Perform one effect of a session that has been saved."""
        match effect:
            case Record():
                pass
            case CloseConnection(epoch, taken_over):
                self._close(session_id, epoch, taken_over)
            case RefreshWaitingRoom(scene_id):
                self._waiting.refresh(scene_id)
            case RefreshGame(game_id):
                self._games.refresh(game_id)
            case ShowNextScene(scene_id):
                self._sessions.show_next_scene(session_id, scene_id)
            case WakeSweeper():
                self._sweeper.wake()

    def _close(self, session_id: str, epoch: int, taken_over: bool) -> None:
        connection = self._core.connections.of_epoch(session_id, epoch)
        if connection is None:
            return
        if taken_over:
            self._core.outbox.emit(connection.sid, ServerEvent.SESSION_TAKEN_OVER, {})
        self._core.outbox.close(connection.sid)
