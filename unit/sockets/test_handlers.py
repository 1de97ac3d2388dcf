"""The handlers check, hand over and acknowledge; a bad message changes nothing."""

import json
import time
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.errors import StoreBusy
from app.protocol import ErrorCode
from app.services.busy import BUSY_AFTER_S
from app.sockets import handlers
from app.sockets.emitter import SocketEmitter
from app.sockets.handlers import MESSAGES_PER_S
from app.sockets.packets import PageEvent, read_packet
from unit.sockets.page import JoinedServer, Page

START = {"attempt_id": "attempt_1", "path": "preload", "runtime": "main"}

BURST = 20
"""Messages at once, where a test says so."""


@pytest.fixture
def _talkative(monkeypatch: pytest.MonkeyPatch) -> None:
    """A burst of messages is over sooner than it really is."""
    monkeypatch.setattr(handlers, "MESSAGES_BURST", float(BURST))


def code(answer: Any) -> str:
    """The code of a refusal, which is of the wire's form."""
    assert answer["ok"] is False
    assert set(answer) == {"ok", "error"}
    assert set(answer["error"]) == {"code", "message"}
    assert answer["error"]["message"]
    return str(answer["error"]["code"])


def test_an_answer_is_acknowledged(client: Page) -> None:
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


def test_a_load_that_ends_excuses_the_heartbeat(server: JoinedServer, client: Page) -> None:
    """Engine.IO counts the PING from then on; no other message does that."""
    client.say("pyodide_loading_start", START)
    sent_at = time.time() - 29.0
    client.engine.last_ping = sent_at
    server.sockets.asked(client.websocket)
    server.clock.advance(29.0)
    client.say("pyodide_loading_progress", {"attempt_id": "attempt_1", "stage": "packages"})
    assert client.engine.last_ping == sent_at
    client.say("pyodide_loading_complete", {"attempt_id": "attempt_1"})
    assert client.engine.last_ping == pytest.approx(sent_at + 29.0)


def test_a_failed_load_does_not_cost_the_connection(server: JoinedServer, client: Page) -> None:
    """The waiting room is told of it, this page too, whose PING is older than the timeout."""
    client.say("pyodide_loading_start", START)
    client.say("join_game")
    client.engine.last_ping = time.time() - 35.0
    server.sockets.asked(client.websocket)
    server.clock.advance(35.0)
    answer = client.say("pyodide_loading_complete", {"attempt_id": "attempt_1", "error": "none"})
    assert answer == {"ok": True}
    assert not client.engine.closed


def test_a_page_that_owes_a_heartbeat_is_busy(server: JoinedServer, client: Page) -> None:
    """The carrier and the sweeper are joined: what the one sees, the other tells."""
    server.sockets.asked(client.websocket)
    server.clock.advance(BUSY_AFTER_S)
    assert server.grace.watch is not None
    server.grace.watch.look(server.clock.now())
    server.grace.sweeper.sweep()
    assert server.grace.core.is_busy(client.session_id)
    server.sockets.answered(client.websocket)
    server.grace.sweeper.sweep()
    assert not server.grace.core.is_busy(client.session_id)


@pytest.mark.parametrize(("heartbeat", "is_busy"), [("presence", False), ("engineio", True)])
def test_presence_tells_busy_from_gone(heartbeat: str, is_busy: bool) -> None:
    """A browser that does not answer has no busy page; Engine.IO alone cannot tell."""
    server = JoinedServer(heartbeat=heartbeat)
    client = server.page({})
    client.websocket.answers = False
    server.sockets.asked(client.websocket)
    server.clock.advance(BUSY_AFTER_S)
    if server.grace.watch is not None:
        server.grace.watch.look(server.clock.now())
    server.grace.sweeper.sweep()
    assert server.grace.core.is_busy(client.session_id) is is_busy


def test_a_game_is_played_over_the_wire(server: JoinedServer) -> None:
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
    server: JoinedServer, client: Page, event: Any, payload: Any, expected: ErrorCode
) -> None:
    """It is acknowledged with its code, logged once, and the store is as it was."""
    before = server.kept()
    with capture_logs() as logged:
        answer = client.say(event, payload)
    assert code(answer) == expected
    assert [entry["event"] for entry in logged] == ["message_refused"]
    assert server.kept() == before


def test_an_action_before_the_start_is_out_of_turn(server: JoinedServer) -> None:
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


def test_nobody_plays_in_the_game_of_others(server: JoinedServer) -> None:
    """Who knows the id of a game has no seat in it by that."""
    pages = [server.page({"page_id": f"page_000{n}"}) for n in range(3)]
    for page in pages:
        page.say("join_game", {})
    game_id = pages[0].heard("game_matched")[0]["game_id"]
    answer = pages[2].say("player_ready", {"game_id": game_id})
    assert code(answer) == ErrorCode.UNKNOWN_GAME


def test_an_event_has_one_payload(server: JoinedServer, client: Page) -> None:
    """What comes beside it would be checked by nobody, neither for its form nor for its size."""
    before = server.kept()
    beside: list[object] = [{}, None, "x" * 900_000]
    for more in beside:
        assert code(client.say("leave", {}, more)) == ErrorCode.INVALID_MESSAGE
    assert server.kept() == before


def test_a_message_without_acknowledgement_is_handled_too(
    server: JoinedServer, client: Page
) -> None:
    """Who asks for no answer gets none."""
    client.send('2["join_game",{}]')
    assert server.store.sessions()[0].place.state == "waiting"
    assert client.acks == {}


def test_what_comes_after_a_disconnect_is_nobodys(server: JoinedServer, client: Page) -> None:
    """A page that left the namespace is not answered, and nothing is kept or logged of it."""
    handlers = server.handlers
    client.send("1")
    before = server.kept()
    with capture_logs() as logged:
        for _ in range(3):
            assert client.say("leave", {}) is None
            assert client.say("dance", {}) is None
    assert logged == []
    assert server.kept() == before
    assert (handlers._buckets, handlers._logged) == ({}, {})


def test_who_asks_for_no_answer_is_refused_without_one(
    server: JoinedServer, client: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The refusal is logged all the same."""
    answered: list[object] = []
    monkeypatch.setattr(SocketEmitter, "acknowledge", lambda *given: answered.append(given))
    with capture_logs() as logged:
        client.send('2["dance",{}]')
    assert [entry["event"] for entry in logged] == ["message_refused"]
    assert answered == []
    assert client.say("dance", {}) is None
    assert len(answered) == 1


def test_a_long_name_is_cut_in_the_log(client: Page) -> None:
    """A page cannot fill the log with one word."""
    with capture_logs() as logged:
        assert code(client.say("x" * 50_000, {})) == ErrorCode.UNKNOWN_EVENT
    assert len(json.dumps(logged)) < 1000


@pytest.mark.usefixtures("_talkative")
def test_messages_have_a_rate(server: JoinedServer, client: Page) -> None:
    """After a burst a page is refused until time has passed, and nothing else happens."""
    for _ in range(BURST):
        assert client.say("advance_scene", {"scene_id": "past"})["ok"]
    before = server.kept()
    assert code(client.say("join_game", {})) == ErrorCode.RATE_LIMITED
    assert code(client.say("dance", {})) == ErrorCode.RATE_LIMITED
    assert server.kept() == before
    server.clock.advance(1 / MESSAGES_PER_S)
    assert client.say("join_game", {})["ok"]
    assert code(client.say("join_game", {})) == ErrorCode.RATE_LIMITED


@pytest.mark.usefixtures("_talkative")
def test_a_page_cannot_fill_the_log_by_talking(client: Page) -> None:
    """What it is refused is logged, but not as fast as it can talk."""
    for _ in range(BURST):
        client.say("advance_scene", {"scene_id": "past"})
    with capture_logs() as logged:
        for _ in range(200):
            client.say("join_game", {})
    assert 0 < len(logged) < 50


@pytest.mark.usefixtures("_talkative")
def test_one_page_does_not_use_up_the_rate_of_another(server: JoinedServer) -> None:
    """Every connection has a bucket of its own."""
    loud, quiet = server.page({}), server.page({})
    for _ in range(BURST + 1):
        loud.say("dance", {})
    assert quiet.say("join_game", {})["ok"]


def test_a_page_that_was_replaced_is_not_heard(server: JoinedServer, client: Page) -> None:
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
    server: JoinedServer, client: Page, event: str, payload: Any
) -> None:
    """Who left cannot do anything more, and is told so; pruned or not."""
    client.say("leave", {})
    before = server.kept()
    assert code(client.say(event, payload)) == ErrorCode.SESSION_OVER
    assert server.kept() == before
    server.clock.advance(server.grace.core.settings.gone_kept_s)
    server.grace.sweeper.sweep()
    assert server.store.sessions() == []
    read = read_packet(f"42{json.dumps([event, payload])}")
    assert isinstance(read, PageEvent)
    # Its connection is closed by now; what was read of it before is still handled.
    assert code(server.handlers.answer(client.sid, read)) == ErrorCode.SESSION_OVER


@pytest.mark.parametrize(
    ("error", "told", "event"),
    [
        (TypeError("a secret"), ErrorCode.INTERNAL_ERROR, "message_failed"),
        (KeyError("a secret"), ErrorCode.INTERNAL_ERROR, "message_failed"),
        (StoreBusy("a secret"), ErrorCode.TRY_AGAIN, "message_postponed"),
    ],
)
def test_a_fault_of_ours_is_acknowledged(
    client: Page, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str, event: str
) -> None:
    """Logged, with whether it is worth trying again; nothing else of it is told to the page."""

    def fail(*_: Any) -> Any:
        raise error

    monkeypatch.setattr(client.server.grace.core.store, "change", fail)
    with capture_logs() as logged:
        answer = client.say("join_game", {})
    assert code(answer) == told
    assert "secret" not in json.dumps(answer)
    assert [entry["event"] for entry in logged] == [event]


def test_a_page_that_does_not_read_loses_its_connection(
    client: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it says is not answered any more: the answers would pile up."""
    monkeypatch.setattr("app.sockets.emitter.MAX_BACKLOG_PACKETS", -1)
    assert client.say("join_game", {}) is None
    assert client.websocket.aborted
