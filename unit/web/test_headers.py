"""Every answer carries the headers, and says how long it may be kept."""

import pytest

from app.web.headers import CONTENT_SECURITY_POLICY, FOR_EVER
from unit.sockets.page import JoinedServer

POLICY = {
    directive: sources
    for directive, *sources in (part.split() for part in CONTENT_SECURITY_POLICY.split("; "))
}

ANSWERS = [
    ("GET", "/healthz", 200),
    ("GET", "{page}py/grace_runner.py", 200),
    ("GET", "{page}js/ticker_worker.js", 200),
    ("HEAD", "{page}js/index.js", 200),
    ("POST", "{page}js/index.js", 405),
    ("GET", "{page}none.js", 404),
    ("GET", "/static/js/index.js", 404),
    ("GET", "/none", 404),
    ("POST", "/healthz", 405),
    ("GET", "/admin/api/sessions", 401),
]


@pytest.fixture(scope="module")
def server() -> JoinedServer:
    """A server that serves a study of one game."""
    return JoinedServer()


def at(server: JoinedServer, path: str) -> str:
    """The address of a file of the page."""
    return path.format(page=server.grace.core.delivery.page.address)


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_carries_them(
    server: JoinedServer, method: str, path: str, status: int
) -> None:
    """Pages, files, refusals and faults alike."""
    with server.http.open(at(server, path), method=method) as answer:
        assert answer.status_code == status
        assert answer.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_only_files_are_kept(server: JoinedServer, method: str, path: str, status: int) -> None:
    """What depends on who asks and when is kept by nobody; a file has its content in its name."""
    with server.http.open(at(server, path), method=method) as answer:
        is_file = path.startswith("{page}") and status == 200
        assert answer.headers["Cache-Control"] == (FOR_EVER if is_file else "no-store")
        assert ("ETag" in answer.headers) == is_file


def test_a_file_that_is_known_is_not_sent_again(server: JoinedServer) -> None:
    """13 MB of Pyodide travel once."""
    address = at(server, "{page}py/grace_runner.py")
    with server.http.get(address) as first:
        headers = {"If-None-Match": first.headers["ETag"]}
    with server.http.get(address, headers=headers) as again:
        assert again.status_code == 304
        assert again.headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY


def test_only_our_own_files_run() -> None:
    """No inline script or style, nothing from elsewhere, in no frame; WebAssembly, no `eval`."""
    assert POLICY["default-src"] == ["'none'"]
    assert POLICY["script-src"] == ["'self'", "'wasm-unsafe-eval'"]
    assert POLICY["style-src"] == ["'self'"]
    assert POLICY["img-src"] == ["'self'", "data:"]
    assert POLICY["worker-src"] == ["'self'"]
    for directive in ("frame-ancestors", "base-uri", "form-action", "object-src"):
        assert POLICY[directive] == ["'none'"]
    assert "unsafe-inline" not in CONTENT_SECURITY_POLICY
