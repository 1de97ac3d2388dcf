"""The link: connected, away with a deadline running, gone for good."""

from dataclasses import replace

import pytest

from app.sessions import (
    CloseConnection,
    GraceKind,
    LinkState,
    RuntimeState,
    Session,
    WakeSweeper,
    WhyGone,
    advance,
)
from app.sessions.events import (
    ConnectionLost,
    DeadlinePassed,
    LeaveRequested,
    PageConnected,
    Restated,
    SceneEntered,
    ServerRestarted,
)
from app.sessions.link import REPLACED_PAGES_KEPT
from app.studies import StagerState
from unit.fakes.sessions import (
    COME_BACK,
    NOW,
    POLICY,
    after,
    away,
    loading,
    lost,
    opened,
    records,
    saved,
    waiting,
)

OFF = replace(POLICY, loading_grace=False)


def due(session: Session) -> DeadlinePassed:
    """The sweeper's event for the session's present deadline."""
    assert session.deadline is not None
    return DeadlinePassed(session.deadline, session.epoch)


def gone(session: Session | None = None) -> Session:
    """A session that its participant left."""
    return after(session or opened(), LeaveRequested())


def test_a_lost_connection_is_away_with_a_deadline() -> None:
    """A loss starts a deadline and logs with which grace; the place is untouched."""
    session = waiting()
    step = advance(session, lost(session, 1006), NOW + 2.0, POLICY)
    after_loss = saved(step)
    assert after_loss.link.state is LinkState.AWAY
    assert after_loss.link.deadline == NOW + 17.0
    assert after_loss.place == session.place
    assert step.records[0].fields == {
        "epoch": 1,
        "cause": "network_lost",
        "reason": "transport close",
        "close_code": 1006,
        "grace": "reconnect",
        "deadline_in_s": 15.0,
    }


def test_the_loss_of_an_old_connection_changes_nothing() -> None:
    """Only the current connection's end is a loss."""
    session = after(opened(), COME_BACK)
    step = advance(session, ConnectionLost(1, "transport close"), NOW + 2.0, POLICY)
    assert step.session is session
    assert step.effects == ()


@pytest.mark.parametrize("down_s", [-3600.0, 0.0, 100.0])
def test_a_restart_keeps_nobody_listed_for_longer(down_s: float) -> None:
    """Whose session is over is pruned on time, also when the clock was ahead as it ended."""
    session = gone()
    now = NOW + 10.0 + down_s
    moved = saved(advance(session, ServerRestarted(down_s), now, POLICY))
    assert moved.link.deadline == min(NOW, now) + POLICY.gone_kept_s
    assert (moved.link.state, moved.link.why) == (LinkState.GONE, WhyGone.LEFT)


def test_a_loss_that_is_told_twice_counts_once() -> None:
    """A second loss of the same connection neither moves the deadline nor is logged."""
    session = away()
    step = advance(session, lost(session), NOW + 9.0, POLICY)
    assert step.session == session
    assert step.effects == ()


def test_coming_back_restores_the_link() -> None:
    """The same page is the next epoch of the same session, and the time away is logged."""
    step = advance(away(at=1.0), COME_BACK, NOW + 5.0, POLICY)
    session = saved(step)
    assert session.link.state is LinkState.CONNECTED
    assert session.deadline is None
    assert session.epoch == 2
    assert records(step) == ["session_opened", "link_restored"]
    assert step.records[1].fields["away_s"] == 4.0


def test_a_connection_takes_over_from_one_that_is_still_open() -> None:
    """The newest connection wins; the same page is not told that it was replaced."""
    step = advance(opened(), COME_BACK, NOW + 1.0, POLICY)
    assert CloseConnection(1, taken_over=False) in step.effects
    assert records(step) == ["session_opened"]


def test_a_new_page_replaces_the_old_one() -> None:
    """The newest page wins: the old one is told so and remembered, so that it is refused."""
    step = advance(opened(), PageConnected("page_0002"), NOW + 1.0, POLICY)
    assert CloseConnection(1, taken_over=True) in step.effects
    assert saved(step).replaced_pages == ("page_0001",)
    assert saved(step).page_id == "page_0002"


def test_the_memory_of_replaced_pages_is_bounded() -> None:
    """However often somebody reloads, the session stays small and knows the latest pages."""
    session = opened()
    for number in range(2, REPLACED_PAGES_KEPT + 10):
        session = after(session, PageConnected(f"page_{number:04}"))
    assert len(session.replaced_pages) == REPLACED_PAGES_KEPT
    assert session.replaced_pages[-1] == f"page_{REPLACED_PAGES_KEPT + 8:04}"


def test_the_sweeper_ends_the_grace() -> None:
    """When its deadline passes, an away link is gone, because of that."""
    session = away()
    ended = after(session, due(session), at=15.0)
    assert ended.link.state is LinkState.GONE
    assert ended.link.why is WhyGone.DEADLINE_PASSED


def test_the_grace_does_not_end_early() -> None:
    """A sweep before the deadline, or for one that was moved, changes nothing."""
    session = away()
    assert after(session, due(session), at=14.999) is session
    assert after(session, DeadlinePassed(NOW + 3.0, 1), at=20.0) is session


def test_who_comes_back_on_the_deadline_is_too_late() -> None:
    """A deadline is over when it is reached, even if the sweeper has not been there yet."""
    step = advance(away(), COME_BACK, NOW + 15.0, POLICY)
    assert saved(step).link.why is WhyGone.DEADLINE_PASSED
    assert records(step) == ["session_gone", "cleanup_done"]


def test_a_late_comer_leaves_no_trace_of_a_new_connection() -> None:
    """Who comes too late is refused: nothing in the log says that a load or a link began."""
    late = PageConnected("page_0002", Restated(RuntimeState.LOADING, "attempt_2"))
    step = advance(away(loading()), late, NOW + 60.0, POLICY)
    assert saved(step).epoch == 1
    assert saved(step).replaced_pages == ()
    assert records(step) == ["session_gone", "cleanup_done"]


@pytest.mark.parametrize("session", [opened(), away()], ids=["connected", "away"])
def test_leaving_ends_at_once(session: Session) -> None:
    """A deliberate leave is given no grace."""
    assert after(session, LeaveRequested()).link.why is WhyGone.LEFT


@pytest.mark.parametrize("session", [opened(), away()], ids=["connected", "away"])
def test_the_end_of_the_study_ends_the_session(session: Session) -> None:
    """The last scene ends a session, any other scene does not."""
    final = after(session, SceneEntered(StagerState("end"), final=True))
    assert final.link.why is WhyGone.FINISHED
    assert after(session, SceneEntered(StagerState("next"))).link == session.link


def test_a_session_that_is_gone_is_pruned() -> None:
    """A session that is over stays listed for a while, then is deleted."""
    session = gone()
    assert session.deadline == NOW + POLICY.gone_kept_s
    assert advance(session, due(session), NOW + POLICY.gone_kept_s, POLICY).session is None


def test_a_restart_is_a_loss_of_every_connection() -> None:
    """Who was connected when the server died has a full grace from its start on."""
    step = advance(opened(), ServerRestarted(100.0), NOW + 100.0, POLICY)
    assert saved(step).link.deadline == NOW + 115.0
    assert step.records[0].fields["reason"] == "server_restart"


def test_a_restart_moves_the_deadline_of_who_was_away() -> None:
    """The time that the server was down does not count, and there is always a full grace."""
    assert after(away(), ServerRestarted(100.0), at=101.0).link.deadline == NOW + 116.0
    long_grace = away(loading())
    assert after(long_grace, ServerRestarted(100.0), at=101.0).link.deadline == NOW + 160.0


def test_a_restart_leaves_who_is_gone() -> None:
    """Gone is final, for a new server too."""
    session = gone()
    assert after(session, ServerRestarted(100.0), at=101.0) == session


def test_without_grace_a_loss_is_due_at_once() -> None:
    """The control run: the deadline is now, the sweeper is woken, the log says `none`."""
    session = loading(policy=OFF)
    step = advance(session, lost(session), NOW + 1.0, OFF)
    assert saved(step).link.grace is GraceKind.NONE
    assert saved(step).link.deadline == NOW + 1.0
    assert step.records[0].fields["grace"] == "none"
    assert WakeSweeper() in step.effects


def test_with_grace_the_sweeper_is_not_woken() -> None:
    """A deadline that lies ahead needs nobody to be woken."""
    session = opened()
    assert WakeSweeper() not in advance(session, lost(session), NOW, POLICY).effects
