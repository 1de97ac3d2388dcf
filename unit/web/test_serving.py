"""The server says when it is ready, and ends when it is asked to."""

import signal
import socket
from types import SimpleNamespace
from typing import Any

import gevent
import pytest
from gevent.pywsgi import WSGIHandler, WSGIServer
from structlog.testing import capture_logs

from app.web import serving
from app.web.serving import ANSWER_TIMEOUT_S, REQUEST_TIMEOUT_S, STOP_TIMEOUT_S, serve


class FakeServer:
    """In place of gevent's: it listens to nobody."""

    def __init__(self, steps: list[Any], address: tuple[str, int], **given: Any) -> None:
        self.steps = steps
        self.steps.append(("made", *address))
        self.handler_class = given["handler_class"]
        self.error_log = given["error_log"]
        self.log = given["log"]
        self.server_port = 49152

    def init_socket(self) -> None:
        """Keep that it has the address, and nobody else can take it."""
        self.steps.append("bound")

    def start(self) -> None:
        """Keep that it takes connections; without an address it takes one first, as gevent's."""
        if "bound" not in self.steps:
            self.init_socket()
        self.steps.append("accepts")

    def stop(self, timeout: float) -> None:
        """Keep that it ended."""
        self.steps.append(("ended", timeout))


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What happens, in order; the first signal that is waited for arrives at once."""
    happened: list[Any] = []

    def make(address: tuple[str, int], app: object, **given: Any) -> FakeServer:
        return FakeServer(happened, address, **given)

    def signal_handler(number: signal.Signals, handle: Any) -> None:
        happened.append(number)
        if number is signal.SIGTERM:
            handle()

    monkeypatch.setattr(serving, "WSGIServer", make)
    monkeypatch.setattr(gevent, "signal_handler", signal_handler)
    return happened


def run(steps: list[Any], host: str = "127.0.0.1") -> None:
    """Serve nothing in particular."""
    serve(
        SimpleNamespace(),  # type: ignore[arg-type]
        host,
        0,
        lambda address: steps.append(("ready", address)),
        lambda: steps.append("stopping"),
    )


def test_it_is_ready_once_it_listens_and_stops_in_order(steps: list[Any]) -> None:
    """With an address and its signals it is ready; then our own end comes before the server's."""
    run(steps)
    ready = ("ready", "http://127.0.0.1:49152")
    ended = ("ended", STOP_TIMEOUT_S)
    assert steps[0] == ("made", "127.0.0.1", 0)
    assert steps.index("accepts") < steps.index("stopping")
    assert steps.index("bound") < steps.index(ready) < steps.index("stopping")
    assert max(map(steps.index, (signal.SIGTERM, signal.SIGINT))) < steps.index("stopping")
    assert steps[-2:] == ["stopping", ended]


def test_an_ipv6_address_is_an_address(steps: list[Any]) -> None:
    """In an address the host stands in brackets (RFC 3986, 3.2.2)."""
    run(steps, host="::1")
    assert ("ready", "http://[::1]:49152") in steps


def test_it_ends_in_time() -> None:
    """What is under way when the server stops has a few seconds, well under ten."""
    assert STOP_TIMEOUT_S < 10


class FakeSocket:
    """Notes its timeouts; reading fails with what it is given."""

    def __init__(self) -> None:
        self.timeouts: list[float | None] = []

    def settimeout(self, seconds: float | None) -> None:
        """Note it."""
        self.timeouts.append(seconds)


def make_handler() -> Any:
    """Our handler of a connection, without one."""
    handler = serving._Handler.__new__(serving._Handler)
    handler.socket = FakeSocket()
    return handler


@pytest.mark.parametrize("said", ["GET / HTTP/1.1\r\n", TimeoutError("timed out")])
def test_a_client_that_says_nothing_is_let_go(
    monkeypatch: pytest.MonkeyPatch, said: str | Exception
) -> None:
    """Reading a request has its time; a connection that says none is as good as closed."""

    def read(_: object) -> str:
        if isinstance(said, Exception):
            raise said
        return said

    monkeypatch.setattr(WSGIHandler, "read_requestline", read)
    handler = make_handler()
    assert handler.read_requestline() == (said if isinstance(said, str) else "")
    assert handler.socket.timeouts == [REQUEST_TIMEOUT_S]


@pytest.mark.parametrize("parsed", [True, TimeoutError("timed out")])
def test_a_client_that_says_half_is_let_go(
    monkeypatch: pytest.MonkeyPatch, parsed: bool | Exception
) -> None:
    """Headers that do not come to an end are no request either."""

    def read(_: object, line: str) -> bool:
        if isinstance(parsed, Exception):
            raise parsed
        return parsed

    monkeypatch.setattr(WSGIHandler, "read_request", read)
    answer = make_handler().read_request("GET / HTTP/1.1\r\n")
    assert bool(answer) == (parsed is True)


def test_every_request_has_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also one that only says that it is an upgrade; a WebSocket takes it off when it begins."""
    during: list[float | None] = []
    monkeypatch.setattr(
        WSGIHandler, "handle_one_response", lambda self: during.append(self.socket.timeouts[-1])
    )
    handler = make_handler()
    handler.headers = {}
    handler.handle_one_response()
    handler.headers = {"Upgrade": "websocket"}
    handler.handle_one_response()
    assert during == [ANSWER_TIMEOUT_S, ANSWER_TIMEOUT_S]
    assert handler.close_connection


def test_requests_are_not_logged() -> None:
    """Their addresses carry labels of participants."""
    with capture_logs() as logged:
        make_handler().log_request()
    assert logged == []


def test_faults_of_http_are_logged_in_our_form() -> None:
    """What gevent would print is one entry, and no longer than it must be."""
    with capture_logs() as logged:
        serving._ErrorLog().write("  \n")
        serving._ErrorLog().write("x" * 5000 + "\n")
    (entry,) = logged
    assert entry["event"] == "http_server"
    assert entry["text"] == "x" * 2000


def test_gevents_handler_has_what_we_change() -> None:
    """A method of that name is overridden, and not added: a new gevent would show it here."""
    own = {name for name in vars(serving._Handler) if not name.startswith("__")}
    assert own
    assert own <= set(dir(WSGIHandler))
    assert callable(WSGIServer.stop)


@pytest.mark.parametrize(
    ("connection", "kept"),
    [("Upgrade", True), ("keep-alive, Upgrade", True), ("close", False), ("", False)],
)
def test_an_upgrade_that_is_not_asked_for_is_none(
    monkeypatch: pytest.MonkeyPatch, connection: str, kept: bool
) -> None:
    """Only what `Connection` names counts; engineio would answer nothing to the rest."""
    said = {"HTTP_UPGRADE": "websocket", "HTTP_CONNECTION": connection}
    monkeypatch.setattr(WSGIHandler, "get_environ", lambda _: dict(said))
    handler = make_handler()
    environ = handler.get_environ()
    assert ("HTTP_UPGRADE" in environ) == kept
    assert environ["grace.socket"] is handler.socket


def test_an_answers_body_does_not_wait_for_its_head_to_be_acknowledged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else every file of a page comes 40 ms later: a page of forty modules a third of a second."""
    options: list[tuple[int, ...]] = []

    class Sock:
        def setsockopt(self, *option: int) -> None:
            options.append(option)

    monkeypatch.setattr(WSGIHandler, "__init__", lambda *given: None)
    serving._Handler(Sock(), None, None)
    assert options == [(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)]
