"""Sessions in given states, made the way real ones come there: by events."""

from typing import Any

from app.sessions import Policy, Session, Step, advance, open_session
from app.sessions.effects import Effect
from app.sessions.events import (
    ConnectionLost,
    LoadingEnded,
    LoadingStarted,
    Matched,
    PageConnected,
    QueueJoined,
    Restated,
    SessionEvent,
)
from app.studies import StagerState

NOW = 1_000_000.0
"""When the sessions made here were opened, UTC seconds."""

POLICY = Policy()
"""The default times."""

SCENE = StagerState("match")

COME_BACK = PageConnected("page_0001")
"""The page of a session made here connects again."""


def opened(
    *, session_id: str = "s_1", runtime: Restated | None = None, policy: Policy = POLICY
) -> Session:
    """A session that was opened at NOW: connected, cold, in the lobby."""
    return after_opening(session_id=session_id, runtime=runtime, policy=policy)[0]


def after_opening(
    *, session_id: str = "s_1", runtime: Restated | None = None, policy: Policy = POLICY
) -> tuple[Session, tuple[Effect, ...]]:
    """A session that was opened at NOW, and the effects of that."""
    step = open_session(
        session_id=session_id,
        study="study",
        participant="label",
        page_id="page_0001",
        scene=SCENE,
        runtime=runtime,
        now=NOW,
        policy=policy,
    )
    return saved(step), step.effects


def saved(step: Step) -> Session:
    """The session of a step that did not delete it."""
    assert step.session is not None
    return step.session


def after(
    session: Session, *events: SessionEvent, at: float = 0.0, policy: Policy = POLICY
) -> Session:
    """The session after these events, all `at` seconds after NOW."""
    for event in events:
        session = saved(advance(session, event, NOW + at, policy))
    return session


def start(attempt_id: str = "attempt_1") -> LoadingStarted:
    """The start of a load."""
    return LoadingStarted(attempt_id, "preload", "main")


def end(attempt_id: str = "attempt_1", error: str | None = None) -> LoadingEnded:
    """The end of a load."""
    return LoadingEnded(attempt_id, error)


def lost(session: Session, close_code: int | None = None) -> ConnectionLost:
    """The loss of the session's present connection."""
    return ConnectionLost(session.epoch, "transport close", close_code)


def loading(**given: Any) -> Session:
    """A connected session that began to load at NOW."""
    return after(opened(**given), start())


def ready(**given: Any) -> Session:
    """A connected session that has its Python."""
    return after(loading(**given), end())


def failed(**given: Any) -> Session:
    """A connected session whose load failed."""
    return after(loading(**given), end(error="no memory"))


def waiting(session: Session | None = None, at: float = 0.0) -> Session:
    """The session (by default a new one) in the waiting room, for at most 600 s."""
    return after(session or opened(), QueueJoined(600.0), at=at)


def playing(session: Session | None = None, game_id: str = "g_1") -> Session:
    """The session (by default a new one) with a seat in a game."""
    return after(waiting(session), Matched(game_id))


def away(session: Session | None = None, at: float = 0.0, close_code: int | None = None) -> Session:
    """The session (by default a new one) with its connection lost `at` seconds after NOW."""
    session = session or opened()
    return after(session, lost(session, close_code), at=at)


def records(step: Step) -> list[str]:
    """The names of what a step puts into the log."""
    return [record.event for record in step.records]
