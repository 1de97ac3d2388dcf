"""The experimenter's view, behind a token. Looking changes nothing."""

import secrets
from typing import Any

import pytest

from app.admin.api import WRONG_TOKENS
from unit.sockets.page import JoinedServer, Page

TOKEN = "the-admins-token"
PATHS = ["/admin/api/sessions", "/admin/api/events", "/admin/api/games"]

SESSION_FIELDS = {
    "session_id", "study", "link", "busy", "runtime", "place", "epoch", "since", "deadline_in_s",
    "loading",
}  # fmt: skip
"""What the design promises of a session."""


@pytest.fixture
def server() -> JoinedServer:
    """A server whose admin's token is known."""
    return JoinedServer(admin_token=TOKEN)


@pytest.fixture(scope="module")
def refusing() -> JoinedServer:
    """Such a server, for what changes nothing in it."""
    return JoinedServer(admin_token=TOKEN)


def get(server: JoinedServer, path: str, token: str = TOKEN) -> Any:
    """The JSON under an address."""
    answer = server.http.get(path, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    return answer.json


def play(server: JoinedServer) -> list[Page]:
    """Two participants in a game, one of whom loads."""
    pages = [server.page({"participant": f"P{n}"}) for n in range(2)]
    for page in pages:
        page.say("join_game", {})
        server.clock.advance(1)
    start = {"attempt_id": "attempt_1", "path": "preload", "runtime": "main"}
    pages[0].say("pyodide_loading_start", start)
    return pages


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "authorization",
    [
        None, "", "Bearer", "Bearer ", "Bearer wrong", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}",
        TOKEN, f"Basic {TOKEN}", "Bearer tokén", f"Bearer  {TOKEN}", "Bearer None",
    ],
)  # fmt: skip
def test_without_the_token_nobody_gets_in(
    refusing: JoinedServer, path: str, authorization: str | None
) -> None:
    """Absent or wrong, the answer is 401 and says which kind of token is wanted."""
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = refusing.http.get(path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert answer.json == {"error": {"code": "unauthorized", "message": "a token is needed"}}


@pytest.mark.parametrize("given", ["", "None", TOKEN])
def test_without_a_token_of_its_own_a_server_lets_nobody_in(given: str) -> None:
    """`create_app` without a token is closed, not open."""
    answer = JoinedServer().http.get(PATHS[0], headers={"Authorization": f"Bearer {given}"})
    assert answer.status_code == 401


def test_a_token_in_the_address_is_none(server: JoinedServer) -> None:
    """Addresses end up in logs."""
    assert server.http.get(f"{PATHS[0]}?token={TOKEN}").status_code == 401


@pytest.mark.parametrize("path", PATHS)
def test_an_empty_server_has_empty_lists(server: JoinedServer, path: str) -> None:
    """A list is a list, also without anything in it."""
    assert get(server, path) == []


def test_sessions_show_what_the_design_says(server: JoinedServer) -> None:
    """Every session with link, runtime, place and deadline, and the load that is under way."""
    loading, other = play(server)
    server.clock.advance(20)
    listed = get(server, "/admin/api/sessions")
    assert all(set(session) >= SESSION_FIELDS for session in listed)
    first = next(one for one in listed if one["session_id"] == loading.session_id)
    assert (first["study"], first["participant"]) == ("study", "P0")
    assert (first["link"], first["runtime"], first["place"]) == ("connected", "loading", "playing")
    assert (first["busy"], first["epoch"], first["deadline_in_s"]) == (False, 1, 40.0)
    assert first["loading"] == {
        "attempt_id": "attempt_1",
        "path": "preload",
        "runtime": "main",
        "stage": "runtime",
        "for_s": 20.0,
        "deadline_in_s": 40.0,
        "overdue": False,
    }
    second = next(one for one in listed if one["session_id"] == other.session_id)
    assert (second["loading"], second["deadline_in_s"]) == (None, None)


def test_a_busy_page_is_shown(server: JoinedServer) -> None:
    """Since when it answers nothing, in seconds."""
    page, other = play(server)
    server.grace.core.connections.mark_busy(page.sid, server.clock.now() - 4.5)
    listed = {one["session_id"]: one for one in get(server, "/admin/api/sessions")}
    busy, responsive = listed[page.session_id], listed[other.session_id]
    assert (busy["busy"], busy["busy_for_s"]) == (True, 4.5)
    assert (responsive["busy"], responsive["busy_for_s"]) == (False, None)
    page.say("leave")
    listed = {one["session_id"]: one for one in get(server, "/admin/api/sessions")}
    assert (listed[page.session_id]["link"], listed[page.session_id]["busy"]) == ("gone", False)


def test_no_credential_is_shown(server: JoinedServer) -> None:
    """Nothing that the admin sees is enough to take a session over."""
    pages = play(server)
    for path in PATHS:
        text = server.http.get(path, headers={"Authorization": f"Bearer {TOKEN}"}).text
        assert not [page for page in pages if page.opened["token"] in text]


def test_games_show_their_players(server: JoinedServer) -> None:
    """Who plays as which player, what is waited for, and how long."""
    pages = play(server)
    (game,) = get(server, "/admin/api/games")
    assert game["state"] == "matched"
    assert game["players"] == {f"player_{n}": page.session_id for n, page in enumerate(pages)}
    assert (game["scene_id"], game["waiting_for"]) == ("match", "player_0")
    assert game["deadline_in_s"] == 179.0
    assert isinstance(game["seed"], int)


def test_events_are_the_log_in_order(server: JoinedServer) -> None:
    """Whole unless it is limited: number, time, session and name of every entry."""
    play(server)
    events = get(server, "/admin/api/events")
    assert events == server.store.events()
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert all({"seq", "at", "session_id", "event"} <= set(event) for event in events)
    names = [event["event"] for event in events]
    assert names[:2] == ["session_opened", "session_opened"]
    assert {"queue_joined", "game_matched", "loading_started"} <= set(names)


def test_events_are_read_in_parts(server: JoinedServer) -> None:
    """`after` is the last number that is known, `limit` how many come at most."""
    play(server)
    events = get(server, "/admin/api/events")
    assert get(server, "/admin/api/events?after=2") == events[2:]
    assert get(server, "/admin/api/events?limit=2") == events[:2]
    assert get(server, "/admin/api/events?after=1&limit=2") == events[1:3]
    assert get(server, "/admin/api/events?after=0") == events
    assert get(server, "/admin/api/events?limit=0") == []
    assert get(server, "/admin/api/events?after=999999999999999") == []


@pytest.mark.parametrize("number", ["", "-1", "1.5", "x", "0x1", "1e3", "²", "9" * 16, " 1"])
@pytest.mark.parametrize("name", ["after", "limit"])
def test_what_is_no_number_is_a_bad_request(refusing: JoinedServer, name: str, number: str) -> None:
    """It is not taken for zero, which would send the whole log."""
    answer = refusing.http.get(
        "/admin/api/events",
        query_string={name: number},
        headers={"Authorization": f"Bearer {TOKEN}"},
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", PATHS)
def test_nothing_can_be_changed(refusing: JoinedServer, path: str, method: str) -> None:
    """The view has no other verbs."""
    answer = refusing.http.open(path, method=method, headers={"Authorization": f"Bearer {TOKEN}"})
    assert answer.status_code == 405


def test_looking_changes_nothing(server: JoinedServer) -> None:
    """A dashboard that asks every second leaves everything as it is."""
    play(server)
    server.clock.advance(1000)
    before = server.kept()
    for path in PATHS:
        get(server, path)
    assert server.kept() == before


def refused(server: JoinedServer, token: str | None, **more: str) -> int:
    """The status of a request with a token that is not the admin's, or with none."""
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    status: int = server.http.get(PATHS[0], headers={**headers, **more}).status_code
    return status


def test_wrong_tokens_have_a_rate(server: JoinedServer) -> None:
    """Of one address; the right token is let in all the same, and so is time a help."""
    burst = int(WRONG_TOKENS.guesses_burst)
    assert {refused(server, f"wrong-{number}") for number in range(burst)} == {401}
    answer: Any = server.http.get(PATHS[0], headers={"Authorization": "Bearer wrong"})
    assert (answer.status_code, answer.json["error"]["code"]) == (429, "rate_limited")
    assert int(answer.headers["Retry-After"]) > 0
    assert refused(server, "wrong", **{"X-Forwarded-For": "192.0.2.7"}) == 429
    assert get(server, PATHS[0]) == []
    server.clock.advance(1 / WRONG_TOKENS.guesses_per_s)
    assert refused(server, "wrong") == 401


def test_no_token_is_no_guess(server: JoinedServer) -> None:
    """Whoever sends none is told that one is needed, and uses nothing up."""
    for _ in range(int(WRONG_TOKENS.guesses_burst) + 1):
        assert refused(server, None) == 401
    assert refused(server, "wrong") == 401


def test_behind_a_proxy_wrong_tokens_are_not_counted() -> None:
    """With the setting off, all of them are only wrong."""
    server = JoinedServer(admin_token=TOKEN, address_limits=False)
    tries = int(WRONG_TOKENS.guesses_burst) + 1
    assert {refused(server, f"wrong-{number}") for number in range(tries)} == {401}


@pytest.mark.parametrize("token", [f"{TOKEN[:-1]}x", f"x{TOKEN[1:]}", TOKEN])
def test_comparing_tells_nothing_by_its_time(
    server: JoinedServer, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    """What differs first or last goes through the same comparison, which is made for that."""
    compared: list[tuple[bytes, bytes]] = []
    real = secrets.compare_digest

    def compare(given: bytes, wanted: bytes) -> bool:
        compared.append((given, wanted))
        return real(given, wanted)

    monkeypatch.setattr(secrets, "compare_digest", compare)
    assert (refused(server, token) == 200) == (token == TOKEN)
    assert compared == [(f"Bearer {token}".encode(), f"Bearer {TOKEN}".encode())]


def test_what_strangers_wrote_is_json(server: JoinedServer) -> None:
    """A label with a script in it arrives as it is, in what no browser takes for a page."""
    label = "</script><script>alert(1)</script>"
    server.page({"participant": label})
    for path in PATHS:
        answer = server.http.get(path, headers={"Authorization": f"Bearer {TOKEN}"})
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    (session,) = get(server, PATHS[0])
    assert session["participant"] == label
