"""Reading the server's event log."""

from app.lab.admin import select

EVENTS = [
    {"seq": 1, "event": "link_lost", "session_id": "a", "grace": "loading"},
    {"seq": 2, "event": "link_lost", "session_id": "b", "grace": "reconnect"},
    {"seq": 3, "event": "cleanup_done", "session_id": "b"},
    {"seq": 4, "event": "server_started"},
]


def test_select_by_name() -> None:
    """Entries are found by name, in order."""
    assert [entry["seq"] for entry in select(EVENTS, "link_lost")] == [1, 2]


def test_select_by_session() -> None:
    """Entries of another session, or of none, do not count."""
    assert [entry["seq"] for entry in select(EVENTS, "link_lost", session_id="b")] == [2]
    assert select(EVENTS, "server_started", session_id="b") == []


def test_select_by_condition() -> None:
    """A condition narrows it down."""
    found = select(EVENTS, "link_lost", where=lambda entry: entry["grace"] == "loading")
    assert [entry["seq"] for entry in found] == [1]
