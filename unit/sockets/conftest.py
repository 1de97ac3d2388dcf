"""What the tests of the carrier share."""

from collections.abc import Iterator

import engineio
import pytest

from app.clock import ManualClock
from app.sockets.engine import use_websocket
from app.sockets.register import Sockets
from app.sockets.transport import GraceWebSocket
from app.sockets.websocket import WebSocket, accept_key
from unit.sockets.connection import Connection
from unit.sockets.page import PAGE, JoinedServer, Page
from unit.sockets.wire import Browser


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
    use_websocket(server, lambda handler: GraceWebSocket(handler, sockets))
    return server


@pytest.fixture
def connection(eio: engineio.Server, sockets: Sockets) -> Iterator[Connection]:
    """An open WebSocket with a session; in the end nothing is left of it."""
    opened = Connection(eio, sockets).start()
    opened.bind()
    yield opened
    opened.end.abort()
    opened.over()
    assert opened.browser.wire.closed


@pytest.fixture(autouse=True)
def _nothing_escapes(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Engine.IO logs what escapes a handler; nothing ever does."""
    yield
    assert [record.getMessage() for record in caplog.records] == []


@pytest.fixture
def server() -> JoinedServer:
    """A server that nobody has connected to."""
    return JoinedServer()


@pytest.fixture
def client(server: JoinedServer) -> Page:
    """A page with a session."""
    return server.page(PAGE)


@pytest.fixture
def browser() -> Browser:
    """A browser that asks for a WebSocket."""
    return Browser()


@pytest.fixture
def websocket(browser: Browser) -> WebSocket:
    """The server's side, once it has accepted."""
    key = accept_key(browser.environ)
    assert key is not None
    accepted = WebSocket(browser.wire, key)
    assert browser.was_accepted()
    return accepted
