"""What partners may know of a player is derived from the session."""

import pytest

from app.games import status_of
from app.sessions import LinkState, RuntimeState, Session
from app.sessions.events import LeaveRequested, SceneEntered
from app.studies import StagerState
from unit.fakes.sessions import NOW, after, away, loading, opened, playing, ready


def test_a_player_who_is_there() -> None:
    """A connected player with Python has no deadline to be told of."""
    status = status_of("player_0", playing(ready()))
    assert (status.player, status.epoch) == ("player_0", 1)
    assert (status.link, status.runtime) == (LinkState.CONNECTED, RuntimeState.READY)
    assert status.deadline is None


@pytest.mark.parametrize(
    ("session", "deadline"),
    [(loading(), NOW + 60.0), (away(), NOW + 15.0), (away(loading()), NOW + 60.0)],
    ids=["loading", "away", "away while loading"],
)
def test_a_player_who_is_waited_for_has_a_deadline(session: Session, deadline: float) -> None:
    """Whoever loads or is away is waited for until a time that partners are told."""
    assert status_of("player_0", session).deadline == deadline


def test_only_a_connected_player_is_busy() -> None:
    """Whoever is away or gone is that, whatever was known of the page."""
    assert status_of("player_0", playing(ready()), busy=True).busy
    assert not status_of("player_0", playing(ready())).busy
    assert not status_of("player_0", away(), busy=True).busy
    assert not status_of("player_0", None, busy=True).busy


def test_a_player_who_is_gone_is_not_waited_for() -> None:
    """The deadline of a session that is over, which is for pruning it, is nobody's business."""
    status = status_of("player_0", after(loading(), LeaveRequested()))
    assert status.link is LinkState.GONE
    assert status.deadline is None


def test_leaving_is_told_from_being_lost() -> None:
    """A player who left, or came to the end, is told from one whose deadline passed."""
    finished = SceneEntered(StagerState("end"), final=True)
    assert status_of("player_0", after(opened(), LeaveRequested())).left
    assert status_of("player_0", after(opened(), finished)).left
    session = away()
    assert session.deadline is not None
    assert not status_of("player_0", session).left


def test_a_player_whose_session_was_pruned_is_gone() -> None:
    """A game outlives a deleted session, and ends because of it."""
    assert status_of("player_0", None).link is LinkState.GONE
