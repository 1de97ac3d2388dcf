"""Grace: which deadline a lost link gets, and that a load cannot stretch it."""

from dataclasses import replace

import pytest

from app.sessions import (
    GraceKind,
    Policy,
    Session,
    deadline_of_lost_link,
    excused_until,
    is_client_in_loading_grace,
)
from app.sessions.events import PageConnected, StageReached
from app.sessions.grace import STAGES, reach_stage, start_deadline, stop_clock
from unit.fakes.sessions import NOW, POLICY, after, end, failed, loading, opened, ready, start

SHORT = Policy(loading_timeout_s=10.0, loading_budget_s=25.0, reconnect_grace_s=3.0)


@pytest.mark.parametrize(
    ("session", "at", "expected"),
    [
        (opened(), 0.0, False),
        (loading(), 0.0, True),
        (loading(), 59.999, True),
        (loading(), 60.0, False),
        (ready(), 0.0, False),
        (failed(), 0.0, False),
    ],
    ids=["cold", "loading", "just in time", "on the deadline", "ready", "failed"],
)
def test_only_a_page_that_loads_in_time_is_in_loading_grace(
    session: Session, at: float, expected: bool
) -> None:
    """The loading grace is there while the runtime is loading and its deadline has not come."""
    assert is_client_in_loading_grace(session, NOW + at) is expected


@pytest.mark.parametrize(
    ("at", "close_code", "expected"),
    [
        (0.0, None, (60.0, GraceKind.LOADING)),
        (30.0, 1006, (60.0, GraceKind.LOADING)),
        (50.0, None, (65.0, GraceKind.LOADING)),
        (60.0, None, (75.0, GraceKind.RECONNECT)),
        (30.0, 1001, (45.0, GraceKind.RECONNECT)),
        (30.0, 1000, (60.0, GraceKind.LOADING)),
    ],
    ids=["at once", "abnormal", "near the end", "overdue", "going away", "normal closure"],
)
def test_a_loading_link_gets_the_rest_of_the_loading_grace(
    at: float, close_code: int | None, expected: tuple[float, GraceKind]
) -> None:
    """The rest of the loading grace, never less than the reconnect grace; 1001 gets only that."""
    deadline, grace = deadline_of_lost_link(loading(), NOW + at, POLICY, close_code)
    assert (deadline - NOW, grace) == expected


@pytest.mark.parametrize("session", [opened(), ready(), failed()], ids=["cold", "ready", "failed"])
def test_any_other_link_gets_the_reconnect_grace(session: Session) -> None:
    """Who is not loading has the reconnect grace to come back."""
    found = deadline_of_lost_link(session, NOW + 5.0, POLICY)
    assert found == (NOW + 20.0, GraceKind.RECONNECT)


def test_a_reconnect_grace_longer_than_the_loading_grace_is_kept_while_loading() -> None:
    """Somebody who loads is never worse off than somebody who does not."""
    patient = replace(POLICY, reconnect_grace_s=100.0)
    assert deadline_of_lost_link(loading(), NOW, patient)[0] == NOW + 100.0


@pytest.mark.parametrize("session", [opened(), loading()], ids=["cold", "loading"])
def test_with_grace_off_every_lost_link_is_due_at_once(session: Session) -> None:
    """The control run: loading or not, the deadline is now."""
    off = replace(POLICY, loading_grace=False)
    assert deadline_of_lost_link(session, NOW + 1.0, off) == (NOW + 1.0, GraceKind.NONE)


def test_a_load_begins_with_what_is_left_of_clock_and_budget() -> None:
    """The deadline of a load is the page's clock or the session's budget, whichever is less."""
    allowance = SHORT.fresh_allowance()
    assert start_deadline(allowance, NOW) == NOW + 10.0
    assert start_deadline(replace(allowance, budget_s=4.0), NOW) == NOW + 4.0


def test_each_stage_extends_the_clock_once() -> None:
    """A stage gives a full timeout from then; the same or an earlier stage gives nothing."""
    runtime = loading(policy=SHORT).runtime
    packages = reach_stage(runtime, "packages", NOW + 4.0, SHORT)
    assert packages.loading is not None
    assert packages.loading.deadline == NOW + 14.0
    assert reach_stage(packages, "packages", NOW + 8.0, SHORT) is packages
    assert reach_stage(packages, STAGES[0], NOW + 8.0, SHORT) is packages


def test_no_stage_goes_past_the_budget() -> None:
    """A stage that is reached late extends the clock to the end of the budget only."""
    runtime = reach_stage(loading(policy=SHORT).runtime, "packages", NOW + 10.0, SHORT)
    runtime = reach_stage(runtime, "environment", NOW + 18.0, SHORT)
    assert runtime.loading is not None
    assert runtime.loading.deadline == NOW + 25.0


def test_a_stage_that_was_reached_by_an_earlier_attempt_extends_nothing() -> None:
    """A page that starts again and again gets each extension once."""
    first = after(loading(policy=SHORT), StageReached("attempt_1", "packages"), policy=SHORT)
    retried = after(first, end(error="failed"), start("attempt_2"), at=4.0, policy=SHORT)
    again = after(retried, StageReached("attempt_2", "packages"), at=6.0, policy=SHORT)
    assert again.runtime.loading is not None
    assert again.runtime.loading.deadline == NOW + 10.0


def test_the_clock_stands_still_between_two_loads() -> None:
    """A person who reads an error message for long has not used the grace up."""
    stopped = after(loading(policy=SHORT), end(error="failed"), at=4.0, policy=SHORT)
    retried = after(stopped, start("attempt_2"), at=500.0, policy=SHORT)
    assert retried.runtime.loading is not None
    assert retried.runtime.loading.deadline == NOW + 506.0


def test_stopping_the_clock_keeps_the_rest() -> None:
    """What is left of the page's clock and of the budget is kept when a load is given up."""
    left = stop_clock(loading(policy=SHORT).runtime, NOW + 4.0)
    assert (left.page_s, left.budget_s) == (6.0, 21.0)
    idle = opened(policy=SHORT).runtime
    assert stop_clock(idle, NOW + 4.0) is idle.allowance


def test_a_reload_gets_a_new_clock_of_the_same_budget() -> None:
    """A new page starts its own clock, but the budget is the session's."""
    reloaded = after(loading(policy=SHORT), PageConnected("page_0002"), at=20.0, policy=SHORT)
    again = after(reloaded, start("attempt_2"), at=20.0, policy=SHORT)
    assert again.runtime.loading is not None
    assert again.runtime.loading.deadline == NOW + 25.0


def test_heartbeats_are_excused_until_the_loads_deadline() -> None:
    """Also once it has passed: a PING's age then counts from it. Who does not load has none."""
    session = loading()
    assert session.runtime.loading is not None
    assert excused_until(session, POLICY) == session.runtime.loading.deadline
    assert excused_until(opened(), POLICY) is None


def test_without_grace_nothing_is_excused() -> None:
    """The control run drops a page that loads like any other."""
    assert excused_until(loading(), Policy(loading_grace=False)) == float("-inf")
