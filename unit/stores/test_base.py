"""What travels between services and stores."""

from dataclasses import FrozenInstanceError

import pytest

from app.clock import ManualClock
from app.stores.base import Change, Due, LogEntry, Store
from app.stores.sqlite import SqliteStore


def test_an_empty_change_changes_nothing() -> None:
    """A decision may find that there is nothing to do."""
    change = Change()
    assert (change.sessions, change.game, change.entries) == ((), None, ())


def test_an_entry_needs_no_fields() -> None:
    """A name says enough for some entries, and entries share nothing."""
    first, second = LogEntry(1.0, None, "noted"), LogEntry(1.0, None, "noted")
    assert first == second
    assert dict(first.fields) == {}


@pytest.mark.parametrize(
    ("record", "field"), [(LogEntry(1.0, None, "noted"), "at"), (Due("game", "g", 1.0, 0), "id")]
)
def test_what_was_decided_stays(record: LogEntry | Due, field: str) -> None:
    """Entries and what is due cannot be changed on their way."""
    with pytest.raises(FrozenInstanceError):
        setattr(record, field, "other")


def test_the_embedded_store_has_every_verb(clock: ManualClock) -> None:
    """Each verb of the protocol is there, with a sentence that says what it does."""
    store: Store = SqliteStore(":memory:", sleep=clock.sleep)
    verbs = [name for name in vars(Store) if not name.startswith("_")]
    assert verbs
    for verb in verbs:
        assert getattr(store, verb).__doc__
        assert getattr(Store, verb).__doc__
    store.close()
