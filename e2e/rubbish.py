"""Rubbish that no page would say, made from a seed: the same seed makes the same.

Every message is faulty by the way it is made, so that none may be accepted: of the wrong form, out
of its bounds, out of turn, or of an event that does not exist.
"""

import json
import math
import random
import string
from collections.abc import Callable, Mapping
from typing import Any

ATTEMPT, GAME = "attempt-0", "g_of-nobody"

VALID: Mapping[str, Mapping[str, Any]] = {
    "pyodide_loading_start": {"attempt_id": ATTEMPT, "path": "preload", "runtime": "main"},
    "pyodide_loading_progress": {"attempt_id": ATTEMPT, "stage": "packages"},
    "pyodide_loading_complete": {"attempt_id": ATTEMPT},
    "join_game": {},
    "player_ready": {"game_id": GAME},
    "player_action": {"game_id": GAME, "frame": 0, "action": 1},
    "game_state_hash": {"game_id": GAME, "frame": 0, "hash": "a"},
    "environment_failed": {"game_id": GAME, "frame": 0, "traceback": "none"},
    "advance_scene": {"scene_id": "match"},
    "leave": {},
}
"""A payload of every event that has the right form."""

OUT_OF_TURN = sorted(set(VALID) - {"pyodide_loading_start", "join_game", "leave"})
"""Events that a page in the lobby, in no game and loading nothing, cannot say at all."""

NAMES = [
    "session_opened", "scene_activated", "frame_actions", "session_taken_over", "connect",
    "disconnect", "connect_error", "message", "*", "", "__class__", "LEAVE", "leave ", "léave",
    0, -1, 1.5, True, False, None, "x" * 5000, "\x00", "\u2028", "42",
]  # fmt: skip
"""Of no event that a page can say."""

BROKEN: list[Any] = [
    None, -1, 2**53 + 1, 2**64, -(2**70), 1e308, math.nan, math.inf, -math.inf, "", " ", "\x00",
    "short", "not an id!", "x" * 65_000, "\ud800", [], [[]], {}, {"a": 1}, [None] * 40,
]  # fmt: skip
"""Values that no field, or hardly one, may have; where one may, the event is out of turn."""

NO_PACKETS: list[str | bytes] = [
    "", "0", "0{}", "2", "2probe", "3probe", "4", "5", "6", "7", "9", "b", "bAAAA", "x", "-1",
    "42", "42{}", "42[]", '42[["leave"]]', '42[{"a":1}]', '42["leave"', "42null", '42"leave"',
    f'42{"9" * 40}["leave",{{}}]', f'42["leave",{"9" * 5000}]', "42" + "[" * 60_000,
    '42["leave",' + '{"a":' * 50_000, "42" + "9" * 500, "40null", "40[]", '40"token"', "40{",
    "40/admin,", "40/admin,{}", "41/admin,", "43", "430[]", '4399["x"]', "44", '44{"message":"x"}',
    '451-["leave",{"_placeholder":true,"num":0}]', '4599999-["leave"]', "461-0[]", "47", "48",
    "4\x00", "\ufeff42", b"", b"\x00", b'42["leave",{}]', b"\xff" * 1000, "4" * 60_000,
]  # fmt: skip
"""WebSocket messages that are not a packet, or not one that a page sends."""


class Rubbish:
    """A source of rubbish.

    Args:
        seed: names all of it.
    """

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def message(self) -> tuple[Any, Any]:
        """An event's name and its payload, as JSON values; to be refused."""
        kinds: list[Callable[[], tuple[Any, Any]]] = [
            self._unknown,
            self._no_object,
            self._broken_field,
            self._field_left_out,
            self._spoilt,
            self._out_of_turn,
        ]
        return self._random.choice(kinds)()

    def auth(self) -> dict[str, Any]:
        """The `auth` of a CONNECT; to be refused."""
        field = self._random.choice(["page_id", "token", "study", "participant", "last_frame"])
        faults: dict[str, list[Any]] = {
            "page_id": ["short", "not an id!", "x" * 65, 5, [], {}, True],
            "token": ["", 5, "x" * 257, [], {}, True, self._text(20)],
            "study": ["another", "not an id!", 5, []],
            "participant": ["x" * 129, 5, [], {}, True],
            "last_frame": [-1, 1.5, 2**64, "0", math.nan, math.inf, [], True],
        }
        wrong: list[dict[str, Any]] = [
            {field: self._random.choice(faults[field])},
            {"runtime": self._random.choice([5, "ready", [], {"state": "dead"}, {"state": None}])},
            {"more": self._spoil()},
            {self._text(5): "\ud800"},
        ]
        return self._random.choice(wrong)

    def packet(self) -> str | bytes:
        """A WebSocket message that is no packet, or cut off, or one with letters exchanged."""
        if self._random.random() < 0.5:
            return self._random.choice(NO_PACKETS)
        if self._random.random() < 0.5:
            return self._random.randbytes(self._random.randrange(200))
        text = list(json.dumps(["leave", {"a": [1, 2, {"b": None}]}]))
        del text[self._random.randrange(1, len(text)) :]
        return "42" + "".join(text)

    def _unknown(self) -> tuple[Any, Any]:
        name = self._random.choice([*NAMES, self._text(12)])
        return name, self._random.choice([{}, None, [], "text", *VALID.values()])

    def _no_object(self) -> tuple[Any, Any]:
        return self._event(), self._random.choice([[], [{}], "", "text", 0, 1.5, True, math.nan])

    def _broken_field(self) -> tuple[Any, Any]:
        name = self._random.choice([name for name in VALID if VALID[name]])
        field = self._random.choice(sorted(VALID[name]))
        # A scene may be called that, and to leave one that was left is no fault.
        broken = [one for one in BROKEN if (field, one) != ("scene_id", "short")]
        return name, {**VALID[name], field: self._random.choice(broken)}

    def _field_left_out(self) -> tuple[Any, Any]:
        name = self._random.choice([name for name in VALID if VALID[name]])
        left_out = self._random.choice(sorted(VALID[name]))
        return name, {field: value for field, value in VALID[name].items() if field != left_out}

    def _spoilt(self) -> tuple[Any, Any]:
        name = self._event()
        return name, {**VALID[name], self._text(4): self._spoil()}

    def _out_of_turn(self) -> tuple[Any, Any]:
        name = self._random.choice(OUT_OF_TURN)
        return name, dict(VALID[name])

    def _spoil(self) -> Any:
        """What makes any payload faulty, wherever it stands."""
        deep: Any = self._random.choice([[], {}, 0])
        for _ in range(self._random.randrange(9, 400)):
            deep = [deep] if self._random.random() < 0.5 else {"deeper": deep}
        choices = [deep, math.nan, math.inf, -math.inf, "\udfff", ["\ud800"], "x" * 70_000]
        return self._random.choice(choices)

    def _event(self) -> str:
        return self._random.choice(sorted(VALID))

    def _text(self, longest: int) -> str:
        letters = string.printable + "\x00\x1bÄ错🙂\u202e"
        return "".join(self._random.choices(letters, k=self._random.randrange(1, longest)))
