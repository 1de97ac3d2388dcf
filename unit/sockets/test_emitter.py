"""The emitter sends to one known connection, or refuses."""

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import gevent
import pytest

import app
from app.errors import UnknownReceiver
from app.protocol import ServerEvent
from app.sockets.emitter import CLOSE_WITHIN_S, MAX_BACKLOG_PACKETS, SocketEmitter
from app.sockets.packets import event_packet
from app.sockets.transport import QUIET_BYTES
from unit.sockets.page import JoinedServer, Page
from unit.sockets.wired import WiredPage

ROOM: dict[str, object] = {"waiting": 1, "needed": 2, "seconds_left": None}


@pytest.fixture
def emitter(server: JoinedServer) -> SocketEmitter:
    """The emitter of that server."""
    return SocketEmitter(server.grace.socketio, server.sockets)


@pytest.fixture
def wired(server: JoinedServer) -> Iterator[WiredPage]:
    """A page of that server over a WebSocket."""
    page = WiredPage(server)
    yield page
    page.browser.wire.thaw()
    page.end()


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
        emitter.emit(sid, ServerEvent.WAITING_ROOM, ROOM)
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


def test_several_connections_hear_the_same(
    server: JoinedServer, emitter: SocketEmitter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is encoded once for all of them; a third page hears nothing."""
    encoded: list[object] = []

    def encode(event: str, payload: Mapping[str, Any]) -> str:
        encoded.append(payload)
        return event_packet(event, payload)

    monkeypatch.setattr("app.sockets.emitter.event_packet", encode)
    (one, other), third = two(server), server.page({})
    encoded.clear()
    emitter.emit_to([one.sid, "gone", other.sid], ServerEvent.WAITING_ROOM, ROOM)
    assert encoded == [ROOM]
    assert one.heard("waiting_room") == other.heard("waiting_room") == [ROOM]
    assert third.heard("waiting_room") == []


def test_one_who_does_not_read_costs_the_others_nothing(
    server: JoinedServer, emitter: SocketEmitter
) -> None:
    """The first is full and is let go; the second hears."""
    one, other = two(server)
    for _ in range(MAX_BACKLOG_PACKETS + 1):
        emitter.emit(one.sid, ServerEvent.WAITING_ROOM, ROOM)
    emitter.emit_to([one.sid, other.sid], ServerEvent.WAITING_ROOM, ROOM)
    assert one.websocket.aborted
    assert other.heard("waiting_room") == [ROOM]


def room(number: int) -> dict[str, object]:
    """A payload that is told from others, too long to be sent in one part."""
    return {"waiting": number, "needed": 2, "seconds_left": None, "of_tomorrow": "x" * 300}


class TestOnTheWire:
    """With a real WebSocket: what is sent at once and what waits keep one order."""

    def test_the_session_is_told_before_anything_is_sent_at_once(self, wired: WiredPage) -> None:
        """Engine.IO's greeting, `session_opened`, then Socket.IO's CONNECT."""
        kinds = [text[:2] for text in wired.messages]
        assert kinds[0].startswith("0")
        assert kinds[1:] == ["42", "40"]
        assert len(wired.heard("session_opened")) == 1

    def test_an_event_is_on_the_wire_at_once(
        self, server: JoinedServer, emitter: SocketEmitter, wired: WiredPage
    ) -> None:
        """Nobody else has to run for it, and nothing waits."""
        emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, ROOM)
        assert wired.heard("waiting_room") == [ROOM]

    def test_what_waits_in_the_queue_is_not_overtaken(
        self, server: JoinedServer, emitter: SocketEmitter, wired: WiredPage
    ) -> None:
        """Its writer has not run yet, and nobody is sending: the next one queues all the same."""
        eio_sid = server.sio.manager.eio_sid_from_sid(wired.sid, "/")
        server.eio.send(eio_sid, event_packet("waiting_room", room(0)))
        emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, room(1))
        assert wired.heard("waiting_room") == []
        gevent.idle()
        assert wired.heard("waiting_room") == [room(0), room(1)]

    def test_an_answer_and_an_event_keep_their_order(
        self, server: JoinedServer, wired: WiredPage
    ) -> None:
        """What a message causes is sent before its acknowledgement, as always."""
        before = len(wired.messages)
        wired.browser.say('4217["join_game",{}]')
        wired.browser.say('42["advance_scene",{"scene_id":"past"}]')
        wired.browser.say('4218["dance"]')
        gevent.idle()
        event, answer, refusal = wired.messages[before:]
        assert event.startswith('42["waiting_room",')
        assert answer == '4317[{"ok":true,"place":"waiting"}]'
        assert refusal.startswith('4318[{"ok":false,"error":{"code":"unknown_event"')

    @pytest.mark.parametrize("space", [0, 1, 100, 700])
    def test_a_page_that_was_frozen_gets_everything_in_order(
        self, server: JoinedServer, emitter: SocketEmitter, wired: WiredPage, space: int
    ) -> None:
        """The first that did not fit goes on where it was cut, and the queue comes behind it."""
        wired.browser.wire.freeze(space)
        for number in range(3):
            emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, room(number))
        gevent.idle()
        for number in range(3, 6):
            emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, room(number))
        wired.browser.wire.thaw()
        emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, room(6))
        gevent.idle()
        emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, room(7))
        assert wired.heard("waiting_room") == [room(number) for number in range(8)]

    def test_a_page_that_loads_is_sent_little(
        self, server: JoinedServer, emitter: SocketEmitter, wired: WiredPage
    ) -> None:
        """What is new after so many bytes waits, merged, until the page says something."""
        server.sockets.follow_load(wired.sid, float("inf"))
        before = len(wired.browser.wire.sent)
        for number in range(1000):
            emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, {**room(number), "more": "x" * 2000})
        assert QUIET_BYTES <= len(wired.browser.wire.sent) - before <= QUIET_BYTES + 2100
        heard = wired.heard("waiting_room")
        emitter.acknowledge(wired.sid, "7", {"ok": True})
        emitter.emit(wired.sid, ServerEvent.SESSION_TAKEN_OVER, {})
        assert wired.messages[-2:] == ['437[{"ok":true}]', '42["session_taken_over",{}]']
        wired.browser.say("3")
        gevent.idle()
        told = wired.heard("waiting_room")[len(heard) :]
        assert [one["waiting"] for one in told] == [room(999)["waiting"]]
        # It was heard of: the next ones go out at once again.
        emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, room(1))
        assert wired.heard("waiting_room")[-1] == room(1)

    def test_what_was_held_back_comes_when_the_load_is_over(
        self, server: JoinedServer, emitter: SocketEmitter, wired: WiredPage
    ) -> None:
        """All of it, before anything that happens later; from then on nothing is held back."""
        server.sockets.follow_load(wired.sid, float("inf"))
        big = {**room(0), "more": "x" * QUIET_BYTES}
        emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, big)
        assert wired.heard("waiting_room") == [big]
        emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, big)
        emitter.emit(wired.sid, ServerEvent.SCENE_ACTIVATED, {"scene_id": "a"})
        assert (wired.heard("waiting_room"), wired.heard("scene_activated")) == ([big], [])
        server.sockets.follow_load(wired.sid, None)
        assert wired.heard("waiting_room") == [big, big]
        assert wired.heard("scene_activated") == [{"scene_id": "a"}]
        for number in range(20):
            emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, big)
            assert len(wired.heard("waiting_room")) == 3 + number

    def test_what_opens_the_session_counts(
        self, server: JoinedServer, emitter: SocketEmitter, wired: WiredPage
    ) -> None:
        """It goes out whatever its size; after a long one a page that loads is sent no more."""
        server.sockets.follow_load(wired.sid, float("inf"))
        emitter.emit(wired.sid, ServerEvent.SESSION_OPENED, {"game": "x" * QUIET_BYTES})
        assert len(wired.heard("session_opened")) == 2
        emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, ROOM)
        assert wired.heard("waiting_room") == []
        wired.browser.say("3")
        gevent.idle()
        assert wired.heard("waiting_room") == [ROOM]

    def test_a_long_event_is_not_kept_from_a_page_that_answers(
        self, server: JoinedServer, emitter: SocketEmitter, wired: WiredPage
    ) -> None:
        """A page that loads in a worker, or waits for the network, hears everything soon."""
        server.sockets.follow_load(wired.sid, float("inf"))
        scenes = [{"scene_id": str(number), "html": "x" * 2 * QUIET_BYTES} for number in range(3)]
        for scene in scenes:
            emitter.emit(wired.sid, ServerEvent.SCENE_ACTIVATED, scene)
            wired.browser.say("3")
            gevent.idle()
        assert wired.heard("scene_activated") == scenes

    def test_a_page_that_does_not_load_is_sent_everything(
        self, emitter: SocketEmitter, wired: WiredPage
    ) -> None:
        """Only loading freezes a page for so long; everybody else hears every change."""
        for number in range(100):
            emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, {**room(number), "more": "x" * 2000})
        assert len(wired.heard("waiting_room")) == 100

    def test_sending_to_an_aborted_page_keeps_nobody_waiting(
        self, server: JoinedServer, emitter: SocketEmitter, wired: WiredPage
    ) -> None:
        """Whatever was under way ends with its connection, and its request."""
        wired.browser.wire.freeze(10)
        for number in range(3):
            emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, room(number))
        gevent.idle()
        websocket = server.sockets.of(wired.sid)
        assert websocket is not None
        websocket.abort()
        emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, room(4))
        wired.over()
        emitter.emit(wired.sid, ServerEvent.WAITING_ROOM, room(5))
        assert len(server.sockets) == 0
        assert not emitter.is_connected(wired.sid)


def test_only_the_emitter_emits() -> None:
    """No other file of the server calls Socket.IO's or Engine.IO's `emit` or `send`."""
    callers = set()
    folder = Path(app.__file__).parent
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and node.attr in ("emit", "send"):
                owner = ast.unparse(node.value)
                if "socketio" in owner or "server" in owner:
                    callers.add(file.relative_to(folder).as_posix())
    assert callers == {"sockets/emitter.py"}
