"""CONNECT binds a connection to a session or is refused with a code; its end is handed over."""

import json
from typing import Any

import pytest

from app.errors import StoreBusy
from app.protocol import ErrorCode
from app.sessions import LinkState
from unit.sockets.page import PAGE, JoinedServer, Page


def break_down(*_: Any, **__: Any) -> Any:
    """What a fault of ours looks like."""
    raise TypeError("a fault of ours")


class TestConnect:
    """CONNECT binds a connection to a session, or is refused with a code."""

    def test_session_opened_comes_first(self, server: JoinedServer) -> None:
        """It arrives even before Socket.IO says that the connection is made."""
        page = server.page(PAGE)
        assert page.order[:2] == ["session_opened", "CONNECT"]
        assert page.opened["resumed"] is False
        assert page.opened["epoch"] == 1

    @pytest.mark.parametrize("auth", [None, {}, {"of_tomorrow": 1}])
    def test_a_page_that_says_nothing_is_welcome(self, server: JoinedServer, auth: Any) -> None:
        """Without `auth` a new session begins."""
        assert server.page(auth).opened["place"] == "lobby"

    def test_a_token_resumes(self, server: JoinedServer, client: Page) -> None:
        """The same session goes on, on a connection of the next epoch."""
        back = server.page({**PAGE, "token": client.opened["token"]})
        assert back.opened["session_id"] == client.session_id
        assert (back.opened["epoch"], back.opened["resumed"]) == (2, True)
        assert len(server.store.sessions()) == 1

    @pytest.mark.parametrize(
        ("auth", "expected"),
        [
            ({"token": "unknown"}, ErrorCode.SESSION_EXPIRED),
            ({"study": "another"}, ErrorCode.UNKNOWN_STUDY),
            ({"page_id": "?"}, ErrorCode.INVALID_AUTH),
            ({"token": ""}, ErrorCode.INVALID_AUTH),
            ("token", ErrorCode.INVALID_AUTH),
            ([["page_id", "page_0001"]], ErrorCode.INVALID_AUTH),
            ({"participant": "x" * 64_000}, ErrorCode.TOO_LARGE),
        ],
    )
    def test_a_refusal_says_why(self, server: JoinedServer, auth: Any, expected: ErrorCode) -> None:
        """`connect_error` carries `{code, message}` as its data; no session begins."""
        page = Page(server)
        page.connect(auth)
        assert page.order == ["CONNECT_ERROR"]
        (refusal,) = page.refusals
        assert refusal["data"] == {"code": expected, "message": refusal["message"]}
        assert refusal["message"]
        assert server.kept() == [[], [], []]
        assert len(server.grace.core.connections) == 0

    def test_a_replaced_page_is_refused(self, server: JoinedServer, client: Page) -> None:
        """It is told when it is replaced, and again when it tries to come back."""
        token = client.opened["token"]
        server.page({"page_id": "page_0002", "token": token})
        assert client.heard("session_taken_over") == [{}]
        back = Page(server)
        back.connect({**PAGE, "token": token})
        assert back.refusals[0]["data"]["code"] == ErrorCode.SESSION_TAKEN_OVER

    def test_a_server_that_stops_takes_nobody(self, server: JoinedServer) -> None:
        """Who comes while it stops is told to come later."""
        server.grace.core.stopping = True
        page = Page(server)
        page.connect(PAGE)
        assert page.refusals[0]["data"]["code"] == ErrorCode.SERVER_STOPPING

    @pytest.mark.parametrize(
        ("error", "code"),
        [
            (TypeError, ErrorCode.INTERNAL_ERROR),
            (KeyError, ErrorCode.INTERNAL_ERROR),
            (RuntimeError, ErrorCode.INTERNAL_ERROR),
            (StoreBusy, ErrorCode.TRY_AGAIN),
        ],
    )
    def test_a_fault_refuses_the_connection(
        self,
        server: JoinedServer,
        monkeypatch: pytest.MonkeyPatch,
        error: type[Exception],
        code: str,
    ) -> None:
        """Only a refusal comes out: python-socketio calls again at a TypeError, without auth."""
        calls: list[object] = []

        def fail(sid: str, auth: object) -> None:
            calls.append(auth)
            raise error("a fault of ours")

        monkeypatch.setattr(server.grace.core.store, "create", fail)
        monkeypatch.setattr("app.services.sessions.SessionService.open", lambda _, *a: fail(*a))
        page = Page(server)
        page.connect(PAGE)
        assert page.refusals[0]["data"]["code"] == code
        assert len(calls) == 1
        assert "a fault of ours" not in json.dumps(page.refusals)

    def test_a_session_does_not_stay_open_after_a_fault(
        self, server: JoinedServer, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A session whose first event could not be sent is lost, and in the end gone."""
        monkeypatch.setattr("app.services.sessions.scene_payload", break_down)
        page = Page(server)
        page.connect(PAGE)
        assert page.refusals[0]["data"]["code"] == ErrorCode.INTERNAL_ERROR
        page.end()
        server.grace.inbox.drain()
        (session,) = server.store.sessions()
        assert session.link.state is LinkState.AWAY
        assert len(server.grace.core.connections) == 0

    def test_a_second_connect_on_a_connection_is_refused(
        self, server: JoinedServer, client: Page
    ) -> None:
        """One connection has one session."""
        client.connect({"page_id": "page_0002"})
        assert client.order[-1] == "CONNECT_ERROR"
        assert len(server.store.sessions()) == 1

    def test_connecting_has_a_rate(self, server: JoinedServer) -> None:
        """A connection cannot make sessions without end by leaving and coming again."""
        page = Page(server)
        for number in range(100):
            page.connect({"page_id": f"page_{number:04}"})
            page.send("1")
        assert len(server.store.sessions()) < 100
        assert page.refusals[-1]["data"]["code"] == ErrorCode.RATE_LIMITED


class TestReservedNames:
    """Socket.IO's own event names are no messages."""

    def test_an_event_called_connect_opens_no_session(
        self, server: JoinedServer, client: Page
    ) -> None:
        """Its first session would be left connected for ever, without a connection."""
        before = server.kept()
        client.say("connect", {}, {"page_id": "page_0002"})
        assert server.kept() == before
        assert client.order.count("session_opened") == 1
        client.end()
        server.grace.inbox.drain()
        assert [one.link.state for one in server.store.sessions()] == [LinkState.AWAY]

    def test_an_event_called_disconnect_loses_nothing(
        self, server: JoinedServer, client: Page
    ) -> None:
        """Only the end of a connection is the end of a connection."""
        client.say("disconnect", "transport close")
        server.grace.inbox.drain()
        assert server.store.sessions()[0].link.state is LinkState.CONNECTED
        assert client.say("leave", {}) == {"ok": True}


class TestDisconnect:
    """The end of a connection is handed over, and nothing is done about it at once."""

    def test_the_handler_changes_nothing(self, server: JoinedServer, client: Page) -> None:
        """It runs inside the task that watches all clients, so it only puts the loss in a queue."""
        before = server.kept()
        client.end()
        assert server.kept() == before
        server.grace.inbox.drain()
        assert server.store.sessions()[0].link.state is LinkState.AWAY

    def test_reason_and_close_code_are_handed_over(
        self, server: JoinedServer, client: Page
    ) -> None:
        """The log says how the connection ended, in the words of Engine.IO and of the browser."""
        client.websocket.close_code = 1001
        client.end("ping timeout")
        server.grace.inbox.drain()
        lost = server.store.events()[-1]
        assert (lost["event"], lost["reason"], lost["close_code"]) == (
            "link_lost",
            "ping timeout",
            1001,
        )

    def test_a_socket_io_disconnect_is_a_loss_too(self, server: JoinedServer, client: Page) -> None:
        """A page that only leaves the namespace has lost its connection all the same."""
        client.send("1")
        server.grace.inbox.drain()
        assert server.store.sessions()[0].link.state is LinkState.AWAY

    def test_a_refused_connection_is_no_loss(self, server: JoinedServer) -> None:
        """What never had a session loses none."""
        page = Page(server)
        page.connect({"token": "unknown"})
        page.end()
        server.grace.inbox.drain()
        assert server.store.events() == []

    def test_nothing_is_left_of_a_connection(self, server: JoinedServer) -> None:
        """However many come and go, what is kept in memory is of those that are there."""
        for _ in range(20):
            page = server.page({})
            page.say("join_game", {})
            page.end()
        server.grace.inbox.drain()
        server.clock.advance(3600)
        server.grace.sweeper.sweep()
        server.clock.advance(3600)
        server.grace.sweeper.sweep()
        assert server.store.sessions() == []
        assert len(server.grace.core.connections) == 0
        assert server.handlers._buckets == {}
