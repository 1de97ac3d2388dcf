"""The rules of ARCHITECTURE.md on link and place, as checks of one change of a session, by number.

Each says what has to hold in its own words and does not ask the tables, so that a wrong entry in
a table is found.
"""

from app.sessions import (
    CloseConnection,
    GraceKind,
    LinkState,
    PlaceState,
    Policy,
    RefreshGame,
    RefreshWaitingRoom,
    RuntimeState,
    Session,
    WakeSweeper,
    WhyGone,
)
from app.sessions.events import (
    ConnectionLost,
    DeadlinePassed,
    LeaveRequested,
    PageConnected,
    SceneEntered,
    ServerRestarted,
)
from app.sessions.grace import GOING_AWAY
from unit.fakes.session_changes import (
    Rules,
    became_gone,
    is_current,
    is_due,
    logged,
    nothing_changed,
    only_changed,
)
from unit.fakes.session_choices import Change

SESSION_RULES = rule = Rules()
"""What concerns the link, the place and the session as a whole."""


@rule(3)
def ends_with_one_cleanup(change: Change) -> None:
    """`session_gone` and `cleanup_done` are logged once when a session ends, and never else."""
    log = logged(change)
    ended = int(became_gone(change))
    assert log.count("session_gone") == log.count("cleanup_done") == ended


@rule(1)
def ends_for_a_reason(change: Change) -> None:
    """A session ends by its own wish, at the end of its study, or away past its deadline."""
    if became_gone(change):
        event = change.event
        why = WhyGone.DEADLINE_PASSED
        if isinstance(event, LeaveRequested):
            why = WhyGone.LEFT
        elif isinstance(event, SceneEntered):
            assert event.final
            why = WhyGone.FINISHED
        else:
            assert isinstance(event, DeadlinePassed | PageConnected)
            assert is_due(change)
        assert change.after.link.why is why


@rule(3)
def keeps_gone_for_good(change: Change) -> None:
    """Who is gone stays gone, untouched, until the record is pruned."""
    if change.before.link.state is LinkState.GONE and change.step is not None:
        assert change.step.session in (None, change.before)
        assert change.step.effects == ()


@rule(10)
def tells_who_can_see_it(change: Change) -> None:
    """The game and the waiting room hear of every change of link, runtime or place."""
    before, step = change.before, change.step
    if step is None or step.session is None or step.session is before:
        return
    after = step.session
    visible = [(one.epoch, one.link, one.runtime.state, one.place) for one in (before, after)]
    places = (before.place, after.place)
    if visible[0] != visible[1]:
        for game_id in {place.game_id for place in places} - {None}:
            assert step.effects.count(RefreshGame(str(game_id))) == 1
        waits = PlaceState.WAITING in {place.state for place in places}
        assert step.effects.count(RefreshWaitingRoom(before.scene.scene_id)) == int(waits)


@rule(6)
def keeps_its_identity(change: Change) -> None:
    """Only a page that connects changes the epoch and the page; nothing changes the identity."""
    if change.step is None or change.step.session is None or change.step.session is change.before:
        return
    before, after = change.before, change.after
    assert (after.id, after.study, after.created_at) == (before.id, before.study, before.created_at)
    if not isinstance(change.event, PageConnected):
        assert (after.epoch, after.page_id) == (before.epoch, before.page_id)
        assert after.replaced_pages == before.replaced_pages


@rule(1, ConnectionLost)
def puts_a_lost_link_away(change: Change) -> None:
    """A lost connection puts the link away, and changes nothing else."""
    event, before = change.event, change.before
    assert isinstance(event, ConnectionLost)
    if event.epoch != before.epoch or before.link.state is not LinkState.CONNECTED:
        return
    assert change.after.link.state is LinkState.AWAY
    assert only_changed(change, "link")
    assert logged(change) == ["link_lost"]


@rule(2, ConnectionLost)
def gives_a_lost_link_its_grace(change: Change) -> None:
    """While Python loads a lost link has the rest of the loading grace, at least the reconnect."""
    before, event = change.before, change.event
    assert isinstance(event, ConnectionLost)
    if event.epoch == before.epoch and before.link.state is LinkState.CONNECTED:
        expected = expected_grace(before, change.now, change.policy, event.close_code)
        assert (change.after.link.deadline, change.after.link.grace) == expected


@rule(12, ConnectionLost)
def gives_who_goes_away_the_reconnect_grace(change: Change) -> None:
    """With close code 1001 nobody is given the loading grace."""
    before, event = change.before, change.event
    assert isinstance(event, ConnectionLost)
    if before.link.state is LinkState.CONNECTED and event.close_code == GOING_AWAY:
        assert change.after.link.grace is not GraceKind.LOADING


@rule(5, ConnectionLost)
def ignores_an_old_connection(change: Change) -> None:
    """The loss of an old connection changes nothing, and nor does a second loss."""
    assert isinstance(change.event, ConnectionLost)
    current = change.event.epoch == change.before.epoch
    if not current or change.before.link.state is not LinkState.CONNECTED:
        assert nothing_changed(change)


@rule(1, ConnectionLost, ServerRestarted)
def wakes_the_sweeper_for_what_is_due(change: Change) -> None:
    """A link that is lost without grace is due at once, and the sweeper is woken for it."""
    assert change.step is not None
    lost = change.before.link.state is LinkState.CONNECTED is not change.after.link.state
    due = lost and (change.after.link.deadline or 0.0) <= change.now
    assert (WakeSweeper() in change.step.effects) == due
    assert not (due and change.policy.loading_grace)


@rule(3, DeadlinePassed)
def ends_grace_on_the_deadline(change: Change) -> None:
    """A link that is away is gone when its deadline is swept, on the instant and not before."""
    event, before = change.event, change.before
    assert isinstance(event, DeadlinePassed)
    if not is_current(before, event) or event.deadline > change.now:
        assert nothing_changed(change)
    else:
        assert became_gone(change) == (before.link.state is LinkState.AWAY)
        assert change.after.deadline != before.deadline, "due for ever"


@rule(16, ServerRestarted)
def survives_a_restart(change: Change) -> None:
    """After a restart everybody is away with a full grace; every deadline has moved along."""
    before, after, event = change.before, change.after, change.event
    assert isinstance(event, ServerRestarted)
    assert after.link.state is LinkState.AWAY
    down, old_load, load = event.down_s, before.runtime.loading, after.runtime.loading
    if before.place.deadline is not None:
        assert after.place.deadline == before.place.deadline + down
    if old_load is not None:
        assert load is not None
        assert load.deadline == old_load.deadline + down
        assert after.runtime.since == before.runtime.since + down, "the budget's end"
    if before.link.state is LinkState.CONNECTED:
        # `after` has the load's deadline where it is now.
        assert (after.link.deadline, after.link.grace) == expected_grace(
            after, change.now, change.policy
        )
    else:
        moved = (before.link.deadline or 0.0) + down
        least = change.now + change.policy.reconnect_grace_s
        expected = max(moved, least) if change.policy.loading_grace else moved
        assert after.link.deadline == expected
    if before.place.queued_at is not None:
        # Set back with the clock, so that whoever comes now stands behind.
        assert after.place.queued_at == before.place.queued_at + min(0.0, down)
    assert only_changed(change, "link", "runtime", "place")


@rule(12, LeaveRequested)
def leaves_at_once(change: Change) -> None:
    """Whoever leaves is gone at once, connected or away."""
    assert became_gone(change)


@rule(5, PageConnected)
def lets_the_newest_page_win(change: Change) -> None:
    """The page that connects is the session's; the old connection is closed, the old page told."""
    event, before, after, step = change.event, change.before, change.after, change.step
    assert isinstance(event, PageConnected)
    assert step is not None
    assert became_gone(change) == is_due(change), "it came too late, or not"
    if is_due(change):
        return
    new_page = event.page_id != before.page_id
    assert after.link.state is LinkState.CONNECTED
    assert (after.epoch, after.page_id) == (before.epoch + 1, event.page_id)
    assert CloseConnection(before.epoch, taken_over=new_page) in step.effects
    assert (before.page_id in after.replaced_pages) == new_page
    assert after.page_id not in after.replaced_pages
    restored = before.link.state is LinkState.AWAY
    assert ("link_restored" in logged(change)) == restored


def expected_grace(
    session: Session, now: float, policy: Policy, close_code: int | None = None
) -> tuple[float, GraceKind]:
    """The deadline of a link lost at `now`, in the words of rules 1, 2 and 12."""
    loading, reconnect = session.runtime.loading, now + policy.reconnect_grace_s
    if not policy.loading_grace:
        return now, GraceKind.NONE
    if loading is None or now >= loading.deadline or close_code == GOING_AWAY:
        return reconnect, GraceKind.RECONNECT
    return max(reconnect, loading.deadline), GraceKind.LOADING


def check_session(session: Session, now: float, policy: Policy) -> None:
    """Hold a session, whatever led to it, against what is true of every session."""
    link, runtime, place = session.link, session.runtime, session.place
    gone = link.state is LinkState.GONE
    assert (link.deadline is None) == (link.state is LinkState.CONNECTED), "away without an end"
    assert (link.grace is not None) == (link.state is LinkState.AWAY)
    assert (link.why is not None) == gone
    assert (runtime.loading is not None) == (runtime.state is RuntimeState.LOADING)
    assert (place.game_id is not None) == (place.state is PlaceState.PLAYING)
    seated = place.state in (PlaceState.WAITING, PlaceState.PLAYING)
    assert (place.queued_at is not None) == seated
    assert place.deadline is None or place.state is PlaceState.WAITING
    assert not (gone and seated), "a place kept by somebody who is gone"
    finished = link.why is WhyGone.FINISHED
    assert (place.state is PlaceState.FINISHED) == finished
    loading, allowance = runtime.loading, runtime.allowance
    longest = policy.loading_timeout_s
    assert 0.0 <= allowance.page_s <= longest
    assert allowance.budget_s >= 0.0
    if loading is None:
        assert allowance.budget_s <= policy.loading_budget_s
    elif not gone:
        ends = runtime.since + allowance.budget_s
        assert loading.deadline <= ends <= now + policy.loading_budget_s
        assert loading.deadline <= now + longest
        assert not loading.overdue or loading.deadline <= now
        assert loading.attempt_id not in runtime.ended_attempts
    if link.state is LinkState.AWAY and link.deadline is not None:
        assert link.deadline <= now + max(longest, policy.reconnect_grace_s)
