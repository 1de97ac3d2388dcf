"""The rules of ARCHITECTURE.md on loading, as checks of one change of one session, by number.

Each says what has to hold in its own words and does not ask the tables or `grace.py`, so that a
fault in those is found.
"""

from app.sessions import (
    GraceKind,
    LinkState,
    RuntimeState,
    deadline_of_lost_link,
    is_client_in_loading_grace,
)
from app.sessions.events import (
    DeadlinePassed,
    LoadingEnded,
    LoadingStarted,
    PageConnected,
    StageReached,
)
from app.sessions.grace import STAGES
from unit.fakes.session_changes import Rules, is_due, logged, nothing_changed, only_changed
from unit.fakes.session_choices import Change, try_again

LOADING_RULES = rule = Rules()
"""What concerns the runtime, its clock and its attempts."""


@rule(8, DeadlinePassed)
def marks_a_load_overdue(change: Change) -> None:
    """A load whose deadline is swept while connected is overdue, logged, and has no grace left."""
    loading, after = change.before.runtime.loading, change.after
    overdue = "loading_overdue" in logged(change)
    connected = change.before.link.state is LinkState.CONNECTED
    if loading is not None and connected and not nothing_changed(change):
        assert overdue == (loading.deadline <= change.now and not loading.overdue)
    assert overdue <= (after.runtime.loading is not None and after.runtime.loading.overdue)
    assert not (overdue and is_client_in_loading_grace(after, change.now))
    assert after.runtime.state is change.before.runtime.state


@rule(4, LoadingStarted)
def starts_no_new_clock(change: Change) -> None:
    """A load has what is left of the clock; starting again while one runs keeps its deadline."""
    event, before = change.event, change.before.runtime
    assert isinstance(event, LoadingStarted)
    loading = change.after.runtime.loading
    if event.attempt_id in before.ended_attempts or loading is None:
        return
    if before.loading is not None:
        assert loading.deadline == before.loading.deadline
    else:
        left_s = min(before.allowance.page_s, before.allowance.budget_s)
        assert loading.deadline == change.now + left_s


@rule(4, StageReached)
def extends_at_a_new_stage_only(change: Change) -> None:
    """A stage that the page has not reached gives full time from then, within the budget."""
    event, old, new = change.event, change.before.runtime, change.after.runtime
    assert isinstance(event, StageReached)
    if old.loading is None or old.loading.attempt_id != event.attempt_id or new.loading is None:
        return
    full = change.now + change.policy.loading_timeout_s
    expected = old.loading.deadline
    if STAGES.index(event.stage) > old.allowance.stages:
        ends = old.since + old.allowance.budget_s
        expected = max(expected, min(full, ends))
    if expected > change.now:
        assert new.loading.deadline == expected
        assert new.loading.overdue == (old.loading.overdue and expected == old.loading.deadline)
    else:
        assert new.loading.deadline == old.loading.deadline


@rule(7, LoadingStarted, StageReached, LoadingEnded)
def hears_of_a_load_once(change: Change) -> None:
    """Said again a message changes nothing, nor does any of an attempt that has ended."""
    event = change.event
    assert isinstance(event, LoadingStarted | StageReached | LoadingEnded)
    if event.attempt_id in change.before.runtime.ended_attempts:
        assert nothing_changed(change)
    else:
        assert nothing_changed(try_again(change))
        assert only_changed(change, "runtime")


@rule(8, LoadingEnded)
def ends_the_loading_grace(change: Change) -> None:
    """Success and error both end the load; a loss after that has the reconnect grace."""
    event, after = change.event, change.after
    assert isinstance(event, LoadingEnded)
    if event.attempt_id in change.before.runtime.ended_attempts:
        return
    state = RuntimeState.READY if event.error is None else RuntimeState.FAILED
    assert after.runtime.state is state
    assert event.attempt_id in after.runtime.ended_attempts
    _, grace = deadline_of_lost_link(after, change.now, change.policy)
    assert grace is not GraceKind.LOADING


@rule(4, LoadingEnded)
def refills_after_a_success_only(change: Change) -> None:
    """A success refills clock and budget; a failure leaves what the load has not used."""
    event, old, left = change.event, change.before.runtime, change.after.runtime.allowance
    assert isinstance(event, LoadingEnded)
    if old.loading is None or event.attempt_id in old.ended_attempts:
        return
    expected = (change.policy.loading_timeout_s, change.policy.loading_budget_s, 0)
    if event.error is not None:
        clock, budget_ends = old.loading.deadline, old.since + old.allowance.budget_s
        unused = max(0.0, clock - change.now), max(0.0, budget_ends - change.now)
        expected = (*unused, old.allowance.stages)
    assert (left.page_s, left.budget_s, left.stages) == expected


@rule(6, PageConnected)
def takes_the_runtime_as_restated(change: Change) -> None:
    """The runtime is what the page says of it, unless that is a load which has ended."""
    event, old, new = change.event, change.before.runtime, change.after.runtime
    assert isinstance(event, PageConnected)
    if is_due(change):
        assert new == old
        return
    new_page = event.page_id != change.before.page_id
    known = RuntimeState.COLD if new_page else old.state
    stated = event.runtime
    expected = known
    if stated is not None and stated.state is RuntimeState.LOADING:
        attempt = stated.attempt_id
        if attempt is not None and attempt not in old.ended_attempts:
            expected = RuntimeState.LOADING
            assert new.loading is not None
            assert new.loading.attempt_id == attempt
    elif stated is not None:
        gave_up = known is RuntimeState.LOADING and stated.state is RuntimeState.COLD
        expected = RuntimeState.FAILED if gave_up else stated.state
    assert new.state is expected


@rule(4, PageConnected)
def gives_no_page_more_than_the_budget(change: Change) -> None:
    """A new page has a new clock, of the same budget; the same page goes on with its own."""
    event, old, loading = change.event, change.before.runtime, change.after.runtime.loading
    assert isinstance(event, PageConnected)
    if loading is None or is_due(change):
        return
    stated = event.runtime
    if stated is None or stated.attempt_id in (None, *old.ended_attempts):
        assert loading == old.loading
        return
    now, longest = change.now, change.policy.loading_timeout_s
    ends = now + old.allowance.budget_s
    if old.loading is not None:
        ends = max(now, old.since + old.allowance.budget_s)
    if event.page_id != change.before.page_id:
        deadline, reached = min(now + longest, ends), 0
    elif old.loading is None:
        deadline, reached = min(now + old.allowance.page_s, ends), old.allowance.stages
    else:
        deadline, reached = old.loading.deadline, old.allowance.stages
    if stated.stage is not None and STAGES.index(stated.stage) > reached:
        deadline = max(deadline, min(now + longest, ends))
    assert max(now, loading.deadline) == max(now, deadline)
