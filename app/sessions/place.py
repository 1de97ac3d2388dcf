"""The place: in the lobby, in a waiting room, in a game, or at the end of the study."""

from app.errors import IllegalTransition
from app.sessions.effects import Record, ShowNextScene, Step
from app.sessions.events import (
    DeadlinePassed,
    GameOver,
    Matched,
    QueueJoined,
    SceneEntered,
    ServerRestarted,
    SessionEnded,
)
from app.sessions.models import (
    LinkState,
    Place,
    PlaceState,
    Policy,
    RuntimeState,
    Session,
)
from app.sessions.replacing import replace
from app.sessions.table import Machine, Rule, stay


def can_be_matched(session: Session) -> bool:
    """Whether a waiting session may be given a seat now: here, and its Python has not failed."""
    return (
        session.place.state is PlaceState.WAITING
        and session.link.state is LinkState.CONNECTED
        and session.runtime.state is not RuntimeState.FAILED
    )


def _join(session: Session, event: QueueJoined, now: float, policy: Policy) -> Step:
    place = Place(
        state=PlaceState.WAITING,
        since=now,
        queued_at=now,
        deadline=None if event.timeout_s is None else now + event.timeout_s,
    )
    record = Record("queue_joined", {"scene_id": session.scene.scene_id})
    return Step(replace(session, place=place), (record,))


def _seat(session: Session, event: Matched, now: float, policy: Policy) -> Step:
    if not can_be_matched(session):
        raise IllegalTransition("place", session.place.state, "Matched")
    place = Place(
        state=PlaceState.PLAYING,
        since=now,
        game_id=event.game_id,
        queued_at=session.place.queued_at,
    )
    return Step(replace(session, place=place))


def _unseat(session: Session, event: GameOver, now: float, policy: Policy) -> Step:
    if event.game_id != session.place.game_id:
        return Step(session)
    if not event.requeue:
        return Step(_in_lobby(replace(session, scene=event.scene), now))
    place = Place(
        state=PlaceState.WAITING,
        since=now,
        # The old time in the queue puts them in front of everybody who came later.
        queued_at=session.place.queued_at if event.in_front else now,
        deadline=None if event.timeout_s is None else now + event.timeout_s,
    )
    return Step(replace(session, place=place))


def _wait_no_longer(session: Session, event: DeadlinePassed, now: float, policy: Policy) -> Step:
    if session.place.deadline is None or session.place.deadline > now:
        return Step(session)
    if session.link.state is not LinkState.CONNECTED:
        return Step(session)
    scene_id = session.scene.scene_id
    record = Record("waiting_timed_out", {"scene_id": scene_id})
    return Step(_in_lobby(session, now), (record, ShowNextScene(scene_id)))


def _enter(session: Session, event: SceneEntered, now: float, policy: Policy) -> Step:
    session = replace(session, scene=event.scene)
    record = Record("scene_entered", {"scene_id": event.scene.scene_id})
    if not event.final:
        return Step(_in_lobby(session, now), (record,))
    place = Place(state=PlaceState.FINISHED, since=now)
    return Step(replace(session, place=place), (record,))


def _move_times(session: Session, event: ServerRestarted, now: float, policy: Policy) -> Step:
    place = session.place
    if place.deadline is not None:
        place = replace(place, deadline=place.deadline + event.down_s)
    if place.queued_at is not None and event.down_s < 0:
        # The clock was set back: who comes from now on would stand before who waited already. The
        # last sign of life may be older than the last to come.
        place = replace(place, queued_at=min(now, place.queued_at + event.down_s))
    return Step(replace(session, place=place))


def _clean_up(session: Session, event: SessionEnded, now: float, policy: Policy) -> Step:
    released = {"place": session.place.state.value, "game_id": session.place.game_id}
    if session.place.state is not PlaceState.FINISHED:
        session = _in_lobby(session, now)
    return Step(session, (Record("cleanup_done", released),))


def _in_lobby(session: Session, now: float) -> Session:
    return replace(session, place=Place(state=PlaceState.LOBBY, since=now))


_LOBBY, _WAITING = PlaceState.LOBBY, PlaceState.WAITING
_PLAYING, _FINISHED = PlaceState.PLAYING, PlaceState.FINISHED

PLACE = Machine(
    name="place",
    state_of=lambda session: session.place.state,
    table={
        (_LOBBY, QueueJoined): Rule(_join, to=(_WAITING,)),
        (_WAITING, QueueJoined): Rule(stay, to=(_WAITING,)),
        (_PLAYING, QueueJoined): Rule(stay, to=(_PLAYING,)),
        (_WAITING, Matched): Rule(_seat, to=(_PLAYING,)),
        (_LOBBY, GameOver): Rule(stay, to=(_LOBBY,)),
        (_WAITING, GameOver): Rule(stay, to=(_WAITING,)),
        (_PLAYING, GameOver): Rule(_unseat, to=(_PLAYING, _WAITING, _LOBBY)),
        (_LOBBY, SceneEntered): Rule(_enter, to=(_LOBBY, _FINISHED)),
        (_LOBBY, DeadlinePassed): Rule(stay, to=(_LOBBY,)),
        (_WAITING, DeadlinePassed): Rule(_wait_no_longer, to=(_WAITING, _LOBBY)),
        (_PLAYING, DeadlinePassed): Rule(stay, to=(_PLAYING,)),
        (_LOBBY, ServerRestarted): Rule(stay, to=(_LOBBY,)),
        (_WAITING, ServerRestarted): Rule(_move_times, to=(_WAITING,)),
        (_PLAYING, ServerRestarted): Rule(_move_times, to=(_PLAYING,)),
        (_LOBBY, SessionEnded): Rule(_clean_up, to=(_LOBBY,)),
        (_WAITING, SessionEnded): Rule(_clean_up, to=(_LOBBY,)),
        (_PLAYING, SessionEnded): Rule(_clean_up, to=(_LOBBY,)),
        (_FINISHED, SessionEnded): Rule(_clean_up, to=(_FINISHED,)),
    },
)
"""The place's table."""
