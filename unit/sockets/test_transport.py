"""Engine.IO gets a WebSocket of ours, whose events go to the listener and which ends in time."""

import engineio
import engineio.async_drivers.gevent
import gevent
import gevent.event
import pytest
from engineio.socket import Socket as EngineSocket

from app.clock import ManualClock
from app.sockets.engine import backlog, excuse_ping
from app.sockets.packets import PageEvent, read_packet, text_frame
from app.sockets.register import UNBOUND_S, Sockets
from app.sockets.transport import ENVIRON_KEY, MAX_CONNECT_BYTES, GraceWebSocket
from unit.sockets.connection import SID, Connection, Visit
from unit.sockets.wire import DEEP, PATIENCE_S, Browser, frame


def event(text: str) -> tuple[str, PageEvent]:
    """What the listener is told when this page says so."""
    read = read_packet(text)
    assert isinstance(read, PageEvent)
    return SID, read


def test_messages_go_both_ways(connection: Connection) -> None:
    """The upgrade is accepted, and text arrives as it was sent, whole or in parts."""
    assert connection.browser.was_accepted()
    connection.browser.say('42["leave",{}]')
    assert connection.told() == (SID, PageEvent(["leave", {}], None, 14))
    connection.browser.say('427["le', finished=False)
    connection.browser.say('ave",{"é":1}]')
    assert connection.told() == (SID, PageEvent(["leave", {"é": 1}], "7", 21))
    connection.end.send("2")
    connection.end.send('42["game_started",{}]')
    assert connection.browser.heard() == ["2", '42["game_started",{}]']


def test_events_and_packets_keep_their_order(connection: Connection) -> None:
    """Events go past Engine.IO, and still nothing of one page overtakes anything of it."""
    said = ['42["a"]', "3", '421["b"]', f'42["{"c" * 9000}"]', '42["d"]', "41"]
    connection.browser.wire.arrive(b"".join(frame(0x81, text.encode()) for text in said))
    expected = [event(text) if text.startswith("42") else text for text in said]
    assert [connection.told() for _ in said] == expected


def test_an_event_before_a_session_is_ignored(eio: engineio.Server, sockets: Sockets) -> None:
    """There is nobody yet who says it; once a session has begun the same is heard."""
    connection = Connection(eio, sockets).start()
    heard: list[object] = []
    sockets.listener = lambda *told: heard.append(told)
    connection.browser.say('42["leave"]')
    connection.browser.say("3")
    assert connection.told() == "3"
    assert heard == []
    connection.bind()
    connection.browser.say('42["leave"]')
    assert connection.told() == event('42["leave"]')
    connection.end.abort()
    connection.over()


@pytest.mark.parametrize(("sent", "code"), [(1001, 1001), (1000, 1000), (4000, 4000), (None, 1005)])
def test_the_close_code_is_remembered(connection: Connection, sent: int | None, code: int) -> None:
    """It is the browser's; a close frame without one counts as 1005 (RFC 6455, 7.1.5)."""
    assert connection.end.close_code is None
    connection.browser.close(sent)
    assert connection.told() is None
    assert connection.end.close_code == code


@pytest.mark.parametrize("error", [None, ConnectionResetError("reset"), TimeoutError("timeout")])
def test_an_end_without_a_close_frame_has_no_code(
    connection: Connection, error: Exception | None
) -> None:
    """A stream that stops says nothing about the page."""
    connection.browser.vanish(error)
    assert connection.told() is None
    assert connection.end.close_code is None


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


@pytest.mark.parametrize("message", ["1", "3", "41"])
def test_packets_of_a_page_are_let_through(connection: Connection, message: str) -> None:
    """Engine.IO's CLOSE and PONG, and Socket.IO's DISCONNECT, as they are."""
    connection.browser.say(message)
    assert connection.told() == message


@pytest.mark.parametrize("message", ["40", '40{"page_id":1}'])
@pytest.mark.parametrize("has_session", [False, True], ids=["without a session", "with one"])
def test_one_connection_connects_once(
    eio: engineio.Server, sockets: Sockets, message: str, has_session: bool
) -> None:
    """Socket.IO would answer every CONNECT of a connection that has a session, without end."""
    connection = Connection(eio, sockets).start()
    if has_session:
        sockets.bind(connection.browser.environ, "sid_1")
    connection.browser.say(message)
    assert connection.told() == (None if has_session else message)
    connection.end.abort()
    connection.over()


@pytest.mark.parametrize("message", ['42["a"]', '423["a"]', '42[null,{"x":1}]', "42[5]"])
def test_events_go_to_the_listener(connection: Connection, message: str) -> None:
    """Engine.IO does not see them; whose they are is told with them."""
    connection.browser.say(message)
    assert connection.told() == event(message)


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


def test_who_was_never_open_refuses(eio: engineio.Server) -> None:
    """Before the upgrade there is no socket, and nothing of it is an error but to wait to send."""
    websocket = eio._async["websocket"](lambda _: None, eio)
    assert not websocket.send_now(text_frame("a"))
    assert websocket.wait() is None
    assert websocket.close_code is None
    websocket.close()
    websocket.abort()
    with pytest.raises(OSError, match="not open"):
        websocket.send("2")


def test_a_browser_that_answers_a_close_frame_is_let_go(connection: Connection) -> None:
    """The reader ends by itself, with nothing heard of what came before the answer."""
    connection.end.close()
    connection.browser.was_accepted()
    connection.browser.close(1000)
    assert connection.told() is None
    assert connection.over() == [b"over"]


def test_a_browser_that_does_not_answer_a_close_frame_is_reaped(
    connection: Connection, sockets: Sockets, clock: ManualClock
) -> None:
    """The reader waits for the answer, but not for ever."""
    connection.end.close()
    sockets.release(SID)
    gevent.idle()
    assert len(sockets) == 1
    sockets.reap(clock.now() + UNBOUND_S)
    assert connection.told() is None
    assert connection.over() == [b"over"]
    assert len(sockets) == 0


def test_aborting_waits_for_nobody(connection: Connection, sockets: Sockets) -> None:
    """Whoever reads or writes on the connection goes on, although the browser does neither."""
    wire = connection.browser.wire
    wire.freeze(room=10)
    sender = gevent.spawn(connection.end.send, "x" * 100)
    gevent.idle()
    connection.end.abort()
    assert connection.told() is None
    assert wire.closed
    assert connection.end.close_code is None
    with pytest.raises(OSError, match="closed"):
        sender.get(timeout=PATIENCE_S)


def test_a_listener_may_end_its_own_connection(connection: Connection, sockets: Sockets) -> None:
    """As for a page that asks and does not read the answers."""
    heard: list[object] = []

    def end(sid: str, told: PageEvent) -> None:
        heard.append(told)
        connection.end.abort()

    sockets.listener = end
    connection.browser.say('42["leave"]')
    assert connection.told() is None
    assert len(heard) == 1


def test_an_ended_connection_is_forgotten(eio: engineio.Server, sockets: Sockets) -> None:
    """It is kept while it is open, and can be found by its session's connection."""
    connection = Connection(eio, sockets).start()
    assert len(sockets) == 1
    assert connection.browser.environ[ENVIRON_KEY] is connection.end
    assert sockets.of(SID) is None
    connection.bind()
    assert sockets.of(SID) is connection.end
    connection.browser.close(1001)
    assert connection.over() == [b"over"]
    assert len(sockets) == 0
    assert sockets.of(SID) is None
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


@pytest.mark.parametrize("missing", ["HTTP_SEC_WEBSOCKET_KEY", "HTTP_SEC_WEBSOCKET_VERSION"])
def test_what_is_no_handshake_is_a_bad_request(
    eio: engineio.Server, sockets: Sockets, missing: str
) -> None:
    """A request that only looks like an upgrade is answered with 400.

    The transport finds nothing to wait for, so Engine.IO keeps nothing of it.
    """
    connection = Connection(eio, sockets)
    del connection.browser.environ[missing]
    (body,) = connection.run()
    assert b"WebSocket" in body
    assert connection.status == ["400 Bad Request"]
    assert connection.told() is None
    assert len(sockets) == 0


def test_engineio_keeps_nothing_of_what_is_no_handshake(eio: engineio.Server) -> None:
    """A stranger who sends very many takes no memory with them."""
    for _ in range(3):
        visit = Visit(eio)
        del visit.browser.environ["HTTP_SEC_WEBSOCKET_KEY"]
        visit.over()
    assert eio.sockets == {}


def test_a_browser_that_is_gone_before_the_answer_is_no_error(
    eio: engineio.Server, sockets: Sockets
) -> None:
    """The transport finds nothing to wait for, and nothing is kept."""
    connection = Connection(eio, sockets)
    connection.browser.wire.closed = True
    connection.run()
    assert connection.told() is None
    assert len(sockets) == 0


def test_a_stranger_has_little_to_say(eio: engineio.Server, sockets: Sockets) -> None:
    """Without a session, or when none began, a message is no longer than a CONNECT has to be."""
    for was_bound, has_session in ((False, False), (True, True), (True, False)):
        connection = Connection(eio, sockets).start()
        if was_bound:
            sockets.bind(connection.browser.environ, "sid_1")
        if was_bound and not has_session:
            sockets.unbind("sid_1")
        connection.browser.say('42["leave",{"a":"' + "a" * MAX_CONNECT_BYTES + '"}]')
        connection.browser.say("3")
        told = connection.told()
        assert (told is None) is not has_session
        connection.end.abort()
        connection.over()


def test_a_websocket_may_be_silent(connection: Connection) -> None:
    """The time that a request has is taken off."""
    assert connection.browser.wire.timeout is None


def test_a_page_owes_a_pong_for_every_ping(connection: Connection, sockets: Sockets) -> None:
    """Only Engine.IO's heartbeat counts, not a message, and no ping of the WebSocket protocol."""
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
    # Its writer has heard of it too, or it would give up on a queue that stays empty; a page that
    # says so again and again and reads nothing fills no queue.
    excuse_ping(eio, "one", 0.0)
    assert engine.queue.get_nowait().encode() == "6"
    assert engine.queue.empty()
    engine.last_ping = None
    excuse_ping(eio, "one", 10.0)
    assert engine.last_ping is None
    excuse_ping(eio, "gone", 10.0)
    assert engine.queue.empty()


def test_only_this_server_gets_our_websocket(eio: engineio.Server) -> None:
    """Other Engine.IO servers of the process keep theirs."""
    driver = engineio.async_drivers.gevent._async
    assert driver["websocket"] is engineio.async_drivers.gevent.WebSocketWSGI
    assert engineio.Server(async_mode="gevent")._async["websocket"] is driver["websocket"]
    made = eio._async["websocket"](lambda _: None, eio)
    assert isinstance(made, GraceWebSocket)
    assert {**eio._async, "websocket": None} == {**driver, "websocket": None}


def test_the_backlog_is_what_waits_for_one_connection(eio: engineio.Server) -> None:
    """Nothing waits for one that is gone."""
    for sid, packets in (("one", 3), ("two", 5)):
        eio.sockets[sid] = EngineSocket(eio, sid)
        for _ in range(packets):
            eio.sockets[sid].queue.put("packet")
    assert (backlog(eio, "one"), backlog(eio, "two"), backlog(eio, "gone")) == (3, 5, 0)
