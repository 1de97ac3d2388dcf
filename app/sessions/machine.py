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

# Names of enumerations take ten times as long to look up as these (Python 3.11).
_GONE, _WAITING = LinkState.GONE, PlaceState.WAITING

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


_DATED = frozenset((ConnectionLost, DeadlinePassed))
"""Events that speak of one connection or one deadline, which may not be the session's any more."""


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
    kind = type(event)
    if kind in _DATED and _is_outdated(session, event, now):
        return Step(session)
    if session.link.state is _GONE:
        # Gone is final: only the link still hears anything, and its table says what.
        return LINK.follow(session, event, now, policy)
    after: Session | None = session
    effects: tuple[Effect, ...] = ()
    for machine in _ROUTES[kind]:
        if after is None:
            break
        if machine is RUNTIME and isinstance(event, PageConnected):
            if after.link.state is _GONE:
                # The page has found the deadline passed, and has nothing to say here.
                break
            after = _with_page_replaced(session, after, event, now, policy)
        step = machine.follow(after, event, now, policy)
        after, effects = step.session, effects + step.effects
    if after is not None and after.link.state is _GONE:
        cleaned = PLACE.follow(after, SessionEnded(), now, policy)
        effects = (*effects, _gone_record(after), *cleaned.effects)
        after = cleaned.session
    return Step(after, effects + _visible_changes(session, after))


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


def _gone_record(session: Session) -> Record:
    why = session.link.why
    return Record("session_gone", {"why": why.value if why else None, "epoch": session.epoch})


def _visible_changes(before: Session, after: Session | None) -> tuple[Effect, ...]:
    """Who has to be told: the waiting room and the game that the session is or was in."""
    if after is None or not _is_visible(before, after):
        return ()
    was, is_now = before.place, after.place
    effects: list[Effect] = []
    if was.state is _WAITING or is_now.state is _WAITING:
        effects.append(RefreshWaitingRoom(before.scene.scene_id))
    if was.game_id is not None:
        effects.append(RefreshGame(was.game_id))
    if is_now.game_id is not None and is_now.game_id != was.game_id:
        effects.append(RefreshGame(is_now.game_id))
    return tuple(effects)


def _is_visible(before: Session, after: Session) -> bool:
    """Whether others can see the change. What is the same object has not changed."""
    return (
        before.epoch != after.epoch
        or (before.link is not after.link and before.link != after.link)
        or (before.place is not after.place and before.place != after.place)
        or (
            before.runtime is not after.runtime
            and (
                before.runtime.state is not after.runtime.state
                or before.runtime.loading != after.runtime.loading
            )
        )
    )
