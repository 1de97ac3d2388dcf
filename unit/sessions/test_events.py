"""The events: the only things that can change a session."""

from typing import get_args

from app.sessions import MACHINES
from app.sessions.events import PageReplaced, SessionEnded, SessionEvent

INNER = {SessionEnded, PageReplaced}


def test_every_event_is_in_a_table() -> None:
    """No event exists that no machine knows, and no table names one that cannot come."""
    known = {event for machine in MACHINES for _, event in machine.table}
    assert known == set(get_args(SessionEvent)) | INNER


def test_inner_events_cannot_come_from_outside() -> None:
    """A cleanup or a page's replacement is decided by the machines, never asked for."""
    assert INNER.isdisjoint(get_args(SessionEvent))


def test_events_are_named_in_the_past_tense() -> None:
    """An event says what happened, so its name ends like a participle."""
    endings = ("ed", "Lost", "Over")
    assert all(event.__name__.endswith(endings) for event in get_args(SessionEvent))
