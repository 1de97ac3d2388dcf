"""The place: in the lobby, in a waiting room, in a game, or at the end of the study."""

import pytest

from app.errors import IllegalTransition
from app.sessions import PlaceState, Session, ShowNextScene, advance, can_be_matched
from app.sessions.events import (
    DeadlinePassed,
    GameOver,
    LeaveRequested,
    Matched,
    QueueJoined,
    SceneEntered,
    ServerRestarted,
    SessionEvent,
)
from app.studies import StagerState
from unit.fakes.sessions import (
    NOW,
    POLICY,
    SCENE,
    after,
    away,
    failed,
    loading,
    opened,
    playing,
    ready,
    records,
    saved,
    waiting,
)

PLAYED = StagerState("match", done=True)


def test_joining_queues_from_then_on() -> None:
    """Who joins waits, ordered by when, for at most the scene's time."""
    step = advance(opened(), QueueJoined(600.0), NOW + 2.0, POLICY)
    place = saved(step).place
    assert place.state is PlaceState.WAITING
    assert place.queued_at == NOW + 2.0
    assert place.deadline == NOW + 602.0
    assert records(step) == ["queue_joined"]


def test_joining_twice_keeps_the_place_in_the_queue() -> None:
    """A join that is sent again neither loses the place in the queue nor gains time."""
    for session in (waiting(), playing()):
        assert after(session, QueueJoined(600.0), at=9.0) == session


def test_a_wait_may_be_without_end() -> None:
    """A scene without a limit gives its waiting room no deadline."""
    assert after(opened(), QueueJoined(None)).deadline is None


@pytest.mark.parametrize(
    ("session", "expected"),
    [
        (waiting(), True),
        (waiting(loading()), True),
        (waiting(ready()), True),
        (waiting(failed()), False),
        (away(waiting()), False),
        (opened(), False),
        (playing(), False),
    ],
    ids=["cold", "loading", "ready", "failed", "away", "not waiting", "playing"],
)
def test_who_can_be_matched(session: Session, expected: bool) -> None:
    """Whoever waits and is connected, whatever the runtime, except `failed`."""
    assert can_be_matched(session) is expected


def test_a_match_gives_a_seat() -> None:
    """A seat is in one game; the time in the queue is kept for a way back."""
    place = after(waiting(at=3.0), Matched("g_1"), at=8.0).place
    assert (place.state, place.game_id) == (PlaceState.PLAYING, "g_1")
    assert place.queued_at == NOW + 3.0
    assert place.deadline is None


@pytest.mark.parametrize("session", [away(waiting()), waiting(failed())], ids=["away", "failed"])
def test_nobody_is_seated_who_cannot_be_matched(session: Session) -> None:
    """A match that was decided before somebody was lost is illegal, and is decided again."""
    with pytest.raises(IllegalTransition):
        advance(session, Matched("g_1"), NOW, POLICY)


def test_a_game_that_is_over_leads_on() -> None:
    """After a game the participant is in the lobby, and its scene is played."""
    session = after(playing(), GameOver("g_1", PLAYED))
    assert session.place.state is PlaceState.LOBBY
    assert session.scene == PLAYED


def test_a_game_that_never_started_leads_back_to_the_front() -> None:
    """Who is sent back has the old place in the queue, and a new time to wait."""
    event = GameOver("g_1", SCENE, requeue=True, timeout_s=600.0)
    session = after(playing(), event, at=180.0)
    assert session.place.state is PlaceState.WAITING
    assert session.place.queued_at == NOW
    assert session.place.deadline == NOW + 780.0
    assert session.scene == SCENE


def test_the_end_of_another_game_changes_nothing() -> None:
    """A late end of an old game does not end the present one."""
    session = playing(game_id="g_2")
    assert after(session, GameOver("g_1", PLAYED)) == session


@pytest.mark.parametrize("session", [opened(), waiting()], ids=["lobby", "waiting"])
def test_a_game_ends_once(session: Session) -> None:
    """Who has no seat any more is not moved by the game's end."""
    assert after(session, GameOver("g_1", PLAYED)) == session


def test_who_has_waited_long_enough_goes_on() -> None:
    """When the wait is over, the participant leaves the queue and is shown the next scene."""
    step = advance(waiting(), DeadlinePassed(NOW + 600.0, 1), NOW + 600.0, POLICY)
    assert saved(step).place.state is PlaceState.LOBBY
    assert records(step) == ["waiting_timed_out"]
    assert ShowNextScene("match") in step.effects


def test_who_is_away_is_not_sent_on() -> None:
    """Somebody who is away keeps the place in the queue until the grace ends or they are back."""
    session = away(waiting(), at=590.0)
    assert session.deadline == NOW + 605.0
    assert after(session, DeadlinePassed(NOW + 600.0, 1), at=601.0) == session


def test_a_new_scene_begins_in_the_lobby() -> None:
    """A scene is entered from the lobby and leads to the lobby, or to the end."""
    step = advance(opened(), SceneEntered(StagerState("next")), NOW, POLICY)
    assert saved(step).scene == StagerState("next")
    assert saved(step).place.state is PlaceState.LOBBY
    assert records(step) == ["scene_entered"]
    final = after(opened(), SceneEntered(StagerState("end"), final=True))
    assert final.place.state is PlaceState.FINISHED


@pytest.mark.parametrize("session", [waiting(), playing()], ids=["waiting", "playing"])
@pytest.mark.parametrize("event", [SceneEntered(StagerState("next"))])
def test_a_scene_is_not_left_from_a_queue_or_a_game(session: Session, event: SessionEvent) -> None:
    """Nobody walks out of a waiting room or a game by asking for the next scene."""
    with pytest.raises(IllegalTransition):
        advance(session, event, NOW, POLICY)


@pytest.mark.parametrize(
    ("session", "released"),
    [
        (opened(), {"place": "lobby", "game_id": None}),
        (waiting(), {"place": "waiting", "game_id": None}),
        (playing(), {"place": "playing", "game_id": "g_1"}),
    ],
    ids=["lobby", "waiting", "playing"],
)
def test_the_cleanup_gives_the_place_up(session: Session, released: dict[str, object]) -> None:
    """What was released is in the log, and the session is in no queue and in no game."""
    step = advance(session, LeaveRequested(), NOW, POLICY)
    assert step.records[-1].event == "cleanup_done"
    assert step.records[-1].fields == released
    assert saved(step).place.state is PlaceState.LOBBY
    assert saved(step).place.game_id is None


def test_a_restart_does_not_shorten_a_wait() -> None:
    """The time that the server was down is not time in which anybody could be found."""
    session = after(waiting(), ServerRestarted(100.0), at=110.0)
    assert session.place.deadline == NOW + 700.0
    endless = after(opened(), QueueJoined(None), ServerRestarted(100.0), at=110.0)
    assert endless.place.deadline is None


@pytest.mark.parametrize("queued_s", [0.0, 10.5], ids=["long ago", "after the last sign of life"])
def test_a_clock_that_was_set_back_takes_the_queue_with_it(queued_s: float) -> None:
    """Who has waited, or has a seat to come back from, stands before whoever comes from now on."""
    waited = after(opened(), QueueJoined(600.0), at=queued_s)
    for session in (waited, after(waited, Matched("g_1"), at=queued_s)):
        moved = after(session, ServerRestarted(-3600.0), at=10.0 - 3600.0)
        assert moved.place.queued_at == NOW + min(queued_s, 10.0) - 3600.0
    forward = after(waited, ServerRestarted(100.0), at=110.5)
    assert forward.place.queued_at == NOW + queued_s


def test_a_wait_whose_deadline_was_moved_is_not_over() -> None:
    """Another deadline of the same session that is due does not end the wait."""
    session = waiting(loading())
    assert after(session, DeadlinePassed(NOW + 60.0, 1), at=60.0).place == session.place
