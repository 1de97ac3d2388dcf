"""Payloads as pages send them, and what browsers can send besides."""

from typing import Any

from hypothesis import strategies as st

from app.protocol import ClientEvent

ATTEMPT = "attempt_1"
GAME = "g_1"

GOOD: dict[ClientEvent, list[Any]] = {
    ClientEvent.LOADING_START: [
        {"attempt_id": ATTEMPT, "path": "preload", "runtime": "main"},
        {"attempt_id": "x" * 64, "path": "fallback", "runtime": "worker"},
    ],
    ClientEvent.LOADING_PROGRESS: [
        {"attempt_id": ATTEMPT, "stage": stage} for stage in ("runtime", "packages", "environment")
    ],
    ClientEvent.LOADING_COMPLETE: [
        {"attempt_id": ATTEMPT},
        {"attempt_id": ATTEMPT, "error": "the assets are missing"},
        {"attempt_id": ATTEMPT, "error": None, "report": None},
        {
            "attempt_id": ATTEMPT,
            "report": {
                "path": "preload",
                "total_ms": 27_000.5,
                "stages_ms": {"runtime": 26_000, "packages": 0, "environment": 1_000.5},
                "longest_block_ms": 26_400.25,
                "block_count": 3,
                "missed_heartbeats": 2,
            },
        },
    ],
    ClientEvent.JOIN_GAME: [{}, None],
    ClientEvent.PLAYER_READY: [{"game_id": GAME}],
    ClientEvent.PLAYER_ACTION: [
        {"game_id": GAME, "frame": 0, "action": action}
        for action in (0, 5, 2**53, -1, 0.5, True, [], [0, 1.5, False], [0] * 32)
    ],
    ClientEvent.GAME_STATE_HASH: [
        {"game_id": GAME, "frame": 30, "hash": "a" * 128},
        {"game_id": GAME, "frame": 30, "hash": "a", "result": None},
        {"game_id": GAME, "frame": 30, "hash": "a", "result": {"rewards": {"player_0": 1.5}}},
    ],
    ClientEvent.ENVIRONMENT_FAILED: [
        {"game_id": GAME, "frame": 10**9, "traceback": "Traceback ...\nValueError: ungültig"},
        {"game_id": GAME, "frame": 0, "traceback": "x" * 16_000},
        {"game_id": GAME, "frame": 0, "traceback": "错" * 16_000},
    ],
    ClientEvent.ADVANCE_SCENE: [{"scene_id": "welcome"}],
    ClientEvent.LEAVE: [{}, None],
}
"""Payloads of every event, the greatest that are allowed among them."""

WHOLE: dict[str, Any] = {
    "page_id": "page_0001",
    "token": "t" * 43,
    "study": "study",
    "participant": "P 17, left-handed",
    "last_frame": 120,
    "runtime": {"state": "loading", "attempt_id": "attempt_1", "stage": "packages"},
}
"""The `auth` of a CONNECT with all that there can be in it."""

NUMBERS: dict[str, Any] = {
    "nan": float("nan"),
    "infinity": float("inf"),
    "minus infinity": float("-inf"),
    "huge": 10**400,
    "negative": -1,
    "boolean": True,
    "fraction": 0.5,
    "text": "1",
    "null": None,
    "list": [1],
    "object": {"value": 1},
}
"""What may stand where a page should have counted something, and is no count."""

ALONE = "\ud800"
"""Half of a character: JavaScript cuts strings between the halves, and JSON carries it."""

_numbers = (
    st.integers() | st.floats() | st.sampled_from([10**400, 2**53 + 1, float("nan"), float("inf")])
)
_texts = st.text(max_size=70) | st.sampled_from(
    [ALONE, "\x00", "x" * 200, "a\nb", "loading", "runtime", "preload", ATTEMPT, GAME]
)
_keys = st.sampled_from(["report", "stages_ms", "state", "stage", "token", "runtime", "page_id"])
_leaves = st.none() | st.booleans() | _numbers | _texts | st.binary(max_size=8)
anything = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys | _texts, inner, max_size=6),
    max_leaves=20,
)
"""Whatever Socket.IO can deliver, with the names of real fields in it."""


@st.composite
def spoiled(draw: st.DrawFn, good: list[Any]) -> Any:
    """One of these good payloads with anything in the place of one of its values."""
    payload = draw(st.sampled_from([one for one in good if one] or [{"of_tomorrow": 1}]))
    return {**payload, draw(st.sampled_from(sorted(payload))): draw(anything)}


def nested(depth: int) -> Any:
    """Lists in lists, `depth` of them."""
    payload: list[Any] = []
    for _ in range(depth - 1):
        payload = [payload]
    return payload
