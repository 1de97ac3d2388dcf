"""`advance()`: which machines an event concerns, what couples them, and what others see of it."""

import contextlib
from typing import Any

import pytest

from app.errors import IllegalTransition
from app.sessions import (
    RefreshGame,
    RefreshWaitingRoom,
    RuntimeState,
    Session,
    advance,
)
from app.sessions.events import (
    ConnectionLost,
    DeadlinePassed,
    GameOver,
    LeaveRequested,
    LoadingEnded,
    LoadingStarted,
    Matched,
    PageConnected,
    QueueJoined,
    Restated,
    SceneEntered,
    ServerRestarted,
    SessionEvent,
    StageReached,
)
from app.studies import StagerState
from unit.fakes.sessions import (
    COME_BACK,
    NOW,
    POLICY,
    after,
    after_opening,
    away,
    failed,
    loading,
    lost,
    opened,
    playing,
    ready,
    records,
    start,
    waiting,
)

FINISHED = SceneEntered(StagerState("end"), final=True)

SESSIONS: dict[str, Session] = {
    "cold": opened(),
    "loading": loading(),
    "ready": ready(),
    "failed": failed(),
    "waiting": waiting(loading()),
    "playing": playing(ready()),
    "away": away(playing(loading())),
    "left": after(playing(), LeaveRequested()),
    "finished": after(opened(), FINISHED),
}

EVENTS: tuple[SessionEvent, ...] = (
    COME_BACK,
    PageConnected("page_0002", Restated(RuntimeState.LOADING, "attempt_2")),
    ConnectionLost(1, "transport close"),
    ConnectionLost(9, "transport close"),
    DeadlinePassed(NOW + 60.0, 1),
    ServerRestarted(5.0),
    LeaveRequested(),
    LoadingStarted("attempt_2", "fallback", "worker"),
    StageReached("attempt_1", "environment"),
    LoadingEnded("attempt_1"),
    QueueJoined(600.0),
    Matched("g_2"),
    GameOver("g_1", StagerState("match", done=True)),
    SceneEntered(StagerState("next")),
)


def test_a_session_opens_connected_cold_and_in_the_lobby() -> None:
    """A new session has its first connection, no Python, and is in no queue."""
    session, effects = after_opening()
    states = (session.link.state, session.runtime.state, session.place.state)
    assert states == ("connected", "cold", "lobby")
    assert session.epoch == 1
    assert len(effects) == 1


@pytest.mark.parametrize("name", SESSIONS)
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_every_event_in_every_state_is_a_step_or_illegal(name: str, event: SessionEvent) -> None:
    """No combination fails in any other way, and deciding changes no session in place."""
    session = SESSIONS[name]
    before = repr(session)
    with contextlib.suppress(IllegalTransition):
        advance(session, event, NOW + 60.0, POLICY)
    assert repr(session) == before


@pytest.mark.parametrize("name", ["left", "finished"])
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_gone_is_final(name: str, event: SessionEvent) -> None:
    """Nothing brings a session back, and nothing is cleaned up a second time."""
    try:
        step = advance(SESSIONS[name], event, NOW + 60.0, POLICY)
    except IllegalTransition:
        return
    assert step.session == SESSIONS[name]
    assert step.effects == ()


@pytest.mark.parametrize(
    "event",
    [LeaveRequested(), DeadlinePassed(NOW + 60.0, 1), PageConnected("page_0001")],
    ids=["left", "deadline passed", "came too late"],
)
def test_whatever_ends_a_session_cleans_up_once(event: SessionEvent) -> None:
    """However a session ends, its end and its cleanup are logged once, together."""
    step = advance(SESSIONS["away"], event, NOW + 60.0, POLICY)
    assert records(step) == ["session_gone", "cleanup_done"]
    assert RefreshGame("g_1") in step.effects


def test_who_waits_is_seen_by_the_waiting_room() -> None:
    """A room is refreshed when somebody comes, is lost, comes back, or is matched."""
    room = RefreshWaitingRoom("match")
    session = waiting()
    assert room in advance(opened(), QueueJoined(), NOW, POLICY).effects
    assert room in advance(session, lost(session), NOW, POLICY).effects
    assert room in advance(away(session), COME_BACK, NOW + 1.0, POLICY).effects
    assert room in advance(session, Matched("g_1"), NOW, POLICY).effects


@pytest.mark.parametrize(
    "event",
    [
        ConnectionLost(1, "transport close"),
        start("attempt_2"),
        COME_BACK,
        LeaveRequested(),
        GameOver("g_1", StagerState("match", done=True)),
    ],
    ids=lambda event: type(event).__name__,
)
def test_who_plays_is_seen_by_the_game(event: SessionEvent) -> None:
    """A game is refreshed when a player's link, runtime or place has changed."""
    assert RefreshGame("g_1") in advance(playing(), event, NOW + 1.0, POLICY).effects


def test_a_stage_is_seen_by_the_partner() -> None:
    """The seconds left that a partner is told change with every stage."""
    step = advance(playing(loading()), StageReached("attempt_1", "packages"), NOW + 9.0, POLICY)
    assert RefreshGame("g_1") in step.effects


@pytest.mark.parametrize("session", [opened(), waiting(), playing()])
def test_what_changes_nothing_has_no_effects(session: Any) -> None:
    """An event of an old connection, or for an old deadline, is nobody's business."""
    for event in (ConnectionLost(9, "transport close"), DeadlinePassed(NOW + 1.0, 1)):
        step = advance(session, event, NOW + 60.0, POLICY)
        assert step.session is session
        assert step.effects == ()


def test_a_deadline_of_an_old_epoch_is_outdated() -> None:
    """A sweep that met a reconnection half-way ends nothing."""
    session = away(after(away(), COME_BACK, at=1.0), at=1.0)
    assert session.deadline == NOW + 16.0
    assert after(session, DeadlinePassed(NOW + 16.0, 1), at=20.0) is session
