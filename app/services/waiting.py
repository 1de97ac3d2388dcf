"""Waiting rooms: match who can be matched, and tell who waits."""

from app.protocol import ServerEvent
from app.services.core import Core
from app.services.games import GameService
from app.sessions import Session, can_be_matched
from app.studies import Game


class WaitingService:
    """The waiting rooms of the study that is served. A room is derived from the sessions in it."""

    def __init__(self, core: Core, games: GameService) -> None:
        self._core = core
        self._games = games
        self._told: dict[str, dict[str, tuple[str, int]]] = {}

    def refresh(self, scene_id: str) -> None:
        """Match as many as possible in this room, then tell the rest how it stands."""
        scenes = {scene.scene_id: scene for scene in self._core.study.study.scenes}
        scene = scenes.get(scene_id)
        if not isinstance(scene, Game):
            return
        while self._games.match(scene, self._core.store.waiting(self._core.study_id, scene_id)):
            pass
        self._tell(scene, self._core.store.waiting(self._core.study_id, scene_id))

    def _tell(self, scene: Game, waiting: list[Session]) -> None:
        present = sum(1 for session in waiting if can_be_matched(session))
        now = self._core.clock.now()
        told: dict[str, tuple[str, int]] = {}
        for session in waiting:
            connection = self._core.connections.current(session.id)
            if connection is None:
                continue
            told[session.id] = (connection.sid, present)
            if self._told.get(scene.scene_id, {}).get(session.id) == told[session.id]:
                continue
            deadline = session.place.deadline
            left = None if deadline is None else round(max(0.0, deadline - now), 1)
            payload = {"waiting": present, "needed": scene.players, "seconds_left": left}
            self._core.tell(session.id, ServerEvent.WAITING_ROOM, payload)
        self._told.pop(scene.scene_id, None)
        if told:
            self._told[scene.scene_id] = told
