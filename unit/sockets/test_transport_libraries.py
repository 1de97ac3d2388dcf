"""What we use of Engine.IO, simple-websocket and wsproto without their promise.

A new version may break these; then `app/sockets/transport.py` has to be read again.
"""

import inspect
from typing import Any

import engineio
import engineio.async_drivers.gevent
import gevent
import pytest
import simple_websocket
from engineio.socket import Socket as EngineSocket
from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import CloseConnection

from app.sockets import transport
from app.sockets.transport import GraceWebSocket, close_code_of
from unit.sockets.connection import Connection, Visit
from unit.sockets.wire import DEEP


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


def test_engineio_looks_the_websocket_up_for_each_upgrade() -> None:
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


def test_engineio_uses_what_we_have() -> None:
    """The transport's handler asks a WebSocket to send, to wait and to close."""
    source = inspect.getsource(EngineSocket._websocket_handler)
    for verb in ("ws.wait()", "ws.send(", "ws.close()"):
        assert verb in source
    wanted = {"wait", "send", "close"}
    assert wanted <= set(dir(GraceWebSocket))


def test_engineio_keeps_packets_in_a_queue_that_can_be_measured(eio: engineio.Server) -> None:
    """`backlog` reads `sockets[sid].queue.qsize()`."""
    queue = EngineSocket(eio, "sid").queue
    before: int = queue.qsize()
    queue.put("packet")
    assert (before, queue.qsize()) == (0, 1)
    assert eio.sockets == {}


def test_engineio_closes_without_waiting(eio: engineio.Server) -> None:
    """`close(wait=False, abort=True)` tells the handler at once, with the reason."""
    ended: list[tuple[str, str]] = []
    eio.on("disconnect", lambda sid, reason: ended.append((sid, reason)))
    EngineSocket(eio, "sid").close(wait=False, abort=True, reason="transport close")
    assert ended == [("sid", "transport close")]


def test_simple_websocket_takes_our_classes() -> None:
    """The names of the arguments with which we make its server side."""
    parameters = inspect.signature(simple_websocket.Server.__init__).parameters
    wanted = {"max_message_size", "thread_class", "event_class", "selector_class"}
    assert wanted <= set(parameters)


def test_simple_websocket_shows_its_parts(connection: Connection) -> None:
    """We put a socket of ours in its place at the handshake, and read the protocol's state."""
    server: Any = connection.end._ws
    assert isinstance(server, simple_websocket.Server)
    assert {"sock", "ws", "close_reason", "connected", "event"} <= set(vars(server))
    assert server.sock._sock is connection.browser.wire
    assert server.ws.state is ConnectionState.OPEN
    assert server.connected is True
    assert "self.sock.send(" in inspect.getsource(simple_websocket.Server.send)


def test_simple_websocket_makes_its_handshake_in_its_constructor() -> None:
    """The one moment between having the socket and using it."""
    source = inspect.getsource(simple_websocket.Server.__mro__[1].__init__)
    assert source.index("self.sock = sock") < source.index("self.handshake()")
    assert source.index("self.handshake()") < source.index("thread_class(target=self._thread)")


def test_wsproto_knows_who_closed_first() -> None:
    """The state tells a close frame of the browser from one of ours and from none."""
    server = WSConnection(ConnectionType.SERVER)
    names = {state.name for state in ConnectionState}
    assert {"OPEN", "REMOTE_CLOSING", "LOCAL_CLOSING", "CLOSED"} <= names
    assert server.state is ConnectionState.CONNECTING
    assert CloseConnection(code=1001).code == 1001


def test_the_module_says_which_versions_it_was_read_in() -> None:
    """Whoever updates a library knows what to read again."""
    assert "python-engineio 4.15" in (transport.__doc__ or "")
    assert "simple-websocket 1.1" in (transport.__doc__ or "")
