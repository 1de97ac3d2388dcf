"""The emitter sends to one known connection, or refuses."""

import ast
from pathlib import Path

import pytest

import app
from app.errors import UnknownReceiver
from app.protocol import ServerEvent
from app.sockets.emitter import CLOSE_WITHIN_S, SocketEmitter
from app.sockets.transport import MAX_BACKLOG_PACKETS
from unit.sockets.page import JoinedServer, Page

ROOM: dict[str, object] = {"waiting": 1, "needed": 2, "seconds_left": None}


@pytest.fixture
def emitter(server: JoinedServer) -> SocketEmitter:
    """The emitter of that server."""
    return SocketEmitter(server.grace.socketio, server.sockets)


def two(server: JoinedServer) -> tuple[Page, Page]:
    """Two connected pages."""
    return server.page({}), server.page({})


def test_one_connection_hears_it(server: JoinedServer, emitter: SocketEmitter) -> None:
    """The event and the payload arrive as they are, at nobody else."""
    one, other = two(server)
    emitter.emit(one.sid, ServerEvent.WAITING_ROOM, ROOM)
    assert one.heard("waiting_room") == [ROOM]
    assert other.heard("waiting_room") == []


@pytest.mark.parametrize("sid", ["", None])
def test_nobody_in_particular_is_refused(
    server: JoinedServer, emitter: SocketEmitter, sid: str
) -> None:
    """Socket.IO takes an empty receiver for everybody."""
    one, other = two(server)
    with pytest.raises(UnknownReceiver, match="waiting_room has no receiver"):
        emitter.emit(sid, ServerEvent.WAITING_ROOM, ROOM)
    assert one.heard("waiting_room") == other.heard("waiting_room") == []


@pytest.mark.parametrize("sid", ["unknown", "match", "/"])
def test_an_unknown_connection_hears_nothing(
    server: JoinedServer, emitter: SocketEmitter, sid: str
) -> None:
    """A connection that is closed already is no error, and no room of that name is found."""
    one, other = two(server)
    emitter.emit(sid, ServerEvent.WAITING_ROOM, ROOM)
    emitter.close(sid)
    assert one.heard("waiting_room") == other.heard("waiting_room") == []


def test_a_connection_that_ended_hears_nothing(
    server: JoinedServer, emitter: SocketEmitter
) -> None:
    """Between the end of a connection and our notice of it, an emit goes nowhere."""
    page = server.page({})
    sid = page.sid
    page.end()
    emitter.emit(sid, ServerEvent.WAITING_ROOM, ROOM)
    assert page.heard("waiting_room") == []


def test_a_page_that_does_not_read_loses_its_connection(
    server: JoinedServer, emitter: SocketEmitter
) -> None:
    """What waits for one page is bounded; its session is kept by the grace."""
    page = server.page({})
    sid = page.sid
    for _ in range(MAX_BACKLOG_PACKETS + 1):
        assert not emitter.backlog_is_full(sid)
        emitter.emit(sid, ServerEvent.WAITING_ROOM, ROOM)
    assert emitter.backlog_is_full(sid)
    assert not page.websocket.aborted
    emitter.emit(sid, ServerEvent.WAITING_ROOM, ROOM)
    assert page.websocket.aborted
    assert len(page.heard("waiting_room")) == MAX_BACKLOG_PACKETS + 1


def test_who_is_not_here_is_not_excused(emitter: SocketEmitter) -> None:
    """The connection may end while its completion is handled."""
    emitter.excuse_ping("unknown")


def test_closing_leaves_time_to_read(server: JoinedServer, emitter: SocketEmitter) -> None:
    """A page gets what was sent before; then its connection is ended."""
    page = server.page({})
    emitter.close(page.sid)
    server.sockets.reap(server.clock.now() + CLOSE_WITHIN_S - 0.01)
    assert not page.websocket.aborted
    server.sockets.reap(server.clock.now() + CLOSE_WITHIN_S)
    assert page.websocket.aborted


def test_only_the_emitter_emits() -> None:
    """No other file of the server calls Socket.IO's `emit` or `send`."""
    callers = set()
    folder = Path(app.__file__).parent
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("emit", "send"):
                owner = ast.unparse(node.value)
                if "socketio" in owner or "server" in owner:
                    callers.add(file.relative_to(folder).as_posix())
    assert callers == {"sockets/emitter.py"}
