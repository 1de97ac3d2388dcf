"""`advance()`: what happens to a session, decided in one place and without side effects.

Three small machines stand side by side (link, runtime, place). An event is followed in the tables
of those it concerns; then the rules that couple them are applied; then what others can see of the
change is turned into effects.
"""

from app.sessions.effects import Effect, Record, RefreshGame, RefreshWaitingRoom, Step
from app.sessions.events import (
    ConnectionLost,
    DeadlinePassed,
    GameOver,
    LeaveRequested,
    LoadingEnded,
    LoadingStarted,
    Matched,
    PageConnected,
    PageReplaced,
    QueueJoined,
    Restated,
    SceneEntered,
    ServerRestarted,
    SessionEnded,
    SessionEvent,
    StageReached,
)
from app.sessions.link import LINK
from app.sessions.models import (
    Link,
    LinkState,
    Place,
    PlaceState,
    Policy,
    Runtime,
    RuntimeState,
    Session,
)
from app.sessions.place import PLACE
from app.sessions.runtime import RUNTIME
from app.sessions.table import Machine
from app.studies import StagerState

MACHINES = (LINK, RUNTIME, PLACE)
"""The three machines, for whoever draws or searches them."""

_ROUTES: dict[type, tuple[Machine, ...]] = {
    PageConnected: (LINK, RUNTIME),
    ConnectionLost: (LINK,),
    DeadlinePassed: (LINK, RUNTIME, PLACE),
    # The runtime's deadline is moved first: the link's is derived from it.
    ServerRestarted: (RUNTIME, LINK, PLACE),
    LeaveRequested: (LINK,),
    LoadingStarted: (RUNTIME,),
    StageReached: (RUNTIME,),
    LoadingEnded: (RUNTIME,),
    QueueJoined: (PLACE,),
    Matched: (PLACE,),
    GameOver: (PLACE,),
    SceneEntered: (PLACE, LINK),
}


def open_session(
    *,
    session_id: str,
    study: str,
    participant: str | None,
    page_id: str,
    scene: StagerState,
    runtime: Restated | None,
    now: float,
    policy: Policy,
) -> Step:
    """A new session with its first connection, epoch 1."""
    session = Session(
        id=session_id,
        study=study,
        participant=participant,
        created_at=now,
        epoch=1,
        page_id=page_id,
        link=Link(state=LinkState.CONNECTED, since=now),
        runtime=Runtime(state=RuntimeState.COLD, since=now, allowance=policy.fresh_allowance()),
        place=Place(state=PlaceState.LOBBY, since=now),
        scene=scene,
    )
    opened = Record(
        "session_opened",
        {"epoch": 1, "resumed": False, "study": study, "participant": participant},
    )
    stated = RUNTIME.follow(session, PageConnected(page_id, runtime), now, policy)
    return Step(stated.session, (opened, *stated.effects))


def advance(session: Session, event: SessionEvent, now: float, policy: Policy) -> Step:
    """What `event` makes of `session` at `now`.

    Returns:
        The session to be saved (None: delete it) and the effects to perform then, in order.

    Raises:
        IllegalTransition: a table has no entry for it; nothing was changed.
    """
    if _is_outdated(session, event, now):
        return Step(session)
    if session.link.state is LinkState.GONE:
        # Gone is final: only the link still hears anything, and its table says what.
        return LINK.follow(session, event, now, policy)
    steps = [Step(session)]
    for machine in _ROUTES[type(event)]:
        current = steps[-1].session
        if current is None or _comes_too_late(current, event):
            break
        if isinstance(event, PageConnected) and machine is RUNTIME:
            current = _with_page_replaced(session, current, event, now, policy)
        steps.append(machine.follow(current, event, now, policy))
    after = steps[-1].session
    effects: list[Effect] = [effect for step in steps for effect in step.effects]
    if after is not None and after.link.state is LinkState.GONE:
        effects.append(_gone_record(after))
        cleaned = PLACE.follow(after, SessionEnded(), now, policy)
        after = cleaned.session
        effects.extend(cleaned.effects)
    effects.extend(_visible_changes(session, after))
    return Step(after, tuple(effects))


def _is_outdated(session: Session, event: SessionEvent, now: float) -> bool:
    """Whether the event speaks of a connection or a deadline that is no longer the session's."""
    if isinstance(event, ConnectionLost):
        return event.epoch != session.epoch
    if isinstance(event, DeadlinePassed):
        current = session.deadline
        return event.epoch != session.epoch or current != event.deadline or current > now
    return False


def _with_page_replaced(
    before: Session, session: Session, event: PageConnected, now: float, policy: Policy
) -> Session:
    """The session with the runtime of the page that has connected, if it is another one."""
    if before.page_id == session.page_id:
        return session
    stated = event.runtime
    goes_on = stated is not None and stated.state is RuntimeState.LOADING
    restated = stated.attempt_id if stated is not None and goes_on else None
    step = RUNTIME.follow(session, PageReplaced(restated), now, policy)
    return step.session or session


def _comes_too_late(session: Session, event: SessionEvent) -> bool:
    """Whether the page has found the session's deadline passed, and has nothing to say here."""
    return isinstance(event, PageConnected) and session.link.state is LinkState.GONE


def _gone_record(session: Session) -> Record:
    why = session.link.why
    return Record("session_gone", {"why": why.value if why else None, "epoch": session.epoch})


def _visible_changes(before: Session, after: Session | None) -> tuple[Effect, ...]:
    """Who has to be told: the waiting room and the game that the session is or was in."""
    if after is None:
        return ()
    seen = (before.link, before.runtime.state, before.runtime.loading, before.place)
    if seen == (after.link, after.runtime.state, after.runtime.loading, after.place) and (
        before.epoch == after.epoch
    ):
        return ()
    effects: list[Effect] = []
    if PlaceState.WAITING in (before.place.state, after.place.state):
        effects.append(RefreshWaitingRoom(before.scene.scene_id))
    for game_id in dict.fromkeys((before.place.game_id, after.place.game_id)):
        if game_id is not None:
            effects.append(RefreshGame(game_id))
    return tuple(effects)
