"""What a browser sent becomes a checked message, or a refusal that says why."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from app.errors import RefusedConnection, RefusedMessage
from app.protocol import (
    CLIENT_MESSAGES,
    MAX_MESSAGE_BYTES,
    ClientEvent,
    ClientMessage,
    ConnectAuth,
    EnvironmentFailed,
    ErrorCode,
    GameStateHash,
    JoinGame,
    Leave,
    parse_auth,
    parse_message,
)
from app.protocol.parsing import MAX_DEPTH
from unit.protocol.payloads import ALONE, GOOD, NUMBERS, WHOLE, anything, nested, spoiled

HASH = {"game_id": "g_1", "frame": 0, "hash": "a"}


SHORT = 100
"""The bytes of a message whose size is not what a test is about."""


def refusal(event: str, payload: object, size: int = SHORT) -> RefusedMessage:
    """Why the message is refused."""
    with pytest.raises(RefusedMessage) as refused:
        parse_message(event, payload, size)
    return refused.value


@pytest.mark.parametrize("event", ClientEvent)
def test_good_messages_are_parsed(event: ClientEvent) -> None:
    """Every good payload becomes the message of its event."""
    for payload in GOOD[event]:
        assert type(parse_message(event.value, payload, SHORT)) is CLIENT_MESSAGES[event]


def test_an_absent_payload_is_an_empty_one() -> None:
    """`emit("join_game")` without an argument is enough."""
    assert parse_message("join_game", None, SHORT) == JoinGame()


def outcome(parse: Callable[[], ClientMessage | ConnectAuth]) -> RefusedMessage | None:
    """The refusal, None for what was accepted; then it can be kept, and sent on as JSON."""
    try:
        message = parse()
    except RefusedMessage as refused:
        return refused
    json.dumps(message.model_dump(), allow_nan=False, ensure_ascii=False).encode()
    return None


def is_json(payload: object) -> bool:
    """Whether a CONNECT can carry it; Socket.IO's attachments come with events only."""
    try:
        json.dumps(payload)
    except TypeError:
        return False
    return True


payloads = st.sampled_from(ClientEvent).flatmap(
    lambda event: st.tuples(st.just(event), anything | spoiled(GOOD[event]))
)


@given(payloads)
@example((ClientEvent.GAME_STATE_HASH, {**HASH, "result": {"deep": [ALONE]}}))
@example((ClientEvent.GAME_STATE_HASH, {**HASH, "result": {ALONE: 1}}))
@example((ClientEvent.LOADING_COMPLETE, {"report": {"stages_ms": {ALONE: 1}}}))
def test_nothing_but_a_refusal_comes_out(sent: tuple[ClientEvent, object]) -> None:
    """Whatever a browser sends is a message or a refusal with a code and a short sentence."""
    event, payload = sent
    refused = outcome(lambda: parse_message(event.value, payload, SHORT))
    if refused is not None:
        assert refused.code in (ErrorCode.INVALID_MESSAGE, ErrorCode.TOO_LARGE)
        assert 0 < len(refused.message) < 1000


@given((anything | spoiled([WHOLE])).filter(is_json))
@example({"runtime": {"state": ALONE}})
@example({"participant": ALONE})
def test_nothing_but_a_refused_connection_comes_out(payload: object) -> None:
    """A CONNECT is accepted, or refused with a code that the page knows at a CONNECT."""
    refused = outcome(lambda: parse_auth(payload))
    if refused is not None:
        assert isinstance(refused, RefusedConnection)
        assert refused.code in (ErrorCode.INVALID_AUTH, ErrorCode.TOO_LARGE)
        assert 0 < len(refused.message) < 1000


@pytest.mark.parametrize("event", ["", "game", "LEAVE", "session_opened", "x" * 100_000, ALONE])
def test_an_unknown_event_is_refused(event: str) -> None:
    """The sentence repeats the beginning of the name, so that its author finds it."""
    refused = refusal(event, {})
    assert refused.code == ErrorCode.UNKNOWN_EVENT
    assert repr(event)[:64] in refused.message
    assert len(refused.message) < 200


@pytest.mark.parametrize("event", [5, None, 1.5, True, ["leave"], {"leave": 1}])
def test_an_event_that_is_no_name_is_unknown(event: Any) -> None:
    """Socket.IO delivers whatever JSON stands in the place of the name."""
    assert refusal(event, {}).code == ErrorCode.UNKNOWN_EVENT


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_wrong_number_is_an_invalid_message(kind: str) -> None:
    """No number makes parsing fail in another way."""
    payload = {"game_id": "g_1", "frame": NUMBERS[kind], "action": 0}
    assert refusal("player_action", payload).code == ErrorCode.INVALID_MESSAGE


def test_the_sentence_names_the_field() -> None:
    """The developer of a page is told where to look, without the value being repeated."""
    report = {"stages_ms": {"runtime": "a secret"}}
    message = refusal("pyodide_loading_complete", {"attempt_id": "a" * 8, "report": report}).message
    assert message.startswith("report.stages_ms.runtime: ")
    assert "secret" not in message


@pytest.mark.parametrize("payload", [b"bytes", {"attempt_id": b"bytes"}, {"x": {1, 2}}])
def test_what_is_not_json_is_invalid(payload: object) -> None:
    """Socket.IO can carry attachments; no message of ours has any."""
    refused = refusal("leave", payload)
    assert refused.code == ErrorCode.INVALID_MESSAGE
    assert "not JSON" in refused.message


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 100, 100_000])
def test_deep_nesting_is_invalid(depth: int) -> None:
    """It is found without recursion, also in a field that nobody reads."""
    refused = refusal("leave", {"of_tomorrow": nested(depth)})
    assert refused.code == ErrorCode.INVALID_MESSAGE
    assert "deep" in refused.message


def test_every_good_payload_is_flat_enough() -> None:
    """The bound on nesting leaves room for every field there is, a game's result included."""
    result = {"a": {"b": {"c": {"d": {"e": 1}}}}}
    message = parse_message("game_state_hash", {**HASH, "result": result}, SHORT)
    assert isinstance(message, GameStateHash)
    assert message.result == result


def test_a_size_is_that_on_the_wire() -> None:
    """A message of 64 kB is taken and one byte more is not, whatever is in it."""
    assert parse_message("leave", {"of_tomorrow": "x"}, MAX_MESSAGE_BYTES) == Leave()
    refused = refusal("leave", {}, MAX_MESSAGE_BYTES + 1)
    assert refused.code == ErrorCode.TOO_LARGE
    assert str(MAX_MESSAGE_BYTES) in refused.message


def test_the_longest_traceback_fits() -> None:
    """With the name of its event and all that stands around it, in any script."""
    for payload in GOOD[ClientEvent.ENVIRONMENT_FAILED]:
        text = f"42{json.dumps(['environment_failed', payload], ensure_ascii=False)}"
        size = len(text.encode())
        assert type(parse_message("environment_failed", payload, size)) is EnvironmentFailed


def test_half_a_character_is_invalid_everywhere() -> None:
    """What cannot be written as UTF-8 could not be kept, in whatever field it stands."""
    for result in ({"deep": {"deeper": ALONE}}, {"deep": [{ALONE: 1}]}, {"a": f"错{ALONE}"}):
        refused = refusal("game_state_hash", {**HASH, "result": result})
        assert refused.code == ErrorCode.INVALID_MESSAGE
        assert "not JSON" in refused.message
    refused = refusal("leave", {"of_tomorrow": [ALONE]})
    assert refused.code == ErrorCode.INVALID_MESSAGE


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_a_number_that_json_cannot_write_is_invalid_everywhere(number: float) -> None:
    """Python reads it, and no page could read what would be made of it."""
    for payload in ({**HASH, "result": {"deep": [number]}}, {**HASH, "of_tomorrow": number}):
        refused = refusal("game_state_hash", payload)
        assert refused.code == ErrorCode.INVALID_MESSAGE
        assert "not JSON" in refused.message


def test_an_absent_auth_is_an_empty_one() -> None:
    """A client without `auth` begins a new session."""
    assert parse_auth(None) == parse_auth({}) == ConnectAuth()


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        ({"token": 5}, ErrorCode.INVALID_AUTH),
        ("a token", ErrorCode.INVALID_AUTH),
        ([], ErrorCode.INVALID_AUTH),
        ({"runtime": {"state": "ready", "attempt_id": 7}}, ErrorCode.INVALID_AUTH),
        ({"of_tomorrow": "x" * MAX_MESSAGE_BYTES}, ErrorCode.TOO_LARGE),
    ],
)
def test_a_wrong_auth_refuses_the_connection(payload: object, code: ErrorCode) -> None:
    """The page is told what was wrong with what it said."""
    with pytest.raises(RefusedConnection) as refused:
        parse_auth(payload)
    assert refused.value.code == code


@pytest.mark.parametrize("payload", [nested(100), {"token": ALONE}, {"last_frame": float("nan")}])
def test_an_auth_that_is_no_json_is_an_invalid_auth(payload: object) -> None:
    """A CONNECT has its own code for everything that is wrong with its form."""
    with pytest.raises(RefusedConnection) as refused:
        parse_auth(payload)
    assert refused.value.code == ErrorCode.INVALID_AUTH
