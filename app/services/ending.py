"""What the end of a game does to its players: on with the study, or back to the queue."""

from collections.abc import Mapping

from app.games import Game, GameState
from app.protocol import EndReason
from app.services.core import Core
from app.sessions import PlaceState, Session, Step, advance
from app.sessions.events import GameOver
from app.studies import Game as GameScene


def end_for_members(
    core: Core, before: Game, ended: Game, sessions: Mapping[str, Session], now: float
) -> dict[str, Step]:
    """The steps of the players who are still in their seats, by session id.

    A game that never started sends them back to the queue, with the time they first queued at, if
    its scene says so; after any other game the scene counts as played.
    """
    scene = {one.scene_id: one for one in core.study.study.scenes}.get(ended.scene_id)
    requeue = (
        before.state is GameState.MATCHED
        # An environment that cannot begin would not begin with anybody else either.
        and ended.reason != EndReason.ENVIRONMENT_FAILED
        and isinstance(scene, GameScene)
        and scene.on_unstarted == "requeue"
    )
    timeout_s = scene.waiting_timeout_s if isinstance(scene, GameScene) else None
    steps: dict[str, Step] = {}
    for session_id, session in sessions.items():
        if session.place.state is not PlaceState.PLAYING or session.place.game_id != ended.id:
            continue
        keep_scene = requeue or scene is None or session.scene.scene_id != ended.scene_id
        scene_state = session.scene if keep_scene else core.stager.complete(session.scene)
        # Who was there and never got ready would keep the next one waiting in vain too.
        was_ready = ended.ready[ended.seat_of(session_id)] == session.epoch
        held_up = ended.reason == EndReason.START_TIMEOUT and (
            not was_ready or core.is_busy(session_id)
        )
        event = GameOver(
            ended.id, scene_state, requeue=requeue, in_front=not held_up, timeout_s=timeout_s
        )
        steps[session_id] = advance(session, event, now, core.policy)
    return steps
