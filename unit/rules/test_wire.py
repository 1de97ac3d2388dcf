"""Rule 18: what comes from a browser is checked, and what goes to others gives nothing away."""

import hashlib
import json
from typing import Any

import pytest
from structlog.testing import capture_logs

from unit.fakes.pairs import running_pair
from unit.fakes.world import World

BAD: dict[str, tuple[str, object, str]] = {
    "not an object": ("join_game", "now", "invalid_message"),
    "missing field": ("pyodide_loading_start", {"attempt_id": "attempt_1"}, "invalid_message"),
    "wrong type": ("player_action", {"game_id": "g", "frame": "0", "action": 1}, "invalid_message"),
    "negative": ("player_action", {"game_id": "g", "frame": -1, "action": 1}, "invalid_message"),
    "unknown stage": (
        "pyodide_loading_progress",
        {"attempt_id": "attempt_1", "stage": "unpacking"},
        "invalid_message",
    ),
    "too long": ("environment_failed", {"traceback": "x" * 70_000}, "too_large"),
    "too deep": (
        "join_game",
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": 1}}}}}}}},
        "invalid_message",
    ),
    "unknown event": ("grant_me_a_seat", {}, "unknown_event"),
    "a server's event": ("session_opened", {}, "unknown_event"),
    "unknown attempt": ("pyodide_loading_complete", {"attempt_id": "attempt_9"}, "out_of_turn"),
    "unknown game": ("player_ready", {"game_id": "g_unknown"}, "unknown_game"),
    "not over yet": ("advance_scene", {"scene_id": "match"}, "out_of_turn"),
}


@pytest.mark.parametrize("name", BAD)
def test_rule_18_a_bad_message_gets_a_clear_error_and_changes_nothing(
    world: World, name: str
) -> None:
    """Acknowledged with code and sentence, logged once, and without any consequence."""
    event, payload, code = BAD[name]
    ann, _ = running_pair(world)
    before = (world.store.sessions(), world.store.games(), world.store.events())
    sent = len(world.outbox.emitted)
    with capture_logs() as logged:
        answer = world.say(ann.sid, event, payload)
    assert answer["ok"] is False
    assert answer["error"]["code"] == code
    assert len(answer["error"]["message"]) > 10
    assert [entry["code"] for entry in logged if entry["event"] == "message_refused"] == [code]
    assert (world.store.sessions(), world.store.games(), world.store.events()) == before
    assert len(world.outbox.emitted) == sent


@pytest.mark.parametrize(
    "auth", [{"page_id": "short"}, {"token": ""}, {"runtime": {"state": "hot"}}, {"last_frame": -1}]
)
def test_rule_18_a_bad_auth_is_refused(world: World, auth: dict[str, Any]) -> None:
    """A CONNECT that is not of the form is refused, and is no new session."""
    assert world.refusal(**auth) == "invalid_auth"
    assert not world.store.sessions()


def test_rule_18_a_flood_is_refused(world: World) -> None:
    """A page may talk as fast as a game needs, and not without limit; then it may again."""
    ann = world.connect()
    answers = [ann.say("advance_scene", scene_id="elsewhere") for _ in range(700)]
    refused = [answer["error"]["code"] for answer in answers if not answer["ok"]]
    assert set(refused) == {"rate_limited"}
    assert len(refused) <= 100
    world.advance(1.0)
    assert ann.join()["ok"]


def test_rule_18_a_label_is_no_identity(world: World) -> None:
    """Two who come with the same outside id are two, and neither is the other."""
    ann, mallory = world.connect(participant="P7"), world.connect(participant="P7")
    assert ann.session_id != mallory.session_id
    assert ann.token != mallory.token
    assert world.refusal(participant="P7", token=ann.session_id) == "session_expired"


def test_rule_18_what_partners_see_is_not_enough_to_take_over(world: World) -> None:
    """Nothing that a player is sent holds the other's token, session id or page."""
    ann, bob = running_pair(world)
    ann.start_loading()
    ann.lose()
    ann.come_back()
    ann.declare_ready()
    told = json.dumps([one.payload for one in world.outbox.emitted if one.sid == bob.sid])
    assert ann.session_id not in told
    assert ann.token not in told
    assert ann.page_id not in told


def test_rule_18_the_store_keeps_no_token(world: World) -> None:
    """What is stored of a token is its digest, so that the file gives no session away."""
    ann = world.connect()
    assert world.store.session_id_of(ann.token) is None
    digest = hashlib.sha256(ann.token.encode()).hexdigest()
    assert world.store.session_id_of(digest) == ann.session_id
    assert ann.token not in json.dumps(world.store.events())


def test_rule_18_a_seat_is_not_for_strangers(world: World) -> None:
    """Who knows a game's id, but has no seat in it, can neither act nor end it."""
    ann, _ = running_pair(world)
    mallory = world.connect()
    game_id = ann.game_id
    messages: dict[str, dict[str, Any]] = {
        "player_ready": {},
        "player_action": {"frame": 0, "action": 1},
        "game_state_hash": {"frame": 1, "hash": "x"},
        "environment_failed": {"frame": 1, "traceback": "x"},
    }
    for event, payload in messages.items():
        answer = mallory.say(event, game_id=game_id, **payload)
        assert answer["error"]["code"] == "unknown_game"
    assert not ann.heard("game_ended")
