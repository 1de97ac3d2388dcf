"""What a page that cannot hear is told later: merged, so that it is little, whatever happened."""

from collections.abc import Mapping
from typing import Any

from app.protocol import ServerEvent

Told = tuple[ServerEvent, Mapping[str, Any]]
"""An event and its payload."""

_PROGRESS = (ServerEvent.GAME_STARTED, ServerEvent.GAME_PAUSED, ServerEvent.GAME_RESUMED)
_UNTIL = "held.until"
"""Beside a payload's `seconds_left`, while it waits: when they are over."""

_OF_A_GAME = (*_PROGRESS, ServerEvent.FRAME_ACTIONS, ServerEvent.PARTNER_STATUS)


class HeldBack:
    """Events that wait for one page, in order; of those that supersede each other only the last.

    What is left is at most: a scene, a waiting room, the end of a game that the page knows, and one
    game with its latest progress, its steps (lockstep needs the page's own, so they are few), the
    status of each player, and its end.
    """

    EVENTS = frozenset(ServerEvent) - {ServerEvent.SESSION_OPENED, ServerEvent.SESSION_TAKEN_OVER}
    """Those that can wait: the others begin a connection, or end it."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[Told] = []

    def add(self, event: ServerEvent, payload: Mapping[str, Any], now: float) -> None:
        """Keep an event of this time, in seconds, and drop what it supersedes."""
        if payload.get("seconds_left") is not None:
            payload = {**payload, _UNTIL: now + payload["seconds_left"]}
        if event is ServerEvent.FRAME_ACTIONS:
            payload = self._with_steps_before(payload)
        self._waiting = [
            told for told in self._waiting if not self._supersedes(event, payload, told)
        ]
        self._waiting.append((event, payload))

    def take(self, now: float) -> list[Told]:
        """What waits, as it is now, and then waits no more."""
        waiting, self._waiting = self._waiting, []
        return [(event, _as_of(payload, now)) for event, payload in waiting]

    def __len__(self) -> int:
        return len(self._waiting)

    def _supersedes(self, event: ServerEvent, payload: Mapping[str, Any], told: Told) -> bool:
        before, its = told
        if _slot(before, its) == _slot(event, payload):
            return True
        game_id = its.get("game_id")
        if event is ServerEvent.GAME_ENDED:
            return game_id == payload["game_id"] and before in _OF_A_GAME
        if event is ServerEvent.GAME_MATCHED and game_id is not None:
            # Of a game that the page has never heard of it need not hear, now that it is over.
            return before is not ServerEvent.GAME_ENDED or self._is_unheard_of(game_id)
        return False

    def _is_unheard_of(self, game_id: str) -> bool:
        return any(
            event is ServerEvent.GAME_MATCHED and payload["game_id"] == game_id
            for event, payload in self._waiting
        )

    def _with_steps_before(self, payload: Mapping[str, Any]) -> Mapping[str, Any]:
        """The steps of this event behind those of the same game that wait already."""
        for event, its in self._waiting:
            if event is ServerEvent.FRAME_ACTIONS and its["game_id"] == payload["game_id"]:
                return {**its, "actions": [*its["actions"], *payload["actions"]]}
        return payload


def _as_of(payload: Mapping[str, Any], now: float) -> Mapping[str, Any]:
    """The payload with the seconds that are left by now."""
    if _UNTIL not in payload:
        return payload
    left_s = round(max(0.0, payload[_UNTIL] - now), 1)
    rest = {name: value for name, value in payload.items() if name != _UNTIL}
    return {**rest, "seconds_left": left_s}


def _slot(event: ServerEvent, payload: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    """Events in the same slot supersede each other."""
    kind = "progress" if event in _PROGRESS else event.value
    player = payload["player"] if event is ServerEvent.PARTNER_STATUS else None
    return kind, payload.get("game_id"), player
