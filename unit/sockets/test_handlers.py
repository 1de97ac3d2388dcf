"""The handlers check, hand over and acknowledge; a bad message changes nothing."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.errors import StoreBusy
from app.protocol import ErrorCode
from app.sessions import LinkState
from app.sockets.handlers import MESSAGES_BURST, MESSAGES_PER_S
from unit.sockets.page import JoinedServer, Page

PAGE = {"page_id": "page_0001"}
START = {"attempt_id": "attempt_1", "path": "preload", "runtime": "main"}


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


def code(answer: Any) -> str:
    """The code of a refusal, which is of the wire's form."""
    assert answer["ok"] is False
    assert set(answer) == {"ok", "error"}
    assert set(answer["error"]) == {"code", "message"}
    assert answer["error"]["message"]
    return str(answer["error"]["code"])


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

    @pytest.mark.parametrize("error", [TypeError, KeyError, RuntimeError, StoreBusy])
    def test_a_fault_refuses_the_connection(
        self, server: JoinedServer, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
    ) -> None:
        """Only a refusal comes out: at a TypeError Flask-SocketIO would call again without auth."""
        calls: list[object] = []

        def fail(sid: str, auth: object) -> None:
            calls.append(auth)
            raise error("a fault of ours")

        monkeypatch.setattr(server.grace.core.store, "create", fail)
        monkeypatch.setattr("app.services.sessions.SessionService.open", lambda _, *a: fail(*a))
        page = Page(server)
        page.connect(PAGE)
        assert page.refusals[0]["data"]["code"] == ErrorCode.INTERNAL_ERROR
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


class TestMessages:
    """Every event is acknowledged: `ok` and the answer, or the error."""

    def test_an_answer_is_acknowledged(self, client: Page) -> None:
        """What the service says stands beside `ok`."""
        assert client.say("pyodide_loading_start", START) == {"ok": True, "deadline_in_s": 60}
        progress = {"attempt_id": "attempt_1", "stage": "packages"}
        assert client.say("pyodide_loading_progress", progress) == {"ok": True, "deadline_in_s": 60}
        assert client.say("pyodide_loading_complete", {"attempt_id": "attempt_1"}) == {"ok": True}
        assert client.say("join_game") == {"ok": True, "place": "waiting"}
        assert client.say("advance_scene", {"scene_id": "past"}) == {
            "ok": True,
            "scene_id": "match",
        }
        assert client.say("leave") == {"ok": True}

    def test_a_game_is_played_over_the_wire(self, server: JoinedServer) -> None:
        """Ready, actions and hashes reach the game, and what it says reaches both pages."""
        pages = [server.page({"page_id": f"page_000{n}"}) for n in range(2)]
        for page in pages:
            page.say("join_game", {})
        game = {"game_id": pages[0].heard("game_matched")[0]["game_id"]}
        for page in pages:
            assert page.say("player_ready", game) == {"ok": True}
        for page in pages:
            assert page.heard("game_started") == [{**game, "frame": 3}]
            assert page.say("player_action", {**game, "frame": 0, "action": 1}) == {"ok": True}
        for page in pages:
            assert page.heard("frame_actions") == [{**game, "from_frame": 3, "actions": [[1, 1]]}]
            assert page.say("game_state_hash", {**game, "frame": 4, "hash": "a"}) == {"ok": True}
        failed = {**game, "frame": 4, "traceback": "Traceback ..."}
        assert pages[0].say("environment_failed", failed) == {"ok": True}
        assert pages[1].heard("game_ended")[0]["reason"] == "environment_failed"

    @pytest.mark.parametrize(
        ("event", "payload", "expected"),
        [
            ("dance", {}, ErrorCode.UNKNOWN_EVENT),
            ("session_opened", {}, ErrorCode.UNKNOWN_EVENT),
            ("message", "text", ErrorCode.UNKNOWN_EVENT),
            ("", {}, ErrorCode.UNKNOWN_EVENT),
            (5, {}, ErrorCode.UNKNOWN_EVENT),
            (None, {}, ErrorCode.UNKNOWN_EVENT),
            (True, {}, ErrorCode.UNKNOWN_EVENT),
            ("pyodide_loading_start", None, ErrorCode.INVALID_MESSAGE),
            ("pyodide_loading_start", {**START, "path": "by mail"}, ErrorCode.INVALID_MESSAGE),
            ("advance_scene", {"scene_id": 5}, ErrorCode.INVALID_MESSAGE),
            ("leave", [], ErrorCode.INVALID_MESSAGE),
            ("leave", {"x": "y" * 64_000}, ErrorCode.TOO_LARGE),
            ("pyodide_loading_complete", {"attempt_id": "attempt_9"}, ErrorCode.OUT_OF_TURN),
            ("advance_scene", {"scene_id": "match"}, ErrorCode.OUT_OF_TURN),
            ("player_ready", {"game_id": "g_unknown"}, ErrorCode.UNKNOWN_GAME),
            ("player_action", {"game_id": "g", "frame": 0, "action": 0}, ErrorCode.UNKNOWN_GAME),
            ("game_state_hash", {"game_id": "g", "frame": 0, "hash": "a"}, ErrorCode.UNKNOWN_GAME),
        ],
    )
    def test_a_bad_message_changes_nothing(
        self, server: JoinedServer, client: Page, event: Any, payload: Any, expected: ErrorCode
    ) -> None:
        """It is acknowledged with its code, logged once, and the store is as it was."""
        before = server.kept()
        with capture_logs() as logged:
            answer = client.say(event, payload)
        assert code(answer) == expected
        assert [entry["event"] for entry in logged] == ["message_refused"]
        assert server.kept() == before

    def test_an_action_before_the_start_is_out_of_turn(self, server: JoinedServer) -> None:
        """A game that has only been matched takes no actions and no results."""
        pages = [server.page({"page_id": f"page_000{n}"}) for n in range(2)]
        for page in pages:
            page.say("join_game", {})
        game_id = pages[0].heard("game_matched")[0]["game_id"]
        before = server.kept()
        action = {"game_id": game_id, "frame": 0, "action": 0}
        assert code(pages[0].say("player_action", action)) == ErrorCode.OUT_OF_TURN
        for page in pages:
            final = {"game_id": game_id, "frame": 0, "hash": "a", "result": {}}
            assert code(page.say("game_state_hash", final)) == ErrorCode.OUT_OF_TURN
        assert server.kept() == before

    def test_nobody_plays_in_the_game_of_others(self, server: JoinedServer) -> None:
        """Who knows the id of a game has no seat in it by that."""
        pages = [server.page({"page_id": f"page_000{n}"}) for n in range(3)]
        for page in pages:
            page.say("join_game", {})
        game_id = pages[0].heard("game_matched")[0]["game_id"]
        answer = pages[2].say("player_ready", {"game_id": game_id})
        assert code(answer) == ErrorCode.UNKNOWN_GAME

    def test_a_message_without_acknowledgement_is_handled_too(
        self, server: JoinedServer, client: Page
    ) -> None:
        """Who asks for no answer gets none."""
        client.send('2["join_game",{}]')
        assert server.store.sessions()[0].place.state == "waiting"
        assert client.acks == {}

    def test_an_attachment_is_no_message(self, server: JoinedServer, client: Page) -> None:
        """Socket.IO can carry bytes; no payload of ours has any."""
        before = server.kept()
        client.send('51-7["leave",{"file":{"_placeholder":true,"num":0}}]')
        client.engine.server._trigger_event("message", client.engine.sid, b"bytes")
        client.read()
        assert code(client.acks[7]) == ErrorCode.INVALID_MESSAGE
        assert server.kept() == before

    def test_a_long_name_is_cut_in_the_log(self, client: Page) -> None:
        """A page cannot fill the log with one word."""
        with capture_logs() as logged:
            assert code(client.say("x" * 50_000, {})) == ErrorCode.UNKNOWN_EVENT
        assert len(json.dumps(logged)) < 1000

    def test_messages_have_a_rate(self, server: JoinedServer, client: Page) -> None:
        """After a burst a page is refused until time has passed, and nothing else happens."""
        for _ in range(int(MESSAGES_BURST)):
            assert client.say("advance_scene", {"scene_id": "past"})["ok"]
        before = server.kept()
        assert code(client.say("join_game", {})) == ErrorCode.RATE_LIMITED
        assert code(client.say("dance", {})) == ErrorCode.RATE_LIMITED
        assert server.kept() == before
        server.clock.advance(1 / MESSAGES_PER_S)
        assert client.say("join_game", {})["ok"]
        assert code(client.say("join_game", {})) == ErrorCode.RATE_LIMITED

    def test_a_page_cannot_fill_the_log_by_talking(self, client: Page) -> None:
        """What it is refused is logged, but not as fast as it can talk."""
        for _ in range(int(MESSAGES_BURST)):
            client.say("advance_scene", {"scene_id": "past"})
        with capture_logs() as logged:
            for _ in range(500):
                client.say("join_game", {})
        assert 0 < len(logged) < 50

    def test_one_page_does_not_use_up_the_rate_of_another(self, server: JoinedServer) -> None:
        """Every connection has a bucket of its own."""
        loud, quiet = server.page({}), server.page({})
        for _ in range(int(MESSAGES_BURST) + 1):
            loud.say("dance", {})
        assert quiet.say("join_game", {})["ok"]

    def test_a_page_that_was_replaced_is_not_heard(
        self, server: JoinedServer, client: Page
    ) -> None:
        """Until its connection is closed, what it says is refused."""
        server.page({"page_id": "page_0002", "token": client.opened["token"]})
        before = server.kept()
        assert code(client.say("leave", {})) == ErrorCode.SESSION_TAKEN_OVER
        assert server.kept() == before

    @pytest.mark.parametrize(
        ("event", "payload"),
        [
            ("leave", {}),
            ("join_game", {}),
            ("pyodide_loading_start", START),
            ("player_ready", {"game_id": "g"}),
            ("advance_scene", {"scene_id": "match"}),
        ],
    )
    def test_a_session_that_is_over_is_not_heard(
        self, server: JoinedServer, client: Page, event: str, payload: Any
    ) -> None:
        """Who left cannot do anything more, and is told so; pruned or not."""
        client.say("leave", {})
        before = server.kept()
        assert code(client.say(event, payload)) == ErrorCode.SESSION_OVER
        assert server.kept() == before
        server.clock.advance(server.grace.core.settings.gone_kept_s)
        server.grace.sweeper.sweep()
        assert server.store.sessions() == []
        assert code(client.say(event, payload)) == ErrorCode.SESSION_OVER

    @pytest.mark.parametrize(
        "error", [TypeError("a secret"), KeyError("a secret"), StoreBusy("a secret")]
    )
    def test_a_fault_of_ours_is_acknowledged(
        self, client: Page, monkeypatch: pytest.MonkeyPatch, error: Exception
    ) -> None:
        """`internal_error`, logged, and nothing of it is told to the page."""

        def fail(*_: Any) -> Any:
            raise error

        monkeypatch.setattr(client.server.grace.core.store, "change", fail)
        with capture_logs() as logged:
            answer = client.say("join_game", {})
        assert code(answer) == ErrorCode.INTERNAL_ERROR
        assert "secret" not in json.dumps(answer)
        assert [entry["event"] for entry in logged] == ["message_failed"]

    def test_a_page_that_does_not_read_loses_its_connection(
        self, client: Page, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it says is not answered any more: the answers would pile up."""
        monkeypatch.setattr("app.sockets.emitter.MAX_BACKLOG_PACKETS", -1)
        assert client.say("join_game", {}) is None
        assert client.websocket.aborted


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
        handlers = server.sio.handlers["/"]["*"].__wrapped__.__self__
        assert handlers._buckets == {}
