"""What the server keeps of a participant: immutable, with at most one deadline."""

from dataclasses import FrozenInstanceError, replace

import pytest

from app.sessions import Policy
from unit.fakes.sessions import NOW, after, away, loading, opened, start, waiting


def test_a_session_cannot_be_changed_in_place() -> None:
    """What was decided from a session stays true of it: nobody can assign to it."""
    with pytest.raises(FrozenInstanceError):
        opened().epoch = 2  # type: ignore[misc]


def test_a_connected_session_without_a_load_or_a_wait_has_no_deadline() -> None:
    """The sweeper has nothing to look for while somebody is there and reads."""
    assert opened().deadline is None


def test_the_deadline_of_a_connected_session_is_the_next_of_load_and_wait() -> None:
    """The sweeper comes back for whichever of the two is due first."""
    both = after(waiting(), start(), at=1.0)
    assert both.deadline == NOW + 61.0
    waits_shortly = replace(both, place=replace(both.place, deadline=NOW + 5.0))
    assert waits_shortly.deadline == NOW + 5.0


def test_a_load_that_is_overdue_is_not_due_again() -> None:
    """A deadline that has passed once is not found again with every sweep."""
    session = loading()
    assert session.runtime.loading is not None
    overdue = replace(session.runtime.loading, overdue=True)
    assert replace(session, runtime=replace(session.runtime, loading=overdue)).deadline is None


def test_the_deadline_of_a_lost_link_hides_every_other() -> None:
    """While nobody is there, only the grace runs: neither a wait nor a load ends by itself."""
    gone_for_a_moment = away(waiting(loading()), at=1.0)
    assert gone_for_a_moment.deadline == gone_for_a_moment.link.deadline


def test_a_fresh_allowance_is_one_timeout_of_the_whole_budget() -> None:
    """A new session may load for one timeout at first, and for the budget in all."""
    allowance = Policy(loading_timeout_s=7.0, loading_budget_s=11.0).fresh_allowance()
    assert (allowance.page_s, allowance.budget_s, allowance.stages) == (7.0, 11.0, 0)
