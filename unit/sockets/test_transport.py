"""Our WebSocket sends whole frames, remembers how it was closed, and ends when it should."""

from typing import Any

import engineio
import engineio.async_drivers.gevent
import gevent
import gevent.event
import pytest
from engineio.socket import Socket as EngineSocket

from app.clock import ManualClock
from app.sockets.transport import (
    ENVIRON_KEY,
    MAX_MESSAGE_BYTES,
    UNBOUND_S,
    GraceWebSocket,
    Sockets,
    abort,
    backlog,
    close_code_of,
    excuse_ping,
)
from unit.fakes.websocket import FakeWebSocket
from unit.sockets.connection import Connection
from unit.sockets.wire import DEEP, PATIENCE_S, Browser, masked


def test_messages_go_both_ways(connection: Connection) -> None:
    """The upgrade is accepted, and text arrives as it was sent, whole or in parts."""
    assert connection.browser.was_accepted()
    connection.browser.say('42["leave",{}]')
    assert connection.told() == '42["leave",{}]'
    connection.browser.say('42["le', finished=False)
    connection.browser.say('ave",{"é":1}]')
    assert connection.told() == '42["leave",{"é":1}]'
    connection.end.send("2")
    connection.end.send('42["game_started",{}]')
    assert connection.browser.heard() == ["2", '42["game_started",{}]']


def test_frames_are_sent_whole(connection: Connection) -> None:
    """A socket that takes a few bytes at a time, as to a page that was frozen, gets all of them."""
    connection.browser.wire.most = 1000
    messages = ["x" * 300_000, "y" * 70_000, "z"]
    for message in messages:
        connection.end.send(message)
    assert connection.browser.heard() == messages


def test_senders_do_not_interleave(connection: Connection) -> None:
    """While one message is half sent, the next one and the answer to a ping wait for it."""
    wire = connection.browser.wire
    wire.most = 100
    wire.gate.clear()
    senders = [gevent.spawn(connection.end.send, letter * 5000) for letter in "abc"]
    gevent.idle()
    connection.browser.ping()
    gevent.idle()
    wire.gate.set()
    gevent.joinall(senders, timeout=PATIENCE_S, raise_error=True)
    connection.browser.say("42[1]")
    connection.told()
    assert connection.browser.heard() == ["a" * 5000, "b" * 5000, "c" * 5000]
    assert connection.browser.pongs() == 1


def test_a_protocol_ping_is_answered(connection: Connection) -> None:
    """RFC 6455 asks for it, and whoever is between may close what does not answer."""
    connection.browser.ping()
    connection.browser.say("42[1]")
    connection.told()
    assert connection.browser.pongs() == 1


@pytest.mark.parametrize(("sent", "code"), [(1001, 1001), (1000, 1000), (4000, 4000), (None, 1005)])
def test_the_close_code_is_remembered(connection: Connection, sent: int | None, code: int) -> None:
    """It is the browser's; a close frame without one counts as 1005 (RFC 6455, 7.1.5)."""
    assert connection.end.close_code is None
    connection.browser.close(sent)
    assert connection.told() is None
    assert connection.end.close_code == close_code_of(connection.browser.environ) == code


@pytest.mark.parametrize("error", [None, ConnectionResetError("reset"), TimeoutError("timeout")])
def test_an_end_without_a_close_frame_has_no_code(
    connection: Connection, error: Exception | None
) -> None:
    """A stream that stops says nothing about the page."""
    connection.browser.vanish(error)
    assert connection.told() is None
    assert connection.end.close_code is None


def test_a_broken_frame_is_no_close_code(connection: Connection) -> None:
    """What the library makes of a frame that breaks the protocol was not said by the browser."""
    connection.browser.wire.arrive(b"\xff\xff\xff\xff\xff\xff")
    assert connection.told() is None
    assert connection.end.close_code is None
    assert connection.browser.closed_with() == 1002


@pytest.mark.parametrize("parts", [1, 3])
def test_a_message_that_is_too_long_ends_the_connection(connection: Connection, parts: int) -> None:
    """Over 1 MB, at once or bit by bit, nothing of it is kept; the code is "too big", ours."""
    part = "4" + "x" * (MAX_MESSAGE_BYTES // parts)
    for number in range(parts):
        connection.browser.say(part, finished=number == parts - 1)
    assert connection.told() is None
    assert connection.end.close_code is None
    assert connection.browser.closed_with() == 1009


def test_a_message_of_a_megabyte_is_taken(connection: Connection) -> None:
    """The bound is on what is more."""
    message = '42["' + "x" * (MAX_MESSAGE_BYTES - 6) + '"]'
    assert len(message) == MAX_MESSAGE_BYTES
    connection.browser.say(message)
    assert connection.told() == message


@pytest.mark.parametrize(
    "message",
    [b"bytes", "", "x", "²", "b!", "0{}", "4", "4{}", DEEP, DEEP.replace("4", "3"), "5"],
    ids=lambda message: repr(message[:4]),
)
def test_what_is_no_packet_ends_the_connection(
    connection: Connection, message: str | bytes
) -> None:
    """Engine.IO would raise and never say that it is over; Socket.IO would collect attachments."""
    connection.browser.say(message)
    assert connection.told() is None


@pytest.mark.parametrize(
    "message",
    ["40{", "41{", "42", "42{}", "42[]", '42[["leave"]]', '42["leave",{', "42" + DEEP[1:], "421"],
)
def test_what_is_no_event_ends_the_connection(connection: Connection, message: str) -> None:
    """Socket.IO would raise at each, and Engine.IO log a traceback each time, at any rate."""
    connection.browser.say(message)
    assert connection.told() is None


@pytest.mark.parametrize(
    "message", ["1", "3", "40", '40{"page_id":1}', "41", '42["a"]', '423["a"]']
)
def test_packets_of_a_page_are_let_through(connection: Connection, message: str) -> None:
    """Engine.IO's CLOSE and PONG, and every kind of packet that Socket.IO's client sends."""
    connection.browser.say(message)
    assert connection.told() == message


def test_what_is_not_read_yet_is_bounded(eio: engineio.Server) -> None:
    """A page that talks faster than it is heard is read no further, or loses its connection."""
    connection = Connection(eio)
    heard = gevent.event.Event()
    buffers: list[list[str]] = []

    def listen_later(websocket: Any) -> list[bytes]:
        buffers.append(websocket._ws.input_buffer)
        assert heard.wait(PATIENCE_S)
        return []

    visit = gevent.spawn(
        eio._async["websocket"](listen_later, eio), connection.browser.environ, lambda *_: None
    )
    gevent.idle()
    for _ in range(20):
        connection.browser.wire.arrive(b"".join(masked("42[1]") for _ in range(1000)))
    # So often that everything would have been read: a socket gives 4096 bytes at a time.
    for _ in range(200):
        gevent.idle()
    unread = len(buffers[0])
    heard.set()
    visit.get(timeout=PATIENCE_S)
    assert 0 < unread < 5000


def test_sending_to_a_closed_connection_is_an_os_error(connection: Connection) -> None:
    """Engine.IO's writer ends by it; closing once more is no error."""
    connection.browser.close(1001)
    connection.told()
    with pytest.raises(OSError, match="closed"):
        connection.end.send("2")
    connection.end.close()


def test_closing_sends_a_close_frame(connection: Connection) -> None:
    """The browser is told, and the code is not taken for the browser's."""
    connection.end.close()
    assert connection.browser.closed_with() == 1000
    assert connection.end.close_code is None


def test_aborting_waits_for_nobody(connection: Connection) -> None:
    """Whoever reads or writes on the connection goes on, although the browser does neither."""
    wire = connection.browser.wire
    wire.most = 10
    wire.gate.clear()
    sender = gevent.spawn(connection.end.send, "x" * 100)
    gevent.idle()
    abort(connection.browser.environ)
    assert connection.told() is None
    assert wire.closed
    assert connection.end.close_code is None
    with pytest.raises(OSError, match="closed"):
        sender.get(timeout=PATIENCE_S)


def test_an_ended_connection_is_forgotten(eio: engineio.Server, sockets: Sockets) -> None:
    """It is kept while it is open, and can be found by its environment."""
    connection = Connection(eio).start()
    assert len(sockets) == 1
    assert connection.browser.environ[ENVIRON_KEY] is connection.end
    connection.browser.close(1001)
    assert connection.over() == [b"over"]
    assert len(sockets) == 0
    assert connection.browser.wire.closed


def test_a_fault_of_the_handler_leaves_nothing_open(eio: engineio.Server, sockets: Sockets) -> None:
    """Whatever happens to the transport, the socket is closed."""
    browser = Browser()

    def fail(_: object) -> None:
        raise RuntimeError("a fault")

    with pytest.raises(RuntimeError, match="a fault"):
        eio._async["websocket"](fail, eio)(browser.environ, lambda *_: None)
    assert browser.wire.closed
    assert len(sockets) == 0


@pytest.mark.parametrize("missing", ["HTTP_SEC_WEBSOCKET_KEY", "HTTP_UPGRADE", "HTTP_CONNECTION"])
def test_what_is_no_handshake_is_a_bad_request(
    eio: engineio.Server, sockets: Sockets, missing: str
) -> None:
    """A request that only looks like an upgrade is answered with 400, and nothing is kept."""
    connection = Connection(eio)
    del connection.browser.environ[missing]
    (body,) = connection.run()
    assert b"WebSocket" in body
    assert connection.status == ["400 Bad Request"]
    assert connection.websocket is None
    assert len(sockets) == 0


def test_a_browser_that_is_gone_before_the_answer_is_no_error(
    eio: engineio.Server, sockets: Sockets
) -> None:
    """Nothing is run for it, and nothing is kept."""
    connection = Connection(eio)
    connection.browser.wire.closed = True
    assert connection.run() == []
    assert connection.websocket is None
    assert len(sockets) == 0


class TestSockets:
    """Who has no session is not kept."""

    def test_a_connection_without_a_session_is_closed(
        self, sockets: Sockets, clock: ManualClock
    ) -> None:
        """It has UNBOUND_S from its beginning, which is under the ten seconds of the design."""
        websocket = FakeWebSocket(sockets)
        sockets.reap(clock.now() + UNBOUND_S - 0.01)
        assert not websocket.aborted
        sockets.reap(clock.now() + UNBOUND_S)
        assert websocket.aborted
        assert UNBOUND_S < 10

    def test_a_connection_with_a_session_stays(self, sockets: Sockets, clock: ManualClock) -> None:
        """However long it lasts."""
        websocket = FakeWebSocket(sockets)
        sockets.bind(websocket.environ, "sid_1")
        sockets.reap(clock.now() + 1e6)
        assert not websocket.aborted

    def test_a_connection_that_is_released_is_closed(
        self, sockets: Sockets, clock: ManualClock
    ) -> None:
        """Once its session is over it has the time that it is given, or UNBOUND_S."""
        websockets = [FakeWebSocket(sockets) for _ in range(2)]
        for websocket in websockets:
            sockets.bind(websocket.environ, "sid_1")
        clock.advance(1000)
        sockets.release(websockets[0].environ)
        sockets.release(websockets[1].environ, within_s=2.0)
        sockets.reap(clock.now() + 1.99)
        assert [one.aborted for one in websockets] == [False, False]
        sockets.reap(clock.now() + 2.0)
        assert [one.aborted for one in websockets] == [False, True]
        sockets.reap(clock.now() + UNBOUND_S)
        assert [one.aborted for one in websockets] == [True, True]

    def test_what_is_forgotten_is_not_reaped(self, sockets: Sockets, clock: ManualClock) -> None:
        """A connection that ended is nobody's business any more; forgetting twice is no error."""
        websocket = FakeWebSocket(sockets)
        sockets.remove(websocket)
        sockets.remove(websocket)
        sockets.reap(clock.now() + 1e6)
        assert not websocket.aborted
        assert len(sockets) == 0

    def test_an_environment_without_a_websocket_is_no_error(self, sockets: Sockets) -> None:
        """As when the handshake failed: there is nothing to bind, to release or to end."""
        for environ in ({}, {ENVIRON_KEY: "something else"}):
            sockets.bind(environ, "sid_1")
            sockets.release(environ)
            assert sockets.excuse(environ) == 0.0
            abort(environ)
            assert close_code_of(environ) is None

    def test_an_answer_is_owed_from_the_ping_on(self, sockets: Sockets, clock: ManualClock) -> None:
        """By a connection that has or had a session, until it answers or ends."""
        websocket = FakeWebSocket(sockets)
        sockets.asked(websocket)
        assert sockets.owing() == {}
        sockets.bind(websocket.environ, "sid_1")
        assert sockets.owing() == {"sid_1": clock.now()}
        sockets.answered(websocket)
        assert sockets.owing() == {}
        sockets.asked(websocket)
        sockets.release(websocket.environ)
        assert list(sockets.owing()) == ["sid_1"]
        sockets.bind(websocket.environ, "sid_2")
        assert list(sockets.owing()) == ["sid_2"]
        sockets.remove(websocket)
        assert sockets.owing() == {}

    def test_who_is_excused_owes_from_now_on(self, sockets: Sockets, clock: ManualClock) -> None:
        """Twice is no error, and who owes nothing is excused nothing."""
        websocket = FakeWebSocket(sockets)
        sockets.bind(websocket.environ, "sid_1")
        assert sockets.excuse(websocket.environ) == 0.0
        assert sockets.owing() == {}
        sockets.asked(websocket)
        clock.advance(25.0)
        assert sockets.excuse(websocket.environ) == 25.0
        assert sockets.excuse(websocket.environ) == 0.0
        assert sockets.owing() == {"sid_1": clock.now()}


def test_a_page_owes_a_pong_for_every_ping(connection: Connection, sockets: Sockets) -> None:
    """Only Engine.IO's heartbeat counts, not a message, and no ping of the WebSocket protocol."""
    sockets.bind(connection.browser.environ, "sid_1")
    connection.end.send('42["game_started",{}]')
    assert sockets.owing() == {}
    connection.end.send("2")
    assert list(sockets.owing()) == ["sid_1"]
    connection.browser.say('42["leave",{}]')
    connection.told()
    connection.browser.ping()
    assert list(sockets.owing()) == ["sid_1"]
    connection.browser.say("3")
    connection.told()
    assert sockets.owing() == {}


def test_a_ping_can_be_made_younger(eio: engineio.Server) -> None:
    """Engine.IO then drops the connection that much later; without a PING there is nothing."""
    engine = eio.sockets["one"] = EngineSocket(eio, "one")
    assert isinstance(engine.last_ping, float)
    engine.last_ping -= eio.ping_timeout + 5
    excuse_ping(eio, "one", 10.0)
    assert engine.check_ping_timeout()
    engine.last_ping = None
    excuse_ping(eio, "one", 10.0)
    assert engine.last_ping is None
    excuse_ping(eio, "gone", 10.0)


def test_only_this_server_gets_our_websocket(eio: engineio.Server) -> None:
    """Other Engine.IO servers of the process keep theirs."""
    driver = engineio.async_drivers.gevent._async
    assert driver["websocket"] is engineio.async_drivers.gevent.WebSocketWSGI
    assert engineio.Server(async_mode="gevent")._async["websocket"] is driver["websocket"]
    made = eio._async["websocket"](lambda _: None, eio)
    assert isinstance(made, GraceWebSocket)
    assert {**eio._async, "websocket": None} == {**driver, "websocket": None}


def test_the_backlog_is_that_of_the_slowest(eio: engineio.Server) -> None:
    """Of several connections the fullest counts; one that is gone has none."""
    for sid, packets in (("one", 3), ("two", 5)):
        eio.sockets[sid] = EngineSocket(eio, sid)
        for _ in range(packets):
            eio.sockets[sid].queue.put("packet")
    assert backlog(eio, ["one", "two", "gone"]) == 5
    assert backlog(eio, ["one"]) == 3
    assert backlog(eio, []) == backlog(eio, ["gone"]) == 0
