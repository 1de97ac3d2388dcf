"""Who knows no token is counted by address; who knows one is always let in."""

import json
from typing import Any

import pytest

from app.protocol import ErrorCode
from app.services import addresses
from app.services.addresses import Limits
from app.sockets.doorkeeper import COUNTED_KEY
from app.sockets.packets import text_frame
from unit.sockets.page import PAGE, JoinedServer, Page

FEW = Limits(sessions_burst=3.0, guesses_burst=2.0, sockets=4)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> JoinedServer:
    """A server with tight limits."""
    monkeypatch.setattr(addresses, "Limits", lambda: FEW)
    return JoinedServer()


class Line:
    """What a WebSocket sends and does."""

    is_open, is_broken = True, False

    def __init__(self) -> None:
        self.done: list[bytes | str] = []

    def send_now(self, frame: bytes) -> bool:
        """Keep what is sent."""
        self.done.append(frame)
        return True

    def close(self) -> None:
        """Keep that it was closed."""
        self.done.append("closed")


def refusal(server: JoinedServer, **auth: object) -> tuple[str, Page]:
    """The code with which a CONNECT is refused, and its page.

    It is closed, after the answer and at once, if and only if there were too many.
    """
    page = Page(server)
    websocket: Any = page.websocket
    websocket._ws = line = Line()
    page.connect(auth)
    code = page.refusals[0]["data"]["code"]
    answer = text_frame("44" + json.dumps(page.refusals[0]))
    assert line.done == ([answer, "closed"] if code == ErrorCode.RATE_LIMITED else [])
    return code, page


def exhaust(server: JoinedServer) -> None:
    """Guess until no guess is answered any more."""
    for _ in range(int(FEW.guesses_burst)):
        code, page = refusal(server, token="nobodys")
        assert code == ErrorCode.SESSION_EXPIRED
        page.end()
    code, page = refusal(server, token="nobodys")
    assert code == ErrorCode.RATE_LIMITED
    page.end()


def test_guesses_are_limited(server: JoinedServer) -> None:
    """Then they are refused, their WebSocket is closed, and nothing is stored."""
    exhaust(server)
    assert server.kept() == [[], [], []]
    server.clock.advance(1 / FEW.guesses_per_s)
    assert refusal(server, token="nobodys")[0] == ErrorCode.SESSION_EXPIRED


def test_a_valid_token_is_served_whatever_strangers_do(server: JoinedServer) -> None:
    """From the very address that has used everything up: a resume, and a new session."""
    page = server.page(PAGE)
    exhaust(server)
    back = server.page({**PAGE, "token": page.opened["token"]})
    assert back.session_id == page.session_id
    assert server.page({}).opened["resumed"] is False


def test_a_token_of_a_session_that_is_over_is_no_guess(server: JoinedServer) -> None:
    """Whoever held it is told so, also where strangers have used the address up."""
    page = server.page(PAGE)
    page.say("leave")
    exhaust(server)
    for _ in range(5):
        code, late = refusal(server, token=page.opened["token"])
        assert code == ErrorCode.SESSION_EXPIRED
        late.end()


def test_new_sessions_are_limited(server: JoinedServer) -> None:
    """A burst begins; then one is refused, and its WebSocket is closed."""
    for _ in range(int(FEW.sessions_burst)):
        server.page({})
    assert refusal(server)[0] == ErrorCode.RATE_LIMITED
    assert len(server.store.sessions()) == FEW.sessions_burst


def test_the_oldest_socket_without_a_session_goes(server: JoinedServer) -> None:
    """One that comes is let in, and may have a token to show; what has a session stays."""
    settled = server.page({})
    waiting = [Page(server) for _ in range(FEW.sockets)]
    newest = Page(server)
    assert [page.websocket.aborted for page in waiting] == [True, False, False, False]
    newest.connect({"token": settled.opened["token"]})
    assert newest.accepted
    assert not settled.websocket.aborted


def test_a_socket_that_settles_makes_room(server: JoinedServer) -> None:
    """By a session, or by its end."""
    waiting = [Page(server) for _ in range(FEW.sockets)]
    waiting[0].connect({})
    waiting[1].end()
    assert not any(COUNTED_KEY in page.environ for page in waiting[:2])
    waiting += [Page(server), Page(server)]
    assert not any(page.websocket.aborted for page in waiting)
    waiting.append(Page(server))
    assert [page.websocket.aborted for page in waiting].index(True) == 2


def test_another_address_is_not_concerned(server: JoinedServer) -> None:
    """A stranger uses up what is the stranger's."""
    exhaust(server)
    page = Page(server)
    page.environ["REMOTE_ADDR"] = "192.0.2.7"
    page.connect({"token": "nobodys"})
    assert page.refusals[0]["data"]["code"] == ErrorCode.SESSION_EXPIRED


def test_a_header_is_no_address(server: JoinedServer) -> None:
    """Whoever writes another address into a header stays who they are."""
    exhaust(server)
    page = Page(server)
    page.environ["HTTP_X_FORWARDED_FOR"] = page.environ["HTTP_X_REAL_IP"] = "192.0.2.7"
    page.connect({"token": "nobodys"})
    assert page.refusals[0]["data"]["code"] == ErrorCode.RATE_LIMITED


def test_behind_a_proxy_nothing_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the setting off, one address may do anything."""
    monkeypatch.setattr(addresses, "Limits", lambda: FEW)
    server = JoinedServer(address_limits=False)
    for _ in range(10):
        assert refusal(server, token="nobodys")[0] == ErrorCode.SESSION_EXPIRED
        server.page({})
    assert len(server.store.sessions()) == 10


def test_nothing_is_kept_of_what_comes_after_the_end(server: JoinedServer) -> None:
    """A page that has left Socket.IO and goes on talking is not heard, and costs no memory."""
    page = server.page(PAGE)
    page.send("1")
    server.grace.inbox.drain()
    before = server.kept()
    assert page.say("join_game") is None
    listener: Any = server.sockets.listener
    handlers = listener.__self__
    assert (handlers._buckets, handlers._logged) == ({}, {})
    assert server.kept() == before
