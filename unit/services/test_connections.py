"""A session has at most one current connection, and nothing is kept of those that ended."""

from app.services.connections import Connection, Connections

FIRST = Connection("sid_1", "s_1", 1)
SECOND = Connection("sid_2", "s_1", 2)
OTHER = Connection("sid_3", "s_2", 1)


def bound(*connections: Connection) -> Connections:
    """These connections, bound in this order."""
    known = Connections()
    for connection in connections:
        known.bind(connection)
    return known


def test_a_connection_is_found_by_each_of_its_names() -> None:
    """By its sid, by its session, and by the session's number for it."""
    known = bound(FIRST, OTHER)
    assert known.of_sid("sid_1") is known.current("s_1") is known.of_epoch("s_1", 1) is FIRST
    assert known.of_sid("sid_3") is known.current("s_2") is OTHER
    assert len(known) == 2


def test_what_is_not_there_is_none() -> None:
    """Nothing is found of an unknown session, and dropping it is no error."""
    known = bound(FIRST)
    assert known.of_sid("sid_9") is known.current("s_9") is known.of_epoch("s_1", 9) is None
    assert known.drop("sid_9") is None
    assert len(known) == 1


def test_the_newest_takes_over() -> None:
    """The one before stays known until it ends, but is not the current one."""
    known = bound(FIRST, SECOND)
    assert known.current("s_1") is SECOND
    assert known.of_sid("sid_1") is FIRST
    assert known.of_epoch("s_1", 1) is FIRST
    assert not known.is_current(FIRST)
    assert known.is_current(SECOND)


def test_the_end_of_an_old_one_leaves_the_new_one() -> None:
    """A late disconnect takes nothing from the connection that took over."""
    known = bound(FIRST, SECOND)
    assert known.drop("sid_1") is FIRST
    assert known.current("s_1") is SECOND
    assert known.of_epoch("s_1", 1) is None


def test_the_end_of_the_current_one_leaves_none() -> None:
    """An older one does not come back in its place."""
    known = bound(FIRST, SECOND)
    assert known.drop("sid_2") is SECOND
    assert known.current("s_1") is None
    assert known.of_sid("sid_1") is FIRST


def test_busy_is_of_the_current_connection() -> None:
    """Since when, until it answers, ends, or is replaced."""
    known = bound(FIRST)
    assert known.busy_since("s_1") is known.busy_since("s_9") is None
    known.mark_busy("sid_1", 5.0)
    assert (known.busy_since("s_1"), dict(known.busy())) == (5.0, {"sid_1": 5.0})
    known.mark_responsive("sid_1")
    known.mark_responsive("sid_1")
    assert known.busy_since("s_1") is None
    known.mark_busy("sid_1", 6.0)
    known.bind(SECOND)
    assert known.busy_since("s_1") is None
    known.mark_busy("sid_2", 7.0)
    known.drop("sid_2")
    assert dict(known.busy()) == {}


def test_nothing_is_kept_of_what_ended() -> None:
    """Dropping is complete, and dropping twice is no error."""
    known = bound(FIRST, SECOND, OTHER)
    for sid in ("sid_1", "sid_2", "sid_3", "sid_1"):
        known.drop(sid)
    assert len(known) == 0
    assert not known._by_epoch
    assert not known._current
