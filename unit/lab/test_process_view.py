"""Looking at a process: this one, which stands in for a server's."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.lab.admin import AdminClient
from app.lab.process_view import process_view

MEGABYTE = 1_000_000


class FakeAdmin(AdminClient):
    """Says what a server would say."""

    def __init__(self) -> None:
        super().__init__("", "")

    def process(self) -> dict[str, Any]:
        """The server's own figures."""
        return {"up_for_s": 3.5, "sockets": 4, "connections": 3, "greenlets": 17}

    def sessions(self) -> list[dict[str, Any]]:
        """Two sessions."""
        return [{"session_id": "s_1"}, {"session_id": "s_2"}]

    def games(self) -> list[dict[str, Any]]:
        """One game in every state."""
        return [{"state": state} for state in ("matched", "running", "paused", "ended")]


def test_figures_of_both_sides_are_put_together(tmp_path: Path) -> None:
    """What the server says of itself, and what the operating system says of its process."""
    view = process_view(FakeAdmin(), os.getpid())
    assert (view.sockets, view.connections, view.greenlets) == (4, 3, 17)
    assert (view.sessions, view.games) == (2, 3)
    with (tmp_path / "a").open("w"), (tmp_path / "b").open("w"):
        assert process_view(FakeAdmin(), os.getpid()).files == view.files + 2
    assert 5 * MEGABYTE < view.memory_bytes < 5_000 * MEGABYTE


@pytest.mark.parametrize("held", ["sockets", "connections", "sessions", "games"])
def test_a_server_is_deserted_without_anything_of_anybody(held: str) -> None:
    """Its own greenlets, files and memory do not count; one session does."""
    view = process_view(FakeAdmin(), os.getpid())
    empty = replace(view, sockets=0, connections=0, sessions=0, games=0)
    assert empty.is_deserted
    assert not replace(empty, **{held: 1}).is_deserted
