"""Our WebSocket sends whole frames, remembers how it was closed, and ends when it should.

The last tests hold the libraries to what we use of them and they do not promise.
"""

import inspect
from collections.abc import Iterator
from typing import Any

import engineio
import engineio.async_drivers.gevent
import gevent
import gevent.queue
import pytest
import simple_websocket
from engineio.socket import Socket as EngineSocket
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection

from app.clock import ManualClock
from app.sockets import transport
from app.sockets.transport import (
    ENVIRON_KEY,
    MAX_MESSAGE_BYTES,
    UNBOUND_S,
    GraceWebSocket,
    Sockets,
    abort,
    backlog,
    close_code_of,
    install,
)
from unit.fakes.websocket import FakeWebSocket
from unit.sockets.wire import PATIENCE_S, Browser

DEEP = "4" + "[" * 50_000
"""A packet whose JSON no parser follows to its end."""


def masked(text: str) -> bytes:
    """A short text frame as a browser sends it, with a mask of zeros (RFC 6455, 5.2)."""
    return bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text.encode()


@pytest.fixture
def sockets(clock: ManualClock) -> Sockets:
    """The open WebSockets, none yet."""
    return Sockets(clock.now)


@pytest.fixture
def eio(sockets: Sockets) -> engineio.Server:
    """An Engine.IO server that uses our WebSocket and watches nobody."""
    server = engineio.Server(
        async_mode="gevent", transports=["websocket"], monitor_clients=False, async_handlers=False
    )
    install(server, sockets)
    return server


class Connection:
    """A WebSocket between a browser and a handler that keeps what it is told.

    Attributes:
        browser: the one end.
        websocket: the other, while the handler runs.
        answer: what the WSGI call returned, with the status it began with.
    """

    def __init__(self, eio: engineio.Server) -> None:
        self.browser = Browser()
        self.websocket: GraceWebSocket | None = None
        self.status: list[str] = []
        self._told: gevent.queue.Queue = gevent.queue.Queue()
        self._began = gevent.event.Event()
        self._make = eio._async["websocket"]
        self._eio = eio
        self._task: Any = None

    def start(self) -> "Connection":
        """Accept the upgrade; returns once the handler runs."""
        self._task = gevent.spawn(self.run)
        assert self._began.wait(PATIENCE_S)
        return self

    def run(self) -> Any:
        """The WSGI call."""
        made = self._make(self._handle, self._eio)
        return made(self.browser.environ, lambda status, headers: self.status.append(status))

    def _handle(self, websocket: GraceWebSocket) -> list[bytes]:
        self.websocket = websocket
        self._began.set()
        while True:
            message = websocket.wait()
            self._told.put(message)
            if message is None:
                return [b"over"]

    @property
    def end(self) -> GraceWebSocket:
        """The server's end."""
        assert self.websocket is not None
        return self.websocket

    def told(self) -> object:
        """Wait for the next message; None once the connection is closed."""
        return self._told.get(timeout=PATIENCE_S)

    def over(self) -> list[bytes]:
        """Wait for the end of the WSGI call; what it returned."""
        answer: list[bytes] = self._task.get(timeout=PATIENCE_S)
        return answer


@pytest.fixture
def connection(eio: engineio.Server) -> Iterator[Connection]:
    """An open WebSocket; in the end nothing is left of it."""
    opened = Connection(eio).start()
    yield opened
    opened.end.abort()
    opened.over()
    assert opened.browser.wire.closed


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
    message = "4" + "2" * (MAX_MESSAGE_BYTES - 1)
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


class Visit:
    """One browser at a real Engine.IO server, and what the server's handlers were told.

    Attributes:
        log: the handlers' calls, with sid left out.
    """

    def __init__(self, eio: engineio.Server) -> None:
        self.browser = Browser()
        self.log: list[tuple[str, ...]] = []
        self.tasks: list[Any] = []
        eio.on("connect", lambda sid, environ: self.log.append(("connect",)))
        eio.on("message", lambda sid, data: self.log.append(("message", data)))
        eio.on("disconnect", lambda sid, reason: self.log.append(("disconnect", reason)))
        eio.start_background_task = self._start
        self.browser.environ["QUERY_STRING"] = "transport=websocket&EIO=4"
        self._request = gevent.spawn(
            eio.handle_request, self.browser.environ, lambda *_: self.log.append(("refused",))
        )

    def _start(self, target: Any, *args: Any) -> Any:
        self.tasks.append(gevent.spawn(target, *args))
        return self.tasks[-1]

    def over(self) -> None:
        """Wait until the request has ended, however it ends."""
        gevent.joinall([self._request], timeout=PATIENCE_S)
        assert self._request.ready()
        gevent.killall(self.tasks)


def test_engineio_works_with_it(eio: engineio.Server) -> None:
    """A page is greeted, heard, and its end is reported at once, with the close code at hand."""
    visit = Visit(eio)
    gevent.idle()
    assert visit.browser.was_accepted()
    (greeting,) = visit.browser.heard()
    assert str(greeting).startswith('0{"sid":')
    visit.browser.say("42[1]")
    visit.browser.close(1001)
    visit.over()
    assert visit.log == [("connect",), ("message", "2[1]"), ("disconnect", "transport close")]
    assert close_code_of(visit.browser.environ) == 1001


@pytest.mark.parametrize("message", ["", "x", DEEP])
def test_what_is_no_packet_is_a_loss_at_once(eio: engineio.Server, message: str) -> None:
    """The partner of a page that sends nonsense does not wait for the heartbeat to find out."""
    visit = Visit(eio)
    gevent.idle()
    visit.browser.say(message)
    visit.over()
    assert visit.log == [("connect",), ("disconnect", "transport close")]


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
        sockets.bind(websocket.environ)
        sockets.reap(clock.now() + 1e6)
        assert not websocket.aborted

    def test_a_connection_that_is_released_is_closed(
        self, sockets: Sockets, clock: ManualClock
    ) -> None:
        """Once its session is over it has the time that it is given, or UNBOUND_S."""
        websockets = [FakeWebSocket(sockets) for _ in range(2)]
        for websocket in websockets:
            sockets.bind(websocket.environ)
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
            sockets.bind(environ)
            sockets.release(environ)
            abort(environ)
            assert close_code_of(environ) is None


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


class TestLibraries:
    """What we use of the libraries without their promise. A new version may break these."""

    def test_engineio_looks_the_websocket_up_for_each_upgrade(self) -> None:
        """`install` works because the class is taken from `_async` of the server, by its name."""
        server = engineio.Server(async_mode="gevent", monitor_clients=False)
        assert callable(server._async["websocket"])
        calls: list[object] = []

        def make(handler: Any, its_server: object) -> Any:
            calls.append(its_server)
            return lambda environ, start_response: [handler, environ]

        server._async = {**server._async, "websocket": make}
        socket = EngineSocket(server, "sid")
        environ: dict[str, Any] = {}
        assert socket._upgrade_websocket(environ, None) == [socket._websocket_handler, environ]
        assert calls == [server]

    def test_engineio_uses_what_we_have(self) -> None:
        """The transport's handler asks a WebSocket to send, to wait and to close."""
        source = inspect.getsource(EngineSocket._websocket_handler)
        for verb in ("ws.wait()", "ws.send(", "ws.close()"):
            assert verb in source
        wanted = {"wait", "send", "close"}
        assert wanted <= set(dir(GraceWebSocket))

    def test_engineio_keeps_packets_in_a_queue_that_can_be_measured(
        self, eio: engineio.Server
    ) -> None:
        """`backlog` reads `sockets[sid].queue.qsize()`."""
        queue = EngineSocket(eio, "sid").queue
        before: int = queue.qsize()
        queue.put("packet")
        assert (before, queue.qsize()) == (0, 1)
        assert eio.sockets == {}

    def test_engineio_closes_without_waiting(self, eio: engineio.Server) -> None:
        """`close(wait=False, abort=True)` tells the handler at once, with the reason."""
        ended: list[tuple[str, str]] = []
        eio.on("disconnect", lambda sid, reason: ended.append((sid, reason)))
        EngineSocket(eio, "sid").close(wait=False, abort=True, reason="transport close")
        assert ended == [("sid", "transport close")]

    def test_simple_websocket_takes_our_classes(self) -> None:
        """The names of the arguments with which we make its server side."""
        parameters = inspect.signature(simple_websocket.Server.__init__).parameters
        wanted = {"max_message_size", "thread_class", "event_class", "selector_class"}
        assert wanted <= set(parameters)

    def test_simple_websocket_shows_its_parts(self, connection: Connection) -> None:
        """We put a socket of ours in its place at the handshake, and read the protocol's state."""
        server: Any = connection.end._ws
        assert isinstance(server, simple_websocket.Server)
        assert {"sock", "ws", "close_reason", "connected", "event"} <= set(vars(server))
        assert server.sock._sock is connection.browser.wire
        assert server.ws.state is ConnectionState.OPEN
        assert server.connected is True
        assert "self.sock.send(" in inspect.getsource(simple_websocket.Server.send)

    def test_simple_websocket_makes_its_handshake_in_its_constructor(self) -> None:
        """The one moment between having the socket and using it."""
        source = inspect.getsource(simple_websocket.Server.__mro__[1].__init__)
        assert source.index("self.sock = sock") < source.index("self.handshake()")
        assert source.index("self.handshake()") < source.index("thread_class(target=self._thread)")

    def test_wsproto_knows_who_closed_first(self) -> None:
        """The state tells a close frame of the browser from one of ours and from none."""
        server = WSConnection(ConnectionType.SERVER)
        names = {state.name for state in ConnectionState}
        assert {"OPEN", "REMOTE_CLOSING", "LOCAL_CLOSING", "CLOSED"} <= names
        assert server.state is ConnectionState.CONNECTING
        assert CloseConnection(code=1001).code == 1001

    def test_the_module_says_which_versions_it_was_read_in(self) -> None:
        """Whoever updates a library knows what to read again."""
        assert "python-engineio 4.15" in (transport.__doc__ or "")
        assert "simple-websocket 1.1" in (transport.__doc__ or "")
