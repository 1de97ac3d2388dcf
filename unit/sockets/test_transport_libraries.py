"""What we use of gevent, Engine.IO and wsproto without their promise.

A new version may break these; then `app/sockets/engine.py`, which alone touches what engineio keeps
private, and `app/sockets/websocket.py` have to be read again.
"""

import inspect
from typing import Any

import engineio
import engineio.async_drivers.gevent
import gevent
import gevent.lock
import gevent.queue
import gevent.socket
import gevent.ssl
import pytest
import socketio
from engineio.packet import NOOP, Packet
from engineio.socket import Socket as EngineSocket
from gevent import _socketcommon
from socketio.exceptions import ConnectionRefusedError
from wsproto import ConnectionType
from wsproto.connection import Connection as Protocol
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection

from app.sessions import LossCause
from app.sockets import engine
from app.sockets.register import Sockets
from app.sockets.transport import GraceWebSocket
from unit.sockets.connection import Visit
from unit.sockets.wire import DEEP, frame


def test_engineio_works_with_it(eio: engineio.Server, sockets: Sockets) -> None:
    """A page is greeted, heard, and its end is reported at once, with the close code at hand."""
    causes: list[LossCause] = []
    visit = Visit(eio)
    gevent.idle()
    assert visit.browser.was_accepted()
    (greeting,) = visit.browser.heard()
    assert str(greeting).startswith('0{"sid":')
    visit.browser.say("40")
    gevent.idle()
    sockets.bind(visit.browser.environ, "sid_1")
    end = sockets.of("sid_1")
    assert end is not None
    eio.on("disconnect", lambda sid, reason: causes.append(end.cause_of_end(reason)))
    visit.browser.close(1001)
    visit.over()
    assert visit.log == [("connect",), ("message", "0")]
    assert causes == [LossCause.PAGE_CLOSED]
    assert len(sockets) == 0


@pytest.mark.parametrize("message", ["", "x", DEEP])
def test_what_is_no_packet_is_a_loss_at_once(eio: engineio.Server, message: str) -> None:
    """The partner of a page that sends nonsense does not wait for the heartbeat to find out."""
    visit = Visit(eio)
    gevent.idle()
    visit.browser.say(message)
    visit.over()
    assert visit.log == [("connect",), ("disconnect", "transport close")]


def test_engineio_looks_the_websocket_up_for_each_upgrade() -> None:
    """`use_websocket` works because the class is taken from `_async` of the server, by its name."""
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


def test_engineio_uses_what_we_have() -> None:
    """The transport's handler asks a WebSocket to send, to wait and to close, and sets no timeout.

    It would set one on a `_sock` or a `socket`, and a page that says nothing would be dropped.
    """
    source = inspect.getsource(EngineSocket._websocket_handler)
    for verb in ("ws.wait()", "ws.send(", "ws.close()", "['_sock', 'socket']"):
        assert verb in source
    assert {"wait", "send", "close"} <= set(dir(GraceWebSocket))
    assert not {"_sock", "socket"} & set(dir(GraceWebSocket))


def test_engineio_keeps_packets_in_a_queue_that_can_be_measured(eio: engineio.Server) -> None:
    """`backlog` reads `sockets[sid].queue.qsize()`."""
    queue = EngineSocket(eio, "sid").queue
    before: int = queue.qsize()
    queue.put("packet")
    assert (before, queue.qsize()) == (0, 1)
    assert eio.sockets == {}


def test_a_packet_counts_until_its_writer_runs(eio: engineio.Server) -> None:
    """Nobody runs between the moment it leaves the queue and the moment it is being sent."""
    queue = EngineSocket(eio, "sid").queue
    seen: list[tuple[str, int]] = []
    writer = gevent.spawn(lambda: seen.append((queue.get(timeout=1), queue.qsize())))
    gevent.idle()
    queue.put("packet")
    assert (queue.qsize(), seen) == (1, [])
    gevent.joinall([writer], timeout=1)
    assert seen == [("packet", 0)]


def test_engineio_wraps_text_in_a_message(eio: engineio.Server) -> None:
    """`send` of the server makes of a Socket.IO packet what `text_frame` is given."""
    socket = eio.sockets["one"] = EngineSocket(eio, "one")
    socket.last_ping = None
    eio.send("one", '2["a",{}]')
    assert socket.queue.get_nowait().encode() == '42["a",{}]'
    assert Packet(NOOP).encode() == "6"


def test_engineio_closes_without_waiting(eio: engineio.Server) -> None:
    """`close(wait=False, abort=True)` tells the handler at once, with the reason."""
    ended: list[tuple[str, str]] = []
    eio.on("disconnect", lambda sid, reason: ended.append((sid, reason)))
    EngineSocket(eio, "sid").close(wait=False, abort=True, reason="transport close")
    assert ended == [("sid", "transport close")]


def test_sending_to_what_is_closed_raises_nothing(eio: engineio.Server) -> None:
    """Not when it is unknown, closed, or found to be gone by the sending."""
    for sid in ("closed", "late"):
        eio.sockets[sid] = EngineSocket(eio, sid)
    eio.sockets["closed"].closed = True
    eio.sockets["late"].last_ping -= eio.ping_timeout + 1
    eio.logger.disabled = True
    try:
        for sid in ("closed", "late", "unknown"):
            eio.send(sid, "2[1]")
    finally:
        eio.logger.disabled = False


class TestSocketIO:
    """Our handlers are python-socketio's own."""

    def test_a_connection_is_found_by_its_sid(self) -> None:
        """`eio_sid_from_sid` knows it from CONNECT on, and no more after the end."""
        server = socketio.Server(async_mode="gevent", monitor_clients=False)
        assert server.manager.eio_sid_from_sid("sid", "/") is None
        sid = server.manager.connect("eio_sid", "/")
        assert server.manager.eio_sid_from_sid(sid, "/") == "eio_sid"
        server.manager.disconnect(sid, "/")
        assert server.manager.eio_sid_from_sid(sid, "/") is None

    def test_handlers_are_called_with_what_we_take(self) -> None:
        """`connect` with sid, environment and auth if there is one, `disconnect` with a reason."""
        source = inspect.getsource(socketio.Server._handle_connect)
        assert "'connect', namespace, sid, self.environ[eio_sid]" in source.replace("\n", " ")
        told: list[Any] = []
        server = socketio.Server(async_mode="gevent", monitor_clients=False)
        server.on("connect", lambda *given: told.append(given))
        server.on("disconnect", lambda *given: told.append(given))
        server._trigger_event("connect", "/", "sid", {}, {"auth": 1})
        server._trigger_event("disconnect", "/", "sid", "a reason")
        assert told == [("sid", {}, {"auth": 1}), ("sid", "a reason")]

    def test_a_refusal_has_a_message_and_data(self) -> None:
        """The two arguments are what its client gets as the error's."""
        refused = ConnectionRefusedError("why", {"code": "x"})
        assert refused.error_args == {"message": "why", "data": {"code": "x"}}


class TestGevent:
    """How sending and waiting work together."""

    @pytest.mark.parametrize("kind", [gevent.socket.socket, gevent.ssl.SSLSocket])
    def test_the_third_argument_of_send_is_a_timeout(self, kind: Any) -> None:
        """With 0 it raises where it would have to wait."""
        assert list(inspect.signature(kind.send).parameters)[1:4] == ["data", "flags", "timeout"]
        source = inspect.getsource(_socketcommon.SocketMixin.send)
        assert "if ex.args[0] not in GSENDAGAIN or timeout == 0.0:" in source

    def test_who_shuts_a_socket_down_wakes_who_waits_on_it(self) -> None:
        """`abort` relies on it: the reader and whoever sends go on at once."""
        source = inspect.getsource(_socketcommon.SocketMixin.shutdown)
        for event in ("_read_event", "_write_event"):
            assert f"cancel_wait(self.{event}" in source

    def test_a_semaphore_may_be_released_by_another(self) -> None:
        """Who finishes a frame is not who began it; and asking does not wait."""
        semaphore = gevent.lock.Semaphore()
        assert semaphore.acquire(blocking=False)
        assert not semaphore.acquire(blocking=False)
        gevent.spawn(semaphore.release).get(timeout=1)
        assert semaphore.acquire(blocking=False)


class TestWsproto:
    """The connection without its handshake, which we make ourselves."""

    def test_it_is_open_at_once(self) -> None:
        """And agrees on no extension."""
        assert Protocol(ConnectionType.SERVER).state is ConnectionState.OPEN

    def test_a_close_frame_is_told_from_a_fault(self) -> None:
        """Both are the same event; by the state they differ."""
        for data, state in (
            (frame(0x88, (1001).to_bytes(2)), ConnectionState.REMOTE_CLOSING),
            (frame(0x83, b""), ConnectionState.OPEN),
        ):
            protocol = Protocol(ConnectionType.SERVER)
            protocol.receive_data(data)
            (event,) = protocol.events()
            assert isinstance(event, CloseConnection)
            assert protocol.state is state


def test_the_module_says_which_version_it_was_read_in() -> None:
    """Whoever updates the library knows what to read again."""
    assert "each name was read in 4.15" in (engine.__doc__ or "")
