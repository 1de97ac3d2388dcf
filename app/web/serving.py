"""Listening, saying so, and ending cleanly."""

import signal
import socket
from collections.abc import Callable
from typing import Any

import flask
import gevent
import gevent.event
import gevent.socket
import structlog
from gevent.pywsgi import WSGIHandler, WSGIServer

log = structlog.get_logger("grace.web")

REQUEST_TIMEOUT_S = 10.0
"""Seconds a connection may take to say what it wants."""

ANSWER_TIMEOUT_S = 30.0
"""Seconds a client may take for each next piece of its request's body or of the answer."""

STOP_TIMEOUT_S = 3.0
"""Seconds that answers under way get when the server stops."""


class _Handler(WSGIHandler):  # type: ignore[misc]
    """gevent's handler, for clients that connect and say nothing; it logs no request.

    gevent has no timeout for reading a request. It is set on the socket while one is read, and
    taken off again before a WebSocket lives on it.
    """

    def __init__(self, sock: Any, *rest: Any, **more: Any) -> None:
        # gevent writes an answer's head and its body apart. Without this the body waits until the
        # head is acknowledged, which a browser does after 40 ms (RFC 896, RFC 1122 4.2.3.2).
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        super().__init__(sock, *rest, **more)

    def read_requestline(self) -> Any:
        self.socket.settimeout(REQUEST_TIMEOUT_S)
        try:
            return super().read_requestline()
        except TimeoutError:
            return ""

    def read_request(self, raw_requestline: str) -> Any:
        try:
            return super().read_request(raw_requestline)
        except TimeoutError:
            return None

    def handle_one_response(self) -> None:
        self.socket.settimeout(ANSWER_TIMEOUT_S)
        if self.headers.get("Upgrade"):
            # What is left unread of a WebSocket is no request.
            self.close_connection = True
        super().handle_one_response()

    def get_environ(self) -> dict[str, Any]:
        """The WSGI environment, with the socket in it for a WebSocket to live on.

        An `Upgrade` that `Connection` does not name is none (RFC 9110, 7.8); engineio would go on
        with half of it, and answer nothing.
        """
        environ: dict[str, Any] = super().get_environ()
        environ["grace.socket"] = self.socket
        if "upgrade" not in environ.get("HTTP_CONNECTION", "").lower().replace(" ", "").split(","):
            environ.pop("HTTP_UPGRADE", None)
        return environ

    def log_request(self) -> None:
        """Nothing: addresses of requests are nobody's business and carry labels."""


class _ErrorLog:
    """What gevent has to say of requests that are none, as lines of our log."""

    def write(self, text: str) -> None:
        if text.strip():
            log.warning("http_server", text=text.strip()[:2000])


def serve(
    app: flask.Flask,
    host: str,
    port: int,
    ready: Callable[[str], None],
    stop: Callable[[], None],
) -> None:
    """Serve `app` until SIGTERM or SIGINT, then end within STOP_TIMEOUT_S and a little.

    Args:
        app: the application, Socket.IO included.
        host: address to listen on.
        port: port to listen on; 0 picks a free one.
        ready: called with the server's address once it is listened on, before the first request
            is answered.
        stop: called first when the server is to end.

    Raises:
        OSError: the address cannot be listened on.
    """
    server = WSGIServer((host, port), app, handler_class=_Handler, log=None, error_log=_ErrorLog())
    server.init_socket()
    stopped = gevent.event.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        gevent.signal_handler(number, stopped.set)
    ready(f"http://{_named(host)}:{server.server_port}")
    server.start()
    stopped.wait()
    try:
        stop()
    finally:
        server.stop(timeout=STOP_TIMEOUT_S)


def _named(host: str) -> str:
    return f"[{host}]" if ":" in host else host
