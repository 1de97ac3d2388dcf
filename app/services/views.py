"""Sessions and games as JSON: for the page that owns them, and for the experimenter."""

from collections.abc import Callable
from typing import Any

from app.games import Game, PlayerStatus
from app.services.scene_view import scene_view
from app.sessions import LinkState, Session
from app.studies import Game as GameScene
from app.studies import Stager, StagerState


def scene_payload(
    stager: Stager, state: StagerState, environment_address: Callable[[str], str]
) -> dict[str, Any]:
    """The current scene, whole, as `scene_activated` and `session_opened` carry it.

    Args:
        stager: knows the scenes.
        state: where in the study a session is.
        environment_address: where the page gets the environment of the game scene of that id.
    """
    scene = stager.scene(state)
    address = environment_address(scene.scene_id) if isinstance(scene, GameScene) else None
    return scene_view(scene, state, environment_url=address)


def partner_payload(game_id: str, status: PlayerStatus, now: float) -> dict[str, Any]:
    """`partner_status`: which player, how they are, and how long that can last, in seconds."""
    payload: dict[str, Any] = {
        "game_id": game_id,
        "player": status.player,
        "link": "busy" if status.busy else str(status.link),
        "runtime": str(status.runtime),
    }
    if status.deadline is not None:
        payload["seconds_left"] = round(max(0.0, status.deadline - now), 1)
    return payload


def session_view(session: Session, now: float, busy_since: float | None = None) -> dict[str, Any]:
    """A session for the experimenter. `deadline_in_s` is negative while the sweeper is late.

    Args:
        session: the session.
        now: UTC seconds.
        busy_since: since when its connected page answers nothing, None when it does.
    """
    loading = session.runtime.loading
    if session.link.state is not LinkState.CONNECTED:
        busy_since = None
    return {
        "session_id": session.id,
        "study": session.study,
        "participant": session.participant,
        "link": session.link.state.value,
        "busy": busy_since is not None,
        "busy_for_s": None if busy_since is None else round(now - busy_since, 3),
        "runtime": session.runtime.state.value,
        "place": session.place.state.value,
        "scene_id": session.scene.scene_id,
        "game_id": session.place.game_id,
        "epoch": session.epoch,
        "since": session.link.since,
        "created_at": session.created_at,
        "grace": session.link.grace.value if session.link.grace else None,
        "why": session.link.why.value if session.link.why else None,
        "deadline_in_s": _until(session.deadline, now)
        if session.link.state is not LinkState.GONE
        else None,
        "loading": None
        if loading is None
        else {
            "attempt_id": loading.attempt_id,
            "path": loading.path,
            "runtime": loading.where,
            "stage": loading.stage,
            "for_s": round(now - session.runtime.since, 3),
            "deadline_in_s": _until(loading.deadline, now),
            "overdue": loading.overdue,
        },
    }


def game_view(game: Game, now: float) -> dict[str, Any]:
    """A game for the experimenter."""
    return {
        "game_id": game.id,
        "study": game.study,
        "scene_id": game.scene_id,
        "state": game.state.value,
        "players": dict(zip(game.players, game.members, strict=True)),
        "seed": game.seed,
        "created_at": game.created_at,
        "deadline_in_s": _until(game.deadline, now),
        "waiting_for": game.waiting_for,
        "frames": game.frames,
        "ended_at": game.ended_at,
        "reason": game.reason,
        "result": game.result,
    }


def _until(deadline: float | None, now: float) -> float | None:
    return None if deadline is None else round(deadline - now, 3)
