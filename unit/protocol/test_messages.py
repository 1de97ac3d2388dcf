"""Every message has a schema, and a payload that does not fit it is refused whole."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from pydantic import ValidationError

from app.protocol import CLIENT_MESSAGES, ClientEvent
from unit.protocol.payloads import GOOD, NUMBERS

EXAMPLES = [
    pytest.param(event, payload, id=f"{event}-{index}")
    for event, payloads in GOOD.items()
    for index, payload in enumerate(payloads)
    if payload
]
FIELDS = [
    pytest.param(event, name, id=f"{event}-{name}")
    for event, payloads in GOOD.items()
    for name in payloads[0] or {}
]


def check(event: ClientEvent, payload: object) -> Any:
    """The message of a payload; ValidationError when it does not fit."""
    return CLIENT_MESSAGES[event].model_validate(payload)


def refused(event: ClientEvent, payload: object) -> None:
    """The payload does not fit."""
    with pytest.raises(ValidationError):
        check(event, payload)


def test_every_event_has_a_message() -> None:
    """There is one model an event, and examples of each in these tests."""
    assert list(CLIENT_MESSAGES) == list(ClientEvent) == list(GOOD)
    assert len(set(CLIENT_MESSAGES.values())) == len(ClientEvent)


@pytest.mark.parametrize(("event", "payload"), EXAMPLES)
def test_good_payloads_are_accepted(event: ClientEvent, payload: dict[str, Any]) -> None:
    """What a page sends arrives as it is, with nothing added that it set."""
    before = deepcopy(payload)
    message = check(event, payload)
    assert message.model_dump(exclude_unset=True) == before


@pytest.mark.parametrize(("event", "payload"), EXAMPLES)
def test_fields_of_newer_pages_are_passed_over(event: ClientEvent, payload: dict[str, Any]) -> None:
    """A field that is not known is no fault, and does not get in."""
    assert check(event, {**payload, "of_tomorrow": {"deep": [1]}}) == check(event, payload)


@pytest.mark.parametrize(("event", "name"), FIELDS)
def test_a_missing_field_is_refused(event: ClientEvent, name: str) -> None:
    """Nothing that a message is about has a default."""
    payload = dict(GOOD[event][0])
    del payload[name]
    refused(event, payload)


WRONG: list[object] = [None, [], {}, 1, 0.5, True, "", b"bytes", "x" * 65, "a b", "a\n"]

FITS: dict[str, Callable[[Any], bool]] = {
    "action": lambda value: isinstance(value, int | float | list),
    "frame": lambda value: value == 1 and value is not True,
    "hash": lambda value: isinstance(value, str) and value != "",
    "traceback": lambda value: isinstance(value, str),
}
"""Which of these are right after all, in the fields that are no ids and no known words."""


@pytest.mark.parametrize(("event", "name"), FIELDS)
def test_a_field_of_the_wrong_kind_is_refused(event: ClientEvent, name: str) -> None:
    """No type is turned into another, and no text is taken that is not an id or a known word."""
    for wrong in WRONG:
        if name not in FITS or not FITS[name](wrong):
            refused(event, {**GOOD[event][0], name: wrong})


@pytest.mark.parametrize("event", ClientEvent)
def test_a_payload_that_is_no_object_is_refused(event: ClientEvent) -> None:
    """A message is a JSON object, even one without fields."""
    for payload in ([], "text", 1, True, b"bytes", [["game_id", "g_1"]]):
        refused(event, payload)


@pytest.mark.parametrize("kind", NUMBERS)
@pytest.mark.parametrize(
    "event",
    [ClientEvent.PLAYER_ACTION, ClientEvent.GAME_STATE_HASH, ClientEvent.ENVIRONMENT_FAILED],
)
def test_a_frame_is_a_count(event: ClientEvent, kind: str) -> None:
    """Not a number, infinity, a boolean, a fraction or a huge number are no frame."""
    refused(event, {**GOOD[event][0], "frame": NUMBERS[kind]})


@pytest.mark.parametrize("frame", [10**9 + 1, 2**63, 2**64])
def test_a_frame_fits_in_every_column(frame: int) -> None:
    """A frame that no game can come to is refused before anything counts with it."""
    refused(ClientEvent.PLAYER_ACTION, {"game_id": "g_1", "frame": frame, "action": 0})


@pytest.mark.parametrize(
    "action",
    [
        *(NUMBERS[kind] for kind in ("nan", "infinity", "minus infinity", "huge", "text", "null")),
        {"value": 1},
        [0] * 33,
        [[0]],
        [None],
        ["1"],
        [float("nan")],
        [10**400],
        (0, 1),
    ],
)
def test_an_action_is_a_number_or_a_short_flat_list(action: object) -> None:
    """Every browser steps with the same action, so it is a number that all of them can hold."""
    refused(ClientEvent.PLAYER_ACTION, {"game_id": "g_1", "frame": 0, "action": action})


@pytest.mark.parametrize("action", [True, 1, 1.0, [True, 1, 1.5]])
def test_an_action_keeps_its_kind(action: object) -> None:
    """A boolean stays one, and a whole number does not become a fraction."""
    message = check(ClientEvent.PLAYER_ACTION, {"game_id": "g", "frame": 0, "action": action})
    assert repr(message.action) == repr(action)


@pytest.mark.parametrize(
    "name", ["total_ms", "longest_block_ms", "block_count", "missed_heartbeats", "stages_ms"]
)
@pytest.mark.parametrize("kind", [kind for kind in NUMBERS if kind not in ("fraction", "null")])
def test_a_report_holds_durations_and_counts(name: str, kind: str) -> None:
    """What goes into the log as a measurement is a finite number of a day's size at most."""
    value = {"runtime": NUMBERS[kind]} if name == "stages_ms" else NUMBERS[kind]
    refused(ClientEvent.LOADING_COMPLETE, {"attempt_id": "attempt_1", "report": {name: value}})


@pytest.mark.parametrize(
    "report", [[], {"stages_ms": {"lunch": 1}}, {"stages_ms": []}, {"path": "by mail"}]
)
def test_a_report_has_known_names(report: object) -> None:
    """Stages and paths are those of the wire."""
    refused(ClientEvent.LOADING_COMPLETE, {"attempt_id": "attempt_1", "report": report})


@pytest.mark.parametrize("error", ["", "x" * 4001, 1, {}])
def test_an_error_says_something_short(error: object) -> None:
    """An empty error would be neither success nor failure; a long one is cut by the page."""
    refused(ClientEvent.LOADING_COMPLETE, {"attempt_id": "attempt_1", "error": error})


@pytest.mark.parametrize(
    ("event", "name", "value"),
    [
        (ClientEvent.GAME_STATE_HASH, "hash", "a" * 129),
        (ClientEvent.GAME_STATE_HASH, "hash", ""),
        (ClientEvent.GAME_STATE_HASH, "result", {str(n): n for n in range(65)}),
        (ClientEvent.GAME_STATE_HASH, "result", []),
        (ClientEvent.ENVIRONMENT_FAILED, "traceback", "x" * 16_001),
    ],
)
def test_nothing_is_longer_than_it_may_be(event: ClientEvent, name: str, value: object) -> None:
    """Texts and results have an end."""
    refused(event, {**GOOD[event][0], name: value})


def test_a_message_does_not_change() -> None:
    """What was checked is what is handled."""
    message = check(ClientEvent.PLAYER_READY, {"game_id": "g_1"})
    with pytest.raises(ValidationError, match="frozen"):
        message.game_id = "g_2"
